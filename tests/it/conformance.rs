//! Other people's suites for JSON and CloudEvents, where the folder of recordings holds them.
//!
//! The kinds in them are not ours, so an envelope that is well-formed ends as `R-unknown-type`, and
//! JSON that is well-formed ends as `R-unknown-shape`. Where a suite and `pec` differ on purpose,
//! the case is named here with the code it gets instead.

use std::collections::BTreeMap;

use base64::Engine as _;
use domain::entry::Stream;
use journal::wire::{Message, decode};
use serde_json::Value;

use crate::recordings::recordings;

/// The one code that a message comes to.
fn code(headers: Vec<(String, Option<Vec<u8>>)>, key: Option<Vec<u8>>, value: Option<Vec<u8>>) -> &'static str {
    let message = Message { stream: Stream::Access, key, headers, value };
    let refs = message.header_refs();
    let mut items = decode(&message.borrow(&refs));
    assert_eq!(items.len(), 1, "{:?}", message.value.as_deref().map(String::from_utf8_lossy));
    items.remove(0).expect_err("nothing in these suites is a fact of ours").code
}

/// The file of this name among the recordings.
fn suite(name: &str) -> Option<String> {
    let path = recordings()?.into_iter().find(|path| path.ends_with(name));
    path.map(|path| std::fs::read_to_string(path).unwrap()).or_else(|| {
        eprintln!("SKIPPED: the recordings hold no {name}");
        None
    })
}

#[test]
fn json_is_refused_and_accepted_as_the_parsing_suite_says() {
    let Some(suite) = suite("nst-jsontestsuite.jsonl") else { return };
    let mut counts: BTreeMap<(String, &str), u32> = BTreeMap::new();
    for line in suite.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (name, expect) = (case["file"].as_str().unwrap(), case["expect"].as_str().unwrap());
        let bytes = base64::engine::general_purpose::STANDARD.decode(case["base64"].as_str().unwrap()).unwrap();
        let code = code(Vec::new(), None, Some(bytes));
        let accepted = code == "R-unknown-shape";
        // Two equal keys are two answers to one question: refused, whatever the grammar allows.
        let twice = name.contains("duplicated_key");
        match expect {
            "accept" => assert!(accepted || (twice && code == "R-duplicate-key"), "{name}: {code}"),
            "reject" => assert!(!accepted, "{name}: accepted"),
            _ => {}
        }
        *counts.entry((expect.to_owned(), code)).or_default() += 1;
    }
    println!("{counts:?}");
    assert!(counts.values().sum::<u32>() > 300);
}

#[test]
fn envelopes_are_refused_and_accepted_as_the_conformance_suite_says() {
    let mut cases = 0;
    for (name, valid) in
        [("conformance-format-json-valid-events.json", true), ("conformance-format-json-invalid-events.json", false)]
    {
        let Some(suite) = suite(name) else { return };
        let suite: Value = serde_json::from_str(&suite).unwrap();
        for case in suite["tests"].as_array().unwrap() {
            let event = case["event"].to_string().into_bytes();
            let structured = ("content-type".to_owned(), Some(b"application/cloudevents+json".to_vec()));
            let code = code(vec![structured], None, Some(event));
            assert_eq!(code == "R-unknown-type", valid, "{}: {code}", case["id"]);
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert!(cases >= 30);
}

#[test]
fn the_kafka_binding_is_read_as_the_sdks_read_it() {
    let Some(suite) = suite("kafka-binding-fixtures.json") else { return };
    let suite: Value = serde_json::from_str(&suite).unwrap();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in suite["cases"].as_array().unwrap() {
        let bytes = |value: &Value| value.as_str().map(|text| text.as_bytes().to_vec());
        let headers = case["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| (name.clone(), bytes(value))).collect();
        let code = code(headers, bytes(&case["key"]), bytes(&case["value"]));
        let name = case["name"].as_str().unwrap();
        let expected = match name {
            "binary-null-value-go" => "R-attribute",
            "binary-no-specversion" | "binary-missing-source" | "binary-extension-name-upper-case" => {
                "R-attribute-missing"
            }
            "not-an-event-text" => "R-not-json",
            "not-an-event-json" => "R-unknown-shape",
            "binary-specversion-11.8" | "structured-specversion-11.8-and-ce_id" => "R-specversion",
            _ if name.contains("0.3") => "R-cloudevents-0.3",
            _ => "R-unknown-type",
        };
        if code != expected {
            wrong.push(format!("{name}: {code}, expected {expected}"));
        }
        *counts.entry(code).or_default() += 1;
    }
    println!("{counts:?}");
    assert_eq!(wrong, Vec::<String>::new());
    assert!(counts.values().sum::<u32>() >= 40);
}
