//! `pec status`: what came in, from where, and what waits for somebody.

use std::collections::BTreeMap;

use clap::Args;
use domain::facts::Counts;
use domain::ids::Currency;
use domain::money::Exact;
use domain::policy::RULES_VERSION;
use engine::books::Books;
use engine::burns::Burns;
use engine::leak::{BeganWith, Leak};
use serde::Serialize;

use super::Context;
use super::invoice::{Party, cents, money};
use super::select::short_scope;
use super::start::fault;
use super::what_if::{self, Guard};
use crate::exit::Exit;
use crate::output::{Output, align_right, count, left, right, table, thousands};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec status\n  pec status --json")]
pub struct Status {}

/// `schemas/output/status.v1.json`.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    data_dir: String,
    rules_version: u32,
    policy_revision: u32,
    journal: JournalAnswer,
    entries: Entries,
    partitions: Vec<Partition>,
    cluster: Option<String>,
    waiting: Waiting,
    leaks: Leaks,
    transfers: Vec<Guard>,
    issued: Vec<String>,
    accepted: Vec<Accepted>,
}

/// What a person took responsibility for.
#[derive(Serialize)]
struct Accepted {
    what: String,
    about: Option<String>,
    actor: String,
    reason: String,
    at: String,
}

#[derive(Serialize)]
struct JournalAnswer {
    messages: u64,
    frames: u64,
    segments: u32,
    active_segment_bytes: u64,
    last_recorded_at: Option<String>,
    chain: String,
}

#[derive(Serialize)]
struct Entries {
    accepted: u64,
    duplicate: u64,
    conflicting: u64,
    quarantined: u64,
    late: u64,
}

#[derive(Serialize)]
struct Partition {
    topic: String,
    partition: i32,
    next_offset: i64,
}

#[derive(Serialize)]
struct Waiting {
    open_conflicts: u64,
    /// By code of the rejection.
    quarantined: BTreeMap<&'static str, u64>,
    /// Months with usage that no real meter speaks of.
    improbable_months: Vec<String>,
}

/// The years that usage is expected in. Nothing is refused for its year, because what was once accepted
/// must always read back; but a month far away is looked at by nobody, so it is named here.
const PROBABLE_YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

/// Resources that lose credit since some access ended, or since they moved away from it.
#[derive(Serialize)]
struct Leaks {
    resources: usize,
    credit_per_day: String,
    /// Those that lose most, first.
    worst: Vec<LeakRow>,
    #[serde(skip)]
    per_day: Exact,
}

#[derive(Serialize)]
struct LeakRow {
    customer: String,
    subscription: String,
    resource: String,
    since: String,
    began_with: &'static str,
    /// The same, for the table.
    #[serde(skip)]
    began: String,
    bill_to: Party,
    reason: &'static str,
    rule: &'static str,
    credit_per_day: String,
    #[serde(skip)]
    per_day: Exact,
}

/// What happened when the loss began, for a table.
fn began(leak: &Leak, bill_to: &str) -> String {
    match leak.began_with {
        BeganWith::AccessEnded => "access ended".to_owned(),
        BeganWith::Transfer => format!("moved to {bill_to}"),
    }
}

/// How many leaks are named; the count and the sum are of all.
const LEAKS_SHOWN: usize = 10;

fn leaks(books: &Books<'_>, now: domain::period::Instant) -> Leaks {
    let found = engine::leak::leaks(books, &mut Burns::default(), now, None);
    let mut worst: Vec<LeakRow> = found
        .leaks
        .values()
        .flatten()
        .map(|leak| (leak, books.partner_name(leak.bill_to)))
        .map(|(leak, partner)| LeakRow {
            customer: books.customer_name(leak.customer),
            subscription: leak.subscription.to_string(),
            resource: leak.resource.to_string(),
            since: super::period::instant(leak.since),
            began_with: leak.began_with.text(),
            began: began(leak, &partner),
            bill_to: Party { id: leak.bill_to.to_string(), name: partner },
            reason: leak.reason.text(),
            rule: leak.reason.rule(),
            credit_per_day: money(&leak.burn.per_day(), Currency::USD),
            per_day: leak.burn.per_day(),
        })
        .collect();
    worst.sort_by(|a, b| b.per_day.cmp(&a.per_day).then(a.resource.cmp(&b.resource)));
    let per_day: Exact = worst.iter().map(|row| &row.per_day).sum();
    let resources = worst.len();
    worst.truncate(LEAKS_SHOWN);
    Leaks { resources, credit_per_day: money(&per_day, Currency::USD), worst, per_day }
}

