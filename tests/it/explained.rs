//! What `pec explain` shows of places and of money: moves, deletions and the tree behind a verdict, the entries
//! behind every kind of line, and that each printed equation holds to its last digit.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::{must_fit, schema};
use crate::oracle::number::Ratio;
use crate::shown::World;
use crate::source;

fn world(journal: &str, more: &str) -> World {
    let head = "title = \"asked\"\nrules = [\"PEC-1\"]\nshows = [\"PEC-1 passes\"]\nperiod = \"2025-03\"\n";
    World::told(&format!("{head}{more}\njournal = \"\"\"\n{journal}\"\"\"\n"))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} of {value}"))
}

/// What the entries of one kind behind an answer say.
fn says<'v>(answer: &'v Value, kind: &str) -> Vec<&'v str> {
    let events = list(answer, "events").iter().filter(|event| event["kind"] == kind);
    events.map(|event| text(event, "says")).collect()
}

fn day(world: &World, what: &str, day: &str) -> Value {
    let answer = world.ask(&["explain", what, "--day", day]).remove(0);
    must_fit(&schema("explain"), &answer);
    answer
}

/// What a verdict says of where the resource was: what, the end of the place, from, to, rules.
fn whereabouts(answer: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let place = text(row, "place").rsplit('/').next().unwrap();
        let (from, to) = (text(&row["when"], "from"), text(&row["when"], "to"));
        let rules: Vec<&str> = list(row, "rules").iter().map(|rule| rule.as_str().unwrap()).collect();
        let minute = |at: &str| if at.starts_with('2') { at[..16].to_owned() } else { "ever".to_owned() };
        format!("{} {place} {} to {} {}", text(row, "what"), minute(from), minute(to), rules.join(" "))
    };
    list(&answer["access"][0], "whereabouts").iter().map(row).collect()
}

/// A day that is lost only because the resource moved cites the move and says where it lived when.
#[test]
fn a_day_that_a_move_decided_names_it() {
    let journal = "\
2025-01-01            link   us/anna          us
2025-01-01            grant  sub-a/rg-x       Owner  us/anna
2025-03-05T10:00:00Z  move   sub-a/rg-x/vm-c  sub-a/rg-y/vm-c
2025-03-05            usage  sub-a/rg-x/vm-c  vm     10
2025-03-06            usage  sub-a/rg-x/vm-c  vm     10
";
    let world = world(journal, "");
    let answer = day(&world, "rg-x/vm-c", "2025-03-05");
    assert_eq!(answer["access"][0]["reason"], "early-end");
    assert_eq!(says(&answer, "moved in Azure").len(), 1, "{answer}");
    let lived = [
        "lived vm-c 2025-03-05T00:00 to 2025-03-05T10:00 ACC-14 PEC-16",
        "lived vm-c 2025-03-05T10:00 to 2025-03-06T00:00 ACC-14 PEC-16",
    ];
    assert_eq!(whereabouts(&answer), lived);
    assert_eq!(answer["access"][0]["tested_rules"], json!(["PEC-10"]), "a move ends no tested part");
    let said = world.say(&["explain", "rg-x/vm-c", "--day", "2025-03-05"]);
    assert!(said.contains("PEC-16") && said.contains("rg-y/vm-c"), "{said}");
    let after = day(&world, "rg-x/vm-c", "2025-03-06");
    assert_eq!((whereabouts(&after).len(), says(&after, "moved in Azure").len()), (0, 0), "an id speaks for itself");
}

/// A subscription that left its management group: both changes of the tree are behind the lost days, also behind
/// those after it.
#[test]
fn a_day_that_the_tree_decided_names_its_changes() {
    let journal = "\
2025-01-01            below  sub-a       mg-x
2025-01-01            below  mg-x        mg-all
2025-01-02            grant  mg-all      Owner  us
2025-03-03T12:00:00Z  below  sub-a       none
2025-03-02            usage  sub-a/vm-a  vm     10
2025-03-03            usage  sub-a/vm-a  vm     10
2025-03-04            usage  sub-a/vm-a  vm     10
";
    let world = world(journal, "");
    for (on, reason, cited) in
        [("2025-03-02", json!(null), 2), ("2025-03-03", json!("early-end"), 3), ("2025-03-04", json!("removed"), 3)]
    {
        let answer = day(&world, "vm-a", on);
        assert_eq!(answer["access"][0]["reason"], reason);
        assert_eq!(says(&answer, "management-group tree changed").len(), cited, "{answer}");
        assert_eq!(whereabouts(&answer), ["below mg-all 2025-01-01T00:00 to 2025-03-03T12:00 ACC-15"]);
    }
}

