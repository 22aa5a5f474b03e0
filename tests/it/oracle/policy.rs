//! The choices that Microsoft never states: what a month's policy documents say of them.
//!
//! A document is whole: what it does not name has its default. Of the documents in effect on a day the
//! highest revision holds. What is about a day is asked of that day, what is about a month of its first.

use super::number::Ratio;
use super::world::{DayNumber, Role, World};

/// A document as it was published.
#[derive(Clone, Debug)]
pub struct Document {
    pub revision: u32,
    /// Its first day.
    pub from: DayNumber,
    pub settings: Vec<(&'static str, String)>,
}

/// What holds where no document says otherwise.
const DEFAULTS: [(&str, &str); 19] = [
    ("aobo-grace-minutes", "15"),
    ("charge-rounding", "amount"),
    ("credit-rate", "0.15"),
    ("deny-assignments", "individual"),
    ("exchange-rate", "9dp"),
    ("excluded-meters", ""),
    ("inherited-grants", "count"),
    ("invoice-rounding", "toward-zero"),
    ("line-rounding", "toward-zero"),
    ("line-steps", "two"),
    ("moved-resources", "each-container"),
    ("nested-groups", "count"),
    ("partial-day", "existence"),
    ("spot-meters", ""),
    ("spot-since", "2020-09-01"),
    ("tax", "off"),
    ("tier-counter", "plan"),
    ("unlisted-roles", "not-eligible"),
    ("unqualified-reseller", "not-earning"),
];

impl World {
    /// What a field says on a day.
    pub fn policy(&self, day: DayNumber, field: &str) -> &str {
        let in_effect = self.policies.iter().filter(|one| one.from <= day);
        let settings = in_effect.max_by_key(|one| one.revision).map_or(&[][..], |one| &one.settings);
        let default = DEFAULTS.iter().find(|(name, _)| *name == field).expect("a field of the table").1;
        settings.iter().find(|(name, _)| *name == field).map_or(default, |(_, value)| value)
    }

    /// What a field that is about the whole month says.
    pub fn policy_of_month(&self, field: &str) -> &str {
        self.policy(self.days.0, field)
    }

    /// Whether a list of meters names one on a day.
    pub fn lists_meter(&self, day: DayNumber, field: &str, meter: u64) -> bool {
        self.policy(day, field).split(' ').any(|named| named == meter_text(meter))
    }

    /// Whether the programme takes a role on a day; no table names what a customer made.
    pub fn takes(&self, day: DayNumber, role: Role) -> bool {
        role.counts() || role == Role::Custom && self.policy(day, "unlisted-roles") == "eligible"
    }

    /// An amount of a column, cut as the month's lines are.
    pub fn column(&self, amount: &Ratio) -> Ratio {
        amount.rounded(2, self.policy_of_month("line-rounding"))
    }
}

/// A meter as a document names it.
pub fn meter_text(meter: u64) -> String {
    format!("{meter:08x}-0000-4000-8000-000000000000")
}
