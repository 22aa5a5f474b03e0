//! Small numbers for the few thousand places and meters that millions of events name.
//!
//! The tables are hashed for speed and only ever looked up, never walked: everything that leaves
//! the usage book is put in order by its content, so the numbers given here leave no trace.

use std::hash::{BuildHasher as _, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::entry::Usage;
use crate::ids::{Guid, MeterId};
use crate::scope::Scope;

/// Where something was used, as the events say it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub subscription: Guid,
    /// The resource; the group or the subscription where the meter names no resource.
    pub scope: Scope,
    pub customer: Guid,
    /// The plan that the meter claims. Placement itself goes by the subscription.
    pub claimed_plan: Option<Guid>,
}

/// What was used, as the events say it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Item {
    pub meter: MeterId,
    pub product: Option<Box<str>>,
    pub sku: Option<Box<str>>,
    pub unit: Box<str>,
}

/// Values and their numbers.
#[derive(Clone, Debug)]
pub(super) struct Interned<T> {
    values: Vec<T>,
    hashes: Vec<u64>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { values: Vec::new(), hashes: Vec::new(), index: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<T> Interned<T> {
    pub(super) fn get(&self, number: u32) -> &T {
        &self.values[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.values[number as usize]
    }

    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    pub(super) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The number of the value that `same` recognises among those with this hash; made if new.
    pub(super) fn number(&mut self, hash: u64, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> u32 {
        let values = &self.values;
        if let Some(number) = self.index.find(hash, |number| same(&values[*number as usize])) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).expect("four thousand million places do not fit in memory");
        self.values.push(make());
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.index.insert_unique(hash, number, |number| hashes[*number as usize]);
        number
    }
}

impl Interned<Place> {
    /// The place that an event names.
    pub(super) fn place(&mut self, usage: &Usage) -> u32 {
        let built;
        let scope = match (&usage.resource, &usage.resource_group) {
            (Some(resource), _) => resource,
            (None, group) => {
                let subscription = Scope::subscription_of(usage.subscription);
                built = match group {
                    Some(group) => Scope::parse(&format!("{subscription}/resourceGroups/{group}")),
                    None => subscription,
                };
                &built
            }
        };
        let key = (usage.subscription, scope.as_str(), usage.customer, usage.plan);
        let same =
            |place: &Place| (place.subscription, place.scope.as_str(), place.customer, place.claimed_plan) == key;
        let make = || Place {
            subscription: usage.subscription,
            scope: scope.clone(),
            customer: usage.customer,
            claimed_plan: usage.plan,
        };
        self.number(self.hash(key), same, make)
    }
}

impl Interned<Item> {
    /// The item that an event names.
    pub(super) fn item(&mut self, usage: &Usage) -> u32 {
        let key = (&usage.meter, &usage.product, &usage.sku, &usage.unit);
        let same = |item: &Item| (&item.meter, &item.product, &item.sku, &item.unit) == key;
        let make = || Item {
            meter: usage.meter.clone(),
            product: usage.product.clone(),
            sku: usage.sku.clone(),
            unit: usage.unit.clone(),
        };
        self.number(self.hash(key), same, make)
    }
}
