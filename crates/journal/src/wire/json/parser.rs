//! The grammar: reads any document, byte after byte, and says what is wrong with one.

use super::{Form, Node, Problem, Span, Text, limits, quoted, rejection};

pub(super) struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    most_values: usize,
}

/// What stands between two quotes, and whether an escape is in it.
type Quoted = (Span, bool);

const NO_KEY: Quoted = (Span { start: 0, end: 0 }, false);

impl<'a> Parser<'a> {
    /// `nodes` is empty room for what is read.
    pub(super) fn new(text: &'a str, nodes: Vec<Node>, most_values: usize) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, nodes, most_values }
    }

    pub(super) fn document(mut self) -> Result<Vec<Node>, Problem> {
        self.white_space();
        self.value(NO_KEY, 0)?;
        self.white_space();
        if self.at < self.bytes.len() {
            return Err(self.syntax("something follows the end of the JSON value"));
        }
        Ok(self.nodes)
    }

    fn value(&mut self, (key, key_escaped): Quoted, depth: usize) -> Result<(), Problem> {
        let index = self.nodes.len();
        if index >= self.most_values {
            let detail = format!("holds more than {} JSON values; split it into several messages", self.most_values);
            return Err(Problem::new(rejection::TOO_MANY, detail));
        }
        let (value, next) = (Span::default(), 0);
        self.nodes.push(Node { key, value, next, form: Form::Null, key_escaped, value_escaped: false });
        let start = self.at;
        let mut escaped = false;
        let form = match self.peek() {
            Some(b'"') => {
                let (span, with_escape) = self.quoted()?;
                escaped = with_escape;
                self.nodes[index].value = span;
                Form::Text
            }
            Some(b'{') => self.object(index, depth).map(|()| Form::Object)?,
            Some(b'[') => self.array(depth).map(|()| Form::Array)?,
            Some(b'-' | b'0'..=b'9') => {
                self.at =
                    number_end(self.bytes, start).map_err(|at| self.syntax_at(at, "a digit should stand here"))?;
                Form::Number
            }
            Some(b't') => self.word("true", Form::True)?,
            Some(b'f') => self.word("false", Form::False)?,
            Some(b'n') => self.word("null", Form::Null)?,
            Some(_) => return Err(self.syntax("a JSON value cannot begin like this")),
            None => return Err(self.syntax("the text ends where a JSON value should stand")),
        };
        let next = u32::try_from(self.nodes.len()).expect("the limit on values is far below 2^32");
        let node = &mut self.nodes[index];
        if matches!(form, Form::Number | Form::Array | Form::Object) {
            node.value = Span::new(start, self.at);
        }
        (node.form, node.next, node.value_escaped) = (form, next, escaped);
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
            let quoted_key = self.quoted()?;
            self.white_space();
            self.expect(b':', "a colon should follow the key")?;
            self.white_space();
            let key = Text { raw: quoted_key.0.of(self.text), escaped: quoted_key.1 };
            if keys.may_hold(key) && self.holds(index, key)? {
                let detail = format!("has the key {} twice in one object", quoted(key.raw));
                return Err(Problem::new(rejection::DUPLICATE_KEY, detail));
            }
            self.value(quoted_key, depth + 1)?;
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
            if node.key(self.text).is(&key) {
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
            keys.push(node.key(self.text).read()?);
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

    fn quoted(&mut self) -> Result<Quoted, Problem> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = special(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok((Span::new(start, at), escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                Some(_) => return Err(self.syntax_at(at, "a control character inside text must be escaped")),
                None => return Err(self.syntax_at(at, "the text ends inside a string")),
            }
        }
    }

    /// Checks one escape for its form; surrogates are judged when the text is read.
    fn escape(&self, at: usize) -> Result<usize, Problem> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') if self.bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => {
                Ok(at + 6)
            }
            _ => Err(self.syntax_at(at, "this escape does not exist in JSON")),
        }
    }

    fn word(&mut self, word: &str, form: Form) -> Result<Form, Problem> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax("a JSON value cannot begin like this"));
        }
        self.at += word.len();
        Ok(form)
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
        self.syntax_at(self.at, what)
    }

    fn syntax_at(&self, at: usize, what: &str) -> Problem {
        Problem::new(rejection::NOT_JSON, format!("is not JSON at byte {at}: {what}"))
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

/// Where the number that begins at `at` ends, or where a digit is missing.
#[inline]
pub(super) fn number_end(bytes: &[u8], mut at: usize) -> Result<usize, usize> {
    let digits = |mut at: usize| {
        while matches!(bytes.get(at), Some(b'0'..=b'9')) {
            at += 1;
        }
        at
    };
    let at_least_one = |at: usize| match bytes.get(at) {
        Some(b'0'..=b'9') => Ok(digits(at)),
        _ => Err(at),
    };
    at += usize::from(bytes.get(at) == Some(&b'-'));
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => at_least_one(at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = at_least_one(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        at = at_least_one(at)?;
    }
    Ok(at)
}

/// The next byte from `from` on that ends plain text: a quote, a backslash, a control character.
/// Eight bytes at a time: strings are most of a message.
#[inline]
pub(super) fn special(bytes: &[u8], from: usize) -> usize {
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
