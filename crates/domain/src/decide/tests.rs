use super::*;
use crate::entry::{Event, UsageAdjusted, UsageVoided};
use crate::testing::*;

pub(super) fn decision(at_time: &str) -> Decision {
    Decision { actor: "ann".into(), reason: "month end".into(), at: at(at_time) }
}

pub(super) fn fake_digest(bytes: &[u8]) -> Digest {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    Digest([sum; 32])
}

#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) period: &'a str,
    pub(super) unit: &'a str,
    pub(super) at: &'a str,
    pub(super) accept: bool,
    pub(super) obstacles: &'a [String],
}

pub(super) fn ask<'a>(period: &'a str, at: &'a str) -> Ask<'a> {
    Ask { period, unit: "USD", at, accept: false, obstacles: &[] }
}

pub(super) fn attempt(world: &World, ask: &Ask<'_>) -> Result<Closed, Refusal> {
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let closing = Closing {
        bill_to: BILL_TO,
        currency: currency(ask.unit),
        period: month(ask.period),
        position: 7,
        decision: decision(ask.at),
        obstacles: ask.obstacles,
        findings: &[],
        accept_unknown_access: ask.accept,
        digest: &fake_digest,
    };
    close(&desk, &mut access, &closing)
}

/// Closes and tells the world; gives the documents.
pub(super) fn issue(world: &mut World, ask: &Ask<'_>) -> Vec<IssuedDocument> {
    let Closed::Issue(events) = attempt(world, ask).unwrap() else { panic!("there is something to issue") };
    tell_all(world, events)
}

pub(super) fn tell_all(world: &mut World, events: Vec<Event>) -> Vec<IssuedDocument> {
    let mut documents = Vec::new();
    for event in events {
        if let Event::InvoiceIssued(document) | Event::CreditNoteIssued(document) = &event {
            documents.push(document.clone());
        }
        world.tell(event);
    }
    documents
}

/// Sum of issued documents = redraft, on Subtotals, month by month; and the totals' own sum.
fn assert_identity(world: &World, unit: &str, periods: &[&str]) {
    let issued = &world.facts.issued;
    for period in periods {
        let commerce = world.facts.commerce.view();
        let desk = Desk::new(&world.facts, &commerce);
        let (redraft, _) = draft(&desk, BILL_TO, currency(unit), month(period), &mut access);
        let sums = issued.sums(BILL_TO, currency(unit), month(period));
        let total: Exact = sums.values().fold(Exact::zero(), |sum, line| &sum + &line.subtotal);
        assert_eq!(total, redraft.totals().subtotal, "{period}");
        for line in &redraft.lines {
            let issued = &sums[&line.key];
            assert_eq!((&issued.quantity, &issued.charge), (&line.quantity, &line.charge), "{period}");
            let mut by_day = issued.by_day.clone();
            by_day.retain(|_, quantity| !quantity.is_zero());
            assert_eq!(by_day.into_iter().collect::<Vec<_>>(), line.by_day);
        }
    }
}

fn september() -> World {
    let mut world = World::new();
    for period in ["2020-09", "2020-10", "2020-11"] {
        world.sheet(period, vec![row("0.868")]);
    }
    world.uses("vm", "2020-09-02", "23.2");
    world.uses("gap", "2020-09-03", "5.8");
    world
}

