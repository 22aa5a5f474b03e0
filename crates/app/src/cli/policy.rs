//! `pec policy`: the choices that Microsoft never states, as dated data. What is in force, what a
//! document would change in money before it is published, and publishing it.
//!
//! A document is read by the decoder that reads every event, so that what passes here passes there.

mod effect;

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, Subcommand};
use domain::entry::{Event, PolicyDocument, Stream};
use domain::facts::Facts;
use domain::period::Day;
use domain::policy::{Policy, RULES_VERSION, field};
use effect::{EffectAnswer, effect, print_effect};
use engine::adopt::{self, Fit};
use serde::Serialize;

use super::start::fault;
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, left, table};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec policy show\n  pec policy diff 0 new.json\n  pec policy check new.json\n  pec policy publish new.json --reason 'agreed with finance'"
)]
pub struct Policies {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// What is in force on a day, field by field, with the rule that each field turns
    #[command(
        after_help = "Examples:\n  pec policy show\n  pec policy show --day 2026-01-15 --json\n  pec policy show --document"
    )]
    Show {
        /// Default: today
        #[arg(long, value_parser = period::day)]
        day: Option<Day>,
        /// A whole document with the next revision, to edit and publish
        #[arg(long, conflicts_with = "json")]
        document: bool,
    },
    /// What two policies say differently
    #[command(after_help = "Examples:\n  pec policy diff 0 new.json\n  pec policy diff default 1")]
    Diff {
        /// A revision, a file, or `default`
        old: String,
        /// A revision, a file, or `default` (default: what is in force today)
        new: Option<String>,
    },
    /// What is wrong with a document, and what it would change in money, before it is published
    #[command(after_help = "Examples:\n  pec policy check new.json\n  pec policy check new.json --json")]
    Check {
        /// A JSON document as `pec policy show --document` prints it
        file: std::path::PathBuf,
    },
    /// Write a document into the journal, as a decision of whoever publishes it
    #[command(after_help = "Examples:\n  pec policy publish new.json --actor ann --reason 'agreed with finance'")]
    Publish {
        /// A JSON document as `pec policy show --document` prints it
        file: std::path::PathBuf,
        /// Why; stands in the journal with the document
        #[arg(long)]
        reason: String,
    },
}

impl Policies {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        match &self.action {
            Action::Show { day, document } => show(*day, *document, context, out),
            Action::Diff { old, new } => diff(old, new.as_deref(), context, out),
            Action::Check { file } => check(file, context, out),
            Action::Publish { file, reason } => publish(file, reason, context, out),
        }
    }
}

fn today(context: &Context<'_>) -> anyhow::Result<Day> {
    Ok(Day::of(context.ledger.clock().now().map_err(fault)?))
}

/// Reads a document the way an event's data is read; every problem is named at once.
pub(super) fn read(context: &Context<'_>, file: &Path) -> anyhow::Result<PolicyDocument> {
    let path = context.path(file);
    let text =
        std::fs::read_to_string(&path).map_err(|error| Problem::unreadable("the policy document", file, &error))?;
    let hint = "pec policy show --document prints a document to start from; pec schema policy-document its schema";
    let data: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Problem::usage(format!("{} is not valid JSON: {error}", file.display())).hint(hint))?;
    let event = serde_json::json!({
        "specversion": "1.0", "id": "policy", "source": "pec", "type": "pec.policy.published.v1", "data": data,
    });
    let event = event.to_string();
    let message =
        journal::wire::MessageRef { stream: Stream::Reference, key: None, headers: &[], value: Some(event.as_bytes()) };
    match journal::wire::decode(&message).into_iter().next() {
        Some(Ok(fact)) => match fact.event {
            Event::PolicyPublished(document) => Ok(document),
            other => Err(Problem::fault(format!("the document was read as {}", engine::describe::kind(&other))).into()),
        },
        Some(Err(rejection)) => {
            let what = format!("{} is no policy document: {} ({})", file.display(), rejection.detail, rejection.code);
            Err(Problem::refused(what).hint(hint).into())
        }
        None => Err(Problem::fault("the document was read as nothing").into()),
    }
}

