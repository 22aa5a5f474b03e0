//! What counts where one event was told in several ways.
//!
//! Until a person decides, the body with the smallest digest counts, so that arrival cannot matter. A
//! decision settles it while it knew every body that was told; one that turns up later reopens it.
//! Digests are made elsewhere and handed in: here they are only compared.

/// A body's name, by which bodies compare.
pub type Digest = [u8; 32];

/// All that was told about one thing under one identity, each with its digest.
#[derive(Clone, Debug)]
pub struct Told<T> {
    pub bodies: Vec<(Digest, T)>,
    /// In order of time.
    pub rulings: Vec<Ruling>,
}

/// A person's decision.
#[derive(Clone, Debug)]
pub struct Ruling {
    pub keep: Digest,
    pub knew: Vec<Digest>,
}

impl<T> Told<T> {
    /// Told in one way, or in several whose digests are not known yet.
    pub fn of(bodies: impl IntoIterator<Item = T>) -> Self {
        Self { bodies: bodies.into_iter().map(|body| ([0; 32], body)).collect(), rulings: Vec::new() }
    }

    fn settled(&self) -> Option<Digest> {
        let knew_all = |ruling: &&Ruling| self.bodies.iter().all(|(digest, _)| ruling.knew.contains(digest));
        self.rulings.iter().rev().find(knew_all).map(|ruling| ruling.keep)
    }

    /// What counts.
    pub fn counts(&self) -> &T {
        let kept = self.settled().and_then(|keep| self.bodies.iter().find(|(digest, _)| *digest == keep));
        let smallest = || self.bodies.iter().min_by_key(|(digest, _)| *digest).expect("something was told");
        &kept.unwrap_or_else(smallest).1
    }

    pub fn is_open(&self) -> bool {
        self.bodies.len() > 1 && self.settled().is_none()
    }
}

#[test]
fn the_smallest_digest_counts_until_somebody_decides_who_knew_them_all() {
    let (one, two, three) = ([1; 32], [2; 32], [3; 32]);
    let mut told = Told { bodies: vec![(two, "two"), (one, "one")], rulings: Vec::new() };
    assert_eq!((*told.counts(), told.is_open()), ("one", true));
    told.rulings.push(Ruling { keep: two, knew: vec![one, two] });
    assert_eq!((*told.counts(), told.is_open()), ("two", false));
    told.bodies.push((three, "three"));
    assert_eq!((*told.counts(), told.is_open()), ("one", true));
}
