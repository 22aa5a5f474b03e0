//! `pec restore`: a journal again, from a backup or from Kafka.
//!
//! Nothing is ever written over. A backup is verified as a whole before it gets its name. From Kafka
//! come the topics as far as they still reach back, and what was decided here; what does not come back
//! is said, and written down so that closing the months concerned is refused.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;
use domain::entry::Stream;
use domain::period::{Day, Period};
use engine::restore::{self, Brought, Lack, Missing};
use engine::{Clock, Ledger};
use ingest::{Config as Kafka, Delivery, Due, Plan, Progress, Resume, Until};
use journal::Options;
use journal::wire::Message;
use serde::Serialize;

use super::Versions;
use super::start::fault;
use crate::config::Loaded;
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, count, left, right, table, thousands};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec restore /mnt/backup/pec-2026-02-04 --data-dir ./restored\n  pec restore --from-kafka --look\n  pec restore --from-kafka --data-dir ./restored --reason 'the disk was lost'\n\nA backup first, where there is one: it has everything up to its day, and `pec run` reads what came after it. Kafka has\nwhat its retention kept, not when it was learnt, and what was decided here only where [kafka.topics] names a topic of\ndecisions. On a directory that holds a journal, --from-kafka takes back the decisions that it lacks and nothing else."
)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "BACKUP", conflicts_with = "from_kafka")]
    from: Option<PathBuf>,
    /// Read the topics from their earliest offsets, decisions among them
    #[arg(long)]
    from_kafka: bool,
    /// Only say what Kafka still holds and what it cannot bring back
    #[arg(long, requires = "from_kafka")]
    look: bool,
    /// Why; stands in the journal, with --from-kafka
    #[arg(long, requires = "from_kafka")]
    reason: Option<String>,
}

/// `schemas/output/restored-from-kafka.v1.json`.
#[derive(Serialize)]
struct FromKafka {
    schema: &'static str,
    #[serde(flatten)]
    versions: Option<Versions>,
    /// Absent where somebody only looked.
    path: Option<String>,
    partitions: Vec<Held>,
    /// Null where no topic of decisions is configured.
    decisions: Option<Decisions>,
    /// Messages of the journal afterwards; null where somebody only looked.
    messages: Option<u64>,
    /// What Kafka cannot bring back.
    missing: Vec<Gone>,
}

/// What Kafka holds of a partition: offsets from `from` up to `end`.
#[derive(Serialize)]
struct Held {
    topic: String,
    partition: i32,
    from: i64,
    end: i64,
}

#[derive(Serialize)]
struct Decisions {
    topic: String,
    messages: u64,
    brought: u64,
    known: u64,
    redrives: u64,
    foreign: u64,
}

#[derive(Serialize)]
struct Gone {
    what: &'static str,
    about: String,
    /// The last month that it may touch; null: every month.
    until: Option<String>,
    /// What `pec close --accept` takes.
    accepted_by: &'static str,
}

impl Restore {
    pub fn run(&self, loaded: &Loaded, actor: &str, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        match &self.from {
            Some(from) => from_backup(from, &loaded.config.data_dir, json, out),
            None if self.from_kafka => self.out_of_kafka(loaded, actor, json, out),
            None => Err(Problem::usage("nothing is named to restore from")
                .hint("pec restore BACKUP --data-dir NEW-DIRECTORY; without a backup, pec restore --from-kafka --look")
                .into()),
        }
    }

    fn out_of_kafka(&self, loaded: &Loaded, actor: &str, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        let config = &loaded.config;
        let kafka = config.kafka.as_ref().ok_or_else(|| {
            Problem::usage("no [kafka] table is configured, so there is no Kafka to restore from")
                .hint("name a configuration with --config, for example deploy/pec.example.toml")
        })?;
        let clock = Clock::start();
        let now = clock.now().map_err(fault)?;
        let held = Holding::ask(kafka, Day::of(now).period())?;
        if self.look {
            let answer = held.answer(kafka, None, None, Brought::default());
            return if json {
                out.json(&answer).map(|()| Exit::Fine)
            } else {
                print(&answer, out).map(|()| Exit::Fine)
            };
        }
        let reason = self.reason.as_deref().ok_or_else(|| {
            Problem::usage("a restore is a decision and needs its reason")
                .hint("pec restore --from-kafka --reason 'the disk was lost'; --look only says what there is")
        })?;
        let dir = &config.data_dir;
        let (ledger, brought) = if is_new(dir)? {
            let ledger = restore::begin(dir, clock, &held.decisions, &held.missing, (actor, reason)).map_err(fault)?;
            read_topics(kafka, &ledger, out)?;
            let rest = restore::bring(&ledger, &held.decisions).map_err(fault)?;
            // Policies came first, and are known by now.
            (ledger, Brought { brought: rest.brought + rest.known, known: 0, ..rest })
        } else {
            let ledger = existing(dir)?;
            let brought = restore::bring(&ledger, &held.decisions).map_err(fault)?;
            (ledger, brought)
        };
        let versions = Versions::of(&*ledger.facts().map_err(fault)?);
        let answer = held.answer(kafka, Some(versions), Some((dir, ledger.end())), brought);
        ledger.close().map_err(fault)?;
        if json {
            out.json(&answer)?
        } else {
            print(&answer, out)?
        }
        Ok(Exit::Fine)
    }
}

