//! `pec access timeline`: one resource, every grant that reached it, day by day.
//!
//! A day's sign is `#` where the grant counted all day, `+` where it counted for a part, `-` where
//! it was held and did not count, `?` where nobody can tell. The last row is the day as a whole.

use std::collections::BTreeSet;

use clap::Args;
use domain::commerce::Placement;
use domain::ids::{Guid, Identity};
use domain::pec::Held;
use domain::period::{Day, Instant, Interval, gaps, union, without};
use domain::policy::RULES_VERSION;
use domain::scope::Scope;
use engine::books::Books;
use engine::trace::{self, Wanted};
use serde::Serialize;

use super::Stretch;
use crate::cli::explain::{EventAnswer, event_answer, print_events};
use crate::cli::invoice::{Party, revisions_in_words};
use crate::cli::select::{self, short_scope};
use crate::cli::start::fault;
use crate::cli::{Context, period, with_facts};
use crate::exit::{Exit, Problem};
use crate::output::{Output, left, table};

/// How many events are shown.
const EVENTS_SHOWN: usize = 200;
/// The longest stretch that is asked about at once, in days.
const DAYS_MAX: i32 = 366;

/// Who held what when at one resource, with the gaps and why a grant did not count
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec access timeline vm-1\n  pec access timeline rg-app/vm-1 --from 2026-01-10 --to 2026-01-20\n  pec access timeline vm-1 --json\n\nSigns: # counted all day   + a part of it   - held, did not count   ? unknown"
)]
pub(super) struct Timeline {
    /// Its name, the end of its id, or all of it
    resource: String,
    /// First day (default: the month of its newest usage)
    #[arg(long, value_parser = period::day, value_name = "DAY")]
    from: Option<Day>,
    /// Last day
    #[arg(long, value_parser = period::day, value_name = "DAY")]
    to: Option<Day>,
    /// What was known then: an instant, or a date (its end, UTC)
    #[arg(long, value_parser = period::as_of, value_name = "WHEN")]
    as_of: Option<Instant>,
}

/// `schemas/output/access-timeline.v1.json`.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    rules_version: u32,
    policy_revision: u32,
    policy_revisions: Vec<u32>,
    subscription: String,
    resource: String,
    from: String,
    to: String,
    known_since: Option<String>,
    parts: Vec<Part>,
    events: Vec<EventAnswer>,
    events_in_all: usize,
}

/// The part under one plan.
#[derive(Serialize)]
struct Part {
    bill_to: Party,
    customer: Party,
    plan: String,
    within: Stretch,
    grants: Vec<Row>,
    covered: Vec<Stretch>,
    gaps: Vec<Stretch>,
    #[serde(skip)]
    signs: String,
    #[serde(skip)]
    days: Vec<Day>,
}

#[derive(Serialize)]
struct Row {
    grant: String,
    route: &'static str,
    principal: String,
    organisation: Option<String>,
    ours: bool,
    role: String,
    role_eligible: bool,
    eligible_only: bool,
    scope: String,
    held: Option<Stretch>,
    /// Of a resource that moved: when it was in the grant's reach, within what is asked.
    there: Option<Stretch>,
    unknown: Option<Stretch>,
    counted: Vec<Stretch>,
    /// Codes of the conditions that it failed while it was held.
    lacks: Vec<&'static str>,
    condition: Option<String>,
    /// It counted as long as it was held.
    #[serde(skip)]
    whole: bool,
    #[serde(skip)]
    signs: String,
}

