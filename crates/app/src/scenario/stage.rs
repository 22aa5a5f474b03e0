//! The cast and the props with which every scenario begins, and the names that scenarios use.
//!
//! Scenarios speak of `us`, `shop`, `sub-a/vm-1` and `Owner`; events speak of GUIDs and ARM paths.
//! This module translates both ways, so that a table stays readable. Nothing here judges.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Days, Utc};
use domain::entry::{
    AgreementAccepted, ChannelEvent, CreditStated, CustomerRegistered, Dated, Event, ExchangeRates, MarketAuthorised,
    MarketOffer, MembershipChange, MfaMethod, Offer, PartnerAgreementSigned, PartnerKind, PartnerRegistered,
    Partnership, PlanCreated, PostureStated, PriceKind, PriceRow, PriceSheet, RelationshipEstablished,
    ResellerEnrolled, ResellerOnboarded, SubscriptionCreated,
};
use domain::ids::{Currency, Guid, Market, MeterId};
use domain::period::{Day, Instant, Period};
use domain::regions::Region;
use domain::scope::Scope;
use journal::wire::prices;
use rust_decimal::Decimal;

use super::memory::{Body, Told};

/// A time; a date alone is its midnight, UTC.
pub fn instant(text: &str) -> anyhow::Result<Instant> {
    let long = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let parsed = DateTime::parse_from_rfc3339(&long);
    let parsed = parsed.with_context(|| format!("`{text}` is no time: write 2025-03-10 or 2025-03-10T12:00:00Z"))?;
    Ok(parsed.with_timezone(&Utc))
}

/// The GUID behind a name: always the same one, different for different names.
#[must_use]
pub fn guid(name: &str) -> Guid {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in name.to_lowercase().bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    Guid(hash)
}

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// A role by its name; a name that is not built in is a custom role.
#[must_use]
pub fn role(name: &str) -> Guid {
    let known = match name {
        "Owner" => OWNER,
        "Contributor" => CONTRIBUTOR,
        "Reader" => READER,
        custom => return Guid::parse(custom).unwrap_or_else(|| guid(custom)),
    };
    Guid::parse(known).expect("a constant of this file")
}

/// `sub-a` is a subscription, `sub-a/rg-x` a group, `sub-a/vm-1` a resource in the group `rg`,
/// `sub-a/rg-x/vm-1` a resource in that group; `mg-x` a management group; `root` is the scope above all.
pub fn scope(name: &str) -> anyhow::Result<Scope> {
    let parts: Vec<&str> = name.split('/').collect();
    let resource = |sub: &str, group: &str, name: &str| {
        let provider = "providers/Microsoft.Compute/virtualMachines";
        Scope::parse(&format!("/subscriptions/{}/resourceGroups/{group}/{provider}/{name}", guid(sub)))
    };
    Ok(match parts[..] {
        ["root"] => Scope::parse("/"),
        [group] if group.starts_with("mg-") => {
            Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{group}"))
        }
        [sub] => Scope::subscription_of(guid(sub)),
        [sub, group] if group.starts_with("rg-") => {
            Scope::parse(&format!("/subscriptions/{}/resourceGroups/{group}", guid(sub)))
        }
        [sub, name] => resource(sub, "rg", name),
        [sub, group, name] => resource(sub, group, name),
        _ => bail!("`{name}` is no scope: write sub-a, sub-a/rg-x, sub-a/vm-1 or sub-a/rg-x/vm-1"),
    })
}

/// Gives things their names back, for the tables that are printed.
#[derive(Debug, Default)]
pub struct Names {
    texts: BTreeMap<String, String>,
}

impl Names {
    pub fn learn(&mut self, name: &str) {
        self.texts.insert(guid(name).to_string(), name.to_owned());
    }

    /// Replaces every known GUID and the dull middle of resource paths in a text.
    #[must_use]
    pub fn shorten(&self, text: &str) -> String {
        let mut text = text
            .replace("/providers/microsoft.compute/virtualmachines/", "/")
            .replace("/providers/microsoft.management/managementgroups/", "")
            .replace("/resourcegroups/rg/", "/")
            .replace("/resourcegroups/", "/")
            .replace("/subscriptions/", "");
        for (guid, name) in &self.texts {
            text = text.replace(guid, name);
        }
        text
    }
}

/// A partner of the cast.
#[derive(Debug)]
pub struct Actor {
    pub name: &'static str,
    pub partner_id: &'static str,
    pub kind: PartnerKind,
}

/// `us` is the provider whom Microsoft bills, `shop` a reseller, `other` a provider that competes.
pub const CAST: [Actor; 3] = [
    Actor { name: "us", partner_id: "1000001", kind: PartnerKind::Provider },
    Actor { name: "shop", partner_id: "2000002", kind: PartnerKind::Reseller },
    Actor { name: "other", partner_id: "3000003", kind: PartnerKind::Provider },
];

