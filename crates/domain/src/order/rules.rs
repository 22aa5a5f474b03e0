//! The rules of orders, each a pure function over few words.
//!
//! A function takes what matters and nothing else, so that its whole table can be written down
//! (`tables`). What the words are on an instant is `facts`'s to find. An empty list is consent.

use super::grounds::Ground;
pub use super::terms::*;
use crate::channel::State;
use crate::entry::{AttesterRole, OrderDoor, OrderKind};

/// What a rule says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ruling {
    Refuse(Ground),
    /// Accepted with a remark.
    Remark(Ground),
}

/// Rulings of one rule; none is consent.
pub type Rulings = Vec<Ruling>;

fn refuse_if(condition: bool, ground: Ground) -> Option<Ruling> {
    condition.then_some(Ruling::Refuse(ground))
}

/// Whether the order brings new business with a customer.
fn is_new_business(class: Class) -> bool {
    matches!(class, Class::Purchase | Class::Transition | Class::Transfer)
}

/// What a kind of partner may do at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights {
    /// Microsoft bills it.
    pub billed: bool,
    pub orders: bool,
    pub attests: bool,
    /// Credit is paid to it; a reseller's access earns for its provider.
    pub earns: bool,
}

/// CHN-1: a direct-bill partner and a provider are billed, order, attest and earn; nobody else does.
/// Source: seed page on partner relationships (2020-05-12); confirm-customer-agreement (2023-04-28).
#[must_use]
pub fn rights(seller: Seller) -> Rights {
    let billed = matches!(seller, Seller::DirectBill | Seller::Provider);
    Rights { billed, orders: billed, attests: billed, earns: billed }
}

/// CHN-1: who may order. A direct-bill partner sells by itself, a provider through a reseller; nobody
/// else orders, and anybody may be hired to manage. Source: seed page on partner relationships
/// (2020-05-12); csp-supported-partner-relationships.
#[must_use]
pub fn role(seller: Seller, class: Class, names_reseller: bool) -> Rulings {
    let bilateral = matches!(class, Class::Relationship | Class::Partnership | Class::Renewal);
    let ruling = match (seller, class) {
        (_, Class::Manage | Class::Attestation) => None,
        (Seller::Unknown, _) => Some(Ruling::Refuse(Ground::PartnerUnknown)),
        (Seller::Other, _) => Some(Ruling::Refuse(Ground::PartnerType)),
        (Seller::Reseller, _) => refuse_if(!bilateral, Ground::ResellerOrders),
        (Seller::DirectBill, _) => refuse_if(names_reseller && is_new_business(class), Ground::ResellerNotExpected),
        (Seller::Provider, _) => refuse_if(!names_reseller && is_new_business(class), Ground::NoReseller),
    };
    ruling.into_iter().collect()
}

/// CHN-2: restricted, suspended, revoked. Restricted: nothing new, existing subscriptions renew and
/// change. Source: restricted-direct-bill-capabilities (2022-08-18). What a suspended or revoked
/// partner may still do is not published: `left` is the policy's word on it.
#[must_use]
pub fn standing(state: State, left: Left, class: Class) -> Rulings {
    let new = matches!(
        class,
        Class::Purchase
            | Class::Sandbox
            | Class::Relationship
            | Class::Partnership
            | Class::Transition
            | Class::Transfer
    );
    let stays = match left {
        Left::Nothing => false,
        Left::Renewals => class == Class::Renewal,
        Left::Changes => matches!(class, Class::Renewal | Class::Change),
    };
    let ruling = match (state, class) {
        (State::Good, _) | (_, Class::Manage) => None,
        (State::Restricted, _) => refuse_if(new, Ground::Restricted),
        (State::Suspended, _) => refuse_if(!stays, Ground::Suspended),
        (State::Revoked, _) => refuse_if(!stays, Ground::Revoked),
    };
    ruling.into_iter().collect()
}

