//! The prices of one month, looked up once per item and kind, whichever resource used it.
//!
//! Every distinct tariff gets a number, and so does every tier counter (meter, kind, product, SKU),
//! so that millions of cells can be sorted and drawn by small numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::Notes;
use crate::entry::PriceKind;
use crate::finding::{About, Code};
use crate::ids::{Market, MeterId};
use crate::period::{Day, Period};
use crate::prices::{Band, Chosen, PriceBook, PriceList, Tariff, Unpriced};
use crate::usage::Item;

/// A tariff, and what rating knows beside it.
#[derive(Clone, Debug)]
pub(super) struct Priced<'a> {
    pub(super) kind: PriceKind,
    pub(super) bands: Vec<Band<'a>>,
    pub(super) estimate: bool,
    /// Slots `first_slot + band` name (price row, meter) by small numbers.
    pub(super) first_slot: u32,
}

/// A tariff and the counter that runs through it, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) tariff: u32,
    pub(super) group: u32,
}

type Counter<'a> = (&'a MeterId, PriceKind, &'a str, &'a str);

pub(super) struct Pricing<'a> {
    book: &'a PriceBook,
    period: Period,
    markets: BTreeMap<Market, Lists<'a>>,
    items: BTreeMap<(Market, PriceKind, &'a Item), BTreeMap<Day, Result<Found, Unpriced>>>,
    priced: Vec<Priced<'a>>,
    tariffs: BTreeMap<(u32, bool), Vec<(Tariff<'a>, u32)>>,
    groups: BTreeMap<Counter<'a>, u32>,
    meters: Vec<&'a MeterId>,
    slots: u32,
}

struct Lists<'a> {
    now: Option<Chosen<PriceList<'a>>>,
    /// Last month's, for estimates.
    before: Option<Chosen<PriceList<'a>>>,
}

impl<'a> Pricing<'a> {
    pub(super) fn new(book: &'a PriceBook, period: Period) -> Self {
        Self {
            book,
            period,
            markets: BTreeMap::new(),
            items: BTreeMap::new(),
            priced: Vec::new(),
            tariffs: BTreeMap::new(),
            groups: BTreeMap::new(),
            meters: Vec::new(),
            slots: 0,
        }
    }

