//! The day: tested part, cover, verdict; and the memory that makes a month of them cheap.
//!
//! Resources under the same grants share one *place*; days are judged once per place. Only lost
//! days go on to the search for their reason. Nothing kept here outlives the question: a judge is
//! built over one state of the facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::access::{Access, GrantId, Ground};
use crate::channel::Channel;
use crate::commerce::{Commerce, Placement};
use crate::facts::Facts;
use crate::finding::{About, Code, Finding};
use crate::ids::Guid;
use crate::partners::Partners;
use crate::pec::qualify::{Terms, intersect};
use crate::pec::site::Site;
use crate::pec::standing::Standing;
use crate::pec::{AccessVerdict, Cover, Loss, LostCode, Remedy, repair};
use crate::period::{Day, Instant, Interval, union, without};
use crate::policy::{KnownCreation, Policy};
use crate::roles::RoleTables;
use crate::scope::Scope;

/// A subscription under a plan together with all that reaches a resource in it. Two resources with
/// equal ids are judged alike on every day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct PlaceId(u32);

/// Judges access over one state of the facts.
#[derive(Debug)]
pub struct Judge<'a> {
    facts: &'a Facts,
    commerce: &'a Commerce,
    access: Arc<Access>,
    partners: Partners,
    roles: RoleTables,
    /// The days on which the table of roles changes.
    role_changes: Vec<Day>,
    channel: Channel,
    standings: Vec<Standing>,
    standing_of: BTreeMap<(Guid, Instant), u32>,
    /// Policies together with a day of the role list they are read with.
    regimes: Vec<(Policy, Day)>,
    regime_of: BTreeMap<Day, u32>,
    places: Vec<Place>,
    place_of: BTreeMap<(u32, Arc<Ground>), PlaceId>,
    /// Some policy lets a known creation shorten the tested part, so that creations matter at all.
    creations: bool,
    groups: BTreeMap<(u32, Box<str>), Group>,
    spans: BTreeMap<(u32, GrantId, u32), Arc<[Interval]>>,
    findings: BTreeSet<Finding>,
}

#[derive(Debug)]
struct Place {
    standing: u32,
    ground: Arc<Ground>,
    /// Days judged, by the first of each run of days that are alike.
    runs: BTreeMap<Day, Run>,
    /// The instants at which anything that is read here changes, once they are asked for.
    edges: Option<Vec<Instant>>,
}

/// Consecutive days on which nothing changes, and the verdict of the first of them.
#[derive(Debug)]
struct Run {
    last: Day,
    regime: u32,
    verdict: AccessVerdict,
}

