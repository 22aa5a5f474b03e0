//! Makes a small, spiteful month from a seed: everything that the rules distinguish happens often.
//!
//! Worlds are true statements; how they are told (in which records, in which order, how often) is
//! `telling`'s. Where upstream contradicts itself a world holds every body, and what people decided.
//! Left out on purpose, because definitions leave the answer to a person: negative day totals,
//! unknown prices.

// What is told in several ways.
mod doubts;
// What becomes of resources and groups.
pub mod estate;
// Groups, their members, and who leaves.
mod people;
// Prices, and what is charged or paid beside usage.
mod money;
// What is chosen by policy, and what is due in tax.
pub mod policies;

use self::doubts::doubt;
use super::dice::Dice;
use super::telling;
use crate::oracle::access::subscription_scope;
use crate::oracle::conflict::Told;
use crate::oracle::world::{
    By, DAY, DayNumber, Delegation, Deny, Grant, Id, Kind, Link, Offer, Partner, Plan, Qualified, Registered, Resource,
    Role, Span, Spell, Subscription, Time, Usage, World, in_force,
};

/// 2026-01-01, and the month's length.
const FIRST: DayNumber = 20_454;
const MONTH: DayNumber = 31;
/// Usage falls into these days, so that one world stays small.
const WINDOW: DayNumber = 6;
const LONG_AGO: Time = (FIRST - 200) * DAY;
/// Before anything at all.
const FOREVER: Time = (FIRST - 20_000) * DAY;

/// Ids of things, by their kind and number.
fn id(kind: u64, number: u64) -> Id {
    kind * 1_000 + number
}

/// A person or program of a partner (0 to 2) or of the customer (3).
fn person(of: u64) -> Id {
    id(5, of)
}

const CUSTOMER: Id = 9_000;

/// Numbers of the customer's plans.
const CUSTOMER_PLANS: [usize; 3] = [0, 1, 2];

pub fn make(seed: u64) -> World {
    let dice = &mut Dice::new(seed);
    let partners = partners(dice);
    // The last one is what the classic offer is billed under.
    let plans = [0, 2, 0].into_iter().zip(0..).map(|(bill_to, number)| plan(dice, bill_to, number)).collect();
    let count = 1 + dice.below(2);
    let subscriptions: Vec<Subscription> = (0..count).map(|number| subscription(dice, number)).collect();
    let mut resources: Vec<Resource> =
        subscriptions.iter().enumerate().flat_map(|(at, sub)| resources(dice, at, sub)).collect();
    let absences = estate::fates(dice, &subscriptions, &mut resources);
    let tree = estate::tree(dice, &subscriptions);
    let homes = |one: &Resource| one.homes.iter().map(|(_, id)| (one.subscription, id.clone())).collect::<Vec<_>>();
    let places: Vec<(usize, String)> = resources.iter().flat_map(homes).collect();
    let grants = grants(dice, &subscriptions, &places);
    let delegations = delegations(dice, &subscriptions, &places);
    let denies = denies(dice, &subscriptions, &places);
    let mut links = links(dice);
    let (members, departures) = (people::members(dice), people::departures(dice, &mut links));
    let sheets = money::sheets(dice);
    let rates = |euro: &str| vec![("EUR", euro.to_owned()), ("JPY", "0.00912".to_owned())];
    let corrected = dice.chance(40).then(|| rates("1.1817635"));
    let usd_per_unit = Told::of([rates("1.1817536")].into_iter().chain(corrected));
    let mut world = World {
        customer_tenant: CUSTOMER,
        days: (FIRST, FIRST + MONTH),
        partners,
        plans,
        subscriptions,
        resources,
        absences,
        tree,
        grants,
        delegations,
        denies,
        links,
        members,
        departures,
        sheets,
        usd_per_unit,
        usage: Vec::new(),
        cover: Vec::new(),
        credits: money::credits(dice, &places),
        orders: money::orders(dice),
        refunds: money::refunds(dice),
        policies: policies::documents(seed),
        taxes: Vec::new(),
    };
    world.taxes = policies::taxes(seed, &world);
    estate::settle(&mut world);
    world.usage = usage(dice, &world);
    let agreed = dice.chance(10);
    if agreed {
        doubts::agree(&mut world);
    }
    telling::stamp(&mut world);
    doubts::decide_usage(dice, &mut world);
    // Never more cover than usage: that stops the closing.
    world.cover = money::cover(dice, &world);
    if agreed {
        doubts::agree(&mut world);
    }
    telling::stamp(&mut world);
    doubts::decide(dice, &mut world);
    world
}

