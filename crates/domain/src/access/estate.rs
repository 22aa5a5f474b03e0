//! What exists where: deletions, creations, moves, and the tree of management groups.
//!
//! Filed by the text of a scope, so that a path can be walked up. A deletion ends everything that
//! was granted within; what is created again under the old name starts without it. Where no
//! creation is told, something deleted is not believed to be back.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::AccessBook;
use crate::access::Record;
use crate::access::evidence::about;
use crate::entry::{ActivityOperation, ActivityResult, MoveActivity, TreeChange};
use crate::filing::Drawer;
use crate::finding::{Code, Finding};
use crate::ids::{Guid, Identity};
use crate::period::{Day, Instant, Interval, union, without};
use crate::scope::Scope;

/// A stretch of time that a resource spent at one scope.
pub(super) type Stay = (Scope, Interval);

#[derive(Clone, Debug, PartialEq)]
struct Move {
    at: Instant,
    from: Scope,
    to: Scope,
    event: Identity,
}

/// Everything about scopes themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Estate {
    gone: BTreeMap<Box<str>, BTreeMap<Instant, Identity>>,
    /// When something within a scope that was once deleted showed that the scope is there again.
    back: BTreeMap<Box<str>, BTreeSet<Instant>>,
    /// The first creation of a scope.
    founded: BTreeMap<Box<str>, Instant>,
    /// By the id that was left, in order of time.
    out_of: BTreeMap<Box<str>, Vec<Move>>,
    /// By the id that was taken, in order of time.
    into: BTreeMap<Box<str>, Vec<Move>>,
    emigrated: BTreeMap<Guid, BTreeMap<Instant, Identity>>,
    /// The management groups above a subscription, and while it was below them.
    above: BTreeMap<Guid, Vec<(Scope, Interval)>>,
    /// The same of a management group.
    above_groups: BTreeMap<Scope, Vec<(Scope, Interval)>>,
    pub findings: Vec<Finding>,
}

/// A scope's own path and everything above it within its subscription, longest first.
pub(super) fn path(scope: &Scope) -> impl Iterator<Item = &str> {
    let above = std::iter::successors(Some(scope.as_str()), |path| path.rsplit_once('/').map(|(parent, _)| parent));
    above.take_while(|path| !path.is_empty())
}

