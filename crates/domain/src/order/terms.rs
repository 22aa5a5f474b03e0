//! The few words that the rules of orders speak, each printable in a table.
//!
//! A word says no more than a rule needs to know. What the words are for one order on its instant
//! is `facts`'s to find; what follows from them is `rules`' to say.

use crate::entry::{MfaMethod, OrderKind, TenantUse};

/// A choice among few words, printable in a table.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $name { $($variant,)* }
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            #[must_use]
            pub fn text(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
        }
    };
}

words! {
    /// Who orders.
    Seller { DirectBill "direct-bill partner", Provider "provider", Reseller "reseller", Other "advisor or control panel vendor", Unknown "nobody registered", }
}
words! {
    /// What an order does, as far as most rules care.
    Class {
        Purchase "new purchase", Change "change of what is there", Renewal "automatic renewal", Sandbox "sandbox",
        Relationship "reseller relationship", Partnership "provider-reseller partnership", Transition "transition from 0145P",
        Transfer "transfer from another partner", Manage "managing what was bought elsewhere", Attestation "attestation",
    }
}
words! {
    /// Which agreements an order needs by its day.
    Era { BeforePlan "before the plan", PlanOnly "plan alone needs it", EveryOrder "every new order needs it", }
}
words! {
    /// An earlier attestation of the same partner and customer.
    Prior { None "none", SameContact "same contact", OtherContact "other contact", }
}
words! {
    /// A party's signature under the partner agreement.
    Signed { NotNamed "not named", Yes "signed", No "not signed", }
}
words! {
    /// The PartnerID that an order names.
    PartnerId { NotNamed "not named", Unknown "unknown", Inactive "not active", Active "active", }
}
words! {
    /// Enrolment and onboarding of the reseller, its signature aside.
    Qualified { Untold "nothing told", Yes "both", NotOnboarded "not onboarded", NotEnrolled "not enrolled", Neither "neither", }
}
words! {
    /// How far the requirement of a second factor has come by the day.
    MfaEra { Before "before", Contractual "contractual", Technical "technical", NoThirdParty "no third party for delegated rights", Api "enforced on the API", }
}
words! {
    Posture { Untold "nothing told", EveryUser "every user", ThirdParty "every user, third party", NotEveryUser "not every user", }
}
words! {
    /// What the buying tenant is.
    Tenant { Customer "customer's", Internal "partner's own, customer type", Csp "partner's CSP tenant", }
}
words! {
    /// How buyer and seller are related as companies.
    Kinship { Strangers "strangers", Affiliate "affiliated", Same "the same organisation", }
}
words! {
    /// Where the customer's tenant is, seen from the seller's region.
    Place { Unknown "not known", Unlisted "in no region", Same "same region", Other "other region", }
}
words! {
    Bond { None "never", Standing "standing", Ended "ended", }
}
words! {
    /// What a list says.
    Listed { NoList "no list", Yes "listed", No "not listed", }
}
words! {
    Credit { Untold "nothing told", Enough "enough", Short "not enough", }
}
words! {
    /// What of Azure the customer has with this partner, and this reseller.
    Azure {
        Nothing "nothing", Legacy "0145P", Suspended "suspended plan", Plan "plan",
        PlanInUse "plan with active subscriptions",
    }
}
words! {
    /// A transition of the customer's.
    Moving { No "none", Waiting "waiting", Running "in progress", Failed "failed", }
}
words! {
    /// The current partner of a transfer, seen from the future one.
    Source { Untold "not named", SameCurrency "same billing currency", OtherCurrency "other billing currency", Itself "the future partner itself", }
}
words! {
    /// The term of licences that are to move.
    Term { Untold "end not named", Ended "ended", Running "runs on", }
}
words! {
    /// What the policy leaves to a suspended or a revoked partner.
    Left { Nothing "nothing", Renewals "renewals", Changes "renewals and changes", }
}
words! {
    /// The region of the reseller that an order names, seen from its provider.
    Beside { NotNamed "not named", Same "same region", Other "other region", }
}
words! {
    /// What there is between a partner and a customer, when their relationship ends.
    Thing {
        Subscriptions "plans and subscriptions", Usage "running usage, owed", Assignments "role assignments",
        Delegations "Azure Lighthouse delegations", Administration "delegated administration", Agreement "customer agreement",
        Renewals "automatic renewals", Orders "new orders", Changes "changes of what is there",
    }
}
words! {
    /// When a reseller was attached to a plan.
    Attached { Before "before 2020-02-01", Since "since 2020-02-01", }
}
words! {
    /// Whether it had qualified by then.
    ByThen { Untold "nothing told", Yes "by then", Later "later", Never "never", }
}
words! {
    /// The orders that would have made a plan or subscription that is used.
    Made { NoneTold "none told", OneAccepted "one accepted", AllRefused "all refused", }
}
words! {
    /// The answer that an order was given last, against what would be said now.
    Given { Nothing "none", TheSame "the same", Another "another verdict, or other reasons", }
}
words! {
    /// Whose PartnerID it is, against the reseller's onboarding.
    Location { NotNamed "not named", Untold "no onboarding told", Same "the onboarded one", Other "another, same country", Abroad "another, other country", }
}

/// What an order does.
#[must_use]
pub fn class(kind: OrderKind) -> Class {
    match kind {
        OrderKind::AzurePlan
        | OrderKind::AzureSubscription
        | OrderKind::LegacyAzure
        | OrderKind::Licences
        | OrderKind::Reservation => Class::Purchase,
        OrderKind::SeatChange | OrderKind::PlanSuspension | OrderKind::ResellerOfRecord => Class::Change,
        OrderKind::Renewal => Class::Renewal,
        OrderKind::Sandbox => Class::Sandbox,
        OrderKind::Relationship => Class::Relationship,
        OrderKind::Partnership => Class::Partnership,
        OrderKind::Transition => Class::Transition,
        OrderKind::Transfer | OrderKind::LicenceTransfer => Class::Transfer,
        OrderKind::Manage => Class::Manage,
        OrderKind::Attestation => Class::Attestation,
    }
}

/// How a stated posture counts.
#[must_use]
pub fn posture(method: MfaMethod, every_user: bool) -> Posture {
    match (method, every_user) {
        (MfaMethod::None, _) | (_, false) => Posture::NotEveryUser,
        (MfaMethod::ThirdParty, true) => Posture::ThirdParty,
        (MfaMethod::SecurityDefaults | MfaMethod::ConditionalAccess, true) => Posture::EveryUser,
    }
}

/// What a designation says of a tenant.
#[must_use]
pub fn tenant_of(used_as: TenantUse) -> Tenant {
    match used_as {
        TenantUse::Csp => Tenant::Csp,
        TenantUse::Customer => Tenant::Customer,
        TenantUse::Internal => Tenant::Internal,
    }
}

impl Location {
    /// Whether it is known not to be the PartnerID of the onboarding.
    #[must_use]
    pub fn is_misplaced(self) -> bool {
        match self {
            Self::Other | Self::Abroad => true,
            Self::NotNamed | Self::Untold | Self::Same => false,
        }
    }
}
