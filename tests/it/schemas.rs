//! The schemas and the decoder give one verdict.
//!
//! Schemas are what producers validate against; the decoder is what counts. Random events of every
//! kind must pass both, and every valid example, changed in one field at a time, must be accepted
//! or refused by both alike. What a schema cannot say (two fields together) is listed and checked
//! apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::entry::{Event, Stream};
use journal::wire::{self, Header, Message, MessageRef, Rejection};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::generate;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

/// One schema file: `usage.recorded.v1`, or a further shape of one, `usage.recorded.v1.utilization`.
struct Schema {
    stream: Stream,
    name: String,
    validator: jsonschema::Validator,
}

impl Schema {
    /// The CloudEvents type whose data it describes.
    fn kind(&self) -> String {
        let version = self.name.find(".v1").expect("every schema name carries its version") + 3;
        format!("pec.{}", &self.name[..version])
    }

    fn examples(&self, sort: &str) -> Vec<(PathBuf, Value)> {
        let folder = folder().join(self.stream.name()).join("examples").join(sort);
        let mine = |path: &PathBuf| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            // The longest schema name that begins the file's name is the one it belongs to.
            name.strip_prefix(&self.name).is_some_and(|rest| rest.starts_with('.'))
                && !SHAPES.iter().any(|shape| shape.len() > self.name.len() && name.starts_with(shape))
        };
        json_files(&folder).into_iter().filter(mine).map(|path| (path.clone(), read_json(&path))).collect()
    }

    fn allows(&self, data: &Value) -> bool {
        self.validator.is_valid(data)
    }

    fn decodes(&self, data: &Value) -> Result<(), Rejection> {
        decode(self.stream, &self.kind(), data)
    }
}

/// Further shapes of one kind's data, each with a schema of its own.
const SHAPES: [&str; 2] = ["usage.recorded.v1.utilization", "usage.recorded.v1.daily-rated"];

fn schemas() -> Vec<Schema> {
    let mut schemas = Vec::new();
    for stream in Stream::ALL {
        for path in json_files(&folder().join(stream.name())) {
            let validator = jsonschema::options()
                .should_validate_formats(true)
                .build(&read_json(&path))
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            schemas.push(Schema { stream, name: path.file_stem().unwrap().to_str().unwrap().to_owned(), validator });
        }
    }
    schemas
}

fn decode(stream: Stream, kind: &str, data: &Value) -> Result<(), Rejection> {
    let event = json!({
        "specversion": "1.0", "id": "a1", "source": "urn:test", "type": kind, "causationid": "a0", "data": data,
    });
    let text = event.to_string();
    let items = wire::decode(&MessageRef { stream, key: None, headers: &[], value: Some(text.as_bytes()) });
    assert_eq!(items.len(), 1);
    items.into_iter().next().unwrap().map(drop)
}

#[test]
fn every_kind_has_a_schema_and_examples_of_both_sorts() {
    let schemas = schemas();
    let described: Vec<String> =
        schemas.iter().filter(|schema| !SHAPES.contains(&schema.name.as_str())).map(Schema::kind).collect();
    let mut read: Vec<String> = wire::kinds().map(|(name, _)| name.to_owned()).collect();
    let mut sorted = described.clone();
    sorted.sort();
    read.sort();
    assert_eq!(sorted, read);
    for schema in &schemas {
        assert!(
            wire::kinds().any(|(name, stream)| name == schema.kind() && stream == schema.stream),
            "{}",
            schema.name
        );
        assert!(!schema.examples("valid").is_empty(), "{} has no valid example", schema.name);
        assert!(!schema.examples("invalid").is_empty(), "{} has no invalid example", schema.name);
    }
    let listed: usize = schemas.iter().map(|s| s.examples("valid").len() + s.examples("invalid").len()).sum();
    let present: usize = Stream::ALL
        .iter()
        .flat_map(|stream| ["valid", "invalid"].map(|sort| folder().join(stream.name()).join("examples").join(sort)))
        .map(|folder| json_files(&folder).len())
        .sum();
    assert_eq!(listed, present, "an example belongs to no schema");
}

