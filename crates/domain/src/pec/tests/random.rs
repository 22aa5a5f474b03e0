//! Random worlds: what must hold of every one of them.

use super::world::*;
use crate::entry::{
    AssignmentsListed, Authorization, Entry, Event, MembershipChange, Outcome, Part, PartnerStanding,
    ResellerOfRecordSet, TransferCompleted,
};
use crate::ids::Guid;
use crate::pec::{AccessVerdict, Judge};
use crate::period::Period;
use crate::roles::{CONTRIBUTOR, OWNER, READER};

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()].clone()
    }

    /// Some instant in the first days of February; often a midnight.
    fn at(&mut self) -> String {
        let day = 1 + self.below(12);
        let (hour, minute) = if self.below(3) == 0 { (0, 0) } else { (self.below(24), self.below(60)) };
        format!("2026-02-{day:02}T{hour:02}:{minute:02}:00")
    }
}

fn step(dice: &mut Dice, world: &mut World) {
    let n = 1 + u128::from(dice.below(3));
    let principal = dice.pick(&[agents(n), helpdesk(n), user(n), user(9)]);
    let role = dice.pick(&[OWNER, CONTRIBUTOR, READER]);
    let scope = dice.pick(&[sub(), group(), vm()]);
    let id = 1 + u128::from(dice.below(6));
    let at = dice.at();
    match dice.below(13) {
        0..=3 => {
            world.grant(id, &scope, principal, role, &at);
        }
        4 | 5 => {
            world.revoke(id, &scope, &at);
        }
        6 => {
            world.link(user(n), CUSTOMER, &partner_id(n), &at);
        }
        7 => {
            world.unlink(user(n), CUSTOMER, &at);
        }
        8 => {
            let authorization = Authorization { principal: user(n), role, eligible_only: dice.below(3) == 0 };
            let offer = dice.pick(&[Offered::Marketplace, Offered::Template]);
            world.delegate(id, &scope, tenant(n), offer, authorization, &at);
        }
        9 => {
            world.schedule(id, user(n), role, &at, &dice.at());
        }
        10 => {
            let reseller = dice.pick(&[None, Some(partner_id(2)), Some(partner_id(3))]);
            world.tell(Event::ResellerOfRecordSet(ResellerOfRecordSet { plan: PLAN, reseller, at: t(&at) }));
        }
        11 => {
            let change = MembershipChange { partner: tenant(1), at: t(&at) };
            let standing = PartnerStanding { partner: tenant(n), reason: "r".into(), at: t(&at) };
            world.tell(dice.pick(&[
                Event::MembershipEnded(change.clone()),
                Event::MembershipStarted(change),
                Event::PartnerBarred(standing.clone()),
                Event::PartnerReinstated(standing),
            ]));
        }
        _ => {
            world.tell(dice.pick(&[
                Event::AssignmentsListed(AssignmentsListed {
                    scope: sub(),
                    at: t(&at),
                    complete: true,
                    part: Part { of: at.as_str().into(), number: 0, count: 1 },
                    assignments: Vec::new(),
                }),
                Event::TransferCompleted(TransferCompleted { subscription: SUB, to_plan: PLAN_3, at: t(&at) }),
            ]));
        }
    }
}

fn random_world(seed: u64) -> World {
    let mut dice = Dice(seed);
    let mut world = World::new();
    if dice.below(6) == 0 {
        world.policy("union-of-grants", "no");
    }
    for _ in 0..(4 + dice.below(14)) {
        step(&mut dice, &mut world);
    }
    world
}

