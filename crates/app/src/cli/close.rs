//! `pec check`, `pec close`, `pec void`: the rehearsal, the real thing, and taking it back.
//!
//! All three ask the same plan. A refusal names every reason at once, with what mends it; a close
//! that was made before prints what stands and ends fine.

mod check;
mod planned;

use std::collections::BTreeMap;

pub use check::Check;
use clap::Args;
use domain::decide::Reason;
use domain::entry::Decision;
use domain::finding::{Code, Finding};
use domain::ids::Guid;
use domain::money::Exact;
use domain::period::Period;
use engine::books::Books;
use engine::close::{self, Outcome, Wish};
use engine::restore::{self, Lack};
use serde::Serialize;

use super::invoice::{FindingAnswer, Party, findings_answer, money, print_findings, revisions_in_words, total};
use super::start::{decider, fault};
use super::{Context, period, select};
use crate::exit::{Exit, Problem};
use crate::output::{Output, count};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec close --period 2026-01 --reason 'checked by finance'\n  pec close --period 2026-01 --reason 'month end; access of 3 January is not known' --accept unknown-access\n  pec close --period 2026-01 --reason 'month end' --offline 'the cluster is being moved'"
)]
pub struct Close {
    /// The month
    #[arg(long, value_parser = period::period, value_name = "MONTH")]
    period: Period,
    /// Bill-to partner, by name or tenant (default: all)
    #[arg(long)]
    partner: Option<String>,
    /// Why; stands in the journal with the invoice
    #[arg(long)]
    reason: String,
    /// Close although something cannot be known; recorded beside the close, with its --reason:
    /// unknown-access (access on some days), missing-records or missing-decisions (a restore from Kafka
    /// lacked them). Of a month already issued, unknown-access accepts the days that became unknown since:
    /// the next close takes their credit back, until a listing proves the access
    #[arg(long, value_name = "WHAT", value_parser = ["unknown-access", "missing-records", "missing-decisions"])]
    accept: Vec<String>,
    /// Close although Kafka cannot be asked how far its topics are; why, in words that stay in the journal
    #[arg(long, value_name = "REASON")]
    offline: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec void 2026-01-EUR-1 --reason 'issued before the correction came'")]
pub struct Void {
    /// Id of the issued invoice, as `pec close` printed it
    document: String,
    /// Why; stands in the journal with the credit note
    #[arg(long)]
    reason: String,
}

/// Reasons beside the findings of the month itself, which have their own table. Findings of months issued
/// before are put together by month and code, each with what mends it.
fn other_reasons(all: &[Reason]) -> Vec<String> {
    let mut issued: BTreeMap<(Period, Code), (&Reason, usize)> = BTreeMap::new();
    let mut reasons = Vec::new();
    for reason in all {
        match reason {
            Reason::Finding(_) => {}
            Reason::Issued { period, finding } => {
                issued.entry((*period, finding.code)).or_insert((reason, 0)).1 += 1;
            }
            Reason::NotEnded { .. }
            | Reason::OutOfOrder { .. }
            | Reason::Conflict(_)
            | Reason::Obstacle(_)
            | Reason::TooLong(_)
            | Reason::UnknownDocument(_)
            | Reason::AlreadyVoided(_)
            | Reason::NotAnInvoice(_) => reasons.push(reason.to_string()),
        }
    }
    reasons.extend(issued.into_values().map(|(first, count)| match count {
        1 => first.to_string(),
        _ => format!("{first} (and {} more like it: pec check --findings)", count - 1),
    }));
    reasons
}

/// The findings of months issued before that stand against a close, each with its month.
fn issued_findings(reasons: &[Reason]) -> Vec<(Period, Finding)> {
    let found = reasons.iter().filter_map(|reason| match reason {
        Reason::Issued { period, finding } => Some((*period, Finding::clone(finding))),
        _ => None,
    });
    found.collect()
}

/// Definitions, close: topics whose durable position is behind what Kafka had at the end of the
/// month and its grace, else at its end now.
fn obstacles(context: &Context<'_>, month: Period) -> anyhow::Result<Vec<String>> {
    let Some(kafka) = &context.config.kafka else { return Ok(Vec::new()) };
    let grace = context.ledger.facts().map_err(fault)?.policy.at(month.first_day()).grace_hours;
    let time = month.interval().to + chrono::TimeDelta::hours(grace.into());
    let due = match ingest::watermarks_at(kafka, Some(time)) {
        Ok(due) => due,
        Err(error) => {
            return Ok(vec![format!(
                "Kafka cannot be asked how far its topics are ({error}); accept it with --offline REASON"
            )]);
        }
    };
    let offsets = context.ledger.offsets().map_err(fault)?;
    let behind = due.into_iter().filter_map(|due| {
        let have = offsets
            .iter()
            .find(|state| *state.topic == *due.topic && state.partition == due.partition)
            .map_or(0, |state| state.next_offset);
        (have < due.offset).then(|| {
            format!(
                "{}/{} is read up to offset {have}, and {} is due: let `pec run` catch up",
                due.topic, due.partition, due.offset
            )
        })
    });
    Ok(behind.collect())
}

/// One line of `schemas/output/close.v1.json`.
#[derive(Serialize)]
struct ClosedAnswer {
    schema: &'static str,
    rules_version: u32,
    /// Of the policy in force on the first day of the month.
    policy_revision: u32,
    bill_to: Party,
    period: String,
    /// `issued`, `stands` (closed before), `nothing` or `refused`.
    outcome: &'static str,
    documents: Vec<DocumentAnswer>,
    reasons: Vec<String>,
    findings: Vec<FindingAnswer>,
    /// Days of the month whose unknown access was accepted with this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted_days: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct DocumentAnswer {
    id: String,
    period: String,
    total: String,
    rounding: String,
    /// Beside the total; null where tax is off.
    tax: Option<String>,
    lines: usize,
    lines_digest: String,
    amends: Option<String>,
    voided: bool,
    actor: String,
    reason: String,
    issued_at: String,
    rule: &'static str,
    rules_version: u32,
    policy_revision: u32,
    /// Of all its lines, and of the first day of its month.
    policy_revisions: Vec<u32>,
}

fn document_answers(context: &Context<'_>, ids: &[Box<str>]) -> anyhow::Result<Vec<DocumentAnswer>> {
    let facts = context.ledger.facts().map_err(fault)?;
    let documents = ids.iter().filter_map(|id| facts.issued.document(id)).map(|document| DocumentAnswer {
        id: document.id.to_string(),
        period: document.period.to_string(),
        total: total(&Exact::from(document.total), document.currency),
        rounding: money(&Exact::from(document.rounding), document.currency),
        tax: document.tax.map(|tax| money(&Exact::from(tax), document.currency)),
        lines: document.lines.len(),
        lines_digest: document.lines_digest.to_string(),
        amends: document.amends.as_ref().map(ToString::to_string),
        voided: facts.issued.is_voided(&document.id),
        actor: document.decision.actor.to_string(),
        reason: document.decision.reason.to_string(),
        issued_at: period::instant(document.decision.at),
        rule: if document.amends.is_some() { "INV-8" } else { "INV-7" },
        rules_version: document.rules_version,
        policy_revision: document.policy_revision,
        policy_revisions: document.policy_revisions(),
    });
    Ok(documents.collect())
}

fn print_document(document: &DocumentAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.line(format!("  {}", document.id))?;
    out.line(format!(
        "    {} in {} (rounding {})",
        document.total,
        count(document.lines as u64, "line"),
        document.rounding
    ))?;
    if let Some(tax) = &document.tax {
        out.line(format!("    tax {tax} beside it (INV-12)"))?;
    }
    out.line(format!("    issued {} by {}: {}", document.issued_at, document.actor, document.reason))?;
    out.line(format!("    lines digest {}", document.lines_digest))?;
    let (rules, policy) = (document.rules_version, revisions_in_words(&document.policy_revisions));
    out.line(format!("    by {}, rules version {rules}, {policy}", document.rule))?;
    Ok(())
}

impl Close {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        decider(&context.actor)?;
        let partners = {
            let facts = context.ledger.facts().map_err(fault)?;
            let commerce = facts.commerce.view();
            let books = Books::new(&facts, &commerce);
            let partners: Vec<(Guid, String)> = select::partners(&books, self.partner.as_deref())?
                .into_iter()
                .map(|partner| (partner, books.partner_name(partner)))
                .collect();
            if partners.is_empty() {
                return Err(super::invoice::nothing(&books, self.period).into());
            }
            partners
        };
        let mut obstacles = if self.offline.is_some() { Vec::new() } else { obstacles(context, self.period)? };
        obstacles.extend(restore::obstacles(&*context.ledger.facts().map_err(fault)?, self.period, &self.lacks()));
        let mut exit = Exit::Fine;
        let mut decided = false;
        for (bill_to, name) in partners {
            let answer = self.one(bill_to, name, &obstacles, context)?;
            decided |= answer.outcome == "issued" || !answer.accepted_days.is_empty();
            if answer.outcome == "refused" {
                exit = Exit::Refused;
            }
            if context.json { out.ndjson(&answer)? } else { print_closed(&answer, out)? }
        }
        if decided && super::start::is_only_a_user(&context.actor) {
            out.note(format!("Decided as {}; say who it is with --actor NAME or PEC_ACTOR.", context.actor))?;
        }
        Ok(exit)
    }

