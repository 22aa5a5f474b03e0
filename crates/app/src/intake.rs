//! Ingest inside `pec run`: one thread that reads Kafka into the ledger, one that publishes what was
//! decided here.
//!
//! The journal's own offsets say where to resume. A fault of ingest stops the process with its name
//! and hint: going on without input would look like a quiet day.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::entry::Stream;
use engine::Ledger;
use ingest::{Accept, Delivery, Plan, Resume, Until};
use journal::wire::Message;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::exit::Problem;
use crate::metrics::Metrics;

/// How often the publisher looks for new decisions.
const LOOK: Duration = Duration::from_millis(500);

/// What a person accepts for this start, who it is and why.
#[derive(Clone, Debug, Default)]
pub struct Acceptances {
    pub accept: Vec<Accept>,
    pub actor: String,
    pub reason: String,
}

/// Running ingest; without a `[kafka]` table it does nothing.
pub struct Intake {
    reader: Option<JoinHandle<anyhow::Result<()>>>,
    publisher: Option<JoinHandle<()>>,
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

/// Starts reading, and publishing where a decisions topic is configured.
#[must_use]
pub fn start(config: &Config, metrics: &Arc<Metrics>, accept: Acceptances, stop: Arc<AtomicBool>) -> Intake {
    let Some(kafka) = config.kafka.clone() else {
        tracing::info!("no [kafka] table in the configuration: events come by `pec import` alone");
        return Intake { reader: None, publisher: None, ended: tokio::sync::Mutex::new(None) };
    };
    let (tell, ended) = oneshot::channel();
    let publisher = publish(&kafka, metrics.ledger(), Arc::clone(&stop));
    let metrics = Arc::clone(metrics);
    let reader = std::thread::Builder::new().name("ingest".to_owned()).spawn(move || {
        let result = read(&kafka, &metrics, &accept, &stop);
        // Nobody listens any more when the stop came from elsewhere.
        let _ = tell.send(());
        result
    });
    let reader = reader.expect("a process that just started can start a thread");
    Intake { reader: Some(reader), publisher, ended: tokio::sync::Mutex::new(Some(ended)) }
}

impl Intake {
    /// Returns when reading ended by itself, which is a fault; never, where nothing is read.
    pub async fn ended(&self) -> anyhow::Result<()> {
        match self.ended.lock().await.as_mut() {
            Some(ended) => {
                // Told or dropped, reading is over; `join` says why.
                let _ = ended.await;
                Ok(())
            }
            None => std::future::pending().await,
        }
    }

    pub fn join(self) -> anyhow::Result<()> {
        if let Some(publisher) = self.publisher
            && publisher.join().is_err()
        {
            tracing::error!("the publisher had stopped by a panic");
        }
        match self.reader.map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => {
                Err(Problem::fault("ingest stopped by a panic").hint("report it; the journal is safe").into())
            }
        }
    }
}

fn read(kafka: &ingest::Config, metrics: &Metrics, accept: &Acceptances, stop: &AtomicBool) -> anyhow::Result<()> {
    let ledger = metrics.ledger();
    let resume = Resume::of(&*ledger.writer()?);
    let plan = Plan { config: kafka, resume: resume.clone(), accept: &accept.accept, until: Until::Stopped };
    let mut lacking = None;
    let mut deliver = |delivery: Delivery| match delivery {
        Delivery::Joined(joined) => {
            if let Some(problem) = decisions_elsewhere(kafka, ledger)? {
                let told = problem.to_string();
                lacking = Some(problem);
                return Err(told.into());
            }
            warn_of_beginnings(&joined);
            tracing::info!(cluster = joined.cluster_id, partitions = joined.starts.len(), "reading from Kafka");
            // Before the offsets that follow from it: who reads the journal sees why they jump.
            remember(ledger, &resume, &joined, accept)?;
            match &joined.cluster_id {
                Some(id) => Ok(ledger.set_cluster_id(id)?),
                None => Ok(()),
            }
        }
        Delivery::Batch(batch) => Ok(metrics.append(batch)?),
    };
    let report = ingest::run(&plan, metrics.progress(), stop, &mut deliver);
    if let Some(problem) = lacking {
        tracing::error!(fault = "decisions-unknown", "{problem}");
        return Err(problem.into());
    }
    match report {
        Ok(report) => {
            tracing::info!(messages = report.counters.messages, "no longer reading from Kafka");
            Ok(())
        }
        Err(fault) => {
            tracing::error!(fault = fault.name(), "{fault}");
            Err(Problem::fault(format!("{} ({})", fault, fault.name())).hint(fault.hint()).into())
        }
    }
}

