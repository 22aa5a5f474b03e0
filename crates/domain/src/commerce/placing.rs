//! The lives of subscriptions and plans: what was told about them, played in order of time.
//!
//! Two facts of one instant are taken in the order of [`Step`], then of identity, so that arrival
//! cannot matter. What contradicts an earlier fact changes nothing and is remembered as an oddity.

use std::collections::{BTreeMap, BTreeSet};

use super::{Commerce, CommerceBook, Oddity, Placement, State, Transition};
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

/// What is known while the changes are played.
#[derive(Default)]
struct Stage {
    /// Subscriptions under each plan at present.
    under: BTreeMap<Guid, BTreeSet<Guid>>,
    /// Since when a subscription or plan is suspended.
    suspended: BTreeMap<Guid, Instant>,
    /// Requested transfers that nobody has withdrawn or completed, and since when.
    requests: BTreeMap<(Guid, Guid), Instant>,
}

impl CommerceBook {
    /// Plays every change: placements, suspensions, open requests and oddities come out.
    pub(super) fn place(&self, view: &mut Commerce) {
        let mut changes = self.changes();
        changes.sort_by_key(|change| (change.at, change.step, change.identity));
        let mut stage = Stage::default();
        for change in &changes {
            match change.told {
                Told::Created(created) => create(view, &mut stage, created),
                Told::Moved { subscription, to_plan } => moved(view, &mut stage, change, subscription, to_plan),
                Told::Plan(plan) => plan_changed(view, &mut stage, change, plan),
                Told::Subscription(subscription) => subscription_changed(view, &mut stage, change, subscription),
            }
        }
        for (id, since) in stage.suspended {
            view.suspensions.entry(id).or_default().push(Interval::new(since, Instant::MAX_UTC));
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
    let Some(plan) = view.plans.get(&created.plan) else { return };
    let placed = view.placements.entry(created.subscription).or_default();
    if placed.is_empty() {
        placed.push(Placement {
            interval: Interval::new(created.at, Instant::MAX_UTC),
            plan: plan.plan,
            customer: plan.customer,
            bill_to: plan.bill_to,
            offer: created.offer,
            by_transfer: false,
        });
        stage.under.entry(plan.plan).or_default().insert(created.subscription);
    }
}

/// USE-7: a transfer moves billing at its instant, a transition from the classic offer likewise: the
/// old side is due up to it, the new side from it. Source: transfer of Azure subscriptions
/// (2023-09-14); moving from 0145P (2023-01-11).
fn moved(view: &mut Commerce, stage: &mut Stage, change: &Change<'_>, subscription: Guid, to_plan: Guid) {
    let (step, at) = (change.step, change.at);
    let request = (subscription, to_plan);
    match step {
        Step::Requested => {
            stage.requests.insert(request, at);
            return;
        }
        Step::Withdrawn => {
            if stage.requests.remove(&request).is_none() {
                view.odd(
                    Code::TransferOutOfOrder,
                    change.identity,
                    at,
                    Some(subscription),
                    to_plan,
                    "withdrawn, but no request is open",
                );
            }
            return;
        }
        Step::Created
        | Step::Transferred
        | Step::Transitioned
        | Step::PlanSuspended
        | Step::PlanCancelled
        | Step::Suspended
        | Step::Cancelled
        | Step::Resumed
        | Step::PlanReactivated => {}
    }
    let Some(plan) = view.plans.get(&to_plan).cloned() else { return };
    let Some(last) = view.placements.get_mut(&subscription).and_then(|placed| placed.last_mut()) else { return };
    if last.interval.from >= at {
        return;
    }
    let (from_plan, offer) = (last.plan, last.offer);
    last.interval.to = last.interval.to.min(at);
    let offer = if step == Step::Transitioned { Offer::AzurePlan } else { offer };
    view.placements.entry(subscription).or_default().push(Placement {
        interval: Interval::new(at, Instant::MAX_UTC),
        plan: plan.plan,
        customer: plan.customer,
        bill_to: plan.bill_to,
        offer,
        by_transfer: true,
    });
    if let Some(under) = stage.under.get_mut(&from_plan) {
        under.remove(&subscription);
    }
    stage.under.entry(to_plan).or_default().insert(subscription);
    let was_legacy =
        view.placements[&subscription].iter().rev().nth(1).is_some_and(|before| before.offer == Offer::Legacy);
    if step == Step::Transitioned && was_legacy {
        view.transitions.push(Transition { subscription, plan: to_plan, at, event: change.identity });
    }
    if step == Step::Transitioned && !was_legacy {
        view.odd(
            Code::NotLegacy,
            change.identity,
            at,
            Some(subscription),
            to_plan,
            "it was not sold as the classic offer 0145P",
        );
    }
    if let Some(requested) = stage.requests.remove(&request)
        && at > requested + chrono::TimeDelta::days(REQUEST_DAYS)
    {
        let detail = "completed more than 30 days after its request";
        view.odd(Code::TransferOutOfOrder, change.identity, at, Some(subscription), to_plan, detail);
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
                view.odd(Code::PlanInUse, change.identity, change.at, None, plan, &detail);
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
            let Some(last) = placed.last().filter(|last| last.interval.to <= change.at).cloned() else { return };
            let interval = Interval::new(change.at, Instant::MAX_UTC);
            placed.push(Placement { interval, ..last });
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
    fn odd(&mut self, code: Code, event: Identity, at: Instant, subscription: Option<Guid>, plan: Guid, detail: &str) {
        self.oddities.push(Oddity { code, event, at, subscription, plan, detail: detail.to_owned() });
    }
}
