//! Leaks: resources that earned credit until some access ended, and lose it from then on.
//!
//! A resource *leaks* at an instant when it is in use (it has a [`Burn`]), something qualified for
//! it before, and nothing does at that instant. The leak is *since* the end of the last span that
//! qualified, or since the transfer that left its access with another partner. It is over when
//! something qualifies again, whatever the rest of that day loses. All of it is a pure function of
//! the facts and the instant; who remembers what was told is somebody else's affair.

use std::collections::{BTreeMap, BTreeSet};

use domain::commerce::{Began, Placement};
use domain::entry::{Event, Stream};
use domain::ids::{Guid, Identity};
use domain::pec::{Loss, LostCode, PlaceId};
use domain::period::{Day, Instant, Interval};
use domain::scope::Scope;

use crate::books::Books;
use crate::burn::{self, Burn, LOOK_BACK};

/// One resource that loses credit, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    pub subscription: Guid,
    pub resource: Scope,
    pub customer: Guid,
    pub plan: Guid,
    pub bill_to: Guid,
    pub since: Instant,
    pub reason: LostCode,
    pub burn: Burn,
    /// The events behind the reason.
    pub events: Vec<Identity>,
    /// What would restore it, worded for whoever can do it.
    pub remedy: String,
}

/// What was found at an instant.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In order of subscription and resource.
    pub leaks: Vec<Leak>,
    /// The next instant at which access that qualifies now is known to end, by subscription.
    pub ends: BTreeMap<Guid, Instant>,
}

/// What an event may change about access.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Concern {
    Subscription(Guid),
    /// Every subscription of a customer.
    Customer(Guid),
    Everything,
}

/// What has to be looked at again after an event; `None` for nearly all of them. An event whose
/// reach is not obvious concerns everything: looking twice costs less than a leak unseen.
#[must_use]
pub fn concern(event: &Event) -> Option<Concern> {
    let of_scope = |scope: &Scope| scope.subscription().map_or(Concern::Everything, Concern::Subscription);
    Some(match event {
        Event::UsageRecorded(_) | Event::UsageAdjusted(_) | Event::UsageVoided(_) | Event::OtherActivity(_) => {
            return None;
        }
        Event::AssignmentCreated(body) => of_scope(&body.scope),
        Event::AssignmentDeleted(body) => of_scope(&body.scope),
        Event::AssignmentsListed(body) => of_scope(&body.scope),
        Event::AssignmentActivity(body) => of_scope(&body.scope),
        Event::DelegationChanged(body) => of_scope(&body.scope),
        Event::DelegationDeleted(body) => of_scope(&body.scope),
        Event::ScheduleCreated(body) => of_scope(&body.scope),
        Event::ScheduleCancelled(body) => of_scope(&body.scope),
        Event::PalLinked(body) => Concern::Customer(body.tenant),
        Event::PalUnlinked(body) => Concern::Customer(body.tenant),
        Event::SubscriptionCreated(body) => Concern::Subscription(body.subscription),
        Event::SubscriptionCancelled(body) => Concern::Subscription(body.subscription),
        Event::SubscriptionSuspended(body) | Event::SubscriptionResumed(body) => {
            Concern::Subscription(body.subscription)
        }
        Event::SubscriptionTransitioned(body) => Concern::Subscription(body.subscription),
        Event::TransferCompleted(body) => Concern::Subscription(body.subscription),
        Event::TransferRequested(_)
        | Event::TransferCancelled(_)
        | Event::CoverageRecorded(_)
        | Event::ChargeRecorded(_)
        | Event::AzureCreditGranted(_)
        | Event::RefundGranted(_)
        | Event::TaxSet(_)
        | Event::PriceSheetPublished(_)
        | Event::PriceSheetPart(_)
        | Event::ExchangeRatesPublished(_)
        | Event::CustomerRegistered(_)
        | Event::PlanCreated(_)
        | Event::InvoiceIssued(_)
        | Event::CreditNoteIssued(_)
        | Event::InvoiceVoided(_)
        | Event::AcceptanceRecorded(_) => return None,
        other => match other.stream() {
            None | Some(Stream::Usage) => return None,
            Some(Stream::Access | Stream::Commerce | Stream::Reference | Stream::Decisions) => Concern::Everything,
        },
    })
}

/// The subscriptions that some concerns name; `None`: all of them. A link in a tenant that is no
/// customer's was made for delegations, which reach anywhere.
#[must_use]
pub fn concerned(books: &Books<'_>, concerns: &BTreeSet<Concern>) -> Option<BTreeSet<Guid>> {
    let mut found = BTreeSet::new();
    for concern in concerns {
        match concern {
            Concern::Everything => return None,
            Concern::Subscription(subscription) => drop(found.insert(*subscription)),
            Concern::Customer(customer) => {
                let mut theirs = books.commerce.subscriptions().filter(|(_, placed)| {
                    let mut placed = placed.iter();
                    placed.any(|placement| placement.customer == *customer)
                });
                let first = theirs.next()?;
                found.insert(first.0);
                found.extend(theirs.map(|(subscription, _)| subscription));
            }
        }
    }
    Some(found)
}

