//! Lines beside usage: credit across months, and the families of rounding, by documented vectors.

use super::beside::{amounts_of, cut};
use super::tests::drafted;
use super::*;
use crate::charges::Booked;
use crate::entry::{AzureCreditGranted, Benefit, ChargeType, Event, Portion};
use crate::ids::Guid;
use crate::money::Rounding;
use crate::period::Day;
use crate::policy::{ChargeRounding, LineSteps, Policy};
use crate::rating::Desk;
use crate::testing::*;

fn exact(text: &str) -> Exact {
    Exact::parse(text).unwrap()
}

fn credit(amount: &str, from: &str, until: &str) -> Event {
    grant("g", amount, from, until)
}

fn grant(grant: &str, amount: &str, from: &str, until: &str) -> Event {
    Event::AzureCreditGranted(AzureCreditGranted {
        grant: grant.into(),
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
        world.covers(Benefit::SavingsPlan, "vm", "2020-09-02", quantity);
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
    // In another currency each family cuts its own factor: 10.01 ÷ 3 × 0.5 is 1.66 a seat, 3.33 for both.
    let abroad = |family| cut(&exact("10.01"), &exact("3"), &exact("2"), &exact("0.5"), &policy(family));
    assert_eq!(abroad(ChargeRounding::Unit), (exact("6.66"), exact("3.32")));
    assert_eq!(abroad(ChargeRounding::Amount), (exact("6.67"), exact("3.33")));
    // Cut once after all factors, the Subtotal starts from 6.6933… and not from the printed 6.69.
    let once = Policy { line_steps: LineSteps::One, ..policy(ChargeRounding::Amount) };
    let seats = |policy: &Policy| cut(&exact("10.04"), &exact("3"), &exact("2"), &exact("1.5"), policy);
    assert_eq!(seats(&once), (exact("6.69"), exact("10.04")));
    assert_eq!(seats(&Policy::builtin()), (exact("6.69"), exact("10.03")));
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
        crate::charges::booked(&world.facts.charges, &commerce, &|_, _| None, Guid(0xb2), month("2020-09"));
    assert!(booked.is_empty() && findings.is_empty(), "another partner has nothing to do with it");
    let of: Vec<Booked> =
        crate::charges::booked(&world.facts.charges, &commerce, &|_, _| None, BILL_TO, month("2020-09")).0;
    assert_eq!(of[0].charge_type, ChargeType::CustomerCredit);
}

/// INV-13: the line that gives back what credit paid repeats the usage line with every amount turned
/// round, under the reason that its month's files print.
#[test]
fn what_credit_pays_is_printed_twice_with_opposite_amounts() {
    for (period, reason) in [("2022-07", "Azure Consumption Credit"), ("2022-08", "Azure Credit Offer")] {
        let mut world = World::new();
        let (from, until) = (Day::parse("2022-01-01").unwrap(), Day::parse("2023-01-01").unwrap());
        world.sheet(period, vec![crate::entry::PriceRow { from, until, ..row("0.868") }]);
        world.rate(period, "EUR", "1.25");
        world.uses("gap", &format!("{period}-02"), "10");
        world.tell(credit("5", &format!("{period}-01"), "2030-01-01"));
        let draft = drafted(&world, "EUR", period).0;
        let paid = draft.lines.iter().find(|line| line.key.portion == Portion::AzureCredit && line.rule != "INV-13");
        let (paid, back) = (paid.unwrap(), draft.lines.iter().find(|line| line.rule == "INV-13").unwrap());
        let charge = back.key.charge.as_ref().unwrap();
        assert_eq!((charge.charge_type, charge.reason.as_deref()), (ChargeType::CustomerCredit, Some(reason)));
        assert_eq!((&back.quantity, &back.unit_price), (&paid.quantity, &paid.unit_price));
        for (turned, amount) in [
            (&back.effective_unit_price, &paid.effective_unit_price),
            (&back.list_charge, &paid.list_charge),
            (&back.net_charge, &paid.net_charge),
            (&back.charge_without_credit, &paid.charge_without_credit),
            (&back.charge, &paid.charge),
            (&back.subtotal_without_credit, &paid.subtotal_without_credit),
            (&back.subtotal, &paid.subtotal),
        ] {
            assert!(!amount.is_zero() && !amount.is_negative(), "{period}");
            assert_eq!(turned, &-amount, "{period}");
        }
        assert_eq!(paid.charge, exact("5"));
        assert_eq!(paid.subtotal, exact("4"));
    }
}

/// INV-1: of one resource's day a reservation, a savings plan, three grants and the customer pay a part
/// each: every payer has a line of its own.
#[test]
fn every_payer_of_a_day_has_its_own_line() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.uses("gap", "2020-09-02", "28");
    world.covers(Benefit::Reservation, "gap", "2020-09-02", "1");
    world.covers(Benefit::SavingsPlan, "gap", "2020-09-02", "2");
    for (name, amount) in [("a", "4"), ("b", "5"), ("c", "6")] {
        world.tell(grant(name, amount, "2020-09-01", "2020-10-01"));
    }
    let (draft, findings) = drafted(&world, "USD", "2020-09");
    assert_eq!(findings, []);
    let used = draft.lines.iter().filter(|line| line.rule != "INV-13");
    let mut lines: Vec<(Portion, String)> = used.map(|line| (line.key.portion, line.quantity.to_string())).collect();
    lines.sort();
    let expected = [
        (Portion::PayAsYouGo, "10"),
        (Portion::SavingsPlan, "2"),
        (Portion::Reservation, "1"),
        (Portion::AzureCredit, "4"),
        (Portion::AzureCredit, "5"),
        (Portion::AzureCredit, "6"),
    ];
    assert_eq!(lines, expected.map(|(portion, quantity)| (portion, quantity.to_owned())));
}

fn order(order: &str, quantity: &str, at: &str) -> Booked {
    Booked {
        customer: CUSTOMER,
        plan: PLAN,
        charge_type: ChargeType::CancelImmediate,
        kind: Some(crate::entry::ChargeKind::Reservation),
        order: order.into(),
        product: "".into(),
        product_title: "".into(),
        sku: "".into(),
        sku_title: "".into(),
        reason: None,
        at: crate::testing::at(at),
        list_price: exact("10.01"),
        unit: exact("-10.01"),
        divisor: exact("3"),
        quantity: exact(quantity),
        rule: "INV-11",
        event: crate::ids::Identity(1),
        behind: vec![crate::ids::Identity(1)],
        back: None,
    }
}

/// Two returns of one order on one day are one line; each was cut before they are added up.
#[test]
fn charges_of_one_order_and_day_are_one_line() {
    let world = World::new();
    let commerce = world.facts.commerce.view();
    let (rate, policy) = (exact("0.5"), Policy::builtin());
    let booked =
        [order("a", "1", "2020-09-02"), order("a", "2", "2020-09-02T12:00:00Z"), order("b", "1", "2020-09-02")];
    let lines = super::beside::charged(&booked, &commerce, month("2020-09"), &rate, &policy);
    let said: Vec<_> = lines
        .iter()
        .map(|line| {
            let days: Vec<String> = line.by_day.iter().map(|(day, quantity)| format!("{day} {quantity}")).collect();
            let amounts = [&line.list_charge, &line.net_charge, &line.charge_without_credit, &line.charge];
            assert!(amounts.iter().all(|amount| **amount == line.charge), "no credit, so all are the same: {line:?}");
            assert_eq!(line.subtotal, line.subtotal_without_credit);
            (line.quantity.to_string(), days.join(", "), line.charge.to_string(), line.subtotal.to_string())
        })
        .collect();
    let text = |parts: [&str; 4]| parts.map(str::to_owned).into();
    // 10.01 ÷ 3 is cut to 3.33, twice as much to 6.67, and in the other currency to 1.66 and 3.33.
    let expected: [(String, String, String, String); 2] =
        [text(["3", "2020-09-02 3", "-10", "-4.99"]), text(["1", "2020-09-02 1", "-3.33", "-1.66"])];
    assert_eq!(said, expected);
}

/// INV-12: by the rate in force on the month's last day, line by line or on the total, beside amounts
/// that stay as they are.
#[test]
fn a_month_is_taxed_by_the_rate_of_its_last_day() {
    let drafted_with = |policy: Option<&str>, since: Option<&str>| {
        let mut world = World::new();
        world.sheet("2020-09", vec![row("0.15")]);
        world.uses("gap", "2020-09-02", "1");
        world.uses("vm", "2020-09-03", "1");
        if let Some(policy) = policy {
            world.policy(1, "2020-01-01", "tax", policy);
        }
        if let Some(since) = since {
            let (partner, location) = (BILL_TO, crate::ids::Market::parse("DK").unwrap());
            let from = Day::parse(since).unwrap();
            world.tell(Event::TaxSet(crate::entry::TaxSet { partner, location, rate: number("0.10"), from }));
        }
        drafted(&world, "USD", "2020-09")
    };
    // Subtotals are 0.15 and 0.12: line by line 0.01 + 0.01, on the total 0.02.
    let plain = drafted_with(None, Some("2020-01-01")).0;
    assert_eq!((plain.tax(), plain.totals().lines), (None, 2));
    for (policy, tax, of_lines) in [("per-line", "0.02", 2), ("on-total", "0.02", 0)] {
        let (draft, findings) = drafted_with(Some(policy), Some("2020-09-30"));
        assert_eq!(findings, [], "{policy}");
        assert_eq!(draft.tax(), Some(exact(tax)), "{policy}");
        assert_eq!(draft.lines.iter().filter(|line| line.tax == Some(exact("0.01"))).count(), of_lines, "{policy}");
        assert_eq!(draft.totals().subtotal, plain.totals().subtotal, "{policy}");
        for late in [None, Some("2020-10-01")] {
            let (draft, findings) = drafted_with(Some(policy), late);
            let [finding] = &findings[..] else { panic!("{findings:?}") };
            let about = (finding.code, finding.about.bill_to, finding.about.period);
            assert_eq!(about, (crate::finding::Code::UnknownTax, Some(BILL_TO), Some(month("2020-09"))));
            assert_eq!(draft.tax(), None);
        }
    }
}

/// Where there is nothing to tax, nobody is asked for a rate.
#[test]
fn an_empty_month_needs_no_tax() {
    let mut world = World::new();
    world.policy(1, "2020-01-01", "tax", "on-total");
    let (draft, findings) = drafted(&world, "USD", "2020-09");
    assert_eq!((draft.lines.len(), findings.len()), (0, 0));
}

/// Two rates of one currency published at one instant: the smaller digest counts, the other is cited, and
/// the month of the partner cannot be closed until one is published again.
#[test]
fn rival_rates_are_cited_and_stop_the_month() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.uses("gap", "2020-09-02", "1");
    world.rate("2020-09", "EUR", "1.25");
    assert_eq!(drafted(&world, "EUR", "2020-09").1, []);
    world.rate("2020-09", "EUR", "1.20");
    let (_, findings) = drafted(&world, "EUR", "2020-09");
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert!(finding.blocking() && finding.code == crate::finding::Code::EqualRates);
    assert_eq!((finding.about.bill_to, finding.about.period), (Some(BILL_TO), Some(month("2020-09"))));
    assert_eq!(finding.events.len(), 1, "the one that does not count is cited");
}

