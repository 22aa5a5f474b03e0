//! `pec order`: what an order would be answered, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::entry::{ChannelEvent, Event, OrderRequested, Stream};
use domain::order::{self, Answer, Desk, Reason};
use domain::policy::RULES_VERSION;
use journal::wire::{self, MessageRef};
use serde::Serialize;
use serde_json::{Value, json};

use super::invoice::revisions_in_words;
use super::start::fault;
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, left, table};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec order check order.json\n  pec order check orders.json --json")]
pub struct Order {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Answer orders in a file as they would be answered, and record nothing
    #[command(
        after_help = "The file holds the data of pec.order.requested.v1: one object, a list of them, or one a line. Each order is judged on its own instant. The exit code is 1 if one would be refused.\n\nAn order, as short as it may be (kinds: azure-plan, azure-subscription, legacy-azure, licences, seat-change, reservation, renewal, sandbox, plan-suspension, reseller-of-record, relationship, partnership, transition, transfer, licence-transfer, manage, attestation; doors: portal, api-user, api-app):\n  {\"orderId\": \"o-1\", \"kind\": \"azure-plan\", \"customerId\": \"22222222-bbbb-4bbb-8bbb-222222222222\",\n   \"partnerTenantId\": \"11111111-aaaa-4aaa-8aaa-111111111111\", \"resellerPartnerId\": \"1234567\",\n   \"door\": \"portal\", \"requestedAt\": \"2026-01-17T10:00:00Z\"}\n\nExamples:\n  pec order check order.json\n  pec order check orders.json --json"
    )]
    Check {
        /// Orders as JSON; `schemas/commerce/order.requested.v1.json` says what each may hold
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The document of `schemas/output/order-check.v1.json`.
#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    rules_version: u32,
    policy_revision: u32,
    orders: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    order: String,
    kind: &'static str,
    customer: String,
    partner: String,
    at: String,
    policy_revision: u32,
    accepted: bool,
    reasons: Vec<ReasonRow>,
    remarks: Vec<ReasonRow>,
}

/// A reason or remark, as every output shows it.
#[derive(Serialize)]
pub(super) struct ReasonRow {
    pub rule: &'static str,
    pub source: &'static str,
    pub code: &'static str,
    pub error: Option<&'static str>,
    pub detail: String,
    pub instead: Vec<&'static str>,
    pub events: Vec<String>,
}

pub(super) fn reason_row(reason: &Reason) -> ReasonRow {
    ReasonRow {
        rule: reason.ground.rule(),
        source: reason.ground.source(),
        code: reason.ground.text(),
        error: reason.ground.error(),
        detail: reason.detail.clone(),
        instead: reason.ground.instead().to_vec(),
        events: reason.events.iter().map(ToString::to_string).collect(),
    }
}

impl Order {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let Action::Check { file } = &self.action;
        let path = context.path(file);
        let text = std::fs::read_to_string(&path).map_err(|error| Problem::unreadable("the order", &path, &error))?;
        let orders = read(&text).map_err(|what| {
            Problem::usage(format!("cannot check {}: {what}", path.display()))
                .hint("write the data of pec.order.requested.v1: schemas/commerce/order.requested.v1.json")
        })?;
        let facts = context.ledger.facts().map_err(fault)?;
        let commerce = facts.commerce.view();
        let desk = Desk::new(&facts, &commerce);
        let revision = |order: &OrderRequested| desk.policy(order.at).revision;
        let rows: Vec<Row> =
            orders.iter().map(|order| row(order, &order::judge(&desk, order), revision(order))).collect();
        let refused = rows.iter().any(|row| !row.accepted);
        let newest = orders.iter().map(|order| order.at).max();
        let policy_revision = newest.map_or(0, |at| desk.policy(at).revision);
        if context.json {
            out.json(&Checked {
                schema: "pec.order-check.v1",
                rules_version: RULES_VERSION,
                policy_revision,
                orders: rows,
            })?;
        } else {
            show(&rows, out)?;
        }
        Ok(if refused { Exit::Refused } else { Exit::Fine })
    }
}

fn row(order: &OrderRequested, answer: &Answer, policy_revision: u32) -> Row {
    Row {
        order: order.order.to_string(),
        kind: order.kind.text(),
        customer: order.customer.to_string(),
        partner: order.partner.to_string(),
        at: period::instant(order.at),
        policy_revision,
        accepted: answer.accepted(),
        reasons: answer.reasons.iter().map(reason_row).collect(),
        remarks: answer.remarks.iter().map(reason_row).collect(),
    }
}

