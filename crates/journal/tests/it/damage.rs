//! One bit flipped and one cut, in every kind of file: healed or refused, never silently other.

use std::path::{Path, PathBuf};

use journal::{Fault, Journal, Options, verify};

use crate::common::{append_usage, at, copy_dir, quick_dir, small};

/// A journal with sealed segments and an active one, as files. `clean` or as a kill leaves it.
fn sample(home: &Path, clean: bool) -> (u64, domain::ids::Digest) {
    let live = home.join("live");
    std::fs::create_dir_all(&live).unwrap();
    let mut journal = Journal::open(&live, &small(), at(0)).unwrap();
    for round in 0..25 {
        append_usage(&mut journal, round * 50..round * 50 + 50);
    }
    let status = journal.status();
    assert!(status.segments >= 3);
    if clean {
        journal.close().unwrap();
        copy_dir(&live, &home.join("sample"));
    } else {
        // The sealing thread must be done, so that it does not write while we copy.
        while journal.status().identities.in_tables > 450 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            journal.append(journal::Batch::new(), at(0)).unwrap();
        }
        copy_dir(&live, &home.join("sample"));
    }
    (status.end, status.chain)
}

/// What came of a damaged directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Came {
    /// Everything is there, every hash agrees.
    Whole,
    Refused,
}

fn open_damaged(dir: &Path, whole: (u64, domain::ids::Digest), what: &str) -> Came {
    match verify(dir, &mut |_, _| ()) {
        Ok(report) => {
            assert_eq!((report.messages, report.chain), whole, "{what}: silently other");
            Came::Whole
        }
        Err(Fault::Locked { .. }) => panic!("{what}: the lock is no damage"),
        Err(_) => Came::Refused,
    }
}

/// The files of one kind, by how their path ends or begins below the journal.
fn files(dir: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_str().unwrap().contains(kind) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "there is no {kind}");
    found
}

/// Damages each file of a kind in turn, at several places; gives what came of it.
fn damage(sample: &Path, whole: (u64, domain::ids::Digest), kind: &str, number: usize) -> Vec<Came> {
    let mut came = Vec::new();
    let target = files(sample, kind)[number].clone();
    let bytes = std::fs::read(&target).unwrap();
    for part in 0..6 {
        let at = (bytes.len() - 1) * part / 5;
        for flip in [true, false] {
            let image = quick_dir();
            let dir = image.path().join("image");
            copy_dir(sample, &dir);
            let path = dir.join(target.strip_prefix(sample).unwrap());
            if flip {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << (part % 8);
                std::fs::write(&path, bytes).unwrap();
            } else {
                std::fs::write(&path, &bytes[..at]).unwrap();
            }
            let what =
                format!("{} {} at {at} of {}", path.display(), if flip { "flipped" } else { "cut" }, bytes.len());
            came.push(open_damaged(&dir, whole, &what));
        }
    }
    came
}

#[test]
fn sealed_files_that_differ_are_always_refused() {
    let home = quick_dir();
    let whole = sample(home.path(), true);
    let sample = home.path().join("sample");
    assert_eq!(open_damaged(&sample, whole, "undamaged"), Came::Whole);
    for kind in ["00000001/db", "00000001/conf", "00000001/snap."] {
        assert!(damage(&sample, whole, kind, 0).iter().all(|came| *came == Came::Refused), "{kind}");
    }
    // The manifest may lose whole lines: those segments are walked and sealed again.
    let manifest = damage(&sample, whole, "MANIFEST", 0);
    assert!(manifest.iter().filter(|came| **came == Came::Refused).count() >= 10, "{manifest:?}");
}

