//! A reseller's statement under a provider: its customers, what they are charged, the credit, and
//! whose access earned it.
//!
//! Of a month that is open it is the provider's draft, cut to the lines of one reseller of record, with what
//! closing it would adjust of that reseller's lines; of a month that is issued, what its documents say of them.
//! So the statements of issued months add up to the documents. Nothing is rated again and nothing rounded anew.
//! Credit is attributed exactly, in USD, as it is known now, to the organisations whose grants covered the
//! day; where several did in turn or together, to them together.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{AzureCreditGranted, ChargeKey, ChargeType, IssuedLine, Offer, Portion};
use domain::finding::Finding;
use domain::ids::{Currency, Guid};
use domain::invoice::{Draft, Grouping, Line, Totals};
use domain::money::Exact;
use domain::partners::Organisation;
use domain::pec::AccessVerdict;
use domain::period::{Day, Interval, Period};
use domain::rating::Balance;
use domain::scope::Scope;

use crate::adjusting::{self, Part, Sum};
use crate::books::Books;

/// What a provider charges for one reseller in a month, in one currency.
#[derive(Debug)]
pub struct Statement<'a> {
    /// The provider's draft with this reseller's lines alone; a redraft, where the month is issued.
    pub draft: Draft,
    pub charged: Charged,
    /// Customers in order of their tenants.
    pub customers: Vec<Share>,
    /// Azure credit of these customers.
    pub balances: Vec<Credit<'a>>,
    pub findings: Vec<Finding>,
}

/// What the month charges, and what of it other months do.
#[derive(Debug, Default)]
pub struct Charged {
    /// The invoices of the month that stand in this currency; none while it is open.
    pub documents: Vec<Box<str>>,
    /// Of the month itself, and what it adjusts of others, by customer.
    pub by_customer: BTreeMap<Guid, (Sum, Sum)>,
    /// What it adjusts of other months, by month.
    pub adjustments: BTreeMap<Period, Sum>,
    /// What other documents say of this month.
    pub since: Vec<Part>,
    /// What still waits to be adjusted, and the month whose close carries it.
    pub outstanding: Option<(Period, Sum)>,
}

impl Charged {
    /// Everything that the month charges.
    #[must_use]
    pub fn sum(&self) -> Sum {
        let mut all = Sum::default();
        for (own, adjusted) in self.by_customer.values() {
            all.join(own);
            all.join(adjusted);
        }
        all
    }

    fn is_nothing(&self) -> bool {
        self.by_customer.is_empty() && self.since.is_empty() && self.outstanding.is_none()
    }

    fn adjusts(&mut self, line: &IssuedLine) {
        self.adjustments.entry(line.period).or_default().add(line);
        self.by_customer.entry(line.key.customer).or_default().1.add(line);
    }
}

/// One customer's part.
#[derive(Debug)]
pub struct Share {
    pub customer: Guid,
    pub totals: Totals,
    /// What each organisation's access earned, exact, in USD; it adds up to the credit earned.
    pub earned_by: BTreeMap<String, Exact>,
}

/// How a grant stands, and what this reseller's lines drew of it in the month.
#[derive(Debug)]
pub struct Credit<'a> {
    pub balance: Balance<'a>,
    pub by_lines: Exact,
}

type Earned = BTreeMap<(Guid, Guid, Guid, Scope, Day), Exact>;

/// Of whom a statement is, and of which month.
#[derive(Clone, Copy)]
struct Asked<'r> {
    reseller: &'r str,
    provider: Guid,
    currency: Currency,
    period: Period,
}

impl Asked<'_> {
    fn ours(&self, line: &IssuedLine) -> bool {
        line.key.reseller.as_deref() == Some(self.reseller)
    }
}

/// What closes to come would adjust, by currency.
type Waiting = BTreeMap<Currency, Vec<IssuedLine>>;

