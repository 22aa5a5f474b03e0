//! `pec import`: files of events into the journal, by the same decoders that read Kafka.
//!
//! Importing a file twice is harmless: every event has an identity, and a known one is counted as
//! a duplicate. Appended in batches, each durable before the next. A file that is refused does not
//! take its neighbours along: each is tried, and each is accounted for.

mod refused;
mod stdin;
mod tables;
mod taking;

use std::path::{Path, PathBuf};

use clap::Args;
use domain::entry::Stream;
use domain::period::{Day, Instant, Period};
use serde::Serialize;

use self::refused::Refused;
pub use self::stdin::Spooled;
use self::taking::{Taken, Taking};
use super::start::fault;
use super::{Context, Versions, period};
use crate::exit::Exit;
use crate::output::{Output, align_right, count, left, right, table, thousands};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec import usage.jsonl\n  pec import activity-log.json --stream access\n  pec import prices-US-202601.zip rates.csv --published-at 2025-12-31T18:00:00Z\n  pec import roles.csv --effective-from 2026-02-01\n  zcat usage.jsonl.gz | pec import -\n\nEvery file is tried, also after one that is refused. Exit code: 0 all were read, also where records\nare quarantined, conflicting or none; 1 a file was refused; 2 a path or an option is wrong; 3 a fault.\nschemas/README.md, section Files, says what is read."
)]
pub struct Import {
    /// JSON, JSON lines, CSV; plain, gzip or zip; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files carry, where their content does not say: usage, access, commerce, reference
    #[arg(long, value_parser = stream)]
    stream: Option<Stream>,
    /// When price sheets and exchange rates were published; their files do not say it
    #[arg(long, value_parser = period::as_of, value_name = "WHEN")]
    published_at: Option<Instant>,
    /// The month that a price sheet prices, where its name does not say it (…202601…)
    #[arg(long, value_parser = period::period, value_name = "MONTH")]
    month: Option<Period>,
    /// The first day of a table of roles (`RoleName`, `RoleDefinitionId`, `PecEligible`)
    #[arg(long, value_parser = period::day, value_name = "DAY")]
    effective_from: Option<Day>,
}

fn stream(text: &str) -> Result<Stream, String> {
    Stream::parse(text).ok_or_else(|| "write usage, access, commerce or reference".to_owned())
}

/// One line of `schemas/output/import.v1.json`.
#[derive(Serialize)]
struct Imported {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    file: String,
    /// `read`, `in-part`, `refused` or `not-tried`.
    outcome: &'static str,
    records: u64,
    accepted: u64,
    duplicate: u64,
    conflicting: u64,
    quarantined: u64,
    late: u64,
    problem: Option<ProblemAnswer>,
}

/// Why a file was not read, or not to its end.
#[derive(Serialize)]
struct ProblemAnswer {
    code: Option<&'static str>,
    what: String,
    hint: String,
}

impl Import {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let mut tried = Vec::new();
        let mut stopped = false;
        for file in &self.files {
            let path = context.path(file);
            let taken = if stopped { Taken::default() } else { self.taking(&path).take(context, out)? };
            let not_tried = stopped;
            stopped |= taken.refused.as_ref().is_some_and(|refused| refused.stops);
            let answer =
                answered(self.name(file), &taken, not_tried, Versions::of(&*context.ledger.facts().map_err(fault)?));
            if context.json {
                out.ndjson(&answer)?;
            }
            tried.push((answer, taken));
        }
        if !context.json {
            print(&tried, out)?;
        }
        let exit = complain(&tried, out)?;
        note_orders(context, out)?;
        note_waiting(&tried, out)?;
        Ok(exit)
    }

    /// Answers without a journal where no file has anything to put into one: a misspelt directory
    /// must not come to look like a journal. `None` where at least one file can be read.
    pub fn refused_without_journal(
        &self,
        directory: &Path,
        json: bool,
        out: &mut Output,
    ) -> anyhow::Result<Option<Exit>> {
        let mut tried = Vec::new();
        for file in &self.files {
            let path = directory.join(file);
            let Some(refused) = self.taking(&path).refused() else { return Ok(None) };
            let taken = Taken { refused: Some(refused), ..Taken::default() };
            let versions = Versions { rules_version: domain::policy::RULES_VERSION, policy_revision: 0 };
            tried.push((answered(self.name(file), &taken, false, versions), taken));
        }
        if json {
            tried.iter().try_for_each(|(answer, _)| out.ndjson(answer))?;
        }
        complain(&tried, out).map(Some)
    }

    /// What a file is called, and its whole path where another one is called the same.
    fn name(&self, file: &Path) -> String {
        let alike = self.files.iter().filter(|other| other.file_name() == file.file_name()).count() > 1;
        if alike { file.display().to_string() } else { tables::file_name(file) }
    }

    fn taking<'a>(&self, path: &'a Path) -> Taking<'a> {
        let said =
            tables::Said { month: self.month, published_at: self.published_at, effective_from: self.effective_from };
        Taking { path, hint: self.stream, said }
    }
}

