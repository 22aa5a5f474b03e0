//! Leaks: resources that earned credit until some access ended, and lose it from then on.
//!
//! A resource *leaks* at an instant when it is in use (it has a [`Burn`]), something qualified for
//! it before, and nothing does at that instant. The leak is *since* the end of the last span that
//! qualified, or since the transfer that left its access with another partner. It is over when
//! something qualifies again, whatever the rest of that day loses. All of it is a pure function of
//! the facts and the instant; who remembers what was told is somebody else's affair.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::commerce::{Began, Placement};
use domain::entry::{Event, Stream};
use domain::ids::{Guid, Identity};
use domain::pec::{Judge, Loss, LostCode, PlaceId, Shared};
use domain::period::{Day, Instant, Interval};
use domain::rating::Desk;
use domain::scope::Scope;

use crate::books::Books;
use crate::burn::{self, Burn, LOOK_BACK};
use crate::burns::Burns;
use crate::side_by_side;

/// One resource that loses credit, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    pub subscription: Guid,
    pub resource: Scope,
    pub customer: Guid,
    pub plan: Guid,
    pub bill_to: Guid,
    pub since: Instant,
    pub began_with: BeganWith,
    pub reason: LostCode,
    pub burn: Burn,
    /// The events behind the reason.
    pub events: Shared<Identity>,
    /// What would restore it, worded for whoever can do it.
    pub remedy: Arc<str>,
}

/// What happened when a leak began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BeganWith {
    /// The last access that qualified ended.
    AccessEnded,
    /// The subscription moved, and its access stayed with the partner before: nobody took any away.
    Transfer,
}

impl BeganWith {
    /// The word for it in answers and alerts.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::AccessEnded => "access-ended",
            Self::Transfer => "transfer",
        }
    }
}

/// What was found at an instant.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By subscription, there in order of resource.
    pub leaks: BTreeMap<Guid, Vec<Leak>>,
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

/// Every leak at an instant, in all subscriptions or some of them; access is judged on every core. `burns` may
/// hold what an earlier look at the same ledger left, which saves time and changes nothing.
pub fn leaks(books: &Books<'_>, burns: &mut Burns, now: Instant, only: Option<&BTreeSet<Guid>>) -> Found {
    let used = books.desk.used().filter(|(subscription, _)| only.is_none_or(|only| only.contains(subscription)));
    let parts = side_by_side::each(&used.collect::<Vec<_>>(), &|dealt| Found::of(books, now, dealt));
    let mut found = Found::default();
    for part in parts {
        found.ends.extend(part.ends);
        found.leaks.extend(part.leaks);
    }
    if found.leaks.is_empty() {
        return found;
    }
    burns.refresh(&books.desk, Day::of(now), Some(&found.leaks.keys().copied().collect()));
    found.leaks.retain(|subscription, leaks| {
        let known = burns.of(*subscription);
        leaks.retain_mut(|leak| {
            let burn = known.and_then(|known| known.get(&leak.resource));
            leak.burn = burn.cloned().unwrap_or_default();
            burn.is_some()
        });
        !leaks.is_empty()
    });
    found
}

impl Found {
    /// What one hand sees of access in some subscriptions. What it costs is not known yet: everything in use that
    /// is lost is a leak, and burns nothing.
    fn of(books: &Books<'_>, now: Instant, subscriptions: &BTreeSet<Guid>) -> Self {
        let (mut seen, mut judge) = (Self::default(), books.judge.colleague());
        for subscription in subscriptions {
            seen.look(books, &mut judge, now, *subscription);
        }
        seen
    }

