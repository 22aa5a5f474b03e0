//! What credit grants, reservations and savings plans pay for, and which grants can pay for nothing.

use super::tests::*;
use super::*;
use crate::entry::*;
use crate::ids::MeterId;
use crate::scope::Scope;
use crate::testing::*;

/// A second plan of the customer, and a subscription under it.
const SECOND: Guid = Guid(0xa2);
const THIRD: Guid = Guid(0xa3);

fn grants(world: &mut World, change: impl FnOnce(&mut AzureCreditGranted)) {
    let mut grant = AzureCreditGranted {
        grant: "g".into(),
        name: "offer".into(),
        bill_to: BILL_TO,
        customer: CUSTOMER,
        plan: None,
        scope: None,
        amount: number("100"),
        from: Day::parse("2020-09-01").unwrap(),
        until: Day::parse("2020-10-01").unwrap(),
    };
    change(&mut grant);
    world.tell(Event::AzureCreditGranted(grant));
}

/// Usage of the second plan's subscription.
fn elsewhere(start: &str, change: impl FnOnce(&mut Usage)) -> Event {
    hour("gap", start, |usage| {
        (usage.subscription, usage.resource) = (ELSEWHERE, None);
        change(usage);
    })
}

/// Quantities by plan and by what pays for them.
fn paid(world: &World) -> Vec<(Guid, Portion, String)> {
    let mut paid: BTreeMap<(Guid, Portion), Exact> = BTreeMap::new();
    pieces_of(world, "2020-09", &mut |piece| {
        *paid.entry((piece.plan, piece.portion)).or_default() += &piece.quantity.exact();
    });
    paid.into_iter().map(|((plan, portion), sum)| (plan, portion, sum.to_string())).collect()
}

fn useless(world: &World, bill_to: Guid, period: &str) -> Vec<Finding> {
    let mut found = findings_of(world, bill_to, period);
    found.retain(|one| one.code == Code::UselessCredit);
    found
}

/// RATE-11: a grant that can pay for nothing is named to the partner that is billed for it, in the months
/// that it was told for; its last day is the one before it ends.
#[test]
fn a_useless_grant_is_named_to_its_partner_in_its_own_months() {
    let mut world = september();
    world.plan(SECOND, OTHER, None, "2020-01-01");
    grants(&mut world, |grant| {
        grant.scope = Some(Scope::subscription_of(ELSEWHERE));
        (grant.from, grant.until) = (Day::parse("2020-08-10").unwrap(), Day::parse("2020-09-01").unwrap());
    });
    let [found] = &useless(&world, BILL_TO, "2020-08")[..] else { panic!("August is its month") };
    assert_eq!(found.about, About { customer: Some(CUSTOMER), period: Some(month("2020-08")), ..of_month() });
    assert_eq!(useless(&world, BILL_TO, "2020-09"), [], "it ended with August");
    assert_eq!(useless(&world, BILL_TO, "2020-07"), [], "it began in August");
    assert_eq!(useless(&world, OTHER, "2020-08"), [], "nobody else is billed for it");
    let mut world = september();
    grants(&mut world, |grant| grant.until = grant.from);
    assert_eq!(useless(&world, BILL_TO, "2020-09").len(), 1, "it has no day at all");
}

/// RATE-11: a grant that is told in two ways is named in every month that either of them has a day in, with its
/// customer and its plan; the day on which a grant ends is none of its days.
#[test]
fn a_grant_told_in_two_ways_is_named_in_the_months_of_either() {
    let mut world = september();
    for (amount, from, until) in [("100", "2020-08-10", "2020-09-01"), ("90", "2020-10-01", "2020-11-01")] {
        grants(&mut world, |grant| {
            (grant.plan, grant.amount) = (Some(PLAN), number(amount));
            (grant.from, grant.until) = (Day::parse(from).unwrap(), Day::parse(until).unwrap());
        });
    }
    let named = |period: &str| {
        let mut found = findings_of(&world, BILL_TO, period);
        found.retain(|one| one.code == Code::ContradictedCredit);
        found.into_iter().map(|one| one.about).collect::<Vec<_>>()
    };
    for period in ["2020-08", "2020-10"] {
        let period_of = Some(month(period));
        let about = About { customer: Some(CUSTOMER), plan: Some(PLAN), period: period_of, ..of_month() };
        assert_eq!(named(period), [about], "{period}");
    }
    for period in ["2020-07", "2020-09", "2020-11"] {
        assert_eq!(named(period), [], "{period}");
    }
}

