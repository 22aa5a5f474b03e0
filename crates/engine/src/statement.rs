//! A reseller's statement under a provider: its customers, what they are charged, the credit, and
//! whose access earned it.
//!
//! It is the provider's draft, cut to the lines of one reseller of record: nothing is rated again and
//! nothing rounded anew. Credit is attributed exactly, in USD, to the organisations whose grants
//! covered the day; where several did in turn or together, to them together.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{Offer, Portion};
use domain::finding::Finding;
use domain::ids::{Currency, Guid};
use domain::invoice::{Draft, Grouping, Totals};
use domain::money::Exact;
use domain::partners::Organisation;
use domain::pec::AccessVerdict;
use domain::period::{Day, Interval, Period};
use domain::rating::Balance;
use domain::scope::Scope;

use crate::books::Books;

/// What a provider's draft holds for one reseller, in one currency.
#[derive(Debug)]
pub struct Statement<'a> {
    /// The provider's draft with this reseller's lines alone.
    pub draft: Draft,
    /// Customers in order of their tenants.
    pub customers: Vec<Share>,
    /// Azure credit of these customers.
    pub balances: Vec<Balance<'a>>,
    pub findings: Vec<Finding>,
}

/// One customer's part.
#[derive(Debug)]
pub struct Share {
    pub customer: Guid,
    pub totals: Totals,
    /// What each organisation's access earned, exact, in USD; it adds up to the credit earned.
    pub earned_by: BTreeMap<String, Exact>,
}

type Earned = BTreeMap<(Guid, Guid, Guid, Scope, Day), Exact>;

/// The statements of a reseller of record, one for each provider and currency that has lines of it.
pub fn statements<'a>(books: &mut Books<'a>, reseller: &str, providers: &[Guid], period: Period) -> Vec<Statement<'a>> {
    let mut statements = Vec::new();
    for provider in providers {
        let currencies = books.currencies(*provider, period);
        for currency in if currencies.is_empty() { vec![Currency::USD] } else { currencies } {
            statements.extend(statement(books, reseller, (*provider, currency), period));
        }
    }
    statements
}

fn statement<'a>(
    books: &mut Books<'a>,
    reseller: &str,
    (provider, currency): (Guid, Currency),
    period: Period,
) -> Option<Statement<'a>> {
    let mut earned = Earned::new();
    let (mut draft, findings) = books.draft_in(provider, currency, period, &mut |piece| {
        if piece.reseller == Some(reseller) && piece.credited && piece.portion == Portion::PayAsYouGo {
            let key = (piece.customer, piece.plan, piece.subscription, piece.scope.clone(), piece.day);
            *earned.entry(key).or_default() += &(&piece.list_charge() * piece.rate);
        }
    });
    draft.lines.retain(|line| line.key.reseller.as_deref() == Some(reseller));
    if draft.lines.is_empty() {
        return None;
    }
    earned.retain(|_, credit| !credit.is_zero());
    let mut by_customer = attributed(books, earned);
    let totals = draft.grouped(Grouping::Customer).into_iter();
    let customers: Vec<Share> = totals
        .filter_map(|(customer, totals)| {
            let customer = Guid::parse(&customer)?;
            Some(Share { customer, totals, earned_by: by_customer.remove(&customer).unwrap_or_default() })
        })
        .collect();
    let ours: BTreeSet<Guid> = customers.iter().map(|share| share.customer).collect();
    let mut balances = books.desk.balances(provider, period);
    balances.retain(|balance| ours.contains(&balance.grant.customer));
    let concerns = |finding: &Finding| finding.about.customer.is_none_or(|customer| ours.contains(&customer));
    let findings = findings.into_iter().filter(concerns).collect();
    Some(Statement { draft, customers, balances, findings })
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
                let all: BTreeSet<String> =
                    cover.holdings.iter().map(|holding| name(books, holding.organisation.as_ref())).collect();
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
