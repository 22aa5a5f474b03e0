//! `pec what-if`: the difference that a grant, a removal, another role, a policy, a transfer or the
//! end of a partner link would make to credit. Nothing is ever written.
//!
//! Two questions, answered apart: what recorded usage would have earned, exactly; and, for the time
//! ahead, which resources lose or gain from the first whole day on, with their burn a day. What
//! would restore access is a request that the customer may decline, without an amount beside it.

mod print;

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use domain::facts::Facts;
use domain::ids::{Currency, Guid};
use domain::money::Exact;
use domain::pec::LostCode;
use domain::period::{Day, Instant, Period};
use domain::policy::RULES_VERSION;
use domain::projection::Fold;
use domain::roles;
use domain::scope::Scope;
use engine::books::Books;
use engine::burn::{Burn, Place};
use engine::suppose::{self, Receiver, Side, Standing, Supposition, Which};
use serde::Serialize;

use super::invoice::{Party, money};
use super::start::fault;
use super::{Context, period, policy, select};
use crate::exit::{Exit, Problem};
use crate::output::Output;

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pec what-if grant --on 44444444-dddd-4ddd-8ddd-444444444444 --at 2026-01-10\n  pec what-if revoke 0f0f0f0f-0000-4000-8000-000000000001 --at 2026-01-10\n  pec what-if transfer --subscription 44444444-dddd-4ddd-8ddd-444444444444 --to Contoso --at 2026-02-01\n  pec what-if policy new.json"
)]
pub struct WhatIf {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Suppose a role assignment
    #[command(
        after_help = "Examples:\n  pec what-if grant --on /subscriptions/44444444-dddd-4ddd-8ddd-444444444444 --at 2026-01-10\n  pec what-if grant --on 44444444-dddd-4ddd-8ddd-444444444444 --role Contributor --at 2026-01-10 --json"
    )]
    Grant {
        /// A subscription's id, or the ARM id of a group or resource
        #[arg(long, value_name = "SCOPE")]
        on: String,
        /// Object id (default: the AdminAgents group of the billed partner)
        #[arg(long, value_parser = period::guid, value_name = "ID")]
        principal: Option<Guid>,
        /// A role by name or id
        #[arg(long, default_value = "Owner", value_parser = role)]
        role: Guid,
        /// From when on: an instant, or a date (its beginning, UTC)
        #[arg(long, value_parser = period::from, value_name = "WHEN")]
        at: Instant,
    },
    /// Suppose that a grant ends
    #[command(after_help = "Examples:\n  pec what-if revoke 0f0f0f0f-0000-4000-8000-000000000001 --at 2026-01-10")]
    Revoke {
        /// The grant's id, as `pec access timeline` shows it
        #[arg(value_parser = period::guid)]
        grant: Guid,
        /// From when on: an instant, or a date (its beginning, UTC)
        #[arg(long, value_parser = period::from, value_name = "WHEN")]
        at: Instant,
    },
    /// Suppose that a grant has another role
    #[command(
        after_help = "Examples:\n  pec what-if role 0f0f0f0f-0000-4000-8000-000000000001 --to Reader --at 2026-01-10\n  pec what-if role 0f0f0f0f-0000-4000-8000-000000000002 --principal 55555555-eeee-4eee-8eee-555555555555 --to Reader --at 2026-01-10\n\nA Lighthouse delegation may authorise several principals, each with several roles:\n--principal and --from say which of them changes; the others stay as they are."
    )]
    Role {
        /// The grant's id, as `pec access timeline` shows it
        #[arg(value_parser = period::guid)]
        grant: Guid,
        /// A role by name or id
        #[arg(long, value_parser = role)]
        to: Guid,
        /// Whose authorisation, where a delegation has several
        #[arg(long, value_parser = period::guid, value_name = "ID")]
        principal: Option<Guid>,
        /// The role that it has now, where somebody holds several
        #[arg(long, value_parser = role, value_name = "ROLE")]
        from: Option<Guid>,
        /// From when on: an instant, or a date (its beginning, UTC)
        #[arg(long, value_parser = period::from, value_name = "WHEN")]
        at: Instant,
    },
    /// Suppose a policy document
    #[command(after_help = "Examples:\n  pec what-if policy new.json")]
    Policy {
        /// A JSON document as `pec policy show --document` prints it
        file: std::path::PathBuf,
    },
    /// Suppose that a subscription moves to another partner or plan: what loses credit, and which
    /// access has to be there first
    #[command(
        after_help = "Examples:\n  pec what-if transfer --subscription 44444444-dddd-4ddd-8ddd-444444444444 --to Contoso --at 2026-02-01\n\nAccess does not move with a subscription: it stays with the old partner until somebody\ngrants it anew."
    )]
    Transfer {
        #[arg(long, value_parser = period::guid, value_name = "ID")]
        subscription: Guid,
        /// The plan, or the partner that takes over, by name or tenant
        #[arg(long, value_name = "PLAN|PARTNER")]
        to: String,
        /// From when on: an instant, or a date (its beginning, UTC)
        #[arg(long, value_parser = period::from, value_name = "WHEN")]
        at: Instant,
    },
    /// Suppose that an identity's Partner Admin Link ends
    #[command(after_help = "Examples:\n  pec what-if end-pal 55555555-eeee-4eee-8eee-555555555555 --at 2026-01-10")]
    EndPal {
        /// Object id of the identity
        #[arg(value_parser = period::guid)]
        identity: Guid,
        /// In one tenant alone
        #[arg(long, value_parser = period::guid)]
        tenant: Option<Guid>,
        /// From when on: an instant, or a date (its beginning, UTC)
        #[arg(long, value_parser = period::from, value_name = "WHEN")]
        at: Instant,
    },
}

