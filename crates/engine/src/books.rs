//! One question over one state of the facts: everything put in order once, then asked as often as
//! needed. What is answered here is the domain's; this only hands the right things to it.

use std::collections::{BTreeMap, BTreeSet};

use domain::commerce::{Commerce, by_partner};
use domain::entry::LineKey;
use domain::facts::Facts;
use domain::finding::{About, Code, Finding};
use domain::ids::{Currency, Guid, Market};
use domain::invoice::{self, Draft, Line, Share};
use domain::money::Exact;
use domain::order::Used;
use domain::partners::Partners;
use domain::pec::Judge;
use domain::period::{Day, Period};
use domain::rating::{Desk, Piece, judged};

/// Whose month, and in which currency.
pub(crate) type Asked = (Guid, Currency, Period);

/// Some plans of a partner's month, rated.
pub(crate) struct Rated {
    pub share: Share,
    /// What the judge found.
    pub found: Vec<Finding>,
    /// Subscriptions with usage that some order names.
    pub used: BTreeSet<Guid>,
}

impl Rated {
    /// Adds other plans of the same partner, currency and month.
    pub(crate) fn join(&mut self, other: Self) {
        self.share.join(other.share);
        self.found.extend(other.found);
        self.used.extend(other.used);
    }
}

/// Rates the wanted plans of a partner's month, with what the judge found; `daily` sees every piece.
pub(crate) fn rate(
    desk: &Desk<'_>,
    judge: &mut Judge<'_>,
    asked: Asked,
    wanted: &dyn Fn(Guid) -> bool,
    daily: &mut dyn FnMut(&Piece<'_>),
) -> Rated {
    let ordered = desk.facts.channel.ordered_subscriptions();
    let mut used = BTreeSet::new();
    let mut watched = |piece: &Piece<'_>| {
        if ordered.contains(&piece.subscription) {
            used.insert(piece.subscription);
        }
        daily(piece);
    };
    let share = Share::rate(desk, asked, wanted, &mut judged(judge), &mut watched);
    Rated { share, found: judge.findings(), used }
}

/// The facts of one question, in order.
pub struct Books<'a> {
    pub facts: &'a Facts,
    pub commerce: &'a Commerce,
    pub partners: Partners,
    pub judge: Judge<'a>,
    pub desk: Desk<'a>,
}

impl<'a> Books<'a> {
    #[must_use]
    pub fn new(facts: &'a Facts, commerce: &'a Commerce) -> Self {
        Self {
            facts,
            commerce,
            partners: facts.partners.view(),
            judge: Judge::new(facts, commerce),
            desk: Desk::new(facts, commerce),
        }
    }

    /// The partners that plans are billed to, in order of their tenants.
    #[must_use]
    pub fn bill_to(&self) -> BTreeSet<Guid> {
        self.commerce.plans().map(|plan| plan.bill_to).collect()
    }

    /// The months in which anything was used, in order.
    #[must_use]
    pub fn periods(&self) -> BTreeSet<Period> {
        let mut periods = BTreeSet::new();
        for consumption in self.facts.usage.consumption() {
            for (start, _, _) in consumption.slices() {
                periods.insert(Day::of(start).period());
            }
        }
        periods
    }

    /// The markets of the customers that used something in a month, in order.
    #[must_use]
    pub fn markets(&self, period: Period) -> BTreeSet<Market> {
        let mut markets = BTreeSet::new();
        for consumption in self.facts.usage.consumption() {
            let placements = self.commerce.placements(consumption.place.subscription);
            let used = consumption.slices().map(|(start, ..)| start).filter(|start| Day::of(*start).period() == period);
            let under = used.filter_map(|start| placements.iter().find(|one| one.interval.contains(start)));
            markets.extend(under.filter_map(|placement| self.commerce.market(placement.customer)));
        }
        markets
    }

    /// The currency that a partner is billed in; `None` while it was never registered.
    #[must_use]
    pub fn currency(&self, bill_to: Guid) -> Option<Currency> {
        self.partners.statement(bill_to).map(|(_, statement)| statement.billing_currency)
    }

    /// A partner as people call it: its name, else its tenant.
    #[must_use]
    pub fn partner_name(&self, tenant: Guid) -> String {
        self.partners.statement(tenant).map_or_else(|| tenant.to_string(), |(_, statement)| statement.name.to_string())
    }

    #[must_use]
    pub fn customer_name(&self, customer: Guid) -> String {
        self.commerce.customer(customer).map_or_else(|| customer.to_string(), |known| known.name.to_string())
    }

