//! Random events of the channel: agreements, relationships, orders and their answers, standings.

use domain::entry::*;
use domain::ids::Identity;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{decision, guid, instant, market, name, not_negative, number, reason, words};

fn contact() -> impl Strategy<Value = Contact> {
    (name(), name(), name(), option::of(name())).prop_map(|(first_name, last_name, email, phone)| Contact {
        first_name,
        last_name,
        email,
        phone,
    })
}

fn transition_state() -> impl Strategy<Value = TransitionState> {
    proptest::sample::select(vec![
        TransitionState::Pending,
        TransitionState::InProgress,
        TransitionState::Failed,
        TransitionState::Completed,
    ])
}

fn attester() -> impl Strategy<Value = AttesterRole> {
    prop_oneof![Just(AttesterRole::AdminAgent), Just(AttesterRole::SalesAgent), Just(AttesterRole::Other)]
}

prop_compose! {
    fn order()(
        order in name(), kind in proptest::sample::select(OrderKind::ALL.to_vec()), parties in (guid(), guid()),
        reseller in option::of(name()), others in (option::of(guid()), option::of(guid()), option::of(guid())),
        amount in option::of(not_negative()),
        door in prop_oneof![Just(OrderDoor::Portal), Just(OrderDoor::ApiUser), Just(OrderDoor::ApiApp)],
        attestation in option::of((contact(), attester(), instant())), at in instant(),
        term_ends_at in option::of(instant()),
    ) -> OrderRequested {
        let attestation = attestation.map(|(contact, role, agreed_at)| Attestation { contact, role, agreed_at });
        OrderRequested {
            order, kind, customer: parties.0, partner: parties.1, reseller, counterpart: others.0, plan: others.1,
            subscription: others.2, amount, door, attestation, at, term_ends_at,
        }
    }
}

prop_compose! {
    fn answer()(
        answer in name(), request in any::<u128>(), order in name(), accepted in any::<bool>(),
        reasons in vec((name(), name(), option::of(name()), words(), vec(words(), 0..3), option::of(name())), 0..3), first in option::of(name()),
        versions in (any::<u32>(), any::<u32>()), decision in decision(),
    ) -> OrderAnswered {
        let reasons = reasons.into_iter().map(|(rule, code, error, detail, instead, source)| {
            AnswerReason { rule, code, error, detail, instead, source }
        });
        OrderAnswered {
            answer, request: Identity(request), order, accepted, reasons: reasons.collect(), first,
            rules_version: versions.0, policy_revision: versions.1, decision,
        }
    }
}

/// Everything of the channel, whatever its stream.
pub fn channel() -> impl Strategy<Value = Event> {
    let of_customer = prop_oneof![
        (
            guid(),
            prop_oneof![Just(TenantUse::Csp), Just(TenantUse::Customer), Just(TenantUse::Internal)],
            option::of(guid()),
            instant()
        )
            .prop_map(|(customer, used_as, owner, at)| {
                ChannelEvent::CustomerDesignated(CustomerDesignated { customer, used_as, owner, at })
            }),
        (guid(), guid(), instant(), option::of(instant())).prop_map(|(customer, partner, at, until)| {
            ChannelEvent::CustomerAffiliated(CustomerAffiliated { customer, partner, at, until })
        }),
        (guid(), guid(), contact(), attester(), name(), instant(), instant()).prop_map(
            |(customer, partner, contact, role, template, agreed_at, at)| {
                ChannelEvent::AgreementAttested(AgreementAttested {
                    customer,
                    partner,
                    contact,
                    role,
                    template,
                    agreed_at,
                    at,
                })
            }
        ),
        (guid(), guid(), instant()).prop_map(|(customer, partner, at)| {
            ChannelEvent::AgreementAccepted(AgreementAccepted { customer, partner, at })
        }),
        (guid(), guid(), option::of(guid()), any::<bool>(), instant()).prop_map(
            |(customer, partner, reseller, delegated_rights, at)| {
                ChannelEvent::RelationshipEstablished(RelationshipEstablished {
                    customer,
                    partner,
                    reseller,
                    delegated_rights,
                    at,
                })
            }
        ),
        (guid(), guid(), instant()).prop_map(|(customer, partner, at)| {
            ChannelEvent::RelationshipEnded(RelationshipEnded { customer, partner, at })
        }),
        (guid(), guid(), transition_state(), instant()).prop_map(|(customer, partner, state, at)| {
            ChannelEvent::TransitionStated(TransitionStated { customer, partner, state, at })
        }),
        order().prop_map(ChannelEvent::OrderRequested),
        answer().prop_map(ChannelEvent::OrderAnswered),
    ];
    prop_oneof![of_customer, of_partner()].prop_map(Event::from)
}

fn of_partner() -> impl Strategy<Value = ChannelEvent> {
    let standing =
        || (guid(), reason(), instant()).prop_map(|(partner, reason, at)| PartnerStanding { partner, reason, at });
    let pair =
        || (guid(), guid(), instant()).prop_map(|(provider, reseller, at)| Partnership { provider, reseller, at });
    let method = prop_oneof![
        Just(MfaMethod::SecurityDefaults),
        Just(MfaMethod::ConditionalAccess),
        Just(MfaMethod::ThirdParty),
        Just(MfaMethod::None)
    ];
    let region = proptest::sample::select(domain::regions::Region::all().to_vec());
    let offer = prop_oneof![Just(MarketOffer::Csp), Just(MarketOffer::AzurePlan)];
    prop_oneof![
        pair().prop_map(ChannelEvent::PartnershipEstablished),
        pair().prop_map(ChannelEvent::PartnershipEnded),
        (guid(), region, instant()).prop_map(|(partner, region, at)| {
            ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at })
        }),
        standing().prop_map(ChannelEvent::PartnerRestricted),
        standing().prop_map(ChannelEvent::PartnerSuspended),
        standing().prop_map(ChannelEvent::PartnerRevoked),
        (guid(), method, any::<bool>(), instant()).prop_map(|(partner, method, every_user, at)| {
            ChannelEvent::PostureStated(PostureStated { partner, method, every_user, at })
        }),
        (guid(), instant()).prop_map(|(partner, at)| ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at })),
        (guid(), option::of(name()), instant()).prop_map(|(partner, partner_id, at)| {
            ChannelEvent::ResellerOnboarded(ResellerOnboarded { partner, partner_id, at })
        }),
        (option::of(guid()), market(), offer, instant(), option::of(instant())).prop_map(
            |(partner, market, offer, at, until)| {
                ChannelEvent::MarketAuthorised(MarketAuthorised { partner, market, offer, at, until })
            }
        ),
        (guid(), not_negative(), number(), instant()).prop_map(|(partner, limit, outstanding, at)| {
            ChannelEvent::CreditStated(CreditStated { partner, limit, outstanding, at })
        }),
    ]
}
