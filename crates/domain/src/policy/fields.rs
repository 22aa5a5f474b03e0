//! The table of the policy's fields: what each may say, what it says by default, and why.
//!
//! One row a field. Reading refuses a name that has no row; the schema of the policy document,
//! `docs/policy.md` and `pec policy show` repeat this table, and a test keeps all four in step.
//! Nothing here decides anything: the rules read [`super::Policy`].

use crate::ids::Guid;
use crate::period::Day;

/// What a field may say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Values {
    OneOf(&'static [&'static str]),
    /// A decimal from 0 to 1 with at most six decimals.
    Fraction,
    /// A whole number from 0 to this one.
    UpTo(u32),
    /// Meter ids, separated by blanks; none at all is allowed.
    Meters,
    /// A day, `2019-11-18`.
    Date,
}

/// One field of the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    pub name: &'static str,
    pub values: Values,
    /// What the built-in policy says.
    pub default: &'static str,
    /// The rules it turns, and how.
    pub decides: &'static str,
    /// Why the default is what it is: the source with its date, or that nothing is stated.
    pub why: &'static str,
}

/// Fields that are no single name but one for each role.
pub const ROLE_PREFIX: &str = "roles.";

const YES_NO: &[&str] = &["yes", "no"];
const ELIGIBLE: &[&str] = &["eligible", "not-eligible"];
const PERMITS: &[&str] = &["nothing", "renewals", "changes"];
const ROUNDINGS: &[&str] = &["toward-zero", "half-even", "half-up", "away-from-zero"];

