//! The documents that a close would issue, as its rehearsal shows them.

use std::collections::BTreeMap;

use domain::entry::IssuedDocument;
use domain::money::Exact;
use domain::period::Period;
use serde::Serialize;

use crate::cli::invoice::{money, short, total};
use crate::output::{Output, count};

/// One document that a close would issue.
#[derive(Serialize)]
pub(super) struct Planned {
    id: String,
    currency: String,
    total: String,
    rounding: String,
    /// Beside the total; null where tax is off.
    tax: Option<String>,
    lines: usize,
    /// What of it adjusts months issued before, by month; in none where it is all the month's own.
    adjustments: Vec<Adjusts>,
}

/// What of a document belongs to a month that was issued before.
#[derive(Serialize)]
struct Adjusts {
    period: String,
    lines: usize,
    subtotal: String,
    rule: &'static str,
}

impl From<&IssuedDocument> for Planned {
    fn from(document: &IssuedDocument) -> Self {
        let mut adjusted: BTreeMap<Period, (usize, Exact)> = BTreeMap::new();
        for line in document.lines.iter().filter(|line| line.period != document.period) {
            let (lines, subtotal) = adjusted.entry(line.period).or_default();
            *lines += 1;
            *subtotal += &Exact::from(line.subtotal);
        }
        let amount = |amount: &Exact| money(amount, document.currency);
        let adjusts = |(period, (lines, subtotal)): (Period, (usize, Exact))| Adjusts {
            period: period.to_string(),
            lines,
            subtotal: amount(&subtotal),
            rule: "INV-6",
        };
        Self {
            id: document.id.to_string(),
            currency: document.currency.to_string(),
            total: total(&document.total.into(), document.currency),
            rounding: amount(&document.rounding.into()),
            tax: document.tax.map(|tax| amount(&tax.into())),
            lines: document.lines.len(),
            adjustments: adjusted.into_iter().map(adjusts).collect(),
        }
    }
}

/// What closing would issue, document by document; `certain` where nothing stands against it.
pub(super) fn print(documents: &[Planned], certain: bool, out: &mut Output) -> anyhow::Result<()> {
    out.line(if certain { "Closing it issues:" } else { "Closing it would issue, as far as is known now:" })?;
    for document in documents {
        let (total, rounding) = (short(&document.total), short(&document.rounding));
        out.line(format!("  {}", document.id))?;
        out.line(format!("    {total} in {} (rounding {rounding})", count(document.lines as u64, "line")))?;
        for adjusts in &document.adjustments {
            let (subtotal, lines) = (short(&adjusts.subtotal), count(adjusts.lines as u64, "line"));
            out.line(format!("    of which {subtotal} in {lines} adjusts {} ({})", adjusts.period, adjusts.rule))?;
        }
        if let Some(tax) = &document.tax {
            out.line(format!("    tax {} beside it (INV-12)", short(tax)))?;
        }
    }
    Ok(())
}
