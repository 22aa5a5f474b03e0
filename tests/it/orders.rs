//! Orders from the outside: what the program answers before anything is sent, that an order event is
//! answered by one event, and that a running server says the same.

use domain::channel::Stated;
use domain::entry::OrderAnswered;
use engine::{Clock, Ledger};
use serde_json::{Value, json};

use crate::cli::{Home, must_fit, schema, text};

const US: &str = "11111111-aaaa-4aaa-8aaa-111111111111";
const ACME: &str = "22222222-bbbb-4bbb-8bbb-222222222222";

fn event(id: &str, kind: &str, data: &Value) -> String {
    let event =
        json!({ "specversion": "1.0", "id": id, "source": "urn:test", "type": format!("pec.{kind}.v1"), "data": data });
    event.to_string()
}

fn order(name: &str) -> Value {
    json!({
        "orderId": name, "kind": "azure-plan", "customerId": ACME, "partnerTenantId": US, "door": "portal",
        "requestedAt": "2026-01-17T10:00:00Z",
    })
}

/// A direct-bill partner and a customer that lack one thing: the customer's agreement.
fn world(home: &Home) {
    let at = "2026-01-01T00:00:00Z";
    let partner = json!({
        "tenantId": US, "name": "Nordwind", "organisationId": "org-1", "kind": "direct-bill", "country": "DE",
        "billingCurrency": "EUR", "partnerIds": [{ "value": "1000001" }], "adminAgents": [], "helpdeskAgents": [],
        "managingTenants": [], "identities": [], "effectiveAt": at,
    });
    let posture = json!({ "partnerTenantId": US, "method": "security-defaults", "everyUser": true, "effectiveAt": at });
    let signed = json!({ "partnerTenantId": US, "region": "europe", "effectiveAt": at });
    let credit = json!({ "partnerTenantId": US, "limitUsd": 5000, "outstandingUsd": "12.50", "effectiveAt": at });
    let reference = [
        event("r1", "partner.registered", &partner),
        event("r2", "security-posture.stated", &posture),
        event("r3", "partner-agreement.signed", &signed),
        event("r4", "credit-limit.stated", &credit),
    ];
    let customer = json!({ "customerId": ACME, "name": "Acme", "market": "FR", "effectiveAt": at });
    let related = json!({ "customerId": ACME, "partnerTenantId": US, "effectiveAt": at });
    let commerce = [
        event("c1", "customer.registered", &customer),
        event("c2", "reseller-relationship.established", &related),
        event("c3", "order.requested", &order("o-1")),
    ];
    for (name, lines) in [("reference.jsonl", reference.join("\n")), ("commerce.jsonl", commerce.join("\n"))] {
        std::fs::write(home.dir.path().join(name), lines).unwrap();
    }
    home.answer(&["import", "reference.jsonl"], 0);
}

fn agree(home: &Home) {
    let agreed = json!({ "customerId": ACME, "partnerTenantId": US, "effectiveAt": "2026-01-10T00:00:00Z" });
    std::fs::write(home.dir.path().join("agreed.jsonl"), event("a1", "agreement.accepted", &agreed)).unwrap();
    home.answer(&["import", "agreed.jsonl"], 0);
}

/// What the journal holds as answers to its one order.
fn answers(home: &Home) -> Vec<Stated<OrderAnswered>> {
    let ledger = Ledger::open(&home.data(), &journal::Options::default(), Clock::start(), &mut |_, _| {}).unwrap();
    let channel = ledger.facts().unwrap().channel.view();
    let order = channel.orders().next().expect("an order was told").event;
    let answers = channel.answers(order).to_vec();
    ledger.close().unwrap();
    answers
}

