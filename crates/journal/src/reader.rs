//! Reading: from any position, while somebody writes, and only what is durable.
//!
//! Messages are decoded again on every read; outcomes and rejection codes are the recorded ones.
//! A fact that no longer reads as it was recorded is a [`Fault::Reread`], never a silent change.

mod ahead;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use domain::entry::{Antecedent, Entry, EntryRedriven, EntryRef, Event, Fact, Outcome, Stream};
use domain::ids::Identity;
use domain::period::Instant;

use crate::batch::{Coordinates, Kept, Origin, digest_of};
use crate::fault::Fault;
use crate::frame::{Head, ItemHead};
use crate::segment::{Assembled, Frame, Segment};
use crate::spare;
use crate::wire::{self, Items, Message, Naming, Unnamed};

/// How many unpacked frames are kept for looking up single entries.
const RECENT: usize = 8;

/// How many sealed segments are kept open.
const OPENED: usize = 3;

/// What the writer and all readers of an open journal share.
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
    /// The first position that is not durable yet.
    pub(crate) end: AtomicU64,
    recent: Mutex<VecDeque<Arc<Frame>>>,
    /// Sealed segments that may be open, the one used last at the end.
    opened: Mutex<VecDeque<Arc<Segment>>>,
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, segments: Vec<Arc<Segment>>, end: u64) -> Arc<Self> {
        let (recent, opened) = (Mutex::new(VecDeque::new()), Mutex::new(VecDeque::new()));
        Arc::new(Self { dir, segments: RwLock::new(segments), end: AtomicU64::new(end), recent, opened })
    }

    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().expect("nobody panics while listing segments").clone()
    }

    fn segment_of(&self, position: u64) -> Arc<Segment> {
        let segments = self.segments.read().expect("nobody panics while listing segments");
        let after = segments.partition_point(|segment| segment.first_position <= position);
        segments[after.saturating_sub(1)].clone()
    }

    /// Notes that a segment is about to be read, and closes the sealed one that was not used for the
    /// longest time: every open one costs memory for its page table and its cache.
    pub(crate) fn used(&self, segment: &Arc<Segment>) -> Result<(), Fault> {
        if !segment.is_sealed() {
            return Ok(());
        }
        let oldest = {
            let mut opened = self.opened.lock().expect("nobody panics while listing segments");
            opened.retain(|other| other.number != segment.number);
            opened.push_back(segment.clone());
            if opened.len() > OPENED { opened.pop_front() } else { None }
        };
        oldest.map_or(Ok(()), |oldest| oldest.close())
    }

    /// The frame that holds a position before the end.
    fn frame_of(&self, position: u64) -> Result<Arc<Frame>, Fault> {
        let holds = |frame: &Arc<Frame>| (frame.head.first_position..frame.head.next_position()).contains(&position);
        if let Some(frame) = self.recent.lock().expect("nobody panics while looking").iter().rev().find(|f| holds(f)) {
            return Ok(frame.clone());
        }
        let segment = self.segment_of(position);
        self.used(&segment)?;
        let block = segment.block_of(position)?;
        let assembled = segment.assemble(block)?.ok_or_else(|| segment.damaged("a frame vanished"))?;
        let frame = Arc::new(segment.frame(&assembled)?);
        if !holds(&frame) {
            return Err(segment.damaged(format!("position {position} lies in no frame")));
        }
        let mut recent = self.recent.lock().expect("nobody panics while looking");
        recent.push_back(frame.clone());
        if recent.len() > RECENT {
            recent.pop_front();
        }
        Ok(frame)
    }

    /// All facts that a position yields, as recorded.
    pub(crate) fn facts_at(&self, position: u64) -> Result<Vec<Fact>, Fault> {
        let frame = self.frame_of(position)?;
        let index = (position - frame.head.first_position) as usize;
        let (head, items) = (&frame.head.messages[index], frame.head.items_of(index));
        let mut facts = Vec::with_capacity(items.len());
        let mut take = |_, fact| facts.push(fact);
        let decoding = &mut Decoding { naming: Naming::AtOnce, items: &mut Items::new() };
        self.restore(&frame.message(index)?, head.stream, items, position, decoding, &mut take)?;
        agree(items, &facts, position)?;
        Ok(facts)
    }

    /// The fact of one entry, if there is such an entry.
    pub(crate) fn fact_at(&self, at: EntryRef) -> Result<Option<Fact>, Fault> {
        if at.position >= self.end() {
            return Ok(None);
        }
        Ok(self.facts_at(at.position)?.into_iter().nth(at.index as usize))
    }

    /// What the message of a quarantined entry yields now: all of it where it was rejected as a
    /// whole, else the item that the entry names. Empty when there is nothing to read again, also where
    /// the decision was made over another journal, in which something else stood at that position.
    pub(crate) fn read_again(&self, decision: &EntryRedriven) -> Result<Items, Fault> {
        let at = decision.entry;
        if at.position >= self.end() {
            return Ok(Items::new());
        }
        let frame = self.frame_of(at.position)?;
        let index = (at.position - frame.head.first_position) as usize;
        let recorded = frame.head.items_of(index);
        let quarantined = |item: &ItemHead| item.outcome == Outcome::Quarantined && !item.redriven;
        if !recorded.get(at.index as usize).is_some_and(quarantined) {
            return Ok(Items::new());
        }
        let message = frame.message(index)?;
        if decision.message.as_ref().is_some_and(|named| named.digest != digest_of(message.bytes)) {
            return Ok(Items::new());
        }
        let mut items = wire::decode(&message.as_ref(frame.head.messages[index].stream));
        if recorded.len() > 1 && items.len() == recorded.len() {
            items = vec![items.swap_remove(at.index as usize)];
        }
        Ok(items)
    }

    /// Reads a message as it was recorded, and hands over one fact for each of its heads.
    fn restore(
        &self,
        message: &Kept<'_>,
        stream: Stream,
        heads: &[ItemHead],
        position: u64,
        decoding: &mut Decoding<'_>,
        take: &mut dyn FnMut(u32, Fact),
    ) -> Result<(), Fault> {
        let own = heads.iter().take_while(|head| !head.redriven).count();
        let (own, redriven) = heads.split_at(own);
        let Decoding { naming, items } = decoding;
        wire::decode_into(&message.as_ref(stream), naming, items);
        let decision = match items.first() {
            Some(Ok(Fact { event: Event::EntryRedriven(decision), .. })) => Some(decision.clone()),
            _ => None,
        };
        restore((0, &mut **items), own, message.bytes, position, take)?;
        if !redriven.is_empty() {
            let named = decision.ok_or_else(|| reread(position, "it no longer decides to read another entry again"))?;
            let first = u32::try_from(own.len()).expect("a message yields fewer than 2^32 events");
            restore((first, &mut self.read_again(&named)?), redriven, message.bytes, position, take)?;
        }
        Ok(())
    }

    /// Turns the messages of a frame, from a position on, into entries, and holds them against what was
    /// recorded of them.
    pub(crate) fn entries_of(&self, frame: &Frame, from: u64, out: &mut Vec<Entry>) -> Result<(), Fault> {
        let (head, start) = (&frame.head, out.len());
        let mut unnamed = Unnamed::default();
        let mut items = Items::new();
        let mut named = start;
        frame.messages(|index, message| {
            if head.first_position + index as u64 >= from {
                let decoding = &mut Decoding { naming: Naming::Later(&mut unnamed), items: &mut items };
                self.entries(head, index, &message, decoding, out)?;
            }
            if unnamed.are_enough() {
                unnamed.name(out[named..].iter_mut().map(|entry| &mut entry.fact));
                named = out.len();
            }
            Ok(())
        })?;
        unnamed.name(out[named..].iter_mut().map(|entry| &mut entry.fact));
        let read = &out[start..];
        let recorded = &head.items[head.items.len() - read.len()..];
        read.iter().zip(recorded).try_for_each(|(entry, head)| agrees(head, &entry.fact, entry.at()))
    }

    /// Turns a message into entries.
    fn entries(
        &self,
        frame: &Head,
        index: usize,
        message: &Kept<'_>,
        decoding: &mut Decoding<'_>,
        out: &mut Vec<Entry>,
    ) -> Result<(), Fault> {
        let position = frame.first_position + index as u64;
        let (heads, recorded_at, start) = (frame.items_of(index), frame.recorded_at, out.len());
        let mut take = |index: u32, fact| {
            let (outcome, antecedent, incumbent) = (Outcome::Accepted, None, None);
            out.push(Entry { position, index, recorded_at, outcome, fact, antecedent, incumbent });
        };
        self.restore(message, frame.messages[index].stream, heads, position, decoding, &mut take)?;
        for (entry, head) in out[start..].iter_mut().zip(heads) {
            entry.outcome = head.outcome;
            for (at, earlier) in [(head.antecedent, &mut entry.antecedent), (head.incumbent, &mut entry.incumbent)] {
                *earlier = at.map(|at| self.antecedent(at).map(Box::new)).transpose()?;
            }
        }
        Ok(())
    }

    pub(crate) fn antecedent(&self, at: EntryRef) -> Result<Antecedent, Fault> {
        let fact = self.fact_at(at)?.ok_or_else(|| reread(at.position, "an entry that others speak of is gone"))?;
        Ok(Antecedent { at, fact })
    }
}

