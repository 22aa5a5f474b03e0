//! Events in words: one line each, for explanations and for comparing bodies of a conflict.
//!
//! Words only: nothing reads these lines again, so they may change. Numbers keep every digit.

mod channel;

use domain::entry::{
    ActivityOperation, ActivityResult, AssignmentActivity, Benefit, ChargeAction, Event, GrantFacts, IssuedDocument,
    KafkaPlace, MessageName, Offer, PartnerKind, PolicyDocument,
};
use domain::period::Instant;
use domain::roles;

/// The kind in two or three words.
#[must_use]
pub fn kind(event: &Event) -> &'static str {
    match event {
        Event::UsageRecorded(_) => "usage recorded",
        Event::UsageAdjusted(_) => "usage adjusted",
        Event::UsageVoided(_) => "usage voided",
        Event::AssignmentCreated(_) => "assignment created",
        Event::AssignmentDeleted(_) => "assignment deleted",
        Event::AssignmentsListed(_) => "assignments listed",
        Event::DelegationChanged(_) => "delegation changed",
        Event::DelegationDeleted(_) => "delegation deleted",
        Event::ScheduleCreated(_) => "schedule created",
        Event::ScheduleCancelled(_) => "schedule cancelled",
        Event::PalLinked(_) => "PAL linked",
        Event::PalUnlinked(_) => "PAL unlinked",
        Event::DenyAssigned(_) => "deny assignment created",
        Event::DenyRemoved(_) => "deny assignment deleted",
        Event::GroupMemberAdded(_) => "group membership added",
        Event::GroupMemberRemoved(_) => "group membership removed",
        Event::PrincipalDeleted(_) => "principal deleted",
        Event::ScopeCreated(_) => "created in Azure",
        Event::ScopeDeleted(_) => "deleted in Azure",
        Event::ScopeMoved(_) => "moved in Azure",
        Event::SubscriptionMoved(_) => "moved to another directory",
        Event::TreeChanged(_) => "management-group tree changed",
        Event::MoveActivity(_) => "Azure move record",
        Event::AssignmentActivity(_) => "Azure access record",
        Event::OtherActivity(_) => "Azure record",
        Event::CustomerRegistered(_) => "customer registered",
        Event::PlanCreated(_) => "plan created",
        Event::SubscriptionCreated(_) => "subscription created",
        Event::SubscriptionCancelled(_) => "subscription cancelled",
        Event::TransferCompleted(_) => "transfer completed",
        Event::ResellerOfRecordSet(_) => "reseller of record set",
        Event::SubscriptionSuspended(_) => "subscription suspended",
        Event::SubscriptionResumed(_) => "subscription resumed",
        Event::SubscriptionTransitioned(_) => "subscription transitioned",
        Event::PlanSuspended(_) => "plan suspended",
        Event::PlanReactivated(_) => "plan reactivated",
        Event::PlanCancelled(_) => "plan cancelled",
        Event::TransferRequested(_) => "transfer requested",
        Event::TransferCancelled(_) => "transfer cancelled",
        Event::CoverageRecorded(_) => "coverage recorded",
        Event::ChargeRecorded(_) => "charge recorded",
        Event::AzureCreditGranted(_) => "Azure credit granted",
        Event::RefundGranted(_) => "refund granted",
        Event::TaxSet(_) => "tax set",
        Event::PartnerRegistered(_) => "partner registered",
        Event::MembershipStarted(_) => "membership started",
        Event::MembershipEnded(_) => "membership ended",
        Event::PartnerBarred(_) => "partner barred",
        Event::PartnerReinstated(_) => "partner reinstated",
        Event::RolesPublished(_) => "role list published",
        Event::Channel(event) => channel::kind(event),
        Event::PriceSheetPublished(_) => "price sheet published",
        Event::PriceSheetPart(_) => "price sheet part",
        Event::ExchangeRatesPublished(_) => "exchange rates published",
        Event::PolicyPublished(_) => "policy published",
        Event::InvoiceIssued(_) => "invoice issued",
        Event::CreditNoteIssued(_) => "credit note issued",
        Event::InvoiceVoided(_) => "invoice voided",
        Event::ConflictDecided(_) => "conflict decided",
        Event::EntryRedriven(_) => "entry read again",
        Event::PolicyAdopted(_) => "policy adopted",
        Event::AcceptanceRecorded(_) => "acceptance recorded",
        Event::Restored(_) => "journal restored",
        Event::Unreadable(_) => "unreadable",
    }
}

