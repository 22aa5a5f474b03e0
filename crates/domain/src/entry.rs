//! The vocabulary: what we can be told, and the entry in which we were told it.
//!
//! An [`Entry`] is one event of one journal position together with the outcome decided when it was
//! recorded. An [`Event`] is a fact in the past tense. Effective times are fields of the events;
//! `recorded_at` is ours and is used by as-of alone. Nothing here judges.

use rust_decimal::Decimal;

use crate::ids::{Currency, Digest, Guid, Identity, Market, MeterId};
use crate::period::{Day, Instant, Interval, Period};
use crate::scope::Scope;

/// One event as the journal gives it back.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Which message of the journal, counted from 0 without holes.
    pub position: u64,
    /// Which event of that message, counted from 0.
    pub index: u32,
    /// When we recorded it. Never goes back from one position to the next.
    pub recorded_at: Instant,
    pub outcome: Outcome,
    pub fact: Fact,
    /// The first accepted fact with the identity this one speaks of: the target of a correction
    /// (also when the correction itself conflicts), else the incumbent of a conflict. Absent when
    /// none is known yet. Handing it in spares the fold from remembering every single usage event.
    pub antecedent: Option<Box<Antecedent>>,
}

/// An earlier accepted fact, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Antecedent {
    pub at: EntryRef,
    pub fact: Fact,
}

impl Entry {
    /// Where this entry stands, as people cite it.
    #[must_use]
    pub fn at(&self) -> EntryRef {
        EntryRef { position: self.position, index: self.index }
    }
}

/// A citation of an entry: `position.index`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct EntryRef {
    pub position: u64,
    pub index: u32,
}

impl std::fmt::Display for EntryRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.position, self.index)
    }
}

/// What was decided about an entry when it was recorded, and is stored with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    Accepted,
    /// Same identity, same content as an earlier entry: counted and otherwise ignored.
    Duplicate,
    /// Same identity, other content: all bodies are kept, a person decides.
    Conflicting,
    /// Unreadable: kept with its bytes until a re-drive names it.
    Quarantined,
}

/// An event with its names. Equal identity and equal digest mean the same fact told again.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub identity: Identity,
    pub digest: Digest,
    pub event: Event,
}

/// Which of the four topics (or our own hand) an event belongs on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stream {
    Usage,
    Access,
    Commerce,
    Reference,
    /// Born here: written by `pec` itself, published to the `decisions` topic.
    Decisions,
}

impl Stream {
    pub const ALL: [Self; 5] = [Self::Usage, Self::Access, Self::Commerce, Self::Reference, Self::Decisions];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Access => "access",
            Self::Commerce => "commerce",
            Self::Reference => "reference",
            Self::Decisions => "decisions",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }
}

/// Everything we can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    UsageRecorded(Usage),
    UsageAdjusted(UsageAdjusted),
    UsageVoided(UsageVoided),

    AssignmentCreated(AssignmentCreated),
    AssignmentDeleted(AssignmentDeleted),
    AssignmentsListed(AssignmentsListed),
    DelegationChanged(Delegation),
    DelegationDeleted(DelegationDeleted),
    ScheduleCreated(Schedule),
    ScheduleCancelled(ScheduleCancelled),
    PalLinked(PalLinked),
    PalUnlinked(PalUnlinked),
    /// One of Azure's own role-assignment records, as it came.
    AssignmentActivity(AssignmentActivity),
    /// A readable Azure record of an operation that no rule reads. Kept and counted.
    OtherActivity(OtherActivity),

    CustomerRegistered(CustomerRegistered),
    PlanCreated(PlanCreated),
    SubscriptionCreated(SubscriptionCreated),
    SubscriptionCancelled(SubscriptionCancelled),
    TransferCompleted(TransferCompleted),
    ResellerOfRecordSet(ResellerOfRecordSet),

    PartnerRegistered(PartnerRegistered),
    MembershipStarted(MembershipChange),
    MembershipEnded(MembershipChange),
    PartnerBarred(PartnerStanding),
    PartnerReinstated(PartnerStanding),
    PriceSheetPublished(PriceSheet),
    PriceSheetPart(PriceSheetPart),
    ExchangeRatesPublished(ExchangeRates),
    PolicyPublished(PolicyDocument),

    InvoiceIssued(IssuedDocument),
    CreditNoteIssued(IssuedDocument),
    InvoiceVoided(InvoiceVoided),
    ConflictDecided(ConflictDecided),
    /// A quarantined entry read again. The facts it now yields follow as further entries of the
    /// re-drive's own position (index 1 and on), each with its own outcome, so that they are known
    /// from that time on and nothing else treats them specially.
    EntryRedriven(EntryRedriven),
    PolicyAdopted(PolicyDocument),
    AcceptanceRecorded(Acceptance),
    Restored(Restored),

    /// What could not be read, with the stable code of the reason (`R-…`). Its bytes stay in the
    /// journal.
    Unreadable(&'static str),
}

