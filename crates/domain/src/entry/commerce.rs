//! Commerce: customers, plans, subscriptions and who sells them.

use crate::ids::{Guid, Market};
use crate::period::Instant;

#[derive(Clone, Debug, PartialEq)]
pub struct CustomerRegistered {
    pub customer: Guid,
    pub name: Box<str>,
    pub market: Market,
    /// When its tenant was created, where somebody looked that up: a tenant may be much older than the
    /// relationship with the partner. Decides about currencies before August 2021 only.
    pub tenant_created: Option<Instant>,
    pub at: Instant,
}

/// An Azure plan bought for a customer: the container of subscriptions, and what is billed.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanCreated {
    pub plan: Guid,
    pub customer: Guid,
    /// The bill-to partner's tenant: the direct-bill partner or the indirect provider.
    pub bill_to: Guid,
    /// Location PartnerID of the reseller of record; absent when sold direct.
    pub reseller: Option<Box<str>>,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionCreated {
    pub subscription: Guid,
    pub plan: Guid,
    pub name: Box<str>,
    pub offer: Offer,
    pub at: Instant,
}

/// What a subscription was sold as. Decides the price kind, and whether PEC exists at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Offer {
    AzurePlan,
    /// Azure plan with DevTest prices.
    DevTest,
    /// The classic CSP offer MS-AZR-0145P: no plan, no credit.
    Legacy,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionCancelled {
    pub subscription: Guid,
    pub at: Instant,
}

/// A subscription moved under another plan (and with it, as a rule, to another bill-to partner).
#[derive(Clone, Debug, PartialEq)]
pub struct TransferCompleted {
    pub subscription: Guid,
    pub to_plan: Guid,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResellerOfRecordSet {
    pub plan: Guid,
    /// Location PartnerID; absent when removed.
    pub reseller: Option<Box<str>>,
    pub at: Instant,
}

/// A plan was suspended, reactivated or cancelled.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanChange {
    pub plan: Guid,
    pub at: Instant,
}

/// A subscription was suspended or resumed.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionChange {
    pub subscription: Guid,
    pub at: Instant,
}

/// A subscription and the plan under which it came, or is to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    pub subscription: Guid,
    pub to_plan: Guid,
    pub at: Instant,
}
