//! An issued document: who closed it, when and why, what it rests on, its lines, what it amends or
//! what took it back, and whether we would say the same today.
//!
//! A document is never recomputed. What later facts changed is shown beside it, as the adjustments
//! that the next close would carry.

use std::collections::BTreeSet;

use domain::decide::{self, Closing};
use domain::entry::{Decision, IssuedDocument, IssuedLine, LineKey};
use domain::facts::Facts;
use domain::ids::{Currency, Digest};
use domain::issued::canonical_lines;
use domain::money::Exact;
use domain::period::{Instant, Period};
use domain::rating::judged;
use engine::books::{self, Books};
use engine::close::{document_event, voided_event};
use engine::trace::{self, Wanted};
use serde::Serialize;

use super::{EVENTS_SHOWN, EventAnswer, event_answer, print_events};
use crate::cli::invoice::{Party, money, revisions_in_words, total};
use crate::cli::start::fault;
use crate::cli::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, left, right, table};

/// How many lines are shown to people; programs get all.
const LINES_SHOWN: usize = 60;

/// The shape `document` of `schemas/output/explain.v1.json`.
#[derive(Serialize)]
struct DocumentAnswer {
    schema: &'static str,
    about: &'static str,
    document: String,
    kind: &'static str,
    rule: &'static str,
    bill_to: Party,
    period: String,
    currency: String,
    revision: u32,
    total: String,
    rounding: String,
    /// Beside the total; null where tax is off.
    tax: Option<String>,
    issued_by: String,
    issued_at: String,
    reason: String,
    /// The journal's end when it was issued: replaying up to there gives this document.
    position: u64,
    rules_version: u32,
    policy_revision: u32,
    /// Of all its lines, and of the first day of its month.
    policy_revisions: Vec<u32>,
    lines_digest: String,
    /// Whether the lines still have the digest that was written down with them.
    digest_agrees: bool,
    amends: Option<String>,
    amended_by: Vec<String>,
    void: bool,
    lines: Vec<LineAnswer>,
    /// What the redraft of its month says otherwise, line by line, not issued yet.
    redraft: Vec<LineAnswer>,
    redraft_differs: bool,
    events: Vec<EventAnswer>,
    events_in_all: usize,
}

#[derive(Serialize)]
pub(super) struct LineAnswer {
    line: String,
    period: String,
    customer: Party,
    meter: String,
    product: String,
    sku: String,
    /// What people read in their place.
    #[serde(skip)]
    name: String,
    pub(super) credit_rate: Option<String>,
    pub(super) quantity: String,
    unit_price: String,
    effective_unit_price: String,
    pub(super) charge: String,
    pub(super) subtotal: String,
    tax: Option<String>,
    pub(super) rule: String,
    days: Vec<String>,
    policy_revision: u32,
    /// Of the line's own days.
    pub(super) policy_revisions: Vec<u32>,
    rules_version: u32,
}

