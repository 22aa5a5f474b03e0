//! Born here: what was decided by a person or by this program, kept as events like any other.

use rust_decimal::Decimal;

use super::{EntryRef, PolicyDocument, PriceKind};
use crate::ids::{Currency, Digest, Guid, Identity, MeterId};
use crate::period::{Day, Instant, Period};

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
    /// Beside the total, in billing currency; absent where tax is off.
    pub tax: Option<Decimal>,
    /// BLAKE3 over the canonical lines.
    pub lines_digest: Digest,
    /// The journal's end when it was issued.
    pub position: u64,
    pub rules_version: u32,
    /// Of the policy in force on the first day of the month, which cuts and adds up; lines name others.
    pub policy_revision: u32,
    pub decision: Decision,
}

impl IssuedDocument {
    /// Every revision of the policy that decided anything in it, in order.
    #[must_use]
    pub fn policy_revisions(&self) -> Vec<u32> {
        let of_lines = self.lines.iter().flat_map(|line| line.policy_revisions.iter().flatten().copied());
        let all: std::collections::BTreeSet<u32> = of_lines.chain([self.policy_revision]).collect();
        all.into_iter().collect()
    }
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
    /// In billing currency; absent where tax is off or drawn on totals.
    pub tax: Option<Decimal>,
    /// The revisions of the policy in force on the line's days, in order; absent where that is the document's.
    pub policy_revisions: Option<Vec<u32>>,
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
    /// What tells a line apart that is more than metered usage; absent on ordinary lines.
    pub charge: Option<Box<ChargeKey>>,
}

/// What tells apart lines of charges and credits: a purchase, an instalment, a return, a credit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ChargeKey {
    pub charge_type: ChargeType,
    /// The order, grant or refund.
    pub order: Box<str>,
    /// As the column CreditReasonCode prints it; credits have one.
    pub reason: Option<Box<str>>,
}

/// What a line charges, in the words of the column ChargeType.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ChargeType {
    New,
    Renew,
    CycleCharge,
    CancelImmediate,
    CustomerCredit,
}

impl ChargeType {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Renew => "renew",
            Self::CycleCharge => "cycleCharge",
            Self::CancelImmediate => "cancelImmediate",
            Self::CustomerCredit => "customerCredit",
        }
    }
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

/// A policy that came into the journal here: the built-in one on first start, else by a person.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyAdopted {
    pub document: PolicyDocument,
    /// Absent for the built-in one, which nobody chose.
    pub decision: Option<Decision>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntryRedriven {
    /// Where the entry stands in the journal in which this was decided.
    pub entry: EntryRef,
    /// What its message is called in every journal; earlier builds did not say it.
    pub message: Option<MessageName>,
    pub decision: Decision,
}

/// A message, named so that another journal can tell whether it holds the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageName {
    /// BLAKE3 of key, headers and value, as the journal keeps them.
    pub digest: Digest,
    pub kafka: Option<KafkaPlace>,
    pub file: Option<FilePlace>,
}

/// Where Kafka holds a message, or held it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaPlace {
    pub topic: Box<str>,
    pub partition: u32,
    pub offset: u64,
}

/// Which record of which file a message was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    pub name: Box<str>,
    /// BLAKE3 of the whole file.
    pub digest: Digest,
    /// Counted from 0.
    pub record: u64,
}

/// A person accepted something that would otherwise stop us.
#[derive(Clone, Debug, PartialEq)]
pub struct Acceptance {
    /// `clock`, `unknown-access` or `offline-close`; of Kafka `retention-gap`, `recreated-topic`,
    /// `new-partitions` or `other-cluster`; of a restore from it `restored-without-records` and
    /// `restored-without-decisions`, and `missing-records` and `missing-decisions` where a close accepts them.
    pub what: Box<str>,
    /// Which partition or cluster it was, and what that costs, where it concerns one; of unknown access the
    /// days, each by its date with a blank between.
    pub about: Option<Box<str>>,
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
