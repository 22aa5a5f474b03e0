//! What is told of partners: registered, qualified, members of the programme, barred.

use domain::entry::{
    ChannelEvent, Dated, Event, MembershipChange, PartnerAgreementSigned, PartnerKind, PartnerRegistered,
    PartnerStanding, ResellerEnrolled, ResellerOnboarded, TaxSet,
};
use domain::ids::{Currency, Guid, Market};
use domain::period::Day;
use domain::regions::Region;

use super::{STRANGER, Teller, channel, decimal, guid, instant};
use crate::oracle::world::{DAY, Id, Kind, Partner, Qualified, Registered, Time, World};

pub(super) fn registered(world: &World, partner: &Partner, said: Registered) -> Event {
    let always = |id: Id| vec![Dated { value: guid(id), since: None, until: None }];
    let agents = |id: Id| if said.with_agents { always(id) } else { Vec::new() };
    let id = |text: &String| Dated { value: text.as_str().into(), since: None, until: None };
    Event::PartnerRegistered(PartnerRegistered {
        tenant: guid(partner.tenant),
        name: partner.organisation.as_str().into(),
        organisation: partner.organisation.as_str().into(),
        kind: match said.kind {
            Kind::DirectBill => PartnerKind::DirectBill,
            Kind::Provider => PartnerKind::Provider,
            Kind::Reseller => PartnerKind::Reseller,
        },
        country: Market::parse("DE").expect("two letters"),
        billing_currency: Currency::parse(partner.currency).expect("three letters"),
        partner_ids: partner.partner_ids.iter().map(id).collect(),
        admin_agents: agents(partner.admin_agents),
        helpdesk_agents: agents(partner.helpdesk_agents),
        managing_tenants: always(partner.managing_tenant),
        identities: partner.identities.iter().flat_map(|id| always(*id)).collect(),
        at: instant((world.days.0 - 300) * DAY),
    })
}

fn standing(partner: &Partner, at: Time) -> PartnerStanding {
    PartnerStanding { partner: guid(partner.tenant), reason: "made up".into(), at: instant(at) }
}

/// The end of a membership; in a telling that names no time, something about a stranger.
pub(super) fn left(partner: &Partner, to: Option<Time>) -> Event {
    to.map_or_else(a_strangers_tax, |to| {
        Event::MembershipEnded(MembershipChange { partner: guid(partner.tenant), at: instant(to) })
    })
}

pub(super) fn reinstated(partner: &Partner, to: Option<Time>) -> Event {
    to.map_or_else(a_strangers_tax, |to| Event::PartnerReinstated(standing(partner, to)))
}

pub(super) fn a_strangers_tax() -> Event {
    let (partner, location) = (guid(STRANGER), Market::parse("DE").expect("two letters"));
    Event::TaxSet(TaxSet { partner, location, rate: decimal("0.19"), from: Day(20_000) })
}

impl Teller<'_> {
    pub(super) fn partners(&mut self) {
        let world = self.world;
        for partner in &world.partners {
            self.say_all(&partner.registered, |said| registered(world, partner, *said));
            let tenant = guid(partner.tenant);
            for spell in partner.memberships.iter().flatten() {
                self.say(Event::MembershipStarted(MembershipChange { partner: tenant, at: instant(spell.from) }));
                if let Some(end) = &spell.end {
                    self.say_all(end, |to| left(partner, *to));
                }
            }
            self.qualification(tenant, partner.qualified);
            for spell in &partner.barred {
                self.say(Event::PartnerBarred(standing(partner, spell.from)));
                if let Some(end) = &spell.end {
                    self.say_all(end, |to| reinstated(partner, *to));
                }
            }
        }
    }

    /// Enrolled, onboarded and signed: qualified since the last of the three, which is any of them.
    fn qualification(&mut self, partner: Guid, qualified: Qualified) {
        let (since, whole) = match qualified {
            Qualified::Untold => return,
            Qualified::Since(since) => (since, true),
            Qualified::Never => (self.world.days.0 * DAY, false),
        };
        let last = self.dice.below(3);
        let mut at = |number: u64| match number == last {
            true => whole.then_some(since),
            false => Some(since - self.dice.between(0, 90) * DAY),
        };
        let (enrolled, onboarded, signed) = (at(0), at(1), at(2));
        if let Some(at) = enrolled.map(instant) {
            self.say(channel(ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at })));
        }
        if let Some(at) = onboarded.map(instant) {
            let partner_id = None;
            self.say(channel(ChannelEvent::ResellerOnboarded(ResellerOnboarded { partner, partner_id, at })));
        }
        if let Some(at) = signed.map(instant) {
            let region = Region::parse("europe").expect("a region of the programme");
            self.say(channel(ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at })));
        }
    }
}