/// A deletion ends the tested part: it is cited, and PEC-15 stands beside PEC-10.
#[test]
fn a_tested_part_that_a_deletion_ended_says_so() {
    let journal = "\
2025-01-01            grant   sub-a       Owner  us
2025-03-03T15:00:00Z  delete  sub-a/vm-a
2025-03-03T18:00:00Z  revoke  sub-a       Owner  us
2025-03-03            usage   sub-a/vm-a  vm     10
2025-03-03            usage   sub-a/vm-b  vm     10
";
    let world = world(journal, "");
    let answer = day(&world, "vm-a", "2025-03-03");
    assert_eq!(answer["access"][0]["outcome"], "earned");
    assert_eq!(answer["access"][0]["tested_rules"], json!(["PEC-10", "PEC-15"]));
    assert_eq!(whereabouts(&answer), ["gone vm-a 2025-03-03T15:00 to ever ACC-13 PEC-15"]);
    assert_eq!(says(&answer, "deleted in Azure").len(), 1);
    let said = world.say(&["explain", "vm-a", "--day", "2025-03-03"]);
    assert!(said.contains("tested   00:00–15:00 (PEC-10, PEC-15)"), "{said}");
    assert!(said.contains("since 2025-03-03 15:00"), "{said}");
    let beside = day(&world, "vm-b", "2025-03-03");
    assert_eq!(beside["access"][0]["tested_rules"], json!(["PEC-10"]));
    assert_eq!(says(&beside, "deleted in Azure").len(), 0, "what was deleted beside it does not matter");
}

/// What ends the tested part of usage under an old id is the deletion at the place to which the resource had moved,
/// not one of the place that it had left.
#[test]
fn a_deletion_at_the_new_place_of_a_moved_resource_is_cited() {
    let journal = "\
2025-01-01            grant   sub-a            Owner  us
2025-03-03T08:00:00Z  move    sub-a/rg-x/vm-a  sub-a/rg-y/vm-b
2025-03-03T12:00:00Z  delete  sub-a/rg-x
2025-03-03T15:00:00Z  delete  sub-a/rg-y
2025-03-03T18:00:00Z  revoke  sub-a            Owner  us
2025-03-03            usage   sub-a/rg-x/vm-a  vm     10
";
    let world = world(journal, "");
    let answer = day(&world, "rg-x/vm-a", "2025-03-03");
    assert_eq!(answer["access"][0]["outcome"], "earned", "{answer}");
    assert_eq!(answer["access"][0]["tested_rules"], json!(["PEC-10", "PEC-15"]));
    let rows = [
        "lived vm-a 2025-03-03T00:00 to 2025-03-03T08:00 ACC-14 PEC-16",
        "lived vm-b 2025-03-03T08:00 to 2025-03-04T00:00 ACC-14 PEC-16",
        "gone rg-y 2025-03-03T15:00 to ever ACC-13 PEC-15",
    ];
    assert_eq!(whereabouts(&answer), rows);
    let deletions = says(&answer, "deleted in Azure");
    assert!(deletions.len() == 1 && deletions[0].contains("rg-y"), "{deletions:?}");
    assert_eq!(says(&answer, "moved in Azure").len(), 1);
}

