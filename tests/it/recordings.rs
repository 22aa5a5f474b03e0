//! Real recordings, where somebody has a folder of them: `PEC_RECORDINGS=/path/to/recordings`.
//!
//! Recordings are not part of the project. When the variable names a folder, every file under it is
//! read: nothing may crash, every record must yield an item, and every life of a role assignment
//! must come out as the naive reader below says, which walks the JSON by itself and shares nothing
//! with the decoder. `docs/recordings.md` tells what was found last.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use domain::access::AccessBook;
use domain::commerce::CommerceBook;
use domain::entry::{ActivityOperation, ActivityResult, AssignmentActivity, Entry, Event, Outcome, Stream};
use journal::files::read_file;
use journal::wire::{Items, Message, decode};
use serde_json::Value;

const FOLDER: &str = "PEC_RECORDINGS";

/// The folder of recordings, or a loud word that there is none.
pub(crate) fn recordings() -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os(FOLDER) else {
        eprintln!("SKIPPED: {FOLDER} is not set, so no recording was read and nothing is proved about them");
        return None;
    };
    let mut files = Vec::new();
    walk(Path::new(&folder), &mut files);
    files.sort();
    assert!(!files.is_empty(), "{FOLDER} names a folder without files");
    Some(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

fn items(message: &Message) -> Items {
    let headers = message.header_refs();
    decode(&message.borrow(&headers))
}

/// What a file came to: the records of it, or the fault that was named.
struct Read {
    path: PathBuf,
    messages: Vec<(Message, Items)>,
    fault: Option<String>,
}

fn read(path: &Path) -> Read {
    let mut messages = Vec::new();
    let read = read_file(path, Some(Stream::Access), &mut |message, coordinates| {
        assert_eq!(coordinates.ordinal, messages.len() as u64, "{}", path.display());
        let items = items(&message);
        messages.push((message, items));
        Ok::<(), std::io::Error>(())
    });
    Read { path: path.to_owned(), messages, fault: read.err().map(|fault| fault.to_string()) }
}

#[test]
fn every_record_of_every_recording_yields_an_item() {
    let Some(files) = recordings() else { return };
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    for path in &files {
        let read = read(path);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (message, items) in &read.messages {
            let value = message.value.as_deref().unwrap();
            let least = serde_json::from_slice(value).map_or(1, |value| naive_records(&value));
            assert!(items.len() >= least, "{}: {} of {least} records", path.display(), items.len());
            for item in items {
                let name = match item {
                    Ok(fact) => kind(&fact.event),
                    Err(rejection) => rejection.code.to_owned(),
                };
                *counts.entry(name).or_default() += 1;
            }
        }
        let shown: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let fault = read.fault.iter().map(|fault| format!("FAULT {fault}"));
        let shown = shown.into_iter().chain(fault).collect::<Vec<_>>().join(", ");
        println!("{}: {} messages: {shown}", path.display(), read.messages.len());
        assert!(!shown.is_empty(), "{} came to nothing at all", path.display());
        for (name, count) in counts {
            *outcomes.entry(name).or_default() += count;
        }
    }
    println!("{} files: {outcomes:?}", files.len());
}

/// The name of an event's variant.
fn kind(event: &Event) -> String {
    let name = format!("{event:?}");
    name.split('(').next().unwrap().to_owned()
}

/// How many records a careful person counts in a message: objects that name an operation.
fn naive_records(value: &Value) -> usize {
    let list = value.get("records").unwrap_or(value).as_array();
    let named = |records: &Vec<Value>| records.iter().filter(|record| record.get("operationName").is_some()).count();
    list.map_or(1, named).max(1)
}

// ------------------------------------------------------------------------------ the naive reader

/// One line of an assignment's history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    /// Nanoseconds since 1970.
    at: i128,
    assignment: String,
    scope: String,
    correlation: String,
    operation_id: String,
    what: &'static str,
    /// Principal and role.
    facts: Option<(String, String)>,
}

/// A grant from its creation to its removal, where both are recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Life {
    assignment: String,
    scope: String,
    facts: Option<(String, String)>,
    granted: Option<i128>,
    removed: Option<i128>,
}

fn plain(guid: &str) -> String {
    guid.rsplit('/').next().unwrap().replace('-', "").to_lowercase()
}

