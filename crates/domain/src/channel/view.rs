//! The channel's facts by party, in order of time.

use std::collections::{BTreeMap, BTreeSet};

use super::standing::State;
use crate::entry::{
    AgreementAttested, ChannelEvent, CreditStated, CustomerAffiliated, CustomerDesignated, MarketAuthorised,
    MarketOffer, OrderAnswered, OrderRequested, PartnerStanding, PostureStated, RelationshipEstablished, TenantUse,
    TransitionState,
};
use crate::ids::{Guid, Identity, Market};
use crate::partners::Partners;
use crate::period::Instant;
use crate::regions::{self, Region};

/// A value that holds from an instant on, until the next one is stated.
#[derive(Clone, PartialEq, Debug)]
pub struct Stated<T> {
    pub at: Instant,
    pub event: Identity,
    pub value: T,
}

/// What a reseller lacks before it may do new business.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Missing {
    Onboarded,
    Enrolled,
    Agreement,
}

impl Missing {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Onboarded => "onboarded in Partner Center",
            Self::Enrolled => "enrolled as a reseller",
            Self::Agreement => "the partner agreement signed for its region",
        }
    }
}

/// Whether a reseller may do new business, and since when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Qualification {
    /// Nothing was ever told: it counts as qualified, with a finding.
    Unknown,
    Since(Instant),
    /// Some of the three conditions are not met by anything told.
    Lacks(Vec<Missing>),
}

type By<K, T> = BTreeMap<K, Vec<Stated<T>>>;

/// Everything of the channel, in order.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    used_as: By<Guid, CustomerDesignated>,
    affiliated: By<Guid, CustomerAffiliated>,
    attested: By<(Guid, Guid), AgreementAttested>,
    accepted: By<(Guid, Guid), ()>,
    /// `None` from the end of a relationship on.
    relationships: By<(Guid, Guid), Option<RelationshipEstablished>>,
    partnerships: By<(Guid, Guid), bool>,
    signed: By<Guid, Region>,
    states: By<Guid, State>,
    posture: By<Guid, PostureStated>,
    enrolled: By<Guid, ()>,
    onboarded: By<Guid, Option<Box<str>>>,
    markets: Vec<Stated<MarketAuthorised>>,
    credit: By<Guid, CreditStated>,
    transitions: By<(Guid, Guid), TransitionState>,
    orders: Vec<Stated<OrderRequested>>,
    answers: By<Identity, OrderAnswered>,
}

fn put<K: Ord, T>(map: &mut By<K, T>, key: K, at: Instant, event: Identity, value: T) {
    map.entry(key).or_default().push(Stated { at, event, value });
}

/// Orders each list by time; `last` ranks what is told for one instant.
fn sort<K: Ord, T, R: Ord>(map: &mut By<K, T>, last: impl Fn(&T) -> R) {
    for list in map.values_mut() {
        list.sort_by_key(|stated| (stated.at, last(&stated.value), stated.event));
    }
}

fn all<'a, K: Ord, T>(map: &'a By<K, T>, key: &K) -> &'a [Stated<T>] {
    map.get(key).map_or(&[], Vec::as_slice)
}

fn latest<T>(list: &[Stated<T>], at: Instant) -> Option<&Stated<T>> {
    list.iter().rev().find(|stated| stated.at <= at)
}

