//! What `pec` says about a scenario, as tables: days, lines, findings, issued documents.
//!
//! GUIDs and paths get the names back that the scenario uses. Amounts are exact; nothing here
//! judges or rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use domain::commerce::Placement;
use domain::entry::{LineKey, Offer, Portion};
use domain::facts::Facts;
use domain::finding::{About, Finding};
use domain::invoice::{Draft, draft_with};
use domain::money::Exact;
use domain::pec::{AccessVerdict, Judge, Loss, PlaceId};
use domain::period::{Day, Instant, Interval};
use domain::rating::{Desk, Piece, Verdict, judged};
use domain::scope::Scope;

use super::orders;
use super::playing::in_memory;
use super::reading::Scenario;

/// Table name → what it says, columns aligned.
pub type Tables = BTreeMap<String, String>;

/// Everything a scenario prints, including what we would have said as of the days it asks for by
/// tables called `expect as of DAY`.
pub fn printed(scenario: &Scenario, facts: &Facts, asked: &Tables) -> anyhow::Result<Tables> {
    let mut printed = tables(scenario, facts)?;
    for name in asked.keys() {
        let Some(day) = name.strip_prefix("expect as of ").and_then(Day::parse) else { continue };
        let then = in_memory(scenario, Some(day.next().start()))?;
        let table = tables(scenario, &then)?.remove("expect").unwrap_or_default();
        printed.insert(name.clone(), table);
    }
    Ok(printed)
}

/// What is said about one resource, day and meter.
#[derive(Debug, Default)]
struct Row {
    quantity: Exact,
    list: Exact,
    credit: Exact,
    verdict: String,
}

/// Everything that is known now.
pub fn tables(scenario: &Scenario, facts: &Facts) -> anyhow::Result<Tables> {
    let commerce = facts.commerce.view();
    let desk = Desk::new(facts, &commerce);
    let mut judge = Judge::new(facts, &commerce);
    let orders = domain::order::Desk::new(facts, &commerce);
    let bill_to: BTreeSet<_> = commerce.plans().map(|plan| plan.bill_to).collect();
    let (mut days, mut lines, mut findings) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    let mut daily: Vec<Vec<String>> = Vec::new();
    let mut used = domain::order::Used::default();
    let policy = facts.policy.at(scenario.period.first_day());
    let rate = facts.prices.billing_per_pricing(scenario.period, scenario.currency, &policy);
    let rate = rate.map_or_else(Exact::one, |rate| rate.value);
    for partner in bill_to {
        let mut asked: BTreeSet<(domain::ids::Guid, domain::ids::Guid, Scope, Day)> = BTreeSet::new();
        let mut pieces: Vec<(Day, Scope, Exact, Exact)> = Vec::new();
        let mut currencies = desk.currencies(partner, scenario.period);
        if currencies.is_empty() {
            currencies.push(scenario.currency);
        }
        for currency in currencies {
            let (draft, found) =
                draft_with(&desk, partner, currency, scenario.period, &mut judged(&mut judge), &mut |piece| {
                    asked.insert((piece.plan, piece.subscription, piece.scope.clone(), piece.day));
                    if scenario.daily && currency == scenario.currency {
                        let amount = piece.daily_amount(&rate, &policy);
                        pieces.push((piece.day, piece.scope.clone(), piece.quantity.exact(), amount));
                    }
                    add(&mut days, piece);
                });
            findings.extend(found);
            lines.extend(line_rows(scenario, &draft));
        }
        daily.extend(daily_rows(scenario, pieces));
        findings.extend(domain::order::unprepared(&orders, partner, scenario.period));
        used.subscriptions.extend(asked.iter().map(|(_, subscription, ..)| *subscription));
        for (plan, subscription, scope, day) in asked {
            // Access decides nothing of what was sold under the classic offer; all else under a plan has one
            // verdict, whenever in the day it was.
            let mut of_plan = commerce.placements(subscription).iter().filter(|one| one.plan == plan);
            let classic = |one: &&Placement| one.offer == Offer::Legacy;
            let Some(placement) = of_plan.find(|one| !classic(one)) else { continue };
            let place = judge.place(subscription, placement, &scope);
            let verdict = judge.access(place, day);
            let why = match &verdict {
                AccessVerdict::Earned(_) => format!("{} {}", verdict.rule(), in_order(&mut judge, place, day)),
                AccessVerdict::Lost(loss) => format!("{} {}", verdict.rule(), open(loss, day)),
            };
            let same = |key: &&DayKey| key.0 == day && key.1 == plan && key.2 == scope;
            let keys: Vec<DayKey> = days.keys().filter(same).cloned().collect();
            for key in keys {
                let row: &mut Row = days.get_mut(&key).expect("taken from the table");
                if !matches!(key.5, Verdict::Never(_)) {
                    row.verdict = format!("{} {why}", row.verdict);
                }
            }
        }
    }
    findings.extend(judge.findings());
    used.plans = days.keys().map(|(_, plan, ..)| *plan).collect();
    findings.extend(domain::order::unaccepted(&orders, &used));
    let mut tables = Tables::new();
    tables.insert("expect".to_owned(), day_table(scenario, &days));
    tables.insert("expect_lines".to_owned(), aligned(LINE_COLUMNS, &lines));
    tables.insert("expect_daily".to_owned(), aligned(&["# day", "resource", "quantity", "amount"], &daily));
    tables.insert("expect_findings".to_owned(), finding_table(scenario, &findings));
    tables.insert("expect_issued".to_owned(), issued_table(scenario, facts));
    tables.insert("expect_orders".to_owned(), orders::judged(scenario, &orders));
    // What is held matters to a scenario of the channel alone; building all access is not free.
    if orders.channel.related().next().is_some() {
        let access = facts.access.view(&commerce, &orders.partners);
        let end = scenario.period.interval().to;
        tables.insert("expect_held".to_owned(), orders::holdings(scenario, &orders, &access, end));
    }
    tables.insert("expect_answers".to_owned(), orders::answered(scenario, &orders));
    tables.retain(|_, text| !text.is_empty());
    Ok(tables)
}

