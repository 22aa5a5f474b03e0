//! Why a day was lost: each reason is a repair, and the day is judged again with it.
//!
//! The reason is the first code whose repair alone would have earned the day. If none alone would,
//! it is the first code that applies, marked *several*. Only what is ours is repaired, so that a
//! customer's own employee is nobody's missing link.

use crate::access::{Grant, GrantId};
use crate::ids::Identity;
use crate::pec::judge::loss_flags;
use crate::pec::qualify::{Repair, Terms, clip, intersect};
use crate::pec::{Holding, Loss, LostCode};
use crate::period::{Interval, gaps, union, without};

/// PEC-11: the reason of a lost day. `covered` is what qualified within the tested part.
pub(super) fn reason(terms: &Terms<'_>, grants: &[GrantId], tested: Interval, covered: &[Interval]) -> Loss {
    let day = Lost { terms: *terms, grants, tested, covered };
    let alone: Vec<LostCode> = LostCode::ALL.iter().copied().filter(|code| day.earns_with(*code)).collect();
    let (code, several) = match alone.first() {
        Some(code) => (*code, false),
        None => {
            let applying: Vec<LostCode> = LostCode::ALL.iter().copied().filter(|code| day.applies(*code)).collect();
            (applying.first().copied().unwrap_or(LostCode::NeverGranted), applying.len() > 1)
        }
    };
    let also: Vec<LostCode> = alone.into_iter().filter(|other| *other != code).collect();
    let behind: Vec<GrantId> = grants.iter().copied().filter(|id| day.is_behind(*id, code)).collect();
    let holdings: Vec<Holding> = behind.iter().map(|id| terms.holding(*id, tested)).collect();
    let events = day.events(code, &holdings);
    let open = gaps(tested, covered);
    let flags = loss_flags(code, &also);
    Loss { code, several, also, tested, open, holdings: holdings.into(), events: events.into(), flags }
}

struct Lost<'a> {
    terms: Terms<'a>,
    grants: &'a [GrantId],
    tested: Interval,
    covered: &'a [Interval],
}

