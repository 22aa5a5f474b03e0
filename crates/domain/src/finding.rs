//! Findings: facts that are fine one by one and do not add up together.
//!
//! A finding is data beside an answer. A blocking one stops issuing, never drafting. The table
//! [`Code::ALL`] is the one list of codes; `docs/findings.md` is kept equal to it by a test.

use std::fmt;

use crate::ids::{Guid, Identity, Market, MeterId};
use crate::money::Exact;
use crate::period::{Day, Period};
use crate::scope::Scope;

/// What a finding is about: as much as is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct About {
    pub bill_to: Option<Guid>,
    pub customer: Option<Guid>,
    pub plan: Option<Guid>,
    pub subscription: Option<Guid>,
    pub resource: Option<Scope>,
    pub meter: Option<MeterId>,
    /// Whose price sheet it is about.
    pub market: Option<Market>,
    pub day: Option<Day>,
    pub period: Option<Period>,
}

/// One thing that does not add up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    pub code: Code,
    pub about: About,
    /// What exactly is wrong, in one sentence without a code.
    pub detail: String,
    /// The events it rests on.
    pub events: Vec<Identity>,
    /// The list charge that hangs on it, exact, in the pricing currency, where whoever found it knows.
    pub charge: Option<Exact>,
}

impl Finding {
    #[must_use]
    pub fn new(code: Code, about: About, detail: impl Into<String>) -> Self {
        Self { code, about, detail: detail.into(), events: Vec::new(), charge: None }
    }

    #[must_use]
    pub fn blocking(&self) -> bool {
        self.code.blocking()
    }

    /// What to do about it, naming the month and the market that it is about.
    #[must_use]
    pub fn hint(&self, asked: Period) -> String {
        if self.code == Code::NoPrice && self.about.market.is_none() {
            return NO_MARKET.to_owned();
        }
        let month = self.about.day.map(Day::period).or(self.about.period).unwrap_or(asked).to_string();
        let digits = month.replace('-', "");
        let hint = self.code.hint().replace("MONTH", &month).replace("202601", &digits);
        match self.about.market {
            Some(market) => hint.replace("prices-DE", &format!("prices-{market}")),
            None => hint,
        }
    }
}

/// No price sheet mends what is used by a customer of whom no market is known.
const NO_MARKET: &str = "publish customer registered: the customer's market says whose price sheet applies";

macro_rules! codes {
    ($($name:ident $text:literal $blocking:literal $meaning:literal $hint:literal;)*) => {
        /// Every finding there is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text, `F-…`.
            #[must_use]
            pub fn text(self) -> &'static str { match self { $(Self::$name => $text,)* } }

            /// Whether it stops issuing.
            #[must_use]
            pub fn blocking(self) -> bool { match self { $(Self::$name => $blocking,)* } }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str { match self { $(Self::$name => $meaning,)* } }

            /// What to do about it.
            #[must_use]
            pub fn hint(self) -> &'static str { match self { $(Self::$name => $hint,)* } }
        }
    };
}

