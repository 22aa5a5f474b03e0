//! Runs the scenarios: each in memory, through a journal on disk, and replayed from that journal.
//!
//! All three must print the same tables, and the tables must be those in the file.
//! `UPDATE_EXPECT=1` rewrites the tables (keys that begin with `expect`) and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use domain::decide::{self, Closed, Closing};
use domain::entry::{Decision, Entry, Event};
use domain::facts::Facts;
use domain::finding::Finding;
use domain::ids::Digest;
use domain::invoice::{Draft, draft_with};
use domain::money::Exact;
use domain::pec::{AccessVerdict, Judge};
use domain::period::{Day, Instant, Interval};
use domain::projection::Fold;
use domain::rating::{Desk, Piece, Verdict, judged};
use domain::scope::Scope;
use journal::wire::Message;
use journal::{Batch, Journal, Options, Origin};

use crate::memory::{Body, Memory, Told};
use crate::scenario::{self, Scenario, Step, What};
use crate::source::{self, File};
use crate::stage::guid;

/// Table name → what it must say, lines aligned.
type Tables = BTreeMap<String, String>;

fn scenarios() -> Vec<File> {
    source::files("tests/scenarios", &[".toml"])
}

// ------------------------------------------------------------------------------------ three depths

/// Plays a scenario's steps up to `until`. `append` keeps a message and gives its entries back.
fn play(
    scenario: &Scenario,
    until: Option<Instant>,
    append: &mut dyn FnMut(&[Message], Instant) -> Vec<Entry>,
) -> Facts {
    let mut fold: Fold<Facts> = Fold::default();
    let steps = scenario.steps.iter().filter(|step| until.is_none_or(|until| step.at < until));
    let steps: Vec<&Step> = steps.collect();
    for same in steps.chunk_by(|one, next| one.at == next.at) {
        let told: Vec<Message> = same.iter().filter_map(|step| step.what.told()).map(Told::message).collect();
        append(&told, same[0].at).iter().for_each(|entry| fold.apply(entry));
        for (number, step) in same.iter().enumerate() {
            let decided = decided(scenario, fold.state(), step, number);
            if !decided.is_empty() {
                append(&decided, step.at).iter().for_each(|entry| fold.apply(entry));
            }
        }
    }
    fold.state().clone()
}

/// The messages that a decision of ours writes: none for a step that is told.
fn decided(scenario: &Scenario, facts: &Facts, step: &Step, number: usize) -> Vec<Message> {
    let digest = |bytes: &[u8]| Digest(*blake3::hash(bytes).as_bytes());
    let decision = Decision { actor: "finance".into(), reason: "the scenario says so".into(), at: step.at };
    let commerce = facts.commerce.view();
    let events = match &step.what {
        What::Told(_) => Vec::new(),
        What::Close { bill_to, period } => {
            let desk = Desk::new(facts, &commerce);
            let mut judge = Judge::new(facts, &commerce);
            let closing = Closing {
                bill_to: guid(bill_to),
                currency: scenario.currency,
                period: *period,
                position: 0,
                decision,
                obstacles: &[],
                findings: &[],
                accept_unknown_access: false,
                digest: &digest,
            };
            let closed = decide::close(&desk, &mut judged(&mut judge), &closing);
            match closed.unwrap_or_else(|refusal| panic!("{}: closing is refused: {refusal}", scenario.path)) {
                Closed::Issue(events) => events,
                Closed::Already(_) | Closed::Nothing => Vec::new(),
            }
        }
        What::Void { bill_to, period } => {
            let standing = facts.issued.standing(guid(bill_to), *period);
            let id = &standing.first().expect("the month was closed before").id;
            let voided = decide::void(&facts.issued, id, 0, &decision, &digest);
            voided.unwrap_or_else(|refusal| panic!("{}: voiding is refused: {refusal}", scenario.path))
        }
    };
    let told = |(event, index): (Event, usize)| {
        let id = format!("decision-{}-{number}-{index}", step.at.timestamp());
        Told { id, causation: None, body: Body::Event(event) }.message()
    };
    events.into_iter().zip(0..).map(told).collect()
}

fn in_memory(scenario: &Scenario, until: Option<Instant>) -> Facts {
    let mut memory = Memory::default();
    play(scenario, until, &mut |messages, at| messages.iter().flat_map(|message| memory.append(message, at)).collect())
}

