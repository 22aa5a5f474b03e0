//! The directory is lost: what comes back from Kafka, what does not, and that the tool says which.

use domain::entry::{Decision, EntryRedriven, EntryRef, Event, Stream};
use engine::{Clock, Ledger};
use ingest::MockBroker;
use journal::wire::{self, Envelope, Message, Rejection};
use journal::{Batch, Options, Origin};
use serde_json::{Value, json};

use crate::cli::{Home, must_fit, schema};
use crate::kafka::wait_until;
use crate::operations::{PUBLISHING, Running, accepted, broker, client, configure, noise};

const MONTH: &str = "2026-01";

/// A month in Kafka, taken in by a running pec that publishes what is decided.
fn with_a_month(broker: &MockBroker, words: &[&str]) -> Home {
    let home = Home::empty();
    configure(&home, "", broker.bootstrap_servers(), PUBLISHING);
    let generate = ["generate", "--period", MONTH, "--kafka", broker.bootstrap_servers(), "--json"];
    let made = home.json(&[&generate, words].concat(), 0);
    let running = Running::start(&home, &[]).reads();
    let wanted = made["messages"].as_u64().unwrap();
    wait_until("the month is read", || {
        home.json(&["status", "--json"], 0)["journal"]["messages"].as_u64().unwrap() >= wanted
    });
    running.stop();
    home
}

fn decide_all(home: &Home) -> usize {
    let open = home.lines(&["conflicts", "list", "--json"], 0);
    for conflict in &open {
        let (event, keep) = (conflict["event"].as_str().unwrap(), conflict["bodies"][0]["digest"].as_str().unwrap());
        home.answer(&["conflicts", "decide", event, "--keep", keep, "--reason", "meter mended"], 0);
    }
    open.len()
}

fn lose(home: &Home) {
    std::fs::remove_dir_all(home.data()).unwrap();
}

fn restore(home: &Home) -> Value {
    let answer = home.json(&["restore", "--from-kafka", "--reason", "the disk was lost", "--json"], 0);
    must_fit(&schema("restored-from-kafka"), &answer);
    answer
}

/// Kafka still has everything: the same answers come back, with the issued invoice and the decided
/// conflict; what was learnt when does not.
#[test]
fn a_lost_directory_comes_back_from_kafka_with_what_was_decided() {
    let broker = broker(2);
    let home = with_a_month(&broker, &["--demo"]);
    assert!(decide_all(&home) > 0);
    let close = ["close", "--period", MONTH, "--reason", "month end", "--json"];
    let issued = home.lines(&close, 0);
    assert_eq!(issued[0]["outcome"], "issued", "{issued:?}");
    // Publishes what was decided, as every start does.
    let running = Running::start(&home, &[]).reads();
    let kafka = client(broker.bootstrap_servers());
    wait_until("the invoice is published", || published(&kafka).iter().any(|text| text.contains("invoice.issued")));
    running.stop();
    let digest = |home: &Home| home.json(&["replay", "--json"], 0)["digest"].clone();
    let (before, invoice) = (digest(&home), home.json(&["invoice", "--period", MONTH, "--json"], 0));

    lose(&home);
    let looked = home.json(&["restore", "--from-kafka", "--look", "--json"], 0);
    must_fit(&schema("restored-from-kafka"), &looked);
    assert_eq!((&looked["path"], &looked["missing"]), (&Value::Null, &json!([])));
    assert!(!home.data().exists(), "looking writes nothing");
    let refused = home.complaint(&["run"], 3);
    assert!(refused.contains("decisions-unknown") && refused.contains("pec restore --from-kafka"), "{refused}");

    let restored = restore(&home);
    assert_eq!(restored["missing"], json!([]));
    assert_eq!(restored["decisions"]["foreign"], 0);
    assert_eq!(restored["decisions"]["brought"], restored["decisions"]["messages"]);
    assert_eq!(home.json(&["invoice", "--period", MONTH, "--json"], 0), invoice);
    assert_eq!(digest(&home), before);
    let again = home.lines(&close, 0);
    assert_eq!(again[0]["outcome"], "stands");
    assert_eq!(again[0]["documents"], issued[0]["documents"]);
    let past = home.complaint(&["invoice", "--period", MONTH, "--as-of", "2026-02-01"], 3);
    assert!(past.contains("restored from Kafka"), "{past}");
    home.answer(&["verify"], 0);
    Running::start(&home, &[]).reads().stop();
    assert_eq!(digest(&home), before, "nothing is read twice");
}

/// What the topic of decisions holds, as text.
fn published(kafka: &ingest::Config) -> Vec<String> {
    let mut found = Vec::new();
    ingest::read_topic(kafka, Stream::Decisions, &kafka.topics.decisions, &mut |message| {
        found.push(format!("{:?} {}", message.headers, String::from_utf8_lossy(message.value.unwrap_or_default())));
    })
    .unwrap();
    found
}

