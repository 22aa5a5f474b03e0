//! Where a resource was, and when: at which scopes it lived, below which management groups it stood, since
//! when it was gone; and the entries that say so.
//!
//! Asked for by explanations alone: it repeats in words what the grounds of a place are made of. The rows are
//! those that decide which grants could reach the resource, so one that never moved has none.

use std::collections::BTreeSet;

use crate::access::estate::path;
use crate::access::{Access, AccessBook};
use crate::entry::{ActivityOperation, ActivityResult};
use crate::filing::Drawer;
use crate::ids::Identity;
use crate::period::{Instant, Interval, union, without};
use crate::scope::Scope;

/// What is said of a resource over a stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Presence {
    /// At that scope, on a day on which it moved.
    Lived,
    /// Its subscription stood below that management group.
    Below,
    /// It, or a container of it, was created that day.
    Created,
    /// It, or a container of it, was deleted and nothing showed that it was there again.
    Gone,
}

impl Presence {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Lived => "lived",
            Self::Below => "below",
            Self::Created => "created",
            Self::Gone => "gone",
        }
    }

    /// The rules by which it is known and by which it decides.
    #[must_use]
    pub fn rules(self) -> &'static [&'static str] {
        match self {
            Self::Lived => &["ACC-14", "PEC-16"],
            Self::Below => &["ACC-15"],
            Self::Created => &["PEC-15"],
            Self::Gone => &["ACC-13", "PEC-15"],
        }
    }

    /// Whether it has a say in which part of the day is tested.
    #[must_use]
    pub fn limits(self) -> bool {
        matches!(self, Self::Created | Self::Gone)
    }
}

/// One row: what is said of a resource, at or below what, and when.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Whereabouts {
    pub what: Presence,
    pub place: Scope,
    pub interval: Interval,
}

impl Access {
    /// Where a resource was on a day, as far as it decides which grants could reach it. Management groups
    /// are named where something is granted or denied on them, also those that were left before.
    #[must_use]
    pub fn whereabouts(&self, scope: &Scope, day: Interval) -> Vec<Whereabouts> {
        let lived = self.lived(scope, day);
        let mut rows = lived.clone();
        let places: BTreeSet<Scope> = rows.iter().map(|row| row.place.clone()).chain([scope.clone()]).collect();
        for subscription in places.iter().filter_map(Scope::subscription).collect::<BTreeSet<_>>() {
            let above = self.estate.above(subscription).iter();
            let then = above.filter(|(group, within)| within.from < day.to && self.any_on(group));
            let row = |(group, within): &(Scope, Interval)| Whereabouts {
                what: Presence::Below,
                place: group.clone(),
                interval: *within,
            };
            rows.extend(then.map(row));
        }
        let created = self.estate.founded(scope).filter(|at| day.contains(*at));
        rows.extend(created.map(|at| Whereabouts {
            what: Presence::Created,
            place: scope.clone(),
            interval: Interval::new(at, Instant::MAX_UTC),
        }));
        let stays: Vec<(Scope, Interval)> = lived.into_iter().map(|row| (row.place, row.interval)).collect();
        let stays = if stays.is_empty() { vec![(scope.clone(), day)] } else { stays };
        rows.extend(stays.iter().flat_map(|(place, within)| self.gone(place, *within)));
        rows
    }

    /// Where it lived on a day on which it moved: its own scope while it was there, and the others.
    fn lived(&self, scope: &Scope, day: Interval) -> Vec<Whereabouts> {
        let elsewhere = self.estate.elsewhere(scope).into_iter();
        let elsewhere = elsewhere.map(|(place, within)| (place, within.intersect(&day)));
        let mut stays: Vec<(Scope, Interval)> = elsewhere.filter(|(_, within)| !within.is_empty()).collect();
        if stays.is_empty() {
            return Vec::new();
        }
        let away = union(stays.iter().map(|(_, within)| *within).collect());
        stays.extend(without(&[day], &away).into_iter().map(|here| (scope.clone(), here)));
        stays.sort_by_key(|(_, within)| *within);
        let row = |(place, interval)| Whereabouts { what: Presence::Lived, place, interval };
        stays.into_iter().map(row).collect()
    }

    /// While it was gone within a part of the day that it lived at a scope, itself or with a container: each
    /// stretch by the outermost scope that was.
    fn gone(&self, scope: &Scope, within: Interval) -> Vec<Whereabouts> {
        let mut containers: Vec<Scope> = path(scope).map(Scope::parse).collect();
        containers.reverse();
        let mut told: Vec<Interval> = Vec::new();
        let mut rows = Vec::new();
        for place in containers {
            let new = without(&self.estate.absent(&place), &told);
            told = union(told.into_iter().chain(new.iter().copied()).collect());
            for interval in new {
                if !interval.intersect(&within).is_empty() {
                    rows.push(Whereabouts { what: Presence::Gone, place: place.clone(), interval });
                }
            }
        }
        rows.sort_by_key(|row| row.interval);
        rows
    }