#[test]
fn examples_say_what_they_are() {
    for schema in schemas() {
        for (path, data) in schema.examples("valid") {
            assert!(schema.allows(&data), "the schema refuses {}", path.display());
            assert_eq!(schema.decodes(&data), Ok(()), "{}", path.display());
        }
        for (path, data) in schema.examples("invalid") {
            assert!(!schema.allows(&data), "the schema allows {}", path.display());
            assert!(schema.decodes(&data).is_err(), "the decoder accepts {}", path.display());
        }
    }
}

/// What is printed has a schema each, and one answer each that a reader of our output can try theirs on.
#[test]
fn every_output_schema_has_an_example_that_fits() {
    let named = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let schemas = json_files(&folder().join("output"));
    let examples = json_files(&folder().join("output/examples/valid"));
    let names = |paths: &[PathBuf]| paths.iter().map(|path| named(path)).collect::<Vec<_>>();
    assert_eq!(names(&schemas), names(&examples), "one example for each schema, under its name");
    for (schema, example) in schemas.iter().zip(&examples) {
        let validator = jsonschema::validator_for(&read_json(schema)).unwrap();
        let document = read_json(example);
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", example.display());
        let mut wrong = document;
        wrong["surprise"] = json!(1);
        assert!(!validator.is_valid(&wrong), "{} allows anything", schema.display());
    }
}

/// Every value of a document with each change a careless producer makes.
fn changed(document: &Value) -> Vec<(String, Value)> {
    let mut pointers = vec![String::new()];
    collect_pointers(document, "", &mut pointers);
    let mut all = Vec::new();
    let replacements = [
        json!(null),
        json!(""),
        json!(" "),
        json!("x\u{7}"),
        json!("surprise"),
        json!(-1),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
    ];
    for pointer in &pointers {
        for replacement in &replacements {
            let mut copy = document.clone();
            *copy.pointer_mut(pointer).unwrap() = replacement.clone();
            all.push((format!("{pointer} = {replacement}"), copy));
        }
        if let Some((parent, field)) = pointer.rsplit_once('/') {
            let mut copy = document.clone();
            match copy.pointer_mut(parent).unwrap() {
                Value::Object(object) => drop(object.remove(field)),
                Value::Array(array) => drop(array.remove(field.parse().unwrap())),
                _ => unreachable!("only objects and arrays hold values"),
            }
            all.push((format!("{pointer} removed"), copy));
        }
        let mut copy = document.clone();
        if let Value::Object(object) = copy.pointer_mut(pointer).unwrap() {
            object.insert("extra".to_owned(), json!({"nobody": ["reads", 1e300]}));
            all.push((format!("{pointer}/extra added"), copy));
        }
    }
    all
}

fn collect_pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, child)| (name.replace('/', "~1"), child)).collect(),
        Value::Array(array) => array.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect(),
        _ => return,
    };
    for (name, child) in children {
        let pointer = format!("{at}/{name}");
        out.push(pointer.clone());
        collect_pointers(child, &pointer, out);
    }
}

