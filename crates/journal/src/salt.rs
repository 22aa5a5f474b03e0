//! Salts: what keeps the digest of a short text from being guessed.
//!
//! Each frame has one salt, each message a key derived from it, and the digest of a message is
//! keyed by that. A single message can therefore be proven by showing its key, and be erased by
//! forgetting it, while the digests of its neighbours stay provable by theirs. This is the only
//! randomness in the journal; nothing is decided by it.
//!
//! There are two ways to key. The first keys a hash over the whole message, so that every message of a
//! frame has to be hashed by itself. The second hashes all messages of a frame side by side and keys
//! those hashes; it is what is written, and the first is still read.

use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::beside;

/// The secret of one frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt(pub(crate) [u8; 32]);

/// How the digests of one frame are keyed from its salt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keying {
    /// Key of message *i*: the hash of *i*, keyed by the salt. Digest: the keyed hash of the message.
    Messages,
    /// Key of message *i*: the *i*-th 32 bytes of the extended output of the empty text, keyed by the
    /// salt. Digest: the keyed hash of the plain hash of the message.
    Hashes,
}

/// The salt of a frame, and how it is used there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salted {
    pub(crate) salt: Salt,
    pub(crate) keying: Keying,
}

impl Salted {
    /// The salted digests of the messages of a frame, all of them, in order.
    pub(crate) fn digests(&self, messages: &[&[u8]]) -> Vec<[u8; 32]> {
        let keyed = |key: &[u8; 32], text: &[u8]| *blake3::keyed_hash(key, text).as_bytes();
        match self.keying {
            Keying::Messages => {
                let key = |index: u64| keyed(&self.salt.0, &index.to_be_bytes());
                (0..).zip(messages).map(|(index, message)| keyed(&key(index), message)).collect()
            }
            Keying::Hashes => {
                let mut stream = blake3::Hasher::new_keyed(&self.salt.0).finalize_xof();
                let mut keys = [0; beside::TOGETHER * 32];
                let mut digests = Vec::with_capacity(messages.len());
                for some in messages.chunks(beside::TOGETHER) {
                    let keys = &mut keys[..some.len() * 32];
                    stream.fill(keys);
                    let (keys, _) = keys.as_chunks::<32>();
                    digests.extend(keys.iter().zip(beside::hashes(some)).map(|(key, hash)| keyed(key, &hash)));
                }
                digests
            }
        }
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
        for keying in [Keying::Messages, Keying::Hashes] {
            let digests = |salt| Salted { salt, keying }.digests(&[b"Ada", b"Ada"]);
            let mut all = [digests(one), digests(two)].concat();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 4, "the same name must not be recognised, neither in its frame nor in another");
        }
    }

    /// What `docs/journal.md` says, spelt out: an auditor with key and message needs nothing of ours.
    #[test]
    fn a_digest_is_what_the_format_says() {
        let salt = Salt([7; 32]);
        let keyed = |key: &[u8; 32], text: &[u8]| *blake3::keyed_hash(key, text).as_bytes();
        let told: [&[u8]; 2] = [b"Ada", b"Grace"];
        let by_messages = Salted { salt, keying: Keying::Messages }.digests(&told);
        assert_eq!(by_messages[1], keyed(&keyed(&salt.0, &1_u64.to_be_bytes()), b"Grace"));
        let mut keys = blake3::Hasher::new_keyed(&salt.0).finalize_xof();
        keys.set_position(32);
        let mut key = [0; 32];
        keys.fill(&mut key);
        let by_hashes = Salted { salt, keying: Keying::Hashes }.digests(&told);
        assert_eq!(by_hashes[1], keyed(&key, blake3::hash(b"Grace").as_bytes()));
    }
}
