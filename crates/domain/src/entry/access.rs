//! Access: who was given or lost which role where, in Azure's own records and in our canonical forms.

use crate::ids::Guid;
use crate::period::Instant;
use crate::scope::Scope;

/// What a grant says. Type of principal is often unknown; role is the last segment of whatever
/// form the role definition id came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantFacts {
    pub principal: Guid,
    pub principal_type: Option<Box<str>>,
    pub role: Guid,
    pub condition: Option<Box<str>>,
}

/// Canonical form: a role assignment exists from `at`.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentCreated {
    pub assignment: Guid,
    pub scope: Scope,
    pub facts: GrantFacts,
    pub at: Instant,
}

/// Canonical form: a role assignment is gone from `at`.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentDeleted {
    pub assignment: Guid,
    pub scope: Scope,
    pub at: Instant,
}

/// What a listing of role assignments showed at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentsListed {
    pub scope: Scope,
    pub at: Instant,
    /// Whether every assignment at or below the scope is listed (once all parts are in).
    pub complete: bool,
    /// A listing in parts is in force only when all are known.
    pub part: Part,
    pub assignments: Vec<ListedAssignment>,
}

/// Which part of a message that did not fit one Kafka message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Names the whole.
    pub of: Box<str>,
    /// Counted from 0.
    pub number: u32,
    pub count: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListedAssignment {
    pub assignment: Guid,
    pub scope: Scope,
    pub facts: GrantFacts,
    pub created_at: Option<Instant>,
}

/// Azure Lighthouse: a customer's scope delegated to a managing tenant. Updates state the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Delegation {
    pub delegation: Guid,
    pub scope: Scope,
    pub managing_tenant: Guid,
    /// From a Marketplace managed-service offer (association is automatic) rather than a template.
    pub marketplace_offer: bool,
    pub authorizations: Vec<Authorization>,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Authorization {
    pub principal: Guid,
    pub role: Guid,
    /// Just-in-time only: never counts as access.
    pub eligible_only: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DelegationDeleted {
    pub delegation: Guid,
    pub scope: Scope,
    pub at: Instant,
}

/// Privileged Identity Management: a role held for a stated time. Active, not merely eligible,
/// when `eligible_only` is false.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub schedule: Guid,
    pub scope: Scope,
    pub principal: Guid,
    pub principal_type: Option<Box<str>>,
    pub role: Guid,
    pub eligible_only: bool,
    pub start: Instant,
    /// Absent: no expiration.
    pub end: Option<Instant>,
    /// When the record says it was provisioned; access begins at the later of the two.
    pub provisioned_at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleCancelled {
    pub schedule: Guid,
    pub scope: Scope,
    pub at: Instant,
}

/// Partner Admin Link: an identity tied, in one tenant, to a location PartnerID.
#[derive(Clone, Debug, PartialEq)]
pub struct PalLinked {
    pub principal: Guid,
    pub tenant: Guid,
    pub partner_id: Box<str>,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PalUnlinked {
    pub principal: Guid,
    pub tenant: Guid,
    pub at: Instant,
}

/// One record of Azure's own log about one role assignment. Grants need a Started record (facts)
/// and a Succeeded one (time); pairing is recomputed from the set of all records.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentActivity {
    pub operation: ActivityOperation,
    pub assignment: Guid,
    /// From the record's resource id, never from its body.
    pub scope: Scope,
    /// Absent in some pipelines; then the record pairs with nothing.
    pub correlation: Option<Box<str>>,
    /// Where the channel carries it (REST does, Event Hubs does not).
    pub operation_id: Option<Box<str>>,
    pub result: ActivityResult,
    /// What a body states: request of a write, response of a delete, properties of a cascade.
    pub facts: Option<GrantFacts>,
    /// The scope that the body states; a difference to `scope` is a finding.
    pub stated_scope: Option<Scope>,
    /// From a removal's body; proves a life that began before our log.
    pub created_at: Option<Instant>,
    /// The removal came with the deletion of its resource group.
    pub cascade: bool,
    pub at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ActivityOperation {
    Write,
    Delete,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ActivityResult {
    Started,
    Accepted,
    Succeeded,
    /// A delete that found nothing: changes nothing.
    NoContent,
    Failed,
}

/// A deny assignment: what it names is refused to its principals, whatever their roles say.
#[derive(Clone, Debug, PartialEq)]
pub struct DenyAssignment {
    pub deny: Guid,
    pub scope: Scope,
    /// Users, service principals, groups; the GUID of zeros is everybody.
    pub principals: Vec<Guid>,
    pub excluded: Vec<Guid>,
    /// `*`, `*/write`, `Microsoft.Compute/virtualMachines/*` …; data actions are no part of this.
    pub actions: Vec<Box<str>>,
    pub not_actions: Vec<Box<str>>,
    /// It holds at its scope and not below it.
    pub only_there: bool,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DenyAssignmentDeleted {
    pub deny: Guid,
    pub scope: Scope,
    pub at: Instant,
}

/// A user, service principal or group became a member of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMemberAdded {
    pub group: Guid,
    pub member: Guid,
    pub at: Instant,
    /// Where the membership is for a stated time.
    pub until: Option<Instant>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GroupMemberRemoved {
    pub group: Guid,
    pub member: Guid,
    pub at: Instant,
}

/// A user, service principal or group is gone from its directory; its role assignments stay behind.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalDeleted {
    pub principal: Guid,
    pub at: Instant,
}

/// A resource, resource group or subscription began to exist or ceased to.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeChange {
    pub scope: Scope,
    pub at: Instant,
}

/// A resource, or all that a resource group holds, has another id from `at` on.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeMoved {
    pub from: Scope,
    pub to: Scope,
    pub at: Instant,
}

/// One of Azure's own records of a move: what moves where stands in the request, when in the result.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveActivity {
    /// The resource group that is moved out of.
    pub group: Scope,
    pub correlation: Option<Box<str>>,
    pub result: ActivityResult,
    /// Empty where the record does not say.
    pub resources: Vec<Scope>,
    pub target: Option<Scope>,
    pub at: Instant,
}

/// A subscription moved to another directory. Azure takes every role assignment away with it.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionMoved {
    pub subscription: Guid,
    pub to_tenant: Guid,
    pub at: Instant,
}

/// A subscription or management group stands below this management group from `at` on.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeChange {
    pub child: Scope,
    /// Absent: below none that is told, which leaves the tenant's root group.
    pub parent: Option<Scope>,
    /// It left this parent; says nothing where it stands below another one by then.
    pub left: Option<Scope>,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OtherActivity {
    /// Lower case, for example `microsoft.compute/virtualmachines/write`.
    pub operation: Box<str>,
    pub at: Instant,
}
