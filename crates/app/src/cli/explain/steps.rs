//! The arithmetic of a line, step by step, from quantities to the printed columns.
//!
//! Every step is an equation that holds to its last printed digit: a cut is named where one is made, and what
//! a quantity of 15 decimals lacks of its money is printed as a number of its own. Lines of purchases, returns
//! and refunds begin in `booked.rs`.

use domain::entry::ChargeType;
use domain::ids::Currency;
use domain::invoice::{Draft, Line, amounts_of};
use domain::money::{Exact, Rounding};
use domain::period::Day;
use domain::policy::{LineSteps, Policy};
use domain::prices::EXACT_RATE_DECIMALS;
use engine::books::Books;

use super::{Step, booked};
use crate::cli::invoice::money;

pub(super) fn usd(amount: &Exact) -> String {
    money(amount, Currency::USD)
}

/// A day on which Azure credit paid a part of the usage: what of it falls to the line, exactly.
pub(super) struct Split {
    pub(super) day: Day,
    pub(super) quantity: Exact,
    /// What quantity × price lacks of the money.
    pub(super) lacks: Exact,
}

pub(super) fn arithmetic(draft: &Draft, line: &Line, splits: &[Split], books: &Books<'_>) -> Vec<Step> {
    let amounts = amounts_of(&books.desk, draft, line);
    let rate = exchange_rate(draft, line, books);
    let mut steps = if amounts.is_empty() {
        let mut steps = charged(draft, line, splits);
        steps.extend(rate);
        steps.push(subtotal(draft, line));
        steps.push(effective_price(line));
        steps
    } else {
        booked::steps(&amounts, rate, draft, line)
    };
    steps.extend(tax(draft, line));
    steps
}

/// Whether the line gives back what Azure credit paid: the amounts of its usage once more, with a minus.
pub(super) fn gives_back(line: &Line) -> bool {
    let back = line.key.charge.as_ref().is_some_and(|charge| charge.charge_type == ChargeType::CustomerCredit);
    back && line.key.portion.never().is_some()
}

/// From quantity to charge. INV-1 where the policy cuts as the newest published formula does, else INV-15.
fn charged(draft: &Draft, line: &Line, splits: &[Split]) -> Vec<Step> {
    let mut steps = vec![Step {
        rule: "RATE-3",
        what: "quantity",
        how: match line.by_day.len() {
            1 => "used on one day".to_owned(),
            days => format!("sum over {days} days"),
        },
        result: format!("{} × {}", line.quantity, line.unit),
    }];
    steps.extend(splits.iter().map(|split| of_split(split, line)));
    steps.push(list_charge(line));
    if let Some(rate) = line.key.credit_rate {
        steps.push(Step {
            rule: "INV-1",
            what: "with credit",
            how: format!("{} × (1 − {})", usd(&line.list_charge), rate.normalize()),
            result: usd(&line.net_charge),
        });
    }
    let (newest, cut) = cut_of(&draft.policy);
    steps.push(Step {
        rule: if newest { "INV-1" } else { "INV-15" },
        what: "charge",
        how: format!("{} {cut}", usd(&line.net_charge)),
        result: usd(&line.charge),
    });
    steps
}

/// RATE-11: a grant that is used up within a day splits the day by money, which its quantities of 15 decimals
/// do not hold: what the grant had left, or what it left to pay.
fn of_split(split: &Split, line: &Line) -> Step {
    let whole = &(&split.quantity * &line.unit_price) + &split.lacks;
    let what = if line.key.portion.never().is_some() { "paid by the credit" } else { "left by the credit" };
    Step {
        rule: "RATE-11",
        what,
        how: format!("on {}: {} × {}{}", split.day, split.quantity, usd(&line.unit_price), plus(&split.lacks)),
        result: usd(&whole),
    }
}

/// A number that is added to what stands before it.
pub(super) fn plus(amount: &Exact) -> String {
    if amount.is_zero() {
        return String::new();
    }
    if amount.is_negative() { format!(" − {}", usd(&-amount)) } else { format!(" + {}", usd(amount)) }
}

