//! `pec partner` and `pec customer`: the whole standing of one party on a day, what is missing for
//! the next order, and the steps to it.

use clap::{Args, Subcommand};
use domain::access::Access;
use domain::channel::{Qualification, State};
use domain::entry::{OrderDoor, OrderKind, OrderRequested, TransitionState};
use domain::ids::Guid;
use domain::order::{self, Desk, Held, Step};
use domain::period::{Day, Instant};
use serde::Serialize;

use super::order::{ReasonRow, reason_row};
use super::start::fault;
use super::{Context, period};
use crate::exit::{Exit, Problem};
use crate::output::{Output, left, table};

#[derive(Args, Debug)]
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
    since: Option<String>,
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
    let statement = desk.partners.statement(partner).map(|(_, statement)| statement);
    let qualification = desk.channel.qualification(&desk.partners, partner);
    let qualified_since = match qualification {
        Qualification::Since(since) if since <= at => Some(period::instant(since)),
        Qualification::Since(_) | Qualification::Lacks(_) | Qualification::Unknown => None,
    };
    let name = |tenant: Guid| {
        desk.partners.statement(tenant).map_or_else(|| tenant.to_string(), |(_, one)| one.name.to_string())
    };
    let steps: Vec<StepRow> = order::partner_steps(desk, partner, at).into_iter().map(step_row).collect();
    let rights = order::rights_of(desk, partner);
    let standing = desk.standing(partner, at);
    let bad = standing.state != State::Good;
    let holds = |spans: Vec<domain::period::Interval>| spans.iter().any(|span| span.contains(at));
    PartnerView {
        schema: "pec.partner.v1",
        partner: partner.to_string(),
        name: statement.map(|statement| statement.name.to_string()),
        at: period::instant(at),
        kind: order::seller_text(desk, partner),
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
        since: held.since.map(period::instant),
        eligible_only: held.eligible_only,
        stayed: held.stayed,
        events: held.events.iter().map(ToString::to_string).collect(),
    }
}

fn show_steps(steps: &[StepRow], out: &mut Output) -> anyhow::Result<()> {
    let mut list = table(&["", "step", "rule", "what to do"]);
    for step in steps {
        let (mark, how) = match step.state {
            "done" => ("✓", ""),
            "unknown" => ("?", step.how.as_str()),
            _ => ("✗", step.how.as_str()),
        };
        list.add_row([left(mark), left(&step.step), left(step.rule), left(how)]);
    }
    Ok(out.table(list)?)
}

fn show_partner(view: &PartnerView, out: &mut Output) -> anyhow::Result<()> {
    let name = view.name.as_deref().unwrap_or("never registered");
    out.heading(&format!("{name} ({}) at {}", view.partner, view.at))?;
    let since = view.state_since.as_deref().map(|since| format!(" since {}", day(since))).unwrap_or_default();
    let how = if view.state_by_date { ", by its date" } else { "" };
    out.line(format!("{}, {}, {}{since}{how}", view.kind, view.region.unwrap_or("no region"), view.state))?;
    if let Some(next) = &view.next_state {
        out.line(format!("{} from {} on, unless it is reinstated", next.state, day(&next.at)))?;
    }
    let may = [
        (view.may.billed, "is billed"),
        (view.may.order, "orders"),
        (view.may.attest, "attests"),
        (view.may.earn, "earns"),
    ];
    let may: Vec<&str> = may.iter().filter(|(yes, _)| *yes).map(|(_, word)| *word).collect();
    out.line(format!(
        "by its kind: {}",
        match (may.is_empty(), view.kind) {
            (false, _) => may.join(", "),
            (true, "reseller") => "sells through a provider, which is billed, orders, attests and earns".to_owned(),
            (true, _) => "is not billed, does not order, attest or earn; it may be hired to manage".to_owned(),
        }
    ))?;
    let or_none = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    out.line(format!("PartnerIDs: {}", or_none(&view.partner_ids)))?;
    out.line(format!("works with: {}", or_none(&view.works_with)))?;
    out.line(format!("partner agreement: {}", or_none(&view.signed_for)))?;
    let member = if view.member { "a programme member" } else { "no programme member" };
    let barred = if view.barred { ", barred from credit" } else { "" };
    out.line(format!("{member}{barred}"))?;
    if let Some(since) = &view.qualified_since {
        out.line(format!("qualified as a reseller since {}", day(since)))?;
    }
    if let Some(credit) = &view.credit {
        out.line(format!(
            "credit: {} {currency} of {} {currency} outstanding, stated {}",
            credit.outstanding,
            credit.limit,
            credit.stated_at,
            currency = credit.currency
        ))?;
    }
    out.line("")?;
    show_steps(&view.steps, out)?;
    let sentence =
        if view.ready { "Nothing is missing on its side." } else { "Open steps stand against the next order." };
    out.line(sentence)?;
    Ok(())
}

