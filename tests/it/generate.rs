//! Random events of every canonical kind, for tests that must hold for all of them.
//!
//! Values are such as a decoder gives back: times without an inclusive end, scopes normalised,
//! groups only where no resource is named. What Azure writes itself is not made here. Here are the
//! values, usage and the mixture of all streams; every other stream has a file of its own.

mod access;
mod channel;
mod commerce;
mod decisions;
mod reference;

use domain::entry::*;
use domain::ids::{Currency, Digest, Guid, Market, MeterId};
use domain::period::{Day, Instant, Period};
use domain::scope::Scope;
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;

use journal::wire::{Envelope, identity};

pub fn guid() -> impl Strategy<Value = Guid> {
    any::<u128>().prop_map(Guid)
}

/// Names with the characters that break careless writers: quotes, backslashes, other alphabets.
pub fn name() -> impl Strategy<Value = Box<str>> {
    "[a-zA-Z0-9äß€日😀\"\\\\/_.:-][a-zA-Z0-9 äß€日😀\"\\\\/_.:-]{0,30}".prop_map(Into::into)
}

pub fn words() -> impl Strategy<Value = Box<str>> {
    "[a-zA-Z0-9 \n\täß€日😀\"\\\\/_.:-]{0,60}".prop_map(Into::into)
}

pub fn reason() -> impl Strategy<Value = Box<str>> {
    (name(), words()).prop_map(|(first, rest)| format!("{first}{rest}").into())
}

pub fn instant() -> impl Strategy<Value = Instant> {
    let nanos = prop_oneof![Just(0_u32), 0..1_000_000_000_u32];
    (0_i64..4_000_000_000, nanos).prop_map(|(second, nanos)| Instant::from_timestamp(second, nanos).unwrap())
}

pub fn day() -> impl Strategy<Value = Day> {
    (-30_000_i32..100_000).prop_map(Day)
}

pub fn period() -> impl Strategy<Value = Period> {
    (1_i32..=9999, 1_u32..=12).prop_map(|(year, month)| Period::new(year, month).unwrap())
}

/// Any exact number of at most 28 digits.
pub fn number() -> impl Strategy<Value = Decimal> {
    let most = 10_i128.pow(28) - 1;
    (prop_oneof![-most..=most, -1_000_000_i128..1_000_000], 0_u32..=28)
        .prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale).normalize())
}

pub fn not_negative() -> impl Strategy<Value = Decimal> {
    number().prop_map(|number| number.abs())
}

/// At most 15 digits before the point.
pub fn signed_quantity() -> impl Strategy<Value = Decimal> {
    let most = 10_i128.pow(15) - 1;
    (-most..=most, 0_u32..=28).prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale).normalize())
}

pub fn quantity() -> impl Strategy<Value = Decimal> {
    signed_quantity().prop_map(|number| number.abs())
}

pub fn scope() -> impl Strategy<Value = Scope> {
    let below = prop_oneof![
        Just(String::new()),
        Just("/resourceGroups/RG-prod".to_owned()),
        "/resourceGroups/[a-zA-Zäß]{1,8}/providers/Microsoft\\.[A-Z][a-z]{2,8}/[a-z]{2,8}/[a-zA-Z0-9-]{1,12}",
    ];
    (guid(), below).prop_map(|(guid, below)| Scope::parse(&format!("/subscriptions/{guid}{below}")))
}

pub fn meter() -> impl Strategy<Value = MeterId> {
    prop_oneof![guid().prop_map(MeterId::Guid), "[0-9]{1,2}core".prop_map(|word| MeterId::parse(&word))]
}

pub fn currency() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_map(|code| Currency::parse(&code).unwrap())
}

pub fn market() -> impl Strategy<Value = Market> {
    "[A-Z]{2}".prop_map(|code| Market::parse(&code).unwrap())
}

pub fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn decision() -> impl Strategy<Value = Decision> {
    (reason(), words(), instant()).prop_map(|(actor, reason, at)| Decision { actor, reason, at })
}

prop_compose! {
    pub fn usage()(
        customer in guid(), plan in option::of(guid()), subscription in guid(),
        resource in option::of(scope()), group in option::of("[a-zäß0-9-]{1,12}"), meter in meter(),
        product in option::of(name()), sku in option::of(name()), day in 0_i32..40_000,
        seconds in (0_i64..86_398).prop_flat_map(|start| (Just(start), start + 1..=86_400)),
        quantity in quantity(), unit in name(),
    ) -> Usage {
        // The last second of a day is read as the midnight after it.
        let end = if seconds.1 == 86_399 { 86_400 } else { seconds.1 };
        let at = |second| Day(day).start() + chrono::TimeDelta::seconds(second);
        Usage {
            customer, plan, subscription,
            resource_group: group.filter(|_| resource.is_none()).map(Into::into),
            resource, meter, product, sku, start: at(seconds.0), end: at(end), quantity, unit, sent: None,
        }
    }
}

fn envelope() -> impl Strategy<Value = Envelope> {
    (name(), name(), option::of(instant())).prop_map(|(id, source, time)| Envelope {
        id: id.into(),
        source: source.into(),
        time,
        causation_id: None,
    })
}

/// A correction together with the envelope that names its target.
fn correction() -> impl Strategy<Value = (Envelope, Event)> {
    (envelope(), name(), option::of(signed_quantity()), option::of(words())).prop_map(
        |(envelope, id, quantity, reason)| {
            let target = identity(Stream::Usage, &envelope.source, &id);
            let event = match quantity {
                Some(quantity) => Event::UsageAdjusted(UsageAdjusted { target, quantity, reason }),
                None => Event::UsageVoided(UsageVoided { target, reason }),
            };
            (Envelope { causation_id: Some(id.into()), ..envelope }, event)
        },
    )
}

/// An event of any canonical kind, with the envelope it travels in.
pub fn event() -> impl Strategy<Value = (Envelope, Event)> {
    let plain = prop_oneof![
        3 => usage().prop_map(Event::UsageRecorded),
        3 => access::access(),
        2 => commerce::commerce(),
        1 => commerce::lives(),
        2 => commerce::charges(),
        3 => reference::reference(),
        3 => decisions::decisions(),
        4 => channel::channel(),
    ];
    // Usage knows when it was sent; its envelope says it.
    let sent = |(envelope, event): (Envelope, Event)| match event {
        Event::UsageRecorded(usage) => {
            let usage = Usage { sent: envelope.time, ..usage };
            (envelope, Event::UsageRecorded(usage))
        }
        other => (envelope, other),
    };
    prop_oneof![9 => (envelope(), plain).prop_map(sent), 1 => correction()]
}
