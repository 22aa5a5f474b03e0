//! What Azure's log says of everything but roles: deny assignments, deletions, moves, the tree of
//! management groups; and of groups and people, which only Entra's audit log tells.
//!
//! A deletion counts when it succeeded and found something. A move states in its Started record what
//! moves and where to, as a role assignment does; the pair is put together later, from the set.
//! No public recording of denials, moves and management groups is known: those shapes follow the
//! ARM objects, and are synthetic.

use domain::entry::{
    ActivityResult, DenyAssignment, DenyAssignmentDeleted, Event, GroupMemberAdded, GroupMemberRemoved, MoveActivity,
    PrincipalDeleted, ScopeChange, TreeChange,
};
use domain::ids::Guid;
use domain::scope::{Level, Scope};
use serde_json::Value;

use super::assignments::split_id;
use super::fields::{Object, document_of, field, last_guid, word_of};
use super::reading::{Reading, ResultWord, shown};
use crate::wire::Rejection;

const DENIALS: &str = "denyassignments";
const GROUPS: &str = "microsoft.management/managementgroups";

/// The event of such a record; `None` for every other operation.
pub(super) fn read(reading: &Reading<'_>) -> Option<Result<Event, Rejection>> {
    type Read = fn(&Reading<'_>) -> Result<Event, Rejection>;
    let read: Read = match reading.operation.as_str() {
        "microsoft.authorization/denyassignments/write" => denied,
        "microsoft.authorization/denyassignments/delete" => undenied,
        "microsoft.resources/subscriptions/resourcegroups/delete" => deleted_group,
        "microsoft.resources/subscriptions/resourcegroups/write" if reading.created => created_group,
        "microsoft.resources/subscriptions/resourcegroups/moveresources/action" => return Some(moved(reading)),
        "microsoft.management/managementgroups/write" => placed_group,
        "microsoft.management/managementgroups/delete" => removed_group,
        "microsoft.management/managementgroups/subscriptions/write" => placed_subscription,
        "microsoft.management/managementgroups/subscriptions/delete" => removed_subscription,
        operation => return deleted_resource(operation, reading).map(Ok),
    };
    Some(match reading.known_result() {
        Ok(ActivityResult::Succeeded) if !reading.no_content => read(reading),
        Ok(_) => Ok(super::other(reading)),
        Err(rejection) => Err(rejection),
    })
}

fn denied(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let (scope, deny) = split_id(reading, "microsoft.authorization", DENIALS)?;
    let incomplete = || Rejection {
        code: "R-deny-incomplete",
        detail: format!(
            "deny assignment {deny} is in force from {}, but the record does not say what it denies to whom; state it \
             whole in a `pec.deny-assignment.created.v1` event",
            reading.at
        ),
    };
    let body = reading.properties.as_deref().and_then(|properties| {
        document_of(properties, &["responsebody"]).or_else(|| document_of(properties, &["requestbody"]))
    });
    let body = body.ok_or_else(incomplete)?;
    let inner = document_of(&body, &["properties"]).ok_or_else(incomplete)?;
    let ids = |name| match field(&inner, name) {
        None => Some(Vec::new()),
        Some(list) => list.as_array()?.iter().map(|item| last_guid(item.as_object()?, "id")).collect(),
    };
    let permissions = field(&inner, "permissions").and_then(Value::as_array).ok_or_else(incomplete)?;
    let principals: Option<Vec<Guid>> = ids("principals");
    let principals = principals.filter(|list| !list.is_empty()).ok_or_else(incomplete)?;
    let only_there = field(&inner, "donotapplytochildscopes").and_then(Value::as_bool).unwrap_or(false);
    Ok(Event::DenyAssigned(DenyAssignment {
        deny,
        scope,
        principals,
        excluded: ids("excludeprincipals").ok_or_else(incomplete)?,
        actions: named(permissions, "actions"),
        not_actions: named(permissions, "notactions"),
        only_there,
        at: reading.at_millis(),
    }))
}

/// The actions of every permission of a deny assignment.
fn named(permissions: &[Value], name: &str) -> Vec<Box<str>> {
    let objects = permissions.iter().filter_map(Value::as_object);
    let lists = objects.filter_map(|object| field(object, name)).filter_map(Value::as_array);
    lists.flatten().filter_map(Value::as_str).map(Box::from).collect()
}

fn undenied(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let (scope, deny) = split_id(reading, "microsoft.authorization", DENIALS)?;
    Ok(Event::DenyRemoved(DenyAssignmentDeleted { deny, scope, at: reading.at_millis() }))
}

/// The resource id as a scope of the level that the operation speaks of.
fn scope_of(reading: &Reading<'_>, level: Level) -> Result<Scope, Rejection> {
    let text = reading.resource.as_deref().ok_or_else(|| Rejection {
        code: "R-no-resource",
        detail: format!("{}: the record names no resource id, which alone says what it is about", reading.operation),
    })?;
    let scope = Scope::parse(text);
    let fits = scope.level() == level && (level == Level::ManagementGroup || scope.subscription().is_some());
    fits.then_some(scope).ok_or_else(|| Rejection {
        code: "R-bad-resource",
        detail: format!("{}: `{}` is no id of that kind", reading.operation, shown(text)),
    })
}

fn deleted_group(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let scope = scope_of(reading, Level::ResourceGroup)?;
    Ok(Event::ScopeDeleted(ScopeChange { scope, at: reading.at_millis() }))
}

fn created_group(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let scope = scope_of(reading, Level::ResourceGroup)?;
    Ok(Event::ScopeCreated(ScopeChange { scope, at: reading.at_millis() }))
}

/// `{provider}/{types}/delete` of the resource that the record names. Extensions of a resource have
/// operations of the same form; one whose type is not that of the id deletes something else.
fn deleted_resource(operation: &str, reading: &Reading<'_>) -> Option<Event> {
    let kind = operation.strip_suffix("/delete")?;
    let succeeded = matches!(reading.result, ResultWord::Known(ActivityResult::Succeeded)) && !reading.no_content;
    let scope = Scope::parse(reading.resource.as_deref().filter(|_| succeeded)?);
    scope.subscription()?;
    let (_, tail) = scope.as_str().rsplit_once("/providers/")?;
    let mut segments = tail.split('/');
    let mut of_id = segments.next()?.to_owned();
    let mut names = 0;
    for (number, segment) in segments.enumerate() {
        if number % 2 == 0 {
            of_id = format!("{of_id}/{segment}");
        } else {
            names += 1;
        }
    }
    let whole = names > 0 && of_id.split('/').count() == names + 1 && of_id == kind;
    whole.then(|| Event::ScopeDeleted(ScopeChange { scope, at: reading.at_millis() }))
}

fn moved(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let result = reading.known_result()?;
    let group = scope_of(reading, Level::ResourceGroup)?;
    let body = reading.properties.as_deref().and_then(|properties| document_of(properties, &["requestbody"]));
    let target = body.as_deref().and_then(|body| word_of(body, &["targetresourcegroup"]));
    let target = target.map(|text| Scope::parse(&text)).filter(|scope| scope.level() == Level::ResourceGroup);
    let list = body.as_deref().and_then(|body| field(body, "resources")).and_then(Value::as_array);
    let resources = list.into_iter().flatten().filter_map(Value::as_str).map(Scope::parse);
    Ok(Event::MoveActivity(MoveActivity {
        resources: resources.filter(|resource| group.contains(resource) && *resource != group).collect(),
        target,
        group,
        correlation: reading.correlation.clone(),
        result,
        at: reading.at_millis(),
    }))
}

/// A management group was written: its parent, where the record says it, is its place from then on.
fn placed_group(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let child = scope_of(reading, Level::ManagementGroup)?;
    let body = reading.properties.as_deref().and_then(|properties| {
        document_of(properties, &["responsebody"]).or_else(|| document_of(properties, &["requestbody"]))
    });
    let parent = body.as_deref().and_then(parent_in);
    let Some(parent) = parent else { return Ok(super::other(reading)) };
    Ok(Event::TreeChanged(TreeChange { child, parent: Some(parent), left: None, at: reading.at_millis() }))
}

fn parent_in(body: &Object) -> Option<Scope> {
    let inner = document_of(body, &["properties"])?;
    let details = document_of(&inner, &["details"])?;
    let parent = document_of(&details, &["parent"])?;
    let scope = Scope::parse(&word_of(&parent, &["id"])?);
    (scope.level() == Level::ManagementGroup).then_some(scope)
}

fn removed_group(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let child = scope_of(reading, Level::ManagementGroup)?;
    Ok(Event::TreeChanged(TreeChange { child, parent: None, left: None, at: reading.at_millis() }))
}

fn placed_subscription(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let (parent, child) = subscription_of_group(reading)?;
    Ok(Event::TreeChanged(TreeChange { child, parent: Some(parent), left: None, at: reading.at_millis() }))
}

/// A subscription that moves is written below the new group and deleted below the old one, in
/// either order: the deletion ends only its own place.
fn removed_subscription(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let (left, child) = subscription_of_group(reading)?;
    Ok(Event::TreeChanged(TreeChange { child, parent: None, left: Some(left), at: reading.at_millis() }))
}

/// `/providers/Microsoft.Management/managementGroups/{group}/subscriptions/{id}`.
fn subscription_of_group(reading: &Reading<'_>) -> Result<(Scope, Scope), Rejection> {
    let text = reading.resource.as_deref().unwrap_or_default();
    let lower = text.to_lowercase();
    let segments: Vec<&str> = lower.split('/').filter(|segment| !segment.is_empty()).collect();
    let read = match segments[..] {
        ["providers", provider, kind, group, "subscriptions", id] if format!("{provider}/{kind}") == GROUPS => {
            Guid::parse(id).map(|id| (group, id))
        }
        _ => None,
    };
    let (group, id) = read.ok_or_else(|| Rejection {
        code: "R-bad-resource",
        detail: format!("{}: `{}` names no subscription of a management group", reading.operation, shown(text)),
    })?;
    Ok((Scope::parse(&format!("/providers/{GROUPS}/{group}")), Scope::subscription_of(id)))
}

/// Entra's audit records of groups and people, where they name everything in full.
pub(super) fn read_audit(reading: &Reading<'_>) -> Option<Event> {
    let properties = reading.properties.as_deref()?;
    let succeeded = word_of(properties, &["result"]).is_some_and(|word| word.eq_ignore_ascii_case("success"));
    if !succeeded {
        return None;
    }
    let targets: Vec<&Object> =
        field(properties, "targetresources")?.as_array()?.iter().filter_map(Value::as_object).collect();
    let of_kind = |target: &Object, kinds: &[&str]| {
        word_of(target, &["type"]).is_some_and(|kind| kinds.contains(&kind.to_lowercase().as_str()))
    };
    let at = reading.at_millis();
    let member = || targets.first().copied().and_then(|first| last_guid(first, "id"));
    let group = || {
        let stated = targets.iter().find_map(|target| changed_guid(target, "group.objectid"));
        let second = targets.iter().skip(1).find(|target| of_kind(target, &["group"]));
        stated.or_else(|| second.and_then(|target| last_guid(target, "id")))
    };
    Some(match reading.operation.as_str() {
        "add member to group" => {
            Event::GroupMemberAdded(GroupMemberAdded { group: group()?, member: member()?, at, until: None })
        }
        "remove member from group" => {
            Event::GroupMemberRemoved(GroupMemberRemoved { group: group()?, member: member()?, at })
        }
        "delete user" | "delete service principal" | "delete group" => {
            let gone = targets.iter().find(|target| of_kind(target, &["user", "serviceprincipal", "group"]))?;
            Event::PrincipalDeleted(PrincipalDeleted { principal: last_guid(gone, "id")?, at })
        }
        _ => return None,
    })
}

/// A GUID among the changed properties of a target: the new value, or the old one of what was taken
/// away. Values are JSON texts within texts.
fn changed_guid(target: &Object, name: &str) -> Option<Guid> {
    let list = field(target, "modifiedproperties")?.as_array()?;
    let named = |item: &&Object| word_of(item, &["displayname"]).is_some_and(|word| word.eq_ignore_ascii_case(name));
    let property = list.iter().filter_map(Value::as_object).find(named)?;
    ["newvalue", "oldvalue"].iter().find_map(|side| Guid::parse(word_of(property, &[side])?.trim_matches('"')))
}
