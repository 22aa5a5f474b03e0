//! What does not add up is told with all that it is about: partner, customer, plan, subscription,
//! resource, meter and day, as far as each is known. Whoever has to mend it looks it up by these.

use super::*;
use crate::entry::*;
use crate::ids::{Identity, Market, MeterId};
use crate::scope::Scope;
use crate::testing::*;

pub(super) const ELSEWHERE: Guid = Guid(0x99);
pub(super) const OTHER: Guid = Guid(0xb2);

/// September 2020, with a sheet in which an hour costs a dollar.
pub(super) fn september() -> World {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world
}

pub(super) fn findings_of(world: &World, bill_to: Guid, period: &str) -> Vec<Finding> {
    let commerce = world.facts.commerce.view();
    Desk::new(&world.facts, &commerce).rate_plans(bill_to, month(period), &|_| true, &mut access, &mut |_| {})
}

/// Shows the pieces of the partner's month.
pub(super) fn pieces_of(world: &World, period: &str, sink: &mut dyn FnMut(&Piece<'_>)) {
    let commerce = world.facts.commerce.view();
    Desk::new(&world.facts, &commerce).rate_plans(BILL_TO, month(period), &|_| true, &mut access, sink);
}

pub(super) fn findings(world: &World) -> Vec<Finding> {
    findings_of(world, BILL_TO, "2020-09")
}

/// The one finding of a code: a second one would be a second alarm for the same thing.
pub(super) fn only(world: &World, code: Code) -> Finding {
    let mut found: Vec<Finding> = findings(world).into_iter().filter(|one| one.code == code).collect();
    assert_eq!(found.len(), 1, "{code}: {found:?}");
    found.remove(0)
}

pub(super) fn codes(world: &World) -> Vec<Code> {
    findings(world).into_iter().map(|one| one.code).collect()
}

pub(super) fn of_month() -> About {
    About { bill_to: Some(BILL_TO), period: Some(month("2020-09")), ..About::default() }
}

pub(super) fn day(text: &str) -> Option<Day> {
    Day::parse(text)
}

pub(super) fn hour(name: &str, start: &str, change: impl FnOnce(&mut Usage)) -> Event {
    let Event::UsageRecorded(mut usage) = usage(name, start, "1") else { unreachable!() };
    change(&mut usage);
    Event::UsageRecorded(usage)
}

fn subscription(at_time: &str) -> SubscriptionChange {
    SubscriptionChange { subscription: SUBSCRIPTION, at: at(at_time) }
}

fn plan(plan: Guid, at_time: &str) -> PlanChange {
    PlanChange { plan, at: at(at_time) }
}

/// USE-5: usage of a subscription that nobody announced. The plan or customer that the event names says
/// whom it concerns; where it names neither, everybody may be meant.
#[test]
fn usage_of_an_unknown_subscription_stops_whom_it_may_concern() {
    let stray = |customer: Guid, plan: Option<Guid>| {
        let mut world = september();
        world.plan(Guid(0xa2), OTHER, None, "2020-01-01");
        world.tell(Event::CustomerRegistered(CustomerRegistered {
            customer: Guid(0xc2),
            name: "Tailspin".into(),
            market: Market::parse("US").unwrap(),
            tenant_created: None,
            at: at("2020-01-01"),
        }));
        world.tell(hour("vm", "2020-09-05", |usage| {
            (usage.subscription, usage.customer, usage.plan) = (ELSEWHERE, customer, plan);
        }));
        world
    };
    let named = stray(CUSTOMER, Some(PLAN));
    let about = About {
        customer: Some(CUSTOMER),
        plan: Some(PLAN),
        subscription: Some(ELSEWHERE),
        day: day("2020-09-05"),
        ..of_month()
    };
    assert_eq!(only(&named, Code::NoPlacement).about, about);
    assert_eq!(findings_of(&named, OTHER, "2020-09"), [], "it names a plan of somebody else");
    assert_eq!(findings_of(&named, BILL_TO, "2020-10"), [], "it was used in another month");
    let by_customer = stray(CUSTOMER, None);
    assert_eq!(only(&by_customer, Code::NoPlacement).about, About { plan: None, ..about });
    assert_eq!(findings_of(&by_customer, OTHER, "2020-09").len(), 1, "the customer has a plan with them too");
    assert_eq!(findings_of(&by_customer, Guid(0xb3), "2020-09"), [], "the customer buys nothing from them");
    let by_nobody = stray(Guid(0xc9), None);
    assert_eq!(findings_of(&by_nobody, Guid(0xb3), "2020-09").len(), 1, "nobody knows the customer");
}

/// USE-6: usage after the end of its subscription.
#[test]
fn usage_after_the_end_names_its_subscription_and_day() {
    let mut world = september();
    world
        .tell(Event::SubscriptionCancelled(SubscriptionCancelled { subscription: SUBSCRIPTION, at: at("2020-09-10") }));
    world.uses("vm", "2020-09-09", "1");
    assert_eq!(codes(&world), [], "up to the end it is due");
    world.uses("vm", "2020-09-11", "1");
    let about =
        About { customer: Some(CUSTOMER), subscription: Some(SUBSCRIPTION), day: day("2020-09-11"), ..of_month() };
    assert_eq!(only(&world, Code::AfterCancellation).about, about);
}

/// USE-6: usage while its subscription was suspended is due all the same, and is named.
#[test]
fn usage_while_suspended_names_plan_subscription_and_day() {
    let mut world = september();
    world.tell(Event::SubscriptionSuspended(subscription("2020-09-10")));
    world.tell(Event::SubscriptionResumed(subscription("2020-09-12")));
    world.uses("vm", "2020-09-11", "1");
    world.uses("vm", "2020-09-12", "1");
    let about = About { plan: Some(PLAN), subscription: Some(SUBSCRIPTION), day: day("2020-09-11"), ..of_month() };
    assert_eq!(only(&world, Code::WhileSuspended).about, about);
}

/// USE-3: a day from which corrections take more than was used, with the money that hangs on it.
#[test]
fn a_negative_day_names_its_resource_meter_and_charge() {
    let mut world = september();
    world.uses("vm", "2020-09-08", "1");
    let used = world.uses("vm", "2020-09-09", "2");
    world.tell(Event::UsageAdjusted(UsageAdjusted { target: used, quantity: number("-5"), reason: None }));
    let found = only(&world, Code::NegativeDay);
    let about = About {
        plan: Some(PLAN),
        subscription: Some(SUBSCRIPTION),
        resource: Some(resource("vm")),
        meter: MeterId::parse("m").into(),
        day: day("2020-09-09"),
        ..of_month()
    };
    assert_eq!(found.about, about);
    assert_eq!(found.charge, Exact::parse("-3"));
}

/// ACC-10: a day on which access is unknown, with the list charge of all the resources concerned, in
/// several plans too.
#[test]
fn unknown_access_names_the_day_and_what_hangs_on_it() {
    let mut world = september();
    world.uses("unknown-a", "2020-09-08", "2");
    world.uses("unknown-b", "2020-09-08", "3");
    world.uses("vm", "2020-09-08", "7");
    let found = only(&world, Code::UnknownAccess);
    let about = About {
        customer: Some(CUSTOMER),
        plan: Some(PLAN),
        subscription: Some(SUBSCRIPTION),
        day: day("2020-09-08"),
        ..of_month()
    };
    assert_eq!((found.about, found.charge), (about, Exact::parse("5")));
}

/// A usage record whose two ids disagree, and one that names another plan than commerce does.
#[test]
fn usage_that_contradicts_commerce_is_named_with_both_sides() {
    let mut world = september();
    let strange = Scope::parse(&format!("/subscriptions/{ELSEWHERE}/resourceGroups/rg/providers/x/y/vm"));
    world.tell(hour("vm", "2020-09-08", |usage| usage.resource = Some(strange.clone())));
    let about = About { customer: Some(CUSTOMER), plan: Some(PLAN), subscription: Some(SUBSCRIPTION), ..of_month() };
    let found = only(&world, Code::ResourceMismatch);
    assert_eq!(found.about, About { resource: Some(strange), ..about.clone() });
    assert!(found.blocking(), "what cannot be judged is not issued");
    world.tell(hour("db", "2020-09-08", |usage| usage.plan = Some(Guid(0xa7))));
    assert_eq!(only(&world, Code::PlanDiffers).about, about);
}

/// Under the classic offer the commerce id and the entitlement were one: that names no other plan. A
/// third id does.
#[test]
fn a_classic_subscription_named_as_its_own_plan_contradicts_nothing() {
    let mut world = september();
    world.subscription(ELSEWHERE, PLAN, Offer::Legacy, "2020-01-01");
    let classic = |plan: Guid| {
        hour("vm", "2020-09-08", |usage| {
            (usage.subscription, usage.plan, usage.resource) = (ELSEWHERE, Some(plan), None);
        })
    };
    world.tell(classic(ELSEWHERE));
    assert_eq!(codes(&world), []);
    world.tell(classic(Guid(0xa7)));
    assert_eq!(codes(&world), [Code::PlanDiffers]);
    let mut world = september();
    world.tell(hour("vm", "2020-09-08", |usage| usage.plan = Some(SUBSCRIPTION)));
    assert_eq!(codes(&world), [Code::PlanDiffers], "under an Azure plan the two ids are two things");
}

/// RATE-2: usage without a price names the meter; a customer without a market the customer.
#[test]
fn usage_without_a_price_names_customer_plan_and_meter() {
    let mut world = september();
    world.tell(hour("vm", "2020-09-08", |usage| usage.meter = MeterId::parse("unheard-of")));
    let about = About {
        customer: Some(CUSTOMER),
        plan: Some(PLAN),
        meter: MeterId::parse("unheard-of").into(),
        market: Market::parse("US"),
        ..of_month()
    };
    assert_eq!(only(&world, Code::NoPrice).about, about);
    let mut unregistered = World::default();
    unregistered.plan(PLAN, BILL_TO, None, "2020-01-01");
    unregistered.subscription(SUBSCRIPTION, PLAN, Offer::AzurePlan, "2020-01-01");
    unregistered.uses("vm", "2020-09-08", "1");
    assert_eq!(only(&unregistered, Code::NoPrice).about, About { meter: None, market: None, ..about });
}

/// RATE-10: cover of more than was used names the resource, the meter and the day that it was for.
#[test]
fn too_much_cover_names_resource_meter_and_day() {
    let about = |name: &str, date: &str| About {
        customer: Some(CUSTOMER),
        plan: Some(PLAN),
        subscription: Some(SUBSCRIPTION),
        resource: Some(resource(name)),
        meter: MeterId::parse("m").into(),
        day: day(date),
        ..of_month()
    };
    let mut world = september();
    world.uses("vm", "2020-09-08", "1");
    world.covers(Benefit::Reservation, "vm", "2020-09-08", "3");
    assert_eq!(only(&world, Code::Overcovered).about, about("vm", "2020-09-08"), "two hours too many");
    let mut world = september();
    world.uses("vm", "2020-09-08", "1");
    world.covers(Benefit::Reservation, "vm", "2020-09-09", "3");
    assert_eq!(only(&world, Code::Overcovered).about, about("vm", "2020-09-09"), "nothing was used that day");
    let mut world = september();
    world.uses("zz", "2020-09-08", "5");
    world.uses("aa", "2020-09-08", "1");
    world.covers(Benefit::Reservation, "zz", "2020-09-08", "3");
    assert_eq!(codes(&world), [], "cover finds its resource wherever that stands in the order of ids");
}

/// RATE-10: a reservation covers first and a savings plan what is left of the day; neither covers a unit
/// twice, and what is too much is named once.
#[test]
fn a_savings_plan_covers_what_a_reservation_left() {
    let mut world = september();
    world.uses("vm", "2020-09-08", "5");
    for (benefit, quantity) in [(Benefit::SavingsPlan, "4"), (Benefit::Reservation, "3")] {
        world.covers(benefit, "vm", "2020-09-08", quantity);
    }
    let commerce = world.facts.commerce.view();
    let mut covered: BTreeMap<String, Exact> = BTreeMap::new();
    let mut sink = |piece: &Piece<'_>| {
        *covered.entry(format!("{:?}", piece.portion)).or_default() += &piece.quantity.exact();
    };
    let desk = Desk::new(&world.facts, &commerce);
    let found = desk.rate_plans(BILL_TO, month("2020-09"), &|_| true, &mut access, &mut sink);
    let covered: Vec<(&str, String)> =
        covered.iter().map(|(portion, sum)| (portion.as_str(), sum.to_string())).collect();
    assert_eq!(covered, [("Reservation", "3".to_owned()), ("SavingsPlan", "2".to_owned())]);
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::Overcovered]);
    assert!(found[0].detail.contains("2 more than were used"), "{}", found[0].detail);
}

