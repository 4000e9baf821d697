//! Which arguments a key contains, as a whole or in parts.

use syn::{Ident, Member, Type};

use super::mentions::{Mention, member};
use super::scope::spelled;
use crate::model::{Piece, Segment, Value};
use crate::signature::{Argument, bare};

/// An argument, or the path to one of its fields: `page`, `page.from`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Part(Vec<String>);

impl Part {
    /// The path `fields` in the argument `name`.
    pub(super) fn of(name: &str, fields: &[String]) -> Self {
        Self([&[name.to_owned()], fields].concat())
    }

    /// Whether it is the argument `name` or a part of it.
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.0.first().is_some_and(|root| root == name)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The parts that a key contains.
#[derive(Default)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// The parts in these pieces.
    pub(super) fn of(pieces: &[Piece]) -> Self {
        Self(of_pieces(pieces))
    }

    pub(super) fn insert(&mut self, part: Part) {
        self.0.push(part);
    }

    /// Whether the argument is among the parts as a whole.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.contains(&Part::of(name, &[]))
    }

    /// Whether the argument or a part of it is among the parts.
    pub(super) fn has_any_of(&self, name: &str) -> bool {
        self.0.iter().any(|part| part.is_of(name))
    }

    /// A field of the argument that is among the parts.
    pub(super) fn field_of(&self, name: &str) -> Option<&Part> {
        self.0.iter().find(|part| part.is_of(name) && part.0.len() > 1)
    }

    /// Whether nothing of the argument is left out. A tuple is complete if all its items are there; of other types only
    /// the argument itself is.
    pub(super) fn has_all_of(&self, argument: &Argument) -> bool {
        self.has_all(&Part::of(&spelled(&argument.name), &[]), argument.whole.as_ref())
    }

    fn has_all(&self, part: &Part, ty: Option<&Type>) -> bool {
        if self.0.contains(part) {
            return true;
        }
        match ty.map(bare) {
            Some(Type::Reference(reference)) => self.has_all(part, Some(&reference.elem)),
            Some(Type::Tuple(tuple)) if !tuple.elems.is_empty() => {
                let has =
                    |(index, ty)| self.has_all(&Part([&part.0[..], &[usize::to_string(&index)]].concat()), Some(ty));
                tuple.elems.iter().enumerate().all(has)
            }
            _ => false,
        }
    }

    /// Whether two calls with the same key have the same value here.
    fn determines(&self, part: &Part) -> bool {
        self.0.iter().any(|known| part.0.starts_with(&known.0))
    }
}

/// The parts in the key of an entry; `None` if there is no key.
pub(super) type InKey = Option<Parts>;

/// The arguments and fields of arguments that these pieces contain.
pub(super) fn of_pieces(pieces: &[Piece]) -> Vec<Part> {
    let mut found = Vec::new();
    for piece in pieces {
        match piece {
            Piece::All { arguments, .. } => found.extend(arguments.iter().map(|name| Part::of(&spelled(name), &[]))),
            Piece::Segment(Segment { value: Value::Place { root, fields }, .. }) if *root != "self" => {
                found.push(place(root, fields));
            }
            Piece::Path | Piece::Literal(_) | Piece::Segment(_) => {}
        }
    }
    found
}

fn place(root: &Ident, fields: &[Member]) -> Part {
    let fields: Vec<String> = fields.iter().map(member).collect();
    Part::of(&spelled(root), &fields)
}

/// The part that the user's code mentions.
pub(super) fn of_mention(mention: &Mention) -> Part {
    Part::of(&spelled(&mention.name), &mention.fields)
}

/// The parts in which two calls with the same key may differ.
pub(super) fn not_in_key(used: impl IntoIterator<Item = Part>, in_key: &InKey) -> Vec<String> {
    let Some(in_key) = in_key else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for part in used.into_iter().filter(|part| !in_key.determines(part)) {
        let part = part.to_string();
        if !found.contains(&part) {
            found.push(part);
        }
    }
    found
}
