//! What `pec explain` shows of places and of money: moves, deletions and the tree behind a verdict, the entries
//! behind every kind of line, and that each printed equation holds to its last digit.

use serde_json::{Value, json};

use crate::cli::{must_fit, schema};
use crate::shown::World;

fn world(journal: &str, more: &str) -> World {
    let head = "title = \"asked\"\nrules = [\"PEC-1\"]\nshows = [\"PEC-1 passes\"]\nperiod = \"2025-03\"\n";
    World::told(&format!("{head}{more}\njournal = \"\"\"\n{journal}\"\"\"\n"))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} of {value}"))
}

/// What the entries of one kind behind an answer say.
fn says<'v>(answer: &'v Value, kind: &str) -> Vec<&'v str> {
    let events = list(answer, "events").iter().filter(|event| event["kind"] == kind);
    events.map(|event| text(event, "says")).collect()
}

fn day(world: &World, what: &str, day: &str) -> Value {
    let answer = world.ask(&["explain", what, "--day", day]).remove(0);
    must_fit(&schema("explain"), &answer);
    answer
}

/// What a verdict says of where the resource was: what, the end of the place, from, to, rules.
fn whereabouts(answer: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let place = text(row, "place").rsplit('/').next().unwrap();
        let (from, to) = (text(&row["when"], "from"), text(&row["when"], "to"));
        let rules: Vec<&str> = list(row, "rules").iter().map(|rule| rule.as_str().unwrap()).collect();
        let minute = |at: &str| if at.starts_with('2') { at[..16].to_owned() } else { "ever".to_owned() };
        format!("{} {place} {} to {} {}", text(row, "what"), minute(from), minute(to), rules.join(" "))
    };
    list(&answer["access"][0], "whereabouts").iter().map(row).collect()
}

/// A day that is lost only because the resource moved cites the move and says where it lived when.
#[test]
fn a_day_that_a_move_decided_names_it() {
    let journal = "\
2025-01-01            link   us/anna          us
2025-01-01            grant  sub-a/rg-x       Owner  us/anna
2025-03-05T10:00:00Z  move   sub-a/rg-x/vm-c  sub-a/rg-y/vm-c
2025-03-05            usage  sub-a/rg-x/vm-c  vm     10
2025-03-06            usage  sub-a/rg-x/vm-c  vm     10
";
    let world = world(journal, "");
    let answer = day(&world, "rg-x/vm-c", "2025-03-05");
    assert_eq!(answer["access"][0]["reason"], "early-end");
    assert_eq!(says(&answer, "moved in Azure").len(), 1, "{answer}");
    let lived = [
        "lived vm-c 2025-03-05T00:00 to 2025-03-05T10:00 ACC-14 PEC-16",
        "lived vm-c 2025-03-05T10:00 to 2025-03-06T00:00 ACC-14 PEC-16",
    ];
    assert_eq!(whereabouts(&answer), lived);
    let said = world.say(&["explain", "rg-x/vm-c", "--day", "2025-03-05"]);
    assert!(said.contains("PEC-16") && said.contains("rg-y/vm-c"), "{said}");
    let after = day(&world, "rg-x/vm-c", "2025-03-06");
    assert_eq!((whereabouts(&after).len(), says(&after, "moved in Azure").len()), (0, 0), "an id speaks for itself");
}

/// A subscription that left its management group: both changes of the tree are behind the lost days, also behind
/// those after it.
#[test]
fn a_day_that_the_tree_decided_names_its_changes() {
    let journal = "\
2025-01-01            below  sub-a       mg-x
2025-01-01            below  mg-x        mg-all
2025-01-02            grant  mg-all      Owner  us
2025-03-03T12:00:00Z  below  sub-a       none
2025-03-02            usage  sub-a/vm-a  vm     10
2025-03-03            usage  sub-a/vm-a  vm     10
2025-03-04            usage  sub-a/vm-a  vm     10
";
    let world = world(journal, "");
    for (on, reason, cited) in
        [("2025-03-02", json!(null), 2), ("2025-03-03", json!("early-end"), 3), ("2025-03-04", json!("removed"), 3)]
    {
        let answer = day(&world, "vm-a", on);
        assert_eq!(answer["access"][0]["reason"], reason);
        assert_eq!(says(&answer, "management-group tree changed").len(), cited, "{answer}");
        assert_eq!(whereabouts(&answer), ["below mg-all 2025-01-01T00:00 to 2025-03-03T12:00 ACC-15"]);
    }
}

