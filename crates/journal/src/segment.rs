//! A segment: one sled directory, in which frames lie as parts under consecutive block numbers.
//!
//! Every part says to which frame it belongs, which part of how many it is, and at which position
//! its frame begins, so that a position is found by halving and a missing part is noticed.
//! A segment is opened when somebody reads it and may be closed again between two reads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use crate::batch::{Kept, read_preamble};
use crate::bytes::{Cursor, Parsed, Put};
use crate::disk::FileSum;
use crate::fault::Fault;
use crate::frame::{Broken, Head, Stored};
use crate::manifest::Sealed;
use crate::salt::Salted;
use crate::spare;
use crate::store::{Store, VALUE_LIMIT};

/// Frame number, part, parts, first position.
pub(crate) const PART_HEADER: usize = 24;
const PART_PAYLOAD: usize = VALUE_LIMIT - PART_HEADER;

/// Cuts a stored frame into values, one after the other in one buffer.
pub(crate) struct Parts {
    buffer: Vec<u8>,
    pub(crate) count: u32,
}

impl Parts {
    pub(crate) fn cut(frame: u64, first_position: u64, stored: &[u8]) -> Self {
        let count = u32::try_from(stored.len().div_ceil(PART_PAYLOAD)).expect("append refuses larger frames");
        let mut buffer = spare::buffer(stored.len() + PART_HEADER * count as usize);
        for (part, payload) in (0_u32..).zip(stored.chunks(PART_PAYLOAD)) {
            buffer.put(&frame.to_be_bytes());
            buffer.put(&part.to_be_bytes());
            buffer.put(&count.to_be_bytes());
            buffer.put(&first_position.to_be_bytes());
            buffer.put(payload);
        }
        Self { buffer, count }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.buffer.chunks(VALUE_LIMIT)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Lets go of the parts; their buffer serves the next frame.
    pub(crate) fn done(self) {
        spare::put_back(self.buffer);
    }
}

/// What a part says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartHeader {
    pub(crate) frame: u64,
    pub(crate) part: u32,
    pub(crate) parts: u32,
    pub(crate) first_position: u64,
}

impl PartHeader {
    fn read(cursor: &mut Cursor<'_>) -> Parsed<Self> {
        Ok(Self { frame: cursor.u64()?, part: cursor.u32()?, parts: cursor.u32()?, first_position: cursor.u64()? })
    }
}

/// A frame's stored bytes, put together again.
pub(crate) struct Assembled {
    pub(crate) header: PartHeader,
    pub(crate) bytes: Vec<u8>,
}

/// A frame, unpacked.
pub(crate) struct Frame {
    pub(crate) head: Head,
    section: Vec<u8>,
    starts: OnceLock<Vec<usize>>,
    path: PathBuf,
}

impl Frame {
    /// The message with this number in the frame.
    pub(crate) fn message(&self, index: usize) -> Result<Kept<'_>, Fault> {
        let malformed = |_| self.damaged();
        let starts = match self.starts.get() {
            Some(starts) => starts,
            None => {
                let starts = self.starts().map_err(malformed)?;
                self.starts.get_or_init(|| starts)
            }
        };
        let start = *starts.get(index).ok_or_else(|| self.damaged())?;
        Kept::read(&mut Cursor::new(&self.section[start..])).map_err(malformed)
    }

    /// All messages in order; `each` sees the number, the head and the message.
    pub(crate) fn messages<'f>(
        &'f self,
        mut each: impl FnMut(usize, Kept<'f>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let malformed = |_| self.damaged();
        let mut cursor = Cursor::new(&self.section);
        read_preamble(&mut cursor).map_err(malformed)?;
        for index in 0..self.head.messages.len() {
            each(index, Kept::read(&mut cursor).map_err(malformed)?)?;
        }
        if cursor.left() == 0 { Ok(()) } else { Err(self.damaged()) }
    }

    pub(crate) fn salted(&self) -> Result<Salted, Fault> {
        read_preamble(&mut Cursor::new(&self.section)).map_err(|_| self.damaged())
    }

    /// Lets go of the frame; its buffer serves the next one.
    pub(crate) fn done(self) {
        spare::put_back(self.section);
    }

    fn starts(&self) -> Parsed<Vec<usize>> {
        let mut cursor = Cursor::new(&self.section);
        read_preamble(&mut cursor)?;
        let mut starts = Vec::with_capacity(self.head.messages.len());
        for _ in 0..self.head.messages.len() {
            starts.push(self.section.len() - cursor.left());
            Kept::read(&mut cursor)?;
        }
        Ok(starts)
    }

    fn damaged(&self) -> Fault {
        Fault::damaged(&self.path, format!("the messages of frame {} cannot be read", self.head.frame))
    }
}

