//! What can go wrong with a journal, and what to do next.
//!
//! A fault says what was being done, to which file, and what is wrong. None of them is ever
//! answered by guessing: a journal that cannot prove that it is whole does not open.

use std::io;
use std::path::{Path, PathBuf};

use domain::period::Instant;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the page store cannot {doing} {}: {reason}", path.display())]
    Store { doing: &'static str, path: PathBuf, reason: String },
    #[error("{} is in use by process {owner}", path.display())]
    Locked { path: PathBuf, owner: String },
    #[error("{} holds no journal", path.display())]
    NotAJournal { path: PathBuf },
    #[error("{} is of format version {found}; this build reads up to version {known}", path.display())]
    Version { path: PathBuf, found: u32, known: u32 },
    #[error("{} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("segment {segment:08} is missing from {}", path.display())]
    SegmentMissing { path: PathBuf, segment: u32 },
    #[error("the journal ends at frame {found}, but frame {witnessed} was acknowledged ({})", path.display())]
    Shorter { path: PathBuf, found: u64, witnessed: u64 },
    #[error("the witness {} cannot be read: {reason}", path.display())]
    Witness { path: PathBuf, reason: String },
    #[error("the clock says {now}, more than five minutes before the last entry ({last})")]
    ClockBehind { now: Instant, last: Instant },
    #[error("the clock says {now}, more than {days} days after the last entry ({last})")]
    ClockAhead { now: Instant, last: Instant, days: u32 },
    #[error("offset {offset} of {topic}/{partition} came again: the journal already goes on from {next}")]
    OffsetWentBack { topic: String, partition: i32, offset: i64, next: i64 },
    #[error("a batch of {bytes} bytes is larger than one frame can be ({limit})")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("position {position} no longer reads as it was recorded: {reason}")]
    Reread { position: u64, reason: String },
    #[error("an earlier write failed, so nothing more is written: {reason}")]
    Poisoned { reason: String },
    #[error("{} already holds something", path.display())]
    NotEmpty { path: PathBuf },
}

impl Fault {
    /// What to do next, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the disk, its free space and the permissions, then start again",
            Self::Store { .. } => "start again; if it stays, restore the directory from a backup",
            Self::Locked { .. } => "stop the other process, or let it answer: commands reach it through its socket",
            Self::NotAJournal { .. } => "check the path; a new journal is only created when that is asked for",
            Self::Version { .. } => "use the build that wrote it, or a newer one",
            Self::Damaged { .. } | Self::SegmentMissing { .. } | Self::Shorter { .. } => {
                "keep the directory as it is and restore a backup into a new one; what came later is read from Kafka again"
            }
            Self::Witness { .. } => {
                "compare the journal's end with a backup and with Kafka, then accept the loss of the witness explicitly"
            }
            Self::ClockBehind { .. } | Self::ClockAhead { .. } => {
                "correct the clock of this machine, or accept it explicitly if it is right"
            }
            Self::OffsetWentBack { .. } => "resume from the journal's own offsets, never from the broker's",
            Self::TooLarge { .. } => "append smaller batches",
            Self::Reread { .. } => "use the build that recorded it and report the position: a decoder has changed",
            Self::Poisoned { .. } => {
                "restart the process: after a failed write only opening again tells what is durable"
            }
            Self::NotEmpty { .. } => "name a directory that does not exist yet",
        }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}

/// Adds what was being done to an operating system error.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, Fault>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, Fault> {
        self.map_err(|source| Fault::Io { doing, path: path.to_owned(), source })
    }
}
