//! The house rules that neither the compiler nor clippy can see, as tests.
//!
//! Each check is a function over data, run once on this repository and once on a bad sample: a
//! check that cannot fail proves nothing. The table of arrows is written down here and nowhere
//! else; `docs/ARCHITECTURE.md` draws it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::source::{self, File, code, has_word, lines_with};

/// Which of our crates each crate may name. `tests` may name all of them.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("journal", &["domain"]),
    ("ingest", &["domain", "journal"]),
    ("engine", &["domain", "journal"]),
    ("app", &["domain", "engine", "ingest", "journal"]),
];

/// Foreign crates that only one of ours may depend on, and why that one.
const KEPT_APART: &[(&str, &[&str])] = &[
    ("sled", &["journal"]),
    ("rdkafka", &["ingest"]),
    ("anyhow", &["app"]),
    ("axum", &["app"]),
    ("clap", &["app"]),
    ("hyper", &["app"]),
    ("hyper-util", &["app"]),
    ("tokio", &["app"]),
];

/// Everything `domain` may depend on: a calendar, a decimal, wide integers, and a hash table that is
/// looked up and never iterated.
const DOMAIN_MAY_USE: &[&str] =
    &["hashbrown", "chrono", "ethnum", "num-bigint", "num-integer", "num-traits", "rust_decimal"];

/// Words that have no place in `domain`'s code: clocks, floats, hash order, IO, threads, serialisers.
const NOT_IN_DOMAIN: &[&str] = &[
    "SystemTime",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "f32",
    "f64",
    "HashMap",
    "HashSet",
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "RwLock",
    "AtomicU64",
    "AtomicUsize",
    "thread_local!",
    "Mutex",
    "println!",
    "eprintln!",
    "async",
    "serde",
    "serde_json",
    "Serialize",
    "Deserialize",
    "tracing",
    "unsafe",
    "todo!",
    "unimplemented!",
];

/// Words that have no place in any committed file: they speak of one machine or of how work is done.
/// Written in halves, so that this file does not trip over itself.
const NOWHERE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("../sha", "red"),
    concat!("/tmp", "/wt"),
    concat!("CONTRACTS", ".md"),
    concat!("chat", "gpt"),
    concat!("Clau", "de"),
];

const LONGEST_FILE: usize = 1_000;

// ------------------------------------------------------------------------------------------- arrows

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn declared() -> Arrows {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ARROWS.iter().map(|(from, to)| ((*from).to_owned(), set(to))).collect()
}

/// The workspace as cargo sees it: member → names of everything it depends on (not for tests only).
fn manifests() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(source::root())
        .output()
        .expect("cargo runs, because it runs this test");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("names are strings").to_owned();
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("a workspace has packages") {
        let normal = |dependency: &&serde_json::Value| dependency["kind"].as_str() != Some("dev");
        let dependencies = package["dependencies"].as_array().expect("a package lists its dependencies");
        let names = dependencies.iter().filter(normal).map(|dependency| text(&dependency["name"])).collect();
        found.insert(text(&package["name"]), names);
    }
    found
}

/// Where manifests and the table disagree, one sentence each.
fn differing_arrows(manifests: &BTreeMap<String, BTreeSet<String>>, table: &Arrows) -> Vec<String> {
    let mut wrong = Vec::new();
    for (member, dependencies) in manifests {
        if member == "tests" {
            continue;
        }
        let Some(allowed) = table.get(member) else {
            wrong.push(format!("crate `{member}` is not in the table of arrows: say what it may name"));
            continue;
        };
        let ours: BTreeSet<String> =
            dependencies.iter().filter(|name| manifests.contains_key(*name)).cloned().collect();
        wrong.extend(ours.difference(allowed).map(|to| format!("`{member}` → `{to}` is not in the table of arrows")));
        wrong
            .extend(allowed.difference(&ours).map(|to| format!("`{member}` → `{to}` is in the table, in no manifest")));
    }
    wrong.extend(table.keys().filter(|name| !manifests.contains_key(*name)).map(|name| format!("no crate `{name}`")));
    wrong
}

