//! What each record proves about one role assignment.
//!
//! Canonical events, Azure's own records and listings become one kind of evidence, keyed by the
//! assignment. Pairing of Started with its result is recomputed here from the whole set, so that
//! records may arrive in any order and from any number of channels.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Record;
use crate::access::estate::Estate;
use crate::access::{AccessBook, is_result};
use crate::entry::{ActivityOperation, ActivityResult, AssignmentActivity, AssignmentsListed, GrantFacts};
use crate::finding::{About, Code, Finding};
use crate::ids::{Guid, Identity};
use crate::period::Instant;
use crate::scope::{Level, Scope};

/// ACC-1: an assignment is known by the subscription of its scope (none above subscriptions) and
/// its GUID. Source: role assignment names are unique in a tenant; recorded Azure logs spell them
/// with and without dashes.
pub(super) type Key = (Option<Guid>, Guid);

/// In the order in which evidence of one instant is taken: absence and presence first, a removal
/// last, so that a creation and a removal at one instant leave nothing held from it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Proof {
    /// The assignment's scope was deleted, or left behind by a move.
    Gone(Scope),
    /// A complete listing lacks the assignment on this scope.
    Absent(Scope),
    Listed {
        facts: GrantFacts,
        scope: Scope,
        created_at: Option<Instant>,
    },
    /// A write succeeded; its facts are missing where no Started record is known.
    Written {
        facts: Option<GrantFacts>,
        scope: Scope,
    },
    Removed {
        facts: Option<GrantFacts>,
        scope: Scope,
        created_at: Option<Instant>,
    },
}

impl Proof {
    fn rank(&self) -> u8 {
        match self {
            Self::Gone(_) => 0,
            Self::Absent(_) => 1,
            Self::Listed { .. } => 2,
            Self::Written { .. } => 3,
            Self::Removed { .. } => 4,
        }
    }