fn not_empty(path: &Path) -> Problem {
    Problem::refused(format!("{} already holds something; nothing is written over", path.display()))
        .hint("name a directory that does not exist yet with --data-dir")
}

fn existing(dir: &Path) -> anyhow::Result<Ledger> {
    let opened = Ledger::open(dir, &Options::default(), Clock::start(), &mut |_, _| {});
    Ok(opened.map_err(|error| match error {
        engine::Fault::Journal(journal::Fault::NotAJournal { path }) => not_empty(&path),
        other => fault(other),
    })?)
}

/// Whether nothing is there yet, or no more than what a start leaves behind. A journal that was filled
/// from files alone is neither new nor one that Kafka's decisions belong to.
fn is_new(dir: &Path) -> anyhow::Result<bool> {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_none() {
                return Ok(true);
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error.into()),
    }
    let ledger = existing(dir)?;
    let (read, end) = (!ledger.offsets().map_err(fault)?.is_empty(), ledger.end());
    ledger.close().map_err(fault)?;
    if !read && end > 1 {
        return Err(Problem::refused(format!("{} was filled from files and never from Kafka", dir.display()))
            .hint("restore into a directory of its own with --data-dir, then import the files again")
            .into());
    }
    Ok(!read)
}

fn problem(fault: ingest::Fault) -> Problem {
    Problem::fault(format!("{fault} ({})", fault.name())).hint(fault.hint())
}

/// What Kafka holds, and what it cannot bring back.
struct Holding {
    partitions: Vec<Due>,
    decisions: Vec<Message>,
    missing: Vec<Missing>,
}

impl Holding {
    fn ask(kafka: &Kafka, month: Period) -> anyhow::Result<Self> {
        let mut partitions = ingest::watermarks_at(kafka, None).map_err(problem)?;
        let mut missing: Vec<Missing> = partitions.iter().filter_map(|due| records_gone(due, month)).collect();
        let mut decisions = Vec::new();
        match kafka.topics.of(Stream::Decisions) {
            None => missing.push(Missing {
                lack: Lack::Decisions,
                about: "no topic of decisions is configured: issued documents, decided conflicts and policies adopted \
                        here are not known"
                    .to_owned(),
                until: Some(month),
            }),
            Some(topic) => {
                let held = ingest::held(kafka, Stream::Decisions, topic).map_err(problem)?;
                for due in held.iter().filter(|due| due.low_watermark > 0) {
                    let gone = due.low_watermark - 1;
                    let about = format!(
                        "{topic}/{}: offsets 0 to {gone} are deleted, and with them issued documents that are not known",
                        due.partition
                    );
                    missing.push(Missing { lack: Lack::Decisions, about, until: Some(month) });
                }
                partitions.extend(held);
                decisions = read_decisions(kafka, topic)?;
            }
        }
        Ok(Self { partitions, decisions, missing })
    }

    fn answer(
        &self,
        kafka: &Kafka,
        versions: Option<Versions>,
        restored: Option<(&PathBuf, u64)>,
        brought: Brought,
    ) -> FromKafka {
        let decisions = kafka.topics.of(Stream::Decisions).map(|topic| Decisions {
            topic: topic.to_owned(),
            messages: self.decisions.len() as u64,
            brought: brought.brought,
            known: brought.known,
            redrives: brought.left,
            foreign: brought.foreign,
        });
        let held = |due: &Due| Held {
            topic: due.topic.clone(),
            partition: due.partition,
            from: due.low_watermark,
            end: due.high_watermark,
        };
        let gone = |one: &Missing| Gone {
            what: one.lack.name(),
            about: one.about.clone(),
            until: one.until.map(|month| month.to_string()),
            accepted_by: one.lack.accepted_by(),
        };
        FromKafka {
            schema: "pec.restored-from-kafka.v1",
            versions,
            path: restored.map(|(path, _)| path.display().to_string()),
            partitions: self.partitions.iter().map(held).collect(),
            decisions,
            messages: restored.map(|(_, end)| end),
            missing: self.missing.iter().map(gone).collect(),
        }
    }
}

/// Usage that was deleted was told by now, so it is of this month at the latest. Access, commerce and
/// reference facts hold on: what was deleted of them may matter in every month.
fn records_gone(due: &Due, month: Period) -> Option<Missing> {
    let gone = due.low_watermark.checked_sub(1).filter(|last| *last >= 0)?;
    Some(Missing {
        lack: Lack::Records,
        about: format!("{}/{}: offsets 0 to {gone} are deleted", due.topic, due.partition),
        until: (due.stream == Stream::Usage).then_some(month),
    })
}

