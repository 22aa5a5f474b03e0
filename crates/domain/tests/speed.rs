//! How fast and how small the fold and the draft are at the size they are meant for: 10 million
//! usage events of 100,000 resources in 30 days. Ignored by default; run in release:
//! `cargo test -p domain --release --test speed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use domain::entry::{
    CustomerRegistered, Entry, Event, Fact, Offer, Outcome, PlanCreated, PriceKind, PriceRow, PriceSheet,
    PriceSheetPart, SubscriptionCreated, Usage,
};
use domain::facts::Facts;
use domain::ids::{Currency, Digest, Guid, Identity, Market, MeterId};
use domain::invoice::draft;
use domain::period::{Day, Period};
use domain::projection::Projection as _;
use domain::rating::{Access, Desk};
use domain::scope::Scope;
use rust_decimal::Decimal;

const EVENTS: u64 = 10_000_000;
const RESOURCES: u64 = 100_000;
const CUSTOMERS: u64 = 100;

fn entry(position: u64, event: Event) -> Entry {
    Entry {
        position,
        index: 0,
        recorded_at: Day(0).start(),
        outcome: Outcome::Accepted,
        fact: Fact { identity: Identity(position.into()), digest: Digest::default(), event },
        antecedent: None,
        incumbent: None,
    }
}

fn guid(kind: u128, number: u64) -> Guid {
    Guid((kind << 96) | u128::from(number))
}

fn foundation(month: Period) -> Vec<Event> {
    let (at, market) = (Day(18_000).start(), Market::parse("US").unwrap());
    let mut events = Vec::new();
    for number in 0..CUSTOMERS {
        let (customer, plan, subscription) = (guid(1, number), guid(2, number), guid(3, number));
        events.push(Event::CustomerRegistered(CustomerRegistered {
            customer,
            name: "c".into(),
            market,
            tenant_created: None,
            at,
        }));
        events.push(Event::PlanCreated(PlanCreated { plan, customer, bill_to: Guid(9), reseller: None, at }));
        let offer = Offer::AzurePlan;
        let created = SubscriptionCreated { subscription, plan, name: "s".into(), offer, at };
        events.push(Event::SubscriptionCreated(created));
    }
    let rows: Vec<PriceRow> = (0..50_u64).map(|meter| price(meter, month)).collect();
    events.push(Event::PriceSheetPublished(PriceSheet {
        sheet: "s".into(),
        market,
        period: month,
        published_at: at,
        parts: 1,
        rows: rows.len() as u64,
        rows_digest: Digest::default(),
    }));
    events.push(Event::PriceSheetPart(PriceSheetPart {
        sheet: "s".into(),
        number: 0,
        rows,
        rows_digest: Digest::default(),
    }));
    events
}

fn price(meter: u64, month: Period) -> PriceRow {
    PriceRow {
        product: format!("P{meter}").into(),
        product_title: "Tables".into(),
        sku: "0001".into(),
        sku_title: "Tables - LRS".into(),
        meters: vec![MeterId::Guid(guid(4, meter))],
        kind: PriceKind::Consumption,
        unit: "1 Hour".into(),
        currency: Currency::USD,
        unit_price: Decimal::new(868, 3),
        above: Decimal::ZERO,
        up_to: None,
        from: month.first_day(),
        until: month.next().first_day(),
        tags: Vec::new(),
    }
}

fn usage(number: u64, scopes: &[Scope], month: Period) -> Event {
    let resource = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % RESOURCES;
    let hour = i64::try_from(number.wrapping_mul(0xD134_2543_DE82_EF95) % 720).unwrap();
    let start = month.first_day().start() + chrono::TimeDelta::hours(hour);
    let customer = resource % CUSTOMERS;
    Event::UsageRecorded(Usage {
        customer: guid(1, customer),
        plan: None,
        subscription: guid(3, customer),
        resource: Some(scopes[usize::try_from(resource).unwrap()].clone()),
        resource_group: None,
        meter: MeterId::Guid(guid(4, resource % 50)),
        product: None,
        sku: None,
        start,
        end: start + chrono::TimeDelta::hours(1),
        quantity: Decimal::new(i64::try_from(number % 1_000_003).unwrap(), 6),
        unit: "1 Hour".into(),
        sent: None,
    })
}

/// What this thread has computed so far; waiting for other processes does not count.
fn busy() -> std::time::Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
}

/// Bytes of memory that this process holds now.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
#[ignore = "takes half a minute and 400 MB; a measurement, in release only"]
fn ten_million_events() {
    let month = Period::parse("2020-09").unwrap();
    let scopes: Vec<Scope> = (0..RESOURCES)
        .map(|resource| {
            let (subscription, group) = (guid(3, resource % CUSTOMERS), resource % 997);
            let provider = "Microsoft.Compute/virtualMachines";
            Scope::parse(&format!(
                "/subscriptions/{subscription}/resourceGroups/rg-{group}/providers/{provider}/vm-{resource}"
            ))
        })
        .collect();
    let mut facts = Facts::default();
    let mut position = 0;
    for event in foundation(month) {
        facts.apply(&entry(position, event));
        position += 1;
    }
    let before = resident();
    let mut applying = std::time::Duration::ZERO;
    for chunk in 0..EVENTS / 10_000 {
        let entries: Vec<Entry> = (chunk * 10_000..(chunk + 1) * 10_000)
            .map(|number| entry(position + number, usage(number, &scopes, month)))
            .collect();
        let began = busy();
        for entry in &entries {
            facts.apply(entry);
        }
        applying += busy() - began;
    }
    println!("applied {EVENTS} in {applying:?}, {} MB", (resident() - before) / 1_000_000);
    let began = busy();
    let commerce = facts.commerce.view();
    let desk = Desk::new(&facts, &commerce);
    println!("ordered in {:?}", busy() - began);
    let mut judging = |_: &domain::rating::Asked<'_>, days: &[Day]| vec![Access::Earned; days.len()];
    let began = busy();
    let (draft, findings) = draft(&desk, Guid(9), Currency::USD, month, &mut judging);
    println!("drafted {} lines, total {}, in {:?}", draft.lines.len(), draft.total_and_rounding().0, busy() - began);
    assert_eq!(findings, []);
    assert_eq!(draft.lines.len(), usize::try_from(CUSTOMERS).unwrap());
}
