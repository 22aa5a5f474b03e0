//! How long the leak meter takes, from an access change that is durable to alerts that are written down:
//! one grant that is removed from one subscription, and a partner that is barred, which ends every grant.
//!
//! What is measured is what `pec run` does between the two: putting the facts in order, looking, and writing the
//! file of alerts; with burns at hand, as while nothing happened, and without, as after a start. Only sending
//! them is left out: it takes what the receiver takes.

use domain::entry::{ActivityOperation, AssignmentDeleted, Event, PartnerStanding};
use domain::ids::Guid;
use domain::period::Instant;
use engine::burns::Burns;
use engine::leak::Concern;
use engine::{Ledger, leak};
use journal::wire::{self, Envelope};
use journal::{Batch, Origin};

use super::{Figures, Stopwatch, engine_problem};
use crate::alerts::{self, AtHand};
use crate::exit::Problem;

/// Everything leaks after the second one. The third tells the same again to who has told nothing and has no
/// burn at hand.
pub(super) const STAGES: [&str; 3] =
    ["revoke to alert", "partner barred to alerts", "partner barred to alerts, no burns at hand"];

/// The afternoon of the twentieth day of the month that everything was used in.
fn now() -> Instant {
    let day = super::month().first_day().start() + chrono::TimeDelta::days(19);
    day + chrono::TimeDelta::hours(15)
}

pub(super) fn measure(ledger: &Ledger, stage: &str, dir: &std::path::Path) -> anyhow::Result<Figures> {
    let events = ledger.end();
    let told = alerts::file(dir);
    if told.exists() {
        std::fs::remove_file(told)?;
    }
    let (event, concern) = if stage == STAGES[0] { revoked(ledger)? } else { (barred(ledger)?, Concern::Everything) };
    let mut at_hand = AtHand::default();
    if stage != STAGES[2] {
        while !at_hand.refresh(ledger, now())? {}
    }
    append(ledger, stage, &event)?;
    let watch = Stopwatch::start();
    let (leaking, written) = alerts::look_once(ledger, &mut at_hand, concern, now(), dir)?;
    let figures = watch.stop(stage, events);
    if leaking == 0 || written == 0 {
        let what = format!("`{stage}` ended no access that anything had: nothing was measured");
        return Err(Problem::fault(what).hint("take more events").into());
    }
    Ok(figures)
}

fn append(ledger: &Ledger, id: &str, event: &Event) -> anyhow::Result<()> {
    let envelope = Envelope { id: id.to_owned(), source: "pec bench".to_owned(), time: None, causation_id: None };
    let message = wire::encode(&envelope, event);
    let headers = message.header_refs();
    let mut batch = Batch::new();
    batch.push(Origin::Here, &message.borrow(&headers));
    ledger.append(batch).map_err(engine_problem)?;
    Ok(())
}

/// The removal of the first grant on which some subscription's credit hangs alone.
fn revoked(ledger: &Ledger) -> anyhow::Result<(Event, Concern)> {
    let covered: Vec<Guid> = {
        let facts = ledger.facts().map_err(engine_problem)?;
        let commerce = facts.commerce.view();
        let books = engine::books::Books::new(&facts, &commerce);
        leak::leaks(&books, &mut Burns::default(), now(), None).ends.into_keys().collect()
    };
    for entry in ledger.reader().entries(0) {
        let entry = entry.map_err(|fault| engine_problem(fault.into()))?;
        let Event::AssignmentActivity(activity) = &entry.fact.event else { continue };
        let Some(subscription) = activity.scope.subscription() else { continue };
        let whole = activity.scope.resource_group().is_none();
        if activity.operation == ActivityOperation::Write && whole && covered.contains(&subscription) {
            let scope = activity.scope.clone();
            let deleted = AssignmentDeleted { assignment: activity.assignment, scope, at: now() };
            return Ok((Event::AssignmentDeleted(deleted), Concern::Subscription(subscription)));
        }
    }
    Err(Problem::fault("no subscription has access that could be removed").hint("take more events").into())
}

/// Everybody that plans are billed to loses everything.
fn barred(ledger: &Ledger) -> anyhow::Result<Event> {
    let facts = ledger.facts().map_err(engine_problem)?;
    let commerce = facts.commerce.view();
    let bill_to = commerce.plans().next().map(|plan| plan.bill_to);
    let partner = bill_to.ok_or_else(|| Problem::fault("there is no plan").hint("take more events"))?;
    Ok(Event::PartnerBarred(PartnerStanding { partner, reason: "measured".into(), at: now() }))
}
