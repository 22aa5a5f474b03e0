//! Azure's own access records, untranslated: Activity Log, Event Grid, Log Analytics, Entra audit.
//!
//! One record yields one fact or one rejection; a batch as many as it holds. Records of operations
//! that no rule reads are kept and counted as [`Event::OtherActivity`].
//!
//! # Copies of one record
//!
//! A record that arrives on two channels has one identity (resource, operation, correlation,
//! result, time to the millisecond). Its digest covers every decoded fact, so a copy that says more
//! or less (no operation id on Event Hubs, no body on Event Grid, three fraction digits in Log
//! Analytics) is told apart from a plain repetition: the journal keeps it as `conflicting`, with
//! the first copy as antecedent. Whether two copies really contradict each other is not decided
//! here: the access book joins what either lacks, and only a fact that both state differently is a
//! conflict. Nothing a later copy adds is lost, in whichever order they come.
//!
//! What is refused, and under which code, stands in [`REJECTIONS`]; `docs/rejections.md` says what
//! to do about each.

mod assignments;
mod delegations;
mod estate;
mod fields;
mod naming;
mod reading;
mod schedules;
mod shapes;
mod time;
#[cfg(test)]
mod tests;

use domain::entry::{Event, Fact, OtherActivity, Stream};
use serde_json::Value;

use self::fields::{Object, field, word_of};
use self::reading::{GridEnvelope, Reading};
use super::{Items, Rejection};

/// Every code under which a record of Azure's own is quarantined.
pub const REJECTIONS: &[&str] = &[
    // The piece of a batch.
    "R-not-a-record",
    "R-broken-record",
    "R-mixed-batch",
    "R-wrong-topic",
    // Any record.
    "R-no-operation",
    "R-no-time",
    "R-bad-time",
    // Records of operations that a rule reads.
    "R-no-resource",
    "R-bad-resource",
    "R-no-result",
    "R-unknown-result",
    "R-contradictory-result",
    // Access that began or changed, whose facts the record lacks.
    "R-delegation-incomplete",
    "R-definition-alone",
    "R-schedule-incomplete",
    "R-deny-incomplete",
];

/// Reads a message that is no CloudEvent; `None` where it has no shape of Azure's.
#[must_use]
pub fn decode_value(stream: Stream, value: &[u8]) -> Option<Items> {
    let value = value.strip_prefix(b"\xef\xbb\xbf").unwrap_or(value);
    let value: Value = serde_json::from_slice(value).ok()?;
    let pieces = shapes::pieces(&value)?;
    let read = |piece: shapes::Piece<'_>| match stream {
        Stream::Access => piece.and_then(|object| record(&object)),
        _ => Err(wrong_topic(stream)),
    };
    Some(pieces.into_iter().map(read).collect())
}

/// Reads a CloudEvent whose data is Azure's: an Event Grid event in the CloudEvents schema
/// (`Microsoft.Resources.ResourceWriteSuccess`), or any shape of [`decode_value`] in an envelope.
#[must_use]
pub fn decode_event(
    stream: Stream,
    kind: &str,
    subject: Option<&str>,
    time: Option<&str>,
    data: &[u8],
) -> Option<Items> {
    if !kind.starts_with("Microsoft.") {
        return decode_value(stream, data);
    }
    let object: Object = serde_json::from_slice(data).ok()?;
    Some(vec![match stream {
        Stream::Access => {
            Reading::of_event_grid(&GridEnvelope { kind, subject, time }, &object).and_then(|it| fact(&it))
        }
        _ => Err(wrong_topic(stream)),
    }])
}

/// Whether a message has a shape of Azure's.
#[must_use]
pub fn is_azure(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"\xef\xbb\xbf").unwrap_or(value);
    serde_json::from_slice::<Value>(value).is_ok_and(|value| shapes::pieces(&value).is_some())
}

fn wrong_topic(stream: Stream) -> Rejection {
    let detail = format!("records of Azure's own belong on the access topic, this one came on {}", stream.name());
    Rejection { code: "R-wrong-topic", detail }
}

fn record(object: &Object) -> Result<Fact, Rejection> {
    let text = |name| field(object, name).and_then(Value::as_str);
    if let (Some(kind), Some(data)) = (text("eventtype"), field(object, "data").and_then(Value::as_object)) {
        let envelope = GridEnvelope { kind, subject: text("subject"), time: text("eventtime") };
        return fact(&Reading::of_event_grid(&envelope, data)?);
    }
    let reading = Reading::of_record(object)?;
    if word_of(object, &["category"]).is_some_and(|category| category.eq_ignore_ascii_case("AuditLogs")) {
        let read = schedules::read_audit(&reading).or_else(|| estate::read_audit(&reading));
        let event = read.unwrap_or_else(|| other(&reading));
        return Ok(named(&reading, event));
    }
    fact(&reading)
}

fn fact(reading: &Reading<'_>) -> Result<Fact, Rejection> {
    let read = assignments::read(reading)
        .or_else(|| delegations::read(reading))
        .or_else(|| schedules::read(reading))
        .or_else(|| estate::read(reading))
        .unwrap_or_else(|| Ok(other(reading)));
    read.map(|event| named(reading, event))
}

/// A record that no rule reads: kept, counted, shown by its operation.
fn other(reading: &Reading<'_>) -> Event {
    Event::OtherActivity(OtherActivity { operation: reading.operation.as_str().into(), at: reading.at })
}

fn named(reading: &Reading<'_>, event: Event) -> Fact {
    Fact { identity: naming::identity_of(reading), digest: naming::digest_of(&event), event }
}
