//! A file of changes: each line of it is one JSON array of changes, durable before it is acted on.
//!
//! Appending costs what the change is long, however much the file holds. It is written anew, as one line beside
//! the old file that is renamed into its place, so that a crash leaves the old one or the new one. A line that
//! is there in part was never acted on and is cut off; a file that cannot be read otherwise is refused.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek as _, SeekFrom, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use serde::de::DeserializeOwned;

/// So much may be appended, beside twice of what the file began with, before it is worth writing it anew.
const WORN: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    /// Up to here the file is durable and whole.
    length: u64,
    /// How long it was when it was last written anew.
    whole: u64,
}

impl Lines {
    /// The file at a path, with what it says line by line; one that is not there says nothing.
    pub(super) fn open<T: DeserializeOwned>(path: PathBuf) -> anyhow::Result<(Self, Vec<Vec<T>>)> {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let (mut said, mut length) = (Vec::new(), 0);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match read(line) {
                Ok(changes) => said.push(changes),
                // Each line was durable before the next one was begun, so that only the last may be there in part.
                Err(_) if length > 0 && length + line.len() == bytes.len() => break,
                Err(error) => {
                    let advice = "remove it, and alerts that still hold are told again";
                    return Err(error).with_context(|| format!("{} cannot be read; {advice}", path.display()));
                }
            }
            length += line.len();
        }
        Ok((Self { path, length: length as u64, whole: 0 }, said))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Makes changes durable, each of them already JSON.
    pub(super) fn append(&mut self, changes: &[Vec<u8>]) -> anyhow::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let append = || -> std::io::Result<u64> {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
            // What a write that failed may have left behind is no line.
            file.set_len(self.length)?;
            file.seek(SeekFrom::End(0))?;
            write(&file, changes)?;
            file.sync_data()?;
            file.stream_position()
        };
        self.length = append().with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }

    /// Whether so much was appended that writing the file anew is worth it.
    pub(super) fn is_worn(&self) -> bool {
        self.length > WORN + 3 * self.whole
    }

    /// Replaces everything by one change.
    pub(super) fn write_anew(&mut self, change: Vec<u8>) -> anyhow::Result<()> {
        let beside = self.path.with_extension("json.new");
        let replace = || -> std::io::Result<u64> {
            let file = File::create(&beside)?;
            write(&file, &[change])?;
            file.sync_data()?;
            std::fs::rename(&beside, &self.path)?;
            Ok(file.metadata()?.len())
        };
        self.whole = replace().with_context(|| format!("cannot write {}", self.path.display()))?;
        self.length = self.whole;
        Ok(())
    }
}

/// The changes of one line: an array, or a single one that is the whole file, as builds before wrote it.
fn read<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<Vec<T>> {
    if line.starts_with(b"{") { Ok(vec![serde_json::from_slice(line)?]) } else { serde_json::from_slice(line) }
}

fn write(file: &File, changes: &[Vec<u8>]) -> std::io::Result<()> {
    let mut line = BufWriter::with_capacity(1 << 18, file);
    for (number, change) in changes.iter().enumerate() {
        line.write_all(if number == 0 { b"[" } else { b"," })?;
        line.write_all(change)?;
    }
    line.write_all(b"]\n")?;
    line.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &std::path::Path) -> anyhow::Result<(Lines, Vec<Vec<u32>>)> {
        Lines::open(path.to_owned())
    }

    /// What was appended is read back in order; half a line, as a crash leaves it, is as if it had never been
    /// begun, and what is appended after it can be read.
    #[test]
    fn what_was_durable_is_read_back_and_half_a_line_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        let (mut lines, said) = open(&path).unwrap();
        assert!(lines.is_empty() && said.is_empty());
        lines.append(&[]).unwrap();
        assert!(!path.exists(), "nothing is no line");
        lines.append(&[b"1".to_vec(), b"2".to_vec()]).unwrap();
        lines.append(&[b"3".to_vec()]).unwrap();
        std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"[4,5"].concat()).unwrap();
        let (mut lines, said) = open(&path).unwrap();
        assert_eq!(said, [vec![1, 2], vec![3]]);
        lines.append(&[b"6".to_vec()]).unwrap();
        assert_eq!(open(&path).unwrap().1, [vec![1, 2], vec![3], vec![6]]);
        lines.write_anew(b"7".to_vec()).unwrap();
        lines.append(&[b"8".to_vec()]).unwrap();
        assert_eq!((open(&path).unwrap().1, lines.is_worn()), (vec![vec![7], vec![8]], false));
    }

    /// A line in the middle, or a first one, that cannot be read is no half of an append.
    #[test]
    fn a_file_that_is_something_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        for text in ["nonsense", "[1]\n[nonsense]\n[2]\n"] {
            std::fs::write(&path, text).unwrap();
            let error = open(&path).unwrap_err();
            assert!(format!("{error:#}").contains("remove it"), "{error:#}");
        }
    }
}
