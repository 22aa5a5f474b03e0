//! `pec invoice`: what a partner should be charged for a month, and the credit earned and lost.
//!
//! Grouped by customer for people, line by line on request. Amounts in JSON are text with their
//! currency. A draft with blocking findings is shown all the same and ends with exit code 1.

mod adjustments;
mod amounts;
mod daily;
mod findings;
mod issued;
mod lines;

pub(crate) use amounts::money;
pub(super) use amounts::{cents, revisions_in_words, short, total};
pub(super) use findings::{FindingAnswer, findings_answer, print_findings};

use clap::Args;
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::{Currency, Guid};
use domain::invoice::{Draft, Grouping, Totals};
use domain::period::{Instant, Period};
use engine::adjusting;
use engine::books::{self, Books};
use engine::side_by_side::Hands;
use serde::Serialize;

use adjustments::AdjustmentAnswer;
use issued::IssuedAnswer;
use lines::{LineAnswer, line_answer, print_lines};

use super::absent::Nothing;
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, count, left, right, table};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec invoice --period 2026-01\n  pec invoice --period 2026-01 --lines\n  pec invoice --period 2026-01 --daily --customer 'Orchard Foods' --json\n  pec invoice --period 2026-01 --partner Contoso --as-of 2026-02-03 --json"
)]
pub struct Invoice {
    /// The month
    #[arg(long, value_parser = period::period, value_name = "MONTH")]
    period: Period,
    /// Bill-to partner, by name or tenant (default: all)
    #[arg(long)]
    partner: Option<String>,
    /// One customer, by name or tenant
    #[arg(long)]
    customer: Option<String>,
    /// Every line, not only the totals by customer
    #[arg(long)]
    lines: bool,
    /// The daily lines behind them: what each resource used on each day, and what it came to
    #[arg(long, conflicts_with = "lines")]
    daily: bool,
    /// What was known then: an instant, or a date (its end, UTC)
    #[arg(long, value_parser = period::as_of, value_name = "WHEN")]
    as_of: Option<Instant>,
}

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    period: String,
    as_of: Option<String>,
    rules_version: u32,
    /// The one that was asked about; an invoice then holds its lines alone, and no total.
    customer: Option<Party>,
    invoices: Vec<InvoiceAnswer>,
    /// What closing the month would adjust with it.
    adjustments: Vec<AdjustmentAnswer>,
    /// Why there are no invoices; null where there are.
    nothing: Option<Nothing>,
}

#[derive(Serialize)]
struct InvoiceAnswer {
    bill_to: Party,
    currency: String,
    /// Of the policy in force on the first day of the month, which cuts and adds up.
    policy_revision: u32,
    /// With those of the days of its lines.
    policy_revisions: Vec<u32>,
    /// Billing currency per USD, as printed.
    exchange_rate: String,
    /// Null of one customer's part, as the two others that are of the invoice as a whole.
    total: Option<String>,
    rounding: Option<String>,
    subtotal: String,
    /// Beside the total; null where none is drawn.
    tax: Option<String>,
    /// What documents say of the month already; null where none does. The total then is a redraft's.
    issued: Option<IssuedAnswer>,
    credit: Credit,
    customers: Vec<CustomerAnswer>,
    lines: Vec<LineAnswer>,
    rules: Rules,
    findings: Vec<FindingAnswer>,
}

/// The rules of what is no line: the total, and the credit that is missing.
#[derive(Serialize)]
struct Rules {
    rounding: &'static str,
    missing: &'static str,
}

#[derive(Serialize, Clone)]
pub(super) struct Party {
    pub(super) id: String,
    pub(super) name: String,
}

/// Exact amounts in the pricing currency; `printed` in the billing currency.
#[derive(Serialize)]
struct Credit {
    earned: String,
    missing: String,
    missing_by_reason: Vec<Reason>,
    printed: String,
}

#[derive(Serialize)]
struct Reason {
    reason: &'static str,
    rule: &'static str,
    amount: String,
    meaning: &'static str,
}

#[derive(Serialize)]
struct CustomerAnswer {
    customer: Party,
    lines: usize,
    subtotal: String,
    subtotal_without_credit: String,
    credit_earned: String,
    credit_missing: String,
}

