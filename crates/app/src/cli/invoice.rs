//! `pec invoice`: what a partner should be charged for a month, and the credit earned and lost.
//!
//! Grouped by customer for people, line by line on request. Amounts in JSON are text with their
//! currency. A draft with blocking findings is shown all the same and ends with exit code 1.

mod daily;

use clap::Args;
use domain::facts::Facts;
use domain::finding::{Code, Finding};
use domain::ids::{Currency, Guid};
use domain::invoice::{Draft, Grouping, Line, Totals};
use domain::money::Exact;
use domain::period::{Instant, Period};
use engine::books::{self, Books};
use engine::side_by_side::Hands;
use serde::Serialize;

use super::absent::Nothing;
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, count, left, right, table, thousands};

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
    invoices: Vec<InvoiceAnswer>,
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
    total: String,
    rounding: String,
    subtotal: String,
    /// Beside the total; null where none is drawn.
    tax: Option<String>,
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

#[derive(Serialize)]
struct LineAnswer {
    line: String,
    customer: Party,
    plan: String,
    reseller: Option<String>,
    meter: String,
    product: String,
    sku: String,
    tier: u32,
    portion: &'static str,
    credit_rate: Option<String>,
    /// In the words of the column ChargeType; null on metered usage.
    charge_type: Option<&'static str>,
    order: Option<String>,
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

#[derive(Serialize)]
pub(super) struct FindingAnswer {
    pub(super) code: &'static str,
    pub(super) rule: &'static str,
    pub(super) blocking: bool,
    pub(super) count: usize,
    pub(super) meaning: &'static str,
    pub(super) example: String,
    pub(super) hint: String,
}

/// An amount with its currency: `12.34 EUR`, never a bare number.
pub(crate) fn money(amount: &Exact, currency: Currency) -> String {
    format!("{} {currency}", amount.to_fixed(2))
}

/// The total of a document, in the currency's minor unit: `5004 JPY`.
pub(crate) fn total(amount: &Exact, currency: Currency) -> String {
    format!("{} {currency}", amount.to_fixed(currency.minor_unit()))
}

/// The same for tables: exact amounts are cut to the cent where people only compare them.
pub(super) fn cents(amount: &Exact, currency: Currency) -> String {
    let cut = amount.round(2, domain::money::Rounding::TowardZero);
    format!("{} {currency}", grouped_digits(&cut.to_fixed(2)))
}

/// `1234567.89` reads `1,234,567.89`.
fn grouped_digits(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    match whole.parse() {
        Ok(number) => format!("{sign}{}{fraction}", thousands(number)),
        Err(_) => text.to_owned(),
    }
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
        let mut invoices = Vec::new();
        let mut blocking = false;
        for bill_to in partners {
            for (mut draft, findings) in hands.drafts(bill_to, self.period) {
                if let Some(customer) = customer {
                    draft.lines.retain(|line| line.key.customer == customer);
                }
                // That a month without any usage has no exchange rate either says nothing more.
                let rate_alone = findings.iter().all(|finding| finding.code == Code::NoRate);
                let used = || hands.books().periods().contains(&self.period);
                if draft.lines.is_empty() && rate_alone && (findings.is_empty() || !used()) {
                    continue;
                }
                blocking |= findings.iter().any(Finding::blocking);
                invoices.push(self.one(hands.books(), &draft, &findings));
            }
        }
        let exit = if blocking { Exit::Refused } else { Exit::Fine };
        let nothing = match invoices.as_slice() {
            [] => Some(Nothing::of(context, self.as_of, hands.books(), self.period)?),
            _ => None,
        };
        if context.json {
            let answer = Answer {
                schema: "pec.invoice.v1",
                period: self.period.to_string(),
                as_of: self.as_of.map(period::instant),
                rules_version: domain::policy::RULES_VERSION,
                invoices,
                nothing,
            };
            out.json(&answer)?;
            return Ok(exit);
        }
        if let Some(nothing) = nothing {
            return nothing.say(false, out);
        }
        for (index, invoice) in invoices.iter().enumerate() {
            if index > 0 {
                out.line("")?;
            }
            self.print(invoice, out)?;
        }
        if !self.lines {
            out.note(format!("Every line: pec invoice --period {} --lines; day by day: --daily", self.period))?;
        }
        Ok(exit)
    }

