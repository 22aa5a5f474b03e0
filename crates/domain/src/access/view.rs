//! All grants, findable by the scope they cover.
//!
//! Built once per question from the whole set. Which grants cover a resource is answered by
//! walking up its path, so that the cost goes by the depth of the path, not by the number of
//! grants.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::access::denies::{Deny, denies};
use crate::access::estate::{Estate, estate, path};
use crate::access::grants::{Grant, PalLink, delegations, end_with_schedules, links, schedules};
use crate::access::groups::{Membership, groups};
use crate::access::{AccessBook, evidence, lives};
use crate::commerce::Commerce;
use crate::finding::Finding;
use crate::ids::{Guid, Identity};
use crate::partners::Partners;
use crate::period::{Day, Instant, Interval, union, without};
use crate::scope::{Level, Scope};

/// A grant's number within one view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct GrantId(u32);

/// A deny assignment's number within one view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct DenyId(u32);

/// Why something reaches a place over a stretch of time: matters on days on which a resource moved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stay {
    /// The place itself, while the resource was there.
    Here,
    /// Another place at which the resource was then.
    Elsewhere,
    /// The place itself, while the resource was elsewhere: for those who go by the id alone.
    ByIdAlone,
}

/// A grant as it reaches one place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reach {
    pub grant: GrantId,
    pub within: Interval,
    /// When the place left the management group that the grant is on; the end of time otherwise.
    pub left: Instant,
    pub stay: Stay,
}

/// A deny assignment as it reaches one place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DenyReach {
    pub deny: DenyId,
    pub within: Interval,
    pub stay: Stay,
}

/// Everything that reaches a place, and when the place was not there. Places with equal grounds in
/// one placement are judged alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Ground {
    pub grants: Vec<Reach>,
    pub denies: Vec<DenyReach>,
    /// After a deletion of it where it then was, until something showed that it is there again.
    pub absent: Vec<(Interval, Stay)>,
    /// When it was first created, where that is asked for and told.
    pub founded: Option<Instant>,
}

/// Who held what, when: everything that was told, worked out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    grants: Vec<Grant>,
    /// By the text of the scope, so that a path can be walked up without making scopes.
    by_scope: BTreeMap<Box<str>, Vec<GrantId>>,
    denies: Vec<Deny>,
    denies_by_scope: BTreeMap<Box<str>, Vec<DenyId>>,
    /// The people of interest in each group that a grant or a deny assignment names.
    members: BTreeMap<Guid, Vec<Membership>>,
    pub(super) estate: Estate,
    /// Scopes of which anything is told that makes them differ from their neighbours.
    marked: BTreeSet<Box<str>>,
    /// Scopes of which the creation is told; matter only where a policy says so.
    founded: BTreeSet<Box<str>>,
    links: BTreeMap<(Guid, Guid), Vec<PalLink>>,
    known_since: BTreeMap<Guid, Instant>,
    findings: Vec<Finding>,
}

pub(super) fn build(book: &AccessBook, commerce: &Commerce, partners: &Partners) -> Access {
    let records: Vec<_> = book.records().collect();
    let mut estate = estate(book, &records);
    let gathered = evidence::gather(book, &records, &estate);
    let mut access = Access { findings: gathered.findings, known_since: gathered.first_listing, ..Access::default() };
    access.findings.append(&mut estate.findings);
    let mut held: Vec<Grant> = Vec::new();
    for (key, evidence) in gathered.evidence {
        let (grants, findings) = lives::live(key, &evidence);
        held.extend(grants);
        access.findings.extend(findings);
    }
    let (grants, findings) = delegations(book, &estate);
    held.extend(grants);
    access.findings.extend(findings);
    let scheduled = schedules(book, &estate);
    end_with_schedules(&mut held, &scheduled);
    held.extend(scheduled);
    access.findings.sort();
    access.findings.dedup();
    access.links = links(book);
    access.denies = denies(book, &estate);
    access.spread(book, partners, held);
    access.learn_beginnings(commerce, &estate);
    access.estate = estate;
    access.index();
    access
}

const ALWAYS: Interval = Interval { from: Instant::MIN_UTC, to: Instant::MAX_UTC };

impl Access {
    #[must_use]
    pub fn grant(&self, id: GrantId) -> &Grant {
        self.grants.get(id.0 as usize).expect("a grant's id is only made by the view that holds it")
    }

