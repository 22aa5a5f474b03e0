//! Issued documents: never recomputed.

use crate::entry::{ConflictDecided, Entry};

#[derive(Clone, Debug, Default)]
pub struct IssuedBook {}

impl IssuedBook {
    pub fn apply(&mut self, _entry: &Entry) {}

    pub fn decide(&mut self, _decided: &ConflictDecided) {}
}

impl IssuedBook {
    /// Whether an entry's effective day lies in a period already issued for its bill-to partner.
    #[must_use]
    pub fn is_late(&self, _entry: &Entry, _commerce: &crate::commerce::CommerceBook) -> bool {
        false
    }
}
