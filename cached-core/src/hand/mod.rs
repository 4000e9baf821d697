//! Keys and tags that somebody renders by hand, and what is likely to be mistaken about those of an invalidation: a pattern, a key
//! of an annotated function that is not escaped as the function does it, a name that nothing has.
//!
//! An invalidation of what nobody stores is no error, so nothing is refused for it but a pattern. The log says it once, and in all
//! no more than [`MOST_SAID`] times. What this process uses by hand itself is known by what stands in front of its first `:`, as a
//! bit in a field of fixed size: should two agree in it, less is said.

use crate::error::CacheError;
use crate::key::{Piece, Prefix, is_rendered};
use crate::site::{self, Role, Site};
use crate::sync::locked;
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

/// So many lines are logged in all.
const MOST_SAID: usize = 32;

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Key,
    Tag,
}

/// What this process uses by hand.
static KEYS: Families = Families::new();
static TAGS: Families = Families::new();

impl Kind {
    fn families(self) -> &'static Families {
        match self {
            Self::Key => &KEYS,
            Self::Tag => &TAGS,
        }
    }
}

/// This process stores or reads under that name. The first one that begins like this is looked at, should it be meant to be an
/// annotated function's.
pub(crate) fn uses(kind: Kind, text: &str) {
    if !kind.families().has(text) {
        if let Verdict::Unescaped(site, template) = judge(kind, text, known()) {
            say(&(kind, site.path()), || unescaped(kind, text, site, template));
        }
        kind.families().add(text);
    }
}

/// An invalidation is of that name. Warns of what is likely to be mistaken about it.
pub(crate) fn invalidates(kind: Kind, text: &str, prefix: &Prefix) {
    if kind == Kind::Key && text.starts_with(prefix.entries()) && matches!(judge(kind, text, known()), Verdict::Unknown)
    {
        say(&(kind, prefix.entries()), || prefixed(text, prefix));
        return;
    }
    match judge(kind, text, known()) {
        Verdict::Named => {}
        Verdict::Unescaped(site, template) => say(&(kind, site.path()), || unescaped(kind, text, site, template)),
        Verdict::Unknown => say(&(kind, family(text)), || unknown(kind, text)),
    }
}

/// Whether the text is a name and no pattern.
///
/// # Errors
/// What to write instead of a pattern.
pub(crate) fn is_name(kind: Kind, text: &str) -> Result<(), CacheError> {
    if !is_pattern(text) {
        return Ok(());
    }
    let text = text.to_owned();
    Err(match kind {
        Kind::Key => CacheError::KeyPattern { key: text },
        Kind::Tag => CacheError::TagPattern { tag: text },
    })
}

/// Warns of a pattern where there is no other way to say so.
pub(crate) fn refuses(kind: Kind, text: &str, error: &CacheError) {
    say(&(kind, text), || match kind {
        Kind::Key => tracing::warn!(key = text, "{error}"),
        Kind::Tag => tracing::warn!(tag = text, "{error}"),
    });
}

fn prefixed(text: &str, prefix: &Prefix) {
    tracing::warn!(
        key = text,
        "keys are named without `{}`, which the cache puts in front of each: leave it out, or hand over the entry itself, \
         `.entry(&entry)`",
        prefix.entries()
    );
}

/// Warns of a prefix that is written as a pattern.
pub(crate) fn sweeps(prefix: &str) {
    if is_pattern(prefix) {
        say(&prefix, || {
            tracing::warn!(
                prefix,
                "keys are compared with this text as it is, `*` included; write the beginning of the keys without it"
            );
        });
    }
}

/// A part that is nothing but a `*`: text may end with one by chance.
fn is_pattern(text: &str) -> bool {
    text.split(':').any(|part| part == "*")
}

/// What stands in front of the first `:`.
fn family(text: &str) -> &str {
    text.split(':').next().unwrap_or_default()
}

fn hash(of: &impl std::hash::Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(of)
}

/// Families of names.
struct Families([AtomicU64; 64]);

impl Families {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 64])
    }

    fn place(&self, text: &str) -> (&AtomicU64, u64) {
        let hash = hash(&family(text));
        (&self.0[(hash >> 6) as usize % self.0.len()], 1 << (hash % 64))
    }

    fn add(&self, text: &str) {
        let (word, bit) = self.place(text);
        // Mostly it is there already, and to read costs other threads nothing.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    fn has(&self, text: &str) -> bool {
        let (word, bit) = self.place(text);
        word.load(Ordering::Relaxed) & bit != 0
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| word.load(Ordering::Relaxed) == 0)
    }
}

/// The templates of the program's annotated functions.
struct Known {
    keys: Vec<(&'static Site, &'static [Piece])>,
    tags: Vec<(&'static Site, &'static [Piece])>,
    /// Values tell tags, and nobody knows which before they are there.
    values_tell_tags: bool,
}

