//! The few things that have to be done to files and directories so that they survive a power cut.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use domain::ids::Digest;

use crate::fault::{Doing, Fault};

/// Makes names that were created, renamed or removed in a directory durable.
pub(crate) fn sync_directory(dir: &Path) -> Result<(), Fault> {
    File::open(dir).and_then(|dir| dir.sync_all()).doing("sync", dir)
}

/// Makes every file below a directory durable, and the directory itself.
pub(crate) fn sync_tree(dir: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(dir).doing("list", dir)? {
        let path = entry.doing("list", dir)?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).doing("sync", &path)?;
        }
    }
    sync_directory(dir)
}

/// Replaces a file as a whole: readers see the old content or the new one, also after a power cut.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), Fault> {
    let parent = path.parent().expect("every file of a journal lies in a directory");
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary).doing("create", &temporary)?;
    file.write_all(content).doing("write", &temporary)?;
    file.sync_all().doing("sync", &temporary)?;
    fs::rename(&temporary, path).doing("rename", &temporary)?;
    sync_directory(parent)
}

/// Removes a directory with everything in it, if it exists.
pub(crate) fn remove_tree(dir: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).doing("remove", dir),
        _ => Ok(()),
    }
}

/// Copies a directory. `fs::copy` shares the blocks where the file system can.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), Fault> {
    fs::create_dir_all(to).doing("create", to)?;
    for entry in fs::read_dir(from).doing("list", from)? {
        let path = entry.doing("list", from)?.path();
        let target = to.join(path.file_name().expect("a listed file has a name"));
        if path.is_dir() {
            copy_tree(&path, &target)?;
        } else {
            fs::copy(&path, &target).doing("copy", &path)?;
        }
    }
    sync_tree(to)
}

/// Name, length and BLAKE3 of one file below a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSum {
    /// Relative, with `/`. sled's names hold no blanks, commas or colons.
    pub(crate) name: String,
    pub(crate) length: u64,
    pub(crate) hash: Digest,
}

impl FileSum {
    /// Sums of all files below a directory, in order of their names.
    pub(crate) fn of_tree(dir: &Path) -> Result<Vec<Self>, Fault> {
        let mut sums = Vec::new();
        for (name, path) in files_below(dir)? {
            let mut hasher = blake3::Hasher::new();
            let mut file = File::open(&path).doing("read", &path)?;
            let length = std::io::copy(&mut file, &mut hasher).doing("read", &path)?;
            sums.push(Self { name, length, hash: Digest(*hasher.finalize().as_bytes()) });
        }
        Ok(sums)
    }

    /// Whether the files below a directory have these names and lengths; contents are not read.
    pub(crate) fn lengths_agree(sums: &[Self], dir: &Path) -> Result<bool, Fault> {
        let mut found = Vec::new();
        for (name, path) in files_below(dir)? {
            found.push((name, fs::metadata(&path).doing("measure", &path)?.len()));
        }
        Ok(found
            .iter()
            .map(|(name, length)| (name.as_str(), *length))
            .eq(sums.iter().map(|s| (s.name.as_str(), s.length))))
    }

    pub(crate) fn write_all(sums: &[Self]) -> String {
        let texts: Vec<String> = sums.iter().map(|sum| format!("{}:{}:{}", sum.name, sum.length, sum.hash)).collect();
        texts.join(",")
    }

    pub(crate) fn read_all(text: &str) -> Option<Vec<Self>> {
        let read = |text: &str| {
            let mut fields = text.split(':');
            let (name, length) = (fields.next()?.to_owned(), fields.next()?.parse().ok()?);
            let hash = Digest::parse(fields.next()?)?;
            fields.next().is_none().then_some(Self { name, length, hash })
        };
        text.split(',').filter(|text| !text.is_empty()).map(read).collect()
    }
}

/// All files below a directory with their relative names, sorted.
fn files_below(dir: &Path) -> Result<Vec<(String, PathBuf)>, Fault> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).doing("list", dir)? {
        let path = entry.doing("list", dir)?.path();
        let name = path.file_name().expect("a listed file has a name").to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(files_below(&path)?.into_iter().map(|(below, path)| (format!("{name}/{below}"), path)));
        } else {
            files.push((name, path));
        }
    }
    files.sort();
    Ok(files)
}
