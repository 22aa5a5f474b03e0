//! `pec explain`: one resource and day, one invoice line, or one issued document, down to its
//! events, rules and arithmetic. What is absent explains itself.
//!
//! This file is about a day; `explain/line.rs` is about a line, `explain/document.rs` about a document. Every step names its rule, every
//! fact the entry of the journal that told it.

mod document;
mod line;

use std::collections::BTreeSet;

use clap::Args;
use domain::access::Access;
use domain::commerce::Placement;
use domain::facts::Facts;
use domain::ids::{Currency, Guid, Identity};
use domain::pec::{AccessVerdict, Holding, LostCode, Timeline};
use domain::period::{Day, Instant, Interval, Period};
use domain::rating::line_key;
use domain::scope::Scope;
use engine::books::{self, Books};
use engine::trace::{self, Cited, Wanted, WantedUsage};
use serde::Serialize;

use super::invoice::{FindingAnswer, Party, findings_answer, money, print_findings};
use super::select::{self, short_scope};
use super::start::fault;
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, left, right, table};

/// How many events are shown; the answer says how many there are.
const EVENTS_SHOWN: usize = 200;

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec explain vm-1 --day 2026-01-15\n  pec explain L-0123456789 --period 2026-01\n  pec explain 2026-01-EUR-11111111-aaaa-4aaa-8aaa-111111111111-1\n  pec explain rg-app/vm-1 --day 2026-01-15 --as-of 2026-01-20 --json"
)]
pub struct Explain {
    /// A line (L-…, as `pec invoice --lines` shows it), an issued document (its id, as `pec status` shows
    /// it), or a resource: its name or the end of its id
    what: String,
    /// The day, for a resource
    #[arg(long, value_parser = period::day)]
    day: Option<Day>,
    /// The month, for a line
    #[arg(long, value_parser = period::period, value_name = "MONTH")]
    period: Option<Period>,
    /// What was known then: an instant, or a date (its end, UTC)
    #[arg(long, value_parser = period::as_of, value_name = "WHEN")]
    as_of: Option<Instant>,
}

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

/// How access decided the part of a day under one plan.
#[derive(Serialize)]
struct AccessAnswer {
    bill_to: Party,
    customer: Party,
    plan: String,
    outcome: &'static str,
    reason: Option<&'static str>,
    rule: &'static str,
    meaning: String,
    several: bool,
    also: Vec<&'static str>,
    /// From the first tested instant to the last.
    tested: Option<Stretch>,
    /// Several where the subscription left its plan and came back.
    tested_parts: Vec<Stretch>,
    /// The rule by which that part of the day is tested.
    tested_by: &'static str,
    covered: Vec<Stretch>,
    open: Vec<Stretch>,
    grants: Vec<GrantAnswer>,
    /// What would restore it, worded for whoever can do it.
    remedy: Option<String>,
    /// The rule that chose the reason and words the request.
    chosen_by: Option<&'static str>,
}

#[derive(Serialize)]
struct Stretch {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct GrantAnswer {
    /// As Azure knows it: of a role assignment, a schedule or a delegation.
    id: String,
    /// The rules by which its life is known.
    rules: Vec<&'static str>,
    /// Where it may have been held and nobody can tell.
    unknown: Option<Stretch>,
    route: &'static str,
    principal: String,
    /// The group through which the principal holds it.
    group: Option<String>,
    role: String,
    scope: String,
    held: Option<Stretch>,
    counted: Vec<Stretch>,
    denied: Vec<Stretch>,
    flags: Vec<&'static str>,
    role_eligible: bool,
    organisation: Option<String>,
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

/// One step of arithmetic, exact, with the rule that asks for it.
#[derive(Serialize)]
pub(super) struct Step {
    pub(super) rule: &'static str,
    pub(super) what: &'static str,
    pub(super) how: String,
    pub(super) result: String,
}

#[derive(Serialize)]
pub(super) struct EventAnswer {
    entry: String,
    event: String,
    kind: &'static str,
    rule: Option<&'static str>,
    /// How many copies of one Azure record were put together, and the rule that joins them.
    copies: usize,
    joined_by: Option<&'static str>,
    recorded_at: String,
    from: String,
    says: String,
}

impl Explain {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        period::agree(self.period, self.day)?;
        super::with_facts(context, self.as_of, out, |facts, out| {
            let commerce = facts.commerce.view();
            let mut books = Books::new(facts, &commerce);
            match (self.what.starts_with("L-"), self.day) {
                (true, _) => line::explain(&self.what, self.period, self.as_of, &mut books, context, out),
                (false, None) if document::is_document(&self.what, facts) => {
                    document::explain(&self.what, self.as_of, &mut books, context, out)
                }
                (false, Some(day)) => self.day(day, facts, &mut books, context, out),
                (false, None) => Err(Problem::usage(format!("on which day shall {} be explained?", self.what))
                    .hint(format!(
                        "pec explain {} --day 2026-01-15; lines are named L-…, documents as pec status lists them",
                        self.what
                    ))
                    .into()),
            }
        })
    }

