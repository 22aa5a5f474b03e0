//! What must hold of every month whatever the numbers: more access never loses credit, splitting a
//! grant changes nothing, lines add up to totals.
//!
//! Amounts are compared exact. Each check is a function that names what is wrong; beside each stands
//! a control, in which the world or the answer is spoilt and the check has to see it.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{ChargeType, Portion};
use domain::facts::Facts;
use domain::ids::Currency;
use domain::invoice::{Draft, Grouping, Line, Totals, draft_with};
use domain::money::Exact;
use domain::pec::{Judge, LostCode};
use domain::period::Day;
use domain::rating::{Desk, Verdict, judged, line_key};

use super::answers::{self, Rows};
use super::dice::Dice;
use super::telling::guid;
use super::{fold, for_every_seed, messages, worlds};
use crate::oracle::access::active_alike;
use crate::oracle::conflict::Told;
use crate::oracle::groups;
use crate::oracle::world::{By, Delegation, Grant, Span, Spell, World};

/// Credit of each day of a resource and meter under a plan, exact.
type Credits = BTreeMap<String, Exact>;

/// Drafts of everybody who is billed, with what each day earned.
fn drafts(world: &World, facts: &Facts) -> (Vec<Draft>, Credits) {
    let commerce = facts.commerce.view();
    let desk = Desk::new(facts, &commerce);
    let mut judge = Judge::new(facts, &commerce);
    let period = Day(i32::try_from(world.days.0).expect("a day of this century")).period();
    let (mut drafts, mut credits) = (Vec::new(), Credits::new());
    for (number, partner) in world.partners.iter().enumerate() {
        if !world.plans.iter().any(|plan| plan.bill_to == number) {
            continue;
        }
        let currency = Currency::parse(partner.currency).expect("three letters");
        let (draft, _) =
            draft_with(&desk, guid(partner.tenant), currency, period, &mut judged(&mut judge), &mut |piece| {
                let name = format!("{} {} {} {}", piece.plan, piece.day, piece.scope, piece.meter);
                *credits.entry(name).or_default() += &(&piece.list_charge() - &piece.net_charge());
            });
        drafts.push(draft);
    }
    (drafts, credits)
}

fn credits(world: &World, seed: u64) -> Credits {
    drafts(world, &fold(&messages(world, seed))).1
}

// ------------------------------------------------------------------------------------- more access

/// The first day that earned more before than afterwards.
fn lost(before: &Credits, after: &Credits) -> Option<String> {
    before.iter().find_map(|(day, earned)| {
        let now = after.get(day).cloned().unwrap_or_default();
        (now < *earned).then(|| format!("{day}: {earned} before, {now} with more access"))
    })
}

/// One more grant of some kind for somebody, anywhere.
fn with_one_more(world: &World, dice: &mut Dice, number: u64) -> World {
    let mut world = world.clone();
    let used = dice.pick(&world.usage).clone();
    let depth = *dice.pick(&[3, 3, 5, 9]);
    let scope = used.resource.split('/').take(depth).collect::<Vec<_>>().join("/");
    let partner = dice.pick(&world.partners).clone();
    let held = worlds::span(dice, world.subscriptions[used.subscription].created);
    let role = worlds::role(dice);
    if dice.chance(25) {
        let scope = scope.split('/').take(5).collect::<Vec<_>>().join("/");
        world.delegations.push(Delegation {
            id: 9_500 + number,
            scope,
            managing_tenant: partner.managing_tenant,
            marketplace: dice.chance(60),
            principal: partner.identities[0],
            role: Told::of([role]),
            eligible_only: dice.chance(20),
            held,
        });
        worlds::estate::settle(&mut world);
        return world;
    }
    let principal = *dice.pick(&[partner.admin_agents, partner.helpdesk_agents, partner.identities[0]]);
    let individual = principal == partner.identities[0];
    let by = if individual && dice.chance(40) { By::Schedule } else { By::Assignment };
    let (role, held) = (Told::of([role]), Spell::of(&held));
    world.grants.push(Grant { id: 9_600 + number, scope, principal, role, held, by });
    worlds::estate::settle(&mut world);
    world
}

