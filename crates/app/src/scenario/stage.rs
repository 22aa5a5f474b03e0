//! The cast and the props with which every scenario begins, and the names that scenarios use.
//!
//! Scenarios speak of `us`, `shop`, `sub-a/vm-1` and `Owner`; events speak of GUIDs and ARM paths.
//! This module translates both ways, so that a table stays readable. Nothing here judges.

use std::collections::{BTreeMap, BTreeSet};

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

/// Built-in roles that have a name here.
const ROLES: [(&str, &str); 3] = [("Owner", OWNER), ("Contributor", CONTRIBUTOR), ("Reader", READER)];
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// A role by its name or id; another name is a custom role, unless it looks like a built-in one that was
/// written wrongly.
pub fn role(name: &str) -> anyhow::Result<Guid> {
    if let Some((_, known)) = ROLES.iter().find(|(role, _)| *role == name) {
        return Ok(Guid::parse(known).expect("a constant of this file"));
    }
    if let Some((role, _)) = ROLES.iter().find(|(role, _)| misspelt(name, role)) {
        bail!("`{name}` looks like the built-in role {role}: write {role}, or give a custom role another name");
    }
    Ok(Guid::parse(name).unwrap_or_else(|| guid(name)))
}

/// Whether a name is another one but for its case and at most two letters.
fn misspelt(name: &str, known: &str) -> bool {
    let (name, known) = (name.to_lowercase(), known.to_lowercase());
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (line, letter) in name.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], line + 1);
        for (column, other) in known.bytes().enumerate() {
            let changed = before + usize::from(letter != other);
            before = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(before + 1);
        }
    }
    row.last().is_some_and(|edits| *edits <= 2)
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
    /// What the stage and the table introduce: partners, customers, plans, subscriptions.
    introduced: BTreeSet<String>,
    meters: BTreeSet<String>,
}

/// Parts of a name that say that nobody introduced it, for scenarios that are about that.
const STRANGERS: [&str; 3] = ["unknown", "stranger", "nobody"];

impl Names {
    /// A name that lines may use from now on.
    pub fn introduce(&mut self, name: &str) {
        self.introduced.insert(name.to_owned());
    }

    /// A name that says itself that nobody introduced it, so that tables show it.
    pub fn learn_stranger(&mut self, name: &str) {
        if STRANGERS.iter().any(|part| name.contains(part)) {
            self.learn(name);
        }
    }

    pub fn price(&mut self, meter: &str) {
        self.meters.insert(meter.to_owned());
        self.learn(meter);
    }

    /// The GUID of a partner, customer, plan or subscription that was introduced.
    pub fn known(&self, name: &str) -> anyhow::Result<Guid> {
        if !self.introduced.contains(name) && !STRANGERS.iter().any(|part| name.contains(part)) {
            let all: Vec<&str> = self.introduced.iter().map(String::as_str).collect();
            bail!(
                "nobody introduced `{name}`; there are {}, and a name with `unknown` in it may stand for what is not known",
                all.join(", ")
            );
        }
        Ok(guid(name))
    }

    /// The GUID of a meter that has a price, or is said to have none.
    pub fn meter(&self, name: &str) -> anyhow::Result<MeterId> {
        if !self.meters.contains(name) && !STRANGERS.iter().any(|part| name.contains(part)) {
            let all: Vec<&str> = self.meters.iter().map(String::as_str).collect();
            bail!("`{name}` is no meter; there are {}, and [prices] adds others", all.join(", "));
        }
        Ok(MeterId::Guid(guid(name)))
    }

    /// Somebody's GUID; the partner or customer whom a person belongs to was introduced.
    pub fn somebody(&self, name: &str) -> anyhow::Result<Guid> {
        self.known(name.split('/').next().unwrap_or_default())?;
        Ok(principal(name))
    }

    /// A scope, in a subscription that was introduced.
    pub fn place(&self, name: &str) -> anyhow::Result<Scope> {
        let first = name.split('/').next().unwrap_or_default();
        if first != "root" && !first.starts_with("mg-") {
            self.known(first)?;
        }
        scope(name)
    }

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
pub(super) fn registration(actor: &Actor, billing_currency: Currency, at: Instant) -> PartnerRegistered {
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
        at,
    }
}

/// What a scenario says about its stage; everything has a default.
#[derive(Debug)]
pub struct Stage {
    /// When everything begins: before the first line of the table.
    pub since: Instant,
    /// The months that have prices and rates.
    pub months: BTreeSet<Period>,
    /// Months of which nobody published a price sheet.
    pub without_prices: BTreeSet<Period>,
    pub currency: Currency,
    /// meter → price, `0.868` or `0 | 5: 2.99` (free up to 5, then 2.99).
    pub prices: BTreeMap<String, String>,
    /// The same for another market than the customer's.
    pub us_prices: BTreeMap<String, String>,
    /// The same for subscriptions sold as DevTest.
    pub dev_test_prices: BTreeMap<String, String>,
    pub usd_per_unit: BTreeMap<String, String>,
    /// Whether everything that orders ask for is there: consent, agreements, partnership, security.
    pub ready: bool,
}

