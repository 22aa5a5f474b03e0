//! The ledger: a journal that this process owns, and the running fold over it.
//!
//! One writer at a time appends; what became durable is folded in the same order. A long reader
//! holds only the fold, never the writer: while it reads, appended entries wait in a queue, so that
//! ingest goes on. Whoever reads next sees everything that was durable when it asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use domain::entry::{Entry, Event, Outcome, PolicyAdopted, PolicyDocument, Stream};
use domain::facts::Facts;
use domain::issued::effective_at;
use domain::period::{Day, Instant};
use domain::policy::Policy;
use domain::projection::Fold;
use journal::{
    Appended, BackupReport, Batch, Cut, DeliveryKey, Journal, Options, PartitionState, Reader, Status, VerifyReport,
};

use crate::clock::Clock;
use crate::decision::{self, Name};
use crate::fault::Fault;
use crate::leak::{self, Concern};
use crate::quarantine::Waiting;
use crate::view;

/// How many appended entries may wait for a reader before the writer waits for it too.
const PENDING_ENTRIES_MAX: usize = 500_000;

/// How many times its own entries an append folds at most: what a long reader left behind is caught up
/// with a little at a time, so that no single append takes long.
const CATCH_UP: usize = 4;

/// How long to wait before asking again whether a segment is sealed.
const SEALING: Duration = Duration::from_millis(50);

/// What one append did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    pub first_position: u64,
    pub next_position: u64,
    pub accepted: u64,
    pub duplicate: u64,
    pub conflicting: u64,
    pub quarantined: u64,
}

/// Entries that are durable and not folded yet, oldest first.
#[derive(Default)]
struct Pending {
    batches: VecDeque<(Vec<Entry>, u64)>,
    entries: usize,
}

pub struct Ledger {
    dir: PathBuf,
    clock: Clock,
    writer: Mutex<Journal>,
    reader: Reader,
    pending: Mutex<Pending>,
    fold: RwLock<Fold<Facts>>,
    counts: Mutex<Counts>,
    newest: Mutex<Newest>,
    quarantined: Mutex<Waiting>,
    closing: Mutex<()>,
    /// Hears of every accepted event that may change access, once somebody listens.
    access_watcher: OnceLock<Sender<Concern>>,
    observer: OnceLock<Observer>,
}

/// Hears of every batch that became durable: for metrics.
type Observer = Box<dyn Fn(&Appended) + Send + Sync>;

/// The newest effective time of each stream.
type Newest = BTreeMap<Stream, Instant>;

/// Entries by stream (none for what could not be read) and outcome.
type Counts = BTreeMap<(Option<Stream>, Outcome), u64>;

/// The facts, as long as somebody reads them. Whoever holds this must not ask the ledger for
/// anything that needs the writer (status, offsets, append), nor for the facts again: the writer
/// may be waiting for this very guard.
pub struct FactsGuard<'a> {
    ledger: &'a Ledger,
    /// Taken out by nobody but `drop`.
    fold: Option<RwLockReadGuard<'a, Fold<Facts>>>,
}

impl Deref for FactsGuard<'_> {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.fold().state()
    }
}

/// Whoever read for long folds what had to wait for that, so that the next append need not.
impl Drop for FactsGuard<'_> {
    fn drop(&mut self) {
        drop(self.fold.take());
        let Ok(waiting @ 1..) = self.ledger.waiting() else { return };
        if let Ok(mut fold) = self.ledger.fold.try_write()
            && let Err(fault) = self.ledger.take_pending(&mut fold, waiting)
        {
            tracing::warn!("entries wait to be folded, and will be again: {fault}");
        }
    }
}

impl FactsGuard<'_> {
    /// The first position that these facts do not know.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.fold().next()
    }

    #[must_use]
    pub fn fold(&self) -> &Fold<Facts> {
        self.fold.as_ref().expect("only dropping takes it out")
    }
}

