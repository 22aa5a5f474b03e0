//! What the headers of a Kafka message say about it.
//!
//! `ce_` headers are taken in any case, because SDKs differ; two that differ only in case are
//! refused, because nothing says which one counts. A header without a value is not there. Values
//! that passed through AMQP carry its type code and length in front, which is taken off.

use super::rejection::{self, quoted};
use super::{Header, Rejection};

/// The headers that mean something to us.
#[derive(Default)]
pub(crate) struct Headers<'a> {
    pub(crate) content_type: Option<&'a str>,
    /// `ce_` attributes without the prefix, in whatever case they came.
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Headers<'a> {
    pub(crate) fn read(headers: &[Header<'a>]) -> Result<Self, Rejection> {
        let mut read = Self::default();
        for header in headers {
            let Some(value) = header.value else { continue };
            if header.name.eq_ignore_ascii_case("content-type") {
                read.content_type = std::str::from_utf8(without_amqp(value)).ok();
            } else if let Some(name) = attribute_name(header.name) {
                if read.attributes.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                    let detail = format!("two headers are called {}, but for case", quoted(header.name));
                    return Err(Rejection::new(rejection::HEADER_TWICE, detail));
                }
                let text = std::str::from_utf8(without_amqp(value)).map_err(|_| {
                    let detail = format!("the header {} is not UTF-8", quoted(header.name));
                    Rejection::new(rejection::ATTRIBUTE, detail)
                })?;
                read.attributes.push((name, text));
            }
        }
        Ok(read)
    }

    pub(crate) fn has_attributes(&self) -> bool {
        !self.attributes.is_empty()
    }

    pub(crate) fn is_structured(&self) -> bool {
        self.content_type.is_some_and(|text| starts_with_ignoring_case(text, "application/cloudevents"))
    }

    /// A body that is not JSON by its own account.
    pub(crate) fn is_other_format(&self) -> bool {
        self.content_type.is_some_and(|text| {
            let text = text.to_ascii_lowercase();
            ["avro", "protobuf", "xml", "thrift"].iter().any(|format| text.contains(format))
        })
    }
}

fn attribute_name(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_at_checked(3)?;
    prefix.eq_ignore_ascii_case("ce_").then_some(rest)
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// AMQP's short string is `a1 length bytes`, its long one `b1 length×4 bytes`. Neither code can
/// begin UTF-8, so nothing else is mistaken for it.
fn without_amqp(value: &[u8]) -> &[u8] {
    match value {
        [0xa1, length, text @ ..] if usize::from(*length) == text.len() => text,
        [0xb1, a, b, c, d, text @ ..] if u32::from_be_bytes([*a, *b, *c, *d]) as usize == text.len() => text,
        _ => value,
    }
}
