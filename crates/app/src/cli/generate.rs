//! `pec generate`: a seeded world, to Kafka or to files.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use domain::entry::Stream;
use domain::period::Period;
use indicatif::{ProgressBar, ProgressStyle};
use ingest::{Config as Kafka, Sink, admin};
use journal::wire::Message;
use serde::Serialize;

use crate::exit::{Exit, Problem};
use crate::generate::{Faults, Script, Size, World};
use crate::output::Output;

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec generate --to ./events --events 10000\n  pec generate --to ./events --demo --charges\n  pec generate --kafka localhost:9092 --create-topics 4 --events 1000000 --resources 100000 --faults ordinary\n\nThe same arguments always make the same events. A folder that holds events already is not written\nover without --force. Read the files with `pec import ./events/*.jsonl`."
)]
pub struct Generate {
    /// Folder for one JSON Lines file per stream
    #[arg(long, value_name = "DIR", conflicts_with = "kafka")]
    to: Option<PathBuf>,
    /// Write over the events that the folder holds
    #[arg(long, requires = "to")]
    force: bool,
    /// Bootstrap servers of a cluster without security (else the configuration's [kafka] table: `--kafka config`)
    #[arg(long, value_name = "SERVERS")]
    kafka: Option<String>,
    /// Create the topics first, with this many partitions for usage and commerce
    #[arg(long, value_name = "PARTITIONS", requires = "kafka")]
    create_topics: Option<i32>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Month of the usage
    #[arg(long, value_name = "YYYY-MM", default_value = "2026-04", value_parser = period)]
    period: Period,
    /// Usage events
    #[arg(long, default_value_t = 10_000)]
    events: u64,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    customers: u32,
    #[arg(long, default_value_t = 2)]
    resellers: u32,
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    resources: u32,
    /// Grants that come and go, as Azure's own records
    #[arg(long, default_value_t = 100)]
    access_changes: u32,
    #[arg(long, value_enum, default_value_t = Troubles::None)]
    faults: Troubles,
    /// Azure credit, orders and what they cover, returns, refunds and tax too
    #[arg(long)]
    charges: bool,
    /// The world of `pec demo`, with its incidents; sizes are ignored
    #[arg(long)]
    demo: bool,
}

/// Which faults the stream has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Troubles {
    None,
    /// Duplicates, disorder, lateness, withdrawals
    Ordinary,
    /// All of these and contradictions and broken messages, at least one of each
    Poison,
}

/// Reads a month for the command line.
pub fn period(text: &str) -> Result<Period, String> {
    Period::parse(text).ok_or_else(|| format!("`{text}` is no month such as 2026-01"))
}

/// What was made: `schemas/output/generate.v1.json`.
#[derive(Serialize)]
struct Made {
    schema: &'static str,
    seed: u64,
    messages: u64,
    streams: Vec<(&'static str, u64)>,
    to: String,
}

impl Generate {
    pub fn run(&self, kafka: Option<&Kafka>, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        let (world, faults, events) = self.world();
        let script = Script::new(&world, events, faults);
        let mut extra = Vec::new();
        if self.demo {
            extra.extend(crate::generate::incidents::usage(&world));
            extra.extend(crate::generate::channel::messages(&world));
        }
        let charges = if self.charges { crate::generate::charges::messages(&world) } else { Vec::new() };
        let messages = script.messages().chain(extra).chain(charges);
        let bar = bar(out, events);
        let mut counts = [0_u64; Stream::ALL.len()];
        let counted = messages.inspect(|message| {
            bar.inc(1);
            if let Some(at) = Stream::ALL.iter().position(|stream| *stream == message.stream) {
                counts[at] += 1;
            }
        });
        let to = match (&self.to, &self.kafka) {
            (Some(folder), _) => self.to_files(folder, counted)?,
            (None, Some(servers)) => self.to_kafka(servers, kafka, counted)?,
            (None, None) => {
                return Err(Problem::usage("generating needs to know where to: --to FOLDER or --kafka SERVERS")
                    .hint("for example `pec generate --to ./events`, or `pec generate --kafka localhost:9092 --create-topics 4`")
                    .into());
            }
        };
        bar.finish_and_clear();
        let streams: Vec<_> =
            Stream::ALL.iter().map(|stream| stream.name()).zip(counts).filter(|(_, n)| *n > 0).collect();
        let made = Made { schema: "pec.generate.v1", seed: self.seed, messages: counts.iter().sum(), streams, to };
        if json {
            out.json(&made)?;
            return Ok(Exit::Fine);
        }
        out.line(format!("{} messages from seed {} to {}", made.messages, made.seed, made.to))?;
        for (stream, count) in &made.streams {
            out.line(format!("  {stream:<10} {count:>10}"))?;
        }
        Ok(Exit::Fine)
    }

