//! Random events of reference: partners, roles, prices, rates, taxes, policies.

use domain::entry::*;
use domain::period::Day;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{currency, day, digest, guid, instant, market, meter, name, not_negative, period, reason, words};

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

pub fn price_kind() -> impl Strategy<Value = PriceKind> {
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

pub fn policy() -> impl Strategy<Value = PolicyDocument> {
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

pub fn reference() -> impl Strategy<Value = Event> {
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
