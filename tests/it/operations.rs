//! `pec run` as whoever operates it sees it: its metrics, what was accepted of Kafka, and the benchmark's
//! figures; over the in-process broker.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use domain::entry::Stream;
use ingest::admin::{TopicSpec, topics_of};
use ingest::{Config, MockBroker, read_topic};
use journal::wire::Message;
use serde_json::Value;

use crate::cli::{Home, must_fit, schema, text};
use crate::kafka::wait_until;

const DECISIONS: &str = "pec.decisions.v1";
/// The lines of a configuration that publishes what is decided.
pub const PUBLISHING: &str = "[kafka.topics]\ndecisions = \"pec.decisions.v1\"\n";

/// A client of a broker with the topics of a configuration's defaults and one for decisions.
pub fn client(servers: &str) -> Config {
    let mut config = Config::plain(servers);
    config.topics.decisions = DECISIONS.to_owned();
    config
}

pub fn broker(partitions: i32) -> MockBroker {
    MockBroker::start(&topics_of(&client("unknown"), partitions)).unwrap()
}

pub fn configure(home: &Home, metrics: &str, servers: &str, more: &str) {
    let text = format!("[metrics]\nlisten = \"{metrics}\"\n[kafka]\nbootstrap_servers = \"{servers}\"\n{more}");
    std::fs::write(home.dir.path().join("pec.toml"), text).unwrap();
}

/// A `pec run` whose log can be read.
pub struct Running {
    child: Child,
    log: PathBuf,
    socket: PathBuf,
}

impl Running {
    pub fn start(home: &Home, words: &[&str]) -> Self {
        let log = home.dir.path().join("log");
        let file = std::fs::File::create(&log).unwrap();
        let mut command = home.command(&[&["run"], words].concat());
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self { child, log, socket: home.data().join("pec.sock") }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Until commands are answered and the broker has been asked.
    pub fn reads(mut self) -> Self {
        let log = self.log.clone();
        wait_until("pec run reads from Kafka", || {
            let log = std::fs::read_to_string(&log).unwrap();
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {log}");
            log.contains("reading from Kafka") && std::os::unix::net::UnixStream::connect(&self.socket).is_ok()
        });
        self
    }

    pub fn stop(mut self) {
        let told = std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{}", self.log());
    }

    /// How it ends by itself, which must be soon, and what it said until then.
    pub fn ends(mut self) -> (Option<i32>, String) {
        wait_until("pec run ends by itself", || self.child.try_wait().unwrap().is_some());
        (self.child.wait().unwrap().code(), self.log())
    }

    /// Where metrics are served, as its log says.
    fn metrics(&self) -> String {
        let mut found = None;
        wait_until("metrics are served", || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains("metrics and health")).map(str::to_owned);
            found = line.and_then(|line| {
                let address = line.split("address=").nth(1)?;
                Some(address.split_whitespace().next()?.to_owned())
            });
            found.is_some()
        });
        found.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only matters when a test failed before it stopped the server.
        let _ = self.child.kill();
    }
}

/// One sample: its name and its labels, and its value.
type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

fn scrape(address: &str) -> (BTreeMap<String, String>, Samples) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{answer}");
    let (mut kinds, mut samples) = (BTreeMap::new(), Samples::new());
    for line in body.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            kinds.insert(name.to_owned(), kind.to_owned());
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
            let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
            let labels = labels.map(|label| label.split_once('=').unwrap());
            let labels = labels.map(|(label, value)| (label.to_owned(), value.trim_matches('"').to_owned())).collect();
            samples.insert((name.to_owned(), labels), value.parse().unwrap());
        }
    }
    (kinds, samples)
}

/// Samples of one metric: the values of its labels in order of the labels' names, and its value.
fn samples_of(samples: &Samples, name: &str) -> BTreeMap<Vec<String>, f64> {
    let mine = samples.iter().filter(|((known, _), _)| known == name);
    mine.map(|((_, labels), value)| (labels.values().cloned().collect(), *value)).collect()
}

