//! One Azure record, whatever channel brought it, reduced to what every rule below asks for.
//!
//! Knows the spellings of the channels: diagnostic records, REST objects of both API versions, the
//! Python SDK, Log Analytics columns, Event Grid events. Requires an operation and a time; all else
//! may be missing, and is then absent here, never made up.

use std::borrow::Cow;

use domain::entry::ActivityResult;
use domain::period::Instant;

use super::fields::{Object, comparable_id, document_of, field, first_field, word, word_of};
use super::time;
use crate::wire::Rejection;

/// What the result words of a record come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ResultWord {
    Known(ActivityResult),
    /// As written, in lower case.
    Unknown(String),
    /// Two places of one record say different things.
    Contradictory(String),
    Absent,
}

pub(super) struct Reading<'a> {
    /// In lower case.
    pub(super) operation: String,
    /// As written.
    pub(super) resource: Option<Cow<'a, str>>,
    pub(super) correlation: Option<Box<str>>,
    pub(super) operation_id: Option<Box<str>>,
    pub(super) result: ResultWord,
    /// The HTTP answer was 204: there was nothing to delete.
    pub(super) no_content: bool,
    /// The HTTP answer was 201: something new.
    pub(super) created: bool,
    pub(super) at: Instant,
    pub(super) properties: Option<Cow<'a, Object>>,
    /// What the caller asked for (`authorization.action`), in lower case. In a cascade it is the
    /// deletion of the group, while the operation is that of the role assignment.
    pub(super) action: Option<String>,
    /// In lower case.
    pub(super) resource_type: Option<String>,
    /// A JSON text in the managing tenant's Lighthouse records.
    pub(super) description: Option<Cow<'a, str>>,
}

/// Names of the time field, the channel's own first.
const TIMES: [&str; 5] = ["eventtimestamp", "time", "timegenerated", "timegenerated [utc]", "eventtime"];

impl<'a> Reading<'a> {
    /// Reads a record of the Activity Log or a diagnostic setting.
    pub(super) fn of_record(object: &'a Object) -> Result<Self, Rejection> {
        let properties = document_of(object, &["properties", "propertiesdynamic", "propertiesd"]);
        let from_properties = properties.as_deref().and_then(|inner| word_of(inner, &["entity"]).map(Cow::into_owned));
        let resource = word_of(object, &["resourceid", "resourceuri"])
            .or_else(|| resource_of_event_id(object))
            .or(from_properties.map(Cow::Owned));
        Ok(Self {
            operation: operation_of(object, properties.as_deref())?,
            resource,
            correlation: id_of(object, "correlationid"),
            operation_id: id_of(object, "operationid"),
            result: result_of(object),
            no_content: no_content(object, properties.as_deref()),
            created: created(object, properties.as_deref()),
            at: time_of(object, &TIMES)?,
            action: action_of(object),
            resource_type: word_of(object, &["resourcetype"]).map(|word| word.to_lowercase()),
            description: word_of(object, &["description"]),
            properties,
        })
    }

    /// Reads an Event Grid event: the envelope's names, and the record in its data. It carries no
    /// body, so no grant can be read from it.
    pub(super) fn of_event_grid(envelope: &GridEnvelope<'a>, data: &'a Object) -> Result<Self, Rejection> {
        let operation = word_of(data, &["operationname"]).unwrap_or(Cow::Borrowed(envelope.kind));
        let at = match envelope.time {
            Some(text) => time::parse(text).ok_or_else(|| bad_time(text))?,
            None => time_of(data, &TIMES)?,
        };
        let mut words = ResultWords::default();
        words.add(word_of(data, &["status"]).as_deref());
        words.add(envelope.kind.rsplit('.').next().and_then(outcome_of_event_type));
        Ok(Self {
            operation: operation.to_lowercase(),
            resource: word_of(data, &["resourceuri", "resourceid"]).or(envelope.subject.map(Cow::Borrowed)),
            correlation: id_of(data, "correlationid"),
            operation_id: None,
            result: words.result(),
            no_content: no_content(data, None),
            created: false,
            at,
            properties: None,
            action: action_of(data),
            resource_type: None,
            description: None,
        })
    }

