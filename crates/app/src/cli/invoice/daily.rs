//! `pec invoice --daily`: the daily lines behind an invoice, resource by resource.
//!
//! They pass by as they are rated and are never kept, because there may be millions. What is exact of
//! them adds up to the exact amounts of their line; the amount in billing currency does not, because a
//! line is cut once and not day by day.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{Currency, Guid};
use domain::invoice::Draft;
use domain::period::{Day, Instant, Period};
use domain::policy::RULES_VERSION;
use domain::rating::{Piece, line_key};
use engine::books::{self, Books};
use serde::Serialize;

use super::{money, short};
use crate::cli::Context;
use crate::cli::absent::Nothing;
use crate::cli::select::short_scope;
use crate::exit::Exit;
use crate::output::{Output, align_right, left, right, table, thousands};

/// How many are shown to people; programs get all.
const SHOWN: usize = 200;

/// Whose daily lines.
pub(super) struct Asked {
    pub(super) partners: Vec<Guid>,
    pub(super) customer: Option<Guid>,
    pub(super) period: Period,
    pub(super) as_of: Option<Instant>,
}

/// One line of `schemas/output/daily-line.v1.json`.
#[derive(Serialize)]
struct DailyLine {
    schema: &'static str,
    bill_to: String,
    day: String,
    customer: String,
    plan: String,
    reseller: Option<String>,
    subscription: String,
    resource: String,
    meter: String,
    product: String,
    sku: String,
    tier: u32,
    portion: &'static str,
    unit: String,
    quantity: String,
    unit_price: String,
    outcome: &'static str,
    reason: Option<&'static str>,
    rule: &'static str,
    credit_rate: Option<String>,
    /// Exact, in the pricing currency, as the next two.
    list_charge: String,
    net_charge: String,
    credit_at_stake: String,
    exchange_rate: String,
    /// In the billing currency, with the decimals of a daily line.
    amount: String,
    amount_rule: &'static str,
    estimate: bool,
    line: String,
    policy_revision: u32,
    rules_version: u32,
}

/// What passed by: programs get each at once, people the first ones at the end.
struct Passing<'o> {
    json: bool,
    out: &'o mut Output,
    kept: Vec<DailyLine>,
    passed: u64,
    /// Why the reader could not be told, as when it went away.
    broken: Option<anyhow::Error>,
}

impl Passing<'_> {
    fn pass(&mut self, line: DailyLine) {
        self.passed += 1;
        if self.json {
            if self.broken.is_none() {
                self.broken = self.out.ndjson(&line).err();
            }
        } else if self.kept.len() < SHOWN {
            self.kept.push(line);
        }
    }
}

pub(super) fn answer(
    books: &mut Books<'_>,
    asked: &Asked,
    context: &Context<'_>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let json = context.json;
    let revisions: BTreeMap<Day, u32> =
        asked.period.days().map(|day| (day, books.facts.policy.at(day).revision)).collect();
    let mut passing = Passing { json, out, kept: Vec::new(), passed: 0, broken: None };
    for bill_to in &asked.partners {
        let mut currencies = books.currencies(*bill_to, asked.period);
        if currencies.is_empty() {
            currencies.push(Currency::USD);
        }
        for currency in currencies {
            // The exchange rate is the draft's, so it is drafted before its days are shown.
            let (draft, _) = books.draft_in(*bill_to, currency, asked.period, &mut |_| {});
            books.draft_in(*bill_to, currency, asked.period, &mut |piece| {
                if asked.customer.is_none_or(|customer| customer == piece.customer) {
                    let revision = revisions.get(&piece.day).copied().unwrap_or(draft.policy.revision);
                    passing.pass(daily_line(piece, &draft, revision));
                }
            });
        }
    }
    let Passing { out, kept, passed, broken, .. } = passing;
    if let Some(broken) = broken {
        return Err(broken);
    }
    if passed == 0 {
        return Nothing::of(context, asked.as_of, books, asked.period)?.say(json, out);
    }
    if !json {
        print(&kept, passed, out)?;
    }
    Ok(Exit::Fine)
}

fn daily_line(piece: &Piece<'_>, draft: &Draft, policy_revision: u32) -> DailyLine {
    let usd = |amount| money(&amount, Currency::USD);
    let (outcome, reason) = engine::digest::verdict(piece.verdict);
    let (key, row) = (line_key(piece), piece.band.row);
    DailyLine {
        schema: "pec.daily-line.v1",
        bill_to: draft.bill_to.to_string(),
        day: piece.day.to_string(),
        customer: piece.customer.to_string(),
        plan: piece.plan.to_string(),
        reseller: piece.reseller.map(str::to_owned),
        subscription: piece.subscription.to_string(),
        resource: piece.scope.to_string(),
        meter: piece.meter.to_string(),
        product: row.product_title.to_string(),
        sku: row.sku_title.to_string(),
        tier: piece.band.tier,
        portion: books::portion(&key),
        unit: row.unit.to_string(),
        quantity: piece.quantity.exact().to_string(),
        unit_price: usd(piece.unit_price()),
        outcome,
        reason: (!reason.is_empty()).then_some(reason),
        rule: piece.verdict.rule(),
        credit_rate: key.credit_rate.map(|rate| rate.normalize().to_string()),
        list_charge: usd(piece.list_charge()),
        net_charge: usd(piece.net_charge()),
        credit_at_stake: usd(piece.credit_at_stake()),
        exchange_rate: draft.exchange_rate.to_string(),
        amount: money(&piece.daily_amount(&draft.exchange_rate, &draft.policy), draft.currency),
        amount_rule: "RATE-12",
        estimate: piece.estimate,
        line: books::line_name(&key, draft.period),
        policy_revision,
        rules_version: RULES_VERSION,
    }
}

fn print(lines: &[DailyLine], passed: u64, out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["day", "resource", "product", "quantity", "amount", "credit", "line"]);
    for line in lines {
        let estimate = if line.estimate { " (estimate)" } else { "" };
        let credit =
            line.reason.map_or_else(|| line.outcome.to_owned(), |reason| format!("{}: {reason}", line.outcome));
        list.add_row([
            left(&line.day),
            left(short_scope(&line.resource)),
            left(format!("{}{estimate}", line.sku)),
            right(&line.quantity),
            right(short(&line.amount)),
            left(credit),
            left(&line.line),
        ]);
    }
    align_right(&mut list, &[3, 4]);
    out.table(list)?;
    let revisions: BTreeSet<u32> = lines.iter().map(|line| line.policy_revision).collect();
    let revisions: Vec<String> = revisions.iter().map(ToString::to_string).collect();
    out.line("")?;
    out.line(format!("Rules version {RULES_VERSION} · policy revision {}", revisions.join(", ")))?;
    if passed > lines.len() as u64 {
        let shown = lines.len();
        out.note(format!("{shown} of {} daily lines are shown; all with --json, or narrow down", thousands(passed)))?;
    }
    out.note("A month's line is cut once, so the amounts of its days do not add up to it; exact charges do (--json).")?;
    Ok(())
}
