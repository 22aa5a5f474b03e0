//! Deny assignments, deletions, moves, management groups; groups and people from the audit log.

use domain::entry::{Event, MoveActivity};
use domain::scope::Scope;
use serde_json::{Value, json};

use super::{CORRELATION, PRINCIPAL, SUB, guid, only, refused, rest};

/// A record of an operation on a resource, with a status of the HTTP answer.
fn record(operation: &str, resource: &str, status: &str, properties: Value) -> Value {
    let mut record = rest(operation, status, properties);
    record["resourceId"] = json!(resource);
    record["authorization"] = json!({"action": operation, "scope": resource});
    record
}

fn event(operation: &str, resource: &str, status: &str, properties: Value) -> Event {
    only(&record(operation, resource, status, properties)).event
}

fn group() -> String {
    format!("{SUB}/resourceGroups/rg-blue")
}

fn deny_body(permissions: Value, principals: Value) -> Value {
    let body = json!({"properties": {"denyAssignmentName": "stack", "permissions": permissions, "principals": principals,
        "excludePrincipals": [{"id": PRINCIPAL, "type": "User"}], "doNotApplyToChildScopes": false}});
    json!({"responseBody": body.to_string()})
}

#[test]
fn a_deny_assignment_states_actions_and_principals() {
    let id = format!("{}/providers/Microsoft.Authorization/denyAssignments/{PRINCIPAL}", group());
    let everybody = json!([{"id": "00000000000000000000000000000000", "type": "SystemDefined"}]);
    let body = deny_body(json!([{"actions": ["*"], "notActions": ["*/read"]}]), everybody);
    let write = "Microsoft.Authorization/denyAssignments/write";
    let Event::DenyAssigned(denied) = event(write, &id, "Succeeded", body.clone()) else { panic!("a denial") };
    assert_eq!((denied.deny, denied.scope.as_str()), (guid(PRINCIPAL), group().to_lowercase().as_str()));
    assert_eq!((denied.principals, denied.excluded), (vec![domain::ids::Guid(0)], vec![guid(PRINCIPAL)]));
    assert_eq!((denied.actions, denied.not_actions), (vec!["*".into()], vec!["*/read".into()]));
    assert!(matches!(event(write, &id, "Started", body), Event::OtherActivity(_)));
    for lacking in
        [Value::Null, json!({}), deny_body(json!([]), json!([])), deny_body(json!("x"), json!([{"id": PRINCIPAL}]))]
    {
        assert_eq!(refused(&record(write, &id, "Succeeded", lacking)), "R-deny-incomplete");
    }
    let gone = event("Microsoft.Authorization/denyAssignments/delete", &id, "Succeeded", Value::Null);
    assert!(matches!(gone, Event::DenyRemoved(removed) if removed.deny == guid(PRINCIPAL)));
}

#[test]
fn a_group_is_deleted_when_its_deletion_succeeded() {
    let delete = "Microsoft.Resources/subscriptions/resourcegroups/delete";
    let deleted = event(delete, &group(), "Succeeded", Value::Null);
    assert!(matches!(deleted, Event::ScopeDeleted(gone) if gone.scope == Scope::parse(&group())));
    for status in ["Started", "Accepted", "Failed"] {
        assert!(matches!(event(delete, &group(), status, Value::Null), Event::OtherActivity(_)), "{status}");
    }
    assert_eq!(refused(&record(delete, SUB, "Succeeded", Value::Null)), "R-bad-resource");
    let write = "Microsoft.Resources/subscriptions/resourceGroups/write";
    let created = event(write, &group(), "Succeeded", json!({"statusCode": "Created"}));
    assert!(matches!(created, Event::ScopeCreated(new) if new.scope == Scope::parse(&group())));
    let tagged = event(write, &group(), "Succeeded", json!({"statusCode": "OK"}));
    assert!(matches!(tagged, Event::OtherActivity(_)), "an update creates nothing");
}

/// Only the deletion of what the id names counts: not that of its lock, nor one that found nothing.
#[test]
fn a_resource_is_deleted_by_its_own_operation() {
    let disk = format!("{}/providers/Microsoft.Compute/disks/d1", group());
    let deleted = event("Microsoft.Compute/disks/delete", &disk, "Succeeded", Value::Null);
    assert!(matches!(deleted, Event::ScopeDeleted(gone) if gone.scope == Scope::parse(&disk)));
    let rule = format!("{}/providers/Microsoft.Network/networkSecurityGroups/n/securityRules/r", group());
    let operation = "Microsoft.Network/networkSecurityGroups/securityRules/delete";
    assert!(matches!(event(operation, &rule, "Succeeded", Value::Null), Event::ScopeDeleted(_)));
    for (operation, resource, status, properties) in [
        ("Microsoft.Authorization/locks/delete", disk.as_str(), "Succeeded", Value::Null),
        ("Microsoft.Compute/disks/delete", &disk, "Succeeded", json!({"statusCode": "NoContent"})),
        ("Microsoft.Compute/disks/delete", &disk, "Failed", Value::Null),
        ("Microsoft.Compute/disks/delete", &disk, "Surprising", Value::Null),
        ("Microsoft.Compute/disks/delete/action", &disk, "Succeeded", Value::Null),
        ("Microsoft.Compute/disks/delete", &format!("{disk}/"), "Started", Value::Null),
        ("Microsoft.Network/networkSecurityGroups/delete", &rule, "Succeeded", Value::Null),
    ] {
        let event = event(operation, resource, status, properties);
        assert!(matches!(event, Event::OtherActivity(_)), "{operation} {resource} {status}");
    }
}

