//! What the reason of a lost day names: whose it was, the grants behind it, and the records that prove it.

use super::world::*;
use crate::entry::*;
use crate::finding::Code;
use crate::ids::{Guid, Identity};
use crate::partners::Organisation;
use crate::pec::{AccessVerdict, Judge, Loss, LostCode};
use crate::roles::{CONTRIBUTOR, OWNER, READER};

const DAY: &str = "2026-02-10";

fn loss(world: &World) -> Loss {
    world.verdict(&vm(), DAY).lost().expect("the day is lost").clone()
}

fn organisation(n: u128) -> Organisation {
    Organisation::Registered(format!("org-{n}").into())
}

/// Whose each grant behind the reason is, and the records that the reason cites of it.
fn behind(loss: &Loss) -> Vec<(Guid, Vec<Organisation>, Vec<Identity>)> {
    let each = (&loss.holdings).into_iter();
    each.map(|holding| (holding.principal, holding.organisations.clone(), holding.events.clone())).collect()
}

/// An identity changes the PartnerID that it links at noon: the day is lost, and the grant is ours before it is
/// anybody else's.
#[test]
fn a_grant_that_was_tied_to_two_partners_in_a_day_is_named_as_ours_first() {
    for (first, second) in [(3, 1), (1, 3)] {
        let mut world = World::new();
        let granted = world.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
        let early = world.link(user(1), CUSTOMER, &partner_id(first), "2026-01-05");
        let late = world.link(user(1), CUSTOMER, &partner_id(second), "2026-02-10T12:00:00");
        let [(_, whose, events)] = &behind(&loss(&world))[..] else { panic!("one grant is behind it") };
        assert_eq!(*whose, [organisation(1), organisation(3)], "first {first}, then {second}");
        let cited: std::collections::BTreeSet<&Identity> = events.iter().collect();
        assert_eq!(cited, [&granted, &early, &late].into_iter().collect());
    }
}

/// Credit is shared out among those for whom a grant counted: each in turn where the link changed from the billed
/// partner to the reseller of record, and never somebody for whom it counted nothing.
#[test]
fn who_earned_a_day_by_one_grant_is_whoever_it_counted_for() {
    for (first, second, whose) in [(1, 2, vec![1, 2]), (3, 1, vec![1]), (1, 3, vec![1])] {
        let mut world = World::new();
        world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
        world.grant(2, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
        world.link(user(1), CUSTOMER, &partner_id(first), "2026-01-05");
        world.link(user(1), CUSTOMER, &partner_id(second), "2026-02-10T12:00:00");
        let AccessVerdict::Earned(cover) = world.verdict(&vm(), DAY) else { panic!("the agents earn it anyway") };
        let of_user = cover.holdings.iter().find(|holding| holding.principal == user(1)).expect("it qualified");
        let whose: Vec<Organisation> = whose.into_iter().map(organisation).collect();
        assert_eq!(of_user.organisations, whose, "first {first}, then {second}");
    }
}

/// Nothing ties them, so the partners' own statements say whose they are.
#[test]
fn an_identity_or_a_managing_tenant_without_a_link_is_named_as_its_partners() {
    let mut person = World::new();
    person.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
    assert_eq!(behind(&loss(&person))[0].1, [organisation(1)]);
    let mut template = World::new();
    let authorization = Authorization { principal: user(9), role: CONTRIBUTOR, eligible_only: false };
    template.delegate(1, &sub(), tenant(1), Offered::Template, authorization, "2026-01-05");
    let lost = loss(&template);
    assert_eq!((lost.code, &behind(&lost)[0].1), (LostCode::PalMissing, &vec![organisation(1)]));
}

#[test]
fn another_partners_access_is_named_as_the_reason_and_nobody_elses() {
    let mut world = World::new();
    world.grant(1, &sub(), Guid(0x9999), OWNER, "2026-01-05");
    let granted = world.grant(2, &sub(), agents(3), OWNER, "2026-01-05");
    let lost = loss(&world);
    assert_eq!(lost.code, LostCode::OtherPartner);
    assert_eq!(behind(&lost), [(agents(3), vec![organisation(3)], vec![granted])]);
    assert_eq!(*lost.events, [granted]);
}

/// The judge that gives the reason is asked for the grants that it names.
#[test]
fn every_grant_behind_a_reason_can_be_looked_up() {
    let mut world = World::new();
    world.grant(1, &sub(), helpdesk(1), READER, "2026-01-05");
    world.grant(2, &group(), helpdesk(2), READER, "2026-01-05");
    let facts = world.facts();
    let commerce = facts.commerce.view();
    let mut judge = Judge::new(&facts, &commerce);
    let place = judge.place(SUB, &commerce.placements(SUB)[0], &vm());
    let verdict = judge.access(place, d(DAY));
    let looked_up = |loss: &Loss| {
        let grants = loss.holdings.iter().map(|holding| judge.grants().grant(holding.grant));
        grants.map(|grant| (grant.via.id(), grant.principal)).collect::<Vec<_>>()
    };
    assert_eq!(verdict.lost().map(looked_up), Some(vec![(Guid(1), helpdesk(1)), (Guid(2), helpdesk(2))]));
}

#[test]
fn an_ended_membership_is_the_billed_partners_and_no_qualification() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(2), OWNER, "2026-01-05");
    world.tell(Event::MembershipEnded(MembershipChange { partner: tenant(1), at: t(DAY) }));
    let lost = loss(&world);
    assert_eq!((lost.code, lost.partner, lost.qualification), (LostCode::AgreementInactive, Some(tenant(1)), false));
}

