//! Where to start reading, or why not: the checks before the first message, as pure functions.
//!
//! What the journal knows is compared with what the cluster shows. A difference that could mean
//! lost or wrong records is a named fault, unless a person accepted that very kind. What cannot be
//! decided (the last record we read has expired) is inconclusive and never called a loss.

use std::collections::BTreeMap;

use domain::entry::Stream;
use domain::ids::Digest;

use crate::fault::Fault;

/// What the journal knows of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub topic: String,
    pub partition: i32,
    pub next_offset: i64,
    /// The last record that was delivered, and the digest of its bytes. Not always the record
    /// before `next_offset`: the end of a transaction occupies an offset too.
    pub last_delivered: Option<(i64, Digest)>,
}

/// What the cluster shows of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) topic: String,
    pub(crate) stream: Stream,
    /// Low and high watermark, one per partition, in order of partition number.
    pub(crate) watermarks: Vec<(i64, i64)>,
}

/// A difference that a person accepted for one start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Go on behind the records that Kafka deleted before we read them.
    RetentionGap,
    /// Read a topic that was truncated or created again from its beginning.
    RecreatedTopic,
    /// Read partitions that were added, from their beginning.
    NewPartitions,
    /// Read every topic of another cluster from its beginning.
    OtherCluster,
}

impl Accept {
    pub const ALL: [Self; 4] = [Self::RetentionGap, Self::RecreatedTopic, Self::NewPartitions, Self::OtherCluster];

    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RetentionGap => "retention-gap",
            Self::RecreatedTopic => "recreated-topic",
            Self::NewPartitions => "new-partitions",
            Self::OtherCluster => "other-cluster",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|accept| accept.name() == name)
    }
}

/// Why a partition is read from where it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// At the journal's own offset.
    Resumed,
    /// The journal did not know the partition: at its low watermark.
    Adopted,
    /// A person accepted a difference: at its low watermark.
    Accepted(Accept),
}

/// One partition and where reading starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub topic: String,
    pub stream: Stream,
    pub partition: i32,
    pub offset: i64,
    pub reason: Reason,
    /// The high watermark when the checks were made.
    pub high: i64,
    /// The record to fetch again and compare, where it still exists.
    pub witness: Option<(i64, Digest)>,
}

/// The next offset under which the journal keeps a partition that is no longer there.
pub(crate) const GONE: i64 = -1;

/// The cluster must be the one that the journal was filled from; says whether another one was
/// accepted. Clusters that do not say who they are cannot be told apart, and are let through.
pub(crate) fn cluster(known: Option<&str>, found: Option<&str>, accept: &[Accept]) -> Result<bool, Fault> {
    match (known, found) {
        (Some(known), Some(found)) if known != found => {
            if accept.contains(&Accept::OtherCluster) {
                return Ok(true);
            }
            Err(Fault::OtherCluster { known: known.to_owned(), found: found.to_owned() })
        }
        _ => Ok(false),
    }
}

/// Where a partition stands in a list of all partitions of its topic.
pub(crate) fn place(partition: i32) -> usize {
    usize::try_from(partition).expect("Kafka counts partitions from 0")
}

/// What a person accepted and what came of it: its word, and a sentence about one partition or
/// cluster. Only what made a difference; accepting what was not there is nothing to remember.
#[must_use]
pub fn accepted(
    (known, before): (&[Known], Option<&str>),
    (starts, cluster): (&[Start], Option<&str>),
    gone: &[(String, i32)],
    accept: &[Accept],
) -> Vec<(Accept, String)> {
    let next_of = |topic: &str, partition: i32| {
        let mine = known.iter().find(|known| known.topic == topic && known.partition == partition);
        mine.map(|known| known.next_offset).filter(|next| *next >= 0)
    };
    let topic_known = |topic: &str| known.iter().any(|known| known.topic == topic && known.next_offset >= 0);
    let mut found = Vec::new();
    if let (Some(before), Some(cluster)) = (before, cluster)
        && before != cluster
        && accept.contains(&Accept::OtherCluster)
    {
        found.push((Accept::OtherCluster, format!("cluster {cluster} in place of {before}: every topic is read anew")));
    }
    for Start { topic, partition, offset, reason, high, .. } in starts {
        let next = next_of(topic, *partition);
        match (reason, next) {
            (Reason::Accepted(Accept::RetentionGap), Some(next)) => found.push((
                Accept::RetentionGap,
                format!("{topic}/{partition}: offsets {next} to {} were deleted before they were read", offset - 1),
            )),
            (Reason::Accepted(Accept::RecreatedTopic), Some(next)) => found.push((
                Accept::RecreatedTopic,
                format!("{topic}/{partition}: read anew from offset {offset}; {next} was due, and it ends at {high}"),
            )),
            (Reason::Adopted, None) if topic_known(topic) && accept.contains(&Accept::NewPartitions) => found.push((
                Accept::NewPartitions,
                format!("{topic}/{partition}: a partition that was added, read from offset {offset}"),
            )),
            _ => {}
        }
    }
    let gone = gone.iter().map(|(topic, partition)| (Accept::RecreatedTopic, format!("{topic}/{partition}: is gone")));
    found.extend(gone);
    found
}

/// Partitions that the journal knows of a topic and the topic does not have.
pub(crate) fn gone(known: &[Known], seen: &[Seen]) -> Vec<(String, i32)> {
    let there = |known: &&Known| {
        let topic = seen.iter().find(|seen| seen.topic == known.topic);
        topic.is_some_and(|topic| known.next_offset >= 0 && place(known.partition) >= topic.watermarks.len())
    };
    known.iter().filter(there).map(|known| (known.topic.clone(), known.partition)).collect()
}

