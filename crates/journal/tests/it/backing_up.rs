//! Verify, backup and restore: all of it, and nothing over anything.

use std::cell::RefCell;

use journal::{Fault, Journal, Options, backup, restore, verify};

use crate::common::{append_usage, at, small};

#[test]
fn a_backup_taken_while_the_journal_is_open_restores_to_the_same_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (home, copy, again) = (dir.path().join("home"), dir.path().join("copy"), dir.path().join("again"));
    std::fs::create_dir(&home).unwrap();
    let mut journal = Journal::open(&home, &small(), at(0)).unwrap();
    for round in 0..30 {
        append_usage(&mut journal, round * 50..round * 50 + 50);
    }
    let status = journal.status();
    let report = journal.backup(&copy).unwrap();
    assert_eq!((report.end, report.segments), (1500, status.segments));
    assert!(matches!(journal.backup(&copy), Err(Fault::NotEmpty { .. })));
    append_usage(&mut journal, 1500..1550);
    assert!(matches!(restore(&home, &again, &mut |_, _| ()), Err(Fault::Locked { .. })));

    let mut told = Vec::new();
    let restored = restore(&copy, &again, &mut |done, of| told.push((done, of))).unwrap();
    assert_eq!((restored.chain, restored.messages, restored.entries), (status.chain, 1500, 1500));
    assert_eq!(told.last(), Some(&(1500, 1500)));
    assert!(matches!(restore(&copy, &again, &mut |_, _| ()), Err(Fault::NotEmpty { .. })));
    let second = Journal::open(&again, &Options { create: false, ..small() }, at(0)).unwrap();
    assert_eq!(second.offsets()[0].next_offset, 1500);
    let read = |journal: &Journal| journal.reader().entries(0).take(1500).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(read(&second), read(&journal));
    assert_eq!(journal.verify(&mut |_, _| ()).unwrap().messages, 1550);
    journal.close().unwrap();
    assert_eq!(verify(&home, &mut |_, _| ()).unwrap().messages, 1550);
    assert_eq!(backup(&home, &dir.path().join("third")).unwrap().end, 1550);
}

#[test]
fn a_damaged_or_unfinished_backup_restores_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (home, copy, again) = (dir.path().join("home"), dir.path().join("copy"), dir.path().join("again"));
    std::fs::create_dir(&home).unwrap();
    let mut journal = Journal::open(&home, &small(), at(0)).unwrap();
    for round in 0..15 {
        append_usage(&mut journal, round * 50..round * 50 + 50);
    }
    journal.backup(&copy).unwrap();
    let sealed = copy.join("journal/00000001/db");
    let whole = std::fs::read(&sealed).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 4;
    std::fs::write(&sealed, flipped).unwrap();
    assert!(matches!(restore(&copy, &again, &mut |_, _| ()), Err(Fault::Damaged { .. })));
    assert!(!again.exists() && !dir.path().join("again.restoring").exists());
    std::fs::write(&sealed, whole).unwrap();
    std::fs::rename(copy.join("WITNESS"), copy.join("kept")).unwrap();
    assert!(matches!(restore(&copy, &again, &mut |_, _| ()), Err(Fault::Witness { .. })));
    std::fs::rename(copy.join("kept"), copy.join("WITNESS")).unwrap();
    restore(&copy, &again, &mut |_, _| ()).unwrap();
}

/// While a cut is verified and backed up the journal is written on, rotates and seals: the answers are
/// those of the cut, and the backup restores to exactly it.
#[test]
fn appending_goes_on_while_a_cut_is_verified_and_backed_up() {
    let dir = tempfile::tempdir().unwrap();
    let (home, copy, again) = (dir.path().join("home"), dir.path().join("copy"), dir.path().join("again"));
    std::fs::create_dir(&home).unwrap();
    let mut journal = Journal::open(&home, &small(), at(0)).unwrap();
    for round in 0..16 {
        append_usage(&mut journal, round * 50..round * 50 + 50);
    }
    let cut = journal.cut(true).unwrap().unwrap();
    let before: Vec<_> = journal.reader().entries(0).map(Result::unwrap).collect();
    assert_eq!((cut.end(), before.len()), (800, 800));
    let segments = journal.status().segments;
    let journal = RefCell::new(journal);
    let append_some = || {
        let mut journal = journal.borrow_mut();
        let end = journal.end();
        append_usage(&mut journal, end..end + 50);
    };

    let verified = cut.verify(&mut |facts| journal.borrow().remembers(facts), &mut |_, _| append_some()).unwrap();
    assert_eq!((verified.messages, verified.entries, verified.chain), (800, 800, cut.chain()));
    assert!(journal.borrow().end() > 1_500, "appended while it was verified: {}", journal.borrow().end());
    assert!(journal.borrow().status().segments > segments + 1, "the active segment of the cut is sealed by now");
    let report = cut.backup(&copy, &mut |_, _| append_some()).unwrap();
    assert_eq!((report.end, report.segments), (800, segments));

    let restored = restore(&copy, &again, &mut |_, _| ()).unwrap();
    assert_eq!((restored.chain, restored.messages), (cut.chain(), 800));
    let second = Journal::open(&again, &Options { create: false, ..small() }, at(0)).unwrap();
    assert_eq!(second.reader().entries(0).map(Result::unwrap).collect::<Vec<_>>(), before);
    assert_eq!(second.offsets()[0].next_offset, 800);
    let journal = journal.into_inner();
    assert_eq!(journal.verify(&mut |_, _| ()).unwrap().messages, journal.end());

    // Negative control: an index that remembers something else is noticed.
    let stranger = Journal::open(&dir.path().join("stranger"), &small(), at(0)).unwrap();
    assert!(matches!(cut.verify(&mut |facts| stranger.remembers(facts), &mut |_, _| ()), Err(Fault::Damaged { .. })));
}
