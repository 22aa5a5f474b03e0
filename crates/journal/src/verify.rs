//! Verifying: read everything, and hold it against every hash, digest and index there is.
//!
//! Sealed files against the manifest, frames against their checksums and the chain, every message
//! against its salted digest, every entry against what was recorded of it, every remembered fact
//! against the identity index. The first thing that does not agree is the answer.

use std::path::Path;

use domain::ids::Digest;

use crate::cut::{Cut, Remembered};
use crate::fault::Fault;
use crate::frame::{Head, Stored};
use crate::journal::{Journal, Options};
use crate::segment::Segment;
use crate::walk::known;

/// What was found whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    pub segments: u32,
    pub frames: u64,
    /// Messages, which are positions.
    pub messages: u64,
    pub entries: u64,
    /// Bytes of all messages, unpacked.
    pub bytes: u64,
    /// Hash of the last frame's head.
    pub chain: Digest,
}

/// Verifies the journal of a directory that nobody has open. `progress` is told how many of how many
/// positions are done.
pub fn verify(dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, Fault> {
    let journal = crate::open::open(dir, &Options::default(), None)?;
    let report = journal.verify(progress)?;
    journal.close()?;
    Ok(report)
}

impl Journal {
    /// Verifies an open journal up to its end.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, Fault> {
        self.cut_now().verify(&mut |facts| self.remembers(facts), progress)
    }
}

impl Cut {
    /// Verifies everything up to the cut while the journal may be written on. `remembers` asks the
    /// journal about each frame's identities: whoever shares it holds it for that long and no longer.
    pub fn verify(
        &self,
        remembers: &mut dyn FnMut(&Remembered) -> Result<(), Fault>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<VerifyReport, Fault> {
        let mut report = VerifyReport::default();
        self.walk(&mut |segment, head, stored| {
            self.verify_frame(segment, head, stored, &mut report)?;
            remembers(&Remembered(known(head).collect()))?;
            progress(head.next_position(), self.end());
            Ok(())
        })?;
        report.segments = self.active.number;
        (report.frames, report.messages, report.chain) = (self.tail.frames, self.end(), self.chain());
        Ok(report)
    }

    fn verify_frame(
        &self,
        segment: &Segment,
        head: &Head,
        stored: &Stored<'_>,
        report: &mut VerifyReport,
    ) -> Result<(), Fault> {
        let frame = segment.unpack(head.clone(), stored)?;
        let mut messages = Vec::with_capacity(head.messages.len());
        frame.messages(|_, message| {
            messages.push(message.bytes);
            Ok(())
        })?;
        let digests = frame.salted()?.digests(&messages);
        for ((position, recorded), digest) in (head.first_position..).zip(&head.messages).zip(digests) {
            if recorded.digest != digest {
                return Err(
                    segment.damaged(format!("the message at position {position} is not the one that was recorded"))
                );
            }
        }
        report.bytes += messages.iter().map(|message| message.len() as u64).sum::<u64>();
        let mut entries = Vec::with_capacity(head.items.len());
        self.shared.entries_of(&frame, head.first_position, &mut entries)?;
        report.entries += entries.len() as u64;
        Ok(())
    }
}
