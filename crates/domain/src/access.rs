//! Who held what, when.

use crate::entry::{ConflictDecided, Entry};

#[derive(Clone, Debug, Default)]
pub struct AccessBook {}

impl AccessBook {
    pub fn apply(&mut self, _entry: &Entry) {}

    pub fn decide(&mut self, _decided: &ConflictDecided) {}
}