#[derive(Serialize)]
struct ShowAnswer {
    schema: &'static str,
    day: String,
    rules_version: u32,
    policy_revision: u32,
    effective_from: String,
    event: Option<String>,
    fields: Vec<FieldAnswer>,
    documents: Vec<DocumentAnswer>,
}

#[derive(Serialize)]
struct FieldAnswer {
    name: String,
    value: String,
    default: Option<&'static str>,
    decides: &'static str,
    why: &'static str,
}

#[derive(Serialize)]
struct DocumentAnswer {
    revision: u32,
    effective_from: String,
    event: String,
}

fn fields(policy: &Policy) -> Vec<FieldAnswer> {
    let settings = policy.settings().into_iter();
    let answer = |setting: domain::entry::PolicySetting| {
        let row = field(&setting.name).expect("a policy only has fields of the table");
        FieldAnswer {
            default: (*setting.name == *row.name).then_some(row.default),
            name: setting.name.into(),
            value: setting.value.into(),
            decides: row.decides,
            why: row.why,
        }
    };
    settings.map(answer).collect()
}

fn show(day: Option<Day>, document: bool, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let day = day.map_or_else(|| today(context), Ok)?;
    let facts = context.ledger.facts().map_err(fault)?;
    let policy = facts.policy.at(day);
    let documents = facts.policy.documents();
    if document {
        let highest = documents.iter().map(|(_, known)| known.revision).max().unwrap_or(policy.revision);
        let settings: Vec<serde_json::Value> = policy
            .settings()
            .iter()
            .map(|setting| serde_json::json!({ "name": &*setting.name, "value": &*setting.value }))
            .collect();
        let document = serde_json::json!({
            "revision": u64::from(highest) + 1, "effectiveFrom": day.next().to_string(), "settings": settings,
        });
        out.json(&document)?;
        return Ok(Exit::Fine);
    }
    let in_force = facts.policy.document_at(day);
    let answer = ShowAnswer {
        schema: "pec.policy.v1",
        day: day.to_string(),
        rules_version: RULES_VERSION,
        policy_revision: policy.revision,
        effective_from: in_force.map_or(Day(0), |(_, known)| known.effective_from).to_string(),
        event: in_force.map(|(identity, _)| identity.to_string()),
        fields: fields(&policy),
        documents: documents
            .into_iter()
            .map(|(identity, known)| DocumentAnswer {
                revision: known.revision,
                effective_from: known.effective_from.to_string(),
                event: identity.to_string(),
            })
            .collect(),
    };
    if context.json {
        out.json(&answer)?;
    } else {
        print_show(&answer, out)?;
    }
    Ok(Exit::Fine)
}

fn print_show(answer: &ShowAnswer, out: &mut Output) -> anyhow::Result<()> {
    let since = if answer.effective_from == Day(0).to_string() {
        "the built-in defaults".to_owned()
    } else {
        format!("in effect from {}", answer.effective_from)
    };
    out.heading(&format!("Policy revision {} on {}, {since}", answer.policy_revision, answer.day))?;
    let mut list = table(&["field", "value", "default", "decides"]);
    for row in &answer.fields {
        let value = if row.value.is_empty() { "none" } else { &row.value };
        let default = match row.default {
            Some(default) if default == row.value => "",
            Some("") => "none",
            Some(default) => default,
            None => "by list",
        };
        list.add_row([left(&row.name), left(value), left(default), left(row.decides)]);
    }
    out.table(list)?;
    if answer.documents.len() > 1 {
        out.line("")?;
        let all: Vec<String> = answer
            .documents
            .iter()
            .map(|known| format!("revision {} from {}", known.revision, known.effective_from))
            .collect();
        out.line(format!("Known documents: {}", all.join(", ")))?;
    }
    out.line(format!("Rules version {}", answer.rules_version))?;
    out.note("To change it: pec policy show --document >new.json, edit, pec policy check new.json")?;
    Ok(())
}

