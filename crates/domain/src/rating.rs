//! Rating: what the usage of a month costs, resource by resource and day by day, before any
//! rounding.
//!
//! Usage is placed under a plan, priced by the sheet in force, drawn through the graduated tiers in
//! one stated order, and judged. What comes out are pieces: a quantity at one unit price with one
//! verdict. Nothing is rounded here and nothing unknown becomes zero: usage without a plan or a
//! price is left out of the pieces and named in a finding.

mod cells;
mod cover;
mod credit;
mod drawing;
mod notes;
mod piece;
mod portions;
mod pricing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

pub use credit::Balance;
pub use piece::{Access, Asked, Judging, Piece, Verdict, judged, line_key};

use crate::charges::{Coverage, Orders};
use crate::commerce::{Commerce, Oddity, billed_in, by_partner};
use crate::entry::PlanCreated;
use crate::facts::Facts;
use crate::finding::{About, Code, Finding};
use crate::ids::{Currency, Guid, Market};
use crate::money::Exact;
use crate::partners::Partners;
use crate::period::{Day, Instant, Period};
use crate::policy::Policy;
use crate::usage::Consumption;
use cells::Sheet;
use credit::Drawn;
use drawing::Drawing;
use notes::Notes;
use pricing::Pricing;

/// The facts of one question, put in order once: build it, ask for as many partners and months as
/// are needed, drop it.
#[derive(Debug)]
pub struct Desk<'a> {
    pub facts: &'a Facts,
    pub commerce: &'a Commerce,
    usage: BTreeMap<Guid, Vec<Consumption<'a>>>,
    /// By plan; empty unless somebody has reservations or savings plans.
    coverage: BTreeMap<Guid, Vec<&'a Coverage>>,
    /// What grants had drawn when a partner's month began, as far as somebody asked.
    drawn: BTreeMap<(Guid, Period), OnceLock<Drawn>>,
    partners: OnceLock<Partners>,
}

impl<'a> Desk<'a> {
    #[must_use]
    pub fn new(facts: &'a Facts, commerce: &'a Commerce) -> Self {
        let mut usage: BTreeMap<Guid, Vec<Consumption<'a>>> = BTreeMap::new();
        for consumption in facts.usage.consumption() {
            usage.entry(consumption.place.subscription).or_default().push(consumption);
        }
        let mut coverage: BTreeMap<Guid, Vec<&'a Coverage>> = BTreeMap::new();
        for (_, one) in facts.charges.coverage() {
            coverage.entry(one.plan).or_default().push(one);
        }
        Self { facts, commerce, usage, coverage, drawn: credit::months(facts), partners: OnceLock::new() }
    }

    /// The partners, put in order the first time that somebody asks.
    #[must_use]
    pub fn partners(&self) -> &Partners {
        self.partners.get_or_init(|| self.facts.partners.view())
    }

    /// INV-14: every currency that a partner's month is billed in, its own first; several only before
    /// August 2021.
    #[must_use]
    pub fn currencies(&self, bill_to: Guid, period: Period) -> Vec<Currency> {
        let Some(own) = self.facts.partners.billing_currency(bill_to, period) else { return Vec::new() };
        let mut all = vec![own];
        let partner = self.partners().statement_at(bill_to, last_instant(period)).filter(|_| !by_partner(period));
        let Some(partner) = partner else { return all };
        let bought = |plan: &&PlanCreated| plan.bill_to == bill_to && plan.at < period.interval().to;
        for plan in self.commerce.plans().filter(bought) {
            let currency = billed_in(self.commerce, partner, own, plan, period).unwrap_or(own);
            if !all.contains(&currency) {
                all.push(currency);
            }
        }
        all
    }

    /// The plans billed in one of them, where there may be several; what cannot be told is a finding.
    pub(crate) fn plans_in(
        &self,
        bill_to: Guid,
        currency: Currency,
        period: Period,
    ) -> (Option<BTreeSet<Guid>>, Vec<Finding>) {
        let partner = self.partners().statement_at(bill_to, last_instant(period));
        let partner = partner.zip(self.facts.partners.billing_currency(bill_to, period));
        crate::commerce::plans_in(self.commerce, partner, currency, period)
    }

