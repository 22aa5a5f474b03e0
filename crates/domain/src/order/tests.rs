//! The rules over whole orders: every reason at once, instants, and tables that are not empty.

mod shop;
mod afterwards;
mod azure;
mod checklist;

use std::collections::BTreeSet;

use super::*;
use crate::channel::State;
use crate::entry::*;
use rules::Left;
use shop::*;

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
    use crate::ids::Guid;
    use crate::testing::BILL_TO;
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

/// CHN-10, CHN-13: a reseller neither buys from its own provider nor becomes its customer. What it has
/// already renews and changes, so that it can leave.
#[test]
fn a_reseller_may_not_become_its_own_providers_customer() {
    let refused = |class| !rules::own_reseller(rules::Bond::Standing, class).is_empty();
    assert!([Class::Purchase, Class::Transition, Class::Transfer, Class::Relationship].into_iter().all(refused));
    assert!(![Class::Change, Class::Renewal, Class::Manage].into_iter().any(refused));
}

/// CHN-17: the plan and the classic offer exclude each other, on whatever day the classic one is ordered.
#[test]
fn the_classic_offer_is_not_sold_beside_a_plan() {
    use rules::Azure;
    let sold = |azure, open| rules::plan(OrderKind::LegacyAzure, azure, open).is_empty();
    for open in [true, false] {
        assert!([Azure::Suspended, Azure::Plan, Azure::PlanInUse].into_iter().all(|azure| !sold(azure, open)));
        assert!(sold(Azure::Legacy, open), "whoever has it may have more of it");
        assert_eq!(sold(Azure::Nothing, open), open);
    }
}

/// The tables of the document: one row where the answer is the same for any order, and the policy's word
/// only where the policy is asked.
#[test]
fn a_table_puts_together_what_is_answered_alike() {
    let tables = tables();
    let rows = |rule: &str| &tables.iter().find(|table| table.rule == rule).unwrap().rows;
    let standing = rows("CHN-2");
    let mut asked: Vec<[&str; 2]> = standing.iter().map(|row| [&*row[0], &*row[1]]).collect();
    asked.dedup();
    let left = ["nothing", "renewals", "renewals and changes"];
    let by_policy = ["suspended", "revoked"].into_iter().flat_map(|state| left.map(|left| [state, left]));
    let by_state = [["in good standing", "-"], ["restricted", "-"]];
    assert_eq!(asked, by_state.into_iter().chain(by_policy).collect::<Vec<_>>());
    assert_eq!(standing[0], ["in good standing", "-", "any", "fine"]);
    assert!(standing[1..].iter().all(|row| row[2] != "any"), "a restricted partner may do some of it");
    let agreement = rows("CHN-3");
    assert_eq!(agreement[0], ["before the plan", "no", "any", "fine"]);
    assert!(agreement.iter().any(|row| row[2] != "any"));
}

#[test]
fn the_table_of_roles_says_who_is_billed_orders_attests_and_earns() {
    use rules::Seller;
    let rights = rights();
    let row = |seller: Seller, word: &str| {
        let mut row = vec![seller.text().to_owned()];
        row.extend(std::iter::repeat_n(word.to_owned(), 4));
        row
    };
    let billed = [row(Seller::DirectBill, "yes"), row(Seller::Provider, "yes")];
    let not_billed = [row(Seller::Reseller, "no"), row(Seller::Other, "no")];
    assert_eq!(rights.rows, [billed, not_billed].concat(), "and nobody who is not registered");
}

/// CHN-20: an order through a provider names the PartnerID with which the reseller was onboarded; where
/// that is not told, one of its locations that is active then.
#[test]
fn a_customer_is_served_under_the_partner_id_of_its_reseller() {
    let mut shop = Shop::new();
    shop.tell(related(DIRECT, "2024-01-01"));
    shop.tell(related(PROVIDER, "2024-01-01"));
    let named = |shop: &Shop, partner, when: &str| {
        shop.at_desk(|desk| reseller_of(desk, CUSTOMER, partner, at(when))).map(String::from)
    };
    assert_eq!(named(&shop, PROVIDER, "2023-12-31"), None);
    assert_eq!(named(&shop, PROVIDER, "2024-01-01").as_deref(), Some(RESELLER_ID));
    assert_eq!(named(&shop, DIRECT, "2024-01-01"), None, "sold direct");
    let partner_id = Some("111111".into());
    let onboarded = ResellerOnboarded { partner: RESELLER, partner_id, at: at("2024-01-01") };
    shop.tell(ChannelEvent::ResellerOnboarded(onboarded));
    assert_eq!(named(&shop, PROVIDER, "2024-01-01").as_deref(), Some("111111"));
}

