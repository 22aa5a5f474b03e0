//! Partner Earned Credit: did access earn the day, and if not, why not.
//!
//! The judgement is made per (subscription and plan, scope, UTC day). A day is earned when at every instant of
//! its tested part some grant qualifies; otherwise it is lost, with the one reason whose repair
//! alone would have earned it. Reasons on the side of the product ([`NeverCode`]) are applied by
//! rating, which knows the product. Nothing here knows money.
//!
//! Reading order: this file (outcomes and codes), `standing` (who "we" are), `qualify` (which
//! spans of a grant count), `site` (what of it counts at one place), `judge` (the day), `repair` (the
//! reason), `timeline` (who held what), `basis` (what else a verdict rests on).

mod basis;
mod judge;
mod qualify;
mod repair;
mod site;
mod standing;
mod timeline;

#[cfg(test)]
pub(crate) mod tests;

pub use judge::{Judge, PlaceId};
pub use timeline::{Held, Timeline};

use std::sync::Arc;

use crate::access::{GrantId, Via};
use crate::finding::Code;
use crate::ids::{Guid, Identity};
use crate::partners::Organisation;
use crate::period::Interval;
use crate::scope::Scope;

/// How access decided one day of one place. Cheap to clone: days alike share one answer.
#[derive(Clone, Debug, PartialEq)]
pub enum AccessVerdict {
    Earned(Arc<Cover>),
    Lost(Arc<Loss>),
}

impl AccessVerdict {
    #[must_use]
    pub fn is_earned(&self) -> bool {
        matches!(self, Self::Earned(_))
    }

    #[must_use]
    pub fn lost(&self) -> Option<&Loss> {
        match self {
            Self::Earned(_) => None,
            Self::Lost(loss) => Some(loss),
        }
    }

    /// The rule that decided it, as every output names it.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Earned(_) => "PEC-1",
            Self::Lost(loss) => loss.code.rule(),
        }
    }

    /// What is to be flagged beside it.
    #[must_use]
    pub fn flags(&self) -> &[Code] {
        match self {
            Self::Earned(cover) => &cover.flags,
            Self::Lost(loss) => &loss.flags,
        }
    }
}

/// What earned a day: every grant that qualified at some instant of its tested part.
#[derive(Clone, Debug, PartialEq)]
pub struct Cover {
    pub holdings: Vec<Holding>,
    pub flags: Vec<Code>,
}

/// Why a day was lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    pub code: LostCode,
    /// No single repair would have earned the day; `code` is the first that applies.
    pub several: bool,
    /// The other codes whose repair alone would have earned the day.
    pub also: Vec<LostCode>,
    /// The part of the day that was tested; several where the subscription left its plan and came back.
    pub tested: Vec<Interval>,
    /// Its parts in which nothing qualified.
    pub open: Vec<Interval>,
    /// The grants behind the reason. Shared by days that are alike.
    pub holdings: Shared<Holding>,
    /// The partner whose membership, qualification or barring it was, where the reason is one of those.
    pub partner: Option<Guid>,
    /// It was the reseller's qualification, not the billed partner's membership.
    pub qualification: bool,
    /// The events behind the reason: of the grants, or of membership and standing.
    pub events: Shared<Identity>,
    pub flags: Vec<Code>,
}

/// A list that days which are alike share, so that a month of them costs no more than one.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared<T>(Arc<[T]>);

impl<T> From<Vec<T>> for Shared<T> {
    fn from(list: Vec<T>) -> Self {
        Self(list.into())
    }
}

impl<T> std::ops::Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a Shared<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// How an identity came to hold a role for a partner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Route {
    /// The partner's AdminAgents or HelpdeskAgents group, on behalf of the customer. Automatic.
    Aobo,
    /// A user or service principal that the customer's directory knows. Needs a partner link.
    Individual,
    /// The same through membership of a group. Needs a partner link of the member.
    Group,
    /// Azure Lighthouse through a Marketplace managed-service offer. Automatic.
    LighthouseOffer,
    /// Azure Lighthouse through a template. Needs a partner link in the managing tenant.
    LighthouseTemplate,
}

impl Route {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Aobo => "AOBO",
            Self::Individual => "individual",
            Self::Group => "group",
            Self::LighthouseOffer => "Lighthouse offer",
            Self::LighthouseTemplate => "Lighthouse template",
        }
    }

    /// PEC-5: whether a Partner Admin Link must tie it to the partner.
    #[must_use]
    pub fn needs_link(self) -> bool {
        match self {
            Self::Individual | Self::Group | Self::LighthouseTemplate => true,
            Self::Aobo | Self::LighthouseOffer => false,
        }
    }
}

/// A grant as answers cite it.
#[derive(Clone, Debug, PartialEq)]
pub struct Holding {
    pub grant: GrantId,
    pub via: Via,
    pub route: Route,
    pub principal: Guid,
    /// The group that was given the role, where the principal holds it as a member.
    pub member_of: Option<Guid>,
    pub role: Guid,
    pub scope: Scope,
    pub held: Interval,
    /// Whose it was, where something says so, ours first; of what earned a day, for whom it counted. Several where
    /// its link changed within the day, or where several partners manage from one tenant.
    pub organisations: Vec<Organisation>,
    /// Of the grant and of the link it needs.
    pub events: Vec<Identity>,
}

impl Holding {
    /// Whose it was, in one text.
    #[must_use]
    pub fn whose(&self) -> Option<String> {
        let all: Vec<String> = self.organisations.iter().map(ToString::to_string).collect();
        (!all.is_empty()).then(|| all.join(" and "))
    }

    /// The role's name in Microsoft's table, else its id.
    #[must_use]
    pub fn role_name(&self) -> String {
        crate::roles::name(self.role)
    }
}

