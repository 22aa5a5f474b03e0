//! Reads a scenario: a TOML file with a table of what happened, in words that finance uses.
//!
//! Columns are separated by blanks, `#` begins a comment. The first column says when it was true,
//! the second what it is; `recorded=TIME` says that we learned it later, `as=NAME` names a line so
//! that a later one can speak of it. An unknown word is a failure that names file and line.

use std::collections::BTreeMap;

use chrono::Duration;
use domain::entry::{
    AssignmentCreated, AssignmentDeleted, AssignmentsListed, Authorization, CustomerRegistered, Delegation,
    DelegationDeleted, Event, GrantFacts, ListedAssignment, MembershipChange, PalLinked, PalUnlinked, Part,
    PartnerStanding, PlanCreated, ResellerOfRecordSet, Schedule, Stream, TransferCompleted, Usage, UsageAdjusted,
    UsageVoided,
};
use domain::ids::{Currency, Guid, Market, MeterId};
use domain::period::{Instant, Period};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::azure::{self, Record};
use crate::memory::{Body, SOURCE, Told};
use crate::stage::{
    Names, Stage, guid, instant, long_ago, partner_id, principal, role, scope, standard_prices, subscription,
};

/// One file of `tests/scenarios`.
pub struct Scenario {
    pub path: String,
    pub title: String,
    pub period: Period,
    pub currency: Currency,
    pub names: Names,
    pub steps: Vec<Step>,
}

/// What a line of the table says, and when it is recorded.
pub struct Step {
    pub at: Instant,
    pub what: What,
}

pub enum What {
    Told(Told),
    /// Somebody here closes a partner's month.
    Close {
        bill_to: String,
        period: Period,
    },
    /// Somebody here voids the partner's invoice of a month.
    Void {
        bill_to: String,
        period: Period,
    },
}

impl What {
    pub fn told(&self) -> Option<&Told> {
        match self {
            Self::Told(told) => Some(told),
            Self::Close { .. } | Self::Void { .. } => None,
        }
    }
}

/// Reads a file's text; panics with a sentence where it cannot.
pub fn read(path: &str, text: &str) -> Scenario {
    let file: toml::Table = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let get = |key: &str| file.get(key).and_then(toml::Value::as_str);
    let must = |key: &str| get(key).unwrap_or_else(|| panic!("{path}: no `{key}`"));
    let period = Period::parse(must("period")).unwrap_or_else(|| panic!("{path}: period is no month"));
    let mut prices = standard_prices();
    prices.extend(texts(file.get("prices")));
    prices.retain(|_, price| price != "none");
    let us_prices = texts(file.get("us_prices"));
    let usd_per_unit = texts(file.get("usd_per_unit"));
    let currency = Currency::parse(get("currency").unwrap_or("USD")).unwrap_or_else(|| panic!("{path}: currency"));
    let stage = Stage { period, currency, prices, us_prices, usd_per_unit };
    let mut names = Names::default();
    for name in ["us", "shop", "other", "acme", "plan", "plan-other", "sub-a", "us/anna", "us/ben", "shop/anna"] {
        names.learn(name);
    }
    stage.prices.keys().for_each(|meter| names.learn(meter));
    let mut steps: Vec<Step> =
        stage.events().into_iter().map(|told| Step { at: long_ago(), what: What::Told(told) }).collect();
    for (number, line) in must("journal").lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let columns: Vec<&str> = line.split_whitespace().collect();
        if !columns.is_empty() {
            let place = format!("{path}, line {} of the journal", number + 1);
            steps.push(Line::new(&place, number, &columns).step(&mut names));
        }
    }
    steps.sort_by_key(|step| step.at);
    Scenario { path: path.to_owned(), title: must("title").to_owned(), period, currency, names, steps }
}

fn texts(value: Option<&toml::Value>) -> BTreeMap<String, String> {
    let table = value.and_then(toml::Value::as_table);
    let pairs = table.into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), value.as_str().expect("prices and rates are texts").to_owned())).collect()
}

/// One line of the table, its named columns apart from the others.
struct Line<'a> {
    place: &'a str,
    number: usize,
    at: Instant,
    what: &'a str,
    rest: Vec<&'a str>,
    named: BTreeMap<&'a str, &'a str>,
}