/// The rule by which rating and judging read such an event; none reads what only keeps the books.
#[must_use]
pub fn rule(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::UsageRecorded(_) => "USE-1",
        Event::UsageAdjusted(_) => "USE-2",
        Event::UsageVoided(_) => "USE-3",
        Event::AssignmentCreated(_) => "ACC-3",
        Event::AssignmentDeleted(_) => "ACC-4",
        Event::AssignmentsListed(_) => "ACC-5",
        Event::DelegationChanged(_) | Event::DelegationDeleted(_) => "ACC-7",
        Event::ScheduleCreated(_) | Event::ScheduleCancelled(_) => "ACC-8",
        Event::PalLinked(_) | Event::PalUnlinked(_) => "PEC-5",
        Event::DenyAssigned(_) | Event::DenyRemoved(_) => "ACC-12",
        Event::GroupMemberAdded(_) | Event::GroupMemberRemoved(_) => "ACC-11",
        Event::PrincipalDeleted(_) => "ACC-16",
        Event::ScopeCreated(_) | Event::ScopeDeleted(_) => "ACC-13",
        Event::ScopeMoved(_) | Event::MoveActivity(_) => "ACC-14",
        Event::SubscriptionMoved(_) => "ACC-17",
        Event::TreeChanged(_) => "ACC-15",
        Event::RolesPublished(_) => "PEC-13",
        Event::AssignmentActivity(record) => match record.operation {
            ActivityOperation::Write => "ACC-2",
            ActivityOperation::Delete => "ACC-4",
        },
        Event::CustomerRegistered(_) | Event::PriceSheetPublished(_) | Event::PriceSheetPart(_) => "RATE-1",
        Event::PlanCreated(_) | Event::SubscriptionCreated(_) | Event::TransferCompleted(_) => "USE-1",
        Event::SubscriptionCancelled(_)
        | Event::SubscriptionSuspended(_)
        | Event::SubscriptionResumed(_)
        | Event::PlanCancelled(_) => "USE-6",
        Event::SubscriptionTransitioned(_) | Event::TransferRequested(_) | Event::TransferCancelled(_) => "USE-7",
        Event::PlanSuspended(_) | Event::PlanReactivated(_) => "USE-8",
        Event::CoverageRecorded(_) => "RATE-10",
        Event::AzureCreditGranted(_) => "RATE-11",
        Event::ChargeRecorded(charge) => match charge.action {
            ChargeAction::New | ChargeAction::Renew => "INV-9",
            ChargeAction::CancelImmediate => "INV-11",
            ChargeAction::MoveQuantity => "INV-16",
        },
        Event::RefundGranted(_) => "INV-13",
        Event::TaxSet(_) => "INV-12",
        Event::ResellerOfRecordSet(_) => "PEC-4",
        Event::PartnerRegistered(_) => "PEC-2",
        Event::MembershipStarted(_) | Event::MembershipEnded(_) => "PEC-8",
        Event::PartnerBarred(_) | Event::PartnerReinstated(_) => "PEC-9",
        Event::ExchangeRatesPublished(_) => "RATE-8",
        Event::Channel(event) => channel::rule(event),
        Event::InvoiceIssued(_) => "INV-7",
        Event::CreditNoteIssued(_) | Event::InvoiceVoided(_) => "INV-8",
        // Its rate, and what counts as access that earns it.
        Event::PolicyPublished(_) | Event::PolicyAdopted(_) => "RATE-7",
        Event::OtherActivity(_)
        | Event::ConflictDecided(_)
        | Event::EntryRedriven(_)
        | Event::AcceptanceRecorded(_)
        | Event::Restored(_)
        | Event::Unreadable(_) => return None,
    })
}

