//! Which month an event takes effect in, and which billed partners it concerns.
//!
//! Asked for lateness and for conflicts. Where an event does not say whom it concerns, it concerns
//! everybody: a partner is stopped once too often rather than once too little.

use std::collections::BTreeSet;

use crate::commerce::{Commerce, Placement};
use crate::entry::{Event, Usage};
use crate::ids::Guid;
use crate::period::{Day, Instant, Period};
use crate::policy::PolicyBook;
use crate::scope::Scope;

/// Whom an event concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Concern {
    Everybody,
    /// These billed partners; nobody where empty.
    Partners(BTreeSet<Guid>),
}

impl Concern {
    #[must_use]
    pub fn includes(&self, bill_to: Guid) -> bool {
        match self {
            Self::Everybody => true,
            Self::Partners(partners) => partners.contains(&bill_to),
        }
    }
}

/// When an event was true.
enum When {
    At(Instant),
    /// True of a whole month.
    Month(Period),
    /// As the event that it speaks of.
    AsTarget,
    /// Of no month and no time.
    Never,
}

fn when(event: &Event) -> When {
    match event {
        Event::UsageRecorded(usage) => When::At(usage.start),
        Event::AssignmentCreated(one) => When::At(one.at),
        Event::AssignmentDeleted(one) => When::At(one.at),
        Event::AssignmentsListed(one) => When::At(one.at),
        Event::DelegationChanged(one) => When::At(one.at),
        Event::DelegationDeleted(one) => When::At(one.at),
        Event::ScheduleCreated(one) => When::At(one.start.max(one.provisioned_at)),
        Event::ScheduleCancelled(one) => When::At(one.at),
        Event::PalLinked(one) => When::At(one.at),
        Event::PalUnlinked(one) => When::At(one.at),
        Event::AssignmentActivity(one) => When::At(one.at),
        Event::DenyAssigned(one) => When::At(one.at),
        Event::DenyRemoved(one) => When::At(one.at),
        Event::GroupMemberAdded(one) => When::At(one.at),
        Event::GroupMemberRemoved(one) => When::At(one.at),
        Event::PrincipalDeleted(one) => When::At(one.at),
        Event::ScopeCreated(one) | Event::ScopeDeleted(one) => When::At(one.at),
        Event::ScopeMoved(one) => When::At(one.at),
        Event::SubscriptionMoved(one) => When::At(one.at),
        Event::TreeChanged(one) => When::At(one.at),
        Event::MoveActivity(one) => When::At(one.at),
        Event::CustomerRegistered(one) => When::At(one.at),
        Event::PlanCreated(one) => When::At(one.at),
        Event::SubscriptionCreated(one) => When::At(one.at),
        Event::SubscriptionCancelled(one) => When::At(one.at),
        Event::TransferCompleted(one) => When::At(one.at),
        Event::ResellerOfRecordSet(one) => When::At(one.at),
        Event::SubscriptionSuspended(one) | Event::SubscriptionResumed(one) => When::At(one.at),
        Event::PlanSuspended(one) | Event::PlanReactivated(one) | Event::PlanCancelled(one) => When::At(one.at),
        Event::SubscriptionTransitioned(one) | Event::TransferRequested(one) | Event::TransferCancelled(one) => {
            When::At(one.at)
        }
        Event::CoverageRecorded(one) => When::At(one.day.start()),
        Event::ChargeRecorded(one) => When::At(one.at),
        Event::AzureCreditGranted(one) => When::At(one.from.start()),
        Event::RefundGranted(one) => When::At(one.at),
        Event::TaxSet(one) => When::At(one.from.start()),
        Event::PartnerRegistered(one) => When::At(one.at),
        Event::MembershipStarted(one) | Event::MembershipEnded(one) => When::At(one.at),
        Event::PartnerBarred(one) | Event::PartnerReinstated(one) => When::At(one.at),
        Event::Channel(one) => one.moves_credit_at().map_or(When::Never, When::At),
        Event::PriceSheetPublished(sheet) => When::Month(sheet.period),
        Event::ExchangeRatesPublished(rates) => When::Month(rates.period),
        Event::PolicyPublished(policy) => When::Month(policy.effective_from.period()),
        Event::RolesPublished(list) => When::Month(list.effective_from.period()),
        Event::UsageAdjusted(_) | Event::UsageVoided(_) => When::AsTarget,
        Event::OtherActivity(_)
        | Event::PriceSheetPart(_)
        | Event::InvoiceIssued(_)
        | Event::CreditNoteIssued(_)
        | Event::InvoiceVoided(_)
        | Event::ConflictDecided(_)
        | Event::EntryRedriven(_)
        | Event::PolicyAdopted(_)
        | Event::AcceptanceRecorded(_)
        | Event::Restored(_)
        | Event::Unreadable(_) => When::Never,
    }
}

