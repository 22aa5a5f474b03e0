//! Numbers from their text, exactly.
//!
//! No float is ever made: `0.1` and 22 significant digits stay what was written. Exponents are
//! resolved by moving the point. What does not fit [`limits`] is refused, never rounded; trailing
//! zeros are no difference (`5.80` is `5.8`).

use rust_decimal::Decimal;

use super::limits;

/// Why text is no usable number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NumberFault {
    /// Not written like a JSON number.
    Form,
    /// More digits than are held exactly.
    Digits,
}

/// Reads the grammar of JSON numbers.
pub(crate) fn decimal(text: &str) -> Result<Decimal, NumberFault> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let bytes = rest.as_bytes();
    match bytes {
        [b'0'] | [b'0', b'.' | b'e' | b'E', ..] | [b'1'..=b'9', ..] => unsigned(bytes, negative),
        _ => Err(NumberFault::Form),
    }
}

/// Reads what spreadsheets write too: `.80`, `5.`, `+5`, leading zeros.
pub(crate) fn spreadsheet(text: &str) -> Result<Decimal, NumberFault> {
    let text = text.trim();
    let (negative, rest) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let rest = rest.trim_start_matches('0');
    match rest.as_bytes() {
        [] if text.contains('0') => Ok(Decimal::ZERO),
        [b'.'] if text.contains('0') => Ok(Decimal::ZERO),
        [b'1'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => {
            unsigned(rest.strip_suffix('.').unwrap_or(rest).as_bytes(), negative)
        }
        [b'e' | b'E', ..] if text.contains('0') => unsigned(format!("0{rest}").as_bytes(), negative),
        _ => Err(NumberFault::Form),
    }
}

/// Digits, a point, digits, an exponent; digits on at least one side of the point.
fn unsigned(bytes: &[u8], negative: bool) -> Result<Decimal, NumberFault> {
    let mut mantissa: u128 = 0;
    // Digits are kept back while they are zeros, so that trailing zeros cost nothing.
    let mut zeros: u32 = 0;
    let mut significant: u32 = 0;
    let mut decimals: i64 = 0;
    let mut at = 0;
    let mut point = false;
    let mut digits = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                decimals += i64::from(point);
                if byte == b'0' {
                    zeros += u32::from(significant > 0);
                } else {
                    significant += zeros + 1;
                    if significant > limits::DIGITS {
                        return Err(NumberFault::Digits);
                    }
                    mantissa = mantissa * 10_u128.pow(zeros + 1) + u128::from(byte - b'0');
                    zeros = 0;
                }
            }
            b'.' if !point => {
                point = true;
                if !matches!(bytes.get(at + 1), Some(b'0'..=b'9')) {
                    return Err(NumberFault::Form);
                }
            }
            b'e' | b'E' if digits > 0 => {
                decimals -= exponent(&bytes[at + 1..], mantissa == 0)?;
                break;
            }
            _ => return Err(NumberFault::Form),
        }
        at += 1;
    }
    if digits == 0 {
        return Err(NumberFault::Form);
    }
    assemble(mantissa, decimals - i64::from(zeros), negative)
}

fn exponent(bytes: &[u8], of_zero: bool) -> Result<i64, NumberFault> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberFault::Form);
    }
    let value = digits.iter().fold(0_i64, |n, digit| (n * 10 + i64::from(digit - b'0')).min(1_000_000));
    Ok(match (of_zero, negative) {
        (true, _) => 0,
        (false, true) => -value,
        (false, false) => value,
    })
}

/// `mantissa` ÷ 10^`decimals`, where the mantissa does not end in a zero.
fn assemble(mantissa: u128, decimals: i64, negative: bool) -> Result<Decimal, NumberFault> {
    if mantissa == 0 {
        return Ok(Decimal::ZERO);
    }
    let (mantissa, scale) = if decimals <= 0 {
        let up = u32::try_from(-decimals).ok().filter(|up| *up <= limits::DIGITS).ok_or(NumberFault::Digits)?;
        (10_u128.checked_pow(up).and_then(|power| mantissa.checked_mul(power)).ok_or(NumberFault::Digits)?, 0)
    } else {
        (mantissa, u32::try_from(decimals).ok().filter(|scale| *scale <= limits::DECIMALS).ok_or(NumberFault::Digits)?)
    };
    if mantissa >= 10_u128.pow(limits::DIGITS) {
        return Err(NumberFault::Digits);
    }
    let mantissa = i128::try_from(mantissa).map_err(|_| NumberFault::Digits)?;
    Decimal::try_from_i128_with_scale(if negative { -mantissa } else { mantissa }, scale)
        .map_err(|_| NumberFault::Digits)
}

/// Whether the digits before the point are at most this many.
pub(crate) fn whole_digits_at_most(value: Decimal, digits: u32) -> bool {
    value.mantissa().unsigned_abs() / 10_u128.pow(value.scale()) < 10_u128.pow(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_exactly() {
        for (written, read) in [
            ("0", "0"),
            ("-0.000", "0"),
            ("5.80", "5.8"),
            ("5.800004", "5.800004"),
            ("0.8092700852398515892539", "0.8092700852398515892539"),
            ("4.5E-05", "0.000045"),
            ("1e3", "1000"),
            ("1000000", "1000000"),
            ("-12.50e1", "-125"),
            ("0e999999999", "0"),
            ("9999999999999999999999999999", "9999999999999999999999999999"),
        ] {
            assert_eq!(decimal(written).map(|value| value.to_string()), Ok(read.to_owned()), "{written}");
        }
        for refused in ["", "-", ".5", "5.", "05", "+5", "1e", "NaN", "Infinity", "1,5", "0x10", " 1", "1.2.3", "e5"] {
            assert_eq!(decimal(refused), Err(NumberFault::Form), "{refused}");
        }
        for refused in ["1e400", "1e-29", "12345678901234567890123456789", "1e28", "1e-99999999999999999999"] {
            assert_eq!(decimal(refused), Err(NumberFault::Digits), "{refused}");
        }
    }

    #[test]
    fn spreadsheets_may_drop_the_zero() {
        for (written, read) in
            [(".80", "0.8"), ("+5", "5"), ("005", "5"), ("5.", "5"), ("0", "0"), ("0.0", "0"), ("-.5", "-0.5")]
        {
            assert_eq!(spreadsheet(written).map(|value| value.to_string()), Ok(read.to_owned()), "{written}");
        }
        for refused in ["", ".", "-", "abc", "1 000", "1,5"] {
            assert_eq!(spreadsheet(refused), Err(NumberFault::Form), "{refused}");
        }
    }

    #[test]
    fn whole_digits_are_counted_before_the_point() {
        assert!(whole_digits_at_most(decimal("999999999999999.5").unwrap(), 15));
        assert!(!whole_digits_at_most(decimal("1000000000000000").unwrap(), 15));
    }
}
