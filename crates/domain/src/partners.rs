//! Partners: organisations, the ids by which they are recognised, membership, standing.
//!
//! A partner's statement is whole and holds from its own time on until the next one, the first one
//! also before, so that a new one leaves the past as it was; rows inside it carry their own validity.
//! Of two statements of one instant the one with the greater identity holds. Nothing here knows a
//! customer. Two PartnerIDs are of one organisation when their statements name the same global id; an
//! id that no statement names is its own organisation, so that two equal ones still meet.

use std::collections::BTreeMap;

use crate::entry::{Dated, Entry, Event, MembershipChange, PartnerRegistered, PartnerStanding};
use crate::filing::{Filing, Said};
use crate::ids::{Currency, Guid, Identity};
use crate::period::{Instant, Interval, Period, union};

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
        let first = || stated().min_by_key(|(identity, one)| (one.at, std::cmp::Reverse(*identity)));
        newest.or_else(first).map(|(_, statement)| statement.billing_currency)
    }

    /// Puts the facts in order: built once per question.
    #[must_use]
    pub fn view(&self) -> Partners {
        let mut told: BTreeMap<Guid, BTreeMap<Instant, (Identity, &PartnerRegistered)>> = BTreeMap::new();
        for (identity, statement) in self.registered.iter() {
            // They come in order of identity: the last one of an instant has the greatest.
            told.entry(statement.tenant).or_default().insert(statement.at, (identity, statement));
        }
        let mut view = Partners::default();
        for (tenant, statements) in told {
            view.register(tenant, &statements.into_values().collect::<Vec<_>>());
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
        union(intervals)
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

/// A statement of a partner, and when it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    pub interval: Interval,
    pub event: Identity,
    pub statement: PartnerRegistered,
}

/// When each id of one kind was a partner's. A row holds while its statement does, but for its own dates:
/// one that begins earlier reaches back, and an end in the past ends what earlier statements said of it.
fn held<T: Clone + Ord>(
    stated: &[Stated],
    rows: impl Fn(&PartnerRegistered) -> Vec<Dated<T>>,
) -> BTreeMap<T, Vec<Interval>> {
    let mut held: BTreeMap<T, Vec<Interval>> = BTreeMap::new();
    for one in stated {
        for row in rows(&one.statement) {
            let known = held.entry(row.value).or_default();
            if let Some(until) = row.until.filter(|_| row.since.is_none()) {
                let before = Interval::new(Instant::MIN_UTC, until);
                known.iter_mut().for_each(|earlier| *earlier = earlier.intersect(&before));
            }
            let to = row.until.map_or(one.interval.to, |until| until.min(one.interval.to));
            known.push(Interval::new(row.since.unwrap_or(one.interval.from), to));
        }
    }
    held.values_mut().for_each(|intervals| *intervals = union(std::mem::take(intervals)));
    held
}

/// The same facts by id, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partners {
    /// In order of time.
    statements: BTreeMap<Guid, Vec<Stated>>,
    agents: BTreeMap<Guid, Vec<Belongs>>,
    managing: BTreeMap<Guid, Vec<Belongs>>,
    identities: BTreeMap<Guid, Vec<Belongs>>,
    locations: BTreeMap<Box<str>, Vec<Belongs>>,
    membership: Switches,
    barred: Switches,
}

