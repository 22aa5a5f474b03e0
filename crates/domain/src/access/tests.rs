//! What records prove: every subtle case of Azure's role-assignment log that lives are made from.

mod copies;
mod estate;
mod lives;
mod listings;
mod others;
