//! BLAKE3 of many short texts, side by side.
//!
//! A journal takes the hash of three short texts for every event: the message, its identity and its
//! content. Taken one after the other each of their blocks waits for the one before; the library's own
//! routine for many inputs fills the processor's widest registers with as many texts instead, a third
//! of the time. It is not part of the library's promise, so its version is pinned, and what comes out
//! is held against the library's plain hash in a test. Only the order of work differs, never a result.

use blake3::IncrementCounter;
use blake3::platform::{Platform, le_bytes_from_words_32, words_from_le_bytes_32};

/// How many texts are worth being hashed together: enough for the widest registers, however their
/// lengths differ, and few enough to be still in the processor's cache.
pub(crate) const TOGETHER: usize = 256;

/// BLAKE3 works on blocks of so many bytes.
const BLOCK: usize = 64;

/// What fits into one chunk; longer texts are trees, which the library hashes side by side by itself.
const CHUNK: usize = 1024;

/// The flags of a block: first of its chunk, last of its chunk, and that chunk the whole text.
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;

/// The key of a hash without key: the first words of the square roots of the first eight primes, as in
/// SHA-256.
const PLAIN: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The BLAKE3 hash of each text.
pub(crate) fn hashes(texts: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut out = vec![[0; 32]; texts.len()];
    let mut groups: [Vec<usize>; CHUNK / BLOCK] = Default::default();
    for (number, text) in texts.iter().enumerate() {
        // The last block, full or not, is taken alone: it carries its length.
        match text.len().saturating_sub(1) / BLOCK {
            full @ 1.. if text.len() <= CHUNK => groups[full].push(number),
            _ => out[number] = *blake3::hash(text).as_bytes(),
        }
    }
    for (full, members) in groups.iter().enumerate().filter(|(_, members)| !members.is_empty()) {
        let group = Group { texts, members };
        match full {
            1 => group.hash::<64>(&mut out),
            2 => group.hash::<128>(&mut out),
            3 => group.hash::<192>(&mut out),
            4 => group.hash::<256>(&mut out),
            5 => group.hash::<320>(&mut out),
            6 => group.hash::<384>(&mut out),
            7 => group.hash::<448>(&mut out),
            8 => group.hash::<512>(&mut out),
            9 => group.hash::<576>(&mut out),
            10 => group.hash::<640>(&mut out),
            11 => group.hash::<704>(&mut out),
            12 => group.hash::<768>(&mut out),
            13 => group.hash::<832>(&mut out),
            14 => group.hash::<896>(&mut out),
            _ => group.hash::<960>(&mut out),
        }
    }
    out
}

/// Texts that have equally many blocks.
struct Group<'t> {
    texts: &'t [&'t [u8]],
    members: &'t [usize],
}

impl Group<'_> {
    /// Hashes all but the last block of every text side by side, and then the last ones. `HEAD` is the
    /// length of all but the last block.
    fn hash<const HEAD: usize>(&self, out: &mut [[u8; 32]]) {
        let split = |number: &usize| {
            self.texts[*number].split_first_chunk::<HEAD>().expect("a text is grouped by how many blocks it has")
        };
        let heads: Vec<&[u8; HEAD]> = self.members.iter().map(|number| split(number).0).collect();
        let mut chained = vec![0; heads.len() * 32];
        let platform = Platform::detect();
        platform.hash_many(&heads, &PLAIN, 0, IncrementCounter::No, 0, CHUNK_START, 0, &mut chained);
        let (chained, _) = chained.as_chunks::<32>();
        for (number, chained) in self.members.iter().zip(chained) {
            let last = split(number).1;
            let mut block = [0; BLOCK];
            block[..last.len()].copy_from_slice(last);
            let length = u8::try_from(last.len()).expect("a last block has at most 64 bytes");
            let mut state = words_from_le_bytes_32(chained);
            platform.compress_in_place(&mut state, &block, length, 0, CHUNK_END | ROOT);
            out[*number] = le_bytes_from_words_32(&state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length around every border of a block, in groups smaller and larger than any register.
    #[test]
    fn side_by_side_is_the_same_as_one_after_the_other() {
        let bytes: Vec<u8> = (0..3000_u32).map(|number| (number * 7 % 251) as u8).collect();
        let lengths = (0..=1100).chain(std::iter::repeat_n(700, 40)).chain([2048, 3000]);
        let texts: Vec<&[u8]> =
            lengths.zip(0..).map(|(length, start)| &bytes[start % 40..][..length.min(2900)]).collect();
        for (text, hash) in texts.iter().zip(hashes(&texts)) {
            assert_eq!(hash, *blake3::hash(text).as_bytes(), "of {} bytes", text.len());
        }
        assert!(hashes(&[]).is_empty());
    }
}