impl Ledger {
    /// Opens the journal and folds all of it. A new journal begins with the built-in policy, so
    /// that a later build replays it to the old answers. `progress` hears positions done and due.
    pub fn open(
        dir: &Path,
        options: &Options,
        clock: Clock,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, Fault> {
        let journal = Journal::open(dir, options, clock.now()?)?;
        let reader = journal.reader();
        let (mut counts, mut newest, mut quarantined) = (Counts::new(), Newest::new(), Waiting::default());
        let fold = view::replay_watching(&reader, None, progress, &mut |entry| {
            count(&mut counts, entry);
            note_newest(&mut newest, entry);
            quarantined.note(entry);
        })?;
        let ledger = Self {
            dir: dir.to_owned(),
            clock,
            writer: Mutex::new(journal),
            reader,
            pending: Mutex::default(),
            fold: RwLock::new(fold),
            counts: Mutex::new(counts),
            newest: Mutex::new(newest),
            quarantined: Mutex::new(quarantined),
            closing: Mutex::new(()),
            access_watcher: OnceLock::new(),
            observer: OnceLock::new(),
        };
        if ledger.end() == 0 {
            ledger.adopt_policy()?;
        }
        Ok(ledger)
    }

    pub(crate) fn adopt_policy(&self) -> Result<(), Fault> {
        let builtin = Policy::builtin();
        let document =
            PolicyDocument { revision: builtin.revision, effective_from: Day(0), settings: builtin.settings() };
        let adopted = PolicyAdopted { document, decision: None };
        let name = Name::new(format!("policy-adopted/{}", builtin.revision));
        self.decide(&[(name, Event::PolicyAdopted(adopted))])?;
        Ok(())
    }

    /// Makes a batch durable, then takes it into the facts.
    pub fn append(&self, mut batch: Batch) -> Result<Recorded, Fault> {
        batch.prepare();
        let now = self.clock.now()?;
        let mut writer = self.writer()?;
        let appended = writer.append(batch, now)?;
        if let Some(observer) = self.observer.get() {
            observer(&appended);
        }
        let mut recorded = Recorded {
            first_position: appended.first_position,
            next_position: appended.next_position,
            ..Recorded::default()
        };
        let (mut counts, mut newest) = (lock(&self.counts, "counts")?, lock(&self.newest, "watermarks")?);
        let mut quarantined = lock(&self.quarantined, "quarantine")?;
        for entry in &appended.entries {
            count(&mut counts, entry);
            note_newest(&mut newest, entry);
            quarantined.note(entry);
            match entry.outcome {
                Outcome::Accepted => recorded.accepted += 1,
                Outcome::Duplicate => recorded.duplicate += 1,
                Outcome::Conflicting => recorded.conflicting += 1,
                Outcome::Quarantined => recorded.quarantined += 1,
            }
        }
        drop((counts, newest, quarantined));
        let changed = self.access_changes(&appended.entries);
        // One at least: a message without entries moves the end all the same.
        let own = appended.entries.len().max(1);
        // Still under the writer's lock: the queue must have the order of the journal.
        let waiting = {
            let mut pending = lock(&self.pending, "queue of entries")?;
            pending.entries += appended.entries.len();
            pending.batches.push_back((appended.entries, appended.next_position));
            pending.entries
        };
        // Told only now: whoever looks at the facts after hearing of it finds it there.
        if let Some(watcher) = self.access_watcher.get() {
            // Nobody listens any more while the process stops.
            for concern in changed {
                let _ = watcher.send(concern);
            }
        }
        if waiting > PENDING_ENTRIES_MAX {
            let mut fold = self.fold.write().map_err(|_| Fault::Broken("facts"))?;
            self.take_pending(&mut fold, own * CATCH_UP)?;
        } else if let Ok(mut fold) = self.fold.try_write() {
            self.take_pending(&mut fold, own * CATCH_UP)?;
        }
        Ok(recorded)
    }

    /// From now on, hears what each accepted event may change about access. One listener at most: a
    /// second one hears nothing.
    pub fn watch_access(&self) -> Receiver<Concern> {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let _ = self.access_watcher.set(sender);
        receiver
    }

    /// What entries may change about access; nothing, where nobody listens.
    fn access_changes(&self, entries: &[Entry]) -> BTreeSet<Concern> {
        if self.access_watcher.get().is_none() {
            return BTreeSet::new();
        }
        let counts = |entry: &&Entry| matches!(entry.outcome, Outcome::Accepted | Outcome::Conflicting);
        entries.iter().filter(counts).filter_map(|entry| leak::concern(&entry.fact.event)).collect()
    }

    /// What was quarantined so far.
    pub(crate) fn with_waiting<T>(&self, ask: impl FnOnce(&Waiting) -> T) -> Result<T, Fault> {
        Ok(ask(&*lock(&self.quarantined, "quarantine")?))
    }

    /// Appends what was decided here, each under a name that makes saying it twice a duplicate.
    pub fn decide(&self, decisions: &[(Name, Event)]) -> Result<Recorded, Fault> {
        self.append(decision::batch(decisions)?)
    }

    /// Folds batches that wait, oldest first, until `enough` entries are folded or none wait.
    fn take_pending(&self, fold: &mut Fold<Facts>, enough: usize) -> Result<(), Fault> {
        let mut folded = 0;
        while folded < enough {
            let next = {
                let mut pending = lock(&self.pending, "queue of entries")?;
                let next = pending.batches.pop_front();
                pending.entries -= next.as_ref().map_or(0, |(entries, _)| entries.len());
                next
            };
            let Some((entries, next_position)) = next else { break };
            fold.apply_all(&entries);
            folded += entries.len();
            fold.skip_to(next_position);
            journal::spent(entries);
        }
        if fold.state().usage.lacks_sent() {
            let before = std::mem::take(fold);
            *fold = view::again_if_sent_is_lacking(before, &self.reader, &mut |_, _| {})?;
        }
        Ok(())
    }

    /// The facts as of now: everything that was durable when this was called.
    pub fn facts(&self) -> Result<FactsGuard<'_>, Fault> {
        let waiting = self.waiting()?;
        if waiting > 0 {
            let mut fold = self.fold.write().map_err(|_| Fault::Broken("facts"))?;
            self.take_pending(&mut fold, waiting)?;
        }
        let fold = Some(self.fold.read().map_err(|_| Fault::Broken("facts"))?);
        Ok(FactsGuard { ledger: self, fold })
    }

