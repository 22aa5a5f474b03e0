//! Commands to events, or a refusal that lists every reason at once.
//!
//! Closing turns a draft into an issued document, together with the adjustments that late facts
//! ask for in months already issued. Nothing is ever changed or deleted: a wrong close is voided by
//! an event and a credit note. Nothing here appends, asks a clock or hashes; what the world outside
//! knows (time, Kafka's positions) is handed in.

mod adjust;

use std::collections::{BTreeMap, BTreeSet};

use crate::commerce::by_partner;
use crate::entry::{Acceptance, Decision, Event, InvoiceVoided, IssuedDocument, IssuedLine, LineKey};
use crate::finding::{Code, Finding};
use crate::ids::{Currency, Digest, Guid, Identity};
use crate::invoice::{Draft, TaxRate, TooLong, draft, due_tax, tax_rate};
use crate::issued::{IssuedBook, IssuedSum, Taxable, UNKNOWN_ACCESS, canonical_lines, concern};
use crate::money::Exact;
use crate::period::{Day, Instant, Period};
use crate::policy::{Policy, RULES_VERSION, Tax};
use crate::rating::{Desk, Judging};
use adjust::{Adjusted, difference};

/// Someone wants to issue a month.
pub struct Closing<'a> {
    pub bill_to: Guid,
    /// The partner's billing currency in this month.
    pub currency: Currency,
    pub period: Period,
    /// The journal's end: what the documents rest on.
    pub position: u64,
    /// Who, why, and when; the time is compared with the end of the month.
    pub decision: Decision,
    /// What else stands against it: streams behind the broker, an unreachable broker without
    /// `--offline`. One sentence each.
    pub obstacles: &'a [String],
    /// Findings of the judge of access, beside those of the draft.
    pub findings: &'a [Finding],
    /// `--accept unknown-access`: recorded with this decision, for the days of this month that are unknown
    /// now. Of a month already issued it is the whole decision: nothing else is done.
    pub accept_unknown_access: bool,
    /// BLAKE3, handed in.
    pub digest: &'a dyn Fn(&[u8]) -> Digest,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Closed {
    /// To be appended together, in this order.
    Issue(Vec<Event>),
    /// Nothing new: these documents stand.
    Already(Vec<Box<str>>),
    /// These documents stand, and a person accepts what became unknown in their month since; to be appended.
    Accepted(Vec<Box<str>>, Acceptance),
    /// No usage and no adjustment: there is nothing to issue.
    Nothing,
}

/// One reason against a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The month has not ended, or its grace has not passed.
    NotEnded {
        until: Instant,
    },
    /// An earlier month of this partner has something to issue, and no invoice of it stands.
    OutOfOrder {
        open: Period,
    },
    Finding(Box<Finding>),
    /// A blocking finding in a month that was issued before: its adjustments cannot be told.
    Issued {
        period: Period,
        finding: Box<Finding>,
    },
    /// An event that may concern the partner was told in two ways.
    Conflict(Identity),
    Obstacle(String),
    /// A number of a line does not fit into a document.
    TooLong(Box<TooLong>),
    UnknownDocument(Box<str>),
    AlreadyVoided(Box<str>),
    NotAnInvoice(Box<str>),
}

/// Every reason at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub reasons: Vec<Reason>,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotEnded { until } => write!(f, "the month can first be closed at {until}"),
            Self::OutOfOrder { open } => {
                write!(
                    f,
                    "{open} has something to issue and no invoice of it stands; close it first: \
                     pec close --period {open} --reason WHY"
                )
            }
            Self::Finding(finding) => write!(f, "{}: {}; {}", finding.code, finding.detail, finding.code.hint()),
            Self::Issued { period, finding } => {
                let (code, hint) = (finding.code, finding.hint(*period));
                write!(f, "{period}, which is issued: {code}: {}; {hint}", finding.detail)
            }
            Self::Conflict(identity) => {
                let code = Code::OpenConflict;
                write!(f, "{code}: event {identity} was told in two ways; decide which one holds: pec conflicts decide")
            }
            Self::Obstacle(what) => f.write_str(what),
            Self::TooLong(long) => write!(f, "{} {} has more digits than a document holds", long.what, long.value),
            Self::UnknownDocument(id) => write!(f, "no document `{id}` was issued"),
            Self::AlreadyVoided(id) => write!(f, "document `{id}` is void already"),
            Self::NotAnInvoice(id) => write!(f, "document `{id}` is a credit note; void the invoice it amends"),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        f.write_str(&reasons.join("\n"))
    }
}

