//! What happens to resources and their groups: they are deleted, created again and moved; and where
//! subscriptions stand below management groups.
//!
//! What was held within a place ends with it, and nothing is held there while it is gone: `settle`
//! makes that true of whatever else a world has.

use super::{CUSTOMER, FOREVER, LONG_AGO, id, minute};
use crate::oracle::access::{contains, subscription_scope};
use crate::oracle::conflict::Told;
use crate::oracle::estate::management_group;
use crate::oracle::world::{Absence, Below, By, Resource, Span, Subscription, Time, World};
use crate::simulation::dice::Dice;

/// Where a virtual machine itself lies: what is below it is a child.
fn machine(resource: &str) -> String {
    resource.split('/').take(9).collect::<Vec<_>>().join("/")
}

fn group_of(resource: &str) -> String {
    resource.split('/').take(5).collect::<Vec<_>>().join("/")
}

/// At most one thing happens to the resources of each subscription.
pub fn fates(dice: &mut Dice, subscriptions: &[Subscription], resources: &mut [Resource]) -> Vec<Absence> {
    let mut absences = Vec::new();
    for (number, subscription) in subscriptions.iter().enumerate() {
        let mut own: Vec<&mut Resource> = resources.iter_mut().filter(|one| one.subscription == number).collect();
        let chosen = usize::try_from(dice.below(own.len() as u64)).expect("few resources");
        let resource = &mut own[chosen];
        let first = resource.homes[0].1.clone();
        let at = minute(dice).max(subscription.created + 7_200);
        match dice.below(10) {
            0 => absences.push(gone(dice, machine(&first), at)),
            1 | 2 => absences.push(gone(dice, group_of(&first), at)),
            3 => moves(dice, resource, at),
            4 => {
                // What it moved to is deleted, or what it left, as a rule on the same day.
                moves(dice, resource, at);
                let (moved, last) = resource.homes.last().expect("it was somewhere from the start").clone();
                let after = moved + dice.between(1, 900) * 60;
                let of = if dice.chance(65) { last } else { first };
                absences.push(gone(dice, group_of(&of), after));
            }
            _ => {}
        }
    }
    absences
}

fn gone(dice: &mut Dice, scope: String, from: Time) -> Absence {
    let again = dice.chance(60).then(|| from + dice.between(20, 26 * 60) * 60);
    Absence { scope, during: Span { from, to: again } }
}

/// To another group, and sometimes further or back.
fn moves(dice: &mut Dice, resource: &mut Resource, at: Time) {
    let mut at = at;
    for _ in 0..=dice.below(2) {
        let here = resource.homes.last().expect("it was somewhere from the start").1.clone();
        let names = ["rg-0", "rg-1", "rg-2"];
        let others: Vec<&str> = names.into_iter().filter(|name| !group_of(&here).ends_with(name)).collect();
        let mut path: Vec<&str> = here.split('/').collect();
        path[4] = *dice.pick(&others);
        resource.homes.push((at, path.join("/")));
        at += dice.between(30, 30 * 60) * 60;
    }
}

/// Subscriptions below management groups, the first of which may stand below the second.
pub fn tree(dice: &mut Dice, subscriptions: &[Subscription]) -> Vec<Below> {
    let group = |number: u64| management_group(id(14, number));
    let mut tree = Vec::new();
    for subscription in subscriptions {
        if !dice.chance(60) {
            continue;
        }
        place(dice, subscription_scope(subscription.id), &[group(0), group(1)], subscription.created, &mut tree);
    }
    if dice.chance(50) {
        place(dice, group(0), &[group(1)], LONG_AGO, &mut tree);
    }
    tree
}

/// From the start below one group; later below another one, or the same again, or none.
fn place(dice: &mut Dice, child: String, parents: &[String], from: Time, tree: &mut Vec<Below>) {
    let parent = dice.pick(parents).clone();
    let to = dice.chance(70).then(|| minute(dice).max(from + 60));
    tree.push(Below { child: child.clone(), parent: parent.clone(), held: Span { from, to } });
    if let Some(left) = to.filter(|_| dice.chance(60)) {
        let next = dice.pick(parents).clone();
        let at_once = next != parent && dice.chance(50);
        let from = if at_once { left } else { left + dice.between(1, 600) * 60 };
        tree.push(Below { child, parent: next, held: Span { from, to: None } });
    }
}

/// What a world says of places that something may be granted on: a stretch in which a scope was not there.
fn missing(world: &World) -> Vec<Absence> {
    let mut missing = world.absences.clone();
    for resource in &world.resources {
        for (number, (from, home)) in resource.homes.iter().enumerate() {
            let scope = machine(home);
            if let Some((left, _)) = resource.homes.get(number + 1) {
                let mut later = resource.homes[number + 1..].iter();
                let back = later.find(|(_, other)| other == home).map(|(at, _)| *at);
                missing.push(Absence { scope: scope.clone(), during: Span { from: *left, to: back } });
            }
            if number > 0 && resource.homes[..number].iter().all(|(_, other)| other != home) {
                missing.push(Absence { scope, during: Span { from: FOREVER, to: Some(*from) } });
            }
        }
    }
    missing
}

/// Nothing begins where nothing is, and whatever was held ends with the place.
pub fn settle(world: &mut World) {
    for Absence { scope, during } in missing(world) {
        let ends = |held: &Span| held.from < during.from && held.to.is_none_or(|to| to > during.from);
        world.grants.retain(|grant| {
            let held = grant.held.span();
            let begins = match grant.by {
                By::Assignment => during.holds(held.from),
                // A schedule is made some time before it begins.
                By::Schedule | By::EligibleSchedule => during.holds(held.from) || during.holds(held.from - 3_600),
                By::RemovalAlone => ends(&held),
            };
            !(contains(&scope, &grant.scope) && begins)
        });
        for grant in world.grants.iter_mut().filter(|grant| contains(&scope, &grant.scope)) {
            let told = grant.held.end.as_ref().map_or(&[][..], |end| &end.bodies);
            let later = grant.held.end.is_none() || told.iter().any(|(_, to)| to.is_none_or(|to| to > during.from));
            if grant.held.from < during.from && later {
                grant.held.end = Some(Told::of([Some(during.from)]));
            }
        }
        let held = world.delegations.iter_mut().map(|made| (&made.scope, &mut made.held));
        let denied = world.denies.iter_mut().map(|made| (&made.scope, &mut made.held));
        for (_, held) in held.chain(denied).filter(|(of, held)| contains(&scope, of) && ends(held)) {
            held.to = Some(during.from);
        }
        world.delegations.retain(|made| !(contains(&scope, &made.scope) && during.holds(made.held.from)));
        world.denies.retain(|made| !(contains(&scope, &made.scope) && during.holds(made.held.from)));
    }
}

/// Whether a place, or one that it lies in, is deleted at an instant.
pub fn is_gone(world: &World, scope: &str, at: Time) -> bool {
    world.absences.iter().any(|one| contains(&one.scope, scope) && one.during.holds(at))
}

/// A management group: one of the two, or the root group, which contains all.
pub fn anywhere_above(dice: &mut Dice) -> String {
    management_group(*dice.pick(&[id(14, 0), id(14, 0), id(14, 1), CUSTOMER]))
}

/// Whether something ended because its place did.
pub fn ended(world: &World, scope: &str, at: Option<Time>) -> bool {
    missing(world).iter().any(|one| contains(&one.scope, scope) && Some(one.during.from) == at)
}
