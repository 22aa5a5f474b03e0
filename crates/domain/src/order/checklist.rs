//! What one party still has to do before the next order: steps, each done or open.

use super::Desk;
use super::facts::{mfa_era, missing, seller, tenant};
use super::rules::{MfaEra, Posture, Seller, Tenant, posture};
use crate::channel::{Qualification, Standing, State};
use crate::ids::Guid;
use crate::period::{Day, Instant};
use crate::regions;

/// One step of a checklist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What must be so.
    pub step: String,
    pub rule: &'static str,
    /// `None` where nothing was told: it counts as done, and should be published.
    pub done: Option<bool>,
    /// What to do, where it is not done.
    pub how: String,
}

fn step(text: impl Into<String>, rule: &'static str, done: Option<bool>, how: impl Into<String>) -> Step {
    Step { step: text.into(), rule, done, how: how.into() }
}

/// What a partner needs, whoever the customer is.
#[must_use]
pub fn partner_steps(desk: &Desk<'_>, partner: Guid, at: Instant) -> Vec<Step> {
    let seller = seller(&desk.partners, partner, at);
    let known = seller != Seller::Unknown;
    let mut steps = vec![step("registered as a partner", "CHN-1", Some(known), "publish partner registered")];
    let standing = desk.standing(partner, at);
    let good = standing.state == State::Good;
    steps.push(step(format!("in good standing (now: {})", standing.words()), "CHN-2", Some(good), after(&standing)));
    if let Some(statement) = desk.partners.statement_at(partner, at) {
        match regions::of(statement.country) {
            None => steps.push(step("a country of a region", "CHN-11", Some(false), "check the registered country")),
            Some(region) => {
                let signed = desk.channel.signed(&desk.partners, partner, region, at).is_some();
                let how = "a global admin of the CSP tenant signs it in Partner Center";
                steps.push(step(format!("partner agreement signed for {region}"), "CHN-5", Some(signed), how));
            }
        }
        let active = statement.partner_ids.iter().any(|id| id.holds_at(at));
        steps.push(step(
            "an active location PartnerID",
            "CHN-20",
            Some(active),
            "register a PartnerID for the location",
        ));
    }
    steps.push(security(desk, partner, at));
    match seller {
        Seller::Reseller => steps.extend(reseller_steps(desk, partner, at)),
        Seller::DirectBill | Seller::Provider => {
            let credit = desk.channel.credit(partner, at).map(|one| one.value.limit > one.value.outstanding);
            steps.push(step("available credit", "CHN-16", credit, "pay open invoices, or publish credit limit stated"));
        }
        Seller::Other | Seller::Unknown => {}
    }
    steps
}

/// What to do about a state, and when the next, harder one is due.
fn after(standing: &Standing) -> String {
    let what = match standing.state {
        State::Good => return "nothing".to_owned(),
        State::Restricted | State::Suspended => "meet the requirements",
        State::Revoked => "let customers transfer; enrol as a reseller",
    };
    match standing.next {
        Some((next, due)) => format!("{what}; {} from {} on", next.text(), Day::of(due)),
        None => what.to_owned(),
    }
}

fn security(desk: &Desk<'_>, partner: Guid, at: Instant) -> Step {
    let how = "security defaults, conditional access, or a third party's product, for every user";
    let era = mfa_era(Day::of(at), &desk.policy(at));
    let stated = desk.channel.posture(partner, at);
    let done = stated.map(|stated| match posture(stated.value.method, stated.value.every_user) {
        Posture::EveryUser | Posture::ThirdParty => true,
        Posture::NotEveryUser | Posture::Untold => era == MfaEra::Before,
    });
    step("a second factor for every user", "CHN-7", done, how)
}

fn reseller_steps(desk: &Desk<'_>, reseller: Guid, at: Instant) -> Vec<Step> {
    let mut steps = Vec::new();
    let unknown = desk.channel.qualification(&desk.partners, reseller) == Qualification::Unknown;
    let told = |done: bool| if unknown { None } else { Some(done) };
    let onboarded = desk.channel.onboarded(reseller).is_some_and(|stated| stated.at <= at);
    let enrolled = desk.channel.enrolled(reseller).is_some_and(|stated| stated.at <= at);
    for (what, done) in [(crate::channel::Missing::Onboarded, onboarded), (crate::channel::Missing::Enrolled, enrolled)]
    {
        steps.push(step(missing(what), "CHN-6", told(done), "the reseller does it in Partner Center"));
    }
    let linked = !desk.channel.partners_of(reseller, at).is_empty();
    steps.push(step("linked to a provider of its region", "CHN-12", Some(linked), "establish the partnership"));
    steps
}

/// What a customer needs to buy an Azure plan from one partner, in the order in which it is done.
#[must_use]
pub fn customer_steps(desk: &Desk<'_>, customer: Guid, partner: Guid, at: Instant) -> Vec<Step> {
    let market = desk.commerce.market(customer);
    let mut steps = vec![step(
        "registered with the country of its tenant",
        "CHN-11",
        Some(market.is_some()),
        "publish customer registered",
    )];
    if let (Some(market), Some(statement)) = (market, desk.partners.statement_at(partner, at)) {
        let same = regions::of(market).is_some() && regions::of(market) == regions::of(statement.country);
        steps.push(step(
            "in the partner's region",
            "CHN-11",
            Some(same),
            "buy from a partner of the customer's region",
        ));
    }
    let csp = tenant(desk, customer, at) == Tenant::Csp;
    steps.push(step("no partner's CSP tenant", "CHN-8", Some(!csp), "make a separate customer-type tenant"));
    let related = desk.channel.relationship(customer, partner, at).is_some_and(|stated| stated.value.is_some());
    steps.push(step(
        "reseller relationship",
        "CHN-13",
        Some(related),
        "send a relationship request; the customer accepts",
    ));
    let agreed = desk.agreed(customer, partner, at).is_some();
    steps.push(step(
        "customer agreement towards this partner",
        "CHN-3",
        Some(agreed),
        "attest it, or let the customer accept it",
    ));
    let plan = desk.plans_of(customer).iter().any(|plan| plan.bill_to == partner && plan.at <= at);
    steps.push(step("an Azure plan", "CHN-17", Some(plan), "order it; one for each customer and reseller"));
    steps
}
