//! `pec bench`: how fast the main job is, with what it was measured on.
//!
//! Every stage runs in a process of its own, so that its peak memory is its own. Data is seeded;
//! every stage that folds prints the digest of all results, and they must be equal.

mod alert;
mod beside;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use clap::Args;
use comfy_table::Cell;
use domain::period::Period;
use engine::{Clock, Ledger, view};
use ingest::{Config as Kafka, Delivery, Plan, Progress, Resume, Sink, Until, admin, alone};
use journal::{Journal, Options};
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Problem};
use crate::generate::{Faults, Script, Size, World};
use crate::output::{self, Output, right};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec bench --kafka localhost:9092 --events 1000000\n  pec bench --kafka localhost:9092 --events 1000000,10000000 --json\n\nData: usage events of about 700 bytes over 100,000 resources and 30 days (Zipf), 2 % access records, half a percent\nduplicates. Topics bench-SEED-EVENTS-… are made and filled once and kept."
)]
pub struct Bench {
    /// Bootstrap servers of a cluster that may be filled with benchmark topics
    #[arg(long, value_name = "SERVERS")]
    kafka: String,
    /// How many events; several sizes show whether time is linear
    #[arg(long, value_delimiter = ',', default_values_t = [1_000_000_u64])]
    events: Vec<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where journals are put, each under a name of its own, and removed afterwards
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// One stage alone, as this command calls itself
    #[arg(long, hide = true)]
    stage: Option<String>,
}

const STAGES: [&str; 4] = ["client alone", "kafka to facts", "replay to invoice", "invoice from facts"];
const PARTITIONS: i32 = 4;

/// One stage's figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Figures {
    stage: String,
    events: u64,
    seconds: f64,
    events_per_second: f64,
    /// Processor seconds of this process, all threads; absent where the system does not tell.
    cpu_seconds: Option<f64>,
    /// Absent where the system does not tell.
    peak_memory_bytes: Option<u64>,
    /// Journal bytes on disk per event, where a journal was written.
    bytes_per_event: Option<f64>,
    duplicates: Option<u64>,
    digest: Option<String>,
    /// Where a command was measured beside appending.
    appends: Option<beside::Beside>,
}

/// What it ran on.
#[derive(Serialize)]
struct Machine {
    processor: String,
    cores: usize,
    memory_kib: Option<u64>,
    kernel: String,
    build: &'static str,
    durability: &'static str,
    /// What the allocator was told, as in a unit file.
    allocator: Vec<String>,
}

/// The unit that is shipped tells the allocator what suits a process that stays; stages run with that.
const UNIT: &str = include_str!("../../../../deploy/pec.service");

/// `schemas/output/bench.v1.json`.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    rules_version: u32,
    /// Of the built-in policy: the world of the benchmark publishes none.
    policy_revision: u32,
    machine: Machine,
    seed: u64,
    figures: Vec<Figures>,
}

impl Bench {
    pub fn run(&self, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        if let Some(stage) = &self.stage {
            let events = *self.events.first().ok_or_else(|| Problem::usage("a stage needs --events"))?;
            let figures = self.stage(stage, events)?;
            out.line(serde_json::to_string(&figures)?)?;
            return Ok(Exit::Fine);
        }
        let mut figures = Vec::new();
        for events in &self.events {
            self.fill(*events, out)?;
            for stage in STAGES.into_iter().chain(beside::STAGES).chain(alert::STAGES) {
                out.note(format!("{stage}, {events} events …"))?;
                figures.push(self.in_a_process(stage, *events)?);
            }
            let journal = self.journal_dir(*events);
            std::fs::remove_dir_all(&journal)?;
        }
        let report = Report {
            schema: "pec.bench.v1",
            rules_version: domain::policy::RULES_VERSION,
            policy_revision: domain::policy::Policy::builtin().revision,
            machine: machine(),
            seed: self.seed,
            figures,
        };
        if json {
            out.json(&report)?
        } else {
            table(&report, out)?
        }
        Ok(if digests_agree(&report.figures) { Exit::Fine } else { Exit::Differs })
    }