/// Two plans of one customer use the same meter: each has its own line, whatever they have in common.
#[test]
fn plans_do_not_share_a_line() {
    let (other_plan, other) = (Guid(0xa2), Guid(0x5c));
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.plan(other_plan, BILL_TO, None, "2020-01-01");
    world.subscription(other, other_plan, crate::entry::Offer::AzurePlan, "2020-01-01");
    world.uses("gap", "2020-09-02", "1");
    let Event::UsageRecorded(mut usage) = usage("gap", "2020-09-02", "2") else { unreachable!() };
    usage.subscription = other;
    usage.resource = None;
    world.tell(Event::UsageRecorded(usage));
    let draft = drafted(&world, "USD", "2020-09").0;
    let mut lines: Vec<_> = draft.lines.iter().map(|line| (line.key.plan, line.quantity.to_string())).collect();
    lines.sort();
    let mut expected = [(PLAN, "1".to_owned()), (other_plan, "2".to_owned())];
    expected.sort();
    assert_eq!(lines, expected);
    let printed: Exact =
        draft.lines.iter().map(crate::invoice::Line::printed_credit).fold(Exact::zero(), |a, b| &a + &b);
    assert_eq!(printed, draft.totals().printed_credit());
    assert_eq!(printed, exact("0.30"), "the second plan's usage of 2 earned 0.30, the first lost it");
}