fn list_charge(line: &Line) -> Step {
    if line.key.portion.is_covered() {
        let how = "paid in advance, nothing is charged".to_owned();
        return Step { rule: line.rule, what: "list charge", how, result: usd(&line.list_charge) };
    }
    let product = &line.quantity * &line.unit_price;
    let (quantity, price) = (&line.quantity, usd(&line.unit_price));
    let how = if gives_back(line) {
        format!("−({quantity} × {price}{})", plus(&-&(&line.list_charge + &product)))
    } else {
        format!("{quantity} × {price}{}", plus(&(&line.list_charge - &product)))
    };
    let rule = if line.key.portion.never().is_some() { line.rule } else { "INV-1" };
    Step { rule, what: "list charge", how, result: usd(&line.list_charge) }
}

/// How amounts are cut, and whether that is how the newest published formula cuts them.
pub(super) fn cut_of(policy: &Policy) -> (bool, &'static str) {
    match policy.line_rounding {
        Rounding::TowardZero => (true, "cut to 2 decimals"),
        Rounding::AwayFromZero => (false, "rounded away from zero to 2 decimals"),
        Rounding::HalfEven => (false, "rounded half-even to 2 decimals"),
        Rounding::HalfUp => (false, "rounded half-up to 2 decimals"),
    }
}

/// RATE-8: absent where dollars are billed.
fn exchange_rate(draft: &Draft, line: &Line, books: &Books<'_>) -> Option<Step> {
    let stated = books.facts.prices.usd_per_unit(draft.period, draft.currency)?;
    let decimals = draft.policy.exchange_rate_decimals.unwrap_or(EXACT_RATE_DECIMALS);
    Some(Step {
        rule: "RATE-8",
        what: "exchange rate",
        how: format!("1 ÷ {} USD per {}, rounded half-even to {decimals} decimals", stated.value, draft.currency),
        result: line.exchange_rate.to_string(),
    })
}

/// INV-2, or INV-15 where the policy cuts otherwise.
fn subtotal(draft: &Draft, line: &Line) -> Step {
    let (newest, cut) = cut_of(&draft.policy);
    let two = draft.policy.line_steps == LineSteps::Two;
    // Cut once after all factors, it starts from the exact charge, not from the printed one.
    let from = if two { &line.charge } else { &line.net_charge };
    Step {
        rule: if newest && two { "INV-2" } else { "INV-15" },
        what: "subtotal",
        how: format!("{} × {} {cut}", usd(from), line.exchange_rate),
        result: money(&line.subtotal, draft.currency),
    }
}

fn effective_price(line: &Line) -> Step {
    let how = match line.key.credit_rate {
        _ if line.key.portion.is_covered() => "paid in advance, nothing is charged".to_owned(),
        Some(rate) if line.charge.is_zero() => format!("{} × (1 − {})", usd(&line.unit_price), rate.normalize()),
        Some(_) => format!("{} ÷ {} rounded up at 15 decimals", usd(&line.charge), line.quantity),
        None if gives_back(line) => format!("−{}", usd(&line.unit_price)),
        None => usd(&line.unit_price),
    };
    Step { rule: "INV-2", what: "effective unit price", how, result: usd(&line.effective_unit_price) }
}

/// INV-12: what tax does to the line: its own cut, or none, because it is drawn on the total.
fn tax(draft: &Draft, line: &Line) -> Option<Step> {
    let drawn = draft.tax.as_ref()?;
    let local = |amount: &Exact| money(amount, draft.currency);
    let (how, result) = match &line.tax {
        Some(tax) => (format!("{} × {} cut to 2 decimals", local(&line.subtotal), drawn.rate), local(tax)),
        None => {
            let total = draft.tax()?;
            (
                format!("rate {}, cut once on the sum of all lines", drawn.rate),
                format!("{} on the total", local(&total)),
            )
        }
    };
    Some(Step { rule: "INV-12", what: "tax, beside the amount", how, result })
}
