//! Strict JSON, read once, borrowed from the message.
//!
//! Stricter than RFC 8259 leaves open: two equal keys in one object are refused at every level,
//! numbers stay the text that was written (a float would lose the 18th digit), invalid UTF-8 and
//! depth are refused. A lone surrogate is refused only where the text is read, so that a broken tag
//! nobody reads does not cost a usage record. One vector of nodes holds the whole document.

use std::borrow::Cow;

use super::limits;
use super::rejection::{self, Problem, quoted};

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
    /// With its text, brackets included.
    Array(&'a str),
    Object(&'a str),
}

#[derive(Clone, Copy, Debug)]
struct Node<'a> {
    /// Empty for elements of arrays and for the root.
    key: Text<'a>,
    kind: Kind<'a>,
    /// The node after this one and all that it holds.
    next: u32,
}

/// A whole document.
pub(crate) struct Document<'a> {
    nodes: Vec<Node<'a>>,
}

impl Document<'_> {
    pub(crate) fn root(&self) -> Value<'_> {
        Value { nodes: &self.nodes, at: 0 }
    }
}

/// One value of a document.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    nodes: &'d [Node<'d>],
    at: usize,
}

impl<'d> Value<'d> {
    pub(crate) fn kind(self) -> Kind<'d> {
        self.nodes[self.at].kind
    }

    pub(crate) fn key(self) -> Text<'d> {
        self.nodes[self.at].key
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.kind(), Kind::Null)
    }

    pub(crate) fn is_object(self) -> bool {
        matches!(self.kind(), Kind::Object(_))
    }

    pub(crate) fn is_array(self) -> bool {
        matches!(self.kind(), Kind::Array(_))
    }

    /// What an array or object holds, in the order written. Nothing for other values.
    pub(crate) fn children(self) -> Children<'d> {
        let node = &self.nodes[self.at];
        let end = match node.kind {
            Kind::Array(_) | Kind::Object(_) => node.next as usize,
            _ => self.at + 1,
        };
        Children { nodes: self.nodes, at: self.at + 1, end }
    }

    /// The member of an object with this name, `null` included.
    pub(crate) fn get(self, name: &str) -> Option<Value<'d>> {
        if !self.is_object() {
            return None;
        }
        self.children().find(|child| child.key().is(name))
    }

    /// The text of an object or array as it was written.
    pub(crate) fn raw(self) -> Option<&'d str> {
        match self.kind() {
            Kind::Array(raw) | Kind::Object(raw) => Some(raw),
            _ => None,
        }
    }

    /// What the value is, for messages.
    pub(crate) fn describe(self) -> String {
        match self.kind() {
            Kind::Null => "null".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(text) => format!("the number {}", quoted(text)),
            Kind::Text(text) => format!("the text {}", quoted(text.raw)),
            Kind::Array(_) => "an array".to_owned(),
            Kind::Object(_) => "an object".to_owned(),
        }
    }
}

/// The values inside an array or object.
pub(crate) struct Children<'d> {
    nodes: &'d [Node<'d>],
    at: usize,
    end: usize,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { nodes: self.nodes, at: self.at };
        self.at = self.nodes[self.at].next as usize;
        Some(value)
    }
}

/// Reads a document. A byte order mark and white space around it are no part of it.
pub(crate) fn parse(bytes: &[u8], most_values: usize) -> Result<Document<'_>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::new(rejection::NOT_UTF8, format!("is not UTF-8 from byte {} on", error.valid_up_to()))
    })?;
    let mut parser = Parser { text, bytes: text.as_bytes(), at: 0, nodes: Vec::with_capacity(48), most_values };
    parser.white_space();
    parser.value(NO_KEY, 0)?;
    parser.white_space();
    if parser.at < parser.bytes.len() {
        return Err(parser.syntax("something follows the end of the JSON value"));
    }
    Ok(Document { nodes: parser.nodes })
}

