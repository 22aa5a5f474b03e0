//! The shapes in which one message carries many records, taken apart.
//!
//! Known: `{"records":[…]}`, `{"value":[…]}` of a REST answer, `{"tables":[…]}` of a Log Analytics
//! query, arrays of records or of any of these, records written as JSON texts inside an array, and
//! a bare record. Every piece yields exactly one record or one rejection; a broken piece never
//! takes its neighbours with it.

use std::borrow::Cow;

use serde_json::Value;

use super::fields::{Object, field};
use crate::wire::Rejection;

/// One record of a message, or why it cannot be read.
pub(super) type Piece<'a> = Result<Cow<'a, Object>, Rejection>;

/// How often one shape may be wrapped in another. Real ones are wrapped twice at most.
const MOST_WRAPPINGS: usize = 4;

/// Takes a message apart; `None` where nothing in it looks like Azure's.
pub(super) fn pieces(value: &Value) -> Option<Vec<Piece<'_>>> {
    if !looks_like_azure(value, MOST_WRAPPINGS) {
        return None;
    }
    let mut pieces = Vec::new();
    take_apart(value, MOST_WRAPPINGS, &mut |piece| pieces.push(piece));
    Some(pieces)
}

/// What a piece of a batch is.
enum Shape<'a> {
    Batch(&'a [Value]),
    Tables(&'a [Value]),
    Record(&'a Object),
    Text(&'a str),
    Neither,
}

fn shape(value: &Value) -> Shape<'_> {
    match value {
        Value::Array(items) => Shape::Batch(items),
        Value::String(text) => Shape::Text(text),
        Value::Object(object) => {
            let list = |name| object.get(name).and_then(Value::as_array).map(Vec::as_slice);
            match (list("records"), list("value"), list("tables")) {
                (Some(records), ..) => Shape::Batch(records),
                (_, _, Some(tables)) => Shape::Tables(tables),
                (_, Some(records), _) if field(object, "operationname").is_none() => Shape::Batch(records),
                _ => Shape::Record(object),
            }
        }
        _ => Shape::Neither,
    }
}

/// Whether anything in a value is an Azure record. A `records` array says so by itself: no other
/// shape of ours has one.
fn looks_like_azure(value: &Value, wrappings: usize) -> bool {
    match shape(value) {
        Shape::Batch(items) => {
            let batch_of_azure = value.is_object() && value.get("records").is_some();
            batch_of_azure || (wrappings > 0 && items.iter().any(|item| looks_like_azure(item, wrappings - 1)))
        }
        Shape::Tables(tables) => tables.iter().any(|table| table.get("columns").is_some_and(Value::is_array)),
        Shape::Record(object) => is_record(object),
        Shape::Text(text) => wrappings > 0 && inner(text).is_some_and(|value| looks_like_azure(&value, wrappings - 1)),
        Shape::Neither => false,
    }
}

/// Whether an object is one record of Azure's, as far as its keys tell.
fn is_record(object: &Object) -> bool {
    let has = |name| field(object, name).is_some();
    if object.contains_key("specversion") {
        return false;
    }
    has("operationname")
        || has("operationnamevalue")
        || (has("eventtype") && has("eventtime") && has("data"))
        || (has("eventtimestamp") && (has("authorization") || has("resourceid") || has("id")))
        || (has("time") && has("resourceid"))
        || (has("authorization") && has("properties"))
}

fn take_apart<'a>(value: &'a Value, wrappings: usize, sink: &mut dyn FnMut(Piece<'a>)) {
    match shape(value) {
        Shape::Batch(_) | Shape::Text(_) if wrappings == 0 => {
            let detail = "batches are wrapped in one another too often to be records".to_owned();
            sink(Err(Rejection { code: "R-not-a-record", detail }));
        }
        Shape::Batch([]) if value.is_array() && wrappings < MOST_WRAPPINGS => sink(Err(Rejection {
            code: "R-not-a-record",
            detail: "the batch holds an empty array where a record should stand".to_owned(),
        })),
        Shape::Batch(items) => items.iter().for_each(|item| take_apart(item, wrappings - 1, sink)),
        Shape::Tables(tables) => tables.iter().for_each(|table| rows(table, sink)),
        Shape::Record(object) if is_record(object) => sink(Ok(Cow::Borrowed(object))),
        Shape::Record(object) if object.contains_key("specversion") => sink(Err(Rejection {
            code: "R-mixed-batch",
            detail: "a CloudEvent stands among records of Azure's own; send it as a message of its own".to_owned(),
        })),
        Shape::Record(_) => sink(Err(Rejection {
            code: "R-not-a-record",
            detail: "the object names neither an operation nor a time with a resource: no record of Azure's".to_owned(),
        })),
        Shape::Text(text) => match inner(text) {
            Some(value) => {
                take_apart(&value, wrappings - 1, &mut |piece| sink(piece.map(|it| Cow::Owned(it.into_owned()))))
            }
            None => sink(Err(Rejection {
                code: "R-broken-record",
                detail: format!("the text `{}` in the batch is no JSON, perhaps cut off", super::reading::shown(text)),
            })),
        },
        Shape::Neither => sink(Err(Rejection {
            code: "R-not-a-record",
            detail: "the batch holds a value that is neither an object nor a text".to_owned(),
        })),
    }
}

/// A JSON array or object written as a text.
fn inner(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

/// The rows of a Log Analytics table as records under the names of its columns.
fn rows<'a>(table: &'a Value, sink: &mut dyn FnMut(Piece<'a>)) {
    let columns = table.get("columns").and_then(Value::as_array);
    let names: Option<Vec<&str>> =
        columns.and_then(|columns| columns.iter().map(|column| column.get("name")?.as_str()).collect());
    let rows = table.get("rows").and_then(Value::as_array);
    let (Some(names), Some(rows)) = (names, rows) else {
        let detail = "the query answer has a table without named columns or without rows".to_owned();
        return sink(Err(Rejection { code: "R-not-a-record", detail }));
    };
    for row in rows {
        sink(match row.as_array() {
            Some(cells) if cells.len() == names.len() => {
                let fields = names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.clone()));
                Ok(Cow::Owned(fields.collect()))
            }
            _ => Err(Rejection {
                code: "R-not-a-record",
                detail: format!("a row of the query answer has not the {} cells of its columns", names.len()),
            }),
        });
    }
}
