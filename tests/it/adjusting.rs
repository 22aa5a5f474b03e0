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

#[test]
fn a_draft_shows_what_its_close_would_adjust() {
    let world = world(MARCH, LATE);
    let drafted = invoice(&world, "2025-03");
    let [adjusted] = drafted["adjustments"].as_array().unwrap().as_slice() else { panic!("{drafted}") };
    let said = ["period", "currency", "subtotal", "rule"].map(|name| text(adjusted, name));
    assert_eq!(said, ["2025-02", "USD", "9.54 USD", "INV-6"]);
    assert_eq!(adjusted["lines"][0]["days"], json!(["2025-02-11"]));
    assert!(text(&drafted["nothing"], "what").contains("no usage"), "{drafted}");
    let said = world.say(&["invoice", "--partner", "us", "--period", "2025-03", "--lines"]);
    assert!(said.contains("No usage is known for 2025-03"), "{said}");
    assert!(said.contains("would also adjust") && said.contains("9.54 USD") && said.contains("2025-02-11"), "{said}");
    assert_eq!(invoice(&world, "2025-02")["adjustments"], json!([]), "it is issued, and carries nothing");
    close(&world, "2025-03");
    assert_eq!(invoice(&world, "2025-04")["adjustments"], json!([]), "everything is said");
}

/// A month behind one that has to be closed first carries nothing yet.
#[test]
fn adjustments_come_with_the_oldest_month_that_is_open() {
    let world = world(
        MARCH,
        &format!("{LATE}2025-03-10  usage  sub-a/disk-1  disk  1\n2025-04-10  usage  sub-a/disk-1  disk  1\n"),
    );
    let months = ["2025-03", "2025-04"].map(|month| invoice(&world, month)["adjustments"].as_array().unwrap().len());
    assert_eq!(months, [1, 0]);
    let of_february = invoice(&world, "2025-02");
    assert_eq!(of_february["invoices"][0]["issued"]["outstanding_with"], "2025-03");
}

#[test]
fn what_is_issued_is_never_to_be_paid_again() {
    let world = world(MARCH, LATE);
    let issued = |world: &World| invoice(world, "2025-02")["invoices"][0]["issued"].clone();
    let before = issued(&world);
    let amounts = |answer: &Value| ["difference", "outstanding"].map(|name| text(answer, name).to_owned());
    assert_eq!(amounts(&before), ["9.54 USD", "9.54 USD"]);
    assert_eq!((&before["stands"], text(&before, "outstanding_with")), (&json!(true), "2025-03"));
    assert_eq!(text(&before["documents"][0], "subtotal"), "8.68 USD");
    let said = world.say(&["invoice", "--partner", "us", "--period", "2025-02"]);
    assert!(!said.contains("To pay") && said.contains("2025-02 is issued; this is a redraft"), "{said}");
    assert!(
        said.contains("8.68 USD by 2025-02-USD-") && said.contains("9.54 USD, with the close of 2025-03"),
        "{said}"
    );
    close(&world, "2025-03");
    let after = issued(&world);
    assert_eq!(amounts(&after), ["9.54 USD", "0.00 USD"]);
    assert_eq!((&after["outstanding_with"], text(&after["adjusted"][0], "period")), (&Value::Null, "2025-03"));
    let draft = world.say(&["invoice", "--partner", "us", "--period", "2025-02", "--as-of", "2025-02-20"]);
    assert!(draft.contains("To pay") && draft.contains("draft for 2025-02"), "as of before it was issued: {draft}");
}

const TWO_CURRENCIES: &str =
    "period = \"2025-03\"\ncurrency = \"EUR\"\nusd_per_unit = { EUR = \"1.05\", GBP = \"1.25\" }";

/// March is issued as an invoice in pounds, its own, and one in euros, which adjusts February.
const TWO_INVOICES: &str = "\
2024-12-01  bill-in  us            EUR
2025-02-10  usage    sub-a/disk-1  disk  10
2025-02-11  usage    sub-a/disk-1  disk  11  recorded=2025-03-20
2025-03-01  bill-in  us            GBP
2025-03-10  usage    sub-a/disk-1  disk  100
2025-03-05  close    us            2025-02
2025-04-10  close    us            2025-03
";

