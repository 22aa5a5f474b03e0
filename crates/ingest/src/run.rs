//! From Kafka into the journal: checks, threads, and an orderly end.
//!
//! Three stages, joined by bounded channels: the polling thread copies, packing threads decode,
//! digest and compress, and the caller's own thread writes. Batches go to the packing threads in
//! turn and are taken from them in the same turn, so that order needs no sorting. An offset is
//! called durable only after the caller's closure has returned for the batch that carries it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use journal::{Batch, DeliveryKey, Journal, PartitionState};
use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::check::{self, Accept, Known, Reason, Start};
use crate::client::Consumer;
use crate::cluster::{self, Questions};
use crate::config::Config;
use crate::fault::{BoxError, Fault};
use crate::intake::{self, Done, Filled, Intake};
use crate::progress::{Counters, Progress};
use crate::{admin, limits, settings};

/// When to stop by oneself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Only when told to.
    Stopped,
    /// When everything is read that the topics held at the start.
    CaughtUp,
}

/// What the journal knows of Kafka: where to resume, and how to see that it is the same Kafka.
#[derive(Clone)]
pub struct Resume {
    /// The cluster the journal was filled from, if any is recorded.
    pub cluster_id: Option<String>,
    pub known: Vec<Known>,
    /// Makes the digest of a delivered message that `Known::last_delivered` remembers.
    pub delivery_key: DeliveryKey,
}

impl Resume {
    #[must_use]
    pub fn of(journal: &Journal) -> Self {
        let known = |state: PartitionState| Known {
            topic: state.topic.to_string(),
            partition: state.partition,
            next_offset: state.next_offset,
            last_delivered: state.last_delivered,
        };
        Self {
            cluster_id: journal.cluster_id().map(str::to_owned),
            known: journal.offsets().into_iter().map(known).collect(),
            delivery_key: journal.delivery_key(),
        }
    }
}

/// What to read, from where, and how long.
#[derive(Clone)]
pub struct Plan<'a> {
    pub config: &'a Config,
    pub resume: Resume,
    /// Differences that a person accepted for this start.
    pub accept: &'a [Accept],
    pub until: Until,
}

/// What the start checks found; handed over once, before the first batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    pub cluster_id: Option<String>,
    pub starts: Vec<Start>,
    /// Partitions that the journal knows and an accepted, recreated topic no longer has.
    pub gone: Vec<(String, i32)>,
}

/// What the caller has to record.
pub enum Delivery {
    /// The cluster, and from where each partition is read. Whatever a person accepted shows here.
    Joined(Joined),
    /// Messages and next offsets. Durable when the closure returns.
    Batch(Batch),
}

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub counters: Counters,
    /// Everything that was there at the start is durable.
    pub caught_up: bool,
}

/// Reads from Kafka into `deliver` until stopped. Returns within ten seconds of a stop, plus what
/// the closure itself takes for the batches in flight, whether or not a broker is up.
pub fn run(
    plan: &Plan<'_>,
    progress: &Progress,
    stop: &AtomicBool,
    deliver: &mut dyn FnMut(Delivery) -> Result<(), BoxError>,
) -> Result<Report, Fault> {
    let consumer = cluster::connect(&settings::consumer(plan.config)?)?;
    let joined = match join(plan, &consumer, stop) {
        Ok(Some(joined)) => joined,
        Ok(None) => return Ok(Report::default()),
        // Stopping interrupts questions; what they then say is not the reason.
        Err(_) if stop.load(Ordering::Relaxed) => return Ok(Report::default()),
        Err(fault) => return Err(fault),
    };
    progress.joined(&joined.starts);
    warn_of_settings(plan.config);
    let ended = read(plan, &consumer, joined, progress, stop, deliver);
    progress.left();
    consumer.context().forget_commit();
    intake::commit(&consumer, progress);
    linger(&consumer);
    crate::close(consumer);
    ended.map(|caught_up| Report { counters: progress.counters(), caught_up })
}

/// Asks until every question is answered; `None` when stopped before. Brokers that go away between
/// two questions are waited for like those that were away at the start.
fn join(plan: &Plan<'_>, consumer: &Consumer, stop: &AtomicBool) -> Result<Option<Joined>, Fault> {
    let questions = Questions { config: plan.config, consumer, stop };
    while questions.await_broker()? {
        match start_checks(plan, &questions) {
            Err(fault @ Fault::Unreachable { .. }) => tracing::warn!("{fault}; asking again"),
            answered => return answered.map(Some),
        }
    }
    Ok(None)
}

/// Says what is unwise about how the topics are configured. Neither the first message nor a stop waits
/// for the answer: the thread is left to itself.
fn warn_of_settings(config: &Config) {
    let config = config.clone();
    let asking = std::thread::Builder::new().name("kafka-settings".to_owned()).spawn(move || {
        for warning in admin::topic_warnings(&config) {
            tracing::warn!("{warning}");
        }
    });
    if let Err(error) = asking {
        tracing::warn!(%error, "no thread to look at the settings of the topics on");
    }
}

