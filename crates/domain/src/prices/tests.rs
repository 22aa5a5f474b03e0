use super::*;
use crate::entry::{Entry, Event, Fact, Outcome, PriceKind, PriceRow};
use crate::ids::MeterId;
use crate::period::{Day, Instant};
use rust_decimal::Decimal;

pub(crate) fn number(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

/// A row of one open band, in force for the whole of September 2020.
pub(crate) fn row(meter: &str, unit: &str, price: &str) -> PriceRow {
    PriceRow {
        product: "DZH318Z0BNZ5".into(),
        product_title: "Tables".into(),
        sku: "006G".into(),
        sku_title: "Tables - LRS".into(),
        meters: vec![MeterId::parse(meter)],
        kind: PriceKind::Consumption,
        unit: unit.into(),
        currency: Currency::USD,
        unit_price: number(price),
        above: Decimal::ZERO,
        up_to: None,
        from: Day::parse("2020-09-01").unwrap(),
        until: Day::parse("2020-10-01").unwrap(),
        tags: vec!["Azure".into()],
    }
}

pub(crate) fn banded(mut row: PriceRow, above: &str, up_to: Option<&str>, price: &str) -> PriceRow {
    row.above = number(above);
    row.up_to = up_to.map(number);
    row.unit_price = number(price);
    row
}

fn entry(identity: u128, event: Event) -> Entry {
    let digest = Digest([u8::try_from(identity % 251).unwrap(); 32]);
    Entry {
        position: 0,
        index: 0,
        recorded_at: Day(0).start(),
        outcome: Outcome::Accepted,
        fact: Fact { identity: Identity(identity), digest, event },
        antecedent: None,
        incumbent: None,
    }
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// Stands in for the digest that the journal computes: the prices' digits, added up.
pub(crate) fn rows_digest(rows: &[PriceRow]) -> Digest {
    let of_row = |row: &PriceRow| {
        let mut digest = Digest::default();
        digest.0[16..].copy_from_slice(&row.unit_price.normalize().mantissa().to_be_bytes());
        digest
    };
    rows.iter().map(of_row).fold(Digest::default(), Digest::plus)
}

fn header(sheet: &str, published: &str, parts: u32, rows: &[PriceRow]) -> Event {
    Event::PriceSheetPublished(PriceSheet {
        sheet: sheet.into(),
        market: Market::parse("US").unwrap(),
        period: Period::parse("2020-09").unwrap(),
        published_at: at(published),
        parts,
        rows: rows.len() as u64,
        rows_digest: rows_digest(rows),
    })
}

fn part(sheet: &str, number: u32, rows: Vec<PriceRow>) -> Event {
    let rows_digest = rows_digest(&rows);
    Event::PriceSheetPart(PriceSheetPart { sheet: sheet.into(), number, rows, rows_digest })
}

fn costing(price: &str) -> PriceRow {
    row("m", "1 Hour", price)
}

fn tell(book: &mut PriceBook, entry: &Entry) {
    let (identity, digest) = (entry.fact.identity, entry.fact.digest);
    if let Event::PriceSheetPublished(sheet) = &entry.fact.event {
        book.file_sheet(identity, digest, sheet.clone());
    } else if let Event::PriceSheetPart(part) = &entry.fact.event {
        book.file_part(identity, digest, part.clone());
    } else if let Event::ExchangeRatesPublished(rates) = &entry.fact.event {
        book.file_rates(identity, digest, rates.clone());
    } else {
        panic!("no part of a sheet: {:?}", entry.fact.event);
    }
}

fn held_back(book: &PriceBook) -> Vec<HeldBack<'_>> {
    book.held_back(Period::parse("2020-09").unwrap(), Market::parse("US").unwrap())
}

fn september(book: &PriceBook) -> Option<Chosen<PriceList<'_>>> {
    book.list(Period::parse("2020-09").unwrap(), Market::parse("US").unwrap())
}

#[test]
fn a_sheet_is_in_force_only_when_it_is_complete_and_newest() {
    let mut book = PriceBook::default();
    tell(&mut book, &entry(1, header("old", "2020-08-31T18:00:00Z", 1, &[costing("1")])));
    tell(&mut book, &entry(2, part("old", 0, vec![costing("1")])));
    let three = [costing("2"), row("n", "1 Hour", "2"), row("o", "1 Hour", "2")];
    tell(&mut book, &entry(3, header("newer", "2020-09-05T18:00:00Z", 2, &three)));
    tell(&mut book, &entry(4, part("newer", 1, vec![costing("2")])));
    assert_eq!(september(&book).unwrap().value.sheet, "old");
    assert_eq!(held_back(&book).len(), 1);
    tell(&mut book, &entry(5, part("newer", 0, vec![row("n", "1 Hour", "2")])));
    assert_eq!(september(&book).unwrap().value.sheet, "old", "two rows are there and three are stated");
    assert_eq!(held_back(&book)[0].found, None);
    let twice = [costing("3"), costing("3")];
    tell(&mut book, &entry(6, header("newest!", "2020-09-06T00:00:00Z", 2, &twice)));
    assert_eq!(september(&book).unwrap().value.sheet, "old", "its parts carry another name");
    for (id, number) in [(7, 0), (8, 1)] {
        tell(&mut book, &entry(id, part("newest!", number, vec![costing("3")])));
    }
    let chosen = september(&book).unwrap();
    assert_eq!((chosen.value.sheet, chosen.rivals.len()), ("newest!", 0));
    assert_eq!(held_back(&book), [], "what is older than the sheet in force holds nothing up");
}

