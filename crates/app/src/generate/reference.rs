//! What is told once: partners, prices, rates, customers, plans, subscriptions.

use domain::entry::{
    ChannelEvent, CustomerRegistered, Dated, Event, ExchangeRates, MembershipChange, PartnerAgreementSigned,
    PartnerKind, PartnerRegistered, PlanCreated, PriceKind, PriceRow, PriceSheet, ResellerEnrolled, ResellerOnboarded,
    SubscriptionCreated,
};
use domain::ids::{Currency, Market, MeterId};
use domain::period::Day;
use journal::wire::{Envelope, Message, encode};
use rust_decimal::Decimal;

use super::world::{Meter, Partner, World};

const SOURCE: &str = "urn:nordwind:backoffice";

/// The partners, their membership, the month's price sheet and exchange rates.
#[must_use]
pub fn messages(world: &World) -> Vec<Message> {
    let mut out = Vec::new();
    let partners = std::iter::once(&world.provider).chain(&world.resellers);
    for partner in partners {
        out.push(message(world, &format!("partner-{}", partner.partner_id), &registered(world, partner)));
    }
    for reseller in &world.resellers {
        out.extend(qualified(world, reseller));
    }
    let membership = MembershipChange { partner: world.provider.tenant, at: world.dawn() };
    out.push(message(world, "membership-provider", &Event::MembershipStarted(membership)));
    out.extend(price_sheet(world));
    let usd_per_unit = vec![
        (Currency::parse("EUR").expect("three letters"), decimal("1.18174999935535538")),
        (Currency::USD, Decimal::ONE),
    ];
    let published_at = world.period.first_day().start() - chrono::TimeDelta::hours(30);
    let rates = ExchangeRates { period: world.period, published_at, usd_per_unit };
    out.push(message(world, &format!("rates-{}", world.period), &Event::ExchangeRatesPublished(rates)));
    out
}

/// What makes a reseller one: its signature for the region, its enrolment and its onboarding.
fn qualified(world: &World, reseller: &Partner) -> [Message; 3] {
    let (partner, at) = (reseller.tenant, world.dawn());
    let region = domain::regions::of(world.market).expect("the world's market lies in a region");
    let signed = PartnerAgreementSigned { partner, region, at };
    let onboarded = ResellerOnboarded { partner, partner_id: Some(reseller.partner_id.as_str().into()), at };
    let tell = |what: &str, event: ChannelEvent| message(world, &format!("{what}-{partner}"), &event.into());
    [
        tell("signed", ChannelEvent::PartnerAgreementSigned(signed)),
        tell("enrolled", ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at })),
        tell("onboarded", ChannelEvent::ResellerOnboarded(onboarded)),
    ]
}

/// Customers with their plans and subscriptions.
#[must_use]
pub fn commerce(world: &World) -> Vec<Message> {
    let mut out = Vec::new();
    for customer in &world.customers {
        let registered = CustomerRegistered {
            customer: customer.tenant,
            name: customer.name.as_str().into(),
            market: world.market,
            tenant_created: None,
            at: world.dawn(),
        };
        let key = customer.tenant.to_string();
        let mut tell = |id: String, event: &Event| {
            let mut message = message(world, &id, event);
            message.key = Some(key.clone().into_bytes());
            out.push(message);
        };
        tell(format!("customer-{key}"), &Event::CustomerRegistered(registered));
        let reseller = customer.reseller.map(|n| world.resellers[n].partner_id.as_str().into());
        let plan = PlanCreated {
            plan: customer.plan,
            customer: customer.tenant,
            bill_to: world.provider.tenant,
            reseller,
            at: world.dawn(),
        };
        tell(format!("plan-{}", customer.plan), &Event::PlanCreated(plan));
        for (n, subscription) in customer.subscriptions.iter().enumerate() {
            let created = SubscriptionCreated {
                subscription: subscription.id,
                plan: customer.plan,
                name: format!("{} {}", customer.name, ["production", "test"][n % 2]).into(),
                offer: subscription.offer,
                at: world.dawn(),
            };
            tell(format!("subscription-{}", subscription.id), &Event::SubscriptionCreated(created));
        }
    }
    out
}

/// A message of the world's back office. Ids are stable, so that telling twice is a duplicate.
pub(super) fn message(world: &World, id: &str, event: &Event) -> Message {
    let envelope = Envelope {
        id: format!("{id}-{}", world.seed),
        source: SOURCE.to_owned(),
        time: Some(world.dawn()),
        causation_id: None,
    };
    encode(&envelope, event)
}

fn registered(world: &World, partner: &Partner) -> Event {
    let always = |value| Dated { value, since: None, until: None };
    Event::PartnerRegistered(PartnerRegistered {
        tenant: partner.tenant,
        name: partner.name.as_str().into(),
        organisation: partner.organisation.as_str().into(),
        kind: partner.kind,
        country: Market::parse("DE").expect("two letters"),
        billing_currency: world.currency,
        partner_ids: vec![Dated { value: partner.partner_id.as_str().into(), since: None, until: None }],
        admin_agents: vec![always(partner.admin_agents)],
        helpdesk_agents: vec![always(partner.helpdesk_agents)],
        managing_tenants: if partner.kind == PartnerKind::Other { vec![] } else { vec![always(partner.tenant)] },
        identities: vec![always(partner.engineer)],
        at: world.dawn(),
    })
}

fn price_sheet(world: &World) -> Vec<Message> {
    let rows: Vec<PriceRow> = world.meters.iter().flat_map(|meter| price_rows(world, meter)).collect();
    let published_at = world.period.first_day().start() - chrono::TimeDelta::hours(24);
    let name = format!("sheet-{}-{}", world.market.as_str(), world.period);
    let header = PriceSheet {
        sheet: name.as_str().into(),
        market: world.market,
        period: world.period,
        published_at,
        parts: 1,
        rows: rows.len() as u64,
        rows_digest: journal::wire::prices::rows_digest(&rows),
    };
    let part = journal::wire::prices::part(name.as_str().into(), 0, rows);
    vec![
        message(world, &name, &Event::PriceSheetPublished(header)),
        message(world, &format!("{name}-part-0"), &Event::PriceSheetPart(part)),
    ]
}

fn price_rows(world: &World, meter: &Meter) -> Vec<PriceRow> {
    let open = Day::parse("9999-12-31").expect("a date");
    let row = |(above, up_to, price): &(u32, Option<u32>, &str)| PriceRow {
        product: meter.product.as_str().into(),
        product_title: meter.product_title.as_str().into(),
        sku: meter.sku.as_str().into(),
        sku_title: meter.sku_title.as_str().into(),
        meters: vec![MeterId::Guid(meter.id)],
        kind: PriceKind::Consumption,
        unit: meter.unit.as_str().into(),
        currency: Currency::USD,
        unit_price: decimal(price),
        above: Decimal::from(*above),
        up_to: up_to.map(Decimal::from),
        from: world.period.previous().first_day(),
        until: open,
        tags: if meter.third_party { vec!["Azure".into(), "Third Party".into()] } else { vec!["Azure".into()] },
    };
    meter.tiers.iter().map(row).collect()
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("a literal of this file")
}
