//! The command line: what can be asked, and the one function that answers.
//!
//! A file per group of commands holds its arguments, its JSON form and its tables. [`execute`] is
//! called by the command line and by the server alike. Every command's help has an example, and a
//! test parses them all.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::Ledger;

use crate::config::Config;
use crate::exit::Exit;
use crate::output::Output;

pub mod start;
pub mod run;
pub mod period;
pub mod status;
pub mod import;
pub mod conflicts;
pub mod quarantine;
pub mod replay;
pub mod configuration;
pub mod schema;

#[derive(Parser, Debug)]
#[command(
    name = "pec",
    bin_name = "pec",
    version,
    about = "What a Cloud Solution Provider partner owes, which credit it earned on each resource and day, and why.",
    after_help = "Examples:\n  pec demo\n  pec import usage.jsonl --stream usage\n  pec invoice --period 2026-01\n\nExit codes: 0 fine, 1 refused or blocking findings, 2 usage or configuration,\n3 fault, 4 `verify` found a difference.",
    propagate_version = true
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Directory that holds the journal
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub data_dir: Option<PathBuf>,
    /// Configuration file (default: ./pec.toml if there is one, or $PEC_CONFIG)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Print data as JSON (lists as one object a line)
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Everywhere")]
    pub color: Color,
    /// Who decides; stands in the journal with every decision
    #[arg(long, global = true, env = "PEC_ACTOR", value_name = "NAME", help_heading = "Everywhere")]
    pub actor: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Own the data directory: take events in from Kafka and answer every command
    Run(run::Run),
    /// How the journal stands: what came in, from where, and what waits for somebody
    Status(status::Status),
    /// Read files of events into the journal
    Import(import::Import),
    /// Events that were told in two different ways, and deciding which counts
    Conflicts(conflicts::Conflicts),
    /// Messages that could not be read, and reading them again after a fix
    Quarantine(quarantine::Quarantine),
    /// Fold the journal again from its first event
    Replay(replay::Replay),
    /// Print the JSON Schemas of what pec prints
    Schema(schema::Schema),
    /// Look at the configuration
    Config(configuration::Configuration),
}

/// What a command that needs the journal is given.
pub struct Context<'a> {
    pub ledger: &'a Ledger,
    pub config: &'a Config,
    /// Where relative paths start: the directory of whoever asked.
    pub directory: PathBuf,
    pub actor: String,
    pub json: bool,
}

impl Context<'_> {
    /// A path as whoever asked meant it.
    #[must_use]
    pub fn path(&self, path: &std::path::Path) -> PathBuf {
        self.directory.join(path)
    }
}

/// Answers a command over an open ledger.
pub fn execute(command: &Command, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    match command {
        Command::Status(status) => status.run(context, out),
        Command::Import(import) => import.run(context, out),
        Command::Conflicts(conflicts) => conflicts.run(context, out),
        Command::Quarantine(quarantine) => quarantine.run(context, out),
        Command::Replay(replay) => replay.run(context, out),
        Command::Run(_) | Command::Schema(_) | Command::Config(_) => {
            unreachable!("commands that need no journal are answered before one is opened")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        let path = format!("{path} {}", command.get_name());
        let subcommands: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
        if subcommands.is_empty() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            found.push((path.trim().to_owned(), help));
        }
        for subcommand in subcommands {
            leaves(subcommand, &path, found);
        }
    }

    /// Help that shows a command line which does not parse would be worse than none.
    #[test]
    fn every_command_has_an_example_and_every_example_parses() {
        let mut commands = Vec::new();
        leaves(&Arguments::command(), "", &mut commands);
        assert!(commands.len() > 5);
        for (path, help) in commands {
            let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  pec ")).collect();
            let own = path.strip_prefix("pec ").expect("every command begins with pec");
            assert!(examples.iter().any(|example| example.starts_with(own)), "no example in `{path} --help`");
            for example in examples {
                let words = example.split_whitespace().map(|word| word.trim_matches('\'').to_owned());
                let parsed = Arguments::try_parse_from(std::iter::once("pec".to_owned()).chain(words));
                assert!(parsed.is_ok(), "`pec {example}`: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
