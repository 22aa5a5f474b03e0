//! What the meter told, and what is still to be sent: a small file of changes beside the journal ([`lines`]),
//! which is durable before anything is logged or sent.
//!
//! It is no part of the journal: a backup does not carry it, and without it what leaks is found anew
//! and told again, as alerts of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::ids::Guid;
use domain::money::Exact;
use domain::period::Instant;
use engine::leak::{Found, Leak};
use engine::side_by_side;
use serde::{Deserialize, Serialize};

use super::event::{self, Costed, Names, News, Written};
use super::lines::Lines;

/// Its name in the data directory.
pub const FILE: &str = "alerts.json";
/// So many alerts are worded before their text is written and let go.
const WORDED_AT_ONCE: usize = 128;

/// A way out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sink {
    Kafka,
    Webhook,
}

impl Sink {
    pub(crate) const ALL: [Self; 2] = [Self::Kafka, Self::Webhook];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Webhook => "webhook",
        }
    }

    /// How many alerts it is given at a time: a webhook takes them one by one.
    pub(super) fn at_once(self) -> usize {
        match self {
            Self::Kafka => 500,
            Self::Webhook => 1,
        }
    }

    /// Kafka keeps what it took and comes back; a webhook may be gone for good.
    pub(super) fn attempts_max(self) -> u32 {
        match self {
            Self::Kafka => u32::MAX,
            Self::Webhook => 6,
        }
    }
}

/// An alert on its way.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Alert {
    pub id: String,
    pub key: String,
    /// The whole CloudEvent, as it will be sent.
    pub event: String,
    /// Who still has to take it, and how often that failed.
    pub to: BTreeMap<Sink, u32>,
}

/// A leak that was told.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Told {
    #[serde(with = "text")]
    subscription: Guid,
    resource: String,
    customer: String,
    since: String,
    /// Credit a day when it was last looked at.
    per_day: String,
}

/// One step of what is remembered; in this order, where it says several things.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Change {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    over: Vec<Over>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    open: Vec<Told>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pending: Vec<Alert>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<Taken>,
}

/// A leak that is over.
#[derive(Debug, Serialize, Deserialize)]
struct Over {
    #[serde(with = "text")]
    subscription: Guid,
    resource: String,
}

/// Alerts that a sink took, or never will.
#[derive(Debug, Serialize, Deserialize)]
struct Taken {
    by: Sink,
    ids: Vec<String>,
}

#[derive(Debug, Default)]
struct Kept {
    /// As they were told together.
    open: Vec<Vec<Told>>,
    pending: Vec<Alert>,
}

impl Kept {
    /// Takes changes in that were made together, so that none undoes another.
    fn apply(&mut self, together: Vec<Change>) {
        let over = together.iter().flat_map(|change| &change.over);
        let over: BTreeSet<(Guid, &str)> = over.map(|over| (over.subscription, &*over.resource)).collect();
        if !over.is_empty() {
            for open in &mut self.open {
                open.retain(|told| !over.contains(&(told.subscription, &*told.resource)));
            }
        }
        for Change { open, pending, taken, .. } in together {
            self.open.push(open);
            self.pending.extend(pending);
            if let Some(taken) = taken {
                self.take(&taken);
            }
        }
        self.open.retain(|open| !open.is_empty());
    }

    fn take(&mut self, taken: &Taken) {
        let ids: BTreeSet<&str> = taken.ids.iter().map(String::as_str).collect();
        for alert in self.pending.iter_mut().filter(|alert| ids.contains(alert.id.as_str())) {
            alert.to.remove(&taken.by);
        }
        self.pending.retain(|alert| !alert.to.is_empty());
    }
}

#[derive(Debug)]
pub(super) struct Memory {
    lines: Lines,
    sinks: BTreeSet<Sink>,
    kept: Kept,
}

impl Memory {
    pub(super) fn load(dir: &Path, sinks: BTreeSet<Sink>) -> anyhow::Result<Self> {
        let (lines, said) = Lines::open(dir.join(FILE))?;
        let mut kept = Kept::default();
        said.into_iter().for_each(|together| kept.apply(together));
        // A way out that is no longer configured takes nothing any more.
        for alert in &mut kept.pending {
            alert.to.retain(|sink, _| sinks.contains(sink));
        }
        kept.pending.retain(|alert| !alert.to.is_empty());
        let mut memory = Self { lines, sinks, kept };
        if !memory.lines.is_empty() {
            memory.write_anew()?;
        }
        Ok(memory)
    }

