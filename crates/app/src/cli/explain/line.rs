//! One line of an invoice: its arithmetic step by step, the days and resources in it, its events.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{ChargeType, LineKey};
use domain::facts::Facts;
use domain::ids::{Currency, Identity};
use domain::invoice::{Draft, Line, amounts_of};
use domain::money::Exact;
use domain::pec::LostCode;
use domain::period::{Day, Instant, Period};
use domain::rating::{Piece, Verdict, line_key};
use domain::scope::Scope;
use engine::books::{Books, line_of, line_revisions};
use engine::trace::{self, Wanted, WantedUsage};
use serde::Serialize;

use super::beside::{self, Grants};
use super::issued;
use super::steps::{self, Split};
use super::{EVENTS_SHOWN, EventAnswer, Step, event_answer, print_events, print_steps};
use crate::cli::Context;
use crate::cli::invoice::{Party, money, revisions_in_words};
use crate::cli::select::Names;
use crate::cli::start::fault;
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, left, right, table};

/// How many days × resources are shown to people.
const PARTS_SHOWN: usize = 60;

/// The shape `line` of `schemas/output/explain.v1.json`.
#[derive(Serialize)]
struct LineAnswer {
    schema: &'static str,
    about: &'static str,
    line: String,
    period: String,
    bill_to: Party,
    customer: Party,
    product: String,
    rules_version: u32,
    /// Of the policy in force on the first day of the month, which cuts and adds up.
    policy_revision: u32,
    /// Of the line's own days.
    policy_revisions: Vec<u32>,
    arithmetic: Vec<Step>,
    /// The rule by which the amount of a day has its decimals.
    amounts_by: &'static str,
    parts: Vec<Part>,
    missing: Vec<Missing>,
    events: Vec<EventAnswer>,
    events_in_all: usize,
}

#[derive(Serialize)]
struct Part {
    day: String,
    resource: String,
    quantity: String,
    /// Of the day, in billing currency; days do not add up to the line, which is cut once.
    amount: String,
    outcome: &'static str,
    reason: Option<&'static str>,
    rule: &'static str,
}

#[derive(Serialize)]
struct Missing {
    rule: &'static str,
    reason: &'static str,
    amount: String,
}

pub(super) fn explain(
    name: &str,
    period: Option<Period>,
    as_of: Option<Instant>,
    books: &mut Books<'_>,
    context: &Context<'_>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let periods: BTreeSet<Period> = period.map_or_else(|| books.periods(), |period| [period].into());
    for period in periods {
        for bill_to in books.bill_to() {
            for (draft, _) in books.drafts(bill_to, period, &mut |_| {}) {
                let Some(line) = line_of(&draft, name) else { continue };
                let answer = answer(name, &draft, line, as_of, books, context)?;
                if context.json {
                    out.json(&answer)?
                } else {
                    print(&answer, out)?
                }
                return Ok(Exit::Fine);
            }
        }
    }
    if let Some(exit) = issued::explain(name, period, as_of, books, context, out)? {
        return Ok(exit);
    }
    if books.periods().is_empty() {
        return Err(crate::cli::invoice::nothing(books, domain::period::Day(0).period()).into());
    }
    let when = period.map_or_else(|| "any month".to_owned(), |period| period.to_string());
    Err(Problem::refused(format!("no draft of {when} and no issued document has a line {name}"))
        .hint("pec invoice --period MONTH --lines shows them; a line changes its name when its rate or tier changes")
        .into())
}

