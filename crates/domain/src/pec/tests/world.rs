//! A small world for tests: a provider, its reseller, a stranger; one customer, one subscription.

use crate::entry::*;
use crate::facts::Facts;
use crate::ids::{Currency, Digest, Guid, Identity, Market};
use crate::pec::{AccessVerdict, Judge, LostCode};
use crate::period::{Day, Instant};
use crate::projection::Projection;
use crate::scope::Scope;

pub(crate) const CUSTOMER: Guid = Guid(0xc);
pub(crate) const SUB: Guid = Guid(0x5b);
pub(crate) const PLAN: Guid = Guid(0xa1);
pub(crate) const PLAN_3: Guid = Guid(0xa3);

/// Partner 1 is billed, partner 2 is its reseller of record, partner 3 is any other.
pub(crate) fn tenant(n: u128) -> Guid {
    Guid(0x1000 + n)
}
pub(crate) fn agents(n: u128) -> Guid {
    Guid(0x2000 + n)
}
pub(crate) fn helpdesk(n: u128) -> Guid {
    Guid(0x3000 + n)
}
pub(crate) fn user(n: u128) -> Guid {
    Guid(0x4000 + n)
}
pub(crate) fn partner_id(n: u128) -> Box<str> {
    format!("{n}00000{n}").into()
}

pub(crate) fn t(text: &str) -> Instant {
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { format!("{text}Z") };
    chrono::DateTime::parse_from_rfc3339(&full).unwrap().to_utc()
}

pub(crate) fn d(text: &str) -> Day {
    Day::parse(text).unwrap()
}

pub(crate) fn sub() -> Scope {
    Scope::subscription_of(SUB)
}

pub(crate) fn vm() -> Scope {
    Scope::parse(&format!("{}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/a", sub()))
}

pub(crate) fn group() -> Scope {
    vm().resource_group().unwrap()
}

pub(crate) fn facts_of(principal: Guid, role: Guid) -> GrantFacts {
    GrantFacts { principal, principal_type: None, role, condition: None }
}

pub(crate) fn partner(n: u128, kind: PartnerKind) -> PartnerRegistered {
    let always = |value| vec![Dated { value, since: None, until: None }];
    PartnerRegistered {
        tenant: tenant(n),
        name: format!("Partner {n}").into(),
        organisation: format!("org-{n}").into(),
        kind,
        country: Market::parse("DE").unwrap(),
        billing_currency: Currency::USD,
        partner_ids: vec![Dated { value: partner_id(n), since: None, until: None }],
        admin_agents: always(agents(n)),
        helpdesk_agents: always(helpdesk(n)),
        managing_tenants: always(tenant(n)),
        identities: always(user(n)),
        at: t("2020-01-01"),
    }
}

#[derive(Clone, Default)]
pub(crate) struct World {
    pub events: Vec<Event>,
}

impl World {
    /// Everything but access. The subscription exists from 2026-01-01.
    pub(crate) fn new() -> Self {
        let mut world = Self::without_partners();
        world.tell(Event::PartnerRegistered(partner(1, PartnerKind::Provider)));
        world.tell(Event::PartnerRegistered(partner(2, PartnerKind::Reseller)));
        world.tell(Event::PartnerRegistered(partner(3, PartnerKind::DirectBill)));
        for n in [1, 3] {
            world.tell(Event::MembershipStarted(MembershipChange { partner: tenant(n), at: t("2020-01-01") }));
        }
        world
    }

    pub(crate) fn without_partners() -> Self {
        let mut world = Self::default();
        let plan = |plan, bill_to, reseller| {
            Event::PlanCreated(PlanCreated { plan, customer: CUSTOMER, bill_to, reseller, at: t("2025-12-31") })
        };
        world.tell(plan(PLAN, tenant(1), Some(partner_id(2))));
        world.tell(plan(PLAN_3, tenant(3), None));
        world.tell(Event::SubscriptionCreated(SubscriptionCreated {
            subscription: SUB,
            plan: PLAN,
            name: "production".into(),
            offer: Offer::AzurePlan,
            at: t("2026-01-01"),
        }));
        world
    }

    pub(crate) fn tell(&mut self, event: Event) -> Identity {
        self.events.push(event);
        Identity(self.events.len() as u128)
    }

    pub(crate) fn grant(&mut self, id: u128, scope: &Scope, principal: Guid, role: Guid, at: &str) -> Identity {
        self.tell(Event::AssignmentCreated(AssignmentCreated {
            assignment: Guid(id),
            scope: scope.clone(),
            facts: facts_of(principal, role),
            at: t(at),
        }))
    }

    pub(crate) fn revoke(&mut self, id: u128, scope: &Scope, at: &str) -> Identity {
        self.tell(Event::AssignmentDeleted(AssignmentDeleted { assignment: Guid(id), scope: scope.clone(), at: t(at) }))
    }

