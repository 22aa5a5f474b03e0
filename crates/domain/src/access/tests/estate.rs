//! What exists where: moves within a day, deletions and what shows that something is back, creations.

use super::lives::{codes, delete, held, owner, view, write};
use crate::access::Access;
use crate::entry::*;
use crate::finding::{About, Code};
use crate::ids::Guid;
use crate::pec::tests::world::*;
use crate::period::{Day, Instant, Interval};
use crate::roles::{CONTRIBUTOR, OWNER};
use crate::scope::Scope;

const DAY: &str = "2026-02-10";

fn container(name: &str) -> Scope {
    Scope::parse(&format!("{}/resourceGroups/{name}", sub()))
}

/// One virtual machine, by the id that it has in a group.
fn machine(name: &str) -> Scope {
    Scope::parse(&format!("{}/providers/Microsoft.Compute/virtualMachines/a", container(name)))
}

impl World {
    fn moves(&mut self, from: &str, to: &str, at: &str) {
        self.tell(Event::ScopeMoved(ScopeMoved { from: machine(from), to: machine(to), at: t(at) }));
    }

    fn deletes(&mut self, scope: Scope, at: &str) -> crate::ids::Identity {
        self.tell(Event::ScopeDeleted(ScopeChange { scope, at: t(at) }))
    }

    fn creates(&mut self, scope: Scope, at: &str) {
        self.tell(Event::ScopeCreated(ScopeChange { scope, at: t(at) }));
    }

    fn records(&mut self, scope: &Scope, record: AssignmentActivity) {
        self.tell(Event::AssignmentActivity(AssignmentActivity { scope: scope.clone(), ..record }));
    }
}

/// When the machine of the plain group was not there.
fn absent(world: &World) -> Vec<Interval> {
    view(world).ground(&vm(), CUSTOMER, false).absent.into_iter().map(|(gone, _)| gone).collect()
}

/// It was in a third group for two hours, in which we held nothing.
#[test]
fn a_resource_must_be_covered_in_every_container_that_it_came_through_in_the_day() {
    let mut world = World::new();
    world.moves("first", "second", "2026-02-10T08:00:00");
    world.moves("second", "third", "2026-02-10T10:00:00");
    world.grant(1, &container("first"), agents(1), OWNER, "2026-01-05");
    world.grant(2, &container("third"), agents(1), OWNER, "2026-01-05");
    let verdict = world.verdict(&machine("third"), DAY);
    let open = Interval::new(t("2026-02-10T08:00:00"), t("2026-02-10T10:00:00"));
    assert_eq!((outcome(&verdict).as_str(), &verdict.lost().unwrap().open[..]), ("gap", &[open][..]));
    world.grant(3, &container("second"), agents(2), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&machine("third"), DAY), "earned", "the reseller held it there");
}

/// Three machines of one name move up by one at one instant.
#[test]
fn what_takes_a_place_at_the_instant_at_which_another_leaves_it_is_not_that_other() {
    let mut world = World::new();
    for (from, to) in [("behind", "here"), ("here", "ahead"), ("ahead", "far")] {
        world.moves(from, to, "2026-02-10T12:00:00");
    }
    world.grant(1, &container("here"), agents(1), OWNER, "2026-01-05");
    world.grant(2, &container("ahead"), agents(1), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&machine("here"), DAY), "earned", "it was here until noon and ahead from then on");
    assert_eq!(world.outcome(&machine("behind"), DAY), "late-start");
    assert_eq!(world.outcome(&machine("far"), DAY), "early-end");
}

/// ACC-13: assignments are removed one by one all the time, and attempts fail; only the removals that Azure
/// makes with a group say that the group is gone.
#[test]
fn only_a_removal_that_came_with_the_groups_deletion_and_succeeded_deletes_the_group() {
    let mut world = World::new();
    world.records(&group(), write(ActivityResult::Succeeded, "08:00:00"));
    world.records(&group(), delete(ActivityResult::Succeeded, "09:00:00"));
    for (result, time) in [(ActivityResult::Started, "10:00:00"), (ActivityResult::Failed, "10:00:01")] {
        world.records(&group(), AssignmentActivity { cascade: true, ..delete(result, time) });
    }
    assert_eq!(absent(&world), []);
    let cascade = AssignmentActivity { cascade: true, ..delete(ActivityResult::Succeeded, "12:00:00") };
    world.records(&group(), cascade);
    assert_eq!(absent(&world), [Interval::new(t("2026-02-10T12:00:00"), Instant::MAX_UTC)]);
}

/// Removals and failed attempts go on after a deletion, and prove nothing.
#[test]
fn only_a_write_that_succeeded_shows_that_a_deleted_group_is_there_again() {
    let mut world = World::new();
    world.deletes(group(), "2026-02-10T10:00:00");
    world.records(&vm(), write(ActivityResult::Started, "11:00:00"));
    world.records(&vm(), write(ActivityResult::Failed, "11:05:00"));
    world.records(&vm(), delete(ActivityResult::Succeeded, "11:10:00"));
    assert_eq!(absent(&world), [Interval::new(t("2026-02-10T10:00:00"), Instant::MAX_UTC)]);
    world.records(&vm(), write(ActivityResult::Succeeded, "11:20:00"));
    assert_eq!(absent(&world), [Interval::new(t("2026-02-10T10:00:00"), t("2026-02-10T11:20:00"))]);
}