#[test]
fn one_of_two_invoices_is_voided_and_issued_again() {
    let world = world(TWO_CURRENCIES, TWO_INVOICES);
    let standing = check(&world, "2025-03")["issued"].as_array().unwrap().clone();
    let [euros, pounds] = standing.as_slice() else { panic!("{standing:?}") };
    let (euros, pounds) = (euros.as_str().unwrap(), pounds.as_str().unwrap());
    assert!(euros.contains("-EUR-") && pounds.contains("-GBP-"), "{standing:?}");
    let said = world.say(&["void", euros, "--reason", "wrong"]);
    assert!(
        said.contains("open again for what it billed in EUR") && said.contains(&format!("{pounds} stands")),
        "{said}"
    );
    let open = check(&world, "2025-03");
    assert_eq!(open["issued"], json!([pounds]));
    assert_eq!((open["documents"].as_array().unwrap().len(), text(&open["documents"][0], "total")), (1, "9.09 EUR"));
    assert_eq!(invoice(&world, "2025-03")["adjustments"][0]["subtotal"], "9.09 EUR");
    let closed = close(&world, "2025-03");
    assert_eq!((text(&closed, "outcome"), closed["documents"].as_array().unwrap().len()), ("issued", 1));
    assert_eq!(closed["documents"][0]["id"], open["documents"][0]["id"]);
    assert_eq!(text(&close(&world, "2025-03"), "outcome"), "stands");
    let of_february = invoice(&world, "2025-02")["invoices"][0]["issued"].clone();
    assert!(amount(&of_february["outstanding"]).is_zero(), "{of_february}");
}

/// The month of another currency is drafted in the one that it was issued in.
#[test]
fn a_redraft_is_in_the_currency_that_was_issued() {
    let late = "2025-01-01  bill-in  us  GBP  recorded=2025-03-06\n";
    let world = world(
        TWO_CURRENCIES,
        &format!("{}{late}", TWO_INVOICES.replace("2025-03-01  bill-in  us            GBP\n", "")),
    );
    let february = invoice(&world, "2025-02");
    assert_eq!(text(&february["invoices"][0], "currency"), "EUR");
}

fn statement(world: &World, reseller: &str, month: &str) -> Vec<Value> {
    let answer = one(world, &["statement", "--reseller", reseller, "--period", month]);
    must_fit(&schema("statement"), &answer);
    answer["statements"].as_array().unwrap().clone()
}

/// What a reseller's statements of issued months come to altogether.
fn stated(world: &World, reseller: &str, months: &[&str]) -> Exact {
    let all = months.iter().flat_map(|month| statement(world, reseller, month));
    all.filter(|one| one["issued"] == true).fold(Exact::zero(), |sum, one| &sum + &amount(&one["subtotal"]))
}

/// The reseller changes after the fact: what was issued stands in the statement of its month, and the correction in
/// that of the month which carries it.
#[test]
fn a_resellers_statements_add_up_to_what_was_issued() {
    let journal = "\
2024-01-01  partner   store         reseller  DE
2025-01-01  reseller  plan          shop
2025-02-10  usage     sub-a/disk-1  disk  10
2025-02-20  usage     sub-a/disk-1  disk  100
2025-03-05  close     us            2025-02
2025-02-11  usage     sub-a/disk-1  disk  11    recorded=2025-03-20
2025-02-15  reseller  plan          P-store     recorded=2025-03-20
";
    let world = world(MARCH, journal);
    let first = |reseller: &str, month: &str| statement(&world, reseller, month).into_iter().next();
    let february = first("shop", "2025-02").unwrap();
    assert_eq!((&february["issued"], text(&february, "subtotal")), (&json!(true), "95.48 USD"), "as it was issued");
    assert_eq!(february["outstanding"]["period"], "2025-03");
    let pending = first("shop", "2025-03").unwrap();
    assert_eq!((&pending["issued"], text(&pending["adjustments"][0], "period")), (&json!(false), "2025-02"));
    assert_eq!(pending["adjustments"][0]["subtotal"], february["outstanding"]["subtotal"]);
    let said = world.say(&["statement", "--reseller", "shop", "--period", "2025-03"]);
    assert!(said.contains("adjusts 2025-02") && said.contains("draft"), "{said}");
    let closed = close(&world, "2025-03");
    let after = first("shop", "2025-03").unwrap();
    assert_eq!((&after["issued"], &after["subtotal"]), (&json!(true), &pending["subtotal"]), "what was announced");
    let february = first("shop", "2025-02").unwrap();
    assert_eq!(text(&february, "subtotal"), "95.48 USD", "it never changes");
    assert_eq!((&february["outstanding"], text(&february["adjusted_since"][0], "period")), (&Value::Null, "2025-03"));
    let months = ["2025-02", "2025-03"];
    let (shop, store) = (stated(&world, "shop", &months), stated(&world, "P-store", &months));
    let issued = &Exact::parse("95.48").unwrap() + &amount(&closed["documents"][0]["total"]);
    assert_eq!(&shop + &store, issued, "everything is sold through one of the two");
    let redraft = one(&world, &["invoice", "--partner", "us", "--period", "2025-02"]);
    let lines = redraft["invoices"][0]["lines"].as_array().unwrap().iter();
    let of_shop = lines.filter(|line| line["reseller"] == "2000002");
    assert_eq!(shop, of_shop.fold(Exact::zero(), |sum, line| &sum + &amount(&line["subtotal"])), "shop's part of it");
    assert!(!store.is_zero(), "the other one got what was moved to it");
}