    fn journal_dir(&self, events: u64) -> PathBuf {
        let base = self.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        base.join(format!("pec-bench-{}-{events}", self.seed))
    }

    fn kafka(&self, events: u64) -> Kafka {
        let mut kafka = Kafka::plain(&self.kafka);
        let name = |stream: &str| format!("bench-{}-{events}-{stream}", self.seed);
        kafka.topics.usage = name("usage");
        kafka.topics.access = name("access");
        kafka.topics.commerce = name("commerce");
        kafka.topics.reference = name("reference");
        kafka.topics.decisions.clear();
        kafka
    }

    /// Fills the topics unless an earlier run did.
    fn fill(&self, events: u64, out: &mut Output) -> anyhow::Result<()> {
        let kafka = self.kafka(events);
        let stop = AtomicBool::new(false);
        let there = match alone::poll_all(&kafka, &stop) {
            Ok(polled) => polled.messages,
            Err(ingest::Fault::TopicMissing { .. }) => 0,
            Err(fault) => return Err(problem(fault).into()),
        };
        if there >= events {
            out.note(format!("topics for {events} events are there already"))?;
            return Ok(());
        }
        if there > 0 {
            let told = format!("the topics bench-{}-{events}-… hold {there} messages, too few", self.seed);
            let hint =
                "delete them and run again: filling them was interrupted, and filling them twice would measure more";
            return Err(Problem::refused(told).hint(hint).into());
        }
        out.note(format!("filling topics with {events} events …"))?;
        admin::create_topics(&kafka, &admin::topics_of(&kafka, PARTITIONS)).map_err(problem)?;
        let access = events / 50;
        let world = World::new(self.seed, month(), size(access));
        let mut sink = Sink::new(&kafka).map_err(problem)?;
        for message in Script::new(&world, events - access, Faults::ORDINARY).messages() {
            sink.send(&message).map_err(problem)?;
        }
        sink.finish().map_err(problem)?;
        Ok(())
    }

