//! What follows from orders: answers that are given once, findings about what was never accepted, and
//! what a partner still holds when the relationship ends.

use std::collections::BTreeSet;

use super::shop::*;
use crate::entry::*;
use crate::finding::{About, Code};
use crate::ids::Guid;
use crate::period::{Day, Period};
use crate::scope::Scope;

const AGENTS: Guid = Guid(0x2001);
const AGENT: Guid = Guid(0x4001);

fn answers(shop: &Shop) -> Vec<OrderAnswered> {
    shop.at_desk(|desk| due(desk, "ann", at("2024-06-01")))
}

/// CHN-23: an order's answers are numbered from one, and every later one names the first.
#[test]
fn the_answers_to_an_order_are_numbered_and_refer_to_the_first() {
    let mut shop = Shop::new();
    let request = shop.tell(ChannelEvent::OrderRequested(order(OrderKind::Licences, DIRECT, "2024-05-01")));
    let name = |number: usize| format!("order-answered/{request}/{number}");
    for (number, later) in [
        (1, related(DIRECT, "2024-01-01")),
        (2, attested(DIRECT, "2024-01-01", "2024-01-01")),
        (3, posture(DIRECT, MfaMethod::None, false, "2024-01-01")),
    ] {
        let given = answers(&shop);
        assert_eq!(given.len(), 1, "one answer is due to one order");
        assert_eq!(*given[0].answer, *name(number));
        assert_eq!(given[0].first.as_deref(), (number > 1).then(|| name(1)).as_deref());
        shop.tell(ChannelEvent::OrderAnswered(given[0].clone()));
        assert_eq!(answers(&shop), [], "what was answered is not answered again");
        shop.tell(later);
    }
}

/// CHN-22: whoever reads the finding sees who ordered what for whom, and opens the order.
#[test]
fn usage_on_what_was_refused_is_a_finding_about_the_order() {
    let mut shop = Shop::new();
    let plan = OrderRequested { plan: Some(PLAN), ..order(OrderKind::AzurePlan, DIRECT, "2024-05-01") };
    let subscription = Some(SUBSCRIPTION);
    let below = OrderRequested { kind: OrderKind::AzureSubscription, subscription, ..plan.clone() };
    let orders = [plan, below].map(|order| shop.tell(ChannelEvent::OrderRequested(order)));
    let used = Used { plans: BTreeSet::from([PLAN]), subscriptions: BTreeSet::from([SUBSCRIPTION]) };
    let found = shop.at_desk(|desk| unaccepted(desk, &used));
    let about = |subscription: Option<Guid>| About {
        bill_to: Some(DIRECT),
        customer: Some(CUSTOMER),
        plan: Some(PLAN),
        subscription,
        ..About::default()
    };
    let expected = [(None, orders[0]), (Some(SUBSCRIPTION), orders[1])];
    assert_eq!(found.len(), expected.len());
    for (finding, (subscription, order)) in found.iter().zip(expected) {
        assert_eq!((finding.code, &finding.about), (Code::NotAccepted, &about(subscription)));
        assert_eq!(finding.events, [order]);
    }
}

/// PEC-17: a move without consent and agreement is a finding about the subscription that moved, and it
/// goes to the partner that is billed.
#[test]
fn a_move_without_consent_is_a_finding_about_what_moved() {
    let mut shop = Shop::new();
    shop.classic(DIRECT);
    let moved = Move { subscription: SUBSCRIPTION, to_plan: PLAN, at: at("2024-05-03T12:00:00Z") };
    let moved = shop.tell(Event::SubscriptionTransitioned(moved));
    let found =
        |shop: &Shop, partner| shop.at_desk(|desk| unprepared(desk, partner, Period::parse("2024-05").unwrap()));
    assert_eq!(found(&shop, PROVIDER), []);
    let of_partner = found(&shop, DIRECT);
    let about = About {
        bill_to: Some(DIRECT),
        customer: Some(CUSTOMER),
        plan: Some(PLAN),
        subscription: Some(SUBSCRIPTION),
        day: Day::parse("2024-05-03"),
        ..About::default()
    };
    assert_eq!(of_partner.len(), 1);
    assert_eq!((of_partner[0].code, &of_partner[0].about), (Code::EarlyTransition, &about));
    assert_eq!(of_partner[0].events, [moved]);
    shop.tell(related(DIRECT, "2024-01-01"));
    assert!(found(&shop, DIRECT)[0].detail.ends_with(": the customer agreement"), "consent was known by then");
    shop.tell(attested(DIRECT, "2024-01-01", "2024-01-01"));
    assert_eq!(found(&shop, DIRECT), []);
}

/// A provider whose agents group is known, with a customer's plan and consent.
fn with_agents() -> Shop {
    let mut shop = Shop::new();
    let agents = vec![Dated { value: AGENTS, since: None, until: None }];
    let registered = PartnerRegistered { admin_agents: agents, ..partner(PROVIDER, PartnerKind::Provider) };
    shop.tell(Event::PartnerRegistered(PartnerRegistered { at: at("2019-06-01"), ..registered }));
    shop.world.plan(PLAN, PROVIDER, Some(RESELLER_ID), "2020-01-01");
    shop.world.subscription(SUBSCRIPTION, PLAN, Offer::AzurePlan, "2020-01-01");
    shop.tell(related(PROVIDER, "2020-01-01"));
    shop
}

fn held_at(shop: &Shop, when: &str) -> Vec<Held> {
    shop.at_desk(|desk| {
        let access = shop.world.facts.access.view(desk.commerce, &desk.partners);
        held(desk, &access, CUSTOMER, PROVIDER, at(when))
    })
}

fn given(principal: Guid, when: &str) -> Event {
    let facts = GrantFacts { principal, principal_type: None, role: crate::roles::OWNER, condition: None };
    let (assignment, scope) = (Guid(principal.0 << 64), Scope::subscription_of(SUBSCRIPTION));
    Event::AssignmentCreated(AssignmentCreated { assignment, scope, facts, at: at(when) })
}

/// CHN-13: nothing is said to have stayed while the relationship stands; all of it has once it ended.
#[test]
fn what_a_partner_holds_has_stayed_behind_only_once_the_relationship_ended() {
    let mut shop = with_agents();
    shop.tell(given(AGENTS, "2020-02-01"));
    shop.tell(ended(PROVIDER, "2024-06-01"));
    let stayed = |when: &str| held_at(&shop, when).iter().map(|one| (one.by, one.stayed)).collect::<Vec<_>>();
    let expected = |stayed| [(HeldBy::Administration, stayed), (HeldBy::Agents, stayed)];
    assert_eq!(stayed("2024-05-31"), expected(false));
    assert_eq!(stayed("2024-06-01"), expected(true));
}

/// A role of the group is held by its agents, whoever of them is looked at, and by the group's name.
#[test]
fn a_role_of_the_agents_group_is_held_by_the_group() {
    let mut shop = with_agents();
    let joined = GroupMemberAdded { group: AGENTS, member: AGENT, at: at("2020-01-15"), until: None };
    shop.tell(Event::GroupMemberAdded(joined));
    shop.tell(given(AGENTS, "2020-02-01"));
    let held = held_at(&shop, "2024-05-01");
    assert!(held.iter().any(|one| (one.by, one.holder) == (HeldBy::Agents, AGENTS)), "{held:?}");
    assert!(held.iter().all(|one| one.holder != AGENT), "{held:?}");
}
