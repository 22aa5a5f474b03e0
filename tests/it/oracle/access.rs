//! Who earned which day: one instant at a time, every grant asked anew.
//!
//! A day is earned when at every instant of its tested part some grant qualifies. The tested part
//! is the part of the day in which the subscription existed under this plan. Each condition of
//! qualifying can be lifted, which is how `reason` tries its repairs; nothing else differs then.

use std::collections::BTreeSet;

use super::estate::{below, is_root};
use super::groups::{Way, is_group, ways};
use super::reason::Code;
use super::world::{
    By, DAY, DayNumber, Grant, Id, Kind, Partner, Qualified, Role, Span, Subscription, Time, World, in_force,
};

/// An activation's assignment is written at most this far from when its schedule becomes active.
const WRITTEN_AROUND: Time = 5 * 60;

/// The day of a resource that is judged, under the plan that its subscription stood under.
#[derive(Clone, Debug)]
pub struct Case<'w> {
    pub world: &'w World,
    pub plan: usize,
    pub subscription: usize,
    pub resource: &'w str,
    /// Every instant of the tested part at which anything may change; the first is its beginning.
    pub tested: Vec<Time>,
}

/// Somebody's role, however it came about.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Tells it apart from all others.
    number: usize,
    principal: Id,
    scope: String,
    /// From a management group, and then for this subscription only.
    inherited_by: Option<usize>,
    /// From a management group or the root.
    from_above: bool,
    /// Held by a group, for members of groups within it.
    nested: bool,
    role: Role,
    held: Span,
    /// The part of which it is not known whether it was held.
    unknown: Option<Span>,
    just_in_time: bool,
    /// Counts from the creation of the subscription, if it came soon after.
    graced: bool,
    route: Route,
}

#[derive(Clone, Copy, Debug)]
enum Route {
    /// The agents of a partner, by their number.
    Agents(usize),
    /// Anybody else, with a link in the customer's tenant.
    Individual,
    /// Lighthouse by an offer, for whoever manages from that tenant.
    Offer(Id),
    /// Lighthouse by a template, with a link in the managing tenant.
    Template(Id),
}

/// Every role that anybody ever holds in the world.
pub fn holdings(world: &World) -> Vec<Holding> {
    let agents = |id: Id| {
        let known =
            |p: &Partner| p.registered.counts().with_agents && (p.admin_agents == id || p.helpdesk_agents == id);
        world.partners.iter().position(known)
    };
    let grants = world.grants.iter().map(|grant| {
        let route = agents(grant.principal).map_or(Route::Individual, Route::Agents);
        let removal_alone = grant.by == By::RemovalAlone;
        let mut held = grant.held.span();
        if let Some(over) = activation_is_over(world, grant) {
            held.to = Some(held.to.map_or(over, |to| to.min(over)));
        }
        let nothing = held.to.map(|to| Span { from: to, to: Some(to) });
        Holding {
            number: 0,
            principal: grant.principal,
            scope: grant.scope.clone(),
            inherited_by: None,
            from_above: !grant.scope.starts_with("/subscriptions/"),
            nested: false,
            role: *grant.role.counts(),
            held: nothing.filter(|_| removal_alone).unwrap_or_else(|| held.clone()),
            unknown: removal_alone.then_some(held),
            just_in_time: grant.by == By::EligibleSchedule,
            graced: matches!(grant.by, By::Assignment | By::RemovalAlone),
            route,
        }
    });
    let delegations = world.delegations.iter().map(|made| Holding {
        number: 0,
        principal: made.principal,
        scope: made.scope.clone(),
        inherited_by: None,
        from_above: false,
        nested: false,
        role: *made.role.counts(),
        held: made.held.clone(),
        unknown: None,
        just_in_time: made.eligible_only,
        graced: false,
        route: if made.marketplace {
            Route::Offer(made.managing_tenant)
        } else {
            Route::Template(made.managing_tenant)
        },
    });
    let grants = grants.flat_map(|holding| of_members(world, holding)).flat_map(|holding| inherited(world, holding));
    grants.chain(delegations).enumerate().map(|(number, holding)| Holding { number, ..holding }).collect()
}

