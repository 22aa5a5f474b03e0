use super::*;
use crate::commerce::Commerce;
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
