//! From an answer back to the events behind it.
//!
//! The fold keeps sums, not every usage event; so the journal itself is read again, once, and those
//! entries are kept that the question is about. What is cited is cited by identity.

use std::collections::BTreeSet;

use domain::entry::{Entry, EntryRef, Event, Outcome, Usage};
use domain::ids::{Identity, MeterId};
use domain::period::{Instant, Interval};
use journal::{Origin, Reader};

use crate::describe;
use crate::fault::Fault;

/// An entry behind an answer, in words.
#[derive(Clone, Debug)]
pub struct Cited {
    pub at: EntryRef,
    pub identity: Identity,
    pub recorded_at: Instant,
    pub outcome: Outcome,
    pub kind: &'static str,
    /// The rule by which it is read.
    pub rule: Option<&'static str>,
    pub says: String,
    /// Where its message came from.
    pub from: String,
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Events that verdicts and prices rest on.
    pub identities: BTreeSet<Identity>,
    /// Usage, and corrections of it.
    pub usage: Option<WantedUsage>,
    /// Only what was recorded by then.
    pub as_of: Option<Instant>,
}

/// Usage of some places and one or all meters within a stretch of time.
#[derive(Clone, Debug)]
pub struct WantedUsage {
    /// Scopes as rating names them: the resource, else its group or subscription.
    pub scopes: BTreeSet<domain::scope::Scope>,
    pub meter: Option<MeterId>,
    pub within: Interval,
}

impl WantedUsage {
    fn matches(&self, usage: &Usage) -> bool {
        self.within.contains(usage.start)
            && self.meter.as_ref().is_none_or(|meter| *meter == usage.meter)
            && self.scopes.contains(&scope_of(usage))
    }
}

/// Where usage is judged: its resource, else its group, else its subscription.
#[must_use]
pub fn scope_of(usage: &Usage) -> domain::scope::Scope {
    use domain::scope::Scope;
    match (&usage.resource, &usage.resource_group) {
        (Some(resource), _) => resource.clone(),
        (None, Some(group)) => Scope::parse(&format!("/subscriptions/{}/resourceGroups/{group}", usage.subscription)),
        (None, None) => Scope::subscription_of(usage.subscription),
    }
}

/// Reads the journal for what is wanted. At most `limit` are kept; the answer says how many there are.
pub fn find(reader: &Reader, wanted: &Wanted, limit: usize) -> Result<(Vec<Cited>, usize), Fault> {
    let mut targets: BTreeSet<Identity> = BTreeSet::new();
    let mut kept: Vec<Entry> = Vec::new();
    let mut count = 0;
    for entry in reader.entries(0) {
        let entry = entry?;
        if wanted.as_of.is_some_and(|at| entry.recorded_at > at) {
            break;
        }
        if !is_wanted(&entry, wanted, &mut targets) {
            continue;
        }
        count += 1;
        if kept.len() < limit {
            kept.push(entry);
        }
    }
    let mut cited = Vec::with_capacity(kept.len());
    for entry in kept {
        let record = reader.record(entry.position)?;
        cited.push(Cited {
            at: entry.at(),
            identity: entry.fact.identity,
            recorded_at: entry.recorded_at,
            outcome: entry.outcome,
            kind: describe::kind(&entry.fact.event),
            rule: describe::rule(&entry.fact.event),
            says: describe::event(&entry.fact.event),
            from: record.map_or_else(String::new, |record| origin(&record.origin)),
        });
    }
    Ok((cited, count))
}

fn is_wanted(entry: &Entry, wanted: &Wanted, targets: &mut BTreeSet<Identity>) -> bool {
    if entry.outcome == Outcome::Duplicate || entry.outcome == Outcome::Quarantined {
        return false;
    }
    if wanted.identities.contains(&entry.fact.identity) {
        return true;
    }
    let Some(usage) = &wanted.usage else { return false };
    match &entry.fact.event {
        Event::UsageRecorded(recorded) => {
            let matches = usage.matches(recorded);
            if matches {
                targets.insert(entry.fact.identity);
            }
            matches
        }
        Event::UsageAdjusted(_) | Event::UsageVoided(_) => {
            let target = entry.fact.event.target();
            let known = entry.antecedent.as_ref().is_some_and(
                |antecedent| matches!(&antecedent.fact.event, Event::UsageRecorded(recorded) if usage.matches(recorded)),
            );
            known || target.is_some_and(|target| targets.contains(&target))
        }
        _ => false,
    }
}

/// Where a message came from, in words.
#[must_use]
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Kafka { topic, partition, offset, .. } => format!("{topic}/{partition} offset {offset}"),
        Origin::File { name, ordinal, .. } => format!("{name} record {}", ordinal + 1),
        Origin::Here => "written here".to_owned(),
    }
}
