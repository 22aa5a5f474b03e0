//! Order in time, and what happens at one instant.

use super::*;
use crate::entry::{
    PartnerAgreementSigned, Partnership, RelationshipEnded, RelationshipEstablished, ResellerEnrolled,
    ResellerOnboarded,
};
use crate::ids::Guid;
use crate::partners::Partners;
use crate::period::Instant;
use crate::policy::Policy;
use crate::regions::Region;
use crate::testing::at;

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
