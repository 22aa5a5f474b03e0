//! From an answer back to the events behind it.
//!
//! The fold keeps sums, not every usage event; so the journal itself is read again, once, and those
//! entries are kept that the question is about. What is cited is cited by identity.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{Entry, EntryRef, Event, Outcome, Usage};
use domain::ids::{Identity, MeterId};
use domain::period::{Day, Instant};
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

/// Usage of some places on some days, of one or all meters.
#[derive(Clone, Debug)]
pub struct WantedUsage {
    /// Scopes as rating names them (the resource, else its group or subscription), each with its days.
    pub days: BTreeMap<domain::scope::Scope, BTreeSet<Day>>,
    pub meter: Option<MeterId>,
}

impl WantedUsage {
    fn matches(&self, usage: &Usage) -> bool {
        self.meter.as_ref().is_none_or(|meter| *meter == usage.meter)
            && self.days.get(&scope_of(usage)).is_some_and(|days| days.contains(&Day::of(usage.start)))
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
    // Corrections that came before what they correct: whether they are wanted shows in the end.
    let mut held: Vec<(Identity, Entry)> = Vec::new();
    let mut count = 0;
    for entry in reader.entries(0) {
        let entry = entry?;
        if wanted.as_of.is_some_and(|at| entry.recorded_at > at) {
            break;
        }
        match sort(&entry, wanted, &mut targets) {
            Sorted::Wanted => {
                count += 1;
                if kept.len() < limit {
                    kept.push(entry);
                }
            }
            Sorted::Held(target) => held.push((target, entry)),
            Sorted::Other => {}
        }
    }
    held.retain(|(target, _)| targets.contains(target));
    count += held.len();
    kept.extend(held.into_iter().map(|(_, entry)| entry));
    kept.sort_by_key(Entry::at);
    kept.truncate(limit);
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

/// The ends that events told ahead of time for the memberships that they began, among some events. Each with
/// its event, once for every body of it.
pub fn stated_ends(reader: &Reader, among: &BTreeSet<Identity>) -> Result<BTreeSet<(Identity, Instant)>, Fault> {
    let mut stated = BTreeSet::new();
    if among.is_empty() {
        return Ok(stated);
    }
    for entry in reader.entries(0) {
        let fact = entry?.fact;
        if let Event::GroupMemberAdded(added) = &fact.event
            && among.contains(&fact.identity)
        {
            stated.extend(added.until.map(|until| (fact.identity, until)));
        }
    }
    Ok(stated)
}

/// What an entry is to a question.
enum Sorted {
    Wanted,
    /// A correction of something that was not read yet.
    Held(Identity),
    Other,
}

fn sort(entry: &Entry, wanted: &Wanted, targets: &mut BTreeSet<Identity>) -> Sorted {
    if entry.outcome == Outcome::Duplicate || entry.outcome == Outcome::Quarantined {
        return Sorted::Other;
    }
    if wanted.identities.contains(&entry.fact.identity) {
        return Sorted::Wanted;
    }
    let Some(usage) = &wanted.usage else { return Sorted::Other };
    let only = |is_wanted: bool| if is_wanted { Sorted::Wanted } else { Sorted::Other };
    match &entry.fact.event {
        Event::UsageRecorded(recorded) => {
            let matches = usage.matches(recorded);
            if matches {
                targets.insert(entry.fact.identity);
            }
            only(matches)
        }
        Event::UsageAdjusted(_) | Event::UsageVoided(_) => {
            let Some(target) = entry.fact.event.target() else { return Sorted::Other };
            let antecedent = entry.antecedent.as_ref().map(|antecedent| &antecedent.fact.event);
            let known = matches!(antecedent, Some(Event::UsageRecorded(recorded)) if usage.matches(recorded));
            if known || targets.contains(&target) {
                return Sorted::Wanted;
            }
            if antecedent.is_none() { Sorted::Held(target) } else { Sorted::Other }
        }
        _ => Sorted::Other,
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
