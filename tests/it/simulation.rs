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
// Events of every kind among what is told, in any order.
mod arrivals;
// Everything that the rules distinguish, counted.
mod counting;
// What must hold whatever the numbers.
mod properties;
// Months that are closed while facts are still arriving.
mod closing;
// Questions that must leave no trace.
mod supposing;
// Leaks, looked for where something changed.
mod leaking;
// Burns, kept from look to look.
mod burning;
// What a provider charges through its resellers.
mod statements;

use std::collections::{BTreeMap, BTreeSet};

use domain::facts::Facts;
use domain::finding::{Code, Finding};
use domain::pec::Judge;
use domain::period::Day;
use domain::projection::Fold;
use domain::scope::Scope;
use journal::wire::Message;

use self::dice::Dice;
use crate::memory::Memory;
use crate::oracle::conflict::Told;
use crate::oracle::money::answer;
use crate::oracle::reason::reason;
use crate::oracle::world::{DAY, Qualified, World, in_force};

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

/// How access decided a day, with the reason of a lost one and every other single repair.
type Days = BTreeMap<(usize, String, i64), String>;

/// In one line: `earned`, or the reason's code, whether several repairs are needed, and the others.
fn said(code: &str, several: bool, also: &[&str]) -> String {
    format!(
        "{code}{}{}",
        if several { " several" } else { "" },
        also.iter().map(|c| format!(", or {c}")).collect::<String>()
    )
}

/// The domain's opinion of every (plan, resource, day) with usage.
fn decided(world: &World, facts: &Facts) -> Days {
    let commerce = facts.commerce.view();
    let mut judge = Judge::new(facts, &commerce);
    let mut found = Days::new();
    for used in &world.usage {
        let subscription = telling::guid(world.subscriptions[used.subscription].id);
        let start = telling::instant(used.start);
        let placement =
            commerce.placement_of(subscription, (start, start), None).expect("usage lies where its subscription is");
        let place = judge.place(subscription, placement, &Scope::parse(&used.resource));
        let verdict = match judge.access(place, Day::of(start)).lost() {
            None => said("earned", false, &[]),
            Some(loss) => {
                let also: Vec<&str> = loss.also.iter().map(|code| code.text()).collect();
                said(loss.code.text(), loss.several, &also)
            }
        };
        let plan = *in_force(&world.subscriptions[used.subscription].plans, used.start).expect("usage after creation");
        found.insert((plan, used.resource.clone(), used.start.div_euclid(DAY)), verdict);
    }
    found
}

/// The oracle's opinion of the same.
fn decided_by_the_oracle(world: &World) -> Days {
    let mut found = Days::new();
    for used in &world.usage {
        let plan = *in_force(&world.subscriptions[used.subscription].plans, used.start).expect("usage after creation");
        let day = used.start.div_euclid(DAY);
        let key = (plan, used.resource.clone(), day);
        found.entry(key).or_insert_with(|| match reason(world, plan, used.subscription, &used.resource, day) {
            None => said("earned", false, &[]),
            Some(why) => {
                let also: Vec<&str> = why.also.iter().map(|code| code.text()).collect();
                said(why.code.text(), why.several, &also)
            }
        });
    }
    found
}

fn first_difference(ours: &Days, theirs: &Days) -> Option<String> {
    let differing = ours.iter().find(|(key, said)| theirs.get(*key) != Some(said));
    differing.map(|((plan, resource, day), said)| {
        let theirs = &theirs[&(*plan, resource.clone(), *day)];
        format!("{resource} on day {day} under plan {plan}: {said}; the oracle says {theirs}")
    })
}

#[test]
fn every_lost_day_has_the_oracles_reason() {
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let ours = decided(&world, &fold(&messages(&world, seed)));
        let differs = first_difference(&ours, &decided_by_the_oracle(&world));
        if differs.is_some() && std::env::var_os("PEC_TELL").is_some() {
            println!("{world:#?}");
        }
        differs.map_or(Ok(()), Err)
    });
}

/// The control: take a grant out of the world that the oracle sees, and it contradicts.
#[test]
fn another_world_has_other_reasons() {
    let differs = |seed: &u64| {
        let mut world = worlds::make(*seed);
        let ours = decided(&world, &fold(&messages(&world, *seed)));
        world.grants.pop();
        first_difference(&ours, &decided_by_the_oracle(&world)).is_some()
    };
    let seen = (0..40).filter(differs).count();
    assert!(seen > 10, "of 40 worlds that lost a grant only {seen} were judged otherwise");
}

