//! A real Apache Kafka for tests: fetched once from Maven Central, started, killed and restarted.
//!
//! A broker belongs to one test and ends with it, also when the test panics or its process is
//! killed: a shell watches the other end of a pipe. Where no broker can be had (no Java, no Maven
//! and nothing cached) the test says so loudly and is skipped; with `REQUIRE_KAFKA=1` it fails.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ingest::config::{Mechanism, Protocol, Secret};
use ingest::{Config, watermarks_at};
use tempfile::TempDir;

const POM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kafka/pom.xml");
const KEYSTORE_PASSWORD: &str = "only-for-this-test";
pub const PLAIN_PASSWORD: &str = "alice-only-for-this-test";
pub const SCRAM_PASSWORD: &str = "bob-only-for-this-test";

/// How long a broker may take until it answers; two busy cores need more than the usual three seconds.
const START: Duration = Duration::from_secs(90);

/// A broker with a plain and a TLS + SASL listener.
pub struct Broker {
    dir: TempDir,
    libs: PathBuf,
    plain_port: u16,
    sasl_port: u16,
    process: Option<Child>,
    /// One broker at a time: they are large and the machine may be small.
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Broker {
    /// A fresh broker without topics, or `None` (said loudly) where none can be had.
    pub fn start() -> Option<Self> {
        let libs = match libs() {
            Ok(libs) => libs,
            Err(reason) => {
                assert!(
                    std::env::var_os("REQUIRE_KAFKA").is_none_or(|value| value == "0"),
                    "REQUIRE_KAFKA is set and no Kafka broker can be had: {reason}"
                );
                eprintln!("\n*** SKIPPED, NOT TESTED: no Kafka broker can be had: {reason} ***\n");
                return None;
            }
        };
        // Whoever panicked held nothing but its turn.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let [plain_port, sasl_port, controller_port] = free_ports();
        let dir = tempfile::Builder::new().prefix("pec-kafka-").tempdir().unwrap();
        let mut broker = Self { dir, libs, plain_port, sasl_port, process: None, _turn: turn };
        broker.make_keys();
        fs::write(broker.path("server.properties"), broker.properties(controller_port)).unwrap();
        broker.format();
        broker.restart();
        Some(broker)
    }

    /// The configuration of a client of the plain listener.
    pub fn config(&self) -> Config {
        Config::plain(&format!("127.0.0.1:{}", self.plain_port))
    }

    /// The configuration of a client of the listener that wants TLS and a password.
    pub fn secure_config(&self, mechanism: Mechanism, username: &str, password: &str) -> Config {
        let mut config = Config::plain(&format!("localhost:{}", self.sasl_port));
        config.security.protocol = Protocol::SaslSsl;
        config.security.ca_file = Some(self.path("ca.pem"));
        config.security.sasl_mechanism = Some(mechanism);
        config.security.username = Some(username.to_owned());
        config.security.password = Some(Secret(password.to_owned()));
        config
    }

    /// Ends the broker as `kill -9` does: nothing is flushed, nothing is said.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // The shell kills the broker when its input ends.
            drop(process.stdin.take());
            process.wait().unwrap();
        }
    }

    /// Starts the broker again on the same directory and ports, and waits until it answers.
    pub fn restart(&mut self) {
        self.kill();
        let log = File::create(self.path("broker.log")).unwrap();
        let mut process = Command::new("sh")
            .args(["-c", r#""$@" & broker=$!; read -r _; kill -9 $broker; wait $broker 2>/dev/null"#, "watch"])
            .args(["java", "-Xmx320m", "-Xms128m", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(self.libs.join("*"))
            .args(["kafka.Kafka", "server.properties"])
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        process.stdin.as_mut().expect("stdin is a pipe").flush().unwrap();
        self.process = Some(process);
        self.await_answer();
    }

    fn await_answer(&self) {
        let mut config = self.config();
        // Only whether somebody answers matters, not what there is to read.
        config.topics.access.clear();
        config.topics.commerce.clear();
        config.topics.reference.clear();
        config.topics.usage = "pec.test.nobody".to_owned();
        let started = crate::kafka::now();
        loop {
            // The topic does not exist; that it is told so means that the broker answers.
            match watermarks_at(&config, None) {
                Err(fault) if fault.name() == "topic-missing" => return,
                Ok(_) => return,
                Err(fault) => {
                    assert!(started.elapsed() < START, "{fault}\n{}", self.log());
                }
            }
        }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.path("broker.log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(40).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn make_keys(&self) {
        run(Command::new("keytool")
            .current_dir(self.dir.path())
            .args(["-genkeypair", "-alias", "broker", "-keyalg", "RSA", "-keysize", "2048", "-validity", "2"])
            .args(["-dname", "CN=localhost", "-ext", "SAN=dns:localhost,ip:127.0.0.1", "-ext", "bc:c"])
            .args(["-storetype", "PKCS12", "-keystore", "broker.p12", "-storepass", KEYSTORE_PASSWORD]));
        run(Command::new("keytool")
            .current_dir(self.dir.path())
            .args(["-exportcert", "-rfc", "-alias", "broker", "-file", "ca.pem"])
            .args(["-keystore", "broker.p12", "-storepass", KEYSTORE_PASSWORD]));
    }

    fn format(&self) {
        let scram = format!("SCRAM-SHA-512=[name=bob,password={SCRAM_PASSWORD}]");
        let cluster = run(self.java().args(["kafka.tools.StorageTool", "random-uuid"]));
        run(self
            .java()
            .args(["kafka.tools.StorageTool", "format", "-t", cluster.trim(), "-c", "server.properties"])
            .args(["--add-scram", &scram, "--add-scram", &scram.replace("512", "256")]));
    }

    fn java(&self) -> Command {
        let mut java = Command::new("java");
        java.current_dir(self.dir.path()).args(["-XX:TieredStopAtLevel=1", "-cp"]).arg(self.libs.join("*"));
        java
    }

    fn properties(&self, controller: u16) -> String {
        let (plain, sasl, dir) = (self.plain_port, self.sasl_port, self.path("data").display().to_string());
        format!(
            "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://localhost:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://localhost:{sasl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
log.dirs={dir}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
delete.topic.enable=true
log.retention.check.interval.ms=1000
ssl.keystore.type=PKCS12
ssl.keystore.location=broker.p12
ssl.keystore.password={KEYSTORE_PASSWORD}
ssl.key.password={KEYSTORE_PASSWORD}
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"{PLAIN_PASSWORD}\";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"
        )
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The plain cluster to use: the one of `KAFKA_BROKERS`, or a broker of our own, kept alive by the
/// second value.
pub fn plain_cluster() -> Option<(Config, Option<Broker>)> {
    if let Ok(servers) = std::env::var("KAFKA_BROKERS") {
        return Some((Config::plain(&servers), None));
    }
    let broker = Broker::start()?;
    Some((broker.config(), Some(broker)))
}

/// Runs a tool and returns its output; a tool that fails fails the test with all it said.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Ports that were free a moment ago.
fn free_ports() -> [u16; 3] {
    let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// The folder with Kafka's jars, fetched on first use into a cache outside the repository.
fn libs() -> Result<PathBuf, String> {
    static LIBS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    LIBS.get_or_init(|| {
        if std::env::var_os("WITHOUT_KAFKA").is_some() {
            return Err("left out by --without-broker".to_owned());
        }
        for tool in ["java", "keytool"] {
            if Command::new(tool).arg("-help").output().is_err() {
                return Err(format!("{tool} is not installed (Debian: openjdk-17-jre-headless)"));
            }
        }
        let pom = fs::read_to_string(POM).map_err(|error| format!("{POM}: {error}"))?;
        let version = pom
            .split_once("<kafka.version>")
            .and_then(|(_, rest)| rest.split_once('<'))
            .map(|(version, _)| version)
            .ok_or("tests/kafka/pom.xml names no kafka.version")?;
        let cache = cache()?;
        let libs = cache.join(format!("kafka-{version}"));
        if !libs.is_dir() {
            fetch(&cache, &libs)?;
        }
        Ok(libs)
    })
    .clone()
}

fn cache() -> Result<PathBuf, String> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache"),
    };
    Ok(base.join("pec"))
}

/// Lets Maven collect the jars; the folder gets its name only when it is complete.
fn fetch(cache: &Path, libs: &Path) -> Result<(), String> {
    fs::create_dir_all(cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(cache).map_err(|error| error.to_string())?;
    let output = Command::new("mvn")
        .args(["-q", "-B", "-f", POM, "dependency:copy-dependencies"])
        .arg(format!("-DoutputDirectory={}", partial.path().display()))
        .output()
        .map_err(|error| format!("mvn is not installed (Debian: maven): {error}"))?;
    if !output.status.success() {
        return Err(format!("Maven could not fetch Kafka: {}", String::from_utf8_lossy(&output.stdout)));
    }
    match fs::rename(partial.path(), libs) {
        Ok(()) => Ok(()),
        // Another test process was faster; its folder is as good.
        Err(_) if libs.is_dir() => Ok(()),
        Err(error) => Err(format!("{}: {error}", libs.display())),
    }
}
