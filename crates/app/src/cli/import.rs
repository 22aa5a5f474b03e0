//! `pec import`: files of events into the journal, by the same decoders that read Kafka.
//!
//! Importing a file twice is harmless: every event has an identity, and a known one is counted as
//! a duplicate. Appended in batches, each durable before the next.

mod tables;

use std::path::{Path, PathBuf};

use clap::Args;
use domain::entry::Stream;
use domain::period::{Day, Instant, Period};
use engine::Recorded;
use journal::files::{self, FileCoordinates, FileFault};
use journal::wire::Message;
use journal::{Batch, Origin};
use serde::Serialize;

use super::start::fault;
use super::{Context, Versions, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, left, right, table, thousands};

/// A batch is appended when its messages reach this many bytes.
const BATCH_BYTES: usize = 4 << 20;
/// Or this many messages, so that progress shows on small ones too.
const BATCH_MESSAGES: usize = 20_000;

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec import usage.jsonl\n  pec import activity-log.json --stream access\n  pec import prices-US-202601.zip rates.csv --published-at 2025-12-31T18:00:00Z\n  pec import roles.csv --effective-from 2026-02-01"
)]
pub struct Import {
    /// JSON, JSON lines, CSV; plain, gzip or zip
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
    records: u64,
    accepted: u64,
    duplicate: u64,
    conflicting: u64,
    quarantined: u64,
    late: u64,
}

impl Import {
    /// Before a journal is made or a server asked: a misspelt name must leave nothing behind.
    pub fn files_are_there(&self) -> Result<(), Problem> {
        let readable = |file: &PathBuf| match std::fs::File::open(file)?.metadata()?.is_dir() {
            true => Err(std::io::Error::from(std::io::ErrorKind::IsADirectory)),
            false => Ok(()),
        };
        for file in &self.files {
            readable(file).map_err(|error| {
                Problem::usage(format!("cannot read {}: {error}", file.display()))
                    .hint("check the path; a relative one starts where you are")
            })?;
        }
        Ok(())
    }

    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let mut list = table(&["file", "records", "accepted", "duplicate", "conflicting", "quarantined", "late"]);
        let mut unreadable = 0;
        for file in &self.files {
            let said = tables::Said {
                month: self.month,
                published_at: self.published_at,
                effective_from: self.effective_from,
            };
            let imported = import(&context.path(file), self.stream, said, context, out)?;
            unreadable += imported.quarantined;
            if context.json {
                out.ndjson(&imported)?;
            } else {
                let Imported {
                    schema: _,
                    versions: _,
                    file,
                    records,
                    accepted,
                    duplicate,
                    conflicting,
                    quarantined,
                    late,
                } = imported;
                let numbers = [records, accepted, duplicate, conflicting, quarantined, late];
                list.add_row(std::iter::once(left(file)).chain(numbers.map(|number| right(thousands(number)))));
            }
        }
        if !context.json {
            align_right(&mut list, &[1, 2, 3, 4, 5, 6]);
            out.table(list)?;
        }
        let answers = engine::orders::answer(context.ledger, crate::answers::ACTOR).map_err(fault)?;
        if !answers.is_empty() {
            let refused = answers.iter().filter(|answer| !answer.accepted).count();
            let orders = crate::output::count(answers.len() as u64, "order");
            out.note(format!("{orders} answered, {refused} refused: pec customer show ID says what is missing"))?;
        }
        if unreadable > 0 {
            out.note(format!("{} could not be read: pec quarantine list", crate::output::count(unreadable, "event")))?;
        }
        Ok(Exit::Fine)
    }
}

fn import(
    path: &Path,
    hint: Option<Stream>,
    said: tables::Said,
    context: &Context<'_>,
    out: &mut Output,
) -> anyhow::Result<Imported> {
    let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
    let style = indicatif::ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}");
    bar.set_style(style.expect("the template is a literal"));
    bar.set_message(path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
    let late_before = context.ledger.facts().map_err(fault)?.counts.late;
    let mut batch = Batch::new();
    let mut total = Recorded::default();
    let mut append = |batch: &mut Batch| -> Result<(), engine::Fault> {
        let recorded = context.ledger.append(std::mem::take(batch))?;
        total.accepted += recorded.accepted;
        total.duplicate += recorded.duplicate;
        total.conflicting += recorded.conflicting;
        total.quarantined += recorded.quarantined;
        Ok(())
    };
    let mut sink = |message: Message, at: FileCoordinates| -> Result<(), engine::Fault> {
        let origin = Origin::File { name: at.name, digest: at.digest, ordinal: at.ordinal };
        batch.push(origin, &message.borrow(&message.header_refs()));
        if batch.bytes() >= BATCH_BYTES || batch.len() >= BATCH_MESSAGES { append(&mut batch) } else { Ok(()) }
    };
    let mut progress = |done, due| {
        bar.set_length(due);
        bar.set_position(done);
    };
    let records = match tables::read(path, said)? {
        Some(messages) => {
            let records = messages.len() as u64;
            for (origin, message) in messages {
                batch.push(origin, &message.borrow(&message.header_refs()));
            }
            records
        }
        None => {
            let read = files::read_file_with_progress(path, hint, &mut progress, &mut sink);
            bar.finish_and_clear();
            let report = read.map_err(|error| not_read(path, &error))?;
            if report.ends_early {
                out.note(format!("{} ends in the middle of a record: is it complete?", path.display()))?;
            }
            report.records
        }
    };
    if !batch.is_empty() {
        append(&mut batch).map_err(fault)?;
    }
    let (late, versions) = {
        let facts = context.ledger.facts().map_err(fault)?;
        (facts.counts.late - late_before, Versions::of(&facts))
    };
    Ok(Imported {
        schema: "pec.import.v1",
        versions,
        file: path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
        records,
        accepted: total.accepted,
        duplicate: total.duplicate,
        conflicting: total.conflicting,
        quarantined: total.quarantined,
        late,
    })
}

/// A file that was not read to its end. What was appended before stays; importing again is harmless.
fn not_read(path: &Path, error: &FileFault) -> Problem {
    let what = format!("cannot import {}: {error}", path.display());
    match error {
        FileFault::Stopped { source, .. } => match source.downcast_ref::<engine::Fault>() {
            Some(stopped) => Problem::fault(format!("{what}: {stopped}")).hint(stopped.hint()),
            None => Problem::fault(format!("{what}: {source}")),
        },
        FileFault::Io { .. } | FileFault::Changed { .. } => {
            Problem::fault(what).hint("check the path and the permissions, then import the file again")
        }
        FileFault::UnknownStream { .. } => Problem::usage(what).hint("for example: pec import FILE --stream usage"),
        _ => Problem::usage(what).hint("schemas/README.md says what can be imported; pec import --help has examples"),
    }
}