    /// The time as every channel gives it. Canonical events carry this one, so that copies of
    /// different precision are one body.
    pub(super) fn at_millis(&self) -> Instant {
        let below = self.at.timestamp_subsec_nanos() % 1_000_000;
        self.at - chrono::TimeDelta::nanoseconds(i64::from(below))
    }

    /// The result as the identity names it. A removal that found nothing is named like any success
    /// there: not every channel says which it was.
    pub(super) fn result_name(&self) -> Option<Cow<'_, str>> {
        match &self.result {
            ResultWord::Known(result) => Some(Cow::Borrowed(match result {
                ActivityResult::Started => "started",
                ActivityResult::Accepted => "accepted",
                ActivityResult::Succeeded | ActivityResult::NoContent => "succeeded",
                ActivityResult::Failed => "failed",
            })),
            ResultWord::Unknown(word) | ResultWord::Contradictory(word) => Some(Cow::Borrowed(word)),
            ResultWord::Absent => None,
        }
    }

    /// The result of an operation that a rule reads; one that we do not know is refused.
    pub(super) fn known_result(&self) -> Result<ActivityResult, Rejection> {
        let refuse = |code, what: String| Err(Rejection { code, detail: format!("{}: {what}", self.operation) });
        match &self.result {
            ResultWord::Known(result) => Ok(*result),
            ResultWord::Unknown(word) => refuse(
                "R-unknown-result",
                format!("the result `{}` is none of started, accepted, succeeded, failed", shown(word)),
            ),
            ResultWord::Contradictory(words) => {
                refuse("R-contradictory-result", format!("the record states different results: {}", shown(words)))
            }
            ResultWord::Absent => refuse(
                "R-no-result",
                "the record states no result; export it again without leaving out `status`".to_owned(),
            ),
        }
    }
}

/// What surrounds the data of an Event Grid event, in either of its schemas.
pub(super) struct GridEnvelope<'a> {
    /// `Microsoft.Resources.ResourceWriteSuccess`
    pub(super) kind: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) time: Option<&'a str>,
}

/// Text from a record, shortened, for a reader's eye.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn bad_time(text: &str) -> Rejection {
    let detail = format!("the time `{}` is in no form that can be read without guessing", shown(text));
    Rejection { code: "R-bad-time", detail }
}

fn time_of(object: &Object, names: &[&str]) -> Result<Instant, Rejection> {
    let no_time = || Rejection {
        code: "R-no-time",
        detail: "the record says not when it happened (`time`, `eventTimestamp`, `TimeGenerated`)".to_owned(),
    };
    let text = first_field(object, names).ok_or_else(no_time)?;
    let text = word(text).ok_or_else(no_time)?;
    time::parse(&text).ok_or_else(|| bad_time(&text))
}

/// Log Analytics keeps the operation in `OperationNameValue` and a display name in `OperationName`.
fn operation_of(object: &Object, properties: Option<&Object>) -> Result<String, Rejection> {
    let stated = word_of(object, &["operationnamevalue", "operationname"])
        .or_else(|| properties.and_then(|inner| word_of(inner, &["operationname"])));
    stated.map(|word| word.to_lowercase()).ok_or_else(|| Rejection {
        code: "R-no-operation",
        detail: "the record does not name its operation; export it again without leaving out `operationName`"
            .to_owned(),
    })
}

fn id_of(object: &Object, name: &str) -> Option<Box<str>> {
    word_of(object, &[name]).map(|id| comparable_id(&id).into())
}

/// A REST record that was trimmed to a few keys still has `…/events/{id}/ticks/{ticks}` as its id.
fn resource_of_event_id(object: &Object) -> Option<Cow<'_, str>> {
    let id = field(object, "id")?.as_str()?;
    id.rfind("/events/").map(|end| Cow::Borrowed(id.split_at(end).0))
}

