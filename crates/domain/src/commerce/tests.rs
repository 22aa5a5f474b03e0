//! Transfers that are asked for, and where usage of an instant belongs.

use super::*;
use crate::entry::Event;
use crate::testing::*;

const SECOND: Guid = Guid(0xa2);

/// A subscription whose transfer to a second plan was asked for on 1 September.
fn asked() -> World {
    let mut world = World::new();
    world.plan(SECOND, BILL_TO, None, "2020-01-01");
    world.tell(Event::TransferRequested(move_at("2020-09-01")));
    world
}

fn move_at(time: &str) -> Move {
    Move { subscription: SUBSCRIPTION, to_plan: SECOND, at: at(time) }
}

/// USE-7: a request is open until it is withdrawn or the transfer is completed.
#[test]
fn a_transfer_is_open_until_it_is_withdrawn_or_completed() {
    let open = |world: &World| world.facts.commerce.view().transfer_requests().collect::<Vec<_>>();
    let mut withdrawn = asked();
    assert_eq!(open(&withdrawn), [(SUBSCRIPTION, SECOND, at("2020-09-01"))]);
    withdrawn.tell(Event::TransferCancelled(move_at("2020-09-05")));
    assert_eq!(open(&withdrawn), []);
    let mut completed = asked();
    let (subscription, to_plan) = (SUBSCRIPTION, SECOND);
    completed.tell(Event::TransferCompleted(TransferCompleted { subscription, to_plan, at: at("2020-09-05") }));
    assert_eq!(open(&completed), []);
}

/// USE-7: a transfer is completed within 30 days of its request; later it is named.
#[test]
fn a_transfer_later_than_thirty_days_after_its_request_is_named() {
    for (completed, expected) in
        [("2020-09-02", vec![]), ("2020-10-01", vec![]), ("2020-10-01T00:00:01Z", vec![Code::TransferOutOfOrder])]
    {
        let mut world = asked();
        let (subscription, to_plan) = (SUBSCRIPTION, SECOND);
        world.tell(Event::TransferCompleted(TransferCompleted { subscription, to_plan, at: at(completed) }));
        let codes: Vec<Code> = world.facts.commerce.view().oddities().iter().map(|odd| odd.code).collect();
        assert_eq!(codes, expected, "completed at {completed}");
    }
}

/// USE-1: usage of a single instant belongs where its instant lies.
#[test]
fn usage_without_a_length_belongs_where_it_begins() {
    let commerce = World::new().facts.commerce.view();
    let of = |instant: &str| commerce.placement_of(SUBSCRIPTION, (at(instant), at(instant)), None);
    assert_eq!(of("2020-01-01").map(|placed| placed.plan), Some(PLAN));
    assert_eq!(of("2019-12-31T23:59:59Z"), None, "it was not yet created");
}
