//! The policy: every choice that Microsoft never states, as dated data.
//!
//! A policy document is whole: a field that it does not name has the value of the built-in
//! default, which is itself written into the journal on first start, so that a later build
//! replays an old journal to the old answers. Which document is in force on a day goes by its
//! effective date and revision, never by arrival.

mod book;
mod fields;

pub use book::PolicyBook;
pub use fields::{FIELDS, Field, ROLE_PREFIX, ROLES, Values, field};

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::entry::{PolicyDocument, PolicySetting};
use crate::ids::{Guid, MeterId};
use crate::money::Rounding;
use crate::period::Day;

/// The version of the rules in this build: any change of code that changes a result changes it,
/// and every output names it.
pub const RULES_VERSION: u32 = 3;

/// The fields, read and checked. `docs/policy.md` lists them with their defaults and sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub revision: u32,
    /// `credit-rate`: fraction of list price (rules ).
    pub credit_rate: Decimal,
    /// `roles.<guid>` = `eligible` or `not-eligible`: overrides of the built-in list.
    pub roles: BTreeMap<Guid, bool>,
    /// `unlisted-roles`: whether custom and unlisted roles count (section 6: by default not).
    pub unlisted_roles_eligible: bool,
    /// `union-of-grants`: successive different grants may cover a day together (rule D-06).
    pub union_of_grants: bool,
    /// `inherited-grants`: grants on the root or a management group count (rule S-03).
    pub inherited_grants: bool,
    /// `deny-assignments`: for whom a deny assignment of every write makes a gap.
    pub deny_assignments: DenyAssignments,
    /// `moved-resources`: where a resource is judged on the day on which it moves.
    pub moved_resources: MovedResources,
    /// `known-creation`: whether a known creation of a group or resource shortens the tested part.
    pub known_creation: KnownCreation,
    /// `partial-day`: which part of a day is tested when the subscription did not exist all day.
    pub partial_day: PartialDay,
    /// `aobo-grace-minutes`: AOBO written this soon after creation counts from the creation.
    pub aobo_grace_minutes: u32,
    /// `excluded-meters`: meters that earn nothing whatever their product is.
    pub excluded_meters: Vec<MeterId>,
    /// `nested-groups`: a role given to a group reaches members of groups within it.
    pub nested_groups: bool,
    /// `spot-since`: the first day on which spot earns nothing.
    pub spot_since: Day,
    /// `tier-counter`: over what a meter's tiers are counted.
    pub tier_counter: TierCounter,
    /// `spot-meters`: meters that are spot although their title does not say so.
    pub spot_meters: Vec<MeterId>,
    /// `line-rounding`: how a line's amounts are cut (azure-plan billing section 5).
    pub line_rounding: Rounding,
    /// `invoice-rounding`: how the total is cut to the currency's minor unit.
    pub invoice_rounding: Rounding,
    /// `line-steps`: whether a Subtotal is cut before and after the exchange rate, or once.
    pub line_steps: LineSteps,
    /// `charge-rounding`: whether a purchase is cut as an amount, or price by price.
    pub charge_rounding: ChargeRounding,
    /// `daily-decimals`: decimals of the daily lines' amount in billing currency.
    pub daily_decimals: Option<u32>,
    /// `tax`: off, line by line, or on the total.
    pub tax: Tax,
    /// `exchange-rate`: decimals of the printed rate, or exact.
    pub exchange_rate_decimals: Option<u32>,
    /// `transfer-usage`: what decides whom usage around a transfer belongs to (rule USE-1).
    pub transfer_usage: TransferUsage,
    /// `grace-hours`: how long after the end of a period it may first be closed (rule C-04).
    pub grace_hours: u32,
    /// `mfa-contractual`, `mfa-technical`: since when a second factor is due, and enforced.
    pub mfa_contractual: Day,
    pub mfa_technical: Day,
    /// `suspended-after-days`, `revoked-after-days`: when restriction becomes harder by its date; 0: never.
    pub suspended_after_days: u32,
    pub revoked_after_days: u32,
    /// `suspended-permits`, `revoked-permits`: what a partner in that state may still order.
    pub suspended_permits: Permits,
    pub revoked_permits: Permits,
    /// `unqualified-reseller`: whether access of a reseller that did not qualify earns.
    pub unqualified_reseller_earns: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartialDay {
    /// The part in which the subscription existed under this partner and plan.
    Existence,
    WholeDay,
}