fn at(instant: Instant) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn grant(facts: &GrantFacts) -> String {
    let kind = facts.principal_type.as_deref().unwrap_or("principal");
    let condition = if facts.condition.is_some() { ", with a condition" } else { "" };
    format!("{kind} {} as role {}{condition}", facts.principal, roles::name(facts.role))
}

/// What the event says, in one line.
#[must_use]
pub fn event(event: &Event) -> String {
    match event {
        Event::UsageRecorded(usage) => {
            let resource = usage.resource.as_ref().map(|scope| scope.as_str().to_owned());
            let group = usage.resource_group.as_ref().map(|group| format!("resource group {group}"));
            let place = resource.or(group).unwrap_or_else(|| format!("subscription {}", usage.subscription));
            format!(
                "{} × {} of meter {} from {} to {}, {place}",
                usage.quantity,
                usage.unit,
                usage.meter,
                at(usage.start),
                at(usage.end)
            )
        }
        Event::UsageAdjusted(adjusted) => format!("{:+} to event {}", adjusted.quantity, adjusted.target),
        Event::UsageVoided(voided) => format!("cancels event {}", voided.target),
        Event::AssignmentCreated(_)
        | Event::AssignmentDeleted(_)
        | Event::AssignmentsListed(_)
        | Event::DelegationChanged(_)
        | Event::DelegationDeleted(_)
        | Event::ScheduleCreated(_)
        | Event::ScheduleCancelled(_)
        | Event::PalLinked(_)
        | Event::PalUnlinked(_)
        | Event::DenyAssigned(_)
        | Event::DenyRemoved(_)
        | Event::GroupMemberAdded(_)
        | Event::GroupMemberRemoved(_)
        | Event::PrincipalDeleted(_)
        | Event::ScopeCreated(_)
        | Event::ScopeDeleted(_)
        | Event::ScopeMoved(_)
        | Event::SubscriptionMoved(_)
        | Event::TreeChanged(_)
        | Event::MoveActivity(_)
        | Event::AssignmentActivity(_)
        | Event::OtherActivity(_) => access(event),
        Event::CustomerRegistered(_)
        | Event::PlanCreated(_)
        | Event::SubscriptionCreated(_)
        | Event::SubscriptionCancelled(_)
        | Event::TransferCompleted(_)
        | Event::ResellerOfRecordSet(_)
        | Event::SubscriptionSuspended(_)
        | Event::SubscriptionResumed(_)
        | Event::SubscriptionTransitioned(_)
        | Event::PlanSuspended(_)
        | Event::PlanReactivated(_)
        | Event::PlanCancelled(_)
        | Event::TransferRequested(_)
        | Event::TransferCancelled(_) => commerce(event),
        Event::CoverageRecorded(_)
        | Event::ChargeRecorded(_)
        | Event::AzureCreditGranted(_)
        | Event::RefundGranted(_)
        | Event::TaxSet(_) => charges(event),
        Event::PartnerRegistered(_)
        | Event::MembershipStarted(_)
        | Event::MembershipEnded(_)
        | Event::PartnerBarred(_)
        | Event::PartnerReinstated(_)
        | Event::RolesPublished(_)
        | Event::PriceSheetPublished(_)
        | Event::PriceSheetPart(_)
        | Event::ExchangeRatesPublished(_)
        | Event::PolicyPublished(_)
        | Event::PolicyAdopted(_) => reference(event),
        Event::Channel(event) => channel::event(event),
        Event::InvoiceIssued(document) | Event::CreditNoteIssued(document) => issued(document),
        Event::InvoiceVoided(voided) => format!("{} is void: {}", voided.document, voided.decision.reason),
        Event::ConflictDecided(decided) => {
            format!("of event {} body {} counts: {}", decided.identity, decided.keep, decided.decision.reason)
        }
        Event::EntryRedriven(redriven) => {
            let message = redriven.message.as_ref().map_or_else(String::new, |named| format!(" ({})", place(named)));
            format!("entry {}{message}: {}", redriven.entry, redriven.decision.reason)
        }
        Event::AcceptanceRecorded(acceptance) => {
            let about = acceptance.about.as_deref().map_or_else(String::new, |about| format!(" ({about})"));
            format!("{}{about}: {}", acceptance.what, acceptance.decision.reason)
        }
        Event::Restored(restored) => format!("from {}: {}", restored.from, restored.decision.reason),
        Event::Unreadable(code) => (*code).to_owned(),
    }
}

