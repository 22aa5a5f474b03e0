//! Lines beside usage: what was bought and given back, and refunds.
//!
//! Each is an amount on its day, cut once in dollars and once more after the exchange rate. What is
//! given back of a reservation within five days is all of it, later the share of the days that are
//! left, less twelve hundredths.

use super::drawing::Portion;
use super::money::{Line, LineOf, What, exchange_rate};
use super::number::Ratio;
use super::world::{DAY, Order, Time, World, in_force};

/// Days of the year for which an order is bought; none that is made here crosses a leap day.
const TERM: i64 = 365;
/// After so many days a return costs something.
const FREE_DAYS: i64 = 5;

pub fn charged(world: &World) -> Vec<(LineOf, Line)> {
    let mut lines = Vec::new();
    for order in &world.orders {
        let Some(price) = order.price.counts() else { continue };
        let (word, kind) =
            if order.reservation { ("reservation", "reservation") } else { ("marketplace", "consumption") };
        let mut book = |what: &'static str, at: Time, unit: Ratio, count: i64| {
            let of = of(world, order.plan, (word, kind), (what, &order.name), at);
            lines.push((of, line(world, order.plan, &unit, count)));
        };
        book("new", order.at, Ratio::of(price), order.quantity);
        if let Some((at, count)) = order.returned {
            let unit = Ratio::of(price).times(&given_back(order, at));
            book("cancelImmediate", at, Ratio::zero().minus(&unit), count);
        }
    }
    for refund in &world.refunds {
        let of = of(world, refund.plan, ("refund", "consumption"), ("customerCredit", &refund.name), refund.at);
        let unit = Ratio::zero().minus(&Ratio::of(refund.amount.counts()));
        lines.push((of, line(world, refund.plan, &unit, 1)));
    }
    lines
}

/// Which share of what was paid comes back.
fn given_back(order: &Order, at: Time) -> Ratio {
    if at - order.at <= FREE_DAYS * DAY {
        return Ratio::whole(1);
    }
    let left = order.at.div_euclid(DAY) + TERM - at.div_euclid(DAY);
    Ratio::whole(left).over(&Ratio::whole(TERM)).times(&Ratio::of("0.88"))
}

fn of(
    world: &World,
    plan: usize,
    (word, kind): (&'static str, &'static str),
    (what, name): (&'static str, &str),
    at: Time,
) -> LineOf {
    let reseller = in_force(&world.plans[plan].resellers, at).and_then(|told| told.counts().clone());
    let (what, from) = (What::Charge { word, kind, what, name: name.to_owned() }, at.div_euclid(DAY));
    LineOf { plan, reseller, what, from, tier: 1, portion: Portion::PayAsYouGo, credit: None }
}

fn line(world: &World, plan: usize, unit: &Ratio, count: i64) -> Line {
    let quantity = Ratio::whole(count);
    let by_unit = world.policy_of_month("charge-rounding") == "unit";
    let charge = if by_unit { world.column(unit).times(&quantity) } else { world.column(&unit.times(&quantity)) };
    let exchange = exchange_rate(world, world.partners[world.plans[plan].bill_to].currency);
    // As of licences: each price is exchanged and cut, then multiplied.
    let subtotal = if by_unit {
        world.column(&unit.times(&exchange)).times(&quantity)
    } else if world.policy_of_month("line-steps") == "two" {
        world.column(&charge.times(&exchange))
    } else {
        world.column(&unit.times(&quantity).times(&exchange))
    };
    Line {
        quantity,
        charge_without_credit: charge.clone(),
        charge,
        subtotal_without_credit: subtotal.clone(),
        subtotal,
    }
}
