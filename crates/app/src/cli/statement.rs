//! `pec statement`: what a provider charges for one reseller's customers, and whose access earned the credit.
//!
//! Of a month that is issued, what its documents charge and what adjusted it since; of an open one the draft
//! and what its close would adjust. Amounts in JSON are text with their currency.

use std::collections::BTreeMap;

use clap::Args;
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::Currency;
use domain::money::Exact;
use domain::period::{Instant, Period};
use engine::adjusting::Sum;
use engine::books::{Books, draft_revisions};
use engine::statement::{Credit, Share, Statement as Drawn, statements};
use serde::Serialize;

use super::absent::Nothing;
use super::invoice::{FindingAnswer, Party, cents, findings_answer, money, print_findings, revisions_in_words};
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, count, left, right, table, thousands};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec statement --reseller 6048879 --period 2026-01\n  pec statement --reseller Fabrikam --period 2026-01 --provider Contoso --json"
)]
pub struct Statement {
    /// The reseller of record, by location PartnerID or name
    #[arg(long, value_name = "RESELLER")]
    reseller: String,
    /// The month
    #[arg(long, value_parser = period::period, value_name = "MONTH")]
    period: Period,
    /// Bill-to partner, by name or tenant (default: all)
    #[arg(long)]
    provider: Option<String>,
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
    reseller: Reseller,
    statements: Vec<One>,
    /// Why there are no statements; null where there are.
    nothing: Option<Nothing>,
}

#[derive(Serialize)]
struct Reseller {
    partner_id: String,
    name: Option<String>,
}

#[derive(Serialize)]
struct One {
    bill_to: Party,
    currency: String,
    policy_revision: u32,
    /// Of the month's first day, and of the days of its lines.
    policy_revisions: Vec<u32>,
    /// Whether it shows what was issued, or a draft.
    issued: bool,
    /// The invoices of the month that stand.
    documents: Vec<String>,
    /// Everything charged in the month: of the month itself, and the adjustments of others.
    subtotal: String,
    subtotal_without_credit: String,
    /// What of it belongs to months issued before.
    adjustments: Vec<MonthAnswer>,
    /// What other documents charge of this month; it stands in their statements.
    adjusted_since: Vec<SinceAnswer>,
    /// What is to be adjusted of this month, and with which month's close.
    outstanding: Option<MonthAnswer>,
    /// As known now, exact.
    credit_earned: String,
    credit_missing: String,
    earned_by: Vec<By>,
    customers: Vec<CustomerAnswer>,
    azure_credit: Vec<BalanceAnswer>,
    findings: Vec<FindingAnswer>,
}

#[derive(Serialize)]
struct MonthAnswer {
    period: String,
    lines: usize,
    subtotal: String,
}

#[derive(Serialize)]
struct SinceAnswer {
    document: String,
    #[serde(flatten)]
    month: MonthAnswer,
}

#[derive(Serialize)]
struct CustomerAnswer {
    customer: Party,
    /// Of the month itself.
    lines: usize,
    subtotal: String,
    subtotal_without_credit: String,
    /// Of months issued before.
    adjustments: String,
    credit_earned: String,
    credit_missing: String,
    earned_by: Vec<By>,
}

/// What somebody's access earned, exact.
#[derive(Serialize)]
struct By {
    who: String,
    amount: String,
}

#[derive(Serialize)]
struct BalanceAnswer {
    grant: String,
    customer: Party,
    amount: String,
    drawn_before: String,
    /// Of the grant, in the month.
    drawn: String,
    /// Of that, by the lines of this statement.
    drawn_by_lines: String,
    left: String,
    expired: bool,
}