/// The time in which usage falls.
pub fn window() -> (Time, Time) {
    (FIRST * DAY, (FIRST + WINDOW) * DAY)
}

/// Any minute of the days in which usage falls.
fn minute(dice: &mut Dice) -> Time {
    FIRST * DAY + dice.between(0, WINDOW * 24 * 60) * 60
}

/// From long ago or from some minute, to some later minute or open.
pub fn span(dice: &mut Dice, not_before: Time) -> Span {
    let from = if dice.chance(60) { LONG_AGO } else { minute(dice) }.max(not_before);
    Span { from, to: dice.chance(40).then(|| minute(dice).max(from + 60)) }
}

/// 0: we, the provider; 1: the reseller; 2: another provider.
fn partners(dice: &mut Dice) -> Vec<Partner> {
    let currency = *dice.pick(&["USD", "EUR", "JPY"]);
    // Somebody who may not receive credit, and is billed for a plan all the same.
    let other = if dice.chance(12) { Kind::Reseller } else { Kind::DirectBill };
    let kinds = [Kind::Provider, Kind::Reseller, other];
    let partner = |(number, kind): (u64, Kind), dice: &mut Dice| Partner {
        tenant: id(1, number),
        organisation: format!("org-{number}"),
        registered: registered(dice, number, kind),
        currency: if number == 2 { "USD" } else { currency },
        partner_ids: vec![format!("{}000001", number + 1), format!("{}000002", number + 1)],
        admin_agents: id(2, number),
        helpdesk_agents: id(3, number),
        managing_tenant: id(1, number),
        identities: vec![person(number)],
        memberships: memberships(dice),
        barred: barred(dice),
        qualified: if kind == Kind::Reseller { qualified(dice) } else { Qualified::Untold },
    };
    (0..).zip(kinds).map(|numbered| partner(numbered, dice)).collect()
}

/// Long before anything was sold, in the month that is looked at, never, or nobody says.
fn qualified(dice: &mut Dice) -> Qualified {
    match dice.below(10) {
        0..=3 => Qualified::Untold,
        4 | 5 => Qualified::Since(LONG_AGO - DAY),
        6 => Qualified::Never,
        _ => Qualified::Since(minute(dice)),
    }
}

/// Told in two ways now and then: what the partner is, or without its groups of agents.
fn registered(dice: &mut Dice, number: u64, kind: Kind) -> Told<Registered> {
    let first = Registered { kind, with_agents: true };
    let other = match kind {
        Kind::Reseller if number == 2 => Registered { kind: Kind::DirectBill, ..first },
        Kind::Provider | Kind::DirectBill if dice.chance(50) => Registered { kind: Kind::Reseller, ..first },
        _ => Registered { with_agents: false, ..first },
    };
    Told::of([first].into_iter().chain(dice.chance(12).then_some(other)))
}

fn memberships(dice: &mut Dice) -> Option<Vec<Spell>> {
    match dice.below(10) {
        0 => None,
        1 | 2 => {
            let left = minute(dice);
            let again = left + dice.between(1, 2 * 24 * 60) * 60;
            let mut first = Spell::of(&Span { from: LONG_AGO, to: Some(left) });
            if dice.chance(65) {
                let sooner = left - dice.between(1, 600) * 60;
                doubt(dice, &mut first, sooner);
            }
            Some(vec![first, Spell::of(&Span { from: again, to: None })])
        }
        _ => Some(vec![Spell::of(&Span { from: LONG_AGO, to: None })]),
    }
}

fn barred(dice: &mut Dice) -> Vec<Spell> {
    if !dice.chance(20) {
        return Vec::new();
    }
    let mut barred = Spell::of(&span(dice, LONG_AGO));
    if dice.chance(75) {
        let other = minute(dice).max(barred.from + 60);
        doubt(dice, &mut barred, other);
    }
    vec![barred]
}

