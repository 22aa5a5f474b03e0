//! Records written anew in the shapes that Azure's channels really send, with invented ids.

mod delegations_and_schedules;
mod estate;
mod mutations;

use domain::entry::{ActivityOperation, ActivityResult, AssignmentActivity, Event, Fact, Stream};
use domain::ids::Guid;
use serde_json::{Value, json};

use super::{Items, REJECTIONS, decode_event, decode_value};

const SUB: &str = "/subscriptions/a1000000-0000-4000-8000-000000000001";
const GRANT: &str = "b2000000-0000-4000-8000-00000000000a";
const PRINCIPAL: &str = "c3000000-0000-4000-8000-0000000000aa";
const ROLE: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const CORRELATION: &str = "d4000000-0000-4000-8000-0000000000bb";

fn guid(text: &str) -> Guid {
    Guid::parse(text).unwrap()
}

fn resource() -> String {
    format!("{SUB}/resourceGroups/rg-blue/providers/Microsoft.Authorization/roleAssignments/{GRANT}")
}

fn items(value: &Value) -> Items {
    decode_value(Stream::Access, value.to_string().as_bytes()).expect("a shape of Azure's")
}

fn only(value: &Value) -> Fact {
    let mut items = items(value);
    assert_eq!(items.len(), 1);
    items.remove(0).unwrap()
}

fn refused(value: &Value) -> &'static str {
    let mut items = items(value);
    assert_eq!(items.len(), 1);
    items.remove(0).unwrap_err().code
}

fn activity(value: &Value) -> AssignmentActivity {
    match only(value).event {
        Event::AssignmentActivity(activity) => activity,
        other => panic!("no role assignment: {other:?}"),
    }
}

/// A request body in the camel case of the command line.
fn request() -> Value {
    json!({"properties": {"roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"),
        "principalId": PRINCIPAL}})
}

/// A record as the REST API gives it.
fn rest(operation: &str, status: &str, properties: Value) -> Value {
    json!({"authorization": {"action": operation, "scope": resource()}, "correlationId": CORRELATION,
        "eventName": {"value": "EndRequest", "localizedValue": "End request"},
        "operationId": "e5000000-0000-4000-8000-0000000000cc", "resourceId": resource(),
        "operationName": {"value": operation, "localizedValue": "Create role assignment"},
        "properties": properties, "status": {"value": status, "localizedValue": status},
        "subStatus": {"value": "", "localizedValue": ""}, "eventTimestamp": "2022-03-01T08:00:01.2345678Z",
        "submissionTimestamp": "2022-03-01T08:01:00Z"})
}

fn write(status: &str, properties: Value) -> Value {
    rest("Microsoft.Authorization/roleAssignments/write", status, properties)
}

fn delete(status: &str, properties: Value) -> Value {
    rest("Microsoft.Authorization/roleAssignments/delete", status, properties)
}

#[test]
fn a_grant_is_read_from_the_request_of_its_started_record() {
    let started = activity(&write("Started", json!({"requestbody": request().to_string()})));
    assert_eq!(started.operation, ActivityOperation::Write);
    assert_eq!(started.result, ActivityResult::Started);
    assert_eq!(started.assignment, guid(GRANT));
    assert_eq!(started.scope.as_str(), format!("{SUB}/resourcegroups/rg-blue"));
    assert_eq!(started.correlation.as_deref(), Some(&*guid(CORRELATION).simple()));
    assert!(started.operation_id.is_some());
    let facts = started.facts.unwrap();
    assert_eq!((facts.principal, facts.role, facts.principal_type), (guid(PRINCIPAL), guid(ROLE), None));
    assert_eq!(started.at.to_rfc3339(), "2022-03-01T08:00:01.234567800+00:00");
    let succeeded = activity(&write("Succeeded", json!({"statusCode": "Created"})));
    assert_eq!((succeeded.result, succeeded.facts), (ActivityResult::Succeeded, None));
}

