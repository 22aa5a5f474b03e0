//! Appending: decide outcomes, build one frame, make it durable, give the entries back.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use domain::entry::{Antecedent, Entry, EntryRef, Event, Fact, Outcome};
use domain::period::Instant;

use crate::batch::{Batch, Coordinates, Prepared, Row, Topic};
use crate::crash::point;
use crate::fault::Fault;
use crate::frame::{self, Head, ItemHead, MessageHead, SECTION_LIMIT};
use crate::journal::{Journal, PartitionTail};
use crate::reader::unreadable;
use crate::segment::Parts;
use crate::wire::{Items, Rejection};

/// What one append recorded.
#[derive(Debug)]
pub struct Appended {
    pub entries: Vec<Entry>,
    pub first_position: u64,
    /// Equal to `first_position` when no message was recorded.
    pub next_position: u64,
}

/// A partition on its way through a batch: where to resume, and its last message by offset and row.
struct Moved {
    next: i64,
    last: Option<(i64, usize)>,
}

/// One item on its way into the head.
struct Item {
    fact: Fact,
    outcome: Outcome,
    redriven: bool,
    code: Option<&'static str>,
    at: EntryRef,
    antecedent: Option<EntryRef>,
}

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
            return Ok(Appended { entries: Vec::new(), first_position, next_position: first_position });
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
        let items = self.decide(&mut batch)?;
        let antecedents = self.antecedents(&items)?;
        point("append.decided");
        self.tail.partitions.extend(partitions);
        let head = self.head(&batch, &items, recorded_at);
        let prepared = batch.prepared.as_ref().expect("append prepares every batch");
        self.write(&head, batch.section.len(), &prepared.packed)?;
        let entries = (items.into_iter().zip(antecedents))
            .map(|(item, antecedent)| Entry {
                position: item.at.position,
                index: item.at.index,
                recorded_at,
                outcome: item.outcome,
                fact: item.fact,
                antecedent: antecedent.map(Box::new),
            })
            .collect();
        let appended = Appended { entries, first_position, next_position: self.tail.position };
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

    /// Decides the outcome of every item, in order. Rows' ends are moved where a re-drive adds items.
    fn decide(&mut self, batch: &mut Batch) -> Result<Vec<Item>, Fault> {
        let mut decided = Vec::with_capacity(batch.items.len());
        let mut items = std::mem::take(&mut batch.items).into_iter();
        let mut before = 0;
        for row in 0..batch.rows.len() {
            let own = batch.rows[row].items_end - before;
            before = batch.rows[row].items_end;
            let position = self.tail.position + row as u64;
            let start = decided.len();
            for result in items.by_ref().take(own) {
                let item = self.decide_one(result, batch.message(row), position, decided.len() - start, false)?;
                decided.push(item);
            }
            if let [Item { fact: Fact { event: Event::EntryRedriven(decision), .. }, outcome, .. }] = &decided[start..]
                && *outcome == Outcome::Accepted
            {
                let again: Items = self.shared.read_again(decision.entry)?;
                for result in again {
                    let item = self.decide_one(result, batch.message(row), position, decided.len() - start, true)?;
                    decided.push(item);
                }
            }
            batch.rows[row].items_end = decided.len();
        }
        Ok(decided)
    }

    fn decide_one(
        &mut self,
        result: Result<Fact, Rejection>,
        bytes: &[u8],
        position: u64,
        number: usize,
        redriven: bool,
    ) -> Result<Item, Fault> {
        let index = u32::try_from(number).expect("a message of at most 1 GB yields fewer than 2^32 events");
        let at = EntryRef { position, index };
        let fact = match result {
            Ok(fact) => fact,
            Err(rejection) => {
                let fact = unreadable(bytes, number, rejection.code);
                let (outcome, code) = (Outcome::Quarantined, Some(rejection.code));
                return Ok(Item { fact, outcome, redriven, code, at, antecedent: None });
            }
        };
        let decided = self.identities.decide(fact.identity, fact.digest.short(), at)?;
        let antecedent = match (decided.outcome, fact.event.target()) {
            (Outcome::Conflicting, _) => decided.first,
            (_, Some(target)) => self.identities.first(target)?.map(|(first, _)| first),
            (_, None) => None,
        };
        Ok(Item { fact, outcome: decided.outcome, redriven, code: None, at, antecedent })
    }

    /// The facts that items speak of: from this batch, or read back.
    fn antecedents(&self, items: &[Item]) -> Result<Vec<Option<Antecedent>>, Fault> {
        items.iter().map(|item| item.antecedent.map(|at| self.antecedent(items, at)).transpose()).collect()
    }

    fn antecedent(&self, items: &[Item], at: EntryRef) -> Result<Antecedent, Fault> {
        if at.position < self.tail.position {
            return self.shared.antecedent(at);
        }
        let found = items.binary_search_by_key(&at, |item| item.at).expect("an entry of this batch is among its items");
        Ok(Antecedent { at, fact: items[found].fact.clone() })
    }

    fn head(&self, batch: &Batch, items: &[Item], recorded_at: Instant) -> Head {
        let prepared = batch.prepared.as_ref().expect("append prepares every batch");
        let (topics, partitions) = self.tail.partition_table(&batch.topics);
        let heads = items.iter().map(|item| ItemHead {
            outcome: item.outcome,
            redriven: item.redriven,
            named: matches!(item.outcome, Outcome::Accepted | Outcome::Conflicting)
                .then(|| (item.fact.identity, item.fact.digest.short())),
            antecedent: item.antecedent,
            code: item.code.map(Into::into),
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

    /// Writes one frame, makes it durable, testifies, and moves the end.
    pub(crate) fn write(&mut self, head: &Head, section_length: usize, packed: &[u8]) -> Result<(), Fault> {
        let head_bytes = head.write();
        let length = head_bytes.len() as u64;
        if length > SECTION_LIMIT {
            return Err(Fault::TooLarge { bytes: length, limit: SECTION_LIMIT });
        }
        let (stored, chain) = frame::seal(head.frame, &head_bytes, section_length, packed);
        let parts = Parts::cut(head.frame, head.first_position, &stored);
        let first_block = self.tail.block;
        self.active.with(|store| {
            store.put(first_block, parts.values())?;
            point("append.applied");
            store.flush()?;
            point("append.flushed");
            store.sync()
        })?;
        point("append.synced");
        self.tail.take(head, chain, parts.count, parts.bytes());
        self.testify()?;
        point("append.witnessed");
        self.unwritten = false;
        self.shared.end.store(self.tail.position, Ordering::Release);
        Ok(())
    }
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
