//! The client alone: polls everything that the topics hold and throws it away.
//!
//! The yardstick for `pec bench`: what ingest could reach at most on the same topics, on the same
//! machine, in the same minute. It decodes nothing and stores nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::cluster::{self, Questions};
use crate::config::Config;
use crate::fault::Fault;
use crate::{limits, settings};

/// How much was polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    pub messages: u64,
    pub bytes: u64,
}

/// Polls from the beginning of every topic to the end that it has at the start. Topics that fall silent
/// before their end are a fault: a yardstick for a part would measure nothing.
pub fn poll_all(config: &Config, stop: &AtomicBool) -> Result<Polled, Fault> {
    let consumer = cluster::connect(&settings::consumer(config)?)?;
    let seen = Questions { config, consumer: &consumer, stop }.look()?;
    let mut assignment = TopicPartitionList::new();
    let mut due: Vec<(String, i32, i64)> = Vec::new();
    for topic in &seen {
        for (partition, (low, high)) in (0_i32..).zip(&topic.watermarks) {
            cluster::assign_at(&mut assignment, &topic.topic, partition, *low)?;
            if low < high {
                due.push((topic.topic.clone(), partition, *high));
            }
        }
    }
    consumer.assign(&assignment).map_err(|source| Fault::Client { doing: "assign partitions", source })?;
    let mut polled = Polled::default();
    let mut last = 0;
    let mut silent_since = None;
    while !due.is_empty() && !stop.load(Ordering::Relaxed) {
        match consumer.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => {
                silent_since = None;
                polled.messages += 1;
                polled.bytes += message.payload_len() as u64;
                let is = |(topic, partition, _): &(String, i32, i64)| {
                    *partition == message.partition() && topic == message.topic()
                };
                if !due.get(last).is_some_and(is) {
                    last = due.iter().position(is).unwrap_or(last);
                }
                if due.get(last).is_some_and(|(_, _, high)| message.offset() + 1 >= *high) {
                    due.swap_remove(last);
                }
            }
            Some(Err(source)) => tracing::debug!(%source, "while polling alone"),
            None => {
                let now = crate::now();
                if now - *silent_since.get_or_insert(now) > limits::REQUEST {
                    return Err(Fault::Unreachable {
                        servers: config.bootstrap_servers.clone(),
                        doing: "polling topics to their end",
                        detail: consumer.context().trouble().unwrap_or_else(|| "no answer in time".to_owned()),
                    });
                }
            }
        }
    }
    crate::close(consumer);
    Ok(polled)
}
