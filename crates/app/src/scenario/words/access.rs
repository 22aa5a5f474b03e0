//! Words about access: grants, listings, scheduled time, delegations, partner links.

use anyhow::{Context as _, bail};
use domain::entry::{
    AssignmentCreated, AssignmentDeleted, AssignmentsListed, Authorization, Delegation, DelegationDeleted, Event,
    GrantFacts, ListedAssignment, PalLinked, PalUnlinked, Part, Schedule,
};
use domain::ids::Guid;

use crate::scenario::reading::Line;
use crate::scenario::stage::{guid, role};

pub(super) const WORDS: &[&str] =
    &["grant", "revoke", "list", "active", "eligible", "delegate", "undelegate", "link", "unlink"];

/// What a condition says is not read here.
const CONDITION: &str = "@Resource[Microsoft.Compute/virtualMachines:name] StringEquals 'vm-1'";

impl<'a> Line<'a> {
    pub(super) fn access(&self) -> anyhow::Result<Event> {
        Ok(match self.what {
            "grant" | "revoke" => self.assignment()?,
            "list" => Event::AssignmentsListed(self.listing()?),
            "active" | "eligible" => self.schedule()?,
            "delegate" | "undelegate" => self.delegation()?,
            "link" | "unlink" => self.link()?,
            other => bail!("`{other}` is no word about access"),
        })
    }

    /// The third column; most grants are to our own AdminAgents.
    pub(super) fn who(&self) -> &'a str {
        self.rest.get(2).filter(|who| **who != "condition").unwrap_or(&"us")
    }

    pub(super) fn facts(&self) -> anyhow::Result<GrantFacts> {
        let (role, principal) = (role(self.column(1, "a role")?)?, self.names.somebody(self.who())?);
        let condition = self.rest.contains(&"condition").then(|| CONDITION.into());
        Ok(GrantFacts { principal, principal_type: None, role, condition })
    }

    pub(super) fn assignment_id(&self) -> anyhow::Result<Guid> {
        if let Some(name) = self.named.get("id") {
            return Ok(guid(&format!("assignment {name}")));
        }
        Ok(guid(&format!("{} {} {}", self.column(0, "a scope")?, self.column(1, "a role")?, self.who())))
    }

    fn assignment(&self) -> anyhow::Result<Event> {
        let (assignment, scope, at) = (self.assignment_id()?, self.names.place(self.column(0, "a scope")?)?, self.at);
        Ok(if self.what == "grant" {
            Event::AssignmentCreated(AssignmentCreated { assignment, scope, facts: self.facts()?, at })
        } else {
            Event::AssignmentDeleted(AssignmentDeleted { assignment, scope, at })
        })
    }

    /// A complete listing: `Owner:us Contributor:us/anna`.
    fn listing(&self) -> anyhow::Result<AssignmentsListed> {
        let at_scope = self.column(0, "a scope")?;
        let listed = |column: &&str| {
            let (role_name, who) = column.split_once(':').context("a listed assignment reads Role:who")?;
            let facts = GrantFacts {
                principal: self.names.somebody(who)?,
                principal_type: None,
                role: role(role_name)?,
                condition: None,
            };
            let assignment = guid(&format!("{at_scope} {role_name} {who}"));
            Ok(ListedAssignment { assignment, scope: self.names.place(at_scope)?, facts, created_at: None })
        };
        let assignments = self.rest.iter().skip(1).map(listed).collect::<anyhow::Result<_>>()?;
        let part = Part { of: format!("listing-{}", self.number).into(), number: 0, count: 1 };
        Ok(AssignmentsListed { scope: self.names.place(at_scope)?, at: self.at, complete: true, part, assignments })
    }

    fn schedule(&self) -> anyhow::Result<Event> {
        let facts = self.facts()?;
        Ok(Event::ScheduleCreated(Schedule {
            schedule: guid(&format!("schedule {}", self.number)),
            scope: self.names.place(self.column(0, "a scope")?)?,
            principal: facts.principal,
            principal_type: None,
            role: facts.role,
            eligible_only: self.what == "eligible",
            start: self.at,
            end: self.time("until")?,
            provisioned_at: self.time("provisioned")?.unwrap_or(self.at),
        }))
    }

    fn delegation(&self) -> anyhow::Result<Event> {
        let partner = self.who().split('/').next().unwrap_or_default();
        let at_scope = self.column(0, "a scope")?;
        self.names.known(partner)?;
        let delegation = guid(&format!("delegation {at_scope} {partner}"));
        let (scope, at) = (self.names.place(at_scope)?, self.at);
        if self.what == "undelegate" {
            return Ok(Event::DelegationDeleted(DelegationDeleted { delegation, scope, at }));
        }
        let authorization = Authorization {
            principal: self.names.somebody(self.who())?,
            role: role(self.column(1, "a role")?)?,
            eligible_only: self.rest.contains(&"just-in-time"),
        };
        Ok(Event::DelegationChanged(Delegation {
            delegation,
            scope,
            managing_tenant: guid(partner),
            marketplace_offer: self.rest.contains(&"offer"),
            authorizations: vec![authorization],
            at,
        }))
    }

    /// A link is made in the customer's tenant, unless `in=` names another one.
    fn link(&self) -> anyhow::Result<Event> {
        let person = self.names.somebody(self.column(0, "a person")?)?;
        let tenant = self.names.known(self.named.get("in").unwrap_or(&"acme"))?;
        if self.what == "unlink" {
            return Ok(Event::PalUnlinked(PalUnlinked { principal: person, tenant, at: self.at }));
        }
        let partner_id = self.partner_id_of(self.column(1, "the partner linked to")?)?;
        Ok(Event::PalLinked(PalLinked { principal: person, tenant, partner_id, at: self.at }))
    }
}
