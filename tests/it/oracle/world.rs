//! The facts of one made-up month, in the oracle's own terms: true statements with their times.
//!
//! No messages, no entries, no order of arrival: those are what the simulation makes of a world.
//! Times are seconds since 1970-01-01T00:00:00Z; a span without an end is open. Where upstream
//! contradicts itself, a world holds all that was told ([`Told`]) and what people decided about it.

use super::conflict::Told;

/// Seconds since the epoch.
pub type Time = i64;

/// A day, counted from 1970-01-01.
pub type DayNumber = i64;

pub const DAY: Time = 86_400;

/// A made-up GUID, told apart by its number.
pub type Id = u64;

#[derive(Clone, Debug)]
pub struct Span {
    pub from: Time,
    pub to: Option<Time>,
}

impl Span {
    pub fn holds(&self, at: Time) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    pub fn instants(&self, into: &mut Vec<Time>) {
        into.push(self.from);
        into.extend(self.to);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    DirectBill,
    Provider,
    Reseller,
}

#[derive(Clone, Debug)]
pub struct Partner {
    pub tenant: Id,
    /// Partners of one organisation share it.
    pub organisation: String,
    pub kind: Kind,
    pub currency: &'static str,
    pub partner_ids: Vec<String>,
    pub admin_agents: Id,
    pub helpdesk_agents: Id,
    pub managing_tenant: Id,
    /// Users and service principals of the organisation.
    pub identities: Vec<Id>,
    /// Nothing was ever said about membership, or it was active in these spans.
    pub memberships: Option<Vec<Span>>,
    pub barred: Vec<Span>,
    pub qualified: Qualified,
}

/// Since when a reseller has all that it needs before it may sell to new subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualified {
    /// Nothing was ever said about it: it counts.
    Untold,
    /// Something is still missing.
    Never,
    Since(Time),
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub id: Id,
    /// Index into the partners.
    pub bill_to: usize,
    pub created: Time,
    /// Location PartnerID of the reseller of record from a time on; the first one from `created`.
    pub resellers: Vec<(Time, Told<Option<String>>)>,
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: Id,
    pub created: Time,
    /// Index of the plan from a time on; the first one from `created`.
    pub plans: Vec<(Time, usize)>,
    /// What it is sold as from a time on; the first one from `created`.
    pub offers: Vec<(Time, Offer)>,
}

/// What a subscription is sold as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    AzurePlan,
    /// The same at the prices of DevTest.
    DevTest,
    /// The classic offer 0145P.
    Classic,
}

/// What a role is worth to the programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner,
    Contributor,
    Reader,
    /// Made by the customer; never on the list.
    Custom,
}

impl Role {
    pub fn counts(self) -> bool {
        matches!(self, Self::Owner | Self::Contributor)
    }
}

/// Somebody holds a role: an assignment, or a PIM schedule that is active for a stated time.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: Id,
    /// Lower case, one leading slash.
    pub scope: String,
    pub principal: Id,
    pub role: Role,
    pub held: Span,
    pub by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A plain role assignment.
    Assignment,
    /// An active schedule of Privileged Identity Management.
    Schedule,
    /// A schedule for which the principal is merely eligible: never access.
    EligibleSchedule,
    /// A role assignment of which only the removal was told, at the end of the span; whether it was
    /// there before is unknown, and nothing of the span counts as held.
    RemovalAlone,
}

/// A deny assignment of every write, or of something narrower.
#[derive(Clone, Debug)]
pub struct Deny {
    pub id: Id,
    pub scope: String,
    pub principal: Id,
    pub every_write: bool,
    pub held: Span,
}

/// Azure Lighthouse.
#[derive(Clone, Debug)]
pub struct Delegation {
    pub id: Id,
    pub scope: String,
    pub managing_tenant: Id,
    /// From a Marketplace offer: no link is needed.
    pub marketplace: bool,
    pub principal: Id,
    pub role: Told<Role>,
    /// Just in time only.
    pub eligible_only: bool,
    pub held: Span,
}

/// An identity tied, in one tenant, to a location PartnerID.
#[derive(Clone, Debug)]
pub struct Link {
    pub principal: Id,
    pub tenant: Id,
    pub partner_id: Told<String>,
    pub held: Span,
}

/// Bands in rising order, each `(above, unit price)`, the first above 0.
pub type Bands = Vec<(String, String)>;

/// One meter's prices.
#[derive(Clone, Debug)]
pub struct Price {
    pub meter: Id,
    pub product: String,
    pub sku: String,
    pub spot: bool,
    pub third_party: bool,
    pub bands: Bands,
    /// For subscriptions that are sold for development and test.
    pub dev_test: Bands,
}

/// A metered quantity, with the corrections that were made to it.
#[derive(Clone, Debug)]
pub struct Usage {
    pub subscription: usize,
    pub resource: String,
    pub meter: Id,
    /// Where in the day the interval begins; it decides day, plan and reseller.
    pub start: Time,
    pub quantity: Told<String>,
    pub adjusted: Vec<String>,
    pub voided: bool,
}

/// USD per one unit of a currency.
pub type Rates = Vec<(&'static str, String)>;

/// A month of one customer.
#[derive(Clone, Debug)]
pub struct World {
    pub customer_tenant: Id,
    /// First day of the month, and the first day after it.
    pub days: (DayNumber, DayNumber),
    pub partners: Vec<Partner>,
    pub plans: Vec<Plan>,
    pub subscriptions: Vec<Subscription>,
    pub grants: Vec<Grant>,
    pub delegations: Vec<Delegation>,
    pub denies: Vec<Deny>,
    pub links: Vec<Link>,
    pub prices: Vec<Price>,
    /// USD per one unit of each currency, published together.
    pub usd_per_unit: Told<Rates>,
    pub usage: Vec<Usage>,
}

impl World {
    /// Every instant at which anything about access may change, sorted.
    pub fn instants(&self) -> Vec<Time> {
        let mut all: Vec<Time> = (self.days.0..=self.days.1).map(|day| day * DAY).collect();
        for partner in &self.partners {
            partner.memberships.iter().flatten().chain(&partner.barred).for_each(|span| span.instants(&mut all));
            if let Qualified::Since(since) = partner.qualified {
                all.push(since);
            }
        }
        self.plans.iter().flat_map(|plan| &plan.resellers).for_each(|(at, _)| all.push(*at));
        self.subscriptions.iter().flat_map(|sub| &sub.plans).for_each(|(at, _)| all.push(*at));
        self.grants.iter().for_each(|grant| grant.held.instants(&mut all));
        self.delegations.iter().for_each(|delegation| delegation.held.instants(&mut all));
        self.denies.iter().for_each(|deny| deny.held.instants(&mut all));
        self.links.iter().for_each(|link| link.held.instants(&mut all));
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// What holds at `at` in a list of (from, value), in rising order; nothing before the first.
pub fn in_force<T>(list: &[(Time, T)], at: Time) -> Option<&T> {
    list.iter().rev().find(|(from, _)| *from <= at).map(|(_, value)| value)
}