    /// Compares what leaks now with what was told, writes down what is new, and returns it. What cannot be
    /// written down was not told.
    pub(super) fn compare(
        &mut self,
        found: &Found,
        only: Option<&BTreeSet<Guid>>,
        names: &Names,
        now: Instant,
    ) -> anyhow::Result<Vec<News>> {
        let told = Telling { to: self.sinks.iter().map(|sink| (*sink, 0)).collect(), names, now };
        let leaks = found.leaks.values().flatten();
        let mut fresh: BTreeMap<(Guid, &str), &Leak> = leaks.map(|leak| (key(leak), leak)).collect();
        let leaking = fresh.len();
        let mut over: BTreeMap<(Guid, &str), Vec<&Told>> = BTreeMap::new();
        let mut costs = Vec::new();
        for (number, told) in self.kept.open.iter().flatten().enumerate() {
            if only.is_some_and(|only| !only.contains(&told.subscription)) {
                continue;
            }
            match fresh.remove(&(told.subscription, told.resource.as_str())) {
                Some(leak) => costs.push((number, leak.burn.per_day().to_string())),
                None => over.entry((told.subscription, told.since.as_str())).or_default().push(told),
            }
        }
        let over = over.into_iter().map(|((subscription, since), over)| told.ended(subscription, since, &over));
        let mut begun: BTreeMap<(Guid, Instant), Vec<&Leak>> = BTreeMap::new();
        for leak in fresh.into_values() {
            begun.entry((leak.subscription, leak.since)).or_default().push(leak);
        }
        let begun: Vec<Vec<&Leak>> = begun.into_values().collect();
        let word = |leaks: &Vec<&Leak>| told.began(leaks);
        let begun = begun.chunks(WORDED_AT_ONCE).flat_map(|begun| side_by_side::all(begun, leaking, &word));
        let (changes, news) = write_down(&mut self.lines, over.chain(begun))?;
        let mut costs = costs.into_iter().peekable();
        for (number, told) in self.kept.open.iter_mut().flatten().enumerate() {
            if let Some((_, per_day)) = costs.next_if(|(costed, _)| *costed == number) {
                told.per_day = per_day;
            }
        }
        self.kept.apply(changes);
        Ok(news)
    }

    /// Writes everything that is remembered in place of all changes that led to it.
    fn write_anew(&mut self) -> anyhow::Result<()> {
        let Kept { open, pending } = std::mem::take(&mut self.kept);
        let change = Change { open: open.into_iter().flatten().collect(), pending, ..Change::default() };
        let written = self.lines.write_anew(&change);
        self.kept.apply(vec![change]);
        written
    }

    /// How many resources leak, and how much a day together.
    pub(super) fn open(&self) -> (usize, Exact) {
        let leaking = self.kept.open.iter().map(Vec::len).sum();
        let credit = |told: &Vec<Told>| -> Exact {
            let per_day: Vec<Exact> = told.iter().filter_map(|told| Exact::parse(&told.per_day)).collect();
            per_day.iter().sum()
        };
        (leaking, side_by_side::all(&self.kept.open, leaking, &credit).iter().sum())
    }

    /// The oldest alerts that a sink has not taken, so many at most.
    pub(super) fn waiting(&self, sink: Sink, most: usize) -> Vec<Alert> {
        self.kept.pending.iter().filter(|alert| alert.to.contains_key(&sink)).take(most).cloned().collect()
    }

    /// Counts a failure; kept in memory alone, so that a restart begins to count anew.
    pub(super) fn failed(&mut self, sink: Sink, id: &str) -> u32 {
        let alert = self.kept.pending.iter_mut().find(|alert| alert.id == id);
        alert.and_then(|alert| alert.to.get_mut(&sink)).map_or(u32::MAX, |attempts| {
            *attempts = attempts.saturating_add(1);
            *attempts
        })
    }

    /// A sink took these alerts, or never will. The file is written anew only while nothing waits: then that is
    /// little, and nobody waits for it.
    pub(super) fn done(&mut self, sink: Sink, alerts: &[Alert]) -> anyhow::Result<()> {
        let ids = alerts.iter().map(|alert| alert.id.clone()).collect();
        let change = Change { taken: Some(Taken { by: sink, ids }), ..Change::default() };
        let (changes, _) = write_down(&mut self.lines, std::iter::once(Step::of(change, None)))?;
        self.kept.apply(changes);
        if self.kept.pending.is_empty() && self.lines.is_worn() {
            self.write_anew()?;
        }
        Ok(())
    }
}