/// Reads one REST record of the recordings; only the forms that they hold.
fn naive_line(record: &Value) -> Option<Line> {
    let word = |name: &str| record[name]["value"].as_str().unwrap_or("").to_lowercase();
    let operation = word("operationName");
    let verb = operation.strip_prefix("microsoft.authorization/roleassignments/")?.to_owned();
    let id = record["resourceId"].as_str()?.to_lowercase();
    let (scope, assignment) = id.rsplit_once("/providers/microsoft.authorization/roleassignments/")?;
    let properties = &record["properties"];
    let what = match (verb.as_str(), word("status").as_str(), word("subStatus").as_str()) {
        ("write", "started", _) => "asked",
        ("write", "succeeded", _) => "granted",
        ("write", "failed", _) => "refused",
        ("delete", "succeeded", "nocontent") => "nothing there",
        ("delete", "succeeded", "") => "removed with its group",
        ("delete", "succeeded", _) => "removed",
        ("delete", "started", _) => "asked to remove",
        other => panic!("the recordings hold something new: {other:?}"),
    };
    let facts = |of: &Value| {
        let either = |a: &str, b: &str| of[a].as_str().or(of[b].as_str()).map(plain);
        Some((either("principalId", "PrincipalId")?, either("roleDefinitionId", "RoleDefinitionId")?))
    };
    let body = |name: &str| {
        let body: Value = serde_json::from_str(properties[name].as_str()?).unwrap();
        facts(&body["properties"]).or_else(|| facts(&body["Properties"]))
    };
    Some(Line {
        at: naive_time(record["eventTimestamp"].as_str()?),
        assignment: plain(assignment),
        scope: scope.to_owned(),
        correlation: plain(record["correlationId"].as_str()?),
        operation_id: plain(record["operationId"].as_str()?),
        what,
        facts: body("requestbody").or_else(|| body("responseBody")).or_else(|| facts(properties)),
    })
}

/// `2018-03-19T17:58:52.4551336Z` as nanoseconds since 1970, by counting.
fn naive_time(text: &str) -> i128 {
    let text = text.strip_suffix('Z').unwrap();
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let numbers: Vec<i128> = clock.split(['-', 'T', ':']).map(|part| part.parse().unwrap()).collect();
    let [year, month, day, hour, minute, second] = numbers[..] else { panic!("not a time: {text}") };
    let leap = |year: i128| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut days: i128 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    days += months.iter().take(usize::try_from(month).unwrap() - 1).sum::<i128>() + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    seconds * 1_000_000_000 + format!("{fraction:0<9}").parse::<i128>().unwrap()
}

/// The same line from what the decoder said.
fn decoded_line(activity: &AssignmentActivity) -> Line {
    let what = match (activity.operation, activity.result) {
        (ActivityOperation::Write, ActivityResult::Started) => "asked",
        (ActivityOperation::Write, ActivityResult::Succeeded) => "granted",
        (ActivityOperation::Write, ActivityResult::Failed) => "refused",
        (ActivityOperation::Delete, ActivityResult::NoContent) => "nothing there",
        (ActivityOperation::Delete, ActivityResult::Succeeded) if activity.cascade => "removed with its group",
        (ActivityOperation::Delete, ActivityResult::Succeeded) => "removed",
        (ActivityOperation::Delete, ActivityResult::Started) => "asked to remove",
        other => panic!("decoded to something new: {other:?}"),
    };
    Line {
        at: nanos(activity.at),
        assignment: activity.assignment.simple(),
        scope: activity.scope.as_str().to_owned(),
        correlation: activity.correlation.as_deref().unwrap_or_default().to_owned(),
        operation_id: activity.operation_id.as_deref().unwrap_or_default().to_owned(),
        what,
        facts: activity.facts.as_ref().map(|facts| (facts.principal.simple(), facts.role.simple())),
    }
}

/// Lives by reading on in time: what was asked for last is what is granted, until it is removed.
fn lives(lines: &[Line]) -> Vec<Life> {
    let mut sorted = lines.to_vec();
    sorted.sort();
    sorted.dedup();
    let mut asked: BTreeMap<(String, String), Vec<Line>> = BTreeMap::new();
    let mut open: BTreeMap<String, Life> = BTreeMap::new();
    let mut done = Vec::new();
    for line in sorted {
        let pair = (line.correlation.clone(), line.assignment.clone());
        let life = |facts, granted| Life {
            assignment: line.assignment.clone(),
            scope: line.scope.clone(),
            facts,
            granted,
            removed: None,
        };
        match line.what {
            "asked" => asked.entry(pair).or_default().push(line),
            "refused" => drop(asked.get_mut(&pair).and_then(Vec::pop)),
            "granted" => {
                let facts = asked.get_mut(&pair).and_then(Vec::pop).and_then(|asked| asked.facts);
                open.entry(line.assignment.clone()).or_insert_with(|| life(facts, Some(line.at)));
            }
            "removed" | "removed with its group" => {
                let mut ended = open.remove(&line.assignment).unwrap_or_else(|| life(line.facts.clone(), None));
                ended.facts = ended.facts.or_else(|| line.facts.clone());
                ended.removed = Some(line.at);
                done.push(ended);
            }
            _ => {}
        }
    }
    done.extend(open.into_values());
    done.sort();
    done
}