    fn world(&self) -> (World, Faults, u64) {
        if self.demo {
            return (World::demo(self.seed, self.period), Faults::ORDINARY, crate::generate::DEMO_EVENTS);
        }
        let size = Size {
            resellers: self.resellers,
            customers: self.customers,
            resources: self.resources,
            access_changes: self.access_changes,
        };
        let faults = match self.faults {
            Troubles::None => Faults::default(),
            Troubles::Ordinary => Faults::ORDINARY,
            Troubles::Poison => Faults { conflicts: 100, poison: 100, surely: true, ..Faults::ORDINARY },
        };
        (World::new(self.seed, self.period, size), faults, self.events)
    }

    fn to_files(&self, folder: &Path, messages: impl Iterator<Item = Message>) -> anyhow::Result<String> {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
        self.clear(folder)?;
        let mut files: Vec<Option<BufWriter<File>>> = Stream::ALL.iter().map(|_| None).collect();
        for message in messages {
            let Some(at) = Stream::ALL.iter().position(|stream| *stream == message.stream) else { continue };
            let name = folder.join(format!("{}.jsonl", message.stream.name()));
            let file = match &mut files[at] {
                Some(file) => file,
                empty => {
                    let file = File::create(&name).with_context(|| format!("could not write {}", name.display()))?;
                    empty.insert(BufWriter::with_capacity(1 << 20, file))
                }
            };
            let value = message.value.as_deref().expect("every generated message has a value");
            file.write_all(value).and_then(|()| file.write_all(b"\n")).context("could not write an event")?;
        }
        for mut file in files.into_iter().flatten() {
            file.flush().context("could not write the last events")?;
        }
        Ok(folder.display().to_string())
    }

    /// Makes room for a world: of an earlier one nothing may stay behind, or two would be read as one.
    fn clear(&self, folder: &Path) -> anyhow::Result<()> {
        let names = Stream::ALL.iter().map(|stream| folder.join(format!("{}.jsonl", stream.name())));
        for name in names.filter(|name| name.exists()) {
            if !self.force {
                return Err(Problem::usage(format!("{} exists already", name.display()))
                    .hint("name another folder, or write over its events with --force")
                    .into());
            }
            std::fs::remove_file(&name).with_context(|| format!("could not remove {}", name.display()))?;
        }
        Ok(())
    }

    fn to_kafka(
        &self,
        servers: &str,
        configured: Option<&Kafka>,
        messages: impl Iterator<Item = Message>,
    ) -> anyhow::Result<String> {
        let config = match (servers, configured) {
            ("config", Some(config)) => config.clone(),
            ("config", None) => {
                return Err(Problem::usage("the configuration has no [kafka] table")
                    .hint("name a configuration with --config, or servers with --kafka host:port")
                    .into());
            }
            (servers, _) => Kafka::plain(servers),
        };
        let problem = |fault: ingest::Fault| Problem::fault(fault.to_string()).hint(fault.hint());
        if let Some(partitions) = self.create_topics {
            admin::create_topics(&config, &admin::topics_of(&config, partitions)).map_err(problem)?;
        }
        let mut sink = Sink::new(&config).map_err(problem)?;
        for message in messages {
            sink.send(&message).map_err(problem)?;
        }
        sink.finish().map_err(problem)?;
        Ok(config.bootstrap_servers)
    }
}

fn bar(out: &Output, events: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(events), out.progress_target());
    let style = ProgressStyle::with_template("generating {bar:30} {pos}/{len} {per_sec}");
    bar.with_style(style.expect("the template is a literal"))
}
