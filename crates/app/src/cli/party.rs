//! `pec partner` and `pec customer`: the whole standing of one party on a day, what is missing for
//! the next order, and the steps to it.

mod showing;

use clap::{Args, Subcommand};
use domain::access::Access;
use domain::channel::{Qualification, State};
use domain::entry::{OrderDoor, OrderKind, OrderRequested, TransitionState};
use domain::ids::Guid;
use domain::order::{self, Desk, Held, Step};
use domain::period::{Day, Instant};
use domain::policy::RULES_VERSION;
use serde::Serialize;
use showing::{show_customer, show_partner};

use super::order::{ReasonRow, reason_row};
use super::start::fault;
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::Output;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec partner show Contoso\n  pec partner show Contoso --day 2026-01-31")]
pub struct Partner {
    #[command(subcommand)]
    action: PartnerAction,
}

#[derive(Subcommand, Debug)]
enum PartnerAction {
    /// A partner's standing on a day, and what it still has to do before the next order
    #[command(
        after_help = "Examples:\n  pec partner show 11111111-aaaa-4aaa-8aaa-111111111111\n  pec partner show Contoso --day 2026-01-31"
    )]
    Show {
        /// Tenant id, name, or a location PartnerID
        #[arg(value_name = "ID")]
        id: String,
        /// The day, at whose end everything is looked at (default: now)
        #[arg(long, value_parser = period::day)]
        day: Option<Day>,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  pec customer show Fabrikam\n  pec customer show Fabrikam --partner Contoso")]
pub struct Customer {
    #[command(subcommand)]
    action: CustomerAction,
}

#[derive(Subcommand, Debug)]
enum CustomerAction {
    /// A customer's standing on a day with each of its partners, and what is missing for its next order
    #[command(
        after_help = "Examples:\n  pec customer show 22222222-bbbb-4bbb-8bbb-222222222222\n  pec customer show Fabrikam --day 2026-01-31\n  pec customer show Fabrikam --partner Contoso"
    )]
    Show {
        /// Tenant id, or name
        #[arg(value_name = "ID")]
        id: String,
        /// The day, at whose end everything is looked at (default: now)
        #[arg(long, value_parser = period::day)]
        day: Option<Day>,
        /// With this partner, whether it ever dealt with the customer or not
        #[arg(long, value_name = "PARTNER")]
        partner: Option<String>,
    },
}

/// The document of `schemas/output/partner.v1.json`.
#[derive(Serialize)]
struct PartnerView {
    schema: &'static str,
    rules_version: u32,
    policy_revision: u32,
    partner: String,
    name: Option<String>,
    at: String,
    kind: &'static str,
    may: Rights,
    region: Option<&'static str>,
    state: &'static str,
    /// Since when it is in that state, where it is none of the good; whether its date brought it.
    state_since: Option<String>,
    state_by_date: bool,
    /// The harder state that is due, and when.
    next_state: Option<NextState>,
    /// Since when it may do new business as a reseller; absent where it is none or lacks something.
    qualified_since: Option<String>,
    member: bool,
    barred: bool,
    partner_ids: Vec<String>,
    works_with: Vec<String>,
    signed_for: Vec<String>,
    credit: Option<CreditRow>,
    steps: Vec<StepRow>,
    ready: bool,
}

#[derive(Serialize)]
struct NextState {
    state: &'static str,
    at: String,
}

/// What its kind may do at all.
#[derive(Serialize)]
struct Rights {
    billed: bool,
    order: bool,
    attest: bool,
    earn: bool,
}

#[derive(Serialize)]
struct CreditRow {
    limit: String,
    outstanding: String,
    currency: &'static str,
    stated_at: String,
}

#[derive(Serialize)]
struct StepRow {
    step: String,
    rule: &'static str,
    /// `done`, `open`, or `unknown` (counts as done, and should be published).
    state: &'static str,
    how: String,
}

/// The document of `schemas/output/customer.v1.json`.
#[derive(Serialize)]
struct CustomerView {
    schema: &'static str,
    rules_version: u32,
    policy_revision: u32,
    customer: String,
    name: Option<String>,
    at: String,
    market: Option<String>,
    region: Option<&'static str>,
    tenant: &'static str,
    /// Partners to whose group of companies it belongs.
    affiliated_to: Vec<String>,
    partners: Vec<WithPartner>,
}

