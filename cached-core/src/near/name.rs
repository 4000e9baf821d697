//! Under what a value is kept: its key, or where that is made of integers only, the integers. To render, to hash and to compare
//! text would be half the time of a near hit.

use crate::key::{Key, KeySegment, Piece};
use crate::site::Site;
use quick_cache::Equivalent;
use std::hash::{Hash, Hasher};

/// What stands for a key that is made of integers only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// Of the function: with its generic arguments, which decide on the type of its values as well.
    path: &'static str,
    words: [i64; MOST],
}

const MOST: usize = 2;

/// Whether integers can stand for the keys of a template.
pub(crate) fn may_be_words(template: &[Piece]) -> bool {
    let segments = template.iter().filter(|piece| !matches!(piece, Piece::Literal(_)));
    // A path may differ where no argument does.
    segments.count() <= MOST && !template.contains(&Piece::Path)
}

impl Words {
    /// Those of a call, if its key is made of integers only.
    #[inline]
    pub(crate) fn of(path: &'static str, segments: &[&dyn KeySegment]) -> Option<Self> {
        let words = match segments {
            [] => [0, 0],
            [one] => [one.__word()?, 0],
            [one, two] => [one.__word()?, two.__word()?],
            _ => return None,
        };
        Some(Self { path, words })
    }
}

impl PartialEq for Words {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // One path may stand in the program several times; mostly its address tells already.
        self.words == other.words && (std::ptr::eq(self.path, other.path) || self.path == other.path)
    }
}

impl Eq for Words {}

/// The name of a value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// Of one site, by its address.
    Words(usize, Words),
    /// With a fingerprint of the site, the type and the generic arguments.
    Text(u64, Key),
}

/// A name to be looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked<'a> {
    Words(usize, Words),
    Text(u64, &'a str),
}

impl Asked<'_> {
    /// The value that a site has under what these words stand for.
    #[inline]
    pub(crate) fn words(site: &'static Site, words: Words) -> Self {
        Self::Words(std::ptr::from_ref(site).addr(), words)
    }

    pub(super) fn name(self) -> Name {
        match self {
            Asked::Words(site, words) => Name::Words(site, words),
            Asked::Text(fingerprint, key) => Name::Text(fingerprint, key.into()),
        }
    }
}

impl Equivalent<Name> for Asked<'_> {
    #[inline]
    fn equivalent(&self, name: &Name) -> bool {
        match (self, name) {
            (Asked::Words(site, words), Name::Words(of, are)) => site == of && words == are,
            (Asked::Text(fingerprint, key), Name::Text(of, is)) => fingerprint == of && **key == **is,
            _ => false,
        }
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Name::Words(site, words) => Asked::Words(*site, *words).hash(hasher),
            Name::Text(fingerprint, key) => Asked::Text(*fingerprint, key).hash(hasher),
        }
    }
}

impl Hash for Asked<'_> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a tenth of a near hit, measured")]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // No more than tells most names apart: each further number is some nanoseconds.
        match self {
            Asked::Words(site, Words { words: [one, two], .. }) => {
                hasher.write_u64(*site as u64 ^ one.cast_unsigned());
                if *two != 0 {
                    hasher.write_i64(*two);
                }
            }
            Asked::Text(_, key) => key.hash(hasher),
        }
    }
}
