//! What a document carries besides its sums, and whom a refusal concerns.

use super::tests::*;
use super::*;
use crate::entry::{
    Event, PartnerKind, PartnerRegistered, PolicyDocument, PolicySetting, PriceRow, TaxSet, UsageAdjusted, UsageVoided,
};
use crate::finding::About;
use crate::ids::Guid;
use crate::period::Day;
use crate::testing::*;

const OTHER: Guid = Guid(0xb2);

/// September and October in yen, each of one hour at 1.7 dollars and one at 3.3.
fn in_yen() -> World {
    let mut world = World::new();
    for period in ["2020-09", "2020-10"] {
        world.sheet(period, vec![row("1.7")]);
        world.rate(period, "JPY", "1");
        world.uses("gap", &format!("{period}-02"), "1");
        world.uses("vm", &format!("{period}-03"), "2");
    }
    world
}

fn tax(world: &mut World) {
    let from = Day::parse("2020-01-01").unwrap();
    let (partner, location) = (BILL_TO, crate::ids::Market::parse("DK").unwrap());
    world.tell(Event::TaxSet(TaxSet { partner, location, rate: number("0.50"), from }));
    let settings = vec![PolicySetting { name: "tax".into(), value: "per-line".into() }];
    world.tell(Event::PolicyPublished(PolicyDocument { revision: 1, effective_from: from, settings }));
}

fn yen<'a>(period: &'a str, at: &'a str) -> Ask<'a> {
    Ask { unit: "JPY", ..ask(period, at) }
}

/// INV-8: a credit note is its invoice with every sign turned, day by day and line by line, with its
/// rounding and its tax, and with a digest, a place and a decision of its own.
#[test]
fn a_credit_note_turns_every_sign_of_its_invoice() {
    let mut world = in_yen();
    tax(&mut world);
    let Closed::Issue(mut events) = attempt(&world, &yen("2020-09", "2020-10-04")).unwrap() else { panic!("issued") };
    // The invoice was made by earlier rules than the credit note is.
    for event in &mut events {
        if let Event::InvoiceIssued(document) = event {
            document.rules_version = 0;
        }
    }
    let invoice = tell_all(&mut world, events).remove(0);
    let by_ben = Decision { actor: "ben".into(), reason: "wrong address".into(), at: at("2020-10-05") };
    let voided = void(&world.facts.issued, &invoice.id, 9, &by_ben, &fake_digest).unwrap();
    let note = tell_all(&mut world, voided).remove(0);
    assert!(!invoice.rounding.is_zero() && invoice.tax.is_some_and(|tax| !tax.is_zero()), "there is something to turn");
    assert_eq!((note.total, note.rounding), (-invoice.total, -invoice.rounding));
    assert_eq!(note.tax, invoice.tax.map(|tax| -tax));
    assert_eq!(note.lines.len(), invoice.lines.len());
    for (back, line) in note.lines.iter().zip(&invoice.lines) {
        assert!(line.tax.is_some() && !line.by_day.is_empty());
        let days: Vec<_> = line.by_day.iter().map(|(day, quantity)| (*day, -*quantity)).collect();
        assert_eq!((&back.by_day, back.tax), (&days, line.tax.map(|tax| -tax)));
        assert_eq!(back.days, days.iter().map(|(day, _)| *day).collect::<Vec<_>>());
        assert_eq!((back.quantity, back.charge, back.subtotal), (-line.quantity, -line.charge, -line.subtotal));
        let without = (back.charge_without_credit, back.subtotal_without_credit);
        assert_eq!(without, (-line.charge_without_credit, -line.subtotal_without_credit));
        assert!(!line.subtotal_without_credit.is_zero(), "there is something to turn");
        assert_eq!(&*back.rule, "INV-8");
    }
    assert_ne!(note.id, invoice.id, "it is found by a name of its own");
    assert_eq!(note.lines_digest, fake_digest(&canonical_lines(&note.lines)));
    assert_ne!(canonical_lines(&note.lines), canonical_lines(&invoice.lines), "the digest is of the lines");
    assert_eq!((note.position, note.decision.actor.as_ref(), note.rules_version), (9, "ben", RULES_VERSION));
}

