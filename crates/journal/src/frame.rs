//! A frame: what one append recorded, as bytes. `docs/journal.md` draws it.
//!
//! The head (coordinates, salted digests, outcomes, offsets) is chained by BLAKE3 to the frame
//! before; the messages are not, so that one of them can later be erased without breaking the
//! chain. A checksum over all stored bytes is checked before anything is unpacked. Reading never
//! trusts a length and never panics on damaged bytes.

use std::sync::Arc;

use domain::entry::{EntryRef, Outcome, Stream};
use domain::ids::{Digest, Identity};
use domain::period::Instant;

use crate::batch::Coordinates;
use crate::bytes::{Cursor, Malformed, Parsed, Put};
use crate::{spare, zip};

/// Version of everything that this crate writes, but for frames that need more.
pub const FORMAT_VERSION: u16 = 1;
/// Frames with messages, whose digests are keyed over hashes of the messages. They alone say this
/// version, so that a build that does not know it refuses those by name and reads all others. Version 2
/// keyed the messages themselves, as 1 does, and was first to name an incumbent beside an antecedent.
const KEYED_HASHES: u16 = 3;
/// The newest version of a frame that is read.
pub(crate) const NEWEST_FRAME: u16 = KEYED_HASHES;
const MAGIC: [u8; 4] = *b"PECF";
const ZSTD: u8 = 1;
/// Magic, version, codec, frame number, four lengths, chain hash, checksum.
pub(crate) const PROLOGUE: usize = 96;
const CHECKSUM_AT: usize = 64;
/// The most that one section of a frame may unpack to.
pub(crate) const SECTION_LIMIT: u64 = 1 << 30;

/// Hash of a frame's head, and through it of everything before.
pub(crate) type Chain = [u8; 32];

/// How far one partition was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    pub topic: Arc<str>,
    pub partition: i32,
    /// Where to resume.
    pub next_offset: i64,
    /// The last message that was recorded, by offset and [`crate::DeliveryKey::digest`]: whoever
    /// resumes can ask the broker for it again, and see whether this is still the same topic.
    pub last_delivered: Option<(i64, Digest)>,
}

/// What the head says about one item of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemHead {
    pub(crate) outcome: Outcome,
    /// Read out of the message that a re-drive names, not out of this one.
    pub(crate) redriven: bool,
    /// Identity and short content digest of what entered the identity index: first accepted facts
    /// and conflicting bodies.
    pub(crate) named: Option<(Identity, u64)>,
    pub(crate) antecedent: Option<EntryRef>,
    /// The first fact of this identity, where the antecedent of a conflicting correction is its target.
    pub(crate) incumbent: Option<EntryRef>,
    /// Why it was quarantined.
    pub(crate) code: Option<Box<str>>,
}

/// What the head says about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageHead {
    pub(crate) stream: Stream,
    pub(crate) coordinates: Coordinates,
    pub(crate) digest: [u8; 32],
    /// Where its items end in [`Head::items`].
    pub(crate) items_end: usize,
}

/// The chained part of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) frame: u64,
    pub(crate) segment: u32,
    pub(crate) first_position: u64,
    pub(crate) recorded_at: Instant,
    pub(crate) previous: Chain,
    pub(crate) cluster: Option<Box<str>>,
    pub(crate) topics: Vec<Arc<str>>,
    pub(crate) files: Vec<(Arc<str>, Digest)>,
    pub(crate) partitions: Vec<PartitionHead>,
    pub(crate) messages: Vec<MessageHead>,
    pub(crate) items: Vec<ItemHead>,
}

/// [`PartitionState`] with the topic's number in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionHead {
    pub(crate) topic: u16,
    pub(crate) partition: i32,
    pub(crate) next_offset: i64,
    pub(crate) last_delivered: Option<(i64, Digest)>,
}

impl Head {
    pub(crate) fn next_position(&self) -> u64 {
        self.first_position + self.messages.len() as u64
    }