/// The PartnerID of one of the cast, or a PartnerID as it is.
pub fn partner_id(name: &str) -> anyhow::Result<Box<str>> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) || name.starts_with("P-") {
        return Ok(name.into());
    }
    let actor = CAST.iter().find(|actor| actor.name == name);
    Ok(actor.with_context(|| format!("`{name}` is not in the cast: us, shop, other"))?.partner_id.into())
}

/// Who acts: `us` is its AdminAgents group, `us/helpdesk` its HelpdeskAgents, `us/anna` a person of
/// its own, `acme/carl` a person of the customer.
#[must_use]
pub fn principal(name: &str) -> Guid {
    match name.split_once('/') {
        None => guid(&format!("{name}/admin-agents")),
        Some(_) => guid(name),
    }
}

/// A partner's own statement, as it stands when a scenario begins.
pub(super) fn registration(actor: &Actor, billing_currency: Currency) -> PartnerRegistered {
    let always = |value| Dated { value, since: None, until: None };
    PartnerRegistered {
        tenant: guid(actor.name),
        name: actor.name.into(),
        organisation: format!("org-{}", actor.name).into(),
        kind: actor.kind,
        country: Market::parse("DE").expect("two letters"),
        billing_currency,
        partner_ids: vec![Dated { value: actor.partner_id.into(), since: None, until: None }],
        admin_agents: vec![always(guid(&format!("{}/admin-agents", actor.name)))],
        helpdesk_agents: vec![always(guid(&format!("{}/helpdesk", actor.name)))],
        managing_tenants: vec![always(guid(actor.name))],
        identities: ["anna", "ben"].map(|who| always(guid(&format!("{}/{who}", actor.name)))).to_vec(),
        at: long_ago(),
    }
}

/// What a scenario says about its stage; everything has a default.
#[derive(Debug)]
pub struct Stage {
    pub period: Period,
    pub currency: Currency,
    /// meter → price, `0.868` or `0 | 5: 2.99` (free up to 5, then 2.99).
    pub prices: BTreeMap<String, String>,
    /// The same for another market than the customer's.
    pub us_prices: BTreeMap<String, String>,
    pub usd_per_unit: BTreeMap<String, String>,
    /// Whether everything that orders ask for is there: consent, agreements, partnership, security.
    pub ready: bool,
}

/// The prices every scenario has unless it says otherwise.
#[must_use]
pub fn standard_prices() -> BTreeMap<String, String> {
    let list =
        [("vm", "1"), ("disk", "0.868"), ("logs", "0 | 5: 2.99"), ("spot", "0.5"), ("market", "2"), ("free", "0")];
    list.into_iter().map(|(meter, price)| (meter.to_owned(), price.to_owned())).collect()
}

/// Long before the period: registrations are old news in every scenario.
#[must_use]
pub fn long_ago() -> Instant {
    Day::parse("2024-01-01").expect("a day").start()
}

impl Stage {
    /// Everything that is true before the scenario begins.
    pub fn events(&self) -> anyhow::Result<Vec<Told>> {
        let mut told = Vec::new();
        for actor in &CAST {
            told.push((
                format!("partner-{}", actor.name),
                Event::PartnerRegistered(registration(actor, self.currency)),
            ));
            let membership = MembershipChange { partner: guid(actor.name), at: long_ago() };
            told.push((format!("member-{}", actor.name), Event::MembershipStarted(membership)));
        }
        let customer = CustomerRegistered {
            customer: guid("acme"),
            name: "Acme".into(),
            market: Market::parse("DE").expect("two letters"),
            tenant_created: None,
            at: long_ago(),
        };
        told.push(("customer".to_owned(), Event::CustomerRegistered(customer)));
        for (plan, bill_to) in [("plan", "us"), ("plan-other", "other")] {
            let created = PlanCreated {
                plan: guid(plan),
                customer: guid("acme"),
                bill_to: guid(bill_to),
                reseller: None,
                at: long_ago(),
            };
            told.push((plan.to_owned(), Event::PlanCreated(created)));
        }
        told.push(("sub-a".to_owned(), Event::SubscriptionCreated(subscription("sub-a", "plan", long_ago()))));
        if self.ready {
            told.extend(ready().into_iter().map(|(id, event)| (id.to_owned(), Event::from(event))));
        }
        for (number, period) in [self.period.previous(), self.period, self.period.next()].into_iter().enumerate() {
            told.extend(self.sheet(period, "DE", &self.prices, &format!("sheet-{number}"))?);
            if !self.us_prices.is_empty() {
                told.extend(self.sheet(period, "US", &self.us_prices, &format!("us-sheet-{number}"))?);
            }
            if !self.usd_per_unit.is_empty() {
                told.push((format!("rates-{number}"), Event::ExchangeRatesPublished(self.rates(period)?)));
            }
        }
        Ok(told.into_iter().map(|(id, event)| Told { id, causation: None, body: Body::Event(event) }).collect())
    }

    fn rates(&self, period: Period) -> anyhow::Result<ExchangeRates> {
        let read = |(currency, usd): (&String, &String)| {
            let known = Currency::parse(currency).with_context(|| format!("`{currency}` is no currency"))?;
            Ok((known, decimal(usd)?))
        };
        let usd_per_unit = self.usd_per_unit.iter().map(read).collect::<anyhow::Result<_>>()?;
        Ok(ExchangeRates { period, published_at: published(period), usd_per_unit })
    }

