//! Amounts, rates and revisions of the policy as people and programs read them.

use domain::ids::Currency;
use domain::money::Exact;

use crate::output::thousands;

/// An amount with its currency: `12.34 EUR`, never a bare number.
pub(crate) fn money(amount: &Exact, currency: Currency) -> String {
    format!("{} {currency}", amount.to_fixed(2))
}

/// The total of a document, in the currency's minor unit: `5004 JPY`.
pub(in crate::cli) fn total(amount: &Exact, currency: Currency) -> String {
    format!("{} {currency}", amount.to_fixed(currency.minor_unit()))
}

/// The same for tables: exact amounts are cut to the cent where people only compare them.
pub(in crate::cli) fn cents(amount: &Exact, currency: Currency) -> String {
    let cut = amount.round(2, domain::money::Rounding::TowardZero);
    format!("{} {currency}", grouped_digits(&cut.to_fixed(2)))
}

/// `1234567.89` reads `1,234,567.89`.
fn grouped_digits(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    match whole.parse() {
        Ok(number) => format!("{sign}{}{fraction}", thousands(number)),
        Err(_) => text.to_owned(),
    }
}

/// Cuts an exact amount in text to the cent, for tables that people compare by eye. A total that has no
/// decimals has none here either.
pub(in crate::cli) fn short(amount: &str) -> String {
    let parsed =
        amount.split_once(' ').and_then(|(digits, currency)| Some((Exact::parse(digits)?, Currency::parse(currency)?)));
    let whole = !amount.contains('.');
    parsed.map_or_else(
        || amount.to_owned(),
        |(digits, currency)| {
            if whole { format!("{} {currency}", grouped_digits(&digits.to_string())) } else { cents(&digits, currency) }
        },
    )
}

/// `0.15` reads `15 %`.
pub(super) fn percent(rate: &str) -> String {
    let hundred = Exact::parse("100").expect("a literal");
    Exact::parse(rate).map_or_else(|| rate.to_owned(), |rate| format!("{} %", &rate * &hundred))
}

/// `policy revision 0`, `policy revisions 0 and 1`.
pub(in crate::cli) fn revisions_in_words(revisions: &[u32]) -> String {
    let all: Vec<String> = revisions.iter().map(ToString::to_string).collect();
    match all.as_slice() {
        [one] => format!("policy revision {one}"),
        [first @ .., last] => format!("policy revisions {} and {last}", first.join(", ")),
        [] => "no policy".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well_and_never_lose_their_currency() {
        let exact = Exact::parse("-1234567.899").unwrap();
        assert_eq!(cents(&exact, Currency::USD), "-1,234,567.89 USD");
        assert_eq!(money(&exact, Currency::USD), "-1234567.899 USD");
        assert_eq!(short("0.5 EUR"), "0.50 EUR");
        assert_eq!(short("5004 JPY"), "5,004 JPY", "a total in yen");
        assert_eq!(short("5004.1 JPY"), "5,004.10 JPY", "columns keep two decimals");
        assert_eq!(percent("0.15"), "15 %");
    }

    #[test]
    fn several_revisions_of_the_policy_are_all_named() {
        assert_eq!(revisions_in_words(&[0]), "policy revision 0");
        assert_eq!(revisions_in_words(&[0, 2, 3]), "policy revisions 0, 2 and 3");
    }
}
