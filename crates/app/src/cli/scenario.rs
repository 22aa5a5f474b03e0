//! `pec scenario FILE…`: what a scenario file says, what comes out, and where the two differ.
//!
//! Works without a data directory and without a network: each file is a world of its own. The same
//! code runs the scenarios in the tests, so that a number changed here is a number changed there.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::exit::{Exit, Problem};
use crate::output::{Output, count};
use crate::scenario::Played;
use crate::scenario::comparing::{self, Difference, Marked};
use crate::scenario::reading::{self, How};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec scenario tests/scenarios/pec/revoked_at_noon.toml\n  pec scenario tests/scenarios\n  pec scenario tests/scenarios --rule INV-14\n  pec scenario my-case.toml --rewrite\n\nExit code 1 when something is not as expected. docs/scenarios.md explains the files, column by column."
)]
pub struct Scenario {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write what comes out into the files, as what they expect from now on
    #[arg(long)]
    rewrite: bool,
    /// Only those that are about a rule, as docs/rules.md names it
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
}

/// One line of `schemas/output/scenario.v1.json`.
#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    file: &'a str,
    title: &'a str,
    rules: &'a [String],
    shows: Vec<ShowsAnswer<'a>>,
    rules_version: u32,
    as_expected: bool,
    rewritten: bool,
    tables: Vec<TableAnswer<'a>>,
}

#[derive(Serialize)]
struct ShowsAnswer<'a> {
    rule: &'a str,
    how: &'static str,
}

#[derive(Serialize)]
struct TableAnswer<'a> {
    table: &'a str,
    as_expected: bool,
    expected: Option<&'a str>,
    computed: Option<&'a str>,
}

impl Scenario {
    pub fn run(&self, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        let files = self.files()?;
        let mut differing = 0;
        for (number, path) in files.iter().enumerate() {
            if number > 0 && !json {
                out.line("")?;
            }
            if !self.one(path, files.len() > 1, json, out)? {
                differing += 1;
            }
        }
        if differing == 0 {
            if files.len() > 1 {
                out.note(format!("{}, all as expected.", count(files.len() as u64, "scenario")))?;
            }
            return Ok(Exit::Fine);
        }
        if self.rewrite {
            let files = count(differing, "file");
            out.note(format!("{files} rewritten. Read the difference before you keep it, for example with git diff."))?;
            return Ok(Exit::Fine);
        }
        out.note("If what comes out is right, keep it with --rewrite. If it is not, you have found something.")?;
        Ok(Exit::Refused)
    }

    /// The files that are named, and those in the folders that are named.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for path in &self.files {
            if path.is_dir() {
                let before = found.len();
                collect(path, &mut found)?;
                if found.len() == before {
                    return Err(Problem::usage(format!("there is no scenario in {}", path.display()))
                        .hint("scenarios are files whose name ends in .toml; docs/scenarios.md shows one")
                        .into());
                }
            } else {
                found.push(path.clone());
            }
        }
        let mut wanted = Vec::new();
        for path in found {
            if self.is_about(&path)? {
                wanted.push(path);
            }
        }
        if let (Some(rule), true) = (&self.rule, wanted.is_empty()) {
            return Err(Problem::usage(format!("no scenario there is about {rule}"))
                .hint("docs/rules.md lists the rules; the folder tests/scenarios has a scenario for each")
                .into());
        }
        Ok(wanted)
    }

    /// Whether a file names the rule that is asked for; every file does where none is.
    fn is_about(&self, path: &Path) -> anyhow::Result<bool> {
        let Some(rule) = &self.rule else { return Ok(true) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        let scenario = reading::read(&name, &text)
            .map_err(|error| Problem::usage(format!("{error:#}")).hint("docs/scenarios.md explains every word"))?;
        Ok(scenario.rules.iter().any(|named| named.eq_ignore_ascii_case(rule)))
    }

    /// Plays one file; true when it says what it is expected to say.
    fn one(&self, path: &Path, briefly: bool, json: bool, out: &mut Output) -> anyhow::Result<bool> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        let played = Played::of(&name, &text)
            .map_err(|error| Problem::usage(format!("{error:#}")).hint("docs/scenarios.md explains every word"))?;
        let differences = played.differences();
        let rewritten = self.rewrite && !differences.is_empty();
        if rewritten {
            let text = comparing::rewritten(&text, &played.computed);
            std::fs::write(path, text).with_context(|| format!("cannot write {name}"))?;
        }
        if json {
            out.ndjson(&answer(&name, &played, &differences, rewritten))?;
        } else {
            print(&name, &played, &differences, briefly, out)?;
        }
        Ok(differences.is_empty())
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let list = || format!("cannot list {}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(list)? {
        paths.push(entry.with_context(list)?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(())
}

fn answer<'a>(file: &'a str, played: &'a Played, differences: &[Difference], rewritten: bool) -> Answer<'a> {
    let (expected, computed) = (&played.expected, &played.computed);
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(computed.keys()).collect();
    let table = |name: &'a String| TableAnswer {
        table: name,
        as_expected: expected.get(name) == computed.get(name),
        expected: expected.get(name).map(String::as_str),
        computed: computed.get(name).map(String::as_str),
    };
    let shows = played.scenario.shows.iter().map(|shows| ShowsAnswer {
        rule: &shows.rule,
        how: match shows.how {
            How::Passes => "passes",
            How::Bites => "bites",
        },
    });
    Answer {
        schema: "pec.scenario.v1",
        file,
        title: &played.scenario.title,
        rules: &played.scenario.rules,
        shows: shows.collect(),
        rules_version: domain::policy::RULES_VERSION,
        as_expected: differences.is_empty(),
        rewritten,
        tables: names.into_iter().map(table).collect(),
    }
}

/// What each expected table is about, for people.
fn caption(table: &str) -> String {
    match table {
        "expect" => "Days: what was used, and whether its credit was earned".to_owned(),
        "expect_lines" => "Lines of the invoice".to_owned(),
        "expect_findings" => "What does not add up".to_owned(),
        "expect_issued" => "Documents that were issued".to_owned(),
        other => match other.strip_prefix("expect as of ") {
            Some(day) => format!("Days, as we would have said at the end of {day}"),
            None => other.to_owned(),
        },
    }
}

fn print(
    name: &str,
    played: &Played,
    differences: &[Difference],
    briefly: bool,
    out: &mut Output,
) -> anyhow::Result<()> {
    out.heading(&played.scenario.title)?;
    let verdict = if differences.is_empty() { "as expected" } else { "NOT as expected" };
    out.line(format!("{name} · rules {} · {verdict}", played.scenario.rules.join(", ")))?;
    if differences.is_empty() && briefly {
        return Ok(());
    }
    for (table, text) in &played.computed {
        if differences.iter().all(|difference| difference.table != *table) {
            out.line(format!("\n{} — as expected", caption(table)))?;
            out.line(text.trim_end())?;
        }
    }
    for difference in differences {
        out.line(format!("\n{} — differs (- expected, + comes out)", caption(&difference.table)))?;
        for line in &difference.lines {
            match line {
                Marked::Both(text) => out.line(format!("  {text}"))?,
                Marked::Expected(text) => out.line(format!("- {text}"))?,
                Marked::Computed(text) => {
                    let text = out.bold(text);
                    out.line(format!("+ {text}"))?;
                }
            }
        }
    }
    Ok(())
}
