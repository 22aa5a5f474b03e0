//! Filing facts by identity, so that neither order nor repetition can matter.
//!
//! A drawer holds every body that was told under one identity. The effective one is the body a
//! person kept, as long as no other body has turned up since; else the one with the smallest
//! digest. Nothing is ever taken out. Bodies of one identity may be of different kinds, which lie in
//! different filings: each filing knows of the others, so that one body counts and not one of each kind.

use std::collections::{BTreeMap, BTreeSet};

use crate::entry::ConflictDecided;
use crate::ids::{Digest, Identity};
use crate::period::Instant;

/// All bodies of one identity, and what was decided about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawer<T> {
    /// In order of their digests. Nearly every identity has one body only, and a vector of one costs
    /// that body, where the smallest map costs room for eleven: a gigabyte at half a million records.
    /// A body of another kind lies elsewhere, and has its place here all the same.
    bodies: Vec<(Digest, Option<T>)>,
    /// Each with what it keeps and the bodies that it knew, ordered by its time; the last one that knew
    /// every body holds. Two of one instant may differ in what they knew, and both are kept.
    decisions: BTreeSet<(Instant, Digest, BTreeSet<Digest>)>,
}

impl<T> Default for Drawer<T> {
    fn default() -> Self {
        Self { bodies: Vec::new(), decisions: BTreeSet::new() }
    }
}

impl<T> Drawer<T> {
    /// Puts a body in, unless it is there already.
    pub fn put(&mut self, digest: Digest, body: T) {
        self.note(digest, Some(body));
    }

    fn note(&mut self, digest: Digest, body: Option<T>) {
        if let Err(place) = self.place(digest) {
            self.bodies.reserve_exact(1);
            self.bodies.insert(place, (digest, body));
        }
    }

    /// Changes a body in what is no part of its content.
    pub fn change(&mut self, digest: Digest, change: impl FnOnce(&mut T)) {
        if let Some((_, Some(body))) = self.bodies.iter_mut().find(|(known, _)| *known == digest) {
            change(body);
        }
    }

    pub fn decide(&mut self, decided: &ConflictDecided) {
        self.decisions.insert((decided.decision.at, decided.keep, decided.known.iter().copied().collect()));
    }

    /// The body that counts; `None` while nothing was put in, and where what counts lies elsewhere.
    #[must_use]
    pub fn effective(&self) -> Option<(Digest, &T)> {
        let kept = self.settled().and_then(|keep| self.place(keep).ok());
        let (digest, body) = self.bodies.get(kept.unwrap_or(0))?;
        Some((*digest, body.as_ref()?))
    }

    /// Two or more bodies, and no decision that knew them all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.bodies.len() > 1 && self.settled().is_none()
    }

    /// Those that lie here.
    pub fn bodies(&self) -> impl Iterator<Item = (Digest, &T)> {
        self.bodies.iter().filter_map(|(digest, body)| Some((*digest, body.as_ref()?)))
    }

    /// Where a body lies, or where it would.
    fn place(&self, digest: Digest) -> Result<usize, usize> {
        self.bodies.binary_search_by_key(&digest, |(known, _)| *known)
    }

    fn settled(&self) -> Option<Digest> {
        let knew_all = |known: &BTreeSet<Digest>| self.bodies.iter().all(|(digest, _)| known.contains(digest));
        let mut newest_first = self.decisions.iter().rev();
        newest_first.find(|(.., known)| knew_all(known)).map(|(_, keep, _)| *keep)
    }
}

/// What is said of an identity beside its bodies: every filing hears it.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// A person decided which body counts.
    Decided(&'a ConflictDecided),
    /// Among its bodies is this one, which may be of a kind that lies elsewhere.
    Told(Identity, Digest),
}

/// Drawers by identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Filing<T> {
    drawers: BTreeMap<Identity, Drawer<T>>,
}

impl<T> Default for Filing<T> {
    fn default() -> Self {
        Self { drawers: BTreeMap::new() }
    }
}

impl<T> Filing<T> {
    pub fn file(&mut self, identity: Identity, digest: Digest, body: T) {
        self.drawers.entry(identity).or_default().put(digest, body);
    }

    /// Takes over what is said of an identity. A decision may come before the bodies that it speaks of,
    /// and waits for them in a drawer that is still empty.
    pub fn hear(&mut self, said: Said<'_>) {
        match said {
            Said::Decided(decided) => self.drawers.entry(decided.identity).or_default().decide(decided),
            Said::Told(identity, digest) => {
                if let Some(drawer) = self.drawers.get_mut(&identity) {
                    drawer.note(digest, None);
                }
            }
        }
    }

