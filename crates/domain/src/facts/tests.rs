//! What holds of every book alike: a person decides which of two bodies counts, and what was issued
//! says what is late.

use crate::entry::*;
use crate::facts::{Counts, Facts};
use crate::ids::{Digest, Guid, Identity};
use crate::issued::{Concern, concern, effective_at};
use crate::period::Day;
use crate::projection::Projection as _;
use crate::testing::*;

fn decision() -> Decision {
    Decision { actor: "ann".into(), reason: "asked upstream".into(), at: at("2020-11-01") }
}

/// Tells two bodies of one event and decides for the second.
fn decided(one: Event, other: Event) -> World {
    let mut world = World::new();
    let identity = Identity(0x4711);
    world.tell_as(identity.0, 1, one);
    world.tell_as(identity.0, 2, other);
    assert_eq!(world.facts.conflicts.open().count(), 1, "it is open until somebody decides");
    let known = vec![Digest([1; 32]), Digest([2; 32])];
    assert_eq!(world.facts.conflicts.digests(identity), known, "what a decision has to know");
    assert_eq!(world.facts.conflicts.digests(Identity(0x4712)), []);
    world.tell(Event::ConflictDecided(ConflictDecided {
        identity,
        keep: Digest([2; 32]),
        known,
        decision: decision(),
    }));
    assert_eq!(world.facts.conflicts.open().count(), 0);
    world
}

/// Of two bodies of one event the one that a person decided for counts, whatever the event is about,
/// and not the one that came first.
#[test]
fn a_decided_conflict_counts_in_every_book() {
    const NEW: Guid = Guid(0xa9);
    let plan = |reseller: &str| {
        let (customer, bill_to) = (CUSTOMER, BILL_TO);
        Event::PlanCreated(PlanCreated {
            plan: NEW,
            customer,
            bill_to,
            reseller: Some(reseller.into()),
            at: at("2020-02-01"),
        })
    };
    let world = decided(plan("111111"), plan("222222"));
    assert_eq!(world.facts.commerce.view().reseller_at(NEW, at("2020-03-01")), Some("222222"));

    let tax = |rate: &str| {
        let (partner, location) = (BILL_TO, crate::ids::Market::parse("DK").unwrap());
        Event::TaxSet(TaxSet { partner, location, rate: number(rate), from: Day::parse("2020-01-01").unwrap() })
    };
    let world = decided(tax("0.10"), tax("0.25"));
    assert_eq!(
        world.facts.charges.tax_at(BILL_TO, Day::parse("2020-09-01").unwrap()).map(|set| set.rate),
        Some(number("0.25"))
    );

    let policy = |rate: &str| {
        let settings = vec![PolicySetting { name: "credit-rate".into(), value: rate.into() }];
        let effective_from = Day::parse("2020-01-01").unwrap();
        Event::PolicyPublished(PolicyDocument { revision: 7, effective_from, settings })
    };
    let roles = |eligible: bool| {
        let roles = vec![ListedRole { role: crate::roles::READER, name: "Reader".into(), eligible }];
        Event::RolesPublished(RoleList { effective_from: Day::parse("2020-01-01").unwrap(), roles })
    };
    let (world, day) = (decided(roles(false), roles(true)), Day::parse("2020-09-01").unwrap());
    assert_eq!(world.facts.roles.view().listed(crate::roles::READER, day), Some(true));

    let world = decided(policy("0.10"), policy("0.12"));
    assert_eq!(world.facts.policy.at(Day::parse("2020-09-01").unwrap()).credit_rate, number("0.12"));

    let accepted = |period: &str| {
        let (bill_to, period) = (Some(BILL_TO), Some(month(period)));
        let what = "unknown-access".into();
        Event::AcceptanceRecorded(Acceptance { what, about: None, bill_to, period, decision: decision() })
    };
    let world = decided(accepted("2020-08"), accepted("2020-09"));
    let issued = &world.facts.issued;
    let days = ["2020-08-31", "2020-09-01"].map(|one| Day::parse(one).unwrap());
    let months = days.map(|one| issued.accepts_unknown_access(BILL_TO, one));
    assert_eq!(months, [false, true]);
}

/// One event is told as two different things: that a tax was set, and that a membership ended. Only one
/// of them happened, until somebody decides the one with the smallest digest.
#[test]
fn of_an_event_told_as_two_kinds_one_counts() {
    let day = Day::parse("2020-01-01").unwrap();
    let tax = || {
        let (partner, location) = (BILL_TO, crate::ids::Market::parse("DK").unwrap());
        Event::TaxSet(TaxSet { partner, location, rate: number("0.25"), from: day })
    };
    let ended = || Event::MembershipEnded(MembershipChange { partner: BILL_TO, at: day.start() });
    let (one, two) = ((Digest([1; 32]), ended()), (Digest([2; 32]), tax()));
    for order in [[one.clone(), two.clone()], [two, one]] {
        let mut world = World::new();
        order.into_iter().for_each(|(digest, event)| world.tell_as(0x4711, digest.0[0], event));
        let member = |world: &World| {
            world.facts.partners.view().membership(BILL_TO).iter().any(|one| one.contains(at("2020-09-01")))
        };
        let taxed = |world: &World| world.facts.charges.tax_at(BILL_TO, day.next()).map(|set| set.rate);
        assert_eq!((member(&world), taxed(&world)), (false, None));
        let known = vec![Digest([1; 32]), Digest([2; 32])];
        let (identity, keep) = (Identity(0x4711), Digest([2; 32]));
        world.tell(Event::ConflictDecided(ConflictDecided { identity, keep, known, decision: decision() }));
        assert_eq!((member(&world), taxed(&world)), (true, Some(number("0.25"))));
    }
}

