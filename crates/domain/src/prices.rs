//! Price sheets and exchange rates.

use crate::entry::{ConflictDecided, Entry};

#[derive(Clone, Debug, Default)]
pub struct PriceBook {}

impl PriceBook {
    pub fn apply(&mut self, _entry: &Entry) {}

    pub fn decide(&mut self, _decided: &ConflictDecided) {}
}