// ---------------------------------------------------------------------------------------- usage

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

// --------------------------------------------------------------------------------------- access

/// What a grant says. Type of principal is often unknown; role is the last segment of whatever
/// form the role definition id came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantFacts {
    pub principal: Guid,
    pub principal_type: Option<Box<str>>,
    pub role: Guid,
    pub condition: Option<Box<str>>,
}

/// Canonical form: a role assignment exists from `at`.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentCreated {
    pub assignment: Guid,
    pub scope: Scope,
    pub facts: GrantFacts,
    pub at: Instant,
}

/// Canonical form: a role assignment is gone from `at`.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentDeleted {
    pub assignment: Guid,
    pub scope: Scope,
    pub at: Instant,
}

/// What a listing of role assignments showed at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentsListed {
    pub scope: Scope,
    pub at: Instant,
    /// Whether every assignment at or below the scope is listed (once all parts are in).
    pub complete: bool,
    /// A listing in parts is in force only when all are known.
    pub part: Part,
    pub assignments: Vec<ListedAssignment>,
}

/// Which part of a message that did not fit one Kafka message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Names the whole.
    pub of: Box<str>,
    /// Counted from 0.
    pub number: u32,
    pub count: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListedAssignment {
    pub assignment: Guid,
    pub scope: Scope,
    pub facts: GrantFacts,
    pub created_at: Option<Instant>,
}

