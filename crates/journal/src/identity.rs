//! Identities: whether a fact was told before, and where. Kept for ever.
//!
//! Identities of the active segment lie in a hash table (about 33 bytes a slot); those of sealed
//! segments in sorted runs on disk. What a table holds leaves it sorted, never in the table's order.
//! A conflicting body is remembered too: told again, it is a duplicate of itself.

mod run;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use domain::entry::{EntryRef, Outcome};
use domain::ids::Identity;

use crate::fault::Fault;
pub(crate) use run::Run;

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

#[expect(clippy::disallowed_types, reason = "its order is never seen; half the memory of an ordered map")]
type Slots = hashbrown::HashMap<Identity, Slot, Mixer>;

/// A table is so many small ones, by the leading bits of the identities: growing one moves few slots and
/// needs little memory beside it, and so does sorting what it holds.
const SHARES: usize = 16;

fn share(identity: Identity) -> usize {
    (identity.0 >> 124) as usize
}

/// Where the facts of one segment were first told.
pub(crate) struct Table {
    /// The first position of the segment.
    base: u64,
    shares: [Slots; SHARES],
    conflicts: BTreeMap<Identity, Vec<Known>>,
}

impl Table {
    pub(crate) fn new(base: u64) -> Self {
        Self { base, shares: std::array::from_fn(|_| Slots::with_hasher(Mixer)), conflicts: BTreeMap::new() }
    }

    /// How many identities it knows.
    fn identities_known(&self) -> usize {
        self.shares.iter().map(Slots::len).sum()
    }

    /// How many facts it remembers.
    pub(crate) fn len(&self) -> usize {
        self.identities_known() + self.conflicts.values().map(Vec::len).sum::<usize>()
    }

    /// Everything that is remembered, a share after the other, in order.
    fn sorted(&self) -> impl Iterator<Item = Known> + '_ {
        self.shares.iter().enumerate().flat_map(|(number, slots)| {
            let mut known: Vec<Known> = slots.iter().map(|(identity, slot)| self.known(*identity, *slot)).collect();
            let conflicts = self.conflicts.iter().filter(|(identity, _)| share(**identity) == number);
            known.extend(conflicts.flat_map(|(_, told)| told));
            known.sort_unstable();
            known
        })
    }

    /// Every identity, those with several bodies more than once, in no order.
    fn identities(&self) -> impl Iterator<Item = Identity> + '_ {
        self.shares.iter().flat_map(|slots| slots.keys().copied()).chain(self.conflicts.keys().copied())
    }

    fn known(&self, identity: Identity, slot: Slot) -> Known {
        Known { identity, conflicting: false, at: self.at(slot), short: slot.short }
    }

    fn at(&self, slot: Slot) -> EntryRef {
        EntryRef { position: self.base + u64::from(slot.position), index: slot.index }
    }

    fn first(&self, identity: Identity) -> Option<(EntryRef, u64)> {
        let slot = self.shares[share(identity)].get(&identity)?;
        Some((self.at(*slot), slot.short))
    }

    fn holds_conflict(&self, identity: Identity, short: u64) -> bool {
        self.conflicts.get(&identity).is_some_and(|bodies| bodies.iter().any(|body| body.short == short))
    }

    pub(crate) fn remember(&mut self, known: Known) {
        if known.conflicting {
            self.conflicts.entry(known.identity).or_default().push(known);
            return;
        }
        let position = u32::try_from(known.at.position - self.base)
            .expect("a segment is rotated long before it holds 2^32 messages");
        let slot = Slot { short: known.short, position, index: known.at.index };
        self.shares[share(known.identity)].insert(known.identity, slot);
    }
}

/// Where every fact was first told.
pub(crate) struct Identities {
    active: Table,
    /// Of segments that are being sealed, by number, until their runs are there.
    frozen: BTreeMap<u32, Arc<Table>>,
    /// Of sealed segments, by number.
    runs: BTreeMap<u32, Run>,
}

impl Identities {
    /// `base` is the first position of the active segment.
    pub(crate) fn new(base: u64) -> Self {
        Self { active: Table::new(base), frozen: BTreeMap::new(), runs: BTreeMap::new() }
    }

    /// Decides a fact and remembers it if it says something new.
    pub(crate) fn decide(&mut self, identity: Identity, short: u64, at: EntryRef) -> Result<Decided, Fault> {
        let Some((first, known)) = self.first(identity)? else {
            self.active.remember(Known { identity, conflicting: false, at, short });
            return Ok(Decided { outcome: Outcome::Accepted, first: None });
        };
        if known == short || self.holds_conflict(identity, short)? {
            return Ok(Decided { outcome: Outcome::Duplicate, first: Some(first) });
        }
        self.active.remember(Known { identity, conflicting: true, at, short });
        Ok(Decided { outcome: Outcome::Conflicting, first: Some(first) })
    }

