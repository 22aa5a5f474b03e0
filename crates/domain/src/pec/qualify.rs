//! Which spans of a grant qualify, with or without one thing repaired.
//!
//! The same function answers the judgement and every repair: a repair lifts exactly one condition
//! and changes nothing else. Spans are not clipped to a day, so that they can be kept.

use crate::access::{Access, Grant, GrantId, Via};
use crate::ids::{Guid, Identity};
use crate::partners::{Belongs, Organisation, Partners};
use crate::pec::standing::Standing;
use crate::pec::{Holding, LostCode, Route};
use crate::period::{Day, Instant, Interval, union, without};
use crate::policy::Policy;
use crate::roles::RoleTables;
use crate::scope::Scope;

/// Everything that a judgement reads, for one placement and one state of policy and role list.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub access: &'a Access,
    pub partners: &'a Partners,
    pub roles: &'a RoleTables,
    pub standing: &'a Standing,
    pub policy: &'a Policy,
    /// A day on which policy and role list are those of the days judged.
    pub day: Day,
}

/// A repair: the one condition that is lifted, over the part of the day that is judged again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Repair<'t> {
    pub code: LostCode,
    pub tested: &'t [Interval],
}

/// What ties a grant to a partner, and when.
#[derive(Clone, Debug)]
struct Tie {
    belongs: Belongs,
    events: Vec<Identity>,
}

impl<'a> Terms<'a> {
    /// PEC-2: how a grant's principal came to hold it. The type of principal is often not stated:
    /// AOBO is recognised by the object id of a partner's agents group. Source:
    /// partner-earned-credit-troubleshoot, four-step check; object ids, never display names.
    pub(super) fn route(&self, grant: &Grant) -> Route {
        match grant.via {
            Via::Delegation { marketplace_offer: true, .. } => Route::LighthouseOffer,
            Via::Delegation { marketplace_offer: false, .. } => Route::LighthouseTemplate,
            Via::Assignment(_) | Via::Schedule(_) if grant.member_of.is_some() => Route::Group,
            Via::Assignment(_) | Via::Schedule(_) if self.partners.agents(grant.principal).is_empty() => {
                Route::Individual
            }
            Via::Assignment(_) | Via::Schedule(_) => Route::Aobo,
        }
    }

    /// The tenant in which the link must have been made: the customer's, or the managing one.
    fn link_tenant(&self, grant: &Grant) -> Guid {
        match grant.via {
            Via::Delegation { managing_tenant, .. } => managing_tenant,
            Via::Assignment(_) | Via::Schedule(_) => self.standing.placement.customer,
        }
    }

    /// When the identity had any link there.
    pub(super) fn linked(&self, grant: &Grant) -> Vec<Interval> {
        let links = self.access.links(grant.principal, self.link_tenant(grant));
        union(links.iter().map(|link| link.interval).collect())
    }

