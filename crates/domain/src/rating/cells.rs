//! The cells of one plan's month: net quantity by counter, day and resource, in the order in which
//! tiers are drawn.
//!
//! Sums are collected resource by resource and sorted once; nothing here depends on the order in
//! which usage arrived.

use std::collections::BTreeMap;

use super::Notes;
use super::cover::{Covers, overcovered};
use super::pricing::Pricing;
use crate::charges::Coverage;
use crate::commerce::{Commerce, Placement, placed_at};
use crate::entry::{Benefit, Offer, PriceKind};
use crate::finding::{About, Code};
use crate::ids::{Guid, Market};
use crate::money::Quantity;
use crate::period::{Day, Instant, Interval, Period};
use crate::policy::{Policy, TierCounter, TransferUsage};
use crate::prices::Unpriced;
use crate::scope::Scope;
use crate::usage::{Consumption, Item};

/// A resource under one plan, sold as one thing.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    pub(super) subscription: Guid,
    pub(super) placement: &'a Placement,
    pub(super) scope: &'a Scope,
    /// One bit per day of the month on which something was used.
    days: u32,
}

impl Spot<'_> {
    /// Days of the month, counted from 0.
    pub(super) fn days(&self) -> impl Iterator<Item = u8> + use<> {
        let days = self.days;
        (0..31).filter(move |day| days & (1 << day) != 0)
    }
}

/// The net quantity of one counter, day and resource (and reseller, where it changed in the day).
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) group: u32,
    /// Counted from 0.
    pub(super) day: u8,
    /// Which reseller of record, by the number of changes before it.
    pub(super) stretch: u16,
    pub(super) spot: u32,
    pub(super) tariff: u32,
    pub(super) quantity: Quantity,
}

/// What of a cell is covered, and where its counter stands for the rest.
pub(super) struct Parts {
    /// The cell's number in the plan's order.
    pub(super) index: u32,
    pub(super) covered: Vec<(Benefit, Quantity)>,
    pub(super) from: Quantity,
    pub(super) charged: Quantity,
}

/// All cells of a plan's month, in order.
pub(super) struct Cells<'a> {
    pub(super) cells: Vec<Cell>,
    pub(super) spots: Vec<Spot<'a>>,
    pub(super) covers: Covers<'a>,
    resellers: Vec<Option<&'a str>>,
    tier_counter: TierCounter,
}

impl<'a> Cells<'a> {
    /// RATE-3: what a cell's tier counter counts: a meter of the plan, or, by policy, of one subscription.
    fn counter(&self, cell: &Cell) -> (u32, Option<Guid>) {
        let subscription = self.spots[cell.spot as usize].subscription;
        (cell.group, (self.tier_counter == TierCounter::Subscription).then_some(subscription))
    }

    /// Goes through the cells in order, each with what of it is covered and where its counter stands: RATE-3,
    /// RATE-10. Gives back what cover is left.
    pub(super) fn each<'c>(&'c self, visit: &mut dyn FnMut(&'c Cell, Parts)) -> Covers<'a> {
        let mut counter = (None, Quantity::ZERO);
        let mut covers = self.covers.clone();
        for (index, cell) in (0_u32..).zip(&self.cells) {
            let counted = self.counter(cell);
            if counter.0 != Some(counted) {
                counter = (Some(counted), Quantity::ZERO);
            }
            let covered = covers.take(cell);
            let charged = cell.quantity - covered.iter().map(|(_, quantity)| *quantity).sum::<Quantity>();
            let from = counter.1;
            counter.1 += charged;
            visit(cell, Parts { index, covered, from, charged });
        }
        covers
    }

    pub(super) fn reseller(&self, stretch: u16) -> Option<&'a str> {
        self.resellers[usize::from(stretch)]
    }
}

