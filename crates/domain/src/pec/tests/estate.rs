//! Deny assignments, groups, deletions, moves and management groups, in what a day comes to.

use super::world::*;
use crate::entry::*;
use crate::finding::Code;
use crate::ids::{Guid, Identity};
use crate::pec::{Judge, LostCode, Route};
use crate::period::Interval;
use crate::roles::{CONTRIBUTOR, OWNER, READER};
use crate::scope::Scope;

const GROUP: Guid = Guid(0x6001);
const INNER: Guid = Guid(0x6002);
const DAY: &str = "2026-02-10";
const EVERYBODY: Guid = Guid(0);

impl World {
    fn member(&mut self, group: Guid, member: Guid, at: &str, until: Option<&str>) {
        let until = until.map(t);
        self.tell(Event::GroupMemberAdded(GroupMemberAdded { group, member, at: t(at), until }));
    }

    pub(super) fn deny(
        &mut self,
        scope: &Scope,
        action: &str,
        principals: Vec<Guid>,
        excluded: Vec<Guid>,
        at: &str,
    ) -> Identity {
        self.tell(Event::DenyAssigned(DenyAssignment {
            deny: Guid(0xde),
            scope: scope.clone(),
            principals,
            excluded,
            actions: vec![action.into()],
            not_actions: vec!["*/read".into()],
            only_there: false,
            at: t(at),
        }))
    }

    fn delete(&mut self, scope: &Scope, at: &str) -> Identity {
        self.tell(Event::ScopeDeleted(ScopeChange { scope: scope.clone(), at: t(at) }))
    }

    fn move_to(&mut self, from: &Scope, to: &Scope, at: &str) {
        self.tell(Event::ScopeMoved(ScopeMoved { from: from.clone(), to: to.clone(), at: t(at) }));
    }

    fn below(&mut self, child: &Scope, parent: Option<&Scope>, left: Option<&Scope>, at: &str) {
        let (parent, left) = (parent.cloned(), left.cloned());
        self.tell(Event::TreeChanged(TreeChange { child: child.clone(), parent, left, at: t(at) }));
    }
}

fn management_group(name: &str) -> Scope {
    Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{name}"))
}

fn in_group(name: &str) -> Scope {
    Scope::parse(&format!("{}/resourceGroups/{name}/providers/Microsoft.Compute/virtualMachines/a", sub()))
}

fn with_link(world: &mut World, id: u128, principal: Guid) {
    world.grant(id, &sub(), principal, CONTRIBUTOR, "2026-01-05");
    world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
}

/// Groups in groups, a circle among them: everybody is found once, for as long as each step lasts.
#[test]
fn members_count_through_nested_groups_and_circles_end() {
    let mut world = World::new();
    with_link(&mut world, 1, GROUP);
    world.member(GROUP, INNER, "2026-01-06", None);
    world.member(INNER, GROUP, "2026-01-06", None);
    world.member(INNER, user(1), "2026-01-06", Some("2026-02-11"));
    assert_eq!(world.outcome(&vm(), DAY), "earned");
    assert_eq!(world.outcome(&vm(), "2026-02-11"), "removed");
    let facts = world.facts();
    let access = facts.access.view(&facts.commerce.view(), &facts.partners.view());
    let held: Vec<(Guid, Option<Guid>)> = access.grants().map(|(_, it)| (it.principal, it.member_of)).collect();
    assert_eq!(held, [(user(1), Some(GROUP))], "one grant for one membership");
    world.tell(Event::GroupMemberRemoved(GroupMemberRemoved {
        group: GROUP,
        member: INNER,
        at: t("2026-02-10T12:00:00"),
    }));
    assert_eq!(world.outcome(&vm(), DAY), "early-end");
}

/// A group that a partner registered as its agents is AOBO whatever membership events say of it.
#[test]
fn the_agents_group_stays_whole() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.member(agents(1), user(1), "2026-01-05", Some("2026-01-06"));
    let verdict = world.verdict(&vm(), DAY);
    let crate::pec::AccessVerdict::Earned(cover) = verdict else { panic!("earned") };
    assert_eq!(cover.holdings.iter().map(|it| it.route).collect::<Vec<_>>(), [Route::Aobo]);
}

