//! The faults of real streams, by rate: duplicates, disorder, lateness, corrections, contradictions
//! and messages that nobody can read. All from the seed.

use domain::entry::Stream;
use journal::wire::Message;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How often each fault happens, in events per million, and how far disorder reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub duplicates: u32,
    /// An event is held back by at most this many others.
    pub disorder: usize,
    /// Events told only after all others.
    pub late: u32,
    /// Events withdrawn by a later one.
    pub voided: u32,
    /// Events told a second time with another quantity.
    pub conflicts: u32,
    /// Messages cut in the middle.
    pub poison: u32,
    /// Whether a contradiction and a broken message are there for certain, in any number of events.
    pub surely: bool,
}

impl Faults {
    /// What a healthy but ordinary stream shows.
    pub const ORDINARY: Self =
        Self { duplicates: 5_000, disorder: 64, late: 2_000, voided: 200, conflicts: 0, poison: 0, surely: false };
}

const MILLION: u32 = 1_000_000;

/// Passes messages on with faults; with none requested, unchanged and without copying.
pub fn with_faults(
    messages: impl Iterator<Item = Message>,
    faults: Faults,
    seed: u64,
) -> impl Iterator<Item = Message> {
    let mut stream = Faulty {
        messages,
        faults,
        rng: ChaCha8Rng::seed_from_u64(seed ^ 0x6661_756c_7473),
        window: Vec::new(),
        late: Vec::new(),
        plain: faults == Faults::default(),
        owed: (faults.surely, faults.surely),
    };
    std::iter::from_fn(move || stream.next())
}

struct Faulty<I> {
    messages: I,
    faults: Faults,
    rng: ChaCha8Rng,
    /// What is held back, to be told in a random order.
    window: Vec<Message>,
    late: Vec<Message>,
    plain: bool,
    /// Whether a contradiction, and a broken message, are still to come for certain: chance may bring
    /// none of them in a small world.
    owed: (bool, bool),
}

impl<I: Iterator<Item = Message>> Faulty<I> {
    fn next(&mut self) -> Option<Message> {
        if self.plain {
            return self.messages.next();
        }
        while self.window.len() <= self.faults.disorder {
            let Some(message) = self.messages.next() else { break };
            self.take(message);
        }
        if self.window.is_empty() {
            return self.late.pop();
        }
        let at = self.rng.random_range(0..self.window.len());
        Some(self.window.swap_remove(at))
    }

    fn happens(&mut self, per_million: u32) -> bool {
        self.rng.random_range(0..MILLION) < per_million
    }

    fn take(&mut self, message: Message) {
        if self.happens(self.faults.duplicates) {
            self.window.push(message.clone());
        }
        if self.happens(self.faults.voided) {
            self.window.extend(voiding(&message));
        }
        if self.happens(self.faults.conflicts) || self.owed.0 {
            let other = contradicting(&message);
            self.owed.0 &= other.is_none();
            self.window.extend(other);
        }
        if self.happens(self.faults.poison) || self.owed.1 {
            self.owed.1 = false;
            self.window.push(cut(&message));
        }
        if self.happens(self.faults.late) {
            self.late.push(message);
        } else {
            self.window.push(message);
        }
    }
}

fn text(message: &Message) -> Option<&str> {
    std::str::from_utf8(message.value.as_deref()?).ok()
}

/// The text between two marks.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after)?.0)
}

fn voiding(message: &Message) -> Option<Message> {
    let text = text(message)?;
    let (id, source) = (between(text, "\"id\":\"", "\"")?, between(text, "\"source\":\"", "\"")?);
    let value = format!(
        concat!(
            r#"{{"specversion":"1.0","id":"{id}-void","source":"{source}","type":"pec.usage.voided.v1","#,
            r#""causationid":"{id}","datacontenttype":"application/json","data":{{"reason":"withdrawn by the meter"}}}}"#
        ),
        id = id,
        source = source,
    );
    Some(Message { stream: Stream::Usage, value: Some(value.into_bytes()), ..message.clone() })
}

fn contradicting(message: &Message) -> Option<Message> {
    let text = text(message)?;
    let quantity = between(text, "\"quantity\":\"", "\"")?;
    let other = text.replace(&format!("\"quantity\":\"{quantity}\""), &format!("\"quantity\":\"1{quantity}\""));
    Some(Message { value: Some(other.into_bytes()), ..message.clone() })
}

fn cut(message: &Message) -> Message {
    let value = message.value.as_ref().map(|bytes| bytes[..bytes.len() / 2].to_vec());
    Message { value, ..message.clone() }
}
