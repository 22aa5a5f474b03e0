//! Customers, plans and subscriptions: which plan and partner a subscription stood under, when.
//!
//! Placement is computed from the set of facts whenever somebody asks; two facts at one instant
//! are taken in order of identity, so that arrival cannot matter.

mod placing;
mod currency;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use currency::plans_in;
pub use currency::{billed_in, by_partner, currency_of_country};

use crate::entry::{
    CustomerRegistered, Move, Offer, PlanChange, PlanCreated, ResellerOfRecordSet, SubscriptionCancelled,
    SubscriptionChange, SubscriptionCreated, TransferCompleted,
};
use crate::filing::{Filing, Said};
use crate::finding::Code;
use crate::ids::{Digest, Guid, Identity, Market};
use crate::period::{Instant, Interval};

/// A stretch of time in which a subscription stood under one plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    pub interval: Interval,
    pub plan: Guid,
    pub customer: Guid,
    /// Tenant of the partner that is billed.
    pub bill_to: Guid,
    pub offer: Offer,
    pub began: Began,
}

/// By what a stretch under a plan began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Began {
    /// The subscription was created.
    Created,
    /// It came from another plan, or from the classic offer.
    Moved,
    /// It had been cancelled.
    Resumed,
}

/// What a subscription or plan is told to be from an instant on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    Active,
    Suspended,
    Cancelled,
}

/// What a move of a subscription is, short of a completed transfer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Moving {
    Requested,
    Withdrawn,
    /// From the classic offer 0145P to an Azure plan.
    Transitioned,
}

/// A subscription that left the classic offer 0145P for an Azure plan.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Transition {
    pub subscription: Guid,
    pub plan: Guid,
    pub at: Instant,
    pub event: Identity,
}

/// A change that contradicts what was told before it.
#[derive(Clone, PartialEq, Debug)]
pub struct Oddity {
    pub code: Code,
    pub event: Identity,
    pub at: Instant,
    pub subscription: Option<Guid>,
    pub plan: Guid,
    pub detail: String,
}

/// What was told about commerce.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommerceBook {
    customers: Filing<CustomerRegistered>,
    plans: Filing<PlanCreated>,
    created: Filing<SubscriptionCreated>,
    cancelled: Filing<SubscriptionCancelled>,
    transfers: Filing<TransferCompleted>,
    resellers: Filing<ResellerOfRecordSet>,
    states: Filing<(State, SubscriptionChange)>,
    plan_states: Filing<(State, PlanChange)>,
    moves: Filing<(Moving, Move)>,
}

/// The same facts by the id of what they are about, in order of time: built once per question.
#[derive(Clone, Debug, Default)]
pub struct Commerce {
    customers: BTreeMap<Guid, CustomerRegistered>,
    plans: BTreeMap<Guid, PlanCreated>,
    placements: BTreeMap<Guid, Vec<Placement>>,
    resellers: BTreeMap<Guid, Vec<(Instant, Option<Box<str>>)>>,
    /// When a subscription or plan was suspended.
    suspensions: BTreeMap<Guid, Vec<Interval>>,
    /// Plans that are cancelled, and since when.
    cancelled_plans: BTreeMap<Guid, Instant>,
    /// Open requests to transfer (subscription, plan), and since when.
    requests: BTreeMap<(Guid, Guid), Instant>,
    transitions: Vec<Transition>,
    /// When a subscription stood under a plan that is not known here, and which.
    away: BTreeMap<Guid, Vec<(Interval, Guid)>>,
    oddities: Vec<Oddity>,
}

