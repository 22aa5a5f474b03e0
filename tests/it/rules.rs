//! One rule, one name, four places: the document, the comment above the code, a scenario, the output.
//!
//! Names look like `PEC-2`. The document's tables say which names exist; the other places must know
//! the same ones. Documents that repeat a table of the code (findings, rejections) are kept equal
//! to it here too.

use std::collections::{BTreeMap, BTreeSet};

use app::scenario::reading::{self, How, Shows};
use domain::finding::Code;
use domain::pec::{LostCode, NeverCode};

use crate::source::{self, File};

type Names = BTreeSet<String>;

/// Every `LETTERS-digits` in a text whose letters are one of `prefixes`.
fn names_in(text: &str, prefixes: &BTreeSet<String>) -> Names {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut found = Names::new();
    for word in text.split(|c| !inner(c)) {
        let Some((letters, digits)) = word.split_once('-') else { continue };
        if prefixes.contains(letters) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            found.insert(word.to_owned());
        }
    }
    found
}

/// The names that head a row of the document's tables: `| PEC-2 | …`.
fn documented(document: &str) -> Names {
    let heads = document.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let is_name = |head: &&str| {
        head.split_once('-').is_some_and(|(letters, digits)| {
            letters.len() >= 3
                && letters.bytes().all(|b| b.is_ascii_uppercase())
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit())
        })
    };
    heads.filter(is_name).map(str::to_owned).collect()
}

fn prefixes(names: &Names) -> BTreeSet<String> {
    names.iter().filter_map(|name| name.split_once('-')).map(|(letters, _)| letters.to_owned()).collect()
}

/// Names in the doc comments of Rust files.
fn commented(files: &[File], prefixes: &BTreeSet<String>) -> Names {
    let comments = files.iter().flat_map(|file| file.text.lines()).map(str::trim_start);
    let docs = comments.filter(|line| line.starts_with("///") || line.starts_with("//!"));
    docs.flat_map(|line| names_in(line, prefixes)).collect()
}

/// The rules that a scenario names.
fn of_scenario(file: &File) -> Vec<String> {
    reading::read(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}")).rules
}

/// Every place that lacks a name that another one has, one sentence each.
fn differences(places: &BTreeMap<&str, Names>) -> Vec<String> {
    let all: Names = places.values().flatten().cloned().collect();
    let mut wrong = Vec::new();
    for (place, names) in places {
        wrong.extend(all.difference(names).map(|name| format!("{name} is missing in {place}")));
    }
    wrong
}