fn role(text: &str) -> Result<Guid, String> {
    let listed = roles::list().iter().find(|role| role.name.eq_ignore_ascii_case(text)).map(|role| role.id);
    listed
        .or_else(|| Guid::parse(text))
        .ok_or_else(|| "write a built-in role's name, or a role definition id".to_owned())
}

/// `schemas/output/what-if.v1.json`.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    rules_version: u32,
    policy_revision: u32,
    /// On the days from the supposed one to the end of the last month with usage.
    policy_revisions: Vec<u32>,
    at: String,
    supposed: Vec<String>,
    recorded: Recorded,
    ahead: Ahead,
    requests: Vec<Request>,
}

/// What recorded usage would have earned.
#[derive(Serialize)]
struct Recorded {
    months: Vec<String>,
    earned: Change,
    missing: Change,
    reasons: Vec<ReasonChange>,
    resources: Vec<ResourceChange>,
}

/// Exact amounts in the pricing currency.
#[derive(Serialize, Clone)]
pub(super) struct Change {
    before: String,
    after: String,
    difference: String,
    #[serde(skip)]
    exact: (Exact, Exact),
}

impl Change {
    fn new(before: Exact, after: Exact) -> Self {
        let usd = |amount: &Exact| money(amount, Currency::USD);
        Self { before: usd(&before), after: usd(&after), difference: usd(&(&after - &before)), exact: (before, after) }
    }

    fn by(&self) -> Exact {
        &self.exact.1 - &self.exact.0
    }
}

#[derive(Serialize)]
struct ReasonChange {
    reason: &'static str,
    rule: &'static str,
    missing: Change,
}

#[derive(Serialize)]
struct ResourceChange {
    subscription: String,
    resource: String,
    earned: Change,
    missing: Change,
}

/// How resources stand on the first whole day.
#[derive(Serialize)]
struct Ahead {
    day: String,
    /// How many resources were used in the 31 days before, and so have a burn.
    in_use: usize,
    loses: Vec<AheadRow>,
    gains: Vec<AheadRow>,
    loses_per_day: String,
    gains_per_day: String,
    #[serde(skip)]
    exact: (Exact, Exact),
}

#[derive(Serialize)]
struct AheadRow {
    subscription: String,
    resource: String,
    /// Why it is lost: afterwards for what loses, before for what gains.
    reason: &'static str,
    rule: &'static str,
    credit_per_day: String,
    burn: String,
    burn_days: u32,
    #[serde(skip)]
    exact: Exact,
}

