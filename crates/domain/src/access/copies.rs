//! Copies of one Azure record, as different channels carry them.
//!
//! Event Hubs has no operation id, Event Grid no body, Log Analytics three digits of a second's
//! fraction. Copies complete each other; only a fact that two of them state differently is a
//! contradiction, and only a contradiction is a conflict that stops the closing of a period.

use crate::entry::{ActivityResult, AssignmentActivity, DenyAssignment, Event, GrantFacts};
use crate::period::Instant;

/// ACC-9: two copies of one Azure record are one record; what one lacks is taken from the other, and
/// of two times in one millisecond the more precise one holds.
pub(super) fn join(record: AssignmentActivity, copy: &AssignmentActivity) -> AssignmentActivity {
    let facts = match (record.facts, &copy.facts) {
        // Of copies that contradict each other nothing is mixed into one grant.
        (Some(known), Some(stated)) if (known.principal, known.role) == (stated.principal, stated.role) => {
            Some(GrantFacts {
                principal_type: known.principal_type.or_else(|| stated.principal_type.clone()),
                condition: known.condition.or_else(|| stated.condition.clone()),
                ..known
            })
        }
        (known, stated) => known.or_else(|| stated.clone()),
    };
    AssignmentActivity {
        facts,
        result: if found_nothing(record.result, copy.result) { ActivityResult::NoContent } else { record.result },
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
            (a.operation, a.assignment, &a.scope) == (b.operation, b.assignment, &b.scope)
                && (a.result == b.result || found_nothing(a.result, b.result) || found_nothing(b.result, a.result))
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
        (Event::ScopeCreated(a), Event::ScopeCreated(b)) | (Event::ScopeDeleted(a), Event::ScopeDeleted(b)) => {
            a.scope == b.scope && same_millisecond(a.at, b.at)
        }
        (Event::DenyAssigned(a), Event::DenyAssigned(b)) => {
            let near = same_millisecond(a.at, b.at);
            near && *a == DenyAssignment { at: a.at, ..b.clone() }
        }
        (Event::DenyRemoved(a), Event::DenyRemoved(b)) => {
            (a.deny, &a.scope) == (b.deny, &b.scope) && same_millisecond(a.at, b.at)
        }
        (Event::TreeChanged(a), Event::TreeChanged(b)) => {
            (&a.child, &a.parent, &a.left) == (&b.child, &b.parent, &b.left) && same_millisecond(a.at, b.at)
        }
        (Event::MoveActivity(a), Event::MoveActivity(b)) => {
            let silent = a.resources.is_empty() || b.resources.is_empty();
            (&a.group, a.result) == (&b.group, b.result)
                && same_millisecond(a.at, b.at)
                && (silent || a.resources == b.resources)
                && same(a.target.as_ref(), b.target.as_ref())
        }
        _ => false,
    }
}

/// A removal that found nothing is a success on every channel; not every channel says which of both.
fn found_nothing(success: ActivityResult, copy: ActivityResult) -> bool {
    (success, copy) == (ActivityResult::Succeeded, ActivityResult::NoContent)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::ActivityOperation;
    use crate::ids::Guid;
    use crate::period::Day;
    use crate::scope::Scope;

    fn removal(result: ActivityResult) -> AssignmentActivity {
        AssignmentActivity {
            operation: ActivityOperation::Delete,
            assignment: Guid(1),
            scope: Scope::parse("/subscriptions/a"),
            correlation: None,
            operation_id: None,
            result,
            facts: None,
            stated_scope: None,
            created_at: None,
            cascade: false,
            at: Day(9).start(),
        }
    }

    /// Event Grid calls a removal that found nothing a success and no more.
    #[test]
    fn a_removal_that_found_nothing_on_one_channel_found_nothing() {
        let (plain, nothing) = (removal(ActivityResult::Succeeded), removal(ActivityResult::NoContent));
        let failed = Event::AssignmentActivity(removal(ActivityResult::Failed));
        for (a, b) in [(&plain, &nothing), (&nothing, &plain)] {
            assert_eq!(join(a.clone(), b).result, ActivityResult::NoContent);
            assert!(agree(&Event::AssignmentActivity(a.clone()), &Event::AssignmentActivity(b.clone())));
            assert!(!agree(&Event::AssignmentActivity(a.clone()), &failed));
        }
    }

    #[test]
    fn facts_of_another_grant_are_never_mixed_in() {
        let grant = |principal, condition: Option<&str>| GrantFacts {
            principal: Guid(principal),
            principal_type: None,
            role: Guid(3),
            condition: condition.map(Box::from),
        };
        let holding = |facts| AssignmentActivity { facts: Some(facts), ..removal(ActivityResult::Succeeded) };
        let joined = join(holding(grant(2, None)), &holding(grant(9, Some("x"))));
        assert_eq!(joined.facts, Some(grant(2, None)));
        let joined = join(holding(grant(2, None)), &holding(grant(2, Some("x"))));
        assert_eq!(joined.facts, Some(grant(2, Some("x"))));
    }
}