/// The billed partner's barring bars whoever held the access; a reseller's bars its own access.
#[test]
fn the_partner_that_was_barred_is_named_whoever_held_the_access() {
    for (barred, holder) in [(1, 1), (1, 2), (2, 2)] {
        let mut world = World::new();
        world.grant(1, &sub(), agents(holder), OWNER, "2026-01-05");
        let standing = |at| PartnerStanding { partner: tenant(barred), reason: "pressed a customer".into(), at: t(at) };
        world.tell(Event::PartnerBarred(standing("2026-02-10T10:00:00")));
        let lost = loss(&world);
        assert_eq!((lost.code, lost.partner), (LostCode::Barred, Some(tenant(barred))), "held by {holder}");
    }
}

/// A narrower deny assignment of the day, and one that refused every write on another day, made no gap.
#[test]
fn a_denied_day_cites_the_deny_assignments_that_made_the_gap() {
    let mut world = World::new();
    let granted = world.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
    let link = world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
    world.deny(&group(), "*", vec![user(1)], vec![], "2026-02-01");
    let ends = DenyAssignmentDeleted { deny: Guid(0xde), scope: group(), at: t("2026-02-05") };
    world.tell(Event::DenyRemoved(ends));
    world.tell(Event::DenyAssigned(DenyAssignment {
        deny: Guid(0xdf),
        scope: sub(),
        principals: vec![user(1)],
        excluded: vec![],
        actions: vec!["Microsoft.Compute/*".into()],
        not_actions: vec![],
        only_there: false,
        at: t("2026-02-01"),
    }));
    let gap = world.deny(&vm(), "*", vec![user(1)], vec![], "2026-02-10T12:00:00");
    let lost = loss(&world);
    assert_eq!((lost.code, lost.events.to_vec()), (LostCode::Denied, vec![gap, granted, link]));
}

#[test]
fn a_denial_is_flagged_on_the_days_that_it_touches() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.deny(&sub(), "*", vec![Guid(0)], vec![], "2026-02-11T12:00:00");
    assert_eq!(world.verdict(&vm(), DAY).flags(), []);
    assert_eq!(world.verdict(&vm(), "2026-02-11").flags(), [Code::Denied]);
}

