//! Who held what, when, and where nothing counted.

use super::world::*;
use crate::entry::*;
use crate::ids::Guid;
use crate::pec::{Judge, LostCode, Route, Timeline};
use crate::period::Interval;
use crate::roles::{CONTRIBUTOR, OWNER, READER};
use crate::scope::Scope;

fn timeline(world: &World, from: &str, to: &str) -> Timeline {
    let facts = world.facts();
    let commerce = facts.commerce.view();
    let mut judge = Judge::new(&facts, &commerce);
    let place = judge.place(SUB, &commerce.placements(SUB)[0], &vm());
    judge.timeline(place, &[Interval::new(t(from), t(to))])
}

#[test]
fn the_timeline_shows_what_counted_what_did_not_and_the_gaps() {
    let mut world = World::new();
    let granted = world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    let revoked = world.revoke(1, &sub(), "2026-02-03T12:00:00");
    world.grant(2, &group(), helpdesk(1), READER, "2026-01-05");
    world.grant(3, &vm(), user(2), CONTRIBUTOR, "2026-02-01");
    let link = world.link(user(2), CUSTOMER, &partner_id(2), "2026-02-04");
    let seen = timeline(&world, "2026-02-01", "2026-02-08");
    assert_eq!(
        seen.covered,
        [Interval::new(t("2026-02-01"), t("2026-02-03T12:00:00")), Interval::new(t("2026-02-04"), t("2026-02-08")),]
    );
    assert_eq!(seen.gaps, [Interval::new(t("2026-02-03T12:00:00"), t("2026-02-04"))]);
    assert_eq!(seen.known_since, Some(t("2026-01-01")));
    let rows: Vec<(Route, String, bool, usize)> = seen
        .held
        .iter()
        .map(|row| (row.holding.route, row.holding.role_name(), row.role_eligible, row.qualifies.len()))
        .collect();
    assert!(rows.contains(&(Route::Aobo, "Owner".into(), true, 1)));
    assert!(rows.contains(&(Route::Aobo, "Reader".into(), false, 0)));
    assert!(rows.contains(&(Route::Individual, "Contributor".into(), true, 1)));
    assert_eq!(rows.len(), 3);
    let of = |route, name: &str| {
        let found = seen.held.iter().find(|row| row.holding.route == route && row.holding.role_name() == name);
        found.unwrap().holding.events.clone()
    };
    assert_eq!(of(Route::Aobo, "Owner"), [granted, revoked]);
    assert!(of(Route::Individual, "Contributor").contains(&link));
}

#[test]
fn a_stretch_before_everything_is_one_gap() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-02-05");
    let seen = timeline(&world, "2026-01-10", "2026-01-12");
    assert!(seen.held.is_empty());
    assert_eq!(seen.gaps, [Interval::new(t("2026-01-10"), t("2026-01-12"))]);
}

#[test]
fn inherited_grants_count_by_policy_and_conditions_are_flagged() {
    let root_group = Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{CUSTOMER}"));
    let mut world = World::new();
    world.grant(1, &root_group, agents(1), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), "2026-02-10"), "earned");
    assert_eq!(world.findings("2026-02-10"), ["F-inherited-grant", "F-reseller-untold"]);
    let mut elsewhere = World::new();
    let other = Scope::parse("/providers/Microsoft.Management/managementGroups/production");
    elsewhere.grant(1, &other, agents(1), OWNER, "2026-01-05");
    assert_eq!(elsewhere.outcome(&vm(), "2026-02-10"), "never-granted", "nobody told what it contains");
    world.policy("inherited-grants", "ignore");
    assert_eq!(world.outcome(&vm(), "2026-02-10"), "never-granted");
    // Elevated access at the root is one person's, and needs the link like any other.
    let mut elevated = World::new();
    elevated.grant(1, &Scope::parse("/"), user(1), OWNER, "2026-01-05");
    assert_eq!(elevated.outcome(&vm(), "2026-02-10"), "pal-missing");
    elevated.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
    assert_eq!(elevated.outcome(&vm(), "2026-02-10"), "earned");
    let mut conditional = World::new();
    let mut facts = facts_of(agents(1), OWNER);
    facts.condition = Some("@Resource[…]".into());
    conditional.tell(Event::AssignmentCreated(AssignmentCreated {
        assignment: Guid(1),
        scope: sub(),
        facts,
        at: t("2026-01-05"),
    }));
    assert_eq!(conditional.outcome(&vm(), "2026-02-10"), "earned");
    assert_eq!(conditional.findings("2026-02-10"), ["F-condition", "F-reseller-untold"]);
}

/// The conditions that the one grant of a world failed in a week of February.
fn lacks(tell: impl Fn(&mut World)) -> Vec<LostCode> {
    let mut world = World::new();
    tell(&mut world);
    let seen = timeline(&world, "2026-02-01", "2026-02-08");
    let [row] = &seen.held[..] else { panic!("one grant is held: {:?}", seen.held) };
    row.lacks.clone()
}

fn held(world: &mut World, principal: Guid, role: Guid) {
    world.grant(1, &sub(), principal, role, "2026-01-05");
}

