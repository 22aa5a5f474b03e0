//! Statements of random months: the resellers' parts and the rest are the provider's invoice, and the credit of
//! each is what the organisations named beside it earned, to the last digit.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::Portion;
use domain::facts::Facts;
use domain::ids::Guid;
use domain::money::Exact;
use domain::period::Day;
use domain::rating::Piece;
use engine::books::Books;
use engine::statement::{Share, Statement, statements};

use super::telling::guid;
use super::{fold, for_every_seed, messages, worlds};
use crate::oracle::access::{Case, holdings};
use crate::oracle::world::World;

/// Who earned what, by reseller of record and by the names of the organisations.
type Earned = BTreeMap<(String, String), Exact>;

/// Every statement of a provider, and what it adds up to with the lines that nobody resells.
struct Stated<'a> {
    statements: Vec<(String, Statement<'a>)>,
    /// Subtotal and credit of each currency's draft, less those of its statements and unsold lines.
    left: Vec<(Exact, Exact)>,
    /// As the oracle says it.
    earned: Earned,
}

fn stated<'a>(world: &World, books: &mut Books<'a>, provider: Guid) -> Stated<'a> {
    let period = Day(i32::try_from(world.days.0).expect("a day of this century")).period();
    let holdings = holdings(world);
    let number = |id: Guid, ids: Vec<Guid>| ids.iter().position(|one| *one == id).expect("the world made it");
    let mut earned = Earned::new();
    let mut left = Vec::new();
    let mut resellers = BTreeSet::new();
    let mut credited = |piece: &Piece<'_>| {
        let Some(reseller) = piece.reseller else { return };
        if !piece.credited || piece.portion != Portion::PayAsYouGo {
            return;
        }
        let plan = number(piece.plan, world.plans.iter().map(|plan| guid(plan.id)).collect());
        let subscription = number(piece.subscription, world.subscriptions.iter().map(|one| guid(one.id)).collect());
        let scope = piece.scope.to_string();
        let case = Case::of(world, plan, subscription, &scope, piece.day.0.into()).expect("usage lies under its plan");
        let who = case.earners(&holdings).into_iter().collect::<Vec<_>>().join(" and ");
        *earned.entry((reseller.to_owned(), who)).or_default() += &(&piece.list_charge() * piece.rate);
    };
    for (draft, _) in books.drafts(provider, period, &mut credited) {
        let totals = draft.totals();
        let unsold = draft.lines.iter().filter(|line| line.key.reseller.is_none());
        let (subtotal, credit) = unsold.fold((totals.subtotal, totals.earned), |(subtotal, credit), line| {
            (&subtotal - &line.subtotal, &credit - &line.credit())
        });
        left.push((subtotal, credit));
        resellers.extend(draft.lines.iter().filter_map(|line| line.key.reseller.as_deref().map(str::to_owned)));
    }
    earned.retain(|_, amount| !amount.is_zero());
    let mut all = Vec::new();
    for reseller in resellers {
        let theirs = statements(books, &reseller, &[provider], period);
        all.extend(theirs.into_iter().map(|statement| (reseller.clone(), statement)));
    }
    Stated { statements: all, left, earned }
}

/// What of a provider's statements does not add up.
fn amiss(stated: &Stated<'_>) -> Option<String> {
    let (mut subtotal, mut credit) = (Exact::zero(), Exact::zero());
    for (of_draft, earned) in &stated.left {
        subtotal += of_draft;
        credit += earned;
    }
    let mut by_names = Earned::new();
    for (reseller, statement) in &stated.statements {
        for Share { customer, totals, earned_by } in &statement.customers {
            subtotal = &subtotal - &totals.subtotal;
            credit = &credit - &totals.earned;
            let named: Exact = earned_by.values().sum();
            if named != totals.earned {
                return Some(format!("{customer} through {reseller}: {named} is named of {}", totals.earned));
            }
            for (who, amount) in earned_by {
                *by_names.entry((reseller.clone(), who.clone())).or_default() += amount;
            }
        }
        let charged = statement.charged.sum();
        if charged.subtotal != statement.draft.totals().subtotal {
            return Some(format!("{reseller} is charged {} of an open month", charged.subtotal));
        }
    }
    if !subtotal.is_zero() || !credit.is_zero() {
        return Some(format!("statements lack {subtotal} and {credit} credit of the invoice"));
    }
    (by_names != stated.earned).then(|| format!("earned by {by_names:?}, and the oracle says {:?}", stated.earned))
}

fn of_every_provider<'a>(world: &World, facts: &'a Facts, commerce: &'a domain::commerce::Commerce) -> Vec<Stated<'a>> {
    let mut books = Books::new(facts, commerce);
    let billed: BTreeSet<usize> = world.plans.iter().map(|plan| plan.bill_to).collect();
    billed.into_iter().map(|partner| stated(world, &mut books, guid(world.partners[partner].tenant))).collect()
}

#[test]
fn statements_add_up_to_the_invoice_and_name_who_earned() {
    let seen = std::cell::Cell::new((0, 0));
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let facts = fold(&messages(&world, seed));
        let commerce = facts.commerce.view();
        for stated in of_every_provider(&world, &facts, &commerce) {
            if let Some(wrong) = amiss(&stated) {
                return Err(wrong);
            }
            let together = stated.earned.keys().filter(|(_, who)| who.contains(" and ")).count();
            let (some, several) = seen.get();
            seen.set((some + stated.earned.len(), several + together));
        }
        Ok(())
    });
    let (some, several) = seen.get();
    let enough = some > 40 && several > 4;
    assert!(enough || super::seeds().len() < 100, "{some} names, {several} of them of several: this shows too little");
}

/// The control: a crumb that is charged or named elsewhere, and another name, do not add up any more.
#[test]
fn a_statement_that_was_tampered_with_does_not_add_up() {
    let crumb = Exact::parse("0.0000000000000001").expect("a number");
    let spoil: [(&str, fn(&mut Statement<'_>, &Exact)); 4] = [
        ("a crumb that nobody is charged", |one, crumb| one.customers[0].totals.subtotal += crumb),
        ("a crumb of credit", |one, crumb| one.customers[0].totals.earned += crumb),
        ("a crumb that somebody else earned", |one, crumb| {
            *one.customers[0].earned_by.entry("somebody".to_owned()).or_default() += crumb;
        }),
        ("another name", |one, _| {
            let earned = std::mem::take(&mut one.customers[0].earned_by);
            one.customers[0].earned_by = earned.into_iter().map(|(who, all)| (format!("{who} Ltd"), all)).collect();
        }),
    ];
    let mut tried = 0;
    for seed in 0..60 {
        let world = worlds::make(seed);
        let facts = fold(&messages(&world, seed));
        let commerce = facts.commerce.view();
        for (what, spoil) in spoil {
            for mut stated in
                of_every_provider(&world, &facts, &commerce).into_iter().filter(|one| !one.earned.is_empty())
            {
                let earning = stated.statements.iter_mut().find(|(_, one)| !one.customers[0].earned_by.is_empty());
                spoil(&mut earning.expect("somebody earned").1, &crumb);
                assert!(amiss(&stated).is_some(), "seed {seed}: {what} is not seen");
                tried += 1;
            }
        }
    }
    assert!(tried > 30, "only {tried} statements had credit to spoil");
}
