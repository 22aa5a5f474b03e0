//! Reading a real Apache Kafka: a killed broker, transactions, a recreated topic, TLS and SASL.

use ingest::admin::{TopicSpec, add_partitions, create_topics, delete_records, delete_topics};
use ingest::config::Mechanism;
use ingest::producer::{Ending, publish_in_transaction};
use ingest::{Accept, Config, Fault, watermarks_at};

use domain::entry::Stream;
use domain::ids::Digest;
use journal::wire::Message;

use crate::broker::{Broker, PLAIN_PASSWORD, SCRAM_PASSWORD, plain_cluster};
use crate::cli::Home;
use crate::kafka::{self, Station, assert_exactly_once, only_usage, produce, wait_until, while_reading};
use crate::memory::Told;
use crate::operations::{Running, accepted, configure};
use crate::simulation::{telling, worlds};

/// A topic under a name that no other test and no earlier run used.
fn topic(config: Config, purpose: &str, partitions: i32) -> (Config, String) {
    let name = format!("pec.test.{purpose}.{}.{}", std::process::id(), kafka::unique());
    create_topics(&config, &[TopicSpec::new(&name, partitions)]).unwrap();
    (only_usage(config, &name), name)
}

/// The broker is killed while we read, and comes back: every message is in the journal exactly once,
/// and so it is after our own restart.
#[test]
fn a_killed_broker_costs_and_repeats_nothing() {
    let Some(mut broker) = Broker::start() else { return };
    let (config, _) = topic(broker.config(), "kill", 4);
    let station = Station::new();
    produce(&config, 0, 20_000);
    let report = while_reading(&station, &config, |progress| {
        wait_until("something is durable", || progress.counters().messages > 0);
        broker.kill();
        wait_until("librdkafka complains", || progress.counters().complaints > 0);
        broker.restart();
        produce(&config, 20_000, 25_000);
        wait_until("all is durable", || progress.counters().messages == 25_000);
    });
    assert!(report.is_ok(), "{report:?}");
    assert_exactly_once(&station, 25_000);
    produce(&config, 25_000, 26_000);
    assert_eq!(station.catch_up(&config).unwrap().counters.messages, 1_000);
    assert_exactly_once(&station, 26_000);
}

/// A topic ends in an aborted transaction: the journal is caught up all the same, a restart raises
/// no alarm, and aborted records are not recorded. Recreated with more records: refused by name.
#[test]
fn an_aborted_tail_is_no_alarm_and_a_recreated_topic_is() {
    let Some((config, _broker)) = plain_cluster() else { return };
    let (config, name) = topic(config, "aborted", 1);
    let station = Station::new();
    let transaction = format!("{name}.transaction");
    publish_in_transaction(&config, &transaction, &[kafka::message(0)], Ending::Commit).unwrap();
    publish_in_transaction(&config, &transaction, &[kafka::message(99)], Ending::Abort).unwrap();
    assert_eq!(watermarks_at(&config, None).unwrap()[0].offset, 4, "two records and two transaction ends");

    let report = station.catch_up(&config).unwrap();
    assert!(report.caught_up);
    assert_eq!(report.counters.messages, 1);
    assert_exactly_once(&station, 1);
    assert_eq!(station.offsets(), vec![(name.clone(), 0, 4)], "transaction ends are passed");

    // Twice, because a restart must not spoil the next one either.
    for _ in 0..2 {
        let report = station.catch_up(&config).unwrap();
        assert_eq!((report.counters.messages, report.caught_up), (0, true));
    }
    produce(&config, 1, 2);
    station.catch_up(&config).unwrap();
    assert_exactly_once(&station, 2);

    delete_topics(&config, &[&name]).unwrap();
    recreate(&config, &name, 1);
    produce(&config, 100, 120);
    let fault = station.catch_up(&config).unwrap_err();
    assert_eq!(fault.name(), "recreated-topic", "{fault}");
    assert!(matches!(&fault, Fault::Recreated { topic, partition: 0, offset: 4 } if *topic == name), "{fault}");
    assert_exactly_once(&station, 2);

    // A person accepts: the topic is read from its beginning, and the next start is calm again.
    station.catch_up_accepting(&config, &[Accept::RecreatedTopic]).unwrap();
    assert_eq!(station.kept().len(), 22);
    assert_eq!(station.catch_up(&config).unwrap().counters.messages, 0);
}

