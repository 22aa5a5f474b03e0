//! The arithmetic of a line that was bought, paid in instalments, returned or refunded: each amount by its own
//! rule and with its own cut, and their sums where several fall on one day.

use domain::charges::{Booked, GivenBack};
use domain::entry::ChargeType;
use domain::invoice::{Amount, Draft, Line};
use domain::money::Exact;
use domain::policy::{ChargeRounding, LineSteps};

use super::Step;
use super::steps::{cut_of, usd};
use crate::cli::invoice::money;

/// From the list price to the printed columns; `rate` stands before the first amount in billing currency.
pub(super) fn steps(amounts: &[Amount], rate: Option<Step>, draft: &Draft, line: &Line) -> Vec<Step> {
    let local = |amount: &Exact| money(amount, draft.currency);
    let mut steps: Vec<Step> = amounts.iter().map(|one| charge(one, draft)).collect();
    steps.extend(sum("charge", amounts.iter().map(|one| usd(&one.charge)).collect(), usd(&line.charge)));
    steps.extend(rate);
    steps.extend(amounts.iter().map(|one| subtotal(one, draft, line)));
    let subtotals = amounts.iter().map(|one| local(&one.subtotal)).collect();
    steps.extend(sum("subtotal", subtotals, local(&line.subtotal)));
    steps.extend(amounts.first().map(|one| Step {
        rule: "INV-2",
        what: "effective unit price",
        how: format!("{} rounded away from zero at 15 decimals", signed(&one.booked, &unit(&one.booked))),
        result: usd(&line.effective_unit_price),
    }));
    steps
}

/// What several amounts of one day come to; one alone is no sum.
fn sum(what: &'static str, amounts: Vec<String>, result: String) -> Option<Step> {
    let several = amounts.len() > 1;
    several.then(|| Step { rule: "INV-1", what, how: amounts.join(" + "), result })
}

fn charge(one: &Amount, draft: &Draft) -> Step {
    let (booked, (newest, cut)) = (&one.booked, cut_of(&draft.policy));
    let whole = draft.policy.charge_rounding == ChargeRounding::Amount;
    let (quantity, unit) = (&booked.quantity, unit(booked));
    let how = if whole {
        format!("{} {cut}", signed(booked, &format!("{quantity} × {unit}")))
    } else {
        format!("{quantity} × ({} {cut}) {cut}", signed(booked, &unit))
    };
    let rule = if newest && whole { booked.rule } else { "INV-15" };
    Step { rule, what: word(booked), how, result: usd(&one.charge) }
}

/// INV-2, or INV-15 where the policy cuts price by price, as licences are.
fn subtotal(one: &Amount, draft: &Draft, line: &Line) -> Step {
    let (newest, cut) = cut_of(&draft.policy);
    let whole = draft.policy.charge_rounding == ChargeRounding::Amount;
    let two = draft.policy.line_steps == LineSteps::Two;
    let (rate, quantity) = (&line.exchange_rate, &one.booked.quantity);
    let how = if whole && two {
        format!("{} × {rate} {cut}", usd(&one.charge))
    } else if whole {
        // Cut once after all factors, it starts from the exact charge, not from the printed one.
        format!("{} {cut}", signed(&one.booked, &format!("{quantity} × {} × {rate}", unit(&one.booked))))
    } else {
        let price = signed(&one.booked, &format!("{} × {rate}", unit(&one.booked)));
        format!("{quantity} × ({price} {cut}) {cut}")
    };
    let rule = if newest && whole && two { "INV-2" } else { "INV-15" };
    Step { rule, what: "subtotal", how, result: money(&one.subtotal, draft.currency) }
}

fn word(booked: &Booked) -> &'static str {
    match booked.charge_type {
        ChargeType::New => "bought",
        ChargeType::Renew => "renewed",
        ChargeType::CycleCharge => "instalment",
        ChargeType::CancelImmediate => "returned",
        ChargeType::CustomerCredit => "refunded",
    }
}

/// What one unit comes to, without its sign: the list price and what a return makes of it.
fn unit(booked: &Booked) -> String {
    let price = usd(&booked.list_price);
    match booked.back {
        None | Some(GivenBack::Everything { instalments: 1 }) => price,
        Some(GivenBack::Everything { instalments }) => format!("{instalments} instalments × {price}"),
        Some(GivenBack::Rest { left, of, fee_percent }) => {
            let fee = Exact::from(rust_decimal::Decimal::new(fee_percent, 2));
            format!("{price} × {left} days left ÷ {of} days × (1 − {fee})")
        }
    }
}

/// Returns and refunds give back: a minus stands before the whole.
fn signed(booked: &Booked, amount: &str) -> String {
    let single = !amount.contains(['×', '÷']);
    match (booked.unit.is_negative(), single) {
        (false, _) => amount.to_owned(),
        (true, true) => format!("−{amount}"),
        (true, false) => format!("−({amount})"),
    }
}
