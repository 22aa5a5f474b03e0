//! What tests of reading Kafka share: a journal in a folder of its own, and readers for it.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::entry::Stream;
use domain::facts::{Counts, Facts};
use domain::ids::Digest;
use domain::period::Instant;
use ingest::{Accept, Config, Delivery, Fault, Plan, Progress, Report, Resume, Until};
use journal::wire::Message;
use journal::{Journal, Options, Origin};
use tempfile::TempDir;

/// A journal that can be closed and opened again.
pub struct Station {
    dir: TempDir,
}

/// What one message of the journal was: topic, partition, offset and value.
pub type Kept = (String, i32, i64, Vec<u8>);

impl Station {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn open(&self) -> Journal {
        let now = "2026-03-01T00:00:00Z".parse::<Instant>().unwrap();
        let path = self.dir.path().join("journal");
        let options = Options { create: !path.exists(), ..Options::default() };
        Journal::open(&path, &options, now).unwrap()
    }

    /// Reads until everything that is there now is durable.
    pub fn catch_up(&self, config: &Config) -> Result<Report, Fault> {
        self.read(config, &[], Until::CaughtUp, &AtomicBool::new(false), &Progress::default())
    }

    pub fn catch_up_accepting(&self, config: &Config, accept: &[Accept]) -> Result<Report, Fault> {
        self.read(config, accept, Until::CaughtUp, &AtomicBool::new(false), &Progress::default())
    }

    /// Opens the journal, reads into it and closes it again, as one life of a process does.
    pub fn read(
        &self,
        config: &Config,
        accept: &[Accept],
        until: Until,
        stop: &AtomicBool,
        progress: &Progress,
    ) -> Result<Report, Fault> {
        let mut journal = self.open();
        let plan = Plan { config, resume: Resume::of(&journal), accept, until };
        let now = "2026-03-01T00:00:00Z".parse::<Instant>().unwrap();
        let report = ingest::run(&plan, progress, stop, &mut |delivery| {
            match delivery {
                Delivery::Joined(joined) => {
                    if let Some(cluster) = &joined.cluster_id {
                        journal.set_cluster_id(cluster);
                    }
                }
                Delivery::Batch(batch) => {
                    journal.append(batch, now)?;
                }
            }
            Ok(())
        });
        journal.close().unwrap();
        report
    }

    /// Every message of the journal, in order of topic, partition and offset.
    pub fn kept(&self) -> Vec<Kept> {
        let journal = self.open();
        let mut kept: Vec<Kept> = journal
            .reader()
            .records(0)
            .map(|record| {
                let record = record.unwrap();
                let Origin::Kafka { topic, partition, offset, .. } = record.origin else {
                    panic!("{:?} did not come from Kafka", record.origin)
                };
                (topic.to_string(), partition, offset, record.message.value.unwrap_or_default())
            })
            .collect();
        journal.close().unwrap();
        kept.sort();
        kept
    }

    /// What the journal counts, and the digest of every answer that follows from it.
    pub fn answers(&self) -> (Counts, Digest) {
        let journal = self.open();
        let fold = engine::view::replay(&journal.reader(), None, &mut |_, _| {}).unwrap();
        journal.close().unwrap();
        (fold.state().counts, engine::digest::of(fold.state()))
    }

    /// Everything that the journal says, folded.
    pub fn facts(&self) -> Facts {
        let journal = self.open();
        let fold = engine::view::replay(&journal.reader(), None, &mut |_, _| {}).unwrap();
        journal.close().unwrap();
        fold.state().clone()
    }

    pub fn offsets(&self) -> Vec<(String, i32, i64)> {
        let journal = self.open();
        let offsets =
            journal.offsets().into_iter().map(|s| (s.topic.to_string(), s.partition, s.next_offset)).collect();
        journal.close().unwrap();
        offsets
    }
}

/// A configuration that reads one topic only, under a name of its own.
pub fn only_usage(mut config: Config, topic: &str) -> Config {
    config.topics.usage = topic.to_owned();
    config.topics.access.clear();
    config.topics.commerce.clear();
    config.topics.reference.clear();
    config
}

/// A message that says which one it is. It is no event: what it says plays no part here.
pub fn message(number: usize) -> Message {
    Message {
        stream: Stream::Usage,
        key: Some(format!("customer-{}", number % 17).into_bytes()),
        headers: vec![("content-type".to_owned(), Some(b"text/plain".to_vec())), ("empty".to_owned(), None)],
        value: Some(number.to_string().into_bytes()),
    }
}

/// Publishes messages `from..to`.
pub fn produce(config: &Config, from: usize, to: usize) {
    let messages: Vec<Message> = (from..to).map(message).collect();
    assert_eq!(ingest::publish(config, &messages).unwrap(), (to - from) as u64);
}

/// Checks that the journal holds every message of `0..count` exactly once, and each offset once.
pub fn assert_exactly_once(station: &Station, count: usize) {
    let kept = station.kept();
    let mut offsets: Vec<_> = kept.iter().map(|(topic, partition, offset, _)| (topic, partition, offset)).collect();
    offsets.dedup();
    assert_eq!(offsets.len(), kept.len(), "an offset was recorded twice");
    let mut numbers: Vec<usize> =
        kept.iter().map(|(.., value)| std::str::from_utf8(value).unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    let expected: Vec<usize> = (0..count).collect();
    assert!(numbers == expected, "{} messages in the journal, {count} expected", numbers.len());
}

/// Runs a reader on another thread, does something beside it, stops it, and returns its report.
pub fn while_reading(station: &Station, config: &Config, beside: impl FnOnce(&Progress)) -> Result<Report, Fault> {
    let stop = AtomicBool::new(false);
    let progress = Progress::default();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| station.read(config, &[], Until::Stopped, &stop, &progress));
        let beside = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| beside(&progress)));
        stop.store(true, Ordering::Relaxed);
        let report = reading.join().unwrap();
        if let Err(panic) = beside {
            std::panic::resume_unwind(panic);
        }
        report
    })
}

/// Waits until a condition holds, or fails saying which.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = now();
    while !holds() {
        assert!(started.elapsed().as_secs() < 90, "waited in vain until {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The clock of this test, to measure how long something took.
#[allow(clippy::disallowed_methods, reason = "measures a test; no recorded time comes from here")]
pub fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// A number that this machine did not use before.
#[allow(clippy::disallowed_methods, reason = "names topics of a test")]
pub fn unique() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}
