//! Figures for `docs/journal.md`. Run by hand:
//! `cargo test --release -p journal --test it measuring -- --ignored --nocapture`.

#![expect(clippy::disallowed_methods, reason = "measuring needs a stopwatch")]

use std::path::Path;
use std::time::Instant as Stopwatch;

use domain::entry::{Event, Usage};
use domain::ids::{Guid, MeterId};
use domain::scope::Scope;
use journal::wire::{self, Envelope, Header, Message};
use journal::{Batch, Journal, Options, Origin};
use rust_decimal::Decimal;

use crate::common::{at, options};

/// A usage event of about the size that meters publish.
fn message(number: u64) -> Message {
    let hash = |salt: u64| {
        let hash = blake3_like(number % (5_000 + salt * 100), salt);
        Guid(u128::from(hash) << 64 | u128::from(hash.rotate_left(17)))
    };
    let resource = format!(
        "/subscriptions/{}/resourceGroups/rg-{}/providers/Microsoft.Compute/virtualMachines/vm-{}",
        hash(1),
        number % 300,
        number % 5_000
    );
    let event = Event::UsageRecorded(Usage {
        customer: hash(2),
        plan: Some(hash(3)),
        subscription: hash(1),
        resource: Some(Scope::parse(&resource)),
        resource_group: None,
        meter: MeterId::Guid(hash(4)),
        product: Some("DZH318Z0BPS6".into()),
        sku: Some("0001".into()),
        start: at(i64::try_from(number % 86_400).unwrap()),
        end: at(i64::try_from(number % 86_400).unwrap() + 3_600),
        quantity: Decimal::new(i64::try_from(blake3_like(number, 9) >> 24).unwrap(), 9),
        unit: "1 Hour".into(),
        sent: Some(at(0)),
    });
    let id = Guid(u128::from(blake3_like(number, 7)) << 64 | u128::from(number)).to_string();
    let envelope = Envelope { id, source: "urn:meters:westeurope".to_owned(), time: Some(at(0)), causation_id: None };
    wire::encode(&envelope, &event)
}

/// A scrambled number; any would do.
fn blake3_like(number: u64, salt: u64) -> u64 {
    let mut x = number.wrapping_add(salt << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 32)
}

fn disk(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { disk(&path) } else { path.metadata().unwrap().len() }).sum()
}

#[test]
#[ignore = "measures; run by hand"]
fn figures() {
    let events: u64 = std::env::var("PEC_EVENTS").map_or(400_000, |events| events.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_identities: events / 3, ..options() };
    let mut journal = Journal::open(dir.path(), &options, at(0)).unwrap();
    let (mut push, mut prepare, mut append, mut bytes) = (0.0, 0.0, 0.0, 0);
    let mut number = 0;
    while number < events {
        let messages: Vec<Message> = (number..events.min(number + 2_000)).map(message).collect();
        let headers: Vec<Vec<Header<'_>>> = messages.iter().map(Message::header_refs).collect();
        let watch = Stopwatch::now();
        let mut batch = Batch::new();
        for ((offset, message), headers) in (number..).zip(&messages).zip(&headers) {
            let offset = i64::try_from(offset).unwrap();
            let origin = Origin::Kafka { topic: "usage".into(), partition: 0, offset, timestamp_ms: Some(offset) };
            batch.push(origin, &message.borrow(headers));
        }
        push += watch.elapsed().as_secs_f64();
        bytes += batch.bytes();
        let watch = Stopwatch::now();
        batch.prepare();
        prepare += watch.elapsed().as_secs_f64();
        let watch = Stopwatch::now();
        journal.append(batch, at(0)).unwrap();
        append += watch.elapsed().as_secs_f64();
        number += messages.len() as u64;
    }
    let rate = |seconds: f64| format!("{:>9.0} events/s", events as f64 / seconds);
    println!("{events} events of {} bytes", bytes as u64 / events);
    println!("push     {} (copy and decode)", rate(push));
    println!("prepare  {} (digest and compress)", rate(prepare));
    println!("append   {} (decide, write, sync)", rate(append));
    let watch = Stopwatch::now();
    let count = journal.reader().entries(0).map(Result::unwrap).count() as u64;
    println!("replay   {} (all threads)", rate(watch.elapsed().as_secs_f64()));
    assert_eq!(count, events);
    let watch = Stopwatch::now();
    journal.verify(&mut |_, _| ()).unwrap();
    println!("verify   {}", rate(watch.elapsed().as_secs_f64()));
    let segments = journal.status().segments;
    journal.close().unwrap();
    let watch = Stopwatch::now();
    let journal = Journal::open(dir.path(), &options, at(0)).unwrap();
    println!("open     {:.3} s after a clean close, {segments} segments", watch.elapsed().as_secs_f64());
    println!("{:?}", journal.status().identities);
    println!("disk     {} bytes an event, runs included", disk(&dir.path().join("journal")) / events);
    drop(journal);
    let watch = Stopwatch::now();
    drop(Journal::open(dir.path(), &options, at(0)).unwrap());
    println!("open     {:.3} s after an unclean end", watch.elapsed().as_secs_f64());
}