    /// The currency that a partner was billed in at an instant.
    #[must_use]
    pub fn billing_currency(&self, partner: Guid, at: Instant) -> Option<Currency> {
        self.facts.partners.billing_currency(partner, Day::of(at).period())
    }

    /// Rates a month of some of the plans that are billed to a partner: tiers run plan by plan, so that no
    /// plan needs another. Pieces come plan by plan; within a plan by meter, kind, product and SKU, and
    /// there in the order in which tiers are drawn. What does not add up is returned.
    pub fn rate_plans(
        &self,
        bill_to: Guid,
        period: Period,
        wanted: &dyn Fn(Guid) -> bool,
        judging: &mut Judging<'_>,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) -> Vec<Finding> {
        let part = self.rate_part(bill_to, period, wanted, judging, sink);
        self.conclude(part)
    }

    /// The pieces alone, for who asks what is at stake and not what is wrong: the findings, which look at
    /// everything there is, are left out.
    pub fn pieces(
        &self,
        bill_to: Guid,
        period: Period,
        wanted: &dyn Fn(Guid) -> bool,
        judging: &mut Judging<'_>,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) {
        self.rate_part(bill_to, period, wanted, judging, sink);
    }

    /// The same without what concerns no plan alone, so that parts may be rated side by side:
    /// [`Part::join`] puts them together, [`Desk::conclude`] says what does not add up.
    pub(crate) fn rate_part(
        &self,
        bill_to: Guid,
        period: Period,
        wanted: &dyn Fn(Guid) -> bool,
        judging: &mut Judging<'_>,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) -> Part {
        let mut notes = Notes { bill_to, period, seen: BTreeMap::new() };
        let policies: Vec<Policy> = period.days().map(|day| self.facts.policy.at(day)).collect();
        let (rates, rate_of_day) = numbered(&policies);
        let mut pricing = Pricing::new(&self.facts.prices, period);
        let allocation = self.allocation(bill_to, period).unwrap_or_default();
        for (plan, subscriptions) in self.plans_of(bill_to).into_iter().filter(|(plan, _)| wanted(*plan)) {
            let mut sheet = Sheet::new(self.commerce, plan, period, &policies);
            self.gather(&mut sheet, plan, &subscriptions, &mut pricing, &mut notes);
            let cells = sheet.cells(&pricing);
            let allocation = &allocation;
            let drawn =
                Drawing { plan, period, policies: &policies, rates: &rates, rate_of_day: &rate_of_day, allocation };
            drawn.draw(&cells, &pricing, judging, &mut notes, sink);
        }
        Part { notes, markets: pricing.markets() }
    }

    /// What does not add up, in the parts that were rated and in what belongs to none of them.
    pub(crate) fn conclude(&self, part: Part) -> Vec<Finding> {
        let Part { mut notes, markets } = part;
        let mut pricing = Pricing::new(&self.facts.prices, notes.period);
        pricing.ask(&markets);
        pricing.findings(&mut notes);
        self.unplaced(&mut notes);
        self.ineffective(&mut notes);
        self.oddities(&mut notes);
        self.useless_credits(&mut notes);
        self.contradicted_credits(&mut notes);
        notes.findings()
    }

    /// The plans billed to a partner at any time, each with how many series of usage it brings: what
    /// rating it costs, roughly.
    #[must_use]
    pub fn weights(&self, bill_to: Guid) -> Vec<(Guid, usize)> {
        let series = |subscription: &Guid| self.usage_of(*subscription).len();
        let weight = |subscriptions: BTreeSet<Guid>| subscriptions.iter().map(series).sum();
        self.plans_of(bill_to).into_iter().map(|(plan, subscriptions)| (plan, weight(subscriptions))).collect()
    }