/// Folds what a journal on disk gives back, once as it is appended and once read again from its start.
fn on_disk(scenario: &Scenario) -> (Facts, Facts) {
    let dir = tempfile::tempdir().expect("a folder for the journal");
    let first = scenario.steps.first().expect("the stage is never empty").at;
    let options = Options { create: true, accept_clock: true, ..Options::default() };
    let mut journal = Journal::open(dir.path(), &options, first).expect("a new journal opens");
    let live = play(scenario, None, &mut |messages, at| {
        let mut batch = Batch::new();
        for message in messages {
            batch.push(Origin::Here, &message.borrow(&message.header_refs()));
        }
        journal.append(batch, at).expect("appending to a journal in a fresh folder").entries
    });
    let entries: Result<Vec<Entry>, _> = journal.reader().entries(0).collect();
    let mut again: Fold<Facts> = Fold::default();
    entries.expect("what was appended reads back").iter().for_each(|entry| again.apply(entry));
    journal.close().expect("the journal closes");
    (live, again.state().clone())
}

// ------------------------------------------------------------------------------------------ tables

/// What is said about one resource, day and meter.
#[derive(Default)]
struct Row {
    quantity: Exact,
    list: Exact,
    credit: Exact,
    verdict: String,
}

fn tables(scenario: &Scenario, facts: &Facts) -> Tables {
    let commerce = facts.commerce.view();
    let desk = Desk::new(facts, &commerce);
    let mut judge = Judge::new(facts, &commerce);
    let bill_to: BTreeSet<_> = commerce.plans().map(|plan| plan.bill_to).collect();
    let (mut days, mut lines, mut findings) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for partner in bill_to {
        let mut asked: BTreeSet<(domain::ids::Guid, domain::ids::Guid, Scope, Day)> = BTreeSet::new();
        let (draft, found) =
            draft_with(&desk, partner, scenario.currency, scenario.period, &mut judged(&mut judge), &mut |piece| {
                asked.insert((piece.plan, piece.subscription, piece.scope.clone(), piece.day));
                add(&mut days, piece);
            });
        findings.extend(found);
        lines.extend(line_rows(scenario, &draft));
        for (plan, subscription, scope, day) in asked {
            let placed = commerce.placements(subscription).iter();
            let here = |interval: &Interval| !interval.intersect(&day.interval()).is_empty();
            let mut placed = placed.filter(|one| one.plan == plan && here(&one.interval));
            let placement = placed.next().expect("rated usage has a placement");
            let place = judge.place(subscription, placement, &scope);
            let why = why(&judge.access(place, day), day);
            let same = |key: &&DayKey| key.0 == day && key.1 == plan && key.2 == scope;
            let keys: Vec<DayKey> = days.keys().filter(same).cloned().collect();
            for key in keys {
                let row: &mut Row = days.get_mut(&key).expect("taken from the table");
                if !row.verdict.starts_with("never") {
                    row.verdict = format!("{} {why}", row.verdict);
                }
            }
        }
    }
    findings.extend(judge.findings());
    let mut tables = Tables::new();
    tables.insert("expect".to_owned(), day_table(scenario, &days));
    tables.insert("expect_lines".to_owned(), aligned(LINE_COLUMNS, &lines));
    tables.insert("expect_findings".to_owned(), finding_table(scenario, &findings));
    tables.insert("expect_issued".to_owned(), issued_table(scenario, facts));
    tables.retain(|_, text| !text.is_empty());
    tables
}

type DayKey = (Day, domain::ids::Guid, Scope, domain::ids::MeterId);

fn add(days: &mut BTreeMap<DayKey, Row>, piece: &Piece<'_>) {
    let row = days.entry((piece.day, piece.plan, piece.scope.clone(), piece.meter.clone())).or_default();
    row.quantity += &piece.quantity.exact();
    row.list += &piece.list_charge();
    row.credit += &piece.credit_at_stake();
    row.verdict = match piece.verdict {
        Verdict::Earned => "earned".to_owned(),
        Verdict::Lost(_) => "lost".to_owned(),
        Verdict::Never(code) => format!("never {}", code.text()),
    };
}

