//! `pec access report`: access of ours that security asks for and credit does not see. Just-in-time
//! grants never count, timed ones stop counting silently, be it a schedule or a membership; both are
//! named with the credit that went with them, and what is about to end with what it would cost a day.
//! Listed is what runs in the month or cost credit in it, and what runs now or begins later.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use domain::access::{Grant, GrantId, Via};
use domain::commerce::Placement;
use domain::ids::{Currency, Guid, Identity};
use domain::money::Exact;
use domain::pec::LostCode;
use domain::period::{Day, Instant, Interval, Period};
use domain::policy::RULES_VERSION;
use domain::rating::Verdict;
use domain::roles;
use domain::scope::Scope;
use engine::books::Books;
use engine::burn;
use engine::suppose::standings;
use engine::trace;
use journal::Reader;
use serde::Serialize;

use super::Stretch;
use super::ours::{Ours, Share};
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
    /// The group that the role was given to, where the principal holds it as a member.
    member_of: Option<String>,
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
        let mut costs = Costs::new();
        for (bill_to, month) in partners.iter().flat_map(|bill_to| month.map(|month| (*bill_to, month))) {
            attribute(&mut books, (bill_to, customer), month, &mut costs);
        }
        let ahead = Interval::new(now, until);
        let then =
            |when: &Interval| when.to > now || month.is_some_and(|month| !when.intersect(&month.interval()).is_empty());
        let mut ours = Ours::new(&books, &partners, customer);
        let asked = of_interest(&books, ahead).into_iter().map(|id| (id, ours.share(&mut books, id)));
        let matters = |(id, share): &(GrantId, Share)| share.when.iter().any(then) || costs.contains_key(id);
        let listed: Vec<(GrantId, Share)> = asked.filter(matters).collect();
        let ending = ending(&mut books, listed.iter().map(|(id, _)| *id), ahead);
        let timed = timed(&books, context.ledger.reader(), listed.iter().map(|(id, _)| *id))?;
        let mut grants = Vec::new();
        for (id, share) in &listed {
            let kind = match (ending.get(id), books.judge.grants().grant(*id).eligible_only) {
                (Some(_), _) => "ends-soon",
                (None, true) => "eligible-only",
                (None, false) if timed.contains(id) => "timed",
                (None, false) => continue,
            };
            grants.push(row(&books, (*id, kind), share, costs.get(id), ending.get(id)));
        }
        grants.sort_by(|a, b| b.exact.1.cmp(&a.exact.1).then(b.exact.0.cmp(&a.exact.0)).then(a.grant.cmp(&b.grant)));
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

/// What was lost with a grant among the causes.
#[derive(Default)]
struct Cost {
    customers: BTreeSet<Guid>,
    /// Days of resources.
    days: BTreeSet<(Guid, Scope, Day)>,
    credit: Exact,
}

type Costs = BTreeMap<GrantId, Cost>;

