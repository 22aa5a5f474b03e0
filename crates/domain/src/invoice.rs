//! The draft invoice: what a partner should be charged for a month, line by line, as Microsoft's
//! reconciliation file prints it, with the credit and the reason for every missing credit.
//!
//! Pieces are added up exactly and each line is cut once, never resource by resource. The charge is
//! the fact; the effective unit price is derived from it so that it multiplies back. Missing credit
//! by reason adds up, exactly, to all missing credit. A draft is never refused: what does not add
//! up comes beside it as findings.

mod line;
mod beside;
mod tax;

use std::collections::BTreeMap;

pub use beside::{Amount, amounts_of};
pub use line::{Line, TooLong};
pub use tax::{TaxRate, cut_tax, due_tax};

use crate::charges::booked;
use crate::entry::LineKey;
use crate::finding::{About, Code, Finding};
use crate::ids::{Currency, Guid};
use crate::money::Exact;
use crate::pec::LostCode;
use crate::period::{Day, Instant, Period};
use crate::policy::{Policy, RULES_VERSION, Tax};
use crate::rating::{Desk, Judging, Part, Piece};
use line::Sum;

/// What Microsoft should charge a partner for a month in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub bill_to: Guid,
    /// The currency of subtotals and total; USD where the one asked for has no rate.
    pub currency: Currency,
    pub period: Period,
    /// PCToBCExchangeRate: billing currency per USD.
    pub exchange_rate: Exact,
    /// In order of their keys.
    pub lines: Vec<Line>,
    /// How tax is drawn; absent where it is off or no rate is known.
    pub tax: Option<TaxRate>,
    /// The policy of the month's first day, by which amounts are cut.
    pub policy: Policy,
    pub rules_version: u32,
}

/// Sums over lines. Amounts in USD are exact, others as printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    pub lines: usize,
    /// List charge before any rounding, in USD.
    pub list: Exact,
    /// Credit earned, exact, in USD: list − net.
    pub earned: Exact,
    /// Credit lost by reason, exact, in USD.
    pub lost: BTreeMap<LostCode, Exact>,
    pub subtotal: Exact,
    pub subtotal_without_credit: Exact,
}

impl Totals {
    fn add(&mut self, line: &Line) {
        self.lines += 1;
        self.list += &line.list_charge;
        self.earned += &line.credit();
        for (code, amount) in &line.lost {
            *self.lost.entry(*code).or_default() += amount;
        }
        self.subtotal += &line.subtotal;
        self.subtotal_without_credit += &line.subtotal_without_credit;
    }

    /// Printed credit: Subtotals without PEC minus Subtotals with it.
    #[must_use]
    pub fn printed_credit(&self) -> Exact {
        &self.subtotal_without_credit - &self.subtotal
    }

    /// INV-5: missing credit, exact: the reasons add up to it.
    #[must_use]
    pub fn missing(&self) -> Exact {
        self.lost.values().sum()
    }
}

/// By what lines are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    Customer,
    Plan,
    Reseller,
}

impl Draft {
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.lines.iter().fold(Totals::default(), |mut totals, line| {
            totals.add(line);
            totals
        })
    }

    /// INV-4: the amount to pay, in the currency's minor unit, and the visible rounding line.
    #[must_use]
    pub fn total_and_rounding(&self) -> (Exact, Exact) {
        let subtotal = self.totals().subtotal;
        let total = subtotal.round(self.currency.minor_unit(), self.policy.invoice_rounding);
        let rounding = &total - &subtotal;
        (total, rounding)
    }

    /// INV-12: the tax of the whole draft, beside its total; absent where none is drawn.
    #[must_use]
    pub fn tax(&self) -> Option<Exact> {
        let by_line = || self.lines.iter().filter_map(|line| line.tax.as_ref()).sum();
        let of = |tax: &TaxRate| tax.of(&self.totals().subtotal, &by_line(), self.currency);
        self.tax.as_ref().map(|tax| due_tax(&of(tax), self.currency))
    }

    /// Totals by customer, plan or reseller of record; a plan sold direct has an empty reseller.
    #[must_use]
    pub fn grouped(&self, grouping: Grouping) -> BTreeMap<String, Totals> {
        let mut groups: BTreeMap<String, Totals> = BTreeMap::new();
        for line in &self.lines {
            let name = match grouping {
                Grouping::Customer => line.key.customer.to_string(),
                Grouping::Plan => line.key.plan.to_string(),
                Grouping::Reseller => line.key.reseller.as_deref().unwrap_or("").to_owned(),
            };
            groups.entry(name).or_default().add(line);
        }
        groups
    }
}

