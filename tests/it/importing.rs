//! `pec import`, from the outside: every file that is named is accounted for, whatever is wrong with
//! its neighbours; what is refused says why, by a code that can be looked up.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::cli::{Home, must_fit, schema, text};

fn event(id: &str, day: u32) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"erp","type":"pec.membership.started.v1","data":{{"partnerTenantId":"11111111-aaaa-4aaa-8aaa-111111111111","effectiveAt":"2025-12-{day:02}T00:00:00Z"}}}}"#
    )
}

const HEADER: &str = "ProductTitle,ProductId,SkuId,SkuTitle,UnitOfMeasure,TermDuration,Market,Currency,UnitPrice,PricingTierRangeMin,PricingTierRangeMax,EffectiveStartDate,EffectiveEndDate,MeterIds,Tags";
const ROW: &str = "Storage,DZH318Z0C16V,001J,Hot,1 GB/Month,payG-1,US,USD,.80,,,1/1/2026 12:00:00 AM,11/30/9999 11:59:59 PM,cb0969aa-aaaa-4d6c-ab4b-7e182fa06aff,Azure";

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn write(home: &Home, name: &str, content: impl AsRef<[u8]>) {
    std::fs::write(home.dir.path().join(name), content).unwrap();
}

/// Imports files and gives the line of each, all of which fit their schema.
fn import(home: &Home, words: &[&str], code: i32) -> Vec<Value> {
    let rows = home.lines(&[&["import"], words, &["--json"]].concat(), code);
    let validator = schema("import");
    rows.iter().for_each(|row| must_fit(&validator, row));
    rows
}

fn outcomes(rows: &[Value]) -> Vec<(&str, &str, Option<&str>)> {
    rows.iter()
        .map(|row| (row["file"].as_str().unwrap(), row["outcome"].as_str().unwrap(), row["problem"]["code"].as_str()))
        .collect()
}

