//! Tiers, lines, rounding and totals of a world, in fractions.
//!
//! Order of tiers: usage day, then resource, through the month, per plan and meter. A line gathers
//! all that shares plan, reseller of record, meter, tier and credit; it is cut once to two decimals
//! in dollars and, after the exchange rate, once more.

use std::collections::BTreeMap;

use super::number::Ratio;
use super::reason::{Code, Reason, reason};
use super::world::{Bands, DAY, DayNumber, Offer, Price, World, in_force};

/// What one resource's day with one meter came to under one plan.
#[derive(Clone, Debug)]
pub struct Judged {
    pub plan: usize,
    pub subscription: usize,
    pub resource: String,
    pub day: DayNumber,
    pub meter: u64,
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
    ThirdParty,
    Spot,
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
            Self::ThirdParty => "third-party",
            Self::Spot => "spot",
            Self::ZeroCharge => "zero-charge",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineOf {
    pub plan: usize,
    pub reseller: Option<String>,
    pub meter: u64,
    /// At the prices of DevTest.
    pub dev_test: bool,
    /// Counted from 1.
    pub tier: usize,
    pub with_credit: bool,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub quantity: Ratio,
    pub charge_without_credit: Ratio,
    pub charge: Ratio,
    pub subtotal_without_credit: Ratio,
    pub subtotal: Ratio,
}

/// The verdicts and the lines of the whole month.
pub struct Answer {
    pub judged: Vec<Judged>,
    pub lines: BTreeMap<LineOf, Line>,
}

/// Part of a day's usage: what of it falls into one tier.
struct Slice {
    line: LineOf,
    quantity: Ratio,
    list: Ratio,
}

/// Judges and prices the month. `rate` is the credit's, as text, such as `0.15`.
pub fn answer(world: &World, rate: &str) -> Answer {
    let rate = Ratio::of(rate);
    let mut judged = Vec::new();
    let mut sums: BTreeMap<LineOf, (Ratio, Ratio)> = BTreeMap::new();
    for (cell, quantity, drawn) in draw(world) {
        let price = price_of(world, cell.meter);
        let why = reason(world, cell.plan, cell.subscription, &cell.resource, cell.day);
        let labelled = why.is_none() && !price.third_party && !price.spot && !cell.classic;
        let mut list = Ratio::zero();
        for slice in drawn {
            list = list.plus(&slice.list);
            let line = LineOf { with_credit: labelled, ..slice.line };
            let sum = sums.entry(line).or_insert_with(|| (Ratio::zero(), Ratio::zero()));
            *sum = (sum.0.plus(&slice.quantity), sum.1.plus(&slice.list));
        }
        let unknown = |why: &Reason| why.code == Code::UnknownAccess || why.also.contains(&Code::UnknownAccess);
        let doubtful = !cell.classic && !price.spot && !price.third_party && why.as_ref().is_some_and(unknown);
        let says = match why {
            _ if cell.classic => Says::Classic,
            _ if price.spot => Says::Spot,
            _ if price.third_party => Says::ThirdParty,
            _ if list.is_zero() => Says::ZeroCharge,
            None => Says::Earned,
            Some(why) => Says::Lost(why),
        };
        let at_stake = list.times(&rate);
        let missing = if matches!(says, Says::Lost(_)) { at_stake.clone() } else { Ratio::zero() };
        let credit = if labelled { at_stake } else { Ratio::zero() };
        let Cell { plan, subscription, resource, day, meter, .. } = cell;
        judged.push(Judged {
            plan,
            subscription,
            resource,
            day,
            meter,
            says,
            quantity,
            list,
            credit,
            missing,
            doubtful,
        });
    }
    let lines = sums.into_iter().map(|(of, (quantity, list))| {
        let line = cut(world, &of, quantity, &list, &rate);
        (of, line)
    });
    Answer { judged, lines: lines.collect() }
}

fn cut(world: &World, of: &LineOf, quantity: Ratio, list: &Ratio, rate: &Ratio) -> Line {
    let net = if of.with_credit { list.minus(&list.times(rate)) } else { list.clone() };
    let exchange = exchange_rate(world, world.partners[world.plans[of.plan].bill_to].currency);
    let (charge_without_credit, charge) = (list.cut(2), net.cut(2));
    let subtotal_without_credit = charge_without_credit.times(&exchange).cut(2);
    let subtotal = charge.times(&exchange).cut(2);
    Line { quantity, charge_without_credit, charge, subtotal_without_credit, subtotal }
}

/// Billing currency per dollar: one over the published rate, to the nine printed decimals.
pub fn exchange_rate(world: &World, currency: &str) -> Ratio {
    if currency == "USD" {
        return Ratio::whole(1);
    }
    let (_, usd) =
        world.usd_per_unit.counts().iter().find(|(name, _)| *name == currency).expect("a rate for each currency");
    Ratio::whole(1).over(&Ratio::of(usd)).nearest_even(9)
}

fn price_of(world: &World, meter: u64) -> &Price {
    world.prices.iter().find(|price| price.meter == meter).expect("a price for each meter")
}

/// One meter on one resource on one day under one plan and reseller of record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    plan: usize,
    meter: u64,
    day: DayNumber,
    resource: String,
    subscription: usize,
    reseller: Option<String>,
    dev_test: bool,
    classic: bool,
}