fn one(samples: &Samples, name: &str) -> f64 {
    let mine = samples_of(samples, name);
    assert_eq!(mine.len(), 1, "{name}: {mine:?}");
    *mine.values().next().unwrap()
}

/// The metrics of the operator's document: name and labels.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let text = std::fs::read_to_string(path).unwrap();
    let table = text.split("\n## Metrics\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut found = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `pec_")) {
        let first = row.split('|').nth(1).unwrap();
        for name in first.split('`').skip(1).step_by(2) {
            let (name, labels) = name.split_once('{').unwrap_or((name, ""));
            let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
            found.insert(name.to_owned(), labels.map(str::to_owned).collect());
        }
    }
    found
}

/// The demo's world comes in over Kafka; every metric that the operator's document names is there, with
/// the labels it names and a value that fits what `pec status` says, and no other one is.
#[test]
fn every_documented_metric_is_there_with_a_value_that_fits() {
    let broker = broker(2);
    let home = Home::empty();
    configure(&home, "127.0.0.1:0", broker.bootstrap_servers(), PUBLISHING);
    home.answer(&["generate", "--demo", "--period", "2026-01", "--kafka", broker.bootstrap_servers()], 0);
    let running = Running::start(&home, &[]).reads();
    let address = running.metrics();
    let mut scraped = scrape(&address);
    wait_until("everything is read", || {
        scraped = scrape(&address);
        let lag = samples_of(&scraped.1, "pec_consumer_lag_records");
        !lag.is_empty() && lag.values().all(|lag| *lag == 0.0)
    });
    let status = home.json(&["status", "--json"], 0);
    let (kinds, samples) = scrape(&address);

    let shown: BTreeSet<&str> = kinds.keys().map(String::as_str).collect();
    let documented = documented();
    assert_eq!(shown, documented.keys().map(String::as_str).collect(), "docs/operating.md and /metrics");
    for (name, labels) in &documented {
        let mine = samples.keys().filter(|(known, _)| known.strip_suffix("_count").unwrap_or(known) == name);
        let found: BTreeSet<String> = mine.flat_map(|(_, labels)| labels.keys().cloned()).collect();
        assert_eq!(&found, labels, "the labels of {name}");
        assert!(samples.keys().any(|(known, _)| known.starts_with(name.as_str())), "{name} has no value");
    }
    fits_status(&samples, &status);
    timings_are_plausible(&samples);
    running.stop();
}

#[expect(clippy::float_arithmetic, reason = "the format of metrics knows floats only")]
fn fits_status(samples: &Samples, status: &Value) {
    let number = |value: &Value| value.as_f64().unwrap();
    let entries = samples_of(samples, "pec_events_total");
    for outcome in ["accepted", "duplicate", "conflicting", "quarantined"] {
        let sum: f64 = entries.iter().filter(|(labels, _)| labels[0] == outcome).map(|(_, count)| count).sum();
        assert_eq!(sum, number(&status["entries"][outcome]), "{outcome} in {entries:?}");
    }
    assert_eq!(one(samples, "pec_journal_position"), number(&status["journal"]["messages"]));
    assert_eq!(one(samples, "pec_journal_active_segment_bytes"), number(&status["journal"]["active_segment_bytes"]));
    assert_eq!(one(samples, "pec_open_conflicts"), number(&status["waiting"]["open_conflicts"]));
    assert_eq!(one(samples, "pec_leaks_open"), number(&status["leaks"]["resources"]));
    let a_day: f64 = status["leaks"]["credit_per_day"].as_str().unwrap().strip_suffix(" USD").unwrap().parse().unwrap();
    assert!((one(samples, "pec_leak_credit_cents_per_day") - a_day * 100.0).abs() <= 1.0, "{a_day}");
    let durable = samples_of(samples, "pec_durable_offset");
    assert_eq!(durable, samples_of(samples, "pec_high_watermark"), "all is read");
    let told = status["partitions"].as_array().unwrap().iter();
    let told = told.map(|one| (vec![one["partition"].to_string(), one["topic"].as_str().unwrap().to_owned()], one));
    let told: BTreeMap<Vec<String>, f64> = told.map(|(labels, one)| (labels, number(&one["next_offset"]))).collect();
    assert_eq!(durable, told);
}

