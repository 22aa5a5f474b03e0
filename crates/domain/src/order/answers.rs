//! Answers as events: given once, given again only when later facts change the verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::aftermath::{Due, answer_due, never_accepted};
use super::rules::{Given, Made};
use super::{Answer, Desk, judge};
use crate::channel::Stated;
use crate::entry::{Decision, OrderAnswered, OrderKind, OrderRequested};
use crate::finding::{About, Code, Finding};
use crate::ids::{Guid, Identity};
use crate::period::{Day, Instant, Period};
use crate::policy::RULES_VERSION;

/// The name of the answer with this number to a request, counted from 1: equal names are one answer.
#[must_use]
pub fn answer_name(request: Identity, number: usize) -> String {
    format!("order-answered/{request}/{number}")
}

/// CHN-23: the answers that are due: to every order without one, and to those whose verdict later
/// facts have changed, which name the first. Source: choice of this project; an answer is issued like
/// an invoice and never rewritten.
#[must_use]
pub fn due(desk: &Desk<'_>, actor: &str, now: Instant) -> Vec<OrderAnswered> {
    let mut due = Vec::new();
    for order in desk.channel.orders() {
        let answer = judge(desk, &order.value);
        let given = desk.channel.answers(order.event);
        let last = match given.last() {
            None => Given::Nothing,
            Some(last) if same(&last.value, &answer) => Given::TheSame,
            Some(_) => Given::Another,
        };
        let reason = match answer_due(last) {
            Due::Nothing => continue,
            Due::FirstAnswer => "judged when it came",
            Due::AnotherAnswer => "later facts changed the verdict",
        };
        due.push(OrderAnswered {
            answer: answer_name(order.event, given.len() + 1).into(),
            request: order.event,
            order: order.value.order.clone(),
            accepted: answer.accepted(),
            reasons: answer.written(),
            first: given.first().map(|first| first.value.answer.clone()),
            rules_version: RULES_VERSION,
            policy_revision: desk.policy(order.at).revision,
            decision: Decision { actor: actor.into(), reason: reason.into(), at: now },
        });
    }
    due
}

/// Whether an answer still says what was said: the verdict and its codes, not their wording.
fn same(given: &OrderAnswered, now: &Answer) -> bool {
    let codes = |codes: &mut dyn Iterator<Item = String>| codes.collect::<BTreeSet<String>>();
    let then = codes(&mut given.reasons.iter().map(|reason| reason.code.to_string()));
    let today = codes(&mut now.reasons.iter().map(|reason| reason.ground.text().to_owned()));
    given.accepted == now.accepted() && then == today
}

/// What there is usage on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Used {
    pub plans: BTreeSet<Guid>,
    pub subscriptions: BTreeSet<Guid>,
}

/// What an order would bring about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Brought {
    Plan(Guid),
    Subscription(Guid),
}

/// CHN-22: usage on a plan, or on a subscription, whose only orders were refused is a finding that names
/// the order. Source: choice of this project; the partner owes what is consumed all the same.
#[must_use]
pub fn unaccepted(desk: &Desk<'_>, used: &Used) -> Vec<Finding> {
    let is_used = |brought: &Brought| match brought {
        Brought::Plan(plan) => used.plans.contains(plan),
        Brought::Subscription(subscription) => used.subscriptions.contains(subscription),
    };
    // Once over all orders: plans are many, and so are orders.
    let mut ordered: BTreeMap<Brought, Vec<&Stated<OrderRequested>>> = BTreeMap::new();
    for order in desk.channel.orders() {
        if let Some(brought) = brings(&order.value).filter(is_used) {
            ordered.entry(brought).or_default().push(order);
        }
    }
    let mut findings = Vec::new();
    for (brought, orders) in ordered {
        let judged: Vec<_> = orders.into_iter().map(|order| (order, judge(desk, &order.value))).collect();
        let accepted = judged.iter().any(|(_, answer)| answer.accepted());
        if never_accepted(if accepted { Made::OneAccepted } else { Made::AllRefused }) {
            findings.extend(judged.iter().map(|(order, answer)| refused_and_used(brought, order, answer)));
        }
    }
    findings
}

/// PEC-17: a subscription leaves the classic offer only where the customer has consented to buy from the
/// partner and has agreed to the customer agreement. Where one of them is not known at the instant of
/// the move, that is a finding; the move counts, because Microsoft has made it, and credit begins with
/// it. Source: seed page on the Azure plan (2020-07-10); moving from 0145P (2023-01-11).
#[must_use]
pub fn unprepared(desk: &Desk<'_>, bill_to: Guid, period: Period) -> Vec<Finding> {
    let moved = desk.commerce.transitions().iter().filter(|one| period.interval().contains(one.at));
    let mut findings = Vec::new();
    for transition in moved {
        let Some(plan) = desk.commerce.plan(transition.plan).filter(|plan| plan.bill_to == bill_to) else { continue };
        let consent = desk.channel.relationship(plan.customer, bill_to, transition.at);
        let mut lacks = Vec::new();
        if consent.is_none_or(|told| told.value.is_none()) {
            lacks.push("a reseller relationship");
        }
        if desk.agreed(plan.customer, bill_to, transition.at).is_none() {
            lacks.push("the customer agreement");
        }
        if !lacks.is_empty() {
            let about = About {
                bill_to: Some(bill_to),
                customer: Some(plan.customer),
                plan: Some(plan.plan),
                subscription: Some(transition.subscription),
                day: Some(Day::of(transition.at)),
                ..About::default()
            };
            let detail = format!("not known when it moved: {}", lacks.join(", "));
            let finding = Finding::new(Code::EarlyTransition, about, detail);
            findings.push(Finding { events: vec![transition.event], ..finding });
        }
    }
    findings
}

fn refused_and_used(brought: Brought, order: &Stated<OrderRequested>, answer: &Answer) -> Finding {
    let codes: Vec<&str> = answer.reasons.iter().map(|reason| reason.ground.text()).collect();
    let (what, plan, subscription) = match brought {
        Brought::Plan(plan) => (format!("plan {plan}"), Some(plan), None),
        Brought::Subscription(id) => (format!("subscription {id}"), order.value.plan, Some(id)),
    };
    let about = About {
        bill_to: Some(order.value.partner),
        customer: Some(order.value.customer),
        plan,
        subscription,
        ..About::default()
    };
    let detail = format!("{what} has usage; its order {} was refused: {}", order.value.order, codes.join(", "));
    Finding { events: vec![order.event], ..Finding::new(Code::NotAccepted, about, detail) }
}

/// What an order would make, where it names it.
fn brings(order: &OrderRequested) -> Option<Brought> {
    match order.kind {
        OrderKind::AzurePlan | OrderKind::LegacyAzure | OrderKind::Transition | OrderKind::Transfer => {
            order.plan.map(Brought::Plan)
        }
        OrderKind::AzureSubscription => order.subscription.map(Brought::Subscription),
        OrderKind::Licences
        | OrderKind::SeatChange
        | OrderKind::Reservation
        | OrderKind::Renewal
        | OrderKind::Sandbox
        | OrderKind::PlanSuspension
        | OrderKind::ResellerOfRecord
        | OrderKind::Relationship
        | OrderKind::Partnership
        | OrderKind::LicenceTransfer
        | OrderKind::Manage
        | OrderKind::Attestation => None,
    }
}