/// The header says what the rows must be: other rows of the same number are never in force, in
/// whatever order all of it comes, until the header is told again as it should be.
#[test]
fn rows_that_the_header_does_not_vouch_for_are_never_in_force() {
    let events = [
        (1, header("old", "2020-08-31T18:00:00Z", 1, &[costing("1")])),
        (2, part("old", 0, vec![costing("1")])),
        (3, header("newer", "2020-09-05T18:00:00Z", 2, &[costing("2"), costing("7")])),
        (4, part("newer", 1, vec![costing("2")])),
        (5, part("newer", 0, vec![costing("3")])),
    ];
    for rotation in 0..events.len() {
        let mut book = PriceBook::default();
        for step in 0..events.len() {
            let (identity, event) = &events[(rotation + step) % events.len()];
            tell(&mut book, &entry(*identity, event.clone()));
        }
        assert_eq!(september(&book).unwrap().value.sheet, "old");
        let found = rows_digest(&[costing("2"), costing("3")]);
        let held: Vec<_> = held_back(&book).iter().map(|held| (held.identity, held.found)).collect();
        assert_eq!(held, [(Identity(3), Some(found))]);
        tell(&mut book, &entry(6, header("newer", "2020-09-05T18:00:00Z", 2, &[costing("2"), costing("3")])));
        assert_eq!(september(&book).unwrap().value.sheet, "newer");
        assert_eq!(held_back(&book), []);
    }
}

#[test]
fn equal_publication_times_are_chosen_by_digest_and_named() {
    for order in [[1, 2], [2, 1]] {
        let mut book = PriceBook::default();
        for id in order {
            let (name, price) = [("", ""), ("b", "1"), ("aa", "2")][usize::try_from(id).unwrap()];
            tell(&mut book, &entry(id, header(name, "2020-08-31T18:00:00Z", 1, &[costing(price)])));
            tell(&mut book, &entry(id + 10, part(name, 0, vec![costing(price)])));
        }
        let chosen = september(&book).unwrap();
        assert_eq!((chosen.value.sheet, chosen.rivals), ("b", vec![Identity(2)]));
    }
}

/// A part told again under another identity counts once, if it says the same; a part beyond those that the
/// header states is none of the sheet's.
#[test]
fn a_sheet_is_made_of_the_parts_that_its_header_states() {
    let sheet = |more: &[Event]| {
        let mut book = PriceBook::default();
        tell(&mut book, &entry(1, header("s", "2020-08-31T18:00:00Z", 1, &[costing("1")])));
        tell(&mut book, &entry(2, part("s", 0, vec![costing("1")])));
        (3..).zip(more).for_each(|(id, event)| tell(&mut book, &entry(id, event.clone())));
        september(&book).is_some()
    };
    assert!(sheet(&[]));
    assert!(sheet(&[part("s", 0, vec![costing("1")])]), "the same, told twice");
    assert!(!sheet(&[part("s", 0, vec![costing("2")])]), "two parts of one number differ");
    assert!(sheet(&[part("s", 1, vec![costing("2")])]), "the header states one part");
}

fn rates(usd: &str) -> Event {
    let usd_per_unit = vec![(Currency::parse("EUR").unwrap(), number(usd))];
    let (period, published_at) = (Period::parse("2020-09").unwrap(), at("2020-08-31T00:00:00Z"));
    Event::ExchangeRatesPublished(ExchangeRates { period, published_at, usd_per_unit })
}

/// RATE-8: of rates published at one time the smallest content decides, whichever event carries it; the
/// event in use is the one that explanations cite, and the other one is named.
#[test]
fn rates_of_one_time_are_chosen_by_content_and_the_event_in_use_is_cited() {
    let (month, euro) = (Period::parse("2020-09").unwrap(), Currency::parse("EUR").unwrap());
    let mut book = PriceBook::default();
    assert_eq!(book.rate_event(month, euro), None);
    // The event told first has the digest 9, the second one the digest 1.
    for (identity, usd) in [(9, "1.2"), (252, "1.3")] {
        tell(&mut book, &entry(identity, rates(usd)));
    }
    let chosen = book.usd_per_unit(month, euro).unwrap();
    assert_eq!((chosen.value.to_string().as_str(), chosen.rivals), ("1.3", vec![Identity(9)]));
    assert_eq!(book.rate_event(month, euro), Some(Identity(252)));
    assert_eq!(book.rate_event(month.next(), euro), None);
}

