//! Quantities: what was used, by resource, meter and start, with duplicates gone and corrections in.
//!
//! Millions of events become a few sixteen-byte slices per resource and day; the events themselves
//! are not remembered. Only identities that were told in two ways, or that a correction speaks of,
//! keep their bodies: what they add is withdrawn and added again whenever one of them changes. So
//! equal sets of facts give equal sums, whatever the order of arrival.

mod ahead;
mod intern;
mod series;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

pub(crate) use ahead::TOGETHER;
pub use intern::{Item, Place};

use crate::entry::{ConflictDecided, Entry, EntryRef, Event, Fact, Outcome, Usage};
use crate::filing::Drawer;
use crate::ids::{Digest, Identity};
use crate::money::Quantity;
use crate::period::Instant;
use ahead::Ahead;
use intern::{Interned, Series};
use series::Slices;

#[derive(Clone, Debug, Default)]
pub struct UsageBook {
    places: Interned<Place>,
    items: Interned<Item>,
    series: Interned<Series>,
    /// How often anything was added or taken away.
    changes: u64,
    special: BTreeMap<Identity, Special>,
    /// What people decided about conflicts, also about those that are not known yet.
    decisions: BTreeMap<Identity, Vec<ConflictDecided>>,
    sending: Sending,
    ahead: Ahead,
}

/// Times of sending, which cost memory and matter under one policy only.
#[derive(Clone, Debug, Default)]
struct Sending {
    kept: bool,
    /// Some were let go before anybody wanted them.
    lost: bool,
    /// The earliest one that any copy of an event states, so that it cannot matter which copy came
    /// first. Of events that are remembered with their bodies, each body knows its own.
    earliest: BTreeMap<Identity, Instant>,
}

/// An identity with more to it than one body: told in two ways, corrected, or itself a correction.
#[derive(Clone, Debug, Default)]
struct Special {
    bodies: Drawer<Told>,
    /// Every correction of which any body names this identity.
    corrections: BTreeSet<Identity>,
    counted: Option<Counted>,
}

#[derive(Clone, Debug)]
struct Told {
    at: EntryRef,
    event: Event,
}

/// What an identity adds at present, so that it can be withdrawn.
#[derive(Clone, PartialEq, Debug)]
struct Counted {
    series: u32,
    start: Instant,
    end: Instant,
    quantities: Vec<Decimal>,
}

/// What one place used of one item: a view for whoever adds up.
#[derive(Clone, Copy, Debug)]
pub struct Consumption<'a> {
    pub place: &'a Place,
    pub item: &'a Item,
    /// When it was sent, where that is kept: see [`UsageBook::keep_sent`].
    pub sent: Option<Instant>,
    /// Its last change: every change anywhere has a higher number than those before it.
    pub changed: u64,
    slices: &'a Slices,
}

impl<'a> Consumption<'a> {
    /// Start, end (exclusive) and signed quantity. Several may share a start: add them up.
    pub fn slices(&self) -> impl Iterator<Item = (Instant, Instant, Quantity)> + use<'a> {
        self.slices.iter()
    }
}

/// A correction that has no effect as things stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Ineffective<'a> {
    pub correction: Identity,
    pub target: Identity,
    /// Its target is a correction; otherwise the target is not known yet.
    pub of_correction: bool,
    /// The usage event at the end of the chain, where it is known.
    pub usage: Option<&'a Usage>,
}

impl UsageBook {
    /// Whether the times of sending are kept.
    #[must_use]
    pub fn keeps_sent(&self) -> bool {
        self.sending.kept
    }

    /// From now on usage sent at different times is kept apart, for a policy that places usage by it.
    pub fn keep_sent(&mut self) {
        self.sending.kept = true;
    }

    /// Times of sending are wanted that were let go: whoever folded must fold again from the
    /// beginning, over a book that keeps them.
    #[must_use]
    pub fn lacks_sent(&self) -> bool {
        self.sending.kept && self.sending.lost
    }

    /// Looks ahead at entries that will be applied next, so that this takes less time.
    pub fn expect(&mut self, entries: &[Entry]) {
        let kept = self.sending.kept;
        self.ahead.look(entries, (&self.series, &self.places), |usage| usage.sent.filter(|_| kept));
    }

    pub fn apply(&mut self, entry: &Entry) {
        let identity = entry.fact.identity;
        if let Event::UsageRecorded(usage) = &entry.fact.event
            && entry.outcome != Outcome::Conflicting
            && (self.special.is_empty() || !self.special.contains_key(&identity))
        {
            if let Some(sent) = usage.sent.filter(|_| self.sending.kept) {
                self.sending.earliest.insert(identity, sent);
            }
            let guess = self.ahead.guess(entry.at());
            let series = self.series_of(usage, guess);
            self.change(series).add(usage.start, usage.end, usage.quantity);
        } else {
            self.tell(entry);
        }
    }