/// A policy by what people call it.
fn named(name: &str, facts: &Facts, context: &Context<'_>) -> anyhow::Result<(String, Policy)> {
    if name == "default" {
        return Ok(("the built-in defaults".to_owned(), Policy::builtin()));
    }
    if let Ok(revision) = name.parse::<u32>() {
        let documents = facts.policy.documents();
        let known = documents.iter().rev().find(|(_, document)| document.revision == revision);
        let Some((_, document)) = known else {
            let all: Vec<String> = documents.iter().map(|(_, document)| document.revision.to_string()).collect();
            return Err(Problem::refused(format!("no policy of revision {revision} is known"))
                .hint(format!("known revisions: {}", all.join(", ")))
                .into());
        };
        let policy = Policy::read(document).map_err(Problem::refused)?;
        return Ok((format!("revision {revision}"), policy));
    }
    let document = read(context, Path::new(name))?;
    let policy = Policy::read(&document).map_err(Problem::refused)?;
    Ok((name.to_owned(), policy))
}

#[derive(Serialize)]
struct DiffAnswer {
    schema: &'static str,
    rules_version: u32,
    old: String,
    new: String,
    differences: Vec<DiffRow>,
}

#[derive(Serialize)]
struct DiffRow {
    name: String,
    old: Option<String>,
    new: Option<String>,
    decides: &'static str,
}

fn differences(old: &Policy, new: &Policy) -> Vec<DiffRow> {
    let (old, new) = (fields(old), fields(new));
    let names: BTreeSet<&str> = old.iter().chain(&new).map(|row| row.name.as_str()).collect();
    let value =
        |rows: &[FieldAnswer], name: &str| rows.iter().find(|row| row.name == name).map(|row| row.value.clone());
    let rows = names.into_iter().map(|name| DiffRow {
        name: name.to_owned(),
        old: value(&old, name),
        new: value(&new, name),
        decides: field(name).map_or("", |row| row.decides),
    });
    rows.filter(|row| row.old != row.new).collect()
}

fn diff(old: &str, new: Option<&str>, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let today = today(context)?;
    let facts = context.ledger.facts().map_err(fault)?;
    let (old_name, old) = named(old, &facts, context)?;
    let (new_name, new) = match new {
        Some(new) => named(new, &facts, context)?,
        None => {
            let policy = facts.policy.at(today);
            (format!("revision {} (in force today)", policy.revision), policy)
        }
    };
    let rows = differences(&old, &new);
    if context.json {
        let answer = DiffAnswer {
            schema: "pec.policy-diff.v1",
            rules_version: RULES_VERSION,
            old: old_name,
            new: new_name,
            differences: rows,
        };
        out.json(&answer)?;
        return Ok(Exit::Fine);
    }
    out.heading(&format!("{old_name} → {new_name}"))?;
    if rows.is_empty() {
        out.line("Both say the same in every field.")?;
        return Ok(Exit::Fine);
    }
    print_differences(&rows, out)?;
    out.line(format!("Rules version {RULES_VERSION}"))?;
    Ok(Exit::Fine)
}

fn print_differences(rows: &[DiffRow], out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["field", "old", "new", "decides"]);
    for row in rows {
        let said = |value: &Option<String>| match value.as_deref() {
            None => "by list".to_owned(),
            Some("") => "none".to_owned(),
            Some(value) => value.to_owned(),
        };
        list.add_row([left(&row.name), left(said(&row.old)), left(said(&row.new)), left(row.decides)]);
    }
    Ok(out.table(list)?)
}

#[derive(Serialize)]
struct CheckAnswer {
    schema: &'static str,
    rules_version: u32,
    revision: u32,
    effective_from: String,
    /// `new`, `known` or `unfit`.
    fit: &'static str,
    problems: Vec<String>,
    differs_from_revision: u32,
    differences: Vec<DiffRow>,
    effect: Vec<EffectAnswer>,
}

