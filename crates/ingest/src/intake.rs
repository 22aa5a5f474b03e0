//! The polling thread: takes records from librdkafka in order and fills batches for the writer.
//!
//! It owns all knowledge of what is due next in every partition. Offsets may have holes (control
//! records, aborted transactions, compaction) but never go back. It never pauses a partition: when
//! the writer is behind, it blocks here, and librdkafka stops fetching at its own limit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use domain::entry::Stream;
use journal::{Batch, Origin};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};

use crate::check::Start;
use crate::client::{self, Consumer, PartitionStatistics, Severity};
use crate::fault::Fault;
use crate::progress::Progress;
use crate::run::Until;
use crate::{limits, message};

/// A batch on its way to the writer, with the offsets that are durable once it is.
pub(crate) struct Filled {
    pub(crate) batch: Batch,
    /// Place in the start plan and next offset of every partition that moved.
    pub(crate) next: Vec<(usize, i64)>,
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// What is due next in one partition.
struct Track {
    topic: Arc<str>,
    stream: Stream,
    partition: i32,
    next: i64,
    /// Behind the last record of the batch that is being filled.
    shown: i64,
    /// Moved since the last batch was handed over.
    moved: bool,
    /// Reading up to here is enough when asked to stop once caught up.
    target: i64,
    /// Where librdkafka stood, with nothing queued, when it last told.
    idle_at: Option<i64>,
}

/// The polling thread's state.
pub(crate) struct Intake<'a> {
    consumer: &'a Consumer,
    progress: &'a Progress,
    /// To the packing threads, in turn.
    full: Vec<Sender<Filled>>,
    turn: usize,
    tracks: Vec<Track>,
    /// Records of one partition come in runs: where the last one belonged.
    last: usize,
    filling: Batch,
    filling_since: Option<Instant>,
    said: BTreeMap<String, Instant>,
    /// Asks the watching thread to look at the cluster soon.
    suspicion: &'a AtomicBool,
}

/// Why the polling thread returns without a fault.
pub(crate) enum Done {
    Stopped,
    CaughtUp,
    /// The writer is gone; it knows why.
    WriterGone,
}

/// Polls between two looks at the clock.
const BURST: usize = 256;

impl<'a> Intake<'a> {
    pub(crate) fn new(
        consumer: &'a Consumer,
        starts: &[Start],
        progress: &'a Progress,
        suspicion: &'a AtomicBool,
        full: Vec<Sender<Filled>>,
    ) -> Self {
        let tracks = starts
            .iter()
            .map(|start| Track {
                topic: Arc::from(start.topic.as_str()),
                stream: start.stream,
                partition: start.partition,
                next: start.offset,
                shown: start.offset,
                moved: false,
                target: start.high,
                idle_at: None,
            })
            .collect();
        Self {
            consumer,
            progress,
            full,
            turn: 0,
            tracks,
            last: 0,
            filling: Batch::with_room(limits::BATCH_ROOM),
            filling_since: None,
            said: BTreeMap::new(),
            suspicion,
        }
    }

    /// Polls until stopped, caught up (if that is enough), or a fault. What was filled is handed
    /// over in every case.
    pub(crate) fn run(mut self, until: Until, stop: &AtomicBool, halt: &AtomicBool) -> Result<Done, Fault> {
        let ended = self.poll_on(until, stop, halt);
        let handed_over = self.hand_over();
        match ended {
            Ok(_) if !handed_over => Ok(Done::WriterGone),
            ended => ended,
        }
    }

    fn poll_on(&mut self, until: Until, stop: &AtomicBool, halt: &AtomicBool) -> Result<Done, Fault> {
        let mut committed_at = crate::now();
        loop {
            if stop.load(Ordering::Relaxed) || halt.load(Ordering::Relaxed) {
                return Ok(Done::Stopped);
            }
            let idle = self.burst()?;
            if let Some(statistics) = self.consumer.context().take_statistics() {
                self.learn(&statistics);
            }
            let now = crate::now();
            if self.is_due(now) && !self.hand_over() {
                return Ok(Done::WriterGone);
            }
            if until == Until::CaughtUp && self.tracks.iter().all(|track| track.next >= track.target) {
                return Ok(Done::CaughtUp);
            }
            if now - committed_at >= limits::COMMIT_EVERY {
                committed_at = now;
                commit(self.consumer, self.progress);
            }
            if idle {
                self.poll_once(self.wait(now))?;
            }
        }
    }

