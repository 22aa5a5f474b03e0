//! Acceptances: a person takes responsibility for something that would otherwise stop us.

use domain::entry::{Acceptance, Decision, Event};
use domain::ids::Guid;
use domain::period::Period;

use crate::decision::Name;
use crate::fault::Fault;
use crate::ledger::{Ledger, Recorded};

/// Records that somebody accepted `what`, for a partner and period where it concerns only those.
pub fn record(
    ledger: &Ledger,
    what: &str,
    concerning: Option<(Guid, Period)>,
    actor: &str,
    reason: &str,
) -> Result<Recorded, Fault> {
    let decision = Decision { actor: actor.into(), reason: reason.into(), at: ledger.clock().now()? };
    let (bill_to, period) = concerning.unzip();
    let acceptance = Acceptance { what: what.into(), bill_to, period, decision };
    ledger.decide(&[(name(&acceptance), Event::AcceptanceRecorded(acceptance))])
}

/// An acceptance is named by what it is, for whom, and when.
#[must_use]
pub(crate) fn name(acceptance: &Acceptance) -> Name {
    let bill_to = acceptance.bill_to.map_or_else(|| "all".to_owned(), |bill_to| bill_to.to_string());
    let period = acceptance.period.map_or_else(|| "always".to_owned(), |period| period.to_string());
    Name::new(format!("acceptance/{}/{bill_to}/{period}/{}", acceptance.what, acceptance.decision.at.to_rfc3339()))
}
