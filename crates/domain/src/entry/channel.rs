//! The channel: who may sell to whom. Agreements, relationships, partnerships, security, markets,
//! credit, and the orders that all of these decide.
//!
//! One family of kinds, because one book reads them all. Effective times are fields (`at`); nothing
//! here judges.

use rust_decimal::Decimal;

use super::{Decision, Event, PartnerStanding, Stream};
use crate::ids::{Guid, Identity, Market};
use crate::period::Instant;
use crate::regions::Region;

/// Every event of the channel.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelEvent {
    CustomerDesignated(CustomerDesignated),
    CustomerAffiliated(CustomerAffiliated),
    AgreementAttested(AgreementAttested),
    AgreementAccepted(AgreementAccepted),
    RelationshipEstablished(RelationshipEstablished),
    RelationshipEnded(RelationshipEnded),
    TransitionStated(TransitionStated),
    OrderRequested(OrderRequested),

    PartnershipEstablished(Partnership),
    PartnershipEnded(Partnership),
    PartnerAgreementSigned(PartnerAgreementSigned),
    PartnerRestricted(PartnerStanding),
    PartnerSuspended(PartnerStanding),
    PartnerRevoked(PartnerStanding),
    PostureStated(PostureStated),
    ResellerEnrolled(ResellerEnrolled),
    ResellerOnboarded(ResellerOnboarded),
    MarketAuthorised(MarketAuthorised),
    CreditStated(CreditStated),

    OrderAnswered(OrderAnswered),
}

impl From<ChannelEvent> for Event {
    fn from(event: ChannelEvent) -> Self {
        Self::Channel(Box::new(event))
    }
}

impl ChannelEvent {
    #[must_use]
    pub fn stream(&self) -> Stream {
        match self {
            Self::CustomerDesignated(_)
            | Self::CustomerAffiliated(_)
            | Self::AgreementAttested(_)
            | Self::AgreementAccepted(_)
            | Self::RelationshipEstablished(_)
            | Self::RelationshipEnded(_)
            | Self::TransitionStated(_)
            | Self::OrderRequested(_) => Stream::Commerce,
            Self::PartnershipEstablished(_)
            | Self::PartnershipEnded(_)
            | Self::PartnerAgreementSigned(_)
            | Self::PartnerRestricted(_)
            | Self::PartnerSuspended(_)
            | Self::PartnerRevoked(_)
            | Self::PostureStated(_)
            | Self::ResellerEnrolled(_)
            | Self::ResellerOnboarded(_)
            | Self::MarketAuthorised(_)
            | Self::CreditStated(_) => Stream::Reference,
            Self::OrderAnswered(_) => Stream::Decisions,
        }
    }

    /// The customer whose partition it belongs in, for events of the commerce stream.
    #[must_use]
    pub fn customer(&self) -> Option<Guid> {
        match self {
            Self::CustomerDesignated(body) => Some(body.customer),
            Self::CustomerAffiliated(body) => Some(body.customer),
            Self::AgreementAttested(body) => Some(body.customer),
            Self::AgreementAccepted(body) => Some(body.customer),
            Self::RelationshipEstablished(body) => Some(body.customer),
            Self::RelationshipEnded(body) => Some(body.customer),
            Self::TransitionStated(body) => Some(body.customer),
            Self::OrderRequested(body) => Some(body.customer),
            Self::PartnershipEstablished(_)
            | Self::PartnershipEnded(_)
            | Self::PartnerAgreementSigned(_)
            | Self::PartnerRestricted(_)
            | Self::PartnerSuspended(_)
            | Self::PartnerRevoked(_)
            | Self::PostureStated(_)
            | Self::ResellerEnrolled(_)
            | Self::ResellerOnboarded(_)
            | Self::MarketAuthorised(_)
            | Self::CreditStated(_)
            | Self::OrderAnswered(_) => None,
        }
    }

    /// When it takes effect on credit; `None` for what moves no money. Only a reseller's
    /// qualification does: everything else decides orders alone.
    #[must_use]
    pub fn moves_credit_at(&self) -> Option<Instant> {
        match self {
            Self::PartnerAgreementSigned(body) => Some(body.at),
            Self::ResellerEnrolled(body) => Some(body.at),
            Self::ResellerOnboarded(body) => Some(body.at),
            Self::CustomerDesignated(_)
            | Self::CustomerAffiliated(_)
            | Self::AgreementAttested(_)
            | Self::AgreementAccepted(_)
            | Self::RelationshipEstablished(_)
            | Self::RelationshipEnded(_)
            | Self::TransitionStated(_)
            | Self::OrderRequested(_)
            | Self::PartnershipEstablished(_)
            | Self::PartnershipEnded(_)
            | Self::PartnerRestricted(_)
            | Self::PartnerSuspended(_)
            | Self::PartnerRevoked(_)
            | Self::PostureStated(_)
            | Self::MarketAuthorised(_)
            | Self::CreditStated(_)
            | Self::OrderAnswered(_) => None,
        }
    }
}

