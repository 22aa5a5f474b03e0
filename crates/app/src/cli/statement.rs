//! `pec statement`: what a provider charges for one reseller's customers, and whose access earned the credit.
//!
//! Made from the provider's draft alone. Amounts in JSON are text with their currency.

use std::collections::BTreeMap;

use clap::Args;
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::Currency;
use domain::money::Exact;
use domain::period::{Instant, Period};
use engine::books::{Books, draft_revisions};
use engine::statement::{Share, Statement as Drawn, statements};
use serde::Serialize;

use super::absent::Nothing;
use super::invoice::{FindingAnswer, Party, cents, findings_answer, money, print_findings, revisions_in_words};
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, left, right, table, thousands};

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
    subtotal: String,
    subtotal_without_credit: String,
    credit_earned: String,
    credit_missing: String,
    earned_by: Vec<By>,
    customers: Vec<CustomerAnswer>,
    azure_credit: Vec<BalanceAnswer>,
    findings: Vec<FindingAnswer>,
}

#[derive(Serialize)]
struct CustomerAnswer {
    customer: Party,
    lines: usize,
    subtotal: String,
    subtotal_without_credit: String,
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
    drawn: String,
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
            Nothing::from(Problem::refused(what).hint("`pec invoice --lines` shows the reseller of every line"))
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
        let (currency, provider) = (one.draft.currency, books.partner_name(one.draft.bill_to));
        out.heading(&format!("{reseller} under {provider} — statement for {}", self.period))?;
        out.line("")?;
        let mut list = table(&["customer", "lines", "subtotal", "credit earned", "credit missing", "earned by"]);
        for share in &one.customers {
            list.add_row([
                left(books.customer_name(share.customer)),
                right(thousands(share.totals.lines as u64)),
                right(cents(&share.totals.subtotal, currency)),
                right(cents(&share.totals.earned, Currency::USD)),
                right(cents(&share.totals.missing(), Currency::USD)),
                left(in_words(&share.earned_by)),
            ]);
        }
        align_right(&mut list, &[1, 2, 3, 4]);
        out.table(list)?;
        out.line("")?;
        let totals = one.draft.totals();
        out.line(format!("Charged     {}", cents(&totals.subtotal, currency)))?;
        let (earned, missing) = (cents(&totals.earned, Currency::USD), cents(&totals.missing(), Currency::USD));
        out.line(format!("Credit      {earned} earned, {missing} missing"))?;
        out.line(format!("Earned by   {}", in_words(&together(&one.customers))))?;
        for balance in &one.balances {
            let (drawn, left) = (cents(&balance.drawn, Currency::USD), cents(&balance.left, Currency::USD));
            let expired = if balance.expired { ", expired" } else { "" };
            let customer = books.customer_name(balance.grant.customer);
            out.line(format!(
                "Azure credit {} of {customer}: {drawn} drawn, {left} left{expired}",
                balance.grant.grant
            ))?;
        }
        print_findings(&findings_answer(&one.findings, one.draft.period), out)?;
        out.line("")?;
        let revisions = revisions_in_words(&draft_revisions(books.facts, &one.draft));
        out.line(format!("Rules version {} · {revisions}", domain::policy::RULES_VERSION))?;
        Ok(())
    }
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

fn answered(books: &Books<'_>, one: &Drawn<'_>) -> One {
    let (draft, currency) = (&one.draft, one.draft.currency);
    let totals = draft.totals();
    let customers = one.customers.iter().map(|share| CustomerAnswer {
        customer: Party { id: share.customer.to_string(), name: books.customer_name(share.customer) },
        lines: share.totals.lines,
        subtotal: money(&share.totals.subtotal, currency),
        subtotal_without_credit: money(&share.totals.subtotal_without_credit, currency),
        credit_earned: money(&share.totals.earned, Currency::USD),
        credit_missing: money(&share.totals.missing(), Currency::USD),
        earned_by: by(&share.earned_by),
    });
    let balances = one.balances.iter().map(|balance| BalanceAnswer {
        grant: balance.grant.grant.to_string(),
        customer: Party { id: balance.grant.customer.to_string(), name: books.customer_name(balance.grant.customer) },
        amount: money(&Exact::from(balance.grant.amount), Currency::USD),
        drawn_before: money(&balance.drawn_before, Currency::USD),
        drawn: money(&balance.drawn, Currency::USD),
        left: money(&balance.left, Currency::USD),
        expired: balance.expired,
    });
    One {
        bill_to: Party { id: draft.bill_to.to_string(), name: books.partner_name(draft.bill_to) },
        currency: currency.to_string(),
        policy_revision: draft.policy.revision,
        policy_revisions: draft_revisions(books.facts, draft),
        subtotal: money(&totals.subtotal, currency),
        subtotal_without_credit: money(&totals.subtotal_without_credit, currency),
        credit_earned: money(&totals.earned, Currency::USD),
        credit_missing: money(&totals.missing(), Currency::USD),
        earned_by: by(&together(&one.customers)),
        customers: customers.collect(),
        azure_credit: balances.collect(),
        findings: findings_answer(&one.findings, one.draft.period),
    }
}
