//! Words about usage and its corrections.

use anyhow::bail;
use chrono::Duration;
use domain::entry::{Event, Stream, Usage, UsageAdjusted, UsageVoided};
use domain::ids::MeterId;

use crate::scenario::memory::SOURCE;
use crate::scenario::reading::Line;
use crate::scenario::stage::{guid, instant, scope};

pub(super) const WORDS: &[&str] = &["usage", "adjust", "void"];

impl Line<'_> {
    pub(super) fn usage(&self) -> anyhow::Result<Event> {
        Ok(match self.what {
            "usage" => Event::UsageRecorded(self.recorded()?),
            "adjust" | "void" => self.correction()?,
            other => bail!("`{other}` is no word about usage"),
        })
    }

    fn recorded(&self) -> anyhow::Result<Usage> {
        let name = self.column(0, "a resource")?;
        let of_resource = name.split('/').next().unwrap_or_default();
        // The entitlement that the meter states; another one than the resource's is a mistake of its.
        let subscription = self.named.get("in").unwrap_or(&of_resource);
        Ok(Usage {
            customer: guid("acme"),
            plan: self.named.get("plan").map(|plan| guid(plan)),
            subscription: guid(subscription),
            resource: Some(scope(name)?),
            resource_group: None,
            meter: MeterId::Guid(guid(self.column(1, "a meter")?)),
            product: None,
            sku: None,
            start: self.at,
            end: self.at + Duration::hours(1),
            quantity: self.decimal(2)?,
            unit: "1 Hour".into(),
            sent: self.named.get("sent").map(|text| instant(text)).transpose()?,
        })
    }

    fn correction(&self) -> anyhow::Result<Event> {
        let target = journal::wire::identity(Stream::Usage, SOURCE, self.column(0, "the name of a usage line")?);
        if self.what == "void" {
            return Ok(Event::UsageVoided(UsageVoided { target, reason: None }));
        }
        Ok(Event::UsageAdjusted(UsageAdjusted { target, quantity: self.decimal(1)?, reason: None }))
    }
}
