//! Delegations, schedules, partner links and deny assignments.

use super::lives::{held, view};
use crate::access::{Access, Grant, Via};
use crate::entry::{
    Authorization, DelegationDeleted, DenyAssignment, Event, GroupMemberAdded, GroupMemberRemoved, Schedule,
    ScheduleCancelled,
};
use crate::ids::Guid;
use crate::pec::tests::world::{CUSTOMER, Offered, World, group, partner_id, sub, t, tenant, user, vm};
use crate::period::{Instant, Interval};
use crate::roles::{CONTRIBUTOR, READER};
use crate::scope::Scope;

const GROUP: Guid = Guid(0x6001);

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

/// Deleted by an id that lies elsewhere: it ends all the same, and a person is told by which record.
#[test]
fn a_delegation_deleted_on_another_scope_is_a_finding_that_cites_the_deletion() {
    let mut world = World::new();
    world.delegate(1, &sub(), tenant(1), Offered::Marketplace, permanent(CONTRIBUTOR), "2026-02-01");
    let deleted = DelegationDeleted { delegation: Guid(1), scope: vm(), at: t("2026-02-07") };
    let deletion = world.tell(Event::DelegationDeleted(deleted));
    let access = view(&world);
    assert_eq!(held(&access), ["01T00:00:00..07T00:00:00"]);
    let found: Vec<_> = access.findings().iter().map(|one| (one.code.text(), one.events.as_slice())).collect();
    assert_eq!(found, [("F-differing-scope", &[deletion][..])]);
}

/// An explanation names each grant by Azure's id and by the rules that say when it was held.
#[test]
fn a_grant_is_known_by_its_id_and_by_the_rules_of_its_life() {
    let mut world = World::new();
    let granted = world.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-02-01");
    let to_group = world.grant(2, &sub(), GROUP, CONTRIBUTOR, "2026-02-02");
    let added = GroupMemberAdded { group: GROUP, member: user(2), at: t("2026-02-02"), until: None };
    let joined = world.tell(Event::GroupMemberAdded(added));
    world.schedule(3, user(1), CONTRIBUTOR, "2026-02-03", "2026-02-05");
    world.delegate(4, &sub(), tenant(1), Offered::Marketplace, permanent(CONTRIBUTOR), "2026-02-04");
    let access = view(&world);
    let known: Vec<(Guid, Vec<&str>)> = access.grants().map(|(_, one)| (one.via.id(), one.rules())).collect();
    let expected = [
        (Guid(1), vec!["ACC-1", "ACC-3"]),
        (Guid(2), vec!["ACC-1", "ACC-3", "ACC-11"]),
        (Guid(3), vec!["ACC-8"]),
        (Guid(4), vec!["ACC-7"]),
    ];
    assert_eq!(known, expected);
    let events: Vec<_> = access.grants().take(2).map(|(_, one)| one.events.clone()).collect();
    assert_eq!(events, [vec![granted], vec![to_group, joined]], "a member's grant cites its membership too");
    let doubted = Grant { unknown: Some(Interval::new(t("2026-02-01"), t("2026-02-02"))), ..one_of(&access) };
    assert_eq!(doubted.rules(), ["ACC-1", "ACC-3", "ACC-6"]);
}

fn one_of(access: &Access) -> Grant {
    access.grants().next().unwrap().1.clone()
}

#[test]
fn the_tenants_in_which_an_identity_ever_had_a_link_are_its_own() {
    let mut world = World::new();
    world.link(user(1), tenant(1), &partner_id(1), "2026-01-05");
    world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
    world.unlink(user(1), CUSTOMER, "2026-01-06");
    world.link(user(2), tenant(2), &partner_id(2), "2026-01-05");
    let access = view(&world);
    assert_eq!(access.tenants_linked(user(1)), [CUSTOMER, tenant(1)]);
    assert!(access.tenants_linked(user(3)).is_empty());
}

fn denial(scope: Scope, principal: Guid, only_there: bool) -> Event {
    Event::DenyAssigned(DenyAssignment {
        deny: Guid(0xde),
        scope,
        principals: vec![principal],
        excluded: vec![],
        actions: vec!["*".into()],
        not_actions: vec!["*/read".into()],
        only_there,
        at: t("2026-02-01"),
    })
}

/// A membership that nobody saw begin may have been and proves nothing; another one's is not mine.
#[test]
fn a_denied_group_reaches_its_members_while_they_are_known_to_be_in_it() {
    let mut world = World::new();
    world.tell(denial(sub(), GROUP, false));
    let (group, at) = (GROUP, t("2026-02-05"));
    world.tell(Event::GroupMemberAdded(GroupMemberAdded { group, member: user(2), at, until: None }));
    world.tell(Event::GroupMemberRemoved(GroupMemberRemoved { group, member: user(3), at }));
    let access = view(&world);
    let reach = access.ground(&sub(), CUSTOMER, false).denies[0];
    let denied = [user(1), user(2), user(3)].map(|principal| access.denied(reach.deny, principal));
    assert_eq!(denied, [vec![], vec![Interval::new(at, Instant::MAX_UTC)], vec![]]);
}

/// ACC-12: what is used lies in resources, so that a denial at a container alone refuses nothing of it.
#[test]
fn a_denial_that_holds_only_there_makes_a_gap_at_a_resource_and_nowhere_above() {
    for (scope, expected) in [(sub(), "earned"), (group(), "earned"), (vm(), "denied")] {
        let mut world = World::new();
        world.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
        world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
        world.tell(denial(scope.clone(), user(1), true));
        assert_eq!(world.outcome(&vm(), "2026-02-10"), expected, "{scope}");
    }
}