/// The statements of a reseller of record, one for each provider and currency that has lines of it.
pub fn statements<'a>(books: &mut Books<'a>, reseller: &str, providers: &[Guid], period: Period) -> Vec<Statement<'a>> {
    let mut statements = Vec::new();
    for provider in providers.iter().copied() {
        let waiting = adjusting::waiting(books, provider);
        let billed = books.currencies_or_usd(provider, period);
        // Adjustments keep the currency of their month, in which this one may bill nothing.
        let standing = books.facts.issued.standing(provider, period).into_iter().map(|document| document.currency);
        let others: BTreeSet<Currency> = standing.chain(waiting.keys().copied()).collect();
        let others: Vec<Currency> = others.into_iter().filter(|one| !billed.contains(one)).collect();
        for (currency, drafted) in
            billed.into_iter().map(|one| (one, true)).chain(others.into_iter().map(|one| (one, false)))
        {
            let asked = Asked { reseller, provider, currency, period };
            statements.extend(statement(books, asked, drafted, &waiting));
        }
    }
    statements
}

fn statement<'a>(books: &mut Books<'a>, asked: Asked<'_>, drafted: bool, waiting: &Waiting) -> Option<Statement<'a>> {
    let Asked { reseller, provider, currency, period } = asked;
    let mut earned = Earned::new();
    let (mut draft, findings) = if drafted {
        books.draft_in(provider, currency, period, &mut |piece| {
            if piece.reseller == Some(reseller) && piece.credited && piece.portion == Portion::PayAsYouGo {
                let key = (piece.customer, piece.plan, piece.subscription, piece.scope.clone(), piece.day);
                *earned.entry(key).or_default() += &(&piece.list_charge() * piece.rate);
            }
        })
    } else {
        (books.empty_draft(provider, currency, period), Vec::new())
    };
    draft.lines.retain(|line| line.key.reseller.as_deref() == Some(reseller));
    let charged = charged(books, asked, &draft, waiting);
    if draft.lines.is_empty() && charged.is_nothing() {
        return None;
    }
    earned.retain(|_, credit| !credit.is_zero());
    let mut by_customer = attributed(books, earned);
    let mut totals: BTreeMap<Guid, Totals> = charged.by_customer.keys().map(|id| (*id, Totals::default())).collect();
    let of_draft = draft.grouped(Grouping::Customer).into_iter();
    totals.extend(of_draft.filter_map(|(customer, totals)| Some((Guid::parse(&customer)?, totals))));
    let customers: Vec<Share> = totals
        .into_iter()
        .map(|(customer, totals)| Share {
            customer,
            totals,
            earned_by: by_customer.remove(&customer).unwrap_or_default(),
        })
        .collect();
    let balances = if drafted { credits(books, asked, &draft, &customers) } else { Vec::new() };
    let concerns = |finding: &Finding| customers.iter().any(|one| books.may_be_of(&finding.about, one.customer));
    let findings = findings.into_iter().filter(concerns).collect();
    Some(Statement { draft, charged, customers, balances, findings })
}

