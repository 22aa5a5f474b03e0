//! Carries messages between Kafka and the journal, exactly once.
//!
//! This crate is the only one that names librdkafka. It reads with `assign()` from the journal's
//! own offsets; what Kafka remembers as committed is information. Nothing is acknowledged before
//! it is durable. It knows no business: what a message says is `journal::wire`'s affair, and what
//! follows from it is decided by whoever hands in the closure that appends.

pub mod config;
pub mod fault;
pub mod check;
pub mod run;
mod intake;
mod cluster;
mod client;
mod message;
mod settings;
mod limits;
pub mod progress;
pub mod watermarks;
pub mod producer;
pub mod admin;
pub mod mock;
pub mod alone;

pub use check::{Accept, Known, Reason, Start, accepted};
pub use config::Config;
pub use fault::{BoxError, Fault};
pub use mock::MockBroker;
pub use producer::{Sink, publish, publish_alerts, publish_missing};
pub use progress::Progress;
pub use run::{Delivery, Joined, Plan, Report, Resume, Until, run};
pub use watermarks::{Due, held, read_topic, watermarks_at};

use rdkafka::consumer::Consumer as _;

/// The monotonic clock, for deadlines alone: nothing that is recorded depends on it.
#[expect(clippy::disallowed_methods, reason = "deadlines and rate limits; no recorded time comes from here")]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Closes a client on another thread. Closing may wait for a broker that is gone; all that matters
/// is in the journal, so after a while the thread is left behind.
pub(crate) fn close(consumer: client::Consumer) {
    if let Err(error) = consumer.unassign() {
        tracing::debug!(%error, "while giving partitions back");
    }
    let (done, closed) = crossbeam_channel::bounded::<()>(0);
    let closing = std::thread::Builder::new().name("kafka-close".to_owned()).spawn(move || {
        drop(consumer);
        drop(done);
    });
    match closing {
        // Disconnected is what we wait for: the client is gone.
        Ok(_) => {
            if closed.recv_timeout(limits::CLOSE) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
                tracing::warn!("the Kafka client did not close in time; leaving it behind");
            }
        }
        Err(error) => tracing::warn!(%error, "no thread to close the Kafka client on"),
    }
}
