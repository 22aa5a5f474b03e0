//! Both opinions about a month as text, so that they can be compared whole.
//!
//! A row per day of a resource and meter, a row per invoice line, a row per total. Numbers are exact
//! and printed without trailing zeros; names are the world's own.

use std::collections::BTreeMap;

use domain::entry::Portion;
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::Currency;
use domain::invoice::draft_with;
use domain::money::Exact;
use domain::pec::{Judge, NeverCode};
use domain::period::Day;
use domain::rating::{Desk, Verdict, judged};

use super::telling::guid;
use crate::oracle::money::{LineOf, What, answer, exchange_rate};
use crate::oracle::number::Ratio;
use crate::oracle::tax::{minor_unit, tax};
use crate::oracle::world::World;

/// Row name → what is said.
pub type Rows = BTreeMap<String, String>;

fn text(value: &Exact) -> String {
    Ratio::of(&value.to_string()).text()
}

/// What the oracle says about the whole month, of all bill-to partners.
pub fn of_oracle(world: &World) -> Rows {
    let mut rows = Rows::new();
    let answer = answer(world);
    // A day on which the reseller of record changes has a cell for each of them, and one row.
    let mut days: BTreeMap<String, (&str, Ratio, Ratio, Ratio)> = BTreeMap::new();
    for judged in answer.judged.iter().filter(|judged| !judged.quantity.is_zero()) {
        let day = Day(i32::try_from(judged.day).expect("a day of this century"));
        let portion = judged.portion.text();
        let name = format!("day plan-{} {day} {} {} {portion}", judged.plan, judged.resource, guid(judged.meter));
        let none = || (judged.says.word(), Ratio::zero(), Ratio::zero(), Ratio::zero());
        let sums = days.entry(name).or_insert_with(none);
        sums.1 = sums.1.plus(&judged.quantity);
        sums.2 = sums.2.plus(&judged.list);
        sums.3 = sums.3.plus(&judged.credit);
    }
    for (name, (says, quantity, list, credit)) in days {
        rows.insert(name, format!("{says} {} list {} credit {}", quantity.text(), list.text(), credit.text()));
    }
    let mut missing: BTreeMap<(usize, &str), Ratio> = BTreeMap::new();
    for judged in answer.judged.iter().filter(|judged| !judged.missing.is_zero()) {
        let sum = missing.entry((world.plans[judged.plan].bill_to, judged.says.word())).or_insert_with(Ratio::zero);
        *sum = sum.plus(&judged.missing);
    }
    for ((bill_to, reason), amount) in missing {
        rows.insert(format!("missing of partner {bill_to} {reason}"), amount.text());
    }
    let mut totals: BTreeMap<usize, Ratio> = BTreeMap::new();
    for (of, line) in &answer.lines {
        let bill_to = world.plans[of.plan].bill_to;
        let name = line_name(of);
        let amounts =
            [&line.quantity, &line.charge_without_credit, &line.charge, &line.subtotal_without_credit, &line.subtotal];
        rows.insert(name, amounts.map(Ratio::text).join(" "));
        let total = totals.entry(bill_to).or_insert_with(Ratio::zero);
        *total = total.plus(&line.subtotal);
    }
    for (bill_to, subtotals) in totals {
        let partner = &world.partners[bill_to];
        let decimals = minor_unit(partner.currency);
        let how = world.policy_of_month("invoice-rounding");
        let (total, rate) = (subtotals.rounded(decimals, how), exchange_rate(world, partner.currency));
        let rounding = total.minus(&subtotals);
        let said = format!("{} {} rounding {} at {}", total.text(), partner.currency, rounding.text(), rate.text());
        rows.insert(format!("total of partner {bill_to}"), said);
        let tax = tax(world, &answer, bill_to);
        rows.extend(tax.map(|tax| (format!("tax of partner {bill_to}"), tax.text())));
    }
    rows
}

fn line_name(of: &LineOf) -> String {
    let reseller = of.reseller.as_deref().unwrap_or("-");
    let label = of.credit.as_ref().map_or_else(|| "without".to_owned(), |rate| format!("with {rate}"));
    let (meter, kind, charge) = match &of.what {
        What::Meter { meter, dev_test, paid } => {
            let kind = if *dev_test { "dev-test" } else { "consumption" };
            (guid(*meter).to_string(), kind, paid.as_ref().map(|(what, name)| format!("{what} {name}")))
        }
        What::Charge { word, kind, what, name } => ((*word).to_owned(), *kind, Some(format!("{what} {name}"))),
    };
    let (portion, charge) = (of.portion.text(), charge.unwrap_or_default());
    let from = Day(i32::try_from(of.from).expect("a day of this century"));
    format!("line plan-{} {reseller} {meter} {kind} from {from} tier {} {label} {portion} {charge}", of.plan, of.tier)
}

