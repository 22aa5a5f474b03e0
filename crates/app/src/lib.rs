//! The one binary `pec`: configuration, command line, server, tables.
//!
//! [`main`] parses the command line and finds out who answers: a running `pec run` that holds the
//! data directory, through its socket, or this process. Both call [`cli::execute`], and nothing
//! else, so that no answer can depend on which of the two it was.

pub mod exit;
pub mod config;
pub mod output;
pub mod remote;
pub mod telemetry;
pub mod cli;
pub mod server;
pub mod answers;
pub mod intake;
pub mod metrics;
pub mod alerts;
pub mod generate;
pub mod scenario;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Arguments, Color};
use exit::{Exit, report};
use output::{Output, Style};

/// The whole program: arguments in, exit code out.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Fine };
            // Nothing can be said about a failure to say it.
            let _ = error.print();
            return ExitCode::from(code.code());
        }
    };
    let mut out = Output::terminal(style(parsed.global.color));
    let result = cli::start::start(&parsed, &arguments, &mut out);
    let code = finish(result, &mut out);
    ExitCode::from(code)
}

/// Prints an error the way every command prints it, and gives the exit code.
pub(crate) fn finish(result: anyhow::Result<u8>, out: &mut Output) -> u8 {
    let result = result.and_then(|code| Ok(out.flush().map(|()| code)?));
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => Exit::Fine.code(),
        Err(error) => {
            let (exit, text) = report(&error);
            // A far end that hung up cannot be told; the exit code still is.
            let _ = out.flush();
            let _ = out.note(text);
            exit.code()
        }
    }
}

/// `pec … | head` is no error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

fn style(color: Color) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !unwanted,
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| if terminal { console_width() } else { None }).unwrap_or(Style::PLAIN.width);
    Style { width: width.clamp(60, 200), color, progress: std::io::stderr().is_terminal() }
}

fn console_width() -> Option<u16> {
    // The table library measures the terminal when it is told no width. One that does not know its
    // own size says 0, and is treated like a pipe.
    comfy_table::Table::new().width().filter(|width| *width > 0)
}
