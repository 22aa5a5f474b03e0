//! Partners: organisations, the ids by which they are recognised, membership, standing.
//!
//! A partner's newest statement (by its own time) is whole; rows inside it carry their own
//! validity. Nothing here knows a customer. Two PartnerIDs are of one organisation when their
//! statements name the same global id; an id that no statement names is its own organisation,
//! so that two equal ones still meet.

use std::collections::BTreeMap;

use crate::entry::{Entry, Event, MembershipChange, PartnerRegistered, PartnerStanding};
use crate::filing::{Filing, Said};
use crate::ids::{Currency, Guid, Identity};
use crate::period::{Instant, Interval, Period};

/// What was told about partners.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartnerBook {
    registered: Filing<PartnerRegistered>,
    /// Membership begun (`true`) or ended.
    membership: Filing<(bool, MembershipChange)>,
    /// Barred (`true`) or reinstated.
    standing: Filing<(bool, PartnerStanding)>,
}

impl PartnerBook {
    pub fn apply(&mut self, entry: &Entry) {
        let (identity, digest) = (entry.fact.identity, entry.fact.digest);
        if let Event::PartnerRegistered(body) = &entry.fact.event {
            self.registered.file(identity, digest, body.clone());
        }
        if let Event::MembershipStarted(body) = &entry.fact.event {
            self.membership.file(identity, digest, (true, body.clone()));
        }
        if let Event::MembershipEnded(body) = &entry.fact.event {
            self.membership.file(identity, digest, (false, body.clone()));
        }
        if let Event::PartnerBarred(body) = &entry.fact.event {
            self.standing.file(identity, digest, (true, body.clone()));
        }
        if let Event::PartnerReinstated(body) = &entry.fact.event {
            self.standing.file(identity, digest, (false, body.clone()));
        }
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.registered.hear(said);
        self.membership.hear(said);
        self.standing.hear(said);
    }

    /// The currency that a partner was billed in during a month: as stated last before its end, else as
    /// stated first. A currency that changes leaves earlier months as they were.
    #[must_use]
    pub fn billing_currency(&self, partner: Guid, period: Period) -> Option<Currency> {
        let end = period.interval().to;
        let stated = || self.registered.iter().filter(|(_, statement)| statement.tenant == partner);
        let newest = stated().filter(|(_, one)| one.at < end).max_by_key(|(identity, one)| (one.at, *identity));
        let first = || stated().min_by_key(|(identity, one)| (one.at, *identity));
        newest.or_else(first).map(|(_, statement)| statement.billing_currency)
    }

    /// Puts the facts in order: built once per question.
    #[must_use]
    pub fn view(&self) -> Partners {
        let mut newest: BTreeMap<Guid, (Identity, &PartnerRegistered)> = BTreeMap::new();
        for (identity, statement) in self.registered.iter() {
            let known = newest.entry(statement.tenant).or_insert((identity, statement));
            if (known.1.at, known.0) < (statement.at, identity) {
                *known = (identity, statement);
            }
        }
        let mut view = Partners::default();
        for (identity, statement) in newest.into_values() {
            view.register(identity, statement.clone());
        }
        view.membership = switches(self.membership.iter().map(|(id, (on, body))| (body.partner, body.at, *on, id)));
        view.barred = switches(self.standing.iter().map(|(id, (on, body))| (body.partner, body.at, *on, id)));
        view
    }
}

/// On and off by partner, in order of time; at one instant *off* comes last for membership and
/// *on* last for barring, so that in doubt neither earns.
#[derive(Clone, Debug, Default, PartialEq)]
struct Switches(BTreeMap<Guid, Vec<(Instant, bool, Identity)>>);

fn switches(changes: impl Iterator<Item = (Guid, Instant, bool, Identity)>) -> Switches {
    let mut by_partner: BTreeMap<Guid, Vec<(Instant, bool, Identity)>> = BTreeMap::new();
    for (partner, at, on, identity) in changes {
        by_partner.entry(partner).or_default().push((at, on, identity));
    }
    Switches(by_partner)
}