impl Channel {
    pub(super) fn take(&mut self, id: Identity, event: &ChannelEvent) {
        match event {
            ChannelEvent::CustomerDesignated(body) => put(&mut self.used_as, body.customer, body.at, id, body.clone()),
            ChannelEvent::CustomerAffiliated(body) => {
                put(&mut self.affiliated, body.customer, body.at, id, body.clone());
            }
            ChannelEvent::AgreementAttested(body) => {
                put(&mut self.attested, (body.customer, body.partner), body.at, id, body.clone());
            }
            ChannelEvent::AgreementAccepted(body) => {
                put(&mut self.accepted, (body.customer, body.partner), body.at, id, ());
            }
            ChannelEvent::RelationshipEstablished(body) => {
                put(&mut self.relationships, (body.customer, body.partner), body.at, id, Some(body.clone()));
            }
            ChannelEvent::RelationshipEnded(body) => {
                put(&mut self.relationships, (body.customer, body.partner), body.at, id, None);
            }
            ChannelEvent::TransitionStated(body) => {
                put(&mut self.transitions, (body.customer, body.partner), body.at, id, body.state);
            }
            ChannelEvent::OrderRequested(body) => {
                self.orders.push(Stated { at: body.at, event: id, value: body.clone() });
            }
            ChannelEvent::PartnershipEstablished(body) => {
                put(&mut self.partnerships, (body.provider, body.reseller), body.at, id, true);
            }
            ChannelEvent::PartnershipEnded(body) => {
                put(&mut self.partnerships, (body.provider, body.reseller), body.at, id, false);
            }
            ChannelEvent::PartnerAgreementSigned(body) => put(&mut self.signed, body.partner, body.at, id, body.region),
            ChannelEvent::PartnerRestricted(body) => self.stand(id, body, State::Restricted),
            ChannelEvent::PartnerSuspended(body) => self.stand(id, body, State::Suspended),
            ChannelEvent::PartnerRevoked(body) => self.stand(id, body, State::Revoked),
            ChannelEvent::PostureStated(body) => put(&mut self.posture, body.partner, body.at, id, body.clone()),
            ChannelEvent::ResellerEnrolled(body) => put(&mut self.enrolled, body.partner, body.at, id, ()),
            ChannelEvent::ResellerOnboarded(body) => {
                put(&mut self.onboarded, body.partner, body.at, id, body.partner_id.clone());
            }
            ChannelEvent::MarketAuthorised(body) => {
                self.markets.push(Stated { at: body.at, event: id, value: body.clone() });
            }
            ChannelEvent::CreditStated(body) => put(&mut self.credit, body.partner, body.at, id, body.clone()),
            ChannelEvent::OrderAnswered(body) => {
                put(&mut self.answers, body.request, body.decision.at, id, body.clone());
            }
        }
    }

    fn stand(&mut self, id: Identity, body: &PartnerStanding, state: State) {
        put(&mut self.states, body.partner, body.at, id, state);
    }

    pub(super) fn reinstate(&mut self, id: Identity, body: &PartnerStanding) {
        self.stand(id, body, State::Good);
    }

    /// At one instant the end of a right comes last; the weaker of two postures too.
    pub(super) fn order(&mut self) {
        sort(&mut self.used_as, |body| body.used_as == TenantUse::Csp);
        sort(&mut self.affiliated, |_| ());
        sort(&mut self.attested, |_| ());
        sort(&mut self.accepted, |()| ());
        sort(&mut self.relationships, Option::is_none);
        sort(&mut self.partnerships, |on| !on);
        sort(&mut self.signed, |_| ());
        sort(&mut self.states, |state| *state);
        sort(&mut self.posture, |body| (!body.every_user, body.method));
        sort(&mut self.enrolled, |()| ());
        sort(&mut self.onboarded, |_| ());
        sort(&mut self.credit, |body| std::cmp::Reverse(body.limit - body.outstanding));
        sort(&mut self.transitions, |state| *state);
        self.orders.sort_by_key(|order| (order.at, order.event));
        sort(&mut self.answers, |body| body.first.is_some());
    }

    /// What a tenant is used as; `None` where nobody designated it.
    #[must_use]
    pub fn used_as(&self, tenant: Guid, at: Instant) -> Option<&Stated<CustomerDesignated>> {
        latest(all(&self.used_as, &tenant), at)
    }

    /// The affiliations of a customer that hold at an instant.
    pub fn affiliations(&self, customer: Guid, at: Instant) -> impl Iterator<Item = &Stated<CustomerAffiliated>> {
        let holds = move |body: &CustomerAffiliated| body.at <= at && body.until.is_none_or(|until| at < until);
        all(&self.affiliated, &customer).iter().filter(move |stated| holds(&stated.value))
    }