/// Over what a meter's graduated tiers are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TierCounter {
    Plan,
    Subscription,
}

/// In how many steps a usage line becomes a Subtotal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineSteps {
    /// Cut in USD, then times the rate, then cut again (published 2022-01-18).
    Two,
    /// Everything multiplied, then cut once (the text of 2021).
    One,
}

/// What of a purchase is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChargeRounding {
    /// Price × quantity.
    Amount,
    /// The price, before it is multiplied: the published formula of licences.
    Unit,
}

/// How tax is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tax {
    Off,
    PerLine,
    OnTotal,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DenyAssignments {
    /// For individual identities; a flag for delegated administration.
    Individual,
    /// For everybody whom it reaches.
    Every,
    /// For nobody: always a flag.
    Flag,
}

impl DenyAssignments {
    const ALL: [Self; 3] = [Self::Individual, Self::Every, Self::Flag];
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MovedResources {
    /// In each container over the part of the day that it lived there.
    EachContainer,
    /// Where the id says that usage names.
    IdAlone,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KnownCreation {
    Ignored,
    Shortens,
}

/// What is left to a partner that is suspended or revoked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permits {
    Nothing,
    Renewals,
    /// Renewals, and changes of what is there.
    Changes,
}

impl Permits {
    const ALL: [Self; 3] = [Self::Nothing, Self::Renewals, Self::Changes];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Renewals => "renewals",
            Self::Changes => "changes",
        }
    }

    fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permits| permits.name() == value)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransferUsage {
    /// When it was consumed.
    Consumed,
    /// When it was sent; where nothing says when, as consumed.
    Reported,
}