#[test]
fn one_field_changed_is_one_verdict() {
    let mut verdicts: BTreeMap<bool, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for schema in schemas() {
        for (path, data) in schema.examples("valid") {
            for (change, data) in changed(&data) {
                let (allowed, decoded) = (schema.allows(&data), schema.decodes(&data));
                if data.is_null() && schema.name == "usage.voided.v1" {
                    continue; // A cancellation may come without data, which no schema of data can say.
                }
                if allowed != decoded.is_ok() {
                    let file = path.file_name().unwrap().to_str().unwrap();
                    differences.push(format!("{file}: {change}: schema {allowed}, decoder {decoded:?}"));
                }
                *verdicts.entry(allowed).or_default() += 1;
            }
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    // Both verdicts must occur often, or the test proves nothing.
    assert!(verdicts[&true] > 500 && verdicts[&false] > 3_000, "{verdicts:?}");
}

#[test]
fn what_a_schema_cannot_say_the_decoder_does() {
    let schemas = schemas();
    let schema = schemas.iter().find(|schema| schema.name == "usage.recorded.v1").unwrap();
    let (_, full) =
        schema.examples("valid").into_iter().find(|(path, _)| path.to_string_lossy().contains("full")).unwrap();
    for (field, value, code) in [
        ("usageEndTime", "2026-01-16T00:00:01Z", "R-crosses-midnight"),
        ("usageEndTime", "2026-01-15T21:00:00Z", "R-empty-interval"),
        ("quantity", "0.00000000000000000000000000001", "R-number-limit"),
        ("quantity", "1000000000000000", "R-number-limit"),
        ("usageStartTime", "2026-02-30T22:00:00Z", "R-field-value"),
    ] {
        let mut data = full.clone();
        data[field] = json!(value);
        assert_eq!(schema.decodes(&data).unwrap_err().code, code, "{field} = {value}");
    }
}

/// When the copy was sent.
const RESENT: &str = "2031-01-01T00:00:00Z";

/// The time of sending comes along with usage, and is no part of what it says.
fn resent(again: &mut domain::entry::Fact, sent: &str, fact: &domain::entry::Fact) {
    if let (Event::UsageRecorded(again), Event::UsageRecorded(first)) = (&mut again.event, &fact.event) {
        assert_eq!(again.sent, Some(sent.parse().unwrap()));
        again.sent = first.sent;
    }
}

/// The same event with its keys in another order, white space, a trace and another send time.
fn respelled(document: &Value) -> Message {
    let mut copy = document.clone();
    copy["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    copy["time"] = json!(RESENT);
    copy["data"]["nobodyReadsThis"] = json!(["x"]);
    let value = serde_json::to_vec_pretty(&copy).unwrap();
    Message { stream: Stream::Usage, key: None, headers: Vec::new(), value: Some(value) }
}

/// The same event with its attributes in headers.
fn in_binary_mode(document: &Value) -> Message {
    let attributes = document.as_object().unwrap().iter().filter(|(name, _)| name.as_str() != "data");
    let headers =
        attributes.map(|(name, value)| (format!("ce_{name}"), value.as_str().map(|text| text.as_bytes().to_vec())));
    let value = serde_json::to_vec(&document["data"]).unwrap();
    Message { stream: Stream::Usage, key: None, headers: headers.collect(), value: Some(value) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_passes_its_schema_and_reads_back((envelope, event) in generate::event()) {
        let message = wire::encode(&envelope, &event);
        let value = message.value.clone().unwrap();
        let document: Value = serde_json::from_slice(&value).unwrap();
        let headers: Vec<Header<'_>> = message.header_refs();
        let items = wire::decode(&message.borrow(&headers));
        prop_assert_eq!(items.len(), 1);
        let fact = items.into_iter().next().unwrap().map_err(|rejection| TestCaseError::fail(rejection.to_string()))?;
        prop_assert_eq!(&fact.event, &event);
        prop_assert_eq!(fact.identity, wire::identity(message.stream, &envelope.source, &envelope.id));
        let kind = wire::type_of(&event).unwrap();
        for (other, sent) in [(respelled(&document), Some(RESENT)), (in_binary_mode(&document), None)] {
            let headers = other.header_refs();
            let mut again = wire::decode(&wire::MessageRef { stream: message.stream, ..other.borrow(&headers) });
            if let ([Ok(again)], Some(sent)) = (again.as_mut_slice(), sent) {
                resent(again, sent, &fact);
            }
            prop_assert_eq!(again, vec![Ok(fact.clone())]);
        }
        prop_assert_eq!(fact.digest, wire::digest(kind, envelope.causation_id.as_deref(), &event));
        VALIDATORS.with(|validators| {
            let errors: Vec<String> =
                validators[kind].iter_errors(&document["data"]).map(|error| format!("{error} at {}", error.instance_path())).collect();
            prop_assert!(errors.is_empty(), "{}: {:?}", kind, errors);
            Ok(())
        })?;
    }
}

thread_local! {
    static VALIDATORS: BTreeMap<String, jsonschema::Validator> = schemas()
        .into_iter()
        .filter(|schema| !SHAPES.contains(&schema.name.as_str()))
        .map(|schema| (schema.kind(), schema.validator))
        .collect();
}
