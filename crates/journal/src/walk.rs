//! Walking a segment: every frame, from the genesis to the last one, in its place in the chain.

use domain::entry::{EntryRef, Outcome};

use crate::fault::Fault;
use crate::frame::{Chain, Head, Stored};
use crate::identity::Known;
use crate::journal::Tail;
use crate::salt::Salt;
use crate::segment::Segment;
use crate::store::Store;

/// Where a walk came to.
pub(crate) struct Walked {
    pub(crate) tail: Tail,
    /// What the genesis frame carries: the key of the digests of last delivered messages.
    pub(crate) key: Salt,
}

/// What was acknowledged: so many frames, the last of which had this chain hash.
#[derive(Clone, Copy)]
pub(crate) struct Acknowledged {
    pub(crate) frames: u64,
    pub(crate) chain: Chain,
}

/// Walks a segment that goes on from `start`. Checks part headers, checksums, numbers, positions,
/// times and the chain, and that the acknowledged frame is the one that is there.
pub(crate) fn walk(
    segment: &Segment,
    store: &Store,
    start: &Tail,
    acknowledged: Option<Acknowledged>,
    each: &mut dyn FnMut(&Head, &Stored<'_>) -> Result<(), Fault>,
) -> Result<Walked, Fault> {
    let mut tail = start.clone();
    let mut key = None;
    while let Some(assembled) = segment.assemble_in(store, tail.block)? {
        let number = assembled.header.frame;
        let stored = Stored::open(&assembled.bytes).map_err(|why| segment.broken(number, &why))?;
        let head = segment.head(&assembled, &stored)?;
        if head.frame != tail.frames || head.first_position != tail.position {
            return Err(segment.damaged(format!("frame {} lies where frame {} should", head.frame, tail.frames)));
        }
        if head.previous != tail.chain {
            return Err(segment.damaged(format!("frame {number} is not chained to the one before")));
        }
        if tail.recorded_at.is_some_and(|last| head.recorded_at < last) {
            return Err(segment.damaged(format!("frame {number} was recorded before the one before")));
        }
        if key.is_none() {
            key = Some(segment.frame(&assembled)?.salt()?);
        }
        each(&head, &stored)?;
        tail.take(&head, stored.chain, assembled.header.parts, assembled.bytes.len() as u64);
        if acknowledged.is_some_and(|a| a.frames == tail.frames && a.chain != tail.chain) {
            return Err(segment.damaged(format!("frame {number} is not the one that was acknowledged")));
        }
    }
    if store.bounds()?.is_some_and(|(first, last)| first != start.block || last >= tail.block) {
        return Err(segment.damaged(format!("block {} is missing", tail.block)));
    }
    let key = key.ok_or_else(|| segment.damaged("it has no genesis frame"))?;
    Ok(Walked { tail, key })
}

/// What a frame put into the identity index.
pub(crate) fn known(head: &Head) -> impl Iterator<Item = Known> + '_ {
    (head.first_position..).zip(0..head.messages.len()).flat_map(move |(position, index)| {
        (0_u32..).zip(head.items_of(index)).filter_map(move |(number, item)| {
            let (identity, short) = item.named?;
            let conflicting = item.outcome == Outcome::Conflicting;
            Some(Known { identity, conflicting, at: EntryRef { position, index: number }, short })
        })
    })
}
