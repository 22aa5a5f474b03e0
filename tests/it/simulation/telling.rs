//! Tells a world as upstream would: in the records of the channels, with the noise of real ones.
//!
//! One truth has many tellings: a grant comes as our own event or as Azure's pair of records, is
//! written a second time while it lives, is removed twice, is listed in between. None of it may
//! change an answer. The order and number of deliveries are not decided here.

// Partners: what they are, and how they stand.
mod partners;
// Who belonged to which group, and who left.
mod people;
// What became of resources and groups.
mod estate;
// Prices, rates, and what is charged or paid beside usage.
mod money;
// What is chosen, and taxes.
mod policies;
// The digests of what is told in several ways.
mod stamp;

pub use stamp::stamp;

use chrono::{DateTime, Utc};
use domain::entry::{
    AssignmentCreated, AssignmentDeleted, AssignmentsListed, Authorization, ChannelEvent, ConflictDecided,
    CustomerRegistered, Decision, Delegation, DelegationDeleted, DenyAssignment, DenyAssignmentDeleted, Event,
    GrantFacts, ListedAssignment, Move, Offer, PalLinked, PalUnlinked, Part, PlanCreated, PrincipalDeleted,
    ResellerOfRecordSet, Schedule, Stream, SubscriptionCreated, TransferCompleted, Usage, UsageAdjusted, UsageVoided,
};
use domain::ids::{Digest, Guid, Market, MeterId};
use domain::period::Instant;
use domain::scope::Scope;
use journal::wire;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::dice::Dice;
use super::worlds;
use crate::azure::{self, Record};
use crate::memory::{Body, SOURCE, Told};
use crate::oracle::conflict;
use crate::oracle::world::{self, By, DAY, Grant, Id, Role, Time, World};

/// Of whom nothing else is ever told.
const STRANGER: Id = 99_999;

pub fn guid(id: Id) -> Guid {
    Guid::parse(&format!("{id:08x}-0000-4000-8000-000000000000")).expect("eight digits and a fixed tail")
}

pub fn instant(at: Time) -> Instant {
    DateTime::<Utc>::from_timestamp(at, 0).expect("a second of this century")
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("worlds write plain decimals")
}

fn role(role: Role) -> Guid {
    let text = match role {
        Role::Owner => "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        Role::Contributor => "b24988ac-6180-42a0-ab88-20f7382dd24c",
        Role::Reader => "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        Role::Custom => "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
    };
    Guid::parse(text).expect("a constant of this file")
}

/// Collects what is told and gives each event an id of its own.
struct Teller<'a> {
    world: &'a World,
    dice: Dice,
    told: Vec<Told>,
    correlations: usize,
}

/// Everything that upstream ever says about the world, once each, in no meaningful order.
pub fn tell(world: &World, seed: u64) -> Vec<Told> {
    let mut teller = Teller { world, dice: Dice::new(seed), told: Vec::new(), correlations: 0 };
    teller.partners();
    teller.commerce();
    teller.prices();
    teller.policies();
    for grant in &world.grants {
        teller.grant(grant);
    }
    teller.listings();
    teller.delegations();
    teller.denies();
    teller.links();
    teller.members();
    teller.estate();
    teller.usage();
    teller.cover();
    teller.credits();
    teller.orders();
    teller.refunds();
    teller.told
}

fn usage(world: &World, used: &world::Usage, quantity: &str) -> Usage {
    Usage {
        customer: guid(world.customer_tenant),
        plan: None,
        subscription: guid(world.subscriptions[used.subscription].id),
        resource: Some(Scope::parse(&used.resource)),
        resource_group: None,
        meter: MeterId::Guid(guid(used.meter)),
        product: None,
        sku: None,
        start: instant(used.start),
        end: instant((used.start.div_euclid(DAY) + 1) * DAY),
        quantity: decimal(quantity),
        unit: "1 Hour".into(),
        sent: None,
    }
}

fn channel(event: ChannelEvent) -> Event {
    Event::Channel(Box::new(event))
}

fn plan_created(world: &World, plan: &world::Plan, reseller: &Option<String>) -> PlanCreated {
    PlanCreated {
        plan: guid(plan.id),
        customer: guid(world.customer_tenant),
        bill_to: guid(world.partners[plan.bill_to].tenant),
        reseller: reseller.as_deref().map(Into::into),
        at: instant(plan.created),
    }
}

fn reseller_set(plan: &world::Plan, at: Time, reseller: &Option<String>) -> ResellerOfRecordSet {
    ResellerOfRecordSet { plan: guid(plan.id), reseller: reseller.as_deref().map(Into::into), at: instant(at) }
}

