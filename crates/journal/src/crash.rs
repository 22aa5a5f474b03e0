//! Places at which a test may kill the process.
//!
//! Always compiled, so that what is tested is what runs; armed only by `PEC_CRASH_AT=name:n`, read
//! once, which aborts the process when the place `name` is passed for the n-th time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every crash point, in the order in which a life of a journal meets them.
pub const CRASH_POINTS: &[&str] = &[
    "open.locked",
    "create.genesis",
    "create.synced",
    "open.created",
    "open.marked",
    "open.copied",
    "open.walked",
    "open.discarding",
    "open.witnessed",
    "append.decided",
    "append.applied",
    "append.flushed",
    "append.synced",
    "append.witnessed",
    "rotate.created",
    "rotate.witnessed",
    "seal.closed",
    "seal.walked",
    "seal.settled",
    "seal.listed",
    "seal.run_written",
    "seal.run_named",
    "close.closed",
    "close.marked",
];

struct Armed {
    name: String,
    left: AtomicU64,
}

/// Marks a place. Costs one atomic load when nothing is armed.
pub(crate) fn point(name: &str) {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    debug_assert!(CRASH_POINTS.contains(&name), "the crash point {name} is not listed");
    let armed = ARMED.get_or_init(|| {
        let spec = std::env::var("PEC_CRASH_AT").ok()?;
        let (name, count) = spec.rsplit_once(':')?;
        Some(Armed { name: name.to_owned(), left: AtomicU64::new(count.parse().ok()?) })
    });
    if let Some(armed) = armed
        && armed.name == name
        && armed.left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        std::process::abort();
    }
}
