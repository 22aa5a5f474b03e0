//! Parties and plans in the words of answers.

use super::Desk;
use super::facts::{seller, tenant};
use super::rules::{Rights, rights};
use crate::commerce::Commerce;
use crate::ids::Guid;
use crate::period::Instant;

/// What a partner may do at all, by its kind.
#[must_use]
pub fn rights_of(desk: &Desk<'_>, partner: Guid, at: Instant) -> Rights {
    rights(seller(&desk.partners, partner, at))
}

/// What a partner is, in words.
#[must_use]
pub fn seller_text(desk: &Desk<'_>, partner: Guid, at: Instant) -> &'static str {
    seller(&desk.partners, partner, at).text()
}

/// What a customer's tenant is, in words.
#[must_use]
pub fn tenant_text(desk: &Desk<'_>, customer: Guid, at: Instant) -> &'static str {
    tenant(desk, customer, at).text()
}

/// CHN-20: the reseller of record of a plan as the reconciliation file prints it: 0 for sold direct, the
/// PartnerID, -1 once removed. Source: read-your-bill; indirect-provider-tasks (2023-09-15).
#[must_use]
pub fn reseller_of_record(commerce: &Commerce, plan: Guid, at: Instant) -> String {
    let changes = commerce.reseller_changes(plan).iter().filter(|(since, _)| *since <= at);
    let named: Vec<Option<&str>> = changes.map(|(_, reseller)| reseller.as_deref()).collect();
    match named.last() {
        Some(Some(partner_id)) => (*partner_id).to_owned(),
        _ if named.iter().any(Option::is_some) => "-1".to_owned(),
        _ => "0".to_owned(),
    }
}

/// An active PartnerID of the reseller through which a customer buys from a provider.
#[must_use]
pub fn reseller_of(desk: &Desk<'_>, customer: Guid, partner: Guid, at: Instant) -> Option<Box<str>> {
    let relationship = desk.channel.relationship(customer, partner, at)?.value.as_ref()?;
    let statement = desk.partners.statement_at(relationship.reseller?, at)?;
    let onboarded = desk.channel.onboarded(statement.tenant).and_then(|stated| stated.value.clone());
    onboarded.or_else(|| statement.partner_ids.iter().find(|id| id.holds_at(at)).map(|id| id.value.clone()))
}
