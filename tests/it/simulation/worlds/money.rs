//! What money a made-up month has beside usage: price sheets, cover, Azure credit, orders, refunds.
//!
//! Each is told in two ways now and then. A second price sheet is newer than the first, or may be, or
//! lacks a row in one telling; the first one is never in doubt, so that there always is a price.

use super::{CUSTOMER_PLANS, FIRST, MONTH, id, minute};
use crate::oracle::conflict::Told;
use crate::oracle::drawing::totals;
use crate::oracle::number::Ratio;
use crate::oracle::world::{AzureCredit, Bands, Cover, DAY, Order, Price, Refund, Sheet, Usage, World};
use crate::simulation::dice::Dice;

fn band(above: &str, price: String) -> (String, String) {
    (above.to_owned(), price)
}

pub fn sheets(dice: &mut Dice) -> Vec<Sheet> {
    let day = |day: i64| (FIRST + day) * DAY;
    let first =
        Sheet { id: id(12, 0), published: Told::of([Some(day(-3))]), whole: Told::of([true]), prices: prices(dice) };
    if !dice.chance(60) {
        return vec![first];
    }
    let other = dice.chance(60).then(|| if dice.chance(50) { Some(day(-5)) } else { None });
    let published = Told::of([Some(day(-2))].into_iter().chain(other));
    let whole = Told::of([true].into_iter().chain(dice.chance(40).then_some(false)));
    vec![first, Sheet { id: id(12, 1), published, whole, prices: prices(dice) }]
}

fn prices(dice: &mut Dice) -> Vec<Price> {
    let price = |dice: &mut Dice| format!("{}.{:06}", dice.below(3), dice.below(1_000_000));
    let plain = |number: u64, bands: Vec<Bands>, dice: &mut Dice| Price {
        meter: id(10, number),
        product: format!("DZH318Z-{number}"),
        sku: format!("000{number}"),
        spot: false,
        third_party: false,
        // Cheaper, and in other tiers.
        dev_test: vec![band("0", "0.25".to_owned()), band("30", format!("0.{number}25"))],
        // Changed within the month where there is a second one.
        bands: [FIRST, FIRST + 1 + dice.between(0, 4)].into_iter().zip(bands).collect(),
    };
    let tiers = |dice: &mut Dice| vec![band("0", "0".to_owned()), band("17.5", price(dice)), band("60", price(dice))];
    let twice = |of: &dyn Fn(&mut Dice) -> Bands, dice: &mut Dice| {
        let first = of(dice);
        let second = dice.chance(30).then(|| of(dice));
        [first].into_iter().chain(second).collect::<Vec<Bands>>()
    };
    let one = |dice: &mut Dice| vec![band("0", price(dice))];
    // The bounds of tiers may change with the price.
    let or_fewer = |dice: &mut Dice| {
        if dice.chance(70) { tiers(dice) } else { vec![band("0", price(dice)), band("25", price(dice))] }
    };
    let bands = twice(&one, dice);
    let flat = plain(0, bands, dice);
    let bands = twice(&or_fewer, dice);
    let free_first = plain(1, bands, dice);
    let bands = twice(&one, dice);
    let spot = Price { spot: true, ..plain(2, bands, dice) };
    let third = Price { third_party: true, ..plain(3, vec![one(dice)], dice) };
    vec![flat, free_first, spot, third]
}