    /// Every attestation of a partner for a customer, in order of the time it was made.
    #[must_use]
    pub fn attestations(&self, customer: Guid, partner: Guid) -> &[Stated<AgreementAttested>] {
        all(&self.attested, &(customer, partner))
    }

    /// The customer's own acceptance towards a partner, known by then.
    #[must_use]
    pub fn acceptance(&self, customer: Guid, partner: Guid, at: Instant) -> Option<&Stated<()>> {
        latest(all(&self.accepted, &(customer, partner)), at)
    }

    /// The relationship between a customer and a partner: none told, standing, or ended.
    #[must_use]
    pub fn relationship(
        &self,
        customer: Guid,
        partner: Guid,
        at: Instant,
    ) -> Option<&Stated<Option<RelationshipEstablished>>> {
        latest(all(&self.relationships, &(customer, partner)), at)
    }

    /// The grant of delegated administration with a relationship: no event takes it back.
    #[must_use]
    pub fn administration(
        &self,
        customer: Guid,
        partner: Guid,
        at: Instant,
    ) -> Option<&Stated<Option<RelationshipEstablished>>> {
        let told = all(&self.relationships, &(customer, partner)).iter();
        let mut told = told.filter(|stated| stated.at <= at).rev();
        told.find(|stated| stated.value.as_ref().is_some_and(|value| value.delegated_rights))
    }

    /// Every pair of customer and partner that ever had a relationship.
    pub fn related(&self) -> impl Iterator<Item = (Guid, Guid)> {
        self.relationships.keys().copied()
    }

    /// Whether a provider and a reseller work together; `None` where nothing was told.
    #[must_use]
    pub fn partnership(&self, provider: Guid, reseller: Guid, at: Instant) -> Option<&Stated<bool>> {
        latest(all(&self.partnerships, &(provider, reseller)), at)
    }

    /// The providers and resellers that a partner works with at an instant.
    #[must_use]
    pub fn partners_of(&self, partner: Guid, at: Instant) -> Vec<Guid> {
        let of = self.partnerships.iter().filter(|((provider, reseller), list)| {
            (*provider == partner || *reseller == partner) && latest(list, at).is_some_and(|stated| stated.value)
        });
        of.map(|((provider, reseller), _)| if *provider == partner { *reseller } else { *provider }).collect()
    }

    /// CHN-5: the partner agreement is signed once per region and organisation; a direct-bill
    /// partner's signature covers its reseller role there. Source: microsoft-partner-agreement (2022-02-22).
    #[must_use]
    pub fn signed(&self, partners: &Partners, partner: Guid, region: Region, at: Instant) -> Option<&Stated<Region>> {
        let organisation = |tenant: Guid| partners.organisation_at(tenant, at);
        let same = self
            .signed
            .iter()
            .filter(|(tenant, _)| **tenant == partner || organisation(**tenant) == organisation(partner));
        let mut signatures = same.flat_map(|(_, list)| list);
        signatures.find(|stated| stated.value == region && stated.at <= at)
    }

    /// Every signature of a partner's own tenant.
    #[must_use]
    pub fn signatures(&self, partner: Guid) -> &[Stated<Region>] {
        all(&self.signed, &partner)
    }

    /// What was stated of a partner's standing, in order of time.
    pub(super) fn states_of(&self, partner: Guid) -> &[Stated<State>] {
        all(&self.states, &partner)
    }

    #[must_use]
    pub fn posture(&self, partner: Guid, at: Instant) -> Option<&Stated<PostureStated>> {
        latest(all(&self.posture, &partner), at)
    }

    #[must_use]
    pub fn enrolled(&self, partner: Guid) -> Option<&Stated<()>> {
        all(&self.enrolled, &partner).first()
    }

    #[must_use]
    pub fn onboarded(&self, partner: Guid) -> Option<&Stated<Option<Box<str>>>> {
        all(&self.onboarded, &partner).first()
    }

    #[must_use]
    pub fn credit(&self, partner: Guid, at: Instant) -> Option<&Stated<CreditStated>> {
        latest(all(&self.credit, &partner), at)
    }

