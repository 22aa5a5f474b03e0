//! Lines beside usage: credit across months, and the families of rounding, by documented vectors.

use super::beside::cut;
use super::tests::drafted;
use super::*;
use crate::charges::Booked;
use crate::entry::{AzureCreditGranted, Benefit, ChargeType, CoverageRecorded, Event, Portion};
use crate::ids::{Guid, MeterId};
use crate::money::Rounding;
use crate::period::Day;
use crate::policy::{ChargeRounding, Policy};
use crate::rating::Desk;
use crate::testing::*;

fn exact(text: &str) -> Exact {
    Exact::parse(text).unwrap()
}

fn credit(amount: &str, from: &str, until: &str) -> Event {
    Event::AzureCreditGranted(AzureCreditGranted {
        grant: "g".into(),
        name: "offer".into(),
        bill_to: BILL_TO,
        customer: CUSTOMER,
        plan: None,
        scope: None,
        amount: number(amount),
        from: Day::parse(from).unwrap(),
        until: Day::parse(until).unwrap(),
    })
}

fn net(draft: &Draft) -> String {
    draft.totals().subtotal.to_string()
}

/// The documented balance: of 1,000 there were 500 drawn last month and 200 this month, 700 in all.
/// A later month that is asked for first gives the same.
#[test]
fn what_earlier_months_drew_is_gone() {
    for order in [["2020-08", "2020-09", "2020-10"], ["2020-10", "2020-09", "2020-08"]] {
        let mut world = World::new();
        for (period, quantity) in [("2020-08", "500"), ("2020-09", "200"), ("2020-10", "400")] {
            world.sheet(period, vec![row("1")]);
            world.uses("gap", &format!("{period}-02"), quantity);
        }
        world.tell(credit("1000", "2020-08-01", "2020-12-01"));
        let commerce = world.facts.commerce.view();
        let desk = Desk::new(&world.facts, &commerce);
        for period in order {
            let balances = desk.balances(BILL_TO, month(period));
            let said = (balances[0].drawn_before.to_string(), balances[0].drawn.to_string());
            let expected = match period {
                "2020-08" => ("0", "500"),
                "2020-09" => ("500", "200"),
                _ => ("700", "300"),
            };
            assert_eq!(said, (expected.0.to_owned(), expected.1.to_owned()), "{period}");
        }
        assert_eq!(net(&drafted(&world, "USD", "2020-09").0), "0");
        assert_eq!(net(&drafted(&world, "USD", "2020-10").0), "100");
    }
}

/// Random months: whatever credit pays, list charges and quantities stay what they were, exactly, and
/// credit and missing credit together never exceed the rate on what is left to pay.
#[test]
fn splitting_by_credit_and_cover_loses_nothing() {
    let mut lot = Lot(11);
    for round in 0..30 {
        let mut world = World::new();
        world.sheet("2020-09", vec![band("0", Some("20"), "0.8681"), band("20", None, "0.3337")]);
        let mut used = Exact::zero();
        for _ in 0..20 {
            let name = ["vm-a", "gap-a", "vm-b"][lot.below(3)];
            let quantity = format!("{}.{:06}", lot.below(9), lot.below(1_000_000));
            used += &exact(&quantity);
            world.uses(name, &format!("2020-09-{:02}", 1 + lot.below(28)), &quantity);
        }
        let plain = drafted(&world, "USD", "2020-09").0.totals();
        world.tell(credit(&format!("{}.{:03}", lot.below(30), lot.below(1000)), "2020-09-01", "2020-10-01"));
        let (draft, findings) = drafted(&world, "USD", "2020-09");
        assert_eq!(findings, []);
        let usage = draft.lines.iter().filter(|line| line.rule != "INV-13");
        let list = usage.clone().fold(Exact::zero(), |sum, line| &sum + &line.list_charge);
        let quantity = usage.fold(Exact::zero(), |sum, line| &sum + &line.quantity);
        assert_eq!((&list, &quantity), (&plain.list, &used), "round {round}");
        let totals = draft.totals();
        assert_eq!(&totals.missing() + &totals.earned, &totals.list * &exact("0.15"), "round {round}");
    }
}

