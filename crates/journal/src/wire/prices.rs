//! Microsoft's consumption price sheet (`azure_consumption`, 18 columns) as events.
//!
//! One sheet becomes a header and parts that fit a Kafka message. Inclusive tiers starting at 1
//! become `(above, up to]` bands without gaps, inclusive ends of a day become exclusive midnights,
//! the years 1753 and 9999 are open ends. Bands that overlap or leave a gap, several markets or
//! currencies, and a sheet that does not say when it was published are refused.
//!
//! The kind of a price comes from the column `PriceType` where there is one; else a term of a year
//! or more is a reservation (a savings plan where the title says so), and `DevTest` or `Dev/Test`
//! in the product or SKU title is a DevTest price; all else is consumption.

use domain::entry::{Event, PriceKind, PriceRow, PriceSheet, PriceSheetPart};
use domain::ids::{Currency, Digest, Market, MeterId};
use domain::period::{Day, Instant, Period};
use rust_decimal::Decimal;

use super::encode::Envelope;
use super::form::{self, Codec as _, Object};
use super::rejection;
use super::sink::{Canonical, Json};
use super::table::{self, PublishedAt, Row, Table};
use super::{Rejection, limits, time};

/// The `source` of imported sheets; their ids are made of the file's digest, so that importing a
/// file twice records duplicates and nothing else.
pub const SOURCE: &str = "urn:pec:import:price-sheet";

const PRODUCT: &[&str] = &["ProductId"];
const SKU: &[&str] = &["SkuId"];
const UNIT_PRICE: &[&str] = &["UnitPrice"];
const TIER_MIN: &[&str] = &["PricingTierRangeMin", "TierMin", "TierRangeMin"];
const TIER_MAX: &[&str] = &["PricingTierRangeMax", "TierMax", "TierRangeMax"];
const UNIT: &[&str] = &["UnitOfMeasure", "Unit"];
const METERS: &[&str] = &["MeterIds", "MeterId"];
const FROM: &[&str] = &["EffectiveStartDate", "StartDate"];
const UNTIL: &[&str] = &["EffectiveEndDate", "EndDate"];
const PRODUCT_TITLE: &[&str] = &["ProductTitle", "ProductName", "Product"];
const SKU_TITLE: &[&str] = &["SkuTitle", "SkuName"];

/// The columns that make a table a price sheet.
pub(super) const KNOWN_BY: [&[&str]; 3] = [PRODUCT, SKU, UNIT_PRICE];

/// Reads a sheet, plain or packed, that prices the days of `month`.
pub fn events_from_csv(
    bytes: &[u8],
    month: Period,
    published_at: PublishedAt,
) -> Result<Vec<(Envelope, Event)>, Rejection> {
    let table = Table::read(bytes)?;
    table.require(&[PRODUCT, SKU, UNIT, &["Market"], &["Currency"], UNIT_PRICE, FROM, UNTIL, METERS, &["Tags"]])?;
    let published_at = table::published_at(&table, published_at)?;
    let mut market = None;
    let mut rows = Vec::new();
    for row in table.rows() {
        same(&mut market, row.value(&["Market"], "a country code such as US", Market::parse)?, row, "Market")?;
        rows.push(price_row(row)?);
    }
    let Some(market) = market else {
        return Err(Rejection::new(rejection::TABLE, "the sheet has no rows"));
    };
    check_currency(&rows)?;
    check_ladders(&rows)?;
    Ok(events(&table.digest, market, month, published_at, rows))
}

/// The digest that a sheet's header states: the sum of BLAKE3 over each row in canonical form, so
/// that neither their order nor their parts matter.
#[must_use]
pub fn rows_digest<'a>(rows: impl IntoIterator<Item = &'a PriceRow>) -> Digest {
    let mut canonical = Canonical { out: Vec::with_capacity(512) };
    let digests = rows.into_iter().map(|row| {
        canonical.out.clear();
        canonical.bytes(b"pec-price-row-2");
        Object::write(row, &mut canonical);
        Digest(*blake3::hash(&canonical.out).as_bytes())
    });
    digests.fold(Digest::default(), Digest::plus)
}

/// A part of a sheet, with the digest of its rows.
#[must_use]
pub fn part(sheet: Box<str>, number: u32, rows: Vec<PriceRow>) -> PriceSheetPart {
    let rows_digest = rows_digest(&rows);
    PriceSheetPart { sheet, number, rows, rows_digest }
}

