//! A small market: a direct-bill partner, a provider with its reseller, and a customer of their country.

use crate::entry::*;
use crate::ids::{Currency, Guid, Identity, Market};
pub(super) use crate::order::*;
use crate::testing::registered;
pub(super) use crate::testing::{CUSTOMER, PLAN, SUBSCRIPTION, World, at, number};

pub(super) const DIRECT: Guid = crate::testing::BILL_TO;
pub(super) const PROVIDER: Guid = Guid(0xd1);
pub(super) const RESELLER: Guid = Guid(0xe1);
pub(super) const RESELLER_ID: &str = "6048879";

/// From when on everybody is registered.
const FOUNDED: &str = "2019-01-01";

pub(super) fn partner(tenant: Guid, kind: PartnerKind) -> PartnerRegistered {
    let ids = if tenant == RESELLER { vec![RESELLER_ID.into()] } else { Vec::new() };
    PartnerRegistered {
        country: Market::parse("US").unwrap(),
        billing_currency: Currency::USD,
        partner_ids: ids.into_iter().map(|value| Dated { value, since: None, until: None }).collect(),
        at: at(FOUNDED),
        ..registered(tenant, kind)
    }
}

pub(super) struct Shop {
    pub(super) world: World,
}

impl Shop {
    pub(super) fn new() -> Self {
        let mut shop = Self { world: World::default() };
        let (name, market) = ("Fabrikam".into(), Market::parse("US").unwrap());
        let at = at(FOUNDED);
        shop.tell(Event::CustomerRegistered(CustomerRegistered {
            customer: CUSTOMER,
            name,
            market,
            tenant_created: None,
            at,
        }));
        shop.tell(Event::PartnerRegistered(partner(DIRECT, PartnerKind::DirectBill)));
        shop.tell(Event::PartnerRegistered(partner(PROVIDER, PartnerKind::Provider)));
        shop.tell(Event::PartnerRegistered(partner(RESELLER, PartnerKind::Reseller)));
        shop
    }

    pub(super) fn tell(&mut self, event: impl Into<Event>) -> Identity {
        self.world.tell(event.into())
    }

    pub(super) fn at_desk<R>(&self, look: impl FnOnce(&Desk<'_>) -> R) -> R {
        let commerce = self.world.facts.commerce.view();
        look(&Desk::new(&self.world.facts, &commerce))
    }

    pub(super) fn judge(&self, order: &OrderRequested) -> Answer {
        self.at_desk(|desk| judge(desk, order))
    }

    /// Whether an order is refused on this ground.
    pub(super) fn refuses(&self, order: &OrderRequested, ground: Ground) -> bool {
        self.judge(order).reasons.iter().any(|reason| reason.ground == ground)
    }

    /// The events that a reason or remark on this ground cites.
    pub(super) fn cited(&self, order: &OrderRequested, ground: Ground) -> Vec<Identity> {
        let answer = self.judge(order);
        let mut said = answer.reasons.into_iter().chain(answer.remarks);
        said.find(|reason| reason.ground == ground).expect("the ground is given").events
    }

    /// A classic subscription under the plan of a partner.
    pub(super) fn classic(&mut self, partner: Guid) {
        self.world.plan(PLAN, partner, None, "2020-01-01");
        self.world.subscription(SUBSCRIPTION, PLAN, Offer::Legacy, "2020-01-01");
    }
}

pub(super) fn order(kind: OrderKind, partner: Guid, when: &str) -> OrderRequested {
    OrderRequested {
        order: "PO-1".into(),
        kind,
        customer: CUSTOMER,
        partner,
        reseller: (partner == PROVIDER).then(|| RESELLER_ID.into()),
        counterpart: None,
        plan: None,
        subscription: None,
        amount: None,
        door: OrderDoor::Portal,
        attestation: None,
        at: at(when),
        term_ends_at: None,
    }
}

pub(super) fn related(partner: Guid, when: &str) -> ChannelEvent {
    ChannelEvent::RelationshipEstablished(RelationshipEstablished {
        customer: CUSTOMER,
        partner,
        reseller: (partner == PROVIDER).then_some(RESELLER),
        delegated_rights: true,
        at: at(when),
    })
}

pub(super) fn ended(partner: Guid, when: &str) -> ChannelEvent {
    ChannelEvent::RelationshipEnded(RelationshipEnded { customer: CUSTOMER, partner, at: at(when) })
}

pub(super) fn linked(provider: Guid, reseller: Guid, when: &str) -> ChannelEvent {
    ChannelEvent::PartnershipEstablished(Partnership { provider, reseller, at: at(when) })
}

pub(super) fn designated(used_as: TenantUse, owner: Option<Guid>, when: &str) -> ChannelEvent {
    ChannelEvent::CustomerDesignated(CustomerDesignated { customer: CUSTOMER, used_as, owner, at: at(when) })
}

pub(super) fn contact() -> Contact {
    Contact { first_name: "Ann".into(), last_name: "Ray".into(), email: "ann@fabrikam.example".into(), phone: None }
}

pub(super) fn attested(partner: Guid, agreed: &str, when: &str) -> ChannelEvent {
    ChannelEvent::AgreementAttested(AgreementAttested {
        customer: CUSTOMER,
        partner,
        contact: contact(),
        role: AttesterRole::AdminAgent,
        template: "998b88de-aa99-4388-a42c-1b3517d49490".into(),
        agreed_at: at(agreed),
        at: at(when),
    })
}

pub(super) fn posture(partner: Guid, method: MfaMethod, every_user: bool, when: &str) -> ChannelEvent {
    ChannelEvent::PostureStated(PostureStated { partner, method, every_user, at: at(when) })
}

pub(super) fn credit(partner: Guid, limit: &str, outstanding: &str, when: &str) -> ChannelEvent {
    let (limit, outstanding) = (number(limit), number(outstanding));
    ChannelEvent::CreditStated(CreditStated { partner, limit, outstanding, at: at(when) })
}

pub(super) fn standing(partner: Guid, when: &str) -> PartnerStanding {
    PartnerStanding { partner, reason: "told".into(), at: at(when) }
}

pub(super) fn transition(partner: Guid, state: TransitionState, when: &str) -> ChannelEvent {
    ChannelEvent::TransitionStated(TransitionStated { customer: CUSTOMER, partner, state, at: at(when) })
}
