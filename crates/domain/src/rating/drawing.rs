//! Drawing one plan's cells through the graduated tiers, and splitting them by what pays for them.
//!
//! The counter runs in one stated order, so that the same usage lands in the same tier however it
//! arrived; covered units do not advance it. What comes out are pieces; nothing is rounded.

use super::cells::{self, Cell, Parts, Spot};
use super::credit::Allocation;
use super::notes::Notes;
use super::piece::{Access, Asked, Judging, Piece, Verdict};
use super::portions::Portions;
use super::pricing::Pricing;
use crate::commerce::Placement;
use crate::entry::{Benefit, Portion, PriceKind};
use crate::ids::{Guid, MeterId};
use crate::money::{Exact, Quantity};
use crate::pec::NeverCode;
use crate::period::{Day, Period};
use crate::policy::Policy;
use crate::prices::{Band, has_tag, is_spot};

/// Drawing of one plan's cells through the tiers.
pub(super) struct Drawing<'a> {
    pub(super) plan: Guid,
    pub(super) period: Period,
    pub(super) policies: &'a [Policy],
    pub(super) rates: &'a [Exact],
    pub(super) rate_of_day: &'a [u8],
    pub(super) allocation: &'a Allocation<'a>,
}

impl Drawing<'_> {
    /// RATE-3: tiers run through the calendar month per (plan, meter, kind, product, SKU), by policy per
    /// subscription too, over net day totals in order of day, then resource id. The row in force on the
    /// usage day gives bounds and prices. Source: azure-plan price list (2023-06-05); the level of the
    /// counter is not stated (policy `tier-counter`).
    pub(super) fn draw(
        &self,
        cells: &cells::Cells<'_>,
        pricing: &Pricing<'_>,
        judging: &mut Judging<'_>,
        notes: &mut Notes,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) {
        let first = self.period.first_day();
        let mut verdicts: Vec<Option<Vec<Access>>> = vec![None; cells.spots.len()];
        let portions = self.portions(cells, pricing);
        let covers = cells.each(&mut |cell, parts| {
            let spot = &cells.spots[cell.spot as usize];
            let day = Day(first.0 + i32::from(cell.day));
            let access = verdict_of(&mut verdicts[cell.spot as usize], spot, first, cell.day, judging);
            let told = (spot, day, access);
            let part = (cell, parts, portions.of(cell));
            if access.is_unknown() || cell.quantity.is_negative() {
                self.doubtful(part, cells, pricing, told, notes, sink);
            } else {
                self.pieces(part, cells, pricing, told, sink);
            }
        });
        covers.leftovers(self.plan, self.period, notes);
    }

    /// What portions come to that lie in several cells.
    fn portions(&self, cells: &cells::Cells<'_>, pricing: &Pricing<'_>) -> Portions {
        let mut portions = Portions::scattered(cells, pricing);
        if !portions.is_empty() {
            cells.each(&mut |cell, parts| {
                let Some(list) = portions.of_mut(cell) else { return };
                for share in self.shares(&parts, &pricing.priced(cell.tariff).bands).iter().filter(own) {
                    *list += &share.list_charge();
                }
            });
        }
        portions
    }

    /// The pieces of a cell with which something is wrong, and what that is, with the list charge that
    /// hangs on it. ACC-10: unknown access is a finding where it decides about credit; a product that
    /// never earns asks for none.
    fn doubtful(
        &self,
        (cell, parts, portion): (&Cell, Parts, Option<&Exact>),
        cells: &cells::Cells<'_>,
        pricing: &Pricing<'_>,
        told: (&Spot<'_>, Day, Access),
        notes: &mut Notes,
        sink: &mut dyn FnMut(&Piece<'_>),
    ) {
        let (mut list, mut excluded) = (Exact::zero(), true);
        self.pieces((cell, parts, portion), cells, pricing, told, &mut |piece| {
            list += &piece.list_charge();
            excluded &= matches!(piece.verdict, Verdict::Never(code) if code != NeverCode::ZeroCharge);
            sink(piece);
        });
        let (spot, day, access) = told;
        if cell.quantity.is_negative() {
            notes.negative(self.plan, spot, pricing.meter(cell.group), day, (cell.quantity, &list));
        }
        if access.is_unknown() && !excluded {
            notes.unknown_access(self.plan, spot, day, &list);
        }
    }

    /// The pieces of one cell: what is covered, then what is charged, by the bands that the counter
    /// crosses, each part by what pays for it.
    fn pieces(
        &self,
        (cell, parts, portion): (&Cell, Parts, Option<&Exact>),
        cells: &cells::Cells<'_>,
        pricing: &Pricing<'_>,
        (spot, day, access): (&Spot<'_>, Day, Access),
        sink: &mut dyn FnMut(&Piece<'_>),
    ) {
        let priced = pricing.priced(cell.tariff);
        let meter = pricing.meter(cell.group);
        let policy = &self.policies[usize::from(cell.day)];
        let never = never(spot.placement, priced.kind, &priced.bands[0], (meter, day), policy);
        let shares = self.shares(&parts, &priced.bands);
        let free = match portion {
            Some(list) => list.is_zero(),
            None => shares.iter().filter(own).all(|share| share.band.row.unit_price.is_zero()),
        };
        let rate_number = self.rate_of_day[usize::from(cell.day)];
        for share in shares {
            let verdict = match (never, share.portion.never(), access.lost()) {
                (Some(NeverCode::LegacyOffer), ..) => Verdict::Never(NeverCode::LegacyOffer),
                (_, Some(cover @ (NeverCode::Reservation | NeverCode::SavingsPlan)), _) => Verdict::Never(cover),
                (Some(never), ..) | (None, Some(never), _) => Verdict::Never(never),
                (None, None, _) if free => Verdict::Never(NeverCode::ZeroCharge),
                (None, None, None) => Verdict::Earned,
                (None, None, Some(code)) => Verdict::Lost(code),
            };
            let credited = share.portion == Portion::PayAsYouGo && never.is_none() && access == Access::Earned;
            let label = match share.portion {
                Portion::PayAsYouGo if credited => 1 + u16::from(rate_number),
                Portion::PayAsYouGo => 0,
                Portion::Reservation => RESERVATION_LABEL,
                Portion::SavingsPlan => SAVINGS_PLAN_LABEL,
                Portion::AzureCredit => FIRST_GRANT_LABEL + share.grant.unwrap_or(0),
            };
            sink(&Piece {
                customer: spot.placement.customer,
                plan: self.plan,
                reseller: cells.reseller(cell.stretch),
                subscription: spot.subscription,
                scope: spot.scope,
                meter,
                day,
                kind: priced.kind,
                band: share.band,
                portion: share.portion,
                grant: share.grant.map(|number| self.allocation.grants[usize::from(number)]),
                quantity: share.quantity,
                split: share.split,
                verdict,
                credited,
                rate: &self.rates[usize::from(rate_number)],
                estimate: priced.estimate,
                rate_number,
                short: (priced.first_slot + share.number, cell.stretch, label),
            });
        }
    }

    fn shares<'b>(&self, parts: &Parts, bands: &'b [Band<'b>]) -> Vec<Share<'b>> {
        let covered = parts.covered.iter().map(|(benefit, quantity)| {
            let portion = match benefit {
                Benefit::Reservation => Portion::Reservation,
                Benefit::SavingsPlan => Portion::SavingsPlan,
            };
            Share { band: &bands[0], number: 0, portion, grant: None, quantity: *quantity, split: None }
        });
        let mut shares: Vec<Share<'b>> = covered.collect();
        for (band, number, quantity) in crossed(bands, parts.from, parts.from + parts.charged) {
            let (mut rest, mut kept) = (quantity, None::<Exact>);
            for paid in self.allocation.of(self.plan, parts.index, number) {
                let (portion, grant) = (Portion::AzureCredit, Some(paid.grant));
                shares.push(Share { band, number, portion, grant, quantity: paid.quantity, split: paid.split.clone() });
                rest = rest - paid.quantity;
                if let Some(split) = &paid.split {
                    *kept.get_or_insert_with(Exact::zero) -= split;
                }
            }
            if !rest.is_zero() {
                shares.push(Share {
                    band,
                    number,
                    portion: Portion::PayAsYouGo,
                    grant: None,
                    quantity: rest,
                    split: kept,
                });
            }
        }
        shares
    }
}

/// Labels of portions that credit rates do not reach: a month has at most 31 rates, and any number of
/// grants.
const RESERVATION_LABEL: u16 = 100;
const SAVINGS_PLAN_LABEL: u16 = 101;
const FIRST_GRANT_LABEL: u16 = 102;

/// A quantity at one price, and what pays for it.
struct Share<'b> {
    band: &'b Band<'b>,
    number: u32,
    portion: Portion,
    grant: Option<u16>,
    quantity: Quantity,
    split: Option<Exact>,
}

impl Share<'_> {
    /// Exact, in the pricing currency, of what is not covered.
    fn list_charge(&self) -> Exact {
        let list = &self.quantity.exact() * &Exact::from(self.band.row.unit_price);
        self.split.iter().fold(list, |list, split| &list + split)
    }
}

/// Whether nothing else pays for a share.
fn own(share: &&Share<'_>) -> bool {
    share.portion == Portion::PayAsYouGo
}

/// RATE-3: which part of the way from `from` to `to` lies in which band. Going down takes back from
/// the bands that are crossed; below zero the first band goes on.
pub(super) fn crossed<'b>(
    bands: &'b [Band<'b>],
    from: Quantity,
    to: Quantity,
) -> impl Iterator<Item = (&'b Band<'b>, u32, Quantity)> {
    let (low, high) = if from <= to { (from, to) } else { (to, from) };
    bands.iter().zip(0..).filter_map(move |(band, number)| {
        let bottom = if number == 0 { low } else { low.max(band.above) };
        let top = band.up_to.map_or(high, |up_to| high.min(up_to));
        let part = top - bottom;
        if top <= bottom {
            return None;
        }
        Some((band, number, if from <= to { part } else { -part }))
    })
}