/// The same as whoever operates it sees it: `pec run` starts again behind an aborted tail without a word, and
/// ends with a name and a way on where the topic was created again and holds more records than were read.
#[test]
fn pec_run_is_calm_behind_an_aborted_tail_and_refuses_a_recreated_topic() {
    let Some((config, _broker)) = plain_cluster() else { return };
    let (config, name) = topic(config, "run", 1);
    let home = Home::empty();
    let mine = format!("[kafka.topics]\nusage = \"{name}\"\naccess = \"\"\ncommerce = \"\"\nreference = \"\"\n");
    configure(&home, "", &config.bootstrap_servers, &mine);
    let transaction = format!("{name}.transaction");
    publish_in_transaction(&config, &transaction, &[kafka::message(0)], Ending::Commit).unwrap();
    publish_in_transaction(&config, &transaction, &[kafka::message(99)], Ending::Abort).unwrap();
    // None of these messages is an event, so each that was taken in waits in quarantine.
    let taken = |offset: i64, messages: u64| {
        let status = home.json(&["status", "--json"], 0);
        let next = status["partitions"][0]["next_offset"].as_i64();
        (next, status["entries"]["quarantined"].as_u64()) == (Some(offset), Some(messages))
    };
    let until_taken = |running: Running, offset: i64, messages: u64| {
        wait_until("all is taken in", || taken(offset, messages));
        running.stop();
    };
    until_taken(Running::start(&home, &[]).reads(), 4, 1);
    for _ in 0..2 {
        let calm = Running::start(&home, &[]).reads();
        let log = calm.log();
        assert!(log.contains("offset=4 high=4 reason=Resumed"), "{log}");
        // One broker alone is worth a warning of its own.
        let mut alarms = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR"));
        assert!(alarms.all(|line| line.contains("min.insync.replicas")), "{log}");
        until_taken(calm, 4, 1);
    }

    delete_topics(&config, &[&name]).unwrap();
    recreate(&config, &name, 1);
    produce(&config, 100, 120);
    for _ in 0..2 {
        let (code, said) = Running::start(&home, &[]).ends();
        assert_eq!(code, Some(3), "{said}");
        for told in ["recreated-topic", &name, "offset 0", "hint:", "--accept recreated-topic"] {
            assert!(said.contains(told), "{told} in {said}");
        }
        assert!(taken(4, 1), "nothing of the other topic was taken in");
    }
    let accepting = ["--accept", "recreated-topic", "--reason", "cleaned up"];
    until_taken(Running::start(&home, &accepting).reads(), 20, 21);
    assert_eq!(accepted(&home).len(), 1);
    until_taken(Running::start(&home, &[]).reads(), 20, 21);
}

/// Deleting takes a moment; creating is tried until the old topic is gone.
fn recreate(config: &Config, name: &str, partitions: i32) {
    wait_until("the recreated topic is there and empty", || {
        create_topics(config, &[TopicSpec::new(name, partitions)]).is_ok()
            && watermarks_at(config, None).is_ok_and(|due| due.iter().all(|due| due.high_watermark == 0))
    });
}

/// Recreated with fewer records than we read: named as well. Fewer partitions: named, and what is
/// gone stays gone after it was accepted.
#[test]
fn a_shorter_topic_is_refused_until_accepted() {
    let Some((config, _broker)) = plain_cluster() else { return };
    let (config, name) = topic(config, "shorter", 2);
    let station = Station::new();
    produce(&config, 0, 50);
    station.catch_up(&config).unwrap();

    delete_topics(&config, &[&name]).unwrap();
    recreate(&config, &name, 2);
    produce(&config, 50, 52);
    assert_eq!(station.catch_up(&config).unwrap_err().name(), "truncated");
    station.catch_up_accepting(&config, &[Accept::RecreatedTopic]).unwrap();
    assert_eq!(station.kept().len(), 52);

    delete_topics(&config, &[&name]).unwrap();
    recreate(&config, &name, 1);
    assert_eq!(station.catch_up(&config).unwrap_err().name(), "partition-count-changed");
    station.catch_up_accepting(&config, &[Accept::RecreatedTopic]).unwrap();
    assert!(station.catch_up(&config).unwrap().caught_up);
}

/// Records are deleted before we read them; partitions are added: both refused until accepted.
#[test]
fn a_retention_gap_and_new_partitions_are_refused_until_accepted() {
    let Some((config, _broker)) = plain_cluster() else { return };
    let (config, name) = topic(config, "gap", 1);
    let station = Station::new();
    produce(&config, 0, 10);
    station.catch_up(&config).unwrap();
    produce(&config, 10, 30);
    delete_records(&config, &name, 0, 25).unwrap();
    let fault = station.catch_up(&config).unwrap_err();
    assert!(matches!(fault, Fault::RetentionGap { next: 10, low: 25, .. }), "{fault}");
    station.catch_up_accepting(&config, &[Accept::RetentionGap]).unwrap();
    assert_eq!(station.kept().len(), 15);

    add_partitions(&config, &name, 3).unwrap();
    wait_until("the partitions are there", || watermarks_at(&config, None).is_ok_and(|due| due.len() == 3));
    let fault = station.catch_up(&config).unwrap_err();
    assert!(matches!(fault, Fault::PartitionCountChanged { known: 1, found: 3, .. }), "{fault}");
    station.catch_up_accepting(&config, &[Accept::NewPartitions]).unwrap();
    assert!(station.catch_up(&config).unwrap().caught_up);
}

