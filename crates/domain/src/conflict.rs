//! Conflicts: one identity, several bodies. Listed here for people and for closing; which body
//! counts is decided in the drawers of each book by the same rule.

use std::collections::BTreeMap;

use crate::entry::{Antecedent, ConflictDecided, Entry, EntryRef, Event, Fact};
use crate::filing::Drawer;
use crate::ids::{Digest, Identity};

/// One body of a conflict, and where it was told first.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    pub at: EntryRef,
    pub event: Event,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConflictBook {
    conflicts: BTreeMap<Identity, Drawer<Body>>,
}

impl ConflictBook {
    /// Notes another body, with the first one beside it; `known` are those that are filed elsewhere.
    pub fn note<'a>(&mut self, entry: &Entry, known: impl Iterator<Item = (Digest, EntryRef, &'a Event)>) {
        let drawer = self.conflicts.entry(entry.fact.identity).or_default();
        for (digest, at, event) in known {
            drawer.put(digest, Body { at, event: event.clone() });
        }
        let earlier = entry.incumbent.as_deref().or(entry.antecedent.as_deref());
        let incumbent = earlier.filter(|before| before.fact.identity == entry.fact.identity);
        if let Some(Antecedent { at, fact }) = incumbent {
            drawer.put(fact.digest, Body { at: *at, event: fact.event.clone() });
        }
        let Fact { digest, event, .. } = &entry.fact;
        drawer.put(*digest, Body { at: entry.at(), event: event.clone() });
    }

    pub fn decide(&mut self, decided: &ConflictDecided) {
        self.conflicts.entry(decided.identity).or_default().decide(decided);
    }

    /// Every conflict ever seen, settled ones too, in order of identity.
    pub fn iter(&self) -> impl Iterator<Item = (Identity, &Drawer<Body>)> {
        // A decision may have come before the conflict that it decides.
        let told = self.conflicts.iter().filter(|(_, drawer)| drawer.effective().is_some());
        told.map(|(identity, drawer)| (*identity, drawer))
    }

    /// The conflicts that a person has to decide: unsettled, and more than copies of one Azure record
    /// of which one leaves out what the other says.
    pub fn open(&self) -> impl Iterator<Item = (Identity, &Drawer<Body>)> {
        self.iter().filter(|(_, drawer)| drawer.is_open() && !all_agree(drawer))
    }

    #[must_use]
    pub fn digests(&self, identity: Identity) -> Vec<Digest> {
        let drawer = self.conflicts.get(&identity);
        drawer.map_or_else(Vec::new, |drawer| drawer.bodies().map(|(digest, _)| digest).collect())
    }
}

fn all_agree(drawer: &Drawer<Body>) -> bool {
    let bodies: Vec<&Event> = drawer.bodies().map(|(_, body)| &body.event).collect();
    bodies.iter().all(|a| bodies.iter().all(|b| crate::access::agree(a, b)))
}
