//! What follows from orders and attachments afterwards: findings, and answers that are due.
//!
//! Pure functions over few words, like the rules of orders, so that their tables can be written
//! down too. Who asks finds the words: `pec` for attachments, `answers` for the rest.

use super::terms::{Attached, ByThen, Given, Made};

/// What an attachment of a reseller to a plan leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attachment {
    Fine,
    /// It counts, with a finding that nothing is known.
    Untold,
    /// A finding; its access earns from the day on which it qualifies, if ever.
    TooEarly,
}

/// CHN-21: a reseller attached to a new subscription before it qualified is a finding. Attached before
/// the requirement it stays as it was. Source: seed page on partner relationships (2020-05-12).
#[must_use]
pub fn attachment(attached: Attached, qualified: ByThen) -> Attachment {
    match (qualified, attached) {
        (ByThen::Untold, _) => Attachment::Untold,
        (ByThen::Yes, _) | (_, Attached::Before) => Attachment::Fine,
        (ByThen::Later | ByThen::Never, Attached::Since) => Attachment::TooEarly,
    }
}

/// CHN-22: usage on a plan or a subscription is a finding where orders of it were told and every one was
/// refused.
/// Source: choice of this project; the partner owes what is consumed all the same.
#[must_use]
pub fn never_accepted(orders: Made) -> bool {
    match orders {
        Made::AllRefused => true,
        Made::NoneTold | Made::OneAccepted => false,
    }
}

/// What an order is due after its facts are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    Nothing,
    FirstAnswer,
    /// One more, which names the first.
    AnotherAnswer,
}

/// CHN-23: an order is answered once; again only where later facts change the verdict or its reasons.
/// Source: choice of this project, like issued invoices.
#[must_use]
pub fn answer_due(given: Given) -> Due {
    match given {
        Given::Nothing => Due::FirstAnswer,
        Given::TheSame => Due::Nothing,
        Given::Another => Due::AnotherAnswer,
    }
}
