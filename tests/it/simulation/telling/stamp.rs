//! The digests of everything that is told in several ways, as whoever receives it computes them.
//!
//! A world names each body by its digest, because that decides which one counts; the oracle only
//! compares them.

use domain::entry::Event;
use journal::wire;

use super::{delegated, denied, granted, linked, money, partners, people, plan_created, removed, reseller_set, usage};
use crate::oracle::conflict;
use crate::oracle::world::World;

/// Writes the digests of everything that may be told in several ways into the world.
pub fn stamp(world: &mut World) {
    let whole = world.clone();
    for used in &mut world.usage {
        let of = used.clone();
        name(&mut used.quantity, |body| Event::UsageRecorded(usage(&whole, &of, body)));
    }
    for link in &mut world.links {
        let of = link.clone();
        name(&mut link.partner_id, |body| Event::PalLinked(linked(&of, body)));
    }
    for made in &mut world.delegations {
        let of = made.clone();
        name(&mut made.role, |body| Event::DelegationChanged(delegated(&of, *body)));
    }
    for (plan, of) in world.plans.iter_mut().zip(&whole.plans) {
        for (number, (at, told)) in plan.resellers.iter_mut().enumerate() {
            name(told, |body| match number {
                0 => Event::PlanCreated(plan_created(&whole, of, body)),
                _ => Event::ResellerOfRecordSet(reseller_set(of, *at, body)),
            });
        }
    }
    name(&mut world.usd_per_unit, |body| money::rates(&whole, body));
    for made in &mut world.grants {
        let of = made.clone();
        name(&mut made.role, |role| granted(&of, *role));
        made.held.end.iter_mut().for_each(|end| name(end, |to| removed(&of, *to)));
    }
    for made in &mut world.denies {
        let of = made.clone();
        name(&mut made.every_write, |every_write| denied(&of, *every_write));
    }
    for made in &mut world.members {
        let of = made.clone();
        made.held.end.iter_mut().for_each(|end| name(end, |to| people::removed(&of, *to)));
    }
    for partner in &mut world.partners {
        let of = partner.clone();
        name(&mut partner.registered, |said| partners::registered(&whole, &of, *said));
        let of_memberships = partner.memberships.iter_mut().flatten().filter_map(|spell| spell.end.as_mut());
        of_memberships.for_each(|end| name(end, |to| partners::left(&of, *to)));
        let of_barring = partner.barred.iter_mut().filter_map(|spell| spell.end.as_mut());
        of_barring.for_each(|end| name(end, |to| partners::reinstated(&of, *to)));
    }
    for sheet in &mut world.sheets {
        let of = sheet.clone();
        name(&mut sheet.published, |at| money::header(&whole, &of, *at));
        name(&mut sheet.whole, |all| money::part(&whole, &of, *all));
    }
    for cover in &mut world.cover {
        let of = cover.clone();
        name(&mut cover.quantity, |quantity| money::covered(&whole, &of, quantity));
    }
    for credit in &mut world.credits {
        let of = credit.clone();
        name(&mut credit.amount, |amount| money::granted(&whole, &of, amount));
    }
    for order in &mut world.orders {
        let of = order.clone();
        name(&mut order.price, |price| money::bought(&whole, &of, price.as_deref()));
    }
    for refund in &mut world.refunds {
        let of = refund.clone();
        name(&mut refund.amount, |amount| money::refunded(&whole, &of, amount));
    }
}

/// Writes the digest of each body's event beside it.
fn name<T>(told: &mut conflict::Told<T>, event: impl Fn(&T) -> Event) {
    for (digest, body) in &mut told.bodies {
        *digest = digest_of(event(body));
    }
}

/// The digest of an event's content, as whoever receives it computes it.
fn digest_of(event: Event) -> conflict::Digest {
    let kind = wire::type_of(&event).expect("what we tell has a type");
    wire::digest(kind, None, &event).0
}