/// Where the cells of one plan are collected.
pub(super) struct Sheet<'a> {
    commerce: &'a Commerce,
    plan: Guid,
    period: Period,
    month: Interval,
    /// Since when which reseller; the first stretch begins with time.
    stretches: Vec<(Instant, Option<&'a str>)>,
    /// Days of the month whose policy places usage by the time it was sent.
    reported: u32,
    /// As the policy of the month's first day says: tiers run through a whole month.
    tier_counter: TierCounter,
    spots: BTreeMap<(&'a Scope, Instant, Guid), (u32, Spot<'a>)>,
    cells: Vec<Cell>,
    covers: Covers<'a>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(commerce: &'a Commerce, plan: Guid, period: Period, policies: &[Policy]) -> Self {
        let changes = commerce.reseller_changes(plan).iter().map(|(at, reseller)| (*at, reseller.as_deref()));
        let stretches = [(Instant::MIN_UTC, None)].into_iter().chain(changes).collect();
        let (spots, cells) = (BTreeMap::new(), Vec::new());
        let covers = Covers::default();
        let by_sending = policies.iter().enumerate();
        let by_sending = by_sending.filter(|(_, policy)| policy.transfer_usage == TransferUsage::Reported);
        let reported = by_sending.fold(0, |days, (day, _)| days | 1 << day);
        let tier_counter = policies.first().map_or(TierCounter::Plan, |policy| policy.tier_counter);
        let month = period.interval();
        Self { commerce, plan, period, month, stretches, reported, tier_counter, spots, cells, covers }
    }

    /// Adds one series of usage up, day by day. Placement goes by each start, or
    /// by the time of sending where the policy says so: USE-1.
    pub(super) fn gather(&mut self, consumption: &Consumption<'a>, pricing: &mut Pricing<'a>, notes: &mut Notes) {
        let (plan, placements) = (self.plan, self.commerce.placements(consumption.place.subscription));
        for (index, placement) in placements.iter().enumerate().filter(|(_, one)| one.plan == plan) {
            let sums = self.sum(consumption, placements, index, notes);
            if !sums.is_empty() {
                self.check(consumption, placement, notes);
                self.add(consumption, placement, &sums, pricing, notes);
            }
        }
    }

    /// Net sums by day and reseller of what lies in one placement. Usage that begins before every
    /// placement belongs to the first that exists within its interval.
    fn sum(
        &self,
        consumption: &Consumption<'a>,
        placements: &[Placement],
        index: usize,
        notes: &mut Notes,
    ) -> BTreeMap<(u8, u16), Quantity> {
        let mut sums: BTreeMap<(u8, u16), Quantity> = BTreeMap::new();
        let first = self.period.first_day();
        let here = placements[index].interval;
        let suspensions = self.commerce.suspensions(consumption.place.subscription);
        for (start, end, quantity) in consumption.slices().filter(|(start, ..)| self.month.contains(*start)) {
            let day = u8::try_from(Day::of(start).0 - first.0).expect("a month has at most 31 days");
            let reported = consumption.sent.filter(|_| self.reported & (1 << day) != 0);
            let mine = (reported.is_none() && here.contains(start)) || {
                let placed = placed_at(placements, (start, end), reported);
                let ended = placements.iter().rposition(|one| one.interval.to <= start);
                if placed.is_none() && index == ended.unwrap_or(0) {
                    match self.commerce.away_at(consumption.place.subscription, start) {
                        Some(plan) => notes.after_leaving(consumption, Day::of(start), plan),
                        None => notes.outside(consumption, Day::of(start), ended.is_some()),
                    }
                }
                placed == Some(index)
            };
            if mine {
                if suspensions.iter().any(|interval| interval.contains(start)) {
                    notes.while_suspended(self.plan, consumption, Day::of(start));
                }
                let at = reported.unwrap_or(start).max(here.from);
                *sums.entry((day, self.stretch(at))).or_default() += quantity;
            }
        }
        sums.retain(|_, quantity| !quantity.is_zero());
        sums
    }

    fn stretch(&self, at: Instant) -> u16 {
        let after = self.stretches.iter().take_while(|(since, _)| *since <= at).count();
        u16::try_from(after - 1).expect("a plan changes its reseller a few times")
    }

    /// PEC-12: usage whose resource lies in another subscription than its entitlement says cannot be
    /// judged: a blocking finding. Source: the two ids of a usage record must agree.
    fn check(&self, consumption: &Consumption<'_>, placement: &Placement, notes: &mut Notes) {
        let place = consumption.place;
        let about = About {
            customer: Some(placement.customer),
            plan: Some(self.plan),
            subscription: Some(place.subscription),
            ..notes.about()
        };
        if let Some(stated) = place.scope.subscription().filter(|stated| *stated != place.subscription) {
            let about = About { resource: Some(place.scope.clone()), ..about.clone() };
            notes.note(Code::ResourceMismatch, about, format!("the resource lies in subscription {stated}"));
        }
        // Under the classic offer the commerce id and the entitlement were one: that names no other plan.
        let classic = placement.offer == Offer::Legacy && place.claimed_plan == Some(place.subscription);
        if let Some(claimed) = place.claimed_plan.filter(|claimed| *claimed != self.plan && !classic) {
            notes.note(Code::PlanDiffers, about, format!("the usage names plan {claimed}"));
        }
    }

    fn add(
        &mut self,
        consumption: &Consumption<'a>,
        placement: &'a Placement,
        sums: &BTreeMap<(u8, u16), Quantity>,
        pricing: &mut Pricing<'a>,
        notes: &mut Notes,
    ) {
        let place = consumption.place;
        let kind = price_kind(placement.offer);
        let Some(market) = self.commerce.market(placement.customer) else {
            let about = About { customer: Some(placement.customer), plan: Some(self.plan), ..notes.about() };
            notes.note(Code::NoPrice, about, "the customer's market is not known, so no price sheet applies");
            return;
        };
        let next = u32::try_from(self.spots.len()).expect("fewer than four thousand million resources");
        let placement = first_under(self.commerce.placements(place.subscription), placement);
        let key = (&place.scope, placement.interval.from, place.subscription);
        let spot = Spot { subscription: place.subscription, placement, scope: &place.scope, days: 0 };
        let (number, spot) = self.spots.entry(key).or_insert((next, spot));
        for (&(day, stretch), &quantity) in sums {
            let date = Day(self.period.first_day().0 + i32::from(day));
            let (found, why) = pricing.find((market, kind), consumption.item, date);
            if let Some(why) = why {
                unpriced(notes, placement, consumption.item, market, &why, found.is_some());
            }
            let Some(found) = found else { continue };
            spot.days |= 1 << day;
            self.cells.push(Cell { group: found.group, day, stretch, spot: *number, tariff: found.tariff, quantity });
        }
    }

    /// Adds what covers a resource's day. Cover of what nobody used is named at once.
    pub(super) fn cover(&mut self, coverage: &'a Coverage, pricing: &mut Pricing<'a>, notes: &mut Notes) {
        if coverage.day.period() != self.period {
            return;
        }
        let day = u8::try_from(coverage.day.0 - self.period.first_day().0).expect("a month has at most 31 days");
        let placements = self.commerce.placements(coverage.subscription);
        let used = placements.iter().filter(|one| one.plan == self.plan).find_map(|placement| {
            let (_, spot) =
                self.spots.get_key_value(&(&coverage.scope, placement.interval.from, coverage.subscription))?;
            (spot.1.days & (1 << day) != 0).then_some((placement, spot.0))
        });
        let found = used.and_then(|(placement, spot)| {
            let kind = price_kind(placement.offer);
            let market = self.commerce.market(placement.customer)?;
            Some((pricing.find((market, kind), &coverage.item, coverage.day).0?, spot))
        });
        match found {
            Some((found, spot)) => self.covers.add((found.group, day, spot), coverage),
            None => overcovered(coverage, self.plan, coverage.day, coverage.quantity, notes),
        }
    }

    /// Puts the cells in the order in which tiers are drawn: counter, day, resource id, and adds up
    /// what meters told apart that is one. Counters of a plan's subscriptions follow each other.
    pub(super) fn cells(self, pricing: &Pricing<'a>) -> Cells<'a> {
        let ranks = pricing.ranks();
        let mut places = vec![0; self.spots.len()];
        let mut spots = Vec::with_capacity(self.spots.len());
        for (rank, (number, spot)) in (0_u32..).zip(self.spots.into_values()) {
            places[number as usize] = rank;
            spots.push(spot);
        }
        let of_subscription = self.tier_counter == TierCounter::Subscription;
        let mut cells = self.cells;
        for cell in &mut cells {
            cell.spot = places[cell.spot as usize];
        }
        let order = |cell: &Cell| {
            let estimate = pricing.priced(cell.tariff).estimate;
            let subscription = of_subscription.then(|| spots[cell.spot as usize].subscription);
            (ranks[cell.group as usize], subscription, cell.day, cell.spot, cell.stretch, estimate)
        };
        cells.sort_unstable_by_key(order);
        cells.dedup_by(|next, kept| {
            let same = order(next) == order(kept);
            if same {
                kept.quantity += next.quantity;
            }
            same
        });
        cells.retain(|cell| !cell.quantity.is_zero());
        let mut covers = self.covers;
        covers.renumber(&places);
        let resellers = self.stretches.into_iter().map(|(_, reseller)| reseller).collect();
        Cells { cells, spots, covers, resellers, tier_counter: self.tier_counter }
    }
}