impl Invoice {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        super::with_facts(context, self.as_of, out, |facts, out| self.answer(facts, context, out))
    }

    fn answer(&self, facts: &Facts, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let commerce = facts.commerce.view();
        let mut hands = Hands::new(facts, &commerce);
        let partners = super::select::partners(hands.books(), self.partner.as_deref())?;
        let customer = super::select::customer(hands.books(), self.customer.as_deref())?;
        if self.daily {
            return daily::answer(
                hands.books_mut(),
                &daily::Asked { partners, customer, period: self.period, as_of: self.as_of },
                context,
                out,
            );
        }
        let (mut invoices, mut adjustments) = (Vec::new(), Vec::new());
        let mut blocking = false;
        for bill_to in partners {
            let waiting = adjusting::waiting(hands.books_mut(), bill_to);
            for (mut draft, mut findings) in hands.drafts(bill_to, self.period) {
                if let Some(customer) = customer {
                    draft.lines.retain(|line| line.key.customer == customer);
                    findings.retain(|finding| hands.books().may_be_of(&finding.about, customer));
                }
                let issued = issued::answer(hands.books_mut(), &draft, customer, &waiting);
                if draft.lines.is_empty() && findings.is_empty() && issued.is_none() {
                    continue;
                }
                blocking |= findings.iter().any(Finding::blocking);
                invoices.push(self.one(hands.books(), &draft, &findings, issued));
            }
            let asked = (bill_to, self.period, customer);
            adjustments.extend(adjustments::carried(hands.books_mut(), asked, &waiting));
        }
        let exit = if blocking { Exit::Refused } else { Exit::Fine };
        let nothing = match invoices.as_slice() {
            [] => Some(Nothing::of(context, self.as_of, hands.books(), self.period)?),
            _ => None,
        };
        let customer = customer.map(|id| Party { id: id.to_string(), name: hands.books().customer_name(id) });
        let answer = Answer {
            schema: "pec.invoice.v1",
            period: self.period.to_string(),
            as_of: self.as_of.map(period::instant),
            rules_version: domain::policy::RULES_VERSION,
            customer,
            invoices,
            adjustments,
            nothing,
        };
        if context.json {
            out.json(&answer)?
        } else {
            self.print_all(&answer, out)?
        }
        Ok(exit)
    }

    fn print_all(&self, answer: &Answer, out: &mut Output) -> anyhow::Result<()> {
        if let Some(nothing) = &answer.nothing {
            nothing.say(false, out)?;
        }
        for (index, invoice) in answer.invoices.iter().enumerate() {
            if index > 0 {
                out.line("")?;
            }
            self.print(invoice, answer.customer.as_ref(), out)?;
        }
        adjustments::print(&answer.adjustments, self.period, self.lines, out)?;
        if !self.lines && answer.nothing.is_none() {
            out.note(format!("Every line: pec invoice --period {} --lines; day by day: --daily", self.period))?;
        }
        Ok(())
    }

    fn one(
        &self,
        books: &Books<'_>,
        draft: &Draft,
        findings: &[Finding],
        issued: Option<IssuedAnswer>,
    ) -> InvoiceAnswer {
        let totals = draft.totals();
        let currency = draft.currency;
        // What is cut and taxed is the invoice, not the part of one customer.
        let whole = self.customer.is_none().then(|| draft.total_and_rounding());
        let by_customer = draft.grouped(Grouping::Customer);
        let customers = by_customer.iter().map(|(id, totals)| customer_answer(books, id, totals, currency));
        // Lines are many: in JSON they are always there, for people only when asked for.
        InvoiceAnswer {
            bill_to: Party { id: draft.bill_to.to_string(), name: books.partner_name(draft.bill_to) },
            currency: currency.to_string(),
            policy_revision: draft.policy.revision,
            policy_revisions: books::draft_revisions(books.facts, draft),
            exchange_rate: draft.exchange_rate.to_string(),
            total: whole.as_ref().map(|(total, _)| self::total(total, currency)),
            rounding: whole.as_ref().map(|(_, rounding)| money(rounding, currency)),
            subtotal: money(&totals.subtotal, currency),
            tax: draft.tax().filter(|_| whole.is_some()).map(|tax| money(&tax, currency)),
            issued,
            credit: credit(&totals, currency),
            customers: customers.collect(),
            lines: draft.lines.iter().map(|line| line_answer(books, line, draft)).collect(),
            rules: Rules { rounding: "INV-4", missing: "INV-5" },
            findings: findings_answer(findings, draft.period),
        }
    }

    fn print(&self, invoice: &InvoiceAnswer, customer: Option<&Party>, out: &mut Output) -> anyhow::Result<()> {
        let what = match &invoice.issued {
            Some(issued) if issued.stands => format!("{} is issued; this is a redraft", self.period),
            _ => format!("draft for {}", self.period),
        };
        out.heading(&format!("{} — {what}", invoice.bill_to.name))?;
        out.line("")?;
        if self.lines {
            print_lines(invoice, out)?
        } else {
            print_customers(invoice, out)?
        }
        out.line("")?;
        print_total(invoice, customer, out)?;
        let credit = &invoice.credit;
        let earned = short(&credit.earned);
        out.line(format!("Credit      {earned} earned, {} missing ({})", credit.missing, invoice.rules.missing))?;
        if !invoice.credit.missing_by_reason.is_empty() {
            out.line("")?;
            let mut reasons = table(&["missing because", "rule", "amount", "meaning"]);
            // Exact, so that the reasons add up before the reader's eyes.
            for reason in &invoice.credit.missing_by_reason {
                reasons.add_row([
                    left(reason.reason),
                    left(reason.rule),
                    right(reason.amount.clone()),
                    left(reason.meaning),
                ]);
            }
            align_right(&mut reasons, &[2]);
            out.table(reasons)?;
        }
        print_findings(&invoice.findings, out)?;
        out.line("")?;
        out.line(format!(
            "Rate {} {} per USD · rules version {} · {}",
            invoice.exchange_rate,
            invoice.currency,
            domain::policy::RULES_VERSION,
            revisions_in_words(&invoice.policy_revisions)
        ))?;
        Ok(())
    }
}

