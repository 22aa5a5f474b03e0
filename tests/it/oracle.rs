//! A second opinion on credit and money, naive on purpose, that shares no code with the domain.
//!
//! It is written from the definitions of the words, not from the code it checks: plain facts go in
//! ([`world::World`]: who held what from when to when, what was used, what it costs), verdicts and
//! invoice lines come out. It looks at every instant at which anything changes and asks every
//! grant; it adds fractions as fractions. It is slow and has no early exits; that is what makes it
//! worth comparing with. `architecture` sees to it that nothing in here names the domain.

// Fractions of any size.
pub mod number;
// The facts, in the oracle's own terms.
pub mod world;
// What counts where one event was told in several ways.
pub mod conflict;
// Who belongs to which group when.
pub mod groups;
// What is where, and when it is not there.
pub mod estate;
// Who earned which day.
pub mod access;
// Why a day was lost.
pub mod reason;
// Corrections, cover, tiers, Azure credit: what is charged.
pub mod drawing;
// What is bought, given back and refunded.
pub mod charges;
// Verdicts, lines, rounding, totals.
pub mod money;
// What nobody states: the policy.
pub mod policy;
// What is due in tax.
pub mod tax;
// Numbers that Microsoft printed.
mod vectors;
