//! The journal: every message that was ever received, verbatim, in order, chained, on sled.
//!
//! This crate is the only one that knows a byte or JSON format, and the only one that names sled.

pub mod wire;
