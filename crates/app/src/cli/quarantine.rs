//! `pec quarantine`: messages that could not be read. The list, one message whole, reading again.

use clap::{Args, Subcommand};
use domain::entry::EntryRef;
use engine::trace::origin;
use serde::Serialize;

use super::start::fault;
use super::{Context, Versions, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, left, table};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec quarantine list\n  pec quarantine show 1234.0\n  pec quarantine redrive --code R-unknown-version --reason 'new build'"
)]
pub struct Quarantine {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Every entry that could not be read and waits
    #[command(after_help = "Examples:\n  pec quarantine list\n  pec quarantine list --all --json")]
    List {
        /// Also those that were read again since
        #[arg(long)]
        all: bool,
    },
    /// One message, verbatim, with its coordinates and what is wrong with it
    #[command(after_help = "Examples:\n  pec quarantine show 1234.0")]
    Show {
        #[arg(value_parser = period::entry)]
        entry: EntryRef,
    },
    /// Read again what waits, after the decoder was mended
    #[command(
        after_help = "Examples:\n  pec quarantine redrive 1234.0 --reason 'decoder reads version 2 now'\n  pec quarantine redrive --code R-unknown-version --reason 'new build'"
    )]
    Redrive {
        #[arg(value_parser = period::entry, required_unless_present = "code", conflicts_with = "code")]
        entry: Option<EntryRef>,
        /// Every waiting entry with this code
        #[arg(long)]
        code: Option<String>,
        #[arg(long)]
        reason: String,
    },
}

/// One line of `schemas/output/quarantine.v1.json`.
#[derive(Serialize)]
struct Row {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    entry: String,
    code: &'static str,
    recorded_at: String,
    from: String,
    redriven: Option<String>,
}

impl Quarantine {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        match &self.action {
            Action::List { all } => list(*all, context, out),
            Action::Show { entry } => show(*entry, context, out),
            Action::Redrive { entry, code, reason } => redrive(*entry, code.as_deref(), reason, context, out),
        }
    }
}

fn list(all: bool, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let reader = context.ledger.reader();
    let versions = Versions::of(&*context.ledger.facts().map_err(fault)?);
    let mut list = table(&["entry", "code", "recorded", "came from", "state"]);
    let mut shown = 0_u64;
    for waiting in engine::quarantine::list(context.ledger).map_err(fault)? {
        if waiting.redriven.is_some() && !all {
            continue;
        }
        shown += 1;
        let record = reader.record(waiting.at.position).map_err(|error| fault(error.into()))?;
        let row = Row {
            schema: "pec.quarantine.v1",
            versions,
            entry: waiting.at.to_string(),
            code: waiting.code,
            recorded_at: period::instant(waiting.recorded_at),
            from: record.map_or_else(String::new, |record| origin(&record.origin)),
            redriven: waiting.redriven.map(|at| at.to_string()),
        };
        if context.json {
            out.ndjson(&row)?;
        } else {
            let state = row.redriven.map_or_else(|| "waits".to_owned(), |at| format!("read again at {at}"));
            list.add_row([left(row.entry), left(row.code), left(row.recorded_at), left(row.from), left(state)]);
        }
    }
    if context.json {
        return Ok(Exit::Fine);
    }
    if shown == 0 {
        let told = if all {
            "Every message could be read."
        } else {
            "No message waits; --all shows those that were read again."
        };
        out.line(told)?;
    } else {
        out.table(list)?;
        out.note("Look at one: pec quarantine show ENTRY. The codes are explained in docs/rejections.md.")?;
    }
    Ok(Exit::Fine)
}

/// `schemas/output/quarantined-message.v1.json`.
#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    entry: String,
    recorded_at: String,
    from: String,
    /// Whether it is in quarantine and nobody read it again since.
    waits: bool,
    code: Option<String>,
    detail: Option<String>,
    key: Option<String>,
    headers: Vec<(String, Option<String>)>,
    value: Option<String>,
}

