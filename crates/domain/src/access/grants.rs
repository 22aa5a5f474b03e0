//! Grants of every kind in one shape, and the links that tie identities to partners.
//!
//! A delegation's newest statement is whole; each of its authorisations is a grant for as long as
//! consecutive statements keep it. A schedule grants active time; an eligible one never does and
//! is kept only to say so. Links are per identity and tenant, one PartnerID at a time.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::access::AccessBook;
use crate::access::estate::Estate;
use crate::access::evidence::about;
use crate::entry::{Authorization, Delegation, Schedule};
use crate::finding::{Code, Finding};
use crate::ids::{Guid, Identity};
use crate::period::{Instant, Interval, union};
use crate::scope::Scope;

/// By what a role is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Via {
    /// A role assignment.
    Assignment(Guid),
    /// A Privileged Identity Management schedule.
    Schedule(Guid),
    /// An authorisation of an Azure Lighthouse delegation.
    Delegation { delegation: Guid, managing_tenant: Guid, marketplace_offer: bool },
}

impl Via {
    /// The id by which Azure knows it.
    #[must_use]
    pub fn id(self) -> Guid {
        match self {
            Self::Assignment(id) | Self::Schedule(id) | Self::Delegation { delegation: id, .. } => id,
        }
    }
}

/// One principal held one role on one scope for one stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub via: Via,
    pub scope: Scope,
    pub principal: Guid,
    pub role: Guid,
    /// Named, not evaluated.
    pub condition: Option<Box<str>>,
    /// Just-in-time only: never counts as held.
    pub eligible_only: bool,
    /// The group that the role was given to; `principal` is one of its members.
    pub member_of: Option<Guid>,
    /// The member is in a group within that group, not in it itself.
    pub nested: bool,
    pub held: Interval,
    /// Where it may have been held and nobody can tell.
    pub unknown: Option<Interval>,
    /// The events it rests on.
    pub events: Vec<Identity>,
}

impl Grant {
    /// The rules by which its life is known, as explanations name them.
    #[must_use]
    pub fn rules(&self) -> Vec<&'static str> {
        let mut rules = match (self.via, self.unknown) {
            (Via::Assignment(_), None) => vec!["ACC-1", "ACC-3"],
            (Via::Assignment(_), Some(_)) => vec!["ACC-1", "ACC-3", "ACC-6"],
            (Via::Schedule(_), _) => vec!["ACC-8"],
            (Via::Delegation { .. }, _) => vec!["ACC-7"],
        };
        rules.extend(self.member_of.map(|_| "ACC-11"));
        rules
    }
}

/// A PartnerID that an identity had linked in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PalLink {
    pub interval: Interval,
    pub partner_id: Box<str>,
    pub events: Vec<Identity>,
}

/// Statements of one thing in order of time, each in force until the next: `None` is an end, and
/// wins over a statement of the same instant.
pub(super) type Statements<'a, T> = Vec<(Instant, Option<&'a T>, Identity)>;

pub(super) fn in_force<T>(mut statements: Statements<'_, T>) -> Vec<(Interval, &T, Vec<Identity>)> {
    statements.sort_by_key(|(at, body, identity)| (*at, body.is_none(), *identity));
    let ends = statements.iter().skip(1).map(|next| (next.0, Some(next.2))).chain([(Instant::MAX_UTC, None)]);
    let spans = statements.iter().zip(ends).filter_map(|((from, body, identity), (to, end))| {
        let events = std::iter::once(*identity).chain(end).collect();
        Some((Interval::new(*from, to), (*body)?, events))
    });
    spans.filter(|(interval, ..)| !interval.is_empty()).collect()
}

/// Statements that a scope is gone, as an end of what was granted there.
fn ends<'a, T>(estate: &Estate, scope: &Scope) -> Statements<'a, T> {
    estate.ends(scope).into_iter().map(|(at, event)| (at, None, event)).collect()
}

