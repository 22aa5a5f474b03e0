//! The reasons of a lost day, each provoked, and the examples they were specified with.

use super::world::*;
use crate::entry::{Authorization, Event, MembershipChange, PartnerKind, PartnerStanding};
use crate::pec::{LostCode, Remedy};
use crate::roles::{CONTRIBUTOR, OWNER, READER};

const DAY: &str = "2026-02-10";

#[test]
fn helpdesk_as_reader_beside_a_removed_aobo_reads_removed() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.revoke(1, &sub(), "2026-02-01T09:00:00");
    world.grant(2, &sub(), helpdesk(1), READER, "2026-01-05");
    assert_eq!(world.lost(DAY), (LostCode::Removed, vec![LostCode::RoleNotEligible]));
}

#[test]
fn a_new_partner_after_a_transfer_reads_other_partner() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.tell(Event::TransferCompleted(crate::entry::TransferCompleted {
        subscription: SUB,
        to_plan: PLAN_3,
        at: t("2026-02-01"),
    }));
    assert_eq!(world.lost(DAY), (LostCode::OtherPartner, vec![]));
}

#[test]
fn a_user_without_link_beside_an_aobo_that_went_reads_pal_missing() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.revoke(1, &sub(), "2026-01-06");
    world.grant(2, &sub(), user(1), OWNER, "2026-01-07");
    assert_eq!(world.lost(DAY), (LostCode::PalMissing, vec![LostCode::Removed]));
}

/// The customer's own administrator holds Owner without a link: that is nobody's missing link.
#[test]
fn a_customers_own_employee_is_not_repaired() {
    let mut world = World::new();
    world.grant(1, &sub(), crate::ids::Guid(0x9999), OWNER, "2026-01-05");
    assert_eq!(world.lost(DAY), (LostCode::NeverGranted, vec![]));
}

#[test]
fn partner_role() {
    let mut world = World::new();
    let mut changed = crate::entry::PartnerRegistered { at: t("2021-01-01"), ..partner(1, PartnerKind::Reseller) };
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
    let statement = world.tell(Event::PartnerRegistered(changed.clone()));
    assert_eq!(world.lost(DAY), (LostCode::PartnerRole, vec![]));
    assert_eq!(*world.verdict(&vm(), DAY).lost().unwrap().events, [statement]);
    changed.kind = PartnerKind::DirectBill;
    changed.at = t("2022-01-01");
    world.tell(Event::PartnerRegistered(changed));
    assert_eq!(world.outcome(&vm(), DAY), "earned", "the newest statement is whole");
}

#[test]
fn membership_must_be_active_throughout() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    let ended = MembershipChange { partner: tenant(1), at: t("2026-02-10T23:59:00") };
    world.tell(Event::MembershipEnded(ended));
    assert_eq!(world.lost(DAY).0, LostCode::AgreementInactive);
    assert_eq!(world.outcome(&vm(), "2026-02-09"), "earned");
    assert_eq!(world.lost("2026-02-11").0, LostCode::AgreementInactive);
}

#[test]
fn no_membership_event_counts_as_active_with_a_finding() {
    let mut world = World::without_partners();
    world.tell(Event::PartnerRegistered(partner(1, PartnerKind::Provider)));
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
    assert_eq!(world.findings(DAY), ["F-no-membership"]);
}

#[test]
fn an_unregistered_partner_or_one_without_agents_is_a_finding() {
    let mut world = World::without_partners();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "never-granted");
    assert_eq!(world.findings(DAY), ["F-no-membership", "F-unknown-partner"]);
    let mut registered = partner(1, PartnerKind::Provider);
    registered.admin_agents.clear();
    world.tell(Event::PartnerRegistered(registered));
    assert_eq!(world.findings(DAY), ["F-no-membership", "F-unknown-agents"]);
}

#[test]
fn barred_billed_partner_or_barred_holder() {
    for n in [1, 2] {
        let mut world = World::new();
        world.grant(1, &sub(), agents(n), OWNER, "2026-01-05");
        let standing =
            |at: &str| PartnerStanding { partner: tenant(n), reason: "pressed a customer".into(), at: t(at) };
        let barred = world.tell(Event::PartnerBarred(standing("2026-02-10T10:00:00")));
        world.tell(Event::PartnerReinstated(standing("2026-02-10T10:00:01")));
        assert_eq!(world.lost(DAY).0, LostCode::Barred, "partner {n}");
        assert!(world.verdict(&vm(), DAY).lost().unwrap().events.contains(&barred));
        assert_eq!(world.outcome(&vm(), "2026-02-11"), "earned");
    }
}