    fn in_a_process(&self, stage: &str, events: u64) -> anyhow::Result<Figures> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "--kafka", &self.kafka, "--seed", &self.seed.to_string(), "--stage", stage]);
        command.args(["--events", &events.to_string()]);
        if let Some(dir) = &self.work_dir {
            command.arg("--work-dir").arg(dir);
        }
        command.envs(allocator());
        let ran = command.stderr(std::process::Stdio::inherit()).output()?;
        let line = String::from_utf8_lossy(&ran.stdout);
        serde_json::from_str(line.trim()).map_err(|_| {
            Problem::fault(format!("the stage `{stage}` ended with {} and said: {line}", ran.status))
                .hint("run it alone with --stage to see why")
                .into()
        })
    }

    fn stage(&self, stage: &str, events: u64) -> anyhow::Result<Figures> {
        match stage {
            "client alone" => {
                let watch = Stopwatch::start();
                let polled = alone::poll_all(&self.kafka(events), &AtomicBool::new(false)).map_err(problem)?;
                Ok(watch.stop(stage, polled.messages))
            }
            "kafka to facts" => self.ingest(stage, events),
            "replay to invoice" => self.replay(stage, events),
            "invoice from facts" => self.invoice(stage, events),
            alerting if alert::STAGES.contains(&alerting) => {
                let dir = self.journal_dir(events);
                alert::measure(&open(&dir, false)?, stage, &dir)
            }
            beside if beside::STAGES.contains(&beside) => self.beside(beside, events),
            _ => Err(Problem::usage(format!("there is no stage `{stage}`")).into()),
        }
    }

    fn ingest(&self, stage: &str, events: u64) -> anyhow::Result<Figures> {
        let (kafka, dir) = (self.kafka(events), self.journal_dir(events));
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        let ledger = open(&dir, true)?;
        let resume = Resume::of(&*ledger.writer().map_err(engine_problem)?);
        let plan = Plan { config: &kafka, resume, accept: &[], until: Until::CaughtUp };
        let mut duplicates = 0;
        let mut deliver = |delivery: Delivery| match delivery {
            Delivery::Joined(_) => Ok(()),
            Delivery::Batch(batch) => {
                duplicates += ledger.append(batch)?.duplicate;
                Ok(())
            }
        };
        let watch = Stopwatch::start();
        let report =
            ingest::run(&plan, &Progress::default(), &AtomicBool::new(false), &mut deliver).map_err(problem)?;
        let facts = ledger.facts().map_err(engine_problem)?;
        let mut figures = watch.stop(stage, report.counters.messages);
        figures.digest = Some(engine::digest::of(&facts).to_string());
        drop(facts);
        figures.duplicates = Some(duplicates);
        ledger.close().map_err(engine_problem)?;
        figures.bytes_per_event = Some(per(bytes_below(&dir)?, figures.events));
        Ok(figures)
    }

    fn replay(&self, stage: &str, events: u64) -> anyhow::Result<Figures> {
        let journal = Journal::open(&self.journal_dir(events), &Options::default(), now()?)?;
        let watch = Stopwatch::start();
        let fold = view::replay(&journal.reader(), None, &mut |_, _| {}).map_err(engine_problem)?;
        let drafts = engine::side_by_side::draft_all(fold.state(), month());
        let mut figures = watch.stop(stage, journal.end());
        drop(drafts);
        figures.digest = Some(engine::digest::of(fold.state()).to_string());
        Ok(figures)
    }

    /// On a copy, so that the stages after it find the journal as it was.
    fn beside(&self, stage: &str, events: u64) -> anyhow::Result<Figures> {
        let dir = self.journal_dir(events);
        let (copy, backup) = (dir.with_extension("copy"), dir.with_extension("backup"));
        for left in [&copy, &backup] {
            if left.exists() {
                std::fs::remove_dir_all(left)?;
            }
        }
        journal::backup(&dir, &copy)?;
        let ledger = open(&copy, false)?;
        let figures = beside::measure(&ledger, stage, self.seed, &backup)?;
        ledger.close().map_err(engine_problem)?;
        std::fs::remove_dir_all(&copy)?;
        if backup.exists() {
            std::fs::remove_dir_all(&backup)?;
        }
        Ok(figures)
    }

    fn invoice(&self, stage: &str, events: u64) -> anyhow::Result<Figures> {
        let ledger = open(&self.journal_dir(events), false)?;
        let facts = ledger.facts().map_err(engine_problem)?;
        let watch = Stopwatch::start();
        let drafts = engine::side_by_side::draft_all(&facts, month());
        let figures = watch.stop(stage, facts.end());
        drop(drafts);
        Ok(figures)
    }
}

fn month() -> Period {
    Period::parse("2026-04").expect("a month of thirty days")
}

fn size(access_changes: u64) -> Size {
    let access_changes = u32::try_from(access_changes).unwrap_or(u32::MAX);
    Size { resellers: 10, customers: 1_000, resources: 100_000, access_changes }
}

fn now() -> anyhow::Result<domain::period::Instant> {
    Ok(Clock::start().now().map_err(engine_problem)?)
}

fn open(dir: &Path, create: bool) -> anyhow::Result<Ledger> {
    let options = Options { create, ..Options::default() };
    Ok(Ledger::open(dir, &options, Clock::start(), &mut |_, _| {}).map_err(engine_problem)?)
}

fn problem(fault: ingest::Fault) -> Problem {
    Problem::fault(fault.to_string()).hint(fault.hint())
}

fn engine_problem(fault: engine::Fault) -> Problem {
    super::start::fault(fault)
}