/// The month in which an event takes effect; `None` for what has no effect on any month.
#[must_use]
pub fn effective_period(event: &Event, antecedent: Option<&Event>) -> Option<Period> {
    match when(event) {
        When::At(at) => Some(Day::of(at).period()),
        When::Month(period) => Some(period),
        When::AsTarget => {
            let Event::UsageRecorded(usage) = antecedent? else { return None };
            Some(Day::of(usage.start).period())
        }
        When::Never => None,
    }
}

/// When an event was true; `None` for what is true of a whole month, or speaks of another event.
#[must_use]
pub fn effective_at(event: &Event) -> Option<Instant> {
    match when(event) {
        When::At(at) => Some(at),
        When::Month(_) | When::AsTarget | When::Never => None,
    }
}

/// Whom an event concerns, as far as the commerce facts tell.
#[must_use]
pub fn concern(event: &Event, antecedent: Option<&Event>, commerce: &Commerce, policy: &PolicyBook) -> Concern {
    match event {
        Event::UsageRecorded(usage) => match placement(usage, commerce, policy) {
            Some(placement) => Concern::Partners([placement.bill_to].into()),
            None => match usage.plan.and_then(|plan| commerce.plan(plan)) {
                Some(plan) => Concern::Partners([plan.bill_to].into()),
                None => of_customer(usage.customer, commerce),
            },
        },
        Event::UsageAdjusted(_) | Event::UsageVoided(_) => match antecedent {
            Some(target @ Event::UsageRecorded(_)) => concern(target, None, commerce, policy),
            _ => Concern::Everybody,
        },
        Event::AssignmentCreated(one) => of_scope(&one.scope, commerce),
        Event::AssignmentDeleted(one) => of_scope(&one.scope, commerce),
        Event::AssignmentsListed(one) => of_scope(&one.scope, commerce),
        Event::DelegationChanged(one) => of_scope(&one.scope, commerce),
        Event::DelegationDeleted(one) => of_scope(&one.scope, commerce),
        Event::ScheduleCreated(one) => of_scope(&one.scope, commerce),
        Event::ScheduleCancelled(one) => of_scope(&one.scope, commerce),
        Event::AssignmentActivity(one) => of_scope(&one.scope, commerce),
        Event::DenyAssigned(one) => of_scope(&one.scope, commerce),
        Event::DenyRemoved(one) => of_scope(&one.scope, commerce),
        Event::ScopeCreated(one) | Event::ScopeDeleted(one) => of_scope(&one.scope, commerce),
        Event::ScopeMoved(one) => both(of_scope(&one.from, commerce), of_scope(&one.to, commerce)),
        Event::MoveActivity(one) => {
            let target = one.target.as_ref().map_or(Concern::Everybody, |target| of_scope(target, commerce));
            both(of_scope(&one.group, commerce), target)
        }
        Event::SubscriptionMoved(one) => of_subscription(one.subscription, commerce),
        Event::TreeChanged(one) => of_scope(&one.child, commerce),
        Event::CustomerRegistered(one) => of_customer(one.customer, commerce),
        Event::PlanCreated(one) => Concern::Partners([one.bill_to].into()),
        Event::SubscriptionCreated(one) => of_plan(one.plan, commerce),
        Event::SubscriptionCancelled(one) => of_subscription(one.subscription, commerce),
        Event::TransferCompleted(one) => of_move(one.subscription, one.to_plan, commerce),
        Event::SubscriptionTransitioned(one) | Event::TransferRequested(one) | Event::TransferCancelled(one) => {
            of_move(one.subscription, one.to_plan, commerce)
        }
        Event::SubscriptionSuspended(one) | Event::SubscriptionResumed(one) => {
            of_subscription(one.subscription, commerce)
        }
        Event::PlanSuspended(one) | Event::PlanReactivated(one) | Event::PlanCancelled(one) => {
            of_plan(one.plan, commerce)
        }
        Event::CoverageRecorded(one) => of_plan(one.plan, commerce),
        Event::ChargeRecorded(one) => of_plan(one.plan, commerce),
        Event::RefundGranted(one) => of_plan(one.plan, commerce),
        Event::AzureCreditGranted(one) => Concern::Partners([one.bill_to].into()),
        Event::TaxSet(one) => Concern::Partners([one.partner].into()),
        Event::ResellerOfRecordSet(one) => of_plan(one.plan, commerce),
        Event::InvoiceIssued(one) | Event::CreditNoteIssued(one) => Concern::Partners([one.bill_to].into()),
        Event::OtherActivity(_) => Concern::Partners(BTreeSet::new()),
        // A reseller's qualification concerns every partner that sells through it.
        Event::Channel(one) if one.moves_credit_at().is_none() => Concern::Partners(BTreeSet::new()),
        Event::PalLinked(_)
        | Event::PalUnlinked(_)
        | Event::GroupMemberAdded(_)
        | Event::GroupMemberRemoved(_)
        | Event::PrincipalDeleted(_)
        | Event::PartnerRegistered(_)
        | Event::MembershipStarted(_)
        | Event::MembershipEnded(_)
        | Event::PartnerBarred(_)
        | Event::PartnerReinstated(_)
        | Event::RolesPublished(_)
        | Event::PriceSheetPublished(_)
        | Event::PriceSheetPart(_)
        | Event::ExchangeRatesPublished(_)
        | Event::PolicyPublished(_)
        | Event::Channel(_)
        | Event::InvoiceVoided(_)
        | Event::ConflictDecided(_)
        | Event::EntryRedriven(_)
        | Event::PolicyAdopted(_)
        | Event::AcceptanceRecorded(_)
        | Event::Restored(_)
        | Event::Unreadable(_) => Concern::Everybody,
    }
}

