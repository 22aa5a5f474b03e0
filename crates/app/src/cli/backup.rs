//! `pec backup`: a proven copy of the journal, taken while events come in.

use std::path::PathBuf;

use clap::Args;

use super::Context;
use super::start::fault;
use crate::exit::Exit;
use crate::output::{Output, thousands};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec backup /mnt/backup/pec-2026-02-04")]
pub struct Backup {
    /// A directory that does not exist yet
    to: PathBuf,
}

impl Backup {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let to = context.path(&self.to);
        let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
        let backed_up = context.ledger.backup(&to, &mut |done, due| {
            bar.set_length(due);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let report = backed_up.map_err(fault)?;
        if context.json {
            out.json(&serde_json::json!({
                "schema": "pec.backup.v1", "path": report.path.display().to_string(), "messages": report.end, "segments": report.segments,
            }))?;
            return Ok(Exit::Fine);
        }
        out.line(format!("{} messages are backed up to {}.", thousands(report.end), report.path.display()))?;
        out.note(format!("Bring it back: pec restore {} --data-dir NEW-DIRECTORY", to.display()))?;
        Ok(Exit::Fine)
    }
}