/// Decides for every partition of every topic where to start, or names the first reason not to.
pub(crate) fn plan(known: &[Known], seen: &[Seen], moved: bool, accept: &[Accept]) -> Result<Vec<Start>, Fault> {
    let mut starts = Vec::new();
    for topic in seen {
        let mine: BTreeMap<i32, &Known> =
            known.iter().filter(|k| k.topic == topic.topic && k.next_offset >= 0).map(|k| (k.partition, k)).collect();
        let recreated = partition_count(topic, mine.len(), moved, accept)?;
        for (partition, &(low, high)) in (0_i32..).zip(&topic.watermarks) {
            let restart = if moved { Some(Accept::OtherCluster) } else { recreated };
            let (offset, reason, witness) = match (mine.get(&partition), restart) {
                (None, _) => (low, Reason::Adopted, None),
                (Some(_), Some(accepted)) => (low, Reason::Accepted(accepted), None),
                (Some(known), None) => resume(known, low, high, accept)?,
            };
            starts.push(Start {
                topic: topic.topic.clone(),
                stream: topic.stream,
                partition,
                offset,
                reason,
                high,
                witness,
            });
        }
    }
    Ok(starts)
}

/// Compares the number of partitions with what the journal knows; says whether the whole topic is
/// to be read again.
fn partition_count(seen: &Seen, known: usize, moved: bool, accept: &[Accept]) -> Result<Option<Accept>, Fault> {
    let found = seen.watermarks.len();
    if known == 0 || found == known || moved {
        return Ok(None);
    }
    let (needed, again) = if found > known {
        (Accept::NewPartitions, None)
    } else {
        (Accept::RecreatedTopic, Some(Accept::RecreatedTopic))
    };
    if accept.contains(&needed) {
        Ok(again)
    } else {
        Err(Fault::PartitionCountChanged { topic: seen.topic.clone(), known, found })
    }
}

type Placed = (i64, Reason, Option<(i64, Digest)>);

/// Requires low ≤ next ≤ high for one known partition.
fn resume(known: &Known, low: i64, high: i64, accept: &[Accept]) -> Result<Placed, Fault> {
    let Known { topic, partition, next_offset: next, last_delivered } = known.clone();
    if next > high {
        if accept.contains(&Accept::RecreatedTopic) {
            return Ok((low, Reason::Accepted(Accept::RecreatedTopic), None));
        }
        return Err(Fault::Truncated { topic, partition, next, high });
    }
    if next < low {
        if accept.contains(&Accept::RetentionGap) {
            return Ok((low, Reason::Accepted(Accept::RetentionGap), None));
        }
        return Err(Fault::RetentionGap { topic, partition, next, low });
    }
    // Below the low watermark the record has expired, which proves nothing either way.
    let witness = last_delivered.filter(|(offset, _)| *offset >= low && *offset < high);
    Ok((next, Reason::Resumed, witness))
}

/// What fetching the last delivered record again gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refetched {
    /// A record at that very offset, with this digest.
    Record(Digest),
    /// The broker went on to a later record, or to the end, without one at that offset.
    Nothing,
}

/// Whether every topic still is the one we read. A record that was delivered once does not vanish
/// from a topic while its offset lies between the watermarks. Where a person accepted that, the
/// partition is read from its beginning. `refetched` has one answer per start that has a witness.
pub(crate) fn witnesses(
    starts: &mut [Start],
    seen: &[Seen],
    refetched: &[Refetched],
    accept: &[Accept],
) -> Result<(), Fault> {
    let mut answers = refetched.iter();
    for start in starts {
        let Some((offset, digest)) = start.witness else { continue };
        if *answers.next().expect("one answer per witness") == Refetched::Record(digest) {
            continue;
        }
        if !accept.contains(&Accept::RecreatedTopic) {
            return Err(Fault::Recreated { topic: start.topic.clone(), partition: start.partition, offset });
        }
        let topic = seen.iter().find(|seen| seen.topic == start.topic).expect("starts come from what was seen");
        start.offset = topic.watermarks[place(start.partition)].0;
        start.reason = Reason::Accepted(Accept::RecreatedTopic);
        start.witness = None;
    }
    Ok(())
}

/// The fault behind librdkafka's "offset out of range", which names no partition: the first
/// partition whose next offset lies outside its watermarks.
pub(crate) fn out_of_range(next: &[(String, i32, i64)], watermarks: &[(i64, i64)]) -> Option<Fault> {
    next.iter().zip(watermarks).find_map(|((topic, partition, next), &(low, high))| {
        let (topic, partition, next) = (topic.clone(), *partition, *next);
        if next < low {
            Some(Fault::RetentionGap { topic, partition, next, low })
        } else if next > high {
            Some(Fault::Truncated { topic, partition, next, high })
        } else {
            None
        }
    })
}

/// Settings of a topic under which events can be lost, said as warnings: pec cannot know what the
/// operator of the cluster has promised elsewhere.
pub(crate) fn topic_settings(topic: &str, settings: &BTreeMap<String, String>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(policy) = settings.get("cleanup.policy").filter(|policy| *policy != "delete") {
        warnings.push(format!("topic {topic} has cleanup.policy={policy}: compaction deletes events that share a key"));
    }
    if settings.get("unclean.leader.election.enable").is_some_and(|value| value == "true") {
        warnings.push(format!(
            "topic {topic} has unclean.leader.election.enable=true: acknowledged events can be lost when brokers fail"
        ));
    }
    if settings.get("min.insync.replicas").is_some_and(|value| value == "1") {
        warnings.push(format!(
            "topic {topic} has min.insync.replicas=1: an event can be acknowledged while only one broker holds it"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