/// Every field, in order of its name; [`ROLES`] stands beside them.
pub const FIELDS: &[Field] = &[
    Field {
        name: "aobo-grace-minutes",
        values: Values::UpTo(1440),
        default: "15",
        decides: "PEC-10: AOBO at the subscription written this soon after its creation counts from the creation, never after a transfer",
        why: "Not stated; the portal writes the assignment after the subscription",
    },
    Field {
        name: "charge-rounding",
        values: Values::OneOf(&["amount", "unit"]),
        default: "amount",
        decides: "INV-15: whether a purchase is cut as an amount, or price by price before it is multiplied",
        why: "The published formula of licences cuts the price (2022-01-18), most of its own examples the amount",
    },
    Field {
        name: "credit-rate",
        values: Values::Fraction,
        default: "0.15",
        decides: "RATE-7: the rate of the credit, as a fraction of the list price",
        why: "Public samples from 2020 to 2023; formally on a page behind sign-in",
    },
    Field {
        name: "daily-decimals",
        values: Values::OneOf(&["2", "10", "exact"]),
        default: "10",
        decides: "RATE-12: decimals of a daily line's amount in billing currency",
        why: "Two until 2021, up to ten since (2022-07-18)",
    },
    Field {
        name: "deny-assignments",
        values: Values::OneOf(&["individual", "every", "flag"]),
        default: "individual",
        decides: "PEC-14: for whom a deny assignment of every write makes a gap: individual identities, everybody whom it reaches, or nobody",
        why: "Not stated how much must be refused; the check is named for identities with roles (2022-01-25)",
    },
    Field {
        name: "exchange-rate",
        values: Values::OneOf(&["9dp", "exact"]),
        default: "9dp",
        decides: "RATE-8: decimals of the printed rate, which is what is multiplied",
        why: "The printed column of Microsoft's reconciliation file",
    },
    Field {
        name: "excluded-meters",
        values: Values::Meters,
        default: "",
        decides: "RATE-13: meters that earn no credit whatever their product is; the list holds from the document's first day",
        why: "The list of what earns nothing is open-ended (2023-04-13); what it names so far is told by the price row",
    },
    Field {
        name: "grace-hours",
        values: Values::UpTo(744),
        default: "72",
        decides: "INV-7: how long after the end of a period it may first be closed",
        why: "Azure closes a billing period up to 72 h after the end of the month (2023-10-04)",
    },
    Field {
        name: "inherited-grants",
        values: Values::OneOf(&["count", "ignore"]),
        default: "count",
        decides: "PEC-2: whether grants on the root or on a management group count; they are flagged (`F-inherited-grant`)",
        why: "Not stated for credit; Azure inherits them",
    },
    Field {
        name: "invoice-rounding",
        values: Values::OneOf(ROUNDINGS),
        default: "toward-zero",
        decides: "INV-4: how a total is cut to the currency's minor unit",
        why: "Microsoft's worked examples take the lowest amount possible (2022-07-18)",
    },
    Field {
        name: "known-creation",
        values: Values::OneOf(&["ignored", "shortens"]),
        default: "ignored",
        decides: "PEC-15: whether a known creation of a resource group or resource shortens the tested part of its day",
        why: "Not stated; an inherited grant was there before the resource",
    },
    Field {
        name: "line-rounding",
        values: Values::OneOf(ROUNDINGS),
        default: "toward-zero",
        decides: "INV-1: how a line's amounts are cut",
        why: "Microsoft's worked examples take the lowest amount possible (2022-07-18)",
    },
    Field {
        name: "line-steps",
        values: Values::OneOf(&["two", "one"]),
        default: "two",
        decides: "INV-15: whether a Subtotal is cut before and after the exchange rate, or once after both",
        why: "The formula published 2022-01-18; the text of 2021 has one cut",
    },
    Field {
        name: "mfa-contractual",
        values: Values::Date,
        default: "2019-08-01",
        decides: "CHN-7: from this day on a partner without a second factor for every user is remarked",
        why: "The contract's own date (seed page of 2019-12-02)",
    },
    Field {
        name: "mfa-technical",
        values: Values::Date,
        default: "2019-11-18",
        decides: "CHN-7: from this day on its orders are refused",
        why: "The day on which the technical safeguards began (2023-10-13)",
    },
    Field {
        name: "moved-resources",
        values: Values::OneOf(&["each-container", "id-alone"]),
        default: "each-container",
        decides: "PEC-16: whether a resource that moved must be covered in each container over the part of the day that it lived there, or where its id says",
        why: "Not stated; the credit is earned at the resource, wherever it is",
    },
    Field {
        name: "nested-groups",
        values: Values::OneOf(&["count", "ignore"]),
        default: "count",
        decides: "ACC-11: whether a role given to a group reaches the members of groups within it",
        why: "Membership is checked for each user (2022-01-25); Azure lets groups in groups inherit, the page does not speak of them",
    },
    Field {
        name: "partial-day",
        values: Values::OneOf(&["existence", "whole-day"]),
        default: "existence",
        decides: "PEC-10: which part of a day is tested when the subscription did not stand under this partner and plan all day",
        why: "Not stated; so each side of a transfer is tested over its own part",
    },
    Field {
        name: "revoked-after-days",
        values: Values::UpTo(3650),
        default: "60",
        decides: "CHN-2: this many days after its restriction a partner counts as revoked unless reinstated; 0: only once it is stated",
        why: "60 days by the partner announcement on authorisation (2025-10-25); whether each step is announced is not stated",
    },
    Field {
        name: "revoked-permits",
        values: Values::OneOf(PERMITS),
        default: "nothing",
        decides: "CHN-2: what a revoked partner may still order: nothing, automatic renewals, or changes of what is there too",
        why: "Not stated: the page on restricted partners (2022-08-18) says what restriction leaves, not revocation",
    },
    Field {
        name: "spot-meters",
        values: Values::Meters,
        default: "",
        decides: "RATE-4: meters that are spot although their title does not say so",
        why: "Spot is told by the price row's title",
    },
    Field {
        name: "spot-since",
        values: Values::Date,
        default: "2020-09-01",
        decides: "RATE-4: the first day on which spot earns nothing; the document of the usage day says it",
        why: "The pages name spot since September 2020; from the first of the month is a choice of this project",
    },
    Field {
        name: "suspended-after-days",
        values: Values::UpTo(3650),
        default: "30",
        decides: "CHN-2: this many days after its restriction a partner counts as suspended unless reinstated; 0: only once it is stated",
        why: "30 days by the partner announcement on authorisation (2025-10-25); whether each step is announced is not stated",
    },
    Field {
        name: "suspended-permits",
        values: Values::OneOf(PERMITS),
        default: "renewals",
        decides: "CHN-2: what a suspended partner may still order: nothing, automatic renewals, or changes of what is there too",
        why: "Not stated: the page on restricted partners (2022-08-18) says what restriction leaves, not suspension",
    },
    Field {
        name: "tax",
        values: Values::OneOf(&["off", "per-line", "on-total"]),
        default: "off",
        decides: "INV-12: whether tax is drawn, and on what",
        why: "The reconciliation file may show none since 2022 (2022-07-18); the partner's location decides",
    },
    Field {
        name: "tier-counter",
        values: Values::OneOf(&["plan", "subscription"]),
        default: "plan",
        decides: "RATE-3: whether a meter's tiers are counted over the whole plan or subscription by subscription; the month's first day decides",
        why: "Not stated; the invoice has one line for a plan and meter (2022-07-18)",
    },
    Field {
        name: "transfer-usage",
        values: Values::OneOf(&["consumed", "reported"]),
        default: "consumed",
        decides: "USE-1: whether usage around a transfer belongs to whom it was consumed under, or to whom it was reported under: by the time of sending (CloudEvents `time`, the earliest that any copy states), and as consumed where none is stated",
        why: "Both are documented (2023-09-14); consumption is the fact",
    },
    Field {
        name: "union-of-grants",
        values: Values::OneOf(YES_NO),
        default: "yes",
        decides: "PEC-1: whether different grants may cover a day in turn",
        why: "Not stated; follows from \"provider, reseller or both\" (2022-01-25)",
    },
    Field {
        name: "unlisted-roles",
        values: Values::OneOf(ELIGIBLE),
        default: "not-eligible",
        decides: "PEC-3: custom roles and roles that Microsoft's table does not name",
        why: "The table is an allow list of built-in roles (2022-11-08)",
    },
    Field {
        name: "unqualified-reseller",
        values: Values::OneOf(&["not-earning", "earning"]),
        default: "not-earning",
        decides: "CHN-21: whether access of a reseller attached to a new subscription before it qualified earns until it does",
        why: "The gate is stated for attaching the reseller (2020-05-12), its effect on credit is not",
    },
];

