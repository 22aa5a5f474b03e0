//! `pec verify`: is the journal whole, and does folding it again give the same answers?
//!
//! Two proofs: every frame, digest and link of the chain is read again, and a replay from the first
//! event is compared with the running facts by one digest over all answers. Events go on coming in
//! meanwhile: what is proven is what was durable at the start.

use clap::Args;
use engine::Ledger;
use serde::Serialize;

use super::start::fault;
use super::{Context, Versions};
use crate::exit::Exit;
use crate::output::{Output, thousands};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec verify\n  pec verify --json\n\nExit code 4 when something differs.")]
pub struct Verify {
    /// Only prove the journal; do not fold it again
    #[arg(long)]
    journal_only: bool,
}

/// `schemas/output/verify.v1.json`.
#[derive(Serialize)]
pub(super) struct Answer {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    whole: bool,
    segments: u32,
    frames: u64,
    messages: u64,
    entries: u64,
    chain: String,
    /// What is wrong with the journal, if anything is.
    damage: Option<String>,
    digest_live: Option<String>,
    digest_replayed: Option<String>,
}

impl Answer {
    /// Whether nothing differs from what was recorded, nor from what is answered.
    pub(super) fn is_same(&self) -> bool {
        self.whole && self.digest_live == self.digest_replayed
    }
}

impl Verify {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
        let mut progress = |done, due| {
            bar.set_length(due);
            bar.set_position(done);
        };
        let answer = prove(context.ledger, self.journal_only, &mut progress)?;
        bar.finish_and_clear();
        if context.json {
            out.json(&answer)?
        } else {
            print(&answer, out)?
        }
        Ok(if answer.is_same() { Exit::Fine } else { Exit::Differs })
    }
}

/// Both proofs, or the one of the journal alone.
pub(super) fn prove(ledger: &Ledger, journal_only: bool, progress: &mut dyn FnMut(u64, u64)) -> anyhow::Result<Answer> {
    let proven = ledger.verify(progress);
    let versions = Versions::of(&*ledger.facts().map_err(fault)?);
    let report = match proven {
        Ok(report) => report,
        Err(engine::Fault::Journal(damage)) => return damaged(ledger, versions, &damage),
        Err(error) => return Err(fault(error).into()),
    };
    let mut answer = Answer {
        schema: "pec.verify.v1",
        versions,
        whole: true,
        segments: report.segments,
        frames: report.frames,
        messages: report.messages,
        entries: report.entries,
        chain: report.chain.to_string(),
        damage: None,
        digest_live: None,
        digest_replayed: None,
    };
    if !journal_only {
        let (live, end) = {
            let facts = ledger.facts().map_err(fault)?;
            (engine::digest::of(&facts), facts.end())
        };
        let replayed = engine::view::replay(ledger.reader(), Some(end), progress).map_err(fault)?;
        answer.digest_live = Some(live.to_string());
        answer.digest_replayed = Some(engine::digest::of(replayed.state()).to_string());
    }
    Ok(answer)
}

fn damaged(ledger: &Ledger, versions: Versions, damage: &journal::Fault) -> anyhow::Result<Answer> {
    let status = ledger.status().map_err(fault)?;
    Ok(Answer {
        schema: "pec.verify.v1",
        versions,
        whole: false,
        segments: status.segments,
        frames: status.frames,
        messages: status.end,
        entries: 0,
        chain: status.chain.to_string(),
        damage: Some(format!("{damage}; {}", damage.hint())),
        digest_live: None,
        digest_replayed: None,
    })
}

fn print(answer: &Answer, out: &mut Output) -> anyhow::Result<()> {
    if let Some(damage) = &answer.damage {
        out.line(format!("The journal is not whole: {damage}"))?;
        return Ok(());
    }
    out.line(format!(
        "The journal is whole: {} messages, {} entries in {} frames were read again.",
        thousands(answer.messages),
        thousands(answer.entries),
        thousands(answer.frames)
    ))?;
    out.line(format!("chain   {}", answer.chain))?;
    if let (Some(live), Some(replayed)) = (&answer.digest_live, &answer.digest_replayed) {
        if answer.is_same() {
            out.line(format!("answers {live}"))?;
            out.line("A replay from the first event gives the same answers.")?;
            out.line(answer.versions)?;
        } else {
            out.line(format!("answers {live} (running)"))?;
            out.line(format!("        {replayed} (replayed)"))?;
            out.line("A replay gives other answers. The journal is safe: restart, and report both digests.")?;
        }
    }
    Ok(())
}