/// Azure removes the assignments of a group one by one, and may say of each what it was only then.
#[test]
fn a_grant_that_only_its_own_removal_states_is_not_lost_with_its_group() {
    let mut world = World::new();
    world.records(&group(), write(ActivityResult::Succeeded, "10:00:00"));
    world.deletes(group(), "2026-02-10T11:00:00");
    let removal = AssignmentActivity { facts: owner(), ..delete(ActivityResult::Succeeded, "11:00:05") };
    world.records(&group(), removal);
    let access = view(&world);
    assert_eq!((held(&access), codes(&access)), (vec!["10T10:00:00..10T11:00:05".to_owned()], vec![]));
}

#[test]
fn delegations_and_schedules_end_with_their_scope_and_name_its_deletion() {
    let mut world = World::new();
    let authorization = Authorization { principal: user(1), role: CONTRIBUTOR, eligible_only: false };
    world.delegate(1, &group(), tenant(1), Offered::Marketplace, authorization, "2026-02-01");
    world.tell(Event::ScheduleCreated(Schedule {
        schedule: Guid(2),
        scope: group(),
        principal: user(1),
        principal_type: None,
        role: CONTRIBUTOR,
        eligible_only: false,
        start: t("2026-02-02"),
        end: None,
        provisioned_at: t("2026-02-02"),
    }));
    let deletion = world.deletes(group(), "2026-02-10T12:00:00");
    let access = view(&world);
    assert_eq!(held(&access), ["01T00:00:00..10T12:00:00", "02T00:00:00..10T12:00:00"]);
    assert!(access.grants().all(|(_, grant)| grant.events.last() == Some(&deletion)));
}

/// ACC-10: what is created inside a subscription says nothing of when it began.
#[test]
fn knowledge_begins_at_the_told_creation_of_the_subscription_itself() {
    let mut world = World::new();
    world.creates(group(), "2025-12-10");
    assert_eq!(view(&world).known_since(SUB), Some(t("2026-01-01")), "as commerce has it");
    world.creates(sub(), "2025-12-15");
    assert_eq!(view(&world).known_since(SUB), Some(t("2025-12-15")));
}

#[test]
fn a_known_creation_shortens_the_day_of_what_was_created_and_of_nothing_beside_it() {
    let mut world = World::new();
    world.policy("known-creation", "shortens");
    world.creates(vm(), "2026-02-10T12:00:00");
    world.grant(1, &group(), agents(1), OWNER, "2026-02-10T12:00:00");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
    assert_eq!(world.outcome(&Scope::parse(&format!("{}b", vm())), DAY), "late-start");
}

/// ACC-14: a success without the request moves nothing, and the finding cites it.
#[test]
fn a_move_that_is_not_stated_in_full_is_a_finding_that_cites_its_record() {
    let mut world = World::new();
    let moved = world.tell(Event::MoveActivity(MoveActivity {
        group: group(),
        correlation: Some("c".into()),
        result: ActivityResult::Succeeded,
        resources: vec![],
        target: None,
        at: t("2026-02-10T10:00:00"),
    }));
    let access = view(&world);
    let [finding] = access.findings() else { panic!("one finding: {:?}", access.findings()) };
    let day = Some(Day::of(t(DAY)));
    let about = About { subscription: Some(SUB), resource: Some(group()), day, ..About::default() };
    assert_eq!((finding.code, &finding.about, &finding.events[..]), (Code::UnresolvedMove, &about, &[moved][..]));
}

/// What is told of a group itself holds for all in it alike; a creation is asked for by policy only.
#[test]
fn resources_are_told_apart_only_by_what_is_told_of_one_of_them() {
    let mut world = World::new();
    world.grant(1, &machine("own"), agents(1), OWNER, "2026-01-05");
    world.grant(2, &container("own"), agents(1), OWNER, "2026-01-05");
    world.grant(3, &container("whole"), agents(1), OWNER, "2026-01-05");
    world.creates(machine("created"), "2026-01-05");
    let access: Access = view(&world);
    let below = |name, creations| access.any_below(&container(name), creations);
    assert_eq!([below("own", false), below("own", true)], [true, true]);
    assert_eq!([below("whole", false), below("whole", true)], [false, false]);
    assert_eq!([below("created", false), below("created", true)], [false, true]);
    let differs = |resource: &Scope, name, creations| access.differs(resource, &container(name), creations);
    let child = Scope::parse(&format!("{}/extensions/agent", machine("own")));
    assert!(differs(&machine("own"), "own", false) && differs(&child, "own", false));
    let neighbour = Scope::parse(&format!("{}b", machine("own")));
    assert!(!differs(&neighbour, "own", false) && !differs(&neighbour, "own", true));
    let created = machine("created");
    assert_eq!([false, true].map(|creations| differs(&created, "created", creations)), [false, true]);
}
