//! Random events of every canonical kind, for tests that must hold for all of them.
//!
//! Values are such as a decoder gives back: times without an inclusive end, scopes normalised,
//! groups only where no resource is named. What Azure writes itself is not made here.

use domain::entry::*;
use domain::ids::{Currency, Digest, Guid, Identity, Market, MeterId};
use domain::period::{Day, Instant, Period};
use domain::scope::Scope;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;

use journal::wire::{Envelope, identity};

pub fn guid() -> impl Strategy<Value = Guid> {
    any::<u128>().prop_map(Guid)
}

/// Names with the characters that break careless writers: quotes, backslashes, other alphabets.
pub fn name() -> impl Strategy<Value = Box<str>> {
    "[a-zA-Z0-9äß€日😀\"\\\\/_.:-][a-zA-Z0-9 äß€日😀\"\\\\/_.:-]{0,30}".prop_map(Into::into)
}

pub fn words() -> impl Strategy<Value = Box<str>> {
    "[a-zA-Z0-9 \n\täß€日😀\"\\\\/_.:-]{0,60}".prop_map(Into::into)
}

pub fn reason() -> impl Strategy<Value = Box<str>> {
    (name(), words()).prop_map(|(first, rest)| format!("{first}{rest}").into())
}

pub fn instant() -> impl Strategy<Value = Instant> {
    let nanos = prop_oneof![Just(0_u32), 0..1_000_000_000_u32];
    (0_i64..4_000_000_000, nanos).prop_map(|(second, nanos)| Instant::from_timestamp(second, nanos).unwrap())
}

pub fn day() -> impl Strategy<Value = Day> {
    (-30_000_i32..100_000).prop_map(Day)
}

pub fn period() -> impl Strategy<Value = Period> {
    (1_i32..=9999, 1_u32..=12).prop_map(|(year, month)| Period::new(year, month).unwrap())
}

/// Any exact number of at most 28 digits.
pub fn number() -> impl Strategy<Value = Decimal> {
    let most = 10_i128.pow(28) - 1;
    (prop_oneof![-most..=most, -1_000_000_i128..1_000_000], 0_u32..=28)
        .prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale).normalize())
}

pub fn not_negative() -> impl Strategy<Value = Decimal> {
    number().prop_map(|number| number.abs())
}

/// At most 15 digits before the point.
pub fn signed_quantity() -> impl Strategy<Value = Decimal> {
    let most = 10_i128.pow(15) - 1;
    (-most..=most, 0_u32..=28).prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale).normalize())
}

pub fn quantity() -> impl Strategy<Value = Decimal> {
    signed_quantity().prop_map(|number| number.abs())
}

pub fn scope() -> impl Strategy<Value = Scope> {
    let below = prop_oneof![
        Just(String::new()),
        Just("/resourceGroups/RG-prod".to_owned()),
        "/resourceGroups/[a-zA-Zäß]{1,8}/providers/Microsoft\\.[A-Z][a-z]{2,8}/[a-z]{2,8}/[a-zA-Z0-9-]{1,12}",
    ];
    (guid(), below).prop_map(|(guid, below)| Scope::parse(&format!("/subscriptions/{guid}{below}")))
}

pub fn meter() -> impl Strategy<Value = MeterId> {
    prop_oneof![guid().prop_map(MeterId::Guid), "[0-9]{1,2}core".prop_map(|word| MeterId::parse(&word))]
}

pub fn currency() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_map(|code| Currency::parse(&code).unwrap())
}

pub fn market() -> impl Strategy<Value = Market> {
    "[A-Z]{2}".prop_map(|code| Market::parse(&code).unwrap())
}

pub fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn decision() -> impl Strategy<Value = Decision> {
    (reason(), words(), instant()).prop_map(|(actor, reason, at)| Decision { actor, reason, at })
}

