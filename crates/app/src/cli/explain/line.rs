//! One line of an invoice: its arithmetic step by step, the days and resources in it, its events.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{Currency, Identity};
use domain::invoice::{Draft, Line};
use domain::money::{Exact, Rounding};
use domain::period::{Day, Instant, Period};
use domain::policy::{LineSteps, Policy};
use domain::rating::line_key;
use domain::scope::Scope;
use engine::books::{Books, line_of, line_revisions};
use engine::trace::{self, Wanted, WantedUsage};
use serde::Serialize;

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
    if books.periods().is_empty() {
        return Err(crate::cli::invoice::nothing(books, domain::period::Day(0).period()).into());
    }
    let when = period.map_or_else(|| "any month".to_owned(), |period| period.to_string());
    Err(Problem::refused(format!("no draft of {when} has a line {name}"))
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
    let mut parts: BTreeMap<(Day, Scope), (Exact, Exact, domain::rating::Verdict)> = BTreeMap::new();
    books.drafts(draft.bill_to, draft.period, &mut |piece| {
        if line_key(piece) == line.key {
            let part = parts.entry((piece.day, piece.scope.clone()));
            let part = part.or_insert_with(|| (Exact::zero(), Exact::zero(), piece.verdict));
            part.0 += &piece.quantity.exact();
            part.1 += &piece.daily_amount(&draft.exchange_rate, &draft.policy);
        }
    });
    let mut days: BTreeMap<Scope, BTreeSet<Day>> = BTreeMap::new();
    for (day, scope) in parts.keys() {
        days.entry(scope.clone()).or_default().insert(*day);
    }
    let usage = WantedUsage { days, meter: Some(line.key.meter.clone()) };
    let wanted = Wanted { identities: sheets(draft, line, books), usage: Some(usage), as_of };
    let (events, events_in_all) = trace::find(context.ledger.reader(), &wanted, EVENTS_SHOWN).map_err(fault)?;
    let key = &line.key;
    Ok(LineAnswer {
        schema: "pec.explain.v1",
        about: "line",
        line: name.to_owned(),
        period: draft.period.to_string(),
        bill_to: Party { id: draft.bill_to.to_string(), name: books.partner_name(draft.bill_to) },
        customer: Party { id: key.customer.to_string(), name: books.customer_name(key.customer) },
        product: format!("{} / {}", line.product_title, line.sku_title),
        rules_version: draft.rules_version,
        policy_revision: draft.policy.revision,
        policy_revisions: line_revisions(books.facts, line),
        arithmetic: arithmetic(draft, line, books),
        amounts_by: "RATE-12",
        parts: parts
            .into_iter()
            .map(|((day, scope), (quantity, amount, verdict))| {
                let (outcome, reason) = engine::digest::verdict(verdict);
                Part {
                    day: day.to_string(),
                    resource: scope.to_string(),
                    quantity: quantity.to_string(),
                    amount: format!("{amount} {}", draft.currency),
                    outcome,
                    reason: (!reason.is_empty()).then_some(reason),
                    rule: verdict.rule(),
                }
            })
            .collect(),
        missing: line
            .lost
            .iter()
            .map(|(code, amount)| Missing {
                rule: code.rule(),
                reason: code.text(),
                amount: money(amount, Currency::USD),
            })
            .collect(),
        events: events.iter().map(|cited| event_answer(cited, books.facts)).collect(),
        events_in_all,
    })
}

/// The price sheet, the exchange rates and the policy documents that the line is made with.
fn sheets(draft: &Draft, line: &Line, books: &Books<'_>) -> BTreeSet<Identity> {
    let facts = books.facts;
    let market = books.commerce.market(line.key.customer);
    let sheet = market.and_then(|market| facts.prices.list(draft.period, market));
    let rates = facts.prices.rate_event(draft.period, draft.currency);
    let days = line.by_day.iter().map(|(day, _)| *day).chain([draft.period.first_day()]);
    let policies = days.filter_map(|day| facts.policy.document_at(day)).map(|(identity, _)| identity);
    sheet.into_iter().map(|chosen| chosen.value.published_by).chain(rates).chain(policies).collect()
}

