//! Words about money beside usage, and about the lives of plans and subscriptions.

use anyhow::{Context as _, bail};
use domain::entry::{
    AzureCreditGranted, Benefit, Billing, ChargeAction, ChargeKind, ChargeRecorded, CoverageRecorded, Event, Move,
    PlanChange, RefundGranted, SubscriptionChange, TaxSet, Term,
};
use domain::ids::{Guid, Market};
use domain::period::Day;
use rust_decimal::Decimal;

use crate::scenario::reading::Line;
use crate::scenario::stage::{decimal, guid};

pub(super) const WORDS: &[&str] = &[
    "suspend",
    "resume",
    "cancel",
    "transition",
    "request-transfer",
    "withdraw-transfer",
    "covers",
    "buy",
    "renew",
    "return",
    "move-order",
    "credit",
    "refund",
    "tax",
];

impl Line<'_> {
    pub(super) fn money(&self) -> anyhow::Result<Event> {
        Ok(match self.what {
            "suspend" | "resume" | "cancel" => self.life()?,
            "transition" => Event::SubscriptionTransitioned(self.moved()?),
            "request-transfer" => Event::TransferRequested(self.moved()?),
            "withdraw-transfer" => Event::TransferCancelled(self.moved()?),
            "covers" => Event::CoverageRecorded(self.coverage()?),
            "buy" => self.charge(ChargeAction::New)?,
            "renew" => self.charge(ChargeAction::Renew)?,
            "return" => self.charge(ChargeAction::CancelImmediate)?,
            "move-order" => self.charge(ChargeAction::MoveQuantity)?,
            "credit" => Event::AzureCreditGranted(self.credit()?),
            "refund" => Event::RefundGranted(RefundGranted {
                refund: self.column(0, "a name")?.into(),
                customer: self.of_named("customer", "acme")?,
                plan: self.of_named("plan", "plan")?,
                amount: self.decimal(1)?,
                reason: self.named_or("reason", "Goodwill").into(),
                at: self.at,
            }),
            "tax" => Event::TaxSet(TaxSet {
                partner: self.names.known(self.column(0, "a partner")?)?,
                location: Market::parse("DK").expect("two letters"),
                rate: self.decimal(1)?,
                from: Day::of(self.at),
            }),
            other => bail!("`{other}` is no word about money"),
        })
    }

    fn named_or<'t>(&'t self, name: &str, otherwise: &'t str) -> &'t str {
        self.named.get(name).copied().unwrap_or(otherwise)
    }

    /// A partner, customer or plan in a column `name=`, or the one of the stage.
    fn of_named(&self, name: &str, otherwise: &str) -> anyhow::Result<Guid> {
        self.names.known(self.named_or(name, otherwise))
    }

    /// Plans have names that begin with `plan`.
    fn life(&self) -> anyhow::Result<Event> {
        let name = self.column(0, "a plan or subscription")?;
        self.names.known(name)?;
        let plan = PlanChange { plan: guid(name), at: self.at };
        let subscription = SubscriptionChange { subscription: guid(name), at: self.at };
        Ok(match (self.what, name.starts_with("plan")) {
            ("suspend", true) => Event::PlanSuspended(plan),
            ("resume", true) => Event::PlanReactivated(plan),
            ("cancel", true) => Event::PlanCancelled(plan),
            ("suspend", false) => Event::SubscriptionSuspended(subscription),
            ("resume", false) => Event::SubscriptionResumed(subscription),
            _ => Event::SubscriptionCancelled(domain::entry::SubscriptionCancelled {
                subscription: guid(name),
                at: self.at,
            }),
        })
    }

    fn moved(&self) -> anyhow::Result<Move> {
        let (subscription, to_plan) =
            (self.names.known(self.column(0, "a subscription")?)?, self.names.known(self.column(1, "a plan")?)?);
        Ok(Move { subscription, to_plan, at: self.at })
    }

    fn coverage(&self) -> anyhow::Result<CoverageRecorded> {
        let name = self.column(0, "a resource")?;
        let benefit = match self.column(3, "reservation or savings-plan")? {
            "reservation" => Benefit::Reservation,
            "savings-plan" => Benefit::SavingsPlan,
            other => bail!("`{other}` covers nothing"),
        };
        Ok(CoverageRecorded {
            customer: self.of_named("customer", "acme")?,
            plan: self.of_named("plan", "plan")?,
            subscription: guid(name.split('/').next().unwrap_or_default()),
            resource: Some(self.names.place(name)?),
            meter: self.names.meter(self.column(1, "a meter")?)?,
            product: None,
            sku: None,
            unit: "1 Hour".into(),
            day: Day::of(self.at),
            quantity: self.decimal(2)?,
            benefit,
            order: self.named_or("order", "order").into(),
        })
    }

    /// `buy ro-1 reservation 1200 quantity=2 term=P1Y monthly`; the others need the order's name only.
    fn charge(&self, action: ChargeAction) -> anyhow::Result<Event> {
        let kind = match self.rest.get(1).copied().unwrap_or("reservation") {
            "reservation" => ChargeKind::Reservation,
            "savings-plan" => ChargeKind::SavingsPlan,
            "marketplace" => ChargeKind::Marketplace,
            "third-party" => ChargeKind::ThirdParty,
            other => bail!("nobody sells `{other}`"),
        };
        let term = match self.named_or("term", "none") {
            "none" => Term::None,
            "P1M" => Term::Month,
            "P1Y" => Term::Year,
            "P3Y" => Term::ThreeYears,
            other => bail!("`{other}` is no term"),
        };
        let unit_price = if self.rest.len() > 2 { self.decimal(2)? } else { Decimal::ZERO };
        Ok(Event::ChargeRecorded(ChargeRecorded {
            order: self.column(0, "an order")?.into(),
            action,
            kind,
            customer: self.of_named("customer", "acme")?,
            plan: self.of_named("plan", "plan")?,
            product: "DZH318Z-ORDER".into(),
            product_title: "An order".into(),
            sku: "0001".into(),
            sku_title: "".into(),
            unit_price,
            quantity: decimal(self.named_or("quantity", "1"))?,
            term,
            billing: if self.rest.contains(&"monthly") { Billing::Monthly } else { Billing::OneTime },
            at: self.at,
        }))
    }

    fn credit(&self) -> anyhow::Result<AzureCreditGranted> {
        let until = self.named_or("until", "2030-01-01");
        Ok(AzureCreditGranted {
            grant: self.column(0, "a name")?.into(),
            name: "Azure credit offer".into(),
            bill_to: self.of_named("partner", "us")?,
            customer: self.of_named("customer", "acme")?,
            plan: self.named.get("plan").map(|plan| self.names.known(plan)).transpose()?,
            scope: self.named.get("scope").map(|name| self.names.place(name)).transpose()?,
            amount: self.decimal(1)?,
            from: Day::of(self.at),
            until: Day::parse(until).with_context(|| format!("`until={until}` is no day"))?,
        })
    }
}