/// What documents say where they stand; what the draft says, and what its close would adjust, where none does.
fn charged(books: &mut Books<'_>, asked: Asked<'_>, draft: &Draft, waiting: &Waiting) -> Charged {
    let Asked { provider, currency, period, .. } = asked;
    let mut charged = Charged::default();
    let ours = |line: &&IssuedLine| asked.ours(line);
    let waiting = || waiting.get(&currency).into_iter().flatten().filter(ours);
    let standing = adjusting::standing(books, provider, currency);
    let lines = |own: bool| {
        let documents = standing.iter().filter(move |document| (document.period == period) == own);
        documents.flat_map(|document| &document.lines).filter(ours)
    };
    charged.since = adjusting::said(books, (provider, currency, period), &|line| asked.ours(line)).others;
    if books.facts.issued.is_open(provider, period, currency) {
        for line in &draft.lines {
            charged.by_customer.entry(line.key.customer).or_default().0.add_drafted(line);
        }
        for line in lines(false).filter(|line| line.period == period) {
            charged.by_customer.entry(line.key.customer).or_default().0.take(line);
        }
        let due: Vec<&IssuedLine> = waiting().filter(|line| line.period != period).collect();
        if !due.is_empty() && adjusting::carries(books, provider, period, currency) {
            due.into_iter().for_each(|line| charged.adjusts(line));
        }
        return charged;
    }
    let documents = standing.iter().filter(|document| document.period == period);
    charged.documents = documents.map(|document| document.id.clone()).collect();
    for line in lines(true) {
        match line.period == period {
            true => charged.by_customer.entry(line.key.customer).or_default().0.add(line),
            false => charged.adjusts(line),
        }
    }
    let due = Sum::of(waiting().filter(|line| line.period == period));
    if due.lines > 0 {
        charged.outstanding = adjusting::carrier(books, provider, currency).map(|month| (month, due));
    }
    charged
}

/// The Azure credit of customers, with what the lines of this reseller drew of each grant.
fn credits<'a>(books: &Books<'a>, asked: Asked<'_>, draft: &Draft, customers: &[Share]) -> Vec<Credit<'a>> {
    let mut balances = books.desk.balances(asked.provider, asked.period);
    balances.retain(|balance| customers.iter().any(|share| share.customer == balance.grant.customer));
    let given_back = |line: &&Line, grant: &AzureCreditGranted| {
        let key = &line.key;
        let of_grant =
            |charge: &ChargeKey| charge.charge_type == ChargeType::CustomerCredit && charge.order == grant.grant;
        key.portion == Portion::AzureCredit
            && key.customer == grant.customer
            && grant.plan.is_none_or(|plan| plan == key.plan)
            && key.charge.as_deref().is_some_and(of_grant)
    };
    let credit = |balance: Balance<'a>| {
        let lines = draft.lines.iter().filter(|line| given_back(line, balance.grant));
        let by_lines = lines.fold(Exact::zero(), |sum, line| &sum - &line.list_charge);
        Credit { balance, by_lines }
    };
    balances.into_iter().map(credit).collect()
}

/// Credit by customer and by the organisations whose grants covered its day.
fn attributed(books: &mut Books<'_>, earned: Earned) -> BTreeMap<Guid, BTreeMap<String, Exact>> {
    let mut by_customer: BTreeMap<Guid, BTreeMap<String, Exact>> = BTreeMap::new();
    for ((customer, plan, subscription, scope, day), credit) in earned {
        let here = |interval: &Interval| !interval.intersect(&day.interval()).is_empty();
        // What was sold under the classic offer earns nothing, so it is not what earned.
        let placed = books.commerce.placements(subscription).iter().filter(|one| one.offer != Offer::Legacy);
        let Some(placement) = placed.into_iter().find(|one| one.plan == plan && here(&one.interval)) else { continue };
        let place = books.judge.place(subscription, placement, &scope);
        let who = match books.judge.access(place, day) {
            AccessVerdict::Earned(cover) => {
                let all = cover.holdings.iter().flat_map(|holding| &holding.organisations);
                let all: BTreeSet<String> = all.map(|one| name(books, Some(one))).collect();
                all.into_iter().collect::<Vec<_>>().join(" and ")
            }
            AccessVerdict::Lost(_) => name(books, None),
        };
        *by_customer.entry(customer).or_default().entry(who).or_default() += &credit;
    }
    by_customer
}

fn name(books: &Books<'_>, organisation: Option<&Organisation>) -> String {
    match organisation {
        None => "unknown".to_owned(),
        Some(Organisation::Registered(id)) => {
            let mut statements = books.partners.statements();
            let known = statements.find(|(_, statement)| statement.organisation == *id);
            known.map_or_else(|| id.to_string(), |(_, statement)| statement.name.to_string())
        }
        Some(other) => other.to_string(),
    }
}
