//! Why a day was lost: the closed list of codes, and which of them is the reason.
//!
//! Each code is a repair: the day is judged again with one condition lifted. The reason is the first
//! code whose repair alone would have earned the day. If none alone would, it is the first code that
//! applies, and several repairs are needed; where none applies, nothing was ever granted.

use super::access::{Case, Holding, holdings};
use super::world::{DayNumber, Kind, World};

/// In the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    PartnerRole,
    AgreementInactive,
    Barred,
    PalMissing,
    PalOtherOrganisation,
    JitOnly,
    Denied,
    Gap,
    EarlyEnd,
    LateStart,
    Removed,
    RoleNotEligible,
    UnknownAccess,
    OtherPartner,
    NeverGranted,
}

pub const ALL: [Code; 15] = [
    Code::PartnerRole,
    Code::AgreementInactive,
    Code::Barred,
    Code::PalMissing,
    Code::PalOtherOrganisation,
    Code::JitOnly,
    Code::Denied,
    Code::Gap,
    Code::EarlyEnd,
    Code::LateStart,
    Code::Removed,
    Code::RoleNotEligible,
    Code::UnknownAccess,
    Code::OtherPartner,
    Code::NeverGranted,
];

impl Code {
    /// The word of the definitions.
    pub fn text(self) -> &'static str {
        match self {
            Self::PartnerRole => "partner-role",
            Self::AgreementInactive => "agreement-inactive",
            Self::Barred => "barred",
            Self::PalMissing => "pal-missing",
            Self::PalOtherOrganisation => "pal-other-organisation",
            Self::JitOnly => "jit-only",
            Self::Denied => "denied",
            Self::Gap => "gap",
            Self::EarlyEnd => "early-end",
            Self::LateStart => "late-start",
            Self::Removed => "removed",
            Self::RoleNotEligible => "role-not-eligible",
            Self::UnknownAccess => "unknown-access",
            Self::OtherPartner => "other-partner",
            Self::NeverGranted => "never-granted",
        }
    }
}

/// Why a day was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: Code,
    /// No single repair would have earned the day.
    pub several: bool,
    /// The other repairs that alone would have earned it.
    pub also: Vec<Code>,
}

/// Why a day was lost; `None` for one that was earned.
pub fn reason(world: &World, plan: usize, subscription: usize, resource: &str, day: DayNumber) -> Option<Reason> {
    let case = Case::of(world, plan, subscription, resource, day).expect("usage lies under its plan");
    let holdings = holdings(world);
    let open = |lifted: Option<Code>| case.tested.iter().any(|at| !case.qualified(*at, lifted, &holdings));
    if !open(None) {
        return None;
    }
    let earns = |code: Code| match code {
        Code::Gap | Code::EarlyEnd | Code::LateStart => applies(&case, code, &holdings),
        Code::NeverGranted => false,
        _ => !open(Some(code)),
    };
    let mut alone = ALL.into_iter().filter(|code| earns(*code));
    if let Some(code) = alone.next() {
        return Some(Reason { code, several: false, also: alone.collect() });
    }
    let first = ALL.into_iter().find(|code| applies(&case, *code, &holdings));
    Some(Reason { code: first.unwrap_or(Code::NeverGranted), several: first.is_some(), also: Vec::new() })
}

/// Whether there is anything to repair in this way.
fn applies(case: &Case<'_>, code: Code, holdings: &[Holding]) -> bool {
    let bill_to = &case.world.partners[case.world.plans[case.plan].bill_to];
    let qualified = |at: i64| case.qualified(at, None, holdings);
    let (first, last) = (case.begins(), *case.tested.last().expect("a tested part has a beginning"));
    let (at_start, at_end) = (qualified(first), qualified(last));
    let some = |what: &dyn Fn(&Holding, i64) -> bool| {
        let here = |holding: &Holding| case.tested.iter().any(|at| case.reaches(holding, *at) && what(holding, *at));
        holdings.iter().any(|holding| case.is_ours(holding) && here(holding))
    };
    match code {
        Code::PartnerRole => bill_to.kind() == Kind::Reseller,
        Code::AgreementInactive => {
            let left = bill_to.memberships.as_ref().is_some_and(|spans| {
                let member = |at: &i64| spans.iter().any(|span| span.holds(*at));
                !case.tested.iter().all(member)
            });
            let too_early = |partner: usize| case.tested.iter().any(|at| case.is_unqualified(partner, *at));
            let of_holding = |holding: &Holding, at: i64| {
                case.held(holding, at) && case.tied_ever(holding).into_iter().any(too_early)
            };
            left || some(&of_holding)
        }
        Code::Barred => {
            let barred = |partner: usize| {
                let spans = &case.world.partners[partner].barred;
                case.tested.iter().any(|at| spans.iter().any(|span| span.holds(*at)))
            };
            let of_holding =
                |holding: &Holding, at: i64| case.held(holding, at) && case.tied_ever(holding).into_iter().any(barred);
            barred(case.world.plans[case.plan].bill_to) || some(&of_holding)
        }
        Code::PalMissing => some(&|holding, at| case.held(holding, at) && case.link_needed(holding, at) == Some(None)),
        Code::PalOtherOrganisation => {
            some(&|holding, at| case.held(holding, at) && case.is_linked_elsewhere(holding, at))
        }
        Code::JitOnly => some(&|holding, at| case.held(holding, at) && case.is_just_in_time(holding)),
        Code::Denied => some(&|holding, at| case.held(holding, at) && case.denied(holding, at)),
        Code::Gap => at_start && at_end,
        Code::EarlyEnd => at_start && !at_end,
        Code::LateStart => !at_start && at_end,
        Code::Removed => holdings.iter().any(|holding| case.is_ours(holding) && case.once_qualified(holding)),
        Code::RoleNotEligible => some(&|holding, at| case.held(holding, at) && !case.has_eligible_role(holding)),
        Code::UnknownAccess => some(&|holding, at| case.is_unknown(holding, at)),
        Code::OtherPartner => {
            let others = |at: &i64| !qualified(*at) && case.qualified(*at, Some(Code::OtherPartner), holdings);
            case.tested.iter().any(others)
        }
        Code::NeverGranted => false,
    }
}