/// INV-15: one cut after all three factors keeps what two cuts lose.
#[test]
fn one_cut_and_two_differ_by_what_the_first_one_loses() {
    for (steps, subtotal) in [("two", "0.06"), ("one", "0.07")] {
        let mut world = World::new();
        world.sheet("2020-09", vec![row("0.039")]);
        world.rate("2020-09", "EUR", "0.5");
        world.uses("gap", "2020-09-02", "1");
        world.policy(1, "2020-01-01", "line-steps", steps);
        let (draft, findings) = drafted(&world, "EUR", "2020-09");
        assert_eq!(findings, [], "{steps}");
        let line = &draft.lines[0];
        assert_eq!((line.charge.clone(), line.subtotal.clone()), (exact("0.03"), exact(subtotal)), "{steps}");
    }
}

/// What a line of charges is the sum of can be asked of it: each purchase and return with what it comes to, and
/// nothing of another line.
#[test]
fn a_line_of_charges_is_the_sum_of_its_amounts() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1.7")]);
    world.uses("vm", "2020-09-05", "1");
    for (order, quantity) in [("a", "2"), ("b", "3")] {
        world.tell(Event::ChargeRecorded(crate::entry::ChargeRecorded {
            order: order.into(),
            action: crate::entry::ChargeAction::New,
            kind: crate::entry::ChargeKind::Reservation,
            customer: CUSTOMER,
            plan: PLAN,
            product: "P".into(),
            product_title: "Reserved".into(),
            sku: "1".into(),
            sku_title: "One year".into(),
            unit_price: number("100"),
            quantity: number(quantity),
            term: crate::entry::Term::Year,
            billing: crate::entry::Billing::OneTime,
            at: at("2020-09-03"),
        }));
    }
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let (draft, _) = drafted(&world, "USD", "2020-09");
    let said: Vec<Vec<String>> = draft
        .lines
        .iter()
        .map(|line| amounts_of(&desk, &draft, line).iter().map(|one| one.subtotal.to_string()).collect())
        .filter(|amounts: &Vec<String>| !amounts.is_empty())
        .collect();
    assert_eq!(said, [["200"], ["300"]], "usage is the sum of none");
}