/// Makes steps durable, all of them or none.
fn write_down(
    lines: &mut Lines,
    steps: impl Iterator<Item = anyhow::Result<Step>>,
) -> anyhow::Result<(Vec<Change>, Vec<News>)> {
    let (mut line, mut changes, mut news) = (lines.begin(), Vec::new(), Vec::new());
    for step in steps {
        let step = step?;
        line.push(&step.text)?;
        changes.push(step.change);
        news.extend(step.news);
    }
    line.finish()?;
    Ok((changes, news))
}

/// A change with its text and what the log says of it.
struct Step {
    text: Vec<u8>,
    change: Change,
    news: Option<News>,
}

impl Step {
    fn of(change: Change, news: Option<News>) -> anyhow::Result<Self> {
        Ok(Self { text: serde_json::to_vec(&change)?, change, news })
    }
}

/// Words what began and what is over.
struct Telling<'n> {
    /// Who has to take an alert; nobody failed to yet.
    to: BTreeMap<Sink, u32>,
    names: &'n Names,
    now: Instant,
}

impl Telling<'_> {
    /// Leaks of one subscription that began at one time.
    fn began(&self, leaks: &[&Leak]) -> anyhow::Result<Step> {
        let lost: Vec<Costed<'_>> = leaks.iter().map(|leak| Costed::new(leak)).collect();
        let open = lost.iter().map(|one| told(one, self.names)).collect();
        self.step(event::opened(&lost, self.names, self.now)?, Change { open, ..Change::default() })
    }

    /// Leaks of one subscription that began at one time and are over.
    fn ended(&self, subscription: Guid, since: &str, told: &[&Told]) -> anyhow::Result<Step> {
        let resources: Vec<&str> = told.iter().map(|told| told.resource.as_str()).collect();
        let customer = told.first().map_or("", |told| told.customer.as_str());
        let over = resources.iter().map(|resource| Over { subscription, resource: (*resource).to_owned() }).collect();
        let written = event::cleared(subscription, since, &resources, customer, self.names, self.now)?;
        self.step(Some(written), Change { over, ..Change::default() })
    }

    /// A change together with its alert.
    fn step(&self, written: Option<Written>, mut change: Change) -> anyhow::Result<Step> {
        let news = written.map(|Written { key, text, news }| {
            if !self.to.is_empty() {
                change.pending.push(Alert { id: news.id.clone(), key, event: text, to: self.to.clone() });
            }
            news
        });
        Step::of(change, news)
    }
}