/// What would have to be there first. Never with an amount.
#[derive(Serialize, Clone)]
pub(super) struct Request {
    customer: Party,
    partner: Party,
    scope: String,
    /// What lacks it: how many, and the first of them.
    resource_count: usize,
    resources: Vec<String>,
    reason: &'static str,
    text: String,
    /// Object ids of the partner's AdminAgents group, where they are known.
    admin_agents: Vec<String>,
}

impl Request {
    /// What lacks the access, for people: the first few by name.
    fn losing(&self) -> String {
        const NAMED: usize = 3;
        let named = self.resources.iter().take(NAMED).map(|resource| name(resource));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = self.resource_count.saturating_sub(NAMED);
        if more == 0 { named } else { format!("{named} and {more} more") }
    }
}

impl WhatIf {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let now = context.ledger.clock().now().map_err(fault)?;
        let document = match &self.what {
            What::Policy { file } => Some(policy::read(context, file)?),
            _ => None,
        };
        let guard = context.ledger.facts().map_err(fault)?;
        let folded_again = match &document {
            Some(document) => {
                let reader = context.ledger.reader();
                engine::view::for_policy(reader, guard.fold(), document, &mut |_, _| {}).map_err(fault)?
            }
            None => None,
        };
        let fold = folded_again.as_ref().unwrap_or(guard.fold());
        let facts = fold.state();
        let commerce = facts.commerce.view();
        let mut books = Books::new(facts, &commerce);
        let supposition = match document {
            Some(document) => Supposition::Policy(document),
            None => self.supposition(&books)?,
        };
        let unfit = |unfit: suppose::Unfit| Problem::refused(unfit.what).hint(unfit.hint);
        let events = supposition.events(facts, &commerce).map_err(unfit)?;
        // What is only supposed to exist has no id that anybody could look up.
        let supposed = |event| engine::describe::event(event).replace(&suppose::NOT_REAL.to_string(), "(new)");
        let supposed = events.iter().map(supposed).collect();
        let answer = compare(fold, &mut books, &supposition, events, supposed, now);
        if context.json {
            out.json(&answer)?;
        } else {
            print::answer(&answer, matches!(self.what, What::Transfer { .. }), out)?;
        }
        Ok(Exit::Fine)
    }

    fn supposition(&self, books: &Books<'_>) -> anyhow::Result<Supposition> {
        Ok(match &self.what {
            What::Grant { on, principal, role, at } => {
                let scope = Guid::parse(on).map_or_else(|| Scope::parse(on), Scope::subscription_of);
                let principal = principal.map_or_else(|| agents(books, &scope, *at), Ok)?;
                Supposition::Grant { scope, principal, role: *role, at: *at }
            }
            What::Revoke { grant, at } => Supposition::Revoke { grant: *grant, at: *at },
            What::Role { grant, to, principal, from, at } => {
                let which = Which { principal: *principal, role: *from };
                Supposition::Role { grant: *grant, which, role: *to, at: *at }
            }
            What::Transfer { subscription, to, at } => {
                Supposition::Transfer { subscription: *subscription, to: receiver(books, to)?, at: *at }
            }
            What::EndPal { identity, tenant, at } => {
                Supposition::EndOfLink { principal: *identity, tenant: *tenant, at: *at }
            }
            What::Policy { .. } => return Err(Problem::fault("a policy is read before").into()),
        })
    }
}

/// The AdminAgents group of the partner that a scope is billed to.
fn agents(books: &Books<'_>, scope: &Scope, at: Instant) -> Result<Guid, Problem> {
    let hint = "name whose access is supposed with --principal";
    let subscription = scope.subscription();
    let subscription =
        subscription.ok_or_else(|| Problem::refused(format!("{scope} lies in no subscription")).hint(hint))?;
    let mut placed = books.commerce.placements(subscription).iter();
    let placement = placed.find(|placement| placement.interval.contains(at));
    let placement = placement.ok_or_else(|| {
        Problem::refused(format!("subscription {subscription} stands under no plan then"))
            .hint("pec eligibility --json shows the ids of subscriptions")
    })?;
    let agents = admin_agents(books, placement.bill_to, at);
    agents.first().copied().ok_or_else(|| {
        let name = books.partner_name(placement.bill_to);
        Problem::refused(format!("no AdminAgents group of {name} is known then")).hint(hint)
    })
}

