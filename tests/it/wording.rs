//! Sentences that people read: true of the case at hand, whole, and with what to do next.

use domain::period::Day;
use serde_json::{Value, json};

use crate::cli::{Home, must_fit, schema};
use crate::kafka::unique;
use crate::shown::World;

fn world(journal: &str) -> World {
    let head = "title = \"asked\"\nrules = [\"PEC-1\"]\nshows = [\"PEC-1 passes\"]\nperiod = \"2025-03\"\n";
    World::told(&format!("{head}\njournal = \"\"\"\n{journal}\"\"\"\n"))
}

/// A day that lies back so far, by the clock that the program reads.
fn days_ago(days: i32) -> Day {
    let now = chrono::DateTime::from_timestamp_nanos(i64::try_from(unique()).unwrap());
    Day(Day::of(now).0 - days)
}

/// Without the breaks and blanks that the width makes.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Access that was there in the middle of the day alone is not called unknown above the hours that it covered.
#[test]
fn a_day_covered_in_its_middle_is_not_said_to_have_had_no_access() {
    let world = world(
        "\
2025-03-10T09:00:00Z  grant   sub-a       Owner  us
2025-03-10            usage   sub-a/vm-1  vm     24
2025-03-10T17:00:00Z  revoke  sub-a       Owner  us
",
    );
    let answer = world.ask(&["explain", "vm-1", "--day", "2025-03-10"]).remove(0);
    let access = &answer["access"][0];
    assert_eq!((&access["reason"], access["covered"].as_array().unwrap().len()), (&json!("never-granted"), 1));
    let meaning = access["meaning"].as_str().unwrap();
    assert!(meaning.contains("for a part of the day") && !meaning.contains("No access"), "{meaning}");
}

#[test]
fn an_empty_list_says_so_in_a_whole_sentence_and_a_day_of_another_month_is_refused() {
    let home = Home::demo();
    let ask = |more: &[&str]| home.answer(&[&["eligibility", "--period", "2026-01"], more].concat(), 0);
    let unknown = ask(&["--subscription", "99999999-0000-4000-8000-0000000000ff"]);
    assert!(unknown.starts_with("No usage is known in 2026-01 for this choice."), "{unknown}");
    let day = home.answer(&["eligibility", "--day", "2026-01-02", "--resource", "no-such-vm"], 0);
    assert!(day.starts_with("No usage of no-such-vm is known on 2026-01-02."), "{day}");
    let refused = home.complaint(&["eligibility", "--period", "2026-01", "--day", "2026-02-01"], 2);
    assert!(refused.contains("2026-02-01 is no day of 2026-01") && refused.contains("hint"), "{refused}");
    let refused = home.complaint(&["explain", "vm", "--period", "2026-01", "--day", "2026-02-01"], 2);
    assert!(refused.contains("2026-02-01 is no day of 2026-01"), "{refused}");
}

const TRANSFERRED: &str = "\
2025-01-01            grant     sub-a       Owner  us
2025-03-10T02:00:00Z  usage     sub-a/vm-1  vm     12
2025-03-10T12:00:00Z  transfer  sub-a       plan-other
2025-03-10T14:00:00Z  usage     sub-a/vm-1  vm     12
";

/// Two rows of one resource and day are told apart by plan and partner, and the calendar says what it shows.
#[test]
fn a_transfer_day_names_its_plans() {
    let world = world(TRANSFERRED);
    let list = world.say(&["eligibility", "--period", "2025-03", "--list"]);
    assert!(list.contains("for us, plan ") && list.contains("for other, plan "), "{list}");
    let calendar = world.say(&["eligibility", "--period", "2025-03"]);
    assert!(calendar.contains("several verdicts"), "{calendar}");
}

/// Who already holds the plan takes nothing over.
#[test]
fn a_transfer_to_whoever_holds_the_plan_moves_nothing() {
    let home = Home::demo();
    let rows = home.lines(&["eligibility", "--period", "2026-01", "--json"], 0);
    let (subscription, plan) = (rows[0]["subscription"].as_str().unwrap(), rows[0]["plan"].as_str().unwrap());
    let invoices = home.json(&["invoice", "--period", "2026-01", "--json"], 0);
    let holds = |invoice: &&Value| invoice.to_string().contains(plan);
    let holder = invoices["invoices"].as_array().unwrap().iter().find(holds).unwrap();
    let holder = holder["bill_to"]["name"].as_str().unwrap_or_else(|| invoices["bill_to"]["name"].as_str().unwrap());
    for to in [plan, holder] {
        let words = ["what-if", "transfer", "--subscription", subscription, "--to", to, "--at", "2026-01-20"];
        assert!(home.complaint(&words, 1).contains("nothing moves"), "{to}");
    }
}

#[test]
fn a_supposed_role_is_called_by_its_name() {
    let world = world("2025-03-01 grant sub-a Owner us\n2025-03-10 usage sub-a/vm-1 vm 24\n");
    let row = world.ask(&["eligibility", "--period", "2025-03"]).remove(0);
    let subscription = row["subscription"].as_str().unwrap();
    let words = ["what-if", "grant", "--on", subscription, "--role", "Reader", "--at", "2025-03-09"];
    let said = world.say(&words);
    assert!(said.contains("Reader") && !said.contains("acdd72a7"), "{said}");
}

/// What is lost since a transfer is not said to be lost since access ended: nobody took any away.
#[test]
fn a_leak_since_a_transfer_says_that_the_subscription_moved() {
    let (first, moved, after) = (days_ago(6), days_ago(5), days_ago(4));
    let world = world(&format!(
        "\
2025-01-01  grant     sub-a       Owner       us
{first}     usage     sub-a/vm-1  vm          24
{moved}     transfer  sub-a       plan-other
{after}     usage     sub-a/vm-1  vm          24
"
    ));
    let status = world.ask(&["status"]).remove(0);
    must_fit(&schema("status"), &status);
    assert_eq!(status["leaks"]["worst"][0]["began_with"], "transfer", "{status}");
    let said = world.say(&["status"]);
    assert!(said.contains("moved to other"), "{said}");
    assert!(!said.contains("since access ended:"), "{said}");
}

/// A request names what would lose, and does not read as the first of several.
#[test]
fn a_guard_says_what_to_ask_for_beforehand_and_what_would_lose() {
    let (used, asked) = (days_ago(6), days_ago(2));
    let usage: String = (1..=5).map(|vm| format!("{used} usage sub-a/vm-{vm} vm 24\n")).collect();
    let world = world(&format!("2025-01-01 grant sub-a Owner us\n{usage}{asked} request-transfer sub-a plan-other\n"));
    let status = world.ask(&["status"]).remove(0);
    must_fit(&schema("status"), &status);
    let request = &status["transfers"][0]["access_first"][0];
    assert_eq!(
        (&request["resource_count"], request["resources"].as_array().unwrap().len()),
        (&json!(5), 5),
        "{status}"
    );
    let said = one_line(&world.say(&["status"]));
    assert!(said.contains("beforehand, ask other to see to it on rg (group), for rg/vm-1"), "{said}");
    assert!(said.contains("rg/vm-1, rg/vm-2, rg/vm-3 and 2 more"), "{said}");
}

/// A schedule without an end is a line of a scenario too.
#[test]
fn a_scenario_may_hold_a_schedule_without_an_end() {
    let world = world("2025-03-01 active sub-a Owner us\n2025-03-10 usage sub-a/vm-1 vm 24\n");
    assert_eq!(world.ask(&["eligibility", "--period", "2025-03"])[0]["outcome"], "earned");
}
