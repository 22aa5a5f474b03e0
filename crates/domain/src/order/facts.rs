//! What the rules are asked about one order: facts of its instant, in the rules' few words.

use rust_decimal::Decimal;

use super::rules::{
    self, Azure, Beside, Bond, Credit, Era, Kinship, Left, Listed, Location, MfaEra, Moving, PartnerId,
};
use super::rules::{Place, Posture, Prior, Qualified, Rulings, Seller, Signed, Source, Tenant, Term};
use super::{Desk, Ground};
use crate::channel::{Channel, Missing, Qualification, Standing, State};
use crate::entry::{
    MarketOffer, Offer, OrderKind, OrderRequested, PartnerKind, PartnerRegistered, PlanCreated, TenantUse,
    TransitionState,
};
use crate::ids::{Guid, Identity, Market};
use crate::partners::{Belongs, Partners};
use crate::period::{Day, Instant};
use crate::policy::{Permits, Policy};
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

/// The role that a registered partner has.
pub(super) fn seller(partners: &Partners, tenant: Guid, at: Instant) -> Seller {
    match partners.statement_at(tenant, at).map(|statement| statement.kind) {
        None => Seller::Unknown,
        Some(PartnerKind::DirectBill) => Seller::DirectBill,
        Some(PartnerKind::Provider) => Seller::Provider,
        Some(PartnerKind::Reseller) => Seller::Reseller,
        Some(PartnerKind::Other) => Seller::Other,
    }
}

