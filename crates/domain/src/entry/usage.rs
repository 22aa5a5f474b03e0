//! Usage: what was consumed, and corrections of it.

use rust_decimal::Decimal;

use crate::ids::{Guid, Identity, MeterId};
use crate::period::Instant;
use crate::scope::Scope;

/// Consumption of one meter by one resource. The day is the UTC day of `start`.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// The customer's tenant.
    pub customer: Guid,
    /// The Azure plan as the meter names it; placement itself goes by the subscription.
    pub plan: Option<Guid>,
    /// The Azure subscription (`entitlementId`).
    pub subscription: Guid,
    /// The resource; absent when the meter names only a group or nothing.
    pub resource: Option<Scope>,
    /// Named only where `resource` is absent.
    pub resource_group: Option<Box<str>>,
    pub meter: MeterId,
    pub product: Option<Box<str>>,
    pub sku: Option<Box<str>>,
    pub start: Instant,
    /// Exclusive. An inclusive 23:59:59 arrives here as the next midnight.
    pub end: Instant,
    /// In pricing units, never negative.
    pub quantity: Decimal,
    pub unit: Box<str>,
    /// When it was sent, as its envelope says: no part of the content, and looked at only where the
    /// policy says `transfer-usage = reported`.
    pub sent: Option<Instant>,
}

/// A signed change to the quantity of an earlier usage event, whatever its own time.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageAdjusted {
    /// Identity of the usage event it corrects: same source, id = `causationid`.
    pub target: Identity,
    pub quantity: Decimal,
    pub reason: Option<Box<str>>,
}

/// Cancels an earlier usage event together with its adjustments.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageVoided {
    pub target: Identity,
    pub reason: Option<Box<str>>,
}
