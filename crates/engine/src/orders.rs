//! Answers to orders, appended once: after the orders are durable, before anybody is told.
//!
//! Each answer has a name made of the order's event and a number, so that two who answer at once
//! make one answer. What is due is the domain's to say; nothing here judges.

use domain::entry::{ChannelEvent, Event, OrderAnswered};
use domain::order::{self, Desk};

use crate::decision::Name;
use crate::fault::Fault;
use crate::ledger::Ledger;

/// Answers every order that has no answer yet, or whose verdict later facts have changed.
pub fn answer(ledger: &Ledger, actor: &str) -> Result<Vec<OrderAnswered>, Fault> {
    let _turn = ledger.closing()?;
    let now = ledger.clock().now()?;
    let due = {
        let facts = ledger.facts()?;
        if !facts.channel.has_orders() {
            return Ok(Vec::new());
        }
        let commerce = facts.commerce.view();
        order::due(&Desk::new(&facts, &commerce), actor, now)
    };
    if due.is_empty() {
        return Ok(due);
    }
    let named = |answer: &OrderAnswered| {
        (Name::new(answer.answer.to_string()), Event::from(ChannelEvent::OrderAnswered(answer.clone())))
    };
    ledger.decide(&due.iter().map(named).collect::<Vec<_>>())?;
    Ok(due)
}
