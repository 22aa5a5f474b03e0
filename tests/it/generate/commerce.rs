//! Random events about commerce: customers, plans, subscriptions and their lives, charges.

use domain::entry::*;
use domain::period::Day;
use proptest::option;
use proptest::prelude::*;

use super::{guid, instant, market, meter, name, not_negative, quantity, scope, words};

pub fn commerce() -> impl Strategy<Value = Event> {
    let offer = prop_oneof![Just(Offer::AzurePlan), Just(Offer::DevTest), Just(Offer::Legacy)];
    prop_oneof![
        (guid(), name(), market(), option::of(instant()), instant()).prop_map(
            |(customer, name, market, tenant_created, at)| {
                Event::CustomerRegistered(CustomerRegistered { customer, name, market, tenant_created, at })
            }
        ),
        (guid(), guid(), guid(), option::of(name()), instant()).prop_map(|(plan, customer, bill_to, reseller, at)| {
            Event::PlanCreated(PlanCreated { plan, customer, bill_to, reseller, at })
        }),
        (guid(), guid(), name(), offer, instant()).prop_map(|(subscription, plan, name, offer, at)| {
            Event::SubscriptionCreated(SubscriptionCreated { subscription, plan, name, offer, at })
        }),
        (guid(), instant()).prop_map(|(subscription, at)| {
            Event::SubscriptionCancelled(SubscriptionCancelled { subscription, at })
        }),
        (guid(), guid(), instant()).prop_map(|(subscription, to_plan, at)| {
            Event::TransferCompleted(TransferCompleted { subscription, to_plan, at })
        }),
        (guid(), option::of(name()), instant()).prop_map(|(plan, reseller, at)| {
            Event::ResellerOfRecordSet(ResellerOfRecordSet { plan, reseller, at })
        }),
    ]
}

pub fn lives() -> impl Strategy<Value = Event> {
    let plan = || (guid(), instant()).prop_map(|(plan, at)| PlanChange { plan, at });
    let subscription = || (guid(), instant()).prop_map(|(subscription, at)| SubscriptionChange { subscription, at });
    let moved =
        || (guid(), guid(), instant()).prop_map(|(subscription, to_plan, at)| Move { subscription, to_plan, at });
    prop_oneof![
        plan().prop_map(Event::PlanSuspended),
        plan().prop_map(Event::PlanReactivated),
        plan().prop_map(Event::PlanCancelled),
        subscription().prop_map(Event::SubscriptionSuspended),
        subscription().prop_map(Event::SubscriptionResumed),
        moved().prop_map(Event::SubscriptionTransitioned),
        moved().prop_map(Event::TransferRequested),
        moved().prop_map(Event::TransferCancelled),
    ]
}

prop_compose! {
    fn coverage()(
        ids in (guid(), guid(), guid()), resource in option::of(scope()), meter in meter(), product in option::of(name()),
        sku in option::of(name()), unit in name(), day in 0_i32..40_000, quantity in quantity(),
        benefit in prop_oneof![Just(Benefit::Reservation), Just(Benefit::SavingsPlan)], order in name(),
    ) -> CoverageRecorded {
        let (customer, plan, subscription) = ids;
        CoverageRecorded {
            customer, plan, subscription, resource, meter, product, sku, unit, day: Day(day), quantity, benefit, order,
        }
    }
}

prop_compose! {
    fn charge()(
        order in name(),
        action in prop_oneof![
            Just(ChargeAction::New), Just(ChargeAction::Renew), Just(ChargeAction::CancelImmediate), Just(ChargeAction::MoveQuantity)
        ],
        kind in prop_oneof![
            Just(ChargeKind::Reservation), Just(ChargeKind::SavingsPlan), Just(ChargeKind::Marketplace), Just(ChargeKind::ThirdParty)
        ],
        ids in (guid(), guid()), names in (name(), words(), name(), words()), unit_price in not_negative(), quantity in quantity(),
        term in prop_oneof![Just(Term::None), Just(Term::Month), Just(Term::Year), Just(Term::ThreeYears), Just(Term::FiveYears)],
        billing in prop_oneof![Just(Billing::OneTime), Just(Billing::Monthly)], at in instant(),
    ) -> ChargeRecorded {
        let ((customer, plan), (product, product_title, sku, sku_title)) = (ids, names);
        ChargeRecorded {
            order, action, kind, customer, plan, product, product_title, sku, sku_title, unit_price, quantity, term, billing, at,
        }
    }
}

pub fn charges() -> impl Strategy<Value = Event> {
    let credit = (
        (name(), name(), guid(), guid()),
        (option::of(guid()), option::of(scope()), not_negative()),
        (0_i32..40_000, 0_i32..40_000),
    );
    prop_oneof![
        coverage().prop_map(Event::CoverageRecorded),
        charge().prop_map(Event::ChargeRecorded),
        credit.prop_map(|((grant, name, bill_to, customer), (plan, scope, amount), (from, until))| {
            let (from, until) = (Day(from), Day(until));
            Event::AzureCreditGranted(AzureCreditGranted {
                grant,
                name,
                bill_to,
                customer,
                plan,
                scope,
                amount,
                from,
                until,
            })
        }),
        (name(), guid(), guid(), not_negative(), name(), instant()).prop_map(
            |(refund, customer, plan, amount, reason, at)| {
                Event::RefundGranted(RefundGranted { refund, customer, plan, amount, reason, at })
            }
        ),
    ]
}
