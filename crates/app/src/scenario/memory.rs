//! A journal without a disk: tellings become messages, messages become entries, as the real one does.
//!
//! Each telling goes through the wire form and back, so that a check of a rule is a check of the
//! decoder too. Outcomes and antecedents follow the definitions: same identity and content is a
//! duplicate, other content a conflict, a correction is handed its target if that is known.

use std::collections::BTreeMap;

use domain::entry::{Antecedent, Entry, Event, Fact, Outcome, Stream};
use domain::ids::Identity;
use domain::period::Instant;
use journal::wire::{self, Envelope};

/// The source that all made-up events come from.
pub const SOURCE: &str = "urn:pec:tests";

/// An event as somebody upstream tells it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The CloudEvents id; the source is the same for all.
    pub id: String,
    /// The id of the event it corrects.
    pub causation: Option<String>,
    pub body: Body,
}

/// What is told, in whose words.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a scenario tells a few dozen of them")]
pub enum Body {
    /// In ours, as a CloudEvent.
    Event(Event),
    /// In Azure's: one record of the activity log, as Event Hubs carries it.
    Record(serde_json::Value),
}

impl Told {
    /// What travels for it on its topic.
    #[must_use]
    pub fn message(&self) -> wire::Message {
        let time = match &self.body {
            Body::Event(Event::UsageRecorded(usage)) => usage.sent,
            _ => None,
        };
        let envelope =
            Envelope { id: self.id.clone(), source: SOURCE.to_owned(), time, causation_id: self.causation.clone() };
        match &self.body {
            Body::Event(event) => wire::encode(&envelope, event),
            Body::Record(record) => {
                let batch = serde_json::json!({ "records": [record] });
                let (stream, value) = (Stream::Access, Some(batch.to_string().into_bytes()));
                wire::Message { stream, key: None, headers: Vec::new(), value }
            }
        }
    }
}

/// The journal itself: what is known, by identity.
#[derive(Debug, Default)]
pub struct Memory {
    first: BTreeMap<Identity, Antecedent>,
    next: u64,
}

impl Memory {
    /// Takes one message in and gives its entries back; refuses one that nobody could read.
    pub fn append(&mut self, message: &wire::Message, recorded_at: Instant) -> Result<Vec<Entry>, wire::Rejection> {
        let headers = message.header_refs();
        let items = wire::decode(&message.borrow(&headers));
        let position = self.next;
        self.next += 1;
        let entry = |(index, item): (u32, Result<Fact, wire::Rejection>)| match item {
            Ok(fact) => {
                let (outcome, antecedent, incumbent) = (Outcome::Accepted, None, None);
                Ok(self.accept(Entry { position, index, recorded_at, outcome, fact, antecedent, incumbent }))
            }
            Err(rejection) => Err(rejection),
        };
        (0..).zip(items).map(entry).collect()
    }

    fn accept(&mut self, mut entry: Entry) -> Entry {
        let known = self.first.get(&entry.fact.identity).cloned();
        let target = entry.fact.event.target().and_then(|target| self.first.get(&target)).cloned().map(Box::new);
        match known {
            None => {
                self.first.insert(entry.fact.identity, Antecedent { at: entry.at(), fact: entry.fact.clone() });
                entry.antecedent = target;
            }
            Some(first) if first.fact.digest == entry.fact.digest => entry.outcome = Outcome::Duplicate,
            Some(first) => {
                entry.outcome = Outcome::Conflicting;
                let first = Some(Box::new(first));
                (entry.antecedent, entry.incumbent) =
                    if entry.fact.event.target().is_some() { (target, first) } else { (first, None) };
            }
        }
        entry
    }
}
