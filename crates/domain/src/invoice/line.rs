//! One line of a draft: exact sums first, then the one cut.
//!
//! Everything printed follows from quantity, unit price, credit rate and exchange rate; nothing is
//! ever recomputed from a printed amount.

use std::collections::BTreeMap;

use crate::entry::{IssuedLine, LineKey, Portion};
use crate::money::{Exact, Quantity, Rounding};
use crate::pec::LostCode;
use crate::period::{Day, Period};
use crate::policy::{LineSteps, Policy};
use crate::rating::{Piece, Verdict};

/// Decimals of the printed effective unit price.
pub(super) const PRICE_DECIMALS: u32 = 15;
/// Decimals of the reconciliation columns, whatever the currency.
pub(super) const COLUMN_DECIMALS: u32 = 2;

/// A line as it would be printed, and the exact amounts behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub key: LineKey,
    pub period: Period,
    pub product_title: Box<str>,
    pub sku_title: Box<str>,
    pub unit: Box<str>,
    /// BillableQuantity, net of corrections.
    pub quantity: Exact,
    /// The same, day by day; days without usage are left out.
    pub by_day: Vec<(Day, Exact)>,
    pub unit_price: Exact,
    pub effective_unit_price: Exact,
    /// Exact, before any rounding, in the pricing currency.
    pub list_charge: Exact,
    pub net_charge: Exact,
    /// After the line's one cut, in the pricing currency.
    pub charge_without_credit: Exact,
    pub charge: Exact,
    pub exchange_rate: Exact,
    /// In the billing currency.
    pub subtotal_without_credit: Exact,
    pub subtotal: Exact,
    /// Credit lost, exact, in the pricing currency, by reason.
    pub lost: BTreeMap<LostCode, Exact>,
    /// Priced by last month's row: shown, never issued.
    pub estimate: bool,
    /// In billing currency, where tax is drawn line by line.
    pub tax: Option<Exact>,
    /// The rule that made the line.
    pub rule: &'static str,
}

/// A number of a line that has more digits than an issued document can hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TooLong {
    pub key: Box<LineKey>,
    pub what: &'static str,
    pub value: Exact,
}

impl Line {
    /// Exact credit: list charge − net charge.
    #[must_use]
    pub fn credit(&self) -> Exact {
        &self.list_charge - &self.net_charge
    }

    /// Printed credit: Subtotal without PEC minus Subtotal with it.
    #[must_use]
    pub fn printed_credit(&self) -> Exact {
        &self.subtotal_without_credit - &self.subtotal
    }

    /// The line as an issued document holds it; a number that does not fit is named, never cut.
    pub fn issued(&self) -> Result<IssuedLine, TooLong> {
        let fit = |what: &'static str, value: &Exact| {
            value.decimal().ok_or_else(|| TooLong { key: Box::new(self.key.clone()), what, value: value.clone() })
        };
        let by_day = self.by_day.iter().map(|(day, quantity)| Ok((*day, fit("quantity of a day", quantity)?)));
        Ok(IssuedLine {
            key: self.key.clone(),
            period: self.period,
            days: Vec::new(),
            by_day: by_day.collect::<Result<_, TooLong>>()?,
            quantity: fit("quantity", &self.quantity)?,
            unit_price: fit("unit price", &self.unit_price)?,
            effective_unit_price: fit("effective unit price", &self.effective_unit_price)?,
            charge_without_credit: fit("charge without credit", &self.charge_without_credit)?,
            charge: fit("charge", &self.charge)?,
            subtotal_without_credit: fit("subtotal without credit", &self.subtotal_without_credit)?,
            subtotal: fit("subtotal", &self.subtotal)?,
            exchange_rate: fit("exchange rate", &self.exchange_rate)?,
            rule: self.rule.into(),
            tax: self.tax.as_ref().map(|tax| fit("tax", tax)).transpose()?,
            policy_revisions: None,
        })
    }
}

/// What was lost for one reason at one rate: quantity, what it lacks of its money, rate.
struct Missing {
    quantity: Quantity,
    split: Exact,
    rate: Exact,
}

/// A line while its pieces are coming in.
pub(super) struct Sum {
    product_title: Box<str>,
    sku_title: Box<str>,
    unit: Box<str>,
    unit_price: Exact,
    rate: Exact,
    by_day: BTreeMap<Day, Quantity>,
    /// What the quantities of split parts lack of their money.
    split: Exact,
    lost: BTreeMap<(LostCode, u8), Missing>,
    estimate: bool,
    /// A quantity without money.
    covered: bool,
    rule: &'static str,
}

