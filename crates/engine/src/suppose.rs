//! What if: supposed events, and what they would change in credit and money.
//!
//! A supposition becomes the very events that would tell it, folded over a copy of the facts by the
//! same rules; nothing is ever appended. Amounts of both sides are exact, so that their difference
//! is. What has not happened yet has no usage: for the time ahead, the first whole day after the
//! supposed instant is judged on both sides, and its cost a day is the resource's burn.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{Access, Grant, Via};
use domain::commerce::{Began, Commerce, Placement};
use domain::entry::{
    AssignmentCreated, AssignmentDeleted, Authorization, Delegation, DelegationDeleted, Event, GrantFacts, PalUnlinked,
    PlanCreated, PolicyDocument, ScheduleCancelled, TransferCompleted,
};
use domain::facts::Facts;
use domain::finding::Code;
use domain::ids::{Currency, Guid};
use domain::money::Exact;
use domain::pec::{AccessVerdict, LostCode};
use domain::period::{Day, Instant, Interval, Period};
use domain::policy::{Policy, TransferUsage};
use domain::rating::Verdict;
use domain::scope::Scope;

use crate::books::Books;
use crate::burn::{self, Burn, Place};
use crate::leak;

/// Something that might be so.
#[derive(Clone, Debug, PartialEq)]
pub enum Supposition {
    Grant {
        scope: Scope,
        principal: Guid,
        role: Guid,
        at: Instant,
    },
    Revoke {
        grant: Guid,
        at: Instant,
    },
    Role {
        grant: Guid,
        which: Which,
        role: Guid,
        at: Instant,
    },
    Policy(PolicyDocument),
    Transfer {
        subscription: Guid,
        to: Receiver,
        at: Instant,
    },
    /// The end of an identity's partner links, in one tenant or in all.
    EndOfLink {
        principal: Guid,
        tenant: Option<Guid>,
        at: Instant,
    },
}

/// Which authorisation of a grant is meant, where it has several: a delegation may name many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Which {
    pub principal: Option<Guid>,
    pub role: Option<Guid>,
}

/// Who takes a subscription over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receiver {
    Plan(Guid),
    /// A partner whose plan for the customer may still have to be created.
    Partner(Guid),
}

/// Why something cannot be supposed: what is wrong, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unfit {
    pub what: String,
    pub hint: &'static str,
}

fn unfit<T>(what: String, hint: &'static str) -> Result<T, Unfit> {
    Err(Unfit { what, hint })
}

impl Supposition {
    /// From when on it would be so.
    #[must_use]
    pub fn at(&self) -> Instant {
        match self {
            Self::Grant { at, .. }
            | Self::Revoke { at, .. }
            | Self::Role { at, .. }
            | Self::Transfer { at, .. }
            | Self::EndOfLink { at, .. } => *at,
            Self::Policy(document) => document.effective_from.start(),
        }
    }

    /// The events that would tell it.
    pub fn events(&self, facts: &Facts, commerce: &Commerce) -> Result<Vec<Event>, Unfit> {
        match self {
            Self::Grant { scope, principal, role, at } => Ok(vec![created(scope, *principal, *role, *at)]),
            Self::Revoke { grant, at } => ended(&facts.access.view(commerce, &facts.partners.view()), *grant, *at),
            Self::Role { grant, which, role, at } => {
                changed(&facts.access.view(commerce, &facts.partners.view()), (*grant, *which), *role, *at)
            }
            Self::Policy(document) => adopted(facts, document),
            Self::Transfer { subscription, to, at } => transferred(commerce, *subscription, *to, *at),
            Self::EndOfLink { principal, tenant, at } => {
                unlinked(&facts.access.view(commerce, &facts.partners.view()), *principal, *tenant, *at)
            }
        }
    }
}

/// Times of sending are kept once a policy of the journal needs them; for one that is supposed they have to be
/// folded again: [`crate::view::for_policy`].
fn adopted(facts: &Facts, document: &PolicyDocument) -> Result<Vec<Event>, Unfit> {
    if needs_sent(document) && !facts.usage.keeps_sent() {
        let what = "these facts do not keep the times of sending that `transfer-usage = reported` asks for";
        return unfit(
            what.to_owned(),
            "ask with pec policy check or pec what-if policy, which read the journal for them",
        );
    }
    Ok(vec![Event::PolicyPublished(document.clone())])
}

