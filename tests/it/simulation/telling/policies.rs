//! Tells the policy documents, and the taxes that are set.

use domain::entry::{Event, PolicyDocument, PolicySetting, TaxSet};
use domain::ids::Market;
use domain::period::Day;

use super::{Teller, decimal, guid};
use crate::oracle::world::DayNumber;

fn day(number: DayNumber) -> Day {
    Day(i32::try_from(number).expect("a day of this century"))
}

impl Teller<'_> {
    pub(super) fn policies(&mut self) {
        let world = self.world;
        for document in &world.policies {
            let setting =
                |(name, value): &(&str, String)| PolicySetting { name: (*name).into(), value: value.as_str().into() };
            let settings = document.settings.iter().map(setting).collect();
            let (revision, effective_from) = (document.revision, day(document.from));
            self.say(Event::PolicyPublished(PolicyDocument { revision, effective_from, settings }));
        }
        for tax in &world.taxes {
            let (partner, location) =
                (guid(world.partners[tax.partner].tenant), Market::parse("DE").expect("two letters"));
            let (rate, from) = (decimal(&tax.rate), day(tax.from));
            self.say(Event::TaxSet(TaxSet { partner, location, rate, from }));
        }
    }
}
