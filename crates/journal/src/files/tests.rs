//! Files of every layout, whole and broken: each record is handed over once, with its own bytes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use domain::entry::Stream;

use super::{FileCoordinates, FileFault, FileKind, FileReport, read_file, read_file_with_progress};
use crate::wire::Message;

/// A record that tells its stream.
const RECORD: &str = r#"{"operationName":"Microsoft.Web/sites/write","time":"2022-03-01T08:00:00Z","n":1}"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn packed(&self, name: &str, content: &[u8]) -> PathBuf {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        self.file(name, &encoder.finish().unwrap())
    }
}

type Handed = Vec<(Message, FileCoordinates)>;

fn read(path: &Path, hint: Option<Stream>) -> (Handed, Result<FileReport, FileFault>) {
    let mut handed = Vec::new();
    let report = read_file(path, hint, &mut |message, coordinates| {
        handed.push((message, coordinates));
        Ok::<(), std::io::Error>(())
    });
    (handed, report)
}

fn texts(handed: &Handed) -> Vec<String> {
    handed.iter().map(|(message, _)| String::from_utf8_lossy(message.value.as_ref().unwrap()).into_owned()).collect()
}

/// Reads a file that must be readable, and gives its records and its kind.
fn records(content: &str) -> (Vec<String>, FileReport) {
    let folder = Folder::new();
    let (handed, report) = read(&folder.file("export", content.as_bytes()), Some(Stream::Access));
    let report = report.unwrap();
    assert_eq!(report.records, handed.len() as u64);
    for (ordinal, (message, coordinates)) in handed.iter().enumerate() {
        assert_eq!((coordinates.ordinal, coordinates.digest), (ordinal as u64, report.digest));
        assert_eq!(message.stream, Stream::Access);
    }
    (texts(&handed), report)
}

#[test]
fn json_lines_keep_their_bytes_and_broken_ones_are_handed_over_too() {
    let content = format!("\u{feff}{RECORD}\r\n\n  {{ \"a\" : 1.50 }} \n{{\"cut\": \"off\n[1,2]\n{RECORD}");
    let (texts, report) = records(&content);
    assert_eq!(texts, [RECORD, "  { \"a\" : 1.50 } ", "{\"cut\": \"off", "[1,2]", RECORD]);
    assert_eq!((report.kind, report.ends_early), (FileKind::JsonLines, false));
}

#[test]
fn a_broken_first_line_does_not_make_one_document_of_the_lines() {
    for first in ["{\"cut\": \"off", "{\"open\": {\"a\": 1}", "{\"a\": 1}}", "garbage", "{\"a\": 1,}"] {
        let (texts, report) = records(&format!("{first}\n{RECORD}\n{RECORD}\n"));
        assert_eq!(texts, [first, RECORD, RECORD], "{first}");
        assert_eq!(report.kind, FileKind::JsonLines);
    }
}

#[test]
fn an_array_is_cut_into_its_elements() {
    let element = "{\n  \"text\": \"a , ] } \\\" {\",\n  \"list\": [1, {\"b\": [2]}]\n }";
    for content in [format!("[{element},{RECORD}]"), format!("\u{feff} [\n {element} ,\n {RECORD}\n]\n")] {
        let (texts, report) = records(&content);
        assert_eq!(texts, [element, RECORD]);
        assert_eq!((report.kind, report.ends_early), (FileKind::JsonArray, false));
    }
}

#[test]
fn an_array_that_stops_or_goes_on_leaves_nothing_out() {
    let (texts, report) = records(&format!("[{RECORD},\n{{\"cut\": \"of"));
    assert_eq!(texts, [RECORD, "{\"cut\": \"of"]);
    assert!(report.ends_early);
    let (texts, report) = records(&format!("[{RECORD},{RECORD}"));
    assert_eq!((texts.len(), report.ends_early), (2, true));
    let (texts, report) = records(&format!("[\n{RECORD}\n], \"and more\": 1"));
    assert_eq!(texts, [RECORD, ", \"and more\": 1"]);
    assert!(!report.ends_early);
}

