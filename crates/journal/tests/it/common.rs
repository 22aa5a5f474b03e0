//! What every test of the journal needs: messages, instants, a directory.

use chrono::{DateTime, TimeDelta};
use domain::entry::{Outcome, Stream};
use domain::period::Instant;
use journal::wire::{Header, MessageRef};
use journal::{Batch, Journal, Options, Origin};

pub fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub fn options() -> Options {
    Options { create: true, wait_for_lock: false, ..Options::default() }
}

/// A message that no decoder can read, so that it occupies a position and is quarantined.
pub fn push_unreadable(batch: &mut Batch, offset: i64, text: &str) {
    let headers = [Header { name: "trace", value: Some(b"1") }, Header { name: "absent", value: None }];
    let message = MessageRef {
        stream: Stream::Usage,
        key: Some(b"8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        headers: &headers,
        value: Some(text.as_bytes()),
    };
    let origin =
        Origin::Kafka { topic: "usage".into(), partition: 3, offset, timestamp_ms: Some(1_767_225_600_000 + offset) };
    batch.push(origin, &message);
}

pub fn outcomes(journal: &Journal) -> Vec<Outcome> {
    journal.reader().entries(0).map(|entry| entry.unwrap().outcome).collect()
}
