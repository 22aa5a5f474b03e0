//! Looking fields up the way Azure's channels spell them.
//!
//! `requestbody`, `requestBody` and `request_body` are one field; `{"value": …}` around a word is
//! the word; an embedded document may be an object or a JSON text of one. A text that is no JSON
//! (single-quoted pseudo JSON among it) is no document, and never a reason to refuse the record.

use std::borrow::Cow;

use domain::ids::Guid;
use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

/// The field of this name; `name` is in lower case without underscores. A null field is absent.
pub(super) fn field<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    // Nearly all records spell the name one way, so the exact hit of a one-word name comes first.
    match object.get(name) {
        Some(value) if !value.is_null() => Some(value),
        _ => object.iter().find(|(key, value)| !value.is_null() && same_key(key, name)).map(|(_, value)| value),
    }
}

/// The first of these fields that is there.
pub(super) fn first_field<'a>(object: &'a Object, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| field(object, name))
}

fn same_key(key: &str, name: &str) -> bool {
    // One letter tells nearly all keys apart, and a record is asked for forty names.
    let first = |text: &str| text.as_bytes().first().map(u8::to_ascii_lowercase);
    if first(key) != first(name) && !key.starts_with('_') {
        return false;
    }
    let letters = key.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase());
    key.len() >= name.len() && letters.eq(name.bytes())
}

/// The word in a value: a text, a number, or either in `{"value": …}`. Empty is absent.
pub(super) fn word(value: &Value) -> Option<Cow<'_, str>> {
    let word = match value {
        Value::String(text) => Cow::Borrowed(text.trim()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Object(object) => return field(object, "value").filter(|inner| !inner.is_object()).and_then(word),
        Value::Null | Value::Bool(_) | Value::Array(_) => return None,
    };
    (!word.is_empty()).then_some(word)
}

/// The word in the first of these fields that holds one.
pub(super) fn word_of<'a>(object: &'a Object, names: &[&str]) -> Option<Cow<'a, str>> {
    names.iter().filter_map(|name| field(object, name)).find_map(word)
}

/// An embedded document: an object, or a text that is one.
pub(super) fn document(value: &Value) -> Option<Cow<'_, Object>> {
    match value {
        Value::Object(object) => Some(Cow::Borrowed(object)),
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        _ => None,
    }
}

/// The document in the first of these fields that holds one.
pub(super) fn document_of<'a>(object: &'a Object, names: &[&str]) -> Option<Cow<'a, Object>> {
    names.iter().filter_map(|name| field(object, name)).find_map(document)
}

/// A GUID in the last segment of a path, or standing alone.
pub(super) fn last_guid(object: &Object, name: &str) -> Option<Guid> {
    let text = word_of(object, &[name])?;
    let segment = text.trim_end_matches('/').rsplit('/').next()?;
    Guid::parse(segment)
}

/// One spelling of an id that need not be a GUID, for comparing.
pub(super) fn comparable_id(text: &str) -> String {
    Guid::parse(text).map_or_else(|| text.trim().to_lowercase(), Guid::simple)
}
