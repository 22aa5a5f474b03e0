//! Identities: whether a fact was told before, and where. Kept for ever.
//!
//! Identities of the active segment lie in a hash table (about 33 bytes a slot); those of sealed
//! segments in sorted runs on disk. The table is never iterated for a result, only looked up.
//! A conflicting body is remembered too: told again, it is a duplicate of itself.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};

use domain::entry::{EntryRef, Outcome};
use domain::ids::Identity;

use crate::fault::Fault;

/// One remembered fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Known {
    pub(crate) identity: Identity,
    /// A further body of an identity whose first one was accepted.
    pub(crate) conflicting: bool,
    pub(crate) at: EntryRef,
    /// The first eight bytes of its content digest.
    pub(crate) short: u64,
}

/// What the table keeps for an identity: 16 bytes beside the 16 of the key.
#[derive(Clone, Copy)]
struct Slot {
    short: u64,
    /// Counted from the first position of the segment.
    position: u32,
    index: u32,
}

/// What is decided about a fact.
pub(crate) struct Decided {
    pub(crate) outcome: Outcome,
    /// The first accepted fact of the identity, where this is not it.
    pub(crate) first: Option<EntryRef>,
}

/// Where every fact was first told.
pub(crate) struct Identities {
    base: u64,
    table: hashbrown::HashMap<Identity, Slot, Mixer>,
    conflicts: BTreeMap<Identity, Vec<Known>>,
}

impl Identities {
    pub(crate) fn new(base: u64) -> Self {
        Self { base, table: hashbrown::HashMap::with_hasher(Mixer), conflicts: BTreeMap::new() }
    }

    /// Decides a fact and remembers it if it says something new.
    pub(crate) fn decide(&mut self, identity: Identity, short: u64, at: EntryRef) -> Result<Decided, Fault> {
        let Some((first, known)) = self.first(identity)? else {
            self.remember(Known { identity, conflicting: false, at, short });
            return Ok(Decided { outcome: Outcome::Accepted, first: None });
        };
        if known == short || self.is_known_conflict(identity, short)? {
            return Ok(Decided { outcome: Outcome::Duplicate, first: Some(first) });
        }
        self.remember(Known { identity, conflicting: true, at, short });
        Ok(Decided { outcome: Outcome::Conflicting, first: Some(first) })
    }

    /// The first accepted fact of an identity, with its short digest.
    pub(crate) fn first(&self, identity: Identity) -> Result<Option<(EntryRef, u64)>, Fault> {
        let slot = self.table.get(&identity);
        Ok(slot.map(|slot| {
            let at = EntryRef { position: self.base + u64::from(slot.position), index: slot.index };
            (at, slot.short)
        }))
    }

    fn is_known_conflict(&self, identity: Identity, short: u64) -> Result<bool, Fault> {
        Ok(self.conflicts.get(&identity).is_some_and(|bodies| bodies.iter().any(|body| body.short == short)))
    }

    /// Takes in what a frame says it remembered.
    pub(crate) fn remember(&mut self, known: Known) {
        if known.conflicting {
            self.conflicts.entry(known.identity).or_default().push(known);
            return;
        }
        let position = u32::try_from(known.at.position - self.base)
            .expect("a segment is rotated long before it holds 2^32 messages");
        self.table.insert(known.identity, Slot { short: known.short, position, index: known.at.index });
    }

    /// How many facts of the active segment are remembered.
    pub(crate) fn active(&self) -> u64 {
        self.table.len() as u64
    }
}

/// Identities are BLAKE3 output: a few of their bits are hash enough. Multiplying spreads them, so
/// that whoever grinds ids for equal low bits gains little.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mixer;

impl BuildHasher for Mixer {
    type Hasher = Mixed;
    fn build_hasher(&self) -> Mixed {
        Mixed(0)
    }
}

pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0.rotate_left(8) ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn write_u128(&mut self, value: u128) {
        let folded = (value as u64) ^ ((value >> 64) as u64);
        self.0 = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> EntryRef {
        EntryRef { position, index: 0 }
    }

    #[test]
    fn told_again_is_a_duplicate_and_told_otherwise_a_conflict() {
        let mut identities = Identities::new(100);
        let id = Identity(7);
        let mut decide = |short, position| {
            let decided = identities.decide(id, short, at(position)).unwrap();
            (decided.outcome, decided.first)
        };
        assert_eq!(decide(1, 100), (Outcome::Accepted, None));
        assert_eq!(decide(1, 101), (Outcome::Duplicate, Some(at(100))));
        assert_eq!(decide(2, 102), (Outcome::Conflicting, Some(at(100))));
        assert_eq!(decide(2, 103), (Outcome::Duplicate, Some(at(100))));
        assert_eq!(decide(1, 104), (Outcome::Duplicate, Some(at(100))));
        assert_eq!(decide(3, 105), (Outcome::Conflicting, Some(at(100))));
        assert_eq!(identities.active(), 1);
    }
}
