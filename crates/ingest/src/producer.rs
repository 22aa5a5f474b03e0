//! Publishing: what was decided here, and generated events by the million.
//!
//! The producer is idempotent, so that its own retries neither duplicate nor reorder. Publishing
//! twice after a crash is harmless as well: the events keep their identity. Success is only told
//! after every message was acknowledged by all in-sync replicas.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::entry::Stream;
use domain::ids::Identity;
use journal::wire::{self, Message, MessageRef};
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};

use crate::config::Config;
use crate::fault::Fault;
use crate::{limits, settings, watermarks};

/// Counts acknowledgements.
#[derive(Default)]
struct Acknowledgements {
    delivered: AtomicU64,
    failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
    trouble: Mutex<Option<String>>,
}

impl Acknowledgements {
    fn note(slot: &Mutex<Option<String>>, text: impl FnOnce() -> String) {
        slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(text);
    }

    fn read(slot: &Mutex<Option<String>>) -> Option<String> {
        slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Acknowledgements {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        Self::note(&self.trouble, || format!("{reason} ({error})"));
    }
}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.delivered.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                Self::note(&self.first_failure, || error.to_string());
            }
        }
    }
}

/// Sends messages to the topics of their streams, fast, with bounded memory.
pub struct Sink {
    producer: Arc<BaseProducer<Acknowledgements>>,
    config: Config,
    sent: u64,
}

impl Sink {
    pub fn new(config: &Config) -> Result<Self, Fault> {
        Self::of(config, &settings::producer(config)?)
    }

    fn of(config: &Config, settings: &rdkafka::ClientConfig) -> Result<Self, Fault> {
        let producer = settings
            .create_with_context(Acknowledgements::default())
            .map_err(|source| Fault::Client { doing: "make a Kafka producer", source })?;
        Ok(Self { producer: Arc::new(producer), config: config.clone(), sent: 0 })
    }

    /// Queues one message; blocks while too much is on its way.
    pub fn send(&mut self, message: &Message) -> Result<(), Fault> {
        let headers = message.header_refs();
        self.send_ref(&message.borrow(&headers))
    }

    /// Like [`Sink::send`], for bytes that somebody else holds.
    pub fn send_ref(&mut self, message: &MessageRef<'_>) -> Result<(), Fault> {
        let Some(topic) = self.config.topics.of(message.stream) else {
            return Err(Fault::Configuration(format!("no topic is configured for {}", message.stream.name())));
        };
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
        record.key = message.key;
        record.payload = message.value;
        record.headers = owned(message);
        let until = crate::now() + limits::PUBLISH;
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if crate::now() < until => {
                    record = back;
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((error, _)) => return Err(self.failed(topic, &error.to_string())),
            }
        }
        self.sent += 1;
        // Serving acknowledgements now and then keeps their queue short at hardly any cost.
        if self.sent.is_multiple_of(256) {
            self.producer.poll(Duration::ZERO);
            self.check(topic)?;
        }
        Ok(())
    }

    /// Queues bytes for a topic that is written and never read back.
    fn send_to(&mut self, topic: &str, key: &[u8], headers: OwnedHeaders, value: &[u8]) -> Result<(), Fault> {
        let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).key(key).payload(value).headers(headers);
        self.producer.send(record).map_err(|(error, _)| self.failed(topic, &error.to_string()))?;
        self.sent += 1;
        Ok(())
    }

    /// Waits until everything sent is acknowledged; says how much that was.
    pub fn finish(self) -> Result<u64, Fault> {
        let topic = "Kafka";
        self.producer.flush(limits::PUBLISH).map_err(|error| self.failed(topic, &error.to_string()))?;
        self.check(topic)?;
        let delivered = self.producer.context().delivered.load(Ordering::Relaxed);
        if delivered != self.sent {
            return Err(self.failed(topic, &format!("{delivered} of {} messages were acknowledged", self.sent)));
        }
        Ok(delivered)
    }

    fn check(&self, topic: &str) -> Result<(), Fault> {
        let notes = self.producer.context();
        match notes.failed.load(Ordering::Relaxed) {
            0 => Ok(()),
            failed => Err(self.failed(topic, &format!("{failed} messages failed"))),
        }
    }

    fn failed(&self, topic: &str, what: &str) -> Fault {
        let notes = self.producer.context();
        let mut detail = what.to_owned();
        for more in [Acknowledgements::read(&notes.first_failure), Acknowledgements::read(&notes.trouble)] {
            if let Some(more) = more.filter(|more| !detail.contains(more.as_str())) {
                detail = format!("{detail}: {more}");
            }
        }
        Fault::Publish { topic: topic.to_owned(), detail }
    }
}