#[expect(clippy::float_arithmetic, reason = "the format of metrics knows floats only")]
fn timings_are_plausible(samples: &Samples) {
    for name in ["pec_fsync_seconds", "pec_append_seconds"] {
        let (count, sum) = (one(samples, &format!("{name}_count")), one(samples, &format!("{name}_sum")));
        assert!(count >= 1.0 && sum > 0.0 && sum < 600.0, "{name}: {count} in {sum} s");
    }
    assert_eq!(one(samples, "pec_fold_waiting_entries"), 0.0);
    let at = |text: &str| text.parse::<domain::period::Instant>().unwrap().timestamp() as f64;
    let (first, end) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
    let newest = samples_of(samples, "pec_effective_time_seconds");
    let usage = newest[&vec!["usage".to_owned()]];
    assert!((first..end).contains(&usage), "{usage} lies in the demo's month");
    let partitions = samples_of(samples, "pec_partition_effective_time_seconds");
    let of_usage: Vec<f64> =
        partitions.iter().filter(|(labels, _)| labels[1] == "pec.usage.v1").map(|(_, at)| *at).collect();
    assert_eq!(of_usage.len(), 2);
    assert_eq!(of_usage.into_iter().fold(0.0, f64::max), usage, "the newest partition is the stream's");
    let delays = samples_of(samples, "pec_recording_delay_seconds_count");
    let accepted = samples_of(samples, "pec_events_total")[&vec!["accepted".to_owned(), "usage".to_owned()]];
    let delays = delays[&vec!["usage".to_owned()]];
    assert!((accepted - 10.0..=accepted).contains(&delays), "all but corrections have a delay: {delays} of {accepted}");
}

/// What cannot be read back later is caught: a metric that the document does not know.
#[test]
fn the_documents_table_of_metrics_is_really_read() {
    let documented = documented();
    assert!(documented.len() > 12, "{documented:?}");
    assert_eq!(documented["pec_events_total"], ["stream".to_owned(), "outcome".to_owned()].into());
    assert!(documented["pec_journal_position"].is_empty());
}

/// Nine hundred thousand bytes that do not compress: the in-process broker forgets after five million.
pub fn noise(seed: u64) -> Message {
    let mut state = seed;
    let value = (0..900_000).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    Message { stream: Stream::Usage, key: None, headers: Vec::new(), value: Some(value.collect()) }
}

pub fn accepted(home: &Home) -> Vec<Value> {
    home.json(&["status", "--json"], 0)["accepted"].as_array().unwrap().clone()
}

