//! The desk at which orders are judged: the facts of one question, in order, with what orders look up.
//!
//! Built once per question, linear in the facts but for the sorting. It finds, it does not judge.

use std::collections::BTreeMap;

use super::facts::seller;
use super::rules::{self, Prior, Seller};
use crate::channel::{Channel, Standing};
use crate::commerce::{Commerce, Placement};
use crate::entry::{AgreementAttested, Offer, OrderKind, OrderRequested, PlanCreated};
use crate::facts::Facts;
use crate::ids::{Currency, Guid, Identity};
use crate::partners::{PartnerBook, Partners};
use crate::period::{Day, Instant};
use crate::policy::{Policy, PolicyBook};

/// How a customer's agreement towards a partner is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Agreed {
    pub event: Identity,
    pub at: Instant,
    /// By the partner; otherwise the customer accepted it itself.
    pub attested: bool,
}

/// The facts of one question, in order, with what orders look up by customer.
pub struct Desk<'a> {
    pub channel: Channel,
    pub partners: Partners,
    pub commerce: &'a Commerce,
    policies: &'a PolicyBook,
    statements: &'a PartnerBook,
    plans: BTreeMap<Guid, Vec<&'a PlanCreated>>,
    pub(super) placed: BTreeMap<Guid, Vec<(Guid, &'a Placement)>>,
    /// The partner that a customer's consents go to.
    consents: BTreeMap<Guid, Vec<Guid>>,
    /// Transitions that were ordered.
    pub(super) orders: BTreeMap<(Guid, Guid), Vec<(Identity, OrderRequested)>>,
}

impl<'a> Desk<'a> {
    /// Linear in the facts, but for the sorting.
    #[must_use]
    pub fn new(facts: &'a Facts, commerce: &'a Commerce) -> Self {
        let mut plans: BTreeMap<Guid, Vec<&PlanCreated>> = BTreeMap::new();
        for plan in commerce.plans() {
            plans.entry(plan.customer).or_default().push(plan);
        }
        let mut placed: BTreeMap<Guid, Vec<(Guid, &Placement)>> = BTreeMap::new();
        for (subscription, placements) in commerce.subscriptions() {
            for placement in placements {
                placed.entry(placement.plan).or_default().push((subscription, placement));
            }
        }
        let channel = facts.channel.view();
        let mut consents: BTreeMap<Guid, Vec<Guid>> = BTreeMap::new();
        for (customer, partner) in channel.related() {
            consents.entry(customer).or_default().push(partner);
        }
        let mut orders: BTreeMap<(Guid, Guid), Vec<(Identity, OrderRequested)>> = BTreeMap::new();
        for order in channel.orders().filter(|order| order.value.kind == OrderKind::Transition) {
            let pair = (order.value.customer, order.value.partner);
            orders.entry(pair).or_default().push((order.event, order.value.clone()));
        }
        let partners = facts.partners.view();
        let (policies, statements) = (&facts.policy, &facts.partners);
        Self { channel, partners, commerce, policies, statements, plans, placed, consents, orders }
    }

    #[must_use]
    pub fn policy(&self, at: Instant) -> Policy {
        self.policies.at(Day::of(at))
    }

    /// Every partner that a customer ever consented to buy from.
    #[must_use]
    pub fn partners_of_customer(&self, customer: Guid) -> &[Guid] {
        self.consents.get(&customer).map_or(&[], Vec::as_slice)
    }

    /// The plans of a customer, whoever is billed for them.
    #[must_use]
    pub fn plans_of(&self, customer: Guid) -> &[&'a PlanCreated] {
        self.plans.get(&customer).map_or(&[], Vec::as_slice)
    }

    /// Every subscription that was ever under a plan of a customer.
    pub(super) fn subscriptions_of(&self, customer: Guid) -> impl Iterator<Item = Guid> {
        let placed = self.plans_of(customer).iter().filter_map(|plan| self.placed.get(&plan.plan));
        placed.flatten().map(|(subscription, _)| *subscription)
    }

    /// Whether an attestation counts: made by somebody who may, not for a day to come.
    pub(super) fn counts(&self, attested: &AgreementAttested) -> bool {
        let seller = seller(&self.partners, attested.partner, attested.at);
        // Of an unregistered partner it is not known that it may not.
        let seller = if seller == Seller::Unknown { Seller::DirectBill } else { seller };
        let in_future = attested.agreed_at > attested.at;
        rules::attestation(seller, attested.role, in_future, Prior::None).is_empty()
    }

    /// Whether the customer agreed towards a partner by an instant.
    #[must_use]
    pub fn agreed(&self, customer: Guid, partner: Guid, at: Instant) -> Option<Agreed> {
        let attested = self.channel.attestations(customer, partner).iter();
        // What counts was agreed by the time it was attested.
        let mut attested = attested.filter(|one| one.at <= at && self.counts(&one.value));
        let by_partner = attested.next().map(|one| Agreed { event: one.event, at: one.at, attested: true });
        let by_itself = || {
            let accepted = self.channel.acceptance(customer, partner, at)?;
            Some(Agreed { event: accepted.event, at: accepted.at, attested: false })
        };
        by_partner.or_else(by_itself)
    }

    /// A direct-bill partner's standing, by what was stated and by the dates since.
    #[must_use]
    pub fn standing(&self, partner: Guid, at: Instant) -> Standing {
        self.channel.standing(partner, at, &self.policy(at))
    }

    /// The currency in which a partner is billed for the month of an instant.
    pub(super) fn billing_currency(&self, partner: Guid, at: Instant) -> Option<Currency> {
        self.statements.billing_currency(partner, Day::of(at).period())
    }

    pub(super) fn active(&self, plan: Guid, at: Instant) -> bool {
        let mut placed = self.placed.get(&plan).into_iter().flatten();
        placed.any(|(subscription, placement)| {
            placement.interval.contains(at) && !self.commerce.is_suspended(*subscription, at)
        })
    }

    pub(super) fn legacy(&self, plan: Guid, at: Instant) -> bool {
        let mut placed = self.placed.get(&plan).into_iter().flatten();
        placed.any(|(_, placement)| placement.offer == Offer::Legacy && placement.interval.contains(at))
    }
}