/// Drafts a partner's month. Every piece behind the lines is shown to `daily` as it passes: the
/// daily lines, by resource and day, which are too many to keep unless somebody asks.
///
/// INV-1: one line per line key, cut once. INV-3: without a rate the draft is in USD and cannot be
/// issued.
pub fn draft_with(
    desk: &Desk<'_>,
    bill_to: Guid,
    currency: Currency,
    period: Period,
    judging: &mut Judging<'_>,
    daily: &mut dyn FnMut(&Piece<'_>),
) -> (Draft, Vec<Finding>) {
    let share = Share::rate(desk, (bill_to, currency, period), &|_| true, judging, daily);
    draft_of(desk, (bill_to, currency, period), share)
}

/// Some plans of a partner's month, rated and added up, and not yet cut: plans need nothing of each
/// other, so that they may be rated side by side.
pub struct Share {
    sums: Vec<Sums>,
    part: Part,
}

impl Share {
    /// Rates the plans that are wanted. `daily` sees every piece of them, plan by plan.
    pub fn rate(
        desk: &Desk<'_>,
        (bill_to, currency, period): (Guid, Currency, Period),
        wanted: &dyn Fn(Guid) -> bool,
        judging: &mut Judging<'_>,
        daily: &mut dyn FnMut(&Piece<'_>),
    ) -> Self {
        let mut sums = Sums::default();
        let (plans, _) = desk.plans_in(bill_to, currency, period);
        let billed = |plan: Guid| plans.as_ref().is_none_or(|plans| plans.contains(&plan));
        let part = desk.rate_part(bill_to, period, wanted, judging, &mut |piece| {
            if !billed(piece.plan) {
                return;
            }
            sums.add(piece);
            daily(piece);
        });
        Self { sums: vec![sums], part }
    }

    /// Adds other plans of the same partner, currency and month.
    pub fn join(&mut self, other: Self) {
        self.sums.extend(other.sums);
        self.part.join(other.part);
    }
}

/// The draft that all plans of a partner's month come to.
pub fn draft_of(
    desk: &Desk<'_>,
    (bill_to, currency, period): (Guid, Currency, Period),
    share: Share,
) -> (Draft, Vec<Finding>) {
    let (plans, unclear) = desk.plans_in(bill_to, currency, period);
    let billed = |plan: Guid| plans.as_ref().is_none_or(|plans| plans.contains(&plan));
    let mut findings = desk.conclude(share.part);
    let policy = desk.facts.policy.at(period.first_day());
    let about = || About { bill_to: Some(bill_to), period: Some(period), ..About::default() };
    let mut no_rate = None;
    let (currency, exchange_rate) = match desk.facts.prices.billing_per_pricing(period, currency, &policy) {
        Some(rate) => {
            if !rate.rivals.is_empty() {
                let detail = format!("several rates of {currency} were published at one time");
                let finding = Finding::new(Code::EqualRates, about(), detail);
                findings.push(Finding { events: rate.rivals, ..finding });
            }
            (currency, rate.value)
        }
        None => {
            let detail = format!("no rate of {currency} is known for {period}");
            no_rate = Some(Finding::new(Code::NoRate, about(), detail));
            (Currency::USD, Exact::one())
        }
    };
    let cut = |sums: Sums| sums.lines(period, &exchange_rate, &policy);
    let mut lines: Vec<Line> = share.sums.into_iter().flat_map(cut).collect();
    lines.sort_by(|one, other| one.key.cmp(&other.key));
    lines.extend(beside::given_back(&lines));
    let billed_in = |partner: Guid, at: Instant| desk.billing_currency(partner, at);
    let (booked, odd) = booked(&desk.facts.charges, desk.commerce, &billed_in, bill_to, period);
    findings.extend(odd.into_iter().chain(unclear));
    let booked: Vec<_> = booked.into_iter().filter(|one| billed(one.plan)).collect();
    lines.extend(beside::charged(&booked, desk.commerce, period, &exchange_rate, &policy));
    lines.sort_by(|one, other| one.key.cmp(&other.key));
    // A month in which nothing was used, charged or issued needs no rate.
    let something = || !lines.is_empty() || desk.months(bill_to).contains(&period);
    let issued = || desk.facts.issued.documented_periods(bill_to).contains(&period);
    findings.extend(no_rate.filter(|_| something() || issued()));
    let (tax, untaxed) = tax_rate(desk, bill_to, period);
    findings.extend(untaxed.filter(|_| !lines.is_empty()));
    findings.extend(equal_policies(desk, period).map(|finding| Finding { about: about(), ..finding }));
    if let Some(tax) = &tax {
        tax.write(&mut lines);
    }
    (Draft { bill_to, currency, period, exchange_rate, lines, tax, policy, rules_version: RULES_VERSION }, findings)
}

/// How a month is taxed: by the rate in force for the partner on its last day. Absent where the policy
/// says off; a finding where it does not and no rate is known, or several are.
pub fn tax_rate(desk: &Desk<'_>, bill_to: Guid, period: Period) -> (Option<TaxRate>, Option<Finding>) {
    let drawn = desk.facts.policy.at(period.first_day()).tax;
    if drawn == Tax::Off {
        return (None, None);
    }
    let last = Day(period.next().first_day().0 - 1);
    let about = About { bill_to: Some(bill_to), period: Some(period), ..About::default() };
    match desk.facts.charges.tax_at(bill_to, last) {
        Some(set) => {
            let rivals = (!set.rivals.is_empty()).then(|| {
                let detail = format!("several tax rates begin on {}; {} is used", set.from, set.rate);
                Finding { events: set.rivals, ..Finding::new(Code::EqualTax, about, detail) }
            });
            (Some(TaxRate { rate: Exact::from(set.rate), drawn }), rivals)
        }
        None => {
            (None, Some(Finding::new(Code::UnknownTax, about, format!("no tax rate is known at the end of {period}"))))
        }
    }
}

/// INV-7: a revision that two documents claim for different things, where it is in force in a month.
fn equal_policies(desk: &Desk<'_>, period: Period) -> impl Iterator<Item = Finding> {
    let rivals = desk.facts.policy.rivals(period).into_iter();
    rivals.map(|(revision, events)| {
        let detail = format!("several policy documents are revision {revision}");
        Finding { events, ..Finding::new(Code::EqualPolicies, About::default(), detail) }
    })
}

/// [`draft_with`], for who wants no daily lines.
pub fn draft(
    desk: &Desk<'_>,
    bill_to: Guid,
    currency: Currency,
    period: Period,
    judging: &mut Judging<'_>,
) -> (Draft, Vec<Finding>) {
    draft_with(desk, bill_to, currency, period, judging, &mut |_| {})
}

/// Lines while pieces are coming in.
#[derive(Default)]
struct Sums {
    by_key: BTreeMap<LineKey, usize>,
    /// Short names of the present plan's keys, so that a key is built once per line and not per piece.
    plan: Option<Guid>,
    short: BTreeMap<(u32, u16, u16), usize>,
    sums: Vec<Sum>,
}

impl Sums {
    fn add(&mut self, piece: &Piece<'_>) {
        if self.plan != Some(piece.plan) {
            self.plan = Some(piece.plan);
            self.short.clear();
        }
        let index = match self.short.get(&piece.short) {
            Some(index) => *index,
            None => {
                let next = self.sums.len();
                let index = *self.by_key.entry(crate::rating::line_key(piece)).or_insert(next);
                if index == next {
                    self.sums.push(Sum::new(piece));
                }
                self.short.insert(piece.short, index);
                index
            }
        };
        self.sums[index].add(piece);
    }

    fn lines(self, period: Period, exchange_rate: &Exact, policy: &Policy) -> Vec<Line> {
        let Self { by_key, sums, .. } = self;
        let mut sums: Vec<Option<Sum>> = sums.into_iter().map(Some).collect();
        let lines = by_key.into_iter().map(|(key, index)| {
            let sum = sums[index].take().expect("every key names its own sum");
            sum.line(key, period, exchange_rate, policy)
        });
        lines.collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod tests_beside;
