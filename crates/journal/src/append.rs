//! Appending: decide outcomes, build one frame, make it durable, give the entries back.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::entry::{Antecedent, Entry, EntryRef, Event, Outcome};
use domain::issued::effective_at;
use domain::period::Instant;

use crate::batch::{Batch, Coordinates, Prepared, Row, Topic};
use crate::crash::point;
use crate::fault::Fault;
use crate::frame::{self, Head, ItemHead, MessageHead, SECTION_LIMIT};
use crate::journal::{Journal, PartitionTail};
use crate::segment::Parts;
use crate::spare;

/// What one append recorded.
#[derive(Debug)]
pub struct Appended {
    pub entries: Vec<Entry>,
    pub first_position: u64,
    /// Equal to `first_position` when no message was recorded.
    pub next_position: u64,
    /// How long the disk took until all of it was durable: sled's log, then the witness.
    pub synced: Duration,
    /// The newest effective time that this batch brought from each partition.
    pub newest: Vec<(Topic, i32, Instant)>,
}

/// A partition on its way through a batch: where to resume, and its last message by offset and row.
struct Moved {
    next: i64,
    last: Option<(i64, usize)>,
}

/// What is decided of an entry beside its outcome.
struct Decided {
    redriven: bool,
    antecedent: Option<EntryRef>,
    incumbent: Option<EntryRef>,
}

/// How many entries ahead identities are asked for, so that memory is there when they are decided.
const LOOK_AHEAD: usize = 32;

impl Journal {
    /// Records a batch as one frame. Durable on return; only then may anybody acknowledge or fold.
    ///
    /// A batch that is refused before anything was decided (clock, offsets, size) changes nothing.
    /// After any later fault the journal writes nothing more until it is opened again.
    pub fn append(&mut self, mut batch: Batch, now: Instant) -> Result<Appended, Fault> {
        if let Some(reason) = &self.poisoned {
            return Err(Fault::Poisoned { reason: reason.clone() });
        }
        let recorded_at = self.recorded_at(now)?;
        let first_position = self.tail.position;
        if batch.is_empty() && !self.unwritten {
            let (entries, newest, synced) = (Vec::new(), Vec::new(), Duration::ZERO);
            return Ok(Appended { entries, first_position, next_position: first_position, synced, newest });
        }
        let bytes = batch.bytes() as u64;
        if bytes > SECTION_LIMIT {
            return Err(Fault::TooLarge { bytes, limit: SECTION_LIMIT });
        }
        let partitions = self.moved_partitions(&batch)?;
        batch.prepare();
        let recorded = self.record(batch, recorded_at, partitions);
        if let Err(fault) = &recorded {
            self.poisoned = Some(fault.to_string());
        }
        recorded
    }

    fn record(
        &mut self,
        mut batch: Batch,
        recorded_at: Instant,
        partitions: BTreeMap<(Topic, i32), PartitionTail>,
    ) -> Result<Appended, Fault> {
        let first_position = self.tail.position;
        let decided = self.decide(&mut batch, recorded_at)?;
        for (number, antecedent) in self.earlier(&batch.entries, &decided, |one| one.antecedent)? {
            batch.entries[number].antecedent = Some(Box::new(antecedent));
        }
        for (number, incumbent) in self.earlier(&batch.entries, &decided, |one| one.incumbent)? {
            batch.entries[number].incumbent = Some(Box::new(incumbent));
        }
        point("append.decided");
        self.tail.partitions.extend(partitions);
        let head = self.head(&batch, &decided, recorded_at);
        let prepared = batch.prepared.take().expect("append prepares every batch");
        let synced = self.write(&head, batch.section.len(), &prepared.packed)?;
        let newest = newest(&batch);
        spare::put_back(prepared.packed);
        spare::put_back(batch.section);
        let next_position = self.tail.position;
        let appended = Appended { entries: batch.entries, first_position, next_position, synced, newest };
        self.rotate_if_full()?;
        Ok(appended)
    }

