//! The word for a policy document: one field of it, from a day on.

use domain::entry::{Event, PolicyDocument, PolicySetting};
use domain::period::Day;

use crate::scenario::reading::Line;

pub(super) const WORDS: &[&str] = &["policy"];

impl Line<'_> {
    pub(super) fn policy(&self) -> anyhow::Result<Event> {
        let (name, value) = (self.column(0, "a field of the policy")?.into(), self.column(1, "its value")?.into());
        // The later line is the newer document.
        let revision = u32::try_from(self.number)? + 1;
        let settings = vec![PolicySetting { name, value }];
        Ok(Event::PolicyPublished(PolicyDocument { revision, effective_from: Day::of(self.at), settings }))
    }
}
