//! Opening: believe nothing, walk everything, refuse loudly.

use std::fs;
use std::path::Path;

use domain::entry::{EntryRef, Outcome};
use domain::period::Instant;

use crate::batch::Batch;
use crate::disk::{remove_tree, sync_directory, sync_tree};
use crate::fault::{Doing, Fault};
use crate::frame::{self, Head, Stored};
use crate::identity::{Identities, Known};
use crate::journal::{DeliveryKey, Journal, Options, Tail};
use crate::lock::Lock;
use crate::reader::Shared;
use crate::salt::Salt;
use crate::segment::{Parts, Segment, directory};
use crate::store::Store;
use crate::witness::{Testimony, Witness};

pub(crate) fn open(dir: &Path, options: &Options, now: Instant) -> Result<Journal, Fault> {
    let journal = dir.join("journal");
    if !journal.exists() {
        if !options.create {
            return Err(Fault::NotAJournal { path: dir.to_owned() });
        }
        fs::create_dir_all(&journal).doing("create", &journal)?;
        sync_directory(dir)?;
    }
    let lock = Lock::acquire(dir, options.wait_for_lock)?;
    let mut tail = Tail::before_everything();
    let mut witness = match Witness::open(dir)? {
        Some(witness) => witness,
        None => Witness::create(dir)?,
    };
    let first = directory(&journal, 1);
    if !first.exists() {
        if witness.last.frames > 0 {
            return Err(Fault::SegmentMissing { path: journal, segment: 1 });
        }
        let salt = crate::salt::fresh();
        create_segment(&first, &tail, 1, salt, now)?;
    }
    let segment = Segment::new(1, 0, first.clone(), Some(Store::open(&first)?));
    let mut identities = Identities::new(0);
    let key = walk(&segment, &mut tail, &mut identities)?;
    if tail.frames < witness.last.frames {
        let found = tail.frames.to_string();
        return Err(Fault::Shorter { path: first, found, witnessed: witness.last.frames - 1 });
    }
    let log_length = segment.with(|store| {
        store.sync()?;
        store.log_length()
    })?;
    let (frames, last_block, chain, end) = (tail.frames, tail.block - 1, tail.chain, tail.position);
    witness.write(Testimony { epoch: 0, segment: tail.segment, frames, last_block, chain, log_length, end })?;
    Ok(Journal {
        shared: Shared::new(dir.to_owned(), vec![segment.clone()], tail.position),
        active: segment,
        options: options.clone(),
        identities,
        tail,
        witness,
        delivery_key: DeliveryKey(key.0),
        unwritten: false,
        poisoned: None,
        _lock: lock,
    })
}

/// Creates a segment whose genesis frame goes on from `tail`, complete and durable, under its name.
pub(crate) fn create_segment(path: &Path, tail: &Tail, number: u32, key: Salt, now: Instant) -> Result<(), Fault> {
    let building = path.with_extension("new");
    remove_tree(&building)?;
    let (topics, partitions) = tail.partition_table(&[]);
    let head = Head {
        frame: tail.frames,
        segment: number,
        first_position: tail.position,
        recorded_at: tail.recorded_at.unwrap_or(now),
        previous: tail.chain,
        cluster: tail.cluster.clone(),
        topics,
        files: Vec::new(),
        partitions,
        messages: Vec::new(),
        items: Vec::new(),
    };
    let section = Batch::preamble(key);
    let (stored, _) = frame::seal(head.frame, &head.write(), section.len(), &crate::zip::pack(&section));
    let parts = Parts::cut(head.frame, head.first_position, &stored);
    let store = Store::open(&building)?;
    store.put(tail.block, parts.values())?;
    store.flush()?;
    store.sync()?;
    store.close()?;
    // Only opening writes sled's snapshot, and without one a damaged log may open as an empty one.
    Store::open(&building)?.close()?;
    sync_tree(&building)?;
    fs::rename(&building, path).doing("rename", &building)?;
    sync_directory(path.parent().expect("a segment lies in the journal's directory"))
}

/// Walks all frames of a segment that goes on from `tail`, and moves `tail` to its end.
pub(crate) fn walk(segment: &Segment, tail: &mut Tail, identities: &mut Identities) -> Result<Salt, Fault> {
    let mut key = None;
    while let Some(assembled) = segment.assemble(tail.block)? {
        let broken = |why| segment.broken(assembled.header.frame, &why);
        let stored = Stored::open(&assembled.bytes).map_err(broken)?;
        let head = segment.head(&assembled, &stored)?;
        if head.frame != tail.frames || head.first_position != tail.position {
            return Err(segment.damaged(format!("frame {} follows where frame {} should", head.frame, tail.frames)));
        }
        if head.previous != tail.chain {
            return Err(segment.damaged(format!("frame {} is not chained to the one before", head.frame)));
        }
        if tail.recorded_at.is_some_and(|last| head.recorded_at < last) {
            return Err(segment.damaged(format!("frame {} was recorded before the one before", head.frame)));
        }
        if key.is_none() {
            key = Some(segment.frame(&assembled)?.salt()?);
        }
        remember(&head, identities);
        tail.take(&head, stored.chain, assembled.header.parts, assembled.bytes.len() as u64);
    }
    let last = segment.with(|store| store.bounds())?.map(|(_, last)| last);
    if last.is_some_and(|last| last >= tail.block) {
        return Err(segment.damaged(format!("block {} is missing", tail.block)));
    }
    key.ok_or_else(|| segment.damaged("it has no genesis frame"))
}

/// Puts what a frame remembered into the index.
fn remember(head: &Head, identities: &mut Identities) {
    for index in 0..head.messages.len() {
        let position = head.first_position + index as u64;
        for (number, item) in (0_u32..).zip(head.items_of(index)) {
            if let Some((identity, short)) = item.named {
                let conflicting = item.outcome == Outcome::Conflicting;
                identities.remember(Known { identity, conflicting, at: EntryRef { position, index: number }, short });
            }
        }
    }
}