/// ACC-7: a delegation's statement is whole; an authorisation is one grant for as long as
/// consecutive statements keep it. A Marketplace offer is told from a template. Source: "Azure
/// Lighthouse: link your partner ID to track your impact"; updates are logged as additions.
pub(super) fn delegations(book: &AccessBook, estate: &Estate) -> (Vec<Grant>, Vec<Finding>) {
    type Key = (Option<Guid>, Guid);
    let mut statements: BTreeMap<Key, Statements<'_, Delegation>> = BTreeMap::new();
    for (identity, stated) in book.delegated.iter() {
        let key = (stated.scope.subscription(), stated.delegation);
        let known = statements.entry(key).or_default();
        known.push((stated.at, Some(stated), identity));
        known.extend(ends(estate, &stated.scope));
    }
    let mut findings = Vec::new();
    for (identity, deleted) in book.undelegated.iter() {
        let key = (deleted.scope.subscription(), deleted.delegation);
        let Some(known) = statements.get_mut(&key) else { continue };
        if let Some(stated) = known.iter().find_map(|(_, stated, _)| stated.filter(|it| it.scope != deleted.scope)) {
            let detail = format!("delegation {} of {} was deleted on {}", key.1, stated.scope, deleted.scope);
            let finding = Finding::new(Code::DifferingScope, about(&stated.scope, deleted.at), detail);
            findings.push(Finding { events: vec![identity], ..finding });
        }
        known.push((deleted.at, None, identity));
    }
    let mut grants = Vec::new();
    for known in statements.into_values() {
        type Kept<'a> = BTreeMap<(&'a Scope, Via, &'a Authorization), Vec<(Interval, Vec<Identity>)>>;
        let mut kept: Kept<'_> = BTreeMap::new();
        for (interval, stated, events) in in_force(known) {
            let via = Via::Delegation {
                delegation: stated.delegation,
                managing_tenant: stated.managing_tenant,
                marketplace_offer: stated.marketplace_offer,
            };
            for authorization in &stated.authorizations {
                let spans = kept.entry((&stated.scope, via, authorization)).or_default();
                spans.push((interval, events.clone()));
            }
        }
        for ((scope, via, authorization), spans) in kept {
            for (held, events) in joined(&spans) {
                grants.push(Grant {
                    via,
                    scope: scope.clone(),
                    principal: authorization.principal,
                    role: authorization.role,
                    condition: None,
                    eligible_only: authorization.eligible_only,
                    member_of: None,
                    nested: false,
                    held,
                    unknown: None,
                    events,
                });
            }
        }
    }
    (grants, findings)
}

/// Joins spans that touch and gathers the events of each.
pub(super) fn joined(spans: &[(Interval, Vec<Identity>)]) -> Vec<(Interval, Vec<Identity>)> {
    let whole = union(spans.iter().map(|(interval, _)| *interval).collect());
    let with_events = whole.into_iter().map(|held| {
        let within = spans.iter().filter(|(interval, _)| held.contains(interval.from));
        let mut events: Vec<Identity> = Vec::new();
        for identity in within.flat_map(|(_, events)| events) {
            if !events.contains(identity) {
                events.push(*identity);
            }
        }
        (held, events)
    });
    with_events.collect()
}

/// ACC-8: active time of a schedule runs from the later of its start and the record that provisioned
/// it to its end, its cancellation or the next statement of the same schedule; an eligible-only one
/// is never access. Source: partner-earned-credit-troubleshoot, step 2; expiry leaves no record.
pub(super) fn schedules(book: &AccessBook, estate: &Estate) -> Vec<Grant> {
    type Key = (Option<Guid>, Guid);
    let mut statements: BTreeMap<Key, Statements<'_, Schedule>> = BTreeMap::new();
    for (identity, stated) in book.scheduled.iter() {
        let key = (stated.scope.subscription(), stated.schedule);
        let known = statements.entry(key).or_default();
        known.push((stated.provisioned_at, Some(stated), identity));
        known.extend(ends(estate, &stated.scope));
    }
    for (identity, cancelled) in book.cancelled.iter() {
        let key = (cancelled.scope.subscription(), cancelled.schedule);
        statements.entry(key).or_default().push((cancelled.at, None, identity));
    }
    type Spans = Vec<(Interval, Vec<Identity>)>;
    type Kept<'a> = BTreeMap<(Guid, &'a Scope, Guid, Guid, bool), Spans>;
    let mut kept: Kept<'_> = BTreeMap::new();
    for known in statements.into_values() {
        for (interval, stated, events) in in_force(known) {
            let active = Interval::new(stated.start, stated.end.unwrap_or(Instant::MAX_UTC)).intersect(&interval);
            let key = (stated.schedule, &stated.scope, stated.principal, stated.role, stated.eligible_only);
            kept.entry(key).or_default().push((active, events));
        }
    }
    let mut grants = Vec::new();
    for ((schedule, scope, principal, role, eligible_only), spans) in kept {
        grants.extend(joined(&spans).into_iter().map(|(held, events)| Grant {
            via: Via::Schedule(schedule),
            scope: scope.clone(),
            principal,
            role,
            condition: None,
            eligible_only,
            member_of: None,
            nested: false,
            held,
            unknown: None,
            events,
        }));
    }
    grants
}

