//! Daily lines: what is exact of them adds up to the lines of the invoice, whatever the month holds.

use std::collections::BTreeMap;

use domain::money::{Exact, Rounding};
use serde_json::Value;

use crate::cli::{Home, must_fit, schema};

const MONTH: &str = "2026-01";

fn exact(value: &Value) -> Exact {
    let text = value.as_str().unwrap();
    Exact::parse(text.split(' ').next().unwrap()).unwrap()
}

/// A month with purchases, refunds, tax, Azure credit and covered usage beside what is metered.
fn with_charges() -> Home {
    let home = Home::empty();
    home.answer(&["generate", "--to", "files", "--events", "3000", "--period", MONTH, "--charges"], 0);
    for stream in ["reference", "commerce", "access", "usage"] {
        home.answer(&["import", &format!("files/{stream}.jsonl"), "--stream", stream], 0);
    }
    home
}

/// Quantity, list charge and net charge of every line, out of its daily lines.
fn summed(days: &[Value]) -> BTreeMap<&str, [Exact; 3]> {
    let mut sums: BTreeMap<&str, [Exact; 3]> = BTreeMap::new();
    for day in days {
        let sum = sums.entry(day["line"].as_str().unwrap()).or_default();
        for (sum, name) in sum.iter_mut().zip(["quantity", "list_charge", "net_charge"]) {
            *sum += &exact(&day[name]);
        }
    }
    sums
}

#[test]
fn daily_lines_add_up_to_the_lines_of_the_invoice_exactly() {
    let home = with_charges();
    let invoice = home.json(&["invoice", "--period", MONTH, "--json"], 0);
    let lines: Vec<&Value> =
        invoice["invoices"].as_array().unwrap().iter().flat_map(|one| one["lines"].as_array().unwrap()).collect();
    let days = home.lines(&["invoice", "--period", MONTH, "--daily", "--json"], 0);
    let validator = schema("daily-line");
    days.iter().for_each(|day| must_fit(&validator, day));
    let mut sums = summed(&days);
    let mut beside = 0;
    for line in lines {
        let metered = line["charge_type"].is_null() || line["rule"] == "RATE-11";
        let Some(sum) = sums.remove(line["line"].as_str().unwrap()) else {
            assert!(!metered, "no day stands behind {line}");
            beside += 1;
            continue;
        };
        assert!(metered, "days stand behind {line}");
        for (sum, name) in sum.iter().zip(["quantity", "list_charge", "net_charge"]) {
            assert_eq!(sum, &exact(&line[name]), "{name} of {line}");
        }
        assert_eq!(sum[2].round(2, Rounding::TowardZero), exact(&line["charge"]), "cut once");
    }
    assert!(sums.is_empty(), "days of no line: {sums:?}");
    assert!(beside > 3, "the month has purchases, refunds and credits given back");
    for portion in ["pay-as-you-go", "azure-credit", "reservation"] {
        assert!(days.iter().any(|day| day["portion"] == portion), "no day is {portion}");
    }
    let mut wrong = days[0].clone();
    wrong["amount"] = Value::from(1);
    assert!(!validator.is_valid(&wrong), "an amount without a currency must not pass");
}

/// One customer's days are a part of all, and people see a table that says how to get the rest.
#[test]
fn daily_lines_can_be_narrowed_and_read() {
    let home = Home::demo();
    let all = home.lines(&["invoice", "--period", MONTH, "--daily", "--json"], 0);
    let one = home.lines(&["invoice", "--period", MONTH, "--daily", "--customer", "Orchard Foods", "--json"], 0);
    assert!(!one.is_empty() && one.len() < all.len());
    assert!(one.iter().all(|day| day["customer"] == one[0]["customer"]));
    let table = home.answer(&["invoice", "--period", MONTH, "--daily"], 0);
    assert!(table.contains("resource") && table.contains("policy revision 0"), "{table}");
    let told = home.pec(&["invoice", "--period", MONTH, "--daily"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("--json"), "most of them are not shown");
    assert!(home.complaint(&["invoice", "--period", "1999-01", "--daily"], 0).contains("hint:"));
    assert!(home.complaint(&["invoice", "--period", MONTH, "--daily", "--lines"], 2).contains("--lines"));
}
