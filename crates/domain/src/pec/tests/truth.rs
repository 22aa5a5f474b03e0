//! Microsoft's multi-partner table (partner-earned-credit-troubleshoot, 2022-01-25), verbatim, and
//! the two rows that its closed form adds.

use super::world::*;
use crate::entry::Authorization;
use crate::ids::Guid;
use crate::roles::{CONTRIBUTOR, OWNER, READER};

/// (RBAC or Lighthouse role held by, AOBO held by, credit to partner 1).
const TABLE: [(Option<u128>, Option<u128>, bool); 16] = [
    (Some(1), None, true),
    (None, Some(1), true),
    (Some(2), None, true),
    (None, Some(2), true),
    (Some(3), Some(1), true),
    (Some(1), Some(3), true),
    (Some(1), Some(2), true),
    (Some(2), Some(1), true),
    (Some(2), Some(3), true),
    (Some(3), Some(2), true),
    (Some(3), None, false),
    (None, Some(3), false),
    (None, None, false),
    (Some(3), Some(3), false),
    // Not listed by Microsoft; yes by the closed form.
    (Some(1), Some(1), true),
    (Some(2), Some(2), true),
];

const DAY: &str = "2026-02-10";

fn rbac(world: &mut World, holder: u128, role: Guid) {
    world.grant(1, &sub(), user(holder), role, "2026-01-05");
    world.link(user(holder), CUSTOMER, &partner_id(holder), "2026-01-05");
}

fn lighthouse_template(world: &mut World, holder: u128, role: Guid) {
    let authorization = Authorization { principal: user(holder), role, eligible_only: false };
    world.delegate(2, &sub(), tenant(holder), Offered::Template, authorization, "2026-01-05");
    world.link(user(holder), tenant(holder), &partner_id(holder), "2026-01-05");
}

fn lighthouse_offer(world: &mut World, holder: u128, role: Guid) {
    let authorization = Authorization { principal: user(holder), role, eligible_only: false };
    world.delegate(3, &sub(), tenant(holder), Offered::Marketplace, authorization, "2026-01-05");
}

#[test]
fn the_table_holds_at_every_route_of_its_first_column() {
    let routes: [fn(&mut World, u128, Guid); 3] = [rbac, lighthouse_template, lighthouse_offer];
    for (number, route) in routes.into_iter().enumerate() {
        for (row, (role_held_by, aobo_held_by, credit)) in TABLE.into_iter().enumerate() {
            let mut world = World::new();
            if let Some(holder) = role_held_by {
                route(&mut world, holder, CONTRIBUTOR);
            }
            if let Some(holder) = aobo_held_by {
                world.grant(9, &sub(), agents(holder), OWNER, "2026-01-05");
            }
            let earned = world.verdict(&vm(), DAY).is_earned();
            assert_eq!(earned, credit, "route {number}, row {row}: {role_held_by:?} {aobo_held_by:?}");
        }
    }
}

/// The table's columns say "eligible role": with Reader in either, the column counts as empty.
#[test]
fn a_role_that_is_not_eligible_is_no_row_of_the_table() {
    for holder in [1, 2] {
        let mut world = World::new();
        rbac(&mut world, holder, READER);
        world.grant(9, &sub(), agents(holder), READER, "2026-01-05");
        assert_eq!(world.outcome(&vm(), DAY), "role-not-eligible");
        world.grant(10, &sub(), agents(3), OWNER, "2026-01-05");
        assert_eq!(world.outcome(&vm(), DAY), "role-not-eligible");
    }
}

/// Access may be held at any of the three levels; what is beside the resource counts for nothing.
#[test]
fn access_counts_at_subscription_group_and_resource() {
    let beside = crate::scope::Scope::parse(&format!("{}x", group()));
    for (scope, expected) in [(sub(), "earned"), (group(), "earned"), (vm(), "earned"), (beside, "never-granted")] {
        let mut world = World::new();
        world.grant(9, &scope, agents(1), OWNER, "2026-01-05");
        assert_eq!(world.outcome(&vm(), DAY), expected, "{scope}");
    }
    let mut world = World::new();
    world.grant(9, &vm(), agents(1), OWNER, "2026-01-05");
    let child = crate::scope::Scope::parse(&format!("{}/extensions/agent", vm()));
    assert_eq!(world.outcome(&child, DAY), "earned", "a child resource is within its resource");
    let neighbour = crate::scope::Scope::parse(&format!("{}b", vm()));
    assert_eq!(world.outcome(&neighbour, DAY), "never-granted");
    assert_eq!(world.outcome(&group(), DAY), "never-granted", "judged at the group, nothing is held there");
}
