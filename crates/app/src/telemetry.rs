//! Logs on stderr, as text for people or JSON for machines. Commands do not log; `pec run` does.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};
use crate::exit::Problem;

/// Starts logging for the rest of the process.
pub fn start(log: &Log) -> Result<(), Problem> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        Problem::usage(format!("log.level is `{}`: {error}", log.level))
            .hint("write a level (error, warn, info, debug) or a filter such as info,ingest=debug")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_ansi(false).try_init(),
    };
    started.map_err(|error| Problem::fault(format!("cannot start logging: {error}")))
}