#[test]
fn the_three_client_forms_of_a_request_say_the_same() {
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{ROLE}");
    let portal = json!({"Id": GRANT, "Properties": {"PrincipalId": PRINCIPAL, "PrincipalType": "User",
        "RoleDefinitionId": role, "Scope": format!("{SUB}/resourceGroups/rg-blue"), "Condition": null}});
    let cross_platform = json!({"Properties": {"RoleDefinitionId": format!("{SUB}/resourcegroups/rg-blue{role}"),
        "PrincipalId": PRINCIPAL, "Scope": null, "CreatedOn": null}, "Id": resource(), "Type": null});
    for body in [request(), portal, cross_platform] {
        for spelling in ["requestbody", "requestBody", "RequestBody", "request_body"] {
            for form in [body.clone(), Value::String(body.to_string())] {
                let record = activity(&write("Started", json!({spelling: form})));
                let facts = record.facts.expect("facts in every form");
                assert_eq!((facts.principal, facts.role), (guid(PRINCIPAL), guid(ROLE)), "{spelling}");
            }
        }
    }
}

#[test]
fn a_body_that_is_no_json_is_no_body_and_no_reason_to_refuse() {
    let pseudo = "{'properties':{'principalId':'x'}}";
    for properties in [
        json!({"requestbody": pseudo}),
        json!(pseudo),
        json!("a plain text"),
        json!(7),
        json!({"requestbody": "{\"properties\":{\"principalId\":\"nobody\"}}"}),
        json!({"requestbody": {"properties": {"principalId": PRINCIPAL}}}),
        Value::Null,
    ] {
        assert_eq!(activity(&write("Started", properties.clone())).facts, None, "{properties}");
    }
    let text = json!({"requestbody": request().to_string()}).to_string();
    assert!(activity(&write("Started", json!(text))).facts.is_some(), "properties as a JSON text are properties");
}

#[test]
fn the_body_is_never_trusted_for_scope_or_id() {
    let elsewhere = format!("{SUB}/resourceGroups/rg-red");
    let mut body = request();
    body["id"] = json!(format!("{elsewhere}/providers/Microsoft.Authorization/roleAssignments/{ROLE}"));
    body["properties"]["scope"] = json!(elsewhere);
    let record = activity(&write("Started", json!({"requestbody": body})));
    assert_eq!(record.assignment, guid(GRANT));
    assert_eq!(record.scope.as_str(), format!("{SUB}/resourcegroups/rg-blue"));
    assert_eq!(record.stated_scope.unwrap().as_str(), format!("{SUB}/resourcegroups/rg-red"));
}

#[test]
fn the_callers_own_authority_is_never_the_grant() {
    let mut record = write("Started", Value::Null);
    record["identity"] = json!({"authorization": {"action": "Microsoft.Authorization/roleAssignments/write",
        "evidence": {"principalId": "ffffffffffffffffffffffffffffffff", "roleDefinitionId": guid(ROLE).simple()}}});
    assert_eq!(activity(&record).facts, None);
}

#[test]
fn an_explicit_removal_states_what_it_removed() {
    let mut body = request();
    body["properties"]["createdOn"] = json!("2021-12-01T10:00:00.1234567Z");
    body["properties"]["scope"] = json!(format!("{SUB}/resourceGroups/rg-blue"));
    let mut record = delete("Succeeded", json!({"statusCode": "OK", "responseBody": body.to_string()}));
    record["subStatus"]["value"] = json!("OK");
    let removed = activity(&record);
    assert_eq!((removed.operation, removed.result), (ActivityOperation::Delete, ActivityResult::Succeeded));
    assert_eq!(removed.facts.unwrap().principal, guid(PRINCIPAL));
    assert_eq!(removed.created_at.unwrap().to_rfc3339(), "2021-12-01T10:00:00.123456700+00:00");
    assert!(!removed.cascade);
}

