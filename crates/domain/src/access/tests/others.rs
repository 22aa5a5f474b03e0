//! Delegations, schedules and partner links.

use super::lives::{held, view};
use crate::entry::{Authorization, DelegationDeleted, Event, Schedule, ScheduleCancelled};
use crate::ids::Guid;
use crate::pec::tests::world::{CUSTOMER, Offered, World, partner_id, sub, t, tenant, user, vm};
use crate::roles::{CONTRIBUTOR, READER};

fn permanent(role: Guid) -> Authorization {
    Authorization { principal: user(1), role, eligible_only: false }
}

#[test]
fn a_delegations_update_states_the_whole() {
    let mut world = World::new();
    world.delegate(1, &sub(), tenant(1), Offered::Marketplace, permanent(CONTRIBUTOR), "2026-02-01");
    world.delegate(1, &sub(), tenant(1), Offered::Marketplace, permanent(CONTRIBUTOR), "2026-02-03T10:00:00");
    assert_eq!(held(&view(&world)), ["01T00:00:00.."], "kept by the update: one grant without a gap");
    world.delegate(1, &sub(), tenant(1), Offered::Marketplace, permanent(READER), "2026-02-05T10:00:00");
    assert_eq!(held(&view(&world)), ["01T00:00:00..05T10:00:00", "05T10:00:00.."]);
    assert_eq!(world.outcome(&vm(), "2026-02-04"), "earned");
    assert_eq!(world.outcome(&vm(), "2026-02-05"), "early-end");
    let deleted = DelegationDeleted { delegation: Guid(1), scope: sub(), at: t("2026-02-07") };
    world.tell(Event::DelegationDeleted(deleted));
    assert_eq!(held(&view(&world)), ["01T00:00:00..05T10:00:00", "05T10:00:00..07T00:00:00"]);
}

#[test]
fn a_template_needs_a_link_in_the_managing_tenant() {
    let mut world = World::new();
    world.delegate(1, &sub(), tenant(1), Offered::Template, permanent(CONTRIBUTOR), "2026-02-01");
    assert_eq!(world.outcome(&vm(), "2026-02-02"), "pal-missing");
    world.link(user(1), CUSTOMER, &partner_id(1), "2026-02-01");
    assert_eq!(world.outcome(&vm(), "2026-02-02"), "pal-missing", "the customer's tenant is the wrong one");
    world.link(user(1), tenant(1), &partner_id(1), "2026-02-01");
    assert_eq!(world.outcome(&vm(), "2026-02-02"), "earned");
}

/// Three people with a link and eight hours each of active time cover a day together.
#[test]
fn active_schedules_in_turn_cover_a_day() {
    let mut world = World::new();
    let shifts = [(1, "2026-02-10T00:00:00", "2026-02-10T08:00:00"), (2, "2026-02-10T08:00:00", "2026-02-10T16:00:00")];
    for (n, from, to) in shifts {
        world.schedule(n, user(n), CONTRIBUTOR, from, to);
        world.link(user(n), CUSTOMER, &partner_id(n), "2026-02-01");
    }
    assert_eq!(world.outcome(&vm(), "2026-02-10"), "early-end");
    world.schedule(3, user(4), CONTRIBUTOR, "2026-02-10T16:00:00", "2026-02-11T00:00:00");
    world.link(user(4), CUSTOMER, &partner_id(1), "2026-02-01");
    assert_eq!(world.outcome(&vm(), "2026-02-10"), "earned");
    assert_eq!(world.outcome(&vm(), "2026-02-11"), "removed", "schedules end by themselves");
    let cancelled = ScheduleCancelled { schedule: Guid(3), scope: sub(), at: t("2026-02-10T20:00:00") };
    world.tell(Event::ScheduleCancelled(cancelled));
    assert_eq!(world.outcome(&vm(), "2026-02-10"), "early-end");
}

#[test]
fn scheduled_access_begins_when_it_was_provisioned_and_eligible_time_never_counts() {
    let mut world = World::new();
    let schedule = |eligible_only| {
        Event::ScheduleCreated(Schedule {
            schedule: Guid(5),
            scope: sub(),
            principal: user(1),
            principal_type: None,
            role: CONTRIBUTOR,
            eligible_only,
            start: t("2026-02-01"),
            end: None,
            provisioned_at: t("2026-02-02T06:00:00"),
        })
    };
    world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
    let mut eligible = world.clone();
    world.tell(schedule(false));
    assert_eq!(held(&view(&world)), ["02T06:00:00.."]);
    assert_eq!(world.outcome(&vm(), "2026-02-03"), "earned");
    eligible.tell(schedule(true));
    assert_eq!(eligible.outcome(&vm(), "2026-02-03"), "jit-only");
}

/// A schedule extended before its end is one stretch; linking another PartnerID replaces the first.
#[test]
fn an_extension_and_a_replaced_link() {
    let mut world = World::new();
    world.schedule(5, user(1), CONTRIBUTOR, "2026-02-01", "2026-02-05");
    world.tell(Event::ScheduleCreated(Schedule {
        schedule: Guid(5),
        scope: sub(),
        principal: user(1),
        principal_type: None,
        role: CONTRIBUTOR,
        eligible_only: false,
        start: t("2026-02-01"),
        end: Some(t("2026-02-09")),
        provisioned_at: t("2026-02-04T12:00:00"),
    }));
    assert_eq!(held(&view(&world)), ["01T00:00:00..09T00:00:00"]);
    world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
    assert_eq!(world.outcome(&vm(), "2026-02-06"), "earned");
    world.link(user(1), CUSTOMER, &partner_id(3), "2026-02-06T12:00:00");
    assert_eq!(world.outcome(&vm(), "2026-02-06"), "pal-other-organisation");
    let access = view(&world);
    assert_eq!(access.links(user(1), CUSTOMER).len(), 2);
    assert_eq!(access.links(user(1), tenant(1)).len(), 0);
}
