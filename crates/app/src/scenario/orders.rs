//! What `pec` says about the orders of a scenario: verdicts, and the answers that were given.

use domain::access::Access;
use domain::order::{Desk, Reason, held, judge};
use domain::period::Instant;

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
                reason.and_then(|reason| reason.ground.error()).unwrap_or("-").replace(' ', ""),
                reason.map_or_else(String::new, |reason| scenario.names.shorten(&reason.detail)),
            ]
        };
        if answer.reasons.is_empty() && answer.remarks.is_empty() {
            rows.push(row("-", None));
        }
        rows.extend(answer.reasons.iter().map(|reason| row("against", Some(reason))));
        rows.extend(answer.remarks.iter().map(|reason| row("remark", Some(reason))));
    }
    aligned(&["# order", "kind", "verdict", "", "rule", "code", "error", "detail"], &rows)
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

/// What every partner holds of every customer on an instant.
pub fn holdings(scenario: &Scenario, desk: &Desk<'_>, access: &Access, at: Instant) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let short = |text: String| scenario.names.shorten(&text);
    for customer in desk.commerce.customers() {
        for partner in desk.partners_of_customer(customer.customer) {
            for one in held(desk, access, customer.customer, *partner, at) {
                rows.push(vec![
                    short(customer.customer.to_string()),
                    short(partner.to_string()),
                    one.scope.map_or_else(|| "tenant".to_owned(), |scope| short(scope.as_str().to_owned())),
                    one.by.text().replace(' ', "-"),
                    short(one.holder.to_string()),
                    one.since.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    if one.stayed { "CHN-13 stayed" } else { "CHN-13 standing" }.to_owned(),
                ]);
            }
        }
    }
    aligned(&["# customer", "partner", "scope", "held by", "who", "since", "why"], &rows)
}