/// CHN-3: the customer agreement is needed for an Azure plan since 2019-10-01 and for every new order
/// since 2020-02-01; automatic renewals are exempt. Source: seed pages on the Azure plan
/// (2019-12-02, 2020-07-10); confirm-customer-agreement (2023-04-28).
#[must_use]
pub fn agreement(kind: OrderKind, era: Era, agreed: bool) -> Rulings {
    let plan = matches!(
        kind,
        OrderKind::AzurePlan | OrderKind::AzureSubscription | OrderKind::Transition | OrderKind::Transfer
    );
    let needed = match era {
        Era::BeforePlan => false,
        Era::PlanOnly => plan,
        Era::EveryOrder => is_new_business(class(kind)),
    };
    refuse_if(needed && !agreed, Ground::AgreementMissing).into_iter().collect()
}

/// CHN-4: who may attest, when, and when again. Only a direct-bill partner's or a provider's admin or
/// sales agent, not for a day to come, and again only with changed contact data. Source:
/// confirm-customer-agreement (2023-04-28) and its API page.
#[must_use]
pub fn attestation(seller: Seller, role: AttesterRole, in_future: bool, prior: Prior) -> Rulings {
    let all = [
        refuse_if(!rights(seller).attests, Ground::AttesterType),
        refuse_if(role == AttesterRole::Other, Ground::AttesterRole),
        refuse_if(in_future, Ground::AgreementInFuture),
        refuse_if(prior == Prior::SameContact, Ground::AlreadyAttested),
    ];
    all.into_iter().flatten().collect()
}

/// CHN-5: from 2020-02-01 the seller and the reseller must have signed the partner agreement for their
/// region before new business. Source: seed page on partner relationships (2020-05-12);
/// microsoft-partner-agreement (2022-02-22); verify-indirect-reseller-mpa-status (2020-07-24).
#[must_use]
pub fn partner_agreement(class: Class, in_force: bool, own: Signed, other: Signed) -> Rulings {
    let new = is_new_business(class) || matches!(class, Class::Partnership | Class::Relationship);
    let attaches = is_new_business(class) || matches!(class, Class::Partnership | Class::Change);
    // A partnership names the other side by its tenant, an order by its PartnerID: two numbers.
    let missing = if class == Class::Partnership { Ground::OtherAgreement } else { Ground::ResellerAgreement };
    let all = [
        refuse_if(in_force && new && own == Signed::No, Ground::OwnAgreement),
        refuse_if(in_force && attaches && other == Signed::No, missing),
    ];
    all.into_iter().flatten().collect()
}

/// CHN-6: a reseller is named by an active PartnerID, onboarded, enrolled and linked to the provider.
/// Source: seed page on partner relationships (2020-05-12); indirect-provider-tasks (2023-09-15).
#[must_use]
pub fn reseller(partner_id: PartnerId, qualified: Qualified, link: Bond) -> Rulings {
    match partner_id {
        PartnerId::NotNamed => return Vec::new(),
        PartnerId::Unknown => return vec![Ruling::Refuse(Ground::ResellerUnknown)],
        PartnerId::Inactive | PartnerId::Active => {}
    }
    let all = [
        refuse_if(partner_id == PartnerId::Inactive, Ground::ResellerInactive),
        refuse_if(matches!(qualified, Qualified::NotOnboarded | Qualified::Neither), Ground::ResellerNotOnboarded),
        refuse_if(matches!(qualified, Qualified::NotEnrolled | Qualified::Neither), Ground::ResellerNotEnrolled),
        refuse_if(link != Bond::Standing, Ground::NotLinked),
        (qualified == Qualified::Untold).then_some(Ruling::Remark(Ground::ResellerUntold)),
    ];
    all.into_iter().flatten().collect()
}

/// CHN-7: a second factor for every user. Between its contractual and its technical date a remark, from
/// then on a refusal; a third party's product opens no customer's tenant after its exception ended.
/// Source: seed page on the Azure plan (2019-12-02); partner-security-requirements (2023-10-13).
#[must_use]
pub fn security(era: MfaEra, posture: Posture, class: Class, door: OrderDoor) -> Rulings {
    if era == MfaEra::Before || class == Class::Renewal {
        return Vec::new();
    }
    let delegated = class == Class::Manage && era >= MfaEra::NoThirdParty;
    let missing = match (era, door) {
        (MfaEra::Contractual, _) => Ruling::Remark(Ground::MfaDue),
        (_, OrderDoor::Portal | OrderDoor::ApiApp) => Ruling::Refuse(Ground::MfaMissing),
        (MfaEra::Api, OrderDoor::ApiUser) => Ruling::Refuse(Ground::MfaMissingApiNow),
        (_, OrderDoor::ApiUser) => Ruling::Refuse(Ground::MfaMissingApi),
    };
    match posture {
        Posture::EveryUser => Vec::new(),
        Posture::ThirdParty => refuse_if(delegated, Ground::MfaThirdParty).into_iter().collect(),
        Posture::Untold => vec![Ruling::Remark(Ground::MfaUntold)],
        Posture::NotEveryUser => vec![missing],
    }
}