#[test]
fn every_rule_has_its_name_in_the_document_the_code_and_a_scenario() {
    let in_document = documented(&source::read("docs/rules.md"));
    assert!(in_document.len() >= 20, "docs/rules.md has only {in_document:?}: has its form changed?");
    let prefixes = prefixes(&in_document);
    let in_code = commented(&source::rust_of("domain"), &prefixes);
    let scenarios = source::files("tests/scenarios", &[".toml"]);
    let in_scenarios = scenarios.iter().flat_map(of_scenario).collect();
    let places = BTreeMap::from([
        ("docs/rules.md", in_document),
        ("the doc comments of crates/domain", in_code),
        ("`rules` of tests/scenarios", in_scenarios),
    ]);
    let wrong = differences(&places);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules that are shown from one side only, or from none.
fn one_sided(rules: &Names, shown: &BTreeSet<Shows>) -> Vec<String> {
    let mut wrong = Vec::new();
    for rule in rules {
        for (how, word) in [(How::Passes, "passes"), (How::Bites, "bites")] {
            if !shown.contains(&Shows { rule: rule.clone(), how }) {
                wrong.push(format!("no scenario says that it shows \"{rule} {word}\""));
            }
        }
    }
    wrong
}

/// The fourth place is the output: `shown` holds each rule's words against real answers. Here: each
/// rule has a scenario in which it holds and one in which it bites, and no scenario says that it
/// shows a rule that it does not name.
#[test]
fn every_rule_passes_in_one_scenario_and_bites_in_one() {
    let mut shown = BTreeSet::new();
    let mut unnamed = Vec::new();
    for file in source::files("tests/scenarios", &[".toml"]) {
        let scenario = reading::read(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}"));
        let strange = scenario.shows.iter().filter(|shows| !scenario.rules.contains(&shows.rule));
        unnamed.extend(strange.map(|shows| format!("{} shows {} and does not name it", file.path, shows.rule)));
        shown.extend(scenario.shows);
    }
    assert!(unnamed.is_empty(), "{}", unnamed.join("\n"));
    let wrong = one_sided(&documented(&source::read("docs/rules.md")), &shown);
    assert!(
        wrong.is_empty(),
        "{}\nadd to `shows` of a scenario, for example: shows = [\"PEC-1 passes\"]",
        wrong.join("\n")
    );
}

#[test]
fn a_rule_that_never_bites_is_seen() {
    let rules = Names::from(["PEC-1".to_owned()]);
    let passes = BTreeSet::from([Shows { rule: "PEC-1".to_owned(), how: How::Passes }]);
    assert_eq!(one_sided(&rules, &passes), vec!["no scenario says that it shows \"PEC-1 bites\""]);
}

/// Whatever rule a verdict or a finding can name is a rule of the document.
#[test]
fn verdicts_and_findings_name_rules_that_exist() {
    let known = documented(&source::read("docs/rules.md"));
    let mut named: Vec<&str> = LostCode::ALL.iter().map(|code| code.rule()).collect();
    named.extend(NeverCode::ALL.iter().map(|code| code.rule()));
    named.extend(Code::ALL.iter().map(|code| code.rule()));
    let strange: Vec<&&str> = named.iter().filter(|rule| !known.contains(**rule)).collect();
    assert!(strange.is_empty(), "{strange:?} are in no row of docs/rules.md");
}

#[test]
fn a_rule_that_one_place_lacks_is_seen() {
    let document = "| PEC-1 | whole day | … |\n| rule | says |\n| PEC-2 | qualifies |\n";
    let names = documented(document);
    let prefixes = prefixes(&names);
    let code = vec![File { path: "x.rs".into(), text: "/// PEC-1: a day.\n// PEC-2 is no doc comment\n".into() }];
    let places = BTreeMap::from([("document", names), ("code", commented(&code, &prefixes))]);
    assert_eq!(differences(&places), vec!["PEC-2 is missing in code"]);
    assert_eq!(names_in("PEC-1 xPEC-2 PEC-3x R-01 (PEC-4)", &prefixes).len(), 2);
}

// ------------------------------------------------------------------------------------------ findings

/// The document that operators read about findings, as the code's table has it.
fn findings_document() -> String {
    let mut text = "# Findings\n\nFacts that are fine one by one and do not add up together. A blocking finding stops closing, \
        never drafting.\n`pec invoice` and `pec check --period MONTH` list them by code, `pec check --findings` each by itself; \
        `pec close` lists\nthose that stop it. `F-conflict` is found before anything is drafted: it stands among the reasons \
        of `pec check` and `pec close`,\nand `pec conflicts list` shows it. What could not be read is no finding: it says \
        nothing of a month or a partner. `pec check` counts it\nand `pec quarantine list` shows it, by the code of its rejection \
        (`rejections.md`), and it only warns.\n\nThis page is the table of `domain::finding`, written by \
        `UPDATE_EXPECT=1 cargo test -p tests findings`. Each code comes out of\na scenario, which a test counts.\n\n| code | rule | blocks | what it means | what mends it |\n|---|---|---|---|---|\n"
        .to_owned();
    for code in Code::ALL {
        let blocks = if code.blocking() { "yes" } else { "no" };
        text.push_str(&format!(
            "| `{}` | {} | {blocks} | {} | {} |\n",
            code.text(),
            code.rule(),
            code.meaning(),
            code.hint()
        ));
    }
    text
}

#[test]
fn the_document_of_findings_is_the_table_of_the_code() {
    let path = source::root().join("docs/findings.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, findings_document()).expect("the document can be written");
    }
    let document = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(document, findings_document(), "docs/findings.md differs: run with UPDATE_EXPECT=1 and read the diff");
}

#[test]
fn codes_are_stable_words() {
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let text = code.text();
        assert!(text.starts_with("F-") && seen.insert(text), "`{text}` is no new F- code");
        assert!(code.hint().len() > 5 && code.meaning().ends_with('.'), "{text} says too little");
    }
}

#[test]
fn an_answer_to_an_order_names_the_source_that_the_document_names() {
    let document = std::fs::read_to_string(source::root().join("docs/rules.md")).unwrap();
    for (rule, said) in domain::order::SOURCES {
        let row =
            document.lines().find(|line| line.starts_with(&format!("| {rule} |"))).unwrap_or_else(|| panic!("{rule}"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[4], *said, "{rule}");
    }
}