/// When the activation ended that an assignment was written for: one of the same role to the same principal at the
/// same place that begins when a schedule of theirs becomes active, a few minutes more or less.
fn activation_is_over(world: &World, grant: &Grant) -> Option<Time> {
    let from = grant.held.span().from;
    let active = active_alike(world, grant);
    let own = |span: &&Span| {
        let mut begin = span.from;
        while let Some(before) = active.iter().find(|one| one.from < begin && one.to.is_none_or(|to| to >= begin)) {
            begin = before.from;
        }
        (from - begin).abs() <= WRITTEN_AROUND && span.to.is_none_or(|to| from < to)
    };
    let mut over = active.iter().find(own)?.to?;
    while let Some(next) = active.iter().find(|span| span.from <= over && span.to.is_none_or(|to| to > over)) {
        over = next.to?;
    }
    Some(over)
}

/// When schedules of the same role for the same principal at the same place are active; none for what is no
/// assignment that was written.
pub fn active_alike(world: &World, grant: &Grant) -> Vec<Span> {
    if matches!(grant.by, By::Schedule | By::EligibleSchedule | By::RemovalAlone) {
        return Vec::new();
    }
    let same = |other: &&Grant| {
        let alike = other.principal == grant.principal && other.scope == grant.scope;
        other.by == By::Schedule && alike && other.role.counts() == grant.role.counts()
    };
    world.grants.iter().filter(same).map(|other| other.held.span()).collect()
}

/// What a group holds is one holding for each way in which somebody belongs to it; of a way of which it is
/// unknown whether it was there nothing counts as held.
fn of_members(world: &World, holding: Holding) -> Vec<Holding> {
    if !matches!(holding.route, Route::Individual) || !is_group(world, holding.principal) {
        return vec![holding];
    }
    let of_one = |way: Way| {
        let part = during(&holding, &way.during, way.unknown)?;
        Some(Holding { principal: way.member, nested: way.nested, ..part })
    };
    ways(world, holding.principal).into_iter().filter_map(of_one).collect()
}

/// What is granted on a management group is one holding for each time for which a subscription stands below
/// it. Where it is granted on the root, it reaches all of them always.
fn inherited(world: &World, holding: Holding) -> Vec<Holding> {
    if holding.scope.starts_with("/subscriptions/") || is_root(world, &holding.scope) {
        return vec![holding];
    }
    let of_one = |(number, subscription): (usize, &Subscription)| {
        let spans = below(world, subscription.id, &holding.scope).into_iter();
        let parts = spans.filter_map(|span| during(&holding, &span, false));
        parts.map(|part| Holding { inherited_by: Some(number), ..part }).collect::<Vec<_>>()
    };
    world.subscriptions.iter().enumerate().flat_map(of_one).collect()
}

/// What of a holding falls into a span; of one of which it is unknown whether it was there nothing counts as
/// held.
fn during(holding: &Holding, span: &Span, doubtful: bool) -> Option<Holding> {
    let known = holding.held.common(span);
    let perhaps = if doubtful { known.clone() } else { None };
    let unknown = perhaps.or_else(|| holding.unknown.as_ref().and_then(|unknown| unknown.common(span)));
    let nothing = unknown.as_ref().and_then(|unknown| unknown.to).map(|to| Span { from: to, to: Some(to) });
    Some(Holding { held: nothing.or(known)?, unknown, ..holding.clone() })
}

impl<'w> Case<'w> {
    /// `None` when the subscription was not under that plan on that day.
    pub fn of(world: &'w World, plan: usize, subscription: usize, resource: &'w str, day: DayNumber) -> Option<Self> {
        let mut tested = world.instants();
        tested.retain(|at| *at >= day * DAY && *at < (day + 1) * DAY);
        let under_it = |at: &Time| in_force(&world.subscriptions[subscription].plans, *at) == Some(&plan);
        if !tested.iter().any(under_it) {
            return None;
        }
        if world.policy(day, "partial-day") == "existence" {
            tested.retain(under_it);
        }
        let mut case = Self { world, plan, subscription, resource, tested };
        // It ends where the resource is deleted and not there again; usage proves that it was there before.
        let last = case.tested.iter().rposition(|at| !case.is_gone(*at));
        if let Some(last) = last {
            case.tested.truncate(last + 1);
        }
        (!case.tested.is_empty()).then_some(case)
    }

    pub fn begins(&self) -> Time {
        self.tested[0]
    }

    /// Whether anything qualifies at this instant, with one condition lifted or none.
    pub fn qualified(&self, at: Time, lifted: Option<Code>, holdings: &[Holding]) -> bool {
        holdings.iter().any(|holding| self.counts(holding, at, lifted))
    }

