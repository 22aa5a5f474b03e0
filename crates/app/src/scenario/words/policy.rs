//! The word for a policy document: one field of it, from a day on.

use anyhow::Context as _;
use domain::entry::{Event, PolicyDocument, PolicySetting};
use domain::period::Day;
use domain::policy::ROLE_PREFIX;

use crate::scenario::reading::Line;
use crate::scenario::stage::role;

pub(super) const WORDS: &[&str] = &["policy"];

impl Line<'_> {
    pub(super) fn policy(&self) -> anyhow::Result<Event> {
        let field = self.column(0, "a field of the policy")?;
        let name = match field.strip_prefix(ROLE_PREFIX) {
            Some(of) => format!("{ROLE_PREFIX}{}", role(of)?),
            None => field.to_owned(),
        };
        self.column(1, "its value")?;
        let values = self.rest.iter().skip(1).map(|value| {
            let meters = field.ends_with("-meters");
            Ok(if meters { self.names.meter(value)?.to_string() } else { (*value).to_owned() })
        });
        let value = values.collect::<anyhow::Result<Vec<String>>>()?.join(" ");
        let settings = vec![PolicySetting { name: name.into(), value: value.into() }];
        // The later line is the newer document, unless it says otherwise.
        let revision = self.named.get("revision").map_or(Ok(u32::try_from(self.number)? + 1), |text| text.parse());
        let revision = revision.context("`revision=` is no whole number")?;
        Ok(Event::PolicyPublished(PolicyDocument { revision, effective_from: Day::of(self.at), settings }))
    }
}
