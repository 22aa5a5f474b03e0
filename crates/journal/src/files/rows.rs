//! The CSV that the Log Analytics portal exports: `TimeGenerated [UTC],OperationNameValue,…`.
//!
//! Each row becomes a JSON object under the names of its columns, all values text as they stand in
//! the file; the decoder of Azure's records reads it like a row of a query's answer. Empty cells are
//! left out, which is how absent looks there. A row that CSV cannot read is handed over as text.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::{FileFault, HandOver};

/// Whether a text begins with the header of such an export.
pub(super) fn is_portal_header(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let names: Vec<String> = line.split(',').map(|name| name.trim_matches(['"', ' ', '\r']).to_lowercase()).collect();
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    has(&["timegenerated [utc]", "timegenerated"]) && has(&["operationnamevalue", "operationname"])
}

pub(super) fn portal(reader: &mut dyn BufRead, hand_over: HandOver<'_>) -> Result<(), FileFault> {
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let header = table.byte_headers().map_err(|error| FileFault::Io(error.into()))?.clone();
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let mut row = csv::ByteRecord::new();
    while table.read_byte_record(&mut row).map_err(|error| FileFault::Io(error.into()))? {
        hand_over(record(&names, &row))?;
    }
    Ok(())
}

fn record(names: &[String], row: &csv::ByteRecord) -> Vec<u8> {
    let cells: Option<Vec<&str>> = row.iter().map(|cell| std::str::from_utf8(cell).ok()).collect();
    match cells {
        Some(cells) if cells.len() == names.len() => {
            let filled = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
            let fields: Map<String, Value> =
                filled.map(|(name, cell)| (name.clone(), Value::String(cell.to_owned()))).collect();
            Value::Object(fields).to_string().into_bytes()
        }
        // Ragged or no UTF-8: no JSON either, so that the decoder quarantines it with its bytes.
        _ => row.iter().collect::<Vec<_>>().join(&b","[..]),
    }
}
