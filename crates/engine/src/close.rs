//! Closing a month, rehearsing it, and voiding: the domain decides, the journal keeps.
//!
//! Plan, then act: [`plan`] proposes, [`issue`] appends what was proposed, as one batch. One close
//! at a time, so that two people who close one month at once make one invoice.

use domain::decide::{self, Closed, Closing, Refusal, Rehearsal};
use domain::entry::{Acceptance, Decision, Event, Stream};
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::{Currency, Digest, Guid, Identity};
use domain::period::Period;
use domain::rating::judged;

use crate::books::Books;
use crate::decision::Name;
use crate::fault::Fault;
use crate::ledger::{Ledger, Recorded};

/// Who wants to close what, and what is known outside the journal.
#[derive(Clone, Debug)]
pub struct Wish {
    pub bill_to: Guid,
    pub period: Period,
    pub decision: Decision,
    /// One sentence for each thing that stands against it outside the journal.
    pub obstacles: Vec<String>,
    pub accept_unknown_access: bool,
}

fn blake3_of(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

/// What closing would do, and every finding there is, blocking or not.
pub fn plan(books: &mut Books<'_>, wish: &Wish, position: u64) -> (Rehearsal, Vec<Finding>) {
    let (_, findings) = books.draft(wish.bill_to, wish.period, &mut |_| {});
    let closing = Closing {
        bill_to: wish.bill_to,
        currency: books.currencies(wish.bill_to, wish.period).first().copied().unwrap_or(Currency::USD),
        period: wish.period,
        position,
        decision: wish.decision.clone(),
        obstacles: &wish.obstacles,
        findings: &findings,
        accept_unknown_access: wish.accept_unknown_access,
        digest: &blake3_of,
    };
    let mut judging = judged(&mut books.judge);
    let rehearsal = decide::rehearse(&books.desk, &mut judging, &closing);
    drop(judging);
    (rehearsal, findings)
}

/// What came of a wish to close.
#[derive(Debug)]
pub enum Outcome {
    /// The documents that stand now; `new` if this made them.
    Stands {
        documents: Vec<Box<str>>,
        new: bool,
        /// What a person accepted with this.
        accepted: Option<Acceptance>,
    },
    Nothing,
    Refused(Refusal, Vec<Finding>),
}

/// Closes a month for a partner: plans over the facts as they are and appends the plan.
pub fn issue(ledger: &Ledger, wish: &Wish) -> Result<Outcome, Fault> {
    let _one_at_a_time = ledger.closing()?;
    let (rehearsal, findings) = {
        let facts = ledger.facts()?;
        let commerce = facts.commerce.view();
        let mut books = Books::new(&facts, &commerce);
        plan(&mut books, wish, facts.end())
    };
    match rehearsal.decided() {
        Ok(Closed::Already(documents)) => Ok(Outcome::Stands { documents, new: false, accepted: None }),
        Ok(Closed::Accepted(documents, acceptance)) => {
            append(ledger, vec![Event::AcceptanceRecorded(acceptance.clone())])?;
            Ok(Outcome::Stands { documents, new: false, accepted: Some(acceptance) })
        }
        Ok(Closed::Nothing) => Ok(Outcome::Nothing),
        Err(refusal) => Ok(Outcome::Refused(refusal, findings)),
        Ok(Closed::Issue(events)) => {
            let documents = events.iter().filter_map(document_id).collect();
            let accepted = events.iter().find_map(|event| match event {
                Event::AcceptanceRecorded(acceptance) => Some(acceptance.clone()),
                _ => None,
            });
            append(ledger, events)?;
            Ok(Outcome::Stands { documents, new: true, accepted })
        }
    }
}

/// Voids an invoice by an event and a credit note; returns the credit note's id.
pub fn void(ledger: &Ledger, id: &str, decision: &Decision) -> Result<Result<Vec<Box<str>>, Refusal>, Fault> {
    let _one_at_a_time = ledger.closing()?;
    let decided = {
        let facts: &Facts = &*ledger.facts()?;
        decide::void(&facts.issued, id, ledger.end(), decision, &blake3_of)
    };
    match decided {
        Err(refusal) => Ok(Err(refusal)),
        Ok(events) => {
            let notes = events.iter().filter_map(document_id).collect();
            append(ledger, events)?;
            Ok(Ok(notes))
        }
    }
}

/// The event that issued a document, by the name that [`issue`] and [`void`] give it.
#[must_use]
pub fn document_event(id: &str) -> Identity {
    journal::wire::identity(Stream::Decisions, crate::decision::SOURCE, &format!("document/{id}"))
}

/// The event that took a document back, if one did.
#[must_use]
pub fn voided_event(id: &str) -> Identity {
    journal::wire::identity(Stream::Decisions, crate::decision::SOURCE, &format!("voided/{id}"))
}

fn document_id(event: &Event) -> Option<Box<str>> {
    match event {
        Event::InvoiceIssued(document) | Event::CreditNoteIssued(document) => Some(document.id.clone()),
        _ => None,
    }
}

fn append(ledger: &Ledger, events: Vec<Event>) -> Result<Recorded, Fault> {
    let named: Vec<(Name, Event)> = events.into_iter().map(|event| (name_of(&event), event)).collect();
    ledger.decide(&named)
}

/// Documents are named by their ids; what is said about them by what it is and about whom.
fn name_of(event: &Event) -> Name {
    match event {
        Event::InvoiceIssued(document) | Event::CreditNoteIssued(document) => {
            Name::new(format!("document/{}", document.id))
        }
        Event::InvoiceVoided(voided) => Name::new(format!("voided/{}", voided.document)),
        Event::AcceptanceRecorded(acceptance) => crate::accept::name(acceptance),
        other => Name::new(format!("decision/{}", crate::describe::kind(other))),
    }
}