/// RATE-4, RATE-5, RATE-6: what the product excludes whatever the access, in the stated order. Source:
/// partner-earned-credit pages, spot capacity since 2020-09; price list column Tags.
///
/// RATE-13: what the policy lists comes last, so that a product keeps the reason that it has by itself.
fn never(
    placement: &Placement,
    kind: PriceKind,
    band: &Band<'_>,
    (meter, day): (&MeterId, Day),
    policy: &Policy,
) -> Option<NeverCode> {
    use crate::entry::Offer;
    if placement.offer == Offer::Legacy {
        return Some(NeverCode::LegacyOffer);
    }
    match kind {
        PriceKind::Reservation => return Some(NeverCode::Reservation),
        PriceKind::SavingsPlan => return Some(NeverCode::SavingsPlan),
        PriceKind::Consumption | PriceKind::DevTest => {}
    }
    if day >= policy.spot_since && (is_spot(band.row) || policy.spot_meters.contains(meter)) {
        return Some(NeverCode::Spot);
    }
    if has_tag(band.row, "Third Party") {
        return Some(NeverCode::ThirdParty);
    }
    if has_tag(band.row, "Marketplace") {
        return Some(NeverCode::Marketplace);
    }
    policy.excluded_meters.contains(meter).then_some(NeverCode::Excluded)
}

/// Asks for all days of a spot at once, the first time that one is needed.
fn verdict_of(
    known: &mut Option<Vec<Access>>,
    spot: &Spot<'_>,
    first: Day,
    day: u8,
    judging: &mut Judging<'_>,
) -> Access {
    let verdicts = known.get_or_insert_with(|| {
        let days: Vec<Day> = spot.days().map(|day| Day(first.0 + i32::from(day))).collect();
        let asked = Asked { subscription: spot.subscription, placement: spot.placement, scope: spot.scope };
        judging(&asked, &days)
    });
    verdicts[spot.days().take_while(|before| *before < day).count()]
}
