//! Random events that are born here: documents, decisions about conflicts, acceptances.

use domain::entry::*;
use domain::ids::Identity;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::reference::{policy, price_kind};
use super::{currency, day, decision, digest, guid, meter, name, number, period, words};

fn charge_key() -> impl Strategy<Value = Box<ChargeKey>> {
    let charge_type = prop_oneof![
        Just(ChargeType::New),
        Just(ChargeType::Renew),
        Just(ChargeType::CycleCharge),
        Just(ChargeType::CancelImmediate),
        Just(ChargeType::CustomerCredit)
    ];
    (charge_type, name(), option::of(name()))
        .prop_map(|(charge_type, order, reason)| Box::new(ChargeKey { charge_type, order, reason }))
}

prop_compose! {
    fn line_key()(
        ids in (guid(), guid(), option::of(name()), meter()), price_kind in price_kind(), product in words(), sku in words(),
        price_from in day(), tier in any::<u32>(),
        portion in prop_oneof![Just(Portion::PayAsYouGo), Just(Portion::SavingsPlan), Just(Portion::Reservation), Just(Portion::AzureCredit)],
        credit_rate in option::of(number()), charge in option::of(charge_key()),
    ) -> LineKey {
        let (customer, plan, reseller, meter) = ids;
        LineKey { customer, plan, reseller, meter, price_kind, product, sku, price_from, tier, portion, credit_rate, charge }
    }
}

prop_compose! {
    fn line()(
        key in line_key(), period in period(), days in vec(day(), 0..3), by_day in vec((day(), number()), 0..3),
        amounts in vec(number(), 8..=8), rule in words(), tax in option::of(number()),
        policy_revisions in option::of(vec(any::<u32>(), 0..3)),
    ) -> IssuedLine {
        IssuedLine {
            key, period, days, by_day, quantity: amounts[0], unit_price: amounts[1], effective_unit_price: amounts[2],
            charge_without_credit: amounts[3], charge: amounts[4], subtotal_without_credit: amounts[5],
            subtotal: amounts[6], exchange_rate: amounts[7], rule, tax, policy_revisions,
        }
    }
}

prop_compose! {
    fn document()(
        id in name(), bill_to in guid(), currency in currency(), period in period(), revision in any::<u32>(),
        amends in option::of(name()), lines in vec(line(), 0..3), total in number(), rounding in number(),
        lines_digest in digest(), numbers in (any::<u64>(), any::<u32>(), any::<u32>(), option::of(number())), decision in decision(),
    ) -> IssuedDocument {
        let (position, rules_version, policy_revision, tax) = numbers;
        IssuedDocument {
            id, bill_to, currency, period, revision, amends, lines, total, rounding, lines_digest, position,
            rules_version, policy_revision, tax, decision,
        }
    }
}

fn message() -> impl Strategy<Value = MessageName> {
    let kafka = (name(), any::<u32>(), any::<u64>()).prop_map(|(topic, partition, offset)| KafkaPlace {
        topic,
        partition,
        offset,
    });
    let file = (words(), digest(), any::<u64>()).prop_map(|(name, digest, record)| FilePlace { name, digest, record });
    (digest(), option::of(kafka), option::of(file)).prop_map(|(digest, kafka, file)| MessageName {
        digest,
        kafka,
        file,
    })
}

pub fn decisions() -> impl Strategy<Value = Event> {
    prop_oneof![
        document().prop_map(Event::InvoiceIssued),
        document().prop_map(Event::CreditNoteIssued),
        (name(), decision())
            .prop_map(|(document, decision)| Event::InvoiceVoided(InvoiceVoided { document, decision })),
        (any::<u128>(), digest(), vec(digest(), 0..3), decision()).prop_map(|(identity, keep, known, decision)| {
            Event::ConflictDecided(ConflictDecided { identity: Identity(identity), keep, known, decision })
        }),
        (any::<u64>(), any::<u32>(), option::of(message()), decision()).prop_map(
            |(position, index, message, decision)| {
                Event::EntryRedriven(EntryRedriven { entry: EntryRef { position, index }, message, decision })
            }
        ),
        (policy(), proptest::option::of(decision()))
            .prop_map(|(document, decision)| Event::PolicyAdopted(PolicyAdopted { document, decision })),
        (name(), option::of(words()), option::of(guid()), option::of(period()), decision()).prop_map(
            |(what, about, bill_to, period, decision)| {
                Event::AcceptanceRecorded(Acceptance { what, about, bill_to, period, decision })
            }
        ),
        (name(), decision()).prop_map(|(from, decision)| Event::Restored(Restored { from, decision })),
    ]
}
