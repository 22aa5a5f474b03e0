//! Cut the power: of everything that was not synced, any part may be gone.
//!
//! A shim records what a child does to its files. The trace is cut at many places, pages that no
//! sync had covered are dropped in several ways, and the journal is opened on what is left. The
//! control forgets our own sync of sled's log: then acknowledged entries must be found missing, or
//! this test would prove nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use journal::Journal;

use crate::common::{append_usage, at, options, quick_dir};
use crate::killing::{SEGMENT, start_command};

const PAGE: usize = 4096;

/// One recorded call.
struct Call {
    kind: u8,
    path: String,
    offset: usize,
    data: Vec<u8>,
}

fn read_trace(path: &Path) -> Vec<Call> {
    let bytes = std::fs::read(path).unwrap();
    let mut rest = bytes.as_slice();
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at_checked(count)?;
        rest = left;
        Some(taken.to_vec())
    };
    let mut calls = Vec::new();
    while let Some(kind) = take(1) {
        let Some(lengths) = take(18) else { break };
        let number =
            |from: usize| usize::try_from(u64::from_ne_bytes(lengths[from..from + 8].try_into().unwrap())).unwrap();
        let path_length = usize::from(u16::from_ne_bytes([lengths[0], lengths[1]]));
        let (Some(path), Some(data)) = (take(path_length), take(number(10))) else { break };
        calls.push(Call { kind: kind[0], path: String::from_utf8(path).unwrap(), offset: number(2), data });
    }
    calls
}

/// A file: what survives for sure, and what was done since the last sync.
#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

fn write_at(file: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if file.len() < offset + data.len() {
        file.resize(offset + data.len(), 0);
    }
    file[offset..offset + data.len()].copy_from_slice(data);
}

/// What happens to bytes that no sync covered.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Gone,
    /// Every page by itself, by a coin.
    Torn,
    /// Pages survive where the file was that long already; its growth is lost.
    Growth,
}

impl File {
    fn after(&self, fate: Fate, coin: &mut dyn FnMut() -> bool) -> Vec<u8> {
        let mut left = self.durable.clone();
        let length = left.len();
        for (offset, data) in &self.pending {
            let mut done = 0;
            while done < data.len() {
                let page = (PAGE - (offset + done) % PAGE).min(data.len() - done);
                let keep = match fate {
                    Fate::Gone => false,
                    Fate::Torn => coin(),
                    Fate::Growth => offset + done + page <= length,
                };
                if keep {
                    write_at(&mut left, offset + done, &data[done..done + page]);
                }
                done += page;
            }
        }
        left
    }

    fn sync(&mut self) {
        for (offset, data) in std::mem::take(&mut self.pending) {
            write_at(&mut self.durable, offset, &data);
        }
    }
}

struct Machine {
    files: BTreeMap<String, File>,
    acknowledged: u64,
    /// The control: what is said to be synced is not, for names that end like this.
    forgets: Option<&'static str>,
}

impl Machine {
    fn run(&mut self, call: &Call) {
        let file = |files: &mut BTreeMap<String, File>| std::mem::take(files.entry(call.path.clone()).or_default());
        match call.kind {
            b'A' => {
                let text = String::from_utf8_lossy(&call.data);
                let last = text.lines().rev().find_map(|line| line.strip_prefix("ACK ")?.trim().parse().ok());
                self.acknowledged = self.acknowledged.max(last.unwrap_or(0));
            }
            b'N' => {
                let moved = self.files.remove(&call.path).unwrap_or_else(|| panic!("{} was never created", call.path));
                self.files.insert(String::from_utf8(call.data.clone()).unwrap(), moved);
            }
            b'U' => {
                self.files.remove(&call.path);
            }
            b'S' if self.forgets.is_some_and(|name| call.path.ends_with(name)) => (),
            // A directory: names count as durable at once, which only makes less of a cut.
            b'S' if !self.files.contains_key(&call.path) => (),
            kind => {
                let mut changed = file(&mut self.files);
                match kind {
                    b'W' => changed.pending.push((call.offset, call.data.clone())),
                    b'S' => changed.sync(),
                    b'T' => {
                        changed.sync();
                        changed.durable.resize(call.offset, 0);
                    }
                    b'C' if call.offset == 1 => changed = File::default(),
                    _ => (),
                }
                self.files.insert(call.path.clone(), changed);
            }
        }
    }

