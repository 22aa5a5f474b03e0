//! Timed access, access that ends soon, and delegations with several authorisations, asked of the
//! real program over a generated month: the last one, because a burn looks back 31 days at most.

use domain::money::Exact;
use domain::period::{Day, Instant};
use serde_json::{Value, json};

use crate::cli::{Home, must_fit, schema};
use crate::kafka::unique;

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const OVER: &str = "abcdabcd-0000-4000-8000-00000000000a";
const ENDING: &str = "abcdabcd-0000-4000-8000-00000000000b";
const DELEGATION: &str = "abcdabcd-0000-4000-8000-00000000000c";

fn wall() -> Instant {
    chrono::DateTime::from_timestamp_nanos(i64::try_from(unique()).unwrap())
}

fn amount(value: &Value) -> Exact {
    Exact::parse(value.as_str().unwrap().strip_suffix(" USD").unwrap()).unwrap()
}

struct World {
    home: Home,
    month: String,
    /// A row that was earned by one grant alone, and that grant.
    row: Value,
    grant: Value,
}

impl World {
    fn new() -> Self {
        let home = Home::empty();
        let month = Day::of(wall()).period().previous().to_string();
        let sizes = ["--events", "2000", "--customers", "3", "--resources", "12", "--access-changes", "0"];
        home.answer(&[&["generate", "--to", "events", "--period", month.as_str()], &sizes[..]].concat(), 0);
        for stream in ["reference", "commerce", "access", "usage"] {
            home.answer(&["import", &format!("events/{stream}.jsonl"), "--stream", stream], 0);
        }
        let rows = home.lines(&["eligibility", "--period", &month, "--json"], 0);
        for row in rows.iter().rev().filter(|row| row["outcome"] == "earned") {
            let line = home.json(&["access", "timeline", row["resource"].as_str().unwrap(), "--json"], 0);
            let grants = line["parts"][0]["grants"].as_array().unwrap();
            let counting: Vec<&Value> = grants.iter().filter(|one| one["counted"] != json!([])).collect();
            if let [grant] = counting[..] {
                return Self { month, row: row.clone(), grant: grant.clone(), home };
            }
        }
        panic!("the generated world earns nothing by one grant alone");
    }

    fn tell(&self, events: &[(&str, Value)]) {
        let line = |(kind, data): &(&str, Value)| {
            json!({ "specversion": "1.0", "id": unique().to_string(), "source": "urn:test", "type": kind, "data": data })
                .to_string()
        };
        let lines: Vec<String> = events.iter().map(line).collect();
        let name = format!("{}.jsonl", unique());
        std::fs::write(self.home.dir.path().join(&name), lines.join("\n") + "\n").unwrap();
        self.home.answer(&["import", &name, "--stream", "access"], 0);
    }

    /// Its one grant ends on the tenth of the month.
    fn revoke(&self) {
        let at = format!("{}-10T00:00:00Z", self.month);
        let body = json!({ "assignmentId": self.grant["grant"], "scope": self.grant["scope"], "effectiveAt": at });
        self.tell(&[("pec.assignment.deleted.v1", body)]);
    }

    fn schedule(&self, id: &str, from: &str, to: &str) -> (&'static str, Value) {
        let body = json!({ "scheduleId": id, "scope": self.grant["scope"], "principalId": self.grant["principal"],
            "roleDefinitionId": OWNER, "eligibleOnly": false, "startsAt": from, "endsAt": to, "provisionedAt": from });
        ("pec.schedule.created.v1", body)
    }

    fn report(&self, within: &str) -> Vec<Value> {
        let report = self.home.json(&["access", "report", "--period", &self.month, "--within", within, "--json"], 0);
        must_fit(&schema("access-report"), &report);
        report["grants"].as_array().unwrap().clone()
    }
}

fn of(grants: &[Value], id: &str) -> Value {
    grants.iter().find(|one| one["grant"] == id).unwrap_or_else(|| panic!("{id} is not among {grants:?}")).clone()
}

