//! How people read the standing of a partner or a customer: sentences, then tables.
//!
//! Nothing is looked up here; every word comes out of the answer that `--json` prints.

use super::{CustomerView, PartnerView, StepRow, WithPartner};
use crate::output::{Output, left, table};

fn show_steps(steps: &[StepRow], out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["", "step", "rule", "what to do"]);
    for step in steps {
        let (mark, how) = match step.state {
            "done" => ("✓", ""),
            "unknown" => ("?", step.how.as_str()),
            _ => ("✗", step.how.as_str()),
        };
        list.add_row([left(mark), left(&step.step), left(step.rule), left(how)]);
    }
    Ok(out.table(list)?)
}

pub(super) fn show_partner(view: &PartnerView, out: &mut Output) -> anyhow::Result<()> {
    let name = view.name.as_deref().unwrap_or("never registered");
    out.heading(&format!("{name} ({}) at {}", view.partner, view.at))?;
    let since = view.state_since.as_deref().map(|since| format!(" since {}", day(since))).unwrap_or_default();
    let how = if view.state_by_date { ", by its date" } else { "" };
    out.line(format!("{}, {}, {}{since}{how}", view.kind, view.region.unwrap_or("no region"), view.state))?;
    if let Some(next) = &view.next_state {
        out.line(format!("{} from {} on, unless it is reinstated", next.state, day(&next.at)))?;
    }
    let may = [
        (view.may.billed, "is billed"),
        (view.may.order, "orders"),
        (view.may.attest, "attests"),
        (view.may.earn, "earns"),
    ];
    let may: Vec<&str> = may.iter().filter(|(yes, _)| *yes).map(|(_, word)| *word).collect();
    out.line(format!(
        "by its kind: {}",
        match (may.is_empty(), view.kind) {
            (false, _) => may.join(", "),
            (true, "reseller") => "sells through a provider, which is billed, orders, attests and earns".to_owned(),
            (true, _) => "is not billed, does not order, attest or earn; it may be hired to manage".to_owned(),
        }
    ))?;
    let or_none = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    out.line(format!("PartnerIDs: {}", or_none(&view.partner_ids)))?;
    out.line(format!("works with: {}", or_none(&view.works_with)))?;
    out.line(format!("partner agreement: {}", or_none(&view.signed_for)))?;
    let member = if view.member { "a programme member" } else { "no programme member" };
    let barred = if view.barred { ", barred from credit" } else { "" };
    out.line(format!("{member}{barred}"))?;
    if let Some(since) = &view.qualified_since {
        out.line(format!("qualified as a reseller since {}", day(since)))?;
    }
    if let Some(credit) = &view.credit {
        out.line(format!(
            "credit: {} {currency} of {} {currency} outstanding, stated {}",
            credit.outstanding,
            credit.limit,
            credit.stated_at,
            currency = credit.currency
        ))?;
    }
    out.line("")?;
    show_steps(&view.steps, out)?;
    let sentence =
        if view.ready { "Nothing is missing on its side." } else { "Open steps stand against the next order." };
    out.line(sentence)?;
    Ok(())
}

pub(super) fn show_customer(view: &CustomerView, out: &mut Output) -> anyhow::Result<()> {
    let name = view.name.as_deref().unwrap_or("never registered");
    out.heading(&format!("{name} ({}) at {}", view.customer, view.at))?;
    out.line(format!(
        "tenant {}, market {}, {}",
        view.tenant,
        view.market.as_deref().unwrap_or("not known"),
        view.region.unwrap_or("no region")
    ))?;
    if view.partners.is_empty() {
        out.line("No partner has a relationship or a plan with this customer; ask about one with --partner.")?;
    }
    if !view.affiliated_to.is_empty() {
        out.line(format!("belongs to the group of {}", view.affiliated_to.join(", ")))?;
    }
    for with in &view.partners {
        show_with(with, out)?;
    }
    Ok(())
}

fn show_with(with: &WithPartner, out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
    out.heading(&format!("With {} ({})", with.name, with.partner))?;
    let since = with.relationship_since.as_deref().map(|since| format!(" since {}", day(since))).unwrap_or_default();
    let agreement = with.agreed.as_ref().map_or_else(
        || "no agreement that counts".to_owned(),
        |agreed| match agreed.how {
            "attested" => format!("agreement attested by the partner on {}", day(&agreed.at)),
            _ => format!("agreement accepted by the customer on {}", day(&agreed.at)),
        },
    );
    out.line(format!("relationship {}{since}, {agreement}", with.relationship))?;
    if let Some(transition) = with.transition {
        out.line(format!("transition from 0145P: {transition}"))?;
    }
    for plan in &with.plans {
        let shown = match plan.reseller_of_record.as_str() {
            "0" => "0 (sold direct)".to_owned(),
            "-1" => "-1 (removed)".to_owned(),
            id => id.to_owned(),
        };
        out.line(format!("plan {}, reseller of record {shown}", plan.plan))?;
    }
    show_held(with, out)?;
    show_steps(&with.steps, out)?;
    let next = &with.next_order;
    let verdict = if next.accepted { "would be accepted" } else { "would be refused" };
    out.line(format!("The next order ({}) {verdict}.", next.kind))?;
    for (word, reasons) in [("missing", &next.reasons), ("remark", &next.remarks)] {
        for reason in reasons {
            let error = reason.error.map(|error| format!(", error {error}")).unwrap_or_default();
            out.line(format!("  {word}: {} ({}{error})", reason.detail, reason.rule))?;
            if word == "missing" {
                out.line(format!("    do: {}", reason.instead.join("; or ")))?;
                out.line(format!("    source: {}", reason.source))?;
            }
        }
    }
    Ok(())
}

/// The day of a time that is printed, for people.
fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

/// The beginning of an id, for people; JSON has it whole.
fn beginning(id: &str) -> String {
    id.split('-').next().map_or_else(|| id.to_owned(), |first| format!("{first}…"))
}

/// What the partner holds of the customer; what stayed after the end is said in words.
fn show_held(with: &WithPartner, out: &mut Output) -> anyhow::Result<()> {
    if with.holds.is_empty() {
        out.line("holds nothing in the customer's tenant, as far as was told")?;
        return Ok(());
    }
    let mut list = table(&["holds", "by", "scope", "since", ""]);
    for held in &with.holds {
        let eligible = if held.eligible_only { " (on request)" } else { "" };
        let role = held.role.as_deref().unwrap_or("administration");
        list.add_row([
            left(format!("{role}{eligible}")),
            left(format!("{} {}", held.held_by, beginning(&held.holder))),
            left(held.scope.as_deref().map_or("the whole tenant", |scope| scope.trim_start_matches("/subscriptions/"))),
            left(day(&held.since)),
            left(if held.stayed { "stayed after the end" } else { "" }),
        ]);
    }
    out.table(list)?;
    if with.holds.iter().any(|held| held.stayed) {
        out.line("Ending a relationship takes no right away (CHN-13): the customer removes what it no longer wants.")?;
    }
    Ok(())
}
