//! Price sheets and exchange rates: what was published, and which publication is in force.
//!
//! A sheet is in force only when all its parts are known and their rows add up to the number and
//! the digest that its header states. Of one month and market the newest publication, by the time stated inside
//! it, alone prices every day of that month. No price is ever taken from anywhere else: what the
//! sheet lacks has no price, which is a finding and never zero.

mod tariff;

use std::collections::BTreeMap;

pub use tariff::{Band, PriceList, Tariff, Unpriced, has_tag, is_spot};

use crate::entry::{ExchangeRates, PriceRow, PriceSheet, PriceSheetPart};
use crate::filing::{Filing, Said};
use crate::ids::{Currency, Digest, Identity, Market};
use crate::money::{Exact, Rounding};
use crate::period::Period;
use crate::policy::Policy;

/// How many decimals an inverted rate is carried with under the policy `exact`: 1 ÷ a rate has no end as a
/// rule, and a document must be able to hold what was multiplied. So many fit in it beside eight digits before
/// the point, and no printed amount is so large that the next one could matter.
pub const EXACT_RATE_DECIMALS: u32 = 20;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceBook {
    sheets: Filing<PriceSheet>,
    parts: Filing<PriceSheetPart>,
    rates: Filing<ExchangeRates>,
}

/// One publication among several of the same time: chosen, but not to be issued on.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen<T> {
    pub value: T,
    /// Other publications of the same month with the same time and other content.
    pub rivals: Vec<Identity>,
}

/// A publication that is not in force, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldBack<'a> {
    /// The event that published its header.
    pub identity: Identity,
    pub sheet: &'a PriceSheet,
    /// The digest of its rows where it is not the header's; `None` while parts or rows are missing.
    pub found: Option<Digest>,
}

impl PriceBook {
    pub fn file_sheet(&mut self, identity: Identity, digest: Digest, sheet: PriceSheet) {
        self.sheets.file(identity, digest, sheet);
    }

    pub fn file_part(&mut self, identity: Identity, digest: Digest, part: PriceSheetPart) {
        self.parts.file(identity, digest, part);
    }

    pub fn file_rates(&mut self, identity: Identity, digest: Digest, rates: ExchangeRates) {
        self.rates.file(identity, digest, rates);
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.sheets.hear(said);
        self.parts.hear(said);
        self.rates.hear(said);
    }

