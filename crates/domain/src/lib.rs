//! What access, credit, price and invoice *mean*, as pure functions over facts.
//!
//! This crate refuses to know files, sockets, clocks, threads, floats, hash order and serialised
//! forms. Facts go in through one fold ([`projection::Fold`]) that cannot fail; judgements come
//! out of pure functions that return the answer together with its reasons and findings.
//!
//! Reading order: the vocabulary (`ids` to `entry`), what is remembered (`projection`, `facts` and
//! its books), what is judged (`pec`, `rating`, `invoice`), what is decided (`decide`).

#![deny(clippy::wildcard_enum_match_arm)]

pub mod ids;
pub mod scope;
pub mod period;
pub mod money;
pub mod entry;

pub mod projection;
pub mod filing;
pub mod facts;
pub mod conflict;
pub mod usage;
pub mod access;
pub mod commerce;
pub mod charges;
pub mod partners;
pub mod regions;
pub mod channel;
pub mod order;
pub mod prices;
pub mod policy;
pub mod roles;
pub mod issued;

pub mod pec;
pub mod rating;
pub mod invoice;
pub mod decide;

pub mod finding;

#[cfg(test)]
mod testing;
