//! Regions of the programme and the currencies that are billed in them, as dated data.
//!
//! Which region a partner or a customer is in goes by the country of its tenant, never by an
//! address. A country that the list lacks has no region, and nothing can be sold there.

use std::sync::LazyLock;

use crate::ids::{Currency, Market};

/// The day of the page that the list was made from.
pub const LISTED_ON: &str = "2023-08-17";

/// A region of the Cloud Solution Provider programme.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Region(&'static str);

impl Region {
    /// Every region, in order of name.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &REGIONS
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        REGIONS.iter().copied().find(|region| region.0 == name)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// One row of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    pub region: Region,
    pub country: Market,
    /// `None` where the source leaves it blank, or states two for one code.
    pub currency: Option<Currency>,
    pub name: &'static str,
}

static LIST: LazyLock<Vec<Member>> = LazyLock::new(|| {
    let mut list: Vec<Member> = include_str!("../data/regions.csv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| read(line).expect("the committed list of regions is well formed, which a test checks"))
        .collect();
    list.sort_by_key(|member| member.country);
    list
});

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let mut regions: Vec<Region> = LIST.iter().map(|member| member.region).collect();
    regions.sort_unstable();
    regions.dedup();
    regions
});

fn read(line: &'static str) -> Option<Member> {
    let mut fields = line.splitn(4, ',');
    let (region, country, currency, name) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let currency = if currency.is_empty() { None } else { Some(Currency::parse(currency)?) };
    Some(Member { region: Region(region), country: Market::parse(country)?, currency, name })
}

/// The row of a country, by its two-letter code.
#[must_use]
pub fn member(country: Market) -> Option<&'static Member> {
    let at = LIST.partition_point(|member| member.country < country);
    LIST.get(at).filter(|member| member.country == country)
}

/// The region that a country belongs to.
#[must_use]
pub fn of(country: Market) -> Option<Region> {
    member(country).map(|member| member.region)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(code: &str) -> Market {
        Market::parse(code).unwrap()
    }

    /// Every row reads, names one region, and the regions are those of the page.
    #[test]
    fn the_committed_list_is_whole() {
        assert_eq!(LIST.len(), 244);
        assert_eq!(Region::all().len(), 15);
        let size = |name: &str| LIST.iter().filter(|member| member.region.name() == name).count();
        assert_eq!((size("africa"), size("europe"), size("united-states"), size("brazil")), (47, 45, 5, 1));
        for pair in LIST.windows(2).filter(|pair| pair[0].country == pair[1].country) {
            assert_eq!(pair[0].region, pair[1].region, "{} is in two regions", pair[0].country);
        }
    }

    #[test]
    fn a_country_has_a_region_and_a_currency_or_none() {
        assert_eq!(of(market("de")).map(Region::name), Some("europe"));
        assert_eq!(member(market("CH")).and_then(|member| member.currency), Currency::parse("CHF"));
        assert_eq!(member(market("BR")).and_then(|member| member.currency), Currency::parse("BRL"));
        assert_eq!(of(market("RU")), None);
        assert_eq!(Region::parse("europe"), of(market("FR")));
        assert_eq!(Region::parse("Europe"), None);
    }
}