/// One bad file does not take its neighbours along, and of each it is said what came of it.
#[test]
fn every_file_is_tried_and_accounted_for() {
    let home = Home::empty();
    write(&home, "first.jsonl", event("1", 1));
    write(&home, "wide.jsonl", event("2", 2).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    write(&home, "nothing.json", "[]");
    write(&home, "last.jsonl", format!("{}\n{}\n", event("3", 3), event("4", 4)));
    let files = ["first.jsonl", "wide.jsonl", "nothing.json", "missing.jsonl", "last.jsonl"];
    let rows = import(&home, &files, 2);
    assert_eq!(
        outcomes(&rows),
        [
            ("first.jsonl", "read", None),
            ("wide.jsonl", "refused", Some("R-not-utf8")),
            ("nothing.json", "read", None),
            ("missing.jsonl", "refused", None),
            ("last.jsonl", "read", None),
        ]
    );
    assert_eq!(rows.iter().map(|row| row["accepted"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 0, 0, 0, 2]);
    let output = home.pec(&[&["import"], &files[..]].concat());
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(said.contains("first.jsonl") && said.contains("last.jsonl") && !said.contains("wide.jsonl"), "{said}");
    for wanted in [
        "error: wide.jsonl is not read: it is UTF-16; expected UTF-8 (R-not-utf8)\n hint: save it as UTF-8",
        "nothing.json holds no records",
        "error: missing.jsonl is not read: there is no such file\n hint: check the path",
    ] {
        assert!(complained.contains(wanted), "{complained}");
    }
    assert!(!complained.contains('\u{fffd}'));
    // Files that hold nothing are fine; a folder is a path that is wrong, and no fault of the disk.
    write(&home, "blank.jsonl", "\n \n");
    assert_eq!(outcomes(&import(&home, &["nothing.json", "blank.jsonl"], 0)).len(), 2);
    assert!(home.complaint(&["import", "."], 2).contains("folder"));
    for words in [["policy", "check", "missing.json"], ["order", "check", "missing.json"], ["order", "check", "."]] {
        assert!(home.complaint(&words, 2).contains("hint: check the path"), "{words:?}");
    }
}

/// What came before a gzip stops is kept and counted; the whole file then brings only the rest.
#[test]
fn a_gzip_that_stops_keeps_what_was_read_and_tells_it() {
    let home = Home::empty();
    let lines: String = (0..60_000).map(|n| event(&format!("{}", n * 7_919 % 60_013), n % 28 + 1) + "\n").collect();
    let whole = packed(lines.as_bytes());
    write(&home, "usage.jsonl.gz", &whole[..whole.len() * 9 / 10]);
    let rows = import(&home, &["usage.jsonl.gz"], 1);
    assert_eq!(outcomes(&rows), [("usage.jsonl.gz", "in-part", Some("R-damaged"))]);
    let kept = rows[0]["accepted"].as_u64().unwrap();
    assert!(kept > 40_000 && kept < 60_000 && rows[0]["quarantined"] == 0, "{}", rows[0]);
    assert_eq!(rows[0]["records"], kept);
    let output = home.pec(&["import", "usage.jsonl.gz"]);
    assert!(text(&output.stderr).contains("error: usage.jsonl.gz is read in part: the gzip is damaged or cut off"));
    assert!(text(&output.stdout).contains("usage.jsonl.gz"), "its counts are shown");
    write(&home, "usage.jsonl.gz", &whole);
    let rows = import(&home, &["usage.jsonl.gz"], 0);
    assert_eq!((rows[0]["duplicate"].as_u64(), rows[0]["accepted"].as_u64()), (Some(kept), Some(60_000 - kept)));
}

/// Price sheets that are almost right, refused by code and by what is wrong; nothing of them counts.
#[test]
fn a_broken_table_is_refused_by_what_is_wrong_with_it() {
    let home = Home::empty();
    let sheet = |rows: &[&str]| format!("{HEADER}\r\n{}\r\n", rows.join("\r\n"));
    let without_price = sheet(&[ROW]).replace("UnitPrice,", "").replace(".80,", "");
    let cases: [(&str, Vec<u8>, &str, &str); 7] = [
        ("column", without_price.into_bytes(), "R-table-column", "no column `UnitPrice`"),
        ("short", sheet(&[ROW, "a,b,c"]).into_bytes(), "R-table", "line 3: it has 3 fields where the header has 15"),
        ("open", sheet(&[&ROW.replace("Hot", "\"Hot")]).into_bytes(), "R-table", "line 2: a quote is opened"),
        ("semicolon", sheet(&[ROW]).replace(',', ";").into_bytes(), "R-table", "separated by commas"),
        ("value", sheet(&[ROW, &ROW.replace(".80", "x")]).into_bytes(), "R-table-value", "line 3: `UnitPrice`"),
        ("packed", packed(sheet(&[ROW]).as_bytes())[..90].to_vec(), "R-damaged", "the gzip is damaged or cut off"),
        ("zip", b"PK\x03\x04garbage".to_vec(), "R-damaged", "the zip is damaged or cut off"),
    ];
    let stated = ["--published-at", "2025-12-31T18:00:00Z", "--month", "2026-01"];
    for (name, content, code, what) in cases {
        write(&home, name, content);
        let rows = import(&home, &[&[name], &stated[..]].concat(), 1);
        assert_eq!(outcomes(&rows), [(name, "refused", Some(code))]);
        assert!(rows[0]["problem"]["what"].as_str().unwrap().contains(what), "{}", rows[0]);
    }
    assert!(!home.data().exists(), "what is refused begins no journal");
    write(&home, "sheet", sheet(&[ROW]));
    assert_eq!(import(&home, &[&["sheet"], &stated[..]].concat(), 0)[0]["accepted"], 2);
    assert!(home.complaint(&["import", "sheet", "--month", "2026-01"], 2).contains("--published-at"));
    assert!(home.complaint(&["import", "sheet", "--published-at", "2026-01-01"], 2).contains("--month 2026-01"));
}

/// A table is recognised by every name that its columns may have, and of roles the one that gives no verdict
/// says what to do instead.
#[test]
fn a_table_is_known_by_the_other_names_of_its_columns_too() {
    let home = Home::empty();
    let (owner, other) = ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "76cc9ee4-d5d3-4a45-a930-26add3d73475");
    let from = ["--effective-from", "2026-02-01"];
    let headers = ["Role,RoleId,Eligible", "Role,RoleDefinitionId,Eligible", "RoleName,RoleId,Eligible"];
    for (number, header) in headers.iter().enumerate() {
        let name = format!("roles-{number}.csv");
        write(&home, &name, format!("{header}\nOwner,{owner},yes\nOther,{other},unlisted\n"));
        assert_eq!(import(&home, &[&[name.as_str()], &from[..]].concat(), 0)[0]["accepted"], 1, "{header}");
    }
    write(&home, "rates.csv", "Currency,UsdPerUnit,Month\nEUR,1.1,2026-01\n");
    assert_eq!(import(&home, &["rates.csv", "--published-at", "2025-12-31T18:00:00Z"], 0)[0]["accepted"], 1);

    write(&home, "unlisted.csv", format!("Role,RoleId,Eligible\nOther,{other},unlisted\n"));
    let rows = import(&home, &[&["unlisted.csv"], &from[..]].concat(), 1);
    let what = rows[0]["problem"]["what"].as_str().unwrap();
    assert!(what.contains("none of its roles has a verdict") && what.contains("one file under one header"), "{what}");
    write(&home, "twice.csv", format!("Role,RoleId,Eligible\nOwner,{owner},yes\nOwner,{owner},unlisted\n"));
    let rows = import(&home, &[&["twice.csv"], &from[..]].concat(), 1);
    assert!(rows[0]["problem"]["what"].as_str().unwrap().contains("each role once"), "{}", rows[0]);
}

/// A mistyped directory must not come to look like a journal, nor a question go unanswered there.
#[test]
fn a_refused_import_begins_no_journal() {
    let home = Home::empty();
    write(&home, "other.txt", "once upon a time\n");
    let refused = import(&home, &["other.txt", "missing.jsonl"], 2);
    assert_eq!(
        outcomes(&refused),
        [("other.txt", "refused", Some("R-unknown-file")), ("missing.jsonl", "refused", None)]
    );
    assert!(!home.data().exists());
    assert!(home.complaint(&["status"], 2).contains("no journal"));
    write(&home, "good.jsonl", event("1", 1));
    assert_eq!(import(&home, &["other.txt", "good.jsonl"], 1)[1]["accepted"], 1);
    std::fs::create_dir(home.dir.path().join("more")).unwrap();
    write(&home, "more/good.jsonl", event("2", 2));
    let names = |rows: &[Value]| rows.iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&import(&home, &["good.jsonl", "more/good.jsonl"], 0)), ["good.jsonl", "more/good.jsonl"]);
    assert_eq!(names(&import(&home, &["more/good.jsonl"], 0)), ["good.jsonl"], "its name says enough");
}

