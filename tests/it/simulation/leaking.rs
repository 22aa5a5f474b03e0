//! Leaks looked for as the meter does, only where an access change may have changed something, are the
//! leaks of the whole.
//!
//! A world is told message by message in random order. After each access change the subscriptions that
//! [`leak::concern`] names are looked at again and the rest is kept as it was; that must be what one look at
//! everything finds, leak by leak, with since, reason and remedy; and where it looked, with the burn too. The
//! meter keeps burns from look to look; the look at everything has none at hand.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{Outcome, Stream};
use domain::facts::Facts;
use domain::ids::Guid;
use domain::period::{Day, Instant};
use domain::projection::Fold;
use engine::books::Books;
use engine::burn;
use engine::burns::Burns;
use engine::leak::{self, Concern, Found, Leak};

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

/// A subscription and a resource in it.
type Place = (Guid, String);

/// What leaks, by subscription and resource, and when cover is known to end.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    leaks: BTreeMap<Place, Leak>,
    ends: BTreeMap<Guid, Instant>,
}

impl Known {
    /// Takes what was found in some subscriptions (all, if none are named) in place of what was known.
    fn take(&mut self, found: Found, only: Option<&BTreeSet<Guid>>) {
        let again = |subscription: &Guid| only.is_none_or(|only| only.contains(subscription));
        self.leaks.retain(|(subscription, _), _| !again(subscription));
        self.ends.retain(|subscription, _| !again(subscription));
        let leaks = found.leaks.into_values().flatten();
        self.leaks.extend(leaks.map(|one| ((one.subscription, one.resource.to_string()), one)));
        self.ends.extend(found.ends);
    }
}

/// The day after the last usage: everything was used lately.
fn now() -> Instant {
    telling::instant(worlds::window().1)
}

fn look(facts: &Facts, burns: &mut Burns, concerns: Option<&BTreeSet<Concern>>) -> (Found, Option<BTreeSet<Guid>>) {
    let commerce = facts.commerce.view();
    let books = Books::new(facts, &commerce);
    let only = concerns.and_then(|concerns| leak::concerned(&books, concerns));
    (leak::leaks(&books, burns, now(), only.as_ref()), only)
}

/// The places that have a burn.
fn costing(facts: &Facts) -> BTreeSet<Place> {
    let commerce = facts.commerce.view();
    let burns = burn::burns(&Books::new(facts, &commerce), Day::of(now()));
    burns.into_keys().map(|(subscription, scope)| (subscription, scope.to_string())).collect()
}

/// What one world came to.
#[derive(Default)]
struct Seen {
    /// Looks at some subscriptions only, with another one beside them.
    partial: usize,
    /// Changes that opened or ended a leak.
    changes: usize,
}

fn watched(seed: u64, concern: &dyn Fn(&domain::entry::Event) -> Option<Concern>) -> Result<Seen, String> {
    let world = worlds::make(seed);
    let told = messages(&world, seed);
    let mut memory = Memory::default();
    let mut fold: Fold<Facts> = Fold::default();
    let (mut known, mut seen, mut burns) = (Known::default(), Seen::default(), Burns::default());
    let mut delivered = shuffled(&told, &mut Dice::new(!seed));
    if seed.is_multiple_of(2) {
        // Access comes last, as it does once everything runs: then most changes are changes of leaks.
        delivered.sort_by_key(|message| message.stream == Stream::Access);
    }
    for (number, message) in delivered.iter().enumerate() {
        let entries = memory.append(message, telling::instant(1_800_000_000)).expect("what is told can be read");
        entries.iter().for_each(|entry| fold.apply(entry));
        let counts = |entry: &&domain::entry::Entry| matches!(entry.outcome, Outcome::Accepted | Outcome::Conflicting);
        let events: Vec<_> = entries.iter().filter(counts).map(|entry| &entry.fact.event).collect();
        let mut whole = Known::default();
        whole.take(look(fold.state(), &mut Burns::default(), None).0, None);
        if events.iter().all(|event| leak::concern(event).is_none()) {
            // Usage, prices and documents change what a leak costs; that is looked at with the next change.
            known = whole;
            continue;
        }
        let concerns: BTreeSet<Concern> = events.iter().filter_map(|event| concern(event)).collect();
        let (found, only) = look(fold.state(), &mut burns, Some(&concerns));
        let before = known.leaks.keys().cloned().collect::<BTreeSet<_>>();
        seen.partial += usize::from(only.as_ref().is_some_and(|only| only.len() < world.subscriptions.len()));
        known.take(found, only.as_ref());
        // Tiers run through a plan: what another subscription brings changes the figure of this one, not
        // whether it leaks. The figure is that of the last look, as it is when usage comes.
        let elsewhere = |leak: &Leak| only.as_ref().is_some_and(|only| !only.contains(&leak.subscription));
        for (place, leak) in known.leaks.iter_mut().filter(|(_, leak)| elsewhere(leak)) {
            if let Some(same) = whole.leaks.get(place) {
                leak.burn = same.burn.clone();
            }
        }
        if known != whole {
            // Whether something elsewhere costs anything at all is a figure too.
            let (earlier, later) = (costing(&super::fold(delivered[..number].iter().copied())), costing(fold.state()));
            let here = |place: &Place| only.as_ref().is_none_or(|only| only.contains(&place.0));
            for place in earlier.symmetric_difference(&later).filter(|place| !here(place)) {
                known.leaks.remove(place);
                known.leaks.extend(whole.leaks.get_key_value(place).map(|(place, leak)| (place.clone(), leak.clone())));
            }
        }
        if known != whole {
            return Err(format!("after {events:?}, with {only:?} looked at:\n{known:?}\nof the whole:\n{whole:?}"));
        }
        seen.changes += usize::from(before != known.leaks.keys().cloned().collect());
    }
    Ok(seen)
}

#[test]
fn looking_where_something_changed_finds_what_looking_everywhere_does() {
    let (mut partial, mut changes) = (0, 0);
    for seed in seeds() {
        match watched(seed, &leak::concern) {
            Ok(seen) => (partial, changes) = (partial + seen.partial, changes + seen.changes),
            Err(wrong) => panic!("seed {seed}: {wrong}\nrepeat with: PEC_SEED={seed} cargo test -p tests leaking"),
        }
    }
    let enough = seeds().len() < 10 || partial > 20 && changes > 20;
    assert!(enough, "only {partial} looks at a part, {changes} changes of what leaks: this shows too little");
}

/// The control: a meter that forgets one sort of change says something else.
#[test]
fn a_change_that_is_not_looked_at_is_seen() {
    let deaf = |event: &domain::entry::Event| match leak::concern(event) {
        Some(Concern::Subscription(_)) => Some(Concern::Subscription(Guid(0))),
        other => other,
    };
    let seen = (0..SEEDS).filter(|seed| watched(*seed, &deaf).is_err()).count();
    assert!(seen > 5, "of {SEEDS} meters that look at the wrong subscription only {seen} were seen");
}
