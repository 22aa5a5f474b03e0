//! Backup and restore.
//!
//! A backup is a journal directory like any other. Sealed segments are copied and the copies are
//! held against the manifest; the frames of the active segment are appended to a fresh sled
//! directory, because copying files that sled has open would only be as good as a crash. Both are done
//! over a cut, while the journal is written on. The witness is written last: a backup that was interrupted has none, and is refused.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cut::Cut;
use crate::disk::{FileSum, copy_tree, remove_tree, sync_directory, sync_tree};
use crate::fault::{Doing, Fault};
use crate::identity::Run;
use crate::journal::{Journal, Options};
use crate::lock;
use crate::manifest::Sealed;
use crate::segment::{Parts, Segment, directory};
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
    /// Backs up everything that is durable to a directory that does not exist yet.
    pub fn backup(&mut self, to: &Path) -> Result<BackupReport, Fault> {
        let cut = self.cut(true)?.expect("nothing is being sealed once it was waited for");
        cut.backup(to, &mut |_, _| {})
    }
}

impl Cut {
    /// Backs up everything up to the cut to a directory that does not exist yet, while the journal
    /// may be written on. `progress` is told how many of how many positions are copied.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<BackupReport, Fault> {
        must_be_absent(to)?;
        let journal = to.join("journal");
        fs::create_dir_all(&journal).doing("create", &journal)?;
        for segment in &self.full {
            let sealed = self.manifest.sealed.iter().find(|sealed| sealed.number == segment.number);
            let sealed = sealed.ok_or_else(|| segment.damaged("the manifest does not list it"))?;
            self.copy_full(segment, sealed, &directory(&journal, segment.number))?;
            progress(sealed.positions.end, self.end());
        }
        self.manifest.save(&journal)?;
        let log_length = self.append_again(&directory(&journal, self.active.number), progress)?;
        sync_directory(&journal)?;
        sync_directory(to)?;
        Witness::create(to)?.write(Testimony { log_length, ..self.testimony })?;
        if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }
        Ok(BackupReport { path: to.to_owned(), end: self.end(), segments: self.active.number })
    }

    /// Copies a full segment and the run of its identities, and holds the copy against the manifest.
    /// The segment is kept open meanwhile: nobody opens it anew while its files are read.
    fn copy_full(&self, segment: &Arc<Segment>, sealed: &Sealed, copy: &Path) -> Result<(), Fault> {
        self.shared.used(segment)?;
        segment.prove_again()?;
        segment.with(|_| copy_tree(&segment.path, copy))?;
        if FileSum::of_tree(copy)? != sealed.files {
            return Err(Fault::damaged(copy, "the copy is not what the manifest lists"));
        }
        let (run, copied) = (Run::path_of(&segment.path), Run::path_of(copy));
        fs::copy(&run, &copied).doing("copy", &run)?;
        File::open(&copied).and_then(|file| file.sync_all()).doing("sync", &copied)
    }

    /// Appends every frame of the segment that was active, up to the cut, to a new store; gives the
    /// length of its log.
    fn append_again(&self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, Fault> {
        let store = Store::open(to)?;
        let mut block = self.start.block;
        while block < self.tail.block {
            let assembled = self.active.assemble(block)?;
            let assembled = assembled.ok_or_else(|| self.active.damaged(format!("block {block} is missing")))?;
            // Checks the frame on its way.
            self.active.frame(&assembled)?;
            let header = assembled.header;
            let parts = Parts::cut(header.frame, header.first_position, &assembled.bytes);
            store.put(block, parts.values())?;
            store.flush()?;
            block += u64::from(header.parts);
            progress(header.first_position, self.end());
        }
        store.sync()?;
        store.close()?;
        let store = Store::open(to)?;
        let length = store.log_length()?;
        store.close()?;
        sync_tree(to)?;
        progress(self.end(), self.end());
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
    lock::must_be_free(from)?;
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
