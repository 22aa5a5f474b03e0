//! The journal: every message that was ever received, verbatim, in order, chained, on sled.
//!
//! This crate is the only one that knows a byte or JSON format, and the only one that names sled
//! (in `store.rs`). It refuses to guess: what cannot be proven whole does not open. `docs/journal.md`
//! draws what lies on disk. Reading order: what messages say (`wire`), what goes in (`batch`), how
//! it lies (`frame`, `segment`, `store`), what is remembered (`identity`, `witness`), what is done
//! with it (`journal`, `open`, `append`, `reader`).

pub mod files;
pub mod wire;

mod beside;
mod bytes;
mod salt;
mod spare;
mod zip;
mod batch;
mod frame;
mod store;
mod segment;
mod identity;
mod disk;
mod lock;
mod witness;
mod manifest;
mod clean;
mod crash;
mod fault;
mod reader;
mod journal;
mod walk;
mod open;
mod seal;
mod append;
mod cut;
mod verify;
mod backup;
#[cfg(test)]
mod traps;

pub use append::Appended;
pub use backup::{BackupReport, backup, restore};
pub use batch::{Batch, Origin, Topic, message_digest};
pub use crash::CRASH_POINTS;
pub use cut::{Cut, Remembered};
pub use fault::Fault;
pub use frame::{FORMAT_VERSION, PartitionState};
pub use identity::Figures;
pub use journal::{DeliveryKey, Journal, Options, Status};
pub use lock::must_be_free;
pub use reader::{Chunk, Reader, Record};
pub use spare::spent;
pub use verify::{VerifyReport, verify};