fn of_move(subscription: Guid, to_plan: Guid, commerce: &Commerce) -> Concern {
    both(of_subscription(subscription, commerce), of_plan(to_plan, commerce))
}

fn both(one: Concern, other: Concern) -> Concern {
    match (one, other) {
        (Concern::Partners(mut partners), Concern::Partners(more)) => {
            partners.extend(more);
            Concern::Partners(partners)
        }
        _ => Concern::Everybody,
    }
}

/// USE-1: where usage belongs, by the policy of its day.
#[must_use]
pub fn placement<'c>(usage: &Usage, commerce: &'c Commerce, policy: &PolicyBook) -> Option<&'c Placement> {
    let reported = policy.reported(usage.start, usage.sent);
    commerce.placement_of(usage.subscription, (usage.start, usage.end), reported)
}

fn of_plan(plan: Guid, commerce: &Commerce) -> Concern {
    commerce.plan(plan).map_or(Concern::Everybody, |plan| Concern::Partners([plan.bill_to].into()))
}

fn of_subscription(subscription: Guid, commerce: &Commerce) -> Concern {
    match commerce.placements(subscription) {
        [] => Concern::Everybody,
        placed => Concern::Partners(placed.iter().map(|placement| placement.bill_to).collect()),
    }
}

fn of_scope(scope: &Scope, commerce: &Commerce) -> Concern {
    scope.subscription().map_or(Concern::Everybody, |subscription| of_subscription(subscription, commerce))
}

fn of_customer(customer: Guid, commerce: &Commerce) -> Concern {
    let partners: BTreeSet<Guid> =
        commerce.plans().filter(|plan| plan.customer == customer).map(|plan| plan.bill_to).collect();
    if partners.is_empty() { Concern::Everybody } else { Concern::Partners(partners) }
}
