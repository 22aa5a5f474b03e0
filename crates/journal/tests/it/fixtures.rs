//! Journals written by earlier builds still open, and say what they said.
//!
//! `tests/fixtures/v1` and `v3` (by the newest version of a frame in them) were each written once by
//! `write_fixture` and are never written again: a build that changes the format adds another beside them.

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use domain::entry::{Event, Outcome};
use journal::{Batch, Journal, verify};

use crate::common::{append_usage, at, push_event, push_unreadable, small, usage};

/// The version that `write_fixture` writes.
const PRESENT: &str = "v3";

fn archive(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version).join("journal.zip")
}

fn unpack(version: &str, to: &Path) {
    let mut archive = zip::ZipArchive::new(File::open(archive(version)).unwrap()).unwrap();
    archive.extract(to).unwrap();
}

#[test]
fn journals_of_every_format_still_open_and_say_what_they_said() {
    opens_and_says_what_it_said("v1", include_str!("../fixtures/v1/CHAIN"));
    opens_and_says_what_it_said("v3", include_str!("../fixtures/v3/CHAIN"));
}

fn opens_and_says_what_it_said(version: &str, chain: &str) {
    let dir = tempfile::tempdir().unwrap();
    unpack(version, dir.path());
    let report = verify(dir.path(), &mut |_, _| ()).unwrap();
    assert_eq!((report.segments, report.messages, report.entries), (3, 404, 404));
    assert_eq!(report.chain.to_string(), chain.trim());

    let mut journal = Journal::open(dir.path(), &small(), at(0)).unwrap();
    let entries: Vec<_> = journal.reader().entries(0).map(Result::unwrap).collect();
    for (id, entry) in (0..400_u64).zip(&entries) {
        assert_eq!(entry.fact.event, usage(id, id % 13 + 1));
        assert_eq!((entry.outcome, entry.recorded_at), (Outcome::Accepted, at(0)));
    }
    let told: Vec<_> = entries[400..].iter().map(|entry| entry.outcome).collect();
    use Outcome::{Accepted, Conflicting, Duplicate, Quarantined};
    assert_eq!(told, [Duplicate, Conflicting, Accepted, Quarantined]);
    assert_eq!(entries[401].antecedent.as_ref().unwrap().at, entries[7].at());
    assert_eq!(entries[402].antecedent.as_ref().unwrap().fact, entries[8].fact);
    assert!(matches!(entries[403].fact.event, Event::Unreadable(_)));
    assert_eq!(journal.cluster_id(), Some("cluster-1"));
    let offsets: Vec<_> = journal.offsets().iter().map(|state| (state.partition, state.next_offset)).collect();
    assert_eq!(offsets, [(0, 403), (3, 1)]);

    let again = append_once(&mut journal, 403, "u-7", 8);
    assert_eq!(again, Outcome::Duplicate, "identities are kept for ever");
}

fn append_once(journal: &mut Journal, offset: i64, id: &str, quantity: u64) -> Outcome {
    let mut batch = Batch::new();
    push_event(&mut batch, offset, id, None, &usage(7, quantity));
    journal.append(batch, at(0)).unwrap().entries[0].outcome
}

#[test]
#[ignore = "writes the fixture of the present format, once"]
fn write_fixture() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &small(), at(0)).unwrap();
    journal.set_cluster_id("cluster-1");
    append_usage(&mut journal, 0..150);
    journal.rotate().unwrap();
    append_usage(&mut journal, 150..300);
    journal.rotate().unwrap();
    append_usage(&mut journal, 300..400);
    let mut batch = Batch::new();
    push_event(&mut batch, 400, "u-7", None, &usage(7, 8));
    push_event(&mut batch, 401, "u-7", None, &usage(7, 9));
    let voided = Event::UsageVoided(domain::entry::UsageVoided { target: Default::default(), reason: None });
    push_event(&mut batch, 402, "v-8", Some("u-8"), &voided);
    push_unreadable(&mut batch, 0, "not json");
    journal.append(batch, at(0)).unwrap();
    let chain = journal.status().chain;
    journal.close().unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    add(&mut zip, dir.path(), "");
    let archive = archive(PRESENT);
    std::fs::create_dir_all(archive.parent().unwrap()).unwrap();
    std::fs::write(&archive, zip.finish().unwrap().into_inner()).unwrap();
    std::fs::write(archive.with_file_name("CHAIN"), format!("{chain}\n")).unwrap();
}

fn add(zip: &mut zip::ZipWriter<Cursor<Vec<u8>>>, dir: &Path, below: &str) {
    let options = zip::write::SimpleFileOptions::default();
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            zip.add_directory(format!("{name}/"), options).unwrap();
            add(zip, &path, &format!("{name}/"));
        } else {
            zip.start_file(name, options).unwrap();
            let mut bytes = Vec::new();
            File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
            zip.write_all(&bytes).unwrap();
        }
    }
}