/// CHN-8: nothing is sold into a CSP tenant. For its own use a partner has a separate customer-type
/// tenant, and buys from a reseller or a direct-bill partner. Source: seed page on partner
/// relationships, scenario 4 (2020-05-12); multipartner (2023-09-26).
#[must_use]
pub fn tenant(tenant: Tenant, seller: Seller, names_reseller: bool, class: Class) -> Rulings {
    if !(is_new_business(class) || class == Class::Relationship) {
        return Vec::new();
    }
    let alone = seller == Seller::Provider && !names_reseller && class != Class::Relationship;
    match tenant {
        Tenant::Customer => Vec::new(),
        Tenant::Internal => refuse_if(alone, Ground::OwnUseSeller).into_iter().collect(),
        Tenant::Csp => vec![Ruling::Refuse(Ground::CspTenant)],
    }
}

/// CHN-9: nobody sells to itself or to its own group as the end customer. Source: seed page on partner
/// relationships, scenario 5 (2020-05-12).
#[must_use]
pub fn kinship(kinship: Kinship, class: Class) -> Rulings {
    let concerned = is_new_business(class) || class == Class::Relationship;
    let ruling = match kinship {
        Kinship::Strangers => None,
        Kinship::Affiliate => refuse_if(concerned, Ground::Affiliate),
        Kinship::Same => refuse_if(concerned, Ground::Myself),
    };
    ruling.into_iter().collect()
}

/// CHN-10: a reseller is no end customer of its own provider on the same tenant, until the instant
/// their relationship ends. Source: seed page on partner relationships, scenario 6 (2020-05-12).
#[must_use]
pub fn own_reseller(link: Bond, class: Class) -> Rulings {
    let concerned = is_new_business(class) || class == Class::Relationship;
    refuse_if(concerned && link == Bond::Standing, Ground::OwnReseller).into_iter().collect()
}

/// CHN-11: a partner sells to customers whose tenant's country is in its own region. Source: seed page
/// on partner relationships, scenario 7 (2020-05-12); regional-authorization-overview (2023-08-17).
#[must_use]
pub fn region(place: Place, class: Class) -> Rulings {
    if !(is_new_business(class) || class == Class::Relationship) {
        return Vec::new();
    }
    match place {
        Place::Same => Vec::new(),
        Place::Unknown => vec![Ruling::Refuse(Ground::CustomerUnknown)],
        Place::Unlisted => vec![Ruling::Refuse(Ground::CountryUnlisted)],
        Place::Other => vec![Ruling::Refuse(Ground::OtherRegion)],
    }
}

/// CHN-12: a provider and a reseller link within one region. Source: seed page on partner
/// relationships, scenario 8 (2020-05-12); verify-indirect-reseller-mpa-status (2020-07-24).
#[must_use]
pub fn partnership(one: Seller, other: Seller, same_region: bool) -> Rulings {
    if other == Seller::Unknown {
        return vec![Ruling::Refuse(Ground::CounterpartUnknown)];
    }
    let sells = |seller| matches!(seller, Seller::Reseller | Seller::DirectBill);
    let fits = (one == Seller::Provider && sells(other)) || (other == Seller::Provider && sells(one));
    let all = [refuse_if(!fits, Ground::PartnershipRoles), refuse_if(!same_region, Ground::PartnershipRegion)];
    all.into_iter().flatten().collect()
}

/// CHN-12: neither does an order through a reseller cross regions, whatever links were told. Source:
/// verify-indirect-reseller-mpa-status (2020-07-24).
#[must_use]
pub fn beside(beside: Beside, class: Class) -> Rulings {
    let concerned = is_new_business(class) || class == Class::Change;
    refuse_if(concerned && beside == Beside::Other, Ground::ResellerRegion).into_iter().collect()
}