/// Azure Lighthouse: a customer's scope delegated to a managing tenant. Updates state the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Delegation {
    pub delegation: Guid,
    pub scope: Scope,
    pub managing_tenant: Guid,
    /// From a Marketplace managed-service offer (association is automatic) rather than a template.
    pub marketplace_offer: bool,
    pub authorizations: Vec<Authorization>,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Authorization {
    pub principal: Guid,
    pub role: Guid,
    /// Just-in-time only: never counts as access.
    pub eligible_only: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DelegationDeleted {
    pub delegation: Guid,
    pub scope: Scope,
    pub at: Instant,
}

/// Privileged Identity Management: a role held for a stated time. Active, not merely eligible,
/// when `eligible_only` is false.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub schedule: Guid,
    pub scope: Scope,
    pub principal: Guid,
    pub principal_type: Option<Box<str>>,
    pub role: Guid,
    pub eligible_only: bool,
    pub start: Instant,
    /// Absent: no expiration.
    pub end: Option<Instant>,
    /// When the record says it was provisioned; access begins at the later of the two.
    pub provisioned_at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleCancelled {
    pub schedule: Guid,
    pub scope: Scope,
    pub at: Instant,
}

/// Partner Admin Link: an identity tied, in one tenant, to a location PartnerID.
#[derive(Clone, Debug, PartialEq)]
pub struct PalLinked {
    pub principal: Guid,
    pub tenant: Guid,
    pub partner_id: Box<str>,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PalUnlinked {
    pub principal: Guid,
    pub tenant: Guid,
    pub at: Instant,
}

/// One record of Azure's own log about one role assignment. Grants need a Started record (facts)
/// and a Succeeded one (time); pairing is recomputed from the set of all records.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentActivity {
    pub operation: ActivityOperation,
    pub assignment: Guid,
    /// From the record's resource id, never from its body.
    pub scope: Scope,
    /// Absent in some pipelines; then the record pairs with nothing.
    pub correlation: Option<Box<str>>,
    /// Where the channel carries it (REST does, Event Hubs does not).
    pub operation_id: Option<Box<str>>,
    pub result: ActivityResult,
    /// What a body states: request of a write, response of a delete, properties of a cascade.
    pub facts: Option<GrantFacts>,
    /// The scope that the body states; a difference to `scope` is a finding.
    pub stated_scope: Option<Scope>,
    /// From a removal's body; proves a life that began before our log.
    pub created_at: Option<Instant>,
    /// The removal came with the deletion of its resource group.
    pub cascade: bool,
    pub at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ActivityOperation {
    Write,
    Delete,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ActivityResult {
    Started,
    Accepted,
    Succeeded,
    /// A delete that found nothing: changes nothing.
    NoContent,
    Failed,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OtherActivity {
    /// Lower case, for example `microsoft.compute/virtualmachines/write`.
    pub operation: Box<str>,
    pub at: Instant,
}

// ------------------------------------------------------------------------------------- commerce

#[derive(Clone, Debug, PartialEq)]
pub struct CustomerRegistered {
    pub customer: Guid,
    pub name: Box<str>,
    pub market: Market,
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

// ------------------------------------------------------------------------------------ reference

/// A partner organisation. Each list row has its own validity; the newest statement (by `at`) is
/// whole and replaces earlier ones.
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
    /// BLAKE3 over the canonical rows of all parts in order.
    pub rows_digest: Digest,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PriceSheetPart {
    pub sheet: Box<str>,
    /// Counted from 0.
    pub number: u32,
    pub rows: Vec<PriceRow>,
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

// ------------------------------------------------------------------------------------ born here

/// Who decided something here, why, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub actor: Box<str>,
    pub reason: Box<str>,
    pub at: Instant,
}

/// An invoice or credit note, whole: never recomputed.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuedDocument {
    /// Derived from bill-to, currency, period and revision.
    pub id: Box<str>,
    pub bill_to: Guid,
    pub currency: Currency,
    pub period: Period,
    pub revision: u32,
    /// For a credit note, the document that it amends.
    pub amends: Option<Box<str>>,
    pub lines: Vec<IssuedLine>,
    pub total: Decimal,
    /// The visible rounding line (all Subtotals so far, rounded, less totals issued so far).
    pub rounding: Decimal,
    /// BLAKE3 over the canonical lines.
    pub lines_digest: Digest,
    /// The journal's end when it was issued.
    pub position: u64,
    pub rules_version: u32,
    pub policy_revision: u32,
    pub decision: Decision,
}

/// A line of an issued document, as it was printed.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuedLine {
    pub key: LineKey,
    /// The month the line belongs to; for an adjustment, earlier than the document's.
    pub period: Period,
    /// Days whose change an adjustment carries; empty on ordinary lines.
    pub days: Vec<Day>,
    /// The quantity day by day, days without any left out: what tells later which days changed.
    pub by_day: Vec<(Day, Decimal)>,
    /// In full: one that 28 digits do not hold is refused at issue, never cut.
    pub quantity: Decimal,
    pub unit_price: Decimal,
    pub effective_unit_price: Decimal,
    /// List and net charge in the pricing currency after the line's floor, and in billing currency.
    pub charge_without_credit: Decimal,
    pub charge: Decimal,
    pub subtotal_without_credit: Decimal,
    pub subtotal: Decimal,
    pub exchange_rate: Decimal,
    pub rule: Box<str>,
}

/// What makes two amounts the same invoice line within a month (definitions: line key).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LineKey {
    pub customer: Guid,
    pub plan: Guid,
    /// Location PartnerID of the reseller of record.
    pub reseller: Option<Box<str>>,
    pub meter: MeterId,
    pub price_kind: PriceKind,
    pub product: Box<str>,
    pub sku: Box<str>,
    /// First day the price row was in force: tells two rows of one month apart.
    pub price_from: Day,
    /// Counted from 1.
    pub tier: u32,
    pub portion: Portion,
    /// PEC rate as a fraction, `0.15`; absent on lines without credit.
    pub credit_rate: Option<Decimal>,
}

/// Which part of a day's usage of a meter: the grain at which credit is judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Portion {
    PayAsYouGo,
    SavingsPlan,
    Reservation,
    AzureCredit,
}

#[derive(Clone, Debug, PartialEq)]
pub struct InvoiceVoided {
    /// The document that is void from now on.
    pub document: Box<str>,
    pub decision: Decision,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConflictDecided {
    pub identity: Identity,
    pub keep: Digest,
    /// The bodies known when it was decided; another one reopens the conflict.
    pub known: Vec<Digest>,
    pub decision: Decision,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntryRedriven {
    pub entry: EntryRef,
    pub decision: Decision,
}

/// A person accepted something that would otherwise stop us.
#[derive(Clone, Debug, PartialEq)]
pub struct Acceptance {
    /// `clock`, `unknown-access` or `offline-close`.
    pub what: Box<str>,
    pub bill_to: Option<Guid>,
    pub period: Option<Period>,
    pub decision: Decision,
}

/// The directory was restored; as-of before this is refused when it came from Kafka.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// `backup` or `kafka`.
    pub from: Box<str>,
    pub decision: Decision,
}

impl Event {
    /// The stream whose topic carries this kind.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        Some(match self {
            Self::UsageRecorded(_) | Self::UsageAdjusted(_) | Self::UsageVoided(_) => Stream::Usage,
            Self::AssignmentCreated(_)
            | Self::AssignmentDeleted(_)
            | Self::AssignmentsListed(_)
            | Self::DelegationChanged(_)
            | Self::DelegationDeleted(_)
            | Self::ScheduleCreated(_)
            | Self::ScheduleCancelled(_)
            | Self::PalLinked(_)
            | Self::PalUnlinked(_)
            | Self::AssignmentActivity(_)
            | Self::OtherActivity(_) => Stream::Access,
            Self::CustomerRegistered(_)
            | Self::PlanCreated(_)
            | Self::SubscriptionCreated(_)
            | Self::SubscriptionCancelled(_)
            | Self::TransferCompleted(_)
            | Self::ResellerOfRecordSet(_) => Stream::Commerce,
            Self::PartnerRegistered(_)
            | Self::MembershipStarted(_)
            | Self::MembershipEnded(_)
            | Self::PartnerBarred(_)
            | Self::PartnerReinstated(_)
            | Self::PriceSheetPublished(_)
            | Self::PriceSheetPart(_)
            | Self::ExchangeRatesPublished(_)
            | Self::PolicyPublished(_) => Stream::Reference,
            Self::InvoiceIssued(_)
            | Self::CreditNoteIssued(_)
            | Self::InvoiceVoided(_)
            | Self::ConflictDecided(_)
            | Self::EntryRedriven(_)
            | Self::PolicyAdopted(_)
            | Self::AcceptanceRecorded(_)
            | Self::Restored(_) => Stream::Decisions,
            Self::Unreadable(_) => return None,
        })
    }

    /// The identity of the event that this one speaks of, if it speaks of one.
    #[must_use]
    pub fn target(&self) -> Option<Identity> {
        match self {
            Self::UsageAdjusted(adjusted) => Some(adjusted.target),
            Self::UsageVoided(voided) => Some(voided.target),
            _ => None,
        }
    }
}
