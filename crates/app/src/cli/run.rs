//! `pec run`: owns the data directory, takes events in from Kafka, answers every command.
//!
//! Ingest runs on its own thread and appends through the ledger; commands arrive on the socket and
//! run on threads of their own; signals and metrics live on a small `tokio` runtime at the rim.
//! A stop is bounded: what is durable stays, what is not is still in Kafka.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use ingest::Accept;
use tokio::signal::unix::{SignalKind, signal};

use super::start;
use crate::config::{Config, Loaded, socket_path};
use crate::exit::{Exit, Problem};
use crate::metrics::Metrics;
use crate::output::Output;
use crate::{alerts, answers, intake, metrics, remote, server, telemetry};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec run\n  pec run --config /etc/pec.toml --data-dir /var/lib/pec\n  pec run --accept retention-gap --reason 'read from the archive instead'"
)]
pub struct Run {
    /// Something that would otherwise stop pec, accepted for this start: clock, retention-gap,
    /// recreated-topic, new-partitions or other-cluster
    #[arg(long, value_name = "WHAT", value_parser = accepted, requires = "reason")]
    accept: Vec<Accepted>,
    /// Why it is accepted; stands in the journal
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Accepted {
    Clock,
    Kafka(Accept),
}

fn accepted(text: &str) -> Result<Accepted, String> {
    if text == "clock" {
        return Ok(Accepted::Clock);
    }
    let known: Vec<&str> = Accept::ALL.iter().map(|accept| accept.name()).collect();
    Accept::parse(text).map(Accepted::Kafka).ok_or_else(|| format!("write clock, {}", known.join(", ")))
}

/// How long commands that are still running may take after a stop.
const FINISH: Duration = Duration::from_secs(10);

impl Run {
    pub fn run(&self, loaded: &Loaded, actor: &str, out: &mut Output) -> anyhow::Result<Exit> {
        let config = &loaded.config;
        telemetry::start(&config.log)?;
        if remote::connect(&socket_path(&config.data_dir))?.is_some() {
            return Err(Problem::refused(format!("another pec run already serves {}", config.data_dir.display()))
                .hint("use it: every command reaches it; or stop it first")
                .into());
        }
        let ledger = Arc::new(start::open(config, true, self.accept.contains(&Accepted::Clock), out)?);
        let reason = self.reason.as_deref().unwrap_or_default();
        if self.accept.contains(&Accepted::Clock) {
            engine::accept::record(&ledger, "clock", None, actor, reason).map_err(start::fault)?;
        }
        tracing::info!(data_dir = %config.data_dir.display(), messages = ledger.end(), "the journal is open");
        let metrics = Arc::new(Metrics::new(Arc::clone(&ledger)));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let result = runtime.block_on(self.serve(config, &metrics, (actor, reason)));
        runtime.shutdown_timeout(Duration::from_secs(1));
        drop(metrics);
        // Commands that outlived their time still hold the ledger; then the next start checks more.
        match Arc::try_unwrap(ledger) {
            Ok(ledger) => ledger.close().map_err(start::fault)?,
            Err(_) => tracing::warn!("a command is still running; leaving the journal without closing it"),
        }
        tracing::info!("stopped");
        result.map(|()| Exit::Fine)
    }

    async fn serve(
        &self,
        config: &Config,
        metrics: &Arc<Metrics>,
        (actor, reason): (&str, &str),
    ) -> anyhow::Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let accept: Vec<Accept> = self
            .accept
            .iter()
            .filter_map(|accept| match accept {
                Accepted::Kafka(accept) => Some(*accept),
                Accepted::Clock => None,
            })
            .collect();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let commands = server::start(config, metrics.ledger(), Arc::clone(&stop))
            .with_context(|| format!("cannot listen at {}", socket_path(&config.data_dir).display()))?;
        let http = match config.metrics_listen {
            Some(address) => Some(metrics::serve(address, Arc::clone(metrics)).await?),
            None => None,
        };
        let alerts = alerts::start(config, metrics, &stop)?;
        let answering = answers::start(metrics.ledger(), Arc::clone(&stop));
        let accept = intake::Acceptances { accept, actor: actor.to_owned(), reason: reason.to_owned() };
        let ingest = intake::start(config, metrics, accept, Arc::clone(&stop));
        let result = tokio::select! {
            _ = terminate.recv() => { tracing::info!("told to stop (SIGTERM)"); Ok(()) }
            _ = interrupt.recv() => { tracing::info!("told to stop (SIGINT)"); Ok(()) }
            ended = ingest.ended() => ended,
        };
        stop.store(true, Ordering::Relaxed);
        metrics.stopping();
        let joined = tokio::task::spawn_blocking(move || ingest.join()).await?;
        tokio::task::spawn_blocking(move || alerts.join()).await?;
        if tokio::task::spawn_blocking(move || answering.join()).await?.is_err() {
            tracing::error!("answering orders had stopped by a panic");
        }
        commands.finish(FINISH);
        if let Some(http) = http {
            http.abort();
        }
        result.and(joined)
    }
}
