//! Who may sell to whom in the demo's world: consent, agreements, security, links, markets, credit.
//!
//! Everybody is in order, but for two customers from whom there is something to learn: one never
//! agreed, so that its next order is refused, and one ended its relationship in the middle of the
//! month and left the partner's access standing. Loads for measuring do without all of it.

use domain::entry::{
    AgreementAccepted, AgreementAttested, AttesterRole, ChannelEvent, Contact, CreditStated, MarketAuthorised,
    MarketOffer, MfaMethod, PartnerAgreementSigned, Partnership, PostureStated, RelationshipEnded,
    RelationshipEstablished,
};
use domain::ids::{Guid, Market};
use journal::wire::Message;
use rust_decimal::Decimal;

use super::reference::message;
use super::world::{Customer, World};

/// The customer of whom no agreement is known.
const WITHOUT_AGREEMENT: usize = 4;
/// The customer that no longer buys from the provider.
const PARTED: usize = 9;
/// It parts on this day of the month, counted from 0.
const PARTED_AFTER_DAYS: i64 = 19;
/// Every third customer accepts the agreement itself; for the others the provider attests.
const ACCEPTS_ITSELF: usize = 3;
/// A few countries of the Azure plan's list: enough for a world that sells in one.
const PLAN_MARKETS: [&str; 6] = ["AT", "CH", "DE", "DK", "FR", "NL"];

/// What makes the demo's partners and customers whole.
#[must_use]
pub fn messages(world: &World) -> Vec<Message> {
    let mut out = partners(world);
    for (number, customer) in world.customers.iter().enumerate() {
        out.extend(of_customer(world, number, customer));
    }
    out
}

/// The name of the customer whose next order is refused.
#[must_use]
pub fn instructive(world: &World) -> &str {
    let customer = world.customers.get(WITHOUT_AGREEMENT).or(world.customers.first());
    customer.map_or("", |customer| customer.name.as_str())
}

fn partners(world: &World) -> Vec<Message> {
    let (provider, at) = (world.provider.tenant, world.dawn());
    let tell = |id: String, event: ChannelEvent| message(world, &id, &event.into());
    let region = domain::regions::of(world.market).expect("the world's market lies in a region");
    let signed = PartnerAgreementSigned { partner: provider, region, at };
    let credit =
        CreditStated { partner: provider, limit: Decimal::from(250_000), outstanding: Decimal::from(61_400), at };
    let mut out = vec![
        tell(format!("signed-{provider}"), ChannelEvent::PartnerAgreementSigned(signed)),
        tell(format!("credit-{provider}"), ChannelEvent::CreditStated(credit)),
    ];
    for partner in std::iter::once(&world.provider).chain(&world.resellers) {
        let posture =
            PostureStated { partner: partner.tenant, method: MfaMethod::ConditionalAccess, every_user: true, at };
        out.push(tell(format!("posture-{}", partner.tenant), ChannelEvent::PostureStated(posture)));
    }
    for reseller in &world.resellers {
        let link = Partnership { provider, reseller: reseller.tenant, at };
        out.push(tell(format!("partnership-{}", reseller.tenant), ChannelEvent::PartnershipEstablished(link)));
    }
    for code in PLAN_MARKETS {
        let market = Market::parse(code).expect("two letters");
        let row = MarketAuthorised { partner: None, market, offer: MarketOffer::AzurePlan, at, until: None };
        out.push(tell(format!("market-{code}"), ChannelEvent::MarketAuthorised(row)));
    }
    out
}

fn of_customer(world: &World, number: usize, customer: &Customer) -> Vec<Message> {
    let (tenant, partner, at) = (customer.tenant, world.provider.tenant, world.dawn());
    let reseller = customer.reseller.and_then(|reseller| world.resellers.get(reseller)).map(|one| one.tenant);
    let tell = |what: &str, event: ChannelEvent| {
        let mut message = message(world, &format!("{what}-{tenant}"), &event.into());
        message.key = Some(tenant.to_string().into_bytes());
        message
    };
    let related = RelationshipEstablished { customer: tenant, partner, reseller, delegated_rights: true, at };
    let mut out = vec![tell("relationship", ChannelEvent::RelationshipEstablished(related))];
    if number.is_multiple_of(ACCEPTS_ITSELF) {
        let accepted = AgreementAccepted { customer: tenant, partner, at };
        out.push(tell("agreement", ChannelEvent::AgreementAccepted(accepted)));
    } else if number != WITHOUT_AGREEMENT {
        out.push(tell("agreement", ChannelEvent::AgreementAttested(attested(world, customer, tenant))));
    }
    if number == PARTED {
        let parted = world.period.first_day().start() + chrono::TimeDelta::days(PARTED_AFTER_DAYS);
        let ended = RelationshipEnded { customer: tenant, partner, at: parted };
        out.push(tell("parted", ChannelEvent::RelationshipEnded(ended)));
    }
    out
}

fn attested(world: &World, customer: &Customer, tenant: Guid) -> AgreementAttested {
    let domain = customer.name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
    AgreementAttested {
        customer: tenant,
        partner: world.provider.tenant,
        contact: Contact {
            first_name: "Robin".into(),
            last_name: "Berg".into(),
            email: format!("robin.berg@{domain}.example").into(),
            phone: None,
        },
        role: AttesterRole::AdminAgent,
        template: "117a77b0-9360-443b-8795-c6dedc750cf9".into(),
        agreed_at: world.dawn() - chrono::TimeDelta::days(2),
        at: world.dawn(),
    }
}