/// ACC-8: an assignment is an active schedule's where it begins with it: not an eligible one's, and not that of one
/// which was over when it began. It ends with the schedule, cites it then, and cites itself alone where it had
/// ended by then.
#[test]
fn an_assignment_ends_with_the_schedule_that_it_was_written_for() {
    let schedule = |eligible_only: bool, end: &str| {
        Event::ScheduleCreated(Schedule {
            schedule: Guid(5),
            scope: sub(),
            principal: user(1),
            principal_type: None,
            role: CONTRIBUTOR,
            eligible_only,
            start: t("2026-02-10T10:00:00"),
            end: Some(t(end)),
            provisioned_at: t("2026-02-10T10:00:00"),
        })
    };
    let of = |scheduled: Event, begins: &str, ends: Option<&str>| {
        let mut world = World::new();
        let events = world.tell(scheduled);
        world.grant(1, &sub(), user(1), CONTRIBUTOR, begins);
        if let Some(ends) = ends {
            world.revoke(1, &sub(), ends);
        }
        let access = view(&world);
        let mut assignments = access.grants().filter(|(_, grant)| matches!(grant.via, Via::Assignment(_)));
        let (_, grant) = assignments.next().expect("it is held");
        (grant.held.to, grant.events.contains(&events), grant.events.len())
    };
    let (noon, never) = ("2026-02-10T12:00:00", Instant::MAX_UTC);
    assert_eq!(of(schedule(false, noon), "2026-02-10T10:01:00", None), (t(noon), true, 2));
    assert_eq!(of(schedule(true, noon), "2026-02-10T10:01:00", None), (never, false, 1));
    let brief = schedule(false, "2026-02-10T10:03:00");
    assert_eq!(of(brief, "2026-02-10T10:03:00", None), (never, false, 1), "over when it began");
    let revoked = of(schedule(false, noon), "2026-02-10T10:01:00", Some(noon));
    assert_eq!(revoked, (t(noon), false, 2), "nothing of it is the schedule's to end");
}

/// ACC-11: a template for a group counts by the link of the group itself too, whoever is in it; and while it is
/// not known whether anybody was, it is the group that lacks a link.
#[test]
fn a_template_for_a_group_counts_by_the_groups_own_link() {
    let world = |known: bool| {
        let mut world = World::new();
        let authorization = Authorization { principal: GROUP, role: CONTRIBUTOR, eligible_only: false };
        world.delegate(1, &sub(), tenant(1), Offered::Template, authorization, "2026-02-01");
        if known {
            let (group, member) = (GROUP, user(1));
            world.tell(Event::GroupMemberAdded(GroupMemberAdded { group, member, at: t("2026-02-01"), until: None }));
        } else {
            let (group, member, at) = (GROUP, user(1), t("2026-02-20"));
            world.tell(Event::GroupMemberRemoved(GroupMemberRemoved { group, member, at }));
        }
        world
    };
    let mut linked = world(true);
    assert_eq!(linked.outcome(&vm(), "2026-02-10"), "pal-missing");
    linked.link(GROUP, tenant(1), &partner_id(1), "2026-02-01");
    assert_eq!(linked.outcome(&vm(), "2026-02-10"), "earned");
    assert_eq!(world(false).outcome(&vm(), "2026-02-10"), "pal-missing");
}

/// What names a principal, and by which memberships, is what an explanation cites; what names somebody else is not.
#[test]
fn a_deny_assignment_is_cited_for_whom_it_names() {
    let naming = |principals: Vec<Guid>| {
        let mut world = World::new();
        let (group, member) = (GROUP, user(1));
        let joined = world.tell(Event::GroupMemberAdded(GroupMemberAdded {
            group,
            member,
            at: t("2026-02-01"),
            until: Some(t("2026-02-05")),
        }));
        // People of interest are those of partners; somebody else is in the group too.
        world.tell(Event::GroupMemberAdded(GroupMemberAdded {
            group,
            member: user(2),
            at: t("2026-02-01"),
            until: None,
        }));
        let denied = world.tell(Event::DenyAssigned(DenyAssignment {
            deny: Guid(0xde),
            scope: sub(),
            principals,
            excluded: Vec::new(),
            actions: vec!["*".into()],
            not_actions: vec!["*/read".into()],
            only_there: false,
            at: t("2026-02-01"),
        }));
        let access = view(&world);
        let deny = access.ground(&vm(), CUSTOMER, false).denies[0].deny;
        let cited = |principal: Guid, from: &str, to: &str| {
            let named = access.naming(deny, principal, &[Interval::new(t(from), t(to))]);
            (named.contains(&denied), named.contains(&joined), named.len())
        };
        [
            cited(user(1), "2026-02-02", "2026-02-03"),
            cited(user(1), "2026-02-06", "2026-02-07"),
            cited(user(3), "2026-02-02", "2026-02-03"),
        ]
    };
    let (no, itself, with_group) = ((false, false, 0), (true, false, 1), (true, true, 2));
    assert_eq!(naming(vec![user(1)]), [itself, itself, no]);
    assert_eq!(naming(vec![GROUP]), [with_group, no, no]);
    assert_eq!(naming(vec![Guid(0)]), [itself, itself, itself], "everybody");
}