/// Adds the corrections up, sorts the month and runs the tier counters through it.
fn draw(world: &World) -> Vec<(Cell, Ratio, Vec<Slice>)> {
    let mut totals: BTreeMap<Cell, Ratio> = BTreeMap::new();
    for usage in world.usage.iter().filter(|usage| !usage.voided) {
        let subscription = &world.subscriptions[usage.subscription];
        let plan = *in_force(&subscription.plans, usage.start).expect("usage after creation");
        let offer = *in_force(&subscription.offers, usage.start).expect("usage after creation");
        let told = in_force(&world.plans[plan].resellers, usage.start).expect("usage after the plan began");
        let reseller = told.counts().clone();
        let (meter, day, resource) = (usage.meter, usage.start.div_euclid(DAY), usage.resource.clone());
        let (dev_test, classic) = (offer == Offer::DevTest, offer == Offer::Classic);
        let cell = Cell { plan, meter, day, resource, subscription: usage.subscription, reseller, dev_test, classic };
        let total = totals.entry(cell).or_insert_with(Ratio::zero);
        *total = usage
            .adjusted
            .iter()
            .fold(total.plus(&Ratio::of(usage.quantity.counts())), |sum, by| sum.plus(&Ratio::of(by)));
    }
    let mut counters: BTreeMap<(usize, u64, bool), Ratio> = BTreeMap::new();
    let mut drawn = Vec::new();
    for (cell, quantity) in totals {
        let counter = counters.entry((cell.plan, cell.meter, cell.dev_test)).or_insert_with(Ratio::zero);
        let from = counter.clone();
        *counter = counter.plus(&quantity);
        let price = price_of(world, cell.meter);
        let slices = slices(&cell, if cell.dev_test { &price.dev_test } else { &price.bands }, &from, counter);
        drawn.push((cell, quantity, slices));
    }
    drawn
}

/// What of the units `(from, to]` falls into each band, and what it costs there.
fn slices(cell: &Cell, bands: &Bands, from: &Ratio, to: &Ratio) -> Vec<Slice> {
    let mut found = Vec::new();
    for (number, (above, unit_price)) in bands.iter().enumerate() {
        let low = from.larger(&Ratio::of(above));
        let high = bands.get(number + 1).map_or_else(|| to.clone(), |(next, _)| to.smaller(&Ratio::of(next)));
        if low < high {
            let quantity = high.minus(&low);
            let list = quantity.times(&Ratio::of(unit_price));
            let (plan, reseller, meter) = (cell.plan, cell.reseller.clone(), cell.meter);
            let (dev_test, tier) = (cell.dev_test, number + 1);
            let line = LineOf { plan, reseller, meter, dev_test, tier, with_credit: false };
            found.push(Slice { line, quantity, list });
        }
    }
    found
}