/// The messages of the topic of decisions, in order.
pub(crate) fn read_decisions(kafka: &Kafka, topic: &str) -> Result<Vec<Message>, Problem> {
    let mut decisions = Vec::new();
    ingest::read_topic(kafka, Stream::Decisions, topic, &mut |message| {
        decisions.push(Message {
            stream: Stream::Decisions,
            key: message.key.map(<[u8]>::to_vec),
            headers: message
                .headers
                .iter()
                .map(|header| (header.name.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect(),
            value: message.value.map(<[u8]>::to_vec),
        });
    })
    .map_err(problem)?;
    Ok(decisions)
}

/// Every topic from its earliest offset to its present end.
fn read_topics(kafka: &Kafka, ledger: &Ledger, out: &Output) -> anyhow::Result<()> {
    let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
    let style = indicatif::ProgressStyle::with_template("reading Kafka {spinner} {pos} messages {per_sec}");
    bar.set_style(style.expect("the template is a literal"));
    let resume = Resume::of(&*ledger.writer().map_err(fault)?);
    let plan = Plan { config: kafka, resume, accept: &[], until: Until::CaughtUp };
    let mut deliver = |delivery: Delivery| match delivery {
        Delivery::Joined(joined) => match &joined.cluster_id {
            Some(id) => Ok(ledger.set_cluster_id(id)?),
            None => Ok(()),
        },
        Delivery::Batch(batch) => {
            let recorded = ledger.append(batch)?;
            bar.set_position(recorded.next_position);
            Ok(())
        }
    };
    let read = ingest::run(&plan, &Progress::default(), &AtomicBool::new(false), &mut deliver);
    bar.finish_and_clear();
    let report = read.map_err(problem)?;
    if !report.caught_up {
        return Err(Problem::fault("the topics were not read to their ends")
            .hint("what is there is safe: pec run goes on where this stopped; pec restore --from-kafka takes back the rest of the decisions")
            .into());
    }
    Ok(())
}

fn from_backup(from: &Path, to: &Path, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
    let bar = indicatif::ProgressBar::with_draw_target(None, out.progress_target());
    let restored = journal::restore(from, to, &mut |done, due| {
        bar.set_length(due);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = restored.map_err(|error| match &error {
        journal::Fault::NotEmpty { path } => not_empty(path),
        journal::Fault::NotAJournal { path } => {
            Problem::refused(format!("{} is no backup", path.display())).hint("name the directory that pec backup made")
        }
        other => Problem::fault(format!("cannot restore {}: {other}", from.display())).hint(other.hint()),
    })?;
    if json {
        out.json(&serde_json::json!({
            "schema": "pec.restore.v1", "path": to.display().to_string(), "messages": report.messages, "entries": report.entries,
            "chain": report.chain.to_string(),
        }))?;
        return Ok(Exit::Fine);
    }
    out.line(format!("{} messages are back in {}, verified.", thousands(report.messages), to.display()))?;
    out.note(
        "pec run reads from Kafka what came after the backup; should it name decisions that were made since, \
         pec restore --from-kafka takes them back.",
    )?;
    Ok(Exit::Fine)
}

fn print(answer: &FromKafka, out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["topic", "partition", "holds from", "to", "deleted before"]);
    for held in &answer.partitions {
        let gone = if held.from > 0 { thousands(held.from.unsigned_abs()) } else { "nothing".to_owned() };
        list.add_row([left(&held.topic), right(held.partition), right(held.from), right(held.end), right(gone)]);
    }
    align_right(&mut list, &[1, 2, 3, 4]);
    out.table(list)?;
    out.line("")?;
    if let (Some(path), Some(messages)) = (&answer.path, answer.messages) {
        out.line(format!("{} messages are in {path}.", thousands(messages)))?;
    }
    if let Some(decisions) = &answer.decisions {
        let there = count(decisions.messages, "decision");
        if answer.path.is_some() {
            let (back, known) = (thousands(decisions.brought), thousands(decisions.known));
            out.line(format!("{there} on {}: {back} taken back, {known} known already.", decisions.topic))?;
        } else {
            out.line(format!("{there} on {}.", decisions.topic))?;
        }
        if decisions.redrives > 0 {
            let left = count(decisions.redrives, "re-drive");
            out.line(format!(
                "{left} of earlier builds not taken back: they name positions of the other journal alone (pec quarantine list)."
            ))?;
        }
        if decisions.foreign > 0 {
            out.line(format!("{} there not ours, left alone.", count(decisions.foreign, "message")))?;
        }
    }
    out.line(
        "What Kafka cannot bring back, ever: when we learnt what (--as-of before the restore is refused), imported",
    )?;
    out.line("files, positions of the lost journal, and whether a topic was created again.")?;
    if answer.missing.is_empty() {
        out.line("Every topic still begins with its first message.")?;
    }
    for gone in &answer.missing {
        let until =
            gone.until.as_ref().map_or_else(|| "every month".to_owned(), |until| format!("months up to {until}"));
        out.line(format!("• {} — {until} cannot be closed without --accept {}", gone.about, gone.accepted_by))?;
    }
    if answer.path.is_none() {
        out.note("Nothing was written. Restore with: pec restore --from-kafka --data-dir NEW-DIRECTORY --reason '…'")?;
    } else {
        out.note("Import again what came from files, then pec verify, then pec run.")?;
    }
    Ok(())
}
