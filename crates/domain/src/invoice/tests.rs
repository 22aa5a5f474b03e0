use super::*;
use crate::commerce::Commerce;
use crate::money::Rounding;
use crate::pec::LostCode;
use crate::testing::*;

pub(crate) fn drafted(world: &World, unit: &str, period: &str) -> (Draft, Vec<Finding>) {
    let commerce: Commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    draft(&desk, BILL_TO, currency(unit), month(period), &mut access)
}

/// Tier, quantity, EUP, charge without credit, charge, Subtotal.
fn printed(draft: &Draft) -> Vec<[String; 6]> {
    let lines = draft.lines.iter().map(|line| {
        [
            line.key.tier.to_string(),
            line.quantity.to_string(),
            line.effective_unit_price.to_string(),
            line.charge_without_credit.to_fixed(2),
            line.charge.to_fixed(2),
            line.subtotal.to_fixed(2),
        ]
    });
    lines.collect()
}

/// 23.2 units with and 5.8 without credit at 0.868 and a rate of 0.846202666.
#[test]
fn one_line_with_and_one_without_credit_each_cut_once() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("0.868")]);
    world.rate("2020-09", "EUR", "1.181749999355");
    for (name, day, quantity) in [("vm", "2020-09-01", "20"), ("vm", "2020-09-03", "3.2"), ("gap", "2020-09-02", "5.8")]
    {
        world.uses(name, day, quantity);
    }
    let (draft, findings) = drafted(&world, "EUR", "2020-09");
    assert_eq!(findings, []);
    assert_eq!(draft.exchange_rate.to_string(), "0.846202666");
    assert_eq!(
        printed(&draft),
        [["1", "5.8", "0.868", "5.03", "5.03", "4.25"], ["1", "23.2", "0.7375", "20.13", "17.11", "14.47"],]
    );
    let totals = draft.totals();
    assert_eq!(totals.lost, [(LostCode::Gap, Exact::parse("0.75516").unwrap())].into());
    assert_eq!(totals.earned.to_string(), "3.02064");
    assert_eq!(draft.total_and_rounding().0.to_string(), "18.72");
    assert_eq!(totals.printed_credit().to_string(), "2.56");
}

fn exact(text: &str) -> Exact {
    Exact::parse(text).unwrap()
}

fn used(rows: Vec<crate::entry::PriceRow>, name: &str, quantity: &str) -> Draft {
    let mut world = World::new();
    world.sheet("2020-09", rows);
    world.uses(name, "2020-09-02", quantity);
    let (draft, findings) = drafted(&world, "USD", "2020-09");
    assert!(findings.is_empty(), "{findings:?}");
    draft
}

fn records(csv: &str) -> impl Iterator<Item = Vec<&str>> {
    csv.lines().skip(1).map(|line| line.split(',').collect())
}

/// RATE-3, INV-1, INV-2. Source: azure-plan billing, worked table (2022-07-18), and the documented
/// reconciliation row, whose printed Subtotal of 0.01 contradicts its own formula.
#[test]
fn golden_vectors_of_the_effective_unit_price() {
    for record in records(include_str!("../../fixtures/golden-vectors-eup.csv")) {
        let [_, price, _, quantity, charge, effective] = record[..] else { panic!("{record:?}") };
        let draft = used(vec![row(price)], "vm", quantity);
        let line = &draft.lines[0];
        assert_eq!(line.charge, if charge.is_empty() { Exact::zero() } else { exact(charge) }, "{record:?}");
        assert_eq!(line.effective_unit_price, exact(effective), "{record:?}");
        if !line.charge.is_zero() {
            let back = (&line.effective_unit_price * &line.quantity).round(2, Rounding::TowardZero);
            assert_eq!(back, line.charge, "the printed price multiplies back");
        }
        assert_ne!(line.subtotal, exact("0.01"), "the documented slip");
    }
}

/// RATE-3. Source: azure-plan price list (2023-06-05).
#[test]
fn golden_vectors_of_the_tiers() {
    for record in records(include_str!("../../fixtures/golden-vectors-tier.csv")) {
        let [_, quantity, charge] = record[..] else { panic!("{record:?}") };
        let rows = vec![band("0", Some("100"), "1"), band("100", Some("100000"), "0.80"), band("100000", None, "0.50")];
        let draft = used(rows, "gap", quantity);
        assert_eq!(draft.totals().list, exact(charge), "{record:?}");
    }
}

