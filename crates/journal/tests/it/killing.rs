//! Kill the process at every crash point and at random, and count what it had acknowledged.
//!
//! The child is this test binary again. It resumes from the journal's own offsets, holds everything
//! it finds against a model, and writes each acknowledgement to a pipe. Whatever stood in the pipe
//! must be there after the next open, once, with the outcomes that the model gives.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use domain::entry::{Entry, Outcome};
use journal::{Batch, CRASH_POINTS, Journal, Options, verify};

use crate::common::{at, push_event, quick_dir, small, usage};

const DIRECTORY: &str = "PEC_TEST_CHILD";
/// Bytes of a segment, where they shall not be few.
pub(crate) const SEGMENT: &str = "PEC_TEST_SEGMENT";
const ROUNDS: &str = "PEC_TEST_ROUNDS";

/// The event at an offset: mostly new, now and then an earlier one again or with other content.
fn event_at(offset: u64) -> (u64, u64) {
    match offset % 50 {
        9 | 19 | 44 => (offset - 5, offset - 5),
        33 => (offset - 20, offset),
        34 if offset >= 50 => (offset - 54, offset),
        // The conflicting body of the offset before, again.
        35 => (offset - 22, offset - 2),
        _ => (offset, offset),
    }
}

fn outcome_at(offset: u64) -> Outcome {
    match offset % 50 {
        9 | 19 | 44 | 35 => Outcome::Duplicate,
        33 => Outcome::Conflicting,
        34 if offset >= 50 => Outcome::Conflicting,
        _ => Outcome::Accepted,
    }
}

fn append(journal: &mut Journal, count: u64) -> u64 {
    let from = journal.offsets().first().map_or(0, |state| state.next_offset).unsigned_abs();
    assert_eq!(from, journal.end(), "offsets and positions go together here");
    let mut batch = Batch::new();
    for offset in from..from + count {
        let (id, content) = event_at(offset);
        push_event(&mut batch, offset.cast_signed(), &format!("u-{id}"), None, &usage(id, content + 1));
    }
    let appended = journal.append(batch, at(0)).unwrap();
    appended.entries.iter().for_each(check);
    appended.next_position
}

fn check(entry: &Entry) {
    let (id, content) = event_at(entry.position);
    assert_eq!(entry.fact.event, usage(id, content + 1), "position {}", entry.position);
    assert_eq!(entry.outcome, outcome_at(entry.position), "position {}", entry.position);
}

/// Holds everything in the journal against the model.
fn check_all(journal: &Journal) {
    let mut expected = 0;
    for entry in journal.reader().entries(0) {
        let entry = entry.unwrap();
        assert_eq!(entry.position, expected, "nothing is lost or doubled");
        check(&entry);
        expected += 1;
    }
    assert_eq!(expected, journal.end());
}

#[test]
#[ignore = "the child that the tests below start and kill"]
fn child() {
    let Ok(dir) = std::env::var(DIRECTORY) else { panic!("only started by another test") };
    let rounds: u64 = std::env::var(ROUNDS).unwrap().parse().unwrap();
    let mut out = std::io::stdout();
    let segment_bytes = std::env::var(SEGMENT).map_or(small().segment_bytes, |bytes| bytes.parse().unwrap());
    let options = Options { segment_bytes, ..small() };
    let mut journal = Journal::open(Path::new(&dir), &options, at(0)).unwrap();
    check_all(&journal);
    writeln!(out, "\nOPEN {}", journal.end()).unwrap();
    for round in 0..rounds {
        let end = append(&mut journal, 20 + round % 15);
        writeln!(out, "ACK {end}").unwrap();
        out.flush().unwrap();
    }
    journal.close().unwrap();
    writeln!(out, "CLOSED").unwrap();
}

fn start(dir: &Path, rounds: u64, crash_at: Option<&str>) -> Child {
    start_command(dir, rounds, crash_at).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// This test binary as a child that appends to a journal.
pub(crate) fn start_command(dir: &Path, rounds: u64, crash_at: Option<&str>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killing::child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, dir).env(ROUNDS, rounds.to_string()).env_remove("PEC_CRASH_AT");
    if let Some(point) = crash_at {
        command.env("PEC_CRASH_AT", point);
    }
    command
}

/// What a child said before it ended.
struct Said {
    status: ExitStatus,
    opened: Option<u64>,
    acknowledged: Option<u64>,
    errors: String,
}