/// INV-6: tax that is drawn only since the close comes with the adjustment, the whole of it.
#[test]
fn tax_that_comes_late_is_adjusted_like_money() {
    let mut world = in_yen();
    let invoice = issue(&mut world, &yen("2020-09", "2020-10-04")).remove(0);
    assert_eq!(invoice.tax, None);
    tax(&mut world);
    let document = issue(&mut world, &yen("2020-10", "2020-11-04")).remove(0);
    let late: Vec<_> = document.lines.iter().filter(|line| line.period == month("2020-09")).collect();
    let due: Vec<_> = document.lines.iter().filter(|line| line.period == month("2020-10")).collect();
    assert!(!late.is_empty());
    assert_eq!(
        late.iter().map(|line| line.tax).collect::<Vec<_>>(),
        due.iter().map(|line| line.tax).collect::<Vec<_>>(),
        "both months used the same"
    );
    assert!(late.iter().all(|line| line.tax.is_some_and(|tax| !tax.is_zero())));
    let of_lines: rust_decimal::Decimal = document.lines.iter().filter_map(|line| line.tax).sum();
    assert_eq!(document.tax, Some(of_lines.trunc()), "whole yen of the tax of all its lines, of both months");
    // Nothing more is due once it was adjusted.
    world.uses("vm", "2020-11-03", "2");
    world.sheet("2020-11", vec![row("1.7")]);
    world.rate("2020-11", "JPY", "1");
    let third = issue(&mut world, &yen("2020-11", "2020-12-04")).remove(0);
    assert!(third.lines.iter().all(|line| line.period == month("2020-11")), "{:?}", third.lines);
    world.uses("vm", "2020-09-21", "2");
    world.rate("2020-12", "JPY", "1");
    let more = attempt(&world, &yen("2020-12", "2021-01-04")).unwrap();
    let Closed::Issue(events) = more else { panic!("there is an adjustment") };
    let Some(Event::InvoiceIssued(more)) = events.first() else { panic!("an invoice") };
    assert_eq!(more.lines.len(), 1);
    // Two hours more at 1.7, where two had been taxed before: the tax of what is new.
    assert_eq!(more.lines[0].tax, Some(number("1.45")));
}

/// INV-7: a month whose invoice was voided and whose usage went away has nothing left to issue. It holds
/// nobody up, whatever the month that is closed has, and whatever was found out about that month.
#[test]
fn a_voided_month_with_nothing_left_holds_nobody_up() {
    let mut world = in_yen();
    let used: Vec<Identity> = ["2020-08-02", "2020-08-03"].map(|day| world.uses("vm", day, "1")).into();
    world.sheet("2020-08", vec![row("1.7")]);
    world.rate("2020-08", "JPY", "1");
    let invoice = issue(&mut world, &yen("2020-08", "2020-09-04")).remove(0);
    let by_ann = decision("2020-09-05");
    let voided = void(&world.facts.issued, &invoice.id, 9, &by_ann, &fake_digest).unwrap();
    tell_all(&mut world, voided);
    let reasons = |world: &World, findings: &[Finding]| {
        let commerce = world.facts.commerce.view();
        let desk = Desk::new(&world.facts, &commerce);
        let closed = close(&desk, &mut access, &closing("2020-09", "2020-10-04", findings));
        closed.err().map_or_else(Vec::new, |refusal| refusal.reasons)
    };
    let open = Reason::OutOfOrder { open: month("2020-08") };
    assert_eq!(reasons(&world, &[]), [open], "its usage is there to be issued again");
    for target in used {
        world.tell(Event::UsageVoided(UsageVoided { target, reason: None }));
    }
    assert_eq!(reasons(&world, &[]), [], "nothing is left of it");
    let finding = Finding::new(Code::NoPrice, About { bill_to: Some(BILL_TO), ..About::default() }, "not priced");
    let expected = [Reason::Finding(Box::new(finding.clone()))];
    assert_eq!(reasons(&world, &[finding]), expected, "of the month that is closed");
}