fn events(
    file: &Digest,
    market: Market,
    month: Period,
    published_at: Instant,
    rows: Vec<PriceRow>,
) -> Vec<(Envelope, Event)> {
    let id = format!("{}-{month}-{file}", market.as_str());
    let envelope = |id: String| Envelope { id, source: SOURCE.to_owned(), time: None, causation_id: None };
    let rows_digest = rows_digest(&rows);
    let count = rows.len() as u64;
    let parts = into_parts(rows);
    let header = PriceSheet {
        sheet: id.as_str().into(),
        market,
        period: month,
        published_at,
        parts: u32::try_from(parts.len()).expect("a table in memory has fewer parts than 2^32"),
        rows: count,
        rows_digest,
    };
    let mut events = vec![(envelope(id.clone()), Event::PriceSheetPublished(header))];
    for (number, rows) in (0_u32..).zip(parts) {
        let part = part(id.as_str().into(), number, rows);
        events.push((envelope(format!("{id}-{number}")), Event::PriceSheetPart(part)));
    }
    events
}

/// Cuts rows into parts by the size that they will have as JSON.
fn into_parts(rows: Vec<PriceRow>) -> Vec<Vec<PriceRow>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut size = 0;
    for row in rows {
        let mut json = Json::default();
        Object::write(&row, &mut json);
        if size + json.out.len() > limits::PART_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            size = 0;
        }
        size += json.out.len() + 1;
        part.push(row);
    }
    parts.push(part);
    parts
}

fn price_row(row: Row<'_>) -> Result<PriceRow, Rejection> {
    let name = |names: &[&str]| row.value(names, "a name", |text| (!text.is_empty()).then(|| Box::from(text)));
    let (above, up_to) = band(row)?;
    let (from, until) = days(row)?;
    let unit_price = row.number(UNIT_PRICE)?;
    if unit_price < Decimal::ZERO {
        return Err(row.wrong("UnitPrice", row.text(UNIT_PRICE), "a price that is not negative"));
    }
    Ok(PriceRow {
        product: name(PRODUCT)?,
        product_title: row.text(PRODUCT_TITLE).into(),
        sku: name(SKU)?,
        sku_title: row.text(SKU_TITLE).into(),
        meters: meters(row)?,
        kind: kind(row)?,
        unit: name(UNIT)?,
        currency: row.value(&["Currency"], "a currency code such as USD", Currency::parse)?,
        unit_price,
        above,
        up_to,
        from,
        until,
        tags: row
            .text(&["Tags"])
            .split([';', ','])
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(Box::from)
            .collect(),
    })
}

fn meters(row: Row<'_>) -> Result<Vec<MeterId>, Rejection> {
    let text = row.text(METERS);
    let ids = text.split(|c: char| c == ';' || c == ',' || c == '|' || c.is_whitespace());
    let meters: Vec<MeterId> = ids
        .filter(|id| !id.is_empty())
        .map(|id| form::guid(id).map_or_else(|| MeterId::parse(id), MeterId::Guid))
        .collect();
    if meters.is_empty() {
        return Err(row.wrong("MeterIds", text, "at least one meter id"));
    }
    Ok(meters)
}

fn kind(row: Row<'_>) -> Result<PriceKind, Rejection> {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let stated = row.text(&["PriceType", "Type"]);
    match plain(stated).as_str() {
        "" => {}
        "consumption" => return Ok(PriceKind::Consumption),
        "devtest" | "devtestconsumption" => return Ok(PriceKind::DevTest),
        "reservation" | "reservedinstance" => return Ok(PriceKind::Reservation),
        "savingsplan" => return Ok(PriceKind::SavingsPlan),
        _ => return Err(row.wrong("PriceType", stated, "Consumption, DevTestConsumption, Reservation or SavingsPlan")),
    }
    let titles = plain(row.text(PRODUCT_TITLE)) + &plain(row.text(SKU_TITLE));
    let term = row.text(&["TermDuration", "Term"]);
    Ok(match term.to_ascii_lowercase().as_str() {
        "p1y" | "p3y" | "p5y" if titles.contains("savingsplan") => PriceKind::SavingsPlan,
        "p1y" | "p3y" | "p5y" => PriceKind::Reservation,
        "" | "payg" | "payg-1" | "p1m" | "none" if titles.contains("devtest") => PriceKind::DevTest,
        "" | "payg" | "payg-1" | "p1m" | "none" => PriceKind::Consumption,
        _ => return Err(row.wrong("TermDuration", term, "payG-1, P1Y, P3Y or P5Y")),
    })
}

