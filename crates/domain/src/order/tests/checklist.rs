//! Checklists: what a partner or a customer still has to do before the next order.

use super::shop::*;
use crate::entry::*;
use crate::ids::{Guid, Market};
use crate::regions::Region;

/// Each step's rule, and whether it is done.
fn done(steps: &[Step]) -> Vec<(&'static str, Option<bool>)> {
    steps.iter().map(|step| (step.rule, step.done)).collect()
}

fn of_partner(shop: &Shop, partner: Guid, when: &str) -> Vec<Step> {
    shop.at_desk(|desk| partner_steps(desk, partner, at(when)))
}

fn signed(partner: Guid, when: &str) -> ChannelEvent {
    let region = Region::parse("united-states").unwrap();
    ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at: at(when) })
}

#[test]
fn whoever_is_not_registered_starts_with_registering() {
    let steps = of_partner(&Shop::new(), Guid(0xf1), "2024-05-01");
    assert_eq!(done(&steps), [("CHN-1", Some(false)), ("CHN-2", Some(true)), ("CHN-7", None)]);
    assert_eq!(steps[1].how, "nothing", "good standing asks for nothing");
}

/// From registration to credit, each step done once its fact is told, and open again with the next one.
#[test]
fn a_direct_bill_partner_signs_names_its_location_protects_its_users_and_has_credit_left() {
    let mut shop = Shop::new();
    let open = done(&of_partner(&shop, DIRECT, "2024-05-01"));
    let never_told = [("CHN-7", None), ("CHN-16", None)];
    let registered = [("CHN-1", Some(true)), ("CHN-2", Some(true)), ("CHN-5", Some(false)), ("CHN-20", Some(false))];
    assert_eq!(open, [&registered[..], &never_told].concat());
    shop.tell(signed(DIRECT, "2024-01-01"));
    shop.tell(posture(DIRECT, MfaMethod::SecurityDefaults, true, "2024-01-01"));
    shop.tell(credit(DIRECT, "100", "99", "2024-01-01"));
    let with_location = Dated { value: "111111".into(), since: None, until: None };
    let with_location =
        PartnerRegistered { partner_ids: vec![with_location], ..partner(DIRECT, PartnerKind::DirectBill) };
    shop.tell(Event::PartnerRegistered(PartnerRegistered { at: at("2024-01-01"), ..with_location }));
    assert!(of_partner(&shop, DIRECT, "2024-05-01").iter().all(|step| step.done == Some(true)));
    shop.tell(credit(DIRECT, "100", "100", "2024-02-01"));
    let used_up = of_partner(&shop, DIRECT, "2024-02-01");
    assert_eq!(done(&used_up).last(), Some(&("CHN-16", Some(false))), "a limit that is used up leaves nothing");
    shop.tell(credit(DIRECT, "100", "101", "2024-03-01"));
    assert_eq!(done(&of_partner(&shop, DIRECT, "2024-03-01")).last(), Some(&("CHN-16", Some(false))));
}

/// CHN-2: the step says what to do, and by when it gets harder.
#[test]
fn a_restricted_partner_reads_what_comes_next_and_when() {
    let mut shop = Shop::new();
    shop.tell(ChannelEvent::PartnerRestricted(standing(DIRECT, "2024-04-20")));
    let step = |when: &str| {
        let step = of_partner(&shop, DIRECT, when).swap_remove(1);
        (step.done, step.how)
    };
    let open = |how: &str| (Some(false), how.to_owned());
    assert_eq!(step("2024-05-01"), open("meet the requirements; suspended from 2024-05-20 on"));
    assert_eq!(step("2024-05-20"), open("meet the requirements; revoked from 2024-06-19 on"));
    assert_eq!(step("2024-06-19"), open("let customers transfer; enrol as a reseller"));
}

/// CHN-7: before 2019-08-01 nobody was bound to it.
#[test]
fn a_second_factor_is_open_from_the_day_on_which_the_contract_asks_for_it() {
    let mut shop = Shop::new();
    shop.tell(posture(DIRECT, MfaMethod::None, false, "2019-01-01"));
    let protected = |when: &str| {
        let steps = of_partner(&shop, DIRECT, when);
        steps.iter().find(|step| step.rule == "CHN-7").unwrap().done
    };
    assert_eq!(["2019-07-31", "2019-08-01"].map(protected), [Some(true), Some(false)]);
}