/// INV-1 and INV-2 step by step; exact until the cuts that are named. Where the policy cuts in
/// another way than the newest published one, the step says so and names INV-15.
fn arithmetic(draft: &Draft, line: &Line, books: &Books<'_>) -> Vec<Step> {
    let usd = |amount: &Exact| money(amount, Currency::USD);
    let mut steps = vec![
        Step {
            rule: "RATE-3",
            what: "quantity",
            how: format!("sum over {} days", line.by_day.len()),
            result: format!("{} × {}", line.quantity, line.unit),
        },
        Step {
            rule: "INV-1",
            what: "list charge",
            how: if line.key.portion.is_covered() {
                "paid in advance, nothing is charged".to_owned()
            } else {
                format!("{} × {}", line.quantity, usd(&line.unit_price))
            },
            result: usd(&line.list_charge),
        },
    ];
    if let Some(rate) = line.key.credit_rate {
        steps.push(Step {
            rule: "INV-1",
            what: "with credit",
            how: format!("{} × (1 − {})", usd(&line.list_charge), rate.normalize()),
            result: usd(&line.net_charge),
        });
    }
    let (newest, cut) = cut_of(&draft.policy);
    steps.push(Step {
        rule: if newest { "INV-1" } else { "INV-15" },
        what: "charge",
        how: format!("{} {cut}", usd(&line.net_charge)),
        result: usd(&line.charge),
    });
    steps.extend(exchanged(draft, line, books));
    steps
}

/// How amounts are cut, and whether that is how the newest published formula cuts them.
fn cut_of(policy: &Policy) -> (bool, &'static str) {
    match policy.line_rounding {
        Rounding::TowardZero => (true, "cut to 2 decimals"),
        Rounding::AwayFromZero => (false, "rounded away from zero to 2 decimals"),
        Rounding::HalfEven => (false, "rounded half-even to 2 decimals"),
        Rounding::HalfUp => (false, "rounded half-up to 2 decimals"),
    }
}

/// From the charge in dollars to the printed columns in billing currency.
fn exchanged(draft: &Draft, line: &Line, books: &Books<'_>) -> Vec<Step> {
    let usd = |amount: &Exact| money(amount, Currency::USD);
    let mut steps = Vec::new();
    if let Some(usd) = books.facts.prices.usd_per_unit(draft.period, draft.currency) {
        let decimals = draft.policy.exchange_rate_decimals.map_or_else(String::new, |n| format!(", to {n} decimals"));
        steps.push(Step {
            rule: "RATE-8",
            what: "exchange rate",
            how: format!("1 ÷ {} USD per {}{decimals}", usd.value, draft.currency),
            result: line.exchange_rate.to_string(),
        });
    }
    let (newest, cut) = cut_of(&draft.policy);
    let two = draft.policy.line_steps == LineSteps::Two;
    // Cut once after all factors, it starts from the exact charge, not from the printed one.
    let from = if two { usd(&line.charge) } else { format!("{} USD", line.net_charge) };
    steps.push(Step {
        rule: if newest && two { "INV-2" } else { "INV-15" },
        what: "subtotal",
        how: format!("{from} × {} {cut}", line.exchange_rate),
        result: money(&line.subtotal, draft.currency),
    });
    steps.push(Step {
        rule: "INV-2",
        what: "effective unit price",
        how: if line.key.credit_rate.is_some() && !line.charge.is_zero() {
            format!("{} ÷ {} rounded up at 15 decimals", usd(&line.charge), line.quantity)
        } else {
            usd(&line.unit_price)
        },
        result: usd(&line.effective_unit_price),
    });
    steps.extend(tax(draft, line));
    steps
}

/// INV-12: what tax does to the line: its own cut, or none, because it is drawn on the total.
fn tax(draft: &Draft, line: &Line) -> Option<Step> {
    let drawn = draft.tax.as_ref()?;
    let local = |amount: &Exact| money(amount, draft.currency);
    let (how, result) = match &line.tax {
        Some(tax) => (format!("{} × {} cut to 2 decimals", local(&line.subtotal), drawn.rate), local(tax)),
        None => {
            let total = draft.tax()?;
            (
                format!("rate {}, cut once on the sum of all lines", drawn.rate),
                format!("{} on the total", local(&total)),
            )
        }
    };
    Some(Step { rule: "INV-12", what: "tax, beside the amount", how, result })
}

fn print(answer: &LineAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("{} — {}", answer.line, answer.product))?;
    out.line(format!("{}, billed to {} for {}", answer.customer.name, answer.bill_to.name, answer.period))?;
    out.line("")?;
    print_steps(&answer.arithmetic, out)?;
    for missing in &answer.missing {
        out.line(format!("  credit missing because {}: {}   ({})", missing.reason, missing.amount, missing.rule))?;
    }
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
    print_events(&answer.events, answer.events_in_all, out)?;
    out.line("")?;
    let mut revisions: BTreeSet<u32> = answer.policy_revisions.iter().copied().collect();
    revisions.insert(answer.policy_revision);
    let revisions: Vec<u32> = revisions.into_iter().collect();
    out.line(format!("Rules version {} · {}", answer.rules_version, revisions_in_words(&revisions)))?;
    Ok(())
}