fn plan(dice: &mut Dice, bill_to: usize, number: u64) -> Plan {
    let named = |dice: &mut Dice| dice.chance(60).then(|| "2000001".to_owned());
    // Told in two ways now and then: who sells it, or nobody.
    let reseller = |dice: &mut Dice| {
        let first = named(dice);
        let other = if first.is_some() { None } else { Some("2000001".to_owned()) };
        let second = dice.chance(25).then_some(other);
        Told::of([first].into_iter().chain(second))
    };
    let mut resellers = vec![(LONG_AGO, reseller(dice))];
    if dice.chance(30) {
        resellers.push((minute(dice), reseller(dice)));
    }
    Plan { id: id(6, number), bill_to, created: LONG_AGO, resellers }
}

fn subscription(dice: &mut Dice, number: u64) -> Subscription {
    let created = if dice.chance(70) { LONG_AGO } else { minute(dice) };
    let offer = *dice.pick(&[Offer::AzurePlan, Offer::AzurePlan, Offer::AzurePlan, Offer::DevTest, Offer::Classic]);
    let classic = offer == Offer::Classic;
    let mut plans = vec![(created, if classic { 2 } else { 0 })];
    let mut offers = vec![(created, offer)];
    if dice.chance(35) {
        // The classic offer ends by a transition, every other plan by a transfer.
        let at = minute(dice).max(created + 3600);
        plans.push((at, usize::from(!classic)));
        if classic {
            offers.push((at, Offer::AzurePlan));
        } else if dice.chance(40) {
            // It comes back, often on the same day.
            plans.push((at + dice.between(1, 24 * 60) * 60, 0));
        }
    }
    Subscription { id: id(7, number), created, plans, offers }
}

fn resources(dice: &mut Dice, at: usize, subscription: &Subscription) -> Vec<Resource> {
    let scope = subscription_scope(subscription.id);
    let count = 1 + dice.below(3);
    let name = |number: u64| {
        let group = number % 2;
        let child = if number == 2 { "/extensions/x" } else { "" };
        let id =
            format!("{scope}/resourcegroups/rg-{group}/providers/microsoft.compute/virtualmachines/vm-{number}{child}");
        Resource { subscription: at, homes: vec![(LONG_AGO, id)] }
    };
    (0..count).map(name).collect()
}

/// The scopes at which somebody might hold a role, for one resource.
fn scope_above(dice: &mut Dice, subscriptions: &[Subscription], resources: &[(usize, String)]) -> (usize, String) {
    let (subscription, resource) = dice.pick(resources).clone();
    let depth = *dice.pick(&[3, 3, 3, 5, 9, 11]);
    let cut = resource.split('/').take(depth).collect::<Vec<_>>().join("/");
    debug_assert!(cut.starts_with(&subscription_scope(subscriptions[subscription].id)));
    (subscription, cut)
}

pub fn role(dice: &mut Dice) -> Role {
    *dice.pick(&[Role::Owner, Role::Owner, Role::Contributor, Role::Reader, Role::Custom])
}

fn told_role(dice: &mut Dice) -> Told<Role> {
    let first = role(dice);
    let second = dice.chance(25).then(|| if first.counts() { Role::Reader } else { Role::Owner });
    Told::of([first].into_iter().chain(second))
}