/// Where a message came from, as [`crate::trace::origin`] words it.
fn place(message: &MessageName) -> String {
    match (&message.kafka, &message.file) {
        (Some(KafkaPlace { topic, partition, offset }), _) => format!("{topic}/{partition} offset {offset}"),
        (None, Some(file)) => format!("{} record {}", file.name, file.record.saturating_add(1)),
        (None, None) => "written here".to_owned(),
    }
}

fn access(event: &Event) -> String {
    match event {
        Event::AssignmentCreated(created) => {
            format!("{} on {} from {}", grant(&created.facts), created.scope, at(created.at))
        }
        Event::AssignmentDeleted(deleted) => {
            format!("assignment {} on {} gone from {}", deleted.assignment, deleted.scope, at(deleted.at))
        }
        Event::AssignmentsListed(listed) => {
            let whole = if listed.complete { "complete" } else { "partial" };
            format!(
                "{whole} listing of {} at {}: {} assignments",
                listed.scope,
                at(listed.at),
                listed.assignments.len()
            )
        }
        Event::DelegationChanged(delegation) => format!(
            "{} delegated to tenant {} from {}: {} authorizations",
            delegation.scope,
            delegation.managing_tenant,
            at(delegation.at),
            delegation.authorizations.len()
        ),
        Event::DelegationDeleted(deleted) => format!("delegation of {} gone from {}", deleted.scope, at(deleted.at)),
        Event::ScheduleCreated(schedule) => {
            let kind = if schedule.eligible_only { "eligible" } else { "active" };
            let end = schedule.end.map_or_else(|| "without end".to_owned(), |end| format!("to {}", at(end)));
            format!(
                "principal {} {kind} as role {} on {} from {} {end}",
                schedule.principal,
                roles::name(schedule.role),
                schedule.scope,
                at(schedule.start)
            )
        }
        Event::ScheduleCancelled(cancelled) => {
            format!("schedule {} on {} cancelled at {}", cancelled.schedule, cancelled.scope, at(cancelled.at))
        }
        Event::PalLinked(linked) => {
            format!("principal {} linked to PartnerID {} from {}", linked.principal, linked.partner_id, at(linked.at))
        }
        Event::PalUnlinked(unlinked) => {
            format!("principal {} no longer linked from {}", unlinked.principal, at(unlinked.at))
        }
        Event::AssignmentActivity(record) => activity(record),
        Event::OtherActivity(record) => format!("{} at {}", record.operation, at(record.at)),
        other => estate(other),
    }
}

/// Who may not, who belongs to whom, and what stands where.
fn estate(event: &Event) -> String {
    match event {
        Event::DenyAssigned(denied) => format!(
            "{} denied to {} principals on {} from {}",
            denied.actions.join(" "),
            denied.principals.len(),
            denied.scope,
            at(denied.at)
        ),
        Event::DenyRemoved(ended) => {
            format!("deny assignment {} on {} gone from {}", ended.deny, ended.scope, at(ended.at))
        }
        Event::GroupMemberAdded(added) => {
            let end = added.until.map_or_else(String::new, |until| format!(" to {}", at(until)));
            format!("{} a member of group {} from {}{end}", added.member, added.group, at(added.at))
        }
        Event::GroupMemberRemoved(removed) => {
            format!("{} no member of group {} from {}", removed.member, removed.group, at(removed.at))
        }
        Event::PrincipalDeleted(deleted) => format!("principal {} deleted at {}", deleted.principal, at(deleted.at)),
        Event::ScopeCreated(change) => format!("{} exists from {}", change.scope, at(change.at)),
        Event::ScopeDeleted(change) => format!("{} deleted at {}", change.scope, at(change.at)),
        Event::ScopeMoved(moved) => format!("{} is {} from {}", moved.from, moved.to, at(moved.at)),
        Event::SubscriptionMoved(moved) => {
            format!("subscription {} in tenant {} from {}", moved.subscription, moved.to_tenant, at(moved.at))
        }
        Event::TreeChanged(change) => {
            let place = match (&change.parent, &change.left) {
                (Some(parent), _) => format!("below {parent}"),
                (None, Some(left)) => format!("no longer below {left}"),
                (None, None) => "below the root group alone".to_owned(),
            };
            format!("{} {place} from {}", change.child, at(change.at))
        }
        Event::MoveActivity(record) => {
            let target = record.target.as_ref().map(|target| format!(" to {target}")).unwrap_or_default();
            format!(
                "{} resources of {}{target} {} at {}",
                record.resources.len(),
                record.group,
                result(record.result),
                at(record.at)
            )
        }
        other => kind(other).to_owned(),
    }
}

