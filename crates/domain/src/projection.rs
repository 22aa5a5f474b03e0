//! One fold: live, replay, as-of and what-if differ only in the entries they pass to it.

use crate::entry::Entry;

/// State that is derived from entries.
pub trait Projection: Default {
    /// Takes one more entry into account. Total: whatever does not add up becomes a finding when
    /// somebody asks, never an error here.
    fn apply(&mut self, entry: &Entry);

    /// Hears of entries that will be applied next, in their order, as far as they are known: to get
    /// ready. What is heard here, or not, changes no state that anybody can see.
    fn expect(&mut self, _next: &[Entry]) {}

    /// How many entries it is worth hearing of together.
    const AHEAD: usize = 1;
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

    /// Takes entries that are all there.
    ///
    /// # Panics
    /// As [`Fold::apply`] does.
    pub fn apply_all(&mut self, entries: &[Entry]) {
        for some in entries.chunks(P::AHEAD) {
            self.state.expect(some);
            some.iter().for_each(|entry| self.apply(entry));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Event, Fact, Outcome};
    use crate::period::Day;

    /// Remembers where each entry stood.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Seen(Vec<(u64, u32)>);

    impl Projection for Seen {
        fn apply(&mut self, entry: &Entry) {
            self.0.push((entry.position, entry.index));
        }
    }

    fn entry(position: u64, index: u32) -> Entry {
        let fact =
            Fact { identity: Default::default(), digest: Default::default(), event: Event::Unreadable("R-json") };
        let (recorded_at, outcome) = (Day(0).start(), Outcome::Quarantined);
        Entry { position, index, recorded_at, outcome, fact, antecedent: None, incumbent: None }
    }

    /// Several facts of one position come together; positions without any are left out or skipped, and
    /// what is read next is always the one after the last.
    #[test]
    fn a_fold_goes_forward_and_knows_how_far_it_has_read() {
        let mut fold = Fold::beginning(Seen(vec![(9, 9)]));
        assert_eq!((fold.next(), &fold.state().0[..]), (0, &[(9, 9)][..]));
        let read: [Result<Entry, ()>; 4] = [Ok(entry(3, 0)), Ok(entry(3, 1)), Ok(entry(3, 2)), Ok(entry(5, 0))];
        fold.advance(read).unwrap();
        assert_eq!(fold.next(), 6);
        assert_eq!(fold.state().0, [(9, 9), (3, 0), (3, 1), (3, 2), (5, 0)]);
        fold.skip_to(8);
        assert_eq!(fold.next(), 8);
        fold.skip_to(7);
        assert_eq!(fold.next(), 8, "it never goes back");
        fold.apply(&entry(8, 0));
        assert_eq!((fold.next(), fold.state().0.len()), (9, 6));
    }

    /// A read that fails is the caller's to hear of; what came before it is taken in.
    #[test]
    fn a_fold_stops_at_what_cannot_be_read() {
        let mut fold: Fold<Seen> = Fold::default();
        assert_eq!(fold.advance([Ok(entry(0, 0)), Err("torn"), Ok(entry(1, 0))]), Err("torn"));
        assert_eq!((fold.next(), &fold.state().0[..]), (1, &[(0, 0)][..]));
    }

    #[test]
    #[should_panic(expected = "once and in order: 4.0 after 5")]
    fn an_entry_that_comes_twice_is_a_bug() {
        let mut fold: Fold<Seen> = Fold::default();
        fold.apply(&entry(4, 0));
        fold.apply(&entry(4, 0));
    }

    #[test]
    #[should_panic(expected = "once and in order: 3.1 after 5")]
    fn an_entry_of_an_earlier_position_is_a_bug() {
        let mut fold: Fold<Seen> = Fold::default();
        fold.apply(&entry(4, 0));
        fold.apply(&entry(3, 1));
    }
}
