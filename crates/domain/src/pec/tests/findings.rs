//! What a finding of the judgement names: whoever reads it must find the partner, the plan and the records.

use super::world::*;
use crate::entry::*;
use crate::finding::{About, Code, Finding};
use crate::ids::{Guid, Identity, Market};
use crate::pec::Judge;
use crate::roles::{CONTRIBUTOR, OWNER};
use crate::scope::Scope;

const DAY: &str = "2026-02-10";

/// Every finding of one code about a day, with what it names and the records that it rests on.
fn found(world: &World, code: Code) -> Vec<(About, Vec<Identity>)> {
    let facts = world.facts();
    let commerce = facts.commerce.view();
    let mut judge = Judge::new(&facts, &commerce);
    let place = judge.place(SUB, &commerce.placements(SUB)[0], &vm());
    judge.access(place, d(DAY));
    let of_code = judge.findings().into_iter().filter(|finding| finding.code == code);
    of_code.map(|Finding { about, events, .. }| (about, events)).collect()
}

fn of_the_plan() -> About {
    About { plan: Some(PLAN), ..of_the_partner() }
}

fn of_the_partner() -> About {
    About { bill_to: Some(tenant(1)), ..About::default() }
}

fn qualify(world: &mut World, partner_id: Option<Box<str>>, enrolled_at: &str) -> Vec<Identity> {
    let (partner, at) = (tenant(2), t("2020-01-01"));
    let region = crate::regions::of(Market::parse("DE").unwrap()).unwrap();
    let events = [
        ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at: t(enrolled_at) }),
        ChannelEvent::ResellerOnboarded(ResellerOnboarded { partner, partner_id, at }),
        ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at }),
    ];
    events.map(|event| world.tell(Event::from(event))).to_vec()
}

#[test]
fn a_doubtful_grant_is_named_with_everything_that_it_bears_on() {
    let root = Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{CUSTOMER}"));
    let mut world = World::new();
    let granted = world.grant(1, &root, agents(1), OWNER, "2026-01-05");
    let (customer, subscription) = (Some(CUSTOMER), Some(SUB));
    let about = About { customer, subscription, resource: Some(root), ..of_the_plan() };
    assert_eq!(found(&world, Code::InheritedGrant), [(about, vec![granted])]);
}

#[test]
fn a_billed_partner_that_is_not_registered_in_full_is_named() {
    let mut world = World::without_partners();
    assert_eq!(found(&world, Code::NoMembership), [(of_the_partner(), vec![])]);
    assert_eq!(found(&world, Code::UnknownPartner), [(of_the_plan(), vec![])]);
    let mut registered = partner(1, PartnerKind::Provider);
    registered.admin_agents.clear();
    let statement = world.tell(Event::PartnerRegistered(registered));
    assert_eq!(found(&world, Code::UnknownPartner), []);
    assert_eq!(found(&world, Code::UnknownAgents), [(of_the_partner(), vec![statement])]);
}

#[test]
fn a_reseller_in_doubt_is_named_with_the_plan_and_the_records_of_its_qualification() {
    let mut untold = World::new();
    assert_eq!(found(&untold, Code::ResellerUntold), [(of_the_plan(), vec![])]);
    let behind = qualify(&mut untold, None, "2026-01-20");
    assert_eq!(found(&untold, Code::ResellerUntold), []);
    let about = About { subscription: Some(SUB), ..of_the_plan() };
    assert_eq!(found(&untold, Code::UnqualifiedReseller), [(about, behind)]);
}

/// Qualified at the very instant of its attachment is qualified by then.
#[test]
fn a_reseller_that_had_qualified_when_it_was_attached_is_no_finding() {
    for enrolled_at in ["2020-01-01", "2026-01-01"] {
        let mut world = World::new();
        qualify(&mut world, None, enrolled_at);
        assert_eq!(found(&world, Code::UnqualifiedReseller), [], "enrolled on {enrolled_at}");
    }
}

/// CHN-20: of the onboarding's own country or abroad, the finding names whose plan it is on.
#[test]
fn a_reseller_of_record_by_another_partner_id_than_its_onboardings_is_named_with_the_plan() {
    let mut second = partner(2, PartnerKind::Reseller);
    second.partner_ids.push(Dated { value: "2000009".into(), since: None, until: None });
    second.at = t("2020-01-02");
    for (onboarded, code) in
        [("2000009", Code::ResellerLocation), ("9999999", Code::ForeignPartnerId), ("2000002", Code::ResellerUntold)]
    {
        let mut world = World::new();
        world.tell(Event::PartnerRegistered(second.clone()));
        qualify(&mut world, Some(onboarded.into()), "2020-01-01");
        let named = [Code::ResellerLocation, Code::ForeignPartnerId].map(|one| found(&world, one));
        let expected = |one| if one == code { vec![(of_the_plan(), vec![])] } else { vec![] };
        assert_eq!(named, [Code::ResellerLocation, Code::ForeignPartnerId].map(expected), "onboarded as {onboarded}");
    }
}

/// CHN-20: one organisation may have accounts in several countries, and so may the other one that earns
/// beside it: each link is held against the accounts of its own organisation.
#[test]
fn a_link_is_held_against_the_country_of_its_own_organisations_account() {
    let in_france = |n: u128, organisation: &str, kind| PartnerRegistered {
        organisation: organisation.into(),
        country: Market::parse("FR").unwrap(),
        ..partner(n, kind)
    };
    let mut world = World::new();
    world.tell(Event::PartnerRegistered(in_france(2, "org-2", PartnerKind::Reseller)));
    world.tell(Event::PartnerRegistered(in_france(4, "org-1", PartnerKind::Other)));
    world.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
    let home = world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
    assert_eq!(found(&world, Code::ForeignPartnerId), [], "{home:?} is of the country of the billed account");
    world.link(user(1), CUSTOMER, &partner_id(4), "2026-02-01");
    assert_eq!(world.outcome(&vm(), DAY), "earned", "it counts, and is flagged");
    let flagged: Vec<Option<Guid>> =
        found(&world, Code::ForeignPartnerId).iter().map(|(about, _)| about.subscription).collect();
    assert_eq!(flagged, [Some(SUB)]);
}