fn activity(record: &AssignmentActivity) -> String {
    let operation = match record.operation {
        ActivityOperation::Write => "write",
        ActivityOperation::Delete => "removal",
    };
    let result = result(record.result);
    let facts = record.facts.as_ref().map(|facts| format!(", {}", grant(facts))).unwrap_or_default();
    let cascade = if record.cascade { ", with its resource group" } else { "" };
    format!(
        "{operation} of assignment {} on {} {result} at {}{facts}{cascade}",
        record.assignment,
        record.scope,
        at(record.at)
    )
}

fn result(result: ActivityResult) -> &'static str {
    match result {
        ActivityResult::Started => "started",
        ActivityResult::Accepted => "accepted",
        ActivityResult::Succeeded => "succeeded",
        ActivityResult::NoContent => "found nothing",
        ActivityResult::Failed => "failed",
    }
}

fn commerce(event: &Event) -> String {
    match event {
        Event::CustomerRegistered(customer) => {
            format!("{} ({}), market {}, from {}", customer.name, customer.customer, customer.market, at(customer.at))
        }
        Event::PlanCreated(plan) => {
            let reseller = plan.reseller.as_ref().map(|reseller| format!(", reseller {reseller}")).unwrap_or_default();
            format!(
                "plan {} of customer {}, billed to {}{reseller}, from {}",
                plan.plan,
                plan.customer,
                plan.bill_to,
                at(plan.at)
            )
        }
        Event::SubscriptionCreated(created) => {
            let offer = match created.offer {
                Offer::AzurePlan => "Azure plan",
                Offer::DevTest => "Azure plan for DevTest",
                Offer::Legacy => "classic offer 0145P",
            };
            format!(
                "{} ({}), {offer}, under plan {} from {}",
                created.name,
                created.subscription,
                created.plan,
                at(created.at)
            )
        }
        Event::SubscriptionCancelled(cancelled) => {
            format!("subscription {} cancelled at {}", cancelled.subscription, at(cancelled.at))
        }
        Event::TransferCompleted(transfer) => {
            format!("subscription {} under plan {} from {}", transfer.subscription, transfer.to_plan, at(transfer.at))
        }
        Event::ResellerOfRecordSet(set) => {
            let reseller = set.reseller.as_deref().unwrap_or("none");
            format!("reseller of plan {} is {reseller} from {}", set.plan, at(set.at))
        }
        Event::SubscriptionSuspended(one) => format!("subscription {} suspended at {}", one.subscription, at(one.at)),
        Event::SubscriptionResumed(one) => {
            format!("subscription {} active again from {}", one.subscription, at(one.at))
        }
        Event::PlanSuspended(one) => format!("plan {} suspended at {}", one.plan, at(one.at)),
        Event::PlanReactivated(one) => format!("plan {} active again from {}", one.plan, at(one.at)),
        Event::PlanCancelled(one) => format!("plan {} cancelled at {}", one.plan, at(one.at)),
        Event::SubscriptionTransitioned(one) => {
            format!("subscription {} left 0145P for plan {} at {}", one.subscription, one.to_plan, at(one.at))
        }
        Event::TransferRequested(one) => {
            format!("transfer of subscription {} to plan {} requested at {}", one.subscription, one.to_plan, at(one.at))
        }
        Event::TransferCancelled(one) => {
            format!("transfer of subscription {} to plan {} withdrawn at {}", one.subscription, one.to_plan, at(one.at))
        }
        other => kind(other).to_owned(),
    }
}

