//! Charges: purchases beside metered usage, what covers usage, credit and refunds, on the commerce topic.
//!
//! Amounts and prices are in USD and never negative: the kind and the action say in which direction
//! they count. Customer's tenant, plan and subscription carry the names that plans have elsewhere.

use domain::entry::{
    AzureCreditGranted, Benefit, Billing, ChargeAction, ChargeKind, ChargeRecorded, CoverageRecorded, RefundGranted,
    Term,
};

use super::form::{ArmScope, Id, Maybe, Meter, Name, NotNegative, Quantity, Time, UtcDay, Words};
use super::form::{form, words};

form! { CoverageRecorded {
    customer: "customerId" as Id,
    plan: "planId" as Id,
    subscription: "subscriptionId" as Id,
    resource: "resourceUri" as Maybe<ArmScope>,
    meter: "meterId" as Meter,
    product: "productId" as Maybe<Name>,
    sku: "skuId" as Maybe<Name>,
    unit: "unit" as Name,
    day: "usageDate" as UtcDay,
    quantity: "quantity" as Quantity,
    benefit: "benefitType" as BenefitWord,
    order: "benefitOrderId" as Name,
} }

words! { BenefitWord: Benefit {
    "reservation" = Benefit::Reservation,
    "savings-plan" = Benefit::SavingsPlan,
} }

form! { ChargeRecorded {
    order: "orderId" as Name,
    action: "chargeType" as ActionWord,
    kind: "kind" as KindWord,
    customer: "customerId" as Id,
    plan: "planId" as Id,
    product: "productId" as Name,
    product_title: "productTitle" as Words,
    sku: "skuId" as Name,
    sku_title: "skuTitle" as Words,
    unit_price: "unitPrice" as NotNegative,
    quantity: "quantity" as Quantity,
    term: "term" as TermWord,
    billing: "billingFrequency" as BillingWord,
    at: "effectiveAt" as Time,
} }

words! { ActionWord: ChargeAction {
    "new" = ChargeAction::New,
    "renew" = ChargeAction::Renew,
    "cancelImmediate" = ChargeAction::CancelImmediate,
    "moveQuantity" = ChargeAction::MoveQuantity,
} }

words! { KindWord: ChargeKind {
    "reservation" = ChargeKind::Reservation,
    "savings-plan" = ChargeKind::SavingsPlan,
    "marketplace" = ChargeKind::Marketplace,
    "third-party" = ChargeKind::ThirdParty,
} }

words! { TermWord: Term {
    "none" = Term::None,
    "P1M" = Term::Month,
    "P1Y" = Term::Year,
    "P3Y" = Term::ThreeYears,
    "P5Y" = Term::FiveYears,
} }

words! { BillingWord: Billing {
    "one-time" = Billing::OneTime,
    "monthly" = Billing::Monthly,
} }

form! { AzureCreditGranted {
    grant: "grantId" as Name,
    name: "name" as Name,
    bill_to: "billToTenantId" as Id,
    customer: "customerId" as Id,
    plan: "planId" as Maybe<Id>,
    scope: "scope" as Maybe<ArmScope>,
    amount: "amount" as NotNegative,
    from: "from" as UtcDay,
    until: "until" as UtcDay,
} }

form! { RefundGranted {
    refund: "refundId" as Name,
    customer: "customerId" as Id,
    plan: "planId" as Id,
    amount: "amount" as NotNegative,
    reason: "creditReasonCode" as Name,
    at: "effectiveAt" as Time,
} }
