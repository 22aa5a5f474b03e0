//! Who held what over a stretch of time, and where nothing counted: what explanations and reports show.
//!
//! [`Judge::timeline`] is the one way to ask. It answers for a *place*: every grant that reached it,
//! each with when it was held, may have been held, was denied and qualified; and what all of them
//! together left open. A grant that reached the place twice (a management group left and joined
//! again, a resource moved away and back) has a row for each stretch.

use crate::access::Stay;
use crate::finding::Code;
use crate::pec::qualify::{clip, intersect};
use crate::pec::{Holding, Judge, LostCode, PlaceId};
use crate::period::{Day, Instant, Interval, union, without};
use crate::policy::MovedResources;

/// One grant within a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Whose it is, by which route, on what scope; `holding.held.to` is its end, `MAX_UTC` for none,
    /// so that what ends soon can be told from what stays.
    pub holding: Holding,
    /// When it was held and reached the place, within the stretch.
    pub held: Option<Interval>,
    /// When nobody can tell, within the stretch.
    pub unknown: Option<Interval>,
    /// When a deny assignment made a gap in it, within the stretch.
    pub denied: Vec<Interval>,
    /// When it qualified, within the stretch.
    pub qualifies: Vec<Interval>,
    /// Just-in-time only: an eligible assignment, which never counts.
    pub eligible_only: bool,
    /// The role counts by list and policy.
    pub role_eligible: bool,
    /// Who wrote a condition on it; the condition is not evaluated.
    pub condition: Option<Box<str>>,
    /// Access of the billed partner or the reseller of record, or of somebody ever tied to them.
    pub ours: bool,
    /// Why it did not count where it was held, in the order in which reasons are tried.
    pub lacks: Vec<LostCode>,
    /// What is doubtful about it: inherited from above, a role in no table, denied in part, a condition.
    pub flags: Vec<Code>,
}

/// Who held what, and the gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The stretches that were asked for, in order.
    pub within: Vec<Interval>,
    /// Before this instant, what is not proven is unknown.
    pub known_since: Option<Instant>,
    /// In order of time.
    pub held: Vec<Held>,
    pub covered: Vec<Interval>,
    /// Where nothing qualified and something was there to be covered.
    pub gaps: Vec<Interval>,
}

impl Judge<'_> {
    /// Every span in which something qualifies at a place, by policy and role list of a day, or in
    /// which the place is known to be deleted, so that nothing is lost there. Spans reach as far as the
    /// grants do, whatever the day.
    pub fn counted(&mut self, place: PlaceId, day: Day) -> Vec<Interval> {
        let site = self.site_on(place, day);
        let qualifying = site.reaches().flat_map(|reach| site.spans(reach, None));
        union(qualifying.chain(site.gone()).collect())
    }

    /// PEC-16: the whole days on which the resource of a place was elsewhere, by the moves that were told: from
    /// the day after it left to the day before it came. `None` where no move is told of it, or where the policy of
    /// the day goes by ids alone. No verdict asks this: on such a day an id speaks for itself.
    pub fn gone(&mut self, place: PlaceId, day: Day) -> Option<Vec<Interval>> {
        let site = self.site_on(place, day);
        if site.terms.policy.moved_resources == MovedResources::IdAlone {
            return None;
        }
        // On the days of moves themselves it is known to the instant, by whatever reached it here or there.
        let away = site.ground.grants.iter().filter(|reach| reach.stay != Stay::Here);
        let away = union(away.map(|reach| reach.within).collect());
        let begins = std::iter::once(Instant::MIN_UTC).chain(away.iter().map(|span| span.to));
        let ends = away.iter().map(|span| span.from).chain([Instant::MAX_UTC]);
        // What was away up to a midnight did not come back that day, or had not come yet.
        let open = |at: Instant| at == Instant::MIN_UTC || at == Instant::MAX_UTC || Day::of(at).start() == at;
        let between = begins.zip(ends).filter(|(from, to)| open(*from) && open(*to));
        let gone = between.map(|(from, to)| Interval::new(from, to)).filter(|span| !span.is_empty()).collect();
        (!away.is_empty()).then_some(gone)
    }

    /// Every grant that touched a place within some stretches of time, by policy and role list of the day
    /// on which the first one begins.
    pub fn timeline(&mut self, place: PlaceId, within: &[Interval]) -> Timeline {
        let whole = Interval::new(within[0].from, within[within.len() - 1].to);
        let site = self.site_on(place, Day::of(whole.from));
        let terms = site.terms;
        let mut held: Vec<Held> = Vec::new();
        for reach in site.reaches() {
            let grant = site.grant(reach);
            let part = |interval: Interval| {
                let touches = |part: &Interval| !clip(within, *part).is_empty();
                Some(interval.intersect(&reach.within).intersect(&whole)).filter(touches)
            };
            let (when, unknown) = (part(terms.held(grant)), grant.unknown.and_then(part));
            if when.is_none() && unknown.is_none() {
                continue;
            }
            let own: Vec<Interval> = when.into_iter().collect();
            let denied = intersect(&own, &site.denied(grant));
            held.push(Held {
                holding: terms.holding(reach.grant, within),
                held: when,
                unknown,
                lacks: lacks(terms.lacks(grant, within), &denied),
                denied,
                qualifies: intersect(&site.spans(reach, None), within),
                eligible_only: grant.eligible_only,
                role_eligible: terms.eligible(grant),
                condition: grant.condition.clone(),
                ours: terms.is_ours(grant, within),
                flags: site.flags(grant, within),
            });
        }
        held.sort_by_key(|row| (row.held.or(row.unknown), row.holding.grant));
        let covered = union(held.iter().flat_map(|row| &row.qualifies).copied().collect());
        let counted = union(covered.iter().copied().chain(site.nothing_there(within)).collect());
        let known_since = terms.access.known_since(terms.standing.subscription);
        Timeline { within: within.to_vec(), known_since, gaps: without(within, &counted), covered, held }
    }
}

/// What a grant lacks in itself, and whether it was denied here, in the order of the reasons.
fn lacks(in_itself: Vec<LostCode>, denied: &[Interval]) -> Vec<LostCode> {
    let denied = (!denied.is_empty()).then_some(LostCode::Denied);
    let mut codes: Vec<LostCode> = in_itself.into_iter().chain(denied).collect();
    codes.sort_unstable();
    codes
}
