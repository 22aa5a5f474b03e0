//! Questions to the cluster before and beside reading: who it is, which partitions there are, where
//! they begin and end, and whether the last record that we read is still there.
//!
//! Nothing here touches the position of the consumer that fills the journal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::entry::Stream;
use journal::DeliveryKey;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::check::{Refetched, Seen, Start};
use crate::client::{Consumer, Notes};
use crate::config::Config;
use crate::fault::Fault;
use crate::{limits, message, settings};

pub(crate) fn connect(settings: &rdkafka::ClientConfig) -> Result<Consumer, Fault> {
    settings
        .create_with_context(Notes::default())
        .map_err(|source| Fault::Client { doing: "make a Kafka consumer", source })
}

/// How many queued callbacks are served before a missing answer is given a reason.
const SERVED: usize = 64;

/// Somebody who asks: the configuration, a client that is not reading, and when to give up.
pub(crate) struct Questions<'a> {
    pub(crate) config: &'a Config,
    pub(crate) consumer: &'a Consumer,
    pub(crate) stop: &'a AtomicBool,
}

impl Questions<'_> {
    /// Waits until a broker answers; `false` when stopped before. A broker that is away is waited
    /// for; one that refuses us is a fault at once, because that needs a person.
    pub(crate) fn await_broker(&self) -> Result<bool, Fault> {
        let mut last_said: Option<Instant> = None;
        while !self.stopped() {
            match self.answer(Duration::from_secs(2)) {
                Ok(()) => return Ok(true),
                Err(fault @ Fault::Unreachable { .. }) => {
                    let now = crate::now();
                    if last_said.is_none_or(|said| now - said >= limits::COMPLAINT_EVERY) {
                        last_said = Some(now);
                        tracing::warn!("{fault}; waiting");
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(false)
    }

    /// One question, to see that a broker answers.
    pub(crate) fn answer(&self, patience: Duration) -> Result<(), Fault> {
        let first = self.config.topics.read().next().map(|(_, topic)| topic);
        match self.consumer.fetch_metadata(first, patience) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.unanswered("asking who is there", &error)),
        }
    }

    /// The id by which the cluster calls itself; some (the in-process broker) have none worth keeping.
    /// Where one is recorded, silence is no answer: behind it may be another cluster.
    pub(crate) fn cluster_id(&self, recorded: bool) -> Result<Option<String>, Fault> {
        let id = self.consumer.client().fetch_cluster_id(limits::REQUEST).filter(|id| !id.is_empty());
        if id.is_none() && recorded {
            return Err(Fault::Unreachable {
                servers: self.config.bootstrap_servers.clone(),
                doing: "asking which cluster this is",
                detail: self.consumer.context().trouble().unwrap_or_else(|| "no answer in time".to_owned()),
            });
        }
        Ok(id)
    }

    /// The partitions of every topic that is read, with their watermarks.
    pub(crate) fn look(&self) -> Result<Vec<Seen>, Fault> {
        self.config.topics.read().map(|(stream, topic)| self.look_at(stream, topic)).collect()
    }

    pub(crate) fn look_at(&self, stream: Stream, topic: &str) -> Result<Seen, Fault> {
        let count = self.partition_count(topic)?;
        let watermarks = (0..count).map(|partition| self.watermarks(topic, partition)).collect::<Result<_, _>>()?;
        Ok(Seen { topic: topic.to_owned(), stream, watermarks })
    }

    /// How many partitions a topic has. A topic that was created a moment ago may be unknown to
    /// some broker, or without a leader: then the question is put again.
    fn partition_count(&self, topic: &str) -> Result<i32, Fault> {
        let started = crate::now();
        loop {
            let metadata = match self.consumer.fetch_metadata(Some(topic), limits::REQUEST) {
                Ok(metadata) => metadata,
                Err(error) => {
                    let fault = self.unanswered("asking for the partitions of a topic", &error);
                    let patient = matches!(fault, Fault::Unreachable { .. }) && !self.stopped();
                    if patient && crate::now() - started < limits::REQUEST {
                        continue;
                    }
                    return Err(fault);
                }
            };
            let found = metadata.topics().iter().find(|found| found.name() == topic);
            let trouble = found.and_then(|found| found.error()).map(RDKafkaErrorCode::from);
            let count = found.map_or(0, |found| found.partitions().len());
            let patience = match trouble {
                None if count > 0 => return Ok(i32::try_from(count).expect("Kafka counts partitions in 32 bits")),
                Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                    let detail = format!("no right to read topic {topic}");
                    return Err(Fault::AccessRefused { servers: self.config.bootstrap_servers.clone(), detail });
                }
                Some(RDKafkaErrorCode::LeaderNotAvailable) => limits::START_CHECKS,
                _ => limits::REQUEST,
            };
            if self.stopped() || crate::now() - started > patience {
                let servers = self.config.bootstrap_servers.clone();
                return Err(Fault::TopicMissing { topic: topic.to_owned(), servers });
            }
            std::thread::sleep(limits::POLL_WAIT);
        }
    }

    /// Low and high watermark of one partition; asked again while a leader is being elected.
    fn watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64), Fault> {
        let until = crate::now() + limits::START_CHECKS;
        loop {
            let error = match self.consumer.fetch_watermarks(topic, partition, limits::REQUEST) {
                Ok(watermarks) => return Ok(watermarks),
                Err(error) => error,
            };
            if self.stopped() || crate::now() > until || self.consumer.context().refusal().is_some() {
                return Err(self.unanswered("asking where a partition begins and ends", &error));
            }
            std::thread::sleep(limits::POLL_WAIT);
        }
    }

    /// Names why a question was not answered.
    fn unanswered(&self, doing: &'static str, error: &KafkaError) -> Fault {
        // The reason of a refusal is only told to whoever polls. This consumer is assigned nothing,
        // so there is no message that could be lost here. "None" may mean that statistics were
        // served, so it is no reason to stop early.
        for _ in 0..SERVED {
            drop(self.consumer.poll(Duration::ZERO));
        }
        let servers = self.config.bootstrap_servers.clone();
        let notes = self.consumer.context();
        if let Some(detail) = notes.refusal() {
            return Fault::AccessRefused { servers, detail };
        }
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed,
            ) => Fault::AccessRefused { servers, detail: error.to_string() },
            _ => Fault::Unreachable { servers, doing, detail: notes.trouble().unwrap_or_else(|| error.to_string()) },
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Fetches the last delivered records again; one answer per start that has a witness, in order.
pub(crate) fn refetch(
    config: &Config,
    starts: &[Start],
    key: &DeliveryKey,
    stop: &AtomicBool,
) -> Result<Vec<Refetched>, Fault> {
    let witnessed: Vec<&Start> = starts.iter().filter(|start| start.witness.is_some()).collect();
    let mut answers = Vec::with_capacity(witnessed.len());
    for of_topic in witnessed.chunk_by(|a, b| a.topic == b.topic) {
        answers.extend(refetch_topic(config, of_topic, key, stop)?);
    }
    Ok(answers)
}