fn answered(file: String, taken: &Taken, not_tried: bool, versions: Versions) -> Imported {
    let outcome = match &taken.refused {
        _ if not_tried => "not-tried",
        None => "read",
        Some(_) if taken.records > 0 => "in-part",
        Some(_) => "refused",
    };
    let problem = |refused: &Refused| ProblemAnswer {
        code: refused.code,
        what: refused.what.clone(),
        hint: refused.hint.clone(),
    };
    Imported {
        schema: "pec.import.v1",
        versions,
        file,
        outcome,
        records: taken.records,
        accepted: taken.recorded.accepted,
        duplicate: taken.recorded.duplicate,
        conflicting: taken.recorded.conflicting,
        quarantined: taken.recorded.quarantined,
        late: taken.late,
        problem: taken.refused.as_ref().map(problem),
    }
}

/// What was taken, file by file; what was not is complained of below it.
fn print(tried: &[(Imported, Taken)], out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["file", "records", "accepted", "duplicate", "conflicting", "quarantined", "late"]);
    let read = || tried.iter().map(|(answer, _)| answer).filter(|one| matches!(one.outcome, "read" | "in-part"));
    for one in read() {
        let numbers = [one.records, one.accepted, one.duplicate, one.conflicting, one.quarantined, one.late];
        list.add_row(std::iter::once(left(&one.file)).chain(numbers.map(|number| right(thousands(number)))));
    }
    if read().next().is_some() {
        align_right(&mut list, &[1, 2, 3, 4, 5, 6]);
        out.table(list)?;
    }
    Ok(())
}

/// Every file that was not read, or not to its end; the gravest exit code of all.
fn complain(tried: &[(Imported, Taken)], out: &mut Output) -> anyhow::Result<Exit> {
    let mut exit = Exit::Fine;
    for (answer, taken) in tried {
        let file = &answer.file;
        if let Some(refused) = &taken.refused {
            out.note(format!(
                "error: {file} is {}: {}",
                if taken.records > 0 { "read in part" } else { "not read" },
                refused.said()
            ))?;
            out.note(format!(" hint: {}", refused.hint))?;
            if refused.exit.code() > exit.code() {
                exit = refused.exit;
            }
        } else if answer.outcome == "not-tried" {
            out.note(format!("error: {file} was not tried"))?;
        } else if taken.records == 0 {
            out.note(format!("{file} holds no records"))?;
        } else if taken.ends_early {
            out.note(format!("{file} ends in the middle of a record: is it complete?"))?;
        }
    }
    Ok(exit)
}

fn note_orders(context: &Context<'_>, out: &mut Output) -> anyhow::Result<()> {
    let answers = engine::orders::answer(context.ledger, crate::answers::ACTOR).map_err(fault)?;
    if !answers.is_empty() {
        let refused = answers.iter().filter(|answer| !answer.accepted).count();
        let orders = count(answers.len() as u64, "order");
        out.note(format!("{orders} answered, {refused} refused: pec customer show ID says what is missing"))?;
    }
    Ok(())
}

/// What now waits for a person.
fn note_waiting(tried: &[(Imported, Taken)], out: &mut Output) -> anyhow::Result<()> {
    let of = |number: fn(&Imported) -> u64| tried.iter().map(|(answer, _)| number(answer)).sum::<u64>();
    let (unreadable, conflicting) = (of(|one| one.quarantined), of(|one| one.conflicting));
    if unreadable > 0 {
        out.note(format!("{} could not be read: pec quarantine list", count(unreadable, "event")))?;
    }
    if conflicting > 0 {
        let bodies = count(conflicting, "event");
        out.note(format!("{bodies} told before with other content: closing waits for a decision, pec conflicts list"))?;
    }
    Ok(())
}
