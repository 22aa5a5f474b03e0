//! Reading ahead: one thread fetches frames, others unpack and decode them, all in order.
//!
//! Frames go to the workers in turn and their entries are taken from them in the same turn, so
//! order needs no sorting and every queue is bounded. Dropping the iterator ends all of them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::{Chunk, Shared, entries_from, frames};
use crate::fault::Fault;
use crate::segment::{Assembled, Segment};

/// Below so many positions it is not worth a thread.
pub(super) const WORTHWHILE: u64 = 10_000;

/// Frames that wait before and behind each worker.
const WAITING: usize = 2;
const WORKERS_AT_MOST: usize = 8;

type Found = Result<(Arc<Segment>, Assembled), Fault>;
type Decoded = Result<Chunk, Fault>;

/// Entries of one frame after the other.
pub(super) struct Ahead {
    workers: Vec<Receiver<Decoded>>,
    turn: usize,
}

impl Ahead {
    pub(super) fn begin(shared: Arc<Shared>, from: u64) -> Self {
        let count = thread::available_parallelism().map_or(1, usize::from).min(WORKERS_AT_MOST);
        let (frames_to, workers): (Vec<_>, Vec<_>) = (0..count).map(|_| worker(&shared, from)).unzip();
        let fetch = move || {
            for (found, to) in frames(shared, from).zip(frames_to.iter().cycle()) {
                // Nobody listens any more: the iterator was dropped.
                if to.send(found).is_err() {
                    return;
                }
            }
        };
        start("journal-fetch", fetch);
        Self { workers, turn: 0 }
    }
}

fn worker(shared: &Arc<Shared>, from: u64) -> (SyncSender<Found>, Receiver<Decoded>) {
    let (frame_to, frames) = sync_channel::<Found>(WAITING);
    let (chunk_to, chunks) = sync_channel::<Decoded>(WAITING);
    let shared = shared.clone();
    let decode = move || {
        for found in frames {
            let chunk = found.and_then(|(segment, stored)| entries_from(&shared, &segment, stored, from));
            if chunk_to.send(chunk).is_err() {
                return;
            }
        }
    };
    start("journal-decode", decode);
    (frame_to, chunks)
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.expect("a process that reads a journal can start a few more threads");
}

impl Iterator for Ahead {
    type Item = Decoded;

    fn next(&mut self) -> Option<Decoded> {
        let chunk = self.workers[self.turn].recv().ok();
        self.turn = (self.turn + 1) % self.workers.len();
        chunk
    }
}
