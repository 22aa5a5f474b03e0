//! The one place that knows what a message says: bytes in, facts or rejections out, and back.
//!
//! Decoding is a pure function of the message: the same bytes always yield the same facts, so that
//! a journal can be read again years later. It never panics and never loses a record: what cannot
//! be read becomes a [`Rejection`] with a stable code, and the bytes stay where they are.

mod access;
pub mod activity;
mod channel;
mod commerce;
mod charges;
mod content;
mod decisions;
mod encode;
mod envelope;
mod estate;
mod form;
mod headers;
mod json;
mod kinds;
mod limits;
mod number;
pub mod prices;
pub mod rates;
mod reference;
mod rejection;
pub mod roles;
mod sink;
mod table;
mod time;
mod usage;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use domain::entry::{Fact, Stream};

use envelope::{Data, Received};
use headers::Headers;
use json::{Document, Value};
use rejection::Problem;

pub(crate) use content::{Naming, Unnamed};
pub use content::{digest, identity};
pub use encode::{Envelope, encode};
pub(crate) use kinds::stream_of;
pub use kinds::{kinds, reserved, type_of};
pub use rejection::ALL as REJECTIONS;
pub use table::{PublishedAt, TableKind, month_in_name, table_kind};

/// One header of a message. A header without a value is not the same as one with an empty value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub name: &'a str,
    pub value: Option<&'a [u8]>,
}

/// A message as it came, borrowed from whoever holds its bytes.
#[derive(Clone, Copy, Debug)]
pub struct MessageRef<'a> {
    /// The stream whose topic (or file) it came on.
    pub stream: Stream,
    pub key: Option<&'a [u8]>,
    pub headers: &'a [Header<'a>],
    /// Absent in a tombstone.
    pub value: Option<&'a [u8]>,
}

/// A message that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub stream: Stream,
    pub key: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub value: Option<Vec<u8>>,
}

impl Message {
    /// The headers, borrowed, for a [`MessageRef`].
    #[must_use]
    pub fn header_refs(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(name, value)| Header { name, value: value.as_deref() }).collect()
    }

    /// Borrows the message; `headers` come from [`Message::header_refs`].
    #[must_use]
    pub fn borrow<'a>(&'a self, headers: &'a [Header<'a>]) -> MessageRef<'a> {
        MessageRef { stream: self.stream, key: self.key.as_deref(), headers, value: self.value.as_deref() }
    }
}

/// Why a message, or one record of it, says nothing that we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Stable, `R-…`.
    pub code: &'static str,
    pub detail: String,
}

/// What one message says: a fact or a rejection per event it carries. Empty for a tombstone.
pub type Items = Vec<Result<Fact, Rejection>>;

/// Reads a message. Never panics, and loses no record: what cannot be read is a [`Rejection`].
#[must_use]
pub fn decode(message: &MessageRef<'_>) -> Items {
    let mut items = Items::new();
    decode_into(message, &mut Naming::AtOnce, &mut items);
    items
}

/// The same, added to `out`, for whoever reads millions and names many facts at a time.
pub(crate) fn decode_into(message: &MessageRef<'_>, naming: &mut Naming<'_>, out: &mut Items) {
    if let Err(rejection) = read(message, naming, out) {
        out.push(Err(rejection));
    }
}

/// An error speaks of the message as a whole; nothing is in `out` then.
fn read(message: &MessageRef<'_>, naming: &mut Naming<'_>, out: &mut Items) -> Result<(), Rejection> {
    let headers = Headers::read(message.headers)?;
    let value = match message.value {
        None if !headers.has_attributes() => return Ok(()),
        None => &[][..],
        Some(value) => value,
    };
    let most = limits::value_bytes(message.stream);
    if value.len() > most {
        let detail = format!("the value has {} bytes; at most {most} are read", value.len());
        return Err(Rejection::new(rejection::TOO_LARGE, detail));
    }
    if value.is_empty() && headers.has_attributes() {
        event(envelope::binary(&headers, Data::Absent, message.key)?, message.stream, naming, out);
        return Ok(());
    }
    match document(value, message.stream) {
        Ok(document) => of_json(message, &headers, unframed(value), &document, naming, out),
        Err(problem) => Err(of_other(message, &headers, problem)),
    }
}

