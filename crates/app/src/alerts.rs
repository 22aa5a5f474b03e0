//! The leak meter of `pec run`: which resources lose credit from now on, said within a second of
//! the access change that made it so; and that it is over, when access returns.
//!
//! A thread of its own ([`meter`]) looks only after access changed, and only at the subscriptions concerned;
//! ingest never waits for it. What is told goes to the log, the metrics, and as an event to the
//! alerts topic and a webhook, whichever are configured. An alert is written to a file in the data
//! directory before it is sent, and taken out when it was taken; so a restart neither forgets nor
//! repeats one. Should that file be lost, what leaks is found and told anew, as alerts of their own.

mod event;
mod lines;
mod memory;
mod meter;
mod webhook;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::money::Exact;

use crate::config::Config;
use crate::metrics::Metrics;
pub use memory::FILE;
use memory::Memory;
pub(crate) use memory::Sink;
use meter::Meter;
pub(crate) use meter::{AtHand, look_once};
pub use webhook::{Webhook, Written as WrittenWebhook};

/// How often the meter looks at the clock, and the senders at what waits.
const LOOK: Duration = Duration::from_millis(50);

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
    let meter = Meter::new(metrics, &memory, concerns, config.kafka.is_some());
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