prop_compose! {
    pub fn usage()(
        customer in guid(), plan in option::of(guid()), subscription in guid(),
        resource in option::of(scope()), group in option::of("[a-zäß0-9-]{1,12}"), meter in meter(),
        product in option::of(name()), sku in option::of(name()), day in 0_i32..40_000,
        seconds in (0_i64..86_398).prop_flat_map(|start| (Just(start), start + 1..=86_400)),
        quantity in quantity(), unit in name(),
    ) -> Usage {
        // The last second of a day is read as the midnight after it.
        let end = if seconds.1 == 86_399 { 86_400 } else { seconds.1 };
        let at = |second| Day(day).start() + chrono::TimeDelta::seconds(second);
        Usage {
            customer, plan, subscription,
            resource_group: group.filter(|_| resource.is_none()).map(Into::into),
            resource, meter, product, sku, start: at(seconds.0), end: at(end), quantity, unit, sent: None,
        }
    }
}

prop_compose! {
    fn grant()(principal in guid(), principal_type in option::of(name()), role in guid(), condition in option::of(words())) -> GrantFacts {
        GrantFacts { principal, principal_type, role, condition }
    }
}

prop_compose! {
    fn listing()(
        scope in scope(), at in instant(), complete in any::<bool>(), of in name(), number in any::<u32>(), count in any::<u32>(),
        assignments in vec((guid(), scope(), grant(), option::of(instant())), 0..3),
    ) -> AssignmentsListed {
        let assignments = assignments.into_iter().map(|(assignment, scope, facts, created_at)| {
            ListedAssignment { assignment, scope, facts, created_at }
        });
        AssignmentsListed { scope, at, complete, part: Part { of, number, count }, assignments: assignments.collect() }
    }
}

prop_compose! {
    fn delegation()(
        delegation in guid(), scope in scope(), managing_tenant in guid(), marketplace_offer in any::<bool>(),
        authorizations in vec((guid(), guid(), any::<bool>()), 1..3), at in instant(),
    ) -> Delegation {
        let authorizations = authorizations
            .into_iter()
            .map(|(principal, role, eligible_only)| Authorization { principal, role, eligible_only });
        Delegation { delegation, scope, managing_tenant, marketplace_offer, authorizations: authorizations.collect(), at }
    }
}

prop_compose! {
    fn schedule()(
        schedule in guid(), scope in scope(), principal in guid(), principal_type in option::of(name()), role in guid(),
        eligible_only in any::<bool>(), start in instant(), end in option::of(instant()), provisioned_at in instant(),
    ) -> Schedule {
        Schedule { schedule, scope, principal, principal_type, role, eligible_only, start, end, provisioned_at }
    }
}

fn access() -> impl Strategy<Value = Event> {
    let life = || (guid(), scope(), instant());
    prop_oneof![
        (life(), grant()).prop_map(|((assignment, scope, at), facts)| {
            Event::AssignmentCreated(AssignmentCreated { assignment, scope, facts, at })
        }),
        life().prop_map(|(assignment, scope, at)| Event::AssignmentDeleted(AssignmentDeleted {
            assignment,
            scope,
            at
        })),
        listing().prop_map(Event::AssignmentsListed),
        delegation().prop_map(Event::DelegationChanged),
        life().prop_map(|(delegation, scope, at)| Event::DelegationDeleted(DelegationDeleted {
            delegation,
            scope,
            at
        })),
        schedule().prop_map(Event::ScheduleCreated),
        life().prop_map(|(schedule, scope, at)| Event::ScheduleCancelled(ScheduleCancelled { schedule, scope, at })),
        (guid(), guid(), name(), instant()).prop_map(|(principal, tenant, partner_id, at)| {
            Event::PalLinked(PalLinked { principal, tenant, partner_id, at })
        }),
        (guid(), guid(), instant())
            .prop_map(|(principal, tenant, at)| { Event::PalUnlinked(PalUnlinked { principal, tenant, at }) }),
        estate(),
    ]
}

/// The id of a resource, of a group, or of a subscription.
fn existing() -> impl Strategy<Value = Scope> {
    let below = prop_oneof![
        Just(String::new()),
        "/resourceGroups/[a-zA-Zäß]{1,8}",
        "/resourceGroups/[a-zA-Zäß]{1,8}/providers/Microsoft\\.[A-Z][a-z]{2,8}/[a-z]{2,8}/[a-zA-Z0-9-]{1,12}",
        "/providers/Microsoft\\.[A-Z][a-z]{2,8}/[a-z]{2,8}/[a-zA-Z0-9-]{1,12}",
    ];
    (guid(), below).prop_map(|(guid, below)| Scope::parse(&format!("/subscriptions/{guid}{below}")))
}

