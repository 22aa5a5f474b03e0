//! What is asked of a desk beside a whole invoice: plans and currencies of a month, pieces alone, and
//! what a piece comes to.

use super::tests::*;
use super::*;
use crate::entry::*;
use crate::ids::MeterId;
use crate::testing::*;

const SECOND: Guid = Guid(0xa2);
const THIRD: Guid = Guid(0xa3);
const GERMAN: Guid = Guid(0xc2);

/// A German customer with a plan from a day on.
fn german(world: &mut World, plan: Guid, from: &str) {
    world.tell(Event::CustomerRegistered(CustomerRegistered {
        customer: GERMAN,
        name: "Wingtip".into(),
        market: Market::parse("DE").unwrap(),
        tenant_created: None,
        at: at("2020-01-01"),
    }));
    let (customer, bill_to, at) = (GERMAN, BILL_TO, at(from));
    world.tell(Event::PlanCreated(PlanCreated { plan, customer, bill_to, reseller: None, at }));
}

/// INV-14: before August 2021 a partner's month is billed in its own currency and in those of the customers
/// who had bought from it by the end of the month.
#[test]
fn a_month_has_the_currencies_of_what_was_bought_by_its_end() {
    let mut world = september();
    german(&mut world, SECOND, "2020-10-01");
    let (country, billing_currency) = (Market::parse("GB").unwrap(), currency("GBP"));
    let british = registered(BILL_TO, PartnerKind::DirectBill);
    world.tell(Event::PartnerRegistered(PartnerRegistered { country, billing_currency, ..british }));
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let currencies = |period: &str| desk.currencies(BILL_TO, month(period));
    assert_eq!(currencies("2020-09"), ["GBP", "USD"].map(currency), "the German plan begins with October");
    assert_eq!(currencies("2020-10"), ["GBP", "USD", "EUR"].map(currency));
    assert_eq!(currencies("2021-08"), ["GBP"].map(currency));
}

/// INV-14: where a partner is decides by the last instant of the month: neither where it was before nor where it
/// is from the next month on.
#[test]
fn the_country_of_the_months_last_instant_decides_its_currencies() {
    let mut world = World::new();
    for (country, since) in [("DE", "2020-01-01"), ("US", "2021-03-20"), ("DE", "2021-04-01")] {
        let (country, at) = (Market::parse(country).unwrap(), at(since));
        let partner = PartnerRegistered {
            billing_currency: currency("USD"),
            country,
            at,
            ..registered(BILL_TO, PartnerKind::DirectBill)
        };
        world.tell(Event::PartnerRegistered(partner));
    }
    let (customer, market) = (Guid(0xc3), Market::parse("DE").unwrap());
    let (name, tenant_created, since) = ("Fabrikam".into(), Some(at("2021-03-25")), at("2021-03-25"));
    world.tell(Event::CustomerRegistered(CustomerRegistered { customer, name, market, tenant_created, at: since }));
    let (plan, bill_to) = (SECOND, BILL_TO);
    world.tell(Event::PlanCreated(PlanCreated { plan, customer, bill_to, reseller: None, at: since }));
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let currencies = |period: &str| desk.currencies(BILL_TO, month(period));
    assert_eq!(currencies("2021-03"), ["USD", "EUR"].map(currency), "not European then: the customer's");
    assert_eq!(currencies("2021-04"), ["USD"].map(currency), "European: its own");
}

/// What is at stake is told by the same pieces as the invoice is made of.
#[test]
fn pieces_alone_are_those_of_the_invoice() {
    let mut world = september();
    world.uses("vm", "2020-09-08", "1");
    world.uses("gap", "2020-09-09", "2");
    let mut whole = Vec::new();
    pieces_of(&world, "2020-09", &mut |piece| whole.push(format!("{piece:?}")));
    let commerce = world.facts.commerce.view();
    let mut alone = Vec::new();
    let desk = Desk::new(&world.facts, &commerce);
    desk.pieces(BILL_TO, month("2020-09"), &|_| true, &mut access, &mut |piece| alone.push(format!("{piece:?}")));
    assert_eq!((alone.len(), &alone), (2, &whole));
}

/// Work is shared out by how many series of usage a plan brings: a resource's meter is one, however many
/// hours it ran.
#[test]
fn a_plan_weighs_as_much_as_it_has_resources_in_use() {
    let mut world = september();
    world.plan(SECOND, BILL_TO, None, "2020-01-01");
    world.subscription(ELSEWHERE, SECOND, Offer::AzurePlan, "2020-01-01");
    world.plan(THIRD, OTHER, None, "2020-01-01");
    for (name, start) in [("vm", "2020-09-08"), ("vm", "2020-09-09"), ("db", "2020-09-08")] {
        world.uses(name, start, "1");
    }
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    assert_eq!(desk.weights(BILL_TO), [(PLAN, 2), (SECOND, 0)]);
    assert_eq!(desk.used().collect::<Vec<_>>(), [(SUBSCRIPTION, 2)], "a subscription without usage is not named");
}