#[test]
fn a_removal_that_found_nothing_is_told_apart_on_every_channel() {
    let mut rest = delete("Succeeded", json!({"statusCode": "NoContent"}));
    let mut sub_status = delete("Succeeded", Value::Null);
    sub_status["subStatus"]["value"] = json!("NoContent");
    let mut numeric = delete("Succeeded", json!({"statusCode": 204}));
    numeric["subStatus"] = Value::Null;
    let mut hub = event_hub("Success", "Succeeded.NoContent");
    hub["operationName"] = json!("MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/DELETE");
    for record in [&rest, &sub_status, &numeric, &hub] {
        assert_eq!(activity(record).result, ActivityResult::NoContent, "{record}");
    }
    rest["operationName"]["value"] = json!("Microsoft.Authorization/roleAssignments/write");
    assert_eq!(activity(&rest).result, ActivityResult::Succeeded, "only a removal can find nothing");
}

/// The record of one assignment that went with its resource group: facts in the properties, ids
/// without dashes, no Started record, no body.
fn cascade() -> Value {
    let plain = |text| guid(text).simple();
    let mut record = delete(
        "Succeeded",
        json!({"id": plain(GRANT), "principalId": plain(PRINCIPAL), "roleDefinitionId": plain(ROLE),
            "scope": format!("{SUB}/resourceGroups/rg-blue")}),
    );
    record["authorization"] = json!({"action": "Microsoft.Resources/subscriptions/resourcegroups/delete",
        "scope": format!("{SUB}/resourcegroups/rg-blue")});
    record["resourceType"] = json!({"value": "Microsoft.Resources/subscriptions/resourcegroups"});
    record["resourceId"] = json!(resource().replace(GRANT, &plain(GRANT)));
    record
}

#[test]
fn a_removal_with_its_group_joins_the_grant_despite_its_spelling() {
    let removed = activity(&cascade());
    let granted = activity(&write("Started", json!({"requestbody": request()})));
    assert!(removed.cascade);
    assert_eq!((removed.assignment, &removed.scope), (granted.assignment, &granted.scope));
    let facts = (removed.facts.unwrap(), granted.facts.unwrap());
    assert_eq!((facts.0.principal, facts.0.role), (facts.1.principal, facts.1.role));
    let mut of_a_resource = cascade();
    of_a_resource["authorization"]["action"] = json!("Microsoft.Storage/storageAccounts/delete");
    assert!(!activity(&of_a_resource).cascade, "the deletion of one resource says nothing about its group");
    let mut unsaid = cascade();
    unsaid["authorization"] = Value::Null;
    assert!(activity(&unsaid).cascade, "the resource type says so too");
    let mut neither = unsaid.clone();
    neither["resourceType"] = Value::Null;
    assert!(!activity(&neither).cascade);
}

/// The same record as Event Hubs delivers it: upper case, no operation id, result in other words.
fn event_hub(result: &str, signature: &str) -> Value {
    json!({"RoleLocation": "West Europe", "time": "2022-03-01T08:00:01.2345678Z", "resourceId": resource().to_uppercase(),
        "operationName": "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE", "category": "Administrative",
        "resultType": result, "resultSignature": signature, "durationMs": "0", "correlationId": CORRELATION,
        "identity": {}, "level": "Information", "properties": {"statusCode": "Created"}})
}

