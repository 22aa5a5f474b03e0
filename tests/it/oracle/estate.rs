//! What is where, and when it is not there: deletions, moves, management groups.

use super::access::{Case, contains, subscription_scope};
use super::world::{DAY, Id, Span, Time, World};

/// The scope of a management group. The tenant's root group bears the tenant's id.
pub fn management_group(id: Id) -> String {
    format!("/providers/microsoft.management/managementgroups/{id:08x}-0000-4000-8000-000000000000")
}

/// Whether what is granted there reaches every subscription of the customer at any time.
pub fn is_root(world: &World, scope: &str) -> bool {
    scope == "/" || scope == management_group(world.customer_tenant)
}

/// When a subscription stood below a management group, itself or through others. Who takes another place
/// below it without leaving it stays.
pub fn below(world: &World, subscription: Id, group: &str) -> Vec<Span> {
    let mut spans = above(world, &subscription_scope(subscription), group, &Span { from: Time::MIN, to: None });
    spans.sort_by_key(|span| span.from);
    let mut stays: Vec<Span> = Vec::new();
    for span in spans {
        match stays.last_mut().filter(|last| last.to.is_none_or(|to| span.from <= to)) {
            Some(last) => last.to = last.to.zip(span.to).map(|(one, other)| one.max(other)),
            None => stays.push(span),
        }
    }
    stays
}

fn above(world: &World, child: &str, group: &str, so_far: &Span) -> Vec<Span> {
    let mut found = Vec::new();
    for place in world.tree.iter().filter(|place| place.child == child) {
        let Some(during) = so_far.common(&place.held) else { continue };
        if place.parent == group {
            found.push(during.clone());
        }
        found.extend(above(world, &place.parent, group, &during));
    }
    found
}

impl Case<'_> {
    /// Where what bears the resource's id is at an instant: on a day on which it moved, where it was then.
    /// On every other day its id speaks for itself.
    pub fn home(&self, at: Time) -> &str {
        let day = at.div_euclid(DAY) * DAY;
        if self.world.policy(at.div_euclid(DAY), "moved-resources") == "id-alone" {
            return self.resource;
        }
        let on_that_day = |homes: &[(Time, String)]| {
            let until = |number: usize| homes.get(number + 1).map_or(Time::MAX, |(next, _)| *next);
            let lived =
                homes.iter().enumerate().filter(|(number, (from, _))| *from < day + DAY && until(*number) > day);
            lived.map(|(_, (_, id))| id.clone()).collect::<Vec<_>>()
        };
        for resource in &self.world.resources {
            if on_that_day(&resource.homes).iter().any(|id| id == self.resource) {
                let now = resource.homes.iter().rev().find(|(from, _)| *from <= at);
                return now.map_or(self.resource, |(_, id)| id);
            }
        }
        self.resource
    }

    /// Whether it, or something that it lies in, is deleted at that instant.
    pub fn is_gone(&self, at: Time) -> bool {
        self.world.absences.iter().any(|one| contains(&one.scope, self.home(at)) && one.during.holds(at))
    }
}
