//! Orders of Azure: what of it the customer has, what moves, and by which day what was sold.

use super::shop::*;
use crate::entry::*;
use crate::ids::Guid;

const OTHER_PLAN: Guid = Guid(0xa2);
const OTHER_SUBSCRIPTION: Guid = Guid(0x52);

fn named(number: &str, order: OrderRequested) -> OrderRequested {
    OrderRequested { order: number.into(), ..order }
}

/// Tells an order, and that it was accepted.
fn accept(shop: &mut Shop, order: &OrderRequested) {
    let request = shop.tell(ChannelEvent::OrderRequested(order.clone()));
    shop.tell(ChannelEvent::OrderAnswered(OrderAnswered {
        answer: answer_name(request, 1).into(),
        request,
        order: order.order.clone(),
        accepted: true,
        reasons: Vec::new(),
        first: None,
        rules_version: 1,
        policy_revision: 1,
        decision: Decision { actor: "ann".into(), reason: "fine".into(), at: order.at },
    }));
}

/// CHN-17: one plan for each partner: what another partner sold, and what is sold only later, is not in
/// the way; neither is the plan that this very order made.
#[test]
fn a_plan_is_in_the_way_of_a_second_one_of_the_same_partner_alone() {
    let mut shop = Shop::new();
    let buys = |plan: Option<Guid>, when: &str| OrderRequested { plan, ..order(OrderKind::AzurePlan, DIRECT, when) };
    shop.world.plan(OTHER_PLAN, PROVIDER, Some(RESELLER_ID), "2024-01-01");
    shop.world.plan(PLAN, DIRECT, None, "2024-05-01");
    let exists = |order: &OrderRequested| shop.refuses(order, Ground::PlanExists);
    assert!(!exists(&buys(None, "2024-04-30")));
    assert!(!exists(&buys(Some(PLAN), "2024-05-01")), "the plan that it made");
    assert!(exists(&buys(Some(Guid(0xa3)), "2024-05-01")), "at one instant, two plans are still one too many");
    assert!(exists(&buys(Some(PLAN), "2024-05-02")), "made before");
}

/// CHN-17, 900115: the plan that is to be suspended is the one that counts, not a busier one beside it.
#[test]
fn a_plan_is_suspended_by_its_own_use_alone() {
    let mut shop = Shop::new();
    shop.world.plan(PLAN, PROVIDER, Some(RESELLER_ID), "2024-01-01");
    shop.world.plan(OTHER_PLAN, PROVIDER, Some(RESELLER_ID), "2024-01-01");
    shop.world.subscription(SUBSCRIPTION, PLAN, Offer::AzurePlan, "2024-01-01");
    let suspends =
        |plan| OrderRequested { plan: Some(plan), ..order(OrderKind::PlanSuspension, PROVIDER, "2024-05-01") };
    assert!(shop.refuses(&suspends(PLAN), Ground::PlanInUse));
    assert!(!shop.refuses(&suspends(OTHER_PLAN), Ground::PlanInUse));
}

