//! `pec check`: the rehearsal of a close, with every finding and the money that hangs on it.
//!
//! It asks the very plan that `pec close` carries out, and changes nothing.

use std::collections::BTreeMap;

use clap::Args;
use domain::decide::Rehearsal;
use domain::entry::Decision;
use domain::finding::Finding;
use domain::ids::{Currency, Guid};
use domain::money::Exact;
use domain::period::Period;
use engine::books::Books;
use engine::close::{self, Wish};
use engine::hanging::{self, Hanging};
use engine::restore;
use serde::Serialize;

use super::planned::{self, Planned};
use super::{issued_findings, obstacles, other_reasons};
use crate::cli::invoice::{
    self, FindingAnswer, Party, cents, findings_answer, money, revisions_in_words, short, total,
};
use crate::cli::start::fault;
use crate::cli::what_if::{self, Guard};
use crate::cli::{Context, period, select};
use crate::exit::Exit;
use crate::output::{Output, align_right, count, left, right, table};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec check --period 2026-01\n  pec check --period 2026-01 --partner Contoso --json\n  pec check --period 2026-01 --findings"
)]
pub struct Check {
    /// The month
    #[arg(long, value_parser = period::period, value_name = "MONTH")]
    period: Period,
    /// Bill-to partner, by name or tenant (default: all)
    #[arg(long)]
    partner: Option<String>,
    /// Do not ask Kafka how far its topics are
    #[arg(long)]
    offline: bool,
    /// Every single finding with the list charge that hangs on it, not put together by code
    #[arg(long)]
    findings: bool,
}

/// One line of `schemas/output/check.v1.json`.
#[derive(Serialize)]
struct CheckAnswer {
    schema: &'static str,
    bill_to: Party,
    period: String,
    rules_version: u32,
    policy_revision: u32,
    /// Of the month's first day, and of the days of the draft's lines.
    policy_revisions: Vec<u32>,
    can_be_closed: bool,
    /// Documents of the month that stand.
    issued: Vec<String>,
    /// Those that closing would issue, each with what it adjusts.
    documents: Vec<Planned>,
    /// What the month itself is drafted to.
    total: String,
    reasons: Vec<String>,
    findings: Vec<CheckedFinding>,
    waiting: Waiting,
    /// Requested transfers, and what they would cost.
    transfers: Vec<Guard>,
}

/// Findings of one code, with the money and the command that mends them.
#[derive(Serialize)]
struct CheckedFinding {
    #[serde(flatten)]
    finding: FindingAnswer,
    /// List charge that hangs on all of them, exact, in the pricing currency; null where it is unknown.
    list_charge: Option<String>,
}

/// One line of `schemas/output/finding.v1.json`.
#[derive(Serialize)]
struct OneFinding {
    schema: &'static str,
    bill_to: Party,
    period: String,
    code: &'static str,
    rule: &'static str,
    blocking: bool,
    what: String,
    list_charge: Option<String>,
    customer: Option<String>,
    plan: Option<String>,
    subscription: Option<String>,
    resource: Option<String>,
    meter: Option<String>,
    day: Option<String>,
    hint: String,
    events: Vec<String>,
    rules_version: u32,
    /// Of the finding's day; of the first day of its month where it has none.
    policy_revision: u32,
}

/// What is not tied to a month and may still matter.
#[derive(Serialize, Clone)]
struct Waiting {
    quarantined: BTreeMap<&'static str, u64>,
    open_conflicts: usize,
}