/// Everything that speaks against one purchase is cited where it speaks.
#[test]
fn a_refused_purchase_cites_what_was_told_of_seller_and_buyer() {
    let mut shop = Shop::new();
    shop.classic(DIRECT);
    let restricted = shop.tell(ChannelEvent::PartnerRestricted(standing(DIRECT, "2024-04-20")));
    let unprotected = shop.tell(posture(DIRECT, MfaMethod::None, false, "2024-04-01"));
    shop.tell(related(DIRECT, "2023-01-01"));
    let over = shop.tell(ended(DIRECT, "2024-01-01"));
    let designated = shop.tell(designated(TenantUse::Csp, Some(DIRECT), "2024-02-01"));
    let used_up = shop.tell(credit(DIRECT, "100", "100", "2024-04-01"));
    let waits = shop.tell(transition(DIRECT, TransitionState::Pending, "2024-04-01"));
    let order = order(OrderKind::Licences, DIRECT, "2024-05-01");
    let cited = |ground| shop.cited(&order, ground);
    assert_eq!(cited(Ground::Restricted), [restricted]);
    assert_eq!(cited(Ground::MfaMissing), [unprotected]);
    assert_eq!(cited(Ground::RelationshipEnded), [over]);
    assert_eq!(cited(Ground::CspTenant), [designated]);
    assert_eq!(cited(Ground::Myself), [designated], "whose tenant it is was designated too");
    assert_eq!(cited(Ground::CreditShort), [used_up]);
    assert_eq!(cited(Ground::TransitionWaiting), [waits]);
}

#[test]
fn a_refused_order_through_a_reseller_cites_what_was_told_of_the_reseller() {
    let mut shop = Shop::new();
    let affiliated = CustomerAffiliated { customer: CUSTOMER, partner: PROVIDER, at: at("2024-01-01"), until: None };
    let group = shop.tell(ChannelEvent::CustomerAffiliated(affiliated));
    let buyer_resells = shop.tell(linked(PROVIDER, CUSTOMER, "2024-01-01"));
    let enrolled = ResellerEnrolled { partner: RESELLER, at: at("2024-01-01") };
    let enrolled = shop.tell(ChannelEvent::ResellerEnrolled(enrolled));
    let order = order(OrderKind::Licences, PROVIDER, "2024-05-01");
    let cited = |ground| shop.cited(&order, ground);
    assert_eq!(cited(Ground::Affiliate), [group]);
    assert_eq!(cited(Ground::OwnReseller), [buyer_resells]);
    assert_eq!(cited(Ground::ResellerNotOnboarded), [enrolled]);
    assert_eq!(cited(Ground::ResellerAgreement), [enrolled]);
    assert_eq!(cited(Ground::NoRelationship), [], "nothing was ever told of it");
}

/// CHN-4, 600061: the same person need not be attested twice. What the attestation itself brings about
/// at its own instant is not an earlier one.
#[test]
fn a_second_attestation_cites_the_first_and_never_itself() {
    let mut shop = Shop::new();
    let first = shop.tell(attested(DIRECT, "2024-01-01", "2024-01-05"));
    let attest = |when: &str| {
        let (role, agreed_at) = (AttesterRole::AdminAgent, at("2024-01-01"));
        let attestation = Some(Attestation { contact: contact(), role, agreed_at });
        OrderRequested { attestation, ..order(OrderKind::Attestation, DIRECT, when) }
    };
    assert_eq!(shop.cited(&attest("2024-02-01"), Ground::AlreadyAttested), [first]);
    assert!(!shop.refuses(&attest("2024-01-05"), Ground::AlreadyAttested));
}

/// The answer stands on its own: its source is that of the rule that refused, word for word.
#[test]
fn a_reason_names_the_source_of_its_own_rule() {
    for ground in Ground::ALL {
        assert!(SOURCES.contains(&(ground.rule(), ground.source())), "{} names another source", ground.text());
    }
}