    fn image(&self, base: &Path, fate: Fate, coin: &mut dyn FnMut() -> bool) -> tempfile::TempDir {
        let image = quick_dir();
        for (path, file) in &self.files {
            let path = image.path().join(Path::new(path).strip_prefix(base).unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file.after(fate, coin)).unwrap();
        }
        std::fs::create_dir_all(image.path().join("journal/00000001/blobs")).unwrap();
        image
    }
}

/// Runs a child under the shim and gives its trace and the files it began with.
fn record(home: &Path, scratch: &Path) -> (Vec<Call>, BTreeMap<String, File>) {
    let shim = scratch.join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/powerloss/shim.c");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(source).arg("-ldl").status();
    assert!(compiled.unwrap().success(), "the shim needs the same C compiler as the libraries of this crate");
    let mut journal = Journal::open(home, &options(), at(0)).unwrap();
    append_usage(&mut journal, 0..9);
    journal.close().unwrap();
    let mut begin = BTreeMap::new();
    for path in files_below(home) {
        let durable = std::fs::read(&path).unwrap();
        begin.insert(path.to_str().unwrap().to_owned(), File { durable, pending: Vec::new() });
    }
    let trace = scratch.join("trace");
    let mut command: Command = start_command(home, 40, Some("append.witnessed:39"));
    command.env(SEGMENT, "100000000");
    let output = command.env("LD_PRELOAD", &shim).env("PL_ROOT", home).env("PL_TRACE", &trace).output().unwrap();
    assert!(!output.status.success(), "the child was to be killed");
    let calls = read_trace(&trace);
    (calls, begin)
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Opens what many cuts leave; gives how many kept everything acknowledged and how many were refused.
/// Nothing may be missing in silence.
fn cut(calls: &[Call], begin: &BTreeMap<String, File>, home: &Path, forgets: Option<&'static str>) -> (u32, u32) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut coin = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state & 1 == 0
    };
    let mut machine = Machine { files: begin.clone(), acknowledged: 0, forgets };
    let (mut kept, mut refused) = (0, 0);
    let first = calls.iter().position(|call| call.kind == b'A').unwrap();
    for (number, call) in calls.iter().enumerate() {
        machine.run(call);
        if number <= first || (number * 7) % 5 != 0 {
            continue;
        }
        for fate in [Fate::Gone, Fate::Torn, Fate::Growth] {
            let image = machine.image(home, fate, &mut coin);
            match Journal::open(image.path(), &options(), at(0)) {
                Ok(journal) => {
                    let read = journal.reader().entries(0).map(Result::unwrap).count() as u64;
                    assert!(
                        read >= machine.acknowledged && read == journal.end(),
                        "silent loss at call {number}, {fate:?}"
                    );
                    kept += 1;
                }
                Err(fault) => {
                    assert!(
                        forgets.is_some(),
                        "call {number}, {fate:?}, {} acknowledged: {fault}",
                        machine.acknowledged
                    );
                    refused += 1;
                }
            }
        }
    }
    (kept, refused)
}

#[test]
fn a_power_cut_loses_nothing_acknowledged_and_without_our_sync_it_would() {
    let scratch = quick_dir();
    let home = scratch.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let (calls, begin) = record(&home, scratch.path());
    let (kept, refused) = cut(&calls, &begin, &home, None);
    println!("with our sync: {kept} images whole, {refused} refused");
    assert!(kept >= 60 && refused == 0);
    let (kept, refused) = cut(&calls, &begin, &home, Some("/db"));
    println!("without it: {kept} images whole, {refused} refused");
    assert!(refused > kept, "a journal that does not sync must be found out");
}