/// The first stretch under the same plan at the same prices: what was used in another one belongs to it, so
/// that a day has one verdict however often the subscription left and came back.
fn first_under<'c>(placements: &'c [Placement], placement: &'c Placement) -> &'c Placement {
    let same = |one: &&Placement| one.plan == placement.plan && one.offer == placement.offer;
    placements.iter().find(same).unwrap_or(placement)
}

fn price_kind(offer: Offer) -> PriceKind {
    match offer {
        Offer::DevTest => PriceKind::DevTest,
        Offer::AzurePlan | Offer::Legacy => PriceKind::Consumption,
    }
}

/// RATE-2: usage without a price, by the reason. It stops the closing, never the draft.
fn unpriced(notes: &mut Notes, placement: &Placement, item: &Item, market: Market, why: &Unpriced, estimate: bool) {
    let about = About {
        customer: Some(placement.customer),
        plan: Some(placement.plan),
        meter: Some(item.meter.clone()),
        market: Some(market),
        ..notes.about()
    };
    let (code, detail) = match why {
        Unpriced::NoSheet => (Code::NoPrice, format!("no complete price sheet of market {market} is known")),
        Unpriced::NoRow => (Code::NoPrice, format!("the sheet of market {market} has no row in force for it")),
        Unpriced::Malformed(what) => (Code::NoPrice, format!("its rows in market {market} are no tariff: {what}")),
        Unpriced::Unit(unit) => (Code::UnitMismatch, format!("used in `{}`, priced in `{unit}`", item.unit)),
        Unpriced::Ambiguous(products) => {
            let named: Vec<String> = products.iter().map(|(product, sku)| format!("{product}/{sku}")).collect();
            (Code::AmbiguousPrice, format!("it may be any of {}", named.join(", ")))
        }
    };
    notes.note(code, about.clone(), detail);
    if estimate {
        notes.note(Code::Estimate, about, "shown at last month's price");
    }
}
