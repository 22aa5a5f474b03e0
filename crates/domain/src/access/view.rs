//! All grants, findable by the scope they cover.
//!
//! Built once per question from the whole set. Which grants cover a resource is answered by
//! walking up its path, so that the cost goes by the depth of the path, not by the number of
//! grants.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::access::grants::{Grant, PalLink, delegations, links, schedules};
use crate::access::{AccessBook, evidence, lives};
use crate::commerce::Commerce;
use crate::finding::Finding;
use crate::ids::Guid;
use crate::period::Instant;
use crate::scope::{Level, Scope};

/// A grant's number within one view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct GrantId(u32);

/// Who held what, when: everything that was told, worked out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    grants: Vec<Grant>,
    /// By the text of the scope, so that a path can be walked up without making scopes.
    by_scope: BTreeMap<Box<str>, Vec<GrantId>>,
    links: BTreeMap<(Guid, Guid), Vec<PalLink>>,
    known_since: BTreeMap<Guid, Instant>,
    findings: Vec<Finding>,
}

pub(super) fn build(book: &AccessBook, commerce: &Commerce) -> Access {
    let gathered = evidence::gather(book);
    let mut access = Access { findings: gathered.findings, known_since: gathered.first_listing, ..Access::default() };
    for (key, evidence) in gathered.evidence {
        let (grants, findings) = lives::live(key, &evidence);
        access.grants.extend(grants);
        access.findings.extend(findings);
    }
    let (grants, findings) = delegations(book);
    access.grants.extend(grants);
    access.findings.extend(findings);
    access.grants.extend(schedules(book));
    access.links = links(book);
    access.findings.sort();
    access.findings.dedup();
    for (subscription, placements) in commerce.subscriptions() {
        if let Some(first) = placements.first() {
            let known = access.known_since.entry(subscription).or_insert(first.interval.from);
            *known = (*known).min(first.interval.from);
        }
    }
    access.grants.sort_by(|a, b| {
        let order = |grant: &Grant| (grant.held.from, grant.via, grant.held.to, grant.principal, grant.role);
        (&a.scope, order(a)).cmp(&(&b.scope, order(b)))
    });
    for (number, grant) in access.grants.iter().enumerate() {
        let id = GrantId(u32::try_from(number).expect("fewer than four billion grants fit in memory"));
        access.by_scope.entry(grant.scope.as_str().into()).or_default().push(id);
    }
    access
}

impl Access {
    #[must_use]
    pub fn grant(&self, id: GrantId) -> &Grant {
        self.grants.get(id.0 as usize).expect("a grant's id is only made by the view that holds it")
    }

    pub fn grants(&self) -> impl Iterator<Item = (GrantId, &Grant)> {
        self.by_scope.values().flatten().map(|id| (*id, self.grant(*id)))
    }

    /// PEC-2: the grants at or above a scope, in a fixed order: its own path first-to-last, then what
    /// it inherits from the tenant's root. Management groups other than the tenant's root group
    /// (which bears the tenant's id) contain nothing here, because no hierarchy is told.
    #[must_use]
    pub fn covering(&self, scope: &Scope, customer: Guid) -> Vec<GrantId> {
        let root_group = format!("/providers/microsoft.management/managementgroups/{customer}");
        let mut found: Vec<GrantId> = Vec::new();
        for above in ["/", root_group.as_str()] {
            found.extend(self.by_scope.get(above).into_iter().flatten());
        }
        let mut path = scope.as_str();
        while !path.is_empty() && path != "/" {
            found.extend(self.by_scope.get(path).into_iter().flatten());
            path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether anything is granted strictly below a scope: if not, all below it are alike.
    #[must_use]
    pub fn any_below(&self, scope: &Scope) -> bool {
        // The slash makes the difference: `rg-2` begins like `rg` and lies beside it.
        let below = format!("{}/", scope.as_str().trim_end_matches('/'));
        let from = (Bound::Included(below.as_str()), Bound::Unbounded);
        let mut after = self.by_scope.range::<str, _>(from);
        after.next().is_some_and(|(known, _)| known.starts_with(&below))
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

    /// ACC-10: knowledge of a subscription begins at its known creation or its first complete
    /// listing; before that, what is not proven is unknown, never "never granted".
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
