//! Documents that are built like one before: the same keys in the same order, other values.
//!
//! A meter writes millions of messages with one program, so what lies between their texts and numbers
//! (keys, brackets, commas, quotes) is the same in each, byte for byte. Such a shape is remembered, and
//! a document that has it is read by comparing those bytes and looking for the ends of the values. What
//! a shape reads is what the grammar would read: whatever differs, is escaped or is no number goes the
//! long way. Shapes are a memory of each thread and bounded; without them only time is lost.

use std::cell::RefCell;

use super::parser::{number_end, special};
use super::{Form, Node, Span};

/// How many shapes a thread remembers: those of a few producers and kinds.
const REMEMBERED: usize = 8;

/// A document with more texts and numbers than this, or more bytes than the next, has no shape.
const MOST_VALUES: usize = 64;
const MOST_BYTES: usize = 8 << 10;

/// Of the documents that have no known shape, one in so many is learnt from, so that a stream in which
/// each is built differently does not pay for learning every one.
const LEARNT_OF: u32 = 8;

thread_local! {
    static SHAPES: RefCell<Shapes> = const { RefCell::new(Shapes { known: Vec::new(), missed: 0 }) };
}

struct Shapes {
    /// The one that fitted last comes first.
    known: Vec<Shape>,
    missed: u32,
}

struct Shape {
    /// All literals, one after the other: what stands before, between and behind the values.
    literals: Vec<u8>,
    steps: Vec<Step>,
    parts: Vec<Part>,
}

/// A literal and what follows it.
struct Step {
    /// Where it stands in the document that was learnt from.
    learnt_at: u32,
    /// Where it ends in [`Shape::literals`].
    end: usize,
    follows: Follows,
}

/// What stands behind a literal.
#[derive(Clone, Copy)]
enum Follows {
    Text,
    Number,
    End,
}

/// A node of the document that the shape was learnt from, and with which literals its places move.
struct Part {
    node: Node,
    /// The literal that holds the key.
    key: usize,
    value: Place,
}

enum Place {
    /// A text or number, by its number.
    Value(usize),
    /// An array or object, by the literals that open and close it.
    Between(usize, usize),
    /// A word, whose place nobody asks for.
    Nowhere,
}

/// Reads a document that has a known shape into `nodes`; `false`, and anything in `nodes`, where it has
/// none.
pub(super) fn read(text: &str, nodes: &mut Vec<Node>) -> bool {
    SHAPES.with_borrow_mut(|shapes| {
        let fits = shapes.known.iter().position(|shape| shape.read(text, nodes));
        match fits {
            Some(place) => shapes.known[..=place].rotate_right(1),
            None => shapes.missed = shapes.missed.wrapping_add(1),
        }
        fits.is_some()
    })
}

/// Remembers how a document is built that had no known shape.
pub(super) fn learn(text: &str, nodes: &[Node]) {
    SHAPES.with_borrow_mut(|shapes| {
        if shapes.known.len() == REMEMBERED && !shapes.missed.is_multiple_of(LEARNT_OF) {
            return;
        }
        if let Some(shape) = Shape::of(text, nodes) {
            shapes.known.truncate(REMEMBERED - 1);
            shapes.known.insert(0, shape);
        }
    });
}

impl Shape {
    fn of(text: &str, nodes: &[Node]) -> Option<Self> {
        let is_value = |node: &&Node| matches!(node.form, Form::Text | Form::Number);
        let values = |nodes: &[Node]| nodes.iter().filter(is_value).count();
        let escaped = nodes.iter().any(|node| node.key_escaped || node.value_escaped);
        if escaped || values(nodes) > MOST_VALUES || text.len() > MOST_BYTES {
            return None;
        }
        let mut shape = Self { literals: Vec::new(), steps: Vec::new(), parts: Vec::new() };
        let mut at = 0;
        for node in nodes {
            let literal = shape.steps.len();
            let value = match node.form {
                Form::Array | Form::Object => Place::Between(literal, values(&nodes[..node.next as usize])),
                Form::Null | Form::True | Form::False => Place::Nowhere,
                Form::Text | Form::Number => {
                    let follows = if node.form == Form::Text { Follows::Text } else { Follows::Number };
                    shape.step(&text[at as usize..node.value.start as usize], at, follows);
                    at = node.value.end;
                    Place::Value(literal)
                }
            };
            // Without a key nothing moves: the first literal always stands where it stood.
            let key = if node.key == Span::default() { 0 } else { literal };
            shape.parts.push(Part { node: *node, key, value });
        }
        shape.step(&text[at as usize..], at, Follows::End);
        Some(shape)
    }

    fn step(&mut self, literal: &str, learnt_at: u32, follows: Follows) {
        self.literals.extend_from_slice(literal.as_bytes());
        self.steps.push(Step { learnt_at, end: self.literals.len(), follows });
    }