/// A JSON value: a structured event, a batch of them, the data of a binary one, or none of these.
fn of_json(
    message: &MessageRef<'_>,
    headers: &Headers<'_>,
    value: &[u8],
    document: &Document<'_>,
    naming: &mut Naming<'_>,
    out: &mut Items,
) -> Result<(), Rejection> {
    let root = document.root();
    if root.is_object() && (headers.is_structured() || envelope::is_structured(root)) {
        event(envelope::structured(root, message.key)?, message.stream, naming, out);
        return Ok(());
    }
    if root.is_array() && (headers.is_structured() || root.children().any(envelope::is_structured)) {
        for element in root.children() {
            match in_batch(element, message.key) {
                Ok(received) => event(received, message.stream, naming, out),
                Err(rejection) => out.push(Err(rejection)),
            }
        }
        return Ok(());
    }
    if headers.has_attributes() {
        event(envelope::binary(headers, Data::Json(root), message.key)?, message.stream, naming, out);
        return Ok(());
    }
    out.extend(without_envelope(message.stream, value, root)?);
    Ok(())
}

fn in_batch<'d>(element: Value<'d>, key: Option<&'d [u8]>) -> Result<Received<'d>, Rejection> {
    if element.is_object() {
        return envelope::structured(element, key);
    }
    let detail = format!("an element of the batch is {}; expected a CloudEvent", element.describe());
    Err(Rejection::new(rejection::UNKNOWN_SHAPE, detail))
}

/// Why a value that is not JSON cannot be read; a binary event has an identity, and so perhaps a better reason.
fn of_other(message: &MessageRef<'_>, headers: &Headers<'_>, problem: Problem) -> Rejection {
    if headers.has_attributes() && !headers.is_structured() {
        let better = envelope::binary(headers, Data::Opaque, message.key).and_then(|received| {
            kinds::find(&received.kind, message.stream)?;
            received.require_json()
        });
        if let Err(rejection) = better {
            return rejection;
        }
    }
    let framed = message.value.is_some_and(|value| value.first() == Some(&0));
    if framed || headers.is_other_format() {
        let detail = "the value is schema-registry framed or named as another format, and is not JSON; publish JSON";
        return Rejection::new(rejection::FRAMED, detail);
    }
    problem.rejection("the message")
}

/// JSON without any envelope: Azure's own records, or usage that nobody named.
fn without_envelope(stream: Stream, value: &[u8], root: Value<'_>) -> Result<Items, Rejection> {
    if let Some(items) = activity::decode_value(stream, value) {
        return Ok(items);
    }
    if usage::is_bare(root) || root.children().any(usage::is_bare) {
        let detail = "usage without an envelope has no identity; send it as `data` of a CloudEvent with its own id";
        return Err(Rejection::new(rejection::NO_IDENTITY, detail));
    }
    let detail = "the JSON is neither a CloudEvent nor an Azure Activity Log record";
    Err(Rejection::new(rejection::UNKNOWN_SHAPE, detail))
}

/// What one CloudEvent says: a single fact, or as many as a batch of Azure's records in it holds.
fn event(received: Received<'_>, stream: Stream, naming: &mut Naming<'_>, out: &mut Items) {
    match kinds::find(&received.kind, stream) {
        Ok(kind) => out.push(fact(kind, &received, naming)),
        Err(rejection) => match azure_event(&received, stream) {
            Some(items) => out.extend(items),
            None => out.push(Err(rejection)),
        },
    }
}

/// Azure's own records in an envelope: Event Grid in the CloudEvents schema, or a forwarder's.
fn azure_event(received: &Received<'_>, stream: Stream) -> Option<Items> {
    if received.kind.starts_with("pec.") {
        return None;
    }
    let data = received.data()?.raw()?;
    activity::decode_event(
        stream,
        &received.kind,
        received.subject.as_deref(),
        received.time.as_deref(),
        data.as_bytes(),
    )
}

fn fact(kind: &kinds::Kind, received: &Received<'_>, naming: &mut Naming<'_>) -> Result<Fact, Rejection> {
    received.require_json()?;
    let Data::Base64(text) = &received.data else {
        return read_data(kind, received, naming);
    };
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text.as_bytes())
        .map_err(|error| Rejection::new(rejection::BASE64, format!("`data_base64` is not Base64: {error}")))?;
    let inner = document(&bytes, kind.stream).map_err(|problem| problem.rejection("`data_base64`"))?;
    read_data(kind, &received.with_data(inner.root()), naming)
}

fn read_data(kind: &kinds::Kind, received: &Received<'_>, naming: &mut Naming<'_>) -> Result<Fact, Rejection> {
    let event = (kind.read)(received).map_err(|problem| problem.rejection(kind.name))?;
    Ok(naming.fact(kind, received, event))
}

fn document(value: &[u8], stream: Stream) -> Result<Document<'_>, Problem> {
    json::parse(unframed(value), limits::json_values(stream))
}

/// Confluent's framing is a zero byte and a schema id of four bytes; the body of a JSON schema is
/// plain JSON.
fn unframed(value: &[u8]) -> &[u8] {
    match value {
        [0, _, _, _, _, body @ ..] => body,
        _ => value,
    }
}