/// Of creations and deletions those are cited that say something of the day and the resource: not one of another
/// day, nor one beside it.
#[test]
fn creations_and_deletions_of_other_days_and_places_are_not_cited() {
    let journal = "\
2025-01-01            grant   sub-a            Owner  us
2025-03-03T09:00:00Z  create  sub-a/rg-x/vm-a
2025-03-03T10:00:00Z  create  sub-a/rg-x/vm-b
2025-03-03            usage   sub-a/rg-x/vm-a  vm     10
2025-03-04T12:00:00Z  delete  sub-a/rg-x
2025-03-05            usage   sub-a/rg-x/vm-c  vm     10
2025-03-05T12:00:00Z  delete  sub-a/rg-x
2025-03-06            delete  sub-a/rg-x
2025-03-07T12:00:00Z  delete  sub-a/rg-x
";
    let world = world(journal, "");
    let created = day(&world, "vm-a", "2025-03-03");
    assert_eq!(whereabouts(&created), ["created vm-a 2025-03-03T09:00 to ever PEC-15"]);
    let made = says(&created, "created in Azure");
    assert!(made.len() == 1 && made[0].contains("vm-a"), "{made:?}");
    assert_eq!(says(&created, "deleted in Azure").len(), 0, "that was later");
    let deleted = day(&world, "vm-c", "2025-03-05");
    let ended: Vec<&str> = says(&deleted, "deleted in Azure");
    assert!(ended.iter().all(|said| said.contains("2025-03-05")) && ended.len() == 1, "{ended:?}");
}

/// What showed that a deleted group was there again ends its absence, and is cited: a role that was given on it, or a
/// resource that was moved into it; what happened elsewhere at that time is not.
#[test]
fn what_showed_that_a_group_was_there_again_is_cited() {
    let journal = "\
2025-01-01            grant   sub-a            Owner   us
2025-03-03T06:00:00Z  delete  sub-a/rg-x
2025-03-03T12:00:00Z  grant   sub-a/rg-x/vm-a  Reader  acme/carl
2025-03-03T12:00:00Z  grant   sub-a/rg-z       Reader  acme/carl
2025-03-03            usage   sub-a/rg-x/vm-a  vm      10
2025-03-04T06:00:00Z  delete  sub-a/rg-y
2025-03-04T12:00:00Z  move    sub-a/rg-z/vm-c  sub-a/rg-y/vm-c
2025-03-04            usage   sub-a/rg-y/vm-d  vm      10
";
    let world = world(journal, "");
    let granted = day(&world, "vm-a", "2025-03-03");
    assert_eq!(whereabouts(&granted), ["gone rg-x 2025-03-03T06:00 to 2025-03-03T12:00 ACC-13 PEC-15"]);
    let shown = says(&granted, "assignment created").into_iter();
    let shown: Vec<&str> = shown.filter(|said| said.contains("Reader")).collect();
    assert!(shown.len() == 1 && shown[0].contains("vm-a"), "{granted}");
    let moved = day(&world, "vm-d", "2025-03-04");
    assert_eq!(whereabouts(&moved), ["gone rg-y 2025-03-04T06:00 to 2025-03-04T12:00 ACC-13 PEC-15"]);
    assert_eq!((says(&moved, "deleted in Azure").len(), says(&moved, "moved in Azure").len()), (1, 1), "{moved}");
}

/// Azure asks for a move in one record and does it in another: both are behind the day, and no other move is.
#[test]
fn both_records_of_a_move_are_cited() {
    let journal = "\
2025-01-01            grant        sub-a            Owner       us
2025-03-03T07:00:00Z  azure-asks   sub-a/rg-x/vm-a  sub-a/rg-y  of=one
2025-03-03T07:30:00Z  azure-asks   sub-a/rg-z/vm-b  sub-a/rg-y  of=two
2025-03-03T08:00:00Z  azure-moves  sub-a/rg-x       of=one
2025-03-03T08:30:00Z  azure-moves  sub-a/rg-z       of=two
2025-03-03            usage        sub-a/rg-x/vm-a  vm          10
";
    let answer = day(&world(journal, ""), "rg-x/vm-a", "2025-03-03");
    let rows = [
        "lived vm-a 2025-03-03T00:00 to 2025-03-03T08:00 ACC-14 PEC-16",
        "lived vm-a 2025-03-03T08:00 to 2025-03-04T00:00 ACC-14 PEC-16",
    ];
    assert_eq!(whereabouts(&answer), rows);
    let kinds: Vec<&str> = list(&answer, "events").iter().map(|event| text(event, "kind")).collect();
    assert_eq!(kinds.iter().filter(|kind| kind.contains("move")).count(), 2, "{answer}");
}

