//! How many usage events one core decodes in a second: `cargo run --release -p journal --example
//! decode_speed`.
//!
//! Every message is a structured CloudEvent of about 700 bytes with its own id, resource and
//! quantity. Decoding includes the identity and the content digest. The best of several rounds is
//! printed, because a shared machine only ever adds time.

#![expect(
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "a measurement for people, not a part of the product"
)]

use std::hint::black_box;
use std::time::Instant;

use domain::entry::Stream;
use journal::wire::{Header, MessageRef, decode};

const MESSAGES: usize = 1_000;
const ROUNDS: usize = 600;

fn message(number: usize) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"5f2c3a80-0000-4000-8000-{number:012}","source":"urn:contoso:meter-collector:weu-1","type":"pec.usage.recorded.v1","time":"2020-09-01T23:00:00Z","datacontenttype":"application/json","data":{{"customerId":"22222222-bbbb-4bbb-8bbb-222222222222","subscriptionId":"33333333-cccc-4ccc-8ccc-333333333333","entitlementId":"44444444-dddd-4ddd-8ddd-444444444444","resourceUri":"/subscriptions/44444444-dddd-4ddd-8ddd-444444444444/resourceGroups/rg-prod/providers/Microsoft.Storage/storageAccounts/st{number:06}","meterId":"cb0969aa-aaaa-4d6c-ab4b-7e182fa06aff","usageStartTime":"2020-09-01T22:00:00Z","usageEndTime":"2020-09-01T23:00:00Z","quantity":"{}.800004","unit":"1 GB/Month"}}}}"#,
        number % 100
    )
}

#[expect(clippy::disallowed_methods, reason = "measuring needs a clock")]
fn now() -> Instant {
    Instant::now()
}

fn main() {
    let messages: Vec<String> = (0..MESSAGES).map(message).collect();
    let bytes: usize = messages.iter().map(String::len).sum();
    let headers =
        [Header { name: "content-type", value: Some(b"application/cloudevents+json; charset=UTF-8".as_slice()) }];
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = now();
        for message in &messages {
            let message =
                MessageRef { stream: Stream::Usage, key: None, headers: &headers, value: Some(message.as_bytes()) };
            let items = decode(black_box(&message));
            assert!(matches!(items.as_slice(), [Ok(_)]), "every message must be read: {items:?}");
            black_box(items);
        }
        best = best.min(started.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let (count, total) = (MESSAGES as f64, bytes as f64);
    println!("{:.0} events/s of {:.0} bytes, {:.0} MB/s", count / best, total / count, total / best / 1e6);
}
