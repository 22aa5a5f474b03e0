//! `pec conflicts`: one event told in two ways. The list, the bodies side by side, the decision.

use clap::{Args, Subcommand};
use domain::entry::{ConflictDecided, Decision, Event};
use domain::ids::{Digest, Identity};
use engine::decision::Name;
use serde::Serialize;

use super::start::fault;
use super::{Context, Versions, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, left, right, table};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec conflicts list\n  pec conflicts show 0123456789abcdef0123456789abcdef\n  pec conflicts decide 0123456789abcdef0123456789abcdef --keep 9f3c --reason 'the meter was mended'"
)]
pub struct Conflicts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Every conflict, open ones first
    #[command(after_help = "Examples:\n  pec conflicts list\n  pec conflicts list --json")]
    List,
    /// All bodies of one conflict
    #[command(after_help = "Examples:\n  pec conflicts show 0123456789abcdef0123456789abcdef")]
    Show {
        #[arg(value_parser = period::identity, value_name = "EVENT")]
        event: Identity,
    },
    /// Say which body counts from now on
    #[command(
        after_help = "Examples:\n  pec conflicts decide 0123456789abcdef0123456789abcdef --keep 9f3c --reason 'the meter was mended'"
    )]
    Decide {
        #[arg(value_parser = period::identity, value_name = "EVENT")]
        event: Identity,
        /// Digest of the body to keep, or enough of its beginning
        #[arg(long)]
        keep: String,
        /// Why; stands in the journal
        #[arg(long)]
        reason: String,
    },
}

/// One line of `schemas/output/conflicts.v1.json`.
#[derive(Serialize)]
struct Row {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    event: String,
    open: bool,
    kind: String,
    bodies: Vec<BodyRow>,
}

#[derive(Serialize)]
struct BodyRow {
    digest: String,
    counts: bool,
    entry: String,
    says: String,
}

impl Conflicts {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        match &self.action {
            Action::List => list(context, out),
            Action::Show { event } => show(*event, context, out),
            Action::Decide { event, keep, reason } => decide(*event, keep, reason, context, out),
        }
    }
}

fn rows(context: &Context<'_>) -> anyhow::Result<Vec<Row>> {
    let facts = context.ledger.facts().map_err(fault)?;
    let versions = Versions::of(&facts);
    let mut rows: Vec<Row> = facts
        .conflicts
        .iter()
        .map(|(identity, drawer)| {
            let effective = drawer.effective().map(|(digest, _)| digest);
            let bodies = drawer.bodies().map(|(digest, body)| BodyRow {
                digest: digest.to_string(),
                counts: Some(digest) == effective,
                entry: body.at.to_string(),
                says: engine::describe::event(&body.event),
            });
            let kind = drawer.bodies().next().map_or("", |(_, body)| engine::describe::kind(&body.event));
            Row {
                schema: "pec.conflicts.v1",
                versions,
                event: identity.to_string(),
                open: drawer.is_open(),
                kind: kind.to_owned(),
                bodies: bodies.collect(),
            }
        })
        .collect();
    rows.sort_by_key(|row| !row.open);
    Ok(rows)
}

fn list(context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let rows = rows(context)?;
    if context.json {
        for row in &rows {
            out.ndjson(row)?;
        }
        return Ok(Exit::Fine);
    }
    if rows.is_empty() {
        out.line("No event was told in two different ways; nothing is to be decided.")?;
        return Ok(Exit::Fine);
    }
    let mut list = table(&["event", "kind", "bodies", "state"]);
    for row in &rows {
        let state = if row.open { "open" } else { "decided" };
        list.add_row([left(&row.event), left(&row.kind), right(row.bodies.len()), left(state)]);
    }
    out.table(list)?;
    if let Some(open) = rows.iter().find(|row| row.open) {
        out.note(format!(
            "Until decided, the body with the smallest digest counts, and closing waits.\nLook at one: pec conflicts show {}",
            open.event
        ))?;
    }
    Ok(Exit::Fine)
}

fn unknown(event: Identity) -> Problem {
    Problem::refused(format!("event {event} is in no conflict")).hint("pec conflicts list shows those that are")
}

fn show(event: Identity, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let name = event.to_string();
    let row = rows(context)?.into_iter().find(|row| row.event == name).ok_or_else(|| unknown(event))?;
    if context.json {
        out.json(&row)?;
        return Ok(Exit::Fine);
    }
    let state = if row.open { "open" } else { "decided" };
    out.heading(&format!("{} {} ({state})", row.kind, row.event))?;
    for body in &row.bodies {
        out.line("")?;
        let counts = if body.counts { "  (counts now)" } else { "" };
        out.line(format!("entry {}{counts}", body.entry))?;
        out.line(format!("  digest {}", body.digest))?;
        out.line(format!("  {}", body.says))?;
    }
    if row.open {
        out.note(format!("\nDecide: pec conflicts decide {name} --keep DIGEST --reason '…'"))?;
    }
    Ok(Exit::Fine)
}

fn decide(event: Identity, keep: &str, reason: &str, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let (known, versions) = {
        let facts = context.ledger.facts().map_err(fault)?;
        (facts.conflicts.digests(event), Versions::of(&facts))
    };
    if known.is_empty() {
        return Err(unknown(event).into());
    }
    let keep = pick(&known, keep)?;
    let at = context.ledger.clock().now().map_err(fault)?;
    let decision = Decision { actor: context.actor.as_str().into(), reason: reason.into(), at };
    let name = Name::new(format!("conflict-decided/{event}/{}", period::instant(at)));
    let decided = ConflictDecided { identity: event, keep, known, decision };
    context.ledger.decide(&[(name, Event::ConflictDecided(decided))]).map_err(fault)?;
    if context.json {
        let (event, keep) = (event.to_string(), keep.to_string());
        out.json(&Decided { schema: "pec.conflict-decided.v1", versions, event, keep })?;
        return Ok(Exit::Fine);
    }
    out.line(format!("Decided: of event {event} the body {keep} counts."))?;
    out.note("What it changes: pec check --period MONTH")?;
    Ok(Exit::Fine)
}

/// `schemas/output/conflict-decided.v1.json`.
#[derive(Serialize)]
struct Decided {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    event: String,
    keep: String,
}

/// The one known digest that begins as asked.
fn pick(known: &[Digest], keep: &str) -> Result<Digest, Problem> {
    let keep = keep.to_ascii_lowercase();
    let found: Vec<Digest> = known.iter().copied().filter(|digest| digest.to_string().starts_with(&keep)).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Problem::refused(format!("no body of this event has a digest that begins with {keep}"))
            .hint("pec conflicts show lists them")),
        _ => Err(Problem::refused(format!("{keep} fits more than one body")).hint("write more digits of the digest")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_picked_by_the_beginning_of_its_digest_if_that_names_only_one() {
        let known = [Digest([0xab; 32]), Digest([0xac; 32])];
        assert_eq!(pick(&known, "AB").unwrap(), known[0]);
        assert!(pick(&known, "a").unwrap_err().what.contains("more than one"));
        assert!(pick(&known, "9").unwrap_err().what.contains("no body"));
    }
}