/// RATE-11: a grant's balance is what is left of it; it appears with the month in which it begins and
/// has expired in the month in which it ends.
#[test]
fn a_balance_is_what_is_left_of_a_grant() {
    let mut world = september();
    world.uses("gap", "2020-09-08", "30");
    grant(&mut world, "a", "2020-09-01", "2020-10-01");
    grant(&mut world, "b", "2020-10-01", "2020-11-02");
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    assert_eq!(balances(&desk, "2020-09"), ["a 30 70 true"]);
    assert_eq!(balances(&desk, "2020-10"), ["a 0 70 true", "b 0 100 false"]);
    assert_eq!(balances(&desk, "2020-11"), ["a 0 70 true", "b 0 100 true"]);
}

/// RATE-11: a grant of which nobody said a real beginning or end is drawn in the months with usage, and is
/// no reason to look at every month of ten thousand years.
#[test]
fn a_grant_for_ages_is_drawn_in_the_months_with_usage() {
    let mut world = september();
    world.uses("gap", "2020-09-08", "30");
    world.uses("gap", "2020-11-08", "20");
    world.sheet("2020-11", vec![row("1")]);
    grant(&mut world, "a", "0001-01-01", "9999-12-31");
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    assert_eq!(desk.drawn.len(), 3, "what was drawn before October, November and December");
    assert_eq!(balances(&desk, "2020-08"), ["a 0 100 false"]);
    assert_eq!(balances(&desk, "2020-11"), ["a 20 50 false"]);
    assert_eq!(balances(&desk, "2021-05"), ["a 0 50 false"]);
}

