//! The rules over whole orders: every reason at once, instants, and tables that are not empty.

use std::collections::BTreeSet;

use super::*;
use crate::channel::State;
use rules::Left;

#[test]
fn grounds_have_stable_codes_and_say_what_to_do() {
    let mut seen = BTreeSet::new();
    for ground in Ground::ALL {
        // Two grounds may share a code where only Microsoft's number differs.
        assert!(seen.insert((ground.text(), ground.error())), "{} twice", ground.text());
        assert!(ground.meaning().ends_with('.') && !ground.instead().is_empty(), "{} says too little", ground.text());
        assert!(ground.rule().starts_with("CHN-"));
    }
}

#[test]
fn every_rule_has_a_table_that_says_both_yes_and_no() {
    let tables = tables();
    let mut rules: Vec<&str> = tables.iter().map(|table| table.rule).collect();
    rules.sort_by_key(|rule| rule.trim_start_matches("CHN-").parse::<u32>().unwrap());
    rules.dedup();
    assert_eq!(rules, (1..=23).map(|number| format!("CHN-{number}")).collect::<Vec<_>>());
    for table in &tables {
        let verdicts: BTreeSet<&String> = table.rows.iter().filter_map(|row| row.last()).collect();
        assert!(verdicts.len() > 1, "{} always says the same", table.rule);
        assert!(table.rows.iter().all(|row| row.len() == table.heads.len()), "{}", table.rule);
    }
    let named =
        tables.iter().flat_map(|table| table.rows.iter().flatten()).fold(String::new(), |text, cell| text + cell);
    for ground in Ground::ALL.iter().filter(|ground| !matches!(ground, Ground::NoContact)) {
        assert!(named.contains(ground.text()), "no table shows {}", ground.text());
    }
}

/// A restricted partner may renew and change what is there, and buy nothing.
#[test]
fn the_harder_the_state_the_less_is_left() {
    let refused = |state: State, left: Left| {
        let all = Class::ALL.iter();
        all.filter(|class| !rules::standing(state, left, **class).is_empty()).count()
    };
    let counts = [
        refused(State::Good, Left::Nothing),
        refused(State::Restricted, Left::Nothing),
        refused(State::Suspended, Left::Changes),
        refused(State::Suspended, Left::Renewals),
        refused(State::Revoked, Left::Nothing),
    ];
    assert!(counts.is_sorted() && counts[0] == 0 && counts[1] > 0, "{counts:?}");
    assert!(counts[2] < counts[3] && counts[3] < counts[4], "each word of the policy leaves less: {counts:?}");
}

/// CHN-20: the reconciliation file prints 0 for a plan that was always sold direct, the PartnerID of a
/// reseller from the instant it is of record, and -1 once there is none any more.
#[test]
fn the_reseller_of_record_is_printed_as_the_file_prints_it() {
    use crate::entry::{Event, ResellerOfRecordSet};
    use crate::ids::Guid;
    use crate::testing::{BILL_TO, World, at};
    const DIRECT: Guid = Guid(0xa2);
    let mut world = World::default();
    world.plan(DIRECT, BILL_TO, None, "2020-01-01");
    let mut printed = |when: &str, change: Option<Option<&str>>| {
        if let Some(reseller) = change {
            let reseller = reseller.map(Into::into);
            world.tell(Event::ResellerOfRecordSet(ResellerOfRecordSet { plan: DIRECT, reseller, at: at(when) }));
        }
        let commerce = world.facts.commerce.view();
        [at(when) - chrono::TimeDelta::nanoseconds(1), at(when)].map(|when| reseller_of_record(&commerce, DIRECT, when))
    };
    assert_eq!(printed("2020-02-01", None), ["0", "0"]);
    assert_eq!(printed("2020-03-01", Some(Some("6048879"))), ["0", "6048879"]);
    assert_eq!(printed("2020-04-01", Some(None)), ["6048879", "-1"]);
    assert_eq!(printed("2020-05-01", Some(Some("1234567"))), ["-1", "1234567"]);
}