    /// Asks for identities that will be decided next, a few dozen of them: each lies somewhere else in a
    /// large table, and the waits for memory overlap where they are asked for one right after the other.
    pub(crate) fn look_ahead(&self, next: impl Iterator<Item = Identity>) {
        let known = next.filter(|identity| {
            self.active.shares[share(*identity)].contains_key(identity)
                || self.runs.values().any(|run| run.may_hold(*identity))
        });
        std::hint::black_box(known.count());
    }

    /// The first accepted fact of an identity, with its short digest. The newest segments are asked
    /// first: what comes again mostly comes soon.
    pub(crate) fn first(&self, identity: Identity) -> Result<Option<(EntryRef, u64)>, Fault> {
        let frozen = self.frozen.values().rev().map(Arc::as_ref);
        let mut tables = std::iter::once(&self.active).chain(frozen);
        if let Some(found) = tables.find_map(|table| table.first(identity)) {
            return Ok(Some(found));
        }
        for run in self.runs.values().rev() {
            if let Some(known) = run.lookup(identity)?.into_iter().find(|known| !known.conflicting) {
                return Ok(Some((known.at, known.short)));
            }
        }
        Ok(None)
    }

    fn holds_conflict(&self, identity: Identity, short: u64) -> Result<bool, Fault> {
        let mut tables = std::iter::once(&self.active).chain(self.frozen.values().map(Arc::as_ref));
        if tables.any(|table| table.holds_conflict(identity, short)) {
            return Ok(true);
        }
        for run in self.runs.values() {
            if run.lookup(identity)?.iter().any(|known| known.conflicting && known.short == short) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes in what a frame of the active segment says it remembered.
    pub(crate) fn remember(&mut self, known: Known) {
        self.active.remember(known);
    }

    /// Begins a new active segment; the table of the one before stays until its run is adopted.
    pub(crate) fn freeze(&mut self, segment: u32, base: u64) -> Arc<Table> {
        let before = Arc::new(std::mem::replace(&mut self.active, Table::new(base)));
        self.frozen.insert(segment, Arc::clone(&before));
        before
    }

    /// Lets a run stand for the table of a segment that is sealed by now.
    pub(crate) fn adopt(&mut self, segment: u32, run: Run) {
        self.runs.insert(segment, run);
        self.frozen.remove(&segment);
    }

    /// How many facts are remembered, those in memory only, and the bytes of filters in memory and
    /// of runs on disk.
    pub(crate) fn figures(&self) -> Figures {
        let in_tables =
            self.active.identities_known() + self.frozen.values().map(|table| table.identities_known()).sum::<usize>();
        let mut figures = Figures { in_tables: in_tables as u64, ..Figures::default() };
        for run in self.runs.values() {
            let (memory, disk) = run.costs();
            figures.in_runs += run.records;
            figures.filter_bytes += memory;
            figures.run_bytes += disk;
        }
        figures
    }

    /// How many facts the active segment has brought.
    pub(crate) fn active(&self) -> u64 {
        self.active.identities_known() as u64
    }
}

/// What remembering costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub in_tables: u64,
    pub in_runs: u64,
    /// Memory of the filters and fences of all runs.
    pub filter_bytes: u64,
    /// Disk of all runs.
    pub run_bytes: u64,
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

    /// Shares are not equally full; a step more for half of them would cost half as much memory again.
    #[test]
    fn a_full_segment_fills_the_shares_that_it_has_grown_to() {
        let mut table = Table::new(0);
        let full = crate::Options::default().segment_identities;
        for number in 0..full {
            let hash = blake3::hash(&number.to_le_bytes());
            let identity = Identity(u128::from_le_bytes(*hash.as_bytes().first_chunk().unwrap()));
            table.remember(Known { identity, conflicting: false, at: at(number), short: 0 });
        }
        assert_eq!(table.len() as u64, full);
        for slots in &table.shares {
            assert_eq!(slots.capacity(), (1 << 18) / 8 * 7, "{} identities", slots.len());
            assert!(slots.len() * 100 > slots.capacity() * 95, "{} identities", slots.len());
        }
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

    #[test]
    fn sealed_segments_are_remembered_as_the_active_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut identities = Identities::new(0);
        let id = Identity(7 << 90);
        identities.decide(id, 1, at(0)).unwrap();
        identities.decide(id, 2, at(1)).unwrap();
        let frozen = identities.freeze(1, 2);
        let decide =
            |identities: &mut Identities, short, position| identities.decide(id, short, at(position)).unwrap().outcome;
        assert_eq!(decide(&mut identities, 2, 2), Outcome::Duplicate);
        assert_eq!(decide(&mut identities, 3, 3), Outcome::Conflicting);
        identities.adopt(1, Run::build(&dir.path().join("00000001"), 1, [0; 32], &frozen).unwrap());
        assert_eq!(decide(&mut identities, 1, 4), Outcome::Duplicate);
        assert_eq!(decide(&mut identities, 2, 5), Outcome::Duplicate);
        assert_eq!(decide(&mut identities, 3, 6), Outcome::Duplicate);
        assert_eq!(decide(&mut identities, 4, 7), Outcome::Conflicting);
        assert_eq!(identities.first(id).unwrap().map(|(first, _)| first), Some(at(0)));
    }
}