    /// What a restore lacked and is accepted.
    fn lacks(&self) -> Vec<Lack> {
        let accepted = |lack: &Lack| self.accept.iter().any(|what| what == lack.accepted_by());
        Lack::ALL.into_iter().filter(accepted).collect()
    }

    /// What was accepted beside the findings stands in the journal beside the invoice.
    fn remember(&self, bill_to: Guid, context: &Context<'_>) -> Result<(), engine::Fault> {
        let concerning = Some((bill_to, self.period));
        if let Some(why) = self.offline.as_deref().filter(|_| context.config.kafka.is_some()) {
            engine::accept::record(context.ledger, "offline-close", concerning, &context.actor, why)?;
        }
        let facts = context.ledger.facts()?;
        let lacking = |lack: &Lack| {
            let others: Vec<Lack> = Lack::ALL.into_iter().filter(|other| other != lack).collect();
            !restore::obstacles(&facts, self.period, &others).is_empty()
        };
        let lacks: Vec<Lack> = self.lacks().into_iter().filter(lacking).collect();
        drop(facts);
        for lack in lacks {
            engine::accept::record(context.ledger, lack.accepted_by(), concerning, &context.actor, &self.reason)?;
        }
        Ok(())
    }

    fn one(
        &self,
        bill_to: Guid,
        name: String,
        obstacles: &[String],
        context: &Context<'_>,
    ) -> anyhow::Result<ClosedAnswer> {
        let at = context.ledger.clock().now().map_err(fault)?;
        let decision = Decision { actor: context.actor.as_str().into(), reason: self.reason.as_str().into(), at };
        let wish = Wish {
            bill_to,
            period: self.period,
            decision,
            obstacles: obstacles.to_vec(),
            accept_unknown_access: self.accept.iter().any(|what| what == "unknown-access"),
        };
        let result = close::issue(context.ledger, &wish).map_err(fault)?;
        let mut accepted_days = Vec::new();
        let (outcome, documents, reasons, findings) = match result {
            Outcome::Stands { documents, new, accepted } => {
                if new {
                    self.remember(bill_to, context).map_err(fault)?;
                }
                let days = accepted.and_then(|acceptance| acceptance.about);
                accepted_days.extend(days.iter().flat_map(|days| days.split(' ')).map(str::to_owned));
                (if new { "issued" } else { "stands" }, document_answers(context, &documents)?, Vec::new(), Vec::new())
            }
            Outcome::Nothing => ("nothing", Vec::new(), Vec::new(), Vec::new()),
            Outcome::Refused(refusal, findings) => {
                let blocking: Vec<Finding> = findings.into_iter().filter(Finding::blocking).collect();
                let findings = findings_answer(&blocking, self.period);
                ("refused", Vec::new(), other_reasons(&refusal.reasons), findings)
            }
        };
        let first = self.period.first_day();
        Ok(ClosedAnswer {
            schema: "pec.close.v1",
            rules_version: domain::policy::RULES_VERSION,
            policy_revision: context.ledger.facts().map_err(fault)?.policy.at(first).revision,
            bill_to: Party { id: bill_to.to_string(), name },
            period: self.period.to_string(),
            outcome,
            documents,
            reasons,
            findings,
            accepted_days,
        })
    }
}

