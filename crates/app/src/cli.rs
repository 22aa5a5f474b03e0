//! The command line: what can be asked, and the one function that answers.
//!
//! A file per group of commands holds its arguments, its JSON form and its tables. [`execute`] is
//! called by the command line and by the server alike. Every command's help has an example, and a
//! test parses them all.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::facts::Facts;
use domain::period::Instant;
use engine::Ledger;

use crate::config::Config;
use crate::exit::Exit;
use crate::output::Output;

pub mod start;
pub mod run;
pub mod period;
pub mod select;
mod absent;
pub mod invoice;
pub mod statement;
pub mod eligibility;
pub mod explain;
pub mod close;
pub mod verify;
pub mod backup;
pub mod restore;
pub mod status;
pub mod import;
pub mod conflicts;
pub mod order;
pub mod party;
pub mod quarantine;
pub mod replay;
pub mod configuration;
pub mod schema;
pub mod generate;
pub mod demo;
pub mod scenario;
pub mod bench;
pub mod policy;
pub mod what_if;
pub mod access;

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

impl Arguments {
    /// A command line without the program's name, for whoever holds a ledger and asks in process.
    pub fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, String> {
        let line = std::iter::once("pec").chain(words);
        Self::try_parse_from(line).map_err(|error| error.to_string())
    }
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
    /// Play a small distributor's month: events through Kafka to an explained invoice
    Demo(demo::Demo),
    /// Own the data directory: take events in from Kafka and answer every command
    Run(run::Run),
    /// What a partner should be charged for a month, and the credit earned and missing
    Invoice(invoice::Invoice),
    /// What a provider charges for one reseller's customers, and whose access earned the credit
    Statement(statement::Statement),
    /// Which resource earned credit on which day, and why not
    Eligibility(eligibility::Eligibility),
    /// A line, or a resource and day, down to its events, rules and arithmetic
    Explain(explain::Explain),
    /// The difference that a grant, a removal, a policy or a transfer would make; writes nothing
    WhatIf(what_if::WhatIf),
    /// Who held which access when, and which access is about to cost credit
    Access(access::Accesses),
    /// The choices that Microsoft never states: what is in force, what a change would cost
    Policy(policy::Policies),
    /// Rehearse closing a month: everything that is missing, and what mends it
    Check(close::Check),
    /// Issue a month's invoices
    Close(close::Close),
    /// Take an issued invoice back by a credit note
    Void(close::Void),
    /// How the journal stands: what came in, from where, and what waits for somebody
    Status(status::Status),
    /// Read files of events into the journal
    Import(import::Import),
    /// Events that were told in two different ways, and deciding which counts
    Conflicts(conflicts::Conflicts),
    /// What an order would be answered, before anything is sent
    Order(order::Order),
    /// The whole standing of a partner on a day
    Partner(party::Partner),
    /// The whole standing of a customer on a day
    Customer(party::Customer),
    /// Messages that could not be read, and reading them again after a fix
    Quarantine(quarantine::Quarantine),
    /// Fold the journal again from its first event
    Replay(replay::Replay),
    /// Prove that the journal is whole and that folding it again gives the same answers
    Verify(verify::Verify),
    /// Copy the journal, proven, while it is in use
    Backup(backup::Backup),
    /// Make a journal again, from a backup or from what Kafka still holds
    Restore(restore::Restore),
    /// Play a scenario file and lay what comes out beside what it expects
    Scenario(scenario::Scenario),
    /// Make a seeded world of events, to files or to Kafka
    Generate(generate::Generate),
    /// Measure the main job against a Kafka cluster
    Bench(bench::Bench),
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

/// By which rules and which policy an answer was made that is about no single month: the highest
/// revision that its facts know.
#[derive(serde::Serialize, Clone, Copy, Debug)]
pub(crate) struct Versions {
    pub(crate) rules_version: u32,
    pub(crate) policy_revision: u32,
}

impl Versions {
    pub(crate) fn of(facts: &Facts) -> Self {
        Self { rules_version: domain::policy::RULES_VERSION, policy_revision: facts.policy.highest_revision() }
    }
}

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rules version {} · policy revision {}", self.rules_version, self.policy_revision)
    }
}

/// Asks the facts as they are, or as they were known at an instant.
pub fn with_facts<T>(
    context: &Context<'_>,
    as_of: Option<Instant>,
    out: &mut Output,
    ask: impl FnOnce(&Facts, &mut Output) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    match as_of {
        None => {
            let facts = context.ledger.facts().map_err(start::fault)?;
            ask(&facts, out)
        }
        Some(at) => {
            let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
            let fold = engine::view::as_of(context.ledger.reader(), at, &mut |done, due| {
                bar.set_length(due);
                bar.set_position(done);
            });
            bar.finish_and_clear();
            ask(fold.map_err(start::fault)?.state(), out)
        }
    }
}

/// Answers a command over an open ledger.
pub fn execute(command: &Command, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    match command {
        Command::Invoice(invoice) => invoice.run(context, out),
        Command::Statement(statement) => statement.run(context, out),
        Command::Eligibility(eligibility) => eligibility.run(context, out),
        Command::Explain(explain) => explain.run(context, out),
        Command::WhatIf(what_if) => what_if.run(context, out),
        Command::Access(access) => access.run(context, out),
        Command::Policy(policy) => policy.run(context, out),
        Command::Check(check) => check.run(context, out),
        Command::Close(close) => close.run(context, out),
        Command::Void(void) => void.run(context, out),
        Command::Verify(verify) => verify.run(context, out),
        Command::Backup(backup) => backup.run(context, out),
        Command::Status(status) => status.run(context, out),
        Command::Import(import) => import.run(context, out),
        Command::Conflicts(conflicts) => conflicts.run(context, out),
        Command::Order(order) => order.run(context, out),
        Command::Partner(partner) => partner.run(context, out),
        Command::Customer(customer) => customer.run(context, out),
        Command::Quarantine(quarantine) => quarantine.run(context, out),
        Command::Replay(replay) => replay.run(context, out),
        Command::Run(_)
        | Command::Demo(_)
        | Command::Generate(_)
        | Command::Bench(_)
        | Command::Restore(_)
        | Command::Schema(_)
        | Command::Scenario(_)
        | Command::Config(_) => {
            unreachable!("commands that need no journal are answered before one is opened")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Every command and every group of commands, with what its help ends with.
    fn helps(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        let path = format!("{path} {}", command.get_name());
        let subcommands: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        found.push((path.trim().to_owned(), help));
        for subcommand in subcommands {
            helps(subcommand, &path, found);
        }
    }

    /// Words as a shell takes them, as far as our examples need it: blanks and single quotes.
    fn shell_words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (index, part) in line.split('\'').enumerate() {
            if index % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words
    }

    /// Help that shows a command line which does not parse would be worse than none.
    #[test]
    fn every_command_has_an_example_and_every_example_parses() {
        let mut commands = Vec::new();
        helps(&Arguments::command(), "", &mut commands);
        assert!(commands.len() > 5);
        for (path, help) in commands {
            let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  pec ")).collect();
            let own = path.strip_prefix("pec").expect("every command begins with pec").trim_start();
            assert!(examples.iter().any(|example| example.starts_with(own)), "no example in `{path} --help`");
            for example in examples {
                let words = shell_words(example);
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