    /// Takes what is there, without waiting; says whether there was nothing more.
    fn burst(&mut self) -> Result<bool, Fault> {
        for _ in 0..BURST {
            if !self.poll_once(Duration::ZERO)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn poll_once(&mut self, wait: Duration) -> Result<bool, Fault> {
        match self.consumer.poll(wait) {
            None => Ok(false),
            Some(Ok(record)) => self.take(&record).map(|()| true),
            Some(Err(error)) => self.complain(error).map(|()| true),
        }
    }

    /// How long to wait for the next record without making the first one of the batch late.
    fn wait(&self, now: Instant) -> Duration {
        match self.filling_since {
            None => limits::POLL_WAIT,
            Some(since) => limits::BATCH_AGE.saturating_sub(now - since).min(limits::POLL_WAIT),
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.filling.bytes() >= limits::BATCH_BYTES
            || self.filling.len() >= limits::BATCH_MESSAGES
            || self.filling_since.is_some_and(|since| now - since >= limits::BATCH_AGE)
    }

    fn take(&mut self, record: &BorrowedMessage<'_>) -> Result<(), Fault> {
        let (topic, partition, offset) = (record.topic(), record.partition(), record.offset());
        let index = self.place(topic, partition);
        let track = &mut self.tracks[index];
        if offset < track.next {
            let expected = track.next;
            return Err(Fault::OffsetWentBack { topic: topic.to_owned(), partition, expected, offset });
        }
        track.next = offset + 1;
        track.shown = track.next;
        track.moved = true;
        track.idle_at = None;
        let origin = Origin::Kafka {
            topic: Arc::clone(&track.topic),
            partition,
            offset,
            timestamp_ms: record.timestamp().to_millis(),
        };
        message::with_ref(record, track.stream, |message| self.filling.collect(origin, message));
        if self.filling_since.is_none() {
            self.filling_since = Some(crate::now());
        }
        Ok(())
    }

    /// Which track a record belongs to.
    fn place(&mut self, topic: &str, partition: i32) -> usize {
        let belongs = |track: &Track| track.partition == partition && *track.topic == *topic;
        if !belongs(&self.tracks[self.last]) {
            self.last = self.tracks.iter().position(belongs).expect("only assigned partitions are delivered");
        }
        self.last
    }

    /// Learns from librdkafka's statistics: the watermarks, and how far a partition was read where
    /// its last offsets hold no record for us.
    ///
    /// Statistics are told while polling, so every record polled before them has been taken. When
    /// librdkafka then has nothing queued and will fetch at offset N, everything before N that is
    /// to be delivered has been delivered; what lies between are transaction ends and aborted
    /// records. To rest on less than this reasoning, two statistics in a row must agree.
    fn learn(&mut self, statistics: &[PartitionStatistics]) {
        for told in statistics {
            let found = self.tracks.iter().position(|t| t.partition == told.partition && *t.topic == *told.topic);
            let Some(index) = found else { continue };
            if told.high >= 0 {
                self.progress.watermarks(index, (told.low >= 0).then_some(told.low), told.high);
            }
            let track = &mut self.tracks[index];
            let idle_at = (told.queued == 0 && told.fetch_offset > track.next).then_some(told.fetch_offset);
            if let Some(next) = idle_at
                && track.idle_at == idle_at
            {
                track.next = next;
                track.moved = true;
                self.filling_since.get_or_insert_with(crate::now);
            }
            track.idle_at = idle_at;
        }
    }

    /// Hands the batch over; blocks while the writer is behind. `false` when the writer is gone.
    fn hand_over(&mut self) -> bool {
        self.filling_since = None;
        let mut batch = std::mem::replace(&mut self.filling, Batch::with_room(limits::BATCH_ROOM));
        let mut next = Vec::new();
        for (index, track) in self.tracks.iter_mut().enumerate().filter(|(_, track)| track.moved) {
            track.moved = false;
            next.push((index, track.next));
            if track.next > track.shown {
                batch.advance(&track.topic, track.partition, track.next);
            }
        }
        if batch.is_empty() {
            return true;
        }
        let (messages, bytes) = (batch.len(), batch.bytes());
        let to = &self.full[self.turn];
        self.turn = (self.turn + 1) % self.full.len();
        to.send(Filled { batch, next, messages, bytes }).is_ok()
    }

    fn complain(&mut self, error: KafkaError) -> Result<(), Fault> {
        match client::severity(&error) {
            Severity::Fatal | Severity::OutOfRange => Err(Fault::Unsafe { source: error }),
            severity => {
                if severity == Severity::Lasting {
                    self.suspicion.store(true, Ordering::Relaxed);
                }
                self.progress.complaint();
                self.say(&error.to_string());
                Ok(())
            }
        }
    }

    fn say(&mut self, complaint: &str) {
        let now = crate::now();
        if self.said.get(complaint).is_none_or(|said| now - *said >= limits::COMPLAINT_EVERY) {
            self.said.insert(complaint.to_owned(), now);
            tracing::warn!("Kafka: {complaint}; waiting for it to heal");
        }
    }
}

/// Commits durable offsets to Kafka, for lag tools. Nothing here ever reads them back.
pub(crate) fn commit(consumer: &Consumer, progress: &Progress) {
    use rdkafka::consumer::CommitMode;
    use rdkafka::topic_partition_list::TopicPartitionList;
    let mut offsets = TopicPartitionList::new();
    for partition in progress.partitions() {
        if crate::cluster::assign_at(&mut offsets, &partition.topic, partition.partition, partition.next_offset)
            .is_err()
        {
            return;
        }
    }
    if let Err(error) = consumer.commit(&offsets, CommitMode::Async) {
        tracing::debug!(%error, "offsets were not committed to Kafka; they are information only");
    }
}
