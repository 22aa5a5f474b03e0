//! Days, periods, instants and ids as people write them on a command line.

use domain::entry::EntryRef;
use domain::ids::{Digest, Guid, Identity};
use domain::period::{Day, Instant, Period};

use crate::exit::Problem;

/// `2026-01`.
pub fn period(text: &str) -> Result<Period, String> {
    Period::parse(text).ok_or_else(|| "write a month, for example 2026-01".to_owned())
}

/// `2026-01-31`.
pub fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "write a day, for example 2026-01-31".to_owned())
}

/// Who names a month and a day means a day of that month.
pub fn agree(month: Option<Period>, day: Option<Day>) -> Result<(), Problem> {
    match (month, day) {
        (Some(month), Some(day)) if day.period() != month => Err(Problem::usage(format!("{day} is no day of {month}"))
            .hint(format!("leave --period out, or name a day of it: --day {}", month.first_day()))),
        _ => Ok(()),
    }
}

/// An instant, or a date that means the end of that UTC day.
pub fn as_of(text: &str) -> Result<Instant, String> {
    if let Some(day) = Day::parse(text) {
        return Ok(day.next().start() - chrono::TimeDelta::nanoseconds(1));
    }
    let parsed = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    parsed.map_err(|_| "write a date (its end, UTC) or an instant such as 2026-02-03T12:00:00Z".to_owned())
}

/// An instant, or a date that means the beginning of that UTC day.
pub fn from(text: &str) -> Result<Instant, String> {
    if let Some(day) = Day::parse(text) {
        return Ok(day.start());
    }
    let parsed = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    parsed.map_err(|_| "write a date (its beginning, UTC) or an instant such as 2026-02-03T12:00:00Z".to_owned())
}

/// As RFC 3339 with milliseconds, UTC: how every instant is printed.
#[must_use]
pub fn instant(at: Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// `position.index`, or a position alone.
pub fn entry(text: &str) -> Result<EntryRef, String> {
    let (position, index) = text.split_once('.').unwrap_or((text, "0"));
    match (position.parse(), index.parse()) {
        (Ok(position), Ok(index)) => Ok(EntryRef { position, index }),
        _ => Err("write an entry as position.index, for example 1234.0".to_owned()),
    }
}

/// An event's identity: 32 hex digits.
pub fn identity(text: &str) -> Result<Identity, String> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
    number.map(Identity).ok_or_else(|| "write all 32 hex digits of the event, as the list shows it".to_owned())
}

pub fn guid(text: &str) -> Result<Guid, String> {
    Guid::parse(text).ok_or_else(|| "write a GUID, for example 11111111-aaaa-4aaa-8aaa-111111111111".to_owned())
}

pub fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| "write all 64 hex digits of the digest, as the list shows it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A date means its whole day: what was recorded in its last second is known as of it.
    #[test]
    fn a_date_is_the_end_of_its_day() {
        let end = as_of("2026-01-31").unwrap();
        assert!(end < Day::parse("2026-02-01").unwrap().start());
        assert!(end > as_of("2026-01-31T23:59:59Z").unwrap());
        assert_eq!(as_of("2026-01-31T12:00:00+02:00").unwrap(), as_of("2026-01-31T10:00:00Z").unwrap());
        assert!(as_of("yesterday").is_err());
    }

    #[test]
    fn a_day_of_another_month_is_refused() {
        let (month, inside, outside) = (Period::parse("2026-01"), Day::parse("2026-01-31"), Day::parse("2026-02-01"));
        for fine in [agree(month, inside), agree(None, outside), agree(month, None), agree(None, None)] {
            assert!(fine.is_ok());
        }
        assert!(agree(month, outside).is_err());
    }
}
