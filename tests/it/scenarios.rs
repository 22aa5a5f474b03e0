//! Runs the scenarios: each in memory, through a journal on disk, and replayed from that journal;
//! a selection also through Kafka's protocol.
//!
//! All depths must print the same tables, and the tables must be those in the file.
//! `PEC_REWRITE=1` (or `pec scenario --rewrite`) rewrites the tables and nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use app::scenario::comparing::{self, Marked};
use app::scenario::{Played, reading, tables, words};
use domain::facts::Facts;

use crate::source::{self, File};

fn scenarios() -> Vec<File> {
    source::files("tests/scenarios", &[".toml"])
}

fn played(file: &File) -> Played {
    Played::of(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn scenarios_say_what_finance_expects() {
    let rewrite = ["PEC_REWRITE", "UPDATE_EXPECT"].iter().any(|name| std::env::var_os(name).is_some());
    let mut wrong = String::new();
    let files = scenarios();
    assert!(files.len() >= 12, "only {} scenarios: have they moved?", files.len());
    for file in &files {
        let played = played(file);
        if rewrite {
            let text = comparing::rewritten(&file.text, &played.computed);
            std::fs::write(source::root().join(&file.path), text).expect("the file is writable");
            continue;
        }
        for difference in played.differences() {
            writeln!(wrong, "== {} ({}), {}", file.path, played.scenario.title, difference.table).unwrap();
            for line in difference.lines {
                let (mark, text) = match line {
                    Marked::Both(text) => (' ', text),
                    Marked::Expected(text) => ('-', text),
                    Marked::Computed(text) => ('+', text),
                };
                writeln!(wrong, "{mark} {text}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nafter reading the difference: PEC_REWRITE=1 ./dev test scenarios");
}

/// The control: the first scenario with its revocation taken out says something else.
#[test]
fn a_scenario_that_says_otherwise_is_seen() {
    let path = "tests/scenarios/pec/revoked_at_noon.toml";
    let text = source::read(path);
    let without: String =
        text.lines().filter(|line| !line.contains("revoke ")).fold(String::new(), |all, line| all + line + "\n");
    let changed = File { path: path.to_owned(), text: without };
    assert!(played(&File { path: path.to_owned(), text }).differences().is_empty());
    assert!(!played(&changed).differences().is_empty());
}

/// A table that is written wrongly is refused with its place, never half understood.
#[test]
fn a_scenario_that_cannot_be_read_is_refused_with_its_place() {
    let text = source::read("tests/scenarios/pec/revoked_at_noon.toml");
    for (from, to, complaint) in [
        ("revoke ", "revok ", "nobody knows the word `revok`"),
        ("period =", "perod =", "nobody knows the key `perod`"),
        ("T12:00:00Z", "T25:00:00Z", "is no time"),
        ("shows = [", "shows = [\"PEC-1 sings\", ", "PEC-1 sings"),
    ] {
        let wrong = text.replace(from, to);
        assert_ne!(wrong, text, "{from} is not in the file any more");
        let error = format!("{:#}", reading::read("case.toml", &wrong).unwrap_err());
        assert!(error.contains(complaint) && error.contains("case.toml"), "{error}");
    }
}

/// Scenarios that use events of every topic, and whose answers do not depend on when something was
/// learnt or decided. Each takes some seconds through a broker, so not all of them go there.
const THROUGH_KAFKA: [&str; 4] =
    ["access/copies", "pec/transfer_day", "rating/corrections", "rating/two_lines_in_euros"];

/// A selection goes the whole way: published to the broker inside this process, read back through
/// rdkafka, made durable, folded.
#[test]
fn scenarios_say_the_same_through_kafka() {
    for name in THROUGH_KAFKA {
        let path = format!("tests/scenarios/{name}.toml");
        let file = File { text: source::read(&path), path };
        let scenario = reading::read(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}"));
        let asked = comparing::expected(&file.text).unwrap();
        let facts = through_kafka(&scenario);
        let said = tables::printed(&scenario, &facts, &asked).unwrap();
        assert!(!said.is_empty(), "{name} says nothing");
        assert_eq!(said, played(&file).computed, "{}: through Kafka it says something else", file.path);
    }
}

fn through_kafka(scenario: &reading::Scenario) -> Facts {
    let topics = ingest::admin::topics_of(&ingest::Config::plain("unused"), 3);
    let broker = ingest::MockBroker::start(&topics).unwrap();
    let config = ingest::Config::plain(broker.bootstrap_servers());
    let mut sink = ingest::Sink::new(&config).unwrap();
    for told in scenario.steps.iter().filter_map(|step| step.what.told()) {
        sink.send(&told.message()).unwrap();
    }
    sink.finish().unwrap();
    let station = crate::kafka::Station::new();
    station.catch_up(&config).unwrap_or_else(|fault| panic!("{}: {fault}", scenario.path));
    broker.check_nothing_trimmed().unwrap();
    station.facts()
}

/// The page that explains scenarios names every word that there is, and no other.
#[test]
fn the_page_without_rust_explains_every_word() {
    let page = source::read("docs/scenarios.md");
    let tables = page.split_once("## The table of what happened").unwrap().1.split_once("## The stage").unwrap().0;
    let heads = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let told: BTreeSet<&str> = heads.flat_map(|head| head.split('`')).filter(|word| word.len() > 2).collect();
    let known: BTreeSet<&str> = words::WORDS.iter().flat_map(|words| words.iter().copied()).collect();
    let ours = BTreeSet::from(["answer", "close", "void-invoice"]);
    let missing: Vec<_> = known.union(&ours).filter(|word| !told.contains(**word)).collect();
    assert!(missing.is_empty(), "docs/scenarios.md does not explain {missing:?}");
    let columns = |word: &&&str| !known.contains(**word) && !ours.contains(**word);
    let strange: Vec<_> = told.iter().filter(columns).filter(|word| !word.contains(['=', ' '])).collect();
    assert!(strange.is_empty(), "docs/scenarios.md explains {strange:?}, which nobody knows");
}
