//! Reference: partners, prices, rates and policy.

use rust_decimal::Decimal;

use crate::ids::{Currency, Digest, Guid, Market, MeterId};
use crate::period::{Day, Instant, Interval, Period};

/// A partner organisation. A statement is whole and replaces earlier ones from `at` on; each list row
/// has its own validity.
#[derive(Clone, Debug, PartialEq)]
pub struct PartnerRegistered {
    /// The partner's tenant: how plans and documents name it.
    pub tenant: Guid,
    pub name: Box<str>,
    /// The organisation's global id: PartnerIDs of one organisation share it.
    pub organisation: Box<str>,
    pub kind: PartnerKind,
    pub country: Market,
    pub billing_currency: Currency,
    /// Location PartnerIDs.
    pub partner_ids: Vec<Dated<Box<str>>>,
    pub admin_agents: Vec<Dated<Guid>>,
    pub helpdesk_agents: Vec<Dated<Guid>>,
    pub managing_tenants: Vec<Dated<Guid>>,
    /// The organisation's own users and service principals.
    pub identities: Vec<Dated<Guid>>,
    pub at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PartnerKind {
    DirectBill,
    Provider,
    Reseller,
    Other,
}

/// A value with the time for which it holds; open at either side where nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<T> {
    pub value: T,
    pub since: Option<Instant>,
    pub until: Option<Instant>,
}

impl<T> Dated<T> {
    #[must_use]
    pub fn holds_at(&self, at: Instant) -> bool {
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }

    #[must_use]
    pub fn interval(&self) -> Interval {
        Interval::new(self.since.unwrap_or(Instant::MIN_UTC), self.until.unwrap_or(Instant::MAX_UTC))
    }
}

/// Programme membership (rule P-05) of a partner tenant began or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct MembershipChange {
    pub partner: Guid,
    pub at: Instant,
}

/// A partner lost or regained the right to credit (rule P-07).
#[derive(Clone, Debug, PartialEq)]
pub struct PartnerStanding {
    pub partner: Guid,
    pub reason: Box<str>,
    pub at: Instant,
}

/// A table of roles with their verdicts, whole: it replaces every earlier one from its first day on.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleList {
    pub effective_from: Day,
    pub roles: Vec<ListedRole>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRole {
    pub role: Guid,
    pub name: Box<str>,
    pub eligible: bool,
}

/// Header of a price sheet: in force when all its parts are known and their digest agrees.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceSheet {
    pub sheet: Box<str>,
    pub market: Market,
    /// The month whose days it prices.
    pub period: Period,
    /// The newest publication of a month and market prices all of its days.
    pub published_at: Instant,
    pub parts: u32,
    pub rows: u64,
    /// The sum of the digests of all rows: see [`Digest::plus`].
    pub rows_digest: Digest,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PriceSheetPart {
    pub sheet: Box<str>,
    /// Counted from 0.
    pub number: u32,
    pub rows: Vec<PriceRow>,
    /// The sum of these rows' digests, as whoever read them computed it: never stated by the event.
    pub rows_digest: Digest,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PriceRow {
    pub product: Box<str>,
    pub product_title: Box<str>,
    pub sku: Box<str>,
    pub sku_title: Box<str>,
    pub meters: Vec<MeterId>,
    pub kind: PriceKind,
    pub unit: Box<str>,
    pub currency: Currency,
    pub unit_price: Decimal,
    /// Graduated band `(above, up_to]` in pricing units; the top band is open.
    pub above: Decimal,
    pub up_to: Option<Decimal>,
    /// Days on which the row is in force, `[from, until)`.
    pub from: Day,
    pub until: Day,
    /// As printed; compared without spaces and case (`Third Party`, `ThirdParty`).
    pub tags: Vec<Box<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PriceKind {
    Consumption,
    DevTest,
    Reservation,
    SavingsPlan,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeRates {
    pub period: Period,
    pub published_at: Instant,
    /// USD per one unit of the currency, as Microsoft's file states it.
    pub usd_per_unit: Vec<(Currency, Decimal)>,
}

/// The rate of the tax on what a partner is billed, by the partner's location, from a day on.
#[derive(Clone, Debug, PartialEq)]
pub struct TaxSet {
    pub partner: Guid,
    pub location: Market,
    /// A fraction: `0.25`.
    pub rate: Decimal,
    pub from: Day,
}

/// A policy document, whole, kept as its canonical JSON text; `policy` reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyDocument {
    /// Counts up inside the document; the highest revision effective on a day is in force.
    pub revision: u32,
    pub effective_from: Day,
    pub settings: Vec<PolicySetting>,
}

/// One field of the policy, by name, in text. Which names and values exist is `policy`'s to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicySetting {
    pub name: Box<str>,
    pub value: Box<str>,
}
