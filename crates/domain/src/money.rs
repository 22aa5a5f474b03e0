//! Exact arithmetic for quantities, prices and money, and the only function that rounds.
//!
//! `rust_decimal` holds 96 bits and rounds a longer product without a word, and documented rows
//! need 33 digits. So inputs arrive as [`Decimal`], sums of quantities run in [`Quantity`] (256
//! bits, cannot overflow), every product is an [`Exact`] of any length, and digits are given up
//! only in [`Exact::round`] and [`Exact::divide`], by a named mode.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use ethnum::I256;
use num_bigint::{BigInt, Sign};
use num_integer::Integer as _;
use num_traits::{Signed as _, Zero as _};
use rust_decimal::Decimal;

/// `rust_decimal`'s largest scale, at which every quantity is kept so that adding needs no aligning.
const QUANTITY_SCALE: u32 = 28;

/// A sum of metered quantities, exact.
///
/// One input is below 2^96 at scale 0, so at scale 28 it is below 2^190; 2^64 of them add up to
/// less than 2^255. Overflow is therefore impossible and addition needs no check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(I256);

impl Quantity {
    pub const ZERO: Self = Self(I256::ZERO);

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == I256::ZERO
    }

    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_negative()
    }

    #[must_use]
    pub fn exact(self) -> Exact {
        let mantissa = match i128::try_from(self.0) {
            Ok(narrow) => BigInt::from(narrow),
            Err(_) => BigInt::from_signed_bytes_le(&self.0.to_le_bytes()),
        };
        Exact { mantissa, scale: QUANTITY_SCALE }
    }
}

impl From<Decimal> for Quantity {
    fn from(value: Decimal) -> Self {
        let factor = I256::from(10).pow(QUANTITY_SCALE - value.scale());
        Self(I256::from(value.mantissa()) * factor)
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exact().fmt(f)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exact().fmt(f)
    }
}

/// How digits are given up. Which one applies where is a field of the policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rounding {
    /// Spreadsheet ROUNDDOWN: toward zero, for negative amounts too.
    TowardZero,
    /// Away from zero: used for the printed effective unit price, so that it multiplies back.
    AwayFromZero,
    HalfEven,
    HalfUp,
}

/// A decimal number of any length: `mantissa` ÷ 10^`scale`. Addition and multiplication are exact.
#[derive(Clone, Default)]
pub struct Exact {
    mantissa: BigInt,
    scale: u32,
}

impl Exact {
    #[must_use]
    pub fn zero() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn one() -> Self {
        Self { mantissa: BigInt::from(1), scale: 0 }
    }

