//! Reading Kafka, with the broker inside the process: resuming, outages, retention, publishing.
//!
//! No Java is needed, so these run everywhere. What the in-process broker cannot do (transactions,
//! TLS, recreating a topic) is tested against a real one in `kafka_real`.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use domain::entry::{Acceptance, Decision, Event, Stream};
use ingest::admin::TopicSpec;
use ingest::{Accept, Config, MockBroker, Progress, Until, publish_missing, read_topic, watermarks_at};
use journal::wire::{self, Envelope, Message};

use crate::kafka::{self, Station, assert_exactly_once, only_usage, produce, wait_until, while_reading};

const TOPIC: &str = "pec.usage.v1";

fn broker(partitions: i32) -> (MockBroker, Config) {
    let broker = MockBroker::start(&[TopicSpec::new(TOPIC, partitions)]).unwrap();
    let config = only_usage(Config::plain(broker.bootstrap_servers()), TOPIC);
    (broker, config)
}

/// A process reads, ends, and a new one goes on: nothing is missing and nothing is there twice.
#[test]
fn a_restart_resumes_exactly_where_the_journal_ends() {
    let (broker, config) = broker(4);
    let station = Station::new();
    produce(&config, 0, 3_000);
    let report = station.catch_up(&config).unwrap();
    assert_eq!((report.counters.messages, report.caught_up), (3_000, true));
    produce(&config, 3_000, 3_500);
    assert_eq!(station.catch_up(&config).unwrap().counters.messages, 500);
    assert_eq!(station.catch_up(&config).unwrap().counters.messages, 0);
    broker.check_nothing_trimmed().unwrap();
    assert_exactly_once(&station, 3_500);
}

/// Key, headers and value arrive as they were sent, a header without a value included.
#[test]
fn messages_arrive_verbatim() {
    let (_broker, config) = broker(1);
    let station = Station::new();
    produce(&config, 7, 8);
    station.catch_up(&config).unwrap();
    let journal = station.open();
    let record = journal.reader().record(0).unwrap().unwrap();
    assert_eq!(record.message, kafka::message(7));
}

/// Partitions without a single message are known from the first start on: one that appears later is
/// then seen as new, and an empty topic that vanished as recreated.
#[test]
fn empty_partitions_are_adopted_too() {
    let (_broker, config) = broker(3);
    let station = Station::new();
    station.catch_up(&config).unwrap();
    let expected: Vec<_> = (0..3).map(|partition| (TOPIC.to_owned(), partition, 0)).collect();
    assert_eq!(station.offsets(), expected);
}

/// The broker goes away and comes back while we read: the reader waits and goes on.
#[test]
fn an_outage_is_waited_out() {
    let (broker, config) = broker(2);
    let station = Station::new();
    produce(&config, 0, 1_000);
    let report = while_reading(&station, &config, |progress| {
        wait_until("the first thousand is durable", || progress.counters().messages == 1_000);
        broker.go_down().unwrap();
        wait_until("librdkafka complains", || progress.counters().complaints > 0);
        broker.come_back().unwrap();
        produce(&config, 1_000, 1_500);
        wait_until("the rest is durable", || progress.counters().messages == 1_500);
    });
    assert!(report.is_ok(), "{report:?}");
    assert_exactly_once(&station, 1_500);
}

/// The broker goes away between two of the questions that are asked before the first message: they
/// are asked again when it is back. Each answer takes a second, so that there is a moment between.
#[test]
fn an_outage_amid_the_start_checks_is_waited_out() {
    let (broker, config) = broker(2);
    let station = Station::new();
    produce(&config, 0, 500);
    broker.answer_after(Duration::from_secs(1)).unwrap();
    let report = while_reading(&station, &config, |progress| {
        // By then a broker has answered, and the questions about topics are on their way.
        std::thread::sleep(Duration::from_millis(3_600));
        broker.go_down().unwrap();
        // Longer than one question may wait.
        std::thread::sleep(Duration::from_secs(7));
        broker.answer_after(Duration::ZERO).unwrap();
        broker.come_back().unwrap();
        wait_until("all is durable", || progress.counters().messages == 500);
    });
    assert!(report.is_ok(), "{report:?}");
    assert_exactly_once(&station, 500);
}

/// Told to stop while no broker is up, before or after the first message, ingest ends in time.
#[test]
fn stopping_is_bounded_while_the_broker_is_down() {
    let (broker, config) = broker(2);
    let station = Station::new();
    produce(&config, 0, 100);
    let mut stopped_at = None;
    while_reading(&station, &config, |progress| {
        wait_until("all is durable", || progress.counters().messages == 100);
        broker.go_down().unwrap();
        wait_until("librdkafka complains", || progress.counters().complaints > 0);
        stopped_at = Some(kafka::now());
    })
    .unwrap();
    assert!(stopped_at.unwrap().elapsed().as_secs() < 10);
    while_reading(&station, &config, |_| stopped_at = Some(kafka::now())).unwrap();
    assert!(stopped_at.unwrap().elapsed().as_secs() < 10);
    assert_exactly_once(&station, 100);
}

