//! A line that was issued and that no draft has any more: late facts moved its usage to another line. What each
//! document says of it, what of it was taken back, and what the next close will carry.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{IssuedDocument, IssuedLine};
use domain::ids::{Currency, Guid, Identity};
use domain::issued::IssuedSum;
use domain::period::{Instant, Period};
use engine::books::{self, Books};
use engine::close::{document_event, voided_event};
use engine::trace::{self, Wanted};
use serde::Serialize;

use super::document::{self, LineAnswer};
use super::{EVENTS_SHOWN, EventAnswer, event_answer, print_events};
use crate::cli::invoice::{Party, money, revisions_in_words};
use crate::cli::start::fault;
use crate::cli::{Context, period};
use crate::exit::Exit;
use crate::output::{Output, align_right, left, right, table};

/// The shape `issued_line` of `schemas/output/explain.v1.json`.
#[derive(Serialize)]
struct IssuedAnswer {
    schema: &'static str,
    about: &'static str,
    line: String,
    period: String,
    bill_to: Party,
    customer: Party,
    product: String,
    /// The rule by which what was issued is mended.
    rule: &'static str,
    rules_version: u32,
    /// Of the policy on the first day of the month, as it is known now.
    policy_revision: u32,
    meaning: String,
    documents: Vec<InDocument>,
    /// What stands of it when all documents are added up, one for each currency.
    stands: Vec<Stands>,
    /// What the next close will carry for it.
    next: Vec<LineAnswer>,
    events: Vec<EventAnswer>,
    events_in_all: usize,
}

/// What one document says of the line.
#[derive(Serialize)]
struct InDocument {
    document: String,
    kind: &'static str,
    issued_at: String,
    issued_by: String,
    reason: String,
    /// A credit note took it back.
    void: bool,
    line: LineAnswer,
}

#[derive(Serialize)]
struct Stands {
    quantity: String,
    charge: String,
    subtotal: String,
}

type Found<'f> = (&'f IssuedDocument, &'f IssuedLine);

/// `None` where no document has a line of that name.
pub(super) fn explain(
    name: &str,
    asked: Option<Period>,
    as_of: Option<Instant>,
    books: &mut Books<'_>,
    context: &Context<'_>,
    out: &mut Output,
) -> anyhow::Result<Option<Exit>> {
    let facts = books.facts;
    let documents = facts.issued.documents().into_iter();
    let lines = documents.flat_map(|document| document.lines.iter().map(move |line| (document, line)));
    let found: Vec<Found<'_>> = lines
        .filter(|(_, line)| asked.is_none_or(|asked| asked == line.period))
        .filter(|(_, line)| books::line_name(&line.key, line.period) == name)
        .collect();
    let Some((first, line)) = found.first().copied() else { return Ok(None) };
    let ids: BTreeSet<&str> = found.iter().map(|(document, _)| &*document.id).collect();
    let identities: BTreeSet<Identity> = ids.iter().flat_map(|id| [document_event(id), voided_event(id)]).collect();
    let wanted = Wanted { identities, usage: None, as_of };
    let (events, in_all) = trace::find(context.ledger.reader(), &wanted, EVENTS_SHOWN).map_err(fault)?;
    let events = (events.iter().map(|cited| event_answer(cited, facts)).collect(), in_all);
    let answer = answer((name, line), first.bill_to, &found, events, books);
    if context.json {
        out.json(&answer)?
    } else {
        print(&answer, out)?
    }
    Ok(Some(Exit::Fine))
}

