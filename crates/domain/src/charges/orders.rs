//! Orders in the course of time: bought, paid in instalments, moved, returned; and refunds.
//!
//! Every amount falls on one day and so into one month. An amount is kept as a numerator and a
//! divisor, because a share of a term has no end as a decimal; it is cut only where the line is made.

use std::collections::BTreeMap;

use super::ChargeBook;
use super::cycle::{cycle_start, months, term_end};
use crate::commerce::Commerce;
use crate::entry::{Billing, ChargeAction, ChargeKind, ChargeRecorded, ChargeType, RefundGranted, Term};
use crate::finding::{About, Code, Finding};
use crate::ids::{Currency, Guid, Identity};
use crate::money::Exact;
use crate::period::{Day, Instant, Interval, Period};

/// Hours within which the return of a reservation gives everything back. Source: compare Azure offers (2023-01-11).
const RESERVATION_HOURS: i64 = 5 * 24;
/// The same for what the Marketplace sells. Source: Marketplace refund policies (2024).
const MARKETPLACE_HOURS: i64 = 72;
/// What is kept of a later return of a reservation, in hundredths.
const RETURN_FEE_PERCENT: i64 = 12;
/// Most that a customer may return within a year, in USD.
const YEARLY_RETURNS: i64 = 50_000;
const YEAR_DAYS: i32 = 365;

/// An amount that falls on one day, exact: `unit` × `quantity` ÷ `divisor`, in USD.
#[derive(Clone, Debug, PartialEq)]
pub struct Booked {
    pub customer: Guid,
    pub plan: Guid,
    pub charge_type: ChargeType,
    /// Absent on refunds.
    pub kind: Option<ChargeKind>,
    pub order: Box<str>,
    pub product: Box<str>,
    pub product_title: Box<str>,
    pub sku: Box<str>,
    pub sku_title: Box<str>,
    pub reason: Option<Box<str>>,
    pub at: Instant,
    pub list_price: Exact,
    /// Signed.
    pub unit: Exact,
    pub divisor: Exact,
    pub quantity: Exact,
    pub rule: &'static str,
    pub event: Identity,
    /// Everything that was told of the order until then, the amount's own event included.
    pub behind: Vec<Identity>,
    /// What of the price goes back; absent on what is no return.
    pub back: Option<GivenBack>,
}

/// What a return gives back of the price of one unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GivenBack {
    /// All that the partner billed for it paid: the price, or so many instalments of it.
    Everything { instalments: usize },
    /// The share of the days that are left of the term, or of the instalment that runs, less a fee.
    Rest { left: i32, of: i32, fee_percent: i64 },
}

impl GivenBack {
    /// Of a price, as numerator and divisor.
    fn of(self, price: &Exact) -> (Exact, Exact) {
        let whole = |number: i64| Exact::from(rust_decimal::Decimal::from(number));
        match self {
            Self::Everything { instalments } => {
                (price * &Exact::from(rust_decimal::Decimal::from(instalments)), Exact::one())
            }
            Self::Rest { left, of, .. } => (price * &whole(i64::from(left)), whole(i64::from(of))),
        }
    }

    /// The hundredths of it that go back.
    fn hundredths(self) -> Exact {
        let kept = match self {
            Self::Everything { .. } => 0,
            Self::Rest { fee_percent, .. } => fee_percent,
        };
        Exact::from(rust_decimal::Decimal::new(100 - kept, 2))
    }
}

impl Booked {
    #[must_use]
    pub fn day(&self) -> Day {
        Day::of(self.at)
    }
}

/// One purchase or renewal, and what became of it.
struct Run<'a> {
    identity: Identity,
    bought: &'a ChargeRecorded,
    /// Since when it is under which plan; the purchase first.
    holders: Vec<(Instant, Guid)>,
    /// Since when the partner that is billed for it now has been: what was paid before stays with another one.
    paid_since: Instant,
    /// Returned how much, when.
    returned: Vec<(Instant, Exact)>,
    /// Moved to a partner billed in another currency: no instalment starts from here on.
    ends: Option<Instant>,
    /// All that was told of it, in order of time; the purchase first.
    told: Vec<(Instant, Identity)>,
}

