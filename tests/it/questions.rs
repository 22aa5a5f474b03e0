//! Policy, what-if and access, asked of the real program over the demo's world.

use std::collections::BTreeMap;
use std::path::Path;

use domain::money::Exact;
use serde_json::{Value, json};

use crate::cli::{Home, must_fit, schema};

const MONTH: &str = "2026-01";

fn amount(value: &Value) -> Exact {
    let text = value.as_str().unwrap();
    Exact::parse(text.strip_suffix(" USD").unwrap_or(text)).unwrap()
}

/// A row that was lost for a reason.
fn lost_for(home: &Home, reason: &str) -> Value {
    let words = ["eligibility", "--period", MONTH, "--lost", "--reason", reason, "--json"];
    let rows = home.lines(&words, 0);
    assert!(rows.iter().all(|row| row["reason"] == reason));
    rows.first().unwrap_or_else(|| panic!("the demo loses nothing for {reason}")).clone()
}

fn write(home: &Home, name: &str, document: &Value) {
    std::fs::write(home.dir.path().join(name), document.to_string()).unwrap();
}

/// Every byte of the journal's files. The socket, and what a server keeps beside the journal, are
/// no part of it.
pub(crate) fn bytes_of(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() && !path.file_name().unwrap().to_str().unwrap().starts_with("alerts.json") {
                found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_policy_is_shown_checked_in_money_published_once_and_told_apart() {
    let home = Home::demo();
    let shown = home.json(&["policy", "show", "--json"], 0);
    must_fit(&schema("policy"), &shown);
    assert_eq!(shown["policy_revision"], 0);

    let mut document = home.json(&["policy", "show", "--document"], 0);
    assert_eq!(document["revision"], 1);
    document["effectiveFrom"] = json!("2026-01-01");
    for setting in document["settings"].as_array_mut().unwrap() {
        if setting["name"] == "credit-rate" {
            setting["value"] = json!("0.10");
        }
    }
    write(&home, "new.json", &document);
    let differing = home.json(&["policy", "diff", "0", "new.json", "--json"], 0);
    must_fit(&schema("policy-diff"), &differing);
    let differences = differing["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1);
    assert_eq!((&differences[0]["old"], &differences[0]["new"]), (&json!("0.15"), &json!("0.10")));

    let before = home.json(&["invoice", "--period", MONTH, "--json"], 0);
    let checked = home.json(&["policy", "check", "new.json", "--json"], 0);
    must_fit(&schema("policy-check"), &checked);
    assert_eq!(checked["fit"], "new");
    let effect = &checked["effect"][0];
    assert_eq!(effect["open"], true);
    // A third of every credit goes, exactly.
    let earned = &effect["credit_earned"];
    let third = &amount(&earned["before"]) * &Exact::parse("2").unwrap();
    assert_eq!(third, &amount(&earned["after"]) * &Exact::parse("3").unwrap());
    assert_eq!(home.json(&["invoice", "--period", MONTH, "--json"], 0), before, "a check changes nothing");

    let publish = ["policy", "publish", "new.json", "--reason", "agreed", "--json"];
    let published = home.json(&publish, 0);
    must_fit(&schema("policy-published"), &published);
    assert_eq!((&published["outcome"], &published["actor"]), (&json!("published"), &json!("ann")));
    let after = home.json(&["invoice", "--period", MONTH, "--json"], 0);
    assert_eq!(after["invoices"][0]["total"], effect["charge"]["after"], "what was announced is what came");
    assert_eq!(after["invoices"][0]["policy_revision"], 1);

    let messages = home.json(&["status", "--json"], 0)["journal"]["messages"].clone();
    assert_eq!(home.json(&publish, 0)["outcome"], "known");
    assert_eq!(home.json(&["status", "--json"], 0)["journal"]["messages"], messages, "twice is once");
    assert_eq!(home.json(&["policy", "check", "new.json", "--json"], 0)["fit"], "known");

    let mut next = document.clone();
    next["revision"] = json!(2);
    next["effectiveFrom"] = json!("2026-01-31");
    write(&home, "next.json", &next);
    let said = home.answer(&["policy", "publish", "next.json", "--reason", "agreed"], 0);
    let (effect, done) = said.split_once("is published").expect("it says that it was published");
    assert!(effect.contains("Effect in money") && effect.contains("credit earned"), "before it is done: {said}");
    assert!(done.contains("agreed"), "{said}");

    document["effectiveFrom"] = json!("2026-01-02");
    write(&home, "again.json", &document);
    assert!(home.complaint(&["policy", "publish", "again.json", "--reason", "x"], 1).contains("not above revision 2"));
    assert_eq!(home.json(&["policy", "check", "again.json", "--json"], 1)["fit"], "unfit");
    document["settings"] = json!([{ "name": "credit-rat", "value": "0.1" }, { "name": "grace-hours", "value": "-1" }]);
    write(&home, "wrong.json", &document);
    let wrong = home.complaint(&["policy", "check", "wrong.json"], 1);
    assert!(wrong.contains("credit-rat") && wrong.contains("grace-hours"), "every problem at once: {wrong}");
}

/// Not known is not zero: people and programs are told why there is nothing, and both end alike.
#[test]
fn an_answer_that_holds_nothing_says_why_to_people_and_programs_alike() {
    let home = Home::demo();
    let (month, past) = ("2026-02", ["--period", MONTH, "--as-of", "2026-01-10"]);
    let unused = format!("o usage is known for {month}");
    let early = "othing was recorded by 2026-01-10T23:59:59.999Z: the journal's first message is of ";
    let cases: [(&[&str], &[&str], &str); 6] = [
        (&["eligibility"], &["--period", month], &unused),
        (&["eligibility"], &past, early),
        (&["invoice", "--daily"], &["--period", month], &unused),
        (&["invoice", "--daily"], &past, early),
        (&["invoice"], &["--period", month], &unused),
        (&["invoice"], &past, early),
    ];
    for (command, options, why) in cases {
        let words = [command, options].concat();
        assert!(home.answer(&words, 0).contains(why), "{words:?}");
        let json = [&words[..], &["--json"]].concat();
        let nothing = match command {
            ["invoice"] => {
                let answer = home.json(&json, 0);
                must_fit(&schema("invoice"), &answer);
                assert_eq!(answer["invoices"], json!([]));
                answer["nothing"].clone()
            }
            _ => {
                let lines = home.lines(&json, 0);
                assert_eq!(lines.len(), 1, "{words:?}");
                lines[0].clone()
            }
        };
        must_fit(&schema("nothing"), &nothing);
        assert!(nothing["what"].as_str().unwrap().contains(why), "{nothing}");
        assert_ne!(nothing["hint"], "");
    }
    let invoice = home.json(&["invoice", "--period", MONTH, "--json"], 0);
    assert_eq!(invoice["nothing"], json!(null), "what is known needs no reason");
    let lines = invoice["invoices"].as_array().unwrap().iter().flat_map(|one| one["lines"].as_array().unwrap());
    let reseller = lines.into_iter().find_map(|line| line["reseller"].as_str()).unwrap();
    let words = ["statement", "--reseller", reseller, "--period", month];
    assert!(home.answer(&words, 0).contains("No provider charges anything"));
    let statement = home.json(&[&words[..], &["--json"]].concat(), 0);
    must_fit(&schema("statement"), &statement);
    assert!(statement["nothing"]["what"].as_str().unwrap().contains("no provider charges anything"), "{statement}");
}

/// What the demo tells its reader to try can be typed, and shows more than the demo did.
#[test]
fn what_the_demo_says_to_try_next_can_be_tried() {
    let home = Home::empty();
    let told = home.answer(&["demo"], 0);
    let (_, next) = told.split_once("This is what to try next:").unwrap();
    let place = format!(" --data-dir {}", home.data().display());
    let commands: Vec<String> =
        next.lines().filter_map(|line| line.strip_prefix("  pec ")).map(|line| line.replace(&place, "")).collect();
    for wanted in ["eligibility", "check", "what-if", "quarantine", "customer"] {
        assert!(commands.iter().any(|command| command.starts_with(wanted)), "{wanted}: {commands:?}");
    }
    for command in &commands {
        let quoted = command.split('\'').enumerate();
        let words: Vec<&str> = quoted
            .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
            .collect();
        let output = home.pec(&words);
        assert!(matches!(output.status.code(), Some(0 | 1)) && !output.stdout.is_empty(), "pec {command}");
    }
    assert!(next.contains("--as-of"), "what as-of can show of a world that was recorded at once: {next}");
}

/// Nobody looks at the year 1 of their own accord.
#[test]
fn usage_of_a_year_that_no_meter_speaks_of_is_named() {
    let home = Home::demo();
    let status = || home.json(&["status", "--json"], 0)["waiting"]["improbable_months"].clone();
    assert_eq!(status(), json!([]));
    let usage = |id: &str, year: &str| {
        json!({ "specversion": "1.0", "id": id, "source": "test", "type": "pec.usage.recorded.v1", "data": {
            "customerId": "00000000-0000-0000-0000-000000000000", "meterId": "cb0969aa-aaaa-4d6c-ab4b-7e182fa06aff",
            "resourceUri": "/subscriptions/44444444-dddd-4ddd-8ddd-444444444444/resourceGroups/rg",
            "usageStartTime": format!("{year}-01-01T00:00:00Z"), "usageEndTime": format!("{year}-01-01T01:00:00Z"),
            "quantity": "1", "unit": "1 Hour" } })
    };
    let lines: Vec<String> = ["0001", "1999", "2000", "2100", "2101"].map(|year| usage(year, year).to_string()).into();
    std::fs::write(home.dir.path().join("far.jsonl"), lines.join("\n")).unwrap();
    home.answer(&["import", "far.jsonl"], 0);
    assert_eq!(status(), json!(["0001-01", "1999-01", "2101-01"]));
    let told = home.answer(&["status"], 0);
    assert!(told.contains("Usage of 0001-01, 1999-01, 2101-01, outside the years 2000 to 2100"), "{told}");
    home.answer(&["verify"], 0);
}

/// What is supposed makes the difference that the facts would make, and nothing is written.
#[test]
fn a_what_if_says_the_difference_and_leaves_the_journal_untouched() {
    let home = Home::demo();
    let row = lost_for(&home, "removed");
    let subscription = row["subscription"].as_str().unwrap();
    let server = home.serve();
    let untouched = bytes_of(&home.data());
    let grant = home.json(&["what-if", "grant", "--on", subscription, "--at", "2025-12-01", "--json"], 0);
    must_fit(&schema("what-if"), &grant);
    // Everything that the customer lost for its removed access comes back, to the last digit.
    let rows = home.lines(&["eligibility", "--period", MONTH, "--lost", "--subscription", subscription, "--json"], 0);
    let missing: Vec<Exact> = rows.iter().map(|row| amount(&row["credit_at_stake"])).collect();
    let all: Exact = missing.iter().sum();
    assert_eq!(amount(&grant["recorded"]["earned"]["difference"]), all);
    assert_eq!(amount(&grant["recorded"]["missing"]["difference"]), -&all);
    assert!(grant["recorded"]["reasons"].as_array().unwrap().iter().any(|one| one["reason"] == "removed"));

    let earning = home.lines(&["eligibility", "--period", MONTH, "--json"], 0);
    let earning = earning.iter().find(|row| row["outcome"] == "earned").unwrap();
    let resource = earning["resource"].as_str().unwrap();
    let line = home.json(&["access", "timeline", resource, "--json"], 0);
    let counted = line["parts"][0]["grants"].as_array().unwrap().iter().find(|one| one["lacks"] == json!([])).unwrap();
    let id = counted["grant"].as_str().unwrap();
    for words in [
        vec!["what-if", "revoke", id, "--at", "2026-01-10"],
        vec!["what-if", "role", id, "--to", "Reader", "--at", "2026-01-10"],
    ] {
        let answer = home.json(&[words.as_slice(), &["--json"]].concat(), 0);
        must_fit(&schema("what-if"), &answer);
        assert!(amount(&answer["recorded"]["earned"]["difference"]).is_negative(), "{words:?}");
        let loses = answer["ahead"]["loses"].as_array().unwrap();
        let lost = loses.iter().find(|one| one["resource"] == resource).unwrap();
        // Another role is another assignment: what counted is gone, and to have it back would do.
        assert_eq!(lost["reason"], "removed");
        assert!(!answer["requests"].as_array().unwrap().is_empty());
        for request in answer["requests"].as_array().unwrap() {
            assert!(!request.to_string().contains("USD"), "no amount stands beside a request");
            assert!(request["text"].as_str().unwrap().contains("free to decline"));
        }
    }
    write(
        &home,
        "rate.json",
        &json!({ "revision": 5, "effectiveFrom": "2026-01-01",
        "settings": [{ "name": "unlisted-roles", "value": "eligible" }] }),
    );
    home.answer(&["what-if", "policy", "rate.json"], 0);
    assert!(
        home.complaint(&["what-if", "revoke", "0f0f0f0f-0000-4000-8000-000000000001", "--at", "2026-01-10"], 1)
            .contains("no grant")
    );
    assert_eq!(bytes_of(&home.data()), untouched, "a question wrote into the directory");
    assert_eq!(server.stop(), Some(0));
}

/// The guard of a transfer: what will lose credit, and which access must be there before.
#[test]
fn a_transfer_names_what_loses_credit_and_which_access_must_come_first() {
    let home = Home::demo();
    let partner = json!({ "tenantId": "99999999-0000-4000-8000-000000000001", "name": "Fjord Cloud", "organisationId": "org-fjord",
        "kind": "direct-bill", "country": "DE", "billingCurrency": "EUR",
        "partnerIds": [{ "value": "7000001" }], "adminAgents": [{ "value": "99999999-0000-4000-8000-00000000000a" }],
        "helpdeskAgents": [], "managingTenants": [], "identities": [], "effectiveAt": "2025-01-01T00:00:00Z" });
    let event = json!({ "specversion": "1.0", "id": "fjord", "source": "test", "type": "pec.partner.registered.v1", "data": partner });
    std::fs::write(home.dir.path().join("fjord.jsonl"), format!("{event}\n")).unwrap();
    home.answer(&["import", "fjord.jsonl", "--stream", "reference"], 0);
    let waiting = home.lines(&["quarantine", "list", "--json"], 0);
    assert_eq!(waiting.len(), 1, "the demo's own alone: {waiting:?}");
    let earning = home.lines(&["eligibility", "--period", MONTH, "--day", "2026-01-20", "--json"], 0);
    let row = earning.iter().find(|row| row["outcome"] == "earned").unwrap();
    let subscription = row["subscription"].as_str().unwrap();
    let words =
        ["what-if", "transfer", "--subscription", subscription, "--to", "Fjord Cloud", "--at", "2026-01-21", "--json"];
    let answer = home.json(&words, 0);
    must_fit(&schema("what-if"), &answer);
    let loses = answer["ahead"]["loses"].as_array().unwrap();
    assert!(
        loses.iter().any(|one| one["resource"] == row["resource"] && one["reason"] == "other-partner"),
        "{loses:?}"
    );
    let request = &answer["requests"][0];
    assert_eq!(request["partner"]["name"], "Fjord Cloud");
    assert_eq!(request["admin_agents"][0], "99999999-0000-4000-8000-00000000000a");
    assert!(request["scope"].as_str().unwrap().contains(subscription));
    assert!(amount(&answer["recorded"]["earned"]["difference"]).is_negative());
    let text = home.answer(&words[..words.len() - 1], 0);
    let (_, asked) = text.split_once("Access to be there before the transfer").unwrap();
    assert!(asked.contains("free to decline") && !asked.contains("USD"), "{asked}");
}

#[test]
fn a_timeline_shows_who_held_what_with_gaps_and_reasons() {
    let home = Home::demo();
    for (reason, lacks) in [("pal-missing", "pal-missing"), ("role-not-eligible", "role-not-eligible")] {
        let row = lost_for(&home, reason);
        let resource = row["resource"].as_str().unwrap();
        let line =
            home.json(&["access", "timeline", resource, "--from", "2026-01-01", "--to", "2026-01-31", "--json"], 0);
        must_fit(&schema("access-timeline"), &line);
        let part = &line["parts"][0];
        assert!(part["grants"].as_array().unwrap().iter().any(|one| one["lacks"] == json!([lacks])), "{part}");
        assert!(!part["gaps"].as_array().unwrap().is_empty());
        assert!(!line["events"].as_array().unwrap().is_empty());
        assert!(home.answer(&["access", "timeline", resource], 0).contains(lacks));
    }
    let row = lost_for(&home, "gap");
    let text = home.answer(&["access", "timeline", row["resource"].as_str().unwrap()], 0);
    assert!(text.contains("the day    #####+######+"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(home.complaint(&["access", "timeline", "no-such-vm"], 1).contains("no-such-vm"));
}

/// A just-in-time grant and one that ends soon are named with what they cost.
#[test]
fn a_report_names_access_that_security_asks_for_and_credit_does_not_see() {
    let home = Home::demo();
    must_fit(&schema("access-report"), &home.json(&["access", "report", "--json"], 0));
    assert!(home.answer(&["access", "report"], 0).contains("permanent"));
    let row = lost_for(&home, "role-not-eligible");
    let resource = row["resource"].as_str().unwrap();
    let line = home.json(&["access", "timeline", resource, "--json"], 0);
    let agents = line["parts"][0]["grants"][0]["principal"].as_str().unwrap();
    let subscription = row["subscription"].as_str().unwrap();
    let schedule = json!({ "scheduleId": "abcdabcd-0000-4000-8000-000000000001", "scope": format!("/subscriptions/{subscription}"),
        "principalId": agents, "roleDefinitionId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "eligibleOnly": true,
        "startsAt": "2025-12-01T00:00:00Z", "provisionedAt": "2025-12-01T00:00:00Z" });
    let event = json!({ "specversion": "1.0", "id": "pim", "source": "test", "type": "pec.schedule.created.v1", "data": schedule });
    std::fs::write(home.dir.path().join("pim.jsonl"), format!("{event}\n")).unwrap();
    home.answer(&["import", "pim.jsonl", "--stream", "access"], 0);
    let report = home.json(&["access", "report", "--period", MONTH, "--json"], 0);
    must_fit(&schema("access-report"), &report);
    let grants = report["grants"].as_array().unwrap();
    let found = grants.iter().find(|one| one["kind"] == "eligible-only").unwrap_or_else(|| panic!("{report}"));
    let rows = home.lines(&["eligibility", "--period", MONTH, "--lost", "--reason", "jit-only", "--json"], 0);
    let lost: Vec<Exact> = rows.iter().map(|row| amount(&row["credit_at_stake"])).collect();
    assert!(!lost.is_empty());
    assert_eq!(amount(&found["lost"]), lost.iter().sum(), "the cost is the credit lost for it, exactly");
}

#[test]
fn a_calendar_is_filtered_and_its_colours_add_nothing() {
    let home = Home::demo();
    let row = lost_for(&home, "removed");
    let subscription = row["subscription"].as_str().unwrap();
    let words = ["eligibility", "--period", MONTH, "--calendar", "--subscription", subscription, "--reason", "removed"];
    let plain = home.answer(&words, 0);
    assert!(plain.contains("# earned   x lost") && !plain.contains('\x1b'));
    assert!(!plain.lines().any(|line| line.starts_with("rg-") && line.contains('#')), "only the reason: {plain}");
    let coloured = home.answer(&[&words[..], &["--color", "always"]].concat(), 0);
    assert!(coloured.contains("\x1b[1;31mx\x1b[0m"));
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    // Whether a table pads its last column is no difference that anybody sees.
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&bare), trimmed(&plain));
    assert!(home.complaint(&["eligibility", "--period", MONTH, "--reason", "gone"], 2).contains("early-end"));
    assert!(
        home.answer(&["eligibility", "--period", MONTH, "--reason", "spot", "--subscription", subscription], 0)
            .contains("reason spot")
    );
}
