//! A seedable generator of whole worlds: partners, customers, prices, access and usage, and on
//! request the faults that real streams have.
//!
//! The same seed and options always give the same bytes: the only randomness is ChaCha8 from the
//! seed, and no clock is read. What it makes is what upstream systems would send, through the same
//! encoder that the decoder is tested against; it never writes to a journal itself.

pub mod access;
pub mod channel;
pub mod charges;
pub mod faults;
pub mod incidents;
pub mod reference;
pub mod usage;
pub mod world;

use journal::wire::Message;

pub use faults::Faults;
pub use world::{Size, World};

/// Usage events of the demo: enough that every resource is used on most days.
pub const DEMO_EVENTS: u64 = 4_000;

/// Everything a world tells, stream by stream, in the order an upstream would send it.
pub struct Script<'w> {
    world: &'w World,
    faults: Faults,
    usage_events: u64,
}

impl<'w> Script<'w> {
    #[must_use]
    pub fn new(world: &'w World, usage_events: u64, faults: Faults) -> Self {
        Self { world, faults, usage_events }
    }

    /// Partners, policy, prices and rates; then customers, plans and subscriptions; then access;
    /// then usage with the requested faults. The order carries no meaning: results never depend on
    /// it.
    pub fn messages(&self) -> impl Iterator<Item = Message> + use<'w> {
        let world = self.world;
        let told_once = reference::messages(world).into_iter().chain(reference::commerce(world));
        let access = access::messages(world);
        let usage = usage::UsageMessages::new(world, self.usage_events);
        told_once.chain(access).chain(faults::with_faults(usage, self.faults, world.seed))
    }
}
