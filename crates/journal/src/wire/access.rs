//! Access: who held what, in the kinds of our own. Azure's own records are read by `activity`.
//!
//! The forms here are flat: a grant's facts stand beside its id and scope, with the names Azure
//! itself uses. Activity facts have a form too, for their content digest alone; no topic carries
//! them in this notation.

use domain::entry::{
    ActivityOperation, ActivityResult, AssignmentActivity, AssignmentCreated, AssignmentDeleted, AssignmentsListed,
    Authorization, Delegation, DelegationDeleted, GrantFacts, ListedAssignment, OtherActivity, PalLinked, PalUnlinked,
    Part, Schedule, ScheduleCancelled,
};

use super::form::{ArmScope, Flag, FlagOrFalse, Id, List, Maybe, Name, Object, Role, Some1, Time, Whole, Words};
use super::form::{form, words};

form! { GrantFacts {
    principal: "principalId" as Id,
    principal_type: "principalType" as Maybe<Name>,
    role: "roleDefinitionId" as Role,
    condition: "condition" as Maybe<Words>,
} }

form! { AssignmentCreated {
    assignment: "assignmentId" as Id,
    scope: "scope" as ArmScope,
    at: "effectiveAt" as Time,
} with { facts } }

form! { AssignmentDeleted {
    assignment: "assignmentId" as Id,
    scope: "scope" as ArmScope,
    at: "effectiveAt" as Time,
} }

form! { AssignmentsListed {
    scope: "scope" as ArmScope,
    at: "listedAt" as Time,
    complete: "complete" as Flag,
    part: "part" as Object,
    assignments: "assignments" as List<Object>,
} }

form! { Part {
    of: "of" as Name,
    number: "number" as Whole,
    count: "count" as Whole,
} }

form! { ListedAssignment {
    assignment: "assignmentId" as Id,
    scope: "scope" as ArmScope,
    created_at: "createdAt" as Maybe<Time>,
} with { facts } }

form! { Delegation {
    delegation: "delegationId" as Id,
    scope: "scope" as ArmScope,
    managing_tenant: "managingTenantId" as Id,
    marketplace_offer: "marketplaceOffer" as FlagOrFalse,
    authorizations: "authorizations" as Some1<Object>,
    at: "effectiveAt" as Time,
} }

form! { Authorization {
    principal: "principalId" as Id,
    role: "roleDefinitionId" as Role,
    eligible_only: "eligibleOnly" as FlagOrFalse,
} }

form! { DelegationDeleted {
    delegation: "delegationId" as Id,
    scope: "scope" as ArmScope,
    at: "effectiveAt" as Time,
} }

form! { Schedule {
    schedule: "scheduleId" as Id,
    scope: "scope" as ArmScope,
    principal: "principalId" as Id,
    principal_type: "principalType" as Maybe<Name>,
    role: "roleDefinitionId" as Role,
    eligible_only: "eligibleOnly" as FlagOrFalse,
    start: "startsAt" as Time,
    end: "endsAt" as Maybe<Time>,
    provisioned_at: "provisionedAt" as Time,
} }

form! { ScheduleCancelled {
    schedule: "scheduleId" as Id,
    scope: "scope" as ArmScope,
    at: "effectiveAt" as Time,
} }

form! { PalLinked {
    principal: "principalId" as Id,
    tenant: "tenantId" as Id,
    partner_id: "partnerId" as Name,
    at: "effectiveAt" as Time,
} }

form! { PalUnlinked {
    principal: "principalId" as Id,
    tenant: "tenantId" as Id,
    at: "effectiveAt" as Time,
} }

form! { AssignmentActivity {
    operation: "operation" as Operation,
    assignment: "assignmentId" as Id,
    scope: "scope" as ArmScope,
    correlation: "correlationId" as Maybe<Words>,
    operation_id: "operationId" as Maybe<Words>,
    result: "result" as OperationResult,
    facts: "facts" as Maybe<Object>,
    stated_scope: "statedScope" as Maybe<ArmScope>,
    created_at: "createdAt" as Maybe<Time>,
    cascade: "cascade" as Flag,
    at: "at" as Time,
} }

form! { OtherActivity {
    operation: "operation" as Words,
    at: "at" as Time,
} }

words! { Operation: ActivityOperation {
    "write" = ActivityOperation::Write,
    "delete" = ActivityOperation::Delete,
} }

words! { OperationResult: ActivityResult {
    "started" = ActivityResult::Started,
    "accepted" = ActivityResult::Accepted,
    "succeeded" = ActivityResult::Succeeded,
    "no-content" = ActivityResult::NoContent,
    "failed" = ActivityResult::Failed,
} }