/// Reads, for partitions of one topic, the record at each witness's offset. One topic at a time,
/// because the end of a partition is told by number only.
fn refetch_topic(
    config: &Config,
    starts: &[&Start],
    key: &DeliveryKey,
    stop: &AtomicBool,
) -> Result<Vec<Refetched>, Fault> {
    let consumer = connect(&settings::probe(config)?)?;
    let mut assignment = TopicPartitionList::new();
    for start in starts {
        let (offset, _) = start.witness.expect("only starts with a witness are passed here");
        assign_at(&mut assignment, &start.topic, start.partition, offset)?;
    }
    consumer.assign(&assignment).map_err(|source| Fault::Client { doing: "assign partitions", source })?;
    let mut found: Vec<Option<Refetched>> = vec![None; starts.len()];
    let until = crate::now() + limits::LAST_RECORDS;
    while found.iter().any(Option::is_none) {
        if crate::now() > until || stop.load(Ordering::Relaxed) {
            return Err(Fault::Unreachable {
                servers: config.bootstrap_servers.clone(),
                doing: "fetching the last recorded message again",
                detail: consumer.context().trouble().unwrap_or_else(|| "no answer in time".to_owned()),
            });
        }
        let place = |partition: i32| starts.iter().position(|start| start.partition == partition);
        match consumer.poll(limits::POLL_WAIT) {
            None => {}
            Some(Ok(record)) => {
                let Some(index) = place(record.partition()) else { continue };
                let start = starts[index];
                let same = start.witness.is_some_and(|(offset, _)| offset == record.offset());
                let refetched = if same {
                    Refetched::Record(message::with_ref(&record, start.stream, |message| key.digest(message)))
                } else {
                    Refetched::Nothing
                };
                found[index].get_or_insert(refetched);
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                if let Some(index) = place(partition) {
                    found[index].get_or_insert(Refetched::Nothing);
                }
            }
            Some(Err(error)) => tracing::debug!(%error, "while fetching the last recorded messages again"),
        }
    }
    crate::close(consumer);
    Ok(found.into_iter().flatten().collect())
}

pub(crate) fn assign_at(list: &mut TopicPartitionList, topic: &str, partition: i32, offset: i64) -> Result<(), Fault> {
    list.add_partition_offset(topic, partition, Offset::Offset(offset))
        .map_err(|source| Fault::Client { doing: "name an offset", source })
}
