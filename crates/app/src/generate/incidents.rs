//! What goes wrong in the demo's month: each incident is one that partners report, and each shows
//! another reason for a missing credit.

use chrono::TimeDelta;
use domain::entry::{Event, Stream, UsageAdjusted, UsageVoided};
use domain::ids::Guid;
use domain::period::{Day, Instant};
use journal::wire::{Envelope, Message, encode, identity};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;

use super::access::{CONTRIBUTOR, Grant, OWNER, READER, pal};
use super::usage;
use super::world::{Customer, World, guid};

/// Customers by number whose access is not the plain default.
const REVOKED: usize = 2;
const PAL_LATE: usize = 4;
const FLAPPING: usize = 6;
const READER_ONLY: usize = 7;

impl World {
    /// The world of the demo: like any other of its size, but some customers took the default
    /// access away before the month began.
    #[must_use]
    pub fn demo(seed: u64, period: domain::period::Period) -> Self {
        let mut world = Self::new(seed, period, super::Size::DEMO);
        for number in [REVOKED, PAL_LATE, FLAPPING, READER_ONLY] {
            for subscription in &mut world.customers[number].subscriptions {
                subscription.aobo = None;
            }
        }
        world
    }
}

/// The access records of the incidents.
pub(super) fn access(world: &World, rng: &mut ChaCha8Rng) -> Vec<Message> {
    let mut out = Vec::new();
    let day =
        |day: i64, hour: i64| world.period.first_day().start() + TimeDelta::days(day - 1) + TimeDelta::hours(hour);
    let before = world.dawn() + TimeDelta::seconds(3);
    let Some(customer) = world.customers.get(REVOKED) else { return out };
    for grant in grants(world, customer, rng, OWNER) {
        out.push(grant.written(before, rng));
        out.push(grant.deleted(day(12, 12), rng));
    }
    let Some(customer) = world.customers.get(PAL_LATE) else { return out };
    for subscription in &customer.subscriptions {
        let grant = Grant {
            assignment: guid(rng),
            scope: format!("/subscriptions/{}", subscription.id),
            principal: world.provider.engineer,
            principal_type: "User",
            role: CONTRIBUTOR,
        };
        out.push(grant.written(before, rng));
    }
    out.push(pal(world, customer, &world.provider, day(17, 9) + TimeDelta::minutes(30)));
    let Some(customer) = world.customers.get(FLAPPING) else { return out };
    for grant in grants(world, customer, rng, OWNER) {
        out.extend(flapping(grant, before, &[day(6, 3), day(13, 22), day(20, 0)], rng));
    }
    let Some(customer) = world.customers.get(READER_ONLY) else { return out };
    for grant in grants(world, customer, rng, READER) {
        out.push(grant.written(before, rng));
    }
    out
}

fn grants(world: &World, customer: &Customer, rng: &mut ChaCha8Rng, role: &'static str) -> Vec<Grant> {
    let agents = world.provider.admin_agents;
    customer.subscriptions.iter().map(|at| Grant::at_subscription(at, guid(rng), agents, role)).collect()
}

/// A grant that is taken away for two hours at each of the given times, and given back under a new
/// assignment id, as Azure does.
fn flapping(grant: Grant, from: Instant, losses: &[Instant], rng: &mut ChaCha8Rng) -> Vec<Message> {
    let mut out = vec![grant.written(from, rng)];
    let mut current = grant;
    for lost in losses {
        out.push(current.deleted(*lost, rng));
        current = Grant { assignment: guid(rng), ..current };
        out.push(current.written(*lost + TimeDelta::hours(2), rng));
    }
    out
}

/// Where the corrected and contradicted usage events of the demo come from.
const SOURCE: &str = "urn:nordwind:meter:manual";

/// What the demo explains: a resource of the customer with flapping access, and the first day on
/// which that cost its credit.
#[must_use]
pub fn explained(world: &World) -> (usize, Day) {
    let has_credit = |meter: u32| {
        let meter = &world.meters[meter as usize];
        !meter.third_party && !meter.product_title.contains("Spot") && meter.tiers.len() == 1
    };
    let found = world.resources.iter().position(|at| at.customer as usize == FLAPPING && has_credit(at.meter));
    (found.unwrap_or(FLAPPING), Day(world.period.first_day().0 + 5))
}

/// Usage that is corrected, withdrawn, told in two ways, and one message that nobody can read.
#[must_use]
pub fn usage(world: &World) -> Vec<Message> {
    let told = |id: &str, resource: usize, quantity: u32| {
        let mut message = usage::message(world, resource, 0, 9, 10, quantity);
        let text = String::from_utf8(message.value.take().expect("usage has a value")).expect("and it is text");
        let generated = format!("\"id\":\"{:08x}-{:012x}\",\"source\":\"urn:nordwind:meter:weu-0\"", world.seed, 0);
        let text = text.replace(&generated, &format!("\"id\":\"{id}\",\"source\":\"{SOURCE}\""));
        message.value = Some(text.into_bytes());
        message
    };
    let target = |id: &str| identity(Stream::Usage, SOURCE, id);
    let adjusted = UsageAdjusted {
        target: target("manual-1"),
        quantity: Decimal::new(-25, 1),
        reason: Some("the meter counted a stopped machine".into()),
    };
    let voided = UsageVoided { target: target("manual-2"), reason: Some("test resource".into()) };
    let correction = |id: &str, of: &str, event: &Event| {
        let envelope = Envelope {
            id: id.to_owned(),
            source: SOURCE.to_owned(),
            time: Some(world.period.next().first_day().start()),
            causation_id: Some(of.to_owned()),
        };
        let mut message = encode(&envelope, event);
        message.key = Some(customer_of(world, 0).to_string().into_bytes());
        message
    };
    let mut poison = told("manual-4", 3, 1_000_000);
    poison.value = poison.value.map(|mut bytes| {
        bytes.truncate(200);
        bytes
    });
    let (shown, _) = explained(world);
    let mut shown = usage::message(world, shown, 0, 6, 14, 21_250_000);
    shown.value = shown.value.map(|bytes| {
        let text = String::from_utf8(bytes).expect("generated usage is text");
        text.replacen(&format!("{:08x}-{:012x}", world.seed, 0), "manual-5", 1).into_bytes()
    });
    vec![
        shown,
        correction("manual-1-a", "manual-1", &Event::UsageAdjusted(adjusted)),
        told("manual-1", 0, 6_000_000),
        told("manual-2", 0, 9_000_000),
        correction("manual-2-v", "manual-2", &Event::UsageVoided(voided)),
        told("manual-3", 1, 4_000_000),
        told("manual-3", 1, 4_500_000),
        poison,
    ]
}

fn customer_of(world: &World, resource: usize) -> Guid {
    world.customers[world.resources[resource].customer as usize].tenant
}
