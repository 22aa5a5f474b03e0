//! Plays a scenario: its lines become messages, messages become entries, entries are folded.
//!
//! The depths differ only in who makes entries of messages: a memory that follows the definitions,
//! or a real journal in a directory of its own that is thrown away afterwards.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use domain::decide::{self, Closed, Closing, Reason};
use domain::entry::{ChannelEvent, Decision, Entry, Event};
use domain::facts::Facts;
use domain::finding::{Code, Finding};
use domain::ids::{Currency, Digest, Guid};
use domain::invoice::draft;
use domain::pec::Judge;
use domain::period::{Instant, Period};
use domain::projection::Fold;
use domain::rating::{Desk, judged};
use journal::wire::{self, Message};
use journal::{Batch, Journal, Options, Origin};

use super::memory::{Body, Memory, Told};
use super::reading::{Scenario, Step, What};
use super::stage::guid;

/// Keeps messages and gives their entries back.
type Keep<'k> = dyn FnMut(&[Message], Instant) -> anyhow::Result<Vec<Entry>> + 'k;

/// Plays a scenario's steps up to `until`.
fn play(scenario: &Scenario, until: Option<Instant>, keep: &mut Keep<'_>) -> anyhow::Result<Facts> {
    let mut fold: Fold<Facts> = Fold::default();
    let steps = scenario.steps.iter().filter(|step| until.is_none_or(|until| step.at < until));
    let steps: Vec<&Step> = steps.collect();
    for same in steps.chunk_by(|one, next| one.at == next.at) {
        same.iter().try_for_each(|step| put_aside(scenario, step))?;
        let told: Vec<Message> = same.iter().filter_map(|step| step.what.told()).map(Told::message).collect();
        let at = same.first().map_or(scenario.period.first_day().start(), |step| step.at);
        keep(&told, at)?.iter().for_each(|entry| fold.apply(entry));
        for (number, step) in same.iter().enumerate() {
            let decided = decided(scenario, fold.state(), step, number)
                .with_context(|| format!("{}: {}", scenario.path, step.place))?;
            if !decided.is_empty() {
                keep(&decided, step.at)?.iter().for_each(|entry| fold.apply(entry));
            }
        }
    }
    Ok(fold.state().clone())
}

/// A line that says that it is put aside must be, for the reason that it names; any other must be read.
fn put_aside(scenario: &Scenario, step: &Step) -> anyhow::Result<()> {
    let Some(told) = step.what.told() else { return Ok(()) };
    let message = told.message();
    let items = wire::decode(&message.borrow(&message.header_refs()));
    let code = items.iter().find_map(|item| item.as_ref().err()).map(|rejection| rejection.code);
    let wanted = match &step.what {
        What::Quarantined(_, code) => Some(code.as_str()),
        _ => None,
    };
    if code != wanted {
        let (code, wanted) = (code.unwrap_or("nothing"), wanted.unwrap_or("nothing"));
        bail!("{}: {}: quarantined={wanted} expected, {code} comes out", scenario.path, step.place);
    }
    Ok(())
}

