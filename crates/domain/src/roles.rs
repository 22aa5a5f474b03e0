//! Which Azure roles are eligible for Partner Earned Credit.
//!
//! An allow list by role id: Microsoft publishes verdicts by name, and neither names nor
//! permissions decide here (eligibility cannot be derived from permissions). What the list does
//! not name, custom roles and newer built-in ones, is the policy's to say. The list is dated: a
//! role has no verdict before the first published table that names it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::entry::{ListedRole, RoleList};
use crate::filing::{Filing, Said};
use crate::ids::{Digest, Guid, Identity};
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

/// Built-in roles that the table does not name, in order of id: told apart from custom roles by name.
static UNLISTED: LazyLock<Vec<(Guid, &'static str)>> = LazyLock::new(|| {
    let lines = include_str!("../data/roles-unlisted.csv").lines().filter(|line| !line.starts_with('#'));
    let read = |line: &'static str| {
        let (id, name) = line.split_once(',')?;
        Some((Guid::parse(id)?, name))
    };
    let rows = lines.map(|line| read(line).expect("the committed names are well formed, which a test checks"));
    rows.collect()
});

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

/// The name of a built-in role that Microsoft's table does not mention.
#[must_use]
pub fn unlisted(id: Guid) -> Option<&'static str> {
    let at = UNLISTED.binary_search_by_key(&id, |(known, _)| *known).ok()?;
    UNLISTED.get(at).map(|(_, name)| *name)
}

/// The name that Microsoft gives a built-in role, in its table or outside of it, else the id.
#[must_use]
pub fn name(id: Guid) -> String {
    let known = find(id).map(|role| role.name).or_else(|| unlisted(id));
    known.map_or_else(|| id.to_string(), str::to_owned)
}

/// The role tables that somebody published in place of the committed one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoleBook {
    lists: Filing<RoleList>,
}

impl RoleBook {
    pub fn file(&mut self, identity: Identity, digest: Digest, list: RoleList) {
        self.lists.file(identity, digest, list);
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.lists.hear(said);
    }

    /// The list in force on a day, if somebody published one by then; see [`Self::view`] for two of one day.
    #[must_use]
    pub fn list_on(&self, day: Day) -> Option<Identity> {
        let begun = self.lists.iter().filter(|(_, list)| list.effective_from <= day);
        begun.max_by_key(|(identity, list)| (list.effective_from, *identity)).map(|(identity, _)| identity)
    }

    /// Every table by the day from which it holds. Built once per question; of two from one day the
    /// one of the greater identity holds, whatever came first.
    #[must_use]
    pub fn view(&self) -> RoleTables {
        let mut published: BTreeMap<Day, BTreeMap<Guid, ListedRole>> = BTreeMap::new();
        for (_, list) in self.lists.iter() {
            let rows = list.roles.iter().map(|row| (row.role, row.clone())).collect();
            published.insert(list.effective_from, rows);
        }
        RoleTables { published }
    }
}

/// Microsoft's tables and what was published in their place, by day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoleTables {
    published: BTreeMap<Day, BTreeMap<Guid, ListedRole>>,
}

impl RoleTables {
    /// The days on which the table changes, in order: between two of them every verdict is the same.
    #[must_use]
    pub fn changes(&self) -> Vec<Day> {
        let mut days: Vec<Day> = LIST.iter().map(|role| role.since).chain(self.published.keys().copied()).collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    /// PEC-13: the verdict of the table in force on a day: the newest published one, else the
    /// committed one. `None` for a role that it does not name. Source: Microsoft's own table is dated
    /// and said to live behind Partner Center's sign-in, so a partner may hold a newer one.
    #[must_use]
    pub fn listed(&self, id: Guid, day: Day) -> Option<bool> {
        match self.published.range(..=day).next_back() {
            Some((_, table)) => table.get(&id).map(|row| row.eligible),
            None => find(id).filter(|role| role.since <= day).map(|role| role.eligible),
        }
    }

    /// PEC-3: only a role that the table calls eligible earns credit; a custom or unlisted role counts
    /// as the policy says. Source: "Azure roles, permissions, and Partner earned credit", 2022-11-08;
    /// custom roles are never mentioned, hence the policy field.
    #[must_use]
    pub fn eligible(&self, id: Guid, day: Day, policy: &Policy) -> bool {
        let decided = policy.roles.get(&id).copied().or_else(|| self.listed(id, day));
        decided.unwrap_or(policy.unlisted_roles_eligible)
    }

    /// The name that the newest table gives a role, else its id.
    #[must_use]
    pub fn name(&self, id: Guid) -> String {
        let published = self.published.values().rev().find_map(|table| table.get(&id));
        published.map_or_else(|| name(id), |row| row.name.to_string())
    }
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
        assert_eq!(UNLISTED.len(), 792);
        assert!(UNLISTED.is_sorted_by(|a, b| a.0 < b.0) && UNLISTED.iter().all(|(id, _)| find(*id).is_none()));
        let (id, named) = UNLISTED[0];
        assert_eq!(name(id), named);
        assert_eq!(RoleTables::default().changes(), [day("2019-09-17"), day("2020-05-04")]);
    }

    #[test]
    fn a_broken_row_is_refused() {
        assert_eq!(read("8e3af657-a8ff-443c-a75c-2fe8c4bcb635,maybe,2019-09-17,Owner"), None);
        assert_eq!(read("8e3af657,yes,2019-09-17,Owner"), None);
    }

    #[test]
    fn verdicts_go_by_id_and_day_and_the_policy_may_override_them() {
        let mut policy = Policy::builtin();
        let tables = RoleTables::default();
        let eligible = |role: Guid, day: Day, policy: &Policy| tables.eligible(role, day, policy);
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

    /// A published table is whole: what it leaves out is unlisted from its day on, not before.
    #[test]
    fn a_published_table_replaces_the_committed_one_from_its_day() {
        let row = |role, eligible| ListedRole { role, name: "Ours".into(), eligible };
        let mut book = RoleBook::default();
        let list = RoleList { effective_from: day("2026-02-01"), roles: vec![row(READER, true), row(Guid(42), true)] };
        book.file(Identity(1), Digest::default(), list);
        let (tables, policy) = (book.view(), Policy::builtin());
        let (before, after) = (day("2026-01-31"), day("2026-02-01"));
        assert!(tables.eligible(OWNER, before, &policy) && !tables.eligible(OWNER, after, &policy));
        assert!(!tables.eligible(READER, before, &policy) && tables.eligible(READER, after, &policy));
        assert_eq!(tables.listed(OWNER, after), None);
        assert_eq!((book.list_on(before), book.list_on(after)), (None, Some(Identity(1))));
        assert_eq!((tables.name(Guid(42)), tables.name(OWNER)), ("Ours".to_owned(), "Owner".to_owned()));
        assert_eq!(tables.changes().len(), 3);
    }
}