    /// The currencies that a partner's month is billed in: its own, and before August 2021 those of its
    /// customers' countries. Empty while it was never registered. What stands issued of a month keeps its currency.
    #[must_use]
    pub fn currencies(&self, bill_to: Guid, period: Period) -> Vec<Currency> {
        let issued = self.facts.issued.currency_of(bill_to, period).filter(|_| by_partner(period));
        issued.map_or_else(|| self.desk.currencies(bill_to, period), |one| vec![one])
    }

    /// The same, and dollars for a partner that was never registered: its usage is drafted all the same.
    pub(crate) fn currencies_or_usd(&self, bill_to: Guid, period: Period) -> Vec<Currency> {
        let mut currencies = self.currencies(bill_to, period);
        if currencies.is_empty() {
            currencies.push(Currency::USD);
        }
        currencies
    }

    /// Drafts a partner's month, a draft for each of its currencies, its own first; `daily` sees every
    /// piece behind the lines of all of them.
    pub fn drafts(
        &mut self,
        bill_to: Guid,
        period: Period,
        daily: &mut dyn FnMut(&Piece<'_>),
    ) -> Vec<(Draft, Vec<Finding>)> {
        let currencies = self.currencies_or_usd(bill_to, period);
        currencies.into_iter().map(|currency| self.draft_in(bill_to, currency, period, daily)).collect()
    }

    /// The draft in the partner's own currency, with the findings of all: for who asks about days and
    /// reasons, which know no currency.
    pub fn draft(&mut self, bill_to: Guid, period: Period, daily: &mut dyn FnMut(&Piece<'_>)) -> (Draft, Vec<Finding>) {
        let mut drafts = self.drafts(bill_to, period, daily).into_iter();
        let (draft, mut findings) = drafts.next().expect("there is a draft for each currency, and one at least");
        for finding in drafts.flat_map(|(_, found)| found) {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        (draft, findings)
    }

    /// The same in one of its currencies.
    pub fn draft_in(
        &mut self,
        bill_to: Guid,
        currency: Currency,
        period: Period,
        daily: &mut dyn FnMut(&Piece<'_>),
    ) -> (Draft, Vec<Finding>) {
        let asked = (bill_to, currency, period);
        let rated = rate(&self.desk, &mut self.judge, asked, &|_| true, daily);
        self.draft_of(asked, rated)
    }

    /// A draft without a line, of a month in a currency that it bills nothing in.
    pub(crate) fn empty_draft(&self, bill_to: Guid, currency: Currency, period: Period) -> Draft {
        let policy = self.facts.policy.at(period.first_day());
        let rules_version = domain::policy::RULES_VERSION;
        let exchange_rate = Exact::one();
        Draft { bill_to, currency, period, exchange_rate, lines: Vec::new(), tax: None, policy, rules_version }
    }

    /// The draft that all plans of a partner's month come to, with everything that does not add up.
    pub(crate) fn draft_of(&self, asked: Asked, rated: Rated) -> (Draft, Vec<Finding>) {
        let (bill_to, _, period) = asked;
        let (draft, mut findings) = invoice::draft_of(&self.desk, asked, rated.share);
        // A judge remembers everything that was asked of it, for other partners and months too.
        let concerns = |finding: &Finding| {
            finding.about.bill_to.map_or_else(|| self.may_concern(&finding.about, asked), |named| named == bill_to)
                && finding.about.period.is_none_or(|named| named == period)
        };
        findings.extend(rated.found.into_iter().filter(concerns));
        if self.currency(bill_to).is_none() {
            let about = About { bill_to: Some(bill_to), period: Some(period), ..About::default() };
            findings.push(Finding::new(Code::UnknownPartner, about, format!("partner {bill_to} was never registered")));
        }
        let plans = draft.lines.iter().map(|line| line.key.plan).collect();
        let used = Used { plans, subscriptions: rated.used };
        findings.extend(self.unaccepted(&draft, &used));
        findings.sort();
        findings.dedup();
        (draft, findings)
    }
}

impl Books<'_> {
    /// Whether something may be about a customer: it is about that one, or about nobody in particular.
    #[must_use]
    pub fn may_be_of(&self, about: &About, customer: Guid) -> bool {
        let subscription = about.subscription.or_else(|| about.resource.as_ref()?.subscription());
        let placed = subscription.map_or(&[][..], |subscription| self.commerce.placements(subscription));
        let plans = about.plan.into_iter().chain(placed.iter().map(|placement| placement.plan));
        let of_plans = plans.filter_map(|plan| self.commerce.plan(plan)).map(|plan| plan.customer);
        let mut customers = about.customer.into_iter().chain(of_plans).peekable();
        customers.peek().is_none() || customers.any(|named| named == customer)
    }

    /// Whether something that names no partner may be about this one's month: not where its subscription was
    /// billed to others alone then.
    fn may_concern(&self, about: &About, (bill_to, _, period): Asked) -> bool {
        let subscription = about.subscription.or_else(|| about.resource.as_ref()?.subscription());
        let placed = subscription.map_or(&[][..], |subscription| self.commerce.placements(subscription));
        let month = period.interval();
        let mut then = placed.iter().filter(|placement| !placement.interval.intersect(&month).is_empty()).peekable();
        then.peek().is_none() || then.any(|placement| placement.bill_to == bill_to)
    }

    /// What orders and consents say against a month: usage on what was refused when it was ordered, and
    /// moves from the classic offer without what they need. Nothing is looked up where neither happened.
    fn unaccepted(&self, draft: &Draft, used: &Used) -> Vec<Finding> {
        let (bill_to, month) = (draft.bill_to, draft.period.interval());
        let moved = self.commerce.transitions().iter().any(|one| month.contains(one.at));
        if !self.facts.channel.has_orders() && !moved {
            return Vec::new();
        }
        let desk = domain::order::Desk::new(self.facts, self.commerce);
        let mut findings = domain::order::unaccepted(&desk, used);
        findings.extend(domain::order::unprepared(&desk, bill_to, draft.period));
        findings
    }
}

/// Findings of one code, put together for people.
#[derive(Clone, Debug)]
pub struct Found {
    pub code: Code,
    pub count: usize,
    /// The first one, in order.
    pub example: Finding,
}

/// Groups findings by code, blocking ones first.
#[must_use]
pub fn grouped(findings: &[Finding]) -> Vec<Found> {
    let mut by_code: BTreeMap<(bool, Code), Found> = BTreeMap::new();
    for finding in findings {
        let found = by_code.entry((!finding.blocking(), finding.code));
        found.or_insert_with(|| Found { code: finding.code, count: 0, example: finding.clone() }).count += 1;
    }
    by_code.into_values().collect()
}

/// How people name a line: short, and the same for the same line key and month for ever.
#[must_use]
pub fn line_name(key: &LineKey, period: Period) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut field = |text: &str| {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    field(&period.to_string());
    field(&key.customer.to_string());
    field(&key.plan.to_string());
    field(key.reseller.as_deref().unwrap_or(""));
    field(&key.meter.to_string());
    field(price_kind(key));
    field(&key.product);
    field(&key.sku);
    field(&key.price_from.to_string());
    field(&key.tier.to_string());
    field(portion(key));
    field(&key.credit_rate.map_or_else(String::new, |rate| rate.normalize().to_string()));
    if let Some(charge) = &key.charge {
        field(charge.charge_type.text());
        field(&charge.order);
        field(charge.reason.as_deref().unwrap_or(""));
    }
    format!("L-{}", &hasher.finalize().to_hex()[..10])
}

#[must_use]
pub fn price_kind(key: &LineKey) -> &'static str {
    match key.price_kind {
        domain::entry::PriceKind::Consumption => "consumption",
        domain::entry::PriceKind::DevTest => "dev-test",
        domain::entry::PriceKind::Reservation => "reservation",
        domain::entry::PriceKind::SavingsPlan => "savings-plan",
    }
}

#[must_use]
pub fn portion(key: &LineKey) -> &'static str {
    match key.portion {
        domain::entry::Portion::PayAsYouGo => "pay-as-you-go",
        domain::entry::Portion::SavingsPlan => "savings-plan",
        domain::entry::Portion::Reservation => "reservation",
        domain::entry::Portion::AzureCredit => "azure-credit",
    }
}

/// The revisions of the policy that decided the days of a line, in order.
#[must_use]
pub fn line_revisions(facts: &Facts, line: &Line) -> Vec<u32> {
    facts.policy.revisions(line.period, line.by_day.iter().map(|(day, _)| *day))
}

/// Every revision of the policy that decided anything in a draft, in order: of the first day of its month,
/// which cuts and adds up, and of the days of its lines.
#[must_use]
pub fn draft_revisions(facts: &Facts, draft: &Draft) -> Vec<u32> {
    let days = draft.lines.iter().flat_map(|line| line.by_day.iter().map(|(day, _)| *day));
    let days: BTreeSet<Day> = days.chain([draft.period.first_day()]).collect();
    facts.policy.revisions(draft.period, days.into_iter())
}

/// The line of a draft with a name.
#[must_use]
pub fn line_of<'d>(draft: &'d Draft, name: &str) -> Option<&'d Line> {
    draft.lines.iter().find(|line| line_name(&line.key, line.period) == name)
}
