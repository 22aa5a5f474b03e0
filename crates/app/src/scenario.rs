//! Scenarios: small worlds in tables that finance can read, with what `pec` must say about them.
//!
//! A file is read ([`reading`], [`words`]), played at several depths ([`playing`]): in memory,
//! through a journal on disk, replayed from that journal; and what comes out is printed as tables
//! ([`tables`]) and laid beside the expected ones ([`comparing`]). The command `pec scenario` and
//! the tests use the same code, so that what finance sees is what guards the rules. Nothing here
//! touches a user's own journal.

pub mod azure;
pub mod comparing;
pub mod memory;
pub mod orders;
pub mod playing;
pub mod reading;
pub mod stage;
pub mod tables;
pub mod words;

use anyhow::bail;

use comparing::Difference;
use reading::Scenario;
use tables::Tables;

/// A scenario that was read and played.
#[derive(Debug)]
pub struct Played {
    pub scenario: Scenario,
    /// What the file expects.
    pub expected: Tables,
    /// What comes out, the same at every depth.
    pub computed: Tables,
}

impl Played {
    /// Reads a file's text and plays it at every depth; refuses one that says different things in
    /// memory, through a journal and replayed from it.
    pub fn of(path: &str, text: &str) -> anyhow::Result<Self> {
        let scenario = reading::read(path, text)?;
        let expected = comparing::expected(text)?;
        let computed = tables::printed(&scenario, &playing::in_memory(&scenario, None)?, &expected)?;
        let (live, again) = playing::on_disk(&scenario)?;
        for (depth, facts) in [("through a journal", &live), ("replayed from a journal", &again)] {
            if tables::printed(&scenario, facts, &expected)? != computed {
                bail!("{path} says something else {depth} than in memory: report it with the file");
            }
        }
        Ok(Self { scenario, expected, computed })
    }

    /// Every table that is not as expected, with the lines that differ.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        comparing::differences(&self.expected, &self.computed)
    }
}
