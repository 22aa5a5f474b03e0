//! What `pec` says about the orders of a scenario: verdicts, and the answers that were given.

use domain::order::{Desk, Reason, judge};

use super::reading::Scenario;
use super::tables::aligned;

/// Every order with its verdict, one row for each reason and each remark.
pub fn judged(scenario: &Scenario, desk: &Desk<'_>) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for order in desk.channel.orders() {
        let answer = judge(desk, &order.value);
        let verdict = if answer.accepted() { "accepted" } else { "refused" };
        let row = |word: &str, reason: Option<&Reason>| {
            vec![
                order.value.order.to_string(),
                order.value.kind.text().to_owned(),
                verdict.to_owned(),
                word.to_owned(),
                reason.map_or_else(|| "-".to_owned(), |reason| reason.ground.rule().to_owned()),
                reason.map_or_else(|| "-".to_owned(), |reason| reason.ground.text().to_owned()),
                reason.map_or_else(String::new, |reason| scenario.names.shorten(&reason.detail)),
            ]
        };
        if answer.reasons.is_empty() && answer.remarks.is_empty() {
            rows.push(row("-", None));
        }
        rows.extend(answer.reasons.iter().map(|reason| row("against", Some(reason))));
        rows.extend(answer.remarks.iter().map(|reason| row("remark", Some(reason))));
    }
    aligned(&["# order", "kind", "verdict", "", "rule", "code", "detail"], &rows)
}

/// Every answer that was given, oldest order first.
pub fn answered(_scenario: &Scenario, desk: &Desk<'_>) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for order in desk.channel.orders() {
        for (answer, number) in desk.channel.answers(order.event).iter().zip(1..) {
            let codes: Vec<&str> = answer.value.reasons.iter().map(|reason| &*reason.code).collect();
            rows.push(vec![
                order.value.order.to_string(),
                number.to_string(),
                if answer.value.accepted { "accepted" } else { "refused" }.to_owned(),
                if codes.is_empty() { "-".to_owned() } else { codes.join(" ") },
                if answer.value.first.is_some() { "names the first" } else { "the first" }.to_owned(),
                format!("CHN-23 {}", answer.value.decision.reason),
            ]);
        }
    }
    aligned(&["# order", "answer", "verdict", "codes", "which", "why now"], &rows)
}
