//! Metrics and health of `pec run`, over plain HTTP on loopback.
//!
//! `/metrics` in the Prometheus text form, `/healthz` (the process answers), `/readyz` (the journal
//! is open and, with Kafka, everything told so far is being read). Figures are gathered when asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use domain::entry::{Outcome, Stream};
use domain::issued::effective_at;
use engine::Ledger;
use ingest::Progress;
use journal::Batch;
use prometheus::{
    Encoder as _, Histogram, HistogramOpts, HistogramVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::alerts::Sink;
use crate::exit::Problem;

/// Everything that is measured, and what it is measured on.
pub struct Metrics {
    ledger: Arc<Ledger>,
    progress: Arc<Progress>,
    stopping: AtomicBool,
    registry: Registry,
    append_seconds: Histogram,
    events: IntGaugeVec,
    lag: IntGaugeVec,
    durable: IntGaugeVec,
    high: IntGaugeVec,
    position: IntGauge,
    waiting: IntGauge,
    newest: IntGaugeVec,
    segment_bytes: IntGauge,
    conflicts: IntGauge,
    leaks: IntGauge,
    leak_cents: IntGauge,
    alerts_lost: IntGaugeVec,
}

impl Metrics {
    /// # Panics
    /// When two metrics have one name: a mistake that any start shows.
    #[must_use]
    pub fn new(ledger: Arc<Ledger>) -> Self {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).expect("the name is a literal");
            registry.register(Box::new(gauge.clone())).expect("every metric has its own name");
            gauge
        };
        let labelled = |name: &str, help: &str, labels: &[&str]| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), labels).expect("the name is a literal");
            registry.register(Box::new(gauge.clone())).expect("every metric has its own name");
            gauge
        };
        let partition = ["topic", "partition"];
        let options = HistogramOpts::new("pec_append_seconds", "Time until a batch was durable and folded.");
        let append_seconds =
            Histogram::with_opts(options.buckets(prometheus::exponential_buckets(0.001, 2.0, 14).expect("literals")))
                .expect("the name is a literal");
        registry.register(Box::new(append_seconds.clone())).expect("every metric has its own name");
        observe(&ledger, &registry, &labelled);
        let alerts_lost = labelled("pec_alerts_lost_total", "Alerts that were given up, by way out.", &["sink"]);
        // Present from the start: what is absent cannot be seen to grow.
        Sink::ALL.iter().for_each(|sink| drop(alerts_lost.with_label_values(&[sink.name()])));
        Self {
            ledger,
            progress: Arc::default(),
            stopping: AtomicBool::new(false),
            append_seconds,
            events: labelled(
                "pec_events_total",
                "Entries of the journal by stream and outcome.",
                &["stream", "outcome"],
            ),
            lag: labelled("pec_consumer_lag_records", "Offsets that are still to be read.", &partition),
            durable: labelled("pec_durable_offset", "Everything before this offset is durable here.", &partition),
            high: labelled("pec_high_watermark", "End of the partition as the broker last told.", &partition),
            position: gauge("pec_journal_position", "The next position of the journal."),
            waiting: gauge("pec_fold_waiting_entries", "Entries that are durable and not folded yet."),
            newest: labelled(
                "pec_effective_time_seconds",
                "The newest time at which anything was true, as told so far; seconds since 1970.",
                &["stream"],
            ),
            segment_bytes: gauge("pec_journal_active_segment_bytes", "Bytes stored in the active segment."),
            conflicts: gauge("pec_open_conflicts", "Events told in two ways that nobody decided yet."),
            leaks: gauge("pec_leaks_open", "Resources that lose credit since some access ended or stayed behind."),
            leak_cents: gauge("pec_leak_credit_cents_per_day", "Credit that open leaks lose a day, in US cents."),
            alerts_lost,
            registry,
        }
    }

    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// From now on not ready.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Appends a batch and measures it.
    pub fn append(&self, batch: Batch) -> Result<(), engine::Fault> {
        let timer = self.append_seconds.start_timer();
        self.ledger.append(batch)?;
        timer.observe_duration();
        Ok(())
    }

    /// What the leak meter found.
    pub fn leaks(&self, open: usize, per_day: &domain::money::Exact) {
        self.leaks.set(as_gauge(open as u64));
        self.leak_cents.set(crate::alerts::cents_per_day(per_day));
    }

    /// An alert that nobody will get.
    pub fn alert_lost(&self, sink: &str) {
        self.alerts_lost.with_label_values(&[sink]).inc();
    }

    fn gather(&self) -> anyhow::Result<Vec<u8>> {
        let status = self.ledger.status()?;
        self.position.set(as_gauge(status.end));
        self.segment_bytes.set(as_gauge(status.active_segment_bytes));
        self.waiting.set(as_gauge(self.ledger.waiting()? as u64));
        self.conflicts.set(as_gauge(self.ledger.facts()?.conflicts.open().count() as u64));
        for (stream, outcome, count) in self.ledger.counts()? {
            self.events.with_label_values(&[stream_name(stream), outcome_name(outcome)]).set(as_gauge(count));
        }
        for (stream, at) in self.ledger.newest()? {
            self.newest.with_label_values(&[stream.name()]).set(at.timestamp());
        }
        for partition in self.progress.partitions() {
            let number = partition.partition.to_string();
            let labels = [partition.topic.as_str(), number.as_str()];
            self.lag.with_label_values(&labels).set(partition.lag());
            self.durable.with_label_values(&labels).set(partition.next_offset);
            self.high.with_label_values(&labels).set(partition.high_watermark);
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// Measures every batch that becomes durable, whoever appends it: Kafka, an import, a decision.
fn observe(ledger: &Ledger, registry: &Registry, labelled: &dyn Fn(&str, &str, &[&str]) -> IntGaugeVec) {
    let buckets = |from, by, count| prometheus::exponential_buckets(from, by, count).expect("literals");
    let options = HistogramOpts::new("pec_fsync_seconds", "Time that the disk took to make a batch durable.");
    let syncs = Histogram::with_opts(options.buckets(buckets(0.000_1, 2.0, 17))).expect("the name is a literal");
    registry.register(Box::new(syncs.clone())).expect("every metric has its own name");
    let options = HistogramOpts::new(
        "pec_recording_delay_seconds",
        "Time from when an accepted event was true until it was recorded here.",
    );
    let delays = HistogramVec::new(options.buckets(buckets(1.0, 4.0, 13)), &["stream"]).expect("the name is a literal");
    registry.register(Box::new(delays.clone())).expect("every metric has its own name");
    let partitions = labelled(
        "pec_partition_effective_time_seconds",
        "The newest time at which anything was true, as the partition told since the start; seconds since 1970.",
        &["topic", "partition"],
    );
    ledger.observe(move |appended| {
        syncs.observe(appended.synced.as_secs_f64());
        let mut by_stream = Stream::ALL.map(|stream| (stream, delays.with_label_values(&[stream.name()]).local()));
        for entry in appended.entries.iter().filter(|entry| entry.outcome == Outcome::Accepted) {
            let Some(at) = effective_at(&entry.fact.event) else { continue };
            let delay = (entry.recorded_at - at).as_seconds_f64();
            let stream = entry.fact.event.stream();
            if let Some((_, delays)) = by_stream.iter_mut().find(|(one, _)| Some(*one) == stream) {
                delays.observe(delay.max(0.0));
            }
        }
        for (topic, partition, at) in &appended.newest {
            let gauge = partitions.with_label_values(&[&**topic, partition.to_string().as_str()]);
            gauge.set(gauge.get().max(at.timestamp()));
        }
    });
}

/// Counts beyond 2^63 are shown as that: no journal has them.
fn as_gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn stream_name(stream: Option<Stream>) -> &'static str {
    stream.map_or("unreadable", Stream::name)
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Duplicate => "duplicate",
        Outcome::Conflicting => "conflicting",
        Outcome::Quarantined => "quarantined",
    }
}

/// Listens and answers until the task is aborted.
pub async fn serve(address: SocketAddr, metrics: Arc<Metrics>) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        Problem::usage(format!("cannot serve metrics at {address}: {error}"))
            .hint("choose another metrics.listen, or \"\" to switch it off")
    })?;
    tracing::info!(address = %listener.local_addr()?, "metrics and health");
    let router = Router::new()
        .route("/metrics", get(answer_metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(answer_ready))
        .with_state(metrics);
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "metrics are no longer served");
        }
    }))
}

async fn answer_metrics(State(metrics): State<Arc<Metrics>>) -> (StatusCode, Vec<u8>) {
    let gathered = tokio::task::spawn_blocking(move || metrics.gather()).await;
    match gathered.map_err(anyhow::Error::from).and_then(|gathered| gathered) {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n").into_bytes()),
    }
}

async fn answer_ready(State(metrics): State<Arc<Metrics>>) -> (StatusCode, &'static str) {
    let reads = metrics.progress.is_running() || metrics.progress.partitions().is_empty();
    if reads && !metrics.stopping.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