#[test]
fn more_access_never_loses_credit() {
    let gained = std::cell::Cell::new(0);
    for_every_seed(|seed| {
        let mut world = worlds::make(seed);
        if world.usage.is_empty() {
            return Ok(());
        }
        let (mut dice, mut before) = (Dice::new(seed ^ 0xacce55), credits(&world, seed));
        for number in 0..3 {
            world = with_one_more(&world, &mut dice, number);
            let after = credits(&world, seed);
            if let Some(less) = lost(&before, &after) {
                return Err(format!("after {:?} and {:?}: {less}", world.grants.last(), world.delegations.last()));
            }
            gained.set(gained.get() + u32::from(lost(&after, &before).is_some()));
            before = after;
        }
        Ok(())
    });
    // Grants that never matter would prove nothing.
    let gained = gained.get();
    assert!(gained > 20 || super::seeds().len() < 100, "only {gained} of the grants that were added earned anything");
}

/// The control: with less access the same check finds the day.
#[test]
fn less_access_is_seen_to_lose_credit() {
    let seen = |seed: &u64| {
        let world = worlds::make(*seed);
        let less = World { grants: Vec::new(), delegations: Vec::new(), ..world.clone() };
        lost(&credits(&world, *seed), &credits(&less, *seed)).is_some()
    };
    let seen = (0..40).filter(seen).count();
    assert!(seen > 10, "of 40 worlds that lost all access only {seen} lost credit");
}

// ---------------------------------------------------------------------------------------- splitting

/// How two parts of a grant meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meet {
    /// The second begins when the first ends.
    Adjacent,
    /// The second begins before the first ends.
    Overlapping,
    /// A minute is missing between them: no split at all, but a gap.
    Apart,
}

/// Two spans that together are one.
fn parts(held: &Span, meet: Meet, dice: &mut Dice) -> Option<(Span, Span)> {
    let (first, last) = worlds::window();
    // In the days of usage, where it could make a difference.
    let (from, to) = (held.from.max(first), held.to.unwrap_or(last));
    if to - from < 7_200 {
        return None;
    }
    let middle = dice.between(from + 3_000, to - 3_000);
    let (ends, begins) = match meet {
        Meet::Adjacent => (middle, middle),
        Meet::Overlapping => (middle + 600, middle - 600),
        Meet::Apart => (middle, middle + 60),
    };
    Some((Span { from: held.from, to: Some(ends) }, Span { from: begins, to: held.to }))
}

/// Every grant and delegation in two.
fn split(world: &World, meet: Option<Meet>, dice: &mut Dice) -> World {
    // Of what may or may not have been held a first half is known to have ended, the whole is not. Where a
    // schedule grants the same, a half may begin with it, and would be what Azure writes for its activation.
    let in_doubt = |grant: &Grant| {
        grant.by == By::RemovalAlone
            || groups::ways(world, grant.principal).iter().any(|way| way.unknown)
            || !active_alike(world, grant).is_empty()
    };
    let doubtful: Vec<bool> = world.grants.iter().map(in_doubt).collect();
    let mut world = world.clone();
    let (mut grants, mut delegations) = (Vec::new(), Vec::new());
    let how = |dice: &mut Dice| meet.unwrap_or(*dice.pick(&[Meet::Adjacent, Meet::Overlapping]));
    for ((number, grant), doubtful) in (0..).zip(world.grants).zip(doubtful) {
        // Which body of a conflict counts goes by digests, and two halves have others than the whole.
        let held = grant.held.span();
        let grant = Grant { role: Told::of([*grant.role.counts()]), held: Spell::of(&held), ..grant };
        match parts(&held, how(dice), dice).filter(|_| !doubtful) {
            None => grants.push(grant),
            Some((first, second)) => {
                grants.push(Grant { id: 9_700 + number, held: Spell::of(&second), ..grant.clone() });
                grants.push(Grant { held: Spell::of(&first), ..grant });
            }
        }
    }
    for (number, made) in (0..).zip(world.delegations) {
        let made = Delegation { role: Told::of([*made.role.counts()]), ..made };
        match parts(&made.held, how(dice), dice) {
            None => delegations.push(made),
            Some((first, second)) => {
                delegations.push(Delegation { id: 9_800 + number, held: second, ..made.clone() });
                delegations.push(Delegation { held: first, ..made });
            }
        }
    }
    (world.grants, world.delegations) = (grants, delegations);
    world
}

