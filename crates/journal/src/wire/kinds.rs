//! The table of kinds: which CloudEvents type is read on which stream, and how.
//!
//! Types are `pec.<noun>.<past participle>.v<major>`. A kind that is reserved is known by name and
//! stream but read by nobody yet: it is quarantined with its own code, so that it can be driven
//! again once a later version reads it.

use domain::entry::{Event, Stream};

use super::envelope::Received;
use super::form::{Codec, Fields, Object};
use super::rejection::{self, Problem};
use super::sink::Sink;
use super::{Rejection, channel, estate, usage};

type Reader = fn(&Received<'_>) -> Result<Event, Problem>;

/// A kind that is read.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) stream: Stream,
    pub(crate) read: Reader,
}

const fn kind(name: &'static str, stream: Stream, read: Reader) -> Kind {
    Kind { name, stream, read }
}

pub(crate) fn object<T: Fields>(received: &Received<'_>, event: fn(T) -> Event) -> Result<Event, Problem> {
    Object::read(Some(received.data_object()?)).map(event)
}

/// Every kind that is read. Usage comes first: it is nearly everything.
pub(crate) const KINDS: &[Kind] = &[
    kind("pec.usage.recorded.v1", Stream::Usage, |r| usage::recorded(r).map(Event::UsageRecorded)),
    kind("pec.usage.adjusted.v1", Stream::Usage, |r| usage::adjusted(r).map(Event::UsageAdjusted)),
    kind("pec.usage.voided.v1", Stream::Usage, |r| usage::voided(r).map(Event::UsageVoided)),
    kind("pec.assignment.created.v1", Stream::Access, |r| object(r, Event::AssignmentCreated)),
    kind("pec.assignment.deleted.v1", Stream::Access, |r| object(r, Event::AssignmentDeleted)),
    kind("pec.assignments.listed.v1", Stream::Access, |r| object(r, Event::AssignmentsListed)),
    kind("pec.delegation.created.v1", Stream::Access, |r| object(r, Event::DelegationChanged)),
    kind("pec.delegation.updated.v1", Stream::Access, |r| object(r, Event::DelegationChanged)),
    kind("pec.delegation.deleted.v1", Stream::Access, |r| object(r, Event::DelegationDeleted)),
    kind("pec.schedule.created.v1", Stream::Access, |r| object(r, Event::ScheduleCreated)),
    kind("pec.schedule.cancelled.v1", Stream::Access, |r| object(r, Event::ScheduleCancelled)),
    kind("pec.pal.linked.v1", Stream::Access, |r| object(r, Event::PalLinked)),
    kind("pec.pal.unlinked.v1", Stream::Access, |r| object(r, Event::PalUnlinked)),
    kind("pec.deny-assignment.created.v1", Stream::Access, |r| object(r, Event::DenyAssigned)),
    kind("pec.deny-assignment.deleted.v1", Stream::Access, |r| object(r, Event::DenyRemoved)),
    kind("pec.group-membership.added.v1", Stream::Access, |r| object(r, Event::GroupMemberAdded)),
    kind("pec.group-membership.removed.v1", Stream::Access, |r| object(r, Event::GroupMemberRemoved)),
    kind("pec.principal.deleted.v1", Stream::Access, |r| object(r, Event::PrincipalDeleted)),
    kind("pec.resource.created.v1", Stream::Access, |r| estate::of_resource(r, Event::ScopeCreated)),
    kind("pec.resource.deleted.v1", Stream::Access, |r| estate::of_resource(r, Event::ScopeDeleted)),
    kind("pec.resource.moved.v1", Stream::Access, |r| estate::moved(r, estate::is_resource)),
    kind("pec.resource-group.created.v1", Stream::Access, |r| estate::of_group(r, Event::ScopeCreated)),
    kind("pec.resource-group.deleted.v1", Stream::Access, |r| estate::of_group(r, Event::ScopeDeleted)),
    kind("pec.resource-group.moved.v1", Stream::Access, |r| estate::moved(r, estate::is_group)),
    kind("pec.azure-subscription.created.v1", Stream::Access, |r| estate::of_subscription(r, Event::ScopeCreated)),
    kind("pec.azure-subscription.deleted.v1", Stream::Access, |r| estate::of_subscription(r, Event::ScopeDeleted)),
    kind("pec.azure-subscription.moved.v1", Stream::Access, |r| object(r, Event::SubscriptionMoved)),
    kind("pec.management-group-tree.changed.v1", Stream::Access, estate::tree),
    kind("pec.customer.registered.v1", Stream::Commerce, |r| object(r, Event::CustomerRegistered)),
    kind("pec.plan.created.v1", Stream::Commerce, |r| object(r, Event::PlanCreated)),
    kind("pec.subscription.created.v1", Stream::Commerce, |r| object(r, Event::SubscriptionCreated)),
    kind("pec.subscription.cancelled.v1", Stream::Commerce, |r| object(r, Event::SubscriptionCancelled)),
    kind("pec.transfer.completed.v1", Stream::Commerce, |r| object(r, Event::TransferCompleted)),
    kind("pec.reseller-of-record.set.v1", Stream::Commerce, |r| object(r, Event::ResellerOfRecordSet)),
    kind("pec.plan.suspended.v1", Stream::Commerce, |r| object(r, Event::PlanSuspended)),
    kind("pec.plan.reactivated.v1", Stream::Commerce, |r| object(r, Event::PlanReactivated)),
    kind("pec.plan.cancelled.v1", Stream::Commerce, |r| object(r, Event::PlanCancelled)),
    kind("pec.subscription.suspended.v1", Stream::Commerce, |r| object(r, Event::SubscriptionSuspended)),
    kind("pec.subscription.resumed.v1", Stream::Commerce, |r| object(r, Event::SubscriptionResumed)),
    kind("pec.subscription.transitioned.v1", Stream::Commerce, |r| object(r, Event::SubscriptionTransitioned)),
    kind("pec.transfer.requested.v1", Stream::Commerce, |r| object(r, Event::TransferRequested)),
    kind("pec.transfer.cancelled.v1", Stream::Commerce, |r| object(r, Event::TransferCancelled)),
    kind("pec.coverage.recorded.v1", Stream::Commerce, |r| object(r, Event::CoverageRecorded)),
    kind("pec.charge.recorded.v1", Stream::Commerce, |r| object(r, Event::ChargeRecorded)),
    kind("pec.azure-credit.granted.v1", Stream::Commerce, |r| object(r, Event::AzureCreditGranted)),
    kind("pec.refund.granted.v1", Stream::Commerce, |r| object(r, Event::RefundGranted)),
    kind("pec.customer.designated.v1", Stream::Commerce, channel::designated),
    kind("pec.customer.affiliated.v1", Stream::Commerce, channel::affiliated),
    kind("pec.agreement.attested.v1", Stream::Commerce, channel::attested),
    kind("pec.agreement.accepted.v1", Stream::Commerce, channel::agreed),
    kind("pec.reseller-relationship.established.v1", Stream::Commerce, channel::relationship),
    kind("pec.reseller-relationship.ended.v1", Stream::Commerce, channel::relationship_ended),
    kind("pec.transition.stated.v1", Stream::Commerce, channel::transition_stated),
    kind("pec.order.requested.v1", Stream::Commerce, channel::order),
    kind("pec.partner.registered.v1", Stream::Reference, |r| object(r, Event::PartnerRegistered)),
    kind("pec.membership.started.v1", Stream::Reference, |r| object(r, Event::MembershipStarted)),
    kind("pec.membership.ended.v1", Stream::Reference, |r| object(r, Event::MembershipEnded)),
    kind("pec.partner.barred.v1", Stream::Reference, |r| object(r, Event::PartnerBarred)),
    kind("pec.partner.reinstated.v1", Stream::Reference, |r| object(r, Event::PartnerReinstated)),
    kind("pec.role-list.published.v1", Stream::Reference, |r| object(r, Event::RolesPublished)),
    kind("pec.price-sheet.published.v1", Stream::Reference, |r| object(r, Event::PriceSheetPublished)),
    kind("pec.price-sheet-part.published.v1", Stream::Reference, |r| object(r, Event::PriceSheetPart)),
    kind("pec.exchange-rates.published.v1", Stream::Reference, |r| object(r, Event::ExchangeRatesPublished)),
    kind("pec.tax.set.v1", Stream::Reference, |r| object(r, Event::TaxSet)),
    kind("pec.policy.published.v1", Stream::Reference, |r| object(r, Event::PolicyPublished)),
    kind("pec.partnership.established.v1", Stream::Reference, channel::partnership),
    kind("pec.partnership.ended.v1", Stream::Reference, channel::partnership_ended),
    kind("pec.partner-agreement.signed.v1", Stream::Reference, channel::signed),
    kind("pec.partner.restricted.v1", Stream::Reference, channel::restricted),
    kind("pec.partner.suspended.v1", Stream::Reference, channel::suspended),
    kind("pec.partner.revoked.v1", Stream::Reference, channel::revoked),
    kind("pec.security-posture.stated.v1", Stream::Reference, channel::posture),
    kind("pec.reseller.enrolled.v1", Stream::Reference, channel::enrolled),
    kind("pec.reseller.onboarded.v1", Stream::Reference, channel::onboarded),
    kind("pec.market.authorised.v1", Stream::Reference, channel::market),
    kind("pec.credit-limit.stated.v1", Stream::Reference, channel::credit),
    kind("pec.invoice.issued.v1", Stream::Decisions, |r| object(r, Event::InvoiceIssued)),
    kind("pec.credit-note.issued.v1", Stream::Decisions, |r| object(r, Event::CreditNoteIssued)),
    kind("pec.invoice.voided.v1", Stream::Decisions, |r| object(r, Event::InvoiceVoided)),
    kind("pec.conflict.decided.v1", Stream::Decisions, |r| object(r, Event::ConflictDecided)),
    kind("pec.entry.redriven.v1", Stream::Decisions, |r| object(r, Event::EntryRedriven)),
    kind("pec.policy.adopted.v1", Stream::Decisions, |r| object(r, Event::PolicyAdopted)),
    kind("pec.acceptance.recorded.v1", Stream::Decisions, |r| object(r, Event::AcceptanceRecorded)),
    kind("pec.journal.restored.v1", Stream::Decisions, |r| object(r, Event::Restored)),
    kind("pec.order.answered.v1", Stream::Decisions, channel::answered),
];

