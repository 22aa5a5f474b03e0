//! Nothing: cargo wants a library or a binary in every package, and the tests are in `main.rs`.
