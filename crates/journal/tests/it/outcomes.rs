//! Outcomes are decided once, stored, and the same however the journal is read.

use domain::entry::{Decision, EntryRedriven, EntryRef, Event, Outcome, UsageVoided};
use domain::ids::Identity;
use journal::{Batch, Journal, Options};

use crate::common::{append_usage, at, options, outcomes, push_event, push_unreadable, small, usage};

fn one(journal: &mut Journal, id: &str, event: &Event) -> (Outcome, Option<EntryRef>) {
    let mut batch = Batch::new();
    push_event(&mut batch, i64::try_from(journal.end()).unwrap(), id, None, event);
    let entry = journal.append(batch, at(0)).unwrap().entries.remove(0);
    (entry.outcome, entry.antecedent.map(|antecedent| antecedent.at))
}

#[test]
fn duplicates_and_conflicts_are_told_apart_over_segments_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    let first = EntryRef { position: 0, index: 0 };
    for round in 0..3 {
        let begin = if round == 0 { (Outcome::Accepted, None) } else { (Outcome::Duplicate, None) };
        assert_eq!(one(&mut journal, "a", &usage(1, 5)), begin);
        assert_eq!(one(&mut journal, "a", &usage(1, 5)), (Outcome::Duplicate, None));
        let other = if round == 0 { (Outcome::Conflicting, Some(first)) } else { (Outcome::Duplicate, None) };
        assert_eq!(one(&mut journal, "a", &usage(1, 6)), other, "round {round}");
        assert_eq!(one(&mut journal, "a", &usage(1, 100 + round)), (Outcome::Conflicting, Some(first)));
        assert_eq!(one(&mut journal, &format!("b{round}"), &usage(1, 5)).0, Outcome::Accepted);
        if round == 0 {
            journal.rotate().unwrap();
        } else {
            let live = outcomes(&journal);
            journal.close().unwrap();
            journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
            assert_eq!(outcomes(&journal), live);
        }
    }
}

#[test]
fn a_correction_brings_its_target_from_this_batch_an_earlier_one_or_a_sealed_segment() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    append_usage(&mut journal, 0..50);
    let identity = journal.reader().entries(0).next().unwrap().unwrap().fact.identity;
    assert_eq!(journal.entry_of(identity).unwrap(), Some(EntryRef { position: 0, index: 0 }));
    assert_eq!(journal.entry_of(Identity(1)).unwrap(), None);
    let voided = Event::UsageVoided(UsageVoided { target: Identity::default(), reason: None });
    let mut expected = Vec::new();
    for round in 0..3_i64 {
        let mut batch = Batch::new();
        let offset = 100 + round * 10;
        push_event(&mut batch, offset, &format!("early-{round}"), Some(&format!("new-{round}")), &voided);
        push_event(&mut batch, offset + 1, &format!("new-{round}"), None, &usage(7, 7));
        push_event(&mut batch, offset + 2, &format!("here-{round}"), Some(&format!("new-{round}")), &voided);
        push_event(&mut batch, offset + 3, &format!("old-{round}"), Some("u-17"), &voided);
        let entries = journal.append(batch, at(0)).unwrap().entries;
        let targets: Vec<_> = entries.iter().map(|e| e.antecedent.as_ref().map(|a| a.at.position)).collect();
        let at_new = entries[1].position;
        assert_eq!(targets, [None, None, Some(at_new), Some(17)], "round {round}");
        assert_eq!(entries[3].antecedent.as_ref().unwrap().fact.event, usage(17, 17 % 13 + 1));
        expected.extend(entries);
        journal.rotate().unwrap();
    }
    assert_eq!(journal.reader().entries(50).map(Result::unwrap).collect::<Vec<_>>(), expected);
}

#[test]
fn a_redrive_of_what_is_still_unreadable_gives_its_rejection_at_the_position_of_the_decision() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    let mut batch = Batch::new();
    push_unreadable(&mut batch, 0, "{");
    journal.append(batch, at(0)).unwrap();
    append_usage(&mut journal, 1..2);
    let redrive = |position| {
        let decision = Decision { actor: "ada".into(), reason: "fixed".into(), at: at(0) };
        Event::EntryRedriven(EntryRedriven { entry: EntryRef { position, index: 0 }, decision })
    };
    let mut told = Vec::new();
    for (number, named) in [(0_i64, 0), (1, 1), (2, 99)] {
        let message = journal::wire::encode(
            &journal::wire::Envelope {
                id: format!("r{number}"),
                source: "pec".into(),
                time: Some(at(0)),
                causation_id: None,
            },
            &redrive(named),
        );
        let mut batch = Batch::new();
        batch.push(journal::Origin::Here, &message.borrow(&message.header_refs()));
        told.push(journal.append(batch, at(0)).unwrap().entries);
    }
    let shape = |entries: &[domain::entry::Entry]| entries.iter().map(|e| (e.index, e.outcome)).collect::<Vec<_>>();
    assert_eq!(shape(&told[0]), [(0, Outcome::Accepted), (1, Outcome::Quarantined)]);
    assert_eq!(shape(&told[1]), [(0, Outcome::Accepted)], "an accepted entry is not read again");
    assert_eq!(shape(&told[2]), [(0, Outcome::Accepted)], "an entry that does not exist yields nothing");
    let read: Vec<_> = journal.reader().entries(2).map(Result::unwrap).collect();
    assert_eq!(read, told.concat());
}

#[test]
fn full_segments_are_sealed_and_read_back_as_one_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &small(), at(0)).unwrap();
    let mut live = Vec::new();
    for round in 0..40 {
        live.extend(append_usage(&mut journal, round * 50..round * 50 + 50).entries);
    }
    let status = journal.status();
    assert!(status.segments > 3, "{status:?}");
    assert_eq!(status.identities.in_tables + status.identities.in_runs, 2000);
    assert_eq!(journal.reader().entries(0).map(Result::unwrap).collect::<Vec<_>>(), live);
    let again = append_duplicates(&mut journal);
    assert!(again.iter().all(|outcome| *outcome == Outcome::Duplicate));
    journal.close().unwrap();
    let journal = Journal::open(dir.path(), &Options { create: false, ..small() }, at(0)).unwrap();
    assert_eq!(journal.end(), 2200);
    for from in [0, 1, 49, 50, 777, 1999] {
        let read: Vec<_> = journal.reader().entries(from).take(60).map(Result::unwrap).collect();
        let from = usize::try_from(from).unwrap();
        assert_eq!(read[..20.min(2000 - from)], live[from..(from + 20).min(2000)]);
        let record = journal.reader().record(from as u64).unwrap().unwrap();
        assert_eq!(record.position, from as u64);
    }
}

/// The first two hundred events once more, under later offsets.
fn append_duplicates(journal: &mut Journal) -> Vec<Outcome> {
    let mut batch = Batch::new();
    for id in 0..200_u64 {
        push_event(&mut batch, 5000 + i64::try_from(id).unwrap(), &format!("u-{id}"), None, &usage(id, id % 13 + 1));
    }
    journal.append(batch, at(0)).unwrap().entries.into_iter().map(|entry| entry.outcome).collect()
}