/// Kinds whose names are taken and which nothing reads yet.
pub(crate) const RESERVED: &[(&str, Stream)] = &[];

/// Kinds that are only ever published, on the alerts topic.
pub(crate) const PUBLISHED_ONLY: &[&str] = &["pec.leak.opened", "pec.leak.cleared"];

/// Every type that is read, with the stream it belongs on.
pub fn kinds() -> impl Iterator<Item = (&'static str, Stream)> {
    KINDS.iter().map(|kind| (kind.name, kind.stream))
}

/// Every name that is taken and not read: without a stream where it is only ever published.
pub fn reserved() -> impl Iterator<Item = (&'static str, Option<Stream>)> {
    let later = RESERVED.iter().map(|(name, stream)| (*name, Some(*stream)));
    later.chain(PUBLISHED_ONLY.iter().map(|name| (*name, None)))
}

/// The kind of a type that came on a stream, or why there is none.
pub(crate) fn find(name: &str, came_on: Stream) -> Result<&'static Kind, Rejection> {
    match KINDS.iter().find(|kind| kind.name == name) {
        Some(kind) if kind.stream == came_on => Ok(kind),
        Some(kind) => Err(wrong_topic(name, kind.stream, came_on)),
        None => Err(unread(name, came_on)),
    }
}

