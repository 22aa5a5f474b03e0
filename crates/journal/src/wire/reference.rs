//! Reference: partners, prices, exchange rates and policy, which concern every customer.
//!
//! A price sheet comes as a header and parts; it is in force only when all of them are known. A
//! row's band is `(above, upTo]` and its days `[from, until)`, so that nothing lies between rows.

use domain::entry::{
    Dated, ExchangeRates, MembershipChange, PartnerKind, PartnerRegistered, PartnerStanding, PolicyDocument,
    PolicySetting, PriceKind, PriceRow, PriceSheet, PriceSheetPart, TaxSet,
};
use domain::ids::Currency;
use rust_decimal::Decimal;

use super::form::{
    Blake3, Codec, Country, Fields, Id, List, Maybe, Meter, Money, Month, Name, NotNegative, Object, Reason, Some1,
    Time, UtcDay, Whole, Words, form, words,
};
use super::json::Value;
use super::rejection::{self, Problem};
use super::sink::Sink;

form! { PartnerRegistered {
    tenant: "tenantId" as Id,
    name: "name" as Name,
    organisation: "organisationId" as Name,
    kind: "kind" as PartnerKindWord,
    country: "country" as Country,
    billing_currency: "billingCurrency" as Money,
    partner_ids: "partnerIds" as List<DatedAs<Name>>,
    admin_agents: "adminAgents" as List<DatedAs<Id>>,
    helpdesk_agents: "helpdeskAgents" as List<DatedAs<Id>>,
    managing_tenants: "managingTenants" as List<DatedAs<Id>>,
    identities: "identities" as List<DatedAs<Id>>,
    at: "effectiveAt" as Time,
} }

words! { PartnerKindWord: PartnerKind {
    "direct-bill" = PartnerKind::DirectBill,
    "provider" = PartnerKind::Provider,
    "reseller" = PartnerKind::Reseller,
    "other" = PartnerKind::Other,
} }

/// `{"value": …, "since": …, "until": …}`; the times may be left out.
pub(crate) struct DatedAs<C>(std::marker::PhantomData<C>);

impl<T, C: Codec<T>> Codec<Dated<T>> for DatedAs<C> {
    fn read(value: Option<Value<'_>>) -> Result<Dated<T>, Problem> {
        let object = super::form::required(value, "an object")?;
        if !object.is_object() {
            return Err(super::form::wrong_type(object, "an object with `value`, and `since` or `until` if needed"));
        }
        Ok(Dated {
            value: C::read(object.get("value")).map_err(|problem| problem.within("value"))?,
            since: Maybe::<Time>::read(object.get("since")).map_err(|problem| problem.within("since"))?,
            until: Maybe::<Time>::read(object.get("until")).map_err(|problem| problem.within("until"))?,
        })
    }

    fn write(dated: &Dated<T>, out: &mut impl Sink) {
        out.begin_object();
        out.field("value");
        C::write(&dated.value, out);
        out.field("since");
        Maybe::<Time>::write(&dated.since, out);
        out.field("until");
        Maybe::<Time>::write(&dated.until, out);
        out.end_object();
    }
}

form! { MembershipChange {
    partner: "partnerTenantId" as Id,
    at: "effectiveAt" as Time,
} }

form! { PartnerStanding {
    partner: "partnerTenantId" as Id,
    reason: "reason" as Reason,
    at: "effectiveAt" as Time,
} }

form! { TaxSet {
    partner: "partnerTenantId" as Id,
    location: "location" as Country,
    rate: "rate" as NotNegative,
    from: "from" as UtcDay,
} }

form! { PriceSheet {
    sheet: "sheetId" as Name,
    market: "market" as Country,
    period: "month" as Month,
    published_at: "publishedAt" as Time,
    parts: "parts" as Whole,
    rows: "rows" as Whole,
    rows_digest: "rowsDigest" as Blake3,
} }

/// As the event states it; the digest of its rows is ours.
struct StatedPart {
    sheet: Box<str>,
    number: u32,
    rows: Vec<PriceRow>,
}