fn grants(dice: &mut Dice, subscriptions: &[Subscription], resources: &[(usize, String)]) -> Vec<Grant> {
    let mut grants = Vec::new();
    let agents = [id(2, 0), id(2, 0), id(2, 1), id(2, 2), id(3, 0)];
    let persons = [person(0), person(0), person(1), person(2), person(3)];
    let groups = [people::group(0), people::group(0), people::group(1)];
    // Where nobody's agents hold anything, persons and groups decide.
    let quiet = dice.chance(25);
    let principals = [if quiet { &[][..] } else { &agents }, &persons, &groups].concat();
    for number in 0..dice.below(7) {
        let (at, scope) = scope_above(dice, subscriptions, resources);
        let principal = *dice.pick(&principals);
        let held = span(dice, subscriptions[at].created);
        let individual = principal >= id(5, 0);
        let by = match dice.below(10) {
            0 if individual => By::EligibleSchedule,
            1 | 2 if individual => By::Schedule,
            3..=5 if held.to.is_some() => By::RemovalAlone,
            _ => By::Assignment,
        };
        let held = if by == By::RemovalAlone { Span { from: FOREVER, ..held } } else { held };
        // What is granted on the root reaches everything, on a management group what stands below it.
        let scope = match dice.below(100) {
            0..6 if by == By::Assignment => "/".to_owned(),
            6..24 if by != By::RemovalAlone => estate::anywhere_above(dice),
            _ => scope,
        };
        let role = if by == By::Assignment { told_role(dice) } else { Told::of([role(dice)]) };
        let mut grant = Grant { id: id(4, number), scope, principal, role, held: Spell::of(&held), by };
        if let (Some(ended), By::Assignment) = (held.to, by) {
            if dice.chance(40) {
                let most = *dice.pick(&[60, 24 * 60]);
                let from = ended + dice.between(1, most) * 60;
                grants.push(Grant { held: Spell { from, end: None }, ..grant.clone() });
            } else if dice.chance(40) {
                let other = minute(dice).max(held.from + 60);
                doubt(dice, &mut grant.held, other);
            }
        }
        grants.push(grant);
    }
    grants.extend(on_subscriptions(dice, subscriptions, quiet));
    grants
}

/// What agents, persons and groups hold on whole subscriptions.
fn on_subscriptions(dice: &mut Dice, subscriptions: &[Subscription], quiet: bool) -> Vec<Grant> {
    let mut grants = Vec::new();
    for (number, subscription) in (100..).zip(subscriptions) {
        let scope = subscription_scope(subscription.id);
        if !quiet && dice.chance(60) {
            let from = subscription.created + dice.between(0, 25) * 60;
            let held = Span { from, to: dice.chance(50).then(|| minute(dice).max(from + 60)) };
            let principal = id(2, dice.below(2));
            let removal_alone = held.to.is_some() && dice.chance(25);
            let mut grant = Grant {
                id: id(4, number),
                scope: scope.clone(),
                principal,
                role: Told::of([Role::Owner]),
                held: if removal_alone { Spell::of(&Span { from: FOREVER, ..held }) } else { Spell::of(&held) },
                by: if removal_alone { By::RemovalAlone } else { By::Assignment },
            };
            if let (Some(ended), true) = (held.to, dice.chance(60)) {
                // Given back the same day, as a rule.
                let again = Spell { from: ended + dice.between(1, 180) * 60, end: None };
                grants.push(Grant { held: again, by: By::Assignment, ..grant.clone() });
            } else if !removal_alone && dice.chance(60) {
                let other = minute(dice).max(from + 60);
                doubt(dice, &mut grant.held, other);
            }
            grants.push(grant);
        }
        if dice.chance(50) {
            let principal = *dice.pick(&[person(0), people::group(0), people::group(1)]);
            let held = span(dice, subscription.created);
            grants.push(Grant {
                id: id(4, number + 100),
                scope,
                principal,
                role: Told::of([Role::Owner]),
                held: Spell::of(&held),
                by: By::Assignment,
            });
        }
    }
    grants
}

fn delegations(dice: &mut Dice, subscriptions: &[Subscription], resources: &[(usize, String)]) -> Vec<Delegation> {
    let mut made = Vec::new();
    for number in 0..dice.below(3) {
        let (at, scope) = scope_above(dice, subscriptions, resources);
        // Azure delegates subscriptions and groups, never single resources.
        let scope = scope.split('/').take(5).collect::<Vec<_>>().join("/");
        let partner = dice.below(3);
        made.push(Delegation {
            id: id(8, number),
            scope,
            managing_tenant: id(1, partner),
            marketplace: dice.chance(50),
            principal: person(partner),
            role: told_role(dice),
            eligible_only: dice.chance(20),
            held: span(dice, subscriptions[at].created),
        });
    }
    made
}