    pub(super) fn priced(&self, tariff: u32) -> &Priced<'a> {
        &self.priced[tariff as usize]
    }

    pub(super) fn meter(&self, group: u32) -> &'a MeterId {
        self.meters[group as usize]
    }

    /// The markets whose prices were asked for.
    pub(super) fn markets(&self) -> BTreeSet<Market> {
        self.markets.keys().copied().collect()
    }

    /// Looks at the sheets of markets as if usage there had asked for a price.
    pub(super) fn ask(&mut self, markets: &BTreeSet<Market>) {
        for market in markets {
            self.lists(*market);
        }
    }

    /// The counters' numbers in the order of what they count.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.meters.len()];
        for (rank, group) in (0..).zip(self.groups.values()) {
            ranks[*group as usize] = rank;
        }
        ranks
    }

    /// RATE-2: the tariff of an item on a day, or last month's as an estimate beside the reason why
    /// there is none.
    pub(super) fn find(
        &mut self,
        (market, kind): (Market, PriceKind),
        item: &'a Item,
        day: Day,
    ) -> (Option<Found>, Option<Unpriced>) {
        let known = self.items.get(&(market, kind, item)).and_then(|days| days.get(&day));
        let now = match known {
            Some(known) => known.clone(),
            None => {
                let found = self.look_up(market, kind, item, day);
                self.items.entry((market, kind, item)).or_default().insert(day, found.clone());
                found
            }
        };
        match now {
            Ok(found) => (Some(found), None),
            Err(why @ (Unpriced::NoSheet | Unpriced::NoRow)) => (self.estimate(market, kind, item), Some(why)),
            Err(why) => (None, Some(why)),
        }
    }

    fn look_up(&mut self, market: Market, kind: PriceKind, item: &'a Item, day: Day) -> Result<Found, Unpriced> {
        let lists = self.lists(market);
        let list = &lists.now.as_ref().ok_or(Unpriced::NoSheet)?.value;
        let tariff = tariff(list, kind, item, day)?;
        Ok(self.number(kind, item, tariff, false))
    }

    fn estimate(&mut self, market: Market, kind: PriceKind, item: &'a Item) -> Option<Found> {
        let last_day = Day(self.period.first_day().0 - 1);
        let list = &self.lists(market).before.as_ref()?.value;
        let tariff = tariff(list, kind, item, last_day).ok()?;
        Some(self.number(kind, item, tariff, true))
    }

    fn lists(&mut self, market: Market) -> &Lists<'a> {
        let (book, period) = (self.book, self.period);
        self.markets
            .entry(market)
            .or_insert_with(|| Lists { now: book.list(period, market), before: book.list(period.previous(), market) })
    }

    fn number(&mut self, kind: PriceKind, item: &'a Item, tariff: Tariff<'a>, estimate: bool) -> Found {
        let next = u32::try_from(self.meters.len()).expect("fewer than four thousand million meters");
        let group = *self.groups.entry((&item.meter, kind, tariff.product, tariff.sku)).or_insert(next);
        if group == next {
            self.meters.push(&item.meter);
        }
        let known = self.tariffs.entry((group, estimate)).or_default();
        if let Some((_, number)) = known.iter().find(|(known, _)| *known == tariff) {
            return Found { tariff: *number, group };
        }
        let number = u32::try_from(self.priced.len()).expect("fewer than four thousand million tariffs");
        let bands = tariff.bands.clone();
        let first_slot = self.slots;
        self.slots += u32::try_from(bands.len()).expect("a tariff has a handful of bands");
        self.priced.push(Priced { kind, bands, estimate, first_slot });
        known.push((tariff, number));
        Found { tariff: number, group }
    }

    /// RATE-1: publications of equal time are named, and newer ones that are not in force.
    pub(super) fn findings(&self, notes: &mut Notes) {
        self.held_back(notes);
        for (market, lists) in &self.markets {
            let Some(now) = lists.now.as_ref().filter(|now| !now.rivals.is_empty()) else { continue };
            let detail =
                format!("several sheets of market {market} were published at one time; `{}` is used", now.value.sheet);
            for rival in now.rivals.iter().chain([&now.value.published_by]) {
                notes.note_with(Code::EqualSheets, notes.about(), detail.clone(), *rival);
            }
        }
        self.compare_markets(notes);
    }

    fn held_back(&self, notes: &mut Notes) {
        for market in self.markets.keys() {
            for held in self.book.held_back(self.period, *market) {
                let (sheet, stated) = (&held.sheet.sheet, held.sheet.rows_digest);
                let (code, detail) = match held.found {
                    Some(found) => (
                        Code::SheetDigest,
                        format!(
                            "the header of price sheet `{sheet}` of market {market} states rowsDigest {stated}, and \
                             its rows have {found}; it is not in force"
                        ),
                    ),
                    None => (
                        Code::IncompleteSheet,
                        format!(
                            "price sheet `{sheet}` of market {market} states {} parts with {} rows, and not all of \
                             them are known; it is not in force",
                            held.sheet.parts, held.sheet.rows
                        ),
                    ),
                };
                notes.note_with(code, notes.about(), detail, held.identity);
            }
        }
    }

    /// RATE-9: one global price: the same product, SKU, tier and day in two markets should cost the
    /// same. A finding that stops nothing.
    fn compare_markets(&self, notes: &mut Notes) {
        let mut seen: BTreeMap<_, (Market, rust_decimal::Decimal)> = BTreeMap::new();
        for (market, lists) in &self.markets {
            for row in lists.now.iter().flat_map(|now| now.value.rows()) {
                let key = (&row.product, &row.sku, row.kind, row.above, row.from);
                let (other, price) = *seen.entry(key).or_insert((*market, row.unit_price));
                if price != row.unit_price {
                    let about = About { meter: row.meters.first().cloned(), ..notes.about() };
                    let detail = format!(
                        "product {} SKU {} costs {price} in {other} and {} in {market} from {}",
                        row.product, row.sku, row.unit_price, row.from
                    );
                    notes.note(Code::PriceDiffersByMarket, about, detail);
                }
            }
        }
    }
}

fn tariff<'a>(list: &PriceList<'a>, kind: PriceKind, item: &Item, day: Day) -> Result<Tariff<'a>, Unpriced> {
    list.tariff((&item.meter, kind), (item.product.as_deref(), item.sku.as_deref()), &item.unit, day)
}
