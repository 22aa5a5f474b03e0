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
use super::{Rejection, limits, prices, rates, roles, time};

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

/// Recognises a table by the first bytes of a file, unpacked: by its columns, never by its name.
/// `None` for any other file. Two of the columns that make a table what it is suffice, so that one
/// that lacks the third is refused by name; each may have any of the names by which it is read.
#[must_use]
pub fn table_kind(first_bytes: &[u8]) -> Option<TableKind> {
    let first = first_bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first_bytes);
    let line = first.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty())?;
    if matches!(line.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return None;
    }
    // A separator that is refused further down must not hide which table it is.
    let columns: Vec<String> = std::str::from_utf8(line).ok()?.split([',', ';', '\t']).map(column_name).collect();
    let there = |names: &&&[&str]| names.iter().any(|name| columns.contains(&column_name(name)));
    let tables = [
        (TableKind::PriceSheet, prices::KNOWN_BY),
        (TableKind::Roles, roles::KNOWN_BY),
        (TableKind::ExchangeRates, rates::KNOWN_BY),
    ];
    tables.into_iter().find(|(_, known_by)| known_by.iter().filter(there).count() >= 2).map(|(kind, _)| kind)
}

impl TableKind {
    /// The same for the one CSV of a zip archive, which holds nothing else that we read.
    pub fn of_zip(bytes: &[u8]) -> Result<Self, Rejection> {
        let table = unpack(bytes)?;
        utf8(&table)?;
        table_kind(&table).ok_or_else(|| {
            let detail = "the CSV in the zip has no header that we know: of a price sheet, exchange rates or roles";
            Rejection::new(rejection::UNKNOWN_FILE, detail)
        })
    }
}

/// A table in memory, with its columns by name.
pub(crate) struct Table {
    /// Of the text, not of the archive around it: the same sheet in a zip is the same sheet.
    pub(crate) digest: Digest,
    columns: Vec<String>,
    /// Each with the line on which it begins.
    rows: Vec<(u64, csv::StringRecord)>,
}

/// One row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row<'t> {
    table: &'t Table,
    fields: &'t csv::StringRecord,
    /// As an editor counts it, the header included.
    line: u64,
}

impl Table {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Rejection> {
        let unpacked = unpack(bytes)?;
        let bytes = unpacked.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&unpacked);
        let straight = straight_quotes(utf8(bytes)?);
        let mut reader = csv::ReaderBuilder::new().from_reader(straight.as_bytes());
        let columns: Vec<String> =
            reader.headers().map_err(|error| unreadable(&straight, &error))?.iter().map(column_name).collect();
        if let Some(twice) =
            columns.iter().enumerate().find_map(|(at, name)| columns[..at].contains(name).then_some(name))
        {
            let detail = format!("the column {} occurs twice; nothing says which one counts", quoted(twice));
            return Err(Rejection::new(rejection::TABLE_COLUMN, detail));
        }
        let mut lines = Lines::of(&straight);
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| unreadable(&straight, &error))?;
            rows.push((row.position().map_or(0, |position| lines.at(position.byte())), row));
        }
        // A quote that is never closed takes the rest of the file into its field.
        if let Some(Quote::Open(line)) = quote_amiss(&straight, 1) {
            return Err(open_quote(line));
        }
        let digest = Digest(*blake3::hash(bytes).as_bytes());
        Ok(Self { digest, columns, rows })
    }

    /// The rows that say anything at all.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let filled = |(_, row): &&(u64, csv::StringRecord)| row.iter().any(|field| !clean(field).is_empty());
        self.rows.iter().filter(filled).map(|(line, fields)| Row { table: self, fields, line: *line })
    }

    fn column(&self, names: &[&str]) -> Option<usize> {
        self.columns.iter().position(|column| names.iter().any(|name| column == &column_name(name)))
    }

    /// Refuses a table that lacks one of these columns (each with its other names).
    pub(crate) fn require(&self, columns: &[&[&str]]) -> Result<(), Rejection> {
        match columns.iter().find(|names| self.column(names).is_none()) {
            Some(_) if self.columns.len() == 1 => {
                let detail = "its first line has no comma: the columns must be separated by commas, not by `;` or tabs";
                Err(Rejection::new(rejection::TABLE, detail))
            }
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

/// Counts lines up to the places where rows begin, which come in order.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line of what begins at or behind a byte: line ends before it are skipped, because a
    /// reader of CSV counts the second half of CR LF to the next row.
    fn at(&mut self, byte: u64) -> u64 {
        let wanted = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(next) = self.text.get(self.at) {
            let line_end = matches!(next, b'\n' | b'\r');
            if self.at >= wanted && !line_end {
                break;
            }
            let first_half = *next == b'\r' && self.text.get(self.at + 1) == Some(&b'\n');
            self.line += u64::from(line_end && !first_half);
            self.at += 1;
        }
        self.line
    }
}

/// What is wrong with a quote, and on which line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quote {
    /// It is opened there and never closed.
    Open(u64),
    /// It is closed there in the middle of a field, as after one that was forgotten.
    Inside(u64),
}

