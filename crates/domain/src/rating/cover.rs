//! Coverage: units of usage that a reservation or savings plan pays for.
//!
//! Covered units are taken off a resource's day before tiers are drawn: they cost nothing, earn
//! nothing and do not advance the counter. What covers more than was used is named, never ignored.

use std::collections::BTreeMap;

use super::Notes;
use super::cells::Cell;
use crate::charges::Coverage;
use crate::entry::Benefit;
use crate::finding::{About, Code};
use crate::ids::Guid;
use crate::money::Quantity;
use crate::period::{Day, Period};

/// A resource's day of one counter: group, day of the month, spot.
type Key = (u32, u8, u32);

/// What covers which resource's day. Empty for nearly every plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Covers<'a> {
    by_key: BTreeMap<Key, Vec<(&'a Coverage, Quantity)>>,
}

impl<'a> Covers<'a> {
    pub(super) fn add(&mut self, key: Key, coverage: &'a Coverage) {
        self.by_key.entry(key).or_default().push((coverage, coverage.quantity));
    }

    /// Spots have other numbers once they are in order.
    pub(super) fn renumber(&mut self, spots: &[u32]) {
        let before = std::mem::take(&mut self.by_key);
        for ((group, day, spot), mut covers) in before {
            covers.sort_by_key(|(coverage, _)| (coverage.benefit, &coverage.order, coverage.quantity));
            self.by_key.insert((group, day, spots[spot as usize]), covers);
        }
    }

    /// RATE-10: the units of a cell that are covered, reservations first: a quantity without money and
    /// without credit, which does not advance the tier counter. Source: reservations and savings plans
    /// in daily rated usage (2022-11-08); excluded from partner earned credit (2023-04-13).
    pub(super) fn take(&mut self, cell: &Cell) -> Vec<(Benefit, Quantity)> {
        if self.by_key.is_empty() || cell.quantity.is_negative() {
            return Vec::new();
        }
        let Some(covers) = self.by_key.get_mut(&(cell.group, cell.day, cell.spot)) else { return Vec::new() };
        let mut rest = cell.quantity;
        let mut taken = Vec::new();
        for (coverage, left) in covers {
            let part = rest.min(*left);
            if !part.is_zero() {
                taken.push((coverage.benefit, part));
                *left = *left - part;
                rest = rest - part;
            }
        }
        taken
    }

    /// More cover than usage stops the closing.
    pub(super) fn leftovers(&self, plan: Guid, period: Period, notes: &mut Notes) {
        for ((_, day, _), covers) in &self.by_key {
            for (coverage, left) in covers.iter().filter(|(_, left)| !left.is_zero()) {
                overcovered(coverage, plan, Day(period.first_day().0 + i32::from(*day)), *left, notes);
            }
        }
    }
}

pub(super) fn overcovered(coverage: &Coverage, plan: Guid, day: Day, left: Quantity, notes: &mut Notes) {
    let about = About {
        customer: Some(coverage.customer),
        plan: Some(plan),
        subscription: Some(coverage.subscription),
        resource: Some(coverage.scope.clone()),
        meter: Some(coverage.item.meter.clone()),
        day: Some(day),
        ..notes.about()
    };
    let detail = format!("order `{}` covers {} units, {left} more than were used", coverage.order, coverage.quantity);
    notes.note(Code::Overcovered, about, detail);
}
