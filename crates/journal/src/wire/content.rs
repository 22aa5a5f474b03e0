//! What makes two messages the same event, and what makes them say the same.
//!
//! The identity is a hash over (stream of the kind, source, id). The content digest is BLAKE3 over
//! a versioned canonical form of (type, `causationid`, decoded data): header mode, key order, white
//! space, `5.80` for `5.8`, spelling of GUIDs, trace context and send time make no difference, and
//! neither do fields that nothing reads.

use domain::entry::{Event, Fact, Stream};
use domain::ids::{Digest, Identity};

use super::envelope::Received;
use super::kinds;
use super::rejection::{self, Problem};
use super::sink::Canonical;
use crate::beside;

/// Named in front of everything that is hashed. A new canonical form takes a new version.
const VERSION: &[u8] = b"pec-content-1";

/// The identity of the event that a source calls `id`. Bytes are compared exactly.
#[must_use]
pub fn identity(stream: Stream, source: &str, id: &str) -> Identity {
    let mut hashed = Canonical { out: Vec::with_capacity(128) };
    write_identity(&mut hashed, stream, source, id);
    identity_of(blake3::hash(&hashed.out).as_bytes())
}

fn write_identity(hashed: &mut Canonical, stream: Stream, source: &str, id: &str) {
    hashed.bytes(b"pec-identity-1");
    hashed.bytes(stream.name().as_bytes());
    hashed.bytes(source.as_bytes());
    hashed.bytes(id.as_bytes());
}

/// The first 128 bits of a hash.
fn identity_of(hash: &[u8; 32]) -> Identity {
    let (first, _) = hash.split_first_chunk::<16>().expect("a hash has 32 bytes");
    Identity(u128::from_be_bytes(*first))
}

/// The content digest of an event of this type.
#[must_use]
pub fn digest(kind: &str, causation_id: Option<&str>, event: &Event) -> Digest {
    let mut canonical = Canonical { out: Vec::with_capacity(512) };
    write_content(&mut canonical, kind, causation_id, event);
    Digest(*blake3::hash(&canonical.out).as_bytes())
}

fn write_content(canonical: &mut Canonical, kind: &str, causation_id: Option<&str>, event: &Event) {
    canonical.bytes(VERSION);
    canonical.bytes(kind.as_bytes());
    match causation_id {
        None => canonical.out.push(0),
        Some(id) => {
            canonical.out.push(1);
            canonical.bytes(id.as_bytes());
        }
    }
    kinds::write_data(event, canonical);
}

/// When facts get their identity and digest: each at once, or all of a frame side by side.
pub(crate) enum Naming<'n> {
    AtOnce,
    Later(&'n mut Unnamed),
}

impl Naming<'_> {
    /// A fact, or what will be one when [`Unnamed::name`] has seen it.
    pub(crate) fn fact(&mut self, kind: &kinds::Kind, received: &Received<'_>, event: Event) -> Fact {
        let (source, id, causation_id) = (&received.source, &received.id, received.causation_id.as_deref());
        let (identity, digest) = match self {
            Self::AtOnce => (identity(kind.stream, source, id), digest(kind.name, causation_id, &event)),
            Self::Later(unnamed) => {
                let number = unnamed.ends.len() as u128;
                write_identity(&mut unnamed.texts, kind.stream, source, id);
                let identity_end = unnamed.texts.out.len();
                write_content(&mut unnamed.texts, kind.name, causation_id, &event);
                unnamed.ends.push((identity_end, unnamed.texts.out.len()));
                (Identity(number), UNNAMED)
            }
        };
        Fact { identity, digest, event }
    }
}

/// Stands where the digest of a fact without a name will stand. No text that anybody could find has it.
const UNNAMED: Digest = Digest([0; 32]);

/// What the identities and digests of facts are taken from, until there are enough to do it side by
/// side.
#[derive(Default)]
pub(crate) struct Unnamed {
    texts: Canonical,
    /// Where the identity and where the content of each fact ends.
    ends: Vec<(usize, usize)>,
}

impl Unnamed {
    /// Whether it is time to give those that were read their names.
    pub(crate) fn are_enough(&self) -> bool {
        self.ends.len() * 2 >= beside::TOGETHER
    }

    /// Gives these facts, which were read since the last time, their identities and digests. Facts that
    /// have them already are left alone.
    pub(crate) fn name<'f>(&mut self, facts: impl Iterator<Item = &'f mut Fact>) {
        let mut start = 0;
        let mut texts = Vec::with_capacity(self.ends.len() * 2);
        for (identity_end, end) in &self.ends {
            texts.extend([&self.texts.out[start..*identity_end], &self.texts.out[*identity_end..*end]]);
            start = *end;
        }
        let hashes = beside::hashes(&texts);
        for fact in facts.filter(|fact| fact.digest == UNNAMED) {
            let number = usize::try_from(fact.identity.0).expect("a fact without a name carries a number");
            fact.identity = identity_of(&hashes[number * 2]);
            fact.digest = Digest(hashes[number * 2 + 1]);
        }
        self.texts.out.clear();
        self.ends.clear();
    }
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