/// Daily lines, as the daily rated usage file has them.
fn daily_rows(scenario: &Scenario, mut pieces: Vec<(Day, Scope, Exact, Exact)>) -> Vec<Vec<String>> {
    pieces.sort();
    let row = |(day, scope, quantity, amount): (Day, Scope, Exact, Exact)| {
        let resource = scenario.names.shorten(scope.as_str());
        vec![day.to_string(), resource, quantity.to_string(), format!("{amount} {}", scenario.currency)]
    };
    pieces.into_iter().map(row).collect()
}

/// The grain of a verdict, but for the subscription, and the verdict: what was sold under the classic offer
/// has another one than what was used under the plan later that day.
type DayKey = (Day, domain::ids::Guid, Scope, domain::ids::MeterId, Portion, Verdict);

fn add(days: &mut BTreeMap<DayKey, Row>, piece: &Piece<'_>) {
    let key = (piece.day, piece.plan, piece.scope.clone(), piece.meter.clone(), piece.portion, piece.verdict);
    let row = days.entry(key).or_default();
    row.quantity += &piece.quantity.exact();
    row.list += &piece.list_charge();
    row.credit += &piece.credit_at_stake();
    row.verdict = match piece.verdict {
        Verdict::Earned => "earned".to_owned(),
        Verdict::Lost(_) => "lost".to_owned(),
        Verdict::Never(code) => format!("never {} {}", code.rule(), code.text()),
    };
}

/// The routes by which a day was earned, in the order in which they began to count that day.
fn in_order(judge: &mut Judge<'_>, place: PlaceId, day: Day) -> String {
    let tested = judge.tested(place, day);
    let mut first: BTreeMap<&str, Instant> = BTreeMap::new();
    for held in judge.timeline(place, &tested).held {
        if let Some(counts) = held.qualifies.iter().map(|span| span.from).min() {
            let known = first.entry(held.holding.route.text()).or_insert(counts);
            *known = counts.min(*known);
        }
    }
    let mut routes: Vec<(Instant, &str)> = first.into_iter().map(|(route, at)| (at, route)).collect();
    routes.sort_unstable();
    let mut text = String::new();
    let mut before = None;
    for (at, route) in routes {
        text.push_str(before.map_or("", |before| if before == at { " and " } else { " then " }));
        text.push_str(route);
        before = Some(at);
    }
    text
}

/// The reason of a lost day and what of it was open, as a person reads them.
fn open(loss: &Loss, day: Day) -> String {
    let open: Vec<String> = loss.open.iter().map(|interval| clock(interval, day)).collect();
    let open = match loss.in_turn() {
        true => "covered by several grants in turn only".to_owned(),
        false => format!("open {}", open.join(" and ")),
    };
    let mut text = format!("{}, {open}", loss.code);
    if loss.several {
        text.push_str(", several");
    }
    for other in &loss.also {
        write!(text, ", also {other}").expect("writing to a string cannot fail");
    }
    text
}

/// `12:00 to 24:00`; seconds where there are any.
fn clock(interval: &Interval, day: Day) -> String {
    let whole = |at: Instant| at.timestamp() % 60 == 0 && at.timestamp_subsec_nanos() == 0;
    let text = |at: Instant| match at {
        at if at == day.next().start() => "24:00".to_owned(),
        at if whole(at) => at.format("%H:%M").to_string(),
        at => at.format("%H:%M:%S%.f").to_string(),
    };
    format!("{} to {}", text(interval.from), text(interval.to))
}

fn day_table(scenario: &Scenario, days: &BTreeMap<DayKey, Row>) -> String {
    let row = |((day, plan, scope, meter, portion, _), row): (&DayKey, &Row)| {
        let names = &scenario.names;
        let part = match portion {
            Portion::PayAsYouGo => "",
            Portion::Reservation => " by reservation",
            Portion::SavingsPlan => " by savings plan",
            Portion::AzureCredit => " by Azure credit",
        };
        let cells = [
            day.to_string(),
            names.shorten(&plan.to_string()),
            names.shorten(scope.as_str()),
            names.shorten(&meter.to_string()) + part,
            row.quantity.to_string(),
            row.list.to_string(),
            row.credit.to_string(),
            row.verdict.clone(),
        ];
        cells.to_vec()
    };
    let rows: Vec<Vec<String>> = days.iter().map(row).collect();
    aligned(&["# day", "plan", "resource", "meter", "quantity", "list", "credit", "verdict and why"], &rows)
}

