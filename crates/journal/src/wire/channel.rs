//! The channel's kinds: their notation, their names, and how they are read and written.
//!
//! A family in one file: the table of kinds asks here by stream, so that a new kind of the channel
//! changes nothing else.

use domain::entry::{
    AgreementAccepted, AgreementAttested, AnswerReason, Attestation, AttesterRole, ChannelEvent, Contact, CreditStated,
    CustomerAffiliated, CustomerDesignated, Event, MarketAuthorised, MarketOffer, MfaMethod, OrderAnswered, OrderDoor,
    OrderKind, OrderRequested, PartnerAgreementSigned, PartnerStanding, Partnership, PostureStated, RelationshipEnded,
    RelationshipEstablished, ResellerEnrolled, ResellerOnboarded, TenantUse, TransitionState, TransitionStated,
};

use super::envelope::Received;
use super::form::{
    Added, Codec as _, Country, EventIdentity, Flag, FlagOrFalse, Id, List, Maybe, Name, NotNegative, Number, Object,
    RegionName, Time, Whole, Words, form, words,
};
use super::kinds::object;
use super::rejection::Problem;
use super::sink::Sink;

form! { CustomerDesignated {
    customer: "customerId" as Id,
    used_as: "customerType" as TenantUseWord,
    owner: "ownerTenantId" as Maybe<Id>,
    at: "effectiveAt" as Time,
} }

words! { TenantUseWord: TenantUse {
    "csp" = TenantUse::Csp,
    "customer" = TenantUse::Customer,
    "internal" = TenantUse::Internal,
} }

form! { CustomerAffiliated {
    customer: "customerId" as Id,
    partner: "partnerTenantId" as Id,
    at: "effectiveAt" as Time,
    until: "until" as Maybe<Time>,
} }

form! { Contact {
    first_name: "firstName" as Name,
    last_name: "lastName" as Name,
    email: "email" as Name,
    phone: "phoneNumber" as Maybe<Name>,
} }

words! { AttesterRoleWord: AttesterRole {
    "admin-agent" = AttesterRole::AdminAgent,
    "sales-agent" = AttesterRole::SalesAgent,
    "other" = AttesterRole::Other,
} }

form! { AgreementAttested {
    customer: "customerId" as Id,
    partner: "partnerTenantId" as Id,
    contact: "contact" as Object,
    role: "attestedByRole" as AttesterRoleWord,
    template: "templateId" as Name,
    agreed_at: "dateAgreed" as Time,
    at: "effectiveAt" as Time,
} }

form! { AgreementAccepted {
    customer: "customerId" as Id,
    partner: "partnerTenantId" as Id,
    at: "effectiveAt" as Time,
} }

form! { RelationshipEstablished {
    customer: "customerId" as Id,
    partner: "partnerTenantId" as Id,
    reseller: "resellerTenantId" as Maybe<Id>,
    delegated_rights: "delegatedRights" as FlagOrFalse,
    at: "effectiveAt" as Time,
} }

form! { RelationshipEnded {
    customer: "customerId" as Id,
    partner: "partnerTenantId" as Id,
    at: "effectiveAt" as Time,
} }

form! { TransitionStated {
    customer: "customerId" as Id,
    partner: "partnerTenantId" as Id,
    state: "state" as TransitionStateWord,
    at: "effectiveAt" as Time,
} }

words! { TransitionStateWord: TransitionState {
    "pending" = TransitionState::Pending,
    "in-progress" = TransitionState::InProgress,
    "failed" = TransitionState::Failed,
    "completed" = TransitionState::Completed,
} }

form! { Partnership {
    provider: "providerTenantId" as Id,
    reseller: "resellerTenantId" as Id,
    at: "effectiveAt" as Time,
} }

form! { PartnerAgreementSigned {
    partner: "partnerTenantId" as Id,
    region: "region" as RegionName,
    at: "effectiveAt" as Time,
} }

form! { PostureStated {
    partner: "partnerTenantId" as Id,
    method: "method" as MfaMethodWord,
    every_user: "everyUser" as Flag,
    at: "effectiveAt" as Time,
} }

words! { MfaMethodWord: MfaMethod {
    "security-defaults" = MfaMethod::SecurityDefaults,
    "conditional-access" = MfaMethod::ConditionalAccess,
    "third-party" = MfaMethod::ThirdParty,
    "none" = MfaMethod::None,
} }

form! { ResellerEnrolled {
    partner: "partnerTenantId" as Id,
    at: "effectiveAt" as Time,
} }

form! { ResellerOnboarded {
    partner: "partnerTenantId" as Id,
    partner_id: "partnerId" as Maybe<Name>,
    at: "effectiveAt" as Time,
} }

form! { MarketAuthorised {
    partner: "partnerTenantId" as Maybe<Id>,
    market: "market" as Country,
    offer: "offer" as MarketOfferWord,
    at: "effectiveAt" as Time,
    until: "until" as Maybe<Time>,
} }

words! { MarketOfferWord: MarketOffer {
    "csp" = MarketOffer::Csp,
    "azure-plan" = MarketOffer::AzurePlan,
} }

form! { CreditStated {
    partner: "partnerTenantId" as Id,
    limit: "limitUsd" as NotNegative,
    outstanding: "outstandingUsd" as Number,
    at: "effectiveAt" as Time,
} }

