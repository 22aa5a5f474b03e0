//! The world behind the messages: who sells to whom, what runs where, and what it costs.

use domain::entry::{Offer, PartnerKind};
use domain::ids::{Currency, Guid, Market};
use domain::period::{Instant, Period};
use domain::scope::Scope;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub resellers: u32,
    pub customers: u32,
    pub resources: u32,
    /// Grants that come and go at resource groups over the month, as Azure's own records: one
    /// message each, a Started and a Succeeded record in it.
    pub access_changes: u32,
}

impl Size {
    /// The demo: small enough to read.
    pub const DEMO: Self = Self { resellers: 2, customers: 12, resources: 60, access_changes: 0 };
}

/// A partner tenant with what recognises its access.
#[derive(Clone, Debug)]
pub struct Partner {
    pub tenant: Guid,
    pub name: String,
    pub kind: PartnerKind,
    pub organisation: String,
    pub partner_id: String,
    pub admin_agents: Guid,
    pub helpdesk_agents: Guid,
    /// One engineer's account, for grants that need a Partner Admin Link.
    pub engineer: Guid,
}

#[derive(Clone, Debug)]
pub struct Customer {
    pub tenant: Guid,
    pub name: String,
    pub plan: Guid,
    /// Which reseller is of record; absent when sold direct.
    pub reseller: Option<usize>,
    pub subscriptions: Vec<Subscription>,
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: Guid,
    pub offer: Offer,
    /// Whose AdminAgents hold Owner from the creation on; absent when the customer took it away
    /// before the month began.
    pub aobo: Option<Aobo>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aobo {
    Provider,
    Reseller,
}

#[derive(Clone, Debug)]
pub struct Meter {
    pub id: Guid,
    pub product: String,
    pub product_title: String,
    pub sku: String,
    pub sku_title: String,
    pub unit: String,
    pub service: String,
    /// `(above, up to, price)` per tier.
    pub tiers: Vec<(u32, Option<u32>, &'static str)>,
    pub third_party: bool,
}

#[derive(Clone, Debug)]
pub struct Resource {
    pub customer: u32,
    pub subscription: u32,
    pub meter: u32,
    /// As an upstream spells it, in mixed case.
    pub uri: String,
}

/// A distributor with its channel for one month.
#[derive(Clone, Debug)]
pub struct World {
    pub seed: u64,
    pub period: Period,
    pub size: Size,
    pub currency: Currency,
    pub market: Market,
    pub provider: Partner,
    pub resellers: Vec<Partner>,
    pub customers: Vec<Customer>,
    pub meters: Vec<Meter>,
    pub resources: Vec<Resource>,
}

const CUSTOMER_NAMES: [&str; 12] = [
    "Fjord Fisk",
    "Alpen Optik",
    "Baltic Timber",
    "Lumen Hotels",
    "Orchard Foods",
    "Cobalt Robotics",
    "Harbour Clinic",
    "Saga Textiles",
    "Pine & Sons",
    "Quarry Glass",
    "Meridian Maps",
    "Tidal Power",
];
const RESELLER_NAMES: [&str; 2] = ["Alder IT", "Birch Cloud"];

impl World {
    /// Builds the world of a seed. Equal arguments, equal world.
    ///
    /// # Panics
    /// When a size is zero where something must exist (customers, resources).
    #[must_use]
    pub fn new(seed: u64, period: Period, size: Size) -> Self {
        assert!(size.customers > 0 && size.resources > 0, "a world needs a customer and a resource");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let provider = partner(&mut rng, "Nordwind Distribution", PartnerKind::Provider, 6_000_001);
        let resellers = (0..size.resellers)
            .map(|n| {
                let name = RESELLER_NAMES.get(n as usize).map_or_else(|| format!("Reseller {n}"), ToString::to_string);
                partner(&mut rng, &name, PartnerKind::Reseller, 7_000_001 + u64::from(n))
            })
            .collect();
        let meters = meters(&mut rng);
        let customers: Vec<Customer> = (0..size.customers).map(|n| customer(&mut rng, n, size.resellers)).collect();
        let resources = (0..size.resources).map(|n| resource(&mut rng, n, &customers, &meters)).collect();
        Self {
            seed,
            period,
            size,
            currency: Currency::parse("EUR").expect("three letters"),
            market: Market::parse("DE").expect("two letters"),
            provider,
            resellers,
            customers,
            meters,
            resources,
        }
    }

