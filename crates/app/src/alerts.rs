//! The leak meter of `pec run`: which resources lose credit from now on, said within a second of
//! the access change that made it so; and that it is over, when access returns.
//!
//! A thread of its own looks only after access changed, and only at the subscriptions concerned;
//! ingest never waits for it. What is told goes to the log, the metrics, and as an event to the
//! alerts topic and a webhook, whichever are configured. An alert is written to a file in the data
//! directory before it is sent, and taken out when it was taken; so a restart neither forgets nor
//! repeats one. Should that file be lost, alerts come again under the same ids.

mod event;
mod memory;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use domain::ids::Guid;
use domain::money::Exact;
use domain::period::{Day, Instant};
use engine::Ledger;
use engine::books::Books;
use engine::leak::{self, Concern, Found};

use crate::config::Config;
use crate::metrics::Metrics;
use event::Names;
pub use memory::FILE;
use memory::Memory;
pub(crate) use memory::Sink;
pub use webhook::{Webhook, Written as WrittenWebhook};

/// How often the meter looks at the clock, and the senders at what waits.
const LOOK: Duration = Duration::from_millis(50);
/// After a look that took some time, the next one waits this many times as long.
const REST: u32 = 3;

/// The threads of the meter.
pub struct Alerts {
    threads: Vec<JoinHandle<()>>,
}

type Shared = Arc<Mutex<Memory>>;

fn lock(memory: &Shared) -> std::sync::MutexGuard<'_, Memory> {
    // What a panic left behind was already on disk, or is found again by the next look.
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the meter, and a sender for each configured way out.
pub fn start(config: &Config, metrics: &Arc<Metrics>, stop: &Arc<AtomicBool>) -> anyhow::Result<Alerts> {
    let kafka = config.kafka.clone().filter(|kafka| !kafka.topics.alerts.is_empty());
    let mut sinks = BTreeSet::new();
    if kafka.is_some() {
        sinks.insert(Sink::Kafka);
    }
    if config.webhook.is_some() {
        sinks.insert(Sink::Webhook);
    }
    let memory: Shared = Arc::new(Mutex::new(Memory::load(&config.data_dir, sinks)?));
    let concerns = metrics.ledger().watch_access();
    let mut threads = Vec::new();
    let mut spawn = |name: &str, run: Box<dyn FnOnce() + Send>| -> anyhow::Result<()> {
        threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    };
    let meter = Meter {
        metrics: Arc::clone(metrics),
        memory: Arc::clone(&memory),
        waits_for_kafka: config.kafka.is_some(),
        concerns,
        todo: BTreeSet::from([Concern::Everything]),
        ends: BTreeMap::new(),
        looked_on: None,
    };
    let stopped = Arc::clone(stop);
    spawn("leaks", Box::new(move || meter.run(&stopped)))?;
    if let Some(kafka) = kafka {
        let (memory, metrics, stop) = (Arc::clone(&memory), Arc::clone(metrics), Arc::clone(stop));
        spawn(
            "alerts-kafka",
            Box::new(move || {
                send(Sink::Kafka, &memory, &metrics, &stop, |alerts| {
                    let texts = alerts.iter().map(|alert| (alert.key.as_bytes(), alert.event.as_bytes()));
                    match ingest::publish_alerts(&kafka, texts) {
                        Ok(()) => Sent::Taken,
                        Err(error) => Sent::Again(error.to_string()),
                    }
                })
            }),
        )?;
    }
    if let Some(webhook) = config.webhook.clone() {
        let (metrics, stop) = (Arc::clone(metrics), Arc::clone(stop));
        spawn(
            "alerts-webhook",
            Box::new(move || {
                send(Sink::Webhook, &memory, &metrics, &stop, |alerts| {
                    let mut posted = alerts.iter().map(|alert| webhook::post(&webhook, alert));
                    posted.find(|sent| !matches!(sent, Sent::Taken)).unwrap_or(Sent::Taken)
                })
            }),
        )?;
    }
    Ok(Alerts { threads })
}

impl Alerts {
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the leak meter had stopped by a panic");
            }
        }
    }
}

/// What became of sending an alert.
enum Sent {
    Taken,
    /// Try again later, unless it was tried often enough.
    Again(String),
    /// Trying again would not help.
    Refused(String),
}

/// Sends what waits for one sink, oldest first, until told to stop: as many at once as the sink is given,
/// which are taken, refused or sent again together.
fn send(
    sink: Sink,
    memory: &Shared,
    metrics: &Metrics,
    stop: &AtomicBool,
    mut deliver: impl FnMut(&[memory::Alert]) -> Sent,
) {
    let mut pause = LOOK;
    while !stop.load(Ordering::Relaxed) {
        if !pause.is_zero() {
            std::thread::sleep(LOOK);
            pause = pause.saturating_sub(LOOK);
            continue;
        }
        let waiting = lock(memory).waiting(sink, sink.at_once());
        pause = LOOK;
        let Some(oldest) = waiting.first() else { continue };
        let lost = || waiting.iter().for_each(|_| metrics.alert_lost(sink.name()));
        let (alert, alerts, sink_name) = (oldest.id.as_str(), waiting.len(), sink.name());
        let done = match deliver(&waiting) {
            // There may be more: no rest while there is something to send.
            Sent::Taken => {
                pause = Duration::ZERO;
                true
            }
            Sent::Refused(why) => {
                lost();
                tracing::error!(alert, alerts, sink = sink_name, "the alert was refused and is given up: {why}");
                true
            }
            Sent::Again(why) => {
                let attempts = lock(memory).failed(sink, &oldest.id);
                if attempts >= sink.attempts_max() {
                    lost();
                    tracing::error!(alert, alerts, sink = sink_name, attempts, "the alert is given up: {why}");
                    true
                } else {
                    tracing::warn!(alert, alerts, sink = sink_name, attempts, "the alert will be sent again: {why}");
                    pause = Duration::from_secs(1 << attempts.min(5));
                    false
                }
            }
        };
        if done && let Err(error) = lock(memory).done(sink, &waiting) {
            tracing::warn!(%error, "it could not be noted that an alert was sent; a restart may send it again");
        }
    }
}