    pub(crate) fn link(&mut self, principal: Guid, tenant: Guid, partner_id: &str, at: &str) -> Identity {
        self.tell(Event::PalLinked(PalLinked { principal, tenant, partner_id: partner_id.into(), at: t(at) }))
    }

    pub(crate) fn unlink(&mut self, principal: Guid, tenant: Guid, at: &str) -> Identity {
        self.tell(Event::PalUnlinked(PalUnlinked { principal, tenant, at: t(at) }))
    }

    pub(crate) fn delegate(
        &mut self,
        id: u128,
        scope: &Scope,
        managing_tenant: Guid,
        offer: Offered,
        authorization: Authorization,
        at: &str,
    ) -> Identity {
        self.tell(Event::DelegationChanged(Delegation {
            delegation: Guid(id),
            scope: scope.clone(),
            managing_tenant,
            marketplace_offer: offer == Offered::Marketplace,
            authorizations: vec![authorization],
            at: t(at),
        }))
    }

    pub(crate) fn schedule(&mut self, id: u128, principal: Guid, role: Guid, from: &str, to: &str) -> Identity {
        self.tell(Event::ScheduleCreated(Schedule {
            schedule: Guid(id),
            scope: sub(),
            principal,
            principal_type: None,
            role,
            eligible_only: false,
            start: t(from),
            end: Some(t(to)),
            provisioned_at: t("2025-12-31"),
        }))
    }

    pub(crate) fn policy(&mut self, name: &str, value: &str) {
        let settings = vec![PolicySetting { name: name.into(), value: value.into() }];
        self.tell(Event::PolicyPublished(PolicyDocument { revision: 1, effective_from: d("2020-01-01"), settings }));
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entry = |(position, event): (usize, &Event)| Entry {
            position: position as u64,
            index: 0,
            recorded_at: t("2026-06-01"),
            outcome: Outcome::Accepted,
            fact: Fact {
                identity: Identity(position as u128 + 1),
                digest: Digest([u8::try_from(position % 251).unwrap(); 32]),
                event: event.clone(),
            },
            antecedent: None,
            incumbent: None,
        };
        self.events.iter().enumerate().map(entry).collect()
    }

    pub(crate) fn facts(&self) -> Facts {
        facts_from(&self.entries())
    }

    /// The verdict of the first placement that touches the day.
    pub(crate) fn verdict(&self, resource: &Scope, day: &str) -> AccessVerdict {
        self.verdicts(resource, day).remove(0)
    }

    /// One verdict for each placement that touches the day.
    pub(crate) fn verdicts(&self, resource: &Scope, day: &str) -> Vec<AccessVerdict> {
        let facts = self.facts();
        let commerce = facts.commerce.view();
        let mut judge = Judge::new(&facts, &commerce);
        let day = d(day);
        let touching =
            |placement: &&crate::commerce::Placement| !placement.interval.intersect(&day.interval()).is_empty();
        let placements = commerce.placements(SUB).iter().filter(touching);
        placements
            .map(|placement| {
                let place = judge.place(SUB, placement, resource);
                judge.access(place, day)
            })
            .collect()
    }

    /// `earned`, or the code of the loss with `several` noted.
    pub(crate) fn outcome(&self, resource: &Scope, day: &str) -> String {
        outcome(&self.verdict(resource, day))
    }

    pub(crate) fn lost(&self, day: &str) -> (LostCode, Vec<LostCode>) {
        let verdict = self.verdict(&vm(), day);
        let loss = verdict.lost().expect("the day is lost");
        (loss.code, loss.also.clone())
    }

    /// What does not add up, and what the answer of the day flags.
    pub(crate) fn findings(&self, day: &str) -> Vec<String> {
        let facts = self.facts();
        let commerce = facts.commerce.view();
        let mut judge = Judge::new(&facts, &commerce);
        let mut codes = std::collections::BTreeSet::new();
        for placement in commerce.placements(SUB) {
            let place = judge.place(SUB, placement, &vm());
            codes.extend(judge.access(place, d(day)).flags().iter().copied());
        }
        codes.extend(judge.findings().iter().map(|finding| finding.code));
        codes.iter().map(|code| code.text().to_owned()).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    Marketplace,
    Template,
}

pub(crate) fn facts_from(entries: &[Entry]) -> Facts {
    let mut facts = Facts::default();
    for entry in entries {
        facts.apply(entry);
    }
    facts
}

pub(crate) fn outcome(verdict: &AccessVerdict) -> String {
    match verdict {
        AccessVerdict::Earned(_) => "earned".to_owned(),
        AccessVerdict::Lost(loss) if loss.several => format!("{} several", loss.code),
        AccessVerdict::Lost(loss) => loss.code.to_string(),
    }
}