impl Status {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let answer = gather(context)?;
        if context.json {
            out.json(&answer)?
        } else {
            print(&answer, out)?
        }
        Ok(Exit::Fine)
    }
}

fn gather(context: &Context<'_>) -> anyhow::Result<Answer> {
    let ledger = context.ledger;
    // Before the facts are held: these need the writer.
    let status = ledger.status().map_err(fault)?;
    let partitions = ledger.offsets().map_err(fault)?;
    let cluster = ledger.cluster_id().map_err(fault)?;
    let mut quarantined = BTreeMap::new();
    for waiting in engine::quarantine::list(ledger).map_err(fault)? {
        if waiting.redriven.is_none() {
            *quarantined.entry(waiting.code).or_insert(0) += 1;
        }
    }
    let facts = ledger.facts().map_err(fault)?;
    let Counts { accepted, duplicate, conflicting, quarantined: unreadable, late } = facts.counts;
    let now = ledger.clock().now().map_err(fault)?;
    let today = domain::period::Day::of(now);
    let commerce = facts.commerce.view();
    let mut books = Books::new(&facts, &commerce);
    let months = books.periods().into_iter().filter(|month| !PROBABLE_YEARS.contains(&month.year()));
    let improbable_months = months.map(|month| month.to_string()).collect();
    Ok(Answer {
        schema: "pec.status.v1",
        data_dir: ledger.dir().display().to_string(),
        rules_version: RULES_VERSION,
        policy_revision: facts.policy.at(today).revision,
        journal: JournalAnswer {
            messages: status.end,
            frames: status.frames,
            segments: status.segments,
            active_segment_bytes: status.active_segment_bytes,
            last_recorded_at: status.last_recorded_at.map(super::period::instant),
            chain: status.chain.to_string(),
        },
        entries: Entries { accepted, duplicate, conflicting, quarantined: unreadable, late },
        partitions: partitions
            .into_iter()
            .map(|state| Partition {
                topic: state.topic.to_string(),
                partition: state.partition,
                next_offset: state.next_offset,
            })
            .collect(),
        cluster,
        waiting: Waiting { open_conflicts: facts.conflicts.open().count() as u64, quarantined, improbable_months },
        leaks: leaks(&books, now),
        transfers: what_if::guards(&mut books, now),
        issued: super::close::issued_ids(&facts),
        accepted: facts.issued.acceptances().into_iter().map(acceptance).collect(),
    })
}

fn acceptance(one: &domain::entry::Acceptance) -> Accepted {
    Accepted {
        what: one.what.to_string(),
        about: one.about.as_deref().map(str::to_owned),
        actor: one.decision.actor.to_string(),
        reason: one.decision.reason.to_string(),
        at: super::period::instant(one.decision.at),
    }
}

