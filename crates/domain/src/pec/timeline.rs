//! Who held what over a stretch of time, and where nothing counted: what `explain` shows.

use crate::access::GrantId;
use crate::pec::qualify::clip;
use crate::pec::{Holding, Judge, LostCode, PlaceId};
use crate::period::{Day, Instant, Interval, gaps, union};

/// One grant within a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub holding: Holding,
    /// When it was held, within the stretch.
    pub held: Option<Interval>,
    /// When nobody can tell, within the stretch.
    pub unknown: Option<Interval>,
    /// When it qualified, within the stretch.
    pub qualifies: Vec<Interval>,
    /// Just-in-time only.
    pub eligible_only: bool,
    /// The role counts by list and policy.
    pub role_eligible: bool,
    /// Who wrote a condition on it; the condition is not evaluated.
    pub condition: Option<Box<str>>,
    /// Access of the billed partner or the reseller of record, or of somebody ever tied to them.
    pub ours: bool,
    /// Why it did not count where it was held, in the order in which reasons are tried.
    pub lacks: Vec<LostCode>,
}

/// Who held what, and the gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    pub within: Interval,
    /// Before this instant, what is not proven is unknown.
    pub known_since: Option<Instant>,
    pub held: Vec<Held>,
    pub covered: Vec<Interval>,
    pub gaps: Vec<Interval>,
}

impl Judge<'_> {
    /// Every span in which something qualifies at a place, by policy and role list of a day. Spans
    /// reach as far as the grants do, whatever the day.
    pub fn counted(&mut self, place: PlaceId, day: Day) -> Vec<Interval> {
        let (terms, grants) = self.terms_of(place, day);
        union(grants.iter().flat_map(|id| terms.spans(terms.access.grant(*id), None)).collect())
    }

    /// Every grant that touched a place within a stretch of time, by policy and role list of the day
    /// on which the stretch begins.
    pub fn timeline(&mut self, place: PlaceId, within: Interval) -> Timeline {
        let (terms, grants) = self.terms_of(place, Day::of(within.from));
        let mut held: Vec<Held> = Vec::new();
        let touching = |id: &&GrantId| {
            let grant = terms.access.grant(**id);
            let unknown = grant.unknown.is_some_and(|unknown| !unknown.intersect(&within).is_empty());
            unknown || !terms.held(grant).intersect(&within).is_empty()
        };
        for id in grants.iter().filter(touching) {
            let grant = terms.access.grant(*id);
            let part = |interval: Interval| Some(interval.intersect(&within)).filter(|part| !part.is_empty());
            held.push(Held {
                holding: terms.holding(*id, within),
                held: part(terms.held(grant)),
                unknown: grant.unknown.and_then(part),
                qualifies: clip(&terms.spans(grant, None), within),
                eligible_only: grant.eligible_only,
                role_eligible: terms.eligible(grant),
                condition: grant.condition.clone(),
                ours: terms.is_ours(grant, within),
                lacks: terms.lacks(grant, within),
            });
        }
        held.sort_by_key(|row| (row.held.or(row.unknown), row.holding.grant));
        let covered = union(held.iter().flat_map(|row| &row.qualifies).copied().collect());
        let known_since = terms.access.known_since(terms.standing.subscription);
        Timeline { within, known_since, gaps: gaps(within, &covered), covered, held }
    }
}