#[test]
fn derived_files_are_built_again() {
    let home = quick_dir();
    let whole = sample(home.path(), true);
    let sample = home.path().join("sample");
    for kind in ["CLEAN", "00000001.identities", "LOCK"] {
        let came = damage(&sample, whole, kind, 0);
        // A damaged page of a run is noticed when it is looked up; then deleting the file heals.
        let healed = came.iter().filter(|came| **came == Came::Whole).count();
        assert!(healed >= if kind == "00000001.identities" { 7 } else { 12 }, "{kind}: {came:?}");
    }
    for path in files(&sample, ".identities") {
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(open_damaged(&sample, whole, "without runs"), Came::Whole);
}

#[test]
fn a_damaged_active_segment_is_whole_or_refused_also_after_a_kill() {
    for clean in [true, false] {
        let home = quick_dir();
        let whole = sample(home.path(), clean);
        let sample = home.path().join("sample");
        let active = files(&sample, "/db").pop().unwrap();
        let number = active.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        for kind in ["db", "conf"] {
            let came = damage(&sample, whole, &format!("{number}/{kind}"), 0);
            assert!(came.contains(&Came::Refused), "clean {clean}, {kind}: {came:?}");
        }
        // A torn snapshot is no loss: sled reads its log instead.
        let came = damage(&sample, whole, &format!("{number}/snap."), 0);
        assert!(came.iter().all(|came| *came == Came::Whole), "clean {clean}: {came:?}");
        // One slot of the witness may be torn; what follows its second slot's content is padding.
        let came = damage(&sample, whole, "WITNESS", 0);
        assert!(came.contains(&Came::Whole) && came.contains(&Came::Refused), "clean {clean}: {came:?}");
    }
}

#[test]
fn a_snapshot_that_was_being_written_is_swept_away() {
    let home = quick_dir();
    for clean in [true, false] {
        let home = home.path().join(format!("{clean}"));
        let whole = sample(&home, clean);
        let sample = home.join("sample");
        for db in files(&sample, "/db") {
            std::fs::write(db.with_file_name("snap.FFFFFFFFFFFFFFF0.generating"), b"torn").unwrap();
        }
        assert_eq!(open_damaged(&sample, whole, "leftover"), Came::Whole);
    }
}

#[test]
fn what_is_missing_is_named_and_never_created_anew() {
    let home = quick_dir();
    let whole = sample(home.path(), true);
    let sample = home.path().join("sample");
    let without = |name: &str| {
        let image = quick_dir();
        let dir = image.path().join("image");
        copy_dir(&sample, &dir);
        let path = dir.join(name);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap()
        } else {
            std::fs::remove_file(path).unwrap()
        }
        let options = Options { create: true, ..small() };
        (Journal::open(&dir, &options, at(0)).map(|journal| journal.end()), image)
    };
    for number in 1..=3 {
        let (opened, _image) = without(&format!("journal/{number:08}"));
        assert!(matches!(opened, Err(Fault::SegmentMissing { segment, .. }) if segment == number), "{opened:?}");
    }
    let (opened, image) = without("WITNESS");
    assert!(matches!(opened, Err(Fault::Witness { .. })));
    let accepted = Options { accept_witness: true, ..small() };
    assert_eq!(Journal::open(&image.path().join("image"), &accepted, at(0)).unwrap().end(), whole.0);
    let (opened, _image) = without("journal/MANIFEST");
    assert_eq!(opened.unwrap(), whole.0, "segments without lines are walked and sealed again");
}

#[test]
fn an_older_copy_of_the_active_segment_is_shorter_than_its_witness() {
    let home = quick_dir();
    let dir = home.path().join("live");
    std::fs::create_dir(&dir).unwrap();
    let options = Options { create: true, wait_for_lock: false, ..Options::default() };
    let mut journal = Journal::open(&dir, &options, at(0)).unwrap();
    append_usage(&mut journal, 0..50);
    journal.close().unwrap();
    copy_dir(&dir.join("journal/00000001"), &home.path().join("older"));
    let mut journal = Journal::open(&dir, &options, at(0)).unwrap();
    append_usage(&mut journal, 50..60);
    journal.close().unwrap();
    std::fs::remove_dir_all(dir.join("journal/00000001")).unwrap();
    copy_dir(&home.path().join("older"), &dir.join("journal/00000001"));
    let opened = Journal::open(&dir, &options, at(0)).map(|journal| journal.end());
    assert!(matches!(opened, Err(Fault::Shorter { .. } | Fault::Damaged { .. })), "{opened:?}");
}