impl std::error::Error for Refusal {}

/// What speaks against a close, and the days whose unknown access a person accepts with it.
#[derive(Default)]
struct Against {
    reasons: Vec<Reason>,
    accepted: BTreeSet<Day>,
}

/// What closing a month comes to, before it is decided: shown by a rehearsal, carried out by a close.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rehearsal {
    /// Documents of the month that stand.
    pub stands: Vec<Box<str>>,
    /// Those that would be issued; as drafted now where something stands against it.
    pub documents: Vec<IssuedDocument>,
    /// What a person accepts with it.
    pub acceptance: Option<Acceptance>,
    /// Everything that stands against it.
    pub reasons: Vec<Reason>,
}

impl Rehearsal {
    /// Carried out, or refused with every reason.
    pub fn decided(self) -> Result<Closed, Refusal> {
        let Self { stands, documents, acceptance, reasons } = self;
        if !reasons.is_empty() {
            return Err(Refusal { reasons });
        }
        if documents.is_empty() {
            return Ok(match acceptance {
                _ if stands.is_empty() => Closed::Nothing,
                Some(acceptance) => Closed::Accepted(stands, acceptance),
                None => Closed::Already(stands),
            });
        }
        let acceptance = acceptance.map(Event::AcceptanceRecorded);
        Ok(Closed::Issue(acceptance.into_iter().chain(documents.into_iter().map(Event::InvoiceIssued)).collect()))
    }
}

/// INV-7: issues a month, once. Asked again, it names what stands. Source: definitions, close.
pub fn close(desk: &Desk<'_>, judging: &mut Judging<'_>, closing: &Closing<'_>) -> Result<Closed, Refusal> {
    rehearse(desk, judging, closing).decided()
}

/// What [`close`] decides by.
pub fn rehearse(desk: &Desk<'_>, judging: &mut Judging<'_>, closing: &Closing<'_>) -> Rehearsal {
    let issued = &desk.facts.issued;
    let standing = issued.standing(closing.bill_to, closing.period);
    let stands: Vec<Box<str>> = standing.into_iter().map(|document| document.id.clone()).collect();
    if !stands.is_empty() && !issued.is_reopened(closing.bill_to, closing.period) {
        let acceptance = accepted_later(desk, judging, closing);
        return Rehearsal { stands, acceptance, ..Rehearsal::default() };
    }
    let mut against = Against { reasons: standing_against(desk, closing), accepted: BTreeSet::new() };
    let earlier = open_before(desk, judging, closing).into_iter().map(|open| Reason::OutOfOrder { open });
    against.reasons.extend(earlier);
    let policy = desk.facts.policy.at(closing.period.first_day());
    let mut lines = adjusted(desk, judging, closing, &mut against);
    for currency in billed_in(desk, closing) {
        let own = own_lines(desk, judging, closing, currency, &mut against);
        lines.entry(own.0).or_default().splice(0..0, own.1);
    }
    lines.retain(|currency, lines| !lines.is_empty() && issued.is_open(closing.bill_to, closing.period, *currency));
    let Against { mut reasons, accepted } = against;
    let mut documents = Vec::new();
    for (currency, lines) in lines {
        match document(desk, closing, &policy, currency, lines) {
            Ok(document) => documents.push(document),
            Err(reason) => reasons.push(reason),
        }
    }
    Rehearsal { stands, documents, acceptance: accept_unknown_access(closing, &accepted), reasons }
}

/// INV-7: unknown access in a month that is issued waits for a person, whose acceptance takes the days as
/// lost. It is asked for by closing the issued month again with the acceptance; other findings stay.
fn accepted_later(desk: &Desk<'_>, judging: &mut Judging<'_>, closing: &Closing<'_>) -> Option<Acceptance> {
    if !closing.accept_unknown_access {
        return None;
    }
    let mut against = Against::default();
    for currency in billed_in(desk, closing) {
        let (_, findings) = draft(desk, closing.bill_to, currency, closing.period, judging);
        blocking(desk, closing, closing.period, &findings, &mut against);
    }
    accept_unknown_access(closing, &against.accepted)
}

/// INV-6: the adjustments that closing a month would carry, by currency: what late facts changed in
/// months already issued, and what stands against issuing it.
pub fn adjustments(
    desk: &Desk<'_>,
    judging: &mut Judging<'_>,
    closing: &Closing<'_>,
) -> (BTreeMap<Currency, Vec<IssuedLine>>, Vec<Reason>) {
    let mut against = Against::default();
    let lines = adjusted(desk, judging, closing, &mut against);
    (lines, against.reasons)
}

