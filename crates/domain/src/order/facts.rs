//! What the rules are asked about one order: facts of its instant, in the rules' few words.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::rules::{self, Azure, Bond, Credit, Era, Kinship, Listed, Location, MfaEra, Moving, PartnerId, Place};
use super::rules::{Posture, Prior, Qualified, Rulings, Seller, Signed, Tenant};
use super::{Ground, Reason};
use crate::channel::{Channel, Missing, Qualification, State};
use crate::commerce::{Commerce, Placement};
use crate::entry::{
    AgreementAttested, MarketOffer, Offer, OrderKind, OrderRequested, PartnerKind, PartnerRegistered, PlanCreated,
    TenantUse,
};
use crate::facts::Facts;
use crate::ids::{Guid, Identity, Market};
use crate::partners::{Belongs, Partners};
use crate::period::{Day, Instant};
use crate::policy::{Policy, PolicyBook};
use crate::regions::{self, Region};

/// 2019-10-01: an Azure plan needs the customer agreement.
const PLAN_NEEDS_AGREEMENT: Day = Day(18_170);
/// 2020-02-01: every new order needs it, and the partner agreement.
const EVERY_ORDER_NEEDS_AGREEMENT: Day = Day(18_293);
/// 2021-07-21: partners that enrol from here on never see the classic offer.
const LEGACY_CLOSED: Day = Day(18_829);
/// 2022-03-01: a third party's second factor opens no customer's tenant any more.
const THIRD_PARTY_UNTIL: Day = Day(19_052);
/// 2026-06-08: the API enforces the second factor for calls in a user's name.
const API_ENFORCED: Day = Day(20_612);

/// The facts of one question, in order, with what orders look up by customer.
pub struct Desk<'a> {
    pub channel: Channel,
    pub partners: Partners,
    pub commerce: &'a Commerce,
    pub(super) policies: &'a PolicyBook,
    plans: BTreeMap<Guid, Vec<&'a PlanCreated>>,
    placed: BTreeMap<Guid, Vec<(Guid, &'a Placement)>>,
    /// The partner that a customer's consents go to.
    consents: BTreeMap<Guid, Vec<Guid>>,
    orders: BTreeMap<(Guid, Guid), Vec<(Identity, OrderRequested)>>,
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
        Self { channel, partners, commerce, policies: &facts.policy, plans, placed, consents, orders }
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

    /// Whether an attestation counts: made by somebody who may, not for a day to come.
    pub(super) fn counts(&self, attested: &AgreementAttested) -> bool {
        let seller = seller(&self.partners, attested.partner);
        // Of an unregistered partner it is not known that it may not.
        let seller = if seller == Seller::Unknown { Seller::DirectBill } else { seller };
        let in_future = attested.agreed_at > attested.at;
        rules::attestation(seller, attested.role, in_future, Prior::None).is_empty()
    }

    /// Whether the customer agreed towards a partner by an instant.
    #[must_use]
    pub fn agreed(&self, customer: Guid, partner: Guid, at: Instant) -> Option<Identity> {
        let attested = self.channel.attestations(customer, partner).iter();
        let mut attested = attested.filter(|one| one.at <= at && one.value.agreed_at <= at && self.counts(&one.value));
        let accepted = || self.channel.acceptance(customer, partner, at).map(|one| one.event);
        attested.next().map(|one| one.event).or_else(accepted)
    }

    fn active(&self, plan: Guid, at: Instant) -> bool {
        let mut placed = self.placed.get(&plan).into_iter().flatten();
        placed.any(|(subscription, placement)| {
            placement.interval.contains(at) && !self.commerce.is_suspended(*subscription, at)
        })
    }

    fn legacy(&self, plan: Guid, at: Instant) -> bool {
        let mut placed = self.placed.get(&plan).into_iter().flatten();
        placed.any(|(_, placement)| placement.offer == Offer::Legacy && placement.interval.contains(at))
    }
}