impl Policy {
    /// The built-in default, revision 0.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            revision: 0,
            credit_rate: Decimal::new(15, 2),
            roles: BTreeMap::new(),
            unlisted_roles_eligible: false,
            union_of_grants: true,
            inherited_grants: true,
            deny_assignments: DenyAssignments::Individual,
            moved_resources: MovedResources::EachContainer,
            known_creation: KnownCreation::Ignored,
            partial_day: PartialDay::Existence,
            aobo_grace_minutes: 15,
            excluded_meters: Vec::new(),
            nested_groups: true,
            spot_since: SPOT_SINCE,
            tier_counter: TierCounter::Plan,
            spot_meters: Vec::new(),
            line_rounding: Rounding::TowardZero,
            invoice_rounding: Rounding::TowardZero,
            line_steps: LineSteps::Two,
            charge_rounding: ChargeRounding::Amount,
            daily_decimals: Some(10),
            tax: Tax::Off,
            exchange_rate_decimals: Some(9),
            transfer_usage: TransferUsage::Consumed,
            grace_hours: 72,
            mfa_contractual: MFA_CONTRACTUAL,
            mfa_technical: MFA_TECHNICAL,
            suspended_after_days: 30,
            revoked_after_days: 60,
            suspended_permits: Permits::Renewals,
            revoked_permits: Permits::Nothing,
            unqualified_reseller_earns: false,
        }
    }

    /// Reads a document; the error names the field, its value and what is allowed.
    pub fn read(document: &PolicyDocument) -> Result<Self, String> {
        if let Some(first) = problems(document).into_iter().next() {
            return Err(first);
        }
        let mut policy = Self { revision: document.revision, ..Self::builtin() };
        for setting in &document.settings {
            policy.set(&setting.name, &setting.value)?;
        }
        Ok(policy)
    }

    /// Takes over a value that [`problems`] has nothing against: its bounds are checked there.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = |allowed: &str| format!("policy field `{name}` is `{value}`; allowed: {allowed}");
        match name {
            "credit-rate" => {
                self.credit_rate = Decimal::from_str_exact(value)
                    .map_err(|_| wrong("a fraction from 0 to 1 with at most 6 decimals"))?;
            }
            "unlisted-roles" => {
                self.unlisted_roles_eligible =
                    choice(value, "eligible", "not-eligible").ok_or_else(|| wrong("eligible, not-eligible"))?;
            }
            "union-of-grants" => self.union_of_grants = choice(value, "yes", "no").ok_or_else(|| wrong("yes, no"))?,
            "inherited-grants" => {
                self.inherited_grants = choice(value, "count", "ignore").ok_or_else(|| wrong("count, ignore"))?;
            }
            "deny-assignments" => {
                let named = DenyAssignments::ALL.into_iter().find(|chosen| deny_name(*chosen) == value);
                self.deny_assignments = named.ok_or_else(|| wrong("individual, every, flag"))?;
            }
            "moved-resources" => {
                let each = choice(value, "each-container", "id-alone");
                let each = each.ok_or_else(|| wrong("each-container, id-alone"))?;
                self.moved_resources = if each { MovedResources::EachContainer } else { MovedResources::IdAlone };
            }
            "known-creation" => {
                let shortens = choice(value, "shortens", "ignored").ok_or_else(|| wrong("ignored, shortens"))?;
                self.known_creation = if shortens { KnownCreation::Shortens } else { KnownCreation::Ignored };
            }
            "partial-day" => {
                let existence = choice(value, "existence", "whole-day").ok_or_else(|| wrong("existence, whole-day"))?;
                self.partial_day = if existence { PartialDay::Existence } else { PartialDay::WholeDay };
            }
            "aobo-grace-minutes" => self.aobo_grace_minutes = small(value, 1440).ok_or_else(|| wrong("0 to 1440"))?,
            "grace-hours" => self.grace_hours = small(value, 744).ok_or_else(|| wrong("0 to 744"))?,
            "mfa-contractual" => {
                self.mfa_contractual = Day::parse(value).ok_or_else(|| wrong("a day such as 2019-08-01"))?
            }
            "mfa-technical" => {
                self.mfa_technical = Day::parse(value).ok_or_else(|| wrong("a day such as 2019-11-18"))?
            }
            "suspended-after-days" => {
                self.suspended_after_days = small(value, 3650).ok_or_else(|| wrong("0 to 3650"))?;
            }
            "revoked-after-days" => {
                self.revoked_after_days = small(value, 3650).ok_or_else(|| wrong("0 to 3650"))?;
            }
            "suspended-permits" => {
                self.suspended_permits = Permits::parse(value).ok_or_else(|| wrong("nothing, renewals, changes"))?;
            }
            "revoked-permits" => {
                self.revoked_permits = Permits::parse(value).ok_or_else(|| wrong("nothing, renewals, changes"))?;
            }
            "unqualified-reseller" => {
                self.unqualified_reseller_earns =
                    choice(value, "earning", "not-earning").ok_or_else(|| wrong("not-earning, earning"))?;
            }
            "spot-meters" => self.spot_meters = meters(value),
            "excluded-meters" => self.excluded_meters = meters(value),
            "spot-since" => self.spot_since = Day::parse(value).ok_or_else(|| wrong("a day such as 2020-09-01"))?,
            "nested-groups" => {
                self.nested_groups = choice(value, "count", "ignore").ok_or_else(|| wrong("count, ignore"))?;
            }
            "tier-counter" => {
                let plan = choice(value, "plan", "subscription").ok_or_else(|| wrong("plan, subscription"))?;
                self.tier_counter = if plan { TierCounter::Plan } else { TierCounter::Subscription };
            }
            "line-rounding" => self.line_rounding = rounding(value).ok_or_else(|| wrong(ROUNDINGS))?,
            "invoice-rounding" => self.invoice_rounding = rounding(value).ok_or_else(|| wrong(ROUNDINGS))?,
            "line-steps" => {
                let two = choice(value, "two", "one").ok_or_else(|| wrong("two, one"))?;
                self.line_steps = if two { LineSteps::Two } else { LineSteps::One };
            }
            "charge-rounding" => {
                let amount = choice(value, "amount", "unit").ok_or_else(|| wrong("amount, unit"))?;
                self.charge_rounding = if amount { ChargeRounding::Amount } else { ChargeRounding::Unit };
            }
            "daily-decimals" => {
                let exact = (value == "exact").then_some(None);
                self.daily_decimals =
                    exact.or_else(|| value.parse().ok().map(Some)).ok_or_else(|| wrong("2, 10, exact"))?;
            }
            "tax" => {
                let named = [Tax::Off, Tax::PerLine, Tax::OnTotal].into_iter().find(|tax| tax_name(*tax) == value);
                self.tax = named.ok_or_else(|| wrong("off, per-line, on-total"))?;
            }
            "exchange-rate" => {
                let nine = choice(value, "9dp", "exact").ok_or_else(|| wrong("9dp, exact"))?;
                self.exchange_rate_decimals = nine.then_some(9);
            }
            "transfer-usage" => {
                let consumed = choice(value, "consumed", "reported").ok_or_else(|| wrong("consumed, reported"))?;
                self.transfer_usage = if consumed { TransferUsage::Consumed } else { TransferUsage::Reported };
            }
            _ => {
                let role = fields::role_of(name);
                let role = role.ok_or_else(|| format!("`{name}` is no field of the policy"))?;
                let eligible =
                    choice(value, "eligible", "not-eligible").ok_or_else(|| wrong("eligible, not-eligible"))?;
                self.roles.insert(role, eligible);
            }
        }
        Ok(())
    }

    /// Every field with its value, in a fixed order: the document that is written into the journal.
    #[must_use]
    pub fn settings(&self) -> Vec<PolicySetting> {
        let yes_no = |yes: bool, on: &str, off: &str| if yes { on.to_owned() } else { off.to_owned() };
        let list = |meters: &[MeterId]| meters.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let fields = [
            ("aobo-grace-minutes", self.aobo_grace_minutes.to_string()),
            ("charge-rounding", yes_no(self.charge_rounding == ChargeRounding::Amount, "amount", "unit")),
            ("credit-rate", self.credit_rate.to_string()),
            ("daily-decimals", self.daily_decimals.map_or_else(|| "exact".to_owned(), |count| count.to_string())),
            ("deny-assignments", deny_name(self.deny_assignments).to_owned()),
            ("exchange-rate", yes_no(self.exchange_rate_decimals.is_some(), "9dp", "exact")),
            ("excluded-meters", list(&self.excluded_meters)),
            ("grace-hours", self.grace_hours.to_string()),
            ("inherited-grants", yes_no(self.inherited_grants, "count", "ignore")),
            ("invoice-rounding", rounding_name(self.invoice_rounding).to_owned()),
            ("known-creation", yes_no(self.known_creation == KnownCreation::Shortens, "shortens", "ignored")),
            ("line-rounding", rounding_name(self.line_rounding).to_owned()),
            ("line-steps", yes_no(self.line_steps == LineSteps::Two, "two", "one")),
            ("mfa-contractual", self.mfa_contractual.to_string()),
            ("mfa-technical", self.mfa_technical.to_string()),
            (
                "moved-resources",
                yes_no(self.moved_resources == MovedResources::EachContainer, "each-container", "id-alone"),
            ),
            ("nested-groups", yes_no(self.nested_groups, "count", "ignore")),
            ("partial-day", yes_no(self.partial_day == PartialDay::Existence, "existence", "whole-day")),
            ("revoked-after-days", self.revoked_after_days.to_string()),
            ("revoked-permits", self.revoked_permits.name().to_owned()),
            ("spot-meters", list(&self.spot_meters)),
            ("spot-since", self.spot_since.to_string()),
            ("suspended-after-days", self.suspended_after_days.to_string()),
            ("suspended-permits", self.suspended_permits.name().to_owned()),
            ("tax", tax_name(self.tax).to_owned()),
            ("tier-counter", yes_no(self.tier_counter == TierCounter::Plan, "plan", "subscription")),
            ("transfer-usage", yes_no(self.transfer_usage == TransferUsage::Consumed, "consumed", "reported")),
            ("union-of-grants", yes_no(self.union_of_grants, "yes", "no")),
            ("unlisted-roles", yes_no(self.unlisted_roles_eligible, "eligible", "not-eligible")),
            ("unqualified-reseller", yes_no(self.unqualified_reseller_earns, "earning", "not-earning")),
        ];
        let fixed = fields.into_iter().map(|(name, value)| PolicySetting { name: name.into(), value: value.into() });
        let roles = self.roles.iter().map(|(role, eligible)| PolicySetting {
            name: format!("roles.{role}").into(),
            value: yes_no(*eligible, "eligible", "not-eligible").into(),
        });
        fixed.chain(roles).collect()
    }
}

