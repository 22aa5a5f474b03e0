//! `pec access`: who held what when, with the gaps and the reasons; and which access is of a kind
//! that costs credit although it is good practice: just-in-time, timed, soon to end.

mod ours;
mod report;
mod timeline;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Context, period};
use crate::exit::Exit;
use crate::output::Output;

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec access timeline vm00018 --from 2026-01-01 --to 2026-01-31\n  pec access report --period 2026-01"
)]
pub struct Accesses {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    Timeline(timeline::Timeline),
    Report(report::Report),
}

impl Accesses {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        match &self.action {
            Action::Timeline(timeline) => timeline.run(context, out),
            Action::Report(report) => report.run(context, out),
        }
    }
}

/// A stretch of time; an end that is not there is absent.
#[derive(Serialize, Clone, PartialEq, Debug)]
struct Stretch {
    from: Option<String>,
    to: Option<String>,
}

impl Stretch {
    fn new(interval: domain::period::Interval) -> Self {
        use domain::period::Instant;
        let known = |at: Instant| (at != Instant::MIN_UTC && at != Instant::MAX_UTC).then(|| period::instant(at));
        Self { from: known(interval.from), to: known(interval.to) }
    }

    fn all(intervals: &[domain::period::Interval]) -> Vec<Self> {
        intervals.iter().copied().map(Self::new).collect()
    }

    /// To the minute, for people.
    fn text(&self) -> String {
        let minute = |text: &str| text.get(..16).map_or_else(|| text.to_owned(), |minute| minute.replace('T', " "));
        match (&self.from, &self.to) {
            (None, None) => "always".to_owned(),
            (None, Some(to)) => format!("until {}", minute(to)),
            (Some(from), None) => format!("since {}", minute(from)),
            (Some(from), Some(to)) => format!("{} – {}", minute(from), minute(to)),
        }
    }
}