/// A grant whose time was over is named with the credit that its end cost, and one whose end lies
/// ahead with what it will cost a day: the same that supposing its end says.
#[test]
fn timed_and_soon_ending_access_is_named_with_what_its_end_costs() {
    let world = World::new();
    assert!(world.report("30").is_empty(), "nothing is timed yet");
    world.revoke();
    let month = &world.month;
    let this_month = Day::of(wall()).period().first_day().start().to_rfc3339();
    let ahead = (wall() + chrono::TimeDelta::days(10)).to_rfc3339();
    world.tell(&[
        world.schedule(OVER, &format!("{month}-05T00:00:00Z"), &format!("{month}-15T12:00:00Z")),
        world.schedule(ENDING, &this_month, &ahead),
    ]);

    let grants = world.report("30");
    let (over, ending) = (of(&grants, OVER), of(&grants, ENDING));
    assert_eq!((&over["kind"], &ending["kind"]), (&json!("timed"), &json!("ends-soon")));
    let subscription = world.row["subscription"].as_str().unwrap();
    let lost =
        world.home.lines(&["eligibility", "--period", month, "--lost", "--subscription", subscription, "--json"], 0);
    let from = format!("{month}-15");
    let by_its_end = lost.iter().filter(|row| row["day"].as_str().unwrap() >= from.as_str());
    let by_its_end: Vec<Exact> = by_its_end
        .filter(|row| ["early-end", "removed"].contains(&row["reason"].as_str().unwrap()))
        .map(|row| amount(&row["credit_at_stake"]))
        .collect();
    assert!(!by_its_end.is_empty(), "{lost:?}");
    assert_eq!(amount(&over["lost"]), by_its_end.iter().sum(), "what was lost since its end, exactly");
    assert_eq!((amount(&ending["lost"]), &over["credit_per_day"]), (Exact::zero(), &Value::Null));

    let supposed = world.home.json(&["what-if", "revoke", ENDING, "--at", &wall().to_rfc3339(), "--json"], 0);
    let a_day = amount(&ending["credit_per_day"]);
    assert!(!a_day.is_zero());
    assert_eq!(a_day, amount(&supposed["ahead"]["loses_per_day"]));

    let sooner = world.report("5");
    assert_eq!(of(&sooner, ENDING)["kind"], "timed", "its end is more than five days ahead");
    let text = world.home.answer(&["access", "report", "--period", month], 0);
    assert!(text.contains("timed") && text.contains("ends-soon"), "{text}");
}

/// A delegation is stated anew with one authorisation changed; the others stay as they are, and
/// which one is meant has to be said where there are several.
#[test]
fn another_role_of_a_delegation_changes_the_one_that_is_meant() {
    let world = World::new();
    world.revoke();
    let (agents, second) = (world.grant["principal"].as_str().unwrap(), "99999999-0000-4000-8000-00000000000d");
    let contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c";
    let authorise = |principal: &str, role: &str| json!({ "principalId": principal, "roleDefinitionId": role, "eligibleOnly": false });
    let invoice = world.home.json(&["invoice", "--period", &world.month, "--json"], 0);
    let managing = invoice["invoices"][0]["bill_to"]["id"].clone();
    world.tell(&[(
        "pec.delegation.created.v1",
        json!({ "delegationId": DELEGATION, "scope": world.grant["scope"], "managingTenantId": managing,
            "marketplaceOffer": true, "effectiveAt": format!("{}-10T00:00:00Z", world.month),
            "authorizations": [authorise(agents, OWNER), authorise(second, OWNER), authorise(second, contributor)] }),
    )]);
    let at = format!("{}-20", world.month);
    let words = ["what-if", "role", DELEGATION, "--to", "Reader", "--at", &at];
    let ask = |more: &[&'static str]| [&words[..], more].concat();
    let refused = world.home.complaint(&ask(&[]), 1);
    assert!(refused.contains(second) && refused.contains("--principal"), "{refused}");
    assert!(world.home.complaint(&ask(&["--principal", second]), 1).contains("--from"), "it holds two roles");

    let one = world.home.json(&[&words[..], &["--principal", agents, "--json"]].concat(), 0);
    assert_eq!(
        amount(&one["recorded"]["earned"]["difference"]),
        Exact::zero(),
        "the other authorisations hold it: {one}"
    );
    let named = world.home.json(&ask(&["--principal", second, "--from", "Contributor", "--json"]), 0);
    assert_eq!(amount(&named["recorded"]["earned"]["difference"]), Exact::zero(), "{named}");
}

/// Whoever reads a rule finds its scenarios by its name, in either case.
#[test]
fn scenarios_of_one_rule_are_found_by_its_name() {
    let home = Home::empty();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let folder = folder.to_str().unwrap();
    let played = home.lines(&["scenario", folder, "--rule", "pec-6", "--json"], 0);
    assert!(!played.is_empty());
    assert!(played.iter().all(|one| one["rules"].as_array().unwrap().contains(&json!("PEC-6"))), "{played:?}");
    assert!(home.complaint(&["scenario", folder, "--rule", "PEC-99"], 2).contains("PEC-99"));
}
