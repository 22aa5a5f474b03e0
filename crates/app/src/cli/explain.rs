//! `pec explain`: one resource and day, one invoice line, or one issued document, down to its
//! events, rules and arithmetic. What is absent explains itself.
//!
//! `explain/day.rs` is about a day, with `explain/access.rs` for the access that decided it; `explain/line.rs` is
//! about a line, `explain/document.rs` about a document. Here is what they share: every step names its rule,
//! every fact the entry of the journal that told it.

mod access;
mod beside;
mod booked;
mod day;
mod document;
mod issued;
mod line;
mod steps;

use clap::Args;
use domain::facts::Facts;
use domain::period::{Day, Instant, Period};
use engine::books::Books;
use engine::trace::Cited;
use serde::Serialize;

use super::{Context, period, select};
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
        period::agree(self.period, self.day)?;
        super::with_facts(context, self.as_of, out, |facts, out| {
            let commerce = facts.commerce.view();
            let mut books = Books::new(facts, &commerce);
            match (self.what.starts_with("L-"), self.day) {
                (true, _) => line::explain(&self.what, self.period, self.as_of, &mut books, context, out),
                (false, None) if document::is_document(&self.what, facts) => {
                    document::explain(&self.what, self.as_of, &mut books, context, out)
                }
                (false, Some(day)) => day::explain((&self.what, day), self.as_of, &mut books, context, out),
                (false, None) => Err(Problem::usage(format!("on which day shall {} be explained?", self.what))
                    .hint(format!(
                        "pec explain {} --day 2026-01-15; lines are named L-…, documents as pec status lists them",
                        self.what
                    ))
                    .into()),
            }
        })
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
