//! Rating: what the usage of a month costs, resource by resource and day by day, before any
//! rounding.
//!
//! Usage is placed under a plan, priced by the sheet in force, drawn through the graduated tiers in
//! one stated order, and judged. What comes out are pieces: a quantity at one unit price with one
//! verdict. Nothing is rounded here and nothing unknown becomes zero: usage without a plan or a
//! price is left out of the pieces and named in a finding.

mod cells;
mod pricing;
mod cover;
mod credit;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

pub use credit::Balance;

use crate::charges::{Coverage, Orders};
use crate::commerce::{Commerce, Placement, billed_in, by_partner};
use crate::entry::{AzureCreditGranted, Benefit, ChargeKey, ChargeType, LineKey, PlanCreated, Portion, PriceKind};
use crate::facts::Facts;
use crate::finding::{About, Code, Finding};
use crate::ids::{Currency, Guid, MeterId};
use crate::money::{Exact, Quantity};
use crate::partners::Partners;
use crate::pec::{Judge, LostCode, NeverCode};
use crate::period::{Day, Instant, Period};
use crate::policy::Policy;
use crate::prices::{Band, has_tag, is_spot};
use crate::scope::Scope;
use crate::usage::Consumption;
use cells::{Cell, Sheet, Spot};
use credit::{Allocation, Drawn};
use pricing::Pricing;

/// How access decided a day of a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    Earned,
    Lost(LostCode),
    /// Lost for a reason that is known; access that is unknown would have earned it all the same.
    Doubtful(LostCode),
}

impl Access {
    /// Why it was lost, if it was.
    #[must_use]
    pub fn lost(self) -> Option<LostCode> {
        match self {
            Self::Earned => None,
            Self::Lost(code) | Self::Doubtful(code) => Some(code),
        }
    }

    /// ACC-10: whether the answer rests on access that is unknown.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Lost(LostCode::UnknownAccess) | Self::Doubtful(_))
    }
}

/// Whose access is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub subscription: Guid,
    pub placement: &'a Placement,
    pub scope: &'a Scope,
}

/// How access decided each of these days.
pub type Judging<'j> = dyn FnMut(&Asked<'_>, &[Day]) -> Vec<Access> + 'j;

/// Answers out of a judge over the same facts.
pub fn judged<'j, 'f>(judge: &'j mut Judge<'f>) -> impl FnMut(&Asked<'_>, &[Day]) -> Vec<Access> + use<'j, 'f> {
    |asked, days| {
        let place = judge.place(asked.subscription, asked.placement, asked.scope);
        let access = |day: &Day| match judge.access(place, *day).lost() {
            None => Access::Earned,
            Some(loss) if loss.code != LostCode::UnknownAccess && loss.flags.contains(&Code::UnknownAccess) => {
                Access::Doubtful(loss.code)
            }
            Some(loss) => Access::Lost(loss.code),
        };
        days.iter().map(access).collect()
    }
}

/// RATE-7: access and product together, per (plan, resource, day, meter, portion).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    Earned,
    Lost(LostCode),
    Never(NeverCode),
}

impl Verdict {
    /// The rule that decided it, as every output names it.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::Earned => "PEC-1",
            Self::Lost(code) => code.rule(),
            Self::Never(code) => code.rule(),
        }
    }
}

/// A quantity at one unit price with one verdict.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    pub customer: Guid,
    pub plan: Guid,
    pub reseller: Option<&'a str>,
    pub subscription: Guid,
    /// The resource; its group or subscription where the meter names none.
    pub scope: &'a Scope,
    pub meter: &'a MeterId,
    pub day: Day,
    pub kind: PriceKind,
    pub band: &'a Band<'a>,
    pub portion: Portion,
    /// What pays for the portion where it is Azure credit.
    pub grant: Option<&'a AzureCreditGranted>,
    pub quantity: Quantity,
    /// What quantity × price lacks of the money where Azure credit split a part: below the 15th decimal.
    pub split: Option<Exact>,
    pub verdict: Verdict,
    /// The line carries the credit's label and price; a free tier does where access earned it.
    pub credited: bool,
    /// The policy's rate on that day, whether or not it was earned.
    pub rate: &'a Exact,
    /// Priced by last month's row: shown, never issued.
    pub estimate: bool,
    /// Tells the policy's rates of the month apart.
    pub rate_number: u8,
    /// Equal within one plan only for pieces of one line.
    pub short: (u32, u16, u16),
}

