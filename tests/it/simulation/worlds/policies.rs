//! The policy documents of a made-up month, and the taxes that are set in it.
//!
//! Chance of its own, so that a month without documents is what it would be if there were none at all.

use super::{FIRST, MONTH, WINDOW, id};
use crate::oracle::policy::{Document, meter_text};
use crate::oracle::world::{Tax, World};
use crate::simulation::dice::Dice;

const ROUNDINGS: [&str; 4] = ["toward-zero", "half-even", "half-up", "away-from-zero"];

/// What a document may choose.
const CHOICES: [(&str, &[&str]); 17] = [
    ("aobo-grace-minutes", &["0", "5", "20", "1440"]),
    ("charge-rounding", &["unit", "amount"]),
    ("credit-rate", &["0", "0.1", "0.2", "0.333333", "1"]),
    ("deny-assignments", &["every", "flag"]),
    ("exchange-rate", &["exact", "9dp"]),
    ("inherited-grants", &["ignore"]),
    ("invoice-rounding", &ROUNDINGS),
    ("line-rounding", &ROUNDINGS),
    ("line-steps", &["one"]),
    ("moved-resources", &["id-alone"]),
    ("nested-groups", &["ignore"]),
    ("partial-day", &["whole-day"]),
    ("spot-since", &["2026-01-04", "2026-01-01"]),
    ("tax", &["per-line", "on-total", "off"]),
    ("tier-counter", &["subscription"]),
    ("unlisted-roles", &["eligible"]),
    ("unqualified-reseller", &["earning"]),
];

/// Lists of meters.
const LISTS: [&str; 2] = ["excluded-meters", "spot-meters"];

/// Every field that some document names.
pub fn fields() -> impl Iterator<Item = &'static str> {
    CHOICES.map(|(field, _)| field).into_iter().chain(LISTS)
}

/// None, one, or two of which the later may be the lower one.
pub fn documents(seed: u64) -> Vec<Document> {
    let dice = &mut Dice::new(seed ^ 0x0090_11c7);
    let count = *dice.pick(&[0, 1, 1, 2, 2]);
    let mut revisions = [1, 2];
    dice.shuffle(&mut revisions);
    (0..count).zip(revisions).map(|(_, revision)| document(dice, revision)).collect()
}

fn document(dice: &mut Dice, revision: u32) -> Document {
    // Long before, from the first of this month or of the next one, or on some day of usage.
    let within = FIRST + dice.between(1, WINDOW);
    let from = *dice.pick(&[FIRST - 90, FIRST, FIRST, within, within, FIRST, FIRST + MONTH]);
    let mut settings = Vec::new();
    for (field, values) in CHOICES {
        if dice.chance(40) {
            settings.push((field, (*dice.pick(values)).to_owned()));
        }
    }
    for field in LISTS {
        if dice.chance(15) {
            let meters = [meter_text(id(10, dice.below(4))), meter_text(id(10, dice.below(4)))];
            settings.push((field, meters[..1 + usize::from(dice.chance(30))].join(" ")));
        }
    }
    Document { revision, from, settings }
}

/// A rate for each partner from before the month on, and another one now and then.
pub fn taxes(seed: u64, world: &World) -> Vec<Tax> {
    let dice = &mut Dice::new(seed ^ 0x007a_7e50);
    let mut taxes = Vec::new();
    for partner in 0..world.partners.len() {
        let rate = |dice: &mut Dice| (*dice.pick(&["0.19", "0.0725", "0", "0.21", "0.081"])).to_owned();
        taxes.push(Tax { partner, rate: rate(dice), from: FIRST - 100 });
        if dice.chance(50) {
            let from = FIRST + *dice.pick(&[-5, 0, 2, MONTH - 1, MONTH]);
            taxes.push(Tax { partner, rate: rate(dice), from });
        }
    }
    taxes
}
