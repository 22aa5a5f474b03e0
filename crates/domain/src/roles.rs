//! Which Azure roles are eligible for Partner Earned Credit.
//!
//! An allow list by role id: Microsoft publishes verdicts by name, and neither names nor
//! permissions decide here (eligibility cannot be derived from permissions). What the list does
//! not name, custom roles and newer built-in ones, is the policy's to say. The list is dated: a
//! role has no verdict before the first published table that names it.

use std::sync::LazyLock;

use crate::ids::Guid;
use crate::period::Day;
use crate::policy::Policy;

/// Owner: what AOBO gives by default.
pub const OWNER: Guid = Guid(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635);
/// Contributor.
pub const CONTRIBUTOR: Guid = Guid(0xb249_88ac_6180_42a0_ab88_20f7_382d_d24c);
/// Reader, the plainest of the roles that are not eligible.
pub const READER: Guid = Guid(0xacdd_72a7_3385_48ef_bd42_f606_fba8_1ae7);

/// A row of the published table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Role {
    pub id: Guid,
    pub name: &'static str,
    pub eligible: bool,
    /// First day of the oldest table that lists it.
    pub since: Day,
}

static LIST: LazyLock<Vec<Role>> = LazyLock::new(|| {
    let mut list: Vec<Role> = include_str!("../data/roles.csv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| read(line).expect("the committed role list is well formed, which a test checks"))
        .collect();
    list.sort_unstable_by_key(|role| role.id);
    list
});

fn read(line: &'static str) -> Option<Role> {
    let mut fields = line.splitn(4, ',');
    let (id, eligible, since, name) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let eligible = match eligible {
        "yes" => true,
        "no" => false,
        _ => return None,
    };
    Some(Role { id: Guid::parse(id)?, name, eligible, since: Day::parse(since)? })
}

/// Every listed role, in order of id.
#[must_use]
pub fn list() -> &'static [Role] {
    &LIST
}

/// The row of a role, whenever it was listed.
#[must_use]
pub fn find(id: Guid) -> Option<&'static Role> {
    let at = LIST.binary_search_by_key(&id, |role| role.id).ok()?;
    LIST.get(at)
}

/// The name that Microsoft's table gives a role, else its id.
#[must_use]
pub fn name(id: Guid) -> String {
    find(id).map_or_else(|| id.to_string(), |role| role.name.to_owned())
}

/// The days on which the list changes, in order: between two of them every verdict is the same.
#[must_use]
pub fn changes() -> Vec<Day> {
    let mut days: Vec<Day> = LIST.iter().map(|role| role.since).collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// PEC-3: only a role that Microsoft's own table calls eligible earns credit; a custom or unlisted
/// role counts as the policy says. Source: "Azure roles, permissions, and Partner earned credit",
/// 2022-11-08; custom roles are never mentioned, hence the policy field.
#[must_use]
pub fn eligible(id: Guid, day: Day, policy: &Policy) -> bool {
    if let Some(decided) = policy.roles.get(&id) {
        return *decided;
    }
    let listed = find(id).filter(|role| role.since <= day);
    listed.map_or(policy.unlisted_roles_eligible, |role| role.eligible)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn the_committed_list_is_whole() {
        assert_eq!(list().len(), 122);
        assert_eq!(list().iter().filter(|role| role.eligible).count(), 98);
        assert_eq!(list().iter().filter(|role| role.since == day("2019-09-17")).count(), 14);
        assert!(list().is_sorted_by(|a, b| a.id < b.id), "one row a role");
        assert_eq!(changes(), [day("2019-09-17"), day("2020-05-04")]);
    }

    #[test]
    fn a_broken_row_is_refused() {
        assert_eq!(read("8e3af657-a8ff-443c-a75c-2fe8c4bcb635,maybe,2019-09-17,Owner"), None);
        assert_eq!(read("8e3af657,yes,2019-09-17,Owner"), None);
    }

    #[test]
    fn verdicts_go_by_id_and_day_and_the_policy_may_override_them() {
        let mut policy = Policy::builtin();
        let today = day("2026-01-15");
        assert!(eligible(OWNER, today, &policy));
        assert!(eligible(CONTRIBUTOR, today, &policy));
        assert!(!eligible(READER, today, &policy));
        let backup_operator = Guid::parse("00c29273-979b-4161-815c-10b084fb9324").unwrap();
        assert!(eligible(backup_operator, today, &policy));
        assert!(!eligible(backup_operator, day("2020-05-03"), &policy), "not in the first table");
        let custom = Guid(42);
        assert!(!eligible(custom, today, &policy));
        policy.unlisted_roles_eligible = true;
        assert!(eligible(custom, today, &policy));
        assert!(!eligible(READER, today, &policy), "a listed verdict is not the unlisted default");
        policy.roles.insert(OWNER, false);
        assert!(!eligible(OWNER, today, &policy));
    }
}
