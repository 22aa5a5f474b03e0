//! `pec access report`: access that security asks for and credit does not see. Just-in-time grants
//! never count, timed ones stop counting silently; both are named with the credit that went with
//! them, and what is about to end with what it would cost a day.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use domain::access::{GrantId, Via};
use domain::ids::{Currency, Guid};
use domain::money::Exact;
use domain::period::{Day, Instant, Interval, Period};
use domain::policy::RULES_VERSION;
use domain::rating::Verdict;
use domain::roles;
use domain::scope::Scope;
use engine::books::Books;
use engine::burn;
use engine::suppose::standings;
use serde::Serialize;

use super::Stretch;
use crate::cli::invoice::{cents, money};
use crate::cli::select::{self, short_scope};
use crate::cli::start::fault;
use crate::cli::{Context, period};
use crate::exit::Exit;
use crate::output::{Output, align_right, left, right, table};

/// Just-in-time, timed and soon-ending grants of ours, with the credit they cost
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec access report\n  pec access report --period 2026-01 --within 14\n  pec access report --partner Contoso --json\n\nPrivileged Identity Management is good practice, and earns no credit while nobody is\nactive: keep a standing grant for an agents group beside it where the customer agrees."
)]
pub(super) struct Report {
    /// The month whose lost credit is shown (default: the newest with usage)
    #[arg(long, value_parser = period::period, value_name = "MONTH")]
    period: Option<Period>,
    /// How many days ahead an end is soon
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    within: u16,
    /// Bill-to partner, by name or tenant
    #[arg(long)]
    partner: Option<String>,
    /// One customer, by name or tenant
    #[arg(long)]
    customer: Option<String>,
}

/// `schemas/output/access-report.v1.json`.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    rules_version: u32,
    policy_revision: u32,
    period: Option<String>,
    until: String,
    grants: Vec<Row>,
}

#[derive(Serialize, Clone)]
struct Row {
    /// `eligible-only`, `timed` or `ends-soon`.
    kind: &'static str,
    grant: String,
    customer: Option<String>,
    principal: String,
    role: String,
    scope: String,
    held: Stretch,
    /// Days of resources in the month that were lost with this grant among the causes. A day that
    /// several grants explain counts for each of them.
    days_lost: u64,
    lost: String,
    /// For what ends soon: credit a day of what nothing else covers then.
    credit_per_day: Option<String>,
    #[serde(skip)]
    exact: (Exact, Option<Exact>),
}

impl Report {
    pub(super) fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let now = context.ledger.clock().now().map_err(fault)?;
        let facts = context.ledger.facts().map_err(fault)?;
        let commerce = facts.commerce.view();
        let mut books = Books::new(&facts, &commerce);
        let partners = select::partners(&books, self.partner.as_deref())?;
        let customer = select::customer(&books, self.customer.as_deref())?;
        let month = self.period.or_else(|| books.periods().into_iter().next_back());
        let until = now + chrono::TimeDelta::days(i64::from(self.within));
        let mut lost: BTreeMap<GrantId, (u64, Exact)> = BTreeMap::new();
        if let Some(month) = month {
            for bill_to in &partners {
                attribute(&mut books, *bill_to, month, &mut lost);
            }
        }
        let ending = ending(&mut books, Interval::new(now, until), now);
        let mut grants = Vec::new();
        for (id, grant) in books.judge.grants().grants() {
            let soon = ending.get(&id);
            let (days_lost, amount) = lost.get(&id).cloned().unwrap_or_default();
            let kind = match (soon, grant.eligible_only, grant.via) {
                (Some(_), ..) => "ends-soon",
                (None, true, _) => "eligible-only",
                (None, false, Via::Schedule(_)) if grant.held.to != Instant::MAX_UTC => "timed",
                (None, false, _) => continue,
            };
            let customers = customers(&books, &grant.scope);
            if customer.is_some_and(|customer| !customers.contains(&customer)) {
                continue;
            }
            grants.push(Row {
                kind,
                grant: grant.via.id().to_string(),
                customer: customers.first().map(|customer| books.customer_name(*customer)),
                principal: grant.principal.to_string(),
                role: roles::name(grant.role),
                scope: grant.scope.to_string(),
                held: Stretch::new(grant.held),
                days_lost,
                lost: money(&amount, Currency::USD),
                credit_per_day: soon.map(|cost| money(cost, Currency::USD)),
                exact: (amount, soon.cloned()),
            });
        }
        grants.sort_by(|a, b| {
            (b.exact.1.is_some(), &b.exact.1, &b.exact.0, &a.grant).cmp(&(
                a.exact.1.is_some(),
                &a.exact.1,
                &a.exact.0,
                &b.grant,
            ))
        });
        let answer = Answer {
            schema: "pec.access-report.v1",
            rules_version: RULES_VERSION,
            policy_revision: facts.policy.at(Day::of(now)).revision,
            period: month.map(|month| month.to_string()),
            until: Day::of(until).to_string(),
            grants,
        };
        if context.json {
            out.json(&answer)?;
        } else {
            print(&answer, self.within, out)?;
        }
        Ok(Exit::Fine)
    }
}