#[test]
fn one_record_has_one_identity_on_every_channel() {
    let rest = only(&write("Succeeded", json!({"statusCode": "Created"})));
    let hub = only(&json!({"records": [event_hub("Success", "Succeeded.Created")]}));
    let mut sdk = json!({"operation_name": {"value": "Microsoft.Authorization/roleAssignments/write",
        "localized_value": "Create"}, "correlation_id": guid(CORRELATION).simple(), "resource_id": resource(),
        "status": {"value": "Succeeded", "localized_value": "Succeeded"}, "event_timestamp": "2022-03-01T08:00:01.234567Z"});
    let analytics = json!({"tables": [{"name": "PrimaryResult", "columns": [{"name": "TimeGenerated", "type": "datetime"},
        {"name": "OperationNameValue", "type": "string"}, {"name": "OperationName", "type": "string"},
        {"name": "ActivityStatusValue", "type": "string"}, {"name": "CorrelationId", "type": "string"},
        {"name": "_ResourceId", "type": "string"}, {"name": "Claims", "type": "string"},
        {"name": "Properties", "type": "string"}],
        "rows": [["2022-03-01T08:00:01.234Z", "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE", "Create role assignment",
            "Success", CORRELATION, resource().to_lowercase(), "", "{\"statusCode\":\"Created\"}"]]}]});
    let grid = json!([{"topic": SUB, "subject": resource(), "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2022-03-01T08:00:01.2349Z", "id": "x", "data": {"correlationId": CORRELATION,
        "resourceUri": resource(), "operationName": "Microsoft.Authorization/roleAssignments/write", "status": "Succeeded"}}]);
    for copy in [&hub, &only(&sdk), &only(&analytics), &only(&grid)] {
        assert_eq!(copy.identity, rest.identity, "{:?}", copy.event);
        assert_ne!(copy.digest, rest.digest, "it says less: {:?}", copy.event);
    }
    assert_eq!(only(&write("Succeeded", json!({"statusCode": "Created"}))), rest);
    sdk["event_timestamp"] = json!("2022-03-01T08:00:01.233Z");
    let others = [
        sdk,
        write("Started", Value::Null),
        delete("Succeeded", Value::Null),
        json!({"records": [{"time": "2022-03-01T08:00:01.2345678Z", "resultType": "Success", "resourceId": resource(),
            "operationName": "Microsoft.Authorization/roleAssignments/write"}]}),
    ];
    for other in others {
        assert_ne!(only(&other).identity, rest.identity, "{other}");
    }
}

#[test]
fn a_tenant_or_a_batch_makes_no_other_identity() {
    let record = event_hub("Start", "Started.");
    let mut tenant = record.clone();
    tenant["tenantId"] = json!("f0000000-0000-4000-8000-000000000000");
    let twice = items(&json!({"records": [record.clone(), tenant]}));
    assert_eq!(twice[0], twice[1]);
    assert_eq!(twice[0].as_ref().unwrap(), &only(&record));
}

#[test]
fn results_have_many_words_and_unknown_ones_are_refused() {
    for (word, result) in [
        ("Start", ActivityResult::Started),
        ("started", ActivityResult::Started),
        ("Success", ActivityResult::Succeeded),
        ("Succeeded", ActivityResult::Succeeded),
        ("Succeeded.", ActivityResult::Succeeded),
        ("Failure", ActivityResult::Failed),
        ("Failed", ActivityResult::Failed),
        ("Canceled", ActivityResult::Failed),
        ("Accept", ActivityResult::Accepted),
        ("Accepted", ActivityResult::Accepted),
        ("In Progress", ActivityResult::Accepted),
    ] {
        assert_eq!(activity(&event_hub(word, "200")).result, result, "{word}");
    }
    for word in ["Active", "0", "Updated", "Succeeded.Created"] {
        assert_eq!(refused(&event_hub(word, "None")), "R-unknown-result", "{word}");
    }
    assert_eq!(refused(&event_hub("Success", "Started.")), "R-contradictory-result");
    let mut both = event_hub("Success", "Succeeded.");
    both["status"] = json!({"value": "Failed"});
    assert_eq!(refused(&both), "R-contradictory-result");
    let mut none = event_hub("", "None");
    assert_eq!(refused(&none), "R-no-result");
    none["operationName"] = json!("Microsoft.Resourcehealth/healthevent/Updated/action");
    none["resultType"] = json!("Updated");
    assert!(matches!(only(&none).event, Event::OtherActivity(_)), "nobody reads it, so its result is nobody's matter");
}