    /// Whether this one qualifies at this instant.
    pub fn counts(&self, holding: &Holding, at: Time, lifted: Option<Code>) -> bool {
        let bill_to = &self.world.partners[self.world.plans[self.plan].bill_to];
        let member = bill_to.memberships.as_ref().is_none_or(|spans| spans.iter().any(|span| span.holds(at)));
        let may_receive = bill_to.kind() != Kind::Reseller || lifted == Some(Code::PartnerRole);
        let active = member || lifted == Some(Code::AgreementInactive);
        let free = lifted == Some(Code::Barred) || !bill_to.barred.iter().any(|span| span.holds(at));
        let ours = |code: Code| lifted == Some(code) && self.is_ours(holding);
        let role = self.has_eligible_role(holding) || ours(Code::RoleNotEligible);
        let permanent = !holding.just_in_time || ours(Code::JitOnly);
        let held = self.held(holding, at)
            || ours(Code::UnknownAccess) && self.is_unknown(holding, at)
            || ours(Code::Removed) && at >= holding.held.from && self.once_qualified(holding);
        let allowed = !self.denied(holding, at) || ours(Code::Denied);
        may_receive
            && active
            && free
            && self.reaches(holding, at)
            && role
            && permanent
            && held
            && allowed
            && self.tied(holding, at, lifted)
    }

    /// The day that is judged, whose policy holds.
    fn day(&self) -> DayNumber {
        self.begins().div_euclid(DAY)
    }

