//! Tables as people download them: CSV, plain or in gzip or zip.
//!
//! Columns are found by name, never by place; case, spaces and stray typographic quotes do not
//! matter. A column that occurs twice, a row with too few or too many fields and an archive with
//! two tables are refused: guessing which one counts would price a month wrongly.

use std::borrow::Cow;
use std::io::Read;

use domain::ids::Digest;
use domain::period::{Instant, Period};
use rust_decimal::Decimal;

use super::number::{self, NumberFault};
use super::rejection::{self, quoted};
use super::{Rejection, limits, time};

/// When a table was published. Neither Microsoft's price sheet nor its exchange rates say so
/// themselves, and a clock must not guess: of two sheets for one month, the newer one prices it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublishedAt {
    /// Whoever imports the file knows it.
    Stated(Instant),
    /// Only from a column `PublishedAt` of the file itself.
    InFile,
}

/// Which of the tables that become events a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableKind {
    PriceSheet,
    ExchangeRates,
    Roles,
}

/// Recognises a table by its columns, never by its name; `None` for any other file.
#[must_use]
pub fn table_kind(bytes: &[u8]) -> Option<TableKind> {
    let table = Table::read(bytes).ok()?;
    let has = |names: &[&str]| names.iter().all(|name| table.column(&[name]).is_some());
    if has(&["ProductId", "SkuId", "UnitPrice"]) {
        Some(TableKind::PriceSheet)
    } else if has(&["RoleDefinitionId", "PecEligible"]) {
        Some(TableKind::Roles)
    } else {
        has(&["CurrencyCode", "USDPerUnit"]).then_some(TableKind::ExchangeRates)
    }
}

/// A table in memory, with its columns by name.
pub(crate) struct Table {
    /// Of the text, not of the archive around it: the same sheet in a zip is the same sheet.
    pub(crate) digest: Digest,
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

/// One row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row<'t> {
    table: &'t Table,
    fields: &'t csv::StringRecord,
    /// As an editor counts it.
    line: u64,
}

impl Table {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Rejection> {
        let unpacked = unpack(bytes)?;
        let bytes = unpacked.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&unpacked);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let detail = format!("the table is not UTF-8 from byte {} on", error.valid_up_to());
            Rejection::new(rejection::NOT_UTF8, detail)
        })?;
        let straight = straight_quotes(text);
        let mut reader = csv::ReaderBuilder::new().from_reader(straight.as_bytes());
        let unreadable =
            |error: csv::Error| Rejection::new(rejection::TABLE, format!("could not read the table: {error}"));
        let columns: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(column_name).collect();
        if let Some(twice) =
            columns.iter().enumerate().find_map(|(at, name)| columns[..at].contains(name).then_some(name))
        {
            let detail = format!("the column {} occurs twice; nothing says which one counts", quoted(twice));
            return Err(Rejection::new(rejection::TABLE_COLUMN, detail));
        }
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        let digest = Digest(*blake3::hash(bytes).as_bytes());
        Ok(Self { digest, columns, rows })
    }

    /// The rows that say anything at all.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let filled = |row: &&csv::StringRecord| row.iter().any(|field| !clean(field).is_empty());
        self.rows.iter().filter(filled).map(|fields| Row {
            table: self,
            fields,
            line: fields.position().map_or(0, csv::Position::line),
        })
    }

    fn column(&self, names: &[&str]) -> Option<usize> {
        self.columns.iter().position(|column| names.iter().any(|name| column == &column_name(name)))
    }

    /// Refuses a table that lacks one of these columns (each with its other names).
    pub(crate) fn require(&self, columns: &[&[&str]]) -> Result<(), Rejection> {
        match columns.iter().find(|names| self.column(names).is_none()) {
            Some(names) => {
                let detail = format!("the table has no column `{}`", names[0]);
                Err(Rejection::new(rejection::TABLE_COLUMN, detail))
            }
            None => Ok(()),
        }
    }
}

impl<'t> Row<'t> {
    /// The text of a column, without blanks and stray quotes; empty where the column is not there.
    pub(crate) fn text(self, names: &[&str]) -> &'t str {
        self.table.column(names).and_then(|at| self.fields.get(at)).map_or("", clean)
    }

    /// The text of a column as some value.
    pub(crate) fn value<T>(
        self,
        names: &[&str],
        expected: &str,
        read: impl FnOnce(&'t str) -> Option<T>,
    ) -> Result<T, Rejection> {
        let text = self.text(names);
        read(text).ok_or_else(|| self.wrong(names[0], text, expected))
    }

    pub(crate) fn number(self, names: &[&str]) -> Result<Decimal, Rejection> {
        let text = self.text(names);
        number::spreadsheet(text).map_err(|fault| match fault {
            NumberFault::Form => self.wrong(names[0], text, "a decimal number with a point"),
            NumberFault::Digits => {
                self.wrong(names[0], text, "a number of at most 28 digits, so that it is held exactly")
            }
        })
    }

    pub(crate) fn wrong(self, column: &str, found: &str, expected: &str) -> Rejection {
        let detail = format!("line {}: `{column}` is {}; expected {expected}", self.line, quoted(found));
        Rejection::new(rejection::TABLE_VALUE, detail)
    }
}