/// A group that was deleted and created again on one day: both are behind the day, and so is a creation that
/// does not shorten what is tested.
#[test]
fn deletions_and_creations_of_containers_are_cited() {
    let journal = "\
2025-01-01            grant   sub-a            Owner  us
2025-03-03T06:00:00Z  delete  sub-a/rg-x
2025-03-03T12:00:00Z  create  sub-a/rg-x/vm-a
2025-03-03            usage   sub-a/rg-x/vm-a  vm     10
";
    let answer = day(&world(journal, ""), "vm-a", "2025-03-03");
    assert_eq!((says(&answer, "deleted in Azure").len(), says(&answer, "created in Azure").len()), (1, 1));
    let rows = [
        "created vm-a 2025-03-03T12:00 to ever PEC-15",
        "gone rg-x 2025-03-03T06:00 to 2025-03-03T12:00 ACC-13 PEC-15",
    ];
    assert_eq!(whereabouts(&answer), rows);
}

/// A deny assignment that makes a gap beside another reason, the membership by which it reaches somebody, and the
/// link that somebody no longer has are behind the verdict.
#[test]
fn deny_assignments_memberships_and_ended_links_are_cited() {
    let journal = "\
2025-01-01            link        us/anna     us
2025-01-01            add-member  acme/ops    us/anna
2025-01-01            grant       sub-a       Owner  us/anna
2025-03-02            deny        sub-a       *      acme/ops
2025-03-02T12:00:00Z  undeny      sub-a       *      acme/ops
2025-03-05            unlink      us/anna     us
2025-03-02            usage       sub-a/vm-a  vm     10
2025-03-06            usage       sub-a/vm-a  vm     10
";
    let world = world(journal, "");
    let denied = day(&world, "vm-a", "2025-03-02");
    assert_eq!(denied["access"][0]["reason"], "denied");
    for kind in ["deny assignment created", "deny assignment deleted", "group membership added"] {
        assert_eq!(says(&denied, kind).len(), 1, "{kind}: {denied}");
    }
    let unlinked = day(&world, "vm-a", "2025-03-06");
    assert_eq!(unlinked["access"][0]["reason"], "pal-missing");
    assert_eq!((says(&unlinked, "PAL linked").len(), says(&unlinked, "PAL unlinked").len()), (1, 1), "{unlinked}");
    assert_eq!(says(&unlinked, "deny assignment created").len(), 0, "it was over by then");
}

const BESIDE: &str = "\
2024-01-01            grant   sub-a       Owner        us
2025-01-01            tax     us          0.19
2025-03-01            policy  tax         per-line
2025-03-01            buy     ro-1        reservation  1200.00  term=P1Y
2025-03-19            return  ro-1        reservation
2025-03-02            buy     ro-2        reservation  31  monthly  term=P1Y  quantity=2
2025-03-03            refund  goodwill    5            reason=Outage
2025-03-01            credit  offer-1     1.469        until=2025-04-01
2025-03-10            usage   sub-a/vm-1  logs         10
2025-03-11            usage   sub-a/vm-2  vm           5
2025-03-11            covers  sub-a/vm-2  vm           3  reservation  order=ro-2
";

/// The lines of the month, each with what `pec explain` says of it.
fn lines(world: &World) -> Vec<(Value, Value)> {
    let answer = world.ask(&["invoice", "--partner", "us", "--period", "2025-03"]).remove(0);
    let lines = list(&answer["invoices"][0], "lines").to_vec();
    let explained = |line: Value| {
        let explained = world.ask(&["explain", text(&line, "line"), "--period", "2025-03"]).remove(0);
        must_fit(&schema("explain"), &explained);
        (line, explained)
    };
    lines.into_iter().map(explained).collect()
}

fn steps<'v>(explained: &'v Value, what: &str) -> Vec<(&'v str, &'v str, &'v str)> {
    let steps = list(explained, "arithmetic").iter().filter(|step| step["what"] == what);
    steps.map(|step| (text(step, "rule"), text(step, "how"), text(step, "result"))).collect()
}

