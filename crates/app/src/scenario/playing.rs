//! Plays a scenario: its lines become messages, messages become entries, entries are folded.
//!
//! The depths differ only in who makes entries of messages: a memory that follows the definitions,
//! or a real journal in a directory of its own that is thrown away afterwards.

use std::path::Path;

use anyhow::{Context as _, bail};
use domain::decide::{self, Closed, Closing};
use domain::entry::{ChannelEvent, Decision, Entry, Event};
use domain::facts::Facts;
use domain::ids::Digest;
use domain::pec::Judge;
use domain::period::Instant;
use domain::projection::Fold;
use domain::rating::{Desk, judged};
use journal::wire::Message;
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
        let told: Vec<Message> = same.iter().filter_map(|step| step.what.told()).map(Told::message).collect();
        let at = same.first().map_or(super::stage::long_ago(), |step| step.at);
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

/// The messages that a decision of ours writes: none for a step that is told.
fn decided(scenario: &Scenario, facts: &Facts, step: &Step, number: usize) -> anyhow::Result<Vec<Message>> {
    let digest = |bytes: &[u8]| Digest(*blake3::hash(bytes).as_bytes());
    let decision = Decision { actor: "finance".into(), reason: "the scenario says so".into(), at: step.at };
    let commerce = facts.commerce.view();
    let events = match &step.what {
        What::Told(_) => Vec::new(),
        What::Close { bill_to, period, refused } => {
            let desk = Desk::new(facts, &commerce);
            let mut judge = Judge::new(facts, &commerce);
            let currencies = desk.currencies(guid(bill_to), *period);
            let closing = Closing {
                bill_to: guid(bill_to),
                currency: currencies.first().copied().unwrap_or(scenario.currency),
                period: *period,
                position: 0,
                decision,
                obstacles: &[],
                findings: &[],
                accept_unknown_access: false,
                digest: &digest,
            };
            let closed = decide::close(&desk, &mut judged(&mut judge), &closing);
            match closed {
                Err(_) if *refused => Vec::new(),
                Err(refusal) => bail!("closing is refused: {refusal}"),
                Ok(_) if *refused => bail!("closing should be refused, and is not"),
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

/// What is known at the end, or just before an instant.
pub fn in_memory(scenario: &Scenario, until: Option<Instant>) -> anyhow::Result<Facts> {
    let mut memory = Memory::default();
    play(scenario, until, &mut |messages, at| {
        let mut entries = Vec::new();
        for message in messages {
            let unreadable =
                |rejection| anyhow::anyhow!("{}: an event that cannot be read: {rejection}", scenario.path);
            entries.extend(memory.append(message, at).map_err(unreadable)?);
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
    let first = scenario.steps.first().map_or(super::stage::long_ago(), |step| step.at);
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
