//! How a month that is issued stands: what was issued for it, what adjusted it since, and what still waits
//! for a close. All of it in Subtotals of lines, which is what adds up.

use std::collections::BTreeMap;

use domain::decide::{self, Closing};
use domain::entry::{Decision, IssuedDocument, IssuedLine};
use domain::ids::{Currency, Digest, Guid};
use domain::invoice::Line;
use domain::money::Exact;
use domain::period::Period;
use domain::rating::judged;

use crate::books::Books;

/// Lines put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    pub lines: usize,
    pub subtotal: Exact,
    pub without_credit: Exact,
}

impl Sum {
    pub fn of<'l>(lines: impl IntoIterator<Item = &'l IssuedLine>) -> Self {
        let mut sum = Self::default();
        lines.into_iter().for_each(|line| sum.add(line));
        sum
    }

    pub fn add(&mut self, line: &IssuedLine) {
        self.lines += 1;
        self.subtotal += &Exact::from(line.subtotal);
        self.without_credit += &Exact::from(line.subtotal_without_credit);
    }

    /// A line of a draft.
    pub fn add_drafted(&mut self, line: &Line) {
        self.lines += 1;
        self.subtotal += &line.subtotal;
        self.without_credit += &line.subtotal_without_credit;
    }

    /// What was said of it elsewhere, which is no line of it.
    pub fn take(&mut self, line: &IssuedLine) {
        self.subtotal -= &Exact::from(line.subtotal);
        self.without_credit -= &Exact::from(line.subtotal_without_credit);
    }

    pub fn join(&mut self, other: &Self) {
        self.lines += other.lines;
        self.subtotal += &other.subtotal;
        self.without_credit += &other.without_credit;
    }
}

/// INV-6: the adjustments that closes to come would carry, in every currency, of every month that is issued.
/// The very lines that a close decides by.
pub fn waiting(books: &mut Books<'_>, bill_to: Guid) -> BTreeMap<Currency, Vec<IssuedLine>> {
    let issued = books.facts.issued.issued_periods(bill_to);
    let Some(newest) = issued.into_iter().max() else { return BTreeMap::new() };
    let mut judging = judged(&mut books.judge);
    let (mut lines, _) = decide::adjustments(&books.desk, &mut judging, &asked(bill_to, newest.next()));
    lines.retain(|_, lines| !lines.is_empty());
    lines
}

/// Whether closing a month carries the adjustments of other months in a currency: nothing of it stands in
/// that currency, and no earlier month has to be closed first.
pub fn carries(books: &mut Books<'_>, bill_to: Guid, period: Period, currency: Currency) -> bool {
    books.facts.issued.is_open(bill_to, period, currency) && open_before(books, bill_to, period).is_empty()
}

/// The oldest month that is open in a currency: its close carries the adjustments.
pub fn carrier(books: &mut Books<'_>, bill_to: Guid, currency: Currency) -> Option<Period> {
    let issued = &books.facts.issued;
    let months = issued.issued_periods(bill_to);
    let next = months.iter().max()?.next();
    let reopened = months.into_iter().filter(|month| issued.is_open(bill_to, *month, currency)).min();
    let own = open_before(books, bill_to, next).into_iter().next();
    reopened.into_iter().chain(own).min().or(Some(next))
}

fn open_before(books: &mut Books<'_>, bill_to: Guid, period: Period) -> Vec<Period> {
    decide::open_before(&books.desk, &mut judged(&mut books.judge), &asked(bill_to, period))
}

/// A close that nobody asks for: what it would carry is asked, and who decides it does not matter.
fn asked<'a>(bill_to: Guid, period: Period) -> Closing<'a> {
    let decision = Decision { actor: "".into(), reason: "asked, not decided".into(), at: period.interval().to };
    Closing {
        bill_to,
        currency: Currency::USD,
        period,
        position: 0,
        decision,
        obstacles: &[],
        findings: &[],
        accept_unknown_access: false,
        digest: &|_| Digest::default(),
    }
}

/// A document that stands, and what of it belongs to the month that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub document: Box<str>,
    pub period: Period,
    /// Of the whole document.
    pub total: Exact,
    pub sum: Sum,
}

/// What documents say of a month in a currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Those of the month itself.
    pub own: Vec<Part>,
    /// Those of other months, which adjusted it.
    pub others: Vec<Part>,
}

/// The invoices of a partner in a currency that stand. What was voided and its credit note say nothing together.
pub fn standing<'a>(books: &Books<'a>, bill_to: Guid, currency: Currency) -> Vec<&'a IssuedDocument> {
    let issued = &books.facts.issued;
    let mut documents = issued.documents();
    documents.retain(|one| {
        (one.bill_to, one.currency) == (bill_to, currency) && one.amends.is_none() && !issued.is_voided(&one.id)
    });
    documents
}

/// What was said of a month in a currency, in lines that `ours` lets through; documents of other months
/// that say nothing of it are left out.
pub fn said(
    books: &Books<'_>,
    (bill_to, currency, period): (Guid, Currency, Period),
    ours: &dyn Fn(&IssuedLine) -> bool,
) -> Said {
    let mut said = Said { own: Vec::new(), others: Vec::new() };
    for document in standing(books, bill_to, currency) {
        let part = Part {
            document: document.id.clone(),
            period: document.period,
            total: Exact::from(document.total),
            sum: Sum::of(document.lines.iter().filter(|line| line.period == period && ours(line))),
        };
        if document.period == period {
            said.own.push(part);
        } else if part.sum.lines > 0 {
            said.others.push(part);
        }
    }
    said
}
