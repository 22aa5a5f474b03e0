//! Order in time, and what happens at one instant.

use super::*;
use crate::entry::{
    ConflictDecided, CreditStated, CustomerDesignated, Decision, MfaMethod, OrderDoor, OrderKind, OrderRequested,
    PartnerAgreementSigned, PartnerKind, PartnerRegistered, Partnership, PostureStated, RelationshipEnded,
    RelationshipEstablished, ResellerEnrolled, ResellerOnboarded, TenantUse,
};
use crate::ids::Guid;
use crate::partners::Partners;
use crate::period::Instant;
use crate::policy::Policy;
use crate::regions::Region;
use crate::testing::{World, at, number, registered};

const CUSTOMER: Guid = Guid(1);
const PARTNER: Guid = Guid(2);
const RESELLER: Guid = Guid(3);

fn told(events: Vec<ChannelEvent>) -> Channel {
    let mut book = ChannelBook::default();
    for (number, event) in (0..).zip(events) {
        book.file(Identity(number), Digest::default(), event);
    }
    book.view()
}

fn established(from: &str) -> ChannelEvent {
    let (customer, partner) = (CUSTOMER, PARTNER);
    ChannelEvent::RelationshipEstablished(RelationshipEstablished {
        customer,
        partner,
        reseller: None,
        delegated_rights: false,
        at: at(from),
    })
}

fn ended(from: &str) -> ChannelEvent {
    ChannelEvent::RelationshipEnded(RelationshipEnded { customer: CUSTOMER, partner: PARTNER, at: at(from) })
}

fn stands(channel: &Channel, when: Instant) -> Option<bool> {
    channel.relationship(CUSTOMER, PARTNER, when).map(|stated| stated.value.is_some())
}

/// Told in any order, a relationship stands from its beginning to the instant of its end; told to
/// begin and end at once, it does not stand.
#[test]
fn a_relationship_stands_until_the_instant_it_ends() {
    let orders = [[established("2024-01-01"), ended("2024-06-01")], [ended("2024-06-01"), established("2024-01-01")]];
    for events in orders {
        let channel = told(events.to_vec());
        assert_eq!(stands(&channel, at("2023-12-31T23:59:59Z")), None);
        assert_eq!(stands(&channel, at("2024-05-31T23:59:59Z")), Some(true));
        assert_eq!(stands(&channel, at("2024-06-01")), Some(false));
    }
    let at_once = told(vec![ended("2024-01-01"), established("2024-01-01")]);
    assert_eq!(stands(&at_once, at("2024-01-01")), Some(false));
}

#[test]
fn a_reseller_qualifies_when_the_last_of_its_three_conditions_is_met() {
    let partners = Partners::default();
    assert_eq!(told(Vec::new()).qualification(&partners, RESELLER), Qualification::Unknown);
    let enrolled = ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner: RESELLER, at: at("2024-01-01") });
    let onboarded = ResellerOnboarded { partner: RESELLER, partner_id: None, at: at("2024-03-01") };
    let europe = Region::parse("europe").unwrap();
    let signed = PartnerAgreementSigned { partner: RESELLER, region: europe, at: at("2024-02-01") };
    let lacks = told(vec![enrolled.clone()]).qualification(&partners, RESELLER);
    assert_eq!(lacks, Qualification::Lacks(vec![Missing::Onboarded, Missing::Agreement]));
    let all = vec![enrolled, ChannelEvent::ResellerOnboarded(onboarded), ChannelEvent::PartnerAgreementSigned(signed)];
    assert_eq!(told(all).qualification(&partners, RESELLER), Qualification::Since(at("2024-03-01")));
}

#[test]
fn the_partners_of_a_provider_are_those_of_the_day() {
    let link = |from: &str| Partnership { provider: PARTNER, reseller: RESELLER, at: at(from) };
    let events = vec![
        ChannelEvent::PartnershipEnded(link("2024-05-01")),
        ChannelEvent::PartnershipEstablished(link("2024-01-01")),
    ];
    let channel = told(events);
    assert_eq!(channel.partners_of(PARTNER, at("2024-02-01")), [RESELLER]);
    assert_eq!(channel.partners_of(RESELLER, at("2024-02-01")), [PARTNER]);
    assert!(channel.partners_of(PARTNER, at("2024-05-01")).is_empty());
}

fn stated(told: &[(&str, &str)]) -> Channel {
    let mut book = ChannelBook::default();
    for (number, (from, what)) in (0..).zip(told) {
        let body = PartnerStanding { partner: PARTNER, reason: "told".into(), at: at(from) };
        let event = match *what {
            "restricted" => ChannelEvent::PartnerRestricted(body),
            "suspended" => ChannelEvent::PartnerSuspended(body),
            "revoked" => ChannelEvent::PartnerRevoked(body),
            _ => {
                book.file_reinstated(Identity(number), Digest::default(), body);
                continue;
            }
        };
        book.file(Identity(number), Digest::default(), event);
    }
    book.view()
}

fn standing(channel: &Channel, when: &str) -> (State, bool) {
    let standing = channel.standing(PARTNER, at(when), &Policy::builtin());
    (standing.state, standing.by_date)
}