fn wrong_topic(name: &str, belongs: Stream, came_on: Stream) -> Rejection {
    let detail = format!("`{name}` belongs on the {} stream and came on {}", belongs.name(), came_on.name());
    Rejection::new(rejection::WRONG_TOPIC, detail)
}

/// Why no kind reads this type: unknown, another version, or reserved.
fn unread(name: &str, came_on: Stream) -> Rejection {
    let shown = rejection::quoted(name);
    let (stem, version) = name.rsplit_once('.').unwrap_or((name, ""));
    let numbered = version.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    if !numbered {
        let detail = format!("the type {shown} is not known here; expected `pec.<noun>.<past participle>.v<major>`");
        return Rejection::new(rejection::UNKNOWN_TYPE, detail);
    }
    if let Some((_, stream)) = RESERVED.iter().find(|(reserved, _)| *reserved == stem) {
        if *stream != came_on {
            return wrong_topic(name, *stream, came_on);
        }
        let detail = format!("the type {shown} is reserved; this version does not read it yet");
        return Rejection::new(rejection::RESERVED_TYPE, detail);
    }
    if PUBLISHED_ONLY.contains(&stem) {
        let detail = format!("the type {shown} is published here and never read");
        return Rejection::new(rejection::RESERVED_TYPE, detail);
    }
    let known = KINDS.iter().find(|kind| kind.name.rsplit_once('.').is_some_and(|(known, _)| known == stem));
    match known {
        Some(kind) => {
            let detail =
                format!("the type {shown} has a version that is not read here; this version reads `{}`", kind.name);
            Rejection::new(rejection::UNKNOWN_VERSION, detail)
        }
        None => Rejection::new(rejection::UNKNOWN_TYPE, format!("the type {shown} is not known here")),
    }
}

