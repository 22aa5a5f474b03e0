//! What is decided here and published to the decisions topic: issued documents and decisions.
//!
//! These are read back from the journal like anything else, so their notation is a promise too.
//! Amounts are decimal text with every digit; a document is whole, lines and digest included.

use domain::entry::{
    Acceptance, ChargeKey, ChargeType, ConflictDecided, Decision, EntryRedriven, FilePlace, InvoiceVoided,
    IssuedDocument, IssuedLine, KafkaPlace, LineKey, MessageName, PolicyAdopted, Portion, Restored,
};
use domain::period::Day;
use rust_decimal::Decimal;

use super::form::{
    Added, Blake3, Boxed, Citation, Codec, EventIdentity, Fields, Id, List, Maybe, Meter, Money, Month, Name, Number,
    Object, Reason, Time, UtcDay, Whole, Words, form, words,
};
use super::json::Value;
use super::reference::PriceKindWord;
use super::rejection::Problem;
use super::sink::Sink;

form! { Decision {
    actor: "actor" as Reason,
    reason: "reason" as Words,
    at: "decidedAt" as Time,
} }

form! { IssuedDocument {
    id: "documentId" as Name,
    bill_to: "billToTenantId" as Id,
    currency: "currency" as Money,
    period: "month" as Month,
    revision: "revision" as Whole,
    amends: "amends" as Maybe<Name>,
    lines: "lines" as List<Object>,
    total: "total" as Number,
    rounding: "rounding" as Number,
    lines_digest: "linesDigest" as Blake3,
    position: "position" as Whole,
    rules_version: "rulesVersion" as Whole,
    policy_revision: "policyRevision" as Whole,
    tax: "tax" as Added<Number>,
} with { decision } }

form! { IssuedLine {
    key: "key" as Object,
    period: "month" as Month,
    days: "days" as List<UtcDay>,
    by_day: "byDay" as List<Object>,
    quantity: "quantity" as Number,
    unit_price: "unitPrice" as Number,
    effective_unit_price: "effectiveUnitPrice" as Number,
    charge_without_credit: "chargeWithoutCredit" as Number,
    charge: "charge" as Number,
    subtotal_without_credit: "subtotalWithoutCredit" as Number,
    subtotal: "subtotal" as Number,
    exchange_rate: "exchangeRate" as Number,
    rule: "rule" as Words,
    tax: "tax" as Added<Number>,
    policy_revisions: "policyRevisions" as Added<List<Whole>>,
} }

/// What was used on one day of a line.
impl Fields for (Day, Decimal) {
    fn read_fields(object: Value<'_>) -> Result<Self, Problem> {
        let day = UtcDay::read(object.get("day")).map_err(|problem| problem.within("day"))?;
        let quantity = Number::read(object.get("quantity")).map_err(|problem| problem.within("quantity"))?;
        Ok((day, quantity))
    }

    fn write_fields(&self, out: &mut impl Sink) {
        out.field("day");
        UtcDay::write(&self.0, out);
        out.field("quantity");
        Number::write(&self.1, out);
    }
}

form! { LineKey {
    customer: "customerId" as Id,
    plan: "planId" as Id,
    reseller: "resellerPartnerId" as Maybe<Name>,
    meter: "meterId" as Meter,
    price_kind: "priceKind" as PriceKindWord,
    product: "productId" as Words,
    sku: "skuId" as Words,
    price_from: "priceFrom" as UtcDay,
    tier: "tier" as Whole,
    portion: "portion" as PortionWord,
    credit_rate: "creditRate" as Maybe<Number>,
    charge: "charge" as Added<Boxed<Object>>,
} }

form! { ChargeKey {
    charge_type: "chargeType" as ChargeTypeWord,
    order: "orderId" as Name,
    reason: "creditReasonCode" as Maybe<Name>,
} }

words! { ChargeTypeWord: ChargeType {
    "new" = ChargeType::New,
    "renew" = ChargeType::Renew,
    "cycleCharge" = ChargeType::CycleCharge,
    "cancelImmediate" = ChargeType::CancelImmediate,
    "customerCredit" = ChargeType::CustomerCredit,
} }

words! { PortionWord: Portion {
    "pay-as-you-go" = Portion::PayAsYouGo,
    "savings-plan" = Portion::SavingsPlan,
    "reservation" = Portion::Reservation,
    "azure-credit" = Portion::AzureCredit,
} }

form! { InvoiceVoided {
    document: "documentId" as Name,
} with { decision } }

form! { ConflictDecided {
    identity: "identity" as EventIdentity,
    keep: "keep" as Blake3,
    known: "known" as List<Blake3>,
} with { decision } }

form! { PolicyAdopted {} with { document, decision } }

/// A decision that may be missing: the built-in policy has none.
impl Fields for Option<Decision> {
    fn read_fields(object: Value<'_>) -> Result<Self, Problem> {
        let said = |name: &&str| object.get(name).is_some_and(|value| !value.is_null());
        let any = ["actor", "reason", "decidedAt"].iter().any(said);
        any.then(|| Decision::read_fields(object)).transpose()
    }

    /// Nothing at all where there is none: so it was written before a person could adopt a policy.
    fn write_fields(&self, out: &mut impl Sink) {
        if let Some(decision) = self {
            decision.write_fields(out);
        }
    }
}

form! { EntryRedriven {
    entry: "entry" as Citation,
} with { decision } then { message: "message" as Added<Object> } }

form! { MessageName {
    digest: "digest" as Blake3,
    kafka: "kafka" as Maybe<Object>,
    file: "file" as Maybe<Object>,
} }

form! { KafkaPlace {
    topic: "topic" as Name,
    partition: "partition" as Whole,
    offset: "offset" as Whole,
} }

form! { FilePlace {
    name: "name" as Words,
    digest: "digest" as Blake3,
    record: "record" as Whole,
} }

form! { Acceptance {
    what: "what" as Name,
    bill_to: "billToTenantId" as Maybe<Id>,
    period: "month" as Maybe<Month>,
} with { decision } then { about: "about" as Added<Words> } }

form! { Restored {
    from: "from" as Name,
} with { decision } }