/// Each line cites what made it, and shows its own arithmetic under its own rule.
#[test]
fn a_line_names_the_event_that_made_it_and_its_own_arithmetic() {
    let world = world(BESIDE, "");
    let lines = lines(&world);
    let of = |rule: &str| -> Vec<&Value> {
        lines.iter().filter(|(line, _)| line["rule"] == rule).map(|(_, explained)| explained).collect()
    };
    for (_, explained) in &lines {
        assert_eq!(says(explained, "tax set").len(), 1, "{explained}");
    }
    let returned = of("INV-11")[0];
    assert_eq!(says(returned, "charge recorded").len(), 2, "the purchase and the return: {returned}");
    let whole = "−(1 × 1200.00 USD × 347 days left ÷ 365 days × (1 − 0.12)) cut to 2 decimals";
    assert_eq!(steps(returned, "returned"), [("INV-11", whole, "-1003.92 USD")]);
    let bought: Vec<_> = of("INV-9").into_iter().flat_map(|line| steps(line, "bought")).collect();
    assert!(bought.contains(&("INV-9", "2 × 31.00 USD cut to 2 decimals", "62.00 USD")), "{bought:?}");
    let refunded = lines.iter().map(|(_, line)| line).find(|line| text(line, "product") == "Refund").unwrap();
    assert_eq!(says(refunded, "refund granted").len(), 1, "{refunded}");
    assert_eq!(steps(refunded, "refunded"), [("INV-13", "−(1 × 5.00 USD) cut to 2 decimals", "-5.00 USD")]);
    for line in of("RATE-11").into_iter().chain(of("INV-13").into_iter().filter(|line| *line != refunded)) {
        assert_eq!(says(line, "Azure credit granted").len(), 1, "{line}");
        assert_eq!(list(line, "parts").len(), 1, "{line}");
    }
    let paid = steps(of("RATE-11")[0], "paid by the credit");
    let split = "on 2025-03-10: 0.491304347826086 × 2.99 USD + 0.00000000000000286 USD";
    assert_eq!(paid, [("RATE-11", split, "1.469 USD")]);
    let beside = |kind: &str| of("INV-1").iter().map(|line| says(line, kind).len()).sum::<usize>();
    assert_eq!((beside("Azure credit granted"), beside("coverage recorded")), (1, 1), "what left them the rest");
    let covered = of("RATE-10")[0];
    assert_eq!(says(covered, "coverage recorded").len(), 1, "{covered}");
}

/// The day view cites credit and cover too, and says that covered units cost nothing.
#[test]
fn a_day_names_the_credit_and_the_cover_in_it() {
    let world = world(BESIDE, "");
    let credited = day(&world, "vm-1", "2025-03-10");
    assert_eq!(says(&credited, "Azure credit granted").len(), 1, "{credited}");
    let covered = day(&world, "vm-2", "2025-03-11");
    assert_eq!(says(&covered, "coverage recorded").len(), 1, "{covered}");
    let charges = list(&covered, "charges");
    let free: Vec<_> = charges.iter().flat_map(|charge| steps(charge, "list charge")).collect();
    assert!(free.iter().any(|(rule, how, result)| {
        *rule == "RATE-10" && how.ends_with("covered by a reservation, nothing is charged") && *result == "0.00 USD"
    }));
}

/// Every equation that is printed for the lines and days of the scenarios about money holds to its last digit.
#[test]
fn every_printed_equation_is_true() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let folders = ["tests/scenarios/rating", "tests/scenarios/invoice", "tests/scenarios/policy"];
    let files = folders.iter().flat_map(|folder| source::files(folder, &[".toml"]));
    let texts: Vec<String> = files.map(|file| file.text).collect();
    let mut worlds: Vec<(World, String)> = texts.iter().map(|text| World::with_month(text)).collect();
    worlds.push((world(BESIDE, ""), "2025-03".to_owned()));
    for (world, month) in &worlds {
        let days = world.ask(&["eligibility", "--period", month]);
        let rows = days.iter().filter(|row| row["schema"] == "pec.eligibility.v1");
        let places: BTreeSet<(&str, &str)> = rows.map(|row| (text(row, "resource"), text(row, "day"))).collect();
        for (resource, on) in places {
            let answer = day(world, resource, on);
            for charge in list(&answer, "charges") {
                seen.extend(checked(charge));
            }
        }
        for answer in world.ask(&["invoice", "--period", month]) {
            let drafts = answer["invoices"].as_array().into_iter().flatten();
            for line in drafts.flat_map(|draft| list(draft, "lines")) {
                let explained = world.ask(&["explain", text(line, "line"), "--period", month]).remove(0);
                must_fit(&schema("explain"), &explained);
                seen.extend(checked(&explained));
            }
        }
    }
    for what in ["bought", "instalment", "returned", "refunded", "list charge", "with credit", "charge", "subtotal"] {
        assert!(seen.contains(what), "no {what} among {seen:?}");
    }
}

