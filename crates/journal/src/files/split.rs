//! Cutting one JSON document into its records without reading it whole.
//!
//! Counts brackets and minds strings; judges nothing else. What comes out are the bytes between
//! two commas, as they stand in the file. Where brackets do not match, the rest of the file is one
//! last, broken record: nothing is left out.

use std::io::BufRead;

use super::{FileFault, FileKind, HandOver, LONGEST_RECORD, layout::BYTE_ORDER_MARK};

/// The arrays of records inside an envelope.
const ENVELOPES: [&[u8]; 2] = [b"records", b"value"];

/// Hands over what a file of JSON values holds, one after the other: the elements of an array, those
/// of an envelope's array, or an object itself. The kind is that of the first value. The second
/// answer is whether the file stops before its brackets are closed.
pub(super) fn documents(reader: &mut dyn BufRead, hand_over: HandOver<'_>) -> Result<(FileKind, bool), FileFault> {
    let mut bytes = Bytes { reader, ordinal: 0 };
    bytes.skip_mark()?;
    let mut first_kind = None;
    let mut next = bytes.next_solid()?;
    loop {
        let (kind, ends_early, follows) = match next {
            None => return Ok((first_kind.unwrap_or(FileKind::JsonDocument), false)),
            Some(b'[') => bytes.array(hand_over)?,
            Some(first) => bytes.object(first, hand_over)?,
        };
        let kind = *first_kind.get_or_insert(kind);
        if ends_early {
            return Ok((kind, true));
        }
        next = follows;
    }
}

/// The objects of a line that consists of several, with nothing but blanks between them. `None` for
/// any other line, whole or broken, which is one record as it stands.
pub(super) fn objects_of_line(line: &[u8]) -> Option<Vec<&[u8]>> {
    let may_be_several = line.split(|byte| *byte == b'}').skip(1).any(|rest| rest.trim_ascii_start().starts_with(b"{"));
    if !may_be_several {
        return None;
    }
    let mut objects = Vec::new();
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let end = rest.first().filter(|byte| **byte == b'{').and_then(|_| end_of_object(rest))?;
        let (object, after) = rest.split_at(end);
        objects.push(object);
        rest = after.trim_ascii_start();
    }
    (objects.len() > 1).then_some(objects)
}

/// Behind the bracket that closes the first one.
fn end_of_object(text: &[u8]) -> Option<usize> {
    let mut brackets = Brackets::default();
    text.iter().position(|byte| brackets.closes_all(*byte)).map(|at| at + 1)
}

/// How deep brackets are nested, strings minded.
#[derive(Default)]
struct Brackets {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Brackets {
    /// Takes one byte in; whether it closed the outermost bracket.
    fn closes_all(&mut self, byte: u8) -> bool {
        match (self.in_string, byte) {
            (true, _) if self.escaped => self.escaped = false,
            (true, b'\\') => self.escaped = true,
            (_, b'"') => self.in_string = !self.in_string,
            (false, b'{' | b'[') => self.depth += 1,
            (false, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

struct Bytes<'a> {
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
        let buffer = self.reader.fill_buf().map_err(FileFault::Io)?;
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
        let buffer = self.reader.fill_buf().map_err(FileFault::Io)?;
        if buffer.starts_with(BYTE_ORDER_MARK) {
            self.reader.consume(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    fn hold(&self, record: &mut Vec<u8>, byte: u8) -> Result<(), FileFault> {
        if record.len() >= LONGEST_RECORD {
            return Err(FileFault::RecordTooLong { ordinal: self.ordinal, most: LONGEST_RECORD });
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

    /// A document that is an array. The last answer is the byte that the next value begins with.
    fn array(&mut self, hand_over: HandOver<'_>) -> Result<(FileKind, bool, Option<u8>), FileFault> {
        let ends_early = self.elements(hand_over)?;
        let follows = self.next_value(Vec::new(), hand_over)?;
        Ok((FileKind::JsonArray, ends_early, follows))
    }

    /// A document that is an object: an envelope if one of its own keys holds the records.
    fn object(&mut self, first: u8, hand_over: HandOver<'_>) -> Result<(FileKind, bool, Option<u8>), FileFault> {
        let mut record = vec![first];
        let mut brackets = Brackets { depth: 1, ..Brackets::default() };
        let (mut key_from, mut records_follow, mut closed) = (0, false, false);
        while let Some(byte) = self.next()? {
            if records_follow && byte == b'[' {
                let ends_early = self.elements(hand_over)? || self.skip_rest_of_envelope()?;
                let follows = self.next_value(Vec::new(), hand_over)?;
                return Ok((FileKind::JsonEnvelope, ends_early, follows));
            }
            records_follow &= byte.is_ascii_whitespace();
            self.hold(&mut record, byte)?;
            closed = brackets.closes_all(byte);
            match byte {
                _ if closed => break,
                b',' if !brackets.in_string => key_from = record.len(),
                b':' if !brackets.in_string && brackets.depth == 1 => records_follow = names_records(&record, key_from),
                _ => {}
            }
        }
        let follows = self.next_value(record, hand_over)?;
        Ok((FileKind::JsonDocument, !closed, follows))
    }

    /// What follows the records of an envelope (a link to the next page) is no record. Whether the
    /// file ended before the envelope did.
    fn skip_rest_of_envelope(&mut self) -> Result<bool, FileFault> {
        let mut brackets = Brackets { depth: 1, ..Brackets::default() };
        while let Some(byte) = self.next()? {
            if brackets.closes_all(byte) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hands over a value that is closed, and gives the first byte of the next one. Where something
    /// else follows, brackets do not match: the rest of the file is then part of this record.
    fn next_value(&mut self, mut record: Vec<u8>, hand_over: HandOver<'_>) -> Result<Option<u8>, FileFault> {
        let mut blanks = Vec::new();
        while let Some(byte) = self.next()? {
            if matches!(byte, b'{' | b'[') {
                self.deliver(record, hand_over)?;
                return Ok(Some(byte));
            }
            if byte.is_ascii_whitespace() {
                // A file may end in any number of blanks; those before something else belong to it.
                if blanks.len() < LONGEST_RECORD {
                    blanks.push(byte);
                }
                continue;
            }
            record.append(&mut blanks);
            self.hold(&mut record, byte)?;
            while let Some(byte) = self.next()? {
                self.hold(&mut record, byte)?;
            }
        }
        self.deliver(record, hand_over)?;
        Ok(None)
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
