//! The facts of one made-up month, in the oracle's own terms: true statements with their times.
//!
//! No messages, no entries, no order of arrival: those are what the simulation makes of a world.
//! Times are seconds since 1970-01-01T00:00:00Z; a span without an end is open. Where upstream
//! contradicts itself, a world holds all that was told ([`Told`]) and what people decided about it.

use super::conflict::Told;
use super::policy::Document;

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

    /// What two spans share.
    pub fn common(&self, other: &Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let to = match (self.to, other.to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        to.is_none_or(|to| from < to).then_some(Self { from, to })
    }

    pub fn instants(&self, into: &mut Vec<Time>) {
        into.push(self.from);
        into.extend(self.to);
    }
}

/// A span whose end may be told in several ways: at this time or that one, or, in a body that speaks
/// of something else altogether, not at all.
#[derive(Clone, Debug)]
pub struct Spell {
    pub from: Time,
    /// Absent: nobody ever said that it ended.
    pub end: Option<Told<Option<Time>>>,
}

impl Spell {
    pub fn of(span: &Span) -> Self {
        Self { from: span.from, end: span.to.map(|to| Told::of([Some(to)])) }
    }

    /// By what counts.
    pub fn span(&self) -> Span {
        Span { from: self.from, to: self.end.as_ref().and_then(|told| *told.counts()) }
    }

    pub fn holds(&self, at: Time) -> bool {
        self.span().holds(at)
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
    pub registered: Told<Registered>,
    pub currency: &'static str,
    pub partner_ids: Vec<String>,
    pub admin_agents: Id,
    pub helpdesk_agents: Id,
    pub managing_tenant: Id,
    /// Users and service principals of the organisation.
    pub identities: Vec<Id>,
    /// Nothing was ever said about membership, or it was active in these spans.
    pub memberships: Option<Vec<Spell>>,
    pub barred: Vec<Spell>,
    pub qualified: Qualified,
}

impl Partner {
    pub fn kind(&self) -> Kind {
        self.registered.counts().kind
    }
}

/// What a registration says that may be told in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    pub kind: Kind,
    /// The groups of agents are stated, and so known for what they are.
    pub with_agents: bool,
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

/// Something that is used, and where it was: it has another id after each move.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Index into the subscriptions.
    pub subscription: usize,
    /// Its id from a time on; the first one from the start.
    pub homes: Vec<(Time, String)>,
}

/// A resource or resource group is deleted, and perhaps created again.
#[derive(Clone, Debug)]
pub struct Absence {
    pub scope: String,
    pub during: Span,
}

/// A subscription or management group stands below a management group; each below one at a time.
#[derive(Clone, Debug)]
pub struct Below {
    pub child: String,
    pub parent: String,
    pub held: Span,
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
    pub role: Told<Role>,
    pub held: Spell,
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

/// Somebody belongs to a group, directly.
#[derive(Clone, Debug)]
pub struct Member {
    pub group: Id,
    pub member: Id,
    pub held: Spell,
    pub by: Joined,
}

/// How a membership was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// When it began, and when it ended.
    Told,
    /// When it began, and until when it lasts.
    UntilStated,
    /// Only its end; whether it was there before is unknown, and nothing of the span counts.
    RemovalAlone,
}

/// A user or service principal is deleted from its directory.
#[derive(Clone, Debug)]
pub struct Departure {
    pub principal: Id,
    pub at: Time,
}

/// A deny assignment of every write, or of something narrower.
#[derive(Clone, Debug)]
pub struct Deny {
    pub id: Id,
    pub scope: String,
    pub principal: Id,
    pub every_write: Told<bool>,
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

/// Prices of a month, published together.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub id: Id,
    /// When it was published; `None` in a body that speaks of something else.
    pub published: Told<Option<Time>>,
    /// Whether its rows are told whole. A sheet that lacks one is not in force.
    pub whole: Told<bool>,
    pub prices: Vec<Price>,
}

/// One meter's prices.
#[derive(Clone, Debug)]
pub struct Price {
    pub meter: Id,
    pub product: String,
    pub sku: String,
    pub spot: bool,
    pub third_party: bool,
    /// From a day on; the first from the month's first day.
    pub bands: Vec<(DayNumber, Bands)>,
    /// For subscriptions that are sold for development and test.
    pub dev_test: Bands,
}

