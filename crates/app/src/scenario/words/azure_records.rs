//! Words for Azure's own records of role assignments; those of one write share `of=`.

use anyhow::bail;
use serde_json::{Value, json};

use crate::scenario::azure::{self, Record};
use crate::scenario::reading::Line;
use crate::scenario::stage::{guid, scope};

pub(super) const WORDS: &[&str] = &["azure-begins", "azure-writes", "azure-fails", "azure-removes"];

impl Line<'_> {
    pub(super) fn azure_record(&self, what: &str) -> anyhow::Result<Value> {
        let (facts, scope) = (self.facts()?, scope(self.column(0, "a scope")?)?);
        let assignment = self.assignment_id()?;
        let mut body = azure::body(facts.principal, facts.role, &scope);
        if let Some(created) = self.time("created")? {
            body["createdOn"] = Value::from(created.to_rfc3339());
        }
        let (what, result, properties) = match what {
            "begins" => ("write", "Start", azure::requested(assignment, &body)),
            "writes" => ("write", "Success", json!({ "statusCode": "Created" })),
            "fails" => ("write", "Failure", json!({ "statusCode": "Conflict" })),
            "removes" => ("delete", "Success", azure::removed(assignment, &body)),
            other => bail!("nobody knows the word `azure-{other}`; docs/scenarios.md lists those there are"),
        };
        let correlation = self.named.get("of").map_or_else(|| guid(&self.number.to_string()), |name| guid(name));
        let at = self.at;
        Ok(azure::record(&Record { assignment, scope: &scope, what, result, correlation, at }, &properties))
    }
}