fn print(answer: &Answer, out: &mut Output) -> anyhow::Result<()> {
    out.line(format!("Journal    {}", answer.data_dir))?;
    let last = answer.journal.last_recorded_at.as_deref().unwrap_or("nothing yet");
    out.line(format!(
        "           {} in {}, {}; last recorded {last}",
        count(answer.journal.messages, "message"),
        count(answer.journal.frames, "frame"),
        count(u64::from(answer.journal.segments), "segment"),
    ))?;
    out.line(format!("Rules      version {}, policy revision {}", answer.rules_version, answer.policy_revision))?;
    out.line("")?;
    let mut entries = table(&["entries", "count", "meaning"]);
    let rows = [
        ("accepted", answer.entries.accepted, "facts that count"),
        ("duplicate", answer.entries.duplicate, "told again word for word; ignored"),
        ("conflicting", answer.entries.conflicting, "told again with other content; all bodies kept"),
        ("quarantined", answer.entries.quarantined, "could not be read; bytes kept"),
        ("late", answer.entries.late, "for a period already issued; becomes an adjustment"),
    ];
    for (name, number, meaning) in rows {
        entries.add_row([left(name), right(thousands(number)), left(meaning)]);
    }
    align_right(&mut entries, &[1]);
    out.table(entries)?;
    if !answer.partitions.is_empty() {
        out.line("")?;
        let mut partitions = table(&["topic", "partition", "next offset"]);
        for state in &answer.partitions {
            partitions.add_row([left(&state.topic), right(state.partition), right(state.next_offset)]);
        }
        align_right(&mut partitions, &[1, 2]);
        out.table(partitions)?;
    }
    print_leaks(&answer.leaks, out)?;
    if !answer.transfers.is_empty() {
        out.line("")?;
    }
    what_if::print_guards(&answer.transfers, out)?;
    print_waiting(answer, out)
}

fn print_leaks(leaks: &Leaks, out: &mut Output) -> anyhow::Result<()> {
    if leaks.resources == 0 {
        return Ok(());
    }
    out.line("")?;
    out.heading(&format!(
        "Losing credit: {}, {} a day",
        count(leaks.resources as u64, "resource"),
        cents(&leaks.per_day, Currency::USD)
    ))?;
    let mut list = table(&["customer", "resource", "since", "what happened, and why it is lost", "a day"]);
    for row in &leaks.worst {
        let since = row.since.get(..16).unwrap_or(&row.since).replace('T', " ");
        let amount = cents(&row.per_day, Currency::USD);
        list.add_row([
            left(&row.customer),
            left(short_scope(&row.resource)),
            left(since),
            left(format!("{}: {}", row.began, row.reason)),
            right(amount),
        ]);
    }
    align_right(&mut list, &[4]);
    out.table(list)?;
    if leaks.resources > leaks.worst.len() {
        out.note(format!("{} more, each with less", leaks.resources - leaks.worst.len()))?;
    }
    Ok(())
}

/// The last few; `--json` has them all.
fn newest(accepted: &[Accepted]) -> &[Accepted] {
    const SHOWN: usize = 10;
    &accepted[accepted.len().saturating_sub(SHOWN)..]
}

fn print_waiting(answer: &Answer, out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
    if !answer.issued.is_empty() {
        out.line(format!("Issued: {}", answer.issued.join(", ")))?;
    }
    for one in newest(&answer.accepted) {
        let about = one.about.as_deref().map_or_else(String::new, |about| format!(", {about}"));
        out.line(format!("Accepted by {} at {}: {}{about} ({})", one.actor, one.at, one.what, one.reason))?;
    }
    let mut nothing = true;
    if answer.waiting.open_conflicts > 0 {
        nothing = false;
        out.line(format!(
            "{} waiting for a decision: pec conflicts list",
            count(answer.waiting.open_conflicts, "conflict")
        ))?;
    }
    for (code, number) in &answer.waiting.quarantined {
        nothing = false;
        let messages = count(*number, "message");
        out.line(format!("{messages} not readable ({code}): pec quarantine list"))?;
    }
    let months = &answer.waiting.improbable_months;
    if !months.is_empty() {
        nothing = false;
        let (first_year, last_year) = (PROBABLE_YEARS.start(), PROBABLE_YEARS.end());
        out.line(format!(
            "Usage of {}, outside the years {first_year} to {last_year}: correct the meter, and void it \
             (pec.usage.voided.v1)",
            months.join(", ")
        ))?;
    }
    if answer.journal.messages <= 1 {
        out.line(
            "Nothing was told yet; the journal began by adopting a policy. Next: pec import FILE…, or pec run with a \
             [kafka] table in pec.toml.",
        )?;
    } else if nothing {
        out.line("Nothing waits for a decision.")?;
    }
    Ok(())
}
