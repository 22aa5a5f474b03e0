//! Why a day was lost: each reason is a repair, and the day is judged again with it.
//!
//! The reason is the first code whose repair alone would have earned the day. If none alone would,
//! it is the first code that applies, marked *several*. Only what is ours is repaired, so that a
//! customer's own employee is nobody's missing link.

use std::collections::BTreeMap;

use crate::access::{GrantId, Reach};
use crate::ids::{Guid, Identity};
use crate::pec::judge::loss_flags;
use crate::pec::qualify::{Repair, Terms, clip, intersect};
use crate::pec::site::Site;
use crate::pec::{Holding, Loss, LostCode};
use crate::period::{Instant, Interval, union, without};

/// PEC-11: the reason of a lost day. `covered` is what qualified within the tested part.
pub(super) fn reason(site: &Site<'_>, tested: &[Interval], covered: &[Interval]) -> Loss {
    let day = Lost { site: *site, terms: site.terms, tested, covered };
    let alone: Vec<LostCode> = LostCode::ALL.iter().copied().filter(|code| day.earns_with(*code)).collect();
    let (code, several) = match alone.first() {
        Some(code) => (*code, false),
        // One that applies and does not help alone needs others beside it, even where no other code
        // applies: the rest of the day was never granted.
        None => {
            let first = LostCode::ALL.iter().copied().find(|code| day.applies(*code));
            (first.unwrap_or(LostCode::NeverGranted), first.is_some())
        }
    };
    let also: Vec<LostCode> = alone.into_iter().filter(|other| *other != code).collect();
    let mut behind: Vec<GrantId> =
        site.reaches().filter(|reach| day.is_behind(reach, code)).map(|reach| reach.grant).collect();
    behind.dedup();
    let holdings: Vec<Holding> = behind.iter().map(|id| site.terms.holding(*id, tested)).collect();
    let events = day.events(code, &holdings);
    let open = without(tested, covered);
    let unlisted = behind.iter().any(|id| site.terms.unlisted(site.terms.access.grant(*id)));
    let flags = loss_flags(code, &also, unlisted);
    let (partner, qualification) = day.whose(code, &behind);
    Loss {
        code,
        several,
        also,
        tested: tested.to_vec(),
        open,
        holdings: holdings.into(),
        partner,
        qualification,
        events: events.into(),
        flags,
    }
}

struct Lost<'a> {
    site: Site<'a>,
    terms: Terms<'a>,
    tested: &'a [Interval],
    covered: &'a [Interval],
}