/// RATE-11: grants that are used up within one part of the usage pay by money; quantities that have no end
/// as decimals leave no crumb behind, whoever pays for the rest.
#[test]
fn what_several_grants_and_the_customer_pay_is_the_list_charge() {
    for (amounts, left) in [(vec!["1", "100"], "0"), (vec!["1", "1"], "5"), (vec!["1", "1", "100"], "0")] {
        let mut world = september();
        world.sheet_at("2020-09", "2020-08-31", vec![row("0.7")]);
        world.uses("gap", "2020-09-08", "10");
        for (number, amount) in amounts.iter().enumerate() {
            granted(&mut world, &format!("grant-{number}"), amount, ("2020-09-01", "2020-10-01"));
        }
        let commerce = world.facts.commerce.view();
        let desk = Desk::new(&world.facts, &commerce);
        let (mut all, mut own) = (Exact::zero(), Exact::zero());
        desk.rate_plans(BILL_TO, month("2020-09"), &|_| true, &mut access, &mut |piece| {
            all += &piece.list_charge();
            if piece.portion == Portion::PayAsYouGo {
                own += &piece.list_charge();
            }
        });
        let drawn: Exact = desk.balances(BILL_TO, month("2020-09")).iter().map(|one| &one.drawn).sum();
        assert_eq!((all.to_string(), own.to_string()), ("7".to_owned(), left.to_owned()), "{amounts:?}");
        assert_eq!(&drawn + &own, all, "{amounts:?}");
    }
}

