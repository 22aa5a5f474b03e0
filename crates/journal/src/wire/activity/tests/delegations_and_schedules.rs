//! Lighthouse and Privileged Identity Management: facts where a record states them whole, a named
//! refusal where access changed and the record does not say how. The records are synthetic.

use domain::entry::{Delegation, Event, Schedule};
use serde_json::{Value, json};

use super::{PRINCIPAL, ROLE, SUB, guid, only, refused, rest};

const DELEGATION: &str = "e6000000-0000-4000-8000-000000000d01";
const MANAGER: &str = "e6000000-0000-4000-8000-0000000000ff";

fn at(resource: &str, mut record: Value) -> Value {
    record["resourceId"] = json!(resource);
    record
}

fn delegation(operation: &str, status: &str, properties: Value) -> Value {
    let resource = format!("{SUB}/providers/Microsoft.ManagedServices/registrationAssignments/{DELEGATION}");
    at(&resource, rest(&format!("Microsoft.ManagedServices/registrationAssignments/{operation}"), status, properties))
}

/// The answer to a write, with the definition expanded as the API can give it.
fn answer(definition: Value) -> Value {
    json!({"responseBody": json!({"properties": {"registrationDefinitionId": "/d", "provisioningState": "Succeeded",
        "registrationDefinition": definition}}).to_string()})
}

fn definition() -> Value {
    json!({"properties": {"managedByTenantId": MANAGER,
        "authorizations": [{"principalId": PRINCIPAL, "roleDefinitionId": ROLE}],
        "eligibleAuthorizations": [{"principalId": PRINCIPAL, "roleDefinitionId": ROLE,
            "justInTimeAccessPolicy": {"maximumActivationDuration": "PT8H"}}]}})
}

fn delegated(properties: Value) -> Delegation {
    match only(&delegation("write", "Succeeded", properties)).event {
        Event::DelegationChanged(delegation) => delegation,
        other => panic!("no delegation: {other:?}"),
    }
}

#[test]
fn a_delegation_is_a_fact_where_its_definition_is_stated() {
    let told = delegated(answer(definition()));
    assert_eq!((told.delegation, told.managing_tenant), (guid(DELEGATION), guid(MANAGER)));
    assert_eq!(told.scope.as_str(), SUB);
    assert!(!told.marketplace_offer);
    let eligible: Vec<bool> = told.authorizations.iter().map(|authorization| authorization.eligible_only).collect();
    assert_eq!(eligible, [false, true]);
    assert_eq!(told.at.to_rfc3339(), "2022-03-01T08:00:01.234+00:00", "as every channel gives it");
    let mut offer = definition();
    offer["plan"] = json!({"name": "managed"});
    assert!(delegated(answer(offer)).marketplace_offer);
}

#[test]
fn half_a_delegation_is_refused_by_name_and_never_guessed() {
    let mut unreadable = definition();
    unreadable["properties"]["authorizations"][0]["principalId"] = json!("somebody");
    for properties in [Value::Null, answer(Value::Null), answer(unreadable), json!({"statusCode": "Created"})] {
        assert_eq!(refused(&delegation("write", "Succeeded", properties)), "R-delegation-incomplete");
    }
    let resource = format!("{SUB}/providers/Microsoft.ManagedServices/registrationDefinitions/{DELEGATION}");
    let written = rest("Microsoft.ManagedServices/registrationDefinitions/write", "Succeeded", answer(definition()));
    assert_eq!(refused(&at(&resource, written)), "R-definition-alone");
    assert_eq!(refused(&delegation("write", "Resolved", Value::Null)), "R-unknown-result");
}

#[test]
fn only_success_is_the_effect_of_a_delegation() {
    for status in ["Started", "Accepted", "Failed"] {
        let event = only(&delegation("write", status, answer(definition()))).event;
        assert!(matches!(event, Event::OtherActivity(_)), "{status}: {event:?}");
    }
    let Event::DelegationDeleted(ended) = only(&delegation("delete", "Succeeded", Value::Null)).event else {
        panic!("a removal needs no body")
    };
    assert_eq!((ended.delegation, ended.scope.as_str()), (guid(DELEGATION), SUB));
}

#[test]
fn the_managing_tenant_is_told_of_an_end_but_not_of_what_began() {
    let record = |operation: &str, description: &str| {
        let mut record = rest(&format!("Microsoft.Resources/tenants/{operation}/action"), "Succeeded", Value::Null);
        record["resourceId"] = Value::Null;
        record["description"] = json!(description);
        record
    };
    let path = format!("{SUB}/providers/Microsoft.ManagedServices/registrationAssignments/{DELEGATION}");
    let description = json!({"delegationResourceId": path}).to_string();
    let Event::DelegationDeleted(ended) = only(&record("unregister", &description)).event else {
        panic!("an end is a fact")
    };
    assert_eq!((ended.delegation, ended.scope.as_str()), (guid(DELEGATION), SUB));
    assert_eq!(refused(&record("unregister", "gone")), "R-delegation-incomplete");
    assert_eq!(refused(&record("register", &description)), "R-delegation-incomplete");
}

const REQUEST: &str = "e7000000-0000-4000-8000-000000000a01";

