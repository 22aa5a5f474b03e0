//! Words for Azure's own records: of role assignments, of deleted groups, of moves. Those of one
//! operation share `of=`.

use anyhow::{Context as _, bail};
use domain::ids::Guid;
use serde_json::{Value, json};

use crate::scenario::azure::{self, Record};
use crate::scenario::reading::Line;
use crate::scenario::stage::guid;

pub(super) const WORDS: &[&str] = &[
    "azure-begins",
    "azure-writes",
    "azure-fails",
    "azure-removes",
    "azure-cascades",
    "azure-deletes",
    "azure-asks",
    "azure-moves",
];

impl Line<'_> {
    pub(super) fn azure_record(&self, what: &str) -> anyhow::Result<Value> {
        if matches!(what, "deletes" | "asks" | "moves") {
            return self.of_a_place(what);
        }
        let (facts, scope) = (self.facts()?, self.names.place(self.column(0, "a scope")?)?);
        let assignment = self.assignment_id()?;
        let stated = self.named.get("stating").map(|name| self.names.place(name)).transpose()?;
        let stated = stated.unwrap_or_else(|| scope.clone());
        let mut body = azure::body(facts.principal, facts.role, &stated);
        if let Some(created) = self.time("created")? {
            body["createdOn"] = Value::from(created.to_rfc3339());
        }
        let (what, result, properties) = match what {
            "begins" => ("write", "Start", azure::requested(assignment, &body)),
            "writes" => ("write", "Success", json!({ "statusCode": "Created" })),
            "fails" => ("write", "Failure", json!({ "statusCode": "Conflict" })),
            "removes" => ("delete", "Success", azure::removed(assignment, &body)),
            "cascades" => ("delete", "Success", body.clone()),
            other => bail!("nobody knows the word `azure-{other}`; docs/scenarios.md lists those there are"),
        };
        let (correlation, at) = (self.correlation(), self.at);
        let cascade = self.what == "azure-cascades";
        let mut record =
            azure::record(&Record { assignment, scope: &scope, what, result, correlation, at }, &properties);
        if cascade {
            // What was asked for was the deletion of the group.
            let action = "Microsoft.Resources/subscriptions/resourcegroups/delete";
            record["identity"] = json!({ "authorization": { "action": action, "scope": scope.as_str() } });
        }
        Ok(record)
    }

    fn correlation(&self) -> Guid {
        self.named.get("of").map_or_else(|| guid(&self.number.to_string()), |name| guid(name))
    }

    /// A group is deleted; a resource is asked to move to a group; what was asked is done.
    fn of_a_place(&self, what: &str) -> anyhow::Result<Value> {
        let place = self.names.place(self.column(0, "a place")?)?;
        let group = place.resource_group().context("that lies in no resource group")?;
        let operation = if what == "deletes" { "delete" } else { "moveResources/action" };
        let (result, properties) = if what == "asks" {
            let target = self.names.place(self.column(1, "the group to move to")?)?;
            let body = json!({ "resources": [place.as_str()], "targetResourceGroup": target.as_str() });
            ("Start", json!({ "requestbody": body.to_string() }))
        } else {
            ("Success", json!({ "statusCode": "OK" }))
        };
        Ok(json!({
            "time": self.at.format("%Y-%m-%dT%H:%M:%S.0000000Z").to_string(),
            "resourceId": group.as_str().to_uppercase(),
            "operationName": format!("Microsoft.Resources/subscriptions/resourceGroups/{operation}").to_uppercase(),
            "category": "Administrative",
            "resultType": result,
            "correlationId": self.correlation().to_string(),
            "properties": properties,
        }))
    }
}