    /// Whether the document has this shape; its nodes are then added to `nodes`.
    fn read(&self, text: &str, nodes: &mut Vec<Node>) -> bool {
        let bytes = text.as_bytes();
        if bytes.len() > MOST_BYTES {
            return false;
        }
        let mut values = [Span::default(); MOST_VALUES];
        // How far each literal stands from where it stood in the document that was learnt from.
        let mut moved = [0_u32; MOST_VALUES + 1];
        let (mut at, mut from) = (0, 0);
        for (number, step) in self.steps.iter().enumerate() {
            let literal = &self.literals[from..step.end];
            if bytes.get(at..at + literal.len()) != Some(literal) {
                return false;
            }
            moved[number] = (at as u32).wrapping_sub(step.learnt_at);
            (at, from) = (at + literal.len(), step.end);
            let end = match step.follows {
                Follows::Text => special(bytes, at),
                Follows::Number => match number_end(bytes, at) {
                    Ok(end) => end,
                    Err(_) => return false,
                },
                Follows::End => break,
            };
            values[number] = Span { start: at as u32, end: end as u32 };
            at = end;
        }
        if at != bytes.len() {
            return false;
        }
        nodes.extend(self.parts.iter().map(|part| part.node(&values, &moved)));
        true
    }
}

impl Part {
    /// The node in another document of the same shape.
    fn node(&self, values: &[Span], moved: &[u32]) -> Node {
        let value = match self.value {
            Place::Value(number) => values[number],
            Place::Between(opens, closes) => {
                let Span { start, end } = self.node.value;
                Span { start: start.wrapping_add(moved[opens]), end: end.wrapping_add(moved[closes]) }
            }
            Place::Nowhere => Span::default(),
        };
        Node { key: self.node.key.moved(moved[self.key]), value, ..self.node }
    }
}

impl Span {
    fn moved(self, by: u32) -> Self {
        Self { start: self.start.wrapping_add(by), end: self.end.wrapping_add(by) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::Parser;
    use super::*;

    fn by_grammar(text: &str) -> Option<Vec<Node>> {
        Parser::new(text, Vec::new(), 1000).document().ok()
    }

    /// Every document that differs in one byte from one that was learnt is read as the grammar reads it, or
    /// left to the grammar; and most that differ in a value alone are read.
    #[test]
    fn a_shape_reads_what_the_grammar_reads() {
        let learnt = [
            r#" {"id":"a1","n":-12.5e3,"in":{"":[],"x":["t",{"k":0}],"null":null},"ok":true,"last":"é"} "#,
            r#"[{},"",7,{"a":{"a":{"a":"b"}}}]"#,
            r#""text""#,
            "8",
            "[null,false]",
        ];
        let (mut read_by_shape, mut refused) = (0, 0);
        for learnt in learnt {
            let shape = Shape::of(learnt, &by_grammar(learnt).unwrap()).unwrap();
            for (at, _) in learnt.char_indices() {
                let (before, rest) = learnt.split_at(at);
                let (_, after) = rest.split_at(rest.chars().next().unwrap().len_utf8());
                for put in
                    ["", "x", "\"", "\\", "\\n", "\n", " ", "0", "1", ".", "-", "e", "{", "}", "[", "]", ",", ":", "ä"]
                {
                    for other in [format!("{before}{put}{after}"), format!("{before}{put}{rest}")] {
                        let mut nodes = Vec::new();
                        if shape.read(&other, &mut nodes) {
                            assert_eq!(by_grammar(&other), Some(nodes), "{other}");
                            read_by_shape += 1;
                        } else {
                            refused += 1;
                        }
                    }
                }
            }
        }
        assert!(read_by_shape > 300 && refused > 3000, "{read_by_shape} read, {refused} refused");
    }

    /// What a thread has learnt serves the next document, and as many kinds of documents as there are places
    /// do not drive one another out.
    #[test]
    fn shapes_are_remembered_side_by_side() {
        let document = |kind: usize, number: usize| format!(r#"{{"kind{kind}":{number},"text":"{number}"}}"#);
        for number in 0..10 {
            for kind in 0..REMEMBERED {
                let text = document(kind, number * 1000);
                let mut nodes = Vec::new();
                let known = read(&text, &mut nodes);
                assert_eq!(known, number > 0, "{text}");
                if !known {
                    learn(&text, &by_grammar(&text).unwrap());
                }
                assert!(number == 0 || by_grammar(&text) == Some(nodes), "{text}");
            }
        }
    }

    /// An escape, too many values and too many bytes have no shape.
    #[test]
    fn what_cannot_be_read_by_comparing_is_not_learnt() {
        let many = format!("[{}]", vec!["1"; MOST_VALUES + 1].join(","));
        let long = format!("\"{}\"", "x".repeat(MOST_BYTES));
        for text in [r#"{"a":"\n"}"#, r#"{"\n":1}"#, &many, &long] {
            assert!(Shape::of(text, &by_grammar(text).unwrap()).is_none(), "{text}");
        }
        let most = format!("[{}]", vec!["1"; MOST_VALUES].join(","));
        let shape = Shape::of(&most, &by_grammar(&most).unwrap()).unwrap();
        let mut nodes = Vec::new();
        assert!(shape.read(&most, &mut nodes) && Some(nodes) == by_grammar(&most));
    }
}
