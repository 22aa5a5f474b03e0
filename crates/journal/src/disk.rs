//! The few things that have to be done to files and directories so that they survive a power cut.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

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