    /// The entries that say it, as far as they lie before the end of the day.
    #[must_use]
    pub fn told_by(&self, book: &AccessBook, scope: &Scope, rows: &[Whereabouts], day: Interval) -> BTreeSet<Identity> {
        let mut entries: BTreeSet<Identity> = BTreeSet::new();
        for row in rows {
            match row.what {
                Presence::Lived => {
                    let moves = self.estate.moved(&row.place, day);
                    entries.extend(moves.into_iter().flat_map(|event| book.of_move(event)));
                }
                Presence::Below => {}
                Presence::Created => {
                    let first = book.founded.iter().filter(|(_, one)| one.at == row.interval.from);
                    entries.extend(first.filter(|(_, one)| one.scope.contains(scope)).map(|(identity, _)| identity));
                }
                Presence::Gone => {
                    let ends = self.estate.ends(&row.place).into_iter();
                    let ends = ends.filter(|(at, _)| row.interval.contains(*at) && *at < day.to);
                    entries.extend(ends.map(|(_, event)| event));
                    if row.interval.to < day.to {
                        entries.extend(book.shown_at(&row.place, row.interval.to));
                    }
                }
            }
        }
        if rows.iter().any(|row| row.what == Presence::Below) {
            let lived = rows.iter().filter(|row| row.what == Presence::Lived).map(|row| &row.place);
            entries.extend(self.branch(book, lived.chain([scope]), day.to));
        }
        entries
    }

    /// What was told of the branch of the tree that some scopes hang on, before an instant.
    fn branch<'s>(
        &self,
        book: &AccessBook,
        scopes: impl Iterator<Item = &'s Scope>,
        until: Instant,
    ) -> BTreeSet<Identity> {
        let mut children: BTreeSet<Scope> = BTreeSet::new();
        for subscription in scopes.filter_map(Scope::subscription) {
            children.insert(Scope::subscription_of(subscription));
            children.extend(self.estate.above(subscription).iter().map(|(group, _)| group.clone()));
        }
        let told = book.tree.iter().filter(|(_, change)| change.at < until && children.contains(&change.child));
        told.map(|(identity, _)| identity).collect()
    }
}

impl AccessBook {
    /// All records of the move that an entry belongs to: what was asked for, and how it ended.
    fn of_move(&self, event: Identity) -> Vec<Identity> {
        let record = self.moves.get(event).and_then(Drawer::effective).map(|(_, record)| record);
        let named = record.and_then(|record| Some((record.correlation.as_deref()?, &record.group)));
        let same = self.moves.iter().filter(|(_, other)| {
            named.is_some_and(|(correlation, group)| {
                other.correlation.as_deref() == Some(correlation) && other.group == *group
            })
        });
        same.map(|(identity, _)| identity).chain([event]).collect()
    }

    /// What showed at an instant that a deleted scope is there again.
    fn shown_at(&self, place: &Scope, at: Instant) -> Vec<Identity> {
        let founded = self.founded.iter().map(|(identity, one)| (identity, one.at, &one.scope));
        let granted = self.created.iter().map(|(identity, one)| (identity, one.at, &one.scope));
        let written = self.activity.iter().filter(|(_, record)| {
            record.operation == ActivityOperation::Write && record.result == ActivityResult::Succeeded
        });
        let written = written.map(|(identity, record)| (identity, record.at, &record.scope));
        let moved = self.moved.iter().map(|(identity, one)| (identity, one.at, &one.to));
        let all = founded.chain(granted).chain(written).chain(moved);
        let shown = all.filter(|(_, when, scope)| *when == at && place.contains(scope)).map(|(identity, ..)| identity);
        shown.chain(self.moved_into(place, at)).collect()
    }

    /// Azure's records of what moved into a place at an instant.
    fn moved_into(&self, place: &Scope, at: Instant) -> Vec<Identity> {
        let done = self.moves.iter().filter(|(_, one)| one.at == at && one.result == ActivityResult::Succeeded);
        let records = done.map(|(identity, _)| self.of_move(identity));
        let there = |record: &Identity| {
            let stated = self.moves.get(*record).and_then(Drawer::effective);
            stated.and_then(|(_, one)| one.target.as_ref()).is_some_and(|target| place.contains(target))
        };
        records.filter(|records| records.iter().any(there)).flatten().collect()
    }
}