/// Compares every step that is an equation; answers what they are about.
fn checked(explained: &Value) -> Vec<String> {
    let mut about = Vec::new();
    for step in list(explained, "arithmetic") {
        let (how, result) = (text(step, "how"), text(step, "result"));
        if let Some(value) = value_of(how) {
            let printed = Ratio::of(result.split(' ').next().unwrap());
            assert!(value == printed, "{how} = {result} is false: it is {}", value.text());
            about.push(text(step, "what").to_owned());
        }
    }
    about
}

/// What the words of an equation come to; `None` for a step that is told in words alone.
fn value_of(how: &str) -> Option<Ratio> {
    let how = how.strip_prefix("on ").and_then(|rest| rest.split_once(": ")).map_or(how, |(_, rest)| rest);
    if how.contains("nothing is charged")
        || !how.starts_with(|first: char| first.is_ascii_digit() || "(−".contains(first))
    {
        return None;
    }
    // `3 × 10 Hours at 0.37 USD`: the price is one of ten hours.
    let priced = how.split_once(" at ").filter(|(before, _)| !before.contains("rounded"));
    let plain = priced
        .map_or_else(|| how.to_owned(), |(before, price)| format!("{} × {price}", before.split_once(" × ").unwrap().0));
    let marks = ["(", ")", "−", ",", "×", "÷", "+"];
    let apart = marks.iter().fold(plain, |text, mark| text.replace(mark, &format!(" {mark} ")));
    let unit = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let silent = |word: &&str| !(unit(word) || [",", "per", "days", "left", "instalments"].contains(word));
    let words: Vec<&str> = apart.split_whitespace().filter(silent).collect();
    let mut reader = Reader { words: &words, at: 0 };
    let value = reader.whole();
    assert_eq!(reader.at, words.len(), "{how} is read only in part: {words:?}");
    Some(value)
}

struct Reader<'w> {
    words: &'w [&'w str],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.words.get(self.at).copied().unwrap_or_default()
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        self.at += usize::from(found);
        found
    }

    /// A sum and how it is rounded.
    fn whole(&mut self) -> Ratio {
        let mut value = self.product();
        loop {
            if self.takes("+") {
                value = value.plus(&self.product());
            } else if self.takes("−") {
                value = value.minus(&self.product());
            } else {
                return self.rounded(value);
            }
        }
    }

    fn product(&mut self) -> Ratio {
        let mut value = self.factor();
        loop {
            if self.takes("×") {
                value = value.times(&self.factor());
            } else if self.takes("÷") {
                value = value.over(&self.factor());
            } else {
                return value;
            }
        }
    }

    fn factor(&mut self) -> Ratio {
        if self.takes("−") {
            return Ratio::zero().minus(&self.factor());
        }
        if self.takes("(") {
            let value = self.whole();
            assert!(self.takes(")"), "{:?}", self.words);
            return value;
        }
        let number = self.peek().to_owned();
        self.at += 1;
        Ratio::of(&number)
    }

    fn rounded(&mut self, value: Ratio) -> Ratio {
        let from = self.at;
        while !["", ")", "decimals"].contains(&self.peek()) {
            self.at += 1;
        }
        let how: Vec<String> = self.words[from..self.at].iter().map(|word| (*word).to_owned()).collect();
        if !self.takes("decimals") {
            assert!(how.is_empty(), "{how:?}");
            return value;
        }
        let decimals: u32 = how.last().unwrap().parse().unwrap();
        let step = Ratio::whole(1).over(&(0..decimals).fold(Ratio::whole(1), |ten, _| ten.times(&Ratio::whole(10))));
        let (cut, half) = (value.cut(decimals), step.over(&Ratio::whole(2)));
        let sign = if value < Ratio::zero() { Ratio::whole(-1) } else { Ratio::whole(1) };
        match how[..how.len() - 1].join(" ").as_str() {
            "cut to" => cut,
            "rounded half-even to" => value.nearest_even(decimals),
            "rounded half-up to" => value.plus(&half.times(&sign)).cut(decimals),
            "rounded up at" | "rounded away from zero at" | "rounded away from zero to" if cut != value => {
                cut.plus(&step.times(&sign))
            }
            "rounded up at" | "rounded away from zero at" | "rounded away from zero to" => cut,
            other => panic!("{other}"),
        }
    }
}

