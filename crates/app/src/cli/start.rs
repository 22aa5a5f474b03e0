//! Who answers a command: nobody's journal is needed, a running server, or this process.

use std::ffi::OsString;
use std::path::Path;

use clap::Parser as _;
use engine::{Clock, Ledger};
use journal::Options;

use super::import::Spooled;
use super::{Arguments, Command, Context, execute};
use crate::config::{self, Config, Loaded, Overrides};
use crate::exit::{Exit, Problem};
use crate::output::Output;
use crate::remote::{self, Request};

/// Runs a parsed command line to its exit code.
pub fn start(arguments: &Arguments, words: &[OsString], out: &mut Output) -> anyhow::Result<u8> {
    if let Command::Import(import) = &arguments.command
        && let Some(spooled) = Spooled::of(import)?
    {
        let words = spooled.words(words);
        return begin(&Arguments::try_parse_from(&words)?, &words, out);
    }
    begin(arguments, words, out)
}

fn begin(arguments: &Arguments, words: &[OsString], out: &mut Output) -> anyhow::Result<u8> {
    let overrides = Overrides { file: arguments.global.config.clone(), data_dir: arguments.global.data_dir.clone() };
    if let Command::Schema(schema) = &arguments.command {
        return Ok(schema.run(arguments.global.json, out)?.code());
    }
    if let Command::Scenario(scenario) = &arguments.command {
        return Ok(scenario.run(arguments.global.json, out)?.code());
    }
    let loaded = config::load(&overrides, environment()?)?;
    if let Some(exit) = without_journal(arguments, &loaded, out)? {
        return Ok(exit.code());
    }
    let config = &loaded.config;
    if let Some(stream) = remote::connect(&config::socket_path(&config.data_dir))? {
        return remote::ask(stream, &request(arguments, words, out)?, out);
    }
    let ledger = match (&arguments.command, try_open(config, false, false, out)) {
        // Only an import begins a journal; a misspelt directory must not look like an empty one.
        (Command::Import(import), Err(engine::Fault::Journal(journal::Fault::NotAJournal { .. }))) => {
            let directory = std::env::current_dir()?;
            if let Some(exit) = import.refused_without_journal(&directory, arguments.global.json, out)? {
                return Ok(exit.code());
            }
            open(config, true, false, out)?
        }
        (_, opened) => opened.map_err(not_opened)?,
    };
    let context = Context {
        ledger: &ledger,
        config,
        directory: std::env::current_dir()?,
        actor: actor(arguments),
        json: arguments.global.json,
    };
    let exit = execute(&arguments.command, &context, out);
    drop(context);
    ledger.close().map_err(fault)?;
    Ok(exit?.code())
}

fn environment() -> anyhow::Result<Vec<(String, String)>> {
    std::env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("PEC_"))
        .map(|(name, value)| {
            let text = |word: OsString| word.into_string().map_err(|_| Problem::usage("a PEC_… variable is not UTF-8"));
            Ok((text(name)?, text(value)?))
        })
        .collect()
}

/// Commands that need no journal, or make their own.
fn without_journal(arguments: &Arguments, loaded: &Loaded, out: &mut Output) -> anyhow::Result<Option<Exit>> {
    match &arguments.command {
        Command::Config(configuration) => configuration.run(loaded, arguments.global.json, out).map(Some),
        Command::Restore(restore) => restore.run(loaded, &actor(arguments), arguments.global.json, out).map(Some),
        Command::Run(run) => run.run(loaded, &actor(arguments), out).map(Some),
        Command::Demo(demo) => demo.run(arguments.global.data_dir.as_deref(), &loaded.config, out).map(Some),
        Command::Generate(generate) => generate.run(loaded.config.kafka.as_ref(), arguments.global.json, out).map(Some),
        Command::Bench(bench) => bench.run(arguments.global.json, out).map(Some),
        _ => Ok(None),
    }
}

/// Opens the ledger of the configured directory, with what to do when there is none.
pub fn open(config: &Config, create: bool, accept_clock: bool, out: &mut Output) -> anyhow::Result<Ledger> {
    try_open(config, create, accept_clock, out).map_err(not_opened)
}

