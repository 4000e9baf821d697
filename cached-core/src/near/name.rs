//! Under what a value is kept: its key, or where that is made of integers only, the integers. To render, to hash and to compare
//! text would be half the time of a near hit.

use crate::key::{Key, KeySegment, Piece};
use crate::site::Site;
use quick_cache::Equivalent;
use std::hash::{Hash, Hasher};

/// The integers of a key, as far as so many suffice.
pub(crate) type Words = [i64; 2];

/// Whether integers can stand for the keys of a template.
pub(crate) fn may_be_words(template: &[Piece]) -> bool {
    let segments = template.iter().filter(|piece| !matches!(piece, Piece::Literal(_)));
    // A path may differ where no argument does.
    segments.count() <= Words::default().len() && !template.contains(&Piece::Path)
}

/// What a key is made of, if that is integers only.
#[inline]
pub(crate) fn words(segments: &[&dyn KeySegment]) -> Option<Words> {
    match segments {
        [] => Some([0, 0]),
        [one] => Some([one.__word()?, 0]),
        [one, two] => Some([one.__word()?, two.__word()?]),
        _ => None,
    }
}

/// The name of a value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Of the type, the template, generic arguments: the same words of another type are another name.
    fingerprint: u64,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// Of one site, by its address.
    Words(usize, Words),
    Text(Key),
}

/// A name to be looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    fingerprint: u64,
    form: AskedForm<'a>,
}

#[derive(Debug, Clone, Copy)]
enum AskedForm<'a> {
    Words(usize, Words),
    Text(&'a str),
}

impl<'a> Asked<'a> {
    /// The value that a site has under a key, which words may stand for.
    #[inline]
    pub(crate) fn new(fingerprint: u64, site: &'static Site, words: Option<Words>, key: &'a str) -> Self {
        let form = words.map_or(AskedForm::Text(key), |words| AskedForm::Words(std::ptr::from_ref(site).addr(), words));
        Self { fingerprint, form }
    }

    pub(super) fn name(self) -> Name {
        let form = match self.form {
            AskedForm::Words(site, words) => Form::Words(site, words),
            AskedForm::Text(key) => Form::Text(key.into()),
        };
        Name { fingerprint: self.fingerprint, form }
    }
}

impl Equivalent<Name> for Asked<'_> {
    #[inline]
    fn equivalent(&self, name: &Name) -> bool {
        self.fingerprint == name.fingerprint
            && match (self.form, &name.form) {
                (AskedForm::Words(site, words), Form::Words(of, are)) => site == *of && words == *are,
                (AskedForm::Text(key), Form::Text(is)) => *key == **is,
                _ => false,
            }
    }
}

impl Name {
    fn asked(&self) -> Asked<'_> {
        let form = match &self.form {
            Form::Words(site, words) => AskedForm::Words(*site, *words),
            Form::Text(key) => AskedForm::Text(key),
        };
        Asked { fingerprint: self.fingerprint, form }
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.asked().hash(hasher);
    }
}

impl Hash for Asked<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self.form {
            // A single number where it can be: each further one is some nanoseconds. The fingerprint is compared only.
            AskedForm::Words(site, words) => {
                hasher.write_u64(site as u64 ^ words[0].cast_unsigned());
                if words[1] != 0 {
                    hasher.write_i64(words[1]);
                }
            }
            AskedForm::Text(key) => key.hash(hasher),
        }
    }
}
