//! A direct-bill partner's standing on an instant: what was stated, and what its dates brought since.
//!
//! Restriction starts a clock: suspension and revocation follow by date unless the partner is
//! reinstated, or is stated to be in a milder state, before. The days are the policy's, because no
//! page says whether Microsoft announces each step. Nothing here says what a state permits.

use super::view::{Channel, Stated};
use crate::ids::{Guid, Identity};
use crate::period::{Day, Instant};
use crate::policy::Policy;

/// What a direct-bill partner may still do. Ordered by severity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    Good,
    Restricted,
    Suspended,
    Revoked,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Good, Self::Restricted, Self::Suspended, Self::Revoked];

    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Good => "in good standing",
            Self::Restricted => "restricted",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}

/// A partner's state with what brought it, and what comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    pub state: State,
    /// Since when; `None` where nothing was ever told.
    pub since: Option<Instant>,
    /// The statement it rests on: of this state, or of the milder one whose date has passed.
    pub event: Option<Identity>,
    /// Whether the date brought it and no statement did.
    pub by_date: bool,
    /// The next, harder state and its instant, where the policy dates it.
    pub next: Option<(State, Instant)>,
}

/// When each state begins, counted from the restriction; `None` where only a statement brings it.
fn due(state: State, restricted: Instant, policy: &Policy) -> Option<Instant> {
    let days = match state {
        State::Good | State::Restricted => 0,
        State::Suspended => policy.suspended_after_days,
        State::Revoked => policy.revoked_after_days,
    };
    (days > 0).then(|| after(restricted, i64::from(days)))
}

fn after(instant: Instant, days: i64) -> Instant {
    instant + chrono::TimeDelta::days(days)
}

/// From when the clock counts for a stated state: for one that nobody restricted before, as if it had
/// been restricted in time.
fn clock(stated: &Stated<State>, policy: &Policy) -> Instant {
    match stated.value {
        State::Suspended => after(stated.at, -i64::from(policy.suspended_after_days)),
        State::Good | State::Restricted | State::Revoked => stated.at,
    }
}

/// The harder states that follow a statement by date.
fn dates(restricted: Instant, stated: &Stated<State>, policy: &Policy) -> Vec<(State, Instant)> {
    let harder = [State::Suspended, State::Revoked].into_iter().filter(|state| *state > stated.value);
    harder.filter_map(|state| Some((state, due(state, restricted, policy)?.max(stated.at)))).collect()
}

/// The state on an instant, and since when.
fn reached(restricted: Instant, stated: &Stated<State>, at: Instant, policy: &Policy) -> (State, Instant) {
    let dated = dates(restricted, stated, policy).into_iter().rfind(|(_, due)| *due <= at);
    dated.unwrap_or((stated.value, stated.at))
}

impl Channel {
    /// CHN-2: the state of a direct-bill partner on an instant: as stated last, or harder where its date
    /// has passed: suspension follows restriction after 30 days and revocation after 60 (policy
    /// `suspended-after-days`, `revoked-after-days`). Source: restricted-direct-bill-capabilities
    /// (2022-08-18); partner announcement on authorisation (2025-10-25).
    #[must_use]
    pub fn standing(&self, partner: Guid, at: Instant, policy: &Policy) -> Standing {
        let mut run: Option<(Instant, &Stated<State>)> = None;
        let mut last = None;
        for stated in self.states_of(partner).iter().filter(|stated| stated.at <= at) {
            last = Some(stated);
            let now = run.map_or(State::Good, |(restricted, told)| reached(restricted, told, stated.at, policy).0);
            run = match run {
                _ if stated.value == State::Good => None,
                // The same or a harder state leaves the clock running; a milder one is a new start.
                Some((restricted, _)) if stated.value >= now => Some((restricted, stated)),
                _ => Some((clock(stated, policy), stated)),
            };
        }
        let event = last.map(|stated| stated.event);
        let Some((restricted, stated)) = run else {
            let since = last.map(|stated| stated.at);
            return Standing { state: State::Good, since, event, by_date: false, next: None };
        };
        let (state, since) = reached(restricted, stated, at, policy);
        // What is harder than the state on that instant is still to come.
        let next = dates(restricted, stated, policy).into_iter().find(|(next, _)| *next > state);
        Standing { state, since: Some(since), event, by_date: state > stated.value, next }
    }
}

impl Standing {
    /// The state in words, with its beginning and how it came.
    #[must_use]
    pub fn words(&self) -> String {
        let since = self.since.map(|since| format!(" since {}", Day::of(since))).unwrap_or_default();
        let how = if self.by_date { ", by its date" } else { "" };
        if self.state == State::Good {
            return State::Good.text().to_owned();
        }
        format!("{}{since}{how}", self.state.text())
    }
}
