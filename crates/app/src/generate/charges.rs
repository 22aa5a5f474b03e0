//! Charges beside usage, on request: Azure credit, orders, returns, refunds, tax.
//!
//! Coverage is left out: how much of a resource's day a reservation covers depends on usage that
//! faults may withdraw again, and cover of more than was used would stop every close.

use domain::entry::{
    AzureCreditGranted, Billing, ChargeAction, ChargeKind, ChargeRecorded, Event, RefundGranted, TaxSet, Term,
};
use domain::period::{Day, Instant};
use journal::wire::Message;
use rust_decimal::Decimal;

use super::reference::message;
use super::world::{Customer, World};

/// For every customer in turn a credit, a reservation paid monthly, one that is returned, a refund.
#[must_use]
pub fn messages(world: &World) -> Vec<Message> {
    let first = world.period.first_day();
    let tax = TaxSet { partner: world.provider.tenant, location: world.market, rate: Decimal::new(19, 2), from: first };
    let mut out = vec![message(world, "tax-provider", &Event::TaxSet(tax))];
    for (number, customer) in world.customers.iter().enumerate() {
        let name = format!("{number}-{}", world.period);
        let event = match number % 4 {
            0 => Event::AzureCreditGranted(credit(world, customer, &name)),
            1 => Event::ChargeRecorded(order(customer, &name, ChargeAction::New, world.dawn())),
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