/// Everything that stands against closing, money aside.
fn standing_against(desk: &Desk<'_>, closing: &Closing<'_>) -> Vec<Reason> {
    let policy = desk.facts.policy.at(closing.period.first_day());
    let grace = chrono::TimeDelta::hours(i64::from(policy.grace_hours));
    let until = closing.period.interval().to + grace;
    let mut reasons = Vec::new();
    if closing.decision.at < until {
        reasons.push(Reason::NotEnded { until });
    }
    for (identity, drawer) in desk.facts.conflicts.open() {
        let mut bodies = drawer.bodies().map(|(_, body)| {
            let target = target_of(desk, &body.event);
            concern(&body.event, target, desk.commerce, &desk.facts.policy)
        });
        if bodies.any(|concern| concern.includes(closing.bill_to)) {
            reasons.push(Reason::Conflict(identity));
        }
    }
    reasons.extend(closing.obstacles.iter().cloned().map(Reason::Obstacle));
    reasons
}

/// INV-7: earlier months with something to issue, of which no invoice stands. One whose invoice was
/// voided may have nothing left, since other documents say all that its redraft says; it holds nobody
/// up, as nothing could ever be issued for it. One whose usage went away since may still have something
/// to take back. Months that stand issued are not drafted for this, nor what stands of one of which an
/// invoice in another currency was voided.
pub fn open_before(desk: &Desk<'_>, judging: &mut Judging<'_>, closing: &Closing<'_>) -> Vec<Period> {
    let (issued, bill_to) = (&desk.facts.issued, closing.bill_to);
    let mut unissued = desk.months(bill_to);
    unissued.extend(issued.documented_periods(bill_to));
    unissued.retain(|month| {
        *month < closing.period && (issued.standing(bill_to, *month).is_empty() || issued.is_reopened(bill_to, *month))
    });
    let mut open = Vec::new();
    for period in unissued {
        let currency = desk.currencies(bill_to, period).first().copied().unwrap_or(closing.currency);
        // What was found out about the month that is closed says nothing about this one.
        let own = Closing { period, currency, decision: closing.decision.clone(), findings: &[], ..*closing };
        let mut against = Against::default();
        let something = billed_in(desk, &own)
            .into_iter()
            .filter(|currency| issued.is_open(bill_to, period, *currency))
            .any(|currency| !own_lines(desk, judging, &own, currency, &mut against).1.is_empty());
        if something || !against.reasons.is_empty() {
            open.push(period);
        }
    }
    open
}

fn target_of<'a>(desk: &Desk<'a>, event: &Event) -> Option<&'a Event> {
    let facts = desk.facts;
    facts.usage.bodies(event.target()?).map(|(_, _, body)| body).next()
}

/// The currencies of the month that is closed: the one asked for, and before August 2021 the others. What
/// stands of it keeps its currency.
fn billed_in(desk: &Desk<'_>, closing: &Closing<'_>) -> Vec<Currency> {
    let (bill_to, period) = (closing.bill_to, closing.period);
    if by_partner(period) {
        return vec![desk.facts.issued.currency_of(bill_to, period).unwrap_or(closing.currency)];
    }
    let mut all = vec![closing.currency];
    all.extend(desk.currencies(bill_to, period).into_iter().filter(|one| *one != closing.currency));
    all
}

/// INV-6: the currencies that a month which is issued is adjusted in: that of its lines, whatever its partner
/// is billed in since; and those in which it bills nothing yet, as nothing was due when it was issued.
fn adjusted_in(desk: &Desk<'_>, bill_to: Guid, period: Period) -> BTreeSet<Currency> {
    let issued = &desk.facts.issued;
    let of_lines = issued.currency_of(bill_to, period);
    let mut all: BTreeSet<Currency> = match of_lines {
        Some(one) if by_partner(period) => [one].into(),
        _ => desk.currencies(bill_to, period).into_iter().collect(),
    };
    if all.is_empty() {
        let first = issued.standing(bill_to, period).first().map(|document| document.currency);
        all.extend(of_lines.or(first));
    }
    // What was voided and not issued again is the month's own to issue.
    all.retain(|currency| !issued.is_open(bill_to, period, *currency));
    all
}