impl Statement {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        super::with_facts(context, self.as_of, out, |facts, out| self.answer(facts, context, out))
    }

    fn answer(&self, facts: &Facts, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let commerce = facts.commerce.view();
        let mut books = Books::new(facts, &commerce);
        let providers = super::select::partners(&books, self.provider.as_deref())?;
        let (partner_id, name) = super::select::reseller(&books, &self.reseller)?;
        let drawn = statements(&mut books, &partner_id, &providers, self.period);
        let blocking = drawn.iter().flat_map(|one| &one.findings).any(Finding::blocking);
        let exit = if blocking { Exit::Refused } else { Exit::Fine };
        let nothing = drawn.is_empty().then(|| {
            let what = format!("no provider charges anything through reseller {partner_id} in {}", self.period);
            Nothing::from(
                Problem::refused(what).hint("`pec invoice --lines` shows the reseller of every line that has one"),
            )
        });
        if context.json {
            let statements = drawn.iter().map(|one| answered(&books, one)).collect();
            let answer = Answer {
                schema: "pec.statement.v1",
                period: self.period.to_string(),
                as_of: self.as_of.map(period::instant),
                rules_version: domain::policy::RULES_VERSION,
                reseller: Reseller { partner_id, name },
                statements,
                nothing,
            };
            out.json(&answer)?;
            return Ok(exit);
        }
        if let Some(nothing) = nothing {
            return nothing.say(false, out);
        }
        for (index, one) in drawn.iter().enumerate() {
            if index > 0 {
                out.line("")?;
            }
            self.print(&books, one, name.as_deref().unwrap_or(&partner_id), out)?;
        }
        Ok(exit)
    }

    fn print(&self, books: &Books<'_>, one: &Drawn<'_>, reseller: &str, out: &mut Output) -> anyhow::Result<()> {
        let provider = books.partner_name(one.draft.bill_to);
        let state = if one.charged.documents.is_empty() { "draft" } else { "issued" };
        out.heading(&format!("{reseller} under {provider} — statement for {}, {state}", self.period))?;
        out.line("")?;
        print_customers(books, one, out)?;
        out.line("")?;
        print_charged(one, out)?;
        let totals = one.draft.totals();
        let (earned, missing) = (cents(&totals.earned, Currency::USD), cents(&totals.missing(), Currency::USD));
        out.line(format!("Credit      {earned} earned, {missing} missing, as known now"))?;
        out.line(format!("Earned by   {}", in_words(&together(&one.customers))))?;
        for Credit { balance, by_lines } in &one.balances {
            let usd = |amount: &Exact| cents(amount, Currency::USD);
            let expired = if balance.expired { ", expired" } else { "" };
            let customer = books.customer_name(balance.grant.customer);
            out.line(format!(
                "Azure credit {} of {customer}: {} drawn by these lines; of the whole grant {} drawn in the month, {} left{expired}",
                balance.grant.grant,
                usd(by_lines),
                usd(&balance.drawn),
                usd(&balance.left)
            ))?;
        }
        print_findings(&findings_answer(&one.findings, one.draft.period), out)?;
        out.line("")?;
        let revisions = revisions_in_words(&draft_revisions(books.facts, &one.draft));
        out.line(format!("Rules version {} · {revisions}", domain::policy::RULES_VERSION))?;
        Ok(())
    }
}

fn print_customers(books: &Books<'_>, one: &Drawn<'_>, out: &mut Output) -> anyhow::Result<()> {
    let currency = one.draft.currency;
    let mut list = table(&["customer", "lines", "subtotal", "adjusts", "credit earned", "credit missing", "earned by"]);
    for share in &one.customers {
        let (own, adjusted) = one.charged.by_customer.get(&share.customer).cloned().unwrap_or_default();
        list.add_row([
            left(books.customer_name(share.customer)),
            right(thousands(own.lines as u64)),
            right(cents(&own.subtotal, currency)),
            right(if adjusted.lines > 0 { cents(&adjusted.subtotal, currency) } else { "—".to_owned() }),
            right(cents(&share.totals.earned, Currency::USD)),
            right(cents(&share.totals.missing(), Currency::USD)),
            left(in_words(&share.earned_by)),
        ]);
    }
    align_right(&mut list, &[1, 2, 3, 4, 5]);
    out.table(list)?;
    Ok(())
}

/// What is charged in the month, what of it adjusts others, and what others charge of it.
fn print_charged(one: &Drawn<'_>, out: &mut Output) -> anyhow::Result<()> {
    let (charged, currency) = (&one.charged, one.draft.currency);
    let amount = |sum: &Sum| format!("{} in {}", cents(&sum.subtotal, currency), count(sum.lines as u64, "line"));
    let by = match charged.documents.as_slice() {
        [] => String::new(),
        documents => format!(", by {}", documents.join(", ")),
    };
    out.line(format!("Charged     {}{by}", cents(&charged.sum().subtotal, currency)))?;
    for (month, sum) in &charged.adjustments {
        out.line(format!("            of which {} adjusts {month} (INV-6)", amount(sum)))?;
    }
    for part in &charged.since {
        out.line(format!("Adjusted    {} with {}, by {}", amount(&part.sum), part.period, part.document))?;
    }
    if let Some((month, sum)) = &charged.outstanding {
        out.line(format!("To adjust   {} with the close of {month} (INV-6)", amount(sum)))?;
    }
    Ok(())
}

