//! The lines of a draft, customer by customer.

use domain::entry::LineKey;
use domain::ids::Currency;
use domain::invoice::{Draft, Line};
use domain::period::Period;
use engine::books::{self, Books};
use serde::Serialize;

use super::amounts::percent;
use super::{InvoiceAnswer, Party, money, short};
use crate::output::{Output, align_right, left, right, table};

/// Whose line it is and of what, as its key says.
#[derive(Serialize)]
pub(super) struct Named {
    pub line: String,
    pub customer: Party,
    pub plan: String,
    pub reseller: Option<String>,
    pub meter: String,
    /// The order, grant or refund.
    pub order: Option<String>,
}

impl Named {
    pub(super) fn of(books: &Books<'_>, key: &LineKey, period: Period) -> Self {
        Self {
            line: books::line_name(key, period),
            customer: Party { id: key.customer.to_string(), name: books.customer_name(key.customer) },
            plan: key.plan.to_string(),
            reseller: key.reseller.as_deref().map(str::to_owned),
            meter: key.meter.to_string(),
            order: key.charge.as_ref().map(|charge| charge.order.to_string()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct LineAnswer {
    #[serde(flatten)]
    named: Named,
    product: String,
    sku: String,
    tier: u32,
    portion: &'static str,
    credit_rate: Option<String>,
    /// In the words of the column ChargeType; null on metered usage.
    charge_type: Option<&'static str>,
    credit_reason: Option<String>,
    unit: String,
    quantity: String,
    unit_price: String,
    effective_unit_price: String,
    /// Exact, before any rounding: the daily lines add up to these two.
    list_charge: String,
    net_charge: String,
    charge: String,
    subtotal_without_credit: String,
    subtotal: String,
    /// Null where tax is off or drawn on the total.
    tax: Option<String>,
    estimate: bool,
    rule: &'static str,
    policy_revision: u32,
    /// Of the line's own days.
    policy_revisions: Vec<u32>,
    rules_version: u32,
}

pub(super) fn line_answer(books: &Books<'_>, line: &Line, draft: &Draft) -> LineAnswer {
    let (key, currency) = (&line.key, draft.currency);
    LineAnswer {
        named: Named::of(books, key, line.period),
        product: line.product_title.to_string(),
        sku: line.sku_title.to_string(),
        tier: key.tier,
        portion: books::portion(key),
        credit_rate: key.credit_rate.map(|rate| rate.normalize().to_string()),
        charge_type: key.charge.as_ref().map(|charge| charge.charge_type.text()),
        credit_reason: key.charge.as_ref().and_then(|charge| charge.reason.as_deref().map(str::to_owned)),
        unit: line.unit.to_string(),
        quantity: line.quantity.to_string(),
        unit_price: money(&line.unit_price, Currency::USD),
        effective_unit_price: money(&line.effective_unit_price, Currency::USD),
        list_charge: money(&line.list_charge, Currency::USD),
        net_charge: money(&line.net_charge, Currency::USD),
        charge: money(&line.charge, Currency::USD),
        subtotal_without_credit: money(&line.subtotal_without_credit, currency),
        subtotal: money(&line.subtotal, currency),
        tax: line.tax.as_ref().map(|tax| money(tax, currency)),
        estimate: line.estimate,
        rule: line.rule,
        policy_revision: draft.policy.revision,
        policy_revisions: books::line_revisions(books.facts, line),
        rules_version: draft.rules_version,
    }
}

pub(super) fn print_lines(invoice: &InvoiceAnswer, out: &mut Output) -> anyhow::Result<()> {
    if invoice.lines.is_empty() {
        out.line("No line.")?;
        return Ok(());
    }
    let mut customer = "";
    let mut lists: Vec<(&str, Vec<&LineAnswer>)> = Vec::new();
    for line in &invoice.lines {
        if line.named.customer.id != customer || lists.is_empty() {
            customer = &line.named.customer.id;
            lists.push((&line.named.customer.name, Vec::new()));
        }
        if let Some((_, lines)) = lists.last_mut() {
            lines.push(line);
        }
    }
    for (index, (name, lines)) in lists.into_iter().enumerate() {
        if index > 0 {
            out.line("")?;
        }
        out.heading(name)?;
        print_customer_lines(&lines, out)?;
    }
    out.line("")?;
    out.note("One line down to its events: pec explain LINE")?;
    Ok(())
}

/// The lines of one customer; the reseller of record where any of them has one.
fn print_customer_lines(lines: &[&LineAnswer], out: &mut Output) -> anyhow::Result<()> {
    let sold_through = lines.iter().any(|line| line.named.reseller.is_some());
    let mut heads = vec!["line", "product", "PEC", "quantity", "unit price", "subtotal", "rule"];
    if sold_through {
        heads.push("reseller");
    }
    let mut list = table(&heads);
    for line in lines {
        let rate = line.credit_rate.as_deref().map_or_else(|| "—".to_owned(), percent);
        let mut row = vec![
            left(&line.named.line),
            left(what_is_charged(line)),
            right(rate),
            right(&line.quantity),
            right(&line.unit_price),
            right(match &line.tax {
                Some(tax) => format!("{}\ntax {}", short(&line.subtotal), short(tax)),
                None => short(&line.subtotal),
            }),
            left(line.rule),
        ];
        if sold_through {
            row.push(left(line.named.reseller.as_deref().unwrap_or("—")));
        }
        list.add_row(row);
    }
    align_right(&mut list, &[2, 3, 4, 5]);
    out.table(list)?;
    Ok(())
}

/// The product; of a purchase, a return or a credit what kind of charge it is, of which order or grant, and why.
fn what_is_charged(line: &LineAnswer) -> String {
    let tier = if line.tier > 1 { format!(", tier {}", line.tier) } else { String::new() };
    let estimate = if line.estimate { " (estimate)" } else { "" };
    let mut words = Vec::new();
    if let (Some(charge_type), Some(order)) = (line.charge_type, &line.named.order) {
        // What Azure credit pays is usage first; a second line gives it back.
        let paid = line.portion == "azure-credit" && charge_type != "customerCredit";
        words.push(if paid { format!("paid by Azure credit {order}") } else { format!("{charge_type} {order}") });
        words.extend(line.credit_reason.clone());
    }
    let product = if line.sku.is_empty() { &line.product } else { &line.sku };
    if !product.is_empty() {
        words.push(format!("{product}{tier}{estimate}"));
    }
    if line.charge_type.is_none() || !product.is_empty() {
        words.push(format!("per {}", line.unit));
    }
    words.join("\n")
}
