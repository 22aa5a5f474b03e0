//! Chance from a seed: the same seed throws the same dice on every machine.
//!
//! SplitMix64 (Steele, Lea and Flood, 2014), because a test that prints a seed must be able to keep
//! its promise for years, whatever happens to a library's generator.

pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `count`.
    pub fn below(&mut self, count: u64) -> u64 {
        self.next() % count.max(1)
    }

    /// From `from` to below `to`.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to - from).expect("from lies before to");
        from + i64::try_from(self.below(width)).expect("a small number")
    }

    /// True in `percent` of a hundred throws.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let count = u64::try_from(all.len()).expect("a short list");
        &all[usize::try_from(self.below(count)).expect("a short list")]
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = self.below(u64::try_from(last).expect("a short list") + 1);
            all.swap(last, usize::try_from(other).expect("a short list"));
        }
    }
}

#[test]
fn a_seed_keeps_its_promise() {
    let mut dice = Dice::new(0);
    let thrown = [dice.next(), dice.next()];
    assert_eq!(thrown, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    let mut cards: Vec<u32> = (0..50).collect();
    dice.shuffle(&mut cards);
    assert_ne!(cards, (0..50).collect::<Vec<u32>>());
}
