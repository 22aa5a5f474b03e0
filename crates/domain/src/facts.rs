//! Facts: everything we were told, filed under the time it was true.
//!
//! A directory of books; each book owns its facts and how they are put in order. Filing is total
//! and idempotent: duplicates do nothing, conflicts keep every body, and the order of arrival
//! leaves no trace but in what is named to depend on it (`issued`, `late`, positions).

use std::sync::OnceLock;

use crate::access::AccessBook;
use crate::channel::ChannelBook;
use crate::charges::ChargeBook;
use crate::commerce::{Commerce, CommerceBook, Moving, State};
use crate::conflict::ConflictBook;
use crate::entry::{
    ConflictDecided, Entry, Event, Move, Outcome, PlanChange, PolicyDocument, Stream, SubscriptionChange,
};
use crate::filing::Said;
use crate::issued::IssuedBook;
use crate::partners::PartnerBook;
use crate::policy::PolicyBook;
use crate::prices::PriceBook;
use crate::projection::Projection;
use crate::roles::RoleBook;
use crate::usage::{self, UsageBook};

/// How many entries had which outcome, and how many effective days were already issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub accepted: u64,
    pub duplicate: u64,
    pub conflicting: u64,
    pub quarantined: u64,
    pub late: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub usage: UsageBook,
    pub access: AccessBook,
    pub commerce: CommerceBook,
    pub charges: ChargeBook,
    pub partners: PartnerBook,
    pub channel: ChannelBook,
    pub prices: PriceBook,
    pub policy: PolicyBook,
    pub roles: RoleBook,
    pub issued: IssuedBook,
    pub conflicts: ConflictBook,
    pub counts: Counts,
    /// How often anything was told that may change what usage costs, other than usage.
    pub(crate) terms: u64,
    /// The commerce facts in order, kept while they do not change: asked for lateness alone.
    ordered: OnceLock<Commerce>,
}

impl Projection for Facts {
    const AHEAD: usize = usage::TOGETHER;

    fn expect(&mut self, next: &[Entry]) {
        self.usage.expect(next);
    }

    fn apply(&mut self, entry: &Entry) {
        match entry.outcome {
            Outcome::Accepted => self.counts.accepted += 1,
            Outcome::Duplicate => {
                self.counts.duplicate += 1;
                self.usage.tell_again(entry);
                return;
            }
            Outcome::Conflicting => {
                self.counts.conflicting += 1;
                self.conflicts.note(entry, self.usage.bodies(entry.fact.identity));
            }
            Outcome::Quarantined => {
                self.counts.quarantined += 1;
                return;
            }
        }
        if self.issued.is_late(entry, &self.policy, || self.ordered.get_or_init(|| self.commerce.view())) {
            self.counts.late += 1;
        }
        self.file(entry);
        // A second body may be of another kind, so that a book hears of it that would not have cared.
        self.terms += u64::from(entry.outcome == Outcome::Conflicting || is_term(&entry.fact.event));
        if entry.outcome == Outcome::Conflicting {
            let identity = entry.fact.identity;
            for digest in self.conflicts.digests(identity) {
                self.hear(Said::Told(identity, digest));
            }
        }
    }
}

impl Facts {
    /// Facts that keep times of sending apart from the first entry on.
    #[must_use]
    pub fn keeping_sent() -> Self {
        let mut facts = Self::default();
        facts.usage.keep_sent();
        facts
    }

    fn file_policy(&mut self, entry: &Entry, document: &PolicyDocument) {
        self.policy.file(entry.fact.identity, entry.fact.digest, document.clone());
        if self.policy.needs_sent() {
            self.usage.keep_sent();
        }
    }

