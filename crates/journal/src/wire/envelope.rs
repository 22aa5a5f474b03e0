//! The CloudEvents 1.0 envelope, structured (in the value) and binary (in the headers).
//!
//! The standard's own conformance cases decide: an empty `id` or `subject`, a numeric `id`, an
//! upper-case extension name, `data` beside `data_base64`, a time that is not RFC 3339 are invalid;
//! a relative `source` and optional attributes that are null are valid. Version 0.3 is another
//! format and says so.

use std::borrow::Cow;

use domain::ids::Guid;
use domain::period::Instant;

use super::json::{Kind, Text, Value};
use super::rejection::{self, Problem, quoted};
use super::{Rejection, form, limits, time};

/// An event as it was received, its attributes checked, its data not yet read.
pub(crate) struct Received<'m> {
    pub(crate) id: Cow<'m, str>,
    pub(crate) source: Cow<'m, str>,
    pub(crate) kind: Cow<'m, str>,
    pub(crate) subject: Option<Cow<'m, str>>,
    /// RFC 3339, checked.
    pub(crate) time: Option<Cow<'m, str>>,
    pub(crate) causation_id: Option<Cow<'m, str>>,
    pub(crate) data: Data<'m>,
    data_content_type: Option<Cow<'m, str>>,
    partition_key: Option<Cow<'m, str>>,
    message_key: Option<&'m [u8]>,
}

/// Where the data of an event is.
#[derive(Clone)]
pub(crate) enum Data<'m> {
    Absent,
    Json(Value<'m>),
    Base64(Cow<'m, str>),
    /// Bytes that are not JSON.
    Opaque,
}

impl<'m> Received<'m> {
    /// The data; JSON null is no data.
    pub(crate) fn data(&self) -> Option<Value<'m>> {
        match self.data {
            Data::Json(value) if !value.is_null() => Some(value),
            _ => None,
        }
    }

    /// The same event with its data unpacked.
    pub(crate) fn with_data<'d>(&'d self, data: Value<'d>) -> Received<'d> {
        let borrowed = |text: &'d Option<Cow<'m, str>>| text.as_deref().map(Cow::Borrowed);
        Received {
            id: Cow::Borrowed(&self.id),
            source: Cow::Borrowed(&self.source),
            kind: Cow::Borrowed(&self.kind),
            subject: borrowed(&self.subject),
            time: borrowed(&self.time),
            causation_id: borrowed(&self.causation_id),
            data: Data::Json(data),
            data_content_type: borrowed(&self.data_content_type),
            partition_key: borrowed(&self.partition_key),
            message_key: self.message_key,
        }
    }

    pub(crate) fn data_object(&self) -> Result<Value<'m>, Problem> {
        match self.data() {
            Some(value) if value.is_object() => Ok(value),
            Some(value) => Err(form::wrong_type(value, "a JSON object")),
            None => Err(Problem::new(rejection::NO_DATA, "is missing; this kind says nothing without `data`")),
        }
    }

    /// When it was sent, as the attribute `time` says.
    pub(crate) fn sent(&self) -> Option<Instant> {
        time::strict(self.time.as_deref()?)
    }

    /// The customer as the transport names it: on usage and commerce the key is the tenant.
    pub(crate) fn customer(&self) -> Option<Guid> {
        let key = self.message_key.and_then(|key| std::str::from_utf8(key).ok());
        self.partition_key.as_deref().or(key).and_then(form::guid)
    }

    /// Refuses data of another format than JSON, which nothing here reads.
    pub(crate) fn require_json(&self) -> Result<(), Rejection> {
        let absent = matches!(self.data, Data::Absent);
        match &self.data_content_type {
            Some(text) if !absent && !is_json(text) => {
                let detail = format!("the data is {}; only JSON is read", quoted(text));
                Err(Rejection::new(rejection::CONTENT_TYPE, detail))
            }
            _ => Ok(()),
        }
    }
}

fn is_json(content_type: &str) -> bool {
    if content_type == JSON {
        return true;
    }
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json") || essence.ends_with("+json")
}

/// How nearly every event names the format of its data.
const JSON: &str = "application/json";