/// Every leak at an instant, in all subscriptions or some of them.
pub fn leaks(books: &mut Books<'_>, now: Instant, only: Option<&BTreeSet<Guid>>) -> Found {
    let mut found = Found::default();
    let mut open: Vec<(Guid, Scope, Placement, Instant)> = Vec::new();
    let mut known: BTreeMap<PlaceId, Covered> = BTreeMap::new();
    for (subscription, scope) in in_use(books, now, only) {
        let placements = books.commerce.placements(subscription);
        let Some(placement) = placements.iter().find(|placement| placement.interval.contains(now)) else { continue };
        let place = books.judge.place(subscription, placement, &scope);
        let covered = match known.get(&place) {
            Some(covered) => *covered,
            None => {
                let covered = look(books, subscription, placement, &scope, now);
                known.insert(place, covered);
                covered
            }
        };
        match covered {
            Covered::Until(end) => {
                let soonest = found.ends.entry(subscription).or_insert(end);
                *soonest = end.min(*soonest);
            }
            Covered::Lost(since) => open.push((subscription, scope, placement.clone(), since)),
            Covered::Never => {}
        }
    }
    // Whoever changed plans lately used something under each of them.
    let subscriptions: BTreeSet<Guid> = open.iter().map(|(subscription, ..)| *subscription).collect();
    let placements = subscriptions.iter().flat_map(|subscription| books.commerce.placements(*subscription));
    let plans: BTreeSet<Guid> = placements.map(|placement| placement.plan).collect();
    let burns = if open.is_empty() { BTreeMap::new() } else { burn::burns(books, Day::of(now), Some(&plans)) };
    for (subscription, resource, placement, since) in open {
        let place = (subscription, resource);
        let Some(burn) = burns.get(&place) else { continue };
        let (subscription, resource) = place;
        let id = books.judge.place(subscription, &placement, &resource);
        let verdict = books.judge.access(id, Day::of(now));
        let Some(loss) = verdict.lost() else { continue };
        found.leaks.push(Leak {
            subscription,
            resource,
            customer: placement.customer,
            plan: placement.plan,
            bill_to: placement.bill_to,
            since,
            reason: loss.code,
            burn: burn.clone(),
            events: loss.events.to_vec(),
            remedy: Loss::request(loss),
        });
    }
    found
}

/// Everything that was used lately, in order.
pub(crate) fn in_use(books: &Books<'_>, now: Instant, only: Option<&BTreeSet<Guid>>) -> BTreeSet<burn::Place> {
    let lately = Interval::new(Day(Day::of(now).0 - LOOK_BACK).start(), now);
    let mut places = BTreeSet::new();
    for consumption in books.facts.usage.consumption() {
        let subscription = consumption.place.subscription;
        if only.is_some_and(|only| !only.contains(&subscription)) {
            continue;
        }
        if consumption.slices().any(|(start, _, quantity)| lately.contains(start) && !quantity.is_zero()) {
            places.insert((subscription, consumption.place.scope.clone()));
        }
    }
    places
}

/// How access stands at an instant.
#[derive(Clone, Copy)]
enum Covered {
    /// Something qualifies, and is known to until then.
    Until(Instant),
    /// Nothing does since then.
    Lost(Instant),
    /// Nothing ever did, so nothing leaks.
    Never,
}

fn look(books: &mut Books<'_>, subscription: Guid, placement: &Placement, scope: &Scope, now: Instant) -> Covered {
    let place = books.judge.place(subscription, placement, scope);
    let spans = books.judge.counted(place, Day::of(now));
    if let Some(span) = spans.iter().find(|span| span.contains(now)) {
        return Covered::Until(span.to);
    }
    let before = spans.iter().filter(|span| span.to <= now).map(|span| span.to).max();
    if let Some(end) = before.filter(|end| *end > placement.interval.from) {
        return Covered::Lost(end);
    }
    // A transfer leaves the access where it was: what counted for the old partner until then is lost.
    let placements = books.commerce.placements(subscription);
    let previous = placements.iter().find(|earlier| earlier.interval.to == placement.interval.from).cloned();
    let Some(previous) = previous.filter(|_| placement.began == Began::Moved) else { return Covered::Never };
    let last = placement.interval.from - chrono::TimeDelta::nanoseconds(1);
    let place = books.judge.place(subscription, &previous, scope);
    let counted = books.judge.counted(place, Day::of(last));
    if counted.iter().any(|span| span.contains(last)) { Covered::Lost(placement.interval.from) } else { Covered::Never }
}
