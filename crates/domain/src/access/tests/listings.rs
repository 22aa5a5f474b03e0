//! Listings: presence, absence, and what is unknown between them.

use super::lives::{ID, codes, held, owner, view};
use crate::access::Access;
use crate::entry::{AssignmentsListed, Event, ListedAssignment, Part, TreeChange};
use crate::ids::Guid;
use crate::pec::tests::world::{SUB, World, agents, group, sub, t, user, vm};
use crate::roles::OWNER;
use crate::scope::Scope;

fn listed(scope: &Scope, at: &str, rows: &[(Guid, Option<&str>)]) -> AssignmentsListed {
    let row = |(assignment, created): &(Guid, Option<&str>)| ListedAssignment {
        assignment: *assignment,
        scope: sub(),
        facts: owner().unwrap(),
        created_at: created.map(t),
    };
    AssignmentsListed {
        scope: scope.clone(),
        at: t(at),
        complete: true,
        part: Part { of: at.into(), number: 0, count: 1 },
        assignments: rows.iter().map(row).collect(),
    }
}

fn with(base: &World, listings: impl IntoIterator<Item = AssignmentsListed>) -> Access {
    let mut world = base.clone();
    for listing in listings {
        world.tell(Event::AssignmentsListed(listing));
    }
    view(&world)
}

#[test]
fn held_from_created_on_else_from_the_instant() {
    let none = World::new();
    let at = "2026-02-10T12:00:00";
    assert_eq!(held(&with(&none, [listed(&sub(), at, &[(ID, None)])])), ["10T12:00:00.."]);
    assert_eq!(held(&with(&none, [listed(&sub(), at, &[(ID, Some("2026-02-03T08:00:00"))])])), ["03T08:00:00.."]);
    // A creation after the listing is no creation of what was listed.
    assert_eq!(held(&with(&none, [listed(&sub(), at, &[(ID, Some("2026-02-11T08:00:00"))])])), ["10T12:00:00.."]);
}

#[test]
fn a_listing_in_parts_counts_once_all_are_known() {
    let whole = listed(&sub(), "2026-02-10T12:00:00", &[(ID, None)]);
    let part = |number| AssignmentsListed {
        part: Part { of: "l".into(), number, count: 2 },
        assignments: if number == 0 { whole.assignments.clone() } else { Vec::new() },
        ..whole.clone()
    };
    assert!(held(&with(&World::new(), [part(0)])).is_empty());
    assert_eq!(held(&with(&World::new(), [part(1), part(0)])), ["10T12:00:00.."]);
}

fn granted() -> World {
    let mut world = World::new();
    world.grant(ID.0, &sub(), user(1), OWNER, "2026-02-01T09:00:00");
    world
}

#[test]
fn a_complete_listing_without_it_makes_unknown_between_the_nearest_evidence() {
    let lacking = || listed(&sub(), "2026-02-10T12:00:00", &[]);
    let before = || listed(&sub(), "2026-02-05T12:00:00", &[(ID, None)]);
    let after = || listed(&sub(), "2026-02-20T12:00:00", &[(ID, None)]);
    assert_eq!(held(&with(&granted(), [lacking()])), ["- unknown 01T09:00:00..10T12:00:00"]);
    assert_eq!(
        held(&with(&granted(), [after(), before(), lacking()])),
        ["01T09:00:00..05T12:00:00 unknown 05T12:00:00..20T12:00:00", "20T12:00:00.."]
    );
    let again = listed(&sub(), "2026-02-20T12:00:00", &[(ID, Some("2026-02-15T00:00:00"))]);
    assert_eq!(
        held(&with(&granted(), [before(), lacking(), again])),
        ["01T09:00:00..05T12:00:00 unknown 05T12:00:00..15T00:00:00", "15T00:00:00.."]
    );
    let mut removed = granted();
    removed.revoke(ID.0, &sub(), "2026-02-15T00:00:00");
    assert_eq!(
        held(&with(&removed, [before(), lacking()])),
        ["01T09:00:00..05T12:00:00 unknown 05T12:00:00..15T00:00:00"]
    );
}

#[test]
fn only_a_complete_listing_at_or_above_proves_absence() {
    let at = "2026-02-10T12:00:00";
    let partial = AssignmentsListed { complete: false, ..listed(&sub(), at, &[]) };
    assert_eq!(held(&with(&granted(), [partial])), ["01T09:00:00.."]);
    assert_eq!(held(&with(&granted(), [listed(&group(), at, &[])])), ["01T09:00:00.."]);
}

