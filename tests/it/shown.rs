//! Where a rule is seen: the last column of `docs/rules.md`, held against what the program really
//! prints.
//!
//! A scenario that names a rule is written into a journal, the real commands are asked in its
//! directory, and every word in backticks of the rule's last column must be among their answers as a
//! value of its own. So the column cannot promise what no output shows.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex};

use app::cli::{Arguments, Context, execute};
use app::config::{self, Config};
use app::output::{Output, Style};
use app::scenario::{playing, reading};
use engine::{Clock, Ledger};
use journal::Options;
use serde_json::Value;

use crate::source::{self, File};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A directory in which a scenario has happened, and the commands that answer over it.
pub(crate) struct World {
    ledger: Ledger,
    config: Config,
    dir: tempfile::TempDir,
}

impl World {
    fn of(file: &File) -> (Self, reading::Scenario) {
        let scenario = reading::read(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}"));
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let (journal, _) = playing::into_journal(&scenario, &data).unwrap_or_else(|error| panic!("{error:#}"));
        journal.close().unwrap();
        let options = Options { accept_clock: true, ..Options::default() };
        let ledger = Ledger::open(&data, &options, Clock::start(), &mut |_, _| {}).unwrap();
        let overrides = config::Overrides { file: None, data_dir: Some(data) };
        let config = config::load(&overrides, []).unwrap().config;
        (Self { ledger, config, dir }, scenario)
    }

    /// The same of a text.
    pub(crate) fn told(text: &str) -> Self {
        Self::of(&File { path: "asked".to_owned(), text: text.to_owned() }).0
    }

    /// Puts a file where commands look for it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    /// The same of a scenario's text, with its month.
    pub(crate) fn with_month(text: &str) -> (Self, String) {
        let (world, scenario) = Self::of(&File { path: "asked".to_owned(), text: text.to_owned() });
        (world, scenario.period.to_string())
    }

    /// What a command prints for people, notes included, whatever its exit code.
    pub(crate) fn say(&self, words: &[&str]) -> String {
        self.run(words.iter().copied(), false)
    }

    /// What a command answers, whatever its exit code: documents or lines of JSON.
    pub(crate) fn ask(&self, words: &[&str]) -> Vec<Value> {
        let text = self.run(words.iter().copied().chain(["--json"]), true);
        serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect()
    }

    fn run<'w>(&self, words: impl Iterator<Item = &'w str>, json: bool) -> String {
        let words: Vec<&str> = words.collect();
        let arguments = Arguments::of(words.iter().copied()).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let directory = self.dir.path().to_owned();
        let context = Context { ledger: &self.ledger, config: &self.config, directory, actor: "ann".into(), json };
        let kept = Kept::default();
        // Notes are for people; a program reads the answer alone.
        let notes: Box<dyn Write + Send> = if json { Box::new(std::io::sink()) } else { Box::new(kept.clone()) };
        let mut out = Output::new(Box::new(kept.clone()), notes, Style { width: 200, ..Style::PLAIN });
        execute(&arguments.command, &context, &mut out).unwrap_or_else(|error| panic!("{words:?}: {error:#}"));
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }
}

impl World {
    /// A file with the orders that were told, as somebody would check them before sending.
    fn orders(&self) -> Option<String> {
        let data = |record: journal::Record| {
            let event: Value = serde_json::from_slice(record.message.value.as_deref()?).ok()?;
            (event["type"] == "pec.order.requested.v1").then(|| event["data"].clone())
        };
        let orders: Vec<Value> = self.ledger.reader().records(0).filter_map(|record| data(record.unwrap())).collect();
        std::fs::write(self.dir.path().join("orders.json"), Value::Array(orders.clone()).to_string()).unwrap();
        (!orders.is_empty()).then(|| "orders.json".to_owned())
    }
}