/// Whether a JSON value is meant as a structured event.
pub(crate) fn is_structured(value: Value<'_>) -> bool {
    value.get("specversion").is_some() && (value.get("id").is_some() || value.get("type").is_some())
}

/// The attributes while they are collected, from either mode.
#[derive(Default)]
struct Attributes<'m> {
    specversion: Option<Cow<'m, str>>,
    id: Option<Cow<'m, str>>,
    source: Option<Cow<'m, str>>,
    kind: Option<Cow<'m, str>>,
    subject: Option<Cow<'m, str>>,
    time: Option<Cow<'m, str>>,
    causation_id: Option<Cow<'m, str>>,
    partition_key: Option<Cow<'m, str>>,
    data_content_type: Option<Cow<'m, str>>,
}

impl<'m> Attributes<'m> {
    /// Takes one attribute whose value is text.
    fn take(&mut self, name: &str, text: Cow<'m, str>) -> Result<(), Rejection> {
        let identity = |text: &Cow<'m, str>| {
            let short = text.len() <= limits::IDENTITY_CHARS || text.chars().count() <= limits::IDENTITY_CHARS;
            !text.is_empty() && short && !form::has_control(text)
        };
        match name {
            "specversion" => self.specversion = Some(text),
            "id" => self.id = Some(checked(name, text, identity, "1 to 1,024 characters")?),
            "source" => self.source = Some(checked(name, text, identity, "a URI reference, 1 to 1,024 characters")?),
            "type" => {
                self.kind = Some(checked(name, text, |text| !text.is_empty(), "a type such as pec.usage.recorded.v1")?)
            }
            "time" => {
                let rfc_3339 = |text: &Cow<'m, str>| time::strict(text).is_some();
                self.time = Some(checked(name, text, rfc_3339, "a time in RFC 3339 such as 2026-01-31T22:00:00Z")?);
            }
            "subject" => self.subject = Some(checked(name, text, |text| !text.is_empty(), "text that is not empty")?),
            "dataschema" => drop(checked(name, text, |text| !text.is_empty(), "a URI")?),
            "datacontenttype" => {
                self.data_content_type = Some(checked(name, text, |text| is_media_type(text), "a media type")?)
            }
            "causationid" => self.causation_id = Some(checked(name, text, identity, "the id of an event")?),
            "partitionkey" => self.partition_key = Some(text),
            _ => {}
        }
        Ok(())
    }

    fn received(self, data: Data<'m>, message_key: Option<&'m [u8]>) -> Result<Received<'m>, Rejection> {
        let missing = |name: &str| {
            Rejection::new(rejection::ATTRIBUTE_MISSING, format!("the CloudEvents attribute `{name}` is missing"))
        };
        match self.specversion.as_deref() {
            None => return Err(missing("specversion")),
            Some(version) => check_version(version)?,
        }
        Ok(Received {
            id: self.id.ok_or_else(|| missing("id"))?,
            source: self.source.ok_or_else(|| missing("source"))?,
            kind: self.kind.ok_or_else(|| missing("type"))?,
            subject: self.subject,
            time: self.time,
            causation_id: self.causation_id,
            data,
            data_content_type: self.data_content_type,
            partition_key: self.partition_key,
            message_key,
        })
    }
}

fn checked<'m>(
    name: &str,
    text: Cow<'m, str>,
    fits: impl FnOnce(&Cow<'m, str>) -> bool,
    expected: &str,
) -> Result<Cow<'m, str>, Rejection> {
    if fits(&text) {
        return Ok(text);
    }
    let detail = format!("the CloudEvents attribute `{name}` is {}; expected {expected}", quoted(&text));
    Err(Rejection::new(rejection::ATTRIBUTE, detail))
}

fn check_version(version: &str) -> Result<(), Rejection> {
    match version {
        "1.0" => Ok(()),
        "0.3" => {
            let detail = "CloudEvents 0.3 is another format; publish version 1.0";
            Err(Rejection::new(rejection::CLOUDEVENTS_03, detail))
        }
        other => {
            let detail = format!("`specversion` is {}; expected `1.0`", quoted(other));
            Err(Rejection::new(rejection::SPECVERSION, detail))
        }
    }
}

