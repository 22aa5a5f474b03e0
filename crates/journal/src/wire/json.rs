//! Strict JSON, read once, borrowed from the message.
//!
//! Stricter than RFC 8259 leaves open: two equal keys in one object are refused at every level,
//! numbers stay the text that was written (a float would lose the 18th digit), invalid UTF-8 and
//! depth are refused. A lone surrogate is refused only where the text is read, so that a broken tag
//! nobody reads does not cost a usage record. One vector of small nodes holds the whole document; a
//! document built like one before is read by comparing what lies between its values (`shape`).

mod parser;
mod shape;

use std::borrow::Cow;

use super::limits;
use super::rejection::{self, Problem, quoted};
use parser::Parser;

/// Text between quotes as it was written; escapes are resolved when it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    pub(crate) fn read(self) -> Result<Cow<'a, str>, Problem> {
        if self.escaped { unescape(self.raw).map(Cow::Owned) } else { Ok(Cow::Borrowed(self.raw)) }
    }

    #[inline]
    pub(crate) fn is(self, name: &str) -> bool {
        if self.escaped { unescape(self.raw).is_ok_and(|text| text == name) } else { self.raw == name }
    }

    /// The text as written, where no escape stands between that and what it says.
    #[inline]
    pub(crate) fn plain(self) -> Option<&'a str> {
        (!self.escaped).then_some(self.raw)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    /// As written; checked against the grammar, not against any range.
    Number(&'a str),
    Text(Text<'a>),
    Array,
    Object,
}

/// Where something stands in the text of its document, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        let place = |at| u32::try_from(at).expect("the limit on a message is far below 4 GiB");
        Self { start: place(start), end: place(end) }
    }

    fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Null,
    True,
    False,
    Number,
    Text,
    Array,
    Object,
}

/// One value, with its key. Small, because a message has some thirty and each is written and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    /// Between its quotes; empty for elements of arrays and for the root.
    key: Span,
    /// Text without its quotes, arrays and objects with their brackets; of no meaning for words.
    value: Span,
    /// The node after this one and all that it holds.
    next: u32,
    form: Form,
    key_escaped: bool,
    value_escaped: bool,
}

impl Node {
    fn key(self, text: &str) -> Text<'_> {
        Text { raw: self.key.of(text), escaped: self.key_escaped }
    }
}

/// A whole document.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

impl Document<'_> {
    pub(crate) fn root(&self) -> Value<'_> {
        Value { document: self, at: 0 }
    }
}

/// One value of a document.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    document: &'d Document<'d>,
    at: u32,
}

impl<'d> Value<'d> {
    #[inline]
    fn node(self) -> Node {
        self.document.nodes[self.at as usize]
    }

    #[inline]
    pub(crate) fn kind(self) -> Kind<'d> {
        let (node, text) = (self.node(), self.document.text);
        match node.form {
            Form::Null => Kind::Null,
            Form::True => Kind::Bool(true),
            Form::False => Kind::Bool(false),
            Form::Number => Kind::Number(node.value.of(text)),
            Form::Text => Kind::Text(Text { raw: node.value.of(text), escaped: node.value_escaped }),
            Form::Array => Kind::Array,
            Form::Object => Kind::Object,
        }
    }

    #[inline]
    pub(crate) fn key(self) -> Text<'d> {
        self.node().key(self.document.text)
    }

    pub(crate) fn is_null(self) -> bool {
        self.node().form == Form::Null
    }

    pub(crate) fn is_object(self) -> bool {
        self.node().form == Form::Object
    }

    pub(crate) fn is_array(self) -> bool {
        self.node().form == Form::Array
    }

    /// What an array or object holds, in the order written. Nothing for other values.
    pub(crate) fn children(self) -> Children<'d> {
        let node = self.node();
        let end = if matches!(node.form, Form::Array | Form::Object) { node.next } else { self.at + 1 };
        Children { document: self.document, at: self.at + 1, end }
    }

    /// The member of an object with this name, `null` included.
    pub(crate) fn get(self, name: &str) -> Option<Value<'d>> {
        if !self.is_object() {
            return None;
        }
        self.children().find(|child| child.key().is(name))
    }

    /// The text of an object or array as it was written, brackets included.
    pub(crate) fn raw(self) -> Option<&'d str> {
        let node = self.node();
        matches!(node.form, Form::Array | Form::Object).then(|| node.value.of(self.document.text))
    }

    /// What the value is, for messages.
    pub(crate) fn describe(self) -> String {
        match self.kind() {
            Kind::Null => "null".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(text) => format!("the number {}", quoted(text)),
            Kind::Text(text) => format!("the text {}", quoted(text.raw)),
            Kind::Array => "an array".to_owned(),
            Kind::Object => "an object".to_owned(),
        }
    }
}

/// The values inside an array or object.
pub(crate) struct Children<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Value<'d>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { document: self.document, at: self.at };
        self.at = value.node().next;
        Some(value)
    }
}

/// Room for the values of nearly every message.
const USUAL_VALUES: usize = 48;

/// Reads a document. A byte order mark and white space around it are no part of it.
pub(crate) fn parse(bytes: &[u8], most_values: usize) -> Result<Document<'_>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = simdutf8::compat::from_utf8(bytes).map_err(|error| {
        Problem::new(rejection::NOT_UTF8, format!("is not UTF-8 from byte {} on", error.valid_up_to()))
    })?;
    let mut nodes = Vec::with_capacity(USUAL_VALUES);
    if shape::read(text, &mut nodes) && nodes.len() <= most_values {
        return Ok(Document { text, nodes });
    }
    nodes.clear();
    let nodes = Parser::new(text, nodes, most_values).document()?;
    shape::learn(text, &nodes);
    Ok(Document { text, nodes })
}

/// Resolves escapes whose form was already checked.
fn unescape(raw: &str) -> Result<String, Problem> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 2..];
        let (plain, used) = match rest.as_bytes()[at + 1] {
            b'b' => ('\u{8}', 0),
            b'f' => ('\u{c}', 0),
            b'n' => ('\n', 0),
            b'r' => ('\r', 0),
            b't' => ('\t', 0),
            b'u' => surrogates(after)?,
            other => (char::from(other), 0),
        };
        out.push(plain);
        rest = &after[used..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Reads what follows `\u`; gives the character and how many bytes it took.
fn surrogates(after: &str) -> Result<(char, usize), Problem> {
    let unit = |from: usize| after.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let lone = || {
        let detail =
            "has a lone surrogate (`\\ud83d` without its other half): half a character, which no text can hold";
        Problem::new(rejection::LONE_SURROGATE, detail)
    };
    let high = unit(0).ok_or_else(lone)?;
    if let Some(plain) = char::from_u32(high) {
        return Ok((plain, 4));
    }
    let low = after.get(4..6).filter(|escape| *escape == "\\u").and_then(|_| unit(6));
    match low {
        Some(low) if (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low) => {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            Ok((char::from_u32(code).ok_or_else(lone)?, 10))
        }
        _ => Err(lone()),
    }
}
