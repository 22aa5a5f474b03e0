//! Answering orders inside `pec run`: a thread that looks for orders without an answer.
//!
//! It looks only when commerce, reference or decisions have grown, and answers what is durable. A
//! fault is logged and tried again: orders wait, ingest goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::entry::Stream;
use engine::Ledger;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(500);
/// Who answers.
pub const ACTOR: &str = "pec";

/// Starts answering; the thread ends soon after the stop.
#[must_use]
pub fn start(ledger: &Arc<Ledger>, stop: Arc<AtomicBool>) -> JoinHandle<()> {
    let ledger = Arc::clone(ledger);
    let run = move || {
        let mut known = None;
        while !stop.load(Ordering::Relaxed) {
            match told(&ledger).and_then(|count| answer_if(&ledger, known, count)) {
                Ok(count) => known = Some(count),
                Err(fault) => tracing::warn!("orders could not be answered and will be again: {fault}"),
            }
            std::thread::sleep(LOOK);
        }
    };
    let spawned = std::thread::Builder::new().name("answers".to_owned()).spawn(run);
    spawned.expect("a process that just started can start a thread")
}

fn answer_if(ledger: &Ledger, known: Option<u64>, count: u64) -> Result<u64, engine::Fault> {
    if known != Some(count) {
        let answers = engine::orders::answer(ledger, ACTOR)?;
        if !answers.is_empty() {
            let refused = answers.iter().filter(|answer| !answer.accepted).count();
            tracing::info!(answered = answers.len(), refused, "orders answered");
        }
    }
    Ok(count)
}

/// How many entries there are of the streams that decide orders.
fn told(ledger: &Ledger) -> Result<u64, engine::Fault> {
    let decides =
        |stream: Option<Stream>| matches!(stream, Some(Stream::Commerce | Stream::Reference | Stream::Decisions));
    Ok(ledger.counts()?.iter().filter(|(stream, ..)| decides(*stream)).map(|(.., count)| count).sum())
}
