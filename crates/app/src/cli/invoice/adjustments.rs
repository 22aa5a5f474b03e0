//! What closing a month would adjust with it: months issued before, of which facts came late.

use std::collections::BTreeMap;

use domain::entry::IssuedLine;
use domain::ids::{Currency, Guid};
use domain::money::Exact;
use domain::period::Period;
use engine::adjusting::{self, Sum};
use engine::books::Books;
use serde::Serialize;

use super::lines::Named;
use super::{Party, money, short};
use crate::output::{Output, align_right, left, right, table, thousands};

/// The adjustments of one month that was issued, in one currency.
#[derive(Serialize)]
pub(super) struct AdjustmentAnswer {
    bill_to: Party,
    /// The month that was issued, and is adjusted.
    period: String,
    currency: String,
    subtotal: String,
    lines: Vec<ChangeAnswer>,
    rule: &'static str,
}

/// What a line changes by.
#[derive(Serialize)]
struct ChangeAnswer {
    #[serde(flatten)]
    named: Named,
    product: String,
    sku: String,
    quantity: String,
    charge: String,
    subtotal: String,
    tax: Option<String>,
    /// The days that changed.
    days: Vec<String>,
}

/// The adjustments among `waiting` that closing a month carries; of one customer, where one is asked about.
pub(super) fn carried(
    books: &mut Books<'_>,
    (bill_to, period, customer): (Guid, Period, Option<Guid>),
    waiting: &BTreeMap<Currency, Vec<IssuedLine>>,
) -> Vec<AdjustmentAnswer> {
    let mut answers = Vec::new();
    for (currency, lines) in waiting {
        let mut by_month: BTreeMap<Period, Vec<&IssuedLine>> = BTreeMap::new();
        let ours = |line: &&IssuedLine| customer.is_none_or(|customer| line.key.customer == customer);
        for line in lines.iter().filter(ours).filter(|line| line.period != period) {
            by_month.entry(line.period).or_default().push(line);
        }
        if by_month.is_empty() || !adjusting::carries(books, bill_to, period, *currency) {
            continue;
        }
        answers.extend(by_month.into_iter().map(|(month, lines)| AdjustmentAnswer {
            bill_to: Party { id: bill_to.to_string(), name: books.partner_name(bill_to) },
            period: month.to_string(),
            currency: currency.to_string(),
            subtotal: money(&Sum::of(lines.iter().copied()).subtotal, *currency),
            lines: lines.into_iter().map(|line| change(books, line, *currency)).collect(),
            rule: "INV-6",
        }));
    }
    answers
}

fn change(books: &Books<'_>, line: &IssuedLine, currency: Currency) -> ChangeAnswer {
    let key = &line.key;
    ChangeAnswer {
        named: Named::of(books, key, line.period),
        product: key.product.to_string(),
        sku: key.sku.to_string(),
        quantity: Exact::from(line.quantity).to_string(),
        charge: money(&line.charge.into(), Currency::USD),
        subtotal: money(&line.subtotal.into(), currency),
        tax: line.tax.map(|tax| money(&tax.into(), currency)),
        days: line.days.iter().map(ToString::to_string).collect(),
    }
}

/// Month by month, and line by line where that is asked for.
pub(super) fn print(
    answers: &[AdjustmentAnswer],
    period: Period,
    every_line: bool,
    out: &mut Output,
) -> anyhow::Result<()> {
    if answers.is_empty() {
        return Ok(());
    }
    out.line("")?;
    out.line(format!("Closing {period} would also adjust months that are issued (INV-6):"))?;
    out.line("")?;
    let mut months = table(&["month", "partner", "lines", "subtotal"]);
    for one in answers {
        let lines = thousands(one.lines.len() as u64);
        months.add_row([left(&one.period), left(&one.bill_to.name), right(lines), right(short(&one.subtotal))]);
    }
    align_right(&mut months, &[2, 3]);
    out.table(months)?;
    if !every_line {
        return Ok(());
    }
    out.line("")?;
    let mut list = table(&["line", "month", "customer", "meter", "quantity", "subtotal", "days that changed"]);
    for (one, line) in answers.iter().flat_map(|one| one.lines.iter().map(move |line| (one, line))) {
        list.add_row([
            left(&line.named.line),
            left(&one.period),
            left(&line.named.customer.name),
            left(line.named.order.as_ref().unwrap_or(&line.named.meter)),
            right(&line.quantity),
            right(short(&line.subtotal)),
            left(line.days.join(" ")),
        ]);
    }
    align_right(&mut list, &[4, 5]);
    out.table(list)?;
    Ok(())
}