    /// Whether a market may be sold in: `None` where no list was given that would say so.
    #[must_use]
    pub fn market(&self, partner: Option<Guid>, offer: MarketOffer, market: Market, at: Instant) -> Option<bool> {
        let rows = self.markets.iter().map(|stated| &stated.value);
        // A list binds from its first row on, not before.
        let mut rows = rows.filter(|row| row.partner == partner && row.offer == offer && row.at <= at).peekable();
        rows.peek()?;
        let holds = |row: &MarketAuthorised| row.until.is_none_or(|until| at < until);
        Some(rows.any(|row| row.market == market && holds(row)))
    }

    /// What was stated last of the transition of a customer with a partner.
    #[must_use]
    pub fn transition(&self, customer: Guid, partner: Guid, at: Instant) -> Option<&Stated<TransitionState>> {
        latest(all(&self.transitions, &(customer, partner)), at)
    }

    pub fn orders(&self) -> impl Iterator<Item = &Stated<OrderRequested>> {
        self.orders.iter()
    }

    /// The answers to one order, the first one first.
    #[must_use]
    pub fn answers(&self, request: Identity) -> &[Stated<OrderAnswered>] {
        all(&self.answers, &request)
    }

    /// CHN-6: since when a reseller is onboarded, enrolled and has signed the partner agreement for
    /// its region: what it needs before new business. Source: seed page on partner relationships
    /// (2020-05-12); microsoft-partner-agreement (2022-02-22).
    #[must_use]
    pub fn qualification(&self, partners: &Partners, reseller: Guid) -> Qualification {
        let agreement = self.signed_for(partners, reseller).map(|one| one.at).min();
        let (onboarded, enrolled) = (self.onboarded(reseller), self.enrolled(reseller));
        let nothing_signed = agreement.is_none() && all(&self.signed, &reseller).is_empty();
        if onboarded.is_none() && enrolled.is_none() && nothing_signed {
            return Qualification::Unknown;
        }
        let conditions = [
            (Missing::Onboarded, onboarded.map(|stated| stated.at)),
            (Missing::Enrolled, enrolled.map(|stated| stated.at)),
            (Missing::Agreement, agreement),
        ];
        let lacks: Vec<Missing> = conditions.iter().filter(|(_, at)| at.is_none()).map(|(what, _)| *what).collect();
        match conditions.iter().filter_map(|(_, at)| *at).max() {
            Some(since) if lacks.is_empty() => Qualification::Since(since),
            _ => Qualification::Lacks(lacks),
        }
    }

    /// The agreements that count for a reseller: signed by itself or by another tenant of its organisation,
    /// for the region of its country, both as of the day of signing.
    fn signed_for(&self, partners: &Partners, reseller: Guid) -> impl Iterator<Item = &Stated<Region>> {
        let counts = move |tenant: Guid, one: &Stated<Region>| {
            let organisation = |tenant: Guid| partners.organisation_at(tenant, one.at);
            let country = partners.statement_at(reseller, one.at).map(|statement| statement.country);
            let region = country.and_then(regions::of);
            (tenant == reseller || organisation(tenant) == organisation(reseller))
                && region.is_none_or(|region| one.value == region)
        };
        let all = self.signed.iter().flat_map(|(tenant, list)| list.iter().map(|one| (*tenant, one)));
        all.filter(move |(tenant, one)| counts(*tenant, one)).map(|(_, one)| one)
    }

    /// The events behind a reseller's qualification, what it signed for another region included.
    #[must_use]
    pub fn qualification_events(&self, partners: &Partners, reseller: Guid) -> Vec<Identity> {
        let enrolled = all(&self.enrolled, &reseller).iter().map(|stated| stated.event);
        let onboarded = all(&self.onboarded, &reseller).iter().map(|stated| stated.event);
        let signed = all(&self.signed, &reseller).iter().chain(self.signed_for(partners, reseller));
        let signed: BTreeSet<Identity> = signed.map(|stated| stated.event).collect();
        enrolled.chain(onboarded).chain(signed).collect()
    }
}
