//! Lives of role assignments from Azure's own records and from canonical events.

use crate::access::{Access, Grant};
use crate::entry::{ActivityOperation, ActivityResult, AssignmentActivity, Entry, Event, GrantFacts, Outcome};
use crate::ids::Guid;
use crate::pec::tests::world::{World, facts_from, group, sub, t, user};
use crate::period::{Instant, Interval};
use crate::roles::{CONTRIBUTOR, OWNER};

pub(super) const ID: Guid = Guid(0xa551);
const DAY: &str = "2026-02-10";

/// An Azure record about the one assignment of these tests, at a time of one day.
pub(super) fn record(operation: ActivityOperation, result: ActivityResult, time: &str) -> AssignmentActivity {
    AssignmentActivity {
        operation,
        assignment: ID,
        scope: sub(),
        correlation: Some("c-1".into()),
        operation_id: None,
        result,
        facts: None,
        stated_scope: None,
        created_at: None,
        cascade: false,
        at: t(&format!("{DAY}T{time}")),
    }
}

pub(super) fn write(result: ActivityResult, time: &str) -> AssignmentActivity {
    record(ActivityOperation::Write, result, time)
}

pub(super) fn delete(result: ActivityResult, time: &str) -> AssignmentActivity {
    record(ActivityOperation::Delete, result, time)
}

pub(super) fn owner() -> Option<GrantFacts> {
    Some(GrantFacts { principal: user(1), principal_type: None, role: OWNER, condition: None })
}

fn started(time: &str) -> AssignmentActivity {
    AssignmentActivity { facts: owner(), ..write(ActivityResult::Started, time) }
}

pub(super) fn view(world: &World) -> Access {
    let facts = world.facts();
    facts.access.view(&facts.commerce.view(), &facts.partners.view())
}

pub(super) fn world_of(records: impl IntoIterator<Item = AssignmentActivity>) -> World {
    let mut world = World::new();
    for record in records {
        world.tell(Event::AssignmentActivity(record));
    }
    world
}

/// When it was held, to the minute of the day; `..` where it is open.
pub(super) fn held(access: &Access) -> Vec<String> {
    let text = |at: Instant| if at == Instant::MAX_UTC { String::new() } else { at.format("%dT%H:%M:%S").to_string() };
    let mut grants: Vec<&Grant> = access.grants().map(|(_, grant)| grant).collect();
    grants.sort_by_key(|grant| grant.held);
    let line = |grant: &&Grant| {
        let Interval { from, to } = grant.held;
        let unknown = grant.unknown.map(|unknown| {
            let from = if unknown.from == Instant::MIN_UTC { String::new() } else { text(unknown.from) };
            format!(" unknown {from}..{}", text(unknown.to))
        });
        let held = if grant.held.is_empty() { "-".to_owned() } else { format!("{}..{}", text(from), text(to)) };
        format!("{held}{}", unknown.unwrap_or_default())
    };
    grants.iter().map(line).collect()
}

pub(super) fn codes(access: &Access) -> Vec<&'static str> {
    access.findings().iter().map(|finding| finding.code.text()).collect()
}

#[test]
fn a_grant_takes_its_facts_from_started_and_its_time_from_succeeded() {
    let access = view(&world_of([started("10:00:00"), write(ActivityResult::Succeeded, "10:00:02")]));
    assert_eq!(held(&access), ["10T10:00:02.."]);
    let (_, grant) = access.grants().next().unwrap();
    assert_eq!((grant.principal, grant.role), (user(1), OWNER));
    assert_eq!(grant.events.len(), 2, "both records are cited");
}

#[test]
fn a_failure_or_a_started_that_never_completes_grants_nothing() {
    assert!(held(&view(&world_of([started("10:00:00")]))).is_empty());
    let failed = [started("10:00:00"), write(ActivityResult::Failed, "10:00:01")];
    assert!(held(&view(&world_of(failed))).is_empty());
}

/// The principal had not replicated yet: the client tries again with the same assignment id.
#[test]
fn a_failure_discards_its_own_started_only() {
    let other = Some(GrantFacts { principal: user(9), ..owner().unwrap() });
    let first = AssignmentActivity { facts: other, ..write(ActivityResult::Started, "10:00:00") };
    let access = view(&world_of([
        first,
        write(ActivityResult::Failed, "10:00:01"),
        started("10:00:05"),
        write(ActivityResult::Succeeded, "10:00:06"),
    ]));
    assert_eq!(held(&access), ["10T10:00:06.."]);
    assert_eq!(access.grants().next().unwrap().1.principal, user(1));
    // Without a Started of its own the success has no facts: the failure used up the first one.
    let access = view(&world_of([
        started("10:00:00"),
        write(ActivityResult::Failed, "10:00:01"),
        write(ActivityResult::Succeeded, "10:00:06"),
    ]));
    assert!(held(&access).is_empty());
    assert_eq!(codes(&access), ["F-unresolved-grant"]);
}