/// RATE-3 with credit: the announced example (2023-10-03) prints 2.5415 and 81.33, which its own
/// formula does not give.
#[test]
fn a_free_tier_and_a_paid_one_with_credit() {
    let draft = used(vec![band("0", Some("5"), "0"), band("5", None, "2.99")], "vm", "37");
    assert_eq!(
        printed(&draft),
        [["1", "5", "0", "0.00", "0.00", "0.00"], ["2", "32", "2.54125", "95.68", "81.32", "81.32"]]
    );
    assert!(draft.lines.iter().all(|line| line.key.credit_rate.is_some()), "the free tier carries the label too");
    assert_ne!(draft.lines[1].subtotal, exact("81.33"));
    assert_ne!(draft.lines[1].effective_unit_price, exact("2.5415"));
}

/// The counter runs over days and resources in order: day, then resource id.
#[test]
fn tiers_are_drawn_in_order_of_day_and_resource() {
    let mut world = World::new();
    world.sheet("2020-09", vec![band("0", Some("10"), "1"), band("10", None, "2")]);
    for (name, start, quantity) in
        [("vm-b", "2020-09-02", "4"), ("vm-a", "2020-09-02", "3"), ("vm-c", "2020-09-01", "5")]
    {
        world.uses(name, start, quantity);
    }
    let mut pieces = Vec::new();
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    draft_with(&desk, BILL_TO, currency("USD"), month("2020-09"), &mut access, &mut |piece| {
        let name = piece.scope.as_str().rsplit('/').next().unwrap().to_owned();
        pieces.push((name, piece.band.tier, piece.quantity.to_string()));
    });
    let expected = [("vm-c", 1, "5"), ("vm-a", 1, "3"), ("vm-b", 1, "2"), ("vm-b", 2, "2")];
    assert_eq!(pieces, expected.map(|(name, tier, quantity)| (name.to_owned(), tier, quantity.to_owned())));
}

/// Examples, section 5: four days without credit, the others with it.
#[test]
fn days_with_and_without_credit_are_two_lines() {
    let mut world = World::new();
    world.sheet("2020-07", vec![row("1")]);
    for day in month("2020-07").days() {
        world.uses("some", &day.to_string(), "1");
    }
    let (draft, findings) = drafted(&world, "USD", "2020-07");
    assert_eq!(findings, []);
    let lines: Vec<_> = draft.lines.iter().map(|line| (line.key.credit_rate.is_some(), line.by_day.len())).collect();
    assert_eq!(lines, [(false, 4), (true, 27)]);
    let effective = draft.totals().earned.divide(&draft.totals().list, 6, Rounding::HalfEven).unwrap();
    assert_eq!(effective, exact("0.130645"));
}

/// A product of 31 digits that `rust_decimal` rounds up to 0.10.
#[test]
fn a_long_product_is_cut_and_never_rounded_up() {
    let draft = used(vec![row("0.8092700852398515892539")], "gap", "0.123568141");
    assert_eq!(draft.lines[0].charge, exact("0.09"));
    assert_eq!(draft.lines[0].list_charge, exact("0.0999999999999999999999999999999"));
}

#[test]
fn a_price_that_changes_within_the_month_makes_two_lines() {
    let day = |text: &str| crate::period::Day::parse(text).unwrap();
    let mut world = World::new();
    let before = crate::entry::PriceRow { until: day("2020-09-16"), ..row("1") };
    let after = crate::entry::PriceRow { from: day("2020-09-16"), ..row("2") };
    world.sheet("2020-09", vec![before, after]);
    world.uses("vm", "2020-09-15", "3");
    world.uses("vm", "2020-09-16", "3");
    let (draft, _) = drafted(&world, "USD", "2020-09");
    let charges: Vec<_> = draft.lines.iter().map(|line| line.charge_without_credit.to_string()).collect();
    assert_eq!(charges, ["3", "6"]);
}

