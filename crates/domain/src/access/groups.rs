//! Groups: who was a member of what, when, also through groups in groups.
//!
//! A group is what membership events name as one. Memberships are stretches of time; a nested one
//! holds while every step of the way does. A removal of a membership that nobody saw begin leaves
//! what was before it unknown. Groups that contain each other are walked once.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::AccessBook;
use crate::access::grants::{Grant, Statements, Via, in_force, joined};
use crate::entry::GroupMemberAdded;
use crate::ids::{Guid, Identity};
use crate::period::{Instant, Interval, union, without};

/// One stretch of membership, direct or nested.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Membership {
    pub member: Guid,
    pub interval: Interval,
    /// Nobody saw it begin: it may have been.
    pub unknown: bool,
    /// By way of a group within the group.
    pub nested: bool,
    pub events: Vec<Identity>,
}

/// The direct members of every group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Groups(BTreeMap<Guid, Vec<Membership>>);

/// ACC-11: a membership runs from its event to its stated end, its removal or the next statement of
/// the same membership. Source: partner-earned-credit-troubleshoot, step 2 (2022-01-25): group
/// membership is checked for each user and may be bound in time. Nested groups: choice of this project.
pub(super) fn groups(book: &AccessBook) -> Groups {
    let mut statements: BTreeMap<(Guid, Guid), Statements<'_, GroupMemberAdded>> = BTreeMap::new();
    for (identity, added) in book.joined.iter() {
        statements.entry((added.group, added.member)).or_default().push((added.at, Some(added), identity));
    }
    for (identity, removed) in book.left.iter() {
        statements.entry((removed.group, removed.member)).or_default().push((removed.at, None, identity));
    }
    let mut groups = Groups::default();
    for ((group, member), known) in statements {
        let direct = groups.0.entry(group).or_default();
        let first = known.iter().min_by_key(|(at, body, identity)| (*at, body.is_none(), *identity));
        if let Some((at, None, identity)) = first {
            let interval = Interval::new(Instant::MIN_UTC, *at);
            direct.push(Membership { member, interval, unknown: true, nested: false, events: vec![*identity] });
        }
        let spans: Vec<(Interval, Vec<Identity>)> = in_force(known)
            .into_iter()
            .map(|(interval, added, events)| {
                let stated = Interval::new(added.at, added.until.unwrap_or(Instant::MAX_UTC));
                (interval.intersect(&stated), events)
            })
            .collect();
        let spans = joined(&spans).into_iter();
        let known = |(interval, events)| Membership { member, interval, unknown: false, nested: false, events };
        direct.extend(spans.map(known));
    }
    groups
}

impl Groups {
    pub(super) fn is_group(&self, id: Guid) -> bool {
        self.0.contains_key(&id)
    }

    /// Everybody of interest who is in a group, through whatever groups. Each group on the way is
    /// walked once for each stretch of time that it newly adds, so that circles end.
    pub(super) fn members(&self, group: Guid, interest: &BTreeSet<Guid>) -> Vec<Membership> {
        let always = Interval::new(Instant::MIN_UTC, Instant::MAX_UTC);
        let mut reached: BTreeMap<Guid, Vec<Interval>> = BTreeMap::from([(group, vec![always])]);
        let mut waiting: Vec<(Guid, Interval, bool, Vec<Identity>)> = vec![(group, always, false, Vec::new())];
        let mut members = Vec::new();
        while let Some((inner, within, unknown, path)) = waiting.pop() {
            let nested = inner != group;
            for direct in self.0.get(&inner).into_iter().flatten() {
                let interval = direct.interval.intersect(&within);
                if interval.is_empty() {
                    continue;
                }
                let events: Vec<Identity> = path.iter().chain(&direct.events).copied().collect();
                let unknown = unknown || direct.unknown;
                if self.is_group(direct.member) {
                    let known = reached.entry(direct.member).or_default();
                    let new = without(&[interval], known);
                    known.extend(&new);
                    *known = union(std::mem::take(known));
                    waiting.extend(new.into_iter().map(|new| (direct.member, new, unknown, events.clone())));
                }
                if interest.contains(&direct.member) {
                    members.push(Membership { member: direct.member, interval, unknown, nested, events });
                }
            }
        }
        members.sort_by(|a, b| (a.member, a.interval, &a.events).cmp(&(b.member, b.interval, &b.events)));
        members
    }

    /// ACC-11: a role given to a group is one grant per member and membership. What partners recognise
    /// by itself (their agents groups) stays whole. What a delegation names is also the group's own,
    /// because the link may be on the principal itself; of a group that nobody knows as a principal,
    /// while nobody of interest is in it: a link is then a member's, or nobody has one.
    pub(super) fn spread(
        &self,
        grants: Vec<Grant>,
        agents: &BTreeSet<Guid>,
        interest: &BTreeSet<Guid>,
        members: &BTreeMap<Guid, Vec<Membership>>,
    ) -> Vec<Grant> {
        let mut all = Vec::with_capacity(grants.len());
        for grant in grants {
            let whole = match grant.via {
                Via::Delegation { marketplace_offer, .. } => marketplace_offer,
                Via::Assignment(_) | Via::Schedule(_) => agents.contains(&grant.principal),
            };
            if whole || !self.is_group(grant.principal) {
                all.push(grant);
                continue;
            }
            let members = || members.get(&grant.principal).into_iter().flatten();
            all.extend(members().filter_map(|one| of_member(&grant, one)));
            if matches!(grant.via, Via::Delegation { .. }) {
                let direct = members().filter(|one| !one.nested && !one.unknown).map(|one| one.interval);
                let theirs = union(direct.collect());
                if theirs.is_empty() || grant.unknown.is_some() || interest.contains(&grant.principal) {
                    all.push(grant);
                } else {
                    let own = without(&[grant.held], &theirs).into_iter();
                    all.extend(own.map(|held| Grant { held, ..grant.clone() }));
                }
            }
        }
        all
    }
}

fn of_member(grant: &Grant, membership: &Membership) -> Option<Grant> {
    let common = |span: Interval| Some(span.intersect(&membership.interval)).filter(|span| !span.is_empty());
    let (held, unknown) = if membership.unknown {
        // Whether the group held it is no better known by way of a membership that may not have been.
        let whole = |unknown: Interval| Interval::new(grant.held.from.min(unknown.from), grant.held.to.max(unknown.to));
        (None, common(grant.unknown.map_or(grant.held, whole)))
    } else {
        (common(grant.held), grant.unknown.and_then(common))
    };
    // Of what may have been held it is known when that was over.
    let held = held.or_else(|| unknown.map(|unknown| Interval::new(unknown.to, unknown.to)))?;
    let mut events = grant.events.clone();
    events.extend(membership.events.iter().filter(|event| !grant.events.contains(event)));
    let (member_of, nested) = (Some(grant.principal), membership.nested);
    Some(Grant { principal: membership.member, member_of, nested, held, unknown, events, ..grant.clone() })
}