/// CHN-6, CHN-12: nothing told counts as done; once anything is told, each of the steps by its own
/// instant. The link has no such grace.
#[test]
fn a_reseller_enrols_is_onboarded_and_links_to_a_provider() {
    let mut shop = Shop::new();
    let steps = |shop: &Shop, when: &str| done(&of_partner(shop, RESELLER, when))[5..].to_vec();
    let of = |onboarded, enrolled, linked| vec![("CHN-6", onboarded), ("CHN-6", enrolled), ("CHN-12", linked)];
    assert_eq!(steps(&shop, "2024-05-01"), of(None, None, Some(false)));
    let partner = RESELLER;
    shop.tell(ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at: at("2024-02-01") }));
    let onboarded = ResellerOnboarded { partner, partner_id: None, at: at("2024-03-01") };
    shop.tell(ChannelEvent::ResellerOnboarded(onboarded));
    shop.tell(linked(PROVIDER, RESELLER, "2024-04-01"));
    for (when, expected) in [
        ("2024-01-31", of(Some(false), Some(false), Some(false))),
        ("2024-02-01", of(Some(false), Some(true), Some(false))),
        ("2024-03-01", of(Some(true), Some(true), Some(false))),
        ("2024-04-01", of(Some(true), Some(true), Some(true))),
    ] {
        assert_eq!(steps(&shop, when), expected, "{when}");
    }
}

fn of_customer(shop: &Shop, customer: Guid, partner: Guid, when: &str) -> Vec<(&'static str, Option<bool>)> {
    shop.at_desk(|desk| done(&customer_steps(desk, customer, partner, at(when))))
}

/// From a stranger to a customer with a plan, each step on the day of its event.
#[test]
fn a_customer_consents_agrees_and_has_a_plan_of_this_partner() {
    let mut shop = Shop::new();
    let stranger = [("CHN-11", Some(false)), ("CHN-8", Some(true)), ("CHN-13", Some(false)), ("CHN-3", Some(false))];
    let stranger = [&stranger[..], &[("CHN-17", Some(false))]].concat();
    assert_eq!(of_customer(&shop, Guid(0xc9), DIRECT, "2024-05-01"), stranger);
    shop.tell(related(DIRECT, "2024-01-01"));
    shop.tell(attested(DIRECT, "2024-02-01", "2024-02-01"));
    shop.world.plan(PLAN, DIRECT, None, "2024-03-01");
    shop.world.plan(Guid(0xa2), PROVIDER, Some(RESELLER_ID), "2023-01-01");
    let expected = |related, agreed, plan| {
        let here = [("CHN-11", Some(true)), ("CHN-11", Some(true)), ("CHN-8", Some(true))];
        let rest = [("CHN-13", Some(related)), ("CHN-3", Some(agreed)), ("CHN-17", Some(plan))];
        [here, rest].concat()
    };
    let seen = |when: &str| of_customer(&shop, CUSTOMER, DIRECT, when);
    assert_eq!(seen("2023-12-31"), expected(false, false, false), "another partner's plan is no plan of this one");
    assert_eq!(seen("2024-01-31"), expected(true, false, false));
    assert_eq!(seen("2024-02-29"), expected(true, true, false));
    assert_eq!(seen("2024-03-01"), expected(true, true, true));
}

/// CHN-8, CHN-11: a partner's tenant and a country of another region, or of none, are open steps.
#[test]
fn a_customer_is_of_the_partners_region_and_no_partners_tenant() {
    let mut shop = Shop::new();
    let mut customer = |customer: Guid, country: &str| {
        let (name, market) = ("another".into(), Market::parse(country).unwrap());
        let registered = CustomerRegistered { customer, name, market, tenant_created: None, at: at("2020-01-01") };
        shop.tell(Event::CustomerRegistered(registered));
        customer
    };
    let (abroad, nowhere) = (customer(Guid(0xc2), "DE"), customer(Guid(0xc3), "KP"));
    shop.tell(designated(TenantUse::Csp, None, "2024-01-01"));
    let nobody = Guid(0xf2);
    let country = Market::parse("KP").unwrap();
    shop.tell(Event::PartnerRegistered(PartnerRegistered { country, ..partner(nobody, PartnerKind::DirectBill) }));
    let region = |customer, partner| of_customer(&shop, customer, partner, "2024-05-01")[1];
    assert_eq!(region(CUSTOMER, DIRECT), ("CHN-11", Some(true)));
    assert_eq!(region(abroad, DIRECT), ("CHN-11", Some(false)));
    assert_eq!(region(nowhere, nobody), ("CHN-11", Some(false)), "no region is no common region");
    let tenant = |customer| of_customer(&shop, customer, DIRECT, "2024-05-01")[2];
    assert_eq!([CUSTOMER, abroad].map(tenant), [("CHN-8", Some(false)), ("CHN-8", Some(true))]);
}