/// Whether a document places usage by the time it was sent.
pub(crate) fn needs_sent(document: &PolicyDocument) -> bool {
    Policy::read(document).is_ok_and(|read| read.transfer_usage == TransferUsage::Reported)
}

/// Ids of what does not exist are taken from the end of all ids, where no real one is.
pub const NOT_REAL: Guid = Guid(u128::MAX);

fn created(scope: &Scope, principal: Guid, role: Guid, at: Instant) -> Event {
    let facts = GrantFacts { principal, principal_type: None, role, condition: None };
    Event::AssignmentCreated(AssignmentCreated { assignment: NOT_REAL, scope: scope.clone(), facts, at })
}

/// The grants of one id that are held at an instant.
fn held(access: &Access, id: Guid, at: Instant) -> Result<Vec<&Grant>, Unfit> {
    let named: Vec<&Grant> = access.grants().map(|(_, grant)| grant).filter(|grant| grant.via.id() == id).collect();
    if named.is_empty() {
        return unfit(format!("no grant {id} is known"), "pec access timeline RESOURCE --json shows the ids of grants");
    }
    let held: Vec<&Grant> = named.into_iter().filter(|grant| grant.held.contains(at)).collect();
    if held.is_empty() {
        let at = at.to_rfc3339();
        return unfit(format!("grant {id} is not held at {at}"), "name an instant at which it is held with --at");
    }
    Ok(held)
}

fn ended(access: &Access, id: Guid, at: Instant) -> Result<Vec<Event>, Unfit> {
    let mut events = Vec::new();
    for grant in held(access, id, at)? {
        let scope = grant.scope.clone();
        events.push(match grant.via {
            Via::Assignment(assignment) => Event::AssignmentDeleted(AssignmentDeleted { assignment, scope, at }),
            Via::Schedule(schedule) => Event::ScheduleCancelled(ScheduleCancelled { schedule, scope, at }),
            Via::Delegation { delegation, .. } => Event::DelegationDeleted(DelegationDeleted { delegation, scope, at }),
        });
    }
    events.dedup();
    Ok(events)
}

/// A role assignment cannot change its role: it is removed and another one made, for the group where
/// it was a group's. A delegation is stated anew as a whole, and only the authorisation that is meant
/// changes its role.
fn changed(access: &Access, (id, which): (Guid, Which), role: Guid, at: Instant) -> Result<Vec<Event>, Unfit> {
    let grants = held(access, id, at)?;
    // A group's grant is held by each of its members, and is one authorisation all the same.
    let all: BTreeSet<(Guid, Guid, bool)> = grants
        .iter()
        .map(|grant| (grant.member_of.unwrap_or(grant.principal), grant.role, grant.eligible_only))
        .collect();
    let is_meant = |(principal, role, _): &(Guid, Guid, bool)| {
        which.principal.is_none_or(|named| named == *principal) && which.role.is_none_or(|named| named == *role)
    };
    let mut meant = all.iter().copied().filter(is_meant);
    let listed = || all.iter().map(|(principal, role, _)| format!("{} of {principal}", domain::roles::name(*role)));
    let (Some(one), None) = (meant.next(), meant.next()) else {
        let what = format!("grant {id} authorises {}", listed().collect::<Vec<_>>().join(", "));
        return unfit(
            what,
            "name the one that is meant with --principal, and with --from where it holds several roles",
        );
    };
    let first = grants.first().map(|grant| (grant.via, grant.scope.clone()));
    if let Some((Via::Delegation { delegation, managing_tenant, marketplace_offer }, scope)) = first {
        let stated = all.iter().map(|(principal, held, eligible_only)| Authorization {
            principal: *principal,
            role: if (*principal, *held, *eligible_only) == one { role } else { *held },
            eligible_only: *eligible_only,
        });
        let authorizations = stated.collect();
        return Ok(vec![Event::DelegationChanged(Delegation {
            delegation,
            scope,
            managing_tenant,
            marketplace_offer,
            authorizations,
            at,
        })]);
    }
    let mut events = ended(access, id, at)?;
    events.extend(grants.first().map(|grant| created(&grant.scope, one.0, role, at)));
    Ok(events)
}