/// RATE-11: a grant for a plan needs a plan of its customer and partner that was bought in time, and one
/// for a scope a subscription that stood under such a plan.
#[test]
fn a_grant_is_of_use_only_where_its_customer_buys_from_the_partner() {
    let told = |change: &dyn Fn(&mut AzureCreditGranted)| {
        let mut world = september();
        world.plan(SECOND, OTHER, None, "2020-01-01");
        world.subscription(ELSEWHERE, SECOND, Offer::AzurePlan, "2020-01-01");
        world.plan(THIRD, BILL_TO, None, "2020-10-01");
        grants(&mut world, change);
        useless(&world, BILL_TO, "2020-09").len()
    };
    assert_eq!(told(&|grant| grant.plan = Some(PLAN)), 0, "its customer's plan, billed to the partner");
    assert_eq!(told(&|grant| grant.plan = Some(SECOND)), 1, "billed to another partner");
    assert_eq!(told(&|grant| grant.plan = Some(THIRD)), 1, "bought in October");
    assert_eq!(told(&|grant| grant.scope = Some(Scope::subscription_of(SUBSCRIPTION))), 0);
    let scope = Some(Scope::subscription_of(ELSEWHERE));
    assert_eq!(told(&|grant| grant.scope = scope.clone()), 1, "the same customer's, billed to another partner");
}

/// RATE-11: a grant that names a plan pays for that plan and no other.
#[test]
fn a_grant_for_a_plan_pays_for_that_plan_alone() {
    let mut world = september();
    world.plan(SECOND, BILL_TO, None, "2020-01-01");
    world.subscription(ELSEWHERE, SECOND, Offer::AzurePlan, "2020-01-01");
    world.uses("gap", "2020-09-08", "30");
    world.tell(elsewhere("2020-09-08", |usage| usage.quantity = number("20")));
    grants(&mut world, |grant| grant.plan = Some(SECOND));
    let expected = [(PLAN, Portion::PayAsYouGo, "30".to_owned()), (SECOND, Portion::AzureCredit, "20".to_owned())];
    assert_eq!(paid(&world), expected);
}

/// RATE-11: a month is drawn a second time for credit only where a grant runs on one of its days.
#[test]
fn a_month_without_a_running_grant_needs_no_allocation() {
    for (from, until, runs) in [
        ("2020-08-01", "2020-09-01", false),
        ("2020-08-01", "2020-09-02", true),
        ("2020-09-30", "2020-10-01", true),
        ("2020-10-01", "2020-11-01", false),
    ] {
        let mut world = september();
        world.uses("gap", "2020-09-08", "1");
        granted(&mut world, "g", "100", (from, until));
        let commerce = world.facts.commerce.view();
        let desk = Desk::new(&world.facts, &commerce);
        assert_eq!(desk.allocation(BILL_TO, month("2020-09")).is_some(), runs, "{from} to {until}");
    }
}

/// RATE-10, RATE-11: what a reservation covers costs nothing, so that no grant is drawn for it.
#[test]
fn a_grant_pays_for_what_is_not_covered() {
    let mut world = september();
    world.uses("gap", "2020-09-08", "5");
    world.covers(Benefit::Reservation, "gap", "2020-09-08", "3");
    grants(&mut world, |_| {});
    let commerce = world.facts.commerce.view();
    assert_eq!(balances(&Desk::new(&world.facts, &commerce), "2020-09"), ["g 2 98 true"]);
    let expected = [(Portion::Reservation, "3"), (Portion::AzureCredit, "2")];
    assert_eq!(paid(&world), expected.map(|(portion, sum)| (PLAN, portion, sum.to_owned())));
}

