//! Reading files for `pec import`: what is in them, cut into messages, nothing decoded.
//!
//! Read are JSON lines, JSON arrays, REST and Event Hubs exports (`{"value":[…]}`,
//! `{"records":[…]}`), JSON documents one after the other, and rows that the Log Analytics portal
//! exported as CSV; plain or gzip. A file is recognised by what it holds, never by its name. Records
//! are handed over with the bytes that they have in the file, one by one, so that a file may be
//! larger than memory; a broken line or element is handed over like any other and quarantined by the
//! decoder. A file without a single record (an empty array, blank lines) is fine: an export of an
//! hour in which nothing happened looks like that.
//!
//! # Reading a file twice
//!
//! Coordinates are (file digest, ordinal), the same on every run, whatever the file is called.
//! Facts do not depend on them: identity comes from each record's content, so the same records in
//! another file, or from Kafka, are repetitions. A row of the portal's export is handed over as a
//! JSON object under the names of its columns, because without the header its bytes say nothing.

mod layout;
mod rows;
mod source;
mod split;
mod streams;

use std::io::{BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use domain::entry::Stream;
use domain::ids::Digest;

use crate::wire::Message;
use layout::Layout;
pub(crate) use layout::is_utf16;
use source::Source;

/// Where a record stands: the `ordinal`-th of the file with this content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCoordinates {
    /// The file's name, for people.
    pub name: Arc<str>,
    /// BLAKE3 of the file's bytes, packed as it lies on disk.
    pub digest: Digest,
    /// Counted from 0.
    pub ordinal: u64,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    pub kind: FileKind,
    pub digest: Digest,
    pub records: u64,
    /// Size on disk.
    pub bytes: u64,
    /// The file stops before its last bracket is closed: every record in it was handed over, but
    /// there may have been more.
    pub ends_early: bool,
}

/// How a file holds its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    JsonLines,
    JsonArray,
    /// `{"value":[…]}` or `{"records":[…]}`.
    JsonEnvelope,
    JsonDocument,
    /// CSV from the Log Analytics portal.
    PortalRows,
}

/// Why a file was not read, or not to its end. What it says goes on from the file's name, which
/// whoever asked already knows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    #[error("it cannot be read: {0}")]
    Io(std::io::Error),
    #[error("there is no such file")]
    Missing,
    #[error("it is a folder or a device; expected a file")]
    NoFile,
    #[error("it is UTF-16; expected UTF-8")]
    Utf16,
    #[error(
        "it begins with {begins}; expected JSON (lines, an array, an Activity Log export) or a CSV with a known header"
    )]
    UnknownKind { begins: String },
    #[error("nothing in it says which stream its records belong to")]
    UnknownStream,
    #[error("the gzip is damaged or cut off after {records} whole records: {reason}")]
    Damaged { records: u64, reason: String },
    #[error("record {ordinal} is longer than {most} bytes; a file of that kind cannot be split into records")]
    RecordTooLong { ordinal: u64, most: usize },
    #[error("it changed while it was read")]
    Changed,
    #[error("reading stopped at record {ordinal}")]
    Stopped { ordinal: u64, source: Box<dyn std::error::Error + Send + Sync> },
}

impl FileFault {
    /// The stable code of a file that is refused for what it holds, as `docs/rejections.md` lists it.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Utf16 => Some("R-not-utf8"),
            Self::UnknownKind { .. } => Some("R-unknown-file"),
            Self::Damaged { .. } => Some("R-damaged"),
            Self::RecordTooLong { .. } => Some("R-too-large"),
            Self::Io(_) | Self::Missing | Self::NoFile | Self::UnknownStream | Self::Changed | Self::Stopped { .. } => {
                None
            }
        }
    }
}

/// The longest record that is held in memory.
const LONGEST_RECORD: usize = 64 << 20;

/// Reads a file and hands its records to `sink`, in order. Without a hint each record's stream is
/// told from its content. An error of `sink` stops the reading and comes back as the source of
/// [`FileFault::Stopped`].
pub fn read_file<E>(
    path: &Path,
    stream_hint: Option<Stream>,
    sink: &mut dyn FnMut(Message, FileCoordinates) -> Result<(), E>,
) -> Result<FileReport, FileFault>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    read_file_with_progress(path, stream_hint, &mut |_, _| {}, sink)
}

