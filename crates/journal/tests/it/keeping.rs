//! A journal keeps what it was given, verbatim and in order, over closing and opening.

use domain::entry::{Event, Outcome, Stream};
use journal::wire::MessageRef;
use journal::{Batch, Fault, Journal, Options, Origin};

use crate::common::{at, options, outcomes, push_unreadable};

#[test]
fn what_was_appended_is_read_back_verbatim_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    let mut offset = 0;
    for round in 0..20 {
        let mut batch = Batch::new();
        for _ in 0..round {
            push_unreadable(&mut batch, offset, &format!("not json {offset}"));
            offset += 1;
        }
        batch.advance("access", 0, round);
        let appended = journal.append(batch, at(round)).unwrap();
        assert_eq!(appended.next_position - appended.first_position, round as u64);
        let positions: Vec<u64> = appended.entries.iter().map(|entry| entry.position).collect();
        assert_eq!(positions, (appended.first_position..appended.next_position).collect::<Vec<_>>());
    }
    let live: Vec<_> = journal.reader().entries(0).map(Result::unwrap).collect();
    let status = journal.status();
    journal.close().unwrap();

    let journal = Journal::open(dir.path(), &options(), at(30)).unwrap();
    assert_eq!(journal.status().chain, status.chain);
    assert_eq!(journal.end(), 190);
    assert_eq!(outcomes(&journal), vec![Outcome::Quarantined; 190]);
    assert_eq!(journal.reader().entries(0).map(Result::unwrap).collect::<Vec<_>>(), live);
    let from = journal.reader().entries(100).next().unwrap().unwrap();
    assert_eq!(from, live[100]);
    assert!(matches!(from.fact.event, Event::Unreadable(_)));
    let record = journal.reader().record(100).unwrap().unwrap();
    assert_eq!(record.message.value.as_deref(), Some(&b"not json 100"[..]));
    assert_eq!(record.message.headers[1], ("absent".to_owned(), None));
    assert!(matches!(
        record.origin,
        Origin::Kafka { offset: 100, partition: 3, timestamp_ms: Some(1_767_225_600_100), .. }
    ));
    assert_eq!(journal.reader().record(190).unwrap(), None);
    let offsets = journal.offsets();
    assert_eq!((&*offsets[0].topic, offsets[0].partition, offsets[0].next_offset), ("access", 0, 19));
    assert_eq!((&*offsets[1].topic, offsets[1].partition, offsets[1].next_offset), ("usage", 3, 190));
    let (last, digest) = offsets[1].last_delivered.unwrap();
    let message = journal.reader().record(189).unwrap().unwrap().message;
    assert_eq!((last, digest), (189, journal.delivery_key().digest(&message.borrow(&message.header_refs()))));
}

#[test]
fn a_message_larger_than_a_value_is_cut_and_put_together_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    // Digits of a sequence that does not compress well.
    let long: String = (0_u64..60_000).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).to_string()).collect();
    let mut batch = Batch::new();
    push_unreadable(&mut batch, 7, &long);
    journal.append(batch, at(1)).unwrap();
    journal.close().unwrap();
    assert!(!dir.path().join("journal/00000001/blobs").read_dir().unwrap().any(|_| true), "a value went to a blob");
    let journal = Journal::open(dir.path(), &options(), at(1)).unwrap();
    assert_eq!(journal.reader().record(0).unwrap().unwrap().message.value.unwrap(), long.as_bytes());
}

#[test]
fn a_tombstone_occupies_a_position_and_yields_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    let mut batch = Batch::new();
    batch.push(Origin::Here, &MessageRef { stream: Stream::Access, key: Some(b"k"), headers: &[], value: None });
    let appended = journal.append(batch, at(1)).unwrap();
    assert_eq!((appended.entries.len(), appended.next_position), (0, 1));
    let record = journal.reader().record(0).unwrap().unwrap();
    assert_eq!((record.message.value, record.outcomes, record.origin), (None, vec![], Origin::Here));
}

#[test]
fn the_clock_is_believed_within_limits_only() {
    let dir = tempfile::tempdir().unwrap();
    let append = |journal: &mut Journal, seconds| {
        let mut batch = Batch::new();
        push_unreadable(&mut batch, journal.end() as i64, "x");
        journal.append(batch, at(seconds)).map(|appended| appended.entries[0].recorded_at)
    };
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    assert_eq!(append(&mut journal, 1000).unwrap(), at(1000));
    assert_eq!(append(&mut journal, 701).unwrap(), at(1000), "recorded time never goes back");
    assert!(matches!(append(&mut journal, 699), Err(Fault::ClockBehind { .. })));
    assert_eq!(append(&mut journal, 1001).unwrap(), at(1001), "a refusal changes nothing");
    journal.close().unwrap();
    let day = 86_400;
    let open = |seconds, accept_clock| {
        Journal::open(dir.path(), &Options { accept_clock, ..options() }, at(seconds)).map(|_| ())
    };
    assert!(matches!(open(0, false), Err(Fault::ClockBehind { .. })));
    assert!(matches!(open(1001 + 31 * day + 1, false), Err(Fault::ClockAhead { .. })));
    open(1001 + 31 * day, false).unwrap();
    open(1001 + 32 * day, true).unwrap();
}

#[test]
fn offsets_never_go_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    for (offsets, refused) in [(vec![5, 7], false), (vec![7], true), (vec![9, 8], true), (vec![8], false)] {
        let mut batch = Batch::new();
        offsets.iter().for_each(|offset| push_unreadable(&mut batch, *offset, "x"));
        let result = journal.append(batch, at(1));
        assert_eq!(matches!(result, Err(Fault::OffsetWentBack { .. })), refused, "{offsets:?}: {result:?}");
    }
    assert_eq!(journal.end(), 3);
    let mut batch = Batch::new();
    batch.advance("usage", 3, 8);
    assert!(matches!(journal.append(batch, at(1)), Err(Fault::OffsetWentBack { .. })));
}

#[test]
fn one_process_one_owner_and_nothing_is_created_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let unasked = Options { create: false, ..options() };
    assert!(matches!(Journal::open(dir.path(), &unasked, at(0)), Err(Fault::NotAJournal { .. })));
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    assert!(matches!(Journal::open(dir.path(), &options(), at(0)), Err(Fault::Locked { .. })));
    journal.set_cluster_id("cluster-a");
    journal.append(Batch::new(), at(0)).unwrap();
    journal.close().unwrap();
    let journal = Journal::open(dir.path(), &unasked, at(0)).unwrap();
    assert_eq!(journal.cluster_id(), Some("cluster-a"));
    assert_eq!(journal.end(), 0);
}