#[test]
fn an_envelope_is_cut_into_its_records() {
    for key in ["records", "value"] {
        let content = format!(
            "{{\n \"next\": {{\"{key}\": [7]}}, \"{key}\" : [\n{RECORD},\n{RECORD}\n],\n \"nextLink\": \"x\"\n}}\n"
        );
        let (texts, report) = records(&content);
        assert_eq!(texts, [RECORD, RECORD], "{key}");
        assert_eq!(report.kind, FileKind::JsonEnvelope);
    }
}

#[test]
fn a_single_document_is_one_record() {
    let document = "{\n \"operationName\": {\"value\": [1]},\n \"value\": {\"records\": []}\n}";
    let (texts, report) = records(document);
    assert_eq!((texts, report.kind), (vec![document.to_owned()], FileKind::JsonDocument));
    let broken = "{\n \"a\": 1,\n}\n  \"b\": 2\n}";
    assert_eq!(records(broken).0, [broken], "brackets that do not match make one broken record");
    let (texts, report) = records("{\n \"a\": [\n");
    assert_eq!((texts.len(), report.ends_early), (1, true));
}

#[test]
fn packed_files_are_read_like_plain_ones_and_named_by_their_packed_bytes() {
    let folder = Folder::new();
    let content = format!("{RECORD}\n{RECORD}\n");
    let (plain, plain_report) = read(&folder.file("a", content.as_bytes()), None);
    let (packed, packed_report) = read(&folder.packed("a.gz", content.as_bytes()), None);
    assert_eq!(texts(&plain), texts(&packed));
    assert_ne!(plain_report.unwrap().digest, packed_report.unwrap().digest);
    let mut cut = std::fs::read(folder.0.path().join("a.gz")).unwrap();
    cut.truncate(cut.len() - 9);
    let (handed, fault) = read(&folder.file("cut.gz", &cut), None);
    assert_eq!(texts(&handed), [RECORD, RECORD], "what came before the end is handed over");
    assert!(matches!(fault, Err(FileFault::Damaged { records: 2, .. })), "and it is said that it stops: {fault:?}");
}

/// Only whole records of a gzip that stops are handed over, and their number is said; a file that
/// stops unpacked has its last, broken record kept like any other broken one.
#[test]
fn a_gzip_that_stops_says_how_many_whole_records_came_before() {
    let folder = Folder::new();
    let line =
        |n: u64| format!("{{\"operationName\":\"Microsoft.Web/sites/write\",\"n\":{}}}\n", n * 2_654_435_761 % 99_991);
    let content: String = (0..200_000).map(line).collect();
    let packed = std::fs::read(folder.packed("whole.gz", content.as_bytes())).unwrap();
    for part in [2, 10, 90] {
        let cut = &packed[..packed.len() * part / 100];
        let (handed, fault) = read(&folder.file("cut.gz", cut), None);
        let Err(FileFault::Damaged { records, .. }) = fault else { panic!("{fault:?}") };
        assert_eq!(records, handed.len() as u64);
        assert!(records > 0 && records < 200_000, "{part}: {records}");
        let text: String = texts(&handed).iter().map(|line| format!("{line}\n")).collect();
        assert!(content.starts_with(&text), "half a record was handed over");
    }
    let mut spoilt = packed;
    let middle = spoilt.len() / 2;
    spoilt[middle..middle + 64].fill(0xff);
    assert!(matches!(read(&folder.file("bad.gz", &spoilt), None).1, Err(FileFault::Damaged { .. })));
    assert!(matches!(read(&folder.file("head.gz", &spoilt[..12]), None).1, Err(FileFault::Damaged { records: 0, .. })));
}

