//! What is due in tax, beside the total: line by line as a column, or once on all Subtotals.

use super::money::Answer;
use super::number::Ratio;
use super::world::World;

/// What a partner owes in tax for the month; `None` where tax is off. Whatever is given up goes toward zero.
pub fn tax(world: &World, answer: &Answer, partner: usize) -> Option<Ratio> {
    let last = world.days.1 - 1;
    let set = world.taxes.iter().filter(|tax| tax.partner == partner && tax.from <= last);
    let rate = Ratio::of(&set.max_by_key(|tax| tax.from)?.rate);
    let lines = answer.lines.iter().filter(|(of, _)| world.plans[of.plan].bill_to == partner);
    let subtotals = lines.map(|(_, line)| &line.subtotal);
    let sum = |sum: Ratio, one: Ratio| sum.plus(&one);
    let tax = match world.policy_of_month("tax") {
        "off" => return None,
        "per-line" => subtotals.map(|subtotal| subtotal.times(&rate).cut(2)).fold(Ratio::zero(), sum),
        _ => subtotals.cloned().fold(Ratio::zero(), sum).times(&rate),
    };
    Some(tax.cut(minor_unit(world.partners[partner].currency)))
}

/// Decimals of a currency's smallest coin.
pub fn minor_unit(currency: &str) -> u32 {
    match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    }
}
