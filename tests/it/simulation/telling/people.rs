//! Tells who belonged to which group, and who left.

use domain::entry::{Event, GroupMemberAdded, GroupMemberRemoved, PrincipalDeleted};

use super::{STRANGER, Teller, guid, instant};
use crate::oracle::world::{Joined, Member, Time};

/// The end of a membership; in a telling that names no time, something about a stranger.
pub(super) fn removed(made: &Member, to: Option<Time>) -> Event {
    let (group, member) = (guid(made.group), guid(made.member));
    match to {
        Some(to) => Event::GroupMemberRemoved(GroupMemberRemoved { group, member, at: instant(to) }),
        None => {
            let at = instant(made.held.from);
            Event::PrincipalDeleted(PrincipalDeleted { principal: guid(STRANGER), at })
        }
    }
}

fn added(made: &Member, at: Time, until: Option<Time>) -> Event {
    let (group, member, until) = (guid(made.group), guid(made.member), until.map(instant));
    Event::GroupMemberAdded(GroupMemberAdded { group, member, at: instant(at), until })
}

impl Teller<'_> {
    pub(super) fn members(&mut self) {
        let world = self.world;
        for made in &world.members {
            let held = made.held.span();
            if made.by == Joined::UntilStated {
                self.say(added(made, held.from, held.to));
                continue;
            }
            if made.by == Joined::Told {
                self.say(added(made, held.from, None));
                let latest = held.to.unwrap_or(held.from + 86_400);
                if latest - held.from > 120 && self.dice.chance(25) {
                    // Added again while it lasts: no second membership.
                    let again = self.dice.between(held.from + 61, latest);
                    self.say(added(made, again, None));
                }
            }
            if let Some(end) = &made.held.end {
                self.say_all(end, |to| removed(made, *to));
            }
        }
        for one in &world.departures {
            let (principal, at) = (guid(one.principal), instant(one.at));
            self.say(Event::PrincipalDeleted(PrincipalDeleted { principal, at }));
        }
    }
}
