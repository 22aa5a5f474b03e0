//! Who held what, when, and where nothing counted.

use super::world::*;
use crate::pec::{Judge, Route, Timeline, mismatch};
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
    conditional.tell(crate::entry::Event::AssignmentCreated(crate::entry::AssignmentCreated {
        assignment: crate::ids::Guid(1),
        scope: sub(),
        facts,
        at: t("2026-01-05"),
    }));
    assert_eq!(conditional.outcome(&vm(), "2026-02-10"), "earned");
    assert_eq!(conditional.findings("2026-02-10"), ["F-condition", "F-reseller-untold"]);
}

#[test]
fn a_resource_of_another_subscription_cannot_be_judged() {
    assert_eq!(mismatch(SUB, &vm()), None);
    let stranger = mismatch(crate::ids::Guid(1), &vm()).unwrap();
    assert!(stranger.blocking());
}