struct Meter {
    metrics: Arc<Metrics>,
    memory: Shared,
    /// History that is only half read would tell of losses that were mended long ago.
    waits_for_kafka: bool,
    concerns: Receiver<Concern>,
    todo: BTreeSet<Concern>,
    /// When access is known to end without a further event, by subscription.
    ends: BTreeMap<Guid, Instant>,
    looked_on: Option<Day>,
}

impl Meter {
    fn run(mut self, stop: &AtomicBool) {
        let mut rest = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            match self.concerns.recv_timeout(LOOK.max(rest)) {
                Ok(concern) => drop(self.todo.insert(concern)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.todo.extend(self.concerns.try_iter());
            self.waits_for_kafka &= !self.metrics.progress().is_caught_up();
            let now = match self.metrics.ledger().clock().now() {
                Ok(now) => now,
                Err(fault) => {
                    tracing::error!("the leak meter stops: {fault}");
                    return;
                }
            };
            self.note_time(now);
            if self.todo.is_empty() || self.waits_for_kafka {
                rest = Duration::ZERO;
                continue;
            }
            let clock = *self.metrics.ledger().clock();
            let began = clock.uptime();
            match self.look(now) {
                Ok(()) => self.todo.clear(),
                Err(error) => tracing::warn!("leaks could not be looked for and will be again: {error:#}"),
            }
            rest = clock.uptime().saturating_sub(began) * REST;
        }
    }

    /// Time alone changes things too: access that ends as announced, and a new day's look at all.
    fn note_time(&mut self, now: Instant) {
        let over: Vec<Guid> = self.ends.iter().filter(|(_, end)| **end <= now).map(|(one, _)| *one).collect();
        for subscription in over {
            self.ends.remove(&subscription);
            self.todo.insert(Concern::Subscription(subscription));
        }
        if self.looked_on.replace(Day::of(now)).is_some_and(|day| day != Day::of(now)) {
            self.todo.insert(Concern::Everything);
        }
    }

    fn look(&mut self, now: Instant) -> anyhow::Result<()> {
        let (found, only, names) = find(self.metrics.ledger(), &self.todo, now)?;
        match &only {
            None => self.ends = found.ends.clone(),
            Some(only) => {
                self.ends.retain(|subscription, _| !only.contains(subscription));
                self.ends.extend(found.ends.iter().map(|(one, end)| (*one, *end)));
            }
        }
        let mut memory = lock(&self.memory);
        let told = memory.compare(&found, only.as_ref(), &names, now)?;
        for alert in &told {
            alert.log();
        }
        let (open, per_day) = memory.open();
        self.metrics.leaks(open, &per_day);
        Ok(())
    }
}

/// Looks once, as the meter does, into a memory of its own in `dir`: for measuring. Returns how many resources
/// leak and how many alerts were written.
pub(crate) fn look_once(ledger: &Ledger, concern: Concern, now: Instant, dir: &Path) -> anyhow::Result<(usize, usize)> {
    let mut memory = Memory::load(dir, Sink::ALL.into())?;
    let (found, only, names) = find(ledger, &BTreeSet::from([concern]), now)?;
    let told = memory.compare(&found, only.as_ref(), &names, now)?;
    Ok((memory.open().0, told.len()))
}

/// Looks at the subscriptions concerned; everything that answers need of the facts is taken along,
/// so that nobody waits for a sender.
fn find(
    ledger: &Ledger,
    todo: &BTreeSet<Concern>,
    now: Instant,
) -> anyhow::Result<(Found, Option<BTreeSet<Guid>>, Names)> {
    let facts = ledger.facts()?;
    let commerce = facts.commerce.view();
    let mut books = Books::new(&facts, &commerce);
    let only = leak::concerned(&books, todo);
    let found = leak::leaks(&mut books, now, only.as_ref());
    let mut names = Names { policy_revision: facts.policy.at(Day::of(now)).revision, ..Names::default() };
    for leak in &found.leaks {
        names.of.entry(leak.customer).or_insert_with(|| books.customer_name(leak.customer));
        names.of.entry(leak.bill_to).or_insert_with(|| books.partner_name(leak.bill_to));
    }
    names.ended = commerce
        .subscriptions()
        .filter(|(_, placed)| placed.last().is_some_and(|last| last.interval.to <= now))
        .map(|(subscription, _)| subscription)
        .collect();
    names.covered = found.ends.keys().copied().collect();
    Ok((found, only, names))
}

/// Credit a day in whole cents, cut: a gauge has no decimals that would mean anything.
#[must_use]
pub fn cents_per_day(amount: &Exact) -> i64 {
    let cut = amount.round(2, domain::money::Rounding::TowardZero).to_fixed(2);
    // More cents a day than 63 bits hold are shown as that many.
    cut.replace('.', "").parse().unwrap_or(i64::MAX)
}

/// Where the meter remembers what it told.
#[must_use]
pub fn file(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join(FILE)
}