#[test]
fn an_order_event_is_answered_once_and_again_when_its_verdict_changes() {
    let home = Home::empty();
    world(&home);
    let told = text(&home.pec(&["import", "commerce.jsonl"]).stderr);
    assert!(told.contains("1 order answered, 1 refused"), "{told}");
    for _ in 0..2 {
        let again = text(&home.pec(&["import", "commerce.jsonl"]).stderr);
        assert!(!again.contains("answered"), "{again}");
    }
    let first = answers(&home);
    assert_eq!(first.len(), 1);
    assert!(!first[0].value.accepted && first[0].value.first.is_none());
    let reason = &first[0].value.reasons[0];
    assert_eq!((&*reason.code, reason.error.as_deref(), &*reason.rule), ("agreement-missing", Some("13605"), "CHN-3"));
    assert!(!reason.instead.is_empty());
    assert_eq!(reason.source.as_deref(), Some(domain::order::Ground::AgreementMissing.source()));
    agree(&home);
    let both = answers(&home);
    assert_eq!(both.len(), 2);
    assert!(both[1].value.accepted && both[1].value.first.as_ref() == Some(&first[0].value.answer));
    assert_eq!(both[0].value, first[0].value, "an answer is never rewritten");
    home.answer(&["verify"], 0);
}

#[test]
fn orders_are_checked_before_anything_is_sent_and_a_server_says_the_same() {
    let home = Home::empty();
    world(&home);
    home.answer(&["import", "commerce.jsonl"], 0);
    std::fs::write(home.dir.path().join("orders.json"), json!([order("a"), order("b")]).to_string()).unwrap();
    let check = ["order", "check", "orders.json", "--json"];
    let refused = home.json(&check, 1);
    must_fit(&schema("order-check"), &refused);
    assert_eq!(refused["orders"][1]["reasons"][0]["error"], "13605");
    let partner = home.json(&["partner", "show", "Nordwind", "--json"], 0);
    must_fit(&schema("partner"), &partner);
    assert_eq!((&partner["ready"], &partner["region"]), (&json!(true), &json!("europe")));
    let show = ["customer", "show", "Acme", "--day", "2026-01-20", "--json"];
    let customer = home.json(&show, 0);
    must_fit(&schema("customer"), &customer);
    assert_eq!(customer["partners"][0]["next_order"]["reasons"][0]["code"], "agreement-missing");
    let printed = home.answer(&["customer", "show", "Acme", "--day", "2026-01-20"], 0);
    assert!(printed.contains("would be refused") && printed.contains("13605"), "{printed}");
    let server = home.serve();
    assert_eq!(home.json(&check, 1), refused);
    assert_eq!(home.json(&show, 0), customer);
    agree(&home);
    assert_eq!(home.json(&check, 0)["orders"][0]["accepted"], true);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(answers(&home).len(), 2, "the server answered the changed verdict, once");
    std::fs::write(home.dir.path().join("broken.json"), "[{}]").unwrap();
    home.answer(&["order", "check", "broken.json"], 2);
    home.answer(&["partner", "show", "nobody-of-that-name"], 1);
}

/// A restriction is told and nobody says more: the standing says what its dates bring, and when.
#[test]
fn a_restricted_partner_is_shown_with_what_comes_next() {
    let home = Home::empty();
    world(&home);
    home.answer(&["import", "commerce.jsonl"], 0);
    agree(&home);
    let restricted = json!({ "partnerTenantId": US, "reason": "requirements", "effectiveAt": "2026-02-01T00:00:00Z" });
    std::fs::write(home.dir.path().join("r.jsonl"), event("r9", "partner.restricted", &restricted)).unwrap();
    home.answer(&["import", "r.jsonl"], 0);
    let on = |day: &str| home.json(&["partner", "show", "Nordwind", "--day", day, "--json"], 0);
    let before = on("2026-01-31");
    assert_eq!((&before["state"], &before["next_state"]), (&json!("in good standing"), &Value::Null));
    let first = on("2026-02-01");
    must_fit(&schema("partner"), &first);
    assert_eq!((&first["state"], &first["state_by_date"]), (&json!("restricted"), &json!(false)));
    assert_eq!(first["next_state"], json!({ "state": "suspended", "at": "2026-03-03T00:00:00.000Z" }));
    let later = on("2026-03-03");
    assert_eq!((&later["state"], &later["state_by_date"]), (&json!("suspended"), &json!(true)));
    assert_eq!(on("2026-04-02")["state"], "revoked");
    let printed = home.answer(&["partner", "show", "Nordwind", "--day", "2026-03-10"], 0);
    assert!(printed.contains("suspended since 2026-03-03, by its date"), "{printed}");
    assert!(printed.contains("revoked from 2026-04-02 on"), "{printed}");
}