fn admin_agents(books: &Books<'_>, partner: Guid, at: Instant) -> Vec<Guid> {
    let statement = books.partners.statement(partner).map(|(_, statement)| statement);
    let agents = statement.into_iter().flat_map(|statement| &statement.admin_agents);
    agents.filter(|agents| agents.holds_at(at)).map(|agents| agents.value).collect()
}

/// A plan by id, else a partner by name or tenant: any registered one, also without a plan yet.
fn receiver(books: &Books<'_>, to: &str) -> Result<Receiver, Problem> {
    if let Some(plan) = Guid::parse(to).filter(|id| books.commerce.plan(*id).is_some()) {
        return Ok(Receiver::Plan(plan));
    }
    let called = |name: &str| name.eq_ignore_ascii_case(to);
    let mut known = books.partners.statements().map(|(_, statement)| statement);
    let found = known.find(|one| Guid::parse(to) == Some(one.tenant) || called(&one.name));
    found.map(|one| Receiver::Partner(one.tenant)).ok_or_else(|| {
        let names: Vec<String> = books.partners.statements().map(|(_, one)| one.name.to_string()).collect();
        Problem::refused(format!("no plan and no partner is called {to}"))
            .hint(format!("registered partners: {}", names.join(", ")))
    })
}

fn compare(
    facts: &Fold<Facts>,
    books: &mut Books<'_>,
    supposition: &Supposition,
    events: Vec<domain::entry::Event>,
    supposed: Vec<String>,
    now: Instant,
) -> Answer {
    let at = supposition.at();
    let months = suppose::months_from(books, at);
    let fold = engine::view::what_if(facts, events, now);
    let commerce = fold.state().commerce.view();
    let mut after_books = Books::new(fold.state(), &commerce);
    let (before, after) = (Side::of(books, &months), Side::of(&mut after_books, &months));
    let day = suppose::first_whole_day(at);
    let burns = suppose::burns_before(books, at, now);
    let recorded = recorded(&before, &after, months.iter().map(ToString::to_string).collect());
    // What is used later alone has no burn yet, and what it needs first is asked for all the same.
    let places: BTreeSet<&Place> = burns.keys().chain(before.resources.keys()).chain(after.resources.keys()).collect();
    let stood = suppose::standings(books, places.iter().copied(), day);
    let stands = suppose::standings(&mut after_books, places.iter().copied(), day);
    let earned =
        |side: &Side, place: &Place| side.resources.get(place).map(|one| one.earned.clone()).unwrap_or_default();
    let loses = |place: &Place| earned(&after, place) < earned(&before, place);
    let losing: BTreeSet<&Place> = places.iter().copied().filter(|place| loses(place)).collect();
    Answer {
        schema: "pec.what-if.v1",
        rules_version: RULES_VERSION,
        policy_revision: fold.state().policy.at(Day::of(at)).revision,
        policy_revisions: revisions(fold.state(), Day::of(at), &months),
        at: period::instant(at),
        supposed,
        recorded,
        ahead: ahead(day, &burns, &stood, &stands),
        requests: requests(&after_books, day, places.into_iter(), &losing, &stood, &stands),
    }
}

/// The revisions of the policy that decide what recorded usage would have earned since a day.
fn revisions(facts: &Facts, since: Day, months: &BTreeSet<Period>) -> Vec<u32> {
    let recorded = months.iter().flat_map(|month| month.days()).filter(|day| *day >= since);
    facts.policy.revisions(since.period(), [since].into_iter().chain(recorded))
}

