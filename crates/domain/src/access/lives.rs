//! Lives of role assignments: from the first successful write after no life to the first removal.
//!
//! One pass over the evidence of one assignment, in order of time. A life yields a grant; what is
//! contradicted yields a stretch of *unknown*; what does not add up yields a finding. Within a
//! life principal, role and scope never change.

use crate::access::evidence::{Evidence, Key, Proof, about};
use crate::access::grants::{Grant, Via};
use crate::entry::GrantFacts;
use crate::finding::{Code, Finding};
use crate::ids::{Guid, Identity};
use crate::period::{Instant, Interval};
use crate::scope::Scope;

/// ACC-3: a life is half-open and runs from the first successful write (or proof of presence)
/// after no life to the first removal; a further write of the same facts is no second grant.
/// Source: recorded Azure logs, where a condition update answers like a creation.
pub(super) fn live(key: Key, evidence: &[Evidence]) -> (Vec<Grant>, Vec<Finding>) {
    let mut lives = Lives { assignment: key.1, ..Lives::default() };
    for one in evidence {
        match &one.proof {
            Proof::Gone(scope) => lives.gone(one, scope),
            Proof::Absent(listing) => lives.absent(one, listing),
            Proof::Listed { facts, scope, created_at } => lives.listed(one, facts, scope, *created_at),
            Proof::Written { facts, scope } => lives.written(one, facts.as_ref(), scope),
            Proof::Removed { facts, scope, created_at } => lives.removed(one, facts.as_ref(), scope, *created_at),
        }
    }
    lives.finish();
    (lives.grants, lives.findings)
}

#[derive(Debug)]
struct Life {
    from: Instant,
    /// Nobody saw it begin: it may be older, but not older than this.
    older: Option<Instant>,
    facts: Option<GrantFacts>,
    scope: Scope,
    events: Vec<Identity>,
    /// The newest evidence that it lived.
    alive_at: Instant,
    /// A complete listing that lacks it, since then contradicted by nothing.
    absent_at: Option<Instant>,
}

/// What is known about the time after the last life.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: Instant,
    /// The life that ended had a known beginning.
    known_creation: bool,
}

#[derive(Debug, Default)]
struct Lives {
    assignment: Guid,
    life: Option<Life>,
    ended: Option<Ended>,
    /// The newest complete listing that lacks it while nothing lived.
    missing_at: Option<Instant>,
    grants: Vec<Grant>,
    findings: Vec<Finding>,
}

impl Lives {
    fn begin(&mut self, from: Instant, facts: Option<&GrantFacts>, scope: &Scope, one: &Evidence) {
        self.life = Some(Life {
            from,
            older: None,
            facts: facts.cloned(),
            scope: scope.clone(),
            events: one.events.clone(),
            alive_at: one.at.max(from),
            absent_at: None,
        });
    }

    /// The life ends, or is left, with this held and this unknown.
    fn close(&mut self, held_to: Instant, unknown: Option<Interval>, end: &[Identity]) {
        let Some(life) = self.life.take() else { return };
        let Some(facts) = life.facts else {
            let detail = format!("who was granted what by {} on {} is not stated", self.assignment, life.scope);
            let finding = Finding::new(Code::UnresolvedGrant, about(&life.scope, life.from), detail);
            self.findings.push(Finding { events: life.events, ..finding });
            return;
        };
        let mut events = life.events;
        events.extend(end.iter().filter(|identity| !events.contains(identity)).copied().collect::<Vec<_>>());
        self.grants.push(Grant {
            via: Via::Assignment(self.assignment),
            scope: life.scope,
            principal: facts.principal,
            role: facts.role,
            condition: facts.condition,
            eligible_only: false,
            member_of: None,
            nested: false,
            held: Interval::new(life.from, held_to),
            unknown: unknown.filter(|interval| !interval.is_empty()),
            events,
        });
    }