/// INV-6: what closing would carry can be asked beforehand, by currency, without closing.
#[test]
fn adjustments_are_shown_before_they_are_issued() {
    let mut world = in_yen();
    issue(&mut world, &yen("2020-09", "2020-10-04"));
    world.uses("vm", "2020-09-20", "10");
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let (lines, against) = adjustments(&desk, &mut access, &closing("2020-10", "2020-11-04", &[]));
    assert_eq!(against, []);
    let said: Vec<_> = lines.iter().map(|(unit, lines)| (*unit, lines[0].quantity, lines.len())).collect();
    assert_eq!(said, [(currency("JPY"), number("10"), 1)]);
}

fn closing<'a>(period: &str, at: &str, findings: &'a [Finding]) -> Closing<'a> {
    Closing {
        bill_to: BILL_TO,
        currency: currency("JPY"),
        period: month(period),
        position: 7,
        decision: decision(at),
        obstacles: &[],
        findings,
        accept_unknown_access: false,
        digest: &fake_digest,
    }
}

/// A blocking finding stops the partner and the month that it is about; one that names neither stops
/// everybody.
#[test]
fn a_finding_stops_whom_and_when_it_is_about() {
    let world = in_yen();
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let finding = |bill_to: Option<Guid>, day: Option<&str>| {
        let day = day.and_then(Day::parse);
        Finding::new(Code::NoPrice, About { bill_to, day, ..About::default() }, "not priced")
    };
    for (bill_to, day, stops) in [
        (None, None, true),
        (Some(BILL_TO), None, true),
        (Some(BILL_TO), Some("2020-09-05"), true),
        (None, Some("2020-09-05"), true),
        (Some(OTHER), Some("2020-09-05"), false),
        (Some(OTHER), None, false),
        (Some(BILL_TO), Some("2020-10-05"), false),
    ] {
        let findings = [finding(bill_to, day)];
        let closed = close(&desk, &mut access, &closing("2020-09", "2020-10-04", &findings));
        let reasons = closed.err().map_or_else(Vec::new, |refusal| refusal.reasons);
        let expected = if stops { vec![Reason::Finding(Box::new(findings[0].clone()))] } else { Vec::new() };
        assert_eq!(reasons, expected, "{bill_to:?} {day:?}");
    }
}

/// A correction that was told in two ways concerns the partner of the usage that it corrects.
#[test]
fn a_conflict_about_a_correction_concerns_the_partner_of_its_usage() {
    let told_twice = |of_other: bool| {
        let mut world = in_yen();
        world.plan(Guid(0xa2), OTHER, None, "2020-01-01");
        world.subscription(Guid(0x52), Guid(0xa2), crate::entry::Offer::AzurePlan, "2020-01-01");
        let Event::UsageRecorded(mut used) = usage("vm", "2020-09-07", "1") else { unreachable!() };
        if of_other {
            used.subscription = Guid(0x52);
            used.resource = None;
        }
        let target = world.tell(Event::UsageRecorded(used));
        for (digest, quantity) in [(1, "-0.1"), (2, "-0.2")] {
            let adjusted = UsageAdjusted { target, quantity: number(quantity), reason: None };
            world.tell_as(0x4711, digest, Event::UsageAdjusted(adjusted));
        }
        attempt(&world, &yen("2020-09", "2020-10-04"))
    };
    assert!(told_twice(true).is_ok());
    let refused = told_twice(false).unwrap_err();
    assert!(matches!(&refused.reasons[..], [Reason::Conflict(Identity(0x4711))]), "{refused:?}");
}

/// INV-7: a month without usage may have something to take back: what another month's document said of
/// it. It has to be closed before a later one.
#[test]
fn a_month_without_usage_may_have_something_to_take_back() {
    let mut world = World::new();
    for period in ["2020-09", "2020-10", "2020-11"] {
        world.sheet(period, vec![row("1.7")]);
        world.rate(period, "JPY", "1");
    }
    let mut used = vec![world.uses("vm", "2020-09-03", "2")];
    let invoice = issue(&mut world, &yen("2020-09", "2020-10-04")).remove(0);
    used.push(world.uses("vm", "2020-09-20", "10"));
    world.uses("vm", "2020-10-03", "2");
    issue(&mut world, &yen("2020-10", "2020-11-04"));
    let voided = void(&world.facts.issued, &invoice.id, 9, &decision("2020-11-05"), &fake_digest).unwrap();
    tell_all(&mut world, voided);
    for target in used {
        world.tell(Event::UsageVoided(UsageVoided { target, reason: None }));
    }
    world.uses("vm", "2020-11-03", "2");
    let refused = attempt(&world, &yen("2020-11", "2020-12-04")).unwrap_err();
    assert_eq!(refused.reasons, [Reason::OutOfOrder { open: month("2020-09") }]);
    let back = issue(&mut world, &yen("2020-09", "2020-12-04")).remove(0);
    let taken: Vec<_> = back.lines.iter().map(|line| (line.period, line.quantity)).collect();
    assert_eq!(taken, [(month("2020-09"), number("-10"))]);
    issue(&mut world, &yen("2020-11", "2020-12-05"));
}