    pub fn grants(&self) -> impl Iterator<Item = (GrantId, &Grant)> {
        self.by_scope.values().flatten().map(|id| (*id, self.grant(*id)))
    }

    /// The grants on exactly one scope.
    pub fn granted_on(&self, scope: &Scope) -> impl Iterator<Item = &Grant> {
        self.by_scope.get(scope.as_str()).into_iter().flatten().map(|id| self.grant(*id))
    }

    #[must_use]
    pub fn deny(&self, id: DenyId) -> &Deny {
        self.denies.get(id.0 as usize).expect("a deny's id is only made by the view that holds it")
    }

    /// When a deny assignment reached a principal, itself or by a group.
    #[must_use]
    pub fn denied(&self, id: DenyId, principal: Guid) -> Vec<Interval> {
        self.deny(id).reaches(principal, &self.members)
    }

    /// The entries by which a deny assignment names or excepts a principal within a stretch of time: its own,
    /// and the memberships on the way. None where it does not name it.
    #[must_use]
    pub fn naming(&self, id: DenyId, principal: Guid, within: &[Interval]) -> Vec<Identity> {
        self.deny(id).naming(principal, &self.members, within)
    }

    /// Whether anything is granted or denied on exactly this scope.
    pub(super) fn any_on(&self, scope: &Scope) -> bool {
        self.by_scope.contains_key(scope.as_str()) || self.denies_by_scope.contains_key(scope.as_str())
    }

    /// A role that a group holds becomes grants of its members.
    fn spread(&mut self, book: &AccessBook, partners: &Partners, held: Vec<Grant>) {
        let groups = groups(book);
        let agents: BTreeSet<Guid> = partners.agent_ids().collect();
        let interest: BTreeSet<Guid> = partners.identity_ids().chain(self.links.keys().map(|(id, _)| *id)).collect();
        let named = held.iter().map(|grant| grant.principal).chain(self.denies.iter().flat_map(Deny::named));
        let named: BTreeSet<Guid> = named.filter(|id| groups.is_group(*id)).collect();
        self.members = named.into_iter().map(|group| (group, groups.members(group, &interest))).collect();
        self.grants = groups.spread(held, &agents, &interest, &self.members);
    }

    fn learn_beginnings(&mut self, commerce: &Commerce, estate: &Estate) {
        let placed = commerce.subscriptions().filter_map(|(id, placed)| Some((id, placed.first()?.interval.from)));
        for (subscription, created) in placed.chain(estate.founded_subscriptions()) {
            // Earlier on that day there was nothing yet on which anybody could have had access.
            let began = Day::of(created).start();
            let known = self.known_since.entry(subscription).or_insert(began);
            *known = (*known).min(began);
        }
    }

    fn index(&mut self) {
        self.grants.sort_by(|a, b| {
            let order = |grant: &Grant| (grant.held.from, grant.via, grant.held.to, grant.principal, grant.role);
            (&a.scope, order(a), &a.events).cmp(&(&b.scope, order(b), &b.events))
        });
        for (number, grant) in self.grants.iter().enumerate() {
            let id = GrantId(u32::try_from(number).expect("fewer than four billion grants fit in memory"));
            self.by_scope.entry(grant.scope.as_str().into()).or_default().push(id);
        }
        for (number, deny) in self.denies.iter().enumerate() {
            let id = DenyId(u32::try_from(number).expect("fewer than four billion deny assignments fit in memory"));
            self.denies_by_scope.entry(deny.scope.as_str().into()).or_default().push(id);
        }
        let told = self.by_scope.keys().chain(self.denies_by_scope.keys()).map(|scope| &**scope);
        self.marked = told.chain(self.estate.marked()).map(Box::from).collect();
        self.founded = self.estate.founded_scopes().map(Box::from).collect();
    }

    /// PEC-2: everything at or above a scope, in a fixed order: its own path, the management groups
    /// that its subscription stood below at the time, the tenant's root group (which bears the
    /// tenant's id) and the root. On days on which the resource moved also what reached it where it
    /// was then. `creations` asks for the creation of the scope, which most policies do not.
    #[must_use]
    pub fn ground(&self, scope: &Scope, customer: Guid, creations: bool) -> Ground {
        let founded = self.estate.founded(scope).filter(|_| creations);
        let mut ground = Ground { founded, ..Ground::default() };
        let elsewhere = self.estate.elsewhere(scope);
        let away = union(elsewhere.iter().map(|(_, within)| *within).collect());
        for within in without(&[ALWAYS], &away) {
            self.reaching(scope, customer, within, Stay::Here, &mut ground);
        }
        for within in away {
            self.reaching(scope, customer, within, Stay::ByIdAlone, &mut ground);
        }
        for (place, within) in &elsewhere {
            self.reaching(place, customer, *within, Stay::Elsewhere, &mut ground);
        }
        ground.grants.sort_unstable();
        ground.grants.dedup();
        ground.denies.sort_unstable();
        ground.denies.dedup();
        ground
    }

