//! Events as messages: structured CloudEvents in one fixed notation.
//!
//! What is decided here is journaled and published this way, and imported tables become events this
//! way. Decoding what was encoded gives the same event, identity and digest: a property test.

use domain::entry::{Event, Stream};
use domain::ids::Guid;
use domain::period::Instant;

use super::sink::{Json, Sink as _};
use super::{Message, kinds};

/// The names under which an event travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub id: String,
    pub source: String,
    /// When it was sent; says nothing about when it was true.
    pub time: Option<Instant>,
    /// For a correction, the id of what it corrects.
    pub causation_id: Option<String>,
}

/// Writes an event as a message. The key is the customer's tenant where the event names one.
///
/// # Panics
///
/// On Azure's own records and on what could not be read: those are kept as they came, and nothing
/// here ever writes them anew.
#[must_use]
pub fn encode(envelope: &Envelope, event: &Event) -> Message {
    let kind = kinds::type_of(event).expect("only kinds of our own are written; Azure's records are kept as they came");
    let stream = event.stream().expect("every kind of our own has a stream");
    let mut json = Json::default();
    json.begin_object();
    for (name, value) in [("specversion", "1.0"), ("id", &envelope.id), ("source", &envelope.source), ("type", kind)] {
        json.field(name);
        json.text(value);
    }
    if let Some(time) = envelope.time {
        json.field("time");
        json.instant(time);
    }
    if let Some(id) = &envelope.causation_id {
        json.field("causationid");
        json.text(id);
    }
    json.field("datacontenttype");
    json.text("application/json");
    json.field("data");
    kinds::write_data(event, &mut json);
    json.end_object();
    Message {
        stream,
        key: key(stream, event).map(|customer| customer.to_string().into_bytes()),
        headers: vec![("content-type".to_owned(), Some(b"application/cloudevents+json; charset=UTF-8".to_vec()))],
        value: Some(json.out.into_bytes()),
    }
}

/// One customer's usage and commerce meet in one partition.
fn key(stream: Stream, event: &Event) -> Option<Guid> {
    let customer = match event {
        Event::UsageRecorded(usage) => usage.customer,
        Event::CustomerRegistered(registered) => registered.customer,
        Event::PlanCreated(created) => created.customer,
        Event::CoverageRecorded(coverage) => coverage.customer,
        Event::ChargeRecorded(charge) => charge.customer,
        Event::AzureCreditGranted(granted) => granted.customer,
        Event::RefundGranted(granted) => granted.customer,
        Event::Channel(event) => event.customer()?,
        _ => return None,
    };
    matches!(stream, Stream::Usage | Stream::Commerce).then_some(customer)
}
