//! Answers that hold nothing, and why: nothing is known, or nothing was recorded by then. They say it in
//! text and in JSON alike and end fine in both, because nothing was refused.

use domain::period::{Instant, Period};
use engine::books::Books;
use serde::Serialize;

use super::start::fault;
use super::{Context, invoice, period};
use crate::exit::{Exit, Problem};
use crate::output::Output;

/// In place of the lines of a list: `schemas/output/nothing.v1.json`. Without it a program could
/// take what is not known for what is not owed.
#[derive(Serialize, Clone)]
pub(super) struct Nothing {
    schema: &'static str,
    rules_version: u32,
    what: String,
    hint: String,
}

impl Nothing {
    /// Of a month: what it lacks, or that its question goes back further than the journal.
    pub(super) fn of(
        context: &Context<'_>,
        as_of: Option<Instant>,
        books: &Books<'_>,
        month: Period,
    ) -> anyhow::Result<Self> {
        let early = as_of.map(|asked| before_the_journal(context, asked)).transpose()?.flatten();
        Ok(Self::from(early.unwrap_or_else(|| invoice::nothing(books, month))))
    }

    /// As a list: one line, which says that there are no others.
    pub(super) fn say(&self, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        if json {
            out.ndjson(self)?;
            return Ok(Exit::Fine);
        }
        let mut letters = self.what.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        out.line(format!("{first}{}.", letters.as_str()))?;
        out.note(format!(" hint: {}", self.hint))?;
        Ok(Exit::Fine)
    }
}

impl From<Problem> for Nothing {
    fn from(problem: Problem) -> Self {
        Self {
            schema: "pec.nothing.v1",
            rules_version: domain::policy::RULES_VERSION,
            what: problem.what,
            hint: problem.hint.unwrap_or_default(),
        }
    }
}

/// That a question goes back to before anything was recorded, if it does.
fn before_the_journal(context: &Context<'_>, asked: Instant) -> anyhow::Result<Option<Problem>> {
    let first = context.ledger.reader().entries(0).next().transpose();
    let first = first.map_err(|error| fault(error.into()))?.map(|entry| entry.recorded_at);
    Ok(first.filter(|first| asked < *first).map(|first| {
        let (asked, first) = (period::instant(asked), period::instant(first));
        Problem::refused(format!("nothing was recorded by {asked}: the journal's first message is of {first}")).hint(
            "--as-of asks what was recorded by then, not what was true then; without it, all that is known answers",
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_nothing_keeps_its_hint() {
        let nothing = Nothing::from(Problem::refused("no usage is known yet").hint("pec import usage.jsonl"));
        assert_eq!((nothing.what.as_str(), nothing.hint.as_str()), ("no usage is known yet", "pec import usage.jsonl"));
    }
}
