//! Orders: what is booked when something is returned or moved, and what is told of charges that do not
//! add up.

use super::*;
use crate::entry::*;
use crate::finding::{About, Code, Finding};
use crate::ids::Guid;
use crate::money::Exact;
use crate::period::Day;
use crate::testing::*;

const SECOND: Guid = Guid(0xa2);
const OTHER: Guid = Guid(0xb2);

/// Ten units of a reservation for a year, at 100 dollars each, paid at once.
fn bought(order: &str, time: &str) -> ChargeRecorded {
    ChargeRecorded {
        order: order.into(),
        action: ChargeAction::New,
        kind: ChargeKind::Reservation,
        customer: CUSTOMER,
        plan: PLAN,
        product: "P".into(),
        product_title: "Reserved".into(),
        sku: "1".into(),
        sku_title: "One year".into(),
        unit_price: number("100"),
        quantity: number("10"),
        term: Term::Year,
        billing: Billing::OneTime,
        at: at(time),
    }
}

fn returned(order: &str, time: &str, quantity: &str) -> ChargeRecorded {
    let quantity = number(quantity);
    ChargeRecorded { action: ChargeAction::CancelImmediate, quantity, ..bought(order, time) }
}

fn world(charges: Vec<ChargeRecorded>) -> (World, Vec<Identity>) {
    let mut world = World::new();
    world.plan(SECOND, OTHER, None, "2020-01-01");
    let told = charges.into_iter().map(|charge| world.tell(Event::ChargeRecorded(charge))).collect();
    (world, told)
}

/// Partner and its customer are billed in dollars, the other partner in euros.
fn play(world: &World) -> Orders {
    let unit = |partner: Guid, _| Some(currency(if partner == BILL_TO { "USD" } else { "EUR" }));
    Orders::play(&world.facts.charges, &world.facts.commerce.view(), &unit)
}

fn only(world: &World) -> Finding {
    let mut findings = play(world).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

fn about(plan: Guid, day: &str) -> About {
    About { customer: Some(CUSTOMER), plan: Some(plan), day: Day::parse(day), ..About::default() }
}

/// INV-9: who gives part of a monthly order back pays the later instalments of what is left, and the
/// first one in full.
#[test]
fn later_instalments_are_of_what_is_left() {
    let monthly = |charge| ChargeRecorded { billing: Billing::Monthly, term: Term::Year, ..charge };
    let (world, _) = world(vec![monthly(bought("o", "2020-01-10")), monthly(returned("o", "2020-02-20", "4"))]);
    let orders = play(&world);
    let charged = orders.booked.iter().filter(|one| one.charge_type != ChargeType::CancelImmediate);
    let quantities: Vec<String> = charged.map(|one| one.quantity.to_string()).collect();
    assert_eq!(quantities, ["10", "10", "6", "6", "6", "6", "6", "6", "6", "6", "6", "6"]);
}

/// INV-9: what is given back at the instant at which an instalment begins is charged in it once more, and
/// comes back by the return; only what was given back before is not charged.
#[test]
fn a_return_at_the_start_of_an_instalment_is_charged_in_it() {
    let monthly = |charge| ChargeRecorded { billing: Billing::Monthly, term: Term::Year, ..charge };
    for (time, second) in [("2020-02-10", "10"), ("2020-02-09T23:59:59Z", "6")] {
        let (world, _) = world(vec![monthly(bought("o", "2020-01-10")), monthly(returned("o", time, "4"))]);
        let orders = play(&world);
        let charged = orders.booked.iter().filter(|one| one.charge_type == ChargeType::CycleCharge);
        let quantities: Vec<String> = charged.map(|one| one.quantity.to_string()).take(2).collect();
        assert_eq!(quantities, [second, "6"], "returned at {time}");
    }
}

/// INV-16: what was bought is charged once, even where it moves to a partner billed in another currency
/// at the same instant; nothing follows there.
#[test]
fn an_order_that_moves_at_once_is_charged_once() {
    let monthly = bought("o", "2020-01-10");
    let monthly = ChargeRecorded { billing: Billing::Monthly, ..monthly };
    let moved = ChargeRecorded { action: ChargeAction::MoveQuantity, plan: SECOND, ..monthly.clone() };
    let (world, _) = world(vec![monthly, moved]);
    let orders = play(&world);
    assert_eq!(orders.booked.len(), 1);
    assert_eq!(orders.findings.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::MovedCurrency]);
}

/// INV-11: what comes back within five days gives back what was paid of it by then: of an order paid monthly
/// the one instalment that was charged, not those to come. What is booked says so, and rests on what was told of
/// the order by its own time.
#[test]
fn a_return_gives_back_the_instalments_that_were_charged() {
    let monthly = |charge| ChargeRecorded { billing: Billing::Monthly, term: Term::Year, ..charge };
    let (world, told) = world(vec![monthly(bought("o", "2020-01-10")), monthly(returned("o", "2020-01-12", "4"))]);
    let booked = play(&world).booked;
    let of = |wanted: ChargeType| booked.iter().find(|one| one.charge_type == wanted).unwrap();
    let back = of(ChargeType::CancelImmediate);
    assert_eq!(back.back, Some(GivenBack::Everything { instalments: 1 }));
    assert!(!of(ChargeType::New).behind.contains(&told[1]), "it was bought before any of it came back");
    assert!(of(ChargeType::CycleCharge).behind.contains(&told[1]), "the next instalment is of what is left");
}