/// A template may name a group: the link may be on any member of it.
#[test]
fn a_template_counts_by_a_linked_member_of_the_group_it_names() {
    let mut world = World::new();
    let authorization = Authorization { principal: GROUP, role: CONTRIBUTOR, eligible_only: false };
    world.delegate(2, &sub(), tenant(1), Offered::Template, authorization, "2026-01-05");
    world.member(GROUP, user(1), "2026-01-05", None);
    assert_eq!(world.outcome(&vm(), DAY), "pal-missing");
    world.link(user(1), tenant(1), &partner_id(1), "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
}

#[test]
fn a_denial_of_every_write_is_a_gap_for_those_whom_it_reaches() {
    for (action, principals, excluded, expected) in [
        ("*", vec![EVERYBODY], vec![], "denied"),
        ("*/write", vec![user(1)], vec![], "denied"),
        ("*/Write", vec![GROUP], vec![], "denied"),
        ("*", vec![EVERYBODY], vec![user(1)], "earned"),
        ("*", vec![EVERYBODY], vec![GROUP], "earned"),
        ("*", vec![user(3)], vec![], "earned"),
        ("Microsoft.Compute/*", vec![EVERYBODY], vec![], "earned"),
    ] {
        let mut world = World::new();
        with_link(&mut world, 1, user(1));
        world.member(GROUP, user(1), "2026-01-05", None);
        let denial = world.deny(&group(), action, principals.clone(), excluded, "2026-02-10T12:00:00");
        let verdict = world.verdict(&vm(), DAY);
        assert_eq!(outcome(&verdict), expected, "{action} {principals:?}");
        if let Some(loss) = verdict.lost() {
            assert!(loss.events.contains(&denial), "the reason names the deny assignment");
            assert_eq!(loss.open, [Interval::new(t("2026-02-10T12:00:00"), t("2026-02-11"))]);
        }
        assert_eq!(world.outcome(&sub(), DAY), "earned", "beside the group nothing is denied");
    }
}

#[test]
fn a_denial_is_a_flag_for_delegated_administration_unless_the_policy_says_otherwise() {
    let world = |policy: Option<&str>| {
        let mut world = World::new();
        world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
        world.deny(&sub(), "*", vec![EVERYBODY], vec![], "2026-02-01");
        policy.into_iter().for_each(|value| world.policy("deny-assignments", value));
        world
    };
    let plain = world(None).verdict(&vm(), DAY);
    assert!(plain.is_earned());
    assert_eq!(plain.flags(), [Code::Denied]);
    assert_eq!(world(Some("every")).outcome(&vm(), DAY), "denied");
    assert!(world(Some("flag")).verdict(&vm(), DAY).is_earned());
    let mut ended = world(Some("every"));
    ended.tell(Event::DenyRemoved(DenyAssignmentDeleted { deny: Guid(0xde), scope: sub(), at: t("2026-02-10") }));
    assert_eq!(ended.outcome(&vm(), DAY), "earned");
    assert_eq!(ended.outcome(&vm(), "2026-02-09"), "denied");
}

/// The assignment is written again under its old id: a life of its own, not the old one.
#[test]
fn a_deleted_group_takes_its_grants_along_and_a_new_one_may_have_the_same_id() {
    let mut world = World::new();
    world.grant(1, &group(), agents(1), OWNER, "2026-01-05");
    let deletion = world.delete(&group(), "2026-02-10T15:00:00");
    assert_eq!(world.outcome(&vm(), DAY), "earned", "the tested part ends with the group");
    let lost = world.verdict(&vm(), "2026-02-11");
    assert_eq!(outcome(&lost), "removed", "usage after a deletion proves that something is there");
    assert!(lost.lost().unwrap().events.contains(&deletion));
    world.tell(Event::ScopeCreated(ScopeChange { scope: group(), at: t("2026-02-11T08:00:00") }));
    world.grant(1, &group(), agents(1), OWNER, "2026-02-11T08:05:00");
    assert_eq!(world.outcome(&vm(), "2026-02-11"), "late-start", "a creation does not shorten the day");
    assert_eq!(world.outcome(&vm(), "2026-02-12"), "earned");
    world.policy("known-creation", "shortens");
    assert_eq!(world.outcome(&vm(), "2026-02-11"), "late-start");
    world.grant(2, &group(), agents(1), CONTRIBUTOR, "2026-02-11T08:00:00");
    assert_eq!(world.outcome(&vm(), "2026-02-11"), "earned");
}

/// Deleted and back within one day: under the policy the hours between need no cover.
#[test]
fn hours_in_which_nothing_was_there_need_no_cover_where_creations_count() {
    let mut world = World::new();
    world.grant(1, &group(), agents(1), OWNER, "2026-01-05");
    world.delete(&group(), "2026-02-10T10:00:00");
    world.grant(2, &group(), agents(1), OWNER, "2026-02-10T14:00:00");
    assert_eq!(world.outcome(&vm(), DAY), "gap");
    world.policy("known-creation", "shortens");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
}

#[test]
fn a_move_and_the_way_back_are_followed_within_the_day() {
    let (here, there) = (in_group("rg"), in_group("rg-2"));
    let mut world = World::new();
    world.grant(1, &group(), agents(1), OWNER, "2026-01-05");
    world.move_to(&here, &there, "2026-02-10T10:00:00");
    assert_eq!(world.outcome(&here, DAY), "early-end");
    assert_eq!(world.outcome(&there, DAY), "early-end", "both ids of the day are one resource");
    assert_eq!(world.outcome(&there, "2026-02-11"), "never-granted");
    assert_eq!(world.outcome(&here, "2026-02-11"), "earned", "on other days an id speaks for itself");
    world.move_to(&there, &here, "2026-02-10T15:00:00");
    let lost = world.verdict(&here, DAY);
    assert_eq!(lost.lost().unwrap().open, [Interval::new(t("2026-02-10T10:00:00"), t("2026-02-10T15:00:00"))]);
    assert_eq!(outcome(&lost), "gap");
    world.grant(2, &there.resource_group().unwrap(), agents(2), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&here, DAY), "earned", "the reseller held it there");
    let neighbour = Scope::parse(&format!("{here}b"));
    assert_eq!(world.outcome(&neighbour, DAY), "earned", "what did not move is not judged elsewhere");
}

