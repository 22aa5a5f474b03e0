//! Times as they are written: strict RFC 3339, and the shapes that Microsoft's own files use.
//!
//! Strict means an offset and whole seconds are there, and the calendar has the day. Microsoft's
//! shapes may lack the zone (then it is UTC), may have only a date, and may be American
//! (`9/1/2020 12:00:00 AM`, month first). Digits beyond nanoseconds are cut, never rounded up.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Timelike as _};
use domain::period::Instant;

const SECONDS_PER_DAY: i64 = 86_400;

/// Reads RFC 3339 and nothing else. A leap second is the midnight that follows it.
pub(crate) fn strict(text: &str) -> Option<Instant> {
    if text.as_bytes().get(10) == Some(&b' ') {
        return None;
    }
    let (local, rest) = date_time(text.as_bytes())?;
    let offset = offset(rest)?;
    instant(&local, offset)
}

/// Reads RFC 3339, the same without a zone, a blank for the `T`, a bare date, or American form.
pub(crate) fn lenient(text: &str) -> Option<Instant> {
    let text = text.trim();
    if let Some(american) = american(text) {
        return Some(american);
    }
    if text.len() == 10 {
        return instant(&Local { date: date(text.as_bytes())?, second: 0, nanos: 0, leap: false }, 0);
    }
    let (local, rest) = date_time(text.as_bytes())?;
    let offset = if rest.is_empty() { 0 } else { offset(rest)? };
    instant(&local, offset)
}

/// `9/1/2020 12:00:00 AM`, `9/1/2020 13:00:00`, `9/1/2020`: month first, UTC.
fn american(text: &str) -> Option<Instant> {
    let (date, time) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = date.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, number(month)?, number(day)?)?;
    let second = if time.is_empty() { 0 } else { clock(time.trim(), number)? };
    instant(&Local { date, second, nanos: 0, leap: false }, 0)
}

/// `11:59:59 PM` or `23:59:59`, seconds optional, in seconds of the day.
fn clock(text: &str, number: impl Fn(&str) -> Option<u32>) -> Option<i64> {
    let (digits, half) = match text.split_once(' ') {
        Some((digits, half)) => (digits, Some(half.trim())),
        None => (text, None),
    };
    let mut parts = digits.split(':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    let second = parts.next().map_or(Some(0), &number)?;
    let hour = match half {
        None if hour < 24 => hour,
        Some(half) if (1..=12).contains(&hour) && half.eq_ignore_ascii_case("AM") => hour % 12,
        Some(half) if (1..=12).contains(&hour) && half.eq_ignore_ascii_case("PM") => hour % 12 + 12,
        _ => return None,
    };
    let fits = parts.next().is_none() && minute < 60 && second < 60;
    fits.then(|| i64::from(hour * 3600 + minute * 60 + second))
}

/// A time of day on a calendar day, before its offset is taken away.
struct Local {
    date: NaiveDate,
    /// Of the day; a leap second counts as the second after it.
    second: i64,
    nanos: u32,
    leap: bool,
}

/// `2020-09-01T22:00:00.1234567`, and what follows it.
fn date_time(text: &[u8]) -> Option<(Local, &[u8])> {
    let (head, rest) = text.split_at_checked(19)?;
    if !matches!(head[10], b'T' | b't' | b' ') || head[13] != b':' || head[16] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(&head[11..13])?, two(&head[14..16])?, two(&head[17..19])?);
    let leap = second == 60 && minute == 59;
    if hour > 23 || minute > 59 || (second > 59 && !leap) {
        return None;
    }
    let (nanos, rest) = fraction(rest)?;
    let nanos = if leap { 0 } else { nanos };
    let second = i64::from(hour * 3600 + minute * 60 + second);
    Some((Local { date: date(&head[..10])?, second, nanos, leap }, rest))
}

/// The calendar day of `2020-09-01`.
fn date(text: &[u8]) -> Option<NaiveDate> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = two(&text[0..2])? * 100 + two(&text[2..4])?;
    let (month, day) = (two(&text[5..7])?, two(&text[8..10])?);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn two(text: &[u8]) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(text[0])? * 10 + digit(text[1])?)
}

fn fraction(rest: &[u8]) -> Option<(u32, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let nanos = digits[..count].iter().chain(&[b'0'; 9]).take(9).fold(0, |n, byte| n * 10 + u32::from(byte - b'0'));
    Some((nanos, &digits[count..]))
}