    fn sheet(
        &self,
        period: Period,
        market: &str,
        prices: &BTreeMap<String, String>,
        id: &str,
    ) -> anyhow::Result<Vec<(String, Event)>> {
        let mut rows: Vec<PriceRow> = Vec::new();
        for (meter, price) in prices {
            rows.extend(self::rows(meter, price, period)?);
        }
        let header = PriceSheet {
            sheet: id.into(),
            market: Market::parse(market).expect("two letters"),
            period,
            published_at: published(period),
            parts: 1,
            rows: u64::try_from(rows.len()).expect("few rows"),
            rows_digest: prices::rows_digest(&rows),
        };
        let part = prices::part(id.into(), 0, rows);
        Ok(vec![(id.to_owned(), Event::PriceSheetPublished(header)), (format!("{id}-0"), Event::PriceSheetPart(part))])
    }
}

/// Everything that an order of `us` through `shop` for `acme` asks for, since 2019.
fn ready() -> Vec<(&'static str, ChannelEvent)> {
    let at = Day::parse("2019-01-01").expect("a day").start();
    let (us, shop, acme) = (guid("us"), guid("shop"), guid("acme"));
    let europe = Region::parse("europe").expect("a region of the list");
    let signed = |partner| ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region: europe, at });
    let onboarded = ResellerOnboarded { partner: shop, partner_id: Some("2000002".into()), at };
    let relationship =
        RelationshipEstablished { customer: acme, partner: us, reseller: Some(shop), delegated_rights: false, at };
    let market = MarketAuthorised {
        partner: None,
        market: Market::parse("DE").expect("two letters"),
        offer: MarketOffer::AzurePlan,
        at,
        until: None,
    };
    let credit = CreditStated { partner: us, limit: Decimal::from(100_000), outstanding: Decimal::from(40_000), at };
    vec![
        (
            "ready-posture",
            ChannelEvent::PostureStated(PostureStated {
                partner: us,
                method: MfaMethod::SecurityDefaults,
                every_user: true,
                at,
            }),
        ),
        ("ready-signed-us", signed(us)),
        ("ready-signed-shop", signed(shop)),
        ("ready-enrolled", ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner: shop, at })),
        ("ready-onboarded", ChannelEvent::ResellerOnboarded(onboarded)),
        ("ready-partnership", ChannelEvent::PartnershipEstablished(Partnership { provider: us, reseller: shop, at })),
        ("ready-relationship", ChannelEvent::RelationshipEstablished(relationship)),
        ("ready-agreement", ChannelEvent::AgreementAccepted(AgreementAccepted { customer: acme, partner: us, at })),
        ("ready-credit", ChannelEvent::CreditStated(credit)),
        ("ready-market", ChannelEvent::MarketAuthorised(market)),
    ]
}

fn published(period: Period) -> Instant {
    period.first_day().start().checked_sub_days(Days::new(2)).expect("long after the first day of the calendar")
}

/// The rows of one meter: `1.5` is one open band, `0 | 5: 2.99` two.
pub fn rows(meter: &str, price: &str, period: Period) -> anyhow::Result<Vec<PriceRow>> {
    let band = |text: &str| {
        let (above, price) = text.split_once(':').unwrap_or(("0", text));
        Ok((decimal(above)?, decimal(price)?))
    };
    let bands: Vec<(Decimal, Decimal)> = price.split('|').map(band).collect::<anyhow::Result<_>>()?;
    let row = |(number, (above, unit_price)): (usize, &(Decimal, Decimal))| PriceRow {
        product: format!("DZH318Z-{}", meter.to_uppercase()).into(),
        product_title: title(meter).into(),
        sku: "0001".into(),
        sku_title: title(meter).into(),
        meters: vec![MeterId::Guid(guid(meter))],
        kind: PriceKind::Consumption,
        unit: "1 Hour".into(),
        currency: Currency::USD,
        unit_price: *unit_price,
        above: *above,
        up_to: bands.get(number + 1).map(|(next, _)| *next),
        from: period.first_day(),
        until: period.next().first_day(),
        tags: if meter == "market" { vec!["Third Party".into()] } else { Vec::new() },
    };
    Ok(bands.iter().enumerate().map(row).collect())
}

/// A number as it is written, every digit of it.
pub fn decimal(text: &str) -> anyhow::Result<Decimal> {
    Decimal::from_str_exact(text.trim()).with_context(|| format!("`{text}` is no number"))
}

fn title(meter: &str) -> String {
    if meter == "spot" { "Virtual Machines Dv3 Spot".to_owned() } else { format!("Meter {meter}") }
}

#[must_use]
pub fn subscription(name: &str, plan: &str, at: Instant) -> SubscriptionCreated {
    SubscriptionCreated { subscription: guid(name), plan: guid(plan), name: name.into(), offer: Offer::AzurePlan, at }
}
