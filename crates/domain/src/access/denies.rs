//! Deny assignments: what is refused to whom, where and when.
//!
//! Only whether a deny assignment refuses all writes is worked out of its actions; anything
//! narrower is kept to be flagged. Whom it reaches is asked per principal, by membership at the time.

use std::collections::BTreeMap;

use crate::access::AccessBook;
use crate::access::estate::Estate;
use crate::access::grants::{Statements, in_force};
use crate::access::groups::Membership;
use crate::entry::DenyAssignment;
use crate::ids::{Guid, Identity};
use crate::period::{Interval, union, without};
use crate::scope::{Level, Scope};

/// Everybody, as Azure writes it.
const EVERYBODY: Guid = Guid(0);

/// One deny assignment over one stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Deny {
    pub deny: Guid,
    pub scope: Scope,
    pub interval: Interval,
    /// Refuses every write, not only some actions.
    pub every_write: bool,
    principals: Vec<Guid>,
    excluded: Vec<Guid>,
    pub events: Vec<Identity>,
}

impl Deny {
    /// When it reached a principal: named itself, by a group it was in, or everybody; and not excluded.
    pub(super) fn reaches(&self, principal: Guid, members: &BTreeMap<Guid, Vec<Membership>>) -> Vec<Interval> {
        let named = |list: &[Guid]| {
            let mut spans: Vec<Interval> = Vec::new();
            for id in list {
                if *id == principal || *id == EVERYBODY {
                    spans.push(self.interval);
                }
                let memberships = members.get(id).into_iter().flatten();
                let mine = memberships.filter(|one| one.member == principal && !one.unknown);
                spans.extend(mine.map(|one| one.interval.intersect(&self.interval)));
            }
            union(spans)
        };
        without(&named(&self.principals), &named(&self.excluded))
    }

    /// The entries by which it names or excepts a principal within a stretch of time; none where it does not
    /// name it.
    pub(super) fn naming(
        &self,
        principal: Guid,
        members: &BTreeMap<Guid, Vec<Membership>>,
        within: &[Interval],
    ) -> Vec<Identity> {
        let then = |interval: &Interval| within.iter().any(|part| !part.intersect(interval).is_empty());
        let by = |groups: &[Guid]| -> Vec<Identity> {
            let inside = groups.iter().filter_map(|group| members.get(group)).flatten();
            let mine = inside.filter(|one| one.member == principal && then(&one.interval));
            mine.flat_map(|one| one.events.clone()).collect()
        };
        let through = by(&self.principals);
        if through.is_empty() && !self.principals.iter().any(|id| *id == principal || *id == EVERYBODY) {
            return Vec::new();
        }
        self.events.iter().copied().chain(through).chain(by(&self.excluded)).collect()
    }

    /// The ids that it names, whose members matter.
    pub(super) fn named(&self) -> impl Iterator<Item = Guid> {
        self.principals.iter().chain(&self.excluded).copied()
    }
}

/// ACC-12: a deny assignment's newest statement is whole and holds until its removal or the deletion
/// of its scope. Its actions refuse every write where they name `*` or `*/write` and the exceptions
/// do not take that back. Source: Azure deny assignments; partner-earned-credit-troubleshoot, step 2
/// note (2022-01-25): check them on subscription and resource group.
pub(super) fn denies(book: &AccessBook, estate: &Estate) -> Vec<Deny> {
    type Key = (Option<Guid>, Guid);
    let mut statements: BTreeMap<Key, Statements<'_, DenyAssignment>> = BTreeMap::new();
    for (identity, stated) in book.denied.iter() {
        let known = statements.entry((stated.scope.subscription(), stated.deny)).or_default();
        known.push((stated.at, Some(stated), identity));
        known.extend(estate.ends(&stated.scope).into_iter().map(|(at, identity)| (at, None, identity)));
    }
    for (identity, removed) in book.undenied.iter() {
        let known = statements.get_mut(&(removed.scope.subscription(), removed.deny));
        known.into_iter().for_each(|known| known.push((removed.at, None, identity)));
    }
    let spans = statements.into_values().flat_map(in_force);
    spans.map(|(interval, stated, events)| deny(interval, stated, events)).collect()
}

fn deny(interval: Interval, stated: &DenyAssignment, events: Vec<Identity>) -> Deny {
    let names_all = |list: &[Box<str>]| list.iter().any(|action| matches!(&*action.to_lowercase(), "*" | "*/write"));
    // One that holds at a container alone reaches nothing that is used in it.
    let reaches_down = !stated.only_there || stated.scope.level() == Level::Resource;
    Deny {
        deny: stated.deny,
        scope: stated.scope.clone(),
        interval,
        every_write: names_all(&stated.actions) && !names_all(&stated.not_actions) && reaches_down,
        principals: stated.principals.clone(),
        excluded: stated.excluded.clone(),
        events,
    }
}
