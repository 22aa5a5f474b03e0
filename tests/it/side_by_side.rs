//! A month drafted on several cores is the month drafted on one, line by line and finding by finding.

use std::collections::BTreeSet;

use app::scenario::{playing, reading};
use engine::books::Books;
use engine::side_by_side::Hands;

use crate::source;

#[test]
fn drafts_are_the_same_however_many_hands_draw_them() {
    let (mut drafts, mut shared) = (0, 0);
    for file in source::files("tests/scenarios", &[".toml"]) {
        let scenario = reading::read(&file.path, &file.text).unwrap_or_else(|error| panic!("{error:#}"));
        let facts = playing::in_memory(&scenario, None).unwrap_or_else(|error| panic!("{}: {error:#}", file.path));
        let commerce = facts.commerce.view();
        let mut books = Books::new(&facts, &commerce);
        let mut hands = Hands::of(&facts, &commerce, 3);
        for period in books.periods() {
            for bill_to in books.bill_to() {
                let alone = books.drafts(bill_to, period, &mut |_| {});
                assert_eq!(hands.drafts(bill_to, period), alone, "{}: {period}", file.path);
                drafts += alone.len();
                let plans: BTreeSet<_> =
                    alone.iter().flat_map(|(draft, _)| &draft.lines).map(|line| line.key.plan).collect();
                shared += usize::from(plans.len() > 1);
            }
        }
    }
    assert!(drafts > 100 && shared > 3, "{drafts} drafts, {shared} of them of several plans, show too little");
}
