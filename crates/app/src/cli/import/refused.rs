//! Why a file is not taken, or not to its end: what a person reads, what a script gets, and whether
//! the files after it can still be tried.

use std::error::Error as _;

use journal::files::FileFault;
use journal::wire::Rejection;

use crate::exit::Exit;

/// The page that says what can be read.
const PAGE: &str = "schemas/README.md, section Files, says what is read";

/// A file that is not read, or not to its end.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) exit: Exit,
    /// As `docs/rejections.md` lists it, where the content is at fault.
    pub(super) code: Option<&'static str>,
    pub(super) what: String,
    pub(super) hint: String,
    /// The journal takes nothing any more, so that other files need not be tried.
    pub(super) stops: bool,
}

impl Refused {
    /// The command line does not say, or not rightly, what is needed.
    pub(super) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: None, what: what.into(), hint: hint.into(), stops: false }
    }

    /// What is wrong, with its code.
    pub(super) fn said(&self) -> String {
        self.code.map_or_else(|| self.what.clone(), |code| format!("{} ({code})", self.what))
    }

    /// A table that is refused as a whole. When it was published is the one thing that the command
    /// line can add.
    pub(super) fn table(rejection: Rejection) -> Self {
        let (exit, hint) = match rejection.code {
            "R-published-unknown" => (Exit::Usage, "for example: --published-at 2025-12-31T18:00:00Z".to_owned()),
            "R-damaged" => (Exit::Refused, "nothing of it was taken; get the file again".to_owned()),
            "R-not-utf8" => (Exit::Refused, to_utf8()),
            _ => (Exit::Refused, format!("nothing of it was taken; {PAGE}")),
        };
        Self { exit, code: Some(rejection.code), what: rejection.detail, hint, stops: false }
    }

    pub(super) fn file(error: &FileFault) -> Self {
        let (exit, hint) = match error {
            FileFault::Stopped { source, .. } => return Self::stopped(error, source.as_ref()),
            FileFault::Missing | FileFault::NoFile => {
                (Exit::Usage, "check the path; a relative one starts where you are".to_owned())
            }
            FileFault::UnknownStream => (Exit::Usage, "name it, for example: --stream usage".to_owned()),
            FileFault::Io(_) => (Exit::Fault, "check the permissions and the disk, then import it again".to_owned()),
            FileFault::Changed => {
                (Exit::Fault, "import it again when nobody writes to it; what is known is not counted twice".to_owned())
            }
            FileFault::Damaged { .. } => (
                Exit::Refused,
                "get the file again and import it: what was read of it stays, and is not counted twice".to_owned(),
            ),
            FileFault::Utf16 => (Exit::Refused, to_utf8()),
            _ => (Exit::Refused, PAGE.to_owned()),
        };
        Self { exit, code: error.code(), what: error.to_string(), hint, stops: false }
    }

    /// The journal did not take a batch.
    fn stopped(error: &FileFault, source: &(dyn std::error::Error + Send + Sync + 'static)) -> Self {
        match source.downcast_ref::<engine::Fault>() {
            Some(fault) => Self { what: format!("{error}: {fault}"), ..Self::fault(fault) },
            None => Self {
                exit: Exit::Fault,
                code: None,
                what: error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
                hint: "import it again; what is known is not counted twice".to_owned(),
                stops: true,
            },
        }
    }

    pub(super) fn fault(fault: &engine::Fault) -> Self {
        let hint = fault.hint().to_owned();
        Self { exit: Exit::Fault, code: None, what: fault.to_string(), hint, stops: true }
    }
}

fn to_utf8() -> String {
    "save it as UTF-8, for example: iconv -f UTF-16 -t UTF-8 FILE > NEW".to_owned()
}