impl Run<'_> {
    fn left_at(&self, at: Instant) -> Exact {
        let returned = self.returned.iter().filter(|(when, _)| *when < at).map(|(_, quantity)| quantity);
        &Exact::from(self.bought.quantity) - &returned.sum()
    }

    fn plan_at(&self, at: Instant) -> Guid {
        let held = self.holders.iter().rev().find(|(since, _)| *since <= at);
        held.map_or(self.bought.plan, |(_, plan)| *plan)
    }

    fn bought_day(&self) -> Day {
        Day::of(self.bought.at)
    }

    fn monthly(&self) -> bool {
        self.bought.billing == Billing::Monthly && self.bought.term != Term::None
    }

    /// The starts of its instalments; the first is the purchase itself.
    fn cycles(&self) -> impl Iterator<Item = (u32, Instant)> {
        let count = if self.monthly() { months(self.bought.term).unwrap_or(1) } else { 1 };
        let (bought, term, at) = (self.bought_day(), self.bought.term, self.bought.at);
        (0..count).map(move |number| {
            let start = if number == 0 { at } else { cycle_start(bought, number, term).start() };
            (number, start)
        })
    }

    /// Under which plan a reservation is active, and when: until its term ends or all of it was returned.
    fn reserved(&self) -> Vec<(Guid, Interval)> {
        if self.bought.kind != ChargeKind::Reservation {
            return Vec::new();
        }
        let term = term_end(self.bought_day(), self.bought.term).map_or(Instant::MAX_UTC, Day::start);
        let mut returned: Vec<Instant> = self.returned.iter().map(|(when, _)| *when).collect();
        returned.sort_unstable();
        let after = |when: &Instant| self.left_at(*when + chrono::TimeDelta::nanoseconds(1)).is_zero();
        let end = returned.into_iter().find(after).map_or(term, |when| when.min(term));
        let until = self.holders.iter().skip(1).map(|(since, _)| *since).chain([end]);
        let held = self.holders.iter().zip(until);
        held.map(|((since, plan), until)| (*plan, Interval::new(*since, until.min(end)))).collect()
    }

    fn book(&self, charge_type: ChargeType, at: Instant, rule: &'static str) -> Booked {
        let bought = self.bought;
        Booked {
            customer: bought.customer,
            plan: self.plan_at(at),
            charge_type,
            kind: Some(bought.kind),
            order: bought.order.clone(),
            product: bought.product.clone(),
            product_title: bought.product_title.clone(),
            sku: bought.sku.clone(),
            sku_title: bought.sku_title.clone(),
            reason: None,
            at,
            list_price: Exact::from(bought.unit_price),
            unit: Exact::from(bought.unit_price),
            divisor: Exact::one(),
            quantity: Exact::from(bought.quantity),
            rule,
            event: self.identity,
            behind: self.told.iter().filter(|(when, _)| *when <= at).map(|(_, identity)| *identity).collect(),
            back: None,
        }
    }
}

/// Every order and refund that was told, played to the end.
pub struct Orders {
    pub booked: Vec<Booked>,
    pub findings: Vec<Finding>,
    /// What was returned, before the fee, by customer: for the yearly limit.
    returns: BTreeMap<Guid, Vec<(Day, Exact, Identity)>>,
    /// Which plan a reservation was active under, and when.
    reserved: Vec<(Guid, Interval)>,
}

/// What falls into a partner's month, in order of day, order and type.
pub fn booked(
    book: &ChargeBook,
    commerce: &Commerce,
    currency: &dyn Fn(Guid, Instant) -> Option<Currency>,
    bill_to: Guid,
    period: Period,
) -> (Vec<Booked>, Vec<Finding>) {
    let orders = Orders::play(book, commerce, currency);
    let ours = |plan: Guid| commerce.plan(plan).is_some_and(|plan| plan.bill_to == bill_to);
    let mut booked: Vec<Booked> =
        orders.booked.into_iter().filter(|one| one.day().period() == period && ours(one.plan)).collect();
    booked
        .sort_by(|one, other| (one.at, &one.order, one.charge_type).cmp(&(other.at, &other.order, other.charge_type)));
    let concerns = |finding: &Finding| {
        finding.about.day.is_none_or(|day| day.period() == period)
            && finding.about.plan.and_then(|plan| commerce.plan(plan)).is_none_or(|plan| plan.bill_to == bill_to)
    };
    let findings = orders.findings.into_iter().filter(concerns).map(|mut finding| {
        finding.about.bill_to = Some(bill_to);
        finding
    });
    (booked, findings.collect())
}