    /// From now on somebody hears of every batch that became durable, while it is held: be quick. The
    /// first who asks is the one.
    pub fn observe(&self, observer: impl Fn(&Appended) + Send + Sync + 'static) {
        if self.observer.set(Box::new(observer)).is_err() {
            tracing::warn!("batches are observed already; nobody else can");
        }
    }

    /// How many entries are durable and not folded yet.
    pub fn waiting(&self) -> Result<usize, Fault> {
        Ok(lock(&self.pending, "queue of entries")?.entries)
    }

    /// How many entries of which stream had which outcome.
    pub fn counts(&self) -> Result<Vec<(Option<Stream>, Outcome, u64)>, Fault> {
        let counts = lock(&self.counts, "counts")?;
        Ok(counts.iter().map(|((stream, outcome), count)| (*stream, *outcome, *count)).collect())
    }

    /// The newest time at which anything of a stream was true, as told so far.
    pub fn newest(&self) -> Result<Vec<(Stream, Instant)>, Fault> {
        let newest = lock(&self.newest, "watermarks")?;
        Ok(newest.iter().map(|(stream, at)| (*stream, *at)).collect())
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The next position.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.reader.end()
    }

    pub fn status(&self) -> Result<Status, Fault> {
        Ok(self.writer()?.status())
    }

    pub fn offsets(&self) -> Result<Vec<PartitionState>, Fault> {
        Ok(self.writer()?.offsets())
    }

    pub fn delivery_key(&self) -> Result<DeliveryKey, Fault> {
        Ok(self.writer()?.delivery_key())
    }

    pub fn cluster_id(&self) -> Result<Option<String>, Fault> {
        Ok(self.writer()?.cluster_id().map(str::to_owned))
    }