/// A grant pays for whoever's lines come first; a statement says what its own lines drew of it.
#[test]
fn a_statement_says_what_its_own_lines_drew_of_azure_credit() {
    let journal = "\
2024-01-01  partner   store         reseller  DE
2025-01-01  reseller  plan          shop
2025-03-01  credit    welcome       5     until=2025-04-01
2025-03-02  usage     sub-a/disk-1  disk  10
2025-03-16  reseller  plan          P-store
2025-03-20  usage     sub-a/disk-1  disk  10
";
    let world = world(MARCH, journal);
    let drawn = |reseller: &str| {
        let answer = statement(&world, reseller, "2025-03").remove(0);
        let grant = answer["azure_credit"][0].clone();
        ["drawn", "drawn_by_lines"].map(|name| text(&grant, name).to_owned())
    };
    assert_eq!(drawn("shop"), ["5.00 USD", "5.00 USD"]);
    assert_eq!(drawn("P-store"), ["5.00 USD", "0.00 USD"]);
    let said = world.say(&["statement", "--reseller", "P-store", "--period", "2025-03"]);
    assert!(said.contains("0.00 USD drawn by these lines"), "{said}");
}

/// One customer's part has no rounding, no tax and no total of its own, and nobody else's findings.
#[test]
fn a_customers_part_is_no_invoice_of_its_own() {
    let journal = "\
2025-01-01  customer      nordic        DE
2025-01-01  plan          plan-nordic   us    nordic
2025-01-01  subscription  sub-n         plan-nordic
2025-03-02  usage         sub-a/disk-1  disk  10
2025-03-02  usage         sub-n/disk-1  disk  20
2025-03-03  usage         sub-n/gap-1   gap   20
";
    let world = world(&format!("{MARCH}\nprices = {{ gap = \"none\" }}"), journal);
    let part = |customer: &str| {
        let answer = one(&world, &["invoice", "--partner", "us", "--period", "2025-03", "--customer", customer]);
        must_fit(&schema("invoice"), &answer);
        answer
    };
    let (acme, nordic) = (part("acme"), part("nordic"));
    let codes = |answer: &Value| {
        let findings = answer["invoices"][0]["findings"].as_array().unwrap();
        findings.iter().map(|finding| text(finding, "code").to_owned()).collect::<Vec<_>>()
    };
    assert!(codes(&nordic).contains(&"F-no-price".to_owned()), "{nordic}");
    assert!(!codes(&acme).contains(&"F-no-price".to_owned()), "{acme}");
    let invoice = &acme["invoices"][0];
    assert_eq!((&invoice["total"], &invoice["rounding"], &invoice["tax"]), (&json!(null), &json!(null), &json!(null)));
    assert_eq!((text(invoice, "subtotal"), text(&acme["customer"], "name")), ("8.68 USD", "Acme"));
    let said = world.say(&["invoice", "--partner", "us", "--period", "2025-03", "--customer", "acme"]);
    assert!(said.contains("Of which    8.68 USD for Acme"), "{said}");
    assert!(!said.contains("To pay") && !said.contains("rounding"), "{said}");
}

/// Lines that are no metered usage name what they charge, and lines the reseller they are sold through.
#[test]
fn every_line_says_what_it_charges_and_through_whom() {
    let journal = "\
2025-01-01  reseller  plan          shop
2025-03-01  credit    welcome       5        until=2025-04-01
2025-03-02  usage     sub-a/disk-1  disk     10
2025-03-02  buy       order-1       reservation  100
2025-03-03  refund    goodwill      5        reason=outage
";
    let world = world(MARCH, journal);
    let said = world.say(&["invoice", "--partner", "us", "--period", "2025-03", "--lines"]);
    for words in
        ["paid by Azure credit welcome", "customerCredit welcome", "new order-1", "customerCredit goodwill", "outage"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("reseller") && said.contains("shop"), "{said}");
}

/// A month in which nothing was used needs no exchange rate to have nothing to issue.
#[test]
fn a_month_without_anything_has_nothing_to_issue() {
    let world = world(TWO_CURRENCIES, TWO_INVOICES);
    assert_eq!(text(&close(&world, "2024-06"), "outcome"), "nothing");
    let checked = check(&world, "2024-06");
    assert_eq!((&checked["can_be_closed"], &checked["findings"]), (&json!(true), &json!([])));
    let said = world.say(&["check", "--partner", "us", "--period", "2024-06"]);
    assert!(said.contains("Nothing would be issued"), "{said}");
}