/// PEC-1: access is asked for on the days on which a resource was used, and on no other.
#[test]
fn access_is_asked_for_on_days_of_usage_only() {
    let mut world = september();
    world.uses("vm", "2020-09-08", "1");
    world.uses("vm", "2020-09-21", "1");
    let commerce = world.facts.commerce.view();
    let mut asked: Vec<String> = Vec::new();
    let mut judging = |about: &Asked<'_>, days: &[Day]| {
        asked.extend(days.iter().map(ToString::to_string));
        access(about, days)
    };
    let desk = Desk::new(&world.facts, &commerce);
    desk.rate_plans(BILL_TO, month("2020-09"), &|_| true, &mut judging, &mut |_| {});
    assert_eq!(asked, ["2020-09-08", "2020-09-21"]);
}

/// USE-1: the policy of the usage's own day says whether the time of sending places it: what was used
/// before that policy began stays with the plan under which it was used.
#[test]
fn the_time_of_sending_counts_only_for_usage_since_its_policy() {
    let mut world = september();
    world.facts.usage.keep_sent();
    world.plan(SECOND, OTHER, None, "2020-01-01");
    world.policy(1, "2020-09-15", "transfer-usage", "reported");
    let (subscription, to_plan) = (SUBSCRIPTION, SECOND);
    world.tell(Event::TransferCompleted(TransferCompleted { subscription, to_plan, at: at("2020-09-20") }));
    for start in ["2020-09-10", "2020-09-16"] {
        world.tell(hour("vm", start, |usage| usage.sent = Some(at("2020-09-25"))));
    }
    let mut days = Vec::new();
    pieces_of(&world, "2020-09", &mut |piece| days.push(piece.day.to_string()));
    assert_eq!(days, ["2020-09-10"]);
}

/// RATE-12: a daily line costs its list charge less the credit that it earned, times the exchange rate.
#[test]
fn a_daily_line_costs_what_credit_leaves_of_it() {
    let mut world = september();
    world.uses("vm", "2020-09-08", "100");
    world.uses("gap", "2020-09-09", "100");
    let (rate, policy) = (Exact::parse("0.8").unwrap(), Policy::builtin());
    let mut amounts = Vec::new();
    pieces_of(&world, "2020-09", &mut |piece| {
        amounts.push([piece.net_charge(), piece.daily_amount(&rate, &policy)].map(|amount| amount.to_string()));
    });
    assert_eq!(amounts, [["85", "68"], ["100", "80"]]);
}

/// RATE-2: without a sheet of the month usage is shown at the price of the last day of the month before.
#[test]
fn an_estimate_goes_by_the_last_day_of_the_month_before() {
    let in_force = |from: &str, until: &str, price: &str| PriceRow {
        from: Day::parse(from).unwrap(),
        until: Day::parse(until).unwrap(),
        ..row(price)
    };
    let mut world = World::new();
    world.sheet(
        "2020-08",
        vec![
            in_force("2020-08-01", "2020-08-31", "1"),
            in_force("2020-08-31", "2020-09-01", "2"),
            in_force("2020-09-01", "2020-10-01", "3"),
        ],
    );
    world.uses("vm", "2020-09-08", "1");
    let mut prices = Vec::new();
    pieces_of(&world, "2020-09", &mut |piece| prices.push((piece.unit_price().to_string(), piece.estimate)));
    assert_eq!(prices, [("2".to_owned(), true)]);
}

/// RATE-9: a product that costs different prices in two markets is named with its meter.
#[test]
fn a_price_that_differs_by_market_names_its_meter() {
    let mut world = september();
    german(&mut world, SECOND, "2020-01-01");
    world.subscription(ELSEWHERE, SECOND, Offer::AzurePlan, "2020-01-01");
    let rows = vec![row("2")];
    let rows_digest = crate::prices::tests::rows_digest(&rows);
    world.tell(Event::PriceSheetPublished(PriceSheet {
        sheet: "german".into(),
        market: Market::parse("DE").unwrap(),
        period: month("2020-09"),
        published_at: at("2019-12-31"),
        parts: 1,
        rows: 1,
        rows_digest,
    }));
    world.tell(Event::PriceSheetPart(PriceSheetPart { sheet: "german".into(), number: 0, rows, rows_digest }));
    world.uses("vm", "2020-09-08", "1");
    assert_eq!(codes(&world), [], "nothing was used in Germany");
    world.tell(hour("vm", "2020-09-08", |usage| (usage.subscription, usage.resource) = (ELSEWHERE, None)));
    let meter = Some(MeterId::parse("m"));
    assert_eq!(only(&world, Code::PriceDiffersByMarket).about, About { meter, ..of_month() });
}

/// USE-7: usage of a subscription that had left for a plan of somebody else is named with that plan, and with its
/// customer, subscription and day.
#[test]
fn usage_after_leaving_names_the_plan_that_it_left_for() {
    let mut world = september();
    let (subscription, to_plan) = (SUBSCRIPTION, Guid(0xa9));
    world.tell(Event::TransferCompleted(TransferCompleted { subscription, to_plan, at: at("2020-09-04") }));
    world.uses("vm", "2020-09-05", "1");
    let about = About {
        customer: Some(CUSTOMER),
        plan: Some(to_plan),
        subscription: Some(SUBSCRIPTION),
        day: day("2020-09-05"),
        ..of_month()
    };
    assert_eq!(only(&world, Code::NoPlacement).about, about);
}