    fn one(&self, books: &Books<'_>, draft: &Draft, findings: &[Finding]) -> InvoiceAnswer {
        let totals = draft.totals();
        let (total, rounding) = draft.total_and_rounding();
        let currency = draft.currency;
        let by_customer = draft.grouped(Grouping::Customer);
        let customers = by_customer.iter().map(|(id, totals)| customer_answer(books, id, totals, currency));
        // Lines are many: in JSON they are always there, for people only when asked for.
        InvoiceAnswer {
            bill_to: Party { id: draft.bill_to.to_string(), name: books.partner_name(draft.bill_to) },
            currency: currency.to_string(),
            policy_revision: draft.policy.revision,
            policy_revisions: books::draft_revisions(books.facts, draft),
            exchange_rate: draft.exchange_rate.to_string(),
            total: self::total(&total, currency),
            rounding: money(&rounding, currency),
            subtotal: money(&totals.subtotal, currency),
            tax: draft.tax().map(|tax| money(&tax, currency)),
            credit: credit(&totals, currency),
            customers: customers.collect(),
            lines: draft.lines.iter().map(|line| line_answer(books, line, draft)).collect(),
            rules: Rules { rounding: "INV-4", missing: "INV-5" },
            findings: findings_answer(findings, draft.period),
        }
    }

