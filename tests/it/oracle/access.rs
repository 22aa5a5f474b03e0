//! Who earned which day: one instant at a time, every grant asked anew.
//!
//! A day is earned when at every instant of its tested part some grant qualifies. The tested part
//! is the part of the day in which the subscription existed under this plan.

use super::world::{By, DAY, DayNumber, Grant, Role, Time, World, in_force};

/// A role written at the subscription this soon after it was created counts from the creation.
const CREATION_GRACE: Time = 15 * 60;

/// Whether the whole tested part of `day` was covered for a resource of a subscription under a plan.
/// `None` when the subscription was not under that plan on that day.
pub fn covered(world: &World, plan: usize, subscription: usize, resource: &str, day: DayNumber) -> Option<bool> {
    let inside: Vec<Time> = world
        .instants()
        .into_iter()
        .filter(|at| *at >= day * DAY && *at < (day + 1) * DAY)
        .filter(|at| in_force(&world.subscriptions[subscription].plans, *at) == Some(&plan))
        .collect();
    if inside.is_empty() {
        return None;
    }
    Some(inside.into_iter().all(|at| qualified(world, plan, subscription, resource, at)))
}

/// Whether anything qualifies for the resource at this instant.
fn qualified(world: &World, plan: usize, subscription: usize, resource: &str, at: Time) -> bool {
    let bill_to = &world.partners[world.plans[plan].bill_to];
    let member = bill_to.memberships.as_ref().is_none_or(|spans| spans.iter().any(|span| span.holds(at)));
    if !member || bill_to.barred.iter().any(|span| span.holds(at)) {
        return false;
    }
    let granted = world.grants.iter().any(|grant| grant_qualifies(world, plan, subscription, grant, resource, at));
    granted
        || world.delegations.iter().any(|delegation| {
            let held = delegation.held.holds(at) && contains(&delegation.scope, resource);
            held && !delegation.eligible_only
                && delegation.role.counts()
                && if delegation.marketplace {
                    world.partners.iter().any(|partner| {
                        partner.managing_tenant == delegation.managing_tenant
                            && may_earn(world, plan, &partner.organisation, at)
                    })
                } else {
                    linked(world, plan, delegation.principal, delegation.managing_tenant, at)
                }
        })
}

fn grant_qualifies(world: &World, plan: usize, subscription: usize, grant: &Grant, resource: &str, at: Time) -> bool {
    if grant.by == By::EligibleSchedule || !grant.role.counts() || !contains(&grant.scope, resource) {
        return false;
    }
    let agents =
        world.partners.iter().find(|p| p.admin_agents == grant.principal || p.helpdesk_agents == grant.principal);
    match agents {
        Some(partner) => {
            held_with_grace(world, subscription, grant, at) && may_earn(world, plan, &partner.organisation, at)
        }
        None => grant.held.holds(at) && linked(world, plan, grant.principal, world.customer_tenant, at),
    }
}

/// Like "held", but a group's role at the subscription, written just after the subscription was
/// created, counts from the creation on.
fn held_with_grace(world: &World, subscription: usize, grant: &Grant, at: Time) -> bool {
    let created = world.subscriptions[subscription].created;
    let at_subscription = grant.scope == subscription_scope(world.subscriptions[subscription].id);
    let soon = grant.held.from >= created && grant.held.from <= created + CREATION_GRACE;
    let early = at_subscription && soon && grant.by == By::Assignment && at >= created && at < grant.held.from;
    early || grant.held.holds(at)
}

/// Whether the identity is tied, in that tenant and at that instant, to an organisation that may earn.
fn linked(world: &World, plan: usize, principal: u64, tenant: u64, at: Time) -> bool {
    world.links.iter().any(|link| {
        let fits = link.principal == principal && link.tenant == tenant && link.held.holds(at);
        fits && organisation_of(world, &link.partner_id).is_some_and(|of| may_earn(world, plan, &of, at))
    })
}

/// Whether the organisation is the bill-to partner's or that of the reseller of record, and not barred.
fn may_earn(world: &World, plan: usize, organisation: &str, at: Time) -> bool {
    let plan = &world.plans[plan];
    let reseller = in_force(&plan.resellers, at).cloned().flatten().and_then(|id| organisation_of(world, &id));
    let ours = world.partners[plan.bill_to].organisation == organisation || reseller.as_deref() == Some(organisation);
    let barred =
        world.partners.iter().any(|p| p.organisation == organisation && p.barred.iter().any(|span| span.holds(at)));
    ours && !barred
}

fn organisation_of(world: &World, partner_id: &str) -> Option<String> {
    world.partners.iter().find(|p| p.partner_ids.iter().any(|id| id == partner_id)).map(|p| p.organisation.clone())
}

fn contains(scope: &str, resource: &str) -> bool {
    resource == scope || resource.starts_with(&format!("{scope}/"))
}

/// The scope of a whole subscription, as scopes are written in a world.
pub fn subscription_scope(id: u64) -> String {
    format!("/subscriptions/{id:08x}-0000-4000-8000-000000000000")
}

#[test]
fn roles_that_only_read_never_count() {
    assert!(Role::Owner.counts() && Role::Contributor.counts());
    assert!(!Role::Reader.counts() && !Role::Custom.counts());
    assert!(contains("/subscriptions/a", "/subscriptions/a/b") && !contains("/subscriptions/a", "/subscriptions/ab"));
}
