//! One place under one state of the terms: what reaches it, for how long, and what denies it.
//!
//! `qualify` says when a grant counts in itself; this says when it counts *here*: while the place
//! inherits it, while the resource lived where it reaches, and while no deny assignment stands
//! against it. The same functions serve the judgement, every repair and the timeline.

use std::collections::BTreeSet;

use crate::access::{Access, Deny, Grant, Ground, Reach, Stay};
use crate::finding::Code;
use crate::ids::Identity;
use crate::pec::qualify::{Repair, Terms, clip, intersect};
use crate::pec::{LostCode, Route};
use crate::period::{Day, Instant, Interval, union, without};
use crate::policy::{DenyAssignments, KnownCreation, MovedResources, PartialDay};

/// A place as one judgement sees it.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub terms: Terms<'a>,
    pub ground: &'a Ground,
}

impl<'a> Site<'a> {
    /// PEC-16: what reaches the place by policy: a resource that moved must be covered in each
    /// container over the part of the day that it lived there, or goes by its id alone. Source: not
    /// documented; choice of this project (policy `moved-resources`).
    pub(super) fn reaches(&self) -> impl Iterator<Item = &'a Reach> + use<'a> {
        let policy = self.terms.policy.moved_resources;
        self.ground.grants.iter().filter(move |reach| counts(reach.stay, policy))
    }

