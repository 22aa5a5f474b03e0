//! Azure's own records of role assignments, as a diagnostic setting sends them to Event Hubs.
//!
//! Upper case, seven decimals, bodies as JSON text: the shape of the channel, with invented ids.

use domain::ids::Guid;
use domain::period::Instant;
use domain::scope::Scope;
use serde_json::{Value, json};

/// What a record says apart from its bodies.
pub struct Record<'a> {
    pub assignment: Guid,
    pub scope: &'a Scope,
    /// `write` or `delete`.
    pub what: &'a str,
    /// `Start`, `Success` or `Failure`.
    pub result: &'a str,
    pub correlation: Guid,
    pub at: Instant,
}

pub fn record(said: &Record<'_>, properties: &Value) -> Value {
    let root = said.scope.as_str().trim_end_matches('/');
    let resource = format!("{root}/providers/Microsoft.Authorization/roleAssignments/{}", said.assignment);
    json!({
        "time": said.at.format("%Y-%m-%dT%H:%M:%S.0000000Z").to_string(),
        "resourceId": resource.to_uppercase(),
        "operationName": format!("Microsoft.Authorization/roleAssignments/{}", said.what).to_uppercase(),
        "category": "Administrative",
        "resultType": said.result,
        "correlationId": said.correlation.to_string(),
        "properties": properties,
    })
}

/// What a body says about an assignment.
pub fn body(principal: Guid, role: Guid, scope: &Scope) -> Value {
    json!({
        "principalId": principal.to_string(),
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "scope": scope.as_str(),
    })
}

/// The properties of a write's first record.
pub fn requested(assignment: Guid, body: &Value) -> Value {
    json!({ "requestbody": json!({ "Id": assignment.simple(), "Properties": body }).to_string() })
}

/// The properties of a removal's record.
pub fn removed(assignment: Guid, body: &Value) -> Value {
    json!({ "responseBody": json!({ "properties": body, "name": assignment.to_string() }).to_string() })
}