/// What was granted on the resource itself stays with the old id and counts for nothing.
#[test]
fn a_grant_on_the_resource_does_not_follow_it() {
    let (here, there) = (in_group("rg"), in_group("rg-2"));
    let mut world = World::new();
    world.grant(1, &here, agents(1), OWNER, "2026-01-05");
    world.move_to(&here, &there, "2026-02-10");
    assert_eq!(world.outcome(&there, DAY), "never-granted");
    assert_eq!(world.outcome(&here, DAY), "removed several");
    assert_eq!(world.outcome(&here, "2026-02-09"), "earned");
}

/// A chain and a circle of management groups; leaving one that a subscription no longer stands in
/// changes nothing.
#[test]
fn a_management_group_reaches_what_stands_below_it() {
    let (top, prod) = (management_group("top"), management_group("prod"));
    let mut world = World::new();
    world.grant(1, &top, agents(1), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "never-granted");
    world.below(&prod, Some(&top), None, "2026-01-05");
    world.below(&top, Some(&prod), None, "2026-01-05");
    world.below(&sub(), Some(&prod), None, "2026-02-01");
    let verdict = world.verdict(&vm(), DAY);
    assert!(verdict.is_earned());
    assert_eq!(verdict.flags(), [Code::InheritedGrant]);
    world.below(&sub(), None, Some(&top), "2026-02-05");
    assert_eq!(world.outcome(&vm(), DAY), "earned", "it did not stand right below that one");
    world.below(&sub(), None, Some(&prod), "2026-02-10T06:00:00");
    assert_eq!(world.outcome(&vm(), DAY), "early-end");
    assert_eq!(world.lost("2026-02-12").0, LostCode::Removed, "leaving the group ended the grant");
    world.policy("inherited-grants", "ignore");
    assert_eq!(world.outcome(&vm(), "2026-02-09"), "never-granted");
}

#[test]
fn a_reseller_that_is_not_qualified_does_not_help_and_is_named() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(2), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "earned", "nothing was told of its qualification");
    let region = crate::regions::of(crate::ids::Market::parse("DE").unwrap()).unwrap();
    let partner = tenant(2);
    let signed = PartnerAgreementSigned { partner, region, at: t("2020-01-01") };
    world.tell(Event::from(ChannelEvent::PartnerAgreementSigned(signed)));
    let onboarded = ResellerOnboarded { partner, partner_id: None, at: t("2020-01-01") };
    world.tell(Event::from(ChannelEvent::ResellerOnboarded(onboarded)));
    let at = t("2026-02-10T12:00:00");
    let enrolled = world.tell(Event::from(ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at })));
    let verdict = world.verdict(&vm(), DAY);
    let loss = verdict.lost().expect("the reseller's access does not count yet");
    assert_eq!((loss.code, loss.partner, loss.qualification), (LostCode::AgreementInactive, Some(partner), true));
    assert!(loss.events.contains(&enrolled) && loss.request().contains("reseller"));
    assert!(world.verdict(&vm(), "2026-02-11").is_earned());
}

