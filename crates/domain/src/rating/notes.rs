//! What does not add up while a month is rated, told once each.
//!
//! A note is kept by what it is about, with the events behind it and the list charge that hangs on
//! it where that is known; findings come out in that order, whatever the order of usage was.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Spot;
use crate::finding::{About, Code, Finding};
use crate::ids::{Guid, MeterId};
use crate::money::{Exact, Quantity};
use crate::period::{Day, Period};
use crate::usage::Consumption;

/// What did not add up, by what it is about, each with how often and since when.
pub(super) struct Notes {
    pub(super) bill_to: Guid,
    pub(super) period: Period,
    pub(super) seen: BTreeMap<(Code, About, String), Noted>,
}

/// The events behind a finding, and the list charge that hangs on it where that is known.
#[derive(Default)]
pub(super) struct Noted {
    events: BTreeSet<crate::ids::Identity>,
    charge: Option<Exact>,
}

impl Notes {
    pub(super) fn about(&self) -> About {
        About { bill_to: Some(self.bill_to), period: Some(self.period), ..About::default() }
    }

    pub(super) fn note(&mut self, code: Code, about: About, detail: impl Into<String>) {
        self.seen.entry((code, about, detail.into())).or_default();
    }

    pub(super) fn note_with(&mut self, code: Code, about: About, detail: String, event: crate::ids::Identity) {
        self.seen.entry((code, about, detail)).or_default().events.insert(event);
    }

    pub(super) fn note_charge(&mut self, code: Code, about: About, detail: String, charge: &Exact) {
        *self.seen.entry((code, about, detail)).or_default().charge.get_or_insert_with(Exact::zero) += charge;
    }

    /// Adds the notes on other plans of the same partner and month.
    pub(super) fn join(&mut self, other: Self) {
        for (about, Noted { events, charge }) in other.seen {
            let known = self.seen.entry(about).or_default();
            known.events.extend(events);
            if let Some(charge) = charge {
                *known.charge.get_or_insert_with(Exact::zero) += &charge;
            }
        }
    }

    /// USE-6: usage that no placement takes: after a cancellation, or of no plan at all.
    pub(super) fn outside(&mut self, consumption: &Consumption<'_>, day: Day, ended: bool) {
        if !ended {
            return self.no_plan(consumption, day);
        }
        let place = consumption.place;
        let about = About {
            customer: Some(place.customer),
            subscription: Some(place.subscription),
            day: Some(day),
            ..self.about()
        };
        self.note(Code::AfterCancellation, about, "used after the subscription had ended");
    }

    pub(super) fn while_suspended(&mut self, plan: Guid, consumption: &Consumption<'_>, day: Day) {
        let subscription = Some(consumption.place.subscription);
        let about = About { plan: Some(plan), subscription, day: Some(day), ..self.about() };
        self.note(Code::WhileSuspended, about, "used while the subscription was suspended");
    }

    pub(super) fn no_plan(&mut self, consumption: &Consumption<'_>, day: Day) {
        let place = consumption.place;
        let about = About {
            customer: Some(place.customer),
            plan: place.claimed_plan,
            subscription: Some(place.subscription),
            day: Some(day),
            ..self.about()
        };
        self.note(Code::NoPlacement, about, "the usage lies in no known plan's time");
    }

    /// USE-7: usage of a subscription that had left for a plan that is not known here.
    pub(super) fn after_leaving(&mut self, consumption: &Consumption<'_>, day: Day, plan: Guid) {
        let place = consumption.place;
        let about = About {
            customer: Some(place.customer),
            plan: Some(plan),
            subscription: Some(place.subscription),
            day: Some(day),
            ..self.about()
        };
        self.note(Code::NoPlacement, about, "used under a plan that is not known here");
    }

    pub(super) fn negative(
        &mut self,
        plan: Guid,
        spot: &Spot<'_>,
        meter: &MeterId,
        day: Day,
        (quantity, charge): (Quantity, &Exact),
    ) {
        let about = About {
            plan: Some(plan),
            subscription: Some(spot.subscription),
            resource: Some(spot.scope.clone()),
            meter: Some(meter.clone()),
            day: Some(day),
            ..self.about()
        };
        self.note_charge(Code::NegativeDay, about, format!("the day adds up to {quantity}"), charge);
    }

    pub(super) fn unknown_access(&mut self, plan: Guid, spot: &Spot<'_>, day: Day, charge: &Exact) {
        let about = About {
            customer: Some(spot.placement.customer),
            plan: Some(plan),
            subscription: Some(spot.subscription),
            day: Some(day),
            ..self.about()
        };
        let detail = "credit of the day rests on access that is unknown".to_owned();
        self.note_charge(Code::UnknownAccess, about, detail, charge);
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let findings = self.seen.into_iter().map(|((code, about, detail), Noted { events, charge })| {
            let events = events.into_iter().collect();
            Finding { events, charge, ..Finding::new(code, about, detail) }
        });
        findings.collect()
    }
}
