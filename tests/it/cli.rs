//! The real program, from the outside: what it prints, how it ends, and that a running server gives
//! the same answers as a directory that nobody holds.
//!
//! One world for all of it: `pec demo`, which has losses, a conflict and an unreadable message.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

const MONTH: &str = "2026-01";

pub struct Home {
    pub dir: tempfile::TempDir,
}

impl Home {
    /// A ready-made world.
    pub fn demo() -> Self {
        let home = Self::empty();
        let made = home.pec(&["demo"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        home
    }

    pub fn empty() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(home.dir.path().join("pec.toml"), "[metrics]\nlisten = \"\"\n").unwrap();
        home
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pec-under-test"));
        command.current_dir(self.dir.path()).args(words).arg("--data-dir").arg(self.data());
        command.env_remove("NO_COLOR").env("PEC_ACTOR", "ann").stdin(Stdio::null());
        command
    }

    pub fn pec(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The answer of a command that must end with this exit code.
    pub fn answer(&self, words: &[&str], code: i32) -> String {
        let output = self.pec(words);
        assert_eq!(output.status.code(), Some(code), "pec {}: {}", words.join(" "), text(&output.stderr));
        text(&output.stdout)
    }

    pub fn json(&self, words: &[&str], code: i32) -> Value {
        serde_json::from_str(&self.answer(words, code)).unwrap()
    }

    pub fn lines(&self, words: &[&str], code: i32) -> Vec<Value> {
        self.answer(words, code).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What goes wrong, with the exit code it must have.
    pub fn complaint(&self, words: &[&str], code: i32) -> String {
        let output = self.pec(words);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "pec {}: {out}{error}", words.join(" "));
        error
    }

    /// What `pec run` logs.
    pub fn log(&self) -> PathBuf {
        self.dir.path().join("run.log")
    }

    pub fn serve(&self) -> Server {
        // Into a file: a pipe that nobody reads fills up, and stops the server in the middle of a line.
        let log = std::fs::File::create(self.log()).unwrap();
        let child = self.command(&["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Server { child, socket: self.data().join("pec.sock") };
        let deadline = crate::kafka::now() + Duration::from_secs(30);
        while std::os::unix::net::UnixStream::connect(&server.socket).is_err() {
            assert!(crate::kafka::now() < deadline, "pec run did not begin to answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

pub struct Server {
    child: Child,
    socket: PathBuf,
}

impl Server {
    /// Asks it to stop and waits; a stop is bounded.
    pub fn stop(mut self) -> Option<i32> {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let deadline = crate::kafka::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(crate::kafka::now() < deadline, "pec run did not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only matters when a test failed before it stopped the server.
        let _ = self.child.kill();
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn schema(name: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../schemas/output/{name}.v1.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

pub fn must_fit(validator: &jsonschema::Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// A resource that lost credit, and the day.
fn a_loss(home: &Home) -> (String, String, String) {
    let lost = home.lines(&["eligibility", "--period", MONTH, "--lost", "--json"], 0);
    let first = lost.first().expect("the demo's world loses credit");
    let field = |name: &str| first[name].as_str().unwrap().to_owned();
    (field("resource"), field("day"), field("line"))
}

/// A reseller's statement holds its part of the provider's invoice, and the credit that somebody's
/// access earned adds up to the credit earned.
#[test]
fn a_reseller_gets_its_part_of_the_invoice() {
    let home = Home::demo();
    let invoice = home.json(&["invoice", "--period", MONTH, "--json"], 0);
    let lines = invoice["invoices"].as_array().unwrap().iter().flat_map(|one| one["lines"].as_array().unwrap());
    let reseller = lines.clone().find_map(|line| line["reseller"].as_str()).expect("the demo sells through resellers");
    let theirs = lines.filter(|line| line["reseller"] == reseller).count();
    let statement = home.json(&["statement", "--reseller", reseller, "--period", MONTH, "--json"], 0);
    must_fit(&schema("statement"), &statement);
    let one = &statement["statements"][0];
    let counted: u64 = one["customers"].as_array().unwrap().iter().map(|share| share["lines"].as_u64().unwrap()).sum();
    assert_eq!(counted, theirs as u64);
    let cents = |value: &Value| -> rust_decimal::Decimal {
        value.as_str().unwrap().strip_suffix(" USD").unwrap().parse().unwrap()
    };
    let by: rust_decimal::Decimal = one["earned_by"].as_array().unwrap().iter().map(|by| cents(&by["amount"])).sum();
    assert_eq!(by, cents(&one["credit_earned"]));
    assert!(home.answer(&["statement", "--reseller", reseller, "--period", MONTH], 0).contains("Earned by"));
    assert!(home.complaint(&["statement", "--reseller", "nobody", "--period", MONTH], 1).contains("nobody"));
}

/// Every answer that was checked against its schema, by the schema's name.
#[derive(Default)]
struct Checked(std::collections::BTreeSet<String>);

impl Checked {
    /// Checks answers against the schemas that they name themselves.
    fn fit(&mut self, answers: &[Value]) {
        assert!(!answers.is_empty(), "there is nothing to check");
        let mut validators = std::collections::BTreeMap::new();
        for answer in answers {
            let named = answer["schema"].as_str().unwrap_or_else(|| panic!("an answer names no schema: {answer}"));
            let name = named.strip_prefix("pec.").and_then(|name| name.strip_suffix(".v1")).unwrap().to_owned();
            must_fit(validators.entry(name.clone()).or_insert_with(|| schema(&name)), answer);
            self.0.insert(format!("{name}.v1"));
        }
    }
}

/// Schemas whose answers the tests in `questions`, `operations`, `restoring` and the test of statements check, and
/// one that describes a file and no answer.
const CHECKED_ELSEWHERE: [&str; 14] = [
    "restored-from-kafka.v1",
    "bench.v1",
    "order-check.v1",
    "partner.v1",
    "customer.v1",
    "statement.v1",
    "policy.v1",
    "policy-diff.v1",
    "policy-check.v1",
    "policy-published.v1",
    "what-if.v1",
    "access-timeline.v1",
    "access-report.v1",
    "policy-document.v1",
];

/// Each command that prints data is asked for JSON, and each answer fits the schema it names; no
/// schema is left over.
#[test]
fn every_json_answer_fits_its_schema() {
    let home = Home::demo();
    let mut checked = Checked::default();
    let (resource, day, line) = a_loss(&home);
    for words in [
        vec!["status"],
        vec!["invoice", "--period", MONTH],
        vec!["invoice", "--period", MONTH, "--as-of", "2026-01-20"],
        vec!["explain", &resource, "--day", &day],
        vec!["explain", &line],
        vec!["replay"],
        vec!["verify"],
        vec!["verify", "--journal-only"],
        vec!["config", "check"],
        vec!["backup", "copy"],
        vec!["generate", "--to", "files", "--events", "10"],
    ] {
        checked.fit(&[home.json(&[&words[..], &["--json"]].concat(), 0)]);
    }
    for words in [
        vec!["eligibility", "--period", MONTH],
        vec!["eligibility", "--period", "2026-02"],
        vec!["invoice", "--period", MONTH, "--daily", "--customer", "Orchard Foods"],
        vec!["conflicts", "list"],
        vec!["quarantine", "list"],
        vec!["quarantine", "list", "--all"],
        vec!["import", "files/reference.jsonl", "files/usage.jsonl"],
        vec!["schema"],
    ] {
        checked.fit(&home.lines(&[&words[..], &["--json"]].concat(), 0));
    }
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/pec/revoked_at_noon.toml");
    checked.fit(&home.lines(&["scenario", scenario.to_str().unwrap(), "--json"], 0));
    let entry = home.lines(&["quarantine", "list", "--json"], 0)[0]["entry"].as_str().unwrap().to_owned();
    checked.fit(&[home.json(&["quarantine", "show", &entry, "--json"], 0)]);
    checked.fit(&home.lines(&["quarantine", "redrive", &entry, "--reason", "try", "--json"], 1));
    let restored = Home::empty();
    let copy = home.dir.path().join("copy");
    checked.fit(&[restored.json(&["restore", copy.to_str().unwrap(), "--json"], 0)]);
    fit_a_month(&home, &mut checked);
    let findings = unpriced().lines(&["check", "--period", MONTH, "--findings", "--json"], 1);
    checked.fit(&findings);
    assert!(findings.iter().all(|finding| finding["list_charge"].is_null()), "what has no price has no charge");
    let known = app::cli::schema::SCHEMAS.iter().map(|(name, ..)| *name);
    let known: std::collections::BTreeSet<String> =
        known.filter(|name| !CHECKED_ELSEWHERE.contains(name)).map(str::to_owned).collect();
    assert_eq!(checked.0, known, "a schema that no answer was checked against, or an answer without one");
}

/// From a refused close over decisions to an invoice and its credit note.
fn fit_a_month(home: &Home, checked: &mut Checked) {
    let close = ["close", "--period", MONTH, "--reason", "month end", "--offline", "no broker here", "--json"];
    checked.fit(&home.lines(&["check", "--period", MONTH, "--json"], 1));
    checked.fit(&home.lines(&close, 1));
    for conflict in home.lines(&["conflicts", "list", "--json"], 0) {
        let (event, keep) = (conflict["event"].as_str().unwrap(), conflict["bodies"][0]["digest"].as_str().unwrap());
        checked.fit(&[home.json(&["conflicts", "show", event, "--json"], 0)]);
        let decide = ["conflicts", "decide", event, "--keep", keep, "--reason", "meter mended", "--json"];
        checked.fit(&[home.json(&decide, 0)]);
    }
    let issued = home.lines(&close, 0);
    checked.fit(&issued);
    let id = issued[0]["documents"][0]["id"].as_str().unwrap();
    let explained = home.json(&["explain", id, "--json"], 0);
    checked.fit(std::slice::from_ref(&explained));
    assert_eq!((&explained["issued_by"], &explained["digest_agrees"]), (&Value::from("ann"), &Value::from(true)));
    assert_eq!(explained["redraft_differs"], false, "nothing was told since");
    checked.fit(&home.lines(&["void", id, "--reason", "too early", "--json"], 0));
    let void = home.json(&["explain", id, "--json"], 0);
    assert_eq!(void["void"], true);
    let note = void["amended_by"][0].as_str().unwrap();
    checked.fit(&[home.json(&["explain", note, "--json"], 0), void.clone()]);
    assert!(home.complaint(&["explain", "2026-01-EUR-nobody-1"], 1).contains(id), "the documents there are");
}

#[test]
fn an_answer_that_does_not_fit_is_seen() {
    let home = Home::demo();
    let mut wrong = home.json(&["invoice", "--period", MONTH, "--json"], 0);
    assert!(!wrong["invoices"][0]["lines"].as_array().unwrap().is_empty());
    wrong["invoices"][0]["total"] = Value::from(12);
    assert!(!schema("invoice").is_valid(&wrong), "an amount without a currency must not pass");
    let mut wrong = home.lines(&["eligibility", "--period", MONTH, "--json"], 0).remove(0);
    wrong["outcome"] = Value::from("perhaps");
    assert!(!schema("eligibility").is_valid(&wrong));
    let mut wrong = home.json(&["replay", "--json"], 0);
    wrong["surprise"] = Value::from(1);
    assert!(!schema("replay").is_valid(&wrong), "a field that no schema describes must not pass");
}

/// Every question is asked of a directory that nobody holds, then of a server that holds it.
/// Commands whose answers a server gives in a test of their own.
const ASKED_ELSEWHERE: [&str; 4] = ["close", "import", "backup", "order"];
/// Commands that need no journal, or make or hold one themselves.
const WITHOUT_SERVER: [&str; 9] =
    ["demo", "run", "restore", "scenario", "generate", "bench", "schema", "config", "help"];

/// A command that `pec --help` lists is among the questions, or said to be asked elsewhere.
fn every_command_is_asked(home: &Home, questions: &[Vec<&str>]) {
    let help = home.answer(&["--help"], 0);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // Further lines of a description are indented more.
    let named = list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let named: Vec<&str> = named.map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(named.len() > 25, "{named:?}");
    for command in named {
        let asked = questions.iter().any(|words| words[0] == command);
        let elsewhere = ASKED_ELSEWHERE.contains(&command) || WITHOUT_SERVER.contains(&command);
        assert!(asked != elsewhere, "pec {command} through a running server");
    }
}

#[test]
fn a_running_server_gives_the_same_answers() {
    let home = Home::demo();
    let (resource, day, line) = a_loss(&home);
    let questions: Vec<Vec<&str>> = vec![
        vec!["status"],
        vec!["status", "--json"],
        vec!["invoice", "--period", MONTH],
        vec!["invoice", "--period", MONTH, "--lines", "--json"],
        vec!["invoice", "--period", MONTH, "--daily"],
        vec!["invoice", "--period", MONTH, "--as-of", "2026-01-02"],
        vec!["invoice", "--period", "1999-01"],
        vec!["eligibility", "--period", MONTH],
        vec!["eligibility", "--day", &day, "--json"],
        vec!["eligibility", "--period", MONTH, "--customer", "nobody"],
        vec!["explain", &resource, "--day", &day],
        vec!["explain", &line, "--period", MONTH, "--color", "always"],
        vec!["explain", "no-such-vm", "--day", &day],
        vec!["check", "--period", MONTH],
        vec!["policy", "show", "--json"],
        vec!["policy", "diff", "default", "9"],
        vec!["access", "timeline", &resource],
        vec!["access", "timeline", "no-such-vm"],
        vec!["access", "report", "--json"],
        vec!["eligibility", "--period", MONTH, "--calendar", "--reason", "removed", "--color", "always"],
        vec!["what-if", "revoke", "0f0f0f0f-0000-4000-8000-000000000001", "--at", "2026-01-10"],
        vec!["conflicts", "list"],
        vec!["quarantine", "list", "--json"],
        vec!["quarantine", "show", "1.0"],
        vec!["statement", "--reseller", "7000001", "--period", MONTH],
        vec!["partner", "show", "Nordwind Distribution", "--day", &day],
        vec!["customer", "show", "Orchard Foods", "--day", &day, "--json"],
        vec!["replay"],
        vec!["verify"],
        vec!["void", "no-such-document", "--reason", "none"],
    ];
    every_command_is_asked(&home, &questions);
    let alone: Vec<Output> = questions.iter().map(|words| home.pec(words)).collect();
    let server = home.serve();
    for (words, alone) in questions.iter().zip(&alone) {
        let served = home.pec(words);
        let name = words.join(" ");
        assert_eq!(text(&served.stdout), text(&alone.stdout), "pec {name}");
        assert_eq!(served.status.code(), alone.status.code(), "pec {name}");
        if !served.status.success() {
            assert_eq!(text(&served.stderr), text(&alone.stderr), "pec {name}");
        }
    }
    let second = home.complaint(&["run"], 1);
    assert!(second.contains("already serves"), "{second}");
    let socket = server.socket.clone();
    assert_eq!(server.stop(), Some(0));
    assert!(!socket.exists(), "a server that stopped leaves no socket behind");
}

/// A month from its obstacles to its invoice and back, through a server: decided, issued once,
/// voided, whole.
#[test]
fn a_month_is_closed_once_and_taken_back_by_a_credit_note() {
    let home = Home::demo();
    let server = home.serve();
    let close = ["close", "--period", MONTH, "--reason", "month end", "--json"];
    let refused = home.lines(&close, 1);
    assert_eq!(refused[0]["outcome"], "refused");
    let reason = refused[0]["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("F-conflict: event ") && reason.contains("told in two ways"), "{reason}");

    let conflicts = home.lines(&["conflicts", "list", "--json"], 0);
    for conflict in &conflicts {
        let (event, keep) = (conflict["event"].as_str().unwrap(), conflict["bodies"][0]["digest"].as_str().unwrap());
        home.answer(&["conflicts", "decide", event, "--keep", keep, "--reason", "meter mended"], 0);
    }
    home.answer(&["check", "--period", MONTH], 0);
    let issued = home.lines(&close, 0);
    assert_eq!(issued[0]["outcome"], "issued");
    let id = issued[0]["documents"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(issued[0]["documents"][0]["actor"], "ann");

    let again = home.lines(&close, 0);
    assert_eq!(again[0]["outcome"], "stands");
    assert_eq!(again[0]["documents"], issued[0]["documents"]);

    let note = home.lines(&["void", &id, "--reason", "too early", "--json"], 0);
    assert_eq!(note[0]["amends"].as_str(), Some(id.as_str()));
    assert!(home.complaint(&["void", &id, "--reason", "again"], 1).contains("void already"));
    assert_eq!(server.stop(), Some(0));
    home.answer(&["verify"], 0);
    must_fit(&schema("status"), &home.json(&["status", "--json"], 0));
}

#[test]
fn what_is_missing_is_said_with_what_to_do_next() {
    let home = Home::empty();
    let none = home.complaint(&["status"], 2);
    assert!(none.contains("no journal") && none.contains("hint:") && none.contains("pec import"), "{none}");
    assert!(!home.data().exists(), "a question must not make a journal");
    assert!(home.complaint(&["invoice", "--period", "january"], 2).contains("2026-01"));
    assert!(home.complaint(&["frobnicate"], 2).contains("frobnicate"));
    std::fs::write(home.dir.path().join("pec.toml"), "data_dri = \"x\"\n").unwrap();
    assert!(home.complaint(&["config", "check"], 2).contains("data_dri"));
}

/// A world with usage of which nobody published the prices.
fn unpriced() -> Home {
    let home = Home::empty();
    home.answer(&["generate", "--to", "files", "--events", "50", "--period", MONTH], 0);
    let reference = std::fs::read_to_string(home.dir.path().join("files/reference.jsonl")).unwrap();
    let without: Vec<&str> = reference.lines().filter(|line| !line.contains("pec.price-sheet")).collect();
    assert!(without.len() < reference.lines().count(), "the prices are told in another way now");
    std::fs::write(home.dir.path().join("files/reference.jsonl"), without.join("\n")).unwrap();
    for stream in ["reference", "commerce", "access", "usage"] {
        home.answer(&["import", &format!("files/{stream}.jsonl"), "--stream", stream], 0);
    }
    home
}

/// Every command on a journal that knows next to nothing, and on one that knows usage and no price:
/// each says what to do next, by a command that can be typed.
#[test]
fn absent_answers_say_what_to_do_next() {
    let questions: Vec<Vec<&str>> = vec![
        vec!["invoice", "--period", MONTH],
        vec!["invoice", "--period", MONTH, "--json"],
        vec!["eligibility", "--period", MONTH],
        vec!["eligibility", "--period", MONTH, "--json"],
        vec!["explain", "vm-1", "--day", "2026-01-05"],
        vec!["explain", "L-0123456789"],
        vec!["explain", "2026-01-EUR-nobody-1"],
        vec!["check", "--period", MONTH],
        vec!["close", "--period", MONTH, "--reason", "try"],
        vec!["void", "nothing", "--reason", "try"],
    ];
    let said = |home: &Home, words: &[&str]| {
        let output = home.pec(words);
        assert_ne!(output.status.code(), Some(3), "pec {}: {}", words.join(" "), text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    };
    let empty = Home::empty();
    let event = r#"{"specversion":"1.0","id":"1","source":"erp","type":"pec.membership.started.v1","data":{"partnerTenantId":"11111111-aaaa-4aaa-8aaa-111111111111","effectiveAt":"2025-12-01T00:00:00Z"}}"#;
    std::fs::write(empty.dir.path().join("one.jsonl"), event).unwrap();
    empty.answer(&["import", "one.jsonl", "--stream", "reference"], 0);
    let unpriced = unpriced();
    for home in [&empty, &unpriced] {
        for words in &questions {
            let said = said(home, words);
            assert!(said.contains("pec "), "pec {} leaves its reader alone: {said}", words.join(" "));
        }
    }
    assert!(said(&empty, &["status"]).contains("pec import") || said(&empty, &["status"]).contains("Nothing waits"));
    let eligibility = said(&unpriced, &["eligibility", "--period", MONTH]);
    assert!(
        eligibility.contains("No prices for 2026-01") && eligibility.contains("pec import prices"),
        "{eligibility}"
    );
    // Access needs no price: its verdicts are there, and the money is unknown.
    let days = unpriced.answer(&["eligibility", "--period", MONTH, "--all"], 0);
    assert!(days.contains("would earn") && days.contains("PEC-1") && days.contains("unknown"), "{days}");
    let checked = said(&unpriced, &["check", "--period", MONTH]);
    assert!(checked.contains("unknown") && checked.contains("F-no-price"), "the money of what has no price: {checked}");
}

/// A file imported twice changes nothing; what cannot be read is kept, shown and counted.
#[test]
fn importing_again_is_harmless_and_nothing_is_dropped() {
    let home = Home::empty();
    let event = r#"{"specversion":"1.0","id":"1","source":"erp","type":"pec.membership.started.v1","data":{
        "partnerTenantId":"11111111-aaaa-4aaa-8aaa-111111111111","effectiveAt":"2025-12-01T00:00:00Z"}}"#;
    let event = event.replace('\n', "");
    let incomplete = r#"{"specversion":"1.0","id":"2","source":"erp","type":"pec.membership.started.v1","data":{}}"#;
    std::fs::write(home.dir.path().join("events.jsonl"), format!("{event}\n{incomplete}\nnot json at all\n")).unwrap();
    let import = ["import", "events.jsonl", "--stream", "reference", "--json"];
    let first = home.lines(&import, 0);
    let counts =
        |row: &Value| ["records", "accepted", "duplicate", "quarantined"].map(|name| row[name].as_u64().unwrap());
    assert_eq!(counts(&first[0]), [3, 1, 0, 2]);
    let digest = home.answer(&["replay"], 0);
    assert_eq!(counts(&home.lines(&import, 0)[0]), [3, 0, 1, 2]);
    assert_ne!(home.answer(&["replay"], 0), digest, "the messages were kept again");
    let waiting = home.lines(&["quarantine", "list", "--json"], 0);
    assert_eq!(waiting.len(), 4);
    let entry = waiting[1]["entry"].as_str().unwrap();
    assert!(home.answer(&["quarantine", "show", entry], 0).contains("not json at all"));
    assert_eq!(home.pec(&["quarantine", "redrive", entry, "--reason", "try"]).status.code(), Some(1));
}

/// A backup taken while a server runs restores to a journal with the same answers.
#[test]
fn a_backup_of_a_running_server_gives_the_same_answers_elsewhere() {
    let home = Home::demo();
    let server = home.serve();
    home.answer(&["backup", "copy"], 0);
    let replayed = home.answer(&["replay"], 0);
    assert_eq!(server.stop(), Some(0));
    let restored = Home::empty();
    let copy = home.dir.path().join("copy");
    restored.answer(&["restore", copy.to_str().unwrap()], 0);
    assert_eq!(restored.answer(&["replay"], 0), replayed);
    assert!(restored.complaint(&["restore", copy.to_str().unwrap()], 1).contains("already holds"));
}

/// The way of a user with a cluster: generate a month into a real broker, let `pec run` take it in,
/// lose the broker in between, and compare with the same month imported from files.
#[test]
fn a_month_from_a_real_broker_equals_the_same_month_from_files() {
    let Some(mut broker) = crate::broker::Broker::start() else { return };
    let servers = broker.config().bootstrap_servers;
    let month = ["--period", MONTH, "--customers", "10", "--resources", "200", "--faults", "poison"];
    let generate = |home: &Home, seed: &str, to: &[&str]| {
        home.answer(&[&["generate", "--events", "20000", "--seed", seed], &month[..], to].concat(), 0);
    };
    let files = Home::empty();
    for seed in ["5", "6"] {
        generate(&files, seed, &["--to", seed]);
        for stream in ["reference", "commerce", "access", "usage"] {
            files.answer(&["import", &format!("{seed}/{stream}.jsonl"), "--stream", stream], 0);
        }
    }
    let wanted = files.json(&["status", "--json"], 0)["entries"].clone();

    let kafka = Home::empty();
    let config = format!("[metrics]\nlisten = \"\"\n[kafka]\nbootstrap_servers = \"{servers}\"\n");
    std::fs::write(kafka.dir.path().join("pec.toml"), config).unwrap();
    generate(&kafka, "5", &["--kafka", &servers, "--create-topics", "3"]);
    let server = kafka.serve();
    broker.kill();
    broker.restart();
    generate(&kafka, "6", &["--kafka", &servers]);
    let deadline = crate::kafka::now() + Duration::from_secs(60);
    while kafka.json(&["status", "--json"], 0)["entries"] != wanted {
        let told = || std::fs::read_to_string(kafka.log()).unwrap();
        assert!(crate::kafka::now() < deadline, "{} became {wanted}\n{}", kafka.answer(&["status"], 0), told());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(server.stop(), Some(0));
    assert!(wanted["quarantined"].as_u64() > Some(0) && wanted["duplicate"].as_u64() > Some(0), "{wanted}");
    let digest = |home: &Home| home.json(&["replay", "--json"], 0)["digest"].clone();
    assert_eq!(digest(&kafka), digest(&files));
}

/// A demo makes room for itself, but never under a process that holds the directory.
#[test]
fn a_demo_replaces_nothing_that_is_in_use() {
    let home = Home::demo();
    let server = home.serve();
    let refused = home.complaint(&["demo"], 1);
    assert!(refused.contains("in use by process") && refused.contains("hint:"), "{refused}");
    home.answer(&["status"], 0);
    assert_eq!(server.stop(), Some(0));
    home.answer(&["verify"], 0);
    home.answer(&["demo"], 0);
}

/// A misspelt file is the command line's fault, and no journal comes into being by it.
#[test]
fn importing_what_is_not_there_leaves_nothing_behind() {
    let home = Home::empty();
    for file in ["nothing.json", "."] {
        let refused = home.complaint(&["import", file], 2);
        assert!(refused.contains("is not read") && refused.contains("hint:"), "{refused}");
        assert!(!home.data().exists(), "{file}");
    }
}
