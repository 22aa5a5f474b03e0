//! The money that hangs on findings: the list charge of the usage that each of them is about.
//!
//! Exact, in the pricing currency, and only where the usage is charged at all: what was left out
//! of the draft has no price, and "unknown" is said instead of a number. One pass over the month's
//! pieces, whatever the number of findings.

use std::collections::BTreeMap;

use domain::finding::{Code, Finding};
use domain::ids::Guid;
use domain::money::Exact;
use domain::period::Period;
use domain::rating::Piece;

use crate::books::Books;

/// What hangs on the findings of a partner's month.
#[derive(Clone, Debug, Default)]
pub struct Hanging {
    /// For each finding, in the order given; `None` where it is unknown.
    pub each: Vec<Option<Exact>>,
    /// For each code, usage that several of its findings are about counted once; a code of which any
    /// finding is unknown is left out.
    pub by_code: BTreeMap<Code, Exact>,
}

/// Works it out for the findings of one draft.
pub fn charges(books: &mut Books<'_>, bill_to: Guid, period: Period, findings: &[Finding]) -> Hanging {
    let mut each: Vec<Option<Exact>> = findings.iter().map(|finding| finding.charge.clone()).collect();
    let mut by_code: BTreeMap<Code, Exact> = BTreeMap::new();
    for finding in findings {
        if let Some(charge) = &finding.charge {
            *by_code.entry(finding.code).or_default() += charge;
        }
    }
    // By subscription, so that a piece meets only the findings that may be about it.
    let mut open: BTreeMap<Option<Guid>, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if finding.charge.is_none() && finding.code.is_charged() {
            open.entry(finding.about.subscription).or_default().push(index);
            each[index] = Some(Exact::zero());
            by_code.entry(finding.code).or_default();
        }
    }
    if !open.is_empty() {
        books.draft(bill_to, period, &mut |piece| {
            let near = [open.get(&None), open.get(&Some(piece.subscription))];
            let mut counted: Vec<Code> = Vec::new();
            for index in near.into_iter().flatten().flatten() {
                let Some(finding) = findings.get(*index).filter(|finding| is_about(finding, piece)) else { continue };
                let list = piece.list_charge();
                if let Some(Some(sum)) = each.get_mut(*index) {
                    *sum += &list;
                }
                if !counted.contains(&finding.code) {
                    counted.push(finding.code);
                    *by_code.entry(finding.code).or_default() += &list;
                }
            }
        });
    }
    for (finding, charge) in findings.iter().zip(&each) {
        if charge.is_none() {
            by_code.remove(&finding.code);
        }
    }
    Hanging { each, by_code }
}

/// Whether a piece is among what a finding is about. What a finding does not say, it does not narrow.
fn is_about(finding: &Finding, piece: &Piece<'_>) -> bool {
    let about = &finding.about;
    let same = |named: Option<Guid>, here: Guid| named.is_none_or(|named| named == here);
    same(about.customer, piece.customer)
        && same(about.plan, piece.plan)
        && same(about.subscription, piece.subscription)
        && about.meter.as_ref().is_none_or(|meter| meter == piece.meter)
        && about.day.is_none_or(|day| day == piece.day)
        // A grant above subscriptions reaches all of the one that the finding names.
        && about.resource.as_ref().is_none_or(|scope| scope.subscription().is_none() || scope.contains(piece.scope))
        && (finding.code != Code::Estimate || piece.estimate)
}
