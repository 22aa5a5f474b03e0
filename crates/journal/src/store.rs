//! The only file that names sled: an untrusted store of values under block numbers.
//!
//! sled's `flush` leaves data to the page cache on Linux, so durability is our own `fdatasync` of
//! its log file. sled may panic on damaged files: every call into it is caught and becomes a
//! [`Fault`]. Its background flusher is off, because its errors would only be logged.
//! Values stay below 7,000 bytes, so that no leaf outgrows a segment of its log and nothing is
//! ever moved to `blobs/`, which it writes without any sync.

use std::fs::{File, TryLockError};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::fault::{Doing, Fault};

/// The largest value handed to sled.
pub(crate) const VALUE_LIMIT: usize = 7_000;

/// Capacity of sled's cache, counted in bytes on disk; it takes about six times that in memory.
const CACHE: u64 = 16 << 20;

/// How often and how long we wait for sled to let go of a directory.
const TRIES: u32 = 2_000;
const PAUSE: Duration = Duration::from_millis(5);

/// One open sled directory.
pub(crate) struct Store {
    /// Present until dropped.
    db: Option<sled::Db>,
    /// Our own handle on sled's log file: sled never calls `fsync` when asked to flush.
    log: File,
    path: PathBuf,
    /// After a panic inside sled even dropping it may hang, so it is leaked instead.
    broken: AtomicBool,
}

/// A value as sled holds it.
pub(crate) struct Value(sled::IVec);

impl Deref for Value {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Store {
    /// Opens or creates the directory. Whoever calls this has prepared it (see `segment`).
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let open = || sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None).open();
        let mut tries = TRIES;
        let db = loop {
            match catch_unwind(AssertUnwindSafe(open)) {
                Ok(Ok(db)) => break db,
                Ok(Err(error)) if tries > 0 && is_locked(&error) => {
                    tries -= 1;
                    std::thread::sleep(PAUSE);
                }
                Ok(Err(error)) => return Err(fault("open", path, &error)),
                Err(_) => return Err(Fault::damaged(path, "sled panicked while opening it")),
            }
        };
        let log = File::options().read(true).write(true).open(path.join("db")).doing("open", &path.join("db"))?;
        Ok(Self { db: Some(db), log, path: path.to_owned(), broken: AtomicBool::new(false) })
    }

    /// Runs one call into sled, and turns its errors and panics into faults.
    fn call<T>(&self, doing: &'static str, call: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, Fault> {
        let db = self.db.as_ref().expect("the database is only taken out by drop");
        match catch_unwind(AssertUnwindSafe(|| call(db))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(fault(doing, &self.path, &error)),
            Err(_) => {
                self.broken.store(true, Ordering::Relaxed);
                Err(Fault::damaged(&self.path, format!("sled panicked while it should {doing}")))
            }
        }
    }

    /// Adds values under consecutive block numbers in one atomic batch. Not durable yet.
    pub(crate) fn put<'a>(&self, first_block: u64, values: impl Iterator<Item = &'a [u8]>) -> Result<(), Fault> {
        let mut batch = sled::Batch::default();
        for (block, value) in (first_block..).zip(values) {
            assert!(value.len() <= VALUE_LIMIT, "values above the limit end in blobs, which sled never syncs");
            batch.insert(&block.to_be_bytes(), value);
        }
        self.call("write to", |db| db.apply_batch(batch))
    }

    /// Adds values of any size, to show what happens then.
    #[cfg(test)]
    pub(crate) fn put_unchecked(&self, values: impl Iterator<Item = (u64, Vec<u8>)>) {
        for (block, value) in values {
            self.call("write to", |db| db.insert(block.to_be_bytes(), value)).unwrap();
        }
        self.flush().unwrap();
    }

    /// Hands everything to the operating system.
    pub(crate) fn flush(&self) -> Result<(), Fault> {
        self.call("flush", |db| db.flush()).map(|_| ())
    }

    /// Makes what was flushed survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        self.log.sync_data().doing("sync", &self.path.join("db"))
    }

    /// Length of sled's log file.
    pub(crate) fn log_length(&self) -> Result<u64, Fault> {
        Ok(self.log.metadata().doing("measure", &self.path.join("db"))?.len())
    }

    pub(crate) fn get(&self, block: u64) -> Result<Option<Value>, Fault> {
        self.call("read from", |db| db.get(block.to_be_bytes())).map(|value| value.map(Value))
    }

    /// First and last block number, or `None` when there is none.
    pub(crate) fn bounds(&self) -> Result<Option<(u64, u64)>, Fault> {
        let first = self.call("read from", |db| db.first())?;
        let last = self.call("read from", |db| db.last())?;
        match (first, last) {
            (Some((first, _)), Some((last, _))) => Ok(Some((self.number(&first)?, self.number(&last)?))),
            _ => Ok(None),
        }
    }

    fn number(&self, key: &[u8]) -> Result<u64, Fault> {
        let bytes = key.try_into().map_err(|_| Fault::damaged(&self.path, "a key is not a block number"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Closes the directory. Dropping sled syncs everything once more and may panic when it cannot.
    /// Its own threads may be the last to let go of the files, so we wait until its lock is free:
    /// only then do the files stay as they are.
    pub(crate) fn close(mut self) -> Result<(), Fault> {
        let db = self.db.take();
        catch_unwind(AssertUnwindSafe(|| drop(db)))
            .map_err(|_| Fault::damaged(&self.path, "sled panicked while closing it"))?;
        for _ in 0..TRIES {
            match self.log.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error).doing("lock", &self.path),
            }
        }
        Err(Fault::damaged(&self.path, "sled does not let go of it"))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.broken.load(Ordering::Relaxed) {
            std::mem::forget(self.db.take());
        }
    }
}

/// Whether sled, in this process or in one that is dying, still holds its lock.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().contains("could not acquire lock"))
}

fn fault(doing: &'static str, path: &Path, error: &sled::Error) -> Fault {
    match error {
        sled::Error::Io(source) => {
            Fault::Io { doing, path: path.to_owned(), source: std::io::Error::new(source.kind(), source.to_string()) }
        }
        sled::Error::Corruption { .. } => Fault::damaged(path, format!("sled reports corruption ({error:?})")),
        other => Fault::Store { doing, path: path.to_owned(), reason: other.to_string() },
    }
}