/// A world whose subscription began to exist at noon of its first day, under policies about whole days.
fn known_from_noon(union_of_grants: &str) -> World {
    let mut world = World::new();
    for event in &mut world.events {
        if let Event::SubscriptionCreated(created) = event {
            created.at = t("2026-01-01T12:00:00");
        }
    }
    let setting = |name: &str, value: &str| PolicySetting { name: name.into(), value: value.into() };
    let settings = vec![setting("partial-day", "whole-day"), setting("union-of-grants", union_of_grants)];
    world.tell(Event::PolicyPublished(PolicyDocument { revision: 1, effective_from: d("2020-01-01"), settings }));
    world
}

/// ACC-10: of usage before the subscription is known to exist nobody can tell whether there was access.
#[test]
fn a_day_before_anything_is_known_is_unknown_and_never_called_never_granted() {
    for union_of_grants in ["yes", "no"] {
        let facts = known_from_noon(union_of_grants).facts();
        let commerce = facts.commerce.view();
        let mut judge = Judge::new(&facts, &commerce);
        let place = judge.place(SUB, &commerce.placements(SUB)[0], &vm());
        let verdict: AccessVerdict = judge.access(place, d("2025-12-20"));
        assert_eq!(outcome(&verdict), "unknown-access", "knowledge of the day alone would have earned it");
        assert_eq!(verdict.flags(), [Code::UnknownAccess]);
    }
}

/// ACC-10: on the morning before it was created there was nothing to have access to, so that nothing is unknown.
#[test]
fn a_morning_before_the_creation_is_late_and_not_unknown() {
    let day = |union_of_grants, spans: [(&str, Option<&str>); 2]| {
        let mut world = known_from_noon(union_of_grants);
        for (id, (from, to)) in (1..).zip(spans) {
            world.grant(id, &sub(), agents(id), OWNER, &format!("2026-01-01T{from}"));
            if let Some(to) = to {
                world.revoke(id, &sub(), &format!("2026-01-01T{to}"));
            }
        }
        let verdict = world.verdict(&vm(), "2026-01-01");
        let lost = verdict.lost().expect("the day is lost");
        (lost.code, lost.also.contains(&LostCode::UnknownAccess))
    };
    let throughout = [("12:00:00", None), ("20:00:00", None)];
    let in_turn = [("12:00:00", Some("18:00:00")), ("18:00:00", None)];
    let with_a_gap = [("12:00:00", Some("18:00:00")), ("19:00:00", None)];
    for union_of_grants in ["yes", "no"] {
        for spans in [throughout, in_turn, with_a_gap] {
            assert_eq!(day(union_of_grants, spans), (LostCode::LateStart, false));
        }
    }
}

/// PEC-1: a day that several grants held in turn has no gap that anybody could close: what is asked for is one role
/// that stays, and what is said is that the policy wants one. A gap is asked for as a gap.
#[test]
fn a_day_held_in_turn_asks_for_one_role_that_stays() {
    let lost = |second: &str| {
        let mut world = known_from_noon("no");
        world.grant(1, &sub(), agents(1), OWNER, "2026-02-01");
        world.revoke(1, &sub(), "2026-02-10T12:00:00");
        world.grant(2, &sub(), agents(2), OWNER, second);
        loss(&world)
    };
    let (in_turn, gap) = (lost("2026-02-10T12:00:00"), lost("2026-02-10T15:00:00"));
    assert_eq!((in_turn.code, in_turn.in_turn()), (LostCode::Gap, true));
    assert!(in_turn.request().contains("one eligible role that stays"), "{}", in_turn.request());
    assert!(in_turn.meaning().contains("in turn"), "{}", in_turn.meaning());
    assert_eq!((gap.code, gap.in_turn()), (LostCode::Gap, false));
    assert_eq!((gap.request(), gap.meaning()), (LostCode::Gap.remedy().sentence(), LostCode::Gap.meaning()));
}