impl Run {
    /// The verdict as it reads on one day of the run. On a day on which nothing changes, either
    /// something qualifies throughout or nothing does at any instant.
    fn on(&self, day: Day) -> AccessVerdict {
        match &self.verdict {
            AccessVerdict::Lost(loss) if !day.interval().contains(loss.tested[0].from) => {
                let (tested, open) = (vec![day.interval()], vec![day.interval()]);
                AccessVerdict::Lost(Arc::new(Loss { tested, open, ..Loss::clone(loss) }))
            }
            AccessVerdict::Lost(_) | AccessVerdict::Earned(_) => self.verdict.clone(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Group {
    place: PlaceId,
    /// Something is granted below the group, so that its resources differ.
    differing: bool,
}

impl<'a> Judge<'a> {
    /// Works out who held what, when, and who is who: once per question.
    #[must_use]
    pub fn new(facts: &'a Facts, commerce: &'a Commerce) -> Self {
        let partners = facts.partners.view();
        let access = Arc::new(facts.access.view(commerce, &partners));
        Self::over((facts, commerce), access, partners, facts.roles.view(), facts.channel.view())
    }

    /// Another judge over the same facts, who remembers nothing yet: what was put in order is shared.
    #[must_use]
    pub fn colleague(&self) -> Self {
        let (partners, roles, channel) = (self.partners.clone(), self.roles.clone(), self.channel.clone());
        Self::over((self.facts, self.commerce), Arc::clone(&self.access), partners, roles, channel)
    }

    fn over(
        (facts, commerce): (&'a Facts, &'a Commerce),
        access: Arc<Access>,
        partners: Partners,
        roles: RoleTables,
        channel: Channel,
    ) -> Self {
        Self {
            facts,
            commerce,
            access,
            partners,
            role_changes: roles.changes(),
            roles,
            channel,
            creations: facts.policy.any(|policy| policy.known_creation == KnownCreation::Shortens),
            standings: Vec::new(),
            standing_of: BTreeMap::new(),
            regimes: Vec::new(),
            regime_of: BTreeMap::new(),
            places: Vec::new(),
            place_of: BTreeMap::new(),
            groups: BTreeMap::new(),
            spans: BTreeMap::new(),
            findings: BTreeSet::new(),
        }
    }

    #[must_use]
    pub fn grants(&self) -> &Access {
        &self.access
    }

    pub(super) fn facts(&self) -> &Facts {
        self.facts
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn partners(&self) -> &Partners {
        &self.partners
    }

    /// Where a resource stands. Usage without a resource is judged at its group, else at its
    /// subscription: hand in that scope.
    pub fn place(&mut self, subscription: Guid, placement: &Placement, resource: &Scope) -> PlaceId {
        let standing = self.standing(subscription, placement);
        let Some(group) = resource.resource_group() else {
            return self.place_among(standing, placement.customer, resource);
        };
        let key = (standing, Box::from(group.as_str()));
        let known = match self.groups.get(&key) {
            Some(known) => *known,
            None => {
                let place = self.place_among(standing, placement.customer, &group);
                let known = Group { place, differing: self.access.any_below(&group, self.creations) };
                self.groups.insert(key, known);
                known
            }
        };
        if known.differing && self.access.differs(resource, &group, self.creations) {
            return self.place_among(standing, placement.customer, resource);
        }
        known.place
    }

    fn place_among(&mut self, standing: u32, customer: Guid, scope: &Scope) -> PlaceId {
        let ground = Arc::new(self.access.ground(scope, customer, self.creations));
        let next = PlaceId(number(self.places.len()));
        let place = *self.place_of.entry((standing, Arc::clone(&ground))).or_insert(next);
        if place == next {
            self.places.push(Place { standing, ground, runs: BTreeMap::new(), edges: None });
        }
        place
    }

    fn standing(&mut self, subscription: Guid, placement: &Placement) -> u32 {
        // One for all stretches under the plan; one that is only supposed stands for itself.
        let real = self.commerce.placements(subscription).contains(placement);
        let first = self.commerce.stretches(subscription, placement).next().filter(|_| real).unwrap_or(placement);
        let key = (subscription, first.interval.from);
        if let Some(known) = self.standing_of.get(&key) {
            return *known;
        }
        let standing = Standing::of(subscription, placement, self.commerce, (&self.partners, &self.channel));
        self.findings.extend(standing.findings(&self.partners));
        let id = number(self.standings.len());
        self.standings.push(standing);
        self.standing_of.insert(key, id);
        id
    }

    /// Days between which neither policy nor role list changes share a regime.
    fn regime(&mut self, day: Day) -> u32 {
        if let Some(known) = self.regime_of.get(&day) {
            return *known;
        }
        let policy = self.facts.policy.at(day);
        let list = self.role_changes.iter().copied().filter(|change| *change <= day).max().unwrap_or(day);
        let same = self.regimes.iter().position(|(known, since)| *known == policy && *since == list);
        let id = number(same.unwrap_or(self.regimes.len()));
        if same.is_none() {
            self.regimes.push((policy, list));
        }
        self.regime_of.insert(day, id);
        id
    }

    /// How access decided a day. Asked again, or for a day like the one before, the answer costs a
    /// look-up.
    pub fn access(&mut self, place: PlaceId, day: Day) -> AccessVerdict {
        let regime = self.regime(day);
        let before = at(&self.places, place.0).runs.range(..=day).next_back();
        if let Some((first, run)) = before {
            let first = *first;
            if day <= run.last {
                return run.on(day);
            }
            if run.last.next() == day && run.regime == regime && self.unchanged(place, run.last, regime) {
                return self.extend(place, first, day);
            }
        }
        let verdict = self.decide(place, day, regime);
        let run = Run { last: day, regime, verdict: verdict.clone() };
        at_mut(&mut self.places, place.0).runs.insert(day, run);
        verdict
    }

    fn extend(&mut self, place: PlaceId, first: Day, day: Day) -> AccessVerdict {
        let run = at_mut(&mut self.places, place.0).runs.get_mut(&first);
        let run = run.expect("the run was found a moment ago");
        run.last = day;
        run.on(day)
    }

    /// Whether nothing changes within a day and the next one, so that both are judged alike.
    fn unchanged(&mut self, id: PlaceId, day: Day, regime: u32) -> bool {
        if at(&self.places, id.0).edges.is_none() {
            let site = self.site(id, regime);
            let mut edges: Vec<Instant> = site.terms.standing.edges();
            edges.extend(self.access.known_since(site.terms.standing.subscription));
            edges.extend(site.edges());
            edges.sort_unstable();
            edges.dedup();
            at_mut(&mut self.places, id.0).edges = Some(edges);
        }
        let edges = at(&self.places, id.0).edges.as_deref().unwrap_or_default();
        let next = edges.get(edges.partition_point(|edge| *edge <= day.start()));
        next.is_none_or(|edge| *edge >= day.next().next().start())
    }

    /// PEC-1: every instant of the tested part of a UTC day must be covered; 23 h 59 min earns
    /// nothing. Different grants may cover it in turn where the policy says so. Source:
    /// partner-earned-credit-troubleshoot, "for the entire day" (2022-01-25).
    fn decide(&mut self, id: PlaceId, day: Day, regime: u32) -> AccessVerdict {
        let standing = at(&self.places, id.0).standing;
        self.warm(id, regime);
        let site = self.site(id, regime);
        let tested = site.tested(day);
        let nothing_there = site.nothing_there(&tested);
        let mut covering: BTreeMap<GrantId, Vec<Interval>> = BTreeMap::new();
        for reach in site.reaches() {
            let spans = self.spans.get(&(standing, reach.grant, regime));
            let spans = spans.expect("the spans of a place are warmed first");
            let parts = intersect(&site.narrowed(reach, spans, None, false), &tested);
            if !parts.is_empty() {
                covering.entry(reach.grant).or_default().extend(parts);
            }
        }
        let with_nothing = |mut parts: Vec<Interval>| {
            parts.extend(&nothing_there);
            union(parts)
        };
        let whole = with_nothing(covering.values().flatten().copied().collect());
        let alone = || covering.values().any(|parts| without(&tested, &with_nothing(parts.clone())).is_empty());
        if without(&tested, &whole).is_empty() && (site.terms.policy.union_of_grants || alone()) {
            let holdings = covering.iter().map(|(grant, parts)| site.terms.earner(*grant, &tested, parts)).collect();
            let flagged = flagged(&site, covering.keys().copied(), &tested);
            let flags = codes(&flagged);
            self.note(standing, &flagged);
            return AccessVerdict::Earned(Arc::new(Cover { holdings, flags }));
        }
        let loss = repair::reason(&site, &tested, &whole);
        let behind: Vec<GrantId> = loss.holdings.iter().map(|holding| holding.grant).collect();
        let unlisted = behind.into_iter().filter(|_| loss.flags.contains(&Code::UnlistedRole));
        let flagged: Vec<(GrantId, Code)> = unlisted
            .filter(|grant| site.terms.unlisted(self.access.grant(*grant)))
            .map(|grant| (grant, Code::UnlistedRole))
            .collect();
        self.note(standing, &flagged);
        AccessVerdict::Lost(Arc::new(loss))
    }

    /// A place under the terms of one regime.
    fn site(&self, place: PlaceId, regime: u32) -> Site<'_> {
        let place = at(&self.places, place.0);
        Site { terms: self.terms(place.standing, regime), ground: &place.ground }
    }

    /// Computes the spans of a place's grants that are not known yet.
    fn warm(&mut self, place: PlaceId, regime: u32) {
        let (standing, missing) = {
            let place = at(&self.places, place.0);
            let unknown = |grant: &GrantId| !self.spans.contains_key(&(place.standing, *grant, regime));
            let grants = place.ground.grants.iter().map(|reach| reach.grant);
            (place.standing, grants.filter(unknown).collect::<Vec<_>>())
        };
        for grant in missing {
            let terms = self.terms(standing, regime);
            let spans: Arc<[Interval]> = terms.spans(self.access.grant(grant), None, false).into();
            self.spans.insert((standing, grant, regime), spans);
        }
    }

    fn terms(&self, standing: u32, regime: u32) -> Terms<'_> {
        let (policy, day) = at(&self.regimes, regime);
        Terms {
            access: &self.access,
            partners: &self.partners,
            roles: &self.roles,
            standing: at(&self.standings, standing),
            policy,
            day: *day,
        }
    }

    /// A place as the policy and the role list of a day see it.
    pub(super) fn site_on(&mut self, place: PlaceId, day: Day) -> Site<'_> {
        let regime = self.regime(day);
        self.site(place, regime)
    }

    /// The part of a day that is tested at a place: several stretches where the subscription left its plan
    /// and came back.
    pub fn tested(&mut self, place: PlaceId, day: Day) -> Vec<Interval> {
        self.site_on(place, day).tested(day)
    }

    /// Records what an answer flags, once. Access that is unknown is left to rating, which alone knows
    /// whether any credit rests on it.
    fn note(&mut self, standing: u32, flagged: &[(GrantId, Code)]) {
        let standing = at(&self.standings, standing);
        let placement = &standing.placement;
        for (grant, code) in flagged {
            let grant = self.access.grant(*grant);
            let about = About {
                bill_to: Some(placement.bill_to),
                customer: Some(placement.customer),
                plan: Some(placement.plan),
                subscription: Some(standing.subscription),
                resource: Some(grant.scope.clone()),
                ..About::default()
            };
            let detail = format!("{} of {} on {}", self.roles.name(grant.role), grant.principal, grant.scope);
            let finding = Finding::new(*code, about, detail);
            self.findings.insert(Finding { events: grant.events.clone(), ..finding });
        }
    }

    /// Everything that did not add up in what was asked so far, and in the access facts at large.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        findings.extend(self.access.findings().iter().cloned());
        findings.into_iter().collect()
    }
}

/// What is doubtful about the grants that count, each grant with each of its doubts.
fn flagged(site: &Site<'_>, grants: impl Iterator<Item = GrantId>, tested: &[Interval]) -> Vec<(GrantId, Code)> {
    let of = |id: GrantId| site.flags(site.terms.access.grant(id), tested).into_iter().map(move |code| (id, code));
    grants.flat_map(of).collect()
}

fn codes(flagged: &[(GrantId, Code)]) -> Vec<Code> {
    let codes: BTreeSet<Code> = flagged.iter().map(|(_, code)| *code).collect();
    codes.into_iter().collect()
}

/// Which flags a loss carries: that access is unknown, or that a role behind it is in no table.
pub(super) fn loss_flags(code: LostCode, also: &[LostCode], unlisted: bool) -> Vec<Code> {
    let says = |what: LostCode| code == what || also.contains(&what);
    let unknown = says(LostCode::UnknownAccess).then_some(Code::UnknownAccess);
    let unlisted = (unlisted && code == LostCode::RoleNotEligible).then_some(Code::UnlistedRole);
    unknown.into_iter().chain(unlisted).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than four billion places fit in memory")
}

fn at<T>(list: &[T], id: u32) -> &T {
    list.get(id as usize).expect("an id is only made together with what it names")
}

fn at_mut<T>(list: &mut [T], id: u32) -> &mut T {
    list.get_mut(id as usize).expect("an id is only made together with what it names")
}

impl Loss {
    /// Several grants covered the day in turn and no single one did, where the policy asks for one
    /// (`union-of-grants`): there is no gap to point at.
    #[must_use]
    pub fn in_turn(&self) -> bool {
        self.open.is_empty() && !self.tested.is_empty()
    }

    /// What would restore access, worded for whoever can do it.
    #[must_use]
    pub fn request(&self) -> String {
        if self.in_turn() && self.code == LostCode::Gap {
            return Remedy::Ask("Would you grant us one eligible role that stays in place all day?").sentence();
        }
        if self.qualification {
            return "Restore the reseller's qualification, or hold the access yourselves.".to_owned();
        }
        self.code.remedy().sentence()
    }

    /// What the reason means, in a sentence.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        if self.in_turn() && self.code == LostCode::Gap {
            return "Several grants covered the day in turn and no single one throughout, which the policy asks for \
                    (union-of-grants).";
        }
        if self.qualification {
            return "The reseller of record that held the access was not qualified as a reseller throughout.";
        }
        self.code.meaning()
    }
}