    pub(crate) fn items_of(&self, message: usize) -> &[ItemHead] {
        let start = message.checked_sub(1).map_or(0, |before| self.messages[before].items_end);
        &self.items[start..self.messages[message].items_end]
    }

    pub(crate) fn partition_states(&self) -> impl Iterator<Item = PartitionState> + '_ {
        self.partitions.iter().map(|partition| PartitionState {
            topic: self.topics[usize::from(partition.topic)].clone(),
            partition: partition.partition,
            next_offset: partition.next_offset,
            last_delivered: partition.last_delivered,
        })
    }

    /// The version that whoever reads this frame must know.
    pub(crate) fn version(&self) -> u16 {
        if self.messages.is_empty() { FORMAT_VERSION } else { KEYED_HASHES }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = spare::buffer(256 + self.messages.len() * 72);
        out.put(&self.frame.to_be_bytes());
        out.put(&self.segment.to_be_bytes());
        out.put(&self.first_position.to_be_bytes());
        out.put(&self.recorded_at.timestamp().to_be_bytes());
        out.put(&self.recorded_at.timestamp_subsec_nanos().to_be_bytes());
        out.put(&self.previous);
        out.put_optional(self.cluster.as_deref().map(str::as_bytes));
        out.put_varint(self.topics.len() as u64);
        self.topics.iter().for_each(|topic| out.put_text(topic));
        out.put_varint(self.files.len() as u64);
        for (name, digest) in &self.files {
            out.put_text(name);
            out.put(&digest.0);
        }
        out.put_varint(self.partitions.len() as u64);
        self.partitions.iter().for_each(|partition| partition.write(&mut out));
        out.put_varint(self.messages.len() as u64);
        self.write_coordinates(&mut out);
        self.messages.iter().for_each(|message| out.put(&message.digest));
        self.write_items(&mut out);
        out
    }

    fn write_coordinates(&self, out: &mut Vec<u8>) {
        let mut before = Deltas::default();
        let mut items = 0;
        for message in &self.messages {
            before.write(out, message.stream, message.coordinates);
            out.put_varint((message.items_end - items) as u64);
            items = message.items_end;
        }
    }

    fn write_items(&self, out: &mut Vec<u8>) {
        for item in &self.items {
            let tag = outcome_tag(item.outcome)
                | u8::from(item.redriven) << 2
                | u8::from(item.antecedent.is_some()) << 3
                | u8::from(item.named.is_some()) << 4
                | u8::from(item.code.is_some()) << 5
                | u8::from(item.incumbent.is_some()) << 6;
            out.push(tag);
            for at in [item.antecedent, item.incumbent].into_iter().flatten() {
                out.put_varint(at.position);
                out.put_varint(u64::from(at.index));
            }
            if let Some(code) = &item.code {
                out.put_text(code);
            }
        }
        for (identity, short) in self.items.iter().filter_map(|item| item.named) {
            out.put(&identity.0.to_be_bytes());
            out.put(&short.to_be_bytes());
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Parsed<Self> {
        let mut cursor = Cursor::new(bytes);
        let frame = cursor.u64()?;
        let segment = cursor.u32()?;
        let first_position = cursor.u64()?;
        let (seconds, nanos) = (cursor.i64()?, cursor.u32()?);
        let recorded_at = Instant::from_timestamp(seconds, nanos).ok_or(Malformed)?;
        let previous = cursor.array()?;
        let cluster = match cursor.optional()? {
            None => None,
            Some(text) => Some(std::str::from_utf8(text).map_err(|_| Malformed)?.into()),
        };
        let topics = (0..cursor.count()?).map(|_| cursor.text().map(Arc::from)).collect::<Parsed<Vec<_>>>()?;
        let files = (0..cursor.count()?)
            .map(|_| Ok((Arc::from(cursor.text()?), Digest(cursor.array()?))))
            .collect::<Parsed<Vec<_>>>()?;
        let partitions =
            (0..cursor.count()?).map(|_| PartitionHead::read(&mut cursor, topics.len())).collect::<Parsed<_>>()?;
        let (messages, items) = read_messages(&mut cursor, topics.len(), files.len())?;
        if cursor.left() != 0 {
            return Err(Malformed);
        }
        Ok(Self {
            frame,
            segment,
            first_position,
            recorded_at,
            previous,
            cluster,
            topics,
            files,
            partitions,
            messages,
            items,
        })
    }
}

fn read_messages(cursor: &mut Cursor<'_>, topics: usize, files: usize) -> Parsed<(Vec<MessageHead>, Vec<ItemHead>)> {
    let count = cursor.count()?;
    let mut messages = Vec::with_capacity(count);
    let mut before = Deltas::default();
    let mut items_end = 0_usize;
    for _ in 0..count {
        let (stream, coordinates) = before.read(cursor, topics, files)?;
        items_end = items_end.checked_add(cursor.count()?).ok_or(Malformed)?;
        messages.push(MessageHead { stream, coordinates, digest: [0; 32], items_end });
    }
    for message in &mut messages {
        message.digest = cursor.array()?;
    }
    if items_end > cursor.left() {
        return Err(Malformed);
    }
    let mut items = Vec::with_capacity(items_end);
    let mut named = Vec::with_capacity(items_end);
    for _ in 0..items_end {
        let (item, is_named) = read_item(cursor)?;
        items.push(item);
        named.push(is_named);
    }
    for (item, _) in items.iter_mut().zip(named).filter(|(_, named)| *named) {
        item.named = Some((Identity(u128::from_be_bytes(cursor.array()?)), cursor.u64()?));
    }
    Ok((messages, items))
}

fn read_item(cursor: &mut Cursor<'_>) -> Parsed<(ItemHead, bool)> {
    let tag = cursor.u8()?;
    if tag & 0b1000_0000 != 0 {
        return Err(Malformed);
    }
    let mut citation = |bit: u8| -> Parsed<Option<EntryRef>> {
        if tag & bit == 0 {
            return Ok(None);
        }
        let position = cursor.varint()?;
        Ok(Some(EntryRef { position, index: u32::try_from(cursor.varint()?).map_err(|_| Malformed)? }))
    };
    let (antecedent, incumbent) = (citation(8)?, citation(64)?);
    let code = if tag & 32 == 0 { None } else { Some(cursor.text()?.into()) };
    let (outcome, redriven) = (outcome_of(tag & 3), tag & 4 != 0);
    Ok((ItemHead { outcome, redriven, named: None, antecedent, incumbent, code }, tag & 16 != 0))
}

impl PartitionHead {
    fn write(&self, out: &mut Vec<u8>) {
        out.put_varint(u64::from(self.topic));
        out.put_signed(i64::from(self.partition));
        out.put_signed(self.next_offset);
        out.push(u8::from(self.last_delivered.is_some()));
        if let Some((offset, digest)) = self.last_delivered {
            out.put_signed(offset);
            out.put(&digest.0);
        }
    }

    fn read(cursor: &mut Cursor<'_>, topics: usize) -> Parsed<Self> {
        let topic = table_index(cursor, topics)?;
        let partition = i32::try_from(cursor.signed()?).map_err(|_| Malformed)?;
        let next_offset = cursor.signed()?;
        let last_delivered = match cursor.u8()? {
            0 => None,
            1 => Some((cursor.signed()?, Digest(cursor.array()?))),
            _ => return Err(Malformed),
        };
        Ok(Self { topic, partition, next_offset, last_delivered })
    }
}

fn table_index(cursor: &mut Cursor<'_>, entries: usize) -> Parsed<u16> {
    let index = u16::try_from(cursor.varint()?).map_err(|_| Malformed)?;
    if usize::from(index) < entries { Ok(index) } else { Err(Malformed) }
}

/// Offsets, ordinals and timestamps are written as differences to the message before.
#[derive(Default)]
struct Deltas {
    offset: i64,
    timestamp: i64,
    ordinal: i64,
}

const KAFKA: u8 = 0x10;
const KAFKA_TIMED: u8 = 0x20;
const FILE: u8 = 0x30;
const HERE: u8 = 0x40;

impl Deltas {
    fn write(&mut self, out: &mut Vec<u8>, stream: Stream, coordinates: Coordinates) {
        let stream = stream_tag(stream);
        match coordinates {
            Coordinates::Kafka { topic, partition, offset, timestamp_ms } => {
                out.push(stream | if timestamp_ms.is_some() { KAFKA_TIMED } else { KAFKA });
                out.put_varint(u64::from(topic));
                out.put_signed(i64::from(partition));
                out.put_signed(offset.wrapping_sub(self.offset));
                self.offset = offset;
                if let Some(timestamp) = timestamp_ms {
                    out.put_signed(timestamp.wrapping_sub(self.timestamp));
                    self.timestamp = timestamp;
                }
            }
            Coordinates::File { file, ordinal } => {
                out.push(stream | FILE);
                out.put_varint(u64::from(file));
                out.put_signed(ordinal.cast_signed().wrapping_sub(self.ordinal));
                self.ordinal = ordinal.cast_signed();
            }
            Coordinates::Here => out.push(stream | HERE),
        }
    }

    fn read(&mut self, cursor: &mut Cursor<'_>, topics: usize, files: usize) -> Parsed<(Stream, Coordinates)> {
        let tag = cursor.u8()?;
        let stream = *Stream::ALL.get(usize::from(tag & 0x0f)).ok_or(Malformed)?;
        let coordinates = match tag & 0xf0 {
            kind @ (KAFKA | KAFKA_TIMED) => {
                let topic = table_index(cursor, topics)?;
                let partition = i32::try_from(cursor.signed()?).map_err(|_| Malformed)?;
                self.offset = self.offset.wrapping_add(cursor.signed()?);
                let timestamp_ms = if kind == KAFKA_TIMED {
                    self.timestamp = self.timestamp.wrapping_add(cursor.signed()?);
                    Some(self.timestamp)
                } else {
                    None
                };
                Coordinates::Kafka { topic, partition, offset: self.offset, timestamp_ms }
            }
            FILE => {
                let file = table_index(cursor, files)?;
                self.ordinal = self.ordinal.wrapping_add(cursor.signed()?);
                Coordinates::File { file, ordinal: self.ordinal.cast_unsigned() }
            }
            HERE => Coordinates::Here,
            _ => return Err(Malformed),
        };
        Ok((stream, coordinates))
    }
}

fn stream_tag(stream: Stream) -> u8 {
    match stream {
        Stream::Usage => 0,
        Stream::Access => 1,
        Stream::Commerce => 2,
        Stream::Reference => 3,
        Stream::Decisions => 4,
    }
}

fn outcome_tag(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Accepted => 0,
        Outcome::Duplicate => 1,
        Outcome::Conflicting => 2,
        Outcome::Quarantined => 3,
    }
}

