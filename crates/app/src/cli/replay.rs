//! `pec replay`: the journal folded again from its first event, with a digest of all answers.

use clap::Args;
use domain::period::Instant;
use serde::Serialize;

use super::start::fault;
use super::{Context, Versions, period};
use crate::exit::Exit;
use crate::output::{Output, thousands};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec replay\n  pec replay --to 100000\n  pec replay --as-of 2026-02-03 --json")]
pub struct Replay {
    /// Only messages before this position
    #[arg(long, value_name = "POSITION", conflicts_with = "as_of")]
    to: Option<u64>,
    /// Only what was recorded by then: an instant, or a date (its end, UTC)
    #[arg(long, value_parser = period::as_of, value_name = "WHEN")]
    as_of: Option<Instant>,
}

/// `schemas/output/replay.v1.json`.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    messages: u64,
    entries: u64,
    seconds: String,
    entries_per_second: u64,
    /// Over every answer: two journals with equal digests give equal invoices and reasons.
    digest: String,
}

impl Replay {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
        let mut progress = |done, due| {
            bar.set_length(due);
            bar.set_position(done);
        };
        let reader = context.ledger.reader();
        let started = context.ledger.clock().uptime();
        let fold = match self.as_of {
            Some(at) => engine::view::as_of(reader, at, &mut progress),
            None => engine::view::replay(reader, self.to, &mut progress),
        };
        bar.finish_and_clear();
        let fold = fold.map_err(fault)?;
        let took = context.ledger.clock().uptime().saturating_sub(started);
        let counts = fold.state().counts;
        let entries = counts.accepted + counts.duplicate + counts.conflicting + counts.quarantined;
        let micros = took.as_micros().max(1);
        let rate = u128::from(entries) * 1_000_000 / micros;
        let answer = Answer {
            schema: "pec.replay.v1",
            versions: Versions::of(fold.state()),
            messages: fold.next(),
            entries,
            seconds: format!("{}.{:03}", took.as_secs(), took.subsec_millis()),
            entries_per_second: u64::try_from(rate).expect("nothing folds 2^64 entries a second"),
            digest: engine::digest::of(fold.state()).to_string(),
        };
        if context.json {
            out.json(&answer)?;
            return Ok(Exit::Fine);
        }
        out.line(format!("{} messages, {} entries folded", thousands(answer.messages), thousands(answer.entries)))?;
        out.line(format!("digest of all answers {}", answer.digest))?;
        out.line(answer.versions)?;
        out.note(format!("{} s, {} entries a second", answer.seconds, thousands(answer.entries_per_second)))?;
        Ok(Exit::Fine)
    }
}