    fn reaching(&self, scope: &Scope, customer: Guid, within: Interval, stay: Stay, ground: &mut Ground) {
        let absent = self.estate.absent(scope).into_iter().map(|gone| (gone.intersect(&within), stay));
        ground.absent.extend(absent.filter(|(gone, _)| !gone.is_empty()));
        let mut at = |path: &str, within: Interval, left: Instant| {
            let grants = self.by_scope.get(path).into_iter().flatten();
            ground.grants.extend(grants.map(|grant| Reach { grant: *grant, within, left, stay }));
            let denies = self.denies_by_scope.get(path).into_iter().flatten();
            ground.denies.extend(denies.map(|deny| DenyReach { deny: *deny, within, stay }));
        };
        at("/", within, Instant::MAX_UTC);
        at(&format!("/providers/microsoft.management/managementgroups/{customer}"), within, Instant::MAX_UTC);
        for (group, below) in scope.subscription().map_or(&[][..], |id| self.estate.above(id)) {
            let within = below.intersect(&within);
            if !within.is_empty() {
                at(group.as_str(), within, below.to);
            }
        }
        path(scope).filter(|path| *path != "/").for_each(|path| at(path, within, Instant::MAX_UTC));
    }

    /// Whether anything is told strictly below a scope: if not, all below it are alike.
    #[must_use]
    pub fn any_below(&self, scope: &Scope, creations: bool) -> bool {
        // The slash makes the difference: `rg-2` begins like `rg` and lies beside it.
        let below = format!("{}/", scope.as_str().trim_end_matches('/'));
        let any = |told: &BTreeSet<Box<str>>| {
            let mut after = told.range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded));
            after.next().is_some_and(|known| known.starts_with(&below))
        };
        any(&self.marked) || creations && any(&self.founded)
    }

    /// Whether anything is told of a resource or of what it lies in, short of its resource group. A
    /// few look-ups, so that one resource that differs does not make its neighbours dear.
    #[must_use]
    pub fn differs(&self, resource: &Scope, group: &Scope, creations: bool) -> bool {
        let within = path(resource).take_while(|path| path.len() > group.as_str().len());
        within.into_iter().any(|path| self.marked.contains(path) || creations && self.founded.contains(path))
    }

    /// The links of an identity in a tenant, in order of time.
    #[must_use]
    pub fn links(&self, principal: Guid, tenant: Guid) -> &[PalLink] {
        self.links.get(&(principal, tenant)).map_or(&[], Vec::as_slice)
    }

    /// Every link of an identity, in whatever tenant.
    pub fn links_anywhere(&self, principal: Guid) -> impl Iterator<Item = &PalLink> {
        let range = (principal, Guid(0))..=(principal, Guid(u128::MAX));
        self.links.range(range).flat_map(|(_, links)| links)
    }

    /// The tenants in which an identity ever had a link, in order.
    #[must_use]
    pub fn tenants_linked(&self, principal: Guid) -> Vec<Guid> {
        let range = (principal, Guid(0))..=(principal, Guid(u128::MAX));
        self.links.range(range).map(|((_, tenant), _)| *tenant).collect()
    }

    /// ACC-10: knowledge of a subscription begins with the day of its known creation or at its first
    /// complete listing; before that, what is not proven is unknown, never "never granted".
    #[must_use]
    pub fn known_since(&self, subscription: Guid) -> Option<Instant> {
        self.known_since.get(&subscription).copied()
    }

    /// What did not add up, in a fixed order.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether a grant is inherited from above the subscription: it counts by policy, and is flagged.
    #[must_use]
    pub fn is_inherited(grant: &Grant) -> bool {
        match grant.scope.level() {
            Level::Root | Level::ManagementGroup => true,
            Level::Subscription | Level::ResourceGroup | Level::Resource | Level::Other => false,
        }
    }
}