/// Every text that stands as a value anywhere in an answer.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// All that a person can ask about a scenario's month, as texts.
fn shown(file: &File) -> BTreeSet<String> {
    let (world, scenario) = World::of(file);
    let month = scenario.period.to_string();
    let field = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let mut days = world.ask(&["eligibility", "--period", &month]);
    // A month of which nothing is known has one line that says so, and no day.
    days.retain(|row| row["schema"] == "pec.eligibility.v1");
    let mut answers = days.clone();
    let invoices = world.ask(&["invoice", "--period", &month]);
    answers.extend(invoices.iter().cloned());
    answers.extend(world.ask(&["invoice", "--period", &month, "--daily"]));
    answers.extend(world.ask(&["check", "--period", &month]));
    answers.extend(world.ask(&["check", "--period", &month, "--findings"]));
    let places: BTreeSet<_> = days.iter().map(|row| (field(row, "resource"), field(row, "day"))).collect();
    for (resource, day) in places {
        answers.extend(world.ask(&["explain", &resource, "--day", &day]));
    }
    let mut lines: BTreeSet<_> = days.iter().map(|row| field(row, "line")).collect();
    let drafts = invoices.iter().flat_map(|invoice| invoice["invoices"].as_array().unwrap());
    lines.extend(drafts.flat_map(|draft| draft["lines"].as_array().unwrap()).map(|line| field(line, "line")));
    for line in lines {
        answers.extend(world.ask(&["explain", &line, "--period", &month]));
    }
    if let Some(file) = world.orders() {
        answers.extend(world.ask(&["order", "check", &file]));
    }
    for status in world.ask(&["status"]) {
        for id in status["issued"].as_array().unwrap() {
            answers.extend(world.ask(&["explain", id.as_str().unwrap()]));
        }
    }
    let mut found = BTreeSet::new();
    answers.iter().for_each(|answer| texts(answer, &mut found));
    found
}

/// For each rule of the document, the words in backticks of its last column.
fn promised(document: &str) -> BTreeMap<String, Vec<String>> {
    let mut promised = BTreeMap::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let (Some(name), Some(last)) = (cells.first(), cells.last()) else { continue };
        let is_rule = name.split_once('-').is_some_and(|(letters, digits)| {
            letters.len() >= 3
                && letters.bytes().all(|b| b.is_ascii_uppercase())
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit())
        });
        if is_rule && cells.len() >= 5 {
            let words = last.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            promised.insert((*name).to_owned(), words);
        }
    }
    promised
}

/// What the column promises and no scenario that names the rule shows, one sentence each.
fn broken(promised: &BTreeMap<String, Vec<String>>, shown: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut broken = Vec::new();
    for (rule, words) in promised {
        if words.is_empty() {
            broken.push(format!("{rule} does not say in backticks what is to be seen"));
        }
        let seen = shown.get(rule);
        let missing = words.iter().filter(|word| seen.is_none_or(|seen| !seen.contains(*word)));
        broken.extend(missing.map(|word| format!("{rule} promises `{word}`, and no scenario that names it shows it")));
    }
    broken
}

#[test]
fn every_rule_is_seen_where_the_document_says_it_is() {
    let mut by_rule: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in source::files("tests/scenarios", &[".toml"]) {
        let seen = shown(&file);
        let scenario = reading::read(&file.path, &file.text).unwrap();
        for rule in scenario.rules {
            by_rule.entry(rule).or_default().extend(seen.iter().cloned());
        }
    }
    let promised = promised(&source::read("docs/rules.md"));
    assert!(promised.len() > 30, "docs/rules.md has lost its form: {:?}", promised.keys());
    let broken = broken(&promised, &by_rule);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_promise_that_no_output_keeps_is_seen() {
    let document =
        "| PEC-1 | a day | 2019-09 | a page | verdict `earned`; code `gap` |\n| PEC-2 | x | y | z | nothing |\n";
    let shown = BTreeMap::from([("PEC-1".to_owned(), BTreeSet::from(["earned".to_owned(), "gap year".to_owned()]))]);
    let wanted = vec![
        "PEC-1 promises `gap`, and no scenario that names it shows it".to_owned(),
        "PEC-2 does not say in backticks what is to be seen".to_owned(),
    ];
    assert_eq!(broken(&promised(document), &shown), wanted);
}
