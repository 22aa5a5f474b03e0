//! Words about partners: programme membership, and the right to credit.

use anyhow::{Context as _, bail};
use domain::entry::{Dated, Event, MembershipChange, PartnerRegistered, PartnerStanding};
use domain::ids::Currency;

use crate::scenario::reading::Line;
use crate::scenario::stage::{Actor, CAST, partner_id, registration};

pub(super) const WORDS: &[&str] = &["join", "lapse", "bar", "reinstate", "renumber", "bill-in"];

impl Line<'_> {
    pub(super) fn partner(&self) -> anyhow::Result<Event> {
        if self.what == "renumber" {
            return Ok(Event::PartnerRegistered(self.renumbered()?));
        }
        if self.what == "bill-in" {
            let currency = self.column(1, "a currency")?;
            let currency = Currency::parse(currency).with_context(|| format!("`{currency}` is no currency"))?;
            return Ok(Event::PartnerRegistered(registration(self.actor()?, currency, self.at)));
        }
        let partner = self.names.known(self.column(0, "a partner")?)?;
        let membership = MembershipChange { partner, at: self.at };
        let standing = PartnerStanding { partner, reason: "the scenario says so".into(), at: self.at };
        Ok(match self.what {
            "join" => Event::MembershipStarted(membership),
            "lapse" => Event::MembershipEnded(membership),
            "bar" => Event::PartnerBarred(standing),
            "reinstate" => Event::PartnerReinstated(standing),
            other => bail!("`{other}` is no word about partners"),
        })
    }

    fn actor(&self) -> anyhow::Result<&'static Actor> {
        let name = self.column(0, "a partner")?;
        let actor = CAST.iter().find(|actor| actor.name == name);
        actor.with_context(|| format!("`{name}` is not in the cast: us, shop, other"))
    }

    /// The partner's statement anew: until now its PartnerID of the stage, from now on another one.
    fn renumbered(&self) -> anyhow::Result<PartnerRegistered> {
        let (name, actor) = (self.column(0, "a partner")?, self.actor()?);
        let (old, new) = (partner_id(name)?, partner_id(self.column(1, "its new PartnerID")?)?);
        let partner_ids = vec![
            Dated { value: old, since: None, until: Some(self.at) },
            Dated { value: new, since: Some(self.at), until: None },
        ];
        Ok(PartnerRegistered { partner_ids, ..registration(actor, Currency::USD, self.at) })
    }
}