#[test]
fn values_one_after_the_other_are_each_a_record() {
    let pretty = "{\n  \"a\": \"} {\",\n  \"b\": 1\n}";
    for (content, wanted) in [
        (format!("{pretty}\n{pretty}\n"), vec![pretty, pretty]),
        (format!("{pretty}{pretty} \n [{RECORD}]"), vec![pretty, pretty, RECORD]),
        (format!("{RECORD}{RECORD}"), vec![RECORD, RECORD]),
        (format!("{RECORD} {RECORD}\n{RECORD}\n"), vec![RECORD, RECORD, RECORD]),
        (format!("{{\n\"value\": [{RECORD}]\n}}\n{{\n\"value\": [{RECORD}], \"next\": 1}}"), vec![RECORD, RECORD]),
        (format!("[\n{RECORD}\n]\n[{RECORD}]"), vec![RECORD, RECORD]),
    ] {
        assert_eq!(records(&content).0, wanted, "{content}");
    }
    // What is no value behind the last one is no record of its own: nothing is left out.
    let broken = format!("{RECORD} {RECORD} garbage");
    assert_eq!(records(&broken).0, [RECORD, &format!("{RECORD} garbage")]);
    let broken = format!("{RECORD} {RECORD} garbage\n{RECORD}");
    assert_eq!(records(&broken).0, [&format!("{RECORD} {RECORD} garbage"), RECORD]);
}

#[test]
fn a_file_without_a_record_is_read_and_holds_none() {
    for content in ["", " \n\n", "\u{feff} \n", "[]", "[ ]\n", "{\n\"value\": []}", "{\"records\":[]}"] {
        let folder = Folder::new();
        let (handed, report) = read(&folder.file("f", content.as_bytes()), None);
        assert_eq!((handed.len(), report.unwrap().records), (0, 0), "{content:?}");
    }
}

#[test]
fn utf16_is_told_with_its_mark_and_without() {
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let folder = Folder::new();
    for content in [
        wide(&format!("\u{feff}{RECORD}"), u16::to_le_bytes),
        wide(&format!("\u{feff}{RECORD}"), u16::to_be_bytes),
        wide(RECORD, u16::to_le_bytes),
        wide(RECORD, u16::to_be_bytes),
        wide("\u{feff}Zeit,Größe\n", u16::to_le_bytes),
    ] {
        let fault = read(&folder.file("f", &content), None).1.unwrap_err();
        assert_eq!((fault.code(), fault.to_string().as_str()), (Some("R-not-utf8"), "it is UTF-16; expected UTF-8"));
    }
}

/// A code that no list of codes knows could not be looked up.
#[test]
fn every_code_of_a_file_is_among_the_codes() {
    let faults = [
        FileFault::Utf16,
        FileFault::UnknownKind { begins: String::new() },
        FileFault::Damaged { records: 0, reason: String::new() },
        FileFault::RecordTooLong { ordinal: 0, most: 0 },
    ];
    assert!(faults.iter().all(|fault| crate::wire::REJECTIONS.contains(&fault.code().unwrap())));
    assert_eq!(FileFault::Missing.code(), None);
}

#[test]
fn coordinates_are_the_same_whatever_the_file_is_called() {
    let folder = Folder::new();
    let content = format!("{RECORD}\n{RECORD}\n");
    let (first, _) = read(&folder.file("one.jsonl", content.as_bytes()), None);
    let (second, _) = read(&folder.file("two.txt", content.as_bytes()), None);
    let names = |handed: &Handed| handed.iter().map(|(_, at)| (at.digest, at.ordinal)).collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    assert_eq!((&*first[0].1.name, &*second[0].1.name), ("one.jsonl", "two.txt"));
}

#[test]
fn each_record_tells_its_stream_and_the_rest_follow_the_first() {
    let folder = Folder::new();
    let event = |kind: &str| format!("{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"{kind}\"}}");
    let lines = [
        "broken".to_owned(),
        event("pec.usage.recorded.v1"),
        event("pec.plan.created.v1"),
        event("pec.policy.published.v9"),
        RECORD.to_owned(),
        event("Microsoft.Resources.ResourceWriteSuccess"),
        event("org.example.other"),
    ];
    let (handed, _) = read(&folder.file("mixed", lines.join("\n").as_bytes()), None);
    let streams: Vec<Stream> = handed.iter().map(|(message, _)| message.stream).collect();
    use Stream::{Access, Commerce, Reference, Usage};
    assert_eq!(streams, [Usage, Usage, Commerce, Reference, Access, Access, Usage]);
    let (_, fault) = read(&folder.file("strange", b"{\"a\":1}\n{\"b\":2}\n"), None);
    assert!(matches!(fault, Err(FileFault::UnknownStream)));
}