    /// Reads plain decimal text such as `-12.340`; `None` for anything else. Used for amounts that
    /// this program printed itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
        if !all_digits || (digits.contains('.') && fraction.is_empty()) {
            return None;
        }
        let mantissa = BigInt::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10)?;
        let scale = u32::try_from(fraction.len()).ok()?;
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, scale })
    }

    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.mantissa.is_zero()
    }

    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.mantissa.is_negative()
    }

    /// Gives up every digit after `decimals`. With [`Self::divide`] the only place in this project
    /// that rounds.
    #[must_use]
    pub fn round(&self, decimals: u32, mode: Rounding) -> Self {
        if self.scale <= decimals {
            return Self { mantissa: &self.mantissa * power_of_ten(decimals - self.scale), scale: decimals };
        }
        let mantissa = quotient(&self.mantissa, &power_of_ten(self.scale - decimals), mode);
        Self { mantissa, scale: decimals }
    }

    /// Divides and gives up every digit after `decimals`; `None` when `divisor` is zero.
    #[must_use]
    pub fn divide(&self, divisor: &Self, decimals: u32, mode: Rounding) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        let up = power_of_ten(decimals + divisor.scale);
        let numerator = &self.mantissa * up;
        let denominator = &divisor.mantissa * power_of_ten(self.scale);
        Some(Self { mantissa: quotient(&numerator, &denominator, mode), scale: decimals })
    }

    /// The same number as a [`Quantity`]; `None` when it has more than 28 decimals or does not fit.
    #[must_use]
    pub fn quantity(&self) -> Option<Quantity> {
        let plain = self.clone().normalised();
        let up = QUANTITY_SCALE.checked_sub(plain.scale)?;
        let bytes = (&plain.mantissa * power_of_ten(up)).to_signed_bytes_le();
        let sign = if plain.mantissa.is_negative() { 0xff } else { 0 };
        let mut wide = [sign; 32];
        wide.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Quantity(I256::from_le_bytes(wide)))
    }

    /// The same number as a [`Decimal`]; `None` when it needs more than 96 bits or 28 decimals.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        let plain = self.clone().normalised();
        let mantissa = i128::try_from(&plain.mantissa).ok()?;
        Decimal::try_from_i128_with_scale(mantissa, plain.scale).ok()
    }

    /// Text with at least `decimals` digits after the point; all others are kept too.
    #[must_use]
    pub fn to_fixed(&self, decimals: u32) -> String {
        let plain = self.clone().normalised();
        if plain.scale >= decimals { plain.to_string() } else { plain.padded(decimals) }
    }

    fn padded(&self, decimals: u32) -> String {
        let wider = Self { mantissa: &self.mantissa * power_of_ten(decimals - self.scale), scale: decimals };
        wider.digits()
    }

    fn digits(&self) -> String {
        let sign = if self.mantissa.is_negative() { "-" } else { "" };
        let digits = self.mantissa.magnitude().to_string();
        if self.scale == 0 {
            return format!("{sign}{digits}");
        }
        let scale = usize::try_from(self.scale).expect("a scale is a small number");
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        format!("{sign}{whole}.{fraction}")
    }

    /// The same number without trailing zeros after the point.
    fn normalised(mut self) -> Self {
        // Many zeros at a time first, so that a number with thirty of them is not divided thirty times.
        for zeros in [16, 8, 4, 2, 1] {
            let power = 10_u64.pow(zeros);
            while self.scale >= zeros && (&self.mantissa % power).is_zero() {
                self.mantissa /= power;
                self.scale -= zeros;
            }
        }
        self
    }

    fn aligned(&self, other: &Self) -> (BigInt, BigInt, u32) {
        let scale = self.scale.max(other.scale);
        let left = &self.mantissa * power_of_ten(scale - self.scale);
        let right = &other.mantissa * power_of_ten(scale - other.scale);
        (left, right, scale)
    }
}

fn power_of_ten(exponent: u32) -> BigInt {
    match 10_u128.checked_pow(exponent) {
        Some(power) => BigInt::from(power),
        None => BigInt::from(10).pow(exponent),
    }
}

/// `numerator` ÷ `denominator` (not zero) as a whole number.
fn quotient(numerator: &BigInt, denominator: &BigInt, mode: Rounding) -> BigInt {
    let (whole, rest) = numerator.div_rem(denominator);
    if rest.is_zero() {
        return whole;
    }
    let away = match mode {
        Rounding::TowardZero => false,
        Rounding::AwayFromZero => true,
        Rounding::HalfEven | Rounding::HalfUp => match (BigInt::from(2) * rest.abs()).cmp(&denominator.abs()) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => mode == Rounding::HalfUp || whole.is_odd(),
        },
    };
    let negative = (numerator.sign() == Sign::Minus) != (denominator.sign() == Sign::Minus);
    match (away, negative) {
        (false, _) => whole,
        (true, false) => whole + 1,
        (true, true) => whole - 1,
    }
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Self {
        Self { mantissa: BigInt::from(value.mantissa()), scale: value.scale() }
    }
}

impl From<Quantity> for Exact {
    fn from(value: Quantity) -> Self {
        value.exact()
    }
}

impl Add for &Exact {
    type Output = Exact;
    fn add(self, other: Self) -> Exact {
        let (left, right, scale) = self.aligned(other);
        Exact { mantissa: left + right, scale }
    }
}

impl Sub for &Exact {
    type Output = Exact;
    fn sub(self, other: Self) -> Exact {
        let (left, right, scale) = self.aligned(other);
        Exact { mantissa: left - right, scale }
    }
}

impl Mul for &Exact {
    type Output = Exact;
    fn mul(self, other: Self) -> Exact {
        Exact { mantissa: &self.mantissa * &other.mantissa, scale: self.scale + other.scale }
    }
}

impl Neg for &Exact {
    type Output = Exact;
    fn neg(self) -> Exact {
        Exact { mantissa: -&self.mantissa, scale: self.scale }
    }
}

impl AddAssign<&Exact> for Exact {
    fn add_assign(&mut self, other: &Exact) {
        if self.scale == other.scale {
            self.mantissa += &other.mantissa;
        } else {
            *self = &*self + other;
        }
    }
}