fn action_of(object: &Object) -> Option<String> {
    let direct = document_of(object, &["authorization", "authorizationd"]);
    let within_identity = || {
        let identity = document_of(object, &["identity"])?;
        document_of(&identity, &["authorization"]).map(|inner| Cow::Owned(inner.into_owned()))
    };
    let authorization: Cow<'_, Object> = direct.or_else(within_identity)?;
    word_of(&authorization, &["action"]).map(|action| action.to_lowercase())
}

fn result_of(object: &Object) -> ResultWord {
    let mut words = ResultWords::default();
    words.add(word_of(object, &["status"]).as_deref());
    words.add(word_of(object, &["resulttype"]).as_deref());
    // The display word counts only where the plain one is missing.
    words.add(word_of(object, &["activitystatusvalue", "activitystatus"]).as_deref());
    words.add_signature(word_of(object, &["resultsignature"]).as_deref());
    words.result()
}

fn no_content(object: &Object, properties: Option<&Object>) -> bool {
    answered(object, properties, &["nocontent", "204", "no content"])
}

fn created(object: &Object, properties: Option<&Object>) -> bool {
    answered(object, properties, &["created", "201"])
}

/// Whether the HTTP answer, wherever the channel writes it, was one of these.
fn answered(object: &Object, properties: Option<&Object>, answers: &[&str]) -> bool {
    let says_so = |word: Cow<'_, str>| {
        let word = word.rsplit('.').next().unwrap_or_default().trim();
        answers.iter().any(|answer| answer.eq_ignore_ascii_case(word))
    };
    let names = ["substatus", "activitysubstatusvalue", "activitysubstatus", "resultsignature"];
    names.iter().filter_map(|name| word_of(object, &[name])).any(says_so)
        || properties.and_then(|inner| word_of(inner, &["statuscode"])).is_some_and(says_so)
}

/// `ResourceWriteSuccess` ends in its result; other event types say nothing of the kind.
fn outcome_of_event_type(kind: &str) -> Option<&str> {
    ["Success", "Failure", "Cancel"].into_iter().find(|end| kind.ends_with(end))
}

/// Collects what the several places of one record say about its result.
#[derive(Default)]
struct ResultWords {
    known: Option<ActivityResult>,
    unknown: Option<String>,
    contradiction: Option<String>,
}

impl ResultWords {
    fn add(&mut self, word: Option<&str>) {
        let Some(word) = word else { return };
        match known_word(word) {
            Some(result) => self.agree(result),
            None => self.unknown = self.unknown.take().or_else(|| Some(word.to_lowercase())),
        }
    }

    /// `Succeeded.Created`, `Started.`, `200`, `None`: counts only where its first word is known.
    fn add_signature(&mut self, signature: Option<&str>) {
        if let Some(result) = signature.and_then(|word| word.split('.').next()).and_then(known_word) {
            self.agree(result);
        }
    }

    fn agree(&mut self, result: ActivityResult) {
        match self.known {
            Some(known) if known != result => self.contradiction = Some(format!("{known:?} and {result:?}")),
            _ => self.known = Some(result),
        }
    }

    fn result(self) -> ResultWord {
        match (self.contradiction, self.unknown, self.known) {
            (Some(words), ..) => ResultWord::Contradictory(words),
            (None, Some(word), _) => ResultWord::Unknown(word),
            (None, None, Some(result)) => ResultWord::Known(result),
            (None, None, None) => ResultWord::Absent,
        }
    }
}

/// The words for one result differ by channel, and some end in a dot.
fn known_word(word: &str) -> Option<ActivityResult> {
    const WORDS: [(ActivityResult, &[&str]); 4] = [
        (ActivityResult::Started, &["start", "started"]),
        (ActivityResult::Accepted, &["accept", "accepted", "in progress", "inprogress"]),
        (ActivityResult::Succeeded, &["success", "succeeded"]),
        (ActivityResult::Failed, &["failure", "failed", "cancel", "canceled", "cancelled"]),
    ];
    let word = word.trim().trim_end_matches('.');
    let known = WORDS.into_iter().find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word)));
    known.map(|(result, _)| result)
}
