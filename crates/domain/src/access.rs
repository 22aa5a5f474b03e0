//! Who held what, when.
//!
//! The book files what was told; [`AccessBook::view`] computes from the whole set, once per
//! question, which grants existed when: lives of role assignments, delegations, schedules, and
//! Partner Admin Links. Nothing here knows a partner or judges; what cannot be known is kept
//! apart as *unknown*, never guessed either way.
//!
//! Reading order: `copies` (one record told twice), `evidence` (what each record proves), `lives` (assignments), `grants`
//! (delegations, schedules, links), `view` (all of it, findable by scope).

mod copies;
mod evidence;
mod grants;
mod lives;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use copies::agree;
pub use grants::{Grant, PalLink, Via};
pub use view::{Access, GrantId};

use crate::commerce::Commerce;
use crate::entry::{
    ActivityResult, AssignmentActivity, AssignmentCreated, AssignmentDeleted, AssignmentsListed, ConflictDecided,
    Delegation, DelegationDeleted, Entry, Event, PalLinked, PalUnlinked, Schedule, ScheduleCancelled,
};
use crate::filing::{Drawer, Filing};
use crate::ids::Identity;

/// Everything that was told about access.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessBook {
    created: Filing<AssignmentCreated>,
    deleted: Filing<AssignmentDeleted>,
    listed: Filing<AssignmentsListed>,
    activity: Filing<AssignmentActivity>,
    delegated: Filing<Delegation>,
    undelegated: Filing<DelegationDeleted>,
    scheduled: Filing<Schedule>,
    cancelled: Filing<ScheduleCancelled>,
    linked: Filing<PalLinked>,
    unlinked: Filing<PalUnlinked>,
}

impl AccessBook {
    pub fn apply(&mut self, entry: &Entry) {
        self.file(entry);
        // An incumbent is already filed, unless this fold began after it.
        if let Some(antecedent) = entry.antecedent.as_deref() {
            let fact = &antecedent.fact;
            if fact.identity == entry.fact.identity {
                self.file(&Entry { fact: fact.clone(), antecedent: None, ..entry.clone() });
            }
        }
    }

    fn file(&mut self, entry: &Entry) {
        let (identity, digest) = (entry.fact.identity, entry.fact.digest);
        macro_rules! into {
            ($($kind:ident => $book:ident),*) => {
                $(if let Event::$kind(body) = &entry.fact.event {
                    self.$book.file(identity, digest, body.clone());
                })*
            };
        }
        into!(AssignmentCreated => created, AssignmentDeleted => deleted, AssignmentsListed => listed,
            AssignmentActivity => activity, DelegationChanged => delegated, DelegationDeleted => undelegated,
            ScheduleCreated => scheduled, ScheduleCancelled => cancelled, PalLinked => linked, PalUnlinked => unlinked);
    }

    pub fn decide(&mut self, decided: &ConflictDecided) {
        self.created.decide(decided);
        self.deleted.decide(decided);
        self.listed.decide(decided);
        self.activity.decide(decided);
        self.delegated.decide(decided);
        self.undelegated.decide(decided);
        self.scheduled.decide(decided);
        self.cancelled.decide(decided);
        self.linked.decide(decided);
        self.unlinked.decide(decided);
    }

    /// Works out who held what, when. Commerce says when a subscription began to exist.
    #[must_use]
    pub fn view(&self, commerce: &Commerce) -> Access {
        view::build(self, commerce)
    }

    /// Azure's records, each put together from its copies.
    fn records(&self) -> impl Iterator<Item = (Identity, AssignmentActivity)> {
        self.activity.iter().map(|(identity, effective)| {
            let copies = self.activity.get(identity).into_iter().flat_map(Drawer::bodies);
            (identity, copies.fold(effective.clone(), |record, (_, copy)| copies::join(record, copy)))
        })
    }
}

/// Whether a record tells how an operation ended (as opposed to that it began or was taken on).
fn is_result(result: ActivityResult) -> bool {
    match result {
        ActivityResult::Succeeded | ActivityResult::NoContent | ActivityResult::Failed => true,
        ActivityResult::Started | ActivityResult::Accepted => false,
    }
}
