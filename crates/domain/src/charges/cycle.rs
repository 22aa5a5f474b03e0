//! The calendar of orders that are paid monthly: on which day each cycle starts.
//!
//! Pure calendar, no money. Days are UTC.

use crate::entry::Term;
use crate::period::{Day, Period};

/// Months in a term; `None` where an order has none.
#[must_use]
pub(super) fn months(term: Term) -> Option<u32> {
    match term {
        Term::None => None,
        Term::Month => Some(1),
        Term::Year => Some(12),
        Term::ThreeYears => Some(36),
        Term::FiveYears => Some(60),
    }
}

fn last_day(period: Period) -> Day {
    Day(period.next().first_day().0 - 1)
}

/// The month `count` months after another.
fn after(period: Period, count: u32) -> Period {
    (0..count).fold(period, |period, _| period.next())
}

/// INV-10: cycle `number` (from 0) of an order bought on `bought`. The anchor is the purchase's day of
/// the month, cut to the month's length. An order of more than one month that is paid monthly and
/// was bought on the last day of a month, or the day before it, keeps to that end of the month.
/// Source: common billing scenarios, tables of charge cycles (2022-11-08).
#[must_use]
pub fn cycle_start(bought: Day, number: u32, term: Term) -> Day {
    let period = after(bought.period(), number);
    let (end, last) = (last_day(period), last_day(bought.period()));
    let from_end = last.0 - bought.0;
    if term != Term::Month && from_end <= 1 {
        return Day(end.0 - from_end);
    }
    let day = Day(period.first_day().0 + (bought.0 - bought.period().first_day().0));
    day.min(end)
}

/// The first day after the whole term.
#[must_use]
pub(super) fn term_end(bought: Day, term: Term) -> Option<Day> {
    Some(cycle_start(bought, months(term)?, term))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    /// The documented table of monthly terms: bought, last day, renewed.
    #[test]
    fn a_monthly_term_renews_on_its_day_cut_to_the_month() {
        for (bought, end, renews) in [
            ("2021-01-31", "2021-02-27", "2021-02-28"),
            ("2021-01-30", "2021-02-27", "2021-02-28"),
            ("2021-02-28", "2021-03-27", "2021-03-28"),
            ("2021-02-27", "2021-03-26", "2021-03-27"),
            ("2021-05-31", "2021-06-29", "2021-06-30"),
            ("2021-05-30", "2021-06-29", "2021-06-30"),
            ("2021-06-30", "2021-07-29", "2021-07-30"),
            ("2021-06-29", "2021-07-28", "2021-07-29"),
            ("2021-07-31", "2021-08-30", "2021-08-31"),
            ("2021-07-30", "2021-08-29", "2021-08-30"),
        ] {
            let start = cycle_start(day(bought), 1, Term::Month);
            assert_eq!((Day(start.0 - 1), start), (day(end), day(renews)), "{bought}");
        }
    }

    /// The documented tables of a year that is paid monthly. The second is the anomaly beside the
    /// table above: the same purchase day, another end of its first cycle.
    #[test]
    fn a_year_paid_monthly_keeps_to_the_end_of_the_month() {
        let ends = ["02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"];
        let before =
            ["02-27", "03-30", "04-29", "05-30", "06-29", "07-30", "08-30", "09-29", "10-30", "11-29", "12-30"];
        for (bought, starts, last) in [("2021-01-31", ends, "2022-01-30"), ("2021-01-30", before, "2022-01-29")] {
            for (number, start) in (1..).zip(starts) {
                assert_eq!(cycle_start(day(bought), number, Term::Year), day(&format!("2021-{start}")), "{bought}");
            }
            let end = term_end(day(bought), Term::Year).unwrap();
            assert_eq!(Day(end.0 - 1), day(last));
        }
        assert_eq!(cycle_start(day("2021-01-29"), 1, Term::Year), day("2021-02-28"), "cut, not anchored to the end");
        assert_eq!(cycle_start(day("2021-01-29"), 2, Term::Year), day("2021-03-29"));
    }
}
