//! Who belongs to a group when, through groups in groups too.
//!
//! Every way from a group to a person is walked, step by step, no group twice; a way holds while every
//! step of it does. Where one step is only known to have ended, nothing is known of the way before.

use super::world::{Id, Joined, Span, Time, World};

/// One way in which somebody belongs to a group.
#[derive(Clone, Debug)]
pub struct Way {
    pub member: Id,
    pub during: Span,
    /// Whether it was there at all is unknown.
    pub unknown: bool,
    /// Through a group within the group.
    pub nested: bool,
}

/// Whether anybody was ever said to belong to it.
pub fn is_group(world: &World, id: Id) -> bool {
    world.members.iter().any(|one| one.group == id)
}

/// Every way from a group to whoever is in it.
pub fn ways(world: &World, group: Id) -> Vec<Way> {
    further(world, &[group], &Span { from: Time::MIN, to: None }, false)
}

fn further(world: &World, passed: &[Id], so_far: &Span, doubtful: bool) -> Vec<Way> {
    let here = *passed.last().expect("a way begins somewhere");
    let mut found = Vec::new();
    for step in world.members.iter().filter(|step| step.group == here && !passed.contains(&step.member)) {
        let Some(during) = so_far.common(&step.held.span()) else { continue };
        let unknown = doubtful || step.by == Joined::RemovalAlone;
        let nested = passed.len() > 1;
        let passed: Vec<Id> = passed.iter().copied().chain([step.member]).collect();
        found.extend(further(world, &passed, &during, unknown));
        found.push(Way { member: step.member, during, unknown, nested });
    }
    found
}
