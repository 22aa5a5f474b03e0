//! Azure credit: which part of a month's usage is paid by a grant, before anything else is decided.
//!
//! What a grant pays does not depend on access, so it is found out first, for all plans together
//! and in one order, from the list charges alone. Whatever was used earlier is drawn again whenever
//! somebody asks; months are remembered for the length of one question.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::cells::{Cells, Sheet};
use super::drawing::crossed;
use super::pricing::Pricing;
use super::{Desk, Notes};
use crate::entry::{AzureCreditGranted, Offer, PlanCreated};
use crate::facts::Facts;
use crate::finding::{About, Code};
use crate::ids::{Guid, Identity, MeterId};
use crate::money::{Exact, Quantity, Rounding};
use crate::period::{Day, Period};
use crate::policy::Policy;
use crate::prices::has_tag;
use crate::scope::Scope;

/// Decimals of the printed covered quantity.
const QUANTITY_DECIMALS: u32 = 15;

/// A part of a cell: the plan, the cell's number in the plan's order, the band's number.
type Place = (Guid, u32, u32);

/// Which grant pays how much of which part of the usage of a month.
#[derive(Clone, Debug, Default)]
pub(super) struct Allocation<'a> {
    pub(super) grants: Vec<&'a AzureCreditGranted>,
    parts: BTreeMap<Place, Vec<Paid>>,
}

/// What one grant pays of a part of the usage.
#[derive(Clone, Debug)]
pub(super) struct Paid {
    pub(super) grant: u16,
    pub(super) quantity: Quantity,
    /// The money that quantity × price lacks, where the grant was used up within the part.
    pub(super) split: Option<Exact>,
}

impl Allocation<'_> {
    pub(super) fn of(&self, plan: Guid, cell: u32, band: u32) -> &[Paid] {
        self.parts.get(&(plan, cell, band)).map_or(&[], Vec::as_slice)
    }
}

/// How much of each grant is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawn(BTreeMap<Own, Exact>);

/// RATE-11: what makes two statements the same grant. It belongs to a customer, so that one id that was
/// given to two customers, or to two plans, names two grants, each with its own balance; the same grant
/// told twice is drawn once.
type Own = (Guid, Option<Guid>, Box<str>);

fn own(grant: &AzureCreditGranted) -> Own {
    (grant.customer, grant.plan, grant.grant.clone())
}

/// How a grant stands at the end of a month.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance<'a> {
    pub grant: &'a AzureCreditGranted,
    /// In USD, up to the month before, and in the month.
    pub drawn_before: Exact,
    pub drawn: Exact,
    pub left: Exact,
    pub expired: bool,
}

/// A part of usage that a grant may pay.
struct Candidate<'c> {
    day: Day,
    plan: Guid,
    meter: &'c MeterId,
    scope: &'c Scope,
    tier: u32,
    place: Place,
    customer: Guid,
    quantity: Quantity,
    price: Exact,
}

/// The months before which a partner's grants may have been drawn, none of them known yet. Only usage
/// draws: a grant until the year 9999 has no more months than there is usage.
pub(super) fn months(facts: &Facts) -> BTreeMap<(Guid, Period), OnceLock<Drawn>> {
    let mut months = BTreeMap::new();
    let mut credits = facts.charges.credits().peekable();
    let span = credits.peek().and_then(|_| facts.usage.span());
    let Some((oldest, newest)) = span.map(|(oldest, newest)| (Day::of(oldest), Day::of(newest))) else {
        return months;
    };
    for (_, grant) in credits {
        let (mut month, last) = (grant.from.max(oldest).period(), grant.until.min(newest).period());
        while month <= last {
            month = month.next();
            months.insert((grant.bill_to, month), OnceLock::new());
        }
    }
    months
}