impl Timeline {
    pub(super) fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let now = context.ledger.clock().now().map_err(fault)?;
        let (mut answer, cited) = with_facts(context, self.as_of, out, |facts, _| {
            let commerce = facts.commerce.view();
            let mut books = Books::new(facts, &commerce);
            self.answer(&mut books, Day::of(now))
        })?;
        let wanted = Wanted { identities: cited, usage: None, as_of: self.as_of };
        let (events, in_all) = trace::find(context.ledger.reader(), &wanted, EVENTS_SHOWN).map_err(fault)?;
        {
            let facts = context.ledger.facts().map_err(fault)?;
            answer.events = events.iter().map(|cited| event_answer(cited, &facts)).collect();
        }
        answer.events_in_all = in_all;
        if context.json {
            out.json(&answer)?;
        } else {
            print(&answer, out)?;
        }
        Ok(Exit::Fine)
    }

    fn answer(&self, books: &mut Books<'_>, today: Day) -> anyhow::Result<(Answer, BTreeSet<Identity>)> {
        let (subscription, scope, newest) = select::resource(books, &self.resource)?;
        let month = newest.unwrap_or(today).period();
        let from = self.from.or(self.to).map_or_else(|| month.first_day(), |day| self.from.unwrap_or(day));
        let last = self.to.unwrap_or_else(|| from.period().next().first_day());
        let to = if self.to.is_some() { last.next() } else { last };
        if to <= from || to.0 - from.0 > DAYS_MAX {
            return Err(Problem::usage(format!("{from} to {last} is no stretch of 1 to {DAYS_MAX} days")).into());
        }
        let within = Interval::new(from.start(), to.start());
        let placements: Vec<Placement> = books
            .commerce
            .placements(subscription)
            .iter()
            .filter(|placement| !placement.interval.intersect(&within).is_empty())
            .cloned()
            .collect();
        let mut cited = BTreeSet::new();
        let mut known_since = None;
        let mut parts = Vec::new();
        for placement in &placements {
            let part = placement.interval.intersect(&within);
            let place = books.judge.place(subscription, placement, &scope);
            let mut timeline = books.judge.timeline(place, &[part]);
            let gone = books.judge.gone(place, Day::of(part.from));
            let moved = gone.is_some();
            let used = days_used(books, subscription, &scope);
            leave_out(&mut timeline, &gone.into_iter().flatten().map(|gone| unused(gone, &used)).collect::<Vec<_>>());
            known_since = timeline.known_since;
            cited.extend(timeline.held.iter().flat_map(|held| held.holding.events.iter().copied()));
            parts.push(part_of(books, placement, (part, moved), &timeline));
        }
        let answer = Answer {
            schema: "pec.access-timeline.v1",
            rules_version: RULES_VERSION,
            policy_revision: books.facts.policy.at(from).revision,
            policy_revisions: books.facts.policy.revisions(from.period(), (from.0..to.0).map(Day)),
            subscription: subscription.to_string(),
            resource: scope.to_string(),
            from: from.to_string(),
            to: Day(to.0 - 1).to_string(),
            known_since: known_since.map(period::instant),
            parts,
            events: Vec::new(),
            events_in_all: 0,
        };
        Ok((answer, cited))
    }
}

/// The days on which a resource was used under this id.
fn days_used(books: &Books<'_>, subscription: Guid, scope: &Scope) -> BTreeSet<Day> {
    let own = books.facts.usage.consumption();
    let own = own.filter(|one| one.place.subscription == subscription && one.place.scope == *scope);
    own.flat_map(|one| one.slices().map(|(start, ..)| Day::of(start)).collect::<Vec<_>>()).collect()
}

/// A stretch of days elsewhere as far as no usage shows that something of this id was here.
fn unused(gone: Interval, used: &BTreeSet<Day>) -> Interval {
    let within = |day: &&Day| gone.contains(day.start());
    if gone.from == Instant::MIN_UTC {
        let last = used.iter().rev().find(within);
        return Interval::new(last.map_or(gone.from, |day| day.next().start()), gone.to);
    }
    Interval::new(gone.from, used.iter().find(within).map_or(gone.to, |day| day.start()))
}

/// Takes days out on which the resource was elsewhere: nothing of them is shown here.
fn leave_out(line: &mut domain::pec::Timeline, gone: &[Interval]) {
    let rest = |span: Interval| without(&[span], gone).into_iter().next();
    for held in &mut line.held {
        held.held = held.held.and_then(rest);
        held.unknown = held.unknown.and_then(rest);
        held.qualifies = without(&held.qualifies, gone);
    }
    line.held.retain(|held| held.held.is_some() || held.unknown.is_some());
    line.covered = without(&line.covered, gone);
    line.gaps = without(&line.gaps, gone);
}