/// Decisions that the topic holds and this journal does not know: an older backup was restored, or the
/// directory is another one. Going on could issue again what was issued. A topic that cannot be read
/// is no reason to stop: it is compared at the next start.
fn decisions_elsewhere(kafka: &ingest::Config, ledger: &Ledger) -> Result<Option<Problem>, engine::Fault> {
    let Some(topic) = kafka.topics.of(Stream::Decisions) else { return Ok(None) };
    let decisions = match crate::cli::restore::read_decisions(kafka, topic) {
        Ok(decisions) => decisions,
        Err(problem) => {
            tracing::warn!("decisions could not be compared with {topic}: {problem}");
            return Ok(None);
        }
    };
    let unknown = engine::restore::unknown(ledger, &decisions)?;
    let Some(first) = unknown.first() else { return Ok(None) };
    let known = if unknown.len() == 1 { "1 decision".to_owned() } else { format!("{} decisions", unknown.len()) };
    let told = format!("{topic} holds {known} that this journal does not know, such as {first} (decisions-unknown)");
    Ok(Some(Problem::fault(told).hint(
        "take them back with pec restore --from-kafka --reason '…'; an independent copy needs a topic of decisions of \
         its own, or none",
    )))
}

/// A partition that is read for the first time and does not begin with its first message.
fn warn_of_beginnings(joined: &ingest::Joined) {
    for start in joined.starts.iter().filter(|start| start.offset > 0 && start.reason == ingest::Reason::Adopted) {
        tracing::warn!(
            topic = start.topic,
            partition = start.partition,
            offset = start.offset,
            "what was before this offset is deleted: only snapshots and files can tell it (pec import)"
        );
    }
}

/// Records each difference that a person accepted, as a decision with actor, reason and time.
fn remember(
    ledger: &Ledger,
    resume: &Resume,
    joined: &ingest::Joined,
    accept: &Acceptances,
) -> Result<(), engine::Fault> {
    let before = (resume.known.as_slice(), resume.cluster_id.as_deref());
    let after = (joined.starts.as_slice(), joined.cluster_id.as_deref());
    let found = ingest::accepted(before, after, &joined.gone, &accept.accept);
    if found.is_empty() {
        if !accept.accept.is_empty() {
            tracing::info!("nothing differed that had to be accepted");
        }
        return Ok(());
    }
    let named: Vec<(String, String)> =
        found.into_iter().map(|(accept, about)| (accept.name().to_owned(), about)).collect();
    for (what, about) in &named {
        tracing::warn!(what, about, actor = accept.actor, reason = accept.reason, "accepted");
    }
    engine::accept::record_all(ledger, &named, &accept.actor, &accept.reason)?;
    Ok(())
}

/// Publishes decisions: at the start those that the topic lacks, then each as it is made.
fn publish(kafka: &ingest::Config, ledger: &Arc<Ledger>, stop: Arc<AtomicBool>) -> Option<JoinHandle<()>> {
    kafka.topics.of(Stream::Decisions)?;
    let (kafka, ledger) = (kafka.clone(), Arc::clone(ledger));
    let run = move || {
        let mut from = 0;
        let mut known = None;
        while !stop.load(Ordering::Relaxed) {
            // The end is read before the count: a decision that comes in between is looked for again.
            let end = ledger.end();
            match decisions(&ledger) {
                Ok(count) if known == Some(count) => from = end,
                Ok(count) => match publish_from(&kafka, &ledger, from, known.is_none()) {
                    Ok(()) => (from, known) = (end, Some(count)),
                    Err(error) => tracing::warn!("decisions could not be published and will be again: {error}"),
                },
                Err(fault) => tracing::warn!("decisions could not be counted: {fault}"),
            }
            std::thread::sleep(LOOK);
        }
    };
    let spawned = std::thread::Builder::new().name("publish".to_owned()).spawn(run);
    Some(spawned.expect("a process that just started can start a thread"))
}

/// How many decisions there are: reading the journal for them costs more than asking.
fn decisions(ledger: &Ledger) -> Result<u64, engine::Fault> {
    let counts = ledger.counts()?;
    Ok(counts.iter().filter(|(stream, ..)| *stream == Some(Stream::Decisions)).map(|(.., count)| count).sum())
}

fn publish_from(kafka: &ingest::Config, ledger: &Ledger, from: u64, compare: bool) -> anyhow::Result<()> {
    let mut decisions: Vec<Message> = Vec::new();
    for record in ledger.reader().records(from) {
        let record = record?;
        if record.message.stream == Stream::Decisions {
            decisions.push(record.message);
        }
    }
    let published = if compare {
        ingest::publish_missing(kafka, &mut decisions.into_iter())?
    } else {
        ingest::publish(kafka, &decisions)?
    };
    if published > 0 {
        tracing::info!(published, "decisions published");
    }
    Ok(())
}