/// The checks before the first message.
fn start_checks(plan: &Plan<'_>, questions: &Questions<'_>) -> Result<Joined, Fault> {
    let cluster_id = questions.cluster_id(plan.resume.cluster_id.is_some())?;
    let known = &plan.resume.known;
    let moved = check::cluster(plan.resume.cluster_id.as_deref(), cluster_id.as_deref(), plan.accept)?;
    let seen = questions.look()?;
    let mut starts = check::plan(known, &seen, moved, plan.accept)?;
    let refetched = cluster::refetch(plan.config, &starts, &plan.resume.delivery_key, questions.stop)?;
    check::witnesses(&mut starts, &seen, &refetched, plan.accept)?;
    let gone = check::gone(known, &seen);
    Ok(Joined { cluster_id, starts, gone })
}

/// Tells where reading starts, then reads.
fn read(
    plan: &Plan<'_>,
    consumer: &Consumer,
    joined: Joined,
    progress: &Progress,
    stop: &AtomicBool,
    deliver: &mut dyn FnMut(Delivery) -> Result<(), BoxError>,
) -> Result<bool, Fault> {
    let starts = joined.starts.clone();
    let mut assignment = TopicPartitionList::new();
    let mut adopted = Batch::new();
    for start in &starts {
        cluster::assign_at(&mut assignment, &start.topic, start.partition, start.offset)?;
        tracing::info!(
            topic = start.topic,
            partition = start.partition,
            offset = start.offset,
            high = start.high,
            reason = ?start.reason,
            "reading"
        );
        match start.reason {
            Reason::Resumed => {}
            Reason::Adopted | Reason::Accepted(Accept::RetentionGap | Accept::NewPartitions) => {
                adopted.advance(&start.topic, start.partition, start.offset);
            }
            Reason::Accepted(Accept::RecreatedTopic | Accept::OtherCluster) => {
                adopted.rewind(&start.topic, start.partition, start.offset);
            }
        }
    }
    for (topic, partition) in &joined.gone {
        adopted.rewind(topic, *partition, check::GONE);
    }
    let append = |source| Fault::Append { source };
    deliver(Delivery::Joined(joined)).map_err(append)?;
    if !adopted.is_empty() {
        deliver(Delivery::Batch(adopted)).map_err(append)?;
    }
    consumer.assign(&assignment).map_err(|source| Fault::Client { doing: "assign partitions", source })?;
    pipeline(plan, consumer, &starts, progress, stop, deliver)
}

/// The threads, and what their ends mean together.
fn pipeline(
    plan: &Plan<'_>,
    consumer: &Consumer,
    starts: &[Start],
    progress: &Progress,
    stop: &AtomicBool,
    deliver: &mut dyn FnMut(Delivery) -> Result<(), BoxError>,
) -> Result<bool, Fault> {
    let (full, packers): (Vec<_>, Vec<_>) = (0..limits::packing_threads()).map(|_| bounded(limits::WAITING)).unzip();
    let (packed, to_write): (Vec<_>, Vec<_>) = packers.iter().map(|_| bounded(limits::WAITING)).unzip();
    let halt = AtomicBool::new(false);
    let suspicion = AtomicBool::new(false);
    let watched: Mutex<Option<Fault>> = Mutex::new(None);
    std::thread::scope(|scope| {
        let reader = Intake::new(consumer, starts, progress, &suspicion, full);
        let polling = spawn(scope, "kafka-poll", || reader.run(plan.until, stop, &halt));
        let packing: Vec<_> = (packers.into_iter().zip(packed))
            .map(|(to_pack, packed)| spawn(scope, "kafka-pack", move || pack(&to_pack, &packed)))
            .collect();
        let watching = spawn(scope, "kafka-watch", || {
            if let Some(fault) = watch(plan.config, starts, progress, stop, &halt, &suspicion) {
                *watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
                halt.store(true, Ordering::Relaxed);
            }
        });
        let written = write(to_write, progress, deliver);
        if written.is_err() {
            // Nobody will take another batch; the polling thread may be waiting for a message.
            halt.store(true, Ordering::Relaxed);
        }
        let polled = polling.join().expect("the polling thread does not panic");
        halt.store(true, Ordering::Relaxed);
        watching.thread().unpark();
        packing.into_iter().for_each(|thread| thread.join().expect("a packing thread does not panic"));
        watching.join().expect("the watching thread does not panic");
        written?;
        match polled.map_err(|fault| diagnose(plan, progress, stop, fault))? {
            Done::CaughtUp => Ok(true),
            Done::Stopped | Done::WriterGone => match watched.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(fault) => Err(fault),
                None => Ok(progress.is_caught_up()),
            },
        }
    })
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> std::thread::ScopedJoinHandle<'scope, T> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .expect("the system lets us start a thread")
}

/// Decodes, digests and compresses, so that neither the polling thread nor the writer has to.
fn pack(to_pack: &Receiver<Filled>, packed: &Sender<Filled>) {
    for mut filled in to_pack {
        filled.batch.prepare();
        if packed.send(filled).is_err() {
            return;
        }
    }
}