/// The control: the equations that were printed once are seen to be false.
#[test]
fn a_false_equation_is_told_apart() {
    let is = |how: &str| value_of(how).unwrap();
    assert_ne!(is("1 × 1200.00 USD"), Ratio::of("-1006.81"));
    assert_ne!(is("0.491304347826086 × 2.99 USD"), Ratio::of("1.469"));
    assert_ne!(is("3.3 × 1 Hour at 0.37 USD"), Ratio::zero());
    assert_eq!(is("−(2 × (1.005 USD rounded half-up to 2 decimals)) cut to 2 decimals"), Ratio::of("-2.02"));
    assert_eq!(is("1 ÷ 8 USD per EUR, rounded half-even to 2 decimals"), Ratio::of("0.12"));
    assert_eq!(value_of("used on one day"), None);
}

/// A line that stands in an issued invoice and in no draft is explained from the documents.
#[test]
fn an_issued_line_that_vanished_is_explained_from_its_documents() {
    let journal = "\
2024-01-01            grant   sub-a       Owner  us
2025-03-10            usage   sub-a/vm-1  vm     10
2025-04-05            close   us          2025-03
2025-03-10T12:00:00Z  revoke  sub-a       Owner  us  recorded=2025-04-20
2025-04-02            usage   sub-a/vm-1  vm     2
";
    let open = world(journal, "");
    let status = open.ask(&["status"]).remove(0);
    let document = open.ask(&["explain", status["issued"][0].as_str().unwrap()]).remove(0);
    let name = text(&document["lines"][0], "line").to_owned();
    let explain = |world: &World| {
        let answer = world.ask(&["explain", &name]).remove(0);
        must_fit(&schema("explain"), &answer);
        assert_eq!(answer["about"], "issued-line");
        answer
    };
    let issued = explain(&open);
    assert_eq!((list(&issued, "documents").len(), issued["stands"][0]["subtotal"].as_str()), (1, Some("8.50 USD")));
    assert_eq!(issued["next"][0]["subtotal"], "-8.50 USD");
    let said = open.say(&["explain", &name]);
    assert!(said.contains("The next close takes back what stands of it") && said.contains("8.50 USD"), "{said}");

    let closed = open.ask(&["close", "--partner", "us", "--period", "2025-04", "--reason", "month end"]).remove(0);
    assert_eq!(closed["outcome"], "issued", "{closed}");
    let back = explain(&open);
    assert_eq!((list(&back, "documents").len(), back["stands"][0]["subtotal"].as_str()), (2, Some("0.00 USD")));
    assert!(text(&back, "meaning").ends_with("All of it was taken back."), "{back}");
    assert!(list(&back, "next").is_empty());
    assert_eq!(says(&back, "invoice issued").len(), 1, "the close that took it back: {back}");
}

/// Small words: one day is no sum, a total in yen has no decimals, a refund is called so.
#[test]
fn totals_days_and_refunds_read_well() {
    let journal = "\
2025-03-10  usage   sub-a/vm-1  vm  33
2025-03-12  refund  goodwill    1   reason=Outage
2025-04-05  close   us          2025-03
";
    let world = world(journal, "currency = \"JPY\"\nusd_per_unit = { JPY = \"0.00667\" }\n");
    let answer = world.ask(&["invoice", "--partner", "us", "--period", "2025-03"]).remove(0);
    assert_eq!(answer["invoices"][0]["total"], "4797 JPY");
    let said = world.say(&["invoice", "--partner", "us", "--period", "2025-03"]);
    assert!(said.contains("4,797 JPY") && !said.contains("4,797.00"), "{said}");
    let id = world.ask(&["status"])[0]["issued"][0].as_str().unwrap().to_owned();
    let document = world.ask(&["explain", &id]).remove(0);
    must_fit(&schema("explain"), &document);
    assert_eq!(document["total"], "4797 JPY");
    let said = world.say(&["explain", &id]);
    assert!(said.contains("4797 JPY") && said.contains("refund") && !said.contains(" / "), "{said}");
    let used = lines(&world).into_iter().find(|(line, _)| line["rule"] == "INV-1").unwrap().1;
    assert_eq!(steps(&used, "quantity")[0].1, "used on one day");
}
