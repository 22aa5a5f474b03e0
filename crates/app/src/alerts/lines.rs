//! A file of changes: each line of it is one JSON array of changes, durable before it is acted on.
//!
//! Appending costs what the change is long, however much the file holds. It is written anew, as one line beside
//! the old file that is renamed into its place, so that a crash leaves the old one or the new one. A line that
//! is there in part was never acted on and is cut off; a file that cannot be read otherwise is refused.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek as _, SeekFrom, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// So much may be appended, beside twice of what the file began with, before it is worth writing it anew.
const WORN: u64 = 1 << 20;
/// So much is handed to the system at once.
const BUFFERED: usize = 1 << 18;

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
                Err(_) if length + line.len() == bytes.len() && (length > 0 || is_begun(line)) => break,
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

    /// Begins a line.
    pub(super) fn begin(&mut self) -> Line<'_> {
        Line { lines: self, written: None }
    }

    /// The file, to be written to at its end. What a line that was never finished left behind is cut off.
    fn end(&self) -> std::io::Result<BufWriter<File>> {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        file.set_len(self.length)?;
        file.seek(SeekFrom::End(0))?;
        Ok(BufWriter::with_capacity(BUFFERED, file))
    }

    /// Whether so much was appended that writing the file anew is worth it.
    pub(super) fn is_worn(&self) -> bool {
        self.length > WORN + 3 * self.whole
    }

    /// Replaces everything by one change.
    pub(super) fn write_anew(&mut self, change: &impl Serialize) -> anyhow::Result<()> {
        let beside = self.path.with_extension("json.new");
        let replace = || -> anyhow::Result<u64> {
            let mut file = BufWriter::with_capacity(BUFFERED, File::create(&beside)?);
            serde_json::to_writer(&mut file, &[change])?;
            file.write_all(b"\n")?;
            file.flush()?;
            file.get_ref().sync_data()?;
            std::fs::rename(&beside, &self.path)?;
            Ok(file.stream_position()?)
        };
        self.whole = replace().with_context(|| format!("cannot write {}", self.path.display()))?;
        self.length = self.whole;
        Ok(())
    }
}

/// A line that is being appended, change by change, so that a long one need not stand in memory. It says
/// something once it is finished, and nothing if it never is.
pub(super) struct Line<'l> {
    lines: &'l mut Lines,
    /// `None` before the first change: nothing is no line.
    written: Option<BufWriter<File>>,
}

impl Line<'_> {
    /// Adds a change, which is JSON already.
    pub(super) fn push(&mut self, change: &[u8]) -> anyhow::Result<()> {
        let doing = || format!("cannot write {}", self.lines.path.display());
        let push = |file: &mut BufWriter<File>, before: &[u8]| {
            file.write_all(before)?;
            file.write_all(change)
        };
        match &mut self.written {
            Some(file) => push(file, b","),
            None => self.lines.end().and_then(|file| push(self.written.insert(file), b"[")),
        }
        .with_context(doing)
    }

    /// Makes the line durable.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let Some(mut file) = self.written else { return Ok(()) };
        let mut finish = || -> std::io::Result<u64> {
            file.write_all(b"]\n")?;
            file.flush()?;
            file.get_ref().sync_data()?;
            file.stream_position()
        };
        self.lines.length = finish().with_context(|| format!("cannot write {}", self.lines.path.display()))?;
        Ok(())
    }
}

/// Whether a line that cannot be read was begun here: the file of something else is not ours to cut.
fn is_begun(line: &[u8]) -> bool {
    line.starts_with(b"[") && !line.ends_with(b"\n")
}

/// The changes of one line: an array, or a single one that is the whole file, as builds before wrote it.
fn read<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<Vec<T>> {
    if line.starts_with(b"{") { Ok(vec![serde_json::from_slice(line)?]) } else { serde_json::from_slice(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &std::path::Path) -> anyhow::Result<(Lines, Vec<Vec<u32>>)> {
        Lines::open(path.to_owned())
    }

    fn append(lines: &mut Lines, changes: &[&str]) {
        let mut line = lines.begin();
        changes.iter().for_each(|change| line.push(change.as_bytes()).unwrap());
        line.finish().unwrap();
    }

    /// What was appended is read back in order; half a line, as a crash leaves it, is as if it had never been
    /// begun, and what is appended after it can be read.
    #[test]
    fn what_was_durable_is_read_back_and_half_a_line_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        let (mut lines, said) = open(&path).unwrap();
        assert!(lines.is_empty() && said.is_empty());
        append(&mut lines, &[]);
        assert!(!path.exists(), "nothing is no line");
        append(&mut lines, &["1", "2"]);
        append(&mut lines, &["3"]);
        std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"[4,5"].concat()).unwrap();
        let (mut lines, said) = open(&path).unwrap();
        assert_eq!(said, [vec![1, 2], vec![3]]);
        let mut unfinished = lines.begin();
        unfinished.push(b"9").unwrap();
        drop(unfinished);
        append(&mut lines, &["6"]);
        assert_eq!(open(&path).unwrap().1, [vec![1, 2], vec![3], vec![6]]);
        lines.write_anew(&7).unwrap();
        append(&mut lines, &["8"]);
        assert_eq!((open(&path).unwrap().1, lines.is_worn()), (vec![vec![7], vec![8]], false));
    }

    /// Who was stopped in the very first line begins with an empty file.
    #[test]
    fn half_of_the_first_line_is_cut_off_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        std::fs::write(&path, "[1,2").unwrap();
        let (mut lines, said) = open(&path).unwrap();
        assert!(lines.is_empty() && said.is_empty());
        append(&mut lines, &["3"]);
        assert_eq!(open(&path).unwrap().1, [vec![3]]);
    }

    /// A line in the middle that cannot be read, or a first one that was not begun here, is no half of an append.
    #[test]
    fn a_file_that_is_something_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        for text in ["nonsense", "[nonsense]\n", "[1]\n[nonsense]\n[2]\n"] {
            std::fs::write(&path, text).unwrap();
            let error = open(&path).unwrap_err();
            assert!(format!("{error:#}").contains("remove it"), "{error:#}");
        }
    }
}