    fn look(&mut self, books: &Books<'_>, judge: &mut Judge<'_>, now: Instant, subscription: Guid) {
        let placements = books.commerce.placements(subscription);
        let Some(placement) = placements.iter().find(|placement| placement.interval.contains(now)) else { return };
        let (mut known, mut leaks) = (BTreeMap::new(), Vec::new());
        for scope in used_lately(&books.desk, now, subscription) {
            let place = judge.place(subscription, placement, scope);
            // What leaks at one place differs in nothing but the resource.
            let (covered, leak) = known.entry(place).or_insert_with(|| {
                let covered = covered(placements, placement, judge, (subscription, scope), now);
                (covered, leak(judge, placement, (subscription, place, scope), covered, now))
            });
            if let Covered::Until(end) = covered {
                let soonest = self.ends.entry(subscription).or_insert(*end);
                *soonest = (*end).min(*soonest);
            }
            leaks.extend(leak.as_ref().map(|leak| Leak { resource: scope.clone(), ..leak.clone() }));
        }
        if !leaks.is_empty() {
            self.leaks.insert(subscription, leaks);
        }
    }
}

/// How access stands at an instant.
#[derive(Clone, Copy)]
enum Covered {
    /// Something qualifies, and is known to until then.
    Until(Instant),
    /// Nothing does since then, when some access ended.
    Lost(Instant),
    /// Nothing does since the subscription came from another plan, under which something did.
    Moved(Instant),
    /// Nothing ever did, so nothing leaks.
    Never,
}

fn covered(
    placements: &[Placement],
    placement: &Placement,
    judge: &mut Judge<'_>,
    (subscription, scope): (Guid, &Scope),
    now: Instant,
) -> Covered {
    let place = judge.place(subscription, placement, scope);
    let spans = judge.counted(place, Day::of(now));
    if let Some(span) = spans.iter().find(|span| span.contains(now)) {
        return Covered::Until(span.to);
    }
    let before = spans.iter().filter(|span| span.to <= now).map(|span| span.to).max();
    if let Some(end) = before.filter(|end| *end > placement.interval.from) {
        return Covered::Lost(end);
    }
    // A transfer leaves the access where it was: what counted for the old partner until then is lost.
    let previous = placements.iter().find(|earlier| earlier.interval.to == placement.interval.from);
    let Some(previous) = previous.filter(|_| placement.began == Began::Moved) else { return Covered::Never };
    let last = placement.interval.from - chrono::TimeDelta::nanoseconds(1);
    let place = judge.place(subscription, previous, scope);
    let counted = judge.counted(place, Day::of(last));
    if counted.iter().any(|span| span.contains(last)) {
        Covered::Moved(placement.interval.from)
    } else {
        Covered::Never
    }
}

/// What is lost at a place since some access ended; nothing where none did, or the day is not lost after all.
fn leak(
    judge: &mut Judge<'_>,
    placement: &Placement,
    (subscription, place, resource): (Guid, PlaceId, &Scope),
    covered: Covered,
    now: Instant,
) -> Option<Leak> {
    let (since, began_with) = match covered {
        Covered::Lost(since) => (since, BeganWith::AccessEnded),
        Covered::Moved(since) => (since, BeganWith::Transfer),
        Covered::Until(_) | Covered::Never => return None,
    };
    let verdict = judge.access(place, Day::of(now));
    let loss = verdict.lost()?;
    Some(Leak {
        subscription,
        resource: resource.clone(),
        customer: placement.customer,
        plan: placement.plan,
        bill_to: placement.bill_to,
        since,
        began_with,
        reason: loss.code,
        burn: Burn::default(),
        events: loss.events.clone(),
        remedy: Loss::request(loss).into(),
    })
}

/// Everything that was used lately, in order.
pub(crate) fn in_use(books: &Books<'_>, now: Instant, only: &BTreeSet<Guid>) -> BTreeSet<burn::Place> {
    let used = only.iter().flat_map(|subscription| {
        let scopes = used_lately(&books.desk, now, *subscription).into_iter();
        scopes.map(|scope| (*subscription, scope.clone()))
    });
    used.collect()
}

/// What a subscription used lately, in order.
fn used_lately<'a>(desk: &Desk<'a>, now: Instant, subscription: Guid) -> BTreeSet<&'a Scope> {
    let lately = Interval::new(Day(Day::of(now).0 - LOOK_BACK).start(), now);
    let used = desk.usage_of(subscription).iter().filter(|consumption| {
        let mut slices = consumption.slices();
        slices.any(|(start, _, quantity)| lately.contains(start) && !quantity.is_zero())
    });
    used.map(|consumption| &consumption.place.scope).collect()
}
