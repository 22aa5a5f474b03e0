//! A table of roles and whether they earn credit (`RoleName`, `RoleDefinitionId`, `PecEligible`) as
//! an event.
//!
//! The table is whole: from its first day on it replaces every earlier one. That day is asked for,
//! never taken from the file's date. Rows marked `unlisted` say that a role stands in no table, and
//! are left out of it: a table of nothing else would take every other role's verdict away, and is
//! refused. Two rows of one role are refused too.

use std::collections::BTreeMap;

use domain::entry::{Event, ListedRole, RoleList};
use domain::ids::Guid;
use domain::period::Day;

use super::encode::Envelope;
use super::table::Table;
use super::{Rejection, rejection};

/// The `source` of imported tables of roles; their ids are made of the file's digest.
pub const SOURCE: &str = "urn:pec:import:role-list";

pub(crate) const ID: &[&str] = &["RoleDefinitionId", "RoleId"];
pub(crate) const ELIGIBLE: &[&str] = &["PecEligible", "Eligible"];
const NAME: &[&str] = &["RoleName", "Role"];

/// The columns that make a table one of roles.
pub(super) const KNOWN_BY: [&[&str]; 3] = [NAME, ID, ELIGIBLE];

/// Reads a table of roles, plain or packed.
pub fn events_from_csv(bytes: &[u8], effective_from: Day) -> Result<Vec<(Envelope, Event)>, Rejection> {
    let table = Table::read(bytes)?;
    table.require(&KNOWN_BY)?;
    let mut roles: BTreeMap<Guid, Option<ListedRole>> = BTreeMap::new();
    for row in table.rows() {
        let role =
            row.value(ID, "a role definition id", |text| Guid::parse(text.rsplit('/').next().unwrap_or(text)))?;
        let verdict = row.value(ELIGIBLE, "yes, no or unlisted", |text| match text.to_lowercase().as_str() {
            "yes" | "true" | "eligible" => Some(Some(true)),
            "no" | "false" | "not eligible" | "not-eligible" => Some(Some(false)),
            "unlisted" => Some(None),
            _ => None,
        })?;
        let name = row.value(NAME, "the role's name", |text| (!text.is_empty()).then(|| text.into()))?;
        let listed = verdict.map(|eligible| ListedRole { role, name, eligible });
        if roles.insert(role, listed).is_some() {
            return Err(row.wrong(ID[0], row.text(ID), "each role once"));
        }
    }
    let roles: Vec<ListedRole> = roles.into_values().flatten().collect();
    if roles.is_empty() {
        let detail = "none of its roles has a verdict (yes or no), and a table of roles is whole: alone it would leave \
                      no role eligible; import the table of roles with verdicts, which makes every role that it does \
                      not name unlisted, or put both lists into one file under one header";
        return Err(Rejection::new(rejection::TABLE, detail));
    }
    let envelope = Envelope {
        id: format!("{effective_from}-{}", table.digest),
        source: SOURCE.to_owned(),
        time: None,
        causation_id: None,
    };
    Ok(vec![(envelope, Event::RolesPublished(RoleList { effective_from, roles }))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{TableKind, table_kind};

    const FILE: &str = "role_name,role_definition_id,pec_eligible,note\n\
        Owner,8e3af657-a8ff-443c-a75c-2fe8c4bcb635,yes,x\n\
        Reader,/providers/Microsoft.Authorization/roleDefinitions/ACDD72A73385 48ef,no,\n";

    fn day() -> Day {
        Day::parse("2026-02-01").unwrap()
    }

    #[test]
    fn a_table_of_roles_becomes_one_event() {
        let good = FILE.replace("ACDD72A73385 48ef", "ACDD72A7-3385-48EF-BD42-F606FBA81AE7");
        assert_eq!(table_kind(good.as_bytes()), Some(TableKind::Roles));
        let more = format!("{good}NewRole,76cc9ee4-d5d3-4a45-a930-26add3d73475,unlisted,\n");
        let events = events_from_csv(more.as_bytes(), day()).unwrap();
        let [(_, Event::RolesPublished(list))] = events.as_slice() else { panic!("{events:?}") };
        let verdicts: Vec<(&str, bool)> = list.roles.iter().map(|role| (&*role.name, role.eligible)).collect();
        assert_eq!(verdicts, [("Owner", true), ("Reader", false)]);
        assert_eq!(list.effective_from, day());
    }

    #[test]
    fn what_is_no_table_of_roles_is_refused() {
        let good = FILE.replace("ACDD72A73385 48ef", "acdd72a7-3385-48ef-bd42-f606fba81ae7");
        let twice = format!("{good}Again,8e3af657-a8ff-443c-a75c-2fe8c4bcb635,no,\n");
        for wrong in
            [FILE, &good.replace(",yes,", ",maybe,"), &twice, &good.replace("role_name", "caption"), "pec_eligible\n"]
        {
            assert!(events_from_csv(wrong.as_bytes(), day()).is_err(), "{wrong}");
        }
    }
}
