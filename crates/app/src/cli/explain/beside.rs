//! The entries of what stands beside usage: Azure credit that paid for it, and what covered it.

use std::collections::BTreeSet;

use domain::facts::Facts;
use domain::ids::{Guid, Identity, MeterId};
use domain::period::Day;
use domain::rating::Piece;
use domain::scope::Scope;

/// The grants that paid something, as they are told: by customer, plan and id.
pub(super) type Grants = BTreeSet<(Guid, Option<Guid>, Box<str>)>;

/// Notes the grant that pays for a piece, if one does.
pub(super) fn note(piece: &Piece<'_>, grants: &mut Grants) {
    grants.extend(piece.grant.map(|grant| (grant.customer, grant.plan, grant.grant.clone())));
}

/// The entries that granted them, every statement of each.
pub(super) fn granted(facts: &Facts, grants: &Grants) -> BTreeSet<Identity> {
    let credits = facts.charges.credits();
    let named = credits.filter(|(_, one)| grants.contains(&(one.customer, one.plan, one.grant.clone())));
    named.map(|(identity, _)| identity).collect()
}

/// The entries that covered usage of a plan, of one or all meters, where and when somebody asks for it.
pub(super) fn covering(
    facts: &Facts,
    plan: Guid,
    meter: Option<&MeterId>,
    wanted: &dyn Fn(Day, &Scope) -> bool,
) -> BTreeSet<Identity> {
    let told = facts.charges.coverage().filter(|(_, one)| one.plan == plan);
    let told = told.filter(|(_, one)| meter.is_none_or(|meter| *meter == one.item.meter));
    told.filter(|(_, one)| wanted(one.day, &one.scope)).map(|(identity, _)| identity).collect()
}