impl CommerceBook {
    pub fn file_customer(&mut self, identity: Identity, digest: Digest, body: CustomerRegistered) {
        self.customers.file(identity, digest, body);
    }
    pub fn file_plan(&mut self, identity: Identity, digest: Digest, body: PlanCreated) {
        self.plans.file(identity, digest, body);
    }
    pub fn file_subscription(&mut self, identity: Identity, digest: Digest, body: SubscriptionCreated) {
        self.created.file(identity, digest, body);
    }
    pub fn file_cancellation(&mut self, identity: Identity, digest: Digest, body: SubscriptionCancelled) {
        self.cancelled.file(identity, digest, body);
    }
    pub fn file_transfer(&mut self, identity: Identity, digest: Digest, body: TransferCompleted) {
        self.transfers.file(identity, digest, body);
    }
    pub fn file_reseller(&mut self, identity: Identity, digest: Digest, body: ResellerOfRecordSet) {
        self.resellers.file(identity, digest, body);
    }
    pub fn file_state(&mut self, identity: Identity, digest: Digest, state: State, body: SubscriptionChange) {
        self.states.file(identity, digest, (state, body));
    }
    pub fn file_plan_state(&mut self, identity: Identity, digest: Digest, state: State, body: PlanChange) {
        self.plan_states.file(identity, digest, (state, body));
    }
    pub fn file_move(&mut self, identity: Identity, digest: Digest, moving: Moving, body: Move) {
        self.moves.file(identity, digest, (moving, body));
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.customers.hear(said);
        self.plans.hear(said);
        self.created.hear(said);
        self.cancelled.hear(said);
        self.transfers.hear(said);
        self.resellers.hear(said);
        self.states.hear(said);
        self.plan_states.hear(said);
        self.moves.hear(said);
    }

    /// The events before an instant that say where a subscription stood under a plan, and through whom it
    /// was sold: both lives, moves and resellers of record. Requests alone move nothing.
    #[must_use]
    pub fn behind(&self, subscription: Guid, plan: Guid, until: Instant) -> BTreeSet<Identity> {
        let mut behind = BTreeSet::new();
        let mut add = |identity, about: Guid, at: Instant| {
            if at < until && (about == subscription || about == plan) {
                behind.insert(identity);
            }
        };
        self.plans.iter().for_each(|(identity, one)| add(identity, one.plan, one.at));
        self.resellers.iter().for_each(|(identity, one)| add(identity, one.plan, one.at));
        self.plan_states.iter().for_each(|(identity, (_, one))| add(identity, one.plan, one.at));
        self.created.iter().for_each(|(identity, one)| add(identity, one.subscription, one.at));
        self.cancelled.iter().for_each(|(identity, one)| add(identity, one.subscription, one.at));
        self.states.iter().for_each(|(identity, (_, one))| add(identity, one.subscription, one.at));
        self.transfers.iter().for_each(|(identity, one)| add(identity, one.subscription, one.at));
        let moved = self.moves.iter().filter(|(_, (moving, _))| *moving == Moving::Transitioned);
        moved.for_each(|(identity, (_, one))| add(identity, one.subscription, one.at));
        behind
    }

    /// Puts the facts in order. Linear in their number, but for the sorting.
    #[must_use]
    pub fn view(&self) -> Commerce {
        let mut view = Commerce::default();
        for customer in in_order(&self.customers, |fact| fact.at) {
            view.customers.insert(customer.customer, customer.clone());
        }
        for plan in in_order(&self.plans, |fact| fact.at) {
            view.plans.entry(plan.plan).or_insert_with(|| plan.clone());
            view.resellers.entry(plan.plan).or_default().push((plan.at, plan.reseller.clone()));
        }
        for set in in_order(&self.resellers, |fact| fact.at) {
            view.resellers.entry(set.plan).or_default().push((set.at, set.reseller.clone()));
        }
        for changes in view.resellers.values_mut() {
            changes.sort_by_key(|(at, _)| *at);
        }
        self.place(&mut view);
        view
    }
}