fn delegated(made: &world::Delegation, held_role: Role) -> Delegation {
    let (principal, role) = (guid(made.principal), role(held_role));
    Delegation {
        delegation: guid(made.id),
        scope: Scope::parse(&made.scope),
        managing_tenant: guid(made.managing_tenant),
        marketplace_offer: made.marketplace,
        authorizations: vec![Authorization { principal, role, eligible_only: made.eligible_only }],
        at: instant(made.held.from),
    }
}

fn denied(made: &world::Deny, every_write: bool) -> Event {
    let action = if every_write { "*/write" } else { "Microsoft.Compute/virtualMachines/*" };
    Event::DenyAssigned(DenyAssignment {
        deny: guid(made.id),
        scope: Scope::parse(&made.scope),
        principals: vec![guid(made.principal)],
        excluded: Vec::new(),
        actions: vec![action.into()],
        not_actions: Vec::new(),
        only_there: false,
        at: instant(made.held.from),
    })
}

fn granted(grant: &Grant, role: Role) -> Event {
    let (assignment, scope) = (guid(grant.id), Scope::parse(&grant.scope));
    let (facts, at) = (facts_of(grant, role), instant(grant.held.from));
    Event::AssignmentCreated(AssignmentCreated { assignment, scope, facts, at })
}

/// The end of a grant; in a telling that names no time, something about a stranger.
fn removed(grant: &Grant, to: Option<Time>) -> Event {
    let (assignment, scope) = (guid(grant.id), Scope::parse(&grant.scope));
    match to {
        Some(to) => Event::AssignmentDeleted(AssignmentDeleted { assignment, scope, at: instant(to) }),
        None => {
            let at = instant(grant.held.from);
            Event::PrincipalDeleted(PrincipalDeleted { principal: guid(STRANGER), at })
        }
    }
}

fn linked(link: &world::Link, partner_id: &str) -> PalLinked {
    let (principal, tenant) = (guid(link.principal), guid(link.tenant));
    PalLinked { principal, tenant, partner_id: partner_id.into(), at: instant(link.held.from) }
}

