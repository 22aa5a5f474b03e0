//! Records about role assignments: `Microsoft.Authorization/roleAssignments/{write,delete}`.
//!
//! Scope and id come from the resource id alone; a body only confirms. Grants state their facts in
//! the request of the Started record, removals in the response of the Succeeded one, and those of
//! a deleted resource group in the properties themselves. `identity…evidence` describes the
//! caller's own authority and is never read as a grant.

use domain::entry::{ActivityOperation, ActivityResult, AssignmentActivity, Event, GrantFacts};
use domain::ids::Guid;
use domain::scope::Scope;

use super::fields::{Object, document_of, last_guid, word_of};
use super::reading::{Reading, shown};
use super::time;
use crate::wire::Rejection;

const WRITE: &str = "microsoft.authorization/roleassignments/write";
const DELETE: &str = "microsoft.authorization/roleassignments/delete";
const GROUP_DELETE: &str = "microsoft.resources/subscriptions/resourcegroups/delete";
const GROUP: &str = "microsoft.resources/subscriptions/resourcegroups";

/// The event of a role-assignment record; `None` for every other operation.
pub(super) fn read(reading: &Reading<'_>) -> Option<Result<Event, Rejection>> {
    let operation = match reading.operation.as_str() {
        WRITE => ActivityOperation::Write,
        DELETE => ActivityOperation::Delete,
        _ => return None,
    };
    Some(activity(reading, operation).map(Event::AssignmentActivity))
}

fn activity(reading: &Reading<'_>, operation: ActivityOperation) -> Result<AssignmentActivity, Rejection> {
    let (scope, assignment) = split_id(reading, "microsoft.authorization", "roleassignments")?;
    let known = reading.known_result()?;
    let nothing_there =
        operation == ActivityOperation::Delete && known == ActivityResult::Succeeded && reading.no_content;
    let stated = stated(reading, operation);
    Ok(AssignmentActivity {
        operation,
        assignment,
        scope,
        correlation: reading.correlation.clone(),
        operation_id: reading.operation_id.clone(),
        result: if nothing_there { ActivityResult::NoContent } else { known },
        facts: stated.facts,
        stated_scope: stated.scope,
        created_at: stated.created_at,
        cascade: operation == ActivityOperation::Delete && with_its_group(reading),
        at: reading.at,
    })
}

/// Splits `{scope}/providers/{namespace}/{type}/{guid}`, whatever its case and slashes.
pub(super) fn split_id(reading: &Reading<'_>, namespace: &str, kind: &str) -> Result<(Scope, Guid), Rejection> {
    let text = reading.resource.as_deref().ok_or_else(|| Rejection {
        code: "R-no-resource",
        detail: format!("{}: the record names no resource id, which alone states scope and id", reading.operation),
    })?;
    split_path(text, namespace, kind).ok_or_else(|| Rejection {
        code: "R-bad-resource",
        detail: format!("{}: `{}` is not the id of one of {kind}", reading.operation, shown(text)),
    })
}

/// The scope before the last `/providers/{namespace}/{type}/` of a path, and the GUID behind it.
pub(super) fn split_path(path: &str, namespace: &str, kind: &str) -> Option<(Scope, Guid)> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.trim().is_empty()).collect();
    let (scope, tail) = segments.split_at_checked(segments.len().checked_sub(4)?)?;
    let [providers, provider, resource_type, id] = tail else { return None };
    let fits = providers.eq_ignore_ascii_case("providers")
        && provider.eq_ignore_ascii_case(namespace)
        && resource_type.eq_ignore_ascii_case(kind);
    let id = Guid::parse(id).filter(|_| fits)?;
    let scope: String = scope.iter().flat_map(|segment| ["/", segment]).collect();
    Some((Scope::parse(&scope), id))
}

/// What the bodies of a record state.
#[derive(Default)]
struct Stated {
    facts: Option<GrantFacts>,
    scope: Option<Scope>,
    created_at: Option<domain::period::Instant>,
}

fn stated(reading: &Reading<'_>, operation: ActivityOperation) -> Stated {
    let Some(properties) = reading.properties.as_deref() else { return Stated::default() };
    let bodies: [&[&str]; 2] = match operation {
        ActivityOperation::Write => [&["responsebody"], &["requestbody"]],
        ActivityOperation::Delete => [&["responsebody"], &[]],
    };
    for names in bodies {
        if let Some(body) = document_of(properties, names) {
            let inner = document_of(&body, &["properties"]);
            let stated = stated_in(inner.as_deref().unwrap_or(&body), operation);
            if stated.facts.is_some() {
                return stated;
            }
        }
    }
    match operation {
        ActivityOperation::Delete => stated_in(properties, operation),
        ActivityOperation::Write => Stated::default(),
    }
}

fn stated_in(body: &Object, operation: ActivityOperation) -> Stated {
    let text = |name| word_of(body, &[name]).map(|word| Box::from(&*word));
    let facts = match (last_guid(body, "principalid"), last_guid(body, "roledefinitionid")) {
        (Some(principal), Some(role)) => {
            Some(GrantFacts { principal, principal_type: text("principaltype"), role, condition: text("condition") })
        }
        // Half a grant is none; the record still counts as what happened when.
        _ => None,
    };
    let created_at = match operation {
        ActivityOperation::Delete => word_of(body, &["createdon"]).and_then(|text| time::parse(&text)),
        ActivityOperation::Write => None,
    };
    Stated { facts, scope: word_of(body, &["scope"]).map(|text| Scope::parse(&text)), created_at }
}

/// Whether a removal came with the deletion of its resource group: the caller asked for that, or,
/// where the record does not say what was asked for, its resource type names the group.
fn with_its_group(reading: &Reading<'_>) -> bool {
    match reading.action.as_deref() {
        Some(action) => action == GROUP_DELETE,
        None => reading.resource_type.as_deref() == Some(GROUP),
    }
}