    /// The scope that the record speaks of.
    pub(super) fn scope(&self) -> &Scope {
        match self {
            Self::Gone(scope)
            | Self::Absent(scope)
            | Self::Listed { scope, .. }
            | Self::Written { scope, .. }
            | Self::Removed { scope, .. } => scope,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Evidence {
    pub at: Instant,
    pub proof: Proof,
    /// The records behind it, the deciding one first.
    pub events: Vec<Identity>,
}

/// All evidence by assignment, each in order of time; and the first complete listing that shows a
/// whole subscription.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub evidence: BTreeMap<Key, Vec<Evidence>>,
    pub first_listing: BTreeMap<Guid, Instant>,
    pub findings: Vec<Finding>,
}

pub(super) fn gather(book: &AccessBook, records: &[Record<'_>], estate: &Estate) -> Gathered {
    let mut gathered = Gathered::default();
    for (identity, created) in book.created.iter() {
        let proof = Proof::Written { facts: Some(created.facts.clone()), scope: created.scope.clone() };
        gathered.put(created.assignment, created.at, proof, vec![identity]);
    }
    for (identity, deleted) in book.deleted.iter() {
        let proof = Proof::Removed { facts: None, scope: deleted.scope.clone(), created_at: None };
        gathered.put(deleted.assignment, deleted.at, proof, vec![identity]);
    }
    gathered.take_records(records);
    gathered.take_listings(book, estate);
    gathered.take_ends(estate);
    for evidence in gathered.evidence.values_mut() {
        evidence.sort_by(|a, b| (a.at, a.proof.rank(), &a.events).cmp(&(b.at, b.proof.rank(), &b.events)));
    }
    gathered
}

impl Gathered {
    fn put(&mut self, assignment: Guid, at: Instant, proof: Proof, events: Vec<Identity>) {
        let key = (proof.scope().subscription(), assignment);
        self.evidence.entry(key).or_default().push(Evidence { at, proof, events });
    }

    /// ACC-2: facts of a grant come from the Started record, its time from the Succeeded one. Results
    /// of one (correlation, resource), in order of time, each take the latest unused Started that is
    /// not later; a failure takes (and so discards) its own only. Source: recorded Azure logs, where
    /// the Succeeded record of a write never says what was granted.
    fn take_records(&mut self, records: &[Record<'_>]) {
        type Pair<'a> = (&'a str, &'a Scope, Guid, ActivityOperation);
        let mut pairs: BTreeMap<Pair<'_>, Vec<(Identity, &AssignmentActivity)>> = BTreeMap::new();
        for (identity, record) in records {
            match record.correlation.as_deref() {
                Some(correlation) => pairs
                    .entry((correlation, &record.scope, record.assignment, record.operation))
                    .or_default()
                    .push((*identity, record)),
                None => self.take_result(*identity, record, None),
            }
        }
        for mut together in pairs.into_values() {
            together.sort_by_key(|(identity, record)| (record.at, *identity));
            let mut used: BTreeSet<Identity> = BTreeSet::new();
            for (identity, record) in together.iter().filter(|(_, record)| is_result(record.result)) {
                let started = together.iter().rev().find(|(candidate, started)| {
                    started.result == ActivityResult::Started
                        && started.at <= record.at
                        && !used.contains(candidate)
                        && same_operation(started, record)
                });
                used.extend(started.map(|(candidate, _)| *candidate));
                self.take_result(*identity, record, started.copied());
            }
        }
    }

    fn take_result(
        &mut self,
        identity: Identity,
        record: &AssignmentActivity,
        started: Option<(Identity, &AssignmentActivity)>,
    ) {
        if record.result != ActivityResult::Succeeded {
            return;
        }
        let facts = record.facts.clone().or_else(|| started.and_then(|(_, started)| started.facts.clone()));
        let mut events = vec![identity];
        events.extend(started.map(|(identity, _)| identity));
        let stated = [Some(record), started.map(|(_, started)| started)];
        for stated in stated.into_iter().flatten().filter_map(|record| record.stated_scope.as_ref()) {
            if *stated != record.scope {
                self.differing_scope(record, stated, &events);
            }
        }
        let scope = record.scope.clone();
        let proof = match record.operation {
            ActivityOperation::Write => Proof::Written { facts, scope },
            ActivityOperation::Delete => Proof::Removed { facts, scope, created_at: record.created_at },
        };
        self.put(record.assignment, record.at, proof, events);
    }

    fn differing_scope(&mut self, record: &AssignmentActivity, stated: &Scope, events: &[Identity]) {
        let about = about(&record.scope, record.at);
        let detail = format!("the body of a record about {} on {} says {stated}", record.assignment, record.scope);
        self.findings.push(Finding { events: events.to_vec(), ..Finding::new(Code::DifferingScope, about, detail) });
    }

    /// ACC-5: a listing counts once all its parts are known; a complete one also proves absence.
    fn take_listings(&mut self, book: &AccessBook, estate: &Estate) {
        type Whole<'a> = (&'a str, &'a Scope, Instant, u32);
        let mut wholes: BTreeMap<Whole<'_>, BTreeMap<u32, (Identity, &AssignmentsListed)>> = BTreeMap::new();
        for (identity, listed) in book.listed.iter() {
            let whole = (&*listed.part.of, &listed.scope, listed.at, listed.part.count);
            wholes.entry(whole).or_default().entry(listed.part.number).or_insert((identity, listed));
        }
        let mut complete = Vec::new();
        for ((_, scope, at, count), parts) in wholes {
            if !(0..count.max(1)).all(|number| parts.contains_key(&number)) {
                continue;
            }
            let events: Vec<Identity> = parts.values().map(|(identity, _)| *identity).collect();
            let mut present: BTreeSet<Key> = BTreeSet::new();
            for (identity, part) in parts.values() {
                for row in &part.assignments {
                    present.insert((row.scope.subscription(), row.assignment));
                    let proof = Proof::Listed {
                        facts: row.facts.clone(),
                        scope: row.scope.clone(),
                        created_at: row.created_at.filter(|created| *created <= at),
                    };
                    self.put(row.assignment, at, proof, vec![*identity]);
                }
            }
            if parts.values().all(|(_, part)| part.complete) {
                complete.push((scope, at, events, present));
            }
        }
        let known = self.known_scopes();
        for (scope, at, events, present) in complete {
            let listing = Listing { at, events: &events, present: &present, known: &known };
            match scope.level() {
                Level::ManagementGroup => self.absences_below(scope, &listing, estate),
                Level::Root | Level::Subscription | Level::ResourceGroup | Level::Resource | Level::Other => {
                    self.absences(scope, &listing);
                }
            }
        }
    }

    /// ACC-13: what was granted within something that is deleted or moved away ended with it. Each
    /// assignment asks by its own scopes, so that the cost goes by what was told of it.
    fn take_ends(&mut self, estate: &Estate) {
        for (key, scopes) in self.known_scopes() {
            for scope in scopes {
                let ends = estate.ends(&scope).into_iter();
                let ends =
                    ends.map(|(at, event)| Evidence { at, proof: Proof::Gone(scope.clone()), events: vec![event] });
                self.evidence.entry(key).or_default().extend(ends);
            }
        }
    }

    /// Every assignment that records or listings speak of, with the scopes they give it.
    fn known_scopes(&self) -> Vec<(Key, Vec<Scope>)> {
        let scopes = |evidence: &[Evidence]| {
            let mut scopes: Vec<Scope> = evidence.iter().map(|one| one.proof.scope().clone()).collect();
            scopes.sort_unstable();
            scopes.dedup();
            scopes
        };
        self.evidence.iter().map(|(key, evidence)| (*key, scopes(evidence))).collect()
    }

    /// What a listing inside one subscription lacks. One of the tenant's root proves no absence: nothing says
    /// whose root it is.
    fn absences(&mut self, scope: &Scope, listing: &Listing<'_>) {
        let Some(subscription) = scope.subscription() else { return };
        if *scope == Scope::subscription_of(subscription) {
            let first = self.first_listing.entry(subscription).or_insert(listing.at);
            *first = (*first).min(listing.at);
        }
        self.missing(listing, Some(subscription), |known| scope.contains(known));
    }

    /// ACC-6: a complete listing of a management group shows what is granted on it and on all that is below
    /// it at that instant.
    fn absences_below(&mut self, group: &Scope, listing: &Listing<'_>, estate: &Estate) {
        let (subscriptions, groups) = estate.below(group, listing.at);
        self.missing(listing, None, |known| known == group || groups.contains(known));
        for subscription in subscriptions {
            self.missing(listing, Some(subscription), |_| true);
        }
    }

    /// The known assignments of a subscription, or above subscriptions, on what a listing shows, and not in it.
    fn missing(&mut self, listing: &Listing<'_>, owner: Option<Guid>, shown: impl Fn(&Scope) -> bool) {
        let from = listing.known.partition_point(|((known, _), _)| *known < owner);
        let same = listing.known.iter().skip(from).take_while(|((known, _), _)| *known == owner);
        for (key, scopes) in same.filter(|(key, _)| !listing.present.contains(key)) {
            for scope in scopes.iter().filter(|scope| shown(scope)) {
                let proof = Proof::Absent(scope.clone());
                let evidence = Evidence { at: listing.at, proof, events: listing.events.to_vec() };
                self.evidence.entry(*key).or_default().push(evidence);
            }
        }
    }
}

/// A complete listing, beside every assignment that is known.
struct Listing<'a> {
    at: Instant,
    events: &'a [Identity],
    present: &'a BTreeSet<Key>,
    known: &'a [(Key, Vec<Scope>)],
}

/// Operation ids pair where both records carry one; either side may lack it.
fn same_operation(started: &AssignmentActivity, result: &AssignmentActivity) -> bool {
    match (&started.operation_id, &result.operation_id) {
        (Some(a), Some(b)) => a == b,
        (None, _) | (_, None) => true,
    }
}

pub(super) fn about(scope: &Scope, at: Instant) -> About {
    About {
        subscription: scope.subscription(),
        resource: Some(scope.clone()),
        day: Some(crate::period::Day::of(at)),
        ..About::default()
    }
}