#[test]
fn what_no_rule_reads_is_kept_by_its_operation() {
    for operation in [
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Authorization/roleDefinitions/write",
        "Microsoft.Authorization/locks/delete",
        "Microsoft.Authorization/elevateAccess/action",
        "Microsoft.Resources/subscriptions/resourceGroups/delete",
        "SecretGet",
    ] {
        let mut record = write("Started", Value::Null);
        record["operationName"] = json!({"value": operation, "localizedValue": "Shown"});
        let Event::OtherActivity(other) = only(&record).event else { panic!("{operation} is read") };
        assert_eq!(&*other.operation, operation.to_lowercase());
    }
}

#[test]
fn nothing_but_operation_and_time_is_required() {
    let bare = json!({"operationName": "Microsoft.Web/sites/write", "time": "2022-03-01 08:00:00"});
    assert!(matches!(only(&bare).event, Event::OtherActivity(_)));
    for (field, code) in [("operationName", "R-no-operation"), ("eventTimestamp", "R-no-time")] {
        let mut record = write("Succeeded", Value::Null);
        record[field] = Value::Null;
        assert_eq!(refused(&record), code);
    }
    let mut blanks = write("Succeeded", Value::Null);
    blanks["eventTimestamp"] = json!("2021-02-04T07: 45: 44.5864815Z");
    assert_eq!(refused(&blanks), "R-bad-time");
    let mut without_id = write("Succeeded", Value::Null);
    without_id["resourceId"] = Value::Null;
    assert_eq!(refused(&without_id), "R-no-resource");
    without_id["id"] = json!(format!("{}/events/e7/ticks/637", resource()));
    assert_eq!(activity(&without_id).assignment, guid(GRANT), "the event's own id names the resource");
    let mut lonely = write("Succeeded", Value::Null);
    lonely["correlationId"] = json!("");
    assert_eq!(activity(&lonely).correlation, None);
}

#[test]
fn odd_resource_ids_are_read_or_refused_whole() {
    let with = |path: String| {
        let mut record = write("Succeeded", Value::Null);
        record["resourceId"] = json!(path);
        record
    };
    let plain = activity(&with(resource()));
    for path in [
        format!("{}/", resource()),
        resource().trim_start_matches('/').to_owned(),
        resource().replace("/providers/", "//PROVIDERS///"),
        resource().to_uppercase(),
    ] {
        let odd = activity(&with(path.clone()));
        assert_eq!((odd.assignment, odd.scope), (plain.assignment, plain.scope.clone()), "{path}");
    }
    let root = activity(&with(format!("/providers/Microsoft.Authorization/roleAssignments/{GRANT}")));
    assert_eq!(root.scope.as_str(), "/");
    let group = "/providers/Microsoft.Management/managementGroups/mg-1";
    let above = activity(&with(format!("{group}/providers/Microsoft.Authorization/roleAssignments/{GRANT}")));
    assert_eq!(above.scope.as_str(), group.to_lowercase());
    for path in [SUB.to_owned(), format!("{}x", resource()), "foo/bar".to_owned(), format!("{SUB}/providers/////")] {
        assert_eq!(refused(&with(path.clone())), "R-bad-resource", "{path}");
    }
}

#[test]
fn every_shape_of_delivery_gives_every_record() {
    let one = event_hub("Start", "Started.");
    let other = event_hub("Success", "Succeeded.");
    let shapes = [
        json!({"records": [one, other]}),
        json!([{"records": [one]}, {"records": [other]}]),
        json!([one, other]),
        json!([one.to_string(), other.to_string()]),
        json!([json!({"records": [one, other]}).to_string()]),
        json!({"value": [one, other], "nextLink": "https://example.invalid"}),
        json!({"records": [one, other.to_string()]}),
    ];
    let expected = items(&shapes[0]);
    for shape in shapes {
        assert_eq!(items(&shape), expected, "{shape}");
    }
}

