//! The lives of subscriptions and plans: what was told about them, played in order of time.
//!
//! Two facts of one instant are taken in the order of [`Step`], then of identity, so that arrival
//! cannot matter. What contradicts an earlier fact changes nothing and is remembered as an oddity.

use std::collections::{BTreeMap, BTreeSet};

use super::{Began, Commerce, CommerceBook, Oddity, Placement, State, Transition};
use crate::entry::{Move, Offer, SubscriptionCreated, TransferCompleted};
use crate::finding::Code;
use crate::ids::{Guid, Identity};
use crate::period::{Instant, Interval};

/// A request to transfer lapses after this long. Source: transfer of Azure subscriptions (2023-09-14).
const REQUEST_DAYS: i64 = 30;

/// One change; the order of the variants is the order at one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Created,
    Requested,
    Withdrawn,
    Transferred,
    Transitioned,
    PlanSuspended,
    PlanCancelled,
    Suspended,
    Cancelled,
    Resumed,
    PlanReactivated,
}

/// What a change speaks of.
#[derive(Clone, Copy)]
enum Told<'a> {
    Created(&'a SubscriptionCreated),
    Moved { subscription: Guid, to_plan: Guid },
    Plan(Guid),
    Subscription(Guid),
}

struct Change<'a> {
    at: Instant,
    step: Step,
    identity: Identity,
    told: Told<'a>,
}

impl Change<'_> {
    /// A request, or its withdrawal: nothing has moved.
    fn is_only_asked(&self) -> bool {
        matches!(self.step, Step::Requested | Step::Withdrawn)
    }
}

/// What is known while the changes are played.
#[derive(Default)]
struct Stage {
    /// Subscriptions under each plan at present.
    under: BTreeMap<Guid, BTreeSet<Guid>>,
    /// Since when a subscription or plan is suspended.
    suspended: BTreeMap<Guid, Instant>,
    /// Requested transfers that nobody has withdrawn or completed, and since when.
    requests: BTreeMap<(Guid, Guid), Instant>,
    /// When each subscription is first told to have been created, and under which plan.
    created: BTreeMap<Guid, (Instant, Guid)>,
    /// Subscriptions that stand under a plan that is not known here: which, since when, sold as what.
    away: BTreeMap<Guid, (Guid, Instant, Offer, Began)>,
}

impl CommerceBook {
    /// Plays every change: placements, suspensions, open requests and oddities come out.
    pub(super) fn place(&self, view: &mut Commerce) {
        let mut changes = self.changes();
        changes.sort_by_key(|change| (change.at, change.step, change.identity));
        let mut stage = Stage::default();
        for created in super::in_order(&self.created, |fact| fact.at) {
            stage.created.entry(created.subscription).or_insert((created.at, created.plan));
        }
        for change in &changes {
            match change.told {
                Told::Created(created) => create(view, &mut stage, created),
                Told::Moved { subscription, to_plan } if change.is_only_asked() => {
                    asked(view, &mut stage, change, subscription, to_plan);
                }
                Told::Moved { subscription, to_plan } => moved(view, &mut stage, change, subscription, to_plan),
                Told::Plan(plan) => plan_changed(view, &mut stage, change, plan),
                Told::Subscription(subscription) => subscription_changed(view, &mut stage, change, subscription),
            }
        }
        for (id, since) in stage.suspended {
            view.suspensions.entry(id).or_default().push(Interval::new(since, Instant::MAX_UTC));
        }
        for (subscription, (plan, since, ..)) in stage.away {
            view.away.entry(subscription).or_default().push((Interval::new(since, Instant::MAX_UTC), plan));
        }
        view.requests = stage.requests;
    }

    fn changes(&self) -> Vec<Change<'_>> {
        let mut changes: Vec<Change<'_>> = Vec::new();
        let mut add = |at, step, identity, told| changes.push(Change { at, step, identity, told });
        for (identity, one) in self.created.iter() {
            add(one.at, Step::Created, identity, Told::Created(one));
        }
        for (identity, TransferCompleted { subscription, to_plan, at }) in self.transfers.iter() {
            let told = Told::Moved { subscription: *subscription, to_plan: *to_plan };
            add(*at, Step::Transferred, identity, told);
        }
        for (identity, (step, Move { subscription, to_plan, at })) in self.moves.iter() {
            let step = match step {
                super::Moving::Requested => Step::Requested,
                super::Moving::Withdrawn => Step::Withdrawn,
                super::Moving::Transitioned => Step::Transitioned,
            };
            add(*at, step, identity, Told::Moved { subscription: *subscription, to_plan: *to_plan });
        }
        for (identity, (state, change)) in self.plan_states.iter() {
            let step = match state {
                State::Active => Step::PlanReactivated,
                State::Suspended => Step::PlanSuspended,
                State::Cancelled => Step::PlanCancelled,
            };
            add(change.at, step, identity, Told::Plan(change.plan));
        }
        for (identity, (state, change)) in self.states.iter() {
            let step = match state {
                State::Active => Step::Resumed,
                State::Suspended => Step::Suspended,
                State::Cancelled => Step::Cancelled,
            };
            add(change.at, step, identity, Told::Subscription(change.subscription));
        }
        for (identity, one) in self.cancelled.iter() {
            add(one.at, Step::Cancelled, identity, Told::Subscription(one.subscription));
        }
        changes
    }
}