impl Switches {
    fn of(&self, partner: Guid) -> &[(Instant, bool, Identity)] {
        self.0.get(&partner).map_or(&[], Vec::as_slice)
    }

    /// The stretches during which it was on. `last` wins where both are stated for one instant;
    /// `before` says what held before the first statement, given that statement.
    fn intervals(&self, partner: Guid, last: bool, before: impl Fn(bool) -> bool) -> Vec<Interval> {
        let mut changes = self.of(partner).to_vec();
        changes.sort_unstable_by_key(|(at, on, identity)| (*at, *on == last, *identity));
        let mut since = changes.first().filter(|first| before(first.1)).map(|_| Instant::MIN_UTC);
        let mut intervals = Vec::new();
        for (at, on, _) in changes {
            match (since, on) {
                (None, true) => since = Some(at),
                (Some(from), false) => {
                    intervals.push(Interval::new(from, at));
                    since = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        intervals.extend(since.map(|from| Interval::new(from, Instant::MAX_UTC)));
        crate::period::union(intervals)
    }
}

/// Whose an id is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Organisation {
    /// Named by its global id in a statement.
    Registered(Box<str>),
    /// A PartnerID that no statement names.
    PartnerId(Box<str>),
    /// A partner tenant that no statement names.
    Tenant(Guid),
}

impl std::fmt::Display for Organisation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Registered(id) => write!(f, "organisation {id}"),
            Self::PartnerId(id) => write!(f, "unregistered PartnerID {id}"),
            Self::Tenant(tenant) => write!(f, "unregistered partner tenant {tenant}"),
        }
    }
}

/// A stretch of time in which an id belonged to a partner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Belongs {
    pub interval: Interval,
    pub organisation: Organisation,
    /// The registered partner tenant, where one is known: barring goes by it.
    pub partner: Option<Guid>,
}

/// The same facts by id, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partners {
    statements: BTreeMap<Guid, (Identity, PartnerRegistered)>,
    agents: BTreeMap<Guid, Vec<Belongs>>,
    managing: BTreeMap<Guid, Vec<Belongs>>,
    identities: BTreeMap<Guid, Vec<Belongs>>,
    locations: BTreeMap<Box<str>, Vec<Belongs>>,
    membership: Switches,
    barred: Switches,
}

impl Partners {
    fn register(&mut self, identity: Identity, statement: PartnerRegistered) {
        let belongs = |interval| Belongs {
            interval,
            organisation: Organisation::Registered(statement.organisation.clone()),
            partner: Some(statement.tenant),
        };
        for id in statement.admin_agents.iter().chain(&statement.helpdesk_agents) {
            self.agents.entry(id.value).or_default().push(belongs(id.interval()));
        }
        for id in &statement.managing_tenants {
            self.managing.entry(id.value).or_default().push(belongs(id.interval()));
        }
        // A partner's own tenant manages for it unless the statement dates it otherwise.
        if !statement.managing_tenants.iter().any(|id| id.value == statement.tenant) {
            let always = Interval::new(Instant::MIN_UTC, Instant::MAX_UTC);
            self.managing.entry(statement.tenant).or_default().push(belongs(always));
        }
        for id in &statement.identities {
            self.identities.entry(id.value).or_default().push(belongs(id.interval()));
        }
        for id in &statement.partner_ids {
            self.locations.entry(location(&id.value)).or_default().push(belongs(id.interval()));
        }
        self.statements.insert(statement.tenant, (identity, statement));
    }

    /// The newest statement of a partner tenant, and the event that made it.
    #[must_use]
    pub fn statement(&self, tenant: Guid) -> Option<(Identity, &PartnerRegistered)> {
        self.statements.get(&tenant).map(|(identity, statement)| (*identity, statement))
    }

    pub fn statements(&self) -> impl Iterator<Item = (Identity, &PartnerRegistered)> {
        self.statements.values().map(|(identity, statement)| (*identity, statement))
    }