pub(super) fn grant(world: &mut World, grant: &str, from: &str, until: &str) {
    granted(world, grant, "100", (from, until));
}

pub(super) fn granted(world: &mut World, grant: &str, amount: &str, (from, until): (&str, &str)) {
    world.tell(Event::AzureCreditGranted(AzureCreditGranted {
        grant: grant.into(),
        name: "offer".into(),
        bill_to: BILL_TO,
        customer: CUSTOMER,
        plan: None,
        scope: None,
        amount: number(amount),
        from: Day::parse(from).unwrap(),
        until: Day::parse(until).unwrap(),
    }));
}

/// What was drawn of each grant, what is left, and whether it has expired.
pub(super) fn balances(desk: &Desk<'_>, period: &str) -> Vec<String> {
    let balances = desk.balances(BILL_TO, month(period));
    let one = |one: &Balance<'_>| format!("{} {} {} {}", one.grant.grant, one.drawn, one.left, one.expired);
    balances.iter().map(one).collect()
}

/// RATE-2: a price sheet of which parts are missing is not in force, and is named with its event.
#[test]
fn a_sheet_with_missing_parts_is_named() {
    let mut world = september();
    world.uses("vm", "2020-09-08", "1");
    let rows = vec![row("9")];
    let header = world.tell(Event::PriceSheetPublished(PriceSheet {
        sheet: "half".into(),
        market: Market::parse("US").unwrap(),
        period: month("2020-09"),
        published_at: at("2020-09-15"),
        parts: 2,
        rows: 2,
        rows_digest: crate::prices::tests::rows_digest(&rows),
    }));
    let found = only(&world, Code::IncompleteSheet);
    assert_eq!((found.about, found.events), (of_month(), vec![header]));
}