fn create(view: &mut Commerce, stage: &mut Stage, created: &SubscriptionCreated) {
    let (subscription, offer) = (created.subscription, created.offer);
    // Created under a plan of ours after it was created elsewhere: it came to us.
    let comes = stage.away.contains_key(&subscription) && view.plans.contains_key(&created.plan);
    if comes {
        leave(view, stage, subscription, created.at);
    } else if stands(view, stage, subscription).is_some() {
        return;
    }
    place_under(view, stage, subscription, created.plan, (created.at, offer, Began::Created));
}

/// Where a subscription stands at present: under which plan, since when, sold as what, and how it came.
fn stands(view: &Commerce, stage: &Stage, subscription: Guid) -> Option<(Guid, Instant, Offer, Began)> {
    let away = stage.away.get(&subscription);
    away.copied().or_else(|| {
        let last = view.placements.get(&subscription)?.last()?;
        Some((last.plan, last.interval.from, last.offer, last.began))
    })
}

/// Under a plan that is not known here a subscription is billed to nobody here.
fn place_under(
    view: &mut Commerce,
    stage: &mut Stage,
    subscription: Guid,
    plan: Guid,
    (at, offer, began): (Instant, Offer, Began),
) {
    let Some(plan) = view.plans.get(&plan).cloned() else {
        stage.away.insert(subscription, (plan, at, offer, began));
        return;
    };
    view.placements.entry(subscription).or_default().push(Placement {
        interval: Interval::new(at, Instant::MAX_UTC),
        plan: plan.plan,
        customer: plan.customer,
        bill_to: plan.bill_to,
        offer,
        began,
    });
    stage.under.entry(plan.plan).or_default().insert(subscription);
}

/// Ends where a subscription stands. What began at that very instant never was.
fn leave(view: &mut Commerce, stage: &mut Stage, subscription: Guid, at: Instant) {
    if let Some((plan, since, ..)) = stage.away.remove(&subscription) {
        view.away.entry(subscription).or_default().push((Interval::new(since, at), plan));
        return;
    }
    let Some(placed) = view.placements.get_mut(&subscription) else { return };
    let Some(last) = placed.last_mut() else { return };
    last.interval.to = last.interval.to.min(at);
    if let Some(under) = stage.under.get_mut(&last.plan) {
        under.remove(&subscription);
    }
    placed.retain(|placement| !placement.interval.is_empty());
}

/// USE-7: a transfer that was asked for, or withdrawn.
fn asked(view: &mut Commerce, stage: &mut Stage, change: &Change<'_>, subscription: Guid, to_plan: Guid) {
    if change.step == Step::Requested {
        stage.requests.insert((subscription, to_plan), change.at);
    } else if stage.requests.remove(&(subscription, to_plan)).is_none() {
        view.odd(Code::TransferOutOfOrder, change, Some(subscription), to_plan, "withdrawn, but no request is open");
    }
}

/// USE-7: a transfer moves billing at its instant, a transition from the classic offer likewise: the
/// old side is due up to it, the new side from it. Who moves under a plan that is not known here has
/// left. Source: transfer of Azure subscriptions (2023-09-14); moving from 0145P (2023-01-11).
fn moved(view: &mut Commerce, stage: &mut Stage, change: &Change<'_>, subscription: Guid, to_plan: Guid) {
    let (step, at) = (change.step, change.at);
    let Some((from_plan, since, offer, began)) = stands(view, stage, subscription) else {
        let (detail, created_under) = match stage.created.get(&subscription) {
            Some((created, plan)) => (format!("moved before it was created, on {created}"), Some(*plan)),
            None => ("moved, but nobody told that it was created".to_owned(), None),
        };
        return view.impossible(change, subscription, [Some(to_plan), created_under], &detail);
    };
    if since == at && began == Began::Moved {
        if from_plan != to_plan {
            let detail = format!("moved to two plans at one instant, {from_plan} and {to_plan}");
            view.impossible(change, subscription, [Some(from_plan), Some(to_plan)], &detail);
        }
        return;
    }
    let was_legacy = offer == Offer::Legacy;
    let offer = if step == Step::Transitioned { Offer::AzurePlan } else { offer };
    leave(view, stage, subscription, at);
    place_under(view, stage, subscription, to_plan, (at, offer, Began::Moved));
    if !view.plans.contains_key(&to_plan) && view.plans.contains_key(&from_plan) {
        let detail = format!("moved to plan {to_plan}, which is not known here");
        view.odd(Code::Left, change, Some(subscription), from_plan, &detail);
    }
    if step == Step::Transitioned && was_legacy {
        view.transitions.push(Transition { subscription, plan: to_plan, at, event: change.identity });
    }
    if step == Step::Transitioned && !was_legacy {
        let detail = "it was not sold as the classic offer 0145P";
        view.odd(Code::NotLegacy, change, Some(subscription), to_plan, detail);
    }
    if let Some(requested) = stage.requests.remove(&(subscription, to_plan))
        && at > requested + chrono::TimeDelta::days(REQUEST_DAYS)
    {
        let detail = "completed more than 30 days after its request";
        view.odd(Code::TransferOutOfOrder, change, Some(subscription), to_plan, detail);
    }
}

