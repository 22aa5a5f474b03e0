//! Two ways to write down the same data: the JSON that `pec` publishes, and the canonical bytes
//! that the content digest is taken over.
//!
//! Every kind describes itself once, field by field in a fixed order (`form`), to either sink. So
//! the two can never disagree about what belongs to an event. The canonical bytes are described in
//! `schemas/README.md`; changing them needs a new version number in `content`.

use domain::ids::Guid;
use domain::period::Instant;
use rust_decimal::Decimal;

use super::time;

pub(crate) trait Sink {
    fn begin_object(&mut self);
    fn end_object(&mut self);
    fn begin_list(&mut self, length: usize);
    fn end_list(&mut self);
    /// The name of what is written next.
    fn field(&mut self, name: &'static str);
    /// Instead of the value of an optional field.
    fn absent(&mut self);
    /// Instead of the value of a field that earlier versions did not have: leaves no trace, so that
    /// what was written before keeps its digest.
    fn left_out(&mut self);
    /// In front of the value of an optional field.
    fn present(&mut self);
    /// Tells apart values of one field that are written in different ways; JSON needs no telling.
    fn tag(&mut self, tag: u8);
    fn text(&mut self, text: &str);
    fn guid(&mut self, guid: Guid);
    /// Bytes that people write as hex digits.
    fn hex(&mut self, bytes: &[u8]);
    fn instant(&mut self, at: Instant);
    fn decimal(&mut self, value: Decimal);
    fn whole(&mut self, value: u64);
    fn boolean(&mut self, value: bool);
}

/// Compact JSON with keys in the order of the form; absent fields are left out.
#[derive(Default)]
pub(crate) struct Json {
    pub(crate) out: String,
    /// The name of the field whose value comes next, held back in case it is absent.
    field: Option<&'static str>,
}

impl Json {
    fn separate(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(',');
        }
        if let Some(name) = self.field.take() {
            self.quoted(name);
            self.out.push(':');
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\' | '\0'..='\u{1f}')) {
            self.out.push_str(&rest[..at]);
            match rest.as_bytes()[at] {
                b'"' => self.out.push_str("\\\""),
                b'\\' => self.out.push_str("\\\\"),
                b'\n' => self.out.push_str("\\n"),
                b'\t' => self.out.push_str("\\t"),
                other => self.out.push_str(&format!("\\u{other:04x}")),
            }
            rest = &rest[at + 1..];
        }
        self.out.push_str(rest);
        self.out.push('"');
    }
}

impl Sink for Json {
    fn begin_object(&mut self) {
        self.separate();
        self.out.push('{');
    }

    fn end_object(&mut self) {
        self.out.push('}');
    }

    fn begin_list(&mut self, _length: usize) {
        self.separate();
        self.out.push('[');
    }

    fn end_list(&mut self) {
        self.out.push(']');
    }

    fn field(&mut self, name: &'static str) {
        self.field = Some(name);
    }

    fn absent(&mut self) {
        self.field = None;
    }

    fn left_out(&mut self) {
        self.field = None;
    }

    fn present(&mut self) {}

    fn tag(&mut self, _tag: u8) {}

    fn text(&mut self, text: &str) {
        self.separate();
        self.quoted(text);
    }

    fn guid(&mut self, guid: Guid) {
        self.text(&guid.to_string());
    }

    fn hex(&mut self, bytes: &[u8]) {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.text(&digits);
    }

    fn instant(&mut self, at: Instant) {
        let mut text = String::new();
        time::print(at, &mut text);
        self.text(&text);
    }

    fn decimal(&mut self, value: Decimal) {
        self.text(&value.normalize().to_string());
    }

    fn whole(&mut self, value: u64) {
        self.separate();
        self.out.push_str(&value.to_string());
    }

    fn boolean(&mut self, value: bool) {
        self.separate();
        self.out.push_str(if value { "true" } else { "false" });
    }
}

/// The canonical bytes: values only, in the order of the form, each of fixed length or with its
/// length in front; one byte says whether an optional value is there.
#[derive(Default)]
pub(crate) struct Canonical {
    pub(crate) out: Vec<u8>,
}

impl Canonical {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a message is far below 4 GiB");
        self.out.extend_from_slice(&length.to_le_bytes());
        self.out.extend_from_slice(bytes);
    }
}

impl Sink for Canonical {
    fn begin_object(&mut self) {}

    fn end_object(&mut self) {}

    fn begin_list(&mut self, length: usize) {
        let length = u32::try_from(length).expect("a message is far below 4 GiB");
        self.out.extend_from_slice(&length.to_le_bytes());
    }

    fn end_list(&mut self) {}

    fn field(&mut self, _name: &'static str) {}

    fn absent(&mut self) {
        self.out.push(0);
    }

    fn left_out(&mut self) {}

    fn present(&mut self) {
        self.out.push(1);
    }

    fn tag(&mut self, tag: u8) {
        self.out.push(tag);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn guid(&mut self, guid: Guid) {
        self.out.extend_from_slice(&guid.0.to_be_bytes());
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
    }

    fn instant(&mut self, at: Instant) {
        self.out.extend_from_slice(&at.timestamp().to_le_bytes());
        self.out.extend_from_slice(&at.timestamp_subsec_nanos().to_le_bytes());
    }

    fn decimal(&mut self, value: Decimal) {
        let plain = value.normalize();
        self.out.extend_from_slice(&plain.mantissa().to_le_bytes());
        self.out.push(u8::try_from(plain.scale()).expect("a decimal has at most 28 places"));
    }

    fn whole(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn boolean(&mut self, value: bool) {
        self.out.push(u8::from(value));
    }
}