/// CHN-13: the customer's consent comes before any order, and lasts until the instant it ends. Source:
/// seed page on the Azure plan (2020-07-10); indirect-provider-tasks (2023-09-15).
#[must_use]
pub fn relationship(bond: Bond, class: Class) -> Rulings {
    let needed = is_new_business(class) || class == Class::Change;
    match (bond, class) {
        (Bond::Standing, Class::Relationship) => vec![Ruling::Remark(Ground::AlreadyRelated)],
        (Bond::None, _) => refuse_if(needed, Ground::NoRelationship).into_iter().collect(),
        (Bond::Ended, _) => refuse_if(needed, Ground::RelationshipEnded).into_iter().collect(),
        (Bond::Standing, _) => Vec::new(),
    }
}

/// CHN-14: several partners may serve one customer, and one may be hired to manage what others sold.
/// Source: multipartner (2023-09-26), multichannel (2023-09-20).
#[must_use]
pub fn several_partners(others: bool, class: Class) -> Rulings {
    let ruling = match class {
        Class::Manage => Some(Ruling::Remark(Ground::Hired)),
        Class::Purchase | Class::Relationship => others.then_some(Ruling::Remark(Ground::MultiPartner)),
        Class::Change
        | Class::Renewal
        | Class::Sandbox
        | Class::Partnership
        | Class::Transition
        | Class::Transfer
        | Class::Attestation => None,
    };
    ruling.into_iter().collect()
}

/// CHN-15: markets are authorised, and the Azure plan's list is narrower than the programme's. Source:
/// error-codes (2030); compare-azure-offers (2023-01-11).
#[must_use]
pub fn market(kind: OrderKind, authorised: Listed, plan_list: Listed) -> Rulings {
    let class = class(kind);
    let of_plan = matches!(
        kind,
        OrderKind::AzurePlan | OrderKind::AzureSubscription | OrderKind::Transition | OrderKind::Transfer
    );
    let all = [
        refuse_if(is_new_business(class) && authorised == Listed::No, Ground::Market),
        refuse_if(of_plan && plan_list == Listed::No, Ground::PlanMarket),
        (of_plan && plan_list == Listed::NoList).then_some(Ruling::Remark(Ground::PlanMarketUntold)),
    ];
    all.into_iter().flatten().collect()
}

/// CHN-16: what is bought must fit the available credit, limit less outstanding; renewals and running
/// usage are never stopped. Source: credit-limit-enforcement (2022-04-25).
#[must_use]
pub fn credit(credit: Credit, class: Class) -> Rulings {
    let ruling = match (class, credit) {
        (Class::Purchase, Credit::Short) => Some(Ruling::Refuse(Ground::CreditShort)),
        (Class::Purchase, Credit::Untold) => Some(Ruling::Remark(Ground::CreditUntold)),
        _ => None,
    };
    ruling.into_iter().collect()
}

/// CHN-17: one plan per customer, for a provider one per customer and reseller; the plan and the classic
/// offer exclude each other; what hangs on a plan needs an active one; a plan in use is not suspended.
/// Source: azure-plan-transition (2023-01-11), purchase-azure-plan (2022-09-09), create-azure-plan.
#[must_use]
pub fn plan(kind: OrderKind, azure: Azure, legacy_open: bool) -> Rulings {
    let active = matches!(azure, Azure::Plan | Azure::PlanInUse);
    let has_plan = active || azure == Azure::Suspended;
    let all = match kind {
        OrderKind::AzurePlan => {
            [refuse_if(has_plan, Ground::PlanExists), refuse_if(azure == Azure::Legacy, Ground::LegacyExists)]
        }
        OrderKind::LegacyAzure => {
            let open = !has_plan && (legacy_open || azure == Azure::Legacy);
            [refuse_if(!open, Ground::LegacyClosed), None]
        }
        OrderKind::AzureSubscription | OrderKind::Reservation => {
            [refuse_if(!has_plan, Ground::PlanMissing), refuse_if(has_plan && !active, Ground::PlanSuspended)]
        }
        OrderKind::PlanSuspension => {
            [refuse_if(!active, Ground::PlanMissing), refuse_if(azure == Azure::PlanInUse, Ground::PlanInUse)]
        }
        OrderKind::Licences
        | OrderKind::SeatChange
        | OrderKind::Renewal
        | OrderKind::Sandbox
        | OrderKind::ResellerOfRecord
        | OrderKind::Relationship
        | OrderKind::Partnership
        | OrderKind::Transition
        | OrderKind::Transfer
        | OrderKind::LicenceTransfer
        | OrderKind::Manage
        | OrderKind::Attestation => [None, None],
    };
    all.into_iter().flatten().collect()
}

