//! The codes under which a message, or one record of it, is quarantined.
//!
//! A code is stable for ever: it is stored, counted, listed and looked up in `docs/rejections.md`,
//! and a re-drive is chosen by it. The detail is for the reader: which field, what is wrong, what
//! was expected. A test keeps [`ALL`] and the document in step.

use super::Rejection;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $code;)*

        /// Every code of the CloudEvents decoders, of files, and of the tables in them.
        pub const ALL: &[&str] = &[$($code),*];
    };
}

codes! {
    // The bytes.
    TOO_LARGE = "R-too-large";
    NOT_UTF8 = "R-not-utf8";
    NOT_JSON = "R-not-json";
    TOO_DEEP = "R-too-deep";
    TOO_MANY = "R-too-many-values";
    DUPLICATE_KEY = "R-duplicate-key";
    LONE_SURROGATE = "R-lone-surrogate";
    FRAMED = "R-schema-registry";
    UNKNOWN_SHAPE = "R-unknown-shape";
    NO_IDENTITY = "R-no-identity";
    // The envelope.
    CLOUDEVENTS_03 = "R-cloudevents-0.3";
    SPECVERSION = "R-specversion";
    ATTRIBUTE_MISSING = "R-attribute-missing";
    ATTRIBUTE = "R-attribute";
    ATTRIBUTE_NAME = "R-attribute-name";
    HEADER_TWICE = "R-header-twice";
    CONTENT_TYPE = "R-content-type";
    BASE64 = "R-base64";
    DATA_TWICE = "R-data-twice";
    NO_DATA = "R-no-data";
    // The type.
    UNKNOWN_TYPE = "R-unknown-type";
    UNKNOWN_VERSION = "R-unknown-version";
    RESERVED_TYPE = "R-reserved-type";
    WRONG_TOPIC = "R-wrong-topic";
    // The data.
    FIELD_MISSING = "R-field-missing";
    FIELD_TYPE = "R-field-type";
    FIELD_VALUE = "R-field-value";
    NUMBER_LIMIT = "R-number-limit";
    NEGATIVE_QUANTITY = "R-negative-quantity";
    EMPTY_INTERVAL = "R-empty-interval";
    CROSSES_MIDNIGHT = "R-crosses-midnight";
    NO_TARGET = "R-no-target";
    // Files, and tables in them.
    UNKNOWN_FILE = "R-unknown-file";
    DAMAGED = "R-damaged";
    TABLE = "R-table";
    TABLE_COLUMN = "R-table-column";
    TABLE_VALUE = "R-table-value";
    TABLE_MIXED = "R-table-mixed";
    TIERS = "R-tiers";
    PUBLISHED_UNKNOWN = "R-published-unknown";
}

impl Rejection {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Rejection {}

/// What is wrong with one field; knows its path by the time it becomes a [`Rejection`].
#[derive(Debug)]
pub(crate) struct Problem {
    code: &'static str,
    path: String,
    detail: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, path: String::new(), detail: detail.into() }
    }

    pub(crate) fn missing(expected: &str) -> Self {
        Self::new(FIELD_MISSING, format!("is missing; expected {expected}"))
    }

    pub(crate) fn value(found: &str, expected: &str) -> Self {
        Self::new(FIELD_VALUE, format!("is {}; expected {expected}", quoted(found)))
    }

    /// The same problem, seen from the object that holds the field.
    pub(crate) fn within(mut self, name: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => name.to_owned(),
            rest if rest.starts_with('[') => format!("{name}{rest}"),
            rest => format!("{name}.{rest}"),
        };
        self
    }

    pub(crate) fn rejection(self, what: &str) -> Rejection {
        let subject = if self.path.is_empty() { "the data".to_owned() } else { format!("`{}`", self.path) };
        Rejection::new(self.code, format!("{what}: {subject} {}", self.detail))
    }
}

/// Text from a message, shortened and without control characters, for a reader's eye.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() { format!("`{shown}…`") } else { format!("`{shown}`") }
}