/// How messages are read, and a list for what one of them says that serves the next one too.
struct Decoding<'n> {
    naming: Naming<'n>,
    items: &'n mut Items,
}

fn reread(position: u64, reason: impl Into<String>) -> Fault {
    Fault::Reread { position, reason: reason.into() }
}

/// Puts decoded items, the first of which has this number, and recorded heads together.
fn restore(
    (first, items): (u32, &mut Items),
    heads: &[ItemHead],
    bytes: &[u8],
    position: u64,
    take: &mut dyn FnMut(u32, Fact),
) -> Result<(), Fault> {
    let same_count = items.len() == heads.len();
    if !same_count && heads.iter().any(|head| head.outcome != Outcome::Quarantined) {
        let reason = format!("it yielded {} events and now yields {}", heads.len(), items.len());
        return Err(reread(position, reason));
    }
    let mut items = items.drain(..);
    for (number, head) in (first..).zip(heads) {
        let item = items.next();
        if head.outcome == Outcome::Quarantined {
            let code = interned(head.code.as_deref().unwrap_or("R-unknown"));
            take(number, unreadable(bytes, number, code));
            continue;
        }
        match item {
            Some(Ok(fact)) => take(number, fact),
            Some(Err(rejection)) => {
                let reason = format!("event {number} is now rejected: {} {}", rejection.code, rejection.detail);
                return Err(reread(position, reason));
            }
            None => return Err(reread(position, "an event is gone")),
        }
    }
    Ok(())
}