/// When the table was published: as stated, else by the newest `PublishedAt` of its rows.
pub(crate) fn published_at(table: &Table, stated: PublishedAt) -> Result<Instant, Rejection> {
    if let PublishedAt::Stated(at) = stated {
        return Ok(at);
    }
    let names = ["PublishedAt", "PublishedDate", "PublicationTime"];
    let mut newest = None;
    for row in table.rows().filter(|row| !row.text(&names).is_empty()) {
        newest = newest.max(Some(row.value(&names, "a time", time::lenient)?));
    }
    newest.ok_or_else(|| {
        let detail =
            "the file does not say when it was published (no column `PublishedAt`); state the time when importing it";
        Rejection::new(rejection::PUBLISHED_UNKNOWN, detail)
    })
}

/// The month in a file's name, such as `pricesheet-US-202009.csv` or `fxrates-2020-09.zip`.
#[must_use]
pub fn month_in_name(name: &str) -> Option<Period> {
    let digits: Vec<&str> = name.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let joined = digits.iter().find(|run| run.len() == 6).and_then(|run| month(run));
    joined.or_else(|| {
        let pair = digits.windows(2).find(|pair| pair[0].len() == 4 && pair[1].len() == 2)?;
        Period::parse(&format!("{}-{}", pair[0], pair[1]))
    })
}

/// `2020-09` or `202009`.
pub(crate) fn month(text: &str) -> Option<Period> {
    match text.split_at_checked(4) {
        Some((year, month)) if text.len() == 6 => Period::parse(&format!("{year}-{month}")),
        _ => Period::parse(text),
    }
}

/// Makes typographic quotes at the border of a field straight, so that they close what a straight
/// one opened; inside a field they are text.
fn straight_quotes(text: &str) -> Cow<'_, str> {
    const CURLY: [char; 4] = ['“', '”', '„', '‟'];
    if !text.contains(CURLY) {
        return Cow::Borrowed(text);
    }
    let border = |c: Option<char>| c.is_none_or(|c| matches!(c, ',' | '\r' | '\n'));
    let mut out = String::with_capacity(text.len());
    for (at, found) in text.char_indices() {
        let after = text[at + found.len_utf8()..].chars().next();
        let at_border = CURLY.contains(&found) && (border(out.chars().next_back()) || border(after));
        out.push(if at_border { '"' } else { found });
    }
    Cow::Owned(out)
}

/// Only letters and digits count in a column's name, in either case.
fn column_name(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn clean(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '“' | '”' | '„' | '‟' | '"' | '\u{feff}'))
}

/// The table itself, out of gzip or zip if it came in one.
fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Rejection> {
    let broken =
        |error: &dyn std::fmt::Display| Rejection::new(rejection::TABLE, format!("could not unpack the file: {error}"));
    match bytes {
        [0x1f, 0x8b, ..] => bounded(flate2::read::MultiGzDecoder::new(bytes)).map_err(|error| broken(&error)),
        [b'P', b'K', 3, 4, ..] => {
            let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(|error| broken(&error))?;
            let tables: Vec<String> = archive
                .file_names()
                .filter(|name| name.to_ascii_lowercase().ends_with(".csv"))
                .map(str::to_owned)
                .collect();
            let [name] = tables.as_slice() else {
                return Err(broken(&format!("it holds {} tables (*.csv); expected exactly one", tables.len())));
            };
            let entry = archive.by_name(name).map_err(|error| broken(&error))?;
            bounded(entry).map_err(|error| broken(&error))
        }
        _ => Ok(bytes.to_vec()),
    }
}

/// Reads to the end, or refuses what unpacks to more than any real table has.
fn bounded(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(limits::TABLE_BYTES + 1).read_to_end(&mut out)?;
    if out.len() as u64 > limits::TABLE_BYTES {
        return Err(std::io::Error::other(format!("it unpacks to more than {} bytes", limits::TABLE_BYTES)));
    }
    Ok(out)
}
