//! How a command ends: its exit code, and errors that say what was being done, what is wrong and
//! what to do next.
//!
//! A [`Problem`] carries its exit code and hint through `anyhow`; every other error is a fault of
//! the world. The chain is printed once, at the rim, by [`report`].

use std::fmt;

/// The exit codes, for scripts. Warnings and findings that do not block end fine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    Fine = 0,
    /// Refused, or blocking findings are open.
    Refused = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The world failed: disk, broker, checksum.
    Fault = 3,
    /// `verify` found a difference.
    Differs = 4,
}

impl Exit {
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// An error that knows its exit code and, mostly, what to do next.
#[derive(Debug)]
pub struct Problem {
    pub exit: Exit,
    pub what: String,
    pub hint: Option<String>,
}

impl Problem {
    /// The domain, or a rule of this program, says no.
    #[must_use]
    pub fn refused(what: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, what: what.into(), hint: None }
    }

    /// The command line or the configuration is wrong.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into(), hint: None }
    }

    /// The world failed.
    #[must_use]
    pub fn fault(what: impl Into<String>) -> Self {
        Self { exit: Exit::Fault, what: what.into(), hint: None }
    }

    /// A file that the command line names cannot be read: a wrong path is the command line's, all else
    /// the world's.
    #[must_use]
    pub fn unreadable(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
        let said = format!("cannot read {what} {}: {error}", path.display());
        if matches!(error.kind(), NotFound | IsADirectory | NotADirectory) {
            Self::usage(said).hint("check the path; a relative one starts where you are")
        } else {
            Self::fault(said).hint("check the permissions and the disk")
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}

/// What an error means for the caller, in the words that are printed.
#[must_use]
pub fn report(error: &anyhow::Error) -> (Exit, String) {
    let problem = error.chain().find_map(|cause| cause.downcast_ref::<Problem>());
    let exit = problem.map_or(Exit::Fault, |problem| problem.exit);
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some errors already print their source; twice the same sentence helps nobody.
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    let hint = problem.and_then(|problem| problem.hint.clone()).or_else(|| hint_of(error));
    if let Some(hint) = hint {
        text.push_str("\n hint: ");
        text.push_str(&hint);
    }
    (exit, text)
}

/// What to do about faults that come from below and carry no hint of their own.
fn hint_of(error: &anyhow::Error) -> Option<String> {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>())?;
    match io.kind() {
        std::io::ErrorKind::StorageFull => Some("free space on that disk, then run the same command again".to_owned()),
        std::io::ErrorKind::PermissionDenied => Some("run as the owner of the data directory".to_owned()),
        std::io::ErrorKind::NotFound => Some("check the path; a relative one starts where you are".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_problem_keeps_its_code_and_hint_through_context() {
        let error = Err::<(), _>(Problem::refused("2026-01 has not ended").hint("wait until 2026-02-04"))
            .context("cannot close 2026-01")
            .unwrap_err();
        let (exit, text) = report(&error);
        assert_eq!(exit, Exit::Refused);
        assert_eq!(text, "error: cannot close 2026-01: 2026-01 has not ended\n hint: wait until 2026-02-04");
    }

    #[test]
    fn any_other_error_is_a_fault() {
        assert_eq!(report(&anyhow::anyhow!("disk on fire")).0, Exit::Fault);
    }
}