/// Of two bodies of one publication the one that a person decided for counts.
#[test]
fn a_decided_publication_counts() {
    let (month, euro) = (Period::parse("2020-09").unwrap(), Currency::parse("EUR").unwrap());
    let mut book = PriceBook::default();
    for (digest, usd) in [(1, "1.2"), (2, "1.3")] {
        let told = entry(9, rates(usd));
        tell(&mut book, &Entry { fact: Fact { digest: Digest([digest; 32]), ..told.fact }, ..told });
    }
    let in_use = |book: &PriceBook| book.usd_per_unit(month, euro).unwrap().value.to_string();
    assert_eq!(in_use(&book), "1.2");
    book.hear(Said::Decided(&crate::entry::ConflictDecided {
        identity: Identity(9),
        keep: Digest([2; 32]),
        known: vec![Digest([1; 32]), Digest([2; 32])],
        decision: crate::entry::Decision {
            actor: "ann".into(),
            reason: "asked".into(),
            at: at("2020-11-01T00:00:00Z"),
        },
    }));
    assert_eq!(in_use(&book), "1.3");
}

fn tariff<'a>(rows: &'a [PriceRow], day: &str, product: Option<&str>) -> Result<Tariff<'a>, Unpriced> {
    let meter = MeterId::parse("m");
    let list = PriceList::new("sheet", Identity(1), rows);
    list.tariff((&meter, PriceKind::Consumption), (product, None), "1 Hour", Day::parse(day).unwrap())
}

#[test]
fn what_has_no_price_says_why() {
    let plain = row("m", "1 Hour", "1");
    assert_eq!(tariff(&[], "2020-09-01", None), Err(Unpriced::NoRow));
    assert_eq!(tariff(std::slice::from_ref(&plain), "2020-10-01", None), Err(Unpriced::NoRow));
    assert!(tariff(std::slice::from_ref(&plain), "2020-09-30", None).is_ok());
    assert_eq!(tariff(&[row("m", "10 Hours", "1")], "2020-09-30", None), Err(Unpriced::Unit("10 Hours".into())));
    let mut other = plain.clone();
    other.product = "DZH318Z0C16V".into();
    let two = [plain.clone(), other];
    let Err(Unpriced::Ambiguous(named)) = tariff(&two, "2020-09-01", None) else { panic!("two products in force") };
    assert_eq!(named.len(), 2);
    assert_eq!(tariff(&two, "2020-09-01", Some("dzh318z0c16v")).unwrap().product, "DZH318Z0C16V");
    let band = |above: &str, up_to: Option<&str>| banded(plain.clone(), above, up_to, "1");
    for (gapped, what) in [
        (vec![band("0", Some("100")), band("101", None)], "gap"),
        (vec![band("0", Some("100")), band("50", None)], "overlap"),
        (vec![band("5", None)], "first"),
        (vec![band("0", Some("100"))], "open end"),
    ] {
        assert!(matches!(tariff(&gapped, "2020-09-01", None), Err(Unpriced::Malformed(_))), "{what}");
    }
}

#[test]
fn a_rate_is_inverted_to_nine_decimals_from_the_newest_publication() {
    let month = Period::parse("2020-09").unwrap();
    let mut book = PriceBook::default();
    for (id, published, usd) in [(1, "2020-08-31T00:00:00Z", "1.2"), (2, "2020-08-30T00:00:00Z", "9")] {
        let usd_per_unit = vec![(Currency::parse("EUR").unwrap(), number(usd))];
        let rates = ExchangeRates { period: month, published_at: at(published), usd_per_unit };
        tell(&mut book, &entry(id, Event::ExchangeRatesPublished(rates)));
    }
    let policy = Policy::builtin();
    let rate = |currency: &str| book.billing_per_pricing(month, Currency::parse(currency).unwrap(), &policy);
    assert_eq!(rate("EUR").unwrap().value.to_string(), "0.833333333");
    assert_eq!(rate("USD").unwrap().value, Exact::one());
    assert_eq!(rate("GBP"), None);
    assert_eq!(book.billing_per_pricing(month.next(), Currency::parse("EUR").unwrap(), &policy), None);
}

#[test]
fn spot_is_a_word_and_a_tag_has_no_spaces() {
    let mut one = row("m", "1 Hour", "1");
    one.sku_title = "Virtual Machines Dv3 - D4 v3 Spot - EU West".into();
    assert!(is_spot(&one));
    one.sku_title = "Spotlight Analytics".into();
    assert!(!is_spot(&one));
    one.tags = vec!["Azure; third  PARTY".into()];
    assert!(has_tag(&one, "ThirdParty"));
    assert!(!has_tag(&row("m", "1 Hour", "1"), "ThirdParty"));
}
