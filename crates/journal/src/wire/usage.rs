//! Usage: what a meter counted, and its corrections.
//!
//! Three shapes of `data` are read as the same fact: our own (names of Microsoft's daily rated
//! usage in camelCase), the Partner Center utilization record, and one daily rated usage object.
//! The interval lies within one UTC day; splitting a longer one would not be exact, so it is
//! refused. Microsoft's shapes may lack a zone; ours may not.

use domain::entry::{Usage, UsageAdjusted, UsageVoided};
use domain::ids::Guid;
use domain::period::{Day, Instant};
use domain::scope::Scope;

use super::content;
use super::envelope::Received;
use super::form::{ArmScope, Codec, Fields, Id, Maybe, MaybeBlank, Meter, Name, Quantity, SignedQuantity, Time, Words};
use super::form::{guid, parsed, required, wrong_type};
use super::json::Value;
use super::rejection::{self, Problem};
use super::sink::Sink;
use super::time;

/// Reads `data` in whichever of the three shapes it has.
pub(crate) fn recorded(received: &Received<'_>) -> Result<Usage, Problem> {
    let data = received.data_object()?;
    let found = Found::in_object(data)?;
    if found.utilized.is_some_and(Value::is_object) {
        utilization(data, received)
    } else if found.usage_date.is_some() && found.start.is_none() {
        daily_rated(data)
    } else {
        found.usage()
    }
    .map(|usage| Usage { sent: received.sent(), ..usage })
}

/// Whether an object with no envelope around it is usage in one of Microsoft's shapes.
pub(crate) fn is_bare(value: Value<'_>) -> bool {
    let has = |name| value.get(name).is_some();
    (has("usageStartTime") && has("quantity")) || (has("usageDate") && has("meterId"))
}

fn field<T, C: Codec<T>>(object: Value<'_>, name: &str) -> Result<T, Problem> {
    named::<T, C>(name, object.get(name))
}

/// The fields of our own shape, found in one pass: this is the road that nearly every event takes.
#[derive(Default)]
struct Found<'d> {
    customer: Option<Value<'d>>,
    plan: Option<Value<'d>>,
    subscription: Option<Value<'d>>,
    resource: Option<Value<'d>>,
    group: Option<Value<'d>>,
    meter: Option<Value<'d>>,
    product: Option<Value<'d>>,
    sku: Option<Value<'d>>,
    start: Option<Value<'d>>,
    end: Option<Value<'d>>,
    quantity: Option<Value<'d>>,
    unit: Option<Value<'d>>,
    /// Only Microsoft's shapes have these two.
    usage_date: Option<Value<'d>>,
    utilized: Option<Value<'d>>,
}

impl<'d> Found<'d> {
    fn in_object(data: Value<'d>) -> Result<Self, Problem> {
        let mut found = Self::default();
        for value in data.children() {
            let key = value.key();
            match key.plain() {
                Some(name) => found.put(name, value),
                None => found.put(&key.read()?, value),
            }
        }
        Ok(found)
    }

    fn put(&mut self, name: &str, value: Value<'d>) {
        let slot = match name {
            "customerId" => &mut self.customer,
            "subscriptionId" => &mut self.plan,
            "entitlementId" => &mut self.subscription,
            "resourceUri" => &mut self.resource,
            "resourceGroup" => &mut self.group,
            "meterId" => &mut self.meter,
            "productId" => &mut self.product,
            "skuId" => &mut self.sku,
            "usageStartTime" => &mut self.start,
            "usageEndTime" => &mut self.end,
            "quantity" => &mut self.quantity,
            "unit" => &mut self.unit,
            "usageDate" => &mut self.usage_date,
            "resource" => &mut self.utilized,
            _ => return,
        };
        *slot = Some(value);
    }

    fn usage(&self) -> Result<Usage, Problem> {
        let start: Instant = named::<_, Time>("usageStartTime", self.start)?;
        let end: Instant = named::<_, Time>("usageEndTime", self.end)?;
        let resource: Option<Scope> = named::<_, MaybeBlank<ArmScope>>("resourceUri", self.resource)?;
        Ok(Usage {
            customer: named::<_, Id>("customerId", self.customer)?,
            plan: named::<_, MaybeBlank<Id>>("subscriptionId", self.plan)?,
            subscription: subscription(self.subscription, resource.as_ref())?,
            resource_group: group(self.group, resource.as_ref())?,
            resource,
            meter: named::<_, Meter>("meterId", self.meter)?,
            product: named::<_, MaybeBlank<Name>>("productId", self.product)?,
            sku: named::<_, MaybeBlank<Name>>("skuId", self.sku)?,
            start,
            end: within_day(start, end).map_err(|problem| problem.within("usageEndTime"))?,
            quantity: named::<_, Quantity>("quantity", self.quantity)?,
            unit: named::<_, Name>("unit", self.unit)?,
            sent: None,
        })
    }
}

