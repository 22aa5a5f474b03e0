//! Random events about access: lives of assignments, delegations, schedules, links, the estate.

use domain::entry::*;
use domain::ids::Guid;
use domain::scope::Scope;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{guid, instant, name, scope, words};

prop_compose! {
    fn grant()(principal in guid(), principal_type in option::of(name()), role in guid(), condition in option::of(words())) -> GrantFacts {
        GrantFacts { principal, principal_type, role, condition }
    }
}

prop_compose! {
    fn listing()(
        scope in scope(), at in instant(), complete in any::<bool>(), of in name(), number in any::<u32>(), count in any::<u32>(),
        assignments in vec((guid(), scope(), grant(), option::of(instant())), 0..3),
    ) -> AssignmentsListed {
        let assignments = assignments.into_iter().map(|(assignment, scope, facts, created_at)| {
            ListedAssignment { assignment, scope, facts, created_at }
        });
        AssignmentsListed { scope, at, complete, part: Part { of, number, count }, assignments: assignments.collect() }
    }
}

prop_compose! {
    fn delegation()(
        delegation in guid(), scope in scope(), managing_tenant in guid(), marketplace_offer in any::<bool>(),
        authorizations in vec((guid(), guid(), any::<bool>()), 1..3), at in instant(),
    ) -> Delegation {
        let authorizations = authorizations
            .into_iter()
            .map(|(principal, role, eligible_only)| Authorization { principal, role, eligible_only });
        Delegation { delegation, scope, managing_tenant, marketplace_offer, authorizations: authorizations.collect(), at }
    }
}

prop_compose! {
    fn schedule()(
        schedule in guid(), scope in scope(), principal in guid(), principal_type in option::of(name()), role in guid(),
        eligible_only in any::<bool>(), start in instant(), end in option::of(instant()), provisioned_at in instant(),
    ) -> Schedule {
        Schedule { schedule, scope, principal, principal_type, role, eligible_only, start, end, provisioned_at }
    }
}

pub fn access() -> impl Strategy<Value = Event> {
    let life = || (guid(), scope(), instant());
    prop_oneof![
        (life(), grant()).prop_map(|((assignment, scope, at), facts)| {
            Event::AssignmentCreated(AssignmentCreated { assignment, scope, facts, at })
        }),
        life().prop_map(|(assignment, scope, at)| Event::AssignmentDeleted(AssignmentDeleted {
            assignment,
            scope,
            at
        })),
        listing().prop_map(Event::AssignmentsListed),
        delegation().prop_map(Event::DelegationChanged),
        life().prop_map(|(delegation, scope, at)| Event::DelegationDeleted(DelegationDeleted {
            delegation,
            scope,
            at
        })),
        schedule().prop_map(Event::ScheduleCreated),
        life().prop_map(|(schedule, scope, at)| Event::ScheduleCancelled(ScheduleCancelled { schedule, scope, at })),
        (guid(), guid(), name(), instant()).prop_map(|(principal, tenant, partner_id, at)| {
            Event::PalLinked(PalLinked { principal, tenant, partner_id, at })
        }),
        (guid(), guid(), instant())
            .prop_map(|(principal, tenant, at)| { Event::PalUnlinked(PalUnlinked { principal, tenant, at }) }),
        estate(),
    ]
}

/// The id of a resource, of a group, or of a subscription.
fn existing() -> impl Strategy<Value = Scope> {
    let below = prop_oneof![
        Just(String::new()),
        "/resourceGroups/[a-zA-Zäß]{1,8}",
        "/resourceGroups/[a-zA-Zäß]{1,8}/providers/Microsoft\\.[A-Z][a-z]{2,8}/[a-z]{2,8}/[a-zA-Z0-9-]{1,12}",
        "/providers/Microsoft\\.[A-Z][a-z]{2,8}/[a-z]{2,8}/[a-zA-Z0-9-]{1,12}",
    ];
    (guid(), below).prop_map(|(guid, below)| Scope::parse(&format!("/subscriptions/{guid}{below}")))
}

/// Two ids of one level, both in a group.
fn from_and_to() -> impl Strategy<Value = (Scope, Scope)> {
    let below = prop_oneof![Just(""), Just("/providers/Microsoft.Web/sites/Shop")];
    let group = || (guid(), "[a-zA-Zäß]{1,8}");
    (group(), group(), below).prop_map(|(from, to, below)| {
        let id = |(guid, group): (Guid, String)| format!("/subscriptions/{guid}/resourceGroups/{group}{below}");
        (Scope::parse(&id(from)), Scope::parse(&id(to)))
    })
}

fn management_group() -> impl Strategy<Value = Scope> {
    "[a-zA-Z0-9.-]{1,12}"
        .prop_map(|name| Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{name}")))
}

prop_compose! {
    fn deny()(
        deny in guid(), scope in scope(), principals in vec(guid(), 1..3), excluded in vec(guid(), 0..3),
        actions in vec(name(), 0..3), not_actions in vec(name(), 0..3), only_there in any::<bool>(), at in instant(),
    ) -> DenyAssignment {
        DenyAssignment { deny, scope, principals, excluded, actions, not_actions, only_there, at }
    }
}

fn estate() -> impl Strategy<Value = Event> {
    let child = prop_oneof![management_group(), guid().prop_map(Scope::subscription_of)];
    prop_oneof![
        deny().prop_map(Event::DenyAssigned),
        (guid(), scope(), instant())
            .prop_map(|(deny, scope, at)| { Event::DenyRemoved(DenyAssignmentDeleted { deny, scope, at }) }),
        (guid(), guid(), instant(), option::of(instant())).prop_map(|(group, member, at, until)| {
            Event::GroupMemberAdded(GroupMemberAdded { group, member, at, until })
        }),
        (guid(), guid(), instant())
            .prop_map(|(group, member, at)| { Event::GroupMemberRemoved(GroupMemberRemoved { group, member, at }) }),
        (guid(), instant()).prop_map(|(principal, at)| Event::PrincipalDeleted(PrincipalDeleted { principal, at })),
        (existing(), instant()).prop_map(|(scope, at)| Event::ScopeCreated(ScopeChange { scope, at })),
        (existing(), instant()).prop_map(|(scope, at)| Event::ScopeDeleted(ScopeChange { scope, at })),
        (from_and_to(), instant()).prop_map(|((from, to), at)| Event::ScopeMoved(ScopeMoved { from, to, at })),
        (guid(), guid(), instant()).prop_map(|(subscription, to_tenant, at)| {
            Event::SubscriptionMoved(SubscriptionMoved { subscription, to_tenant, at })
        }),
        (child, option::of(management_group()), option::of(management_group()), instant())
            .prop_map(|(child, parent, left, at)| Event::TreeChanged(TreeChange { child, parent, left, at })),
    ]
}
