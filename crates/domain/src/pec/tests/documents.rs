//! The documents say what the code does: every code, rule and policy field is written down.

use crate::pec::LostCode;
use crate::policy::Policy;

const RULES: &str = include_str!("../../../../../docs/rules.md");
const POLICY: &str = include_str!("../../../../../docs/policy.md");

/// Codes and rules that the document lacks.
fn missing(document: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for code in LostCode::ALL {
        let rule = format!("| {} |", code.rule());
        let text = format!("`{}`", code.text());
        missing.extend([rule, text].into_iter().filter(|wanted| !document.contains(wanted.as_str())));
    }
    missing
}

#[test]
fn every_reason_and_the_rule_it_breaks_is_in_the_rules() {
    assert!(missing(RULES).is_empty(), "docs/rules.md lacks {:?}", missing(RULES));
    assert_eq!(missing(&RULES.replace("`jit-only`", "")), ["`jit-only`"], "the check can fail");
}

#[test]
fn every_field_of_the_policy_is_documented_with_its_default() {
    for setting in Policy::builtin().settings() {
        let row = POLICY.lines().find(|line| line.starts_with(&format!("| `{}` |", setting.name)));
        let row = row.unwrap_or_else(|| panic!("docs/policy.md lacks `{}`", setting.name));
        let default = if setting.value.is_empty() { "| none |".to_owned() } else { format!("| `{}` |", setting.value) };
        assert!(row.contains(&default), "docs/policy.md gives `{}` another default than {default}", setting.name);
    }
}