fn named<T, C: Codec<T>>(name: &str, value: Option<Value<'_>>) -> Result<T, Problem> {
    C::read(value).map_err(|problem| problem.within(name))
}

impl Fields for Usage {
    fn read_fields(data: Value<'_>) -> Result<Self, Problem> {
        Found::in_object(data)?.usage()
    }

    fn write_fields(&self, out: &mut impl Sink) {
        out.field("customerId");
        Id::write(&self.customer, out);
        out.field("subscriptionId");
        Maybe::<Id>::write(&self.plan, out);
        out.field("entitlementId");
        Id::write(&self.subscription, out);
        out.field("resourceUri");
        Maybe::<ArmScope>::write(&self.resource, out);
        out.field("resourceGroup");
        Maybe::<Name>::write(&self.resource_group, out);
        out.field("meterId");
        Meter::write(&self.meter, out);
        out.field("productId");
        Maybe::<Name>::write(&self.product, out);
        out.field("skuId");
        Maybe::<Name>::write(&self.sku, out);
        out.field("usageStartTime");
        Time::write(&self.start, out);
        out.field("usageEndTime");
        Time::write(&self.end, out);
        out.field("quantity");
        Quantity::write(&self.quantity, out);
        out.field("unit");
        Name::write(&self.unit, out);
    }
}

/// The Azure subscription: stated, or the one that the resource lies in.
fn subscription(stated: Option<Value<'_>>, resource: Option<&Scope>) -> Result<Guid, Problem> {
    let stated: Option<Guid> = named::<_, MaybeBlank<Id>>("entitlementId", stated)?;
    stated.or_else(|| resource.and_then(Scope::subscription)).ok_or_else(|| {
        Problem::missing("the Azure subscription's GUID, here or as part of `resourceUri`").within("entitlementId")
    })
}

/// The group matters, and is compared, only where no resource is named: the resource's own path
/// says the rest.
fn group(stated: Option<Value<'_>>, resource: Option<&Scope>) -> Result<Option<Box<str>>, Problem> {
    let stated: Option<Box<str>> = named::<_, MaybeBlank<Name>>("resourceGroup", stated)?;
    Ok(stated.filter(|_| resource.is_none()).map(|group| group.to_lowercase().into()))
}

/// A Partner Center utilization record. It knows neither customer nor plan: the customer comes from
/// `customerId` beside it, the `partitionkey` extension, or the message key.
fn utilization(data: Value<'_>, received: &Received<'_>) -> Result<Usage, Problem> {
    let object = |name: &str| -> Result<Value<'_>, Problem> {
        let value = required(data.get(name), "an object").map_err(|problem| problem.within(name))?;
        if value.is_object() { Ok(value) } else { Err(wrong_type(value, "an object").within(name)) }
    };
    let meter = object("resource")?;
    let instance = object("instanceData")?;
    let start: Instant = field::<_, MicrosoftTime>(data, "usageStartTime")?;
    let end: Instant = field::<_, MicrosoftTime>(data, "usageEndTime")?;
    let resource: Option<Scope> =
        field::<_, MaybeBlank<ArmScope>>(instance, "resourceUri").map_err(|problem| problem.within("instanceData"))?;
    let stated: Option<Guid> = field::<_, MaybeBlank<Id>>(data, "customerId")?;
    let customer = stated.or_else(|| received.customer()).ok_or_else(|| {
        Problem::missing("the customer's tenant, here, as `partitionkey` or as message key").within("customerId")
    })?;
    Ok(Usage {
        customer,
        plan: field::<_, MaybeBlank<Id>>(data, "subscriptionId")?,
        subscription: subscription(data.get("entitlementId"), resource.as_ref())?,
        resource_group: None,
        resource,
        meter: field::<_, Meter>(meter, "id").map_err(|problem| problem.within("resource"))?,
        product: field::<_, MaybeBlank<Name>>(data, "productId")?,
        sku: field::<_, MaybeBlank<Name>>(data, "skuId")?,
        start,
        end: within_day(start, end).map_err(|problem| problem.within("usageEndTime"))?,
        quantity: field::<_, Quantity>(data, "quantity")?,
        unit: field::<_, Name>(data, "unit")?,
        sent: None,
    })
}