#[test]
fn a_move_says_in_its_request_what_moves_where() {
    let action = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action";
    let target = format!("{SUB}/resourceGroups/rg-green");
    let disk = format!("{}/providers/Microsoft.Compute/disks/d1", group());
    let body = json!({"resources": [disk, format!("{target}/providers/x/y/z")], "targetResourceGroup": target});
    let moved = |status: &str, properties: Value| match event(action, &group(), status, properties) {
        Event::MoveActivity(moved) => moved,
        other => panic!("{other:?}"),
    };
    let MoveActivity { group, correlation, resources, target: to, .. } =
        moved("Started", json!({"requestbody": body.to_string()}));
    assert_eq!(resources, [Scope::parse(&disk)], "what does not lie in the group cannot move out of it");
    assert_eq!(to, Some(Scope::parse(&target)));
    assert_eq!(group, Scope::parse(&self::group()));
    assert_eq!(correlation.as_deref(), Some(&*guid(CORRELATION).simple()));
    let done = moved("Succeeded", Value::Null);
    assert_eq!((done.resources, done.target), (Vec::new(), None));
}

#[test]
fn the_tree_of_management_groups_is_told_by_four_operations() {
    let tree = |operation: &str, resource: &str, properties: Value| {
        let operation = format!("Microsoft.Management/managementGroups/{operation}");
        match event(&operation, resource, "Succeeded", properties) {
            Event::TreeChanged(change) => {
                let text =
                    |scope: Option<Scope>| scope.map(|scope| scope.as_str().rsplit('/').next().unwrap().to_owned());
                (change.child, text(change.parent), text(change.left))
            }
            other => panic!("{other:?}"),
        }
    };
    let of = |name: &str| format!("/providers/Microsoft.Management/managementGroups/{name}");
    let in_prod = format!("{}{SUB}", of("Prod"));
    let subscription = Scope::parse(SUB);
    assert_eq!(tree("subscriptions/write", &in_prod, Value::Null), (subscription.clone(), Some("prod".into()), None));
    assert_eq!(tree("subscriptions/delete", &in_prod, Value::Null), (subscription, None, Some("prod".into())));
    let body = json!({"responseBody": {"properties": {"details": {"parent": {"id": of("Root")}}}}});
    assert_eq!(tree("write", &of("Prod"), body), (Scope::parse(&of("prod")), Some("root".into()), None));
    assert_eq!(tree("delete", &of("Prod"), Value::Null), (Scope::parse(&of("prod")), None, None));
    let silent = event("Microsoft.Management/managementGroups/write", &of("Prod"), "Succeeded", Value::Null);
    assert!(matches!(silent, Event::OtherActivity(_)), "a renamed group has not moved");
    let stray =
        record("Microsoft.Management/managementGroups/subscriptions/write", &of("Prod"), "Succeeded", Value::Null);
    assert_eq!(refused(&stray), "R-bad-resource");
}

/// Entra writes the group of a member into the changed properties, as a JSON text within a text.
#[test]
fn the_audit_log_tells_of_groups_and_people() {
    let group = "c3000000-0000-4000-8000-0000000000bb";
    let audit = |name: &str, result: &str, changed: Value| {
        let target = json!({"type": "User", "id": PRINCIPAL, "modifiedProperties": [changed]});
        only(&json!({"category": "AuditLogs", "time": "2026-03-01T08:00:00Z", "operationName": name, "resourceId": "/tenants/x",
            "properties": {"activityDisplayName": name, "result": result, "targetResources": [target]}})).event
    };
    let id = |side: &str| json!({"displayName": "Group.ObjectID", side: format!("\"{group}\"")});
    let added = audit("Add member to group", "success", id("newValue"));
    assert!(matches!(added, Event::GroupMemberAdded(one) if (one.group, one.member) == (guid(group), guid(PRINCIPAL))));
    let removed = audit("Remove member from group", "success", id("oldValue"));
    assert!(
        matches!(removed, Event::GroupMemberRemoved(one) if (one.group, one.member) == (guid(group), guid(PRINCIPAL)))
    );
    let deleted = audit("Delete user", "success", json!({}));
    assert!(matches!(deleted, Event::PrincipalDeleted(one) if one.principal == guid(PRINCIPAL)));
    for (name, result, changed) in [
        ("Add member to group", "failure", id("newValue")),
        ("Add member to group", "success", json!({"displayName": "Group.DisplayName", "newValue": "\"x\""})),
        ("Add owner to group", "success", id("newValue")),
    ] {
        assert!(matches!(audit(name, result, changed), Event::OtherActivity(_)), "{name} {result}");
    }
}