fn rows(world: &World, seed: u64) -> Rows {
    answers::of_domain(world, &fold(&messages(world, seed))).0
}

#[test]
fn splitting_a_grant_changes_nothing() {
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let again = split(&world, None, &mut Dice::new(seed ^ 0x59117));
        answers::difference(&rows(&world, seed), &rows(&again, seed)).map_or(Ok(()), Err)
    });
}

/// The control: parts that do not quite meet change days.
#[test]
fn a_minute_between_the_parts_is_seen() {
    let seen = |seed: &u64| {
        let world = worlds::make(*seed);
        let apart = split(&world, Some(Meet::Apart), &mut Dice::new(*seed));
        answers::difference(&rows(&world, *seed), &rows(&apart, *seed)).is_some()
    };
    let seen = (0..60).filter(seen).count();
    assert!(seen > 10, "of 60 worlds with gaps of a minute only {seen} were judged otherwise");
}

// ----------------------------------------------------------------------------------------- adding up

/// What the pieces of a month come to, line by line.
#[derive(Default)]
struct Sums {
    /// Quantity, list and net charge of a line, by its key.
    lines: BTreeMap<String, (Exact, Exact, Exact)>,
    lost: BTreeMap<LostCode, Exact>,
}

fn sums(facts: &Facts, draft: &Draft) -> Sums {
    let commerce = facts.commerce.view();
    let desk = Desk::new(facts, &commerce);
    let mut judge = Judge::new(facts, &commerce);
    let mut sums = Sums::default();
    draft_with(&desk, draft.bill_to, draft.currency, draft.period, &mut judged(&mut judge), &mut |piece| {
        let line = sums.lines.entry(format!("{:?}", line_key(piece))).or_default();
        line.0 += &piece.quantity.exact();
        line.1 += &piece.list_charge();
        line.2 += &piece.net_charge();
        if let Verdict::Lost(code) = piece.verdict {
            *sums.lost.entry(code).or_default() += &piece.credit_at_stake();
        }
    });
    sums
}

/// Whether a line is made of pieces of usage; what is bought, given back or refunded is not.
fn is_of_usage(line: &Line) -> bool {
    line.key
        .charge
        .as_ref()
        .is_none_or(|charge| line.key.portion == Portion::AzureCredit && charge.charge_type == ChargeType::New)
}

