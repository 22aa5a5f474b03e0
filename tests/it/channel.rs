//! The decision tables of the channel: what `docs/rules.md` says of them is what the rules say, cell by
//! cell. `UPDATE_EXPECT=1` writes that part anew; the rest of the document is written by people.
//!
//! Here too: nothing that a rule can say is dead. Every ground with its number, and every cause of a
//! finding, is produced by some scenario.

use std::collections::{BTreeMap, BTreeSet};

use app::scenario::reading;
use domain::order::{Ground, Table, rights, tables};

use crate::source;

const DOCUMENT: &str = "docs/rules.md";
const BEGIN: &str = "<!-- decision tables: written by a test that asks the rules -->\n";
const END: &str = "<!-- end of the decision tables -->\n";

fn markdown(table: &Table) -> String {
    let mut text = format!("| {} |\n|{}\n", table.heads.join(" | "), "---|".repeat(table.heads.len()));
    for row in &table.rows {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

/// The part of the document between the marks.
fn written_by_the_rules() -> String {
    let mut text = format!("\n### What each kind of partner may do at all\n\n{}", markdown(&rights()));
    for table in tables() {
        text.push_str(&format!("\n### {}: {}\n\n{}", table.rule, table.title, markdown(&table)));
    }
    text.push_str(
        "\n### Codes of reasons and remarks\n\n| code | rule | number | what is wrong | what to do instead |\n|---|---|---|---|---|\n",
    );
    for ground in Ground::ALL {
        let (code, rule, error) = (ground.text(), ground.rule(), ground.error().unwrap_or(""));
        let instead = ground.instead().join("; or ");
        text.push_str(&format!("| `{code}` | {rule} | {error} | {} | {instead} |\n", ground.meaning()));
    }
    text.push('\n');
    text
}

/// What stands before the marks, between them, and after.
fn parts(document: &str) -> (&str, &str, &str) {
    let (before, rest) = document.split_once(BEGIN).expect("docs/rules.md has the mark before the tables");
    let (between, after) = rest.split_once(END).expect("docs/rules.md has the mark after the tables");
    (before, between, after)
}

#[test]
fn the_decision_tables_of_the_document_are_what_the_rules_say() {
    let path = source::root().join(DOCUMENT);
    let document = std::fs::read_to_string(&path).expect("docs/rules.md can be read");
    let expected = written_by_the_rules();
    let (before, written, after) = parts(&document);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("the document can be written");
        return;
    }
    assert_eq!(written, expected, "{DOCUMENT} differs: run with UPDATE_EXPECT=1 and read the diff");
    let changed = written.replacen("refused: agreement-missing (13605)", "fine", 1);
    assert_ne!(changed, expected, "another verdict must be seen");
}

#[test]
fn every_rule_of_the_channel_has_a_table_and_every_table_a_row_of_the_document() {
    let document = source::read(DOCUMENT);
    let (before, ..) = parts(&document);
    let rows = before.lines().filter_map(|line| line.strip_prefix("| CHN-")?.split(' ').next());
    let ruled: BTreeSet<String> = rows.map(|number| format!("CHN-{number}")).collect();
    let tabled: BTreeSet<String> = tables().iter().map(|table| table.rule.to_owned()).collect();
    assert_eq!(ruled, tabled, "a rule without a table, or a table without a rule");
}

/// The columns of the orders table of a scenario: `order kind verdict which rule code error …`.
fn produced() -> BTreeSet<(String, String)> {
    let mut seen = BTreeSet::new();
    for file in source::files("tests/scenarios/channel", &[".toml"]) {
        let table: toml::Table = file.text.parse().expect("a scenario is TOML");
        let rows = table.get("expect_orders").and_then(toml::Value::as_str).unwrap_or_default();
        for row in rows.lines().filter(|row| !row.starts_with('#')) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            if let [_, _, _, _, _, code, error, ..] = columns[..] {
                seen.insert((code.to_owned(), error.to_owned()));
            }
        }
    }
    seen
}

/// Grounds that no scenario produces.
fn dead(seen: &BTreeSet<(String, String)>) -> Vec<String> {
    let number = |ground: &Ground| ground.error().unwrap_or("-").replace(' ', "");
    let missing = Ground::ALL.iter().filter(|ground| !seen.contains(&(ground.text().to_owned(), number(ground))));
    missing.map(|ground| format!("{} {}", ground.text(), number(ground))).collect()
}

#[test]
fn every_reason_and_every_number_is_produced_by_a_scenario() {
    let mut seen = produced();
    assert_eq!(dead(&seen), Vec::<String>::new(), "no scenario of tests/scenarios/channel produces these");
    assert!(seen.remove(&("agreement-missing".to_owned(), "13605".to_owned())));
    assert_eq!(dead(&seen), ["agreement-missing 13605"], "one that nothing produces must be seen");
}

#[test]
fn every_rule_of_the_channel_has_two_scenarios_at_least() {
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for file in source::files("tests/scenarios", &[".toml"]) {
        let scenario = reading::read(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}"));
        for rule in scenario.rules.iter().filter(|rule| rule.starts_with("CHN-")) {
            *files.entry(rule.clone()).or_default() += 1;
        }
    }
    let few: Vec<_> = files.iter().filter(|(_, count)| **count < 2).collect();
    assert!(files.len() >= 23 && few.is_empty(), "rules with a single scenario: {few:?}");
}
