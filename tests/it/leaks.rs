//! The leak meter of the real program: a grant is revoked on Kafka, and within moments an alert says
//! what is lost a day; the grant returns, and it is over. A restart repeats nothing.
//!
//! The broker is the one inside the test's process; the webhook is a plain HTTP server here.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::entry::Stream;
use domain::money::Exact;
use domain::period::{Day, Instant, Period};
use ingest::admin::TopicSpec;
use ingest::{Config, MockBroker, read_topic};
use journal::wire::Message;
use serde_json::{Value, json};

use crate::cli::{Home, must_fit, schema, text};
use crate::kafka::{now, unique, wait_until};

const ALERTS: &str = "pec.alerts.v1";

fn wall() -> Instant {
    chrono::DateTime::from_timestamp_nanos(i64::try_from(unique()).unwrap())
}

/// The month before this one: its last day is never further back than a burn looks.
fn last_month() -> Period {
    Day::of(wall()).period().previous()
}

fn alert_schema(kind: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/alerts").join(format!("{kind}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// A receiver that is out of order at first, and keeps what it takes.
fn receiver() -> (u16, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&taken);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let body = body_of(&mut stream);
            let answer = if number == 0 { "503 Service Unavailable" } else { "204 No Content" };
            if number > 0 {
                kept.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            }
            write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    (port, taken)
}

fn body_of(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("POST /pec HTTP/1.1"), "{head}");
            let head = head.to_ascii_lowercase();
            assert!(head.contains("content-type: application/cloudevents+json"), "{head}");
            let (_, length) = head.split_once("content-length: ").unwrap();
            let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
            if body.len() >= length {
                return body.to_owned();
            }
        }
        assert!(read > 0, "the request ended early: {text}");
    }
}

fn alerts(config: &Config) -> Vec<Value> {
    let mut found = Vec::new();
    read_topic(config, Stream::Decisions, ALERTS, &mut |message| {
        found.push(serde_json::from_slice(message.value.unwrap()).unwrap());
    })
    .unwrap();
    found
}

fn amount(value: &Value) -> Exact {
    Exact::parse(value.as_str().unwrap().strip_suffix(" USD").unwrap()).unwrap()
}

fn metric(port: u16, name: &str) -> i64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

struct World {
    home: Home,
    broker: MockBroker,
    config: Config,
    metrics: u16,
    webhook: Arc<Mutex<Vec<Value>>>,
}

impl World {
    /// Usage of the last month in the journal, a broker and a webhook to be told.
    fn new() -> Self {
        let topics = ["pec.usage.v1", "pec.access.v1", "pec.commerce.v1", "pec.reference.v1", ALERTS];
        let broker = MockBroker::start(&topics.map(|topic| TopicSpec::new(topic, 1))).unwrap();
        let (port, webhook) = receiver();
        let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = Home::empty();
        let month = last_month().to_string();
        let sizes = ["--events", "2000", "--customers", "3", "--resources", "12", "--access-changes", "2"];
        home.answer(&[&["generate", "--to", "events", "--period", month.as_str()], &sizes[..]].concat(), 0);
        for stream in ["reference", "commerce", "access", "usage"] {
            home.answer(&["import", &format!("events/{stream}.jsonl"), "--stream", stream], 0);
        }
        let text = format!(
            "[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n[kafka]\nbootstrap_servers = \"{}\"\n\
             [kafka.topics]\nalerts = \"{ALERTS}\"\n[alerts.webhook]\nurl = \"http://127.0.0.1:{port}/pec\"\n",
            broker.bootstrap_servers()
        );
        std::fs::write(home.dir.path().join("pec.toml"), text).unwrap();
        let mut config = Config::plain(broker.bootstrap_servers());
        config.topics.alerts = ALERTS.to_owned();
        Self { home, broker, config, metrics, webhook }
    }

    /// A row of last month that earned credit at the subscription's own grant, and that grant.
    fn earning(&self) -> (Value, Value) {
        let month = last_month().to_string();
        let rows = self.home.lines(&["eligibility", "--period", &month, "--json"], 0);
        for row in rows.iter().rev().filter(|row| row["outcome"] == "earned") {
            let line = self.home.json(&["access", "timeline", row["resource"].as_str().unwrap(), "--json"], 0);
            let grants = line["parts"][0]["grants"].as_array().unwrap();
            let counting: Vec<&Value> = grants.iter().filter(|one| one["counted"] != json!([])).collect();
            if counting.len() == 1 {
                return (row.clone(), counting[0].clone());
            }
        }
        panic!("the generated world earns nothing by one grant alone");
    }