fn check(file: &Path, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let document = read(context, file)?;
    let now = context.ledger.clock().now().map_err(fault)?;
    let facts = context.ledger.facts().map_err(fault)?;
    let (fit, problems) = match adopt::fit(&facts, &document) {
        Fit::New => ("new", Vec::new()),
        Fit::Known => ("known", Vec::new()),
        Fit::Unfit(problems) => ("unfit", problems),
    };
    let in_force = facts.policy.at(document.effective_from);
    let supposed = Policy::read(&document).map_err(Problem::refused)?;
    let effect = if fit == "new" { effect(context, facts.fold(), &document, now)? } else { Vec::new() };
    let answer = CheckAnswer {
        schema: "pec.policy-check.v1",
        rules_version: RULES_VERSION,
        revision: document.revision,
        effective_from: document.effective_from.to_string(),
        fit,
        problems,
        differs_from_revision: in_force.revision,
        differences: differences(&in_force, &supposed),
        effect,
    };
    if context.json {
        out.json(&answer)?;
    } else {
        print_check(&answer, &file.display().to_string(), out)?;
    }
    Ok(if fit == "unfit" { Exit::Refused } else { Exit::Fine })
}

fn print_check(answer: &CheckAnswer, file: &str, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("Policy revision {}, in effect from {}", answer.revision, answer.effective_from))?;
    match answer.fit {
        "known" => out.line("It is published already; nothing would change.")?,
        "unfit" => out.line("It cannot be published:")?,
        _ if answer.differences.is_empty() => {
            out.line(format!("It says what revision {} says.", answer.differs_from_revision))?;
        }
        _ => out.line(format!("What it says otherwise than revision {}:", answer.differs_from_revision))?,
    }
    for problem in &answer.problems {
        out.line(format!("  • {problem}"))?;
    }
    if answer.fit == "unfit" {
        return Ok(());
    }
    if !answer.differences.is_empty() {
        print_differences(&answer.differences, out)?;
    }
    if answer.fit == "known" {
        return Ok(());
    }
    out.line("")?;
    out.heading("Effect in money")?;
    if answer.effect.is_empty() {
        out.line(format!("No usage is known from {} on, so nothing is billed otherwise yet.", answer.effective_from))?;
    } else {
        print_effect(&answer.effect, out)?;
    }
    out.line(format!(
        "Rules version {} · policy revision {} → {}",
        answer.rules_version, answer.differs_from_revision, answer.revision
    ))?;
    out.note(format!("Publish it: pec policy publish {file} --reason '…'"))?;
    Ok(())
}

#[derive(Serialize)]
struct PublishAnswer {
    schema: &'static str,
    revision: u32,
    effective_from: String,
    /// `published` now, or `known` from before.
    outcome: &'static str,
    actor: String,
    reason: String,
    rules_version: u32,
}

/// What a document will change in money, said before it is published: nothing is published unseen.
fn announce(document: &PolicyDocument, context: &Context<'_>, out: &mut Output) -> anyhow::Result<()> {
    let now = context.ledger.clock().now().map_err(fault)?;
    let facts = context.ledger.facts().map_err(fault)?;
    if adopt::fit(&facts, document) != Fit::New {
        return Ok(());
    }
    out.heading("Effect in money")?;
    let rows = effect(context, facts.fold(), document, now)?;
    if rows.is_empty() {
        return Ok(out.line("No usage is known from its first day on.")?);
    }
    print_effect(&rows, out)
}

fn publish(file: &Path, reason: &str, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let document = read(context, file)?;
    if !context.json {
        announce(&document, context, out)?;
    }
    let outcome = match adopt::publish(context.ledger, &document, &context.actor, reason).map_err(fault)? {
        Fit::New => "published",
        Fit::Known => "known",
        Fit::Unfit(problems) => {
            return Err(Problem::refused(format!("{} was not published: {}", file.display(), problems.join("; ")))
                .hint(format!("correct it, then pec policy check {}", file.display()))
                .into());
        }
    };
    let answer = PublishAnswer {
        schema: "pec.policy-published.v1",
        revision: document.revision,
        effective_from: document.effective_from.to_string(),
        outcome,
        actor: context.actor.clone(),
        reason: reason.to_owned(),
        rules_version: RULES_VERSION,
    };
    if context.json {
        out.json(&answer)?;
    } else if outcome == "known" {
        out.line(format!("Revision {} was published before, word for word; nothing changed.", answer.revision))?;
    } else {
        out.line(format!(
            "Policy revision {} is published, in effect from {}, by {}: {}",
            answer.revision, answer.effective_from, answer.actor, answer.reason
        ))?;
    }
    Ok(Exit::Fine)
}