fn schedule_record(kind: &str, operation: &str, properties: Value) -> Value {
    let resource = format!("{SUB}/providers/Microsoft.Authorization/{kind}/{REQUEST}");
    at(&resource, rest(&format!("Microsoft.Authorization/{kind}/{operation}"), "Succeeded", properties))
}

fn request(kind: &str, expiration: Value) -> Value {
    json!({"properties": {"principalId": PRINCIPAL, "principalType": "User", "requestType": kind,
        "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"),
        "status": "Provisioned",
        "scheduleInfo": {"startDateTime": "2022-03-01T07:59:58.91Z", "expiration": expiration}}})
}

fn eight_hours() -> Value {
    json!({"type": "AfterDuration", "endDateTime": null, "duration": "PT8H"})
}

fn write(kind: &str, body: &Value) -> Value {
    schedule_record(kind, "write", json!({"responseBody": body.to_string()}))
}

fn scheduled(kind: &str, body: &Value) -> Schedule {
    match only(&write(kind, body)).event {
        Event::ScheduleCreated(schedule) => schedule,
        other => panic!("no schedule: {other:?}"),
    }
}

const ACTIVE: &str = "roleAssignmentScheduleRequests";

#[test]
fn an_activation_ends_by_its_schedule() {
    let told = scheduled(ACTIVE, &request("SelfActivate", eight_hours()));
    assert_eq!((told.schedule, told.principal, told.role), (guid(REQUEST), guid(PRINCIPAL), guid(ROLE)));
    assert_eq!(told.end.unwrap() - told.start, chrono::TimeDelta::hours(8));
    assert!(told.provisioned_at > told.start);
    assert!(!told.eligible_only);
    assert!(scheduled("roleEligibilityScheduleRequests", &request("AdminAssign", eight_hours())).eligible_only);
    let never = scheduled(ACTIVE, &request("AdminAssign", json!({"type": "NoExpiration"})));
    assert_eq!(never.end, None);
    let dated = json!({"type": "AfterDateTime", "endDateTime": "2022-04-01T00:00:00Z"});
    assert!(scheduled(ACTIVE, &request("AdminAssign", dated)).end.is_some());
}

#[test]
fn a_schedule_that_is_not_stated_whole_is_refused() {
    let mut nobody = request("SelfActivate", eight_hours());
    nobody["properties"]["principalId"] = json!("somebody");
    let endless = request("SelfActivate", json!({"type": "AfterDuration", "duration": "P1M"}));
    for body in
        [nobody, endless, request("Unheard", eight_hours()), request("SelfDeactivate", eight_hours()), json!({})]
    {
        assert_eq!(refused(&write(ACTIVE, &body)), "R-schedule-incomplete", "{body}");
    }
    assert_eq!(refused(&schedule_record(ACTIVE, "write", Value::Null)), "R-schedule-incomplete");
    let mut pending = request("SelfActivate", eight_hours());
    pending["properties"]["status"] = json!("PendingApproval");
    assert!(matches!(only(&write(ACTIVE, &pending)).event, Event::OtherActivity(_)), "nobody holds anything yet");
}

#[test]
fn an_activation_may_end_early() {
    let mut ended = request("SelfDeactivate", eight_hours());
    ended["properties"]["targetRoleAssignmentScheduleId"] = json!(DELEGATION);
    let Event::ScheduleCancelled(cancelled) = only(&write(ACTIVE, &ended)).event else { panic!("not cancelled") };
    assert_eq!(cancelled.schedule, guid(DELEGATION));
    let Event::ScheduleCancelled(cancelled) = only(&schedule_record(ACTIVE, "cancel/action", Value::Null)).event else {
        panic!("not cancelled")
    };
    assert_eq!((cancelled.schedule, cancelled.scope.as_str()), (guid(REQUEST), SUB));
}

fn audit(details: &[(&str, &str)]) -> Value {
    let details: Vec<Value> = details.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({"time": "2022-03-01T08:00:00Z", "category": "AuditLogs", "identity": "Somebody",
        "operationName": "Add member to role completed (PIM activation)", "properties": {"result": "success",
        "loggedByService": "PIM", "additionalDetails": details,
        "targetResources": [{"type": "Role", "displayName": "Contributor"}, {"type": "User", "id": PRINCIPAL}]}})
}

#[test]
fn an_audit_record_is_a_fact_only_where_it_names_everything_in_full() {
    let full = [
        ("RoleDefinitionOriginId", ROLE),
        ("StartTime", "2022-03-01T08:00:00Z"),
        ("ExpirationTime", "2022-03-01T16:00:00Z"),
        ("RequestId", REQUEST),
        ("Scope", SUB),
    ];
    let Event::ScheduleCreated(told) = only(&audit(&full)).event else { panic!("everything is there") };
    assert_eq!((told.schedule, told.principal, told.scope.as_str()), (guid(REQUEST), guid(PRINCIPAL), SUB));
    for left_out in 0..full.len() {
        let mut fewer = full.to_vec();
        fewer.remove(left_out);
        assert!(matches!(only(&audit(&fewer)).event, Event::OtherActivity(_)), "without {}", full[left_out].0);
    }
    let mut requested = audit(&full);
    requested["operationName"] = json!("Add member to role in PIM requested (timebound)");
    assert!(matches!(only(&requested).event, Event::OtherActivity(_)), "asked for is not given");
}