/// Nobody says anything after the restriction: its dates do.
#[test]
fn restriction_becomes_suspension_after_thirty_days_and_revocation_after_sixty() {
    let channel = stated(&[("2025-11-01", "restricted")]);
    let days = [
        ("2025-10-31T23:59:59Z", (State::Good, false)),
        ("2025-11-01", (State::Restricted, false)),
        ("2025-11-30T23:59:59Z", (State::Restricted, false)),
        ("2025-12-01", (State::Suspended, true)),
        ("2025-12-30T23:59:59Z", (State::Suspended, true)),
        ("2025-12-31", (State::Revoked, true)),
    ];
    for (when, expected) in days {
        assert_eq!(standing(&channel, when), expected, "{when}");
    }
    let now = channel.standing(PARTNER, at("2025-12-02"), &Policy::builtin());
    assert_eq!((now.since, now.next), (Some(at("2025-12-01")), Some((State::Revoked, at("2025-12-31")))));
    let by_statement = Policy { suspended_after_days: 0, revoked_after_days: 0, ..Policy::builtin() };
    assert_eq!(channel.standing(PARTNER, at("2026-12-02"), &by_statement).state, State::Restricted);
}

#[test]
fn a_harder_statement_keeps_the_clock_and_a_milder_one_or_reinstatement_starts_anew() {
    let harder = stated(&[("2025-11-01", "restricted"), ("2025-11-11", "suspended")]);
    assert_eq!(standing(&harder, "2025-11-11"), (State::Suspended, false));
    assert_eq!(standing(&harder, "2025-12-31"), (State::Revoked, true), "sixty days from the restriction");
    let alone = stated(&[("2025-11-01", "suspended")]);
    assert_eq!(standing(&alone, "2025-11-30T23:59:59Z"), (State::Suspended, false));
    assert_eq!(
        standing(&alone, "2025-12-01"),
        (State::Revoked, true),
        "thirty days after a suspension out of the blue"
    );
    let milder = stated(&[("2025-11-01", "restricted"), ("2026-02-01", "suspended")]);
    assert_eq!(standing(&milder, "2026-02-02"), (State::Suspended, false), "revoked by date, then stated suspended");
    assert_eq!(standing(&milder, "2026-03-03"), (State::Revoked, true));
    let back = stated(&[("2025-11-01", "restricted"), ("2025-11-20", "reinstated"), ("2025-12-20", "restricted")]);
    assert_eq!(standing(&back, "2025-12-10"), (State::Good, false));
    assert_eq!(standing(&back, "2026-01-18T23:59:59Z"), (State::Restricted, false));
    assert_eq!(standing(&back, "2026-01-19"), (State::Suspended, true));
}

/// Told harder while it runs, a state begins with its statement, and the clock of the restriction goes on.
#[test]
fn a_state_begins_with_its_statement_and_leaves_the_clock_of_the_restriction_running() {
    let harder = stated(&[("2025-11-01", "restricted"), ("2025-11-11", "suspended")]);
    let now = harder.standing(PARTNER, at("2025-12-05"), &Policy::builtin());
    assert_eq!((now.state, now.since, now.by_date), (State::Suspended, Some(at("2025-11-11")), false));
    assert_eq!(now.next, Some((State::Revoked, at("2025-12-31"))));
    assert_eq!(standing(&harder, "2025-12-30T23:59:59Z"), (State::Suspended, false));
    let again = stated(&[("2025-11-01", "restricted"), ("2025-11-20", "restricted")]);
    assert_eq!(standing(&again, "2025-12-01"), (State::Suspended, true), "told twice, restricted once");
    let good = stated(&[("2025-11-01", "restricted"), ("2025-11-20", "reinstated")]);
    assert_eq!(standing(&good, "2026-11-20"), (State::Good, false), "no clock runs on after a reinstatement");
    let revoked = stated(&[("2025-11-01", "restricted"), ("2025-11-11", "revoked")]);
    let now = revoked.standing(PARTNER, at("2026-02-01"), &Policy::builtin());
    assert_eq!((now.since, now.by_date, now.next), (Some(at("2025-11-11")), false, None), "nothing is harder");
}

/// Of two statements of one instant the one that allows less counts, whichever was told first.
#[test]
fn at_one_instant_what_allows_less_counts() {
    let when = at("2024-01-01");
    let used = |used_as| {
        ChannelEvent::CustomerDesignated(CustomerDesignated { customer: CUSTOMER, used_as, owner: None, at: when })
    };
    let secured = |every_user| {
        let method = MfaMethod::SecurityDefaults;
        ChannelEvent::PostureStated(PostureStated { partner: PARTNER, method, every_user, at: when })
    };
    let credit = |limit: &str, outstanding: &str| {
        let (limit, outstanding) = (number(limit), number(outstanding));
        ChannelEvent::CreditStated(CreditStated { partner: PARTNER, limit, outstanding, at: when })
    };
    // 500 are available by the one statement, 40 by the other, whose limit is used less.
    let more = [used(TenantUse::Internal), secured(true), credit("1000", "500")];
    let less = [used(TenantUse::Csp), secured(false), credit("50", "10")];
    for events in [[more.clone(), less.clone()].concat(), [less, more].concat()] {
        let channel = told(events);
        assert_eq!(channel.used_as(CUSTOMER, when).unwrap().value.used_as, TenantUse::Csp);
        assert!(!channel.posture(PARTNER, when).unwrap().value.every_user);
        assert_eq!(channel.credit(PARTNER, when).unwrap().value.limit, number("50"));
    }
    let none_left = [credit("2000", "2000"), credit("50", "10")];
    assert_eq!(told(none_left.to_vec()).credit(PARTNER, when).unwrap().value.limit, number("2000"));
}