    /// When everything that stood before the month was set up: forty days before it begins.
    #[must_use]
    pub fn dawn(&self) -> Instant {
        self.period.first_day().start() - chrono::TimeDelta::days(40)
    }
}

/// A random version-4 GUID.
pub fn guid(rng: &mut ChaCha8Rng) -> Guid {
    let bits: u128 = rng.random();
    Guid(bits & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48))
}

fn partner(rng: &mut ChaCha8Rng, name: &str, kind: PartnerKind, partner_id: u64) -> Partner {
    Partner {
        tenant: guid(rng),
        name: name.to_owned(),
        kind,
        organisation: format!("org-{partner_id}"),
        partner_id: partner_id.to_string(),
        admin_agents: guid(rng),
        helpdesk_agents: guid(rng),
        engineer: guid(rng),
    }
}

fn customer(rng: &mut ChaCha8Rng, n: u32, resellers: u32) -> Customer {
    let name = CUSTOMER_NAMES.get(n as usize).map_or_else(|| format!("Customer {n:05}"), ToString::to_string);
    let reseller = (resellers > 0).then(|| (n % resellers) as usize);
    let subscriptions = (0..1 + n % 2)
        .map(|_| Subscription {
            id: guid(rng),
            offer: Offer::AzurePlan,
            aobo: Some(if n % 3 == 2 && reseller.is_some() { Aobo::Reseller } else { Aobo::Provider }),
        })
        .collect();
    Customer { tenant: guid(rng), name, plan: guid(rng), reseller, subscriptions }
}

fn meters(rng: &mut ChaCha8Rng) -> Vec<Meter> {
    let mut meter = |product: &str, title: &str, sku: &str, sku_title: &str, unit: &str, service: &str, tiers| Meter {
        id: guid(rng),
        product: product.to_owned(),
        product_title: title.to_owned(),
        sku: sku.to_owned(),
        sku_title: sku_title.to_owned(),
        unit: unit.to_owned(),
        service: service.to_owned(),
        tiers,
        third_party: service == "Microsoft.SaaS",
    };
    let flat = |price| vec![(0, None, price)];
    vec![
        meter(
            "DZH318Z0PD01",
            "Virtual Machines Dsv5 Series",
            "0001",
            "D4s v5",
            "1 Hour",
            "Microsoft.Compute",
            flat("0.23"),
        ),
        meter(
            "DZH318Z0PD01",
            "Virtual Machines Dsv5 Series",
            "0002",
            "D8s v5",
            "1 Hour",
            "Microsoft.Compute",
            flat("0.46"),
        ),
        meter("DZH318Z0PD02", "Tables", "0006", "Tables - LRS", "1 GB/Month", "Microsoft.Storage", flat("0.045")),
        meter(
            "DZH318Z0PD03",
            "Log Analytics",
            "003J",
            "Log Analytics - Pay-as-you-go - EU West",
            "1 GB",
            "Microsoft.OperationalInsights",
            vec![(0, Some(5), "0"), (5, None, "2.99")],
        ),
        meter(
            "DZH318Z0PD04",
            "SQL Database",
            "001J",
            "General Purpose - vCore",
            "1 Hour",
            "Microsoft.Sql",
            flat("0.26316"),
        ),
        meter(
            "DZH318Z0PD05",
            "Third Party Firewall",
            "01AD",
            "Firewall image - 1 core",
            "1 Hour",
            "Microsoft.SaaS",
            flat("0.032"),
        ),
        meter(
            "DZH318Z0PD06",
            "Virtual Machines Dsv5 Series Spot",
            "0009",
            "D4s v5 Spot",
            "1 Hour",
            "Microsoft.Compute",
            flat("0.046"),
        ),
        meter("DZH318Z0PD07", "Bandwidth", "0010", "Data transfer out", "1 GB", "Microsoft.Network", flat("0.08")),
    ]
}

fn resource(rng: &mut ChaCha8Rng, n: u32, customers: &[Customer], meters: &[Meter]) -> Resource {
    let customer_number = n as usize % customers.len();
    let customer = &customers[customer_number];
    let subscription_number = (n as usize / customers.len()) % customer.subscriptions.len();
    let subscription = &customer.subscriptions[subscription_number];
    let meter_number = match rng.random_range(0..100_u32) {
        0..40 => 0,
        40..55 => 1,
        55..70 => 2,
        70..78 => 3,
        78..88 => 4,
        88..92 => 5,
        92..96 => 6,
        _ => 7,
    };
    let meter = &meters[meter_number];
    let group = (n as usize / (customers.len() * 4)) % 8;
    let uri = format!(
        "/subscriptions/{}/resourceGroups/rg-{}-{group}/providers/{}/{}/{}{n:05}",
        subscription.id,
        ["prod", "test"][n as usize % 2],
        meter.service,
        kind(&meter.service),
        prefix(&meter.service),
    );
    Resource {
        customer: u32::try_from(customer_number).expect("fewer customers than 2^32"),
        subscription: u32::try_from(subscription_number).expect("one or two"),
        meter: u32::try_from(meter_number).expect("eight meters"),
        uri,
    }
}

fn kind(service: &str) -> &'static str {
    match service {
        "Microsoft.Compute" => "virtualMachines",
        "Microsoft.Storage" => "storageAccounts",
        "Microsoft.OperationalInsights" => "workspaces",
        "Microsoft.Sql" => "servers",
        "Microsoft.Network" => "publicIPAddresses",
        _ => "resources",
    }
}

fn prefix(service: &str) -> &'static str {
    match service {
        "Microsoft.Compute" => "vm",
        "Microsoft.Storage" => "st",
        "Microsoft.OperationalInsights" => "log",
        "Microsoft.Sql" => "sql",
        "Microsoft.Network" => "ip",
        _ => "res",
    }
}

impl Resource {
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::parse(&self.uri)
    }
}