    pub(super) fn grant(&self, reach: &Reach) -> &'a Grant {
        self.terms.access.grant(reach.grant)
    }

    /// When the grant was held as far as it reaches the place.
    pub(super) fn held(&self, reach: &Reach) -> Vec<Interval> {
        clip(&[self.terms.held(self.grant(reach))], reach.within)
    }

    /// When it ended for good here, unknown stretches included: by itself, or because the place left the
    /// management group that it is on.
    pub(super) fn ended(&self, reach: &Reach) -> Instant {
        Terms::ended(self.grant(reach)).min(reach.left)
    }

    /// Whether the grant once qualified here and had ended before the tested part. Where it may or may
    /// not have been held counts as held: that it once was is proven.
    pub(super) fn is_removed(&self, reach: &Reach, tested: &[Interval]) -> bool {
        let once = Repair { code: LostCode::UnknownAccess, tested };
        let qualified = |one: &Reach| !self.spans(one, Some(once)).is_empty();
        self.ended(reach) <= tested[0].from && self.alike(reach).any(qualified)
    }

    /// Every way in which the same grant reaches the resource, wherever that was on a day on which it moved.
    fn alike(&self, reach: &Reach) -> impl Iterator<Item = &'a Reach> + use<'a> {
        let (policy, of, left) = (self.terms.policy.moved_resources, reach.grant, reach.left);
        let first = self.ground.grants.partition_point(|one| one.grant < of);
        let same = self.ground.grants[first..].iter().take_while(move |one| one.grant == of);
        same.filter(move |one| one.left == left && counts(one.stay, policy))
    }

    /// When a grant qualifies here, with or without one thing repaired.
    pub(super) fn spans(&self, reach: &Reach, repair: Option<Repair<'_>>) -> Vec<Interval> {
        let removed = repair.filter(|repair| repair.code == LostCode::Removed);
        let lifted = removed.is_some_and(|repair| self.is_removed(reach, repair.tested));
        let grant = self.grant(reach);
        let spans = self.terms.spans(grant, repair, lifted);
        self.narrowed(reach, &spans, repair, lifted)
    }

    /// What is left here of the spans in which a grant qualifies in itself.
    pub(super) fn narrowed(
        &self,
        reach: &Reach,
        spans: &[Interval],
        repair: Option<Repair<'_>>,
        lifted: bool,
    ) -> Vec<Interval> {
        let left = reach.left < Instant::MAX_UTC && lifted;
        let within = if left { Interval::new(reach.within.from, Instant::MAX_UTC) } else { reach.within };
        let spans = clip(spans, within);
        if self.ground.denies.is_empty() || spans.is_empty() {
            return spans;
        }
        let grant = self.grant(reach);
        let granted = repair.filter(|repair| repair.code == LostCode::Denied);
        if granted.is_some_and(|repair| self.terms.is_ours(grant, repair.tested)) {
            return spans;
        }
        without(&spans, &self.denied(grant))
    }

    /// PEC-14: a deny assignment that refuses every write makes a gap for individual identities and is
    /// a flag for delegated administration (policy `deny-assignments`); a narrower one is always a
    /// flag. Source: partner-earned-credit-troubleshoot, step 2 note (2022-01-25), which does not say
    /// how much a deny assignment must refuse.
    pub(super) fn denied(&self, grant: &Grant) -> Vec<Interval> {
        let gap = |deny: &Deny| deny.every_write && self.makes_a_gap(grant);
        union(self.reaching(grant).filter(|(deny, _)| gap(deny)).flat_map(|(_, spans)| spans).collect())
    }

    fn makes_a_gap(&self, grant: &Grant) -> bool {
        match (self.terms.policy.deny_assignments, self.terms.route(grant)) {
            (DenyAssignments::Every, _) | (DenyAssignments::Individual, Route::Individual | Route::Group) => true,
            (DenyAssignments::Individual, Route::Aobo | Route::LighthouseOffer | Route::LighthouseTemplate)
            | (DenyAssignments::Flag, _) => false,
        }
    }

    /// The deny assignments of the place that reach a grant's principal, and when.
    fn reaching(&self, grant: &Grant) -> impl Iterator<Item = (&'a Deny, Vec<Interval>)> + use<'a> {
        let (access, principal, policy) = (self.terms.access, grant.principal, self.terms.policy.moved_resources);
        self.ground.denies.iter().filter(move |one| counts(one.stay, policy)).filter_map(move |one| {
            let spans = clip(&access.denied(one.deny, principal), one.within);
            (!spans.is_empty()).then(|| (access.deny(one.deny), spans))
        })
    }

    /// The events of the deny assignments that make a gap for a grant within a stretch of time.
    pub(super) fn denying_events(&self, grant: &Grant, within: &[Interval]) -> Vec<Identity> {
        let then = |spans: &[Interval]| !intersect(spans, within).is_empty();
        let gaps = self.reaching(grant).filter(|(deny, spans)| deny.every_write && then(spans));
        gaps.flat_map(|(deny, _)| deny.events.clone()).collect()
    }

    /// What is doubtful about a grant that counts within a stretch of time.
    pub(super) fn flags(&self, grant: &Grant, within: &[Interval]) -> Vec<Code> {
        let mut flags = Vec::new();
        if Access::is_inherited(grant) {
            flags.push(Code::InheritedGrant);
        }
        if self.terms.unlisted(grant) {
            flags.push(Code::UnlistedRole);
        }
        let passes = |deny: &Deny| !(deny.every_write && self.makes_a_gap(grant));
        let then = |spans: &[Interval]| !intersect(spans, within).is_empty();
        if self.reaching(grant).any(|(deny, spans)| passes(deny) && then(&spans)) {
            flags.push(Code::Denied);
        }
        if grant.condition.is_some() {
            flags.push(Code::Condition);
        }
        if self.terms.linked_abroad(grant, within) {
            flags.push(Code::ForeignPartnerId);
        }
        flags
    }

    /// PEC-10: by policy, the part in which the subscription existed under this partner and plan, so that
    /// each side of a transfer is tested over its own part; or the whole day. Who left and came back
    /// within a day is tested over both parts together. Usage that is placed outside its own day
    /// (reported under another partner) is tested over the whole day.
    ///
    /// PEC-15: it ends where the resource or a container of it was deleted that day. A known creation
    /// does not shorten it, unless the policy says so (`known-creation`); usage of a day on which the
    /// resource was not known to exist proves that it did. Source: not documented; choice of this project.
    pub(super) fn tested(&self, day: Day) -> Vec<Interval> {
        let existed = clip(&self.terms.standing.stretches, day.interval());
        let whole = match self.terms.policy.partial_day {
            PartialDay::Existence if !existed.is_empty() => existed,
            PartialDay::Existence | PartialDay::WholeDay => vec![day.interval()],
        };
        let (mut from, mut to) = (whole[0].from, whole[whole.len() - 1].to);
        let absent = clip(&self.absent(), Interval::new(from, to));
        let end = to;
        for gap in absent.iter().rev().filter(|gap| gap.to >= end) {
            to = gap.from;
        }
        if self.terms.policy.known_creation == KnownCreation::Shortens {
            from = absent.iter().find(|gap| gap.from <= from).map_or(from, |gap| gap.to);
        }
        let rest = clip(&whole, Interval::new(from, to));
        if rest.is_empty() { whole } else { rest }
    }

    /// Parts of what is tested in which nothing was there to be covered.
    pub(super) fn nothing_there(&self, tested: &[Interval]) -> Vec<Interval> {
        let absent = intersect(&self.absent(), tested);
        let counts = self.terms.policy.known_creation == KnownCreation::Shortens;
        let all = without(tested, &absent).is_empty();
        if counts && !all { absent } else { Vec::new() }
    }

    /// PEC-16: when the resource was deleted: where it then was or, by policy, where its id alone says.
    pub(super) fn gone(&self) -> impl Iterator<Item = Interval> + use<'a> {
        let policy = self.terms.policy.moved_resources;
        self.ground.absent.iter().filter(move |(_, stay)| counts(*stay, policy)).map(|(gone, _)| *gone)
    }

    fn absent(&self) -> Vec<Interval> {
        let mut absent: Vec<Interval> = self.gone().collect();
        if self.terms.policy.known_creation == KnownCreation::Shortens {
            absent.extend(self.ground.founded.map(|at| Interval::new(Instant::MIN_UTC, at)));
        }
        union(absent)
    }

    /// The entries of every deny assignment that names a grant's principal here within a stretch of time,
    /// whether it makes a gap, is a flag or excepts it in the end.
    pub(super) fn naming_events(&self, grant: &Grant, within: &[Interval]) -> Vec<Identity> {
        let (access, policy) = (self.terms.access, self.terms.policy.moved_resources);
        let here = self.ground.denies.iter().filter(|one| counts(one.stay, policy));
        let then = here.filter(|one| !clip(within, access.deny(one.deny).interval.intersect(&one.within)).is_empty());
        then.flat_map(|one| access.naming(one.deny, grant.principal, within)).collect()
    }

    /// Every instant at which something that the judgement reads of this place changes.
    pub(super) fn edges(&self) -> Vec<Instant> {
        let mut spans: Vec<Interval> = self.gone().collect();
        spans.extend(self.ground.founded.map(|at| Interval::new(Instant::MIN_UTC, at)));
        let mut edges = BTreeSet::new();
        for reach in &self.ground.grants {
            let grant = self.grant(reach);
            edges.extend(self.terms.edges(grant));
            spans.push(reach.within);
            for deny in &self.ground.denies {
                spans.push(deny.within);
                spans.extend(self.terms.access.denied(deny.deny, grant.principal));
            }
        }
        edges.extend(spans.into_iter().flat_map(|span| [span.from, span.to]));
        edges.into_iter().collect()
    }
}

fn counts(stay: Stay, policy: MovedResources) -> bool {
    match stay {
        Stay::Here => true,
        Stay::Elsewhere => policy == MovedResources::EachContainer,
        Stay::ByIdAlone => policy == MovedResources::IdAlone,
    }
}