/// A topic that is not there is named, not created and not waited for.
#[test]
fn a_missing_topic_is_named() {
    let (_broker, mut config) = broker(1);
    config.topics.reference = "pec.nobody.v1".to_owned();
    let fault = Station::new().catch_up(&config).unwrap_err();
    assert_eq!(fault.name(), "topic-missing", "{fault}");
    assert!(fault.to_string().contains("pec.nobody.v1"));
}

/// The broker forgets what we have not read: refused by name; accepted, we go on behind the gap.
/// The in-process broker forgets after 5 MB, and says so when asked.
#[test]
fn a_retention_gap_is_refused_until_accepted() {
    let (broker, config) = broker(1);
    let station = Station::new();
    produce(&config, 0, 10);
    station.catch_up(&config).unwrap();
    broker.check_nothing_trimmed().unwrap();
    // Ten times a megabyte that does not compress.
    let mut noise = 7_u64;
    for _ in 0..12 {
        let value = (0..900_000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (noise >> 56) as u8
            })
            .collect();
        let message = Message { stream: Stream::Usage, key: None, headers: Vec::new(), value: Some(value) };
        ingest::publish(&config, &[message]).unwrap();
    }
    assert_eq!(broker.check_nothing_trimmed().unwrap_err().name(), "mock-trimmed");
    let due = watermarks_at(&config, None).unwrap();
    let low = due[0].low_watermark;
    assert!(low > 10, "the broker forgot nothing that we need: {due:?}");

    let fault = station.catch_up(&config).unwrap_err();
    assert_eq!(fault.name(), "retention-gap", "{fault}");
    assert!(fault.to_string().contains(&format!("offsets 10 to {}", low - 1)), "{fault}");
    assert_eq!(station.kept().len(), 10, "nothing behind the gap was recorded");

    station.catch_up_accepting(&config, &[Accept::RetentionGap]).unwrap();
    assert_eq!(station.kept().len() as i64, 10 + 22 - low);
}

/// `pec close` asks what Kafka held at a time; a cluster that does not answer is no empty answer.
#[test]
fn watermarks_of_now_are_the_ends_of_all_partitions() {
    let (broker, config) = broker(3);
    produce(&config, 0, 300);
    let due = watermarks_at(&config, None).unwrap();
    assert_eq!(due.len(), 3);
    assert_eq!(due.iter().map(|due| due.offset).sum::<i64>(), 300);
    broker.go_down().unwrap();
    let fault = watermarks_at(&config, None).unwrap_err();
    assert_eq!(fault.name(), "unreachable", "{fault}");
}

fn decision(number: usize) -> Message {
    let at = "2026-03-01T00:00:00Z".parse().unwrap();
    let decision = Decision { actor: "finance@example.com".into(), reason: "test".into(), at };
    let event = Event::AcceptanceRecorded(Acceptance {
        what: "clock".into(),
        about: None,
        bill_to: None,
        period: None,
        decision,
    });
    let envelope =
        Envelope { id: format!("decision-{number}"), source: "pec".to_owned(), time: Some(at), causation_id: None };
    wire::encode(&envelope, &event)
}

/// Decisions that were durable but not yet published when the process died are published by the
/// next one, and only those.
#[test]
fn only_missing_decisions_are_published() {
    let name = "pec.decisions.v1";
    let broker = MockBroker::start(&[TopicSpec::new(name, 1)]).unwrap();
    let mut config = Config::plain(broker.bootstrap_servers());
    config.topics.decisions = name.to_owned();
    ingest::publish(&config, &[decision(0), decision(1)]).unwrap();
    assert_eq!(publish_missing(&config, &mut (0..5).map(decision)).unwrap(), 3);
    assert_eq!(publish_missing(&config, &mut (0..5).map(decision)).unwrap(), 0);
    let mut there = 0;
    read_topic(&config, Stream::Decisions, name, &mut |message| {
        assert!(wire::decode(message).iter().all(Result::is_ok));
        there += 1;
    })
    .unwrap();
    assert_eq!(there, 5);
}

/// What cannot be delivered is a fault, not a count.
#[test]
fn publishing_to_a_broker_that_is_gone_fails() {
    let (broker, mut config) = broker(1);
    config.properties.insert("message.timeout.ms".to_owned(), "2000".to_owned());
    broker.go_down().unwrap();
    let fault = ingest::publish(&config, &[kafka::message(1)]).unwrap_err();
    assert_eq!(fault.name(), "publish", "{fault}");
}

/// A fault of whoever appends stops everything and comes back unchanged; nothing counts as durable.
#[test]
fn a_journal_that_refuses_stops_reading() {
    let (_broker, config) = broker(2);
    produce(&config, 0, 5_000);
    let station = Station::new();
    let journal = station.open();
    let plan =
        ingest::Plan { config: &config, resume: ingest::Resume::of(&journal), accept: &[], until: Until::Stopped };
    let progress = Progress::default();
    let mut batches = 0;
    let fault = ingest::run(&plan, &progress, &AtomicBool::new(false), &mut |delivery| {
        if let ingest::Delivery::Batch(batch) = delivery
            && !batch.is_empty()
        {
            batches += 1;
            if batches > 1 {
                return Err("the disk is full".into());
            }
        }
        Ok(())
    })
    .unwrap_err();
    assert_eq!(fault.name(), "append");
    assert!(fault.to_string().contains("the disk is full"), "{fault}");
    assert_eq!(progress.counters().messages, 0);
    assert!(!progress.is_running());
}
