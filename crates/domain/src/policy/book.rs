//! The policy documents that were told, and which of them is in force on a day.

use std::collections::BTreeSet;

use super::{Policy, TransferUsage};
use crate::entry::PolicyDocument;
use crate::filing::{Filing, Said};
use crate::ids::{Digest, Identity};
use crate::period::{Day, Instant, Period};

/// Every policy document we were told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyBook {
    documents: Filing<PolicyDocument>,
    /// Some document, whichever is in force when, places usage by the time it was sent.
    reported: bool,
}

impl PolicyBook {
    pub fn file(&mut self, identity: Identity, digest: Digest, document: PolicyDocument) {
        self.reported |= Policy::read(&document).is_ok_and(|read| read.transfer_usage == TransferUsage::Reported);
        self.documents.file(identity, digest, document);
    }

    /// Whether the time of sending may matter on any day.
    #[must_use]
    pub fn needs_sent(&self) -> bool {
        self.reported
    }

    /// USE-1: the time of sending, where the policy of the usage's day places usage by it.
    #[must_use]
    pub fn reported(&self, start: Instant, sent: Option<Instant>) -> Option<Instant> {
        let by_sending = self.reported && self.at(Day::of(start)).transfer_usage == TransferUsage::Reported;
        sent.filter(|_| by_sending)
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.documents.hear(said);
    }

    /// Whether any document, in force on whatever day, says something.
    #[must_use]
    pub fn any(&self, says: impl Fn(&Policy) -> bool) -> bool {
        self.documents.iter().filter_map(|(_, document)| Policy::read(document).ok()).any(|policy| says(&policy))
    }

    /// The policy in force on a day: of the documents effective by then the highest revision, ties
    /// by identity. Unreadable documents never get this far: the decoder refuses them.
    #[must_use]
    pub fn at(&self, day: Day) -> Policy {
        let newest = self.document_at(day);
        newest.and_then(|(_, document)| Policy::read(document).ok()).unwrap_or_else(Policy::builtin)
    }

    /// The document that [`Self::at`] reads; `None` before the first one.
    #[must_use]
    pub fn document_at(&self, day: Day) -> Option<(Identity, &PolicyDocument)> {
        let effective = self.documents.iter().filter(|(_, document)| document.effective_from <= day);
        effective.max_by_key(|(identity, document)| (document.revision, *identity))
    }

    /// The revisions in force on the days of a line, in order; on the first day of its month where it has none.
    #[must_use]
    pub fn revisions(&self, month: Period, days: impl Iterator<Item = Day>) -> Vec<u32> {
        let on = |day| self.document_at(day).map_or(Policy::builtin().revision, |(_, document)| document.revision);
        let mut revisions: BTreeSet<u32> = days.map(on).collect();
        if revisions.is_empty() {
            revisions.insert(on(month.first_day()));
        }
        revisions.into_iter().collect()
    }

    /// Revisions in force in a month that several documents claim for different things, with these documents.
    #[must_use]
    pub fn rivals(&self, month: Period) -> Vec<(u32, Vec<Identity>)> {
        let revisions = self.revisions(month, month.days()).into_iter();
        let claimed = revisions.map(|revision| {
            let same = self.documents.iter().filter(|(_, document)| {
                document.revision == revision && document.effective_from < month.next().first_day()
            });
            let (events, said): (Vec<Identity>, Vec<_>) =
                same.map(|(event, one)| (event, Policy::read(one).ok())).unzip();
            (revision, events, said.windows(2).all(|pair| pair[0] == pair[1]))
        });
        claimed.filter(|(.., agree)| !agree).map(|(revision, events, _)| (revision, events)).collect()
    }

    /// The highest revision that is known, in force or not yet; that of the built-in policy where there
    /// is no document.
    #[must_use]
    pub fn highest_revision(&self) -> u32 {
        let revisions = self.documents.iter().map(|(_, document)| document.revision);
        revisions.max().unwrap_or_else(|| Policy::builtin().revision)
    }

    /// Every document, in order of revision.
    #[must_use]
    pub fn documents(&self) -> Vec<(Identity, &PolicyDocument)> {
        let mut documents: Vec<_> = self.documents.iter().collect();
        documents.sort_by_key(|(identity, document)| (document.revision, *identity));
        documents
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::PolicySetting;

    fn book(from: Day, name: &str, value: &str) -> PolicyBook {
        let mut book = PolicyBook::default();
        let settings = vec![PolicySetting { name: name.into(), value: value.into() }];
        book.file(Identity(1), Digest::default(), PolicyDocument { revision: 1, effective_from: from, settings });
        book
    }

    /// USE-1: the time of sending matters from the day on which a document says so; without such a
    /// document nobody needs to keep it.
    #[test]
    fn the_time_of_sending_matters_where_a_document_says_so() {
        let sent = Some(Day(30).start());
        let on = |book: &PolicyBook, day: i32| book.reported(Day(day).start(), sent);
        let by_sending = book(Day(20), "transfer-usage", "reported");
        assert!(by_sending.needs_sent());
        assert_eq!([19, 20].map(|day| on(&by_sending, day)), [None, sent]);
        assert_eq!(by_sending.reported(Day(20).start(), None), None, "nobody says when it was sent");
        let as_consumed = book(Day(20), "transfer-usage", "consumed");
        assert!(!as_consumed.needs_sent());
        assert_eq!([19, 20].map(|day| on(&as_consumed, day)), [None, None]);
    }

    /// A choice that some document makes, in force or not yet, is one that must be reckoned with; one that
    /// none makes is not.
    #[test]
    fn what_any_document_says_is_asked_of_all_of_them() {
        let later = book(Day(90_000), "nested-groups", "ignore");
        assert!(later.any(|policy| !policy.nested_groups));
        assert!(!later.any(|policy| !policy.inherited_grants));
        assert!(!PolicyBook::default().any(|_| true), "no document says anything");
    }
}