impl Lost<'_> {
    /// Whether something qualified at the first and at the last instant of the tested part.
    fn at_ends(&self) -> (bool, bool) {
        let (first, last) = (self.tested[0], self.tested[self.tested.len() - 1]);
        let start = self.covered.iter().any(|span| span.contains(first.from));
        let end = self.covered.iter().any(|span| span.from < last.to && last.to <= span.to);
        (start, end)
    }

    /// The part of the tested day that lies before anything is known of the subscription.
    fn before_knowledge(&self) -> Vec<Interval> {
        let known = self.terms.access.known_since(self.terms.standing.subscription);
        known.map_or_else(Vec::new, |known| clip(self.tested, Interval::new(Instant::MIN_UTC, known)))
    }

    /// Whether the repair alone would have earned the day.
    fn earns_with(&self, code: LostCode) -> bool {
        match code {
            LostCode::Gap | LostCode::EarlyEnd | LostCode::LateStart => self.applies(code),
            LostCode::NeverGranted => false,
            LostCode::PartnerRole
            | LostCode::AgreementInactive
            | LostCode::Barred
            | LostCode::PalMissing
            | LostCode::PalOtherOrganisation
            | LostCode::JitOnly
            | LostCode::Denied
            | LostCode::Removed
            | LostCode::RoleNotEligible
            | LostCode::UnknownAccess
            | LostCode::OtherPartner => self.applies(code) && self.repaired_covers(code),
        }
    }

    /// What each grant would have covered with the repair, what was not there to be covered included.
    fn repaired(&self, code: LostCode) -> Vec<Vec<Interval>> {
        let repair = Repair { code, tested: self.tested };
        let nothing_there = self.site.nothing_there(self.tested);
        let mut parts: BTreeMap<GrantId, Vec<Interval>> = BTreeMap::new();
        for reach in self.site.reaches() {
            let spans = intersect(&self.site.spans(reach, Some(repair)), self.tested);
            parts.entry(reach.grant).or_default().extend(spans.into_iter().chain(nothing_there.iter().copied()));
        }
        parts.into_values().collect()
    }

    fn repaired_covers(&self, code: LostCode) -> bool {
        let parts = self.repaired(code);
        let unknown = code == LostCode::UnknownAccess;
        let before = if unknown { self.before_knowledge() } else { Vec::new() };
        let covers = |spans: Vec<Interval>| without(self.tested, &union(spans)).is_empty();
        if self.terms.policy.union_of_grants {
            return covers(parts.into_iter().flatten().chain(before).collect());
        }
        let with_before = |spans: Vec<Interval>| covers(spans.into_iter().chain(before.iter().copied()).collect());
        with_before(Vec::new()) || parts.into_iter().any(with_before)
    }

    fn applies(&self, code: LostCode) -> bool {
        let standing = self.terms.standing;
        let (start, end) = self.at_ends();
        match code {
            LostCode::PartnerRole => !without(self.tested, &standing.receiving).is_empty(),
            LostCode::AgreementInactive => {
                !without(self.tested, &standing.membership).is_empty() || self.any_behind(code)
            }
            LostCode::Barred => !intersect(&standing.barred, self.tested).is_empty() || self.any_behind(code),
            LostCode::Gap => start && end,
            LostCode::EarlyEnd => start && !end,
            LostCode::LateStart => end && !start,
            LostCode::UnknownAccess => !self.before_knowledge().is_empty() || self.any_behind(code),
            LostCode::NeverGranted => false,
            LostCode::OtherPartner => self.adds_cover(code),
            LostCode::PalMissing
            | LostCode::PalOtherOrganisation
            | LostCode::JitOnly
            | LostCode::Denied
            | LostCode::Removed
            | LostCode::RoleNotEligible => self.any_behind(code),
        }
    }

    fn any_behind(&self, code: LostCode) -> bool {
        self.site.reaches().any(|reach| self.is_behind(reach, code))
    }

    fn adds_cover(&self, code: LostCode) -> bool {
        let repaired = union(self.repaired(code).into_iter().flatten().collect());
        !without(&repaired, self.covered).is_empty()
    }

    /// Whether a grant is what a code speaks of.
    fn is_behind(&self, reach: &Reach, code: LostCode) -> bool {
        let (terms, site) = (&self.terms, &self.site);
        let grant = site.grant(reach);
        let held = intersect(&site.held(reach), self.tested);
        // What does not count by policy is nobody's repair.
        if !terms.may_count(grant) {
            return false;
        }
        let ours = || terms.is_ours(grant, self.tested);
        match code {
            LostCode::PartnerRole | LostCode::NeverGranted => false,
            LostCode::AgreementInactive => {
                !held.is_empty() && ours() && !terms.unqualified_resellers(grant, self.tested).is_empty()
            }
            LostCode::Denied => ours() && !intersect(&held, &site.denied(grant)).is_empty(),
            LostCode::Barred => {
                let of_partner = |partner| !intersect(&terms.partners.barred(partner), self.tested).is_empty();
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
                !intersect(&site.spans(reach, None), self.tested).is_empty()
            }
            LostCode::Removed => ours() && site.is_removed(reach, self.tested),
            LostCode::RoleNotEligible => !terms.eligible(grant) && !held.is_empty() && ours(),
            LostCode::UnknownAccess => {
                let unknown: Vec<Interval> = grant.unknown.into_iter().collect();
                !intersect(&clip(&unknown, reach.within), self.tested).is_empty() && ours()
            }
            LostCode::OtherPartner => {
                let counted = site.spans(reach, Some(Repair { code, tested: self.tested }));
                !intersect(&intersect(&counted, &terms.tied_to_others(grant)), self.tested).is_empty()
            }
        }
    }

    /// Whose membership, qualification or barring it was, and whether it was a reseller's qualification.
    fn whose(&self, code: LostCode, behind: &[GrantId]) -> (Option<Guid>, bool) {
        let (terms, standing) = (&self.terms, self.terms.standing);
        let bill_to = standing.placement.bill_to;
        let mut grants = behind.iter().map(|id| terms.access.grant(*id));
        match code {
            LostCode::AgreementInactive if !without(self.tested, &standing.membership).is_empty() => {
                (Some(bill_to), false)
            }
            LostCode::AgreementInactive => {
                let reseller =
                    grants.find_map(|grant| terms.unqualified_resellers(grant, self.tested).first().copied());
                (reseller, true)
            }
            LostCode::Barred if !intersect(&standing.barred, self.tested).is_empty() => (Some(bill_to), false),
            LostCode::Barred => {
                let barred = |partner: &Guid| !intersect(&terms.partners.barred(*partner), self.tested).is_empty();
                (grants.find_map(|grant| terms.partners_of(grant).into_iter().find(barred)), false)
            }
            LostCode::PartnerRole
            | LostCode::PalMissing
            | LostCode::PalOtherOrganisation
            | LostCode::JitOnly
            | LostCode::Denied
            | LostCode::Gap
            | LostCode::EarlyEnd
            | LostCode::LateStart
            | LostCode::Removed
            | LostCode::RoleNotEligible
            | LostCode::UnknownAccess
            | LostCode::OtherPartner
            | LostCode::NeverGranted => (None, false),
        }
    }

    /// PEC-11: each reason names the entries behind it.
    fn events(&self, code: LostCode, holdings: &[Holding]) -> Vec<Identity> {
        let (partners, standing) = (self.terms.partners, self.terms.standing);
        let bill_to = standing.placement.bill_to;
        let mut events: Vec<Identity> = match code {
            LostCode::PartnerRole => {
                let then = standing.other_kind.iter().filter(|(interval, _)| !clip(self.tested, *interval).is_empty());
                then.map(|(_, event)| *event).collect()
            }
            LostCode::AgreementInactive => {
                let grants = holdings.iter().map(|holding| self.terms.access.grant(holding.grant));
                let resellers = grants.flat_map(|grant| self.terms.unqualified_resellers(grant, self.tested));
                let early = |reseller: Guid| {
                    let own = standing.unqualified.iter().filter(move |early| early.reseller == reseller);
                    own.flat_map(|early| early.events.iter().copied())
                };
                let of_resellers = resellers.flat_map(early);
                partners.membership_events(bill_to).into_iter().chain(of_resellers).collect()
            }
            LostCode::Denied => {
                let grants = holdings.iter().map(|holding| self.terms.access.grant(holding.grant));
                grants.flat_map(|grant| self.site.denying_events(grant, self.tested)).collect()
            }
            LostCode::Barred => {
                let grants = holdings.iter().map(|holding| self.terms.access.grant(holding.grant));
                let whose = grants.flat_map(|grant| self.terms.partners_of(grant)).chain([bill_to]);
                whose.flat_map(|partner| partners.standing_events(partner)).collect()
            }
            LostCode::PalMissing
            | LostCode::PalOtherOrganisation
            | LostCode::JitOnly
            | LostCode::Gap
            | LostCode::EarlyEnd
            | LostCode::LateStart
            | LostCode::Removed
            | LostCode::RoleNotEligible
            | LostCode::UnknownAccess
            | LostCode::OtherPartner
            | LostCode::NeverGranted => Vec::new(),
        };
        events.extend(holdings.iter().flat_map(|holding| &holding.events));
        let mut seen = std::collections::BTreeSet::new();
        events.retain(|event| seen.insert(*event));
        events
    }
}