/// Whether somebody means a document by this: ids begin with a month and a currency.
pub(super) fn is_document(what: &str, facts: &Facts) -> bool {
    let mut parts = what.splitn(4, '-');
    let month = format!("{}-{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let currency = parts.next().and_then(Currency::parse);
    facts.issued.document(what).is_some() || (Period::parse(&month).is_some() && currency.is_some())
}

pub(super) fn explain(
    id: &str,
    as_of: Option<Instant>,
    books: &mut Books<'_>,
    context: &Context<'_>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let facts = books.facts;
    let Some(document) = facts.issued.document(id) else {
        let known: Vec<String> = facts.issued.documents().iter().map(|one| one.id.to_string()).collect();
        let hint = if known.is_empty() {
            "nothing is issued yet: pec check, then pec close".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        return Err(Problem::refused(format!("no document {id} was issued")).hint(hint).into());
    };
    let wanted = Wanted { identities: [document_event(id), voided_event(id)].into(), usage: None, as_of };
    let (events, in_all) = trace::find(context.ledger.reader(), &wanted, EVENTS_SHOWN).map_err(fault)?;
    let answer = answer(document, books, (events.iter().map(|cited| event_answer(cited, facts)).collect(), in_all));
    if context.json {
        out.json(&answer)?
    } else {
        print(&answer, out)?
    }
    Ok(Exit::Fine)
}

fn answer(document: &IssuedDocument, books: &mut Books<'_>, events: (Vec<EventAnswer>, usize)) -> DocumentAnswer {
    let facts = books.facts;
    let amount = |amount: rust_decimal::Decimal| money(&Exact::from(amount), document.currency);
    let amending = facts.issued.documents().into_iter().filter(|other| other.amends.as_ref() == Some(&document.id));
    let amended_by = amending.map(|other| other.id.to_string()).collect();
    let changed = redraft(document, books);
    let (stated, today) = (Said::by(document), Said::today(facts, document.period));
    DocumentAnswer {
        schema: "pec.explain.v1",
        about: "document",
        document: document.id.to_string(),
        kind: if document.amends.is_some() { "credit-note" } else { "invoice" },
        rule: if document.amends.is_some() { "INV-8" } else { "INV-7" },
        bill_to: Party { id: document.bill_to.to_string(), name: books.partner_name(document.bill_to) },
        period: document.period.to_string(),
        currency: document.currency.to_string(),
        revision: document.revision,
        total: total(&Exact::from(document.total), document.currency),
        rounding: amount(document.rounding),
        tax: document.tax.map(amount),
        issued_by: document.decision.actor.to_string(),
        issued_at: period::instant(document.decision.at),
        reason: document.decision.reason.to_string(),
        position: document.position,
        rules_version: document.rules_version,
        policy_revision: document.policy_revision,
        policy_revisions: document.policy_revisions(),
        lines_digest: document.lines_digest.to_string(),
        digest_agrees: Digest(*blake3::hash(&canonical_lines(&document.lines)).as_bytes()) == document.lines_digest,
        amends: document.amends.as_ref().map(ToString::to_string),
        amended_by,
        void: facts.issued.is_voided(&document.id),
        lines: document.lines.iter().map(|line| line_answer(line, document.currency, &stated, books)).collect(),
        redraft_differs: !changed.is_empty(),
        redraft: changed.iter().map(|line| line_answer(line, document.currency, &today, books)).collect(),
        events: events.0,
        events_in_all: events.1,
    }
}

/// INV-6: what a close after this one would carry for the document's month; nothing for a document
/// that is void or a credit note, whose month is open again.
pub(super) fn redraft(document: &IssuedDocument, books: &mut Books<'_>) -> Vec<IssuedLine> {
    let facts = books.facts;
    if document.amends.is_some() || facts.issued.is_voided(&document.id) {
        return Vec::new();
    }
    let later = facts.issued.issued_periods(document.bill_to).into_iter().max().unwrap_or(document.period).next();
    let decision = Decision { actor: "".into(), reason: "asked, not decided".into(), at: document.decision.at };
    let closing = Closing {
        bill_to: document.bill_to,
        currency: document.currency,
        period: later,
        position: document.position,
        decision,
        obstacles: &[],
        findings: &[],
        accept_unknown_access: false,
        digest: &|_| Digest::default(),
    };
    let (mut lines, _) = decide::adjustments(&books.desk, &mut judged(&mut books.judge), &closing);
    let mut lines = lines.remove(&document.currency).unwrap_or_default();
    lines.retain(|line| line.period == document.period);
    for line in &mut lines {
        line.policy_revisions = Some(facts.policy.revisions(line.period, line.by_day.iter().map(|(day, _)| *day)));
    }
    lines
}

/// By which rules and policy a line is said.
pub(super) struct Said {
    rules: u32,
    policy: u32,
}

impl Said {
    pub(super) fn by(document: &IssuedDocument) -> Self {
        Self { rules: document.rules_version, policy: document.policy_revision }
    }

    pub(super) fn today(facts: &Facts, month: Period) -> Self {
        Self { rules: domain::policy::RULES_VERSION, policy: facts.policy.at(month.first_day()).revision }
    }
}

/// Product and SKU of a line as documents name them; a refund has neither, and is called so.
pub(super) fn product(key: &LineKey) -> String {
    if key.product.is_empty() { key.meter.to_string() } else { format!("{}/{}", key.product, key.sku) }
}

pub(super) fn line_answer(line: &IssuedLine, currency: Currency, said: &Said, books: &Books<'_>) -> LineAnswer {
    let key = &line.key;
    let usd = |amount: rust_decimal::Decimal| money(&Exact::from(amount), Currency::USD);
    LineAnswer {
        line: books::line_name(key, line.period),
        period: line.period.to_string(),
        customer: Party { id: key.customer.to_string(), name: books.customer_name(key.customer) },
        meter: key.meter.to_string(),
        product: key.product.to_string(),
        sku: key.sku.to_string(),
        name: product(key),
        credit_rate: key.credit_rate.map(|rate| rate.normalize().to_string()),
        quantity: Exact::from(line.quantity).to_string(),
        unit_price: usd(line.unit_price),
        effective_unit_price: usd(line.effective_unit_price),
        charge: usd(line.charge),
        subtotal: money(&Exact::from(line.subtotal), currency),
        tax: line.tax.map(|tax| money(&Exact::from(tax), currency)),
        rule: line.rule.to_string(),
        days: line.days.iter().map(ToString::to_string).collect(),
        policy_revision: said.policy,
        policy_revisions: line.policy_revisions.clone().unwrap_or_else(|| vec![said.policy]),
        rules_version: said.rules,
    }
}

fn print(answer: &DocumentAnswer, out: &mut Output) -> anyhow::Result<()> {
    let kind = if answer.amends.is_some() { "Credit note" } else { "Invoice" };
    out.heading(&format!("{kind} {}", answer.document))?;
    out.line(format!("{} — {}, {} ({})", answer.bill_to.name, answer.period, answer.total, answer.rule))?;
    out.line(format!("  rounding   {}", answer.rounding))?;
    if let Some(tax) = &answer.tax {
        out.line(format!("  tax        {tax} beside it (INV-12)"))?;
    }
    out.line(format!("  issued     {} by {}: {}", answer.issued_at, answer.issued_by, answer.reason))?;
    out.line(format!("  rests on   the journal before position {}", answer.position))?;
    let agrees = if answer.digest_agrees { "agrees with its lines" } else { "DOES NOT AGREE with its lines" };
    out.line(format!("  digest     {}, {agrees}", answer.lines_digest))?;
    if let Some(amends) = &answer.amends {
        out.line(format!("  amends     {amends}: takes every line of it back"))?;
    }
    if answer.void {
        out.line(format!("  void       taken back by {}", answer.amended_by.join(", ")))?;
    }
    out.line("")?;
    print_lines(&answer.lines, out)?;
    out.line("")?;
    out.heading("Would we say the same today?")?;
    if answer.void || answer.amends.is_some() {
        out.line("Its month is open again, or issued anew: pec invoice shows what it says now.")?;
    } else if answer.redraft_differs {
        out.line("No. The next close will carry these adjustments:")?;
        print_lines(&answer.redraft, out)?;
    } else {
        out.line("Yes: the redraft says the same, line by line.")?;
    }
    print_events(&answer.events, answer.events_in_all, out)?;
    out.line("")?;
    let revisions = revisions_in_words(&answer.policy_revisions);
    out.line(format!("Rules version {} · {revisions}", answer.rules_version))?;
    Ok(())
}

fn print_lines(lines: &[LineAnswer], out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["line", "month", "product", "PEC", "quantity", "charge", "subtotal", "rule"]);
    for line in lines.iter().take(LINES_SHOWN) {
        let days: BTreeSet<&str> = line.days.iter().filter_map(|day| day.get(8..)).collect();
        let days = days.into_iter().collect::<Vec<_>>().join(" ");
        let month = if days.is_empty() { line.period.clone() } else { format!("{}\ndays {days}", line.period) };
        let product = format!("{}\n{}", line.name, line.customer.name);
        list.add_row([
            left(&line.line),
            left(month),
            left(product),
            right(line.credit_rate.as_deref().unwrap_or("—")),
            right(&line.quantity),
            right(&line.charge),
            right(
                line.tax
                    .as_deref()
                    .map_or_else(|| line.subtotal.clone(), |tax| format!("{}\ntax {tax}", line.subtotal)),
            ),
            left(&line.rule),
        ]);
    }
    align_right(&mut list, &[3, 4, 5, 6]);
    out.table(list)?;
    if lines.len() > LINES_SHOWN {
        out.note(format!("{LINES_SHOWN} of {} lines are shown; all with --json", lines.len()))?;
    }
    Ok(())
}
