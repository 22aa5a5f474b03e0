//! What access rests on beside roles: deny assignments, groups, and what exists where.
//!
//! A kind says of which level its ids are (resource, resource group, subscription, management
//! group); an id of another level is refused rather than filed under a name it does not have.

use domain::entry::{
    DenyAssignment, DenyAssignmentDeleted, Event, GroupMemberAdded, GroupMemberRemoved, ListedRole, MoveActivity,
    PrincipalDeleted, RoleList, ScopeChange, ScopeMoved, SubscriptionMoved, TreeChange,
};
use domain::ids::Guid;
use domain::period::Instant;
use domain::scope::{Level, Scope};

use super::access::OperationResult;
use super::envelope::Received;
use super::form::form;
use super::form::{
    ArmScope, Codec as _, Flag, FlagOrFalse, Id, List, ListOrNone, Maybe, Name, Object, Role, Some1, Time, UtcDay,
    Words,
};
use super::rejection::Problem;
use super::sink::Sink;

form! { DenyAssignment {
    deny: "denyAssignmentId" as Id,
    scope: "scope" as ArmScope,
    principals: "principalIds" as Some1<Id>,
    excluded: "excludedPrincipalIds" as ListOrNone<Id>,
    actions: "actions" as List<Name>,
    not_actions: "notActions" as ListOrNone<Name>,
    only_there: "doNotApplyToChildScopes" as FlagOrFalse,
    at: "effectiveAt" as Time,
} }

form! { DenyAssignmentDeleted {
    deny: "denyAssignmentId" as Id,
    scope: "scope" as ArmScope,
    at: "effectiveAt" as Time,
} }

form! { GroupMemberAdded {
    group: "groupId" as Id,
    member: "memberId" as Id,
    at: "effectiveAt" as Time,
    until: "endsAt" as Maybe<Time>,
} }

form! { GroupMemberRemoved {
    group: "groupId" as Id,
    member: "memberId" as Id,
    at: "effectiveAt" as Time,
} }

form! { PrincipalDeleted {
    principal: "principalId" as Id,
    at: "effectiveAt" as Time,
} }

form! { ScopeChange {
    scope: "resourceId" as ArmScope,
    at: "effectiveAt" as Time,
} }

form! { ScopeMoved {
    from: "fromResourceId" as ArmScope,
    to: "toResourceId" as ArmScope,
    at: "effectiveAt" as Time,
} }

form! { SubscriptionMoved {
    subscription: "subscriptionId" as Id,
    to_tenant: "toTenantId" as Id,
    at: "effectiveAt" as Time,
} }

form! { TreeChange {
    child: "childId" as ArmScope,
    parent: "parentId" as Maybe<ArmScope>,
    left: "leftParentId" as Maybe<ArmScope>,
    at: "effectiveAt" as Time,
} }

// No topic carries this one in this notation; it serves the content digest.
form! { MoveActivity {
    group: "group" as ArmScope,
    correlation: "correlationId" as Maybe<Words>,
    result: "result" as OperationResult,
    resources: "resources" as List<ArmScope>,
    target: "target" as Maybe<ArmScope>,
    at: "at" as Time,
} }

form! { RoleList {
    effective_from: "effectiveFrom" as UtcDay,
    roles: "roles" as Some1<Object>,
} }

form! { ListedRole {
    role: "roleDefinitionId" as Role,
    name: "name" as Name,
    eligible: "eligible" as Flag,
} }

/// A subscription is named by its own id, not by a path.
struct SubscriptionChange {
    subscription: Guid,
    at: Instant,
}

form! { SubscriptionChange {
    subscription: "subscriptionId" as Id,
    at: "effectiveAt" as Time,
} }

pub(crate) fn of_resource(received: &Received<'_>, event: fn(ScopeChange) -> Event) -> Result<Event, Problem> {
    let change: ScopeChange = Object::read(Some(received.data_object()?))?;
    is_resource(&change.scope).map_err(|problem| problem.within("resourceId"))?;
    Ok(event(change))
}

pub(crate) fn of_group(received: &Received<'_>, event: fn(ScopeChange) -> Event) -> Result<Event, Problem> {
    let change: ScopeChange = Object::read(Some(received.data_object()?))?;
    is_group(&change.scope).map_err(|problem| problem.within("resourceId"))?;
    Ok(event(change))
}

pub(crate) fn of_subscription(received: &Received<'_>, event: fn(ScopeChange) -> Event) -> Result<Event, Problem> {
    let change: SubscriptionChange = Object::read(Some(received.data_object()?))?;
    Ok(event(ScopeChange { scope: Scope::subscription_of(change.subscription), at: change.at }))
}

/// A move of one resource, or of a group with all that it holds: both ids are of one level.
pub(crate) fn moved(received: &Received<'_>, level: fn(&Scope) -> Result<(), Problem>) -> Result<Event, Problem> {
    let moved: ScopeMoved = Object::read(Some(received.data_object()?))?;
    level(&moved.from).map_err(|problem| problem.within("fromResourceId"))?;
    level(&moved.to).map_err(|problem| problem.within("toResourceId"))?;
    Ok(Event::ScopeMoved(moved))
}

pub(crate) fn tree(received: &Received<'_>) -> Result<Event, Problem> {
    let change: TreeChange = Object::read(Some(received.data_object()?))?;
    let expected = "a subscription or a management group";
    if !matches!(change.child.level(), Level::Subscription | Level::ManagementGroup) {
        return Err(Problem::value(change.child.as_str(), expected).within("childId"));
    }
    for (name, parent) in [("parentId", &change.parent), ("leftParentId", &change.left)] {
        if let Some(parent) = parent.as_ref().filter(|parent| parent.level() != Level::ManagementGroup) {
            return Err(Problem::value(parent.as_str(), "a management group").within(name));
        }
    }
    Ok(Event::TreeChanged(change))
}

pub(crate) fn is_resource(scope: &Scope) -> Result<(), Problem> {
    let tail = scope.as_str().split_once("/providers/").map(|(_, tail)| tail.split('/').count());
    let named = tail.is_some_and(|segments| segments >= 3) && scope.subscription().is_some();
    named.then_some(()).ok_or_else(|| Problem::value(scope.as_str(), "the id of a resource in a subscription"))
}

pub(crate) fn is_group(scope: &Scope) -> Result<(), Problem> {
    let named = scope.level() == Level::ResourceGroup && scope.subscription().is_some();
    named.then_some(()).ok_or_else(|| Problem::value(scope.as_str(), "the id of a resource group"))
}

/// The type under which a change of a scope travels: `resource`, `resource-group` or
/// `azure-subscription`, by the level of its id.
pub(crate) fn by_level(scope: &Scope, names: [&'static str; 3]) -> &'static str {
    let [resource, group, subscription] = names;
    match scope.level() {
        Level::Subscription => subscription,
        Level::ResourceGroup => group,
        Level::Root | Level::ManagementGroup | Level::Resource | Level::Other => resource,
    }
}

pub(crate) fn write_change(change: &ScopeChange, out: &mut impl Sink) {
    match (change.scope.level(), change.scope.subscription()) {
        (Level::Subscription, Some(subscription)) => {
            Object::write(&SubscriptionChange { subscription, at: change.at }, out);
        }
        _ => Object::write(change, out),
    }
}
