//! Price sheets, exchange rates and tables of roles for `pec import`: CSV, gzip or zip, turned into the
//! events that a publisher would send.
//!
//! When a sheet was published decides which of two sheets prices a month, and Microsoft's files do
//! not say it. So it is asked for, never taken from a clock or from the file's date.

use std::path::Path;
use std::sync::Arc;

use domain::entry::Event;
use domain::ids::Digest;
use domain::period::{Day, Instant, Period};
use journal::Origin;
use journal::files::{self, FileFault};
use journal::wire::{self, Envelope, Message, PublishedAt, TableKind};

use super::refused::Refused;

/// What the command line says about tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) month: Option<Period>,
    pub(super) published_at: Option<Instant>,
    pub(super) effective_from: Option<Day>,
}

/// Messages of a table, each with its origin; `None` where the file is no such table.
pub(super) fn read(path: &Path, said: Said) -> Result<Option<Vec<(Origin, Message)>>, Refused> {
    let first = files::first_bytes(path).map_err(|error| Refused::file(&error))?;
    let zipped = first.starts_with(b"PK");
    let known = wire::table_kind(&first);
    if known.is_none() && !zipped {
        return Ok(None);
    }
    let bytes = std::fs::read(path).map_err(|error| Refused::file(&FileFault::Io(error)))?;
    let kind = match known {
        Some(kind) => kind,
        None => TableKind::of_zip(&bytes).map_err(Refused::table)?,
    };
    let events = match kind {
        TableKind::Roles => wire::roles::events_from_csv(&bytes, first_day(said)?),
        TableKind::ExchangeRates => wire::rates::events_from_csv(&bytes, published(said)),
        TableKind::PriceSheet => wire::prices::events_from_csv(&bytes, month_of(path, said)?, published(said)),
    };
    let events = events.map_err(Refused::table)?;
    let name: Arc<str> = file_name(path).into();
    let digest = Digest(*blake3::hash(&bytes).as_bytes());
    let message = |(ordinal, (envelope, event)): (u64, (Envelope, Event))| {
        let origin = Origin::File { name: name.clone(), digest, ordinal };
        (origin, wire::encode(&envelope, &event))
    };
    Ok(Some((0_u64..).zip(events).map(message).collect()))
}

/// What people call a file.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn published(said: Said) -> PublishedAt {
    said.published_at.map_or(PublishedAt::InFile, PublishedAt::Stated)
}

/// The day from which a table of roles holds: only whoever imports it knows.
fn first_day(said: Said) -> Result<Day, Refused> {
    said.effective_from.ok_or_else(|| {
        Refused::usage(
            "nothing says from which day its roles hold",
            "name the day, for example: --effective-from 2026-02-01",
        )
    })
}

/// The month that a sheet prices: as said, else from the file's name as Microsoft writes it.
fn month_of(path: &Path, said: Said) -> Result<Period, Refused> {
    said.month.or_else(|| wire::month_in_name(&file_name(path))).ok_or_else(|| {
        Refused::usage("nothing says which month it prices", "name the month, for example: --month 2026-01")
    })
}