/// The controls: an oracle for which every reseller is qualified, or for which the other body of a conflict
/// counts, contradicts somewhere.
#[test]
fn another_opinion_of_qualification_or_conflicts_is_seen() {
    let spoil: [(&str, fn(&mut World)); 18] = [
        ("qualification", |world| world.partners.iter_mut().for_each(|one| one.qualified = Qualified::Untold)),
        ("delegations", |world| world.delegations.iter_mut().for_each(|made| other_way(&mut made.role))),
        ("resellers", |world| {
            world.plans.iter_mut().flat_map(|plan| &mut plan.resellers).for_each(|(_, told)| other_way(told));
        }),
        ("exchange rates", |world| other_way(&mut world.usd_per_unit)),
        ("grants", |world| world.grants.iter_mut().for_each(|made| other_way(&mut made.role))),
        ("removals", |world| world.grants.iter_mut().filter_map(|made| made.held.end.as_mut()).for_each(other_way)),
        ("denies", |world| world.denies.iter_mut().for_each(|made| other_way(&mut made.every_write))),
        ("groups", |world| world.members.iter_mut().filter_map(|one| one.held.end.as_mut()).for_each(other_way)),
        ("registrations", |world| world.partners.iter_mut().for_each(|one| other_way(&mut one.registered))),
        ("memberships", |world| {
            let spells = world.partners.iter_mut().flat_map(|one| one.memberships.iter_mut().flatten());
            spells.filter_map(|spell| spell.end.as_mut()).for_each(other_way);
        }),
        ("barring", |world| {
            let spells = world.partners.iter_mut().flat_map(|one| &mut one.barred);
            spells.filter_map(|spell| spell.end.as_mut()).for_each(other_way);
        }),
        ("sheets", |world| world.sheets.iter_mut().for_each(|sheet| other_way(&mut sheet.published))),
        ("rows of sheets", |world| world.sheets.iter_mut().for_each(|sheet| other_way(&mut sheet.whole))),
        ("cover", |world| world.cover.iter_mut().for_each(|one| other_way(&mut one.quantity))),
        ("Azure credit", |world| world.credits.iter_mut().for_each(|one| other_way(&mut one.amount))),
        ("orders", |world| world.orders.iter_mut().for_each(|one| other_way(&mut one.price))),
        ("refunds", |world| world.refunds.iter_mut().for_each(|one| other_way(&mut one.amount))),
        ("usage", |world| world.usage.iter_mut().for_each(|one| other_way(&mut one.quantity))),
    ];
    for (what, spoil) in spoil {
        let differs = |seed: &u64| {
            let mut world = worlds::make(*seed);
            let (ours, _) = answers::of_domain(&world, &fold(&messages(&world, *seed)));
            spoil(&mut world);
            answers::difference(&ours, &answers::of_oracle(&world)).is_some()
        };
        assert!((0..5 * SEEDS).any(|seed| differs(&seed)), "no seed sees another opinion of {what}");
    }
}

/// The control: an oracle that listens to no decision contradicts, for each kind of event by itself.
#[test]
fn decisions_that_are_ignored_are_seen() {
    fn deaf<T>(told: &mut Told<T>) {
        told.rulings.clear();
    }
    let deafen: [(&str, fn(&mut World)); 10] = [
        ("grants", |world| world.grants.iter_mut().for_each(|made| deaf(&mut made.role))),
        ("removals", |world| world.grants.iter_mut().filter_map(|made| made.held.end.as_mut()).for_each(deaf)),
        ("denies", |world| world.denies.iter_mut().for_each(|made| deaf(&mut made.every_write))),
        ("groups", |world| world.members.iter_mut().filter_map(|one| one.held.end.as_mut()).for_each(deaf)),
        ("registrations", |world| world.partners.iter_mut().for_each(|one| deaf(&mut one.registered))),
        ("sheets", |world| world.sheets.iter_mut().for_each(|sheet| deaf(&mut sheet.published))),
        ("cover", |world| world.cover.iter_mut().for_each(|one| deaf(&mut one.quantity))),
        ("Azure credit", |world| world.credits.iter_mut().for_each(|one| deaf(&mut one.amount))),
        ("orders", |world| world.orders.iter_mut().for_each(|one| deaf(&mut one.price))),
        ("refunds", |world| world.refunds.iter_mut().for_each(|one| deaf(&mut one.amount))),
    ];
    for (what, deafen) in deafen {
        let differs = |seed: &u64| {
            let mut world = worlds::make(*seed);
            let before = answers::of_oracle(&world);
            deafen(&mut world);
            answers::difference(&before, &answers::of_oracle(&world)).is_some()
        };
        assert!((0..5 * SEEDS).any(|seed| differs(&seed)), "no seed sees a decision about {what}");
    }
}

/// Whatever counted, another body does.
fn other_way<T>(told: &mut Told<T>) {
    let counts = told.bodies.iter().position(|(_, body)| std::ptr::eq(body, told.counts()));
    if told.bodies.len() > 1 {
        told.bodies.remove(counts.expect("what counts was told"));
    }
}

/// What stops the closing of a made-up month: unknown access, by plan, subscription and day.
type Doubts = BTreeSet<(usize, usize, i64)>;

fn doubts(world: &World, findings: &[Finding]) -> Result<Doubts, String> {
    let mut found = Doubts::new();
    for finding in findings.iter().filter(|finding| finding.blocking()) {
        let about = &finding.about;
        let plan = world.plans.iter().position(|plan| Some(telling::guid(plan.id)) == about.plan);
        let of = world.subscriptions.iter().position(|one| Some(telling::guid(one.id)) == about.subscription);
        match (finding.code, plan, of, about.day) {
            (Code::UnknownAccess, Some(plan), Some(of), Some(day)) => found.insert((plan, of, i64::from(day.0))),
            _ => return Err(format!("nothing else in a made-up month may block closing: {finding:?}")),
        };
    }
    Ok(found)
}

#[test]
fn verdicts_lines_and_totals_are_the_oracles() {
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let (ours, findings) = answers::of_domain(&world, &fold(&messages(&world, seed)));
        let judged = answer(&world).judged.into_iter();
        let theirs: Doubts = judged
            .filter(|one| one.doubtful && !one.quantity.is_zero())
            .map(|one| (one.plan, one.subscription, one.day))
            .collect();
        let ours_in_doubt = doubts(&world, &findings)?;
        if ours_in_doubt != theirs {
            return Err(format!("rests on unknown access: {ours_in_doubt:?}, the oracle says {theirs:?}"));
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