/// USE-8: a plan is suspended only while nothing active hangs on it; cancelling it ends its
/// subscriptions. Source: create an Azure plan, error 900115 (2022-12-09).
fn plan_changed(view: &mut Commerce, stage: &mut Stage, change: &Change<'_>, plan: Guid) {
    let under = stage.under.get(&plan).cloned().unwrap_or_default();
    let active = |subscription: &&Guid| {
        let open = view.placements.get(*subscription).and_then(|placed| placed.last());
        open.is_some_and(|last| last.interval.contains(change.at)) && !stage.suspended.contains_key(*subscription)
    };
    match change.step {
        Step::PlanSuspended => {
            let active = under.iter().filter(active).count();
            if active > 0 {
                let detail = format!("{active} of its subscriptions were active");
                view.odd(Code::PlanInUse, change, None, plan, &detail);
            }
            stage.suspended.entry(plan).or_insert(change.at);
        }
        Step::PlanCancelled => {
            for subscription in under {
                end(view, subscription, change.at);
            }
            view.cancelled_plans.entry(plan).or_insert(change.at);
        }
        Step::Created
        | Step::Requested
        | Step::Withdrawn
        | Step::Transferred
        | Step::Transitioned
        | Step::Suspended
        | Step::Cancelled
        | Step::Resumed
        | Step::PlanReactivated => {
            if let Some(since) = stage.suspended.remove(&plan) {
                view.suspensions.entry(plan).or_default().push(Interval::new(since, change.at));
            }
            view.cancelled_plans.remove(&plan);
        }
    }
}

/// USE-6: usage up to a cancellation is due; a resumed subscription goes on under its last plan.
/// Source: managing an Azure plan (2022-11-22); billing basics (2023-01-11).
fn subscription_changed(view: &mut Commerce, stage: &mut Stage, change: &Change<'_>, subscription: Guid) {
    match change.step {
        Step::Suspended => {
            stage.suspended.entry(subscription).or_insert(change.at);
        }
        Step::Cancelled => end(view, subscription, change.at),
        Step::Created
        | Step::Requested
        | Step::Withdrawn
        | Step::Transferred
        | Step::Transitioned
        | Step::PlanSuspended
        | Step::PlanCancelled
        | Step::Resumed
        | Step::PlanReactivated => {
            if let Some(since) = stage.suspended.remove(&subscription) {
                view.suspensions.entry(subscription).or_default().push(Interval::new(since, change.at));
            }
            let Some(placed) = view.placements.get_mut(&subscription) else { return };
            let over = |last: &&Placement| last.interval.to <= change.at && !stage.away.contains_key(&subscription);
            let Some(last) = placed.last().filter(over).cloned() else { return };
            let interval = Interval::new(change.at, Instant::MAX_UTC);
            placed.push(Placement { interval, began: Began::Resumed, ..last });
        }
    }
}

fn end(view: &mut Commerce, subscription: Guid, at: Instant) {
    let Some(placed) = view.placements.get_mut(&subscription) else { return };
    if let Some(last) = placed.last_mut().filter(|last| last.interval.contains(at)) {
        last.interval.to = at;
    }
}

impl Commerce {
    fn odd(&mut self, code: Code, change: &Change<'_>, subscription: Option<Guid>, plan: Guid, detail: &str) {
        let (event, at, detail) = (change.identity, change.at, detail.to_owned());
        self.oddities.push(Oddity { code, event, at, subscription, plan, detail });
    }

    /// A move that contradicts what else was told, for the partners of every plan that is known.
    fn impossible(&mut self, change: &Change<'_>, subscription: Guid, plans: [Option<Guid>; 2], detail: &str) {
        let known: Vec<Guid> = plans.into_iter().flatten().filter(|plan| self.plans.contains_key(plan)).collect();
        let told = if known.is_empty() { plans[0].into_iter().collect() } else { known };
        for plan in told {
            self.odd(Code::ImpossibleTransfer, change, Some(subscription), plan, detail);
        }
    }
}