fn recorded(before: &Side, after: &Side, months: Vec<String>) -> Recorded {
    let (old, new) = (before.total(), after.total());
    let codes: BTreeSet<LostCode> = old.lost.keys().chain(new.lost.keys()).copied().collect();
    let lost = |credit: &suppose::Credit, code| credit.lost.get(code).cloned().unwrap_or_default();
    let reasons = codes.iter().map(|code| ReasonChange {
        reason: code.text(),
        rule: code.rule(),
        missing: Change::new(lost(&old, code), lost(&new, code)),
    });
    let reasons = reasons.filter(|row| !row.missing.by().is_zero()).collect();
    let places: BTreeSet<&Place> = before.resources.keys().chain(after.resources.keys()).collect();
    let nothing = suppose::Credit::default();
    let mut resources: Vec<ResourceChange> = Vec::new();
    for place in places {
        let (was, is) = (before.resources.get(place), after.resources.get(place));
        let (was, is) = (was.unwrap_or(&nothing), is.unwrap_or(&nothing));
        if was != is {
            resources.push(ResourceChange {
                subscription: place.0.to_string(),
                resource: place.1.to_string(),
                earned: Change::new(was.earned.clone(), is.earned.clone()),
                missing: Change::new(was.missing(), is.missing()),
            });
        }
    }
    // What changes most comes first, losses before gains.
    resources.sort_by(|a, b| a.earned.by().cmp(&b.earned.by()).then(a.resource.cmp(&b.resource)));
    let earned = Change::new(old.earned.clone(), new.earned.clone());
    Recorded { months, earned, missing: Change::new(old.missing(), new.missing()), reasons, resources }
}

type Standings = BTreeMap<Place, Standing>;

fn ahead(day: Day, burns: &BTreeMap<Place, Burn>, stood: &Standings, stands: &Standings) -> Ahead {
    let (mut loses, mut gains) = (Vec::new(), Vec::new());
    for (place, burn) in burns {
        let (Some(was), Some(is)) = (stood.get(place), stands.get(place)) else { continue };
        let (rows, loss) = match (was.verdict.lost(), is.verdict.lost()) {
            (None, Some(loss)) => (&mut loses, loss),
            (Some(loss), None) => (&mut gains, loss),
            (None, None) | (Some(_), Some(_)) => continue,
        };
        let per_day = burn.per_day();
        rows.push(AheadRow {
            subscription: place.0.to_string(),
            resource: place.1.to_string(),
            reason: loss.code.text(),
            rule: loss.code.rule(),
            credit_per_day: money(&per_day, Currency::USD),
            burn: money(&burn.credit, Currency::USD),
            burn_days: burn.days,
            exact: per_day,
        });
    }
    let sum = |rows: &mut Vec<AheadRow>| -> Exact {
        rows.sort_by(|a, b| b.exact.cmp(&a.exact).then(a.resource.cmp(&b.resource)));
        rows.iter().map(|row| &row.exact).sum()
    };
    let (lost, gained) = (sum(&mut loses), sum(&mut gains));
    Ahead {
        day: day.to_string(),
        in_use: burns.len(),
        loses_per_day: money(&lost, Currency::USD),
        gains_per_day: money(&gained, Currency::USD),
        exact: (lost, gained),
        loses,
        gains,
    }
}

/// So many resources of a request are named; the count is of all.
const RESOURCES_NAMED: usize = 20;

/// What would have to be granted before, so that nothing is lost: one request for everything of a
/// subscription that is lost for one reason, on the smallest scope that holds all of it. `losing` lost credit
/// on recorded usage, whatever the day says.
fn requests<'p>(
    books: &Books<'_>,
    day: Day,
    places: impl Iterator<Item = &'p Place>,
    losing: &BTreeSet<&Place>,
    stood: &Standings,
    stands: &Standings,
) -> Vec<Request> {
    let mut groups: BTreeMap<(Guid, Guid, Guid, LostCode), Vec<&Scope>> = BTreeMap::new();
    for place in places {
        let (Some(was), Some(is)) = (stood.get(place), stands.get(place)) else { continue };
        let Some(loss) = is.verdict.lost() else { continue };
        if was.verdict.lost().is_none() || losing.contains(place) {
            groups.entry((is.customer, is.bill_to, place.0, loss.code)).or_default().push(&place.1);
        }
    }
    let request = |((customer, bill_to, subscription, code), scopes): ((Guid, Guid, Guid, LostCode), Vec<&Scope>)| {
        let agents = admin_agents(books, bill_to, day.start());
        Request {
            customer: Party { id: customer.to_string(), name: books.customer_name(customer) },
            partner: Party { id: bill_to.to_string(), name: books.partner_name(bill_to) },
            scope: common(subscription, &scopes).to_string(),
            resource_count: scopes.len(),
            resources: scopes.iter().take(RESOURCES_NAMED).map(ToString::to_string).collect(),
            reason: code.text(),
            text: code.remedy().sentence(),
            admin_agents: agents.iter().map(ToString::to_string).collect(),
        }
    };
    groups.into_iter().map(request).collect()
}