/// The first quote from a line on that does not do what quotes are for.
fn quote_amiss(text: &str, from_line: u64) -> Option<Quote> {
    let bytes = text.as_bytes();
    let mut lines = Lines::of(text);
    let mut at = 0;
    // Every turn of the loop stands at the beginning of a field.
    while at < bytes.len() {
        if bytes[at] == b'"' {
            let opened = lines.at(at as u64);
            let closed = closing_quote(bytes, at + 1);
            let behind = closed.and_then(|closed| bytes.get(closed + 1));
            match (closed, behind) {
                (None, _) => return Some(Quote::Open(opened)),
                (Some(_), Some(byte)) if !matches!(byte, b',' | b'\r' | b'\n') && opened >= from_line => {
                    return Some(Quote::Inside(opened));
                }
                (Some(closed), _) => at = closed + 1,
            }
        }
        let rest = bytes.get(at..).unwrap_or_default();
        at += rest.iter().position(|byte| matches!(byte, b',' | b'\r' | b'\n')).map_or(rest.len(), |end| end + 1);
    }
    None
}

/// The quote that closes a field; two in a row are one of its text.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'"')?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn open_quote(line: u64) -> Rejection {
    Rejection::new(rejection::TABLE, format!("line {line}: a quote is opened there and never closed"))
}

/// An error of the reader of CSV, with the line of the file.
fn unreadable(text: &str, error: &csv::Error) -> Rejection {
    let csv::ErrorKind::UnequalLengths { pos, expected_len, len } = error.kind() else {
        return Rejection::new(rejection::TABLE, format!("could not read the table: {error}"));
    };
    let line = pos.as_ref().map_or(0, |position| Lines::of(text).at(position.byte()));
    let cause = match quote_amiss(text, line) {
        Some(Quote::Open(opened)) if opened <= line => return open_quote(opened),
        Some(Quote::Inside(amiss)) if amiss == line => "; a quote seems to be missing",
        _ => "",
    };
    let detail = format!("line {line}: it has {len} fields where the header has {expected_len}{cause}");
    Rejection::new(rejection::TABLE, detail)
}