fn answer(
    (name, line): (&str, &IssuedLine),
    bill_to: Guid,
    found: &[Found<'_>],
    (events, events_in_all): (Vec<EventAnswer>, usize),
    books: &mut Books<'_>,
) -> IssuedAnswer {
    let facts = books.facts;
    let key = &line.key;
    let standing = facts.issued.standing(bill_to, line.period);
    let next: Vec<IssuedLine> = standing.first().map_or_else(Vec::new, |invoice| document::redraft(invoice, books));
    let next: Vec<IssuedLine> = next.into_iter().filter(|other| other.key == *key).collect();
    let today = document::Said::today(facts, line.period);
    let currency = facts.issued.currency_of(bill_to, line.period).unwrap_or(found[0].0.currency);
    IssuedAnswer {
        schema: "pec.explain.v1",
        about: "issued-line",
        line: name.to_owned(),
        period: line.period.to_string(),
        bill_to: Party { id: bill_to.to_string(), name: books.partner_name(bill_to) },
        customer: Party { id: key.customer.to_string(), name: books.customer_name(key.customer) },
        product: document::product(key),
        rule: "INV-6",
        rules_version: domain::policy::RULES_VERSION,
        policy_revision: facts.policy.at(line.period.first_day()).revision,
        meaning: meaning(!standing.is_empty(), !next.is_empty()),
        documents: found.iter().map(|one| in_document(*one, books)).collect(),
        stands: stands(found),
        next: next.iter().map(|line| document::line_answer(line, currency, &today, books)).collect(),
        events,
        events_in_all,
    }
}

/// INV-6: the sum of all documents is what the drafts say, so what has vanished from them goes back.
fn meaning(standing: bool, next: bool) -> String {
    let then = match (standing, next) {
        (false, _) => "Its month is open again: the next invoice of the month says what its draft says.",
        (true, true) => "The next close takes back what stands of it.",
        (true, false) => "All of it was taken back.",
    };
    format!("It was issued, and what is known now puts its usage into other lines, or into none. {then}")
}

fn in_document((document, line): Found<'_>, books: &Books<'_>) -> InDocument {
    InDocument {
        document: document.id.to_string(),
        kind: if document.amends.is_some() { "credit-note" } else { "invoice" },
        issued_at: period::instant(document.decision.at),
        issued_by: document.decision.actor.to_string(),
        reason: document.decision.reason.to_string(),
        void: books.facts.issued.is_voided(&document.id),
        line: document::line_answer(line, document.currency, &document::Said::by(document), books),
    }
}

fn stands(found: &[Found<'_>]) -> Vec<Stands> {
    let mut sums: BTreeMap<Currency, IssuedSum> = BTreeMap::new();
    for (document, line) in found {
        sums.entry(document.currency).or_default().add(line);
    }
    let sum = |(currency, sum): (Currency, IssuedSum)| Stands {
        quantity: sum.quantity.to_string(),
        charge: money(&sum.charge, Currency::USD),
        subtotal: money(&sum.subtotal, currency),
    };
    sums.into_iter().map(sum).collect()
}

fn print(answer: &IssuedAnswer, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("{} — {}, issued and in no draft", answer.line, answer.product))?;
    out.line(format!("{}, billed to {} for {}", answer.customer.name, answer.bill_to.name, answer.period))?;
    out.line(format!("{} ({})", answer.meaning, answer.rule))?;
    out.line("")?;
    let mut list = table(&["document", "issued", "PEC", "quantity", "charge", "subtotal", "rule"]);
    for one in &answer.documents {
        let void = if one.void { "\nvoid" } else { "" };
        list.add_row([
            left(format!("{}\n{}{void}", one.document, one.kind)),
            left(format!("{}\nby {}: {}", one.issued_at, one.issued_by, one.reason)),
            right(one.line.credit_rate.as_deref().unwrap_or("—")),
            right(&one.line.quantity),
            right(&one.line.charge),
            right(&one.line.subtotal),
            left(&one.line.rule),
        ]);
    }
    align_right(&mut list, &[2, 3, 4, 5]);
    out.table(list)?;
    for sum in &answer.stands {
        out.line(format!("  stands     {} units, {}, {}", sum.quantity, sum.charge, sum.subtotal))?;
    }
    for line in &answer.next {
        out.line(format!("  next close {} units, {}, {}", line.quantity, line.charge, line.subtotal))?;
    }
    print_events(&answer.events, answer.events_in_all, out)?;
    out.line("")?;
    let revisions: BTreeSet<u32> =
        answer.documents.iter().flat_map(|one| one.line.policy_revisions.iter().copied()).collect();
    let revisions: Vec<u32> = revisions.into_iter().collect();
    out.line(format!("Rules version {} · {}", answer.rules_version, revisions_in_words(&revisions)))?;
    Ok(())
}
