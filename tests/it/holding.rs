//! Reading the facts for long while others append: nobody waits, and whoever read folds what had to.

use engine::{Clock, Ledger};
use journal::{Batch, Options, Origin};

use crate::kafka;

/// Appends one message that nobody can read, and says how many entries wait to be folded then.
fn append(ledger: &Ledger, number: usize) -> usize {
    let message = kafka::message(number);
    let mut batch = Batch::new();
    batch.push(Origin::Here, &message.borrow(&message.header_refs()));
    ledger.append(batch).unwrap();
    ledger.waiting().unwrap()
}

#[test]
fn what_waited_for_a_long_reader_is_folded_by_it_and_not_by_the_next_append() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { create: true, ..Options::default() };
    let ledger = Ledger::open(dir.path(), &options, Clock::start(), &mut |_, _| {}).unwrap();
    assert_eq!(append(&ledger, 0), 0, "nobody reads");
    let (first, second) = (ledger.facts().unwrap(), ledger.facts().unwrap());
    let known = first.end();
    for number in 1..=50 {
        assert_eq!(append(&ledger, number), number, "appending does not wait for a reader");
    }
    drop(first);
    assert_eq!(ledger.waiting().unwrap(), 50, "somebody still reads");
    assert_eq!(second.end(), known, "what is being read does not change");
    drop(second);
    assert_eq!(ledger.waiting().unwrap(), 0);
    assert_eq!(ledger.facts().unwrap().end(), ledger.end());
}