/// CHN-17: what hangs on a plan is judged by the plan that the order names, whichever of the two is the
/// better one; without a name by the better one. A plan of somebody else, or of nobody, bears nothing.
#[test]
fn an_order_that_names_a_plan_is_judged_by_that_plan() {
    let mut shop = Shop::new();
    shop.world.plan(PLAN, DIRECT, None, "2024-01-01");
    shop.world.plan(OTHER_PLAN, DIRECT, None, "2024-01-01");
    shop.world.plan(Guid(0xa3), PROVIDER, Some(RESELLER_ID), "2024-01-01");
    shop.world.plan(Guid(0xa4), DIRECT, None, "2024-05-02");
    shop.tell(Event::PlanSuspended(PlanChange { plan: OTHER_PLAN, at: at("2024-02-01") }));
    let (missing, suspended) = ("plan-missing", "plan-suspended");
    for kind in [OrderKind::AzureSubscription, OrderKind::Reservation] {
        for (plan, when, expected) in [
            (None, "2024-05-01", None),
            (Some(PLAN), "2024-05-01", None),
            (Some(OTHER_PLAN), "2024-05-01", Some(suspended)),
            (Some(OTHER_PLAN), "2024-01-31", None),
            (Some(Guid(0xa3)), "2024-05-01", Some(missing)),
            (Some(Guid(0xa4)), "2024-05-01", Some(missing)),
            (Some(Guid(0xa4)), "2024-05-02", None),
            (Some(Guid(0xa5)), "2024-05-01", Some(missing)),
        ] {
            let reasons = shop.judge(&OrderRequested { plan, ..order(kind, DIRECT, when) }).reasons;
            let of_plan: Vec<_> = reasons.iter().filter(|reason| reason.ground.rule() == "CHN-17").collect();
            let codes: Vec<&str> = of_plan.iter().map(|reason| reason.ground.text()).collect();
            assert_eq!(codes, expected.into_iter().collect::<Vec<_>>(), "{kind:?} of {plan:?} on {when}");
            let named = plan.map(|plan| format!("plan {plan})")).unwrap_or_default();
            assert!(of_plan.iter().all(|reason| reason.detail.ends_with(&named)), "{of_plan:?}");
        }
    }
    shop.tell(Event::PlanSuspended(PlanChange { plan: PLAN, at: at("2024-03-01") }));
    let none = shop.judge(&order(OrderKind::AzureSubscription, DIRECT, "2024-05-01"));
    assert!(none.reasons.iter().any(|reason| reason.detail.ends_with(&format!("(plan {PLAN})"))), "{none:?}");
}

/// CHN-17: whoever never had the classic offer could still buy it the day before it closed.
#[test]
fn the_classic_offer_closed_on_2021_07_21() {
    let shop = Shop::new();
    let closed = |when: &str| shop.refuses(&order(OrderKind::LegacyAzure, DIRECT, when), Ground::LegacyClosed);
    let days = ["2021-07-20", "2021-07-20T23:59:59Z", "2021-07-21", "2021-07-22"];
    assert_eq!(days.map(closed), [false, false, true, true]);
}

/// CHN-18, 900105: what is suspended and does not move blocks no move.
#[test]
fn a_transition_is_blocked_by_suspended_classic_subscriptions_alone() {
    let mut shop = Shop::new();
    shop.classic(DIRECT);
    shop.world.subscription(OTHER_SUBSCRIPTION, PLAN, Offer::AzurePlan, "2020-01-01");
    let suspend =
        |subscription, when: &str| Event::SubscriptionSuspended(SubscriptionChange { subscription, at: at(when) });
    shop.tell(suspend(OTHER_SUBSCRIPTION, "2024-01-01"));
    let blocked = |shop: &Shop| {
        let order = order(OrderKind::Transition, DIRECT, "2024-05-01");
        shop.refuses(&order, Ground::SubscriptionSuspended)
    };
    assert!(!blocked(&shop));
    shop.tell(suspend(SUBSCRIPTION, "2024-02-01"));
    assert!(blocked(&shop));
}

/// CHN-18: the move is over with this partner when nothing classic of this partner is left, whatever
/// another partner still has.
#[test]
fn a_transition_is_over_when_nothing_classic_of_this_partner_is_left() {
    let mut shop = Shop::new();
    shop.classic(PROVIDER);
    for partner in [DIRECT, PROVIDER] {
        shop.tell(transition(partner, TransitionState::Pending, "2024-04-01"));
    }
    let waits = |partner| shop.refuses(&order(OrderKind::Licences, partner, "2024-05-01"), Ground::TransitionWaiting);
    assert_eq!([DIRECT, PROVIDER].map(waits), [false, true]);
}

