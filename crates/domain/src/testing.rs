//! A small world for the unit tests of money: events told in order, with the journal's part played.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::entry::*;
use crate::facts::Facts;
use crate::ids::{Currency, Digest, Guid, Identity, Market, MeterId};
use crate::pec::LostCode;
use crate::period::{Day, Instant, Period};
use crate::prices::tests::rows_digest;
use crate::projection::Projection as _;
use crate::rating::Access;
use crate::scope::Scope;

pub(crate) const BILL_TO: Guid = Guid(0xb1);
pub(crate) const CUSTOMER: Guid = Guid(0xc1);
pub(crate) const PLAN: Guid = Guid(0xa1);
pub(crate) const SUBSCRIPTION: Guid = Guid(0x51);

pub(crate) fn number(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(crate) fn at(text: &str) -> Instant {
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    full.parse().unwrap()
}

pub(crate) fn month(text: &str) -> Period {
    Period::parse(text).unwrap()
}

pub(crate) fn currency(text: &str) -> Currency {
    Currency::parse(text).unwrap()
}

pub(crate) fn resource(name: &str) -> Scope {
    Scope::parse(&format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/x/y/{name}"))
}

/// A partner in Germany since 2019, billed in EUR, an organisation of its own under its tenant, of which nothing
/// else is told.
pub(crate) fn registered(tenant: Guid, kind: PartnerKind) -> PartnerRegistered {
    PartnerRegistered {
        tenant,
        name: format!("Partner {tenant}").into(),
        organisation: format!("organisation of {tenant}").into(),
        kind,
        country: Market::parse("DE").unwrap(),
        billing_currency: currency("EUR"),
        partner_ids: Vec::new(),
        admin_agents: Vec::new(),
        helpdesk_agents: Vec::new(),
        managing_tenants: Vec::new(),
        identities: Vec::new(),
        at: at("2019-01-01"),
    }
}

/// The journal's part of the story: outcomes and antecedents by identity.
#[derive(Default)]
pub(crate) struct Recorder {
    first: BTreeMap<Identity, (EntryRef, Fact)>,
    seen: BTreeSet<(Identity, Digest)>,
    next: u64,
}

impl Recorder {
    pub(crate) fn record(&mut self, fact: &Fact) -> Entry {
        let at = EntryRef { position: self.next, index: 0 };
        self.next += 1;
        let outcome = if self.seen.contains(&(fact.identity, fact.digest)) {
            Outcome::Duplicate
        } else if self.first.contains_key(&fact.identity) {
            Outcome::Conflicting
        } else {
            Outcome::Accepted
        };
        let conflicting = (outcome == Outcome::Conflicting).then_some(fact.identity);
        let earlier = |named: Option<Identity>| {
            let earlier = named.and_then(|named| self.first.get(&named));
            earlier.map(|(at, fact)| Box::new(Antecedent { at: *at, fact: fact.clone() }))
        };
        let antecedent = earlier(fact.event.target().or(conflicting));
        let incumbent = earlier(conflicting.filter(|_| fact.event.target().is_some()));
        self.seen.insert((fact.identity, fact.digest));
        self.first.entry(fact.identity).or_insert_with(|| (at, fact.clone()));
        let recorded_at = Day(0).start();
        Entry { position: at.position, index: 0, recorded_at, outcome, fact: fact.clone(), antecedent, incumbent }
    }
}

/// Facts, told one by one; identities count up unless they are given.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) facts: Facts,
    recorder: Recorder,
    next: u128,
}

impl World {
    /// A partner, a customer in the US, a plan and a subscription, all from 2020 on.
    pub(crate) fn new() -> Self {
        let mut world = Self::default();
        let at = at("2020-01-01");
        let market = Market::parse("US").unwrap();
        world.tell(Event::CustomerRegistered(CustomerRegistered {
            customer: CUSTOMER,
            name: "Fabrikam".into(),
            market,
            tenant_created: None,
            at,
        }));
        world.plan(PLAN, BILL_TO, Some("6048879"), "2020-01-01");
        world.subscription(SUBSCRIPTION, PLAN, Offer::AzurePlan, "2020-01-01");
        world
    }

    pub(crate) fn tell(&mut self, event: Event) -> Identity {
        self.next += 1;
        let identity = Identity(self.next << 64);
        self.tell_as(identity.0, 1, event);
        identity
    }

    pub(crate) fn tell_as(&mut self, identity: u128, digest: u8, event: Event) {
        let fact = Fact { identity: Identity(identity), digest: Digest([digest; 32]), event };
        self.facts.apply(&self.recorder.record(&fact));
    }

    pub(crate) fn plan(&mut self, plan: Guid, bill_to: Guid, reseller: Option<&str>, from: &str) {
        let reseller = reseller.map(Into::into);
        self.tell(Event::PlanCreated(PlanCreated { plan, customer: CUSTOMER, bill_to, reseller, at: at(from) }));
    }

    pub(crate) fn subscription(&mut self, subscription: Guid, plan: Guid, offer: Offer, from: &str) {
        let created = SubscriptionCreated { subscription, plan, name: "prod".into(), offer, at: at(from) };
        self.tell(Event::SubscriptionCreated(created));
    }

    /// Publishes a sheet of one part for the US.
    pub(crate) fn sheet(&mut self, period: &str, rows: Vec<PriceRow>) {
        self.sheet_at(period, "2019-12-31", rows);
    }

    pub(crate) fn sheet_at(&mut self, period: &str, published: &str, rows: Vec<PriceRow>) {
        let sheet: Box<str> = format!("{period}-{published}-{}", self.next).into();
        self.tell(Event::PriceSheetPublished(PriceSheet {
            sheet: sheet.clone(),
            market: Market::parse("US").unwrap(),
            period: month(period),
            published_at: at(published),
            parts: 1,
            rows: rows.len() as u64,
            rows_digest: rows_digest(&rows),
        }));
        let rows_digest = rows_digest(&rows);
        self.tell(Event::PriceSheetPart(PriceSheetPart { sheet, number: 0, rows, rows_digest }));
    }

    pub(crate) fn rate(&mut self, period: &str, unit: &str, usd: &str) {
        self.tell(Event::ExchangeRatesPublished(ExchangeRates {
            period: month(period),
            published_at: at("2019-12-31"),
            usd_per_unit: vec![(currency(unit), number(usd))],
        }));
    }

    /// One hour of a resource's usage from `start` (a day, or an instant).
    pub(crate) fn uses(&mut self, name: &str, start: &str, quantity: &str) -> Identity {
        self.tell(usage(name, start, quantity))
    }

    /// Units of a resource's day that a reservation or a savings plan covers.
    pub(crate) fn covers(&mut self, benefit: Benefit, name: &str, day: &str, quantity: &str) -> Identity {
        self.tell(Event::CoverageRecorded(CoverageRecorded {
            customer: CUSTOMER,
            plan: PLAN,
            subscription: SUBSCRIPTION,
            resource: Some(resource(name)),
            meter: MeterId::parse("m"),
            product: None,
            sku: None,
            unit: "1 Hour".into(),
            day: Day::parse(day).unwrap(),
            quantity: number(quantity),
            benefit,
            order: "o".into(),
        }))
    }

    pub(crate) fn policy(&mut self, revision: u32, from: &str, name: &str, value: &str) {
        let settings = vec![PolicySetting { name: name.into(), value: value.into() }];
        let effective_from = Day::parse(from).unwrap();
        self.tell(Event::PolicyPublished(PolicyDocument { revision, effective_from, settings }));
    }
}

/// One hour of meter `m`, in unit `1 Hour`.
pub(crate) fn usage(name: &str, start: &str, quantity: &str) -> Event {
    let start = at(start);
    Event::UsageRecorded(Usage {
        customer: CUSTOMER,
        plan: None,
        subscription: SUBSCRIPTION,
        resource: Some(resource(name)),
        resource_group: None,
        meter: MeterId::parse("m"),
        product: None,
        sku: None,
        start,
        end: start + chrono::TimeDelta::hours(1),
        quantity: number(quantity),
        unit: "1 Hour".into(),
        sent: None,
    })
}

/// A row of one open band for meter `m`, in force in all of 2020.
pub(crate) fn row(price: &str) -> PriceRow {
    PriceRow {
        product: "DZH318Z0BNZ5".into(),
        product_title: "Tables".into(),
        sku: "006G".into(),
        sku_title: "Tables - LRS".into(),
        meters: vec![MeterId::parse("m")],
        kind: PriceKind::Consumption,
        unit: "1 Hour".into(),
        currency: Currency::USD,
        unit_price: number(price),
        above: Decimal::ZERO,
        up_to: None,
        from: Day::parse("2020-01-01").unwrap(),
        until: Day::parse("2021-01-01").unwrap(),
        tags: vec!["Azure".into()],
    }
}

pub(crate) fn band(above: &str, up_to: Option<&str>, price: &str) -> PriceRow {
    PriceRow { above: number(above), up_to: up_to.map(number), ..row(price) }
}

/// Access by the resource's name: those named `lost…` have lost theirs, by the reason in the name.
pub(crate) fn access(asked: &crate::rating::Asked<'_>, days: &[Day]) -> Vec<Access> {
    let name = asked.scope.as_str().rsplit('/').next().unwrap();
    let access = match name.split('-').next().unwrap() {
        "gap" => Access::Lost(LostCode::Gap),
        "removed" => Access::Lost(LostCode::Removed),
        // Days 4 to 7 of the month lack access.
        "some" => return days.iter().map(|day| four_to_seven(*day)).collect(),
        "unknown" => Access::Lost(LostCode::UnknownAccess),
        _ => Access::Earned,
    };
    vec![access; days.len()]
}

fn four_to_seven(day: Day) -> Access {
    let day = day.0 - day.period().first_day().0 + 1;
    if (4..=7).contains(&day) { Access::Lost(LostCode::Gap) } else { Access::Earned }
}

/// A sequence that is the same in every run; good enough to shuffle with.
pub(crate) struct Lot(pub(crate) u64);

impl Lot {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}