impl Piece<'_> {
    #[must_use]
    pub fn unit_price(&self) -> Exact {
        Exact::from(self.band.row.unit_price)
    }

    /// Exact, in the pricing currency. What is covered costs nothing.
    #[must_use]
    pub fn list_charge(&self) -> Exact {
        if self.portion.is_covered() {
            return Exact::zero();
        }
        let list = &self.quantity.exact() * &self.unit_price();
        match &self.split {
            None => list,
            Some(split) => &list + split,
        }
    }

    /// Exact, in the pricing currency, after credit.
    #[must_use]
    pub fn net_charge(&self) -> Exact {
        let list = self.list_charge();
        if self.credited { &list - &(&list * self.rate) } else { list }
    }

    /// RATE-12: the amount of a daily line in billing currency. Days are never added up to the month's
    /// line, which is cut once. Source: daily rated usage (2021): two decimals; read your bill
    /// (2022-07-18): up to ten; samples print more.
    #[must_use]
    pub fn daily_amount(&self, exchange_rate: &Exact, policy: &Policy) -> Exact {
        let exact = &self.net_charge() * exchange_rate;
        match policy.daily_decimals {
            Some(decimals) => exact.round(decimals, policy.line_rounding),
            None => exact,
        }
    }

    /// RATE-7: credit of a piece = list charge − net charge, exact. Nothing is at stake unless it was
    /// earned or lost.
    #[must_use]
    pub fn credit_at_stake(&self) -> Exact {
        match self.verdict {
            Verdict::Earned | Verdict::Lost(_) => &self.list_charge() * self.rate,
            Verdict::Never(_) => Exact::zero(),
        }
    }
}

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
    drawn: RefCell<BTreeMap<(Guid, Period), Drawn>>,
    partners: OnceCell<Partners>,
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
        Self { facts, commerce, usage, coverage, drawn: RefCell::default(), partners: OnceCell::new() }
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
        let Some((_, partner)) = self.partners().statement(bill_to).filter(|_| !by_partner(period)) else { return all };
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
        let partner = self.partners().statement(bill_to).map(|(_, partner)| partner);
        let partner = partner.zip(self.facts.partners.billing_currency(bill_to, period));
        crate::commerce::plans_in(self.commerce, partner, currency, period)
    }

    /// The currency that a partner states it is billed in.
    #[must_use]
    pub fn billing_currency(&self, partner: Guid) -> Option<Currency> {
        self.partners().statement(partner).map(|(_, statement)| statement.billing_currency)
    }

    /// Rates a month of everything that is billed to a partner. Pieces come plan by plan; within a
    /// plan by meter, kind, product and SKU, and there in the order in which tiers are drawn. What
    /// does not add up is returned.
    pub fn rate(
        &self,
        bill_to: Guid,
        period: Period,
        judging: &mut Judging<'_>,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) -> Vec<Finding> {
        self.rate_plans(bill_to, period, &|_| true, judging, sink)
    }

    /// The same for some plans alone: tiers run plan by plan, so that no plan needs another.
    pub fn rate_plans(
        &self,
        bill_to: Guid,
        period: Period,
        wanted: &dyn Fn(Guid) -> bool,
        judging: &mut Judging<'_>,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) -> Vec<Finding> {
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
        pricing.findings(&mut notes);
        self.unplaced(&mut notes);
        self.ineffective(&mut notes);
        self.oddities(&mut notes);
        notes.findings()
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
            for consumption in self.usage.get(subscription).into_iter().flatten() {
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
        let orders = Orders::play(&self.facts.charges, self.commerce, &|partner| self.billing_currency(partner));
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

    /// What contradicts itself in the lives of plans and subscriptions, told in the month of the change;
    /// INV-17: and customers with more plans than one partner, or one reseller, may have with them.
    /// Source: transition and ownership of Azure plans (2023-01-11).
    fn oddities(&self, notes: &mut Notes) {
        let billed = |plan: Guid| self.commerce.plan(plan).is_some_and(|plan| plan.bill_to == notes.bill_to);
        let here = |at: Instant| Day::of(at).period() == notes.period;
        let odd: Vec<_> = self.commerce.oddities().iter().filter(|odd| billed(odd.plan) && here(odd.at)).collect();
        for odd in odd {
            let day = Some(Day::of(odd.at));
            let about = About { plan: Some(odd.plan), subscription: odd.subscription, day, ..notes.about() };
            notes.note_with(odd.code, about, odd.detail.clone(), odd.event);
        }
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
            let about = About {
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

/// Drawing of one plan's cells through the tiers.
struct Drawing<'a> {
    plan: Guid,
    period: Period,
    policies: &'a [Policy],
    rates: &'a [Exact],
    rate_of_day: &'a [u8],
    allocation: &'a Allocation<'a>,
}

impl Drawing<'_> {
    /// RATE-3: tiers run through the calendar month per (plan, meter, kind, product, SKU), over net
    /// day totals in order of day, then resource id. The row in force on the usage day gives bounds
    /// and prices. Source: azure-plan price list (2023-06-05); the level of the counter is policy.
    fn draw(
        &self,
        cells: &cells::Cells<'_>,
        pricing: &Pricing<'_>,
        judging: &mut Judging<'_>,
        notes: &mut Notes,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) {
        let first = self.period.first_day();
        let mut verdicts: Vec<Option<Vec<Access>>> = vec![None; cells.spots.len()];
        let mut counter = (u32::MAX, Quantity::ZERO);
        let mut covers = cells.covers.clone();
        for (index, cell) in (0_u32..).zip(&cells.cells) {
            if counter.0 != cell.group {
                counter = (cell.group, Quantity::ZERO);
            }
            let spot = &cells.spots[cell.spot as usize];
            let day = Day(first.0 + i32::from(cell.day));
            let access = verdict_of(&mut verdicts[cell.spot as usize], spot, first, cell.day, judging);
            let told = (spot, day, access);
            let covered = covers.take(cell);
            let charged = cell.quantity - covered.iter().map(|(_, quantity)| *quantity).sum::<Quantity>();
            let parts = Parts { index, covered, from: counter.1, charged };
            if access.is_unknown() || cell.quantity.is_negative() {
                self.doubtful((cell, parts), cells, pricing, told, notes, sink);
            } else {
                self.pieces((cell, parts), cells, pricing, told, sink);
            }
            counter.1 += charged;
        }
        covers.leftovers(self.plan, self.period, notes);
    }

    /// The pieces of a cell with which something is wrong, and what that is, with the list charge that
    /// hangs on it. ACC-10: unknown access is a finding where it decides about credit; a product that
    /// never earns asks for none.
    fn doubtful(
        &self,
        (cell, parts): (&Cell, Parts),
        cells: &cells::Cells<'_>,
        pricing: &Pricing<'_>,
        told: (&Spot<'_>, Day, Access),
        notes: &mut Notes,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) {
        let (mut list, mut excluded) = (Exact::zero(), true);
        self.pieces((cell, parts), cells, pricing, told, &mut |piece| {
            list += &piece.list_charge();
            excluded &= matches!(piece.verdict, Verdict::Never(code) if code != NeverCode::ZeroCharge);
            sink(piece);
        });
        let (spot, day, access) = told;
        if cell.quantity.is_negative() {
            notes.negative(self.plan, spot, pricing.meter(cell.group), day, (cell.quantity, &list));
        }
        if access.is_unknown() && !excluded {
            notes.unknown_access(self.plan, spot, day, &list);
        }
    }

    /// The pieces of one cell: what is covered, then what is charged, by the bands that the counter
    /// crosses, each part by what pays for it.
    fn pieces(
        &self,
        (cell, parts): (&Cell, Parts),
        cells: &cells::Cells<'_>,
        pricing: &Pricing<'_>,
        (spot, day, access): (&Spot<'_>, Day, Access),
        sink: &mut dyn FnMut(&Piece<'_>),
    ) {
        let priced = pricing.priced(cell.tariff);
        let meter = pricing.meter(cell.group);
        let never = never(spot.placement, priced.kind, &priced.bands[0], meter, &self.policies[usize::from(cell.day)]);
        let shares = self.shares(&parts, &priced.bands);
        let own = |share: &&Share<'_>| share.portion == Portion::PayAsYouGo;
        let free = shares.iter().filter(own).all(|share| share.band.row.unit_price.is_zero());
        let rate_number = self.rate_of_day[usize::from(cell.day)];
        for share in shares {
            let verdict = match (never, share.portion.never(), access.lost()) {
                (Some(NeverCode::LegacyOffer), ..) => Verdict::Never(NeverCode::LegacyOffer),
                (_, Some(cover @ (NeverCode::Reservation | NeverCode::SavingsPlan)), _) => Verdict::Never(cover),
                (Some(never), ..) | (None, Some(never), _) => Verdict::Never(never),
                (None, None, _) if free => Verdict::Never(NeverCode::ZeroCharge),
                (None, None, None) => Verdict::Earned,
                (None, None, Some(code)) => Verdict::Lost(code),
            };
            let credited = share.portion == Portion::PayAsYouGo && never.is_none() && access == Access::Earned;
            let label = match share.portion {
                Portion::PayAsYouGo if credited => 1 + u16::from(rate_number),
                Portion::PayAsYouGo => 0,
                Portion::Reservation => COVERED_LABELS,
                Portion::SavingsPlan => COVERED_LABELS + 1,
                Portion::AzureCredit => COVERED_LABELS + 2 + share.grant.unwrap_or(0),
            };
            sink(&Piece {
                customer: spot.placement.customer,
                plan: self.plan,
                reseller: cells.reseller(cell.stretch),
                subscription: spot.subscription,
                scope: spot.scope,
                meter,
                day,
                kind: priced.kind,
                band: share.band,
                portion: share.portion,
                grant: share.grant.map(|number| self.allocation.grants[usize::from(number)]),
                quantity: share.quantity,
                split: share.split,
                verdict,
                credited,
                rate: &self.rates[usize::from(rate_number)],
                estimate: priced.estimate,
                rate_number,
                short: (priced.first_slot + share.number, cell.stretch, label),
            });
        }
    }

    fn shares<'b>(&self, parts: &Parts, bands: &'b [Band<'b>]) -> Vec<Share<'b>> {
        let covered = parts.covered.iter().map(|(benefit, quantity)| {
            let portion = match benefit {
                Benefit::Reservation => Portion::Reservation,
                Benefit::SavingsPlan => Portion::SavingsPlan,
            };
            Share { band: &bands[0], number: 0, portion, grant: None, quantity: *quantity, split: None }
        });
        let mut shares: Vec<Share<'b>> = covered.collect();
        for (band, number, quantity) in crossed(bands, parts.from, parts.from + parts.charged) {
            let (mut rest, mut kept) = (quantity, None);
            for paid in self.allocation.of(self.plan, parts.index, number) {
                let (portion, grant) = (Portion::AzureCredit, Some(paid.grant));
                shares.push(Share { band, number, portion, grant, quantity: paid.quantity, split: paid.split.clone() });
                rest = rest - paid.quantity;
                kept = kept.or_else(|| paid.split.as_ref().map(|split| -split));
            }
            if !rest.is_zero() {
                shares.push(Share {
                    band,
                    number,
                    portion: Portion::PayAsYouGo,
                    grant: None,
                    quantity: rest,
                    split: kept,
                });
            }
        }
        shares
    }
}

/// Labels from here on are of portions that credit rates do not reach.
const COVERED_LABELS: u16 = 100;

/// What of a cell is covered, and where the counter stands for the rest.
struct Parts {
    /// The cell's number in the plan's order.
    index: u32,
    covered: Vec<(Benefit, Quantity)>,
    from: Quantity,
    charged: Quantity,
}

/// A quantity at one price, and what pays for it.
struct Share<'b> {
    band: &'b Band<'b>,
    number: u32,
    portion: Portion,
    grant: Option<u16>,
    quantity: Quantity,
    split: Option<Exact>,
}

impl Portion {
    /// Paid in advance by a reservation or savings plan: a quantity without money.
    #[must_use]
    pub fn is_covered(self) -> bool {
        matches!(self, Self::Reservation | Self::SavingsPlan)
    }

    /// Why the portion never earns, whatever its product.
    #[must_use]
    pub fn never(self) -> Option<NeverCode> {
        match self {
            Self::PayAsYouGo => None,
            Self::SavingsPlan => Some(NeverCode::SavingsPlan),
            Self::Reservation => Some(NeverCode::Reservation),
            Self::AzureCredit => Some(NeverCode::AzureCredit),
        }
    }
}

/// RATE-3: which part of the way from `from` to `to` lies in which band. Going down takes back from
/// the bands that are crossed; below zero the first band goes on.
fn crossed<'b>(
    bands: &'b [Band<'b>],
    from: Quantity,
    to: Quantity,
) -> impl Iterator<Item = (&'b Band<'b>, u32, Quantity)> {
    let (low, high) = if from <= to { (from, to) } else { (to, from) };
    bands.iter().zip(0..).filter_map(move |(band, number)| {
        let bottom = if number == 0 { low } else { low.max(band.above) };
        let top = band.up_to.map_or(high, |up_to| high.min(up_to));
        let part = top - bottom;
        if top <= bottom {
            return None;
        }
        Some((band, number, if from <= to { part } else { -part }))
    })
}

/// RATE-4, RATE-5, RATE-6: what the product excludes whatever the access, in the stated order. Source:
/// partner-earned-credit pages; price list column Tags.
fn never(
    placement: &Placement,
    kind: PriceKind,
    band: &Band<'_>,
    meter: &MeterId,
    policy: &Policy,
) -> Option<NeverCode> {
    use crate::entry::Offer;
    if placement.offer == Offer::Legacy {
        return Some(NeverCode::LegacyOffer);
    }
    match kind {
        PriceKind::Reservation => return Some(NeverCode::Reservation),
        PriceKind::SavingsPlan => return Some(NeverCode::SavingsPlan),
        PriceKind::Consumption | PriceKind::DevTest => {}
    }
    if is_spot(band.row) || policy.spot_meters.contains(meter) {
        return Some(NeverCode::Spot);
    }
    if has_tag(band.row, "Third Party") {
        return Some(NeverCode::ThirdParty);
    }
    has_tag(band.row, "Marketplace").then_some(NeverCode::Marketplace)
}

/// Asks for all days of a spot at once, the first time that one is needed.
fn verdict_of(
    known: &mut Option<Vec<Access>>,
    spot: &Spot<'_>,
    first: Day,
    day: u8,
    judging: &mut Judging<'_>,
) -> Access {
    let verdicts = known.get_or_insert_with(|| {
        let days: Vec<Day> = spot.days().map(|day| Day(first.0 + i32::from(day))).collect();
        let asked = Asked { subscription: spot.subscription, placement: spot.placement, scope: spot.scope };
        judging(&asked, &days)
    });
    verdicts[spot.days().take_while(|before| *before < day).count()]
}

/// What did not add up, by what it is about, each with how often and since when.
struct Notes {
    bill_to: Guid,
    period: Period,
    seen: BTreeMap<(Code, About, String), Noted>,
}

/// The events behind a finding, and the list charge that hangs on it where that is known.
#[derive(Default)]
struct Noted {
    events: BTreeSet<crate::ids::Identity>,
    charge: Option<Exact>,
}

impl Notes {
    fn about(&self) -> About {
        About { bill_to: Some(self.bill_to), period: Some(self.period), ..About::default() }
    }

    fn note(&mut self, code: Code, about: About, detail: impl Into<String>) {
        self.seen.entry((code, about, detail.into())).or_default();
    }

    fn note_with(&mut self, code: Code, about: About, detail: String, event: crate::ids::Identity) {
        self.seen.entry((code, about, detail)).or_default().events.insert(event);
    }

    fn note_charge(&mut self, code: Code, about: About, detail: String, charge: &Exact) {
        *self.seen.entry((code, about, detail)).or_default().charge.get_or_insert_with(Exact::zero) += charge;
    }

    /// USE-6: usage that no placement takes: after a cancellation, or of no plan at all.
    fn outside(&mut self, consumption: &Consumption<'_>, day: Day, ended: bool) {
        if !ended {
            return self.no_plan(consumption, day);
        }
        let place = consumption.place;
        let about = About {
            customer: Some(place.customer),
            subscription: Some(place.subscription),
            day: Some(day),
            ..self.about()
        };
        self.note(Code::AfterCancellation, about, "used after the subscription had ended");
    }

    fn while_suspended(&mut self, plan: Guid, consumption: &Consumption<'_>, day: Day) {
        let subscription = Some(consumption.place.subscription);
        let about = About { plan: Some(plan), subscription, day: Some(day), ..self.about() };
        self.note(Code::WhileSuspended, about, "used while the subscription was suspended");
    }

    fn no_plan(&mut self, consumption: &Consumption<'_>, day: Day) {
        let place = consumption.place;
        let about = About {
            customer: Some(place.customer),
            plan: place.claimed_plan,
            subscription: Some(place.subscription),
            day: Some(day),
            ..self.about()
        };
        self.note(Code::NoPlacement, about, "the usage lies in no known plan's time");
    }

    fn negative(
        &mut self,
        plan: Guid,
        spot: &Spot<'_>,
        meter: &MeterId,
        day: Day,
        (quantity, charge): (Quantity, &Exact),
    ) {
        let about = About {
            plan: Some(plan),
            subscription: Some(spot.subscription),
            resource: Some(spot.scope.clone()),
            meter: Some(meter.clone()),
            day: Some(day),
            ..self.about()
        };
        self.note_charge(Code::NegativeDay, about, format!("the day adds up to {quantity}"), charge);
    }

    fn unknown_access(&mut self, plan: Guid, spot: &Spot<'_>, day: Day, charge: &Exact) {
        let about = About {
            customer: Some(spot.placement.customer),
            plan: Some(plan),
            subscription: Some(spot.subscription),
            day: Some(day),
            ..self.about()
        };
        let detail = "credit of the day rests on access that is unknown".to_owned();
        self.note_charge(Code::UnknownAccess, about, detail, charge);
    }

    fn findings(self) -> Vec<Finding> {
        let findings = self.seen.into_iter().map(|((code, about, detail), Noted { events, charge })| {
            let events = events.into_iter().collect();
            Finding { events, charge, ..Finding::new(code, about, detail) }
        });
        findings.collect()
    }
}

/// The line that a piece belongs to (definitions: line key).
#[must_use]
pub fn line_key(piece: &Piece<'_>) -> LineKey {
    let row = piece.band.row;
    LineKey {
        customer: piece.customer,
        plan: piece.plan,
        reseller: piece.reseller.map(Into::into),
        meter: piece.meter.clone(),
        price_kind: piece.kind,
        product: row.product.clone(),
        sku: row.sku.clone(),
        price_from: row.from,
        tier: piece.band.tier,
        portion: piece.portion,
        credit_rate: if piece.credited { piece.rate.decimal() } else { None },
        charge: piece.grant.map(|grant| {
            let (charge_type, order) = (ChargeType::New, grant.grant.clone());
            Box::new(ChargeKey { charge_type, order, reason: None })
        }),
    }
}
