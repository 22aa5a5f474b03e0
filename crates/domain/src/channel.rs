//! The standing of every party on an instant: roles, agreements, security, relationships, markets
//! and credit.
//!
//! Filing is total; the view puts facts in order of their own time. At one instant what takes a
//! right away comes last, so that in doubt nothing is sold. Nothing here answers an order: `order`
//! does, from what is said here.

mod standing;
mod view;

pub use standing::{Standing, State};
pub use view::{Channel, Missing, Qualification, Stated};

use std::collections::BTreeSet;

use crate::entry::{ChannelEvent, PartnerStanding};
use crate::filing::{Filing, Said};
use crate::ids::{Digest, Guid, Identity};

/// What was told about the channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelBook {
    events: Filing<ChannelEvent>,
    /// Whether any order was ever told: without one there is nothing to answer.
    orders: bool,
    /// Told of credit and of standing alike: whoever is reinstated is free of both.
    reinstated: Filing<PartnerStanding>,
}

impl ChannelBook {
    pub fn file(&mut self, identity: Identity, digest: Digest, body: ChannelEvent) {
        self.orders |= matches!(body, ChannelEvent::OrderRequested(_));
        self.events.file(identity, digest, body);
    }

    pub fn file_reinstated(&mut self, identity: Identity, digest: Digest, body: PartnerStanding) {
        self.reinstated.file(identity, digest, body);
    }

    #[must_use]
    pub fn has_orders(&self) -> bool {
        self.orders
    }

    /// The subscriptions that orders name as theirs: whose usage is worth watching for.
    #[must_use]
    pub fn ordered_subscriptions(&self) -> BTreeSet<Guid> {
        if !self.orders {
            return BTreeSet::new();
        }
        let mut named = BTreeSet::new();
        for (_, event) in self.events.iter() {
            if let ChannelEvent::OrderRequested(order) = event {
                named.extend(order.subscription);
            }
        }
        named
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.events.hear(said);
        self.reinstated.hear(said);
    }

    /// Puts the facts in order: built once per question, linear but for the sorting.
    #[must_use]
    pub fn view(&self) -> Channel {
        let mut view = Channel::default();
        for (identity, event) in self.events.iter() {
            view.take(identity, event);
        }
        for (identity, body) in self.reinstated.iter() {
            view.reinstate(identity, body);
        }
        view.order();
        view
    }
}

#[cfg(test)]
mod tests;
