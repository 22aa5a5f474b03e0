//! Small numbers for the few thousand places and meters that millions of events name.
//!
//! The tables are hashed for speed and only ever looked up, never walked: everything that leaves
//! the usage book is put in order by its content, so the numbers given here leave no trace.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::series::Slices;
use crate::entry::Usage;
use crate::ids::{Guid, MeterId};
use crate::period::Instant;
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

/// What one place used of one item.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    pub(super) place: u32,
    pub(super) item: u32,
    /// When it was sent, where that is kept; a word in each of many series, and rarely there.
    pub(super) sent: Option<Box<Instant>>,
    /// The number of its last change, among all changes of all series.
    pub(super) changed: u64,
    pub(super) slices: Slices,
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

    /// The number of the value that `same` recognises among those with this hash.
    pub(super) fn find(&self, hash: u64, same: impl Fn(&T) -> bool) -> Option<u32> {
        self.index.find(hash, |number| same(&self.values[*number as usize])).copied()
    }

    /// The first value with this hash, which may not be the one that is meant.
    pub(super) fn first(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |number| self.hashes[*number as usize] == hash).copied()
    }

    /// Gives a new value its number.
    pub(super) fn add(&mut self, hash: u64, value: T) -> u32 {
        let number = u32::try_from(self.values.len()).expect("four thousand million places do not fit in memory");
        self.values.push(value);
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.index.insert_unique(hash, number, |number| hashes[*number as usize]);
        number
    }
}

/// The scope that an event names: its resource, else the group or the subscription.
pub(super) fn scope_of(usage: &Usage) -> Cow<'_, Scope> {
    match (&usage.resource, &usage.resource_group) {
        (Some(resource), _) => Cow::Borrowed(resource),
        (None, group) => {
            let subscription = Scope::subscription_of(usage.subscription);
            Cow::Owned(match group {
                Some(group) => Scope::parse(&format!("{subscription}/resourceGroups/{group}")),
                None => subscription,
            })
        }
    }
}

impl Place {
    /// Whether an event that names this scope names this place.
    pub(super) fn is_of(&self, usage: &Usage, scope: &Scope) -> bool {
        (self.subscription, self.customer, self.claimed_plan) == (usage.subscription, usage.customer, usage.plan)
            && self.scope == *scope
    }
}

impl Item {
    pub(super) fn is_of(&self, usage: &Usage) -> bool {
        (&self.meter, &self.product, &self.sku, &self.unit) == (&usage.meter, &usage.product, &usage.sku, &usage.unit)
    }
}

impl Interned<Series> {
    /// One question for place and item together: nearly every event belongs to a series that is known,
    /// and each table that is asked besides is likely to lie far from the processor.
    pub(super) fn hash_of(&self, usage: &Usage, scope: &Scope, sent: Option<Instant>) -> u64 {
        let place = (usage.subscription, scope, usage.customer, usage.plan);
        self.hash((place, &usage.meter, &usage.product, &usage.sku, &usage.unit, sent))
    }
}

impl Interned<Place> {
    /// The place that an event with this scope names.
    pub(super) fn place(&mut self, usage: &Usage, scope: &Scope) -> u32 {
        let hash = self.hash((usage.subscription, scope, usage.customer, usage.plan));
        self.find(hash, |place| place.is_of(usage, scope)).unwrap_or_else(|| {
            let place = Place {
                subscription: usage.subscription,
                scope: scope.clone(),
                customer: usage.customer,
                claimed_plan: usage.plan,
            };
            self.add(hash, place)
        })
    }
}

impl Interned<Item> {
    /// The item that an event names.
    pub(super) fn item(&mut self, usage: &Usage) -> u32 {
        let hash = self.hash((&usage.meter, &usage.product, &usage.sku, &usage.unit));
        self.find(hash, |item| item.is_of(usage)).unwrap_or_else(|| {
            let item = Item {
                meter: usage.meter.clone(),
                product: usage.product.clone(),
                sku: usage.sku.clone(),
                unit: usage.unit.clone(),
            };
            self.add(hash, item)
        })
    }
}
