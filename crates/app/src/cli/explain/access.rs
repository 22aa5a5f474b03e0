//! How access decided the part of a day under one plan: what was tested, which grants there were, what
//! was left open.

use std::collections::BTreeSet;

use domain::access::{Access, Whereabouts};
use domain::commerce::Placement;
use domain::ids::{Guid, Identity};
use domain::pec::{AccessVerdict, Holding, LostCode, Timeline};
use domain::period::{Day, Interval};
use domain::scope::Scope;
use engine::books::Books;
use serde::Serialize;

use crate::cli::invoice::Party;
use crate::cli::period;
use crate::cli::select::short_scope;
use crate::output::{Output, left, table};

/// How access decided the part of a day under one plan.
#[derive(Serialize)]
pub(super) struct AccessAnswer {
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
    /// That one, and those that had a say in it: something was created or deleted.
    tested_rules: Vec<&'static str>,
    /// Where the resource was, as far as that decided what could reach it.
    whereabouts: Vec<WhereaboutsAnswer>,
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

/// It lived at, stood below, was created at or was gone with a place.
#[derive(Serialize)]
struct WhereaboutsAnswer {
    what: &'static str,
    place: String,
    when: Option<Stretch>,
    rules: &'static [&'static str],
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

pub(super) fn judged(
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
    cited.extend(books.judge.basis(place, scope, day));
    for held in &timeline.held {
        cited.extend(held.holding.events.iter().copied());
    }
    let loss = verdict.lost();
    if let Some(loss) = loss {
        cited.extend(loss.events.iter().copied());
        cited.extend(loss.holdings.iter().flat_map(|holding| holding.events.iter().copied()));
    }
    let known = books.judge.grants();
    let whereabouts = known.whereabouts(scope, day.interval());
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
        tested_rules: tested_rules(&whereabouts),
        whereabouts: whereabouts.iter().map(whereabouts_answer).collect(),
        covered: stretches(&timeline.covered),
        open: open(&verdict, &timeline),
        grants: grants.chain(before.map(|holding| grant(holding, None, known))).collect(),
        remedy: loss.map(domain::pec::Loss::request),
        chosen_by: loss.map(|_| "PEC-11"),
    }
}

/// PEC-10 says which part of a day is tested; where something was created or deleted that day, PEC-15 says
/// whether that changes it.
fn tested_rules(whereabouts: &[Whereabouts]) -> Vec<&'static str> {
    let limited = whereabouts.iter().any(|row| row.what.limits());
    ["PEC-10"].into_iter().chain(limited.then_some("PEC-15")).collect()
}

fn whereabouts_answer(row: &Whereabouts) -> WhereaboutsAnswer {
    WhereaboutsAnswer {
        what: row.what.text(),
        place: row.place.to_string(),
        when: stretch(row.interval),
        rules: row.what.rules(),
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
        organisation: holding.whose(),
    }
}

pub(super) fn print(access: &AccessAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
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
    for row in &access.whereabouts {
        let when = row.when.as_ref().map_or_else(String::new, |when| span(when).replace('\n', " "));
        out.line(format!("  {:<8} {} {when} ({})", row.what, place(row), row.rules.join(", ")))?;
    }
    out.line(format!("  tested   {} ({})", clocks(&access.tested_parts), access.tested_rules.join(", ")))?;
    if !access.covered.is_empty() {
        out.line(format!("  covered  {}", clocks(&access.covered)))?;
    }
    if !access.open.is_empty() {
        out.line(format!("  open     {}", clocks(&access.open)))?;
    }
    if !access.grants.is_empty() {
        print_grants(&access.grants, out)?;
    }
    if let Some(remedy) = &access.remedy {
        out.line("")?;
        out.line(format!("What would restore it ({}):", access.chosen_by.unwrap_or_default()))?;
        out.line(format!("  {remedy}"))?;
    }
    Ok(())
}

fn print_grants(all: &[GrantAnswer], out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
    let mut grants = table(&["route", "role", "on", "held", "counted"]);
    for grant in all {
        let role = if grant.role_eligible { grant.role.clone() } else { format!("{} (not eligible)", grant.role) };
        let held = grant.held.as_ref().map_or_else(String::new, span);
        let doubt = grant.unknown.as_ref().map_or_else(String::new, |unknown| format!("\nunknown {}", span(unknown)));
        let held = format!("{held}{doubt}\n({})", grant.rules.join(", "));
        let mut counted = if grant.counted.is_empty() { "no".to_owned() } else { clocks(&grant.counted) };
        if !grant.denied.is_empty() {
            counted = format!("{counted}\ndenied {}", clocks(&grant.denied));
        }
        let whose = grant.organisation.as_deref().unwrap_or("unknown");
        let mut route = format!("{}\nof {whose}", grant.route);
        if !grant.flags.is_empty() {
            route = format!("{route}\n{}", grant.flags.join(" "));
        }
        grants.add_row([left(route), left(role), left(short_scope(&grant.scope)), left(held), left(counted)]);
    }
    out.table(grants)?;
    Ok(())
}

/// Stretches within one day.
fn clocks(stretches: &[Stretch]) -> String {
    stretches.iter().map(clock).collect::<Vec<_>>().join(", ")
}

/// A place as people call it; a management group by its own name.
fn place(row: &WhereaboutsAnswer) -> String {
    match row.place.strip_prefix("/providers/microsoft.management/managementgroups/") {
        Some(name) => format!("management group {name}"),
        None => short_scope(&row.place),
    }
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
