//! Buffers that wait to be used again.
//!
//! Every frame needs the same few large buffers: for its messages, packed and unpacked, and for its
//! entries. Giving their memory back after each frame would mean that the system clears the same
//! pages over and over, a tenth of all work. So whoever is done with a buffer leaves it here, and
//! whoever needs one looks here first. What lies here is bounded, and means nothing: a buffer that
//! is lost costs one allocation.

use std::sync::{Mutex, PoisonError};

use domain::entry::Entry;

/// How many buffers of a kind may wait: two or three for each frame between Kafka and the disk.
const WAITING: usize = 16;

/// Buffers of more bytes than this are given back: they come from an unusual message.
const BYTES: usize = 8 << 20;

/// Vectors of more entries than this are given back.
const ENTRIES: usize = 1 << 15;

static BUFFERS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
static SPENT: Mutex<Vec<Vec<Entry>>> = Mutex::new(Vec::new());

/// An empty buffer with room for at least so many bytes: the smallest that has it.
pub(crate) fn buffer(room: usize) -> Vec<u8> {
    let mut waiting = BUFFERS.lock().unwrap_or_else(PoisonError::into_inner);
    let capacities = waiting.iter().map(Vec::capacity).enumerate();
    let fitting = capacities.filter(|(_, capacity)| *capacity >= room).min_by_key(|(_, capacity)| *capacity);
    let mut buffer = fitting.map(|(place, _)| waiting.swap_remove(place)).unwrap_or_default();
    drop(waiting);
    buffer.clear();
    buffer.reserve(room);
    buffer
}

/// Leaves a buffer to whoever needs one next.
pub(crate) fn put_back(buffer: Vec<u8>) {
    give(&BUFFERS, buffer, BYTES);
}

/// An empty vector for entries. What it held is let go here, on the thread that will fill it anew.
pub(crate) fn entries() -> Vec<Entry> {
    let waiting = SPENT.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut entries = waiting.unwrap_or_default();
    entries.clear();
    entries
}

/// Leaves entries that nobody reads any more to the thread that makes the next ones. Letting go of
/// millions of them one by one would cost the only thread that folds a good part of its time.
pub fn spent(entries: Vec<Entry>) {
    give(&SPENT, entries, ENTRIES);
}

fn give<T>(waiting: &Mutex<Vec<Vec<T>>>, one: Vec<T>, most: usize) {
    if one.capacity() == 0 || one.capacity() > most {
        return;
    }
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    if waiting.len() < WAITING {
        waiting.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_handed_out_empty_and_large_buffers_are_not_kept() {
        let mut left = Vec::with_capacity(5_000);
        left.extend_from_slice(b"abc");
        put_back(left);
        put_back(Vec::with_capacity(BYTES + 1));
        for _ in 0..=WAITING {
            let buffer = buffer(10);
            assert!(buffer.is_empty() && (10..=BYTES).contains(&buffer.capacity()), "{}", buffer.capacity());
        }
    }
}
