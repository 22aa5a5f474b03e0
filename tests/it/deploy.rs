//! The examples in `deploy/`: what an operator copies must be accepted as it stands.

use std::fs;
use std::path::PathBuf;

use domain::entry::Stream;
use ingest::Config;
use ingest::config::{Mechanism, Protocol};

fn example(name: &str) -> Config {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    kafka_table(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn kafka_table(text: &str) -> Result<Config, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let kafka = table.get("kafka").ok_or("no [kafka] table")?.clone();
    let config: Config = kafka.try_into().map_err(|error: toml::de::Error| error.to_string())?;
    config.validate().map_err(|fault| fault.to_string())?;
    Ok(config)
}

#[test]
fn the_plain_example_is_accepted() {
    let config = example("pec.example.toml");
    assert_eq!(config.security.protocol, Protocol::Plaintext);
    assert_eq!(config.topics.read().count(), 4);
    assert_eq!(config.topics.of(Stream::Decisions), Some("pec.decisions.v1"));
}

/// Every default that the plain example shows in a comment is the default: uncommenting the
/// defaults changes nothing.
#[test]
fn the_defaults_that_the_example_shows_are_the_defaults() {
    let shown = example("pec.example.toml");
    let default = Config::plain(&shown.bootstrap_servers);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/pec.example.toml");
    let text = fs::read_to_string(path).unwrap();
    for (key, value) in [
        ("group_id", &default.group_id),
        ("usage", &default.topics.usage),
        ("access", &default.topics.access),
        ("commerce", &default.topics.commerce),
        ("reference", &default.topics.reference),
    ] {
        assert!(text.contains(&format!("# {key} = {value:?}")), "{key} is not shown with its default {value:?}");
    }
}

#[test]
fn the_event_hubs_example_is_accepted() {
    let config = example("pec.eventhubs.example.toml");
    assert_eq!(config.security.protocol, Protocol::SaslSsl);
    assert_eq!(config.security.sasl_mechanism, Some(Mechanism::Plain));
    assert_eq!(config.security.username.as_deref(), Some("$ConnectionString"));
    // librdkafka knows every property that the example sets. The example's password is a file of
    // the machine that it is for.
    let mut here = config;
    here.security.password_file = None;
    here.security.password = Some(ingest::config::Secret("Endpoint=sb://x/".to_owned()));
    here.bootstrap_servers = "127.0.0.1:1".to_owned();
    here.properties.insert("message.timeout.ms".to_owned(), "1000".to_owned());
    ingest::Sink::new(&here).unwrap_or_else(|fault| panic!("{fault}"));
    let fault = ingest::watermarks_at(&here, None).unwrap_err();
    assert_eq!(fault.name(), "unreachable", "{fault}");
}

/// What `pec config check` does with a file: all of it, not only the Kafka table.
fn configured(path: PathBuf) -> Result<app::config::Loaded, app::exit::Problem> {
    app::config::load(&app::config::Overrides { file: Some(path), data_dir: None }, [])
}

/// Every example is a whole configuration, whatever examples there are.
#[test]
fn every_example_is_accepted_whole() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let examples: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    assert!(examples.len() >= 2, "the examples have moved");
    for path in examples {
        let shown = path.display().to_string();
        let loaded = configured(path).unwrap_or_else(|problem| panic!("{shown}: {problem}"));
        assert!(loaded.config.kafka.is_some(), "{shown} reads no cluster");
    }
    let dir = tempfile::tempdir().unwrap();
    let misspelt = dir.path().join("pec.toml");
    fs::write(&misspelt, "[metrics]\nlistn = \"127.0.0.1:9464\"\n").unwrap();
    assert!(configured(misspelt).unwrap_err().what.contains("listn"));
}

#[test]
fn a_misspelt_example_is_seen() {
    let error = kafka_table("[kafka]\nbootstrap_servers = \"b\"\ngroup = \"pec\"\n").unwrap_err();
    assert!(error.contains("group"), "{error}");
    let error =
        kafka_table("[kafka]\nbootstrap_servers = \"b\"\n[kafka.properties]\n\"auto.offset.reset\" = \"latest\"\n")
            .unwrap_err();
    assert!(error.contains("auto.offset.reset"), "{error}");
}

/// The unit and the image run what they say, as nobody special.
#[test]
fn neither_unit_nor_image_runs_as_root() {
    let read = |name: &str| {
        fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)).unwrap()
    };
    let unit = read("pec.service");
    for needed in ["User=pec", "NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=pec"] {
        assert!(unit.lines().any(|line| line == needed), "{needed} is missing in pec.service");
    }
    let image = read("Dockerfile");
    let user = image.rfind("USER pec").expect("the image names a user");
    assert!(image.rfind("FROM ").unwrap() < user, "the last stage has no user");
}

/// What the unit tells the allocator, and `pec bench` measures with, the image tells it as well.
#[test]
fn unit_and_image_tell_the_allocator_the_same() {
    let read = |name: &str| {
        fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)).unwrap()
    };
    let (unit, image) = (read("pec.service"), read("Dockerfile"));
    let told: Vec<&str> = unit.lines().filter_map(|line| line.strip_prefix("Environment=MIMALLOC_")).collect();
    assert!(!told.is_empty());
    for setting in told {
        let setting = format!("MIMALLOC_{setting}");
        assert!(image.split_whitespace().any(|word| word == setting), "the image lacks {setting}");
    }
}

