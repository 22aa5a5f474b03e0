//! Messages on their way into the journal: copied once into one arena, then decoded.
//!
//! A batch becomes one frame. [`Batch::push`] decodes on the caller's thread, [`Batch::collect`]
//! leaves that for later, and [`Batch::prepare`] does the expensive rest (decoding, a digest per
//! message, compression) on any thread, so that [`crate::Journal::append`] only has to decide
//! outcomes and write. Entries are made once, where they are decoded, and never moved after that.

use std::ops::Range;
use std::sync::Arc;

use domain::entry::{Entry, Fact, Outcome, Stream};
use domain::ids::Digest;
use domain::period::Instant;

use crate::bytes::{Cursor, Malformed, Parsed, Put};
use crate::reader::unreadable;
use crate::salt::{self, Keying, Salt, Salted};
use crate::wire::{self, Header, Message, MessageRef, Naming, Rejection, Unnamed};
use crate::{spare, zip};

/// Name of a Kafka topic, shared by all messages that came on it.
pub type Topic = Arc<str>;

/// Where a message came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Kafka {
        topic: Topic,
        partition: i32,
        offset: i64,
        /// As the broker states it, in milliseconds since 1970.
        timestamp_ms: Option<i64>,
    },
    /// One record of an imported file.
    File {
        name: Arc<str>,
        /// BLAKE3 of the whole file.
        digest: Digest,
        /// Which record of it, counted from 0.
        ordinal: u64,
    },
    /// Written by ourselves.
    Here,
}

/// An origin with its names replaced by their numbers in the frame's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coordinates {
    Kafka { topic: u16, partition: i32, offset: i64, timestamp_ms: Option<i64> },
    File { file: u16, ordinal: u64 },
    Here,
}

/// One message of a batch: where its bytes and its items end.
pub(crate) struct Row {
    pub(crate) stream: Stream,
    pub(crate) coordinates: Coordinates,
    pub(crate) bytes_end: usize,
    /// Where its items end; known once it is decoded.
    pub(crate) items_end: usize,
}

/// A next offset that a frame records.
#[derive(Clone, Copy)]
pub(crate) struct Advance {
    pub(crate) topic: u16,
    pub(crate) partition: i32,
    pub(crate) next_offset: i64,
}

/// What [`Batch::prepare`] adds.
pub(crate) struct Prepared {
    pub(crate) digests: Vec<[u8; 32]>,
    /// The message section, compressed.
    pub(crate) packed: Vec<u8>,
}

/// Messages, and next offsets, that shall be recorded together.
#[derive(Default)]
pub struct Batch {
    /// Bytes of messages that are expected; more are taken all the same.
    room: usize,
    /// The message section of the frame: its preamble, then every message verbatim.
    pub(crate) section: Vec<u8>,
    pub(crate) rows: Vec<Row>,
    /// What the decoded messages say. Until `append` decides, positions count from the first
    /// message of the batch, what was read is accepted and what was not is quarantined.
    pub(crate) entries: Vec<Entry>,
    /// How many messages are decoded.
    decoded: usize,
    pub(crate) topics: Vec<Topic>,
    pub(crate) files: Vec<(Arc<str>, Digest)>,
    pub(crate) advances: Vec<Advance>,
    /// Partitions whose offsets start anew.
    pub(crate) rewinds: Vec<(u16, i32)>,
    pub(crate) prepared: Option<Prepared>,
}

impl Batch {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A batch for about so many bytes of messages, whose buffer need not grow on the way.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// Copies the message and decodes it.
    pub fn push(&mut self, origin: Origin, message: &MessageRef<'_>) {
        self.push_decoded(origin, message, wire::decode(message));
    }

    /// Copies a message whose items the caller already has from [`wire::decode`].
    pub fn push_decoded(&mut self, origin: Origin, message: &MessageRef<'_>, mut items: wire::Items) {
        self.decode();
        self.collect(origin, message);
        self.enter(&mut items);
    }

