//! The same facts through a real journal, however they are delivered.
//!
//! Random months with conflicts, copies that were sent at other times, corrections told in two ways,
//! and decisions about them, are delivered in random order, some twice, over random partitions, in
//! batches of random sizes, with restarts and rotations in between. The digest of all answers is that
//! of one batch in order, live and replayed.

use std::path::{Path, PathBuf};

use domain::entry::{ConflictDecided, Decision, Event, PolicyDocument, PolicySetting, Stream};
use domain::ids::{Digest, Identity};
use domain::period::Day;
use engine::{Clock, Ledger, digest, view};
use journal::wire::{self, Message};
use journal::{Batch, Options, Origin};
use rust_decimal::Decimal;

use super::dice::Dice;
use super::telling::{self, instant};
use super::worlds;
use crate::memory::{Body, SOURCE, Told};

/// How many months by default; `PEC_SEEDS` asks for more, `PEC_SEED` for a single one.
const SEEDS: u64 = 6;

/// Bytes of a segment: so few that several are filled.
const SMALL: u64 = 5_000;

fn seeds() -> Vec<u64> {
    if std::env::var_os("PEC_SEED").is_some() || std::env::var_os("PEC_SEEDS").is_some() {
        return super::seeds();
    }
    (0..SEEDS).collect()
}

/// A directory in memory where there is one: what is tested here does not depend on the disk.
pub fn home() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory for a journal")
}

/// Everything that is told about a month, and what people and machines spoil about it.
fn told(seed: u64) -> Vec<Told> {
    let world = worlds::make(seed);
    let mut told = telling::tell(&world, seed);
    let mut dice = Dice::new(seed ^ 0x5eed);
    let usage: Vec<Told> =
        told.iter().filter(|one| matches!(one.body, Body::Event(Event::UsageRecorded(_)))).cloned().collect();
    let hour = |dice: &mut Dice| instant((20_454 + dice.between(0, 9)) * 86_400 + dice.between(0, 24) * 3_600);
    for one in &mut told {
        if let Body::Event(Event::UsageRecorded(used)) = &mut one.body {
            used.sent = dice.chance(70).then(|| hour(&mut dice));
        }
    }
    for one in &usage {
        let Body::Event(Event::UsageRecorded(used)) = &one.body else { continue };
        if dice.chance(15) {
            // Sent again: the same event, at another time.
            let again = Event::UsageRecorded(domain::entry::Usage { sent: Some(hour(&mut dice)), ..used.clone() });
            told.push(Told { body: Body::Event(again), ..one.clone() });
        }
        if dice.chance(8) {
            let quantity = used.quantity + Decimal::ONE;
            let other = Event::UsageRecorded(domain::entry::Usage { quantity, ..used.clone() });
            told.push(Told { body: Body::Event(other), ..one.clone() });
        }
    }
    for number in 0..if usage.is_empty() { 0 } else { 3 } {
        // A correction that is told in two ways, each naming another event.
        for _ in 0..2 {
            let target = dice.pick(&usage).id.clone();
            let quantity = Decimal::new(dice.between(1, 300), 3);
            let named = wire::identity(Stream::Usage, SOURCE, &target);
            let adjusted = domain::entry::UsageAdjusted { target: named, quantity, reason: None };
            let body = Body::Event(Event::UsageAdjusted(adjusted));
            told.push(Told { id: format!("twofold-{number}"), causation: Some(target), body });
        }
    }
    told.extend(decisions(&told, &mut dice));
    if seed.is_multiple_of(2) {
        let settings = vec![PolicySetting { name: "transfer-usage".into(), value: "reported".into() }];
        let policy = PolicyDocument { revision: 1, effective_from: Day(20_454 + 2), settings };
        told.push(Told { id: "policy".to_owned(), causation: None, body: Body::Event(Event::PolicyPublished(policy)) });
    }
    told
}

/// A person decides about the first conflicts, knowing both bodies or only one of them.
fn decisions(told: &[Told], dice: &mut Dice) -> Vec<Told> {
    let mut bodies: std::collections::BTreeMap<Identity, Vec<Digest>> = std::collections::BTreeMap::new();
    for one in told {
        let message = one.message();
        for item in wire::decode(&message.borrow(&message.header_refs())) {
            let fact = item.expect("worlds are told in messages that can be read");
            let known = bodies.entry(fact.identity).or_default();
            if !known.contains(&fact.digest) {
                known.push(fact.digest);
            }
        }
    }
    let conflicts = bodies.into_iter().filter(|(_, known)| known.len() > 1).take(4);
    let decide = |(number, (identity, known)): (usize, (Identity, Vec<Digest>))| {
        let keep = *dice.pick(&known);
        let known = if dice.chance(30) { vec![keep] } else { known };
        let decision = Decision { actor: "ann".into(), reason: "checked".into(), at: instant(1_800_000_000) };
        let body = Body::Event(Event::ConflictDecided(ConflictDecided { identity, keep, known, decision }));
        Told { id: format!("decided-{number}"), causation: None, body }
    };
    conflicts.enumerate().map(decide).collect()
}

fn open(dir: &Path, segment_bytes: u64) -> Ledger {
    let options = Options { create: true, segment_bytes, ..Options::default() };
    Ledger::open(dir, &options, Clock::start(), &mut |_, _| {}).expect("a journal of our own opens")
}