impl Partners {
    fn register(&mut self, tenant: Guid, statements: &[(Identity, &PartnerRegistered)]) {
        let later = statements.iter().skip(1).map(|(_, statement)| statement.at);
        let begins = [Instant::MIN_UTC].into_iter().chain(later.clone());
        let windows = begins.zip(later.chain([Instant::MAX_UTC])).map(|(from, to)| Interval::new(from, to));
        let stated: Vec<Stated> = statements
            .iter()
            .zip(windows)
            .map(|((event, statement), interval)| Stated { interval, event: *event, statement: (*statement).clone() })
            .collect();
        self.statements.insert(tenant, stated);
        let stated = &self.statements[&tenant];
        let organisations = self.organisations(tenant);
        let belong = |intervals: Vec<Interval>| -> Vec<Belongs> {
            let parts = intervals.iter().flat_map(|interval| {
                let part = |(then, organisation): &(Interval, Organisation)| Belongs {
                    interval: interval.intersect(then),
                    organisation: organisation.clone(),
                    partner: Some(tenant),
                };
                organisations.iter().map(part).collect::<Vec<_>>()
            });
            parts.filter(|belongs| !belongs.interval.is_empty()).collect()
        };
        let agents = held(stated, |one| [one.admin_agents.as_slice(), &one.helpdesk_agents].concat());
        let managing = held(stated, |one| {
            // A partner's own tenant manages for it unless the statement dates it otherwise.
            let own = Dated { value: tenant, since: None, until: None };
            let named = one.managing_tenants.iter().any(|id| id.value == tenant);
            one.managing_tenants.iter().cloned().chain((!named).then_some(own)).collect()
        });
        let identities = held(stated, |one| one.identities.clone());
        let trimmed = |id: &Dated<Box<str>>| Dated { value: location(&id.value), ..id.clone() };
        let locations = held(stated, |one| one.partner_ids.iter().map(trimmed).collect());
        for (ids, into) in
            [(agents, &mut self.agents), (managing, &mut self.managing), (identities, &mut self.identities)]
        {
            for (id, intervals) in ids {
                into.entry(id).or_default().extend(belong(intervals));
            }
        }
        for (id, intervals) in locations {
            self.locations.entry(id).or_default().extend(belong(intervals));
        }
    }

    /// The newest statement of a partner tenant, and the event that made it.
    #[must_use]
    pub fn statement(&self, tenant: Guid) -> Option<(Identity, &PartnerRegistered)> {
        self.stated(tenant).last().map(|stated| (stated.event, &stated.statement))
    }

    /// The statement of a partner tenant that holds at an instant.
    #[must_use]
    pub fn statement_at(&self, tenant: Guid, at: Instant) -> Option<&PartnerRegistered> {
        let mut stated = self.stated(tenant).iter();
        stated.find(|stated| stated.interval.contains(at)).map(|stated| &stated.statement)
    }

    /// Every statement of a partner tenant, in order of time.
    #[must_use]
    pub fn stated(&self, tenant: Guid) -> &[Stated] {
        self.statements.get(&tenant).map_or(&[], Vec::as_slice)
    }

    /// The newest statement of every partner tenant.
    pub fn statements(&self) -> impl Iterator<Item = (Identity, &PartnerRegistered)> {
        self.statements.values().filter_map(|stated| stated.last()).map(|stated| (stated.event, &stated.statement))
    }

    /// The organisations that a partner tenant was of, by time.
    #[must_use]
    pub fn organisations(&self, tenant: Guid) -> Vec<(Interval, Organisation)> {
        let mut of: Vec<(Interval, Organisation)> = Vec::new();
        for stated in self.stated(tenant) {
            let organisation = Organisation::Registered(stated.statement.organisation.clone());
            match of.last_mut().filter(|(_, last)| *last == organisation) {
                Some((interval, _)) => interval.to = stated.interval.to,
                None => of.push((stated.interval, organisation)),
            }
        }
        if of.is_empty() {
            of.push((Interval::new(Instant::MIN_UTC, Instant::MAX_UTC), Organisation::Tenant(tenant)));
        }
        of
    }

