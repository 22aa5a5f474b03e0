//! Integers and texts as the journal writes them: big-endian, lengths first, nothing padded.
//!
//! Reading never trusts a length: whatever ends early or claims too much is [`Malformed`], and the
//! caller says which file it was.

/// Bytes that end early, or are not what they claim to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

pub(crate) type Parsed<T> = Result<T, Malformed>;

/// Reads from the front of a slice.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn take(&mut self, count: usize) -> Parsed<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Parsed<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Parsed<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Parsed<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Parsed<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Parsed<i64> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// Seven bits a byte, lowest first, the top bit says that more follow.
    pub(crate) fn varint(&mut self) -> Parsed<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    /// A count of things that take at least one byte each, so that it cannot exceed what is left.
    pub(crate) fn count(&mut self) -> Parsed<usize> {
        let count = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        if count > self.left() { Err(Malformed) } else { Ok(count) }
    }

    /// A signed number, small in either direction.
    pub(crate) fn signed(&mut self) -> Parsed<i64> {
        let raw = self.varint()?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// Bytes that may be absent: length plus one, 0 for none.
    pub(crate) fn optional(&mut self) -> Parsed<Option<&'a [u8]>> {
        match self.varint()? {
            0 => Ok(None),
            length => self.take(usize::try_from(length - 1).map_err(|_| Malformed)?).map(Some),
        }
    }

    pub(crate) fn text(&mut self) -> Parsed<&'a str> {
        let length = self.count()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed)
    }
}

/// Writes to the end of a vector.
pub(crate) trait Put {
    fn put(&mut self, bytes: &[u8]);

    fn put_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put(&[(value & 0x7f) as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8]);
    }

    fn put_signed(&mut self, value: i64) {
        self.put_varint(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn put_optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.put_varint(0),
            Some(bytes) => {
                self.put_varint(bytes.len() as u64 + 1);
                self.put(bytes);
            }
        }
    }

    fn put_text(&mut self, text: &str) {
        self.put_varint(text.len() as u64);
        self.put(text.as_bytes());
    }
}

impl Put for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_at_their_edges() {
        let mut out = Vec::new();
        let signed = [0, -1, 1, i64::MIN, i64::MAX, 300, -300];
        let unsigned = [0, 127, 128, u64::MAX, 1 << 63];
        signed.iter().for_each(|value| out.put_signed(*value));
        unsigned.iter().for_each(|value| out.put_varint(*value));
        out.put_optional(None);
        out.put_optional(Some(b""));
        let mut cursor = Cursor::new(&out);
        signed.iter().for_each(|value| assert_eq!(cursor.signed(), Ok(*value)));
        unsigned.iter().for_each(|value| assert_eq!(cursor.varint(), Ok(*value)));
        assert_eq!(cursor.optional(), Ok(None));
        assert_eq!(cursor.optional(), Ok(Some(&b""[..])));
        assert_eq!(cursor.u8(), Err(Malformed));
    }

    #[test]
    fn a_length_beyond_the_end_is_malformed() {
        assert_eq!(Cursor::new(&[5, b'a']).text(), Err(Malformed));
        assert_eq!(Cursor::new(&[0xff; 11]).varint(), Err(Malformed));
        let mut out = Vec::new();
        out.put_varint(u64::MAX);
        assert_eq!(Cursor::new(&out).count(), Err(Malformed));
    }
}
