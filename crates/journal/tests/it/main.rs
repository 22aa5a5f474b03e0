//! Tests of the journal against a real directory and the real sled.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod common;
mod damage;
mod backing_up;
mod fixtures;
mod keeping;
mod killing;
mod measuring;
mod outcomes;
mod powerloss;