/// USE-1: which of a subscription's placements usage belongs to. Usage that the subscription's life
/// does not touch belongs to none, whenever it was sent. By the time of sending it belongs to the
/// last placement that had begun by then: usage of before a transfer that is sent after it goes to
/// the new plan, and after a cancellation nobody comes later than the last.
pub(crate) fn placed_at(
    placements: &[Placement],
    (start, end): (Instant, Instant),
    reported: Option<Instant>,
) -> Option<usize> {
    let usage = Interval::new(start, end.max(start + chrono::TimeDelta::nanoseconds(1)));
    let consumed = placements.iter().position(|placement| !placement.interval.intersect(&usage).is_empty())?;
    let sent = reported.and_then(|sent| placements.iter().rposition(|placement| placement.interval.from <= sent));
    Some(sent.unwrap_or(consumed))
}

fn in_order<T>(filing: &Filing<T>, at: impl Fn(&T) -> Instant) -> Vec<&T> {
    let mut facts: Vec<(Instant, Identity, &T)> = filing.iter().map(|(id, fact)| (at(fact), id, fact)).collect();
    facts.sort_by_key(|(at, identity, _)| (*at, *identity));
    facts.into_iter().map(|(_, _, fact)| fact).collect()
}

impl Commerce {
    /// The stretches of a subscription's life, in order of time and without overlap.
    #[must_use]
    pub fn placements(&self, subscription: Guid) -> &[Placement] {
        self.placements.get(&subscription).map_or(&[], Vec::as_slice)
    }

    /// USE-1: where usage of this interval belongs: the placement at its start, or at the first
    /// instant of the interval at which the subscription exists; `reported` is the time of sending
    /// where the policy goes by it.
    #[must_use]
    pub fn placement_of(
        &self,
        subscription: Guid,
        (start, end): (Instant, Instant),
        reported: Option<Instant>,
    ) -> Option<&Placement> {
        let placements = self.placements(subscription);
        Some(&placements[placed_at(placements, (start, end), reported)?])
    }

    /// Location PartnerID of the plan's reseller of record at an instant; `None` when sold direct.
    #[must_use]
    pub fn reseller_at(&self, plan: Guid, at: Instant) -> Option<&str> {
        let changes = self.resellers.get(&plan)?;
        changes.iter().rev().find(|(since, _)| *since <= at)?.1.as_deref()
    }

    /// Every change of a plan's reseller of record, in order of time.
    #[must_use]
    pub fn reseller_changes(&self, plan: Guid) -> &[(Instant, Option<Box<str>>)] {
        self.resellers.get(&plan).map_or(&[], Vec::as_slice)
    }

    #[must_use]
    pub fn plan(&self, plan: Guid) -> Option<&PlanCreated> {
        self.plans.get(&plan)
    }

    pub fn plans(&self) -> impl Iterator<Item = &PlanCreated> {
        self.plans.values()
    }

    pub fn subscriptions(&self) -> impl Iterator<Item = (Guid, &[Placement])> {
        self.placements.iter().map(|(subscription, placed)| (*subscription, placed.as_slice()))
    }

    /// Whether a subscription or plan is suspended at an instant.
    #[must_use]
    pub fn is_suspended(&self, subscription_or_plan: Guid, at: Instant) -> bool {
        self.suspensions(subscription_or_plan).iter().any(|interval| interval.contains(at))
    }

    /// The stretches of time in which a subscription or plan was suspended.
    #[must_use]
    pub fn suspensions(&self, subscription_or_plan: Guid) -> &[Interval] {
        self.suspensions.get(&subscription_or_plan).map_or(&[], Vec::as_slice)
    }

    /// Since when a plan is cancelled.
    #[must_use]
    pub fn plan_cancelled(&self, plan: Guid) -> Option<Instant> {
        self.cancelled_plans.get(&plan).copied()
    }

    /// USE-7: the plan, not known here, under which a subscription stood at an instant.
    #[must_use]
    pub fn away_at(&self, subscription: Guid, at: Instant) -> Option<Guid> {
        let mut away = self.away.get(&subscription)?.iter();
        away.find(|(interval, _)| interval.contains(at)).map(|(_, plan)| *plan)
    }