/// What a tenant is used as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TenantUse {
    /// A partner transacts from it: nothing is ever sold into it.
    Csp,
    /// An end customer's.
    Customer,
    /// A partner's own, customer type, for its internal use only.
    Internal,
}

/// A tenant was designated as one of the three.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerDesignated {
    pub customer: Guid,
    pub used_as: TenantUse,
    /// The partner tenant whose organisation it belongs to, where it is a partner's.
    pub owner: Option<Guid>,
    pub at: Instant,
}

/// A customer belongs to a partner's own group of companies.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerAffiliated {
    pub customer: Guid,
    pub partner: Guid,
    pub at: Instant,
    pub until: Option<Instant>,
}

/// The person who agreed, as an attestation names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub first_name: Box<str>,
    pub last_name: Box<str>,
    pub email: Box<str>,
    pub phone: Option<Box<str>>,
}

/// The role of the user who attests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AttesterRole {
    AdminAgent,
    SalesAgent,
    Other,
}

/// A partner attests that a customer agreed to the Microsoft Customer Agreement.
#[derive(Clone, Debug, PartialEq)]
pub struct AgreementAttested {
    pub customer: Guid,
    pub partner: Guid,
    pub contact: Contact,
    pub role: AttesterRole,
    pub template: Box<str>,
    pub agreed_at: Instant,
    /// When it was attested.
    pub at: Instant,
}

/// A customer accepted the agreement itself, for its business with one partner.
#[derive(Clone, Debug, PartialEq)]
pub struct AgreementAccepted {
    pub customer: Guid,
    pub partner: Guid,
    pub at: Instant,
}

/// A customer consented to buy from a partner; an indirect reseller may stand between.
#[derive(Clone, Debug, PartialEq)]
pub struct RelationshipEstablished {
    pub customer: Guid,
    pub partner: Guid,
    /// The reseller's tenant, where the partner is a provider.
    pub reseller: Option<Guid>,
    /// Whether delegated administration was granted with it.
    pub delegated_rights: bool,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RelationshipEnded {
    pub customer: Guid,
    pub partner: Guid,
    pub at: Instant,
}

/// How far the move of a customer's classic subscriptions has come. Ordered: at one instant the state
/// that is stated last is the one that ends it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TransitionState {
    Pending,
    InProgress,
    Failed,
    Completed,
}

/// How far a transition from the classic offer 0145P has come, as Partner Center tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct TransitionStated {
    pub customer: Guid,
    pub partner: Guid,
    pub state: TransitionState,
    pub at: Instant,
}

/// A provider and a reseller work together, or no longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Partnership {
    pub provider: Guid,
    pub reseller: Guid,
    pub at: Instant,
}

/// The Microsoft Partner Agreement, signed for one region.
#[derive(Clone, Debug, PartialEq)]
pub struct PartnerAgreementSigned {
    pub partner: Guid,
    pub region: Region,
    pub at: Instant,
}

/// How a partner makes its users prove themselves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MfaMethod {
    SecurityDefaults,
    /// Conditional access of Entra's premium plans.
    ConditionalAccess,
    ThirdParty,
    None,
}

/// What a partner tenant's security is from an instant on.
#[derive(Clone, Debug, PartialEq)]
pub struct PostureStated {
    pub partner: Guid,
    pub method: MfaMethod,
    /// Every user, service accounts and guests included.
    pub every_user: bool,
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResellerEnrolled {
    pub partner: Guid,
    pub at: Instant,
}

/// A reseller was onboarded in Partner Center, with the location PartnerID used for it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResellerOnboarded {
    pub partner: Guid,
    pub partner_id: Option<Box<str>>,
    pub at: Instant,
}

/// What an authorisation lets be sold in a market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MarketOffer {
    /// Everything that is sold through the programme.
    Csp,
    /// The Azure plan, whose list of countries is narrower.
    AzurePlan,
}

/// A market in which one partner, or every partner, may sell.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketAuthorised {
    /// Absent: every partner, which makes it a row of the list of markets.
    pub partner: Option<Guid>,
    pub market: Market,
    pub offer: MarketOffer,
    pub at: Instant,
    pub until: Option<Instant>,
}