/// `(min - 1, max]`: bounds are printed inclusive and whole, quantities are not whole, and 100.5
/// units must lie in some band.
fn band(row: Row<'_>) -> Result<(Decimal, Option<Decimal>), Rejection> {
    // Printed as 9223372036854780000, which no meter reaches.
    let open = Decimal::from(9_000_000_000_000_000_000_u64);
    let bound = |names: &[&str]| -> Result<Option<Decimal>, Rejection> {
        match row.text(names) {
            "" => Ok(None),
            text => {
                let bound = row.number(names)?;
                if bound < Decimal::ZERO || !bound.fract().is_zero() {
                    return Err(row.wrong(names[0], text, "a whole number: tiers are printed inclusive and whole"));
                }
                Ok(Some(bound))
            }
        }
    };
    let above = bound(TIER_MIN)?.map_or(Decimal::ZERO, |min| (min - Decimal::ONE).max(Decimal::ZERO));
    let up_to = bound(TIER_MAX)?.filter(|max| *max < open);
    if up_to.is_some_and(|up_to| up_to <= above) {
        return Err(row.wrong(TIER_MAX[0], row.text(TIER_MAX), "a bound not below the tier's lower one"));
    }
    Ok((above, up_to))
}

/// The days of a row, `[from, until)`. Prices change at midnight and never in between.
fn days(row: Row<'_>) -> Result<(Day, Day), Rejection> {
    const DAY: i64 = 86_400;
    let read = |names: &[&str]| row.value(names, "a date such as 9/1/2020 12:00:00 AM", time::lenient);
    let (start, end) = (read(FROM)?, read(UNTIL)?);
    let year = |at: Instant| Day::of(at).period().year();
    let from = match start.timestamp().rem_euclid(DAY) {
        _ if year(start) <= 1753 => open_from(),
        0 => Day::of(start),
        _ => return Err(row.wrong(FROM[0], row.text(FROM), "midnight: prices change between days")),
    };
    let dated_only = !row.text(UNTIL).contains(':');
    let until = match end.timestamp().rem_euclid(DAY) {
        _ if year(end) == 9999 => open_until(),
        0 if !dated_only => Day::of(end),
        0 | 86_399 => Day::of(end).next(),
        _ => {
            return Err(row.wrong(
                UNTIL[0],
                row.text(UNTIL),
                "midnight or a second before: prices change between days",
            ));
        }
    };
    if until <= from {
        return Err(row.wrong(UNTIL[0], row.text(UNTIL), "a day not before the start"));
    }
    Ok((from, until))
}

fn open_from() -> Day {
    Day::parse("0001-01-01").expect("the calendar has this day")
}

fn open_until() -> Day {
    Day::parse("9999-12-31").expect("the calendar has this day")
}

fn same(known: &mut Option<Market>, found: Market, row: Row<'_>, column: &str) -> Result<(), Rejection> {
    match known {
        Some(known) if *known != found => {
            let detail =
                row.wrong(column, found.as_str(), &format!("`{}` as in the rows above", known.as_str())).detail;
            Err(Rejection::new(rejection::TABLE_MIXED, format!("one sheet, one market; {detail}")))
        }
        _ => {
            *known = Some(found);
            Ok(())
        }
    }
}

fn check_currency(rows: &[PriceRow]) -> Result<(), Rejection> {
    match rows.iter().find(|row| row.currency != rows[0].currency) {
        Some(row) => {
            let detail = format!("one sheet, one currency; found {} and {}", rows[0].currency, row.currency);
            Err(Rejection::new(rejection::TABLE_MIXED, detail))
        }
        None => Ok(()),
    }
}

/// On every day the bands of a meter's price must follow each other from 0 to the open end.
fn check_ladders(rows: &[PriceRow]) -> Result<(), Rejection> {
    let mut keyed: Vec<_> = rows
        .iter()
        .flat_map(|row| row.meters.iter().map(move |meter| ((meter, &row.product, &row.sku, row.kind), row)))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    for group in keyed.chunk_by(|(left, _), (right, _)| left == right) {
        let days = group.iter().flat_map(|(_, row)| [row.from, row.until]);
        for day in days {
            let mut bands: Vec<&PriceRow> =
                group.iter().map(|(_, row)| *row).filter(|row| row.from <= day && day < row.until).collect();
            bands.sort_by_key(|row| row.above);
            check_ladder(&bands, group[0].0.0, day)?;
        }
    }
    Ok(())
}

fn check_ladder(bands: &[&PriceRow], meter: &MeterId, day: Day) -> Result<(), Rejection> {
    let Some(first) = bands.first() else { return Ok(()) };
    let refused = |what: &str| {
        let detail =
            format!("the tiers of meter {meter} (product {}, SKU {}) {what} on {day}", first.product, first.sku);
        Err(Rejection::new(rejection::TIERS, detail))
    };
    let mut reached = Some(Decimal::ZERO);
    for band in bands {
        match reached {
            None => return refused("overlap"),
            Some(reached) if band.above < reached => return refused("overlap"),
            Some(reached) if band.above > reached => return refused(&format!("leave a gap above {reached}")),
            Some(_) => reached = band.up_to,
        }
    }
    match reached {
        Some(top) => refused(&format!("end at {top}, and nothing prices what is above")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
