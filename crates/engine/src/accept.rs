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
    let (bill_to, period) = concerning.unzip();
    let decision = Decision { actor: actor.into(), reason: reason.into(), at: ledger.clock().now()? };
    append(ledger, vec![Acceptance { what: what.into(), about: None, bill_to, period, decision }])
}

/// Records what somebody accepted, each `(what, about)` as an event of its own, in one batch.
pub fn record_all(
    ledger: &Ledger,
    accepted: &[(String, String)],
    actor: &str,
    reason: &str,
) -> Result<Recorded, Fault> {
    let decision = Decision { actor: actor.into(), reason: reason.into(), at: ledger.clock().now()? };
    let acceptance = |(what, about): &(String, String)| Acceptance {
        what: what.as_str().into(),
        about: Some(about.as_str().into()),
        bill_to: None,
        period: None,
        decision: decision.clone(),
    };
    append(ledger, accepted.iter().map(acceptance).collect())
}

fn append(ledger: &Ledger, acceptances: Vec<Acceptance>) -> Result<Recorded, Fault> {
    let named: Vec<(Name, Event)> =
        acceptances.into_iter().map(|one| (name(&one), Event::AcceptanceRecorded(one))).collect();
    ledger.decide(&named)
}

/// An acceptance is named by what it is, for whom or of what, and when.
#[must_use]
pub(crate) fn name(acceptance: &Acceptance) -> Name {
    let bill_to = acceptance.bill_to.map_or_else(|| "all".to_owned(), |bill_to| bill_to.to_string());
    let period = acceptance.period.map_or_else(|| "always".to_owned(), |period| period.to_string());
    let about = acceptance.about.as_deref().map_or_else(String::new, |about| {
        let digest = blake3::hash(about.as_bytes()).to_hex();
        format!("/{}", &digest[..16])
    });
    let at = acceptance.decision.at.to_rfc3339();
    Name::new(format!("acceptance/{}/{bill_to}/{period}/{at}{about}", acceptance.what))
}
