//! The oracle against numbers that Microsoft printed (Partner Center documentation, 2020 to 2023).
//!
//! A second opinion must itself be checked by something that neither of the two wrote. Rows that
//! the documentation got wrong are kept as negative vectors: the printed number must not come out.

use super::conflict::Told;
use super::money::{Answer, answer};
use super::number::Ratio;
use super::world::{
    By, DAY, Grant, Kind, Offer, Partner, Plan, Price, Qualified, Registered, Role, Sheet, Span, Spell, Subscription,
    Usage, World,
};

const FIRST: i64 = 20_454;

/// One meter on one resource; `days` are quantities, each with or without access all day.
fn month(currency: &'static str, bands: &[(&str, &str)], days: &[(&str, bool)]) -> World {
    let scope = super::access::subscription_scope(7);
    let held = |day: i64| Spell::of(&Span { from: day * DAY, to: Some((day + 1) * DAY) });
    let grant = |day: i64| Grant {
        id: 4,
        scope: scope.clone(),
        principal: 2,
        role: Told::of([Role::Owner]),
        held: held(day),
        by: By::Assignment,
    };
    let numbered = || (FIRST..).zip(days);
    World {
        customer_tenant: 9,
        days: (FIRST, FIRST + 31),
        partners: vec![Partner {
            tenant: 1,
            organisation: "org".to_owned(),
            registered: Told::of([Registered { kind: Kind::Provider, with_agents: true }]),
            currency,
            partner_ids: vec!["1".to_owned()],
            admin_agents: 2,
            helpdesk_agents: 3,
            managing_tenant: 1,
            identities: Vec::new(),
            memberships: None,
            barred: Vec::new(),
            qualified: Qualified::Untold,
        }],
        plans: vec![Plan { id: 6, bill_to: 0, created: 0, resellers: vec![(0, Told::of([None]))] }],
        subscriptions: vec![Subscription {
            id: 7,
            created: 0,
            plans: vec![(0, 0)],
            offers: vec![(0, Offer::AzurePlan)],
        }],
        grants: numbered().filter(|(_, (_, covered))| *covered).map(|(day, _)| grant(day)).collect(),
        delegations: Vec::new(),
        denies: Vec::new(),
        links: Vec::new(),
        members: Vec::new(),
        resources: Vec::new(),
        absences: Vec::new(),
        tree: Vec::new(),
        departures: Vec::new(),
        sheets: vec![Sheet {
            id: 12,
            published: Told::of([Some(0)]),
            whole: Told::of([true]),
            prices: vec![Price {
                meter: 10,
                product: "P".to_owned(),
                sku: "S".to_owned(),
                spot: false,
                third_party: false,
                dev_test: Vec::new(),
                bands: vec![(
                    FIRST,
                    bands.iter().map(|(above, price)| ((*above).to_owned(), (*price).to_owned())).collect(),
                )],
            }],
        }],
        usd_per_unit: Told::of([vec![("EUR", "1.181749999".to_owned())]]),
        usage: numbered().map(|(day, (quantity, _))| used(&scope, day, quantity)).collect(),
        cover: Vec::new(),
        credits: Vec::new(),
        orders: Vec::new(),
        refunds: Vec::new(),
        policies: Vec::new(),
        taxes: Vec::new(),
    }
}

fn used(scope: &str, day: i64, quantity: &str) -> Usage {
    Usage {
        subscription: 0,
        resource: format!("{scope}/resourcegroups/rg/providers/a/b/c"),
        meter: 10,
        start: day * DAY,
        quantity: Told::of([quantity.to_owned()]),
        adjusted: Vec::new(),
        voided: false,
    }
}

/// (tier, with credit, quantity, charge in dollars, subtotal) of every line.
fn lines(answer: &Answer) -> Vec<(usize, bool, String, String, String)> {
    let row = |(of, line): (&super::money::LineOf, &super::money::Line)| {
        (of.tier, of.credit.is_some(), line.quantity.text(), line.charge.text(), line.subtotal.text())
    };
    answer.lines.iter().map(row).collect()
}

fn row(
    tier: usize,
    credit: bool,
    quantity: &str,
    charge: &str,
    subtotal: &str,
) -> (usize, bool, String, String, String) {
    (tier, credit, quantity.to_owned(), charge.to_owned(), subtotal.to_owned())
}

#[test]
fn a_day_with_credit_costs_85_percent_rounded_down_once() {
    for (quantity, charge) in [("29", "21.39"), ("210.950039", "155.63"), ("555.950039", "410.17")] {
        let answer = answer(&month("USD", &[("0", "0.868")], &[(quantity, true)]));
        assert_eq!(lines(&answer), vec![row(1, true, quantity, charge, charge)]);
    }
}

#[test]
fn days_with_and_without_credit_are_two_lines_and_each_is_exchanged() {
    let days = [("10.2", true), ("5.8", false), ("13", true)];
    let world = month("EUR", &[("0", "0.868")], &days);
    assert_eq!(super::money::exchange_rate(&world, "EUR"), Ratio::of("0.846202666"));
    let answer = answer(&world);
    assert_eq!(lines(&answer), vec![row(1, false, "5.8", "5.03", "4.25"), row(1, true, "23.2", "17.11", "14.47")]);
}

#[test]
fn graduated_tiers_price_each_band_by_itself() {
    let bands = [("0", "1"), ("100", "0.80"), ("100000", "0.50")];
    let answer = answer(&month("USD", &bands, &[("60", false), ("41", false)]));
    assert_eq!(lines(&answer), vec![row(1, false, "100", "100", "100"), row(2, false, "1", "0.8", "0.8")]);
}

/// The page prints 81.33 for the paid tier; its own formula, rounding down, gives 81.32.
#[test]
fn a_free_tier_carries_the_label_and_the_paid_one_is_rounded_down() {
    let answer = answer(&month("USD", &[("0", "0"), ("5", "2.99")], &[("37", true)]));
    assert_eq!(lines(&answer), vec![row(1, true, "5", "0", "0"), row(2, true, "32", "81.32", "81.32")]);
}

/// The newer page prints a Subtotal of 0.01 for this row; the formula gives nothing.
#[test]
fn a_crumb_of_storage_costs_nothing() {
    let answer = answer(&month("EUR", &[("0", "0.045")], &[("0.005001", true)]));
    assert_eq!(lines(&answer), vec![row(1, true, "0.005001", "0", "0")]);
    let exact = answer.judged[0].credit.text();
    assert_eq!(exact, "0.00003375675");
}
