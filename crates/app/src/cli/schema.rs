//! `pec schema`: the JSON Schemas of what pec prints, as they were built in.

use clap::Args;

use crate::exit::{Exit, Problem};
use crate::output::{Output, left, table};

/// Every schema: its name, its file, what it describes.
pub const SCHEMAS: &[(&str, &str, &str)] = &[
    ("invoice.v1", include_str!("../../../../schemas/output/invoice.v1.json"), "pec invoice --json"),
    (
        "eligibility.v1",
        include_str!("../../../../schemas/output/eligibility.v1.json"),
        "a line of pec eligibility --json",
    ),
    (
        "nothing.v1",
        include_str!("../../../../schemas/output/nothing.v1.json"),
        "the only line of a list that holds nothing",
    ),
    ("explain.v1", include_str!("../../../../schemas/output/explain.v1.json"), "pec explain --json"),
    ("statement.v1", include_str!("../../../../schemas/output/statement.v1.json"), "pec statement --json"),
    ("status.v1", include_str!("../../../../schemas/output/status.v1.json"), "pec status --json"),
    ("policy.v1", include_str!("../../../../schemas/output/policy.v1.json"), "pec policy show --json"),
    ("policy-diff.v1", include_str!("../../../../schemas/output/policy-diff.v1.json"), "pec policy diff --json"),
    ("policy-check.v1", include_str!("../../../../schemas/output/policy-check.v1.json"), "pec policy check --json"),
    (
        "policy-published.v1",
        include_str!("../../../../schemas/output/policy-published.v1.json"),
        "pec policy publish --json",
    ),
    (
        "daily-line.v1",
        include_str!("../../../../schemas/output/daily-line.v1.json"),
        "a line of pec invoice --daily --json",
    ),
    ("what-if.v1", include_str!("../../../../schemas/output/what-if.v1.json"), "pec what-if --json"),
    (
        "access-timeline.v1",
        include_str!("../../../../schemas/output/access-timeline.v1.json"),
        "pec access timeline --json",
    ),
    ("access-report.v1", include_str!("../../../../schemas/output/access-report.v1.json"), "pec access report --json"),
    (
        "policy-document.v1",
        include_str!("../../../../schemas/reference/policy.published.v1.json"),
        "the file of pec policy check and publish",
    ),
    ("check.v1", include_str!("../../../../schemas/output/check.v1.json"), "a line of pec check --json"),
    ("finding.v1", include_str!("../../../../schemas/output/finding.v1.json"), "a line of pec check --findings --json"),
    ("close.v1", include_str!("../../../../schemas/output/close.v1.json"), "a line of pec close --json"),
    ("void.v1", include_str!("../../../../schemas/output/void.v1.json"), "a line of pec void --json"),
    (
        "conflicts.v1",
        include_str!("../../../../schemas/output/conflicts.v1.json"),
        "a line of pec conflicts list --json; pec conflicts show --json",
    ),
    (
        "conflict-decided.v1",
        include_str!("../../../../schemas/output/conflict-decided.v1.json"),
        "pec conflicts decide --json",
    ),
    (
        "quarantine.v1",
        include_str!("../../../../schemas/output/quarantine.v1.json"),
        "a line of pec quarantine list --json",
    ),
    (
        "quarantined-message.v1",
        include_str!("../../../../schemas/output/quarantined-message.v1.json"),
        "pec quarantine show --json",
    ),
    (
        "redriven.v1",
        include_str!("../../../../schemas/output/redriven.v1.json"),
        "a line of pec quarantine redrive --json",
    ),
    ("replay.v1", include_str!("../../../../schemas/output/replay.v1.json"), "pec replay --json"),
    ("verify.v1", include_str!("../../../../schemas/output/verify.v1.json"), "pec verify --json"),
    ("backup.v1", include_str!("../../../../schemas/output/backup.v1.json"), "pec backup --json"),
    ("bench.v1", include_str!("../../../../schemas/output/bench.v1.json"), "pec bench --json"),
    ("restore.v1", include_str!("../../../../schemas/output/restore.v1.json"), "pec restore --json"),
    (
        "restored-from-kafka.v1",
        include_str!("../../../../schemas/output/restored-from-kafka.v1.json"),
        "pec restore --from-kafka --json",
    ),
    ("import.v1", include_str!("../../../../schemas/output/import.v1.json"), "a line of pec import --json"),
    ("generate.v1", include_str!("../../../../schemas/output/generate.v1.json"), "pec generate --json"),
    ("scenario.v1", include_str!("../../../../schemas/output/scenario.v1.json"), "a line of pec scenario --json"),
    ("schema.v1", include_str!("../../../../schemas/output/schema.v1.json"), "a line of pec schema --json"),
    ("config.v1", include_str!("../../../../schemas/output/config.v1.json"), "pec config check --json"),
    ("order-check.v1", include_str!("../../../../schemas/output/order-check.v1.json"), "pec order check --json"),
    ("partner.v1", include_str!("../../../../schemas/output/partner.v1.json"), "pec partner show --json"),
    ("customer.v1", include_str!("../../../../schemas/output/customer.v1.json"), "pec customer show --json"),
];

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec schema\n  pec schema status.v1")]
pub struct Schema {
    /// Which one; without it, they are listed
    name: Option<String>,
}

impl Schema {
    pub fn run(&self, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
        let Some(name) = &self.name else {
            if json {
                for (name, _, what) in SCHEMAS {
                    out.ndjson(&serde_json::json!({ "schema": "pec.schema.v1", "name": name, "describes": what }))?;
                }
                return Ok(Exit::Fine);
            }
            let mut list = table(&["schema", "describes"]);
            for (name, _, what) in SCHEMAS {
                list.add_row([left(name), left(what)]);
            }
            out.table(list)?;
            return Ok(Exit::Fine);
        };
        let found = SCHEMAS.iter().find(|(known, ..)| known == name || known.strip_suffix(".v1") == Some(name));
        let (_, text, _) = found.ok_or_else(|| {
            let names: Vec<&str> = SCHEMAS.iter().map(|(name, ..)| *name).collect();
            Problem::usage(format!("there is no schema `{name}`")).hint(format!("there are: {}", names.join(", ")))
        })?;
        out.line(text.trim_end())?;
        Ok(Exit::Fine)
    }
}
