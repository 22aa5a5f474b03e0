//! Every way in which a message says nothing we can use, provoked once, and the documents that
//! list them.

use std::collections::BTreeSet;
use std::path::Path;

use super::tests::{code, only, read, structured};
use super::*;

const PAL: &str = r#"{"principalId":"66666666-ffff-4fff-8fff-666666666666","tenantId":"22222222-bbbb-4bbb-8bbb-222222222222","partnerId":"1234567","effectiveAt":"2026-01-15T08:30:00Z"}"#;

/// A structured event with attributes of one's own.
fn event(attributes: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"a1","source":"urn:x","type":"pec.pal.linked.v1",{attributes}}}"#)
}

fn access(value: &str) -> Items {
    read(Stream::Access, &[], Some(value.as_bytes()))
}

/// A usage event with one field changed.
fn usage_with(field: &str, value: &str) -> Items {
    let data = r#"{"customerId":"22222222-bbbb-4bbb-8bbb-222222222222","entitlementId":"44444444-dddd-4ddd-8ddd-444444444444",
        "meterId":"1core","usageStartTime":"2026-01-15T10:00:00Z","usageEndTime":"2026-01-15T11:00:00Z","quantity":1,"unit":"1 Hour"}"#;
    let before = data.find(&format!("\"{field}\":")).map(|at| at + field.len() + 3).expect("the field is there");
    let after = data[before..].find(['\n', ',', '}']).expect("the field ends") + before;
    let data = format!("{}{value}{}", &data[..before], &data[after..]);
    read(Stream::Usage, &[], Some(structured(&data).as_bytes()))
}