    /// USE-1: a copy of an event that is known says nothing new but, now and then, an earlier time of
    /// sending.
    pub fn tell_again(&mut self, entry: &Entry) {
        let Fact { identity, digest, event: Event::UsageRecorded(usage) } = &entry.fact else { return };
        let Some(sent) = usage.sent else { return };
        if !self.sending.kept {
            self.sending.lost = true;
            return;
        }
        match self.special.get_mut(identity) {
            Some(special) => {
                special.bodies.change(*digest, |told| {
                    if let Event::UsageRecorded(usage) = &mut told.event {
                        usage.sent = Some(usage.sent.map_or(sent, |known| known.min(sent)));
                    }
                });
                self.refresh(*identity);
            }
            None => {
                let known = self.sending.earliest.get(identity).copied();
                if known.is_some_and(|known| known <= sent) {
                    return;
                }
                self.sending.earliest.insert(*identity, sent);
                for (sent, quantity) in [(known, -usage.quantity), (Some(sent), usage.quantity)] {
                    let series = self.series_of(&Usage { sent, ..usage.clone() }, None);
                    self.change(series).mend(usage.start, usage.end, quantity);
                }
            }
        }
    }

    /// Takes a person's decision about a conflict over.
    pub fn decide(&mut self, decided: &ConflictDecided) {
        self.decisions.entry(decided.identity).or_default().push(decided.clone());
        if self.special.contains_key(&decided.identity) {
            self.take_decisions(decided.identity);
            self.refresh_with_targets(decided.identity);
        }
    }

    /// The slices of a series, about to change. Nobody else changes any, so that whoever knows the last change of
    /// a series knows whether anything that was worked out from it still holds.
    fn change(&mut self, series: u32) -> &mut Slices {
        self.changes += 1;
        let series = self.series.get_mut(series);
        series.changed = self.changes;
        &mut series.slices
    }

    /// Hands what was decided about an identity to its bodies.
    fn take_decisions(&mut self, identity: Identity) {
        if let (Some(decided), Some(special)) = (self.decisions.get(&identity), self.special.get_mut(&identity)) {
            decided.iter().for_each(|one| special.bodies.decide(one));
        }
    }

