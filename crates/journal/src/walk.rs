//! Walking a segment: every frame, from the genesis to the last one, in its place in the chain.

use domain::entry::{EntryRef, Outcome};

use crate::fault::Fault;
use crate::frame::{Chain, Head, Stored};
use crate::identity::Known;
use crate::journal::Tail;
use crate::salt::Salt;
use crate::segment::{Assembled, Segment};
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

/// Who walks frame by frame: checks part headers, checksums, numbers, positions, times and the chain.
pub(crate) struct Walk<'s> {
    segment: &'s Segment,
    pub(crate) tail: Tail,
    key: Option<Salt>,
}

impl<'s> Walk<'s> {
    pub(crate) fn from(segment: &'s Segment, start: &Tail) -> Self {
        Self { segment, tail: start.clone(), key: None }
    }

    /// Takes the frame that lies at the tail's block.
    pub(crate) fn step(
        &mut self,
        assembled: &Assembled,
        each: &mut dyn FnMut(&Head, &Stored<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let (segment, tail, number) = (self.segment, &self.tail, assembled.header.frame);
        let stored = Stored::open(&assembled.bytes).map_err(|why| segment.broken(number, &why))?;
        let head = segment.head(assembled, &stored)?;
        if head.frame != tail.frames || head.first_position != tail.position {
            return Err(segment.damaged(format!("frame {} lies where frame {} should", head.frame, tail.frames)));
        }
        if head.previous != tail.chain {
            return Err(segment.damaged(format!("frame {number} is not chained to the one before")));
        }
        if tail.recorded_at.is_some_and(|last| head.recorded_at < last) {
            return Err(segment.damaged(format!("frame {number} was recorded before the one before")));
        }
        if self.key.is_none() {
            self.key = Some(segment.frame(assembled)?.salted()?.salt);
        }
        each(&head, &stored)?;
        self.tail.take(&head, stored.chain, assembled.header.parts, assembled.bytes.len() as u64);
        Ok(())
    }
}

/// Walks a segment that goes on from `start`, to its end, and checks that the acknowledged frame is
/// the one that is there.
pub(crate) fn walk(
    segment: &Segment,
    store: &Store,
    start: &Tail,
    acknowledged: Option<Acknowledged>,
    each: &mut dyn FnMut(&Head, &Stored<'_>) -> Result<(), Fault>,
) -> Result<Walked, Fault> {
    let mut walk = Walk::from(segment, start);
    while let Some(assembled) = segment.assemble_in(store, walk.tail.block)? {
        walk.step(&assembled, each)?;
        let tail = &walk.tail;
        if acknowledged.is_some_and(|a| a.frames == tail.frames && a.chain != tail.chain) {
            let number = assembled.header.frame;
            return Err(segment.damaged(format!("frame {number} is not the one that was acknowledged")));
        }
    }
    let Walk { tail, key, .. } = walk;
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