#[test]
fn operation_ids_pair_where_both_carry_one() {
    let with = |id: &str, record: AssignmentActivity| AssignmentActivity { operation_id: Some(id.into()), ..record };
    let other = Some(GrantFacts { principal: user(9), ..owner().unwrap() });
    let access = view(&world_of([
        with("op-1", started("10:00:00")),
        with("op-2", AssignmentActivity { facts: other, ..write(ActivityResult::Started, "10:00:01") }),
        with("op-1", write(ActivityResult::Succeeded, "10:00:02")),
        with("op-2", write(ActivityResult::Failed, "10:00:03")),
    ]));
    assert_eq!(access.grants().next().unwrap().1.principal, user(1));
    assert_eq!(held(&access), ["10T10:00:02.."]);
}

/// One deployment writes many assignments under one correlation id.
#[test]
fn a_correlation_id_is_not_one_assignment() {
    let elsewhere = |record: AssignmentActivity| AssignmentActivity { assignment: Guid(0xbeef), ..record };
    let access = view(&world_of([
        started("10:00:00"),
        elsewhere(write(ActivityResult::Succeeded, "10:00:01")),
        write(ActivityResult::Succeeded, "10:00:02"),
    ]));
    assert_eq!(held(&access), ["10T10:00:02.."]);
    assert_eq!(codes(&access), ["F-unresolved-grant"]);
}

#[test]
fn an_unresolved_grant_is_resolved_by_a_removals_body() {
    let lone = write(ActivityResult::Succeeded, "10:00:00");
    assert_eq!(codes(&view(&world_of([lone.clone()]))), ["F-unresolved-grant"]);
    let removal = AssignmentActivity { facts: owner(), ..delete(ActivityResult::Succeeded, "12:00:00") };
    let access = view(&world_of([lone, removal]));
    assert_eq!(held(&access), ["10T10:00:00..10T12:00:00"]);
    assert!(codes(&access).is_empty());
}

#[test]
fn a_delete_that_finds_nothing_changes_nothing() {
    let access = view(&world_of([
        started("10:00:00"),
        write(ActivityResult::Succeeded, "10:00:02"),
        delete(ActivityResult::NoContent, "11:00:00"),
        delete(ActivityResult::Failed, "11:30:00"),
        delete(ActivityResult::Started, "11:40:00"),
    ]));
    assert_eq!(held(&access), ["10T10:00:02.."]);
}

#[test]
fn a_cascade_ends_each_assignment_of_the_group() {
    let at_group = |record: AssignmentActivity| AssignmentActivity { scope: group(), ..record };
    let access = view(&world_of([
        at_group(started("10:00:00")),
        at_group(write(ActivityResult::Succeeded, "10:00:02")),
        AssignmentActivity { cascade: true, facts: owner(), ..at_group(delete(ActivityResult::Succeeded, "11:00:00")) },
    ]));
    assert_eq!(held(&access), ["10T10:00:02..10T11:00:00"]);
    assert!(codes(&access).is_empty());
}

#[test]
fn a_second_write_of_a_live_assignment_is_no_second_grant() {
    let conditional = Some(GrantFacts { condition: Some("@Resource…".into()), ..owner().unwrap() });
    let second = |facts| AssignmentActivity {
        facts,
        correlation: Some("c-2".into()),
        ..write(ActivityResult::Started, "11:00:00")
    };
    let succeeded =
        AssignmentActivity { correlation: Some("c-2".into()), ..write(ActivityResult::Succeeded, "11:00:01") };
    let first = [started("10:00:00"), write(ActivityResult::Succeeded, "10:00:02")];
    let access = view(&world_of(first.clone().into_iter().chain([second(conditional), succeeded.clone()])));
    assert_eq!(held(&access), ["10T10:00:02.."]);
    assert_eq!(access.grants().next().unwrap().1.condition.as_deref(), Some("@Resource…"));
    // Other facts end the life, start another one, and are a finding.
    let other = Some(GrantFacts { role: CONTRIBUTOR, ..owner().unwrap() });
    let access = view(&world_of(first.into_iter().chain([second(other), succeeded])));
    assert_eq!(held(&access), ["10T10:00:02..10T11:00:01", "10T11:00:01.."]);
    assert_eq!(codes(&access), ["F-changed-life"]);
}