/// GUIDs as their text; a file with anything else in their place cannot be read.
mod text {
    use domain::ids::Guid;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(guid: &Guid, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(guid)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(value: D) -> Result<Guid, D::Error> {
        let text = String::deserialize(value)?;
        Guid::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no GUID")))
    }
}

fn key(leak: &Leak) -> (Guid, &str) {
    (leak.subscription, leak.resource.as_str())
}

fn told(Costed { leak, per_day }: &Costed<'_>, names: &Names) -> Told {
    Told {
        subscription: leak.subscription,
        resource: leak.resource.to_string(),
        customer: names.of.get(&leak.customer).cloned().unwrap_or_else(|| leak.customer.to_string()),
        since: crate::cli::period::instant(leak.since),
        per_day: per_day.to_string(),
    }
}

impl News {
    /// The line of the log: a loss is a warning, its end is news.
    pub(super) fn log(&self) {
        let said = &self.said;
        let subscription = said.subscription.to_string();
        if self.kind == event::OPENED {
            tracing::warn!(
                alert = self.id,
                subscription,
                customer = said.customer,
                resources = said.resources,
                credit_per_day = said.per_day,
                since = said.since,
                reason = said.why,
                "{}",
                self.message
            );
        } else {
            tracing::info!(
                alert = self.id,
                subscription,
                customer = said.customer,
                resources = said.resources,
                since = said.since,
                because = said.why,
                "{}",
                self.message
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::pec::LostCode;
    use domain::scope::Scope;
    use engine::burn::Burn;
    use engine::leak::BeganWith;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn leak(resource: &str) -> Leak {
        Leak {
            subscription: Guid(7),
            resource: Scope::parse(&format!("/subscriptions/{}/resourceGroups/rg/{resource}", Guid(7))),
            customer: Guid(1),
            plan: Guid(2),
            bill_to: Guid(3),
            since: at("2026-03-01T10:00:00Z"),
            began_with: BeganWith::AccessEnded,
            reason: LostCode::EarlyEnd,
            burn: Burn { credit: Exact::parse("7.7").unwrap(), days: 7 },
            events: Vec::new().into(),
            remedy: "".into(),
        }
    }

    fn ids(alerts: &[Alert]) -> Vec<&str> {
        alerts.iter().map(|alert| alert.id.as_str()).collect()
    }

    fn found(resources: &[&str]) -> Found {
        let leaks = resources.iter().map(|resource| leak(resource)).collect();
        Found { leaks: BTreeMap::from([(Guid(7), leaks)]), ends: BTreeMap::new() }
    }

    /// Told once, whatever is looked at again and whoever restarts; over once, and then told anew.
    #[test]
    fn a_leak_is_told_once_and_cleared_once_across_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let sinks = BTreeSet::from([Sink::Webhook]);
        let (names, now) = (Names::default(), at("2026-03-01T10:00:01Z"));
        let mut memory = Memory::load(dir.path(), sinks.clone()).unwrap();
        let first = memory.compare(&found(&["a", "b"]), None, &names, now).unwrap();
        assert_eq!(first.len(), 1, "one alert for one change");
        let text = &memory.waiting(Sink::Webhook, 1)[0].event;
        assert!(text.contains("\"creditPerDay\":\"2.20 USD\""), "{text}");
        assert_eq!(memory.open(), (2, Exact::parse("2.2").unwrap()));
        assert!(memory.compare(&found(&["a", "b"]), None, &names, now).unwrap().is_empty());

        let mut memory = Memory::load(dir.path(), sinks.clone()).unwrap();
        assert!(
            memory.compare(&found(&["a", "b"]), None, &names, now).unwrap().is_empty(),
            "a restart repeats nothing"
        );
        let waiting = memory.waiting(Sink::Webhook, 5);
        assert_eq!(ids(&waiting), [first[0].id.as_str()], "and forgets nothing that was not taken");
        let elsewhere = BTreeSet::from([Guid(8)]);
        assert!(memory.compare(&found(&[]), Some(&elsewhere), &names, now).unwrap().is_empty());
        let over = memory.compare(&found(&["b"]), None, &names, now).unwrap();
        assert_eq!((over.len(), over[0].kind), (1, event::CLEARED));
        let both = memory.waiting(Sink::Webhook, 5);
        assert_eq!(ids(&both), [first[0].id.as_str(), over[0].id.as_str()], "in the order in which they were told");
        assert_eq!(ids(&memory.waiting(Sink::Webhook, 1)), [first[0].id.as_str()]);
        memory.done(Sink::Webhook, &both[..1]).unwrap();
        assert_eq!(ids(&memory.waiting(Sink::Webhook, 5)), [over[0].id.as_str()]);
        memory.done(Sink::Webhook, &both).unwrap();
        assert_eq!(Memory::load(dir.path(), sinks).unwrap().waiting(Sink::Webhook, 5), []);
    }

    /// Who keeps alerts by id keeps each of them: other content has another id, also where the same resource is
    /// lost since the same time for another reason, or once more.
    #[test]
    fn two_openings_have_two_ids() {
        let dir = tempfile::tempdir().unwrap();
        let sinks = BTreeSet::from([Sink::Webhook]);
        let names = Names::default();
        let mut memory = Memory::load(dir.path(), sinks.clone()).unwrap();
        let of = |reason| {
            let leaks = vec![Leak { reason, ..leak("a") }];
            Found { leaks: BTreeMap::from([(Guid(7), leaks)]), ends: BTreeMap::new() }
        };
        let nothing = found(&[]);
        let turns = [of(LostCode::Barred), nothing.clone(), of(LostCode::EarlyEnd), nothing, of(LostCode::EarlyEnd)];
        let mut told = Vec::new();
        for (found, minute) in turns.iter().zip(0..) {
            let now = at("2026-03-01T10:00:01Z") + chrono::TimeDelta::minutes(minute);
            let news = memory.compare(found, None, &names, now).unwrap();
            assert_eq!(news.len(), 1);
            told.extend(news.into_iter().map(|news| news.id));
        }
        let distinct: BTreeSet<&String> = told.iter().collect();
        assert_eq!(distinct.len(), told.len(), "{told:?}");
        let waiting = Memory::load(dir.path(), sinks).unwrap().waiting(Sink::Webhook, 9);
        assert_eq!(ids(&waiting), told, "what is sent again after a restart is what was told");
        for alert in waiting {
            let event: serde_json::Value = serde_json::from_str(&alert.event).unwrap();
            assert_eq!(event["id"], alert.id.as_str());
        }
    }

    /// Nobody took the access of a subscription away that moved, so neither the event nor the log says so.
    #[test]
    fn what_is_lost_since_a_transfer_is_not_said_to_be_lost_since_access_ended() {
        let dir = tempfile::tempdir().unwrap();
        let (names, now) = (Names::default(), at("2026-03-01T10:00:01Z"));
        for (began_with, word, said) in [
            (BeganWith::AccessEnded, "access-ended", "access ended:"),
            (BeganWith::Transfer, "transfer", "the subscription moved"),
        ] {
            let mut memory = Memory::load(dir.path(), BTreeSet::from([Sink::Webhook])).unwrap();
            let leaks = vec![Leak { began_with, ..leak(word) }];
            let found = Found { leaks: BTreeMap::from([(Guid(7), leaks)]), ends: BTreeMap::new() };
            let news = memory.compare(&found, None, &names, now).unwrap();
            let opened = news.iter().find(|news| news.kind == event::OPENED).unwrap();
            assert!(opened.message.starts_with(said), "{}", opened.message);
            let waiting = memory.waiting(Sink::Webhook, 9);
            let sent = waiting.iter().find(|alert| alert.id == opened.id).unwrap();
            let sent: serde_json::Value = serde_json::from_str(&sent.event).unwrap();
            assert_eq!(sent["data"]["beganWith"], word);
        }
    }

    /// What cannot be a leak of ours is said, not made up.
    #[test]
    fn a_file_with_a_subscription_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let told =
            r#"{"subscription":"nonsense","resource":"r","customer":"C","since":"2026-03-01T10:00:00Z","per_day":"1"}"#;
        std::fs::write(dir.path().join(FILE), format!("[{{\"open\":[{told}]}}]\n")).unwrap();
        let error = format!("{:#}", Memory::load(dir.path(), BTreeSet::new()).unwrap_err());
        assert!(error.contains("`nonsense` is no GUID") && error.contains("remove it"), "{error}");
    }

    /// A file as builds before this one wrote it, whole and without the end of a line.
    #[test]
    fn a_file_that_was_written_whole_is_read_and_appended_to() {
        let dir = tempfile::tempdir().unwrap();
        let sinks = BTreeSet::from([Sink::Kafka, Sink::Webhook]);
        let (names, now) = (Names::default(), at("2026-03-01T10:00:01Z"));
        let resource = leak("a").resource;
        let told = format!(
            r#"{{"subscription":"{}","resource":"{resource}","customer":"C","since":"2026-03-01T10:00:00Z","per_day":"1.1"}}"#,
            Guid(7)
        );
        let alert = r#"{"id":"one","key":"7","event":"{\"id\":\"one\"}","to":{"kafka":0,"webhook":0}}"#;
        let path = dir.path().join(FILE);
        std::fs::write(&path, format!(r#"{{"open":[{told}],"pending":[{alert}]}}"#)).unwrap();

        let mut memory = Memory::load(dir.path(), sinks.clone()).unwrap();
        assert!(memory.compare(&found(&["a"]), None, &names, now).unwrap().is_empty(), "it was told");
        let waiting = memory.waiting(Sink::Kafka, 5);
        assert_eq!(ids(&waiting), ["one"]);
        memory.done(Sink::Kafka, &waiting).unwrap();
        assert_eq!(memory.compare(&found(&["b"]), None, &names, now).unwrap().len(), 2, "one begins, one is over");
        let memory = Memory::load(dir.path(), sinks).unwrap();
        assert_eq!((memory.waiting(Sink::Kafka, 5).len(), memory.waiting(Sink::Webhook, 5).len()), (2, 3));
        assert_eq!(memory.open(), (1, Exact::parse("1.1").unwrap()));
    }
}