/// RATE-11: one grant told with two amounts is drawn once; where more was drawn than the smaller amount,
/// the smaller one pays nothing and takes nothing back.
#[test]
fn a_grant_that_is_overdrawn_pays_nothing_and_takes_nothing_back() {
    let mut world = september();
    world.uses("gap", "2020-09-08", "150");
    grants(&mut world, |_| {});
    grants(&mut world, |grant| (grant.amount, grant.until) = (number("30"), Day::parse("2020-10-02").unwrap()));
    let expected = [(Portion::PayAsYouGo, "50"), (Portion::AzureCredit, "100")];
    assert_eq!(paid(&world), expected.map(|(portion, sum)| (PLAN, portion, sum.to_owned())));
}

/// RATE-3, RATE-11: every meter begins in its own first tier, for what is paid and for what a grant pays.
#[test]
fn every_meter_has_tiers_of_its_own() {
    let tiers = |meter: &str| {
        [band("0", Some("10"), "1"), band("10", None, "2")].map(|row| PriceRow {
            meters: vec![MeterId::parse(meter)],
            sku: meter.into(),
            ..row
        })
    };
    let mut world = World::new();
    world.sheet("2020-09", [tiers("m"), tiers("n")].concat());
    world.uses("gap", "2020-09-08", "8");
    world.tell(hour("gap", "2020-09-08", |usage| {
        (usage.meter, usage.quantity) = (MeterId::parse("n"), number("8"));
    }));
    let list = |world: &World| {
        let mut list = Exact::zero();
        pieces_of(world, "2020-09", &mut |piece| list += &piece.list_charge());
        list.to_string()
    };
    assert_eq!(list(&world), "16");
    grants(&mut world, |_| {});
    let commerce = world.facts.commerce.view();
    assert_eq!(balances(&Desk::new(&world.facts, &commerce), "2020-09"), ["g 16 84 true"]);
    assert_eq!(list(&world), "16");
}

/// RATE-10: a day from which corrections take more than was used has nothing to cover: all of its cover is
/// too much.
#[test]
fn a_negative_day_takes_no_cover() {
    let mut world = september();
    let used = world.uses("gap", "2020-09-08", "1");
    world.tell(Event::UsageAdjusted(UsageAdjusted { target: used, quantity: number("-5"), reason: None }));
    world.covers(Benefit::Reservation, "gap", "2020-09-08", "2");
    assert_eq!(paid(&world), [(PLAN, Portion::PayAsYouGo, "-4".to_owned())]);
    let found = only(&world, Code::Overcovered);
    assert!(found.detail.contains("covers 2 units, 2 more than were used"), "{}", found.detail);
}

/// RATE-10: a subscription that left the classic offer under one plan id is two things on sale: cover goes
/// to the one that was used on its day.
#[test]
fn cover_finds_the_offer_under_which_its_day_was_used() {
    let mut world = september();
    world.subscription(ELSEWHERE, PLAN, Offer::Legacy, "2020-01-01");
    let (subscription, to_plan) = (ELSEWHERE, PLAN);
    world.tell(Event::SubscriptionTransitioned(Move { subscription, to_plan, at: at("2020-09-10") }));
    for start in ["2020-09-08", "2020-09-12"] {
        world.tell(elsewhere(start, |_| {}));
    }
    world.tell(Event::CoverageRecorded(CoverageRecorded {
        customer: CUSTOMER,
        plan: PLAN,
        subscription: ELSEWHERE,
        resource: None,
        meter: MeterId::parse("m"),
        product: None,
        sku: None,
        unit: "1 Hour".into(),
        day: Day::parse("2020-09-12").unwrap(),
        quantity: number("1"),
        benefit: Benefit::SavingsPlan,
        order: "o".into(),
    }));
    assert!(!codes(&world).contains(&Code::Overcovered));
    let expected = [(Portion::PayAsYouGo, "1"), (Portion::SavingsPlan, "1")];
    assert_eq!(paid(&world), expected.map(|(portion, sum)| (PLAN, portion, sum.to_owned())));
}
