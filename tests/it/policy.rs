//! The policy's fields, defaults and citations: one table in the code, repeated in the schemas, in
//! `docs/policy.md` and in what the program prints. `UPDATE_EXPECT=1` writes the repetitions anew.

use domain::policy::{FIELDS, Field, Policy, ROLE_PREFIX, ROLES, Values};
use serde_json::{Value, json};

use crate::source;

const SCHEMAS: [&str; 2] = ["schemas/reference/policy.published.v1.json", "schemas/decisions/policy.adopted.v1.json"];
const DOCUMENT: &str = "docs/policy.md";

fn value_schema(field: &Field) -> Value {
    let mut value = json!({ "type": "string", "maxLength": 65536, "description": field.values.text() });
    if let Values::OneOf(words) = field.values {
        value = json!({ "enum": words });
    } else if let Some(pattern) = field.values.pattern() {
        value["pattern"] = json!(pattern);
    }
    value
}

/// One field as the schema describes it.
fn field_schema(field: &Field) -> Value {
    let mut value = value_schema(field);
    let name = if field.name == ROLES.name {
        json!({ "type": "string", "pattern": format!("^{ROLE_PREFIX}[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}$") })
    } else {
        value["default"] = json!(field.default);
        json!({ "const": field.name })
    };
    json!({
        "title": field.name,
        "description": field.decides,
        "$comment": format!("Default {}. {}.", if field.default.is_empty() { "none" } else { field.default }, field.why),
        "properties": { "name": name, "value": value },
    })
}

fn setting_schema() -> Value {
    let fields: Vec<Value> = FIELDS.iter().chain([&ROLES]).map(field_schema).collect();
    json!({
        "description": "One field. A field that a document does not name has its default; none may stand twice.",
        "type": "object",
        "required": ["name", "value"],
        "oneOf": fields,
    })
}

/// Every answer names the rules that it was made by; the page names the commands that judge nothing.
#[test]
fn every_answer_names_the_version_of_the_rules_or_is_named_as_one_that_judges_nothing() {
    let document = source::read(DOCUMENT).replace('\n', " ");
    let exception = document.split("Some commands judge nothing").nth(1).expect("the page says which");
    let exception = exception.split_once('.').expect("in one sentence").0;
    let (mut naming, mut not) = (0, 0);
    let schemas = source::files("schemas/output", &[".json"]);
    for file in schemas.into_iter().filter(|file| !file.path.contains("/examples/")) {
        let schema: Value = serde_json::from_str(&file.text).unwrap();
        let command = schema["title"].as_str().unwrap().strip_suffix(" --json").unwrap_or_default();
        let named = !command.is_empty() && exception.contains(&format!("`{command}`"));
        assert_ne!(file.text.contains("\"rules_version\""), named, "{} and {DOCUMENT}: {command}", file.path);
        (naming, not) = if named { (naming, not + 1) } else { (naming + 1, not) };
    }
    assert!(naming > 20 && not == 5, "{naming} name them, {not} do not");
}

#[test]
fn the_schemas_of_the_policy_document_have_every_field_with_default_and_citation() {
    for path in SCHEMAS {
        let file = source::root().join(path);
        let mut schema: Value = serde_json::from_str(&source::read(path)).unwrap();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            schema["properties"]["settings"]["items"] = json!({ "$ref": "#/$defs/setting" });
            schema["$defs"]["setting"] = setting_schema();
            std::fs::write(&file, serde_json::to_string_pretty(&schema).unwrap() + "\n").unwrap();
        }
        assert_eq!(schema["$defs"]["setting"], setting_schema(), "{path} differs: run with UPDATE_EXPECT=1");
        assert_eq!(schema["properties"]["settings"]["items"], json!({ "$ref": "#/$defs/setting" }), "{path}");
        for dated in ["revision", "effectiveFrom"] {
            assert!(schema["required"].as_array().unwrap().contains(&json!(dated)), "{path}: {dated}");
        }
    }
}

const BEGIN: &str = "<!-- fields: written by a test from the table of domain::policy -->\n";
const END: &str = "<!-- end of fields -->\n";

fn table() -> String {
    let mut text = "\n| field | values | default | decides | why this default |\n|---|---|---|---|---|\n".to_owned();
    for field in FIELDS.iter().chain([&ROLES]) {
        let values = match field.values {
            Values::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            other => other.text(),
        };
        let default = match field.default {
            "" => "none".to_owned(),
            default if field.name == ROLES.name => default.to_owned(),
            default => format!("`{default}`"),
        };
        text.push_str(&format!("| `{}` | {values} | {default} | {} | {} |\n", field.name, field.decides, field.why));
    }
    text.push('\n');
    text
}

fn between(document: &str) -> &str {
    let (_, rest) = document.split_once(BEGIN).expect("docs/policy.md marks where its table begins");
    rest.split_once(END).expect("docs/policy.md marks where its table ends").0
}

#[test]
fn the_document_of_the_policy_is_the_table_of_the_code() {
    let path = source::root().join(DOCUMENT);
    let mut document = source::read(DOCUMENT);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        document = document.replace(between(&document), &table());
        std::fs::write(path, &document).unwrap();
    }
    assert_eq!(between(&document), table(), "docs/policy.md differs: run with UPDATE_EXPECT=1 and read the diff");
    assert_ne!(between(&document.replace("`72`", "`73`")), table(), "another default must be seen");
}

/// What the built-in policy writes into a journal is the table's defaults, no more and no less.
#[test]
fn the_built_in_policy_says_the_defaults_of_the_table() {
    let written = Policy::builtin().settings();
    let said: Vec<(&str, &str)> = written.iter().map(|setting| (&*setting.name, &*setting.value)).collect();
    let table: Vec<(&str, &str)> = FIELDS.iter().map(|field| (field.name, field.default)).collect();
    assert_eq!(said, table);
}

/// The rule that a field names must exist.
#[test]
fn every_field_names_a_rule_of_the_rule_book() {
    let rules = source::read("docs/rules.md");
    for field in FIELDS.iter().chain([&ROLES]) {
        let (rule, _) = field.decides.split_once(": ").unwrap();
        assert!(rules.contains(&format!("| {rule} |")), "{} names {rule}", field.name);
    }
}

/// Schema and code allow the same values, at the borders too.
#[test]
fn the_patterns_of_the_schema_allow_what_the_code_allows() {
    let candidates = |field: &Field| -> Vec<String> {
        let numbers = (0..2000).map(|number| number.to_string());
        let fractions = ["0.15", ".5", "1.0", "1.000001", "0.", "0.1234567", "1.0000000", "-0", "+1", "01", "", " 1"];
        let words = match field.values {
            Values::OneOf(words) => words.iter().flat_map(|word| [(*word).to_owned(), format!("{word} ")]).collect(),
            _ => Vec::new(),
        };
        numbers.chain(fractions.map(str::to_owned)).chain(words).collect()
    };
    for field in FIELDS.iter().chain([&ROLES]) {
        let validator = jsonschema::validator_for(&value_schema(field)).unwrap();
        for value in candidates(field) {
            assert_eq!(validator.is_valid(&json!(value)), field.values.allows(&value), "{}: {value:?}", field.name);
        }
    }
}