fn transferred(commerce: &Commerce, subscription: Guid, to: Receiver, at: Instant) -> Result<Vec<Event>, Unfit> {
    let mut placed = commerce.placements(subscription).iter();
    let Some(from) = placed.find(|placement| placement.interval.contains(at)) else {
        let at = at.to_rfc3339();
        return unfit(
            format!("subscription {subscription} stands under no plan at {at}"),
            "pec eligibility --json shows the ids of subscriptions",
        );
    };
    let stays = match to {
        Receiver::Plan(plan) => plan == from.plan,
        Receiver::Partner(partner) => partner == from.bill_to,
    };
    if stays {
        let (plan, at) = (from.plan, at.to_rfc3339());
        return unfit(
            format!("nothing moves: subscription {subscription} stands under plan {plan} of that partner at {at}"),
            "name another partner with --to, or another plan by its id",
        );
    }
    let moved = |to_plan| Event::TransferCompleted(TransferCompleted { subscription, to_plan, at });
    match to {
        Receiver::Plan(plan) if commerce.plan(plan).is_none() => {
            unfit(format!("no plan {plan} is known"), "name a known plan, or the partner that takes over, with --to")
        }
        Receiver::Plan(plan) => Ok(vec![moved(plan)]),
        Receiver::Partner(partner) => {
            let theirs = commerce.plans().find(|plan| plan.bill_to == partner && plan.customer == from.customer);
            if let Some(plan) = theirs {
                return Ok(vec![moved(plan.plan)]);
            }
            let plan = PlanCreated { plan: NOT_REAL, customer: from.customer, bill_to: partner, reseller: None, at };
            Ok(vec![Event::PlanCreated(plan), moved(NOT_REAL)])
        }
    }
}

fn unlinked(access: &Access, principal: Guid, tenant: Option<Guid>, at: Instant) -> Result<Vec<Event>, Unfit> {
    let tenants: BTreeSet<Guid> = match tenant {
        Some(tenant) => [tenant].into(),
        None => access.tenants_linked(principal).into_iter().collect(),
    };
    let linked = |tenant: &Guid| access.links(principal, *tenant).iter().any(|link| link.interval.contains(at));
    let events: Vec<Event> = tenants
        .into_iter()
        .filter(linked)
        .map(|tenant| Event::PalUnlinked(PalUnlinked { principal, tenant, at }))
        .collect();
    if events.is_empty() {
        let at = at.to_rfc3339();
        return unfit(format!("no partner link of {principal} is known at {at}"), "name the identity by its object id");
    }
    Ok(events)
}

/// Credit of one resource, exact, in the pricing currency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credit {
    pub earned: Exact,
    pub lost: BTreeMap<LostCode, Exact>,
}

impl Credit {
    #[must_use]
    pub fn missing(&self) -> Exact {
        self.lost.values().sum()
    }
}

/// A partner's month on one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Bill {
    pub currency: Currency,
    /// The amount to pay, as an invoice would print it.
    pub total: Exact,
    /// Beside the total, in the same currency; zero where none is drawn.
    pub tax: Exact,
    /// Credit earned and missing, exact, in the pricing currency.
    pub earned: Exact,
    pub missing: Exact,
    /// What would stop it from being issued.
    pub stops: BTreeSet<Code>,
}

/// All credit of some months, as things stand or as supposed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    pub resources: BTreeMap<Place, Credit>,
    pub bills: BTreeMap<(Guid, Period), Bill>,
}

impl Side {
    /// Drafts these months for every partner.
    #[must_use]
    pub fn of(books: &mut Books<'_>, periods: &BTreeSet<Period>) -> Self {
        let mut side = Self::default();
        for bill_to in books.bill_to() {
            for period in periods {
                let resources = &mut side.resources;
                let (draft, findings) = books.draft(bill_to, *period, &mut |piece| {
                    let place = (piece.subscription, piece.scope.clone());
                    match piece.verdict {
                        Verdict::Earned => {
                            resources.entry(place).or_default().earned += &piece.credit_at_stake();
                        }
                        Verdict::Lost(code) => {
                            let credit = resources.entry(place).or_default();
                            *credit.lost.entry(code).or_default() += &piece.credit_at_stake();
                        }
                        Verdict::Never(_) => {}
                    }
                });
                let totals = draft.totals();
                if totals.lines > 0 {
                    let (total, _) = draft.total_and_rounding();
                    let missing = totals.missing();
                    let (currency, tax) = (draft.currency, draft.tax().unwrap_or_default());
                    let stops = findings.iter().filter(|finding| finding.blocking()).map(|finding| finding.code);
                    let bill = Bill { currency, total, tax, earned: totals.earned, missing, stops: stops.collect() };
                    side.bills.insert((bill_to, *period), bill);
                }
            }
        }
        side
    }

