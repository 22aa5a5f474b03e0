//! Microsoft's monthly exchange rates (`CurrencyCode`, `USDPerUnit`, `Month`) as events.
//!
//! A rate is US dollars for one unit of the currency, kept with every digit of the file. One event
//! per month; a currency that occurs twice in a month is refused.

use std::collections::BTreeMap;

use domain::entry::{Event, ExchangeRates};
use domain::ids::Currency;
use domain::period::{Day, Period};
use rust_decimal::Decimal;

use super::encode::Envelope;
use super::table::{self, PublishedAt, Table};
use super::{Rejection, rejection, time};

/// The `source` of imported rates; their ids are made of the file's digest.
pub const SOURCE: &str = "urn:pec:import:exchange-rates";

const CURRENCY: &[&str] = &["CurrencyCode", "Currency"];
const RATE: &[&str] = &["USDPerUnit", "UsdPerUnit"];
const MONTH: &[&str] = &["Month"];

/// The columns that make a table one of rates.
pub(super) const KNOWN_BY: [&[&str]; 3] = [CURRENCY, RATE, MONTH];

/// Reads a table of rates, plain or packed.
pub fn events_from_csv(bytes: &[u8], published_at: PublishedAt) -> Result<Vec<(Envelope, Event)>, Rejection> {
    let table = Table::read(bytes)?;
    table.require(&KNOWN_BY)?;
    let published_at = table::published_at(&table, published_at)?;
    let mut months: BTreeMap<Period, Vec<(Currency, Decimal)>> = BTreeMap::new();
    for row in table.rows() {
        let month = row.value(MONTH, "a month such as 2020-09", month)?;
        let currency = row.value(CURRENCY, "a currency code such as EUR", Currency::parse)?;
        let rate = row.number(RATE)?;
        if rate <= Decimal::ZERO {
            return Err(row.wrong(RATE[0], row.text(RATE), "USD for one unit of the currency, above 0"));
        }
        let rates = months.entry(month).or_default();
        if rates.iter().any(|(known, _)| *known == currency) {
            return Err(row.wrong(CURRENCY[0], currency.as_str(), "each currency once in a month"));
        }
        rates.push((currency, rate));
    }
    if months.is_empty() {
        return Err(Rejection::new(rejection::TABLE, "the table has no rows"));
    }
    let event = |(period, usd_per_unit)| {
        let envelope = Envelope {
            id: format!("{period}-{}", table.digest),
            source: SOURCE.to_owned(),
            time: None,
            causation_id: None,
        };
        (envelope, Event::ExchangeRatesPublished(ExchangeRates { period, published_at, usd_per_unit }))
    };
    Ok(months.into_iter().map(event).collect())
}

fn month(text: &str) -> Option<Period> {
    table::month(text).or_else(|| time::lenient(text).map(|at| Day::of(at).period()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\"CurrencyCode\",\"USDPerUnit\",\"Month\"\n\"AED\",\"0.27224589249009701\",\"2020-09\"\n\"USD\",\"1\",\"2020-09\"\n";

    fn stated() -> PublishedAt {
        PublishedAt::Stated(time::strict("2020-08-31T18:00:00-07:00").unwrap())
    }

    #[test]
    fn rates_keep_every_digit_and_importing_twice_is_the_same_event() {
        let events = events_from_csv(FILE.as_bytes(), stated()).unwrap();
        let [(envelope, Event::ExchangeRatesPublished(rates))] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(rates.usd_per_unit[0].1.to_string(), "0.27224589249009701");
        assert_eq!(rates.period.to_string(), "2020-09");
        let with_mark = format!("\u{feff}{FILE}");
        let again = events_from_csv(with_mark.as_bytes(), stated()).unwrap();
        assert_eq!(again[0].0, *envelope);
    }

    #[test]
    fn what_is_unclear_is_refused() {
        let code = |file: &str, at| events_from_csv(file.as_bytes(), at).unwrap_err().code;
        assert_eq!(code(FILE, PublishedAt::InFile), "R-published-unknown");
        assert_eq!(code(&FILE.replace("USD\"", "AED\""), stated()), "R-table-value");
        assert_eq!(code(&FILE.replace("\"1\"", "\"0\""), stated()), "R-table-value");
        assert_eq!(code(&FILE.replace("2020-09", "soon"), stated()), "R-table-value");
        assert_eq!(code(&FILE.replace("USDPerUnit", "Rate"), stated()), "R-table-column");
        assert_eq!(code("\"CurrencyCode\",\"USDPerUnit\",\"Month\"\n", stated()), "R-table");
    }
}