/// One role, whatever the list says: `roles.` and the id of its definition.
pub const ROLES: Field = Field {
    name: "roles.<role id>",
    values: Values::OneOf(ELIGIBLE),
    default: "the committed list",
    decides: "PEC-3: one role, whatever the list says",
    why: "The list of record is behind Partner Center's sign-in and may be newer",
};

/// The row of a field, by the name that a document gives it.
#[must_use]
pub fn field(name: &str) -> Option<&'static Field> {
    if role_of(name).is_some() {
        return Some(&ROLES);
    }
    FIELDS.iter().find(|field| field.name == name)
}

/// The role that `roles.<id>` names.
pub(super) fn role_of(name: &str) -> Option<Guid> {
    let id = name.strip_prefix(ROLE_PREFIX)?;
    // One spelling, so that two settings can never speak of one role.
    Guid::parse(id).filter(|guid| guid.to_string() == id)
}

impl Values {
    /// In words, for people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::OneOf(words) => words.join(", "),
            Self::Fraction => "a fraction from 0 to 1 with at most 6 decimals".to_owned(),
            Self::UpTo(most) => format!("0 to {most}"),
            Self::Date => "a day such as 2019-11-18".to_owned(),
            Self::Meters => "meter ids, separated by blanks".to_owned(),
        }
    }

    #[must_use]
    pub fn allows(self, value: &str) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::OneOf(words) => words.contains(&value),
            Self::Fraction => match value.split_once('.') {
                None => value == "0" || value == "1",
                Some((whole, decimals)) => {
                    let zeros = || decimals.bytes().all(|byte| byte == b'0');
                    digits(decimals) && decimals.len() <= 6 && (whole == "0" || whole == "1" && zeros())
                }
            },
            Self::UpTo(most) => {
                let plain = digits(value) && (value == "0" || !value.starts_with('0'));
                plain && value.parse::<u32>().is_ok_and(|number| number <= most)
            }
            Self::Date => Day::parse(value).is_some(),
            Self::Meters => true,
        }
    }

    /// The same as a regular expression, for the schema; `None` where any text will do.
    #[must_use]
    pub fn pattern(self) -> Option<String> {
        match self {
            Self::OneOf(words) => Some(format!("^(?:{})$", words.join("|"))),
            Self::Fraction => Some("^(?:[01]|0\\.[0-9]{1,6}|1\\.0{1,6})$".to_owned()),
            Self::UpTo(most) => Some(format!("^(?:{})$", up_to(most))),
            Self::Date => Some("^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$".to_owned()),
            Self::Meters => None,
        }
    }
}

