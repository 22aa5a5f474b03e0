//! Random months: the domain against the oracle, and against every way of delivering the same facts.
//!
//! A failure prints the seed and the command that repeats it. What may differ between deliveries is
//! nothing but positions; so answers are compared as text, whole.

// Chance from a seed.
pub mod dice;
// A small, spiteful month from a seed.
pub mod worlds;
// How upstream tells it.
pub mod telling;
// Both opinions as text.
pub mod answers;
// The same facts through a real journal.
mod splits;

use std::collections::BTreeMap;

use domain::facts::Facts;
use domain::pec::Judge;
use domain::period::Day;
use domain::projection::Fold;
use domain::scope::Scope;
use journal::wire::Message;

use self::dice::Dice;
use crate::memory::Memory;
use crate::oracle::access::covered;
use crate::oracle::money::answer;
use crate::oracle::world::{DAY, World, in_force};

/// How many seeds are tried by default; `PEC_SEEDS` asks for more, `PEC_SEED` for a single one.
const SEEDS: u64 = 200;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a seed is a number"));
    match number("PEC_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("PEC_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

/// Runs a check for every seed; a failure says how to repeat it.
fn for_every_seed(check: impl Fn(u64) -> Result<(), String>) {
    for seed in seeds() {
        if let Err(wrong) = check(seed) {
            panic!("seed {seed}: {wrong}\nrepeat with: PEC_SEED={seed} cargo test -p tests simulation -- --nocapture");
        }
    }
}

fn messages(world: &World, seed: u64) -> Vec<Message> {
    telling::tell(world, seed).iter().map(crate::memory::Told::message).collect()
}

/// Folds messages in the order in which they are handed in.
fn fold<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Facts {
    let mut memory = Memory::default();
    let mut fold: Fold<Facts> = Fold::default();
    let at = telling::instant(1_800_000_000);
    for message in messages {
        memory.append(message, at).expect("what is told can be read").iter().for_each(|entry| fold.apply(entry));
    }
    fold.state().clone()
}

/// The same messages in another order, some of them twice.
fn shuffled<'a>(messages: &'a [Message], dice: &mut Dice) -> Vec<&'a Message> {
    let mut delivered: Vec<&Message> = messages.iter().collect();
    for message in messages {
        if dice.chance(20) {
            delivered.push(message);
        }
    }
    dice.shuffle(&mut delivered);
    delivered
}

/// Whether access covered the day, by (plan, resource, day) of all usage: the domain's opinion.
fn covered_days(world: &World, facts: &Facts) -> BTreeMap<(usize, String, i64), bool> {
    let commerce = facts.commerce.view();
    let mut judge = Judge::new(facts, &commerce);
    let mut found = BTreeMap::new();
    for used in &world.usage {
        let subscription = telling::guid(world.subscriptions[used.subscription].id);
        let start = telling::instant(used.start);
        let placement =
            commerce.placement_of(subscription, (start, start), None).expect("usage lies where its subscription is");
        let place = judge.place(subscription, placement, &Scope::parse(&used.resource));
        let earned = judge.access(place, Day::of(start)).is_earned();
        let plan = *in_force(&world.subscriptions[used.subscription].plans, used.start).expect("usage after creation");
        found.insert((plan, used.resource.clone(), used.start.div_euclid(DAY)), earned);
    }
    found
}

#[test]
fn access_is_judged_as_the_oracle_judges_it() {
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let ours = covered_days(&world, &fold(&messages(&world, seed)));
        for ((plan, resource, day), earned) in ours {
            let at = world.usage.iter().find(|used| used.resource == resource).expect("taken from the usage");
            let theirs = covered(&world, plan, at.subscription, &resource, day).expect("usage lies under its plan");
            if earned != theirs {
                return Err(format!("{resource} on day {day} under plan {plan}: earned {earned}, the oracle {theirs}"));
            }
        }
        Ok(())
    });
}

#[test]
fn verdicts_lines_and_totals_are_the_oracles() {
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let (ours, findings) = answers::of_domain(&world, &fold(&messages(&world, seed)));
        let blocking: Vec<_> = findings.iter().filter(|finding| finding.blocking()).collect();
        if !blocking.is_empty() {
            return Err(format!("nothing in a made-up month may block closing: {blocking:?}"));
        }
        answers::difference(&ours, &answers::of_oracle(&world)).map_or(Ok(()), Err)
    });
}

#[test]
fn order_and_number_of_deliveries_leave_no_trace() {
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let told = messages(&world, seed);
        let (ours, findings) = answers::of_domain(&world, &fold(&told));
        let mut dice = Dice::new(!seed);
        for _ in 0..3 {
            let (again, found) = answers::of_domain(&world, &fold(shuffled(&told, &mut dice)));
            if let Some(difference) = answers::difference(&ours, &again) {
                return Err(format!("delivered in another order, and some twice: {difference}"));
            }
            if findings != found {
                return Err(format!("the findings depend on the order: {findings:?} and {found:?}"));
            }
        }
        Ok(())
    });
}

/// The control: take one message away, and some answers must change.
#[test]
fn a_lost_message_is_seen() {
    let changed = |seed: &u64| {
        let world = worlds::make(*seed);
        let told = messages(&world, *seed);
        let mut dice = Dice::new(*seed);
        let lost = dice.below(u64::try_from(told.len()).expect("few messages"));
        let kept = told.iter().zip(0..).filter(|(_, number)| *number != lost).map(|(message, _)| message);
        let (ours, _) = answers::of_domain(&world, &fold(kept));
        answers::difference(&ours, &answers::of_oracle(&world)).is_some()
    };
    let all: Vec<u64> = (0..60).collect();
    let seen = all.iter().filter(|seed| changed(seed)).count();
    assert!(seen > 20, "of 60 lost messages only {seen} changed an answer: the comparison looks at too little");
}

#[test]
fn worlds_have_what_the_rules_distinguish() {
    let mut verdicts = BTreeMap::new();
    for seed in seeds() {
        for judged in answer(&worlds::make(seed), "0.15").judged {
            *verdicts.entry(format!("{:?}", judged.says)).or_insert(0_u32) += 1;
        }
    }
    // What is never made is never tested.
    let few = if seeds().len() < 50 { 0 } else { 100 };
    assert!(verdicts.len() == 5 || few == 0, "{verdicts:?}");
    assert!(verdicts.values().all(|count| *count > few), "{verdicts:?}");
}
