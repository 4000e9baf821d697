//! Keys and tags that users write by hand, and likely mistakes in an invalidation by hand: a pattern, a key of an
//! annotated function that is not escaped as the function does it, a name that nothing has. Tags are not escaped.
//!
//! To invalidate a name that nobody uses is no error, so only a pattern is refused. All other mistakes are logged, each
//! once, and no more than [`MAX_LINES`] in all. Names that this process itself uses by hand are known by their family,
//! the text before the first `:`. A family is one bit in a field of fixed size; if two share a bit, fewer mistakes are
//! logged.

use crate::error::CacheError;
use crate::key::{Piece, Prefix, is_rendered};
use crate::site::{self, Role, Site};
use crate::sync::locked;
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

/// The most lines that are logged in all.
const MAX_LINES: usize = 32;

/// Whether a name is that of a key or of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Key,
    Tag,
}

/// The families of names that this process uses by hand.
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

/// Notes that this process stores or reads under that name. For the first name of a family, warns if it seems to be
/// meant for an annotated function.
pub(crate) fn uses(kind: Kind, text: &str) {
    if !kind.families().has(text) {
        if let Verdict::Unescaped(site, template) = judge(kind, text, templates()) {
            log_once(&(kind, site.path()), || unescaped(text, site, template));
        }
        kind.families().add(text);
    }
}

/// Warns of a likely mistake in an invalidation of that name.
pub(crate) fn invalidates(kind: Kind, text: &str, prefix: &Prefix) {
    let is_prefixed = kind == Kind::Key && text.starts_with(prefix.entries());
    if is_prefixed && matches!(judge(kind, text, templates()), Verdict::Unknown) {
        log_once(&(kind, prefix.entries()), || prefixed(text, prefix));
        return;
    }
    match judge(kind, text, templates()) {
        Verdict::Named => {}
        Verdict::Unescaped(site, template) => log_once(&(kind, site.path()), || unescaped(text, site, template)),
        Verdict::Unknown => log_once(&(kind, family(text)), || unknown(kind, text)),
    }
}

/// Checks that the text is a name and no pattern.
///
/// # Errors
/// The error for a pattern says what to write instead.
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

/// Warns of a pattern where the caller gets no error.
pub(crate) fn refuses(kind: Kind, text: &str, error: &CacheError) {
    log_once(&(kind, text), || match kind {
        Kind::Key => tracing::warn!(key = text, "{error}"),
        Kind::Tag => tracing::warn!(tag = text, "{error}"),
    });
}

fn prefixed(text: &str, prefix: &Prefix) {
    tracing::warn!(
        key = text,
        "write keys without `{}`, which the cache adds to each; or pass the entry itself, `.entry(&entry)`",
        prefix.entries()
    );
}

/// Warns of a prefix that is written as a pattern.
pub(crate) fn sweeps(prefix: &str) {
    if is_pattern(prefix) {
        log_once(&prefix, || {
            tracing::warn!(
                prefix,
                "this text is taken literally, `*` included; write only the beginning of the keys, without it"
            );
        });
    }
}

/// Whether a part is nothing but a `*`. A part that only ends with one may be ordinary text.
fn is_pattern(text: &str) -> bool {
    text.split(':').any(|part| part == "*")
}

/// The text before the first `:`.
fn family(text: &str) -> &str {
    text.split(':').next().unwrap_or_default()
}

fn hash(of: &impl std::hash::Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(of)
}

/// A set of families, as bits of their hashes.
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
        // Read first: the bit is mostly set already, and a read does not slow down other threads.
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
struct Templates {
    keys: Vec<(&'static Site, &'static [Piece])>,
    tags: Vec<(&'static Site, &'static [Piece])>,
    /// Whether there are value tags, which nobody knows in advance.
    has_value_tags: bool,
}

impl Templates {
    fn of(sites: Vec<&'static Site>) -> Self {
        let stores = sites.into_iter().filter(|site| site.spec().role != Role::Invalidate);
        let mut all = Self { keys: Vec::new(), tags: Vec::new(), has_value_tags: false };
        for site in stores {
            all.keys.push((site, site.spec().template));
            let templates = site.spec().tags.iter().map(|tag| tag.template);
            all.tags.extend(templates.clone().flatten().map(|template| (site, template)));
            all.has_value_tags |= templates.clone().any(|template| template.is_none());
        }
        all
    }

    fn of_kind(&self, kind: Kind) -> &[(&'static Site, &'static [Piece])] {
        match kind {
            Kind::Key => &self.keys,
            Kind::Tag => &self.tags,
        }
    }
}

fn templates() -> &'static Templates {
    static TEMPLATES: OnceLock<Templates> = OnceLock::new();
    TEMPLATES.get_or_init(|| Templates::of(site::all()))
}

