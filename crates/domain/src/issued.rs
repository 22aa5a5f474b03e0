//! Issued documents: invoices and credit notes as they were issued, never recomputed.
//!
//! What was issued for a line is the sum over every document that ever named it, credit notes
//! included. A month counts as issued for a partner while an invoice of it stands that was not
//! voided. Lateness, the one property of an entry that depends on when we learnt of it, is decided
//! here; it costs nothing while nothing is issued.

mod concern;

use std::collections::{BTreeMap, BTreeSet};

pub use concern::{Concern, concern, effective_at, effective_period, placement};

use crate::commerce::Commerce;
use crate::entry::{Acceptance, Entry, InvoiceVoided, IssuedDocument, IssuedLine, LineKey};
use crate::filing::{Filing, Said};
use crate::ids::{Currency, Digest, Guid, Identity};
use crate::money::Exact;
use crate::period::{Day, Period};
use crate::policy::PolicyBook;

/// What an acceptance of unknown access is called.
pub const UNKNOWN_ACCESS: &str = "unknown-access";

#[derive(Clone, Debug, Default, PartialEq)]
pub struct IssuedBook {
    documents: Filing<IssuedDocument>,
    voided: Filing<InvoiceVoided>,
    acceptances: Filing<Acceptance>,
    /// For which partners an invoice of the month stands: what lateness looks at.
    months: BTreeMap<Period, BTreeSet<Guid>>,
}

/// Everything issued for one line key so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IssuedSum {
    pub quantity: Exact,
    pub by_day: BTreeMap<Day, Exact>,
    pub unit_price: Exact,
    pub effective_unit_price: Exact,
    pub exchange_rate: Exact,
    pub charge_without_credit: Exact,
    pub charge: Exact,
    pub subtotal_without_credit: Exact,
    pub subtotal: Exact,
    pub tax: Option<Exact>,
}

impl IssuedSum {
    /// Adds a line; prices and rate are those of the line added last.
    pub fn add(&mut self, line: &IssuedLine) {
        self.quantity += &Exact::from(line.quantity);
        for (day, quantity) in &line.by_day {
            *self.by_day.entry(*day).or_default() += &Exact::from(*quantity);
        }
        self.unit_price = Exact::from(line.unit_price);
        self.effective_unit_price = Exact::from(line.effective_unit_price);
        self.exchange_rate = Exact::from(line.exchange_rate);
        self.charge_without_credit += &Exact::from(line.charge_without_credit);
        self.charge += &Exact::from(line.charge);
        self.subtotal_without_credit += &Exact::from(line.subtotal_without_credit);
        self.subtotal += &Exact::from(line.subtotal);
        if let Some(tax) = line.tax {
            *self.tax.get_or_insert_default() += &Exact::from(tax);
        }
    }
}

/// What a month's tax is drawn on: its Subtotals, or the taxes of its lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taxable {
    pub subtotal: Exact,
    pub tax: Exact,
}

impl Taxable {
    pub fn add(&mut self, line: &IssuedLine) {
        self.subtotal += &Exact::from(line.subtotal);
        self.tax += &line.tax.map_or_else(Exact::zero, Exact::from);
    }
}

impl IssuedBook {
    pub fn file_document(&mut self, identity: Identity, digest: Digest, document: IssuedDocument) {
        self.documents.file(identity, digest, document);
        self.note_months();
    }

    pub fn file_voided(&mut self, identity: Identity, digest: Digest, voided: InvoiceVoided) {
        self.voided.file(identity, digest, voided);
        self.note_months();
    }

    pub fn file_acceptance(&mut self, identity: Identity, digest: Digest, acceptance: Acceptance) {
        self.acceptances.file(identity, digest, acceptance);
    }

    fn note_months(&mut self) {
        self.months.clear();
        let standing = self.documents.iter().map(|(_, document)| document);
        let standing: Vec<(Period, Guid)> = standing
            .filter(|document| document.amends.is_none() && !self.is_voided(&document.id))
            .map(|document| (document.period, document.bill_to))
            .collect();
        for (period, bill_to) in standing {
            self.months.entry(period).or_default().insert(bill_to);
        }
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.documents.hear(said);
        self.voided.hear(said);
        self.acceptances.hear(said);
        self.note_months();
    }

    /// Every document, in order of period, revision and id; a credit note after what it amends.
    #[must_use]
    pub fn documents(&self) -> Vec<&IssuedDocument> {
        let mut documents: Vec<_> = self.documents.iter().map(|(_, document)| document).collect();
        documents.sort_by_key(|one| (one.period, one.revision, one.amends.is_some(), &one.id));
        documents
    }

