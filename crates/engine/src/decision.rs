//! What is decided here becomes events in the journal, by the same encoder and decoder as all others.
//!
//! Every decision has a name; the same name with the same content is a duplicate, so that two
//! people who close one invoice at once make one invoice.

use domain::entry::{Event, Stream};
use journal::wire::{self, Envelope};
use journal::{Batch, Origin};

use crate::fault::Fault;

/// The source of every event that is born here.
pub const SOURCE: &str = "pec";

/// The id of a decision within our own source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

/// The decisions as one batch: all of them become durable together, or none.
pub fn batch(decisions: &[(Name, Event)]) -> Result<Batch, Fault> {
    let mut batch = Batch::new();
    for (Name(id), event) in decisions {
        let envelope = Envelope { id: id.clone(), source: SOURCE.to_owned(), time: None, causation_id: None };
        let message = wire::encode(&envelope, event);
        let headers = message.header_refs();
        let borrowed = message.borrow(&headers);
        let items = wire::decode(&borrowed);
        // A decision that would be quarantined must not look like one that was made.
        match items.as_slice() {
            [Ok(fact)] if fact.event.stream() == Some(Stream::Decisions) => {}
            [Err(rejection)] => {
                return Err(Fault::NotReadBack(format!("{id}: {} {}", rejection.code, rejection.detail)));
            }
            other => return Err(Fault::NotReadBack(format!("{id}: {} events instead of one", other.len()))),
        }
        batch.push_decoded(Origin::Here, &borrowed, items);
    }
    Ok(batch)
}