/// Everything that is wrong with a document: each sentence names a field, its value and what is
/// allowed.
#[must_use]
pub fn problems(document: &PolicyDocument) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, setting) in document.settings.iter().enumerate() {
        let (name, value) = (&*setting.name, &*setting.value);
        match field(name) {
            None => wrong.push(format!("`{name}` is no field of the policy")),
            Some(field) if !field.values.allows(value) => {
                wrong.push(format!("policy field `{name}` is `{value}`; allowed: {}", field.values.text()));
            }
            Some(_) => {}
        }
        if document.settings.iter().take(number).any(|earlier| *earlier.name == *name) {
            wrong.push(format!("policy field `{name}` is stated twice"));
        }
    }
    wrong
}

/// 2020-09-01: from here on the pages name spot capacity among what earns nothing.
const SPOT_SINCE: Day = Day(18_506);
/// 2019-08-01.
const MFA_CONTRACTUAL: Day = Day(18_109);
/// 2019-11-18.
const MFA_TECHNICAL: Day = Day(18_218);

fn meters(value: &str) -> Vec<MeterId> {
    value.split_whitespace().map(MeterId::parse).collect()
}

fn deny_name(chosen: DenyAssignments) -> &'static str {
    match chosen {
        DenyAssignments::Individual => "individual",
        DenyAssignments::Every => "every",
        DenyAssignments::Flag => "flag",
    }
}