    fn print(&self, invoice: &InvoiceAnswer, out: &mut Output) -> anyhow::Result<()> {
        out.heading(&format!("{} — draft for {}", invoice.bill_to.name, self.period))?;
        out.line("")?;
        if self.lines {
            print_lines(invoice, out)?
        } else {
            print_customers(invoice, out)?
        }
        out.line("")?;
        out.line(format!(
            "To pay      {}   (rounding {}, {})",
            short(&invoice.total),
            short(&invoice.rounding),
            invoice.rules.rounding
        ))?;
        if let Some(tax) = &invoice.tax {
            out.line(format!("Tax         {} beside it (INV-12)", short(tax)))?;
        }
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

fn line_answer(books: &Books<'_>, line: &Line, draft: &Draft) -> LineAnswer {
    let (key, currency) = (&line.key, draft.currency);
    LineAnswer {
        line: books::line_name(key, line.period),
        customer: Party { id: key.customer.to_string(), name: books.customer_name(key.customer) },
        plan: key.plan.to_string(),
        reseller: key.reseller.as_deref().map(str::to_owned),
        meter: key.meter.to_string(),
        product: line.product_title.to_string(),
        sku: line.sku_title.to_string(),
        tier: key.tier,
        portion: books::portion(key),
        credit_rate: key.credit_rate.map(|rate| rate.normalize().to_string()),
        charge_type: key.charge.as_ref().map(|charge| charge.charge_type.text()),
        order: key.charge.as_ref().map(|charge| charge.order.to_string()),
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

pub(super) fn findings_answer(findings: &[Finding], period: Period) -> Vec<FindingAnswer> {
    let answer = |found: books::Found| FindingAnswer {
        code: found.code.text(),
        rule: found.code.rule(),
        blocking: found.code.blocking(),
        count: found.count,
        meaning: found.code.meaning(),
        example: super::select::about(&found.example),
        hint: found.example.hint(period),
    };
    books::grouped(findings).into_iter().map(answer).collect()
}

pub(super) fn print_findings(findings: &[FindingAnswer], out: &mut Output) -> anyhow::Result<()> {
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

fn print_customers(invoice: &InvoiceAnswer, out: &mut Output) -> anyhow::Result<()> {
    if invoice.customers.is_empty() {
        out.line("No line: nothing that was used could be priced. The findings say what is missing.")?;
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

fn print_lines(invoice: &InvoiceAnswer, out: &mut Output) -> anyhow::Result<()> {
    if invoice.lines.is_empty() {
        out.line("No line.")?;
        return Ok(());
    }
    let mut customer = "";
    let mut lists: Vec<(&str, Vec<&LineAnswer>)> = Vec::new();
    for line in &invoice.lines {
        if line.customer.id != customer || lists.is_empty() {
            customer = &line.customer.id;
            lists.push((&line.customer.name, Vec::new()));
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
        let mut list = table(&["line", "product", "PEC", "quantity", "unit price", "subtotal", "rule"]);
        for line in lines {
            let tier = if line.tier > 1 { format!(", tier {}", line.tier) } else { String::new() };
            let estimate = if line.estimate { " (estimate)" } else { "" };
            let product = format!("{}{tier}{estimate}\nper {}", line.sku, line.unit);
            let rate = line.credit_rate.as_deref().map_or_else(|| "—".to_owned(), percent);
            list.add_row([
                left(&line.line),
                left(product),
                right(rate),
                right(&line.quantity),
                right(&line.unit_price),
                right(match &line.tax {
                    Some(tax) => format!("{}\ntax {}", short(&line.subtotal), short(tax)),
                    None => short(&line.subtotal),
                }),
                left(line.rule),
            ]);
        }
        align_right(&mut list, &[2, 3, 4, 5]);
        out.table(list)?;
    }
    out.line("")?;
    out.note("One line down to its events: pec explain LINE")?;
    Ok(())
}

/// Cuts an exact amount in text to the cent, for tables that people compare by eye. A total that has no
/// decimals has none here either.
pub(super) fn short(amount: &str) -> String {
    let parsed =
        amount.split_once(' ').and_then(|(digits, currency)| Some((Exact::parse(digits)?, Currency::parse(currency)?)));
    let whole = !amount.contains('.');
    parsed.map_or_else(
        || amount.to_owned(),
        |(digits, currency)| {
            if whole { format!("{} {currency}", grouped_digits(&digits.to_string())) } else { cents(&digits, currency) }
        },
    )
}

/// `0.15` reads `15 %`.
fn percent(rate: &str) -> String {
    let hundred = Exact::parse("100").expect("a literal");
    Exact::parse(rate).map_or_else(|| rate.to_owned(), |rate| format!("{} %", &rate * &hundred))
}

/// `policy revision 0`, `policy revisions 0 and 1`.
pub(super) fn revisions_in_words(revisions: &[u32]) -> String {
    let all: Vec<String> = revisions.iter().map(ToString::to_string).collect();
    match all.as_slice() {
        [one] => format!("policy revision {one}"),
        [first @ .., last] => format!("policy revisions {} and {last}", first.join(", ")),
        [] => "no policy".to_owned(),
    }
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
        return unpriced(period);
    }
    Problem::refused(format!("no usage is known for {period}")).hint(format!("there is usage in {}", count_of(&known)))
}

/// There is usage, and none of it has a price.
fn unpriced(period: Period) -> Problem {
    let file = period.to_string().replace('-', "");
    Problem::refused(format!("no prices for {period}: nothing that was used can be priced")).hint(format!(
        "publish or import a price sheet, for example pec import prices-DE-{file}.zip --published-at {period}-01; \
         pec check --period {period} shows everything that is missing"
    ))
}

fn count_of(known: &[String]) -> String {
    const SHOWN: usize = 12;
    match known {
        all if all.len() <= SHOWN => all.join(", "),
        [.., last] => format!("{} up to {last}", count(known.len() as u64, "month")),
        [] => "no month".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well_and_never_lose_their_currency() {
        let exact = Exact::parse("-1234567.899").unwrap();
        assert_eq!(cents(&exact, Currency::USD), "-1,234,567.89 USD");
        assert_eq!(money(&exact, Currency::USD), "-1234567.899 USD");
        assert_eq!(short("0.5 EUR"), "0.50 EUR");
        assert_eq!(short("5004 JPY"), "5,004 JPY", "a total in yen");
        assert_eq!(short("5004.1 JPY"), "5,004.10 JPY", "columns keep two decimals");
        assert_eq!(percent("0.15"), "15 %");
    }

    #[test]
    fn several_revisions_of_the_policy_are_all_named() {
        assert_eq!(revisions_in_words(&[0]), "policy revision 0");
        assert_eq!(revisions_in_words(&[0, 2, 3]), "policy revisions 0, 2 and 3");
    }
}
