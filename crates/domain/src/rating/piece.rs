//! Pieces: a quantity at one unit price with one verdict, and how access answered for its day.
//!
//! Everything here is exact. A piece knows its list charge, its net charge and the credit at stake,
//! and which line of the invoice it belongs to; it never rounds and never looks anything up.

use crate::commerce::Placement;
use crate::entry::{AzureCreditGranted, ChargeKey, ChargeType, LineKey, Portion, PriceKind};
use crate::finding::Code;
use crate::ids::{Guid, MeterId};
use crate::money::{Exact, Quantity};
use crate::pec::{Judge, LostCode, NeverCode};
use crate::period::Day;
use crate::policy::Policy;
use crate::prices::Band;
use crate::scope::Scope;

/// How access decided a day of a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    Earned,
    Lost(LostCode),
    /// Lost for a reason that is known; access that is unknown would have earned it all the same.
    Doubtful(LostCode),
}

impl Access {
    /// Why it was lost, if it was.
    #[must_use]
    pub fn lost(self) -> Option<LostCode> {
        match self {
            Self::Earned => None,
            Self::Lost(code) | Self::Doubtful(code) => Some(code),
        }
    }

    /// ACC-10: whether the answer rests on access that is unknown.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Lost(LostCode::UnknownAccess) | Self::Doubtful(_))
    }
}

/// Whose access is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub subscription: Guid,
    pub placement: &'a Placement,
    pub scope: &'a Scope,
}

/// How access decided each of these days.
pub type Judging<'j> = dyn FnMut(&Asked<'_>, &[Day]) -> Vec<Access> + 'j;

/// Answers out of a judge over the same facts.
pub fn judged<'j, 'f>(judge: &'j mut Judge<'f>) -> impl FnMut(&Asked<'_>, &[Day]) -> Vec<Access> + use<'j, 'f> {
    |asked, days| {
        let place = judge.place(asked.subscription, asked.placement, asked.scope);
        let access = |day: &Day| match judge.access(place, *day).lost() {
            None => Access::Earned,
            Some(loss) if loss.code != LostCode::UnknownAccess && loss.flags.contains(&Code::UnknownAccess) => {
                Access::Doubtful(loss.code)
            }
            Some(loss) => Access::Lost(loss.code),
        };
        days.iter().map(access).collect()
    }
}

/// RATE-7: access and product together, per (plan, resource, day, meter, portion).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    Earned,
    Lost(LostCode),
    Never(NeverCode),
}

impl Verdict {
    /// The rule that decided it, as every output names it.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::Earned => "PEC-1",
            Self::Lost(code) => code.rule(),
            Self::Never(code) => code.rule(),
        }
    }
}

/// A quantity at one unit price with one verdict.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    pub customer: Guid,
    pub plan: Guid,
    pub reseller: Option<&'a str>,
    pub subscription: Guid,
    /// The resource; its group or subscription where the meter names none.
    pub scope: &'a Scope,
    pub meter: &'a MeterId,
    pub day: Day,
    pub kind: PriceKind,
    pub band: &'a Band<'a>,
    pub portion: Portion,
    /// What pays for the portion where it is Azure credit.
    pub grant: Option<&'a AzureCreditGranted>,
    pub quantity: Quantity,
    /// What quantity × price lacks of the money where Azure credit split a part: below the 15th decimal.
    pub split: Option<Exact>,
    pub verdict: Verdict,
    /// The line carries the credit's label and price; a free tier does where access earned it.
    pub credited: bool,
    /// The policy's rate on that day, whether or not it was earned.
    pub rate: &'a Exact,
    /// Priced by last month's row: shown, never issued.
    pub estimate: bool,
    /// Tells the policy's rates of the month apart.
    pub rate_number: u8,
    /// Equal within one plan only for pieces of one line.
    pub short: (u32, u16, u16),
}

impl Piece<'_> {
    #[must_use]
    pub fn unit_price(&self) -> Exact {
        Exact::from(self.band.row.unit_price)
    }

    /// Exact, in the pricing currency. What is covered costs nothing.
    #[must_use]
    pub fn list_charge(&self) -> Exact {
        if self.portion.is_covered() {
            return Exact::zero();
        }
        let list = &self.quantity.exact() * &self.unit_price();
        match &self.split {
            None => list,
            Some(split) => &list + split,
        }
    }

    /// Exact, in the pricing currency, after credit.
    #[must_use]
    pub fn net_charge(&self) -> Exact {
        let list = self.list_charge();
        if self.credited { &list - &(&list * self.rate) } else { list }
    }

    /// RATE-12: the amount of a daily line in billing currency. Days are never added up to the month's
    /// line, which is cut once. Source: daily rated usage (2021): two decimals; read your bill
    /// (2022-07-18): up to ten; samples print more.
    #[must_use]
    pub fn daily_amount(&self, exchange_rate: &Exact, policy: &Policy) -> Exact {
        let exact = &self.net_charge() * exchange_rate;
        match policy.daily_decimals {
            Some(decimals) => exact.round(decimals, policy.line_rounding),
            None => exact,
        }
    }

    /// RATE-7: credit of a piece = list charge − net charge, exact. Nothing is at stake unless it was
    /// earned or lost.
    #[must_use]
    pub fn credit_at_stake(&self) -> Exact {
        match self.verdict {
            Verdict::Earned | Verdict::Lost(_) => &self.list_charge() * self.rate,
            Verdict::Never(_) => Exact::zero(),
        }
    }
}

impl Portion {
    /// Paid in advance by a reservation or savings plan: a quantity without money.
    #[must_use]
    pub fn is_covered(self) -> bool {
        matches!(self, Self::Reservation | Self::SavingsPlan)
    }

    /// Why the portion never earns, whatever its product.
    #[must_use]
    pub fn never(self) -> Option<NeverCode> {
        match self {
            Self::PayAsYouGo => None,
            Self::SavingsPlan => Some(NeverCode::SavingsPlan),
            Self::Reservation => Some(NeverCode::Reservation),
            Self::AzureCredit => Some(NeverCode::AzureCredit),
        }
    }
}

/// The line that a piece belongs to (definitions: line key).
#[must_use]
pub fn line_key(piece: &Piece<'_>) -> LineKey {
    let row = piece.band.row;
    LineKey {
        customer: piece.customer,
        plan: piece.plan,
        reseller: piece.reseller.map(Into::into),
        meter: piece.meter.clone(),
        price_kind: piece.kind,
        product: row.product.clone(),
        sku: row.sku.clone(),
        price_from: row.from,
        tier: piece.band.tier,
        portion: piece.portion,
        credit_rate: if piece.credited { piece.rate.decimal() } else { None },
        charge: piece.grant.map(|grant| {
            let (charge_type, order) = (ChargeType::New, grant.grant.clone());
            Box::new(ChargeKey { charge_type, order, reason: None })
        }),
    }
}
