//! A ground in the words of one order: what exactly is wrong, and the events that say so.

use super::facts::Asked;
use super::{Ground, Reason};
use crate::ids::{Guid, Identity};
use crate::period::Day;
use crate::regions::Region;

impl Asked<'_> {
    fn name(&self, tenant: Guid) -> String {
        let statement = self.desk.partners.statement(tenant);
        statement.map_or_else(|| tenant.to_string(), |(_, statement)| statement.name.to_string())
    }

    /// A ground in the words of this order, with the events behind it.
    pub(super) fn reason(&self, ground: Ground) -> Reason {
        Reason { ground, detail: self.detail(ground), events: self.events(ground) }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other ground says all in its own sentence")]
    fn detail(&self, ground: Ground) -> String {
        let partner = || self.name(self.order.partner);
        let reseller = || self.order.reseller.as_deref().unwrap_or("none").to_owned();
        let said = match ground {
            Ground::Restricted | Ground::Suspended | Ground::Revoked => {
                format!("{} is {}", partner(), self.standing().words())
            }
            Ground::OwnAgreement => match self.region {
                Some(region) => format!("{} has not signed for {region}", partner()),
                None => return ground.meaning().to_owned(),
            },
            Ground::OtherAgreement | Ground::CounterpartUnknown => match self.order.counterpart {
                Some(other) => self.name(other),
                None => "none is named".to_owned(),
            },
            Ground::ResellerAgreement
            | Ground::ResellerUnknown
            | Ground::ResellerInactive
            | Ground::ResellerRegion
            | Ground::PartnerIdLocation => format!("PartnerID {}", reseller()),
            Ground::TransferCurrency => {
                let currency = |partner| self.desk.billing_currency(partner, self.order.at);
                let text = |found: Option<crate::ids::Currency>| found.map(|it| it.to_string()).unwrap_or_default();
                let now = self.order.counterpart.and_then(currency);
                format!("{} now, {} then", text(now), text(currency(self.order.partner)))
            }
            Ground::LicenceTerm => match self.order.term_ends_at {
                Some(end) => format!("it ends on {}", Day::of(end)),
                None => return ground.meaning().to_owned(),
            },
            Ground::OtherRegion | Ground::CountryUnlisted => {
                let market = self.market().map(|market| market.to_string()).unwrap_or_default();
                let region = self.region.map_or("no region", Region::name);
                format!("the customer is in {market}, {} sells in {region}", partner())
            }
            Ground::CreditShort => match self.available() {
                Some(available) => format!("{available} USD are available"),
                None => return ground.meaning().to_owned(),
            },
            Ground::OwnReseller => format!("{} is a reseller of {}", self.name(self.order.customer), partner()),
            Ground::PlanExists => match self.own_plans().next() {
                Some(plan) => format!("plan {}", plan.plan),
                None => return ground.meaning().to_owned(),
            },
            Ground::PlanSuspended => match self.suspended_plan() {
                Some(plan) => format!("plan {plan}"),
                None => return ground.meaning().to_owned(),
            },
            Ground::PlanMissing => match self.hangs_on() {
                Some(plan) => format!("it names plan {plan}"),
                None => return ground.meaning().to_owned(),
            },
            _ => return ground.meaning().to_owned(),
        };
        format!("{} ({said})", ground.meaning().trim_end_matches('.'))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other ground rests on no event of its own")]
    fn events(&self, ground: Ground) -> Vec<Identity> {
        let (channel, order) = (&self.desk.channel, self.order);
        let one = |identity: Option<Identity>| identity.into_iter().collect();
        match ground {
            Ground::Restricted | Ground::Suspended | Ground::Revoked => one(self.standing().event),
            Ground::MfaDue
            | Ground::MfaMissing
            | Ground::MfaMissingApi
            | Ground::MfaMissingApiNow
            | Ground::MfaThirdParty => one(channel.posture(order.partner, order.at).map(|stated| stated.event)),
            Ground::RelationshipEnded | Ground::AlreadyRelated => {
                one(channel.relationship(order.customer, order.partner, order.at).map(|stated| stated.event))
            }
            Ground::CspTenant | Ground::Myself => {
                one(channel.used_as(order.customer, order.at).map(|stated| stated.event))
            }
            Ground::Affiliate => channel.affiliations(order.customer, order.at).map(|stated| stated.event).collect(),
            Ground::OwnReseller => {
                one(channel.partnership(order.partner, order.customer, order.at).map(|stated| stated.event))
            }
            Ground::TransitionWaiting
            | Ground::TransitionRunning
            | Ground::TransitionFailed
            | Ground::TransitionAgain => {
                one(channel.transition(order.customer, order.partner, order.at).map(|stated| stated.event))
            }
            Ground::CreditShort => one(channel.credit(order.partner, order.at).map(|stated| stated.event)),
            Ground::AlreadyAttested => {
                channel.attestations(order.customer, order.partner).iter().map(|stated| stated.event).collect()
            }
            Ground::ResellerNotOnboarded | Ground::ResellerNotEnrolled | Ground::ResellerAgreement => self
                .reseller
                .map(|reseller| channel.qualification_events(&self.desk.partners, reseller))
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}
