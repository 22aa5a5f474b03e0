//! The command server: the socket in the data directory, and a thread per command.
//!
//! It runs [`cli::execute`], the very function that the command line runs. How many commands run at
//! once is limited; whoever comes then waits in line. It stops accepting when told to stop.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Parser as _;
use engine::Ledger;

use crate::cli::{self, Arguments, Context};
use crate::config::{Config, socket_path};
use crate::exit::Exit;
use crate::output::Output;
use crate::remote::{self, Request};

/// How many commands run at once.
const COMMANDS_MAX: usize = 8;
/// How often the acceptor looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(50);

/// A running server.
pub struct Commands {
    socket: PathBuf,
    acceptor: JoinHandle<()>,
    running: Arc<Running>,
}

#[derive(Default)]
struct Running {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Running {
    fn enter(self: &Arc<Self>) -> Place {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |count: &mut usize| *count >= COMMANDS_MAX;
        let mut count = self.changed.wait_while(count, full).unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        Place(Arc::clone(self))
    }
}

/// One running command; given back also when it panics.
struct Place(Arc<Running>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.changed.notify_all();
    }
}

/// Binds the socket and begins to answer. The caller holds the journal.
pub fn start(config: &Config, ledger: &Arc<Ledger>, stop: Arc<AtomicBool>) -> std::io::Result<Commands> {
    let socket = socket_path(&config.data_dir);
    let listener = remote::bind(&socket)?;
    listener.set_nonblocking(true)?;
    let running = Arc::new(Running::default());
    let (ledger, config) = (Arc::clone(ledger), Arc::new(config.clone()));
    let inside = Arc::clone(&running);
    let acceptor = std::thread::Builder::new()
        .name("commands".to_owned())
        .spawn(move || accept(&listener, &ledger, &config, &inside, &stop))?;
    Ok(Commands { socket, acceptor, running })
}

impl Commands {
    /// Waits for the commands that still run, at most so long, and removes the socket.
    pub fn finish(self, patience: Duration) {
        if self.acceptor.join().is_err() {
            tracing::error!("the command server had stopped by a panic");
        }
        if let Err(error) = std::fs::remove_file(&self.socket) {
            tracing::warn!(%error, "the socket could not be removed; the next start replaces it");
        }
        let count = self.running.count.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = |count: &mut usize| *count > 0;
        let waited = self.running.changed.wait_timeout_while(count, patience, busy);
        if waited.unwrap_or_else(PoisonError::into_inner).1.timed_out() {
            tracing::warn!("commands were still running when the time to stop was over");
        }
    }
}

fn accept(
    listener: &UnixListener,
    ledger: &Arc<Ledger>,
    config: &Arc<Config>,
    running: &Arc<Running>,
    stop: &Arc<AtomicBool>,
) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                let place = running.enter();
                let (ledger, config) = (Arc::clone(ledger), Arc::clone(config));
                let spawned = std::thread::Builder::new().name("command".to_owned()).spawn(move || {
                    let place = place;
                    serve(&stream, &ledger, &config);
                    // The ledger first: whoever waits for the place wants it to be free then.
                    drop(ledger);
                    drop(place);
                });
                if let Err(error) = spawned {
                    tracing::error!(%error, "no thread to run a command on");
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(LOOK),
            Err(error) => {
                tracing::warn!(%error, "while waiting for a command");
                std::thread::sleep(LOOK);
            }
        }
    }
}

fn serve(stream: &UnixStream, ledger: &Ledger, config: &Config) {
    let blocking = stream.set_nonblocking(false);
    let answered = blocking.map_err(anyhow::Error::from).and_then(|()| {
        remote::answer(stream, |request, out| {
            let result = run(request, ledger, config, out);
            crate::finish(result.map(Exit::code), out)
        })
    });
    if let Err(error) = answered {
        tracing::debug!(%error, "whoever asked went away before the answer was complete");
    }
}

fn run(request: &Request, ledger: &Ledger, config: &Config, out: &mut Output) -> anyhow::Result<Exit> {
    // The client parsed the same words already; a difference would be one of versions.
    let words = std::iter::once("pec").chain(request.arguments.iter().map(String::as_str));
    let arguments = Arguments::try_parse_from(words)?;
    let context = Context {
        ledger,
        config,
        directory: request.directory.clone(),
        actor: request.actor.clone(),
        json: arguments.global.json,
    };
    cli::execute(&arguments.command, &context, out)
}
