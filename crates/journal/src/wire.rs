//! The one place that knows what a message says: bytes in, facts or rejections out, and back.
//!
//! Decoding is a pure function of the message: the same bytes always yield the same facts, so that
//! a journal can be read again years later. It never panics and never loses a record: what cannot
//! be read becomes a [`Rejection`] with a stable code, and the bytes stay where they are.

pub mod activity;

use domain::entry::{Fact, Stream};

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

/// Reads a message.
#[must_use]
pub fn decode(message: &MessageRef<'_>) -> Items {
    match message.value {
        None => Items::new(),
        Some(_) => vec![Err(Rejection { code: "R-not-json", detail: "no decoder reads this message".to_owned() })],
    }
}
