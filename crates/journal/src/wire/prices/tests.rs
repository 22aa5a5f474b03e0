//! Sheets in the shapes of Microsoft's documentation, with invented ids.

use super::*;
use std::io::Write as _;

const HEADER: &str = r#""ProductTitle","ProductId","SkuId","SkuTitle","Publisher","SkuDescription","UnitOfMeasure","TermDuration","Market","Currency","UnitPrice","PricingTierRangeMin","PricingTierRangeMax","EffectiveStartDate","EffectiveEndDate","MeterIds","MeterType","Tags“"#;
const METER: &str = "77777777-0000-4000-8000-000000000001";

fn row(price: &str, min: &str, max: &str, from: &str, until: &str) -> String {
    format!(
        r#""Tiered, with comma","DDD123456ABC","01AB","Tiered - Standard","Microsoft","","1","payG-1","US","USD","{price}","{min}","{max}","{from}","{until}","{METER}","1","Azure; Third Party""#
    )
}

fn tier(price: &str, min: &str, max: &str) -> String {
    row(price, min, max, "9/1/2020 12:00:00 AM", "11/30/9999 11:59:59 PM")
}

fn sheet(rows: &[String]) -> String {
    format!("{HEADER}\r\n{}\r\n", rows.join("\r\n"))
}

fn tiered() -> String {
    sheet(&[tier("1", "1", "100"), tier(".80", "101", "100000"), tier(".50", "100001", "9223372036854780000")])
}

fn read(bytes: &[u8]) -> Result<Vec<(Envelope, Event)>, Rejection> {
    let published = time::strict("2020-08-31T12:00:00Z").unwrap();
    events_from_csv(bytes, Period::parse("2020-09").unwrap(), PublishedAt::Stated(published))
}

fn rows(text: &str) -> Vec<PriceRow> {
    let events = read(text.as_bytes()).unwrap();
    let parts = events.into_iter().skip(1).map(|(_, event)| match event {
        Event::PriceSheetPart(part) => part.rows,
        other => panic!("{other:?}"),
    });
    parts.flatten().collect()
}

fn refused(text: &str) -> &'static str {
    read(text.as_bytes()).unwrap_err().code
}

#[test]
fn printed_tiers_become_bands_without_gaps() {
    let rows = rows(&tiered());
    let bands: Vec<String> =
        rows.iter().map(|row| format!("{}..{:?} {}", row.above, row.up_to, row.unit_price)).collect();
    assert_eq!(bands, ["0..Some(100) 1", "100..Some(100000) 0.8", "100000..None 0.5"]);
    assert_eq!(rows[0].tags, ["Azure".into(), "Third Party".into()]);
    assert_eq!(rows[0].until, open_until());
    assert_eq!(rows[0].product_title, "Tiered, with comma".into());
}