/// Hands batches to the caller, one after the other, until no more come. Taking the receivers by
/// value lets the other threads notice when this one gives up.
fn write(
    to_write: Vec<Receiver<Filled>>,
    progress: &Progress,
    deliver: &mut dyn FnMut(Delivery) -> Result<(), BoxError>,
) -> Result<(), Fault> {
    for from in to_write.iter().cycle() {
        // Batches were handed out in this very turn: where one is missing, there are no later ones.
        let Ok(filled) = from.recv() else { break };
        deliver(Delivery::Batch(filled.batch)).map_err(|source| Fault::Append { source })?;
        progress.durable(&filled.next, filled.messages, filled.bytes);
    }
    Ok(())
}

/// "Offset out of range" comes without a partition: ask the watermarks which one it is. The
/// journal, not the polling thread, says what is due next: all that was filled is durable by now.
fn diagnose(plan: &Plan<'_>, progress: &Progress, stop: &AtomicBool, fault: Fault) -> Fault {
    use crate::client::{Severity, severity};
    let Fault::Unsafe { source } = &fault else { return fault };
    if severity(source) != Severity::OutOfRange {
        return fault;
    }
    let asked = settings::probe(plan.config).and_then(|settings| {
        let consumer = cluster::connect(&settings)?;
        let seen = Questions { config: plan.config, consumer: &consumer, stop }.look();
        crate::close(consumer);
        seen
    });
    let Ok(seen) = asked else { return fault };
    let mut next = Vec::new();
    let mut watermarks = Vec::new();
    for partition in progress.partitions() {
        let found = seen
            .iter()
            .find(|seen| seen.topic == partition.topic)
            .and_then(|seen| seen.watermarks.get(check::place(partition.partition)));
        if let Some(&found) = found {
            next.push((partition.topic, partition.partition, partition.next_offset));
            watermarks.push(found);
        }
    }
    check::out_of_range(&next, &watermarks).unwrap_or(fault)
}

/// Looks at the cluster now and then, with a client of its own: partitions that were added, a topic
/// that is gone, retention that comes close.
fn watch(
    config: &Config,
    starts: &[Start],
    progress: &Progress,
    stop: &AtomicBool,
    halt: &AtomicBool,
    suspicion: &AtomicBool,
) -> Option<Fault> {
    let ended = || stop.load(Ordering::Relaxed) || halt.load(Ordering::Relaxed);
    let mut consumer: Option<Consumer> = None;
    let mut looked_at = crate::now();
    let mut troubled_since: Option<Instant> = None;
    while !ended() {
        std::thread::park_timeout(limits::POLL_WAIT);
        let now = crate::now();
        let every = if troubled_since.is_some() || suspicion.load(Ordering::Relaxed) {
            limits::REQUEST
        } else {
            limits::METADATA_EVERY
        };
        if now - looked_at < every {
            continue;
        }
        looked_at = now;
        if consumer.is_none() {
            consumer = settings::probe(config).and_then(|settings| cluster::connect(&settings)).ok();
        }
        let Some(consumer) = &consumer else { continue };
        consumer.context().forget_refusal();
        match compare(config, consumer, starts, progress, stop) {
            Ok(()) => {
                troubled_since = None;
                suspicion.store(false, Ordering::Relaxed);
            }
            Err(fault @ Fault::PartitionCountChanged { .. }) => return Some(fault),
            Err(Fault::Unreachable { .. }) => {}
            // May be over in a moment: brokers restart, leaders change.
            Err(fault) => {
                let since = *troubled_since.get_or_insert(now);
                tracing::warn!("{fault}; stopping if it lasts");
                if now - since >= limits::PERSISTING {
                    return Some(fault);
                }
            }
        }
    }
    if let Some(consumer) = consumer {
        crate::close(consumer);
    }
    None
}

/// Compares the cluster with what is being read.
fn compare(
    config: &Config,
    consumer: &Consumer,
    starts: &[Start],
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<(), Fault> {
    let seen = Questions { config, consumer, stop }.look()?;
    let partitions = progress.partitions();
    for topic in &seen {
        let known = starts.iter().filter(|start| start.topic == topic.topic).count();
        let found = topic.watermarks.len();
        if found != known {
            return Err(Fault::PartitionCountChanged { topic: topic.topic.clone(), known, found });
        }
    }
    for (index, partition) in partitions.iter().enumerate() {
        let place = check::place(partition.partition);
        let Some(topic) = seen.iter().find(|topic| topic.topic == partition.topic) else { continue };
        let (low, high) = topic.watermarks[place];
        progress.watermarks(index, Some(low), high);
        let (topic, partition, next) = (partition.topic.clone(), partition.partition, partition.next_offset);
        if next > high {
            return Err(Fault::Truncated { topic, partition, next, high });
        }
        if low > 0 && high > next && next - low < (high - low) / 10 {
            tracing::warn!(topic, partition, next, low, high, "retention comes close to what is not read yet");
        }
    }
    Ok(())
}

/// Gives the last informational commit a moment to go out.
fn linger(consumer: &Consumer) {
    let until = crate::now() + Duration::from_millis(300);
    while crate::now() < until && !consumer.context().has_committed() {
        // Whatever is still delivered here was not acknowledged, and is read again next time.
        drop(consumer.poll(Duration::from_millis(10)));
    }
}
