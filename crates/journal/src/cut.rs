//! A cut: everything that was durable at one moment, to be read while the journal is written on.
//!
//! Taking one costs nothing; frames never change once they are written, so the cut stays what it is.
//! Sealed segments are read as files and frames. The segment that was active is read frame by frame up to
//! the cut, so that neither appending nor rotating ever waits for whoever reads; it may be full, sealed
//! and closed before the reader is done.

use std::sync::Arc;

use domain::ids::Digest;

use crate::fault::Fault;
use crate::frame::{Head, Stored};
use crate::identity::Known;
use crate::journal::{Journal, Tail};
use crate::manifest::Manifest;
use crate::reader::Shared;
use crate::segment::Segment;
use crate::walk::{Walk, walk};
use crate::witness::Testimony;

/// Everything that was durable when it was taken.
#[derive(Clone)]
pub struct Cut {
    pub(crate) shared: Arc<Shared>,
    /// The full ones, in order.
    pub(crate) full: Vec<Arc<Segment>>,
    pub(crate) manifest: Manifest,
    /// The one that was written to.
    pub(crate) active: Arc<Segment>,
    /// Before the active segment.
    pub(crate) start: Tail,
    pub(crate) tail: Tail,
    pub(crate) testimony: Testimony,
}

/// Facts that the index of identities must remember as a frame tells them.
pub struct Remembered(pub(crate) Vec<Known>);

impl Journal {
    /// Takes a cut. `None` while a full segment is still being sealed, unless `wait` says to wait for
    /// that: ask again in a moment, and let others append meanwhile.
    pub fn cut(&mut self, wait: bool) -> Result<Option<Cut>, Fault> {
        self.finish_sealing(wait)?;
        Ok(self.sealing.is_none().then(|| self.cut_now()))
    }

    /// Takes a cut whose last full segment may still be without its line in the manifest.
    pub(crate) fn cut_now(&self) -> Cut {
        let mut full = self.shared.segments();
        full.retain(|segment| segment.number != self.active.number);
        Cut {
            shared: self.shared.clone(),
            full,
            manifest: self.manifest.clone(),
            active: self.active.clone(),
            start: self.start.clone(),
            tail: self.tail.clone(),
            testimony: self.witness.last,
        }
    }

    /// Checks that each identity was first told where these facts say, and with that content.
    pub fn remembers(&self, facts: &Remembered) -> Result<(), Fault> {
        for fact in facts.0.iter().filter(|fact| !fact.conflicting) {
            if self.identities.first(fact.identity)? != Some((fact.at, fact.short)) {
                let what = format!("entry {} is not what its identity was first told by", fact.at);
                return Err(Fault::damaged(&self.shared.dir, what));
            }
        }
        Ok(())
    }
}

impl Cut {
    /// The position that follows the last one in it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.tail.position
    }

    /// Hash of the head of its last frame.
    #[must_use]
    pub fn chain(&self) -> Digest {
        Digest(self.tail.chain)
    }

    /// Walks every frame from the first one to the cut.
    pub(crate) fn walk(
        &self,
        each: &mut dyn FnMut(&Segment, &Head, &Stored<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut tail = Tail::before_everything();
        for segment in &self.full {
            self.shared.used(segment)?;
            segment.prove_again()?;
            let start = tail;
            let walked = segment
                .with(|store| walk(segment, store, &start, None, &mut |head, stored| each(segment, head, stored)))?;
            tail = walked.tail;
        }
        let segment = &*self.active;
        let mut walk = Walk::from(segment, &tail);
        while walk.tail.frames < self.tail.frames {
            let block = walk.tail.block;
            let assembled = segment.assemble(block)?;
            let assembled = assembled.ok_or_else(|| segment.damaged(format!("block {block} is missing")))?;
            walk.step(&assembled, &mut |head, stored| each(segment, head, stored))?;
        }
        if (walk.tail.chain, walk.tail.position) != (self.tail.chain, self.tail.position) {
            return Err(segment.damaged("what lies there does not end where the journal does"));
        }
        Ok(())
    }
}
