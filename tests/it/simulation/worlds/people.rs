//! Groups of people with their members, and people who leave.
//!
//! Two groups hold roles and are denied things like anybody else; persons, and sometimes the groups
//! themselves, belong to them for a while.

use super::doubts::doubt;
use super::{FOREVER, LONG_AGO, id, minute, person, span};
use crate::oracle::world::{Departure, Joined, Link, Member, Span, Spell};
use crate::simulation::dice::Dice;

/// One of two groups that are nobody's agents.
pub fn group(number: u64) -> u64 {
    id(13, number)
}

/// Who belongs to the groups. A second membership of the same person comes after the first.
pub fn members(dice: &mut Dice) -> Vec<Member> {
    let mut members = Vec::new();
    for number in 0..2 {
        for of in 0..4 {
            // Our people, as a rule, and as a rule in the inner one.
            if dice.chance(if of == 0 { 40 + 30 * number } else { 35 }) {
                members.extend(member(dice, group(number), person(of)));
            }
        }
    }
    // A group within the group; both within each other now and then.
    if dice.chance(60) {
        members.extend(member(dice, group(0), group(1)));
    }
    if dice.chance(10) {
        members.extend(member(dice, group(1), group(0)));
    }
    members
}

fn member(dice: &mut Dice, group: u64, member: u64) -> Vec<Member> {
    let held = span(dice, LONG_AGO);
    let by = match (dice.below(10), held.to) {
        (0 | 1, Some(_)) => Joined::RemovalAlone,
        (2..=3, Some(_)) => Joined::UntilStated,
        _ => Joined::Told,
    };
    let from = if by == Joined::RemovalAlone { FOREVER } else { held.from };
    let mut first = Member { group, member, held: Spell::of(&Span { from, ..held.clone() }), by };
    let Some(ended) = held.to else { return vec![first] };
    if dice.chance(35) {
        let again = Spell { from: ended + dice.between(1, 24 * 60) * 60, end: None };
        let second = Member { held: again, by: Joined::Told, ..first.clone() };
        return vec![first, second];
    }
    if by == Joined::Told && dice.chance(70) {
        let other = minute(dice).max(from + 60);
        doubt(dice, &mut first.held, other);
    }
    vec![first]
}

/// Who is deleted from the directory; nobody links an identity that is no more.
pub fn departures(dice: &mut Dice, links: &mut Vec<Link>) -> Vec<Departure> {
    let gone = (0..4).filter(|_| dice.chance(15)).collect::<Vec<_>>();
    let departures: Vec<Departure> =
        gone.into_iter().map(|of| Departure { principal: person(of), at: minute(dice) }).collect();
    let too_late =
        |link: &Link| departures.iter().any(|one| one.principal == link.principal && one.at <= link.held.from);
    links.retain(|link| !too_late(link));
    departures
}