    /// All consumption, in no order that means anything.
    pub fn consumption(&self) -> impl Iterator<Item = Consumption<'_>> {
        self.series.values().iter().map(|series| Consumption {
            place: self.places.get(series.place),
            item: self.items.get(series.item),
            sent: series.sent.as_deref().copied(),
            changed: series.changed,
            slices: &series.slices,
        })
    }

    /// When the oldest and the newest usage begin, what was taken away again included.
    #[must_use]
    pub fn span(&self) -> Option<(Instant, Instant)> {
        let spans = self.series.values().iter().filter_map(|series| series.slices.span());
        spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// USE-4: corrections without effect: of a correction (blocking), or held until their target is
    /// known (a warning). In order of identity.
    pub fn ineffective(&self) -> impl Iterator<Item = Ineffective<'_>> {
        self.special.iter().filter_map(|(identity, special)| {
            let target = special.bodies.effective()?.1.event.target()?;
            let told = self.effective(target);
            let of_correction = match told {
                Some(Event::UsageRecorded(_)) => return None,
                Some(_) => true,
                None => false,
            };
            let usage = self.usage_behind(target);
            Some(Ineffective { correction: *identity, target, of_correction, usage })
        })
    }

    /// Every body known under an identity that is filed here with all its bodies.
    pub fn bodies(&self, identity: Identity) -> impl Iterator<Item = (Digest, EntryRef, &Event)> {
        let special = self.special.get(&identity).into_iter();
        special.flat_map(|special| special.bodies.bodies().map(|(digest, told)| (digest, told.at, &told.event)))
    }

    /// Files a body that needs remembering, and what it changes elsewhere.
    fn tell(&mut self, entry: &Entry) {
        for earlier in [&entry.incumbent, &entry.antecedent].into_iter().flatten() {
            self.remember(earlier.fact.identity, earlier.fact.digest, earlier.at, &earlier.fact.event);
        }
        let identity = entry.fact.identity;
        let told = Told { at: entry.at(), event: entry.fact.event.clone() };
        self.special.entry(identity).or_default().bodies.put(entry.fact.digest, told);
        self.take_decisions(identity);
        if let Some(target) = entry.fact.event.target() {
            self.special.entry(target).or_default().corrections.insert(identity);
        }
        self.refresh_with_targets(identity);
    }

    /// Takes up an earlier fact that was only added up so far. Facts filed here already know it.
    fn remember(&mut self, identity: Identity, digest: Digest, at: EntryRef, event: &Event) {
        if self.special.contains_key(&identity) {
            return;
        }
        let mut special = Special::default();
        let mut event = event.clone();
        if let Event::UsageRecorded(usage) = &mut event {
            usage.sent = self.sending.earliest.get(&identity).copied().or(usage.sent);
        }
        special.bodies.put(digest, Told { at, event: event.clone() });
        if let Event::UsageRecorded(usage) = &event {
            special.counted = Some(self.count(usage, vec![usage.quantity]));
        }
        self.special.insert(identity, special);
        self.take_decisions(identity);
    }

    /// Counts an identity anew, and everything that any of its bodies corrects.
    fn refresh_with_targets(&mut self, identity: Identity) {
        let special = self.special.get(&identity).into_iter();
        let targets: BTreeSet<Identity> =
            special.flat_map(|special| special.bodies.bodies().filter_map(|(_, told)| told.event.target())).collect();
        self.refresh(identity);
        for target in targets {
            self.refresh(target);
        }
    }

    fn refresh(&mut self, identity: Identity) {
        let counted = self.due(identity);
        let Some(special) = self.special.get_mut(&identity) else { return };
        if special.counted == counted {
            return;
        }
        let withdrawn = std::mem::replace(&mut special.counted, counted.clone());
        for (counted, sign) in [(withdrawn, -Decimal::ONE), (counted, Decimal::ONE)] {
            let Some(counted) = counted else { continue };
            for quantity in counted.quantities {
                let signed = if sign.is_sign_negative() { -quantity } else { quantity };
                self.change(counted.series).mend(counted.start, counted.end, signed);
            }
        }
    }

    /// USE-2, USE-3: what an identity adds as things stand. Adjustments count on the target's own
    /// start, whatever their own time; a void takes the target and its adjustments away.
    fn due(&mut self, identity: Identity) -> Option<Counted> {
        let Some(Event::UsageRecorded(usage)) = self.effective(identity) else { return None };
        let usage = usage.clone();
        let mut quantities = vec![usage.quantity];
        for correction in &self.special.get(&identity)?.corrections {
            match self.effective(*correction) {
                Some(Event::UsageAdjusted(adjusted)) if adjusted.target == identity => {
                    quantities.push(adjusted.quantity);
                }
                Some(Event::UsageVoided(voided)) if voided.target == identity => return None,
                _ => {}
            }
        }
        Some(self.count(&usage, quantities))
    }

    fn count(&mut self, usage: &Usage, quantities: Vec<Decimal>) -> Counted {
        Counted { series: self.series_of(usage, None), start: usage.start, end: usage.end, quantities }
    }

    fn effective(&self, identity: Identity) -> Option<&Event> {
        self.special.get(&identity)?.bodies.effective().map(|(_, told)| &told.event)
    }

    /// Follows targets to the usage event at the end; at most as many steps as there are bodies.
    fn usage_behind(&self, identity: Identity) -> Option<&Usage> {
        let mut next = identity;
        for _ in 0..=self.special.len() {
            let told = self.effective(next)?;
            if let Event::UsageRecorded(usage) = told {
                return Some(usage);
            }
            next = told.target()?;
        }
        None
    }

    /// The series in which an event is counted: the one that was guessed, if it is that one.
    fn series_of(&mut self, usage: &Usage, guess: Option<u32>) -> u32 {
        let sent = usage.sent.filter(|_| self.sending.kept);
        self.sending.lost |= usage.sent.is_some() && !self.sending.kept;
        let scope = intern::scope_of(usage);
        let same = |series: &Series| {
            series.sent.as_deref().copied() == sent
                && self.items.get(series.item).is_of(usage)
                && self.places.get(series.place).is_of(usage, &scope)
        };
        if let Some(guess) = guess.filter(|guess| same(self.series.get(*guess))) {
            return guess;
        }
        let hash = self.series.hash_of(usage, &scope, sent);
        self.series.find(hash, same).unwrap_or_else(|| {
            let (place, item) = (self.places.place(usage, &scope), self.items.item(usage));
            self.series
                .add(hash, Series { place, item, sent: sent.map(Box::new), changed: 0, slices: Slices::default() })
        })
    }
}

#[cfg(test)]
mod tests;
