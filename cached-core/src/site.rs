//! A site: one annotated function. A `static` describes it, and a registry that the linker fills finds it.

pub(crate) mod by_hand;
mod inherited;
mod spelled;
mod startup;

pub(crate) use inherited::Kept;
pub(crate) use startup::{apart, problems, sharing};

use crate::codec::Codec;
use crate::event::{EventUse, TagUse, Topic};
use crate::key::Piece;
use crate::ttl::{NoneTtl, TtlSpec};
use std::any::Any;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// What the attribute knows about one function. It names no type of the user's, so that generic functions can have one.
#[derive(Debug, Clone, Copy)]
pub struct SiteSpec {
    /// The function's name.
    pub name: &'static str,
    /// Returns the path of an item inside of the function.
    pub inside: fn() -> &'static str,
    /// The path of the function's module.
    pub module: &'static str,
    /// The function's source file.
    pub file: &'static str,
    /// The function's line in that file.
    pub line: u32,
    /// The function's column in that line.
    pub column: u32,
    /// The key's template.
    pub template: &'static [Piece],
    /// What the function does to the cache.
    pub role: Role,
    /// The return type as it is written.
    pub value: &'static str,
    /// Time to live of a value.
    pub ttl: TtlSpec,
    /// Spread of the time to live; the builder's if `None`.
    pub jitter: Option<f64>,
    /// Time to live of a `None`.
    pub none_ttl: Option<NoneTtl>,
    /// Time to live of an error that `error_if` chooses; `None` if errors are not stored.
    pub error_ttl: Option<TtlSpec>,
    /// Part of the fingerprint; 1 if `None`.
    pub version: Option<u32>,
    /// Serializer of the payload; the builder's if `None`.
    pub codec: Option<Codec>,
    /// Use of the near cache; the builder's if `None`.
    pub local: Option<Local>,
    /// Whether near hits continue while there is no contact with the store.
    pub serves_in_gap: bool,
    /// What happens shortly before and after the end of a value's time.
    pub fresh: Freshness,
    /// Whether the function takes many ids, each of which has an entry.
    pub batch: bool,
    /// Whether the function uses the ambient cache (no `cache = ..`).
    pub ambient: bool,
    /// Events that make the entry invalid.
    pub listens: &'static [EventUse],
    /// Further tags of the entry.
    pub tags: &'static [TagUse],
    /// Events that the function causes.
    pub emits: &'static [EventUse],
    /// Tags that the function invalidates.
    pub untags: &'static [TagUse],
    /// The placeholders of arguments whose spelled type is text.
    pub texts: &'static [&'static str],
    /// Keys that the function invalidates.
    pub removes: &'static [&'static [Piece]],
}

/// The attribute's option for the near cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// `local = "off"`
    Off,
    /// `local = "30s"`, in milliseconds.
    Millis(u64),
}

/// The attribute's options for values near or past the end of their time to live. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freshness {
    /// `stale_while_revalidate`: how long after its end a value is served while one caller loads a new one.
    pub revalidate_ms: Option<u64>,
    /// `stale_if_error`: how long after its end a value is served when the load fails.
    pub if_error_ms: Option<u64>,
    /// `refresh_ahead`: β of `XFetch`.
    pub ahead: Option<f64>,
    /// `refresh = "background"`
    pub background: bool,
    /// `spawn`
    pub spawn: bool,
    /// `load_timeout`
    pub load_timeout_ms: Option<u64>,
}

impl Freshness {
    /// None of these options.
    pub const NONE: Self = Self {
        revalidate_ms: None,
        if_error_ms: None,
        ahead: None,
        background: false,
        spawn: false,
        load_timeout_ms: None,
    };
}

/// What an annotated function does to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `#[redis_cached]`.
    Read,
    /// `#[redis_invalidate]`.
    Invalidate,
    /// `#[redis_put]`.
    Put,
}

impl SiteSpec {
    /// The defaults for options that the attribute leaves out.
    pub const DEFAULT: Self = Self {
        name: "",
        inside: || "",
        module: "",
        file: "",
        line: 0,
        column: 0,
        template: &[],
        role: Role::Read,
        value: "",
        ttl: TtlSpec::Default,
        jitter: None,
        none_ttl: None,
        error_ttl: None,
        version: None,
        codec: None,
        local: None,
        serves_in_gap: false,
        fresh: Freshness::NONE,
        batch: false,
        ambient: true,
        listens: &[],
        tags: &[],
        emits: &[],
        untags: &[],
        texts: &[],
        removes: &[],
    };
}

impl SiteSpec {
    /// Where the function stands. For a function in a `macro_rules!`, this is the call of the macro.
    fn position(&self) -> (&'static str, u32, u32) {
        (self.file, self.line, self.column)
    }
}

/// What a cache knows about a site. Only the cache knows its type.
type State = dyn Any + Send + Sync;

/// The names by which users know a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SiteName {
    /// The function's name, or what the user calls it.
    pub(crate) name: &'static str,
    /// This tells it apart from others of that name.
    pub(crate) path: &'static str,
}

/// One annotated function. Its counters live in each cache, not here.
#[derive(Debug)]
pub struct Site {
    spec: SiteSpec,
    /// The number of the cache that used the site first, nearly always the only one, and the site's state in that
    /// cache.
    first: OnceLock<(u64, Arc<State>)>,
}