#[test]
fn a_link_is_part_of_the_grant() {
    let mut world = World::new();
    world.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
    let link = world.link(user(1), CUSTOMER, &partner_id(1), "2026-01-10T08:00:00");
    assert_eq!(world.lost("2026-01-09").0, LostCode::PalMissing);
    assert_eq!(world.lost("2026-01-10").0, LostCode::PalMissing);
    let earned = world.verdict(&vm(), "2026-01-11");
    let crate::pec::AccessVerdict::Earned(cover) = &earned else { panic!("earned") };
    assert!(cover.holdings.iter().any(|holding| holding.events.contains(&link)), "the link is cited");
    world.unlink(user(1), CUSTOMER, "2026-01-12T12:00:00");
    assert_eq!(world.lost("2026-01-12").0, LostCode::PalMissing);
    let mut elsewhere = World::new();
    elsewhere.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
    elsewhere.link(user(1), crate::ids::Guid(0xdd), &partner_id(1), "2026-01-05");
    assert_eq!(elsewhere.lost(DAY).0, LostCode::PalMissing, "a link counts in its own tenant only");
}

#[test]
fn a_link_to_another_organisation() {
    let mut world = World::new();
    world.grant(1, &sub(), user(1), CONTRIBUTOR, "2026-01-05");
    world.link(user(1), CUSTOMER, &partner_id(3), "2026-01-05");
    assert_eq!(world.lost(DAY), (LostCode::PalOtherOrganisation, vec![LostCode::OtherPartner]));
}

#[test]
fn just_in_time_only() {
    let mut world = World::new();
    let authorization = Authorization { principal: user(1), role: CONTRIBUTOR, eligible_only: true };
    world.delegate(1, &sub(), tenant(1), Offered::Marketplace, authorization, "2026-01-05");
    assert_eq!(world.lost(DAY), (LostCode::JitOnly, vec![]));
}

#[test]
fn gap_names_what_was_open() {
    let mut world = World::new();
    world.grant(1, &sub(), agents(1), OWNER, "2026-01-05");
    world.revoke(1, &sub(), "2026-02-10T10:00:00");
    world.grant(1, &sub(), agents(1), OWNER, "2026-02-10T10:30:00");
    let verdict = world.verdict(&vm(), DAY);
    let loss = verdict.lost().unwrap();
    assert_eq!((loss.code, loss.several), (LostCode::Gap, false));
    assert_eq!(loss.open, [crate::period::Interval::new(t("2026-02-10T10:00:00"), t("2026-02-10T10:30:00"))]);
    assert_eq!(loss.holdings.len(), 2);
}

#[test]
fn reader_is_not_eligible() {
    let mut world = World::new();
    world.grant(1, &sub(), helpdesk(1), READER, "2026-01-05");
    assert_eq!(world.lost(DAY), (LostCode::RoleNotEligible, vec![]));
    world.policy(&format!("roles.{READER}"), "eligible");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
}

/// A template authorisation for Reader without a link: two things are wrong, neither alone mends it.
#[test]
fn several_reasons_read_as_the_first_that_applies() {
    let mut world = World::new();
    world.grant(1, &sub(), user(1), READER, "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "pal-missing several");
}

#[test]
fn every_code_has_a_request_that_may_be_declined_or_is_ours_to_mend() {
    for code in LostCode::ALL {
        let remedy = code.remedy();
        let sentence = remedy.sentence();
        assert_eq!(sentence.contains("free to decline"), matches!(remedy, Remedy::Ask(_)), "{code}");
        assert!(!sentence.contains(|c: char| c.is_ascii_digit()), "no amount beside a request: {sentence}");
    }
    let texts: Vec<&str> = LostCode::ALL.iter().map(|code| code.text()).collect();
    assert_eq!(texts.first(), Some(&"partner-role"));
    assert_eq!(texts.last(), Some(&"never-granted"));
    assert_eq!(texts.len(), 15);
}

/// Nobody registered the reseller; its PartnerID on the plan and in the link are still the same one.
#[test]
fn equal_partner_ids_are_one_organisation_registered_or_not() {
    let mut world = World::without_partners();
    world.tell(Event::PartnerRegistered(partner(1, PartnerKind::Provider)));
    world.grant(1, &sub(), user(7), CONTRIBUTOR, "2026-01-05");
    world.link(user(7), CUSTOMER, " 2000002 ", "2026-01-05");
    assert_eq!(world.outcome(&vm(), DAY), "earned");
    world.link(user(7), CUSTOMER, "2000003", "2026-02-01");
    assert_eq!(world.outcome(&vm(), DAY), "pal-other-organisation");
}
