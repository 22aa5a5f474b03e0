//! The whole UTC day, and the part of it that is tested.

use std::sync::Arc;

use super::world::*;
use crate::entry::{Event, PolicyDocument, PolicySetting, ScopeChange, TransferCompleted};
use crate::pec::{AccessVerdict, Judge};
use crate::roles::{CONTRIBUTOR, OWNER};

#[test]
fn twenty_three_hours_and_fifty_nine_minutes_earn_nothing() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-10T00:00:00");
    world.revoke(1, &sub(), "2026-01-12T23:59:00");
    assert_eq!(world.outcome(&vm(), "2026-01-09"), "never-granted");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "earned", "held from the first instant");
    assert_eq!(world.outcome(&vm(), "2026-01-11"), "earned");
    assert_eq!(world.outcome(&vm(), "2026-01-12"), "early-end");
    assert_eq!(world.outcome(&vm(), "2026-01-13"), "removed");
}

#[test]
fn a_grant_five_minutes_into_the_day_earns_from_the_next_one() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-10T00:05:00");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "late-start");
    assert_eq!(world.outcome(&vm(), "2026-01-11"), "earned");
}

/// A guest user takes over from AOBO at noon: together they cover the day, if the policy lets them.
#[test]
fn different_grants_hand_over_without_a_gap() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.grant(2, &group(), user(1), CONTRIBUTOR, "2026-01-10T12:00:00");
    world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-06");
    world.revoke(1, &sub(), "2026-01-10T12:00:00");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "earned");
    let mut strict = world.clone();
    strict.policy("union-of-grants", "no");
    assert_eq!(strict.outcome(&vm(), "2026-01-10"), "gap");
    assert_eq!(strict.outcome(&vm(), "2026-01-11"), "earned");
}

#[test]
fn a_hand_over_at_midnight_leaves_both_days_whole() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.revoke(1, &sub(), "2026-01-11T00:00:00");
    world.grant(2, &sub(), agents(2), OWNER, "2026-01-11T00:00:00");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "earned");
    assert_eq!(world.outcome(&vm(), "2026-01-11"), "earned");
}

#[test]
fn revoked_and_granted_again_within_a_day_is_a_gap() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.revoke(1, &sub(), "2026-01-10T12:00:00");
    world.grant(2, &sub(), agents(1), OWNER, "2026-01-10T12:00:01");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "gap");
    world.grant(3, &sub(), agents(2), OWNER, "2026-01-10T11:00:00");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "earned", "another grant covers the gap");
}

/// The portal writes AOBO seconds after it creates the subscription.
#[test]
fn aobo_within_the_grace_counts_from_the_creation() {
    for (written, expected) in [("2026-01-01T00:15:00", "earned"), ("2026-01-01T00:15:01", "late-start")] {
        let mut world = World::new();
        world.grant(1, &sub(), agents(1), OWNER, written);
        assert_eq!(world.outcome(&vm(), "2026-01-01"), expected, "{written}");
    }
    let mut beside = World::new();
    beside.grant(1, &group(), agents(1), OWNER, "2026-01-01T00:01:00");
    assert_eq!(beside.outcome(&vm(), "2026-01-01"), "late-start", "only at the subscription");
    let mut person = World::new();
    person.link(user(1), CUSTOMER, &partner_id(1), "2025-12-01");
    person.grant(1, &sub(), user(1), OWNER, "2026-01-01T00:01:00");
    assert_eq!(person.outcome(&vm(), "2026-01-01"), "late-start", "only AOBO");
    let mut strict = World::new();
    strict.policy("aobo-grace-minutes", "0");
    strict.grant(1, &sub(), agents(1), OWNER, "2026-01-01T00:01:00");
    assert_eq!(strict.outcome(&vm(), "2026-01-01"), "late-start");
}

fn transferred(at: &str) -> World {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.tell(Event::TransferCompleted(TransferCompleted { subscription: SUB, to_plan: PLAN_3, at: t(at) }));
    world
}

#[test]
fn each_side_of_a_transfer_is_tested_over_its_own_part() {
    let mut world = transferred("2026-01-10T15:00:00");
    let outcomes = |world: &World| world.verdicts(&vm(), "2026-01-10").iter().map(outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(&world), ["earned", "other-partner"]);
    world.grant(2, &sub(), agents(3), OWNER, "2026-01-10T14:59:59");
    assert_eq!(outcomes(&world), ["earned", "earned"]);
    world.policy("partial-day", "whole-day");
    assert_eq!(outcomes(&world), ["earned", "late-start"]);
}

