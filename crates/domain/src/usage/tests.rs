use super::*;
use crate::entry::{Decision, Fact, UsageAdjusted, UsageVoided};
use crate::ids::{Guid, MeterId};
use crate::period::Day;
use crate::projection::Projection as _;
use crate::scope::Scope;
use crate::testing::Recorder;

fn number(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn usage(hour: i64, quantity: &str) -> Event {
    let start = Day(20_000).start() + chrono::TimeDelta::hours(hour);
    Event::UsageRecorded(Usage {
        customer: Guid(1),
        plan: None,
        subscription: Guid(2),
        resource: Some(Scope::parse(
            "/subscriptions/00000000000000000000000000000002/resourceGroups/rg/providers/a/b/c",
        )),
        resource_group: None,
        meter: MeterId::parse("1core"),
        product: None,
        sku: None,
        start,
        end: start + chrono::TimeDelta::hours(1),
        quantity: number(quantity),
        unit: "1 Hour".into(),
        sent: None,
    })
}

fn adjusted(target: u128, quantity: &str) -> Event {
    Event::UsageAdjusted(UsageAdjusted { target: Identity(target), quantity: number(quantity), reason: None })
}

fn voided(target: u128) -> Event {
    Event::UsageVoided(UsageVoided { target: Identity(target), reason: None })
}

fn fact(identity: u128, digest: u8, event: Event) -> Fact {
    Fact { identity: Identity(identity), digest: Digest([digest; 32]), event }
}

fn decided(identity: u128, keep: u8, known: &[u8]) -> Event {
    Event::ConflictDecided(ConflictDecided {
        identity: Identity(identity),
        keep: Digest([keep; 32]),
        known: known.iter().map(|digest| Digest([*digest; 32])).collect(),
        decision: Decision { actor: "ann".into(), reason: "checked".into(), at: Day(0).start() },
    })
}

type Sums = BTreeMap<(Place, Item, Instant), String>;

fn sums(book: &UsageBook) -> Sums {
    let mut sums: BTreeMap<(Place, Item, Instant), Quantity> = BTreeMap::new();
    for consumption in book.consumption() {
        for (start, _, quantity) in consumption.slices() {
            *sums.entry((consumption.place.clone(), consumption.item.clone(), start)).or_default() += quantity;
        }
    }
    sums.retain(|_, quantity| !quantity.is_zero());
    sums.into_iter().map(|(key, quantity)| (key, quantity.to_string())).collect()
}

fn told(facts: &[Fact]) -> crate::facts::Facts {
    let mut recorder = Recorder::default();
    let mut book = crate::facts::Facts::default();
    for fact in facts {
        book.apply(&recorder.record(fact));
    }
    book
}

fn hours(book: &UsageBook) -> Vec<(i64, String)> {
    let midnight = Day(20_000).start();
    sums(book).into_iter().map(|((_, _, start), sum)| ((start - midnight).num_hours(), sum)).collect()
}

fn permutations(of: &[Fact]) -> Vec<Vec<Fact>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for index in 0..of.len() {
        let mut rest = of.to_vec();
        let first = rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

/// USE-2, USE-3, USE-4: five events about three identities, told in every one of the 120 orders
/// and each twice, give the same sums and the same ineffective corrections.
#[test]
fn corrections_count_the_same_in_every_order() {
    let facts = [
        fact(1, 1, usage(7, "5.8")),
        fact(2, 2, adjusted(1, "-0.8")),
        fact(3, 3, usage(9, "23.2")),
        fact(4, 4, voided(3)),
        fact(5, 5, adjusted(2, "-1")),
    ];
    for mut order in permutations(&facts) {
        order.extend(order.clone());
        let book = told(&order).usage;
        assert_eq!(hours(&book), [(7, "5".to_owned())], "{order:?}");
        let ineffective: Vec<_> = book.ineffective().map(|one| (one.correction.0, one.of_correction)).collect();
        assert_eq!(ineffective, [(5, true)], "{order:?}");
        assert!(book.ineffective().all(|one| one.usage.is_some()));
    }
}

/// Two bodies of one usage event, one of which is corrected, and two bodies of the correction that
/// name different targets: the smallest digests speak, in every order.
#[test]
fn conflicts_count_the_same_in_every_order() {
    let facts = [
        fact(1, 9, usage(7, "5")),
        fact(1, 3, usage(8, "6")),
        fact(2, 2, usage(9, "100")),
        fact(5, 7, adjusted(1, "1")),
        fact(5, 4, adjusted(2, "-10")),
    ];
    for order in permutations(&facts) {
        let book = told(&order);
        assert_eq!(hours(&book.usage), [(8, "6".to_owned()), (9, "90".to_owned())], "{order:?}");
        assert_eq!(book.conflicts.open().count(), 2);
        assert!(book.conflicts.open().all(|(_, drawer)| drawer.bodies().count() == 2), "{order:?}");
    }
}

/// Two bodies of one void that name different targets: what counts is taken away, and the other target
/// stays due, in every order.
#[test]
fn a_void_takes_away_only_what_its_counting_body_names() {
    let facts = [fact(1, 1, usage(7, "5")), fact(2, 2, usage(9, "100")), fact(5, 7, voided(1)), fact(5, 4, voided(2))];
    for order in permutations(&facts) {
        assert_eq!(hours(&told(&order).usage), [(7, "5".to_owned())], "{order:?}");
    }
}

/// Millions of events are added up and forgotten: only those that were corrected, or told in two ways, and
/// their corrections are remembered one by one, also beside plain usage that comes later.
#[test]
fn plain_usage_is_not_remembered_event_by_event() {
    let plain = |id: u128| fact(id, 1, usage(7, "5"));
    let remembered = |facts: &[Fact]| told(facts).usage.special.len();
    assert_eq!(remembered(&[plain(1), plain(2), plain(3)]), 0);
    assert_eq!(remembered(&[plain(1), plain(2), fact(9, 9, adjusted(1, "-1")), plain(3)]), 2);
    assert_eq!(remembered(&[plain(1), fact(1, 2, usage(8, "6")), plain(2), plain(3)]), 1);
}

/// A decision turns the conflict over, and a third body that it did not know turns it back.
#[test]
fn a_decision_flips_what_counts_until_another_body_comes() {
    let mut facts = vec![fact(1, 9, usage(7, "5")), fact(1, 3, usage(8, "6")), fact(2, 2, adjusted(1, "0.5"))];
    assert_eq!(hours(&told(&facts).usage), [(8, "6.5".to_owned())]);
    facts.push(fact(90, 90, decided(1, 9, &[3, 9])));
    for order in permutations(&facts) {
        let book = told(&order);
        assert_eq!(hours(&book.usage), [(7, "5.5".to_owned())], "{order:?}");
        assert_eq!((book.conflicts.open().count(), book.conflicts.iter().count()), (0, 1));
    }
    facts.push(fact(1, 1, usage(10, "7")));
    assert_eq!(hours(&told(&facts).usage), [(10, "7.5".to_owned())]);
}

#[test]
fn a_correction_without_its_target_is_held_and_named() {
    let mut facts = vec![fact(2, 2, adjusted(1, "-1"))];
    let held = told(&facts).usage;
    let one: Vec<_> = held.ineffective().collect();
    assert_eq!(one, [Ineffective { correction: Identity(2), target: Identity(1), of_correction: false, usage: None }]);
    assert_eq!(hours(&held), []);
    facts.push(fact(1, 1, usage(7, "5")));
    let counted = told(&facts).usage;
    assert_eq!(hours(&counted), [(7, "4".to_owned())]);
    assert_eq!(counted.ineffective().count(), 0);
}

#[test]
fn a_group_or_nothing_in_place_of_a_resource_is_a_place_too() {
    let without = |group: Option<&str>| {
        let Event::UsageRecorded(mut usage) = usage(1, "1") else { unreachable!() };
        usage.resource = None;
        usage.resource_group = group.map(Into::into);
        Event::UsageRecorded(usage)
    };
    let book = told(&[fact(1, 1, without(None)), fact(2, 2, without(Some("RG"))), fact(3, 3, without(Some("rg")))]);
    let scopes: BTreeMap<String, String> =
        sums(&book.usage).into_iter().map(|((place, ..), sum)| (place.scope.to_string(), sum)).collect();
    let subscription = "/subscriptions/00000000-0000-0000-0000-000000000002";
    let expected = [(subscription.to_owned(), "1"), (format!("{subscription}/resourcegroups/rg"), "2")];
    assert_eq!(scopes, expected.map(|(scope, sum)| (scope, sum.to_owned())).into());
}

fn sent(event: &Event, hour: Option<i64>) -> Event {
    let Event::UsageRecorded(usage) = event else { panic!("usage alone is sent") };
    let sent = hour.map(|hour| Day(20_000).start() + chrono::TimeDelta::hours(hour));
    Event::UsageRecorded(Usage { sent, ..usage.clone() })
}

/// Usage by hour, quantity and hour of sending.
fn by_sending(book: &UsageBook) -> Vec<(i64, Option<i64>, String)> {
    let midnight = Day(20_000).start();
    let hour = |at: Instant| (at - midnight).num_hours();
    let mut sums: BTreeMap<(i64, Option<i64>), Quantity> = BTreeMap::new();
    for consumption in book.consumption() {
        for (start, _, quantity) in consumption.slices() {
            *sums.entry((hour(start), consumption.sent.map(hour))).or_default() += quantity;
        }
    }
    sums.retain(|_, quantity| !quantity.is_zero());
    sums.into_iter().map(|((start, sent), quantity)| (start, sent, quantity.to_string())).collect()
}

/// USE-1: of all copies of an event the earliest time of sending holds, also on what corrections and
/// conflicts change, in every order.
#[test]
fn the_earliest_time_of_sending_holds_in_every_order() {
    let (plain, other) = (usage(7, "5"), usage(8, "6"));
    let facts = [
        fact(1, 1, sent(&plain, Some(9))),
        fact(1, 1, sent(&plain, Some(8))),
        fact(1, 1, sent(&plain, None)),
        fact(2, 2, adjusted(1, "1")),
        fact(3, 9, sent(&other, Some(20))),
        fact(3, 3, sent(&other, Some(30))),
        fact(3, 3, sent(&other, Some(40))),
    ];
    for order in permutations(&facts) {
        let mut recorder = Recorder::default();
        let mut book = crate::facts::Facts::keeping_sent();
        order.iter().for_each(|fact| book.apply(&recorder.record(fact)));
        let expected = [(7, Some(8), "6".to_owned()), (8, Some(30), "6".to_owned())];
        assert_eq!(by_sending(&book.usage), expected, "{order:?}");
        assert!(!book.usage.lacks_sent());
    }
}

/// Nothing is kept while no policy wants it, and a policy that comes later says that it is lacking.
#[test]
fn times_of_sending_cost_nothing_until_a_policy_wants_them() {
    let facts: Vec<Fact> = (1..50).map(|id| fact(id, 1, sent(&usage(7, "5"), i64::try_from(id).ok()))).collect();
    let mut book = told(&facts);
    assert_eq!(book.usage.consumption().count(), 1);
    assert!(!book.usage.lacks_sent() && !book.usage.keeps_sent());
    book.usage.keep_sent();
    assert!(book.usage.lacks_sent() && book.usage.keeps_sent());
}

/// Whoever folds may look ahead as far as it likes, at entries that come and at entries that never do:
/// the same is counted, in the same series.
#[test]
fn looking_ahead_changes_nothing_that_is_counted() {
    let of = |resource: u8, hour| {
        let Event::UsageRecorded(usage) = usage(hour, "1.5") else { unreachable!("usage is usage") };
        let path = format!("/subscriptions/00000000-0000-0000-0000-000000000002/resourcegroups/{resource}");
        Event::UsageRecorded(Usage { resource: (resource > 0).then(|| Scope::parse(&path)), ..usage })
    };
    let mut recorder = Recorder::default();
    let mut facts: Vec<Fact> =
        (0..100_u8).map(|number| fact(number.into(), number, of(number % 7, i64::from(number / 7)))).collect();
    facts.insert(60, fact(300, 1, voided(11)));
    facts.insert(70, fact(301, 1, adjusted(70, "-0.5")));
    let entries: Vec<Entry> = facts.iter().map(|fact| recorder.record(fact)).collect();
    let mut alone = UsageBook::default();
    entries.iter().for_each(|entry| alone.apply(entry));
    for together in [1, 2, 5, TOGETHER] {
        let mut book = UsageBook::default();
        for (number, some) in entries.chunks(together).enumerate() {
            book.expect(some);
            if number % 3 == 0 {
                book.expect(&entries[number..number + 1]);
            }
            some.iter().for_each(|entry| book.apply(entry));
        }
        assert_eq!(sums(&book), sums(&alone), "{together} together");
        assert_eq!(book.series.values().len(), alone.series.values().len(), "no series is made twice");
    }
}

/// A guess names the series that is meant; one that names another is not believed.
#[test]
fn a_guess_is_right_or_not_believed() {
    let mut recorder = Recorder::default();
    let first = recorder.record(&fact(1, 1, usage(1, "1")));
    let Event::UsageRecorded(told) = usage(2, "4") else { unreachable!("usage is usage") };
    let other = Event::UsageRecorded(Usage { meter: MeterId::parse("other"), ..told });
    let (second, again) = (recorder.record(&fact(2, 2, other)), recorder.record(&fact(3, 3, usage(3, "2"))));
    let mut book = UsageBook::default();
    book.apply(&first);
    book.expect(&[second.clone(), again.clone()]);
    assert_eq!(book.ahead.guess(second.at()), None, "a series that is not there yet");
    assert_eq!(book.ahead.guess(again.at()), Some(0), "passing over what was not guessed");
    assert_eq!(book.ahead.guess(again.at()), Some(0), "as often as one likes");
    assert_eq!(book.ahead.guess(first.at()), None, "what is behind is not guessed");
    let Event::UsageRecorded(usage) = &second.fact.event else { unreachable!("usage is usage") };
    assert_eq!(book.series_of(usage, Some(0)), 1, "the guess is another's");
    assert_eq!(book.series_of(usage, None), 1);
}