/// The instructions of a Dockerfile, continued lines joined, comments left out.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let split = joined.lines().filter_map(|line| line.trim().split_once(' '));
    split.map(|(name, rest)| (name.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

/// What is wrong with an image's recipe, beside what a person sets up by hand.
fn wrong_with_image(image: &str, root: &std::path::Path) -> Vec<String> {
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let all = instructions(image);
    let of = |name: &str| -> Vec<&str> { all.iter().filter(|(one, _)| one == name).map(|(_, rest)| &**rest).collect() };
    let mut wrong = Vec::new();
    let bases: Vec<&str> = of("FROM").iter().map(|rest| rest.split(' ').next().unwrap()).collect();
    if bases.len() != 2 || bases[0] != bases[1] || !bases[0].starts_with("debian:") {
        wrong.push(format!("built on one Debian and run on it, not {bases:?}"));
    }
    let pinned: toml::Table = read("rust-toolchain.toml").parse().unwrap();
    let wanted = format!("RUSTUP_TOOLCHAIN={}", pinned["toolchain"]["channel"].as_str().unwrap());
    if !of("ENV").iter().any(|rest| rest.split(' ').any(|word| word == wanted)) {
        wrong.push(format!("it lacks {wanted}"));
    }
    let dev = read("dev");
    let needed = dev.split("missing_packages() {").nth(1).unwrap().split("if [").next().unwrap();
    let needed: Vec<&str> =
        needed.lines().filter_map(|line| line.rsplit_once("|| echo ")).map(|(_, name)| name).collect();
    assert!(needed.len() >= 5, "{needed:?}");
    let runs = of("RUN");
    let installed: Vec<&str> = runs[0].split(' ').collect();
    wrong.extend(needed.iter().filter(|name| !installed.contains(name)).map(|name| format!("{name} is not installed")));
    for rest in of("COPY") {
        let mut words = rest.split(' ').collect::<Vec<_>>();
        let to = words.pop().unwrap();
        match words[0].strip_prefix("--from=") {
            None => {
                wrong.extend(words.iter().filter(|from| !root.join(from).exists()).map(|from| format!("no {from}")))
            }
            Some(stage) => {
                let named = of("FROM").iter().any(|rest| rest.ends_with(&format!(" AS {stage}")));
                let made = runs.iter().any(|run| run.contains("--release") && run.contains("--bin pec"));
                if !named || !made || words[1] != "/src/target/release/pec" || !of("WORKDIR").contains(&"/src") {
                    wrong.push(format!("nothing makes {} for {to}", words[1]));
                }
                if of("ENTRYPOINT") != [format!("[\"{to}\"]")] {
                    wrong.push(format!("{to} is not what is run"));
                }
            }
        }
    }
    let words: Vec<String> = serde_json::from_str(of("CMD")[0]).unwrap();
    if let Err(error) = app::cli::Arguments::of(words.iter().map(String::as_str)) {
        wrong.push(error);
    }
    if !read(".dockerignore").lines().any(|line| line == "**/target") {
        wrong.push("built crates would be sent along".to_owned());
    }
    wrong
}

/// No Docker is needed to see that the image is built from what is here: the base, the packages that
/// `./dev` looks for, the pinned toolchain, the paths, the command.
#[test]
fn the_image_is_made_of_what_is_here() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let image = fs::read_to_string(root.join("deploy/Dockerfile")).unwrap();
    assert_eq!(wrong_with_image(&image, &root), Vec::<String>::new());
    for (good, bad, seen) in [
        ("RUSTUP_TOOLCHAIN=1.", "RUSTUP_TOOLCHAIN=0.", "RUSTUP_TOOLCHAIN"),
        (" perl ", " ", "perl is not installed"),
        ("COPY deploy/pec.example.toml", "COPY deploy/pec.toml", "no deploy/pec.toml"),
        ("/src/target/release/pec ", "/target/release/pec ", "nothing makes"),
        ("\"run\"", "\"runn\"", "runn"),
        ("FROM debian:trixie-slim\n", "FROM debian:bookworm-slim\n", "one Debian"),
    ] {
        assert!(image.contains(good), "{good}");
        let wrong = wrong_with_image(&image.replacen(good, bad, 1), &root);
        assert!(wrong.len() == 1 && wrong[0].contains(seen), "{bad}: {wrong:?}");
    }
}

/// The table of faults in the handbook names every fault, and no other.
#[test]
fn every_fault_is_in_the_handbook() {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let handbook = fs::read_to_string(manifest.join("../docs/operating.md")).unwrap();
    let table = handbook.split_once("### Faults").unwrap().1.split_once("\n### ").unwrap().0;
    let mut told: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
    let code = fs::read_to_string(manifest.join("../crates/ingest/src/fault.rs")).unwrap();
    let names = code.split_once("fn name(").unwrap().1.split_once("fn hint(").unwrap().0;
    let mut known: Vec<&str> =
        names.lines().filter_map(|line| line.split_once("=> \"")?.1.split_once('"')).map(|(name, _)| name).collect();
    told.sort_unstable();
    known.sort_unstable();
    assert!(known.len() > 10, "{known:?}");
    assert_eq!(told, known);
}