impl Known {
    fn of(sites: Vec<&'static Site>) -> Self {
        let stores = sites.into_iter().filter(|site| site.spec().role != Role::Invalidate);
        let mut known = Self { keys: Vec::new(), tags: Vec::new(), values_tell_tags: false };
        for site in stores {
            known.keys.push((site, site.spec().template));
            let templates = site.spec().tags.iter().map(|tag| tag.template);
            known.tags.extend(templates.clone().flatten().map(|template| (site, template)));
            known.values_tell_tags |= templates.clone().any(|template| template.is_none());
        }
        known
    }

    fn templates(&self, kind: Kind) -> &[(&'static Site, &'static [Piece])] {
        match kind {
            Kind::Key => &self.keys,
            Kind::Tag => &self.tags,
        }
    }
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| Known::of(site::all()))
}

/// What there is to say of a name.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    /// Nothing: something has it, or may have it.
    Named,
    /// It would be of this function's if its parts were escaped.
    Unescaped(&'static Site, &'static [Piece]),
    /// Nothing here has it.
    Unknown,
}

fn judge(kind: Kind, text: &str, known: &Known) -> Verdict {
    let (families, templates) = (kind.families(), known.templates(kind));
    let fits = |(site, template): &&(&Site, &[Piece])| fits(text, template, site.spec().texts);
    // Where nothing is annotated, there is nothing to compare with.
    if known.keys.is_empty() || families.has(text) || templates.iter().any(|one| fits(&one)) {
        return Verdict::Named;
    }
    if let Some((site, template)) = templates.iter().find(|(_, template)| resembles(text, template)) {
        return Verdict::Unescaped(site, template);
    }
    let is_open = kind == Kind::Tag && known.values_tell_tags && families.is_empty();
    if is_open { Verdict::Named } else { Verdict::Unknown }
}

/// Whether the template can render this text; `texts` names the placeholders of arguments that are text.
fn fits(text: &str, template: &[Piece], texts: &[&str]) -> bool {
    let Some((piece, rest)) = template.split_first() else { return text.is_empty() };
    if let Piece::Literal(literal) = piece {
        return text.strip_prefix(literal).is_some_and(|text| fits(text, rest, texts));
    }
    // A rendered value has no `:` in it.
    let longest = text.find(':').unwrap_or(text.len());
    let ends = (0..=longest).rev().filter(|end| text.is_char_boundary(*end));
    let mut ends = ends.filter(|end| match rest.first() {
        Some(Piece::Literal(next)) => text[*end..].starts_with(next),
        Some(_) => true,
        None => *end == text.len(),
    });
    ends.any(|end| is_rendered(*piece, &text[..end], texts) && fits(&text[end..], rest, texts))
}

/// Whether the text has the literals of the template, in their order. One that begins with a placeholder resembles too much.
fn resembles(text: &str, template: &[Piece]) -> bool {
    let Some((Piece::Literal(first), rest)) = template.split_first() else { return false };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    for (at, piece) in rest.iter().enumerate() {
        let Piece::Literal(literal) = piece else { continue };
        let found = if at + 1 == rest.len() { text.strip_suffix(literal).map(|_| "") } else { behind(text, literal) };
        let Some(behind) = found else { return false };
        text = behind;
    }
    // A literal alone is either had or not.
    !rest.is_empty()
}

fn behind<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    text.split_once(literal).map(|(_, behind)| behind)
}

fn say(what: &impl std::hash::Hash, line: impl FnOnce()) {
    static SAID: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
    let is_new = {
        let mut said = locked(&SAID);
        let said = said.get_or_insert_default();
        said.len() < MOST_SAID && said.insert(hash(what))
    };
    if is_new {
        line();
    }
}

fn unescaped(kind: Kind, text: &str, site: &Site, template: &[Piece]) {
    let (function, place) = (site.path(), site.place());
    let template = site::text_of(template, site.spec());
    match kind {
        Kind::Key => tracing::warn!(
            key = text,
            function,
            place,
            template,
            "this function has no entry under this key: it escapes what it puts into the template; have the key rendered, \
             `entry!({}(..))`, or name an event",
            site.name()
        ),
        Kind::Tag => tracing::warn!(
            tag = text,
            function,
            place,
            template,
            "this function's entries do not have this tag: it escapes what it puts into the template; name an event \
             instead, whose fields are escaped alike on both sides"
        ),
    }
}

fn unknown(kind: Kind, text: &str) {
    match kind {
        Kind::Key => tracing::warn!(
            key = text,
            "an invalidation is of a key that no annotated function of this program has, and that this process has not used by \
             hand: if it is misspelt, it does nothing; `entry!(call)` has the key of a call rendered. Said once for all keys that \
             begin like this"
        ),
        Kind::Tag => tracing::warn!(
            tag = text,
            "an invalidation is of a tag that no annotated function of this program has, and that this process has given to \
             nothing by hand: if it is misspelt, it does nothing; the compiler checks the names of events. Said once for all \
             tags that begin like this"
        ),
    }
}

#[cfg(test)]
mod tests;
