//! How far ingest is, for metrics, `pec status` and the check before closing a period.
//!
//! Durable offsets are set by the writer after an append and by nobody else; watermarks are what
//! the brokers last said. Being caught up is decided by offset against watermark, never by counting
//! messages: transaction ends and aborted records occupy offsets that nobody delivers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::entry::Stream;

use crate::check::Start;

/// How far one partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionProgress {
    pub topic: String,
    pub stream: Stream,
    pub partition: i32,
    /// Everything before this offset is durable in the journal.
    pub next_offset: i64,
    pub low_watermark: i64,
    pub high_watermark: i64,
}

impl PartitionProgress {
    /// How many offsets are still to be read.
    #[must_use]
    pub fn lag(&self) -> i64 {
        (self.high_watermark - self.next_offset).max(0)
    }
}

/// Counters since ingest started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub messages: u64,
    pub bytes: u64,
    pub batches: u64,
    /// Complaints of librdkafka that heal by themselves.
    pub complaints: u64,
}

#[derive(Default)]
struct Inner {
    partitions: Vec<PartitionProgress>,
    counters: Counters,
    running: bool,
}

/// Shared between ingest, which writes it, and whoever wants to know.
#[derive(Default)]
pub struct Progress {
    inner: Mutex<Inner>,
}

impl Progress {
    /// Every partition that is read, in order of topic and number. Empty until the brokers answered.
    #[must_use]
    pub fn partitions(&self) -> Vec<PartitionProgress> {
        self.lock().partitions.clone()
    }

    #[must_use]
    pub fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// Whether messages can arrive at this moment: the start checks passed and nothing stopped it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.lock().running
    }

    /// Whether everything that the brokers last told of is durable.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        let inner = self.lock();
        !inner.partitions.is_empty() && inner.partitions.iter().all(|partition| partition.lag() == 0)
    }

    pub(crate) fn joined(&self, starts: &[Start]) {
        let partitions = starts
            .iter()
            .map(|start| PartitionProgress {
                topic: start.topic.clone(),
                stream: start.stream,
                partition: start.partition,
                next_offset: start.offset,
                low_watermark: 0,
                high_watermark: start.high,
            })
            .collect();
        let mut inner = self.lock();
        inner.partitions = partitions;
        inner.running = true;
    }

    pub(crate) fn left(&self) {
        self.lock().running = false;
    }

    /// Notes what an append made durable; `next` names partitions by their place in the start plan.
    pub(crate) fn durable(&self, next: &[(usize, i64)], messages: usize, bytes: usize) {
        let mut inner = self.lock();
        for (index, offset) in next {
            inner.partitions[*index].next_offset = *offset;
        }
        inner.counters.messages += messages as u64;
        inner.counters.bytes += bytes as u64;
        inner.counters.batches += 1;
    }

    pub(crate) fn watermarks(&self, index: usize, low: Option<i64>, high: i64) {
        let mut inner = self.lock();
        let partition = &mut inner.partitions[index];
        partition.high_watermark = partition.high_watermark.max(high);
        if let Some(low) = low {
            partition.low_watermark = low;
        }
    }

    pub(crate) fn complaint(&self) {
        self.lock().counters.complaints += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Plain numbers: whoever panicked while holding the lock left them as good as they were.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Reason;

    fn start(partition: i32, offset: i64, high: i64) -> Start {
        Start {
            topic: "t".to_owned(),
            stream: Stream::Usage,
            partition,
            offset,
            reason: Reason::Resumed,
            high,
            witness: None,
        }
    }

    #[test]
    fn caught_up_means_every_partition_and_only_what_is_durable() {
        let progress = Progress::default();
        assert!(!progress.is_caught_up(), "nothing is known yet");
        progress.joined(&[start(0, 5, 5), start(1, 0, 3)]);
        assert!(!progress.is_caught_up());
        progress.durable(&[(1, 3)], 2, 100);
        assert!(progress.is_caught_up());
        progress.watermarks(0, None, 6);
        assert!(!progress.is_caught_up());
        assert_eq!(progress.partitions()[0].lag(), 1);
        assert_eq!(progress.counters().messages, 2);
    }
}