/// What the domain says, and everything that it finds does not add up.
pub fn of_domain(world: &World, facts: &Facts) -> (Rows, Vec<Finding>) {
    let commerce = facts.commerce.view();
    let desk = Desk::new(facts, &commerce);
    let mut judge = Judge::new(facts, &commerce);
    let (mut rows, mut findings) = (Rows::new(), Vec::new());
    let period = Day(i32::try_from(world.days.0).expect("a day of this century")).period();
    for (number, partner) in world.partners.iter().enumerate() {
        if !world.plans.iter().any(|plan| plan.bill_to == number) {
            continue;
        }
        let currency = Currency::parse(partner.currency).expect("three letters");
        let mut days: BTreeMap<String, (Verdict, Exact, Exact, Exact)> = BTreeMap::new();
        let (draft, found) =
            draft_with(&desk, guid(partner.tenant), currency, period, &mut judged(&mut judge), &mut |piece| {
                let plan = plan_number(world, piece.plan);
                let portion = portion(piece.portion);
                let name = format!("day plan-{plan} {} {} {} {portion}", piece.day, piece.scope, piece.meter);
                let none = || (piece.verdict, Exact::zero(), Exact::zero(), Exact::zero());
                let sum = days.entry(name).or_insert_with(none);
                sum.1 += &piece.quantity.exact();
                sum.2 += &piece.list_charge();
                sum.3 += &(&piece.list_charge() - &piece.net_charge());
            });
        for (name, (verdict, quantity, list, credit)) in days {
            let says = match verdict {
                Verdict::Earned => "earned",
                Verdict::Lost(code) => code.text(),
                Verdict::Never(code) => NeverCode::text(code),
            };
            rows.insert(name, format!("{says} {} list {} credit {}", text(&quantity), text(&list), text(&credit)));
        }
        for line in &draft.lines {
            let plan = plan_number(world, line.key.plan);
            let reseller = line.key.reseller.as_deref().unwrap_or("-");
            let rate = line.key.credit_rate.map(|rate| text(&Exact::from(rate)));
            let label = rate.map_or_else(|| "without".to_owned(), |rate| format!("with {rate}"));
            let kind = engine::books::price_kind(&line.key);
            let charge = line.key.charge.as_ref();
            let charge = charge.map(|one| format!("{} {}", one.charge_type.text(), one.order)).unwrap_or_default();
            let (meter, from, tier) = (&line.key.meter, line.key.price_from, line.key.tier);
            let portion = portion(line.key.portion);
            let name = format!(
                "line plan-{plan} {reseller} {meter} {kind} from {from} tier {tier} {label} {portion} {charge}"
            );
            let amounts = [
                &line.quantity,
                &line.charge_without_credit,
                &line.charge,
                &line.subtotal_without_credit,
                &line.subtotal,
            ];
            rows.insert(name, amounts.map(text).join(" "));
        }
        for (code, amount) in draft.totals().lost.iter().filter(|(_, amount)| !amount.is_zero()) {
            rows.insert(format!("missing of partner {number} {code}"), text(amount));
        }
        if !draft.lines.is_empty() {
            let (total, rounding) = draft.total_and_rounding();
            let rate = text(&draft.exchange_rate);
            let said = format!("{} {} rounding {} at {rate}", text(&total), draft.currency, text(&rounding));
            rows.insert(format!("total of partner {number}"), said);
            rows.extend(draft.tax().map(|tax| (format!("tax of partner {number}"), text(&tax))));
        }
        findings.extend(found);
    }
    findings.extend(judge.findings());
    findings.sort();
    findings.dedup();
    (rows, findings)
}

fn portion(portion: Portion) -> &'static str {
    match portion {
        Portion::PayAsYouGo => "pay-as-you-go",
        Portion::Reservation => "reservation",
        Portion::SavingsPlan => "savings-plan",
        Portion::AzureCredit => "azure-credit",
    }
}

fn plan_number(world: &World, plan: domain::ids::Guid) -> usize {
    world.plans.iter().position(|one| guid(one.id) == plan).expect("only plans of the world are rated")
}

/// The first rows in which two answers differ, in words; `None` when they agree.
pub fn difference(ours: &Rows, theirs: &Rows) -> Option<String> {
    let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differing = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    let none = "nothing".to_owned();
    let sentences = differing.take(5).map(|name| {
        let (ours, theirs) = (ours.get(name).unwrap_or(&none), theirs.get(name).unwrap_or(&none));
        format!("{name}:\n  the domain says {ours}\n  the other says  {theirs}")
    });
    let all: Vec<String> = sentences.collect();
    (!all.is_empty()).then(|| all.join("\n"))
}
