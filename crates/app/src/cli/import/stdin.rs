//! `-` as a file: stdin, kept in a temporary file until the command is answered.
//!
//! A file is read twice, for its digest and for its records, and a running server cannot read the
//! stdin of whoever asks it. So the words of the command line are changed before anybody answers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Import;

/// What came from stdin; gone from the disk when this is dropped.
pub struct Spooled {
    folder: tempfile::TempDir,
}

impl Spooled {
    /// Reads stdin to its end where one of the files is `-`.
    pub fn of(import: &Import) -> anyhow::Result<Option<Self>> {
        if !import.files.iter().any(|file| file == Path::new("-")) {
            return Ok(None);
        }
        // Only its owner may look into it.
        let folder =
            tempfile::Builder::new().prefix("pec-import-").tempdir().context("cannot keep what stdin holds")?;
        let spooled = Self { folder };
        let mut file = std::fs::File::create(spooled.path()).context("cannot keep what stdin holds")?;
        std::io::copy(&mut std::io::stdin().lock(), &mut file).context("cannot read stdin")?;
        Ok(Some(spooled))
    }

    /// Its name is what people see of it.
    fn path(&self) -> PathBuf {
        self.folder.path().join("stdin")
    }

    /// The command line with the file in place of `-`.
    #[must_use]
    pub fn words(&self, words: &[OsString]) -> Vec<OsString> {
        let path = self.path().into_os_string();
        words.iter().map(|word| if word == "-" { path.clone() } else { word.clone() }).collect()
    }
}
