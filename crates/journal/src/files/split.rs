//! Cutting one JSON document into its records without reading it whole.
//!
//! Counts brackets and minds strings; judges nothing else. What comes out are the bytes between
//! two commas, as they stand in the file. Where brackets do not match, the rest of the file is one
//! last, broken record: nothing is left out.

use std::io::BufRead;
use std::path::Path;

use super::{FileFault, FileKind, HandOver, LONGEST_RECORD, io, layout::BYTE_ORDER_MARK};

/// The arrays of records inside an envelope.
const ENVELOPES: [&[u8]; 2] = [b"records", b"value"];

/// Hands over the elements of an array, those of an envelope's array, or the document itself.
/// The second answer is whether the file stops before its brackets are closed.
pub(super) fn document(
    path: &Path,
    reader: &mut dyn BufRead,
    hand_over: HandOver<'_>,
) -> Result<(FileKind, bool), FileFault> {
    let mut bytes = Bytes { path, reader, ordinal: 0 };
    bytes.skip_mark()?;
    match bytes.next_solid()? {
        Some(b'[') => {
            let ends_early = bytes.elements(hand_over)?;
            bytes.remainder(Vec::new(), hand_over)?;
            Ok((FileKind::JsonArray, ends_early))
        }
        Some(first) => bytes.object(first, hand_over),
        None => Ok((FileKind::JsonDocument, false)),
    }
}

struct Bytes<'a> {
    path: &'a Path,
    reader: &'a mut dyn BufRead,
    ordinal: u64,
}

/// How an element of an array ended.
enum End {
    Comma,
    Closed,
    File,
}

impl Bytes<'_> {
    fn next(&mut self) -> Result<Option<u8>, FileFault> {
        let buffer = self.reader.fill_buf().map_err(|source| io(self.path, source))?;
        let byte = buffer.first().copied();
        if byte.is_some() {
            self.reader.consume(1);
        }
        Ok(byte)
    }

    fn next_solid(&mut self) -> Result<Option<u8>, FileFault> {
        loop {
            match self.next()? {
                Some(byte) if byte.is_ascii_whitespace() => {}
                other => return Ok(other),
            }
        }
    }

    fn skip_mark(&mut self) -> Result<(), FileFault> {
        let buffer = self.reader.fill_buf().map_err(|source| io(self.path, source))?;
        if buffer.starts_with(BYTE_ORDER_MARK) {
            self.reader.consume(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    fn hold(&self, record: &mut Vec<u8>, byte: u8) -> Result<(), FileFault> {
        if record.len() >= LONGEST_RECORD {
            let (path, ordinal) = (self.path.to_owned(), self.ordinal);
            return Err(FileFault::RecordTooLong { path, ordinal, most: LONGEST_RECORD });
        }
        record.push(byte);
        Ok(())
    }

    fn deliver(&mut self, record: Vec<u8>, hand_over: HandOver<'_>) -> Result<(), FileFault> {
        let blank = record.trim_ascii().is_empty();
        if !blank {
            hand_over(record.trim_ascii().to_vec())?;
            self.ordinal += 1;
        }
        Ok(())
    }

    /// Elements up to the closing bracket; whether the file ended first.
    fn elements(&mut self, hand_over: HandOver<'_>) -> Result<bool, FileFault> {
        loop {
            let mut record = Vec::new();
            let end = self.element(&mut record)?;
            self.deliver(record, hand_over)?;
            match end {
                End::Comma => {}
                End::Closed => return Ok(false),
                End::File => return Ok(true),
            }
        }
    }

    fn element(&mut self, record: &mut Vec<u8>) -> Result<End, FileFault> {
        let (mut depth, mut in_string, mut escaped) = (0_u64, false, false);
        while let Some(byte) = self.next()? {
            match (in_string, byte) {
                (true, _) if escaped => escaped = false,
                (true, b'\\') => escaped = true,
                (_, b'"') => in_string = !in_string,
                (false, b'{' | b'[') => depth += 1,
                (false, b',') if depth == 0 => return Ok(End::Comma),
                (false, b']') if depth == 0 => return Ok(End::Closed),
                (false, b'}' | b']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.hold(record, byte)?;
        }
        Ok(End::File)
    }

    /// A document that is an object: an envelope if one of its own keys holds the records.
    fn object(&mut self, first: u8, hand_over: HandOver<'_>) -> Result<(FileKind, bool), FileFault> {
        let mut record = vec![first];
        let (mut depth, mut in_string, mut escaped) = (1_u64, false, false);
        let (mut key_from, mut records_follow) = (0, false);
        while let Some(byte) = self.next()? {
            if records_follow && byte == b'[' {
                let ends_early = self.elements(hand_over)?;
                self.skip_rest_of_envelope()?;
                return Ok((FileKind::JsonEnvelope, ends_early));
            }
            records_follow &= byte.is_ascii_whitespace();
            self.hold(&mut record, byte)?;
            match (in_string, byte) {
                (true, _) if escaped => escaped = false,
                (true, b'\\') => escaped = true,
                (_, b'"') => in_string = !in_string,
                (false, b'{' | b'[') => depth += 1,
                (false, b'}' | b']') => depth = depth.saturating_sub(1),
                (false, b',') => key_from = record.len(),
                (false, b':') if depth == 1 => records_follow = names_records(&record, key_from),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        let ends_early = depth > 0;
        self.remainder(record, hand_over)?;
        Ok((FileKind::JsonDocument, ends_early))
    }

    /// What follows the records of an envelope (a link to the next page) is no record.
    fn skip_rest_of_envelope(&mut self) -> Result<(), FileFault> {
        while self.next()?.is_some() {}
        Ok(())
    }

    /// Takes what is left of the file into one record.
    fn remainder(&mut self, mut record: Vec<u8>, hand_over: HandOver<'_>) -> Result<(), FileFault> {
        while let Some(byte) = self.next()? {
            self.hold(&mut record, byte)?;
        }
        self.deliver(record, hand_over)
    }
}

/// Whether the key that a colon has just ended is that of an envelope's records.
fn names_records(record: &[u8], key_from: usize) -> bool {
    let key = record.get(key_from..).unwrap_or_default();
    let key = key.strip_suffix(b":").unwrap_or(key).trim_ascii();
    let key = key.strip_prefix(b"{").unwrap_or(key).trim_ascii();
    let name = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\""));
    name.is_some_and(|name| ENVELOPES.contains(&name))
}
