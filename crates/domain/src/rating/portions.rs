//! Portions of usage that lie in several cells.
//!
//! A resource's day with one meter is one cell, unless its reseller of record changed within the day, its
//! meter was used as several products, or its subscription was sold on another offer. Whether anything was
//! charged is asked of the whole portion all the same, so what its cells come to is added up first.

use std::collections::BTreeMap;

use super::cells::{Cell, Cells};
use super::pricing::Pricing;
use crate::ids::MeterId;
use crate::money::Exact;

/// A resource's day with one meter: its first spot, the day, its first tier counter.
type Key = (u32, u8, u32);

/// The list charges of what is paid as it goes, of portions that lie in several cells. Empty for nearly
/// every plan.
#[derive(Debug, Default)]
pub(super) struct Portions {
    /// The first spot of the same resource, for every spot.
    spots: Vec<u32>,
    /// The first counter of the same meter, for every counter.
    groups: BTreeMap<u32, u32>,
    lists: BTreeMap<Key, Exact>,
}

impl Portions {
    /// The portions of a plan's month that lie in several cells, with nothing added up yet.
    pub(super) fn scattered(cells: &Cells<'_>, pricing: &Pricing<'_>) -> Self {
        let spots = first_spots(cells);
        let mut meters: BTreeMap<&MeterId, u32> = BTreeMap::new();
        let mut groups: BTreeMap<u32, u32> = BTreeMap::new();
        for counter in cells.cells.chunk_by(|one, next| one.group == next.group) {
            let group = counter[0].group;
            groups.insert(group, *meters.entry(pricing.meter(group)).or_insert(group));
        }
        let same_cell =
            |pair: &[Cell]| (pair[0].group, pair[0].day, pair[0].spot) == (pair[1].group, pair[1].day, pair[1].spot);
        let alone = spots.iter().zip(0..).all(|(first, spot)| *first == spot)
            && groups.iter().all(|(group, first)| group == first)
            && !cells.cells.windows(2).any(same_cell);
        if alone {
            return Self::default();
        }
        let mut found = Self { spots, groups, lists: BTreeMap::new() };
        let mut keys: Vec<Key> = cells.cells.iter().map(|cell| found.key(cell)).collect();
        keys.sort_unstable();
        let several = keys.chunk_by(PartialEq::eq).filter(|same| same.len() > 1);
        found.lists = several.map(|same| (same[0], Exact::zero())).collect();
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// What the portion of a cell comes to, where it lies in several.
    pub(super) fn of(&self, cell: &Cell) -> Option<&Exact> {
        if self.is_empty() { None } else { self.lists.get(&self.key(cell)) }
    }

    pub(super) fn of_mut(&mut self, cell: &Cell) -> Option<&mut Exact> {
        let key = self.key(cell);
        self.lists.get_mut(&key)
    }

    fn key(&self, cell: &Cell) -> Key {
        (self.spots[cell.spot as usize], cell.day, self.groups[&cell.group])
    }
}

/// Spots lie in order of their resources, so those of one resource follow each other.
fn first_spots(cells: &Cells<'_>) -> Vec<u32> {
    let mut firsts: Vec<u32> = Vec::with_capacity(cells.spots.len());
    for (number, spot) in (0_u32..).zip(&cells.spots) {
        let before = firsts.last().filter(|_| cells.spots[number as usize - 1].scope == spot.scope);
        firsts.push(before.copied().unwrap_or(number));
    }
    firsts
}