/// The stream that a type belongs on, whatever its version; `None` for types that are not ours.
pub(crate) fn stream_of(name: &str) -> Option<Stream> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let of_kind = |kind: &&Kind| kind.name.rsplit_once('.').is_some_and(|(known, _)| known == stem);
    let reserved = || RESERVED.iter().find(|(reserved, _)| *reserved == stem).map(|(_, stream)| *stream);
    KINDS.iter().find(of_kind).map(|kind| kind.stream).or_else(reserved)
}

/// The type under which an event is published. Azure's own records and what could not be read have
/// none: they are kept as they came.
#[must_use]
pub fn type_of(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::UsageRecorded(_) => "pec.usage.recorded.v1",
        Event::UsageAdjusted(_) => "pec.usage.adjusted.v1",
        Event::UsageVoided(_) => "pec.usage.voided.v1",
        Event::AssignmentCreated(_) => "pec.assignment.created.v1",
        Event::AssignmentDeleted(_) => "pec.assignment.deleted.v1",
        Event::AssignmentsListed(_) => "pec.assignments.listed.v1",
        Event::DelegationChanged(_) => "pec.delegation.created.v1",
        Event::DelegationDeleted(_) => "pec.delegation.deleted.v1",
        Event::ScheduleCreated(_) => "pec.schedule.created.v1",
        Event::ScheduleCancelled(_) => "pec.schedule.cancelled.v1",
        Event::PalLinked(_) => "pec.pal.linked.v1",
        Event::PalUnlinked(_) => "pec.pal.unlinked.v1",
        Event::DenyAssigned(_) => "pec.deny-assignment.created.v1",
        Event::DenyRemoved(_) => "pec.deny-assignment.deleted.v1",
        Event::GroupMemberAdded(_) => "pec.group-membership.added.v1",
        Event::GroupMemberRemoved(_) => "pec.group-membership.removed.v1",
        Event::PrincipalDeleted(_) => "pec.principal.deleted.v1",
        Event::ScopeCreated(change) => estate::by_level(
            &change.scope,
            ["pec.resource.created.v1", "pec.resource-group.created.v1", "pec.azure-subscription.created.v1"],
        ),
        Event::ScopeDeleted(change) => estate::by_level(
            &change.scope,
            ["pec.resource.deleted.v1", "pec.resource-group.deleted.v1", "pec.azure-subscription.deleted.v1"],
        ),
        Event::ScopeMoved(moved) => {
            let (resource, group) = ("pec.resource.moved.v1", "pec.resource-group.moved.v1");
            estate::by_level(&moved.from, [resource, group, resource])
        }
        Event::SubscriptionMoved(_) => "pec.azure-subscription.moved.v1",
        Event::TreeChanged(_) => "pec.management-group-tree.changed.v1",
        Event::CustomerRegistered(_) => "pec.customer.registered.v1",
        Event::PlanCreated(_) => "pec.plan.created.v1",
        Event::SubscriptionCreated(_) => "pec.subscription.created.v1",
        Event::SubscriptionCancelled(_) => "pec.subscription.cancelled.v1",
        Event::TransferCompleted(_) => "pec.transfer.completed.v1",
        Event::ResellerOfRecordSet(_) => "pec.reseller-of-record.set.v1",
        Event::PlanSuspended(_) => "pec.plan.suspended.v1",
        Event::PlanReactivated(_) => "pec.plan.reactivated.v1",
        Event::PlanCancelled(_) => "pec.plan.cancelled.v1",
        Event::SubscriptionSuspended(_) => "pec.subscription.suspended.v1",
        Event::SubscriptionResumed(_) => "pec.subscription.resumed.v1",
        Event::SubscriptionTransitioned(_) => "pec.subscription.transitioned.v1",
        Event::TransferRequested(_) => "pec.transfer.requested.v1",
        Event::TransferCancelled(_) => "pec.transfer.cancelled.v1",
        Event::CoverageRecorded(_) => "pec.coverage.recorded.v1",
        Event::ChargeRecorded(_) => "pec.charge.recorded.v1",
        Event::AzureCreditGranted(_) => "pec.azure-credit.granted.v1",
        Event::RefundGranted(_) => "pec.refund.granted.v1",
        Event::TaxSet(_) => "pec.tax.set.v1",
        Event::PartnerRegistered(_) => "pec.partner.registered.v1",
        Event::MembershipStarted(_) => "pec.membership.started.v1",
        Event::MembershipEnded(_) => "pec.membership.ended.v1",
        Event::PartnerBarred(_) => "pec.partner.barred.v1",
        Event::PartnerReinstated(_) => "pec.partner.reinstated.v1",
        Event::RolesPublished(_) => "pec.role-list.published.v1",
        Event::PriceSheetPublished(_) => "pec.price-sheet.published.v1",
        Event::PriceSheetPart(_) => "pec.price-sheet-part.published.v1",
        Event::ExchangeRatesPublished(_) => "pec.exchange-rates.published.v1",
        Event::PolicyPublished(_) => "pec.policy.published.v1",
        Event::InvoiceIssued(_) => "pec.invoice.issued.v1",
        Event::CreditNoteIssued(_) => "pec.credit-note.issued.v1",
        Event::InvoiceVoided(_) => "pec.invoice.voided.v1",
        Event::ConflictDecided(_) => "pec.conflict.decided.v1",
        Event::EntryRedriven(_) => "pec.entry.redriven.v1",
        Event::PolicyAdopted(_) => "pec.policy.adopted.v1",
        Event::AcceptanceRecorded(_) => "pec.acceptance.recorded.v1",
        Event::Restored(_) => "pec.journal.restored.v1",
        Event::Channel(event) => channel::type_of(event),
        Event::AssignmentActivity(_) | Event::MoveActivity(_) | Event::OtherActivity(_) | Event::Unreadable(_) => {
            return None;
        }
    })
}