fn outcome_of(tag: u8) -> Outcome {
    match tag {
        0 => Outcome::Accepted,
        1 => Outcome::Duplicate,
        2 => Outcome::Conflicting,
        _ => Outcome::Quarantined,
    }
}

/// The chain hash of a frame, from the bytes of its head (which name the hash before).
pub(crate) fn chain(head: &[u8]) -> Chain {
    blake3::derive_key("pec journal frame head, format 1", head)
}

/// The stored form of a frame.
pub(crate) fn seal(
    (number, version): (u64, u16),
    head: &[u8],
    section_length: usize,
    packed_section: &[u8],
) -> (Vec<u8>, Chain) {
    let packed_head = zip::pack(head);
    let chain = chain(head);
    let mut out = spare::buffer(PROLOGUE + packed_head.len() + packed_section.len());
    out.put(&MAGIC);
    out.put(&version.to_be_bytes());
    out.put(&[ZSTD, 0]);
    out.put(&number.to_be_bytes());
    for length in [head.len(), packed_head.len(), section_length, packed_section.len()] {
        out.put(&u32::try_from(length).expect("append refuses larger sections").to_be_bytes());
    }
    out.put(&chain);
    out.put(&[0; 32]);
    out.put(&packed_head);
    out.put(packed_section);
    spare::put_back(packed_head);
    let sum = checksum(&out);
    out[CHECKSUM_AT..PROLOGUE].copy_from_slice(&sum);
    (out, chain)
}

