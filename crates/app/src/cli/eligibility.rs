//! `pec eligibility`: which resource earned credit on which day, and why not.
//!
//! A calendar for people (days × resources), a list on request, one JSON object a line for
//! programs. The grain is (plan, resource, day, meter, portion).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::Args;
use domain::facts::Facts;
use domain::ids::{Currency, Guid};
use domain::money::Exact;
use domain::pec::{LostCode, NeverCode};
use domain::period::{Day, Instant, Period};
use domain::rating::{Piece, Verdict, line_key};
use engine::books::{self, Books};
use serde::Serialize;

use super::absent::Nothing;
use super::invoice::{cents, money};
use super::select::{self, Names};
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, align_right, count, left, right, table};

/// How many resources a calendar shows unless told otherwise: those that lost most come first.
const RESOURCES_SHOWN: usize = 40;

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec eligibility --period 2026-01\n  pec eligibility --period 2026-01 --lost --list\n  pec eligibility --period 2026-01 --resource vm-1 --day 2026-01-15\n  pec eligibility --period 2026-01 --reason removed --customer Fabrikam\n  pec eligibility --period 2026-01 --json\n\nCalendar: # earned   x lost   . never (product, or nothing charged)   blank: no usage"
)]
pub struct Eligibility {
    /// The month
    #[arg(long, value_parser = period::period, value_name = "MONTH", required_unless_present = "day")]
    period: Option<Period>,
    /// One day instead of a month; prints the list
    #[arg(long, value_parser = period::day)]
    day: Option<Day>,
    /// Bill-to partner, by name or tenant
    #[arg(long)]
    partner: Option<String>,
    /// One customer, by name or tenant
    #[arg(long)]
    customer: Option<String>,
    /// One resource: its name, the end of its id, or all of it
    #[arg(long)]
    resource: Option<String>,
    /// One subscription, by its id
    #[arg(long, value_parser = period::guid, value_name = "ID")]
    subscription: Option<Guid>,
    /// Only what was lost
    #[arg(long)]
    lost: bool,
    /// Only what was lost for this reason, or never could be earned for it
    #[arg(long, value_name = "CODE", value_parser = reason)]
    reason: Option<&'static str>,
    /// Days × resources, a sign a day: what a month is shown as unless --list is said
    #[arg(long, conflicts_with = "list")]
    calendar: bool,
    /// A line for each resource, day and meter in place of the calendar
    #[arg(long)]
    list: bool,
    /// Show every resource, however many there are
    #[arg(long)]
    all: bool,
    /// What was known then: an instant, or a date (its end, UTC)
    #[arg(long, value_parser = period::as_of, value_name = "WHEN")]
    as_of: Option<Instant>,
}

/// One line of `schemas/output/eligibility.v1.json`.
#[derive(Serialize, Clone)]
struct Row {
    schema: &'static str,
    day: String,
    customer: String,
    plan: String,
    subscription: String,
    resource: String,
    meter: String,
    portion: &'static str,
    outcome: &'static str,
    reason: Option<&'static str>,
    rule: &'static str,
    quantity: String,
    list_charge: String,
    credit_at_stake: String,
    line: String,
    policy_revision: u32,
    rules_version: u32,
    #[serde(skip)]
    exact: (Exact, Exact, Exact),
    #[serde(skip)]
    verdict: Verdict,
    #[serde(skip)]
    on: Day,
    /// Whom the plan is billed to.
    #[serde(skip)]
    partner: Arc<str>,
}

