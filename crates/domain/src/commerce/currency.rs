//! Which currency a plan is billed in, by the rule of the month.
//!
//! Since August 2021 it is the partner's own. Before, it went by the customer's country, with an
//! exception for partners in Europe that depends on when a plan was bought and how old its customer
//! is. What the facts do not say is a finding, never a guess.

use std::collections::BTreeSet;

use super::Commerce;
use crate::entry::{PartnerRegistered, PlanCreated};
use crate::finding::{About, Code, Finding};
use crate::ids::{Currency, Guid, Market};
use crate::period::{Day, Period};

/// Partner-location currency for everybody.
const EVERYBODY: &str = "2021-08-01";
/// Partner-location currency for new purchases from partners in the EU, EFTA and the UK.
const EUROPE: &str = "2021-01-28";
/// Tenants older than this were moved with their first purchase.
const TENANT_CUT_OFF: &str = "2020-05-11";

const EUROPEAN: &[&str] = &[
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day of the calendar")
}

/// The currency that Microsoft bills customers of a country in; `None` where its list has none.
#[must_use]
pub fn currency_of_country(country: Market) -> Option<Currency> {
    let list = include_str!("../../data/billing-currencies.csv").lines().skip(1);
    let mut rows = list.filter_map(|line| line.split_once(','));
    let (currency, _) = rows.find(|(_, countries)| countries.split(' ').any(|code| code == country.as_str()))?;
    Currency::parse(currency)
}

/// Whether every plan of a month is billed in its partner's own currency.
#[must_use]
pub fn by_partner(period: Period) -> bool {
    period.first_day() >= day(EVERYBODY)
}

/// INV-14: the currency that a plan is billed in. Since 2021-08 the partner's own; before, that of the
/// customer's country, but for purchases since 2021-01-28 from partners in the EU, EFTA and the UK by
/// new customers, or by customers whose tenant is older than 2020-05-11: those are billed in the
/// partner's too. Source: Azure plan billing (2019-10 history, 2021-05-19); billing basics (2023-01-11).
pub fn billed_in(
    commerce: &Commerce,
    partner: &PartnerRegistered,
    own: Currency,
    plan: &PlanCreated,
    period: Period,
) -> Result<Currency, String> {
    if by_partner(period) {
        return Ok(own);
    }
    let bought = Day::of(plan.at);
    if EUROPEAN.contains(&partner.country.as_str()) && bought >= day(EUROPE) {
        let earlier = commerce.plans().any(|one| one.customer == plan.customer && one.at < plan.at);
        let known_since = commerce.customer(plan.customer).map(|customer| Day::of(customer.at));
        if !earlier || known_since.is_some_and(|since| since < day(TENANT_CUT_OFF)) {
            return Ok(own);
        }
        return Err("the customer bought before and may be older or younger than 2020-05-11".to_owned());
    }
    let country = commerce.market(plan.customer).ok_or_else(|| "the customer's country is not known".to_owned())?;
    currency_of_country(country).ok_or_else(|| format!("no billing currency of country {country} is listed"))
}