/// A deletion ends the tested part: it is cited, and PEC-15 stands beside PEC-10.
#[test]
fn a_tested_part_that_a_deletion_ended_says_so() {
    let journal = "\
2025-01-01            grant   sub-a       Owner  us
2025-03-03T15:00:00Z  delete  sub-a/vm-a
2025-03-03T18:00:00Z  revoke  sub-a       Owner  us
2025-03-03            usage   sub-a/vm-a  vm     10
2025-03-03            usage   sub-a/vm-b  vm     10
";
    let world = world(journal, "");
    let answer = day(&world, "vm-a", "2025-03-03");
    assert_eq!(answer["access"][0]["outcome"], "earned");
    assert_eq!(answer["access"][0]["tested_rules"], json!(["PEC-10", "PEC-15"]));
    assert_eq!(whereabouts(&answer), ["gone vm-a 2025-03-03T15:00 to ever ACC-13 PEC-15"]);
    assert_eq!(says(&answer, "deleted in Azure").len(), 1);
    let said = world.say(&["explain", "vm-a", "--day", "2025-03-03"]);
    assert!(said.contains("tested   00:00–15:00 (PEC-10, PEC-15)"), "{said}");
    assert!(said.contains("since 2025-03-03 15:00"), "{said}");
    let beside = day(&world, "vm-b", "2025-03-03");
    assert_eq!(beside["access"][0]["tested_rules"], json!(["PEC-10"]));
    assert_eq!(says(&beside, "deleted in Azure").len(), 0, "what was deleted beside it does not matter");
}

/// A group that was deleted and created again on one day: both are behind the day, and so is a creation that
/// does not shorten what is tested.
#[test]
fn deletions_and_creations_of_containers_are_cited() {
    let journal = "\
2025-01-01            grant   sub-a            Owner  us
2025-03-03T06:00:00Z  delete  sub-a/rg-x
2025-03-03T12:00:00Z  create  sub-a/rg-x/vm-a
2025-03-03            usage   sub-a/rg-x/vm-a  vm     10
";
    let answer = day(&world(journal, ""), "vm-a", "2025-03-03");
    assert_eq!((says(&answer, "deleted in Azure").len(), says(&answer, "created in Azure").len()), (1, 1));
    let rows = [
        "created vm-a 2025-03-03T12:00 to ever PEC-15",
        "gone rg-x 2025-03-03T06:00 to 2025-03-03T12:00 ACC-13 PEC-15",
    ];
    assert_eq!(whereabouts(&answer), rows);
}

/// A deny assignment that makes a gap beside another reason, the membership by which it reaches somebody, and the
/// link that somebody no longer has are behind the verdict.
#[test]
fn deny_assignments_memberships_and_ended_links_are_cited() {
    let journal = "\
2025-01-01            link        us/anna     us
2025-01-01            add-member  acme/ops    us/anna
2025-01-01            grant       sub-a       Owner  us/anna
2025-03-02            deny        sub-a       *      acme/ops
2025-03-02T12:00:00Z  undeny      sub-a       *      acme/ops
2025-03-05            unlink      us/anna     us
2025-03-02            usage       sub-a/vm-a  vm     10
2025-03-06            usage       sub-a/vm-a  vm     10
";
    let world = world(journal, "");
    let denied = day(&world, "vm-a", "2025-03-02");
    assert_eq!(denied["access"][0]["reason"], "denied");
    for kind in ["deny assignment created", "deny assignment deleted", "group membership added"] {
        assert_eq!(says(&denied, kind).len(), 1, "{kind}: {denied}");
    }
    let unlinked = day(&world, "vm-a", "2025-03-06");
    assert_eq!(unlinked["access"][0]["reason"], "pal-missing");
    assert_eq!((says(&unlinked, "PAL linked").len(), says(&unlinked, "PAL unlinked").len()), (1, 1), "{unlinked}");
    assert_eq!(says(&unlinked, "deny assignment created").len(), 0, "it was over by then");
}