macro_rules! lost_codes {
    ($($name:ident $text:literal $rule:literal $who:ident $meaning:literal $remedy:literal;)*) => {
        /// Why access or partner lost a day, in the order in which reasons are tried. Closed.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum LostCode { $(#[doc = $meaning] $name,)* }

        impl LostCode {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            #[must_use]
            pub fn text(self) -> &'static str { match self { $(Self::$name => $text,)* } }

            /// The rule that it breaks.
            #[must_use]
            pub fn rule(self) -> &'static str { match self { $(Self::$name => $rule,)* } }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str { match self { $(Self::$name => $meaning,)* } }

            /// PEC-11: what would restore access. A customer is asked, never pressed, and no amount is
            /// put beside it. Source: "Partner earned credit", no coercion (2022-11-08).
            #[must_use]
            pub fn remedy(self) -> Remedy { match self { $(Self::$name => Remedy::$who($remedy),)* } }
        }
    };
}

/// Who can mend a loss, and how it is worded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// The partner itself, or its provider, or Microsoft.
    Ours(&'static str),
    /// Only the customer, who is free to decline.
    Ask(&'static str),
}

impl Remedy {
    /// The whole sentence; a request ends with the reminder that it may be declined.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::Ours(text) => text.to_owned(),
            Self::Ask(text) => format!("{text} This is a request; you are free to decline it."),
        }
    }
}

lost_codes! {
    PartnerRole "partner-role" "PEC-7" Ours "The partner billed for the plan is neither a direct-bill partner nor an indirect provider." "Register the billed partner with its true kind, or bill through a direct-bill partner or provider.";
    AgreementInactive "agreement-inactive" "PEC-8" Ours "The billed partner's programme membership, or the qualification of the reseller that held the access, was not active throughout." "Renew the partner's programme membership, or complete the reseller's qualification.";
    Barred "barred" "PEC-9" Ours "The billed partner, or the partner that held the access, was barred from credit." "Have the partner reinstated.";
    PalMissing "pal-missing" "PEC-5" Ours "Our identities or Lighthouse templates held access without a Partner Admin Link." "Let the identity that holds the access link our PartnerID, in the customer's tenant (in the managing tenant for Lighthouse).";
    PalOtherOrganisation "pal-other-organisation" "PEC-5" Ours "The Partner Admin Link of our identities names another organisation." "Let the identity that holds the access link a PartnerID of our organisation.";
    JitOnly "jit-only" "PEC-6" Ask "What we held was eligible only: just-in-time access does not count." "Would you grant us a permanent role in place of the just-in-time one?";
    Denied "denied" "PEC-14" Ask "A deny assignment reached the identities that held our access." "Would you exclude our identities from the deny assignment?";
    Gap "gap" "PEC-1" Ask "Access was there at both ends of the day and not in between, or by policy no single grant lasted throughout." "Would you leave our role in place without interruption?";
    EarlyEnd "early-end" "PEC-1" Ask "Access was there when the day began and not when it ended." "Would you grant us an eligible role again?";
    LateStart "late-start" "PEC-1" Ours "Access was there when the day ended and not when it began." "Nothing to do: it counts from the next full day.";
    Removed "removed" "PEC-1" Ask "Access that once counted had been removed before the day." "Would you reinstate our role, for example Owner for our AdminAgents group?";
    RoleNotEligible "role-not-eligible" "PEC-3" Ask "The roles that we held are not eligible for credit." "Would you grant us a role that is eligible, such as Contributor?";
    UnknownAccess "unknown-access" "ACC-10" Ours "Whether we had access is not known: the log does not reach back, or a listing contradicts it." "Publish a complete listing of the subscription's role assignments.";
    OtherPartner "other-partner" "PEC-4" Ask "Another partner's access covered the day, ours did not." "Would you grant us an eligible role of our own?";
    NeverGranted "never-granted" "PEC-1" Ask "No access of ours that could have counted is known before the day, when it began or when it ended." "Would you grant us an eligible role?";
}

impl std::fmt::Display for LostCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

macro_rules! never_codes {
    ($($name:ident $text:literal $rule:literal $meaning:literal;)*) => {
        /// Why a portion never earns whatever the access: the product, or nothing charged. In the order
        /// in which they are tried; the first that applies is the reason. Closed.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum NeverCode { $(#[doc = $meaning] $name,)* }

        impl NeverCode {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            #[must_use]
            pub fn text(self) -> &'static str { match self { $(Self::$name => $text,)* } }

            /// The rule that says so.
            #[must_use]
            pub fn rule(self) -> &'static str { match self { $(Self::$name => $rule,)* } }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str { match self { $(Self::$name => $meaning,)* } }
        }
    };
}

never_codes! {
    LegacyOffer "legacy-offer" "RATE-6" "The subscription was sold under the classic CSP offer, which has no credit.";
    Reservation "reservation" "RATE-10" "The usage is covered by a reservation.";
    SavingsPlan "savings-plan" "RATE-10" "The usage is covered by a savings plan, which replaces the credit.";
    Spot "spot" "RATE-4" "Spot capacity earns no credit.";
    ThirdParty "third-party" "RATE-5" "The price list marks the product as third-party.";
    Marketplace "marketplace" "RATE-5" "The product is sold through the Marketplace price list.";
    Excluded "excluded" "RATE-13" "The policy lists the meter among those that earn no credit.";
    AzureCredit "azure-credit" "RATE-11" "The usage is paid by an Azure credit offer.";
    ZeroCharge "zero-charge" "RATE-7" "Nothing is charged for the portion, so there is nothing to earn on.";
}

impl std::fmt::Display for NeverCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}