/// Cover of one day, more than its usage, is a blocking finding; what is covered costs nothing.
#[test]
fn cover_takes_units_without_money() {
    let cover = |quantity: &str| {
        let mut world = World::new();
        world.sheet("2020-09", vec![band("0", Some("5"), "1"), band("5", None, "2")]);
        world.uses("vm", "2020-09-02", "8");
        world.tell(Event::CoverageRecorded(CoverageRecorded {
            customer: CUSTOMER,
            plan: PLAN,
            subscription: SUBSCRIPTION,
            resource: Some(resource("vm")),
            meter: MeterId::parse("m"),
            product: None,
            sku: None,
            unit: "1 Hour".into(),
            day: Day::parse("2020-09-02").unwrap(),
            quantity: number(quantity),
            benefit: Benefit::SavingsPlan,
            order: "sp".into(),
        }));
        drafted(&world, "USD", "2020-09")
    };
    let (draft, findings) = cover("4");
    assert!(findings.is_empty());
    assert_eq!(draft.totals().list, exact("4"), "the other four stay in the first tier");
    let covered = draft.lines.iter().find(|line| line.key.portion == Portion::SavingsPlan).unwrap();
    assert_eq!((covered.quantity.to_string(), covered.charge.to_string()), ("4".to_owned(), "0".to_owned()));
    let (draft, findings) = cover("8.5");
    assert_eq!(draft.totals().list, Exact::zero());
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [crate::finding::Code::Overcovered]);
}

/// Unit price, cycle days, billed days, quantity; what the page prints; by amount; price by price.
const SEATS: &[(&str, &str, &str, &str, &str, &str, &str)] = &[
    ("10.08", "30", "28", "-10", "-94.08", "-94.08", "-94.00"),
    ("10.08", "30", "28", "12", "112.89", "112.89", "112.80"),
    ("10.08", "30", "28", "8", "75.26", "75.26", "75.20"),
    ("12", "31", "29", "15", "168.38", "168.38", "168.30"),
    ("12", "31", "26", "-15", "-150.96", "-150.96", "-150.90"),
    ("12", "31", "24", "25", "232.25", "232.25", "232.25"),
    ("12", "31", "22", "-23", "-195.87", "-195.87", "-195.73"),
    ("12", "31", "11", "30", "127.74", "127.74", "127.50"),
    ("10.08", "31", "29", "-10", "-94.20", "-94.29", "-94.20"),
    ("10.08", "30", "23", "-300", "-2316", "-2318.40", "-2316"),
    ("6.43", "30", "23", "100", "492", "492.96", "492"),
];

/// INV-15: both published families, by the page's own seats, of which some rows follow one and some
/// the other; half up, as the page of 2019 has it, follows neither.
#[test]
fn the_families_of_rounding_give_the_documented_amounts() {
    let policy = |charge_rounding| Policy { charge_rounding, ..Policy::builtin() };
    for (price, cycle, days, quantity, printed, amount, unit) in SEATS {
        let share = &exact(price) * &exact(days);
        let by = |family| cut(&share, &exact(cycle), &exact(quantity), &Exact::one(), &policy(family)).1;
        assert_eq!(by(ChargeRounding::Amount), exact(amount), "{price} {days} {quantity}");
        assert_eq!(by(ChargeRounding::Unit), exact(unit), "{price} {days} {quantity}");
        assert!([by(ChargeRounding::Amount), by(ChargeRounding::Unit)].contains(&exact(printed)), "{printed}");
    }
    let share = &exact("4") * &exact("29");
    let half_up = Policy { line_rounding: Rounding::HalfUp, ..policy(ChargeRounding::Unit) };
    assert_eq!(cut(&share, &exact("30"), &exact("2"), &Exact::one(), &half_up).1, exact("7.74"));
    let down = cut(&share, &exact("30"), &exact("2"), &Exact::one(), &policy(ChargeRounding::Amount)).1;
    assert_ne!(down, exact("7.74"), "the amounts of 2019 were rounded half up, price by price");
}

/// INV-11: the documented terms, by hand: 1,000 for a year, returned with 346 of 365 days left.
#[test]
fn a_late_return_gives_the_days_left_less_the_fee() {
    let share =
        cut(&-&(&exact("346000") * &exact("0.88")), &exact("365"), &Exact::one(), &Exact::one(), &Policy::builtin());
    assert_eq!(share.0, exact("-834.19"));
}

#[test]
fn a_refund_of_another_month_is_not_in_this_one() {
    let mut world = World::new();
    world.tell(Event::RefundGranted(crate::entry::RefundGranted {
        refund: "r".into(),
        customer: CUSTOMER,
        plan: PLAN,
        amount: number("5"),
        reason: "SLA".into(),
        at: at("2020-09-30T23:59:59Z"),
    }));
    assert_eq!(net(&drafted(&world, "USD", "2020-09").0), "-5");
    assert_eq!(drafted(&world, "USD", "2020-10").0.lines, []);
    let commerce = world.facts.commerce.view();
    let (booked, findings) =
        crate::charges::booked(&world.facts.charges, &commerce, &|_| None, Guid(0xb2), month("2020-09"));
    assert!(booked.is_empty() && findings.is_empty(), "another partner has nothing to do with it");
    let of: Vec<Booked> =
        crate::charges::booked(&world.facts.charges, &commerce, &|_| None, BILL_TO, month("2020-09")).0;
    assert_eq!(of[0].charge_type, ChargeType::CustomerCredit);
}
