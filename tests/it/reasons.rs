//! Every reason at once and the entries behind it: what stands against a close in months already issued, what
//! a verdict and a line rest on, and that neither depends on order of arrival. Asked of the real commands.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::{must_fit, schema};
use crate::shown::World;

fn world(journal: &str, more: &str) -> World {
    let head = "title = \"asked\"\nrules = [\"PEC-1\"]\nshows = [\"PEC-1 passes\"]\nperiod = \"2025-03\"\n";
    World::told(&format!("{head}\njournal = \"\"\"\n{journal}\"\"\"\n\n{more}"))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

fn kinds(answer: &Value) -> BTreeSet<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| text(event, "kind")).collect()
}

const LISTED_LATER: &str = "\
2025-03-01  grant  sub-a       Owner  us
2025-03-10  usage  sub-a/vm-1  vm     24
2025-04-04  close  us          2025-03
2025-03-20  list   sub-a       recorded=2025-04-05
2025-04-10  usage  sub-a/vm-1  vm     24
";

/// What became unknown in an issued month refuses later closes with its month and the command that mends it,
/// until a person decides; then the credit goes back, and comes again when the access is proven.
#[test]
fn unknown_access_of_an_issued_month_waits_for_a_person() {
    let world = world(LISTED_LATER, "");
    let close = |month: &str, accept: bool| {
        let mut words = vec!["close", "--partner", "us", "--period", month, "--reason", "looked it up"];
        words.extend(if accept { &["--accept", "unknown-access"][..] } else { &[] });
        let answer = world.ask(&words).remove(0);
        must_fit(&schema("close"), &answer);
        answer
    };
    for refused in [close("2025-04", false), close("2025-04", true)] {
        assert_eq!(refused["outcome"], "refused");
        let reasons = refused["reasons"].as_array().unwrap();
        let mends = "pec close --period 2025-03 --reason WHY --accept unknown-access";
        let named =
            |one: &&Value| one.as_str().is_some_and(|one| one.contains("F-unknown-access") && one.contains(mends));
        assert_eq!(reasons.iter().filter(named).count(), 1, "{reasons:?}");
    }
    let found = world.ask(&["check", "--partner", "us", "--period", "2025-04", "--findings"]);
    let issued = found.iter().find(|one| one["period"] == "2025-03").expect("the finding of the issued month");
    must_fit(&schema("finding"), issued);
    assert!(text(issued, "hint").contains("--period 2025-03"), "{issued}");
    let said = world.say(&["check", "--partner", "us", "--period", "2025-04"]);
    assert!(said.contains("2025-03, which is issued: F-unknown-access"), "{said}");

    let accepted = close("2025-03", true);
    assert_eq!((&accepted["outcome"], &accepted["accepted_days"]), (&json!("stands"), &json!(["2025-03-10"])));
    assert_eq!(close("2025-03", true)["accepted_days"], Value::Null, "twice is once");
    let issued = close("2025-04", false);
    assert_eq!(issued["outcome"], "issued", "{issued}");
    let id = text(&issued["documents"][0], "id").to_owned();
    let document = world.ask(&["explain", &id]).remove(0);
    let of_march = document["lines"].as_array().unwrap().iter().filter(|line| line["period"] == "2025-03");
    let subtotals: Vec<&str> = of_march.map(|line| text(line, "subtotal")).collect();
    assert_eq!(subtotals, ["24.00 USD", "-20.40 USD"], "the credit of the day is taken back");
}

