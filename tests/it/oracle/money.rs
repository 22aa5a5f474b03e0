//! Verdicts, lines, rounding and totals of a world, in fractions.
//!
//! A line gathers all that shares plan, reseller of record, meter, price, tier, portion and credit; it
//! is cut once to two decimals in dollars and, after the exchange rate, once more. What Azure credit
//! pays is printed twice, as usage and with the opposite amounts.

use std::collections::BTreeMap;

use super::charges::charged;
use super::drawing::{Cell, Portion, Share, draw, price_of};
use super::number::Ratio;
use super::reason::{Code, Reason, reason};
use super::world::{DayNumber, World};

/// What one portion of a resource's day with one meter came to under one plan.
#[derive(Clone, Debug)]
pub struct Judged {
    pub plan: usize,
    pub subscription: usize,
    pub resource: String,
    pub day: DayNumber,
    pub meter: u64,
    pub portion: Portion,
    pub says: Says,
    pub quantity: Ratio,
    pub list: Ratio,
    /// List charge less net charge, exact.
    pub credit: Ratio,
    /// What was lost, exact.
    pub missing: Ratio,
    /// Access that is unknown would have decided otherwise, of a product that can earn.
    pub doubtful: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    Earned,
    Lost(Reason),
    Classic,
    Covered(Portion),
    ThirdParty,
    Spot,
    AzureCredit,
    /// The policy lists its meter as one that earns nothing.
    Excluded,
    /// Nothing was charged; whether access would have earned it still decides the line.
    ZeroCharge,
}