/// What of a draft does not add up: pieces to lines, days to lines, lines to groups, to totals, and
/// reasons to the credit that is missing.
fn amiss(draft: &Draft, totals: &Totals, sums: &Sums) -> Vec<String> {
    let named: BTreeSet<String> = draft.lines.iter().map(|line| format!("{:?}", line.key)).collect();
    let unnamed = sums.lines.keys().filter(|name| !named.contains(*name));
    let mut wrong: Vec<String> = unnamed.map(|name| format!("no line for the pieces of {name}")).collect();
    let mut same = |what: String, one: &Exact, other: &Exact| {
        if one != other {
            wrong.push(format!("{what}: {one} and {other}"));
        }
    };
    let none = (Exact::zero(), Exact::zero(), Exact::zero());
    let mut subtotal = Exact::zero();
    let mut lost: BTreeMap<LostCode, Exact> = BTreeMap::new();
    for line in &draft.lines {
        let name = format!("{:?}", line.key);
        if is_of_usage(line) {
            let (quantity, list, net) = sums.lines.get(&name).unwrap_or(&none);
            same(format!("quantity of {name} and its pieces"), &line.quantity, quantity);
            same(format!("list charge of {name} and its pieces"), &line.list_charge, list);
            same(format!("net charge of {name} and its pieces"), &line.net_charge, net);
        }
        let days: Exact = line.by_day.iter().map(|(_, quantity)| quantity).sum();
        same(format!("quantity of {name} and its days"), &line.quantity, &days);
        subtotal += &line.subtotal;
        for (code, amount) in &line.lost {
            *lost.entry(*code).or_default() += amount;
        }
    }
    let of_lines: Exact = draft.lines.iter().filter(|line| is_of_usage(line)).map(|line| &line.list_charge).sum();
    let of_pieces: Exact = sums.lines.values().map(|(_, list, _)| list).sum();
    same("list charges of lines and of pieces".to_owned(), &of_lines, &of_pieces);
    same("subtotal and its lines".to_owned(), &totals.subtotal, &subtotal);
    for grouping in [Grouping::Customer, Grouping::Plan, Grouping::Reseller] {
        let groups = draft.grouped(grouping);
        let subtotals: Exact = groups.values().map(|group| &group.subtotal).sum();
        same(format!("subtotal and its groups by {grouping:?}"), &totals.subtotal, &subtotals);
        let missing: Exact = groups.values().flat_map(|group| group.lost.values()).sum();
        same(format!("missing credit and its groups by {grouping:?}"), &totals.missing(), &missing);
    }
    for code in LostCode::ALL {
        let none = Exact::zero();
        let of_lines = lost.get(code).unwrap_or(&none);
        same(format!("{code} of the total and of its lines"), totals.lost.get(code).unwrap_or(&none), of_lines);
        same(format!("{code} of the lines and of their pieces"), of_lines, sums.lost.get(code).unwrap_or(&none));
    }
    let reasons: Exact = totals.lost.values().sum();
    same("missing credit and its reasons".to_owned(), &totals.missing(), &reasons);
    let (total, rounding) = draft.total_and_rounding();
    same("total less rounding and subtotal".to_owned(), &(&total - &rounding), &subtotal);
    wrong
}

#[test]
fn lines_add_up_to_totals() {
    for_every_seed(|seed| {
        let world = worlds::make(seed);
        let facts = fold(&messages(&world, seed));
        let (drafts, _) = drafts(&world, &facts);
        let mut wrong = drafts.iter().flat_map(|one| amiss(one, &one.totals(), &sums(&facts, one)));
        wrong.next().map_or(Ok(()), Err)
    });
}

/// The control: whatever is spoilt in a draft by the last digit does not add up any more.
#[test]
fn a_draft_that_was_tampered_with_does_not_add_up() {
    let crumb = Exact::parse("0.0000000000000001").expect("a number");
    let spoil: [(&str, fn(&mut Draft, &Exact)); 6] = [
        ("a line that is missing", |draft, _| drop(draft.lines.pop())),
        ("a crumb more list charge", |draft, crumb| draft.lines[0].list_charge += crumb),
        ("a crumb less to pay", |draft, crumb| draft.lines[0].net_charge -= crumb),
        ("a crumb of another quantity", |draft, crumb| draft.lines[0].quantity += crumb),
        ("a crumb on a day", |draft, crumb| draft.lines[0].by_day[0].1 += crumb),
        ("a crumb of another reason", |draft, crumb| {
            *draft.lines[0].lost.entry(LostCode::NeverGranted).or_default() += crumb;
        }),
    ];
    let mut tried = 0;
    for seed in 0..10 {
        let world = worlds::make(seed);
        let facts = fold(&messages(&world, seed));
        for mut draft in drafts(&world, &facts).0 {
            draft.lines.retain(is_of_usage);
            if draft.lines.is_empty() {
                continue;
            }
            let (draft, sums) = (&draft, sums(&facts, &draft));
            for (what, spoil) in spoil {
                let mut spoilt = draft.clone();
                spoil(&mut spoilt, &crumb);
                assert!(!amiss(&spoilt, &spoilt.totals(), &sums).is_empty(), "seed {seed}: {what} is not seen");
                tried += 1;
            }
            let mut totals = draft.totals();
            totals.subtotal += &crumb;
            assert!(!amiss(draft, &totals, &sums).is_empty(), "seed {seed}: a crumb on the total is not seen");
        }
    }
    assert!(tried > 30, "only {tried} drafts had lines to spoil");
}
