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
/// customer's country, but for purchases since 2021-01-28 from partners in the EU, EFTA and the UK:
/// those of new customers, and the first of a customer whose tenant is older than 2020-05-11, are in
/// the partner's too. Source: Azure plan billing (2019-10 history, 2021-05-19); billing basics
/// (2023-01-11). Who is new is a choice of this project: a customer without plan and registration
/// before that day.
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
    let european = EUROPEAN.contains(&partner.country.as_str()) && Day::of(plan.at) >= day(EUROPE);
    if european && in_partners(commerce, plan)? {
        return Ok(own);
    }
    let country = commerce.market(plan.customer).ok_or_else(|| "the customer's country is not known".to_owned())?;
    currency_of_country(country).ok_or_else(|| format!("no billing currency of country {country} is listed"))
}

/// Whether a purchase since 2021-01-28 went to its European partner's own currency.
fn in_partners(commerce: &Commerce, plan: &PlanCreated) -> Result<bool, String> {
    let others = || commerce.plans().filter(|one| one.customer == plan.customer && one.plan != plan.plan);
    let customer = commerce.customer(plan.customer);
    let known_before = customer.is_some_and(|customer| Day::of(customer.at) < day(EUROPE))
        || others().any(|one| Day::of(one.at) < day(EUROPE));
    if !known_before {
        return Ok(true);
    }
    if others().any(|one| one.at < plan.at) {
        return Ok(false);
    }
    // A tenant is at least as old as the day on which it became a customer.
    let created = customer.and_then(|customer| customer.tenant_created).map(Day::of);
    let registered = customer.map(|customer| Day::of(customer.at)).filter(|since| *since < day(TENANT_CUT_OFF));
    match created.or(registered) {
        Some(since) => Ok(since < day(TENANT_CUT_OFF)),
        None => Err("the customer was known before 2021-01-28, and its tenant may be older or younger than 2020-05-11"
            .to_owned()),
    }
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
    use crate::testing::registered;

    fn at(text: &str) -> crate::period::Instant {
        day(text).start()
    }

    fn currency(text: &str) -> Currency {
        Currency::parse(text).unwrap()
    }

    fn partner(country: &str) -> PartnerRegistered {
        PartnerRegistered { country: Market::parse(country).unwrap(), ..registered(Guid(9), PartnerKind::Provider) }
    }

    /// Norwegian customers: 1 has a plan of 2020 and one of March 2021; 3 is registered on `known_since`
    /// with a tenant created on `tenant` and bought first in March 2021. And 2, a British one, is new.
    fn world(known_since: &str, tenant: Option<&str>) -> Commerce {
        let mut facts = Facts::default();
        let mut next = 0_u128;
        let mut id = || {
            next += 1;
            (Identity(next), Digest::default())
        };
        let customers =
            [(1, "NO", "2019-11-01", None), (2, "GB", "2021-02-01", None), (3, "NO", known_since, tenant.map(at))];
        for (customer, market, since, tenant_created) in customers {
            let (identity, digest) = id();
            let (customer, market) = (Guid(customer), Market::parse(market).unwrap());
            let body = CustomerRegistered { customer, name: "c".into(), market, tenant_created, at: at(since) };
            facts.commerce.file_customer(identity, digest, body);
        }
        for (plan, customer, bought) in
            [(11, 1, "2020-01-01"), (12, 1, "2021-03-01"), (21, 2, "2021-03-01"), (31, 3, "2021-03-01")]
        {
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

    /// An Irish partner: who had a plan before stays in kroner until July 2021, the new customer is in
    /// euros, and who was a customer without a plan goes by the age of its tenant.
    #[test]
    fn each_month_has_the_rule_of_its_time() {
        let commerce = world("2020-12-01", Some("2020-05-10"));
        for (plan, month, expected) in [
            (11, "2020-12", "NOK"),
            (11, "2021-07", "NOK"),
            (11, "2021-08", "EUR"),
            (12, "2021-03", "NOK"),
            (12, "2021-08", "EUR"),
            (21, "2021-03", "EUR"),
            (31, "2021-03", "EUR"),
        ] {
            assert_eq!(billed(&commerce, "IE", plan, month), Ok(currency(expected)), "{plan} in {month}");
        }
        assert_eq!(billed(&commerce, "US", 21, "2021-03"), Ok(currency("GBP")), "not a European partner");
    }

    /// A first purchase of somebody known before 2021-01-28: by the tenant's creation; else by the
    /// registration, which can only prove that the tenant is old.
    #[test]
    fn the_age_of_the_tenant_decides_about_a_first_purchase() {
        for (known_since, tenant, expected) in [
            ("2020-12-01", Some("2020-05-10"), Some("EUR")),
            ("2020-12-01", Some("2020-05-11"), Some("NOK")),
            ("2020-05-10", None, Some("EUR")),
            ("2020-05-11", None, None),
            ("2021-01-27", None, None),
            ("2021-01-28", None, Some("EUR")),
        ] {
            let told = billed(&world(known_since, tenant), "IE", 31, "2021-03");
            assert_eq!(told.clone().ok(), expected.map(currency), "{known_since} {tenant:?}: {told:?}");
        }
    }

    /// Plans beside those of [`world`].
    fn with_plans(plans: &[(u128, u128, u128, &str)]) -> Commerce {
        let mut commerce = world("2020-12-01", Some("2020-05-10"));
        for (plan, customer, bill_to, bought) in plans {
            let (plan, customer, bill_to, at) = (Guid(*plan), Guid(*customer), Guid(*bill_to), at(bought));
            commerce.plans.insert(plan, PlanCreated { plan, customer, bill_to, reseller: None, at });
        }
        commerce
    }

    /// A customer that bought before 2021-01-28 is not new, though it was registered later; one whose first
    /// purchase is of that very day is.
    #[test]
    fn a_customer_with_an_earlier_purchase_is_not_new() {
        for (bought, expected) in [("2020-06-01", "GBP"), ("2021-01-27", "GBP"), ("2021-01-28", "EUR")] {
            let commerce = with_plans(&[(22, 2, 9, bought)]);
            assert_eq!(billed(&commerce, "IE", 21, "2021-03"), Ok(currency(expected)), "bought on {bought}");
        }
    }

    /// Of two plans bought at one instant neither comes before the other: both are the first purchase.
    #[test]
    fn plans_bought_at_one_instant_are_both_the_first() {
        let commerce = with_plans(&[(32, 3, 9, "2021-03-01")]);
        for plan in [31, 32] {
            assert_eq!(billed(&commerce, "IE", plan, "2021-03"), Ok(currency("EUR")), "{plan}");
        }
    }

    /// INV-14: a month holds what was billed to the partner and bought by its end, and nothing of others.
    #[test]
    fn a_month_holds_the_partners_plans_bought_by_its_end() {
        let commerce = with_plans(&[(13, 1, 8, "2020-01-01"), (14, 1, 9, "2021-04-01")]);
        let known = partner("IE");
        let plans = |month: &str| {
            let month = Period::parse(month).unwrap();
            plans_in(&commerce, Some((&known, currency("EUR"))), currency("NOK"), month).0.unwrap()
        };
        assert_eq!(plans("2021-03"), [11, 12].map(Guid).into(), "one is another partner's, one begins with April");
        assert_eq!(plans("2021-04"), [11, 12, 14].map(Guid).into());
    }

    #[test]
    fn a_tenant_whose_age_is_not_known_is_named_and_never_guessed() {
        let commerce = world("2020-06-01", None);
        assert!(billed(&commerce, "IE", 31, "2021-03").unwrap_err().contains("2020-05-11"));
        let known = partner("IE");
        let own = Some((&known, currency("EUR")));
        let march = Period::parse("2021-03").unwrap();
        let (plans, findings) = plans_in(&commerce, own, currency("NOK"), march);
        assert_eq!(plans, Some([Guid(11), Guid(12)].into()));
        assert!(findings.len() == 1 && findings[0].blocking());
        let about = About {
            bill_to: Some(Guid(9)),
            customer: Some(Guid(3)),
            plan: Some(Guid(31)),
            period: Some(march),
            ..About::default()
        };
        assert_eq!(findings[0].about, about);
        let (own_plans, _) = plans_in(&commerce, own, currency("EUR"), march);
        assert_eq!(own_plans, Some([Guid(21), Guid(31)].into()), "what cannot be told is drafted in the own currency");
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