#[test]
fn created_and_removed_at_one_instant_is_not_held_from_it() {
    let mut world = World::new();
    world.revoke(7, &sub(), "2026-02-10T10:00:00");
    world.grant(7, &sub(), user(1), OWNER, "2026-02-10T10:00:00");
    assert_eq!(held(&view(&world)), ["-"]);
}

#[test]
fn a_removal_of_an_unknown_life_proves_what_its_body_says() {
    let removal = |created: Option<&str>, time: &str| AssignmentActivity {
        facts: owner(),
        created_at: created.map(|created| t(&format!("{DAY}T{created}"))),
        ..delete(ActivityResult::Succeeded, time)
    };
    assert_eq!(held(&view(&world_of([removal(Some("08:00:00"), "12:00:00")]))), ["10T08:00:00..10T12:00:00"]);
    assert_eq!(held(&view(&world_of([removal(None, "12:00:00")]))), ["- unknown ..10T12:00:00"]);
    // A second removal proves nothing more where the creation is known, whatever its body says.
    let known = [started("10:00:00"), write(ActivityResult::Succeeded, "10:00:02"), removal(None, "11:00:00")];
    let again = known.clone().into_iter().chain([removal(Some("10:00:00"), "12:00:00")]);
    assert_eq!(held(&view(&world_of(again))), ["10T10:00:02..10T11:00:00"]);
    let later = known.into_iter().chain([removal(Some("11:30:00"), "12:00:00")]);
    assert_eq!(held(&view(&world_of(later))), ["10T10:00:02..10T11:00:00", "10T11:30:00..10T12:00:00"]);
    // `createdOn` differs by seconds between answers: a known creation is never replaced by it.
    let early =
        [started("10:00:00"), write(ActivityResult::Succeeded, "10:00:02"), removal(Some("09:59:58"), "11:00:00")];
    assert_eq!(held(&view(&world_of(early))), ["10T10:00:02..10T11:00:00"]);
}

#[test]
fn a_removal_that_names_another_scope_is_a_finding() {
    let mut world = World::new();
    world.grant(7, &sub(), user(1), OWNER, "2026-02-10T10:00:00");
    world.revoke(7, &group(), "2026-02-10T11:00:00");
    let access = view(&world);
    assert_eq!(held(&access), ["10T10:00:00..10T11:00:00"]);
    assert_eq!(codes(&access), ["F-differing-scope"]);
}

#[test]
fn a_body_that_states_another_scope_is_a_finding() {
    let odd = AssignmentActivity { stated_scope: Some(group()), ..started("10:00:00") };
    let access = view(&world_of([odd, write(ActivityResult::Succeeded, "10:00:02")]));
    assert_eq!(access.grants().next().unwrap().1.scope, sub(), "the resource id decides");
    assert_eq!(codes(&access), ["F-differing-scope"]);
}

/// A canonical event and Azure's record of the same assignment are one grant.
#[test]
fn two_channels_that_report_one_grant_make_one_grant() {
    let mut world = world_of([started("10:00:00"), write(ActivityResult::Succeeded, "10:00:02")]);
    world.grant(ID.0, &sub(), user(1), OWNER, "2026-02-10T10:00:00");
    assert_eq!(held(&view(&world)), ["10T10:00:00.."]);
}

/// One record on two channels: Event Grid has no body, REST has one and an operation id.
#[test]
fn copies_of_a_record_complete_each_other_and_are_no_conflict() {
    let bare = AssignmentActivity { facts: None, ..started("10:00:00") };
    let full = AssignmentActivity { operation_id: Some("op".into()), ..started("10:00:00") };
    let mut world = world_of([bare, write(ActivityResult::Succeeded, "10:00:02")]);
    world.events.push(Event::AssignmentActivity(full.clone()));
    let mut entries = world.entries();
    let copy_of = entries.len() - 3;
    let identity = entries[copy_of].fact.identity;
    let antecedent = crate::entry::Antecedent { at: entries[copy_of].at(), fact: entries[copy_of].fact.clone() };
    let copy = entries.last_mut().unwrap();
    copy.fact.identity = identity;
    copy.outcome = Outcome::Conflicting;
    copy.antecedent = Some(Box::new(antecedent));
    let see = |entries: &[Entry]| {
        let facts = facts_from(entries);
        (held(&facts.access.view(&facts.commerce.view(), &facts.partners.view())), facts.conflicts.open().count())
    };
    assert_eq!(see(&entries), (vec!["10T10:00:02..".to_owned()], 0));
    // Two copies that state another role contradict each other: a person decides.
    let other = Some(GrantFacts { role: CONTRIBUTOR, ..owner().unwrap() });
    entries.last_mut().unwrap().fact.event =
        Event::AssignmentActivity(AssignmentActivity { facts: other, ..full.clone() });
    entries[copy_of].fact.event = Event::AssignmentActivity(full);
    let incumbent = entries[copy_of].fact.clone();
    entries.last_mut().unwrap().antecedent.as_mut().unwrap().fact = incumbent;
    assert_eq!(see(&entries).1, 1);
}