impl Site {
    /// Called by generated code.
    #[must_use]
    pub const fn new(spec: SiteSpec) -> Self {
        Self { spec, first: OnceLock::new() }
    }

    pub(crate) fn spec(&self) -> &SiteSpec {
        &self.spec
    }

    /// The site's state in the cache of that number, if it is the first one to use the site. `make` creates the state.
    #[inline]
    pub(crate) fn first(&self, cache: u64, make: impl FnOnce() -> Arc<State>) -> Option<&State> {
        let (first, state) = self.first.get_or_init(|| (cache, make()));
        (*first == cache).then_some(&**state)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.spec.name
    }

    pub(crate) fn names(&self) -> SiteName {
        SiteName { name: self.name(), path: self.path() }
    }

    /// `shop::users::Repo<_>::find`, which tells the function apart from others of its name. A site that is no
    /// function, such as `Cache::entry`, has only a name.
    pub(crate) fn path(&self) -> &'static str {
        let inside = (self.spec.inside)();
        // The closure stands in the `static` that describes the function. In an `async fn` of a trait, that is in a
        // closure too.
        let mut path = inside.rsplit_once("::__CACHED_SITE").map_or(inside, |(path, _)| path);
        while let Some(outer) = path.strip_suffix("::{{closure}}") {
            path = outer;
        }
        if path.is_empty() { self.spec.name } else { path }
    }

    /// `src/users.rs:12`
    pub(crate) fn place(&self) -> String {
        if self.spec.file.is_empty() { String::new() } else { format!("{}:{}", self.spec.file, self.spec.line) }
    }

    /// The template as it was written.
    pub(crate) fn template_text(&self) -> String {
        text_of(self.spec.template, &self.spec)
    }

    /// The TTL classes that the attribute names.
    fn classes(&self) -> impl Iterator<Item = &'static str> {
        let ttl = if let TtlSpec::Class(class) = self.spec.ttl { Some(class) } else { None };
        let none = if let Some(NoneTtl::Class(class)) = self.spec.none_ttl { Some(class) } else { None };
        let error = if let Some(TtlSpec::Class(class)) = self.spec.error_ttl { Some(class) } else { None };
        ttl.into_iter().chain(none).chain(error)
    }
}

/// A template as it was written at a site.
pub(crate) fn text_of(template: &[Piece], at: &SiteSpec) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Literal(text) => (*text).to_owned(),
        Piece::Segment(name) => format!("<{name}>"),
        Piece::Hash(name) => format!("<{name}:hash>"),
        Piece::Serde(name) => format!("<{name}:serde>"),
        Piece::All => "<*>".to_owned(),
        Piece::Path => format!("{}::{}", at.module, at.name),
    };
    template.iter().map(text).collect()
}

/// Whether two templates render alike for like arguments.
pub(crate) fn renders_like(a: &[Piece], b: &[Piece]) -> bool {
    // Keys with a path differ by module, name and impl; the impl is known only when the function runs.
    !a.contains(&Piece::Path) && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.renders_like(*b))
}

/// The registry's entry for a site, submitted by generated code.
#[derive(Debug)]
pub struct Registered(pub &'static Site);

inventory::collect!(Registered);

/// All annotated functions of the program.
pub(crate) fn all() -> Vec<&'static Site> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0).collect()
}

/// A text that tells a function's entries apart from those of functions with other templates that render the same key.
///
/// Functions with one template share entries, for instance the impls of a trait. Without a template the path tells
/// functions apart; functions of one name inside of one function are numbered.
pub(crate) fn identity(site: &Site, all: &[&'static Site]) -> String {
    let mut text = String::new();
    for piece in site.spec.template {
        if *piece == Piece::Path {
            let namesakes = all.iter().map(|other| &other.spec).filter(|other| {
                other.template == site.spec.template && (other.module, other.name) == (site.spec.module, site.spec.name)
            });
            let number = namesakes.filter(|other| other.position() < site.spec.position()).count();
            let _ = write!(text, "\0path{number}");
        } else {
            push_piece(&mut text, *piece);
        }
    }
    // Entries record their call tags by position, so functions with different tags have different entries.
    for event in site.spec.listens {
        let _ = write!(text, "\0event{}", event.name);
        match event.topic {
            Topic::All => text.push_str("\0any"),
            Topic::By(fields) => fields.iter().for_each(|field| text.extend(["\0by", field])),
            Topic::One => {}
        }
    }
    for tag in site.spec.tags {
        text.push_str("\0tag");
        match tag.template {
            Some(template) => template.iter().for_each(|piece| push_piece(&mut text, *piece)),
            None => text.push_str("\0value"),
        }
    }
    text
}

fn push_piece(text: &mut String, piece: Piece) {
    match piece {
        Piece::Literal(literal) => text.push_str(literal),
        Piece::Segment(_) => text.push_str("\0segment"),
        Piece::Hash(_) => text.push_str("\0hash"),
        Piece::Serde(_) => text.push_str("\0serde"),
        Piece::All => text.push_str("\0all"),
        Piece::Path => text.push_str("\0path"),
    }
}
