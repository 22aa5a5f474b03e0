//! Months that are issued while facts still come: what a rehearsal, a draft and a statement say is what a
//! close then issues, and what is issued is never shown as still to be paid. Asked of the real commands.

use domain::money::Exact;
use serde_json::{Value, json};

use crate::cli::{must_fit, schema};
use crate::shown::World;

/// A world of scenarios: its head, and what happened.
fn world(head: &str, journal: &str) -> World {
    let asked = "title = \"asked\"\nrules = [\"INV-6\"]\nshows = [\"INV-6 passes\"]\n";
    World::told(&format!("{asked}{head}\njournal = \"\"\"\n{journal}\"\"\"\n"))
}

const MARCH: &str = "period = \"2025-03\"";

/// February is issued, and something of it comes late; March itself has nothing.
const LATE: &str = "\
2025-02-10  usage  sub-a/disk-1  disk  10
2025-02-11  usage  sub-a/disk-1  disk  11  recorded=2025-03-20
2025-03-05  close  us            2025-02
";

fn one(world: &World, words: &[&str]) -> Value {
    let answers = world.ask(words);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.into_iter().next().unwrap()
}

fn check(world: &World, month: &str) -> Value {
    let answer = one(world, &["check", "--partner", "us", "--period", month]);
    must_fit(&schema("check"), &answer);
    answer
}

fn invoice(world: &World, month: &str) -> Value {
    let answer = one(world, &["invoice", "--partner", "us", "--period", month]);
    must_fit(&schema("invoice"), &answer);
    answer
}

fn close(world: &World, month: &str) -> Value {
    let answer = one(world, &["close", "--partner", "us", "--period", month, "--reason", "month end"]);
    must_fit(&schema("close"), &answer);
    answer
}

fn amount(value: &Value) -> Exact {
    let text = value.as_str().unwrap_or_else(|| panic!("an amount: {value}"));
    Exact::parse(text.split_once(' ').unwrap().0).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

#[test]
fn a_rehearsal_shows_every_document_that_the_close_issues() {
    let world = world(MARCH, LATE);
    let rehearsed = check(&world, "2025-03");
    let [document] = rehearsed["documents"].as_array().unwrap().as_slice() else { panic!("{rehearsed}") };
    assert_eq!((text(document, "total"), &document["lines"]), ("9.54 USD", &json!(1)));
    let of_february = json!([{ "period": "2025-02", "lines": 1, "subtotal": "9.54 USD", "rule": "INV-6" }]);
    assert_eq!(document["adjustments"], of_february);
    let said = world.say(&["check", "--partner", "us", "--period", "2025-03"]);
    assert!(said.contains("9.54 USD in 1 line (") && said.contains("adjusts 2025-02"), "{said}");
    let closed = close(&world, "2025-03");
    let issued = &closed["documents"][0];
    assert_eq!((&issued["id"], &issued["total"]), (&document["id"], &document["total"]), "what was announced");
    let after = check(&world, "2025-03");
    assert_eq!((&after["documents"], &after["issued"]), (&json!([]), &json!([issued["id"]])));
}