#[test]
fn a_refusal_lists_every_reason_at_once() {
    let mut world = september();
    world.uses("vm", "2020-08-02", "1");
    world.uses("unknown", "2020-09-04", "1");
    world.tell_as(1, 1, usage("vm", "2020-09-05", "1"));
    world.tell_as(1, 2, usage("vm", "2020-09-05", "2"));
    let crate::entry::Event::UsageRecorded(mut odd) = usage("vm", "2020-09-06", "1") else { unreachable!() };
    odd.unit = "1 Day".into();
    world.tell(Event::UsageRecorded(odd));
    let obstacles = ["topic usage is 3 messages behind the broker".to_owned()];
    let refusal =
        attempt(&world, &Ask { obstacles: &obstacles, ..ask("2020-09", "2020-10-03T23:59:59Z") }).unwrap_err();
    let kinds: Vec<String> = refusal
        .reasons
        .iter()
        .map(|reason| {
            if let Reason::Finding(finding) = reason {
                return finding.code.to_string();
            }
            format!("{reason:?}").split([' ', '(']).next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds, ["NotEnded", "Conflict", "Obstacle", "OutOfOrder", "F-unit", "F-unknown-access"]);
    assert_eq!(refusal.to_string().lines().count(), 6);
}

#[test]
fn a_month_is_issued_once() {
    let mut world = september();
    let early = attempt(&world, &ask("2020-09", "2020-10-03T23:59:59Z")).unwrap_err();
    assert_eq!(early.reasons, [Reason::NotEnded { until: at("2020-10-04") }]);
    let documents = issue(&mut world, &ask("2020-09", "2020-10-04"));
    let [document] = &documents[..] else { panic!("one document") };
    assert_eq!((document.total.to_string().as_str(), document.revision), ("22.14", 1));
    assert_eq!(document.lines_digest, fake_digest(&canonical_lines(&document.lines)));
    let again = attempt(&world, &ask("2020-09", "2020-10-05"));
    assert_eq!(again, Ok(Closed::Already(vec![document.id.clone()])));
    assert_eq!(attempt(&world, &ask("2020-10", "2020-11-05")), Ok(Closed::Nothing));
    assert_identity(&world, "USD", &["2020-09"]);
}

/// After the close: more usage on a known line, a new meter price line, and one that vanishes. The
/// adjustments come with the next month and name their days; a voided month comes back whole.
#[test]
fn late_facts_become_adjustments_and_documents_add_up() {
    let mut world = september();
    let only = world.uses("removed", "2020-09-09", "100");
    let invoice = issue(&mut world, &ask("2020-09", "2020-10-04")).remove(0);
    let late = world.facts.counts.late;
    world.uses("vm", "2020-09-20", "10");
    world.tell(Event::UsageVoided(UsageVoided { target: only, reason: None }));
    world.uses("vm", "2020-10-01", "1");
    assert_eq!(world.facts.counts.late, late + 2);
    let second = issue(&mut world, &ask("2020-10", "2020-11-04")).remove(0);
    let adjusted: Vec<_> = second.lines.iter().filter(|line| line.period == month("2020-09")).collect();
    let days = |line: &IssuedLine| line.days.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(adjusted.len(), 2);
    assert_eq!((adjusted[0].quantity, days(adjusted[0])), (number("-100"), vec!["2020-09-09".to_owned()]));
    assert_eq!((adjusted[1].quantity, days(adjusted[1])), (number("10"), vec!["2020-09-20".to_owned()]));
    assert_identity(&world, "USD", &["2020-09", "2020-10"]);
    let voided = void(&world.facts.issued, &invoice.id, 9, &decision("2020-11-05"), &fake_digest).unwrap();
    let note = tell_all(&mut world, voided).remove(0);
    assert_eq!((note.total, note.amends.as_deref()), (-invoice.total, Some(&*invoice.id)));
    let again = void(&world.facts.issued, &invoice.id, 9, &decision("2020-11-05"), &fake_digest).unwrap_err();
    assert_eq!(again.reasons, [Reason::AlreadyVoided(invoice.id.clone())]);
    let reissued = issue(&mut world, &ask("2020-09", "2020-11-06")).remove(0);
    assert_eq!((reissued.revision, reissued.id == invoice.id), (2, false));
    assert_identity(&world, "USD", &["2020-09", "2020-10"]);
    let (subtotals, totals) = world.facts.issued.balance(BILL_TO, currency("USD"));
    assert_eq!(subtotals, totals, "every Subtotal of USD fits its minor unit");
}

/// A key whose every resource went over to the line with credit vanishes, and a new one appears.
#[test]
fn keys_that_vanish_and_keys_that_appear_are_adjusted_too() {
    let mut world = World::new();
    for period in ["2020-09", "2020-10"] {
        world.sheet(period, vec![row("0.868")]);
    }
    let gone = world.uses("gap", "2020-09-03", "5.8");
    issue(&mut world, &ask("2020-09", "2020-10-04"));
    world.tell(Event::UsageVoided(UsageVoided { target: gone, reason: None }));
    world.uses("vm", "2020-09-03", "5.8");
    let document = issue(&mut world, &ask("2020-10", "2020-11-04")).remove(0);
    let lines: Vec<_> = document.lines.iter().map(|line| (line.quantity, line.key.credit_rate.is_some())).collect();
    assert_eq!(lines, [(number("5.8"), true), (number("-5.8"), false)]);
    assert!(document.lines.iter().all(|line| &*line.rule == "INV-6" && line.days.len() == 1));
    assert_identity(&world, "USD", &["2020-09"]);
}

/// A price sheet republished after the close changes money on every day of the line.
#[test]
fn a_new_price_names_every_day_of_its_line() {
    let mut world = september();
    issue(&mut world, &ask("2020-09", "2020-10-04"));
    world.sheet_at("2020-09", "2020-10-05", vec![row("0.9")]);
    world.uses("vm", "2020-10-05", "1");
    let document = issue(&mut world, &ask("2020-10", "2020-11-04")).remove(0);
    let days: Vec<usize> =
        document.lines.iter().filter(|line| line.period == month("2020-09")).map(|line| line.days.len()).collect();
    assert_eq!(days, [1, 1]);
    assert_identity(&world, "USD", &["2020-09", "2020-10"]);
}

#[test]
fn adjustments_stay_in_the_currency_of_their_month() {
    let mut world = september();
    for (period, unit) in [("2020-09", "EUR"), ("2020-10", "JPY")] {
        world.rate(period, unit, "0.9");
    }
    issue(&mut world, &Ask { unit: "EUR", ..ask("2020-09", "2020-10-04") });
    world.uses("vm", "2020-09-20", "10");
    world.uses("vm", "2020-10-01", "1");
    let documents = issue(&mut world, &Ask { unit: "JPY", ..ask("2020-10", "2020-11-04") });
    let units: Vec<_> = documents.iter().map(|one| (one.currency, one.lines.len())).collect();
    assert_eq!(units, [(currency("EUR"), 1), (currency("JPY"), 1)]);
    let invoiced_in = |period: &str| world.facts.issued.currency_of(BILL_TO, month(period));
    assert_eq!(invoiced_in("2020-09"), Some(currency("EUR")));
    assert_eq!(invoiced_in("2020-10"), Some(currency("JPY")), "what it said of September does not count");
    assert_identity(&world, "EUR", &["2020-09"]);
    assert_identity(&world, "JPY", &["2020-10"]);
}

/// The yen that was cut off one month counts towards the next.
#[test]
fn the_rounding_line_carries_on() {
    let mut world = World::new();
    for period in ["2020-09", "2020-10"] {
        world.sheet(period, vec![row("1.7")]);
        world.rate(period, "JPY", "1");
        world.uses("gap", &format!("{period}-02"), "1");
    }
    let first = issue(&mut world, &Ask { unit: "JPY", ..ask("2020-09", "2020-10-04") }).remove(0);
    let second = issue(&mut world, &Ask { unit: "JPY", ..ask("2020-10", "2020-11-04") }).remove(0);
    assert_eq!((first.total, first.rounding), (number("1"), number("-0.7")));
    assert_eq!((second.total, second.rounding), (number("2"), number("0.3")));
}

#[test]
fn unknown_access_needs_a_person() {
    let mut world = september();
    world.uses("unknown", "2020-09-04", "1");
    let refused = attempt(&world, &ask("2020-09", "2020-10-04")).unwrap_err();
    assert!(matches!(&refused.reasons[..], [Reason::Finding(one)] if one.code == Code::UnknownAccess));
    let Closed::Issue(events) = attempt(&world, &Ask { accept: true, ..ask("2020-09", "2020-10-04") }).unwrap() else {
        panic!("accepted")
    };
    let accepted = |event: &Event| {
        let Event::AcceptanceRecorded(one) = event else { return None };
        one.about.clone()
    };
    assert_eq!(accepted(&events[0]).as_deref(), Some("2020-09-04"));
    tell_all(&mut world, events);
    assert_eq!(
        attempt(&world, &Ask { accept: true, ..ask("2020-09", "2020-10-04") })
            .map(|one| matches!(one, Closed::Already(_))),
        Ok(true),
        "there is nothing more to accept"
    );
    let october = ask("2020-10", "2020-11-04");
    world.uses("unknown", "2020-09-05", "1");
    world.uses("vm", "2020-10-01", "1");
    let stuck = |world: &World, accept: bool| {
        let refused = attempt(world, &Ask { accept, ..october }).unwrap_err();
        let [Reason::Issued { period, finding }] = &refused.reasons[..] else { panic!("{refused:?}") };
        assert_eq!((*period, finding.code), (month("2020-09"), Code::UnknownAccess));
        let said = refused.to_string();
        let mends = "pec close --period 2020-09 --reason WHY --accept unknown-access";
        assert!(said.starts_with("2020-09, which is issued: ") && said.contains(mends), "{said}");
    };
    // What became unknown in a month that is issued is decided there, not with the month that is open.
    stuck(&world, false);
    stuck(&world, true);
    let again = attempt(&world, &Ask { accept: true, ..ask("2020-09", "2020-11-04") }).unwrap();
    let Closed::Accepted(documents, acceptance) = again else { panic!("{again:?}") };
    assert_eq!((documents.len(), acceptance.about.as_deref()), (1, Some("2020-09-05")));
    world.tell(Event::AcceptanceRecorded(acceptance));
    let documents = issue(&mut world, &october);
    let lines: Vec<_> = documents[0].lines.iter().map(|line| (line.period, line.quantity)).collect();
    assert!(lines.contains(&(month("2020-09"), number("1"))), "it is charged as lost: {lines:?}");
    world.uses("unknown", "2020-09-07", "1");
    world.uses("vm", "2020-11-01", "1");
    let later = attempt(&world, &ask("2020-11", "2020-12-04")).unwrap_err();
    assert!(matches!(&later.reasons[..], [Reason::Issued { .. }]), "another day waits for another decision");
    let again = attempt(&world, &Ask { accept: true, ..ask("2020-09", "2020-12-04") }).unwrap();
    let Closed::Accepted(_, acceptance) = again else { panic!("{again:?}") };
    world.tell(Event::AcceptanceRecorded(acceptance));
    issue(&mut world, &ask("2020-11", "2020-12-04"));
    world.tell(Event::UsageAdjusted(UsageAdjusted { target: Identity(99), quantity: number("1"), reason: None }));
    assert_identity(&world, "USD", &["2020-09", "2020-10"]);
}
