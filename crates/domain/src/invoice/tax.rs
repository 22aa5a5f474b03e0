//! Tax: off, line by line, or on the total, as the policy says.
//!
//! It is shown beside the amounts and never inside them: subtotals and totals stay as they are without
//! it. What is made here is a figure to compare, not a tax document.

use super::line::{COLUMN_DECIMALS, Line};
use crate::money::{Exact, Rounding};
use crate::policy::Tax;

/// The tax of a month: the rate in force at its end, and how it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct TaxRate {
    pub rate: Exact,
    pub drawn: Tax,
}

/// INV-12: tax is cut down line by line and added up, or once on the total; both toward zero. Source:
/// understand your invoice (2023-09-11), which says down and whose own example (0.98 + 1.03 for 9.75
/// and 10.25 at 10 %) is rounded half up; some markets tax the total (read your bill, 2022-07-18).
#[must_use]
pub fn cut_tax(subtotal: &Exact, rate: &Exact) -> Exact {
    (subtotal * rate).round(COLUMN_DECIMALS, Rounding::TowardZero)
}

impl TaxRate {
    /// The tax of some lines together, in their currency.
    #[must_use]
    pub fn of<'l>(&self, subtotals: impl Iterator<Item = &'l Exact>) -> Exact {
        match self.drawn {
            Tax::Off => Exact::zero(),
            Tax::PerLine => subtotals.fold(Exact::zero(), |sum, one| &sum + &cut_tax(one, &self.rate)),
            Tax::OnTotal => cut_tax(&subtotals.sum(), &self.rate),
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
        let tax = |drawn| TaxRate { rate: exact("0.1"), drawn }.of(lines.iter());
        assert_eq!(tax(Tax::PerLine), exact("1.99"));
        assert_ne!(tax(Tax::PerLine), exact("2.01"), "0.98 + 1.03 is the documented slip");
        assert_eq!(tax(Tax::OnTotal), exact("2.00"));
        assert_eq!(tax(Tax::Off), Exact::zero());
    }

    /// A sample invoice in kroner: on the total 9,907.31, printed 9,907.34, which neither way gives.
    #[test]
    fn a_credit_is_taxed_toward_zero_too() {
        let total = TaxRate { rate: exact("0.25"), drawn: Tax::OnTotal };
        assert_eq!(total.of([exact("39629.27")].iter()), exact("9907.31"));
        assert_ne!(total.of([exact("39629.27")].iter()), exact("9907.34"));
        assert_eq!(cut_tax(&exact("-0.15"), &exact("0.1")), exact("-0.01"));
    }
}