const LINE_COLUMNS: &[&str] =
    &["# plan", "reseller", "meter", "tier", "credit", "quantity", "price", "effective", "charge", "subtotal", "rule"];

/// The rate of a line's credit; where it has none, what else pays for it or what it charges.
fn paid_by(key: &LineKey) -> String {
    match (&key.charge, key.portion) {
        (Some(charge), _) => format!("{}:{}", charge.charge_type.text(), charge.order),
        (None, Portion::Reservation) => "reservation".to_owned(),
        (None, Portion::SavingsPlan) => "savings-plan".to_owned(),
        (None, Portion::AzureCredit) => "azure-credit".to_owned(),
        (None, Portion::PayAsYouGo) => key.credit_rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string()),
    }
}

fn line_rows(scenario: &Scenario, draft: &Draft) -> Vec<Vec<String>> {
    let names = &scenario.names;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in &draft.lines {
        rows.push(vec![
            names.shorten(&line.key.plan.to_string()),
            line.key.reseller.as_deref().unwrap_or("-").to_owned(),
            names.shorten(&line.key.meter.to_string()),
            line.key.tier.to_string(),
            paid_by(&line.key),
            line.quantity.to_string(),
            line.unit_price.to_string(),
            line.effective_unit_price.to_string(),
            line.charge.to_fixed(2),
            line.subtotal.to_fixed(2),
            line.rule.to_owned(),
        ]);
    }
    if !rows.is_empty() {
        let (total, rounding) = draft.total_and_rounding();
        let missing = draft.totals().missing();
        let minor = draft.currency.minor_unit();
        let tax = draft.tax().map_or_else(String::new, |tax| format!(", tax {}", tax.to_fixed(minor)));
        let partner = names.shorten(&draft.bill_to.to_string());
        rows.push(vec![format!(
            "total of {partner}: {} {}, rounding {rounding}{tax}, missing credit USD {missing}",
            total.to_fixed(minor),
            draft.currency
        )]);
    }
    rows
}

/// Issued documents, line by line, oldest first.
fn issued_table(scenario: &Scenario, facts: &Facts) -> String {
    let heads = ["# document", "month", "meter", "credit", "quantity", "charge", "subtotal", "rule", "days"];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for document in facts.issued.documents() {
        let kind = if document.amends.is_some() { "credit note" } else { "invoice" };
        let voided = if facts.issued.is_voided(&document.id) { ", void" } else { "" };
        for line in &document.lines {
            let days: Vec<String> = line.days.iter().map(Day::to_string).collect();
            rows.push(vec![
                format!("{kind} {}", document.period),
                line.period.to_string(),
                scenario.names.shorten(&line.key.meter.to_string()),
                paid_by(&line.key),
                line.quantity.to_string(),
                Exact::from(line.charge).to_fixed(2),
                Exact::from(line.subtotal).to_fixed(2),
                line.rule.to_string(),
                days.join(" "),
            ]);
        }
        let (total, currency) = (&document.total, document.currency);
        let tax = document.tax.map_or_else(String::new, |tax| format!(", tax {tax}"));
        let (total, rounding) = (Exact::from(*total).to_fixed(currency.minor_unit()), document.rounding);
        rows.push(vec![format!(
            "total of {kind} {}{voided}: {total} {currency}, rounding {rounding}{tax}",
            document.period
        )]);
    }
    aligned(&heads, &rows)
}

fn finding_table(scenario: &Scenario, findings: &BTreeSet<Finding>) -> String {
    let row = |finding: &Finding| {
        let blocks = if finding.blocking() { "blocks" } else { "-" };
        let day = finding.about.day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        let detail = scenario.names.shorten(&finding.detail);
        let detail = format!("{detail}{}", unsaid(scenario, &finding.about, &detail));
        vec![finding.code.to_string(), blocks.to_owned(), day, detail]
    };
    let rows: Vec<Vec<String>> = findings.iter().map(row).collect();
    aligned(&["# code", "blocks", "day", "detail"], &rows)
}

/// The meter and the subscription that a finding is about, as far as its detail does not name them:
/// ` (vm of sub-a)`.
fn unsaid(scenario: &Scenario, about: &About, detail: &str) -> String {
    let meter = about.meter.as_ref().map(|meter| scenario.names.shorten(&meter.to_string()));
    let subscription = about.subscription.map(|id| scenario.names.shorten(&id.to_string()));
    let said: BTreeSet<&str> = detail.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    let named: Vec<String> = meter.into_iter().chain(subscription).filter(|name| !said.contains(&**name)).collect();
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(" of ")) }
}

/// Rows under their heads, columns aligned; nothing when there are no rows.
pub(super) fn aligned(heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let full: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).filter(|row| row.len() == heads.len()).collect();
    let width = |column: usize| full.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut text = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
        let line = cells.collect::<Vec<String>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