#[test]
fn rows_of_the_portals_export_become_records() {
    let header = "\"TimeGenerated [UTC]\",OperationNameValue,ActivityStatusValue,Properties";
    let rows = "\"9/27/2026, 10:15:00.250 AM\",MICROSOFT.WEB/SITES/WRITE,Success,\"{\"\"a\"\":\"\"b\"\"}\"\nragged,row";
    let folder = Folder::new();
    let (handed, report) = read(&folder.file("portal.csv", format!("{header}\n{rows}\n").as_bytes()), None);
    assert_eq!(report.unwrap().kind, FileKind::PortalRows);
    let headers = handed[0].0.header_refs();
    let items: Vec<_> = handed.iter().flat_map(|(message, _)| crate::wire::decode(&message.borrow(&headers))).collect();
    assert_eq!(items.len(), 2);
    let domain::entry::Event::OtherActivity(other) = &items[0].as_ref().unwrap().event else { panic!("{items:?}") };
    assert_eq!(other.at.to_rfc3339(), "2026-09-27T10:15:00.250+00:00");
    assert!(items[1].is_err());
}

#[test]
fn files_that_hold_nothing_we_read_are_named() {
    let folder = Folder::new();
    let fault = |content: &[u8]| read(&folder.file("f", content), Some(Stream::Access)).1.unwrap_err();
    assert!(matches!(fault(b"once upon a time\nthere was {\"a\":1}\n"), FileFault::UnknownKind { .. }));
    let FileFault::UnknownKind { begins } = fault(b"SubscriptionGuid,Quantity\na,1\n") else { panic!("it is known") };
    assert_eq!(begins, "`SubscriptionGuid,Quantity`");
    let FileFault::UnknownKind { begins } = fault(b"PK\x05\x06\xff\xfe") else { panic!("it is known") };
    assert_eq!(begins, "bytes that are no text (50 4b 05 06 ff fe …)");
    let missing = read(&folder.0.path().join("missing"), None).1.unwrap_err();
    assert!(matches!(missing, FileFault::Missing));
    assert!(matches!(read(folder.0.path(), None).1.unwrap_err(), FileFault::NoFile), "a folder is no file");
}

#[test]
fn a_sink_that_fails_stops_the_reading() {
    let folder = Folder::new();
    let path = folder.file("f", format!("{RECORD}\n{RECORD}\n{RECORD}\n").as_bytes());
    let mut seen = 0;
    let fault = read_file(&path, None, &mut |_, _| {
        seen += 1;
        if seen == 2 { Err(std::io::Error::other("disk full")) } else { Ok(()) }
    });
    assert!(matches!(fault, Err(FileFault::Stopped { ordinal: 1, .. })), "{fault:?}");
    assert_eq!(seen, 2);
}

#[test]
fn progress_ends_at_the_whole_file() {
    let folder = Folder::new();
    let content = format!("{RECORD}\n").repeat(40_000);
    let path = folder.file("f", content.as_bytes());
    let mut told = Vec::new();
    let progress = &mut |done, total| told.push((done, total));
    read_file_with_progress(&path, None, progress, &mut |_, _| Ok::<(), std::io::Error>(())).unwrap();
    assert!(told.len() > 2, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    assert_eq!(told.last(), Some(&(content.len() as u64, content.len() as u64)));
}

/// Cutting a document at any byte hands over every element before the cut, and never panics.
#[test]
fn a_document_cut_anywhere_keeps_what_came_before() {
    let folder = Folder::new();
    let whole = format!("{{\"nextLink\": \"\\\\\", \"value\": [{RECORD}, {{\"t\": \"]\"}} ,{RECORD}]}}");
    let ends: Vec<usize> = ["},", "} ,", "}]"].iter().map(|end| whole.find(end).unwrap() + 1).collect();
    for cut in 1..whole.len() {
        let (handed, report) = read(&folder.file("cut", &whole.as_bytes()[..cut]), Some(Stream::Access));
        let before = ends.iter().filter(|end| **end <= cut).count();
        assert!(handed.len() >= before, "cut at {cut}: {} of {before}", handed.len());
        assert!(!matches!(report, Ok(report) if !report.ends_early && cut < ends[2]), "cut at {cut} is not told");
    }
}
