//! The manifest: one line for each sealed segment, with the hashes of its files.
//!
//! A line names what a segment holds and how its files look; its check covers the line before, so
//! that lines cannot be altered, swapped or taken from another journal unnoticed. A lost tail of
//! the manifest is no loss: segments without a line are walked and sealed again.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use domain::ids::Digest;

use crate::disk::{FileSum, replace_file};
use crate::fault::{Doing, Fault};
use crate::frame::{Chain, FORMAT_VERSION};

pub(crate) const NAME: &str = "MANIFEST";
const TITLE: &str = "pec-manifest ";

/// What is known of a sealed segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) number: u32,
    pub(crate) frames: Range<u64>,
    pub(crate) blocks: Range<u64>,
    pub(crate) positions: Range<u64>,
    /// Chain hash before its first frame and of its last one.
    pub(crate) before: Chain,
    pub(crate) chain: Chain,
    pub(crate) files: Vec<FileSum>,
}

impl Sealed {
    /// The line without its check.
    fn write(&self) -> String {
        let mut line = format!(
            "segment={} frames={}..{} blocks={}..{} positions={}..{} before={} chain={} files=",
            self.number,
            self.frames.start,
            self.frames.end,
            self.blocks.start,
            self.blocks.end,
            self.positions.start,
            self.positions.end,
            Digest(self.before),
            Digest(self.chain),
        );
        line.push_str(&FileSum::write_all(&self.files));
        line
    }

    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
        let range = |text: &str| {
            let (start, end) = text.split_once("..")?;
            Some(start.parse().ok()?..end.parse().ok()?)
        };
        Some(Self {
            number: field("segment")?.parse().ok()?,
            frames: range(field("frames")?)?,
            blocks: range(field("blocks")?)?,
            positions: range(field("positions")?)?,
            before: Digest::parse(field("before")?)?.0,
            chain: Digest::parse(field("chain")?)?.0,
            files: FileSum::read_all(field("files")?)?,
        })
    }

    /// Whether `next` goes on where this one ends.
    fn continues(&self, next: &Self) -> bool {
        (self.number + 1, self.frames.end, self.blocks.end, self.positions.end, self.chain)
            == (next.number, next.frames.start, next.blocks.start, next.positions.start, next.before)
    }
}

/// All sealed segments, from the first one on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) sealed: Vec<Sealed>,
}

impl Manifest {
    pub(crate) fn path(journal: &Path) -> PathBuf {
        journal.join(NAME)
    }

    /// Reads the manifest; one without lines where there is none.
    pub(crate) fn open(journal: &Path) -> Result<Self, Fault> {
        let path = Self::path(journal);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| Fault::damaged(&path, "it is no text"))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).doing("read", &path),
        };
        let mut lines = text.lines();
        let version = lines.next().and_then(|title| title.strip_prefix(TITLE)?.parse::<u32>().ok());
        match version {
            Some(version) if version == u32::from(FORMAT_VERSION) => (),
            Some(found) => return Err(Fault::Version { path, found, known: u32::from(FORMAT_VERSION) }),
            None => return Err(Fault::damaged(&path, "it has no title")),
        }
        if !text.ends_with('\n') {
            return Err(Fault::damaged(&path, "its last line is cut off"));
        }
        let mut sealed: Vec<Sealed> = Vec::new();
        let mut before = String::new();
        for (number, line) in (2..).zip(lines) {
            let damaged = |what: &str| Fault::damaged(&path, format!("line {number} {what}"));
            let (content, sum) = line.rsplit_once(" check=").ok_or_else(|| damaged("has no check"))?;
            if sum != check(&before, content) {
                return Err(damaged("does not agree with its check"));
            }
            let next = Sealed::read(content).ok_or_else(|| damaged("cannot be read"))?;
            let follows = sealed.last().map_or(next.number == 1, |last| last.continues(&next));
            if !follows {
                return Err(damaged("does not go on from the line before"));
            }
            sealed.push(next);
            before = sum.to_owned();
        }
        Ok(Self { sealed })
    }

    /// The file's text.
    fn write(&self) -> String {
        let mut text = format!("{TITLE}{FORMAT_VERSION}\n");
        let mut before = String::new();
        for sealed in &self.sealed {
            let content = sealed.write();
            before = check(&before, &content);
            writeln!(text, "{content} check={before}").expect("writing to a string cannot fail");
        }
        text
    }

    /// Replaces the file by one with all lines.
    pub(crate) fn save(&self, journal: &Path) -> Result<(), Fault> {
        replace_file(&Self::path(journal), self.write().as_bytes())
    }
}

fn check(before: &str, content: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before.as_bytes()).update(content.as_bytes());
    hasher.finalize().to_hex().chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(number: u32, last: u8) -> Sealed {
        let n = u64::from(number);
        Sealed {
            number,
            frames: n * 10..n * 10 + 10,
            blocks: n * 100..n * 100 + 100,
            positions: n * 7..n * 7 + 7,
            before: [last - 1; 32],
            chain: [last; 32],
            files: vec![FileSum { name: "db".to_owned(), length: 9, hash: Digest([9; 32]) }],
        }
    }

    #[test]
    fn one_flipped_bit_is_noticed_wherever_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = Manifest { sealed: vec![sealed(1, 1), sealed(2, 2), sealed(3, 3)] };
        manifest.save(dir.path()).unwrap();
        assert_eq!(Manifest::open(dir.path()).unwrap().sealed, manifest.sealed);
        let whole = fs::read(Manifest::path(dir.path())).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(Manifest::path(dir.path()), &flipped).unwrap();
            assert!(Manifest::open(dir.path()).is_err(), "byte {at}");
        }
        for length in 0..whole.len() {
            fs::write(Manifest::path(dir.path()), &whole[..length]).unwrap();
            if let Ok(shorter) = Manifest::open(dir.path()) {
                assert!(whole[length - 1] == b'\n' && manifest.sealed.starts_with(&shorter.sealed));
            }
        }
    }
}