    /// What the pieces of each plan billed to a partner rest on. Azure credit pays for all plans of its customer
    /// together, in one order and from month to month: then on the usage of all of them.
    #[must_use]
    pub fn stamps(&self, bill_to: Guid) -> BTreeMap<Guid, Stamp> {
        let last = |subscription: &Guid| self.usage_of(*subscription).iter().map(|one| one.changed).max();
        let usage = |subscriptions: &BTreeSet<Guid>| subscriptions.iter().filter_map(last).max().unwrap_or_default();
        let plans = self.plans_of(bill_to);
        let customer = |plan: Guid| self.commerce.plan(plan).map(|plan| plan.customer);
        let mut together: BTreeMap<Guid, u64> =
            self.facts.charges.credits_of(bill_to).into_iter().map(|grant| (grant.customer, 0)).collect();
        for (plan, subscriptions) in &plans {
            if let Some(newest) = customer(*plan).and_then(|customer| together.get_mut(&customer)) {
                *newest = usage(subscriptions).max(*newest);
            }
        }
        let stamp = |plan: Guid, subscriptions: &BTreeSet<Guid>| {
            let theirs = customer(plan).and_then(|customer| together.get(&customer));
            Stamp { terms: self.facts.terms, usage: theirs.copied().unwrap_or_else(|| usage(subscriptions)) }
        };
        plans.iter().map(|(plan, subscriptions)| (*plan, stamp(*plan, subscriptions))).collect()
    }

    /// The subscriptions with usage, each with how many series of it there are, in order.
    pub fn used(&self) -> impl Iterator<Item = (Guid, usize)> {
        self.usage.iter().map(|(subscription, series)| (*subscription, series.len()))
    }

    /// Everything that a subscription used.
    #[must_use]
    pub fn usage_of(&self, subscription: Guid) -> &[Consumption<'a>] {
        self.usage.get(&subscription).map_or(&[], Vec::as_slice)
    }

