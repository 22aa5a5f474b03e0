//! Access as Azure tells it: batches of Activity Log records from Event Hubs, and links of
//! identities to PartnerIDs.

use chrono::TimeDelta;
use domain::entry::{Event, PalLinked, Stream};
use domain::ids::Guid;
use domain::period::Instant;
use journal::wire::Message;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::incidents;
use super::reference;
use super::world::{Aobo, Customer, Partner, Subscription, World, guid};

/// Built-in roles by their ids.
pub const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
pub const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
pub const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// The grants that stood before the month, then the changes of the month in order of time.
#[must_use]
pub fn messages(world: &World) -> Vec<Message> {
    let mut rng = ChaCha8Rng::seed_from_u64(world.seed ^ 0x6163_6365_7373);
    let mut out: Vec<Message> = world
        .customers
        .iter()
        .flat_map(|customer| customer.subscriptions.iter().map(move |subscription| (customer, subscription)))
        .filter_map(|(customer, subscription)| Some((customer, subscription, subscription.aobo?)))
        .map(|(customer, subscription, aobo)| {
            let partner = aobo_partner(world, customer, aobo);
            let grant = Grant::at_subscription(subscription, guid(&mut rng), partner.admin_agents, OWNER);
            grant.written(world.dawn() + TimeDelta::seconds(3), &mut rng)
        })
        .collect();
    if world.size.access_changes == 0 {
        out.extend(incidents::access(world, &mut rng));
    }
    out.extend(comings_and_goings(world, &mut rng));
    out
}

fn aobo_partner<'w>(world: &'w World, customer: &Customer, aobo: Aobo) -> &'w Partner {
    match (aobo, customer.reseller) {
        (Aobo::Reseller, Some(reseller)) => &world.resellers[reseller],
        _ => &world.provider,
    }
}

/// Engineers of the provider who gain and lose Contributor on resource groups, the second change
/// of a pair taking back what the first one gave.
fn comings_and_goings(world: &World, rng: &mut ChaCha8Rng) -> Vec<Message> {
    let month = world.period.interval();
    let seconds = (month.to - month.from).num_seconds();
    let mut out = Vec::with_capacity(world.size.access_changes as usize);
    let mut held: Option<(Grant, Instant)> = None;
    for _ in 0..world.size.access_changes {
        out.push(match held.take() {
            Some((grant, since)) => grant.deleted(since + TimeDelta::seconds(rng.random_range(60..200_000)), rng),
            None => {
                let resource = &world.resources[rng.random_range(0..world.resources.len())];
                let scope = resource.scope().resource_group().expect("every resource of a world lies in a group");
                let at = month.from + TimeDelta::seconds(rng.random_range(0..seconds));
                let grant = Grant {
                    assignment: guid(rng),
                    scope: scope.to_string(),
                    principal: world.provider.engineer,
                    principal_type: "User",
                    role: CONTRIBUTOR,
                };
                let message = grant.written(at, rng);
                held = Some((grant, at));
                message
            }
        });
    }
    out
}

/// One role assignment.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub assignment: Guid,
    pub scope: String,
    pub principal: Guid,
    pub principal_type: &'static str,
    pub role: &'static str,
}

impl Grant {
    pub(super) fn at_subscription(
        subscription: &Subscription,
        assignment: Guid,
        principal: Guid,
        role: &'static str,
    ) -> Self {
        let scope = format!("/subscriptions/{}", subscription.id);
        Self { assignment, scope, principal, principal_type: "ForeignGroup", role }
    }

    /// The pair of records that Azure writes for a grant: what was asked, then that it was done.
    pub(super) fn written(&self, at: Instant, rng: &mut ChaCha8Rng) -> Message {
        let body = json!({"Id": self.assignment.to_string(), "Properties": {
            "PrincipalId": self.principal.to_string(), "PrincipalType": self.principal_type,
            "RoleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{}", self.role),
            "Scope": self.scope}});
        let correlation = guid(rng);
        let started = self.record("write", "Start", at - TimeDelta::milliseconds(1_600), correlation);
        let succeeded = self.record("write", "Success", at, correlation);
        batch([with(started, "requestbody", &body), with_text(succeeded, "statusCode", "Created")])
    }

    /// The pair of records of a removal; the answer carries what was removed.
    pub(super) fn deleted(&self, at: Instant, rng: &mut ChaCha8Rng) -> Message {
        let subscription = self.scope.split('/').nth(2).expect("every scope here lies in a subscription");
        let role =
            format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{}", self.role);
        let body = json!({"properties": {"roleDefinitionId": role, "principalId": self.principal.to_string(),
            "principalType": self.principal_type, "scope": self.scope},
            "id": format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", self.scope, self.assignment),
            "name": self.assignment.to_string()});
        let correlation = guid(rng);
        let started = self.record("delete", "Start", at - TimeDelta::milliseconds(900), correlation);
        let succeeded = self.record("delete", "Success", at, correlation);
        let succeeded = with_text(with(succeeded, "responseBody", &body), "statusCode", "OK");
        batch([started, succeeded])
    }

    fn record(&self, verb: &str, result: &str, at: Instant, correlation: Guid) -> Value {
        let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", self.scope, self.assignment);
        json!({
            "time": at.format("%Y-%m-%dT%H:%M:%S%.6f0Z").to_string(),
            "resourceId": id.to_uppercase(),
            "operationName": format!("MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/{}", verb.to_uppercase()),
            "category": "Administrative",
            "resultType": result,
            "resultSignature": if result == "Start" { "Started." } else { "Succeeded." },
            "durationMs": "0",
            "correlationId": correlation.to_string(),
            "level": "Information",
            "properties": {"eventCategory": "Administrative", "entity": id},
        })
    }
}

/// Puts a body in, as text, the way Azure does.
fn with(record: Value, name: &str, body: &Value) -> Value {
    with_text(record, name, &body.to_string())
}

fn with_text(mut record: Value, name: &str, text: &str) -> Value {
    record["properties"][name] = Value::from(text);
    record
}

fn batch<const N: usize>(records: [Value; N]) -> Message {
    let value = json!({"records": records.as_slice()}).to_string().into_bytes();
    Message { stream: Stream::Access, key: None, headers: Vec::new(), value: Some(value) }
}

/// An engineer's identity linked to a PartnerID in a customer's tenant.
pub(super) fn pal(world: &World, customer: &Customer, partner: &Partner, at: Instant) -> Message {
    let linked = PalLinked {
        principal: partner.engineer,
        tenant: customer.tenant,
        partner_id: partner.partner_id.as_str().into(),
        at,
    };
    reference::message(world, &format!("pal-{}-{}", customer.tenant, at.timestamp()), &Event::PalLinked(linked))
}
