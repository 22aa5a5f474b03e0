//! The word for a price sheet beside those of the stage: newer, equal, incomplete, or not what it states.

use anyhow::{Context as _, bail};
use domain::entry::{Event, PriceRow};
use domain::ids::Digest;
use domain::period::Period;

use crate::scenario::reading::Line;
use crate::scenario::stage;

pub(super) const WORDS: &[&str] = &["sheet"];

/// Columns with a name that are no meter.
const OWN: [&str; 4] = ["recorded", "as", "published", "quarantined"];

impl Line<'_> {
    /// The header, and the one part that has the rows, each with the end of its id.
    pub(super) fn price_sheet(&self) -> anyhow::Result<Vec<(String, Event)>> {
        let (market, month) = (self.column(0, "a market")?, self.column(1, "a month")?);
        let period = Period::parse(month).context("that is no month such as 2025-03")?;
        let mut rows: Vec<PriceRow> = Vec::new();
        for (meter, price) in self.named.iter().filter(|(name, _)| !OWN.contains(name)) {
            self.names.meter(meter.split(':').next().unwrap_or_default())?;
            rows.extend(stage::rows(meter, price, period)?);
        }
        let published = self.time("published")?.unwrap_or(self.at);
        let id = format!("sheet-of-line-{}", self.number + 1);
        let mut events = stage::sheet((market, period, published), &id, rows)?;
        match self.rest.get(2).copied() {
            None => {}
            Some("incomplete") => events.truncate(1),
            Some("other-digest") => {
                if let Some((_, Event::PriceSheetPublished(header))) = events.first_mut() {
                    header.rows_digest = Digest([7; 32]);
                }
            }
            Some(other) => bail!("`{other}`: there are incomplete and other-digest"),
        }
        Ok(events)
    }
}
