//! What librdkafka tells on the side: log lines, global errors and statistics.
//!
//! Its callbacks run on the polling thread or on threads of its own, so all they do is to note.
//! A login or a TLS handshake that fails is only ever told here; questions then merely time out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use serde::Deserialize;

pub(crate) type Consumer = BaseConsumer<Notes>;

/// Where librdkafka stands with one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionStatistics {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Prefetched messages, of all partitions, that nobody polled yet.
    pub(crate) queued: i64,
    /// Where it will fetch next, beyond everything that it queued.
    pub(crate) fetch_offset: i64,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Notes of one client.
#[derive(Default)]
pub(crate) struct Notes {
    refusal: Mutex<Option<String>>,
    trouble: Mutex<Option<String>>,
    statistics: Mutex<Option<Vec<PartitionStatistics>>>,
    /// A commit was answered, one way or the other.
    committed: AtomicBool,
}

impl Notes {
    /// Why the cluster does not let us in, if that is what it said last.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn forget_refusal(&self) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The last global error, for messages about a cluster that does not answer.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a commit was answered since [`Notes::forget_commit`].
    pub(crate) fn has_committed(&self) -> bool {
        self.committed.load(Ordering::Relaxed)
    }

    pub(crate) fn forget_commit(&self) {
        self.committed.store(false, Ordering::Relaxed);
    }

    /// Statistics that were not taken yet.
    pub(crate) fn take_statistics(&self) -> Option<Vec<PartitionStatistics>> {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientContext for Notes {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug => tracing::trace!(target: "librdkafka", fac, "{message}"),
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => tracing::debug!(target: "librdkafka", fac, "{message}"),
            // Its errors are mostly a broker that is away, and are told again as errors of a call.
            _ => tracing::info!(target: "librdkafka", fac, "{message}"),
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        match read_statistics(statistics) {
            Ok(read) => *self.statistics.lock().unwrap_or_else(PoisonError::into_inner) = Some(read),
            Err(error) => tracing::warn!(%error, "librdkafka's statistics could not be read"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let text = format!("{reason} ({error})");
        tracing::debug!(target: "librdkafka", "{text}");
        if let Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL) = error.rdkafka_error_code() {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.clone());
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }
}

impl ConsumerContext for Notes {
    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        self.committed.store(true, Ordering::Relaxed);
        if let Err(error) = result {
            tracing::debug!(%error, "offsets were not committed to Kafka; they are information only");
        }
    }
}

/// The part of librdkafka's statistics that is read here.
#[derive(Deserialize)]
struct Statistics {
    #[serde(default)]
    topics: BTreeMap<String, TopicStatistics>,
}

#[derive(Deserialize)]
struct TopicStatistics {
    #[serde(default)]
    partitions: BTreeMap<String, RawPartition>,
}

#[derive(Deserialize)]
struct RawPartition {
    partition: i32,
    fetchq_cnt: i64,
    next_offset: i64,
    lo_offset: i64,
    hi_offset: i64,
}

fn read_statistics(json: &[u8]) -> Result<Vec<PartitionStatistics>, serde_json::Error> {
    let statistics: Statistics = serde_json::from_slice(json)?;
    let mut all = Vec::new();
    for (topic, partitions) in statistics.topics {
        // Partition -1 is librdkafka's own bucket for "not assigned yet".
        for raw in partitions.partitions.into_values().filter(|raw| raw.partition >= 0) {
            all.push(PartitionStatistics {
                topic: topic.clone(),
                partition: raw.partition,
                queued: raw.fetchq_cnt,
                fetch_offset: raw.next_offset,
                low: raw.lo_offset,
                high: raw.hi_offset,
            });
        }
    }
    Ok(all)
}

/// What an error from `poll` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Heals by itself; wait.
    Passing,
    /// May heal; stop when it lasts.
    Lasting,
    /// An offset is not there any more.
    OutOfRange,
    /// Going on could skip records, or we do not know what it means.
    Fatal,
}

/// Classifies an error from `poll`. What is not listed is fatal: stopping loses nothing.
pub(crate) fn severity(error: &KafkaError) -> Severity {
    use RDKafkaErrorCode as Code;
    let code = match error {
        KafkaError::MessageConsumption(code) | KafkaError::Global(code) => *code,
        _ => return Severity::Fatal,
    };
    match code {
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::OperationTimedOut
        | Code::RequestTimedOut
        | Code::NetworkException
        | Code::BrokerNotAvailable
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::ReplicaNotAvailable
        | Code::NotEnoughReplicas
        | Code::PreferredLeaderNotAvailable
        | Code::CoordinatorLoadInProgress
        | Code::CoordinatorNotAvailable
        | Code::NotCoordinator
        | Code::FencedLeaderEpoch
        | Code::UnknownLeaderEpoch
        | Code::OffsetNotAvailable
        | Code::ListenerNotFound
        | Code::KafkaStorageError
        | Code::ThrottlingQuotaExceeded
        | Code::WaitingForCoordinator
        | Code::Retry
        // The group only keeps informational offsets.
        | Code::GroupAuthorizationFailed => Severity::Passing,
        Code::Authentication
        | Code::SSL
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::UnknownTopicOrPartition
        | Code::UnknownTopic
        | Code::UnknownPartition => Severity::Lasting,
        Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation => Severity::OutOfRange,
        _ => Severity::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_is_away_is_waited_for_and_a_corrupt_batch_is_not() {
        let of = |code| severity(&KafkaError::MessageConsumption(code));
        assert_eq!(of(RDKafkaErrorCode::AllBrokersDown), Severity::Passing);
        assert_eq!(of(RDKafkaErrorCode::TopicAuthorizationFailed), Severity::Lasting);
        assert_eq!(of(RDKafkaErrorCode::AutoOffsetReset), Severity::OutOfRange);
        // librdkafka goes on behind a batch whose checksum differs or that it cannot unpack.
        for skipping in
            [RDKafkaErrorCode::BadMessage, RDKafkaErrorCode::BadCompression, RDKafkaErrorCode::InvalidMessage]
        {
            assert_eq!(of(skipping), Severity::Fatal, "{skipping:?}");
        }
        assert_eq!(severity(&KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::Fatal)), Severity::Fatal);
    }

    #[test]
    fn statistics_are_read_without_the_unassigned_bucket() {
        let partition = |number: i32| {
            format!(
                r#""{number}": {{"partition": {number}, "fetchq_cnt": 0, "next_offset": 4, "lo_offset": 0,
                   "hi_offset": 4, "ls_offset": 4, "leader": 1}}"#
            )
        };
        let json = format!(
            r#"{{"name": "x", "topics": {{"t": {{"topic": "t", "partitions": {{{}, {}}}}}}}}}"#,
            partition(0),
            partition(-1)
        );
        let read = read_statistics(json.as_bytes()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].partition, read[0].fetch_offset, read[0].high), (0, 4, 4));
        assert!(read_statistics(b"{\"topics\": 1}").is_err());
    }
}
