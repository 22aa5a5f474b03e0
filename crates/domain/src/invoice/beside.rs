//! Lines beside metered usage: what Azure credit gives back, purchases, instalments, returns, refunds.
//!
//! They stand in the same draft, under the same cut and the same exchange rate as usage of the month,
//! so that totals, adjustments and voids need to know nothing about them.

use std::collections::BTreeMap;

use super::Draft;
use super::line::{COLUMN_DECIMALS, Line, PRICE_DECIMALS};
use crate::charges::{Booked, booked};
use crate::commerce::Commerce;
use crate::entry::{ChargeKey, ChargeKind, ChargeType, LineKey, Portion, PriceKind};
use crate::ids::{Guid, MeterId};
use crate::money::{Exact, Rounding};
use crate::period::{Instant, Period};
use crate::policy::{ChargeRounding, LineSteps, Policy};
use crate::rating::Desk;

/// The first month whose credit lines carry today's reason code: the first that began after Azure credit
/// offer balance (2022-07-27). Before it the reconciliation file printed another one (2021-01-29).
const NEW_REASON: &str = "2022-08";

fn reason(period: Period) -> &'static str {
    let since = Period::parse(NEW_REASON).expect("a month of the calendar");
    if period < since { "Azure Consumption Credit" } else { "Azure Credit Offer" }
}

/// INV-13: what Azure credit pays is printed twice: as usage at list price, and as a line of type
/// customerCredit with the same quantity, the opposite amounts and its reason. Source: Azure credit
/// offer balance (2022-07-27); use the reconciliation files (2023-10-12).
pub(super) fn given_back(lines: &[Line]) -> Vec<Line> {
    let paid = lines.iter().filter(|line| line.key.portion == Portion::AzureCredit);
    let back = paid.filter_map(|line| {
        let order = line.key.charge.as_ref()?.order.clone();
        let reason = Some(reason(line.period).into());
        let charge = Some(Box::new(ChargeKey { charge_type: ChargeType::CustomerCredit, order, reason }));
        Some(Line {
            key: LineKey { charge, ..line.key.clone() },
            effective_unit_price: -&line.effective_unit_price,
            list_charge: -&line.list_charge,
            net_charge: -&line.net_charge,
            charge_without_credit: -&line.charge_without_credit,
            charge: -&line.charge,
            subtotal_without_credit: -&line.subtotal_without_credit,
            subtotal: -&line.subtotal,
            rule: "INV-13",
            ..line.clone()
        })
    });
    back.collect()
}

/// One line per charge; charges of one key on one day are added up after each is cut.
pub(super) fn charged(
    booked: &[Booked],
    commerce: &Commerce,
    period: Period,
    exchange_rate: &Exact,
    policy: &Policy,
) -> Vec<Line> {
    let mut lines: BTreeMap<LineKey, Line> = BTreeMap::new();
    for one in booked {
        let line = line(one, commerce, period, exchange_rate, policy);
        match lines.get_mut(&line.key) {
            None => drop(lines.insert(line.key.clone(), line)),
            Some(sum) => add(sum, &line),
        }
    }
    lines.into_values().collect()
}

fn add(sum: &mut Line, line: &Line) {
    sum.quantity += &line.quantity;
    for (day, quantity) in &line.by_day {
        match sum.by_day.iter_mut().find(|(known, _)| known == day) {
            Some((_, known)) => *known += quantity,
            None => sum.by_day.push((*day, quantity.clone())),
        }
    }
    sum.list_charge += &line.list_charge;
    sum.net_charge += &line.net_charge;
    sum.charge_without_credit += &line.charge_without_credit;
    sum.charge += &line.charge;
    sum.subtotal_without_credit += &line.subtotal_without_credit;
    sum.subtotal += &line.subtotal;
}

/// The word that stands in place of a meter.
fn word(kind: Option<ChargeKind>) -> (&'static str, PriceKind) {
    match kind {
        None => ("refund", PriceKind::Consumption),
        Some(ChargeKind::Reservation) => ("reservation", PriceKind::Reservation),
        Some(ChargeKind::SavingsPlan) => ("savings-plan", PriceKind::SavingsPlan),
        Some(ChargeKind::Marketplace) => ("marketplace", PriceKind::Consumption),
        Some(ChargeKind::ThirdParty) => ("third-party", PriceKind::Consumption),
    }
}