fn charges(event: &Event) -> String {
    match event {
        Event::CoverageRecorded(one) => {
            let benefit = match one.benefit {
                Benefit::Reservation => "reservation",
                Benefit::SavingsPlan => "savings plan",
            };
            format!(
                "{benefit} {} covers {} × {} of meter {} on {}, subscription {}",
                one.order, one.quantity, one.unit, one.meter, one.day, one.subscription
            )
        }
        Event::ChargeRecorded(one) => {
            let action = match one.action {
                ChargeAction::New => "bought",
                ChargeAction::Renew => "renewed",
                ChargeAction::CancelImmediate => "returned",
                ChargeAction::MoveQuantity => "moved",
            };
            format!(
                "order {} {action}: {} × {} at {} USD, plan {}, at {}",
                one.order,
                one.quantity,
                one.product_title,
                one.unit_price,
                one.plan,
                at(one.at)
            )
        }
        Event::AzureCreditGranted(one) => {
            format!(
                "{} USD to customer {}, to be drawn from {} until {}",
                one.amount, one.customer, one.from, one.until
            )
        }
        Event::RefundGranted(one) => {
            format!("{} USD to plan {} at {}: {}", one.amount, one.plan, at(one.at), one.reason)
        }
        Event::TaxSet(one) => format!("{} in {} from {}", one.rate, one.location, one.from),
        other => kind(other).to_owned(),
    }
}

fn reference(event: &Event) -> String {
    match event {
        Event::PartnerRegistered(partner) => {
            let kind = match partner.kind {
                PartnerKind::DirectBill => "direct-bill partner",
                PartnerKind::Provider => "provider",
                PartnerKind::Reseller => "reseller",
                PartnerKind::Other => "partner",
            };
            format!(
                "{} ({}), {kind}, {}, billed in {}, from {}",
                partner.name,
                partner.tenant,
                partner.country,
                partner.billing_currency,
                at(partner.at)
            )
        }
        Event::MembershipStarted(change) => format!("{} a programme member from {}", change.partner, at(change.at)),
        Event::MembershipEnded(change) => format!("{} no programme member from {}", change.partner, at(change.at)),
        Event::PartnerBarred(standing) => {
            format!("{} barred from {}: {}", standing.partner, at(standing.at), standing.reason)
        }
        Event::PartnerReinstated(standing) => {
            format!("{} reinstated from {}: {}", standing.partner, at(standing.at), standing.reason)
        }
        Event::RolesPublished(list) => format!("{} roles from {}", list.roles.len(), list.effective_from),
        Event::PriceSheetPublished(sheet) => format!(
            "sheet {} for {} {}: {} rows, published {}",
            sheet.sheet,
            sheet.market,
            sheet.period,
            sheet.rows,
            at(sheet.published_at)
        ),
        Event::PriceSheetPart(part) => {
            format!("part {} of sheet {}: {} rows", part.number, part.sheet, part.rows.len())
        }
        Event::ExchangeRatesPublished(rates) => {
            let rates_in_words: Vec<String> =
                rates.usd_per_unit.iter().map(|(currency, rate)| format!("1 {currency} = {rate} USD")).collect();
            format!("for {}, published {}: {}", rates.period, at(rates.published_at), rates_in_words.join(", "))
        }
        Event::PolicyPublished(policy) => stated(policy),
        Event::PolicyAdopted(adopted) => {
            let by = adopted.decision.as_ref().map(|by| format!(", by {}: {}", by.actor, by.reason));
            format!("{}{}", stated(&adopted.document), by.unwrap_or_default())
        }
        other => kind(other).to_owned(),
    }
}

fn stated(policy: &PolicyDocument) -> String {
    format!("revision {} from {}: {} fields", policy.revision, policy.effective_from, policy.settings.len())
}

fn issued(document: &IssuedDocument) -> String {
    format!(
        "{} for {}: {} {} in {} lines, by {}",
        document.id,
        document.period,
        document.total,
        document.currency,
        document.lines.len(),
        document.decision.actor
    )
}