/// A sled directory and what is known of it.
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) first_position: u64,
    pub(crate) path: PathBuf,
    store: RwLock<Option<Store>>,
    /// How its files must look, where it is sealed.
    files: OnceLock<Vec<FileSum>>,
    /// They were looked at by this process.
    proven: AtomicBool,
}

impl Segment {
    pub(crate) fn new(number: u32, first_position: u64, path: PathBuf, store: Option<Store>) -> Arc<Self> {
        let (store, files, proven) = (RwLock::new(store), OnceLock::new(), AtomicBool::new(false));
        Arc::new(Self { number, first_position, path, store, files, proven })
    }

    pub(crate) fn sealed(sealed: &Sealed, path: PathBuf) -> Arc<Self> {
        let segment = Self::new(sealed.number, sealed.positions.start, path, None);
        segment.seal(sealed.files.clone());
        segment
    }

    /// Notes how the files of a segment looked when it was sealed.
    pub(crate) fn seal(&self, files: Vec<FileSum>) {
        self.files.set(files).expect("a segment is sealed once");
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.files.get().is_some()
    }

    /// Looks at the files of a sealed segment before sled does, which might change them.
    fn prove(&self) -> Result<(), Fault> {
        if !self.proven.load(Ordering::Acquire) {
            self.prove_again()?;
            self.proven.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Holds the files of a segment, if it is sealed, against their hashes.
    pub(crate) fn prove_again(&self) -> Result<(), Fault> {
        match self.files.get() {
            Some(files) if *files != FileSum::of_tree(&self.path)? => {
                Err(self.damaged("its files are not those that the manifest lists"))
            }
            _ => Ok(()),
        }
    }

    /// Runs `read` on the open store, opening it first where it is closed.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Store) -> Result<T, Fault>) -> Result<T, Fault> {
        loop {
            {
                let held = self.store.read().expect("nobody panics while holding a segment");
                if let Some(store) = &*held {
                    return read(store);
                }
            }
            let mut held = self.store.write().expect("nobody panics while holding a segment");
            if held.is_none() {
                self.prove()?;
                *held = Some(Store::open(&self.path)?);
            }
        }
    }

    /// Runs `work` while nobody else reads the segment; `work` may take the store out.
    pub(crate) fn alone<T>(&self, work: impl FnOnce(&mut Option<Store>) -> Result<T, Fault>) -> Result<T, Fault> {
        work(&mut self.store.write().expect("nobody panics while holding a segment"))
    }

    /// Closes the store, waiting for those who read it.
    pub(crate) fn close(&self) -> Result<(), Fault> {
        self.alone(|held| held.take().map_or(Ok(()), Store::close))
    }

    /// The block at which the frame that holds `position` begins; the caller knows that it exists.
    pub(crate) fn block_of(&self, position: u64) -> Result<u64, Fault> {
        self.with(|store| {
            let (first, last) = store.bounds()?.ok_or_else(|| self.damaged("it is empty"))?;
            // The last block whose frame begins at or before the position.
            let (mut low, mut high) = (first, last);
            while low < high {
                let middle = low + (high - low).div_ceil(2);
                if self.part(store, middle)?.first_position <= position { low = middle } else { high = middle - 1 }
            }
            low.checked_sub(u64::from(self.part(store, low)?.part))
                .ok_or_else(|| self.damaged("its parts are misnumbered"))
        })
    }

    fn part(&self, store: &Store, block: u64) -> Result<PartHeader, Fault> {
        let value = store.get(block)?.ok_or_else(|| self.damaged(format!("block {block} is missing")))?;
        PartHeader::read(&mut Cursor::new(&value))
            .map_err(|_| self.damaged(format!("block {block} is no part of a frame")))
    }

    /// The stored frame that begins at `block`, or `None` where nothing lies.
    pub(crate) fn assemble(&self, block: u64) -> Result<Option<Assembled>, Fault> {
        self.with(|store| self.assemble_in(store, block))
    }

    pub(crate) fn assemble_in(&self, store: &Store, block: u64) -> Result<Option<Assembled>, Fault> {
        let Some(first) = store.get(block)? else { return Ok(None) };
        let torn = |what: &str| self.damaged(format!("the frame at block {block} {what}"));
        let mut cursor = Cursor::new(&first);
        let header = PartHeader::read(&mut cursor).map_err(|_| torn("has no part header"))?;
        if header.part != 0 || header.parts == 0 {
            return Err(torn("does not begin there"));
        }
        let mut bytes = spare::buffer(PART_PAYLOAD * header.parts as usize);
        bytes.put(&first[PART_HEADER..]);
        for part in 1..header.parts {
            let value = store.get(block + u64::from(part))?.ok_or_else(|| torn("lacks a part"))?;
            let mut cursor = Cursor::new(&value);
            if PartHeader::read(&mut cursor) != Ok(PartHeader { part, ..header }) {
                return Err(torn("has a part of another frame"));
            }
            bytes.put(&value[PART_HEADER..]);
        }
        Ok(Some(Assembled { header, bytes }))
    }

    /// Unpacks and checks a whole frame.
    pub(crate) fn frame(&self, assembled: &Assembled) -> Result<Frame, Fault> {
        let stored = Stored::open(&assembled.bytes).map_err(|why| self.broken(assembled.header.frame, &why))?;
        let head = self.head(assembled, &stored)?;
        self.unpack(head, &stored)
    }

    /// Unpacks the messages of a frame whose head was read from the same bytes.
    pub(crate) fn unpack(&self, head: Head, stored: &Stored<'_>) -> Result<Frame, Fault> {
        let section = stored.section().map_err(|why| self.broken(head.frame, &why))?;
        Ok(Frame { head, section, starts: OnceLock::new(), path: self.path.clone() })
    }

    /// Unpacks and checks the head alone.
    pub(crate) fn head(&self, assembled: &Assembled, stored: &Stored<'_>) -> Result<Head, Fault> {
        let head = stored.head().map_err(|why| self.broken(assembled.header.frame, &why))?;
        let header = assembled.header;
        if (head.frame, head.first_position, head.segment) != (header.frame, header.first_position, self.number) {
            return Err(self.damaged(format!("frame {} lies under the name of another", head.frame)));
        }
        Ok(head)
    }

    pub(crate) fn broken(&self, frame: u64, why: &Broken) -> Fault {
        match why {
            Broken::Version(found) => Fault::Version {
                path: self.path.clone(),
                found: u32::from(*found),
                known: u32::from(crate::frame::NEWEST_FRAME),
            },
            Broken::Because(why) => self.damaged(format!("frame {frame}: {why}")),
        }
    }

    pub(crate) fn damaged(&self, reason: impl Into<String>) -> Fault {
        Fault::damaged(&self.path, reason)
    }
}

/// Name of a segment's directory.
pub(crate) fn directory(journal: &Path, number: u32) -> PathBuf {
    journal.join(format!("{number:08}"))
}
