//! A journal that is filled again from Kafka, and decisions that come back from their topic.
//!
//! What Kafka no longer holds is written down as what it is: an acceptance of the person who restored,
//! for the months that cannot be known. A re-drive names its message and comes back like every decision; those of
//! earlier builds name nothing but a position of the journal that is gone, and are left.

use std::collections::BTreeSet;
use std::path::Path;

use domain::entry::{Acceptance, Decision, Event, Restored, Stream};
use domain::facts::Facts;
use domain::ids::{Digest, Identity};
use domain::period::{Day, Period};
use journal::wire::{self, Message};
use journal::{Batch, Journal, Options, Origin};

use crate::clock::Clock;
use crate::decision::{self, Name};
use crate::fault::Fault;
use crate::ledger::Ledger;

/// What of Kafka is missing for good: the words of the acceptance that names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lack {
    /// Records that were deleted before the restore.
    Records,
    /// Decisions that no topic holds: documents may have been issued that nobody knows here.
    Decisions,
}

impl Lack {
    pub const ALL: [Self; 2] = [Self::Records, Self::Decisions];

    /// What the restore is accepted to lack.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "restored-without-records",
            Self::Decisions => "restored-without-decisions",
        }
    }

    /// The word by which a close accepts it.
    #[must_use]
    pub fn accepted_by(self) -> &'static str {
        match self {
            Self::Records => "missing-records",
            Self::Decisions => "missing-decisions",
        }
    }
}

/// One thing that is missing.
#[derive(Clone, Debug)]
pub struct Missing {
    pub lack: Lack,
    pub about: String,
    /// The last month that it may touch; `None`: every month.
    pub until: Option<Period>,
}

/// What came of the decisions of a topic.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Brought {
    pub brought: u64,
    pub known: u64,
    /// Re-drives of earlier builds: nothing but a position of another journal says what they read.
    pub left: u64,
    /// Messages that are no decisions of ours.
    pub foreign: u64,
}

/// What one message of the topic of decisions is.
enum Told {
    Ours((Identity, Digest), Box<Event>),
    /// A re-drive that does not name its message.
    Nameless,
    Foreign,
}

fn told(message: &Message) -> Told {
    let headers = message.header_refs();
    let mut items = wire::decode(&message.borrow(&headers)).into_iter();
    match (items.next(), items.next()) {
        (Some(Ok(fact)), None) if fact.event.stream() == Some(Stream::Decisions) => match fact.event {
            Event::EntryRedriven(redriven) if redriven.message.is_none() => Told::Nameless,
            event => Told::Ours((fact.identity, fact.digest), Box::new(event)),
        },
        _ => Told::Foreign,
    }
}

fn is_policy(message: &Message) -> bool {
    matches!(told(message), Told::Ours(_, event) if matches!(*event, Event::PolicyAdopted(_)))
}

/// Begins a journal with the word that it was restored from Kafka, the policies that were in force, and
/// what is missing. All that before the first message of a topic, so that an interrupted restore says
/// what it is.
pub fn begin(
    dir: &Path,
    clock: Clock,
    decisions: &[Message],
    missing: &[Missing],
    (actor, reason): (&str, &str),
) -> Result<Ledger, Fault> {
    let now = clock.now()?;
    let decision = Decision { actor: actor.into(), reason: reason.into(), at: now };
    let mut journal = Journal::open(dir, &Options { create: true, ..Options::default() }, now)?;
    let restored = Event::Restored(Restored { from: "kafka".into(), decision: decision.clone() });
    journal.append(decision::batch(&[(Name::new(format!("restored/{}", now.to_rfc3339())), restored)])?, now)?;
    let policies = decisions.iter().filter(|message| is_policy(message));
    let policies = batch_of(policies);
    if !policies.is_empty() {
        journal.append(policies, now)?;
    }
    journal.close()?;
    let ledger = Ledger::open(dir, &Options::default(), clock, &mut |_, _| {})?;
    if ledger.facts()?.policy.documents().is_empty() {
        ledger.adopt_policy()?;
    }
    let acceptance = |one: &Missing| Acceptance {
        what: one.lack.name().into(),
        about: Some(one.about.as_str().into()),
        bill_to: None,
        period: one.until,
        decision: decision.clone(),
    };
    let named = missing.iter().map(acceptance).map(|one| (crate::accept::name(&one), Event::AcceptanceRecorded(one)));
    let named: Vec<(Name, Event)> = named.collect();
    if !named.is_empty() {
        ledger.decide(&named)?;
    }
    Ok(ledger)
}

/// Takes back those decisions of a topic that the journal lacks.
pub fn bring(ledger: &Ledger, decisions: &[Message]) -> Result<Brought, Fault> {
    let mut brought = Brought::default();
    let mut lacking = Vec::new();
    let mut seen = BTreeSet::new();
    for message in decisions {
        match told(message) {
            Told::Nameless => brought.left += 1,
            Told::Foreign => brought.foreign += 1,
            Told::Ours((identity, _), _) if ledger.writer()?.entry_of(identity)?.is_some() => brought.known += 1,
            Told::Ours(named, _) if seen.insert(named) => lacking.push(message),
            Told::Ours(..) => brought.known += 1,
        }
    }
    // Counted here: a re-drive also records what it reads again.
    brought.brought = lacking.len() as u64;
    let batch = batch_of(lacking.into_iter());
    if !batch.is_empty() {
        ledger.append(batch)?;
    }
    Ok(brought)
}

/// The decisions of a topic that the journal does not know, as sentences.
pub fn unknown(ledger: &Ledger, decisions: &[Message]) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for message in decisions {
        if let Told::Ours((identity, _), event) = told(message)
            && ledger.writer()?.entry_of(identity)?.is_none()
        {
            found.push(format!("{}: {}", crate::describe::kind(&event), crate::describe::event(&event)));
        }
    }
    Ok(found)
}

fn batch_of<'m>(messages: impl Iterator<Item = &'m Message>) -> Batch {
    let mut batch = Batch::new();
    for message in messages {
        batch.push(Origin::Here, &message.borrow(&message.header_refs()));
    }
    batch
}

/// What stands against closing a month because the restore lacked it, one sentence each, but for what
/// is accepted.
#[must_use]
pub fn obstacles(facts: &Facts, month: Period, accepted: &[Lack]) -> Vec<String> {
    let mut found = Vec::new();
    for lack in Lack::ALL.into_iter().filter(|lack| !accepted.contains(lack)) {
        let mine = facts.issued.acceptances().into_iter().filter(|one| &*one.what == lack.name());
        for one in mine.filter(|one| one.period.is_none_or(|until| month <= until)) {
            let (about, since) = (one.about.as_deref().unwrap_or_default(), Day::of(one.decision.at));
            found.push(format!(
                "restored from Kafka on {since}, {about}: import what is missing, then accept it with --accept {}",
                lack.accepted_by()
            ));
        }
    }
    found
}
