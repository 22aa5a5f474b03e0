//! Usage events, fast: the load of the benchmarks, about 700 bytes each.
//!
//! Which resource a single event is about follows a Zipf law, as consumption does in the wild; day
//! and hour are uniform over the month. Ids are unique by construction.

use std::io::Write as _;

use domain::entry::Stream;
use journal::wire::Message;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Zipf};

use super::world::World;

/// Exponent of the Zipf law: the busiest of 100,000 resources has about half a percent of the events.
const ZIPF_EXPONENT: f64 = 0.7;

/// An endless-free source of `count` usage messages.
pub struct UsageMessages<'w> {
    world: &'w World,
    rng: ChaCha8Rng,
    zipf: Zipf<f64>,
    days: u32,
    next: u64,
    count: u64,
}

impl<'w> UsageMessages<'w> {
    #[must_use]
    pub fn new(world: &'w World, count: u64) -> Self {
        let resources = f64::from(u32::try_from(world.resources.len()).expect("fewer resources than 2^32"));
        Self {
            world,
            rng: ChaCha8Rng::seed_from_u64(world.seed ^ 0x0075_7361_6765),
            zipf: Zipf::new(resources, ZIPF_EXPONENT).expect("a positive number of resources and a positive exponent"),
            days: u32::try_from(world.period.days().count()).expect("at most 31"),
            next: 0,
            count,
        }
    }
}

impl Iterator for UsageMessages<'_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        if self.next == self.count {
            return None;
        }
        let number = self.next;
        self.next += 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "Zipf samples are 1 to resources")]
        let rank = self.zipf.sample(&mut self.rng) as usize - 1;
        // A stride that has no factor in common with the number of resources spreads the busy
        // ones over all customers.
        let resource = (rank * 7_919) % self.world.resources.len();
        let (day, hour) = (self.rng.random_range(1..=self.days), self.rng.random_range(0..24_u32));
        let quantity = self.rng.random_range(1..=24_000_000_u32);
        Some(message(self.world, resource, number, day, hour, quantity))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.count - self.next).ok();
        (left.unwrap_or(usize::MAX), left)
    }
}

/// One usage event. `quantity` is in millionths of the meter's unit.
pub(super) fn message(world: &World, resource: usize, number: u64, day: u32, hour: u32, quantity: u32) -> Message {
    let resource = &world.resources[resource];
    let customer = &world.customers[resource.customer as usize];
    let subscription = &customer.subscriptions[resource.subscription as usize];
    let meter = &world.meters[resource.meter as usize];
    let (year, month) = (world.period.year(), world.period.month());
    let start = format!("{year:04}-{month:02}-{day:02}T{hour:02}:00:00Z");
    let end = match hour {
        23 => format!("{year:04}-{month:02}-{day:02}T23:59:59Z"),
        _ => format!("{year:04}-{month:02}-{day:02}T{:02}:00:00Z", hour + 1),
    };
    let mut value = Vec::with_capacity(800);
    write!(
        value,
        concat!(
            r#"{{"specversion":"1.0","id":"{seed:08x}-{number:012x}","source":"urn:nordwind:meter:weu-{shard}","#,
            r#""type":"pec.usage.recorded.v1","time":"{end}","datacontenttype":"application/json","data":{{"#,
            r#""customerId":"{customer}","subscriptionId":"{plan}","entitlementId":"{subscription}","#,
            r#""resourceUri":"{uri}","meterId":"{meter}","usageStartTime":"{start}","usageEndTime":"{end}","#,
            r#""quantity":"{whole}.{fraction:06}","unit":"{unit}","resourceLocation":"westeurope","#,
            r#""consumedService":"{service}","tags":{{"env":"prod"}}}}}}"#
        ),
        seed = world.seed,
        number = number,
        shard = number % 4,
        end = end,
        customer = customer.tenant,
        plan = customer.plan,
        subscription = subscription.id,
        uri = resource.uri,
        meter = meter.id,
        start = start,
        whole = quantity / 1_000_000,
        fraction = quantity % 1_000_000,
        unit = meter.unit,
        service = meter.service,
    )
    .expect("writing to memory cannot fail");
    Message {
        stream: Stream::Usage,
        key: Some(customer.tenant.to_string().into_bytes()),
        headers: vec![("content-type".to_owned(), Some(b"application/cloudevents+json; charset=UTF-8".to_vec()))],
        value: Some(value),
    }
}
