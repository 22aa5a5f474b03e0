//! What is never made is never tested: everything that the rules distinguish, counted.

use std::collections::BTreeMap;

use super::{SEEDS, answers, worlds};
use crate::oracle::conflict::Told;
use crate::oracle::money::{Says, answer};
use crate::oracle::reason;
use crate::oracle::world::{Grant, Id, Joined, Offer, Qualified, Spell, World};

/// What a world has.
fn kinds_of(world: &World) -> Vec<String> {
    let mut kinds = Vec::new();
    for judged in answer(world).judged {
        kinds.push(judged.says.word().to_owned());
        if let Says::Lost(reason) = &judged.says {
            kinds.extend(reason.several.then(|| "several repairs".to_owned()));
            kinds.extend((!reason.also.is_empty()).then(|| "another repair alone".to_owned()));
        }
        let offers = &world.subscriptions[judged.subscription].offers;
        let dev_test = offers[0].1 == Offer::DevTest && !judged.credit.is_zero();
        kinds.extend(dev_test.then(|| "credit at prices of DevTest".to_owned()));
        kinds.extend((offers.len() > 1).then(|| "moved from the classic offer".to_owned()));
    }
    kinds.extend(world.usage.iter().filter_map(|used| conflict_of("usage", &used.quantity)));
    kinds.extend(world.links.iter().filter_map(|link| conflict_of("link", &link.partner_id)));
    kinds.extend(world.delegations.iter().filter_map(|made| conflict_of("delegation", &made.role)));
    for plan in &world.plans {
        kinds.extend(plan.resellers.iter().take(1).filter_map(|(_, told)| conflict_of("plan", told)));
        kinds.extend(plan.resellers.iter().skip(1).filter_map(|(_, told)| conflict_of("reseller of record", told)));
    }
    kinds.extend(conflict_of("exchange rates", &world.usd_per_unit));
    kinds.extend(decisive(world));
    kinds.extend(policies(world));
    let with_its_place = |grant: &&Grant| worlds::estate::ended(world, &grant.scope, grant.held.span().to);
    kinds.extend(world.grants.iter().filter(with_its_place).map(|_| "a grant that ended with its place".to_owned()));
    let again = world.absences.iter().filter(|one| one.during.to.is_some());
    kinds.extend(again.map(|_| "a place created again".to_owned()));
    kinds.extend(conflicts_of_access(world).chain(conflicts_of_money(world)));
    kinds.extend(world.orders.iter().filter(|one| one.returned.is_some()).map(|_| "a return".to_owned()));
    kinds
        .extend(world.prices().iter().filter(|price| price.bands.len() > 1).map(|_| "a price that changes".to_owned()));
    kinds.extend(world.partners.iter().map(|partner| match partner.qualified {
        Qualified::Untold => "qualification untold".to_owned(),
        Qualified::Never => "never qualified".to_owned(),
        Qualified::Since(since) if since > worlds::window().0 => "qualified late".to_owned(),
        Qualified::Since(_) => "qualified in time".to_owned(),
    }));
    kinds
}

/// What makes a difference: without it, some answer would be another.
const DECISIVE: [(&str, fn(&mut World)); 8] = [
    ("a membership of a group", |world| world.members.clear()),
    ("a group within a group", |world| {
        let groups: Vec<Id> = world.members.iter().map(|one| one.group).collect();
        world.members.retain(|one| !groups.contains(&one.member));
    }),
    ("a membership that ends", |world| {
        let begun = world.members.iter_mut().filter(|one| one.by != Joined::RemovalAlone);
        begun.for_each(|one| one.held.end = None);
    }),
    ("a deleted person", |world| world.departures.clear()),
    ("a deletion", |world| world.absences.clear()),
    ("a move", |world| world.resources.clear()),
    ("a management group", |world| world.tree.clear()),
    ("a place below a management group that ends", |world| {
        world.tree.iter_mut().for_each(|place| place.held.to = None);
    }),
];

/// What of it decides something in this world.
fn decisive(world: &World) -> impl Iterator<Item = String> {
    let whole = answers::of_oracle(world);
    let decides = move |without: &fn(&mut World)| {
        let mut less = world.clone();
        without(&mut less);
        answers::difference(&whole, &answers::of_oracle(&less)).is_some()
    };
    DECISIVE.iter().filter(move |(_, without)| decides(without)).map(|(what, _)| (*what).to_owned())
}

/// Fields that decide too few of the default number of worlds to be counted on; scenarios hold each of them.
const SELDOM: [&str; 4] = ["aobo-grace-minutes", "moved-resources", "nested-groups", "unqualified-reseller"];

/// Which fields of which documents decide something: without them some answer would be another.
fn policies(world: &World) -> Vec<String> {
    let whole = answers::of_oracle(world);
    let decides = |less: &World| answers::difference(&whole, &answers::of_oracle(less)).is_some();
    let mut found = Vec::new();
    for field in worlds::policies::fields() {
        let chosen =
            |world: &World| world.policies.iter().any(|one| one.settings.iter().any(|(name, _)| *name == field));
        let mut less = world.clone();
        less.policies.iter_mut().for_each(|one| one.settings.retain(|(name, _)| *name != field));
        found.extend((chosen(world) && decides(&less)).then(|| format!("policy {field}")));
    }
    let mut one_less = world.clone();
    one_less.policies.truncate(1);
    found.extend((world.policies.len() > 1 && decides(&one_less)).then(|| "a second policy document".to_owned()));
    let mut untaxed = world.clone();
    untaxed.taxes.dedup_by_key(|tax| tax.partner);
    found.extend(decides(&untaxed).then(|| "a rate of tax that changes".to_owned()));
    found
}