/// Wall and processor time of one stage. Measuring only: nothing that is recorded depends on it.
struct Stopwatch {
    begun: std::time::Instant,
    cpu: Option<f64>,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures; nothing recorded depends on it")]
    fn start() -> Self {
        Self { begun: std::time::Instant::now(), cpu: cpu_seconds() }
    }

    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    #[expect(clippy::float_arithmetic, reason = "figures of a benchmark, not money")]
    fn stop(self, stage: &str, events: u64) -> Figures {
        let seconds = self.seconds();
        Figures {
            stage: stage.to_owned(),
            events,
            seconds,
            events_per_second: count(events) / seconds,
            cpu_seconds: cpu_seconds().zip(self.cpu).map(|(now, then)| now - then),
            peak_memory_bytes: status_kib("VmHWM:").map(|kib| kib * 1024),
            bytes_per_event: None,
            duplicates: None,
            digest: None,
            appends: None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::float_arithmetic, reason = "a figure of a benchmark, not money")]
fn per(bytes: u64, events: u64) -> f64 {
    count(bytes) / count(events.max(1))
}

/// User and system time of this process so far, from the kernel's own accounting.
#[expect(clippy::float_arithmetic, reason = "a figure of a benchmark, not money")]
fn cpu_seconds() -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut times = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(count(user + system) / TICKS_PER_SECOND)
}

fn status_kib(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

fn bytes_below(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { bytes_below(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

fn machine() -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    Machine {
        processor: field(&read("/proc/cpuinfo"), "model name"),
        cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        memory_kib: memory.split_whitespace().next().and_then(|word| word.parse().ok()),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        build: if cfg!(debug_assertions) { "debug (figures mean little)" } else { "release" },
        durability: "fdatasync per frame",
        allocator: allocator().map(|(name, value)| format!("{name}={value}")).collect(),
    }
}

/// The allocator's settings and their values: this process's own, or those of the unit.
fn allocator() -> impl Iterator<Item = (&'static str, String)> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix("Environment="));
    let settings = lines.filter_map(|line| line.split_once('=')).filter(|(name, _)| name.starts_with("MIMALLOC_"));
    settings.map(|(name, value)| (name, std::env::var(name).unwrap_or_else(|_| value.to_owned())))
}

/// Every stage of one size that folds must come to the same results.
fn digests_agree(figures: &[Figures]) -> bool {
    figures.iter().all(|one| {
        let same = |other: &&Figures| other.events == one.events && other.digest.is_some();
        one.digest.is_none() || figures.iter().filter(same).all(|other| other.digest == one.digest)
    })
}

fn table(report: &Report, out: &mut Output) -> anyhow::Result<()> {
    let machine = &report.machine;
    out.line(format!(
        "{}, {} cores, {} of memory, Linux {}",
        machine.processor,
        machine.cores,
        machine.memory_kib.map_or_else(|| "unknown size".to_owned(), |kib| format!("{} MiB", kib / 1024)),
        machine.kernel
    ))?;
    let allocator = machine.allocator.join(" ");
    out.line(format!("{} build, {}, {allocator}, seed {}\n", machine.build, machine.durability, report.seed))?;
    let mut rows = output::table(&["stage", "events", "seconds", "events/s", "cpu s", "peak MiB", "B/event", "digest"]);
    for one in &report.figures {
        rows.add_row(vec![
            Cell::new(&one.stage),
            right(one.events.to_string()),
            right(format!("{:.2}", one.seconds)),
            right(format!("{:.0}", one.events_per_second)),
            right(one.cpu_seconds.map_or_else(String::new, |seconds| format!("{seconds:.2}"))),
            right(one.peak_memory_bytes.map_or_else(String::new, |bytes| (bytes / (1 << 20)).to_string())),
            right(one.bytes_per_event.map_or_else(String::new, |bytes| format!("{bytes:.0}"))),
            Cell::new(one.digest.as_deref().map_or("", |digest| digest.get(..12).unwrap_or(digest))),
        ]);
    }
    out.table(rows)?;
    beside::table(report.figures.iter(), out)?;
    if !digests_agree(&report.figures) {
        out.line("the digests of one size differ: this is a bug, please report it")?;
    }
    Ok(())
}