fn order(subscription: Option<Guid>) -> ChannelEvent {
    ChannelEvent::OrderRequested(OrderRequested {
        order: "PO-1".into(),
        kind: OrderKind::AzureSubscription,
        customer: CUSTOMER,
        partner: PARTNER,
        reseller: None,
        counterpart: None,
        plan: None,
        subscription,
        amount: None,
        door: OrderDoor::Portal,
        attestation: None,
        at: at("2024-01-01"),
        term_ends_at: None,
    })
}

/// There is something to answer from the first order on, whatever is told beside it, and the usage of
/// those subscriptions alone that an order names is looked for.
#[test]
fn orders_are_known_with_the_subscriptions_that_they_name() {
    let mut book = ChannelBook::default();
    let mut file = |number, event| {
        book.file(Identity(number), Digest::default(), event);
        (book.has_orders(), book.ordered_subscriptions().into_iter().collect::<Vec<_>>())
    };
    assert_eq!(file(1, established("2024-01-01")), (false, vec![]));
    assert_eq!(file(2, order(None)), (true, vec![]));
    assert_eq!(file(3, order(Some(Guid(0x51)))), (true, vec![Guid(0x51)]));
    assert_eq!(file(4, ended("2024-06-01")), (true, vec![Guid(0x51)]));
}

fn signed(partner: Guid, region: &str) -> ChannelEvent {
    let region = Region::parse(region).unwrap();
    ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at: at("2024-02-01") })
}

/// CHN-6: once anything is known of a reseller, a signature of its organisation or its own for another
/// region included, what is not known is lacking. What it signed itself is listed as it was signed.
#[test]
fn whatever_a_reseller_or_its_organisation_signed_ends_the_benefit_of_the_doubt() {
    let sibling = Guid(4);
    let mut world = World::default();
    for tenant in [RESELLER, sibling] {
        let organisation = "one and the same".into();
        let registered = PartnerRegistered { organisation, ..registered(tenant, PartnerKind::Reseller) };
        world.tell(crate::entry::Event::PartnerRegistered(registered));
    }
    let partners = world.facts.partners.view();
    let neither = vec![Missing::Onboarded, Missing::Enrolled];
    let by_sibling = told(vec![signed(sibling, "europe")]);
    assert_eq!(by_sibling.qualification(&partners, RESELLER), Qualification::Lacks(neither.clone()));
    assert_eq!(by_sibling.signatures(RESELLER), []);
    let cited = by_sibling.qualification_events(&partners, RESELLER);
    assert_eq!(cited, [by_sibling.signatures(sibling)[0].event], "what it rests on is cited");
    let elsewhere = told(vec![signed(RESELLER, "united-states")]);
    let all = [neither, vec![Missing::Agreement]].concat();
    assert_eq!(elsewhere.qualification(&partners, RESELLER), Qualification::Lacks(all));
    let listed: Vec<&str> = elsewhere.signatures(RESELLER).iter().map(|stated| stated.value.name()).collect();
    assert_eq!(listed, ["united-states"]);
}

/// A person who decides which of two bodies counts is heard here too, for a reinstatement as well.
#[test]
fn of_two_bodies_under_one_identity_the_decided_one_counts() {
    let (kept, other) = (Digest([2; 32]), Digest([1; 32]));
    let mut book = ChannelBook::default();
    book.file(Identity(1), other, established("2024-01-01"));
    book.file(Identity(1), kept, established("2024-03-01"));
    let body = |from: &str| PartnerStanding { partner: PARTNER, reason: "told".into(), at: at(from) };
    book.file(Identity(2), other, ChannelEvent::PartnerRestricted(body("2024-01-01")));
    book.file_reinstated(Identity(3), other, body("2024-01-10"));
    book.file_reinstated(Identity(3), kept, body("2024-01-20"));
    for identity in [1, 3].map(Identity) {
        let decision = Decision { actor: "ann".into(), reason: "asked".into(), at: at("2024-06-01") };
        book.hear(Said::Decided(&ConflictDecided { identity, keep: kept, known: vec![kept, other], decision }));
    }
    let channel = book.view();
    assert_eq!(stands(&channel, at("2024-02-01")), None);
    assert_eq!(stands(&channel, at("2024-03-01")), Some(true));
    assert_eq!(["2024-01-15", "2024-01-20"].map(|when| standing(&channel, when).0), [State::Restricted, State::Good]);
}
