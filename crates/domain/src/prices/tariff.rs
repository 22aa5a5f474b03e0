//! Which rows price a meter on a day: the tariff, or the reason why there is none.
//!
//! A tariff is the graduated bands of one product and SKU in force on one day. Bands must follow
//! one another without gap or overlap from zero to the open end; anything else has no price.

use std::collections::BTreeMap;

use crate::entry::{PriceKind, PriceRow};
use crate::ids::{Currency, Identity, MeterId};
use crate::money::Quantity;
use crate::period::Day;

/// The rows of one sheet, by meter and kind.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceList<'a> {
    pub sheet: &'a str,
    /// The event that published it.
    pub published_by: Identity,
    rows: BTreeMap<(&'a MeterId, PriceKind), Vec<&'a PriceRow>>,
}

/// What one product and SKU costs on one day.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff<'a> {
    pub product: &'a str,
    pub sku: &'a str,
    /// In order of quantity; never empty.
    pub bands: Vec<Band<'a>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Band<'a> {
    pub row: &'a PriceRow,
    /// Counted from 1.
    pub tier: u32,
    pub above: Quantity,
    /// Open where absent.
    pub up_to: Option<Quantity>,
}

/// Why a meter has no price on a day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unpriced {
    /// No complete sheet of the month and market is known.
    NoSheet,
    /// The sheet has no row of this meter and kind for the day (and product, where one is named).
    NoRow,
    /// Several products are in force and the event names none.
    Ambiguous(Vec<(Box<str>, Box<str>)>),
    /// The unit of measure in the sheet is another one.
    Unit(Box<str>),
    /// The bands do not follow one another, or are not priced in USD.
    Malformed(Box<str>),
}

impl<'a> PriceList<'a> {
    #[must_use]
    pub fn new(sheet: &'a str, published_by: Identity, rows: impl IntoIterator<Item = &'a PriceRow>) -> Self {
        let mut by_meter: BTreeMap<(&MeterId, PriceKind), Vec<&PriceRow>> = BTreeMap::new();
        for row in rows {
            for meter in &row.meters {
                by_meter.entry((meter, row.kind)).or_default().push(row);
            }
        }
        Self { sheet, published_by, rows: by_meter }
    }

    /// RATE-2: the tariff of a meter on a day. The event's unit must be the row's: quantities are
    /// never scaled. A meter of several products needs to say which.
    pub fn tariff(
        &self,
        (meter, kind): (&MeterId, PriceKind),
        (product, sku): (Option<&str>, Option<&str>),
        unit: &str,
        day: Day,
    ) -> Result<Tariff<'a>, Unpriced> {
        let named = |said: Option<&str>, row: &str| said.is_none_or(|said| said.trim().eq_ignore_ascii_case(row));
        let rows = self.rows.get(&(meter, kind)).map_or(&[][..], Vec::as_slice).iter().copied();
        let rows = rows.filter(|row| row.from <= day && day < row.until);
        let mut products: BTreeMap<(&str, &str), Vec<&PriceRow>> = BTreeMap::new();
        for row in rows.filter(|row| named(product, &row.product) && named(sku, &row.sku)) {
            products.entry((&row.product, &row.sku)).or_default().push(row);
        }
        if products.len() > 1 {
            let named = products.keys().map(|(product, sku)| ((*product).into(), (*sku).into()));
            return Err(Unpriced::Ambiguous(named.collect()));
        }
        let ((product, sku), mut rows) = products.pop_first().ok_or(Unpriced::NoRow)?;
        rows.sort_by_key(|row| row.above);
        rows.dedup();
        if let Some(other) = rows.iter().find(|row| row.unit.trim() != unit.trim()) {
            return Err(Unpriced::Unit(other.unit.clone()));
        }
        Ok(Tariff { product, sku, bands: bands(&rows)? })
    }

    /// Every row, once for every meter that it prices.
    pub fn rows(&self) -> impl Iterator<Item = &'a PriceRow> {
        self.rows.values().flatten().copied()
    }
}

/// RATE-3: graduated bands `(above, up to]`, from zero to the open end.
fn bands<'a>(rows: &[&'a PriceRow]) -> Result<Vec<Band<'a>>, Unpriced> {
    let malformed = |what: String| Err(Unpriced::Malformed(what.into()));
    let mut bands: Vec<Band<'a>> = Vec::with_capacity(rows.len());
    let mut expected = Some(Quantity::ZERO);
    for (row, tier) in rows.iter().zip(1..) {
        if row.currency != Currency::USD {
            return malformed(format!("the row is priced in {}, not in USD", row.currency));
        }
        let above = Quantity::from(row.above);
        if expected != Some(above) {
            return malformed(format!("tier {tier} begins above {}, which leaves a gap or overlaps", row.above));
        }
        let up_to = row.up_to.map(Quantity::from);
        if up_to.is_some_and(|up_to| up_to <= above) {
            return malformed(format!("tier {tier} ends where it begins"));
        }
        expected = up_to;
        bands.push(Band { row, tier, above, up_to });
    }
    match expected {
        None => Ok(bands),
        Some(end) => malformed(format!("no tier goes beyond {end}")),
    }
}

/// RATE-4: spot is known by the word in the row's product or SKU title.
#[must_use]
pub fn is_spot(row: &PriceRow) -> bool {
    // Asked of every cell of an invoice: hardly a title holds these letters at all.
    let holds = |title: &str| title.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"spot"));
    let is_word =
        |title: &str| title.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("spot"));
    [&row.product_title, &row.sku_title].into_iter().any(|title| holds(title) && is_word(title))
}

/// RATE-5: a tag compared without spaces and case, so `Third Party` and `ThirdParty` are one.
#[must_use]
pub fn has_tag(row: &PriceRow, tag: &str) -> bool {
    fn plain(text: &str) -> impl Iterator<Item = char> + '_ {
        text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase)
    }
    row.tags.iter().flat_map(|tags| tags.split(';')).any(|one| plain(one).eq(plain(tag)))
}
