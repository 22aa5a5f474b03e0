//! What is at stake a day, resource by resource: the figure beside every loss that goes on.
//!
//! The *burn* of a resource is the mean credit potential of its last complete days with usage:
//! at most [`DAYS`] of them, none older than [`LOOK_BACK`] days. Credit potential of a day is list
//! charge × rate over everything of it that access could earn, exact, whether or not access did.
//! The sum and the number of days are exact; only their quotient gives up digits, after the
//! fifteenth decimal. A resource without usage in that time has no burn, which is not a burn of
//! zero.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::Guid;
use domain::money::{Exact, Rounding};
use domain::period::{Day, Period};
use domain::rating::{Access, Asked, Desk};
use domain::scope::Scope;

use crate::books::Books;
use crate::side_by_side;

/// How many days with usage are averaged, at most.
pub const DAYS: usize = 7;
/// How far back a day may lie to tell anything about today.
pub const LOOK_BACK: i32 = 31;
/// Decimals of a figure per day.
const DECIMALS: u32 = 15;

/// Where credit is judged: the subscription and the scope within it.
pub type Place = (Guid, Scope);

/// The credit potential of some days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Burn {
    /// Exact, in the pricing currency, over all of `days`.
    pub credit: Exact,
    /// Days with usage that were added up.
    pub days: u32,
}

impl Burn {
    /// Credit potential of one day, cut after the fifteenth decimal.
    #[must_use]
    pub fn per_day(&self) -> Exact {
        let days = Exact::from(rust_decimal::Decimal::from(self.days));
        self.credit.divide(&days, DECIMALS, Rounding::TowardZero).unwrap_or_default()
    }
}

/// The burns of a subscription's resources.
pub type OfOne = BTreeMap<Scope, Burn>;

/// What was at stake, by place and day: looked up by reference, for there is a piece for every cell.
type AtStake = BTreeMap<Guid, BTreeMap<Scope, BTreeMap<Day, Exact>>>;

/// The burn of every resource as it stood when the day `before` began.
#[must_use]
pub fn burns(books: &Books<'_>, before: Day) -> BTreeMap<Place, Burn> {
    let by_subscription = under(&books.desk, before, &|_| true).into_iter();
    let flat = |(subscription, scopes): (Guid, OfOne)| {
        scopes.into_iter().map(move |(scope, burn)| ((subscription, scope), burn))
    };
    by_subscription.flat_map(flat).collect()
}

/// The burns under some plans, by subscription: whole for each one that never stood under another plan. Plans
/// are rated on every core: none needs another.
pub(crate) fn under(desk: &Desk<'_>, before: Day, wanted: &dyn Fn(&Guid) -> bool) -> BTreeMap<Guid, OfOne> {
    let mut at_stake = AtStake::new();
    for bill_to in partners(desk) {
        let weights: Vec<(Guid, usize)> = desk.weights(bill_to).into_iter().filter(|(plan, _)| wanted(plan)).collect();
        if weights.is_empty() {
            continue;
        }
        let parts = side_by_side::each(&weights, &|dealt| of_plans(desk, bill_to, before, dealt));
        parts.into_iter().for_each(|part| join(&mut at_stake, part));
    }
    let burn = |by_day: BTreeMap<Day, Exact>| {
        let newest = by_day.values().rev().take(DAYS);
        Burn { days: u32::try_from(newest.len()).expect("at most a handful"), credit: newest.sum() }
    };
    let of_one = |scopes: BTreeMap<Scope, BTreeMap<Day, Exact>>| {
        let burns = scopes.into_iter().map(|(scope, by_day)| (scope, burn(by_day)));
        burns.filter(|(_, burn)| !burn.credit.is_zero()).collect()
    };
    at_stake.into_iter().map(|(subscription, scopes)| (subscription, of_one(scopes))).collect()
}

/// The partners that plans are billed to.
pub(crate) fn partners(desk: &Desk<'_>) -> BTreeSet<Guid> {
    desk.commerce.plans().map(|plan| plan.bill_to).collect()
}

fn of_plans(desk: &Desk<'_>, bill_to: Guid, before: Day, plans: &BTreeSet<Guid>) -> AtStake {
    let mut at_stake = AtStake::new();
    // Access does not matter here: what counts is what it could have earned.
    let mut earning = |_: &Asked<'_>, days: &[Day]| vec![Access::Earned; days.len()];
    for period in months(before) {
        desk.pieces(bill_to, period, &|plan| plans.contains(&plan), &mut earning, &mut |piece| {
            if piece.day < before && piece.day.0 >= before.0 - LOOK_BACK {
                let scopes = at_stake.entry(piece.subscription).or_default();
                if !scopes.contains_key(piece.scope) {
                    scopes.insert(piece.scope.clone(), BTreeMap::new());
                }
                let by_day = scopes.get_mut(piece.scope).expect("it was put there if it was missing");
                *by_day.entry(piece.day).or_default() += &piece.credit_at_stake();
            }
        });
    }
    at_stake
}

/// A resource that changed plans has days under each of them.
fn join(whole: &mut AtStake, part: AtStake) {
    for (subscription, scopes) in part {
        let known = whole.entry(subscription).or_default();
        for (scope, by_day) in scopes {
            let days = known.entry(scope).or_default();
            for (day, credit) in by_day {
                *days.entry(day).or_default() += &credit;
            }
        }
    }
}

/// The months that the look back touches.
fn months(before: Day) -> Vec<Period> {
    let (mut month, last) = (Day(before.0 - LOOK_BACK).period(), Day(before.0 - 1).period());
    let mut months = Vec::new();
    while month <= last {
        months.push(month);
        month = month.next();
    }
    months
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_cut_after_the_fifteenth_decimal_and_its_parts_stay_exact() {
        let burn = Burn { credit: Exact::one(), days: 3 };
        assert_eq!(burn.per_day().to_string(), "0.333333333333333");
        assert_eq!(Burn { credit: Exact::parse("0.7").unwrap(), days: 7 }.per_day(), Exact::parse("0.1").unwrap());
    }

    #[test]
    fn the_look_back_crosses_months() {
        let day = |text: &str| Day::parse(text).unwrap();
        let names = |before| months(before).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(day("2026-03-01")), ["2026-01", "2026-02"]);
        assert_eq!(names(day("2026-03-15")), ["2026-02", "2026-03"]);
    }
}