fn of_kind(stream: Stream, kind: &str) -> Items {
    let value = format!(r#"{{"specversion":"1.0","id":"a1","source":"urn:x","type":"{kind}","data":{PAL}}}"#);
    read(stream, &[], Some(value.as_bytes()))
}

/// One message for each code of the CloudEvents decoders.
fn provoked() -> Vec<(&'static str, Items)> {
    let with_data = |data: &str| access(&event(&format!("\"data\":{data}")));
    let binary: [(&str, Option<&[u8]>); 4] = [
        ("ce_specversion", Some(b"1.0")),
        ("ce_id", Some(b"a1")),
        ("ce_source", Some(b"urn:x")),
        ("ce_type", Some(b"pec.pal.linked.v1")),
    ];
    let mut twice = binary.to_vec();
    twice.push(("CE_ID", Some(b"a2")));
    let mut xml = binary.to_vec();
    xml.push(("content-type", Some(b"application/xml")));
    let huge = vec![b' '; limits::value_bytes(Stream::Access) + 1];
    let many = format!("[{}0]", "0,".repeat(limits::json_values(Stream::Access)));
    vec![
        ("R-too-large", read(Stream::Access, &[], Some(&huge))),
        ("R-not-utf8", read(Stream::Access, &[], Some(b"{\"id\": \"\xff\"}"))),
        ("R-not-json", access("{\"id\": }")),
        ("R-not-json", with_data("NaN")),
        ("R-too-deep", access(&"[".repeat(1_000))),
        ("R-too-many-values", access(&many)),
        ("R-duplicate-key", with_data(r#"{"tags":{"a":1,"\u0061":2}}"#)),
        ("R-lone-surrogate", with_data(&PAL.replace("1234567", "\\ud83d"))),
        ("R-schema-registry", read(Stream::Access, &[], Some(&[0, 0, 0, 0, 7, 0x0a, 0x02]))),
        ("R-unknown-shape", access("{\"hello\": \"world\"}")),
        ("R-unknown-shape", access("17")),
        ("R-no-identity", access(r#"[{"usageDate":"2026-01-15","meterId":"1core"}]"#)),
        ("R-cloudevents-0.3", access(&event("\"data\":1").replace("1.0", "0.3"))),
        ("R-specversion", access(&event("\"data\":1").replace("1.0", "0.9"))),
        ("R-attribute-missing", access(&event("\"data\":1").replace("\"source\":\"urn:x\",", ""))),
        ("R-attribute", access(&event("\"subject\":\"\""))),
        ("R-attribute-name", access(&event("\"MyExtension\":\"bad\""))),
        ("R-header-twice", read(Stream::Access, &twice, Some(PAL.as_bytes()))),
        ("R-content-type", read(Stream::Access, &xml, Some(b"<a/>"))),
        ("R-base64", access(&event("\"data_base64\":\"*\""))),
        ("R-data-twice", access(&event("\"data\":{},\"data_base64\":\"e30=\""))),
        ("R-no-data", access(&event("\"data\":null"))),
        ("R-unknown-type", of_kind(Stream::Access, "com.example.test")),
        ("R-unknown-type", of_kind(Stream::Access, "pec.nobody.knows.v1")),
        ("R-unknown-version", of_kind(Stream::Access, "pec.pal.linked.v2")),
        ("R-reserved-type", of_kind(Stream::Access, "pec.leak.opened.v1")),
        ("R-reserved-type", of_kind(Stream::Access, "pec.leak.opened.v1")),
        ("R-wrong-topic", of_kind(Stream::Usage, "pec.pal.linked.v1")),
        ("R-wrong-topic", of_kind(Stream::Usage, "pec.pal.unlinked.v1")),
        ("R-field-missing", with_data("{}")),
        ("R-field-type", with_data(&PAL.replace("\"1234567\"", "1234567"))),
        ("R-field-value", with_data(&PAL.replace("2026-01-15T", "2026-02-30T"))),
        ("R-number-limit", usage_with("quantity", "1e400")),
        ("R-number-limit", usage_with("quantity", "\"1000000000000000\"")),
        ("R-negative-quantity", usage_with("quantity", "-1")),
        ("R-empty-interval", usage_with("usageEndTime", "\"2026-01-15T10:00:00Z\"")),
        ("R-crosses-midnight", usage_with("usageEndTime", "\"2026-01-16T00:00:00.1Z\"")),
        ("R-no-target", read(Stream::Usage, &[], Some(structured("{}").replace("recorded", "voided").as_bytes()))),
    ]
}

#[test]
fn every_code_is_provoked_and_says_which_field() {
    let mut seen = BTreeSet::new();
    for (expected, items) in provoked() {
        let rejection = only(items).expect_err(expected);
        assert_eq!(rejection.code, expected, "{rejection}");
        assert!(rejection.detail.len() > 20, "{rejection}");
        seen.insert(expected);
    }
    // Files are refused in their own tests, tables in those of tables, prices and rates.
    let tables = [
        "R-table",
        "R-table-column",
        "R-table-value",
        "R-table-mixed",
        "R-tiers",
        "R-published-unknown",
        "R-unknown-file",
        "R-damaged",
    ];
    let all: BTreeSet<&str> = REJECTIONS.iter().copied().collect();
    assert_eq!(seen.union(&tables.into()).copied().collect::<BTreeSet<_>>(), all);
    let detail = only(usage_with("quantity", "true")).unwrap_err().detail;
    assert_eq!(
        detail,
        "pec.usage.recorded.v1: `quantity` is true; expected a decimal quantity, as text or as a JSON number"
    );
}

/// The standard's own conformance cases, in our words.
#[test]
fn the_envelope_is_checked_as_the_standard_says() {
    for refused in [
        r#""time":"lunchtime""#,
        r#""time":"2018-04-05T18:31Z""#,
        r#""time":"2018-04-05T18:31:00+25:00""#,
        r#""time":"2018-04-05T18:31:00+05""#,
        r#""datacontenttype":"xyz""#,
        r#""datacontenttype":"""#,
        r#""dataschema":"""#,
        r#""subject":"""#,
        r#""subject":7"#,
        r#""extension":1.5"#,
        r#""extension":{}"#,
        r#""extension":99999999999"#,
    ] {
        assert_eq!(code(access(&event(refused))), "R-attribute", "{refused}");
    }
    assert_eq!(code(access(&event("\"my.extension\":\"bad\""))), "R-attribute-name");
    for (from, to) in [("\"a1\"", "25"), ("\"a1\"", "\"\""), ("\"a1\"", "{}"), ("\"urn:x\"", "\"\"")] {
        assert_eq!(code(access(&event("\"data\":1").replace(from, to))), "R-attribute", "{to}");
    }
    for fine in [
        r#""subject":null,"time":null,"dataschema":null,"datacontenttype":null"#,
        r#""time":"2018-04-05T16:31:00.000000000-01:00""#,
        r#""extinteger":10,"extboolean":true,"exturiref":"//authority/path","extbinary":"TWE=""#,
        r#""datacontenttype":"application/vnd.x+json; charset=utf-8""#,
    ] {
        let value = event(&format!("{fine},\"data\":{PAL}"));
        assert!(only(access(&value)).is_ok(), "{fine}");
        assert!(only(access(&value.replace("urn:x", "#fragment"))).is_ok());
    }
}

#[test]
fn json_is_strict_where_the_standard_leaves_it_open() {
    let most = limits::json_values(Stream::Usage);
    for refused in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "[01]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[1e]",
        "['a']",
        "[\"\\x\"]",
        "[\"\t\"]",
        "[\"\\u12\"]",
        "nul",
        "[1] 2",
        "{\"a\" 1}",
        "[-]",
        "\u{feff}\u{feff}1",
        "[1 2]",
        "[\"a",
        "{\"a\":1,\"a\":1}",
        "{\"\\ud800\":1}x",
    ] {
        assert!(json::parse(refused.as_bytes(), most).is_err(), "{refused}");
    }
    for fine in [
        "1",
        "-0",
        "[]",
        "{}",
        "\u{feff} [1e400, -1E+2, 0.5] ",
        "{\"a\":{\"a\":1}}",
        "[\"\\ud83d\\ude00\\u0000\"]",
        "[\"\\ud800\"]",
        "{\"\":1,\" \":2}",
        "[null,true,false]",
    ] {
        assert!(json::parse(fine.as_bytes(), most).is_ok(), "{fine}");
    }
    // Many keys are checked sorted, and a twin among them is still found, in any spelling.
    let keys: Vec<String> = (0..500).map(|n| format!("\"k{n}\":0")).collect();
    assert!(json::parse(format!("{{{}}}", keys.join(",")).as_bytes(), most).is_ok());
    assert!(json::parse(format!("{{{},\"\\u006b7\":1}}", keys.join(",")).as_bytes(), most).is_err());
    let text = json::parse(b"[\"\\ud83d\\ude00 \\n\\/\"]", most).map(|document| {
        let value = document.root().children().next().expect("one element");
        match value.kind() {
            json::Kind::Text(text) => text.read().expect("the surrogates are a pair").into_owned(),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(text.expect("this is JSON"), "😀 \n/");
}

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Codes between backquotes at the beginning of a table's rows.
fn listed(document: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository().join(document)).expect(document);
    let first = |line: &str| line.strip_prefix("| `").and_then(|rest| rest.split('`').next()).map(str::to_owned);
    text.lines().filter_map(first).collect()
}

fn codes_in(folder: &Path, out: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("our own source is here") {
        let path = entry.expect("our own source can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("our names are plain").to_owned();
        if path.is_dir() {
            codes_in(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "refusals.rs" {
            let text = std::fs::read_to_string(&path).expect("our own source can be read");
            let quoted = text.split('"').skip(1).step_by(2).filter(|text| {
                text.strip_prefix("R-").is_some_and(|rest| {
                    rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
                })
            });
            out.extend(quoted.map(str::to_owned));
        }
    }
}

#[test]
fn the_document_lists_every_code_and_no_other() {
    let mut written = BTreeSet::new();
    codes_in(&repository().join("crates/journal/src"), &mut written);
    let mut listed = listed("docs/rejections.md");
    listed.retain(|name| name.starts_with("R-"));
    assert_eq!(listed, written);
}

#[test]
fn the_page_for_producers_lists_every_type_and_every_reserved_name() {
    let listed = listed("schemas/README.md");
    let kinds = kinds().map(|(name, _)| name.to_owned());
    // What is only published is refused in every version; the page names the one that is published.
    let reserved =
        reserved().map(|(name, stream)| if stream.is_some() { name.to_owned() } else { format!("{name}.v1") });
    let known: BTreeSet<String> = kinds.chain(reserved).collect();
    assert_eq!(listed.into_iter().filter(|name| name.starts_with("pec.")).collect::<BTreeSet<_>>(), known);
}