#[derive(Serialize)]
struct WithPartner {
    partner: String,
    name: String,
    relationship: &'static str,
    /// Since when it stands, or has ended.
    relationship_since: Option<String>,
    agreement: bool,
    /// By whom it is known, and when.
    agreed: Option<AgreedRow>,
    /// How far a transition from the classic offer has come, where that was told.
    transition: Option<&'static str>,
    plans: Vec<PlanRow>,
    /// What the partner holds in the customer's tenant, whatever became of the relationship.
    holds: Vec<HeldRow>,
    steps: Vec<StepRow>,
    /// What the next order of an Azure plan, or of a subscription where there is a plan, would be answered.
    next_order: NextOrder,
}

#[derive(Serialize)]
struct AgreedRow {
    /// `attested` by the partner, or `accepted` by the customer itself.
    how: &'static str,
    at: String,
}

/// One right of a partner in the customer's tenant.
#[derive(Serialize)]
struct HeldRow {
    held_by: &'static str,
    holder: String,
    role: Option<String>,
    /// `None`: the whole tenant.
    scope: Option<String>,
    since: String,
    eligible_only: bool,
    /// It stayed although the relationship has ended.
    stayed: bool,
    events: Vec<String>,
}

#[derive(Serialize)]
struct PlanRow {
    plan: String,
    /// 0: sold direct; the PartnerID; -1: removed.
    reseller_of_record: String,
}

#[derive(Serialize)]
struct NextOrder {
    kind: &'static str,
    accepted: bool,
    reasons: Vec<ReasonRow>,
    remarks: Vec<ReasonRow>,
}

impl Partner {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let PartnerAction::Show { id, day } = &self.action;
        let now = context.ledger.clock().now().map_err(fault)?;
        let facts = context.ledger.facts().map_err(fault)?;
        let commerce = facts.commerce.view();
        let desk = Desk::new(&facts, &commerce);
        let at = end_of(*day, now);
        let partner = partner_named(&desk, id, at)?;
        let view = partner_view(&desk, partner, at);
        if context.json {
            out.json(&view)?;
            return Ok(Exit::Fine);
        }
        show_partner(&view, out)?;
        out.line(format!("Rules version {} · policy revision {}", view.rules_version, view.policy_revision))?;
        Ok(Exit::Fine)
    }
}

impl Customer {
    pub fn run(&self, context: &Context<'_>, out: &mut Output) -> anyhow::Result<Exit> {
        let CustomerAction::Show { id, day, partner } = &self.action;
        let now = context.ledger.clock().now().map_err(fault)?;
        let facts = context.ledger.facts().map_err(fault)?;
        let commerce = facts.commerce.view();
        let desk = Desk::new(&facts, &commerce);
        let at = end_of(*day, now);
        let customer = customer_named(&desk, id)?;
        let with = match partner {
            Some(named) => vec![partner_named(&desk, named, at)?],
            None => dealt_with(&desk, customer),
        };
        let access = facts.access.view(&commerce, &desk.partners);
        let view = customer_view(&desk, &access, customer, &with, at);
        if context.json {
            out.json(&view)?;
            return Ok(Exit::Fine);
        }
        show_customer(&view, out)?;
        out.line(format!("Rules version {} · policy revision {}", view.rules_version, view.policy_revision))?;
        Ok(Exit::Fine)
    }
}

/// The last instant of a day, or now.
fn end_of(day: Option<Day>, now: Instant) -> Instant {
    day.map_or(now, |day| day.interval().to - chrono::TimeDelta::nanoseconds(1))
}

fn same(name: &str, named: &str) -> bool {
    name.to_lowercase() == named.to_lowercase()
}

/// A partner by tenant, name or location PartnerID. A tenant that nobody registered is one too: what
/// it lacks is the answer.
fn partner_named(desk: &Desk<'_>, named: &str, at: Instant) -> Result<Guid, Problem> {
    if let Some(tenant) = Guid::parse(named) {
        return Ok(tenant);
    }
    let by_id = desk.partners.partner_at(named, at).map(|statement| statement.tenant);
    let by_name = || desk.partners.statements().find(|(_, one)| same(&one.name, named)).map(|(_, one)| one.tenant);
    by_id.or_else(by_name).ok_or_else(|| {
        let known: Vec<&str> = desk.partners.statements().map(|(_, one)| &*one.name).collect();
        Problem::refused(format!("no partner is called `{named}`")).hint(format!("there are: {}", known.join(", ")))
    })
}