/// Usage without a price that comes late for an issued month is named with that month.
#[test]
fn a_finding_in_an_issued_month_is_a_reason_with_its_month() {
    let journal = "\
2025-03-01  grant  sub-a       Owner  us
2025-03-10  usage  sub-a/vm-1  vm     24
2025-04-04  close  us          2025-03
2025-03-11  usage  sub-a/vm-1  disk   1   recorded=2025-04-05
2025-03-12  usage  sub-a/vm-1  logs   1   recorded=2025-04-05
2025-04-10  usage  sub-a/vm-1  vm     24
";
    let world = world(journal, "[prices]\ndisk = \"none\"\nlogs = \"none\"\n");
    let close = ["close", "--partner", "us", "--period", "2025-04", "--reason", "month end"];
    let refused = world.ask(&close).remove(0);
    let reasons: Vec<&str> = refused["reasons"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let [one] = reasons[..] else { panic!("one reason for all of a code: {reasons:?}") };
    assert!(one.starts_with("2025-03, which is issued: F-no-price") && one.contains("and 1 more"), "{one}");
    assert!(one.contains("prices-DE-202503.zip"), "the month's own sheet: {one}");
    let said = world.say(&close);
    assert!(said.contains("2025-03, which is issued"), "{said}");
    let listed = world.say(&["check", "--partner", "us", "--period", "2025-04", "--findings"]);
    assert!(listed.contains("in 2025-03, which is") && !listed.contains("Everything adds up"), "{listed}");
}

/// A price sheet is asked for by the market of the customer that lacks it; of a customer without a market
/// that is asked for instead.
#[test]
fn a_missing_price_sheet_is_named_with_the_customers_market() {
    let told = |customer: &str, who: &str| {
        let journal = format!(
            "{customer}2025-01-01  plan  plan-beta  us  {who}\n\
             2025-01-01  subscription  sub-beta  plan-beta\n\
             2025-03-10  usage  sub-beta/vm-1  vm  24\n"
        );
        let world = world(&journal, "");
        ["check", "invoice", "eligibility"]
            .map(|command| world.say(&[command, "--period", "2025-03"]).replace("\n", " "))
    };
    for said in told("2025-01-01  customer  beta  FR\n", "beta") {
        assert!(said.contains("prices-FR-202503.zip") && !said.contains("prices-DE"), "{said}");
    }
    for said in told("", "nobody") {
        assert!(said.contains("publish customer registered") && !said.contains(".zip"), "{said}");
    }
}

/// Lines, invoices and issued documents name the revisions that decided their days; a line cites the usage of
/// its own days.
#[test]
fn every_revision_of_the_policy_that_decided_is_named() {
    let journal = "\
2025-01-01  grant   sub-a        Owner  us
2025-03-05  policy  credit-rate  0.10
2025-03-04  usage   sub-a/vm-1   vm     24
2025-03-05  usage   sub-a/vm-1   vm     24
2025-03-06  usage   sub-a/vm-1   vm     24
2025-04-04  close   us           2025-03
";
    let world = world(journal, "");
    let rows = world.ask(&["eligibility", "--period", "2025-03"]);
    let revisions: Vec<&Value> = rows.iter().map(|row| &row["policy_revision"]).collect();
    assert!(revisions.len() == 3 && revisions[0] != revisions[1] && revisions[1] == revisions[2], "{revisions:?}");
    let both = json!([revisions[0], revisions[1]]);
    let answer = world.ask(&["invoice", "--partner", "us", "--period", "2025-03"]).remove(0);
    must_fit(&schema("invoice"), &answer);
    let invoice = &answer["invoices"][0];
    assert_eq!((&invoice["policy_revision"], &invoice["policy_revisions"]), (revisions[0], &both));
    let words = format!("policy revisions {} and {}", revisions[0], revisions[1]);
    assert!(world.say(&["invoice", "--partner", "us", "--period", "2025-03"]).contains(&words));

    let lines = invoice["lines"].as_array().unwrap();
    let of_rate = |rate: &str| lines.iter().find(|line| line["credit_rate"] == rate).expect("a line of each rate");
    assert_eq!(of_rate("0.15")["policy_revisions"], json!([revisions[0]]));
    let later = of_rate("0.1");
    assert_eq!(later["policy_revisions"], json!([revisions[1]]));
    let explained = world.ask(&["explain", text(later, "line"), "--period", "2025-03"]).remove(0);
    must_fit(&schema("explain"), &explained);
    assert_eq!(explained["policy_revisions"], json!([revisions[1]]));
    let events = explained["events"].as_array().unwrap();
    let usage: Vec<&str> =
        events.iter().filter(|one| one["kind"] == "usage recorded").map(|one| text(one, "says")).collect();
    assert_eq!(usage.len(), 2, "{usage:?}");
    assert!(usage.iter().all(|says| !says.contains("2025-03-04")), "{usage:?}");
    let known: BTreeSet<&str> = events.iter().map(|one| text(one, "kind")).collect();
    assert!(known.contains("policy published"), "{known:?}");

    let status = world.ask(&["status"]).remove(0);
    let id = status["issued"][0].as_str().unwrap().to_owned();
    let document = world.ask(&["explain", &id]).remove(0);
    must_fit(&schema("explain"), &document);
    assert_eq!((&document["policy_revision"], &document["policy_revisions"]), (revisions[0], &both));
    let line = document["lines"].as_array().unwrap().iter().find(|line| line["credit_rate"] == "0.1").unwrap();
    assert_eq!(line["policy_revisions"], json!([revisions[1]]));
    assert_eq!((&document["digest_agrees"], &document["redraft_differs"]), (&json!(true), &json!(false)));
    assert!(world.say(&["explain", &id]).contains(&words));
}

/// A correction that came before its usage is cited like one that came after it.
#[test]
fn what_is_cited_does_not_depend_on_what_came_first() {
    let in_order = "\
2025-01-01  grant   sub-a       Owner  us
2025-03-10  usage   sub-a/vm-1  vm     24  as=first
2025-03-11  usage   sub-a/vm-1  vm     24
2025-03-20  adjust  first       -4
2025-03-21  void    first
";
    let late = in_order.replace("as=first", "as=first recorded=2025-03-25");
    let cited = |journal: &str| {
        let answer = world(journal, "").ask(&["explain", "vm-1", "--day", "2025-03-10"]).remove(0);
        let usage = answer["events"].as_array().unwrap().iter().filter(|one| text(one, "kind").starts_with("usage"));
        usage.map(|one| text(one, "event").to_owned()).collect::<BTreeSet<_>>()
    };
    let (one, other) = (cited(in_order), cited(&late));
    assert_eq!(one.len(), 3, "{one:?}");
    assert_eq!(one, other);
}

/// A verdict cites everything that it rests on: role list, registrations, memberships, lives, reseller, policy.
#[test]
fn a_verdict_names_every_entry_behind_it() {
    let journal = "\
2025-01-01  reseller   plan        shop
2025-01-01  role-list  Reader=yes
2025-01-02  policy     credit-rate  0.15
2025-01-03  grant      sub-a       Reader  us
2025-03-10  usage      sub-a/vm-1  vm      24
";
    let answer = world(journal, "").ask(&["explain", "vm-1", "--day", "2025-03-10"]).remove(0);
    assert_eq!(answer["access"][0]["outcome"], "earned");
    let cited = kinds(&answer);
    for kind in [
        "role list published",
        "partner registered",
        "membership started",
        "plan created",
        "subscription created",
        "reseller of record set",
        "policy published",
        "assignment created",
    ] {
        assert!(cited.iter().any(|cited| cited.contains(kind)), "{kind} is not among {cited:?}");
    }
    for event in answer["events"].as_array().unwrap() {
        assert_ne!(event["rule"], Value::Null, "{event}");
    }
}

/// Findings about a subscription are told to the partner that it is billed to, not to everybody.
#[test]
fn a_finding_about_somebody_elses_subscription_is_not_told() {
    let journal = "\
2025-01-01  grant         sub-a       Owner  us
2025-01-01  subscription  sub-o       plan-other
2025-03-10  usage         sub-a/vm-1  vm     24
2025-03-10  usage         sub-o/vm-1  vm     24
2025-03-09  azure-writes  sub-a       Reader us/anna  of=one
2025-03-10  azure-writes  sub-a       Owner  us/anna  of=one
";
    let world = world(journal, "");
    let found = |partner: &str| {
        let rows = world.ask(&["check", "--partner", partner, "--period", "2025-03", "--findings"]);
        rows.iter().map(|one| text(one, "code").to_owned()).collect::<BTreeSet<_>>()
    };
    let (us, other) = (found("us"), found("other"));
    let access = |codes: &BTreeSet<String>| {
        codes.iter().any(|code| ["F-changed-life", "F-unresolved-grant", "F-differing-scope"].contains(&code.as_str()))
    };
    assert!(access(&us) && !access(&other), "{us:?} {other:?}");
}

/// What is supposed never says two opposite things about one transfer.
#[test]
fn a_what_if_does_not_contradict_itself() {
    let journal = "\
2025-01-01  link   us/anna     us
2025-03-12  grant  sub-a       Owner  us/anna
2025-03-10  usage  sub-a/vm-1  vm     24
2025-03-13  usage  sub-a/vm-1  vm     24
";
    let world = world(journal, "");
    let subscription = world.ask(&["eligibility", "--period", "2025-03"])[0]["subscription"].clone();
    let subscription = subscription.as_str().unwrap();
    let words = ["what-if", "transfer", "--subscription", subscription, "--to", "other", "--at", "2025-03-11"];
    let answer = world.ask(&words).remove(0);
    must_fit(&schema("what-if"), &answer);
    assert_eq!(answer["recorded"]["earned"]["difference"], "-3.60 USD");
    assert_eq!(answer["requests"].as_array().unwrap().len(), 1, "{}", answer["requests"]);
    let said = world.say(&words);
    assert!(!said.contains("No access has to be added first"), "{said}");
    assert!(said.contains("What recorded usage on later days loses or gains stands above"), "{said}");

    let before_all =
        world.say(&["what-if", "transfer", "--subscription", subscription, "--to", "other", "--at", "2025-03-01"]);
    assert!(before_all.contains("No usage is known before that day"), "{before_all}");
}

/// A gap of seconds is printed with its seconds, and a day that no single grant covers says so.
#[test]
fn the_most_surprising_losses_show_why() {
    let journal = "\
2025-01-01            link    us/anna  us
2025-01-01            link    us/ben   us
2025-01-01            grant   sub-a    Owner  us/anna
2025-03-10T08:00:10Z  revoke  sub-a    Owner  us/anna
2025-03-10T08:00:40Z  grant   sub-a    Owner  us/ben
2025-03-10            usage   sub-a/vm-1  vm  24
2025-03-11            policy  union-of-grants no
2025-03-12T08:00:00Z  grant   sub-a    Owner  us/anna
2025-03-12T16:00:00Z  revoke  sub-a    Owner  us/ben
2025-03-12            usage   sub-a/vm-1  vm  24
";
    let world = world(journal, "");
    let gap = world.say(&["explain", "vm-1", "--day", "2025-03-10"]);
    assert!(gap.contains("08:00:10–08:00:40"), "{gap}");
    let in_turn = world.say(&["explain", "vm-1", "--day", "2025-03-12"]);
    assert!(in_turn.contains("no single one throughout") && in_turn.contains("one eligible role"), "{in_turn}");
}

/// What a policy changes is told before it is published, whatever the field: usage that goes by the time it was
/// sent, which facts keep only once a policy asks for it, and tax beside the charge with what it would stop.
#[test]
fn what_a_policy_changes_is_told_whatever_the_field() {
    let journal = "\
2024-01-01            grant     sub-a       Owner  us
2025-03-09            usage     sub-a/vm-1  vm     5   sent=2025-03-12T00:00:00Z
2025-03-10T10:00:00Z  usage     sub-a/vm-1  vm     2   sent=2025-03-10T11:00:00Z
2025-03-10T12:00:00Z  transfer  sub-a       plan-other
";
    let world = world(journal, "");
    let document = |name: &str, field: &str, value: &str| {
        let settings = json!([{ "name": field, "value": value }]);
        let document = json!({ "revision": 7, "effectiveFrom": "2025-01-01", "settings": settings });
        world.write(name, &document.to_string());
    };
    let checked = |name: &str| {
        let answer = world.ask(&["policy", "check", name]).remove(0);
        must_fit(&schema("policy-check"), &answer);
        let of_month = |row: &&Value| row["period"] == "2025-03";
        let rows: Vec<Value> = answer["effect"].as_array().unwrap().iter().filter(of_month).cloned().collect();
        rows
    };
    document("reported.json", "transfer-usage", "reported");
    let moved = checked("reported.json");
    let afterwards: BTreeSet<&str> = moved.iter().map(|row| text(&row["charge"], "after")).collect();
    let before: BTreeSet<&str> = moved.iter().map(|row| text(&row["charge"], "before")).collect();
    assert_eq!(before, ["0.00 USD", "5.95 USD"].into(), "seven hours of us, earned");
    assert_eq!(afterwards, ["1.70 USD", "5.00 USD"].into(), "what was sent after the transfer is theirs");

    document("tax.json", "tax", "on-total");
    let taxed = checked("tax.json").remove(0);
    assert_eq!((&taxed["stops"], text(&taxed["tax"], "after")), (&json!(["F-no-tax"]), "0.00 USD"));
    let said = world.say(&["policy", "check", "tax.json"]);
    assert!(said.contains("it would stop the closing: F-no-tax"), "{said}");
}
