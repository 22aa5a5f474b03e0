//! Names of things: GUIDs, meters, event identities and digests.
//!
//! Everything here compares the way `docs/glossary.md` says it compares: ids of Azure objects
//! without case and dashes, identities of events byte for byte. Nothing here is parsed twice.

use std::fmt;

/// An Azure or Entra object id. Written in many ways in the wild (with dashes, without, in braces,
/// in either case); one value here, so that two spellings can never be two things.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Guid(pub u128);

impl Guid {
    /// Reads 32 hex digits with any dashes, either case, optional braces; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
        let mut value: u128 = 0;
        let mut digits = 0_u32;
        for byte in text.bytes() {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                b'A'..=b'F' => byte - b'A' + 10,
                b'-' => continue,
                _ => return None,
            };
            if digits == 32 {
                return None;
            }
            value = (value << 4) | u128::from(digit);
            digits += 1;
        }
        (digits == 32).then_some(Self(value))
    }

    /// The 32 lower-case hex digits without dashes, the form used in hashes.
    #[must_use]
    pub fn simple(self) -> String {
        self.digits().map(char::from).collect()
    }

    /// The hex digits, the highest first. Not by the formatter, which takes a microsecond for them: every
    /// digest, every name of a record and every line of output asks for them.
    fn digits(self) -> impl Iterator<Item = u8> {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        (0..32).map(move |digit| DIGITS[(self.0 >> (124 - 4 * digit)) as usize & 15])
    }
}

impl fmt::Display for Guid {
    /// The dashed lower-case form, as the portals print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'-'; 36];
        let places = (0..text.len()).filter(|place| ![8, 13, 18, 23].contains(place));
        for (digit, place) in self.digits().zip(places) {
            text[place] = digit;
        }
        f.write_str(std::str::from_utf8(&text).expect("hex digits and dashes are ASCII"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The identity of an event: the first 128 bits of BLAKE3 over (stream, source, id), each length
/// prefixed, bytes compared exactly (`a1` and `A1` are two events). Activity Log records have one
/// made of their normalised content. Two different events sharing one is not expected before
/// about 2^64 events; that is the collision bound this project accepts and states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Identity(pub u128);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// BLAKE3 of an event's content in canonical form. Equal content, equal digest; the smallest one
/// speaks for an open conflict, so that arrival order cannot matter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The first eight bytes as a number: what the identity index keeps to tell a duplicate from a
    /// conflict.
    #[must_use]
    pub fn short(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Both as whole numbers of 256 bits, most significant byte first, added modulo 2^256: a digest of
    /// many things that depends neither on their order nor on how they were put into parts, and that
    /// sees one told twice (which an exclusive or would not).
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let mut sum = [0_u8; 32];
        let mut carry = false;
        for (at, slot) in sum.iter_mut().enumerate().rev() {
            let (low, over) = self.0[at].overflowing_add(other.0[at]);
            let (low, over_again) = low.overflowing_add(u8::from(carry));
            (*slot, carry) = (low, over || over_again);
        }
        Self(sum)
    }

    /// Reads 64 hex digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0_u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *slot = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}…", self.short())
    }
}

/// A meter. Usually a GUID (compared without case and dashes), now and then a word such as `1core`
/// (kept lower-cased).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MeterId {
    Guid(Guid),
    Text(Box<str>),
}

impl MeterId {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Guid::parse(text).map_or_else(|| Self::Text(text.trim().to_lowercase().into()), Self::Guid)
    }
}

impl fmt::Display for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(guid) => guid.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A three-letter ISO 4217 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const USD: Self = Self(*b"USD");

    /// Reads three ASCII letters in either case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII letters are let in by parse")
    }

    /// How many decimals an amount in this currency is stated with (ISO 4217 minor unit).
    #[must_use]
    pub fn minor_unit(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A market or country: two upper-case ASCII letters (ISO 3166-1 alpha-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Market([u8; 2]);

impl Market {
    /// Reads two ASCII letters in either case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 2] = text.trim().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII letters are let in by parse")
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_guid_however_it_is_spelled() {
        let dashed = Guid::parse("8e3af657-a8ff-443c-a75c-2fe8c4bcb635").unwrap();
        assert_eq!(Guid::parse("8E3AF657A8FF443CA75C2FE8C4BCB635"), Some(dashed));
        assert_eq!(Guid::parse("{8e3af657-a8ff-443c-a75c-2fe8c4bcb635}"), Some(dashed));
        assert_eq!(dashed.to_string(), "8e3af657-a8ff-443c-a75c-2fe8c4bcb635");
        assert_eq!(dashed.simple(), "8e3af657a8ff443ca75c2fe8c4bcb635");
        assert_eq!(Guid::parse("8e3af657-a8ff-443c-a75c-2fe8c4bcb63"), None);
        assert_eq!(Guid::parse("8e3af657-a8ff-443c-a75c-2fe8c4bcb6355"), None);
        assert_eq!(Guid::parse("1core"), None);
    }

    #[test]
    fn a_digest_reads_back_what_it_prints() {
        let digest = Digest([0xa7; 32]);
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("a7"), None);
    }

    /// Sums of digests go round at 2^256, and a carry goes through a byte that is full.
    #[test]
    fn digests_add_up_as_numbers_of_256_bits() {
        let number = |bytes: &[(usize, u8)]| {
            let mut digest = Digest::default();
            bytes.iter().for_each(|(at, byte)| digest.0[*at] = *byte);
            digest
        };
        assert_eq!(number(&[(31, 0x80)]).plus(number(&[(31, 0x80)])), number(&[(30, 1)]), "of its own");
        let full = number(&[(30, 0xff), (31, 0xff)]);
        assert_eq!(full.plus(number(&[(31, 1)])), number(&[(29, 1)]), "of the byte before");
        assert_eq!(full.plus(full), number(&[(29, 1), (30, 0xff), (31, 0xfe)]), "of both");
        assert_eq!(Digest([0xff; 32]).plus(number(&[(31, 1)])), Digest::default(), "round");
    }

    /// What stands for a digest in the index is its first eight bytes.
    #[test]
    fn a_digest_is_known_by_its_first_bytes() {
        let mut digest = Digest([0xa7; 32]);
        digest.0[..8].copy_from_slice(&[0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(digest.short(), 0x102);
    }

    /// Amounts are cut to what ISO 4217 says of their currency, which is not always two decimals.
    #[test]
    fn a_currency_has_its_own_number_of_decimals() {
        for (name, decimals) in
            [("EUR", 2), ("USD", 2), ("JPY", 0), ("ISK", 0), ("KRW", 0), ("BHD", 3), ("KWD", 3), ("TND", 3)]
        {
            let currency = Currency::parse(name).unwrap();
            assert_eq!((currency.minor_unit(), currency.as_str()), (decimals, name));
        }
    }
}