#[test]
fn the_grace_never_applies_after_a_transfer() {
    let mut world = transferred("2026-01-10T15:00:00");
    world.grant(2, &sub(), agents(3), OWNER, "2026-01-10T15:01:00");
    let outcomes: Vec<String> = world.verdicts(&vm(), "2026-01-10").iter().map(outcome).collect();
    assert_eq!(outcomes, ["earned", "late-start"]);
}

/// Nor after a subscription that was cancelled is there again: the portal writes nothing then.
#[test]
fn the_grace_never_applies_after_a_resumption() {
    let mut world = World::new();
    world.tell(Event::SubscriptionCancelled(crate::entry::SubscriptionCancelled {
        subscription: SUB,
        at: t("2026-01-08"),
    }));
    let change = crate::entry::SubscriptionChange { subscription: SUB, at: t("2026-01-10T15:00:00") };
    world.tell(Event::SubscriptionResumed(change));
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-10T15:01:00");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "late-start");
    assert_eq!(world.outcome(&vm(), "2026-01-11"), "earned");
}

/// The reseller of record changes at noon; the old one's access counts until then only.
#[test]
fn the_reseller_of_record_counts_at_the_instant() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(2), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "earned");
    world.tell(Event::ResellerOfRecordSet(crate::entry::ResellerOfRecordSet {
        plan: PLAN,
        reseller: None,
        at: t("2026-01-10T12:00:00"),
    }));
    assert_eq!(world.outcome(&vm(), "2026-01-10"), "early-end");
    assert_eq!(world.outcome(&vm(), "2026-01-11"), "other-partner");
}

/// Some part of every day is tested, whatever was there: without a subscription, after the resource was
/// deleted, before it was made. So it does not matter on such days whether grants may take turns.
#[test]
fn where_nothing_was_there_it_does_not_matter_whether_grants_may_take_turns() {
    let world = |partial_day: &str, known_creation: &str, turns: &str| {
        let mut world = World::new();
        world.tell(Event::ScopeCreated(ScopeChange { scope: vm(), at: t("2026-01-08T12:00:00") }));
        world.tell(Event::ScopeDeleted(ScopeChange { scope: vm(), at: t("2026-01-10T12:00:00") }));
        let fields = [("partial-day", partial_day), ("known-creation", known_creation), ("union-of-grants", turns)];
        let settings = fields.map(|(name, value)| PolicySetting { name: name.into(), value: value.into() }).to_vec();
        world.tell(Event::PolicyPublished(PolicyDocument { revision: 1, effective_from: d("2020-01-01"), settings }));
        world
    };
    for (partial_day, known_creation) in
        [("existence", "ignored"), ("existence", "shortens"), ("whole-day", "ignored"), ("whole-day", "shortens")]
    {
        for day in ["2025-12-20", "2026-01-01", "2026-01-07", "2026-01-08", "2026-01-10", "2026-01-12"] {
            let [turns, alone] = ["yes", "no"].map(|turns| {
                let facts = world(partial_day, known_creation, turns).facts();
                let commerce = facts.commerce.view();
                let mut judge = Judge::new(&facts, &commerce);
                let place = judge.place(SUB, &commerce.placements(SUB)[0], &vm());
                assert_ne!(judge.tested(place, d(day)), [], "{day}");
                outcome(&judge.access(place, d(day)))
            });
            assert_eq!(turns, alone, "{partial_day}, {known_creation}, {day}");
            assert_ne!(turns, "earned", "nobody ever held anything");
        }
    }
}

/// A month of days on which nothing changes costs no more than one of them: they share one answer. A day
/// on which something changes has an answer of its own.
#[test]
fn days_that_are_alike_share_one_answer() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.grant(2, &group(), agents(2), OWNER, "2026-01-12T12:00:00");
    let facts = world.facts();
    let commerce = facts.commerce.view();
    let mut judge = Judge::new(&facts, &commerce);
    let place = judge.place(SUB, &commerce.placements(SUB)[0], &vm());
    let mut cover = |day: &str| match judge.access(place, d(day)) {
        AccessVerdict::Earned(cover) => cover,
        AccessVerdict::Lost(loss) => panic!("{day} is lost: {}", loss.code),
    };
    let [tenth, eleventh, twelfth] = ["2026-01-10", "2026-01-11", "2026-01-12"].map(&mut cover);
    assert!(Arc::ptr_eq(&tenth, &eleventh));
    assert!(!Arc::ptr_eq(&eleventh, &twelfth));
    assert_eq!([eleventh.holdings.len(), twelfth.holdings.len()], [1, 2]);
}
