//! Which grants are ours, at which customers and when: what a report over all grants asks one by one.
//!
//! A grant is ours for a subscription while that stands under a plan billed to one of the partners asked
//! about, by the judge's own word; an inherited one is looked at in every subscription below it.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::GrantId;
use domain::commerce::Placement;
use domain::ids::Guid;
use domain::pec::PlaceId;
use domain::period::Interval;
use domain::scope::Scope;
use engine::books::Books;

/// What of one grant is ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    pub customers: BTreeSet<Guid>,
    pub when: Vec<Interval>,
}

/// Answers for partners that plans are billed to, and for one customer or all. What reaches a place is looked
/// up once.
pub(super) struct Ours {
    placed: Vec<(Guid, Placement)>,
    at: BTreeMap<(PlaceId, Interval), BTreeMap<GrantId, Vec<Interval>>>,
}

impl Ours {
    pub(super) fn new(books: &Books<'_>, partners: &[Guid], customer: Option<Guid>) -> Self {
        let wanted = |placement: &&Placement| {
            partners.contains(&placement.bill_to) && customer.is_none_or(|customer| placement.customer == customer)
        };
        let placed = books.commerce.subscriptions().flat_map(|(subscription, placements)| {
            placements.iter().filter(wanted).map(move |placement| (subscription, placement.clone()))
        });
        Self { placed: placed.collect(), at: BTreeMap::new() }
    }

    /// What of a grant is ours; empty where nothing is.
    pub(super) fn share(&mut self, books: &mut Books<'_>, id: GrantId) -> Share {
        let scope = books.judge.grants().grant(id).scope.clone();
        let own = scope.subscription();
        let mut share = Share::default();
        for (subscription, placement) in self.placed.iter().filter(|(one, _)| own.is_none_or(|own| own == *one)) {
            let seen_at = if own.is_some() { scope.clone() } else { Scope::subscription_of(*subscription) };
            let place = books.judge.place(*subscription, placement, &seen_at);
            let reaching = self.at.entry((place, placement.interval)).or_insert_with(|| reach(books, place, placement));
            if let Some(when) = reaching.get(&id) {
                share.customers.insert(placement.customer);
                share.when.extend(when);
            }
        }
        share
    }
}

/// The grants of ours that reach a place while its subscription stands under a plan.
fn reach(books: &mut Books<'_>, place: PlaceId, placement: &Placement) -> BTreeMap<GrantId, Vec<Interval>> {
    let mut reaching: BTreeMap<GrantId, Vec<Interval>> = BTreeMap::new();
    let timeline = books.judge.timeline(place, &[placement.interval]);
    for row in timeline.held.into_iter().filter(|row| row.ours) {
        reaching.entry(row.holding.grant).or_default().extend(row.held);
    }
    reaching.retain(|_, when| !when.is_empty());
    reaching
}