    /// Where each partition stands after the batch. Offsets never go back, unless rewound.
    fn moved_partitions(&self, batch: &Batch) -> Result<BTreeMap<(Topic, i32), PartitionTail>, Fault> {
        let topic_of = |topic: u16| &batch.topics[usize::from(topic)];
        let known = |topic: u16, partition: i32| {
            let rewound = batch.rewinds.contains(&(topic, partition));
            self.tail.partitions.get(&(topic_of(topic).clone(), partition)).filter(|_| !rewound)
        };
        let mut moved: BTreeMap<(u16, i32), Moved> = BTreeMap::new();
        let mut advance = |topic: u16, partition: i32, offset: i64, next: i64, row: Option<usize>| {
            let state = moved.entry((topic, partition)).or_insert_with(|| Moved {
                next: known(topic, partition).map_or(i64::MIN, |tail| tail.next_offset),
                last: None,
            });
            if offset < state.next {
                let topic = topic_of(topic).to_string();
                return Err(Fault::OffsetWentBack { topic, partition, offset, next: state.next });
            }
            state.next = next;
            state.last = row.map(|row| (offset, row)).or(state.last);
            Ok(())
        };
        for (index, row) in batch.rows.iter().enumerate() {
            if let Coordinates::Kafka { topic, partition, offset, .. } = row.coordinates {
                advance(topic, partition, offset, offset.saturating_add(1), Some(index))?;
            }
        }
        for to in &batch.advances {
            advance(to.topic, to.partition, to.next_offset, to.next_offset, None)?;
        }
        let mut tails = BTreeMap::new();
        for ((topic, partition), state) in moved {
            let last_delivered = match state.last {
                Some((offset, row)) => Some((offset, self.delivery_key.of_bytes(batch.message(row)))),
                None => known(topic, partition).and_then(|tail| tail.last_delivered),
            };
            let tail = PartitionTail { next_offset: state.next, last_delivered };
            tails.insert((topic_of(topic).clone(), partition), tail);
        }
        Ok(tails)
    }

    /// Decides the outcome of every entry, in order. Where a re-drive adds entries, rows end later.
    fn decide(&mut self, batch: &mut Batch, recorded_at: Instant) -> Result<Vec<Decided>, Fault> {
        let mut decided = Vec::with_capacity(batch.entries.len());
        let mut redriven = 0..0;
        let mut next = 0;
        let mut looked_at = 0;
        while next < batch.entries.len() {
            if next >= looked_at {
                looked_at = batch.entries.len().min(next + LOOK_AHEAD);
                self.identities.look_ahead(batch.entries[next..looked_at].iter().map(|entry| entry.fact.identity));
            }
            let entry = &mut batch.entries[next];
            let row = entry.position as usize;
            entry.recorded_at = recorded_at;
            let one = self.decide_one(entry, redriven.contains(&next))?;
            decided.push(one);
            let named = match &entry.fact.event {
                Event::EntryRedriven(decision) if entry.outcome == Outcome::Accepted => Some(decision.clone()),
                _ => None,
            };
            let alone = batch.items_of(row) == (next..next + 1);
            next += 1;
            if let Some(named) = named.filter(|_| alone) {
                let again = self.shared.read_again(&named)?;
                redriven = next..next + again.len();
                batch.insert(next, row, again);
            }
        }
        for entry in &mut batch.entries {
            entry.position += self.tail.position;
        }
        Ok(decided)
    }

    fn decide_one(&mut self, entry: &mut Entry, redriven: bool) -> Result<Decided, Fault> {
        if entry.outcome == Outcome::Quarantined {
            return Ok(Decided { redriven, antecedent: None, incumbent: None });
        }
        let at = EntryRef { position: self.tail.position + entry.position, index: entry.index };
        let fact = &entry.fact;
        let decided = self.identities.decide(fact.identity, fact.digest.short(), at)?;
        entry.outcome = decided.outcome;
        let conflicting = decided.first.filter(|_| decided.outcome == Outcome::Conflicting);
        let (antecedent, incumbent) = match fact.event.target() {
            Some(target) => (self.identities.first(target)?.map(|(first, _)| first), conflicting),
            None => (conflicting, None),
        };
        Ok(Decided { redriven, antecedent, incumbent })
    }

    /// The earlier facts that entries speak of, by the numbers of those entries: from this batch, or
    /// read back.
    fn earlier(
        &self,
        entries: &[Entry],
        decided: &[Decided],
        of: impl Fn(&Decided) -> Option<EntryRef>,
    ) -> Result<Vec<(usize, Antecedent)>, Fault> {
        let named = decided.iter().enumerate().filter_map(|(number, one)| Some((number, of(one)?)));
        named.map(|(number, at)| Ok((number, self.antecedent(entries, at)?))).collect()
    }