/// The month's own lines: in full, or what is missing where voided documents or adjustments named
/// some of them before.
fn own_lines(
    desk: &Desk<'_>,
    judging: &mut Judging<'_>,
    closing: &Closing<'_>,
    currency: Currency,
    against: &mut Against,
) -> (Currency, Vec<IssuedLine>) {
    let (redraft, findings) = draft(desk, closing.bill_to, currency, closing.period, judging);
    blocking(desk, closing, closing.period, &findings, against);
    let before = desk.facts.issued.sums(closing.bill_to, redraft.currency, closing.period);
    (redraft.currency, changes(&redraft, before, Adjusted::Own, &mut against.reasons))
}

/// Lines of months already issued whose redraft differs from everything issued for them so far.
fn adjusted(
    desk: &Desk<'_>,
    judging: &mut Judging<'_>,
    closing: &Closing<'_>,
    against: &mut Against,
) -> BTreeMap<Currency, Vec<IssuedLine>> {
    let issued = &desk.facts.issued;
    let mut lines: BTreeMap<Currency, Vec<IssuedLine>> = BTreeMap::new();
    for period in issued.issued_periods(closing.bill_to).into_iter().filter(|period| *period != closing.period) {
        for currency in adjusted_in(desk, closing.bill_to, period) {
            let (redraft, findings) = draft(desk, closing.bill_to, currency, period, judging);
            blocking(desk, closing, period, &findings, against);
            let before = issued.sums(closing.bill_to, currency, period);
            let changed = changes(&redraft, before, Adjusted::Earlier, &mut against.reasons);
            lines.entry(currency).or_default().extend(changed);
        }
    }
    lines
}

fn changes(
    redraft: &Draft,
    before: BTreeMap<LineKey, IssuedSum>,
    which: Adjusted,
    reasons: &mut Vec<Reason>,
) -> Vec<IssuedLine> {
    let mut lines = Vec::new();
    for line in difference(redraft.period, &redraft.lines, before, which) {
        match line {
            Ok(line) => lines.push(line),
            Err(long) => reasons.push(Reason::TooLong(Box::new(long))),
        }
    }
    lines
}

/// Blocking findings, each once. Unknown access may have been accepted by a person, day by day: what
/// became unknown since waits for another decision.
fn blocking(desk: &Desk<'_>, closing: &Closing<'_>, period: Period, findings: &[Finding], against: &mut Against) {
    let issued = &desk.facts.issued;
    let own = period == closing.period;
    let ours = |finding: &&Finding| {
        let about = &finding.about;
        about.bill_to.is_none_or(|bill_to| bill_to == closing.bill_to)
            && about.day.is_none_or(|day| day.period() == period)
    };
    // What was found out about the month that is closed says nothing about one issued before.
    let handed_in = if own { closing.findings } else { &[] };
    let all: BTreeSet<&Finding> = findings.iter().chain(handed_in).filter(ours).collect();
    for finding in all.into_iter().filter(|finding| finding.blocking()) {
        if let (Code::UnknownAccess, Some(day)) = (finding.code, finding.about.day) {
            if issued.accepts_unknown_access(closing.bill_to, day) {
                continue;
            }
            if own && closing.accept_unknown_access {
                against.accepted.insert(day);
                continue;
            }
        }
        let finding = Box::new(finding.clone());
        let reason = if own { Reason::Finding(finding) } else { Reason::Issued { period, finding } };
        if !against.reasons.contains(&reason) {
            against.reasons.push(reason);
        }
    }
}

/// INV-4: one document. Its total is all Subtotals so far, cut to the currency's minor unit, less
/// all totals issued so far; the difference to its own Subtotals is the visible rounding line.
fn document(
    desk: &Desk<'_>,
    closing: &Closing<'_>,
    policy: &Policy,
    currency: Currency,
    mut lines: Vec<IssuedLine>,
) -> Result<IssuedDocument, Reason> {
    for line in &mut lines {
        let revisions = desk.facts.policy.revisions(line.period, line.by_day.iter().map(|(day, _)| *day));
        line.policy_revisions = (revisions != [policy.revision]).then_some(revisions);
    }
    let issued = &desk.facts.issued;
    let own: Exact = lines.iter().fold(Exact::zero(), |sum, line| &sum + &Exact::from(line.subtotal));
    let (subtotals, totals) = issued.balance(closing.bill_to, currency);
    let so_far = (&subtotals + &own).round(currency.minor_unit(), policy.invoice_rounding);
    let total = &so_far - &totals;
    let rounding = &total - &own;
    let long = |what: &'static str, value: &Exact| {
        let key = Box::new(lines[0].key.clone());
        Reason::TooLong(Box::new(TooLong { key, what, value: value.clone() }))
    };
    let tax = match taxed(desk, closing.bill_to, currency, &lines) {
        None => None,
        Some(tax) => Some(tax.decimal().ok_or_else(|| long("tax", &tax))?),
    };
    let revision = issued.revisions(closing.bill_to, currency, closing.period) + 1;
    Ok(IssuedDocument {
        id: format!("{}-{currency}-{}-{revision}", closing.period, closing.bill_to).into(),
        bill_to: closing.bill_to,
        currency,
        period: closing.period,
        revision,
        amends: None,
        total: total.decimal().ok_or_else(|| long("total", &total))?,
        rounding: rounding.decimal().ok_or_else(|| long("rounding", &rounding))?,
        tax,
        lines_digest: (closing.digest)(&canonical_lines(&lines)),
        lines,
        position: closing.position,
        rules_version: RULES_VERSION,
        policy_revision: policy.revision,
        decision: closing.decision.clone(),
    })
}