/// Kafka forgot what was not read: refused by name; accepted once, it is a decision in the journal and
/// on the topic of decisions, and the next start asks nothing and says nothing twice. Another cluster
/// is the same.
#[test]
fn what_was_accepted_of_kafka_is_remembered_and_asked_only_once() {
    let first = broker(1);
    let home = Home::empty();
    configure(&home, "", first.bootstrap_servers(), PUBLISHING);
    let kafka = client(first.bootstrap_servers());
    ingest::publish(&kafka, &(0..3).map(noise).collect::<Vec<_>>()).unwrap();
    let running = Running::start(&home, &[]).reads();
    wait_until("three messages are kept", || {
        home.json(&["status", "--json"], 0)["entries"]["quarantined"].as_u64() == Some(3)
    });
    running.stop();
    assert!(accepted(&home).is_empty());

    ingest::publish(&kafka, &(3..14).map(noise).collect::<Vec<_>>()).unwrap();
    let refused = home.complaint(&["run"], 3);
    assert!(refused.contains("retention-gap") && refused.contains("hint:"), "{refused}");
    let unreasoned = home.complaint(&["run", "--accept", "retention-gap"], 2);
    assert!(unreasoned.contains("--reason"), "{unreasoned}");
    let running = Running::start(&home, &["--accept", "retention-gap", "--reason", "was imported"]).reads();
    let remembered = accepted(&home);
    assert_eq!(remembered.len(), 1, "{remembered:?}");
    let field = |name: &str| remembered[0][name].as_str().unwrap();
    assert_eq!((field("what"), field("actor"), field("reason")), ("retention-gap", "ann", "was imported"));
    assert!(field("about").contains("pec.usage.v1/0: offsets 3 to "), "{remembered:?}");
    wait_until("the acceptance is published", || published(&kafka) == 1);
    running.stop();

    Running::start(&home, &[]).reads().stop();
    Running::start(&home, &["--accept", "retention-gap", "--reason", "again"]).reads().stop();
    assert_eq!(accepted(&home), remembered, "nothing differed any more");

    let second = broker(1);
    configure(&home, "", second.bootstrap_servers(), PUBLISHING);
    assert!(home.complaint(&["run"], 3).contains("other-cluster"));
    Running::start(&home, &["--accept", "other-cluster", "--reason", "moved"]).reads().stop();
    let all = accepted(&home);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all.iter().any(|one| one["what"] == "other-cluster" && one["reason"] == "moved"));
    Running::start(&home, &[]).reads().stop();
    assert_eq!(accepted(&home), all);
}

/// How many acceptances the topic of decisions holds.
fn published(kafka: &Config) -> usize {
    let mut found = 0;
    read_topic(kafka, Stream::Decisions, &kafka.topics.decisions, &mut |message| {
        found += usize::from(String::from_utf8_lossy(message.value.unwrap_or_default()).contains("acceptance"));
    })
    .unwrap();
    found
}

/// The benchmark's own answer fits its schema, and its stages come to one digest.
#[test]
fn the_benchmarks_answer_fits_its_schema() {
    let streams = ["usage", "access", "commerce", "reference"];
    let topic = |stream: &&str| TopicSpec::new(&format!("bench-1-2000-{stream}"), 2);
    let broker = MockBroker::start(&streams.iter().map(topic).collect::<Vec<_>>()).unwrap();
    let servers = broker.bootstrap_servers();
    let home = Home::empty();
    let names: String = streams.iter().map(|stream| format!("{stream} = \"bench-1-2000-{stream}\"\n")).collect();
    configure(&home, "", servers, &format!("[kafka.topics]\n{names}decisions = \"\"\n"));
    home.answer(&["generate", "--kafka", "config", "--events", "2000"], 0);
    let place = home.dir.path().join("bench");
    std::fs::create_dir(&place).unwrap();
    let place = place.to_str().unwrap();
    let words = ["bench", "--kafka", servers, "--events", "2000", "--work-dir", place, "--json"];
    let figures = home.json(&words, 0);
    must_fit(&schema("bench"), &figures);
    let stages = figures["figures"].as_array().unwrap();
    assert_eq!(stages.len(), 9);
    let beside = stages.iter().filter(|stage| !stage["appends"].is_null());
    assert_eq!(beside.count(), 2, "{figures}");
    let digests: BTreeSet<&str> = stages.iter().filter_map(|stage| stage["digest"].as_str()).collect();
    assert_eq!(digests.len(), 1, "{figures}");
    let mut wrong = figures.clone();
    wrong["figures"][0]["stage"] = Value::from("sleeping");
    assert!(!schema("bench").is_valid(&wrong), "a stage that there is not must not pass");
    let table = home.answer(&words[..words.len() - 1], 0);
    assert!(table.contains("events/s") && table.contains("digest"), "{table}");
    let nobody = home.pec(&["bench", "--kafka", "127.0.0.1:1", "--events", "10", "--work-dir", place]);
    assert_eq!(nobody.status.code(), Some(3), "{}", text(&nobody.stderr));
    assert!(text(&nobody.stderr).contains("hint:"), "{}", text(&nobody.stderr));
}
