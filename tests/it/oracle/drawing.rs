//! What a month's usage comes to, share by share: corrections, cover, tiers, Azure credit.
//!
//! Order of tiers: usage day, then resource, through the month, per plan and meter. What is covered
//! costs nothing and is not counted. Azure credit is drawn over all plans of a partner together, in
//! order of day, plan, meter, resource and tier; what it pays is split off by money.

use std::collections::BTreeMap;

use super::number::Ratio;
use super::world::{AzureCredit, DAY, DayNumber, Offer, Price, World, in_force};

/// Decimals of the quantity that Azure credit pays.
const PAID_DECIMALS: u32 = 15;

/// What pays for a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Portion {
    PayAsYouGo,
    Reservation,
    SavingsPlan,
    AzureCredit,
}

impl Portion {
    /// The word of the definitions.
    pub fn text(self) -> &'static str {
        match self {
            Self::PayAsYouGo => "pay-as-you-go",
            Self::Reservation => "reservation",
            Self::SavingsPlan => "savings-plan",
            Self::AzureCredit => "azure-credit",
        }
    }
}

/// One meter on one resource on one day under one plan and reseller of record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub plan: usize,
    pub meter: u64,
    pub day: DayNumber,
    pub resource: String,
    pub subscription: usize,
    /// How many resellers of record came before: within a day the earlier one's units are counted first.
    pub before: usize,
    pub reseller: Option<String>,
    pub dev_test: bool,
    pub classic: bool,
}

/// Part of a cell at one price, and what pays for it.
#[derive(Clone, Debug)]
pub struct Share {
    pub portion: Portion,
    /// The grant, where Azure credit pays.
    pub paid_by: Option<String>,
    /// First day of the price.
    pub from: DayNumber,
    /// Counted from 1.
    pub tier: usize,
    pub price: Ratio,
    pub quantity: Ratio,
    pub list: Ratio,
}

/// What was used, net of corrections, under which plan, sold by whom.
pub fn totals(world: &World) -> BTreeMap<Cell, Ratio> {
    let mut totals: BTreeMap<Cell, Ratio> = BTreeMap::new();
    for usage in world.usage.iter().filter(|usage| !usage.voided) {
        let subscription = &world.subscriptions[usage.subscription];
        let plan = *in_force(&subscription.plans, usage.start).expect("usage after creation");
        let offer = *in_force(&subscription.offers, usage.start).expect("usage after creation");
        let resellers = &world.plans[plan].resellers;
        let before = resellers.iter().filter(|(from, _)| *from <= usage.start).count();
        let told = in_force(resellers, usage.start).expect("usage after the plan began");
        let reseller = told.counts().clone();
        let (meter, day, resource) = (usage.meter, usage.start.div_euclid(DAY), usage.resource.clone());
        let (dev_test, classic) = (offer == Offer::DevTest, offer == Offer::Classic);
        let subscription = usage.subscription;
        let cell = Cell { plan, meter, day, resource, subscription, before, reseller, dev_test, classic };
        let total = totals.entry(cell).or_insert_with(Ratio::zero);
        let used = total.plus(&Ratio::of(usage.quantity.counts()));
        *total = usage.adjusted.iter().fold(used, |sum, by| sum.plus(&Ratio::of(by)));
    }
    totals
}

/// Every cell of the month with its shares.
pub fn draw(world: &World) -> Vec<(Cell, Vec<Share>)> {
    let mut counters: BTreeMap<(usize, u64, bool, Option<usize>), Ratio> = BTreeMap::new();
    let apart = world.policy_of_month("tier-counter") == "subscription";
    let mut drawn = Vec::new();
    for (cell, quantity) in totals(world) {
        let (mut shares, charged) = covered(world, &cell, quantity);
        let counted = (cell.plan, cell.meter, cell.dev_test, apart.then_some(cell.subscription));
        let counter = counters.entry(counted).or_insert_with(Ratio::zero);
        let from = counter.clone();
        *counter = counter.plus(&charged);
        shares.extend(slices(world, &cell, &from, counter));
        drawn.push((cell, shares));
    }
    for partner in 0..world.partners.len() {
        pay(world, partner, &mut drawn);
    }
    drawn
}

pub fn price_of(world: &World, meter: u64) -> &Price {
    world.prices().iter().find(|price| price.meter == meter).expect("a price for each meter")
}

/// The bands in force for a cell, and since when.
fn bands<'w>(world: &'w World, cell: &Cell) -> (DayNumber, &'w [(String, String)]) {
    let price = price_of(world, cell.meter);
    if cell.dev_test {
        return (world.days.0, &price.dev_test);
    }
    let (from, bands) = price.bands.iter().rev().find(|(from, _)| *from <= cell.day).expect("from the first day on");
    (*from, bands)
}

