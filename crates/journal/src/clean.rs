//! The mark of a clean shutdown: how the active segment's files looked when they were closed.
//!
//! While the files still look like that, nothing has to be copied before sled opens them. The mark
//! is removed before anything else touches the segment, so it can never speak of older files.

use std::fs;
use std::path::Path;

use crate::disk::{FileSum, replace_file, sync_directory};
use crate::fault::{Doing, Fault};

const NAME: &str = "CLEAN";

/// Marks the directory of a journal whose active segment was closed.
pub(crate) fn mark(dir: &Path, segment: &Path) -> Result<(), Fault> {
    let sums = FileSum::write_all(&FileSum::of_tree(segment)?);
    let check = blake3::hash(sums.as_bytes()).to_hex();
    replace_file(&dir.join(NAME), format!("{sums}\n{check}\n").as_bytes())
}

/// Takes the mark away, and says whether it was there and told the truth.
pub(crate) fn take(dir: &Path, segment: &Path) -> Result<bool, Fault> {
    let path = dir.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => String::new(),
        Err(error) => return Err(error).doing("read", &path),
    };
    let clean = read(&text).is_some_and(|sums| FileSum::of_tree(segment).is_ok_and(|found| found == sums));
    fs::remove_file(&path).doing("remove", &path)?;
    sync_directory(dir)?;
    Ok(clean)
}

fn read(text: &str) -> Option<Vec<FileSum>> {
    let (sums, check) = text.strip_suffix('\n')?.split_once('\n')?;
    (blake3::hash(sums.as_bytes()).to_hex().as_str() == check).then(|| FileSum::read_all(sums)).flatten()
}
