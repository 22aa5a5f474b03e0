//! Looking ahead: in which series the next few events of usage will probably be counted.
//!
//! There are series by the hundred thousand, and the next event belongs to any of them: most of the
//! time of counting it is waiting for memory, step by step from the event to its series. Taken one
//! step at a time for many events together, the waits overlap.
//!
//! What is found is a guess. Whoever counts compares it in full and asks the tables where it does not
//! hold, so no result can depend on whether, or how far, somebody looked ahead.

use super::intern::{Interned, Place, Series};
use crate::entry::{Entry, EntryRef, Event, Usage};
use crate::period::Instant;
use crate::scope::Scope;

/// How many entries are worth looking at together: enough for the waits to overlap, and few enough
/// that what was fetched is still near the processor when it is counted.
pub(crate) const TOGETHER: usize = 32;

/// Guesses about the entries that come next, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    guesses: Vec<(EntryRef, u32)>,
    /// How many of them are behind us.
    taken: usize,
}

/// An event that names its resource, as nearly all do; the others are not worth a guess.
fn usage_of(entry: &Entry) -> Option<(&Usage, &Scope)> {
    let Event::UsageRecorded(usage) = &entry.fact.event else { return None };
    Some((usage, usage.resource.as_ref()?))
}

impl Ahead {
    /// Guesses for the next entries, at most [`TOGETHER`] of them, and forgets those made before.
    /// `sent` says which time of sending keeps an event apart from others.
    pub(super) fn look(
        &mut self,
        entries: &[Entry],
        (series, places): (&Interned<Series>, &Interned<Place>),
        sent: impl Fn(&Usage) -> Option<Instant>,
    ) {
        self.guesses.clear();
        self.taken = 0;
        let mut hashes = [None; TOGETHER];
        for (hash, entry) in hashes.iter_mut().zip(entries) {
            *hash = usage_of(entry).map(|(usage, scope)| series.hash_of(usage, scope, sent(usage)));
        }
        let mut found = [None; TOGETHER];
        for (found, hash) in found.iter_mut().zip(&hashes) {
            *found = hash.and_then(|hash| series.first(hash));
        }
        let mut place = [None; TOGETHER];
        for (place, found) in place.iter_mut().zip(&found) {
            *place = found.map(|found| series.get(found).place);
        }
        // Comparing a little of each place fetches it, and its scope.
        for ((entry, found), place) in entries.iter().zip(&found).zip(&place) {
            let (Some((usage, scope)), Some(found), Some(place)) = (usage_of(entry), found, place) else { continue };
            let place = places.get(*place);
            if place.subscription == usage.subscription && place.scope.ends_like(scope) {
                self.guesses.push((entry.at(), *found));
            }
        }
    }

    /// The series that was guessed for an entry.
    pub(super) fn guess(&mut self, at: EntryRef) -> Option<u32> {
        let behind = self.guesses[self.taken..].iter().take_while(|(told, _)| *told < at).count();
        self.taken += behind;
        let (told, series) = self.guesses.get(self.taken)?;
        (*told == at).then_some(*series)
    }
}
