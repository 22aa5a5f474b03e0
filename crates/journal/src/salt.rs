//! Salts: what keeps the digest of a short text from being guessed.
//!
//! Each frame has one salt, each message a key derived from it, and the digest of a message is
//! keyed by that. A single message can therefore be proven by showing its key, and be erased by
//! forgetting it, while the digests of its neighbours stay provable by theirs. This is the only
//! randomness in the journal; nothing is decided by it.

use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The secret of one frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt(pub(crate) [u8; 32]);

impl Salt {
    /// The key of the message with this number in its frame.
    pub(crate) fn key(&self, index: u64) -> [u8; 32] {
        *blake3::keyed_hash(&self.0, &index.to_be_bytes()).as_bytes()
    }

    /// The salted digest of a message.
    pub(crate) fn digest(&self, index: u64, message: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.key(index), message).as_bytes()
    }
}

/// A salt that nobody can guess: the operating system is asked once, everything else is derived.
pub(crate) fn fresh() -> Salt {
    static SECRET: OnceLock<[u8; 32]> = OnceLock::new();
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let secret = SECRET.get_or_init(|| {
        let mut secret = [0; 32];
        let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut secret));
        read.expect("an operating system without /dev/urandom cannot keep personal data from being guessed");
        secret
    });
    Salt(*blake3::keyed_hash(secret, &DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_salts_and_no_two_keys_are_equal() {
        let (one, two) = (fresh(), fresh());
        assert!(one != two);
        assert_ne!(one.key(0), one.key(1));
        assert_ne!(one.digest(0, b"Ada"), one.digest(1, b"Ada"));
        assert_ne!(one.digest(0, b"Ada"), two.digest(0, b"Ada"));
        assert_eq!(one.digest(0, b"Ada"), *blake3::keyed_hash(&one.key(0), b"Ada").as_bytes());
    }
}