impl Eligibility {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        period::agree(self.period, self.day)?;
        super::with_facts(context, self.as_of, out, |facts, out| self.answer(facts, context, out))
    }

    fn answer(&self, facts: &Facts, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let month = self.period.or_else(|| self.day.map(Day::period)).ok_or_else(|| Problem::usage("name a month"))?;
        let commerce = facts.commerce.view();
        let mut books = Books::new(facts, &commerce);
        let customer = select::customer(&books, self.customer.as_deref())?;
        let mut rows: Vec<Row> = Vec::new();
        let mut any = false;
        for bill_to in select::partners(&books, self.partner.as_deref())? {
            let of_day = |day: Day| (day, facts.policy.at(day).revision);
            let revisions: BTreeMap<Day, u32> = month.days().map(of_day).collect();
            let partner: Arc<str> = books.partner_name(bill_to).into();
            books.draft(bill_to, month, &mut |piece| {
                any = true;
                let wanted = customer.is_none_or(|customer| customer == piece.customer)
                    && self.day.is_none_or(|day| day == piece.day)
                    && self.subscription.is_none_or(|one| one == piece.subscription)
                    && self.reason.is_none_or(|code| engine::digest::verdict(piece.verdict).1 == code)
                    && (!self.lost || matches!(piece.verdict, Verdict::Lost(_)))
                    && self.resource.as_deref().is_none_or(|named| select::is_scope(named, piece.scope));
                if let Some(revision) = revisions.get(&piece.day).filter(|_| wanted) {
                    add(&mut rows, piece, *revision, &partner);
                }
            });
        }
        if !any {
            let nothing = Nothing::of(context, self.as_of, &books, month)?;
            let known = self.without_prices(&mut books, customer, month)?;
            if !context.json && !known.is_empty() {
                print_without_prices(&known, self.all, out)?;
            }
            return nothing.say(context.json, out);
        }
        if context.json {
            rows.sort_by(|a, b| {
                (a.on, &a.resource, &a.meter, a.portion).cmp(&(b.on, &b.resource, &b.meter, b.portion))
            });
            for row in &rows {
                out.ndjson(row)?;
            }
            return Ok(Exit::Fine);
        }
        if rows.is_empty() {
            out.line(self.empty(month))?;
            return Ok(Exit::Fine);
        }
        if self.list || self.day.is_some() && !self.calendar {
            self.print_list(&mut rows, out)?;
        } else {
            self.print_calendar(&rows, month, out)?;
        }
        print_reasons(&rows, out)?;
        let revisions: BTreeSet<u32> = rows.iter().map(|row| row.policy_revision).collect();
        let revisions: Vec<String> = revisions.iter().map(ToString::to_string).collect();
        out.line("")?;
        let rules = domain::policy::RULES_VERSION;
        out.line(format!("Rules version {rules} · policy revision {}", revisions.join(", ")))?;
        Ok(Exit::Fine)
    }

    /// What access decided about usage that nobody can price yet: by day and place, without money.
    fn without_prices(&self, books: &mut Books<'_>, customer: Option<Guid>, month: Period) -> anyhow::Result<Decided> {
        let partners = select::partners(books, self.partner.as_deref())?;
        let mut known = Decided::new();
        for consumption in books.facts.usage.consumption() {
            let (subscription, scope) = (consumption.place.subscription, &consumption.place.scope);
            if self.subscription.is_some_and(|one| one != subscription)
                || self.resource.as_deref().is_some_and(|named| !select::is_scope(named, scope))
            {
                continue;
            }
            for (start, end, _) in consumption.slices().filter(|(.., quantity)| !quantity.is_zero()) {
                let day = Day::of(start);
                if day.period() != month || self.day.is_some_and(|one| one != day) {
                    continue;
                }
                let Some(placement) = books.commerce.placement_of(subscription, (start, end), None).cloned() else {
                    continue;
                };
                let wanted = customer.is_none_or(|customer| customer == placement.customer);
                let key = (day, scope.to_string(), placement.plan);
                if !wanted || !partners.contains(&placement.bill_to) || known.contains_key(&key) {
                    continue;
                }
                let place = books.judge.place(subscription, &placement, scope);
                let verdict = books.judge.access(place, day);
                let reason = verdict.lost().map(|loss| loss.code);
                if (self.lost && reason.is_none())
                    || self.reason.is_some_and(|code| reason.map(LostCode::text) != Some(code))
                {
                    continue;
                }
                known.insert(key, (reason, verdict.rule()));
            }
        }
        Ok(known)
    }

    fn empty(&self, month: Period) -> String {
        let of = self.resource.as_deref().map_or_else(String::new, |resource| format!(" of {resource}"));
        match (self.lost, self.day) {
            _ if self.reason.is_some() => {
                format!("Nothing there has the reason {} in {month}.", self.reason.unwrap_or_default())
            }
            (true, _) => format!("No credit was lost there in {month}."),
            (false, Some(day)) => format!("No usage{of} is known on {day}."),
            (false, None) => format!("No usage{of} is known in {month} for this choice."),
        }
    }

    fn print_list(&self, rows: &mut [Row], out: &mut Output) -> anyhow::Result<()> {
        rows.sort_by(|a, b| (a.on, &a.resource, &a.meter).cmp(&(b.on, &b.resource, &b.meter)));
        let mut list = table(&["day", "resource", "verdict", "why", "rule", "at stake"]);
        let limit = if self.all { usize::MAX } else { RESOURCES_SHOWN * 5 };
        let names = Names::of(rows.iter().map(|row| row.resource.as_str()));
        let mut plans: BTreeMap<(Day, &str), BTreeSet<&str>> = BTreeMap::new();
        for row in rows.iter() {
            plans.entry((row.on, &row.resource)).or_default().insert(&row.plan);
        }
        for row in rows.iter().take(limit) {
            let mut name = names.get(&row.resource);
            if plans.get(&(row.on, row.resource.as_str())).is_some_and(|plans| plans.len() > 1) {
                let plan = row.plan.get(..8).unwrap_or(&row.plan);
                name.push_str(&format!("\nfor {}, plan {plan}…", row.partner));
            }
            list.add_row([
                left(&row.day),
                left(name),
                left(row.outcome),
                left(row.reason.unwrap_or("")),
                left(row.rule),
                right(cents(&row.exact.2, Currency::USD)),
            ]);
        }
        align_right(&mut list, &[5]);
        out.table(list)?;
        if rows.len() > limit {
            out.note(format!(
                "{} more; all of them with --all, or narrow down",
                count((rows.len() - limit) as u64, "line")
            ))?;
        }
        Ok(())
    }

    fn print_calendar(&self, rows: &[Row], month: Period, out: &mut Output) -> anyhow::Result<()> {
        let mut resources: BTreeMap<&str, (Exact, BTreeMap<Day, char>)> = BTreeMap::new();
        for row in rows {
            let (lost, days) = resources.entry(&row.resource).or_default();
            if matches!(row.verdict, Verdict::Lost(_)) {
                *lost += &row.exact.2;
            }
            let sign = days.entry(row.on).or_insert('.');
            *sign = worse(*sign, row.verdict);
        }
        let mut order: Vec<(&str, Exact, BTreeMap<Day, char>)> =
            resources.into_iter().map(|(resource, (lost, days))| (resource, lost, days)).collect();
        order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let names = Names::of(order.iter().map(|(resource, ..)| *resource));
        let days: Vec<Day> = month.days().collect();
        let name_width = usize::from(out.style.width).saturating_sub(days.len() + 14).max(12);
        let tens: String = days.iter().map(|day| digit(*day, true)).collect();
        let ones: String = days.iter().map(|day| digit(*day, false)).collect();
        out.heading(&format!("{:name_width$} {tens}", month.to_string()))?;
        out.heading(&format!("{:name_width$} {ones} {:>12}", "resource", "lost"))?;
        let shown = if self.all { order.len() } else { order.len().min(RESOURCES_SHOWN) };
        for (resource, lost, signs) in order.iter().take(shown) {
            let line: String =
                days.iter().map(|day| painted(signs.get(day).copied().unwrap_or(' '), out.style.color)).collect();
            let lost = if lost.is_zero() { String::new() } else { cents(lost, Currency::USD) };
            let name = fit(&names.get(resource), name_width);
            out.line(format!("{name:name_width$} {line} {lost:>12}").trim_end())?;
        }
        out.line("")?;
        let legend = [('#', "earned"), ('x', "lost"), ('.', "never (product, or nothing charged)")];
        let legend = legend.map(|(sign, meaning)| format!("{} {meaning}", painted(sign, out.style.color)));
        out.line(format!("{}   blank: no usage", legend.join("   ")))?;
        out.line("A day with several verdicts shows the worst: lost before earned, earned before never.")?;
        if shown < order.len() {
            out.note(format!(
                "{} more, with less to lose; all of them with --all, or narrow down with --customer or --resource",
                count((order.len() - shown) as u64, "resource")
            ))?;
        }
        Ok(())
    }
}

