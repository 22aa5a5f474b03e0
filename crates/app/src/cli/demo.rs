//! `pec demo`: a distributor's month, from upstream events through Kafka's protocol to an invoice
//! with every missing credit explained.
//!
//! The broker runs in this process and is spoken to through the same client, checks and threads as
//! a real one; nothing about the journal or the rules is different. The directory stays behind.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::{Args, Parser as _};
use domain::period::Period;
use engine::{Clock, Ledger};
use ingest::{Config as Kafka, Delivery, MockBroker, Plan, Progress, Resume, Sink, Until, admin};
use journal::Options;

use super::{Arguments, Context, execute};
use crate::config::Config;
use crate::exit::{Exit, Problem};
use crate::generate::{DEMO_EVENTS, Faults, Script, World, channel, incidents};
use crate::output::Output;

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec demo\n  pec demo --seed 7\n\nIt leaves the directory pec-demo (or --data-dir) behind, to look around in:\n  pec eligibility --data-dir pec-demo --period 2026-01"
)]
pub struct Demo {
    /// Another seed, another month
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Says that a directory was made by a demo, so that the next one may replace it.
const MARK: &str = "MADE-BY-PEC-DEMO";
const MONTH: &str = "2026-01";
/// The in-process broker keeps at most 5 MB of a partition.
const PARTITIONS: i32 = 4;

impl Demo {
    pub fn run(&self, dir: Option<&Path>, config: &Config, out: &mut Output) -> anyhow::Result<Exit> {
        let dir = dir.map_or_else(|| PathBuf::from("pec-demo"), Path::to_owned);
        prepare(&dir)?;
        let period = Period::parse(MONTH).expect("a month");
        let world = World::demo(self.seed, period);
        out.line(format!(
            "{}: {} resellers, {} customers, {} resources, {} (seed {})\n",
            world.provider.name,
            world.resellers.len(),
            world.customers.len(),
            world.resources.len(),
            period,
            self.seed
        ))?;
        let ledger = self.play(&dir, &world)?;
        let context = Context {
            ledger: &ledger,
            config,
            directory: std::env::current_dir()?,
            actor: "demo".to_owned(),
            json: false,
        };
        let place = dir.display().to_string();
        answer(&context, out, &["status"], &place)?;
        answer(&context, out, &["invoice", "--period", MONTH], &place)?;
        let (resource, day) = explained(&world);
        answer(&context, out, &["explain", &resource, "--day", &day], &place)?;
        let quoted = if place.contains(' ') { format!("'{place}'") } else { place };
        out.line("\nThis is what to try next:")?;
        out.line(format!("  pec eligibility --data-dir {quoted} --period {MONTH}"))?;
        out.line(format!("  pec check --data-dir {quoted} --period {MONTH}"))?;
        let subscription = explained_subscription(&world);
        out.line(format!("  pec what-if grant --on {subscription} --at 2025-12-01 --data-dir {quoted}"))?;
        out.line(format!("  pec quarantine list --data-dir {quoted}"))?;
        out.line(format!("  pec customer show '{}' --data-dir {quoted} --day {day}", channel::instructive(&world)))?;
        let recorded = ledger.clock().now().map_err(super::start::fault)?;
        out.line(format!(
            "\nIts events speak of {MONTH} and were all recorded just now. `--as-of` asks what was recorded by"
        ))?;
        out.line(format!(
            "then: of {} it knows everything, of any day before nothing.",
            domain::period::Day::of(recorded)
        ))?;
        drop(context);
        ledger.close().map_err(super::start::fault)?;
        Ok(Exit::Fine)
    }

    /// Publishes the world to the in-process broker and reads it back into a new journal.
    fn play(&self, dir: &Path, world: &World) -> anyhow::Result<Ledger> {
        let problem = |fault: ingest::Fault| Problem::fault(fault.to_string()).hint(fault.hint());
        let kafka = Kafka::plain("demo");
        let broker = MockBroker::start(&admin::topics_of(&kafka, PARTITIONS)).map_err(problem)?;
        let kafka = Kafka::plain(broker.bootstrap_servers());
        let mut sink = Sink::new(&kafka).map_err(problem)?;
        let script = Script::new(world, DEMO_EVENTS, Faults::ORDINARY);
        for message in script.messages().chain(incidents::usage(world)).chain(channel::messages(world)) {
            sink.send(&message).map_err(problem)?;
        }
        sink.finish().map_err(problem)?;
        let options = Options { create: true, ..Options::default() };
        let ledger = Ledger::open(dir, &options, Clock::start(), &mut |_, _| {}).map_err(super::start::fault)?;
        std::fs::write(dir.join(MARK), "pec demo made this directory and may replace it\n")?;
        let resume = Resume::of(&*ledger.writer().map_err(super::start::fault)?);
        let plan = Plan { config: &kafka, resume, accept: &[], until: Until::CaughtUp };
        let mut deliver = |delivery: Delivery| match delivery {
            Delivery::Joined(joined) => match &joined.cluster_id {
                Some(id) => Ok(ledger.set_cluster_id(id)?),
                None => Ok(()),
            },
            Delivery::Batch(batch) => Ok(ledger.append(batch).map(|_| ())?),
        };
        let report =
            ingest::run(&plan, &Progress::default(), &AtomicBool::new(false), &mut deliver).map_err(problem)?;
        broker.check_nothing_trimmed().map_err(problem)?;
        if !report.caught_up {
            return Err(Problem::fault("the demo's events were not all read back")
                .hint("run it again; if it stays, report it with `pec --version`")
                .into());
        }
        Ok(ledger)
    }
}

/// Makes room: an earlier demo's directory is replaced unless somebody uses it, anything else is left alone.
fn prepare(dir: &Path) -> anyhow::Result<()> {
    if dir.join(MARK).exists() {
        journal::must_be_free(dir).map_err(|held| {
            Problem::refused(format!("{held}; a demo would replace what is there"))
                .hint("stop it first, or name another directory with --data-dir")
        })?;
        std::fs::remove_dir_all(dir)?;
    } else if dir.exists() && std::fs::read_dir(dir)?.next().is_some() {
        return Err(Problem::usage(format!("{} exists and was not made by a demo", dir.display()))
            .hint("name another directory with --data-dir")
            .into());
    }
    Ok(())
}

/// Prints a command as typed, then its answer, over the ledger that is open here.
fn answer(context: &Context<'_>, out: &mut Output, words: &[&str], place: &str) -> anyhow::Result<()> {
    out.line(format!("\n$ pec {} --data-dir {place}\n", words.join(" ")))?;
    let line = std::iter::once("pec").chain(words.iter().copied()).map(OsString::from);
    let arguments = Arguments::try_parse_from(line)?;
    execute(&arguments.command, context, out)?;
    Ok(())
}

/// The subscription of that resource.
fn explained_subscription(world: &World) -> String {
    let (resource, _) = incidents::explained(world);
    let mut parts =
        world.resources[resource].uri.split('/').skip_while(|part| !part.eq_ignore_ascii_case("subscriptions"));
    parts.nth(1).unwrap_or_default().to_owned()
}

/// The resource and day that the demo explains: the day on which flapping access first cost credit.
fn explained(world: &World) -> (String, String) {
    let (resource, day) = incidents::explained(world);
    let uri = &world.resources[resource].uri;
    (uri.rsplit('/').next().unwrap_or(uri).to_owned(), day.to_string())
}
