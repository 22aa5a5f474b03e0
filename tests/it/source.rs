//! Reads this repository's own tree for the tests that check the house rules.
//!
//! [`code`] blanks comments, strings and unit tests, so that a rule about code is not tripped by a
//! sentence that explains it. It is a lexer of forty lines, not a parser: good enough to look for
//! words, and its own tests say what it knows.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the repository.
pub struct File {
    /// Relative to the repository, with forward slashes.
    pub path: String,
    pub text: String,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests live in a folder of the repository").to_path_buf()
}

/// Reads one file that must exist.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("reading {path}: {error}"))
}

/// All files below `folder` whose name ends in one of `endings`, sorted, without build output.
pub fn files(folder: &str, endings: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    collect(&root().join(folder), endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, endings: &[&str], found: &mut Vec<File>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("listing {}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder of the repository can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                collect(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            let shown = path.strip_prefix(root()).expect("every path starts at the root");
            if let Ok(text) = fs::read_to_string(&path) {
                found.push(File { path: shown.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
}

/// The Rust files of one crate.
pub fn rust_of(krate: &str) -> Vec<File> {
    let folder = if krate == "tests" { "tests/it".to_owned() } else { format!("crates/{krate}/src") };
    files(&folder, &[".rs"])
}

/// `text` with comments, string and character literals blanked and everything from the first
/// `#[cfg(test)]` on cut off. Line numbers stay.
pub fn code(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skipped = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => string(rest),
            ['r', '"' | '#', ..] if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => raw_string(rest),
            ['\'', '\\', _, '\'', ..] => 4,
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if skipped == 0 {
            out.push(bytes[at]);
            at += 1;
        } else {
            out.extend(rest[..skipped].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at += skipped;
        }
    }
    match out.find("#[cfg(test)]") {
        Some(tests) => out[..tests].to_owned(),
        None => out,
    }
}

fn block_comment(rest: &[char]) -> usize {
    rest.windows(2).skip(2).position(|pair| pair == ['*', '/']).map_or(rest.len(), |end| end + 4)
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a raw string at the start of `rest`; 0 when it is a raw identifier or just `r`.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let body = &rest[2 + hashes..];
    let end = (0..body.len())
        .find(|at| body[*at] == '"' && body[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes);
    end.map_or(rest.len(), |end| 2 + hashes + end + 1 + hashes)
}

/// Whether `word` stands in `text` with no letter, digit or underscore directly before or after it.
pub fn has_word(text: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(inner);
        let after = text[at + word.len()..].chars().next().is_some_and(inner);
        let continues = before && word.starts_with(inner) || after && word.ends_with(inner);
        !continues
    })
}

/// The lines (counted from 1) of `text` that contain `word` as a word.
pub fn lines_with(text: &str, word: &str) -> Vec<usize> {
    text.lines().enumerate().filter(|(_, line)| has_word(line, word)).map(|(number, _)| number + 1).collect()
}

#[test]
fn code_is_what_remains_without_comments_strings_and_unit_tests() {
    let text = "let a = \"HashMap \\\" x\"; // HashMap\n/* HashMap\n */ let b = r#\"Hash\"Map\"#; let c = '\"'; f64\n\
                fn r(r: u8) {}\n#[cfg(test)]\nmod tests { HashMap }";
    let code = code(text);
    assert!(!has_word(&code, "HashMap"), "{code}");
    assert!(has_word(&code, "f64"), "{code}");
    assert_eq!(lines_with(&code, "f64"), vec![3]);
    assert!(code.contains("fn r(r: u8) {}"), "{code}");
    assert!(!has_word("rustled", "sled") && has_word("use sled::Db", "sled"));
}