/// ACC-5: what a first listing found alive is as old as a later answer says, unless it is known when it began or
/// to have been missing after that.
#[test]
fn a_later_answer_may_say_since_when() {
    let first = || listed(&sub(), "2026-02-05T12:00:00", &[(ID, None)]);
    let later = |created| listed(&sub(), "2026-02-10T12:00:00", &[(ID, Some(created))]);
    let none = World::new();
    assert_eq!(held(&with(&none, [first(), later("2026-02-01T08:00:00")])), ["01T08:00:00.."]);
    assert_eq!(held(&with(&none, [first(), later("2026-02-07T08:00:00")])), ["05T12:00:00.."], "it lived before");
    let dated = listed(&sub(), "2026-02-05T12:00:00", &[(ID, Some("2026-02-03T08:00:00"))]);
    assert_eq!(held(&with(&none, [dated, later("2026-02-01T08:00:00")])), ["03T08:00:00.."], "the first says");
    assert_eq!(held(&with(&granted(), [first(), later("2026-01-20T08:00:00")])), ["01T09:00:00.."], "it is known");
    let missing = listed(&sub(), "2026-02-03T00:00:00", &[]);
    let twice = [missing, first(), later("2026-02-01T08:00:00")];
    assert_eq!(held(&with(&none, twice)), ["05T12:00:00.."], "it was missing since");
}

/// Listed first, then missing: listings alone contradict each other too.
#[test]
fn listings_alone_can_contradict() {
    let first = listed(&sub(), "2026-02-05T12:00:00", &[(ID, Some("2026-02-01T00:00:00"))]);
    let second = listed(&sub(), "2026-02-10T12:00:00", &[]);
    assert_eq!(
        held(&with(&World::new(), [first, second])),
        ["01T00:00:00..05T12:00:00 unknown 05T12:00:00..10T12:00:00"]
    );
}

#[test]
fn a_listing_resolves_a_grant_that_nobody_stated() {
    let lone = super::lives::write(crate::entry::ActivityResult::Succeeded, "10:00:00");
    let base = super::lives::world_of([lone]);
    assert_eq!(codes(&with(&base, [])), ["F-unresolved-grant"]);
    let access = with(&base, [listed(&sub(), "2026-02-12T00:00:00", &[(ID, None)])]);
    assert_eq!(held(&access), ["10T10:00:00.."]);
    assert!(codes(&access).is_empty());
}

#[test]
fn unknown_access_is_a_reason_and_a_blocking_finding() {
    let mut world = World::new();
    world.grant(ID.0, &sub(), agents(1), OWNER, "2026-02-01T09:00:00");
    let mut missing = listed(&sub(), "2026-02-10T12:00:00", &[]);
    missing.part.of = "missing".into();
    world.tell(Event::AssignmentsListed(missing));
    assert_eq!(world.outcome(&vm(), "2026-02-05"), "unknown-access");
    assert!(world.findings("2026-02-05").contains(&"F-unknown-access".to_owned()));
    assert_eq!(world.outcome(&vm(), "2026-02-11"), "removed", "the listing ends the doubt");
    assert!(!world.findings("2026-02-11").contains(&"F-unknown-access".to_owned()));
}

/// Nobody told when the subscription was created; its first complete listing is where knowledge
/// begins. Only proof counts before that.
#[test]
fn knowledge_begins_at_the_first_complete_listing() {
    let access = with(&World::default(), [listed(&sub(), "2026-02-10T12:00:00", &[])]);
    assert_eq!(access.known_since(SUB), Some(t("2026-02-10T12:00:00")));
    assert_eq!(view(&World::new()).known_since(SUB), Some(t("2026-01-01")));
    assert_eq!(view(&World::default()).known_since(SUB), None);
}

/// ACC-5: a creation counts where it lies after the last removal, and after the last instant at which
/// the assignment was known to be missing; an earlier one belongs to a life that is over.
#[test]
fn a_creation_before_the_last_removal_is_another_lifes() {
    let listing = |created| listed(&sub(), "2026-02-10T12:00:00", &[(ID, Some(created))]);
    let mut removed = granted();
    removed.revoke(ID.0, &sub(), "2026-02-05T00:00:00");
    for (created, second) in [
        ("2026-02-03T00:00:00", "10T12:00:00.."),
        ("2026-02-05T00:00:00", "10T12:00:00.."),
        ("2026-02-07T00:00:00", "07T00:00:00.."),
    ] {
        let expected = ["01T09:00:00..05T00:00:00", second];
        assert_eq!(held(&with(&removed, [listing(created)])), expected, "created {created}");
    }
    let again = |created| listed(&sub(), "2026-02-20T12:00:00", &[(ID, Some(created))]);
    let lacking = listed(&sub(), "2026-02-10T12:00:00", &[]);
    let at_the_absence = with(&granted(), [lacking, again("2026-02-10T12:00:00")]);
    let expected = ["- unknown 01T09:00:00..20T12:00:00", "20T12:00:00.."];
    assert_eq!(held(&at_the_absence), expected, "at that instant it was missing");
}