    /// The effective bodies, in order of identity.
    pub fn iter(&self) -> impl Iterator<Item = (Identity, &T)> {
        self.drawers.iter().filter_map(|(identity, drawer)| Some((*identity, drawer.effective()?.1)))
    }

    /// Everything that was told, in order of identity.
    pub fn drawers(&self) -> impl Iterator<Item = (Identity, &Drawer<T>)> {
        self.drawers.iter().map(|(identity, drawer)| (*identity, drawer))
    }

    #[must_use]
    pub fn get(&self, identity: Identity) -> Option<&Drawer<T>> {
        self.drawers.get(&identity)
    }

    /// How many identities were told.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Decision;
    use crate::period::Day;

    fn digest(byte: u8) -> Digest {
        Digest([byte; 32])
    }

    fn decision(keep: u8, known: &[u8]) -> ConflictDecided {
        ConflictDecided {
            identity: Identity(7),
            keep: digest(keep),
            known: known.iter().map(|byte| digest(*byte)).collect(),
            decision: Decision { actor: "ann".into(), reason: "checked".into(), at: Day(0).start() },
        }
    }

    #[test]
    fn a_decision_may_come_before_what_it_decides() {
        let mut filing = Filing::default();
        filing.hear(Said::Decided(&decision(9, &[3, 9])));
        assert!(filing.is_empty() && filing.iter().next().is_none());
        assert_eq!(filing.len(), 0, "a drawer that waits holds nothing");
        for byte in [3, 9] {
            filing.file(Identity(7), digest(byte), byte);
        }
        assert_eq!(filing.iter().collect::<Vec<_>>(), [(Identity(7), &9)]);
        assert_eq!(filing.len(), 1);
        filing.file(Identity(8), digest(1), 1);
        assert!(!filing.is_empty() && filing.len() == 2);
        assert!(!filing.get(Identity(8)).unwrap().is_open(), "told in one way only");
    }

    /// Two people keep the same body at the same instant, one of them without having seen the other
    /// body: in whatever order their decisions arrive, the one who knew both settles it.
    #[test]
    fn decisions_of_one_instant_do_not_hide_each_other() {
        for order in [[&[3, 9][..], &[9][..]], [&[9][..], &[3, 9][..]]] {
            let mut filing = Filing::default();
            order.into_iter().for_each(|known| filing.hear(Said::Decided(&decision(9, known))));
            [3, 9].into_iter().for_each(|byte| filing.file(Identity(7), digest(byte), byte));
            assert_eq!(filing.iter().collect::<Vec<_>>(), [(Identity(7), &9)]);
        }
    }

    /// Bodies arrive in both orders and twice; the smallest digest speaks until somebody decides,
    /// and again once a body turns up that the decision did not know.
    #[test]
    fn a_conflict_is_settled_by_a_decision_that_knew_every_body() {
        let mut filing = Filing::default();
        for byte in [9, 3, 9] {
            filing.file(Identity(7), digest(byte), byte);
        }
        assert_eq!(filing.iter().collect::<Vec<_>>(), [(Identity(7), &3)]);
        assert!(filing.get(Identity(7)).unwrap().is_open());
        filing.hear(Said::Decided(&decision(9, &[3, 9])));
        assert_eq!(filing.iter().collect::<Vec<_>>(), [(Identity(7), &9)]);
        assert!(!filing.get(Identity(7)).unwrap().is_open());
        filing.file(Identity(7), digest(1), 1);
        assert_eq!(filing.iter().collect::<Vec<_>>(), [(Identity(7), &1)]);
        assert!(filing.get(Identity(7)).unwrap().is_open());
    }

    /// Two kinds of event are told under one identity: one body counts, never one of each kind, whichever
    /// came first, and also once somebody has decided.
    #[test]
    fn of_bodies_of_two_kinds_one_counts() {
        for order in [[3, 9], [9, 3]] {
            let (mut one, mut other): (Filing<u8>, Filing<u8>) = Default::default();
            for byte in order {
                if byte == 3 { &mut one } else { &mut other }.file(Identity(7), digest(byte), byte);
            }
            for (filing, byte) in [3, 9].into_iter().flat_map(|byte| [(0, byte), (1, byte)]) {
                [&mut one, &mut other][filing].hear(Said::Told(Identity(7), digest(byte)));
            }
            assert_eq!((one.iter().next(), other.iter().next()), (Some((Identity(7), &3)), None));
            assert!(one.get(Identity(7)).unwrap().is_open() && other.get(Identity(7)).unwrap().is_open());
            for filing in [&mut one, &mut other] {
                filing.hear(Said::Decided(&decision(9, &[3, 9])));
            }
            assert_eq!((one.iter().next(), other.iter().next()), (None, Some((Identity(7), &9))));
        }
    }
}
