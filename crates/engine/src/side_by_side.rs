//! Drafting a partner's month on every core: its plans are dealt out, rated each by themselves, and
//! put together again.
//!
//! Plans need nothing of each other before the invoice is cut, so what comes out is the same, finding by
//! finding, as [`Books::drafts`] gives on one core. Where there is little usage one core does it.

use std::collections::BTreeSet;
use std::thread;

use domain::commerce::Commerce;
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::{Currency, Guid};
use domain::invoice::Draft;
use domain::pec::Judge;
use domain::period::Period;

use crate::books::{Books, rate};

/// With fewer series of usage than this it costs more than it saves.
const WORTHWHILE: usize = 20_000;

/// Each hand has the cells of a whole plan before it, which costs memory.
const HANDS_AT_MOST: usize = 4;

/// The facts of one question in order, and a judge for each core.
pub struct Hands<'a> {
    books: Books<'a>,
    colleagues: Vec<Judge<'a>>,
}

impl<'a> Hands<'a> {
    /// As many hands as there are cores and work for.
    #[must_use]
    pub fn new(facts: &'a Facts, commerce: &'a Commerce) -> Self {
        Self::of(facts, commerce, hands_for(facts.usage.consumption().take(WORTHWHILE).count()))
    }

    /// With so many hands, whatever there is to do.
    #[must_use]
    pub fn of(facts: &'a Facts, commerce: &'a Commerce, count: usize) -> Self {
        let books = Books::new(facts, commerce);
        let colleagues = (1..count).map(|_| books.judge.colleague()).collect();
        Self { books, colleagues }
    }

    /// The books, for every other question.
    #[must_use]
    pub fn books(&self) -> &Books<'a> {
        &self.books
    }

    pub fn books_mut(&mut self) -> &mut Books<'a> {
        &mut self.books
    }

    /// Drafts a partner's month, a draft for each of its currencies, its own first.
    pub fn drafts(&mut self, bill_to: Guid, period: Period) -> Vec<(Draft, Vec<Finding>)> {
        let currencies = self.books.currencies_or_usd(bill_to, period);
        currencies.into_iter().map(|currency| self.draft_in(bill_to, currency, period)).collect()
    }

    fn draft_in(&mut self, bill_to: Guid, currency: Currency, period: Period) -> (Draft, Vec<Finding>) {
        let asked = (bill_to, currency, period);
        let Books { desk, judge, .. } = &mut self.books;
        let desk = &*desk;
        let mut dealt = dealt(&desk.weights(bill_to), self.colleagues.len() + 1).into_iter();
        let own = dealt.next().expect("there is one hand at least");
        let rated = |judge: &mut Judge<'_>, plans: &BTreeSet<Guid>| {
            rate(desk, judge, asked, &|plan| plans.contains(&plan), &mut |_| {})
        };
        let (mut whole, others) = thread::scope(|scope| {
            let hands = self.colleagues.iter_mut().zip(dealt);
            let rating: Vec<_> = hands.map(|(judge, plans)| scope.spawn(move || rated(judge, &plans))).collect();
            let whole = rated(judge, &own);
            let others = rating.into_iter().map(|hand| hand.join().expect("rating does not panic"));
            (whole, others.collect::<Vec<_>>())
        });
        others.into_iter().for_each(|other| whole.join(other));
        self.books.draft_of(asked, whole)
    }
}

/// Has something done with plans on every core, each hand with some of them, and gives back what every hand
/// came to; on one core where there is little usage. The plans are named with how many series they have.
pub(crate) fn each<T: Send>(weights: &[(Guid, usize)], work: &(dyn Fn(&BTreeSet<Guid>) -> T + Sync)) -> Vec<T> {
    let dealt = dealt(weights, hands_for(weights.iter().map(|(_, weight)| weight).sum()));
    thread::scope(|scope| {
        let (own, others) = dealt.split_first().expect("there is one hand at least");
        let working: Vec<_> = others.iter().map(|plans| scope.spawn(move || work(plans))).collect();
        let own = work(own);
        let others = working.into_iter().map(|hand| hand.join().expect("rating does not panic"));
        std::iter::once(own).chain(others).collect()
    })
}

/// Has something done with each of some things, which come to so much altogether, on every core; on one where
/// that is little. Answers come in the order of the things.
pub fn all<T: Sync, R: Send>(things: &[T], weight: usize, work: &(dyn Fn(&T) -> R + Sync)) -> Vec<R> {
    let share = things.len().div_ceil(hands_for(weight)).max(1);
    let mut shares = things.chunks(share);
    let own = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let working: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(work).collect::<Vec<R>>())).collect();
        let mut done: Vec<R> = own.iter().map(work).collect();
        done.extend(working.into_iter().flat_map(|hand| hand.join().expect("nobody's work panics")));
        done
    })
}

/// As many hands as there are cores; one where there are too few series to be worth more.
fn hands_for(series: usize) -> usize {
    if series < WORTHWHILE { 1 } else { thread::available_parallelism().map_or(1, usize::from).min(HANDS_AT_MOST) }
}

/// Deals plans out, the heaviest first, each to the hand that has least.
fn dealt(weights: &[(Guid, usize)], hands: usize) -> Vec<BTreeSet<Guid>> {
    let mut sorted = weights.to_vec();
    sorted.sort_by_key(|(plan, weight)| (std::cmp::Reverse(*weight), *plan));
    let mut dealt = vec![(0, BTreeSet::new()); hands];
    for (plan, weight) in sorted {
        let lightest = dealt.iter_mut().min_by_key(|(carried, _)| *carried).expect("there is one hand at least");
        lightest.0 += weight;
        lightest.1.insert(plan);
    }
    dealt.into_iter().map(|(_, plans)| plans).collect()
}

/// Drafts a month for every partner, in order of their tenants.
#[must_use]
pub fn draft_all(facts: &Facts, period: Period) -> Vec<(Draft, Vec<Finding>)> {
    let commerce = facts.commerce.view();
    let mut hands = Hands::new(facts, &commerce);
    let partners = hands.books().bill_to();
    partners.into_iter().flat_map(|bill_to| hands.drafts(bill_to, period)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_dealt_out_once_each_and_evenly() {
        let weights: Vec<(Guid, usize)> = [9, 1, 5, 4, 4, 1].into_iter().zip(0..).map(|(w, g)| (Guid(g), w)).collect();
        let dealt = dealt(&weights, 2);
        let weigh = |plans: &BTreeSet<Guid>| -> usize {
            weights.iter().filter(|(plan, _)| plans.contains(plan)).map(|(_, weight)| weight).sum()
        };
        assert_eq!(dealt.iter().map(weigh).collect::<Vec<_>>(), [13, 11]);
        assert_eq!(dealt.iter().map(BTreeSet::len).sum::<usize>(), 6);
    }
}
