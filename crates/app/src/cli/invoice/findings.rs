//! What does not add up, put together by code.

use domain::finding::Finding;
use domain::period::Period;
use engine::books;
use serde::Serialize;

use crate::cli::select;
use crate::output::{Output, align_right, left, right, table};

#[derive(Serialize)]
pub(in crate::cli) struct FindingAnswer {
    pub(in crate::cli) code: &'static str,
    pub(in crate::cli) rule: &'static str,
    pub(in crate::cli) blocking: bool,
    pub(in crate::cli) count: usize,
    pub(in crate::cli) meaning: &'static str,
    pub(in crate::cli) example: String,
    pub(in crate::cli) hint: String,
}

pub(in crate::cli) fn findings_answer(findings: &[Finding], period: Period) -> Vec<FindingAnswer> {
    let answer = |found: books::Found| FindingAnswer {
        code: found.code.text(),
        rule: found.code.rule(),
        blocking: found.code.blocking(),
        count: found.count,
        meaning: found.code.meaning(),
        example: select::about(&found.example),
        hint: found.example.hint(period),
    };
    books::grouped(findings).into_iter().map(answer).collect()
}

pub(in crate::cli) fn print_findings(findings: &[FindingAnswer], out: &mut Output) -> anyhow::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let mut list = table(&["finding", "", "count", "what, and what to do"]);
    for finding in findings {
        let stops = if finding.blocking { "stops closing" } else { "" };
        let words =
            format!("{} ({})\nfor example {}\n→ {}", finding.meaning, finding.rule, finding.example, finding.hint);
        list.add_row([left(finding.code), left(stops), right(finding.count), left(words)]);
    }
    align_right(&mut list, &[2]);
    out.table(list)?;
    Ok(())
}
