//! What one place used of one item, start by start.
//!
//! A slice keeps the exact start and length of its usage, because a transfer that we hear of later
//! may cut a day anywhere, and placement goes by the start. Slices of equal start, length and scale
//! are merged when room runs short. What does not fit sixteen bytes is kept wide beside them; both
//! forms add up to the same exact sums.

use std::collections::BTreeMap;

use chrono::DateTime;
use rust_decimal::Decimal;

use crate::money::Quantity;
use crate::period::Instant;

/// 2000-01-01T00:00:00Z: 32 bits of seconds reach the year 2136 from here.
const ORIGIN: i64 = 946_684_800;
const SCALE_BITS: u32 = 5;
/// More than four years of seconds.
const LENGTH_BITS: u32 = u32::BITS - SCALE_BITS;

/// Sixteen bytes: quantity = `mantissa` ÷ 10^scale, start and length in whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Slice {
    mantissa: i64,
    start: u32,
    /// Length in seconds above five bits of scale.
    form: u32,
}

impl Slice {
    fn of(start: Instant, end: Instant, quantity: Decimal) -> Option<Self> {
        let whole = start.timestamp_subsec_nanos() == 0 && end.timestamp_subsec_nanos() == 0;
        let length =
            u32::try_from(end.timestamp() - start.timestamp()).ok().filter(|length| *length < 1 << LENGTH_BITS);
        Some(Self {
            mantissa: i64::try_from(quantity.mantissa()).ok()?,
            start: u32::try_from(start.timestamp() - ORIGIN).ok().filter(|_| whole)?,
            form: (length? << SCALE_BITS) | quantity.scale(),
        })
    }

    fn start(self) -> Instant {
        seconds(ORIGIN + i64::from(self.start))
    }

    fn end(self) -> Instant {
        seconds(ORIGIN + i64::from(self.start) + i64::from(self.form >> SCALE_BITS))
    }

    fn quantity(self) -> Quantity {
        Quantity::from(Decimal::new(self.mantissa, self.form & ((1 << SCALE_BITS) - 1)))
    }
}

fn seconds(since_epoch: i64) -> Instant {
    DateTime::from_timestamp(since_epoch, 0).expect("32 bits of seconds from the year 2000 are in the calendar")
}

/// The slices of one place and item.
#[derive(Clone, Debug, Default)]
pub(super) struct Slices {
    slices: Vec<Slice>,
    /// One word in each of millions of series.
    rare: Option<Box<Rare>>,
}

/// What few series have.
#[derive(Clone, Debug, Default)]
struct Rare {
    /// What does not fit a slice.
    wide: BTreeMap<(Instant, Instant), Quantity>,
    /// Something was corrected, or taken away again: only sums say what is left.
    mended: bool,
}

impl Slices {
    pub(super) fn add(&mut self, start: Instant, end: Instant, quantity: Decimal) {
        match Slice::of(start, end, quantity) {
            Some(slice) => {
                if self.slices.len() == self.slices.capacity() {
                    self.make_room();
                }
                self.slices.push(slice);
            }
            None => {
                *self.rare.get_or_insert_default().wide.entry((start, end)).or_default() += Quantity::from(quantity);
            }
        }
    }

    /// Adds what corrects, or takes away, what was added before or will be added later.
    pub(super) fn mend(&mut self, start: Instant, end: Instant, quantity: Decimal) {
        self.rare.get_or_insert_default().mended = true;
        self.add(start, end, quantity);
    }

    /// Merges what can be merged, and grows by half only if that did not help.
    fn make_room(&mut self) {
        self.slices.sort_unstable_by_key(|slice| (slice.start, slice.form));
        self.slices.dedup_by(|next, kept| {
            let same = (next.start, next.form) == (kept.start, kept.form);
            match kept.mantissa.checked_add(next.mantissa).filter(|_| same) {
                Some(sum) => {
                    kept.mantissa = sum;
                    true
                }
                None => false,
            }
        });
        if self.slices.len() * 8 > self.slices.capacity() * 7 {
            self.slices.reserve_exact((self.slices.len() / 2).max(3));
        }
    }