impl Check {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let mut obstacles = if self.offline { Vec::new() } else { obstacles(context, self.period)? };
        let at = context.ledger.clock().now().map_err(fault)?;
        let waiting = waiting(context)?;
        let facts = context.ledger.facts().map_err(fault)?;
        obstacles.extend(restore::obstacles(&facts, self.period, &[]));
        let commerce = facts.commerce.view();
        let mut books = Books::new(&facts, &commerce);
        let partners = select::partners(&books, self.partner.as_deref())?;
        if partners.is_empty() {
            return Err(invoice::nothing(&books, self.period).into());
        }
        let guards = what_if::guards(&mut books, at);
        let mut exit = Exit::Fine;
        let mut closable = false;
        for (index, bill_to) in partners.into_iter().enumerate() {
            let decision = Decision { actor: context.actor.as_str().into(), reason: "rehearsal".into(), at };
            let wish = Wish {
                bill_to,
                period: self.period,
                decision,
                obstacles: obstacles.clone(),
                accept_unknown_access: false,
            };
            let (rehearsal, findings) = close::plan(&mut books, &wish, facts.end());
            if !rehearsal.reasons.is_empty() {
                exit = Exit::Refused;
            }
            let hanging = hanging::charges(&mut books, bill_to, self.period, &findings);
            if self.findings {
                let before = issued_findings(&rehearsal.reasons);
                self.every_finding(&books, bill_to, (&findings, &hanging), &before, context.json, out)?;
                continue;
            }
            let mut answer = self.one(&mut books, bill_to, rehearsal, (&findings, &hanging), waiting.clone());
            answer.transfers = guards.iter().filter(|guard| guard.concerns(bill_to)).cloned().collect();
            closable |= answer.can_be_closed && !answer.documents.is_empty();
            if context.json {
                out.ndjson(&answer)?;
            } else {
                if index > 0 {
                    out.line("")?;
                }
                print_check(&answer, out)?;
            }
        }
        if closable && !context.json {
            out.note(format!("Close it: pec close --period {} --reason '…'", self.period))?;
        }
        Ok(exit)
    }

    fn one(
        &self,
        books: &mut Books<'_>,
        bill_to: Guid,
        rehearsal: Rehearsal,
        (findings, hanging): (&[Finding], &Hanging),
        waiting: Waiting,
    ) -> CheckAnswer {
        let (draft, _) = books.draft(bill_to, self.period, &mut |_| {});
        CheckAnswer {
            schema: "pec.check.v1",
            rules_version: draft.rules_version,
            policy_revision: draft.policy.revision,
            policy_revisions: engine::books::draft_revisions(books.facts, &draft),
            bill_to: Party { id: bill_to.to_string(), name: books.partner_name(bill_to) },
            period: self.period.to_string(),
            can_be_closed: rehearsal.reasons.is_empty(),
            issued: rehearsal.stands.iter().map(ToString::to_string).collect(),
            documents: rehearsal.documents.iter().map(Planned::from).collect(),
            total: total(&draft.total_and_rounding().0, draft.currency),
            reasons: other_reasons(&rehearsal.reasons),
            findings: checked(findings, self.period, hanging),
            waiting,
            transfers: Vec::new(),
        }
    }

    fn every_finding(
        &self,
        books: &Books<'_>,
        bill_to: Guid,
        (findings, hanging): (&[Finding], &Hanging),
        before: &[(Period, Finding)],
        json: bool,
        out: &mut Output,
    ) -> anyhow::Result<()> {
        let name = books.partner_name(bill_to);
        let own = findings.iter().zip(&hanging.each).map(|(finding, charge)| (self.period, finding, charge.as_ref()));
        // What hangs on a month that is issued is known where whoever found it knows.
        let issued = before.iter().map(|(period, finding)| (*period, finding, finding.charge.as_ref()));
        let all: Vec<(Period, &Finding, Option<&Exact>)> = own.chain(issued).collect();
        if json {
            for (period, finding, charge) in all {
                let bill_to = Party { id: bill_to.to_string(), name: name.clone() };
                out.ndjson(&one_finding(books, bill_to, period, finding, charge))?;
            }
            return Ok(());
        }
        out.heading(&format!("{name} — {}", self.period))?;
        if all.is_empty() {
            out.line("Everything adds up.")?;
            return Ok(());
        }
        let mut list = table(&["finding", "rule", "", "list charge", "what, and what mends it"]);
        for (period, finding, charge) in all {
            let stops = if finding.blocking() { "stops closing" } else { "" };
            let charge = charge.map_or_else(|| "unknown".to_owned(), |usd| cents(usd, Currency::USD));
            let earlier = if period == self.period { String::new() } else { format!("in {period}, which is issued: ") };
            let about = select::shortened(&select::about(finding));
            let words = format!("{earlier}{about}\n→ {}", finding.hint(period));
            list.add_row([left(finding.code), left(finding.code.rule()), left(stops), right(charge), left(words)]);
        }
        align_right(&mut list, &[3]);
        out.table(list)?;
        Ok(())
    }
}