/// The judgement of a name.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    /// No mistake: something has this name, or may have it.
    Named,
    /// It would be a name of this function if its parts were escaped.
    Unescaped(&'static Site, &'static [Piece]),
    /// Nothing in this process has this name.
    Unknown,
}

fn judge(kind: Kind, text: &str, all: &Templates) -> Verdict {
    let (families, templates) = (kind.families(), all.of_kind(kind));
    let fits = |(site, template): &&(&Site, &[Piece])| match kind {
        Kind::Key => fits(text, template, site.spec().texts),
        Kind::Tag => reads_like(text, template),
    };
    // Without annotated functions, there is nothing to compare with.
    if all.keys.is_empty() || families.has(text) || templates.iter().any(|one| fits(&one)) {
        return Verdict::Named;
    }
    if kind == Kind::Key
        && let Some((site, template)) = templates.iter().find(|(_, template)| resembles(text, template))
    {
        return Verdict::Unescaped(site, template);
    }
    let is_open = kind == Kind::Tag && all.has_value_tags && families.is_empty();
    if is_open { Verdict::Named } else { Verdict::Unknown }
}

/// Whether the template can render this text; `texts` names the placeholders of arguments that are text.
fn fits(text: &str, template: &[Piece], texts: &[&str]) -> bool {
    let Some((piece, rest)) = template.split_first() else { return text.is_empty() };
    if let Piece::Literal(literal) = piece {
        return text.strip_prefix(literal).is_some_and(|text| fits(text, rest, texts));
    }
    // A rendered value contains no `:`.
    let longest = text.find(':').unwrap_or(text.len());
    let ends = (0..=longest).rev().filter(|end| text.is_char_boundary(*end));
    let mut ends = ends.filter(|end| match rest.first() {
        Some(Piece::Literal(next)) => text[*end..].starts_with(next),
        Some(_) => true,
        None => *end == text.len(),
    });
    ends.any(|end| is_rendered(*piece, &text[..end], texts) && fits(&text[end..], rest, texts))
}

/// Whether a tag's template can render this text. Arguments stand in it as they are.
fn reads_like(text: &str, template: &[Piece]) -> bool {
    let Some((piece, rest)) = template.split_first() else { return text.is_empty() };
    if let Piece::Literal(literal) = piece {
        return text.strip_prefix(literal).is_some_and(|text| reads_like(text, rest));
    }
    let is_any = matches!(piece, Piece::Segment(_));
    let mut ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
    ends.any(|end| (is_any || is_rendered(*piece, &text[..end], &[])) && reads_like(&text[end..], rest))
}

/// Whether the text has the literals of the template, in their order. Never so for a template that begins with a
/// placeholder, which too many texts would resemble.
fn resembles(text: &str, template: &[Piece]) -> bool {
    let Some((Piece::Literal(first), rest)) = template.split_first() else { return false };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    for (at, piece) in rest.iter().enumerate() {
        let Piece::Literal(literal) = piece else { continue };
        let found = if at + 1 == rest.len() { text.strip_suffix(literal).map(|_| "") } else { after(text, literal) };
        let Some(after) = found else { return false };
        text = after;
    }
    // A template that is one literal fits or does not; nothing resembles it.
    !rest.is_empty()
}

fn after<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    text.split_once(literal).map(|(_, after)| after)
}

fn log_once(what: &impl std::hash::Hash, line: impl FnOnce()) {
    static LOGGED: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
    let is_new = {
        let mut logged = locked(&LOGGED);
        let logged = logged.get_or_insert_default();
        logged.len() < MAX_LINES && logged.insert(hash(what))
    };
    if is_new {
        line();
    }
}

fn unescaped(text: &str, site: &Site, template: &[Piece]) {
    let (function, place) = (site.path(), site.place());
    let template = site::text_of(template, site.spec());
    tracing::warn!(
        key = text,
        function,
        place,
        template,
        "this function has no entry under this key, because it escapes what it puts into the template; let it render the \
         key, `entry!({}(..))`, or name an event",
        site.name()
    );
}

fn unknown(kind: Kind, text: &str) {
    match kind {
        Kind::Key => tracing::warn!(
            key = text,
            "no annotated function of this program has the key of this invalidation, and this process has not used \
             such a key by hand: if it is misspelt, the invalidation does nothing; `entry!(call)` renders the key of a call. \
             Logged once for all keys that begin like this"
        ),
        Kind::Tag => tracing::warn!(
            tag = text,
            "no annotated function of this program has the tag of this invalidation, and this process has not used \
             such a tag by hand: if it is misspelt, the invalidation does nothing; the compiler checks the names of events. \
             Logged once for all tags that begin like this"
        ),
    }
}

#[cfg(test)]
mod tests;