/// What of a cell is covered, reservations first, and what is left to be charged.
fn covered(world: &World, cell: &Cell, quantity: Ratio) -> (Vec<Share>, Ratio) {
    let (mut shares, mut rest) = (Vec::new(), quantity);
    for (by_reservation, portion) in [(true, Portion::Reservation), (false, Portion::SavingsPlan)] {
        for cover in world.cover.iter().filter(|cover| cover.by_reservation == by_reservation) {
            let here = (cover.plan, cover.meter, cover.day, &cover.resource)
                == (cell.plan, cell.meter, cell.day, &cell.resource);
            let quantity = rest.smaller(&Ratio::of(cover.quantity.counts()));
            if here && !quantity.is_zero() {
                rest = rest.minus(&quantity);
                let (from, price, list) = (bands(world, cell).0, Ratio::zero(), Ratio::zero());
                shares.push(Share { portion, paid_by: None, from, tier: 1, price, quantity, list });
            }
        }
    }
    (shares, rest)
}

/// What of the units `(from, to]` falls into each band, and what it costs there.
fn slices(world: &World, cell: &Cell, from: &Ratio, to: &Ratio) -> Vec<Share> {
    let (since, bands) = bands(world, cell);
    let mut found = Vec::new();
    for (number, (above, unit_price)) in bands.iter().enumerate() {
        let low = from.larger(&Ratio::of(above));
        let high = bands.get(number + 1).map_or_else(|| to.clone(), |(next, _)| to.smaller(&Ratio::of(next)));
        if low < high {
            let (quantity, price) = (high.minus(&low), Ratio::of(unit_price));
            let list = quantity.times(&price);
            let (portion, tier) = (Portion::PayAsYouGo, number + 1);
            found.push(Share { portion, paid_by: None, from: since, tier, price, quantity, list });
        }
    }
    found
}

/// Lets a partner's grants pay what they reach, in the one order.
fn pay(world: &World, partner: usize, drawn: &mut [(Cell, Vec<Share>)]) {
    let mut grants: Vec<(&AzureCredit, Ratio)> = world
        .credits
        .iter()
        .filter(|grant| grant.bill_to == partner)
        .map(|grant| (grant, Ratio::of(grant.amount.counts())))
        .collect();
    grants.sort_by_key(|(grant, _)| (grant.until, grant.from, grant.name.clone()));
    let mut order: Vec<usize> = (0..drawn.len()).collect();
    order.sort_by_key(|at| {
        let cell = &drawn[*at].0;
        (cell.day, cell.plan, cell.meter, cell.resource.clone(), *at)
    });
    for at in order {
        let (cell, shares) = &mut drawn[at];
        let price = price_of(world, cell.meter);
        if world.plans[cell.plan].bill_to != partner || cell.classic || price.third_party {
            continue;
        }
        // Slices lie in order of their tiers already.
        let before = std::mem::take(shares);
        for share in before {
            if share.portion == Portion::PayAsYouGo && !share.price.is_zero() {
                shares.extend(split(cell, share, &mut grants));
            } else {
                shares.push(share);
            }
        }
    }
}

/// One share by what each grant pays of it, and what is left.
fn split(cell: &Cell, share: Share, grants: &mut [(&AzureCredit, Ratio)]) -> Vec<Share> {
    let (mut parts, mut rest) = (Vec::new(), share);
    for (grant, left) in grants {
        let reaches = grant.from <= cell.day
            && cell.day < grant.until
            && grant.plan.is_none_or(|plan| plan == cell.plan)
            && grant.scope.as_ref().is_none_or(|scope| super::access::contains(scope, &cell.resource));
        if !reaches || left.is_zero() || rest.quantity.is_zero() {
            continue;
        }
        let all = rest.list <= *left;
        let money = if all { rest.list.clone() } else { left.clone() };
        let quantity = if all { rest.quantity.clone() } else { money.over(&rest.price).cut(PAID_DECIMALS) };
        if quantity.is_zero() {
            continue;
        }
        *left = left.minus(&money);
        (rest.quantity, rest.list) = (rest.quantity.minus(&quantity), rest.list.minus(&money));
        let (portion, paid_by) = (Portion::AzureCredit, Some(grant.name.clone()));
        parts.push(Share { portion, paid_by, quantity, list: money, ..rest.clone() });
    }
    if !rest.quantity.is_zero() {
        parts.push(rest);
    }
    parts
}