/// INV-12: the tax of a document: what is due on everything so far, each month by its own rate, less the tax of all
/// documents so far, so that a rate or a policy told late is made up for. Absent where none was ever drawn.
fn taxed(desk: &Desk<'_>, bill_to: Guid, currency: Currency, lines: &[IssuedLine]) -> Option<Exact> {
    let (mut months, before) = desk.facts.issued.taxed(bill_to, currency);
    for line in lines {
        months.entry(line.period).or_default().add(line);
    }
    let rates = months.iter().filter_map(|(period, sum)| Some((sum, tax_rate(desk, bill_to, *period).0?)));
    let rates: Vec<(&Taxable, TaxRate)> = rates.filter(|(_, rate)| rate.drawn != Tax::Off).collect();
    if rates.is_empty() && before.is_zero() {
        return None;
    }
    let of = |(sum, rate): &(&Taxable, TaxRate)| rate.of(&sum.subtotal, &sum.tax, currency);
    let due = rates.iter().fold(Exact::zero(), |due, month| &due + &of(month));
    Some(&due_tax(&due, currency) - &before)
}

/// INV-8: voids an invoice by an event and a credit note that takes every line back. Its month is
/// open again, for what it billed.
pub fn void(
    issued: &IssuedBook,
    id: &str,
    position: u64,
    decision: &Decision,
    digest: &dyn Fn(&[u8]) -> Digest,
) -> Result<Vec<Event>, Refusal> {
    let refuse = |reason: Reason| Err(Refusal { reasons: vec![reason] });
    let Some(document) = issued.document(id) else { return refuse(Reason::UnknownDocument(id.into())) };
    if document.amends.is_some() {
        return refuse(Reason::NotAnInvoice(id.into()));
    }
    if issued.is_voided(id) {
        return refuse(Reason::AlreadyVoided(id.into()));
    }
    let lines: Vec<IssuedLine> = document.lines.iter().map(negated).collect();
    let note = IssuedDocument {
        id: format!("{id}-credit").into(),
        amends: Some(document.id.clone()),
        total: -document.total,
        rounding: -document.rounding,
        tax: document.tax.map(|tax| -tax),
        lines_digest: digest(&canonical_lines(&lines)),
        lines,
        position,
        rules_version: RULES_VERSION,
        decision: decision.clone(),
        ..document.clone()
    };
    let voided = InvoiceVoided { document: document.id.clone(), decision: decision.clone() };
    Ok(vec![Event::InvoiceVoided(voided), Event::CreditNoteIssued(note)])
}

fn negated(line: &IssuedLine) -> IssuedLine {
    IssuedLine {
        days: line.by_day.iter().map(|(day, _)| *day).collect(),
        by_day: line.by_day.iter().map(|(day, quantity)| (*day, -*quantity)).collect(),
        quantity: -line.quantity,
        charge_without_credit: -line.charge_without_credit,
        charge: -line.charge,
        subtotal_without_credit: -line.subtotal_without_credit,
        subtotal: -line.subtotal,
        tax: line.tax.map(|tax| -tax),
        rule: "INV-8".into(),
        ..line.clone()
    }
}

/// A person accepts that access on some days of a partner's month stays unknown; nothing to accept is no
/// decision.
fn accept_unknown_access(closing: &Closing<'_>, days: &BTreeSet<Day>) -> Option<Acceptance> {
    let days: Vec<String> = days.iter().map(Day::to_string).collect();
    (!days.is_empty()).then(|| Acceptance {
        what: UNKNOWN_ACCESS.into(),
        about: Some(days.join(" ").into()),
        bill_to: Some(closing.bill_to),
        period: Some(closing.period),
        decision: closing.decision.clone(),
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_documents;
