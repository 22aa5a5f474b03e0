//! Charges: what is paid besides metered usage, and what pays for usage instead of money.
//!
//! Amounts and prices are in USD, the currency that an Azure plan is priced in. A charge belongs to
//! the month of its own date, whenever we hear of it.

use rust_decimal::Decimal;

use crate::ids::{Guid, MeterId};
use crate::period::{Day, Instant};
use crate::scope::Scope;

/// What was bought in advance and covers usage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Benefit {
    Reservation,
    SavingsPlan,
}

/// A reservation or savings plan covered part of what a resource used of a meter on one day.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageRecorded {
    pub customer: Guid,
    /// The plan whose usage is covered: on the day of a transfer each side has its own.
    pub plan: Guid,
    pub subscription: Guid,
    /// As the usage names it: a resource or a group; absent where the usage names neither.
    pub resource: Option<Scope>,
    pub meter: MeterId,
    pub product: Option<Box<str>>,
    pub sku: Option<Box<str>>,
    pub unit: Box<str>,
    pub day: Day,
    /// In pricing units, never negative.
    pub quantity: Decimal,
    pub benefit: Benefit,
    /// The order that bought the benefit.
    pub order: Box<str>,
}

/// What a charge is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ChargeKind {
    Reservation,
    SavingsPlan,
    Marketplace,
    ThirdParty,
}

/// What happened to an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ChargeAction {
    New,
    Renew,
    /// Returned, in whole or in part.
    CancelImmediate,
    /// Moved under another plan, with a transfer: the plan named here.
    MoveQuantity,
}

/// For how long an order runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Term {
    None,
    Month,
    Year,
    ThreeYears,
    FiveYears,
}

/// How often an order is paid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Billing {
    OneTime,
    Monthly,
}

/// A purchase beside metered usage, or its return or move. A return or move names the order; its
/// price and term are those of the purchase and are repeated only for the reader.
#[derive(Clone, Debug, PartialEq)]
pub struct ChargeRecorded {
    pub order: Box<str>,
    pub action: ChargeAction,
    pub kind: ChargeKind,
    pub customer: Guid,
    pub plan: Guid,
    pub product: Box<str>,
    pub product_title: Box<str>,
    pub sku: Box<str>,
    pub sku_title: Box<str>,
    /// In USD, for one unit: of the whole term, or of one instalment where it is paid monthly.
    pub unit_price: Decimal,
    /// Never negative: the action says in which direction.
    pub quantity: Decimal,
    pub term: Term,
    pub billing: Billing,
    pub at: Instant,
}

/// An amount that Microsoft gives a customer to be drawn by usage, such as an Azure credit offer.
#[derive(Clone, Debug, PartialEq)]
pub struct AzureCreditGranted {
    pub grant: Box<str>,
    pub name: Box<str>,
    /// The partner billed, whose plans draw on it.
    pub bill_to: Guid,
    pub customer: Guid,
    /// Absent: every plan of the customer billed to that partner.
    pub plan: Option<Guid>,
    /// Absent: all usage of those plans.
    pub scope: Option<Scope>,
    /// In USD, never negative.
    pub amount: Decimal,
    /// Usage on days `[from, until)` draws on it.
    pub from: Day,
    pub until: Day,
}

/// Money given back to a customer with a reason: after an outage, or as a goodwill credit.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundGranted {
    pub refund: Box<str>,
    pub customer: Guid,
    pub plan: Guid,
    /// In USD, never negative.
    pub amount: Decimal,
    /// As the column CreditReasonCode prints it.
    pub reason: Box<str>,
    pub at: Instant,
}