/// Like [`read_file`]; `progress` is told now and then how many bytes of how many are done.
pub fn read_file_with_progress<E>(
    path: &Path,
    stream_hint: Option<Stream>,
    progress: &mut dyn FnMut(u64, u64),
    sink: &mut dyn FnMut(Message, FileCoordinates) -> Result<(), E>,
) -> Result<FileReport, FileFault>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut source = Source::open(path)?;
    let head = source.head()?;
    let layout = recognise(&head, &source)?;
    let fallback = stream_hint.or_else(|| streams::of_head(&head, layout));
    let name: Arc<str> = path.file_name().map_or_else(|| "".into(), |name| name.to_string_lossy().into());
    let (digest, total) = (source.digest(), source.bytes());
    let position = source.position();
    let mut records = 0;
    let mut last_told = 0;
    let mut hand_over = |value: Vec<u8>| {
        let stream = stream_hint.or_else(|| streams::of_record(&value)).or(fallback).ok_or(FileFault::UnknownStream)?;
        let message = Message { stream, key: None, headers: Vec::new(), value: Some(value) };
        let coordinates = FileCoordinates { name: Arc::clone(&name), digest, ordinal: records };
        sink(message, coordinates).map_err(|error| FileFault::Stopped { ordinal: records, source: error.into() })?;
        records += 1;
        let done = position.get();
        if done - last_told >= 1 << 20 {
            last_told = done;
            progress(done, total);
        }
        Ok(())
    };
    let mut reader = std::io::Cursor::new(head).chain(source.rest());
    let delivered = deliver(layout, &mut reader, &mut hand_over);
    drop(reader);
    let (kind, ends_early) = match (delivered, source.damage()) {
        (Ok(_) | Err(FileFault::Io(_)), Some(reason)) => return Err(FileFault::Damaged { records, reason }),
        (delivered, _) => delivered?,
    };
    source.check_unchanged()?;
    progress(total, total);
    Ok(FileReport { kind, digest, records, bytes: total, ends_early })
}

/// The first bytes of a file, unpacked if it is gzip: enough to see what it holds.
pub fn first_bytes(path: &Path) -> Result<Vec<u8>, FileFault> {
    source::first_bytes(path)
}

type HandOver<'a> = &'a mut dyn FnMut(Vec<u8>) -> Result<(), FileFault>;

fn deliver(layout: Layout, reader: &mut dyn BufRead, hand_over: HandOver<'_>) -> Result<(FileKind, bool), FileFault> {
    match layout {
        Layout::Lines => lines(reader, hand_over).map(|()| (FileKind::JsonLines, false)),
        Layout::Document => split::documents(reader, hand_over),
        Layout::PortalRows => rows::portal(reader, hand_over).map(|()| (FileKind::PortalRows, false)),
    }
}

/// The values of each line that is not blank, without its line end: one, as a rule.
fn lines(reader: &mut dyn BufRead, hand_over: HandOver<'_>) -> Result<(), FileFault> {
    let mut ordinal = 0;
    loop {
        let mut line = Vec::new();
        let most = LONGEST_RECORD as u64 + 1;
        let read = (&mut *reader).take(most).read_until(b'\n', &mut line).map_err(FileFault::Io)?;
        if read == 0 {
            return Ok(());
        }
        if read > LONGEST_RECORD {
            return Err(FileFault::RecordTooLong { ordinal, most: LONGEST_RECORD });
        }
        if ordinal == 0 && line.starts_with(layout::BYTE_ORDER_MARK) {
            line.drain(..layout::BYTE_ORDER_MARK.len());
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match split::objects_of_line(&line) {
            Some(objects) => {
                ordinal += objects.len() as u64;
                objects.into_iter().try_for_each(|object| hand_over(object.to_vec()))?;
            }
            None => {
                hand_over(line)?;
                ordinal += 1;
            }
        }
    }
}

/// How the file holds its records, by its head. One that holds nothing at all has no lines.
fn recognise(head: &[u8], source: &Source) -> Result<Layout, FileFault> {
    if layout::is_utf16(head) {
        return Err(FileFault::Utf16);
    }
    let bare = head.strip_prefix(layout::BYTE_ORDER_MARK).unwrap_or(head);
    let blank = bare.trim_ascii().is_empty() && Source::is_whole(head);
    match (layout::recognise(head), source.damage()) {
        (Some(layout), _) => Ok(layout),
        (None, Some(reason)) => Err(FileFault::Damaged { records: 0, reason }),
        (None, None) if blank => Ok(Layout::Lines),
        (None, None) => Err(FileFault::UnknownKind { begins: begins(bare) }),
    }
}

/// The beginning of a file for a reader's eye: its text, or its bytes where they are no text.
fn begins(head: &[u8]) -> String {
    let first = head.get(..head.len().min(160)).unwrap_or(head);
    let text = match std::str::from_utf8(first) {
        Ok(text) => Some(text),
        // The cut may go through a character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&first[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    let readable = |text: &&str| text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'));
    match text.filter(readable) {
        Some(text) => {
            let line = text.trim_start().lines().next().unwrap_or_default();
            let shown: String = line.chars().take(40).collect();
            if shown.len() < line.len() { format!("`{shown}…`") } else { format!("`{shown}`") }
        }
        None => {
            let bytes: Vec<String> = first.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("bytes that are no text ({} …)", bytes.join(" "))
        }
    }
}

#[cfg(test)]
mod tests;