/// Two ids of one level, both in a group.
fn from_and_to() -> impl Strategy<Value = (Scope, Scope)> {
    let below = prop_oneof![Just(""), Just("/providers/Microsoft.Web/sites/Shop")];
    let group = || (guid(), "[a-zA-Zäß]{1,8}");
    (group(), group(), below).prop_map(|(from, to, below)| {
        let id = |(guid, group): (Guid, String)| format!("/subscriptions/{guid}/resourceGroups/{group}{below}");
        (Scope::parse(&id(from)), Scope::parse(&id(to)))
    })
}

fn management_group() -> impl Strategy<Value = Scope> {
    "[a-zA-Z0-9.-]{1,12}"
        .prop_map(|name| Scope::parse(&format!("/providers/Microsoft.Management/managementGroups/{name}")))
}

prop_compose! {
    fn deny()(
        deny in guid(), scope in scope(), principals in vec(guid(), 1..3), excluded in vec(guid(), 0..3),
        actions in vec(name(), 0..3), not_actions in vec(name(), 0..3), only_there in any::<bool>(), at in instant(),
    ) -> DenyAssignment {
        DenyAssignment { deny, scope, principals, excluded, actions, not_actions, only_there, at }
    }
}

fn estate() -> impl Strategy<Value = Event> {
    let child = prop_oneof![management_group(), guid().prop_map(Scope::subscription_of)];
    prop_oneof![
        deny().prop_map(Event::DenyAssigned),
        (guid(), scope(), instant())
            .prop_map(|(deny, scope, at)| { Event::DenyRemoved(DenyAssignmentDeleted { deny, scope, at }) }),
        (guid(), guid(), instant(), option::of(instant())).prop_map(|(group, member, at, until)| {
            Event::GroupMemberAdded(GroupMemberAdded { group, member, at, until })
        }),
        (guid(), guid(), instant())
            .prop_map(|(group, member, at)| { Event::GroupMemberRemoved(GroupMemberRemoved { group, member, at }) }),
        (guid(), instant()).prop_map(|(principal, at)| Event::PrincipalDeleted(PrincipalDeleted { principal, at })),
        (existing(), instant()).prop_map(|(scope, at)| Event::ScopeCreated(ScopeChange { scope, at })),
        (existing(), instant()).prop_map(|(scope, at)| Event::ScopeDeleted(ScopeChange { scope, at })),
        (from_and_to(), instant()).prop_map(|((from, to), at)| Event::ScopeMoved(ScopeMoved { from, to, at })),
        (guid(), guid(), instant()).prop_map(|(subscription, to_tenant, at)| {
            Event::SubscriptionMoved(SubscriptionMoved { subscription, to_tenant, at })
        }),
        (child, option::of(management_group()), option::of(management_group()), instant())
            .prop_map(|(child, parent, left, at)| Event::TreeChanged(TreeChange { child, parent, left, at })),
    ]
}

fn commerce() -> impl Strategy<Value = Event> {
    let offer = prop_oneof![Just(Offer::AzurePlan), Just(Offer::DevTest), Just(Offer::Legacy)];
    prop_oneof![
        (guid(), name(), market(), instant()).prop_map(|(customer, name, market, at)| {
            Event::CustomerRegistered(CustomerRegistered { customer, name, market, at })
        }),
        (guid(), guid(), guid(), option::of(name()), instant()).prop_map(|(plan, customer, bill_to, reseller, at)| {
            Event::PlanCreated(PlanCreated { plan, customer, bill_to, reseller, at })
        }),
        (guid(), guid(), name(), offer, instant()).prop_map(|(subscription, plan, name, offer, at)| {
            Event::SubscriptionCreated(SubscriptionCreated { subscription, plan, name, offer, at })
        }),
        (guid(), instant()).prop_map(|(subscription, at)| {
            Event::SubscriptionCancelled(SubscriptionCancelled { subscription, at })
        }),
        (guid(), guid(), instant()).prop_map(|(subscription, to_plan, at)| {
            Event::TransferCompleted(TransferCompleted { subscription, to_plan, at })
        }),
        (guid(), option::of(name()), instant()).prop_map(|(plan, reseller, at)| {
            Event::ResellerOfRecordSet(ResellerOfRecordSet { plan, reseller, at })
        }),
    ]
}

