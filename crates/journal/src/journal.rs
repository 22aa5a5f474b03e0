//! The journal itself: who owns a data directory, and where its end is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use domain::entry::EntryRef;
use domain::ids::{Digest, Identity};
use domain::period::Instant;

use crate::batch::{Topic, write_message};
use crate::clean;
use crate::crash::point;
use crate::fault::Fault;
use crate::frame::{Chain, Head, PartitionHead, PartitionState};
use crate::identity::{Figures, Identities};
use crate::lock::Lock;
use crate::manifest::{Manifest, Sealed};
use crate::reader::{Reader, Shared};
use crate::seal::Sealing;
use crate::segment::Segment;
use crate::store::Store;
use crate::wire::MessageRef;
use crate::witness::{Testimony, Witness};

/// How far the clock may lie before the last entry.
const CLOCK_SLACK: TimeDelta = TimeDelta::minutes(5);

/// How a journal is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Create a journal where there is none.
    pub create: bool,
    /// Wait up to ten seconds for a lock that a dying process still holds.
    pub wait_for_lock: bool,
    /// A segment is sealed when its stored bytes reach this.
    pub segment_bytes: u64,
    /// A segment is sealed when it remembers this many identities. The default fills a table of
    /// 2^22 slots, 138 MB, without making it grow once more.
    pub segment_identities: u64,
    /// How many days the clock may lie ahead of the last entry when the journal is opened.
    pub clock_ahead_days: u32,
    /// A person says that the clock is right.
    pub accept_clock: bool,
    /// A person says that a journal without its witness shall be believed.
    pub accept_witness: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: false,
            wait_for_lock: true,
            segment_bytes: 512 << 20,
            segment_identities: 3_600_000,
            clock_ahead_days: 31,
            accept_clock: false,
            accept_witness: false,
        }
    }
}

/// Keys the digests of last delivered messages; one per journal, so that a short message cannot be
/// guessed from its digest by somebody who lacks the journal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeliveryKey(pub(crate) [u8; 32]);

impl DeliveryKey {
    /// The digest to compare with [`PartitionState::last_delivered`].
    #[must_use]
    pub fn digest(&self, message: &MessageRef<'_>) -> Digest {
        let mut bytes = Vec::new();
        write_message(&mut bytes, message);
        self.of_bytes(&bytes)
    }

    pub(crate) fn of_bytes(&self, bytes: &[u8]) -> Digest {
        Digest(*blake3::keyed_hash(&self.0, bytes).as_bytes())
    }
}

/// What is known of the end of the journal.
#[derive(Clone)]
pub(crate) struct Tail {
    pub(crate) segment: u32,
    /// The number of the next frame, and how many there are.
    pub(crate) frames: u64,
    /// The next block.
    pub(crate) block: u64,
    /// The next position.
    pub(crate) position: u64,
    pub(crate) chain: Chain,
    pub(crate) recorded_at: Option<Instant>,
    pub(crate) partitions: BTreeMap<(Topic, i32), PartitionTail>,
    pub(crate) cluster: Option<Box<str>>,
    /// Bytes stored in the active segment.
    pub(crate) bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionTail {
    pub(crate) next_offset: i64,
    pub(crate) last_delivered: Option<(i64, Digest)>,
}

impl Tail {
    pub(crate) fn before_everything() -> Self {
        Self {
            segment: 0,
            frames: 0,
            block: 0,
            position: 0,
            chain: [0; 32],
            recorded_at: None,
            partitions: BTreeMap::new(),
            cluster: None,
            bytes: 0,
        }
    }

    /// At the end of a sealed segment, as far as its line says. Offsets and times come with the next
    /// genesis frame, which states them all.
    pub(crate) fn behind(sealed: &Sealed) -> Self {
        Self {
            segment: sealed.number,
            frames: sealed.frames.end,
            block: sealed.blocks.end,
            position: sealed.positions.end,
            chain: sealed.chain,
            ..Self::before_everything()
        }
    }

    /// Before a sealed segment.
    pub(crate) fn before(sealed: &Sealed) -> Self {
        Self {
            segment: sealed.number - 1,
            frames: sealed.frames.start,
            block: sealed.blocks.start,
            position: sealed.positions.start,
            chain: sealed.before,
            ..Self::before_everything()
        }
    }

    /// Moves behind a frame.
    pub(crate) fn take(&mut self, head: &Head, chain: Chain, parts: u32, bytes: u64) {
        self.bytes = if self.segment == head.segment { self.bytes + bytes } else { bytes };
        self.segment = head.segment;
        self.frames = head.frame + 1;
        self.block += u64::from(parts);
        self.position = head.next_position();
        self.chain = chain;
        self.recorded_at = Some(head.recorded_at);
        self.cluster.clone_from(&head.cluster);
        for state in head.partition_states() {
            let tail = PartitionTail { next_offset: state.next_offset, last_delivered: state.last_delivered };
            self.partitions.insert((state.topic, state.partition), tail);
        }
    }