/// The prices every scenario has unless it says otherwise.
#[must_use]
pub fn standard_prices() -> BTreeMap<String, String> {
    let list = [
        ("vm", "1"),
        ("disk", "0.868"),
        ("logs", "0 | 5: 2.99"),
        ("spot", "0.5"),
        ("market", "2"),
        ("store", "2"),
        ("free", "0"),
    ];
    list.into_iter().map(|(meter, price)| (meter.to_owned(), price.to_owned())).collect()
}

/// The DevTest prices every scenario has unless it says otherwise.
#[must_use]
pub fn standard_dev_test_prices() -> BTreeMap<String, String> {
    BTreeMap::from([("vm".to_owned(), "0.6".to_owned())])
}

impl Stage {
    /// Everything that is true before the scenario begins.
    pub fn events(&self) -> anyhow::Result<Vec<Told>> {
        let mut told = Vec::new();
        for actor in &CAST {
            told.push((
                format!("partner-{}", actor.name),
                Event::PartnerRegistered(registration(actor, self.currency, self.since)),
            ));
            let membership = MembershipChange { partner: guid(actor.name), at: self.since };
            told.push((format!("member-{}", actor.name), Event::MembershipStarted(membership)));
        }
        let customer = CustomerRegistered {
            customer: guid("acme"),
            name: "Acme".into(),
            market: Market::parse("DE").expect("two letters"),
            tenant_created: None,
            at: self.since,
        };
        told.push(("customer".to_owned(), Event::CustomerRegistered(customer)));
        for (plan, bill_to) in [("plan", "us"), ("plan-other", "other")] {
            let created = PlanCreated {
                plan: guid(plan),
                customer: guid("acme"),
                bill_to: guid(bill_to),
                reseller: None,
                at: self.since,
            };
            told.push((plan.to_owned(), Event::PlanCreated(created)));
        }
        told.push(("sub-a".to_owned(), Event::SubscriptionCreated(subscription("sub-a", "plan", self.since))));
        if self.ready {
            told.extend(ready().into_iter().map(|(id, event)| (id.to_owned(), Event::from(event))));
        }
        for period in self.months.iter().copied() {
            if !self.without_prices.contains(&period) {
                let rows = priced(&self.prices, PriceKind::Consumption, period)?;
                let rows = [rows, priced(&self.dev_test_prices, PriceKind::DevTest, period)?].concat();
                told.extend(sheet(("DE", period, published(period)), &format!("sheet-{period}"), rows)?);
            }
            if !self.us_prices.is_empty() {
                let rows = priced(&self.us_prices, PriceKind::Consumption, period)?;
                told.extend(sheet(("US", period, published(period)), &format!("us-sheet-{period}"), rows)?);
            }
            if !self.usd_per_unit.is_empty() {
                told.push((format!("rates-{period}"), Event::ExchangeRatesPublished(self.rates(period)?)));
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
}

/// The rows of meters with their prices.
fn priced(prices: &BTreeMap<String, String>, kind: PriceKind, period: Period) -> anyhow::Result<Vec<PriceRow>> {
    let mut all: Vec<PriceRow> = Vec::new();
    for (meter, price) in prices {
        all.extend(rows(meter, price, period)?.into_iter().map(|row| PriceRow { kind, ..row }));
    }
    Ok(all)
}

/// A whole price sheet: its header, then its one part.
pub(super) fn sheet(
    (market, period, published_at): (&str, Period, Instant),
    id: &str,
    rows: Vec<PriceRow>,
) -> anyhow::Result<Vec<(String, Event)>> {
    let header = PriceSheet {
        sheet: id.into(),
        market: Market::parse(market).with_context(|| format!("`{market}` is no market such as DE"))?,
        period,
        published_at,
        parts: 1,
        rows: u64::try_from(rows.len()).expect("few rows"),
        rows_digest: prices::rows_digest(&rows),
    };
    let part = prices::part(id.into(), 0, rows);
    Ok(vec![(id.to_owned(), Event::PriceSheetPublished(header)), (format!("{id}-0"), Event::PriceSheetPart(part))])
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

/// The rows of one meter: `1.5` is one open band, `0 | 5: 2.99` two. `vm:second` is the meter `vm` in
/// another product.
pub fn rows(meter: &str, price: &str, period: Period) -> anyhow::Result<Vec<PriceRow>> {
    let band = |text: &str| {
        let (above, price) = text.split_once(':').unwrap_or(("0", text));
        Ok((decimal(above)?, decimal(price)?))
    };
    let (meter, product) = meter.split_once(':').unwrap_or((meter, meter));
    let bands: Vec<(Decimal, Decimal)> = price.split('|').map(band).collect::<anyhow::Result<_>>()?;
    let row = |(number, (above, unit_price)): (usize, &(Decimal, Decimal))| PriceRow {
        product: self::product(product),
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
        tags: match meter {
            "market" => vec!["Third Party".into()],
            "store" => vec!["Marketplace".into()],
            _ => Vec::new(),
        },
    };
    Ok(bands.iter().enumerate().map(row).collect())
}

/// The id of a product, by the name that a scenario gives it.
pub(super) fn product(name: &str) -> Box<str> {
    format!("DZH318Z-{}", name.to_uppercase()).into()
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