fn row(
    books: &Books<'_>,
    (id, kind): (GrantId, &'static str),
    share: &Share,
    cost: Option<&Cost>,
    soon: Option<&Exact>,
) -> Row {
    let grant = books.judge.grants().grant(id);
    let lost = cost.map(|cost| cost.credit.clone()).unwrap_or_default();
    let mut customers = share.customers.iter().chain(cost.into_iter().flat_map(|cost| &cost.customers));
    Row {
        kind,
        grant: grant.via.id().to_string(),
        customer: customers.next().map(|customer| books.customer_name(*customer)),
        principal: grant.principal.to_string(),
        member_of: grant.member_of.map(|group| group.to_string()),
        role: roles::name(grant.role),
        scope: grant.scope.to_string(),
        held: Stretch::new(grant.held),
        days_lost: cost.map_or(0, |cost| cost.days.len() as u64),
        lost: money(&lost, Currency::USD),
        credit_per_day: soon.map(|cost| money(cost, Currency::USD)),
        exact: (lost, soon.cloned()),
    }
}

/// Just-in-time grants, those that end within a stretch of time ahead, and those that may be timed: a
/// schedule, and a membership, which may have been removed instead.
fn of_interest(books: &Books<'_>, ahead: Interval) -> Vec<GrantId> {
    let grants = books.judge.grants().grants();
    let of_interest = |grant: &Grant| grant.eligible_only || ends_within(grant, ahead) || may_be_timed(grant);
    grants.filter(|(_, grant)| of_interest(grant)).map(|(id, _)| id).collect()
}

fn may_be_timed(grant: &Grant) -> bool {
    let scheduled = match grant.via {
        Via::Schedule(_) => true,
        Via::Assignment(_) | Via::Delegation { .. } => grant.member_of.is_some(),
    };
    scheduled && grant.held.to != Instant::MAX_UTC
}

fn ends_within(grant: &Grant, ahead: Interval) -> bool {
    !grant.eligible_only && grant.held.contains(ahead.from) && ahead.contains(grant.held.to)
}

/// Which grants are for a stated time: schedules, and memberships that end when the event which told them
/// said so. Whether a membership was removed instead only its events can tell.
fn timed(books: &Books<'_>, reader: &Reader, ids: impl Iterator<Item = GrantId>) -> anyhow::Result<BTreeSet<GrantId>> {
    let grant = |id: &GrantId| books.judge.grants().grant(*id);
    let (mut timed, may_be): (BTreeSet<GrantId>, BTreeSet<GrantId>) =
        ids.filter(|id| may_be_timed(grant(id))).partition(|id| matches!(grant(id).via, Via::Schedule(_)));
    let events: BTreeSet<Identity> = may_be.iter().flat_map(|id| grant(id).events.iter().copied()).collect();
    let stated = trace::stated_ends(reader, &events).map_err(fault)?;
    timed.extend(may_be.into_iter().filter(|id| {
        let mut events = grant(id).events.iter();
        events.any(|event| stated.contains(&(*event, grant(id).held.to)))
    }));
    Ok(timed)
}

/// Lost credit of a month, by the grants that the reason names: just-in-time ones, and those whose time was
/// over. A day on which a subscription changed plans is asked about under each. What is lost to another
/// partner's access rests on grants that are not ours.
fn attribute(books: &mut Books<'_>, (bill_to, customer): (Guid, Option<Guid>), month: Period, costs: &mut Costs) {
    let mut missing: BTreeMap<(Guid, (Guid, Scope, Day)), Exact> = BTreeMap::new();
    books.draft(bill_to, month, &mut |piece| {
        let lost = matches!(piece.verdict, Verdict::Lost(code) if code != LostCode::OtherPartner);
        if lost && customer.is_none_or(|customer| customer == piece.customer) {
            let key = (piece.plan, (piece.subscription, piece.scope.clone(), piece.day));
            *missing.entry(key).or_default() += &piece.credit_at_stake();
        }
    });
    for ((plan, lost), amount) in missing {
        let (subscription, scope, day) = &lost;
        let Some(placement) = placement(books, *subscription, plan, *day) else { continue };
        let place = books.judge.place(*subscription, &placement, scope);
        let verdict = books.judge.access(place, *day);
        let holdings = verdict.lost().into_iter().flat_map(|loss| &loss.holdings);
        let behind: BTreeSet<GrantId> = holdings.map(|holding| holding.grant).collect();
        for id in behind {
            let grant = books.judge.grants().grant(id);
            if grant.eligible_only || may_be_timed(grant) && grant.held.to <= day.next().start() {
                let cost = costs.entry(id).or_default();
                cost.customers.insert(placement.customer);
                cost.days.insert(lost.clone());
                cost.credit += &amount;
            }
        }
    }
}

/// Where a subscription stood under a plan on a day; on another day, where its usage was placed by the time
/// at which it was reported.
fn placement(books: &Books<'_>, subscription: Guid, plan: Guid, day: Day) -> Option<Placement> {
    let under = || books.commerce.placements(subscription).iter().filter(|placement| placement.plan == plan);
    let then = under().find(|placement| !placement.interval.intersect(&day.interval()).is_empty());
    then.or_else(|| under().next()).cloned()
}

/// Of these grants, those that count and whose known end lies in a stretch of time ahead, with what the first
/// whole day after it would lose because of it.
fn ending(books: &mut Books<'_>, ids: impl Iterator<Item = GrantId>, ahead: Interval) -> BTreeMap<GrantId, Exact> {
    let grants = books.judge.grants();
    let soon = ids.filter(|id| ends_within(grants.grant(*id), ahead));
    let soon: Vec<(GrantId, Instant)> = soon.map(|id| (id, grants.grant(id).held.to)).collect();
    if soon.is_empty() {
        return BTreeMap::new();
    }
    let burns = burn::burns(books, Day::of(ahead.from));
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

fn print(answer: &Answer, within: u16, out: &mut Output) -> anyhow::Result<()> {
    let month = answer.period.as_deref().unwrap_or("any month");
    out.heading(&format!("Just-in-time, timed and soon-ending access; credit lost in {month}"))?;
    if answer.grants.is_empty() {
        out.line("No access of ours is just-in-time, timed or about to end: all that is known is permanent.")?;
        return Ok(());
    }
    let mut list = table(&["kind", "who, as what, where", "held", "lost", "a day then"]);
    for row in &answer.grants {
        let customer = row.customer.as_deref().unwrap_or("");
        let short = |id: &str| format!("{}…", id.get(..8).unwrap_or(id));
        let group = row.member_of.as_ref().map_or_else(String::new, |group| format!("\nin group {}", short(group)));
        let who =
            format!("{customer}\n{} as {}{group}\non {}", short(&row.principal), row.role, short_scope(&row.scope));
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
