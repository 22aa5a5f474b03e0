//! Charges beside usage, on request: Azure credit, orders, returns, refunds, tax, and what an order covers.
//!
//! Covered usage is made here too, as an event of its own that no fault withdraws again: cover of more
//! than was used would stop every close.

use domain::entry::{
    AzureCreditGranted, Benefit, Billing, ChargeAction, ChargeKind, ChargeRecorded, CoverageRecorded, Event,
    RefundGranted, TaxSet, Term,
};
use domain::ids::MeterId;
use domain::period::{Day, Instant};
use domain::scope::Scope;
use journal::wire::Message;
use rust_decimal::Decimal;

use super::reference::message;
use super::usage;
use super::world::{Customer, World};

/// For every customer in turn a credit, a reservation paid monthly that covers some usage, one that is
/// returned, a refund.
#[must_use]
pub fn messages(world: &World) -> Vec<Message> {
    let first = world.period.first_day();
    let tax = TaxSet { partner: world.provider.tenant, location: world.market, rate: Decimal::new(19, 2), from: first };
    let mut out = vec![message(world, "tax-provider", &Event::TaxSet(tax))];
    for (number, customer) in world.customers.iter().enumerate() {
        let name = format!("{number}-{}", world.period);
        let event = match number % 4 {
            0 => Event::AzureCreditGranted(credit(world, customer, &name)),
            1 => {
                out.extend(covered(world, number, &name));
                Event::ChargeRecorded(order(customer, &name, ChargeAction::New, world.dawn()))
            }
            2 => {
                let bought = order(customer, &name, ChargeAction::New, first.start());
                out.push(message(world, &format!("bought-{name}"), &Event::ChargeRecorded(bought)));
                let at = Day(first.0 + 20).start();
                Event::ChargeRecorded(order(customer, &name, ChargeAction::CancelImmediate, at))
            }
            _ => Event::RefundGranted(RefundGranted {
                refund: format!("refund-{name}").into(),
                customer: customer.tenant,
                plan: customer.plan,
                amount: Decimal::new(1250, 2),
                reason: "SLA credit".into(),
                at: Day(first.0 + 10).start(),
            }),
        };
        out.push(message(world, &format!("charge-{name}"), &event));
    }
    out
}

/// Numbers of usage events from here on are made by nobody else: the load counts up from 0.
const COVERED_NUMBERS: u64 = 0xc0e0_0000_0000;
/// In millionths of a unit.
const USED: u32 = 12_000_000;

/// Usage of a customer's first resource on the fifth of the month, and the five units of it that the
/// customer's order covers. Nothing, where the customer has no resource.
fn covered(world: &World, number: usize, name: &str) -> Vec<Message> {
    let found = world.resources.iter().position(|resource| resource.customer as usize == number);
    let Some(index) = found else { return Vec::new() };
    let (resource, customer) = (&world.resources[index], &world.customers[number]);
    let meter = &world.meters[resource.meter as usize];
    let coverage = CoverageRecorded {
        customer: customer.tenant,
        plan: customer.plan,
        subscription: customer.subscriptions[resource.subscription as usize].id,
        resource: Some(Scope::parse(&resource.uri)),
        meter: MeterId::parse(&meter.id.to_string()),
        product: None,
        sku: None,
        unit: meter.unit.as_str().into(),
        day: Day(world.period.first_day().0 + 4),
        quantity: Decimal::new(5, 0),
        benefit: Benefit::Reservation,
        order: format!("order-{name}").into(),
    };
    vec![
        usage::message(world, index, COVERED_NUMBERS + number as u64, 5, 10, USED),
        message(world, &format!("coverage-{name}"), &Event::CoverageRecorded(coverage)),
    ]
}

fn credit(world: &World, customer: &Customer, name: &str) -> AzureCreditGranted {
    AzureCreditGranted {
        grant: format!("credit-{name}").into(),
        name: "Azure credit offer".into(),
        bill_to: world.provider.tenant,
        customer: customer.tenant,
        plan: None,
        scope: None,
        amount: Decimal::new(100, 0),
        from: world.period.first_day(),
        until: world.period.next().next().first_day(),
    }
}

fn order(customer: &Customer, name: &str, action: ChargeAction, at: Instant) -> ChargeRecorded {
    ChargeRecorded {
        order: format!("order-{name}").into(),
        action,
        kind: ChargeKind::Reservation,
        customer: customer.tenant,
        plan: customer.plan,
        product: "DZH318Z0BQ35".into(),
        product_title: "Reserved VM Instance".into(),
        sku: "00G2".into(),
        sku_title: "Standard_D2s_v3 | EU West".into(),
        unit_price: Decimal::new(10035, 2),
        quantity: Decimal::ONE,
        term: Term::Year,
        billing: Billing::Monthly,
        at,
    }
}
