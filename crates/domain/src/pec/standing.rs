//! Who "we" are for a subscription under one plan: the billed partner and, by time, the reseller of record.
//!
//! Computed once for all stretches under the plan. Everything here goes by organisation, because PartnerIDs of one
//! organisation count as one; barring alone goes by the registered partner tenant.

use crate::channel::{Channel, Missing, Qualification};
use crate::commerce::{Began, Commerce, Placement};
use crate::entry::PartnerKind;
use crate::finding::{About, Code, Finding};
use crate::ids::{Guid, Identity};
use crate::order::aftermath::{Attachment, attachment};
use crate::order::location;
use crate::order::rules::{Attached as When, ByThen, Location};
use crate::partners::{Belongs, Organisation, Partners, Stated};
use crate::pec::qualify::clip;
use crate::period::{Instant, Interval, union};

/// What the partners of a subscription under one plan are, and when they may earn.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub subscription: Guid,
    /// The first stretch under the plan; all of them have its partner and customer.
    pub placement: Placement,
    /// When the subscription stood under the plan, in order.
    pub stretches: Vec<Interval>,
    /// The stretch that began when the subscription was created, if one did.
    pub created: Option<Interval>,
    /// When the billed partner is of a kind that receives credit.
    pub receiving: Vec<Interval>,
    /// The organisations whose access counts, by time.
    pub ours: Vec<Belongs>,
    pub membership: Vec<Interval>,
    pub barred: Vec<Interval>,
    /// The statements that say otherwise, and when.
    pub other_kind: Vec<(Interval, Identity)>,
    /// Resellers that were attached before they qualified, and until when.
    pub unqualified: Vec<Unqualified>,
    /// Resellers of whose qualification nothing is known.
    untold: Vec<Guid>,
    /// Resellers of record named by a PartnerID that is not the one of their onboarding.
    misplaced: Vec<(Box<str>, Location)>,
}

/// CHN-21: a reseller attached to a new subscription before it qualified. Existing subscriptions stay as
/// they are. Source: seed page on partner relationships (2020-05-12); the effect on credit is policy.
#[derive(Clone, Debug)]
pub(super) struct Unqualified {
    pub reseller: Guid,
    pub interval: Interval,
    pub events: Vec<Identity>,
    lacks: Vec<Missing>,
}

impl Standing {
    /// PEC-4: the billed partner earns when it or the plan's reseller of record, at that instant,
    /// holds the access; any other partner's access neither helps nor harms. Source:
    /// partner-earned-credit-troubleshoot (2022-01-25), partner-earned-credit-explanation (2023-04-13).
    pub(super) fn of(
        subscription: Guid,
        placement: &Placement,
        commerce: &Commerce,
        (partners, channel): (&Partners, &Channel),
    ) -> Self {
        let bill_to = placement.bill_to;
        let own = partners.organisations(bill_to).into_iter();
        let own = own.map(|(interval, organisation)| Belongs { interval, organisation, partner: Some(bill_to) });
        let mut ours: Vec<Belongs> = own.collect();
        let mut under: Vec<&Placement> = commerce.stretches(subscription, placement).collect();
        if !under.contains(&placement) {
            under = vec![placement];
        }
        let (mut unqualified, mut untold, mut misplaced) = (Vec::new(), Vec::new(), Vec::new());
        let changes = commerce.reseller_changes(placement.plan);
        let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([Instant::MAX_UTC]);
        for ((from, reseller_id), to) in changes.iter().zip(ends) {
            for belongs in reseller_id.iter().flat_map(|partner_id| partners.location(partner_id)) {
                let interval = belongs.interval.intersect(&Interval::new(*from, to));
                if !interval.is_empty() {
                    if let Some(reseller) = belongs.partner {
                        let attached = under.iter().map(|stretch| interval.intersect(&stretch.interval));
                        let attached: Vec<Interval> = attached.filter(|attached| !attached.is_empty()).collect();
                        for attached in &attached {
                            match attach(reseller, *attached, partners, channel) {
                                Attached::Untold => untold.push(reseller),
                                Attached::TooEarly(early) => unqualified.push(early),
                                Attached::Fine => {}
                            }
                        }
                        let named = reseller_id.as_deref().zip(attached.first());
                        let place = named
                            .map(|(named, then)| (named, location(channel, partners, (reseller, then.from), named)));
                        misplaced
                            .extend(place.filter(|(_, place)| place.is_misplaced()).map(|(id, it)| (id.into(), it)));
                    }
                    ours.push(Belongs { interval, ..belongs });
                }
            }
        }
        let (receiving, other_kind) = kinds(partners, bill_to);
        Self {
            subscription,
            placement: Placement::clone(under[0]),
            stretches: union(under.iter().map(|stretch| stretch.interval).collect()),
            created: under.iter().find(|stretch| stretch.began == Began::Created).map(|stretch| stretch.interval),
            receiving,
            ours,
            membership: partners.membership(bill_to),
            barred: partners.barred(bill_to),
            other_kind,
            unqualified,
            untold,
            misplaced,
        }
    }

