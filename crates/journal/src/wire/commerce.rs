//! Commerce: customers, plans, subscriptions and who stands behind them, on the commerce topic.
//!
//! Every statement carries its own effective time; the time at which it was sent says nothing.

use domain::entry::{
    CustomerRegistered, Move, Offer, PlanChange, PlanCreated, ResellerOfRecordSet, SubscriptionCancelled,
    SubscriptionChange, SubscriptionCreated, TransferCompleted,
};

use super::form::{Country, Id, Maybe, Name, Time};
use super::form::{form, words};

form! { CustomerRegistered {
    customer: "customerId" as Id,
    name: "name" as Name,
    market: "market" as Country,
    tenant_created: "tenantCreatedAt" as Maybe<Time>,
    at: "effectiveAt" as Time,
} }

form! { PlanCreated {
    plan: "planId" as Id,
    customer: "customerId" as Id,
    bill_to: "billToTenantId" as Id,
    reseller: "resellerPartnerId" as Maybe<Name>,
    at: "effectiveAt" as Time,
} }

form! { SubscriptionCreated {
    subscription: "subscriptionId" as Id,
    plan: "planId" as Id,
    name: "name" as Name,
    offer: "offer" as OfferWord,
    at: "effectiveAt" as Time,
} }

words! { OfferWord: Offer {
    "azure-plan" = Offer::AzurePlan,
    "dev-test" = Offer::DevTest,
    "legacy" = Offer::Legacy,
} }

form! { SubscriptionCancelled {
    subscription: "subscriptionId" as Id,
    at: "effectiveAt" as Time,
} }

form! { TransferCompleted {
    subscription: "subscriptionId" as Id,
    to_plan: "toPlanId" as Id,
    at: "effectiveAt" as Time,
} }

form! { ResellerOfRecordSet {
    plan: "planId" as Id,
    reseller: "resellerPartnerId" as Maybe<Name>,
    at: "effectiveAt" as Time,
} }

form! { PlanChange {
    plan: "planId" as Id,
    at: "effectiveAt" as Time,
} }

form! { SubscriptionChange {
    subscription: "subscriptionId" as Id,
    at: "effectiveAt" as Time,
} }

form! { Move {
    subscription: "subscriptionId" as Id,
    to_plan: "toPlanId" as Id,
    at: "effectiveAt" as Time,
} }