/// Whole numbers from 0 to `most`, without leading zeros, as alternatives of a regular expression.
fn up_to(most: u32) -> String {
    let digits: Vec<char> = most.to_string().chars().collect();
    let mut alternatives = vec!["0".to_owned()];
    for length in 1..digits.len() {
        alternatives.push(format!("[1-9]{}", any_digits(length - 1)));
    }
    for (index, digit) in digits.iter().enumerate() {
        let lowest = if index == 0 { '1' } else { '0' };
        let Some(below) = char::from_u32(u32::from(*digit).saturating_sub(1)).filter(|below| *below >= lowest) else {
            continue;
        };
        let prefix: String = digits.iter().take(index).collect();
        alternatives.push(format!("{prefix}[{lowest}-{below}]{}", any_digits(digits.len() - index - 1)));
    }
    alternatives.push(most.to_string());
    alternatives.join("|")
}

fn any_digits(count: usize) -> String {
    if count == 0 { String::new() } else { format!("[0-9]{{{count}}}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_their_defaults_are_allowed() {
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
        for field in FIELDS {
            assert!(field.values.allows(field.default), "{}", field.name);
            assert!(field.decides.split_once(": ").is_some_and(|(rule, _)| rule.contains('-')), "{}", field.name);
        }
    }

    #[test]
    fn values_have_one_spelling() {
        for (values, yes, no) in [
            (Values::Fraction, ["0", "1", "0.15", "1.000000"], ["1.1", ".5", "0.1234567", "+0.1"]),
            (Values::UpTo(744), ["0", "7", "99", "744"], ["745", "007", "", "1000"]),
            (Values::Fraction, ["0.0", "1.0", "0.9", "0.000001"], ["0.", "0.1x", "", "1.01"]),
            (
                Values::Date,
                ["2019-11-18", "2020-02-29", "0001-01-01", "9999-12-31"],
                ["2020- 9-01", "2021-02-29", "+2020-9-01", "1 May 2020"],
            ),
            (Values::OneOf(YES_NO), ["yes", "no", "yes", "no"], ["Yes", "", "true", "yes "]),
        ] {
            assert!(yes.iter().all(|value| values.allows(value)), "{values:?}");
            assert!(!no.iter().any(|value| values.allows(value)), "{values:?}");
        }
    }

    /// Whether one of a pattern's alternatives, of digits, ranges of digits and how often, is the text.
    fn matches(pattern: &str, text: &str) -> bool {
        let alternatives = pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).expect(pattern);
        alternatives.split('|').any(|alternative| {
            let (mut rest, mut wanted) = (text, alternative);
            while let Some(first) = wanted.chars().next() {
                let (range, after) = match wanted.strip_prefix('[').and_then(|set| set.split_once(']')) {
                    Some((set, after)) => (set.split_once('-').expect(pattern), after),
                    None => ((&wanted[..first.len_utf8()], &wanted[..first.len_utf8()]), &wanted[first.len_utf8()..]),
                };
                let (count, after) = match after.strip_prefix('{').and_then(|times| times.split_once('}')) {
                    Some((times, after)) => (times.parse::<usize>().expect(pattern), after),
                    None => (1, after),
                };
                let Some((here, later)) = rest.split_at_checked(count) else { return false };
                if !here.chars().all(|one| (range.0..=range.1).contains(&one.to_string().as_str())) {
                    return false;
                }
                (rest, wanted) = (later, after);
            }
            rest.is_empty()
        })
    }

    /// The schema and the engine take the same numbers: whole, without leading zeros, up to the most.
    #[test]
    fn the_pattern_of_a_number_is_what_is_allowed() {
        for most in [0, 7, 10, 99, 100, 744, 1440, 3650] {
            let values = Values::UpTo(most);
            let pattern = values.pattern().unwrap();
            for number in 0..=most * 11 + 20 {
                let text = number.to_string();
                assert_eq!(matches(&pattern, &text), values.allows(&text), "{text} in {pattern}");
            }
            for text in ["", "00", "01", "007", "0744"] {
                assert!(!matches(&pattern, text) && !values.allows(text), "`{text}` in {pattern}");
            }
        }
        assert_eq!(Values::OneOf(YES_NO).pattern().as_deref(), Some("^(?:yes|no)$"));
        assert_eq!(Values::Meters.pattern(), None, "any text will do");
    }

    #[test]
    fn a_role_has_one_name() {
        assert!(field("roles.8e3af657-a8ff-443c-a75c-2fe8c4bcb635").is_some());
        assert!(field("roles.8E3AF657-a8ff-443c-a75c-2fe8c4bcb635").is_none());
        assert!(field("roles.owner").is_none() && field("credit-rat").is_none());
    }
}
