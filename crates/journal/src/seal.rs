//! Rotating and sealing: a full segment gets a successor, and then never changes again.
//!
//! The successor is created first, so that appending goes on while another thread seals. A crash
//! in between leaves segments without a line in the manifest; the next open seals them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::crash::point;
use crate::disk::{FileSum, sync_tree};
use crate::fault::Fault;
use crate::identity::{Run, Table};
use crate::journal::{Journal, Tail};
use crate::manifest::{Manifest, Sealed};
use crate::open::{create_segment, remove_leftovers};
use crate::reader::Shared;
use crate::salt::Salt;
use crate::segment::{Segment, directory};
use crate::store::Store;
use crate::walk::{Walked, known, walk};

/// How often a segment is opened and closed until its files stay the same. They changed at the
/// first and at the second opening and never later.
const SETTLING: u32 = 8;

/// A segment that is sealed now.
pub(crate) struct SealedNow {
    pub(crate) manifest: Manifest,
    pub(crate) run: Run,
    /// The end of the segment.
    pub(crate) tail: Tail,
}

/// Seals a segment that goes on from `start`: close it, walk it, open and close it until its files
/// stay the same, list their hashes in the manifest, and write the run of its identities. Who has a
/// table of these lends it: a second one of a full segment would cost more than 100 MB.
pub(crate) fn seal(
    journal: &Path,
    mut manifest: Manifest,
    segment: &Segment,
    start: &Tail,
    remembered: Option<Arc<Table>>,
) -> Result<SealedNow, Fault> {
    segment.alone(|held| {
        if let Some(store) = held.take() {
            store.close()?;
        }
        point("seal.closed");
        remove_leftovers(&segment.path)?;
        let store = Store::open(&segment.path)?;
        let (walked, identities) = walk_remembering(segment, &store, start, remembered)?;
        store.close()?;
        point("seal.walked");
        let files = settle(&segment.path)?;
        sync_tree(&segment.path)?;
        point("seal.settled");
        let tail = walked.tail;
        manifest.sealed.push(Sealed {
            number: segment.number,
            frames: start.frames..tail.frames,
            blocks: start.block..tail.block,
            positions: start.position..tail.position,
            before: start.chain,
            chain: tail.chain,
            files,
        });
        manifest.save(journal)?;
        segment.seal(manifest.sealed.last().expect("its line was just added").files.clone());
        point("seal.listed");
        let run = Run::build(&segment.path, segment.number, tail.chain, &identities)?;
        point("seal.run_named");
        Ok(SealedNow { manifest, run, tail })
    })
}

/// Walks a whole segment. What is remembered of it must be what its frames name; where nothing is
/// remembered, they tell.
pub(crate) fn walk_remembering(
    segment: &Segment,
    store: &Store,
    start: &Tail,
    remembered: Option<Arc<Table>>,
) -> Result<(Walked, Arc<Table>), Fault> {
    let mut told = Table::new(start.position);
    let mut named = 0;
    let walked = walk(segment, store, start, None, &mut |head, _| {
        match remembered {
            Some(_) => named += known(head).count(),
            None => known(head).for_each(|known| told.remember(known)),
        }
        Ok(())
    })?;
    match remembered {
        Some(table) if table.len() == named => Ok((walked, table)),
        Some(table) => {
            let reason = format!("its frames name {named} facts and {} are remembered", table.len());
            Err(segment.damaged(reason))
        }
        None => Ok((walked, Arc::new(told))),
    }
}

/// Opens and closes a segment until two successive looks at its files agree.
pub(crate) fn settle(segment: &Path) -> Result<Vec<FileSum>, Fault> {
    let mut before = FileSum::of_tree(segment)?;
    for _ in 0..SETTLING {
        Store::open(segment)?.close()?;
        let after = FileSum::of_tree(segment)?;
        if after == before {
            return Ok(after);
        }
        before = after;
    }
    Err(Fault::damaged(segment, "its files change every time it is opened"))
}

/// A seal under way on another thread.
pub(crate) struct Sealing {
    segment: u32,
    thread: JoinHandle<Result<SealedNow, Fault>>,
}

impl Sealing {
    fn begin(journal: PathBuf, manifest: Manifest, segment: Arc<Segment>, start: Tail, remembered: Arc<Table>) -> Self {
        let number = segment.number;
        let work = move || seal(&journal, manifest, &segment, &start, Some(remembered));
        let thread = std::thread::Builder::new().name(format!("seal-{number}")).spawn(work);
        Self { segment: number, thread: thread.expect("a process that writes can start one more thread") }
    }
}

impl Journal {
    /// Seals the active segment and goes on in a new one. Appending need not wait for the sealing.
    pub fn rotate(&mut self) -> Result<(), Fault> {
        if let Some(reason) = &self.poisoned {
            return Err(Fault::Poisoned { reason: reason.clone() });
        }
        let rotated = self.rotate_now();
        if let Err(fault) = &rotated {
            self.poisoned = Some(fault.to_string());
        }
        rotated
    }

    fn rotate_now(&mut self) -> Result<(), Fault> {
        self.finish_sealing(true)?;
        let journal = self.shared.journal();
        let number = self.tail.segment + 1;
        let path = directory(&journal, number);
        let start = self.tail.clone();
        create_segment(&path, &start, number, Salt(self.delivery_key.0), self.tail.recorded_at)?;
        point("rotate.created");
        let store = Store::open(&path)?;
        sync_tree(&path)?;
        let segment = Segment::new(number, start.position, path, None);
        let walked = walk(&segment, &store, &start, None, &mut |_, _| Ok(()))?;
        segment.alone(|held| {
            *held = Some(store);
            Ok(())
        })?;
        self.tail = walked.tail;
        self.testify()?;
        point("rotate.witnessed");
        self.shared.segments.write().expect("nobody panics while listing segments").push(segment.clone());
        let full = std::mem::replace(&mut self.active, segment);
        let before = std::mem::replace(&mut self.start, start);
        let remembered = self.identities.freeze(full.number, self.tail.position);
        self.sealing = Some(Sealing::begin(journal, self.manifest.clone(), full, before, remembered));
        Ok(())
    }

    /// Rotates where the active segment is full, and takes in a sealing that has ended.
    pub(crate) fn rotate_if_full(&mut self) -> Result<(), Fault> {
        self.finish_sealing(false)?;
        let full = self.tail.bytes >= self.options.segment_bytes
            || self.identities.active() >= self.options.segment_identities;
        if full { self.rotate_now() } else { Ok(()) }
    }

    /// Takes in what the sealing thread did, waiting for it if `wait` says so.
    pub(crate) fn finish_sealing(&mut self, wait: bool) -> Result<(), Fault> {
        let Some(sealing) = self.sealing.take_if(|sealing| wait || sealing.thread.is_finished()) else {
            return Ok(());
        };
        let ended = sealing.thread.join();
        let sealed = ended.map_err(|_| self.active.damaged("the thread that seals the segment before panicked"))??;
        self.manifest = sealed.manifest;
        self.identities.adopt(sealing.segment, sealed.run);
        Ok(())
    }
}

impl Shared {
    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }
}
