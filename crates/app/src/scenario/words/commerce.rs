//! Words about commerce: customers, plans, subscriptions, transfers, resellers of record.

use anyhow::{Context as _, bail};
use domain::entry::{
    CustomerRegistered, Event, Offer, PlanCreated, ResellerOfRecordSet, SubscriptionCreated, TransferCompleted,
};
use domain::ids::Market;
use domain::period::Day;

use crate::scenario::reading::Line;
use crate::scenario::stage::{guid, subscription};

pub(super) const WORDS: &[&str] = &["customer", "plan", "subscription", "transfer", "reseller"];

impl Line<'_> {
    pub(super) fn commerce(&self) -> anyhow::Result<Event> {
        let at = self.at;
        Ok(match self.what {
            "customer" => {
                let name = self.column(0, "a customer")?;
                let market = self.column(1, "a market")?;
                let market = Market::parse(market).with_context(|| format!("`{market}` is no market such as DE"))?;
                let created = self
                    .named
                    .get("tenant")
                    .map(|day| Day::parse(day).with_context(|| format!("`tenant={day}` is no day")));
                let tenant_created = created.transpose()?.map(Day::start);
                let (customer, name) = (guid(name), name.into());
                Event::CustomerRegistered(CustomerRegistered { customer, name, market, tenant_created, at })
            }
            "plan" => {
                let name = self.column(0, "a plan")?;
                let bill_to = self.names.known(self.column(1, "the partner billed")?)?;
                let (plan, customer) = (guid(name), self.names.known(self.rest.get(2).unwrap_or(&"acme"))?);
                Event::PlanCreated(PlanCreated { plan, customer, bill_to, reseller: None, at })
            }
            "subscription" => {
                let name = self.column(0, "a subscription")?;
                let offer = self.offer()?;
                let created = subscription(name, self.known_column(1, "a plan")?, at);
                Event::SubscriptionCreated(SubscriptionCreated { offer, ..created })
            }
            "transfer" => Event::TransferCompleted(TransferCompleted {
                subscription: self.names.known(self.column(0, "a subscription")?)?,
                to_plan: self.names.known(self.column(1, "a plan")?)?,
                at,
            }),
            "reseller" => {
                let who = self.column(1, "a reseller or none")?;
                let reseller = if who == "none" { None } else { Some(self.partner_id_of(who)?) };
                let plan = self.names.known(self.column(0, "a plan")?)?;
                Event::ResellerOfRecordSet(ResellerOfRecordSet { plan, reseller, at })
            }
            other => bail!("`{other}` is no word about commerce"),
        })
    }

    fn known_column(&self, number: usize, what: &str) -> anyhow::Result<&str> {
        let name = self.column(number, what)?;
        self.names.known(name)?;
        Ok(name)
    }

    /// What a subscription was sold as: an Azure plan unless `offer=` says otherwise.
    fn offer(&self) -> anyhow::Result<Offer> {
        Ok(match self.named.get("offer").copied() {
            None => Offer::AzurePlan,
            Some("classic") => Offer::Legacy,
            Some("dev-test") => Offer::DevTest,
            Some(other) => bail!("`offer={other}`: there are offer=classic and offer=dev-test"),
        })
    }
}