/// Who decides again is heard: of two decisions about one conflict the one of the later time holds, whichever
/// came first, whichever body has the smaller digest, and also where both are told under one identity.
#[test]
fn of_two_decisions_about_one_conflict_the_later_one_holds() {
    let granted = |amount: &str| {
        let refund = RefundGranted {
            refund: "refund".into(),
            plan: PLAN,
            customer: CUSTOMER,
            amount: number(amount),
            reason: "SLA".into(),
            at: at("2020-09-01"),
        };
        Event::RefundGranted(refund)
    };
    let says = |keep: u8, when: &str| {
        let (identity, known) = (Identity(0x4711), vec![Digest([1; 32]), Digest([2; 32])]);
        let decision = Decision { at: at(when), ..decision() };
        Event::ConflictDecided(ConflictDecided { identity, keep: Digest([keep; 32]), known, decision })
    };
    for (first, later) in [(1, 2), (2, 1)] {
        let two = [(7, says(first, "2020-11-01T10:00:00Z")), (8, says(later, "2020-11-01T10:00:01Z"))];
        let turned = [two[1].clone(), two[0].clone()];
        for (decisions, identities) in
            [two, turned].into_iter().flat_map(|two| [(two.clone(), [0x5001, 0x5002]), (two, [0x5001; 2])])
        {
            let mut world = World::new();
            world.tell_as(0x4711, 1, granted("10"));
            world.tell_as(0x4711, 2, granted("20"));
            for ((digest, event), identity) in decisions.into_iter().zip(identities) {
                world.tell_as(identity, digest, event);
            }
            let refunds: Vec<_> = world.facts.charges.refunds().map(|(_, refund)| refund.amount).collect();
            assert_eq!(refunds, [number(if later == 1 { "10" } else { "20" })]);
        }
    }
}

/// An acceptance of unknown access holds for the partner, the month and the days that it names; one that
/// names none of them holds for all.
#[test]
fn an_acceptance_holds_for_what_it_names() {
    let holds = |what: &str, about: Option<&str>, bill_to: Option<Guid>, period: Option<&str>| {
        let mut world = World::new();
        let (what, about, period) = (what.into(), about.map(Into::into), period.map(month));
        world.tell(Event::AcceptanceRecorded(Acceptance { what, about, bill_to, period, decision: decision() }));
        let issued = &world.facts.issued;
        assert_eq!(issued.acceptances().len(), 1);
        let asked =
            [(BILL_TO, "2020-09-05"), (BILL_TO, "2020-09-06"), (BILL_TO, "2020-10-05"), (Guid(0xb2), "2020-09-05")];
        asked.map(|(bill_to, day)| issued.accepts_unknown_access(bill_to, Day::parse(day).unwrap()))
    };
    let unknown = "unknown-access";
    let september = Some("2020-09");
    assert_eq!(holds(unknown, None, Some(BILL_TO), september), [true, true, false, false]);
    let days = Some("2020-09-04 2020-09-05");
    assert_eq!(holds(unknown, days, Some(BILL_TO), september), [true, false, false, false]);
    assert_eq!(holds(unknown, None, None, None), [true; 4]);
    assert_eq!(holds("offline-close", None, Some(BILL_TO), september), [false; 4]);
}