impl Teller<'_> {
    fn say(&mut self, event: Event) -> String {
        self.say_body(Body::Event(event))
    }

    fn say_body(&mut self, body: Body) -> String {
        let id = format!("event-{}", self.told.len());
        self.told.push(Told { id: id.clone(), causation: None, body });
        id
    }

    /// One event in every way in which it is told, and what people decided about that.
    fn say_all<T>(&mut self, told: &conflict::Told<T>, event: impl Fn(&T) -> Event) -> String {
        let mut bodies = told.bodies.iter();
        let (_, first) = bodies.next().expect("something is told");
        let first = event(first);
        let stream = first.stream().expect("what we tell travels on a topic");
        let id = self.say(first);
        for (_, body) in bodies {
            self.told.push(Told { id: id.clone(), causation: None, body: Body::Event(event(body)) });
        }
        for (number, ruling) in (1_800_000_000..).zip(&told.rulings) {
            let decision = Decision { actor: "ann".into(), reason: "checked".into(), at: instant(number) };
            let known = ruling.knew.iter().map(|digest| Digest(*digest)).collect();
            let identity = wire::identity(stream, SOURCE, &id);
            self.say(Event::ConflictDecided(ConflictDecided { identity, keep: Digest(ruling.keep), known, decision }));
        }
        id
    }

    fn commerce(&mut self) {
        let world = self.world;
        let customer = guid(world.customer_tenant);
        let market = Market::parse("DE").expect("two letters");
        let at = instant((world.days.0 - 300) * DAY);
        let (name, tenant_created) = ("made up".into(), None);
        self.say(Event::CustomerRegistered(CustomerRegistered { customer, name, market, tenant_created, at }));
        for plan in &world.plans {
            let mut resellers = plan.resellers.iter();
            let (_, first) = resellers.next().expect("a plan says from the start who sells it");
            self.say_all(first, |reseller| Event::PlanCreated(plan_created(world, plan, reseller)));
            for (at, told) in resellers {
                self.say_all(told, |reseller| Event::ResellerOfRecordSet(reseller_set(plan, *at, reseller)));
            }
        }
        for made in &world.subscriptions {
            let subscription = guid(made.id);
            let plan = guid(world.plans[made.plans[0].1].id);
            let at = instant(made.created);
            let offer = match made.offers[0].1 {
                world::Offer::AzurePlan => Offer::AzurePlan,
                world::Offer::DevTest => Offer::DevTest,
                world::Offer::Classic => Offer::Legacy,
            };
            let name = "made up".into();
            self.say(Event::SubscriptionCreated(SubscriptionCreated { subscription, plan, name, offer, at }));
            for (at, plan) in made.plans.iter().skip(1) {
                let (to_plan, at) = (guid(world.plans[*plan].id), instant(*at));
                self.say(if offer == Offer::Legacy {
                    Event::SubscriptionTransitioned(Move { subscription, to_plan, at })
                } else {
                    Event::TransferCompleted(TransferCompleted { subscription, to_plan, at })
                });
            }
        }
    }

    fn denies(&mut self) {
        for made in &self.world.denies {
            let (deny, scope) = (guid(made.id), Scope::parse(&made.scope));
            self.say_all(&made.every_write, |every_write| denied(made, *every_write));
            if let Some(to) = made.held.to.filter(|_| !self.ended_with_its_place(&made.scope, made.held.to)) {
                self.say(Event::DenyRemoved(DenyAssignmentDeleted { deny, scope, at: instant(to) }));
            }
        }
    }

    /// A grant, as our own events or as Azure's records, with what real channels add.
    fn grant(&mut self, grant: &Grant) {
        let held = grant.held.span();
        match grant.by {
            By::Assignment => {}
            By::Schedule | By::EligibleSchedule => return self.schedule(grant),
            By::RemovalAlone => {
                let to = held.to.expect("what is only known to have ended has an end");
                self.correlations += 1;
                let removed = azure::removed(guid(grant.id), &body(grant));
                return self.record(grant, ("delete", "Success"), to, &removed);
            }
        }
        // Two copies of one of Azure's records are joined where they can be: only our own contradict.
        let plain = grant.role.bodies.len() == 1;
        if plain && self.dice.chance(50) {
            self.write_pair(grant, held.from);
        } else {
            self.say_all(&grant.role, |role| granted(grant, *role));
        }
        if plain && self.dice.chance(25) {
            // Written again while it lives: no second grant.
            let latest = held.to.unwrap_or(held.from + 5 * DAY);
            if latest - held.from > 120 {
                let again = self.dice.between(held.from + 61, latest);
                self.write_pair(grant, again);
            }
        }
        let Some(end) = &grant.held.end else { return };
        if self.ended_with_its_place(&grant.scope, held.to) {
            return;
        }
        if end.bodies.len() > 1 {
            self.say_all(end, |to| removed(grant, *to));
            return;
        }
        let to = held.to.expect("an end that is told in one way");
        self.remove(grant, to);
        if self.dice.chance(25) {
            // Removed again a moment later: proves nothing.
            self.remove(grant, to + 30);
        }
    }

    fn record(&mut self, grant: &Grant, (what, result): (&str, &str), at: Time, properties: &Value) {
        let (assignment, scope) = (guid(grant.id), Scope::parse(&grant.scope));
        let correlation = self.correlation();
        let said = Record { assignment, scope: &scope, what, result, correlation, at: instant(at) };
        self.say_body(Body::Record(azure::record(&said, properties)));
    }

    fn correlation(&self) -> Guid {
        guid(60_000 + u64::try_from(self.correlations).expect("few records"))
    }

    /// Nobody removes what goes with its place; now and then somebody does so at that very instant.
    fn ended_with_its_place(&mut self, scope: &str, to: Option<Time>) -> bool {
        worlds::estate::ended(self.world, scope, to) && !self.dice.chance(20)
    }

    /// Azure's two records of one write: the first has the facts, the second the time.
    fn write_pair(&mut self, grant: &Grant, at: Time) {
        self.correlations += 1;
        let requested = azure::requested(guid(grant.id), &body(grant));
        self.record(grant, ("write", "Start"), at - 2, &requested);
        self.record(grant, ("write", "Success"), at, &json!({ "statusCode": "Created" }));
    }

    fn remove(&mut self, grant: &Grant, at: Time) {
        if self.dice.chance(50) {
            self.correlations += 1;
            let removed = azure::removed(guid(grant.id), &body(grant));
            self.record(grant, ("delete", "Success"), at, &removed);
        } else {
            self.say(removed(grant, Some(at)));
        }
    }

    fn schedule(&mut self, grant: &Grant) {
        let number = u64::try_from(self.told.len()).expect("few events");
        // A plan made earlier is provisioned later, or the other way round: the later one counts.
        let (start, provisioned) = if self.dice.chance(50) { (0, -600) } else { (-3600, 0) };
        let held = grant.held.span();
        let stated = held.to.filter(|_| !self.ended_with_its_place(&grant.scope, held.to));
        self.say(Event::ScheduleCreated(Schedule {
            schedule: guid(50_000 + number),
            scope: Scope::parse(&grant.scope),
            principal: guid(grant.principal),
            principal_type: None,
            role: role(*grant.role.counts()),
            eligible_only: grant.by == By::EligibleSchedule,
            start: instant(held.from + start),
            end: stated.map(instant),
            provisioned_at: instant(held.from + provisioned),
        }));
    }

    /// Complete listings of a subscription at some instant: they say what is true anyway.
    fn listings(&mut self) {
        let world = self.world;
        for subscription in &world.subscriptions {
            let here = |grant: &Grant| Scope::parse(&grant.scope).subscription() == Some(guid(subscription.id));
            // A listing would tell of the life of which nothing but the end is to be told.
            let in_doubt = world.grants.iter().any(|grant| grant.by == By::RemovalAlone && here(grant));
            if in_doubt || !self.dice.chance(40) {
                continue;
            }
            let earliest = (world.days.0 * DAY).max(subscription.created + 3600);
            let at = self.dice.between(earliest, earliest + 10 * DAY) / 60 * 60 + 17;
            let scope = guid(subscription.id);
            let listed = |grant: &&Grant| here(grant) && grant.by == By::Assignment && grant.held.holds(at);
            let entry = |grant: &Grant, with_creation: bool| ListedAssignment {
                assignment: guid(grant.id),
                scope: Scope::parse(&grant.scope),
                facts: facts(grant),
                created_at: with_creation.then(|| instant(grant.held.from)),
            };
            let with_creation = self.dice.chance(50);
            let assignments = world.grants.iter().filter(listed).map(|grant| entry(grant, with_creation)).collect();
            let part = Part { of: format!("listing-{}", self.told.len()).into(), number: 0, count: 1 };
            let scope = Scope::subscription_of(scope);
            let at = instant(at);
            self.say(Event::AssignmentsListed(AssignmentsListed { scope, at, complete: true, part, assignments }));
        }
    }

    fn delegations(&mut self) {
        for made in &self.world.delegations {
            let (delegation, scope) = (guid(made.id), Scope::parse(&made.scope));
            self.say_all(&made.role, |role| Event::DelegationChanged(delegated(made, *role)));
            if let Some(to) = made.held.to.filter(|_| !self.ended_with_its_place(&made.scope, made.held.to)) {
                self.say(Event::DelegationDeleted(DelegationDeleted { delegation, scope, at: instant(to) }));
            }
        }
    }

    fn links(&mut self) {
        for link in &self.world.links {
            let (principal, tenant) = (guid(link.principal), guid(link.tenant));
            self.say_all(&link.partner_id, |partner_id| Event::PalLinked(linked(link, partner_id)));
            let Some(to) = link.held.to else { continue };
            let linked_anew = |next: &&world::Link| {
                next.principal == link.principal && next.tenant == link.tenant && next.held.from == to
            };
            // Linking anew ends the old link; unlinking first would say the same.
            if !self.world.links.iter().any(|next| linked_anew(&next)) {
                self.say(Event::PalUnlinked(PalUnlinked { principal, tenant, at: instant(to) }));
            }
        }
    }

    fn usage(&mut self) {
        for used in &self.world.usage {
            let world = self.world;
            let id = self.say_all(&used.quantity, |quantity| Event::UsageRecorded(usage(world, used, quantity)));
            let target = wire::identity(Stream::Usage, SOURCE, &id);
            for by in &used.adjusted {
                let quantity = decimal(by);
                self.correct(&id, Event::UsageAdjusted(UsageAdjusted { target, quantity, reason: None }));
            }
            if used.voided {
                self.correct(&id, Event::UsageVoided(UsageVoided { target, reason: None }));
            }
        }
    }

    fn correct(&mut self, target: &str, event: Event) {
        self.say(event);
        let told = self.told.last_mut().expect("it was said just now");
        told.causation = Some(target.to_owned());
    }
}

fn body(grant: &Grant) -> Value {
    azure::body(guid(grant.principal), role(*grant.role.counts()), &Scope::parse(&grant.scope))
}

fn facts(grant: &Grant) -> GrantFacts {
    facts_of(grant, *grant.role.counts())
}

fn facts_of(grant: &Grant, held_role: Role) -> GrantFacts {
    GrantFacts { principal: guid(grant.principal), principal_type: None, role: role(held_role), condition: None }
}
