//! Where a command writes, and how: tables for people, JSON for programs.
//!
//! A command never touches the process's own stdout: it is handed an [`Output`], which leads to a
//! terminal, or through the socket to the terminal of whoever asked. So an answer cannot differ
//! between the two. Nothing here knows what it prints.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, TableComponent, Width, presets,
};
use serde::{Deserialize, Serialize};

/// What the far end can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Style {
    pub width: u16,
    pub color: bool,
    /// Whether progress may be drawn on stderr.
    pub progress: bool,
}

impl Style {
    /// Plain text at 80 columns: what a file or a pipe gets.
    pub const PLAIN: Self = Self { width: 80, color: false, progress: false };
}

type Sink = Arc<Mutex<Box<dyn Write + Send>>>;

/// Both channels of a command, and how to write on them.
pub struct Output {
    out: Sink,
    err: Sink,
    pub style: Style,
}

impl Output {
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, style: Style) -> Self {
        Self { out: Arc::new(Mutex::new(out)), err: Arc::new(Mutex::new(err)), style }
    }

    /// This process's own stdout and stderr.
    #[must_use]
    pub fn terminal(style: Style) -> Self {
        Self::new(Box::new(io::BufWriter::new(io::stdout())), Box::new(io::stderr()), style)
    }

    /// One line of the answer.
    pub fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        writeln!(lock(&self.out), "{text}")
    }

    /// Bytes of the answer, as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        lock(&self.out).write_all(bytes)
    }

    /// A line beside the answer: progress, warnings, hints. Never part of what a program reads.
    /// It comes after the lines that were written before it, on a terminal too.
    pub fn note(&mut self, text: impl fmt::Display) -> io::Result<()> {
        lock(&self.out).flush()?;
        writeln!(lock(&self.err), "{text}")
    }

    /// Bytes beside the answer, as they are.
    pub fn note_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        lock(&self.err).write_all(bytes)
    }

    /// One JSON document.
    pub fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        Ok(self.line(text)?)
    }

    /// One line of a list (NDJSON).
    pub fn ndjson(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(value)?;
        Ok(self.line(text)?)
    }

    pub fn table(&mut self, table: Table) -> io::Result<()> {
        let text = self.finish(table);
        self.line(text)
    }

    fn finish(&self, mut table: Table) -> String {
        table.set_width(self.style.width);
        if self.style.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let text = table.to_string();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// A heading above a table.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.bold(text);
        self.line(text)
    }

    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        if self.style.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Where an `indicatif` bar draws; hidden when nobody looks.
    #[must_use]
    pub fn progress_target(&self) -> indicatif::ProgressDrawTarget {
        if self.style.progress {
            let terminal = ProgressTerminal { err: Arc::clone(&self.err), width: self.style.width };
            indicatif::ProgressDrawTarget::term_like_with_hz(Box::new(terminal), 10)
        } else {
            indicatif::ProgressDrawTarget::hidden()
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        lock(&self.out).flush()?;
        lock(&self.err).flush()
    }
}

/// A writer that panicked half way has at worst cut a line; going on is better than a second panic.
fn lock(sink: &Sink) -> std::sync::MutexGuard<'_, Box<dyn Write + Send>> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A terminal at the end of a sink, as far as a progress bar needs one.
struct ProgressTerminal {
    err: Sink,
    width: u16,
}

impl fmt::Debug for ProgressTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressTerminal").field("width", &self.width).finish_non_exhaustive()
    }
}

impl ProgressTerminal {
    fn write(&self, text: &str) -> io::Result<()> {
        let mut err = lock(&self.err);
        err.write_all(text.as_bytes())?;
        err.flush()
    }

    fn go(&self, n: usize, direction: char) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write(&format!("\x1b[{n}{direction}")) }
    }
}

impl indicatif::TermLike for ProgressTerminal {
    fn width(&self) -> u16 {
        self.width
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }
    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }
    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{text}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.write(text)
    }
    fn clear_line(&self) -> io::Result<()> {
        self.write("\r\x1b[2K")
    }
    fn flush(&self) -> io::Result<()> {
        lock(&self.err).flush()
    }
}

/// An empty table in the house style: a ruled header, no frame, two spaces between columns.
#[must_use]
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|title| Cell::new(title).add_attribute(Attribute::Bold)));
    for (column, title) in table.column_iter_mut().zip(header) {
        column.set_padding((0, 1));
        // A head may be broken between its words, never inside one, however narrow the terminal is.
        let longest = title.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
        let width = u16::try_from(longest + 1).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    table
}

/// A cell whose digits line up with those above it.
#[must_use]
pub fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[must_use]
pub fn left(text: impl ToString) -> Cell {
    Cell::new(text)
}

/// Right-aligns a whole column, header included.
pub fn align_right(table: &mut Table, columns: &[usize]) {
    for index in columns {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// `1` with `resource` reads `1 resource`; `2` reads `2 resources`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// Groups digits by three: `12,345,678`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A sentence in lines of at most `width` characters, each after the first begun with `indent` blanks.
#[must_use]
pub fn wrapped(sentence: &str, width: usize, indent: usize) -> String {
    let mut text = String::new();
    let mut used = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            used = indent;
        } else if used > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_wrapped_at_words_and_loses_none() {
        assert_eq!(wrapped("one two three", 80, 2), "one two three");
        assert_eq!(wrapped("one two three", 8, 2), "one two\n  three");
        assert_eq!(wrapped("a-word-too-long b", 5, 1), "a-word-too-long\n b");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(12_345_678), "12,345,678");
    }

    #[test]
    fn a_head_is_not_broken_inside_a_word_on_the_narrowest_terminal() {
        let header = ["file", "records", "accepted", "duplicate", "conflicting", "quarantined", "late"];
        let mut narrow = table(&header);
        narrow.add_row([left("a-name-that-is-long.jsonl")].into_iter().chain((0..6).map(right)));
        let text = Output::terminal(Style { width: 60, ..Style::PLAIN }).finish(narrow);
        assert!(header.iter().all(|title| text.lines().next().unwrap_or_default().contains(title)), "{text}");
    }

    #[test]
    fn a_table_has_no_color_unless_asked_and_no_trailing_blanks() {
        let mut plain = table(&["day", "amount"]);
        plain.add_row([left("2026-01-01"), right("1.00 EUR")]);
        let out = Output::terminal(Style::PLAIN);
        let text = out.finish(plain.clone());
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.lines().all(|line| line.trim_end() == line));
        let out = Output::terminal(Style { color: true, ..Style::PLAIN });
        assert!(out.finish(plain).contains('\x1b'));
    }
}