/// `type/subtype`, with anything after a semicolon.
fn is_media_type(text: &str) -> bool {
    if text == JSON {
        return true;
    }
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-%'*`|~".contains(&b))
    };
    let essence = text.split(';').next().unwrap_or("").trim();
    essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

fn is_attribute_name(name: &str) -> bool {
    (1..=limits::ATTRIBUTE_NAME_CHARS).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Reads an event in structured mode.
pub(crate) fn structured<'m>(event: Value<'m>, message_key: Option<&'m [u8]>) -> Result<Received<'m>, Rejection> {
    // The version first: what is wrong with an event of another version is its version.
    if let Some(Kind::Text(version)) = event.get("specversion").map(Value::kind) {
        check_version(&version.read().map_err(|problem| problem.rejection("the event"))?)?;
    }
    let mut attributes = Attributes::default();
    let mut data = Data::Absent;
    for attribute in event.children() {
        let name = attribute.key().read().map_err(|problem| problem.rejection("the event"))?;
        match (&*name, attribute.kind()) {
            ("data", _) => data = with_data(data, Data::Json(attribute))?,
            ("data_base64", Kind::Null) => {}
            ("data_base64", Kind::Text(text)) => data = with_data(data, Data::Base64(read(&name, text)?))?,
            (_, Kind::Null) if is_attribute_name(&name) => {}
            (_, Kind::Text(text)) if is_attribute_name(&name) => attributes.take(&name, read(&name, text)?)?,
            (_, Kind::Bool(_)) if is_attribute_name(&name) && !is_textual(&name) => {}
            (_, Kind::Number(text)) if is_attribute_name(&name) && !is_textual(&name) && is_integer(text) => {}
            _ => return Err(refused_attribute(&name, attribute)),
        }
    }
    attributes.received(data, message_key)
}

fn read<'m>(name: &str, text: Text<'m>) -> Result<Cow<'m, str>, Rejection> {
    text.read().map_err(|problem| problem.within(name).rejection("the event"))
}

fn with_data<'m>(before: Data<'m>, data: Data<'m>) -> Result<Data<'m>, Rejection> {
    match before {
        Data::Absent => Ok(data),
        _ => Err(Rejection::new(rejection::DATA_TWICE, "the event has both `data` and `data_base64`")),
    }
}

/// Attributes that the standard gives as text.
fn is_textual(name: &str) -> bool {
    matches!(
        name,
        "specversion"
            | "id"
            | "source"
            | "type"
            | "subject"
            | "time"
            | "dataschema"
            | "datacontenttype"
            | "causationid"
    )
}

/// A CloudEvents integer: 32 bits, no point.
fn is_integer(text: &str) -> bool {
    text.parse::<i32>().is_ok()
}

fn refused_attribute(name: &str, value: Value<'_>) -> Rejection {
    if name != "data_base64" && !is_attribute_name(name) {
        let detail = format!("the attribute name {} is not lower-case letters and digits", quoted(name));
        return Rejection::new(rejection::ATTRIBUTE_NAME, detail);
    }
    let expected =
        if is_textual(name) || name == "data_base64" { "text" } else { "text, a whole number, true or false" };
    let detail = format!("the CloudEvents attribute `{name}` is {}; expected {expected}", value.describe());
    Rejection::new(rejection::ATTRIBUTE, detail)
}

/// Reads an event in binary mode: attributes from headers, data from the value.
pub(crate) fn binary<'m>(
    headers: &super::headers::Headers<'m>,
    data: Data<'m>,
    message_key: Option<&'m [u8]>,
) -> Result<Received<'m>, Rejection> {
    let mut attributes = Attributes::default();
    if let Some((_, version)) = headers.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case("specversion")) {
        check_version(version)?;
    }
    for (name, value) in &headers.attributes {
        let name = name.to_ascii_lowercase();
        if !is_attribute_name(&name) {
            let detail = format!("the header name {} is not letters and digits after `ce_`", quoted(&name));
            return Err(Rejection::new(rejection::ATTRIBUTE_NAME, detail));
        }
        attributes.take(&name, Cow::Borrowed(*value))?;
    }
    if attributes.data_content_type.is_none() {
        attributes.data_content_type = headers.content_type.map(Cow::Borrowed);
    }
    attributes.received(data, message_key)
}