/// Every verdict of the days around, asked of one judge in order, or of a fresh one each time.
fn verdicts(entries: &[Entry], fresh: Fresh) -> Vec<AccessVerdict> {
    let facts = facts_from(entries);
    let commerce = facts.commerce.view();
    let mut judge = Judge::new(&facts, &commerce);
    let mut all = Vec::new();
    for placement in commerce.placements(SUB) {
        for scope in [sub(), group(), vm()] {
            for day in Period::parse("2026-02").unwrap().days().take(16) {
                if fresh == Fresh::EachTime {
                    judge = Judge::new(&facts, &commerce);
                }
                if placement.interval.intersect(&day.interval()).is_empty() {
                    continue;
                }
                let place = judge.place(SUB, placement, &scope);
                all.push(judge.access(place, day));
            }
        }
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fresh {
    Once,
    EachTime,
}

/// What the judge remembers between days changes no answer.
#[test]
fn days_alike_are_judged_alike() {
    let (mut earned, mut lost) = (0, std::collections::BTreeSet::new());
    for seed in 0..150 {
        let entries = random_world(seed).entries();
        let remembered = verdicts(&entries, Fresh::Once);
        assert_eq!(remembered, verdicts(&entries, Fresh::EachTime), "seed {seed}");
        earned += remembered.iter().filter(|verdict| verdict.is_earned()).count();
        lost.extend(remembered.iter().filter_map(|verdict| verdict.lost().map(|loss| (loss.code, loss.several))));
    }
    assert!(earned > 500, "the worlds are worth testing: {earned} earned");
    assert!(lost.len() > 15, "the worlds are worth testing: {lost:?}");
}

/// Order of arrival and repetition change nothing.
#[test]
fn the_verdict_depends_on_the_set_of_facts_alone() {
    for seed in 0..150 {
        let entries = random_world(seed).entries();
        let expected = verdicts(&entries, Fresh::Once);
        let mut dice = Dice(seed + 1000);
        let mut shuffled = entries.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, usize::try_from(dice.below(at as u64 + 1)).unwrap());
        }
        let again = |entry: &Entry| [entry.clone(), Entry { outcome: Outcome::Duplicate, ..entry.clone() }];
        let shuffled: Vec<Entry> = shuffled.iter().flat_map(again).collect();
        assert_eq!(verdicts(&shuffled, Fresh::Once), expected, "seed {seed}");
    }
}

/// One more grant of a partner in good standing never loses a day.
#[test]
fn more_access_never_loses_credit() {
    let mut gained = 0;
    for seed in 0..150 {
        let mut world = random_world(seed);
        let before = verdicts(&world.entries(), Fresh::Once);
        let mut dice = Dice(seed + 2000);
        let at = dice.at();
        world.grant(77, &dice.pick(&[sub(), group(), vm()]), agents(1), OWNER, &at);
        let after = verdicts(&world.entries(), Fresh::Once);
        for (before, after) in before.iter().zip(&after) {
            assert!(!before.is_earned() || after.is_earned(), "seed {seed}: {before:?} became {after:?}");
            gained += usize::from(!before.is_earned() && after.is_earned());
        }
    }
    assert!(gained > 100, "the grants are worth adding: {gained} days gained");
}

/// An earned day is covered without a hole by what it cites; a lost one names what was open.
#[test]
fn an_answer_carries_its_proof() {
    for seed in 0..150 {
        for verdict in verdicts(&random_world(seed).entries(), Fresh::Once) {
            match &verdict {
                AccessVerdict::Earned(cover) => {
                    assert!(!cover.holdings.is_empty(), "seed {seed}");
                    for holding in &cover.holdings {
                        assert!(
                            !holding.events.is_empty() && !holding.organisations.is_empty(),
                            "seed {seed}: {holding:?}"
                        );
                        assert_ne!((holding.principal, holding.role), (Guid(0), READER), "seed {seed}");
                    }
                }
                AccessVerdict::Lost(loss) => {
                    let within = |open: &crate::period::Interval| {
                        loss.tested.iter().any(|part| part.from <= open.from && open.to <= part.to)
                    };
                    assert!(loss.open.iter().all(within), "seed {seed}");
                    assert!(!loss.also.contains(&loss.code), "seed {seed}");
                    assert!(!loss.several || loss.also.is_empty(), "seed {seed}: several, yet one alone would do");
                }
            }
        }
    }
}
