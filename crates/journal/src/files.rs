//! Reading files for `pec import`: what is in them, cut into messages, nothing decoded.
//!
//! Read are JSON lines, JSON arrays, REST and Event Hubs exports (`{"value":[…]}`,
//! `{"records":[…]}`), single JSON documents, and rows that the Log Analytics portal exported as
//! CSV; plain or gzip. A file is recognised by what it holds, never by its name. Records are handed
//! over with the bytes that they have in the file, one by one, so that a file may be larger than
//! memory; a broken line or element is handed over like any other and quarantined by the decoder.
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
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::entry::Stream;
use domain::ids::Digest;

use crate::wire::Message;
use layout::Layout;
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

/// Why a file was not read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    #[error("cannot read {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path} is empty")]
    Empty { path: PathBuf },
    #[error(
        "cannot tell what {path} holds: it begins with `{begins}`; expected JSON (lines, an array, an Activity Log \
         export) or a CSV with a known header"
    )]
    UnknownKind { path: PathBuf, begins: String },
    #[error("cannot tell which stream the records of {path} belong to; name it with `--stream`")]
    UnknownStream { path: PathBuf },
    #[error("record {ordinal} of {path} is longer than {most} bytes; a file of that kind cannot be split into records")]
    RecordTooLong { path: PathBuf, ordinal: u64, most: usize },
    #[error("{path} changed while it was read; read it again when nobody writes to it")]
    Changed { path: PathBuf },
    #[error("reading {path} stopped at record {ordinal}")]
    Stopped { path: PathBuf, ordinal: u64, source: Box<dyn std::error::Error + Send + Sync> },
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
    let layout = layout::recognise(&head).ok_or_else(|| unknown_kind(path, &head))?;
    let fallback = match stream_hint {
        Some(stream) => stream,
        None => streams::of_head(&head, layout).ok_or_else(|| FileFault::UnknownStream { path: path.to_owned() })?,
    };
    let name: Arc<str> = path.file_name().map_or_else(|| "".into(), |name| name.to_string_lossy().into());
    let (digest, total) = (source.digest(), source.bytes());
    let position = source.position();
    let mut records = 0;
    let mut last_told = 0;
    let mut hand_over = |value: Vec<u8>| {
        let stream = stream_hint.or_else(|| streams::of_record(&value)).unwrap_or(fallback);
        let message = Message { stream, key: None, headers: Vec::new(), value: Some(value) };
        let coordinates = FileCoordinates { name: Arc::clone(&name), digest, ordinal: records };
        sink(message, coordinates).map_err(|error| FileFault::Stopped {
            path: path.to_owned(),
            ordinal: records,
            source: error.into(),
        })?;
        records += 1;
        let done = position.get();
        if done - last_told >= 1 << 20 {
            last_told = done;
            progress(done, total);
        }
        Ok(())
    };
    let mut reader = std::io::Cursor::new(head).chain(source.rest());
    let (kind, ends_early) = deliver(path, layout, &mut reader, &mut hand_over)?;
    drop(reader);
    source.check_unchanged()?;
    progress(total, total);
    if records == 0 {
        return Err(FileFault::Empty { path: path.to_owned() });
    }
    Ok(FileReport { kind, digest, records, bytes: total, ends_early })
}

type HandOver<'a> = &'a mut dyn FnMut(Vec<u8>) -> Result<(), FileFault>;

fn deliver(
    path: &Path,
    layout: Layout,
    reader: &mut dyn BufRead,
    hand_over: HandOver<'_>,
) -> Result<(FileKind, bool), FileFault> {
    match layout {
        Layout::Lines => lines(path, reader, hand_over).map(|()| (FileKind::JsonLines, false)),
        Layout::Document => split::document(path, reader, hand_over),
        Layout::PortalRows => rows::portal(path, reader, hand_over).map(|()| (FileKind::PortalRows, false)),
    }
}

/// One message per line that is not blank, without its line end.
fn lines(path: &Path, reader: &mut dyn BufRead, hand_over: HandOver<'_>) -> Result<(), FileFault> {
    let mut ordinal = 0;
    loop {
        let mut line = Vec::new();
        let most = LONGEST_RECORD as u64 + 1;
        let read = (&mut *reader).take(most).read_until(b'\n', &mut line).map_err(|source| io(path, source))?;
        if read == 0 {
            return Ok(());
        }
        if read > LONGEST_RECORD {
            return Err(FileFault::RecordTooLong { path: path.to_owned(), ordinal, most: LONGEST_RECORD });
        }
        if ordinal == 0 && line.starts_with(layout::BYTE_ORDER_MARK) {
            line.drain(..layout::BYTE_ORDER_MARK.len());
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        if !line.trim_ascii().is_empty() {
            hand_over(line)?;
            ordinal += 1;
        }
    }
}

fn unknown_kind(path: &Path, head: &[u8]) -> FileFault {
    let head = head.strip_prefix(layout::BYTE_ORDER_MARK).unwrap_or(head);
    if head.trim_ascii().is_empty() {
        return FileFault::Empty { path: path.to_owned() };
    }
    let begins: String = String::from_utf8_lossy(head.get(..head.len().min(200)).unwrap_or(head))
        .chars()
        .take(40)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    FileFault::UnknownKind { path: path.to_owned(), begins }
}

fn io(path: &Path, source: std::io::Error) -> FileFault {
    FileFault::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