impl Says {
    /// The word of the definitions: `earned`, a reason's code, or why the product never earns.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Earned => "earned",
            Self::Lost(reason) => reason.code.text(),
            Self::Classic => "legacy-offer",
            Self::Covered(portion) => portion.text(),
            Self::AzureCredit => "azure-credit",
            Self::ThirdParty => "third-party",
            Self::Spot => "spot",
            Self::Excluded => "excluded",
            Self::ZeroCharge => "zero-charge",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineOf {
    pub plan: usize,
    pub reseller: Option<String>,
    pub what: What,
    /// First day of its price; the day of a charge.
    pub from: DayNumber,
    /// Counted from 1.
    pub tier: usize,
    pub portion: Portion,
    /// The rate of the credit, where there is one.
    pub credit: Option<String>,
}

/// What a line is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Usage, perhaps at the prices of DevTest; perhaps with the Azure credit that pays it, as it is
    /// printed first (`new`) or taken back (`customerCredit`).
    Meter { meter: u64, dev_test: bool, paid: Option<(&'static str, String)> },
    /// Something bought, given back or refunded.
    Charge { word: &'static str, kind: &'static str, what: &'static str, name: String },
}

#[derive(Clone, Debug)]
pub struct Line {
    pub quantity: Ratio,
    pub charge_without_credit: Ratio,
    pub charge: Ratio,
    pub subtotal_without_credit: Ratio,
    pub subtotal: Ratio,
}

impl Line {
    fn taken_back(&self) -> Self {
        let less = |amount: &Ratio| Ratio::zero().minus(amount);
        Self {
            quantity: self.quantity.clone(),
            charge_without_credit: less(&self.charge_without_credit),
            charge: less(&self.charge),
            subtotal_without_credit: less(&self.subtotal_without_credit),
            subtotal: less(&self.subtotal),
        }
    }
}

/// The verdicts and the lines of the whole month.
pub struct Answer {
    pub judged: Vec<Judged>,
    pub lines: BTreeMap<LineOf, Line>,
}

/// Judges and prices the month.
pub fn answer(world: &World) -> Answer {
    let mut judged = Vec::new();
    let mut sums: BTreeMap<LineOf, (Ratio, Ratio)> = BTreeMap::new();
    let drawn = draw(world);
    let wholes = wholes(&drawn);
    for (cell, shares) in drawn {
        let rate = Ratio::of(world.policy(cell.day, "credit-rate"));
        let why = reason(world, cell.plan, cell.subscription, &cell.resource, cell.day);
        let mut portions: BTreeMap<Portion, Vec<Share>> = BTreeMap::new();
        for share in shares {
            portions.entry(share.portion).or_default().push(share);
        }
        for (portion, shares) in portions {
            let free = wholes[&whole(&cell, portion)].is_zero();
            let one = judge(world, &cell, (portion, &shares, free), why.clone(), &rate);
            let own = portion == Portion::PayAsYouGo;
            let with_credit = own && matches!(one.says, Says::Earned | Says::ZeroCharge) && why.is_none();
            let credit = with_credit.then(|| rate.text());
            for share in shares {
                let sum = sums
                    .entry(line_of(&cell, &share, credit.as_ref()))
                    .or_insert_with(|| (Ratio::zero(), Ratio::zero()));
                *sum = (sum.0.plus(&share.quantity), sum.1.plus(&share.list));
            }
            judged.push(one);
        }
    }
    let mut lines = BTreeMap::new();
    for (of, (quantity, list)) in sums {
        let line = cut(world, &of, quantity, &list);
        if let What::Meter { meter, dev_test, paid: Some((_, name)) } = &of.what {
            let paid = Some(("customerCredit", name.clone()));
            let what = What::Meter { meter: *meter, dev_test: *dev_test, paid };
            lines.insert(LineOf { what, ..of.clone() }, line.taken_back());
        }
        lines.insert(of, line);
    }
    lines.extend(charged(world));
    Answer { judged, lines }
}

/// A whole portion: plan, resource, day, meter and what pays for it, whoever sold it.
type Whole = (usize, String, DayNumber, u64, Portion);

fn whole(cell: &Cell, portion: Portion) -> Whole {
    (cell.plan, cell.resource.clone(), cell.day, cell.meter, portion)
}

/// The list charge of each whole portion.
fn wholes(drawn: &[(Cell, Vec<Share>)]) -> BTreeMap<Whole, Ratio> {
    let mut wholes: BTreeMap<Whole, Ratio> = BTreeMap::new();
    for (cell, shares) in drawn {
        for share in shares {
            let sum = wholes.entry(whole(cell, share.portion)).or_insert_with(Ratio::zero);
            *sum = sum.plus(&share.list);
        }
    }
    wholes
}

fn judge(
    world: &World,
    cell: &Cell,
    (portion, shares, free): (Portion, &[Share], bool),
    why: Option<Reason>,
    rate: &Ratio,
) -> Judged {
    let price = price_of(world, cell.meter);
    let sum = |of: fn(&Share) -> &Ratio| shares.iter().fold(Ratio::zero(), |sum, share| sum.plus(of(share)));
    let (quantity, list) = (sum(|share| &share.quantity), sum(|share| &share.list));
    let unknown = |why: &Reason| why.code == Code::UnknownAccess || why.also.contains(&Code::UnknownAccess);
    let spot_earns_nothing = day_text(cell.day).as_str() >= world.policy(cell.day, "spot-since");
    let spot = spot_earns_nothing && (price.spot || world.lists_meter(cell.day, "spot-meters", cell.meter));
    let excluded = world.lists_meter(cell.day, "excluded-meters", cell.meter);
    let may_earn = portion == Portion::PayAsYouGo && !cell.classic && !spot && !price.third_party && !excluded;
    let doubtful = may_earn && why.as_ref().is_some_and(unknown);
    let labelled = may_earn && why.is_none();
    let says = match why {
        _ if cell.classic => Says::Classic,
        _ if matches!(portion, Portion::Reservation | Portion::SavingsPlan) => Says::Covered(portion),
        _ if spot => Says::Spot,
        _ if price.third_party => Says::ThirdParty,
        _ if excluded => Says::Excluded,
        _ if portion == Portion::AzureCredit => Says::AzureCredit,
        _ if free => Says::ZeroCharge,
        None => Says::Earned,
        Some(why) => Says::Lost(why),
    };
    let at_stake = list.times(rate);
    let missing = if matches!(says, Says::Lost(_)) { at_stake.clone() } else { Ratio::zero() };
    let credit = if labelled { at_stake } else { Ratio::zero() };
    let Cell { plan, subscription, resource, day, meter, .. } = cell.clone();
    Judged { plan, subscription, resource, day, meter, portion, says, quantity, list, credit, missing, doubtful }
}

/// A day of the month as documents write it.
fn day_text(day: DayNumber) -> String {
    format!("2026-01-{:02}", day - 20_453)
}

fn line_of(cell: &Cell, share: &Share, credit: Option<&String>) -> LineOf {
    let paid = share.paid_by.clone().map(|name| ("new", name));
    LineOf {
        plan: cell.plan,
        reseller: cell.reseller.clone(),
        what: What::Meter { meter: cell.meter, dev_test: cell.dev_test, paid },
        from: share.from,
        tier: share.tier,
        portion: share.portion,
        credit: credit.cloned(),
    }
}

fn cut(world: &World, of: &LineOf, quantity: Ratio, list: &Ratio) -> Line {
    let net = of.credit.as_ref().map_or_else(|| list.clone(), |rate| list.minus(&list.times(&Ratio::of(rate))));
    let exchange = exchange_rate(world, world.partners[world.plans[of.plan].bill_to].currency);
    let (charge_without_credit, charge) = (world.column(list), world.column(&net));
    // In two steps what is exchanged is the printed charge, in one the exact one.
    let two = world.policy_of_month("line-steps") == "two";
    let exchanged = |printed: &Ratio, exact: &Ratio| world.column(&if two { printed } else { exact }.times(&exchange));
    let subtotal_without_credit = exchanged(&charge_without_credit, list);
    let subtotal = exchanged(&charge, &net);
    Line { quantity, charge_without_credit, charge, subtotal_without_credit, subtotal }
}

/// Billing currency per dollar: one over the published rate, to the nine printed decimals.
pub fn exchange_rate(world: &World, currency: &str) -> Ratio {
    if currency == "USD" {
        return Ratio::whole(1);
    }
    let (_, usd) =
        world.usd_per_unit.counts().iter().find(|(name, _)| *name == currency).expect("a rate for each currency");
    let rate = Ratio::whole(1).over(&Ratio::of(usd));
    // What is exact has no end, and a document holds twenty decimals of it.
    rate.nearest_even(if world.policy_of_month("exchange-rate") == "exact" { 20 } else { 9 })
}