fn conflicts_of_access(world: &World) -> impl Iterator<Item = String> {
    let (grants, partners) = (&world.grants, &world.partners);
    let of_grants = grants.iter().filter_map(|made| conflict_of("grant", &made.role));
    let ends = grants.iter().filter_map(|made| made.held.end.as_ref());
    let of_removals = ends.filter_map(|end| conflict_of("removal", end));
    let left = world.members.iter().filter_map(|one| one.held.end.as_ref());
    let of_members = left.filter_map(|end| conflict_of("group membership", end));
    let of_denies = world.denies.iter().filter_map(|made| conflict_of("deny", &made.every_write));
    let of_partners = partners.iter().filter_map(|one| conflict_of("registration", &one.registered));
    let ends = |spells: Vec<&Spell>| spells.into_iter().filter_map(|spell| spell.end.clone()).collect::<Vec<_>>();
    let memberships = partners.iter().flat_map(|one| one.memberships.iter().flatten()).collect();
    let of_memberships = ends(memberships).into_iter().filter_map(|end| conflict_of("membership", &end));
    let barred = partners.iter().flat_map(|one| &one.barred).collect();
    let of_barring = ends(barred).into_iter().filter_map(|end| conflict_of("barring", &end));
    of_grants
        .chain(of_removals)
        .chain(of_members)
        .chain(of_denies)
        .chain(of_partners)
        .chain(of_memberships)
        .chain(of_barring)
}

fn conflicts_of_money(world: &World) -> impl Iterator<Item = String> {
    let of_headers = world.sheets.iter().filter_map(|sheet| conflict_of("sheet", &sheet.published));
    let of_rows = world.sheets.iter().filter_map(|sheet| conflict_of("rows of a sheet", &sheet.whole));
    let of_cover = world.cover.iter().filter_map(|one| conflict_of("cover", &one.quantity));
    let of_credit = world.credits.iter().filter_map(|one| conflict_of("Azure credit", &one.amount));
    let of_orders = world.orders.iter().filter_map(|one| conflict_of("order", &one.price));
    let of_refunds = world.refunds.iter().filter_map(|one| conflict_of("refund", &one.amount));
    of_headers.chain(of_rows).chain(of_cover).chain(of_credit).chain(of_orders).chain(of_refunds)
}

fn conflict_of<T>(what: &str, told: &Told<T>) -> Option<String> {
    let kind = match (told.bodies.len(), told.rulings.len(), told.is_open()) {
        (1, ..) => return None,
        (_, 0, _) => "in conflict",
        (.., true) => "decided by somebody who did not know every body",
        (.., false) => "conflict decided",
    };
    Some(format!("{what} {kind}"))
}

#[test]
fn worlds_have_what_the_rules_distinguish() {
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..SEEDS {
        for kind in kinds_of(&worlds::make(seed)) {
            *found.entry(kind).or_default() += 1;
        }
    }
    let mut wanted: Vec<String> = reason::ALL.iter().map(|code| code.text().to_owned()).collect();
    let products = ["earned", "legacy-offer", "spot", "third-party", "zero-charge"];
    wanted
        .extend(["reservation", "savings-plan", "azure-credit", "a return", "a price that changes"].map(str::to_owned));
    let others =
        ["several repairs", "another repair alone", "credit at prices of DevTest", "moved from the classic offer"];
    wanted.extend(products.into_iter().chain(others).map(str::to_owned));
    wanted.extend(["never qualified", "qualified late", "qualified in time"].map(str::to_owned));
    let of_money = ["usage", "exchange rates", "sheet", "rows of a sheet", "cover", "Azure credit", "order", "refund"];
    let of_access = ["link", "delegation", "grant", "removal", "group membership", "deny"];
    let of_partners = ["plan", "reseller of record", "registration", "membership", "barring"];
    for what in of_partners.into_iter().chain(of_money).chain(of_access) {
        let kinds = ["in conflict", "conflict decided", "decided by somebody who did not know every body"];
        wanted.extend(kinds.into_iter().map(|kind| format!("{what} {kind}")));
    }
    wanted.extend(["a grant that ended with its place", "a place created again"].map(str::to_owned));
    wanted.extend(DECISIVE.map(|(what, _)| what.to_owned()));
    let often = worlds::policies::fields().filter(|field| !SELDOM.contains(field));
    wanted.extend(often.map(|field| format!("policy {field}")));
    wanted.extend(["a second policy document", "a rate of tax that changes", "excluded"].map(str::to_owned));
    let missing: Vec<&String> = wanted.iter().filter(|kind| found.get(*kind).is_none_or(|count| *count < 3)).collect();
    assert!(missing.is_empty(), "{missing:?} are hardly ever made: {found:#?}");
}
