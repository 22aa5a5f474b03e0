//! Tiers, lines, rounding and totals of a world, in fractions.
//!
//! Order of tiers: usage day, then resource, through the month, per plan and meter. A line gathers
//! all that shares plan, reseller of record, meter, tier and credit; it is cut once to two decimals
//! in dollars and, after the exchange rate, once more.

use std::collections::BTreeMap;

use super::access::covered;
use super::number::Ratio;
use super::world::{DAY, DayNumber, Price, World, in_force};

/// What one resource's day with one meter came to under one plan.
#[derive(Clone, Debug)]
pub struct Judged {
    pub plan: usize,
    pub resource: String,
    pub day: DayNumber,
    pub meter: u64,
    pub says: Says,
    pub quantity: Ratio,
    pub list: Ratio,
    /// List charge less net charge, exact.
    pub credit: Ratio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Earned,
    Lost,
    ThirdParty,
    Spot,
    /// Nothing was charged; whether access would have earned it still decides the line.
    ZeroCharge,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineOf {
    pub plan: usize,
    pub reseller: Option<String>,
    pub meter: u64,
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
        let access = covered(world, cell.plan, cell.subscription, &cell.resource, cell.day)
            .expect("usage lies where its subscription is under the plan");
        let labelled = access && !price.third_party && !price.spot;
        let mut list = Ratio::zero();
        for slice in drawn {
            list = list.plus(&slice.list);
            let line = LineOf { with_credit: labelled, ..slice.line };
            let sum = sums.entry(line).or_insert_with(|| (Ratio::zero(), Ratio::zero()));
            *sum = (sum.0.plus(&slice.quantity), sum.1.plus(&slice.list));
        }
        let says = match () {
            () if price.spot => Says::Spot,
            () if price.third_party => Says::ThirdParty,
            () if list.is_zero() => Says::ZeroCharge,
            () if access => Says::Earned,
            () => Says::Lost,
        };
        let credit = if labelled { list.times(&rate) } else { Ratio::zero() };
        let Cell { plan, resource, day, meter, .. } = cell;
        judged.push(Judged { plan, resource, day, meter, says, quantity, list, credit });
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
    let (_, usd) = world.usd_per_unit.iter().find(|(name, _)| *name == currency).expect("a rate for each currency");
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
}

/// Adds the corrections up, sorts the month and runs the tier counters through it.
fn draw(world: &World) -> Vec<(Cell, Ratio, Vec<Slice>)> {
    let mut totals: BTreeMap<Cell, Ratio> = BTreeMap::new();
    for usage in world.usage.iter().filter(|usage| !usage.voided) {
        let plan =
            *in_force(&world.subscriptions[usage.subscription].plans, usage.start).expect("usage after creation");
        let reseller = in_force(&world.plans[plan].resellers, usage.start).expect("usage after the plan began").clone();
        let (meter, day, resource) = (usage.meter, usage.start.div_euclid(DAY), usage.resource.clone());
        let cell = Cell { plan, meter, day, resource, subscription: usage.subscription, reseller };
        let total = totals.entry(cell).or_insert_with(Ratio::zero);
        *total =
            usage.adjusted.iter().fold(total.plus(&Ratio::of(&usage.quantity)), |sum, by| sum.plus(&Ratio::of(by)));
    }
    let mut counters: BTreeMap<(usize, u64), Ratio> = BTreeMap::new();
    let mut drawn = Vec::new();
    for (cell, quantity) in totals {
        let counter = counters.entry((cell.plan, cell.meter)).or_insert_with(Ratio::zero);
        let from = counter.clone();
        *counter = counter.plus(&quantity);
        let slices = slices(&cell, price_of(world, cell.meter), &from, counter);
        drawn.push((cell, quantity, slices));
    }
    drawn
}

/// What of the units `(from, to]` falls into each band, and what it costs there.
fn slices(cell: &Cell, price: &Price, from: &Ratio, to: &Ratio) -> Vec<Slice> {
    let mut found = Vec::new();
    for (number, (above, unit_price)) in price.bands.iter().enumerate() {
        let low = from.larger(&Ratio::of(above));
        let high = price.bands.get(number + 1).map_or_else(|| to.clone(), |(next, _)| to.smaller(&Ratio::of(next)));
        if low < high {
            let quantity = high.minus(&low);
            let list = quantity.times(&Ratio::of(unit_price));
            let (plan, reseller, meter) = (cell.plan, cell.reseller.clone(), cell.meter);
            let line = LineOf { plan, reseller, meter, tier: number + 1, with_credit: false };
            found.push(Slice { line, quantity, list });
        }
    }
    found
}