/// The guard of requested transfers: what would lose credit if one were done now, and which access
/// would have to be there first. Part of `status` and `check`; no amount stands in it.
#[derive(Serialize, Clone)]
pub(super) struct Guard {
    customer: Party,
    subscription: String,
    from_partner: Party,
    to_plan: String,
    /// `null` where the plan is not known here.
    to_partner: Option<Party>,
    requested_at: String,
    resources_losing: usize,
    access_first: Vec<Request>,
}

impl Guard {
    /// Whether a partner gives the subscription away or takes it over.
    pub(super) fn concerns(&self, partner: Guid) -> bool {
        let partner = partner.to_string();
        self.from_partner.id == partner || self.to_partner.as_ref().is_some_and(|to| to.id == partner)
    }
}

pub(super) fn guards(books: &mut Books<'_>, now: Instant) -> Vec<Guard> {
    let found = suppose::guarded(books, now);
    let guard = |one: suppose::Guarded| {
        let lost = |place: &&Place| {
            let is_lost = |side: &Standings| side.get(*place).is_some_and(|standing| standing.verdict.lost().is_some());
            !is_lost(&one.stood) && (one.to_partner.is_none() || is_lost(&one.stands))
        };
        Guard {
            customer: Party { id: one.customer.to_string(), name: books.customer_name(one.customer) },
            subscription: one.subscription.to_string(),
            from_partner: Party { id: one.from_partner.to_string(), name: books.partner_name(one.from_partner) },
            to_plan: one.to_plan.to_string(),
            to_partner: one.to_partner.map(|to| Party { id: to.to_string(), name: books.partner_name(to) }),
            requested_at: period::instant(one.requested_at),
            resources_losing: one.stood.keys().filter(lost).count(),
            access_first: requests(books, one.day, one.stood.keys(), &BTreeSet::new(), &one.stood, &one.stands),
        }
    };
    found.into_iter().map(guard).collect()
}

/// A warning for each requested transfer; nothing where there is none.
pub(super) fn print_guards(guards: &[Guard], out: &mut Output) -> anyhow::Result<()> {
    for guard in guards {
        let day = guard.requested_at.get(..10).unwrap_or(&guard.requested_at);
        let losing = crate::output::count(guard.resources_losing as u64, "resource");
        let width = usize::from(out.style.width);
        let says = format!(
            "Transfer of {} (subscription {}…) to {}, requested {day}: {losing} would lose credit.",
            guard.customer.name,
            guard.subscription.get(..8).unwrap_or(&guard.subscription),
            guard.to_partner.as_ref().map_or("a plan that is not known here", |to| &to.name),
        );
        out.line(crate::output::wrapped(&says, width, 2))?;
        for request in &guard.access_first {
            let says = format!(
                "beforehand, ask {} to see to it on {}{} ({}): \u{201c}{}\u{201d}",
                request.partner.name,
                name(&request.scope),
                if request.resource_count == 1 { String::new() } else { format!(", for {}", request.losing()) },
                request.reason,
                request.text
            );
            out.line(format!("  {}", crate::output::wrapped(&says, width - 2, 4)))?;
        }
        if guard.resources_losing > 0 && guard.to_partner.is_some() {
            out.line(format!(
                "  pec what-if transfer --subscription {} --to {} --at DAY",
                guard.subscription, guard.to_plan
            ))?;
        }
    }
    Ok(())
}

fn common(subscription: Guid, scopes: &[&Scope]) -> Scope {
    match scopes {
        [one] => (*one).clone(),
        several => {
            let groups: BTreeSet<Option<Scope>> = several.iter().map(|scope| scope.resource_group()).collect();
            let mut groups = groups.into_iter();
            match (groups.next(), groups.next()) {
                (Some(Some(group)), None) => group,
                _ => Scope::subscription_of(subscription),
            }
        }
    }
}

/// A resource as people read it, for both tables.
fn name(resource: &str) -> String {
    select::short_scope(resource)
}