/// ACC-4: a removal whose body states a creation after the listing that lacked the assignment proves a
/// second life, and only then.
#[test]
fn a_removal_may_prove_a_second_life_after_an_absence() {
    use crate::entry::{ActivityResult, AssignmentActivity};
    let removal = |created: &str| {
        Event::AssignmentActivity(AssignmentActivity {
            facts: owner(),
            created_at: Some(t(created)),
            at: t("2026-02-20T12:00:00"),
            ..super::lives::delete(ActivityResult::Succeeded, "00:00:00")
        })
    };
    let one_life = vec!["- unknown 01T09:00:00..20T12:00:00"];
    for (created, expected) in [
        ("2026-02-15T00:00:00", vec!["- unknown 01T09:00:00..15T00:00:00", "15T00:00:00..20T12:00:00"]),
        ("2026-02-10T12:00:00", one_life.clone()),
        ("2026-02-20T12:00:00", one_life.clone()),
        ("2026-02-21T00:00:00", one_life),
    ] {
        let mut world = granted();
        world.tell(removal(created));
        let access = with(&world, [listed(&sub(), "2026-02-10T12:00:00", &[])]);
        assert_eq!(held(&access), expected, "created {created}");
    }
}

/// What lies in another subscription, or above all of them, is no part of what was listed.
#[test]
fn a_listing_casts_doubt_on_its_own_subscriptions_assignments_alone() {
    let mut world = granted();
    let above = Scope::parse("/providers/Microsoft.Management/managementGroups/top");
    let others = [above, Scope::subscription_of(Guid(1)), Scope::subscription_of(Guid(u128::MAX))];
    for (id, scope) in (1..).zip(&others) {
        world.grant(id, scope, user(1), OWNER, "2026-02-02T09:00:00");
    }
    let access = with(&world, [listed(&sub(), "2026-02-10T12:00:00", &[])]);
    let mut expected = vec!["02T09:00:00.."; 3];
    expected.insert(0, "- unknown 01T09:00:00..10T12:00:00");
    assert_eq!(held(&access), expected);
}

/// Its removal names a group that a listing showed without it; it was granted on the subscription, of which
/// that listing says nothing.
#[test]
fn a_listing_of_a_group_casts_no_doubt_on_what_was_granted_above_it() {
    let mut world = granted();
    world.revoke(ID.0, &group(), "2026-02-15T00:00:00");
    let access = with(&world, [listed(&group(), "2026-02-10T12:00:00", &[])]);
    assert_eq!(held(&access), ["01T09:00:00..15T00:00:00"]);
    assert_eq!(codes(&access), ["F-differing-scope"]);
}

/// A listing of a management group shows what is granted on it and on all that stands below it then: of other
/// groups, and of what stands below them, it says nothing.
#[test]
fn a_listing_of_a_management_group_casts_doubt_on_it_and_what_is_below_it_alone() {
    let management_group =
        |name: &str| Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{name}"));
    let (mine, other) = (management_group("mine"), management_group("other"));
    for (parent, doubted) in [(&mine, true), (&other, false)] {
        let mut world = granted();
        let (child, parent) = (sub(), Some(parent.clone()));
        world.tell(Event::TreeChanged(TreeChange { child, parent, left: None, at: t("2026-01-01") }));
        world.grant(1, &mine, user(1), OWNER, "2026-02-02T09:00:00");
        world.grant(2, &other, user(1), OWNER, "2026-02-03T09:00:00");
        let access = with(&world, [listed(&mine, "2026-02-10T12:00:00", &[])]);
        let below = if doubted { "- unknown 01T09:00:00..10T12:00:00" } else { "01T09:00:00.." };
        let mut held = held(&access);
        held.sort();
        let mut expected = vec![below, "- unknown 02T09:00:00..10T12:00:00", "03T09:00:00.."];
        expected.sort_unstable();
        assert_eq!(held, expected);
    }
}
