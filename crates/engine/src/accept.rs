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
    bill_to: Option<Guid>,
    period: Option<Period>,
    actor: &str,
    reason: &str,
) -> Result<Recorded, Fault> {
    let at = ledger.clock().now()?;
    let decision = Decision { actor: actor.into(), reason: reason.into(), at };
    let name = Name::new(format!("acceptance-recorded/{what}/{}", at.to_rfc3339()));
    ledger.decide(&[(name, Event::AcceptanceRecorded(Acceptance { what: what.into(), bill_to, period, decision }))])
}