/// CHN-18, 900109: an order is in the way of the ones after it. It is not in its own way when it is
/// told again, nor in that of one before it or at its instant.
#[test]
fn an_accepted_transition_is_in_the_way_of_later_orders_alone() {
    let mut shop = Shop::new();
    shop.classic(DIRECT);
    let moves = |number, when| named(number, order(OrderKind::Transition, DIRECT, when));
    accept(&mut shop, &moves("PO-1", "2024-05-01T10:00:00Z"));
    let again = |number, when| shop.refuses(&moves(number, when), Ground::TransitionAgain);
    assert!(!again("PO-2", "2024-05-01T09:59:59Z"));
    assert!(!again("PO-2", "2024-05-01T10:00:00Z"));
    assert!(again("PO-2", "2024-05-01T10:00:01Z"));
    assert!(!again("PO-1", "2024-05-01T10:00:01Z"), "the same order, told again");
}

/// CHN-18: what Partner Center said last of an earlier attempt says nothing of one that was ordered
/// since: that one waits until something is said of it.
#[test]
fn a_transition_ordered_anew_waits_whatever_was_said_of_the_earlier_one() {
    let mut shop = Shop::new();
    shop.classic(DIRECT);
    shop.tell(transition(DIRECT, TransitionState::Failed, "2024-04-01"));
    accept(&mut shop, &named("PO-1", order(OrderKind::Transition, DIRECT, "2024-05-01")));
    let refused = |shop: &Shop, when: &str| {
        let order = named("PO-2", order(OrderKind::Licences, DIRECT, when));
        [Ground::TransitionFailed, Ground::TransitionWaiting, Ground::TransitionRunning]
            .map(|ground| shop.refuses(&order, ground))
    };
    assert_eq!(refused(&shop, "2024-04-30"), [true, false, false]);
    assert_eq!(refused(&shop, "2024-05-02"), [false, true, false]);
    shop.tell(transition(DIRECT, TransitionState::InProgress, "2024-05-03"));
    assert_eq!(refused(&shop, "2024-05-03"), [false, false, true]);
}

/// CHN-7, 900421: from 2026-06-08 the API itself refuses a user's call, by another number than before.
#[test]
fn the_api_enforces_the_second_factor_from_2026_06_08() {
    let mut shop = Shop::new();
    shop.tell(posture(DIRECT, MfaMethod::None, false, "2024-01-01"));
    let errors = |when: &str| {
        let order = OrderRequested { door: OrderDoor::ApiUser, ..order(OrderKind::Licences, DIRECT, when) };
        let reasons = shop.judge(&order).reasons;
        reasons.iter().find(|reason| reason.ground.rule() == "CHN-7").unwrap().ground
    };
    let days = ["2026-06-07", "2026-06-07T23:59:59Z", "2026-06-08", "2026-06-09"];
    let (before, since) = (Ground::MfaMissingApi, Ground::MfaMissingApiNow);
    assert_eq!(days.map(errors), [before, before, since, since]);
}

/// CHN-3, CHN-4: an agreement is known from its attestation on, and one that nobody may attest, or for a
/// day to come, is none. Of a partner that nobody registered it is not known that it may not attest.
#[test]
fn an_agreement_counts_from_the_instant_at_which_somebody_who_may_attests_it() {
    const UNREGISTERED: Guid = Guid(0xf1);
    let mut shop = Shop::new();
    for partner in [DIRECT, RESELLER, UNREGISTERED] {
        shop.tell(attested(partner, "2024-01-01", "2024-01-05"));
    }
    shop.tell(attested(PROVIDER, "2024-02-01", "2024-01-05"));
    let agreed = |partner, when: &str| shop.at_desk(|desk| desk.agreed(CUSTOMER, partner, at(when)).is_some());
    assert_eq!(["2024-01-04", "2024-01-05", "2024-02-02"].map(|when| agreed(DIRECT, when)), [false, true, true]);
    assert!(agreed(UNREGISTERED, "2024-01-05"));
    assert!(!agreed(RESELLER, "2024-02-02"), "a reseller does not attest");
    assert!(!agreed(PROVIDER, "2024-02-02"), "it was attested before it was agreed");
}