#[test]
fn a_sheet_in_an_archive_is_the_same_sheet() {
    let plain = read(tiered().as_bytes()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(tiered().as_bytes()).unwrap();
    assert_eq!(read(&gzip.finish().unwrap()).unwrap(), plain);
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("sheet.csv", ::zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(tiered().as_bytes()).unwrap();
    assert_eq!(read(&zip.finish().unwrap().into_inner()).unwrap(), plain);
    assert_eq!(table::table_kind(tiered().as_bytes()), Some(table::TableKind::PriceSheet));
    assert_eq!(table::table_kind(b"a,b\n1,2\n"), None);
    let Event::PriceSheetPublished(header) = &plain[0].1 else { panic!("{plain:?}") };
    assert_eq!((header.parts, header.rows), (1, 3));
    assert_eq!(header.rows_digest, rows_digest(&rows(&tiered())));
    // Negative control: the digest depends on the rows.
    assert_ne!(header.rows_digest, rows_digest(&rows(&tiered())[..2]));
}

/// The rows' digest is that of the set: neither their order nor their parts matter, each row does,
/// and a row that stands there twice counts twice.
#[test]
fn the_digest_of_rows_adds_up_over_parts_in_any_order() {
    let all = rows(&tiered());
    let whole = rows_digest(&all);
    let mut turned = all.clone();
    turned.reverse();
    assert_eq!(rows_digest(&turned), whole);
    let (one, other) = (part("s".into(), 0, all[..1].to_vec()), part("s".into(), 1, all[1..].to_vec()));
    assert_eq!(one.rows_digest.plus(other.rows_digest), whole);
    let twice: Vec<PriceRow> = all.iter().chain(&all).cloned().collect();
    assert_ne!(rows_digest(&twice), rows_digest(&[]));
    for at in 0..all.len() {
        let mut changed = all.clone();
        changed[at].unit_price += Decimal::new(1, 28);
        assert_ne!(rows_digest(&changed), whole);
    }
}

/// The examples for producers are a sheet that is in force: the header states what its part holds.
#[test]
fn the_published_examples_state_the_digest_of_their_rows() {
    let read = |name: &str, kind: &str| {
        let path = format!("{}/../../schemas/reference/examples/valid/{name}.full.json", env!("CARGO_MANIFEST_DIR"));
        let data = std::fs::read_to_string(path).unwrap();
        let event = format!(r#"{{"specversion":"1.0","id":"1","source":"s","type":"{kind}","data":{data}}}"#);
        let value = Some(event.as_bytes());
        let message =
            crate::wire::MessageRef { stream: domain::entry::Stream::Reference, key: None, headers: &[], value };
        crate::wire::decode(&message).pop().unwrap().unwrap().event
    };
    let header = read("price-sheet.published.v1", "pec.price-sheet.published.v1");
    let part = read("price-sheet-part.published.v1", "pec.price-sheet-part.published.v1");
    let (Event::PriceSheetPublished(header), Event::PriceSheetPart(part)) = (header, part) else { panic!() };
    assert_eq!(header.rows_digest.to_string(), part.rows_digest.to_string());
}

#[test]
fn a_price_may_change_within_the_month_and_the_last_second_belongs_to_its_day() {
    let changed = sheet(&[
        row("0.10", "", "", "1/1/1753 12:00:00 AM", "9/14/2020 11:59:59 PM"),
        row("0.12", "", "", "9/15/2020 12:00:00 AM", "12/31/9999 11:59:59 PM"),
    ]);
    let rows = rows(&changed);
    assert_eq!(rows[0].until, Day::parse("2020-09-15").unwrap());
    assert_eq!(rows[0].from, open_from());
    assert_eq!(rows[1].from, rows[0].until);
    assert_eq!(refused(&changed.replace("9/15/2020", "9/14/2020")), "R-tiers");
}

#[test]
fn tiers_that_overlap_or_leave_a_gap_are_refused() {
    assert_eq!(refused(&tiered().replace("\"101\"", "\"100\"")), "R-tiers");
    assert_eq!(refused(&tiered().replace("\"101\"", "\"102\"")), "R-tiers");
    assert_eq!(refused(&tiered().replace("9223372036854780000", "200000")), "R-tiers");
    assert_eq!(refused(&sheet(&[tier("1", "2", "")])), "R-tiers");
    assert_eq!(refused(&sheet(&[tier("1", "", ""), tier("2", "", "")])), "R-tiers");
}

#[test]
fn what_is_unclear_is_refused() {
    assert_eq!(refused(&tiered().replacen("\"US\"", "\"DE\"", 1)), "R-table-mixed");
    assert_eq!(refused(&tiered().replacen("\"USD\"", "\"EUR\"", 1)), "R-table-mixed");
    assert_eq!(refused(&tiered().replacen("\"SkuTitle\"", "\"SkuId\"", 1)), "R-table-column");
    assert_eq!(refused(&tiered().replacen("\"UnitPrice\"", "\"Price\"", 1)), "R-table-column");
    assert_eq!(refused(&tiered().replacen(".80", "eighty", 1)), "R-table-value");
    assert_eq!(refused(&tiered().replacen(".80", "-.80", 1)), "R-table-value");
    assert_eq!(refused(&tiered().replacen("payG-1", "P7D", 1)), "R-table-value");
    assert_eq!(refused(&tiered().replacen("12:00:00 AM", "12:30:00 PM", 1)), "R-table-value");
    assert_eq!(refused(&format!("{HEADER}\n\"short\",\"row\"\n")), "R-table");
    assert_eq!(refused(&format!("{HEADER}\n")), "R-table");
    assert_eq!(read(b"PK\x03\x04broken").unwrap_err().code, "R-damaged");
    assert_eq!(read(b"\xff\xfe").unwrap_err().code, "R-not-utf8");
    let unstated = events_from_csv(tiered().as_bytes(), Period::parse("2020-09").unwrap(), PublishedAt::InFile);
    assert_eq!(unstated.unwrap_err().code, "R-published-unknown");
}

#[test]
fn kinds_follow_the_documented_convention() {
    let kind = |text: &str| rows(text)[0].kind;
    let plain = sheet(&[tier("1", "", "")]);
    assert_eq!(kind(&plain), PriceKind::Consumption);
    assert_eq!(kind(&plain.replace("Tiered - Standard", "D2 v3 - Dev/Test")), PriceKind::DevTest);
    assert_eq!(kind(&plain.replace("payG-1", "P3Y")), PriceKind::Reservation);
    assert_eq!(
        kind(&plain.replace("payG-1", "P1Y").replace("Tiered - Standard", "Savings Plan")),
        PriceKind::SavingsPlan
    );
}

#[test]
fn large_sheets_come_in_parts_that_fit_a_message() {
    let many: Vec<String> = (0..4_000).map(|n| tier("1", "", "").replace("01AB", &format!("{n:04}"))).collect();
    let events = read(sheet(&many).as_bytes()).unwrap();
    assert!(events.len() > 2, "{} events", events.len());
    for (envelope, event) in &events {
        let message = super::super::encode(envelope, event);
        assert!(message.value.unwrap().len() < 950_000);
    }
}