codes! {
    NoPlacement "F-no-plan" true "Usage of a subscription, or a charge, that no known plan contained at that time." "publish the plan and subscription created events, or: pec import commerce.jsonl --stream commerce";
    NoPrice "F-no-price" true "Usage of a meter that the price sheet in force does not price on that day." "publish the month's price sheet, or: pec import prices-DE-202601.zip --published-at WHEN";
    AmbiguousPrice "F-ambiguous-price" true "Usage of a meter that maps to several products in force, without naming one." "send productId and skuId with the usage event";
    EqualSheets "F-equal-sheets" true "Two price sheets of one month and market with the same publication time." "publish the right one again with a later publication time";
    EqualRates "F-equal-rates" true "Two statements of a currency's exchange rate for one month with the same publication time." "publish the right one again with a later publication time";
    EqualPolicies "F-equal-policies" true "Two policy documents of one revision say different things; every output would name both by the same number." "publish the right one again with a higher revision";
    EqualTax "F-equal-tax" true "Two tax rates of one partner begin on the same day." "send the wrong event again under its own id as it should read, then pec conflicts list and pec conflicts decide";
    SheetDigest "F-sheet-digest" true "The rows of a price sheet are not those whose digest its header states; the sheet is not in force." "publish the header again under a new id with the digest of the rows, or the sheet's right rows under a new sheetId";
    IncompleteSheet "F-incomplete-sheet" false "Parts or rows of a newer price sheet are missing; an older one, or none, is in force." "publish or import the missing parts";
    UnitMismatch "F-unit" true "The usage event's unit is not the price row's unit of measure." "correct the unit at the meter; it is never scaled here";
    NoRate "F-no-rate" true "No exchange rate for the billing currency in that month." "publish the month's exchange rates, or: pec import rates.csv --published-at WHEN";
    NegativeDay "F-negative-day" true "Corrections take more from a day than was used." "void or adjust the correction";
    CorrectionOfCorrection "F-correction-of-correction" true "A correction names another correction as its target; it has no effect." "correct the original usage event instead";
    OpenConflict "F-conflict" true "One event was told in two different ways." "pec conflicts list, then pec conflicts decide";
    ResourceMismatch "F-resource-mismatch" true "The resource lies in another subscription than the entitlement id says." "correct the event at the meter";
    UnknownAccess "F-unknown-access" true "Access on that day is unknown: the log did not reach back, or a listing contradicts it." "publish a complete listing of role assignments, or: pec close --period MONTH --reason WHY --accept unknown-access";
    Overcovered "F-overcovered" true "A reservation or savings plan covers more than was used." "correct the coverage event";
    AfterCancellation "F-after-cancellation" true "Usage after its subscription or plan was cancelled." "publish subscription resumed if it was reactivated, else correct the meter";
    OverdrawnOrder "F-order" true "A return or move of an order that was never bought, or of more than was left of it." "publish the purchase, or correct the return";
    ContradictedOrder "F-order-plan" true "A purchase, a move or a refund that its plan contradicts: before the plan was created, while it was suspended, or for another customer than the plan's." "correct the plan, the customer or the time of the charge, or publish the plan created event that is missing";
    ReturnRefused "F-return-refused" true "A return that the terms do not allow: after its order moved to another partner, or above the yearly limit." "correct the return, or agree it with Microsoft and publish a refund instead";
    HeldCorrection "F-held-correction" false "A correction whose target is not known yet; it counts when the target comes." "check the causationid and the source";
    UnresolvedGrant "F-unresolved-grant" false "A grant whose principal and role no record states; it gives no access." "publish a listing of the scope's role assignments";
    DifferingScope "F-differing-scope" false "A record states another scope than its resource id." "nothing, unless the grant matters: then publish a listing";
    ChangedLife "F-changed-life" false "A live role assignment was written again with another principal, role or scope." "nothing, unless the grant matters: then publish a listing";
    NoMembership "F-no-membership" false "No programme membership is known for the partner; it counts as active." "publish membership started for the partner, or: pec import reference.jsonl --stream reference";
    UnknownPartner "F-unknown-partner" true "A plan is billed to a partner that was never registered." "publish partner registered for that tenant, or: pec import reference.jsonl --stream reference";
    UnknownAgents "F-unknown-agents" false "The partner's AdminAgents object id is not known, so delegated administration cannot be recognised." "publish partner registered with adminAgents, or: pec import reference.jsonl --stream reference";
    PlanDiffers "F-plan-differs" false "The usage event names another plan than the subscription's." "correct the meter's plan id";
    InheritedGrant "F-inherited-grant" false "A grant on the root or a management group counts; Microsoft does not say whether it does." "nothing";
    UnresolvedMove "F-unresolved-move" false "A move of resources whose targets no record states; they are judged by the ids that usage names." "publish resource moved events";
    UnlistedRole "F-unlisted-role" false "A role that Microsoft's table does not name; it counts as the policy says." "publish a role list, or set roles.<id> in the policy";
    Denied "F-denied" false "A deny assignment reaches access that counts all the same: it refuses less than every write, or the policy lets such access pass." "nothing, unless the access is gone: then publish a listing";
    Condition "F-condition" false "A grant carries a condition; it counts, its condition is not evaluated." "nothing";
    PriceDiffersByMarket "F-market-price" false "The same product has different USD prices in two markets." "check the price sheets";
    WhileSuspended "F-while-suspended" false "Usage while its subscription was suspended; it is due all the same." "check the meter, or publish subscription resumed";
    PlanInUse "F-plan-in-use" false "A plan was suspended while subscriptions or reservations under it were active, or an order is paid on under a cancelled one; all is due." "suspend or cancel its subscriptions first; return its orders";
    NotLegacy "F-not-legacy" false "A transition of a subscription that was not sold as the classic offer 0145P." "publish transfer completed instead";
    TransferOutOfOrder "F-transfer" false "A transfer was withdrawn without a request, or completed after its request had lapsed." "check the order of the transfer's events";
    ImpossibleTransfer "F-impossible-transfer" true "A subscription moved that is not known, or before it was created, or to two plans at one instant." "send the wrong event again under its own id as it should read, then pec conflicts list and pec conflicts decide; or publish subscription created";
    Left "F-left" false "A subscription moved under a plan that is not known here; from then on it is billed to nobody here." "nothing, if the customer left; else publish plan created for that plan";
    SeveralPlans "F-several-plans" false "A customer has several plans where one is allowed: one with a direct-bill partner, one per reseller with a provider." "check the plan created events";
    UselessCredit "F-azure-credit" false "Azure credit that can pay for nothing as it was told: no day, no known customer, plan or subscription." "publish azure credit granted again as Microsoft granted it, or the plan that is missing";
    ContradictedCredit "F-azure-credit-differs" true "One grant of Azure credit was told by several events with different amounts, days or scopes; usage draws on it in all of those days and scopes, up to the largest amount." "send the wrong event again under its own id as it should read, then pec conflicts list and pec conflicts decide";
    EarlyTransition "F-transition" false "A subscription left the classic offer although the customer's consent, or its agreement to the customer agreement, is not known; the move counts." "publish reseller relationship established and agreement attested or accepted for that customer";
    MovedCurrency "F-moved-currency" false "A monthly order moved to a partner billed in another currency; it ends at its next cycle." "nothing, or buy the order anew";
    UnknownCurrency "F-no-currency" true "The currency that a plan was billed in before August 2021 cannot be told." "publish customer registered with its country, and with tenantCreatedAt";
    UnknownTax "F-no-tax" true "Tax is to be drawn and no rate is known for the partner in that month." "publish tax set for the partner, or set the policy field tax to off";
    UnqualifiedReseller "F-unqualified-reseller" false "A reseller was attached to a new subscription before it was onboarded, enrolled and had signed the partner agreement; its access earns only from then on." "let the reseller qualify, and publish it";
    ResellerUntold "F-reseller-untold" false "Nothing is known of a reseller's onboarding, enrolment and agreement; it counts as qualified." "publish reseller onboarded, reseller enrolled and partner agreement signed";
    ForeignPartnerId "F-partner-id-country" false "A Partner Admin Link or a reseller of record names a PartnerID of another country than the partner's account; it counts, and Microsoft may not take it." "link, or set, the PartnerID of the account's own country";
    ResellerLocation "F-reseller-location" false "The reseller of record is named by another PartnerID than the location of its onboarding." "set the PartnerID of its onboarding: publish reseller of record set";
    NotAccepted "F-not-accepted" false "There is usage on a plan or a subscription whose order was refused." "look at the order's reasons, mend them and order anew, or cancel the plan";
    Estimate "F-estimate" false "Priced by last month's row because the month's sheet is missing; cannot be issued." "publish the month's price sheet, or: pec import prices-DE-202601.zip --published-at WHEN";
}