fn part_of(
    books: &Books<'_>,
    placement: &Placement,
    (within, moved): (Interval, bool),
    line: &domain::pec::Timeline,
) -> Part {
    let days: Vec<Day> = (Day::of(within.from).0..).map(Day).take_while(|day| day.start() < within.to).collect();
    let unknown: Vec<Interval> = line.held.iter().filter_map(|held| held.unknown).collect();
    let whole = days.iter().map(|day| {
        let tested = day.interval().intersect(&within);
        sign(tested, &[], &line.covered, &unknown).unwrap_or('.')
    });
    let grant = |held: &Held| {
        let there = held.held.filter(|_| moved).map(Stretch::new);
        Row { there, ..row(held, &days, within) }
    };
    Part {
        bill_to: Party { id: placement.bill_to.to_string(), name: books.partner_name(placement.bill_to) },
        customer: Party { id: placement.customer.to_string(), name: books.customer_name(placement.customer) },
        plan: placement.plan.to_string(),
        within: Stretch::new(within),
        grants: line.held.iter().map(grant).collect(),
        covered: Stretch::all(&line.covered),
        gaps: Stretch::all(&line.gaps),
        signs: whole.collect(),
        days,
    }
}

fn row(held: &Held, days: &[Day], within: Interval) -> Row {
    let own: Vec<Interval> = held.held.into_iter().collect();
    let unknown: Vec<Interval> = held.unknown.into_iter().collect();
    let signs = days.iter().map(|day| {
        let tested = day.interval().intersect(&within);
        sign(tested, &own, &held.qualifies, &unknown).unwrap_or(' ')
    });
    Row {
        grant: held.holding.via.id().to_string(),
        route: held.holding.route.text(),
        principal: held.holding.principal.to_string(),
        organisation: held.holding.whose(),
        ours: held.ours,
        role: held.holding.role_name(),
        role_eligible: held.role_eligible,
        eligible_only: held.eligible_only,
        scope: held.holding.scope.to_string(),
        held: held.held.map(|_| Stretch::new(held.holding.held)),
        there: None,
        whole: held.held.is_some_and(|own| gaps(own, &held.qualifies).is_empty()),
        unknown: held.unknown.map(Stretch::new),
        counted: Stretch::all(&held.qualifies),
        lacks: held.lacks.iter().map(|code| code.text()).collect(),
        condition: held.condition.as_ref().map(ToString::to_string),
        signs: signs.collect(),
    }
}

/// The one sign of a tested stretch.
fn sign(tested: Interval, held: &[Interval], counted: &[Interval], unknown: &[Interval]) -> Option<char> {
    let touches = |spans: &[Interval]| spans.iter().any(|span| !span.intersect(&tested).is_empty());
    if gaps(tested, &union(counted.to_vec())).is_empty() {
        return Some('#');
    }
    if touches(counted) {
        return Some('+');
    }
    if touches(unknown) {
        return Some('?');
    }
    touches(held).then_some('-')
}

fn print(answer: &Answer, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("{}, {} to {}", short_scope(&answer.resource), answer.from, answer.to))?;
    if let Some(known) = &answer.known_since {
        out.line(format!("Access there is known since {}.", known.get(..16).unwrap_or(known).replace('T', " ")))?;
    }
    if answer.parts.is_empty() {
        out.line("No plan is known to which its subscription belonged then.")?;
    }
    for part in &answer.parts {
        out.line("")?;
        out.heading(&format!("For {}, billed for {}", part.bill_to.name, part.customer.name))?;
        print_part(part, out)?;
    }
    print_events(&answer.events, answer.events_in_all, out)?;
    out.line("")?;
    out.line(format!("Rules version {} · {}", answer.rules_version, revisions_in_words(&answer.policy_revisions)))?;
    Ok(())
}

fn print_part(part: &Part, out: &mut Output) -> anyhow::Result<()> {
    if part.grants.is_empty() {
        out.line("No grant of anybody reached it then.")?;
        return Ok(());
    }
    print_days(part, out)?;
    out.line("")?;
    let mut list = table(&["", "grant", "held", "did it count?"]);
    for (number, row) in part.grants.iter().enumerate() {
        let what = format!(
            "{}: {}\n{} on {}",
            row.route,
            row.organisation.as_deref().unwrap_or("nobody known"),
            row.role,
            short_scope(&row.scope)
        );
        let held = row.held.as_ref().map_or_else(String::new, Stretch::text);
        let there = row.there.as_ref().map_or_else(String::new, |there| format!("in reach {}", there.text()));
        let unknown = row.unknown.as_ref().map_or_else(String::new, |unknown| format!("unknown {}", unknown.text()));
        let held = [held, there, unknown].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        list.add_row([left(number + 1), left(what), left(held), left(counts(row))]);
    }
    out.table(list)?;
    out.line("")?;
    for (number, row) in part.grants.iter().enumerate() {
        out.line(format!("Grant {} is {}", number + 1, row.grant))?;
    }
    if !part.gaps.is_empty() {
        out.line("")?;
        out.line("Nothing counted:")?;
        for gap in part.gaps.iter().take(12) {
            out.line(format!("  {}", gap.text()))?;
        }
        if part.gaps.len() > 12 {
            out.note(format!("{} more gaps with --json", part.gaps.len() - 12))?;
        }
    }
    Ok(())
}

