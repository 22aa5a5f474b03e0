//! The words of a scenario's table: what each one tells, a file for each stream of events.
//!
//! Each file answers the words that it knows and leaves the others alone; a word that none of them
//! knows is refused. `docs/scenarios.md` lists the words, and a test keeps the list whole.

mod access;
mod azure_records;
mod charges;
mod channel;
mod commerce;
mod estate;
mod partners;
mod policy;
mod sheets;
mod usage;

use anyhow::bail;
use domain::entry::Event;

use super::memory::Body;
use super::reading::Line;

/// Every word, for the document that explains them.
pub const WORDS: &[&[&str]] = &[
    access::WORDS,
    azure_records::WORDS,
    channel::WORDS,
    charges::WORDS,
    commerce::WORDS,
    estate::WORDS,
    partners::WORDS,
    policy::WORDS,
    sheets::RATES,
    sheets::WORDS,
    usage::WORDS,
];

impl Line<'_> {
    /// What the line tells: one thing, or several, each with the end of its id.
    pub(super) fn bodies(&self) -> anyhow::Result<Vec<(String, Body)>> {
        if let Some(what) = self.what.strip_prefix("azure-") {
            return Ok(vec![(String::new(), Body::Record(self.azure_record(what)?))]);
        }
        if sheets::WORDS.contains(&self.what) {
            let events = self.price_sheet()?;
            return Ok(events.into_iter().map(|(id, event)| (format!("-{id}"), Body::Event(event))).collect());
        }
        Ok(vec![(String::new(), Body::Event(self.event()?))])
    }

    fn event(&self) -> anyhow::Result<Event> {
        let event = match self.what {
            word if access::WORDS.contains(&word) => self.access()?,
            word if charges::WORDS.contains(&word) => self.money()?,
            word if channel::WORDS.contains(&word) => self.channel()?,
            word if commerce::WORDS.contains(&word) => self.commerce()?,
            word if estate::WORDS.contains(&word) => self.estate()?,
            word if partners::WORDS.contains(&word) => self.partner()?,
            word if policy::WORDS.contains(&word) => self.policy()?,
            word if sheets::RATES.contains(&word) => self.exchange_rate()?,
            word if usage::WORDS.contains(&word) => self.usage()?,
            other => bail!("nobody knows the word `{other}`; docs/scenarios.md lists those there are"),
        };
        Ok(event)
    }
}