/// Part of a day is covered, or all of it; only where nobody contradicts what was used.
pub fn cover(dice: &mut Dice, world: &World) -> Vec<Cover> {
    let mut made = Vec::new();
    for (cell, used) in totals(world) {
        let same = world.usage.iter().filter(|one| one.resource == cell.resource && one.meter == cell.meter);
        // One event a day, so that it is plain what is covered.
        let that_day: Vec<&Usage> = same.filter(|one| one.start.div_euclid(DAY) == cell.day).collect();
        let in_doubt = that_day.len() > 1 || that_day.iter().any(|one| one.quantity.bodies.len() > 1);
        // One plan a day, so that it is plain which usage is covered.
        let moved =
            world.subscriptions[cell.subscription].plans.iter().skip(1).any(|(at, _)| at.div_euclid(DAY) == cell.day);
        if in_doubt || moved || used.is_zero() || !dice.chance(12) {
            continue;
        }
        let part = |share: &str| used.times(&Ratio::of(share)).cut(6).text();
        let whole = dice.chance(30);
        for by_reservation in [dice.chance(50), true] {
            let first = if whole { part("1") } else { part("0.4") };
            let other = dice.chance(20).then(|| part("0.25"));
            let quantity = Told::of([first].into_iter().chain(other));
            let (plan, subscription, day) = (cell.plan, cell.subscription, cell.day);
            let (resource, meter) = (cell.resource.clone(), cell.meter);
            made.push(Cover { plan, subscription, resource, meter, day, by_reservation, quantity });
            if whole || by_reservation {
                break;
            }
        }
    }
    made
}

fn dollars(dice: &mut Dice, most: u64) -> String {
    format!("{}.{:04}", 1 + dice.below(most), dice.below(10_000))
}

fn told_dollars(dice: &mut Dice, most: u64) -> Told<String> {
    let first = dollars(dice, most);
    let other = dice.chance(25).then(|| dollars(dice, most));
    Told::of([first].into_iter().chain(other))
}

pub fn credits(dice: &mut Dice, resources: &[(usize, String)]) -> Vec<AzureCredit> {
    let count = if dice.chance(45) { 1 + dice.below(2) } else { 0 };
    let credit = |number: u64, dice: &mut Dice| {
        let bill_to = *dice.pick(&[0, 0, 0, 2]);
        let plan = if bill_to == 2 { 1 } else { 2 * usize::from(dice.chance(30)) };
        let depth = *dice.pick(&[3, 5, 9]);
        let scope = dice.pick(resources).1.split('/').take(depth).collect::<Vec<_>>().join("/");
        let from = FIRST + dice.between(0, 3);
        AzureCredit {
            name: format!("credit-{number}"),
            bill_to,
            plan: dice.chance(40).then_some(plan),
            scope: dice.chance(40).then_some(scope),
            amount: told_dollars(dice, 40),
            from,
            until: if dice.chance(50) { FIRST + MONTH } else { from + dice.between(1, 5) },
        }
    };
    (0..count).map(|number| credit(number, dice)).collect()
}

pub fn orders(dice: &mut Dice) -> Vec<Order> {
    let count = if dice.chance(40) { 1 + dice.below(3) } else { 0 };
    let order = |number: u64, dice: &mut Dice| {
        let (at, reservation) = (minute(dice), dice.chance(60));
        let quantity = 1 + dice.between(0, 4);
        let most = if reservation { 9 * 24 * 60 } else { 71 * 60 };
        let returned = dice.chance(45).then(|| (at + dice.between(1, most) * 60, 1 + dice.between(0, quantity)));
        // What was given back was bought for certain.
        let first = Some(dollars(dice, 900));
        let other = dice.chance(25).then(|| (returned.is_some() || dice.chance(60)).then(|| dollars(dice, 900)));
        let price = Told::of([first].into_iter().chain(other));
        let plan = *dice.pick(&CUSTOMER_PLANS);
        Order { name: format!("order-{number}"), plan, reservation, price, quantity, at, returned }
    };
    (0..count).map(|number| order(number, dice)).collect()
}

pub fn refunds(dice: &mut Dice) -> Vec<Refund> {
    let count = if dice.chance(75) { 1 + dice.below(3) } else { 0 };
    let refund = |number: u64, dice: &mut Dice| Refund {
        name: format!("refund-{number}"),
        plan: *dice.pick(&CUSTOMER_PLANS),
        amount: told_dollars(dice, 90),
        at: minute(dice),
    };
    (0..count).map(|number| refund(number, dice)).collect()
}