fn lives() -> impl Strategy<Value = Event> {
    let plan = || (guid(), instant()).prop_map(|(plan, at)| PlanChange { plan, at });
    let subscription = || (guid(), instant()).prop_map(|(subscription, at)| SubscriptionChange { subscription, at });
    let moved =
        || (guid(), guid(), instant()).prop_map(|(subscription, to_plan, at)| Move { subscription, to_plan, at });
    prop_oneof![
        plan().prop_map(Event::PlanSuspended),
        plan().prop_map(Event::PlanReactivated),
        plan().prop_map(Event::PlanCancelled),
        subscription().prop_map(Event::SubscriptionSuspended),
        subscription().prop_map(Event::SubscriptionResumed),
        moved().prop_map(Event::SubscriptionTransitioned),
        moved().prop_map(Event::TransferRequested),
        moved().prop_map(Event::TransferCancelled),
    ]
}

prop_compose! {
    fn coverage()(
        ids in (guid(), guid(), guid()), resource in option::of(scope()), meter in meter(), product in option::of(name()),
        sku in option::of(name()), unit in name(), day in 0_i32..40_000, quantity in quantity(),
        benefit in prop_oneof![Just(Benefit::Reservation), Just(Benefit::SavingsPlan)], order in name(),
    ) -> CoverageRecorded {
        let (customer, plan, subscription) = ids;
        CoverageRecorded {
            customer, plan, subscription, resource, meter, product, sku, unit, day: Day(day), quantity, benefit, order,
        }
    }
}

prop_compose! {
    fn charge()(
        order in name(),
        action in prop_oneof![
            Just(ChargeAction::New), Just(ChargeAction::Renew), Just(ChargeAction::CancelImmediate), Just(ChargeAction::MoveQuantity)
        ],
        kind in prop_oneof![
            Just(ChargeKind::Reservation), Just(ChargeKind::SavingsPlan), Just(ChargeKind::Marketplace), Just(ChargeKind::ThirdParty)
        ],
        ids in (guid(), guid()), names in (name(), words(), name(), words()), unit_price in not_negative(), quantity in quantity(),
        term in prop_oneof![Just(Term::None), Just(Term::Month), Just(Term::Year), Just(Term::ThreeYears), Just(Term::FiveYears)],
        billing in prop_oneof![Just(Billing::OneTime), Just(Billing::Monthly)], at in instant(),
    ) -> ChargeRecorded {
        let ((customer, plan), (product, product_title, sku, sku_title)) = (ids, names);
        ChargeRecorded {
            order, action, kind, customer, plan, product, product_title, sku, sku_title, unit_price, quantity, term, billing, at,
        }
    }
}

fn charges() -> impl Strategy<Value = Event> {
    let credit = (
        (name(), name(), guid(), guid()),
        (option::of(guid()), option::of(scope()), not_negative()),
        (0_i32..40_000, 0_i32..40_000),
    );
    prop_oneof![
        coverage().prop_map(Event::CoverageRecorded),
        charge().prop_map(Event::ChargeRecorded),
        credit.prop_map(|((grant, name, bill_to, customer), (plan, scope, amount), (from, until))| {
            let (from, until) = (Day(from), Day(until));
            Event::AzureCreditGranted(AzureCreditGranted {
                grant,
                name,
                bill_to,
                customer,
                plan,
                scope,
                amount,
                from,
                until,
            })
        }),
        (name(), guid(), guid(), not_negative(), name(), instant()).prop_map(
            |(refund, customer, plan, amount, reason, at)| {
                Event::RefundGranted(RefundGranted { refund, customer, plan, amount, reason, at })
            }
        ),
    ]
}

fn dated<T: std::fmt::Debug + Clone>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<Dated<T>>> {
    let times = (option::of(instant()), option::of(instant()));
    vec((value, times).prop_map(|(value, (since, until))| Dated { value, since, until }), 0..3)
}