impl Orders {
    #[must_use]
    pub fn play(book: &ChargeBook, commerce: &Commerce, currency: &dyn Fn(Guid, Instant) -> Option<Currency>) -> Self {
        let (booked, findings, reserved) = (Vec::new(), Vec::new(), Vec::new());
        let mut orders = Self { booked, findings, returns: BTreeMap::new(), reserved };
        let mut told: BTreeMap<&str, Vec<(Instant, ChargeAction, Identity, &ChargeRecorded)>> = BTreeMap::new();
        for (identity, charge) in book.charges() {
            told.entry(&charge.order).or_default().push((charge.at, charge.action, identity, charge));
        }
        for changes in told.values_mut() {
            changes.sort_by_key(|(at, action, identity, _)| (*at, *action, *identity));
            let runs = orders.runs(changes, commerce, currency);
            for run in &runs {
                orders.instalments(run);
                orders.reserved.extend(run.reserved());
            }
        }
        for (identity, refund) in book.refunds() {
            orders.refund(identity, refund);
        }
        orders.known_plans(commerce);
        orders.yearly_limit();
        orders
    }

    /// Whether a reservation is active under a plan at an instant.
    #[must_use]
    pub fn is_reserved(&self, plan: Guid, at: Instant) -> bool {
        self.reserved.iter().any(|(under, interval)| *under == plan && interval.contains(at))
    }

    /// The purchases of one order with their moves and returns, which are booked as they come.
    fn runs<'a>(
        &mut self,
        changes: &[(Instant, ChargeAction, Identity, &'a ChargeRecorded)],
        commerce: &Commerce,
        currency: &dyn Fn(Guid, Instant) -> Option<Currency>,
    ) -> Vec<Run<'a>> {
        let mut runs: Vec<Run<'a>> = Vec::new();
        for (at, action, identity, charge) in changes {
            if let Some(run) = runs.last_mut() {
                run.told.push((*at, *identity));
            }
            match (action, runs.last_mut()) {
                (ChargeAction::New | ChargeAction::Renew, _) => runs.push(Run {
                    identity: *identity,
                    bought: charge,
                    holders: vec![(*at, charge.plan)],
                    paid_since: *at,
                    returned: Vec::new(),
                    ends: None,
                    told: vec![(*at, *identity)],
                }),
                (_, None) => self.odd(Code::OverdrawnOrder, charge, *identity, "the order was never bought"),
                (ChargeAction::CancelImmediate, Some(run)) => self.returned(run, charge, *identity),
                (ChargeAction::MoveQuantity, Some(run)) => self.moved(run, charge, *identity, commerce, currency),
            }
        }
        runs
    }

    /// INV-11: a reservation returned within five days gives back all that was paid; later the share of
    /// the days that are left, less 12 %. A savings plan is final; what the Marketplace sells goes back
    /// within 72 hours, later only by a refund of its publisher. What was paid in advance and moved to
    /// another partner cannot be returned. Source: compare Azure offers (2023-01-11); Azure savings plan
    /// cancellation policies (2023-11-17); Marketplace refund policies; transfer of subscriptions
    /// (2023-09-14).
    fn returned(&mut self, run: &mut Run<'_>, charge: &ChargeRecorded, identity: Identity) {
        let (at, asked) = (charge.at, Exact::from(charge.quantity));
        let left = run.left_at(at + chrono::TimeDelta::nanoseconds(1));
        let quantity = asked.clone().min(left.clone());
        if asked > left {
            let detail = format!("returns {asked} where {left} are left");
            self.odd(Code::OverdrawnOrder, charge, identity, &detail);
        }
        if run.holders.len() > 1 && !run.monthly() {
            self.odd(
                Code::ReturnRefused,
                charge,
                identity,
                "it was paid in advance and has moved to another plan since",
            );
            return;
        }
        let back = match given_back(run, at) {
            Ok(back) => back,
            Err(why) => return self.odd(Code::ReturnRefused, charge, identity, why),
        };
        let (unit, divisor) = back.of(&Exact::from(run.bought.unit_price));
        run.returned.push((at, quantity.clone()));
        let value = (&unit * &quantity).divide(&divisor, 2, crate::money::Rounding::TowardZero);
        let returns = self.returns.entry(charge.customer).or_default();
        returns.push((Day::of(at), value.expect("a term has days"), identity));
        let unit = -&(&unit * &back.hundredths());
        let booked = run.book(ChargeType::CancelImmediate, at, "INV-11");
        self.booked.push(Booked { unit, divisor, quantity, event: identity, back: Some(back), ..booked });
    }

