//! Opening: believe nothing, walk what is not sealed, refuse loudly.
//!
//! Sealed segments are believed by the lengths of their files, and by their hashes before anybody
//! reads them. Every other segment is walked from its genesis to its end. The end must reach what
//! the witness says was acknowledged, with the same chain hash.

mod recover;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::period::Instant;

use crate::batch::Batch;
use crate::clean;
use crate::crash::point;
use crate::disk::{FileSum, remove_tree, sync_directory, sync_tree};
use crate::fault::{Doing, Fault};
use crate::frame::{self, Head};
use crate::identity::{Identities, Run};
use crate::journal::{DeliveryKey, Journal, Options, Tail};
use crate::lock::Lock;
use crate::manifest::{Manifest, Sealed};
use crate::reader::Shared;
use crate::salt::Salt;
use crate::seal::{seal, walk_remembering};
use crate::segment::{Parts, Segment, directory};
use crate::store::Store;
use crate::walk::Acknowledged;
use crate::witness::Witness;
pub(crate) use recover::remove_leftovers;

/// Opens or creates a journal. `now` is only used as the time of a first genesis frame.
pub(crate) fn open(dir: &Path, options: &Options, now: Option<Instant>) -> Result<Journal, Fault> {
    let path = dir.join("journal");
    if !path.exists() {
        if !options.create {
            return Err(Fault::NotAJournal { path: dir.to_owned() });
        }
        fs::create_dir_all(&path).doing("create", &path)?;
        sync_directory(dir)?;
    }
    let lock = Lock::acquire(dir, options.wait_for_lock)?;
    point("open.locked");
    let manifest = Manifest::open(&path)?;
    let segments = present(&path)?;
    let witness = find_witness(dir, options, segments > 0 || !manifest.sealed.is_empty())?;
    if segments == 0 {
        if witness.last.frames > 0 || !manifest.sealed.is_empty() {
            return Err(Fault::SegmentMissing { path, segment: 1 });
        }
        create_segment(&directory(&path, 1), &Tail::before_everything(), 1, crate::salt::fresh(), now)?;
        point("open.created");
    }
    let opened = Opening { dir, path: &path, witness: &witness }.all(manifest, segments.max(1))?;
    if opened.tail.frames < witness.last.frames {
        let found = opened.tail.frames.saturating_sub(1);
        return Err(Fault::Shorter { path, found, witnessed: witness.last.frames - 1 });
    }
    let mut journal = Journal {
        shared: Shared::new(dir.to_owned(), opened.segments, opened.tail.position),
        active: opened.active,
        options: options.clone(),
        identities: opened.identities,
        start: opened.start,
        tail: opened.tail,
        witness,
        manifest: opened.manifest,
        sealing: None,
        delivery_key: DeliveryKey(opened.key.0),
        unwritten: false,
        poisoned: None,
        lock,
    };
    journal.active.with(Store::sync)?;
    journal.testify()?;
    point("open.witnessed");
    Ok(journal)
}

/// How many segments lie there. They are numbered from 1 without holes; what an interrupted
/// rotation left under another name is removed.
fn present(journal: &Path) -> Result<u32, Fault> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(journal).doing("list", journal)? {
        let path = entry.doing("list", journal)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok());
        match (number, path.extension().and_then(|extension| extension.to_str())) {
            (Some(_), Some("new" | "copying" | "discarded")) => remove_tree(&path)?,
            // A copy stands for the segment that it was taken from.
            (Some(number), None | Some("copy")) if path.is_dir() => numbers.push(number),
            _ => (),
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    for (expected, number) in (1..).zip(&numbers) {
        if *number != expected {
            return Err(Fault::SegmentMissing { path: journal.to_owned(), segment: expected });
        }
    }
    Ok(u32::try_from(numbers.len()).expect("segments are numbered in 32 bits"))
}

/// The witness; a new one only where there is nothing yet that it could have seen.
fn find_witness(dir: &Path, options: &Options, needed: bool) -> Result<Witness, Fault> {
    match Witness::open(dir) {
        Ok(Some(witness)) => Ok(witness),
        Ok(None) if !needed || options.accept_witness => Witness::create(dir),
        Ok(None) => {
            let reason = "it is missing".to_owned();
            Err(Fault::Witness { path: dir.join(crate::witness::NAME), reason })
        }
        Err(Fault::Witness { path, .. }) if options.accept_witness => {
            fs::remove_file(&path).doing("remove", &path)?;
            Witness::create(dir)
        }
        Err(fault) => Err(fault),
    }
}

struct Opening<'a> {
    dir: &'a Path,
    path: &'a Path,
    witness: &'a Witness,
}

struct Opened {
    segments: Vec<Arc<Segment>>,
    active: Arc<Segment>,
    identities: Identities,
    manifest: Manifest,
    /// Before the active segment, and at its end.
    start: Tail,
    tail: Tail,
    key: Salt,
}

