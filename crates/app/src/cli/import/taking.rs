//! One file into the journal: its records in batches, or its table as the events of a publisher.

use std::path::Path;

use domain::entry::Stream;
use engine::{Ledger, Recorded};
use journal::files::{self, FileCoordinates, FileFault};
use journal::wire::Message;
use journal::{Batch, Origin};

use super::refused::Refused;
use super::tables;
use crate::cli::Context;
use crate::cli::start::fault;
use crate::output::Output;

/// A batch is appended when its messages reach this many bytes.
const BATCH_BYTES: usize = 4 << 20;
/// Or this many messages, so that progress shows on small ones too.
const BATCH_MESSAGES: usize = 20_000;

/// A file, and what the command line says about it.
pub(super) struct Taking<'a> {
    pub(super) path: &'a Path,
    pub(super) hint: Option<Stream>,
    pub(super) said: tables::Said,
}

/// What came of a file. Where it is refused after its first records, those stay.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) records: u64,
    pub(super) recorded: Recorded,
    pub(super) late: u64,
    pub(super) ends_early: bool,
    pub(super) refused: Option<Refused>,
}

/// The journal's batches, and what came of them.
struct Batches<'a> {
    ledger: &'a Ledger,
    batch: Batch,
    taken: Taken,
}

impl Batches<'_> {
    fn push(&mut self, origin: Origin, message: &Message) -> Result<(), engine::Fault> {
        self.batch.push(origin, &message.borrow(&message.header_refs()));
        self.taken.records += 1;
        let full = self.batch.bytes() >= BATCH_BYTES || self.batch.len() >= BATCH_MESSAGES;
        if full { self.append() } else { Ok(()) }
    }

    fn append(&mut self) -> Result<(), engine::Fault> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let count = self.batch.len() as u64;
        let recorded = self
            .ledger
            .append(std::mem::replace(&mut self.batch, Batch::with_room(BATCH_BYTES)))
            .inspect_err(|_| {
                // What was not made durable was not taken.
                self.taken.records -= count;
            })?;
        let total = &mut self.taken.recorded;
        total.accepted += recorded.accepted;
        total.duplicate += recorded.duplicate;
        total.conflicting += recorded.conflicting;
        total.quarantined += recorded.quarantined;
        Ok(())
    }
}

impl Taking<'_> {
    /// Reads the file into the journal, as far as it goes.
    pub(super) fn take(&self, context: &Context<'_>, out: &Output) -> anyhow::Result<Taken> {
        let ledger = context.ledger;
        let late_before = ledger.facts().map_err(fault)?.counts.late;
        let mut batches = Batches { ledger, batch: Batch::with_room(BATCH_BYTES), taken: Taken::default() };
        let refused = match tables::read(self.path, self.said) {
            Err(refused) => Some(refused),
            Ok(Some(messages)) => {
                let mut pushed = messages.into_iter().map(|(origin, message)| batches.push(origin, &message));
                pushed.find_map(Result::err).map(|error| Refused::fault(&error))
            }
            Ok(None) => self.records(&mut batches, out),
        };
        // What was read before a file turned out to be broken is kept, and said.
        let appended = if refused.as_ref().is_some_and(|one| one.stops) { Ok(()) } else { batches.append() };
        let refused = refused.or_else(|| appended.as_ref().err().map(Refused::fault));
        let mut taken = batches.taken;
        taken.late = ledger.facts().map_err(fault)?.counts.late - late_before;
        Ok(Taken { refused, ..taken })
    }

    fn records(&self, batches: &mut Batches<'_>, out: &Output) -> Option<Refused> {
        let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
        let style = indicatif::ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}");
        bar.set_style(style.expect("the template is a literal"));
        bar.set_message(tables::file_name(self.path));
        let mut progress = |done, due| {
            bar.set_length(due);
            bar.set_position(done);
        };
        let mut sink = |message: Message, at: FileCoordinates| {
            batches.push(Origin::File { name: at.name, digest: at.digest, ordinal: at.ordinal }, &message)
        };
        let read = files::read_file_with_progress(self.path, self.hint, &mut progress, &mut sink);
        bar.finish_and_clear();
        match read {
            Ok(report) => {
                batches.taken.ends_early = report.ends_early;
                None
            }
            Err(error) => Some(Refused::file(&error)),
        }
    }

    /// Why nothing of the file could be taken; `None` as soon as something could.
    pub(super) fn refused(&self) -> Option<Refused> {
        match tables::read(self.path, self.said) {
            Err(refused) => Some(refused),
            Ok(Some(_)) => None,
            Ok(None) => {
                let mut first = |_, _| Err(std::io::Error::other("one is enough"));
                match files::read_file(self.path, self.hint, &mut first) {
                    Ok(_) | Err(FileFault::Stopped { .. }) => None,
                    Err(error) => Some(Refused::file(&error)),
                }
            }
        }
    }
}