prop_compose! {
    fn partner()(
        tenant in guid(), name in name(), organisation in name(),
        kind in prop_oneof![Just(PartnerKind::DirectBill), Just(PartnerKind::Provider), Just(PartnerKind::Reseller), Just(PartnerKind::Other)],
        country in market(), billing_currency in currency(), partner_ids in dated(name()),
        lists in (dated(guid()), dated(guid()), dated(guid()), dated(guid())), at in instant(),
    ) -> PartnerRegistered {
        let (admin_agents, helpdesk_agents, managing_tenants, identities) = lists;
        PartnerRegistered {
            tenant, name, organisation, kind, country, billing_currency, partner_ids, admin_agents, helpdesk_agents,
            managing_tenants, identities, at,
        }
    }
}

fn price_kind() -> impl Strategy<Value = PriceKind> {
    prop_oneof![
        Just(PriceKind::Consumption),
        Just(PriceKind::DevTest),
        Just(PriceKind::Reservation),
        Just(PriceKind::SavingsPlan)
    ]
}

prop_compose! {
    pub fn price_row()(
        names in (name(), words(), name(), words()), meters in vec(meter(), 1..3), kind in price_kind(), unit in name(),
        currency in currency(), unit_price in not_negative(), above in not_negative(), up_to in option::of(not_negative()),
        from in day(), until in day(), tags in vec(name(), 0..3),
    ) -> PriceRow {
        let (product, product_title, sku, sku_title) = names;
        PriceRow { product, product_title, sku, sku_title, meters, kind, unit, currency, unit_price, above, up_to, from, until, tags }
    }
}

fn policy() -> impl Strategy<Value = PolicyDocument> {
    let said = |field: &domain::policy::Field, which: usize| match field.values {
        domain::policy::Values::OneOf(words) => words[which % words.len()].into(),
        domain::policy::Values::Fraction => ["0", "1", "0.15", "0.000001", "1.0"][which % 5].into(),
        domain::policy::Values::UpTo(most) => (which as u32 % (most + 1)).to_string().into_boxed_str(),
        domain::policy::Values::Date => ["2019-08-01", "2024-02-29"][which % 2].into(),
        domain::policy::Values::Meters => ["", "m-1 m-2", "  "][which % 3].into(),
    };
    let fields = proptest::sample::subsequence(domain::policy::FIELDS, 0..=domain::policy::FIELDS.len());
    let settings = (fields, any::<u16>(), proptest::option::of(guid())).prop_map(move |(fields, which, role)| {
        let which = usize::from(which);
        let named = fields.iter().map(|field| PolicySetting { name: field.name.into(), value: said(field, which) });
        let role = role.map(|role| PolicySetting {
            name: format!("{}{role}", domain::policy::ROLE_PREFIX).into(),
            value: said(&domain::policy::ROLES, which),
        });
        named.chain(role).collect::<Vec<_>>()
    });
    (any::<u32>(), day(), settings).prop_map(|(revision, effective_from, settings)| PolicyDocument {
        revision,
        effective_from,
        settings,
    })
}

fn reference() -> impl Strategy<Value = Event> {
    let membership = || (guid(), instant()).prop_map(|(partner, at)| MembershipChange { partner, at });
    let standing =
        || (guid(), reason(), instant()).prop_map(|(partner, reason, at)| PartnerStanding { partner, reason, at });
    let rate = (currency(), not_negative().prop_filter("a rate is above 0", |rate| !rate.is_zero()));
    prop_oneof![
        partner().prop_map(Event::PartnerRegistered),
        membership().prop_map(Event::MembershipStarted),
        membership().prop_map(Event::MembershipEnded),
        standing().prop_map(Event::PartnerBarred),
        standing().prop_map(Event::PartnerReinstated),
        (day(), vec((guid(), name(), any::<bool>()), 1..3)).prop_map(|(effective_from, roles)| {
            let roles = roles.into_iter().map(|(role, name, eligible)| ListedRole { role, name, eligible }).collect();
            Event::RolesPublished(RoleList { effective_from, roles })
        }),
        (name(), market(), period(), instant(), any::<u32>(), any::<u64>(), digest()).prop_map(
            |(sheet, market, period, published_at, parts, rows, rows_digest)| {
                Event::PriceSheetPublished(PriceSheet { sheet, market, period, published_at, parts, rows, rows_digest })
            }
        ),
        (name(), any::<u32>(), vec(price_row(), 1..3)).prop_map(|(sheet, number, rows)| {
            Event::PriceSheetPart(journal::wire::prices::part(sheet, number, rows))
        }),
        (period(), instant(), vec(rate, 1..4)).prop_map(|(period, published_at, usd_per_unit)| {
            Event::ExchangeRatesPublished(ExchangeRates { period, published_at, usd_per_unit })
        }),
        (guid(), market(), not_negative(), 0_i32..40_000).prop_map(|(partner, location, rate, from)| {
            Event::TaxSet(TaxSet { partner, location, rate, from: Day(from) })
        }),
        policy().prop_map(Event::PolicyPublished),
    ]
}

