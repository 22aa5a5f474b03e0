//! The numbers: a limit on every queue, batch, wait and retry of this crate, each with its reason.
//!
//! None of them changes what ends up in the journal; they only bound memory and time.

use std::time::Duration;

/// A batch is handed to the writer at this many bytes of messages: large enough that one `fdatasync`
/// and one compressed frame are shared by thousands of messages.
pub(crate) const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Room for a batch: its bytes, and those of the messages that are polled between two looks at them.
pub(crate) const BATCH_ROOM: usize = BATCH_BYTES + BATCH_BYTES / 4;

/// …or at this many messages, so that a batch of tiny messages stays bounded too.
pub(crate) const BATCH_MESSAGES: usize = 16_384;

/// …or this long after its first message, so that a quiet topic is durable within a blink.
pub(crate) const BATCH_AGE: Duration = Duration::from_millis(20);

/// Batches that wait before and behind each packing thread. With those that are being filled, packed
/// and written this bounds the memory between Kafka and the disk.
pub(crate) const WAITING: usize = 1;

/// How many threads decode and pack: as many as there are cores, within reason. Polling and writing
/// leave enough of each core idle.
pub(crate) fn packing_threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4)
}

/// What librdkafka may prefetch, over all partitions: a tenth of a second at full speed. It asks for
/// more as soon as less is there, a megabyte packed for each partition, so that what it holds at most is
/// several times this.
pub(crate) const PREFETCH_KBYTES: u32 = 16_384;

/// The longest single wait in `poll`, and so how late a request to stop is noticed.
pub(crate) const POLL_WAIT: Duration = Duration::from_millis(100);

/// One question to the cluster (metadata, watermarks) may take this long.
pub(crate) const REQUEST: Duration = Duration::from_secs(5);

/// The questions asked before the first message, together, once a broker has answered at all.
pub(crate) const START_CHECKS: Duration = Duration::from_secs(30);

/// How long fetching the last delivered records again may take.
pub(crate) const LAST_RECORDS: Duration = Duration::from_secs(15);

/// How often durable offsets are committed to Kafka, as information for lag tools.
pub(crate) const COMMIT_EVERY: Duration = Duration::from_secs(5);

/// How often librdkafka tells where it stands.
pub(crate) const STATISTICS_EVERY: Duration = Duration::from_millis(1_000);

/// How often partition counts and watermarks are asked for while running.
pub(crate) const METADATA_EVERY: Duration = Duration::from_secs(60);

/// The same complaint of librdkafka is logged at most this often.
pub(crate) const COMPLAINT_EVERY: Duration = Duration::from_secs(10);

/// A condition that may heal by itself (a refused login while brokers restart, a topic that is not
/// known yet) stops ingest when it has lasted this long.
pub(crate) const PERSISTING: Duration = Duration::from_secs(60);

/// Closing the client may wait for a broker that is gone. After this long it is left behind: all
/// that matters is in the journal.
pub(crate) const CLOSE: Duration = Duration::from_secs(5);

/// Waiting for Kafka's acknowledgement of what is published.
pub(crate) const PUBLISH: Duration = Duration::from_secs(60);

/// The largest message that may be published. The topic's own `max.message.bytes` decides in the end.
pub(crate) const MESSAGE_BYTES: usize = 16 * 1024 * 1024;