/// The reseller of record as the reconciliation file shows it: 0 sold direct, the PartnerID, -1 removed.
#[test]
fn the_reseller_of_record_is_shown_as_zero_its_partner_id_or_minus_one() {
    let home = Home::empty();
    world(&home);
    home.answer(&["import", "commerce.jsonl"], 0);
    let plan = "33333333-cccc-4ccc-8ccc-333333333333";
    let created =
        json!({ "planId": plan, "customerId": ACME, "billToTenantId": US, "effectiveAt": "2026-01-02T00:00:00Z" });
    let set = |id: Value, at: &str| json!({ "planId": plan, "resellerPartnerId": id, "effectiveAt": at });
    let told = [
        event("p1", "plan.created", &created),
        event("p2", "reseller-of-record.set", &set(json!("2000002"), "2026-01-10T00:00:00Z")),
        event("p3", "reseller-of-record.set", &set(Value::Null, "2026-01-20T00:00:00Z")),
    ];
    std::fs::write(home.dir.path().join("plan.jsonl"), told.join("\n")).unwrap();
    home.answer(&["import", "plan.jsonl"], 0);
    for (day, shown) in [("2026-01-09", "0"), ("2026-01-10", "2000002"), ("2026-01-20", "-1")] {
        let customer = home.json(&["customer", "show", "Acme", "--day", day, "--json"], 0);
        assert_eq!(customer["partners"][0]["plans"][0]["reseller_of_record"], shown, "{day}: {customer}");
    }
    let printed = home.answer(&["customer", "show", "Acme", "--day", "2026-01-25"], 0);
    assert!(printed.contains("reseller of record -1 (removed)"), "{printed}");
}

/// The demo's world: everybody is in order but two customers, from whom there is something to learn.
#[test]
fn the_demo_shows_whole_standings_and_one_gap() {
    let home = Home::demo();
    let on = ["--day", "2026-01-31", "--json"];
    let show = |what: &str, who: &str| home.json(&[&[what, "show", who], &on[..]].concat(), 0);
    for partner in ["Nordwind Distribution", "Alder IT", "Birch Cloud"] {
        let shown = show("partner", partner);
        must_fit(&schema("partner"), &shown);
        let open = shown["steps"].as_array().unwrap().iter().filter(|step| step["state"] != "done").count();
        assert_eq!((open, &shown["ready"]), (0, &json!(true)), "{partner}: {shown}");
    }
    for (customer, accepted) in
        [("Fjord Fisk", true), ("Tidal Power", true), ("Orchard Foods", false), ("Quarry Glass", false)]
    {
        let shown = show("customer", customer);
        must_fit(&schema("customer"), &shown);
        let with = &shown["partners"][0];
        assert_eq!(with["next_order"]["accepted"], accepted, "{customer}: {with}");
        assert_eq!(with["next_order"]["remarks"], json!([]), "{customer}");
    }
    let gap = show("customer", "Orchard Foods");
    assert_eq!(gap["partners"][0]["next_order"]["reasons"][0]["error"], "13605");
    let mut shown = show("customer", "Quarry Glass");
    let parted = &shown["partners"][0];
    assert_eq!(parted["relationship"], "ended");
    let held = parted["holds"].as_array().unwrap();
    assert!(
        held.iter().any(|held| held["held_by"] == "AOBO") && held.iter().all(|held| held["stayed"] == true),
        "{parted}"
    );
    shown["partners"][0]["holds"][0]["since"] = Value::Null;
    assert!(!schema("customer").is_valid(&shown), "what is held is held since some instant");
}