    fn antecedent(&self, entries: &[Entry], at: EntryRef) -> Result<Antecedent, Fault> {
        if at.position < self.tail.position {
            return self.shared.antecedent(at);
        }
        let found = entries.binary_search_by_key(&at, Entry::at).expect("an entry of this batch is among its entries");
        Ok(Antecedent { at, fact: entries[found].fact.clone() })
    }

    fn head(&self, batch: &Batch, decided: &[Decided], recorded_at: Instant) -> Head {
        let prepared = batch.prepared.as_ref().expect("append prepares every batch");
        let (topics, partitions) = self.tail.partition_table(&batch.topics);
        let heads = batch.entries.iter().zip(decided).map(|(entry, decided)| ItemHead {
            outcome: entry.outcome,
            redriven: decided.redriven,
            named: matches!(entry.outcome, Outcome::Accepted | Outcome::Conflicting)
                .then(|| (entry.fact.identity, entry.fact.digest.short())),
            antecedent: decided.antecedent,
            incumbent: decided.incumbent,
            code: match entry.fact.event {
                Event::Unreadable(code) => Some(code.into()),
                _ => None,
            },
        });
        Head {
            frame: self.tail.frames,
            segment: self.tail.segment,
            first_position: self.tail.position,
            recorded_at,
            previous: self.tail.chain,
            cluster: self.tail.cluster.clone(),
            topics,
            files: batch.files.clone(),
            partitions,
            messages: message_heads(&batch.rows, prepared),
            items: heads.collect(),
        }
    }

    /// Writes one frame, makes it durable, testifies, and moves the end. Says how long the syncs took.
    pub(crate) fn write(&mut self, head: &Head, section_length: usize, packed: &[u8]) -> Result<Duration, Fault> {
        let head_bytes = head.write();
        let length = head_bytes.len() as u64;
        if length > SECTION_LIMIT {
            return Err(Fault::TooLarge { bytes: length, limit: SECTION_LIMIT });
        }
        let (stored, chain) = frame::seal((head.frame, head.version()), &head_bytes, section_length, packed);
        let parts = Parts::cut(head.frame, head.first_position, &stored);
        let first_block = self.tail.block;
        let log = self.active.with(|store| {
            store.put(first_block, parts.values())?;
            point("append.applied");
            store.flush()?;
            point("append.flushed");
            timed(|| store.sync())
        })?;
        point("append.synced");
        self.tail.take(head, chain, parts.count, parts.bytes());
        [head_bytes, stored].into_iter().for_each(spare::put_back);
        parts.done();
        let witness = timed(|| self.testify())?;
        point("append.witnessed");
        self.unwritten = false;
        self.shared.end.store(self.tail.position, Ordering::Release);
        Ok(log + witness)
    }
}

/// How long a sync took; nothing that is recorded depends on it.
#[expect(clippy::disallowed_methods, reason = "a duration for operators; no recorded time comes from here")]
fn timed(work: impl FnOnce() -> Result<(), Fault>) -> Result<Duration, Fault> {
    let begun = std::time::Instant::now();
    work()?;
    Ok(begun.elapsed())
}

/// The newest effective time of each partition among the entries of a batch.
fn newest(batch: &Batch) -> Vec<(Topic, i32, Instant)> {
    let mut newest: BTreeMap<(u16, i32), Instant> = BTreeMap::new();
    let mut first = 0;
    for row in &batch.rows {
        let entries = &batch.entries[first..row.items_end];
        first = row.items_end;
        let Coordinates::Kafka { topic, partition, .. } = row.coordinates else { continue };
        for at in entries.iter().filter_map(|entry| effective_at(&entry.fact.event)) {
            let known = newest.entry((topic, partition)).or_insert(at);
            *known = at.max(*known);
        }
    }
    let named =
        |((topic, partition), at): ((u16, i32), Instant)| (batch.topics[usize::from(topic)].clone(), partition, at);
    newest.into_iter().map(named).collect()
}

fn message_heads(rows: &[Row], prepared: &Prepared) -> Vec<MessageHead> {
    let heads = rows.iter().zip(&prepared.digests).map(|(row, digest)| MessageHead {
        stream: row.stream,
        coordinates: row.coordinates,
        digest: *digest,
        items_end: row.items_end,
    });
    heads.collect()
}