    /// The table of topics, beginning with those given, and the state of every partition.
    pub(crate) fn partition_table(&self, first: &[Topic]) -> (Vec<Topic>, Vec<PartitionHead>) {
        let mut topics = first.to_vec();
        let mut partitions = Vec::with_capacity(self.partitions.len());
        for ((topic, partition), state) in &self.partitions {
            let number = topics.iter().position(|known| known == topic).unwrap_or_else(|| {
                topics.push(topic.clone());
                topics.len() - 1
            });
            partitions.push(PartitionHead {
                topic: u16::try_from(number).expect("there are fewer than 65,536 topics"),
                partition: *partition,
                next_offset: state.next_offset,
                last_delivered: state.last_delivered,
            });
        }
        (topics, partitions)
    }
}

/// A journal that this process owns.
pub struct Journal {
    pub(crate) shared: Arc<Shared>,
    pub(crate) active: Arc<Segment>,
    pub(crate) options: Options,
    pub(crate) identities: Identities,
    /// Before the active segment.
    pub(crate) start: Tail,
    pub(crate) tail: Tail,
    pub(crate) witness: Witness,
    pub(crate) manifest: Manifest,
    pub(crate) sealing: Option<Sealing>,
    pub(crate) delivery_key: DeliveryKey,
    /// Something was set that no frame says yet.
    pub(crate) unwritten: bool,
    /// Why nothing more may be written.
    pub(crate) poisoned: Option<String>,
    #[expect(dead_code, reason = "held for as long as the journal is open")]
    pub(crate) lock: Lock,
}

/// Figures about an open journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub path: PathBuf,
    pub end: u64,
    pub frames: u64,
    pub segments: u32,
    pub active_segment_bytes: u64,
    /// What it costs to remember every identity.
    pub identities: Figures,
    pub last_recorded_at: Option<Instant>,
    /// Hash of the last frame's head: two journals with equal chains have equal histories.
    pub chain: Digest,
    pub poisoned: Option<String>,
}

impl Journal {
    /// Opens the journal of a data directory, or creates it where `options.create` says so.
    pub fn open(dir: &Path, options: &Options, now: Instant) -> Result<Self, Fault> {
        let journal = crate::open::open(dir, options, Some(now))?;
        if let Some(last) = journal.tail.recorded_at.filter(|_| journal.tail.position > 0 && !options.accept_clock) {
            check_clock(last, now, options)?;
        }
        Ok(journal)
    }

    /// When an entry appended at `now` is recorded: never before the one before.
    pub(crate) fn recorded_at(&self, now: Instant) -> Result<Instant, Fault> {
        let Some(last) = self.tail.recorded_at else { return Ok(now) };
        if last - now > CLOCK_SLACK && !self.options.accept_clock {
            return Err(Fault::ClockBehind { now, last });
        }
        Ok(now.max(last))
    }

    /// A reader that sees what is durable, also what is appended later.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { shared: self.shared.clone() }
    }

    /// The next position.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.tail.position
    }

    #[must_use]
    pub fn last_recorded_at(&self) -> Option<Instant> {
        self.tail.recorded_at.filter(|_| self.tail.position > 0)
    }

    /// Where to resume on every partition that was ever recorded: the only truth about it.
    #[must_use]
    pub fn offsets(&self) -> Vec<PartitionState> {
        let states = self.tail.partitions.iter().map(|((topic, partition), state)| PartitionState {
            topic: topic.clone(),
            partition: *partition,
            next_offset: state.next_offset,
            last_delivered: state.last_delivered,
        });
        states.collect()
    }

    /// The Kafka cluster that the offsets belong to.
    #[must_use]
    pub fn cluster_id(&self) -> Option<&str> {
        self.tail.cluster.as_deref()
    }

    /// Remembers the cluster; durable with the next frame, at once through [`Journal::append`] of an
    /// empty batch.
    pub fn set_cluster_id(&mut self, id: &str) {
        if self.cluster_id() != Some(id) {
            self.tail.cluster = Some(id.into());
            self.unwritten = true;
        }
    }

    /// Digests messages the way [`PartitionState::last_delivered`] has them.
    #[must_use]
    pub fn delivery_key(&self) -> DeliveryKey {
        self.delivery_key
    }

    /// The first accepted entry with an identity.
    pub fn entry_of(&self, identity: Identity) -> Result<Option<EntryRef>, Fault> {
        Ok(self.identities.first(identity)?.map(|(at, _)| at))
    }

    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            path: self.shared.dir.clone(),
            end: self.tail.position,
            frames: self.tail.frames,
            segments: self.tail.segment,
            active_segment_bytes: self.tail.bytes,
            identities: self.identities.figures(),
            last_recorded_at: self.last_recorded_at(),
            chain: Digest(self.tail.chain),
            poisoned: self.poisoned.clone(),
        }
    }

    /// Testifies where the journal ends now.
    pub(crate) fn testify(&mut self) -> Result<(), Fault> {
        let log_length = self.active.with(Store::log_length)?;
        self.witness.write(Testimony {
            epoch: 0,
            segment: self.tail.segment,
            frames: self.tail.frames,
            last_block: self.tail.block - 1,
            chain: self.tail.chain,
            log_length,
            end: self.tail.position,
        })
    }

    /// Closes the journal and marks it clean. Dropping it instead loses nothing, but the next open
    /// has to copy the active segment first.
    pub fn close(mut self) -> Result<(), Fault> {
        self.finish_sealing(true)?;
        self.active.close()?;
        point("close.closed");
        if self.poisoned.is_none() {
            clean::mark(&self.shared.dir, &self.active.path)?;
            point("close.marked");
        }
        Ok(())
    }
}

impl Drop for Journal {
    /// Waits for a sealing under way, so that the lock is not given up while somebody still writes.
    fn drop(&mut self) {
        if let Err(fault) = self.finish_sealing(true) {
            tracing::error!(%fault, "a segment could not be sealed; the next open will do it");
        }
    }
}

fn check_clock(last: Instant, now: Instant, options: &Options) -> Result<(), Fault> {
    if last - now > CLOCK_SLACK {
        return Err(Fault::ClockBehind { now, last });
    }
    if now - last > TimeDelta::days(i64::from(options.clock_ahead_days)) {
        return Err(Fault::ClockAhead { now, last, days: options.clock_ahead_days });
    }
    Ok(())
}
