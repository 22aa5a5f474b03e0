//! The judgement, by the tables and examples it was specified with.

mod day;
mod documents;
mod estate;
mod findings;
mod lost;
mod reasons;
mod random;
mod timeline;
mod truth;
pub(crate) mod world;
