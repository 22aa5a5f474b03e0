//! Burns that are kept from look to look are those that are worked out anew.
//!
//! A world is told message by message in random order. After each message kept burns are brought up to date,
//! some plans at a time, and must be what rating everything comes to: whether usage came, late or corrected, or
//! a price, a policy, a transfer, a reservation or credit, or something told in two ways. The day on which it is
//! asked lies within the days of the world, so that usage comes before and after it.

use std::collections::BTreeMap;

use domain::facts::Facts;
use domain::period::Day;
use domain::projection::Fold;
use domain::rating::Desk;
use engine::books::Books;
use engine::burn::{self, Burn, Place};
use engine::burns::Burns;

use super::dice::Dice;
use super::{messages, shuffled, telling, worlds};
use crate::memory::Memory;

/// How many months by default; `PEC_SEEDS` asks for more, `PEC_SEED` for a single one.
const SEEDS: u64 = 200;

fn seeds() -> Vec<u64> {
    if std::env::var_os("PEC_SEED").is_some() || std::env::var_os("PEC_SEEDS").is_some() {
        return super::seeds();
    }
    (0..SEEDS).collect()
}

/// Brings kept burns up to date.
type Keep = fn(&mut Burns, &Desk<'_>, Day, &mut Dice);

fn in_parts(burns: &mut Burns, desk: &Desk<'_>, day: Day, dice: &mut Dice) {
    while !burns.refresh_some(desk, day, None, 1 + dice.below(4) as usize) {}
}

/// What everything burns, kept and anew.
fn both(facts: &Facts, burns: &mut Burns, day: Day, dice: &mut Dice, keep: Keep) -> [BTreeMap<Place, Burn>; 2] {
    let commerce = facts.commerce.view();
    let books = Books::new(facts, &commerce);
    keep(burns, &books.desk, day, dice);
    let kept = commerce.subscriptions().filter_map(|(subscription, _)| Some((subscription, burns.of(subscription)?)));
    let places = kept.flat_map(|(subscription, known)| {
        known.iter().map(move |(scope, burn)| ((subscription, scope.clone()), burn.clone()))
    });
    [places.collect(), burn::burns(&books, day)]
}

/// How often what everything burns changed.
fn watched(seed: u64, keep: Keep) -> Result<usize, String> {
    let world = worlds::make(seed);
    let mut dice = Dice::new(seed ^ 0xb0b0);
    let (first, last) = worlds::window();
    let (first, last) = (Day::of(telling::instant(first)), Day::of(telling::instant(last)));
    let day = Day(first.0 + 1 + i32::try_from(seed % 40).expect("small") % (last.0 - first.0));
    let mut memory = Memory::default();
    let mut fold: Fold<Facts> = Fold::default();
    let (mut burns, mut before, mut changes) = (Burns::default(), BTreeMap::new(), 0);
    for message in shuffled(&messages(&world, seed), &mut Dice::new(!seed)) {
        let entries = memory.append(message, telling::instant(1_800_000_000)).expect("what is told can be read");
        entries.iter().for_each(|entry| fold.apply(entry));
        let [kept, anew] = both(fold.state(), &mut burns, day, &mut dice, keep);
        if kept != anew {
            let events: Vec<_> = entries.iter().map(|entry| &entry.fact.event).collect();
            return Err(format!("before {day}, after {events:?}, kept:\n{kept:?}\nanew:\n{anew:?}"));
        }
        changes += usize::from(before != anew);
        before = anew;
    }
    Ok(changes)
}

#[test]
fn kept_burns_are_those_worked_out_anew() {
    let mut changes = 0;
    for seed in seeds() {
        match watched(seed, in_parts) {
            Ok(seen) => changes += seen,
            Err(wrong) => panic!("seed {seed}: {wrong}\nrepeat with: PEC_SEED={seed} cargo test -p tests burning"),
        }
    }
    assert!(seeds().len() < 10 || changes > 200, "only {changes} changes of what burns: this shows too little");
}

/// The control: burns that are brought up to date now and then are not those of now.
#[test]
fn burns_that_are_not_brought_up_to_date_are_seen() {
    let lazy: Keep = |burns, desk, day, dice| {
        if dice.below(4) == 0 {
            in_parts(burns, desk, day, dice);
        }
    };
    let seen = (0..SEEDS).filter(|seed| watched(*seed, lazy).is_err()).count();
    assert!(seen > 100, "of {SEEDS} lazy keepers only {seen} were seen");
}