    /// The organisation that a bill-to tenant is of.
    #[must_use]
    pub fn organisation(&self, tenant: Guid) -> Organisation {
        self.statements.get(&tenant).map_or(Organisation::Tenant(tenant), |(_, statement)| {
            Organisation::Registered(statement.organisation.clone())
        })
    }

    /// Whether an object id is ever a partner's AdminAgents or HelpdeskAgents group, and whose, when.
    #[must_use]
    pub fn agents(&self, principal: Guid) -> &[Belongs] {
        self.agents.get(&principal).map_or(&[], Vec::as_slice)
    }

    /// Whose users and service principals an object id is, by the partners' own statements.
    #[must_use]
    pub fn identities(&self, principal: Guid) -> &[Belongs] {
        self.identities.get(&principal).map_or(&[], Vec::as_slice)
    }

    /// Every object id that is ever a partner's agents group.
    pub fn agent_ids(&self) -> impl Iterator<Item = Guid> {
        self.agents.keys().copied()
    }

    /// Every object id that a partner ever stated as its own.
    pub fn identity_ids(&self) -> impl Iterator<Item = Guid> {
        self.identities.keys().copied()
    }

    /// Whose managing tenant it is. One that nobody stated is its own organisation.
    #[must_use]
    pub fn managing(&self, tenant: Guid) -> Vec<Belongs> {
        let always = || Belongs {
            interval: Interval::new(Instant::MIN_UTC, Instant::MAX_UTC),
            organisation: Organisation::Tenant(tenant),
            partner: None,
        };
        self.managing.get(&tenant).cloned().unwrap_or_else(|| vec![always()])
    }

    /// PEC-5: a PartnerID stands for the organisation that has it, as a location, at the time.
    /// Source: partner-earned-credit-troubleshoot, step 3 note (2022-01-25).
    #[must_use]
    pub fn location(&self, partner_id: &str) -> Vec<Belongs> {
        let partner_id = location(partner_id);
        let unknown = || Belongs {
            interval: Interval::new(Instant::MIN_UTC, Instant::MAX_UTC),
            organisation: Organisation::PartnerId(partner_id.clone()),
            partner: None,
        };
        self.locations.get(&partner_id).cloned().unwrap_or_else(|| vec![unknown()])
    }

    /// The partner tenant that a location PartnerID is of at an instant, for printing names.
    #[must_use]
    pub fn partner_at(&self, partner_id: &str, at: Instant) -> Option<&PartnerRegistered> {
        let belongs = self.locations.get(&location(partner_id))?;
        let tenant = belongs.iter().find(|belongs| belongs.interval.contains(at))?.partner?;
        self.statements.get(&tenant).map(|(_, statement)| statement)
    }

    /// Whether any membership event is known for a partner.
    #[must_use]
    pub fn knows_membership(&self, partner: Guid) -> bool {
        !self.membership.of(partner).is_empty()
    }

    /// PEC-8: programme membership of the receiving partner. No event at all counts as active (with
    /// a finding by whoever asks); a first event that ends it implies that it was active before.
    #[must_use]
    pub fn membership(&self, partner: Guid) -> Vec<Interval> {
        if !self.knows_membership(partner) {
            return vec![Interval::new(Instant::MIN_UTC, Instant::MAX_UTC)];
        }
        self.membership.intervals(partner, false, |first_is_start| !first_is_start)
    }

    /// PEC-9: when a partner was barred from credit. Barring wins where both are told for one instant.
    #[must_use]
    pub fn barred(&self, partner: Guid) -> Vec<Interval> {
        self.barred.intervals(partner, true, |_| false)
    }

    /// The events behind membership and barring of a partner: what a reader wants to see cited.
    #[must_use]
    pub fn membership_events(&self, partner: Guid) -> Vec<Identity> {
        self.membership.of(partner).iter().map(|(_, _, identity)| *identity).collect()
    }

    #[must_use]
    pub fn standing_events(&self, partner: Guid) -> Vec<Identity> {
        self.barred.of(partner).iter().map(|(_, _, identity)| *identity).collect()
    }
}

fn location(partner_id: &str) -> Box<str> {
    partner_id.trim().into()
}
