//! Copies of one record from two channels: what may be missing or cut in one of them, and what is a
//! contradiction that a person has to decide.

use super::lives::{codes, held, owner, world_of, write};
use crate::access::copies::{agree, join};
use crate::entry::*;
use crate::ids::Guid;
use crate::pec::tests::world::{facts_from, group, sub, t, tenant, user, vm};
use crate::period::Instant;
use crate::roles::CONTRIBUTOR;
use crate::scope::Scope;

/// One record with seven digits of its second's fraction.
fn precise() -> Instant {
    t("2026-02-10T10:00:00.1234567")
}

/// The same as a channel states it that cuts all but three.
fn cut() -> Instant {
    t("2026-02-10T10:00:00.123")
}

/// Another record, a millisecond later.
fn later() -> Instant {
    t("2026-02-10T10:00:00.124")
}

fn delegation(at: Instant, managing_tenant: Guid) -> Event {
    let authorizations = vec![Authorization { principal: user(1), role: CONTRIBUTOR, eligible_only: false }];
    let (delegation, scope) = (Guid(1), sub());
    Event::DelegationChanged(Delegation {
        delegation,
        scope,
        managing_tenant,
        marketplace_offer: true,
        authorizations,
        at,
    })
}

fn undelegated(at: Instant, delegation: Guid) -> Event {
    Event::DelegationDeleted(DelegationDeleted { delegation, scope: sub(), at })
}

fn scheduled(provisioned_at: Instant, principal: Guid) -> Event {
    Event::ScheduleCreated(Schedule {
        schedule: Guid(1),
        scope: sub(),
        principal,
        principal_type: None,
        role: CONTRIBUTOR,
        eligible_only: false,
        start: t("2026-02-10"),
        end: None,
        provisioned_at,
    })
}

fn unscheduled(at: Instant, schedule: Guid) -> Event {
    Event::ScheduleCancelled(ScheduleCancelled { schedule, scope: sub(), at })
}

fn created(at: Instant, scope: Scope) -> Event {
    Event::ScopeCreated(ScopeChange { scope, at })
}

fn deleted(at: Instant, scope: Scope) -> Event {
    Event::ScopeDeleted(ScopeChange { scope, at })
}

fn denied(at: Instant, deny: Guid) -> Event {
    Event::DenyAssigned(DenyAssignment {
        deny,
        scope: sub(),
        principals: vec![user(1)],
        excluded: Vec::new(),
        actions: vec!["*".into()],
        not_actions: Vec::new(),
        only_there: false,
        at,
    })
}

fn allowed(at: Instant, deny: Guid) -> Event {
    Event::DenyRemoved(DenyAssignmentDeleted { deny, scope: sub(), at })
}

fn below(at: Instant, parent: Guid) -> Event {
    let parent = Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{parent}"));
    Event::TreeChanged(TreeChange { child: sub(), parent: Some(parent), left: None, at })
}

fn moved(at: Instant, group: Scope) -> MoveActivity {
    MoveActivity {
        group,
        correlation: Some("c".into()),
        result: ActivityResult::Started,
        resources: vec![vm()],
        target: Some(Scope::parse(&format!("{}/resourceGroups/there", sub().as_str()))),
        at,
    }
}

/// ACC-9: of every kind of record, a copy with a cut time is the same record; one of another
/// millisecond, or one that states another thing, contradicts it.
#[test]
fn a_copy_may_cut_the_time_and_nothing_else() {
    let (one, two) = (Guid(1), Guid(2));
    let kinds: [(&str, [Event; 4]); 10] = [
        (
            "delegation",
            [(precise(), tenant(1)), (cut(), tenant(1)), (later(), tenant(1)), (cut(), tenant(2))]
                .map(|(at, tenant)| delegation(at, tenant)),
        ),
        ("end of a delegation", of(undelegated, one, two)),
        ("schedule", of(scheduled, user(1), user(2))),
        ("end of a schedule", of(unscheduled, one, two)),
        ("creation", of(created, vm(), group())),
        ("deletion", of(deleted, vm(), group())),
        ("deny assignment", of(denied, one, two)),
        ("end of a deny assignment", of(allowed, one, two)),
        ("place in the tree", of(below, one, two)),
        ("move", of(|at, group| Event::MoveActivity(moved(at, group)), group(), sub())),
    ];
    for (kind, [record, copy, another_time, another_thing]) in &kinds {
        for (a, b) in [(record, copy), (copy, record)] {
            assert!(agree(a, b), "{kind}: the copy is the same record");
        }
        for other in [another_time, another_thing] {
            assert!(!agree(record, other) && !agree(other, record), "{kind}: another record");
        }
        for (strange, events) in kinds.iter().filter(|(other, _)| other != kind) {
            assert!(!agree(record, &events[0]), "a {strange} is no copy of a {kind}");
        }
    }
}

