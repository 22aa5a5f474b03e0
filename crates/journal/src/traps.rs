//! What sled does when it is not guarded: the controls of the tests that hold our guards.
//!
//! Each of these shows that the trap is still there. Where one of them fails, sled has changed, and
//! the guard that it stands for may be looked at again.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use domain::period::Instant;

use crate::disk::{FileSum, copy_tree};
use crate::journal::Tail;
use crate::open::{create_segment, remove_leftovers};
use crate::salt;
use crate::seal::settle;
use crate::store::Store;

fn now() -> Instant {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

/// Values that fill a few of sled's segments.
fn fill(store: &Store, from: u64) {
    for block in from..from + 300 {
        let value = blake3::hash(&block.to_be_bytes()).to_hex().repeat(100);
        store.put(block, std::iter::once(value.as_bytes())).unwrap();
    }
    store.flush().unwrap();
}

/// The files as a kill would leave them now.
fn as_killed(store: &Path, to: &Path) -> PathBuf {
    copy_tree(store, to).unwrap();
    to.to_owned()
}

#[test]
fn a_log_without_a_snapshot_opens_as_an_empty_one_when_it_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let shorten = |path: &Path| {
        let log = fs::File::options().write(true).open(path.join("db")).unwrap();
        log.set_len(4096).unwrap();
    };
    let bare = dir.path().join("bare");
    let store = Store::open(&bare).unwrap();
    fill(&store, 0);
    let cut = as_killed(&bare, &dir.path().join("cut"));
    shorten(&cut);
    let left = Store::open(&cut).map(|store| store.bounds().unwrap());
    assert!(matches!(left, Ok(None)), "sled says that there never was anything: {:?}", left.map_err(|f| f.to_string()));

    // A segment of ours was opened once after its genesis block, so there is a snapshot.
    let ours = dir.path().join("00000001");
    create_segment(&ours, &Tail::before_everything(), 1, salt::fresh(), Some(now())).unwrap();
    let store = Store::open(&ours).unwrap();
    fill(&store, 1);
    let cut = as_killed(&ours, &dir.path().join("ours-cut"));
    shorten(&cut);
    let left = Store::open(&cut).and_then(|store| store.bounds());
    assert!(!matches!(left, Ok(None)), "a cut log must not look like a new one");
}

#[test]
fn a_torn_snapshot_under_way_bricks_sled_until_it_is_swept_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("00000001");
    create_segment(&path, &Tail::before_everything(), 1, salt::fresh(), Some(now())).unwrap();
    fs::write(path.join("snap.FFFFFFFFFFFFFFF0.generating"), b"torn").unwrap();
    assert!(Store::open(&path).is_err(), "sled takes the torn file for its newest snapshot");
    remove_leftovers(&path).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.bounds().unwrap(), Some((0, 0)));
}

#[test]
fn the_files_of_a_closed_segment_still_change_until_it_has_settled() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("00000001");
    create_segment(&path, &Tail::before_everything(), 1, salt::fresh(), Some(now())).unwrap();
    let store = Store::open(&path).unwrap();
    fill(&store, 1);
    store.close().unwrap();
    let closed = FileSum::of_tree(&path).unwrap();
    Store::open(&path).unwrap().close().unwrap();
    assert_ne!(closed, FileSum::of_tree(&path).unwrap(), "hashes taken at once would refuse a good segment");
    let settled = settle(&path).unwrap();
    for _ in 0..3 {
        Store::open(&path).unwrap().close().unwrap();
        assert_eq!(settled, FileSum::of_tree(&path).unwrap());
    }
}

#[test]
fn values_within_the_limit_never_become_blobs_and_larger_ones_would() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = |path: &Path| fs::read_dir(path.join("blobs")).unwrap().count();
    let path = dir.path().join("within");
    let store = Store::open(&path).unwrap();
    fill(&store, 0);
    store.close().unwrap();
    assert_eq!(blobs(&path), 0);
    // Around the limit of our own, by sled itself.
    let path = dir.path().join("beyond");
    let store = Store::open(&path).unwrap();
    store.put_unchecked((0..60).map(|block| (block, vec![block as u8; 30_000])));
    store.close().unwrap();
    assert!(blobs(&path) > 0, "sled no longer moves large leaves to files that it does not sync");
}
