//! What is due in tax, beside the total: line by line as a column, or once on all Subtotals.

use super::money::Answer;
use super::number::Ratio;
use super::world::{DayNumber, World};

/// What a partner owes in tax for the month; `None` where tax is off. Whatever is given up goes toward zero.
pub fn tax(world: &World, answer: &Answer, partner: usize) -> Option<Ratio> {
    let lines = answer.lines.iter().filter(|(of, _)| world.plans[of.plan].bill_to == partner);
    let subtotals: Vec<Ratio> = lines.map(|(_, line)| line.subtotal.clone()).collect();
    let currency = world.partners[partner].currency;
    let tax = tax_of(world, partner, (world.days.0, world.days.1 - 1), currency, &subtotals)?;
    Some(tax.cut(minor_unit(currency)))
}

/// The tax of a month, by its first and last day, on these Subtotals: line by line as columns of two decimals, or
/// once on the total, as an amount to pay.
pub fn tax_of(
    world: &World,
    partner: usize,
    (first, last): (DayNumber, DayNumber),
    currency: &str,
    subtotals: &[Ratio],
) -> Option<Ratio> {
    let set = world.taxes.iter().filter(|tax| tax.partner == partner && tax.from <= last);
    let rate = Ratio::of(&set.max_by_key(|tax| tax.from)?.rate);
    let sum = |sum: Ratio, one: Ratio| sum.plus(&one);
    match world.policy(first, "tax") {
        "off" => None,
        "per-line" => Some(subtotals.iter().map(|one| one.times(&rate).cut(2)).fold(Ratio::zero(), sum)),
        _ => Some(subtotals.iter().cloned().fold(Ratio::zero(), sum).times(&rate).cut(minor_unit(currency))),
    }
}

/// Decimals of a currency's smallest coin.
pub fn minor_unit(currency: &str) -> u32 {
    match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    }
}