/// Whom an event concerns: usage the partner of its placement, else of the plan or customer that it
/// names; a move both sides; a correction whom its usage does; what nobody can tell everybody.
#[test]
fn an_event_concerns_the_partners_that_it_can_change() {
    let mut world = World::new();
    let (other, second) = (Guid(0xb2), Guid(0xa2));
    world.plan(second, other, None, "2020-01-01");
    let commerce = world.facts.commerce.view();
    let asked = |event: &Event, target: Option<&Event>| concern(event, target, &commerce, &world.facts.policy);
    let ours = Concern::Partners([BILL_TO].into());
    let both = Concern::Partners([BILL_TO, other].into());
    let used = usage("vm", "2020-09-01", "1");
    assert_eq!(asked(&used, None), ours);
    let stray = |customer: Guid| {
        let Event::UsageRecorded(mut stray) = usage("vm", "2020-09-01", "1") else { unreachable!() };
        (stray.subscription, stray.customer) = (Guid(0x99), customer);
        Event::UsageRecorded(stray)
    };
    assert_eq!(asked(&stray(CUSTOMER), None), both, "the customer buys from both");
    assert_eq!(asked(&stray(Guid(0xc9)), None), Concern::Everybody);
    let voided = Event::UsageVoided(UsageVoided { target: Identity(1), reason: None });
    assert_eq!(asked(&voided, Some(&used)), ours);
    assert_eq!(asked(&voided, None), Concern::Everybody);
    assert_eq!(asked(&voided, Some(&voided)), Concern::Everybody, "what it corrects is no usage");
    let moved = Move { subscription: SUBSCRIPTION, to_plan: second, at: at("2020-09-05") };
    assert_eq!(asked(&Event::TransferRequested(moved.clone()), None), both);
    let nowhere = Move { to_plan: Guid(0xa9), ..moved };
    assert_eq!(asked(&Event::TransferRequested(nowhere), None), Concern::Everybody);
    let qualified = ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned {
        partner: other,
        region: crate::regions::Region::parse("europe").unwrap(),
        at: at("2020-09-05"),
    });
    assert_eq!(asked(&Event::Channel(Box::new(qualified)), None), Concern::Everybody, "whoever sells through it");
    let designated = ChannelEvent::CustomerDesignated(CustomerDesignated {
        customer: CUSTOMER,
        used_as: TenantUse::Customer,
        owner: None,
        at: at("2020-09-05"),
    });
    assert_eq!(asked(&Event::Channel(Box::new(designated)), None), Concern::Partners([].into()), "it moves no money");
    assert!(!ours.includes(other) && ours.includes(BILL_TO) && Concern::Everybody.includes(other));
    assert_eq!(effective_at(&used), Some(at("2020-09-01")));
    assert_eq!(effective_at(&voided), None, "it is true when its usage is");
}

/// Operators compare these counts with what upstream says it sent: each entry is counted once, by how it
/// came out.
#[test]
fn entries_are_counted_by_how_they_came_out() {
    let mut facts = Facts::default();
    let mut recorder = Recorder::default();
    let mut tell = |identity: u128, digest: u8, quarantined: bool| {
        let event = usage("vm", "2020-09-01", "1");
        let mut entry = recorder.record(&Fact { identity: Identity(identity), digest: Digest([digest; 32]), event });
        if quarantined {
            (entry.outcome, entry.fact.event) = (Outcome::Quarantined, Event::Unreadable("R-json"));
        }
        facts.apply(&entry);
    };
    for (identity, digest, quarantined) in [
        (1, 1, false),
        (2, 1, false),
        (3, 1, false),
        (4, 1, false),
        (5, 1, false),
        (1, 1, false),
        (1, 1, false),
        (2, 1, false),
        (2, 1, false),
        (1, 2, false),
        (2, 2, false),
        (3, 2, false),
        (7, 1, true),
        (8, 1, true),
    ] {
        tell(identity, digest, quarantined);
    }
    let expected = Counts { accepted: 5, duplicate: 4, conflicting: 3, quarantined: 2, late: 0 };
    assert_eq!(facts.counts, expected);
}

/// Where a subscription stood rests on what was told of it and of its plan before an instant, and on nothing of
/// another's; a request alone moves nothing.
#[test]
fn a_placement_rests_on_what_was_told_of_it_in_time() {
    let (subscription, to_plan) = (SUBSCRIPTION, Guid(0xa2));
    let moving = |time: &str| Move { subscription, to_plan, at: at(time) };
    let mut world = World::new();
    world.plan(to_plan, BILL_TO, None, "2020-01-01");
    world.tell(Event::TransferRequested(moving("2020-09-01")));
    let moved = TransferCompleted { subscription, to_plan, at: at("2020-09-05") };
    let moved = world.tell(Event::TransferCompleted(moved));
    let cancelled = SubscriptionCancelled { subscription, at: at("2020-09-06") };
    let cancelled = world.tell(Event::SubscriptionCancelled(cancelled));
    world.tell(Event::SubscriptionTransitioned(moving("2020-09-07")));
    let behind =
        |subscription: Guid, plan: Guid, until: &str| world.facts.commerce.behind(subscription, plan, at(until));
    let none = Guid(0);
    let (of_plan, created) = (behind(none, PLAN, "2020-09-05"), behind(SUBSCRIPTION, none, "2020-09-05"));
    assert_eq!((of_plan.len(), created.len()), (1, 1), "each where it was created");
    assert!(behind(SUBSCRIPTION, PLAN, "2020-01-01").is_empty(), "nothing before it was told");
    let later = behind(SUBSCRIPTION, PLAN, "2020-09-06");
    assert_eq!(later, of_plan.iter().chain(&created).copied().chain([moved]).collect());
    let last = behind(SUBSCRIPTION, PLAN, "2020-10-01");
    assert!(last.contains(&cancelled));
    assert_eq!(last.len(), later.len() + 2, "the end and the transition, and no request");
}