fn try_open(config: &Config, create: bool, accept_clock: bool, out: &mut Output) -> Result<Ledger, engine::Fault> {
    let options = Options { create, accept_clock, clock_ahead_days: config.clock_ahead_days, ..Options::default() };
    let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
    let style = indicatif::ProgressStyle::with_template("reading the journal {bar:30} {pos}/{len} {per_sec}");
    bar.set_style(style.expect("the template is a literal"));
    let mut progress = |done, due| {
        bar.set_length(due);
        bar.set_position(done);
    };
    let opened = Ledger::open(&config.data_dir, &options, Clock::start(), &mut progress);
    bar.finish_and_clear();
    opened
}

fn not_opened(error: engine::Fault) -> anyhow::Error {
    match error {
        engine::Fault::Journal(journal::Fault::NotAJournal { path }) => no_journal(&path),
        other => fault(other).into(),
    }
}

fn no_journal(path: &Path) -> anyhow::Error {
    let path = path.display();
    Problem::usage(format!("there is no journal in {path} yet"))
        .hint(format!(
            "look around in a ready-made world with `pec demo`, read files with `pec import FILE… --data-dir {path}`, \
             or start `pec run`"
        ))
        .into()
}

/// A fault of the engine with its hint.
pub fn fault(fault: engine::Fault) -> Problem {
    Problem::fault(fault.to_string()).hint(fault.hint())
}

fn request(arguments: &Arguments, words: &[OsString], out: &Output) -> anyhow::Result<Request> {
    let mut plain = Vec::new();
    for word in words.iter().skip(1) {
        let word = word.to_str().ok_or_else(|| Problem::usage(format!("{} is not UTF-8", word.display())))?;
        plain.push(word.to_owned());
    }
    Ok(Request {
        protocol: remote::PROTOCOL,
        arguments: plain,
        directory: std::env::current_dir()?,
        actor: actor(arguments),
        style: out.style,
    })
}

/// Who decides: as said, else the user of this machine.
pub fn actor(arguments: &Arguments) -> String {
    let named = |variable: &str| std::env::var(variable).ok().filter(|name| !name.trim().is_empty());
    let user = || named("USER").or_else(|| named("LOGNAME"));
    arguments.global.actor.clone().or_else(user).or_else(system_user).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// What an actor is called whom nothing names.
pub(super) const UNKNOWN: &str = "unknown";

/// The user that owns this process, where the environment does not say: `root (uid 0)`.
fn system_user() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let uid = std::fs::metadata("/proc/self").ok()?.uid();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(user_called(uid, &users))
}

/// The name that a table of users gives a number; the number stays with it, as a sign that nobody said who.
fn user_called(uid: u32, users: &str) -> String {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let name = fields
        .filter(|fields| fields.get(2) == Some(&uid.to_string().as_str()))
        .find_map(|fields| fields.first().map(|name| (*name).to_owned()));
    name.map_or_else(|| format!("uid {uid}"), |name| format!("{name} (uid {uid})"))
}

/// Whether an actor is called as [`user_called`] calls a user: nobody said who it is.
pub(super) fn is_only_a_user(actor: &str) -> bool {
    let number = actor.rsplit_once("uid ").map(|(_, number)| number.trim_end_matches(')'));
    number.is_some_and(|number| {
        number
            .parse::<u32>()
            .is_ok_and(|uid| actor == format!("uid {uid}") || actor.ends_with(&format!(" (uid {uid})")))
    })
}

/// Who decides, or a refusal: a decision without a name helps nobody in seven years.
pub(super) fn decider(actor: &str) -> Result<(), Problem> {
    if actor.trim().is_empty() || actor == UNKNOWN {
        return Err(Problem::usage("who decides this?").hint("name yourself with --actor NAME, or in PEC_ACTOR"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_has_a_name_or_a_user_or_is_refused() {
        let users = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(user_called(1000, users), "ann (uid 1000)");
        assert_eq!(user_called(1001, users), "uid 1001");
        for (actor, only_a_user) in [("ann (uid 1000)", true), ("uid 1001", true), ("ann", false), ("fluid 7", false)] {
            assert_eq!(is_only_a_user(actor), only_a_user, "{actor}");
        }
        assert!(decider("ann").is_ok() && decider("uid 1001").is_ok());
        assert!(decider(UNKNOWN).is_err() && decider(" ").is_err());
    }
}