#[test]
fn the_arrows_between_crates_are_those_of_the_table() {
    let wrong = differing_arrows(&manifests(), &declared());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_arrow_too_many_or_too_few_is_seen() {
    let mut more = manifests();
    more.get_mut("journal").unwrap().insert("engine".to_owned());
    assert_eq!(differing_arrows(&more, &declared()), vec!["`journal` → `engine` is not in the table of arrows"]);
    let mut fewer = manifests();
    fewer.get_mut("journal").unwrap().remove("domain");
    assert_eq!(differing_arrows(&fewer, &declared()), vec!["`journal` → `domain` is in the table, in no manifest"]);
    let mut stranger = manifests();
    stranger.insert("utils".to_owned(), BTreeSet::new());
    assert_eq!(differing_arrows(&stranger, &declared()).len(), 1);
}

/// Foreign crates in manifests that may not have them.
fn foreign_where_it_must_not_be(manifests: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (member, dependencies) in manifests {
        for (foreign, keepers) in KEPT_APART {
            if dependencies.contains(*foreign) && !keepers.contains(&member.as_str()) {
                wrong.push(format!("`{member}` depends on {foreign}, which only {keepers:?} may"));
            }
        }
        if member == "domain" {
            let strange = dependencies.iter().filter(|name| !DOMAIN_MAY_USE.contains(&name.as_str()));
            wrong.extend(strange.map(|name| format!("`domain` depends on {name}")));
        }
    }
    wrong
}

#[test]
fn foreign_crates_stay_where_they_belong() {
    let wrong = foreign_where_it_must_not_be(&manifests());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_foreign_crate_in_the_wrong_place_is_seen() {
    let mut bad = manifests();
    bad.get_mut("engine").unwrap().insert("sled".to_owned());
    bad.get_mut("domain").unwrap().insert("serde".to_owned());
    assert_eq!(foreign_where_it_must_not_be(&bad).len(), 2);
}

// -------------------------------------------------------------------------------------------- words

/// `path:line: word` for each of `words` in the code of `files`.
fn words_in_code(files: &[File], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let code = code(&file.text);
        for word in words {
            found.extend(lines_with(&code, word).into_iter().map(|line| format!("{}:{line}: {word}", file.path)));
        }
    }
    found
}

fn sample(path: &str, text: &str) -> Vec<File> {
    vec![File { path: path.to_owned(), text: text.to_owned() }]
}

#[test]
fn the_domain_knows_no_clock_no_float_no_hash_order_and_no_io() {
    let found = words_in_code(&source::rust_of("domain"), NOT_IN_DOMAIN);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_clock_in_the_domain_is_seen() {
    let bad = sample("x.rs", "//! No HashMap here.\nfn f() { let now = chrono::Utc::now(); }\n");
    assert_eq!(words_in_code(&bad, NOT_IN_DOMAIN), vec!["x.rs:2: Utc::now"]);
}

/// Files whose code names `word`.
fn files_naming(files: &[File], word: &str) -> Vec<String> {
    files.iter().filter(|file| has_word(&code(&file.text), word)).map(|file| file.path.clone()).collect()
}

#[test]
fn sled_is_named_in_one_file_and_rdkafka_in_one_crate() {
    let mut all = Vec::new();
    for (krate, _) in ARROWS {
        all.extend(source::rust_of(krate));
    }
    let sled = files_naming(&all, "sled");
    assert!(sled.iter().all(|path| path.starts_with("crates/journal/")) && sled.len() <= 1, "sled in {sled:?}");
    let rdkafka = files_naming(&all, "rdkafka");
    assert!(rdkafka.iter().all(|path| path.starts_with("crates/ingest/")), "rdkafka in {rdkafka:?}");
}

#[test]
fn a_second_file_with_sled_is_seen() {
    let mut files = sample("a.rs", "use sled::Db;");
    files.extend(sample("b.rs", "let db: sled::Db;"));
    files.extend(sample("c.rs", "// sled is fine in a comment"));
    assert_eq!(files_naming(&files, "sled"), vec!["a.rs", "b.rs"]);
}

/// Ways to lose a digit or to make up a number, outside the one module that may.
const LOSES_DIGITS: &[&str] = &[
    ".round(",
    ".round_dp(",
    ".trunc_with_scale(",
    "parse::<Decimal>",
    "Decimal::from_str(",
    "Decimal::from_f64",
    "f64_to",
    "unwrap_or(Decimal::ZERO)",
];

#[test]
fn only_money_gives_up_digits() {
    let mut files = Vec::new();
    for krate in ["domain", "engine"] {
        files.extend(source::rust_of(krate));
    }
    files.retain(|file| file.path != "crates/domain/src/money.rs");
    // Rounding of an `Exact` names its mode, so the caller is one of money's own functions or a rule
    // that says which rounding the invoice asks for: those two modules are where lines are made.
    let may_ask = ["crates/domain/src/rating", "crates/domain/src/invoice", "crates/domain/src/decide"];
    let mut found = words_in_code(&files, LOSES_DIGITS);
    found.retain(|line| !(line.ends_with(".round(") && may_ask.iter().any(|path| line.starts_with(path))));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_lost_digit_is_seen() {
    let bad = sample(
        "x.rs",
        "let a = b.round(2);\nlet c = d.unwrap_or(Decimal::ZERO);\nlet e = \"1.5\".parse::<Decimal>();\n",
    );
    assert_eq!(words_in_code(&bad, LOSES_DIGITS).len(), 3);
}

/// `path:line` of every forbidden word anywhere in a file, comments and all.
fn words_anywhere(files: &[File], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            let hits = words.iter().filter(|word| lower.contains(&word.to_lowercase()));
            found.extend(hits.map(|word| format!("{}:{}: {word}", file.path, number + 1)));
        }
    }
    found
}

#[test]
fn no_file_speaks_of_a_machine_or_a_session() {
    let endings = [".rs", ".md", ".toml", ".json", ".yaml", ".yml", ".sh", "run", "dev", "NOTICE", "Dockerfile"];
    let found = words_anywhere(&source::files("", &endings), NOWHERE);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_path_of_a_machine_is_seen() {
    let bad = sample("x.md", &format!("fine\nsee {}main/design\n", NOWHERE[0]));
    assert_eq!(words_anywhere(&bad, NOWHERE).len(), 1);
}

// -------------------------------------------------------------------------------- sizes and headers

/// Rust files that are too long, or that do not begin with a `//!` header.
fn untidy(files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{}: {lines} lines, more than {LONGEST_FILE}: split it by who asks", file.path));
        }
        if !file.text.starts_with("//!") && lines > 1 && !file.path.ends_with("/tests.rs") {
            wrong.push(format!("{}: begins without a `//!` header that says what it is for", file.path));
        }
    }
    wrong
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut files = source::files("crates", &[".rs"]);
    files.extend(source::files("tests/it", &[".rs"]));
    let wrong = untidy(&files);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_long_file_without_a_header_is_seen() {
    assert_eq!(untidy(&sample("x.rs", &"let a = 1;\n".repeat(LONGEST_FILE + 1))).len(), 2);
}

// ---------------------------------------------------------------------------------------- documents

/// Crates that the code map of `docs/ARCHITECTURE.md` lacks, and names in it that are no crate.
fn differing_code_map(document: &str, crates: &BTreeSet<String>) -> Vec<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name));
    let named: BTreeSet<String> = rows.map(str::to_owned).collect();
    let mut wrong: Vec<String> = crates.difference(&named).map(|name| format!("crate `{name}` is not named")).collect();
    wrong.extend(named.difference(crates).map(|name| format!("`{name}` is named and is no crate")));
    wrong
}

