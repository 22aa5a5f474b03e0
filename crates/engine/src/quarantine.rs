//! Messages that could not be read: what waits, and reading one again after a fix.
//!
//! A quarantined entry stays what it is for ever. A re-drive is a new position, whose further
//! entries are what the old message yields now; so the past is not rewritten.

use std::collections::BTreeMap;

use domain::entry::{Decision, Entry, EntryRedriven, EntryRef, Event, FilePlace, KafkaPlace, MessageName, Outcome};
use domain::period::Instant;
use journal::{Origin, Reader, Record};

use crate::decision::Name;
use crate::fault::Fault;
use crate::ledger::{Ledger, Recorded};

/// One entry that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantined {
    pub at: EntryRef,
    pub recorded_at: Instant,
    /// Stable, `R-…`.
    pub code: &'static str,
    /// The re-drive that made it readable, if one did.
    pub redriven: Option<EntryRef>,
}

/// What was quarantined so far, kept as entries go by, so that nobody reads a journal to count it.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    found: BTreeMap<EntryRef, Quarantined>,
    /// The newest re-drive: its position, and the entry that it reads again.
    redrive: Option<(u64, EntryRef)>,
}

impl Waiting {
    pub(crate) fn note(&mut self, entry: &Entry) {
        match &entry.fact.event {
            Event::Unreadable(code) if entry.index == 0 || self.redrive.is_none_or(|(at, _)| at != entry.position) => {
                let waiting = Quarantined { at: entry.at(), recorded_at: entry.recorded_at, code, redriven: None };
                self.found.insert(entry.at(), waiting);
            }
            Event::EntryRedriven(decision) if entry.outcome == Outcome::Accepted => {
                self.redrive = Some((entry.position, decision.entry));
            }
            _ => self.note_success(entry),
        }
    }

    /// A further entry of a re-drive's position that could be read: the old one waits no longer.
    fn note_success(&mut self, entry: &Entry) {
        if let Some((position, target)) = self.redrive
            && position == entry.position
            && entry.outcome != Outcome::Quarantined
            && let Some(waiting) = self.found.get_mut(&target)
        {
            waiting.redriven = Some(EntryRef { position, index: 0 });
        }
    }
}

/// Every quarantined entry, in order, with what became of it.
pub fn list(ledger: &Ledger) -> Result<Vec<Quarantined>, Fault> {
    ledger.with_waiting(|waiting| waiting.found.values().cloned().collect())
}

/// The message behind an entry, verbatim, with why it cannot be read today (if it still cannot).
pub fn show(reader: &Reader, at: EntryRef) -> Result<Option<(Record, Option<(String, String)>)>, Fault> {
    let Some(record) = reader.record(at.position)? else { return Ok(None) };
    let headers = record.message.header_refs();
    let items = journal::wire::decode(&record.message.borrow(&headers));
    let rejection = match items.into_iter().nth(at.index as usize) {
        Some(Err(rejection)) => Some((rejection.code.to_owned(), rejection.detail)),
        _ => None,
    };
    Ok(Some((record, rejection)))
}

/// Reads a quarantined entry again. The answer counts what it yields now, besides the re-drive.
pub fn redrive(ledger: &Ledger, at: EntryRef, actor: &str, reason: &str) -> Result<Recorded, Fault> {
    let now = ledger.clock().now()?;
    let decision = Decision { actor: actor.into(), reason: reason.into(), at: now };
    let nanos = now.timestamp_subsec_nanos();
    let name = Name::new(format!("entry-redriven/{at}/{}.{nanos:09}", now.timestamp()));
    let message = ledger.reader().record(at.position)?.map(named);
    let redriven = EntryRedriven { entry: at, message, decision };
    let mut recorded = ledger.decide(&[(name, Event::EntryRedriven(redriven))])?;
    recorded.accepted = recorded.accepted.saturating_sub(1);
    Ok(recorded)
}

/// What a message is called in every journal: its digest, and where it came from.
fn named(record: Record) -> MessageName {
    let digest = journal::message_digest(&record.message.borrow(&record.message.header_refs()));
    let (kafka, file) = match record.origin {
        Origin::Kafka { topic, partition, offset, .. } => {
            // Kafka counts both from 0.
            let (partition, offset) = (partition.unsigned_abs(), offset.unsigned_abs());
            (Some(KafkaPlace { topic: (*topic).into(), partition, offset }), None)
        }
        Origin::File { name, digest, ordinal } => {
            (None, Some(FilePlace { name: (*name).into(), digest, record: ordinal }))
        }
        Origin::Here => (None, None),
    };
    MessageName { digest, kafka, file }
}
