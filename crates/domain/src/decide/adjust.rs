//! The difference between what a month would be drafted to now and what was issued for it.
//!
//! One line per line key, new and vanished keys too. Summed over all documents, lines give the
//! redraft again: quantity, charges and Subtotals alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{IssuedLine, LineKey};
use crate::invoice::{Line, TooLong};
use crate::issued::IssuedSum;
use crate::money::Exact;
use crate::period::{Day, Period};

/// Whether lines belong to the month that is being closed or to one closed before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Adjusted {
    Own,
    Earlier,
}

/// INV-6: one adjustment line per line key whose redraft differs from everything issued for it, the
/// difference of the rounded lines, naming the days that changed.
pub(super) fn difference(
    period: Period,
    redraft: &[Line],
    mut before: BTreeMap<LineKey, IssuedSum>,
    which: Adjusted,
) -> Vec<Result<IssuedLine, TooLong>> {
    let mut lines = Vec::new();
    for line in redraft {
        match before.remove(&line.key) {
            None if which == Adjusted::Own => lines.push(line.issued()),
            None => lines.extend(change(line, &IssuedSum::default())),
            Some(issued) => lines.extend(change(line, &issued)),
        }
    }
    for (key, issued) in before {
        lines.extend(vanished(key, period, &issued));
    }
    lines
}

fn change(now: &Line, issued: &IssuedSum) -> Option<Result<IssuedLine, TooLong>> {
    let line = Line {
        quantity: &now.quantity - &issued.quantity,
        by_day: changed_days(&now.by_day, &issued.by_day),
        charge_without_credit: &now.charge_without_credit - &issued.charge_without_credit,
        charge: &now.charge - &issued.charge,
        subtotal_without_credit: &now.subtotal_without_credit - &issued.subtotal_without_credit,
        subtotal: &now.subtotal - &issued.subtotal,
        tax: tax(now.tax.as_ref(), issued.tax.as_ref()),
        rule: "INV-6",
        ..now.clone()
    };
    let amounts =
        [&line.quantity, &line.charge_without_credit, &line.charge, &line.subtotal_without_credit, &line.subtotal];
    if amounts.into_iter().chain(&line.tax).all(Exact::is_zero) {
        return None;
    }
    let priced_anew = line.by_day.is_empty();
    let all_days = now.by_day.iter().map(|(day, _)| *day).chain(issued.by_day.keys().copied());
    let all_days: BTreeSet<Day> = all_days.collect();
    Some(line.issued().map(|line| IssuedLine {
        days: if priced_anew {
            all_days.into_iter().collect()
        } else {
            line.by_day.iter().map(|(day, _)| *day).collect()
        },
        ..line
    }))
}

/// What a line's tax changes by; absent where it never had any.
fn tax(now: Option<&Exact>, issued: Option<&Exact>) -> Option<Exact> {
    let zero = Exact::zero();
    (now.is_some() || issued.is_some()).then(|| now.unwrap_or(&zero) - issued.unwrap_or(&zero))
}

/// A line that the redraft no longer has: everything issued for it, taken back.
fn vanished(key: LineKey, period: Period, issued: &IssuedSum) -> Option<Result<IssuedLine, TooLong>> {
    let nothing = Line {
        key,
        period,
        product_title: "".into(),
        sku_title: "".into(),
        unit: "".into(),
        quantity: Exact::zero(),
        by_day: Vec::new(),
        unit_price: issued.unit_price.clone(),
        effective_unit_price: issued.effective_unit_price.clone(),
        list_charge: Exact::zero(),
        net_charge: Exact::zero(),
        charge_without_credit: Exact::zero(),
        charge: Exact::zero(),
        exchange_rate: issued.exchange_rate.clone(),
        subtotal_without_credit: Exact::zero(),
        subtotal: Exact::zero(),
        lost: BTreeMap::new(),
        estimate: false,
        tax: None,
        rule: "INV-6",
    };
    change(&nothing, issued)
}

/// Day by day what is there now less what was issued; equal days are left out.
fn changed_days(now: &[(Day, Exact)], issued: &BTreeMap<Day, Exact>) -> Vec<(Day, Exact)> {
    let mut days: BTreeMap<Day, Exact> = now.iter().cloned().collect();
    for (day, quantity) in issued {
        *days.entry(*day).or_default() -= quantity;
    }
    days.into_iter().filter(|(_, quantity)| !quantity.is_zero()).collect()
}
