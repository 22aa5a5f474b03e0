//! Fractions of any size, so that nothing is ever rounded unless asked.
//!
//! Numerator over denominator, both of any length. The only thing that gives up digits is
//! [`Ratio::cut`], which drops what comes after a number of decimals.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;

/// `over` ÷ `under`; `under` is positive and both share no divisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratio {
    over: BigInt,
    under: BigInt,
}

impl Ratio {
    pub fn new(over: BigInt, under: BigInt) -> Self {
        assert!(under != BigInt::ZERO, "a fraction needs something to divide by");
        let common = over.gcd(&under);
        let sign = if under < BigInt::ZERO { BigInt::from(-1) } else { BigInt::from(1) };
        if common == BigInt::ZERO {
            return Self { over: BigInt::ZERO, under: BigInt::from(1) };
        }
        Self { over: over / &common * &sign, under: under / common * sign }
    }

    pub fn whole(number: i64) -> Self {
        Self { over: BigInt::from(number), under: BigInt::from(1) }
    }

    /// Reads plain decimal text.
    pub fn of(text: &str) -> Self {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        let over: BigInt = format!("{before}{after}").parse().unwrap_or_else(|_| panic!("`{text}` is no number"));
        Self::new(over * sign, BigInt::from(10).pow(u32::try_from(after.len()).unwrap()))
    }

    pub fn zero() -> Self {
        Self::whole(0)
    }

    pub fn is_zero(&self) -> bool {
        self.over == BigInt::ZERO
    }

    pub fn plus(&self, other: &Self) -> Self {
        Self::new(&self.over * &other.under + &other.over * &self.under, &self.under * &other.under)
    }

    pub fn minus(&self, other: &Self) -> Self {
        Self::new(&self.over * &other.under - &other.over * &self.under, &self.under * &other.under)
    }

    pub fn times(&self, other: &Self) -> Self {
        Self::new(&self.over * &other.over, &self.under * &other.under)
    }

    pub fn over(&self, other: &Self) -> Self {
        Self::new(&self.over * &other.under, &self.under * &other.over)
    }

    pub fn smaller(&self, other: &Self) -> Self {
        if self.cmp(other) == Ordering::Greater { other.clone() } else { self.clone() }
    }

    pub fn larger(&self, other: &Self) -> Self {
        if self.cmp(other) == Ordering::Less { other.clone() } else { self.clone() }
    }

    /// Without the digits after `decimals`: toward zero.
    pub fn cut(&self, decimals: u32) -> Self {
        let shift = BigInt::from(10).pow(decimals);
        Self::new(&self.over * &shift / &self.under, shift)
    }

    /// To `decimals` digits, by a word of the policy; what is below zero as its opposite.
    pub fn rounded(&self, decimals: u32, how: &str) -> Self {
        if self.over < BigInt::ZERO {
            let opposite = Self::zero().minus(self).rounded(decimals, how);
            return Self::zero().minus(&opposite);
        }
        let cut = self.cut(decimals);
        let step = Self::new(BigInt::from(1), BigInt::from(10).pow(decimals));
        let (rest, half) = (self.minus(&cut), step.over(&Self::whole(2)));
        let up = match how {
            "toward-zero" => false,
            "away-from-zero" => !rest.is_zero(),
            "half-up" => rest >= half,
            "half-even" => return self.nearest_even(decimals),
            other => panic!("`{other}` is no way to round"),
        };
        if up { cut.plus(&step) } else { cut }
    }

    /// To `decimals` digits, to the nearer neighbour, ties to the even one.
    pub fn nearest_even(&self, decimals: u32) -> Self {
        let shift = BigInt::from(10).pow(decimals);
        let scaled = Self::new(&self.over * &shift, self.under.clone());
        let below = scaled.over.div_floor(&scaled.under);
        let twice_rest: BigInt = (&scaled.over - &below * &scaled.under) * 2;
        let up = match twice_rest.cmp(&scaled.under) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => below.is_odd(),
        };
        Self::new(if up { below + 1 } else { below }, shift)
    }

    /// Decimal text without trailing zeros; a fraction that has no end is cut at 40 digits and marked.
    pub fn text(&self) -> String {
        let cut = self.cut(40);
        let mark = if cut == *self { "" } else { "…" };
        let sign = if self.over < BigInt::ZERO { "-" } else { "" };
        let over = if cut.over < BigInt::ZERO { -cut.over } else { cut.over };
        let (before, mut rest) = over.div_rem(&cut.under);
        let mut text = format!("{sign}{before}");
        if rest != BigInt::ZERO {
            text.push('.');
        }
        while rest != BigInt::ZERO {
            let (digit, next) = (rest * BigInt::from(10)).div_rem(&cut.under);
            text.push_str(&digit.to_string());
            rest = next;
        }
        text + mark
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.over * &other.under).cmp(&(&other.over * &self.under))
    }
}

#[test]
fn fractions_add_multiply_and_are_cut_only_when_asked() {
    let third = Ratio::whole(1).over(&Ratio::whole(3));
    assert_eq!(third.plus(&third).plus(&third), Ratio::whole(1));
    assert_eq!(third.text().chars().count(), 43);
    assert_eq!(Ratio::of("-12.349").cut(2).text(), "-12.34");
    assert_eq!(Ratio::of("0.8092700852398515892539").times(&Ratio::of("0.123568141")).cut(2).text(), "0.09");
    assert_eq!(Ratio::of("2.5").nearest_even(0).text(), "2");
    assert_eq!(Ratio::of("3.5").nearest_even(0).text(), "4");
    assert_eq!(Ratio::of("-2.51").nearest_even(0).text(), "-3");
    assert_eq!(Ratio::of("100.25").text(), "100.25");
}
