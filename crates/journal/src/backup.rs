//! Backup and restore.
//!
//! A backup is a journal directory like any other. Sealed segments are copied and the copies are
//! held against the manifest; the frames of the active segment are appended to a fresh sled
//! directory, because copying files that sled has open would only be as good as a crash. The
//! witness is written last: a backup that was interrupted has none, and is refused.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::disk::{FileSum, copy_tree, remove_tree, sync_directory, sync_tree};
use crate::fault::{Doing, Fault};
use crate::identity::Run;
use crate::journal::{Journal, Options};
use crate::lock;
use crate::segment::{Parts, directory};
use crate::store::Store;
use crate::verify::{VerifyReport, verify};
use crate::witness::{Testimony, Witness};

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    pub path: PathBuf,
    /// The position that follows the last one in it.
    pub end: u64,
    pub segments: u32,
}

/// Backs up the journal of a directory that nobody has open.
pub fn backup(dir: &Path, to: &Path) -> Result<BackupReport, Fault> {
    let mut journal = crate::open::open(dir, &Options::default(), None)?;
    let report = journal.backup(to)?;
    journal.close()?;
    Ok(report)
}

impl Journal {
    /// Backs up everything that is durable to a directory that does not exist yet. Readers go on;
    /// whoever appends waits.
    pub fn backup(&mut self, to: &Path) -> Result<BackupReport, Fault> {
        must_be_absent(to)?;
        self.finish_sealing(true)?;
        let journal = to.join("journal");
        fs::create_dir_all(&journal).doing("create", &journal)?;
        for segment in self.shared.segments().iter().filter(|segment| segment.number != self.active.number) {
            segment.prove_again()?;
            let copy = directory(&journal, segment.number);
            copy_tree(&segment.path, &copy)?;
            let sealed = self.manifest.sealed.iter().find(|sealed| sealed.number == segment.number);
            if sealed.is_none_or(|sealed| FileSum::of_tree(&copy).is_ok_and(|sums| sums != sealed.files)) {
                return Err(Fault::damaged(&copy, "the copy is not what the manifest lists"));
            }
            let (run, copied) = (Run::path_of(&segment.path), Run::path_of(&copy));
            fs::copy(&run, &copied).doing("copy", &run)?;
            File::open(&copied).and_then(|file| file.sync_all()).doing("sync", &copied)?;
        }
        self.manifest.save(&journal)?;
        let log_length = self.append_again(&directory(&journal, self.active.number))?;
        sync_directory(&journal)?;
        sync_directory(to)?;
        Witness::create(to)?.write(Testimony { log_length, ..self.witness.last })?;
        if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }
        Ok(BackupReport { path: to.to_owned(), end: self.end(), segments: self.active.number })
    }

    /// Appends every frame of the active segment to a new store; gives the length of its log.
    fn append_again(&self, to: &Path) -> Result<u64, Fault> {
        let store = Store::open(to)?;
        let mut block = self.start.block;
        while let Some(assembled) = self.active.assemble(block)? {
            // Checks the frame on its way.
            self.active.frame(&assembled)?;
            let header = assembled.header;
            let parts = Parts::cut(header.frame, header.first_position, &assembled.bytes);
            store.put(block, parts.values())?;
            store.flush()?;
            block += u64::from(header.parts);
        }
        store.sync()?;
        store.close()?;
        let store = Store::open(to)?;
        let length = store.log_length()?;
        store.close()?;
        sync_tree(to)?;
        Ok(length)
    }
}

/// Restores a backup to a directory that does not exist yet. The copy is verified as a whole before
/// it gets its name; a backup that is damaged restores nothing.
pub fn restore(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, Fault> {
    must_be_absent(to)?;
    if !from.join("journal").is_dir() {
        return Err(Fault::NotAJournal { path: from.to_owned() });
    }
    must_be_unused(from)?;
    let restoring = to.with_extension("restoring");
    remove_tree(&restoring)?;
    copy_tree(from, &restoring)?;
    let report = match verify(&restoring, progress) {
        Ok(report) => report,
        Err(fault) => {
            remove_tree(&restoring)?;
            return Err(fault);
        }
    };
    match fs::remove_dir(to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).doing("replace", to),
        _ => (),
    }
    fs::rename(&restoring, to).doing("rename", &restoring)?;
    if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync_directory(parent)?;
    }
    Ok(report)
}

/// Nothing is ever written over: the directory is absent or empty.
fn must_be_absent(dir: &Path) -> Result<(), Fault> {
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(Fault::NotEmpty { path: dir.to_owned() }),
            None => Ok(()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).doing("list", dir),
    }
}

/// A directory that somebody writes to cannot be copied.
fn must_be_unused(dir: &Path) -> Result<(), Fault> {
    let path = dir.join(lock::NAME);
    let Ok(file) = File::open(&path) else { return Ok(()) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let owner = fs::read_to_string(&path).doing("read", &path)?;
            Err(Fault::Locked { path: dir.to_owned(), owner })
        }
        _ => Ok(()),
    }
}
