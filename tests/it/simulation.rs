//! Random months: the domain against the oracle, and against every way of delivering the same facts.

// Chance from a seed.
pub mod dice;
// A small, spiteful month from a seed.
pub mod worlds;
// How upstream tells it.
pub mod telling;

use domain::entry::Entry;

use crate::memory::Memory;
use crate::oracle::money::answer;

/// How many seeds are tried by default; `PEC_SEEDS` asks for more, `PEC_SEED` for a single one.
const SEEDS: u64 = 200;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a seed is a number"));
    match number("PEC_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("PEC_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

fn entries(told: &[crate::memory::Told]) -> Vec<Entry> {
    let mut memory = Memory::default();
    let at = telling::instant(1_800_000_000);
    told.iter().flat_map(|told| memory.append(&told.message(), at)).collect()
}

#[test]
fn worlds_are_told_and_answered() {
    let mut verdicts = std::collections::BTreeMap::new();
    for seed in seeds() {
        let world = worlds::make(seed);
        let answer = answer(&world, "0.15");
        for judged in answer.judged {
            *verdicts.entry(format!("{:?}", judged.says)).or_insert(0_u32) += 1;
        }
        let told = telling::tell(&world, seed);
        assert_eq!(entries(&told).len(), told.len(), "seed {seed}");
    }
    // What is never made is never tested: each outcome must be common.
    println!("{verdicts:?}");
    assert!(verdicts.len() == 5 && verdicts.values().all(|count| *count > 100), "{verdicts:?}");
}