/// Findings put together by code, each code with what hangs on it.
fn checked(findings: &[Finding], period: Period, hanging: &Hanging) -> Vec<CheckedFinding> {
    let charge = |code: &str| {
        let found = hanging.by_code.iter().find(|(known, _)| known.text() == code);
        found.map(|(_, charge)| money(charge, Currency::USD))
    };
    let answers = findings_answer(findings, period).into_iter();
    answers.map(|finding| CheckedFinding { list_charge: charge(finding.code), finding }).collect()
}

fn one_finding(
    books: &Books<'_>,
    bill_to: Party,
    period: Period,
    finding: &Finding,
    charge: Option<&Exact>,
) -> OneFinding {
    let about = &finding.about;
    OneFinding {
        schema: "pec.finding.v1",
        bill_to,
        period: period.to_string(),
        code: finding.code.text(),
        rule: finding.code.rule(),
        blocking: finding.blocking(),
        what: finding.detail.clone(),
        list_charge: charge.map(|charge| money(charge, Currency::USD)),
        customer: about.customer.map(|id| id.to_string()),
        plan: about.plan.map(|id| id.to_string()),
        subscription: about.subscription.map(|id| id.to_string()),
        resource: about.resource.as_ref().map(ToString::to_string),
        meter: about.meter.as_ref().map(ToString::to_string),
        day: about.day.map(|day| day.to_string()),
        hint: finding.hint(period),
        events: finding.events.iter().map(ToString::to_string).collect(),
        rules_version: domain::policy::RULES_VERSION,
        policy_revision: books.facts.policy.at(about.day.unwrap_or(period.first_day())).revision,
    }
}

fn print_checked(findings: &[CheckedFinding], out: &mut Output) -> anyhow::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let mut list = table(&["finding", "", "count", "list charge", "what, and what mends it"]);
    for CheckedFinding { finding, list_charge } in findings {
        let stops = if finding.blocking { "stops closing" } else { "" };
        let words =
            format!("{} ({})\nfor example {}\n→ {}", finding.meaning, finding.rule, finding.example, finding.hint);
        let charge = list_charge.as_deref().map_or_else(|| "unknown".to_owned(), short);
        list.add_row([left(finding.code), left(stops), right(finding.count), right(charge), left(words)]);
    }
    align_right(&mut list, &[2, 3]);
    out.table(list)?;
    out.note("Each of them with its money: the same command with --findings")?;
    Ok(())
}

fn waiting(context: &Context<'_>) -> anyhow::Result<Waiting> {
    let mut quarantined = BTreeMap::new();
    for one in engine::quarantine::list(context.ledger).map_err(fault)? {
        if one.redriven.is_none() {
            *quarantined.entry(one.code).or_insert(0) += 1;
        }
    }
    let open_conflicts = context.ledger.facts().map_err(fault)?.conflicts.open().count();
    Ok(Waiting { quarantined, open_conflicts })
}

fn print_check(answer: &CheckAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("{} — {}", answer.bill_to.name, answer.period))?;
    let drafted = if answer.issued.is_empty() { "Draft" } else { "Redraft" };
    out.line(format!("{drafted} total {}", short(&answer.total)))?;
    if !answer.issued.is_empty() {
        out.line(format!("Issued: {}", answer.issued.join(", ")))?;
    }
    if !answer.documents.is_empty() {
        planned::print(&answer.documents, answer.can_be_closed, out)?;
    } else if answer.issued.is_empty() {
        out.line("Nothing would be issued: no usage and no adjustment.")?;
    }
    if !answer.can_be_closed {
        out.line("It cannot be closed yet:")?;
    } else if !answer.documents.is_empty() {
        out.line("Nothing stands against closing it.")?;
    }
    for reason in &answer.reasons {
        out.line(format!("  • {reason}"))?;
    }
    print_checked(&answer.findings, out)?;
    let waiting = &answer.waiting;
    if waiting.open_conflicts > 0 || !waiting.quarantined.is_empty() {
        out.line("")?;
    }
    if waiting.open_conflicts > 0 {
        let events = count(waiting.open_conflicts as u64, "event");
        out.line(format!("{events} told in two ways: pec conflicts list"))?;
    }
    for (code, number) in &waiting.quarantined {
        out.line(format!("{} not readable ({code}): pec quarantine list", count(*number, "message")))?;
    }
    if !answer.transfers.is_empty() {
        out.line("")?;
    }
    what_if::print_guards(&answer.transfers, out)?;
    out.line("")?;
    out.line(format!("Rules version {} · {}", answer.rules_version, revisions_in_words(&answer.policy_revisions)))?;
    Ok(())
}