/// `Z` or `+05:30`, in seconds.
fn offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), hours @ .., b':', m1, m2] if hours.len() == 2 => {
            let (hours, minutes) = (two(hours)?, two(&[*m1, *m2])?);
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn instant(local: &Local, offset: i64) -> Option<Instant> {
    if offset == 0 && !local.leap {
        // Nearly every time is written like this, and nothing has to be counted.
        let second = u32::try_from(local.second).ok()?;
        let time = NaiveTime::from_num_seconds_from_midnight_opt(second, local.nanos)?;
        return Some(local.date.and_time(time).and_utc());
    }
    let seconds = i64::from(local.date.to_epoch_days()) * SECONDS_PER_DAY + local.second - offset;
    // Leap seconds are inserted at the end of a UTC day and nowhere else.
    if local.leap && seconds.rem_euclid(SECONDS_PER_DAY) != 0 {
        return None;
    }
    DateTime::from_timestamp(seconds, local.nanos).filter(|at| (0..=9999).contains(&at.year()))
}

/// RFC 3339 in UTC with as many decimals as the instant has.
pub(crate) fn print(at: Instant, out: &mut String) {
    let digits = |out: &mut String, value: u32, width: u32| {
        for place in (0..width).rev() {
            let digit = value / 10_u32.pow(place) % 10;
            out.push(char::from(b'0' + u8::try_from(digit).expect("a digit is below ten")));
        }
    };
    digits(out, at.year().unsigned_abs(), 4);
    out.push('-');
    digits(out, at.month(), 2);
    out.push('-');
    digits(out, at.day(), 2);
    out.push('T');
    digits(out, at.hour(), 2);
    out.push(':');
    digits(out, at.minute(), 2);
    out.push(':');
    digits(out, at.second(), 2);
    let nanos = at.nanosecond().min(999_999_999);
    if nanos > 0 {
        out.push('.');
        digits(out, nanos, 9);
        out.truncate(out.trim_end_matches('0').len());
    }
    out.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(at: Option<Instant>) -> String {
        let mut out = String::new();
        if let Some(at) = at {
            print(at, &mut out);
        }
        out
    }

    #[test]
    fn strict_takes_rfc_3339_and_nothing_else() {
        for (written, read) in [
            ("2020-09-01T22:00:00Z", "2020-09-01T22:00:00Z"),
            ("2017-06-07T17:00:00-07:00", "2017-06-08T00:00:00Z"),
            ("2018-04-05T17:31:00.1234567899z", "2018-04-05T17:31:00.123456789Z"),
            ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z"),
            ("2024-02-29T00:00:00+00:00", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(shown(strict(written)), read, "{written}");
        }
        for refused in [
            "2018-04-05T18:31Z",
            "2018-04-05T18:31:00X",
            "2018-04-05T18:31:00+25:00",
            "2018-04-05T18:31:00+05",
            "2018-04-05T18:31:00",
            "2018-04-05",
            "2020-03-21 12:34:56.78 +0000 UTC",
            "2023-02-29T00:00:00Z",
            "2023-02-28T24:00:00Z",
            "2023-02-28T12:00:60Z",
            "2023-02-28T11:59:60Z",
            "2023-02-28T12:00:00.Z",
            "lunchtime",
            "",
        ] {
            assert_eq!(strict(refused), None, "{refused}");
        }
    }

    #[test]
    fn lenient_takes_what_microsoft_writes() {
        for (written, read) in [
            ("9/1/2020 12:00:00 AM", "2020-09-01T00:00:00Z"),
            ("11/30/9999 11:59:59 PM", "9999-11-30T23:59:59Z"),
            ("9/30/2020", "2020-09-30T00:00:00Z"),
            ("2018-11-13T00:00:00", "2018-11-13T00:00:00Z"),
            ("2018-11-13 00:00:00", "2018-11-13T00:00:00Z"),
            ("2018-11-13", "2018-11-13T00:00:00Z"),
        ] {
            assert_eq!(shown(lenient(written)), read, "{written}");
        }
        for refused in ["13/30/2020", "9/1/20", "9/1/2020 13:00 PM", "9/1/2020 0:00 AM", "2018-11-13T00:00", ""] {
            assert_eq!(lenient(refused), None, "{refused}");
        }
    }
}