#[test]
fn every_life_comes_out_as_a_careful_reader_says() {
    let Some(files) = recordings() else { return };
    let mut total = (0, 0, 0, 0);
    let mut report = String::new();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let naive: Vec<Line> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter_map(|record| naive_line(&record))
            .collect();
        if naive.is_empty() {
            continue;
        }
        let read = read(path);
        let facts = read.messages.iter().flat_map(|(_, items)| items).filter_map(|item| item.as_ref().ok());
        let decoded: Vec<Line> = facts
            .filter_map(|fact| match &fact.event {
                Event::AssignmentActivity(activity) => Some(decoded_line(activity)),
                _ => None,
            })
            .collect();
        assert_eq!(decoded, naive, "{}", read.path.display());
        let (ours, theirs) = (lives(&decoded), lives(&naive));
        assert_eq!(ours, theirs, "{}", path.display());
        let whole = ours.iter().filter(|life| life.granted.is_some() && life.removed.is_some()).count();
        let unresolved = ours.iter().filter(|life| life.facts.is_none()).count();
        let name = path.file_name().unwrap().to_string_lossy();
        writeln!(
            report,
            "{name}: {} records, {} lives, {whole} whole, {unresolved} without facts",
            naive.len(),
            ours.len()
        )
        .unwrap();
        total = (total.0 + 1, total.1 + naive.len(), total.2 + ours.len(), total.3 + whole);
    }
    println!("{report}{} files, {} records, {} lives, {} of them whole", total.0, total.1, total.2, total.3);
    assert!(total.2 > 0, "the recordings hold no life of a role assignment");
}

/// What the rules make of a recording is what the naive reader makes of it: each life whose creation
/// and facts are recorded is a grant from its creation to its removal, and every other grant ends
/// as some life does (those known by their removal alone). File by file, because recorders
/// gave the same invented id to assignments of different years.
#[test]
fn the_access_book_holds_every_life_that_a_careful_reader_found() {
    let Some(files) = recordings() else { return };
    let (mut whole, mut proven) = (0, 0);
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let records = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let told = lives(&records.filter_map(|record| naive_line(&record)).collect::<Vec<Line>>());
        if told.is_empty() {
            continue;
        }
        let held = held(read(path));
        let created = |life: &&Life| life.granted.is_some() && life.facts.is_some();
        for life in told.iter().filter(created) {
            assert!(held.contains(life), "{}: the book lacks {life:?} and has {held:?}", path.display());
            whole += 1;
        }
        for grant in held.iter().filter(|grant| !told.contains(grant)) {
            let mut ends = told.iter().filter(|life| life.granted.is_none());
            let known = ends.any(|life| (&life.assignment, life.removed) == (&grant.assignment, grant.removed));
            assert!(known, "{}: nobody told of {grant:?}", path.display());
            proven += 1;
        }
    }
    println!("{whole} lives with creation and facts, {proven} known by their removal alone");
    assert!(whole > 0);
}

/// What the access book makes of a file's records.
fn held(read: Read) -> Vec<Life> {
    let mut book = AccessBook::default();
    for (position, fact) in (0..).zip(read.messages.into_iter().flat_map(|(_, items)| items).flatten()) {
        let recorded_at = chrono::DateTime::UNIX_EPOCH;
        book.apply(&Entry {
            position,
            index: 0,
            recorded_at,
            outcome: Outcome::Accepted,
            fact,
            antecedent: None,
            incumbent: None,
        });
    }
    let access = book.view(&CommerceBook::default().view(), &domain::partners::Partners::default());
    let grants = access.grants().map(|(_, grant)| Life {
        assignment: grant.via.id().simple(),
        scope: grant.scope.as_str().to_owned(),
        facts: Some((grant.principal.simple(), grant.role.simple())),
        granted: Some(nanos(grant.held.from)),
        removed: Some(grant.held.to).filter(|to| *to != chrono::DateTime::<chrono::Utc>::MAX_UTC).map(nanos),
    });
    grants.collect()
}

fn nanos(at: chrono::DateTime<chrono::Utc>) -> i128 {
    i128::from(at.timestamp()) * 1_000_000_000 + i128::from(at.timestamp_subsec_nanos())
}

/// The naive reader must be able to disagree.
#[test]
fn the_naive_reader_sees_a_difference() {
    let line = |at, what, facts: Option<(&str, &str)>| Line {
        at,
        assignment: "a".to_owned(),
        scope: "/s".to_owned(),
        correlation: "c".to_owned(),
        operation_id: "o".to_owned(),
        what,
        facts: facts.map(|(principal, role)| (principal.to_owned(), role.to_owned())),
    };
    let history = [line(1, "asked", Some(("p", "r"))), line(2, "granted", None), line(9, "removed", None)];
    let told = lives(&history);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].granted, told[0].removed), (Some(2), Some(9)));
    assert_eq!(told[0].facts, Some(("p".to_owned(), "r".to_owned())));
    let mut other = history.clone();
    other[0].facts = Some(("q".to_owned(), "r".to_owned()));
    assert_ne!(lives(&other), told);
    let refused = [history[0].clone(), line(2, "refused", None), line(3, "granted", None)];
    assert_eq!(lives(&refused)[0].facts, None, "a refusal uses its own request up");
    assert_eq!(naive_time("1970-01-02T00:00:00.5Z"), 86_400_500_000_000);
    assert_eq!(naive_time("2000-03-01T00:00:00Z") / 1_000_000_000, 951_868_800);
}
