//! What every test of the journal needs: messages, instants, a directory.

use std::ops::Range;
use std::path::Path;

use chrono::{DateTime, TimeDelta};
use domain::entry::{Event, Outcome, Stream, Usage};
use domain::ids::{Guid, MeterId};
use domain::period::Instant;
use journal::wire::{self, Envelope, Header, MessageRef};
use journal::{Appended, Batch, Journal, Options, Origin};
use rust_decimal::Decimal;

pub(crate) fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::seconds(seconds)
}

/// A directory in memory where there is one: what survives a kill does not depend on the disk, and
/// hundreds of lives with all their syncs take a second each on a busy one.
pub(crate) fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn options() -> Options {
    Options { create: true, wait_for_lock: false, ..Options::default() }
}

/// A message that no decoder can read, so that it occupies a position and is quarantined.
pub(crate) fn push_unreadable(batch: &mut Batch, offset: i64, text: &str) {
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

pub(crate) fn outcomes(journal: &Journal) -> Vec<Outcome> {
    journal.reader().entries(0).map(|entry| entry.unwrap().outcome).collect()
}

/// A usage event with the given id; `quantity` is its content.
pub(crate) fn usage(id: u64, quantity: u64) -> Event {
    let guid = |number: u128| Guid(0x8e3a_f657_a8ff_443c_a75c_0000_0000_0000 + number);
    Event::UsageRecorded(Usage {
        customer: guid(1),
        plan: None,
        subscription: guid(2 + u128::from(id % 7)),
        resource: None,
        resource_group: Some(format!("rg-{}", id % 100).into()),
        meter: MeterId::Guid(guid(900)),
        product: None,
        sku: None,
        start: at(0),
        end: at(3600),
        quantity: Decimal::from(quantity),
        unit: "1 Hour".into(),
        sent: Some(at(0)),
    })
}

fn envelope(id: String, causation_id: Option<String>) -> Envelope {
    Envelope { id, source: "/meters/test".to_owned(), time: Some(at(0)), causation_id }
}

pub(crate) fn push_event(batch: &mut Batch, offset: i64, id: &str, causation_id: Option<&str>, event: &Event) {
    let message = wire::encode(&envelope(id.to_owned(), causation_id.map(str::to_owned)), event);
    let origin = Origin::Kafka { topic: "usage".into(), partition: 0, offset, timestamp_ms: Some(offset) };
    batch.push(origin, &message.borrow(&message.header_refs()));
}

/// Appends usage events `ids`, at the offsets equal to their ids, one batch.
pub(crate) fn append_usage(journal: &mut Journal, ids: Range<u64>) -> Appended {
    let mut batch = Batch::new();
    for id in ids {
        push_event(&mut batch, i64::try_from(id).unwrap(), &format!("u-{id}"), None, &usage(id, id % 13 + 1));
    }
    journal.append(batch, at(0)).unwrap()
}

/// Segments so small that a few hundred events fill one.
pub(crate) fn small() -> Options {
    Options { segment_bytes: 30_000, ..options() }
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy_dir(&path, &target) } else { std::fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}
