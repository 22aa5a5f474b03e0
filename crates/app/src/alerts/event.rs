//! What an alert says: CloudEvents `pec.leak.opened.v1` and `pec.leak.cleared.v1`.
//!
//! One alert for everything of a subscription that was lost, or came back, at one time. Its id is
//! made of all that it says, so that two alerts that differ have two ids; one that is sent again is
//! kept as it was written. Amounts stand here because the reader is the partner; a request to a
//! customer never carries one.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{Currency, Guid};
use domain::money::Exact;
use domain::period::Instant;
use domain::policy::RULES_VERSION;
use engine::leak::{BeganWith, Leak};
use serde::Serialize;

use crate::cli::invoice::money;
use crate::cli::period::instant;

/// An alert names at most this many resources; the count and the sum are of all.
const RESOURCES_MAX: usize = 1_000;

/// What alerts need besides the leaks themselves.
#[derive(Default)]
pub(super) struct Names {
    pub of: BTreeMap<Guid, String>,
    pub policy_revision: u32,
    /// Subscriptions that are over.
    pub ended: BTreeSet<Guid>,
    /// Subscriptions with a resource in use that something covers.
    pub covered: BTreeSet<Guid>,
}

impl Names {
    fn party(&self, id: Guid) -> Party {
        Party { id: id.to_string(), name: self.of.get(&id).cloned().unwrap_or_else(|| id.to_string()) }
    }
}

/// A leak, and the credit that it loses a day: a figure that is cut once, and shown in several places.
pub(super) struct Costed<'f> {
    pub leak: &'f Leak,
    pub per_day: Exact,
}

impl<'f> Costed<'f> {
    pub(super) fn new(leak: &'f Leak) -> Self {
        Self { leak, per_day: leak.burn.per_day() }
    }
}

#[derive(Serialize)]
struct Party {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct CloudEvent {
    specversion: &'static str,
    id: String,
    source: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    time: String,
    datacontenttype: &'static str,
    data: Box<serde_json::value::RawValue>,
}

/// `schemas/alerts/leak.opened.v1.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Opened<'a> {
    customer: Party,
    bill_to: Party,
    subscription_id: String,
    plan_id: String,
    since: String,
    began_with: &'static str,
    found_at: String,
    resource_count: usize,
    credit_per_day: String,
    resources: Vec<Lost<'a>>,
    policy_revision: u32,
    rules_version: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lost<'a> {
    resource_id: &'a str,
    reason: &'static str,
    rule: &'static str,
    credit_per_day: String,
    /// Credit potential of `burnDays` days, exact: `creditPerDay` is their quotient.
    burn: String,
    burn_days: u32,
    events: Vec<String>,
}

/// `schemas/alerts/leak.cleared.v1.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cleared<'a> {
    subscription_id: String,
    since: String,
    found_at: String,
    because: &'static str,
    resource_count: usize,
    resources: Vec<&'a str>,
    policy_revision: u32,
    rules_version: u32,
}

/// An alert, for those who take it and for the log.
pub(super) struct Written {
    /// Alerts of one subscription keep their order.
    pub key: String,
    pub text: String,
    pub news: News,
}

/// What the log says of an alert.
pub(super) struct News {
    pub id: String,
    pub kind: &'static str,
    pub message: &'static str,
    pub said: Said,
}

/// The figures of an alert, for the log.
pub(super) struct Said {
    pub subscription: Guid,
    pub customer: String,
    pub since: String,
    pub resources: usize,
    pub per_day: String,
    pub why: String,
}

pub(super) const OPENED: &str = "pec.leak.opened.v1";
pub(super) const CLEARED: &str = "pec.leak.cleared.v1";