/// A partner's credit with Microsoft, as it stood at an instant, in US dollars.
#[derive(Clone, Debug, PartialEq)]
pub struct CreditStated {
    pub partner: Guid,
    pub limit: Decimal,
    /// Unpaid invoices, disputed ones included, and unbilled charges, less overpayment.
    pub outstanding: Decimal,
    pub at: Instant,
}

/// What somebody wants to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OrderKind {
    AzurePlan,
    AzureSubscription,
    LegacyAzure,
    Licences,
    SeatChange,
    Reservation,
    /// A renewal that happens by itself.
    Renewal,
    Sandbox,
    PlanSuspension,
    ResellerOfRecord,
    /// A reseller relationship between a partner and a customer.
    Relationship,
    /// Between a provider and a reseller.
    Partnership,
    /// From the classic offer 0145P into the plan.
    Transition,
    /// Of a subscription to another partner.
    Transfer,
    /// Of licences to another partner.
    LicenceTransfer,
    /// Being hired to manage what was bought elsewhere.
    Manage,
    /// Attesting the customer agreement.
    Attestation,
}

impl OrderKind {
    pub const ALL: [Self; 17] = [
        Self::AzurePlan,
        Self::AzureSubscription,
        Self::LegacyAzure,
        Self::Licences,
        Self::SeatChange,
        Self::Reservation,
        Self::Renewal,
        Self::Sandbox,
        Self::PlanSuspension,
        Self::ResellerOfRecord,
        Self::Relationship,
        Self::Partnership,
        Self::Transition,
        Self::Transfer,
        Self::LicenceTransfer,
        Self::Manage,
        Self::Attestation,
    ];

    /// The word that events use.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::AzurePlan => "azure-plan",
            Self::AzureSubscription => "azure-subscription",
            Self::LegacyAzure => "legacy-azure",
            Self::Licences => "licences",
            Self::SeatChange => "seat-change",
            Self::Reservation => "reservation",
            Self::Renewal => "renewal",
            Self::Sandbox => "sandbox",
            Self::PlanSuspension => "plan-suspension",
            Self::ResellerOfRecord => "reseller-of-record",
            Self::Relationship => "relationship",
            Self::Partnership => "partnership",
            Self::Transition => "transition",
            Self::Transfer => "transfer",
            Self::LicenceTransfer => "licence-transfer",
            Self::Manage => "manage",
            Self::Attestation => "attestation",
        }
    }
}

/// By which door an order comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OrderDoor {
    Portal,
    /// The API, in the name of a user.
    ApiUser,
    /// The API, in the name of an application.
    ApiApp,
}

/// Who attests, as part of an order of that kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Attestation {
    pub contact: Contact,
    pub role: AttesterRole,
    pub agreed_at: Instant,
}

/// Somebody asks for an order, or for a relationship.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRequested {
    pub order: Box<str>,
    pub kind: OrderKind,
    pub customer: Guid,
    /// The tenant that orders.
    pub partner: Guid,
    /// Location PartnerID of the reseller it is for.
    pub reseller: Option<Box<str>>,
    /// The other party: the reseller of a partnership, the current partner of a transfer.
    pub counterpart: Option<Guid>,
    pub plan: Option<Guid>,
    pub subscription: Option<Guid>,
    /// What it will cost, where that is known beforehand.
    pub amount: Option<Decimal>,
    pub door: OrderDoor,
    pub attestation: Option<Attestation>,
    /// When it takes effect: its verdict is about this instant.
    pub at: Instant,
    /// When the term of the licences ends that are to move; where it is known.
    pub term_ends_at: Option<Instant>,
}

/// One reason of an answer, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerReason {
    pub rule: Box<str>,
    pub code: Box<str>,
    /// Microsoft's own number, where there is one.
    pub error: Option<Box<str>>,
    pub detail: Box<str>,
    pub instead: Vec<Box<str>>,
    /// Where the rule comes from: page and date. Answers of earlier versions do not say.
    pub source: Option<Box<str>>,
}

/// What an order was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderAnswered {
    pub answer: Box<str>,
    /// The event that asked.
    pub request: Identity,
    pub order: Box<str>,
    pub accepted: bool,
    pub reasons: Vec<AnswerReason>,
    /// The first answer to the order, where this is a later one.
    pub first: Option<Box<str>>,
    pub rules_version: u32,
    pub policy_revision: u32,
    pub decision: Decision,
}
