//! Where each rule of orders comes from: page and date, word for word as `docs/rules.md` lists them.
//!
//! An answer that refuses has to stand on its own: whoever reads it sees the rule's source beside
//! the rule, without looking anything up. A test holds this table to the document.

/// The rules of orders with their sources.
pub const SOURCES: &[(&str, &str)] = &[
    ("CHN-1", "Seed page on partner relationships, scenario 1 (2020-05-12); supported partner relationships"),
    ("CHN-2", "Restricted direct-bill capabilities (2022-08-18); partner announcement on authorisation (2025-10-25)"),
    (
        "CHN-3",
        "Seed pages on the Azure plan (2019-12-02, 2020-07-10); confirm customer agreement (2023-04-28); error 13605",
    ),
    ("CHN-4", "Confirm customer agreement (2023-04-28), API page; error 600061"),
    (
        "CHN-5",
        "Seed page on partner relationships (2020-05-12); Microsoft Partner Agreement (2022-02-22); verify a reseller's signing status (2020-07-24): 2203, 2206; errors 900123, 900124",
    ),
    (
        "CHN-6",
        "Seed page on partner relationships (2020-05-12); indirect provider tasks (2023-09-15); verify a reseller's signing status (2020-07-24): 2200, 2204",
    ),
    (
        "CHN-7",
        "Seed pages on the Azure plan (2019-12-02, translated 2021-05-19); partner security requirements (2023-10-13)",
    ),
    ("CHN-8", "Seed page on partner relationships, scenario 4 (2020-05-12); multi-partner (2023-09-26)"),
    ("CHN-9", "Seed page on partner relationships, scenario 5 (2020-05-12)"),
    ("CHN-10", "Seed page on partner relationships, scenario 6 (2020-05-12)"),
    (
        "CHN-11",
        "Seed page on partner relationships, scenario 7 (2020-05-12); regional authorization overview (2023-08-17)",
    ),
    (
        "CHN-12",
        "Seed page on partner relationships, scenario 8 (2020-05-12); verify a reseller's signing status (2020-07-24): 2201, 2205",
    ),
    ("CHN-13", "Seed page on the Azure plan (2020-07-10); indirect provider tasks (2023-09-15); error 20002"),
    (
        "CHN-14",
        "Seed page on partner relationships, scenarios 2 and 3 (2020-05-12); multi-partner (2023-09-26); multichannel (2023-09-20)",
    ),
    (
        "CHN-15",
        "Error 2030; compare Azure offers (2023-01-11), whose count of countries differs from purchase page (2022-09-09)",
    ),
    ("CHN-16", "Credit limit enforcement (2022-04-25); error 900121"),
    (
        "CHN-17",
        "Azure plan transition (2023-01-11); purchase Azure plan (2022-09-09); create Azure plan (2022-12-09); error 900115",
    ),
    (
        "CHN-18",
        "Azure plan transition (2023-01-11); error codes (2023-06-15): 900105, 900108, 900109, 900112 to 900114",
    ),
    ("CHN-19", "Transfer of Azure subscriptions (2023-09-14); error codes (2023-06-15): 900131 to 900133, 900148"),
    ("CHN-20", "Indirect provider tasks (2023-09-15); read your bill; link a partner ID"),
];

/// The source of a rule that an order is answered by.
pub(super) fn of(rule: &str) -> &'static str {
    SOURCES
        .iter()
        .find(|(name, _)| *name == rule)
        .map(|(_, source)| *source)
        .expect("every rule of orders has a source")
}
