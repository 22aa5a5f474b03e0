//! Every librdkafka option that we rely on, set explicitly, in this one place.
//!
//! The options decide whether events can be lost without a word; that is why none of them may be
//! overridden by configuration and why defaults are not trusted.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use crate::config::Config;
use crate::fault::Fault;
use crate::limits;

/// Options whose values the correctness of ingest rests on, consumer and producer alike.
const RELIED_ON: [&str; 26] = [
    "bootstrap.servers",
    "group.id",
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "isolation.level",
    "check.crcs",
    "enable.partition.eof",
    "allow.auto.create.topics",
    "statistics.interval.ms",
    "max.poll.interval.ms",
    "enable.idempotence",
    "acks",
    "request.required.acks",
    "partitioner",
    "transactional.id",
    "group.instance.id",
    "partition.assignment.strategy",
    "group.protocol",
    "metadata.broker.list",
];

pub(crate) fn relied_on(name: &str) -> bool {
    RELIED_ON.contains(&name)
}

fn millis(duration: std::time::Duration) -> String {
    duration.as_millis().to_string()
}

/// What every client needs: where to go, how to speak, and the operator's own properties.
fn common(config: &Config) -> Result<ClientConfig, Fault> {
    config.validate()?;
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.bootstrap_servers)
        .set("client.id", "pec")
        .set("security.protocol", config.security.protocol.name())
        .set("allow.auto.create.topics", "false")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "5000")
        // Metadata is refreshed more often than the four minutes after which Event Hubs closes
        // an idle connection.
        .set("metadata.max.age.ms", "180000")
        .set_log_level(RDKafkaLogLevel::Warning);
    if let Some(file) = &config.security.ca_file {
        client.set("ssl.ca.location", file.to_string_lossy());
    }
    if let Some(mechanism) = config.security.sasl_mechanism {
        client.set("sasl.mechanism", mechanism.name());
    }
    if let Some(username) = &config.security.username {
        client.set("sasl.username", username);
    }
    if let Some(password) = config.security.password()? {
        client.set("sasl.password", password.0);
    }
    for (name, value) in &config.properties {
        client.set(name, value);
    }
    Ok(client)
}

fn set_unless_given(client: &mut ClientConfig, config: &Config, defaults: &[(&str, String)]) {
    for (name, value) in defaults {
        if !config.properties.contains_key(*name) {
            client.set(*name, value);
        }
    }
}

/// The consumer that fills the journal.
pub(crate) fn consumer(config: &Config) -> Result<ClientConfig, Fault> {
    let mut client = common(config)?;
    client
        // Needed with `assign()` too: without it the consumer has no queue of its own.
        .set("group.id", &config.group_id)
        // Offsets live in the journal. What Kafka remembers is information.
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Never `earliest` or `latest`: an offset that is gone must be an error, not a skip.
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        .set("enable.partition.eof", "false")
        .set("statistics.interval.ms", millis(limits::STATISTICS_EVERY))
        .set("max.poll.interval.ms", "300000");
    // Throughput, memory and patience; an operator may know better.
    let defaults = [
        ("session.timeout.ms", "45000".to_owned()),
        ("queued.min.messages", "100000".to_owned()),
        ("queued.max.messages.kbytes", limits::PREFETCH_KBYTES.to_string()),
        ("fetch.queue.backoff.ms", "20".to_owned()),
        ("fetch.wait.max.ms", "100".to_owned()),
    ];
    set_unless_given(&mut client, config, &defaults);
    Ok(client)
}

/// A consumer for questions: it reads one topic at a time and is told where a partition ends.
pub(crate) fn probe(config: &Config) -> Result<ClientConfig, Fault> {
    let mut client = consumer(config)?;
    client.set("enable.partition.eof", "true").set("statistics.interval.ms", "0").set("queued.min.messages", "1000");
    Ok(client)
}

/// A client for creating and inspecting topics.
pub(crate) fn admin(config: &Config) -> Result<ClientConfig, Fault> {
    common(config)
}

/// A producer whose retries cannot duplicate or reorder.
pub(crate) fn producer(config: &Config) -> Result<ClientConfig, Fault> {
    let mut client = common(config)?;
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // The partitioner of the Java client: one key, one partition, whoever publishes.
        .set("partitioner", "murmur2_random")
        .set("statistics.interval.ms", "0");
    let defaults = [
        ("compression.type", "lz4".to_owned()),
        ("linger.ms", "20".to_owned()),
        ("batch.size", "1000000".to_owned()),
        ("batch.num.messages", "10000".to_owned()),
        ("queue.buffering.max.messages", "200000".to_owned()),
        ("queue.buffering.max.kbytes", "262144".to_owned()),
        ("message.max.bytes", limits::MESSAGE_BYTES.to_string()),
        ("message.timeout.ms", millis(limits::PUBLISH)),
    ];
    set_unless_given(&mut client, config, &defaults);
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_skipped_or_acknowledged_behind_our_back() {
        let client = consumer(&Config::plain("localhost:1")).unwrap();
        for (name, value) in [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
            ("isolation.level", "read_committed"),
            ("check.crcs", "true"),
            ("allow.auto.create.topics", "false"),
        ] {
            assert_eq!(client.get(name), Some(value), "{name}");
            assert!(relied_on(name), "{name} could be overridden");
        }
    }

    #[test]
    fn an_operators_property_reaches_the_client_and_wins_over_a_tuning_default() {
        let mut config = Config::plain("localhost:1");
        config.properties.insert("fetch.wait.max.ms".to_owned(), "7".to_owned());
        config.properties.insert("session.timeout.ms".to_owned(), "30000".to_owned());
        let client = consumer(&config).unwrap();
        assert_eq!(client.get("fetch.wait.max.ms"), Some("7"));
        assert_eq!(client.get("session.timeout.ms"), Some("30000"));
    }

    /// TLS and SASL are part of the default build: a client with either can be made.
    #[test]
    fn the_default_build_speaks_tls_and_sasl() {
        use crate::config::{Mechanism, Protocol, Secret};
        for mechanism in [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512] {
            let mut config = Config::plain("localhost:1");
            config.security.protocol = Protocol::SaslSsl;
            config.security.sasl_mechanism = Some(mechanism);
            config.security.username = Some("u".to_owned());
            config.security.password = Some(Secret("p".to_owned()));
            let client: Result<rdkafka::consumer::BaseConsumer, _> = consumer(&config).unwrap().create();
            assert!(client.is_ok(), "{mechanism:?}: {:?}", client.err());
        }
    }
}