form! { StatedPart {
    sheet: "sheetId" as Name,
    number: "number" as Whole,
    rows: "rows" as Some1<Object>,
} }

impl Fields for PriceSheetPart {
    fn read_fields(object: Value<'_>) -> Result<Self, Problem> {
        let StatedPart { sheet, number, rows } = StatedPart::read_fields(object)?;
        Ok(super::prices::part(sheet, number, rows))
    }

    fn write_fields(&self, out: &mut impl Sink) {
        StatedPart { sheet: self.sheet.clone(), number: self.number, rows: self.rows.clone() }.write_fields(out);
    }
}

form! { PriceRow {
    product: "productId" as Name,
    product_title: "productTitle" as Words,
    sku: "skuId" as Name,
    sku_title: "skuTitle" as Words,
    meters: "meterIds" as Some1<Meter>,
    kind: "kind" as PriceKindWord,
    unit: "unit" as Name,
    currency: "currency" as Money,
    unit_price: "unitPrice" as NotNegative,
    above: "above" as NotNegative,
    up_to: "upTo" as Maybe<NotNegative>,
    from: "from" as UtcDay,
    until: "until" as UtcDay,
    tags: "tags" as List<Name>,
} }

words! { PriceKindWord: PriceKind {
    "consumption" = PriceKind::Consumption,
    "dev-test" = PriceKind::DevTest,
    "reservation" = PriceKind::Reservation,
    "savings-plan" = PriceKind::SavingsPlan,
} }

/// `{"AED": "0.27224589249009701", …}` would allow no order; rates are a list of pairs.
struct Rate;

impl Codec<(Currency, Decimal)> for Rate {
    fn read(value: Option<Value<'_>>) -> Result<(Currency, Decimal), Problem> {
        let object = super::form::required(value, "an object")?;
        if !object.is_object() {
            return Err(super::form::wrong_type(object, "an object with `currency` and `usdPerUnit`"));
        }
        let currency = Money::read(object.get("currency")).map_err(|problem| problem.within("currency"))?;
        let rate: Decimal =
            NotNegative::read(object.get("usdPerUnit")).map_err(|problem| problem.within("usdPerUnit"))?;
        if rate.is_zero() {
            let problem = Problem::new(rejection::FIELD_VALUE, "is 0; expected USD for one unit of the currency");
            return Err(problem.within("usdPerUnit"));
        }
        Ok((currency, rate))
    }

    fn write((currency, rate): &(Currency, Decimal), out: &mut impl Sink) {
        out.begin_object();
        out.field("currency");
        Money::write(currency, out);
        out.field("usdPerUnit");
        NotNegative::write(rate, out);
        out.end_object();
    }
}

form! { ExchangeRates {
    period: "month" as Month,
    published_at: "publishedAt" as Time,
    usd_per_unit: "rates" as Some1<Rate>,
} }

/// A document with a field or value that no rule reads is refused: taken as it is, it would mean the
/// default without a word.
impl Fields for PolicyDocument {
    fn read_fields(object: Value<'_>) -> Result<Self, Problem> {
        let document = Self {
            revision: Whole::read(object.get("revision")).map_err(|problem| problem.within("revision"))?,
            effective_from: UtcDay::read(object.get("effectiveFrom"))
                .map_err(|problem| problem.within("effectiveFrom"))?,
            settings: List::<Object>::read(object.get("settings")).map_err(|problem| problem.within("settings"))?,
        };
        match domain::policy::problems(&document) {
            wrong if wrong.is_empty() => Ok(document),
            wrong => Err(Problem::new(rejection::FIELD_VALUE, wrong.join("; ")).within("settings")),
        }
    }

    fn write_fields(&self, out: &mut impl Sink) {
        out.field("revision");
        Whole::write(&self.revision, out);
        out.field("effectiveFrom");
        UtcDay::write(&self.effective_from, out);
        out.field("settings");
        List::<Object>::write(&self.settings, out);
    }
}

form! { PolicySetting {
    name: "name" as Name,
    value: "value" as Words,
} }