impl Opening<'_> {
    fn all(&self, mut manifest: Manifest, count: u32) -> Result<Opened, Fault> {
        let sealed = u32::try_from(manifest.sealed.len()).expect("segments are numbered in 32 bits");
        if sealed >= count {
            return Err(Fault::SegmentMissing { path: self.path.to_owned(), segment: sealed + 1 });
        }
        let mut segments = Vec::new();
        let mut runs = Vec::new();
        for sealed in &manifest.sealed {
            let segment = self.believe(sealed)?;
            runs.push((sealed.number, self.run(&segment, sealed)?));
            segments.push(segment);
        }
        let mut start = manifest.sealed.last().map_or_else(Tail::before_everything, Tail::behind);
        for number in sealed + 1..count {
            // Rotated away from, but the sealing was interrupted.
            let segment = Segment::new(number, start.position, directory(self.path, number), None);
            self.recover(&segment, &start, false, &mut |_| ())?;
            segment.close()?;
            let now = seal(self.path, manifest, &segment, &start, None)?;
            runs.push((number, now.run));
            segments.push(segment);
            (manifest, start) = (now.manifest, now.tail);
        }
        let active = Segment::new(count, start.position, directory(self.path, count), None);
        let clean = clean::take(self.dir, &active.path)?;
        point("open.marked");
        let mut identities = Identities::new(start.position);
        let walked = self.recover(&active, &start, clean, &mut |found| {
            identities = found;
        })?;
        runs.into_iter().for_each(|(number, run)| identities.adopt(number, run));
        segments.push(active.clone());
        Ok(Opened { segments, active, identities, manifest, start, tail: walked.tail, key: walked.key })
    }

    /// A sealed segment, unopened: its files must be there with their lengths. Their hashes are
    /// checked before it is first read.
    fn believe(&self, sealed: &Sealed) -> Result<Arc<Segment>, Fault> {
        let path = directory(self.path, sealed.number);
        if !path.exists() {
            return Err(Fault::SegmentMissing { path: self.path.to_owned(), segment: sealed.number });
        }
        remove_leftovers(&path)?;
        if !FileSum::lengths_agree(&sealed.files, &path)? {
            return Err(Fault::damaged(&path, "its files are not those that the manifest lists"));
        }
        Ok(Segment::sealed(sealed, path))
    }

    /// The run of a sealed segment; built again where it is missing or damaged.
    fn run(&self, segment: &Segment, sealed: &Sealed) -> Result<Run, Fault> {
        if let Ok(run) = Run::open(&segment.path, sealed.number, sealed.chain) {
            return Ok(run);
        }
        tracing::warn!(segment = sealed.number, "the run of identities is built again from its segment");
        let start = Tail::before(sealed);
        let (_, identities) = segment.with(|store| walk_remembering(segment, store, &start, None))?;
        segment.close()?;
        Run::build(&segment.path, sealed.number, sealed.chain, &identities)
    }

    fn acknowledged(&self) -> Acknowledged {
        Acknowledged { frames: self.witness.last.frames, chain: self.witness.last.chain }
    }
}

/// Creates a segment whose genesis frame goes on from `tail`, complete and durable, under its name.
pub(crate) fn create_segment(
    path: &Path,
    tail: &Tail,
    number: u32,
    key: Salt,
    now: Option<Instant>,
) -> Result<(), Fault> {
    let building: PathBuf = path.with_extension("new");
    remove_tree(&building)?;
    let (topics, partitions) = tail.partition_table(&[]);
    let head = Head {
        frame: tail.frames,
        segment: number,
        first_position: tail.position,
        recorded_at: tail.recorded_at.or(now).unwrap_or(Instant::UNIX_EPOCH),
        previous: tail.chain,
        cluster: tail.cluster.clone(),
        topics,
        files: Vec::new(),
        partitions,
        messages: Vec::new(),
        items: Vec::new(),
    };
    let section = Batch::preamble(key);
    let (stored, _) =
        frame::seal((head.frame, head.version()), &head.write(), section.len(), &crate::zip::pack(&section));
    let parts = Parts::cut(head.frame, head.first_position, &stored);
    let store = Store::open(&building)?;
    store.put(tail.block, parts.values())?;
    store.flush()?;
    store.sync()?;
    point("create.genesis");
    store.close()?;
    // Only opening writes sled's snapshot, and without one a damaged log may open as an empty one.
    Store::open(&building)?.close()?;
    // sled syncs neither its configuration file nor its directory.
    sync_tree(&building)?;
    point("create.synced");
    fs::rename(&building, path).doing("rename", &building)?;
    sync_directory(path.parent().expect("a segment lies in the journal's directory"))
}