/// Day, resource and plan: the reason where access lost it, and the rule.
type Decided = BTreeMap<(Day, String, Guid), (Option<LostCode>, &'static str)>;

fn print_without_prices(known: &Decided, all: bool, out: &mut Output) -> anyhow::Result<()> {
    let names = Names::of(known.keys().map(|(_, resource, _)| resource.as_str()));
    let limit = if all { usize::MAX } else { RESOURCES_SHOWN * 5 };
    let mut list = table(&["day", "resource", "access", "why", "rule", "at stake"]);
    for ((day, resource, _), (reason, rule)) in known.iter().take(limit) {
        let access = if reason.is_none() { "would earn" } else { "lost" };
        let why = reason.map_or("", LostCode::text);
        list.add_row([left(day), left(names.get(resource)), left(access), left(why), left(rule), right("unknown")]);
    }
    align_right(&mut list, &[5]);
    out.table(list)?;
    if known.len() > limit {
        out.note(format!("{} more; all of them with --all", count((known.len() - limit) as u64, "line")))?;
    }
    Ok(())
}

/// The one sign of a day: what was lost shows over what was earned, that over what never could be.
fn worse(sign: char, verdict: Verdict) -> char {
    match (sign, verdict) {
        ('x', _) | (_, Verdict::Lost(_)) => 'x',
        ('#', _) | (_, Verdict::Earned) => '#',
        _ => '.',
    }
}

/// A sign in its colour, where there is any: the sign alone says everything.
fn painted(sign: char, color: bool) -> String {
    let paint = match sign {
        '#' => "32",
        'x' => "1;31",
        '.' => "2",
        _ => return sign.to_string(),
    };
    if color { format!("\x1b[{paint}m{sign}\x1b[0m") } else { sign.to_string() }
}

/// A code of the closed lists, as every output writes it.
fn reason(text: &str) -> Result<&'static str, String> {
    let lost = LostCode::ALL.iter().map(|code| code.text());
    let all: Vec<&'static str> = lost.chain(NeverCode::ALL.iter().map(|code| code.text())).collect();
    all.iter().copied().find(|code| *code == text).ok_or_else(|| format!("write one of {}", all.join(", ")))
}

