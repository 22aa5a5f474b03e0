//! The decision tables of the channel: the document is what the rules say, cell by cell.
//! `UPDATE_EXPECT=1` writes it anew.

use domain::order::{Ground, Table, rights, tables};

use crate::source;

const DOCUMENT: &str = "docs/channel.md";

fn rule_row(rule: &str) -> String {
    let rules = source::read("docs/rules.md");
    let row = rules.lines().find(|line| line.starts_with(&format!("| {rule} |")));
    let row = row.unwrap_or_else(|| panic!("docs/rules.md has no row for {rule}"));
    row.split(" | ").nth(1).expect("a row says something").to_owned()
}

fn markdown(table: &Table) -> String {
    let mut text = format!("| {} |\n|{}\n", table.heads.join(" | "), "---|".repeat(table.heads.len()));
    for row in &table.rows {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

fn document() -> String {
    let mut text =
        "# Who may sell to whom: decision tables\n\nEvery order, and every relationship, is answered with all \
        the reasons at once. A cell says *fine*, *refused* with the code (and Microsoft's own number in brackets), or \
        *remark*: accepted, with something to know. This page is written by asking the rules themselves \
        (`UPDATE_EXPECT=1 cargo test -p tests channel`); sources and dates stand in [rules.md](rules.md).\n"
            .to_owned();
    text.push_str("\n## Roles\n\nA reseller's access earns for its provider; it is paid nothing itself.\n\n");
    text.push_str(&markdown(&rights()));
    for table in tables() {
        text.push_str(&format!("\n## {} {}\n\n{}\n\n", table.rule, table.title, rule_row(table.rule)));
        text.push_str(&markdown(&table));
    }
    text.push_str(
        "\n## Codes\n\n| code | rule | number | what is wrong | what to do instead |\n|---|---|---|---|---|\n",
    );
    for ground in Ground::ALL {
        let (code, rule, error) = (ground.text(), ground.rule(), ground.error().unwrap_or(""));
        let instead = ground.instead().join("; or ");
        text.push_str(&format!("| `{code}` | {rule} | {error} | {} | {instead} |\n", ground.meaning()));
    }
    text
}

#[test]
fn the_document_of_the_channel_is_what_the_rules_say() {
    let path = source::root().join(DOCUMENT);
    let expected = document();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &expected).expect("the document can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, expected, "{DOCUMENT} differs: run with UPDATE_EXPECT=1 and read the diff");
    let changed = written.replacen("refused: agreement-missing (13605)", "fine", 1);
    assert_ne!(changed, expected, "another verdict must be seen");
}