fn in_words(earned: &BTreeMap<String, Exact>) -> String {
    let each: Vec<String> =
        earned.iter().map(|(who, amount)| format!("{who} {}", cents(amount, Currency::USD))).collect();
    if each.is_empty() { "nobody".to_owned() } else { each.join(", ") }
}

fn together(customers: &[Share]) -> BTreeMap<String, Exact> {
    let mut sum: BTreeMap<String, Exact> = BTreeMap::new();
    for (who, amount) in customers.iter().flat_map(|share| &share.earned_by) {
        *sum.entry(who.clone()).or_default() += amount;
    }
    sum
}

fn by(earned: &BTreeMap<String, Exact>) -> Vec<By> {
    earned.iter().map(|(who, amount)| By { who: who.clone(), amount: money(amount, Currency::USD) }).collect()
}

fn month(period: Period, sum: &Sum, currency: Currency) -> MonthAnswer {
    MonthAnswer { period: period.to_string(), lines: sum.lines, subtotal: money(&sum.subtotal, currency) }
}

fn customer(books: &Books<'_>, one: &Drawn<'_>, share: &Share) -> CustomerAnswer {
    let currency = one.draft.currency;
    let (own, adjusted) = one.charged.by_customer.get(&share.customer).cloned().unwrap_or_default();
    CustomerAnswer {
        customer: Party { id: share.customer.to_string(), name: books.customer_name(share.customer) },
        lines: own.lines,
        subtotal: money(&own.subtotal, currency),
        subtotal_without_credit: money(&own.without_credit, currency),
        adjustments: money(&adjusted.subtotal, currency),
        credit_earned: money(&share.totals.earned, Currency::USD),
        credit_missing: money(&share.totals.missing(), Currency::USD),
        earned_by: by(&share.earned_by),
    }
}

fn balance(books: &Books<'_>, Credit { balance, by_lines }: &Credit<'_>) -> BalanceAnswer {
    let usd = |amount: &Exact| money(amount, Currency::USD);
    BalanceAnswer {
        grant: balance.grant.grant.to_string(),
        customer: Party { id: balance.grant.customer.to_string(), name: books.customer_name(balance.grant.customer) },
        amount: usd(&Exact::from(balance.grant.amount)),
        drawn_before: usd(&balance.drawn_before),
        drawn: usd(&balance.drawn),
        drawn_by_lines: usd(by_lines),
        left: usd(&balance.left),
        expired: balance.expired,
    }
}

fn answered(books: &Books<'_>, one: &Drawn<'_>) -> One {
    let (draft, charged, currency) = (&one.draft, &one.charged, one.draft.currency);
    let (totals, sum) = (draft.totals(), charged.sum());
    let since = charged.since.iter().map(|part| SinceAnswer {
        document: part.document.to_string(),
        month: month(part.period, &part.sum, currency),
    });
    One {
        bill_to: Party { id: draft.bill_to.to_string(), name: books.partner_name(draft.bill_to) },
        currency: currency.to_string(),
        policy_revision: draft.policy.revision,
        policy_revisions: draft_revisions(books.facts, draft),
        issued: !charged.documents.is_empty(),
        documents: charged.documents.iter().map(ToString::to_string).collect(),
        subtotal: money(&sum.subtotal, currency),
        subtotal_without_credit: money(&sum.without_credit, currency),
        adjustments: charged.adjustments.iter().map(|(period, sum)| month(*period, sum, currency)).collect(),
        adjusted_since: since.collect(),
        outstanding: charged.outstanding.as_ref().map(|(period, sum)| month(*period, sum, currency)),
        credit_earned: money(&totals.earned, Currency::USD),
        credit_missing: money(&totals.missing(), Currency::USD),
        earned_by: by(&together(&one.customers)),
        customers: one.customers.iter().map(|share| customer(books, one, share)).collect(),
        azure_credit: one.balances.iter().map(|credit| balance(books, credit)).collect(),
        findings: findings_answer(&one.findings, draft.period),
    }
}