/// A correction that takes more than was used: a blocking finding, and an amount cut toward zero.
#[test]
fn a_negative_day_is_cut_toward_zero_and_stops_the_closing() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("0.0133")]);
    let target = world.uses("gap", "2020-09-02", "1");
    let quantity = number("-2.5");
    world.tell(crate::entry::Event::UsageAdjusted(crate::entry::UsageAdjusted { target, quantity, reason: None }));
    let (draft, findings) = drafted(&world, "USD", "2020-09");
    assert_eq!(draft.lines[0].list_charge, exact("-0.01995"));
    assert_eq!(draft.lines[0].charge, exact("-0.01"));
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::NegativeDay]);
}

#[test]
fn yen_have_no_minor_unit_and_the_rounding_shows() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1.5")]);
    world.rate("2020-09", "JPY", "0.0095");
    world.uses("gap", "2020-09-02", "1");
    let (draft, _) = drafted(&world, "JPY", "2020-09");
    assert_eq!(draft.exchange_rate, exact("105.263157895"));
    assert_eq!(draft.lines[0].subtotal, exact("157.89"));
    assert_eq!(draft.total_and_rounding(), (exact("157"), exact("-0.89")));
}

#[test]
fn what_is_missing_is_a_finding_and_never_zero() {
    let codes = |world: &World, unit: &str| -> Vec<Code> {
        drafted(world, unit, "2020-09").1.into_iter().map(|finding| finding.code).collect()
    };
    let mut world = World::new();
    world.uses("vm", "2020-09-02", "1");
    assert_eq!(codes(&world, "USD"), [Code::NoPrice]);
    assert_eq!(drafted(&world, "USD", "2020-09").0.lines, []);
    world.sheet("2020-08", vec![row("1")]);
    assert_eq!(codes(&world, "USD"), [Code::NoPrice, Code::Estimate]);
    assert!(drafted(&world, "USD", "2020-09").0.lines[0].estimate);
    world.sheet("2020-09", vec![crate::entry::PriceRow { unit: "10 Hours".into(), ..row("1") }]);
    assert_eq!(codes(&world, "USD"), [Code::UnitMismatch]);
    world.sheet_at("2020-09", "2020-09-01", vec![row("1")]);
    assert_eq!(codes(&world, "USD"), []);
    assert_eq!(codes(&world, "EUR"), [Code::NoRate]);
    assert_eq!(drafted(&world, "EUR", "2020-09").0.currency, currency("USD"));
    let crate::entry::Event::UsageRecorded(mut lost) = usage("vm", "2020-09-03", "1") else { unreachable!() };
    lost.subscription = Guid(0xdead);
    world.tell(crate::entry::Event::UsageRecorded(lost.clone()));
    assert_eq!(codes(&world, "USD"), [Code::NoPlacement]);
    lost.subscription = SUBSCRIPTION;
    lost.plan = Some(Guid(0xdead));
    lost.resource = Some(crate::scope::Scope::subscription_of(Guid(9)));
    world.tell(crate::entry::Event::UsageRecorded(lost));
    assert_eq!(codes(&world, "USD"), [Code::NoPlacement, Code::ResourceMismatch, Code::PlanDiffers]);
}

/// INV-3: a month that was used needs its exchange rate even where no line of it can be made, and one in which
/// nothing happened needs none.
#[test]
fn usage_needs_a_rate_before_it_has_a_line() {
    let no_rate = |world: &World| drafted(world, "EUR", "2020-09").1.iter().any(|one| one.code == Code::NoRate);
    let mut world = World::new();
    assert!(!no_rate(&world));
    world.uses("vm", "2020-09-02", "1");
    assert_eq!(drafted(&world, "EUR", "2020-09").0.lines, []);
    assert!(no_rate(&world));
}

/// INV-7, INV-12: two tax rates of one day, and two documents of one revision, are named with the events that
/// tell them, so that somebody can say which is meant; the partner and the month are those of the draft.
#[test]
fn what_is_told_in_two_ways_is_named_with_its_events() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.uses("vm", "2020-09-02", "1");
    let from = crate::period::Day::parse("2020-01-01").unwrap();
    let mut told = Vec::new();
    for rate in ["0.25", "0.20"] {
        let location = crate::ids::Market::parse("DK").unwrap();
        let tax = crate::entry::TaxSet { partner: BILL_TO, location, rate: number(rate), from };
        told.push(world.tell(crate::entry::Event::TaxSet(tax)));
    }
    let mut said = Vec::new();
    for value in ["per-line", "on-total"] {
        let settings = vec![crate::entry::PolicySetting { name: "tax".into(), value: value.into() }];
        let document = crate::entry::PolicyDocument { revision: 1, effective_from: from, settings };
        said.push(world.tell(crate::entry::Event::PolicyPublished(document)));
    }
    let (_, findings) = drafted(&world, "USD", "2020-09");
    let of = |code: Code| findings.iter().find(|one| one.code == code).unwrap();
    for (code, mut events) in [(Code::EqualTax, told), (Code::EqualPolicies, said)] {
        let mut named = of(code).events.clone();
        named.sort_unstable();
        events.sort_unstable();
        assert_eq!(named, events);
        let about = (of(code).about.bill_to, of(code).about.period);
        assert_eq!(about, (Some(BILL_TO), Some(month("2020-09"))));
    }
}