/// What is to be paid: of a draft alone. One customer has no invoice of its own, and what is issued is not paid
/// again.
fn print_total(invoice: &InvoiceAnswer, customer: Option<&Party>, out: &mut Output) -> anyhow::Result<()> {
    if let Some(customer) = customer {
        out.line(format!("Of which    {} for {}", short(&invoice.subtotal), customer.name))?;
    }
    match (&invoice.issued, &invoice.total, &invoice.rounding) {
        (Some(issued), ..) => issued.print(&invoice.subtotal, out)?,
        (None, Some(total), Some(rounding)) => {
            let (total, rounding) = (short(total), short(rounding));
            out.line(format!("To pay      {total}   (rounding {rounding}, {})", invoice.rules.rounding))?;
        }
        (None, ..) => {}
    }
    if let Some(tax) = &invoice.tax {
        out.line(format!("Tax         {} beside it (INV-12)", short(tax)))?;
    }
    Ok(())
}

fn customer_answer(books: &Books<'_>, id: &str, totals: &Totals, currency: Currency) -> CustomerAnswer {
    let name = Guid::parse(id).map_or_else(|| id.to_owned(), |customer| books.customer_name(customer));
    CustomerAnswer {
        customer: Party { id: id.to_owned(), name },
        lines: totals.lines,
        subtotal: money(&totals.subtotal, currency),
        subtotal_without_credit: money(&totals.subtotal_without_credit, currency),
        credit_earned: money(&totals.earned, Currency::USD),
        credit_missing: money(&totals.missing(), Currency::USD),
    }
}

fn credit(totals: &Totals, currency: Currency) -> Credit {
    let reasons = totals.lost.iter().filter(|(_, amount)| !amount.is_zero()).map(|(code, amount)| Reason {
        reason: code.text(),
        rule: code.rule(),
        amount: money(amount, Currency::USD),
        meaning: code.meaning(),
    });
    Credit {
        earned: money(&totals.earned, Currency::USD),
        missing: money(&totals.missing(), Currency::USD),
        missing_by_reason: reasons.collect(),
        printed: money(&totals.printed_credit(), currency),
    }
}

fn print_customers(invoice: &InvoiceAnswer, out: &mut Output) -> anyhow::Result<()> {
    if invoice.customers.is_empty() {
        out.line("No line of its own. Where something was used, the findings say what is missing.")?;
        return Ok(());
    }
    let mut list = table(&["customer", "lines", "subtotal", "credit earned", "credit missing"]);
    for customer in &invoice.customers {
        list.add_row([
            left(&customer.customer.name),
            right(customer.lines),
            right(short(&customer.subtotal)),
            right(short(&customer.credit_earned)),
            right(short(&customer.credit_missing)),
        ]);
    }
    align_right(&mut list, &[1, 2, 3, 4]);
    out.table(list)?;
    Ok(())
}

/// Why there is nothing to show, and what to do about it.
pub(super) fn nothing(books: &Books<'_>, period: Period) -> Problem {
    if books.bill_to().is_empty() {
        return Problem::refused("no plan is known, so nobody is billed for anything").hint(
            "import partners, customers, plans and subscriptions (commerce events), or look at a ready-made world \
             with pec demo",
        );
    }
    let known: Vec<String> = books.periods().iter().map(ToString::to_string).collect();
    if known.is_empty() {
        return Problem::refused("no usage is known yet").hint("pec import usage.jsonl --stream usage");
    }
    if books.periods().contains(&period) {
        return unpriced(books, period);
    }
    Problem::refused(format!("no usage is known for {period}")).hint(format!("there is usage in {}", count_of(&known)))
}

/// There is usage, and none of it has a price: the sheets of its customers' markets are missing, or nobody
/// said which markets these are.
fn unpriced(books: &Books<'_>, period: Period) -> Problem {
    let month = period.to_string().replace('-', "");
    let files: Vec<String> =
        books.markets(period).iter().map(|market| format!("prices-{market}-{month}.zip")).collect();
    let what = match files.as_slice() {
        [] => "publish customer registered, which states the customer's market".to_owned(),
        files => {
            let files = files.join(" ");
            format!("publish or import a price sheet, for example pec import {files} --published-at {period}-01")
        }
    };
    Problem::refused(format!("no prices for {period}: nothing that was used can be priced"))
        .hint(format!("{what}; pec check --period {period} shows everything that is missing"))
}

fn count_of(known: &[String]) -> String {
    const SHOWN: usize = 12;
    match known {
        all if all.len() <= SHOWN => all.join(", "),
        [.., last] => format!("{} up to {last}", count(known.len() as u64, "month")),
        [] => "no month".to_owned(),
    }
}
