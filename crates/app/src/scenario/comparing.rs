//! Expected tables beside computed ones, and rewriting the expected ones in place.
//!
//! Tables are compared as text, line by line, because people review them as text. Only keys that
//! begin with `expect` are ever rewritten; everything before the first one stays as it is, comments
//! included.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::tables::Tables;

/// The tables that a file expects.
pub fn expected(text: &str) -> anyhow::Result<Tables> {
    let table: toml::Table = text.parse()?;
    let expected = table.into_iter().filter(|(key, _)| key.starts_with("expect"));
    Ok(expected.map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned())).collect())
}

/// The file's text with other expected tables.
#[must_use]
pub fn rewritten(text: &str, tables: &Tables) -> String {
    let is_head = |line: &str| line.starts_with("expect") || line.starts_with("\"expect");
    let kept: Vec<&str> = text.lines().take_while(|line| !is_head(line)).collect();
    let mut out = kept.join("\n").trim_end().to_owned();
    for (name, table) in tables {
        let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let key = if bare { name.clone() } else { format!("\"{name}\"") };
        write!(out, "\n\n{key} = \"\"\"\n{table}\"\"\"").expect("writing to a string cannot fail");
    }
    out.push('\n');
    out
}

/// One table that is not as expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    pub table: String,
    /// In order; what both say too, so that a difference is seen in its place.
    pub lines: Vec<Marked>,
}

/// A line of a table, by who says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Marked {
    Both(String),
    Expected(String),
    Computed(String),
}

/// Every table that one side has and the other has not, or has otherwise.
#[must_use]
pub fn differences(expected: &Tables, computed: &Tables) -> Vec<Difference> {
    let names: BTreeSet<&String> = expected.keys().chain(computed.keys()).collect();
    let none = String::new();
    let pair = |name: &&String| (expected.get(*name).unwrap_or(&none), computed.get(*name).unwrap_or(&none));
    let differing = names.into_iter().filter(|name| expected.get(*name) != computed.get(*name));
    differing
        .map(|name| {
            let (old, new) = pair(&name);
            let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
            Difference { table: name.clone(), lines: marked(&old, &new) }
        })
        .collect()
}

/// The longest common sequence of lines stays, everything else is marked. Columns are aligned per
/// table, so that lines are compared by their words: a wider column is no difference.
fn marked(old: &[&str], new: &[&str]) -> Vec<Marked> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (a, b): (Vec<_>, Vec<_>) = (old.iter().map(|l| words(l)).collect(), new.iter().map(|l| words(l)).collect());
    // `common[i][j]`: how many lines the rests from i and j have in common. Tables have few lines.
    let mut common = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut marked) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            marked.push(Marked::Both(new[j].to_owned()));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            marked.push(Marked::Expected(old[i].to_owned()));
            i += 1;
        } else {
            marked.push(Marked::Computed(new[j].to_owned()));
            j += 1;
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expected_tables_are_rewritten() {
        let text = "title = \"x\" # kept\n\njournal = \"\"\"\n# kept too\n\"\"\"\n\nexpect = \"\"\"\nold\n\"\"\"\n";
        let tables = Tables::from([("expect".to_owned(), "new\n".to_owned())]);
        let once = rewritten(text, &tables);
        assert_eq!(once, text.replace("old", "new"));
        assert_eq!(rewritten(&once, &tables), once);
    }

    #[test]
    fn what_differs_is_marked_in_its_place_and_a_wider_column_is_no_difference() {
        let table = |text: &str| Tables::from([("expect".to_owned(), text.to_owned())]);
        let (old, new) =
            (table("# day  credit\n1  earned\n2  lost\n"), table("# day  credit\n1   earned\n2   earned\n"));
        let found = differences(&old, &new);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        let both = |text: &str| Marked::Both(text.to_owned());
        let wanted = vec![
            both("# day  credit"),
            both("1   earned"),
            Marked::Expected("2  lost".to_owned()),
            Marked::Computed("2   earned".to_owned()),
        ];
        assert_eq!(one.lines, wanted);
        assert_eq!(differences(&new, &new), []);
        assert_eq!(differences(&old, &Tables::new()).len(), 1, "a table that is missing is a difference");
    }
}