fn owned(message: &MessageRef<'_>) -> Option<OwnedHeaders> {
    if message.headers.is_empty() {
        return None;
    }
    let headers = OwnedHeaders::new_with_capacity(message.headers.len());
    Some(
        message
            .headers
            .iter()
            .fold(headers, |headers, header| headers.insert(Header { key: header.name, value: header.value })),
    )
}

/// Publishes messages and returns when all are acknowledged. Meant for few messages, after they
/// are durable in the journal.
pub fn publish<'m>(config: &Config, messages: impl IntoIterator<Item = &'m Message>) -> Result<u64, Fault> {
    let mut sink = Sink::new(config)?;
    for message in messages {
        sink.send(message)?;
    }
    sink.finish()
}

/// Publishes alerts, each a key and a structured CloudEvent, in their order, and returns when all are
/// acknowledged. After a fault some of them may have arrived.
pub fn publish_alerts<'m>(
    config: &Config,
    alerts: impl IntoIterator<Item = (&'m [u8], &'m [u8])>,
) -> Result<(), Fault> {
    let topic = config.topics.alerts.as_str();
    if topic.is_empty() {
        return Err(Fault::Configuration("no topic is configured for alerts".to_owned()));
    }
    let content_type = b"application/cloudevents+json; charset=UTF-8".as_slice();
    let mut sink = Sink::new(config)?;
    for (key, event) in alerts {
        let headers = OwnedHeaders::new().insert(Header { key: "content-type", value: Some(content_type) });
        sink.send_to(topic, key, headers, event)?;
    }
    sink.finish().map(|_| ())
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Commit,
    /// Readers of committed records never see the messages.
    Abort,
}

/// Publishes messages in one transaction, as upstream producers may. Only tests have a reason to
/// abort one.
pub fn publish_in_transaction(config: &Config, id: &str, messages: &[Message], end: Ending) -> Result<(), Fault> {
    let mut sink = Sink::of(config, settings::producer(config)?.set("transactional.id", id))?;
    let told = |doing| move |source| Fault::Client { doing, source };
    let producer = sink.producer.clone();
    producer.init_transactions(limits::PUBLISH).map_err(told("register for transactions"))?;
    producer.begin_transaction().map_err(told("begin a transaction"))?;
    for message in messages {
        sink.send(message)?;
    }
    sink.finish()?;
    match end {
        Ending::Commit => producer.commit_transaction(limits::PUBLISH).map_err(told("commit a transaction")),
        Ending::Abort => producer.abort_transaction(limits::PUBLISH).map_err(told("abort a transaction")),
    }
}

/// Publishes those decisions that the `decisions` topic does not hold yet: after a crash between
/// append and publish, or after the topic was configured late. Nothing to do without such a topic.
pub fn publish_missing(config: &Config, decisions: &mut dyn Iterator<Item = Message>) -> Result<u64, Fault> {
    let Some(topic) = config.topics.of(Stream::Decisions) else { return Ok(0) };
    let mut there = BTreeSet::new();
    watermarks::read_topic(config, Stream::Decisions, topic, &mut |message| there.extend(identities(message)))?;
    let mut sink = Sink::new(config)?;
    for message in decisions {
        let headers = message.header_refs();
        let mine = identities(&message.borrow(&headers));
        if mine.is_empty() || mine.iter().any(|identity| !there.contains(identity)) {
            sink.send(&message)?;
        }
    }
    sink.finish()
}

fn identities(message: &MessageRef<'_>) -> Vec<Identity> {
    wire::decode(message).into_iter().flatten().map(|fact| fact.identity).collect()
}