/// What contradicts itself in the life of a plan is told to the partner billed, in the month of the
/// change.
#[test]
fn an_oddity_names_plan_and_subscription_and_goes_to_the_partner_billed() {
    let mut world = september();
    world.plan(Guid(0xa2), OTHER, None, "2020-01-01");
    world.tell(Event::TransferCancelled(Move {
        subscription: SUBSCRIPTION,
        to_plan: Guid(0xa2),
        at: at("2020-09-10"),
    }));
    let [told] = &findings_of(&world, OTHER, "2020-09")[..] else { panic!("one partner is told") };
    let about = About {
        bill_to: Some(OTHER),
        plan: Some(Guid(0xa2)),
        subscription: Some(SUBSCRIPTION),
        day: day("2020-09-10"),
        ..of_month()
    };
    assert_eq!((told.code, &told.about), (Code::TransferOutOfOrder, &about));
    assert_eq!(findings(&world), [], "the other partner has nothing to mend");
    assert_eq!(findings_of(&world, OTHER, "2020-10"), []);
}

/// What contradicts itself under a plan that nobody knows is told to the partner billed for its subscription; where
/// nobody was billed for that either, everybody may be meant.
#[test]
fn an_oddity_of_an_unknown_plan_goes_to_the_partner_of_its_subscription() {
    for (subscription, others) in [(SUBSCRIPTION, 0), (ELSEWHERE, 1)] {
        let mut world = september();
        let withdrawn = Move { subscription, to_plan: Guid(0xa9), at: at("2020-09-10") };
        world.tell(Event::TransferCancelled(withdrawn));
        let told = [BILL_TO, OTHER].map(|partner| findings_of(&world, partner, "2020-09").len());
        assert_eq!(told, [1, others], "{subscription}");
    }
}

