//! Runs the scenarios: each in memory, through a journal on disk, and replayed from that journal;
//! a selection also through Kafka's protocol.
//!
//! All depths must print the same tables, and the tables must be those in the file.
//! `PEC_REWRITE=1` (or `pec scenario --rewrite`) rewrites the tables and nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use app::scenario::comparing::{self, Marked};
use app::scenario::memory::{Body, Told};
use app::scenario::reading::{What, read};
use app::scenario::{Played, reading, tables, words};
use domain::entry::Event;
use domain::facts::Facts;
use domain::finding::Code;
use domain::pec::{LostCode, NeverCode};
use domain::policy::{self, FIELDS, ROLES};

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
        ("shows = [", "shows = [\"PEC-99 bites\", ", "there is no rule `PEC-99`"),
        ("rules = [", "rules = [\"PEC-99\", ", "there is no rule `PEC-99`"),
        ("Owner ", "owner ", "`owner` looks like the built-in role Owner"),
        ("Owner          us", "Owner          uss", "nobody introduced `uss`; there are acme, other, plan"),
        ("sub-a/vm-1 ", "sub-x/vm-1 ", "nobody introduced `sub-x`"),
        ("vm             24", "disc           24", "`disc` is no meter; there are disk, free"),
    ] {
        let wrong = text.replace(from, to);
        assert_ne!(wrong, text, "{from} is not in the file any more");
        let error = format!("{:#}", reading::read("case.toml", &wrong).unwrap_err());
        assert!(error.contains(complaint) && error.contains("case.toml"), "{error}");
    }
}

/// A closing that is refused for other reasons than its line says is no scenario that passed.
#[test]
fn a_closing_is_refused_for_the_reasons_that_its_line_says() {
    let path = "tests/scenarios/time/closed_too_early.toml";
    let text = source::read(path);
    let error = |text: &str| format!("{:#}", Played::of(path, text).unwrap_err());
    let other = text.replacen("refused=not-ended", "refused=out-of-order", 1);
    assert!(error(&other).contains("closing is refused=not-ended: the month can first be closed at"), "{other}");
    let bare = text.replacen("refused=not-ended", "refused", 1);
    assert!(error(&bare).contains("a closing that must be refused says why"), "{bare}");
    let not = text.replacen("2025-05-06     ", "2025-05-06 ", 1).replacen(
        "close   us             2025-03\n",
        "close us 2025-03 refused=not-ended\n",
        1,
    );
    assert!(error(&not).contains("closing should be refused, and is not"), "{not}");
}

/// What scenarios bring about: findings, reasons, and fields of the policy that are changed.
#[derive(Default)]
struct Brought {
    words: BTreeSet<String>,
    fields: BTreeSet<&'static str>,
}

impl Brought {
    fn by(files: &[File]) -> Self {
        let mut brought = Self::default();
        for file in files {
            for (table, text) in comparing::expected(&file.text).unwrap() {
                // A finding heads its row; elsewhere the reason of a verdict stands among other words.
                let words = text.split([' ', '\n', ',']);
                let wanted = words.filter(|word| table == "expect_findings" || !word.starts_with("F-"));
                brought.words.extend(wanted.map(str::to_owned));
            }
            let scenario = read(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}"));
            scenario.steps.iter().for_each(|step| brought.step(&step.what));
        }
        brought
    }

    fn step(&mut self, what: &What) {
        match what {
            What::Close { refused, .. } => self.words.extend(refused.iter().cloned()),
            What::Told(Told { body: Body::Event(Event::PolicyPublished(document)), .. }) => {
                let field = |name: &str| policy::field(name).unwrap_or_else(|| panic!("`{name}` is no field"));
                let changed = document.settings.iter().filter(|one| field(&one.name).default != &*one.value);
                self.fields.extend(changed.map(|one| field(&one.name).name));
            }
            What::Told(_) | What::Quarantined(..) | What::Void { .. } | What::Answer => {}
        }
    }

    /// Codes and fields that no scenario brings about, one sentence each.
    fn lacking(&self) -> Vec<String> {
        let findings = Code::ALL.iter().map(|code| code.text());
        let reasons = LostCode::ALL.iter().map(|code| code.text()).chain(NeverCode::ALL.iter().map(|code| code.text()));
        let lacking = findings.chain(reasons).filter(|code| !self.words.contains(*code));
        let codes = lacking.map(|code| format!("`{code}` comes out of no scenario"));
        let fields = FIELDS.iter().chain([&ROLES]).filter(|field| !self.fields.contains(field.name));
        codes.chain(fields.map(|field| format!("no scenario changes the policy field `{}`", field.name))).collect()
    }
}

/// Whatever can be said against a day or a month, and whatever a person may choose, finance can open,
/// change and play.
#[test]
fn every_finding_reason_and_policy_field_has_a_scenario() {
    let mut brought = Brought::by(&scenarios());
    let lacking = brought.lacking();
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    brought.words.remove("F-unit");
    brought.words.remove("marketplace");
    brought.fields.remove("spot-since");
    let wanted = [
        "`F-unit` comes out of no scenario",
        "`marketplace` comes out of no scenario",
        "no scenario changes the policy field `spot-since`",
    ];
    assert_eq!(brought.lacking(), wanted, "what is lacking must be seen");
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