fn linked(world: &mut World, partner: u128) {
    held(world, user(1), CONTRIBUTOR);
    world.link(user(1), CUSTOMER, &partner_id(partner), "2026-01-05");
}

#[test]
fn a_grant_that_counts_lacks_nothing_and_another_one_what_it_fails_in_itself() {
    let agents_of = |n| move |world: &mut World| held(world, agents(n), OWNER);
    let (one, two, three) = (agents_of(1), agents_of(2), agents_of(3));
    assert_eq!([lacks(one), lacks(two), lacks(|world| linked(world, 1))], [vec![], vec![], vec![]]);
    assert_eq!(lacks(three), [LostCode::OtherPartner]);
    assert_eq!(lacks(|world| linked(world, 3)), [LostCode::PalOtherOrganisation], "its link can be mended");
    let reader = |world: &mut World| held(world, helpdesk(1), READER);
    assert_eq!(lacks(reader), [LostCode::RoleNotEligible]);
    let unlinked = |world: &mut World| held(world, user(1), READER);
    assert_eq!(lacks(unlinked), [LostCode::PalMissing, LostCode::RoleNotEligible], "in the order of the reasons");
    let eligible = |world: &mut World| {
        let authorization = Authorization { principal: user(1), role: CONTRIBUTOR, eligible_only: true };
        world.delegate(1, &sub(), tenant(1), Offered::Marketplace, authorization, "2026-01-05");
    };
    assert_eq!(lacks(eligible), [LostCode::JitOnly]);
}

/// What stood against the partners counts where it touches the stretch in which the grant was held.
#[test]
fn a_grant_lacks_what_stood_against_its_partners_in_the_stretch() {
    let aobo = |world: &mut World, n| held(world, agents(n), OWNER);
    let other_kind = |world: &mut World| {
        aobo(world, 1);
        let (at, reseller) = (t("2026-02-07"), partner(1, PartnerKind::Reseller));
        world.tell(Event::PartnerRegistered(PartnerRegistered { at, ..reseller }));
    };
    assert_eq!(lacks(other_kind), [LostCode::PartnerRole]);
    let ended = |world: &mut World| {
        aobo(world, 1);
        world.tell(Event::MembershipEnded(MembershipChange { partner: tenant(1), at: t("2026-02-07") }));
    };
    assert_eq!(lacks(ended), [LostCode::AgreementInactive]);
    let enrolled = |world: &mut World| {
        aobo(world, 2);
        let (partner, at) = (tenant(2), t("2026-02-07"));
        world.tell(Event::from(ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at })));
    };
    assert_eq!(lacks(enrolled), [LostCode::AgreementInactive], "the reseller has not qualified yet");
    let qualified = |world: &mut World| {
        world.grant(1, &sub(), agents(2), OWNER, "2026-02-05");
        let (partner, at) = (tenant(2), t("2026-02-03"));
        let region = crate::regions::of(crate::ids::Market::parse("DE").unwrap()).unwrap();
        world.tell(Event::from(ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at })));
        let onboarded = ResellerOnboarded { partner, partner_id: None, at };
        world.tell(Event::from(ChannelEvent::ResellerOnboarded(onboarded)));
        world.tell(Event::from(ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at })));
    };
    assert_eq!(lacks(qualified), [], "it qualified before it held anything");
    let barred = |holder, who, from, to| {
        lacks(|world| {
            aobo(world, holder);
            let standing =
                |at| PartnerStanding { partner: tenant(who), reason: "pressed a customer".into(), at: t(at) };
            world.tell(Event::PartnerBarred(standing(from)));
            world.tell(Event::PartnerReinstated(standing(to)));
        })
    };
    assert_eq!(barred(1, 1, "2026-02-03", "2026-02-04"), [LostCode::Barred]);
    assert_eq!(barred(2, 2, "2026-02-03", "2026-02-04"), [LostCode::Barred]);
    assert_eq!(barred(1, 2, "2026-02-03", "2026-02-04"), [], "the reseller held nothing");
    assert_eq!(barred(1, 1, "2026-01-20", "2026-02-01"), [], "reinstated when the stretch began");
}

#[test]
fn a_grant_that_was_denied_here_lacks_that_beside_what_it_lacks_in_itself() {
    let denied = |role, until: Option<&str>| {
        lacks(|world| {
            held(world, user(1), role);
            world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
            world.deny(&group(), "*", vec![user(1)], vec![], "2026-01-10");
            let ends = |at| DenyAssignmentDeleted { deny: Guid(0xde), scope: group(), at: t(at) };
            if let Some(at) = until {
                world.tell(Event::DenyRemoved(ends(at)));
            }
        })
    };
    assert_eq!(denied(CONTRIBUTOR, None), [LostCode::Denied]);
    assert_eq!(denied(READER, None), [LostCode::Denied, LostCode::RoleNotEligible], "in the order of the reasons");
    assert_eq!(denied(CONTRIBUTOR, Some("2026-02-01")), [], "it ended when the stretch began");
}