    /// Copies a message and leaves decoding it to [`Batch::prepare`], for a thread that must not be
    /// kept from receiving.
    pub fn collect(&mut self, origin: Origin, message: &MessageRef<'_>) {
        self.prepared = None;
        if self.section.is_empty() {
            self.section = spare::buffer(self.room);
            self.section.resize(PREAMBLE, 0);
        }
        let coordinates = match origin {
            Origin::Kafka { topic, partition, offset, timestamp_ms } => {
                Coordinates::Kafka { topic: self.topic(&topic), partition, offset, timestamp_ms }
            }
            Origin::File { name, digest, ordinal } => Coordinates::File { file: self.file(&name, digest), ordinal },
            Origin::Here => Coordinates::Here,
        };
        write_message(&mut self.section, message);
        self.rows.push(Row { stream: message.stream, coordinates, bytes_end: self.section.len(), items_end: 0 });
    }

    /// Decodes what was only collected so far.
    fn decode(&mut self) {
        let mut unnamed = Unnamed::default();
        if self.entries.capacity() == 0 {
            self.entries = spare::entries();
            self.entries.reserve(self.rows.len());
        }
        let mut named = self.entries.len();
        let mut items = wire::Items::new();
        while self.decoded < self.rows.len() {
            let bytes = self.message(self.decoded);
            let kept = Kept::read(&mut Cursor::new(bytes)).expect("what was written a moment ago can be read");
            let message = kept.as_ref(self.rows[self.decoded].stream);
            wire::decode_into(&message, &mut Naming::Later(&mut unnamed), &mut items);
            self.enter(&mut items);
            if unnamed.are_enough() || self.decoded == self.rows.len() {
                unnamed.name(self.entries[named..].iter_mut().map(|entry| &mut entry.fact));
                named = self.entries.len();
            }
        }
    }

    /// Takes up what the first undecoded message says, and leaves `items` empty.
    fn enter(&mut self, items: &mut wire::Items) {
        let row = self.decoded;
        for (index, item) in (0_u32..).zip(items.drain(..)) {
            let entry = self.entry(row, index, item);
            self.entries.push(entry);
        }
        self.rows[row].items_end = self.entries.len();
        self.decoded += 1;
    }

    fn entry(&self, row: usize, index: u32, item: Result<Fact, Rejection>) -> Entry {
        let (outcome, fact) = match item {
            Ok(fact) => (Outcome::Accepted, fact),
            Err(rejection) => (Outcome::Quarantined, unreadable(self.message(row), index, rejection.code)),
        };
        let (position, recorded_at) = (row as u64, Instant::UNIX_EPOCH);
        Entry { position, index, recorded_at, outcome, fact, antecedent: None, incumbent: None }
    }

    /// Which entries a decoded row has.
    pub(crate) fn items_of(&self, row: usize) -> Range<usize> {
        row.checked_sub(1).map_or(0, |before| self.rows[before].items_end)..self.rows[row].items_end
    }

    /// Adds what another message says behind the only entry of a row, which stands before `place`.
    pub(crate) fn insert(&mut self, place: usize, row: usize, items: wire::Items) {
        let added = items.len();
        let entries: Vec<Entry> = (1_u32..).zip(items).map(|(index, item)| self.entry(row, index, item)).collect();
        self.entries.splice(place..place, entries);
        for row in &mut self.rows[row..] {
            row.items_end += added;
        }
    }

    /// Records that everything before `next_offset` of a partition is taken in, also where no
    /// message shows it (control records, compacted ranges).
    pub fn advance(&mut self, topic: &str, partition: i32, next_offset: i64) {
        let topic = self.topic(&Topic::from(topic));
        self.advances.push(Advance { topic, partition, next_offset });
    }

    /// Records that the offsets of a partition start anew, because a person accepted that its topic
    /// was created again or is another cluster's. What was delivered before proves nothing any more.
    /// A negative offset says that the partition is no longer there.
    pub fn rewind(&mut self, topic: &str, partition: i32, next_offset: i64) {
        self.advance(topic, partition, next_offset);
        let topic = self.topic(&Topic::from(topic));
        self.rewinds.push((topic, partition));
    }

    /// Decodes what was only collected, draws the salt, takes the digest of every message, and
    /// compresses the messages. Costly and pure: meant to run on another thread than the writer's.
    /// `append` does it if nobody did.
    pub fn prepare(&mut self) {
        if self.prepared.is_some() {
            return;
        }
        self.decode();
        let salted = Salted { salt: salt::fresh(), keying: Keying::Hashes };
        if self.section.is_empty() {
            self.section.resize(PREAMBLE, 0);
        }
        self.section[0] = KEYED_HASHES;
        self.section[1..PREAMBLE].copy_from_slice(&salted.salt.0);
        let messages: Vec<&[u8]> = (0..self.rows.len()).map(|row| self.message(row)).collect();
        let digests = salted.digests(&messages);
        let packed = zip::pack(&self.section);
        self.prepared = Some(Prepared { digests, packed });
    }

