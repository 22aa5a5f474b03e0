//! The witness: what was last acknowledged, outside the store that might lose it.
//!
//! Two slots of 512 bytes are written in turn, each with a checksum, so that a torn write costs
//! only the newer one. A journal that ends before its witness has lost something and is refused.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::bytes::{Cursor, Malformed, Parsed, Put};
use crate::disk::sync_directory;
use crate::fault::{Doing, Fault};
use crate::frame::{Chain, FORMAT_VERSION};

pub(crate) const NAME: &str = "WITNESS";
const SLOT: usize = 512;
const MAGIC: [u8; 4] = *b"PECW";

/// The end of the journal as it was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Testimony {
    /// Counts the writes of the witness; its lowest bit names the slot.
    pub(crate) epoch: u64,
    pub(crate) segment: u32,
    /// Frames that exist; 0 before the first one.
    pub(crate) frames: u64,
    pub(crate) last_block: u64,
    pub(crate) chain: Chain,
    /// Length of sled's log file after the frame was made durable.
    pub(crate) log_length: u64,
    pub(crate) end: u64,
}

impl Testimony {
    fn write(&self) -> [u8; SLOT] {
        let mut out = Vec::with_capacity(SLOT);
        out.put(&MAGIC);
        out.put(&FORMAT_VERSION.to_be_bytes());
        out.put(&self.epoch.to_be_bytes());
        out.put(&self.segment.to_be_bytes());
        out.put(&self.frames.to_be_bytes());
        out.put(&self.last_block.to_be_bytes());
        out.put(&self.chain);
        out.put(&self.log_length.to_be_bytes());
        out.put(&self.end.to_be_bytes());
        out.resize(SLOT - 32, 0);
        let sum = blake3::hash(&out);
        out.put(sum.as_bytes());
        out.try_into().expect("a slot is filled up to its length")
    }

    fn read(slot: &[u8]) -> Parsed<Self> {
        let (content, sum) = slot.split_at_checked(SLOT - 32).ok_or(Malformed)?;
        if blake3::hash(content).as_bytes() != sum {
            return Err(Malformed);
        }
        let mut cursor = Cursor::new(content);
        if cursor.array()? != MAGIC || cursor.u16()? != FORMAT_VERSION {
            return Err(Malformed);
        }
        Ok(Self {
            epoch: cursor.u64()?,
            segment: cursor.u32()?,
            frames: cursor.u64()?,
            last_block: cursor.u64()?,
            chain: cursor.array()?,
            log_length: cursor.u64()?,
            end: cursor.u64()?,
        })
    }
}

/// The open file.
pub(crate) struct Witness {
    file: File,
    path: PathBuf,
    pub(crate) last: Testimony,
}

impl Witness {
    /// Writes a witness that has seen nothing yet.
    pub(crate) fn create(dir: &Path) -> Result<Self, Fault> {
        let path = dir.join(NAME);
        let file = File::options().read(true).write(true).create_new(true).open(&path).doing("create", &path)?;
        let mut witness = Self { file, path, last: Testimony::default() };
        witness.write_slot(0)?;
        witness.write_slot(1)?;
        witness.file.sync_all().doing("sync", &witness.path)?;
        sync_directory(dir)?;
        Ok(witness)
    }

    /// Reads the newer slot that is whole; `None` where there is no such file.
    pub(crate) fn open(dir: &Path) -> Result<Option<Self>, Fault> {
        let path = dir.join(NAME);
        let file = match File::options().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).doing("open", &path),
        };
        let bytes = std::fs::read(&path).doing("read", &path)?;
        let newest = bytes.chunks(SLOT).filter_map(|slot| Testimony::read(slot).ok()).max_by_key(|slot| slot.epoch);
        match newest {
            Some(last) if bytes.len() == 2 * SLOT => Ok(Some(Self { file, path, last })),
            _ => Err(Fault::Witness { path, reason: "neither of its two slots is whole".to_owned() }),
        }
    }

    /// Testifies, and makes the testimony durable.
    pub(crate) fn write(&mut self, testimony: Testimony) -> Result<(), Fault> {
        self.last = Testimony { epoch: self.last.epoch + 1, ..testimony };
        self.write_slot(self.last.epoch % 2)?;
        self.file.sync_data().doing("sync", &self.path)
    }

    fn write_slot(&mut self, slot: u64) -> Result<(), Fault> {
        self.file.write_all_at(&self.last.write(), slot * SLOT as u64).doing("write", &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_slot_costs_only_the_newer_testimony() {
        let dir = tempfile::tempdir().unwrap();
        let mut witness = Witness::create(dir.path()).unwrap();
        for frames in 1..=3 {
            witness.write(Testimony { frames, ..Testimony::default() }).unwrap();
        }
        drop(witness);
        let path = dir.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(Witness::open(dir.path()).unwrap().unwrap().last.frames, 3);

        let mut torn = whole.clone();
        torn[SLOT + 20] ^= 1; // epoch 3 lies in slot 1
        std::fs::write(&path, &torn).unwrap();
        assert_eq!(Witness::open(dir.path()).unwrap().unwrap().last.frames, 2);

        torn[20] ^= 1;
        std::fs::write(&path, &torn).unwrap();
        assert!(matches!(Witness::open(dir.path()), Err(Fault::Witness { .. })));
        std::fs::write(&path, &whole[..SLOT]).unwrap();
        assert!(matches!(Witness::open(dir.path()), Err(Fault::Witness { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(Witness::open(dir.path()).unwrap().is_none());
    }
}