/// CHN-18: the transition needs classic subscriptions, none of them suspended; while it waits, runs or
/// has failed, nothing else is bought. Usage until the exit is billed on the old invoice, from then on
/// under the plan, where credit can begin. Source: azure-plan-transition (2023-01-11), error-codes
/// (2023-06-15).
#[must_use]
pub fn transition(class: Class, azure: Azure, suspended: bool, moving: Moving) -> Rulings {
    let moves = class == Class::Transition;
    let stands_in_the_way = match (moving, class) {
        (Moving::Waiting | Moving::Running, Class::Transition) => Some(Ruling::Refuse(Ground::TransitionAgain)),
        (Moving::Waiting, Class::Purchase) => Some(Ruling::Refuse(Ground::TransitionWaiting)),
        (Moving::Running, Class::Purchase) => Some(Ruling::Refuse(Ground::TransitionRunning)),
        (Moving::Failed, Class::Purchase | Class::Transition) => Some(Ruling::Refuse(Ground::TransitionFailed)),
        _ => None,
    };
    let all = [
        refuse_if(moves && azure != Azure::Legacy, Ground::NothingToMove),
        refuse_if(moves && suspended, Ground::SubscriptionSuspended),
        stands_in_the_way,
        moves.then_some(Ruling::Remark(Ground::TransitionSteps)),
    ];
    all.into_iter().flatten().collect()
}

/// CHN-19: the future partner of a transfer has its own active plan with the customer and no classic
/// subscription; the order of steps keeps the credit; another billing currency ends monthly
/// instalments. Source: transfer-azure-subscriptions-under-azure-plan (2023-09-14), error-codes
/// (2023-06-15).
#[must_use]
pub fn transfer(kind: OrderKind, azure: Azure, source: Source) -> Rulings {
    if class(kind) != Class::Transfer {
        return Vec::new();
    }
    let itself = refuse_if(source == Source::Itself, Ground::TransferToItself);
    if kind == OrderKind::LicenceTransfer {
        return itself.into_iter().collect();
    }
    let plan = match azure {
        Azure::Nothing => Some(Ruling::Refuse(Ground::TransferPlan)),
        Azure::Suspended => Some(Ruling::Refuse(Ground::TransferPlanSuspended)),
        Azure::Legacy => Some(Ruling::Refuse(Ground::TransferLegacy)),
        Azure::Plan | Azure::PlanInUse => None,
    };
    let all = [
        plan,
        itself,
        (source == Source::OtherCurrency).then_some(Ruling::Remark(Ground::TransferCurrency)),
        (source == Source::Untold).then_some(Ruling::Remark(Ground::TransferSource)),
        Some(Ruling::Remark(Ground::TransferSteps)),
    ];
    all.into_iter().flatten().collect()
}

/// CHN-14: licences do not change the partner before their term ends. Source: multichannel (2023-09-20).
#[must_use]
pub fn licence_term(kind: OrderKind, term: Term) -> Rulings {
    if kind != OrderKind::LicenceTransfer {
        return Vec::new();
    }
    match term {
        Term::Ended => Vec::new(),
        Term::Running => vec![Ruling::Refuse(Ground::LicenceTerm)],
        Term::Untold => vec![Ruling::Remark(Ground::LicenceTermUntold)],
    }
}

/// CHN-20: the reseller of record is named by the location PartnerID with which it was onboarded, of
/// the country of its account. Source: indirect-provider-tasks (2023-09-15); link-partner-id-for-PAL.
#[must_use]
pub fn location(location: Location) -> Rulings {
    match location {
        Location::NotNamed | Location::Untold | Location::Same => Vec::new(),
        Location::Other => vec![Ruling::Refuse(Ground::PartnerIdLocation)],
        Location::Abroad => vec![Ruling::Refuse(Ground::PartnerIdCountry)],
    }
}
