//! What a partner holds in a customer's tenant on an instant, whether their relationship stands or not.
//!
//! Ending a relationship takes no right away: role assignments, delegations and delegated
//! administration stay until the customer removes them. Who holds a thing is told by object ids and
//! PartnerIDs, never by names; what no event told is not listed.

use std::collections::BTreeSet;

use super::Desk;
use super::rules::{Bond, Thing};
use crate::access::{Access, Grant, Via};
use crate::ids::{Guid, Identity};
use crate::partners::{Belongs, Organisation};
use crate::period::Instant;
use crate::scope::Scope;

/// By what a right is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HeldBy {
    /// A role of the partner's agents group: administration on behalf of.
    Agents,
    /// A role of one of the partner's own people or service principals, registered as its own.
    Identity,
    /// A role of somebody with a Partner Admin Link to the partner.
    Link,
    /// An Azure Lighthouse delegation to a managing tenant of the partner.
    Delegation,
    /// Delegated administration of the whole tenant, granted with the relationship.
    Administration,
}

impl HeldBy {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Agents => "AOBO",
            Self::Identity => "partner's identity",
            Self::Link => "Partner Admin Link",
            Self::Delegation => "Azure Lighthouse",
            Self::Administration => "delegated administration",
        }
    }

    fn thing(self) -> Thing {
        match self {
            Self::Agents | Self::Identity | Self::Link => Thing::Assignments,
            Self::Delegation => Thing::Delegations,
            Self::Administration => Thing::Administration,
        }
    }
}

/// One right that a partner holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Held {
    /// `None`: the whole tenant.
    pub scope: Option<Scope>,
    pub by: HeldBy,
    /// Who holds it: a principal, a managing tenant, the partner's tenant.
    pub holder: Guid,
    pub role: Option<Guid>,
    /// Eligible only: it must be activated, and never earns.
    pub eligible_only: bool,
    pub since: Instant,
    /// Whether it is there although the relationship has ended.
    pub stayed: bool,
    pub events: Vec<Identity>,
}

/// CHN-13: what goes on at a given state of the relationship. Its end forbids new orders and changes;
/// it cancels nothing and takes no right away. Source: indirect-provider-tasks (2023-09-15), seed page
/// on the Azure plan (2020-07-10).
#[must_use]
pub fn stays(thing: Thing, bond: Bond) -> bool {
    match (thing, bond) {
        (_, Bond::Standing) => true,
        (Thing::Orders | Thing::Changes, Bond::None | Bond::Ended) => false,
        (
            Thing::Subscriptions
            | Thing::Usage
            | Thing::Assignments
            | Thing::Delegations
            | Thing::Administration
            | Thing::Agreement
            | Thing::Renewals,
            Bond::None | Bond::Ended,
        ) => true,
    }
}

/// What a partner holds of a customer on an instant, in order of scope.
#[must_use]
pub fn held(desk: &Desk<'_>, access: &Access, customer: Guid, partner: Guid, at: Instant) -> Vec<Held> {
    let ended = desk.channel.relationship(customer, partner, at).is_some_and(|stated| stated.value.is_none());
    let bond = if ended { Bond::Ended } else { Bond::Standing };
    let organisation = desk.partners.organisation_at(partner, at);
    let of_customer: BTreeSet<Guid> = desk.subscriptions_of(customer).collect();
    let mut all = Vec::new();
    for (_, grant) in access.grants() {
        let here = grant.scope.subscription().is_some_and(|subscription| of_customer.contains(&subscription));
        if !here || !grant.held.contains(at) {
            continue;
        }
        let Some((by, holder)) = holder(desk, access, customer, &organisation, grant, at) else { continue };
        all.push(Held {
            scope: Some(grant.scope.clone()),
            by,
            holder,
            role: Some(grant.role),
            eligible_only: grant.eligible_only,
            since: grant.held.from,
            stayed: ended && stays(by.thing(), bond),
            events: grant.events.clone(),
        });
    }
    all.extend(desk.channel.administration(customer, partner, at).map(|stated| Held {
        scope: None,
        by: HeldBy::Administration,
        holder: partner,
        role: None,
        eligible_only: false,
        since: stated.at,
        stayed: ended && stays(Thing::Administration, bond),
        events: vec![stated.event],
    }));
    all.sort();
    all.dedup();
    all
}

/// By what a grant belongs to an organisation on an instant, and who holds it; `None`: it does not.
fn holder(
    desk: &Desk<'_>,
    access: &Access,
    customer: Guid,
    organisation: &Organisation,
    grant: &Grant,
    at: Instant,
) -> Option<(HeldBy, Guid)> {
    let ours = |belongs: &Belongs| belongs.organisation == *organisation && belongs.interval.contains(at);
    if let Via::Delegation { managing_tenant, .. } = grant.via {
        let managed = desk.partners.managing(managing_tenant).iter().any(ours);
        return managed.then_some((HeldBy::Delegation, managing_tenant));
    }
    // A role of an agents group is one grant of the group: it is never spread over its members.
    if desk.partners.agents(grant.principal).iter().any(ours) {
        return Some((HeldBy::Agents, grant.member_of.unwrap_or(grant.principal)));
    }
    if desk.partners.identities(grant.principal).iter().any(ours) {
        return Some((HeldBy::Identity, grant.principal));
    }
    let links = access.links(grant.principal, customer).iter().filter(|link| link.interval.contains(at));
    let linked = links.flat_map(|link| desk.partners.location(&link.partner_id)).any(|belongs| ours(&belongs));
    linked.then_some((HeldBy::Link, grant.principal))
}