fn answer(
    name: &str,
    draft: &Draft,
    line: &Line,
    as_of: Option<Instant>,
    books: &mut Books<'_>,
    context: &Context<'_>,
) -> anyhow::Result<LineAnswer> {
    let pieces = Pieces::of(draft, line, books);
    let usage = WantedUsage { days: pieces.days(), meter: Some(line.key.meter.clone()) };
    let mut identities = behind(draft, line, books);
    identities.extend(pieces.behind(line, books.facts));
    let wanted = Wanted { identities, usage: Some(usage), as_of };
    let (events, events_in_all) = trace::find(context.ledger.reader(), &wanted, EVENTS_SHOWN).map_err(fault)?;
    let key = &line.key;
    Ok(LineAnswer {
        schema: "pec.explain.v1",
        about: "line",
        line: name.to_owned(),
        period: draft.period.to_string(),
        bill_to: Party { id: draft.bill_to.to_string(), name: books.partner_name(draft.bill_to) },
        customer: Party { id: key.customer.to_string(), name: books.customer_name(key.customer) },
        product: product(&line.product_title, &line.sku_title),
        rules_version: draft.rules_version,
        policy_revision: draft.policy.revision,
        policy_revisions: line_revisions(books.facts, line),
        arithmetic: steps::arithmetic(draft, line, &pieces.splits, books),
        amounts_by: "RATE-12",
        parts: pieces.parts(draft.currency),
        missing: missing(line),
        events: events.iter().map(|cited| event_answer(cited, books.facts)).collect(),
        events_in_all,
    })
}

/// Product and SKU as people read them; what is bought or refunded may have the first alone.
pub(super) fn product(product: &str, sku: &str) -> String {
    if sku.is_empty() { product.to_owned() } else { format!("{product} / {sku}") }
}

fn missing(line: &Line) -> Vec<Missing> {
    let one = |(code, amount): (&LostCode, &Exact)| Missing {
        rule: code.rule(),
        reason: code.text(),
        amount: money(amount, Currency::USD),
    };
    line.lost.iter().map(one).collect()
}

/// What one resource used on one day: quantity, amount in billing currency, verdict.
type Used = (Exact, Exact, Verdict);

/// The usage that a line is made of, and what stands beside it.
struct Pieces {
    parts: BTreeMap<(Day, Scope), Used>,
    /// The parts that Azure credit split by money.
    splits: Vec<Split>,
    grants: Grants,
}

impl Pieces {
    fn of(draft: &Draft, line: &Line, books: &mut Books<'_>) -> Self {
        let mut pieces = Self { parts: BTreeMap::new(), splits: Vec::new(), grants: Grants::new() };
        let key = used_by(line);
        let mut paid: Vec<(Day, Scope, Grants)> = Vec::new();
        books.drafts(draft.bill_to, draft.period, &mut |piece| {
            let same = piece.plan == key.plan && *piece.meter == key.meter && piece.band.tier == key.tier;
            if same && piece.grant.is_some() {
                let mut grants = Grants::new();
                beside::note(piece, &mut grants);
                paid.push((piece.day, piece.scope.clone(), grants));
            }
            if line_key(piece) == key {
                pieces.add(piece, draft, line);
            }
        });
        for (day, scope, grants) in paid {
            // A grant that paid for the same usage leaves the line the rest.
            if pieces.parts.contains_key(&(day, scope)) {
                pieces.grants.extend(grants);
            }
        }
        pieces
    }

    fn add(&mut self, piece: &Piece<'_>, draft: &Draft, line: &Line) {
        let part = self.parts.entry((piece.day, piece.scope.clone()));
        let part = part.or_insert_with(|| (Exact::zero(), Exact::zero(), piece.verdict));
        let amount = piece.daily_amount(&draft.exchange_rate, &draft.policy);
        part.0 += &piece.quantity.exact();
        part.1 += &if steps::gives_back(line) { -&amount } else { amount };
        self.splits.extend(piece.split.as_ref().map(|lacks| Split {
            day: piece.day,
            quantity: piece.quantity.exact(),
            lacks: lacks.clone(),
        }));
    }

    fn days(&self) -> BTreeMap<Scope, BTreeSet<Day>> {
        let mut days: BTreeMap<Scope, BTreeSet<Day>> = BTreeMap::new();
        for (day, scope) in self.parts.keys() {
            days.entry(scope.clone()).or_default().insert(*day);
        }
        days
    }

    /// The entries that granted the credit, and those that covered some of the same usage.
    fn behind(&self, line: &Line, facts: &Facts) -> BTreeSet<Identity> {
        let here = |day: Day, scope: &Scope| self.parts.contains_key(&(day, scope.clone()));
        let mut behind = beside::granted(facts, &self.grants);
        behind.extend(beside::covering(facts, line.key.plan, Some(&line.key.meter), &here));
        behind
    }

