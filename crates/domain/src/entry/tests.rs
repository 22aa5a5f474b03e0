//! The vocabulary's own small questions: when a dated value holds, which stream carries a kind, whom an
//! event names.

use super::*;
use crate::testing::*;

/// A row of a partner's statement holds from its first instant on and no longer at its last; it is open
/// where nothing is said. `interval` says the same.
#[test]
fn a_dated_value_holds_from_its_first_instant_until_before_its_last() {
    let days = ["2020-01-31", "2020-02-01", "2020-02-15", "2020-03-01", "2020-03-02"];
    for (since, until, holds) in [
        (Some("2020-02-01"), Some("2020-03-01"), [false, true, true, false, false]),
        (Some("2020-02-01"), None, [false, true, true, true, true]),
        (None, Some("2020-03-01"), [true, true, true, false, false]),
        (None, None, [true; 5]),
    ] {
        let row = Dated { value: (), since: since.map(at), until: until.map(at) };
        assert_eq!(days.map(|day| row.holds_at(at(day))), holds, "{since:?} until {until:?}");
        assert_eq!(days.map(|day| row.interval().contains(at(day))), holds, "{since:?} until {until:?}");
    }
}

/// A stream is found by the name that its topic and the command line use, and by no other.
#[test]
fn a_stream_is_found_by_its_name() {
    for (name, stream) in [
        ("usage", Some(Stream::Usage)),
        ("access", Some(Stream::Access)),
        ("commerce", Some(Stream::Commerce)),
        ("reference", Some(Stream::Reference)),
        ("decisions", Some(Stream::Decisions)),
        ("", None),
        ("Usage", None),
        ("prices", None),
    ] {
        assert_eq!(Stream::parse(name), stream, "{name:?}");
    }
    assert_eq!(Stream::ALL.map(|stream| Stream::parse(stream.name())), Stream::ALL.map(Some));
}

/// Every kind has its topic, except what could not be read: of that nobody knows the kind.
#[test]
fn what_can_be_read_belongs_to_a_stream() {
    let asked = Event::TransferRequested(Move { subscription: SUBSCRIPTION, to_plan: PLAN, at: at("2020-09-01") });
    assert_eq!(usage("vm", "2020-09-01", "1").stream(), Some(Stream::Usage));
    assert_eq!(asked.stream(), Some(Stream::Commerce));
    assert_eq!(Event::Unreadable("R-json").stream(), None);
}

fn designated() -> ChannelEvent {
    ChannelEvent::CustomerDesignated(CustomerDesignated {
        customer: CUSTOMER,
        used_as: TenantUse::Customer,
        owner: None,
        at: at("2020-09-01"),
    })
}

fn agreement() -> ChannelEvent {
    ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned {
        partner: BILL_TO,
        region: crate::regions::Region::parse("europe").unwrap(),
        at: at("2020-09-01"),
    })
}

/// What is told of a customer names it, and so goes into its partition; what is told of partners alone
/// names none.
#[test]
fn an_event_of_the_channel_names_its_customer() {
    assert_eq!(designated().customer(), Some(CUSTOMER));
    assert_eq!(agreement().customer(), None);
}

/// Of the channel only a reseller's qualification moves credit; the rest decides orders alone.
#[test]
fn a_qualification_moves_credit_and_a_designation_does_not() {
    assert_eq!(agreement().moves_credit_at(), Some(at("2020-09-01")));
    assert_eq!(designated().moves_credit_at(), None);
}

/// An entry is cited by its position and its place among the facts of that position.
#[test]
fn an_entry_is_cited_by_where_it_stands() {
    let fact = Fact { identity: Default::default(), digest: Default::default(), event: usage("vm", "2020-09-01", "1") };
    let mut recorder = Recorder::default();
    recorder.record(&fact);
    let second = Entry { index: 4, ..recorder.record(&fact) };
    assert_eq!(second.at(), EntryRef { position: 1, index: 4 });
    assert_eq!(second.at().to_string(), "1.4");
}