    /// RATE-1: the prices of a month and market, from the newest complete sheet; `None` without one.
    #[must_use]
    pub fn list(&self, period: Period, market: Market) -> Option<Chosen<PriceList<'_>>> {
        let parts = self.parts_by_sheet();
        let of_month = self.sheets.iter().filter(|(_, sheet)| (sheet.period, sheet.market) == (period, market));
        let complete: Vec<_> = of_month
            .filter_map(|(identity, sheet)| match whole(sheet, parts.get(&*sheet.sheet)) {
                Whole::Rows(rows) => Some((identity, sheet, rows)),
                Whole::Missing | Whole::Differs(_) => None,
            })
            .collect();
        let newest = complete.iter().map(|(_, sheet, _)| sheet.published_at).max()?;
        let mut rivals: Vec<_> = complete.into_iter().filter(|(_, sheet, _)| sheet.published_at == newest).collect();
        rivals.sort_by_key(|(identity, sheet, _)| (sheet.rows_digest, self.digest(*identity), *identity));
        let mut in_order = rivals.into_iter();
        let (identity, sheet, rows) = in_order.next()?;
        let others = in_order.filter(|(_, other, _)| other.rows_digest != sheet.rows_digest);
        let rivals = others.map(|(identity, ..)| identity).collect();
        Some(Chosen { value: PriceList::new(&sheet.sheet, identity, rows), rivals })
    }

    /// RATE-1: sheets of a month and market that would be newer than the one in force, if their parts
    /// were all known and were what their headers state.
    #[must_use]
    pub fn held_back(&self, period: Period, market: Market) -> Vec<HeldBack<'_>> {
        let parts = self.parts_by_sheet();
        let of_month = || self.sheets.iter().filter(|(_, sheet)| (sheet.period, sheet.market) == (period, market));
        let of = |sheet: &PriceSheet| whole(sheet, parts.get(&*sheet.sheet));
        let in_force = of_month().filter(|(_, sheet)| matches!(of(sheet), Whole::Rows(_)));
        let newest = in_force.map(|(_, sheet)| sheet.published_at).max();
        let newer = of_month().filter(|(_, sheet)| newest.is_none_or(|newest| newest < sheet.published_at));
        let held = newer.filter_map(|(identity, sheet)| match of(sheet) {
            Whole::Rows(_) => None,
            Whole::Missing => Some(HeldBack { identity, sheet, found: None }),
            Whole::Differs(found) => Some(HeldBack { identity, sheet, found: Some(found) }),
        });
        held.collect()
    }

    /// RATE-8: USD per unit of a currency in a month, from the newest publication that states it.
    #[must_use]
    pub fn usd_per_unit(&self, period: Period, currency: Currency) -> Option<Chosen<Exact>> {
        let mut in_order = self.newest_rates(period, currency).into_iter();
        let (_, value) = in_order.next()?;
        let rivals = in_order.filter(|(_, other)| *other != value).map(|(identity, _)| identity).collect();
        Some(Chosen { value, rivals })
    }

    /// The event that published the rate in use, for explanations.
    #[must_use]
    pub fn rate_event(&self, period: Period, currency: Currency) -> Option<Identity> {
        self.newest_rates(period, currency).first().map(|(identity, _)| *identity)
    }

    /// The rates of the newest publications of a month that state the currency, the one in use first.
    fn newest_rates(&self, period: Period, currency: Currency) -> Vec<(Identity, Exact)> {
        let stated = self.rates.iter().filter(|(_, rates)| rates.period == period).filter_map(|(identity, rates)| {
            let (_, usd) = rates.usd_per_unit.iter().find(|(stated, _)| *stated == currency)?;
            Some((identity, rates.published_at, Exact::from(*usd)))
        });
        let stated: Vec<_> = stated.collect();
        let newest = stated.iter().map(|(_, at, _)| *at).max();
        let mut rivals: Vec<_> = stated.into_iter().filter(|(_, at, _)| Some(*at) == newest).collect();
        rivals.sort_by_key(|(identity, ..)| (self.digest(*identity), *identity));
        rivals.into_iter().map(|(identity, _, value)| (identity, value)).collect()
    }

    /// RATE-8: what the printed column PCToBCExchangeRate says: 1 ÷ USD per unit, half-even to nine
    /// decimals, because the printed number is what is multiplied. USD itself is 1.
    #[must_use]
    pub fn billing_per_pricing(&self, period: Period, currency: Currency, policy: &Policy) -> Option<Chosen<Exact>> {
        if currency == Currency::USD {
            return Some(Chosen { value: Exact::one(), rivals: Vec::new() });
        }
        let usd = self.usd_per_unit(period, currency)?;
        if usd.value.is_negative() {
            return None;
        }
        let decimals = policy.exchange_rate_decimals.unwrap_or(EXACT_RATE_DECIMALS);
        let value = Exact::one().divide(&usd.value, decimals, Rounding::HalfEven)?;
        Some(Chosen { value, rivals: usd.rivals })
    }

    fn digest(&self, identity: Identity) -> Option<Digest> {
        let sheet = self.sheets.get(identity).and_then(|drawer| Some(drawer.effective()?.0));
        sheet.or_else(|| self.rates.get(identity).and_then(|drawer| Some(drawer.effective()?.0)))
    }

    fn parts_by_sheet(&self) -> BTreeMap<&str, Vec<&PriceSheetPart>> {
        let mut by_sheet: BTreeMap<&str, Vec<&PriceSheetPart>> = BTreeMap::new();
        for (_, part) in self.parts.iter() {
            by_sheet.entry(&part.sheet).or_default().push(part);
        }
        by_sheet
    }
}

/// What is known of a sheet's rows.
enum Whole<'a> {
    /// Parts or rows are missing, or two parts of one number differ.
    Missing,
    /// As many rows as the header states, and other ones: their digest.
    Differs(Digest),
    Rows(Vec<&'a PriceRow>),
}

/// The rows of a sheet, if every part is there, no row is missing and their digest is the header's.
/// A part told again under another identity counts once.
fn whole<'a>(sheet: &PriceSheet, parts: Option<&Vec<&'a PriceSheetPart>>) -> Whole<'a> {
    let mut by_number: BTreeMap<u32, &PriceSheetPart> = BTreeMap::new();
    for part in parts.into_iter().flatten().filter(|part| part.number < sheet.parts) {
        if by_number.insert(part.number, part).is_some_and(|before| before.rows != part.rows) {
            return Whole::Missing;
        }
    }
    let rows: Vec<_> = by_number.values().flat_map(|part| &part.rows).collect();
    if by_number.len() as u64 != u64::from(sheet.parts) || rows.len() as u64 != sheet.rows {
        return Whole::Missing;
    }
    let found = by_number.values().fold(Digest::default(), |sum, part| sum.plus(part.rows_digest));
    if found == sheet.rows_digest { Whole::Rows(rows) } else { Whole::Differs(found) }
}

#[cfg(test)]
pub(crate) mod tests;
