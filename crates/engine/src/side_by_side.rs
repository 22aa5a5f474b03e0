//! Drafting a partner's month on every core: its plans are dealt out, rated each by themselves, and
//! put together again.
//!
//! Plans need nothing of each other before the invoice is cut, so what comes out is the same, finding by
//! finding, as [`Books::drafts`] gives on one core. Where there is little usage that is what happens.

use std::collections::BTreeSet;
use std::thread;

use domain::commerce::Commerce;
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::{Currency, Guid};
use domain::invoice::{Draft, Share};
use domain::period::Period;

use crate::books::Books;

/// With fewer series of usage than this, putting the facts in order once more costs more than it saves.
const WORTHWHILE: usize = 20_000;

/// Each hand keeps an order of the facts of its own, which costs memory.
const HANDS_AT_MOST: usize = 4;

/// The facts of one question, in order once for each core.
pub struct Hands<'a> {
    all: Vec<Books<'a>>,
}

impl<'a> Hands<'a> {
    /// As many hands as there are cores and work for.
    #[must_use]
    pub fn new(facts: &'a Facts, commerce: &'a Commerce) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from).min(HANDS_AT_MOST);
        let series = facts.usage.consumption().take(WORTHWHILE).count();
        Self::of(facts, commerce, if series < WORTHWHILE { 1 } else { cores })
    }

    /// With so many hands, whatever there is to do.
    #[must_use]
    pub fn of(facts: &'a Facts, commerce: &'a Commerce, count: usize) -> Self {
        let books = || Books::new(facts, commerce);
        let all = thread::scope(|scope| {
            let others: Vec<_> = (1..count).map(|_| scope.spawn(books)).collect();
            let others = others.into_iter().map(|hand| hand.join().expect("putting facts in order does not panic"));
            std::iter::once(books()).chain(others).collect()
        });
        Self { all }
    }

    /// The first hand's books, for every other question.
    #[must_use]
    pub fn books(&self) -> &Books<'a> {
        &self.all[0]
    }

    pub fn books_mut(&mut self) -> &mut Books<'a> {
        &mut self.all[0]
    }

    /// Drafts a partner's month, a draft for each of its currencies, its own first.
    pub fn drafts(&mut self, bill_to: Guid, period: Period) -> Vec<(Draft, Vec<Finding>)> {
        let currencies = self.books().currencies_or_usd(bill_to, period);
        currencies.into_iter().map(|currency| self.draft_in(bill_to, currency, period)).collect()
    }

    fn draft_in(&mut self, bill_to: Guid, currency: Currency, period: Period) -> (Draft, Vec<Finding>) {
        let dealt = dealt(&self.books().desk.weights(bill_to), self.all.len());
        let asked = (bill_to, currency, period);
        let rated: Vec<(Share, Vec<Finding>)> = thread::scope(|scope| {
            let hands = self.all.iter_mut().zip(&dealt);
            let rating = hands.map(|(books, plans)| scope.spawn(|| books.share(asked, &|plan| plans.contains(&plan))));
            let rating: Vec<_> = rating.collect();
            rating.into_iter().map(|hand| hand.join().expect("rating does not panic")).collect()
        });
        let mut rated = rated.into_iter();
        let (mut share, mut judged) = rated.next().expect("there is one hand at least");
        for (other, found) in rated {
            share.join(other);
            judged.extend(found);
        }
        self.all[0].draft_of(asked, share, judged)
    }
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
        assert_eq!(dealt.iter().map(weigh).collect::<Vec<_>>(), [12, 12]);
        assert_eq!(dealt.iter().map(BTreeSet::len).sum::<usize>(), 6);
    }
}