    /// Start, end and quantity, none of them zero, in no order: add them up. What was counted and taken
    /// away again leaves no trace, so that nothing can be seen of the order in which both came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Instant, Instant, Quantity)> + '_ {
        let mended = self.rare.as_ref().is_some_and(|rare| rare.mended);
        let sums = if mended { self.sums() } else { BTreeMap::new() };
        let told = (!mended).then(|| self.told()).into_iter().flatten();
        let all = told.chain(sums.into_iter().map(|((start, end), quantity)| (start, end, quantity)));
        all.filter(|(.., quantity)| !quantity.is_zero())
    }

    /// When the oldest and the newest slice begin, what was taken away again included.
    pub(super) fn span(&self) -> Option<(Instant, Instant)> {
        let oldest = self.slices.iter().map(|slice| slice.start).min();
        let newest = self.slices.iter().map(|slice| slice.start).max();
        let plain = oldest.into_iter().chain(newest).map(|start| seconds(ORIGIN + i64::from(start)));
        let wide = self.rare.iter().flat_map(|rare| rare.wide.keys().map(|(start, _)| *start));
        plain.chain(wide).fold(None, |span, start| {
            let (oldest, newest) = span.unwrap_or((start, start));
            Some((oldest.min(start), newest.max(start)))
        })
    }

    fn told(&self) -> impl Iterator<Item = (Instant, Instant, Quantity)> + '_ {
        let plain = self.slices.iter().map(|slice| (slice.start(), slice.end(), slice.quantity()));
        let wide = self.rare.iter().flat_map(|rare| rare.wide.iter());
        plain.chain(wide.map(|((start, end), quantity)| (*start, *end, *quantity)))
    }

    fn sums(&self) -> BTreeMap<(Instant, Instant), Quantity> {
        let mut sums = BTreeMap::new();
        for (start, end, quantity) in self.told() {
            *sums.entry((start, end)).or_insert(Quantity::ZERO) += quantity;
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Usage that was corrected to nothing, or replaced by another body, must not look used: neither where
    /// the correction came last nor where it came first.
    #[test]
    fn what_was_taken_away_leaves_no_trace() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let (start, end) = (at("2026-01-05T07:00:00Z"), at("2026-01-05T08:00:00Z"));
        let quantity = Decimal::from_str_exact("23.2").unwrap();
        let mut slices = Slices::default();
        slices.add(start, end, Decimal::ZERO);
        assert_eq!(slices.iter().count(), 0);
        slices.add(start, end, quantity);
        assert_eq!(slices.iter().collect::<Vec<_>>(), [(start, end, Quantity::from(quantity))]);
        slices.mend(start, end, -quantity);
        assert_eq!(slices.iter().count(), 0);
        slices.add(start, end, quantity);
        assert_eq!(slices.iter().collect::<Vec<_>>(), [(start, end, Quantity::from(quantity))]);
    }

    /// Whole seconds and fractions of them, the first year and the last, scales 0 and 28, and a
    /// mantissa beyond 64 bits: every one comes back as it went in, and equal starts are merged.
    #[test]
    fn nothing_is_lost_in_sixteen_bytes() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let starts = ["1999-12-31T23:00:00Z", "2000-01-01T00:00:00Z", "2026-01-05T07:00:00.5Z", "2136-02-07T06:28:15Z"];
        let quantities = ["0", "-3", "23.200004", "0.0000000000000000000000000001", "79228162514264337593543950335"];
        let mut slices = Slices::default();
        let mut expected = BTreeMap::new();
        for round in 0..40 {
            for start in starts.map(at) {
                let end = start + chrono::TimeDelta::seconds(3600 + round % 3);
                for text in quantities {
                    let quantity = Decimal::from_str_exact(text).unwrap();
                    slices.add(start, end, quantity);
                    *expected.entry((start, end)).or_insert(Quantity::ZERO) += Quantity::from(quantity);
                }
            }
        }
        assert_eq!(slices.sums(), expected);
        assert!(slices.slices.capacity() < 100, "{} slots for 2 starts × 3 lengths", slices.slices.capacity());
        assert_eq!(size_of::<Slice>(), 16);
    }

    /// Usage of five years in one record is kept with its exact end, though it fits no sixteen bytes.
    #[test]
    fn a_length_beyond_twenty_seven_bits_is_kept_exactly() {
        let start = "2026-01-05T07:00:00Z".parse::<Instant>().unwrap();
        for seconds in [(1 << 27) - 1, 1 << 27, (1 << 27) + 1, 1 << 28] {
            let end = start + chrono::TimeDelta::seconds(seconds);
            let mut slices = Slices::default();
            slices.add(start, end, Decimal::ONE);
            assert_eq!(slices.iter().collect::<Vec<_>>(), [(start, end, Quantity::from(Decimal::ONE))], "{seconds}");
        }
    }

    fn hour(number: i64) -> (Instant, Instant) {
        let start = seconds(ORIGIN + 3600 * number);
        (start, start + chrono::TimeDelta::hours(1))
    }

    fn add(slices: &mut Slices, number: i64) {
        let (start, end) = hour(number);
        slices.add(start, end, Decimal::ONE);
    }

    /// An ordinary hour takes sixteen bytes and nothing beside; a series of one has room for few more, because
    /// there are millions of them.
    #[test]
    fn an_ordinary_hour_takes_sixteen_bytes() {
        let mut slices = Slices::default();
        add(&mut slices, 200_000);
        assert_eq!(slices.slices.len(), 1);
        assert!(slices.slices.capacity() <= 4, "room for {}", slices.slices.capacity());
        assert!(slices.rare.is_none());
    }

    /// A series that grows takes half as much room again: never twice what it holds, and seldom enough that
    /// moving it does not matter.
    #[test]
    fn a_series_grows_by_half() {
        let mut slices = Slices::default();
        let (mut room, mut moves) = (0, 0);
        for number in 0..2000 {
            add(&mut slices, number);
            let (held, now) = (slices.slices.len(), slices.slices.capacity());
            assert!(now <= held + (held / 2).max(3), "{now} slots for {held}");
            moves += usize::from(now != room);
            room = now;
        }
        assert!(moves < 25, "it moved {moves} times");
    }

    /// What merges needs no more room: a series that is told the same starts over and over stays as it is.
    #[test]
    fn a_series_that_merges_does_not_grow() {
        let mut slices = Slices::default();
        (0..12).for_each(|number| add(&mut slices, number));
        let room = slices.slices.capacity();
        (0..120).for_each(|number| add(&mut slices, number % 12));
        assert_eq!(slices.slices.capacity(), room);
        assert_eq!(slices.sums().len(), 12);
    }

    /// A fraction of a second at one end only is kept like one at both.
    #[test]
    fn a_fraction_of_a_second_at_either_end_is_kept() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        for (start, end) in [
            (at("2026-01-05T07:00:00.5Z"), at("2026-01-05T08:00:00Z")),
            (at("2026-01-05T07:00:00Z"), at("2026-01-05T08:00:00.5Z")),
        ] {
            let mut slices = Slices::default();
            slices.add(start, end, Decimal::ONE);
            assert_eq!(slices.iter().collect::<Vec<_>>(), [(start, end, Quantity::from(Decimal::ONE))]);
        }
    }
}