    #[must_use]
    pub fn document(&self, id: &str) -> Option<&IssuedDocument> {
        self.documents.iter().map(|(_, document)| document).find(|document| &*document.id == id)
    }

    #[must_use]
    pub fn is_voided(&self, id: &str) -> bool {
        self.voided.iter().any(|(_, voided)| &*voided.document == id)
    }

    /// The invoices of a partner's month that stand: several where its currency changed.
    #[must_use]
    pub fn standing(&self, bill_to: Guid, period: Period) -> Vec<&IssuedDocument> {
        let mut documents = self.documents();
        documents.retain(|document| {
            document.bill_to == bill_to
                && document.period == period
                && document.amends.is_none()
                && !self.is_voided(&document.id)
        });
        documents
    }

    /// Months of a partner for which an invoice stands.
    #[must_use]
    pub fn issued_periods(&self, bill_to: Guid) -> Vec<Period> {
        let months = self.months.iter().filter(|(_, partners)| partners.contains(&bill_to));
        months.map(|(period, _)| *period).collect()
    }

    /// Months of a partner that any document says something about, voided ones and credit notes included.
    #[must_use]
    pub fn documented_periods(&self, bill_to: Guid) -> BTreeSet<Period> {
        let documents = self.documents.iter().map(|(_, document)| document);
        let lines = documents.filter(|one| one.bill_to == bill_to).flat_map(|document| &document.lines);
        lines.map(|line| line.period).collect()
    }

    /// INV-8: whether an invoice of a partner's month was voided while others of it stand, and none stands in
    /// its currency since: the month is open again for what these do not bill.
    #[must_use]
    pub fn is_reopened(&self, bill_to: Guid, period: Period) -> bool {
        let standing = self.standing(bill_to, period);
        let of_month = |one: &&IssuedDocument| (one.bill_to, one.period) == (bill_to, period) && one.amends.is_none();
        let replaced = |one: &IssuedDocument| standing.iter().any(|stands| stands.currency == one.currency);
        !standing.is_empty() && self.documents.iter().map(|(_, one)| one).filter(of_month).any(|one| !replaced(one))
    }

    /// Whether closing a partner's month issues anything in a currency: no invoice of the month stands, or one
    /// was voided and none stands in this currency.
    #[must_use]
    pub fn is_open(&self, bill_to: Guid, period: Period, currency: Currency) -> bool {
        let standing = self.standing(bill_to, period);
        standing.iter().all(|document| document.currency != currency)
            && (standing.is_empty() || self.is_reopened(bill_to, period))
    }

    /// The currency of a partner's month of which lines stand, in a document of its own or of another month:
    /// what is adjusted in it stays in it.
    #[must_use]
    pub fn currency_of(&self, bill_to: Guid, period: Period) -> Option<Currency> {
        let mut documents = self.documents();
        documents.retain(|one| {
            one.bill_to == bill_to
                && one.amends.is_none()
                && !self.is_voided(&one.id)
                && one.lines.iter().any(|line| line.period == period)
        });
        let own = documents.iter().find(|document| document.period == period);
        own.or(documents.first()).map(|document| document.currency)
    }

    /// What was issued for each line of a partner's month so far, in all documents together.
    #[must_use]
    pub fn sums(&self, bill_to: Guid, currency: Currency, period: Period) -> BTreeMap<LineKey, IssuedSum> {
        let mut sums: BTreeMap<LineKey, IssuedSum> = BTreeMap::new();
        let documents = self.documents().into_iter();
        let documents = documents.filter(|one| (one.bill_to, one.currency) == (bill_to, currency));
        for line in documents.flat_map(|document| &document.lines).filter(|line| line.period == period) {
            sums.entry(line.key.clone()).or_default().add(line);
        }
        sums
    }

    /// Σ Subtotals and Σ totals of all documents of a partner in one currency.
    #[must_use]
    pub fn balance(&self, bill_to: Guid, currency: Currency) -> (Exact, Exact) {
        let (mut subtotals, mut totals) = (Exact::zero(), Exact::zero());
        let documents = self.documents.iter().map(|(_, document)| document);
        for document in documents.filter(|one| (one.bill_to, one.currency) == (bill_to, currency)) {
            totals += &Exact::from(document.total);
            for line in &document.lines {
                subtotals += &Exact::from(line.subtotal);
            }
        }
        (subtotals, totals)
    }

    /// What tax is due on by month, and Σ tax, of all documents of a partner in one currency.
    #[must_use]
    pub fn taxed(&self, bill_to: Guid, currency: Currency) -> (BTreeMap<Period, Taxable>, Exact) {
        let (mut months, mut taxes): (BTreeMap<Period, Taxable>, Exact) = Default::default();
        let documents = self.documents.iter().map(|(_, document)| document);
        for document in documents.filter(|one| (one.bill_to, one.currency) == (bill_to, currency)) {
            taxes += &document.tax.map_or_else(Exact::zero, Exact::from);
            document.lines.iter().for_each(|line| months.entry(line.period).or_default().add(line));
        }
        (months, taxes)
    }

