//! One resource on one day: how access decided it, what its usage comes to, and the entries behind both.

use std::collections::BTreeSet;

use domain::commerce::Placement;
use domain::entry::Portion;
use domain::finding::Finding;
use domain::ids::{Guid, Identity};
use domain::period::{Day, Instant, Period};
use domain::rating::{Piece, Verdict, line_key};
use domain::scope::Scope;
use engine::books::{self, Books};
use engine::trace::{self, Wanted, WantedUsage};
use serde::Serialize;

use super::access::{self, AccessAnswer};
use super::beside::{self, Grants};
use super::steps::{self, usd};
use super::{EVENTS_SHOWN, EventAnswer, Step, event_answer, line, print_events, print_steps};
use crate::cli::Context;
use crate::cli::invoice::{FindingAnswer, findings_answer, nothing, print_findings};
use crate::cli::select::{self, short_scope};
use crate::cli::start::fault;
use crate::exit::{Exit, Problem};
use crate::output::Output;

/// The shape `day` of `schemas/output/explain.v1.json`.
#[derive(Serialize)]
struct DayAnswer {
    schema: &'static str,
    about: &'static str,
    day: String,
    resource: String,
    rules_version: u32,
    policy_revision: u32,
    access: Vec<AccessAnswer>,
    charges: Vec<Charge>,
    findings: Vec<FindingAnswer>,
    events: Vec<EventAnswer>,
    events_in_all: usize,
}

#[derive(Serialize)]
struct Charge {
    meter: String,
    product: String,
    tier: u32,
    outcome: &'static str,
    reason: Option<&'static str>,
    rule: &'static str,
    arithmetic: Vec<Step>,
    line: String,
    policy_revision: u32,
    rules_version: u32,
}

pub(super) fn explain(
    (what, day): (&str, Day),
    as_of: Option<Instant>,
    books: &mut Books<'_>,
    context: &Context<'_>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let facts = books.facts;
    let (subscription, scope) = resolve(what, day.period(), books)?;
    let placements = placements(subscription, day, books);
    let mut cited: BTreeSet<Identity> = BTreeSet::new();
    let judged =
        placements.iter().map(|placement| access::judged(books, subscription, placement, &scope, day, &mut cited));
    let access: Vec<AccessAnswer> = judged.collect();
    let mut grants = Grants::new();
    let (charges, findings) = charged(subscription, &placements, &scope, day, books, &mut grants);
    cited.extend(beside::granted(facts, &grants));
    for placement in &placements {
        let here = |on: Day, at: &Scope| on == day && *at == scope;
        cited.extend(beside::covering(facts, placement.plan, None, &here));
    }
    let usage = WantedUsage { days: [(scope.clone(), [day].into())].into(), meter: None };
    let markets = placements.iter().filter_map(|placement| books.commerce.market(placement.customer));
    let sheets = markets.filter_map(|market| facts.prices.list(day.period(), market));
    cited.extend(sheets.map(|chosen| chosen.value.published_by));
    cited.extend(facts.policy.document_at(day).map(|(identity, _)| identity));
    let wanted = Wanted { identities: cited, usage: Some(usage), as_of };
    let (events, events_in_all) = trace::find(context.ledger.reader(), &wanted, EVENTS_SHOWN).map_err(fault)?;
    let answer = DayAnswer {
        schema: "pec.explain.v1",
        about: "day",
        day: day.to_string(),
        resource: scope.to_string(),
        rules_version: domain::policy::RULES_VERSION,
        policy_revision: facts.policy.at(day).revision,
        access,
        charges,
        findings: findings_answer(&findings, day.period()),
        events: events.iter().map(|cited| event_answer(cited, facts)).collect(),
        events_in_all,
    };
    if context.json {
        out.json(&answer)?
    } else {
        print(&answer, out)?
    }
    Ok(Exit::Fine)
}

/// The plans that a subscription stood under on a day: one for all stretches under each, because they
/// share one verdict.
fn placements(subscription: Guid, day: Day, books: &Books<'_>) -> Vec<Placement> {
    let all = books.commerce.placements(subscription).iter();
    let that_day: Vec<&Placement> =
        all.filter(|placement| !placement.interval.intersect(&day.interval()).is_empty()).collect();
    let is_first = |at: usize| {
        let mut under = books.commerce.stretches(subscription, that_day[at]);
        !under.any(|one| that_day[..at].contains(&one))
    };
    (0..that_day.len()).filter(|at| is_first(*at)).map(|at| that_day[at].clone()).collect()
}

/// What the day's usage comes to under each partner that it is billed to, and what does not add up.
fn charged(
    subscription: Guid,
    placements: &[Placement],
    scope: &Scope,
    day: Day,
    books: &mut Books<'_>,
    grants: &mut Grants,
) -> (Vec<Charge>, Vec<Finding>) {
    let revision = books.facts.policy.at(day).revision;
    let (mut charges, mut findings) = (Vec::new(), Vec::new());
    let mut asked: BTreeSet<Guid> = BTreeSet::new();
    let partners = placements.iter().map(|placement| placement.bill_to);
    for bill_to in partners.filter(|bill_to| asked.insert(*bill_to)) {
        let (_, found) = books.draft(bill_to, day.period(), &mut |piece| {
            if *piece.scope == *scope && piece.day == day && piece.subscription == subscription {
                beside::note(piece, grants);
                charges.push(charge(piece, revision));
            }
        });
        findings.extend(found.into_iter().filter(|finding| {
            finding.about.resource.as_ref().is_none_or(|resource| *resource == *scope)
                && finding.about.subscription.is_none_or(|id| id == subscription)
                && finding.about.day.is_none_or(|on| on == day)
        }));
    }
    (charges, findings)
}