fn customer_named(desk: &Desk<'_>, named: &str) -> Result<Guid, Problem> {
    if let Some(tenant) = Guid::parse(named) {
        return Ok(tenant);
    }
    let mut known = desk.commerce.customers().filter(|customer| same(&customer.name, named));
    match (known.next(), known.next()) {
        (Some(one), None) => Ok(one.customer),
        (Some(_), Some(_)) => {
            Err(Problem::refused(format!("several customers are called `{named}`"))
                .hint("write the customer's tenant id"))
        }
        (None, _) => Err(Problem::refused(format!("no customer is called `{named}`"))
            .hint("write its tenant id, or publish customer registered")),
    }
}

/// The partners that a customer has or had to do with.
fn dealt_with(desk: &Desk<'_>, customer: Guid) -> Vec<Guid> {
    let mut with: Vec<Guid> = desk.partners_of_customer(customer).to_vec();
    with.extend(desk.plans_of(customer).iter().map(|plan| plan.bill_to));
    with.sort_unstable();
    with.dedup();
    with
}

fn step_row(step: Step) -> StepRow {
    let state = match step.done {
        Some(true) => "done",
        Some(false) => "open",
        None => "unknown",
    };
    StepRow { step: step.step, rule: step.rule, state, how: step.how }
}

fn partner_view(desk: &Desk<'_>, partner: Guid, at: Instant) -> PartnerView {
    let statement = desk.partners.statement_at(partner, at);
    let qualification = desk.channel.qualification(&desk.partners, partner);
    let qualified_since = match qualification {
        Qualification::Since(since) if since <= at => Some(period::instant(since)),
        Qualification::Since(_) | Qualification::Lacks(_) | Qualification::Unknown => None,
    };
    let name = |tenant: Guid| {
        desk.partners.statement(tenant).map_or_else(|| tenant.to_string(), |(_, one)| one.name.to_string())
    };
    let steps: Vec<StepRow> = order::partner_steps(desk, partner, at).into_iter().map(step_row).collect();
    let rights = order::rights_of(desk, partner, at);
    let standing = desk.standing(partner, at);
    let bad = standing.state != State::Good;
    let holds = |spans: Vec<domain::period::Interval>| spans.iter().any(|span| span.contains(at));
    PartnerView {
        schema: "pec.partner.v1",
        rules_version: RULES_VERSION,
        policy_revision: desk.policy(at).revision,
        partner: partner.to_string(),
        name: statement.map(|statement| statement.name.to_string()),
        at: period::instant(at),
        kind: order::seller_text(desk, partner, at),
        may: Rights { billed: rights.billed, order: rights.orders, attest: rights.attests, earn: rights.earns },
        region: statement.and_then(|one| domain::regions::of(one.country)).map(domain::regions::Region::name),
        state: standing.state.text(),
        state_since: standing.since.filter(|_| bad).map(period::instant),
        state_by_date: standing.by_date,
        next_state: standing.next.map(|(next, due)| NextState { state: next.text(), at: period::instant(due) }),
        qualified_since,
        member: holds(desk.partners.membership(partner)),
        barred: holds(desk.partners.barred(partner)),
        partner_ids: statement
            .map(|one| one.partner_ids.iter().filter(|id| id.holds_at(at)).map(|id| id.value.to_string()).collect())
            .unwrap_or_default(),
        works_with: desk.channel.partners_of(partner, at).into_iter().map(name).collect(),
        signed_for: {
            let signed = desk.channel.signatures(partner).iter().filter(|stated| stated.at <= at);
            signed.map(|stated| format!("{} ({})", stated.value, Day::of(stated.at))).collect()
        },
        credit: desk.channel.credit(partner, at).map(|stated| CreditRow {
            limit: stated.value.limit.to_string(),
            outstanding: stated.value.outstanding.to_string(),
            currency: "USD",
            stated_at: period::instant(stated.at),
        }),
        ready: steps.iter().all(|step| step.state != "open"),
        steps,
    }
}