/// Lost credit of a month, by the grants that the reason names: just-in-time ones, and timed ones
/// whose time was over.
fn attribute(books: &mut Books<'_>, bill_to: Guid, month: Period, lost: &mut BTreeMap<GrantId, (u64, Exact)>) {
    let mut missing: BTreeMap<(Guid, Scope, Day), Exact> = BTreeMap::new();
    books.draft(bill_to, month, &mut |piece| {
        if matches!(piece.verdict, Verdict::Lost(_)) {
            let key = (piece.subscription, piece.scope.clone(), piece.day);
            *missing.entry(key).or_default() += &piece.credit_at_stake();
        }
    });
    for ((subscription, scope, day), amount) in missing {
        let Some(placement) =
            books.commerce.placement_of(subscription, (day.start(), day.next().start()), None).cloned()
        else {
            continue;
        };
        let place = books.judge.place(subscription, &placement, &scope);
        let verdict = books.judge.access(place, day);
        let holdings = verdict.lost().into_iter().flat_map(|loss| &loss.holdings);
        let behind: BTreeSet<GrantId> = holdings.map(|holding| holding.grant).collect();
        for id in behind {
            let grant = books.judge.grants().grant(id);
            let timed = matches!(grant.via, Via::Schedule(_)) && grant.held.to <= day.next().start();
            if grant.eligible_only || timed {
                let row = lost.entry(id).or_default();
                row.0 += 1;
                row.1 += &amount;
            }
        }
    }
}

/// Grants that count and whose known end lies in a stretch of time ahead, with what the first whole
/// day after it would lose because of it.
fn ending(books: &mut Books<'_>, ahead: Interval, now: Instant) -> BTreeMap<GrantId, Exact> {
    let soon: Vec<(GrantId, Instant)> = books
        .judge
        .grants()
        .grants()
        .filter(|(_, grant)| !grant.eligible_only && grant.held.contains(now) && ahead.contains(grant.held.to))
        .map(|(id, grant)| (id, grant.held.to))
        .collect();
    if soon.is_empty() {
        return BTreeMap::new();
    }
    let burns = burn::burns(books, Day::of(now));
    let mut costs: BTreeMap<GrantId, Exact> = BTreeMap::new();
    for (id, end) in soon {
        let scope = books.judge.grants().grant(id).scope.clone();
        let below = burns.iter().filter(|((_, resource), _)| scope.contains(resource));
        let below: BTreeMap<_, _> = below.collect();
        let stands = standings(books, below.keys().copied(), Day::of(end).next());
        let last = Interval::new(end - chrono::TimeDelta::nanoseconds(1), end);
        let mut cost = Exact::zero();
        for (place, standing) in stands {
            let Some(burn) = below.get(&place).filter(|_| standing.verdict.lost().is_some()) else { continue };
            if counted(books, &place, id, last) {
                cost += &burn.per_day();
            }
        }
        costs.insert(id, cost);
    }
    costs
}

/// Whether a grant counts at a place within a stretch of time.
fn counted(books: &mut Books<'_>, (subscription, scope): &burn::Place, grant: GrantId, within: Interval) -> bool {
    let Some(placement) = books.commerce.placement_of(*subscription, (within.from, within.to), None).cloned() else {
        return false;
    };
    let place = books.judge.place(*subscription, &placement, scope);
    let timeline = books.judge.timeline(place, &[within]);
    timeline.held.iter().any(|held| held.holding.grant == grant && !held.qualifies.is_empty())
}

/// The customers of the subscription that a scope lies in.
fn customers(books: &Books<'_>, scope: &Scope) -> Vec<Guid> {
    let placements = scope.subscription().map(|subscription| books.commerce.placements(subscription));
    let customers = placements.into_iter().flatten().map(|placement| placement.customer);
    let mut customers: Vec<Guid> = customers.collect();
    customers.dedup();
    customers
}

fn print(answer: &Answer, within: u16, out: &mut Output) -> anyhow::Result<()> {
    let month = answer.period.as_deref().unwrap_or("any month");
    out.heading(&format!("Just-in-time, timed and soon-ending access; credit lost in {month}"))?;
    if answer.grants.is_empty() {
        out.line("All access that is known is permanent: nothing is just-in-time, timed or about to end.")?;
        return Ok(());
    }
    let mut list = table(&["kind", "who, as what, where", "held", "lost", "a day then"]);
    for row in &answer.grants {
        let customer = row.customer.as_deref().unwrap_or("");
        let who = format!(
            "{customer}\n{}… as {}\non {}",
            row.principal.get(..8).unwrap_or(&row.principal),
            row.role,
            short_scope(&row.scope)
        );
        let lost = if row.exact.0.is_zero() {
            "none".to_owned()
        } else {
            let days = if row.days_lost == 1 { "resource-day" } else { "resource-days" };
            format!("{}\n{} {days}", cents(&row.exact.0, Currency::USD), row.days_lost)
        };
        let ahead = row.exact.1.as_ref().map_or_else(String::new, |cost| cents(cost, Currency::USD));
        list.add_row([left(row.kind), left(who.trim()), left(row.held.text()), right(lost), right(ahead)]);
    }
    align_right(&mut list, &[3, 4]);
    out.table(list)?;
    out.line("")?;
    out.line("eligible-only: just-in-time, never counts (PEC-6).  timed: counts until its end.")?;
    out.line(format!(
        "ends-soon: its known end lies within {within} days; \"a day then\" is what nothing else covers."
    ))?;
    out.line("A day that several grants explain is shown with each of them: do not add them up.")?;
    out.line(format!("Rules version {} · policy revision {}", answer.rules_version, answer.policy_revision))?;
    out.note("One resource in full: pec access timeline RESOURCE")?;
    Ok(())
}