    fn file(&mut self, entry: &Entry) {
        if matches!(entry.fact.event.stream(), Some(Stream::Commerce | Stream::Decisions)) {
            self.ordered = OnceLock::new();
        }
        let (identity, digest) = (entry.fact.identity, entry.fact.digest);
        match &entry.fact.event {
            Event::UsageRecorded(_) | Event::UsageAdjusted(_) | Event::UsageVoided(_) => self.usage.apply(entry),

            Event::AssignmentCreated(_)
            | Event::AssignmentDeleted(_)
            | Event::AssignmentsListed(_)
            | Event::DelegationChanged(_)
            | Event::DelegationDeleted(_)
            | Event::ScheduleCreated(_)
            | Event::ScheduleCancelled(_)
            | Event::PalLinked(_)
            | Event::PalUnlinked(_)
            | Event::DenyAssigned(_)
            | Event::DenyRemoved(_)
            | Event::GroupMemberAdded(_)
            | Event::GroupMemberRemoved(_)
            | Event::PrincipalDeleted(_)
            | Event::ScopeCreated(_)
            | Event::ScopeDeleted(_)
            | Event::ScopeMoved(_)
            | Event::SubscriptionMoved(_)
            | Event::TreeChanged(_)
            | Event::MoveActivity(_)
            | Event::AssignmentActivity(_) => self.access.apply(entry),
            Event::OtherActivity(_) | Event::Unreadable(_) | Event::EntryRedriven(_) | Event::Restored(_) => {}

            Event::CustomerRegistered(body) => self.commerce.file_customer(identity, digest, body.clone()),
            Event::PlanCreated(body) => self.commerce.file_plan(identity, digest, body.clone()),
            Event::SubscriptionCreated(body) => self.commerce.file_subscription(identity, digest, body.clone()),
            Event::SubscriptionCancelled(body) => self.commerce.file_cancellation(identity, digest, body.clone()),
            Event::TransferCompleted(body) => self.commerce.file_transfer(identity, digest, body.clone()),
            Event::ResellerOfRecordSet(body) => self.commerce.file_reseller(identity, digest, body.clone()),

            Event::SubscriptionSuspended(body) => self.file_state(entry, State::Suspended, body),
            Event::SubscriptionResumed(body) => self.file_state(entry, State::Active, body),
            Event::PlanSuspended(body) => self.file_plan_state(entry, State::Suspended, body),
            Event::PlanReactivated(body) => self.file_plan_state(entry, State::Active, body),
            Event::PlanCancelled(body) => self.file_plan_state(entry, State::Cancelled, body),
            Event::SubscriptionTransitioned(body) => self.file_move(entry, Moving::Transitioned, body),
            Event::TransferRequested(body) => self.file_move(entry, Moving::Requested, body),
            Event::TransferCancelled(body) => self.file_move(entry, Moving::Withdrawn, body),

            Event::CoverageRecorded(body) => self.charges.file_coverage(identity, digest, body),
            Event::ChargeRecorded(body) => self.charges.file_charge(identity, digest, body.clone()),
            Event::AzureCreditGranted(body) => self.charges.file_credit(identity, digest, body.clone()),
            Event::RefundGranted(body) => self.charges.file_refund(identity, digest, body.clone()),
            Event::TaxSet(body) => self.charges.file_tax(identity, digest, body.clone()),

            Event::PartnerRegistered(_)
            | Event::MembershipStarted(_)
            | Event::MembershipEnded(_)
            | Event::PartnerBarred(_) => self.partners.apply(entry),
            Event::PartnerReinstated(body) => {
                self.partners.apply(entry);
                self.channel.file_reinstated(identity, digest, body.clone());
            }
            Event::Channel(body) => self.channel.file(identity, digest, (**body).clone()),
            Event::PriceSheetPublished(sheet) => self.prices.file_sheet(identity, digest, sheet.clone()),
            Event::PriceSheetPart(part) => self.prices.file_part(identity, digest, part.clone()),
            Event::ExchangeRatesPublished(rates) => self.prices.file_rates(identity, digest, rates.clone()),
            Event::PolicyPublished(body) => self.file_policy(entry, body),
            Event::PolicyAdopted(adopted) => self.file_policy(entry, &adopted.document),

            Event::RolesPublished(body) => self.roles.file(identity, digest, body.clone()),

            Event::InvoiceIssued(document) | Event::CreditNoteIssued(document) => {
                self.issued.file_document(identity, digest, document.clone());
            }
            Event::InvoiceVoided(voided) => self.issued.file_voided(identity, digest, voided.clone()),
            Event::AcceptanceRecorded(body) => self.issued.file_acceptance(identity, digest, body.clone()),
            Event::ConflictDecided(decided) => self.decide(decided),
        }
    }

    fn file_state(&mut self, entry: &Entry, state: State, body: &SubscriptionChange) {
        self.commerce.file_state(entry.fact.identity, entry.fact.digest, state, body.clone());
    }

    fn file_plan_state(&mut self, entry: &Entry, state: State, body: &PlanChange) {
        self.commerce.file_plan_state(entry.fact.identity, entry.fact.digest, state, body.clone());
    }

    fn file_move(&mut self, entry: &Entry, moving: Moving, body: &Move) {
        self.commerce.file_move(entry.fact.identity, entry.fact.digest, moving, body.clone());
    }

    fn decide(&mut self, decided: &ConflictDecided) {
        self.conflicts.decide(decided);
        self.usage.decide(decided);
        self.hear(Said::Decided(decided));
    }

    /// Usage and the list of conflicts keep all kinds together and need not be told.
    fn hear(&mut self, said: Said<'_>) {
        self.access.hear(said);
        self.commerce.hear(said);
        self.charges.hear(said);
        self.partners.hear(said);
        self.channel.hear(said);
        self.prices.hear(said);
        self.policy.hear(said);
        self.roles.hear(said);
        self.issued.hear(said);
    }
}

/// Whether an event may change what usage costs: all but those that are known not to, so that a new kind counts
/// until somebody thought about it. Usage is not meant: its book knows where it changed.
fn is_term(event: &Event) -> bool {
    let known_not_to = matches!(
        event,
        Event::UsageRecorded(_)
            | Event::UsageAdjusted(_)
            | Event::UsageVoided(_)
            | Event::MembershipStarted(_)
            | Event::MembershipEnded(_)
            | Event::PartnerBarred(_)
            | Event::PartnerReinstated(_)
            | Event::RolesPublished(_)
            | Event::Channel(_)
            | Event::InvoiceIssued(_)
            | Event::CreditNoteIssued(_)
            | Event::InvoiceVoided(_)
            | Event::AcceptanceRecorded(_)
    );
    !known_not_to && event.stream() != Some(Stream::Access)
}

#[cfg(test)]
mod tests;