/// The messages that a decision of ours writes: none for a step that is told.
fn decided(scenario: &Scenario, facts: &Facts, step: &Step, number: usize) -> anyhow::Result<Vec<Message>> {
    let digest = |bytes: &[u8]| Digest(*blake3::hash(bytes).as_bytes());
    let decision = Decision { actor: "finance".into(), reason: "the scenario says so".into(), at: step.at };
    let commerce = facts.commerce.view();
    let events = match &step.what {
        What::Told(_) | What::Quarantined(..) => Vec::new(),
        What::Close { bill_to, period, refused } => {
            let desk = Desk::new(facts, &commerce);
            let mut judge = Judge::new(facts, &commerce);
            let bill_to = guid(bill_to);
            let currency = desk.currencies(bill_to, *period).first().copied().unwrap_or(scenario.currency);
            let findings = of_access(&desk, &mut judge, (bill_to, currency, *period));
            let closing = Closing {
                bill_to,
                currency,
                period: *period,
                position: 0,
                decision,
                obstacles: &[],
                findings: &findings,
                accept_unknown_access: false,
                digest: &digest,
            };
            let closed = decide::close(&desk, &mut judged(&mut judge), &closing);
            match closed {
                Err(refusal) => {
                    let against: BTreeSet<String> = refusal.reasons.iter().map(reason).collect();
                    if against != *refused {
                        let against: Vec<String> = against.into_iter().collect();
                        bail!("closing is refused={}: {refusal}", against.join(","));
                    }
                    Vec::new()
                }
                Ok(_) if !refused.is_empty() => bail!("closing should be refused, and is not"),
                Ok(Closed::Issue(events)) => events,
                Ok(Closed::Accepted(_, acceptance)) => vec![Event::AcceptanceRecorded(acceptance)],
                Ok(Closed::Already(_) | Closed::Nothing) => Vec::new(),
            }
        }
        What::Answer => {
            let due = domain::order::due(&domain::order::Desk::new(facts, &commerce), "pec", step.at);
            due.into_iter().map(|answer| Event::from(ChannelEvent::OrderAnswered(answer))).collect()
        }
        What::Void { bill_to, period } => {
            let standing = facts.issued.standing(guid(bill_to), *period);
            let id = &standing.first().context("no invoice of that month stands: close it first")?.id;
            let voided = decide::void(&facts.issued, id, 0, &decision, &digest);
            voided.map_err(|refusal| anyhow::anyhow!("voiding is refused: {refusal}"))?
        }
    };
    let told = |(event, index): (Event, usize)| {
        let id = format!("decision-{}-{number}-{index}", step.at.timestamp());
        Told { id, causation: None, body: Body::Event(event) }.message()
    };
    Ok(events.into_iter().zip(0..).map(told).collect())
}

/// What the judge of access finds about a partner's month, as closing asks for it.
fn of_access(desk: &Desk<'_>, judge: &mut Judge<'_>, (bill_to, currency, period): Asked) -> Vec<Finding> {
    let _ = draft(desk, bill_to, currency, period, &mut judged(judge));
    let mut findings = judge.findings();
    findings.retain(|one| {
        one.about.bill_to.is_none_or(|named| named == bill_to) && one.about.period.is_none_or(|named| named == period)
    });
    findings
}

/// A partner, its currency, and the month.
type Asked = (Guid, Currency, Period);

/// A reason against a closing, as scenarios name it.
fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NotEnded { .. } => "not-ended",
        Reason::OutOfOrder { .. } => "out-of-order",
        Reason::Finding(finding) | Reason::Issued { finding, .. } => finding.code.text(),
        Reason::Conflict(_) => Code::OpenConflict.text(),
        Reason::Obstacle(_) => "obstacle",
        Reason::TooLong(_) => "too-long",
        Reason::UnknownDocument(_) | Reason::AlreadyVoided(_) | Reason::NotAnInvoice(_) => "document",
    }
    .to_owned()
}

/// What is known at the end, or just before an instant.
pub fn in_memory(scenario: &Scenario, until: Option<Instant>) -> anyhow::Result<Facts> {
    let mut memory = Memory::default();
    play(scenario, until, &mut |messages, at| {
        let mut entries = Vec::new();
        for message in messages {
            // What cannot be read was asked about before, and has no entry that anybody folds.
            entries.extend(memory.append(message, at).unwrap_or_default());
        }
        Ok(entries)
    })
}

/// Folds what a journal on disk gives back, once as it is appended and once read again from its start.
pub fn on_disk(scenario: &Scenario) -> anyhow::Result<(Facts, Facts)> {
    let dir = tempfile::tempdir().context("cannot make a folder for the scenario's journal")?;
    let (journal, live) = into_journal(scenario, dir.path())?;
    let mut again: Fold<Facts> = Fold::default();
    again.advance(journal.reader().entries(0))?;
    journal.close()?;
    Ok((live, again.state().clone()))
}

/// Writes a scenario into a new journal, each line at the time it was learnt, and folds it on the way.
pub fn into_journal(scenario: &Scenario, dir: &Path) -> anyhow::Result<(Journal, Facts)> {
    let first = scenario.steps.first().map_or(scenario.period.first_day().start(), |step| step.at);
    let options = Options { create: true, accept_clock: true, ..Options::default() };
    let mut journal = Journal::open(dir, &options, first)?;
    let live = play(scenario, None, &mut |messages, at| {
        let mut batch = Batch::new();
        for message in messages {
            batch.push(Origin::Here, &message.borrow(&message.header_refs()));
        }
        Ok(journal.append(batch, at)?.entries)
    })?;
    Ok((journal, live))
}