#[test]
fn a_broken_piece_never_takes_its_neighbours_with_it() {
    let one = event_hub("Start", "Started.");
    let cut = one.to_string().chars().take(40).collect::<String>();
    let mixed = json!({"records": [one, cut, 7, null, {"hello": "there"}, [], {"specversion": "1.0"}, one]});
    let items = items(&mixed);
    let codes: Vec<&str> =
        items.iter().map(|item| item.as_ref().map_or_else(|refused| refused.code, |_| "fact")).collect();
    let expected = [
        "fact",
        "R-broken-record",
        "R-not-a-record",
        "R-not-a-record",
        "R-not-a-record",
        "R-not-a-record",
        "R-mixed-batch",
        "fact",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn what_is_not_azures_is_left_to_others() {
    for value in [json!({"hello": "there"}), json!([1, 2]), json!("text"), json!(null), json!({"value": [{"a": 1}]})] {
        assert_eq!(decode_value(Stream::Access, value.to_string().as_bytes()), None, "{value}");
    }
    assert_eq!(decode_value(Stream::Access, b"{broken"), None);
    let batch = json!({"records": [event_hub("Start", "Started."), event_hub("Start", "Started.")]});
    let elsewhere = decode_value(Stream::Usage, batch.to_string().as_bytes()).unwrap();
    assert!(elsewhere.iter().all(|item| item.as_ref().unwrap_err().code == "R-wrong-topic"));
    assert_eq!(elsewhere.len(), 2);
}

#[test]
fn an_event_grid_event_carries_no_body_in_either_schema() {
    let data = json!({"correlationId": CORRELATION, "resourceUri": resource(), "status": "Succeeded",
        "operationName": "Microsoft.Authorization/roleAssignments/delete"});
    let grid = json!({"subject": resource(), "eventType": "Microsoft.Resources.ResourceDeleteSuccess",
        "eventTime": "2022-03-01T08:00:01Z", "id": "x", "topic": SUB, "data": data});
    let kind = "Microsoft.Resources.ResourceDeleteSuccess";
    let bytes = data.to_string();
    let cloud =
        decode_event(Stream::Access, kind, Some(&resource()), Some("2022-03-01T08:00:01Z"), bytes.as_bytes()).unwrap();
    assert_eq!(cloud, [Ok(only(&grid))]);
    let removed = activity(&grid);
    assert_eq!((removed.result, removed.facts), (ActivityResult::Succeeded, None));
    let mut failed = grid.clone();
    failed["eventType"] = json!("Microsoft.Resources.ResourceDeleteFailure");
    assert_eq!(refused(&failed), "R-contradictory-result", "the type says one thing, the data another");
    failed["data"]["status"] = Value::Null;
    assert_eq!(activity(&failed).result, ActivityResult::Failed);
}

/// An element whose bytes lie in an envelope of a forwarder's own.
#[test]
fn records_may_lie_in_a_cloud_event_of_any_name() {
    let batch = json!({"records": [event_hub("Start", "Started.")]}).to_string();
    let items = decode_event(Stream::Access, "com.example.forwarded", None, None, batch.as_bytes()).unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(decode_event(Stream::Access, "com.example.other", None, None, b"{\"a\":1}"), None);
}

/// The list is what people look codes up in: each one stands in the source, and no other does.
#[test]
fn every_code_is_listed_and_used() {
    let sources = [
        include_str!("assignments.rs"),
        include_str!("delegations.rs"),
        include_str!("estate.rs"),
        include_str!("reading.rs"),
        include_str!("schedules.rs"),
        include_str!("shapes.rs"),
    ];
    let all = sources.concat() + "\"R-wrong-topic\"";
    for code in REJECTIONS {
        assert!(all.contains(&format!("\"{code}\"")), "{code} is listed and never used");
    }
    for used in all.split("\"R-").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(REJECTIONS.contains(&&*format!("R-{used}")), "R-{used} is used and not listed");
    }
}