/// Late is what comes to a month whose invoice stands; once it was voided the month is open again, and
/// its facts come in time for the next one.
#[test]
fn what_comes_to_a_voided_month_is_not_late() {
    let mut world = in_yen();
    let invoice = issue(&mut world, &yen("2020-09", "2020-10-04")).remove(0);
    let issued = |world: &World| world.facts.issued.issued_periods(BILL_TO);
    let late = world.facts.counts.late;
    world.uses("vm", "2020-09-20", "1");
    assert_eq!((world.facts.counts.late - late, issued(&world)), (1, vec![month("2020-09")]));
    let voided = void(&world.facts.issued, &invoice.id, 9, &decision("2020-10-05"), &fake_digest).unwrap();
    tell_all(&mut world, voided);
    world.uses("vm", "2020-09-21", "1");
    assert_eq!((world.facts.counts.late - late, issued(&world)), (1, vec![]));
}

/// Three months with prices and no rates yet; the partner is billed in euros, and in yen since November.
fn in_euro_until_november() -> World {
    let mut world = World::new();
    let (from, until) = (Day::parse("2021-01-01").unwrap(), Day::parse("2022-01-01").unwrap());
    bills_in(&mut world, "EUR", "2020-01-01");
    bills_in(&mut world, "JPY", "2021-11-01");
    for period in ["2021-09", "2021-10", "2021-11"] {
        world.sheet(period, vec![PriceRow { from, until, ..row("1.7") }]);
    }
    world
}

fn bills_in(world: &mut World, unit: &str, since: &str) {
    let country = crate::ids::Market::parse("US").unwrap();
    let (billing_currency, at) = (currency(unit), at(since));
    let registered = registered(BILL_TO, PartnerKind::Provider);
    world.tell(Event::PartnerRegistered(PartnerRegistered { country, billing_currency, at, ..registered }));
}

fn euro<'a>(period: &'a str, at: &'a str) -> Ask<'a> {
    Ask { unit: "EUR", ..ask(period, at) }
}

/// The same where the partner's currency has changed since: what is to be taken back is found in the
/// currency in which it was issued.
#[test]
fn what_is_to_be_taken_back_is_in_the_currency_of_its_month() {
    let mut world = in_euro_until_november();
    for period in ["2021-09", "2021-10", "2021-11"] {
        world.rate(period, "EUR", "1");
        world.rate(period, "JPY", "1");
    }
    let mut used = vec![world.uses("vm", "2021-09-03", "2")];
    let invoice = issue(&mut world, &euro("2021-09", "2021-10-04")).remove(0);
    used.push(world.uses("vm", "2021-09-20", "10"));
    issue(&mut world, &euro("2021-10", "2021-11-04"));
    let voided = void(&world.facts.issued, &invoice.id, 9, &decision("2021-11-05"), &fake_digest).unwrap();
    tell_all(&mut world, voided);
    for target in used {
        world.tell(Event::UsageVoided(UsageVoided { target, reason: None }));
    }
    world.uses("vm", "2021-11-03", "2");
    let refused = attempt(&world, &yen("2021-11", "2021-12-04")).unwrap_err();
    assert_eq!(refused.reasons, [Reason::OutOfOrder { open: month("2021-09") }]);
}