/// Plans need nothing of each other: rated side by side and put together they come to the same draft, and
/// to the same findings with the same money behind them.
#[test]
fn plans_rated_side_by_side_come_to_the_same_draft() {
    let (second, subscription) = (Guid(0xa2), Guid(0x5c));
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.plan(second, BILL_TO, None, "2020-01-01");
    world.subscription(subscription, second, crate::entry::Offer::AzurePlan, "2020-01-01");
    for (name, quantity) in [("vm", "2"), ("unknown-a", "3")] {
        world.uses(name, "2020-09-02", quantity);
        let crate::entry::Event::UsageRecorded(mut there) = usage(name, "2020-09-02", quantity) else { unreachable!() };
        there.subscription = subscription;
        world.tell(crate::entry::Event::UsageRecorded(there));
    }
    let commerce: Commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let asked = (BILL_TO, currency("USD"), month("2020-09"));
    let share = |wanted: &dyn Fn(Guid) -> bool| Share::rate(&desk, asked, wanted, &mut access, &mut |_| {});
    let mut joined = share(&|plan| plan == PLAN);
    joined.join(share(&|plan| plan == second));
    let (draft, findings) = draft_of(&desk, asked, joined);
    assert_eq!(
        (&draft, &findings),
        (&draft_of(&desk, asked, share(&|_| true)).0, &drafted(&world, "USD", "2020-09").1)
    );
    let stakes = findings.iter().filter(|one| one.code == Code::UnknownAccess).filter_map(|one| one.charge.clone());
    assert_eq!(stakes.collect::<Vec<_>>(), [exact("3"), exact("3")], "one in either plan");
    assert_eq!(draft.totals().list, exact("10"));
}

/// RATE-4, RATE-5, RATE-7: what the product excludes is never lost, and free usage has nothing at
/// stake.
#[test]
fn the_product_excludes_before_access_is_asked_for() {
    use crate::entry::PriceRow;
    let tagged = |tag: &str| PriceRow { tags: vec!["Azure".into(), tag.into()], ..row("1") };
    let cases = [
        (tagged("ThirdParty"), "third-party"),
        (tagged("third party"), "third-party"),
        (PriceRow { sku_title: "D4 v3 Spot".into(), ..row("1") }, "spot"),
        (tagged("Marketplace"), "marketplace"),
        (row("0"), "zero-charge"),
    ];
    for (row, code) in cases {
        for name in ["vm", "gap"] {
            let draft = used(vec![row.clone()], name, "3");
            assert!(draft.totals().lost.values().all(Exact::is_zero), "{code}");
            assert!(draft.totals().earned.is_zero(), "{code}");
            let labelled = draft.lines[0].key.credit_rate.is_some();
            assert_eq!(labelled, code == "zero-charge" && name == "vm", "{code} {name}");
        }
    }
}

/// A transfer at noon: each side is charged for what began under it; usage that began before the
/// subscription existed belongs to the first that did.
#[test]
fn usage_goes_where_its_start_lies() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.plan(Guid(0xa2), Guid(0xb2), None, "2020-01-01");
    world.tell(crate::entry::Event::TransferCompleted(crate::entry::TransferCompleted {
        subscription: SUBSCRIPTION,
        to_plan: Guid(0xa2),
        at: at("2020-09-02T12:30:00Z"),
    }));
    for (start, quantity) in
        [("2020-09-02T11:00:00Z", "1"), ("2020-09-02T12:00:00Z", "2"), ("2020-09-02T13:00:00Z", "4")]
    {
        world.uses("gap", start, quantity);
    }
    let commerce = world.facts.commerce.view();
    let desk = Desk::new(&world.facts, &commerce);
    let total = |bill_to: Guid| draft(&desk, bill_to, currency("USD"), month("2020-09"), &mut access).0.totals();
    assert_eq!(total(BILL_TO).list, exact("3"));
    assert_eq!(total(Guid(0xb2)).list, exact("4"));
}

