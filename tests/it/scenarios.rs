//! Runs the scenarios: each in memory, through a journal on disk, and replayed from that journal;
//! those whose answers do not depend on when we learnt something also through Kafka's protocol.
//!
//! All depths must print the same tables, and the tables must be those in the file.
//! `PEC_REWRITE=1` (or `pec scenario --rewrite`) rewrites the tables and nothing else.

use std::fmt::Write as _;

use app::scenario::comparing::{self, Marked};
use app::scenario::{Played, reading};

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
        ("rules = [", "shows = [\"PEC-1 sings\"]\nrules = [", "PEC-1 sings"),
    ] {
        let wrong = text.replace(from, to);
        assert_ne!(wrong, text, "{from} is not in the file any more");
        let error = format!("{:#}", reading::read("case.toml", &wrong).unwrap_err());
        assert!(error.contains(complaint) && error.contains("case.toml"), "{error}");
    }
}