/// Stdin is read like a file, also through a server, which has another stdin.
#[test]
fn a_dash_is_stdin() {
    let home = Home::empty();
    let from_stdin = |content: &[u8]| {
        let mut command = home.command(&["import", "-", "--json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(content).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let pretty = |event: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(event).unwrap()).unwrap();
    let row = from_stdin(format!("{}\n{}", pretty(&event("1", 1)), pretty(&event("2", 2))).as_bytes());
    assert_eq!((&row["file"], &row["records"], &row["accepted"]), (&"stdin".into(), &2.into(), &2.into()), "{row}");
    let server = home.serve();
    let row = from_stdin(&packed(event("3", 3).as_bytes()));
    assert_eq!((&row["file"], &row["accepted"]), (&"stdin".into(), &1.into()), "{row}");
    assert_eq!(server.stop(), Some(0));
}

/// A conflict stops closing, so whoever brings one in is told where to decide it.
#[test]
fn a_conflict_that_comes_in_is_pointed_at() {
    let home = Home::empty();
    write(&home, "two.jsonl", format!("{} {}\n", event("1", 1), event("1", 2)));
    let output = home.pec(&["import", "two.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("1 event told before with other content"), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("pec conflicts list"));
}

/// Poison is there for certain in any number of events, and no world is written over unasked.
#[test]
fn a_generated_world_holds_its_poison_and_is_not_written_over() {
    let home = Home::empty();
    let generate = ["generate", "--to", "world", "--events", "3", "--faults", "poison"];
    home.answer(&generate, 0);
    let usage = || std::fs::read_to_string(home.dir.path().join("world/usage.jsonl")).unwrap();
    let first = usage();
    let refused = home.complaint(&["generate", "--to", "world", "--events", "5"], 2);
    assert!(refused.contains("exists already") && refused.contains("--force"), "{refused}");
    assert_eq!(usage(), first, "nothing was touched");
    for stream in ["reference", "commerce", "access"] {
        home.answer(&["import", &format!("world/{stream}.jsonl"), "--stream", stream], 0);
    }
    let rows = import(&home, &["world/usage.jsonl", "--stream", "usage"], 0);
    assert_eq!((&rows[0]["conflicting"], &rows[0]["quarantined"]), (&1.into(), &1.into()), "{}", rows[0]);
    home.answer(&["generate", "--to", "world", "--events", "5", "--force"], 0);
    assert_ne!(usage(), first);
}