    /// All credit together.
    #[must_use]
    pub fn total(&self) -> Credit {
        let mut total = Credit::default();
        for credit in self.resources.values() {
            total.earned += &credit.earned;
            for (code, amount) in &credit.lost {
                *total.lost.entry(*code).or_default() += amount;
            }
        }
        total
    }
}

/// The months with usage that something from `at` on can change.
#[must_use]
pub fn months_from(books: &Books<'_>, at: Instant) -> BTreeSet<Period> {
    let first = Day::of(at).period();
    books.periods().into_iter().filter(|period| *period >= first).collect()
}

/// How one resource stands on one day.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub bill_to: Guid,
    pub customer: Guid,
    pub verdict: AccessVerdict,
}

/// How resources stand on a day; one whose subscription does not exist that day is left out.
pub fn standings<'p>(
    books: &mut Books<'_>,
    places: impl IntoIterator<Item = &'p Place>,
    day: Day,
) -> BTreeMap<Place, Standing> {
    let mut found = BTreeMap::new();
    for (subscription, scope) in places {
        let Some(placement) =
            books.commerce.placement_of(*subscription, (day.start(), day.next().start()), None).cloned()
        else {
            continue;
        };
        let place = books.judge.place(*subscription, &placement, scope);
        let verdict = books.judge.access(place, day);
        let standing = Standing { bill_to: placement.bill_to, customer: placement.customer, verdict };
        found.insert((*subscription, scope.clone()), standing);
    }
    found
}

/// The first whole day on which something from `at` on is so.
#[must_use]
pub fn first_whole_day(at: Instant) -> Day {
    let day = Day::of(at);
    if day.start() == at { day } else { day.next() }
}

/// What is at stake a day where something is supposed: measured before it, and never in the future.
#[must_use]
pub fn burns_before(books: &Books<'_>, at: Instant, now: Instant) -> BTreeMap<Place, Burn> {
    burn::burns(books, Day::of(at.min(now)))
}

/// A transfer that was requested, and how what is in use stands before and after it.
#[derive(Clone, Debug)]
pub struct Guarded {
    pub subscription: Guid,
    pub customer: Guid,
    pub from_partner: Guid,
    pub to_plan: Guid,
    /// `None` where the plan is not known here: whoever takes over is nobody of ours.
    pub to_partner: Option<Guid>,
    pub requested_at: Instant,
    /// The first whole day on which it could be so.
    pub day: Day,
    pub stood: BTreeMap<Place, Standing>,
    /// Empty where the plan is not known here: all that counted is lost.
    pub stands: BTreeMap<Place, Standing>,
}

/// Every open request for a transfer, judged as if it were done now. The access of everybody stays
/// where it is, which is the point: nothing else changes, so no copy of the facts is needed.
pub fn guarded(books: &mut Books<'_>, now: Instant) -> Vec<Guarded> {
    let requests: Vec<(Guid, Guid, Instant)> = books.commerce.transfer_requests().collect();
    let mut found = Vec::new();
    for (subscription, to_plan, requested_at) in requests {
        let plan = books.commerce.plan(to_plan).cloned();
        let placements = books.commerce.placements(subscription);
        let Some(from) = placements.iter().find(|placement| placement.interval.contains(now)).cloned() else {
            continue;
        };
        let (customer, to_partner) = (from.customer, plan.as_ref().map(|plan| plan.bill_to));
        let day = first_whole_day(now);
        let interval = Interval::new(now, Instant::MAX_UTC);
        let to = plan.map(|PlanCreated { plan, customer, bill_to, .. }| {
            let began = Began::Moved;
            Placement { interval, plan, customer, bill_to, began, ..from.clone() }
        });
        let (mut stood, mut stands) = (BTreeMap::new(), BTreeMap::new());
        for place in leak::in_use(books, now, &[subscription].into()) {
            for (placement, side) in [(Some(&from), &mut stood), (to.as_ref(), &mut stands)] {
                let Some(placement) = placement else { continue };
                let id = books.judge.place(subscription, placement, &place.1);
                let verdict = books.judge.access(id, day);
                let standing = Standing { bill_to: placement.bill_to, customer: placement.customer, verdict };
                side.insert(place.clone(), standing);
            }
        }
        let from_partner = from.bill_to;
        found.push(Guarded {
            subscription,
            customer,
            from_partner,
            to_plan,
            to_partner,
            requested_at,
            day,
            stood,
            stands,
        });
    }
    found
}
