//! Which stream a record of a file belongs to, told from its content.

use std::borrow::Cow;

use domain::entry::Stream;
use serde::Deserialize;

use super::layout::Layout;
use super::{lines, rows, split};
use crate::wire::{self, activity};

/// The one field that decides: a CloudEvent's type.
#[derive(Deserialize)]
struct Envelope<'a> {
    specversion: serde::de::IgnoredAny,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// `None` where the record itself does not tell.
pub(super) fn of_record(record: &[u8]) -> Option<Stream> {
    if let Ok(Envelope { specversion: serde::de::IgnoredAny, kind }) = serde_json::from_slice(record) {
        return of_type(&kind);
    }
    activity::is_azure(record).then_some(Stream::Access)
}

/// Event Grid's events in the CloudEvents schema are records of access too.
fn of_type(kind: &str) -> Option<Stream> {
    wire::stream_of(kind).or_else(|| kind.starts_with("Microsoft.").then_some(Stream::Access))
}

/// The stream of the first record that tells, for those that do not.
pub(super) fn of_head(head: &[u8], layout: Layout) -> Option<Stream> {
    let mut found = None;
    let mut look = |record: Vec<u8>| {
        found = found.or_else(|| of_record(&record));
        Ok(())
    };
    let mut reader = head;
    // The head may be cut anywhere; its last record then does not tell, and that is all.
    let _cut_off = match layout {
        Layout::Lines => lines(&mut reader, &mut look),
        Layout::Document => split::documents(&mut reader, &mut look).map(drop),
        Layout::PortalRows => rows::portal(&mut reader, &mut look),
    };
    found
}