/// One order on its instant.
pub(super) struct Asked<'a> {
    pub(super) desk: &'a Desk<'a>,
    pub(super) order: &'a OrderRequested,
    policy: Policy,
    pub seller: Seller,
    statement: Option<&'a PartnerRegistered>,
    pub(super) region: Option<Region>,
    /// Whose PartnerID the order names, at any time.
    belongs: Vec<Belongs>,
    /// The reseller's tenant, where its PartnerID is known.
    pub(super) reseller: Option<Guid>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(desk: &'a Desk<'a>, order: &'a OrderRequested) -> Self {
        let statement = desk.partners.statement_at(order.partner, order.at);
        let belongs = order.reseller.as_deref().map(|id| desk.partners.location(id)).unwrap_or_default();
        let at_hand = belongs.iter().find(|belongs| belongs.interval.contains(order.at));
        let reseller = at_hand.or(belongs.first()).and_then(|belongs| belongs.partner);
        Self {
            desk,
            order,
            policy: desk.policy(order.at),
            seller: seller(&desk.partners, order.partner, order.at),
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

    pub(super) fn standing(&self) -> Standing {
        self.desk.standing(self.order.partner, self.order.at)
    }

    /// What the policy leaves to the partner in its state.
    pub(super) fn left(&self) -> Left {
        let permits = match self.standing().state {
            State::Good | State::Restricted | State::Suspended => self.policy.suspended_permits,
            State::Revoked => self.policy.revoked_permits,
        };
        match permits {
            Permits::Nothing => Left::Nothing,
            Permits::Renewals => Left::Renewals,
            Permits::Changes => Left::Changes,
        }
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
        let statement = self.desk.partners.statement_at(partner, self.order.at);
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
        location(&self.desk.channel, &self.desk.partners, (reseller, self.order.at), named)
    }

    /// The reseller's region against its provider's. Of who is not known, or has no region, it is
    /// refused elsewhere.
    pub(super) fn beside(&self) -> Beside {
        let reseller = self.reseller.and_then(|reseller| self.desk.partners.statement_at(reseller, self.order.at));
        match (reseller.and_then(|statement| regions::of(statement.country)), self.region) {
            (None, _) | (_, None) => Beside::NotNamed,
            (Some(one), Some(other)) if one == other => Beside::Same,
            (Some(_), Some(_)) => Beside::Other,
        }
    }

    /// The current partner of a transfer.
    pub(super) fn source(&self) -> Source {
        let Some(current) = self.order.counterpart else { return Source::Untold };
        if current == self.order.partner {
            return Source::Itself;
        }
        let currency = |partner| self.desk.billing_currency(partner, self.order.at);
        match (currency(current), currency(self.order.partner)) {
            (Some(now), Some(then)) if now == then => Source::SameCurrency,
            (Some(_), Some(_)) => Source::OtherCurrency,
            (None, _) | (_, None) => Source::Untold,
        }
    }

    pub(super) fn term(&self) -> Term {
        match self.order.term_ends_at {
            None => Term::Untold,
            Some(end) if end <= self.order.at => Term::Ended,
            Some(_) => Term::Running,
        }
    }

    pub(super) fn counterpart(&self) -> Seller {
        self.order.counterpart.map_or(Seller::Unknown, |other| seller(&self.desk.partners, other, self.order.at))
    }

    pub(super) fn same_region_as_counterpart(&self) -> bool {
        let other = self.order.counterpart.and_then(|other| self.desk.partners.statement_at(other, self.order.at));
        let other = other.and_then(|statement| regions::of(statement.country));
        other.is_some() && other == self.region
    }

    pub(super) fn tenant(&self) -> Tenant {
        tenant(self.desk, self.order.customer, self.order.at)
    }

    pub(super) fn kinship(&self) -> Kinship {
        let partners = &self.desk.partners;
        let organisation = |tenant: Guid| partners.organisation_at(tenant, self.order.at);
        let sellers = [Some(self.order.partner), self.reseller];
        let is_seller = |tenant: Guid| {
            sellers.iter().flatten().any(|seller| *seller == tenant || organisation(*seller) == organisation(tenant))
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

    pub(super) fn market(&self) -> Option<Market> {
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
    pub(super) fn available(&self) -> Option<Decimal> {
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
    pub(super) fn own_plans(&self) -> impl Iterator<Item = &&'a PlanCreated> {
        let reseller = self.order.reseller.as_deref().map(str::trim);
        self.desk.plans_of(self.order.customer).iter().filter(move |plan| {
            let of_reseller = || self.desk.commerce.reseller_at(plan.plan, self.order.at).map(str::trim) == reseller;
            let at = self.order.at;
            let ended = self.desk.commerce.plan_cancelled(plan.plan).is_some_and(|cancelled| cancelled <= at);
            let mine = plan.bill_to == self.order.partner && plan.at <= at && !ended;
            let same = self.seller != Seller::Provider || reseller.is_none() || of_reseller();
            // The plan that this very order made is not in its way.
            let made = self.hangs_on().is_none() && plan.at == self.order.at && Some(plan.plan) == self.order.plan;
            mine && same && !made
        })
    }

    /// The plan that an order names for what is to hang on it, or to be suspended.
    pub(super) fn hangs_on(&self) -> Option<Guid> {
        let kinds = [OrderKind::AzureSubscription, OrderKind::Reservation, OrderKind::PlanSuspension];
        self.order.plan.filter(|_| kinds.contains(&self.order.kind))
    }

    /// CHN-17: an order that names the plan it hangs on is judged by that plan alone, however good another
    /// one of the customer is; one that names none by all that the customer has here. Source: choice of this
    /// project.
    fn deciding_plans(&self) -> impl Iterator<Item = &&'a PlanCreated> {
        let named = self.hangs_on();
        self.own_plans().filter(move |plan| named.is_none_or(|named| named == plan.plan))
    }

    /// A suspended plan that stands in the order's way.
    pub(super) fn suspended_plan(&self) -> Option<Guid> {
        let mut plans = self.deciding_plans().map(|plan| plan.plan);
        plans.find(|plan| self.desk.commerce.is_suspended(*plan, self.order.at))
    }

    pub(super) fn azure(&self) -> Azure {
        let at = self.order.at;
        let moves = matches!(self.order.kind, OrderKind::Transition | OrderKind::Transfer);
        if moves && self.own_plans().any(|plan| self.desk.legacy(plan.plan, at)) {
            return Azure::Legacy;
        }
        let state = |plan: &&PlanCreated| match plan.plan {
            plan if self.desk.legacy(plan, at) => Azure::Legacy,
            plan if self.desk.commerce.is_suspended(plan, at) => Azure::Suspended,
            plan if self.desk.active(plan, at) => Azure::PlanInUse,
            _ => Azure::Plan,
        };
        self.deciding_plans().map(state).max().unwrap_or(Azure::Nothing)
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

    /// How far a transition of the customer's with this partner has come: as stated last; where one was
    /// accepted and nothing was stated since, it waits. It is over when nothing classic is left.
    pub(super) fn moving(&self) -> Moving {
        let (customer, partner, at) = (self.order.customer, self.order.partner, self.order.at);
        let plans = self.desk.plans_of(customer).iter().filter(|plan| plan.bill_to == partner && plan.at <= at);
        if !plans.into_iter().any(|plan| self.desk.legacy(plan.plan, at)) {
            return Moving::No;
        }
        let accepted = |request: Identity| {
            let answer = self.desk.channel.answers(request).last();
            answer.is_some_and(|answer| answer.value.accepted)
        };
        let earlier = self.desk.orders.get(&(customer, partner)).into_iter().flatten();
        let earlier = earlier.filter(|(_, order)| order.at < at && order.order != self.order.order);
        let ordered = earlier.filter(|(request, _)| accepted(*request)).map(|(_, order)| order.at).max();
        match (self.desk.channel.transition(customer, partner, at), ordered) {
            (None, None) => Moving::No,
            (Some(stated), ordered) if ordered.is_none_or(|ordered| ordered <= stated.at) => match stated.value {
                TransitionState::Pending => Moving::Waiting,
                TransitionState::InProgress => Moving::Running,
                TransitionState::Failed => Moving::Failed,
                TransitionState::Completed => Moving::No,
            },
            (_, Some(_)) | (Some(_), None) => Moving::Waiting,
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
        None => match seller(&desk.partners, customer, at) {
            Seller::DirectBill | Seller::Provider => Tenant::Csp,
            Seller::Reseller | Seller::Other | Seller::Unknown => Tenant::Customer,
        },
    }
}

/// Whose location a PartnerID is, against the one with which its owner was onboarded as a reseller.
pub(crate) fn location(
    channel: &Channel,
    partners: &Partners,
    (reseller, at): (Guid, Instant),
    named: &str,
) -> Location {
    match channel.onboarded(reseller).and_then(|stated| stated.value.as_ref()) {
        None => Location::Untold,
        Some(onboarded) if onboarded.trim() == named.trim() => Location::Same,
        Some(onboarded) => {
            let country = |id: &str| {
                let owner = partners.location(id).into_iter().find_map(|belongs| belongs.partner)?;
                partners.statement_at(owner, at).map(|statement| statement.country)
            };
            if country(onboarded) == country(named) { Location::Other } else { Location::Abroad }
        }
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