/// A role that no table names is said to be unlisted, whether the policy lets it count or not.
#[test]
fn an_unlisted_role_is_flagged() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), Guid(42), "2026-01-05");
    assert_eq!(world.verdict(&vm(), DAY).flags(), [Code::UnlistedRole]);
    let mut listed = World::new();
    listed.grant(1, &sub(), agents(1), READER, "2026-01-05");
    assert!(listed.verdict(&vm(), DAY).flags().is_empty());
    world.policy("unlisted-roles", "eligible");
    let verdict = world.verdict(&vm(), DAY);
    assert!(verdict.is_earned());
    assert_eq!(verdict.flags(), [Code::UnlistedRole]);
}

/// Nothing of all this may depend on the order in which it is told.
#[test]
fn the_order_of_telling_leaves_no_trace() {
    let (here, there) = (in_group("rg"), in_group("rg-2"));
    let mut world = World::new();
    with_link(&mut world, 1, GROUP);
    world.member(GROUP, user(1), "2026-01-06", Some("2026-02-20"));
    world.grant(2, &group(), agents(1), OWNER, "2026-01-05");
    world.delete(&group(), "2026-02-08T12:00:00");
    world.grant(2, &group(), agents(1), OWNER, "2026-02-10T06:00:00");
    world.move_to(&here, &there, "2026-02-12T12:00:00");
    world.deny(&group(), "*", vec![GROUP], vec![], "2026-02-09T12:00:00");
    world.below(&sub(), Some(&management_group("prod")), None, "2026-02-01");
    world.grant(3, &management_group("prod"), agents(3), OWNER, "2026-01-05");
    let days = ["2026-02-07", "2026-02-08", "2026-02-09", "2026-02-10", "2026-02-12", "2026-02-21"];
    let told = |entries: &[Entry]| {
        let facts = facts_from(entries);
        let commerce = facts.commerce.view();
        let mut judge = Judge::new(&facts, &commerce);
        let place = judge.place(SUB, &commerce.placements(SUB)[0], &here);
        days.map(|day| outcome(&judge.access(place, d(day))))
    };
    let mut entries = world.entries();
    let expected = told(&entries);
    assert!(expected.iter().any(|day| day == "earned") && expected.iter().any(|day| day != "earned"), "{expected:?}");
    for turn in 1..entries.len() {
        entries.rotate_left(1);
        if turn % 2 == 0 {
            entries.reverse();
        }
        assert_eq!(told(&entries), expected, "turn {turn}");
    }
}

/// PEC-16: a resource is elsewhere on the whole days between the one on which it left and the one on which it came
/// back, or from and up to whenever nothing else is told; one that never moved is nowhere else.
#[test]
fn what_moved_is_elsewhere_between_the_days_of_its_moves() {
    let mut world = World::new();
    let other = in_group("other");
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.move_to(&vm(), &other, "2026-02-10T12:00:00");
    world.move_to(&other, &vm(), "2026-02-15T09:00:00");
    let gone = |world: &World, scope: &Scope| {
        let facts = world.facts();
        let commerce = facts.commerce.view();
        let mut judge = Judge::new(&facts, &commerce);
        let place = judge.place(SUB, &commerce.placements(SUB)[0], scope);
        judge.gone(place, d("2026-02-01"))
    };
    let (first, last) = (crate::period::Instant::MIN_UTC, crate::period::Instant::MAX_UTC);
    assert_eq!(gone(&world, &vm()), Some(vec![Interval::new(t("2026-02-11"), t("2026-02-15"))]));
    let elsewhere = [Interval::new(first, t("2026-02-10")), Interval::new(t("2026-02-16"), last)];
    assert_eq!(gone(&world, &other), Some(elsewhere.to_vec()));
    assert_eq!(gone(&world, &in_group("third")), None);
    world.policy("moved-resources", "id-alone");
    assert_eq!(gone(&world, &vm()), None, "by ids alone it is always where it says");
}
