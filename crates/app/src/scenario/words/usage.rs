//! Words about usage and its corrections.

use anyhow::{Context as _, bail};
use chrono::Duration;
use domain::entry::{Event, Stream, Usage, UsageAdjusted, UsageVoided};

use crate::scenario::memory::SOURCE;
use crate::scenario::reading::Line;
use crate::scenario::stage::{guid, instant, product};

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
        let hours =
            self.named.get("hours").map_or(Ok(1), |text| text.parse()).context("`hours=` is no whole number")?;
        Ok(Usage {
            customer: guid("acme"),
            plan: self.named.get("plan").map(|plan| self.names.known(plan)).transpose()?,
            subscription: self.names.known(subscription)?,
            resource: Some(self.names.place(name)?),
            resource_group: None,
            meter: self.names.meter(self.column(1, "a meter")?)?,
            product: self.named.get("product").map(|name| product(name)),
            sku: self.named.get("product").map(|_| "0001".into()),
            start: self.at,
            end: self.at + Duration::hours(hours),
            quantity: self.decimal(2)?,
            unit: self.named.get("unit").map_or("1 Hour", |unit| unit).into(),
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