/// The one scope with usage in the month that is meant, or why there is none.
fn resolve(what: &str, month: Period, books: &Books<'_>) -> anyhow::Result<(Guid, Scope)> {
    let mut in_month: BTreeSet<(Guid, Scope)> = BTreeSet::new();
    let mut ever: BTreeSet<Period> = BTreeSet::new();
    for consumption in books.facts.usage.consumption() {
        let scope = consumption.place.scope.clone();
        if !select::is_scope(what, &scope) {
            continue;
        }
        for (start, _, _) in consumption.slices() {
            ever.insert(Day::of(start).period());
            if Day::of(start).period() == month {
                in_month.insert((consumption.place.subscription, scope.clone()));
            }
        }
    }
    let mut found = in_month.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some((_, first)), Some((_, second))) => Err(Problem::refused(format!("several resources are called {what}"))
            .hint(format!("write more of the id, for example {first} or {second}"))
            .into()),
        (None, _) if books.periods().is_empty() => Err(nothing(books, month).into()),
        (None, _) if ever.is_empty() => Err(Problem::refused(format!("no usage ever named a resource {what}"))
            .hint(format!("pec eligibility --period {month} shows the resources of the month"))
            .into()),
        (None, _) => {
            let months: Vec<String> = ever.iter().map(ToString::to_string).collect();
            Err(Problem::refused(format!("no usage of {what} is known in {month}"))
                .hint(format!("there is usage of it in {}", months.join(", ")))
                .into())
        }
    }
}

fn charge(piece: &Piece<'_>, policy_revision: u32) -> Charge {
    let (outcome, reason) = engine::digest::verdict(piece.verdict);
    let (list, stake) = (piece.list_charge(), piece.credit_at_stake());
    let mut arithmetic = vec![list_charge(piece)];
    if let Some(grant) = piece.grant {
        arithmetic.push(Step {
            rule: "RATE-11",
            what: "paid by credit",
            how: format!("grant {} pays at list price", grant.grant),
            result: usd(&list),
        });
    }
    if !matches!(piece.verdict, Verdict::Never(_)) {
        arithmetic.push(Step {
            rule: "RATE-7",
            what: if piece.credited { "credit earned" } else { "credit lost" },
            how: format!("{} × {}", usd(&list), piece.rate),
            result: usd(&stake),
        });
    }
    Charge {
        meter: piece.meter.to_string(),
        product: line::product(&piece.band.row.product_title, &piece.band.row.sku_title),
        tier: piece.band.tier,
        outcome,
        reason: (!reason.is_empty()).then_some(reason),
        rule: piece.verdict.rule(),
        arithmetic,
        line: books::line_name(&line_key(piece), piece.day.period()),
        policy_revision,
        rules_version: domain::policy::RULES_VERSION,
    }
}

/// RATE-3; RATE-10 where the units are covered and nothing is charged. What Azure credit split by money is
/// more or less than quantity × price below the 15th decimal of a unit, and printed.
fn list_charge(piece: &Piece<'_>) -> Step {
    let (quantity, unit) = (piece.quantity, &piece.band.row.unit);
    let covered = match piece.portion {
        Portion::Reservation => Some("a reservation"),
        Portion::SavingsPlan => Some("a savings plan"),
        Portion::PayAsYouGo | Portion::AzureCredit => None,
    };
    let (rule, how) = match covered {
        Some(by) => ("RATE-10", format!("{quantity} × {unit} covered by {by}, nothing is charged")),
        None => {
            let split = piece.split.as_ref().map_or_else(String::new, steps::plus);
            ("RATE-3", format!("{quantity} × {unit} at {}{split}", usd(&piece.unit_price())))
        }
    };
    Step { rule, what: "list charge", how, result: usd(&piece.list_charge()) }
}

fn print(answer: &DayAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("{} on {}", short_scope(&answer.resource), answer.day))?;
    if answer.access.is_empty() {
        out.line("No plan is known to which its subscription belonged that day.")?;
    }
    for access in &answer.access {
        access::print(access, out)?;
    }
    out.line("")?;
    out.heading("Money")?;
    if answer.charges.is_empty() {
        out.line(format!("No usage that could be priced is known on {}.", answer.day))?;
    }
    for charge in &answer.charges {
        let reason = charge.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        out.line(format!("{} — {}{reason} ({})", charge.product, charge.outcome, charge.rule))?;
        print_steps(&charge.arithmetic, out)?;
        out.line(format!("  into line {}", charge.line))?;
    }
    print_findings(&answer.findings, out)?;
    print_events(&answer.events, answer.events_in_all, out)?;
    out.line("")?;
    out.line(format!("Rules version {} · policy revision {}", answer.rules_version, answer.policy_revision))?;
    Ok(())
}