/// INV-7: whether a voided month has anything left to issue is asked in the currency that it was billed in. That
/// nobody knows its rate in the one of today holds nobody up.
#[test]
fn a_voided_month_is_asked_in_its_own_currency() {
    let mut world = in_euro_until_november();
    world.rate("2021-09", "EUR", "1");
    world.rate("2021-11", "JPY", "1");
    let target = world.uses("vm", "2021-09-03", "2");
    let invoice = issue(&mut world, &euro("2021-09", "2021-10-04")).remove(0);
    let voided = void(&world.facts.issued, &invoice.id, 9, &decision("2021-11-05"), &fake_digest).unwrap();
    tell_all(&mut world, voided);
    world.tell(Event::UsageVoided(UsageVoided { target, reason: None }));
    world.uses("vm", "2021-11-03", "2");
    assert_eq!(issue(&mut world, &yen("2021-11", "2021-12-04")).len(), 1);
}

/// INV-6: what was issued in a currency is adjusted in it, even where it comes out later that the partner was
/// billed in another one by then.
#[test]
fn an_issued_month_is_adjusted_in_the_currency_of_its_lines() {
    let mut world = in_euro_until_november();
    for period in ["2021-09", "2021-10"] {
        world.rate(period, "EUR", "1");
        world.rate(period, "JPY", "1");
    }
    world.uses("vm", "2021-09-03", "2");
    issue(&mut world, &euro("2021-09", "2021-10-04"));
    bills_in(&mut world, "JPY", "2021-08-01");
    world.uses("vm", "2021-09-20", "10");
    world.uses("vm", "2021-10-03", "1");
    let mut said: Vec<_> = issue(&mut world, &yen("2021-10", "2021-11-04"))
        .iter()
        .flat_map(|one| one.lines.iter().map(|line| (one.currency, line.period, line.quantity)))
        .collect();
    said.sort_by_key(|(_, period, _)| *period);
    let expected = [("EUR", "2021-09", "10"), ("JPY", "2021-10", "1")];
    assert_eq!(said, expected.map(|(unit, period, quantity)| (currency(unit), month(period), number(quantity))));
}

/// INV-8: what stands of a month and its currency is read from that partner's standing invoices: neither another
/// month's nor another partner's opens it again or says what it is billed in, nor one that was voided; and its
/// own comes before another month's that bills some of it.
#[test]
fn a_month_is_read_from_the_invoices_that_stand_of_it() {
    let mut world = in_euro_until_november();
    world.rate("2021-09", "EUR", "1");
    world.rate("2021-11", "JPY", "1");
    world.uses("vm", "2021-09-03", "2");
    world.uses("vm", "2021-11-03", "2");
    let first = issue(&mut world, &euro("2021-09", "2021-10-04")).remove(0);
    issue(&mut world, &yen("2021-11", "2021-12-04"));
    let (september, november) = (month("2021-09"), month("2021-11"));
    let issued = &world.facts.issued;
    assert!(!issued.is_reopened(BILL_TO, november), "nothing of it was voided");
    assert_eq!(issued.currency_of(OTHER, september), None, "another partner's");
    let elsewhere = IssuedDocument {
        id: "another month's".into(),
        currency: currency("JPY"),
        period: november,
        revision: 2,
        ..first.clone()
    };
    world.tell(Event::InvoiceIssued(elsewhere));
    assert_eq!(world.facts.issued.currency_of(BILL_TO, september), Some(currency("EUR")));
    let voided = void(&world.facts.issued, &first.id, 9, &decision("2021-12-05"), &fake_digest).unwrap();
    tell_all(&mut world, voided);
    assert_eq!(world.facts.issued.currency_of(BILL_TO, september), Some(currency("JPY")), "what stands of it");
}

/// A line names the revisions of its days where they are not the document's alone, and a document every revision
/// that decided anything in it.
#[test]
fn a_line_names_the_policies_of_its_days() {
    let mut world = in_yen();
    world.uses("vm", "2020-09-20", "1");
    world.policy(3, "2020-09-10", "nested-groups", "ignore");
    let invoice = issue(&mut world, &yen("2020-09", "2020-10-04")).remove(0);
    let before = invoice.policy_revision;
    assert_eq!(invoice.policy_revisions(), [before, 3]);
    let late = Day::parse("2020-09-20").unwrap();
    assert_eq!(invoice.lines.len(), 2);
    for line in &invoice.lines {
        let both = line.by_day.iter().any(|(day, _)| *day == late).then(|| vec![before, 3]);
        assert_eq!(line.policy_revisions, both, "{:?}", line.by_day);
    }
}