/// An alert as it is sent. Its id ends with a digest of all that it says, when that was found included: what is
/// lost again, or for another reason, is another alert.
fn written<T: Serialize>(
    (kind, message): (&'static str, &'static str),
    said: Said,
    now: Instant,
    data: &T,
) -> anyhow::Result<Written> {
    let data = serde_json::value::to_raw_value(data)?;
    let short = kind.trim_start_matches("pec.").trim_end_matches(".v1").replace('.', "-");
    let digest = blake3::hash(data.get().as_bytes()).to_hex();
    let id = format!("{short}/{}/{}/{}", said.subscription, said.since, &digest[..16]);
    let event = CloudEvent {
        specversion: "1.0",
        id: id.clone(),
        source: engine::decision::SOURCE,
        kind,
        time: instant(now),
        datacontenttype: "application/json",
        data,
    };
    let (key, text) = (said.subscription.to_string(), serde_json::to_string(&event)?);
    Ok(Written { key, text, news: News { id, kind, message, said } })
}

/// Leaks of one subscription that began at one time, all with the same: what moved it also began its placement.
pub(super) fn opened(lost: &[Costed<'_>], names: &Names, now: Instant) -> anyhow::Result<Option<Written>> {
    let Some(first) = lost.first().map(|one| one.leak) else { return Ok(None) };
    let since = instant(first.since);
    let per_day = money(&lost.iter().map(|one| &one.per_day).sum(), Currency::USD);
    let resources = lost.iter().take(RESOURCES_MAX).map(|Costed { leak, per_day }| Lost {
        resource_id: leak.resource.as_str(),
        reason: leak.reason.text(),
        rule: leak.reason.rule(),
        credit_per_day: money(per_day, Currency::USD),
        burn: money(&leak.burn.credit, Currency::USD),
        burn_days: leak.burn.days,
        events: leak.events.iter().map(ToString::to_string).collect(),
    });
    let message = match first.began_with {
        BeganWith::AccessEnded => "access ended: credit is lost from now on",
        BeganWith::Transfer => "the subscription moved and its access stayed behind: credit is lost from now on",
    };
    let reasons: BTreeSet<&str> = lost.iter().map(|one| one.leak.reason.text()).collect();
    let said = Said {
        subscription: first.subscription,
        customer: names.party(first.customer).name,
        since: since.clone(),
        resources: lost.len(),
        per_day: per_day.clone(),
        why: reasons.into_iter().collect::<Vec<_>>().join(", "),
    };
    let data = Opened {
        customer: names.party(first.customer),
        bill_to: names.party(first.bill_to),
        subscription_id: first.subscription.to_string(),
        plan_id: first.plan.to_string(),
        began_with: first.began_with.text(),
        found_at: instant(now),
        resource_count: lost.len(),
        credit_per_day: per_day,
        resources: resources.collect(),
        policy_revision: names.policy_revision,
        rules_version: RULES_VERSION,
        since,
    };
    written((OPENED, message), said, now, &data).map(Some)
}

/// Resources of one subscription, lost at one time, that leak no longer.
pub(super) fn cleared(
    subscription: Guid,
    since: &str,
    resources: &[&str],
    customer: &str,
    names: &Names,
    now: Instant,
) -> anyhow::Result<Written> {
    let because = if names.ended.contains(&subscription) {
        "subscription-ended"
    } else if names.covered.contains(&subscription) {
        "access-returned"
    } else {
        "no-longer-in-use"
    };
    let said = Said {
        subscription,
        customer: customer.to_owned(),
        since: since.to_owned(),
        resources: resources.len(),
        per_day: money(&Exact::zero(), Currency::USD),
        why: because.to_owned(),
    };
    let data = Cleared {
        subscription_id: subscription.to_string(),
        since: since.to_owned(),
        found_at: instant(now),
        because,
        resource_count: resources.len(),
        resources: resources.iter().copied().take(RESOURCES_MAX).collect(),
        policy_revision: names.policy_revision,
        rules_version: RULES_VERSION,
    };
    written((CLEARED, "no longer losing credit"), said, now, &data)
}