impl Sum {
    pub(super) fn new(piece: &Piece<'_>) -> Self {
        let row = piece.band.row;
        Self {
            product_title: row.product_title.clone(),
            sku_title: row.sku_title.clone(),
            unit: row.unit.clone(),
            unit_price: Exact::from(row.unit_price),
            rate: if piece.credited { piece.rate.clone() } else { Exact::zero() },
            by_day: BTreeMap::new(),
            split: Exact::zero(),
            lost: BTreeMap::new(),
            estimate: false,
            covered: piece.portion.is_covered(),
            rule: match piece.portion {
                Portion::PayAsYouGo => "INV-1",
                Portion::Reservation | Portion::SavingsPlan => "RATE-10",
                Portion::AzureCredit => "RATE-11",
            },
        }
    }

    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        *self.by_day.entry(piece.day).or_default() += piece.quantity;
        self.estimate |= piece.estimate;
        if let Some(split) = &piece.split {
            self.split += split;
        }
        if let Verdict::Lost(code) = piece.verdict {
            let missing = self.lost.entry((code, piece.rate_number)).or_insert_with(|| Missing {
                quantity: Quantity::ZERO,
                split: Exact::zero(),
                rate: piece.rate.clone(),
            });
            missing.quantity += piece.quantity;
            if let Some(split) = &piece.split {
                missing.split += split;
            }
        }
    }

    /// INV-1: charge = cut(quantity × unit price × (1 − rate), 2), once. INV-2: Subtotal =
    /// cut(charge × exchange rate, 2); both toward zero, also below zero. Source: reconciliation
    /// file, ROUNDDOWN of ROUNDDOWN (2022-01-18).
    pub(super) fn line(self, key: LineKey, period: Period, exchange_rate: &Exact, policy: &Policy) -> Line {
        let quantity = self.by_day.values().copied().sum::<Quantity>().exact();
        let mode = policy.line_rounding;
        let paid = if self.covered { Exact::zero() } else { self.unit_price.clone() };
        let list_charge = &(&quantity * &paid) + &self.split;
        let net_price = &paid * &(&Exact::one() - &self.rate);
        let net_charge = &list_charge * &(&Exact::one() - &self.rate);
        let charge_without_credit = list_charge.round(COLUMN_DECIMALS, mode);
        let charge = net_charge.round(COLUMN_DECIMALS, mode);
        // INV-15: one cut after all three factors, or two, as the policy says.
        let subtotal = |exact: &Exact, charge: &Exact| match policy.line_steps {
            LineSteps::Two => (charge * exchange_rate).round(COLUMN_DECIMALS, mode),
            LineSteps::One => (exact * exchange_rate).round(COLUMN_DECIMALS, mode),
        };
        let mut lost: BTreeMap<LostCode, Exact> = BTreeMap::new();
        for ((code, _), Missing { quantity, split, rate }) in self.lost {
            let list = &(&quantity.exact() * &self.unit_price) + &split;
            *lost.entry(code).or_default() += &(&list * &rate);
        }
        let by_day = self.by_day.into_iter().filter(|(_, quantity)| !quantity.is_zero());
        Line {
            effective_unit_price: effective(&key, &paid, &net_price, &charge, &quantity),
            period,
            product_title: self.product_title,
            sku_title: self.sku_title,
            unit: self.unit,
            by_day: by_day.map(|(day, quantity)| (day, quantity.exact())).collect(),
            unit_price: self.unit_price,
            subtotal_without_credit: subtotal(&list_charge, &charge_without_credit),
            subtotal: subtotal(&net_charge, &charge),
            exchange_rate: exchange_rate.clone(),
            lost,
            estimate: self.estimate,
            tax: None,
            rule: self.rule,
            key,
            quantity,
            list_charge,
            net_charge,
            charge_without_credit,
            charge,
        }
    }
}

/// INV-2: the printed effective unit price: without credit the unit price; with it charge ÷
/// quantity, rounded away from zero at 15 decimals so that it multiplies back, or unit price × (1 −
/// rate) where the charge is 0.00. Source: azure-plan billing, worked table (2022-07-18).
fn effective(key: &LineKey, unit_price: &Exact, net_price: &Exact, charge: &Exact, quantity: &Exact) -> Exact {
    if key.credit_rate.is_none() {
        return unit_price.clone();
    }
    if charge.is_zero() {
        return net_price.clone();
    }
    let price = charge.divide(quantity, PRICE_DECIMALS, Rounding::AwayFromZero);
    price.expect("a quantity of zero has a charge of zero")
}