impl Lost<'_> {
    fn each(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().map(|id| self.terms.access.grant(*id))
    }

    /// Whether something qualified at the first and at the last instant of the tested part.
    fn at_ends(&self) -> (bool, bool) {
        let start = self.covered.iter().any(|span| span.from <= self.tested.from);
        let end = self.covered.iter().any(|span| span.to >= self.tested.to);
        (start, end)
    }

    /// The part of the tested day that lies before anything is known of the subscription.
    fn before_knowledge(&self) -> Option<Interval> {
        let known = self.terms.access.known_since(self.terms.standing.subscription)?;
        let before = Interval::new(self.tested.from, self.tested.to.min(known));
        (!before.is_empty()).then_some(before)
    }

    /// Whether the repair alone would have earned the day.
    fn earns_with(&self, code: LostCode) -> bool {
        match code {
            LostCode::Gap | LostCode::EarlyEnd | LostCode::LateStart => self.applies(code),
            LostCode::NeverGranted | LostCode::Denied => false,
            LostCode::PartnerRole
            | LostCode::AgreementInactive
            | LostCode::Barred
            | LostCode::PalMissing
            | LostCode::PalOtherOrganisation
            | LostCode::JitOnly
            | LostCode::Removed
            | LostCode::RoleNotEligible
            | LostCode::UnknownAccess
            | LostCode::OtherPartner => self.applies(code) && self.repaired_covers(code),
        }
    }

    fn repaired(&self, code: LostCode) -> Vec<Vec<Interval>> {
        let repair = Repair { code, tested: self.tested };
        self.each().map(|grant| clip(&self.terms.spans(grant, Some(repair)), self.tested)).collect()
    }

    fn repaired_covers(&self, code: LostCode) -> bool {
        let parts = self.repaired(code);
        let before = self.before_knowledge().filter(|_| code == LostCode::UnknownAccess);
        let covers = |spans: Vec<Interval>| gaps(self.tested, &union(spans)).is_empty();
        if self.terms.policy.union_of_grants {
            return covers(parts.into_iter().flatten().chain(before).collect());
        }
        let whole_before = before.is_some_and(|before| before == self.tested);
        whole_before || parts.into_iter().any(|spans| covers(spans.into_iter().chain(before).collect()))
    }

    fn applies(&self, code: LostCode) -> bool {
        let standing = self.terms.standing;
        let (start, end) = self.at_ends();
        match code {
            LostCode::PartnerRole => !standing.may_receive(),
            LostCode::AgreementInactive => !gaps(self.tested, &standing.membership).is_empty(),
            LostCode::Barred => !clip(&standing.barred, self.tested).is_empty() || self.any_behind(code),
            LostCode::Gap => start && end,
            LostCode::EarlyEnd => start && !end,
            LostCode::LateStart => end && !start,
            LostCode::UnknownAccess => self.before_knowledge().is_some() || self.any_behind(code),
            // Deny assignments are not told yet; the code keeps its place in the order.
            LostCode::Denied | LostCode::NeverGranted => false,
            LostCode::OtherPartner => self.adds_cover(code),
            LostCode::PalMissing
            | LostCode::PalOtherOrganisation
            | LostCode::JitOnly
            | LostCode::Removed
            | LostCode::RoleNotEligible => self.any_behind(code),
        }
    }

    fn any_behind(&self, code: LostCode) -> bool {
        self.grants.iter().any(|id| self.is_behind(*id, code))
    }

    fn adds_cover(&self, code: LostCode) -> bool {
        let repaired = union(self.repaired(code).into_iter().flatten().collect());
        !without(&repaired, self.covered).is_empty()
    }

    /// Whether a grant is what a code speaks of.
    fn is_behind(&self, id: GrantId, code: LostCode) -> bool {
        let terms = &self.terms;
        let grant = terms.access.grant(id);
        let held = clip(&[terms.held(grant)], self.tested);
        let ours = || terms.is_ours(grant, self.tested);
        match code {
            LostCode::PartnerRole | LostCode::AgreementInactive | LostCode::Denied | LostCode::NeverGranted => false,
            LostCode::Barred => {
                let of_partner = |partner| !clip(&terms.partners.barred(partner), self.tested).is_empty();
                !held.is_empty() && ours() && terms.partners_of(grant).into_iter().any(of_partner)
            }
            LostCode::PalMissing => {
                terms.route(grant).needs_link() && ours() && !without(&held, &terms.linked(grant)).is_empty()
            }
            LostCode::PalOtherOrganisation => {
                let elsewhere = without(&terms.linked(grant), &terms.tied_to_us(grant));
                terms.route(grant).needs_link() && ours() && !intersect(&held, &elsewhere).is_empty()
            }
            LostCode::JitOnly => grant.eligible_only && !held.is_empty() && ours(),
            LostCode::Gap | LostCode::EarlyEnd | LostCode::LateStart => {
                !clip(&terms.spans(grant, None), self.tested).is_empty()
            }
            LostCode::Removed => ours() && terms.is_removed(grant, self.tested),
            LostCode::RoleNotEligible => !terms.eligible(grant) && !held.is_empty() && ours(),
            LostCode::UnknownAccess => {
                let unknown: Vec<Interval> = grant.unknown.into_iter().collect();
                !clip(&unknown, self.tested).is_empty() && ours()
            }
            LostCode::OtherPartner => {
                let counted = terms.spans(grant, Some(Repair { code, tested: self.tested }));
                !clip(&intersect(&counted, &terms.tied_to_others(grant)), self.tested).is_empty()
            }
        }
    }

    /// PEC-11: each reason names the entries behind it.
    fn events(&self, code: LostCode, holdings: &[Holding]) -> Vec<Identity> {
        let (partners, standing) = (self.terms.partners, self.terms.standing);
        let bill_to = standing.placement.bill_to;
        let mut events: Vec<Identity> = match code {
            LostCode::PartnerRole => standing.statement.into_iter().collect(),
            LostCode::AgreementInactive => partners.membership_events(bill_to),
            LostCode::Barred => {
                let grants = holdings.iter().map(|holding| self.terms.access.grant(holding.grant));
                let whose = grants.flat_map(|grant| self.terms.partners_of(grant)).chain([bill_to]);
                whose.flat_map(|partner| partners.standing_events(partner)).collect()
            }
            _ => Vec::new(),
        };
        events.extend(holdings.iter().flat_map(|holding| &holding.events));
        let mut seen = std::collections::BTreeSet::new();
        events.retain(|event| seen.insert(*event));
        events
    }
}