    /// Bytes of all messages.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.section.len()
    }

    /// How many messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to record: no message and no offset.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.advances.is_empty()
    }

    /// A message section without messages.
    pub(crate) fn preamble(salt: Salt) -> Vec<u8> {
        let mut section = vec![KEYED_MESSAGES];
        section.put(&salt.0);
        section
    }

    /// The verbatim bytes of one message.
    pub(crate) fn message(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(PREAMBLE, |before| self.rows[before].bytes_end);
        &self.section[start..self.rows[row].bytes_end]
    }

    fn topic(&mut self, name: &Topic) -> u16 {
        let known = self.topics.iter().position(|topic| Arc::ptr_eq(topic, name) || topic == name);
        number(known.unwrap_or_else(|| {
            self.topics.push(name.clone());
            self.topics.len() - 1
        }))
    }

    fn file(&mut self, name: &Arc<str>, digest: Digest) -> u16 {
        let known = self.files.iter().rposition(|(file, with)| file == name && *with == digest);
        number(known.unwrap_or_else(|| {
            self.files.push((name.clone(), digest));
            self.files.len() - 1
        }))
    }
}

fn number(index: usize) -> u16 {
    u16::try_from(index).expect("a batch names fewer than 65,536 topics or files")
}

/// First byte of a message section: how digests are keyed from one salt, which follows.
const KEYED_MESSAGES: u8 = 1;
const KEYED_HASHES: u8 = 3;
/// The kind of the salt and the salt itself.
pub(crate) const PREAMBLE: usize = 33;

/// Reads the preamble of a message section and leaves the cursor at the first message.
pub(crate) fn read_preamble(cursor: &mut Cursor<'_>) -> Parsed<Salted> {
    let keying = match cursor.u8()? {
        KEYED_MESSAGES => Keying::Messages,
        KEYED_HASHES => Keying::Hashes,
        _ => return Err(Malformed),
    };
    Ok(Salted { salt: Salt(cursor.array()?), keying })
}

/// First byte of a message that is kept as it came.
const VERBATIM: u8 = 0;

/// Appends a message: state, key, headers, value. These bytes are what its digest is taken over.
pub(crate) fn write_message(out: &mut Vec<u8>, message: &MessageRef<'_>) {
    out.push(VERBATIM);
    out.put_optional(message.key);
    out.put_varint(message.headers.len() as u64);
    for header in message.headers {
        out.put_text(header.name);
        out.put_optional(header.value);
    }
    out.put_optional(message.value);
}

/// The plain hash of a message as [`write_message`] puts it.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

/// The digest by which a decision names a message, in whichever journal that one stands.
#[must_use]
pub fn message_digest(message: &MessageRef<'_>) -> Digest {
    let mut bytes = Vec::new();
    write_message(&mut bytes, message);
    digest_of(&bytes)
}

/// A message inside a frame, borrowed.
pub(crate) struct Kept<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) headers: Vec<Header<'a>>,
    pub(crate) value: Option<&'a [u8]>,
}

impl<'a> Kept<'a> {
    /// Reads one message, whose bytes must fill `bytes` exactly when `whole` is set.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parsed<Self> {
        let before = cursor.clone();
        if cursor.u8()? != VERBATIM {
            return Err(Malformed);
        }
        let key = cursor.optional()?;
        let count = cursor.count()?;
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            headers.push(Header { name: cursor.text()?, value: cursor.optional()? });
        }
        let value = cursor.optional()?;
        let length = before.left() - cursor.left();
        let bytes = before.clone().take(length)?;
        Ok(Self { bytes, key, headers, value })
    }

    pub(crate) fn as_ref(&self, stream: Stream) -> MessageRef<'_> {
        MessageRef { stream, key: self.key, headers: &self.headers, value: self.value }
    }

    pub(crate) fn to_message(&self, stream: Stream) -> Message {
        Message {
            stream,
            key: self.key.map(<[u8]>::to_vec),
            headers: self.headers.iter().map(|h| (h.name.to_owned(), h.value.map(<[u8]>::to_vec))).collect(),
            value: self.value.map(<[u8]>::to_vec),
        }
    }
}
