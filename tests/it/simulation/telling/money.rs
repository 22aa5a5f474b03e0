//! What is told of money: price sheets, exchange rates, cover, Azure credit, orders, refunds.

use domain::entry::{
    AzureCreditGranted, Benefit, Billing, ChargeAction, ChargeKind, ChargeRecorded, CoverageRecorded, Event,
    ExchangeRates, PriceKind, PriceRow, PriceSheet, RefundGranted, SubscriptionChange, Term,
};
use domain::ids::{Currency, Market, MeterId};
use domain::period::Day;
use domain::scope::Scope;
use journal::wire::prices;
use rust_decimal::Decimal;

use super::partners::a_strangers_tax;
use super::{STRANGER, Teller, decimal, guid, instant};
use crate::oracle::world::{self, AzureCredit, Cover, DAY, DayNumber, Order, Refund, Sheet, Time, World};

fn day(number: DayNumber) -> Day {
    Day(i32::try_from(number).expect("a day of this century"))
}

fn rows(world: &World, sheet: &Sheet) -> Vec<PriceRow> {
    let month = (world.days.0, world.days.1);
    let mut rows = Vec::new();
    for price in &sheet.prices {
        for (number, (from, bands)) in price.bands.iter().enumerate() {
            let until = price.bands.get(number + 1).map_or(month.1, |(next, _)| *next);
            rows.extend(price_rows(price, PriceKind::Consumption, bands, (*from, until)));
        }
        rows.extend(price_rows(price, PriceKind::DevTest, &price.dev_test, month));
    }
    rows
}

/// The header of a sheet; in a telling that names no time, something about a stranger.
pub(super) fn header(world: &World, sheet: &Sheet, published: Option<Time>) -> Event {
    let Some(at) = published else { return a_strangers_tax() };
    let rows = rows(world, sheet);
    Event::PriceSheetPublished(PriceSheet {
        sheet: format!("sheet-{}", sheet.id).into(),
        market: Market::parse("DE").expect("two letters"),
        period: day(world.days.0).period(),
        published_at: instant(at),
        parts: 1,
        rows: u64::try_from(rows.len()).expect("few rows"),
        rows_digest: prices::rows_digest(&rows),
    })
}

/// Its rows, or all but the last.
pub(super) fn part(world: &World, sheet: &Sheet, whole: bool) -> Event {
    let mut rows = rows(world, sheet);
    if !whole {
        rows.pop();
    }
    Event::PriceSheetPart(prices::part(format!("sheet-{}", sheet.id).into(), 0, rows))
}

pub(super) fn rates(world: &World, rates: &world::Rates) -> Event {
    let rate = |(currency, usd): &(&str, String)| (Currency::parse(currency).expect("three letters"), decimal(usd));
    Event::ExchangeRatesPublished(ExchangeRates {
        period: day(world.days.0).period(),
        published_at: instant((world.days.0 - 3) * DAY),
        usd_per_unit: rates.iter().map(rate).collect(),
    })
}

pub(super) fn covered(world: &World, cover: &Cover, quantity: &str) -> Event {
    Event::CoverageRecorded(CoverageRecorded {
        customer: guid(world.customer_tenant),
        plan: guid(world.plans[cover.plan].id),
        subscription: guid(world.subscriptions[cover.subscription].id),
        resource: Some(Scope::parse(&cover.resource)),
        meter: MeterId::Guid(guid(cover.meter)),
        product: None,
        sku: None,
        unit: "1 Hour".into(),
        day: day(cover.day),
        quantity: decimal(quantity),
        benefit: if cover.by_reservation { Benefit::Reservation } else { Benefit::SavingsPlan },
        order: "in-advance".into(),
    })
}

pub(super) fn granted(world: &World, credit: &AzureCredit, amount: &str) -> Event {
    Event::AzureCreditGranted(AzureCreditGranted {
        grant: credit.name.as_str().into(),
        name: "made up".into(),
        bill_to: guid(world.partners[credit.bill_to].tenant),
        customer: guid(world.customer_tenant),
        plan: credit.plan.map(|plan| guid(world.plans[plan].id)),
        scope: credit.scope.as_deref().map(Scope::parse),
        amount: decimal(amount),
        from: day(credit.from),
        until: day(credit.until),
    })
}