fn show(entry: EntryRef, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let found = engine::quarantine::show(context.ledger.reader(), entry).map_err(fault)?;
    let (record, rejection) = found.ok_or_else(|| {
        Problem::refused(format!("there is no entry {entry}")).hint("pec quarantine list shows what waits")
    })?;
    let (code, detail) = rejection.unzip();
    let waiting = engine::quarantine::list(context.ledger).map_err(fault)?;
    let waits = waiting.iter().any(|one| one.at == entry && one.redriven.is_none());
    let shown = Shown {
        schema: "pec.quarantined-message.v1",
        versions: Versions::of(&*context.ledger.facts().map_err(fault)?),
        entry: entry.to_string(),
        recorded_at: period::instant(record.recorded_at),
        from: origin(&record.origin),
        waits,
        code,
        detail,
        key: record.message.key.map(text),
        headers: record.message.headers.into_iter().map(|(name, value)| (name, value.map(text))).collect(),
        value: record.message.value.map(text),
    };
    if context.json {
        out.json(&shown)?;
        return Ok(Exit::Fine);
    }
    out.line(format!("entry     {}", shown.entry))?;
    out.line(format!("recorded  {}", shown.recorded_at))?;
    out.line(format!("from      {}", shown.from))?;
    match (&shown.code, &shown.detail) {
        (Some(code), Some(detail)) => out.line(format!("wrong     {code}: {detail}"))?,
        _ if shown.waits => out.line("wrong     nothing any more: this build reads it (pec quarantine redrive)")?,
        _ => out.line("wrong     nothing: it does not wait in quarantine")?,
    }
    if let Some(key) = &shown.key {
        out.line(format!("key       {key}"))?;
    }
    for (name, value) in &shown.headers {
        out.line(format!("header    {name}: {}", value.as_deref().unwrap_or("(null)")))?;
    }
    out.line("")?;
    out.line(shown.value.as_deref().unwrap_or("(no value)"))?;
    Ok(Exit::Fine)
}

/// One line of `schemas/output/redriven.v1.json`.
#[derive(Serialize)]
struct Redriven {
    schema: &'static str,
    #[serde(flatten)]
    versions: Versions,
    entry: String,
    readable: bool,
    now: &'static str,
}

fn redrive(
    entry: Option<EntryRef>,
    code: Option<&str>,
    reason: &str,
    context: &Context<'_>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let waiting = engine::quarantine::list(context.ledger).map_err(fault)?;
    let chosen: Vec<EntryRef> = waiting
        .iter()
        .filter(|one| one.redriven.is_none())
        .filter(|one| entry.is_none_or(|at| at == one.at) && code.is_none_or(|code| code == one.code))
        .map(|one| one.at)
        .collect();
    if chosen.is_empty() {
        let what = entry.map_or_else(|| code.unwrap_or_default().to_owned(), |at| at.to_string());
        return Err(Problem::refused(format!("nothing waits in quarantine under {what}"))
            .hint("pec quarantine list shows what waits")
            .into());
    }
    let mut still = 0;
    for at in chosen {
        let recorded = engine::quarantine::redrive(context.ledger, at, &context.actor, reason).map_err(fault)?;
        still += u64::from(recorded.quarantined > 0);
        let now = if recorded.quarantined > 0 {
            "still cannot be read"
        } else if recorded.conflicting > 0 {
            "read; it conflicts with what was told since (pec conflicts list)"
        } else if recorded.duplicate > 0 {
            "read; it was told again since"
        } else {
            "read"
        };
        if context.json {
            let versions = Versions::of(&*context.ledger.facts().map_err(fault)?);
            let (entry, readable) = (at.to_string(), recorded.quarantined == 0);
            out.ndjson(&Redriven { schema: "pec.redriven.v1", versions, entry, readable, now })?;
        } else {
            out.line(format!("{at}  {now}"))?;
        }
    }
    Ok(if still > 0 { Exit::Refused } else { Exit::Fine })
}