    fn day(
        &self,
        day: Day,
        facts: &Facts,
        books: &mut Books<'_>,
        context: &Context<'_>,
        out: &mut Output,
    ) -> anyhow::Result<Exit> {
        let (subscription, scope) = self.resolve(day.period(), books)?;
        let placements: Vec<Placement> = books
            .commerce
            .placements(subscription)
            .iter()
            .filter(|placement| !placement.interval.intersect(&day.interval()).is_empty())
            .cloned()
            .collect();
        // One verdict for all stretches under a plan.
        let first = |at: usize| {
            let mut under = books.commerce.stretches(subscription, &placements[at]);
            !under.any(|one| placements[..at].contains(one))
        };
        let once: Vec<Placement> =
            (0..placements.len()).filter(|at| first(*at)).map(|at| placements[at].clone()).collect();
        let placements = once;
        let mut cited: BTreeSet<Identity> = BTreeSet::new();
        let mut access = Vec::new();
        let mut charges = Vec::new();
        let mut findings = Vec::new();
        let mut seen: BTreeSet<Guid> = BTreeSet::new();
        let revision = facts.policy.at(day).revision;
        for placement in &placements {
            access.push(judged(books, subscription, placement, &scope, day, &mut cited));
            if seen.insert(placement.bill_to) {
                let (_, found) = books.draft(placement.bill_to, day.period(), &mut |piece| {
                    if *piece.scope == scope && piece.day == day && piece.subscription == subscription {
                        charges.push(charge(piece, revision));
                    }
                });
                findings.extend(found.into_iter().filter(|finding| {
                    finding.about.resource.as_ref().is_none_or(|resource| *resource == scope)
                        && finding.about.subscription.is_none_or(|id| id == subscription)
                        && finding.about.day.is_none_or(|on| on == day)
                }));
            }
        }
        let usage = WantedUsage { days: [(scope.clone(), [day].into())].into(), meter: None };
        let markets = placements.iter().filter_map(|placement| books.commerce.market(placement.customer));
        let sheets = markets.filter_map(|market| facts.prices.list(day.period(), market));
        cited.extend(sheets.map(|chosen| chosen.value.published_by));
        cited.extend(facts.policy.document_at(day).map(|(identity, _)| identity));
        let wanted = Wanted { identities: cited, usage: Some(usage), as_of: self.as_of };
        let (events, events_in_all) = trace::find(context.ledger.reader(), &wanted, EVENTS_SHOWN).map_err(fault)?;
        let answer = DayAnswer {
            schema: "pec.explain.v1",
            about: "day",
            day: day.to_string(),
            resource: scope.to_string(),
            rules_version: domain::policy::RULES_VERSION,
            policy_revision: revision,
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

    /// The one scope with usage in the month that is meant, or why there is none.
    fn resolve(&self, month: Period, books: &Books<'_>) -> anyhow::Result<(Guid, Scope)> {
        let mut in_month: BTreeSet<(Guid, Scope)> = BTreeSet::new();
        let mut ever: BTreeSet<Period> = BTreeSet::new();
        for consumption in books.facts.usage.consumption() {
            let scope = consumption.place.scope.clone();
            if !select::is_scope(&self.what, &scope) {
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
            (Some((_, first)), Some((_, second))) => {
                Err(Problem::refused(format!("several resources are called {}", self.what))
                    .hint(format!("write more of the id, for example {first} or {second}"))
                    .into())
            }
            (None, _) if books.periods().is_empty() => Err(super::invoice::nothing(books, month).into()),
            (None, _) if ever.is_empty() => {
                Err(Problem::refused(format!("no usage ever named a resource {}", self.what))
                    .hint(format!("pec eligibility --period {month} shows the resources of the month"))
                    .into())
            }
            (None, _) => {
                let months: Vec<String> = ever.iter().map(ToString::to_string).collect();
                Err(Problem::refused(format!("no usage of {} is known in {month}", self.what))
                    .hint(format!("there is usage of it in {}", months.join(", ")))
                    .into())
            }
        }
    }
}

fn judged(
    books: &mut Books<'_>,
    subscription: Guid,
    placement: &Placement,
    scope: &Scope,
    day: Day,
    cited: &mut BTreeSet<Identity>,
) -> AccessAnswer {
    let place = books.judge.place(subscription, placement, scope);
    let verdict = books.judge.access(place, day);
    let tested = books.judge.tested(place, day);
    let timeline = books.judge.timeline(place, &tested);
    cited.extend(books.judge.basis(place, day));
    for held in &timeline.held {
        cited.extend(held.holding.events.iter().copied());
    }
    let loss = verdict.lost();
    if let Some(loss) = loss {
        cited.extend(loss.events.iter().copied());
        cited.extend(loss.holdings.iter().flat_map(|holding| holding.events.iter().copied()));
    }
    let known = books.judge.grants();
    let grants = timeline.held.iter().map(|held| grant(&held.holding, Some(held), known));
    // What the reason rests on may lie before the day: a removal, for example.
    let before = loss.into_iter().flat_map(|loss| &loss.holdings);
    let before = before.filter(|holding| timeline.held.iter().all(|held| held.holding.grant != holding.grant));
    AccessAnswer {
        bill_to: Party { id: placement.bill_to.to_string(), name: books.partner_name(placement.bill_to) },
        customer: Party { id: placement.customer.to_string(), name: books.customer_name(placement.customer) },
        plan: placement.plan.to_string(),
        outcome: if verdict.is_earned() { "earned" } else { "lost" },
        reason: loss.map(|loss| loss.code.text()),
        rule: verdict.rule(),
        meaning: meaning(&verdict, !timeline.covered.is_empty()),
        several: loss.is_some_and(|loss| loss.several),
        also: loss.map(|loss| loss.also.iter().map(|code| code.text()).collect()).unwrap_or_default(),
        tested: stretch(Interval::new(tested[0].from, tested[tested.len() - 1].to)),
        tested_parts: stretches(&tested),
        tested_by: "PEC-10",
        covered: stretches(&timeline.covered),
        open: open(&verdict, &timeline),
        grants: grants.chain(before.map(|holding| grant(holding, None, known))).collect(),
        remedy: loss.map(domain::pec::Loss::request),
        chosen_by: loss.map(|_| "PEC-11"),
    }
}

/// What the verdict means where access counted for some of the day, or for none of it.
fn meaning(verdict: &AccessVerdict, in_part: bool) -> String {
    let meaning = match verdict.lost() {
        None => "Access that counts covered the whole tested part of the day.",
        Some(loss) if loss.code == LostCode::NeverGranted && in_part => {
            "Access of ours counted for a part of the day, neither when its tested part began nor when that ended."
        }
        Some(loss) => loss.meaning(),
    };
    meaning.to_owned()
}

fn open(verdict: &AccessVerdict, timeline: &Timeline) -> Vec<Stretch> {
    stretches(verdict.lost().map_or(&timeline.gaps, |loss| &loss.open))
}

fn stretch(interval: Interval) -> Option<Stretch> {
    (!interval.is_empty()).then(|| Stretch { from: period::instant(interval.from), to: period::instant(interval.to) })
}

fn stretches(intervals: &[Interval]) -> Vec<Stretch> {
    intervals.iter().filter_map(|interval| stretch(*interval)).collect()
}

fn grant(holding: &Holding, held: Option<&domain::pec::Held>, known: &Access) -> GrantAnswer {
    let grant = known.grant(holding.grant);
    GrantAnswer {
        id: grant.via.id().to_string(),
        rules: grant.rules(),
        unknown: grant.unknown.and_then(stretch),
        route: holding.route.text(),
        principal: holding.principal.to_string(),
        group: holding.member_of.map(|group| group.to_string()),
        role: holding.role_name(),
        scope: holding.scope.to_string(),
        held: stretch(holding.held),
        counted: held.map(|held| stretches(&held.qualifies)).unwrap_or_default(),
        denied: held.map(|held| stretches(&held.denied)).unwrap_or_default(),
        flags: held.map(|held| held.flags.iter().map(|code| code.text()).collect()).unwrap_or_default(),
        role_eligible: held.is_none_or(|held| held.role_eligible),
        organisation: holding.organisation.as_ref().map(ToString::to_string),
    }
}

fn charge(piece: &domain::rating::Piece<'_>, policy_revision: u32) -> Charge {
    let (outcome, reason) = engine::digest::verdict(piece.verdict);
    let usd = |amount: &domain::money::Exact| money(amount, Currency::USD);
    let (list, stake) = (piece.list_charge(), piece.credit_at_stake());
    let mut arithmetic = vec![Step {
        rule: "RATE-3",
        what: "list charge",
        how: format!("{} × {} at {}", piece.quantity, piece.band.row.unit, usd(&piece.unit_price())),
        result: usd(&list),
    }];
    if !matches!(piece.verdict, domain::rating::Verdict::Never(_)) {
        arithmetic.push(Step {
            rule: "RATE-7",
            what: if piece.credited { "credit earned" } else { "credit lost" },
            how: format!("{} × {}", usd(&list), piece.rate),
            result: usd(&stake),
        });
    }
    Charge {
        meter: piece.meter.to_string(),
        product: format!("{} / {}", piece.band.row.product_title, piece.band.row.sku_title),
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

pub(super) fn event_answer(cited: &Cited, facts: &Facts) -> EventAnswer {
    // Two bodies that agree are copies of one record, joined by ACC-9; others are a conflict.
    let bodies = facts.conflicts.digests(cited.identity).len();
    let open = facts.conflicts.open().any(|(identity, _)| identity == cited.identity);
    let joined = bodies > 1 && !open && cited.rule.is_some_and(|rule| rule.starts_with("ACC-"));
    EventAnswer {
        copies: if joined { bodies } else { 1 },
        joined_by: joined.then_some("ACC-9"),
        rule: cited.rule,
        entry: cited.at.to_string(),
        event: cited.identity.to_string(),
        kind: cited.kind,
        recorded_at: period::instant(cited.recorded_at),
        from: cited.from.clone(),
        says: cited.says.clone(),
    }
}

fn print(answer: &DayAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("{} on {}", short_scope(&answer.resource), answer.day))?;
    if answer.access.is_empty() {
        out.line("No plan is known to which its subscription belonged that day.")?;
    }
    for access in &answer.access {
        print_access(access, out)?;
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

fn print_access(access: &AccessAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
    let tested_by = access.tested_by;
    let verdict = match access.reason {
        Some(reason) => format!("lost: {reason} ({})", access.rule),
        None => format!("earned ({})", access.rule),
    };
    out.heading(&format!("Access for {}, billed for {}: {verdict}", access.bill_to.name, access.customer.name))?;
    out.line(&access.meaning)?;
    if access.several {
        out.line("No single repair would have earned the day; this is the first that applies.")?;
    }
    if !access.also.is_empty() {
        out.line(format!("Also earned if this alone were repaired: {}", access.also.join(", ")))?;
    }
    let list = |stretches: &[Stretch]| -> String { stretches.iter().map(clock).collect::<Vec<_>>().join(", ") };
    out.line(format!("  tested   {} ({tested_by})", list(&access.tested_parts)))?;
    if !access.covered.is_empty() {
        out.line(format!("  covered  {}", list(&access.covered)))?;
    }
    if !access.open.is_empty() {
        out.line(format!("  open     {}", list(&access.open)))?;
    }
    if !access.grants.is_empty() {
        out.line("")?;
        let mut grants = table(&["route", "role", "on", "held", "counted"]);
        for grant in &access.grants {
            let role = if grant.role_eligible { grant.role.clone() } else { format!("{} (not eligible)", grant.role) };
            let held = grant.held.as_ref().map_or_else(String::new, span);
            let doubt =
                grant.unknown.as_ref().map_or_else(String::new, |unknown| format!("\nunknown {}", span(unknown)));
            let held = format!("{held}{doubt}\n({})", grant.rules.join(", "));
            let mut counted = if grant.counted.is_empty() { "no".to_owned() } else { list(&grant.counted) };
            if !grant.denied.is_empty() {
                counted = format!("{counted}\ndenied {}", list(&grant.denied));
            }
            let whose = grant.organisation.as_deref().unwrap_or("unknown");
            let mut route = format!("{}\nof {whose}", grant.route);
            if !grant.flags.is_empty() {
                route = format!("{route}\n{}", grant.flags.join(" "));
            }
            grants.add_row([left(route), left(role), left(short_scope(&grant.scope)), left(held), left(counted)]);
        }
        out.table(grants)?;
    }
    if let Some(remedy) = &access.remedy {
        out.line("")?;
        out.line(format!("What would restore it ({}):", access.chosen_by.unwrap_or_default()))?;
        out.line(format!("  {remedy}"))?;
    }
    Ok(())
}

/// `06:00–24:00`: a stretch within one day; seconds where there are any.
fn clock(stretch: &Stretch) -> String {
    let time = |text: &str| until_minute(text).get(11..).unwrap_or(text).to_owned();
    let to = if stretch.to.get(11..19) == Some("00:00:00") { "24:00".to_owned() } else { time(&stretch.to) };
    format!("{}–{to}", time(&stretch.from))
}

/// An instant without the seconds and fractions that it does not have.
fn until_minute(text: &str) -> &str {
    let fraction = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    match text.get(16..) {
        Some(rest) if rest.starts_with(":00.000") || rest.starts_with(":00Z") => text.get(..16).unwrap_or(text),
        Some(_) if fraction.len() > 19 => fraction,
        Some(_) => text.get(..19).unwrap_or(text),
        None => text,
    }
}

/// From a date to a date; the ends of time are left out.
fn span(stretch: &Stretch) -> String {
    let minute = |text: &str| until_minute(text).replace('T', " ");
    let far = |text: &str| text.starts_with('-') || text.starts_with('+');
    match (far(&stretch.from), far(&stretch.to)) {
        (true, true) => "always".to_owned(),
        (true, false) => format!("until {}", minute(&stretch.to)),
        (false, true) => format!("since {}", minute(&stretch.from)),
        (false, false) => format!("{} to\n{}", minute(&stretch.from), minute(&stretch.to)),
    }
}

pub(super) fn print_steps(steps: &[Step], out: &mut Output) -> anyhow::Result<()> {
    let width = steps.iter().map(|step| step.what.len()).max().unwrap_or_default();
    for step in steps {
        out.line(format!("  {:width$}  {} = {}   ({})", step.what, step.how, step.result, step.rule))?;
    }
    Ok(())
}

/// How many events of usage people are shown; programs get all that are kept.
const USAGE_SHOWN: usize = 12;

pub(super) fn print_events(events: &[EventAnswer], in_all: usize, out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
    out.heading("Events behind it")?;
    if events.is_empty() {
        out.line("None is known.")?;
        return Ok(());
    }
    let (usage, others): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.kind.starts_with("usage"));
    let mut list = table(&["entry", "kind", "rule", "says"]);
    for event in others.into_iter().chain(usage.iter().copied().take(USAGE_SHOWN)) {
        let copies =
            if event.copies > 1 { format!(", {} copies joined by ACC-9", event.copies) } else { String::new() };
        let says = format!("{}\n({}{copies})", select::shortened(&event.says), event.from);
        list.add_row([right(&event.entry), left(event.kind), left(event.rule.unwrap_or("")), left(says)]);
    }
    align_right(&mut list, &[0]);
    out.table(list)?;
    let shown = events.len() - usage.len().saturating_sub(USAGE_SHOWN);
    if in_all > shown {
        out.note(format!(
            "{} more usage events; ids in full and up to {EVENTS_SHOWN} events with --json",
            in_all - shown
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_reads_like_a_clock_and_its_end_like_midnight() {
        let from = |from: &str, to: &str| Stretch { from: from.to_owned(), to: to.to_owned() };
        assert_eq!(clock(&from("2026-01-15T06:00:00.000Z", "2026-01-16T00:00:00.000Z")), "06:00–24:00");
        let short = from("2026-01-15T06:00:10.000Z", "2026-01-15T06:00:40.500Z");
        assert_eq!(clock(&short), "06:00:10–06:00:40.5", "a gap of seconds is seen");
        assert_eq!(span(&short), "2026-01-15 06:00:10 to\n2026-01-15 06:00:40.5");
        assert_eq!(span(&from("-262143-01-01T00:00:00.000Z", "2026-01-16T00:00:00.000Z")), "until 2026-01-16 00:00");
    }
}
