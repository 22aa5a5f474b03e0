//! What the meter told, and what is still to be sent: a small file beside the journal, written
//! whole and renamed into place, so that a crash leaves the old one or the new one.
//!
//! It is no part of the journal: a backup does not carry it, and without it alerts are told again
//! under the same ids.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::ids::Guid;
use domain::money::Exact;
use domain::period::Instant;
use engine::leak::{Found, Leak};
use engine::side_by_side;
use serde::{Deserialize, Serialize};

use super::event::{self, Costed, Names, News, Written};

/// Its name in the data directory.
pub const FILE: &str = "alerts.json";

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
    subscription: String,
    resource: String,
    customer: String,
    since: String,
    /// Credit a day when it was last looked at.
    per_day: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
struct Kept {
    open: Vec<Told>,
    pending: Vec<Alert>,
}

#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
    sinks: BTreeSet<Sink>,
    kept: Kept,
}

impl Memory {
    pub(super) fn load(dir: &Path, sinks: BTreeSet<Sink>) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let mut kept: Kept = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{} cannot be read; remove it, and alerts that still hold are told again", path.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        // A way out that is no longer configured takes nothing any more.
        for alert in &mut kept.pending {
            alert.to.retain(|sink, _| sinks.contains(sink));
        }
        kept.pending.retain(|alert| !alert.to.is_empty());
        Ok(Self { path, sinks, kept })
    }

    /// Compares what leaks now with what was told, writes down what is new, and returns it.
    pub(super) fn compare(
        &mut self,
        found: &Found,
        only: Option<&BTreeSet<Guid>>,
        names: &Names,
        now: Instant,
    ) -> anyhow::Result<Vec<News>> {
        let leaking: BTreeMap<(Guid, &str), &Leak> = found.leaks.iter().map(|leak| (key(leak), leak)).collect();
        let mut next = self.kept.clone();
        let mut over: BTreeMap<(Guid, String), Vec<Told>> = BTreeMap::new();
        let mut still: BTreeSet<(Guid, &str)> = BTreeSet::new();
        next.open.retain_mut(|told| {
            let Some(subscription) = Guid::parse(&told.subscription) else { return false };
            if only.is_some_and(|only| !only.contains(&subscription)) {
                return true;
            }
            match leaking.get(&(subscription, told.resource.as_str())) {
                Some(leak) => {
                    told.per_day = leak.burn.per_day().to_string();
                    still.insert(key(leak));
                    true
                }
                None => {
                    over.entry((subscription, told.since.clone())).or_default().push(told.clone());
                    false
                }
            }
        });
        let mut written = Vec::new();
        for ((subscription, since), told) in &over {
            let resources: Vec<&str> = told.iter().map(|told| told.resource.as_str()).collect();
            let customer = told.first().map_or("", |told| told.customer.as_str());
            written.push(event::cleared(*subscription, since, &resources, customer, names, now)?);
        }
        let mut fresh: BTreeMap<(Guid, Instant), Vec<&Leak>> = BTreeMap::new();
        for (name, leak) in leaking.into_iter().filter(|(name, _)| !still.contains(name)) {
            fresh.entry((name.0, leak.since)).or_default().push(leak);
        }
        let fresh: Vec<Vec<&Leak>> = fresh.into_values().collect();
        let worded = side_by_side::all(&fresh, found.leaks.len(), &|leaks| opened(leaks, names, now));
        for worded in worded {
            let (alert, told) = worded?;
            written.extend(alert);
            next.open.extend(told);
        }
        let news = self.send(&mut next, written);
        if next != self.kept {
            write(&self.path, &next)?;
            self.kept = next;
        }
        Ok(news)
    }

    /// Puts alerts among those that wait for whoever takes them.
    fn send(&self, kept: &mut Kept, written: Vec<Written>) -> Vec<News> {
        let to: BTreeMap<Sink, u32> = self.sinks.iter().map(|sink| (*sink, 0)).collect();
        let sent = written.into_iter().map(|Written { key, text, news }| {
            if !to.is_empty() {
                kept.pending.push(Alert { id: news.id.clone(), key, event: text, to: to.clone() });
            }
            news
        });
        sent.collect()
    }

    /// How many resources leak, and how much a day together.
    pub(super) fn open(&self) -> (usize, Exact) {
        let per_day = self.kept.open.iter().filter_map(|told| Exact::parse(&told.per_day));
        let per_day: Vec<Exact> = per_day.collect();
        (self.kept.open.len(), per_day.iter().sum())
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

    /// A sink took these alerts, or never will.
    pub(super) fn done(&mut self, sink: Sink, alerts: &[Alert]) -> anyhow::Result<()> {
        let done: BTreeSet<&str> = alerts.iter().map(|alert| alert.id.as_str()).collect();
        for alert in self.kept.pending.iter_mut().filter(|alert| done.contains(alert.id.as_str())) {
            alert.to.remove(&sink);
        }
        self.kept.pending.retain(|alert| !alert.to.is_empty());
        write(&self.path, &self.kept)
    }
}

fn key(leak: &Leak) -> (Guid, &str) {
    (leak.subscription, leak.resource.as_str())
}

/// The alert about leaks of one subscription that began at one time, and what is remembered of each.
fn opened(leaks: &[&Leak], names: &Names, now: Instant) -> anyhow::Result<(Option<Written>, Vec<Told>)> {
    let lost: Vec<Costed<'_>> = leaks.iter().map(|leak| Costed::new(leak)).collect();
    let alert = event::opened(&lost, names, now)?;
    Ok((alert, lost.iter().map(|one| told(one, names)).collect()))
}

fn told(Costed { leak, per_day }: &Costed<'_>, names: &Names) -> Told {
    Told {
        subscription: leak.subscription.to_string(),
        resource: leak.resource.to_string(),
        customer: names.of.get(&leak.customer).cloned().unwrap_or_else(|| leak.customer.to_string()),
        since: crate::cli::period::instant(leak.since),
        per_day: per_day.to_string(),
    }
}

fn write(path: &Path, kept: &Kept) -> anyhow::Result<()> {
    let beside = path.with_extension("json.new");
    let doing = || format!("cannot write {}", path.display());
    let file = std::fs::File::create(&beside).with_context(doing)?;
    // Everything that leaks may be tens of megabytes, which need not stand in memory once more.
    let mut buffered = BufWriter::with_capacity(1 << 18, &file);
    serde_json::to_writer(&mut buffered, kept).with_context(doing)?;
    buffered.flush().with_context(doing)?;
    drop(buffered);
    file.sync_data().with_context(doing)?;
    std::fs::rename(&beside, path).with_context(doing)
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
                "access ended: credit is lost from now on"
            );
        } else {
            tracing::info!(
                alert = self.id,
                subscription,
                customer = said.customer,
                resources = said.resources,
                since = said.since,
                because = said.why,
                "no longer losing credit"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::pec::LostCode;
    use domain::scope::Scope;
    use engine::burn::Burn;

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
            reason: LostCode::EarlyEnd,
            burn: Burn { credit: Exact::parse("7.7").unwrap(), days: 7 },
            events: Vec::new(),
            remedy: String::new(),
        }
    }

    fn ids(alerts: &[Alert]) -> Vec<&str> {
        alerts.iter().map(|alert| alert.id.as_str()).collect()
    }

    fn found(resources: &[&str]) -> Found {
        Found { leaks: resources.iter().map(|resource| leak(resource)).collect(), ends: BTreeMap::new() }
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
}