fn denies(dice: &mut Dice, subscriptions: &[Subscription], resources: &[(usize, String)]) -> Vec<Deny> {
    let mut made = Vec::new();
    for number in 0..dice.below(6) {
        let (at, scope) = scope_above(dice, subscriptions, resources);
        let principal =
            *dice.pick(&[id(2, 0), person(0), person(0), person(0), person(1), person(3), people::group(0)]);
        let (all, held) = (dice.chance(80), span(dice, subscriptions[at].created));
        let every_write = Told::of([all].into_iter().chain(dice.chance(35).then_some(!all)));
        made.push(Deny { id: id(11, number), scope, principal, every_write, held });
    }
    made
}

/// One link at a time per person and tenant; the second may follow the first without a gap.
fn links(dice: &mut Dice) -> Vec<Link> {
    let mut links = Vec::new();
    for of in 0..4 {
        for tenant in [CUSTOMER, id(1, of.min(2))] {
            let own = [of, of, of, dice.below(3)];
            let partner_id = |dice: &mut Dice| {
                let named = |dice: &mut Dice| match dice.below(20) {
                    // A PartnerID that nobody registered.
                    0 => "9000009".to_owned(),
                    _ => format!("{}000002", dice.pick(&own).min(&2) + 1),
                };
                let first = named(dice);
                // Told in two ways now and then, which differ.
                let second = dice.chance(6).then(|| format!("{}000001", dice.below(3) + 1));
                Told::of([first].into_iter().chain(second))
            };
            if dice.chance(70) {
                let held = span(dice, LONG_AGO);
                let first = Link { principal: person(of), tenant, partner_id: partner_id(dice), held };
                if let (Some(ended), true) = (first.held.to, dice.chance(50)) {
                    let from = ended + dice.between(0, 3) * 3600;
                    links.push(Link { held: Span { from, to: None }, partner_id: partner_id(dice), ..first.clone() });
                }
                links.push(first);
            }
        }
    }
    links
}

fn usage(dice: &mut Dice, world: &World) -> Vec<Usage> {
    let mut made = Vec::new();
    for day in FIRST..FIRST + WINDOW {
        for resource in &world.resources {
            let subscription = &world.subscriptions[resource.subscription];
            let mut starts = vec![(day * DAY).max(subscription.created)];
            // A subscription that changes hands has usage on both sides of that day.
            starts.extend(subscription.plans.iter().skip(1).map(|(at, _)| *at));
            // So has a resource that moves, or is created again.
            starts.extend(resource.homes.iter().skip(1).map(|(at, _)| *at));
            starts.extend(world.absences.iter().filter_map(|one| one.during.to));
            starts.sort_unstable();
            starts.dedup();
            starts.retain(|start| start.div_euclid(DAY) == day);
            for start in starts {
                let home = in_force(&resource.homes, start).expect("it was somewhere from the start");
                if estate::is_gone(world, home, start) {
                    continue;
                }
                for price in &world.sheets[0].prices {
                    if dice.chance(35) && in_force(&subscription.plans, start).is_some() {
                        made.push(one_usage(dice, resource.subscription, home, price.meter, start));
                    }
                }
            }
        }
    }
    made
}

fn one_usage(dice: &mut Dice, subscription: usize, resource: &str, meter: Id, start: Time) -> Usage {
    let some = |dice: &mut Dice| format!("{}.{:06}", 1 + dice.below(24), dice.below(1_000_000));
    let first = if dice.chance(5) { "0".to_owned() } else { some(dice) };
    let nothing = first == "0";
    // The same event told in other ways: a conflict.
    let others: Vec<String> =
        if dice.chance(8) { (0..=dice.below(2)).map(|_| some(dice)).collect() } else { Vec::new() };
    let by = |dice: &mut Dice| format!("{}0.{:03}", if dice.chance(50) { "-" } else { "" }, dice.below(400));
    let adjusted = if !nothing && dice.chance(15) { vec![by(dice), by(dice)] } else { Vec::new() };
    let quantity = Told::of([first].into_iter().chain(others));
    Usage { subscription, resource: resource.to_owned(), meter, start, quantity, adjusted, voided: dice.chance(5) }
}