/// The role that a registered partner has.
pub(super) fn seller(partners: &Partners, tenant: Guid) -> Seller {
    match partners.statement(tenant).map(|(_, statement)| statement.kind) {
        None => Seller::Unknown,
        Some(PartnerKind::DirectBill) => Seller::DirectBill,
        Some(PartnerKind::Provider) => Seller::Provider,
        Some(PartnerKind::Reseller) => Seller::Reseller,
        Some(PartnerKind::Other) => Seller::Other,
    }
}

/// One order on its instant.
pub(super) struct Asked<'a> {
    desk: &'a Desk<'a>,
    order: &'a OrderRequested,
    policy: Policy,
    pub seller: Seller,
    statement: Option<&'a PartnerRegistered>,
    region: Option<Region>,
    /// Whose PartnerID the order names, at any time.
    belongs: Vec<Belongs>,
    /// The reseller's tenant, where its PartnerID is known.
    reseller: Option<Guid>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(desk: &'a Desk<'a>, order: &'a OrderRequested) -> Self {
        let statement = desk.partners.statement(order.partner).map(|(_, statement)| statement);
        let belongs = order.reseller.as_deref().map(|id| desk.partners.location(id)).unwrap_or_default();
        let at_hand = belongs.iter().find(|belongs| belongs.interval.contains(order.at));
        let reseller = at_hand.or(belongs.first()).and_then(|belongs| belongs.partner);
        Self {
            desk,
            order,
            policy: desk.policy(order.at),
            seller: seller(&desk.partners, order.partner),
            statement,
            region: statement.and_then(|statement| regions::of(statement.country)),
            belongs,
            reseller,
        }
    }

    fn day(&self) -> Day {
        Day::of(self.order.at)
    }

    pub(super) fn names_reseller(&self) -> bool {
        self.order.reseller.is_some()
    }

    pub(super) fn state(&self) -> State {
        self.desk.channel.state(self.order.partner, self.order.at).0
    }

    pub(super) fn mfa_era(&self) -> MfaEra {
        mfa_era(self.day(), &self.policy)
    }

    pub(super) fn posture(&self) -> Posture {
        let stated = self.desk.channel.posture(self.order.partner, self.order.at);
        stated.map_or(Posture::Untold, |stated| rules::posture(stated.value.method, stated.value.every_user))
    }

    pub(super) fn attestation(&self) -> Rulings {
        let Some(attestation) = &self.order.attestation else {
            return vec![rules::Ruling::Refuse(Ground::NoContact)];
        };
        let earlier = self.desk.channel.attestations(self.order.customer, self.order.partner).iter();
        let mut earlier = earlier.filter(|one| one.at < self.order.at && self.desk.counts(&one.value));
        let prior = match earlier.next_back() {
            None => Prior::None,
            Some(last) if last.value.contact == attestation.contact => Prior::SameContact,
            Some(_) => Prior::OtherContact,
        };
        let in_future = attestation.agreed_at > self.order.at;
        rules::attestation(self.seller, attestation.role, in_future, prior)
    }

    pub(super) fn era(&self) -> Era {
        let day = self.day();
        if day >= EVERY_ORDER_NEEDS_AGREEMENT {
            Era::EveryOrder
        } else if day >= PLAN_NEEDS_AGREEMENT {
            Era::PlanOnly
        } else {
            Era::BeforePlan
        }
    }

    pub(super) fn agreed(&self) -> bool {
        self.desk.agreed(self.order.customer, self.order.partner, self.order.at).is_some()
    }

    pub(super) fn partner_agreement_due(&self) -> bool {
        partner_agreement_due(self.order.at)
    }

    fn signed(&self, partner: Guid) -> Signed {
        let statement = self.desk.partners.statement(partner).map(|(_, statement)| statement);
        let Some(region) = statement.and_then(|statement| regions::of(statement.country)) else {
            // A region that is not known is refused by name elsewhere.
            return Signed::NotNamed;
        };
        let signed = self.desk.channel.signed(&self.desk.partners, partner, region, self.order.at);
        if signed.is_some() { Signed::Yes } else { Signed::No }
    }

    pub(super) fn own(&self) -> Signed {
        self.signed(self.order.partner)
    }

    pub(super) fn other(&self) -> Signed {
        self.order.counterpart.map_or(Signed::NotNamed, |other| self.signed(other))
    }

    pub(super) fn reseller_signed(&self) -> Signed {
        let Some(reseller) = self.reseller else { return Signed::NotNamed };
        match self.desk.channel.qualification(&self.desk.partners, reseller) {
            Qualification::Unknown => Signed::NotNamed,
            Qualification::Since(_) | Qualification::Lacks(_) => self.signed(reseller),
        }
    }

    pub(super) fn partner_id(&self) -> PartnerId {
        if self.order.reseller.is_none() {
            return PartnerId::NotNamed;
        }
        match self.reseller {
            None => PartnerId::Unknown,
            Some(_) if self.belongs.iter().any(|belongs| belongs.interval.contains(self.order.at)) => PartnerId::Active,
            Some(_) => PartnerId::Inactive,
        }
    }

    pub(super) fn qualified(&self) -> Qualified {
        let Some(reseller) = self.reseller else { return Qualified::Untold };
        let channel = &self.desk.channel;
        if channel.qualification(&self.desk.partners, reseller) == Qualification::Unknown {
            return Qualified::Untold;
        }
        let by_then = |at: Option<Instant>| at.is_some_and(|at| at <= self.order.at);
        let onboarded = by_then(channel.onboarded(reseller).map(|stated| stated.at));
        let enrolled = by_then(channel.enrolled(reseller).map(|stated| stated.at));
        match (onboarded, enrolled) {
            (true, true) => Qualified::Yes,
            (false, true) => Qualified::NotOnboarded,
            (true, false) => Qualified::NotEnrolled,
            (false, false) => Qualified::Neither,
        }
    }

    pub(super) fn link(&self) -> Bond {
        let stated = self
            .reseller
            .and_then(|reseller| self.desk.channel.partnership(self.order.partner, reseller, self.order.at));
        bond(stated.map(|stated| stated.value))
    }

    pub(super) fn location(&self) -> Location {
        let (Some(named), Some(reseller)) = (&self.order.reseller, self.reseller) else { return Location::NotNamed };
        let onboarded = self.desk.channel.onboarded(reseller).and_then(|stated| stated.value.as_ref());
        match onboarded {
            None => Location::Untold,
            Some(onboarded) if onboarded.trim() == named.trim() => Location::Same,
            Some(onboarded) => {
                let country = |id: &str| {
                    let owner = self.desk.partners.location(id).into_iter().find_map(|belongs| belongs.partner)?;
                    self.desk.partners.statement(owner).map(|(_, statement)| statement.country)
                };
                if country(onboarded) == country(named) { Location::Other } else { Location::Abroad }
            }
        }
    }

    pub(super) fn counterpart(&self) -> Seller {
        self.order.counterpart.map_or(Seller::Unknown, |other| seller(&self.desk.partners, other))
    }

    pub(super) fn same_region_as_counterpart(&self) -> bool {
        let other = self.order.counterpart.and_then(|other| self.desk.partners.statement(other));
        let other = other.and_then(|(_, statement)| regions::of(statement.country));
        other.is_some() && other == self.region
    }

    pub(super) fn tenant(&self) -> Tenant {
        tenant(self.desk, self.order.customer, self.order.at)
    }

    pub(super) fn kinship(&self) -> Kinship {
        let partners = &self.desk.partners;
        let sellers = [Some(self.order.partner), self.reseller];
        let is_seller = |tenant: Guid| {
            sellers
                .iter()
                .flatten()
                .any(|seller| *seller == tenant || partners.organisation(*seller) == partners.organisation(tenant))
        };
        let owner = self.desk.channel.used_as(self.order.customer, self.order.at).and_then(|stated| stated.value.owner);
        if owner.is_some_and(is_seller) || is_seller(self.order.customer) {
            return Kinship::Same;
        }
        let mut affiliations = self.desk.channel.affiliations(self.order.customer, self.order.at);
        if affiliations.any(|stated| is_seller(stated.value.partner)) { Kinship::Affiliate } else { Kinship::Strangers }
    }

    pub(super) fn own_reseller(&self) -> Bond {
        let link = self.desk.channel.partnership(self.order.partner, self.order.customer, self.order.at);
        bond(link.map(|stated| stated.value))
    }

    fn market(&self) -> Option<Market> {
        self.desk.commerce.market(self.order.customer)
    }

    pub(super) fn place(&self) -> Place {
        match self.market().map(regions::of) {
            None => Place::Unknown,
            Some(None) => Place::Unlisted,
            // A seller without a region is refused by its role or by its own country.
            Some(Some(_)) if self.statement.is_none() => Place::Same,
            Some(region) if region == self.region => Place::Same,
            Some(Some(_)) => Place::Other,
        }
    }

    pub(super) fn bond(&self) -> Bond {
        let stated = self.desk.channel.relationship(self.order.customer, self.order.partner, self.order.at);
        bond(stated.map(|stated| stated.value.is_some()))
    }

    /// Whether the customer buys from another partner at that instant.
    pub(super) fn others(&self) -> bool {
        let mut others = self.desk.partners_of_customer(self.order.customer).iter();
        others.any(|other| {
            *other != self.order.partner && {
                let stated = self.desk.channel.relationship(self.order.customer, *other, self.order.at);
                stated.is_some_and(|stated| stated.value.is_some())
            }
        })
    }

    pub(super) fn authorised(&self) -> Listed {
        let listed = |partner| {
            let market = self.market()?;
            self.desk.channel.market(partner, MarketOffer::Csp, market, self.order.at)
        };
        match listed(Some(self.order.partner)).or_else(|| listed(None)) {
            None => Listed::NoList,
            Some(true) => Listed::Yes,
            Some(false) => Listed::No,
        }
    }

    pub(super) fn plan_list(&self) -> Listed {
        let market = self.market();
        let listed =
            market.and_then(|market| self.desk.channel.market(None, MarketOffer::AzurePlan, market, self.order.at));
        match listed {
            None => Listed::NoList,
            Some(true) => Listed::Yes,
            Some(false) => Listed::No,
        }
    }

    /// What is available: the limit less what is outstanding.
    fn available(&self) -> Option<Decimal> {
        let stated = self.desk.channel.credit(self.order.partner, self.order.at)?;
        stated.value.limit.checked_sub(stated.value.outstanding)
    }

    pub(super) fn credit(&self) -> Credit {
        match (self.available(), self.order.amount) {
            (None, _) => Credit::Untold,
            (Some(available), Some(amount)) if amount <= available => Credit::Enough,
            (Some(available), None) if available > Decimal::ZERO => Credit::Enough,
            (Some(_), _) => Credit::Short,
        }
    }

    /// The plans that this order competes with: of this partner, and for a provider of this reseller.
    fn own_plans(&self) -> impl Iterator<Item = &&'a PlanCreated> {
        let reseller = self.order.reseller.as_deref().map(str::trim);
        self.desk.plans_of(self.order.customer).iter().filter(move |plan| {
            let of_reseller = || self.desk.commerce.reseller_at(plan.plan, self.order.at).map(str::trim) == reseller;
            let at = self.order.at;
            let ended = self.desk.commerce.plan_cancelled(plan.plan).is_some_and(|cancelled| cancelled <= at);
            let mine = plan.bill_to == self.order.partner && plan.at <= at && !ended;
            let same = self.seller != Seller::Provider || reseller.is_none() || of_reseller();
            // The plan that this very order made is not in its way.
            mine && same && !(plan.at == self.order.at && Some(plan.plan) == self.order.plan)
        })
    }

    pub(super) fn azure(&self) -> Azure {
        let at = self.order.at;
        let mut azure = Azure::Nothing;
        let hangs = matches!(self.order.kind, OrderKind::AzureSubscription | OrderKind::Reservation);
        for plan in self.own_plans() {
            // Nothing new hangs on a plan that is suspended.
            if hangs && self.desk.commerce.is_suspended(plan.plan, at) {
                continue;
            }
            let one = if self.desk.legacy(plan.plan, at) {
                Azure::Legacy
            } else if self.desk.active(plan.plan, at) {
                Azure::PlanInUse
            } else {
                Azure::Plan
            };
            let named = self.order.plan == Some(plan.plan) && self.order.kind == OrderKind::PlanSuspension;
            azure = if named { return one } else { azure.max(one) };
        }
        if self.legacy_anywhere() && self.order.kind == OrderKind::Transition { Azure::Legacy } else { azure }
    }

    fn legacy_anywhere(&self) -> bool {
        self.own_plans().any(|plan| self.desk.legacy(plan.plan, self.order.at))
    }

    pub(super) fn legacy_open(&self) -> bool {
        self.day() < LEGACY_CLOSED
    }

    /// Whether a classic subscription that would move is suspended.
    pub(super) fn suspended(&self) -> bool {
        let at = self.order.at;
        let mut placed = self.own_plans().flat_map(|plan| self.desk.placed.get(&plan.plan).into_iter().flatten());
        placed.any(|(subscription, placement)| {
            let classic = placement.offer == Offer::Legacy && placement.interval.contains(at);
            classic && self.desk.commerce.is_suspended(*subscription, at)
        })
    }

    /// A transition that was ordered before, was accepted, and has not moved everything yet.
    pub(super) fn moving(&self) -> Moving {
        let pair = (self.order.customer, self.order.partner);
        let earlier = self.desk.orders.get(&pair).into_iter().flatten();
        let earlier = earlier.filter(|(_, order)| order.at < self.order.at && order.order != self.order.order);
        let accepted = |request: Identity| {
            let answer = self.desk.channel.answers(request).last();
            answer.is_some_and(|answer| answer.value.accepted)
        };
        let open = earlier.filter(|(request, _)| accepted(*request)).count() > 0 && self.legacy_anywhere();
        if open { Moving::Waiting } else { Moving::No }
    }

    fn name(&self, tenant: Guid) -> String {
        let statement = self.desk.partners.statement(tenant);
        statement.map_or_else(|| tenant.to_string(), |(_, statement)| statement.name.to_string())
    }

    /// A ground in the words of this order, with the events behind it.
    pub(super) fn reason(&self, ground: Ground) -> Reason {
        Reason { ground, detail: self.detail(ground), events: self.events(ground) }
    }

    fn detail(&self, ground: Ground) -> String {
        let partner = || self.name(self.order.partner);
        let reseller = || self.order.reseller.as_deref().unwrap_or("none").to_owned();
        let said = match ground {
            Ground::Restricted | Ground::Suspended | Ground::Revoked => {
                let (state, since) = self.desk.channel.state(self.order.partner, self.order.at);
                let since = since.map(|stated| Day::of(stated.at).to_string()).unwrap_or_default();
                format!("{} is {} since {since}", partner(), state.text())
            }
            Ground::OwnAgreement => match self.region {
                Some(region) => format!("{} has not signed for {region}", partner()),
                None => return ground.meaning().to_owned(),
            },
            Ground::ResellerAgreement => match self.order.counterpart {
                Some(other) => self.name(other),
                None => format!("PartnerID {}", reseller()),
            },
            Ground::ResellerUnknown | Ground::ResellerInactive | Ground::PartnerIdLocation => {
                format!("PartnerID {}", reseller())
            }
            Ground::OtherRegion | Ground::CountryUnlisted => {
                let market = self.market().map(|market| market.to_string()).unwrap_or_default();
                let region = self.region.map_or("no region", Region::name);
                format!("the customer is in {market}, {} sells in {region}", partner())
            }
            Ground::CreditShort => match self.available() {
                Some(available) => format!("{available} USD are available"),
                None => return ground.meaning().to_owned(),
            },
            Ground::OwnReseller => format!("{} is a reseller of {}", self.name(self.order.customer), partner()),
            Ground::PlanExists => match self.own_plans().next() {
                Some(plan) => format!("plan {}", plan.plan),
                None => return ground.meaning().to_owned(),
            },
            _ => return ground.meaning().to_owned(),
        };
        format!("{} ({said})", ground.meaning().trim_end_matches('.'))
    }

    fn events(&self, ground: Ground) -> Vec<Identity> {
        let (channel, order) = (&self.desk.channel, self.order);
        let one = |identity: Option<Identity>| identity.into_iter().collect();
        match ground {
            Ground::Restricted | Ground::Suspended | Ground::Revoked => {
                one(channel.state(order.partner, order.at).1.map(|stated| stated.event))
            }
            Ground::MfaDue
            | Ground::MfaMissing
            | Ground::MfaMissingApi
            | Ground::MfaMissingApiNow
            | Ground::MfaThirdParty => one(channel.posture(order.partner, order.at).map(|stated| stated.event)),
            Ground::RelationshipEnded | Ground::AlreadyRelated => {
                one(channel.relationship(order.customer, order.partner, order.at).map(|stated| stated.event))
            }
            Ground::CspTenant | Ground::Myself => {
                one(channel.used_as(order.customer, order.at).map(|stated| stated.event))
            }
            Ground::Affiliate => channel.affiliations(order.customer, order.at).map(|stated| stated.event).collect(),
            Ground::OwnReseller => {
                one(channel.partnership(order.partner, order.customer, order.at).map(|stated| stated.event))
            }
            Ground::CreditShort => one(channel.credit(order.partner, order.at).map(|stated| stated.event)),
            Ground::AlreadyAttested => {
                channel.attestations(order.customer, order.partner).iter().map(|stated| stated.event).collect()
            }
            Ground::ResellerNotOnboarded | Ground::ResellerNotEnrolled | Ground::ResellerAgreement => {
                self.reseller.map(|reseller| channel.qualification_events(reseller)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

fn bond(standing: Option<bool>) -> Bond {
    match standing {
        None => Bond::None,
        Some(true) => Bond::Standing,
        Some(false) => Bond::Ended,
    }
}

/// What the buying tenant is: as designated; else a billed partner's own tenant is its CSP tenant. A
/// reseller's tenant is left to the rule on own resellers, which ends with its relationship.
pub(super) fn tenant(desk: &Desk<'_>, customer: Guid, at: Instant) -> Tenant {
    match desk.channel.used_as(customer, at).map(|stated| stated.value.used_as) {
        Some(TenantUse::Csp) => Tenant::Csp,
        Some(used_as) => rules::tenant_of(used_as),
        None => match seller(&desk.partners, customer) {
            Seller::DirectBill | Seller::Provider => Tenant::Csp,
            Seller::Reseller | Seller::Other | Seller::Unknown => Tenant::Customer,
        },
    }
}

/// Since 2020-02-01 new business needs the partner agreement.
#[must_use]
pub fn partner_agreement_due(at: Instant) -> bool {
    Day::of(at) >= EVERY_ORDER_NEEDS_AGREEMENT
}

pub(super) fn mfa_era(day: Day, policy: &Policy) -> MfaEra {
    if day < policy.mfa_contractual {
        MfaEra::Before
    } else if day < policy.mfa_technical {
        MfaEra::Contractual
    } else if day < THIRD_PARTY_UNTIL {
        MfaEra::Technical
    } else if day < API_ENFORCED {
        MfaEra::NoThirdParty
    } else {
        MfaEra::Api
    }
}

/// The reasons that `missing` names, as steps say them.
pub(super) fn missing(what: Missing) -> &'static str {
    what.text()
}
