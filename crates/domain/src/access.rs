//! Who held what, when.
//!
//! The book files what was told; [`AccessBook::view`] computes from the whole set, once per
//! question, which grants existed when: lives of role assignments, delegations, schedules, and
//! Partner Admin Links. Nothing here knows a partner or judges; what cannot be known is kept
//! apart as *unknown*, never guessed either way.
//!
//! Reading order: `copies` (one record told twice), `estate` (what existed where), `evidence` (what each record
//! proves), `lives` (assignments), `grants` (delegations, schedules, links), `groups` (members), `denies`
//! (what is refused), `view` (all of it, findable by scope), `whereabouts` (where a resource was, in words).

mod copies;
mod denies;
mod estate;
mod evidence;
mod grants;
mod groups;
mod lives;
mod view;
mod whereabouts;

#[cfg(test)]
mod tests;

pub(crate) use copies::agree;
pub use denies::Deny;
pub use grants::{Grant, PalLink, Via};
pub use view::{Access, DenyId, DenyReach, GrantId, Ground, Reach, Stay};
pub use whereabouts::{Presence, Whereabouts};

use std::borrow::Cow;

use crate::commerce::Commerce;
use crate::entry::{
    ActivityResult, AssignmentActivity, AssignmentCreated, AssignmentDeleted, AssignmentsListed, Delegation,
    DelegationDeleted, DenyAssignment, DenyAssignmentDeleted, Entry, Event, Fact, GroupMemberAdded, GroupMemberRemoved,
    MoveActivity, PalLinked, PalUnlinked, PrincipalDeleted, Schedule, ScheduleCancelled, ScopeChange, ScopeMoved,
    SubscriptionMoved, TreeChange,
};
use crate::filing::{Filing, Said};
use crate::ids::Identity;
use crate::partners::Partners;

macro_rules! book {
    ($($kind:ident => $field:ident: $body:ty,)*) => {
        /// Everything that was told about access, each kind by its own identity.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct AccessBook { $($field: Filing<$body>,)* }

        impl AccessBook {
            fn file(&mut self, fact: &Fact) {
                match &fact.event {
                    $(Event::$kind(body) => self.$field.file(fact.identity, fact.digest, body.clone()),)*
                    _ => {}
                }
            }

            pub fn hear(&mut self, said: Said<'_>) {
                $(self.$field.hear(said);)*
            }
        }
    };
}

book! {
    AssignmentCreated => created: AssignmentCreated,
    AssignmentDeleted => deleted: AssignmentDeleted,
    AssignmentsListed => listed: AssignmentsListed,
    AssignmentActivity => activity: AssignmentActivity,
    DelegationChanged => delegated: Delegation,
    DelegationDeleted => undelegated: DelegationDeleted,
    ScheduleCreated => scheduled: Schedule,
    ScheduleCancelled => cancelled: ScheduleCancelled,
    PalLinked => linked: PalLinked,
    PalUnlinked => unlinked: PalUnlinked,
    DenyAssigned => denied: DenyAssignment,
    DenyRemoved => undenied: DenyAssignmentDeleted,
    GroupMemberAdded => joined: GroupMemberAdded,
    GroupMemberRemoved => left: GroupMemberRemoved,
    PrincipalDeleted => departed: PrincipalDeleted,
    ScopeCreated => founded: ScopeChange,
    ScopeDeleted => gone: ScopeChange,
    ScopeMoved => moved: ScopeMoved,
    SubscriptionMoved => emigrated: SubscriptionMoved,
    TreeChanged => tree: TreeChange,
    MoveActivity => moves: MoveActivity,
}

impl AccessBook {
    pub fn apply(&mut self, entry: &Entry) {
        self.file(&entry.fact);
        // An incumbent is already filed, unless this fold began after it.
        let antecedent = entry.antecedent.as_deref().map(|antecedent| &antecedent.fact);
        if let Some(fact) = antecedent.filter(|fact| fact.identity == entry.fact.identity) {
            self.file(fact);
        }
    }

    /// Works out who held what, when. Commerce says when a subscription began to exist; partners say
    /// which groups are known for what they are, and whose people are of interest in all others.
    #[must_use]
    pub fn view(&self, commerce: &Commerce, partners: &Partners) -> Access {
        view::build(self, commerce, partners)
    }

    /// Azure's records, each put together from its copies. Nearly all came once, and are only lent.
    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.activity.drawers().filter_map(|(identity, drawer)| {
            let (_, effective) = drawer.effective()?;
            let others = drawer.bodies().map(|(_, copy)| copy).filter(|copy| !std::ptr::eq(*copy, effective));
            let record = others
                .fold(Cow::Borrowed(effective), |record, copy| Cow::Owned(copies::join(record.into_owned(), copy)));
            Some((identity, record))
        })
    }
}

/// One of Azure's records.
type Record<'a> = (Identity, Cow<'a, AssignmentActivity>);

/// Whether a record tells how an operation ended (as opposed to that it began or was taken on).
fn is_result(result: ActivityResult) -> bool {
    match result {
        ActivityResult::Succeeded | ActivityResult::NoContent | ActivityResult::Failed => true,
        ActivityResult::Started | ActivityResult::Accepted => false,
    }
}