const NO_KEY: Text<'static> = Text { raw: "", escaped: false };

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node<'a>>,
    most_values: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, key: Text<'a>, depth: usize) -> Result<(), Problem> {
        let index = self.nodes.len();
        if index >= self.most_values {
            let detail = format!("holds more than {} JSON values; split it into several messages", self.most_values);
            return Err(Problem::new(rejection::TOO_MANY, detail));
        }
        self.nodes.push(Node { key, kind: Kind::Null, next: 0 });
        let kind = match self.peek() {
            Some(b'"') => Kind::Text(self.text()?),
            Some(b'{') => {
                let start = self.at;
                self.object(index, depth)?;
                Kind::Object(&self.text[start..self.at])
            }
            Some(b'[') => {
                let start = self.at;
                self.array(depth)?;
                Kind::Array(&self.text[start..self.at])
            }
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            Some(_) => return Err(self.syntax("a JSON value cannot begin like this")),
            None => return Err(self.syntax("the text ends where a JSON value should stand")),
        };
        let next = u32::try_from(self.nodes.len()).expect("the limit on values is far below 2^32");
        let node = &mut self.nodes[index];
        node.kind = kind;
        node.next = next;
        Ok(())
    }

    fn object(&mut self, index: usize, depth: usize) -> Result<(), Problem> {
        self.enter(depth)?;
        if self.closes(b'}') {
            return Ok(());
        }
        let mut keys = Keys::default();
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key in double quotes should stand here"));
            }
            let key = self.text()?;
            self.white_space();
            self.expect(b':', "a colon should follow the key")?;
            self.white_space();
            if keys.may_hold(key) && self.holds(index, key)? {
                let detail = format!("has the key {} twice in one object", quoted(key.raw));
                return Err(Problem::new(rejection::DUPLICATE_KEY, detail));
            }
            self.value(key, depth + 1)?;
            if self.closes_after_element(b'}')? {
                break;
            }
        }
        if keys.unchecked() {
            self.refuse_twins(index)?;
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Problem> {
        self.enter(depth)?;
        if self.closes(b']') {
            return Ok(());
        }
        loop {
            self.value(NO_KEY, depth + 1)?;
            if self.closes_after_element(b']')? {
                return Ok(());
            }
        }
    }

    /// Whether the object at `index`, still open, already holds the key.
    fn holds(&self, index: usize, key: Text<'a>) -> Result<bool, Problem> {
        let key = key.read()?;
        let mut at = index + 1;
        while let Some(node) = self.nodes.get(at) {
            if node.key.is(&key) {
                return Ok(true);
            }
            at = node.next as usize;
        }
        Ok(false)
    }

    /// Large objects are checked once, sorted, so that a thousand keys cost no million comparisons.
    fn refuse_twins(&self, index: usize) -> Result<(), Problem> {
        let mut keys = Vec::new();
        let mut at = index + 1;
        while let Some(node) = self.nodes.get(at) {
            keys.push(node.key.read()?);
            at = node.next as usize;
        }
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                let detail = format!("has the key {} twice in one object", quoted(&pair[0]));
                Err(Problem::new(rejection::DUPLICATE_KEY, detail))
            }
            None => Ok(()),
        }
    }

    fn enter(&mut self, depth: usize) -> Result<(), Problem> {
        if depth >= limits::JSON_DEPTH {
            let detail = format!("is nested deeper than {} levels", limits::JSON_DEPTH);
            return Err(Problem::new(rejection::TOO_DEEP, detail));
        }
        self.at += 1;
        self.white_space();
        Ok(())
    }

    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == Some(bracket);
        if closes {
            self.at += 1;
        }
        closes
    }

    fn closes_after_element(&mut self, bracket: u8) -> Result<bool, Problem> {
        self.white_space();
        if self.closes(bracket) {
            return Ok(true);
        }
        self.expect(b',', "a comma or the closing bracket should stand here")?;
        self.white_space();
        Ok(false)
    }

    fn text(&mut self) -> Result<Text<'a>, Problem> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = special(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Text { raw: &self.text[start..at], escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                Some(_) => {
                    self.at = at;
                    return Err(self.syntax("a control character inside text must be escaped"));
                }
                None => {
                    self.at = at;
                    return Err(self.syntax("the text ends inside a string"));
                }
            }
        }
    }

    /// Checks one escape for its form; surrogates are judged when the text is read.
    fn escape(&mut self, at: usize) -> Result<usize, Problem> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') if self.bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => {
                Ok(at + 6)
            }
            _ => {
                self.at = at;
                Err(self.syntax("this escape does not exist in JSON"))
            }
        }
    }

    fn number(&mut self) -> Result<&'a str, Problem> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.syntax("a digit should stand here")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.at_least_one_digit()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.at_least_one_digit()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn at_least_one_digit(&mut self) -> Result<(), Problem> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax("a digit should stand here"));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, kind: Kind<'a>) -> Result<Kind<'a>, Problem> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax("a JSON value cannot begin like this"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn expect(&mut self, byte: u8, otherwise: &str) -> Result<(), Problem> {
        if self.peek() != Some(byte) {
            return Err(self.syntax(otherwise));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn syntax(&self, what: &str) -> Problem {
        Problem::new(rejection::NOT_JSON, format!("is not JSON at byte {}: {what}", self.at))
    }
}

/// A small filter in front of the search for a key's twin: says "surely new" for nearly all keys.
#[derive(Default)]
struct Keys {
    seen: u64,
    count: u32,
}

impl Keys {
    /// Beyond this many keys an object is checked once, at its end.
    const FEW: u32 = 64;

    fn may_hold(&mut self, key: Text<'_>) -> bool {
        self.count += 1;
        if self.count > Self::FEW {
            return false;
        }
        if key.escaped {
            // Another spelling of a known key has another filter bit: let the search decide, and
            // let it decide for every later key as well.
            self.seen = u64::MAX;
            return true;
        }
        let bytes = key.raw.as_bytes();
        let edge = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or(0));
        let middle = edge(bytes.get(bytes.len() / 2));
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mixed = edge(bytes.first())
            .wrapping_mul(31)
            .wrapping_add(edge(bytes.last()).wrapping_mul(7))
            .wrapping_add(middle.wrapping_mul(131))
            .wrapping_add(length);
        let bit = 1_u64 << (mixed.wrapping_mul(0x9e37_79b1) >> 26);
        let seen = self.seen & bit != 0;
        self.seen |= bit;
        seen
    }

    fn unchecked(&self) -> bool {
        self.count > Self::FEW
    }
}

/// The next byte from `from` on that ends plain text: a quote, a backslash, a control character.
/// Eight bytes at a time: strings are most of a message.
fn special(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("the slice has eight bytes"));
        let quote = zero_in(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_in(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = quote | backslash | control;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
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