    fn parts(self, currency: Currency) -> Vec<Part> {
        let part = |((day, scope), (quantity, amount, verdict)): ((Day, Scope), Used)| {
            let (outcome, reason) = engine::digest::verdict(verdict);
            Part {
                day: day.to_string(),
                resource: scope.to_string(),
                quantity: quantity.to_string(),
                amount: format!("{amount} {currency}"),
                outcome,
                reason: (!reason.is_empty()).then_some(reason),
                rule: verdict.rule(),
            }
        };
        self.parts.into_iter().map(part).collect()
    }
}

/// The key of the usage behind a line: its own, but for a line that gives back what Azure credit paid.
fn used_by(line: &Line) -> LineKey {
    let mut key = line.key.clone();
    if let Some(charge) = key.charge.as_mut().filter(|_| steps::gives_back(line)) {
        charge.charge_type = ChargeType::New;
        charge.reason = None;
    }
    key
}

/// What the line is made with beside usage: price sheet or what was bought, returned and refunded, exchange
/// rates, tax, and the policy documents.
fn behind(draft: &Draft, line: &Line, books: &Books<'_>) -> BTreeSet<Identity> {
    let facts = books.facts;
    let mut behind: BTreeSet<Identity> = BTreeSet::new();
    let amounts = amounts_of(&books.desk, draft, line);
    if amounts.is_empty() {
        let market = books.commerce.market(line.key.customer);
        let sheet = market.and_then(|market| facts.prices.list(draft.period, market));
        behind.extend(sheet.map(|chosen| chosen.value.published_by));
    }
    behind.extend(amounts.into_iter().flat_map(|amount| amount.booked.behind));
    behind.extend(facts.prices.rate_event(draft.period, draft.currency));
    if draft.tax.is_some() {
        let last = Day(draft.period.next().first_day().0 - 1);
        behind.extend(facts.charges.tax_at(draft.bill_to, last).map(|set| set.event));
    }
    let days = line.by_day.iter().map(|(day, _)| *day).chain([draft.period.first_day()]);
    behind.extend(days.filter_map(|day| facts.policy.document_at(day)).map(|(identity, _)| identity));
    behind
}

fn print(answer: &LineAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("{} — {}", answer.line, answer.product))?;
    out.line(format!("{}, billed to {} for {}", answer.customer.name, answer.bill_to.name, answer.period))?;
    out.line("")?;
    print_steps(&answer.arithmetic, out)?;
    for missing in &answer.missing {
        out.line(format!("  credit missing because {}: {}   ({})", missing.reason, missing.amount, missing.rule))?;
    }
    if !answer.parts.is_empty() {
        print_parts(answer, out)?;
    }
    print_events(&answer.events, answer.events_in_all, out)?;
    out.line("")?;
    let mut revisions: BTreeSet<u32> = answer.policy_revisions.iter().copied().collect();
    revisions.insert(answer.policy_revision);
    let revisions: Vec<u32> = revisions.into_iter().collect();
    out.line(format!("Rules version {} · {}", answer.rules_version, revisions_in_words(&revisions)))?;
    Ok(())
}

fn print_parts(answer: &LineAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
    let names = Names::of(answer.parts.iter().map(|part| part.resource.as_str()));
    let mut parts = table(&["day", "resource", "quantity", "amount", "verdict"]);
    for part in answer.parts.iter().take(PARTS_SHOWN) {
        let verdict =
            part.reason.map_or_else(|| part.outcome.to_owned(), |reason| format!("{}: {reason}", part.outcome));
        parts.add_row([
            left(&part.day),
            left(names.get(&part.resource)),
            right(&part.quantity),
            right(&part.amount),
            left(verdict),
        ]);
    }
    align_right(&mut parts, &[2, 3]);
    out.table(parts)?;
    out.note(format!("amounts of days are cut by themselves and never added up ({})", answer.amounts_by))?;
    if answer.parts.len() > PARTS_SHOWN {
        out.note(format!("{PARTS_SHOWN} of {} days and resources are shown; all with --json", answer.parts.len()))?;
    }
    Ok(())
}