const ROUNDINGS: &str = "toward-zero, half-even, half-up, away-from-zero";

fn rounding(value: &str) -> Option<Rounding> {
    [Rounding::TowardZero, Rounding::HalfEven, Rounding::HalfUp, Rounding::AwayFromZero]
        .into_iter()
        .find(|mode| rounding_name(*mode) == value)
}

fn rounding_name(mode: Rounding) -> &'static str {
    match mode {
        Rounding::TowardZero => "toward-zero",
        Rounding::HalfEven => "half-even",
        Rounding::HalfUp => "half-up",
        Rounding::AwayFromZero => "away-from-zero",
    }
}

fn tax_name(tax: Tax) -> &'static str {
    match tax {
        Tax::Off => "off",
        Tax::PerLine => "per-line",
        Tax::OnTotal => "on-total",
    }
}

fn choice(value: &str, yes: &str, no: &str) -> Option<bool> {
    if value == yes { Some(true) } else { (value == no).then_some(false) }
}

fn small(value: &str, most: u32) -> Option<u32> {
    value.parse().ok().filter(|number| *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Digest, Identity};

    #[test]
    fn the_builtin_policy_reads_back_from_its_own_document() {
        let builtin = Policy::builtin();
        let document = PolicyDocument { revision: 0, effective_from: Day(0), settings: builtin.settings() };
        assert_eq!(Policy::read(&document), Ok(builtin));
    }

    #[test]
    fn a_field_that_does_not_exist_or_a_value_that_is_not_allowed_is_named() {
        let with = |name: &str, value: &str| PolicyDocument {
            revision: 1,
            effective_from: Day(0),
            settings: vec![PolicySetting { name: name.into(), value: value.into() }],
        };
        assert!(Policy::read(&with("credit-rat", "0.15")).unwrap_err().contains("credit-rat"));
        assert!(Policy::read(&with("credit-rate", "15")).unwrap_err().contains("0 to 1"));
        assert_eq!(Policy::read(&with("credit-rate", "0.20")).unwrap().credit_rate, Decimal::new(20, 2));
    }

    #[test]
    fn the_highest_revision_in_force_on_the_day_decides_whatever_arrived_first() {
        let mut book = PolicyBook::default();
        for (id, revision, from, rate) in [(3, 2, 20, "0.10"), (1, 1, 10, "0.12")] {
            let settings = vec![PolicySetting { name: "credit-rate".into(), value: rate.into() }];
            book.file(
                Identity(id),
                Digest::default(),
                PolicyDocument { revision, effective_from: Day(from), settings },
            );
        }
        assert_eq!(book.at(Day(9)).credit_rate, Decimal::new(15, 2));
        assert_eq!(book.at(Day(10)).credit_rate, Decimal::new(12, 2));
        assert_eq!(book.at(Day(20)).credit_rate, Decimal::new(10, 2));
    }

    /// A rate of credit is a fraction from nothing to everything, of at most six decimals.
    #[test]
    fn a_rate_of_credit_has_bounds_of_its_own() {
        let read = |value: &str| {
            let settings = vec![PolicySetting { name: "credit-rate".into(), value: value.into() }];
            Policy::read(&PolicyDocument { revision: 4, effective_from: Day(0), settings })
        };
        for value in ["0", "0.123456", "1"] {
            let policy = read(value).unwrap();
            assert_eq!((policy.credit_rate.to_string().as_str(), policy.revision), (value, 4));
        }
        for value in ["-0.1", "1.000001", "0.1234567", "2"] {
            assert!(read(value).unwrap_err().contains("0 to 1"), "{value}");
        }
    }

    /// The document that goes into the journal on first start says every field, so that a later build with
    /// other defaults replays an old journal to the old answers.
    #[test]
    fn the_written_policy_names_every_field_with_its_default() {
        let written = Policy::builtin().settings();
        let written: Vec<(&str, &str)> = written.iter().map(|one| (&*one.name, &*one.value)).collect();
        let fields: Vec<(&str, &str)> = FIELDS.iter().map(|field| (field.name, field.default)).collect();
        assert_eq!(written, fields);
    }

    /// Everything that is wrong with a document is named at once, each field with its value; a number has
    /// one spelling.
    #[test]
    fn every_problem_of_a_document_is_named() {
        let told = [("grace-hours", "072"), ("tax", "on"), ("credit-rat", "0.15"), ("tax", "off")];
        let settings =
            told.map(|(name, value)| PolicySetting { name: name.into(), value: value.into() }).into_iter().collect();
        let document = PolicyDocument { revision: 1, effective_from: Day(0), settings };
        assert_eq!(
            problems(&document),
            [
                "policy field `grace-hours` is `072`; allowed: 0 to 744",
                "policy field `tax` is `on`; allowed: off, per-line, on-total",
                "`credit-rat` is no field of the policy",
                "policy field `tax` is stated twice",
            ]
        );
        assert_eq!(Policy::read(&document), Err(problems(&document).remove(0)));
    }

    #[test]
    fn documents_stand_in_order_of_revision_in_force_or_not() {
        let mut book = PolicyBook::default();
        assert_eq!(book.highest_revision(), Policy::builtin().revision);
        for (id, revision) in [(1, 5), (2, 3)] {
            let document = PolicyDocument { revision, effective_from: Day(90_000), settings: Vec::new() };
            book.file(Identity(id), Digest::default(), document);
        }
        assert_eq!(book.highest_revision(), 5);
        let revisions: Vec<u32> = book.documents().iter().map(|(_, document)| document.revision).collect();
        assert_eq!(revisions, [3, 5]);
    }
}