    /// Remembers the Kafka cluster, durably.
    pub fn set_cluster_id(&self, id: &str) -> Result<(), Fault> {
        let mut writer = self.writer()?;
        writer.set_cluster_id(id);
        writer.append(Batch::new(), self.clock.now()?)?;
        Ok(())
    }

    /// Held by whoever decides on issued documents, from plan to append.
    pub(crate) fn closing(&self) -> Result<MutexGuard<'_, ()>, Fault> {
        lock(&self.closing, "right to close")
    }

    /// Verifies everything that is durable now. Appending goes on: the journal is held for the moments
    /// in which the identities of a frame are looked up, and for no longer.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport, Fault> {
        let held = |_| journal::Fault::Poisoned { reason: "a thread that held it panicked".to_owned() };
        let mut remembers = |facts: &journal::Remembered| self.writer.lock().map_err(held)?.remembers(facts);
        Ok(self.cut()?.verify(&mut remembers, progress)?)
    }

    /// Backs up everything that is durable now, while appending goes on.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<BackupReport, Fault> {
        Ok(self.cut()?.backup(to, progress)?)
    }

    /// Everything that is durable now. Waits for a full segment to be sealed without keeping others
    /// from appending.
    pub fn cut(&self) -> Result<Cut, Fault> {
        loop {
            if let Some(cut) = self.writer()?.cut(false)? {
                return Ok(cut);
            }
            std::thread::sleep(SEALING);
        }
    }

    /// The journal itself, for what only its owner may do. Nothing is appended meanwhile.
    pub fn writer(&self) -> Result<MutexGuard<'_, Journal>, Fault> {
        lock(&self.writer, "journal")
    }

    /// Closes the journal. Dropping the ledger instead is safe; the next open has more to check.
    pub fn close(self) -> Result<(), Fault> {
        let journal = self.writer.into_inner().map_err(|_| Fault::Broken("journal"))?;
        Ok(journal.close()?)
    }
}

fn count(counts: &mut Counts, entry: &Entry) {
    *counts.entry((entry.fact.event.stream(), entry.outcome)).or_insert(0) += 1;
}

fn note_newest(newest: &mut Newest, entry: &Entry) {
    if let (Some(stream), Some(at)) = (entry.fact.event.stream(), effective_at(&entry.fact.event)) {
        let known = newest.entry(stream).or_insert(at);
        *known = at.max(*known);
    }
}

fn lock<'a, T>(mutex: &'a Mutex<T>, what: &'static str) -> Result<MutexGuard<'a, T>, Fault> {
    mutex.lock().map_err(|_| Fault::Broken(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::Origin;
    use journal::wire::Message;

    /// Appends one message that nobody can read: one entry. Says how many wait to be folded then.
    fn append(ledger: &Ledger) -> usize {
        let (key, headers, value) = (None, Vec::new(), Some(b"no event".to_vec()));
        let message = Message { stream: Stream::Usage, key, headers, value };
        let mut batch = Batch::new();
        batch.push(Origin::Here, &message.borrow(&message.header_refs()));
        ledger.append(batch).unwrap();
        ledger.waiting().unwrap()
    }

    /// Whoever reads through [`FactsGuard`] folds what had to wait, unless somebody else holds the facts at
    /// that moment; what is left then is folded by the next appends, each a little more than its own.
    #[test]
    fn an_append_catches_up_with_a_little_of_what_waits_and_not_with_all_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { create: true, ..Options::default() };
        let ledger = Ledger::open(dir.path(), &options, Clock::start(), &mut |_, _| {}).unwrap();
        let somebody_reads = ledger.fold.read().unwrap();
        assert_eq!((1..=10).map(|_| append(&ledger)).last(), Some(10));
        drop(somebody_reads);
        assert_eq!([(); 4].map(|()| append(&ledger)), [7, 4, 1, 0], "each folds four of one entry");
        assert_eq!(ledger.facts().unwrap().end(), ledger.end());
    }
}