fn charge_key() -> impl Strategy<Value = Box<ChargeKey>> {
    let charge_type = prop_oneof![
        Just(ChargeType::New),
        Just(ChargeType::Renew),
        Just(ChargeType::CycleCharge),
        Just(ChargeType::CancelImmediate),
        Just(ChargeType::CustomerCredit)
    ];
    (charge_type, name(), option::of(name()))
        .prop_map(|(charge_type, order, reason)| Box::new(ChargeKey { charge_type, order, reason }))
}

prop_compose! {
    fn line_key()(
        ids in (guid(), guid(), option::of(name()), meter()), price_kind in price_kind(), product in words(), sku in words(),
        price_from in day(), tier in any::<u32>(),
        portion in prop_oneof![Just(Portion::PayAsYouGo), Just(Portion::SavingsPlan), Just(Portion::Reservation), Just(Portion::AzureCredit)],
        credit_rate in option::of(number()), charge in option::of(charge_key()),
    ) -> LineKey {
        let (customer, plan, reseller, meter) = ids;
        LineKey { customer, plan, reseller, meter, price_kind, product, sku, price_from, tier, portion, credit_rate, charge }
    }
}

prop_compose! {
    fn line()(
        key in line_key(), period in period(), days in vec(day(), 0..3), by_day in vec((day(), number()), 0..3),
        amounts in vec(number(), 8..=8), rule in words(), tax in option::of(number()),
    ) -> IssuedLine {
        IssuedLine {
            key, period, days, by_day, quantity: amounts[0], unit_price: amounts[1], effective_unit_price: amounts[2],
            charge_without_credit: amounts[3], charge: amounts[4], subtotal_without_credit: amounts[5],
            subtotal: amounts[6], exchange_rate: amounts[7], rule, tax,
        }
    }
}

prop_compose! {
    fn document()(
        id in name(), bill_to in guid(), currency in currency(), period in period(), revision in any::<u32>(),
        amends in option::of(name()), lines in vec(line(), 0..3), total in number(), rounding in number(),
        lines_digest in digest(), numbers in (any::<u64>(), any::<u32>(), any::<u32>(), option::of(number())), decision in decision(),
    ) -> IssuedDocument {
        let (position, rules_version, policy_revision, tax) = numbers;
        IssuedDocument {
            id, bill_to, currency, period, revision, amends, lines, total, rounding, lines_digest, position,
            rules_version, policy_revision, tax, decision,
        }
    }
}

fn decisions() -> impl Strategy<Value = Event> {
    prop_oneof![
        document().prop_map(Event::InvoiceIssued),
        document().prop_map(Event::CreditNoteIssued),
        (name(), decision())
            .prop_map(|(document, decision)| Event::InvoiceVoided(InvoiceVoided { document, decision })),
        (any::<u128>(), digest(), vec(digest(), 0..3), decision()).prop_map(|(identity, keep, known, decision)| {
            Event::ConflictDecided(ConflictDecided { identity: Identity(identity), keep, known, decision })
        }),
        (any::<u64>(), any::<u32>(), decision()).prop_map(|(position, index, decision)| {
            Event::EntryRedriven(EntryRedriven { entry: EntryRef { position, index }, decision })
        }),
        (policy(), proptest::option::of(decision()))
            .prop_map(|(document, decision)| Event::PolicyAdopted(PolicyAdopted { document, decision })),
        (name(), option::of(words()), option::of(guid()), option::of(period()), decision()).prop_map(
            |(what, about, bill_to, period, decision)| {
                Event::AcceptanceRecorded(Acceptance { what, about, bill_to, period, decision })
            }
        ),
        (name(), decision()).prop_map(|(from, decision)| Event::Restored(Restored { from, decision })),
    ]
}