    /// How many invoices a partner's month had in a currency, voided ones included.
    #[must_use]
    pub fn revisions(&self, bill_to: Guid, currency: Currency, period: Period) -> u32 {
        let documents = self.documents.iter().map(|(_, document)| document);
        let of_month = documents.filter(|one| (one.bill_to, one.currency, one.period) == (bill_to, currency, period));
        let newest = of_month.filter(|one| one.amends.is_none()).map(|one| one.revision).max();
        newest.unwrap_or(0)
    }

    /// Everything that people accepted, in order of time.
    #[must_use]
    pub fn acceptances(&self) -> Vec<&Acceptance> {
        let mut all: Vec<_> = self.acceptances.iter().collect();
        all.sort_by_key(|(identity, one)| (one.decision.at, *identity));
        all.into_iter().map(|(_, one)| one).collect()
    }

    /// INV-7: whether a person accepted that access on a day of a partner's month stays unknown. An
    /// acceptance that names days holds for these; one of an earlier build names none and holds for its month.
    #[must_use]
    pub fn accepts_unknown_access(&self, bill_to: Guid, day: Day) -> bool {
        self.acceptances.iter().any(|(_, one)| {
            &*one.what == UNKNOWN_ACCESS
                && one.bill_to.is_none_or(|accepted| accepted == bill_to)
                && one.period.is_none_or(|accepted| accepted == day.period())
                && one.about.as_deref().is_none_or(|days| days.split(' ').any(|named| Day::parse(named) == Some(day)))
        })
    }

    /// Definitions, *late*: the entry's effective day lies in a month already issued for a partner
    /// that it concerns. Constant while nothing is issued, or nothing of that month.
    #[must_use]
    pub fn is_late<'c>(&self, entry: &Entry, policy: &PolicyBook, commerce: impl FnOnce() -> &'c Commerce) -> bool {
        if self.months.is_empty() {
            return false;
        }
        let antecedent = entry.antecedent.as_deref().map(|antecedent| &antecedent.fact.event);
        let Some(period) = effective_period(&entry.fact.event, antecedent) else { return false };
        let Some(partners) = self.months.get(&period) else { return false };
        match concern(&entry.fact.event, antecedent, commerce(), policy) {
            Concern::Everybody => true,
            Concern::Partners(concerned) => !partners.is_disjoint(&concerned),
        }
    }
}

/// The lines of a document as bytes, for their digest: every field in a fixed order, each ended by
/// a byte that occurs in none, numbers without trailing zeros.
#[must_use]
pub fn canonical_lines(lines: &[IssuedLine]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        let key = &line.key;
        let number = |value: rust_decimal::Decimal| Exact::from(value).to_string();
        let mut fields = vec![
            key.customer.to_string(),
            key.plan.to_string(),
            key.reseller.as_deref().map_or_else(|| "-".to_owned(), |reseller| format!("={reseller}")),
            key.meter.to_string(),
            format!("{:?}", key.price_kind),
            key.product.to_string(),
            key.sku.to_string(),
            key.price_from.to_string(),
            key.tier.to_string(),
            format!("{:?}", key.portion),
            key.credit_rate.map_or_else(|| "-".to_owned(), number),
            line.period.to_string(),
            line.rule.to_string(),
        ];
        // Only where there is one, so that documents without charges keep their digest.
        if let Some(charge) = &key.charge {
            fields.push(format!("charge {}", charge.charge_type.text()));
            fields.push(charge.order.to_string());
            fields.push(charge.reason.as_deref().map_or_else(|| "-".to_owned(), |reason| format!("={reason}")));
        }
        fields.extend(line.days.iter().map(|day| format!("!{day}")));
        fields.extend(line.by_day.iter().map(|(day, quantity)| format!("{day}={}", number(*quantity))));
        let amounts = [
            line.quantity,
            line.unit_price,
            line.effective_unit_price,
            line.charge_without_credit,
            line.charge,
            line.subtotal_without_credit,
            line.subtotal,
            line.exchange_rate,
        ];
        fields.extend(amounts.map(number));
        fields.extend(line.tax.map(|tax| format!("tax {}", number(tax))));
        fields.extend(line.policy_revisions.iter().flatten().map(|revision| format!("policy {revision}")));
        for field in fields {
            bytes.extend_from_slice(field.as_bytes());
            bytes.push(0xff);
        }
        bytes.push(0xfe);
    }
    bytes
}