impl<'a> Line<'a> {
    fn new(place: &'a str, number: usize, columns: &[&'a str]) -> Self {
        let [when, what, rest @ ..] = columns else { panic!("{place}: a line needs a time and a word") };
        let named = rest.iter().filter_map(|column| column.split_once('=')).collect();
        let rest = rest.iter().filter(|column| !column.contains('=')).copied().collect();
        Self { place, number, at: instant(when), what, rest, named }
    }

    fn column(&self, number: usize, what: &str) -> &'a str {
        self.rest.get(number).unwrap_or_else(|| panic!("{}: `{}` needs {what}", self.place, self.what))
    }

    fn step(&self, names: &mut Names) -> Step {
        if matches!(self.what, "close" | "void-invoice") {
            let bill_to = self.column(0, "whose month").to_owned();
            let period = Period::parse(self.column(1, "a month")).unwrap_or_else(|| panic!("{}: month", self.place));
            let close = self.what == "close";
            let what = if close { What::Close { bill_to, period } } else { What::Void { bill_to, period } };
            return Step { at: self.at, what };
        }
        let body = self.body(names);
        let id = self.named.get("as").map_or_else(|| format!("line-{}", self.number + 1), |name| (*name).to_owned());
        let causation = matches!(self.what, "adjust" | "void").then(|| self.rest[0].to_owned());
        let recorded_at = self.named.get("recorded").map_or(self.at, |text| instant(text));
        Step { at: recorded_at, what: What::Told(Told { id, causation, body }) }
    }

    fn body(&self, names: &mut Names) -> Body {
        match self.what.strip_prefix("azure-") {
            Some(what) => Body::Record(self.azure(what)),
            None => Body::Event(self.event(names)),
        }
    }

    /// One of Azure's own records; those of one write share `of=`.
    fn azure(&self, what: &str) -> Value {
        let (facts, scope) = (self.facts(), scope(self.rest[0]));
        let assignment = self.assignment_id();
        let mut body = azure::body(facts.principal, facts.role, &scope);
        if let Some(created) = self.named.get("created") {
            body["createdOn"] = Value::from(instant(created).to_rfc3339());
        }
        let (what, result, properties) = match what {
            "begins" => ("write", "Start", azure::requested(assignment, &body)),
            "writes" => ("write", "Success", json!({ "statusCode": "Created" })),
            "fails" => ("write", "Failure", json!({ "statusCode": "Conflict" })),
            "removes" => ("delete", "Success", azure::removed(assignment, &body)),
            other => panic!("{}: nobody knows the word `azure-{other}`", self.place),
        };
        let correlation = self.named.get("of").map_or_else(|| guid(&self.number.to_string()), |name| guid(name));
        let at = self.at;
        azure::record(&Record { assignment, scope: &scope, what, result, correlation, at }, &properties)
    }

    /// A complete listing: `Owner:us Contributor:us/anna`.
    fn listing(&self) -> AssignmentsListed {
        let at_scope = self.column(0, "a scope");
        let listed = |column: &&str| {
            let (role_name, who) = column.split_once(':').unwrap_or_else(|| panic!("{}: `{column}`", self.place));
            let facts =
                GrantFacts { principal: principal(who), principal_type: None, role: role(role_name), condition: None };
            let assignment = guid(&format!("{at_scope} {role_name} {who}"));
            ListedAssignment { assignment, scope: scope(at_scope), facts, created_at: None }
        };
        let assignments = self.rest[1..].iter().map(listed).collect();
        let part = Part { of: format!("listing-{}", self.number).into(), number: 0, count: 1 };
        AssignmentsListed { scope: scope(at_scope), at: self.at, complete: true, part, assignments }
    }

    fn assignment_id(&self) -> Guid {
        guid(&format!("{} {} {}", self.column(0, "a scope"), self.column(1, "a role"), self.who()))
    }

    fn event(&self, names: &mut Names) -> Event {
        match self.what {
            "list" => Event::AssignmentsListed(self.listing()),
            "customer" => {
                let name = self.column(0, "a customer");
                names.learn(name);
                let market = Market::parse(self.column(1, "a market")).unwrap_or_else(|| panic!("{}", self.place));
                let customer = guid(name);
                Event::CustomerRegistered(CustomerRegistered { customer, name: name.into(), market, at: self.at })
            }
            "plan" => {
                let name = self.column(0, "a plan");
                names.learn(name);
                let bill_to = guid(self.column(1, "the partner billed"));
                let (plan, customer) = (guid(name), guid(self.rest.get(2).unwrap_or(&"acme")));
                Event::PlanCreated(PlanCreated { plan, customer, bill_to, reseller: None, at: self.at })
            }
            "grant" | "revoke" => self.assignment(),
            "active" | "eligible" => self.schedule(),
            "delegate" | "undelegate" => self.delegation(),
            "link" | "unlink" => self.link(),
            "usage" => Event::UsageRecorded(self.usage()),
            "adjust" | "void" => self.correction(),
            "join" | "lapse" | "bar" | "reinstate" => self.standing(),
            "subscription" => {
                let name = self.column(0, "a subscription");
                names.learn(name);
                Event::SubscriptionCreated(subscription(name, self.column(1, "a plan"), self.at))
            }
            "transfer" => Event::TransferCompleted(TransferCompleted {
                subscription: guid(self.column(0, "a subscription")),
                to_plan: guid(self.column(1, "a plan")),
                at: self.at,
            }),
            "reseller" => {
                let who = self.column(1, "a reseller or none");
                let reseller = (who != "none").then(|| partner_id(who));
                let plan = guid(self.column(0, "a plan"));
                Event::ResellerOfRecordSet(ResellerOfRecordSet { plan, reseller, at: self.at })
            }
            other => panic!("{}: nobody knows the word `{other}`", self.place),
        }
    }

    fn facts(&self) -> GrantFacts {
        let role = role(self.column(1, "a role"));
        GrantFacts { principal: principal(self.who()), principal_type: None, role, condition: None }
    }

    /// The third column; most grants are to our own AdminAgents.
    fn who(&self) -> &'a str {
        self.rest.get(2).unwrap_or(&"us")
    }

    fn assignment(&self) -> Event {
        let at_scope = self.column(0, "a scope");
        let assignment = self.assignment_id();
        let (scope, at) = (scope(at_scope), self.at);
        if self.what == "grant" {
            Event::AssignmentCreated(AssignmentCreated { assignment, scope, facts: self.facts(), at })
        } else {
            Event::AssignmentDeleted(AssignmentDeleted { assignment, scope, at })
        }
    }

    fn schedule(&self) -> Event {
        let facts = self.facts();
        let until = self.named.get("until").unwrap_or_else(|| panic!("{}: `until=` is missing", self.place));
        Event::ScheduleCreated(Schedule {
            schedule: guid(&format!("schedule {}", self.number)),
            scope: scope(self.rest[0]),
            principal: facts.principal,
            principal_type: None,
            role: facts.role,
            eligible_only: self.what == "eligible",
            start: self.at,
            end: Some(instant(until)),
            provisioned_at: self.at,
        })
    }

    fn delegation(&self) -> Event {
        let partner = self.who().split('/').next().unwrap_or_default();
        let delegation = guid(&format!("delegation {} {partner}", self.column(0, "a scope")));
        let (scope, at) = (scope(self.rest[0]), self.at);
        if self.what == "undelegate" {
            return Event::DelegationDeleted(DelegationDeleted { delegation, scope, at });
        }
        let authorization = Authorization {
            principal: principal(self.who()),
            role: role(self.column(1, "a role")),
            eligible_only: self.rest.contains(&"just-in-time"),
        };
        Event::DelegationChanged(Delegation {
            delegation,
            scope,
            managing_tenant: guid(partner),
            marketplace_offer: self.rest.contains(&"offer"),
            authorizations: vec![authorization],
            at,
        })
    }

    /// A link is made in the customer's tenant, unless `in=` names another one.
    fn link(&self) -> Event {
        let person = guid(self.column(0, "a person"));
        let tenant = guid(self.named.get("in").unwrap_or(&"acme"));
        if self.what == "unlink" {
            return Event::PalUnlinked(PalUnlinked { principal: person, tenant, at: self.at });
        }
        let partner_id = partner_id(self.column(1, "the partner linked to"));
        Event::PalLinked(PalLinked { principal: person, tenant, partner_id, at: self.at })
    }

    fn usage(&self) -> Usage {
        let name = self.column(0, "a resource");
        let of_resource = name.split('/').next().unwrap_or_default();
        // The entitlement that the meter states; another one than the resource's is a mistake of its.
        let subscription = self.named.get("in").unwrap_or(&of_resource);
        Usage {
            customer: guid("acme"),
            plan: None,
            subscription: guid(subscription),
            resource: Some(scope(name)),
            resource_group: None,
            meter: MeterId::Guid(guid(self.column(1, "a meter"))),
            product: None,
            sku: None,
            start: self.at,
            end: self.at + Duration::hours(1),
            quantity: self.decimal(2),
            unit: "1 Hour".into(),
        }
    }

    fn correction(&self) -> Event {
        let target = journal::wire::identity(Stream::Usage, SOURCE, self.column(0, "the name of a usage line"));
        if self.what == "void" {
            return Event::UsageVoided(UsageVoided { target, reason: None });
        }
        Event::UsageAdjusted(UsageAdjusted { target, quantity: self.decimal(1), reason: None })
    }

    fn standing(&self) -> Event {
        let partner = guid(self.column(0, "a partner"));
        let membership = MembershipChange { partner, at: self.at };
        let standing = PartnerStanding { partner, reason: "the scenario says so".into(), at: self.at };
        match self.what {
            "join" => Event::MembershipStarted(membership),
            "lapse" => Event::MembershipEnded(membership),
            "bar" => Event::PartnerBarred(standing),
            _ => Event::PartnerReinstated(standing),
        }
    }

    fn decimal(&self, number: usize) -> Decimal {
        let text = self.column(number, "a quantity");
        Decimal::from_str_exact(text).unwrap_or_else(|_| panic!("{}: `{text}` is no quantity", self.place))
    }
}