/// USE-8: a plan suspended while a reservation under it is active is named, to the partner billed only.
#[test]
fn a_plan_suspended_under_a_reservation_is_named() {
    let mut world = september();
    world.plan(Guid(0xa2), OTHER, None, "2020-01-01");
    world.tell(Event::ChargeRecorded(ChargeRecorded {
        order: "o".into(),
        action: ChargeAction::New,
        kind: ChargeKind::Reservation,
        customer: CUSTOMER,
        plan: Guid(0xa2),
        product: "P".into(),
        product_title: "Reserved".into(),
        sku: "1".into(),
        sku_title: "One year".into(),
        unit_price: number("100"),
        quantity: number("1"),
        term: Term::Year,
        billing: Billing::OneTime,
        at: at("2020-05-01"),
    }));
    world.tell(Event::PlanSuspended(plan(Guid(0xa2), "2020-09-10")));
    let told = findings_of(&world, OTHER, "2020-09");
    let about = About { bill_to: Some(OTHER), plan: Some(Guid(0xa2)), day: day("2020-09-10"), ..of_month() };
    let in_use: Vec<&About> = told.iter().filter(|one| one.code == Code::PlanInUse).map(|one| &one.about).collect();
    assert_eq!(in_use, [&about]);
    assert!(!codes(&world).contains(&Code::PlanInUse));
}

/// INV-17: two plans of one customer with one partner and one reseller. A plan that begins with the
/// next month, or that was cancelled by the first of this one, is none of them; whose reseller counts
/// is decided at the end of the month.
#[test]
fn several_plans_are_those_that_stood_in_the_month() {
    const SECOND: Guid = Guid(0xa2);
    let second = |reseller: &str, from: &str| {
        let mut world = september();
        world.plan(SECOND, BILL_TO, Some(reseller), from);
        world
    };
    let both = second("6048879", "2020-09-30T23:59:59Z");
    assert_eq!(only(&both, Code::SeveralPlans).about, About { customer: Some(CUSTOMER), ..of_month() });
    assert_eq!(codes(&second("6048879", "2020-10-01")), [], "it begins with October");
    assert_eq!(codes(&second("1234567", "2020-09-01")), [], "another reseller has a plan of its own");
    let mut direct = september();
    direct.plan(SECOND, BILL_TO, None, "2020-02-01");
    direct.plan(Guid(0xa3), BILL_TO, None, "2020-10-01");
    assert_eq!(codes(&direct), [], "sold direct, it begins with October all the same");
    for (end, expected) in [("2020-09-01", vec![]), ("2020-09-01T00:00:01Z", vec![Code::SeveralPlans])] {
        let mut world = second("6048879", "2020-02-01");
        world.tell(Event::PlanCancelled(plan(SECOND, end)));
        assert_eq!(codes(&world), expected, "cancelled at {end}");
    }
    for (change, expected) in [("2020-09-30T23:59:59Z", vec![]), ("2020-10-01", vec![Code::SeveralPlans])] {
        let mut world = second("6048879", "2020-02-01");
        let reseller = Some("1234567".into());
        world.tell(Event::ResellerOfRecordSet(ResellerOfRecordSet { plan: SECOND, reseller, at: at(change) }));
        assert_eq!(codes(&world), expected, "the reseller changed at {change}");
    }
}

/// USE-4: a correction without effect names the usage that it leads to, and goes to the partner and
/// the month of that usage; one that leads nowhere goes to everybody.
#[test]
fn a_correction_without_effect_goes_to_where_it_leads() {
    let mut world = september();
    let used = world.uses("vm", "2020-09-08", "5");
    let first = world.tell(Event::UsageAdjusted(UsageAdjusted { target: used, quantity: number("-1"), reason: None }));
    world.tell(Event::UsageAdjusted(UsageAdjusted { target: first, quantity: number("-1"), reason: None }));
    let about = About {
        subscription: Some(SUBSCRIPTION),
        meter: MeterId::parse("m").into(),
        day: day("2020-09-08"),
        ..of_month()
    };
    assert_eq!(only(&world, Code::CorrectionOfCorrection).about, about);
    assert_eq!(findings_of(&world, OTHER, "2020-09"), []);
    assert_eq!(findings_of(&world, BILL_TO, "2020-10"), []);
    let mut world = september();
    let nowhere = Identity(0x7777);
    world.tell(Event::UsageAdjusted(UsageAdjusted { target: nowhere, quantity: number("1"), reason: None }));
    let everybody = About { bill_to: None, ..of_month() };
    let held = only(&world, Code::HeldCorrection);
    assert_eq!(held.about, everybody);
    assert_eq!(findings_of(&world, OTHER, "2020-09"), [held], "one finding, told to whom it may concern");
}

