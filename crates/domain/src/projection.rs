//! One fold: live, replay, as-of and what-if differ only in the entries they pass to it.

use crate::entry::Entry;

/// State that is derived from entries.
pub trait Projection: Default {
    /// Takes one more entry into account. Total: whatever does not add up becomes a finding when
    /// somebody asks, never an error here.
    fn apply(&mut self, entry: &Entry);
}

/// A projection together with how far it has read.
#[derive(Clone, Debug, Default)]
pub struct Fold<P> {
    state: P,
    next: u64,
}

impl<P: Projection> Fold<P> {
    /// A fold that begins with this state, before the first position.
    #[must_use]
    pub fn beginning(state: P) -> Self {
        Self { state, next: 0 }
    }

    /// Moves forward. Entries of one position arrive together and in order of their index;
    /// positions arrive in order and none is left out unless `entries` itself leaves it out because
    /// it carries no event (see [`Fold::skip_to`]).
    pub fn advance<E>(&mut self, entries: impl IntoIterator<Item = Result<Entry, E>>) -> Result<(), E> {
        for entry in entries {
            self.apply(&entry?);
        }
        Ok(())
    }

    /// Takes one entry.
    ///
    /// # Panics
    /// When entries come twice or out of order: a bug of the caller.
    pub fn apply(&mut self, entry: &Entry) {
        assert!(
            entry.position >= self.next || (entry.index > 0 && entry.position + 1 == self.next),
            "entries must be folded once and in order: {} after {}",
            entry.at(),
            self.next
        );
        self.state.apply(entry);
        self.next = entry.position + 1;
    }

    /// Notes that all positions before `next` are taken in, also those without an event.
    pub fn skip_to(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// The first position that is not yet taken in.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    #[must_use]
    pub fn state(&self) -> &P {
        &self.state
    }
}
