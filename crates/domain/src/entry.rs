//! The vocabulary: what we can be told, and the entry in which we were told it.
//!
//! An [`Entry`] is one event of one journal position together with the outcome decided when it was
//! recorded. An [`Event`] is a fact in the past tense. Effective times are fields of the events;
//! `recorded_at` is ours and is used by as-of alone. Nothing here judges.

mod usage;
mod access;
mod commerce;
mod charges;
mod reference;
mod decisions;
mod channel;

pub use access::*;
pub use channel::*;
pub use charges::*;
pub use commerce::*;
pub use decisions::*;
pub use reference::*;
pub use usage::*;

use crate::ids::{Digest, Identity};
use crate::period::Instant;

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
    /// The first accepted fact with this very identity, where a correction conflicts: its antecedent
    /// is its target, and both bodies count for what drafts are made of.
    pub incumbent: Option<Box<Antecedent>>,
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
    DenyAssigned(DenyAssignment),
    DenyRemoved(DenyAssignmentDeleted),
    GroupMemberAdded(GroupMemberAdded),
    GroupMemberRemoved(GroupMemberRemoved),
    PrincipalDeleted(PrincipalDeleted),
    ScopeCreated(ScopeChange),
    ScopeDeleted(ScopeChange),
    ScopeMoved(ScopeMoved),
    SubscriptionMoved(SubscriptionMoved),
    TreeChanged(TreeChange),
    /// One of Azure's own records of moved resources, as it came.
    MoveActivity(MoveActivity),
    /// One of Azure's own role-assignment records, as it came.
    AssignmentActivity(AssignmentActivity),
    /// A readable Azure record of an operation that no rule reads. Kept and counted.
    OtherActivity(OtherActivity),

    CustomerRegistered(CustomerRegistered),
    PlanCreated(PlanCreated),
    SubscriptionCreated(SubscriptionCreated),
    SubscriptionCancelled(SubscriptionCancelled),
    SubscriptionSuspended(SubscriptionChange),
    SubscriptionResumed(SubscriptionChange),
    /// Left the classic offer 0145P for an Azure plan.
    SubscriptionTransitioned(Move),
    PlanSuspended(PlanChange),
    PlanReactivated(PlanChange),
    PlanCancelled(PlanChange),
    TransferRequested(Move),
    TransferCancelled(Move),
    TransferCompleted(TransferCompleted),
    ResellerOfRecordSet(ResellerOfRecordSet),
    CoverageRecorded(CoverageRecorded),
    ChargeRecorded(ChargeRecorded),
    AzureCreditGranted(AzureCreditGranted),
    RefundGranted(RefundGranted),

    PartnerRegistered(PartnerRegistered),
    MembershipStarted(MembershipChange),
    MembershipEnded(MembershipChange),
    PartnerBarred(PartnerStanding),
    PartnerReinstated(PartnerStanding),
    RolesPublished(RoleList),
    PriceSheetPublished(PriceSheet),
    PriceSheetPart(PriceSheetPart),
    ExchangeRatesPublished(ExchangeRates),
    TaxSet(TaxSet),
    PolicyPublished(PolicyDocument),

    /// Who may sell to whom: agreements, relationships, standing, orders and their answers.
    Channel(Box<ChannelEvent>),

    InvoiceIssued(IssuedDocument),
    CreditNoteIssued(IssuedDocument),
    InvoiceVoided(InvoiceVoided),
    ConflictDecided(ConflictDecided),
    /// A quarantined entry read again. The facts it now yields follow as further entries of the
    /// re-drive's own position (index 1 and on), each with its own outcome, so that they are known
    /// from that time on and nothing else treats them specially.
    EntryRedriven(EntryRedriven),
    PolicyAdopted(PolicyAdopted),
    AcceptanceRecorded(Acceptance),
    Restored(Restored),

    /// What could not be read, with the stable code of the reason (`R-…`). Its bytes stay in the
    /// journal.
    Unreadable(&'static str),
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
            | Self::DenyAssigned(_)
            | Self::DenyRemoved(_)
            | Self::GroupMemberAdded(_)
            | Self::GroupMemberRemoved(_)
            | Self::PrincipalDeleted(_)
            | Self::ScopeCreated(_)
            | Self::ScopeDeleted(_)
            | Self::ScopeMoved(_)
            | Self::SubscriptionMoved(_)
            | Self::TreeChanged(_)
            | Self::MoveActivity(_)
            | Self::AssignmentActivity(_)
            | Self::OtherActivity(_) => Stream::Access,
            Self::CustomerRegistered(_)
            | Self::PlanCreated(_)
            | Self::SubscriptionCreated(_)
            | Self::SubscriptionCancelled(_)
            | Self::TransferCompleted(_)
            | Self::ResellerOfRecordSet(_)
            | Self::SubscriptionSuspended(_)
            | Self::SubscriptionResumed(_)
            | Self::SubscriptionTransitioned(_)
            | Self::PlanSuspended(_)
            | Self::PlanReactivated(_)
            | Self::PlanCancelled(_)
            | Self::TransferRequested(_)
            | Self::TransferCancelled(_)
            | Self::CoverageRecorded(_)
            | Self::ChargeRecorded(_)
            | Self::AzureCreditGranted(_)
            | Self::RefundGranted(_) => Stream::Commerce,
            Self::PartnerRegistered(_)
            | Self::MembershipStarted(_)
            | Self::MembershipEnded(_)
            | Self::PartnerBarred(_)
            | Self::PartnerReinstated(_)
            | Self::RolesPublished(_)
            | Self::PriceSheetPublished(_)
            | Self::PriceSheetPart(_)
            | Self::ExchangeRatesPublished(_)
            | Self::TaxSet(_)
            | Self::PolicyPublished(_) => Stream::Reference,
            Self::InvoiceIssued(_)
            | Self::CreditNoteIssued(_)
            | Self::InvoiceVoided(_)
            | Self::ConflictDecided(_)
            | Self::EntryRedriven(_)
            | Self::PolicyAdopted(_)
            | Self::AcceptanceRecorded(_)
            | Self::Restored(_) => Stream::Decisions,
            Self::Channel(channel) => channel.stream(),
            Self::Unreadable(_) => return None,
        })
    }

    /// The identity of the event that this one speaks of, if it speaks of one.
    #[must_use]
    pub fn target(&self) -> Option<Identity> {
        if let Self::UsageAdjusted(adjusted) = self {
            return Some(adjusted.target);
        }
        if let Self::UsageVoided(voided) = self { Some(voided.target) } else { None }
    }
}

#[cfg(test)]
mod tests;