fn digit(day: Day, tens: bool) -> char {
    let number = u32::try_from(day.0 - day.period().first_day().0 + 1).expect("a day of a month counts from 1");
    let digit = if tens { number / 10 } else { number % 10 };
    if tens && digit == 0 { ' ' } else { char::from_digit(digit, 10).expect("one digit") }
}

/// The end of a name tells more than its beginning.
fn fit(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        name.to_owned()
    } else {
        format!("…{}", name.chars().skip(length + 1 - width).collect::<String>())
    }
}

/// Adds a piece to its row; the tiers of one day come one after the other and are one verdict.
fn add(rows: &mut Vec<Row>, piece: &Piece<'_>, policy_revision: u32, partner: &Arc<str>) {
    let (outcome, reason) = engine::digest::verdict(piece.verdict);
    let (quantity, list, stake) = (piece.quantity.exact(), piece.list_charge(), piece.credit_at_stake());
    let key = line_key(piece);
    let (meter, resource) = (piece.meter.to_string(), piece.scope.to_string());
    let portion = books::portion(&key);
    if let Some(last) = rows.last_mut().filter(|last| {
        (last.on, last.resource.as_str(), last.meter.as_str(), last.portion, last.verdict)
            == (piece.day, resource.as_str(), meter.as_str(), portion, piece.verdict)
    }) {
        last.exact.0 += &quantity;
        last.exact.1 += &list;
        last.exact.2 += &stake;
        last.quantity = last.exact.0.to_string();
        last.list_charge = money(&last.exact.1, Currency::USD);
        last.credit_at_stake = money(&last.exact.2, Currency::USD);
        return;
    }
    rows.push(Row {
        schema: "pec.eligibility.v1",
        day: piece.day.to_string(),
        customer: piece.customer.to_string(),
        plan: piece.plan.to_string(),
        subscription: piece.subscription.to_string(),
        resource,
        meter,
        portion,
        outcome,
        reason: (!reason.is_empty()).then_some(reason),
        rule: piece.verdict.rule(),
        quantity: quantity.to_string(),
        list_charge: money(&list, Currency::USD),
        credit_at_stake: money(&stake, Currency::USD),
        line: books::line_name(&key, piece.day.period()),
        policy_revision,
        rules_version: domain::policy::RULES_VERSION,
        exact: (quantity, list, stake),
        verdict: piece.verdict,
        on: piece.day,
        partner: Arc::clone(partner),
    });
}

fn print_reasons(rows: &[Row], out: &mut Output) -> anyhow::Result<()> {
    let mut reasons: BTreeMap<LostCode, (u64, Exact)> = BTreeMap::new();
    for row in rows {
        if let Verdict::Lost(code) = row.verdict {
            let (days, amount) = reasons.entry(code).or_default();
            *days += 1;
            *amount += &row.exact.2;
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let mut list = table(&["lost because", "rule", "meter-days", "amount", "meaning"]);
    for (code, (days, amount)) in reasons {
        let amount = cents(&amount, Currency::USD);
        list.add_row([left(code), left(code.rule()), right(days), right(amount), left(code.meaning())]);
    }
    align_right(&mut list, &[2, 3]);
    out.table(list)?;
    out.note("One resource and day down to its events: pec explain RESOURCE --day DAY")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_shows_over_whatever_else_the_day_had() {
        let lost = Verdict::Lost(LostCode::Removed);
        let never = Verdict::Never(domain::pec::NeverCode::Spot);
        assert_eq!(worse(worse('.', Verdict::Earned), lost), 'x');
        assert_eq!(worse(worse('.', lost), Verdict::Earned), 'x');
        assert_eq!(worse(worse('.', Verdict::Earned), never), '#');
        assert_eq!(worse('.', never), '.');
    }

    #[test]
    fn colour_adds_nothing_that_the_sign_does_not_say() {
        for sign in ['#', 'x', '.', ' '] {
            assert_eq!(painted(sign, false), sign.to_string());
            assert!(painted(sign, true).contains(sign));
        }
        assert_eq!(reason("removed"), Ok("removed"));
        assert!(reason("gone").unwrap_err().contains("early-end"));
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(fit("rg-application/vm-1", 8), "…on/vm-1");
        assert_eq!(fit("vm-1", 8), "vm-1");
    }
}