/// The record, its copy with a cut time, one of a later time, and one about something else.
fn of<T: Clone>(event: impl Fn(Instant, T) -> Event, thing: T, other: T) -> [Event; 4] {
    [event(precise(), thing.clone()), event(cut(), thing.clone()), event(later(), thing), event(cut(), other)]
}

/// A schedule's copy may leave out what kind of principal it is for; it may not name another kind.
#[test]
fn a_schedules_copy_may_leave_out_the_kind_of_principal() {
    let for_kind = |kind: Option<&str>| {
        let Event::ScheduleCreated(schedule) = scheduled(precise(), user(1)) else { unreachable!() };
        Event::ScheduleCreated(Schedule { principal_type: kind.map(Box::from), ..schedule })
    };
    assert!(agree(&for_kind(Some("User")), &for_kind(None)));
    assert!(agree(&for_kind(None), &for_kind(Some("User"))));
    assert!(!agree(&for_kind(Some("User")), &for_kind(Some("Group"))));
}

/// A move's copy may be silent on what is moved where; it may not state other resources, another
/// target or another result.
#[test]
fn a_moves_copy_may_be_silent_on_resources_and_target() {
    let record = || moved(precise(), group());
    let silent = MoveActivity { resources: Vec::new(), target: None, ..moved(cut(), group()) };
    let agrees = |copy: MoveActivity| {
        let (record, copy) = (Event::MoveActivity(record()), Event::MoveActivity(copy));
        assert_eq!(agree(&record, &copy), agree(&copy, &record));
        agree(&record, &copy)
    };
    assert!(agrees(silent.clone()));
    assert!(!agrees(MoveActivity { resources: vec![group()], ..record() }));
    assert!(!agrees(MoveActivity { target: Some(sub()), ..record() }));
    assert!(!agrees(MoveActivity { target: Some(sub()), ..silent.clone() }));
    assert!(!agrees(MoveActivity { result: ActivityResult::Succeeded, ..silent }));
}

/// A role assignment's copy may lack what its channel does not carry; a field that two copies state
/// differently is a contradiction, whichever it is.
#[test]
fn an_assignments_copies_complete_each_other_unless_they_contradict() {
    let facts = |kind: &str, condition: &str| GrantFacts {
        principal_type: Some(kind.into()),
        condition: Some(condition.into()),
        ..owner().unwrap()
    };
    let bare = AssignmentActivity {
        correlation: None,
        facts: owner(),
        at: cut(),
        ..write(ActivityResult::Succeeded, "10:00:00")
    };
    let full = AssignmentActivity {
        correlation: Some("c".into()),
        operation_id: Some("o".into()),
        facts: Some(facts("User", "x")),
        stated_scope: Some(sub()),
        created_at: Some(t("2026-02-09")),
        cascade: true,
        at: precise(),
        ..bare.clone()
    };
    let agrees = |a: &AssignmentActivity, b: &AssignmentActivity| {
        agree(&Event::AssignmentActivity(a.clone()), &Event::AssignmentActivity(b.clone()))
    };
    assert!(agrees(&bare, &full) && agrees(&full, &bare));
    assert_eq!((join(bare.clone(), &full), join(full.clone(), &bare)), (full.clone(), full.clone()));
    let contradictions = [
        AssignmentActivity { correlation: Some("d".into()), ..full.clone() },
        AssignmentActivity { operation_id: Some("p".into()), ..full.clone() },
        AssignmentActivity { stated_scope: Some(group()), ..full.clone() },
        AssignmentActivity { created_at: Some(t("2026-02-08")), ..full.clone() },
        AssignmentActivity { facts: Some(facts("Group", "x")), ..full.clone() },
        AssignmentActivity { facts: Some(facts("User", "y")), ..full.clone() },
        AssignmentActivity { at: later(), ..full.clone() },
        AssignmentActivity { scope: group(), ..full.clone() },
    ];
    for other in &contradictions {
        assert!(!agrees(&full, other) && !agrees(other, &full), "{other:?}");
    }
}

/// A snapshot may have been taken between two copies of a record: the journal hands the first one in
/// with the second, and nothing of it is missing.
#[test]
fn a_copy_brings_the_one_that_was_told_before_along() {
    let request = |facts| AssignmentActivity { facts, ..write(ActivityResult::Started, "10:00:00") };
    let world = world_of([request(owner()), write(ActivityResult::Succeeded, "10:00:02"), request(None)]);
    let mut entries = world.entries();
    let first = entries.remove(entries.len() - 3);
    let copy = entries.last_mut().unwrap();
    copy.fact.identity = first.fact.identity;
    copy.outcome = Outcome::Conflicting;
    copy.antecedent = Some(Box::new(Antecedent { at: first.at(), fact: first.fact }));
    let facts = facts_from(&entries);
    let access = facts.access.view(&facts.commerce.view(), &facts.partners.view());
    assert_eq!((held(&access), codes(&access)), (vec!["10T10:00:02..".to_owned()], vec![]));
}