/// Which of a partner's plans are billed in one currency; `None` where the question does not arise:
/// since 2021-08, and for a partner that was never registered. What cannot be told is in both the
/// partner's own currency and a finding.
pub(crate) fn plans_in(
    commerce: &Commerce,
    partner: Option<(&PartnerRegistered, Currency)>,
    currency: Currency,
    period: Period,
) -> (Option<BTreeSet<Guid>>, Vec<Finding>) {
    let Some((partner, own)) = partner.filter(|_| !by_partner(period)) else { return (None, Vec::new()) };
    let (mut plans, mut findings) = (BTreeSet::new(), Vec::new());
    let bought = |plan: &&PlanCreated| plan.bill_to == partner.tenant && plan.at < period.interval().to;
    for plan in commerce.plans().filter(bought) {
        let billed = billed_in(commerce, partner, own, plan, period);
        if let Err(why) = &billed {
            let about = About {
                bill_to: Some(plan.bill_to),
                customer: Some(plan.customer),
                plan: Some(plan.plan),
                period: Some(period),
                ..About::default()
            };
            findings.push(Finding::new(Code::UnknownCurrency, about, why.clone()));
        }
        if billed.unwrap_or(own) == currency {
            plans.insert(plan.plan);
        }
    }
    (Some(plans), findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{CustomerRegistered, PartnerKind};
    use crate::facts::Facts;
    use crate::ids::{Digest, Identity};

    fn at(text: &str) -> crate::period::Instant {
        day(text).start()
    }

    fn currency(text: &str) -> Currency {
        Currency::parse(text).unwrap()
    }

    fn partner(country: &str) -> PartnerRegistered {
        PartnerRegistered {
            tenant: Guid(9),
            name: "p".into(),
            organisation: "p".into(),
            kind: PartnerKind::Provider,
            country: Market::parse(country).unwrap(),
            billing_currency: currency("EUR"),
            partner_ids: Vec::new(),
            admin_agents: Vec::new(),
            helpdesk_agents: Vec::new(),
            managing_tenants: Vec::new(),
            identities: Vec::new(),
            at: at("2019-01-01"),
        }
    }

    /// A Norwegian customer with a plan bought in 2020, one bought in March 2021, and a British one.
    fn world(known_since: &str) -> Commerce {
        let mut facts = Facts::default();
        let mut next = 0_u128;
        let mut id = || {
            next += 1;
            (Identity(next), Digest::default())
        };
        for (customer, market, since) in [(1, "NO", known_since), (2, "GB", "2021-02-01")] {
            let (identity, digest) = id();
            facts.commerce.file_customer(
                identity,
                digest,
                CustomerRegistered {
                    customer: Guid(customer),
                    name: "c".into(),
                    market: Market::parse(market).unwrap(),
                    at: at(since),
                },
            );
        }
        for (plan, customer, bought) in [(11, 1, "2020-01-01"), (12, 1, "2021-03-01"), (21, 2, "2021-03-01")] {
            let (identity, digest) = id();
            let (plan, customer, bill_to, at) = (Guid(plan), Guid(customer), Guid(9), at(bought));
            facts.commerce.file_plan(identity, digest, PlanCreated { plan, customer, bill_to, reseller: None, at });
        }
        facts.commerce.view()
    }

    fn billed(commerce: &Commerce, country: &str, plan: u128, month: &str) -> Result<Currency, String> {
        let plan = commerce.plan(Guid(plan)).unwrap();
        billed_in(commerce, &partner(country), currency("EUR"), plan, Period::parse(month).unwrap())
    }

    /// An Irish partner: the old purchase stays in kroner until July 2021, the new customer is in euros.
    #[test]
    fn each_month_has_the_rule_of_its_time() {
        let commerce = world("2019-11-01");
        for (plan, month, expected) in [
            (11, "2020-12", "NOK"),
            (11, "2021-07", "NOK"),
            (11, "2021-08", "EUR"),
            (12, "2021-03", "EUR"),
            (21, "2021-03", "EUR"),
        ] {
            assert_eq!(billed(&commerce, "IE", plan, month), Ok(currency(expected)), "{plan} in {month}");
        }
        assert_eq!(billed(&commerce, "US", 21, "2021-03"), Ok(currency("GBP")), "not a European partner");
    }

    #[test]
    fn a_tenant_whose_age_is_not_known_is_named_and_never_guessed() {
        let commerce = world("2020-06-01");
        assert!(billed(&commerce, "IE", 12, "2021-03").unwrap_err().contains("2020-05-11"));
        let known = partner("IE");
        let own = Some((&known, currency("EUR")));
        let march = Period::parse("2021-03").unwrap();
        let (plans, findings) = plans_in(&commerce, own, currency("NOK"), march);
        assert_eq!(plans, Some([Guid(11)].into()));
        assert!(findings.len() == 1 && findings[0].blocking());
        assert_eq!(plans_in(&commerce, own, currency("EUR"), march.next().next().next().next().next()).0, None);
    }

    #[test]
    fn countries_have_the_currency_of_the_list() {
        for (country, expected) in [("DE", "EUR"), ("GB", "GBP"), ("NO", "NOK"), ("JP", "JPY"), ("US", "USD")] {
            assert_eq!(currency_of_country(Market::parse(country).unwrap()), Some(currency(expected)));
        }
        assert_eq!(currency_of_country(Market::parse("QQ").unwrap()), None);
    }
}
