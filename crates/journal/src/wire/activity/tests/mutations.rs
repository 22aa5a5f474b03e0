//! Bytes that went wrong: no mutation of a record panics, and none takes other records with it.

use serde_json::{Value, json};

use domain::entry::Stream;

use super::super::decode_value;
use super::{cascade, delete, event_hub, request, write};

/// A small generator of the same numbers on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

fn fixtures() -> Vec<Value> {
    vec![
        write("Started", json!({"requestbody": request().to_string()})),
        delete("Succeeded", json!({"responseBody": request().to_string()})),
        cascade(),
        event_hub("Success", "Succeeded."),
        json!({"eventType": "Microsoft.Resources.ResourceWriteSuccess", "eventTime": "2022-03-01T08:00:01Z",
            "data": {"operationName": "x", "status": "Succeeded"}}),
    ]
}

fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..=numbers.next(3) {
        let at = numbers.next(bytes.len());
        match numbers.next(4) {
            0 => bytes[at] = u8::try_from(numbers.next(256)).unwrap(),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"\"{}[],:\\0-T/"[numbers.next(12)]),
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'{');
        }
    }
}

/// How many elements the batch has, as far as anybody can tell.
fn elements(bytes: &[u8]) -> Option<usize> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    value.get("records").and_then(Value::as_array).map(Vec::len)
}

#[test]
fn no_mutation_of_a_batch_panics_or_loses_a_record() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let batch = json!({"records": fixtures()}).to_string().into_bytes();
    let mut readable = 0;
    for _ in 0..20_000 {
        let mut bytes = batch.clone();
        mutate(&mut bytes, &mut numbers);
        let Some(elements) = elements(&bytes) else { continue };
        let items = decode_value(Stream::Access, &bytes).expect("still a batch of records");
        assert!(items.len() >= elements, "{} of {elements}: {}", items.len(), String::from_utf8_lossy(&bytes));
        readable += 1;
    }
    assert!(readable > 1_000, "too few mutations left a batch to be read: {readable}");
}

/// Records as texts: whatever happens to one, its neighbours are read as before.
#[test]
fn no_mutation_of_a_record_touches_its_neighbours() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let neighbour = event_hub("Start", "Started.").to_string();
    let expected = decode_value(Stream::Access, json!([neighbour]).to_string().as_bytes()).unwrap();
    let (mut facts, mut refusals) = (0, 0);
    for round in 0..20_000 {
        let fixtures = fixtures();
        let mut bytes = fixtures[round % fixtures.len()].to_string().into_bytes();
        mutate(&mut bytes, &mut numbers);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let items = decode_value(Stream::Access, json!([neighbour, text, neighbour]).to_string().as_bytes()).unwrap();
        assert!(items.len() >= 3, "{text}");
        assert_eq!((&items[0], &items[items.len() - 1]), (&expected[0], &expected[0]), "{text}");
        match &items[1] {
            Ok(_) => facts += 1,
            Err(_) => refusals += 1,
        }
    }
    assert!(facts > 1_000 && refusals > 1_000, "the mutations prove little: {facts} facts, {refusals} refusals");
}
