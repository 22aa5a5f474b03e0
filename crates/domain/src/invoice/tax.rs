//! Tax: off, line by line, or on the total, as the policy says.
//!
//! It is shown beside the amounts and never inside them: subtotals and totals stay as they are without
//! it. What is made here is a figure to compare, not a tax document.

use super::line::{COLUMN_DECIMALS, Line};
use crate::ids::Currency;
use crate::money::{Exact, Rounding};
use crate::policy::Tax;

/// The tax of a month: the rate in force at its end, and how it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct TaxRate {
    pub rate: Exact,
    pub drawn: Tax,
}

/// INV-12: tax is cut down line by line, as a column, and added up; toward zero. Source: understand your
/// invoice (2023-09-11), which says down and whose own example (0.98 + 1.03 for 9.75 and 10.25 at 10 %) is
/// rounded half up.
#[must_use]
pub fn cut_tax(subtotal: &Exact, rate: &Exact) -> Exact {
    (subtotal * rate).round(COLUMN_DECIMALS, Rounding::TowardZero)
}

/// INV-12: what is due in tax is an amount to pay: cut toward zero to the currency's minor unit.
#[must_use]
pub fn due_tax(tax: &Exact, currency: Currency) -> Exact {
    tax.round(currency.minor_unit(), Rounding::TowardZero)
}

impl TaxRate {
    /// INV-12: the tax of a month with these Subtotals, whose own taxes come to `by_line`: the sum of the lines'
    /// taxes, or one cut of the tax on all Subtotals together. Source: some markets tax the total (read your
    /// bill, 2022-07-18).
    #[must_use]
    pub fn of(&self, subtotals: &Exact, by_line: &Exact, currency: Currency) -> Exact {
        match self.drawn {
            Tax::Off => Exact::zero(),
            Tax::PerLine => by_line.clone(),
            Tax::OnTotal => due_tax(&(subtotals * &self.rate), currency),
        }
    }

    /// Writes each line's own tax, where it is drawn line by line.
    pub(super) fn write(&self, lines: &mut [Line]) {
        if self.drawn == Tax::PerLine {
            for line in lines {
                line.tax = Some(cut_tax(&line.subtotal, &self.rate));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).unwrap()
    }

    /// The documented page rounds half up, against its own words; on the total both agree.
    #[test]
    fn tax_is_cut_down_line_by_line_or_once() {
        let lines = [exact("9.75"), exact("10.25")];
        let by_line = lines.iter().fold(Exact::zero(), |sum, line| &sum + &cut_tax(line, &exact("0.1")));
        let tax = |drawn| TaxRate { rate: exact("0.1"), drawn }.of(&lines.iter().sum(), &by_line, Currency::USD);
        assert_eq!(tax(Tax::PerLine), exact("1.99"));
        assert_ne!(tax(Tax::PerLine), exact("2.01"), "0.98 + 1.03 is the documented slip");
        assert_eq!(tax(Tax::OnTotal), exact("2.00"));
        assert_eq!(tax(Tax::Off), Exact::zero());
    }

    /// A sample invoice in kroner: on the total 9,907.31, printed 9,907.34, which neither way gives.
    #[test]
    fn a_credit_is_taxed_toward_zero_too() {
        let total = TaxRate { rate: exact("0.25"), drawn: Tax::OnTotal };
        assert_eq!(total.of(&exact("39629.27"), &Exact::zero(), Currency::USD), exact("9907.31"));
        assert_ne!(total.of(&exact("39629.27"), &Exact::zero(), Currency::USD), exact("9907.34"));
        assert_eq!(cut_tax(&exact("-0.15"), &exact("0.1")), exact("-0.01"));
    }
}
