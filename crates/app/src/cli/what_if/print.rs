//! The answer of `pec what-if` for people.

use domain::ids::Currency;
use domain::money::Exact;

use super::super::invoice::{cents, revisions_in_words};
use super::super::select::{self, Names};
use super::{Ahead, Answer, Change, Recorded, Request};
use crate::output::{Output, align_right, count, left, right, table, wrapped};

/// How many rows a table shows; programs get all.
const ROWS_SHOWN: usize = 20;

pub(super) fn answer(answer: &Answer, transfer: bool, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("Suppose, from {}:", answer.at))?;
    for event in &answer.supposed {
        out.line(format!("  {}", sentence(&select::shortened(event), out)))?;
    }
    out.line("Nothing is written: this is a question.")?;
    out.line("")?;
    recorded(&answer.recorded, out)?;
    out.line("")?;
    ahead(&answer.ahead, !answer.recorded.resources.is_empty(), out)?;
    if !answer.requests.is_empty() {
        out.line("")?;
        requests(&answer.requests, transfer, out)?;
    } else if transfer {
        out.line("")?;
        out.line("No access has to be added first: what the new partner needs is there, or nothing is in use.")?;
    }
    out.line("")?;
    out.line(format!("Rules version {} · {}", answer.rules_version, revisions_in_words(&answer.policy_revisions)))?;
    Ok(())
}

/// Within the width of whoever reads, two blanks in.
fn sentence(text: &str, out: &Output) -> String {
    wrapped(text, usize::from(out.style.width) - 2, 2)
}

fn signed(amount: &Exact) -> String {
    let text = cents(amount, Currency::USD);
    if amount.is_negative() || amount.is_zero() { text } else { format!("+{text}") }
}

fn change(change: &Change) -> [comfy_table::Cell; 3] {
    let (before, after) = &change.exact;
    [right(cents(before, Currency::USD)), right(cents(after, Currency::USD)), right(signed(&change.by()))]
}

fn recorded(recorded: &Recorded, out: &mut Output) -> anyhow::Result<()> {
    out.heading("Recorded usage")?;
    if recorded.months.is_empty() {
        out.line("No usage is recorded from then on, so no credit differs yet.")?;
        return Ok(());
    }
    let months = match recorded.months.as_slice() {
        [one] => one.clone(),
        [first, .., last] => format!("{first} to {last}"),
        [] => String::new(),
    };
    if recorded.resources.is_empty() {
        out.line(format!("No credit differs in {months}."))?;
        return Ok(());
    }
    let mut list = table(&[&months, "as it is", "supposed", "difference"]);
    let mut row = |title: String, figures: &Change| {
        let [before, after, difference] = change(figures);
        list.add_row([left(title), before, after, difference]);
    };
    row("credit earned".to_owned(), &recorded.earned);
    row("credit missing".to_owned(), &recorded.missing);
    for reason in &recorded.reasons {
        row(format!("  {} ({})", reason.reason, reason.rule), &reason.missing);
    }
    align_right(&mut list, &[1, 2, 3]);
    out.table(list)?;
    out.line("")?;
    let mut list = table(&["credit earned on", "as it is", "supposed", "difference"]);
    let names = Names::of(recorded.resources.iter().map(|row| row.resource.as_str()));
    for resource in recorded.resources.iter().take(ROWS_SHOWN) {
        let [before, after, difference] = change(&resource.earned);
        list.add_row([left(names.get(&resource.resource)), before, after, difference]);
    }
    align_right(&mut list, &[1, 2, 3]);
    out.table(list)?;
    more(recorded.resources.len(), out)
}

fn more(rows: usize, out: &mut Output) -> anyhow::Result<()> {
    if rows > ROWS_SHOWN {
        out.note(format!("{} more with --json", count((rows - ROWS_SHOWN) as u64, "resource")))?;
    }
    Ok(())
}

fn ahead(ahead: &Ahead, recorded_differs: bool, out: &mut Output) -> anyhow::Result<()> {
    out.heading(&format!("From {} on, a day", ahead.day))?;
    if ahead.loses.is_empty() && ahead.gains.is_empty() {
        if ahead.in_use == 0 {
            out.line("No usage is known before that day, so what a day would cost or bring cannot be told.")?;
        } else {
            out.line(format!("No resource that was in use before would lose or gain credit on {}.", ahead.day))?;
        }
        if recorded_differs {
            out.line("What recorded usage on later days loses or gains stands above.")?;
        }
        return Ok(());
    }
    let names = Names::of(ahead.loses.iter().chain(&ahead.gains).map(|row| row.resource.as_str()));
    for (rows, title, total) in
        [(&ahead.loses, "loses credit", &ahead.exact.0), (&ahead.gains, "gains credit", &ahead.exact.1)]
    {
        if rows.is_empty() {
            continue;
        }
        let why = if title.starts_with('l') { "because" } else { "lost so far because" };
        let mut list = table(&[title, why, "credit a day"]);
        for row in rows.iter().take(ROWS_SHOWN) {
            let why = format!("{} ({})", row.reason, row.rule);
            list.add_row([left(names.get(&row.resource)), left(why), right(cents(&row.exact, Currency::USD))]);
        }
        list.add_row([left("all together"), left(""), right(cents(total, Currency::USD))]);
        align_right(&mut list, &[2]);
        out.table(list)?;
        more(rows.len(), out)?;
    }
    out.line("A day's figure is the mean of the last days with usage (7 at most).")?;
    Ok(())
}

/// No amount stands here: a partner must not press a customer for access.
fn requests(requests: &[Request], transfer: bool, out: &mut Output) -> anyhow::Result<()> {
    out.heading(if transfer { "Access to be there before the transfer" } else { "What would keep it" })?;
    for request in requests {
        let scope = select::short_scope(&request.scope);
        out.line(format!("{} for {}, on {scope} ({}):", request.customer.name, request.partner.name, request.reason))?;
        out.line(format!("  {}", sentence(&request.text, out)))?;
        out.line(format!("  scope        {}", request.scope))?;
        out.line(format!("  needed for   {}", request.losing()))?;
        for agents in &request.admin_agents {
            out.line(format!("  AdminAgents  {agents}"))?;
        }
    }
    Ok(())
}
