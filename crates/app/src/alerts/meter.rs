//! The meter itself: what it looks at and when, and the burns that it has at hand.
//!
//! It looks at the subscriptions that a change concerns as soon as it hears of one. While there is nothing to
//! look at it brings burns up to date, some plans at a time, so that an end of everything need not wait for the
//! rating of everything. What is at hand decides how long a look takes, never what it finds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use domain::ids::Guid;
use domain::period::{Day, Instant};
use domain::rating::Desk;
use engine::books::Books;
use engine::burns::Burns;
use engine::leak::{self, Concern, Found};
use engine::{Clock, Ledger};

use super::event::Names;
use super::memory::{Memory, Sink};
use super::{LOOK, Shared, lock};
use crate::metrics::Metrics;

/// After a look that took some time, the next one waits this many times as long.
const REST: u32 = 3;
/// After some plans were rated, the next ones wait this many times as long: a tenth of a core at most. The
/// first time since the start, or since midnight, does without: an end of everything may come then too.
const REST_AFTER_RATING: u32 = 9;
/// About so many series of usage are rated at a time: a change of access waits for no more.
const SERIES_AT_ONCE: usize = 10_000;

/// Burns, and how far they are up to date.
#[derive(Default)]
pub(crate) struct AtHand {
    burns: Burns,
    /// Of which facts and on which day all of them were.
    all_of: Option<(u64, Day)>,
    /// The day for which they are, and how many more times some are rated for it without a rest.
    first: Option<(Day, usize)>,
    /// When some may be rated again, by the clock's uptime.
    rests_until: Duration,
}

impl AtHand {
    /// Brings some burns up to date; says whether all are.
    pub(crate) fn refresh(&mut self, ledger: &Ledger, now: Instant) -> anyhow::Result<bool> {
        let today = Day::of(now);
        if self.all_of == Some((ledger.end(), today)) {
            return Ok(true);
        }
        let facts = ledger.facts()?;
        let commerce = facts.commerce.view();
        let desk = Desk::new(&facts, &commerce);
        let all = self.burns.refresh_some(&desk, today, None, SERIES_AT_ONCE);
        self.all_of = all.then(|| (facts.end(), today));
        let turns = || desk.used().map(|(one, _)| desk.usage_of(one).len()).sum::<usize>() / SERIES_AT_ONCE;
        let left = match self.first {
            Some((day, left)) if day == today => left.saturating_sub(1),
            _ => turns(),
        };
        self.first = Some((today, if all { 0 } else { left }));
        Ok(all)
    }

    /// How long to rest after a rating that took some time. Facts that change all the while never have all burns
    /// at hand; the turns without a rest are over all the same.
    fn rest(&self, took: Duration) -> Duration {
        match self.first {
            Some((_, left)) if left > 0 => Duration::ZERO,
            _ => took * REST_AFTER_RATING,
        }
    }
}

pub(super) struct Meter {
    metrics: Arc<Metrics>,
    memory: Shared,
    /// History that is only half read would tell of losses that were mended long ago.
    waits_for_kafka: bool,
    concerns: Receiver<Concern>,
    todo: BTreeSet<Concern>,
    /// When access is known to end without a further event, by subscription.
    ends: BTreeMap<Guid, Instant>,
    looked_on: Option<Day>,
    at_hand: AtHand,
}