fn print_closed(answer: &ClosedAnswer, out: &mut Output) -> anyhow::Result<()> {
    let (name, period) = (&answer.bill_to.name, &answer.period);
    match answer.outcome {
        "issued" => out.line(format!("{name} — {period} is issued:"))?,
        "stands" => out.line(format!("{name} — {period} was issued before, and stands:"))?,
        "nothing" => out.line(format!("{name} — nothing to issue for {period}: no usage and no adjustment."))?,
        _ => out.line(format!("{name} — {period} cannot be closed:"))?,
    }
    for document in &answer.documents {
        print_document(document, out)?;
    }
    for reason in &answer.reasons {
        out.line(format!("  • {reason}"))?;
    }
    if !answer.accepted_days.is_empty() {
        let days = answer.accepted_days.join(", ");
        out.line(format!("Accepted as unknown (INV-7): {days}. Credit of these days counts as lost"))?;
        out.line("until a listing of role assignments proves the access.")?;
        if answer.outcome == "stands" {
            out.note("The next close carries the difference: pec check shows it.")?;
        }
    }
    print_findings(&answer.findings, out)?;
    if answer.documents.is_empty() {
        out.line(format!("Rules version {} · policy revision {}", answer.rules_version, answer.policy_revision))?;
    }
    if answer.outcome == "refused" {
        out.note(format!("Nothing was issued. The rehearsal shows everything: pec check --period {period}"))?;
    }
    Ok(())
}