/// INV-15: a charge is cut once as an amount, or price by price as licences are (policy
/// `charge-rounding`); either way toward zero also below zero (policy `line-rounding`). The Subtotal of an
/// amount starts from the printed charge or, cut once, from the exact one (policy `line-steps`). Source:
/// reconciliation file (2022-01-18), whose own examples follow now one, now the other.
pub(crate) fn cut(unit: &Exact, divisor: &Exact, quantity: &Exact, rate: &Exact, policy: &Policy) -> (Exact, Exact) {
    let mode = policy.line_rounding;
    let share = |amount: &Exact| amount.divide(divisor, COLUMN_DECIMALS, mode).expect("a term has days");
    match policy.charge_rounding {
        ChargeRounding::Amount => {
            let exact = unit * quantity;
            let charge = share(&exact);
            let subtotal = match policy.line_steps {
                LineSteps::Two => (&charge * rate).round(COLUMN_DECIMALS, mode),
                LineSteps::One => share(&(&exact * rate)),
            };
            (charge, subtotal)
        }
        ChargeRounding::Unit => {
            let charge = &share(unit) * quantity;
            let subtotal = &share(&(unit * rate)) * quantity;
            (charge.round(COLUMN_DECIMALS, mode), subtotal.round(COLUMN_DECIMALS, mode))
        }
    }
}

/// The line that a purchase, return or refund is added to.
fn key_of(booked: &Booked, commerce: &Commerce) -> LineKey {
    let (meter, price_kind) = word(booked.kind);
    let (order, charge_type) = (booked.order.clone(), booked.charge_type);
    LineKey {
        customer: booked.customer,
        plan: booked.plan,
        reseller: commerce.reseller_at(booked.plan, booked.at).map(Into::into),
        meter: MeterId::parse(meter),
        price_kind,
        product: booked.product.clone(),
        sku: booked.sku.clone(),
        price_from: booked.day(),
        tier: 1,
        portion: Portion::PayAsYouGo,
        credit_rate: None,
        charge: Some(Box::new(ChargeKey { charge_type, order, reason: booked.reason.clone() })),
    }
}

/// One amount that a line is the sum of, with what it comes to after its own cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    pub booked: Booked,
    pub charge: Exact,
    pub subtotal: Exact,
}

/// What the line of a purchase, return or refund is the sum of, in order of time; empty for every other line.
#[must_use]
pub fn amounts_of(desk: &Desk<'_>, draft: &Draft, line: &Line) -> Vec<Amount> {
    let billed_in = |partner: Guid, at: Instant| desk.billing_currency(partner, at);
    let (booked, _) = booked(&desk.facts.charges, desk.commerce, &billed_in, draft.bill_to, draft.period);
    let of_line = booked.into_iter().filter(|one| key_of(one, desk.commerce) == line.key);
    let amount = |booked: Booked| {
        let (charge, subtotal) =
            cut(&booked.unit, &booked.divisor, &booked.quantity, &line.exchange_rate, &draft.policy);
        Amount { booked, charge, subtotal }
    };
    of_line.map(amount).collect()
}

fn line(booked: &Booked, commerce: &Commerce, period: Period, exchange_rate: &Exact, policy: &Policy) -> Line {
    let (charge, subtotal) = cut(&booked.unit, &booked.divisor, &booked.quantity, exchange_rate, policy);
    let effective = booked.unit.divide(&booked.divisor, PRICE_DECIMALS, Rounding::AwayFromZero);
    Line {
        key: key_of(booked, commerce),
        period,
        product_title: booked.product_title.clone(),
        sku_title: booked.sku_title.clone(),
        unit: "1".into(),
        by_day: vec![(booked.day(), booked.quantity.clone())],
        quantity: booked.quantity.clone(),
        unit_price: booked.list_price.clone(),
        effective_unit_price: effective.expect("a term has days"),
        list_charge: charge.clone(),
        net_charge: charge.clone(),
        charge_without_credit: charge.clone(),
        charge,
        exchange_rate: exchange_rate.clone(),
        subtotal_without_credit: subtotal.clone(),
        subtotal,
        lost: BTreeMap::new(),
        estimate: false,
        tax: None,
        rule: booked.rule,
    }
}