fn contact() -> impl Strategy<Value = Contact> {
    (name(), name(), name(), option::of(name())).prop_map(|(first_name, last_name, email, phone)| Contact {
        first_name,
        last_name,
        email,
        phone,
    })
}

fn transition_state() -> impl Strategy<Value = TransitionState> {
    proptest::sample::select(vec![
        TransitionState::Pending,
        TransitionState::InProgress,
        TransitionState::Failed,
        TransitionState::Completed,
    ])
}

fn attester() -> impl Strategy<Value = AttesterRole> {
    prop_oneof![Just(AttesterRole::AdminAgent), Just(AttesterRole::SalesAgent), Just(AttesterRole::Other)]
}

prop_compose! {
    fn order()(
        order in name(), kind in proptest::sample::select(OrderKind::ALL.to_vec()), parties in (guid(), guid()),
        reseller in option::of(name()), others in (option::of(guid()), option::of(guid()), option::of(guid())),
        amount in option::of(not_negative()),
        door in prop_oneof![Just(OrderDoor::Portal), Just(OrderDoor::ApiUser), Just(OrderDoor::ApiApp)],
        attestation in option::of((contact(), attester(), instant())), at in instant(),
        term_ends_at in option::of(instant()),
    ) -> OrderRequested {
        let attestation = attestation.map(|(contact, role, agreed_at)| Attestation { contact, role, agreed_at });
        OrderRequested {
            order, kind, customer: parties.0, partner: parties.1, reseller, counterpart: others.0, plan: others.1,
            subscription: others.2, amount, door, attestation, at, term_ends_at,
        }
    }
}

prop_compose! {
    fn answer()(
        answer in name(), request in any::<u128>(), order in name(), accepted in any::<bool>(),
        reasons in vec((name(), name(), option::of(name()), words(), vec(words(), 0..3), option::of(name())), 0..3), first in option::of(name()),
        versions in (any::<u32>(), any::<u32>()), decision in decision(),
    ) -> OrderAnswered {
        let reasons = reasons.into_iter().map(|(rule, code, error, detail, instead, source)| {
            AnswerReason { rule, code, error, detail, instead, source }
        });
        OrderAnswered {
            answer, request: Identity(request), order, accepted, reasons: reasons.collect(), first,
            rules_version: versions.0, policy_revision: versions.1, decision,
        }
    }
}

/// Everything of the channel, whatever its stream.
fn channel() -> impl Strategy<Value = Event> {
    let of_customer = prop_oneof![
        (
            guid(),
            prop_oneof![Just(TenantUse::Csp), Just(TenantUse::Customer), Just(TenantUse::Internal)],
            option::of(guid()),
            instant()
        )
            .prop_map(|(customer, used_as, owner, at)| {
                ChannelEvent::CustomerDesignated(CustomerDesignated { customer, used_as, owner, at })
            }),
        (guid(), guid(), instant(), option::of(instant())).prop_map(|(customer, partner, at, until)| {
            ChannelEvent::CustomerAffiliated(CustomerAffiliated { customer, partner, at, until })
        }),
        (guid(), guid(), contact(), attester(), name(), instant(), instant()).prop_map(
            |(customer, partner, contact, role, template, agreed_at, at)| {
                ChannelEvent::AgreementAttested(AgreementAttested {
                    customer,
                    partner,
                    contact,
                    role,
                    template,
                    agreed_at,
                    at,
                })
            }
        ),
        (guid(), guid(), instant()).prop_map(|(customer, partner, at)| {
            ChannelEvent::AgreementAccepted(AgreementAccepted { customer, partner, at })
        }),
        (guid(), guid(), option::of(guid()), any::<bool>(), instant()).prop_map(
            |(customer, partner, reseller, delegated_rights, at)| {
                ChannelEvent::RelationshipEstablished(RelationshipEstablished {
                    customer,
                    partner,
                    reseller,
                    delegated_rights,
                    at,
                })
            }
        ),
        (guid(), guid(), instant()).prop_map(|(customer, partner, at)| {
            ChannelEvent::RelationshipEnded(RelationshipEnded { customer, partner, at })
        }),
        (guid(), guid(), transition_state(), instant()).prop_map(|(customer, partner, state, at)| {
            ChannelEvent::TransitionStated(TransitionStated { customer, partner, state, at })
        }),
        order().prop_map(ChannelEvent::OrderRequested),
        answer().prop_map(ChannelEvent::OrderAnswered),
    ];
    prop_oneof![of_customer, of_partner()].prop_map(Event::from)
}

