//! Price sheets, exchange rates and tables of roles for `pec import`: CSV, gzip or zip, turned into the
//! events that a publisher would send.
//!
//! When a sheet was published decides which of two sheets prices a month, and Microsoft's files do
//! not say it. So it is asked for, never taken from a clock or from the file's date.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use domain::entry::Event;
use domain::ids::Digest;
use domain::period::{Day, Instant, Period};
use journal::Origin;
use journal::wire::{self, Envelope, Message, PublishedAt, Rejection, TableKind};

use crate::exit::Problem;

/// What the command line says about tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) month: Option<Period>,
    pub(super) published_at: Option<Instant>,
    pub(super) effective_from: Option<Day>,
}

/// Messages of a table, each with its origin; `None` where the file is no such table.
pub(super) fn read(path: &Path, said: Said) -> anyhow::Result<Option<Vec<(Origin, Message)>>> {
    if !looks_like_a_table(path)? {
        return Ok(None);
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let events = match wire::table_kind(&bytes) {
        None => return Ok(None),
        Some(TableKind::Roles) => wire::roles::events_from_csv(&bytes, first_day(path, said)?),
        Some(TableKind::ExchangeRates) => wire::rates::events_from_csv(&bytes, published(said)),
        Some(TableKind::PriceSheet) => wire::prices::events_from_csv(&bytes, month_of(path, said)?, published(said)),
    };
    let events = events.map_err(|rejection| refused(path, said, &rejection))?;
    let name: Arc<str> = file_name(path).into();
    let digest = Digest(*blake3::hash(&bytes).as_bytes());
    let message = |(ordinal, (envelope, event)): (u64, (Envelope, Event))| {
        let origin = Origin::File { name: name.clone(), digest, ordinal };
        (origin, wire::encode(&envelope, &event))
    };
    Ok(Some((0_u64..).zip(events).map(message).collect()))
}

/// Whether it is worth reading whole: a zip, or something called CSV.
fn looks_like_a_table(path: &Path) -> anyhow::Result<bool> {
    use std::io::Read as _;
    let mut first = [0; 2];
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let count = file.take(2).read(&mut first).with_context(|| format!("cannot read {}", path.display()))?;
    let name = file_name(path).to_lowercase();
    Ok((count == 2 && &first == b"PK") || name.ends_with(".csv") || name.ends_with(".csv.gz"))
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn published(said: Said) -> PublishedAt {
    said.published_at.map_or(PublishedAt::InFile, PublishedAt::Stated)
}

/// The day from which a table of roles holds: only whoever imports it knows.
fn first_day(path: &Path, said: Said) -> anyhow::Result<Day> {
    said.effective_from.ok_or_else(|| {
        Problem::usage(format!("cannot tell from which day the roles of {} hold", path.display()))
            .hint("name it, for example: --effective-from 2026-02-01")
            .into()
    })
}

/// The month that a sheet prices: as said, else from the file's name as Microsoft writes it.
fn month_of(path: &Path, said: Said) -> anyhow::Result<Period> {
    said.month.or_else(|| wire::month_in_name(&file_name(path))).ok_or_else(|| {
        Problem::usage(format!("cannot tell which month {} prices", path.display()))
            .hint("name it, for example: --month 2026-01")
            .into()
    })
}

fn refused(path: &Path, said: Said, rejection: &Rejection) -> Problem {
    let problem =
        Problem::usage(format!("cannot import {}: {} ({})", path.display(), rejection.detail, rejection.code));
    if said.effective_from.is_some() {
        problem.hint("a table of roles has the columns RoleName, RoleDefinitionId and PecEligible (yes, no, unlisted)")
    } else if said.published_at.is_none() {
        problem.hint("Microsoft's files do not say when they were published: --published-at 2025-12-31T18:00:00Z")
    } else {
        problem.hint("schemas/README.md says what a price sheet and a table of rates must look like")
    }
}
