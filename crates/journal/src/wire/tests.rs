//! Messages as they come from SDKs, and what must be one event however it was sent.

use super::*;
use domain::entry::{Event, Usage};

const CUSTOMER: &str = "22222222-bbbb-4bbb-8bbb-222222222222";

const DATA: &str = r#"{
    "customerId": "22222222-bbbb-4bbb-8bbb-222222222222",
    "subscriptionId": "33333333-cccc-4ccc-8ccc-333333333333",
    "entitlementId": "44444444-dddd-4ddd-8ddd-444444444444",
    "resourceUri": "/subscriptions/44444444-dddd-4ddd-8ddd-444444444444/resourceGroups/rg-prod/providers/Microsoft.Storage/storageAccounts/stprod01",
    "meterId": "cb0969aa-aaaa-4d6c-ab4b-7e182fa06aff",
    "usageStartTime": "2020-09-01T22:00:00Z",
    "usageEndTime": "2020-09-01T23:00:00Z",
    "quantity": "5.800004",
    "unit": "1 GB/Month",
    "tags": {"env": "prod"}
}"#;

pub(super) fn structured(data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"a1","source":"urn:contoso:meter","type":"pec.usage.recorded.v1",
            "time":"2020-09-01T23:00:00Z","partitionkey":"{CUSTOMER}","data":{data}}}"#
    )
}

pub(super) fn read(stream: Stream, headers: &[(&str, Option<&[u8]>)], value: Option<&[u8]>) -> Items {
    let headers: Vec<Header<'_>> = headers.iter().map(|(name, value)| Header { name, value: *value }).collect();
    decode(&MessageRef { stream, key: None, headers: &headers, value })
}

fn value(text: &str) -> Items {
    read(Stream::Usage, &[], Some(text.as_bytes()))
}

pub(super) fn only(items: Items) -> Result<Fact, Rejection> {
    assert_eq!(items.len(), 1, "{items:?}");
    items.into_iter().next().unwrap()
}

pub(super) fn code(items: Items) -> &'static str {
    match only(items) {
        Ok(fact) => panic!("read as {fact:?}"),
        Err(rejection) => rejection.code,
    }
}

fn usage(items: Items) -> Usage {
    match only(items).unwrap().event {
        Event::UsageRecorded(usage) => usage,
        other => panic!("{other:?}"),
    }
}

const BINARY: [(&str, Option<&[u8]>); 6] = [
    ("ce_specversion", Some(b"1.0")),
    ("ce_time", Some(b"2020-09-01T23:00:00Z")),
    ("ce_id", Some(b"a1")),
    ("CE_Source", Some(b"urn:contoso:meter")),
    ("ce_type", Some(b"pec.usage.recorded.v1")),
    ("ce_subject", None),
];

#[test]
fn one_event_however_it_is_sent() {
    let first = only(value(&structured(DATA))).unwrap();
    assert_eq!(first.identity, identity(Stream::Usage, "urn:contoso:meter", "a1"));
    let respelled = DATA
        .replace("\"5.800004\"", "5.80000400")
        .replace("cb0969aa-aaaa-4d6c-ab4b-7e182fa06aff", "CB0969AAAAAA4D6CAB4B7E182FA06AFF")
        .replace("rg-prod", "RG-Prod")
        .replace("2020-09-01T22:00:00Z", "2020-09-02T00:00:00.000+02:00")
        .replace("{\"env\": \"prod\"}", "null");
    let mut others = vec![
        value(&format!("\u{feff}\n {}", structured(&respelled))),
        read(Stream::Usage, &BINARY, Some(DATA.as_bytes())),
        read(Stream::Usage, &[("content-type", Some(b"application/json"))], Some(structured(DATA).as_bytes())),
        read(Stream::Usage, &[], Some(&[&[0, 0, 0, 0, 7], structured(DATA).as_bytes()].concat())),
    ];
    let base64 = base64::engine::general_purpose::STANDARD.encode(DATA);
    others.push(value(&structured("null").replace("\"data\":null", &format!("\"data_base64\":\"{base64}\""))));
    others.push(value(&format!("[{}]", structured(DATA))));
    for other in others {
        assert_eq!(only(other), Ok(first.clone()));
    }
    // Negative control: another quantity is another content under the same identity.
    let other = only(value(&structured(&DATA.replace("5.800004", "5.800005")))).unwrap();
    assert_eq!(other.identity, first.identity);
    assert_ne!(other.digest, first.digest);
    assert_ne!(identity(Stream::Usage, "urn:contoso:meter", "A1"), first.identity);
    assert_ne!(identity(Stream::Commerce, "urn:contoso:meter", "a1"), first.identity);
}