/// Another cluster answers at the same address: refused by name.
#[test]
fn another_cluster_is_refused_until_accepted() {
    let station = Station::new();
    let name = "pec.test.moved";
    for life in 0..2 {
        let Some(broker) = Broker::start() else { return };
        let config = only_usage(broker.config(), name);
        create_topics(&config, &[TopicSpec::new(name, 1)]).unwrap();
        produce(&config, life * 10, life * 10 + 10);
        if life == 0 {
            station.catch_up(&config).unwrap();
        } else {
            assert_eq!(station.catch_up(&config).unwrap_err().name(), "other-cluster");
            station.catch_up_accepting(&config, &[Accept::OtherCluster]).unwrap();
            assert_eq!(station.catch_up(&config).unwrap().counters.messages, 0);
        }
    }
    assert_eq!(station.kept().len(), 20);
}

/// What Kafka held at a time: behind the last record of before, or the end where nothing came after.
#[test]
fn watermarks_of_a_time_follow_the_brokers_clock() {
    let Some((config, _broker)) = plain_cluster() else { return };
    let (config, _) = topic(config, "time", 1);
    produce(&config, 0, 5);
    let at = |text: &str| watermarks_at(&config, Some(text.parse().unwrap())).unwrap()[0].offset;
    assert_eq!(at("2000-01-01T00:00:00Z"), 0, "all came later");
    assert_eq!(at("2100-01-01T00:00:00Z"), 5, "nothing came later: the present end");
}

/// A whole month on four topics, some of it sent twice and some unreadable, the broker killed in
/// between: the answers equal those of the same messages taken from files, digest for digest.
#[test]
fn kafka_and_files_give_the_same_answers_digest_for_digest() {
    let Some(mut broker) = Broker::start() else { return };
    let config = broker.config();
    create_topics(&config, &ingest::admin::topics_of(&config, 4)).unwrap();
    let world = worlds::make(11);
    // What was decided here is published, and never comes in by a topic.
    let delivered = |message: &Message| message.stream != Stream::Decisions;
    let mut messages: Vec<Message> = telling::tell(&world, 11).iter().map(Told::message).filter(delivered).collect();
    messages.extend(messages.clone().into_iter().step_by(3));
    messages.push(kafka::message(1));
    let (first, second) = messages.split_at(messages.len() / 2);

    let from_kafka = Station::new();
    ingest::publish(&config, first).unwrap();
    while_reading(&from_kafka, &config, |progress| {
        wait_until("the first half is durable", || progress.counters().messages == first.len() as u64);
        broker.kill();
        broker.restart();
        ingest::publish(&config, second).unwrap();
        wait_until("all is durable", || progress.counters().messages == messages.len() as u64);
    })
    .unwrap();

    let from_files = Station::new();
    let mut journal = from_files.open();
    let mut batch = journal::Batch::new();
    for (ordinal, message) in (0_u64..).zip(&messages) {
        let origin = journal::Origin::File { name: "all.jsonl".into(), digest: Digest([0; 32]), ordinal };
        let headers = message.header_refs();
        batch.push(origin, &message.borrow(&headers));
    }
    journal.append(batch, "2026-03-01T00:00:00Z".parse().unwrap()).unwrap();
    journal.close().unwrap();

    let (kafka_counts, kafka_digest) = from_kafka.answers();
    let (file_counts, file_digest) = from_files.answers();
    assert_eq!(kafka_counts, file_counts);
    assert!(file_counts.accepted > 30 && file_counts.duplicate > 10, "{file_counts:?}");
    assert_eq!(file_counts.quarantined, 1);
    assert_eq!(kafka_digest, file_digest);
}

/// TLS with SASL: PLAIN and SCRAM read what was written in the clear; a wrong password and an
/// authority that nobody vouched for are refused by name.
#[test]
fn tls_and_sasl_let_in_who_may_and_nobody_else() {
    let Some(broker) = Broker::start() else { return };
    let (plain, name) = topic(broker.config(), "secure", 2);
    produce(&plain, 0, 300);
    let of = |mechanism, user: &str, password: &str| only_usage(broker.secure_config(mechanism, user, password), &name);
    for config in [
        of(Mechanism::Plain, "alice", PLAIN_PASSWORD),
        of(Mechanism::ScramSha512, "bob", SCRAM_PASSWORD),
        of(Mechanism::ScramSha256, "bob", SCRAM_PASSWORD),
    ] {
        let station = Station::new();
        let report = station.catch_up(&config).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(report.counters.messages, 300);
        assert_exactly_once(&station, 300);
    }

    let mut strange = of(Mechanism::Plain, "alice", PLAIN_PASSWORD);
    strange.security.ca_file = None;
    for config in [
        of(Mechanism::Plain, "alice", "guessed"),
        of(Mechanism::ScramSha512, "bob", "guessed"),
        of(Mechanism::ScramSha512, "alice", PLAIN_PASSWORD),
        strange,
    ] {
        let fault = Station::new().catch_up(&config).unwrap_err();
        assert_eq!(fault.name(), "access-refused", "{fault}");
    }
}