/// What was paid in advance and covers part of what a resource used of a meter on one day.
#[derive(Clone, Debug)]
pub struct Cover {
    pub plan: usize,
    pub subscription: usize,
    pub resource: String,
    pub meter: Id,
    pub day: DayNumber,
    /// Else by a savings plan.
    pub by_reservation: bool,
    pub quantity: Told<String>,
}

/// An amount in dollars that usage draws on, on days `[from, until)`.
#[derive(Clone, Debug)]
pub struct AzureCredit {
    pub name: String,
    /// Index of the partner whose plans draw on it.
    pub bill_to: usize,
    /// Else every plan of that partner.
    pub plan: Option<usize>,
    /// Else all usage of those plans.
    pub scope: Option<String>,
    pub amount: Told<String>,
    pub from: DayNumber,
    pub until: DayNumber,
}

/// Something that was bought beside usage, for a year in advance, and perhaps given back.
#[derive(Clone, Debug)]
pub struct Order {
    pub name: String,
    pub plan: usize,
    /// Else something that the Marketplace sells.
    pub reservation: bool,
    /// In dollars, for one unit; `None` in a body that speaks of something else.
    pub price: Told<Option<String>>,
    pub quantity: i64,
    pub at: Time,
    /// How many were given back, when.
    pub returned: Option<(Time, i64)>,
}

/// Money given back with a reason.
#[derive(Clone, Debug)]
pub struct Refund {
    pub name: String,
    pub plan: usize,
    pub amount: Told<String>,
    pub at: Time,
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

/// The rate of a partner's tax, from a day on.
#[derive(Clone, Debug)]
pub struct Tax {
    pub partner: usize,
    pub rate: String,
    pub from: DayNumber,
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
    pub resources: Vec<Resource>,
    pub absences: Vec<Absence>,
    pub tree: Vec<Below>,
    pub grants: Vec<Grant>,
    pub delegations: Vec<Delegation>,
    pub denies: Vec<Deny>,
    pub links: Vec<Link>,
    pub members: Vec<Member>,
    pub departures: Vec<Departure>,
    pub sheets: Vec<Sheet>,
    /// USD per one unit of each currency, published together.
    pub usd_per_unit: Told<Rates>,
    pub usage: Vec<Usage>,
    pub cover: Vec<Cover>,
    pub credits: Vec<AzureCredit>,
    pub orders: Vec<Order>,
    pub refunds: Vec<Refund>,
    pub policies: Vec<Document>,
    pub taxes: Vec<Tax>,
}

impl World {
    /// The prices in force: of the newest sheet that is whole, all days of the month.
    pub fn prices(&self) -> &[Price] {
        let published = |sheet: &&Sheet| sheet.published.counts().filter(|_| *sheet.whole.counts());
        let newest = self.sheets.iter().filter(|sheet| published(sheet).is_some()).max_by_key(published);
        &newest.expect("one sheet is never told in two ways").prices
    }

    /// Every instant at which anything about access may change, sorted.
    pub fn instants(&self) -> Vec<Time> {
        let mut all: Vec<Time> = (self.days.0..=self.days.1).map(|day| day * DAY).collect();
        for partner in &self.partners {
            let spells = partner.memberships.iter().flatten().chain(&partner.barred);
            spells.for_each(|spell| spell.span().instants(&mut all));
            if let Qualified::Since(since) = partner.qualified {
                all.push(since);
            }
        }
        self.plans.iter().flat_map(|plan| &plan.resellers).for_each(|(at, _)| all.push(*at));
        self.subscriptions.iter().flat_map(|sub| &sub.plans).for_each(|(at, _)| all.push(*at));
        self.resources.iter().flat_map(|one| &one.homes).for_each(|(at, _)| all.push(*at));
        self.absences.iter().for_each(|one| one.during.instants(&mut all));
        self.tree.iter().for_each(|place| place.held.instants(&mut all));
        self.grants.iter().for_each(|grant| grant.held.span().instants(&mut all));
        self.delegations.iter().for_each(|delegation| delegation.held.instants(&mut all));
        self.denies.iter().for_each(|deny| deny.held.instants(&mut all));
        self.links.iter().for_each(|link| link.held.instants(&mut all));
        self.members.iter().for_each(|one| one.held.span().instants(&mut all));
        all.extend(self.departures.iter().map(|one| one.at));
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// What holds at `at` in a list of (from, value), in rising order; nothing before the first.
pub fn in_force<T>(list: &[(Time, T)], at: Time) -> Option<&T> {
    list.iter().rev().find(|(from, _)| *from <= at).map(|(_, value)| value)
}
