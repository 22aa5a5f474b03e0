//! Records written anew in the shapes that Azure's channels really send, with invented ids.

use domain::entry::{ActivityOperation, ActivityResult, AssignmentActivity, Event, Fact, Stream};
use domain::ids::Guid;
use serde_json::{Value, json};

use super::{Items, decode_event, decode_value};

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