    /// Puts a plan's usage and what covers it on its sheet.
    fn gather<'s>(
        &'s self,
        sheet: &mut Sheet<'s>,
        plan: Guid,
        subscriptions: &BTreeSet<Guid>,
        pricing: &mut Pricing<'s>,
        notes: &mut Notes,
    ) {
        for subscription in subscriptions {
            for consumption in self.usage_of(*subscription) {
                sheet.gather(consumption, pricing, notes);
            }
        }
        for coverage in self.coverage.get(&plan).into_iter().flatten() {
            sheet.cover(coverage, pricing, notes);
        }
    }

    /// The months in which a partner has usage or charges, whatever they come to.
    #[must_use]
    pub fn months(&self, bill_to: Guid) -> BTreeSet<Period> {
        let subscriptions: BTreeSet<Guid> = self.plans_of(bill_to).into_values().flatten().collect();
        let mut days: BTreeSet<Day> = BTreeSet::new();
        for consumption in subscriptions.iter().filter_map(|one| self.usage.get(one)).flatten() {
            for (start, end, _) in consumption.slices().filter(|(.., quantity)| !quantity.is_zero()) {
                let reported = || self.facts.policy.reported(start, consumption.sent);
                let placement = || self.commerce.placement_of(consumption.place.subscription, (start, end), reported());
                let day = Day::of(start);
                if !days.contains(&day) && placement().is_some_and(|placement| placement.bill_to == bill_to) {
                    days.insert(day);
                }
            }
        }
        let ours = |plan: Guid| self.commerce.plan(plan).is_some_and(|plan| plan.bill_to == bill_to);
        let orders =
            Orders::play(&self.facts.charges, self.commerce, &|partner, at| self.billing_currency(partner, at));
        let booked = orders.booked.iter().filter(|booked| ours(booked.plan)).map(|booked| booked.day().period());
        days.into_iter().map(Day::period).chain(booked).collect()
    }

    /// Plans billed to a partner at any time, each with the subscriptions that ever stood under it.
    fn plans_of(&self, bill_to: Guid) -> BTreeMap<Guid, BTreeSet<Guid>> {
        let mut plans: BTreeMap<Guid, BTreeSet<Guid>> = BTreeMap::new();
        for (subscription, placed) in self.commerce.subscriptions() {
            for placement in placed.iter().filter(|placement| placement.bill_to == bill_to) {
                plans.entry(placement.plan).or_default().insert(subscription);
            }
        }
        plans
    }

    /// USE-5: usage of a subscription of which no plan is known stops the partner whose plan or
    /// customer the event names, and everybody where it names neither.
    fn unplaced(&self, notes: &mut Notes) {
        for (subscription, all) in &self.usage {
            if !self.commerce.placements(*subscription).is_empty() {
                continue;
            }
            for consumption in all {
                let concerned = self.concerned(consumption);
                let mut in_period = consumption.slices().filter(|(start, ..)| Day::of(*start).period() == notes.period);
                if !concerned.is_empty() && !concerned.contains(&notes.bill_to) {
                    continue;
                }
                if let Some((start, ..)) = in_period.next() {
                    notes.no_plan(consumption, Day::of(start));
                }
            }
        }
    }

    /// What contradicts itself in the lives of plans and subscriptions, told in the month of the change.
    fn oddities(&self, notes: &mut Notes) {
        for odd in self.commerce.oddities() {
            if Day::of(odd.at).period() != notes.period || !self.tells(odd, notes.bill_to) {
                continue;
            }
            let day = Some(Day::of(odd.at));
            let about = About { plan: Some(odd.plan), subscription: odd.subscription, day, ..notes.about() };
            notes.note_with(odd.code, about, odd.detail.clone(), odd.event);
        }
        self.reserved_and_suspended(notes);
        self.several_plans(notes);
    }

    /// Whether what contradicts itself is told to a partner: the one of its plan; where nobody knows the
    /// plan, whoever was billed for the subscription; where nobody was, everybody.
    fn tells(&self, odd: &Oddity, bill_to: Guid) -> bool {
        if let Some(plan) = self.commerce.plan(odd.plan) {
            return plan.bill_to == bill_to;
        }
        let placed = odd.subscription.map_or(&[][..], |subscription| self.commerce.placements(subscription));
        placed.is_empty() || placed.iter().any(|placement| placement.bill_to == bill_to)
    }

    /// USE-8: a plan is not suspended while a reservation under it is active. Source: create an Azure
    /// plan, error 900115 (2022-12-09).
    fn reserved_and_suspended(&self, notes: &mut Notes) {
        let month = notes.period.interval();
        let begun = |plan: &PlanCreated| {
            let suspended = self.commerce.suspensions(plan.plan).iter().map(|interval| interval.from);
            suspended.filter(|since| month.contains(*since)).collect::<Vec<Instant>>()
        };
        let ours = self.commerce.plans().filter(|plan| plan.bill_to == notes.bill_to);
        let suspended: Vec<(Guid, Instant)> =
            ours.flat_map(|plan| begun(plan).into_iter().map(move |since| (plan.plan, since))).collect();
        if suspended.is_empty() {
            return;
        }
        let orders =
            Orders::play(&self.facts.charges, self.commerce, &|partner, at| self.billing_currency(partner, at));
        for (plan, since) in suspended.into_iter().filter(|(plan, since)| orders.is_reserved(*plan, *since)) {
            let about = About { plan: Some(plan), day: Some(Day::of(since)), ..notes.about() };
            notes.note(Code::PlanInUse, about, "a reservation under it was active");
        }
    }

    /// INV-17: customers with more plans than one partner, or one reseller, may have with them. Source:
    /// transition and ownership of Azure plans (2023-01-11).
    fn several_plans(&self, notes: &mut Notes) {
        let mut plans: BTreeMap<(Guid, Option<&str>), Vec<Guid>> = BTreeMap::new();
        let end = notes.period.interval().to;
        // What the classic offer was billed under is no Azure plan.
        let placed = self.commerce.subscriptions().flat_map(|(_, placed)| placed);
        let classic: BTreeSet<Guid> =
            placed.filter(|one| one.offer == crate::entry::Offer::Legacy).map(|one| one.plan).collect();
        let ours =
            |plan: &&PlanCreated| plan.bill_to == notes.bill_to && plan.at < end && !classic.contains(&plan.plan);
        for plan in self.commerce.plans().filter(ours) {
            let over =
                self.commerce.plan_cancelled(plan.plan).is_some_and(|since| since <= notes.period.interval().from);
            if !over {
                let reseller = self.commerce.reseller_at(plan.plan, end - chrono::TimeDelta::nanoseconds(1));
                plans.entry((plan.customer, reseller)).or_default().push(plan.plan);
            }
        }
        for ((customer, reseller), plans) in plans.into_iter().filter(|(_, plans)| plans.len() > 1) {
            let about = About { customer: Some(customer), ..notes.about() };
            let through =
                reseller.map_or_else(|| "sold direct".to_owned(), |reseller| format!("through reseller {reseller}"));
            let named: Vec<String> = plans.iter().map(ToString::to_string).collect();
            notes.note(Code::SeveralPlans, about, format!("{} plans {through}: {}", plans.len(), named.join(", ")));
        }
    }

    /// The partners that usage without a placement may concern; empty means that nobody knows.
    fn concerned(&self, consumption: &Consumption<'_>) -> BTreeSet<Guid> {
        if let Some(plan) = consumption.place.claimed_plan.and_then(|plan| self.commerce.plan(plan)) {
            return [plan.bill_to].into();
        }
        let of_customer = self.commerce.plans().filter(|plan| plan.customer == consumption.place.customer);
        of_customer.map(|plan| plan.bill_to).collect()
    }

    /// USE-4: corrections without effect, told to the partner of the usage they lead to, else to all.
    fn ineffective(&self, notes: &mut Notes) {
        for one in self.facts.usage.ineffective() {
            let placement =
                one.usage.and_then(|usage| crate::issued::placement(usage, self.commerce, &self.facts.policy));
            let elsewhere = placement.is_some_and(|placement| placement.bill_to != notes.bill_to)
                || one.usage.is_some_and(|usage| Day::of(usage.start).period() != notes.period);
            if elsewhere {
                continue;
            }
            let code = if one.of_correction { Code::CorrectionOfCorrection } else { Code::HeldCorrection };
            // What nobody can tell is told to everybody, as one and the same finding.
            let bill_to = placement.map(|placement| placement.bill_to);
            let about = About {
                bill_to,
                subscription: one.usage.map(|usage| usage.subscription),
                meter: one.usage.map(|usage| usage.meter.clone()),
                day: one.usage.map(|usage| Day::of(usage.start)),
                ..notes.about()
            };
            let detail = format!("the correction names {} as its target", one.target);
            notes.note_with(code, about, detail, one.correction);
        }
    }
}

