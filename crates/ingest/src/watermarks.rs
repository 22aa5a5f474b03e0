//! What the brokers hold at a given time: the offsets that must be durable before a period closes.
//!
//! The broker answers by its own record timestamps. Where it has no record at or after the time,
//! the present end of the partition is what must be durable.

use std::sync::atomic::AtomicBool;

use domain::entry::Stream;
use domain::period::Instant;
use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::cluster::{self, Questions};
use crate::config::Config;
use crate::fault::Fault;
use crate::{check, limits, settings};

/// The offset that one partition must be durable up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub topic: String,
    pub stream: Stream,
    pub partition: i32,
    /// Everything before this offset was there at the time.
    pub offset: i64,
    pub low_watermark: i64,
    pub high_watermark: i64,
}

/// For every partition of every topic that is read: up to where it must be durable so that all
/// that Kafka held at `time` (now, if absent) is in the journal. A cluster that does not answer is
/// a fault, never an empty list.
pub fn watermarks_at(config: &Config, time: Option<Instant>) -> Result<Vec<Due>, Fault> {
    let consumer = cluster::connect(&settings::probe(config)?)?;
    let stop = AtomicBool::new(false);
    let questions = Questions { config, consumer: &consumer, stop: &stop };
    questions.answer(limits::REQUEST)?;
    let mut due = Vec::new();
    for seen in questions.look()? {
        let offsets = match time {
            Some(time) => offsets_at(&consumer, &seen, time)?,
            None => vec![None; seen.watermarks.len()],
        };
        for ((partition, &(low, high)), at) in (0_i32..).zip(&seen.watermarks).zip(offsets) {
            due.push(Due {
                topic: seen.topic.clone(),
                stream: seen.stream,
                partition,
                offset: at.unwrap_or(high).clamp(low, high.max(low)),
                low_watermark: low,
                high_watermark: high,
            });
        }
    }
    crate::close(consumer);
    Ok(due)
}

/// What the brokers hold of one topic now, from the earliest offset to the end, per partition.
pub fn held(config: &Config, stream: Stream, topic: &str) -> Result<Vec<Due>, Fault> {
    let consumer = cluster::connect(&settings::probe(config)?)?;
    let stop = AtomicBool::new(false);
    let questions = Questions { config, consumer: &consumer, stop: &stop };
    questions.answer(limits::REQUEST)?;
    let seen = questions.look_at(stream, topic)?;
    crate::close(consumer);
    let due = (0_i32..).zip(&seen.watermarks).map(|(partition, &(low, high))| Due {
        topic: topic.to_owned(),
        stream,
        partition,
        offset: high,
        low_watermark: low,
        high_watermark: high,
    });
    Ok(due.collect())
}

/// The first offset at or after the time, per partition; `None` where there is none.
fn offsets_at(
    consumer: &crate::client::Consumer,
    seen: &check::Seen,
    time: Instant,
) -> Result<Vec<Option<i64>>, Fault> {
    let fault = |source| Fault::Client { doing: "ask for the offsets of a time", source };
    let mut asked = TopicPartitionList::new();
    for (partition, _) in (0_i32..).zip(&seen.watermarks) {
        asked.add_partition_offset(&seen.topic, partition, Offset::Offset(time.timestamp_millis())).map_err(fault)?;
    }
    let answered = consumer.offsets_for_times(asked, limits::REQUEST).map_err(fault)?;
    let mut offsets = vec![None; seen.watermarks.len()];
    for element in answered.elements() {
        element.error().map_err(fault)?;
        let place = check::place(element.partition());
        if let Offset::Offset(offset) = element.offset() {
            offsets[place] = Some(offset);
        }
    }
    Ok(offsets)
}

/// Reads one topic from its beginning to its present end: what was decided, to know what is still
/// to be published or to bring it back. Meant for small topics; nothing is journalled here.
pub fn read_topic(
    config: &Config,
    stream: Stream,
    topic: &str,
    take: &mut dyn FnMut(&journal::wire::MessageRef<'_>),
) -> Result<(), Fault> {
    use rdkafka::error::KafkaError;
    use rdkafka::message::Message as _;
    let consumer = cluster::connect(&settings::probe(config)?)?;
    let stop = AtomicBool::new(false);
    let questions = Questions { config, consumer: &consumer, stop: &stop };
    questions.answer(limits::REQUEST)?;
    let seen = questions.look_at(stream, topic)?;
    let mut assignment = TopicPartitionList::new();
    for (partition, &(low, _)) in (0_i32..).zip(&seen.watermarks) {
        cluster::assign_at(&mut assignment, topic, partition, low)?;
    }
    consumer.assign(&assignment).map_err(|source| Fault::Client { doing: "assign partitions", source })?;
    let mut open = vec![true; seen.watermarks.len()];
    let mut heard_at = crate::now();
    while open.contains(&true) {
        match consumer.poll(limits::POLL_WAIT) {
            Some(Ok(record)) => {
                heard_at = crate::now();
                debug_assert_eq!(record.topic(), topic, "one topic is assigned");
                crate::message::with_ref(&record, stream, |message| take(message));
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                heard_at = crate::now();
                open[check::place(partition)] = false;
            }
            Some(Err(error)) if crate::client::severity(&error) == crate::client::Severity::Fatal => {
                return Err(Fault::Unsafe { source: error });
            }
            Some(Err(_)) | None if crate::now() - heard_at > limits::START_CHECKS => {
                return Err(Fault::Unreachable {
                    servers: config.bootstrap_servers.clone(),
                    doing: "reading a topic to its end",
                    detail: consumer.context().trouble().unwrap_or_else(|| "no answer in time".to_owned()),
                });
            }
            Some(Err(_)) | None => {}
        }
    }
    crate::close(consumer);
    Ok(())
}
