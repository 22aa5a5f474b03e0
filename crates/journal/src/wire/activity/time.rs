//! The ways in which Azure and the pipelines behind it write a time.
//!
//! Accepted: RFC 3339 with any number of fraction digits, a blank instead of the `T`, no zone at
//! all (then it is UTC), and the month-first slash form of .NET (`1/9/2007 9:41:00 AM +01:00`),
//! with the comma that the portal's export puts after the date. Refused: everything else, among
//! it blanks inside the clock (`07: 45: 44`). Slash dates are month first, always: a day-first
//! date cannot be told from one, so nothing is ever swapped to make a date fit. Fractions beyond
//! the nanosecond are cut, never rounded up.

use chrono::{NaiveDate, TimeDelta};
use domain::period::Instant;

/// Reads a time; `None` for every form that is not listed above.
pub(super) fn parse(text: &str) -> Option<Instant> {
    let text = text.trim();
    let (date, rest) = if text.contains('/') { slash_date(text)? } else { dash_date(text)? };
    let (hour, rest) = number(rest, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    let (second, nanos, rest) = seconds(rest)?;
    let (hour, rest) = half_of_day(hour, rest)?;
    let east = offset_seconds(rest)?;
    let local = date.and_hms_nano_opt(hour, minute, second, nanos)?.and_utc();
    local.checked_sub_signed(TimeDelta::seconds(east))
}

/// `2007-01-09T` or `2007-01-09 `, and what follows.
fn dash_date(text: &str) -> Option<(NaiveDate, &str)> {
    let (year, rest) = number(text, 4, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2, 2)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    calendar(year, month, day).map(|date| (date, rest))
}

/// `1/9/2007 ` or `1/9/2007, `: month, day, year.
fn slash_date(text: &str) -> Option<(NaiveDate, &str)> {
    let (month, rest) = number(text, 1, 2)?;
    let (day, rest) = number(rest.strip_prefix('/')?, 1, 2)?;
    let (year, rest) = number(rest.strip_prefix('/')?, 4, 4)?;
    let rest = rest.strip_prefix(',').unwrap_or(rest).strip_prefix(' ')?;
    calendar(year, month, day).map(|date| (date, rest))
}

/// Year 1 is what .NET writes where it has no time; it counts as no date.
fn calendar(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    let year = i32::try_from(year).ok().filter(|year| *year > 1)?;
    NaiveDate::from_ymd_opt(year, month, day)
}

/// `:44.5864815`, or nothing at all.
fn seconds(rest: &str) -> Option<(u32, u32, &str)> {
    let Some(rest) = rest.strip_prefix(':') else { return Some((0, 0, rest)) };
    let (second, rest) = number(rest, 2, 2)?;
    let Some(fraction) = rest.strip_prefix('.') else { return Some((second, 0, rest)) };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let nanos = fraction.bytes().take(digits).chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some((second, nanos, fraction.get(digits..)?))
}

/// `AM` and `PM` where they are written; otherwise the hour is on the 24-hour clock.
fn half_of_day(hour: u32, rest: &str) -> Option<(u32, &str)> {
    let trimmed = rest.trim_start();
    let after_noon = match trimmed.get(..2) {
        Some(half) if half.eq_ignore_ascii_case("am") => false,
        Some(half) if half.eq_ignore_ascii_case("pm") => true,
        _ => return Some((hour, rest)),
    };
    let hour = (1..=12).contains(&hour).then_some(hour % 12)?;
    Some((if after_noon { hour + 12 } else { hour }, trimmed.get(2..)?))
}

/// Seconds east of Greenwich: `Z`, `+01:00`, `-0530`, or nothing, which is UTC.
fn offset_seconds(rest: &str) -> Option<i64> {
    let zone = rest.trim_start();
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, rest) = number(digits, 2, 2)?;
    let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2, 2)?;
    let in_range = rest.is_empty() && hours < 24 && minutes < 60;
    in_range.then_some(sign * i64::from(hours * 3600 + minutes * 60))
}

/// A decimal number of `least` to `most` digits, and what follows it.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if digits < least {
        return None;
    }
    let (digits, rest) = text.split_at_checked(digits)?;
    digits.parse().ok().map(|number| (number, rest))
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn shown(text: &str) -> Option<String> {
        parse(text).map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    #[test]
    fn every_form_of_one_minute_is_that_minute() {
        for text in [
            "2007-01-09T09:41:00Z",
            "2007-01-09T09:41:00.0000000Z",
            "2007-01-09T09:41:00",
            "2007-01-09 09:41:00",
            "2007-01-09T09:41:00+00:00",
            "2007-01-09T11:41:00+02:00",
            "2007-01-09T04:11:00-05:30",
            "01/09/2007 09:41:00",
            "1/9/2007 9:41:00 AM",
            "1/9/2007 10:41:00 AM +01:00",
            "1/9/2007, 9:41:00 AM",
            "1/9/2007 9:41",
        ] {
            assert_eq!(shown(text).as_deref(), Some("2007-01-09T09:41:00Z"), "{text}");
        }
    }

    #[test]
    fn fractions_are_kept_to_the_nanosecond_and_cut_beyond() {
        assert_eq!(shown("2020-08-31T08:00:00.5Z").as_deref(), Some("2020-08-31T08:00:00.500Z"));
        assert_eq!(shown("2020-08-31T08:00:00.1234567Z").as_deref(), Some("2020-08-31T08:00:00.123456700Z"));
        assert_eq!(shown("2020-08-31T08:00:00.9999999999Z").as_deref(), Some("2020-08-31T08:00:00.999999999Z"));
        assert_eq!(shown("9/27/2026, 10:15:00.250 PM").as_deref(), Some("2026-09-27T22:15:00.250Z"));
    }

    #[test]
    fn noon_and_midnight_on_the_twelve_hour_clock() {
        assert_eq!(shown("1/9/2007 12:00:00 AM").as_deref(), Some("2007-01-09T00:00:00Z"));
        assert_eq!(shown("1/9/2007 12:00:00 PM").as_deref(), Some("2007-01-09T12:00:00Z"));
        assert_eq!(shown("1/9/2007 13:00:00 PM"), None);
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        for text in [
            "",
            "2021-02-04T07: 45: 44.5864815Z",
            "13/01/2021 07:45:00",
            "2021-02-30T00:00:00Z",
            "2021-02-04",
            "2021-02-04T24:00:00Z",
            "2021-02-04T23:59:60Z",
            "2021-02-04T07:45:44.Z",
            "2020-03-21 12:34:56.78 +0000 UTC",
            "0001-01-01T00:00:00Z",
            "2021-02-04T07:45:44+05",
            "1612424744",
            "yesterday",
            "２０２１-02-04T07:45:44Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
