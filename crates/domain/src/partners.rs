//! Partners: organisations, ids, membership, standing.

use crate::entry::{ConflictDecided, Entry};

#[derive(Clone, Debug, Default)]
pub struct PartnerBook {}

impl PartnerBook {
    pub fn apply(&mut self, _entry: &Entry) {}

    pub fn decide(&mut self, _decided: &ConflictDecided) {}
}