    /// The organisation that a partner tenant is of at an instant.
    #[must_use]
    pub fn organisation_at(&self, tenant: Guid, at: Instant) -> Organisation {
        let stated = self.statement_at(tenant, at);
        stated.map_or(Organisation::Tenant(tenant), |one| Organisation::Registered(one.organisation.clone()))
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
        self.statement_at(tenant, at)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::PartnerKind;
    use crate::ids::Digest;
    use crate::period::Day;
    use crate::testing::registered;

    const TENANT: Guid = Guid(9);

    fn at(day: &str) -> Instant {
        Day::parse(day).unwrap().start()
    }

    fn agents(value: u128) -> Dated<Guid> {
        Dated { value: Guid(value), since: None, until: None }
    }

    fn statement(day: &str, organisation: &str, admin_agents: Vec<Dated<Guid>>) -> PartnerRegistered {
        let (organisation, at) = (organisation.into(), at(day));
        PartnerRegistered { organisation, admin_agents, at, ..registered(TENANT, PartnerKind::Provider) }
    }

    fn view(statements: impl IntoIterator<Item = PartnerRegistered>) -> Partners {
        let mut book = PartnerBook::default();
        for (identity, statement) in (1..).zip(statements) {
            book.registered.file(Identity(identity), Digest::default(), statement);
        }
        book.view()
    }

    fn held(partners: &Partners, id: u128) -> Vec<(Instant, Instant)> {
        partners.agents(Guid(id)).iter().map(|one| (one.interval.from, one.interval.to)).collect()
    }

    /// March keeps the group and the organisation of March, whatever April says.
    #[test]
    fn a_new_statement_leaves_the_past_as_it_was() {
        let partners =
            view([statement("2026-04-01", "new", vec![agents(2)]), statement("2026-01-01", "old", vec![agents(1)])]);
        let (begin, april, end) = (Instant::MIN_UTC, at("2026-04-01"), Instant::MAX_UTC);
        assert_eq!(held(&partners, 1), [(begin, april)], "the first statement holds before its own time too");
        assert_eq!(held(&partners, 2), [(april, end)]);
        let old_and_new = ["old", "new"].map(|name| Organisation::Registered(name.into()));
        assert_eq!(["2026-03-31", "2026-04-01"].map(|day| partners.organisation_at(TENANT, at(day))), old_and_new);
        assert_eq!(partners.managing(TENANT).len(), 2, "its own tenant manages for each organisation in turn");
    }

    #[test]
    fn a_row_goes_by_its_own_dates() {
        let early = Dated { since: Some(at("2026-02-01")), ..agents(2) };
        let ended = Dated { until: Some(at("2026-03-01")), ..agents(1) };
        let partners = view([
            statement("2026-01-01", "p", vec![agents(1), Dated { until: Some(at("2026-05-01")), ..agents(3) }]),
            statement("2026-04-01", "p", vec![ended, early]),
        ]);
        assert_eq!(held(&partners, 1), [(Instant::MIN_UTC, at("2026-03-01"))], "an end in the past");
        assert_eq!(held(&partners, 2), [(at("2026-02-01"), Instant::MAX_UTC)], "a beginning in the past");
        assert_eq!(held(&partners, 3), [(Instant::MIN_UTC, at("2026-04-01"))], "no longer stated");
    }

    /// Of two statements of one instant the one with the greater identity holds, throughout.
    #[test]
    fn two_statements_of_one_instant() {
        let partners = view([statement("2026-01-01", "a", vec![agents(1)]), statement("2026-01-01", "b", Vec::new())]);
        assert_eq!(partners.organisations(TENANT).len(), 1);
        assert_eq!(partners.organisation_at(TENANT, at("2025-01-01")), Organisation::Registered("b".into()));
        assert!(partners.agents(Guid(1)).is_empty());
    }

    /// A partner's own tenant manages for it at any time, unless a statement dates it.
    #[test]
    fn a_partners_own_tenant_manages_for_it_unless_it_is_dated() {
        let managing = |managing_tenants, tenant| {
            let partners = view([PartnerRegistered { managing_tenants, ..statement("2026-01-01", "p", Vec::new()) }]);
            let of_it = partners.managing(tenant).into_iter().filter(|one| one.partner == Some(TENANT));
            of_it.map(|one| one.interval).collect::<Vec<_>>()
        };
        let always = [Interval::new(Instant::MIN_UTC, Instant::MAX_UTC)];
        assert_eq!(managing(Vec::new(), TENANT), always);
        assert_eq!(managing(vec![agents(8)], TENANT), always, "beside another one that it names");
        assert_eq!(managing(vec![agents(8)], Guid(8)), always);
        let dated = Dated { since: Some(at("2026-02-01")), ..agents(TENANT.0) };
        let since = [Interval::new(at("2026-02-01"), Instant::MAX_UTC)];
        assert_eq!(managing(vec![dated], TENANT), since);
    }

    /// Looked up by name or PartnerID, a partner is what it stated last, or what it was at the time.
    #[test]
    fn a_partner_is_found_by_its_newest_statement_and_by_its_location_at_the_time() {
        let mut first = statement("2026-01-01", "old", Vec::new());
        first.partner_ids = vec![Dated { value: " 111111 ".into(), since: None, until: None }];
        first.identities = vec![agents(5)];
        let mut moved = first.clone();
        (moved.organisation, moved.at, moved.partner_ids[0].value) = ("new".into(), at("2026-04-01"), "222222".into());
        let other = PartnerRegistered { tenant: Guid(10), ..statement("2026-01-01", "other", Vec::new()) };
        let partners = view([first, moved, other]);
        let newest: Vec<_> = partners.statements().map(|(event, one)| (event, &*one.organisation)).collect();
        assert_eq!(newest, [(Identity(2), "new"), (Identity(3), "other")]);
        let found = |id, day| partners.partner_at(id, at(day)).map(|one| (one.tenant, &*one.organisation));
        assert_eq!(found("111111", "2026-03-31"), Some((TENANT, "old")));
        assert_eq!(found("111111", "2026-04-01"), None);
        assert_eq!(found("222222", "2026-04-01"), Some((TENANT, "new")));
        assert_eq!(found("333333", "2026-04-01"), None);
        assert_eq!(partners.identity_ids().collect::<Vec<_>>(), [Guid(5)]);
    }

    /// PEC-8, PEC-9: at one instant membership ends after it began, and barring comes after reinstatement:
    /// in doubt neither earns, in whatever order they were told. Whoever asks sees each of the events.
    #[test]
    fn in_doubt_a_partner_is_no_member_and_is_barred() {
        let day = |day: &str| MembershipChange { partner: TENANT, at: at(day) };
        let standing = || PartnerStanding { partner: TENANT, reason: "told".into(), at: at("2026-03-01") };
        let (begun, both) = (at("2026-01-01"), at("2026-03-01"));
        for on_first in [true, false] {
            let mut book = PartnerBook::default();
            book.membership.file(Identity(1), Digest::default(), (true, day("2026-01-01")));
            for (identity, on) in [(2, on_first), (3, !on_first)] {
                book.membership.file(Identity(identity), Digest::default(), (on, day("2026-03-01")));
                book.standing.file(Identity(identity), Digest::default(), (on, standing()));
            }
            let partners = book.view();
            assert_eq!(partners.membership(TENANT), [Interval::new(begun, both)]);
            assert_eq!(partners.barred(TENANT), [Interval::new(both, Instant::MAX_UTC)]);
            assert_eq!(partners.membership_events(TENANT), [1, 2, 3].map(Identity));
            assert_eq!(partners.standing_events(TENANT), [2, 3].map(Identity));
        }
    }

    /// A person who decides which of two bodies counts is heard by every filing of the book.
    #[test]
    fn of_two_statements_under_one_identity_the_decided_one_holds() {
        use crate::entry::{ConflictDecided, Decision};
        let (kept, other) = (Digest([2; 32]), Digest([1; 32]));
        let mut book = PartnerBook::default();
        for (digest, organisation, day) in [(other, "other", "2026-01-01"), (kept, "kept", "2026-02-01")] {
            book.registered.file(Identity(1), digest, statement("2026-01-01", organisation, Vec::new()));
            let change = MembershipChange { partner: TENANT, at: at(day) };
            book.membership.file(Identity(2), digest, (true, change));
            let standing = PartnerStanding { partner: TENANT, reason: "told".into(), at: at(day) };
            book.standing.file(Identity(3), digest, (true, standing));
        }
        for identity in [1, 2, 3].map(Identity) {
            let decision = Decision { actor: "ann".into(), reason: "asked".into(), at: at("2026-06-01") };
            book.hear(Said::Decided(&ConflictDecided { identity, keep: kept, known: vec![kept, other], decision }));
        }
        let partners = book.view();
        let since = [Interval::new(at("2026-02-01"), Instant::MAX_UTC)];
        assert_eq!(partners.organisation_at(TENANT, at("2026-03-01")), Organisation::Registered("kept".into()));
        assert_eq!((partners.membership(TENANT), partners.barred(TENANT)), (since.to_vec(), since.to_vec()));
    }
}
