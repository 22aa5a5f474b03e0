//! One digest over every answer: all lines and all daily verdicts of all partners and months.
//!
//! Two folds with equal digests give equal invoices and equal reasons. It is taken over what is
//! answered, never over memory, and names no position: a replay of the same set of facts in another
//! order has the same digest.

use std::fmt::Write as _;

use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::Digest;
use domain::invoice::Draft;
use domain::rating::{Piece, Verdict};

use crate::books::{Books, line_name};

/// Digests every answer that these facts give.
#[must_use]
pub fn of(facts: &Facts) -> Digest {
    let commerce = facts.commerce.view();
    let mut books = Books::new(facts, &commerce);
    let mut whole = blake3::Hasher::new();
    // Used again for each of millions of pieces.
    let mut text = String::new();
    for period in books.periods() {
        for bill_to in books.bill_to() {
            let mut pieces = blake3::Hasher::new();
            let drafts = books.drafts(bill_to, period, &mut |piece| {
                text.clear();
                write_piece(&mut text, piece);
                pieces.update(text.as_bytes());
            });
            for (draft, findings) in &drafts {
                whole.update(draft_text(draft, findings).as_bytes());
            }
            whole.update(pieces.finalize().as_bytes());
        }
    }
    Digest(*whole.finalize().as_bytes())
}

fn write_piece(text: &mut String, piece: &Piece<'_>) {
    let (verdict, reason) = verdict(piece.verdict);
    writeln!(
        text,
        "{}|{}|{}|{}|{}|{}|{}|{verdict}|{reason}",
        piece.plan, piece.subscription, piece.scope, piece.meter, piece.day, piece.band.tier, piece.quantity,
    )
    .expect("writing to a string cannot fail");
}

/// A verdict in the words of every output: the outcome, and the code of the reason.
#[must_use]
pub fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Earned => ("earned", ""),
        Verdict::Lost(code) => ("lost", code.text()),
        Verdict::Never(code) => ("never", code.text()),
    }
}

fn draft_text(draft: &Draft, findings: &[Finding]) -> String {
    let mut text = format!(
        "{} {} {} {} rules {} policy {}\n",
        draft.bill_to, draft.period, draft.currency, draft.exchange_rate, draft.rules_version, draft.policy.revision
    );
    for line in &draft.lines {
        let name = line_name(&line.key, line.period);
        let amounts = [
            &line.quantity,
            &line.unit_price,
            &line.effective_unit_price,
            &line.list_charge,
            &line.net_charge,
            &line.charge,
            &line.subtotal_without_credit,
            &line.subtotal,
        ];
        let amounts: Vec<String> = amounts.into_iter().map(ToString::to_string).collect();
        writeln!(text, "{name} {}", amounts.join(" ")).expect("writing to a string cannot fail");
    }
    for finding in findings {
        writeln!(text, "{} {:?} {}", finding.code, finding.about, finding.detail)
            .expect("writing to a string cannot fail");
    }
    text
}
