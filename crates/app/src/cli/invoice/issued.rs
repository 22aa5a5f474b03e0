//! What was issued for a month that is drafted again: a redraft is never what is to be paid.

use std::collections::BTreeMap;

use domain::entry::IssuedLine;
use domain::ids::{Currency, Guid};
use domain::invoice::Draft;
use domain::money::Exact;
use engine::adjusting::{self, Part};
use engine::books::Books;
use serde::Serialize;

use super::{money, short, total};
use crate::output::Output;

/// What documents say of a month, beside what it is drafted to now. Subtotals of its lines.
#[derive(Serialize)]
pub(super) struct IssuedAnswer {
    /// Whether an invoice of the month stands in this currency. If none does, closing it bills what is outstanding.
    pub(super) stands: bool,
    /// The invoices of the month that stand.
    documents: Vec<PartAnswer>,
    /// What of the month other documents say.
    adjusted: Vec<PartAnswer>,
    /// The redraft less what the month's own invoices say of it.
    difference: String,
    /// The redraft less what all documents say of it.
    outstanding: String,
    /// The month whose close bills what is outstanding; null where nothing is.
    outstanding_with: Option<String>,
    rule: &'static str,
}

/// What of a document belongs to the month.
#[derive(Serialize)]
struct PartAnswer {
    document: String,
    /// The document's month.
    period: String,
    /// Of the whole document.
    total: String,
    lines: usize,
    subtotal: String,
}

/// `None` where no document says anything of the month in the draft's currency.
pub(super) fn answer(
    books: &mut Books<'_>,
    draft: &Draft,
    customer: Option<Guid>,
    waiting: &BTreeMap<Currency, Vec<IssuedLine>>,
) -> Option<IssuedAnswer> {
    let (bill_to, currency, period) = (draft.bill_to, draft.currency, draft.period);
    let ours = |line: &IssuedLine| customer.is_none_or(|customer| line.key.customer == customer);
    let said = adjusting::said(books, (bill_to, currency, period), &ours);
    let open = books.facts.issued.is_open(bill_to, period, currency);
    if open && said.others.is_empty() {
        return None;
    }
    let sum = |parts: &[Part]| parts.iter().fold(Exact::zero(), |sum, part| &sum + &part.sum.subtotal);
    let difference = &draft.totals().subtotal - &sum(&said.own);
    let outstanding = &difference - &sum(&said.others);
    let of_month = |line: &IssuedLine| line.period == period && ours(line);
    let waits = waiting.get(&currency).is_some_and(|lines| lines.iter().any(of_month));
    let with = match open {
        true => (!outstanding.is_zero()).then_some(period),
        false if waits => adjusting::carrier(books, bill_to, currency),
        false => None,
    };
    let part = |part: &Part| PartAnswer {
        document: part.document.to_string(),
        period: part.period.to_string(),
        total: total(&part.total, currency),
        lines: part.sum.lines,
        subtotal: money(&part.sum.subtotal, currency),
    };
    Some(IssuedAnswer {
        stands: !open,
        documents: said.own.iter().map(part).collect(),
        adjusted: said.others.iter().map(part).collect(),
        difference: money(&difference, currency),
        outstanding: money(&outstanding, currency),
        outstanding_with: with.map(|month| month.to_string()),
        rule: "INV-6",
    })
}

impl IssuedAnswer {
    /// In place of an amount to pay.
    pub(super) fn print(&self, redraft: &str, out: &mut Output) -> anyhow::Result<()> {
        for part in &self.documents {
            let in_all =
                if part.subtotal == part.total { String::new() } else { format!(", in all {}", short(&part.total)) };
            out.line(format!("Issued      {} by {}{in_all}", short(&part.subtotal), part.document))?;
        }
        for part in &self.adjusted {
            out.line(format!("Adjusted    {} with {} by {}", short(&part.subtotal), part.period, part.document))?;
        }
        match self.stands {
            true => {
                let (difference, rule) = (short(&self.difference), self.rule);
                out.line(format!("Redraft     {}, which differs by {difference} ({rule})", short(redraft)))?;
            }
            false => out.line(format!("Draft       {}", short(redraft)))?,
        }
        let outstanding = short(&self.outstanding);
        match (&self.outstanding_with, self.stands) {
            (Some(month), true) => out.line(format!("To adjust   {outstanding}, with the close of {month}"))?,
            (Some(_), false) => out.line(format!("To issue    {outstanding}, with the close of this month"))?,
            (None, _) => out.line("Nothing of it is outstanding.")?,
        }
        Ok(())
    }
}