/// Where each message goes: any partition, at the next offset there.
#[derive(Default)]
struct Offsets(std::collections::BTreeMap<(Stream, i32), i64>);

impl Offsets {
    fn push(&mut self, batch: &mut Batch, message: &Message, partition: i32) {
        let next = self.0.entry((message.stream, partition)).or_insert(0);
        let topic = message.stream.name().into();
        let origin = Origin::Kafka { topic, partition, offset: *next, timestamp_ms: None };
        *next += 1;
        batch.push(origin, &message.borrow(&message.header_refs()));
    }
}

/// All messages in one batch, in the order in which they are handed in.
fn at_once<'a>(dir: &Path, messages: impl IntoIterator<Item = &'a Message>) -> Digest {
    let ledger = open(dir, 1 << 30);
    let (mut batch, mut offsets) = (Batch::new(), Offsets::default());
    messages.into_iter().for_each(|message| offsets.push(&mut batch, message, 0));
    ledger.append(batch).expect("a batch of a month");
    if std::env::var_os("PEC_TELL").is_some() {
        tell(&ledger);
    }
    digest::of(&ledger.facts().expect("nobody panicked"))
}

/// In any order, some twice, over partitions, batches, restarts and segments; live and replayed.
fn in_pieces(dir: &Path, messages: &[Message], dice: &mut Dice) -> (Digest, Digest, u32) {
    let mut delivered: Vec<&Message> = messages.iter().collect();
    let twice: Vec<&Message> = messages.iter().filter(|_| dice.chance(15)).collect();
    delivered.extend(twice);
    dice.shuffle(&mut delivered);
    let partitions = 1 + dice.between(0, 5);
    let mut offsets = Offsets::default();
    let mut ledger = open(dir, SMALL);
    let mut rest = delivered.as_slice();
    while !rest.is_empty() {
        let size = usize::try_from(1 + dice.below(60)).expect("small").min(rest.len());
        let (now, later) = rest.split_at(size);
        rest = later;
        let mut batch = Batch::new();
        for message in now {
            offsets.push(&mut batch, message, i32::try_from(dice.between(0, partitions)).expect("few"));
        }
        ledger.append(batch).expect("a batch of a month");
        match dice.below(12) {
            0 => {
                ledger.close().expect("an orderly end");
                ledger = open(dir, SMALL);
            }
            1 => {
                // Not in order: the next start finds out by itself.
                drop(ledger);
                ledger = open(dir, SMALL);
            }
            2 => ledger.writer().expect("nobody panicked").rotate().expect("a new segment"),
            _ => {}
        }
    }
    let live = digest::of(&ledger.facts().expect("nobody panicked"));
    if std::env::var_os("PEC_TELL").is_some() {
        tell(&ledger);
    }
    let replayed = view::replay(ledger.reader(), None, &mut |_, _| {}).expect("what was written can be read");
    let segments = ledger.status().expect("nobody panicked").segments;
    (live, digest::of(replayed.state()), segments)
}

/// Prints every draft, for whoever looks for a difference.
fn tell(ledger: &Ledger) {
    let facts = ledger.facts().expect("nobody panicked");
    let period = Day(20_454).period();
    for (draft, findings) in engine::side_by_side::draft_all(&facts, period) {
        for line in &draft.lines {
            println!("{} {:?} {} {}", draft.bill_to, line.key, line.quantity, line.subtotal);
        }
        findings.iter().for_each(|finding| println!("{} {finding:?}", draft.bill_to));
    }
    for used in facts.usage.consumption() {
        for (start, _, quantity) in used.slices() {
            println!("used {} {} {start} sent {:?}: {quantity}", used.place.scope, used.item.meter, used.sent);
        }
    }
    println!("--");
}

fn messages(seed: u64) -> Vec<Message> {
    told(seed).iter().map(Told::message).collect()
}

fn below(home: &tempfile::TempDir, name: &str) -> PathBuf {
    let dir = home.path().join(name);
    std::fs::create_dir(&dir).expect("a directory of our own");
    dir
}

#[test]
fn no_split_into_partitions_batches_segments_and_lives_leaves_a_trace() {
    let mut segments = 0;
    for seed in seeds() {
        let repeat = format!("repeat with: PEC_SEED={seed} cargo test -p tests splits -- --nocapture");
        let (home, messages) = (home(), messages(seed));
        let whole = at_once(&below(&home, "whole"), &messages);
        let (live, replayed, used) = in_pieces(&below(&home, "pieces"), &messages, &mut Dice::new(!seed));
        assert_eq!(live, whole, "seed {seed}: the answers depend on how the facts were delivered\n{repeat}");
        assert_eq!(replayed, whole, "seed {seed}: a replay gives other answers\n{repeat}");
        segments += used;
    }
    assert!(u64::from(segments) > 2 * seeds().len() as u64, "segments were never full: {segments}");
}

/// The control: leave one message out, and most digests change.
#[test]
fn the_digest_sees_a_message_that_is_missing() {
    let changed = |seed: &u64| {
        let (home, messages) = (home(), messages(*seed));
        let lost = Dice::new(*seed).below(messages.len() as u64);
        let kept = messages.iter().zip(0..).filter(|(_, number)| *number != lost).map(|(message, _)| message);
        at_once(&below(&home, "whole"), &messages) != at_once(&below(&home, "kept"), kept)
    };
    let seen = (0..24).filter(changed).count();
    assert!(seen > 5, "of 24 lost messages {seen} changed the digest: it looks at too little");
}