    /// The entries of the newest link that the identity had there before an instant, ended or not.
    pub(super) fn last_link(&self, grant: &Grant, before: Instant) -> &'a [Identity] {
        let access: &'a Access = self.access;
        let links = access.links(grant.principal, self.link_tenant(grant)).iter();
        let begun = links.filter(|link| link.interval.from < before);
        begun.max_by_key(|link| link.interval.from).map_or(&[], |link| &link.events)
    }

    fn ties(&self, grant: &Grant) -> Vec<Tie> {
        let automatic =
            |belongs: Vec<Belongs>| belongs.into_iter().map(|belongs| Tie { belongs, events: Vec::new() }).collect();
        match (self.route(grant), grant.via) {
            (Route::Aobo, _) => automatic(self.partners.agents(grant.principal).to_vec()),
            (Route::LighthouseOffer, Via::Delegation { managing_tenant, .. }) => {
                automatic(self.partners.managing(managing_tenant))
            }
            _ => {
                let links = self.access.links(grant.principal, self.link_tenant(grant));
                let ties = links.iter().flat_map(|link| {
                    self.partners.location(&link.partner_id).into_iter().map(|belongs| Tie {
                        belongs: Belongs { interval: belongs.interval.intersect(&link.interval), ..belongs },
                        events: link.events.clone(),
                    })
                });
                ties.filter(|tie| !tie.belongs.interval.is_empty()).collect()
            }
        }
    }

    /// Whether a grant is one of ours, which alone are repaired: our agents, our managing tenants, our
    /// identities, registered or ever linked to us. A customer's own employee is nobody's missing link.
    pub(super) fn is_ours(&self, grant: &Grant, tested: &[Interval]) -> bool {
        let ours = |belongs: &Belongs| self.standing.is_ours(&belongs.organisation, tested);
        if self.route(grant) == Route::Aobo {
            return self.partners.agents(grant.principal).iter().any(ours);
        }
        let managed = match grant.via {
            Via::Delegation { managing_tenant, .. } => self.partners.managing(managing_tenant).iter().any(ours),
            Via::Assignment(_) | Via::Schedule(_) => false,
        };
        // One of our people may work in another partner's managing tenant: its link makes it ours.
        let mut links = self.access.links_anywhere(grant.principal);
        managed
            || self.partners.identities(grant.principal).iter().any(ours)
            || links.any(|link| self.partners.location(&link.partner_id).iter().any(ours))
    }

    /// Whether the grant is for us at that time, by its ties; barring aside.
    pub(super) fn tied_to_us(&self, grant: &Grant) -> Vec<Interval> {
        let ties = self.ties(grant);
        union(ties.iter().flat_map(|tie| self.our_part(tie)).collect())
    }

    fn our_part(&self, tie: &Tie) -> Vec<Interval> {
        let ours = self.standing.ours_when(&tie.belongs.organisation);
        clip(&ours, tie.belongs.interval)
    }

    /// CHN-20: whether the grant rests on a Partner Admin Link to a PartnerID of another country.
    pub(super) fn linked_abroad(&self, grant: &Grant, within: &[Interval]) -> bool {
        let links = self.access.links(grant.principal, self.link_tenant(grant)).iter();
        let then = links.filter(|link| !clip(within, link.interval).is_empty());
        match self.route(grant) {
            Route::Individual | Route::Group | Route::LighthouseTemplate => {
                let mut owners = then.flat_map(|link| self.partners.location(&link.partner_id));
                owners.any(|owner| self.standing.is_foreign(&owner, within, self.partners))
            }
            Route::Aobo | Route::LighthouseOffer => false,
        }
    }

    /// When the grant is tied to some other partner.
    pub(super) fn tied_to_others(&self, grant: &Grant) -> Vec<Interval> {
        let all = union(self.ties(grant).iter().map(|tie| tie.belongs.interval).collect());
        without(&all, &self.tied_to_us(grant))
    }

    pub(super) fn eligible(&self, grant: &Grant) -> bool {
        self.roles.eligible(grant.role, self.day, self.policy)
    }

    /// PEC-10: AOBO at the subscription written within the grace after its creation counts from the
    /// creation, never after a transfer or a resumption: the portal makes it right after the
    /// subscription. The length is policy. Where an eligible role of the same group was taken away
    /// again since the creation, it is proven that the group had none then.
    pub(super) fn held(&self, grant: &Grant) -> Interval {
        let written = grant.held.from;
        let Some(stretch) = self.standing.created.filter(|stretch| stretch.contains(written)) else {
            return grant.held;
        };
        let grace = chrono::TimeDelta::minutes(i64::from(self.policy.aobo_grace_minutes));
        let at_subscription = grant.scope == Scope::subscription_of(self.standing.subscription);
        if written - stretch.from > grace || !at_subscription || self.route(grant) != Route::Aobo {
            return grant.held;
        }
        let taken_away = |other: &Grant| {
            let since = stretch.from <= other.held.to && other.held.to <= written;
            since && other.principal == grant.principal && self.eligible(other)
        };
        if self.access.granted_on(&grant.scope).any(|other| !std::ptr::eq(other, grant) && taken_away(other)) {
            return grant.held;
        }
        Interval::new(stretch.from, grant.held.to)
    }

    /// Whether neither the table of roles in force nor the policy names the grant's role.
    pub(super) fn unlisted(&self, grant: &Grant) -> bool {
        !self.policy.roles.contains_key(&grant.role) && self.roles.listed(grant.role, self.day).is_none()
    }

    /// When the grant ended for good, unknown stretches included.
    pub(super) fn ended(grant: &Grant) -> Instant {
        grant.unknown.map_or(grant.held.to, |unknown| unknown.to.max(grant.held.to))
    }

    /// Whether the grant may count at all, wherever it is inherited from: by policy. One on the root names
    /// no directory and reaches every customer's subscriptions; it is flagged like all that are inherited.
    pub(super) fn may_count(&self, grant: &Grant) -> bool {
        // ACC-11: by policy, a member of a group within the group holds nothing through it.
        if grant.nested && !self.policy.nested_groups {
            return false;
        }
        !Access::is_inherited(grant) || self.policy.inherited_grants
    }

    /// PEC-6: just-in-time (eligible-only) authorisations never qualify.
    ///
    /// PEC-2: the spans in which a grant qualifies: held, by an allowed route, in an eligible role,
    /// tied to the billed partner or the reseller of record, both in good standing. `repair` lifts one
    /// of these conditions; `not_removed` lifts the grant's end. What stands against it at one place is
    /// the place's own matter. Source: definitions of the daily test; partner-earned-credit-explanation.
    pub(super) fn spans(&self, grant: &Grant, repair: Option<Repair<'_>>, not_removed: bool) -> Vec<Interval> {
        let lifted = |code: LostCode| repair.is_some_and(|repair| repair.code == code);
        let ours = repair.is_some_and(|repair| self.is_ours(grant, repair.tested));
        if !self.may_count(grant) {
            return Vec::new();
        }
        if !(self.eligible(grant) || ours && lifted(LostCode::RoleNotEligible)) {
            return Vec::new();
        }
        if grant.eligible_only && !(ours && lifted(LostCode::JitOnly)) {
            return Vec::new();
        }
        let mut held = vec![self.held(grant)];
        if ours && lifted(LostCode::UnknownAccess) {
            held.extend(grant.unknown);
        }
        if ours && not_removed {
            held = vec![Interval::new(grant.held.from, Instant::MAX_UTC)];
        }
        let held = union(held);
        let mut tied = self.tied(grant, repair, ours);
        if !lifted(LostCode::PartnerRole) {
            tied = intersect(&tied, &self.standing.receiving);
        }
        if !lifted(LostCode::AgreementInactive) {
            tied = intersect(&tied, &self.standing.membership);
        }
        if !lifted(LostCode::Barred) {
            tied = without(&tied, &self.standing.barred);
        }
        intersect(&held, &tied)
    }

    fn tied(&self, grant: &Grant, repair: Option<Repair<'_>>, ours: bool) -> Vec<Interval> {
        let lifted = |code: LostCode| repair.is_some_and(|repair| repair.code == code);
        let mut spans: Vec<Interval> = Vec::new();
        for tie in self.ties(grant) {
            spans.extend(self.earning(&tie, repair));
        }
        if ours && self.route(grant).needs_link() {
            let always = Interval::new(Instant::MIN_UTC, Instant::MAX_UTC);
            if lifted(LostCode::PalMissing) {
                spans.extend(without(&[always], &self.linked(grant)));
            }
            if lifted(LostCode::PalOtherOrganisation) {
                spans.extend(without(&self.linked(grant), &self.tied_to_us(grant)));
            }
        }
        union(spans)
    }

    /// When a tie is to somebody who earns.
    fn earning(&self, tie: &Tie, repair: Option<Repair<'_>>) -> Vec<Interval> {
        let lifted = |code: LostCode| repair.is_some_and(|repair| repair.code == code);
        let part = if lifted(LostCode::OtherPartner) { vec![tie.belongs.interval] } else { self.our_part(tie) };
        let mut against: Vec<Interval> = Vec::new();
        if let Some(partner) = tie.belongs.partner {
            if !lifted(LostCode::Barred) {
                against.extend(self.partners.barred(partner));
            }
            if !lifted(LostCode::AgreementInactive) && partner != self.standing.placement.bill_to {
                against.extend(self.unqualified(partner));
            }
        }
        without(&part, &union(against))
    }

    /// The conditions that a grant failed while it was held within a stretch of time. None of them is
    /// a verdict: another grant may have covered the day all the same. Being denied is no lack of the
    /// grant itself but of the place: [`super::timeline`] adds it.
    pub(super) fn lacks(&self, grant: &Grant, within: &[Interval]) -> Vec<LostCode> {
        let held = clip(within, self.held(grant));
        let route = self.route(grant);
        let open = |spans: &[Interval]| !without(&held, spans).is_empty();
        let linked = self.linked(grant);
        let fails = |code: &LostCode| match code {
            LostCode::PartnerRole => open(&self.standing.receiving),
            LostCode::AgreementInactive => {
                open(&self.standing.membership) || !self.unqualified_resellers(grant, &held).is_empty()
            }
            LostCode::Barred => {
                let own = self.partners_of(grant).into_iter().flat_map(|partner| self.partners.barred(partner));
                let barred = union(own.chain(self.standing.barred.iter().copied()).collect());
                !intersect(&held, &barred).is_empty()
            }
            LostCode::PalMissing => route.needs_link() && open(&linked),
            LostCode::PalOtherOrganisation => {
                route.needs_link() && !intersect(&held, &without(&linked, &self.tied_to_us(grant))).is_empty()
            }
            LostCode::JitOnly => grant.eligible_only,
            LostCode::RoleNotEligible => !self.eligible(grant),
            LostCode::OtherPartner => !route.needs_link() && !intersect(&held, &self.tied_to_others(grant)).is_empty(),
            LostCode::Denied
            | LostCode::Gap
            | LostCode::EarlyEnd
            | LostCode::LateStart
            | LostCode::Removed
            | LostCode::UnknownAccess
            | LostCode::NeverGranted => false,
        };
        if held.is_empty() { Vec::new() } else { LostCode::ALL.iter().copied().filter(fails).collect() }
    }

    /// The resellers by whom a grant is tied, and that were not qualified within a stretch of time.
    pub(super) fn unqualified_resellers(&self, grant: &Grant, within: &[Interval]) -> Vec<Guid> {
        let bill_to = self.standing.placement.bill_to;
        let resellers = self.partners_of(grant).into_iter().filter(|partner| *partner != bill_to);
        resellers.filter(|partner| !intersect(&self.unqualified(*partner), within).is_empty()).collect()
    }

    /// When a partner's access does not earn because it was attached as a reseller before it qualified;
    /// never, where the policy says that it earns all the same.
    pub(super) fn unqualified(&self, partner: Guid) -> Vec<Interval> {
        if self.policy.unqualified_reseller_earns {
            return Vec::new();
        }
        self.standing.unqualified(partner)
    }

    /// Every instant at which something that the judgement reads of this grant changes.
    pub(super) fn edges(&self, grant: &Grant) -> Vec<Instant> {
        let mut spans = vec![self.held(grant)];
        spans.extend(grant.unknown);
        spans.extend(self.linked(grant));
        for tie in self.ties(grant) {
            spans.push(tie.belongs.interval);
            if let Some(partner) = tie.belongs.partner {
                spans.extend(self.partners.barred(partner));
                spans.extend(self.unqualified(partner));
            }
        }
        spans.into_iter().flat_map(|span| [span.from, span.to]).collect()
    }

    /// The partner tenants that a grant's ties name: whose barring may matter.
    pub(super) fn partners_of(&self, grant: &Grant) -> Vec<Guid> {
        self.ties(grant).into_iter().filter_map(|tie| tie.belongs.partner).collect()
    }

    /// The grant as answers cite it, seen over a stretch of time.
    pub(super) fn holding(&self, id: GrantId, within: &[Interval]) -> Holding {
        let grant = self.access.grant(id);
        let mut events = grant.events.clone();
        let mut organisations: Vec<Organisation> = Vec::new();
        let ties = self.ties(grant);
        let at_hand = ties.into_iter().filter(|tie| !clip(within, tie.belongs.interval).is_empty());
        let mut at_hand: Vec<Tie> = at_hand.collect();
        // Ours first: an identity may be tied to two organisations within one day.
        at_hand.sort_by_key(|tie| !self.standing.is_ours(&tie.belongs.organisation, within));
        for tie in at_hand {
            events.extend(tie.events.iter().filter(|event| !grant.events.contains(event)));
            if !organisations.contains(&tie.belongs.organisation) {
                organisations.push(tie.belongs.organisation);
            }
        }
        if organisations.is_empty() {
            organisations.extend(self.registered_owner(grant));
        }
        Holding {
            grant: id,
            via: grant.via,
            route: self.route(grant),
            principal: grant.principal,
            member_of: grant.member_of,
            role: grant.role,
            scope: grant.scope.clone(),
            held: grant.held,
            organisations,
            events,
        }
    }

    /// The same of a grant that earned with some parts of a day, which were theirs for whom it counted then.
    pub(super) fn earner(&self, id: GrantId, tested: &[Interval], parts: &[Interval]) -> Holding {
        let mut holding = self.holding(id, tested);
        let counted = |tie: &Tie| !intersect(&self.earning(tie, None), parts).is_empty();
        let counted: Vec<Tie> = self.ties(self.access.grant(id)).into_iter().filter(counted).collect();
        holding.organisations.retain(|one| counted.iter().any(|tie| tie.belongs.organisation == *one));
        holding
    }

    /// Whose a grant is that nothing ties at the moment: by the partners' own statements.
    fn registered_owner(&self, grant: &Grant) -> Option<Organisation> {
        let stated = match grant.via {
            Via::Delegation { managing_tenant, .. } => self.partners.managing(managing_tenant),
            Via::Assignment(_) | Via::Schedule(_) => self.partners.identities(grant.principal).to_vec(),
        };
        stated.into_iter().next().map(|belongs| belongs.organisation)
    }
}

/// The parts of `spans` within one interval.
pub(super) fn clip(spans: &[Interval], within: Interval) -> Vec<Interval> {
    let parts = spans.iter().map(|span| span.intersect(&within));
    parts.filter(|span| !span.is_empty()).collect()
}

/// What two unions have in common.
pub(super) fn intersect(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    a.iter().flat_map(|interval| clip(b, *interval)).collect()
}