impl<'a> Desk<'a> {
    /// How every grant of a partner stands at the end of a month; grants that begin later are left out.
    #[must_use]
    pub fn balances(&self, bill_to: Guid, period: Period) -> Vec<Balance<'a>> {
        let (before, after) = (self.drawn_until(bill_to, period), self.drawn_until(bill_to, period.next()));
        let grants = self.facts.charges.credits_of(bill_to).into_iter();
        let begun = grants.filter(|grant| grant.from < period.next().first_day());
        let of = |drawn: &Drawn, grant: &AzureCreditGranted| drawn.0.get(&own(grant)).cloned().unwrap_or_default();
        let balance = |grant: &'a AzureCreditGranted| {
            let (drawn_before, all) = (of(&before, grant), of(&after, grant));
            Balance {
                grant,
                drawn: &all - &drawn_before,
                left: &Exact::from(grant.amount) - &all,
                drawn_before,
                expired: grant.until <= period.next().first_day(),
            }
        };
        begun.map(balance).collect()
    }

    /// What pays for which part of a month; nothing where no grant runs in it.
    pub(super) fn allocation(&self, bill_to: Guid, period: Period) -> Option<Allocation<'a>> {
        let grants = self.running(bill_to, period);
        if grants.is_empty() {
            return None;
        }
        let before = self.drawn_until(bill_to, period);
        Some(self.allocate(bill_to, period, grants, before).0)
    }

    /// RATE-11: a grant that can pay for nothing as it was told is named in the months that it is about.
    /// Source: Azure credit offer balance (2022-07-27): it belongs to a customer and has a first and a
    /// last day.
    pub(super) fn useless_credits(&self, notes: &mut Notes) {
        let month = notes.period;
        let (bill_to, end) = (notes.bill_to, month.next().first_day());
        for (event, grant) in self.facts.charges.credits().filter(|(_, grant)| grant.bill_to == bill_to) {
            let empty = grant.until <= grant.from;
            let here =
                if empty { grant.from.period() == month } else { grant.from < end && grant.until > month.first_day() };
            if let Some(why) = self.pays_for_nothing(grant, empty, end).filter(|_| here) {
                let about = About { customer: Some(grant.customer), plan: grant.plan, ..notes.about() };
                notes.note_with(Code::UselessCredit, about, format!("credit `{}`: {why}", grant.grant), event);
            }
        }
    }

    /// RATE-11: one grant that several events tell in different ways is named in the months that any of them is
    /// about: what it may pay is not known.
    pub(super) fn contradicted_credits(&self, notes: &mut Notes) {
        let (first, end) = (notes.period.first_day(), notes.period.next().first_day());
        let mut told: BTreeMap<Own, Vec<(Identity, &AzureCreditGranted)>> = BTreeMap::new();
        for (event, grant) in self.facts.charges.credits().filter(|(_, grant)| grant.bill_to == notes.bill_to) {
            told.entry(own(grant)).or_default().push((event, grant));
        }
        let terms = |grant: &AzureCreditGranted| (grant.from, grant.until, grant.amount, grant.scope.clone());
        for ((customer, plan, grant), mut told) in told {
            told.sort_by_key(|(event, grant)| (terms(grant), *event));
            let one = told.iter().all(|(_, grant)| terms(grant) == terms(told[0].1));
            if one || !told.iter().any(|(_, grant)| grant.from < end && grant.until > first) {
                continue;
            }
            let mut ways: Vec<String> = told.iter().map(|(_, grant)| in_words(grant)).collect();
            ways.dedup();
            let detail = format!("credit `{grant}` is told as {}", ways.join(", and as "));
            for (event, _) in told {
                let about = About { customer: Some(customer), plan, ..notes.about() };
                notes.note_with(Code::ContradictedCredit, about, detail.clone(), event);
            }
        }
    }

    /// Why no usage can draw on a grant, by what is known of plans and subscriptions before `end`.
    fn pays_for_nothing(&self, grant: &AzureCreditGranted, empty: bool, end: Day) -> Option<&'static str> {
        let named = grant.plan.map(|plan| self.commerce.plan(plan));
        let fits = |plan: &PlanCreated| {
            plan.bill_to == grant.bill_to && plan.customer == grant.customer && Day::of(plan.at) < end
        };
        let elsewhere = |scope: &Scope| {
            let placed = scope.subscription().map_or(&[][..], |subscription| self.commerce.placements(subscription));
            !placed.iter().any(|one| one.customer == grant.customer && one.bill_to == grant.bill_to)
        };
        if empty {
            return Some("its last day lies before its first");
        }
        match named {
            Some(None) => return Some("its plan is not known"),
            Some(Some(plan)) if !fits(plan) => {
                return Some("its plan is another customer's or billed to another partner");
            }
            Some(Some(_)) => {}
            None if self.commerce.customer(grant.customer).is_none() => {
                return Some("its customer was never registered");
            }
            None if !self.commerce.plans().any(fits) => {
                return Some("its customer has no plan that is billed to the partner");
            }
            None => {}
        }
        grant
            .scope
            .as_ref()
            .filter(|scope| elsewhere(scope))
            .map(|_| "its scope lies in no subscription of its customer")
    }

    fn running(&self, bill_to: Guid, period: Period) -> Vec<&'a AzureCreditGranted> {
        let mut grants = self.facts.charges.credits_of(bill_to);
        let (first, end) = (period.first_day(), period.next().first_day());
        grants.retain(|grant| grant.from < end && grant.until > first);
        grants
    }

    /// What was drawn before a month begins. Months already known are not drawn again.
    fn drawn_until(&self, bill_to: Guid, period: Period) -> Drawn {
        let newest = self.drawn.range(..=(bill_to, period)).next_back().filter(|((partner, _), _)| *partner == bill_to);
        let Some(((_, month), drawn)) = newest else { return Drawn::default() };
        let draw = || {
            let before = month.previous();
            let (running, drawn) = (self.running(bill_to, before), self.drawn_until(bill_to, before));
            if running.is_empty() { drawn } else { self.allocate(bill_to, before, running, drawn).1 }
        };
        drawn.get_or_init(draw).clone()
    }

    /// RATE-11: a grant is drawn at list charge in USD, on first-party usage only, within the scope and
    /// days that it states, in order of day, plan, meter, resource and tier, before any other credit.
    /// The part that it pays is split off by money: money ÷ price, rounded down at 15 decimals; the
    /// rest stays as it was. Of several grants the one that ends first is drawn first. Source: Azure
    /// credit offer balance (2022-07-27): before partner earned credit, first-party Azure only.
    fn allocate(
        &self,
        bill_to: Guid,
        period: Period,
        grants: Vec<&'a AzureCreditGranted>,
        mut drawn: Drawn,
    ) -> (Allocation<'a>, Drawn) {
        let mut notes = Notes { bill_to, period, seen: BTreeMap::new() };
        let mut pricing = Pricing::new(&self.facts.prices, period);
        let mut allocation = Allocation { grants, parts: BTreeMap::new() };
        let mut plans: Vec<(Guid, Cells<'_>)> = Vec::new();
        let policies: Vec<Policy> = period.days().map(|day| self.facts.policy.at(day)).collect();
        for (plan, subscriptions) in self.plans_of(bill_to) {
            let customer = self.commerce.plan(plan).map(|plan| plan.customer);
            let may = |grant: &&AzureCreditGranted| {
                customer == Some(grant.customer) && grant.plan.is_none_or(|named| named == plan)
            };
            if allocation.grants.iter().any(may) {
                let mut sheet = Sheet::new(self.commerce, plan, period, &policies);
                self.gather(&mut sheet, plan, &subscriptions, &mut pricing, &mut notes);
                plans.push((plan, sheet.cells(&pricing)));
            }
        }
        let mut candidates = Vec::new();
        for (plan, cells) in &plans {
            first_party(*plan, cells, &pricing, period, &mut candidates);
        }
        candidates.sort_by_key(|one| (one.day, one.plan, one.meter, one.scope, one.tier, one.place));
        for candidate in &candidates {
            draw(&allocation.grants, candidate, &mut drawn, allocation.parts.entry(candidate.place).or_default());
        }
        allocation.parts.retain(|_, parts| !parts.is_empty());
        (allocation, drawn)
    }
}

