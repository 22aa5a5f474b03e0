//! The names of an activity record: its identity and its content digest.
//!
//! Identity is a hash over resource id, operation, correlation id, result and time, all brought to
//! one spelling, so that neither the channel nor the batch nor the tenant (often absent) matters.
//! The digest covers every decoded fact. Fields are length-prefixed and absent is not empty, so
//! that no two different records can be written alike.

use domain::entry::{
    AssignmentActivity, Delegation, DenyAssignment, Event, GrantFacts, MoveActivity, Schedule, TreeChange,
};
use domain::ids::{Digest, Guid, Identity};
use domain::period::Instant;
use domain::scope::Scope;

use super::reading::Reading;

/// The identity of a record, the same on every channel.
pub(super) fn identity_of(reading: &Reading<'_>) -> Identity {
    let mut canon = Canon::new("pec activity record v1");
    canon.maybe(reading.resource.as_deref().map(path_for_hash).as_deref());
    canon.text(&reading.operation);
    canon.maybe(reading.correlation.as_deref());
    canon.maybe(reading.result_name().as_deref());
    canon.text(&reading.at.timestamp_millis().to_string());
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = *canon.0.finalize().as_bytes();
    Identity(u128::from_be_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]))
}

/// The digest of what a record says.
pub(super) fn digest_of(event: &Event) -> Digest {
    let mut canon = Canon::new("pec activity content v1");
    match event {
        Event::AssignmentActivity(activity) => canon.assignment(activity),
        Event::DelegationChanged(delegation) => canon.delegation(delegation),
        Event::DelegationDeleted(deleted) => {
            canon.text("delegation deleted");
            canon.guid(deleted.delegation);
            canon.text(deleted.scope.as_str());
            canon.instant(deleted.at);
        }
        Event::ScheduleCreated(schedule) => canon.schedule(schedule),
        Event::ScheduleCancelled(cancelled) => {
            canon.text("schedule cancelled");
            canon.guid(cancelled.schedule);
            canon.text(cancelled.scope.as_str());
            canon.instant(cancelled.at);
        }
        Event::DenyAssigned(denied) => canon.deny(denied),
        Event::DenyRemoved(removed) => canon.about("deny removed", &[removed.deny], Some(&removed.scope), removed.at),
        Event::ScopeCreated(change) => canon.about("scope created", &[], Some(&change.scope), change.at),
        Event::ScopeDeleted(change) => canon.about("scope deleted", &[], Some(&change.scope), change.at),
        Event::GroupMemberAdded(one) => canon.about("member added", &[one.group, one.member], None, one.at),
        Event::GroupMemberRemoved(one) => canon.about("member removed", &[one.group, one.member], None, one.at),
        Event::PrincipalDeleted(one) => canon.about("principal deleted", &[one.principal], None, one.at),
        Event::TreeChanged(change) => canon.tree(change),
        Event::MoveActivity(moved) => canon.moved(moved),
        // Nothing reads these, so copies of different precision need not be kept apart.
        Event::OtherActivity(other) => {
            canon.text("other activity");
            canon.text(&other.operation);
        }
        other => unreachable!("activity records never become {other:?}"),
    }
    Digest(*canon.0.finalize().as_bytes())
}

/// A resource path with every GUID as 32 hex digits: dashed when written, plain in a cascade.
fn path_for_hash(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        out.push('/');
        match Guid::parse(segment) {
            Some(guid) => out.push_str(&guid.simple()),
            None if segment.is_ascii() => out.extend(segment.chars().map(|c| c.to_ascii_lowercase())),
            None => out.push_str(&segment.to_lowercase()),
        }
    }
    out
}

/// Writes fields into a hash so that their borders cannot move.
struct Canon(blake3::Hasher);