/// The rule and the reason, as a person reads them.
fn why(verdict: &AccessVerdict, day: Day) -> String {
    let mut text = verdict.rule().to_owned();
    match verdict {
        AccessVerdict::Earned(cover) => {
            let routes: BTreeSet<&str> = cover.holdings.iter().map(|holding| holding.route.text()).collect();
            let routes: Vec<&str> = routes.into_iter().collect();
            write!(text, " {}", routes.join(" then ")).expect("writing to a string cannot fail");
        }
        AccessVerdict::Lost(loss) => {
            let open: Vec<String> = loss.open.iter().map(|interval| clock(interval, day)).collect();
            write!(text, " {}, open {}", loss.code, open.join(" and ")).expect("writing to a string cannot fail");
            if loss.several {
                text.push_str(", several");
            }
            for other in &loss.also {
                write!(text, ", also {other}").expect("writing to a string cannot fail");
            }
        }
    }
    text
}

/// `12:00 to 24:00`.
fn clock(interval: &Interval, day: Day) -> String {
    let text = |at: Instant| if at == day.next().start() { "24:00".to_owned() } else { at.format("%H:%M").to_string() };
    format!("{} to {}", text(interval.from), text(interval.to))
}

fn day_table(scenario: &Scenario, days: &BTreeMap<DayKey, Row>) -> String {
    let row = |((day, plan, scope, meter), row): (&DayKey, &Row)| {
        let names = &scenario.names;
        let cells = [
            day.to_string(),
            names.shorten(&plan.to_string()),
            names.shorten(scope.as_str()),
            names.shorten(&meter.to_string()),
            row.quantity.to_string(),
            row.list.to_string(),
            row.credit.to_string(),
            row.verdict.clone(),
        ];
        cells.to_vec()
    };
    let rows: Vec<Vec<String>> = days.iter().map(row).collect();
    aligned(&["# day", "plan", "resource", "meter", "quantity", "list", "credit", "verdict and why"], &rows)
}

const LINE_COLUMNS: &[&str] =
    &["# plan", "reseller", "meter", "tier", "credit", "quantity", "price", "effective", "charge", "subtotal", "rule"];

fn line_rows(scenario: &Scenario, draft: &Draft) -> Vec<Vec<String>> {
    let names = &scenario.names;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in &draft.lines {
        rows.push(vec![
            names.shorten(&line.key.plan.to_string()),
            line.key.reseller.as_deref().unwrap_or("-").to_owned(),
            names.shorten(&line.key.meter.to_string()),
            line.key.tier.to_string(),
            line.key.credit_rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string()),
            line.quantity.to_string(),
            line.unit_price.to_string(),
            line.effective_unit_price.to_string(),
            line.charge.to_fixed(2),
            line.subtotal.to_fixed(2),
            line.rule.to_owned(),
        ]);
    }
    if !rows.is_empty() {
        let (total, rounding) = draft.total_and_rounding();
        let missing = draft.totals().missing();
        let minor = draft.currency.minor_unit();
        let partner = names.shorten(&draft.bill_to.to_string());
        rows.push(vec![format!(
            "total of {partner}: {} {}, rounding {rounding}, missing credit USD {missing}",
            total.to_fixed(minor),
            draft.currency
        )]);
    }
    rows
}

/// Issued documents, line by line, oldest first.
fn issued_table(scenario: &Scenario, facts: &Facts) -> String {
    let heads = ["# document", "month", "meter", "credit", "quantity", "charge", "subtotal", "rule", "days"];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for document in facts.issued.documents() {
        let kind = if document.amends.is_some() { "credit note" } else { "invoice" };
        let voided = if facts.issued.is_voided(&document.id) { ", void" } else { "" };
        for line in &document.lines {
            let days: Vec<String> = line.days.iter().map(Day::to_string).collect();
            rows.push(vec![
                format!("{kind} {}", document.period),
                line.period.to_string(),
                scenario.names.shorten(&line.key.meter.to_string()),
                line.key.credit_rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string()),
                line.quantity.to_string(),
                line.charge.to_string(),
                line.subtotal.to_string(),
                line.rule.to_string(),
                days.join(" "),
            ]);
        }
        let (total, currency) = (&document.total, document.currency);
        rows.push(vec![format!("total of {kind} {}{voided}: {total} {currency}", document.period)]);
    }
    aligned(&heads, &rows)
}

fn finding_table(scenario: &Scenario, findings: &BTreeSet<Finding>) -> String {
    let row = |finding: &Finding| {
        let blocks = if finding.blocking() { "blocks" } else { "-" };
        let day = finding.about.day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        vec![finding.code.to_string(), blocks.to_owned(), day, scenario.names.shorten(&finding.detail)]
    };
    let rows: Vec<Vec<String>> = findings.iter().map(row).collect();
    aligned(&["# code", "blocks", "day", "detail"], &rows)
}