/// In words: whether it counted, and what it lacked.
fn counts(row: &Row) -> String {
    let verdict = match (row.counted.is_empty(), row.whole) {
        (true, _) => "no",
        (false, true) => return "yes".to_owned(),
        (false, false) => "in part",
    };
    let whose = if row.ours { "" } else { "\nnot ours" };
    let lacks: String = row.lacks.iter().map(|code| format!("\n{code}")).collect();
    format!("{verdict}{whose}{lacks}")
}

/// Days as signs, a row a grant, at most a month a line.
fn print_days(part: &Part, out: &mut Output) -> anyhow::Result<()> {
    let months: BTreeSet<domain::period::Period> = part.days.iter().map(|day| day.period()).collect();
    for month in months {
        let picked: Vec<usize> =
            part.days.iter().enumerate().filter(|(_, day)| day.period() == month).map(|(index, _)| index).collect();
        let number = |index: &usize| part.days.get(*index).map_or(0, |day| day.0 - month.first_day().0 + 1);
        let tens: String = picked.iter().map(|index| digit(number(index) / 10, true)).collect();
        let ones: String = picked.iter().map(|index| digit(number(index) % 10, false)).collect();
        out.heading(format!("{:10} {tens}", month.to_string()).trim_end())?;
        out.heading(&format!("{:10} {ones}", "grant"))?;
        let pick = |signs: &str| -> String {
            let signs: Vec<char> = signs.chars().collect();
            picked.iter().map(|index| signs.get(*index).copied().unwrap_or(' ')).collect()
        };
        for (number, row) in part.grants.iter().enumerate() {
            out.line(format!("{:10} {}", number + 1, pick(&row.signs)).trim_end())?;
        }
        out.line(format!("{:10} {}", "the day", pick(&part.signs)).trim_end())?;
    }
    out.line("# counted all day   + a part of it   - held, did not count   ? unknown   . none")?;
    Ok(())
}

fn digit(number: i32, tens: bool) -> char {
    let digit = u32::try_from(number).ok().and_then(|number| char::from_digit(number, 10)).unwrap_or(' ');
    if tens && digit == '0' { ' ' } else { digit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_shows_that_something_was_here_after_all() {
        let day = |text: &str| Day::parse(text).unwrap();
        let at = |text: &str| day(text).start();
        let used = BTreeSet::from([day("2026-01-05"), day("2026-01-20")]);
        let before = Interval::new(Instant::MIN_UTC, at("2026-01-10"));
        let after = Interval::new(at("2026-01-10"), Instant::MAX_UTC);
        assert_eq!(unused(before, &used), Interval::new(at("2026-01-06"), at("2026-01-10")));
        assert_eq!(unused(after, &used), Interval::new(at("2026-01-10"), at("2026-01-20")));
        assert_eq!(unused(after, &BTreeSet::new()), after);
    }

    #[test]
    fn a_day_has_the_sign_of_what_counted() {
        let day = Day::parse("2026-01-15").unwrap();
        let whole = day.interval();
        let half = Interval::new(whole.from, whole.from + chrono::TimeDelta::hours(12));
        assert_eq!(sign(whole, &[whole], &[whole], &[]), Some('#'));
        assert_eq!(sign(whole, &[whole], &[half], &[]), Some('+'));
        assert_eq!(sign(whole, &[whole], &[], &[]), Some('-'));
        assert_eq!(sign(whole, &[], &[], &[half]), Some('?'));
        assert_eq!(sign(whole, &[], &[], &[]), None);
    }
}