/// One line of `schemas/output/void.v1.json`.
#[derive(Serialize)]
struct NoteAnswer<'a> {
    schema: &'static str,
    #[serde(flatten)]
    document: &'a DocumentAnswer,
}

impl Void {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        decider(&context.actor)?;
        let at = context.ledger.clock().now().map_err(fault)?;
        let decision = Decision { actor: context.actor.as_str().into(), reason: self.reason.as_str().into(), at };
        let notes = match close::void(context.ledger, &self.document, &decision).map_err(fault)? {
            Ok(notes) => notes,
            Err(refusal) => {
                return Err(Problem::refused(format!("cannot void {}: {refusal}", self.document))
                    .hint("pec status lists the issued documents")
                    .into());
            }
        };
        let documents = document_answers(context, &notes)?;
        if context.json {
            for document in &documents {
                out.ndjson(&NoteAnswer { schema: "pec.void.v1", document })?;
            }
            return Ok(Exit::Fine);
        }
        out.line(format!("{} is void; this credit note takes every line back:", self.document))?;
        for document in &documents {
            print_document(document, out)?;
        }
        out.note(self.what_next(&*context.ledger.facts().map_err(fault)?))?;
        Ok(Exit::Fine)
    }
}

impl Void {
    /// What of the month is open again: all of it, or what its other invoices do not bill.
    fn what_next(&self, facts: &domain::facts::Facts) -> String {
        let Some(document) = facts.issued.document(&self.document) else { return String::new() };
        let month = document.period;
        let commands = format!("pec check --period {month}, then pec close --period {month}");
        let standing = facts.issued.standing(document.bill_to, month);
        let others: Vec<&str> = standing.iter().map(|one| &*one.id).collect();
        match others.as_slice() {
            [] => format!("Its month is open again: {commands}."),
            [..] => format!(
                "{month} is open again for what it billed in {}: {commands}. {} stands.",
                document.currency,
                others.join(", ")
            ),
        }
    }
}

/// Ids of all issued documents, in order, for `pec status`.
pub(super) fn issued_ids(facts: &domain::facts::Facts) -> Vec<String> {
    facts.issued.documents().into_iter().map(|document| document.id.to_string()).collect()
}
