//! Quantities: what was used, by resource, meter and time.

use crate::entry::{ConflictDecided, Entry};

#[derive(Clone, Debug, Default)]
pub struct UsageBook {}

impl UsageBook {
    pub fn apply(&mut self, _entry: &Entry) {}

    pub fn decide(&mut self, _decided: &ConflictDecided) {}
}
