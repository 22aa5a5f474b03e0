//! Copies of one Azure record, as different channels carry them.
//!
//! Event Hubs has no operation id, Event Grid no body, Log Analytics three digits of a second's
//! fraction. Copies complete each other; only a fact that two of them state differently is a
//! contradiction, and only a contradiction is a conflict that stops the closing of a period.

use crate::entry::{AssignmentActivity, Event, GrantFacts};
use crate::period::Instant;

/// ACC-9: two copies of one Azure record are one record; what one lacks is taken from the other, and
/// of two times in one millisecond the more precise one holds.
pub(super) fn join(record: AssignmentActivity, copy: &AssignmentActivity) -> AssignmentActivity {
    let facts = match (record.facts, &copy.facts) {
        (Some(known), Some(stated)) => Some(GrantFacts {
            principal_type: known.principal_type.or_else(|| stated.principal_type.clone()),
            condition: known.condition.or_else(|| stated.condition.clone()),
            ..known
        }),
        (known, stated) => known.or_else(|| stated.clone()),
    };
    AssignmentActivity {
        facts,
        correlation: record.correlation.or_else(|| copy.correlation.clone()),
        operation_id: record.operation_id.or_else(|| copy.operation_id.clone()),
        stated_scope: record.stated_scope.or_else(|| copy.stated_scope.clone()),
        created_at: record.created_at.or(copy.created_at),
        cascade: record.cascade || copy.cascade,
        // A channel that cuts the fraction states an earlier time, never a later one.
        at: record.at.max(copy.at),
        ..record
    }
}

/// Whether two bodies of one identity only differ in what one of them leaves out, as copies from two
/// channels do.
pub(crate) fn agree(a: &Event, b: &Event) -> bool {
    match (a, b) {
        (Event::AssignmentActivity(a), Event::AssignmentActivity(b)) => {
            (a.operation, a.assignment, a.result, &a.scope) == (b.operation, b.assignment, b.result, &b.scope)
                && same_millisecond(a.at, b.at)
                && same_facts(a.facts.as_ref(), b.facts.as_ref())
                && same(a.correlation.as_deref(), b.correlation.as_deref())
                && same(a.operation_id.as_deref(), b.operation_id.as_deref())
                && same(a.stated_scope.as_ref(), b.stated_scope.as_ref())
                && same(a.created_at, b.created_at)
        }
        (Event::DelegationChanged(a), Event::DelegationChanged(b)) => {
            let mut b = b.clone();
            let near = same_millisecond(a.at, b.at);
            b.at = a.at;
            near && *a == b
        }
        (Event::DelegationDeleted(a), Event::DelegationDeleted(b)) => {
            (a.delegation, &a.scope) == (b.delegation, &b.scope) && same_millisecond(a.at, b.at)
        }
        (Event::ScheduleCreated(a), Event::ScheduleCreated(b)) => {
            let mut b = b.clone();
            let near = same_millisecond(a.provisioned_at, b.provisioned_at)
                && same(a.principal_type.as_deref(), b.principal_type.as_deref());
            b.provisioned_at = a.provisioned_at;
            b.principal_type.clone_from(&a.principal_type);
            near && *a == b
        }
        (Event::ScheduleCancelled(a), Event::ScheduleCancelled(b)) => {
            (a.schedule, &a.scope) == (b.schedule, &b.scope) && same_millisecond(a.at, b.at)
        }
        _ => false,
    }
}

fn same_facts(a: Option<&GrantFacts>, b: Option<&GrantFacts>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return true };
    (a.principal, a.role) == (b.principal, b.role)
        && same(a.principal_type.as_deref(), b.principal_type.as_deref())
        && same(a.condition.as_deref(), b.condition.as_deref())
}

fn same<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        (None, _) | (_, None) => true,
    }
}

/// Identities of Azure's records go by the millisecond, because channels cut the rest.
fn same_millisecond(a: Instant, b: Instant) -> bool {
    a.timestamp_millis() == b.timestamp_millis()
}
