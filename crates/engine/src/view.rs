//! The four views: live, replay, as-of and what-if are one fold over different entries.
//!
//! Live is the [`crate::Ledger`]'s own fold. As-of cuts by when we recorded something, never by
//! when it was true; what-if adds entries that are never appended.

use domain::entry::{Entry, Event, Fact, Outcome, PolicyDocument};
use domain::facts::Facts;
use domain::ids::{Digest, Identity};
use domain::period::Instant;
use domain::projection::Fold;
use journal::Reader;

use crate::fault::Fault;

/// How often progress is told, in positions.
const PROGRESS_EVERY: u64 = 4096;

/// Folds everything before `to` (the end, if absent).
pub fn replay(reader: &Reader, to: Option<u64>, progress: &mut dyn FnMut(u64, u64)) -> Result<Fold<Facts>, Fault> {
    replay_watching(reader, to, progress, &mut |_| {})
}

/// The same, with somebody who sees every entry go by.
pub(crate) fn replay_watching(
    reader: &Reader,
    to: Option<u64>,
    progress: &mut dyn FnMut(u64, u64),
    watch: &mut dyn FnMut(&Entry),
) -> Result<Fold<Facts>, Fault> {
    let end = to.map_or(reader.end(), |to| to.min(reader.end()));
    let fold = fold_until(Fold::default(), reader, end, progress, watch)?;
    again_if_sent_is_lacking(fold, reader, progress)
}

/// Folds once more, keeping times of sending, where a policy wants those that the fold let go: rarely
/// more than once in the life of a journal, and only where that policy was told after usage.
pub(crate) fn again_if_sent_is_lacking(
    fold: Fold<Facts>,
    reader: &Reader,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Fold<Facts>, Fault> {
    if !fold.state().usage.lacks_sent() {
        return Ok(fold);
    }
    fold_until(Fold::beginning(Facts::keeping_sent()), reader, fold.next(), progress, &mut |_| {})
}

fn fold_until(
    mut fold: Fold<Facts>,
    reader: &Reader,
    end: u64,
    progress: &mut dyn FnMut(u64, u64),
    watch: &mut dyn FnMut(&Entry),
) -> Result<Fold<Facts>, Fault> {
    let mut told = 0;
    for chunk in reader.chunks(0) {
        let chunk = chunk?;
        let due = &chunk[..chunk.partition_point(|entry| entry.position < end)];
        due.iter().for_each(&mut *watch);
        fold.apply_all(due);
        match chunk.last() {
            Some(last) if last.position >= end => break,
            Some(last) if last.position >= told => {
                progress(last.position, end);
                told = last.position + PROGRESS_EVERY;
            }
            _ => {}
        }
    }
    progress(end, end);
    fold.skip_to(end);
    Ok(fold)
}

/// What we knew at an instant: entries recorded until then, folded by today's rules.
pub fn as_of(reader: &Reader, at: Instant, progress: &mut dyn FnMut(u64, u64)) -> Result<Fold<Facts>, Fault> {
    refuse_before_restore(reader, at)?;
    let end = reader.end();
    let mut fold = Fold::default();
    for entry in reader.entries(0) {
        let entry = entry?;
        if entry.recorded_at > at {
            break;
        }
        fold.apply(&entry);
        if entry.position.is_multiple_of(PROGRESS_EVERY) {
            progress(entry.position, end);
        }
    }
    progress(end, end);
    again_if_sent_is_lacking(fold, reader, progress)
}

/// A restore from Kafka is among the first entries of its journal: before it, Kafka delivered what
/// we had learnt at times that it does not keep.
fn refuse_before_restore(reader: &Reader, asked: Instant) -> Result<(), Fault> {
    const FIRST_POSITIONS: u64 = 16;
    for entry in reader.entries(0) {
        let entry = entry?;
        if entry.position >= FIRST_POSITIONS {
            break;
        }
        if let Event::Restored(restored) = &entry.fact.event
            && &*restored.from == "kafka"
            && asked < restored.decision.at
        {
            return Err(Fault::BeforeRestore { asked, restored: restored.decision.at });
        }
    }
    Ok(())
}

/// The facts of which a policy document can be supposed, where these ones are not: a policy that places usage by
/// the time it was sent asks for times that facts keep only where a policy of the journal does. Then the journal
/// is folded once more.
pub fn for_policy(
    reader: &Reader,
    facts: &Fold<Facts>,
    document: &PolicyDocument,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Fold<Facts>>, Fault> {
    if facts.state().usage.keeps_sent() || !crate::suppose::needs_sent(document) {
        return Ok(None);
    }
    let keeping = Fold::beginning(Facts::keeping_sent());
    fold_until(keeping, reader, facts.next(), progress, &mut |_| {}).map(Some)
}

/// The same facts with supposed events added. Nothing is appended; the facts given stay as they are. A policy is
/// supposed of what [`for_policy`] gives, if it gives anything.
#[must_use]
pub fn what_if(facts: &Fold<Facts>, supposed: impl IntoIterator<Item = Event>, now: Instant) -> Fold<Facts> {
    let mut fold = facts.clone();
    for (number, event) in (0_u128..).zip(supposed) {
        // A supposed event has no body to hash; its number is name enough where nothing is kept.
        let mut digest = Digest::default();
        digest.0[..16].copy_from_slice(&number.to_be_bytes());
        fold.apply(&Entry {
            position: fold.next(),
            index: 0,
            recorded_at: now,
            outcome: Outcome::Accepted,
            fact: Fact { identity: Identity(u128::MAX - number), digest, event },
            antecedent: None,
            incumbent: None,
        });
    }
    fold
}
