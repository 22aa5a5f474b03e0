//! What a verdict rests on beside the grants themselves: the entries that set its tested part, that say who
//! "we" are and may earn, and that say which roles count.
//!
//! Asked for by explanations alone; the judgement keeps none of it.

use std::collections::BTreeSet;

use crate::ids::{Guid, Identity};
use crate::pec::qualify::intersect;
use crate::pec::{Judge, PlaceId};
use crate::period::{Day, Interval};
use crate::scope::Scope;

impl Judge<'_> {
    /// PEC-11: the entries behind the verdict of a day beside those of its grants: the lives of plan and
    /// subscription up to then, the reseller of record, the partners' registrations, memberships and
    /// standing, the resellers' qualification, the links and deny assignments of who held something, where the
    /// resource was, the role list and the policy in force.
    pub fn basis(&mut self, place: PlaceId, scope: &Scope, day: Day) -> BTreeSet<Identity> {
        let site = self.site_on(place, day);
        let tested = site.tested(day);
        let (standing, partners) = (site.terms.standing, site.terms.partners);
        let bill_to = standing.placement.bill_to;
        let then = |interval: &Interval| tested.iter().any(|part| !interval.intersect(part).is_empty());
        let ours = standing.ours.iter().filter(|belongs| then(&belongs.interval));
        let ours = ours.filter_map(|belongs| belongs.partner);
        // Whose an agents group or a managing tenant is, its partner's registration says, ours or not.
        let held = site.reaches().filter(|reach| !site.held(reach).is_empty());
        let of_grants = held.flat_map(|reach| site.terms.partners_of(site.grant(reach)));
        let named: BTreeSet<Guid> = ours.chain(of_grants).chain([bill_to]).collect();
        let mut behind: BTreeSet<Identity> = BTreeSet::new();
        for partner in &named {
            let stated = partners.stated(*partner).iter().filter(|stated| then(&stated.interval));
            behind.extend(stated.map(|stated| stated.event));
            behind.extend(partners.standing_events(*partner));
            if *partner == bill_to {
                behind.extend(partners.membership_events(bill_to));
            }
        }
        for reach in site.reaches().filter(|reach| !intersect(&site.held(reach), &tested).is_empty()) {
            let grant = site.grant(reach);
            behind.extend(site.naming_events(grant, &tested));
            if site.terms.route(grant).needs_link() {
                behind.extend(site.terms.last_link(grant, tested[tested.len() - 1].to));
            }
        }
        let (subscription, plan) = (standing.subscription, standing.placement.plan);
        let until = day.next().start();
        let (facts, channel, partners) = (self.facts(), self.channel(), self.partners());
        let resellers = named.iter().filter(|partner| **partner != bill_to);
        behind.extend(resellers.flat_map(|reseller| channel.qualification_events(partners, *reseller)));
        behind.extend(facts.commerce.behind(subscription, plan, until));
        let rows = self.grants().whereabouts(scope, day.interval());
        behind.extend(self.grants().told_by(&facts.access, scope, &rows, day.interval()));
        behind.extend(facts.roles.list_on(day));
        behind.extend(facts.policy.document_at(day).map(|(identity, _)| identity));
        behind
    }
}
