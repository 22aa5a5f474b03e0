//! Stands between the journal and the rules: the views, closing, explaining, verifying.
//!
//! Nothing here decides what an event means (`domain`) or how it lies on disk (`journal`). One
//! [`Ledger`] owns a journal and the running fold over it; every other view is the same fold over
//! other entries. Reading order: `clock`, `ledger`, `view`, then what is done with them.

pub mod clock;
pub mod fault;
pub mod ledger;
pub mod view;
pub mod decision;
pub mod quarantine;
pub mod accept;
pub mod describe;
pub mod books;
pub mod hanging;
pub mod digest;
pub mod trace;
pub mod close;
pub mod adjusting;
pub mod adopt;
pub mod restore;
pub mod burn;
pub mod burns;
pub mod leak;
pub mod suppose;
pub mod side_by_side;
pub mod statement;
pub mod orders;

pub use clock::Clock;
pub use fault::Fault;
pub use ledger::{Ledger, Recorded};
