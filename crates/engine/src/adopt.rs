//! A policy document of a person's: compared with what is known, and written down as a decision.
//!
//! Publishing one document twice is one adoption. Whatever could be without effect, or could mean
//! two things, is refused: a revision that is not above every other one, a field that no rule
//! reads.

use domain::entry::{Decision, Event, PolicyAdopted, PolicyDocument};
use domain::facts::Facts;
use domain::policy;

use crate::decision::Name;
use crate::fault::Fault;
use crate::ledger::Ledger;

/// What a document is to what is known already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    New,
    /// The very same document is known.
    Known,
    /// One sentence for each thing that stands against it.
    Unfit(Vec<String>),
}

/// Compares a document with those that are known.
#[must_use]
pub fn fit(facts: &Facts, document: &PolicyDocument) -> Fit {
    let known = facts.policy.documents();
    if known.iter().any(|(_, other)| *other == document) {
        return Fit::Known;
    }
    let mut wrong = policy::problems(document);
    let highest = known.iter().map(|(_, other)| other.revision).max();
    if let Some(highest) = highest.filter(|highest| document.revision <= *highest) {
        wrong.push(format!(
            "revision {} is not above revision {highest}, which is known: write {} or more",
            document.revision,
            u64::from(highest) + 1
        ));
    }
    if wrong.is_empty() { Fit::New } else { Fit::Unfit(wrong) }
}

/// Writes a document into the journal as a person's decision, unless it is known or unfit.
pub fn publish(ledger: &Ledger, document: &PolicyDocument, actor: &str, reason: &str) -> Result<Fit, Fault> {
    let _one_at_a_time = ledger.closing()?;
    let fit = fit(&*ledger.facts()?, document);
    if fit == Fit::New {
        let decision = Decision { actor: actor.into(), reason: reason.into(), at: ledger.clock().now()? };
        let name = Name::new(format!("policy-adopted/{}", document.revision));
        let adopted = PolicyAdopted { document: document.clone(), decision: Some(decision) };
        ledger.decide(&[(name, Event::PolicyAdopted(adopted))])?;
    }
    Ok(fit)
}