    /// Every instant at which something that the judgement reads of the partners changes.
    pub(super) fn edges(&self) -> Vec<Instant> {
        let ours = self.ours.iter().map(|ours| ours.interval);
        let spans = ours.chain(self.membership.iter().copied()).chain(self.barred.iter().copied());
        let spans = spans.chain(self.receiving.iter().copied());
        let unqualified = self.unqualified.iter().map(|early| early.interval);
        spans.chain(unqualified).chain(self.stretches.iter().copied()).flat_map(|span| [span.from, span.to]).collect()
    }

    /// When an organisation counted as ours.
    pub(super) fn ours_when(&self, organisation: &Organisation) -> Vec<Interval> {
        let same = self.ours.iter().filter(|ours| ours.organisation == *organisation);
        union(same.map(|ours| ours.interval).collect())
    }

    /// Whether an organisation counts as ours at some instant of a stretch.
    pub(super) fn is_ours(&self, organisation: &Organisation, within: &[Interval]) -> bool {
        let mut same = self.ours.iter().filter(|ours| ours.organisation == *organisation);
        same.any(|ours| !clip(within, ours.interval).is_empty())
    }

    /// CHN-20: whether a PartnerID's owner, of an organisation of ours, has its account in another
    /// country than whoever of that organisation sells here. Source: link-partner-id (country of the
    /// PartnerID and of the account); what follows for the credit is not stated, so it counts.
    pub(super) fn is_foreign(&self, link: &Belongs, within: &[Interval], partners: &Partners) -> bool {
        let country = |partner: Option<Guid>| Some(partners.statement_at(partner?, within[0].from)?.country);
        let Some(linked) = country(link.partner) else { return false };
        let then = |ours: &&Belongs| !clip(within, ours.interval).is_empty();
        let same = self.ours.iter().filter(|ours| ours.organisation == link.organisation);
        let mut accounts = same.filter(then).peekable();
        accounts.peek().is_some() && accounts.all(|ours| country(ours.partner).is_some_and(|here| here != linked))
    }

    /// When a partner was a reseller that had not qualified yet.
    pub(super) fn unqualified(&self, partner: Guid) -> Vec<Interval> {
        let own = self.unqualified.iter().filter(|early| early.reseller == partner);
        union(own.map(|early| early.interval).collect())
    }

    /// What does not add up about the billed partner itself.
    pub(super) fn findings(&self, partners: &Partners) -> Vec<Finding> {
        let bill_to = self.placement.bill_to;
        let about = || About { bill_to: Some(bill_to), ..About::default() };
        let mut findings = Vec::new();
        if !partners.knows_membership(bill_to) {
            let detail = format!("no programme membership of partner {bill_to} is known; it counts as active");
            findings.push(Finding::new(Code::NoMembership, about(), detail));
        }
        let stated = partners.stated(bill_to);
        if stated.is_empty() {
            let about = About { plan: Some(self.placement.plan), ..about() };
            let detail = format!("plan {} is billed to {bill_to}, which was never registered", self.placement.plan);
            findings.push(Finding::new(Code::UnknownPartner, about, detail));
        }
        let then = stated.iter().filter(|one| !clip(&self.stretches, one.interval).is_empty());
        for one in then.filter(|one| one.statement.admin_agents.is_empty()) {
            let detail = format!("{} was registered without AdminAgents", one.statement.name);
            let finding = Finding::new(Code::UnknownAgents, about(), detail);
            findings.push(Finding { events: vec![one.event], ..finding });
        }
        findings.extend(self.resellers(partners));
        findings
    }

