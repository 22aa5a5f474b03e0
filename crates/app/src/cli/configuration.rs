//! `pec config check`: the settings in force, where they came from, and whether they can be used.

use clap::{Args, Subcommand};

use crate::config::Loaded;
use crate::exit::Exit;
use crate::output::Output;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec config check\n  pec config check --config /etc/pec.toml")]
pub struct Configuration {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Check the configuration and print it without its secrets
    #[command(
        after_help = "Examples:\n  pec config check\n  pec config check --config /etc/pec.toml\n  pec config check --json"
    )]
    Check,
}

impl Configuration {
    /// Getting here means that it was read and checked.
    pub fn run(&self, loaded: &Loaded, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        match self.action {
            Action::Check => {
                if json {
                    let settings: toml::Table = loaded.redacted().parse()?;
                    let sources = &loaded.sources;
                    out.json(
                        &serde_json::json!({ "schema": "pec.config.v1", "sources": sources, "settings": settings }),
                    )?;
                    return Ok(Exit::Fine);
                }
                out.line(format!("# taken from: {}", loaded.sources.join(", ")))?;
                out.line(loaded.redacted().trim_end())?;
                out.note("The configuration can be used.")?;
                Ok(Exit::Fine)
            }
        }
    }
}