fn charge(world: &World, order: &Order, action: ChargeAction, (price, quantity, at): (&str, i64, Time)) -> Event {
    Event::ChargeRecorded(ChargeRecorded {
        order: order.name.as_str().into(),
        action,
        kind: if order.reservation { ChargeKind::Reservation } else { ChargeKind::Marketplace },
        customer: guid(world.customer_tenant),
        plan: guid(world.plans[order.plan].id),
        product: "DZH318Z-9".into(),
        product_title: "made up".into(),
        sku: "0009".into(),
        sku_title: "made up".into(),
        unit_price: decimal(price),
        quantity: Decimal::from(quantity),
        term: Term::Year,
        billing: Billing::OneTime,
        at: instant(at),
    })
}

/// A purchase; in a telling that names no price, something about a stranger.
pub(super) fn bought(world: &World, order: &Order, price: Option<&str>) -> Event {
    let (subscription, at) = (guid(STRANGER), instant(order.at));
    let stranger = || Event::SubscriptionResumed(SubscriptionChange { subscription, at });
    price.map_or_else(stranger, |price| charge(world, order, ChargeAction::New, (price, order.quantity, order.at)))
}

pub(super) fn refunded(world: &World, refund: &Refund, amount: &str) -> Event {
    Event::RefundGranted(RefundGranted {
        refund: refund.name.as_str().into(),
        customer: guid(world.customer_tenant),
        plan: guid(world.plans[refund.plan].id),
        amount: decimal(amount),
        reason: "outage".into(),
        at: instant(refund.at),
    })
}

impl Teller<'_> {
    pub(super) fn prices(&mut self) {
        let world = self.world;
        for sheet in &world.sheets {
            self.say_all(&sheet.published, |at| header(world, sheet, *at));
            self.say_all(&sheet.whole, |whole| part(world, sheet, *whole));
        }
        self.say_all(&world.usd_per_unit, |usd| rates(world, usd));
    }

    pub(super) fn cover(&mut self) {
        let world = self.world;
        for cover in &world.cover {
            self.say_all(&cover.quantity, |quantity| covered(world, cover, quantity));
        }
    }

    pub(super) fn credits(&mut self) {
        let world = self.world;
        for credit in &world.credits {
            self.say_all(&credit.amount, |amount| granted(world, credit, amount));
        }
    }

    pub(super) fn orders(&mut self) {
        let world = self.world;
        for order in &world.orders {
            self.say_all(&order.price, |price| bought(world, order, price.as_deref()));
            if let Some((at, count)) = order.returned {
                // A return repeats the price only for the reader.
                self.say(charge(world, order, ChargeAction::CancelImmediate, ("1", count, at)));
            }
        }
    }

    pub(super) fn refunds(&mut self) {
        let world = self.world;
        for refund in &world.refunds {
            self.say_all(&refund.amount, |amount| refunded(world, refund, amount));
        }
    }
}

/// The rows of one meter and kind, a row for each band.
fn price_rows(
    price: &world::Price,
    kind: PriceKind,
    bands: &world::Bands,
    (from, until): (DayNumber, DayNumber),
) -> Vec<PriceRow> {
    let title = if price.spot { "Virtual Machines Dv3 Spot" } else { "Virtual Machines" };
    let row = |(number, (above, unit_price)): (usize, &(String, String))| PriceRow {
        product: price.product.as_str().into(),
        product_title: title.into(),
        sku: price.sku.as_str().into(),
        sku_title: title.into(),
        meters: vec![MeterId::Guid(guid(price.meter))],
        kind,
        unit: "1 Hour".into(),
        currency: Currency::USD,
        unit_price: decimal(unit_price),
        above: decimal(above),
        up_to: bands.get(number + 1).map(|(next, _)| decimal(next)),
        from: day(from),
        until: day(until),
        tags: if price.third_party { vec!["ThirdParty".into()] } else { Vec::new() },
    };
    bands.iter().enumerate().map(row).collect()
}
