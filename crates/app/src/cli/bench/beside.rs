//! How long an append takes while the same process verifies or backs up the journal that it appends to.
//!
//! Two threads as in `pec run`: one makes and packs batches, one appends them as fast as it can. Each stage
//! appends alone first and then beside the command, in one process on one copy of the journal: what counts
//! is how the two compare. Verifying and backing up are what the commands do when a server holds the
//! directory; only what they print goes nowhere.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use comfy_table::Cell;
use engine::Ledger;
use journal::{Batch, Origin};
use serde::{Deserialize, Serialize};

use super::{Figures, Stopwatch, count, engine_problem};
use crate::cli::verify;
use crate::exit::Problem;
use crate::generate::World;
use crate::generate::usage::UsageMessages;
use crate::output::{self, Output, right};

pub(super) const STAGES: [&str; 2] = ["append beside verify", "append beside backup"];

/// Messages in a batch: about a megabyte, as ingest packs them.
const BATCH: usize = 1_300;

/// How long to append without anything beside it.
const ALONE_SECONDS: f64 = 3.0;

/// More than anybody waits for; the packing thread ends when nobody takes its batches any more.
const EVENTS: u64 = 1 << 40;

/// Appending alone and beside a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beside {
    pub(super) alone: Appends,
    pub(super) beside: Appends,
    /// How long the command took.
    pub(super) command_seconds: f64,
}

/// How fast and how even batches were appended: until they were durable and folded, or queued to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Appends {
    pub(super) batches: usize,
    pub(super) events_per_second: f64,
    pub(super) median_seconds: f64,
    /// Ninety-nine of a hundred took no longer.
    pub(super) p99_seconds: f64,
    pub(super) longest_seconds: f64,
}

/// Appends to a journal that nobody needs afterwards; a backup goes to `to`.
pub(super) fn measure(ledger: &Ledger, stage: &str, seed: u64, to: &Path) -> anyhow::Result<Figures> {
    let mut world = World::new(seed, super::month(), super::size(0));
    // The same resources, told of by events that the journal does not know yet.
    world.seed ^= 0xbe51de;
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel(4);
        let world = &world;
        scope.spawn(move || pack(world, &sender));
        let alone = appends(ledger, &batches, |seconds| seconds >= ALONE_SECONDS)?;
        let done = AtomicBool::new(false);
        let (watch, appended) = (Stopwatch::start(), ledger.end());
        let (beside, command_seconds) = std::thread::scope(|scope| {
            let command = scope.spawn(|| {
                let watch = Stopwatch::start();
                let ran = command(ledger, stage, to);
                done.store(true, Ordering::Release);
                ran.map(|()| watch.seconds())
            });
            let beside = appends(ledger, &batches, |_| done.load(Ordering::Acquire));
            let command = command.join().map_err(|_| Problem::fault(format!("`{stage}` panicked")))?;
            anyhow::Ok((beside?, command?))
        })?;
        drop(batches);
        let mut figures = watch.stop(stage, ledger.end() - appended);
        figures.appends = Some(Beside { alone, beside, command_seconds });
        Ok(figures)
    })
}

/// Packs batches until nobody takes them any more.
fn pack(world: &World, batches: &SyncSender<Batch>) {
    let mut messages = UsageMessages::new(world, EVENTS);
    loop {
        let mut batch = Batch::with_room(BATCH * 1024);
        for message in messages.by_ref().take(BATCH) {
            batch.collect(Origin::Here, &message.borrow(&message.header_refs()));
        }
        batch.prepare();
        if batches.send(batch).is_err() {
            return;
        }
    }
}

/// Appends batches until `enough` says so of the seconds since the first.
fn appends(ledger: &Ledger, batches: &Receiver<Batch>, enough: impl Fn(f64) -> bool) -> anyhow::Result<Appends> {
    let (watch, begun) = (Stopwatch::start(), ledger.end());
    let mut took = Vec::new();
    // One at least, however soon it is enough.
    while took.is_empty() || !enough(watch.seconds()) {
        let batch = batches.recv()?;
        let one = Stopwatch::start();
        ledger.append(batch).map_err(engine_problem)?;
        took.push(one.seconds());
    }
    let seconds = watch.seconds();
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    Ok(Appends {
        batches: took.len(),
        events_per_second: per_second(ledger.end() - begun, seconds),
        median_seconds: at(50),
        p99_seconds: at(99),
        longest_seconds: at(100),
    })
}

#[expect(clippy::float_arithmetic, reason = "a figure of a benchmark, not money")]
fn per_second(events: u64, seconds: f64) -> f64 {
    count(events) / seconds
}

/// What a command does to a ledger that a server holds.
fn command(ledger: &Ledger, stage: &str, to: &Path) -> anyhow::Result<()> {
    if stage == STAGES[1] {
        ledger.backup(to, &mut |_, _| {}).map_err(engine_problem)?;
        return Ok(());
    }
    if verify::prove(ledger, false, &mut |_, _| {})?.is_same() {
        return Ok(());
    }
    Err(Problem::fault("the journal does not verify").hint("run pec verify on it").into())
}

/// Appending alone and beside each command, and how the two compare.
pub(super) fn table<'f>(figures: impl Iterator<Item = &'f Figures>, out: &mut Output) -> anyhow::Result<()> {
    let mut rows = output::table(&["appending", "seconds", "events/s", "of alone", "p50 ms", "p99 ms", "longest ms"]);
    let milliseconds = |seconds: f64| right(format!("{:.1}", thousandths(seconds)));
    for (stage, both) in figures.filter_map(|one| Some((one.stage.as_str(), one.appends.as_ref()?))) {
        let of = |one: &Appends| format!("{:.2}", share(one.events_per_second, both.alone.events_per_second));
        let command = Some(both.command_seconds);
        for (what, seconds, one) in [("alone", None, &both.alone), (stage, command, &both.beside)] {
            rows.add_row(vec![
                Cell::new(what),
                right(seconds.map_or_else(String::new, |seconds| format!("{seconds:.1}"))),
                right(format!("{:.0}", one.events_per_second)),
                right(of(one)),
                milliseconds(one.median_seconds),
                milliseconds(one.p99_seconds),
                milliseconds(one.longest_seconds),
            ]);
        }
    }
    out.line("")?;
    out.table(rows)?;
    Ok(())
}

#[expect(clippy::float_arithmetic, reason = "a figure of a benchmark, not money")]
fn thousandths(seconds: f64) -> f64 {
    seconds * 1_000.0
}

#[expect(clippy::float_arithmetic, reason = "a figure of a benchmark, not money")]
fn share(of: f64, whole: f64) -> f64 {
    of / whole
}