pub(super) fn estate(book: &AccessBook, records: &[Record<'_>]) -> Estate {
    let mut estate = Estate::default();
    for (identity, deleted) in book.gone.iter() {
        estate.delete(&deleted.scope, deleted.at, identity);
    }
    estate.take_cascades(records);
    for (identity, moved) in book.moved.iter() {
        estate.move_one(&moved.from, &moved.to, moved.at, identity);
    }
    estate.take_moves(book);
    for (identity, moved) in book.emigrated.iter() {
        estate.emigrated.entry(moved.subscription).or_default().insert(moved.at, identity);
    }
    for moves in estate.out_of.values_mut().chain(estate.into.values_mut()) {
        moves.sort_by(|a, b| (a.at, a.event, &a.from).cmp(&(b.at, b.event, &b.from)));
        moves.dedup();
    }
    estate.take_creations(book, records);
    (estate.above, estate.above_groups) = above(book);
    estate
}

impl Estate {
    fn delete(&mut self, scope: &Scope, at: Instant, event: Identity) {
        let known = self.gone.entry(scope.as_str().into()).or_default();
        let first = known.entry(at).or_insert(event);
        *first = (*first).min(event);
    }

    /// ACC-13: a resource group counts as deleted from the first assignment that is removed with it.
    /// Source: recorded Azure logs (cascades 2018-03, 2023-08), where the group's own record comes last.
    fn take_cascades(&mut self, records: &[Record<'_>]) {
        for (identity, record) in records {
            let cascade = record.cascade
                && record.operation == ActivityOperation::Delete
                && record.result == ActivityResult::Succeeded;
            if let Some(group) = record.scope.resource_group().filter(|_| cascade) {
                self.delete(&group, record.at, *identity);
            }
        }
    }

    fn move_one(&mut self, from: &Scope, to: &Scope, at: Instant, event: Identity) {
        let moved = Move { at, from: from.clone(), to: to.clone(), event };
        self.into.entry(to.as_str().into()).or_default().push(moved.clone());
        self.out_of.entry(from.as_str().into()).or_default().push(moved);
    }

    /// ACC-14: of Azure's own records of a move the Started one says what moves and where to, the
    /// Succeeded one when; they belong together by correlation and group. A success without the rest
    /// moves nothing and is a finding.
    fn take_moves(&mut self, book: &AccessBook) {
        let records: Vec<(Identity, MoveActivity)> = book
            .moves
            .iter()
            .map(|(identity, effective)| {
                let copies = book.moves.get(identity).into_iter().flat_map(Drawer::bodies);
                (identity, copies.fold(effective.clone(), |record, (_, copy)| completed(record, copy)))
            })
            .collect();
        let mut requests: BTreeMap<(&str, &Scope), Vec<&MoveActivity>> = BTreeMap::new();
        for (_, record) in records.iter().filter(|(_, record)| record.result == ActivityResult::Started) {
            if let Some(correlation) = record.correlation.as_deref() {
                requests.entry((correlation, &record.group)).or_default().push(record);
            }
        }
        for (identity, record) in records.iter().filter(|(_, record)| record.result == ActivityResult::Succeeded) {
            let asked =
                record.correlation.as_deref().and_then(|correlation| requests.get(&(correlation, &record.group)));
            let asked = asked.into_iter().flatten().filter(|asked| asked.at <= record.at).max_by_key(|asked| asked.at);
            let full = asked.map_or_else(|| record.clone(), |asked| completed(record.clone(), asked));
            let Some(target) = full.target.as_ref().filter(|_| !full.resources.is_empty()) else {
                let detail = format!("what was moved out of {} and where to is not stated", record.group);
                let finding = Finding::new(Code::UnresolvedMove, about(&record.group, record.at), detail);
                self.findings.push(Finding { events: vec![*identity], ..finding });
                continue;
            };
            for resource in &full.resources {
                if let Some(tail) = resource.as_str().strip_prefix(record.group.as_str()) {
                    self.move_one(resource, &Scope::parse(&format!("{target}{tail}")), record.at, *identity);
                }
            }
        }
    }

    /// What shows that a deleted scope is there again: it, or something in it, was created or granted, or
    /// something moved into it.
    fn take_creations(&mut self, book: &AccessBook, records: &[Record<'_>]) {
        for (_, created) in book.founded.iter() {
            let first = self.founded.entry(created.scope.as_str().into()).or_insert(created.at);
            *first = (*first).min(created.at);
            self.note_back(&created.scope, created.at);
        }
        if self.gone.is_empty() {
            return;
        }
        for (_, created) in book.created.iter() {
            self.note_back(&created.scope, created.at);
        }
        let arrivals: Vec<(Scope, Instant)> =
            self.into.values().flatten().map(|moved| (moved.to.clone(), moved.at)).collect();
        arrivals.iter().for_each(|(scope, at)| self.note_back(scope, *at));
        for (_, record) in records {
            if record.operation == ActivityOperation::Write && record.result == ActivityResult::Succeeded {
                self.note_back(&record.scope, record.at);
            }
        }
    }

    fn note_back(&mut self, scope: &Scope, at: Instant) {
        for path in path(scope) {
            if self.gone.contains_key(path) {
                self.back.entry(path.into()).or_default().insert(at);
            }
        }
    }

    /// ACC-17: a subscription that changes its directory leaves every assignment behind. Source: transfer of
    /// a subscription to another directory, where role assignments are permanently deleted.
    ///
    /// ACC-13: the instants at which everything granted at a scope ended, whatever its records say: the
    /// scope or a container of it was deleted or moved away, or its subscription changed directory.
    pub(super) fn ends(&self, scope: &Scope) -> Vec<(Instant, Identity)> {
        let mut ends: Vec<(Instant, Identity)> = Vec::new();
        if self.gone.is_empty() && self.out_of.is_empty() && self.emigrated.is_empty() {
            return ends;
        }
        for path in path(scope) {
            ends.extend(self.gone.get(path).into_iter().flatten().map(|(at, event)| (*at, *event)));
            ends.extend(self.out_of.get(path).into_iter().flatten().map(|moved| (moved.at, moved.event)));
        }
        let emigrated = scope.subscription().and_then(|subscription| self.emigrated.get(&subscription));
        ends.extend(emigrated.into_iter().flatten().map(|(at, event)| (*at, *event)));
        ends.sort_unstable();
        ends
    }

    /// When a scope was deleted, itself or with a container, and not known to be there again.
    pub(super) fn absent(&self, scope: &Scope) -> Vec<Interval> {
        let mut absent = Vec::new();
        for path in path(scope) {
            let (back, gone) = (self.back.get(path), self.gone.get(path));
            for at in gone.into_iter().flat_map(BTreeMap::keys) {
                let after = (std::ops::Bound::Excluded(*at), std::ops::Bound::Unbounded);
                let again = back.and_then(|back| back.range::<Instant, _>(after).next()).copied();
                // What is deleted once more on a later day was there again, on that day at the latest.
                let once_more = gone.and_then(|gone| gone.range::<Instant, _>(after).next());
                let once_more =
                    once_more.map(|(next, _)| Some(Day::of(*next).start()).filter(|day| day > at).unwrap_or(*next));
                let until = again.into_iter().chain(once_more).min().unwrap_or(Instant::MAX_UTC);
                absent.push(Interval::new(*at, until));
            }
        }
        union(absent)
    }

    /// When a scope and its containers were first created, as far as that is told: the latest of them.
    pub(super) fn founded(&self, scope: &Scope) -> Option<Instant> {
        path(scope).filter_map(|path| self.founded.get(path)).max().copied()
    }

    pub(super) fn founded_subscriptions(&self) -> impl Iterator<Item = (Guid, Instant)> {
        self.founded.iter().filter_map(|(path, at)| {
            let scope = Scope::parse(path);
            scope.subscription().filter(|id| Scope::subscription_of(*id) == scope).map(|id| (id, *at))
        })
    }

    /// Every scope that something is told of beside grants: what lies in it differs from its neighbours.
    pub(super) fn marked(&self) -> impl Iterator<Item = &str> {
        let deleted = self.gone.keys().chain(self.out_of.keys()).chain(self.into.keys());
        deleted.map(|scope| &**scope)
    }

    pub(super) fn founded_scopes(&self) -> impl Iterator<Item = &str> {
        self.founded.keys().map(|scope| &**scope)
    }

    /// The management groups above a subscription, other than the tenant's root group.
    pub(super) fn above(&self, subscription: Guid) -> &[(Scope, Interval)] {
        self.above.get(&subscription).map_or(&[], Vec::as_slice)
    }

    /// The subscriptions and the management groups below a management group at an instant.
    pub(super) fn below(&self, group: &Scope, at: Instant) -> (Vec<Guid>, Vec<Scope>) {
        let within =
            |above: &[(Scope, Interval)]| above.iter().any(|(one, while_)| one == group && while_.contains(at));
        let subscriptions = self.above.iter().filter(|(_, above)| within(above)).map(|(id, _)| *id);
        let groups = self.above_groups.iter().filter(|(_, above)| within(above)).map(|(below, _)| below.clone());
        (subscriptions.collect(), groups.collect())
    }

    /// ACC-14: where else the resource of this id lived on the days on which it moved, other than here.
    /// On every other day an id speaks for itself. Source: not documented; choice of this project.
    pub(super) fn elsewhere(&self, scope: &Scope) -> Vec<Stay> {
        if self.out_of.is_empty() {
            return Vec::new();
        }
        let days: BTreeSet<Day> = self
            .moves_of(&self.out_of, scope)
            .chain(self.moves_of(&self.into, scope))
            .map(|(moved, _)| Day::of(moved.at))
            .collect();
        let stays = days.into_iter().flat_map(|day| self.stays_on(scope, day.interval()));
        stays.filter(|(_, within)| !within.is_empty()).collect()
    }

    /// The entries that moved a scope or a container of it within a stretch of time, away or here.
    pub(super) fn moved(&self, scope: &Scope, within: Interval) -> Vec<Identity> {
        let moves = self.moves_of(&self.out_of, scope).chain(self.moves_of(&self.into, scope));
        moves.filter(|(moved, _)| within.contains(moved.at)).map(|(moved, _)| moved.event).collect()
    }

    /// The moves of a scope or of a container of it, with the rest of the path below what moved.
    fn moves_of<'a>(
        &'a self,
        book: &'a BTreeMap<Box<str>, Vec<Move>>,
        scope: &'a Scope,
    ) -> impl Iterator<Item = (&'a Move, &'a str)> {
        path(scope).flat_map(move |path| {
            let tail = scope.as_str().strip_prefix(path).unwrap_or_default();
            book.get(path).into_iter().flatten().map(move |moved| (moved, tail))
        })
    }

    fn stays_on(&self, scope: &Scope, day: Interval) -> Vec<Stay> {
        let within = |moved: &Move| day.contains(moved.at);
        let next_out = |here: &Scope, after: Instant| {
            let moves = self.moves_of(&self.out_of, here).filter(|(moved, _)| within(moved) && moved.at > after);
            let next = moves.min_by_key(|(moved, _)| (moved.at, moved.event));
            next.map(|(moved, tail)| (moved.at, Scope::parse(&format!("{}{tail}", moved.to))))
        };
        let last_in = |here: &Scope, before: Instant| {
            let moves = self.moves_of(&self.into, here).filter(|(moved, _)| within(moved) && moved.at < before);
            let last = moves.max_by_key(|(moved, _)| (moved.at, moved.event));
            last.map(|(moved, tail)| (moved.at, Scope::parse(&format!("{}{tail}", moved.from))))
        };
        let earlier = chrono::TimeDelta::nanoseconds(1);
        let first_out = next_out(scope, day.from - earlier);
        let mut stays: Vec<Stay> = Vec::new();
        // Back to where it came from, unless it first left here: then it came back by leaving elsewhere.
        let (mut here, mut until) = (scope.clone(), first_out.as_ref().map_or(day.to, |(at, _)| *at));
        while let Some((at, from)) = last_in(&here, until) {
            if here != *scope {
                stays.push((here, Interval::new(at, until)));
            }
            (here, until) = (from, at);
        }
        if here != *scope {
            stays.push((here, Interval::new(day.from, until)));
        }
        let mut next = first_out;
        while let Some((at, to)) = next {
            next = next_out(&to, at);
            let until = next.as_ref().map_or(day.to, |(at, _)| *at);
            if to != *scope {
                stays.push((to, Interval::new(at, until)));
            }
        }
        stays
    }
}

/// What one record of a move lacks is taken from another of the same operation.
fn completed(record: MoveActivity, other: &MoveActivity) -> MoveActivity {
    let resources = if record.resources.is_empty() { other.resources.clone() } else { record.resources.clone() };
    MoveActivity { resources, target: record.target.clone().or_else(|| other.target.clone()), ..record }
}

type Above<K> = BTreeMap<K, Vec<(Scope, Interval)>>;

/// ACC-15: the management groups above each subscription and each management group, by the newest statement of each place in the
/// tree; leaving one ends what is inherited from it. Source: Azure role assignments are inherited down
/// the tree; whether they earn credit is not documented, hence policy `inherited-grants`.
fn above(book: &AccessBook) -> (Above<Guid>, Above<Scope>) {
    let mut changes: BTreeMap<&Scope, Vec<(Instant, bool, Identity, &TreeChange)>> = BTreeMap::new();
    for (identity, change) in book.tree.iter() {
        let known = changes.entry(&change.child).or_default();
        known.push((change.at, change.parent.is_some(), identity, change));
    }
    let mut parents: BTreeMap<&Scope, Vec<(Interval, &Scope)>> = BTreeMap::new();
    for (child, mut known) in changes {
        known.sort_by_key(|(at, enters, identity, _)| (*at, *enters, *identity));
        let spans = parents.entry(child).or_default();
        let mut now: Option<(Instant, &Scope)> = None;
        for (at, _, _, change) in known {
            let elsewhere = |left: &Scope| now.is_some_and(|(_, parent)| parent != left);
            if change.parent.is_none() && change.left.as_ref().is_some_and(elsewhere) {
                continue;
            }
            spans.extend(now.map(|(since, parent)| (Interval::new(since, at), parent)));
            now = change.parent.as_ref().map(|parent| (at, parent));
        }
        spans.extend(now.map(|(since, parent)| (Interval::new(since, Instant::MAX_UTC), parent)));
    }
    let (mut subscriptions, mut groups) = (BTreeMap::new(), BTreeMap::new());
    for child in parents.keys() {
        let above = ancestors(child, &parents);
        match child.subscription() {
            Some(subscription) => drop(subscriptions.insert(subscription, above)),
            None => drop(groups.insert((*child).clone(), above)),
        }
    }
    (subscriptions, groups)
}

fn ancestors(child: &Scope, parents: &BTreeMap<&Scope, Vec<(Interval, &Scope)>>) -> Vec<(Scope, Interval)> {
    let always = Interval::new(Instant::MIN_UTC, Instant::MAX_UTC);
    let mut reached: BTreeMap<&Scope, Vec<Interval>> = BTreeMap::new();
    let mut waiting: Vec<(&Scope, Interval)> = vec![(child, always)];
    while let Some((here, within)) = waiting.pop() {
        for (interval, parent) in parents.get(here).into_iter().flatten() {
            let known = reached.entry(*parent).or_default();
            // Only what is new is walked on, so that a circle ends.
            let new = without(&[interval.intersect(&within)], known);
            known.extend(&new);
            *known = union(std::mem::take(known));
            waiting.extend(new.into_iter().map(|new| (*parent, new)));
        }
    }
    let spans = reached.into_iter().flat_map(|(group, spans)| spans.into_iter().map(move |span| (group.clone(), span)));
    spans.collect()
}
