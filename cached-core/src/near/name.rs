//! The map key of the near cache: the rendered key, or just its integers if it has no other parts. To render, hash and
//! compare text would take half the time of a near hit.

use crate::key::{Key, KeySegment, Piece};
use quick_cache::Equivalent;
use std::hash::{Hash, Hasher};

/// The integers of a key that has no other parts, and no more than [`MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words([i64; MOST]);

const MOST: usize = 2;

/// Whether integers can stand for the keys of a template. They must be the same for the same key in every function.
pub(crate) fn may_be_words(template: &[Piece]) -> bool {
    // No hash, because it depends on the type; no `<*>`, because another function may have more arguments; and no path.
    let mut segments = template.iter().filter(|piece| !matches!(piece, Piece::Literal(_)));
    segments.clone().count() <= MOST && segments.all(|piece| matches!(piece, Piece::Segment(_)))
}

impl Words {
    /// The integers of a call, if its key has no other parts.
    #[inline]
    pub(crate) fn of(segments: &[&dyn KeySegment]) -> Option<Self> {
        match segments {
            [] => Some(Self([0, 0])),
            [one] => Some(Self([one.__word()?, 0])),
            [one, two] => Some(Self([one.__word()?, two.__word()?])),
            _ => None,
        }
    }
}

/// Identifies a value in the map: the kind of value, and which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    Words(u64, Words),
    Text(u64, Key),
}

/// A borrowed [`Name`], for lookups in the map.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NameRef<'a> {
    Words(u64, Words),
    Text(u64, &'a str),
}

impl<'a> NameRef<'a> {
    /// The value of that kind under the key; `words` stand for the key if there are any.
    #[inline]
    pub(crate) fn new(kind: u64, words: Option<Words>, key: &'a str) -> Self {
        words.map_or(Self::Text(kind, key), |words| Self::Words(kind, words))
    }

    pub(crate) fn name(self) -> Name {
        match self {
            NameRef::Words(kind, words) => Name::Words(kind, words),
            NameRef::Text(kind, key) => Name::Text(kind, key.into()),
        }
    }
}

impl Equivalent<Name> for NameRef<'_> {
    #[inline]
    fn equivalent(&self, name: &Name) -> bool {
        match (self, name) {
            (NameRef::Words(kind, words), Name::Words(other_kind, other)) => kind == other_kind && words == other,
            (NameRef::Text(kind, key), Name::Text(other_kind, other)) => kind == other_kind && **key == **other,
            _ => false,
        }
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Name::Words(kind, words) => NameRef::Words(*kind, *words).hash(hasher),
            Name::Text(kind, key) => NameRef::Text(*kind, key).hash(hasher),
        }
    }
}

impl Hash for NameRef<'_> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one in twenty instructions of a near hit, counted")]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // Hashes no more than tells most names apart, because each further number takes some nanoseconds.
        match self {
            NameRef::Words(kind, Words([one, two])) => {
                hasher.write_u64(kind ^ one.cast_unsigned());
                if *two != 0 {
                    hasher.write_i64(*two);
                }
            }
            NameRef::Text(_, key) => key.hash(hasher),
        }
    }
}
