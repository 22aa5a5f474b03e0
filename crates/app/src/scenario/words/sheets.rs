//! The words for price sheets and exchange rates beside those of the stage: newer, equal, incomplete, or not what
//! they state.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use domain::entry::{Event, ExchangeRates, PriceRow};
use domain::ids::{Currency, Digest};
use domain::period::{Day, Period};

use crate::scenario::reading::Line;
use crate::scenario::stage;

pub(super) const WORDS: &[&str] = &["sheet"];
pub(super) const RATES: &[&str] = &["rate"];

/// Columns with a name that are no meter.
const OWN: [&str; 4] = ["recorded", "as", "published", "quarantined"];

impl Line<'_> {
    /// The header, and the one part that has the rows, each with the end of its id.
    pub(super) fn price_sheet(&self) -> anyhow::Result<Vec<(String, Event)>> {
        let (market, month) = (self.column(0, "a market")?, self.column(1, "a month")?);
        let period = Period::parse(month).context("that is no month such as 2025-03")?;
        let rows = self.rows(period)?;
        let published = self.time("published")?.unwrap_or(self.at);
        let id = format!("sheet-of-line-{}", self.number + 1);
        let mut events = stage::sheet((market, period, published), &id, rows)?;
        match self.rest.get(2).copied() {
            None => {}
            Some("incomplete") => events.truncate(1),
            Some("other-digest") => {
                if let Some((_, Event::PriceSheetPublished(header))) = events.first_mut() {
                    header.rows_digest = Digest([7; 32]);
                }
            }
            Some(other) => bail!("`{other}`: there are incomplete and other-digest"),
        }
        Ok(events)
    }

    /// `vm=1` all month, `vm@2025-03-15=2` from that day on; what was in force before ends then.
    fn rows(&self, period: Period) -> anyhow::Result<Vec<PriceRow>> {
        let mut dated: BTreeMap<(&str, Day), &str> = BTreeMap::new();
        for (column, price) in self.named.iter().filter(|(name, _)| !OWN.contains(name)) {
            let (meter, from) = match column.split_once('@') {
                None => (*column, period.first_day()),
                Some((meter, day)) => (meter, Day::parse(day).with_context(|| format!("`{day}` is no day"))?),
            };
            self.names.meter(meter.split(':').next().unwrap_or_default())?;
            dated.insert((meter, from), price);
        }
        let mut rows = Vec::new();
        for ((meter, from), price) in &dated {
            let later = dated.keys().find(|(other, day)| other == meter && day > from);
            let until = later.map_or_else(|| period.next().first_day(), |(_, day)| *day);
            let of_month = stage::rows(meter, price, period)?.into_iter();
            rows.extend(of_month.map(|row| PriceRow { from: *from, until, ..row }));
        }
        Ok(rows)
    }

    /// `rate EUR 1.08 2025-03`: US dollars for one unit of the currency, in that month.
    pub(super) fn exchange_rate(&self) -> anyhow::Result<Event> {
        let name = self.column(0, "a currency")?;
        let currency = Currency::parse(name).with_context(|| format!("`{name}` is no currency"))?;
        let usd_per_unit = [(currency, self.decimal(1)?)].into();
        let period = Period::parse(self.column(2, "a month")?).context("that is no month such as 2025-03")?;
        let published_at = self.time("published")?.unwrap_or(self.at);
        Ok(Event::ExchangeRatesPublished(ExchangeRates { period, published_at, usd_per_unit }))
    }
}
