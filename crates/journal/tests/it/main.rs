//! Tests of the journal against a real directory and the real sled.

mod common;
mod damage;
mod backing_up;
mod fixtures;
mod keeping;
mod killing;
mod measuring;
mod outcomes;
mod powerloss;
