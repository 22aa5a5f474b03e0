//! The lock: one process owns a data directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use crate::fault::{Doing, Fault};

pub(crate) const NAME: &str = "LOCK";

/// How often and how long we wait for a process that was killed to give up its lock: the kernel
/// may hold it for a moment after the process is gone.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Held for as long as it exists.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Gives the lock up for every copy of the descriptor: a child process that was forked a moment ago
    /// and does not run its own program yet has one, and would hold the lock on.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::debug!(%error, "the lock is given up when its file is closed");
        }
    }
}

impl Lock {
    pub(crate) fn acquire(dir: &Path, patient: bool) -> Result<Self, Fault> {
        let path = dir.join(NAME);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).doing("open", &path)?;
        for _ in 0..if patient { TRIES } else { 1 } {
            match file.try_lock() {
                Ok(()) => {
                    // Who holds it is told to people only; the lock itself is the kernel's.
                    file.set_len(0).doing("write", &path)?;
                    file.rewind().doing("write", &path)?;
                    file.write_all(std::process::id().to_string().as_bytes()).doing("write", &path)?;
                    return Ok(Self { file });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error).doing("lock", &path),
            }
        }
        let mut owner = String::new();
        file.read_to_string(&mut owner).doing("read", &path)?;
        Err(Fault::Locked { path: dir.to_owned(), owner })
    }
}

/// Says who owns a directory, if anybody does: it must be neither copied nor replaced then.
pub fn must_be_free(dir: &Path) -> Result<(), Fault> {
    let path = dir.join(NAME);
    let Ok(file) = File::open(&path) else { return Ok(()) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let owner = std::fs::read_to_string(&path).doing("read", &path)?;
            Err(Fault::Locked { path: dir.to_owned(), owner })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_who_the_first_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let held = Lock::acquire(dir.path(), false).unwrap();
        match Lock::acquire(dir.path(), false) {
            Err(Fault::Locked { owner, .. }) => assert_eq!(owner, std::process::id().to_string()),
            other => panic!("{other:?}"),
        }
        let copy = held.file.try_clone().unwrap();
        drop(held);
        Lock::acquire(dir.path(), false).unwrap();
        drop(copy);
    }
}