fn utf8(bytes: &[u8]) -> Result<&str, Rejection> {
    if crate::files::is_utf16(bytes) {
        return Err(Rejection::new(rejection::NOT_UTF8, "the table is UTF-16; expected UTF-8"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Rejection::new(rejection::NOT_UTF8, format!("the table is not UTF-8 from line {line} on"))
    })
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
    let damaged = |kind: &str, error: &dyn std::fmt::Display| {
        Rejection::new(rejection::DAMAGED, format!("the {kind} is damaged or cut off: {error}"))
    };
    match bytes {
        [0x1f, 0x8b, ..] => bounded(flate2::read::MultiGzDecoder::new(bytes)).map_err(|error| damaged("gzip", &error)),
        [b'P', b'K', ..] => {
            let mut archive =
                ::zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(|error| damaged("zip", &error))?;
            let is_csv = |name: &&str| name.to_ascii_lowercase().ends_with(".csv");
            let tables: Vec<String> = archive.file_names().filter(is_csv).map(str::to_owned).collect();
            let name = match tables.as_slice() {
                [name] => name,
                [] => return Err(Rejection::new(rejection::TABLE, "the zip holds no CSV file; expected one")),
                several => {
                    let detail = format!("the zip holds {} CSV files; expected one", several.len());
                    return Err(Rejection::new(rejection::TABLE, detail));
                }
            };
            let entry = archive.by_name(name).map_err(|error| damaged("zip", &error))?;
            bounded(entry).map_err(|error| damaged("zip", &error))
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const RATES: &str =
        "\"CurrencyCode\",\"USDPerUnit\",\"Month\"\r\n\"EUR\",\"1.1\",\"202601\"\r\n\"AED\",\"0.27\",\"202601\"\r\n";

    fn refused(text: &str) -> String {
        let stated = PublishedAt::Stated(time::strict("2025-12-31T18:00:00Z").unwrap());
        super::super::rates::events_from_csv(text.as_bytes(), stated).unwrap_err().to_string()
    }

    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in files {
            archive.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(content.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    /// As an editor shows it, the header counted, whatever ends its lines.
    #[test]
    fn the_line_of_a_row_is_that_of_the_file() {
        for ends in ["\r\n", "\n", "\r", "\n\n"] {
            let text = RATES.replace("\"0.27\"", "\"x\"").replace("\r\n", ends);
            let line = if ends == "\n\n" { 5 } else { 3 };
            let wanted =
                format!("R-table-value: line {line}: `USDPerUnit` is `x`; expected a decimal number with a point");
            assert_eq!(refused(&text), wanted, "{ends:?}");
        }
        let broken_lines = RATES.replace("\"EUR\"", "\"EUR\r\n\"").replace("\"0.27\"", "\"x\"");
        assert!(refused(&broken_lines).contains("line 4:"), "{}", refused(&broken_lines));
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said_with_its_line() {
        let short = RATES.replace(",\"0.27\"", "");
        assert_eq!(refused(&short), "R-table: line 3: it has 2 fields where the header has 3");
        let open = RATES.replace("\"EUR\"", "\"EUR");
        assert_eq!(
            refused(&open),
            "R-table: line 2: it has 2 fields where the header has 3; a quote seems to be missing"
        );
        let open_at_the_end = RATES.replace("\"202601\"\r\n\"AED", "\"202601\r\n\"AED");
        assert!(refused(&open_at_the_end).starts_with("R-table: line 2:"), "{}", refused(&open_at_the_end));
        let last = RATES.trim_end().strip_suffix('"').unwrap();
        assert_eq!(refused(last), "R-table: line 3: a quote is opened there and never closed");
        assert!(refused(&RATES.replace(',', ";")).contains("must be separated by commas"));
        assert_eq!(
            refused(&RATES.replace("USDPerUnit", "Rate")),
            "R-table-column: the table has no column `USDPerUnit`"
        );
        let latin = [RATES.as_bytes(), b"\"\xe4\",\"1\",\"202601\"\r\n"].concat();
        assert_eq!(Table::read(&latin).err().unwrap().to_string(), "R-not-utf8: the table is not UTF-8 from line 4 on");
        let wide: Vec<u8> = RATES.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Table::read(&wide).err().unwrap().to_string(), "R-not-utf8: the table is UTF-16; expected UTF-8");
    }

    /// Quotes that stand where they may, also twice in a row or in the middle of plain text.
    #[test]
    fn a_quote_that_is_text_is_no_mistake() {
        for fine in ["\"a\"\"b\",\"c\"\n", "5\" disk,x\n", "\"a,\r\nb\",c", "\"\",\"\"", ""] {
            assert_eq!(quote_amiss(fine, 1), None, "{fine}");
        }
        assert_eq!(quote_amiss("a,b\n\"c,d\n", 1), Some(Quote::Open(2)));
        assert_eq!(quote_amiss("\"a\"b,c\n", 1), Some(Quote::Inside(1)));
    }

    #[test]
    fn a_table_is_known_by_two_of_its_columns_and_a_zip_by_its_one_csv() {
        assert_eq!(table_kind(RATES.as_bytes()), Some(TableKind::ExchangeRates));
        assert_eq!(table_kind(b"ProductId;SkuId;Market\n"), Some(TableKind::PriceSheet));
        assert_eq!(table_kind(b"\xef\xbb\xbf\"ProductId\",\"UnitPrice\"\r\n"), Some(TableKind::PriceSheet));
        assert_eq!(table_kind(b"RoleName,RoleDefinitionId\n"), Some(TableKind::Roles));
        assert_eq!(table_kind(b"Role,RoleId,Eligible\n"), Some(TableKind::Roles), "by other names");
        assert_eq!(table_kind(b"Currency,Month\n"), Some(TableKind::ExchangeRates));
        assert_eq!(table_kind(b"ProductId,SkuId,Currency,Month\n"), Some(TableKind::PriceSheet));
        assert_eq!(table_kind(b"{\"ProductId\":1,\"SkuId\":2}"), None, "a JSON document is no table");
        assert_eq!(table_kind(b"TimeGenerated [UTC],OperationNameValue\n"), None);
        let of_zip = |files: &[(&str, &str)]| TableKind::of_zip(&zip(files)).map_err(|rejection| rejection.to_string());
        assert_eq!(of_zip(&[("a.csv", RATES), ("readme.txt", "x")]), Ok(TableKind::ExchangeRates));
        assert_eq!(
            of_zip(&[("a.csv", RATES), ("b.csv", RATES)]),
            Err("R-table: the zip holds 2 CSV files; expected one".to_owned())
        );
        assert_eq!(of_zip(&[("a.txt", "x")]), Err("R-table: the zip holds no CSV file; expected one".to_owned()));
        assert!(of_zip(&[("a.csv", "once,upon\n")]).unwrap_err().starts_with("R-unknown-file"));
        let damaged = TableKind::of_zip(b"PK\x03\x04garbage").unwrap_err().to_string();
        assert!(damaged.starts_with("R-damaged: the zip is damaged or cut off"), "{damaged}");
    }
}