    /// What does not add up about the resellers.
    fn resellers(&self, partners: &Partners) -> Vec<Finding> {
        let (bill_to, plan) = (Some(self.placement.bill_to), Some(self.placement.plan));
        let name = |tenant: Guid| {
            partners.statement(tenant).map_or_else(|| tenant.to_string(), |(_, statement)| statement.name.to_string())
        };
        let untold = self.untold.iter().map(|reseller| {
            let about = About { bill_to, plan, ..About::default() };
            let detail = format!("nothing is known of the qualification of reseller {}", name(*reseller));
            Finding::new(Code::ResellerUntold, about, detail)
        });
        let early = self.unqualified.iter().map(|early| {
            let about = About { bill_to, plan, subscription: Some(self.subscription), ..About::default() };
            let lacks: Vec<&str> = early.lacks.iter().map(|what| what.text()).collect();
            let until = if lacks.is_empty() {
                format!("until {}", early.interval.to)
            } else {
                format!("and still lacks: {}", lacks.join(", "))
            };
            let detail = format!(
                "reseller {} was attached on {} before it qualified, {until}",
                name(early.reseller),
                early.interval.from
            );
            Finding { events: early.events.clone(), ..Finding::new(Code::UnqualifiedReseller, about, detail) }
        });
        let misplaced = self.misplaced.iter().map(|(partner_id, place)| {
            let about = About { bill_to, plan, ..About::default() };
            let (code, what) = match place {
                Location::Abroad => (Code::ForeignPartnerId, "of another country than"),
                Location::NotNamed | Location::Untold | Location::Same | Location::Other => {
                    (Code::ResellerLocation, "not the one of")
                }
            };
            let detail = format!("reseller of record {partner_id}: the PartnerID is {what} the reseller's onboarding");
            Finding::new(code, about, detail)
        });
        untold.chain(early).chain(misplaced).collect()
    }
}

/// PEC-7: only a partner that Microsoft bills receives credit: direct-bill or indirect provider, by the
/// statement of the time. Source: partner-earned-credit-troubleshoot (2022-01-25). An unregistered
/// partner is let pass here and is a blocking finding of its own.
fn kinds(partners: &Partners, bill_to: Guid) -> (Vec<Interval>, Vec<(Interval, Identity)>) {
    let stated = partners.stated(bill_to);
    let receives = |one: &&Stated| match one.statement.kind {
        PartnerKind::DirectBill | PartnerKind::Provider => true,
        PartnerKind::Reseller | PartnerKind::Other => false,
    };
    let always = stated.is_empty().then(|| Interval::new(Instant::MIN_UTC, Instant::MAX_UTC));
    let receiving = stated.iter().filter(receives).map(|one| one.interval).chain(always);
    let others = stated.iter().filter(|one| !receives(one)).map(|one| (one.interval, one.event));
    (union(receiving.collect()), others.collect())
}

/// How a reseller was attached.
enum Attached {
    Fine,
    Untold,
    TooEarly(Unqualified),
}

fn attach(reseller: Guid, attached: Interval, partners: &Partners, channel: &Channel) -> Attached {
    let qualification = channel.qualification(partners, reseller);
    let by_then = match &qualification {
        Qualification::Unknown => ByThen::Untold,
        Qualification::Since(since) if *since <= attached.from => ByThen::Yes,
        Qualification::Since(_) => ByThen::Later,
        Qualification::Lacks(_) => ByThen::Never,
    };
    let gated = crate::order::new_business_is_gated(attached.from);
    match attachment(if gated { When::Since } else { When::Before }, by_then) {
        Attachment::Untold => return Attached::Untold,
        Attachment::Fine => return Attached::Fine,
        Attachment::TooEarly => {}
    }
    let (until, lacks) = match qualification {
        Qualification::Since(since) => (since.min(attached.to), Vec::new()),
        Qualification::Lacks(lacks) => (attached.to, lacks),
        Qualification::Unknown => return Attached::Untold,
    };
    let interval = Interval::new(attached.from, until);
    Attached::TooEarly(Unqualified {
        reseller,
        interval,
        events: channel.qualification_events(partners, reseller),
        lacks,
    })
}
