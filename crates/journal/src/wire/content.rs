//! What makes two messages the same event, and what makes them say the same.
//!
//! The identity is a hash over (stream of the kind, source, id). The content digest is BLAKE3 over
//! a versioned canonical form of (type, `causationid`, decoded data): header mode, key order, white
//! space, `5.80` for `5.8`, spelling of GUIDs, trace context and send time make no difference, and
//! neither do fields that nothing reads.

use domain::entry::{Event, Stream};
use domain::ids::{Digest, Identity};

use super::envelope::Received;
use super::kinds;
use super::rejection::{self, Problem};
use super::sink::Canonical;

/// Named in front of everything that is hashed. A new canonical form takes a new version.
const VERSION: &[u8] = b"pec-content-1";

/// The identity of the event that a source calls `id`. Bytes are compared exactly.
#[must_use]
pub fn identity(stream: Stream, source: &str, id: &str) -> Identity {
    let mut hashed = Canonical { out: Vec::with_capacity(128) };
    hashed.bytes(b"pec-identity-1");
    hashed.bytes(stream.name().as_bytes());
    hashed.bytes(source.as_bytes());
    hashed.bytes(id.as_bytes());
    identity_of(&hashed.out)
}

/// The first 128 bits of BLAKE3 over bytes that already tell everything apart.
pub(crate) fn identity_of(bytes: &[u8]) -> Identity {
    let hash = blake3::hash(bytes);
    let first: [u8; 16] = hash.as_bytes()[..16].try_into().expect("a BLAKE3 hash has 32 bytes");
    Identity(u128::from_be_bytes(first))
}

/// The content digest of an event of this type.
#[must_use]
pub fn digest(kind: &str, causation_id: Option<&str>, event: &Event) -> Digest {
    let mut canonical = Canonical { out: Vec::with_capacity(512) };
    canonical.bytes(VERSION);
    canonical.bytes(kind.as_bytes());
    match causation_id {
        None => canonical.out.push(0),
        Some(id) => {
            canonical.out.push(1);
            canonical.bytes(id.as_bytes());
        }
    }
    kinds::write_data(event, &mut canonical);
    Digest(*blake3::hash(&canonical.out).as_bytes())
}

/// What a correction corrects: the usage event of the same source with this `causationid`.
pub(crate) fn target(received: &Received<'_>) -> Result<Identity, Problem> {
    match &received.causation_id {
        Some(id) => Ok(identity(Stream::Usage, &received.source, id)),
        None => {
            let detail = "names no target: the attribute `causationid` must be the id of the usage event it corrects";
            Err(Problem::new(rejection::NO_TARGET, detail))
        }
    }
}
