//! Opening a segment that may have been written to when the process or the machine died.
//!
//! sled repairs what it opens, and its repairs can destroy: a truncated log may come up empty and
//! be cut to that on disk. So such a segment is copied first, and the copy stays until the opened
//! segment was walked to its end. An interrupted opening starts again from the copy.

use std::fs;
use std::path::Path;

use super::Opening;
use crate::crash::point;
use crate::disk::{copy_tree, remove_tree, sync_directory, sync_tree};
use crate::fault::{Doing, Fault};
use crate::identity::Identities;
use crate::journal::Tail;
use crate::segment::Segment;
use crate::store::Store;
use crate::walk::{Walked, known, walk};

impl Opening<'_> {
    /// Opens and walks a segment that goes on from `start`. `clean` says that its files are known to
    /// be as they were closed. `found` gets the identities of the segment.
    pub(super) fn recover(
        &self,
        segment: &Segment,
        start: &Tail,
        clean: bool,
        found: &mut dyn FnMut(Identities),
    ) -> Result<Walked, Fault> {
        let copy = segment.path.with_extension("copy");
        let mut attempt = |store: Store| {
            let mut identities = Identities::new(start.position);
            let walked = walk(segment, &store, start, Some(self.acknowledged()), &mut |head, _| {
                known(head).for_each(|known| identities.remember(known));
                Ok(())
            })?;
            self.reaches_witness(segment, &walked.tail)?;
            found(identities);
            segment.alone(|held| {
                *held = Some(store);
                Ok(())
            })?;
            Ok(walked)
        };
        if clean && !copy.exists() {
            remove_leftovers(&segment.path)?;
            let walked = attempt(Store::open(&segment.path)?)?;
            sync_tree(&segment.path)?;
            return Ok(walked);
        }
        take_copy(&segment.path, &copy)?;
        point("open.copied");
        self.is_as_long_as_witnessed(segment)?;
        let walked = Store::open(&segment.path).and_then(&mut attempt).or_else(|first| {
            tracing::warn!(segment = segment.number, fault = %first, "opening once more without sled's snapshot");
            put_back(&segment.path, &copy)?;
            remove_snapshots(&segment.path)?;
            Store::open(&segment.path).and_then(&mut attempt).or_else(|_| {
                put_back(&segment.path, &copy)?;
                discard(&copy)?;
                Err(first)
            })
        })?;
        point("open.walked");
        sync_tree(&segment.path)?;
        discard(&copy)?;
        Ok(walked)
    }

    /// The segment in which the last acknowledged frame lies must reach it.
    fn reaches_witness(&self, segment: &Segment, tail: &Tail) -> Result<(), Fault> {
        let last = &self.witness.last;
        if last.segment == segment.number && tail.frames < last.frames {
            let found = tail.frames.saturating_sub(1);
            return Err(Fault::Shorter { path: segment.path.clone(), found, witnessed: last.frames - 1 });
        }
        Ok(())
    }

    /// sled's log never shrinks below what was synced; where it did, sled is not even let near it.
    fn is_as_long_as_witnessed(&self, segment: &Segment) -> Result<(), Fault> {
        let last = &self.witness.last;
        let path = segment.path.join("db");
        let length = fs::metadata(&path).doing("measure", &path)?.len();
        if last.segment == segment.number && length < last.log_length {
            return Err(Fault::damaged(
                &path,
                format!("it has {length} bytes and had {} when last synced", last.log_length),
            ));
        }
        Ok(())
    }
}

/// Removes what sled leaves when it dies while it writes a snapshot: it would take the torn file
/// for the newest snapshot and refuse to open ever again.
pub(crate) fn remove_leftovers(segment: &Path) -> Result<(), Fault> {
    remove_named(segment, |name| name.starts_with("snap.") && name.ends_with(".generating"))
}

/// Without any snapshot sled reads its whole log instead.
fn remove_snapshots(segment: &Path) -> Result<(), Fault> {
    remove_named(segment, |name| name.starts_with("snap."))
}

fn remove_named(dir: &Path, doomed: impl Fn(&str) -> bool) -> Result<(), Fault> {
    for entry in fs::read_dir(dir).doing("list", dir)? {
        let path = entry.doing("list", dir)?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(&doomed) {
            fs::remove_file(&path).doing("remove", &path)?;
        }
    }
    sync_directory(dir)
}

/// Copies a segment under another name, whole or not at all. Where a copy is there already, an
/// earlier opening was interrupted: then the segment is put back to it.
fn take_copy(segment: &Path, copy: &Path) -> Result<(), Fault> {
    if copy.exists() {
        return put_back(segment, copy);
    }
    remove_leftovers(segment)?;
    let copying = segment.with_extension("copying");
    remove_tree(&copying)?;
    copy_tree(segment, &copying)?;
    fs::rename(&copying, copy).doing("rename", &copying)?;
    sync_directory(copy.parent().expect("a copy lies in the journal's directory"))
}

/// Replaces a segment by its copy. Interrupted, it can be done again: the copy stays.
fn put_back(segment: &Path, copy: &Path) -> Result<(), Fault> {
    remove_tree(segment)?;
    let copying = segment.with_extension("copying");
    remove_tree(&copying)?;
    copy_tree(copy, &copying)?;
    fs::rename(&copying, segment).doing("rename", &copying)?;
    sync_directory(segment.parent().expect("a segment lies in the journal's directory"))
}

/// Removes a copy that is no longer needed. It loses its name first: a copy that was removed halfway
/// must never be taken for a whole one.
fn discard(copy: &Path) -> Result<(), Fault> {
    let discarded = copy.with_extension("discarded");
    remove_tree(&discarded)?;
    fs::rename(copy, &discarded).doing("rename", copy)?;
    sync_directory(copy.parent().expect("a copy lies in the journal's directory"))?;
    point("open.discarding");
    remove_tree(&discarded)
}