    /// What the policy of that day says.
    pub fn says(&self, field: &str) -> &'w str {
        self.world.policy(self.day(), field)
    }

    /// Whether a way through groups counts.
    fn goes(&self, nested: bool) -> bool {
        !nested || self.says("nested-groups") == "count"
    }

    pub fn reaches(&self, holding: &Holding, at: Time) -> bool {
        if !self.goes(holding.nested) || holding.from_above && self.says("inherited-grants") == "ignore" {
            return false;
        }
        match holding.inherited_by {
            Some(subscription) => subscription == self.subscription,
            None => is_root(self.world, &holding.scope) || contains(&holding.scope, self.home(at)),
        }
    }

    /// Like "held", but a group's role at the subscription, written just after the subscription was
    /// created and before it moved, counts from the creation on. What was removed that soon must have been
    /// written then. Where the same group's role was taken away in between, it had none.
    pub fn held(&self, holding: &Holding, at: Time) -> bool {
        let subscription = &self.world.subscriptions[self.subscription];
        let (created, written) = (subscription.created, holding.held.from);
        let moved = subscription.plans.get(1).map_or(Time::MAX, |(at, _)| *at);
        let grace: Time = self.says("aobo-grace-minutes").parse().expect("a number of minutes");
        let soon = written >= created && written <= created + grace * 60 && written < moved;
        let here = holding.scope == subscription_scope(subscription.id);
        let first_plan = self.plan == subscription.plans[0].1;
        let graced = holding.graced && matches!(holding.route, Route::Agents(_)) && here && soon && first_plan;
        let before = graced && at >= created && at < written && !self.was_taken_away(holding, created);
        before || holding.held.holds(at)
    }

    /// Whether a role that counts, of the same group at the same place, ended between the creation and this
    /// one's writing.
    fn was_taken_away(&self, holding: &Holding, created: Time) -> bool {
        holdings(self.world).iter().any(|other| {
            let same = other.principal == holding.principal && other.scope == holding.scope;
            let ended = other.held.to.is_some_and(|to| to >= created && to <= holding.held.from);
            other.number != holding.number && same && ended && self.has_eligible_role(other)
        })
    }

    pub fn is_unknown(&self, holding: &Holding, at: Time) -> bool {
        holding.unknown.as_ref().is_some_and(|unknown| unknown.holds(at))
    }

    /// Whether it once qualified and had ended when the tested part began.
    pub fn once_qualified(&self, holding: &Holding) -> bool {
        let ended = holding.held.to.is_some_and(|to| to <= self.begins());
        let once = |at: Time| self.counts(holding, at, Some(Code::UnknownAccess));
        ended && self.world.instants().into_iter().any(once)
    }

    /// What access is worth for whose organisation, in the eyes of the plan.
    fn may_earn(&self, partner: usize, at: Time, lifted: Option<Code>) -> bool {
        let barred = self.world.partners[partner].barred.iter().any(|span| span.holds(at));
        let ours = self.is_of_record(partner, at) || lifted == Some(Code::OtherPartner);
        let too_early = self.is_unqualified(partner, at) && lifted != Some(Code::AgreementInactive);
        ours && (!barred || lifted == Some(Code::Barred)) && !too_early
    }

    /// Whether a partner was attached to this subscription as a reseller before it qualified, and has not
    /// qualified yet. Who qualified before it was attached stays attached.
    pub fn is_unqualified(&self, partner: usize, at: Time) -> bool {
        let since = match self.world.partners[partner].qualified {
            Qualified::Untold => return false,
            Qualified::Never => Time::MAX,
            Qualified::Since(since) => since,
        };
        let (plan, plans) = (&self.world.plans[self.plan], &self.world.subscriptions[self.subscription].plans);
        let harmless = self.says("unqualified-reseller") == "earning";
        if harmless || partner == plan.bill_to || at >= since {
            return false;
        }
        // The stretch under this plan, and within it the one with this reseller.
        let stretch = |starts: Vec<Time>| starts.into_iter().rev().find(|start| *start <= at);
        let under_plan = in_force(plans, at) == Some(&self.plan);
        let placed = stretch(plans.iter().map(|(start, _)| *start).collect());
        let named = stretch(plan.resellers.iter().map(|(start, _)| *start).collect());
        let reseller = in_force(&plan.resellers, at).and_then(|told| told.counts().clone());
        let (Some(placed), Some(named), Some(reseller)) = (placed, named, reseller) else { return false };
        under_plan && partner_of(self.world, &reseller) == Some(partner) && since > placed.max(named)
    }

    /// Whether a partner is the billed one or, at that instant, the reseller of record.
    fn is_of_record(&self, partner: usize, at: Time) -> bool {
        let plan = &self.world.plans[self.plan];
        let reseller = in_force(&plan.resellers, at).and_then(|told| told.counts().clone());
        let organisation = &self.world.partners[partner].organisation;
        let billed = &self.world.partners[plan.bill_to].organisation;
        let of_reseller = reseller.and_then(|id| partner_of(self.world, &id));
        organisation == billed || of_reseller.is_some_and(|it| &self.world.partners[it].organisation == organisation)
    }

    fn tied(&self, holding: &Holding, at: Time, lifted: Option<Code>) -> bool {
        let by_link = |tenant: Id| match link(self.world, holding.principal, tenant, at) {
            Some(id) => {
                let known = partner_of(self.world, id);
                let elsewhere = !known.is_some_and(|partner| self.is_of_record(partner, at));
                // A PartnerID that nobody registered is some other partner's.
                known.map_or(lifted == Some(Code::OtherPartner), |partner| self.may_earn(partner, at, lifted))
                    || elsewhere && lifted == Some(Code::PalOtherOrganisation) && self.is_ours(holding)
            }
            // A link made anew may name the billed partner.
            None => lifted == Some(Code::PalMissing) && self.is_ours(holding),
        };
        match holding.route {
            Route::Agents(partner) => self.may_earn(partner, at, lifted),
            Route::Offer(tenant) => managed_from(self.world, tenant).any(|partner| self.may_earn(partner, at, lifted)),
            Route::Individual => by_link(self.world.customer_tenant),
            Route::Template(tenant) => by_link(tenant),
        }
    }

    /// The partners that a holding was ever tied to, whether or not they may earn.
    pub fn tied_ever(&self, holding: &Holding) -> Vec<usize> {
        let by_link = |tenant: Id| {
            let links = self.world.links.iter();
            let links = links.filter(move |link| link.principal == holding.principal && link.tenant == tenant);
            links.filter_map(|link| partner_of(self.world, link.partner_id.counts())).collect()
        };
        match holding.route {
            Route::Agents(partner) => vec![partner],
            Route::Offer(tenant) => managed_from(self.world, tenant).collect(),
            Route::Individual => by_link(self.world.customer_tenant),
            Route::Template(tenant) => by_link(tenant),
        }
    }

    /// The organisations by whom anything qualifies at some instant of the tested part.
    pub fn earners(&self, holdings: &[Holding]) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for at in self.tested.iter().copied() {
            for holding in holdings.iter().filter(|holding| self.counts(holding, at, None)) {
                let linked = |tenant: Id| link(self.world, holding.principal, tenant, at);
                let by_link =
                    |tenant: Id| linked(tenant).and_then(|id| partner_of(self.world, id)).into_iter().collect();
                let tied: Vec<usize> = match holding.route {
                    Route::Agents(partner) => vec![partner],
                    Route::Offer(tenant) => managed_from(self.world, tenant).collect(),
                    Route::Individual => by_link(self.world.customer_tenant),
                    Route::Template(tenant) => by_link(tenant),
                };
                let earning = tied.into_iter().filter(|partner| self.may_earn(*partner, at, None));
                all.extend(earning.map(|partner| self.world.partners[partner].organisation.clone()));
            }
        }
        all
    }

    /// The PartnerID that it is linked to where it needs a link; `None` where it needs none.
    pub fn link_needed(&self, holding: &Holding, at: Time) -> Option<Option<&'w str>> {
        match holding.route {
            Route::Agents(_) | Route::Offer(_) => None,
            Route::Individual => Some(link(self.world, holding.principal, self.world.customer_tenant, at)),
            Route::Template(tenant) => Some(link(self.world, holding.principal, tenant, at)),
        }
    }

    pub fn is_linked_elsewhere(&self, holding: &Holding, at: Time) -> bool {
        let Some(Some(id)) = self.link_needed(holding, at) else { return false };
        !partner_of(self.world, id).is_some_and(|partner| self.is_of_record(partner, at))
    }

    /// A deny assignment of every write is a gap for individual identities, a flag for the rest.
    pub fn denied(&self, holding: &Holding, at: Time) -> bool {
        let touched = match self.says("deny-assignments") {
            "every" => true,
            "flag" => false,
            _ => matches!(holding.route, Route::Individual),
        };
        touched
            && self.world.denies.iter().any(|deny| {
                let named = deny.principal == holding.principal
                    || ways(self.world, deny.principal)
                        .iter()
                        .any(|way| way.member == holding.principal && !way.unknown && way.during.holds(at));
                let reaches = named && contains(&deny.scope, self.home(at));
                reaches && *deny.every_write.counts() && deny.held.holds(at)
            })
    }

    /// Only what is ours is repaired: our agents, what our tenants manage, and identities that we
    /// registered or that were ever linked to us.
    pub fn is_ours(&self, holding: &Holding) -> bool {
        let ours = |partner: usize| self.tested.iter().any(|at| self.is_of_record(partner, *at));
        let managed = match holding.route {
            Route::Agents(partner) => return ours(partner),
            Route::Offer(tenant) | Route::Template(tenant) => managed_from(self.world, tenant).any(ours),
            Route::Individual => false,
        };
        let registered = (0..self.world.partners.len())
            .filter(|number| self.world.partners[*number].identities.contains(&holding.principal));
        let links = self.world.links.iter().filter(|link| link.principal == holding.principal);
        let linked = links.filter_map(|link| partner_of(self.world, link.partner_id.counts()));
        managed || registered.chain(linked).any(ours)
    }

    pub fn is_just_in_time(&self, holding: &Holding) -> bool {
        holding.just_in_time
    }

    pub fn has_eligible_role(&self, holding: &Holding) -> bool {
        self.world.takes(self.day(), holding.role)
    }
}

