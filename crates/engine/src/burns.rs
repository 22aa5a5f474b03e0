//! Burns that are kept from one look to the next, so that an end of everything need not wait for the rating of
//! everything.
//!
//! A burn is kept together with the [`Stamp`] of all that it rests on, and given out only while the facts give
//! that same stamp and the same day is asked for: what is not known to hold is rated again. So an answer never
//! depends on what was kept, only the time that it takes. Kept burns belong to the facts of one ledger; they
//! serve no question about facts that are supposed.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::Guid;
use domain::period::Day;
use domain::rating::{Desk, Stamp};

use crate::burn::{self, OfOne};

/// Burns of one ledger's resources, as they stood when a day began.
#[derive(Debug, Default)]
pub struct Burns {
    before: Option<Day>,
    known: BTreeMap<Guid, Known>,
}

#[derive(Debug)]
struct Known {
    stamp: Stamp,
    burns: OfOne,
}

/// How the facts of one question stand: what the burns of each subscription rest on, and under which plans it
/// ever stood.
struct Standing {
    stamps: BTreeMap<Guid, Stamp>,
    plans: BTreeMap<Guid, BTreeSet<Guid>>,
}

impl Burns {
    /// Brings the burns of some subscriptions up to date, of all if none are named.
    pub fn refresh(&mut self, desk: &Desk<'_>, before: Day, only: Option<&BTreeSet<Guid>>) {
        self.refresh_some(desk, before, only, usize::MAX);
    }

    /// The same for who must not be kept: stops after the plan with which so many series of usage are rated.
    /// Says whether all are up to date.
    pub fn refresh_some(&mut self, desk: &Desk<'_>, before: Day, only: Option<&BTreeSet<Guid>>, enough: usize) -> bool {
        if self.before != Some(before) {
            *self = Self { before: Some(before), known: BTreeMap::new() };
        }
        let standing = Standing::of(desk);
        let stale = standing.stamps.iter().filter(|(subscription, stamp)| {
            only.is_none_or(|only| only.contains(subscription))
                && self.known.get(subscription).is_none_or(|known| known.stamp != **stamp)
        });
        let (mut plans, mut series, mut all) = (BTreeSet::new(), 0, true);
        for (subscription, _) in stale {
            let theirs = &standing.plans[subscription];
            all = series < enough || theirs.is_subset(&plans);
            if !all {
                break;
            }
            series += desk.usage_of(*subscription).len();
            plans.extend(theirs);
        }
        self.rate(desk, before, &standing, &plans);
        all
    }

    /// Rates plans, and keeps the burns of every subscription that never stood under another one.
    fn rate(&mut self, desk: &Desk<'_>, before: Day, standing: &Standing, plans: &BTreeSet<Guid>) {
        if plans.is_empty() {
            return;
        }
        let mut rated = burn::under(desk, before, &|plan| plans.contains(plan));
        for (subscription, _) in standing.plans.iter().filter(|(_, theirs)| theirs.is_subset(plans)) {
            let burns = rated.remove(subscription).unwrap_or_default();
            self.known.insert(*subscription, Known { stamp: standing.stamps[subscription], burns });
        }
    }

    /// The burns of a subscription whose burns were just brought up to date.
    #[must_use]
    pub fn of(&self, subscription: Guid) -> Option<&OfOne> {
        self.known.get(&subscription).map(|known| &known.burns)
    }
}

impl Standing {
    fn of(desk: &Desk<'_>) -> Self {
        let mut by_plan: BTreeMap<Guid, Stamp> = BTreeMap::new();
        for (plan, stamp) in burn::partners(desk).into_iter().flat_map(|bill_to| desk.stamps(bill_to)) {
            by_plan.entry(plan).and_modify(|known| *known = known.and(stamp)).or_insert(stamp);
        }
        let (mut stamps, mut plans) = (BTreeMap::new(), BTreeMap::new());
        for (subscription, placed) in desk.commerce.subscriptions() {
            let theirs: BTreeSet<Guid> = placed.iter().map(|placement| placement.plan).collect();
            let stamp = theirs.iter().filter_map(|plan| by_plan.get(plan).copied()).reduce(Stamp::and);
            if let Some(stamp) = stamp {
                stamps.insert(subscription, stamp);
                plans.insert(subscription, theirs);
            }
        }
        Self { stamps, plans }
    }
}