#[test]
fn a_new_reseller_of_record_makes_another_line_and_another_group() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.tell(crate::entry::Event::ResellerOfRecordSet(crate::entry::ResellerOfRecordSet {
        plan: PLAN,
        reseller: Some("7".into()),
        at: at("2020-09-02T12:00:00Z"),
    }));
    world.uses("gap", "2020-09-02T11:00:00Z", "1");
    world.uses("gap", "2020-09-02T12:00:00Z", "2");
    let (draft, _) = drafted(&world, "USD", "2020-09");
    let groups: Vec<_> = draft
        .grouped(Grouping::Reseller)
        .into_iter()
        .map(|(name, totals)| (name, totals.subtotal.to_string()))
        .collect();
    assert_eq!(groups, [("6048879".to_owned(), "1".to_owned()), ("7".to_owned(), "2".to_owned())]);
}

#[test]
fn the_rate_of_the_day_comes_from_the_policy_of_the_day() {
    let mut world = World::new();
    world.sheet("2020-09", vec![row("1")]);
    world.policy(1, "2020-09-10", "credit-rate", "0.20");
    for (name, day) in [("vm", "2020-09-09"), ("vm", "2020-09-10"), ("gap", "2020-09-11")] {
        world.uses(name, day, "100");
    }
    let (draft, _) = drafted(&world, "USD", "2020-09");
    let charges: Vec<_> = draft.lines.iter().map(|line| line.charge.to_string()).collect();
    assert_eq!(charges, ["100", "85", "80"]);
    assert_eq!(draft.totals().missing(), exact("20"));
}

/// INV-5 and the order of arrival: a hundred random usage events with corrections, told in twenty
/// orders. Reasons add up to what full access would have earned more, and credit never exceeds the
/// rate.
#[test]
fn drafts_depend_on_the_set_and_reasons_add_up() {
    let mut lot = Lot(7);
    let mut facts: Vec<(u128, u8, crate::entry::Event)> = Vec::new();
    for id in 1..=100_u128 {
        let name = ["vm-a", "vm-b", "gap-a", "removed-a", "some"][lot.below(5)];
        let start = format!("2020-09-{:02}T{:02}:00:00Z", 1 + lot.below(30), lot.below(24));
        let quantity = format!("{}.{:06}", lot.below(40), lot.below(1_000_000));
        facts.push((id, 1, usage(name, &start, &quantity)));
        let target = crate::ids::Identity(1 + lot.below(120) as u128);
        match lot.below(6) {
            0 => {
                let quantity = -number(&format!("0.{:04}", lot.below(10_000)));
                let adjusted = crate::entry::UsageAdjusted { target, quantity, reason: None };
                facts.push((id + 1000, 1, crate::entry::Event::UsageAdjusted(adjusted)));
            }
            1 => facts.push((
                id + 1000,
                1,
                crate::entry::Event::UsageVoided(crate::entry::UsageVoided { target, reason: None }),
            )),
            2 => facts.push((id, 2 + u8::try_from(lot.below(3)).unwrap(), usage(name, &start, "3"))),
            _ => {}
        }
    }
    let mut first: Option<(Draft, Vec<Finding>)> = None;
    for _ in 0..20 {
        let mut world = World::new();
        world.sheet("2020-09", vec![band("0", Some("300"), "0.8681"), band("300", None, "0.333")]);
        for (id, digest, event) in &facts {
            world.tell_as(*id, *digest, event.clone());
        }
        let (draft, findings) = drafted(&world, "USD", "2020-09");
        let totals = draft.totals();
        let stake = draft.lines.iter().fold(Exact::zero(), |sum, line| &sum + &(&line.list_charge * &exact("0.15")));
        assert_eq!(&totals.missing() + &totals.earned, stake);
        assert!(totals.earned > Exact::zero() && totals.earned < stake);
        match &first {
            None => first = Some((draft, findings)),
            Some(first) => assert_eq!(*first, (draft, findings)),
        }
        lot.shuffle(&mut facts);
    }
}
