//! Lighthouse: `Microsoft.ManagedServices/registration{Assignments,Definitions}`, and the managing
//! tenant's own `Microsoft.Resources/tenants/{register,unregister}/action`.
//!
//! A delegation is in force once its write has succeeded (`Accepted` is not the effect), and what
//! it grants stands in its definition alone. A record that states both becomes a fact; a success
//! that names only one of them is refused by name, so that somebody states the whole. The shapes of
//! the ARM objects are recorded ones; that activity records embed them is not, and is synthetic.

use domain::entry::{ActivityResult, Authorization, Delegation, DelegationDeleted, Event};
use domain::ids::Guid;
use serde_json::Value;

use super::assignments::{split_id, split_path};
use super::fields::{Object, document, document_of, field, last_guid, word_of};
use super::reading::{Reading, shown};
use crate::wire::Rejection;

const NAMESPACE: &str = "microsoft.managedservices";
const ASSIGNMENTS: &str = "registrationassignments";

/// The event of a Lighthouse record; `None` for every other operation.
pub(super) fn read(reading: &Reading<'_>) -> Option<Result<Event, Rejection>> {
    let read = match reading.operation.as_str() {
        "microsoft.managedservices/registrationassignments/write" => assignment_written,
        "microsoft.managedservices/registrationassignments/delete" => assignment_deleted,
        "microsoft.managedservices/registrationdefinitions/write" => definition_written,
        "microsoft.resources/tenants/register/action" => tenant_registered,
        "microsoft.resources/tenants/unregister/action" => tenant_unregistered,
        _ => return None,
    };
    Some(match reading.known_result() {
        Ok(ActivityResult::Succeeded) => read(reading),
        Ok(_) => Ok(super::other(reading)),
        Err(rejection) => Err(rejection),
    })
}

fn assignment_written(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let (scope, delegation) = split_id(reading, NAMESPACE, ASSIGNMENTS)?;
    let stated = reading.properties.as_deref().and_then(stated_definition);
    let (managing_tenant, marketplace_offer, authorizations) = stated.ok_or_else(|| Rejection {
        code: "R-delegation-incomplete",
        detail: format!(
            "delegation {delegation} is in force from {}, but the record does not carry its definition; state the whole \
             in a `pec.delegation.created.v1` event",
            reading.at
        ),
    })?;
    let at = reading.at_millis();
    Ok(Event::DelegationChanged(Delegation {
        delegation,
        scope,
        managing_tenant,
        marketplace_offer,
        authorizations,
        at,
    }))
}

fn assignment_deleted(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let (scope, delegation) = split_id(reading, NAMESPACE, ASSIGNMENTS)?;
    Ok(Event::DelegationDeleted(DelegationDeleted { delegation, scope, at: reading.at_millis() }))
}

/// A definition grants nothing until it is assigned, but changing one that is assigned does, and
/// the record cannot say whether it is.
fn definition_written(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let resource = reading.resource.as_deref().unwrap_or_default();
    let detail = format!(
        "the definition `{}` was written at {}; if a delegation uses it, state the delegation whole in a \
         `pec.delegation.updated.v1` event",
        shown(resource),
        reading.at
    );
    Err(Rejection { code: "R-definition-alone", detail })
}

fn tenant_registered(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let what = reading.description.as_deref().unwrap_or("nothing");
    let detail = format!(
        "the managing tenant's record of {} names a delegation but not what it grants ({}); state the whole in a \
         `pec.delegation.created.v1` event",
        reading.at,
        shown(what)
    );
    Err(Rejection { code: "R-delegation-incomplete", detail })
}

/// The managing tenant learns of an end of delegation with the delegation's full resource id.
fn tenant_unregistered(reading: &Reading<'_>) -> Result<Event, Rejection> {
    let description = reading.description.as_deref().map(|text| Value::String(text.to_owned()));
    let object = description.as_ref().and_then(document);
    let path = object.as_deref().and_then(|object| word_of(object, &["delegationresourceid"]));
    let split = path.as_deref().and_then(|path| split_path(path, NAMESPACE, ASSIGNMENTS));
    let (scope, delegation) = split.ok_or_else(|| Rejection {
        code: "R-delegation-incomplete",
        detail: format!("a delegation ended at {}, but the description does not name its resource id", reading.at),
    })?;
    Ok(Event::DelegationDeleted(DelegationDeleted { delegation, scope, at: reading.at_millis() }))
}

/// The definition that a response (or, failing that, a request) expands inside the assignment.
fn stated_definition(properties: &Object) -> Option<(Guid, bool, Vec<Authorization>)> {
    [["responsebody"], ["requestbody"]].iter().find_map(|names| {
        let body = document_of(properties, names)?;
        let assignment = document_of(&body, &["properties"])?;
        definition(&*document_of(&assignment, &["registrationdefinition"])?)
    })
}

/// Reads a definition whole: one entry that cannot be read makes all of it unknown.
fn definition(definition: &Object) -> Option<(Guid, bool, Vec<Authorization>)> {
    let inner = document_of(definition, &["properties"])?;
    let managing_tenant = word_of(&inner, &["managedbytenantid"]).and_then(|text| Guid::parse(&text))?;
    let standing = authorizations(field(&inner, "authorizations")?, false)?;
    let eligible = match field(&inner, "eligibleauthorizations") {
        Some(list) => authorizations(list, true)?,
        None => Vec::new(),
    };
    let mut all: Vec<Authorization> = standing.into_iter().chain(eligible).collect();
    all.sort();
    Some((managing_tenant, field(definition, "plan").is_some(), all))
}

fn authorizations(list: &Value, eligible_only: bool) -> Option<Vec<Authorization>> {
    let read = |item: &Value| {
        let item = item.as_object()?;
        let principal = last_guid(item, "principalid")?;
        Some(Authorization { principal, role: last_guid(item, "roledefinitionid")?, eligible_only })
    };
    list.as_array()?.iter().map(read).collect()
}