/// One daily rated usage object: the whole of its day.
fn daily_rated(data: Value<'_>) -> Result<Usage, Problem> {
    let resource: Option<Scope> = match field::<_, MaybeBlank<ArmScope>>(data, "resourceUri")? {
        Some(scope) => Some(scope),
        None => field::<_, MaybeBlank<ArmScope>>(data, "resourceURI")?,
    };
    let day = Day::of(field::<_, MicrosoftTime>(data, "usageDate")?);
    let unit: Option<Box<str>> = field::<_, MaybeBlank<Name>>(data, "unitOfMeasure")?;
    Ok(Usage {
        customer: field::<_, Organisation>(data, "customerId")?,
        plan: field::<_, MaybeBlank<Id>>(data, "subscriptionId")?,
        subscription: subscription(data.get("entitlementId"), resource.as_ref())?,
        resource_group: group(data.get("resourceGroup"), resource.as_ref())?,
        resource,
        meter: field::<_, Meter>(data, "meterId")?,
        product: field::<_, MaybeBlank<Name>>(data, "productId")?,
        sku: field::<_, MaybeBlank<Name>>(data, "skuId")?,
        start: day.start(),
        end: day.next().start(),
        quantity: field::<_, Quantity>(data, "quantity")?,
        unit: match unit {
            Some(unit) => unit,
            None => field::<_, Name>(data, "unit")?,
        },
        sent: None,
    })
}

/// A time as Microsoft's files write it; without a zone it is UTC.
struct MicrosoftTime;

impl Codec<Instant> for MicrosoftTime {
    fn read(value: Option<Value<'_>>) -> Result<Instant, Problem> {
        parsed(value, "a time such as 2026-01-31T22:00:00Z", time::lenient)
    }

    fn write(value: &Instant, out: &mut impl Sink) {
        out.instant(*value);
    }
}

/// A customer's tenant, now and then written `org:GUID`.
struct Organisation;

impl Codec<Guid> for Organisation {
    fn read(value: Option<Value<'_>>) -> Result<Guid, Problem> {
        parsed(value, "the customer's tenant GUID", |text| guid(text.strip_prefix("org:").unwrap_or(text)))
    }

    fn write(value: &Guid, out: &mut impl Sink) {
        out.guid(*value);
    }
}

/// Gives the exclusive end. The last second of a day is how some exports write the next midnight.
fn within_day(start: Instant, end: Instant) -> Result<Instant, Problem> {
    const LAST_SECOND: i64 = 86_399;
    let end = if end.timestamp().rem_euclid(86_400) == LAST_SECOND { Day::of(end).next().start() } else { end };
    if end <= start {
        return Err(Problem::new(rejection::EMPTY_INTERVAL, "is not later than `usageStartTime`"));
    }
    if end > Day::of(start).next().start() {
        let detail = "lies on another UTC day than `usageStartTime`; send one event per day (or hour), because a split would not be exact";
        return Err(Problem::new(rejection::CROSSES_MIDNIGHT, detail));
    }
    Ok(end)
}

/// A signed change; its target is the usage event with this source and `causationid` as its id.
pub(crate) fn adjusted(received: &Received<'_>) -> Result<UsageAdjusted, Problem> {
    let data = received.data_object()?;
    Ok(UsageAdjusted {
        target: content::target(received)?,
        quantity: field::<_, SignedQuantity>(data, "quantity")?,
        reason: field::<_, Maybe<Words>>(data, "reason")?,
    })
}

/// A cancellation needs no data at all.
pub(crate) fn voided(received: &Received<'_>) -> Result<UsageVoided, Problem> {
    let reason = match received.data() {
        None => None,
        Some(_) => field::<_, Maybe<Words>>(received.data_object()?, "reason")?,
    };
    Ok(UsageVoided { target: content::target(received)?, reason })
}

/// The target is part of the content through `causationid`; here the rest.
pub(crate) fn write_adjusted(adjusted: &UsageAdjusted, out: &mut impl Sink) {
    out.begin_object();
    out.field("quantity");
    SignedQuantity::write(&adjusted.quantity, out);
    out.field("reason");
    Maybe::<Words>::write(&adjusted.reason, out);
    out.end_object();
}

pub(crate) fn write_voided(voided: &UsageVoided, out: &mut impl Sink) {
    out.begin_object();
    out.field("reason");
    Maybe::<Words>::write(&voided.reason, out);
    out.end_object();
}