/// The PartnerID that an identity is linked to in a tenant at an instant; none once it is deleted.
fn link(world: &World, principal: Id, tenant: Id, at: Time) -> Option<&str> {
    if world.departures.iter().any(|one| one.principal == principal && one.at <= at) {
        return None;
    }
    let mut links = world.links.iter().filter(|link| link.principal == principal && link.tenant == tenant);
    links.find(|link| link.held.holds(at)).map(|link| link.partner_id.counts().as_str())
}

fn partner_of(world: &World, partner_id: &str) -> Option<usize> {
    world.partners.iter().position(|partner| partner.partner_ids.iter().any(|id| id == partner_id))
}

fn managed_from(world: &World, tenant: Id) -> impl Iterator<Item = usize> {
    let partners = world.partners.iter().enumerate();
    partners.filter(move |(_, partner)| partner.managing_tenant == tenant).map(|(number, _)| number)
}

pub fn contains(scope: &str, resource: &str) -> bool {
    scope == "/" || resource == scope || resource.starts_with(&format!("{scope}/"))
}

/// The scope of a whole subscription, as scopes are written in a world.
pub fn subscription_scope(id: u64) -> String {
    format!("/subscriptions/{id:08x}-0000-4000-8000-000000000000")
}

#[test]
fn roles_that_only_read_never_count() {
    assert!(Role::Owner.counts() && Role::Contributor.counts());
    assert!(!Role::Reader.counts() && !Role::Custom.counts());
    assert!(contains("/subscriptions/a", "/subscriptions/a/b") && !contains("/subscriptions/a", "/subscriptions/ab"));
}