/// A backup from before a decision: going on is refused until the decision is taken back, once.
#[test]
fn decisions_made_after_a_backup_are_taken_back() {
    let broker = broker(1);
    let home = with_a_month(&broker, &["--demo"]);
    home.answer(&["backup", "copy"], 0);
    let decided = decide_all(&home);
    let running = Running::start(&home, &[]).reads();
    let kafka = client(broker.bootstrap_servers());
    wait_until("they are published", || published(&kafka).iter().any(|text| text.contains("conflict.decided")));
    running.stop();

    lose(&home);
    home.answer(&["restore", "copy"], 0);
    assert!(home.complaint(&["run"], 3).contains("decisions-unknown"));
    let restored = restore(&home);
    assert_eq!(restored["decisions"]["brought"].as_u64(), Some(decided as u64));
    assert_eq!(restore(&home)["decisions"]["brought"], 0, "twice is once");
    assert_eq!(home.json(&["status", "--json"], 0)["waiting"]["open_conflicts"], 0);
    Running::start(&home, &[]).reads().stop();
}

/// Retention took the beginning, and nobody published decisions: the months concerned cannot be
/// closed until a person accepts each lack, with a reason that stays.
#[test]
fn what_kafka_cannot_bring_back_keeps_months_from_being_closed() {
    let broker = broker(1);
    let home = Home::empty();
    let servers = broker.bootstrap_servers();
    configure(&home, "", servers, "");
    home.answer(&["generate", "--period", MONTH, "--kafka", servers, "--events", "500"], 0);
    ingest::publish(&client(servers), &(0..14).map(noise).collect::<Vec<_>>()).unwrap();
    let restored = restore(&home);
    let missing = restored["missing"].as_array().unwrap();
    let said = |what: &str| missing.iter().find(|one| one["what"] == what).unwrap_or_else(|| panic!("{missing:?}"));
    assert!(said("restored-without-records")["about"].as_str().unwrap().contains("pec.usage.v1/0: offsets 0 to"));
    assert!(said("restored-without-records")["until"].as_str().unwrap() > MONTH);
    assert!(said("restored-without-decisions")["about"].as_str().unwrap().contains("no topic of decisions"));
    assert_eq!(accepted(&home).len(), 2, "what is missing stands in the journal");

    // A month has to hold something to be closed.
    home.answer(&["generate", "--to", "files", "--period", MONTH, "--events", "500"], 0);
    home.answer(&["import", "files/usage.jsonl"], 0);
    let close = |more: &[&str], code: i32| {
        home.lines(&[&["close", "--period", MONTH, "--reason", "files are in", "--json"], more].concat(), code)
    };
    let reasons = |answer: &[Value]| -> Vec<String> {
        answer[0]["reasons"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let refused = reasons(&close(&[], 1));
    for word in ["--accept missing-records", "--accept missing-decisions"] {
        assert!(refused.iter().any(|reason| reason.contains(word)), "{refused:?}");
        assert!(home.answer(&["check", "--period", MONTH], 1).contains(word));
    }
    let half = reasons(&close(&["--accept", "missing-records", "--offline", "no broker"], 1));
    assert!(half.len() == 1 && half[0].contains("missing-decisions"), "{half:?}");
    let closed = close(&["--accept", "missing-records", "--accept", "missing-decisions"], 0);
    assert_eq!(closed[0]["outcome"], "issued", "{closed:?}");
    let all = accepted(&home);
    for what in ["missing-records", "missing-decisions"] {
        assert!(all.iter().any(|one| one["what"] == what && one["reason"] == "files are in"), "{all:?}");
    }
}

/// A month of which the first message about usage was taken in by a build that could not read it.
fn with_one_unread(broker: &MockBroker) -> Home {
    let home = Home::empty();
    let servers = broker.bootstrap_servers();
    configure(&home, "", servers, PUBLISHING);
    home.answer(&["generate", "--period", MONTH, "--kafka", servers, "--events", "300"], 0);
    let kafka = client(servers);
    let mut first = None;
    ingest::read_topic(&kafka, Stream::Usage, &kafka.topics.usage, &mut |message| {
        first.get_or_insert_with(|| Message {
            stream: Stream::Usage,
            key: message.key.map(<[u8]>::to_vec),
            headers: message.headers.iter().map(|h| (h.name.to_owned(), h.value.map(<[u8]>::to_vec))).collect(),
            value: message.value.map(<[u8]>::to_vec),
        });
    })
    .unwrap();
    let first = first.unwrap();
    let origin =
        Origin::Kafka { topic: kafka.topics.usage.as_str().into(), partition: 0, offset: 0, timestamp_ms: None };
    let unknown = Rejection { code: "R-unknown-version", detail: "to a build before this one".into() };
    let mut batch = Batch::new();
    batch.push_decoded(origin, &first.borrow(&first.header_refs()), vec![Err(unknown)]);
    let options = Options { create: true, ..Options::default() };
    let ledger = Ledger::open(&home.data(), &options, Clock::start(), &mut |_, _| {}).unwrap();
    ledger.append(batch).unwrap();
    ledger.close().unwrap();
    home
}

/// Runs until everything is read and `text` stands on the topic of decisions.
fn run_until_published(home: &Home, kafka: &ingest::Config, text: &str) {
    let running = Running::start(home, &[]).reads();
    let ends = ingest::watermarks_at(kafka, None).unwrap();
    let wanted: i64 = ends.iter().map(|due| due.high_watermark).sum();
    let read = || -> i64 {
        let status = home.json(&["status", "--json"], 0);
        status["partitions"].as_array().unwrap().iter().map(|one| one["next_offset"].as_i64().unwrap()).sum()
    };
    wait_until("everything is read", || read() >= wanted);
    wait_until("it is published", || published(kafka).iter().any(|decision| decision.contains(text)));
    running.stop();
}

/// A re-drive names its message: it comes back to a journal made anew, in which the message stands elsewhere, and
/// to a backup from before it, in which it still waits. Both then give the answers that were given before. One of an
/// earlier build names a position alone; it is left and said, and does not keep anybody from starting.
#[test]
fn a_redrive_comes_back_with_the_answers_that_it_gave() {
    let broker = broker(1);
    let home = with_one_unread(&broker);
    let kafka = client(broker.bootstrap_servers());
    run_until_published(&home, &kafka, "policy.adopted");
    home.answer(&["backup", "copy"], 0);
    let digest = |home: &Home| home.json(&["replay", "--json"], 0)["digest"].clone();
    let without = digest(&home);
    let waiting = home.lines(&["quarantine", "list", "--json"], 0);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let entry = waiting[0]["entry"].as_str().unwrap();
    home.answer(&["quarantine", "redrive", entry, "--reason", "this build reads it"], 0);
    run_until_published(&home, &kafka, "entry.redriven");
    let before = digest(&home);
    assert_ne!(before, without, "the event that was read again counts");
    let redriven = published(&kafka).into_iter().find(|text| text.contains("entry.redriven")).unwrap();
    assert!(redriven.contains(r#""kafka":{"topic":"pec.usage.v1","partition":0,"offset":0}"#), "{redriven}");

    // An earlier build's, which would read another entry again in a journal made anew.
    let nameless = EntryRedriven {
        entry: EntryRef { position: 3, index: 0 },
        message: None,
        decision: Decision {
            actor: "bob".into(),
            reason: "an old build".into(),
            at: "2026-01-05T00:00:00Z".parse().unwrap(),
        },
    };
    let envelope = Envelope { id: "old".into(), source: "pec".into(), time: None, causation_id: None };
    ingest::publish(&kafka, &[wire::encode(&envelope, &Event::EntryRedriven(nameless))]).unwrap();

    let counted = |answer: &Value| {
        ["messages", "brought", "known", "redrives", "foreign"].map(|name| answer["decisions"][name].as_u64().unwrap())
    };
    lose(&home);
    home.answer(&["restore", "copy"], 0);
    let refused = home.complaint(&["run"], 3);
    assert!(refused.contains("decisions-unknown") && refused.contains("entry read again"), "{refused}");
    let [_, brought, _, left, _] = counted(&restore(&home));
    assert_eq!((brought, left), (1, 1));
    assert_eq!(digest(&home), before);
    assert!(home.lines(&["quarantine", "list", "--json"], 0).is_empty(), "it waits no longer");
    let all = home.lines(&["quarantine", "list", "--all", "--json"], 0);
    assert_eq!((all.len(), &all[0]["entry"]), (1, &Value::from(entry)));
    assert!(all[0]["redriven"].is_string(), "{all:?}");
    home.answer(&["verify"], 0);
    Running::start(&home, &[]).reads().stop();

    lose(&home);
    let anew = restore(&home);
    let [messages, brought, known, left, foreign] = counted(&anew);
    assert_eq!((brought, known, left, foreign), (messages - 1, 0, 1, 0), "{anew}");
    assert_eq!(digest(&home), before);
    assert!(home.lines(&["quarantine", "list", "--all", "--json"], 0).is_empty(), "it was read at once");
    home.answer(&["verify"], 0);
    Running::start(&home, &[]).reads().stop();
    assert_eq!(digest(&home), before);
}

/// Without Kafka, without a reason, over something: each is refused with what to do.
#[test]
fn a_restore_that_cannot_be_meant_is_refused() {
    let home = Home::empty();
    assert!(home.complaint(&["restore", "--from-kafka", "--reason", "x"], 2).contains("[kafka]"));
    assert!(home.complaint(&["restore"], 2).contains("--from-kafka"));
    assert!(home.complaint(&["restore", "copy", "--from-kafka"], 2).contains("cannot be used with"));
    let broker = broker(1);
    configure(&home, "", broker.bootstrap_servers(), PUBLISHING);
    assert!(home.complaint(&["restore", "--from-kafka"], 2).contains("--reason"));
    std::fs::create_dir(home.data()).unwrap();
    std::fs::write(home.data().join("letter.txt"), "keep me").unwrap();
    assert!(home.complaint(&["restore", "--from-kafka", "--reason", "x"], 1).contains("already holds"));
    std::fs::remove_file(home.data().join("letter.txt")).unwrap();
    home.answer(&["generate", "--to", "files", "--events", "10"], 0);
    home.answer(&["import", "files/usage.jsonl"], 0);
    assert!(home.complaint(&["restore", "--from-kafka", "--reason", "x"], 1).contains("filled from files"));
}
