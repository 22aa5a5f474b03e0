//! What a policy document changes in money: every month that it touches, as it is and as it would be.

use std::collections::BTreeSet;

use domain::entry::PolicyDocument;
use domain::facts::Facts;
use domain::finding::Code;
use domain::ids::Currency;
use domain::money::Exact;
use domain::period::Period;
use domain::projection::Fold;
use engine::books::Books;
use engine::suppose::{self, Side, Supposition};
use serde::Serialize;

use super::super::invoice::{Party, cents, money};
use super::super::start::fault;
use super::Context;
use crate::exit::Problem;
use crate::output::{Output, align_right, left, right, table};

/// What one partner's month would be.
#[derive(Serialize)]
pub(super) struct EffectAnswer {
    bill_to: Party,
    period: String,
    /// Nothing is issued for it; otherwise the change would come as an adjustment.
    open: bool,
    charge: Figures,
    tax: Figures,
    credit_earned: Figures,
    credit_missing: Figures,
    /// Codes of findings that would stop the closing, and do not as it is.
    stops: Vec<&'static str>,
}

#[derive(Serialize)]
struct Figures {
    before: String,
    after: String,
    difference: String,
    #[serde(skip)]
    exact: (Exact, Exact, Currency),
}

impl Figures {
    fn new(before: &Exact, after: &Exact, currency: Currency) -> Self {
        Self {
            before: money(before, currency),
            after: money(after, currency),
            difference: money(&(after - before), currency),
            exact: (before.clone(), after.clone(), currency),
        }
    }

    fn changes(&self) -> bool {
        self.exact.0 != self.exact.1
    }
}

/// Charge and credit of every month that the document touches, on both sides.
pub(super) fn effect(
    context: &Context<'_>,
    facts: &Fold<Facts>,
    document: &PolicyDocument,
    now: domain::period::Instant,
) -> anyhow::Result<Vec<EffectAnswer>> {
    let folded_again =
        engine::view::for_policy(context.ledger.reader(), facts, document, &mut |_, _| {}).map_err(fault)?;
    let fold = folded_again.as_ref().unwrap_or(facts);
    let facts = fold.state();
    let commerce = facts.commerce.view();
    let mut books = Books::new(facts, &commerce);
    let supposition = Supposition::Policy(document.clone());
    let months = suppose::months_from(&books, supposition.at());
    let events = supposition.events(facts, &commerce).map_err(|unfit| Problem::refused(unfit.what).hint(unfit.hint))?;
    let before = Side::of(&mut books, &months);
    let fold = engine::view::what_if(fold, events, now);
    let mut supposed = Books::new(fold.state(), &commerce);
    let after = Side::of(&mut supposed, &months);
    Ok(bills(&books, &before, &after))
}

fn bills(books: &Books<'_>, before: &Side, after: &Side) -> Vec<EffectAnswer> {
    let keys: BTreeSet<(domain::ids::Guid, Period)> = before.bills.keys().chain(after.bills.keys()).copied().collect();
    let row = |(bill_to, period)| {
        let (old, new) = (before.bills.get(&(bill_to, period)), after.bills.get(&(bill_to, period)));
        let currency = new.or(old).map_or(Currency::USD, |bill| bill.currency);
        let of = |bill: Option<&suppose::Bill>, figure: fn(&suppose::Bill) -> &Exact| bill.map(figure).cloned();
        let figures = |figure: fn(&suppose::Bill) -> &Exact, currency| {
            // A partner that is billed nothing on one side is billed zero there.
            Figures::new(&of(old, figure).unwrap_or_default(), &of(new, figure).unwrap_or_default(), currency)
        };
        EffectAnswer {
            bill_to: Party { id: bill_to.to_string(), name: books.partner_name(bill_to) },
            period: period.to_string(),
            open: books.facts.issued.standing(bill_to, period).is_empty(),
            charge: figures(|bill| &bill.total, currency),
            tax: figures(|bill| &bill.tax, currency),
            credit_earned: figures(|bill| &bill.earned, Currency::USD),
            credit_missing: figures(|bill| &bill.missing, Currency::USD),
            stops: new_stops(old, new),
        }
    };
    keys.into_iter().map(row).collect()
}

fn new_stops(old: Option<&suppose::Bill>, new: Option<&suppose::Bill>) -> Vec<&'static str> {
    let known = |code: &Code| old.is_some_and(|bill| bill.stops.contains(code));
    let codes = new.into_iter().flat_map(|bill| &bill.stops);
    codes.filter(|code| !known(code)).map(|code| code.text()).collect()
}

pub(super) fn print_effect(rows: &[EffectAnswer], out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["partner, month", "as it is", "as it would be", "difference"]);
    for row in rows {
        let issued = if row.open { "" } else { " (issued: by adjustment)" };
        list.add_row([left(format!("{}, {}{issued}", row.bill_to.name, row.period))]);
        let figures = [
            ("charge", &row.charge),
            ("tax", &row.tax),
            ("credit earned", &row.credit_earned),
            ("credit missing", &row.credit_missing),
        ];
        let taxed = |figures: &Figures| !figures.exact.0.is_zero() || !figures.exact.1.is_zero();
        for (name, figures) in figures.into_iter().filter(|(name, figures)| *name != "tax" || taxed(figures)) {
            let (before, after, currency) = &figures.exact;
            let difference = if figures.changes() { cents(&(after - before), *currency) } else { "none".to_owned() };
            list.add_row([
                left(format!("  {name}")),
                right(cents(before, *currency)),
                right(cents(after, *currency)),
                right(difference),
            ]);
        }
    }
    align_right(&mut list, &[1, 2, 3]);
    out.table(list)?;
    for row in rows.iter().filter(|row| !row.stops.is_empty()) {
        let (partner, month, codes) = (&row.bill_to.name, &row.period, row.stops.join(", "));
        out.line(format!("{partner}, {month}: it would stop the closing: {codes} (docs/findings.md)"))?;
    }
    Ok(())
}
