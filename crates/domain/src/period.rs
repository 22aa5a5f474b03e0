//! Time as the rules see it: instants, UTC days, billing periods and half-open intervals.
//!
//! No clock here: an instant is always handed in. Every interval is half-open, so that a grant
//! that ends at midnight and one that begins at midnight cover both days and overlap in none.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// A point in time, UTC, to the nanosecond.
pub type Instant = DateTime<Utc>;

const SECONDS_PER_DAY: i64 = 86_400;

/// A whole UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The UTC day that an instant lies in.
    #[must_use]
    pub fn of(at: Instant) -> Self {
        let days = at.timestamp().div_euclid(SECONDS_PER_DAY);
        Self(i32::try_from(days).expect("chrono's years fit a 32-bit count of days"))
    }

    /// Reads `2026-01-31`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The calendar's own reader also takes signs, blanks and single digits.
        let written = text.len() == 10
            && text.bytes().enumerate().all(|(place, byte)| match place {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        written.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self::from_date)).flatten()
    }

    #[must_use]
    pub fn from_date(date: NaiveDate) -> Self {
        Self(date.to_epoch_days())
    }

    #[must_use]
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).expect("a day is only made from a calendar date or an instant")
    }

    /// Midnight at which the day begins.
    #[must_use]
    pub fn start(self) -> Instant {
        DateTime::from_timestamp(i64::from(self.0) * SECONDS_PER_DAY, 0)
            .expect("a day is only made from a calendar date or an instant")
    }

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// From this midnight to the next one.
    #[must_use]
    pub fn interval(self) -> Interval {
        Interval { from: self.start(), to: self.next().start() }
    }

    #[must_use]
    pub fn period(self) -> Period {
        let date = self.date();
        Period::new(date.year(), date.month()).expect("a calendar date has a month from 1 to 12")
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date().format("%Y-%m-%d"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A billing period: one calendar month, UTC (azure-plan billing rule C-01).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// Months since year 0.
    months: i32,
}

impl Period {
    /// `month` counts from 1; `None` outside 1 to 12 or outside the years 1 to 9999.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        let zero_based = i32::try_from(month.checked_sub(1)?).ok()?;
        ((1..=9999).contains(&year) && zero_based < 12).then_some(Self { months: year * 12 + zero_based })
    }

    /// Reads `2026-01`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    #[must_use]
    pub fn year(self) -> i32 {
        self.months.div_euclid(12)
    }

    /// 1 to 12.
    #[must_use]
    pub fn month(self) -> u32 {
        self.months.rem_euclid(12).unsigned_abs() + 1
    }

    #[must_use]
    pub fn first_day(self) -> Day {
        let date = NaiveDate::from_ymd_opt(self.year(), self.month(), 1);
        Day::from_date(date.expect("a period is only made from a calendar month"))
    }

    #[must_use]
    pub fn next(self) -> Self {
        Self { months: self.months + 1 }
    }

    #[must_use]
    pub fn previous(self) -> Self {
        Self { months: self.months - 1 }
    }

    pub fn days(self) -> impl Iterator<Item = Day> {
        (self.first_day().0..self.next().first_day().0).map(Day)
    }

    #[must_use]
    pub fn interval(self) -> Interval {
        Interval { from: self.first_day().start(), to: self.next().first_day().start() }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.month())
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A half-open stretch of time, `[from, to)`. Empty when `to <= from`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Interval {
    pub from: Instant,
    pub to: Instant,
}

impl Interval {
    #[must_use]
    pub fn new(from: Instant, to: Instant) -> Self {
        Self { from, to }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }

    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// What both have in common; empty when they have nothing.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// Sorts intervals and joins those that touch or overlap; drops the empty ones.
#[must_use]
pub fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.retain(|interval| !interval.is_empty());
    intervals.sort_unstable();
    let mut joined: Vec<Interval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        match joined.last_mut() {
            Some(last) if interval.from <= last.to => last.to = last.to.max(interval.to),
            _ => joined.push(interval),
        }
    }
    joined
}

/// The parts of `whole` that `covered` (as [`union`] returns it) leaves open.
#[must_use]
pub fn gaps(whole: Interval, covered: &[Interval]) -> Vec<Interval> {
    let mut open = Vec::new();
    let mut from = whole.from;
    for interval in covered.iter().map(|interval| interval.intersect(&whole)).filter(|interval| !interval.is_empty()) {
        if from < interval.from {
            open.push(Interval::new(from, interval.from));
        }
        from = from.max(interval.to);
    }
    if from < whole.to {
        open.push(Interval::new(from, whole.to));
    }
    open
}

/// The parts of `intervals` that lie outside every one of `holes` (both as [`union`] returns them).
#[must_use]
pub fn without(intervals: &[Interval], holes: &[Interval]) -> Vec<Interval> {
    intervals.iter().flat_map(|interval| gaps(*interval, holes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Instant {
        DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    fn span(from: i64, to: i64) -> Interval {
        Interval::new(at(from), at(to))
    }

    #[test]
    fn union_joins_what_touches_and_gaps_are_the_rest() {
        let joined = union(vec![span(12, 20), span(0, 6), span(6, 8), span(9, 9)]);
        assert_eq!(joined, vec![span(0, 8), span(12, 20)]);
        assert_eq!(gaps(span(0, 24), &joined), vec![span(8, 12), span(20, 24)]);
        assert_eq!(without(&joined, &[span(2, 3), span(19, 30)]), vec![span(0, 2), span(3, 8), span(12, 19)]);
    }

    #[test]
    fn periods_count_on_over_the_year() {
        let december = Period::parse("2025-12").unwrap();
        assert_eq!(december.next().to_string(), "2026-01");
        assert_eq!(december.next().previous(), december);
        assert_eq!(december.days().count(), 31);
        for odd in ["+2024-2-29", "2024- 2-29", "2024-2-29", "2023-02-29", "24-02-29", "2024-02-29 ", "2024/02/29"] {
            assert_eq!(Day::parse(odd), None, "{odd}");
        }
        for odd in ["+024-02", "2024-+2", "2024-2", "2024-13", "0000-01"] {
            assert_eq!(Period::parse(odd), None, "{odd}");
        }
        assert_eq!(Day::parse("2024-02-29").unwrap().period().to_string(), "2024-02");
        assert_eq!(Period::parse("2026-13"), None);
        assert_eq!(Period::parse("2026-1"), None);
    }

    #[test]
    fn a_day_before_the_epoch_is_a_day_too() {
        let eve = Day::parse("1969-12-31").unwrap();
        assert_eq!(eve, Day(-1));
        assert_eq!(Day::of(eve.start()), eve);
    }
}