/// USE-7: a plan is there from the instant at which it is created: what is bought at that instant is bought
/// under it.
#[test]
fn a_purchase_may_come_with_its_plan() {
    for (time, codes) in [("2020-01-01", vec![]), ("2019-12-31T23:59:59Z", vec![Code::ContradictedOrder])] {
        let (world, _) = world(vec![ChargeRecorded { plan: SECOND, ..bought("o", time) }]);
        let found: Vec<Code> = play(&world).findings.iter().map(|one| one.code).collect();
        assert_eq!(found, codes, "bought at {time}");
    }
}

/// INV-11: a reservation that comes back within five days, to the second, gives back all that was paid.
#[test]
fn a_reservation_comes_back_whole_for_five_days() {
    for (time, whole) in
        [("2020-01-10", true), ("2020-01-12", true), ("2020-01-15", true), ("2020-01-15T00:00:01Z", false)]
    {
        let (world, _) = world(vec![bought("o", "2020-01-10"), returned("o", time, "4")]);
        let orders = play(&world);
        let back = orders.booked.iter().find(|one| one.charge_type == ChargeType::CancelImmediate).unwrap();
        let all = back.unit == Exact::from(number("-100")) && back.divisor == Exact::one();
        assert_eq!(all, whole, "returned at {time}");
    }
}

/// Two returns at one instant cannot give back more than there is.
#[test]
fn returns_at_one_instant_see_each_other() {
    let (world, told) =
        world(vec![bought("o", "2020-01-10"), returned("o", "2020-01-11", "6"), returned("o", "2020-01-11", "6")]);
    let found = only(&world);
    assert_eq!((found.code, found.about), (Code::OverdrawnOrder, about(PLAN, "2020-01-11")));
    assert_eq!(found.events, [told[2]]);
    let back: Vec<String> = play(&world).booked.iter().map(|one| one.quantity.to_string()).collect();
    assert_eq!(back, ["6", "4", "10"]);
}

/// A charge of a plan that nobody knows, and a purchase under a plan that was cancelled by then; what
/// was bought before goes on being charged.
#[test]
fn a_charge_needs_a_plan_that_stands() {
    let unknown = ChargeRecorded { plan: Guid(0xa9), ..bought("o", "2020-01-10") };
    let (unknown, told) = world(vec![unknown]);
    let found = only(&unknown);
    assert_eq!((found.code, found.about, found.events), (Code::NoPlacement, about(Guid(0xa9), "2020-01-10"), told));
    let cancelled = |when: &str| {
        let monthly = ChargeRecorded { billing: Billing::Monthly, ..bought("o", "2020-01-10") };
        let (mut world, told) = world(vec![monthly]);
        world.tell(Event::PlanCancelled(PlanChange { plan: PLAN, at: at(when) }));
        (world, told)
    };
    let (before, told) = cancelled("2020-01-10");
    let mut all = play(&before).findings;
    let found = all.remove(0);
    assert_eq!((found.code, found.about, found.events), (Code::NoPlacement, about(PLAN, "2020-01-10"), told));
    assert!(all.iter().all(|one| one.code == Code::PlanInUse));
    let later = play(&cancelled("2020-01-10T00:00:01Z").0).findings;
    assert!(later.iter().all(|one| one.code == Code::PlanInUse), "it was bought before");
    assert_eq!(later.len(), 11, "every later instalment is named");
}

/// INV-11: 50,000 dollars may be returned within 365 days; the return that goes beyond is named, with
/// its plan and its customer.
#[test]
fn returns_of_a_year_have_a_limit() {
    let many =
        |order: &str, time: &str, plan: Guid| ChargeRecorded { quantity: number("600"), plan, ..bought(order, time) };
    let back = |order: &str, time: &str, plan: Guid, quantity: &str| ChargeRecorded {
        plan,
        ..returned(order, time, quantity)
    };
    let at_once = |quantity: &str| {
        world(vec![
            many("o", "2020-01-09", PLAN),
            many("p", "2020-01-09", SECOND),
            back("p", "2020-01-10", SECOND, quantity),
        ])
    };
    assert_eq!(play(&at_once("500").0).findings, [], "exactly the limit");
    let (over, told) = at_once("501");
    let found = only(&over);
    let expected = (Code::ReturnRefused, about(SECOND, "2020-01-10"), vec![told[2]]);
    assert_eq!((found.code, found.about, found.events), expected);
    for (second, findings) in [("2021-01-08", 1), ("2021-01-09", 0), ("2021-06-01", 0)] {
        let (world, _) = world(vec![
            many("o", "2020-01-09", PLAN),
            back("o", "2020-01-10", PLAN, "300"),
            many("p", second, SECOND),
            back("p", second, SECOND, "300"),
        ]);
        assert_eq!(play(&world).findings.len(), findings, "returned again on {second}");
    }
}