fn end(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The last line may be cut off in the middle of a number.
    let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
    let last = |word: &str| {
        let found = whole.lines().rev().find_map(|line| line.strip_prefix(word));
        found.map(|number| number.trim().parse::<u64>().unwrap())
    };
    Said {
        status: output.status,
        opened: last("OPEN "),
        acknowledged: last("ACK "),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    matches!(status.signal(), Some(6 | 9))
}

/// Ends a life: nothing that any life before acknowledged may be missing at its opening.
fn account(acknowledged: &mut u64, said: &Said) {
    if let Some(opened) = said.opened {
        assert!(opened >= *acknowledged, "{acknowledged} were acknowledged, {opened} are there");
    }
    *acknowledged = (*acknowledged).max(said.acknowledged.unwrap_or(0));
    assert!(was_killed(said.status) || said.status.success(), "the child failed:\n{}", said.errors);
}

fn finally(dir: &Path, acknowledged: u64) {
    let journal = Journal::open(dir, &small(), at(0)).unwrap();
    assert!(journal.end() >= acknowledged);
    check_all(&journal);
    let chain = journal.status().chain;
    drop(journal);
    let report = verify(dir, &mut |_, _| ()).unwrap();
    assert_eq!(report.chain, chain);
}

#[test]
fn killed_at_every_crash_point_nothing_acknowledged_is_lost_or_doubled() {
    let mut hits: BTreeMap<&str, u32> = CRASH_POINTS.iter().map(|name| (*name, 0)).collect();
    for name in CRASH_POINTS {
        for (history, count) in [(false, 1), (true, 1), (true, 2), (false, 30)] {
            if count == 30 && !name.starts_with("append.") {
                continue;
            }
            let dir = quick_dir();
            let mut acknowledged = 0;
            if history {
                // Two segments and a bit, ended without closing.
                account(&mut acknowledged, &end(start(dir.path(), 60, Some("append.witnessed:50"))));
                assert!(acknowledged > 500);
            }
            let said = end(start(dir.path(), 45, Some(&format!("{name}:{count}"))));
            if was_killed(said.status) {
                *hits.get_mut(name).unwrap() += 1;
            }
            account(&mut acknowledged, &said);
            // The next life may be killed at the same place, too.
            account(&mut acknowledged, &end(start(dir.path(), 3, Some(&format!("{name}:1")))));
            finally(dir.path(), acknowledged);
        }
    }
    for (name, hits) in &hits {
        println!("{name:>20} {hits} hits");
    }
    let missed: Vec<_> = hits.iter().filter(|(_, hits)| **hits == 0).collect();
    assert!(missed.is_empty(), "never hit: {missed:?}");
}

#[test]
fn killed_at_random_nothing_acknowledged_is_lost_or_doubled() {
    let kills: u32 = std::env::var("PEC_KILLS").map_or(200, |kills| kills.parse().unwrap());
    let mut state = std::env::var("PEC_SEED").map_or(0x1234_5678_9abc_def1_u64, |seed| seed.parse().unwrap());
    println!("PEC_SEED={state} PEC_KILLS={kills}");
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let (mut opening, mut appending) = (0, 0);
    for life in 0..kills.div_ceil(20) {
        let dir = quick_dir();
        let mut acknowledged = 0;
        for _ in 0..20.min(kills - life * 20) {
            let mut child = start(dir.path(), 10_000, None);
            if random(10) < 4 {
                opening += 1;
                std::thread::sleep(Duration::from_millis(random(60)));
            } else {
                appending += 1;
                // Let it acknowledge something first.
                let mut pipe = child.stdout.take().unwrap();
                let mut seen = Vec::new();
                let mut some = [0; 4096];
                let wanted = 1 + random(25) as usize;
                while seen.windows(4).filter(|four| *four == b"ACK ").count() < wanted {
                    let count = pipe.read(&mut some).unwrap();
                    assert!(count > 0, "the child ended by itself:\n{}", end(child).errors);
                    seen.extend_from_slice(&some[..count]);
                }
                child.kill().unwrap();
                pipe.read_to_end(&mut seen).unwrap();
                let text = String::from_utf8(seen).unwrap();
                let whole = &text[..text.rfind('\n').unwrap()];
                let last = whole.lines().rev().find_map(|line| line.strip_prefix("ACK ")).unwrap();
                acknowledged = acknowledged.max(last.parse().unwrap());
            }
            child.kill().unwrap();
            let said = end(child);
            account(&mut acknowledged, &said);
        }
        finally(dir.path(), acknowledged);
    }
    println!("{kills} kills: {opening} while it started and opened, {appending} while it appended and sealed");
}