/// Rows under their heads, columns aligned; nothing when there are no rows.
fn aligned(heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let full: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).filter(|row| row.len() == heads.len()).collect();
    let width = |column: usize| full.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut text = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
        let line = cells.collect::<Vec<String>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

// -------------------------------------------------------------------------------- files and checks

/// The tables that a file expects.
fn expected(file: &File) -> Tables {
    let table: toml::Table = file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let expected = table.into_iter().filter(|(key, _)| key.starts_with("expect"));
    expected.map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned())).collect()
}

/// The file's text with other expected tables; everything before the first one stays as it is.
fn rewritten(text: &str, tables: &Tables) -> String {
    let is_head = |line: &str| line.starts_with("expect") || line.starts_with("\"expect");
    let kept: Vec<&str> = text.lines().take_while(|line| !is_head(line)).collect();
    let mut out = kept.join("\n").trim_end().to_owned();
    for (name, table) in tables {
        let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let key = if bare { name.clone() } else { format!("\"{name}\"") };
        write!(out, "\n\n{key} = \"\"\"\n{table}\"\"\"").expect("writing to a string cannot fail");
    }
    out.push('\n');
    out
}

/// Everything a scenario prints, including what we would have said as of the days it asks for.
fn printed(scenario: &Scenario, facts: &Facts, asked: &Tables) -> Tables {
    let mut printed = tables(scenario, facts);
    for name in asked.keys() {
        let Some(day) = name.strip_prefix("expect as of ").and_then(Day::parse) else { continue };
        let then = in_memory(scenario, Some(day.next().start()));
        let table = tables(scenario, &then).remove("expect").unwrap_or_default();
        printed.insert(name.clone(), table);
    }
    printed
}

#[test]
fn scenarios_say_what_finance_expects() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = String::new();
    let files = scenarios();
    assert!(files.len() >= 12, "only {} scenarios: have they moved?", files.len());
    for file in &files {
        let scenario = scenario::read(&file.path, &file.text);
        let asked = expected(file);
        let said = printed(&scenario, &in_memory(&scenario, None), &asked);
        let (live, again) = on_disk(&scenario);
        for (depth, facts) in [("through a journal", &live), ("replayed from a journal", &again)] {
            assert_eq!(printed(&scenario, facts, &asked), said, "{}: {depth} it says something else", file.path);
        }
        if update {
            std::fs::write(source::root().join(&file.path), rewritten(&file.text, &said))
                .expect("the file is writable");
        } else if said != asked {
            writeln!(wrong, "== {} ({})", file.path, scenario.title).expect("writing to a string cannot fail");
            for name in said.keys().chain(asked.keys()).collect::<BTreeSet<_>>() {
                let (said, asked) = (said.get(name), asked.get(name));
                if said != asked {
                    let none = "(no such table)\n".to_owned();
                    let (said, asked) = (said.unwrap_or(&none), asked.unwrap_or(&none));
                    write!(wrong, "{name} is expected to be\n{asked}and is\n{said}").expect("no failure in memory");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nafter reading the difference: UPDATE_EXPECT=1 cargo test -p tests scenarios");
}

/// The control: the first scenario with its revocation taken out says something else.
#[test]
fn a_scenario_that_says_otherwise_is_seen() {
    let path = "tests/scenarios/pec/revoked_at_noon.toml";
    let text = source::read(path);
    let without: String =
        text.lines().filter(|line| !line.contains("revoke ")).fold(String::new(), |all, line| all + line + "\n");
    let said = |text: &str| {
        let scenario = scenario::read(path, text);
        tables(&scenario, &in_memory(&scenario, None))
    };
    assert_ne!(said(&text), said(&without));
}

#[test]
fn only_expected_tables_are_rewritten() {
    let text = "title = \"x\" # kept\n\njournal = \"\"\"\n# kept too\n\"\"\"\n\nexpect = \"\"\"\nold\n\"\"\"\n";
    let tables = Tables::from([("expect".to_owned(), "new\n".to_owned())]);
    let once = rewritten(text, &tables);
    assert_eq!(once, text.replace("old", "new"));
    assert_eq!(rewritten(&once, &tables), once);
}