/// Whether a fact still has the identity and content that were recorded of it.
fn agrees(head: &ItemHead, fact: &Fact, at: EntryRef) -> Result<(), Fault> {
    match head.named {
        Some(named) if named != (fact.identity, fact.digest.short()) => {
            Err(reread(at.position, format!("event {} has another identity or content", at.index)))
        }
        _ => Ok(()),
    }
}

/// The same for all facts of one position.
fn agree(heads: &[ItemHead], facts: &[Fact], position: u64) -> Result<(), Fault> {
    let mut numbered = (0_u32..).zip(heads).zip(facts);
    numbered.try_for_each(|((index, head), fact)| agrees(head, fact, EntryRef { position, index }))
}

/// The fact that stands for what could not be read. Named by its bytes, so that the same message
/// told twice is the same unreadable fact.
pub(crate) fn unreadable(bytes: &[u8], index: u32, code: &'static str) -> Fact {
    let digest = digest_of(bytes);
    let named = blake3::keyed_hash(&digest.0, &u64::from(index).to_be_bytes());
    let (identity, _) = named.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
    let identity = Identity(u128::from_be_bytes(*identity));
    Fact { identity, digest, event: Event::Unreadable(code) }
}

/// Codes are few and come from our own decoders, so each distinct one is kept for ever.
fn interned(code: &str) -> &'static str {
    static CODES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut codes = CODES.lock().expect("nobody panics while interning");
    if let Some(known) = codes.get(code) {
        return known;
    }
    let leaked: &'static str = Box::leak(code.into());
    codes.insert(leaked);
    leaked
}

/// One message as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub position: u64,
    pub recorded_at: Instant,
    pub origin: Origin,
    pub message: Message,
    /// One per entry that the position yields.
    pub outcomes: Vec<Outcome>,
}

/// Reads a journal that is open for writing, on any thread.
#[derive(Clone)]
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
}

impl Reader {
    /// The first position that is not durable yet.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.shared.end()
    }

    /// Every entry from a position to the present end, in order. Where there is much to read, other
    /// threads unpack and decode ahead.
    pub fn entries(&self, from: u64) -> impl Iterator<Item = Result<Entry, Fault>> + Send + use<> {
        self.chunks(from).flat_map(|entries| match entries {
            Ok(entries) => either(entries.into_entries().into_iter().map(Ok)),
            Err(fault) => either(std::iter::once(Err(fault))),
        })
    }

    /// The same, a frame at a time and on loan, for whoever folds millions: nothing is moved.
    pub fn chunks(&self, from: u64) -> impl Iterator<Item = Result<Chunk, Fault>> + Send + use<> {
        let shared = self.shared.clone();
        if self.end().saturating_sub(from) > ahead::WORTHWHILE {
            return either(ahead::Ahead::begin(shared, from));
        }
        let decode =
            move |(segment, assembled): (Arc<Segment>, Assembled)| entries_from(&shared, &segment, assembled, from);
        either(frames(self.shared.clone(), from).map(move |found| found.and_then(&decode)))
    }

    /// Every message, verbatim, from a position to the present end.
    pub fn records(&self, from: u64) -> impl Iterator<Item = Result<Record, Fault>> + Send + use<> {
        frames(self.shared.clone(), from).flat_map(move |found| {
            let records = found.and_then(|(segment, assembled)| records_from(&segment.frame(&assembled)?, from));
            match records {
                Ok(records) => either(records.into_iter().map(Ok)),
                Err(fault) => either(std::iter::once(Err(fault))),
            }
        })
    }

    /// One message, verbatim; `None` beyond the end.
    pub fn record(&self, position: u64) -> Result<Option<Record>, Fault> {
        if position >= self.end() {
            return Ok(None);
        }
        let frame = self.shared.frame_of(position)?;
        let index = (position - frame.head.first_position) as usize;
        Ok(Some(record(&frame.head, index, &frame.message(index)?)))
    }
}