#[test]
fn the_architecture_document_names_every_crate_and_no_other() {
    let crates = manifests().into_keys().collect();
    let wrong = differing_code_map(&source::read("docs/ARCHITECTURE.md"), &crates);
    assert!(wrong.is_empty(), "docs/ARCHITECTURE.md: {}", wrong.join(", "));
}

#[test]
fn a_crate_missing_from_the_document_is_seen() {
    let crates = manifests().into_keys().collect();
    assert_eq!(differing_code_map("| `utils` | all sorts |\n", &crates).len(), ARROWS.len() + 2);
}

/// Documents longer than their readers have patience for.
const LIMITS: &[(&str, usize)] = &[("README.md", 150), ("docs/ARCHITECTURE.md", 250), ("CONTRIBUTING.md", 60)];

#[test]
fn documents_stay_within_their_length() {
    for (path, limit) in LIMITS {
        let lines = source::read(path).lines().count();
        assert!(lines <= *limit, "{path} has {lines} lines, more than {limit}");
        assert!(lines > 10, "{path} is nearly empty: {lines} lines");
    }
}

#[test]
fn every_member_takes_part_in_the_lints() {
    for (krate, _) in ARROWS {
        let manifest = source::read(&format!("crates/{krate}/Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "crates/{krate} opts out of the workspace's lints");
    }
    let inner = source::files("crates", &["clippy.toml"]);
    assert!(inner.is_empty(), "a clippy.toml inside a crate silently replaces the one at the root");
}

#[test]
fn the_oracle_shares_no_code_with_the_domain() {
    let mut files = source::files("tests/it/oracle", &[".rs"]);
    assert!(files.len() >= 4, "the oracle has moved: this check looks at nothing");
    files.extend(source::files("tests/it", &["oracle.rs"]));
    for krate in ["domain", "journal", "engine", "ingest"] {
        assert_eq!(files_naming(&files, krate), Vec::<String>::new(), "the oracle names `{krate}`");
    }
    assert_eq!(files_naming(&sample("x.rs", "use domain::money::Exact;"), "domain").len(), 1);
}