fn show(rows: &[Row], out: &mut Output) -> anyhow::Result<()> {
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            out.line("")?;
        }
        let verdict = if row.accepted { "accepted" } else { "refused" };
        out.heading(&format!("{} ({}): {verdict}", row.order, row.kind))?;
        for (word, reasons) in [("against it", &row.reasons), ("remark", &row.remarks)] {
            let mut list = table(&[word, "rule and code", "error", "what to do instead"]);
            for reason in reasons {
                let instead = reason.instead.join("; or ");
                list.add_row([
                    left(&reason.detail),
                    left(format!("{} {}", reason.rule, reason.code)),
                    left(reason.error.unwrap_or("")),
                    left(instead),
                ]);
            }
            if !reasons.is_empty() {
                out.table(list)?;
            }
        }
        let said = row.reasons.iter().chain(&row.remarks);
        let sources: BTreeMap<&str, &str> = said.map(|reason| (reason.rule, reason.source)).collect();
        for (rule, source) in sources {
            out.line(format!("{rule}: {source}"))?;
        }
    }
    let revisions: BTreeSet<u32> = rows.iter().map(|row| row.policy_revision).collect();
    let revisions = revisions_in_words(&revisions.into_iter().collect::<Vec<u32>>());
    out.line("")?;
    out.line(format!("Rules version {RULES_VERSION} · {revisions}"))?;
    Ok(())
}

/// Orders as JSON: one object, a list, `{"orders": […]}`, or one object a line.
fn read(text: &str) -> Result<Vec<OrderRequested>, String> {
    let values: Vec<Value> = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(list)) => list,
        Ok(Value::Object(mut one)) => match one.remove("orders") {
            Some(Value::Array(list)) => list,
            Some(_) => return Err("`orders` is no list".to_owned()),
            None => vec![Value::Object(one)],
        },
        Ok(_) => return Err("it is neither an object nor a list".to_owned()),
        Err(whole) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(|line| serde_json::from_str(line).map_err(|_| whole.to_string())).collect::<Result<_, _>>()?
        }
    };
    if values.is_empty() {
        return Err("it holds no order".to_owned());
    }
    values
        .iter()
        .zip(1..)
        .map(|(value, number)| decode(value).map_err(|what| format!("order {number}: {what}")))
        .collect()
}

/// One order, by the very decoder that reads the event.
fn decode(data: &Value) -> Result<OrderRequested, String> {
    let event = json!({
        "specversion": "1.0", "id": "check", "source": "pec order check", "type": "pec.order.requested.v1", "data": data,
    });
    let text = event.to_string();
    let message = MessageRef { stream: Stream::Commerce, key: None, headers: &[], value: Some(text.as_bytes()) };
    match wire::decode(&message).into_iter().next() {
        Some(Ok(fact)) => match fact.event {
            Event::Channel(event) => match *event {
                ChannelEvent::OrderRequested(order) => Ok(order),
                other => Err(format!("it is no order but {}", engine::describe::kind(&other.into()))),
            },
            other => Err(format!("it is no order but {}", engine::describe::kind(&other))),
        },
        Some(Err(rejection)) => Err(format!("{} {}", rejection.code, rejection.detail)),
        None => Err("it holds nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"orderId": "o-1", "kind": "azure-plan", "customerId": "22222222bbbb4bbb8bbb222222222222",
        "partnerTenantId": "11111111aaaa4aaa8aaa111111111111", "door": "portal", "requestedAt": "2026-01-17T10:00:00Z"}"#;

    #[test]
    fn one_order_a_list_or_a_line_each_are_read_alike() {
        let line = ORDER.replace('\n', " ");
        for text in
            [ORDER.to_owned(), format!("[{ORDER}]"), format!("{{\"orders\": [{ORDER}]}}"), format!("{line}\n\n{line}")]
        {
            let orders = read(&text).unwrap();
            assert_eq!(&*orders[0].order, "o-1", "{text}");
        }
        assert_eq!(read(&format!("{line}\n{line}")).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_order_is_named_with_its_field() {
        assert!(read("[]").unwrap_err().contains("no order"));
        assert!(read("7").unwrap_err().contains("neither"));
        assert!(read(&ORDER.replace("azure-plan", "azure")).unwrap_err().contains("kind"));
        assert!(read(&format!("[{ORDER}, {{}}]")).unwrap_err().contains("order 2"));
    }
}