/// Every order of arrival, and every repetition, leads to the same view.
#[test]
fn order_and_repetition_leave_no_trace() {
    let mut world = world_of([
        started("10:00:00"),
        write(ActivityResult::Failed, "10:00:01"),
        started("10:00:02"),
        write(ActivityResult::Succeeded, "10:00:03"),
        AssignmentActivity { facts: owner(), ..delete(ActivityResult::Succeeded, "11:00:00") },
        AssignmentActivity { correlation: Some("c-2".into()), ..started("12:00:00") },
        AssignmentActivity { correlation: Some("c-2".into()), ..write(ActivityResult::Succeeded, "12:00:01") },
    ]);
    world.link(user(1), crate::pec::tests::world::CUSTOMER, "1", "2026-02-01");
    let entries = world.entries();
    let expected = view(&world);
    assert_eq!(held(&expected), ["10T10:00:03..10T11:00:00", "10T12:00:01.."]);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let mut seed: u64 = 7;
    for _ in 0..200 {
        for at in (1..order.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            order.swap(at, usize::try_from(seed >> 33).unwrap() % (at + 1));
        }
        let twice = order.iter().flat_map(|at| {
            let first = entries[*at].clone();
            let again = Entry { outcome: Outcome::Duplicate, ..first.clone() };
            [first, again]
        });
        let facts = facts_from(&twice.collect::<Vec<_>>());
        assert_eq!(facts.access.view(&facts.commerce.view(), &facts.partners.view()), expected);
    }
    let mut fewer = entries;
    fewer.remove(fewer.len() - 2);
    let facts = facts_from(&fewer);
    assert_ne!(facts.access.view(&facts.commerce.view(), &facts.partners.view()), expected, "the comparison can fail");
}

/// A finding about a life names its subscription, its scope, the day, and the records that it rests on.
#[test]
fn findings_about_lives_name_scope_day_and_records() {
    let about = crate::finding::About {
        subscription: sub().subscription(),
        resource: Some(sub()),
        day: Some(crate::period::Day::of(t(DAY))),
        ..crate::finding::About::default()
    };
    let found = |access: &Access| -> Vec<_> {
        let one =
            |finding: &crate::finding::Finding| (finding.code.text(), finding.about.clone(), finding.events.len());
        access.findings().iter().map(one).collect()
    };
    let unresolved = world_of([write(ActivityResult::Succeeded, "10:00:00")]);
    assert_eq!(found(&view(&unresolved)), [("F-unresolved-grant", about.clone(), 1)]);
    let granted = [started("10:00:00"), write(ActivityResult::Succeeded, "10:00:02")];
    let odd = AssignmentActivity { stated_scope: Some(group()), ..started("10:00:00") };
    let stated_elsewhere = world_of([odd, write(ActivityResult::Succeeded, "10:00:02")]);
    assert_eq!(found(&view(&stated_elsewhere)), [("F-differing-scope", about.clone(), 2)]);
    let mut elsewhere = world_of(granted.clone());
    elsewhere.tell(Event::AssignmentActivity(AssignmentActivity {
        scope: group(),
        facts: owner(),
        ..delete(ActivityResult::Succeeded, "11:00:00")
    }));
    assert_eq!(found(&view(&elsewhere)), [("F-differing-scope", about.clone(), 1)]);
    let mut changed = world_of(granted);
    let other = Some(GrantFacts { role: CONTRIBUTOR, ..owner().unwrap() });
    for record in [
        AssignmentActivity { facts: other, ..write(ActivityResult::Started, "12:00:00") },
        write(ActivityResult::Succeeded, "12:00:02"),
    ] {
        let correlation = Some("c-9".into());
        changed.tell(Event::AssignmentActivity(AssignmentActivity { correlation, ..record }));
    }
    assert_eq!(found(&view(&changed)), [("F-changed-life", about, 2)]);
}