    /// The stretches of time in which a subscription stood under a plan: several where it left the plan
    /// and came back, or was cancelled and resumed. The classic offer is no Azure plan: what stood under
    /// it is apart from what followed.
    pub fn stretches(&self, subscription: Guid, under: &Placement) -> impl Iterator<Item = &Placement> {
        let kind = |placement: &Placement| (placement.plan, placement.offer == Offer::Legacy);
        let wanted = kind(under);
        self.placements(subscription).iter().filter(move |one| kind(one) == wanted)
    }

    /// Transfers that were requested and neither completed nor withdrawn: subscription, plan, since.
    pub fn transfer_requests(&self) -> impl Iterator<Item = (Guid, Guid, Instant)> {
        self.requests.iter().map(|((subscription, plan), at)| (*subscription, *plan, *at))
    }

    /// The subscriptions that left the classic offer, in order of time.
    #[must_use]
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// Changes that contradict what was told before them, in order of time.
    #[must_use]
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }

    #[must_use]
    pub fn customer(&self, customer: Guid) -> Option<&CustomerRegistered> {
        self.customers.get(&customer)
    }

    pub fn customers(&self) -> impl Iterator<Item = &CustomerRegistered> {
        self.customers.values()
    }

    #[must_use]
    pub fn market(&self, customer: Guid) -> Option<Market> {
        self.customers.get(&customer).map(|known| known.market)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Event;
    use crate::testing::*;

    const SECOND: Guid = Guid(0xa2);

    /// A subscription whose transfer to a second plan was asked for on 1 September.
    fn asked() -> World {
        let mut world = World::new();
        world.plan(SECOND, BILL_TO, None, "2020-01-01");
        world.tell(Event::TransferRequested(move_at("2020-09-01")));
        world
    }

    fn move_at(time: &str) -> Move {
        Move { subscription: SUBSCRIPTION, to_plan: SECOND, at: at(time) }
    }

    /// USE-7: a request is open until it is withdrawn or the transfer is completed.
    #[test]
    fn a_transfer_is_open_until_it_is_withdrawn_or_completed() {
        let open = |world: &World| world.facts.commerce.view().transfer_requests().collect::<Vec<_>>();
        let mut withdrawn = asked();
        assert_eq!(open(&withdrawn), [(SUBSCRIPTION, SECOND, at("2020-09-01"))]);
        withdrawn.tell(Event::TransferCancelled(move_at("2020-09-05")));
        assert_eq!(open(&withdrawn), []);
        let mut completed = asked();
        let (subscription, to_plan) = (SUBSCRIPTION, SECOND);
        completed.tell(Event::TransferCompleted(TransferCompleted { subscription, to_plan, at: at("2020-09-05") }));
        assert_eq!(open(&completed), []);
    }

    /// USE-7: a transfer is completed within 30 days of its request; later it is named.
    #[test]
    fn a_transfer_later_than_thirty_days_after_its_request_is_named() {
        for (completed, expected) in
            [("2020-09-02", vec![]), ("2020-10-01", vec![]), ("2020-10-01T00:00:01Z", vec![Code::TransferOutOfOrder])]
        {
            let mut world = asked();
            let (subscription, to_plan) = (SUBSCRIPTION, SECOND);
            world.tell(Event::TransferCompleted(TransferCompleted { subscription, to_plan, at: at(completed) }));
            let codes: Vec<Code> = world.facts.commerce.view().oddities().iter().map(|odd| odd.code).collect();
            assert_eq!(codes, expected, "completed at {completed}");
        }
    }

    /// USE-1: usage of a single instant belongs where its instant lies.
    #[test]
    fn usage_without_a_length_belongs_where_it_begins() {
        let commerce = World::new().facts.commerce.view();
        let of = |instant: &str| commerce.placement_of(SUBSCRIPTION, (at(instant), at(instant)), None);
        assert_eq!(of("2020-01-01").map(|placed| placed.plan), Some(PLAN));
        assert_eq!(of("2019-12-31T23:59:59Z"), None, "it was not yet created");
    }
}
