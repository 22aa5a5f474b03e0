//! A Kafka record seen as a message of the journal, without copying.

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::entry::Stream;
use journal::wire::{Header, MessageRef};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message};

/// Stands for a header whose name is not UTF-8, which the client library cannot hand out.
const UNREADABLE_HEADER: &str = "pec-unreadable-header";

/// Calls `use_it` with the record as the journal wants it.
pub(crate) fn with_ref<R>(
    record: &BorrowedMessage<'_>,
    stream: Stream,
    use_it: impl FnOnce(&MessageRef<'_>) -> R,
) -> R {
    let headers = record.headers().map(read_headers).unwrap_or_default();
    use_it(&MessageRef { stream, key: record.key(), headers: &headers, value: record.payload() })
}

fn read_headers(headers: &BorrowedHeaders) -> Vec<Header<'_>> {
    (0..headers.count())
        .map(|index| {
            // The library panics on a name that is not UTF-8. One odd producer must not stop us.
            match catch_unwind(AssertUnwindSafe(|| headers.try_get(index))) {
                Ok(Some(header)) => Header { name: header.key, value: header.value },
                Ok(None) | Err(_) => Header { name: UNREADABLE_HEADER, value: None },
            }
        })
        .collect()
}