impl Code {
    /// The rule that finds it.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::NoPlacement => "USE-5",
            Self::NoPrice | Self::AmbiguousPrice | Self::UnitMismatch | Self::Estimate => "RATE-2",
            Self::EqualSheets | Self::SheetDigest | Self::IncompleteSheet => "RATE-1",
            Self::NoRate | Self::EqualRates => "INV-3",
            Self::NegativeDay => "USE-2",
            Self::HeldCorrection | Self::CorrectionOfCorrection => "USE-4",
            Self::OpenConflict | Self::EqualPolicies => "INV-7",
            Self::ResourceMismatch => "PEC-12",
            Self::UnknownAccess => "ACC-10",
            Self::Overcovered => "RATE-10",
            Self::AfterCancellation | Self::WhileSuspended => "USE-6",
            Self::PlanInUse => "USE-8",
            Self::NotLegacy | Self::TransferOutOfOrder | Self::ImpossibleTransfer | Self::Left => "USE-7",
            Self::OverdrawnOrder | Self::ReturnRefused => "INV-11",
            Self::ContradictedOrder => "INV-9",
            Self::SeveralPlans => "INV-17",
            Self::UselessCredit | Self::ContradictedCredit => "RATE-11",
            Self::EarlyTransition => "PEC-17",
            Self::MovedCurrency => "INV-16",
            Self::UnknownCurrency => "INV-14",
            Self::UnknownTax | Self::EqualTax => "INV-12",
            Self::UnresolvedGrant => "ACC-2",
            Self::DifferingScope => "ACC-4",
            Self::ChangedLife => "ACC-3",
            Self::NoMembership => "PEC-8",
            Self::UnknownPartner => "PEC-7",
            Self::UnknownAgents | Self::InheritedGrant | Self::Condition => "PEC-2",
            Self::UnresolvedMove => "ACC-14",
            Self::UnlistedRole => "PEC-13",
            Self::Denied => "PEC-14",
            Self::PlanDiffers => "USE-1",
            Self::PriceDiffersByMarket => "RATE-9",
            Self::UnqualifiedReseller | Self::ResellerUntold => "CHN-21",
            Self::ForeignPartnerId | Self::ResellerLocation => "CHN-20",
            Self::NotAccepted => "CHN-22",
        }
    }

    /// Whether the usage it is about is charged all the same, so that its list charge is known. What is
    /// left out of the draft, or may change it in a way that nobody can tell, has none.
    #[must_use]
    pub fn is_charged(self) -> bool {
        match self {
            Self::NoRate
            | Self::NegativeDay
            | Self::ResourceMismatch
            | Self::UnknownAccess
            | Self::NoMembership
            | Self::UnknownPartner
            | Self::UnknownAgents
            | Self::PlanDiffers
            | Self::InheritedGrant
            | Self::UnlistedRole
            | Self::Denied
            | Self::Condition
            | Self::PriceDiffersByMarket
            | Self::WhileSuspended
            | Self::UnqualifiedReseller
            | Self::ResellerUntold
            | Self::ForeignPartnerId
            | Self::ResellerLocation
            | Self::EarlyTransition
            | Self::NotAccepted
            | Self::Estimate => true,
            Self::NoPlacement
            | Self::AfterCancellation
            | Self::NoPrice
            | Self::AmbiguousPrice
            | Self::EqualSheets
            | Self::EqualRates
            | Self::EqualPolicies
            | Self::EqualTax
            | Self::SheetDigest
            | Self::IncompleteSheet
            | Self::UnitMismatch
            | Self::CorrectionOfCorrection
            | Self::OpenConflict
            | Self::Overcovered
            | Self::HeldCorrection
            | Self::UnresolvedMove
            | Self::UnresolvedGrant
            | Self::DifferingScope
            | Self::ChangedLife
            | Self::OverdrawnOrder
            | Self::ContradictedOrder
            | Self::ReturnRefused
            | Self::PlanInUse
            | Self::NotLegacy
            | Self::TransferOutOfOrder
            | Self::ImpossibleTransfer
            | Self::Left
            | Self::SeveralPlans
            | Self::UselessCredit
            | Self::ContradictedCredit
            | Self::MovedCurrency
            | Self::UnknownCurrency
            | Self::UnknownTax => false,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finding that leaves its usage in the draft knows the list charge that hangs on it; one that leaves
    /// usage out, or is about no usage, knows none.
    #[test]
    fn a_list_charge_hangs_on_what_is_charged_all_the_same() {
        for (code, charged) in [
            (Code::UnknownAccess, true),
            (Code::Denied, true),
            (Code::UnqualifiedReseller, true),
            (Code::NoPrice, false),
            (Code::NoPlacement, false),
            (Code::OpenConflict, false),
        ] {
            assert_eq!(code.is_charged(), charged, "{code}");
        }
    }
}