    /// ACC-13: the scope is gone, and the life with it. Of a life that is doubted, or whose facts only
    /// its own removal may state, that removal says more.
    fn gone(&mut self, one: &Evidence, scope: &Scope) {
        let plain = |life: &Life| life.facts.is_some() && life.absent_at.is_none() && life.scope == *scope;
        if self.life.as_ref().is_some_and(plain) {
            self.removed(one, None, scope, None);
        }
    }

    /// ACC-6: one believed held that a complete listing lacks is unknown from its newest evidence of
    /// life before the listing to the next one after it. Without a next one the listing itself ends
    /// the doubt: from its instant the assignment is gone.
    fn absent(&mut self, one: &Evidence, listing: &Scope) {
        match &mut self.life {
            Some(life) if listing.contains(&life.scope) => {
                if life.absent_at.is_none() {
                    life.absent_at = Some(one.at);
                    life.events.extend(&one.events);
                }
            }
            Some(_) => {}
            None => self.missing_at = Some(one.at),
        }
    }

    /// Leaves a contradicted life at a new proof of presence, which began to hold at `from`.
    /// Answers whether there was one to leave.
    fn leave_contradicted(&mut self, from: Instant, end: &[Identity]) -> bool {
        let Some(Life { alive_at, absent_at: Some(_), .. }) = self.life else { return false };
        self.close(alive_at, Some(Interval::new(alive_at, from)), end);
        true
    }

    fn written(&mut self, one: &Evidence, facts: Option<&GrantFacts>, scope: &Scope) {
        if self.leave_contradicted(one.at, &[]) {
            self.begin(one.at, facts, scope, one);
            return;
        }
        self.present(one, facts, scope, one.at);
    }

    /// ACC-5: a listed assignment is held from its `createdOn` where one is given and believable,
    /// else from the listing's instant, never from midnight. A later listing may still say since when.
    fn listed(&mut self, one: &Evidence, facts: &GrantFacts, scope: &Scope, created_at: Option<Instant>) {
        self.learn_beginning(created_at);
        if let Some(Life { absent_at: Some(absent), .. }) = self.life {
            let from = created_at.filter(|created| *created > absent).unwrap_or(one.at);
            self.leave_contradicted(from, &[]);
            self.begin(from, Some(facts), scope, one);
            return;
        }
        // A creation that is no later than the last removal or known absence is not this life's.
        let gone_at = self.ended.map(|ended| ended.at).max(self.missing_at);
        let created = created_at.filter(|created| gone_at.is_none_or(|gone| gone < *created));
        let begins = self.life.is_none();
        self.present(one, Some(facts), scope, created.unwrap_or(one.at));
        if let Some(life) = self.life.as_mut().filter(|_| begins && created.is_none()) {
            life.older = Some(gone_at.unwrap_or(Instant::MIN_UTC));
        }
    }

    /// ACC-5: a life that nobody saw begin is as old as the first answer that states its creation says, where
    /// that is believable. Never used where the beginning is known: `createdOn` differs between answers.
    fn learn_beginning(&mut self, created_at: Option<Instant>) {
        let Some((life, created)) = self.life.as_mut().zip(created_at) else { return };
        if life.older.is_some_and(|bound| bound < created) && created < life.from {
            (life.from, life.older) = (created, None);
        }
    }

    /// Evidence of life at an instant, without contradiction before it.
    fn present(&mut self, one: &Evidence, facts: Option<&GrantFacts>, scope: &Scope, from: Instant) {
        let Some(life) = &mut self.life else {
            self.begin(from, facts, scope, one);
            return;
        };
        if differs(life, facts, scope) {
            self.changed(one, facts);
            self.close(one.at, None, &one.events);
            self.begin(one.at, facts, scope, one);
            return;
        }
        life.alive_at = life.alive_at.max(one.at);
        life.events.extend(&one.events);
        match (&mut life.facts, facts) {
            (Some(known), Some(stated)) => known.condition.clone_from(&stated.condition),
            (known @ None, Some(stated)) => *known = Some(stated.clone()),
            (_, None) => {}
        }
    }

