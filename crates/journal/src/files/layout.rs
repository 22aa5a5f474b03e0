//! Telling by its first megabyte how a file holds its records.
//!
//! JSON lines and a printed document look alike at first; what tells them apart is where the first
//! line ends. A line end inside a string, or behind a closed value with more to follow, or between
//! two values without a comma, cannot stand in one document, whether the lines are whole or broken.

use super::rows;
use super::source::Source;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Lines,
    /// One JSON value, over many lines or one: an array, an envelope, a single record.
    Document,
    PortalRows,
}

/// Whether text is in UTF-16, with its mark or without: every second byte of ASCII is then zero.
pub(crate) fn is_utf16(head: &[u8]) -> bool {
    let zeros = |from: usize| {
        let every_second = head.iter().take(64).skip(from).step_by(2);
        every_second.clone().count() >= 2 && every_second.into_iter().all(|byte| *byte == 0)
    };
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || zeros(0) || zeros(1)
}

/// `None` where nothing that we read begins like this.
pub(super) fn recognise(head: &[u8]) -> Option<Layout> {
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let first = *text.first()?;
    if !matches!(first, b'{' | b'[') {
        return match rows::is_portal_header(text) {
            true => Some(Layout::PortalRows),
            // A broken first line may still stand above whole ones.
            false => mostly_json_lines(text).then_some(Layout::Lines),
        };
    }
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else {
        return Some(Layout::Document);
    };
    let (line, rest) = text.split_at(end);
    let rest = rest.trim_ascii_start();
    if rest.is_empty() && Source::is_whole(head) {
        return Some(Layout::Document);
    }
    Some(if ends_a_line_record(line, rest) { Layout::Lines } else { Layout::Document })
}

/// Whether the end of this line can only be the end of a record.
fn ends_a_line_record(line: &[u8], rest: &[u8]) -> bool {
    let (depth, in_string) = brackets(line);
    let next_begins = matches!(rest.first(), Some(b'{' | b'['));
    let last = line.trim_ascii_end().last();
    let value_follows_value = next_begins && !matches!(last, Some(b'{' | b'[' | b',' | b':'));
    in_string || depth <= 0 || value_follows_value
}

/// How many brackets a line leaves open, and whether it stops inside a string.
fn brackets(line: &[u8]) -> (i64, bool) {
    let (mut depth, mut in_string, mut escaped) = (0_i64, false, false);
    for byte in line {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth -= 1,
            _ => {}
        }
    }
    (depth, in_string)
}

/// Whether most lines are JSON objects, so that the others can only be broken ones.
fn mostly_json_lines(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let (mut all, mut json) = (0_u64, 0_u64);
    for line in lines {
        all += 1;
        let object = line.first() == Some(&b'{') && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
        json += u64::from(object);
    }
    json * 2 > all
}
