//! Order and number of deliveries leave no trace, whatever kind of event is among them.
//!
//! A world is told together with random events of every canonical kind, many of which speak of the
//! world's own partners, customers and subscriptions. Delivered in any order, some twice, they give
//! the same answers: the digest of all drafts, and the answers about the world row by row.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{
    AzureCreditGranted, ChargeRecorded, Event, MembershipChange, Move, PartnerStanding, PlanChange, RefundGranted,
    SubscriptionCancelled, SubscriptionChange, SubscriptionMoved, TransferCompleted,
};
use domain::facts::Facts;
use domain::ids::Guid;
use domain::period::{Day, Instant};
use engine::digest;
use journal::wire::{self, Envelope, Message};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::dice::Dice;
use super::telling::{guid, instant};
use super::{fold, for_every_seed, messages, shuffled, worlds};
use crate::generate;
use crate::oracle::world::World;

/// Events of any kind beside each world.
const BESIDE: usize = 40;

/// Random events from a seed.
fn any_events(seed: u64) -> Vec<(Envelope, Event)> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = generate::event();
    (0..BESIDE).map(|_| strategy.new_tree(&mut runner).expect("no event is refused").current()).collect()
}

/// The event as if it spoke of the world: about its partners, plans, subscriptions, in its month.
fn about(world: &World, event: Event, dice: &mut Dice) -> Event {
    let partner = guid(dice.pick(&world.partners).tenant);
    let plan = guid(dice.pick(&world.plans).id);
    let subscription = guid(dice.pick(&world.subscriptions).id);
    let customer: Guid = guid(world.customer_tenant);
    let at: Instant = instant(dice.between(worlds::window().0, worlds::window().1));
    match event {
        Event::MembershipStarted(_) => Event::MembershipStarted(MembershipChange { partner, at }),
        Event::MembershipEnded(_) => Event::MembershipEnded(MembershipChange { partner, at }),
        Event::PartnerBarred(one) => Event::PartnerBarred(PartnerStanding { partner, at, ..one }),
        Event::PartnerReinstated(one) => Event::PartnerReinstated(PartnerStanding { partner, at, ..one }),
        Event::PlanSuspended(_) => Event::PlanSuspended(PlanChange { plan, at }),
        Event::PlanReactivated(_) => Event::PlanReactivated(PlanChange { plan, at }),
        Event::PlanCancelled(_) => Event::PlanCancelled(PlanChange { plan, at }),
        Event::SubscriptionSuspended(_) => Event::SubscriptionSuspended(SubscriptionChange { subscription, at }),
        Event::SubscriptionResumed(_) => Event::SubscriptionResumed(SubscriptionChange { subscription, at }),
        Event::SubscriptionCancelled(_) => Event::SubscriptionCancelled(SubscriptionCancelled { subscription, at }),
        Event::TransferRequested(_) => Event::TransferRequested(Move { subscription, to_plan: plan, at }),
        Event::TransferCompleted(_) => Event::TransferCompleted(TransferCompleted { subscription, to_plan: plan, at }),
        Event::ChargeRecorded(one) => Event::ChargeRecorded(ChargeRecorded { customer, plan, at, ..one }),
        Event::RefundGranted(one) => Event::RefundGranted(RefundGranted { customer, plan, at, ..one }),
        Event::AzureCreditGranted(one) => Event::AzureCreditGranted(AzureCreditGranted {
            bill_to: partner,
            customer,
            plan: None,
            from: Day::of(at),
            until: Day::of(at).next().next(),
            ..one
        }),
        Event::SubscriptionMoved(one) => Event::SubscriptionMoved(SubscriptionMoved { subscription, at, ..one }),
        other => other,
    }
}

/// What is told of a world and beside it; and the kinds that are among it.
fn told(seed: u64) -> (Vec<Message>, BTreeSet<&'static str>) {
    let world = worlds::make(seed);
    let (mut all, mut kinds, mut dice) = (messages(&world, seed), BTreeSet::new(), Dice::new(seed ^ 0xa9));
    for (envelope, event) in any_events(seed) {
        let event = if dice.chance(70) { about(&world, event, &mut dice) } else { event };
        kinds.extend(wire::type_of(&event));
        all.push(wire::encode(&envelope, &event));
    }
    (all, kinds)
}

fn depends_on_order(seed: u64, told: &[Message], answer: &dyn Fn(&Facts) -> String) -> bool {
    let (expected, mut dice) = (answer(&fold(told)), Dice::new(!seed));
    (0..3).any(|_| answer(&fold(shuffled(told, &mut dice))) != expected)
}

fn in_other_orders(seed: u64, told: &[Message], answer: &dyn Fn(&Facts) -> String) -> Result<(), String> {
    if !depends_on_order(seed, told, answer) {
        return Ok(());
    }
    // What is not needed for it is left out, so that whoever looks has little to read.
    let mut least = told.to_vec();
    let mut at = 0;
    while at < least.len() {
        let mut fewer = least.clone();
        fewer.remove(at);
        if depends_on_order(seed, &fewer, answer) {
            least = fewer;
        } else {
            at += 1;
        }
    }
    let said: Vec<String> = least
        .iter()
        .map(|one| String::from_utf8_lossy(one.value.as_deref().unwrap_or_default()).into_owned())
        .collect();
    Err(format!("the answers depend on the order or the number of deliveries of\n{}", said.join("\n")))
}

#[test]
fn events_of_every_kind_in_any_order_give_the_same_answers() {
    let seen = std::cell::RefCell::new(BTreeMap::<&str, u32>::new());
    for_every_seed(|seed| {
        let (told, kinds) = told(seed);
        kinds.into_iter().for_each(|kind| *seen.borrow_mut().entry(kind).or_default() += 1);
        in_other_orders(seed, &told, &|facts| format!("{:?}", digest::of(facts)))
    });
    let seen = seen.into_inner();
    // What was updated is the same event as what was created, told under another name.
    let told = |kind: &&str| seen.contains_key(kind) || *kind == "pec.delegation.updated.v1";
    let missing: Vec<&str> = wire::kinds().map(|(kind, _)| kind).filter(|kind| !told(kind)).collect();
    assert!(missing.is_empty() || super::seeds().len() < 100, "{missing:?} are never delivered");
}

/// The control: an answer that looks at arrival, such as where each body of a conflict stands, is seen.
#[test]
fn an_answer_that_looks_at_arrival_is_seen() {
    let positions = |facts: &Facts| format!("{:?}", facts.conflicts.iter().collect::<Vec<_>>());
    let seen = (0..20).filter(|seed| depends_on_order(*seed, &told(*seed).0, &positions)).count();
    assert!(seen > 5, "of 20 answers that name positions only {seen} were seen to differ");
}