fn either<T>(iterator: impl Iterator<Item = T> + Send + 'static) -> Box<dyn Iterator<Item = T> + Send> {
    Box::new(iterator)
}

/// Entries of one frame, on loan: their memory serves the next frame.
#[derive(Debug)]
pub struct Chunk(Vec<Entry>);

impl Chunk {
    fn into_entries(mut self) -> Vec<Entry> {
        std::mem::take(&mut self.0)
    }
}

impl std::ops::Deref for Chunk {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        spare::spent(std::mem::take(&mut self.0));
    }
}

/// The entries of a frame whose position is not before `from`.
fn entries_from(shared: &Shared, segment: &Segment, stored: Assembled, from: u64) -> Result<Chunk, Fault> {
    let frame = segment.frame(&stored)?;
    spare::put_back(stored.bytes);
    let mut entries = spare::entries();
    entries.reserve(frame.head.items.len());
    shared.entries_of(&frame, from, &mut entries)?;
    frame.done();
    Ok(Chunk(entries))
}

fn records_from(frame: &Frame, from: u64) -> Result<Vec<Record>, Fault> {
    let mut records = Vec::with_capacity(frame.head.messages.len());
    frame.messages(|index, message| {
        if frame.head.first_position + index as u64 >= from {
            records.push(record(&frame.head, index, &message));
        }
        Ok(())
    })?;
    Ok(records)
}

fn record(head: &Head, index: usize, message: &Kept<'_>) -> Record {
    let of = &head.messages[index];
    let origin = match of.coordinates {
        Coordinates::Kafka { topic, partition, offset, timestamp_ms } => {
            Origin::Kafka { topic: head.topics[usize::from(topic)].clone(), partition, offset, timestamp_ms }
        }
        Coordinates::File { file, ordinal } => {
            let (name, digest) = head.files[usize::from(file)].clone();
            Origin::File { name, digest, ordinal }
        }
        Coordinates::Here => Origin::Here,
    };
    Record {
        position: head.first_position + index as u64,
        recorded_at: head.recorded_at,
        origin,
        message: message.to_message(of.stream),
        outcomes: head.items_of(index).iter().map(|item| item.outcome).collect(),
    }
}

/// Walks the stored frames from the one that holds `from` to the present end.
fn frames(shared: Arc<Shared>, from: u64) -> impl Iterator<Item = Result<(Arc<Segment>, Assembled), Fault>> + Send {
    let end = shared.end();
    let mut place: Option<(Arc<Segment>, u64)> = None;
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed || from >= end {
            return None;
        }
        let found = step(&shared, &mut place, from, end);
        failed = found.is_err();
        found.transpose()
    })
}

/// The next frame, or none behind the end.
fn step(
    shared: &Shared,
    place: &mut Option<(Arc<Segment>, u64)>,
    from: u64,
    end: u64,
) -> Result<Option<(Arc<Segment>, Assembled)>, Fault> {
    let (segment, block) = match place.take() {
        Some(place) => place,
        None => {
            let segment = shared.segment_of(from);
            shared.used(&segment)?;
            let block = segment.block_of(from)?;
            (segment, block)
        }
    };
    let (segment, assembled) = match segment.assemble(block)? {
        Some(assembled) => (segment, assembled),
        None => {
            // Block numbers count on over the segments.
            let after = shared.segments().into_iter().find(|other| other.number == segment.number + 1);
            let Some(after) = after else { return Ok(None) };
            shared.used(&after)?;
            let assembled = after.assemble(block)?.ok_or_else(|| after.damaged("it does not begin where it should"))?;
            (after, assembled)
        }
    };
    if assembled.header.first_position >= end {
        return Ok(None);
    }
    *place = Some((segment.clone(), block + u64::from(assembled.header.parts)));
    Ok(Some((segment, assembled)))
}
