//! What `pec access report` lists: timed access of every sort, of ours alone, and what its end costs under
//! each plan. And what a timeline shows of a resource that moved.

use domain::money::Exact;
use serde_json::{Value, json};

use crate::cli::{must_fit, schema};
use crate::shown::World;

fn world(journal: &str) -> World {
    let head = "title = \"asked\"\nrules = [\"PEC-1\"]\nshows = [\"PEC-1 passes\"]\nperiod = \"2025-03\"\n";
    World::told(&format!("{head}\njournal = \"\"\"\n{journal}\"\"\"\n"))
}

/// Kind, scope's last segment, lost and resource-days of each row.
fn report(world: &World, more: &[&str]) -> Vec<(String, String, String, u64)> {
    let words = [&["access", "report", "--period", "2025-03"], more].concat();
    let answer = world.ask(&words).remove(0);
    must_fit(&schema("access-report"), &answer);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = answer["grants"].as_array().unwrap().iter().map(|row| {
        let from = row["held"]["from"].as_str().unwrap().get(..10).unwrap().to_owned();
        (text(row, "kind"), from, text(row, "lost"), row["days_lost"].as_u64().unwrap())
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn row(kind: &str, from: &str, lost: &str, days: u64) -> (String, String, String, u64) {
    (kind.to_owned(), from.to_owned(), lost.to_owned(), days)
}

/// A membership for a stated time is timed access, and its end costs what a schedule's would. One that was
/// removed was for no stated time.
#[test]
fn a_timed_membership_is_timed_access() {
    let world = world(
        "\
2025-01-01  grant          sub-a       Owner     acme/ops
2025-01-01  link           us/anna     us
2025-01-01  link           us/ben      us
2025-01-01  link           us/gus      us
2025-03-01  add-member     acme/ops    us/anna   until=2025-03-20T12:00:00Z
2025-03-02  add-member     acme/ops    us/gus
2025-03-05  remove-member  acme/ops    us/gus
2025-03-19  usage          sub-a/vm-1  vm        24
2025-03-20  usage          sub-a/vm-1  vm        24
2025-03-21  usage          sub-a/vm-1  vm        24
2025-03-22  add-member     acme/ops    us/ben    until=2099-01-01
2025-03-22  usage          sub-a/vm-1  vm        24
",
    );
    let anna = row("timed", "2025-03-01", "7.20 USD", 2);
    assert_eq!(report(&world, &[]), [anna, row("timed", "2025-03-22", "0.00 USD", 0)]);
    let said = world.say(&["access", "report", "--period", "2025-03"]);
    assert!(said.contains("in group"), "{said}");
}

/// Listed is access of ours alone, and what runs in the month, cost credit in it, runs now or will.
#[test]
fn only_access_of_ours_that_matters_is_listed() {
    let world = world(
        "\
2024-06-01  active    sub-a       Owner  us/anna    until=2024-06-02
2024-06-03  eligible  sub-a       Owner  us/ben     until=2024-06-04
2025-01-05  active    sub-a       Owner  acme/carl  until=2099-01-01
2025-01-06  eligible  sub-a       Owner  acme/carl  until=2099-01-01
2025-01-07  active    sub-a       Owner  other      until=2099-01-01
2025-01-08  active    sub-a       Owner  us         until=2025-03-10
2025-02-01  active    sub-a       Owner  us/helpdesk  until=2025-02-20
2025-03-10  usage     sub-a/vm-1  vm     24
2025-04-01  eligible  sub-a       Owner  us         until=2025-04-02
2099-02-01  active    sub-a       Owner  us         until=2099-03-01
",
    );
    let ended = row("timed", "2025-01-08", "3.60 USD", 1);
    let helpdesk = row("timed", "2025-02-01", "3.60 USD", 1);
    let later = row("timed", "2099-02-01", "0.00 USD", 0);
    assert_eq!(report(&world, &[]), [ended, helpdesk, later]);
}

/// On the day of a transfer each partner's part is asked about under its own plan.
#[test]
fn a_transfer_day_costs_each_partner_its_own_part() {
    let world = world(
        "\
2025-01-01            grant     sub-a       Owner      us
2025-03-01            eligible  sub-a       Owner      other  until=2099-01-01
2025-03-10T02:00:00Z  usage     sub-a/vm-1  vm         12
2025-03-10T12:00:00Z  transfer  sub-a       plan-other
2025-03-10T14:00:00Z  usage     sub-a/vm-1  vm         12
2025-03-11            usage     sub-a/vm-1  vm         24
",
    );
    assert_eq!(report(&world, &[]), [row("eligible-only", "2025-03-01", "5.40 USD", 2)]);
    assert_eq!(report(&world, &["--partner", "us"]), [], "it is none of theirs");
    let lost = world.ask(&["eligibility", "--period", "2025-03", "--reason", "jit-only"]);
    let stake = |row: &Value| Exact::parse(row["credit_at_stake"].as_str().unwrap().strip_suffix(" USD").unwrap());
    let lost: Vec<Exact> = lost.iter().map(|row| stake(row).unwrap()).collect();
    assert_eq!(lost.iter().sum::<Exact>().to_string(), "5.4", "as eligibility says");
}

/// A grant counts only where the resource was, and each of its rows is the stretch in which it was there.
#[test]
fn a_resource_that_moved_shows_a_grant_once_a_stretch() {
    let world = world(
        "\
2025-01-01            grant  sub-a/rg-x       Owner            us/anna
2025-01-01            link   us/anna          us
2025-03-04            usage  sub-a/rg-x/vm-1  vm               24
2025-03-05            usage  sub-a/rg-x/vm-1  vm               12
2025-03-05T12:00:00Z  move   sub-a/rg-x/vm-1  sub-a/rg-y/vm-1
2025-03-05T13:00:00Z  usage  sub-a/rg-y/vm-1  vm               12
2025-03-06            usage  sub-a/rg-y/vm-1  vm               24
",
    );
    let words = ["access", "timeline", "rg-x/vm-1", "--from", "2025-03-03", "--to", "2025-03-08"];
    let answer = world.ask(&words).remove(0);
    must_fit(&schema("access-timeline"), &answer);
    let grants = answer["parts"][0]["grants"].as_array().unwrap();
    let there: Vec<&Value> = grants.iter().map(|grant| &grant["there"]).collect();
    assert_eq!(there, [&json!({ "from": "2025-03-03T00:00:00.000Z", "to": "2025-03-05T12:00:00.000Z" })], "{grants:?}");
    let said = world.say(&words);
    let days = said.lines().find(|line| line.trim_start().starts_with("1 #")).unwrap();
    assert_eq!(days.split_whitespace().collect::<Vec<_>>(), ["1", "##+"], "{said}");
    let whole = said.lines().find(|line| line.starts_with("the day")).unwrap();
    assert_eq!(whole.split_whitespace().last(), Some("##+..."), "{said}");

    // Under its new id, what it brought reaches it in the morning of that day alone, and nothing is open before.
    let words = ["access", "timeline", "rg-y/vm-1", "--from", "2025-03-03", "--to", "2025-03-08"];
    let part = &world.ask(&words).remove(0)["parts"][0];
    let came = &json!({ "from": "2025-03-05T00:00:00.000Z", "to": "2025-03-05T12:00:00.000Z" });
    let there: Vec<&Value> = part["grants"].as_array().unwrap().iter().map(|grant| &grant["there"]).collect();
    assert_eq!((there, part["gaps"][0]["from"].as_str()), (vec![came], Some("2025-03-05T12:00:00.000Z")), "{part}");
}