#[test]
fn only_a_null_value_without_ce_headers_is_a_tombstone() {
    assert_eq!(read(Stream::Usage, &[("trace", Some(b"x"))], None), Items::new());
    assert_eq!(code(read(Stream::Usage, &BINARY, None)), "R-no-data");
    assert_eq!(code(read(Stream::Usage, &BINARY, Some(b""))), "R-no-data");
    assert_eq!(code(read(Stream::Usage, &[], Some(b""))), "R-not-json");
    let voided: Vec<_> = BINARY
        .iter()
        .map(|(name, value)| (*name, if *name == "ce_type" { Some(&b"pec.usage.voided.v1"[..]) } else { *value }))
        .chain([("ce_causationid", Some(&b"a0"[..]))])
        .collect();
    let fact = only(read(Stream::Usage, &voided, None)).unwrap();
    assert_eq!(fact.event.target(), Some(identity(Stream::Usage, "urn:contoso:meter", "a0")));
}

#[test]
fn two_headers_that_differ_in_case_are_refused_and_null_ones_are_absent() {
    let mut twice = BINARY.to_vec();
    twice.push(("ce_ID", Some(b"a2")));
    assert_eq!(code(read(Stream::Usage, &twice, Some(DATA.as_bytes()))), "R-header-twice");
    twice.pop();
    twice.push(("ce_ID", None));
    assert!(only(read(Stream::Usage, &twice, Some(DATA.as_bytes()))).is_ok());
    let amqp: Vec<_> = BINARY
        .iter()
        .map(|(name, value)| (*name, if *name == "ce_id" { Some(&b"\xa1\x02a1"[..]) } else { *value }))
        .collect();
    let fact = only(read(Stream::Usage, &amqp, Some(DATA.as_bytes()))).unwrap();
    assert_eq!(fact.identity, identity(Stream::Usage, "urn:contoso:meter", "a1"));
}

#[test]
fn a_day_may_end_at_midnight_or_a_second_before_and_never_crosses_it() {
    let with_end = |end: &str| value(&structured(&DATA.replace("2020-09-01T23:00:00Z", end)));
    let midnight = usage(with_end("2020-09-02T00:00:00Z"));
    assert_eq!(usage(with_end("2020-09-01T23:59:59.9999999Z")), midnight);
    assert_eq!(usage(with_end("2020-09-01T23:59:59Z")), midnight);
    assert_eq!(code(with_end("2020-09-02T00:00:00.000000001Z")), "R-crosses-midnight");
    assert_eq!(code(with_end("2020-09-01T22:00:00Z")), "R-empty-interval");
    assert_eq!(code(with_end("2020-09-01T23:00:00")), "R-field-value");
}

#[test]
fn partner_center_shapes_need_an_envelope() {
    let utilization = r#"{"usageStartTime":"2017-06-07T17:00:00-07:00","usageEndTime":"2017-06-08T17:00:00-07:00",
        "resource":{"id":"8767aeb3-6909-4db2-9927-3f51e9a9085e","name":"Storage Admin"},"quantity":0.217790327034891,
        "unit":"1 GB/Hr","infoFields":{},"instanceData":{"resourceUri":
        "/subscriptions/ab7e2384-eeee-489a-a14f-1eb41ddd261d/resourcegroups/system.local/providers/Microsoft.Storage/storageaccounts/a",
        "partNumber":""}}"#;
    let read_utilization = usage(value(&structured(utilization)));
    assert_eq!(read_utilization.customer.to_string(), CUSTOMER);
    assert_eq!(read_utilization.subscription.to_string(), "ab7e2384-eeee-489a-a14f-1eb41ddd261d");
    assert_eq!(read_utilization.quantity.to_string(), "0.217790327034891");
    let daily = format!(
        r#"{{"customerId":"org:{CUSTOMER}","productId":"","subscriptionId":"33333333-cccc-4ccc-8ccc-333333333333",
        "usageDate":"2018-11-13T00:00:00","meterId":"1core","unitOfMeasure":"1 Hour","quantity":23.200004,
        "resourceUri":"/subscriptions/12345678-9d62-4a85-8fd0-91a87c261bc4/resourceGroups/A/providers/B/c/d","tags":""}}"#
    );
    let read_daily = usage(value(&structured(&daily)));
    assert_eq!(read_daily.meter.to_string(), "1core");
    assert_eq!((read_daily.end - read_daily.start).num_hours(), 24);
    assert_eq!(read_daily.unit, "1 Hour".into());
    assert_eq!(code(value(utilization)), "R-no-identity");
    assert_eq!(code(value(&daily)), "R-no-identity");
    assert_eq!(code(value("{\"hello\": 1}")), "R-unknown-shape");
}