/// How far from the beginning of a schedule's active time its assignment may be written.
const WRITTEN_AROUND: TimeDelta = TimeDelta::minutes(5);

/// ACC-8: an activation is also written as a role assignment, whose end nobody may log. One principal holds one
/// role on one scope by one assignment at a time (Azure refuses a second one with `RoleAssignmentExists`), so an
/// assignment that begins when such a schedule becomes active is that schedule's, and ends with it.
pub(super) fn end_with_schedules(assignments: &mut [Grant], schedules: &[Grant]) {
    type Held<'a> = (&'a Scope, Guid, Guid);
    let mut active: BTreeMap<Held<'_>, Vec<(Interval, Vec<Identity>)>> = BTreeMap::new();
    for schedule in schedules.iter().filter(|schedule| !schedule.eligible_only && !schedule.held.is_empty()) {
        let held = active.entry((&schedule.scope, schedule.principal, schedule.role)).or_default();
        held.push((schedule.held, schedule.events.clone()));
    }
    let active: BTreeMap<Held<'_>, _> = active.into_iter().map(|(held, spans)| (held, joined(&spans))).collect();
    for grant in assignments.iter_mut().filter(|grant| matches!(grant.via, Via::Assignment(_))) {
        let spans = active.get(&(&grant.scope, grant.principal, grant.role)).into_iter().flatten();
        let own = |span: &Interval| (grant.held.from - span.from).abs() <= WRITTEN_AROUND && grant.held.from < span.to;
        let Some((span, events)) = spans.into_iter().find(|(span, _)| own(span)) else { continue };
        if span.to < grant.held.to {
            grant.held = Interval::new(grant.held.from, span.to);
            grant.unknown = grant.unknown.map(|unknown| unknown.intersect(&grant.held)).filter(|it| !it.is_empty());
            grant
                .events
                .extend(events.iter().filter(|event| !grant.events.contains(event)).copied().collect::<Vec<_>>());
        }
    }
}

/// ACC-16: the links of a principal end when it is deleted; its assignments stay behind. Source: role
/// assignments of a deleted principal remain ("Identity not found"); choice of this project for links.
///
/// PEC-5: a link ties one identity, in one tenant, to one PartnerID at a time; linking another one
/// replaces it. Source: link-partner-id-for-azure-performance-pal-dpor.
pub(super) fn links(book: &AccessBook) -> BTreeMap<(Guid, Guid), Vec<PalLink>> {
    let mut statements: BTreeMap<(Guid, Guid), Statements<'_, Box<str>>> = BTreeMap::new();
    for (identity, linked) in book.linked.iter() {
        let key = (linked.principal, linked.tenant);
        statements.entry(key).or_default().push((linked.at, Some(&linked.partner_id), identity));
    }
    for (identity, unlinked) in book.unlinked.iter() {
        statements.entry((unlinked.principal, unlinked.tenant)).or_default().push((unlinked.at, None, identity));
    }
    for (identity, departed) in book.departed.iter() {
        let all_tenants = (departed.principal, Guid(0))..=(departed.principal, Guid(u128::MAX));
        for (_, known) in statements.range_mut(all_tenants) {
            known.push((departed.at, None, identity));
        }
    }
    let spans = |known: Statements<'_, Box<str>>| {
        let spans = in_force(known).into_iter();
        spans
            .map(|(interval, partner_id, events)| PalLink { interval, partner_id: partner_id.clone(), events })
            .collect()
    };
    statements.into_iter().map(|(key, known)| (key, spans(known))).collect()
}
