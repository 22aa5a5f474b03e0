//! What can stop the engine, by name, each with what to do next.

use domain::period::Instant;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    #[error("the clock says {now} where {expected} was due: it was set while pec was running")]
    ClockDrift { now: Instant, expected: Instant },
    #[error(
        "nothing is known as of {asked}: this journal was restored from Kafka at {restored}, and Kafka does not keep when we learnt what"
    )]
    BeforeRestore { asked: Instant, restored: Instant },
    #[error("what was written cannot be read back: {0}")]
    NotReadBack(String),
    #[error("another thread failed while it held the {0}; nothing more is answered from it")]
    Broken(&'static str),
}

impl Fault {
    /// What to do next, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Journal(fault) => fault.hint(),
            Self::ClockDrift { .. } => "correct the clock of this machine, then restart",
            Self::BeforeRestore { .. } => "ask for a later instant, or use a backup of the directory from before",
            Self::NotReadBack(_) => "report it: a decision that cannot be read back was not made",
            Self::Broken(_) => "restart the process: the journal itself is safe",
        }
    }
}