    /// ACC-4: a removal ends a life; of an unknown life it proves [createdOn, removal) where its body
    /// says when it was created, clipped at the previous removal, and otherwise only that something
    /// was there. Never used where the creation is known: `createdOn` differs between answers.
    fn removed(&mut self, one: &Evidence, facts: Option<&GrantFacts>, scope: &Scope, created_at: Option<Instant>) {
        self.learn_beginning(created_at);
        if let Some(life) = &mut self.life {
            if *scope != life.scope {
                let detail = format!("{} was granted on {} and removed on {scope}", self.assignment, life.scope);
                let finding = Finding::new(Code::DifferingScope, about(&life.scope, one.at), detail);
                self.findings.push(Finding { events: one.events.clone(), ..finding });
            }
            if life.facts.is_none() {
                life.facts = facts.cloned();
            }
        }
        match &self.life {
            Some(Life { absent_at: Some(absent), alive_at, .. }) => {
                let (absent, alive_at) = (*absent, *alive_at);
                let again = created_at.filter(|created| *created > absent && *created < one.at);
                self.close(alive_at, Some(Interval::new(alive_at, again.unwrap_or(one.at))), &one.events);
                if let Some(created) = again {
                    self.begin(created, facts, scope, one);
                    self.close(one.at, None, &[]);
                }
                self.ended = Some(Ended { at: one.at, known_creation: true });
            }
            Some(_) => {
                self.close(one.at, None, &one.events);
                self.ended = Some(Ended { at: one.at, known_creation: true });
            }
            None => self.removed_unknown(one, facts, scope, created_at),
        }
        self.missing_at = None;
    }

    fn removed_unknown(
        &mut self,
        one: &Evidence,
        facts: Option<&GrantFacts>,
        scope: &Scope,
        created_at: Option<Instant>,
    ) {
        let Some(facts) = facts else { return };
        let gone_at = self.ended.map(|ended| ended.at).max(self.missing_at);
        let proven = match (created_at, self.ended) {
            (Some(created), Some(ended)) if created <= ended.at => {
                if ended.known_creation {
                    return; // A second removal of the same life proves nothing.
                }
                Some(ended.at)
            }
            (Some(created), _) => Some(gone_at.map_or(created, |gone| gone.max(created))),
            (None, Some(_)) => return,
            (None, None) => None,
        };
        self.begin(proven.unwrap_or(one.at), Some(facts), scope, one);
        // Without a creation it was there for some time since it was last known to be missing.
        let unknown = proven.is_none().then(|| Interval::new(gone_at.unwrap_or(Instant::MIN_UTC), one.at));
        self.close(one.at, unknown, &[]);
        self.ended = Some(Ended { at: one.at, known_creation: false });
    }

    fn changed(&mut self, one: &Evidence, facts: Option<&GrantFacts>) {
        let Some(life) = &self.life else { return };
        let stated = facts.map_or_else(String::new, |facts| {
            format!(", now principal {} in {}", facts.principal, crate::roles::name(facts.role))
        });
        let detail =
            format!("live assignment {} on {} was written with other facts{stated}", self.assignment, life.scope);
        let finding = Finding::new(Code::ChangedLife, about(&life.scope, one.at), detail);
        self.findings.push(Finding { events: one.events.clone(), ..finding });
    }

    fn finish(&mut self) {
        let Some(life) = &self.life else { return };
        match life.absent_at {
            Some(absent) => {
                let alive_at = life.alive_at;
                self.close(alive_at, Some(Interval::new(alive_at, absent)), &[]);
            }
            None => self.close(Instant::MAX_UTC, None, &[]),
        }
    }
}

/// Whether a record states another principal, role or scope than the life has. A condition may
/// change; unknown facts differ from nothing.
fn differs(life: &Life, facts: Option<&GrantFacts>, scope: &Scope) -> bool {
    let other_facts = match (&life.facts, facts) {
        (Some(known), Some(stated)) => (known.principal, known.role) != (stated.principal, stated.role),
        (None, _) | (_, None) => false,
    };
    other_facts || life.scope != *scope
}