impl SubAssign<&Exact> for Exact {
    fn sub_assign(&mut self, other: &Exact) {
        *self = &*self - other;
    }
}

impl<'a> std::iter::Sum<&'a Exact> for Exact {
    fn sum<I: Iterator<Item = &'a Exact>>(iter: I) -> Self {
        iter.fold(Self::zero(), |total, next| &total + next)
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }
}

impl fmt::Display for Exact {
    /// Every digit, without trailing zeros after the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.clone().normalised().digits())
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).unwrap()
    }

    #[test]
    fn a_product_that_rust_decimal_rounds_is_exact_here() {
        let product = &exact("0.8092700852398515892539") * &exact("0.123568141");
        assert_eq!(product.to_string(), "0.0999999999999999999999999999999");
        assert_eq!(product.round(2, Rounding::TowardZero).to_string(), "0.09");
    }

    #[test]
    fn each_mode_rounds_by_its_name() {
        let cases = [
            ("2.345", "2.34", "2.35", "2.34", "2.35"),
            ("2.355", "2.35", "2.36", "2.36", "2.36"),
            ("-2.345", "-2.34", "-2.35", "-2.34", "-2.35"),
            ("2.3401", "2.34", "2.35", "2.34", "2.34"),
            ("-0.001", "0", "-0.01", "0", "0"),
        ];
        for (value, zero, away, even, up) in cases {
            let value = exact(value);
            assert_eq!(value.round(2, Rounding::TowardZero).to_string(), zero);
            assert_eq!(value.round(2, Rounding::AwayFromZero).to_string(), away);
            assert_eq!(value.round(2, Rounding::HalfEven).to_string(), even);
            assert_eq!(value.round(2, Rounding::HalfUp).to_string(), up);
        }
    }

    /// What has fewer digits than asked for keeps its value, and an exact sum of quantities is an exact
    /// number.
    #[test]
    fn more_digits_than_there_are_change_nothing() {
        let value = exact("-1.25");
        for decimals in [2, 3, 9] {
            assert_eq!(value.round(decimals, Rounding::AwayFromZero), value);
        }
        let quantity = Quantity::from(Decimal::new(-125, 2));
        assert_eq!(Exact::from(quantity), value);
    }

    #[test]
    fn the_printed_effective_price_multiplies_back() {
        let charge = exact("21.39");
        let price = charge.divide(&exact("29"), 15, Rounding::AwayFromZero).unwrap();
        assert_eq!(price.to_string(), "0.737586206896552");
        assert_eq!((&price * &exact("29")).round(2, Rounding::TowardZero), charge);
        assert_eq!(charge.divide(&Exact::zero(), 15, Rounding::TowardZero), None);
    }

    #[test]
    fn text_keeps_its_sign_and_its_zeros() {
        assert_eq!(exact("5.80").to_string(), "5.8");
        assert_eq!(exact("5.8").to_fixed(2), "5.80");
        assert_eq!(exact("-0.05").to_string(), "-0.05");
        assert_eq!(exact("100").to_string(), "100");
        for bad in ["", "-", ".5", "1.", "1e3", "1,5", "+1"] {
            assert_eq!(Exact::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_owed_back_is_below_zero_and_nothing_is_not() {
        for (text, below) in [("-0.01", true), ("0", false), ("-0", false), ("0.01", false)] {
            assert_eq!(exact(text).is_negative(), below, "{text}");
        }
    }

    /// 28 decimals are what a quantity holds; a number that needs more is none.
    #[test]
    fn a_number_is_the_same_number_as_a_quantity() {
        for text in ["0", "5", "-0.5", "22.9276737383009", "0.0000000000000000000000000001"] {
            assert_eq!(exact(text).quantity().map(Quantity::exact), Some(exact(text)), "{text}");
        }
        assert_eq!(exact("5").quantity(), Some(Quantity::from(Decimal::from(5))));
        assert_eq!(exact("0.00000000000000000000000000001").quantity(), None);
    }

    #[test]
    fn quantities_add_up_whatever_their_scale() {
        let sum: Quantity = ["23.2", "0.0000000000000000000000000001", "-3"]
            .into_iter()
            .map(|text| Quantity::from(Decimal::from_str_exact(text).unwrap()))
            .sum();
        assert_eq!(sum.to_string(), "20.2000000000000000000000000001");
        assert!((-sum).is_negative());
    }
}