impl Meter {
    pub(super) fn new(
        metrics: &Arc<Metrics>,
        memory: &Shared,
        concerns: Receiver<Concern>,
        waits_for_kafka: bool,
    ) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            memory: Arc::clone(memory),
            waits_for_kafka,
            concerns,
            todo: BTreeSet::from([Concern::Everything]),
            ends: BTreeMap::new(),
            looked_on: None,
            at_hand: AtHand::default(),
        }
    }

    pub(super) fn run(mut self, stop: &AtomicBool) {
        let mut rest = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            match self.concerns.recv_timeout(LOOK.max(rest)) {
                Ok(concern) => drop(self.todo.insert(concern)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.todo.extend(self.concerns.try_iter());
            self.waits_for_kafka &= !self.metrics.progress().is_caught_up();
            let clock = *self.metrics.ledger().clock();
            let now = match clock.now() {
                Ok(now) => now,
                Err(fault) => {
                    tracing::error!("the leak meter stops: {fault}");
                    return;
                }
            };
            self.note_time(now);
            rest = Duration::ZERO;
            if self.waits_for_kafka {
                continue;
            }
            if self.todo.is_empty() {
                self.refresh(&clock, now);
                continue;
            }
            let began = clock.uptime();
            match self.look(now) {
                Ok(()) => self.todo.clear(),
                Err(error) => tracing::warn!("leaks could not be looked for and will be again: {error:#}"),
            }
            rest = clock.uptime().saturating_sub(began) * REST;
        }
    }

    /// Time alone changes things too: access that ends as announced, and a new day's look at all.
    fn note_time(&mut self, now: Instant) {
        let over: Vec<Guid> = self.ends.iter().filter(|(_, end)| **end <= now).map(|(one, _)| *one).collect();
        for subscription in over {
            self.ends.remove(&subscription);
            self.todo.insert(Concern::Subscription(subscription));
        }
        if self.looked_on.replace(Day::of(now)).is_some_and(|day| day != Day::of(now)) {
            self.todo.insert(Concern::Everything);
        }
    }

    fn refresh(&mut self, clock: &Clock, now: Instant) {
        let began = clock.uptime();
        if began < self.at_hand.rests_until {
            return;
        }
        if let Err(error) = self.at_hand.refresh(self.metrics.ledger(), now) {
            tracing::warn!("burns could not be brought up to date and will be later: {error:#}");
        }
        let done = clock.uptime();
        self.at_hand.rests_until = done + self.at_hand.rest(done.saturating_sub(began));
    }

    fn look(&mut self, now: Instant) -> anyhow::Result<()> {
        let (found, only, names) = find(self.metrics.ledger(), &mut self.at_hand.burns, &self.todo, now)?;
        match &only {
            None => self.ends = found.ends.clone(),
            Some(only) => {
                self.ends.retain(|subscription, _| !only.contains(subscription));
                self.ends.extend(found.ends.iter().map(|(one, end)| (*one, *end)));
            }
        }
        let mut memory = lock(&self.memory);
        let told = memory.compare(&found, only.as_ref(), &names, now)?;
        for alert in &told {
            alert.log();
        }
        let (open, per_day) = memory.open();
        self.metrics.leaks(open, &per_day);
        Ok(())
    }
}

/// Looks once, as the meter does, into a memory of its own in `dir`: for measuring. Returns how many resources
/// leak and how many alerts were written.
pub(crate) fn look_once(
    ledger: &Ledger,
    at_hand: &mut AtHand,
    concern: Concern,
    now: Instant,
    dir: &Path,
) -> anyhow::Result<(usize, usize)> {
    let mut memory = Memory::load(dir, Sink::ALL.into())?;
    let (found, only, names) = find(ledger, &mut at_hand.burns, &BTreeSet::from([concern]), now)?;
    let told = memory.compare(&found, only.as_ref(), &names, now)?;
    Ok((memory.open().0, told.len()))
}

/// Looks at the subscriptions concerned; everything that answers need of the facts is taken along,
/// so that nobody waits for a sender.
fn find(
    ledger: &Ledger,
    burns: &mut Burns,
    todo: &BTreeSet<Concern>,
    now: Instant,
) -> anyhow::Result<(Found, Option<BTreeSet<Guid>>, Names)> {
    let facts = ledger.facts()?;
    let commerce = facts.commerce.view();
    let books = Books::new(&facts, &commerce);
    let only = leak::concerned(&books, todo);
    let found = leak::leaks(&books, burns, now, only.as_ref());
    let mut names = Names { policy_revision: facts.policy.at(Day::of(now)).revision, ..Names::default() };
    for leak in found.leaks.values().flatten() {
        names.of.entry(leak.customer).or_insert_with(|| books.customer_name(leak.customer));
        names.of.entry(leak.bill_to).or_insert_with(|| books.partner_name(leak.bill_to));
    }
    names.ended = commerce
        .subscriptions()
        .filter(|(_, placed)| placed.last().is_some_and(|last| last.interval.to <= now))
        .map(|(subscription, _)| subscription)
        .collect();
    names.covered = found.ends.keys().copied().collect();
    Ok((found, only, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who ends everything just after a start waits for the first rating, which therefore does not dawdle; whoever
    /// writes all the while does not keep a core busy with it for ever.
    #[test]
    fn only_the_first_rating_of_a_day_does_without_rest() {
        let took = Duration::from_millis(100);
        let today = Day::of("2026-03-01T10:00:00Z".parse().unwrap());
        let rest = |first| AtHand { first, ..AtHand::default() }.rest(took);
        assert_eq!(rest(Some((today, 3))), Duration::ZERO);
        assert_eq!(rest(Some((today, 0))), took * 9);
        assert_eq!(rest(None), took * 9, "what failed is not tried without a pause");
    }
}
