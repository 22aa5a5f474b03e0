//! The domain's exact arithmetic against fractions of any size.
//!
//! `rust_decimal` rounds a long product without a word, so every operation that makes money is
//! compared, digit for digit, with the oracle's fractions on numbers as long as inputs can be.

use domain::money::{Exact, Quantity, Rounding};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::oracle::number::Ratio;

/// Any number that an input may hold: up to 28 digits, up to 28 of them after the point.
fn input() -> impl Strategy<Value = Decimal> {
    let digits = prop_oneof![0_i128..1_000, 0_i128..10_i128.pow(12), 0_i128..10_i128.pow(28)];
    let scale = prop_oneof![0_u32..4, 8_u32..23, 0_u32..=28];
    (digits, scale, any::<bool>()).prop_map(|(digits, scale, negative)| {
        Decimal::from_i128_with_scale(if negative { -digits } else { digits }, scale)
    })
}

fn ratio(value: Decimal) -> Ratio {
    Ratio::of(&value.to_string())
}

fn same(exact: &Exact, expected: &Ratio) -> Result<(), TestCaseError> {
    prop_assert_eq!(Ratio::of(&exact.to_string()), expected.clone());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_and_products_lose_no_digit(a in input(), b in input(), c in input()) {
        let product = &(&Exact::from(a) * &Exact::from(b)) * &Exact::from(c);
        same(&product, &ratio(a).times(&ratio(b)).times(&ratio(c)))?;
        same(&(&Exact::from(a) + &product), &ratio(a).plus(&Ratio::of(&product.to_string())))?;
        same(&(&Exact::from(b) - &Exact::from(c)), &ratio(b).minus(&ratio(c)))?;
        prop_assert_eq!(Exact::from(a).cmp(&Exact::from(b)), ratio(a).cmp(&ratio(b)));
    }

    #[test]
    fn quantities_add_up_in_any_order(mut all in prop::collection::vec(input(), 0..40)) {
        let forward: Quantity = all.iter().map(|one| Quantity::from(*one)).sum();
        let expected = all.iter().fold(Ratio::zero(), |sum, one| sum.plus(&ratio(*one)));
        all.reverse();
        prop_assert_eq!(forward, all.iter().map(|one| Quantity::from(*one)).sum());
        same(&forward.exact(), &expected)?;
    }

    #[test]
    fn digits_are_given_up_as_the_mode_says(a in input(), b in input(), decimals in 0_u32..18) {
        let (product, expected) = (&Exact::from(a) * &Exact::from(b), ratio(a).times(&ratio(b)));
        same(&product.round(decimals, Rounding::TowardZero), &expected.cut(decimals))?;
        same(&product.round(decimals, Rounding::HalfEven), &expected.nearest_even(decimals))?;
        let away = Ratio::of(&product.round(decimals, Rounding::AwayFromZero).to_string());
        let step = Ratio::whole(1).over(&power_of_ten(decimals));
        let cut = expected.cut(decimals);
        let beyond = if expected < Ratio::zero() { cut.minus(&step) } else { cut.plus(&step) };
        prop_assert_eq!(away, if cut == expected { cut } else { beyond });
    }

    #[test]
    fn a_division_is_cut_only_where_it_says(a in input(), b in input(), decimals in 0_u32..18) {
        let quotient = Exact::from(a).divide(&Exact::from(b), decimals, Rounding::HalfEven);
        match quotient {
            None => prop_assert!(b.is_zero()),
            Some(quotient) => same(&quotient, &ratio(a).over(&ratio(b)).nearest_even(decimals))?,
        }
    }
}

fn power_of_ten(decimals: u32) -> Ratio {
    (0..decimals).fold(Ratio::whole(1), |power, _| power.times(&Ratio::whole(10)))
}

/// The control: a decimal of 96 bits gets this documented product wrong, and the comparison sees it.
#[test]
fn a_product_that_96_bits_cannot_hold_is_told_apart() {
    let (a, b) = ("0.8092700852398515892539", "0.123568141");
    let (a, b) = (Decimal::from_str_exact(a).unwrap(), Decimal::from_str_exact(b).unwrap());
    let exact = ratio(a).times(&ratio(b));
    assert!(same(&(&Exact::from(a) * &Exact::from(b)), &exact).is_ok());
    assert!(same(&Exact::from(a * b), &exact).is_err());
    assert_eq!(exact.cut(2).text(), "0.09");
}

/// Products that Partner Center's own samples print with fifteen decimals. The first is right to the last
/// digit; the second is no rounding of its product, whatever the mode: it must not come out.
#[test]
fn the_printed_products_of_the_interface_samples_come_out_or_are_proven_wrong() {
    let product = |a: &str, b: &str| &Exact::parse(a).unwrap() * &Exact::parse(b).unwrap();
    let right = product("0.0209496384791679", "23.200004");
    assert_eq!(right.to_string(), "0.4860316965152491966716");
    assert_eq!(right.round(15, Rounding::TowardZero).to_string(), "0.486031696515249");
    assert_eq!(right.round(15, Rounding::HalfEven).to_string(), "0.486031696515249");

    let wrong = product("0.0209951014286867", "23.350007");
    assert_eq!(wrong.to_string(), "0.4902357653255444458069");
    for mode in [Rounding::TowardZero, Rounding::HalfEven] {
        assert_eq!(wrong.round(15, mode).to_string(), "0.490235765325544", "the page ends in 545");
    }
    // With a credit of 15 % the samples print a unit price that is no price of theirs less 15 %.
    let unit = product("0.0209496384791679", "0.85");
    assert_eq!(unit.to_string(), "0.017807192707292715");
    assert_ne!(unit, Exact::parse("0.1835431430074643112595").unwrap());
}