fn checksum(stored: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&stored[..CHECKSUM_AT]).update(&stored[PROLOGUE..]);
    *hasher.finalize().as_bytes()
}

/// Why stored bytes are not a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Written by a build that knows more than we do.
    Version(u16),
    Because(&'static str),
}

/// A stored frame whose checksum agrees.
pub(crate) struct Stored<'a> {
    pub(crate) number: u64,
    pub(crate) chain: Chain,
    head_length: usize,
    section_length: usize,
    packed_head: &'a [u8],
    packed_section: &'a [u8],
}

impl<'a> Stored<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Broken> {
        let short = |_| Broken::Because("it is shorter than a prologue");
        let mut cursor = Cursor::new(bytes);
        if cursor.array::<4>().map_err(short)? != MAGIC {
            return Err(Broken::Because("it does not begin as a frame"));
        }
        match cursor.u16().map_err(short)? {
            FORMAT_VERSION..=NEWEST_FRAME => (),
            other
                if bytes.len() >= PROLOGUE
                    && other > NEWEST_FRAME
                    && bytes[CHECKSUM_AT..PROLOGUE] == checksum(bytes) =>
            {
                return Err(Broken::Version(other));
            }
            _ => return Err(Broken::Because("its format version is none")),
        }
        let codec = cursor.u16().map_err(short)?;
        let number = cursor.u64().map_err(short)?;
        let mut lengths = [0_usize; 4];
        for length in &mut lengths {
            *length =
                usize::try_from(cursor.u32().map_err(short)?).map_err(|_| Broken::Because("a length is too large"))?;
        }
        let chain = cursor.array().map_err(short)?;
        let sum: [u8; 32] = cursor.array().map_err(short)?;
        if sum != checksum(bytes) {
            return Err(Broken::Because("its checksum does not agree"));
        }
        if codec != u16::from(ZSTD) << 8 {
            return Err(Broken::Because("its codec is unknown"));
        }
        let [head_length, head_stored, section_length, section_stored] = lengths;
        let packed_head = cursor.take(head_stored).map_err(|_| Broken::Because("its head ends early"))?;
        let packed_section = cursor.take(section_stored).map_err(|_| Broken::Because("its messages end early"))?;
        if cursor.left() != 0 {
            return Err(Broken::Because("it is longer than it says"));
        }
        Ok(Self { number, chain, head_length, section_length, packed_head, packed_section })
    }

    /// Unpacks the head and checks that its hash is the one that the next frame is chained to.
    pub(crate) fn head(&self) -> Result<Head, Broken> {
        let bytes =
            zip::unpack(self.packed_head, self.head_length).map_err(|_| Broken::Because("its head does not unpack"))?;
        if chain(&bytes) != self.chain {
            return Err(Broken::Because("its chain hash does not agree with its head"));
        }
        let head = Head::read(&bytes).map_err(|_| Broken::Because("its head cannot be read"))?;
        spare::put_back(bytes);
        if head.frame != self.number {
            return Err(Broken::Because("its head numbers it otherwise"));
        }
        Ok(head)
    }

    /// Unpacks the message section.
    pub(crate) fn section(&self) -> Result<Vec<u8>, Broken> {
        zip::unpack(self.packed_section, self.section_length).map_err(|_| Broken::Because("its messages do not unpack"))
    }
}