/// What some pieces rest on. As long as one journal gives the same stamp, it gives the same pieces: whatever is
/// told of them moves one of the numbers up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    terms: u64,
    usage: u64,
}

impl Stamp {
    /// The stamp of what rests on both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { terms: self.terms.max(other.terms), usage: self.usage.max(other.usage) }
    }
}

/// What rating some plans found, beside their pieces.
pub(crate) struct Part {
    notes: Notes,
    /// Where prices were asked for.
    markets: BTreeSet<Market>,
}

impl Part {
    /// Adds what was found in other plans of the same partner and month.
    pub(crate) fn join(&mut self, other: Self) {
        self.notes.join(other.notes);
        self.markets.extend(other.markets);
    }
}

fn last_instant(period: Period) -> Instant {
    period.interval().to - chrono::TimeDelta::nanoseconds(1)
}

/// The distinct credit rates of a month, and which one holds on which day.
fn numbered(policies: &[Policy]) -> (Vec<Exact>, Vec<u8>) {
    let mut rates: Vec<Exact> = Vec::new();
    let numbers = policies.iter().map(|policy| {
        let rate = Exact::from(policy.credit_rate);
        let known = rates.iter().position(|one| *one == rate);
        let number = known.unwrap_or_else(|| {
            rates.push(rate);
            rates.len() - 1
        });
        u8::try_from(number).expect("a month has at most 31 rates")
    });
    let numbers = numbers.collect();
    (rates, numbers)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_credit;
#[cfg(test)]
mod tests_desk;
