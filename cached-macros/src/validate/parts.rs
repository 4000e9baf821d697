//! What a key has of the arguments: the whole of one, or parts of it.

use syn::{Ident, Member, Type};

use super::mentions::{Mention, member};
use super::scope::spelled;
use crate::model::{Piece, Segment, Value};
use crate::signature::{Argument, bare};

/// An argument, or the way to one of its fields: `page`, `page.from`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Part(Vec<String>);

impl Part {
    /// `fields` of the argument of that name.
    pub(super) fn of(name: &str, fields: &[String]) -> Self {
        Self([&[name.to_owned()], fields].concat())
    }

    /// Whether it is that argument or a part of it.
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.0.first().is_some_and(|root| root == name)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The parts that a key is made of.
#[derive(Default)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Those of these pieces.
    pub(super) fn of(pieces: &[Piece]) -> Self {
        Self(of_pieces(pieces))
    }

    pub(super) fn insert(&mut self, part: Part) {
        self.0.push(part);
    }

    /// Whether the argument itself stands there.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.contains(&Part::of(name, &[]))
    }

    /// Whether the argument or a part of it stands there.
    pub(super) fn has_any_of(&self, name: &str) -> bool {
        self.0.iter().any(|part| part.is_of(name))
    }

    /// A field of the argument that stands there.
    pub(super) fn field_of(&self, name: &str) -> Option<&Part> {
        self.0.iter().find(|part| part.is_of(name) && part.0.len() > 1)
    }

    /// Whether nothing of the argument is left out, as far as its type tells: that of a tuple does, item by item.
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

    /// Whether two calls with the same key are alike in this.
    fn tells(&self, part: &Part) -> bool {
        self.0.iter().any(|known| part.0.starts_with(&known.0))
    }
}

/// What the key of an entry is made of; `None` where there is no key.
pub(super) type InKey = Option<Parts>;

/// The arguments, and the fields of arguments, that these pieces are made of.
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

/// The same of what the user's code mentions.
pub(super) fn of_mention(mention: &Mention) -> Part {
    Part::of(&spelled(&mention.name), &mention.fields)
}

/// Those of them that two calls with the same key may differ in.
pub(super) fn not_in_key(used: impl IntoIterator<Item = Part>, in_key: &InKey) -> Vec<String> {
    let Some(in_key) = in_key else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for part in used.into_iter().filter(|part| !in_key.tells(part)) {
        let part = part.to_string();
        if !found.contains(&part) {
            found.push(part);
        }
    }
    found
}