    fn tell(&self, kind: &str, data: &Value) {
        let event = json!({ "specversion": "1.0", "id": unique().to_string(), "source": "urn:test", "type": kind, "data": data });
        let value = Some(event.to_string().into_bytes());
        let message = Message { stream: Stream::Access, key: None, headers: Vec::new(), value };
        ingest::publish(&self.config, &[message]).unwrap();
    }
}

#[test]
fn a_revoked_grant_is_an_alert_within_moments_and_its_return_ends_it() {
    let world = World::new();
    let (row, grant) = world.earning();
    let resource = row["resource"].as_str().unwrap();
    let server = world.home.serve();
    assert_eq!(world.home.json(&["status", "--json"], 0)["leaks"]["resources"], 0);

    let scope = &grant["scope"];
    let revoked = json!({ "assignmentId": grant["grant"], "scope": scope, "effectiveAt": wall().to_rfc3339() });
    world.tell("pec.assignment.deleted.v1", &revoked);
    let began = now();
    wait_until("the alert is on its topic", || alerts(&world.config).len() == 1);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "the alert took {took:?}");

    let told = alerts(&world.config).remove(0);
    assert_eq!((&told["type"], &told["specversion"]), (&json!("pec.leak.opened.v1"), &json!("1.0")));
    let data = &told["data"];
    must_fit(&alert_schema("leak.opened.v1"), data);
    assert_eq!(data["subscriptionId"], row["subscription"]);
    let resources = data["resources"].as_array().unwrap();
    assert_eq!(data["resourceCount"], resources.len());
    let mine = resources.iter().find(|one| one["resourceId"] == resource).unwrap();
    assert!(["early-end", "removed"].contains(&mine["reason"].as_str().unwrap()), "{mine}");
    assert!(!mine["events"].as_array().unwrap().is_empty());
    let days: Vec<Exact> = resources.iter().map(|one| amount(&one["creditPerDay"])).collect();
    assert_eq!(amount(&data["creditPerDay"]), days.iter().sum());

    // The burn is what was at stake on the last seven days with usage, exactly.
    let rows =
        world.home.lines(&["eligibility", "--period", &last_month().to_string(), "--resource", resource, "--json"], 0);
    let mut by_day: std::collections::BTreeMap<String, Exact> = std::collections::BTreeMap::new();
    for row in &rows {
        *by_day.entry(row["day"].as_str().unwrap().to_owned()).or_default() += &amount(&row["credit_at_stake"]);
    }
    let earliest = Day(Day::of(wall()).0 - engine::burn::LOOK_BACK).to_string();
    let last: Vec<&Exact> =
        by_day.iter().filter(|(day, _)| **day >= earliest).map(|(_, sum)| sum).rev().take(7).collect();
    assert_eq!(mine["burnDays"], last.len());
    assert_eq!(amount(&mine["burn"]), last.into_iter().sum());

    let status = world.home.json(&["status", "--json"], 0);
    must_fit(&schema("status"), &status);
    assert_eq!(
        (&status["leaks"]["resources"], &status["leaks"]["credit_per_day"]),
        (&data["resourceCount"], &data["creditPerDay"])
    );
    wait_until("the metric says so", || {
        metric(world.metrics, "pec_leaks_open") == data["resourceCount"].as_i64().unwrap()
    });
    wait_until("the webhook was told, the second time round", || world.webhook.lock().unwrap().len() == 1);
    assert_eq!(world.webhook.lock().unwrap()[0], told);

    assert_eq!(server.stop(), Some(0));
    let server = world.home.serve();
    wait_until("the meter looked again", || metric(world.metrics, "pec_leaks_open") > 0);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(alerts(&world.config).len(), 1, "a restart repeats nothing");

    let back = json!({ "assignmentId": "abcdabcd-0000-4000-8000-000000000009", "scope": scope, "principalId": grant["principal"],
        "roleDefinitionId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "effectiveAt": wall().to_rfc3339() });
    world.tell("pec.assignment.created.v1", &back);
    wait_until("the end is on its topic", || alerts(&world.config).len() == 2);
    let over = alerts(&world.config).remove(1);
    must_fit(&alert_schema("leak.cleared.v1"), &over["data"]);
    assert_eq!((&over["type"], &over["data"]["because"]), (&json!("pec.leak.cleared.v1"), &json!("access-returned")));
    assert_eq!(over["data"]["since"], data["since"]);
    assert!(over["data"]["resources"].as_array().unwrap().contains(&json!(resource)));
    assert_eq!(world.home.json(&["status", "--json"], 0)["leaks"]["resources"], 0);
    assert_eq!(metric(world.metrics, "pec_leaks_open"), 0);
    wait_until("the webhook was told", || world.webhook.lock().unwrap().len() == 2);
    assert_eq!(server.stop(), Some(0));
    world.broker.check_nothing_trimmed().unwrap();
}

/// A transfer that somebody requested is a warning in `status` and `check` until it is withdrawn:
/// what would lose credit, and which access has to be there first, without an amount.
#[test]
fn a_requested_transfer_is_guarded_until_it_is_withdrawn() {
    let world = World::new();
    let (row, _) = world.earning();
    let file = |name: &str, stream: &str, events: &[(&str, Value)]| {
        let lines: Vec<String> = events
            .iter()
            .map(|(kind, data)| {
                json!({ "specversion": "1.0", "id": unique().to_string(), "source": "urn:test", "type": kind, "data": data })
                    .to_string()
            })
            .collect();
        std::fs::write(world.home.dir.path().join(name), lines.join("\n") + "\n").unwrap();
        world.home.answer(&["import", name, "--stream", stream], 0);
    };
    let partner = json!({ "tenantId": "99999999-0000-4000-8000-000000000001", "name": "Fjord Cloud", "organisationId": "org-fjord",
        "kind": "direct-bill", "country": "DE", "billingCurrency": "EUR", "partnerIds": [{ "value": "7000001" }],
        "adminAgents": [{ "value": "99999999-0000-4000-8000-00000000000a" }], "helpdeskAgents": [], "managingTenants": [],
        "identities": [], "effectiveAt": "2020-01-01T00:00:00Z" });
    file("partner.jsonl", "reference", &[("pec.partner.registered.v1", partner)]);
    let plan = "99999999-0000-4000-8000-0000000000bb";
    let at = wall().to_rfc3339();
    let moved = json!({ "subscriptionId": row["subscription"], "toPlanId": plan, "effectiveAt": at });
    let bought = json!({ "planId": plan, "customerId": row["customer"], "billToTenantId": "99999999-0000-4000-8000-000000000001",
        "effectiveAt": at });
    // Of the plan nothing is known yet, as of a competitor's: all that earns would be lost, and nobody is asked.
    file("requested.jsonl", "commerce", &[("pec.transfer.requested.v1", moved.clone())]);
    let status = world.home.json(&["status", "--json"], 0);
    must_fit(&schema("status"), &status);
    let guard = &status["transfers"][0];
    assert_eq!((&guard["subscription"], &guard["to_partner"]), (&row["subscription"], &json!(null)));
    assert!(guard["resources_losing"].as_u64() > Some(0) && guard["access_first"] == json!([]), "{guard}");
    let checked = text(&world.home.pec(&["check", "--period", &last_month().to_string(), "--offline"]).stdout);
    let said = checked.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("to a plan that is not known here") && !said.contains("what-if transfer"), "{checked}");

    file("bought.jsonl", "commerce", &[("pec.plan.created.v1", bought)]);
    let status = world.home.json(&["status", "--json"], 0);
    must_fit(&schema("status"), &status);
    let guard = &status["transfers"][0];
    assert_eq!((&guard["subscription"], &guard["to_partner"]["name"]), (&row["subscription"], &json!("Fjord Cloud")));
    assert!(guard["resources_losing"].as_u64() > Some(0), "{guard}");
    assert_eq!(guard["access_first"][0]["reason"], "other-partner");
    assert_eq!(guard["access_first"][0]["admin_agents"][0], "99999999-0000-4000-8000-00000000000a");
    assert!(!guard.to_string().contains("USD"), "no amount stands beside a request");
    let month = last_month().to_string();
    let checked = text(&world.home.pec(&["check", "--period", &month, "--offline"]).stdout);
    assert!(checked.contains("would lose credit") && checked.contains("what-if transfer"), "{checked}");

    let withdrawn =
        json!({ "subscriptionId": row["subscription"], "toPlanId": plan, "effectiveAt": wall().to_rfc3339() });
    file("withdrawn.jsonl", "commerce", &[("pec.transfer.cancelled.v1", withdrawn)]);
    assert_eq!(world.home.json(&["status", "--json"], 0)["transfers"], json!([]));
}

#[test]
fn alerts_have_schemas_and_examples_of_both_sorts() {
    for kind in ["leak.opened.v1", "leak.cleared.v1"] {
        let validator = alert_schema(kind);
        for (sort, valid) in [("valid", true), ("invalid", false)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/alerts/examples").join(sort);
            let mut seen = 0;
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().unwrap().to_str().unwrap().starts_with(kind) {
                    let example: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
                    assert_eq!(validator.is_valid(&example), valid, "{}", path.display());
                    seen += 1;
                }
            }
            assert!(seen > 0, "{kind} has no {sort} example");
        }
    }
}