impl Canon {
    fn new(context: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(context))
    }

    fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn flag(&mut self, flag: bool) {
        self.0.update(&[u8::from(flag)]);
    }

    fn guid(&mut self, guid: Guid) {
        self.0.update(&guid.0.to_be_bytes());
    }

    fn instant(&mut self, at: Instant) {
        self.0.update(&at.timestamp().to_be_bytes());
        self.0.update(&at.timestamp_subsec_nanos().to_be_bytes());
    }

    fn maybe_instant(&mut self, at: Option<Instant>) {
        self.flag(at.is_some());
        if let Some(at) = at {
            self.instant(at);
        }
    }

    fn grant(&mut self, facts: Option<&GrantFacts>) {
        self.flag(facts.is_some());
        if let Some(facts) = facts {
            self.guid(facts.principal);
            self.maybe(facts.principal_type.as_deref());
            self.guid(facts.role);
            self.maybe(facts.condition.as_deref());
        }
    }

    fn assignment(&mut self, activity: &AssignmentActivity) {
        self.text("assignment activity");
        self.text(&format!("{:?} {:?}", activity.operation, activity.result));
        self.guid(activity.assignment);
        self.text(activity.scope.as_str());
        self.maybe(activity.correlation.as_deref());
        self.maybe(activity.operation_id.as_deref());
        self.grant(activity.facts.as_ref());
        self.maybe(activity.stated_scope.as_ref().map(Scope::as_str));
        self.maybe_instant(activity.created_at);
        self.flag(activity.cascade);
        self.instant(activity.at);
    }

    fn delegation(&mut self, delegation: &Delegation) {
        self.text("delegation changed");
        self.guid(delegation.delegation);
        self.text(delegation.scope.as_str());
        self.guid(delegation.managing_tenant);
        self.flag(delegation.marketplace_offer);
        self.0.update(&(delegation.authorizations.len() as u64).to_be_bytes());
        for authorization in &delegation.authorizations {
            self.guid(authorization.principal);
            self.guid(authorization.role);
            self.flag(authorization.eligible_only);
        }
        self.instant(delegation.at);
    }

    /// What one thing, named by ids and perhaps a scope, came to at a time.
    fn about(&mut self, what: &str, ids: &[Guid], scope: Option<&Scope>, at: Instant) {
        self.text(what);
        ids.iter().for_each(|id| self.guid(*id));
        self.maybe(scope.map(Scope::as_str));
        self.instant(at);
    }

    fn texts(&mut self, texts: &[Box<str>]) {
        self.0.update(&(texts.len() as u64).to_be_bytes());
        texts.iter().for_each(|text| self.text(text));
    }

    fn guids(&mut self, guids: &[Guid]) {
        self.0.update(&(guids.len() as u64).to_be_bytes());
        guids.iter().for_each(|guid| self.guid(*guid));
    }

    fn deny(&mut self, denied: &DenyAssignment) {
        self.about("deny assigned", &[denied.deny], Some(&denied.scope), denied.at);
        self.guids(&denied.principals);
        self.guids(&denied.excluded);
        self.texts(&denied.actions);
        self.texts(&denied.not_actions);
        self.flag(denied.only_there);
    }

    fn tree(&mut self, change: &TreeChange) {
        self.about("tree changed", &[], Some(&change.child), change.at);
        self.maybe(change.parent.as_ref().map(Scope::as_str));
        self.maybe(change.left.as_ref().map(Scope::as_str));
    }

    fn moved(&mut self, moved: &MoveActivity) {
        self.about("resources moved", &[], Some(&moved.group), moved.at);
        self.maybe(moved.correlation.as_deref());
        self.text(&format!("{:?}", moved.result));
        self.0.update(&(moved.resources.len() as u64).to_be_bytes());
        moved.resources.iter().for_each(|resource| self.text(resource.as_str()));
        self.maybe(moved.target.as_ref().map(Scope::as_str));
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.text("schedule created");
        self.guid(schedule.schedule);
        self.text(schedule.scope.as_str());
        self.guid(schedule.principal);
        self.maybe(schedule.principal_type.as_deref());
        self.guid(schedule.role);
        self.flag(schedule.eligible_only);
        self.instant(schedule.start);
        self.maybe_instant(schedule.end);
        self.instant(schedule.provisioned_at);
    }
}
