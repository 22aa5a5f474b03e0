//! What records prove: every subtle case of Azure's role-assignment log that lives are made from.

mod lives;
mod listings;
mod others;