/// How much a grant pays, when and where.
fn in_words(grant: &AzureCreditGranted) -> String {
    let scope = grant.scope.as_ref().map_or_else(String::new, |scope| format!(" in {scope}"));
    format!("{} USD from {} until {}{scope}", grant.amount, grant.from, grant.until)
}

/// The parts of one plan's usage that a grant may pay, after coverage has taken its share.
fn first_party<'c>(
    plan: Guid,
    cells: &'c Cells<'_>,
    pricing: &'c Pricing<'_>,
    period: Period,
    candidates: &mut Vec<Candidate<'c>>,
) {
    cells.each(&mut |cell, parts| {
        let (spot, priced) = (&cells.spots[cell.spot as usize], pricing.priced(cell.tariff));
        let row = priced.bands[0].row;
        let ours =
            spot.placement.offer != Offer::Legacy && !has_tag(row, "Third Party") && !has_tag(row, "Marketplace");
        for (band, number, quantity) in crossed(&priced.bands, parts.from, parts.from + parts.charged) {
            let price = Exact::from(band.row.unit_price);
            if ours && !price.is_zero() && !quantity.is_negative() {
                candidates.push(Candidate {
                    day: Day(period.first_day().0 + i32::from(cell.day)),
                    plan,
                    meter: pricing.meter(cell.group),
                    scope: spot.scope,
                    tier: band.tier,
                    place: (plan, parts.index, number),
                    customer: spot.placement.customer,
                    quantity,
                    price,
                });
            }
        }
    });
}

fn draw(grants: &[&AzureCreditGranted], candidate: &Candidate<'_>, drawn: &mut Drawn, parts: &mut Vec<Paid>) {
    let mut rest = candidate.quantity;
    // What grants that were used up here paid beyond their quantities × price: the rest costs less by it.
    let mut beyond = Exact::zero();
    for (number, grant) in (0_u16..).zip(grants) {
        let runs = grant.from <= candidate.day && candidate.day < grant.until;
        let here = grant.customer == candidate.customer
            && grant.plan.is_none_or(|plan| plan == candidate.plan)
            && grant.scope.as_ref().is_none_or(|scope| scope.contains(candidate.scope));
        if !runs || !here || rest.is_zero() {
            continue;
        }
        let sum = drawn.0.entry(own(grant)).or_default();
        let left = &Exact::from(grant.amount) - sum;
        if left.is_zero() || left.is_negative() {
            continue;
        }
        let cost = &(&rest.exact() * &candidate.price) - &beyond;
        let (quantity, split) = if cost <= left {
            *sum += &cost;
            (rest, (!beyond.is_zero()).then(|| -&beyond))
        } else {
            let quantity = left.divide(&candidate.price, QUANTITY_DECIMALS, Rounding::TowardZero);
            let quantity =
                quantity.and_then(|quantity| quantity.quantity()).expect("it is less than the quantity that was used");
            if quantity.is_zero() {
                continue;
            }
            *sum += &left;
            let split = &left - &(&quantity.exact() * &candidate.price);
            beyond += &split;
            (quantity, Some(split))
        };
        parts.push(Paid { grant: number, quantity, split });
        rest = rest - quantity;
    }
}