form! { Attestation {
    contact: "contact" as Object,
    role: "attestedByRole" as AttesterRoleWord,
    agreed_at: "dateAgreed" as Time,
} }

form! { OrderRequested {
    order: "orderId" as Name,
    kind: "kind" as OrderKindWord,
    customer: "customerId" as Id,
    partner: "partnerTenantId" as Id,
    reseller: "resellerPartnerId" as Maybe<Name>,
    counterpart: "counterpartTenantId" as Maybe<Id>,
    plan: "planId" as Maybe<Id>,
    subscription: "subscriptionId" as Maybe<Id>,
    amount: "amountUsd" as Maybe<NotNegative>,
    door: "door" as OrderDoorWord,
    attestation: "attestation" as Maybe<Object>,
    at: "requestedAt" as Time,
} then {
    term_ends_at: "termEndsAt" as Added<Time>,
} }

words! { OrderKindWord: OrderKind {
    "azure-plan" = OrderKind::AzurePlan,
    "azure-subscription" = OrderKind::AzureSubscription,
    "legacy-azure" = OrderKind::LegacyAzure,
    "licences" = OrderKind::Licences,
    "seat-change" = OrderKind::SeatChange,
    "reservation" = OrderKind::Reservation,
    "renewal" = OrderKind::Renewal,
    "sandbox" = OrderKind::Sandbox,
    "plan-suspension" = OrderKind::PlanSuspension,
    "reseller-of-record" = OrderKind::ResellerOfRecord,
    "relationship" = OrderKind::Relationship,
    "partnership" = OrderKind::Partnership,
    "transition" = OrderKind::Transition,
    "transfer" = OrderKind::Transfer,
    "licence-transfer" = OrderKind::LicenceTransfer,
    "manage" = OrderKind::Manage,
    "attestation" = OrderKind::Attestation,
} }

words! { OrderDoorWord: OrderDoor {
    "portal" = OrderDoor::Portal,
    "api-user" = OrderDoor::ApiUser,
    "api-app" = OrderDoor::ApiApp,
} }

form! { AnswerReason {
    rule: "rule" as Name,
    code: "code" as Name,
    error: "error" as Maybe<Name>,
    detail: "detail" as Words,
    instead: "instead" as List<Words>,
} then {
    source: "source" as Added<Name>,
} }

form! { OrderAnswered {
    answer: "answerId" as Name,
    request: "request" as EventIdentity,
    order: "orderId" as Name,
    accepted: "accepted" as Flag,
    reasons: "reasons" as List<Object>,
    first: "firstAnswerId" as Maybe<Name>,
    rules_version: "rulesVersion" as Whole,
    policy_revision: "policyRevision" as Whole,
} with { decision } }

macro_rules! channel_kinds {
    ($($variant:ident: $body:ty = $constant:ident, $name:literal;)*) => {
        $(pub(crate) fn $constant(received: &Received<'_>) -> Result<Event, Problem> {
            object(received, |body: $body| ChannelEvent::$variant(body).into())
        })*

        /// The type under which an event of the channel is published.
        #[must_use]
        pub(crate) fn type_of(event: &ChannelEvent) -> &'static str {
            match event { $(ChannelEvent::$variant(_) => $name,)* }
        }

        /// Writes the data of an event of the channel.
        pub(crate) fn write_data(event: &ChannelEvent, out: &mut impl Sink) {
            match event { $(ChannelEvent::$variant(data) => Object::write(data, out),)* }
        }
    };
}

channel_kinds! {
    CustomerDesignated: CustomerDesignated = designated, "pec.customer.designated.v1";
    CustomerAffiliated: CustomerAffiliated = affiliated, "pec.customer.affiliated.v1";
    AgreementAttested: AgreementAttested = attested, "pec.agreement.attested.v1";
    AgreementAccepted: AgreementAccepted = agreed, "pec.agreement.accepted.v1";
    RelationshipEstablished: RelationshipEstablished = relationship, "pec.reseller-relationship.established.v1";
    RelationshipEnded: RelationshipEnded = relationship_ended, "pec.reseller-relationship.ended.v1";
    TransitionStated: TransitionStated = transition_stated, "pec.transition.stated.v1";
    OrderRequested: OrderRequested = order, "pec.order.requested.v1";
    PartnershipEstablished: Partnership = partnership, "pec.partnership.established.v1";
    PartnershipEnded: Partnership = partnership_ended, "pec.partnership.ended.v1";
    PartnerAgreementSigned: PartnerAgreementSigned = signed, "pec.partner-agreement.signed.v1";
    PartnerRestricted: PartnerStanding = restricted, "pec.partner.restricted.v1";
    PartnerSuspended: PartnerStanding = suspended, "pec.partner.suspended.v1";
    PartnerRevoked: PartnerStanding = revoked, "pec.partner.revoked.v1";
    PostureStated: PostureStated = posture, "pec.security-posture.stated.v1";
    ResellerEnrolled: ResellerEnrolled = enrolled, "pec.reseller.enrolled.v1";
    ResellerOnboarded: ResellerOnboarded = onboarded, "pec.reseller.onboarded.v1";
    MarketAuthorised: MarketAuthorised = market, "pec.market.authorised.v1";
    CreditStated: CreditStated = credit, "pec.credit-limit.stated.v1";
    OrderAnswered: OrderAnswered = answered, "pec.order.answered.v1";
}
