//! Charges beside metered usage: what covers usage, what was bought, credit, refunds and tax.
//!
//! The book files what was told; [`Orders`] plays purchases, returns and moves in order of time and
//! says which amounts fall into a month. Nothing here rounds: amounts are exact and in USD. Coverage
//! is a quantity without money, and is drawn by `rating` together with the usage it covers.

mod cycle;
mod orders;

use rust_decimal::Decimal;

pub use cycle::cycle_start;
pub use orders::{Booked, GivenBack, Orders, booked};

use crate::entry::{AzureCreditGranted, Benefit, ChargeRecorded, CoverageRecorded, RefundGranted, TaxSet};
use crate::filing::{Filing, Said};
use crate::ids::{Digest, Guid, Identity};
use crate::money::Quantity;
use crate::period::Day;
use crate::scope::Scope;
use crate::usage::Item;

/// Coverage as rating reads it: the same names that usage is kept under.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    pub customer: Guid,
    pub plan: Guid,
    pub subscription: Guid,
    pub scope: Scope,
    pub item: Item,
    pub day: Day,
    pub quantity: Quantity,
    pub benefit: Benefit,
    pub order: Box<str>,
}

impl From<&CoverageRecorded> for Coverage {
    fn from(told: &CoverageRecorded) -> Self {
        let item = Item {
            meter: told.meter.clone(),
            product: told.product.clone(),
            sku: told.sku.clone(),
            unit: told.unit.clone(),
        };
        Self {
            customer: told.customer,
            plan: told.plan,
            subscription: told.subscription,
            scope: told.resource.clone().unwrap_or_else(|| Scope::subscription_of(told.subscription)),
            item,
            day: told.day,
            quantity: Quantity::from(told.quantity),
            benefit: told.benefit,
            order: told.order.clone(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChargeBook {
    coverage: Filing<Coverage>,
    charges: Filing<ChargeRecorded>,
    credits: Filing<AzureCreditGranted>,
    refunds: Filing<RefundGranted>,
    taxes: Filing<TaxSet>,
}

/// A tax rate that holds since a day.
#[derive(Clone, Debug, PartialEq)]
pub struct TaxInForce {
    pub rate: Decimal,
    pub from: Day,
    /// What set it.
    pub event: Identity,
    /// The events that set different rates from that one day, all of them; empty where they agree.
    pub rivals: Vec<Identity>,
}

impl ChargeBook {
    pub fn file_coverage(&mut self, identity: Identity, digest: Digest, body: &CoverageRecorded) {
        self.coverage.file(identity, digest, Coverage::from(body));
    }

    pub fn file_charge(&mut self, identity: Identity, digest: Digest, body: ChargeRecorded) {
        self.charges.file(identity, digest, body);
    }

    pub fn file_credit(&mut self, identity: Identity, digest: Digest, body: AzureCreditGranted) {
        self.credits.file(identity, digest, body);
    }

    pub fn file_refund(&mut self, identity: Identity, digest: Digest, body: RefundGranted) {
        self.refunds.file(identity, digest, body);
    }

    pub fn file_tax(&mut self, identity: Identity, digest: Digest, body: TaxSet) {
        self.taxes.file(identity, digest, body);
    }

    pub fn hear(&mut self, said: Said<'_>) {
        self.coverage.hear(said);
        self.charges.hear(said);
        self.credits.hear(said);
        self.refunds.hear(said);
        self.taxes.hear(said);
    }

    pub fn coverage(&self) -> impl Iterator<Item = (Identity, &Coverage)> {
        self.coverage.iter()
    }

    pub fn charges(&self) -> impl Iterator<Item = (Identity, &ChargeRecorded)> {
        self.charges.iter()
    }

    pub fn refunds(&self) -> impl Iterator<Item = (Identity, &RefundGranted)> {
        self.refunds.iter()
    }

    pub fn credits(&self) -> impl Iterator<Item = (Identity, &AzureCreditGranted)> {
        self.credits.iter()
    }

    /// The credits that a partner's plans draw on, in the order in which they are drawn: the one that
    /// ends first comes first, then the older one, then by its id.
    #[must_use]
    pub fn credits_of(&self, bill_to: Guid) -> Vec<&AzureCreditGranted> {
        let mut credits: Vec<_> =
            self.credits.iter().map(|(_, credit)| credit).filter(|credit| credit.bill_to == bill_to).collect();
        credits.sort_by_key(|credit| (credit.until, credit.from, &credit.grant));
        credits
    }

    /// INV-12: the tax rate in force for a partner on a day: the newest set by then, ties by identity.
    #[must_use]
    pub fn tax_at(&self, partner: Guid, day: Day) -> Option<TaxInForce> {
        let set = || self.taxes.iter().filter(move |(_, tax)| tax.partner == partner && tax.from <= day);
        let (event, newest) = set().max_by_key(|(identity, tax)| (tax.from, *identity))?;
        let of_that_day = set().filter(|(_, tax)| tax.from == newest.from);
        let mut told: Vec<(Identity, Decimal)> = of_that_day.map(|(identity, tax)| (identity, tax.rate)).collect();
        if told.iter().all(|(_, rate)| *rate == newest.rate) {
            told.clear();
        }
        let rivals = told.into_iter().map(|(identity, _)| identity).collect();
        Some(TaxInForce { rate: newest.rate, from: newest.from, event, rivals })
    }
}

#[cfg(test)]
mod tests;