/// The months that have something to bill: those with usage that is placed with the partner, and those
/// with charges on its plans; nobody else's.
#[test]
fn months_are_those_with_usage_or_charges_of_the_partner() {
    let mut world = september();
    world.plan(Guid(0xa2), OTHER, None, "2020-01-01");
    world.uses("vm", "2020-09-08", "1");
    world.tell(Event::TransferCompleted(TransferCompleted {
        subscription: SUBSCRIPTION,
        to_plan: Guid(0xa2),
        at: at("2020-10-01"),
    }));
    world.uses("vm", "2020-10-08", "1");
    world.tell(Event::RefundGranted(RefundGranted {
        refund: "r".into(),
        customer: CUSTOMER,
        plan: Guid(0xa2),
        amount: number("1"),
        reason: "goodwill".into(),
        at: at("2020-11-08"),
    }));
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let months = |partner: Guid| desk.months(partner).into_iter().map(|one| one.to_string()).collect::<Vec<_>>();
    assert_eq!(months(BILL_TO), ["2020-09"]);
    assert_eq!(months(OTHER), ["2020-10", "2020-11"]);
}

/// A stamp moves with all that pieces rest on and with nothing else: usage of the plan; whatever says what it
/// costs; an event told in two ways, whatever kind the second body is of; and, once Azure credit pays for all
/// plans of the customer together, usage of any of them.
#[test]
fn a_stamp_moves_with_what_pieces_rest_on() {
    const NEIGHBOUR: Guid = Guid(0x52);
    const STRANGER: Guid = Guid(0x53);
    let mut world = september();
    world.plan(Guid(0xa2), BILL_TO, None, "2020-01-01");
    world.subscription(NEIGHBOUR, Guid(0xa2), Offer::AzurePlan, "2020-01-01");
    let theirs =
        PlanCreated { plan: Guid(0xa3), customer: Guid(0xc3), bill_to: BILL_TO, reseller: None, at: at("2020-01-01") };
    world.tell(Event::PlanCreated(theirs));
    world.subscription(STRANGER, Guid(0xa3), Offer::AzurePlan, "2020-01-01");
    let beside = |world: &mut World, subscription: Guid, quantity: &str| {
        let Event::UsageRecorded(used) = usage("vm", "2020-09-08", quantity) else { unreachable!("it is usage") };
        world.tell(Event::UsageRecorded(Usage { subscription, ..used }));
    };
    let standing = || PartnerStanding { partner: BILL_TO, reason: "r".into(), at: at("2020-09-08") };
    let ended = || Event::MembershipEnded(MembershipChange { partner: BILL_TO, at: at("2020-09-08") });
    let steps: [(&str, bool, &dyn Fn(&mut World)); 9] = [
        ("usage", true, &|world| world.tell_as(1, 1, usage("vm", "2020-09-08", "1"))),
        ("usage of another plan", false, &|world| beside(world, NEIGHBOUR, "1")),
        ("a partner that is barred", false, &|world| world.tell_as(2, 1, Event::PartnerBarred(standing()))),
        ("a membership", false, &|world| world.tell_as(7, 2, ended())),
        ("the same, told as something else", true, &|world| world.tell_as(7, 1, Event::PartnerBarred(standing()))),
        ("a sheet", true, &|world| world.sheet_at("2020-09", "2020-09-02", vec![row("2")])),
        ("a grant", true, &|world| grant(world, "g", "2020-09-01", "2020-10-01")),
        ("usage of another plan beside a grant", true, &|world| beside(world, NEIGHBOUR, "2")),
        ("usage of another customer beside a grant", false, &|world| beside(world, STRANGER, "2")),
    ];
    let stamp = |world: &World| {
        let commerce = world.facts.commerce.view();
        Desk::new(&world.facts, &commerce).stamps(BILL_TO)[&PLAN]
    };
    for (what, moves, step) in steps {
        let before = stamp(&world);
        step(&mut world);
        assert_eq!(stamp(&world) != before, moves, "{what}");
    }
}
