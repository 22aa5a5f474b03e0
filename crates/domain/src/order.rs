//! Answers to orders: accepted, or refused with every reason at once.
//!
//! An order is judged on its own instant, by facts as they were then, whenever they were told. The
//! rules are pure and small (`rules`), what they are asked is found in `facts`, and their whole
//! tables are written down by `tables`. Nothing here stops at the first reason, and what is not
//! known is a remark or a reason of its own, never consent in silence.

pub mod rules;
mod terms;
mod sources;
pub mod aftermath;

mod grounds;
mod desk;
mod facts;
mod telling;
mod answers;
mod checklist;
mod held;
mod tables;
mod words;

pub use answers::{Used, answer_name, due, unaccepted, unprepared};
pub use checklist::{Step, customer_steps, partner_steps};
pub use desk::{Agreed, Desk};
pub use grounds::Ground;
pub use sources::SOURCES;
pub use tables::{Table, rights, tables};
pub use words::{reseller_of, reseller_of_record, rights_of, seller_text, tenant_text};

pub(crate) use facts::location;
pub use facts::partner_agreement_due as new_business_is_gated;
pub use held::{Held, HeldBy, held, stays};

use crate::entry::{AnswerReason, OrderRequested};
use crate::ids::Identity;
use rules::{Class, Ruling, class};

/// One thing to say about an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    pub ground: Ground,
    /// What exactly, in one sentence.
    pub detail: String,
    /// The events it rests on.
    pub events: Vec<Identity>,
}

/// The verdict on an order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// Every reason against it; none is acceptance.
    pub reasons: Vec<Reason>,
    pub remarks: Vec<Reason>,
}

impl Answer {
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.reasons.is_empty()
    }

    /// The reasons as an answer keeps them.
    #[must_use]
    pub fn written(&self) -> Vec<AnswerReason> {
        let written = |reason: &Reason| AnswerReason {
            rule: reason.ground.rule().into(),
            code: reason.ground.text().into(),
            error: reason.ground.error().map(Into::into),
            detail: reason.detail.as_str().into(),
            instead: reason.ground.instead().iter().map(|text| (*text).into()).collect(),
            source: Some(reason.ground.source().into()),
        };
        self.reasons.iter().map(written).collect()
    }
}

/// The verdict on an order: all rules are asked, whatever the others say.
#[must_use]
pub fn judge(desk: &Desk<'_>, order: &OrderRequested) -> Answer {
    let asked = facts::Asked::new(desk, order);
    let class = class(order.kind);
    let mut rulings = Vec::new();
    rulings.extend(rules::standing(asked.standing().state, asked.left(), class));
    rulings.extend(rules::security(asked.mfa_era(), asked.posture(), class, order.door));
    if class == Class::Attestation {
        rulings.extend(asked.attestation());
    }
    if class == Class::Partnership {
        rulings.extend(rules::role(asked.seller, class, asked.names_reseller()));
        rulings.extend(rules::partnership(asked.seller, asked.counterpart(), asked.same_region_as_counterpart()));
        rulings.extend(rules::partner_agreement(class, asked.partner_agreement_due(), asked.own(), asked.other()));
    } else {
        rulings.extend(of_customer(&asked, order, class));
    }
    let mut answer = Answer::default();
    for ruling in rulings {
        match ruling {
            Ruling::Refuse(ground) => answer.reasons.push(asked.reason(ground)),
            Ruling::Remark(ground) => answer.remarks.push(asked.reason(ground)),
        }
    }
    answer
}

fn of_customer(asked: &facts::Asked<'_>, order: &OrderRequested, class: Class) -> Vec<Ruling> {
    let named = asked.names_reseller();
    let azure = asked.azure();
    let mut rulings = rules::role(asked.seller, class, named);
    rulings.extend(rules::agreement(order.kind, asked.era(), asked.agreed()));
    rulings.extend(rules::partner_agreement(
        class,
        asked.partner_agreement_due(),
        asked.own(),
        asked.reseller_signed(),
    ));
    if matches!(class, Class::Purchase | Class::Transition | Class::Transfer | Class::Change) {
        rulings.extend(rules::reseller(asked.partner_id(), asked.qualified(), asked.link()));
        rulings.extend(rules::location(asked.location()));
        rulings.extend(rules::beside(asked.beside(), class));
    }
    rulings.extend(rules::tenant(asked.tenant(), asked.seller, named, class));
    rulings.extend(rules::kinship(asked.kinship(), class));
    rulings.extend(rules::own_reseller(asked.own_reseller(), class));
    rulings.extend(rules::region(asked.place(), class));
    rulings.extend(rules::relationship(asked.bond(), class));
    rulings.extend(rules::several_partners(asked.others(), class));
    rulings.extend(rules::market(order.kind, asked.authorised(), asked.plan_list()));
    rulings.extend(rules::credit(asked.credit(), class));
    rulings.extend(rules::plan(order.kind, azure, asked.legacy_open()));
    rulings.extend(rules::transition(class, azure, asked.suspended(), asked.moving()));
    rulings.extend(rules::transfer(order.kind, azure, asked.source()));
    rulings.extend(rules::licence_term(order.kind, asked.term()));
    rulings
}

#[cfg(test)]
mod tests;