fn customer_view(desk: &Desk<'_>, access: &Access, customer: Guid, with: &[Guid], at: Instant) -> CustomerView {
    let market = desk.commerce.market(customer);
    CustomerView {
        schema: "pec.customer.v1",
        rules_version: RULES_VERSION,
        policy_revision: desk.policy(at).revision,
        customer: customer.to_string(),
        name: desk.commerce.customer(customer).map(|known| known.name.to_string()),
        at: period::instant(at),
        market: market.map(|market| market.to_string()),
        region: market.and_then(domain::regions::of).map(domain::regions::Region::name),
        tenant: order::tenant_text(desk, customer, at),
        affiliated_to: {
            let groups = desk.channel.affiliations(customer, at);
            groups.map(|stated| party_name(desk, stated.value.partner)).collect()
        },
        partners: with.iter().map(|partner| with_partner(desk, access, customer, *partner, at)).collect(),
    }
}

fn party_name(desk: &Desk<'_>, tenant: Guid) -> String {
    desk.partners.statement(tenant).map_or_else(|| tenant.to_string(), |(_, one)| one.name.to_string())
}

/// The order that comes next: a subscription where there is a plan, else the plan.
fn next_order(desk: &Desk<'_>, customer: Guid, partner: Guid, at: Instant) -> OrderRequested {
    let own = desk.plans_of(customer).iter().filter(|plan| plan.bill_to == partner && plan.at <= at);
    let newest = own.max_by_key(|plan| plan.at);
    let reseller = newest.and_then(|plan| desk.commerce.reseller_at(plan.plan, at)).map(Into::into);
    OrderRequested {
        order: "next".into(),
        kind: if newest.is_some() { OrderKind::AzureSubscription } else { OrderKind::AzurePlan },
        customer,
        partner,
        reseller: reseller.or_else(|| order::reseller_of(desk, customer, partner, at)),
        counterpart: None,
        plan: newest.map(|plan| plan.plan),
        subscription: None,
        amount: None,
        door: OrderDoor::Portal,
        attestation: None,
        at,
        term_ends_at: None,
    }
}

fn with_partner(desk: &Desk<'_>, access: &Access, customer: Guid, partner: Guid, at: Instant) -> WithPartner {
    let related = desk.channel.relationship(customer, partner, at);
    let relationship = match related {
        None => "none",
        Some(stated) if stated.value.is_some() => "standing",
        Some(_) => "ended",
    };
    let own = desk.plans_of(customer).iter().filter(|plan| plan.bill_to == partner && plan.at <= at);
    let next = next_order(desk, customer, partner, at);
    let answer = order::judge(desk, &next);
    let agreed = desk.agreed(customer, partner, at);
    WithPartner {
        partner: partner.to_string(),
        name: party_name(desk, partner),
        relationship,
        relationship_since: related.map(|stated| period::instant(stated.at)),
        agreement: agreed.is_some(),
        agreed: agreed.map(|agreed| AgreedRow {
            how: if agreed.attested { "attested" } else { "accepted" },
            at: period::instant(agreed.at),
        }),
        transition: desk.channel.transition(customer, partner, at).map(|stated| match stated.value {
            TransitionState::Pending => "pending",
            TransitionState::InProgress => "in-progress",
            TransitionState::Failed => "failed",
            TransitionState::Completed => "completed",
        }),
        plans: own
            .map(|plan| PlanRow {
                plan: plan.plan.to_string(),
                reseller_of_record: order::reseller_of_record(desk.commerce, plan.plan, at),
            })
            .collect(),
        holds: order::held(desk, access, customer, partner, at).into_iter().map(held_row).collect(),
        steps: order::customer_steps(desk, customer, partner, at).into_iter().map(step_row).collect(),
        next_order: NextOrder {
            kind: next.kind.text(),
            accepted: answer.accepted(),
            reasons: answer.reasons.iter().map(reason_row).collect(),
            remarks: answer.remarks.iter().map(reason_row).collect(),
        },
    }
}

fn held_row(held: Held) -> HeldRow {
    HeldRow {
        held_by: held.by.text(),
        holder: held.holder.to_string(),
        role: held.role.map(domain::roles::name),
        scope: held.scope.map(|scope| scope.as_str().to_owned()),
        since: period::instant(held.since),
        eligible_only: held.eligible_only,
        stayed: held.stayed,
        events: held.events.iter().map(ToString::to_string).collect(),
    }
}