/// Writes the data of any event.
pub(crate) fn write_data(event: &Event, out: &mut impl Sink) {
    match event {
        Event::UsageRecorded(data) => Object::write(data, out),
        Event::UsageAdjusted(data) => usage::write_adjusted(data, out),
        Event::UsageVoided(data) => usage::write_voided(data, out),
        Event::AssignmentCreated(data) => Object::write(data, out),
        Event::AssignmentDeleted(data) => Object::write(data, out),
        Event::AssignmentsListed(data) => Object::write(data, out),
        Event::DelegationChanged(data) => Object::write(data, out),
        Event::DelegationDeleted(data) => Object::write(data, out),
        Event::ScheduleCreated(data) => Object::write(data, out),
        Event::ScheduleCancelled(data) => Object::write(data, out),
        Event::PalLinked(data) => Object::write(data, out),
        Event::PalUnlinked(data) => Object::write(data, out),
        Event::DenyAssigned(data) => Object::write(data, out),
        Event::DenyRemoved(data) => Object::write(data, out),
        Event::GroupMemberAdded(data) => Object::write(data, out),
        Event::GroupMemberRemoved(data) => Object::write(data, out),
        Event::PrincipalDeleted(data) => Object::write(data, out),
        Event::ScopeCreated(data) | Event::ScopeDeleted(data) => estate::write_change(data, out),
        Event::ScopeMoved(data) => Object::write(data, out),
        Event::SubscriptionMoved(data) => Object::write(data, out),
        Event::TreeChanged(data) => Object::write(data, out),
        Event::MoveActivity(data) => Object::write(data, out),
        Event::AssignmentActivity(data) => Object::write(data, out),
        Event::OtherActivity(data) => Object::write(data, out),
        Event::CustomerRegistered(data) => Object::write(data, out),
        Event::PlanCreated(data) => Object::write(data, out),
        Event::SubscriptionCreated(data) => Object::write(data, out),
        Event::SubscriptionCancelled(data) => Object::write(data, out),
        Event::TransferCompleted(data) => Object::write(data, out),
        Event::ResellerOfRecordSet(data) => Object::write(data, out),
        Event::PlanSuspended(data) | Event::PlanReactivated(data) | Event::PlanCancelled(data) => {
            Object::write(data, out)
        }
        Event::SubscriptionSuspended(data) | Event::SubscriptionResumed(data) => Object::write(data, out),
        Event::SubscriptionTransitioned(data) | Event::TransferRequested(data) | Event::TransferCancelled(data) => {
            Object::write(data, out);
        }
        Event::CoverageRecorded(data) => Object::write(data, out),
        Event::ChargeRecorded(data) => Object::write(data, out),
        Event::AzureCreditGranted(data) => Object::write(data, out),
        Event::RefundGranted(data) => Object::write(data, out),
        Event::TaxSet(data) => Object::write(data, out),
        Event::PartnerRegistered(data) => Object::write(data, out),
        Event::MembershipStarted(data) | Event::MembershipEnded(data) => Object::write(data, out),
        Event::PartnerBarred(data) | Event::PartnerReinstated(data) => Object::write(data, out),
        Event::RolesPublished(data) => Object::write(data, out),
        Event::Channel(data) => channel::write_data(data, out),
        Event::PriceSheetPublished(data) => Object::write(data, out),
        Event::PriceSheetPart(data) => Object::write(data, out),
        Event::ExchangeRatesPublished(data) => Object::write(data, out),
        Event::PolicyPublished(data) => Object::write(data, out),
        Event::PolicyAdopted(data) => Object::write(data, out),
        Event::InvoiceIssued(data) | Event::CreditNoteIssued(data) => Object::write(data, out),
        Event::InvoiceVoided(data) => Object::write(data, out),
        Event::ConflictDecided(data) => Object::write(data, out),
        Event::EntryRedriven(data) => Object::write(data, out),
        Event::AcceptanceRecorded(data) => Object::write(data, out),
        Event::Restored(data) => Object::write(data, out),
        Event::Unreadable(code) => out.text(code),
    }
}
