//! What is told in several ways, and what people decided about it.

use crate::oracle::conflict::{Ruling, Told};
use crate::oracle::world::{Spell, Time, World};
use crate::simulation::dice::Dice;

/// The end of a span is told in another way too: at another time, or as something else altogether.
pub fn doubt(dice: &mut Dice, spell: &mut Spell, other: Time) {
    let Some(end) = &mut spell.end else { return };
    let first = *end.counts();
    let other = (!dice.chance(35)).then_some(if first == Some(other) { other + 60 } else { other });
    *end = Told::of([first, other]);
}

/// Does something to whatever may be told in several ways.
trait Visit {
    fn visit<T>(&mut self, told: &mut Told<T>);
}

struct Decided<'d>(&'d mut Dice);

impl Visit for Decided<'_> {
    /// Some of what was told in several ways is decided: by who knew every body, or only one of them.
    fn visit<T>(&mut self, told: &mut Told<T>) {
        let Self(dice) = self;
        let all: Vec<[u8; 32]> = told.bodies.iter().map(|(digest, _)| *digest).collect();
        if all.len() > 1 && dice.chance(60) {
            for _ in 0..=dice.below(2) {
                let keep = *dice.pick(&all);
                let knew = if dice.chance(35) { vec![keep] } else { all.clone() };
                told.rulings.push(Ruling { keep, knew });
            }
        }
    }
}

struct Agreed;

impl Visit for Agreed {
    fn visit<T>(&mut self, told: &mut Told<T>) {
        told.bodies.truncate(1);
    }
}

/// What people decided about usage.
pub fn decide_usage(dice: &mut Dice, world: &mut World) {
    visit_usage(&mut Decided(dice), world);
}

/// What people decided about everything else.
pub fn decide(dice: &mut Dice, world: &mut World) {
    visit_others(&mut Decided(dice), world);
}

/// Upstream never contradicts itself.
pub fn agree(world: &mut World) {
    visit_usage(&mut Agreed, world);
    visit_others(&mut Agreed, world);
}

fn visit_usage(visitor: &mut impl Visit, world: &mut World) {
    world.usage.iter_mut().for_each(|used| visitor.visit(&mut used.quantity));
}

fn visit_others(visitor: &mut impl Visit, world: &mut World) {
    world.links.iter_mut().for_each(|link| visitor.visit(&mut link.partner_id));
    world.delegations.iter_mut().for_each(|made| visitor.visit(&mut made.role));
    world.plans.iter_mut().flat_map(|plan| &mut plan.resellers).for_each(|(_, told)| visitor.visit(told));
    visitor.visit(&mut world.usd_per_unit);
    for grant in &mut world.grants {
        visitor.visit(&mut grant.role);
        grant.held.end.iter_mut().for_each(|end| visitor.visit(end));
    }
    world.denies.iter_mut().for_each(|made| visitor.visit(&mut made.every_write));
    world.members.iter_mut().filter_map(|one| one.held.end.as_mut()).for_each(|end| visitor.visit(end));
    for partner in &mut world.partners {
        visitor.visit(&mut partner.registered);
        let spells = partner.memberships.iter_mut().flatten().chain(&mut partner.barred);
        spells.filter_map(|spell| spell.end.as_mut()).for_each(|end| visitor.visit(end));
    }
    for sheet in &mut world.sheets {
        visitor.visit(&mut sheet.published);
        visitor.visit(&mut sheet.whole);
    }
    world.cover.iter_mut().for_each(|cover| visitor.visit(&mut cover.quantity));
    world.credits.iter_mut().for_each(|credit| visitor.visit(&mut credit.amount));
    world.orders.iter_mut().for_each(|order| visitor.visit(&mut order.price));
    world.refunds.iter_mut().for_each(|refund| visitor.visit(&mut refund.amount));
}