fn of_partner() -> impl Strategy<Value = ChannelEvent> {
    let standing =
        || (guid(), reason(), instant()).prop_map(|(partner, reason, at)| PartnerStanding { partner, reason, at });
    let pair =
        || (guid(), guid(), instant()).prop_map(|(provider, reseller, at)| Partnership { provider, reseller, at });
    let method = prop_oneof![
        Just(MfaMethod::SecurityDefaults),
        Just(MfaMethod::ConditionalAccess),
        Just(MfaMethod::ThirdParty),
        Just(MfaMethod::None)
    ];
    let region = proptest::sample::select(domain::regions::Region::all().to_vec());
    let offer = prop_oneof![Just(MarketOffer::Csp), Just(MarketOffer::AzurePlan)];
    prop_oneof![
        pair().prop_map(ChannelEvent::PartnershipEstablished),
        pair().prop_map(ChannelEvent::PartnershipEnded),
        (guid(), region, instant()).prop_map(|(partner, region, at)| {
            ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at })
        }),
        standing().prop_map(ChannelEvent::PartnerRestricted),
        standing().prop_map(ChannelEvent::PartnerSuspended),
        standing().prop_map(ChannelEvent::PartnerRevoked),
        (guid(), method, any::<bool>(), instant()).prop_map(|(partner, method, every_user, at)| {
            ChannelEvent::PostureStated(PostureStated { partner, method, every_user, at })
        }),
        (guid(), instant()).prop_map(|(partner, at)| ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner, at })),
        (guid(), option::of(name()), instant()).prop_map(|(partner, partner_id, at)| {
            ChannelEvent::ResellerOnboarded(ResellerOnboarded { partner, partner_id, at })
        }),
        (option::of(guid()), market(), offer, instant(), option::of(instant())).prop_map(
            |(partner, market, offer, at, until)| {
                ChannelEvent::MarketAuthorised(MarketAuthorised { partner, market, offer, at, until })
            }
        ),
        (guid(), not_negative(), number(), instant()).prop_map(|(partner, limit, outstanding, at)| {
            ChannelEvent::CreditStated(CreditStated { partner, limit, outstanding, at })
        }),
    ]
}

fn envelope() -> impl Strategy<Value = Envelope> {
    (name(), name(), option::of(instant())).prop_map(|(id, source, time)| Envelope {
        id: id.into(),
        source: source.into(),
        time,
        causation_id: None,
    })
}

/// A correction together with the envelope that names its target.
fn correction() -> impl Strategy<Value = (Envelope, Event)> {
    (envelope(), name(), option::of(signed_quantity()), option::of(words())).prop_map(
        |(envelope, id, quantity, reason)| {
            let target = identity(Stream::Usage, &envelope.source, &id);
            let event = match quantity {
                Some(quantity) => Event::UsageAdjusted(UsageAdjusted { target, quantity, reason }),
                None => Event::UsageVoided(UsageVoided { target, reason }),
            };
            (Envelope { causation_id: Some(id.into()), ..envelope }, event)
        },
    )
}

/// An event of any canonical kind, with the envelope it travels in.
pub fn event() -> impl Strategy<Value = (Envelope, Event)> {
    let plain = prop_oneof![
        3 => usage().prop_map(Event::UsageRecorded),
        3 => access(),
        2 => commerce(),
        1 => lives(),
        2 => charges(),
        3 => reference(),
        3 => decisions(),
        4 => channel(),
    ];
    // Usage knows when it was sent; its envelope says it.
    let sent = |(envelope, event): (Envelope, Event)| match event {
        Event::UsageRecorded(usage) => {
            let usage = Usage { sent: envelope.time, ..usage };
            (envelope, Event::UsageRecorded(usage))
        }
        other => (envelope, other),
    };
    prop_oneof![9 => (envelope(), plain).prop_map(sent), 1 => correction()]
}