    /// INV-16: an order that moves is not prorated: the source keeps the last full instalment, the
    /// next one goes to the destination; where that is billed in another currency, none follows.
    /// Source: transfer of Azure subscriptions (2023-09-14).
    fn moved(
        &mut self,
        run: &mut Run<'_>,
        charge: &ChargeRecorded,
        identity: Identity,
        commerce: &Commerce,
        currency: &dyn Fn(Guid, Instant) -> Option<Currency>,
    ) {
        let left = run.left_at(charge.at);
        if Exact::from(charge.quantity) != left {
            let detail = format!("moves {} where {left} are left; an order moves as a whole", charge.quantity);
            self.odd(Code::OverdrawnOrder, charge, identity, &detail);
        }
        let partner = |plan: Guid| commerce.plan(plan).map(|plan| plan.bill_to);
        let (source, target) = (partner(run.plan_at(charge.at)), partner(charge.plan));
        let billed = |partner: Option<Guid>| partner.and_then(|partner| currency(partner, charge.at));
        let (from, to) = (billed(source), billed(target));
        run.holders.push((charge.at, charge.plan));
        if source != target {
            run.paid_since = charge.at;
        }
        if run.monthly() && from != to {
            run.ends = Some(charge.at);
            self.odd(Code::MovedCurrency, charge, identity, "the new partner is billed in another currency");
        }
    }

    /// INV-9: a purchase is charged on its day, one paid monthly again at the start of every cycle of
    /// its term, each at the exchange rate of its own month. Source: billing basics (2023-01-11);
    /// common billing scenarios (2022-11-08).
    fn instalments(&mut self, run: &Run<'_>) {
        for (number, at) in run.cycles() {
            let left = run.left_at(at);
            if left.is_zero() || left.is_negative() || (number > 0 && run.ends.is_some_and(|ends| at >= ends)) {
                break;
            }
            let charge_type = match (number, run.bought.action) {
                (0, ChargeAction::Renew) => ChargeType::Renew,
                (0, _) => ChargeType::New,
                _ => ChargeType::CycleCharge,
            };
            let quantity = if number == 0 { Exact::from(run.bought.quantity) } else { left };
            let booked = run.book(charge_type, at, "INV-9");
            self.booked.push(Booked { quantity, ..booked });
        }
    }

    /// INV-13: a refund is a line of type customerCredit with its reason. Source: request a credit;
    /// use the reconciliation files (2023-10-12).
    fn refund(&mut self, identity: Identity, refund: &RefundGranted) {
        self.booked.push(Booked {
            customer: refund.customer,
            plan: refund.plan,
            charge_type: ChargeType::CustomerCredit,
            kind: None,
            order: refund.refund.clone(),
            product: "".into(),
            product_title: "Refund".into(),
            sku: "".into(),
            sku_title: "".into(),
            reason: Some(refund.reason.clone()),
            at: refund.at,
            list_price: Exact::from(refund.amount),
            unit: -&Exact::from(refund.amount),
            divisor: Exact::one(),
            quantity: Exact::one(),
            rule: "INV-13",
            event: identity,
            behind: vec![identity],
            back: None,
        });
    }

    /// A charge of a plan that nobody knows stops everybody; a purchase under a cancelled plan its partner. What
    /// was bought before goes on being charged, and is named: nobody states that an order ends with its plan.
    ///
    /// INV-9: so does one that its plan contradicts: nothing is bought under a plan that is not there yet or is
    /// suspended, and what a plan's customer did not buy is not charged to it. Source: reservations hang on an
    /// active plan (compare Azure offers, 2023-01-11).
    fn known_plans(&mut self, commerce: &Commerce) {
        for booked in &self.booked {
            let about = About {
                customer: Some(booked.customer),
                plan: Some(booked.plan),
                day: Some(booked.day()),
                ..About::default()
            };
            let order = &booked.order;
            let (code, detail) = match commerce.plan(booked.plan) {
                None => (Code::NoPlacement, format!("charge `{order}` names a plan that is not known")),
                Some(plan) if plan.customer != booked.customer => {
                    let theirs = plan.customer;
                    (
                        Code::ContradictedOrder,
                        format!("charge `{order}` is for another customer than its plan's, {theirs}"),
                    )
                }
                Some(plan) if booked.at < plan.at => {
                    let created = Day::of(plan.at);
                    (Code::ContradictedOrder, format!("charge `{order}` lies before its plan was created on {created}"))
                }
                Some(_)
                    if booked.charge_type == ChargeType::New
                        && commerce.plan_cancelled(booked.plan).is_some_and(|since| since <= booked.at) =>
                {
                    (Code::NoPlacement, format!("order `{order}` was bought under a plan that was cancelled"))
                }
                Some(_)
                    if matches!(booked.charge_type, ChargeType::Renew | ChargeType::CycleCharge)
                        && commerce.plan_cancelled(booked.plan).is_some_and(|since| since <= booked.at) =>
                {
                    (Code::PlanInUse, format!("order `{order}` is paid on under a plan that was cancelled"))
                }
                Some(_)
                    if booked.charge_type == ChargeType::New
                        && commerce.suspensions(booked.plan).iter().any(|away| away.contains(booked.at)) =>
                {
                    (Code::ContradictedOrder, format!("order `{order}` was bought under a plan that was suspended"))
                }
                Some(_) => continue,
            };
            let finding = Finding::new(code, about, detail);
            self.findings.push(Finding { events: vec![booked.event], ..finding });
        }
    }