fn show_customer(view: &CustomerView, out: &mut Output) -> anyhow::Result<()> {
    let name = view.name.as_deref().unwrap_or("never registered");
    out.heading(&format!("{name} ({}) at {}", view.customer, view.at))?;
    out.line(format!(
        "tenant {}, market {}, {}",
        view.tenant,
        view.market.as_deref().unwrap_or("not known"),
        view.region.unwrap_or("no region")
    ))?;
    if view.partners.is_empty() {
        out.line("No partner has a relationship or a plan with this customer; ask about one with --partner.")?;
    }
    if !view.affiliated_to.is_empty() {
        out.line(format!("belongs to the group of {}", view.affiliated_to.join(", ")))?;
    }
    for with in &view.partners {
        show_with(with, out)?;
    }
    Ok(())
}

fn show_with(with: &WithPartner, out: &mut Output) -> anyhow::Result<()> {
    out.line("")?;
    out.heading(&format!("With {} ({})", with.name, with.partner))?;
    let since = with.relationship_since.as_deref().map(|since| format!(" since {}", day(since))).unwrap_or_default();
    let agreement = with.agreed.as_ref().map_or_else(
        || "no agreement that counts".to_owned(),
        |agreed| match agreed.how {
            "attested" => format!("agreement attested by the partner on {}", day(&agreed.at)),
            _ => format!("agreement accepted by the customer on {}", day(&agreed.at)),
        },
    );
    out.line(format!("relationship {}{since}, {agreement}", with.relationship))?;
    if let Some(transition) = with.transition {
        out.line(format!("transition from 0145P: {transition}"))?;
    }
    for plan in &with.plans {
        let shown = match plan.reseller_of_record.as_str() {
            "0" => "0 (sold direct)".to_owned(),
            "-1" => "-1 (removed)".to_owned(),
            id => id.to_owned(),
        };
        out.line(format!("plan {}, reseller of record {shown}", plan.plan))?;
    }
    show_held(with, out)?;
    show_steps(&with.steps, out)?;
    let next = &with.next_order;
    let verdict = if next.accepted { "would be accepted" } else { "would be refused" };
    out.line(format!("The next order ({}) {verdict}.", next.kind))?;
    for (word, reasons) in [("missing", &next.reasons), ("remark", &next.remarks)] {
        for reason in reasons {
            let error = reason.error.map(|error| format!(", error {error}")).unwrap_or_default();
            out.line(format!("  {word}: {} ({}{error})", reason.detail, reason.rule))?;
            if word == "missing" {
                out.line(format!("    do: {}", reason.instead.join("; or ")))?;
                out.line(format!("    source: {}", reason.source))?;
            }
        }
    }
    Ok(())
}

/// The day of a time that is printed, for people.
fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

/// The beginning of an id, for people; JSON has it whole.
fn short(id: &str) -> String {
    id.split('-').next().map_or_else(|| id.to_owned(), |first| format!("{first}…"))
}

/// What the partner holds of the customer; what stayed after the end is said in words.
fn show_held(with: &WithPartner, out: &mut Output) -> anyhow::Result<()> {
    if with.holds.is_empty() {
        out.line("holds nothing in the customer's tenant, as far as was told")?;
        return Ok(());
    }
    let mut list = table(&["holds", "by", "scope", "since", ""]);
    for held in &with.holds {
        let eligible = if held.eligible_only { " (on request)" } else { "" };
        let role = held.role.as_deref().unwrap_or("administration");
        list.add_row([
            left(format!("{role}{eligible}")),
            left(format!("{} {}", held.held_by, short(&held.holder))),
            left(held.scope.as_deref().map_or("the whole tenant", |scope| scope.trim_start_matches("/subscriptions/"))),
            left(held.since.as_deref().map_or("before anything was told", day)),
            left(if held.stayed { "stayed after the end" } else { "" }),
        ]);
    }
    out.table(list)?;
    if with.holds.iter().any(|held| held.stayed) {
        out.line("Ending a relationship takes no right away (CHN-13): the customer removes what it no longer wants.")?;
    }
    Ok(())
}
