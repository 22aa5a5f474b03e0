//! `pec backup` and `pec restore`: a proven copy of the journal, and back.
//!
//! A backup is taken while events come in; a restore never writes over anything and verifies the
//! copy as a whole before it gets its name.

use std::path::PathBuf;

use clap::Args;

use super::Context;
use super::start::fault;
use crate::config::Loaded;
use crate::exit::{Exit, Problem};
use crate::output::{Output, thousands};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec backup /mnt/backup/pec-2026-02-04")]
pub struct Backup {
    /// A directory that does not exist yet
    to: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec restore /mnt/backup/pec-2026-02-04 --data-dir ./restored")]
pub struct Restore {
    /// The backup
    from: PathBuf,
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

impl Restore {
    pub fn run(&self, loaded: &Loaded, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        let to = &loaded.config.data_dir;
        let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
        let restored = journal::restore(&self.from, to, &mut |done, due| {
            bar.set_length(due);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let report = restored.map_err(|error| match &error {
            journal::Fault::NotEmpty { path } => {
                Problem::refused(format!("{} already holds something; nothing is written over", path.display()))
                    .hint("name a directory that does not exist yet with --data-dir")
            }
            journal::Fault::NotAJournal { path } => Problem::refused(format!("{} is no backup", path.display()))
                .hint("name the directory that pec backup made"),
            other => Problem::fault(format!("cannot restore {}: {other}", self.from.display())).hint(other.hint()),
        })?;
        if json {
            out.json(&serde_json::json!({
                "schema": "pec.restore.v1", "path": to.display().to_string(), "messages": report.messages, "entries": report.entries,
                "chain": report.chain.to_string(),
            }))?;
            return Ok(Exit::Fine);
        }
        out.line(format!("{} messages are back in {}, verified.", thousands(report.messages), to.display()))?;
        out.note("pec run reads from Kafka what came after the backup.")?;
        Ok(Exit::Fine)
    }
}