    /// INV-11: what a customer returns within a year is limited.
    fn yearly_limit(&mut self) {
        let limit = Exact::from(rust_decimal::Decimal::from(YEARLY_RETURNS));
        for (customer, returns) in &mut self.returns {
            returns.sort_by_key(|one| (one.0, one.2));
            for (index, (day, _, identity)) in returns.iter().enumerate() {
                let within = returns[..=index].iter().filter(|(before, ..)| before.0 > day.0 - YEAR_DAYS);
                let sum: Exact = within.map(|(_, value, _)| value).sum();
                if sum > limit {
                    let plan = self.booked.iter().find(|booked| booked.event == *identity).map(|booked| booked.plan);
                    let about = About { customer: Some(*customer), plan, day: Some(*day), ..About::default() };
                    let detail = format!("returns of the year come to {sum} USD, above {limit}");
                    let finding = Finding::new(Code::ReturnRefused, about, detail);
                    self.findings.push(Finding { events: vec![*identity], ..finding });
                }
            }
        }
    }

    fn odd(&mut self, code: Code, charge: &ChargeRecorded, identity: Identity, detail: &str) {
        let about = About {
            customer: Some(charge.customer),
            plan: Some(charge.plan),
            day: Some(Day::of(charge.at)),
            ..About::default()
        };
        let finding = Finding::new(code, about, format!("order `{}`: {detail}", charge.order));
        self.findings.push(Finding { events: vec![identity], ..finding });
    }
}

/// What the return of one unit gives back, or why nothing.
fn given_back(run: &Run<'_>, at: Instant) -> Result<GivenBack, &'static str> {
    let within = |hours: i64| at - run.bought.at <= chrono::TimeDelta::hours(hours);
    let paid = |start: Instant| run.paid_since <= start && start <= at;
    let everything = || GivenBack::Everything { instalments: run.cycles().filter(|(_, start)| paid(*start)).count() };
    match run.bought.kind {
        ChargeKind::SavingsPlan => Err("a savings plan is final"),
        ChargeKind::Reservation if within(RESERVATION_HOURS) => Ok(everything()),
        ChargeKind::Marketplace | ChargeKind::ThirdParty if within(MARKETPLACE_HOURS) => Ok(everything()),
        ChargeKind::Marketplace | ChargeKind::ThirdParty => Err("72 hours have passed"),
        ChargeKind::Reservation => unused(run, at).ok_or("it has no term, and five days have passed"),
    }
}

/// The days that are left: of the whole term, or of the instalment that runs, which gives nothing back to a
/// partner that did not pay it (INV-16). `None` without a term.
fn unused(run: &Run<'_>, at: Instant) -> Option<GivenBack> {
    let (from, to) = if run.monthly() {
        let (number, start) = run.cycles().filter(|(_, start)| *start <= at).last()?;
        if start < run.paid_since {
            return Some(GivenBack::Everything { instalments: 0 });
        }
        let cycle = |number| cycle_start(run.bought_day(), number, run.bought.term);
        (cycle(number), cycle(number + 1))
    } else {
        (run.bought_day(), term_end(run.bought_day(), run.bought.term)?)
    };
    let left = (to.0 - Day::of(at).0).max(0);
    Some(GivenBack::Rest { left, of: to.0 - from.0, fee_percent: RETURN_FEE_PERCENT })
}
