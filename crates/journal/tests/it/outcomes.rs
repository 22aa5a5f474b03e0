//! Outcomes are decided once, stored, and the same however the journal is read.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{
    Decision, Entry, EntryRedriven, EntryRef, Event, MessageName, Outcome, UsageAdjusted, UsageVoided,
};
use domain::facts::Facts;
use domain::ids::{Digest, Identity};
use domain::money::Exact;
use domain::projection::Projection as _;
use journal::wire::{self, Envelope, Rejection};
use journal::{Batch, Journal, Options, Origin};
use rust_decimal::Decimal;

use crate::common::{append_usage, at, options, outcomes, push_event, push_unreadable, quick_dir, small, usage};

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
    let told: Vec<Vec<Entry>> =
        (0..).zip([0, 1, 99]).map(|(number, named)| redrive(&mut journal, number, named, None)).collect();
    let shape = |entries: &[domain::entry::Entry]| entries.iter().map(|e| (e.index, e.outcome)).collect::<Vec<_>>();
    assert_eq!(shape(&told[0]), [(0, Outcome::Accepted), (1, Outcome::Quarantined)]);
    assert_eq!(shape(&told[1]), [(0, Outcome::Accepted)], "an accepted entry is not read again");
    assert_eq!(shape(&told[2]), [(0, Outcome::Accepted)], "an entry that does not exist yields nothing");
    let read: Vec<_> = journal.reader().entries(2).map(Result::unwrap).collect();
    assert_eq!(read, told.concat());
}

/// Decides to read an entry again, and gives what that recorded.
fn redrive(journal: &mut Journal, number: u32, position: u64, digest: Option<Digest>) -> Vec<Entry> {
    let decision = Decision { actor: "ada".into(), reason: "fixed".into(), at: at(0) };
    let message = digest.map(|digest| MessageName { digest, kafka: None, file: None });
    let event = Event::EntryRedriven(EntryRedriven { entry: EntryRef { position, index: 0 }, message, decision });
    let envelope = Envelope { id: format!("r{number}"), source: "pec".into(), time: Some(at(0)), causation_id: None };
    let message = wire::encode(&envelope, &event);
    let mut batch = Batch::new();
    batch.push(Origin::Here, &message.borrow(&message.header_refs()));
    journal.append(batch, at(0)).unwrap().entries
}

/// An event that an earlier build could not read is read by a decision about it, and by none that was made about
/// another message which stood at its position in another journal.
#[test]
fn a_redrive_reads_only_the_message_that_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    let envelope = Envelope { id: "late".into(), source: "meter".into(), time: Some(at(0)), causation_id: None };
    let message = wire::encode(&envelope, &usage(1, 5));
    let unknown = Rejection { code: "R-unknown-version", detail: "to a build before this one".into() };
    let mut batch = Batch::new();
    batch.push_decoded(Origin::Here, &message.borrow(&message.header_refs()), vec![Err(unknown)]);
    assert_eq!(journal.append(batch, at(0)).unwrap().entries[0].outcome, Outcome::Quarantined);

    let own = journal::message_digest(&message.borrow(&message.header_refs()));
    let mut told = redrive(&mut journal, 0, 0, Some(Digest([7; 32])));
    assert_eq!(told.len(), 1, "another message stood there");
    told.extend(redrive(&mut journal, 1, 0, Some(own)));
    let read: Vec<_> = told.iter().map(|entry| (entry.position, entry.index, entry.outcome)).collect();
    assert_eq!(read, [(1, 0, Outcome::Accepted), (2, 0, Outcome::Accepted), (2, 1, Outcome::Accepted)]);
    assert_eq!(told[2].fact.event, usage(1, 5));
    journal.close().unwrap();
    let journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
    assert_eq!(journal.reader().entries(1).map(Result::unwrap).collect::<Vec<_>>(), told);
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

/// Net quantities by place, as the fold makes them of these entries.
fn sums(entries: &[Entry]) -> BTreeMap<String, String> {
    let mut facts = Facts::default();
    entries.iter().for_each(|entry| facts.apply(entry));
    let mut sums: BTreeMap<String, Exact> = BTreeMap::new();
    for consumption in facts.usage.consumption() {
        for (_, _, quantity) in consumption.slices() {
            *sums.entry(consumption.place.scope.to_string()).or_default() += &quantity.exact();
        }
    }
    sums.retain(|_, sum| *sum != Exact::zero());
    sums.into_iter().map(|(place, sum)| (place, sum.to_string())).collect()
}

fn orders(of: &[usize]) -> Vec<Vec<usize>> {
    let [_, _, ..] = of else { return vec![of.to_vec()] };
    let mut all = Vec::new();
    for (index, first) in of.iter().enumerate() {
        let mut rest = of.to_vec();
        rest.remove(index);
        all.extend(orders(&rest).into_iter().map(|tail| [vec![*first], tail].concat()));
    }
    all
}

/// Two usage events, and one correction told in two ways that name one of them each (or, the second
/// time, told first as usage itself): whichever comes first, between or last, live or replayed, drafts
/// use the body with the smallest digest, and only on the usage that this body names.
#[test]
fn a_correction_told_in_two_ways_counts_the_same_in_every_order() {
    let adjusted = |quantity| {
        let (target, quantity) = (Identity::default(), Decimal::from(quantity));
        Event::UsageAdjusted(UsageAdjusted { target, quantity, reason: None })
    };
    for second_body in [("c", Some("u2"), adjusted(-7)), ("c", None, usage(3, 50))] {
        let told = [
            ("u1", None, usage(1, 10)),
            ("u2", None, usage(2, 20)),
            ("c", Some("u1"), adjusted(-3)),
            second_body,
            ("v", Some("u2"), adjusted(1)),
        ];
        let mut answers = BTreeSet::new();
        let mut forgetful = BTreeSet::new();
        for order in orders(&[0, 1, 2, 3, 4]) {
            let dir = quick_dir();
            let mut journal = Journal::open(dir.path(), &options(), at(0)).unwrap();
            let mut live = Vec::new();
            let mut offset = 0;
            for half in [&order[..2], &order[2..]] {
                let mut batch = Batch::new();
                for number in half {
                    let (id, target, event) = &told[*number];
                    push_event(&mut batch, offset, id, *target, event);
                    offset += 1;
                }
                live.extend(journal.append(batch, at(0)).unwrap().entries);
            }
            let replayed: Vec<Entry> = journal.reader().entries(0).map(Result::unwrap).collect();
            assert_eq!(replayed, live, "{order:?}");
            answers.insert(sums(&live));
            for entry in &mut live {
                (entry.antecedent, entry.incumbent) = (None, None);
            }
            forgetful.insert(sums(&live));
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
        // Negative control: the fold alone, which forgets usage, cannot know.
        assert!(forgetful.len() > 1);
    }
}
